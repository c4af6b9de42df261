/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amstimemap.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)

/* Every time, offset and arrival is kept within ± this, so that the sum or the
 * difference of two does not overflow. */
#define LIMIT ((G_GINT64_CONSTANT (1) << 62) - 1)
#define INPUT_LIMIT (G_GINT64_CONSTANT (1) << 61)

/* A longer hole than this that nothing confirms is a bogus leap. */
#define LONGEST_HOLE (3600 * SECOND)

/* The step that is expected where nothing is known. */
#define USUAL_STEP (40 * MS)
#define LONGEST_STEP SECOND

/* A step back of up to this is jitter. */
#define JITTER (100 * MS)

/* How far from the others a track may begin. */
#define BEGINS_WITHIN (10 * SECOND)

/* A source is live when its media is, after this, not much ahead of the clock. */
#define PACED_AFTER (2 * SECOND)

#define N_STEPS 7
#define MAX_DOUBTED 3

typedef struct
{
  gboolean begun; /* a unit has a place */
  gboolean anchored; /* @offset is known: a unit with a time has a place */
  gboolean expect_jump;
  gboolean reorders;
  gint64 offset;
  gint64 before; /* the offset before the last jump, or AMS_TIME_NONE */

  gint64 first; /* the place and the arrival of the first unit */
  gint64 first_arrival;
  /* Where the times have come to since the last jump; @high is later where
   * units were pushed forward to keep their order. */
  gint64 position;
  gint64 previous; /* @position before the last unit */
  gint64 high; /* the last place */
  gint64 arrival; /* of the last unit whose time was believed */
  gint64 widest; /* the last step across a hole */

  gint64 steps[N_STEPS]; /* those up to LONGEST_STEP, a ring */
  guint n_steps;
  guint next_step;
  gint64 step; /* typical */
  gint64 learnt_at; /* the time from which the next step counts, or NONE */

  AmsTimeMapInput doubted[MAX_DOUBTED + 1];
  guint n_doubted;
} Track;

struct _AmsTimeMap
{
  gint64 threshold;
  GArray *tracks; /* Track */
  GArray *placed; /* AmsTimeMapPlaced, handed back up to @n_taken */
  guint n_taken;
};

/* What a time is taken to mean. */
typedef struct
{
  gboolean believed;
  gint64 offset;
  gint64 hole;
  gboolean moved; /* it does not continue what was before */
  gboolean returned; /* to the times before the last jump */
  gboolean late; /* what is before it was too far ahead */
  const gchar *reason;
} Verdict;

AmsTimeMap *
ams_time_map_new (gint64 threshold)
{
  AmsTimeMap *self = g_new0 (AmsTimeMap, 1);

  self->threshold = CLAMP (threshold, 0, LONGEST_HOLE);
  self->tracks = g_array_new (FALSE, TRUE, sizeof (Track));
  self->placed = g_array_new (FALSE, TRUE, sizeof (AmsTimeMapPlaced));
  return self;
}

void
ams_time_map_free (AmsTimeMap *self)
{
  g_array_unref (self->tracks);
  g_array_unref (self->placed);
  g_free (self);
}

static Track *
get_track (AmsTimeMap *self, guint i)
{
  return &g_array_index (self->tracks, Track, i);
}

guint
ams_time_map_add_track (AmsTimeMap *self)
{
  Track *track;

  g_array_set_size (self->tracks, self->tracks->len + 1);
  track = get_track (self, self->tracks->len - 1);
  track->before = track->previous = track->learnt_at = AMS_TIME_NONE;
  track->step = USUAL_STEP;
  return self->tracks->len - 1;
}

static gint64
bound (gint64 time)
{
  return CLAMP (time, -LIMIT, LIMIT);
}

static gint64
sum (gint64 a, gint64 b)
{
  return bound (a + b);
}

static gint64
difference (gint64 a, gint64 b)
{
  return bound (a - b);
}

static gint64
elapsed_since (gint64 then, gint64 now)
{
  return MAX (difference (now, then), 0);
}

static gint64
line_end (const Track *track)
{
  return MAX (track->position, track->high);
}

/* Steps. */

