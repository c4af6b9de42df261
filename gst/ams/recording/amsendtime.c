/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsendtime.h"

/* 90 kHz */
#define CLOCK_RATE 90000
#define WRAP (G_GINT64_CONSTANT (1) << 33)

/* Ticks: where a recording begins whose first segment cannot be read. It is what
 * the packager, and the element before it, begin with. */
#define USUAL_BEGIN (10 * CLOCK_RATE)

/* Ticks: EXTINFs are rounded to microseconds and time stamps to ticks, and a
 * frame that lies one tick too early is not found. */
#define MARGIN (CLOCK_RATE / 100)

/* Ticks. A last segment that seems to end further after the sum of the EXTINFs
 * is one before it, of a session that began anew: 33 bits do not tell which. */
#define MAX_AHEAD (G_GINT64_CONSTANT (3600) * CLOCK_RATE)

/* ns: 36 years. No recording is longer, and no sum of two overflows. */
#define MAX_DURATION (G_GUINT64_CONSTANT (1) << 60)

void
ams_end_add (AmsEnd *self, guint64 duration, guint64 end_pts)
{
  /* Too long is too long, also when it is longer still. */
  self->duration =
      MIN (self->duration, MAX_DURATION) + MIN (duration, MAX_DURATION);
  self->end_pts = end_pts;
}

/* Rounded up: no frame may come too early. */
static gint64
ticks_of (guint64 time)
{
  return time / 100000 * 9 + (time % 100000 * 9 + 99999) / 100000;
}

static gint64
time_of (gint64 ticks)
{
  return ticks / 9 * 100000 + (ticks % 9 * 100000 + 8) / 9;
}

guint64
ams_end_add_time (guint64 pts, guint64 duration)
{
  return (pts + ticks_of (MIN (duration, MAX_DURATION))) & (WRAP - 1);
}

/* @pts with the highest upper bits that do not bring it past @limit. */
static gint64
unwrap (guint64 pts, gint64 limit)
{
  return limit - ((limit - (gint64) pts) & (WRAP - 1));
}

gint64
ams_end_time (const AmsEnd *self)
{
  gboolean known = self->first_pts != AMS_PTS_UNKNOWN;
  gint64 sum, end;

  if (self->duration == 0 || self->duration > MAX_DURATION)
    return AMS_TIME_NONE;
  sum = (known ? (gint64) self->first_pts : USUAL_BEGIN) + MARGIN +
      ticks_of (self->duration - MIN (self->skipped, self->duration));
  if (self->end_pts == AMS_PTS_UNKNOWN)
    return time_of (sum);
  end =
      known ? unwrap (self->end_pts, sum + MAX_AHEAD) : (gint64) self->end_pts;
  return time_of (MAX (sum, end));
}
