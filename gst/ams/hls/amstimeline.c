/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amstimeline.h"

#define SECOND G_GINT64_CONSTANT (1000000000)

/* A longer hole than this, with no sign that it was one, is a bogus leap. */
#define LONGEST_HOLE (3600 * SECOND)

typedef struct
{
  gboolean begun;
  gboolean expect_jump;
  gint64 offset;
  gint64
      before; /* the offset before the last jump; AMS_TIME_NONE: there was none */
  gint64 last; /* on the time line */
  gint64 duration;
  gint64 arrival;
} Track;

struct _AmsTimeline
{
  gint64 threshold;
  GArray *tracks; /* Track */
};

AmsTimeline *
ams_timeline_new (gint64 threshold)
{
  AmsTimeline *self = g_new0 (AmsTimeline, 1);

  self->threshold = threshold;
  self->tracks = g_array_new (FALSE, TRUE, sizeof (Track));
  return self;
}

void
ams_timeline_free (AmsTimeline *self)
{
  g_array_unref (self->tracks);
  g_free (self);
}

guint
ams_timeline_add_track (AmsTimeline *self)
{
  g_array_set_size (self->tracks, self->tracks->len + 1);
  return self->tracks->len - 1;
}

static Track *
get_track (AmsTimeline *self, guint i)
{
  return &g_array_index (self->tracks, Track, i);
}

static gboolean
near (AmsTimeline *self, gint64 a, gint64 b)
{
  return ABS (a - b) <= self->threshold;
}

/* How far the other tracks are; AMS_TIME_NONE: there are none. */
static gint64
others_position (AmsTimeline *self, Track *track)
{
  gint64 position = AMS_TIME_NONE;
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    Track *other = get_track (self, i);

    if (other != track && other->begun)
      position = MAX (position, other->last);
  }
  return position;
}

/* Another track's offset that puts @time between @expected and @resumed. */
static gboolean
adopt_offset (AmsTimeline *self, Track *track, gint64 time, gint64 expected,
    gint64 resumed)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    Track *other = get_track (self, i);

    if (other != track && other->begun && other->offset != track->offset &&
        time + other->offset >= expected - self->threshold &&
        time + other->offset <= resumed + self->threshold) {
      track->offset = other->offset;
      return TRUE;
    }
  }
  return FALSE;
}

/* Another track or the clock says so. */
static gboolean
is_confirmed (AmsTimeline *self, Track *track, gint64 out, gint64 elapsed)
{
  return others_position (self, track) >= out - self->threshold ||
      near (self, elapsed, out - track->last);
}

static gboolean
is_hole (AmsTimeline *self, Track *track, gint64 out, gint64 elapsed)
{
  return is_confirmed (self, track, out, elapsed) ||
      out - track->last <= LONGEST_HOLE;
}

static void
resolve_jump (AmsTimeline *self, Track *track, gint64 time, gint64 expected,
    gint64 elapsed)
{
  gint64 out = time + track->offset;
  gint64 resumed = track->last + elapsed;

  /* Less is no outage, only jitter. */
  if (resumed <= expected + self->threshold)
    resumed = expected;
  if (out > expected && is_hole (self, track, out, elapsed))
    return;
  if (adopt_offset (self, track, time, expected, resumed))
    return;
  track->offset = resumed - time;
}

/* Of none and the other tracks' offsets the one that brings @time closest to
 * @position. */
static gint64
closest_offset (AmsTimeline *self, Track *track, gint64 time, gint64 position)
{
  gint64 closest = 0;
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    Track *other = get_track (self, i);

    if (other != track && other->begun &&
        ABS (time + other->offset - position) < ABS (time + closest - position))
      closest = other->offset;
  }
  return closest;
}

static void
begin_track (AmsTimeline *self, Track *track, gint64 time)
{
  gint64 position = others_position (self, track);

  track->begun = TRUE;
  track->offset = 0;
  track->before = AMS_TIME_NONE;
  if (position == AMS_TIME_NONE)
    return;
  track->offset = closest_offset (self, track, time, position);
  if (ABS (time + track->offset - position) > LONGEST_HOLE)
    track->offset = position - time;
}

/* What jumped was bogus, and this follows on what was before it: where a stream begins anew, demuxers time the
 * first buffers by the old clock reference. */
static gboolean
undo_jump (AmsTimeline *self, Track *track, gint64 time, gint64 expected,
    gint64 elapsed)
{
  if (track->before == AMS_TIME_NONE ||
      !near (self, time + track->before, expected) ||
      is_confirmed (self, track, time + track->offset, elapsed))
    return FALSE;
  track->offset = track->before;
  track->before = AMS_TIME_NONE;
  return TRUE;
}

/* TRUE when @time does not follow on what was. */
static gboolean
follow (AmsTimeline *self, Track *track, gint64 time, gint64 arrival)
{
  gint64 expected = track->last + track->duration;
  gint64 out = time + track->offset;
  gint64 elapsed = arrival - track->arrival;
  gint64 before = track->offset;

  if (near (self, out, expected) && !track->expect_jump)
    return FALSE;
  if (near (self, out + AMS_TIMELINE_WRAP, expected)) {
    track->offset += AMS_TIMELINE_WRAP;
    return FALSE;
  }
  if (!near (self, out, expected) &&
      undo_jump (self, track, time, expected, elapsed))
    return track->expect_jump;
  if (out < expected || !near (self, out, expected))
    resolve_jump (self, track, time, expected, elapsed);
  if (track->offset != before)
    track->before = before;
  return TRUE;
}

gint64
ams_timeline_map (AmsTimeline *self, guint i, gint64 time, gint64 duration,
    gint64 arrival, gboolean *jump)
{
  Track *track = get_track (self, i);
  gboolean missing = time == AMS_TIME_NONE;

  *jump = FALSE;
  if (missing) {
    gint64 position = others_position (self, track);

    if (track->begun)
      time = track->last + track->duration - track->offset;
    else
      time = position == AMS_TIME_NONE ? 0 : position;
  }

  if (!track->begun)
    begin_track (self, track, time);
  else
    *jump = follow (self, track, time, arrival);

  track->expect_jump = FALSE;
  track->last = time + track->offset;
  track->duration = duration;
  track->arrival = arrival;
  return missing ? track->last : track->offset;
}

gint64
ams_timeline_get_offset (AmsTimeline *self, guint i)
{
  return get_track (self, i)->offset;
}

void
ams_timeline_expect_jump (AmsTimeline *self, guint i)
{
  get_track (self, i)->expect_jump = TRUE;
}
