/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "lag.h"

#define SECOND G_GINT64_CONSTANT (1000000000)
#define NONE G_MININT64
#define UNKNOWN G_MAXINT64

/* So long nothing must have come for an interruption to be looked for. */
#define SILENCE (3 * SECOND / 10)
/* What has caught up to so much was only held up. */
#define TOLERANCE (SECOND / 5)
/* One of the parts of what is looked at after a silence: three frames at 20 Hz. */
#define PART (150 * SECOND / 1000)
/* Who is late by as much in the one part as in the next does not catch up. */
#define FLATNESS (PART / 4)

/* An interval of the least lag: longer than jitter. */
#define INTERVAL (5 * SECOND)
/* As late as this all through, time is missing: short interruptions, or a clock that is slow. */
#define DRIFT SECOND

void
lag_reset (Lag *self)
{
  self->last = self->suspect_since = NONE;
  self->usual = self->least[0] = self->least[1] = UNKNOWN;
}

static gint64
recent (const Lag *self)
{
  return MIN (self->least[0], self->least[1]);
}

static void
note (Lag *self, gint64 now, gint64 lag)
{
  if (self->least[1] == UNKNOWN) {
    self->interval = now;
  } else if (now - self->interval >= INTERVAL) {
    self->least[0] = self->least[1];
    self->least[1] = UNKNOWN;
    self->interval = now;
  }
  self->least[1] = MIN (self->least[1], lag);
  self->usual = MIN (self->usual, lag);
}

static void
begin_to_suspect (Lag *self, gint64 now)
{
  guint i;

  self->suspect_since = now;
  for (i = 0; i < LAG_N_PARTS; i++)
    self->parts[i] = UNKNOWN;
}

static gboolean
is_flat (const Lag *self)
{
  gint64 last = self->parts[LAG_N_PARTS - 1];
  gint64 before = self->parts[LAG_N_PARTS - 2];

  return last != UNKNOWN && before != UNKNOWN && ABS (last - before) < FLATNESS;
}

static LagVerdict
judge_suspect (Lag *self, gint64 now, gint64 lag, gint64 *missing)
{
  gint64 part = (now - self->suspect_since) / PART;

  if (lag > recent (self) + TOLERANCE && part < LAG_N_PARTS) {
    self->parts[part] = MIN (self->parts[part], lag);
    return LAG_WAIT;
  }
  self->suspect_since = NONE;
  if (lag <= recent (self) + TOLERANCE || !is_flat (self)) {
    note (self, now, lag);
    return LAG_GOES_ON;
  }
  *missing = self->parts[LAG_N_PARTS - 1] - recent (self);
  note (self, now, lag - *missing);
  return LAG_MISSING;
}

static LagVerdict
judge_drift (Lag *self, gint64 *missing)
{
  if (self->least[0] == UNKNOWN || recent (self) - self->usual <= DRIFT)
    return LAG_GOES_ON;
  *missing = recent (self) - self->usual;
  self->least[0] -= *missing;
  self->least[1] -= *missing;
  return LAG_MISSING;
}

LagVerdict
lag_judge (Lag *self, gint64 now, gint64 lag, gint64 *missing)
{
  gboolean silence = self->last != NONE && now - self->last > SILENCE;

  self->last = now;
  if (silence && self->suspect_since == NONE && lag > recent (self) + TOLERANCE)
    begin_to_suspect (self, now);
  if (self->suspect_since != NONE)
    return judge_suspect (self, now, lag, missing);
  note (self, now, lag);
  return judge_drift (self, missing);
}
