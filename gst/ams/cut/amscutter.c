/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "cut/amscutter.h"

/* A duration of target + 0.5 s rounds up past the target. */
#define ROUNDING_SLACK (AMS_SECOND / 2)

/* Keyframes are where the frame grid has them, up to a frame from where they
 * were asked for; this is a little more than a frame at 25 Hz. */
#define GRID_TOLERANCE (45 * AMS_SECOND / 1000)

/* Intra-only streams: a candidate more often than this gains nothing. Others
 * have one at each keyframe, since a scene cut's may be the one that counts. */
#define CANDIDATE_SPACING (AMS_SECOND / 4)

#define N_INTERVALS 8

struct _AmsCutter
{
  gint64 target;
  gint64 date_offset;
  gboolean on_request;
  gboolean all_keys;

  gint64 start; /* of the current segment */
  gint64 due;
  gint64 candidate;
  gboolean forced;

  gint64 last_keyframe;
  gint64 intervals[N_INTERVALS];
  guint n_intervals;
};

AmsCutter *
ams_cutter_new (gint64 target)
{
  AmsCutter *self = g_new0 (AmsCutter, 1);

  self->target = target;
  self->date_offset = AMS_TIME_NONE;
  self->start = self->due = AMS_TIME_NONE;
  self->candidate = AMS_TIME_NONE;
  self->last_keyframe = AMS_TIME_NONE;
  return self;
}

void
ams_cutter_free (AmsCutter *self)
{
  g_free (self);
}

/* The first multiple of the target, on the wall clock, behind @start. */
static gint64
next_boundary (AmsCutter *self, gint64 start)
{
  gint64 date = start + self->date_offset + GRID_TOLERANCE;
  gint64 multiple = date / self->target - (date % self->target < 0);

  return (multiple + 1) * self->target - self->date_offset;
}

static void
set_due (AmsCutter *self)
{
  if (self->date_offset == AMS_TIME_NONE)
    self->due = self->start + self->target;
  else
    self->due = next_boundary (self, self->start);
}

static void
begin_segment (AmsCutter *self, gint64 pts)
{
  self->start = pts;
  self->candidate = AMS_TIME_NONE;
  set_due (self);
}

void
ams_cutter_set_target (AmsCutter *self, gint64 target)
{
  self->target = target;
  if (self->start != AMS_TIME_NONE)
    set_due (self);
}

void
ams_cutter_set_alignment (AmsCutter *self, gint64 date_offset)
{
  self->date_offset = date_offset;
  if (self->start != AMS_TIME_NONE)
    set_due (self);
}

void
ams_cutter_set_keyframes_on_request (AmsCutter *self, gboolean on_request)
{
  self->on_request = on_request;
}

void
ams_cutter_start (AmsCutter *self, gint64 pts)
{
  begin_segment (self, pts);
  self->last_keyframe = pts;
  self->forced = FALSE;
}

void
ams_cutter_force (AmsCutter *self)
{
  self->forced = TRUE;
}

/* What a forced cut ends (a hole, another encoder) is no interval. */
static void
learn_interval (AmsCutter *self, gint64 pts)
{
  if (!self->forced && pts > self->last_keyframe)
    self->intervals[self->n_intervals++ % N_INTERVALS] =
        pts - self->last_keyframe;
  self->last_keyframe = pts;
}

static gint64
longest_interval (AmsCutter *self)
{
  gint64 longest = 0;
  guint i;

  for (i = 0; i < MIN (self->n_intervals, N_INTERVALS); i++)
    longest = MAX (longest, self->intervals[i]);
  return longest;
}

/* When the keyframe behind the one at @pts will probably come. */
static gint64
predict_next (AmsCutter *self, gint64 pts)
{
  gint64 next = pts + longest_interval (self);

  if (self->on_request && self->due > pts)
    next = MIN (next, self->due);
  return next;
}

static gboolean
breaks_promise (AmsCutter *self, gint64 end)
{
  return end - self->start >= self->target + ROUNDING_SLACK;
}

