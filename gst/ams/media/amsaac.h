/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* AAC: the AudioSpecificConfig (ISO 14496-3, 1.6.2) and the ADTS headers
 * (1.A.2) that carry raw frames in MPEG-TS. Hostile input. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_AAC_ADTS_SIZE 7

typedef struct
{
  guint object_type; /* of the core: 2 is AAC-LC also where SBR extends it */
  guint rate_index; /* of the core, 0 … 12 */
  guint rate; /* Hz, of the core */
  guint channels; /* the channel configuration; 0: @pce says */
  gboolean sbr, ps; /* said explicitly */
  /* The program_config_element as the first element of a raw frame, padded to
   * whole bytes, its ID included. NULL: the channel configuration says all. */
  GBytes *pce;
} AmsAacConfig;

/* Returns: (transfer full) (nullable): NULL, and @error, if @config is damaged
 * or if ADTS cannot carry its object type, rate or channels. */
AmsAacConfig *ams_aac_config_new (GBytes *config, GError **error);
void ams_aac_config_free (AmsAacConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsAacConfig, ams_aac_config_free)

/* The audio object type that names the codec: 2 of AAC-LC, 5 where SBR is said
 * explicitly, in front of the core or behind it, 29 with PS. Any type, not only
 * those that ADTS can carry. 0: @config is damaged. */
guint ams_aac_get_object_type (GBytes *config);

/* The header in front of @size bytes of raw frame. FALSE: too many for ADTS. */
gboolean ams_aac_write_adts (const AmsAacConfig *config, gsize size,
    guint8 header[AMS_AAC_ADTS_SIZE]);

G_END_DECLS
