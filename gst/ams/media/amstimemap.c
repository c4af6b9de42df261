/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amstimemap.h"

#include "media/amstimejudge.h"

#include <string.h>

#define INPUT_LIMIT (G_GINT64_CONSTANT (1) << 61)
#define MAX_THRESHOLD (G_GINT64_CONSTANT (1) << 60)
#define MAX_DOUBTED AMS_TIME_TRACK_MAX_DOUBTED

struct _AmsTimeMap
{
  AmsTimeTracks all;
  GArray *placed; /* AmsTimeMapPlaced, handed back up to @n_taken */
  guint n_taken;
};

AmsTimeMap *
ams_time_map_new (gint64 threshold)
{
  AmsTimeMap *self = g_new0 (AmsTimeMap, 1);

  self->all.threshold = CLAMP (threshold, 0, MAX_THRESHOLD);
  self->all.tracks = g_array_new (FALSE, TRUE, sizeof (AmsTimeTrack));
  self->placed = g_array_new (FALSE, TRUE, sizeof (AmsTimeMapPlaced));
  return self;
}

void
ams_time_map_free (AmsTimeMap *self)
{
  g_array_unref (self->all.tracks);
  g_array_unref (self->placed);
  g_free (self);
}

static AmsTimeTrack *
get_track (AmsTimeMap *self, guint i)
{
  return &g_array_index (self->all.tracks, AmsTimeTrack, i);
}

guint
ams_time_map_add_track (AmsTimeMap *self)
{
  AmsTimeTrack *track;

  g_array_set_size (self->all.tracks, self->all.tracks->len + 1);
  track = get_track (self, self->all.tracks->len - 1);
  ams_time_track_init (track);
  return self->all.tracks->len - 1;
}

/* Places. */

static void
emit (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in,
    gint64 time, const AmsTimeMapPlaced *how)
{
  AmsTimeMapPlaced placed = *how;
  gint64 floor = -AMS_TIME_LIMIT;

  if (track->begun && in->reorders)
    floor = ams_time_difference (track->high, AMS_TIME_MAP_REORDERING);
  else if (track->begun)
    floor = ams_time_sum (track->high, AMS_TIME_MAP_TICK);
  placed.time = MAX (time, floor);
  placed.track = track - &g_array_index (self->all.tracks, AmsTimeTrack, 0);
  placed.unit = in->unit;
  if (in->time != AMS_TIME_NONE)
    placed.offset = placed.time - in->time;
  placed.jump |= track->expect_jump;
  g_array_append_val (self->placed, placed);

  if (!track->begun) {
    track->first = track->high = track->position = placed.time;
    track->first_arrival = track->arrival = in->arrival;
  }
  track->begun = TRUE;
  track->expect_jump = FALSE;
  track->high = MAX (track->high, placed.time);
}

/* A unit without a time of its own, or with one that is not believed. */
static void
emit_guessed (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in,
    gint64 time)
{
  AmsTimeMapPlaced how = { 0 };

  how.bad = in->time != AMS_TIME_NONE;
  if (how.bad)
    how.reason = "its time is not believed";
  emit (self, track, in, time, &how);
  track->position = MAX (track->position, time);
  track->learnt_at = AMS_TIME_NONE;
}

static void
emit_missing (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in)
{
  const AmsTimeTrack *other = ams_time_tracks_leading_other (&self->all, track);
  gint64 time = 0;

  ams_time_track_take_duration (track, in->duration);
  if (track->begun)
    time = ams_time_sum (track->position, track->step);
  else if (other != NULL)
    time = ams_time_track_get_end (other);
  emit_guessed (self, track, in, time);
  if (in->time == AMS_TIME_NONE)
    track->arrival = in->arrival;
}

static void
note_offset (AmsTimeTrack *track, const AmsTimeVerdict *verdict)
{
  if (verdict->returned)
    track->before = AMS_TIME_NONE;
  else if (verdict->moved && verdict->offset != track->offset)
    track->before = track->offset;
  else if (track->before != AMS_TIME_NONE) /* a wrap moves both */
    track->before = ams_time_sum (track->before,
        ams_time_difference (verdict->offset, track->offset));
  track->offset = verdict->offset;
}

static void
emit_believed (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in,
    const AmsTimeVerdict *verdict)
{
  gint64 time = ams_time_sum (in->time, verdict->offset);
  gint64 from = track->begun ? track->position : time;
  AmsTimeMapPlaced how = { 0 };

  how.hole = verdict->hole;
  how.jump = verdict->moved || (verdict->hole > 0 && in->discont);
  how.reason = verdict->reason;
  if (track->learnt_at != AMS_TIME_NONE && !verdict->moved)
    ams_time_track_learn_step (track,
        ams_time_difference (time, track->learnt_at));
  ams_time_track_take_duration (track, in->duration);
  if (verdict->hole > 0)
    track->widest = ams_time_difference (time, from);
  emit (self, track, in, time, &how);
  if (verdict->moved || verdict->hole > 0)
    track->resumed_at = time;
  note_offset (track, verdict);
  track->anchored = TRUE;
  track->previous =
      verdict->moved || verdict->late || from == time ? AMS_TIME_NONE : from;
  track->position = verdict->moved || verdict->late ? time : MAX (from, time);
  track->learnt_at = time;
  track->arrival = in->arrival;
}