static gint64
median_step (const Track *track)
{
  gint64 sorted[N_STEPS];

  for (guint i = 0; i < track->n_steps; i++) {
    guint at = i;

    for (; at > 0 && sorted[at - 1] > track->steps[i]; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = track->steps[i];
  }
  return sorted[track->n_steps / 2];
}

/* Reordered pictures step forth and back by multiples of the true step. */
static gint64
least_step (const Track *track)
{
  gint64 least = track->steps[0];

  for (guint i = 1; i < track->n_steps; i++)
    least = MIN (least, track->steps[i]);
  return least;
}

static void
learn_step (Track *track, gint64 step)
{
  if (track->reorders)
    step = ABS (step);
  if (step <= 0 || step > LONGEST_STEP)
    return;
  track->steps[track->next_step] = step;
  track->next_step = (track->next_step + 1) % N_STEPS;
  track->n_steps = MIN (track->n_steps + 1, N_STEPS);
  track->step = track->reorders ? least_step (track) : median_step (track);
}

static void
take_duration (Track *track, gint64 duration)
{
  if (track->n_steps == 0 && duration > 0 && duration <= LONGEST_STEP)
    track->step = duration;
}

/* Other tracks. */

/* The one that is furthest, or NULL. */
static Track *
leading_other (AmsTimeMap *self, const Track *track)
{
  Track *leading = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    Track *other = get_track (self, i);

    if (other != track && other->begun &&
        (leading == NULL || line_end (other) > line_end (leading)))
      leading = other;
  }
  return leading;
}

/* Whether another track is at @time, but for @slack. */
static gboolean
others_reach (AmsTimeMap *self, const Track *track, gint64 time, gint64 slack)
{
  const Track *leading = leading_other (self, track);

  return leading != NULL && line_end (leading) >= difference (time, slack);
}

/* Whether the source delivers at the speed of the clock. */
static gboolean
is_paced (const Track *track, gint64 now)
{
  gint64 elapsed = elapsed_since (track->first_arrival, now);

  return track->begun && elapsed >= PACED_AFTER &&
      difference (track->position, track->first) <=
      sum (elapsed, elapsed / 2 + SECOND);
}

/* Places. */

