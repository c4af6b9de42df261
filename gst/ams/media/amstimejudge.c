/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amstimejudge.h"

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)

/* A longer hole than this that nothing confirms is a bogus leap. */
#define LONGEST_HOLE (3600 * SECOND)

/* A step forward by less is not worth a second look. */
#define JITTER (100 * MS)

/* How far from the others a track may begin. */
#define BEGINS_WITHIN (10 * SECOND)

/* How far the clock of a stream may have wrapped. */
static const gint64 turns[] = { 0, AMS_TIME_MAP_WRAP, -AMS_TIME_MAP_WRAP };

static gboolean
continues (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 from,
    gint64 to, guint n)
{
  return ams_time_track_continues (track, self->threshold, from, to, n);
}

/* Other tracks. */

/* Whether another track is at @time, but for @slack. */
static gboolean
others_reach (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 time,
    gint64 slack)
{
  const AmsTimeTrack *leading = ams_time_tracks_leading_other (self, track);

  return leading != NULL &&
      ams_time_track_get_end (leading) >= ams_time_difference (time, slack);
}

static gint64
earliest_other (const AmsTimeTracks *self, const AmsTimeTrack *track)
{
  gint64 earliest = AMS_TIME_LIMIT;

  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsTimeTrack *other = ams_time_tracks_get (self, i);

    if (other != track && other->begun)
      earliest = MIN (earliest, other->first);
  }
  return earliest;
}

/* Beginnings. */

/* Takes @offset, or one that is a wrap from it, for @best if it brings @time
 * behind @low and closer to @position. */
static void
choose_offset (gint64 offset, gint64 time, gint64 low, gint64 position,
    gint64 *best)
{
  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    gint64 turned = ams_time_sum (offset, turns[i]);
    gint64 at = ams_time_sum (time, turned);
    gint64 off = ABS (ams_time_difference (at, position));

    if (at < low || at > ams_time_sum (position, BEGINS_WITHIN))
      continue;
    if (*best == AMS_TIME_NONE ||
        off < ABS (ams_time_difference (ams_time_sum (time, *best), position)))
      *best = turned;
  }
}

static gint64
begin_beside (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in, const AmsTimeTrack *leading,
    const gchar **reason)
{
  gboolean paced = ams_time_track_is_paced (leading, in->arrival);
  gint64 position = ams_time_track_get_end (leading), low, best = AMS_TIME_NONE;

  low = paced ? position : earliest_other (self, track);
  low = ams_time_difference (low, BEGINS_WITHIN);
  if (paced)
    position = ams_time_sum (position,
        ams_time_elapsed (leading->arrival, in->arrival));
  choose_offset (0, in->time, low, position, &best);
  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsTimeTrack *other = ams_time_tracks_get (self, i);

    if (other != track && other->anchored)
      choose_offset (other->offset, in->time, low, position, &best);
  }
  *reason = "it begins where its time says";
  if (best != AMS_TIME_NONE)
    return best;
  *reason = "it begins far from the others: its arrival decides";
  if (track->begun)
    position = ams_time_sum (track->position, track->step);
  return ams_time_difference (position, in->time);
}

AmsTimeVerdict
ams_time_judge_first (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in)
{
  const AmsTimeTrack *leading = ams_time_tracks_leading_other (self, track);
  AmsTimeVerdict verdict = { .believed = TRUE };

  if (leading != NULL)
    verdict.offset = begin_beside (self, track, in, leading, &verdict.reason);
  else if (track->begun &&
      !continues (self, track, track->position, in->time, 1))
    verdict.offset = ams_time_difference (
        ams_time_sum (track->position, track->step), in->time);
  return verdict;
}

/* Single units. */

static AmsTimeVerdict
believe (const AmsTimeTrack *track, gint64 offset, const gchar *reason)
{
  AmsTimeVerdict verdict = { .believed = TRUE,
    .offset = offset,
    .reason = reason };

  if (offset != track->offset && reason == NULL)
    verdict.reason = "the 33-bit clock has wrapped";
  return verdict;
}