/* The first unit with a time. */
static void
begin (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in)
{
  AmsTimeVerdict verdict;

  ams_time_track_take_duration (track, in->duration);
  verdict = ams_time_judge_first (&self->all, track, in);
  emit_believed (self, track, in, &verdict);
}

static void
resolve (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in)
{
  AmsTimeVerdict verdict;

  if (in->time == AMS_TIME_NONE || !track->anchored) {
    emit_missing (self, track, in);
    return;
  }
  verdict = ams_time_judge_finally (&self->all, track, in);
  emit_believed (self, track, in, &verdict);
}

/* Doubt. */

static gboolean
lies_between (const AmsTimeTrack *track, const AmsTimeMapInput *in, gint64 next)
{
  gint64 at;

  if (in->time == AMS_TIME_NONE)
    return FALSE;
  at = ams_time_sum (in->time, track->offset);
  return at > track->position && at < next;
}

/* @n units, of which @in is the first, lie between the last one that has a
 * place and one at @next. */
static void
place_between (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in,
    gint64 next, guint n)
{
  gint64 step = track->step;

  if (lies_between (track, in, next)) {
    resolve (self, track, in);
    return;
  }
  if (!track->reorders)
    step =
        CLAMP (ams_time_difference (next, track->position) / (n + 1), 0, step);
  emit_guessed (self, track, in, ams_time_sum (track->position, step));
}

static guint
take_doubted (AmsTimeTrack *track, AmsTimeMapInput *doubted)
{
  guint n = track->n_doubted;

  memcpy (doubted, track->doubted, n * sizeof doubted[0]);
  track->n_doubted = 0;
  return n;
}

static void consider (AmsTimeMap *self, AmsTimeTrack *track,
    const AmsTimeMapInput *in);

/* All that are doubted lie before @next. */
static void
settle_before (AmsTimeMap *self, AmsTimeTrack *track, gint64 next)
{
  AmsTimeMapInput doubted[MAX_DOUBTED + 1];
  guint n = take_doubted (track, doubted);

  for (guint i = 0; i < n; i++)
    place_between (self, track, &doubted[i], next, n - i);
}

/* The @at-th of those that are doubted is right. */
static void
settle_at (AmsTimeMap *self, AmsTimeTrack *track, guint at)
{
  AmsTimeMapInput doubted[MAX_DOUBTED + 1];
  guint n = take_doubted (track, doubted);
  gint64 next = ams_time_sum (doubted[at].time, track->offset);

  for (guint i = 0; i < at; i++)
    place_between (self, track, &doubted[i],
        next > track->position ? next : AMS_TIME_LIMIT, at - i);
  resolve (self, track, &doubted[at]);
  for (guint i = at + 1; i < n; i++)
    consider (self, track, &doubted[i]);
}

static void
doubt (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in)
{
  track->doubted[track->n_doubted++] = *in;
  if (track->n_doubted > MAX_DOUBTED)
    settle_at (self, track, 0);
}

/* Whether @time is one of the next units after @doubted. The same time again
 * proves nothing. */
static gboolean
follows_doubted (AmsTimeMap *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *doubted, gint64 time, guint n)
{
  for (gint turn = -1; turn <= 1; turn++) {
    gint64 at = ams_time_sum (time, turn * AMS_TIME_MAP_WRAP);

    if (ams_time_track_continues (track, self->all.threshold, doubted->time, at,
            n) &&
        (track->reorders ? at != doubted->time : at > doubted->time))
      return TRUE;
  }
  return FALSE;
}

/* Which of those that are doubted @in follows, the last of these; else -1. */
static gint
find_confirmed (AmsTimeMap *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in)
{
  for (guint i = track->n_doubted; i > 0; i--) {
    const AmsTimeMapInput *doubted = &track->doubted[i - 1];

    if (doubted->time != AMS_TIME_NONE &&
        follows_doubted (self, track, doubted, in->time,
            track->n_doubted - i + 1))
      return i - 1;
  }
  return -1;
}

/* A step forward that is confirmed by a further one. */
static gboolean
is_forward (const AmsTimeTrack *track, const AmsTimeMapInput *doubted,
    const AmsTimeMapInput *in)
{
  return doubted->time <= in->time &&
      ams_time_sum (doubted->time, track->offset) > track->position;
}