static void
emit (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in, gint64 time,
    const AmsTimeMapPlaced *how)
{
  AmsTimeMapPlaced placed = *how;
  gint64 floor = -LIMIT;

  if (track->begun && in->reorders)
    floor = difference (track->high, AMS_TIME_MAP_REORDERING);
  else if (track->begun)
    floor = sum (track->high, AMS_TIME_MAP_TICK);
  placed.time = MAX (time, floor);
  placed.track = track - &g_array_index (self->tracks, Track, 0);
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
emit_guessed (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in,
    gint64 time)
{
  AmsTimeMapPlaced how = { 0 };

  how.bad = in->time != AMS_TIME_NONE;
  if (how.bad)
    how.reason = "its time is not believed, the next unit's is";
  emit (self, track, in, time, &how);
  track->position = MAX (track->position, time);
  track->learnt_at = AMS_TIME_NONE;
}

static void
emit_missing (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in)
{
  const Track *other = leading_other (self, track);
  gint64 time = 0;

  take_duration (track, in->duration);
  if (track->begun)
    time = sum (track->position, track->step);
  else if (other != NULL)
    time = line_end (other);
  emit_guessed (self, track, in, time);
  if (in->time == AMS_TIME_NONE)
    track->arrival = in->arrival;
}

static void
note_offset (Track *track, const Verdict *verdict)
{
  if (verdict->returned)
    track->before = AMS_TIME_NONE;
  else if (verdict->moved && verdict->offset != track->offset)
    track->before = track->offset;
  else if (track->before != AMS_TIME_NONE) /* a wrap moves both */
    track->before =
        sum (track->before, difference (verdict->offset, track->offset));
  track->offset = verdict->offset;
}

static void
emit_believed (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in,
    const Verdict *verdict)
{
  gint64 time = sum (in->time, verdict->offset);
  gint64 from = track->position;
  AmsTimeMapPlaced how = { 0 };

  how.hole = verdict->hole;
  how.jump = verdict->moved || (verdict->hole > 0 && in->discont);
  how.reason = verdict->reason;
  if (track->learnt_at != AMS_TIME_NONE && !verdict->moved)
    learn_step (track, difference (time, track->learnt_at));
  take_duration (track, in->duration);
  if (verdict->hole > 0)
    track->widest = difference (time, from);
  emit (self, track, in, time, &how);
  note_offset (track, verdict);
  track->anchored = TRUE;
  track->previous = verdict->moved || verdict->late ? AMS_TIME_NONE : from;
  track->position = verdict->moved || verdict->late ? time : MAX (from, time);
  track->learnt_at = time;
  track->arrival = in->arrival;
}

/* Beginnings. */

static void
choose_offset (gint64 offset, gint64 time, gint64 low, gint64 position,
    gint64 *best)
{
  gint64 at = sum (time, offset), off = ABS (difference (at, position));

  if (at < low || at > sum (position, BEGINS_WITHIN))
    return;
  if (*best == AMS_TIME_NONE ||
      off < ABS (difference (sum (time, *best), position)))
    *best = offset;
}

static gint64
earliest_other (AmsTimeMap *self, const Track *track)
{
  gint64 earliest = LIMIT;

  for (guint i = 0; i < self->tracks->len; i++) {
    const Track *other = get_track (self, i);

    if (other != track && other->begun)
      earliest = MIN (earliest, other->first);
  }
  return earliest;
}

static gint64
begin_beside (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in,
    const Track *leading, const gchar **reason)
{
  gboolean paced = is_paced (leading, in->arrival);
  gint64 position = line_end (leading), low, best = AMS_TIME_NONE;

  low = paced ? position : earliest_other (self, track);
  low = difference (low, BEGINS_WITHIN);
  if (paced)
    position = sum (position, elapsed_since (leading->arrival, in->arrival));
  choose_offset (0, in->time, low, position, &best);
  for (guint i = 0; i < self->tracks->len; i++) {
    const Track *other = get_track (self, i);

    if (other != track && other->anchored)
      choose_offset (other->offset, in->time, low, position, &best);
  }
  *reason = "it begins where its time says";
  if (best != AMS_TIME_NONE)
    return best;
  *reason = "it begins far from the others: its arrival decides";
  if (track->begun)
    position = sum (track->position, track->step);
  return difference (position, in->time);
}

/* Whether @to is where the @n-th unit after the one at @from may lie. */
static gboolean
continues (AmsTimeMap *self, const Track *track, gint64 from, gint64 to,
    guint n)
{
  gint64 tolerance =
      track->reorders ? AMS_TIME_MAP_REORDERING : MAX (track->step, JITTER);

  return to >= difference (from, tolerance) &&
      to <= sum (from, n * track->step + self->threshold);
}

static void
begin (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in)
{
  const Track *leading = leading_other (self, track);
  Verdict verdict = { .believed = TRUE };

  take_duration (track, in->duration);
  if (leading != NULL)
    verdict.offset = begin_beside (self, track, in, leading, &verdict.reason);
  else if (track->begun &&
      !continues (self, track, track->position, in->time, 1))
    verdict.offset = difference (sum (track->position, track->step), in->time);
  emit_believed (self, track, in, &verdict);
}

/* Judgement of single units. */

static Verdict
believe (const Track *track, gint64 offset, const gchar *reason)
{
  Verdict verdict = { .believed = TRUE, .offset = offset, .reason = reason };

  if (offset != track->offset && reason == NULL)
    verdict.reason = "the 33-bit clock has wrapped";
  return verdict;
}

/* A source that returned to the times before its last jump: where a stream
 * begins anew, demuxers time the first units by the old clock reference. */
static gboolean
has_returned (AmsTimeMap *self, const Track *track, gint64 time, guint n)
{
  return track->before != AMS_TIME_NONE &&
      continues (self, track, track->position, sum (time, track->before), n);
}

/* The unit before was ahead of its time, by too little to be doubted, and this
 * one goes on where that one should have been. */
static gboolean
was_ahead (AmsTimeMap *self, const Track *track, gint64 at)
{
  gint64 step;

  if (track->previous == AMS_TIME_NONE)
    return FALSE;
  step = difference (track->position, track->previous);
  return step > 2 * track->step + JITTER &&
      difference (track->position, at) <= 2 * self->threshold &&
      continues (self, track, track->previous, at, 2);
}

/* Whether the clock or another track say that a step forward to @at is a hole,
 * so clearly that the next unit need not be waited for. */
static const gchar *
confirm_at_once (AmsTimeMap *self, const Track *track,
    const AmsTimeMapInput *in, gint64 at)
{
  gint64 step = difference (at, track->position);
  gint64 elapsed = elapsed_since (track->arrival, in->arrival);

  if (step <= sum (track->step, self->threshold))
    return NULL;
  if (ABS (difference (elapsed, step)) <= MIN (self->threshold, step / 2))
    return "a hole: the clock agrees";
  if (others_reach (self, track, at, MIN (self->threshold, step / 4)))
    return "a hole: another track is there already";
  return NULL;
}

static Verdict
judge_hole (AmsTimeMap *self, const Track *track, gint64 at, gint64 offset,
    const gchar *reason)
{
  Verdict verdict = believe (track, offset, reason);
  gint64 hole = difference (at, sum (track->position, track->step));

  verdict.hole = hole > self->threshold ? hole : 0;
  return verdict;
}

/* @n: which unit @in is after the last one that was believed. */
static Verdict
judge (AmsTimeMap *self, const Track *track, const AmsTimeMapInput *in, guint n)
{
  static const gint64 turns[] = { 0, AMS_TIME_MAP_WRAP, -AMS_TIME_MAP_WRAP };
  Verdict doubt = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    gint64 offset = sum (track->offset, turns[i]);

    if (continues (self, track, track->position, sum (in->time, offset), n))
      return believe (track, offset, NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    gint64 offset = sum (track->offset, turns[i]);
    gint64 at = sum (in->time, offset);
    const gchar *reason = confirm_at_once (self, track, in, at);

    if (reason != NULL)
      return judge_hole (self, track, at, offset, reason);
  }
  if (has_returned (self, track, in->time, n)) {
    Verdict verdict =
        believe (track, track->before, "it returns to the times of before");

    verdict.returned = TRUE;
    return verdict;
  }
  if (was_ahead (self, track, sum (in->time, track->offset))) {
    Verdict verdict =
        believe (track, track->offset, "the unit before it was ahead");

    verdict.late = TRUE;
    return verdict;
  }
  return doubt;
}

/* Jumps. */

/* A live source whose media would run ahead of the clock. */
static gboolean
clock_contradicts (AmsTimeMap *self, const Track *track, gint64 at,
    gint64 arrival)
{
  gint64 step = difference (at, track->position);
  gint64 elapsed = elapsed_since (track->arrival, arrival);

  return is_paced (track, track->arrival) && elapsed < step / 2 &&
      difference (step, elapsed) > self->threshold &&
      difference (at, track->first) >
      sum (elapsed_since (track->first_arrival, arrival), self->threshold);
}

static const gchar *
confirm_hole (AmsTimeMap *self, const Track *track, gint64 at, gint64 arrival)
{
  gint64 step = difference (at, track->position);
  gint64 elapsed = elapsed_since (track->arrival, arrival);

  if (ABS (difference (elapsed, step)) <= self->threshold)
    return "a hole: the clock agrees";
  if (others_reach (self, track, at, self->threshold))
    return "a hole: another track is there already";
  if (step <= LONGEST_HOLE && !clock_contradicts (self, track, at, arrival))
    return "a hole: nothing speaks against it";
  return NULL;
}

/* Another track's offset that brings @time between @expected and @resumed. */
static gboolean
adopt_offset (AmsTimeMap *self, const Track *track, gint64 time,
    gint64 expected, gint64 resumed, gint64 *offset)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    const Track *other = get_track (self, i);
    gint64 at = sum (time, other->offset);

    if (other != track && other->anchored && other->offset != track->offset &&
        at >= difference (expected, self->threshold) &&
        at <= sum (resumed, self->threshold)) {
      *offset = other->offset;
      return TRUE;
    }
  }
  return FALSE;
}

