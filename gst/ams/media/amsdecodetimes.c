/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amsdecodetimes.h"

#include <string.h>

/* A tick of 90 kHz, rounded up: the least by which decoding times rise. */
#define TICK 11112

/* What a picture is taken to last where that is unknown: 1/25 s. */
#define USUAL_DURATION (40 * G_GINT64_CONSTANT (1000000))

struct _AmsDecodeTimes
{
  guint depth;
  gint64 slack;
  gboolean learns;

  /* Presentation times of pictures that were decoded and whose own time to be
   * shown no decoding time has used yet, in order. */
  gint64 waiting[AMS_DECODE_TIMES_MAX_DEPTH + 1];
  guint n_waiting;
  /* Those that were decoded lately, to learn from. */
  gint64 lately[AMS_DECODE_TIMES_MAX_DEPTH];
  guint n_lately;
  gboolean started; /* a waiting time has been used */
  gint64 first; /* presentation time of the first picture */
  guint n_first; /* pictures before that */

  gboolean has_last;
  gint64 last; /* the last decoding time */
};

AmsDecodeTimes *
ams_decode_times_new (guint depth)
{
  AmsDecodeTimes *self = g_new0 (AmsDecodeTimes, 1);

  self->learns = depth == AMS_DECODE_TIMES_UNKNOWN;
  self->depth = self->learns ? 0 : MIN (depth, AMS_DECODE_TIMES_MAX_DEPTH);
  self->slack = self->learns ? AMS_DECODE_TIMES_SLACK : 0;
  return self;
}

void
ams_decode_times_free (AmsDecodeTimes *self)
{
  g_free (self);
}

void
ams_decode_times_restart (AmsDecodeTimes *self)
{
  self->n_waiting = self->n_lately = self->n_first = 0;
  self->started = FALSE;
}

/* The depth that a picture proves: those decoded before it and shown after it. */
static guint
count_later (const AmsDecodeTimes *self, gint64 pts)
{
  guint n = 0;

  for (guint i = 0; i < self->n_lately; i++)
    n += self->lately[i] > pts;
  return n;
}

static void
note_lately (AmsDecodeTimes *self, gint64 pts)
{
  if (self->n_lately == AMS_DECODE_TIMES_MAX_DEPTH)
    memmove (self->lately, self->lately + 1,
        --self->n_lately * sizeof self->lately[0]);
  self->lately[self->n_lately++] = pts;
}

static void
learn (AmsDecodeTimes *self, gint64 pts)
{
  if (self->learns)
    self->depth = MAX (self->depth, count_later (self, pts));
  note_lately (self, pts);
}

static void
add_waiting (AmsDecodeTimes *self, gint64 pts)
{
  guint at = self->n_waiting++;

  for (; at > 0 && self->waiting[at - 1] > pts; at--)
    self->waiting[at] = self->waiting[at - 1];
  self->waiting[at] = pts;
}

static gint64
take_earliest (AmsDecodeTimes *self)
{
  gint64 earliest = self->waiting[0];

  memmove (self->waiting, self->waiting + 1,
      --self->n_waiting * sizeof self->waiting[0]);
  return earliest;
}

/* The first pictures are decoded before anything is shown. */
static gint64
time_before_first (AmsDecodeTimes *self, gint64 pts, gint64 duration)
{
  if (self->n_first++ == 0)
    self->first = pts;
  return self->first -
      (gint64) (self->depth + 1 - self->n_first) *
      (duration > 0 ? duration : USUAL_DURATION);
}

static gint64
keep_in_order (AmsDecodeTimes *self, gint64 dts, gint64 pts)
{
  dts = MIN (dts, pts);
  if (self->has_last)
    dts = MAX (dts, self->last + TICK);
  self->has_last = TRUE;
  self->last = dts;
  return dts;
}

gint64
ams_decode_times_next (AmsDecodeTimes *self, gint64 pts, gint64 duration)
{
  gint64 dts;

  learn (self, pts);
  add_waiting (self, pts);
  if (self->n_waiting > self->depth)
    dts = take_earliest (self) - self->slack;
  else if (self->started) /* the depth has grown: one more has to wait */
    dts = self->last + TICK;
  else
    dts = time_before_first (self, pts, duration) - self->slack;
  return keep_in_order (self, dts, pts);
}
