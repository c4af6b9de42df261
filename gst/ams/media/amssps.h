/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What sequence parameter sets say of pictures and their order: H.264 (ISO
 * 14496-10, 7.3.2.1 and annex E), H.265 (ISO 23008-2, 7.3.2.2 and annex E).
 * Hostile input. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"

G_BEGIN_DECLS

#define AMS_SPS_DEPTH_UNKNOWN G_MAXUINT
#define AMS_SPS_TRANSFER_UNKNOWN 2

typedef struct
{
  /* How many pictures may be decoded before one that is shown before them;
   * AMS_SPS_DEPTH_UNKNOWN: it does not say. */
  guint depth;
  guint width, height; /* luma samples, after cropping */
  /* Frames a second as the set has it, plausible or not; 0: it does not say. */
  guint64 rate_num, rate_den;
  guint transfer; /* transfer characteristics, ISO 23091-2 */
} AmsSps;

/* @sps: a NAL unit with its header. FALSE: it is none, or it is damaged. Where
 * only its VUI is damaged, the VUI counts as absent. */
gboolean ams_sps_read (AmsSlice sps, gboolean h265, AmsSps *read);

/* AmsSps.depth; AMS_SPS_DEPTH_UNKNOWN also where @sps is damaged. */
guint ams_sps_get_reorder_depth (AmsSlice sps, gboolean h265);

G_END_DECLS