static Verdict
judge_jump (AmsTimeMap *self, const Track *track, const AmsTimeMapInput *in)
{
  gint64 expected = sum (line_end (track), track->step);
  gint64 resumed =
      sum (line_end (track), elapsed_since (track->arrival, in->arrival));
  Verdict verdict = { .believed = TRUE, .moved = TRUE };

  /* Less is no outage, only jitter. */
  if (resumed <= sum (expected, self->threshold))
    resumed = expected;
  if (adopt_offset (self, track, in->time, expected, resumed, &verdict.offset))
    verdict.reason = "a jump: moved as another track was";
  else {
    verdict.offset = difference (resumed, in->time);
    verdict.reason = resumed > expected
        ? "a jump: moved to where the clock says"
        : "a jump: moved to where the track was";
  }
  return verdict;
}

/* Nothing more will tell, or the next unit confirms it. */
static Verdict
judge_finally (AmsTimeMap *self, const Track *track, const AmsTimeMapInput *in)
{
  gint64 at = sum (in->time, track->offset);
  Verdict verdict = judge (self, track, in, 1);
  const gchar *reason;

  if (verdict.believed &&
      !(track->expect_jump &&
          sum (in->time, verdict.offset) <= line_end (track)))
    return verdict;
  if (at > sum (track->position, track->step)) {
    reason = confirm_hole (self, track, at, in->arrival);
    if (reason != NULL)
      return judge_hole (self, track, at, track->offset, reason);
  }
  return judge_jump (self, track, in);
}

