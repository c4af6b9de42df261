/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a recording ends on the scale of its time stamps, for the next session
 * to go on from there. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amstime.h"

G_BEGIN_DECLS

#define AMS_PTS_UNKNOWN G_MAXUINT64

/* What is known of the segments that a recording lists. */
typedef struct
{
  /* 90 kHz, 33 bits: where the first segment that can be read begins
   * (AmsTsHead.start_pts); AMS_PTS_UNKNOWN */
  guint64 first_pts;
  /* ns: the EXTINFs of the segments before that one */
  guint64 skipped;
  /* ns: the EXTINFs of all of them; 0: nothing is listed */
  guint64 duration;
  /* 90 kHz, 33 bits: where the last segment ends; AMS_PTS_UNKNOWN */
  guint64 end_pts;
} AmsEnd;

/* All unknown, nothing listed. */
#define AMS_END_INIT \
  { \
    AMS_PTS_UNKNOWN, 0, 0, AMS_PTS_UNKNOWN \
  }

/* Adds a segment after those that are listed. @duration: ns; @end_pts: as in
 * AmsEnd */
void ams_end_add (AmsEnd *self, guint64 duration, guint64 end_pts);

/* The time stamp @duration ns after @pts. 90 kHz, 33 bits */
guint64 ams_end_add_time (guint64 pts, guint64 duration);

/* Where the next session's first frame belongs: ns, on the scale of the TS time
 * stamps, not wrapped at 33 bits. AMS_TIME_NONE: nothing is listed, or the list
 * claims an impossible length.
 *
 * The result is past the end of the last segment, and past the first segment's
 * beginning plus the sum of the EXTINFs. Both, because players that seek by
 * EXTINF drop each frame that lies before that sum (FFmpeg's hls.c), and
 * because sessions of version 0.1.0 each began anew, so that their last segment
 * ends far before it. */
gint64 ams_end_time (const AmsEnd *self);

G_END_DECLS