/* A keyframe just before the time counts unless the next comes in time. */
static gboolean
is_due (AmsCutter *self, gint64 pts)
{
  return pts >= self->due ||
      (pts >= self->due - GRID_TOLERANCE &&
          pts + longest_interval (self) > self->due);
}

static gboolean
is_intra_only (AmsCutter *self)
{
  return self->n_intervals >= N_INTERVALS &&
      longest_interval (self) < CANDIDATE_SPACING;
}

static gboolean
is_too_close (AmsCutter *self, gint64 pts)
{
  gint64 last =
      self->candidate != AMS_TIME_NONE ? self->candidate : self->start;

  return pts <= last ||
      (is_intra_only (self) && pts - last < CANDIDATE_SPACING);
}

static AmsCutHere
decide (AmsCutter *self, gint64 pts)
{
  if (self->forced || is_due (self, pts) ||
      breaks_promise (self, predict_next (self, pts)))
    return AMS_CUT_HERE;
  if (self->all_keys || is_too_close (self, pts))
    return AMS_CUT_NOT;
  return AMS_CUT_CANDIDATE;
}

/* Asked for at @due and not come: do not count on it again. */
static void
doubt_requests (AmsCutter *self, gint64 pts)
{
  if (pts > self->due + GRID_TOLERANCE)
    self->on_request = FALSE;
}

AmsCutDecision
ams_cutter_keyframe (AmsCutter *self, gint64 pts)
{
  AmsCutDecision decision = { FALSE, AMS_CUT_NOT };

  g_return_val_if_fail (self->start != AMS_TIME_NONE, decision);

  /* Out of order or twice: nothing to cut between. */
  if (pts <= self->start)
    return decision;

  learn_interval (self, pts);
  doubt_requests (self, pts);
  /* Before a hole, frames have kept the promise already. */
  if (!self->forced && breaks_promise (self, pts) &&
      self->candidate != AMS_TIME_NONE) {
    decision.at_candidate = TRUE;
    begin_segment (self, self->candidate);
  }

  decision.here = decide (self, pts);
  if (decision.here == AMS_CUT_HERE) {
    begin_segment (self, pts);
    self->forced = FALSE;
  } else if (decision.here == AMS_CUT_CANDIDATE) {
    self->candidate = pts;
  }
  return decision;
}

gboolean
ams_cutter_frame (AmsCutter *self, gint64 end)
{
  g_return_val_if_fail (self->start != AMS_TIME_NONE, FALSE);

  if (self->candidate == AMS_TIME_NONE || !breaks_promise (self, end))
    return FALSE;

  doubt_requests (self, end);
  begin_segment (self, self->candidate);
  return TRUE;
}

void
ams_cutter_change_track (AmsCutter *self, gint64 pts, gboolean all_keys)
{
  /* The other track's frames tell nothing of this one's. */
  self->n_intervals = 0;
  self->last_keyframe = pts;
  self->candidate = AMS_TIME_NONE;
  self->all_keys = all_keys;
}

void
ams_cutter_cut (AmsCutter *self, gint64 pts)
{
  begin_segment (self, pts);
  /* What is before, an outage perhaps, is no interval of keyframes. */
  self->last_keyframe = pts;
  self->forced = FALSE;
}

void
ams_cutter_drop_candidate (AmsCutter *self)
{
  self->candidate = AMS_TIME_NONE;
}

gboolean
ams_cutter_breaks_promise (AmsCutter *self, gint64 end)
{
  return breaks_promise (self, end);
}

gboolean
ams_cutter_is_forced (AmsCutter *self)
{
  return self->forced;
}

gint64
ams_cutter_get_due (AmsCutter *self)
{
  return self->due;
}

gint64
ams_cutter_get_segment_start (AmsCutter *self)
{
  return self->start;
}

gint64
ams_cutter_get_candidate (AmsCutter *self)
{
  return self->candidate;
}