/* The source has returned to the times before its last jump. Where a stream
 * begins anew, demuxers time the first units by the old clock reference. */
static gboolean
has_returned (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 time,
    guint n)
{
  return track->before != AMS_TIME_NONE &&
      continues (self, track, track->position,
          ams_time_sum (time, track->before), n);
}

/* The unit before was ahead of its time, by too little to be doubted, and this
 * one goes on where that one should have been. */
static gboolean
was_ahead (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 at)
{
  gint64 step;

  if (track->previous == AMS_TIME_NONE)
    return FALSE;
  step = ams_time_difference (track->position, track->previous);
  return step > 2 * track->step + JITTER &&
      ams_time_difference (track->position, at) <= 2 * self->threshold &&
      continues (self, track, track->previous, at, 2);
}

/* A step forward to @at that is so clearly a hole that the next unit need not
 * be waited for: the clock or another track says so. */
static const gchar *
confirm_at_once (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in, gint64 at)
{
  gint64 step = ams_time_difference (at, track->position);
  gint64 elapsed = ams_time_elapsed (track->arrival, in->arrival);

  if (step <= ams_time_sum (track->step, self->threshold))
    return NULL;
  if (ABS (ams_time_difference (elapsed, step)) <=
      MIN (self->threshold, step / 2))
    return "a hole: the clock agrees";
  if (others_reach (self, track, at, MIN (self->threshold, step / 4)))
    return "a hole: another track is there already";
  return NULL;
}

static AmsTimeVerdict
judge_hole (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 at,
    gint64 offset, const gchar *reason)
{
  AmsTimeVerdict verdict = believe (track, offset, reason);
  gint64 hole =
      ams_time_difference (at, ams_time_sum (track->position, track->step));

  verdict.hole = hole > self->threshold ? hole : 0;
  return verdict;
}

AmsTimeVerdict
ams_time_judge (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in, guint n)
{
  AmsTimeVerdict doubt = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    gint64 offset = ams_time_sum (track->offset, turns[i]);

    if (continues (self, track, track->position,
            ams_time_sum (in->time, offset), n))
      return believe (track, offset, NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    gint64 offset = ams_time_sum (track->offset, turns[i]);
    gint64 at = ams_time_sum (in->time, offset);
    const gchar *reason = confirm_at_once (self, track, in, at);

    if (reason != NULL)
      return judge_hole (self, track, at, offset, reason);
  }
  if (has_returned (self, track, in->time, n)) {
    AmsTimeVerdict verdict =
        believe (track, track->before, "it returns to the times of before");

    verdict.returned = TRUE;
    return verdict;
  }
  if (was_ahead (self, track, ams_time_sum (in->time, track->offset))) {
    AmsTimeVerdict verdict =
        believe (track, track->offset, "the unit before it was ahead");

    verdict.late = TRUE;
    return verdict;
  }
  return doubt;
}

/* Jumps. */

/* A live source whose media would run ahead of the clock. */
static gboolean
clock_contradicts (const AmsTimeTracks *self, const AmsTimeTrack *track,
    gint64 at, gint64 arrival)
{
  gint64 step = ams_time_difference (at, track->position);
  gint64 elapsed = ams_time_elapsed (track->arrival, arrival);

  return ams_time_track_is_paced (track, track->arrival) &&
      elapsed < step / 2 &&
      ams_time_difference (step, elapsed) > self->threshold &&
      ams_time_difference (at, track->first) >
      ams_time_sum (ams_time_elapsed (track->first_arrival, arrival),
          self->threshold);
}

/* Why a step forward to @at is kept; NULL: it is not. */
static const gchar *
confirm_hole (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 at,
    gint64 arrival)
{
  gint64 step = ams_time_difference (at, track->position);
  gint64 elapsed = ams_time_elapsed (track->arrival, arrival);

  if (ABS (ams_time_difference (elapsed, step)) <= self->threshold)
    return "a hole: the clock agrees";
  if (others_reach (self, track, at, self->threshold))
    return "a hole: another track is there already";
  if (step <= LONGEST_HOLE && !clock_contradicts (self, track, at, arrival))
    return "a hole: nothing speaks against it";
  return NULL;
}