static void
consider_after_doubted (AmsTimeMap *self, AmsTimeTrack *track,
    const AmsTimeMapInput *in)
{
  gint confirmed = find_confirmed (self, track, in);
  AmsTimeVerdict verdict =
      ams_time_judge (&self->all, track, in, track->n_doubted + 1);

  if (confirmed >= 0 && !verdict.believed)
    settle_at (self, track, confirmed);
  else if (verdict.believed)
    settle_before (self, track, ams_time_sum (in->time, verdict.offset));
  else {
    doubt (self, track, in);
    return;
  }
  consider (self, track, in);
}

static void
consider (AmsTimeMap *self, AmsTimeTrack *track, const AmsTimeMapInput *in)
{
  AmsTimeVerdict verdict;

  if (in->time == AMS_TIME_NONE && track->n_doubted == 0) {
    emit_missing (self, track, in);
  } else if (in->time == AMS_TIME_NONE) {
    doubt (self, track, in);
  } else if (!track->anchored) {
    begin (self, track, in);
  } else if (track->expect_jump) {
    resolve (self, track, in);
  } else if (track->n_doubted > 0) {
    consider_after_doubted (self, track, in);
  } else {
    verdict = ams_time_judge (&self->all, track, in, 1);
    if (verdict.believed)
      emit_believed (self, track, in, &verdict);
    else
      doubt (self, track, in);
  }
}

/* Other tracks have come to where a unit that is doubted says to be. */
static void
settle_reached (AmsTimeMap *self)
{
  for (guint i = 0; i < self->all.tracks->len; i++) {
    AmsTimeTrack *track = get_track (self, i);

    if (track->n_doubted > 0 &&
        ams_time_judge_is_reached (&self->all, track, &track->doubted[0]))
      settle_at (self, track, 0);
  }
}

void
ams_time_map_add (AmsTimeMap *self, const AmsTimeMapInput *input, guint i)
{
  AmsTimeTrack *track = get_track (self, i);
  AmsTimeMapInput in = *input;

  if (in.time < -INPUT_LIMIT || in.time > INPUT_LIMIT)
    in.time = AMS_TIME_NONE;
  in.arrival = ams_time_bound (in.arrival);
  track->reorders = in.reorders;
  consider (self, track, &in);
  settle_reached (self);
}

gboolean
ams_time_map_next (AmsTimeMap *self, AmsTimeMapPlaced *placed)
{
  if (self->n_taken == self->placed->len) {
    g_array_set_size (self->placed, 0);
    self->n_taken = 0;
    return FALSE;
  }
  *placed = g_array_index (self->placed, AmsTimeMapPlaced, self->n_taken++);
  return TRUE;
}

/* Ends. */

static gint64
get_deadline (const AmsTimeTrack *track)
{
  return ams_time_sum (track->doubted[0].arrival, AMS_TIME_MAP_DOUBT);
}

void
ams_time_map_tick (AmsTimeMap *self, gint64 now)
{
  for (guint i = 0; i < self->all.tracks->len; i++) {
    AmsTimeTrack *track = get_track (self, i);

    while (track->n_doubted > 0 && get_deadline (track) <= now)
      settle_at (self, track, 0);
  }
}

gint64
ams_time_map_get_deadline (AmsTimeMap *self)
{
  gint64 deadline = AMS_TIME_NONE;

  for (guint i = 0; i < self->all.tracks->len; i++) {
    const AmsTimeTrack *track = get_track (self, i);

    if (track->n_doubted > 0 &&
        (deadline == AMS_TIME_NONE || get_deadline (track) < deadline))
      deadline = get_deadline (track);
  }
  return deadline;
}

static gboolean
is_right_at_end (AmsTimeMap *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in, const AmsTimeMapInput *next)
{
  return ams_time_judge (&self->all, track, in, 1).believed ||
      ams_time_judge_is_hole_at_end (&self->all, track, in) ||
      (next != NULL && next->time != AMS_TIME_NONE &&
          is_forward (track, in, next));
}

void
ams_time_map_end_track (AmsTimeMap *self, guint i)
{
  AmsTimeTrack *track = get_track (self, i);
  AmsTimeMapInput doubted[MAX_DOUBTED + 1];
  guint n = take_doubted (track, doubted);

  for (guint j = 0; j < n; j++) {
    const AmsTimeMapInput *next = j + 1 < n ? &doubted[j + 1] : NULL;

    if (doubted[j].time != AMS_TIME_NONE &&
        is_right_at_end (self, track, &doubted[j], next))
      resolve (self, track, &doubted[j]);
    else
      emit_missing (self, track, &doubted[j]);
  }
}

void
ams_time_map_expect_jump (AmsTimeMap *self, guint i)
{
  AmsTimeTrack *track = get_track (self, i);

  ams_time_map_end_track (self, i);
  track->expect_jump = track->begun;
}

gint64
ams_time_map_get_offset (AmsTimeMap *self, guint i)
{
  return get_track (self, i)->offset;
}
