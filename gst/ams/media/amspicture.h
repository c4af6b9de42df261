/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a multivariant playlist says of a video (RFC 8216bis, 4.4.6.2):
 * RESOLUTION, FRAME-RATE and VIDEO-RANGE, from the parameter sets of H.264 and
 * H.265. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amstrack.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_VIDEO_RANGE_UNKNOWN,
  AMS_VIDEO_RANGE_SDR,
  AMS_VIDEO_RANGE_HLG,
  AMS_VIDEO_RANGE_PQ,
} AmsVideoRange;

typedef struct
{
  guint width, height; /* luma samples, after cropping */
  /* Frames a second, in lowest terms. 0: not said, or not plausible. */
  guint rate_num, rate_den;
  AmsVideoRange range;
} AmsPicture;

/* The largest of each over all sequence parameter sets of @track. FALSE: there
 * is none that can be read. */
gboolean ams_picture_read (const AmsTrack *track, AmsPicture *picture);

/* The value of the attribute VIDEO-RANGE; NULL for AMS_VIDEO_RANGE_UNKNOWN. */
const gchar *ams_video_range_get_name (AmsVideoRange range);

G_END_DECLS