/* Another track's offset that brings @time between @expected and @resumed. */
static gboolean
adopt_offset (const AmsTimeTracks *self, const AmsTimeTrack *track, gint64 time,
    gint64 expected, gint64 resumed, gint64 *offset)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsTimeTrack *other = ams_time_tracks_get (self, i);
    gint64 at = ams_time_sum (time, other->offset);

    if (other != track && other->anchored && other->offset != track->offset &&
        at >= ams_time_difference (expected, self->threshold) &&
        at <= ams_time_sum (resumed, self->threshold)) {
      *offset = other->offset;
      return TRUE;
    }
  }
  return FALSE;
}

/* Where the clock says that @track goes on. A unit from before an outage that only came
 * behind it hides how long that was; a track that is back tells. */
static gint64
get_resumed (const AmsTimeTracks *self, const AmsTimeTrack *track,
    gint64 arrival)
{
  gint64 end = ams_time_track_get_end (track);
  gint64 resumed =
      ams_time_sum (end, ams_time_elapsed (track->arrival, arrival));

  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsTimeTrack *other = ams_time_tracks_get (self, i);

    if (other != track &&
        other->resumed_at > ams_time_sum (end, self->threshold))
      resumed = MAX (resumed,
          ams_time_sum (ams_time_track_get_end (other),
              ams_time_elapsed (other->arrival, arrival)));
  }
  return resumed;
}

static AmsTimeVerdict
judge_jump (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in)
{
  gint64 expected = ams_time_sum (ams_time_track_get_end (track), track->step);
  gint64 resumed = get_resumed (self, track, in->arrival);
  AmsTimeVerdict verdict = { .believed = TRUE, .moved = TRUE };

  /* Less is no outage, only jitter. */
  if (resumed <= ams_time_sum (expected, self->threshold))
    resumed = expected;
  if (adopt_offset (self, track, in->time, expected, resumed, &verdict.offset))
    verdict.reason = "a jump: moved as another track was";
  else {
    verdict.offset = ams_time_difference (resumed, in->time);
    verdict.reason = resumed > expected
        ? "a jump: moved to where the clock says"
        : "a jump: moved to where the track was";
  }
  return verdict;
}

AmsTimeVerdict
ams_time_judge_finally (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in)
{
  gint64 at = ams_time_sum (in->time, track->offset);
  AmsTimeVerdict verdict = ams_time_judge (self, track, in, 1);
  const gchar *reason;

  if (verdict.believed &&
      !(track->expect_jump &&
          ams_time_sum (in->time, verdict.offset) <=
              ams_time_track_get_end (track)))
    return verdict;
  if (at > ams_time_sum (track->position, track->step)) {
    reason = confirm_hole (self, track, at, in->arrival);
    if (reason != NULL)
      return judge_hole (self, track, at, track->offset, reason);
  }
  return judge_jump (self, track, in);
}

gboolean
ams_time_judge_is_reached (const AmsTimeTracks *self, const AmsTimeTrack *track,
    const AmsTimeMapInput *in)
{
  gint64 at = ams_time_sum (in->time, track->offset);

  return at > track->position && others_reach (self, track, at, 0);
}

gboolean
ams_time_judge_is_hole_at_end (const AmsTimeTracks *self,
    const AmsTimeTrack *track, const AmsTimeMapInput *in)
{
  gint64 at = ams_time_sum (in->time, track->offset);
  gint64 step = ams_time_difference (at, track->position);

  if (at <= track->position)
    return FALSE;
  return step / 2 <= track->widest ||
      ABS (ams_time_difference (ams_time_elapsed (track->arrival, in->arrival),
          step)) <= self->threshold ||
      others_reach (self, track, at, self->threshold);
}
