/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What sequence parameter sets say of the order of pictures: H.264 (ISO
 * 14496-10, 7.3.2.1 and annex E), H.265 (ISO 23008-2, 7.3.2.2). Hostile input.
 * Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"

G_BEGIN_DECLS

#define AMS_SPS_DEPTH_UNKNOWN G_MAXUINT

/* @sps: a NAL unit with its header. Returns: how many pictures may be decoded
 * before one that is shown before them; AMS_SPS_DEPTH_UNKNOWN: it does not say,
 * or it is damaged. */
guint ams_sps_get_reorder_depth (AmsSlice sps, gboolean h265);

G_END_DECLS
