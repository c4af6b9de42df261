/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where to cut: decides at which keyframes segments begin, from the elementary
 * stream's timestamps alone. Pure, no GStreamer, not thread-safe. Times are ns
 * on the recording's time line and may be negative.
 *
 * The target is a promise: a segment's duration rounds to at most it
 * (hls-rules 1 and 14). When a keyframe arrives it is not yet known whether the
 * next one still keeps the promise, so each keyframe that is not cut at stays a
 * candidate: when the next one is late, the cut is made at the candidate after
 * the fact. Only a GOP that is itself longer breaks the promise. */

#pragma once

#include "media/amstime.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_CUT_NOT,
  AMS_CUT_HERE, /* a segment begins with this keyframe */
  AMS_CUT_CANDIDATE, /* one may have to begin here after all */
} AmsCut;

typedef struct
{
  gboolean at_candidate; /* first, a segment begins at the candidate */
  AmsCut here;
} AmsCutDecision;

typedef struct _AmsCutter AmsCutter;

AmsCutter *ams_cutter_new (gint64 target);
void ams_cutter_free (AmsCutter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsCutter, ams_cutter_free)

void ams_cutter_set_target (AmsCutter *self, gint64 target);

/* Segments end when wall-clock time is a multiple of the target;
 * @date_offset: what makes a time into ns since 1970. AMS_TIME_NONE: no longer. */
void ams_cutter_set_alignment (AmsCutter *self, gint64 date_offset);

/* Whether the encoder makes a keyframe when it is asked for one at
 * ams_cutter_get_due(); taken back when it does not. */
void ams_cutter_set_keyframes_on_request (AmsCutter *self, gboolean on_request);

/* The first segment begins; also after all were ended. */
void ams_cutter_start (AmsCutter *self, gint64 pts);

/* The next keyframe is cut at, whatever the time. */
void ams_cutter_force (AmsCutter *self);

/* A keyframe at @pts. After AMS_CUT_HERE the segment that begins is the
 * current one. */
AmsCutDecision ams_cutter_keyframe (AmsCutter *self, gint64 pts);

/* Another frame, shown until @end. TRUE: cut at the candidate now. */
gboolean ams_cutter_frame (AmsCutter *self, gint64 end);

/* The frames of another track go on while no keyframe comes: should this track
 * turn out to have stalled, segments have to end at some of them. TRUE: at the
 * one at @pts, which the caller notes as it does a candidate. */
gboolean ams_cutter_offer (AmsCutter *self, gint64 pts);

/* This track has stalled, and the frames of another are keyframes from @pts on;
 * or it is back. */
void ams_cutter_change_track (AmsCutter *self, gint64 pts);

/* Behind that, until it returns FALSE: a segment begins at *@at, the candidate
 * or what was offered. */
gboolean ams_cutter_make_up (AmsCutter *self, gint64 pts, gint64 *at);

/* When the current segment should end: when a keyframe is wanted. */
gint64 ams_cutter_get_due (AmsCutter *self);
gint64 ams_cutter_get_segment_start (AmsCutter *self);

G_END_DECLS
