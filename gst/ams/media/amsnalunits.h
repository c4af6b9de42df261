/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* NAL units of H.264 (ISO 14496-10) and H.265 (ISO 23008-2) that follow their
 * lengths, and the avcC and hvcC records that go with them (ISO 14496-15).
 * Hostile input. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean h265;
  guint length_size; /* bytes of the length in front of each NAL unit: 1 … 4 */
  GArray *parameter_sets; /* (element-type AmsSlice) VPS, SPS, PPS, in order */
  GBytes *record; /* the bytes that @parameter_sets point into */
} AmsNalConfig;

/* Returns: (transfer full) (nullable): NULL, and @error, if @record is no avcC
 * (@h265: no hvcC) record. */
AmsNalConfig *ams_nal_config_new (GBytes *record, gboolean h265,
    GError **error);
void ams_nal_config_free (AmsNalConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsNalConfig, ams_nal_config_free)

typedef enum
{
  AMS_NAL_OTHER,
  AMS_NAL_DELIMITER, /* access unit delimiter */
  AMS_NAL_PARAMETER_SET, /* VPS, SPS, PPS */
  AMS_NAL_SLICE,
  AMS_NAL_RANDOM_ACCESS_SLICE, /* IDR; of H.265 any IRAP picture */
} AmsNalKind;

AmsNalKind ams_nal_get_kind (AmsSlice nal, gboolean h265);

/* Takes the next NAL unit off *@rest, the remaining bytes of a unit. Empty ones
 * are passed over. FALSE: there is none; *@rest is then empty, unless a length
 * claims more than there is. */
gboolean ams_nal_next (const AmsNalConfig *config, AmsSlice *rest,
    AmsSlice *nal);

G_END_DECLS
