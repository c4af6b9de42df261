/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The recording's time line: brings the running times of the tracks onto one
 * that never goes back and has no bogus leaps, so that a muxer can take them.
 * Pure, no GStreamer, not thread-safe. All times in ns.
 *
 * - Steps of up to the threshold are left alone.
 * - Back by about 2^33 ticks of 90 kHz is a wrap that nobody unwrapped: goes on as if nothing was.
 * - Further back: the track goes on where it was, or where the time of day
 *   says when there was an outage. The other tracks, when they jump as well, take
 *   the same offset if it suits them, so that they stay in sync.
 * - Forward: a hole, kept, if other tracks are there already, if the time of day
 *   agrees, or if it is shorter than an hour; else a bogus leap, closed. */

#pragma once

#include <glib.h>
#include "amscutter.h" /* AMS_TIME_NONE */

G_BEGIN_DECLS

/* 2^33 ticks of 90 kHz, in ns: 26.5 h. */
#define AMS_TIMELINE_WRAP (G_GINT64_CONSTANT (8589934592) * 100000 / 9)

typedef struct _AmsTimeline AmsTimeline;

AmsTimeline *ams_timeline_new (gint64 threshold);
void ams_timeline_free (AmsTimeline *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsTimeline, ams_timeline_free)

/* Returns: the track's index. */
guint ams_timeline_add_track (AmsTimeline *self);

/* @time: the buffer's running time in decoding order (DTS, else PTS), or
 * AMS_TIME_NONE. @duration: how long until the next is expected, 0 if unknown.
 * @arrival: a monotonic clock. *@jump: the media before and behind do not belong together. Returns: what to
 * add to the buffer's running times; for @time of NONE, the time itself. */
gint64 ams_timeline_map (AmsTimeline *self, guint track, gint64 time,
    gint64 duration, gint64 arrival, gboolean *jump);

/* What is being added to this track's running times now. */
gint64 ams_timeline_get_offset (AmsTimeline *self, guint track);

/* What comes next on this track has nothing to do with what was before (a flush). */
void ams_timeline_expect_jump (AmsTimeline *self, guint track);

G_END_DECLS
