/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amstimetrack.h"

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)

/* The step that is expected where nothing is known. */
#define USUAL_STEP (40 * MS)
#define LONGEST_STEP SECOND

/* A step back of up to this is jitter. */
#define JITTER (100 * MS)

/* A source is live when its media is, after this, not much ahead of the clock. */
#define PACED_AFTER (2 * SECOND)

void
ams_time_track_init (AmsTimeTrack *self)
{
  self->before = self->previous = self->learnt_at = AMS_TIME_NONE;
  self->resumed_at = AMS_TIME_NONE;
  self->step = USUAL_STEP;
}

gint64
ams_time_track_get_end (const AmsTimeTrack *self)
{
  return MAX (self->position, self->high);
}

static gint64
median_step (const AmsTimeTrack *self)
{
  gint64 sorted[AMS_TIME_TRACK_N_STEPS];

  for (guint i = 0; i < self->n_steps; i++) {
    guint at = i;

    for (; at > 0 && sorted[at - 1] > self->steps[i]; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = self->steps[i];
  }
  return sorted[self->n_steps / 2];
}

/* Reordered pictures step forth and back by multiples of the true step. */
static gint64
least_step (const AmsTimeTrack *self)
{
  gint64 least = self->steps[0];

  for (guint i = 1; i < self->n_steps; i++)
    least = MIN (least, self->steps[i]);
  return least;
}

void
ams_time_track_learn_step (AmsTimeTrack *self, gint64 step)
{
  if (self->reorders)
    step = ABS (step);
  if (step <= 0 || step > LONGEST_STEP)
    return;
  self->steps[self->next_step] = step;
  self->next_step = (self->next_step + 1) % AMS_TIME_TRACK_N_STEPS;
  self->n_steps = MIN (self->n_steps + 1, AMS_TIME_TRACK_N_STEPS);
  self->step = self->reorders ? least_step (self) : median_step (self);
}

void
ams_time_track_take_duration (AmsTimeTrack *self, gint64 duration)
{
  if (self->n_steps == 0 && duration > 0 && duration <= LONGEST_STEP)
    self->step = duration;
}

gboolean
ams_time_track_is_paced (const AmsTimeTrack *self, gint64 now)
{
  gint64 elapsed = ams_time_elapsed (self->first_arrival, now);

  return self->begun && elapsed >= PACED_AFTER &&
      ams_time_difference (self->position, self->first) <=
      ams_time_sum (elapsed, elapsed / 2 + SECOND);
}

gboolean
ams_time_track_continues (const AmsTimeTrack *self, gint64 threshold,
    gint64 from, gint64 to, guint n)
{
  gint64 tolerance =
      self->reorders ? AMS_TIME_MAP_REORDERING : MAX (self->step, JITTER);

  return to >= ams_time_difference (from, tolerance) &&
      to <= ams_time_sum (from, n * self->step + threshold);
}

const AmsTimeTrack *
ams_time_tracks_leading_other (const AmsTimeTracks *self,
    const AmsTimeTrack *track)
{
  const AmsTimeTrack *leading = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsTimeTrack *other = ams_time_tracks_get (self, i);

    if (other != track && other->begun &&
        (leading == NULL ||
            ams_time_track_get_end (other) > ams_time_track_get_end (leading)))
      leading = other;
  }
  return leading;
}