static void
resolve (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in)
{
  Verdict verdict;

  if (in->time == AMS_TIME_NONE || !track->anchored) {
    emit_missing (self, track, in);
    return;
  }
  verdict = judge_finally (self, track, in);
  emit_believed (self, track, in, &verdict);
}

/* Doubt. */

static gboolean
lies_between (const Track *track, const AmsTimeMapInput *in, gint64 next)
{
  gint64 at;

  if (in->time == AMS_TIME_NONE)
    return FALSE;
  at = sum (in->time, track->offset);
  return at > track->position && at < next;
}

/* @n units, of which @in is the first, lie between the last one that has a
 * place and one at @next. */
static void
place_between (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in,
    gint64 next, guint n)
{
  gint64 step = track->step;

  if (lies_between (track, in, next)) {
    resolve (self, track, in);
    return;
  }
  if (!track->reorders)
    step = CLAMP (difference (next, track->position) / (n + 1), 0, step);
  emit_guessed (self, track, in, sum (track->position, step));
}

static guint
take_doubted (Track *track, AmsTimeMapInput *doubted)
{
  guint n = track->n_doubted;

  memcpy (doubted, track->doubted, n * sizeof doubted[0]);
  track->n_doubted = 0;
  return n;
}

static void consider (AmsTimeMap *self, Track *track,
    const AmsTimeMapInput *in);

/* The first @n of those that are doubted lie before @next. */
static void
settle_before (AmsTimeMap *self, Track *track, gint64 next)
{
  AmsTimeMapInput doubted[MAX_DOUBTED + 1];
  guint n = take_doubted (track, doubted);

  for (guint i = 0; i < n; i++)
    place_between (self, track, &doubted[i], next, n - i);
}

/* The @at-th of those that are doubted is right. */
static void
settle_at (AmsTimeMap *self, Track *track, guint at)
{
  AmsTimeMapInput doubted[MAX_DOUBTED + 1];
  guint n = take_doubted (track, doubted);
  gint64 next = sum (doubted[at].time, track->offset);

  for (guint i = 0; i < at; i++)
    place_between (self, track, &doubted[i],
        next > track->position ? next : LIMIT, at - i);
  resolve (self, track, &doubted[at]);
  for (guint i = at + 1; i < n; i++)
    consider (self, track, &doubted[i]);
}

static void
doubt (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in)
{
  track->doubted[track->n_doubted++] = *in;
  if (track->n_doubted > MAX_DOUBTED)
    settle_at (self, track, 0);
}

/* Whether @time is one of the next units after @doubted. The same time again
 * proves nothing. */
