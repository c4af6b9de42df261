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

#include <glib.h>

#include "media/amstime.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_CUT_NOT,
  AMS_CUT_HERE, /* a segment begins with this keyframe */
  AMS_CUT_CANDIDATE, /* one may have to begin here after all */
} AmsCutHere;

typedef struct
{
  gboolean at_candidate; /* first, a segment begins at the candidate */
  AmsCutHere here;
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
gboolean ams_cutter_is_forced (AmsCutter *self);

/* A keyframe at @pts. After AMS_CUT_HERE the segment that begins is the
 * current one. */
AmsCutDecision ams_cutter_keyframe (AmsCutter *self, gint64 pts);

/* Another frame, shown until @end. TRUE: cut at the candidate now. */
gboolean ams_cutter_frame (AmsCutter *self, gint64 end);

/* From @pts on the frames of another track are cut at. @all_keys: each of them
 * is a keyframe, so that none has to be remembered as a candidate. */
void ams_cutter_change_track (AmsCutter *self, gint64 pts, gboolean all_keys);

/* A segment begins at @pts, whatever the time; the frames after it follow the
 * rhythm of those before. */
void ams_cutter_cut (AmsCutter *self, gint64 pts);

/* There is no going back to the candidate. */
void ams_cutter_drop_candidate (AmsCutter *self);

/* Whether a segment that goes on until @end would round to more than the
 * target. */
gboolean ams_cutter_breaks_promise (AmsCutter *self, gint64 end);

/* When the current segment should end: when a keyframe is wanted. */
gint64 ams_cutter_get_due (AmsCutter *self);
gint64 ams_cutter_get_segment_start (AmsCutter *self);
/* AMS_TIME_NONE: there is none. */
gint64 ams_cutter_get_candidate (AmsCutter *self);

G_END_DECLS