static gboolean
follows_doubted (AmsTimeMap *self, const Track *track,
    const AmsTimeMapInput *doubted, gint64 time, guint n)
{
  for (gint turn = -1; turn <= 1; turn++) {
    gint64 at = sum (time, turn * AMS_TIME_MAP_WRAP);

    if (continues (self, track, doubted->time, at, n) &&
        (track->reorders ? at != doubted->time : at > doubted->time))
      return TRUE;
  }
  return FALSE;
}

/* Which of those that are doubted @in follows, the last of these; else -1. */
static gint
find_confirmed (AmsTimeMap *self, const Track *track, const AmsTimeMapInput *in)
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
is_forward (const Track *track, const AmsTimeMapInput *doubted,
    const AmsTimeMapInput *in)
{
  return doubted->time <= in->time &&
      sum (doubted->time, track->offset) > track->position;
}

static void
consider_after_doubted (AmsTimeMap *self, Track *track,
    const AmsTimeMapInput *in)
{
  gint confirmed = find_confirmed (self, track, in);
  Verdict verdict = judge (self, track, in, track->n_doubted + 1);

  if (confirmed >= 0 &&
      (!verdict.believed || is_forward (track, &track->doubted[confirmed], in)))
    settle_at (self, track, confirmed);
  else if (verdict.believed)
    settle_before (self, track, sum (in->time, verdict.offset));
  else {
    doubt (self, track, in);
    return;
  }
  consider (self, track, in);
}

static void
consider (AmsTimeMap *self, Track *track, const AmsTimeMapInput *in)
{
  Verdict verdict;

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
    verdict = judge (self, track, in, 1);
    if (verdict.believed)
      emit_believed (self, track, in, &verdict);
    else
      doubt (self, track, in);
  }
}

void
ams_time_map_add (AmsTimeMap *self, const AmsTimeMapInput *input, guint i)
{
  Track *track = get_track (self, i);
  AmsTimeMapInput in = *input;

  if (in.time < -INPUT_LIMIT || in.time > INPUT_LIMIT)
    in.time = AMS_TIME_NONE;
  in.arrival = bound (in.arrival);
  track->reorders = in.reorders;
  consider (self, track, &in);
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
get_deadline (const Track *track)
{
  return sum (track->doubted[0].arrival, AMS_TIME_MAP_DOUBT);
}

void
ams_time_map_tick (AmsTimeMap *self, gint64 now)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    Track *track = get_track (self, i);

    while (track->n_doubted > 0 && get_deadline (track) <= now)
      settle_at (self, track, 0);
  }
}

gint64
ams_time_map_get_deadline (AmsTimeMap *self)
{
  gint64 deadline = AMS_TIME_NONE;

  for (guint i = 0; i < self->tracks->len; i++) {
    const Track *track = get_track (self, i);

    if (track->n_doubted > 0 &&
        (deadline == AMS_TIME_NONE || get_deadline (track) < deadline))
      deadline = get_deadline (track);
  }
  return deadline;
}

/* A hole before the last unit: confirmed, or one of several such. */
static gboolean
is_hole_at_end (AmsTimeMap *self, const Track *track, const AmsTimeMapInput *in)
{
  gint64 at = sum (in->time, track->offset);
  gint64 step = difference (at, track->position);

  if (at <= track->position)
    return FALSE;
  return step / 2 <= track->widest ||
      ABS (difference (elapsed_since (track->arrival, in->arrival), step)) <=
      self->threshold ||
      others_reach (self, track, at, self->threshold);
}

static gboolean
is_right_at_end (AmsTimeMap *self, const Track *track,
    const AmsTimeMapInput *in, const AmsTimeMapInput *next)
{
  return judge (self, track, in, 1).believed ||
      is_hole_at_end (self, track, in) ||
      (next != NULL && next->time != AMS_TIME_NONE &&
          is_forward (track, in, next));
}

void
ams_time_map_end_track (AmsTimeMap *self, guint i)
{
  Track *track = get_track (self, i);
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
  Track *track = get_track (self, i);

  ams_time_map_end_track (self, i);
  track->expect_jump = track->begun;
}

gint64
ams_time_map_get_offset (AmsTimeMap *self, guint i)
{
  return get_track (self, i)->offset;
}
