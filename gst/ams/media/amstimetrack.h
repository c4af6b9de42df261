/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One track of a time map: where its times have come to, and how far they
 * usually step. For amstimemap.c and amstimejudge.c alone. */

#pragma once

#include "media/amstimetypes.h"

G_BEGIN_DECLS

/* Every time, offset and arrival is kept within ± this, so that the sum or the
 * difference of two does not overflow. */
#define AMS_TIME_LIMIT ((G_GINT64_CONSTANT (1) << 62) - 1)

/* Steps from which the typical one is taken. */
#define AMS_TIME_TRACK_N_STEPS 7

/* Units of a track that are doubted at once. */
#define AMS_TIME_TRACK_MAX_DOUBTED 3

typedef struct
{
  gboolean begun; /* a unit has a place */
  gboolean anchored; /* @offset is known: a unit with a time has a place */
  gboolean expect_jump;
  gboolean reorders;
  gint64 offset;
  gint64 before; /* the offset before the last jump, or AMS_TIME_NONE */
  /* The place of the last unit behind a hole or a jump, or AMS_TIME_NONE. */
  gint64 resumed_at;

  gint64 first; /* the place and the arrival of the first unit */
  gint64 first_arrival;
  /* Where the times have come to since the last jump; @high is later where
   * units were pushed forward to keep their order. */
  gint64 position;
  gint64 previous; /* @position before the last unit */
  gint64 high; /* the last place */
  gint64 arrival; /* of the last unit whose time was believed */
  gint64 widest; /* the last step across a hole */

  gint64 steps[AMS_TIME_TRACK_N_STEPS]; /* those up to LONGEST_STEP, a ring */
  guint n_steps;
  guint next_step;
  gint64 step; /* typical */
  gint64 learnt_at; /* the time from which the next step counts, or NONE */

  AmsTimeMapInput doubted[AMS_TIME_TRACK_MAX_DOUBTED + 1];
  guint n_doubted;
} AmsTimeTrack;

/* All tracks, and the step forward up to which nothing is asked. */
typedef struct
{
  gint64 threshold;
  GArray *tracks; /* AmsTimeTrack */
} AmsTimeTracks;

static inline gint64
ams_time_bound (gint64 time)
{
  return CLAMP (time, -AMS_TIME_LIMIT, AMS_TIME_LIMIT);
}

static inline gint64
ams_time_sum (gint64 a, gint64 b)
{
  return ams_time_bound (a + b);
}

static inline gint64
ams_time_difference (gint64 a, gint64 b)
{
  return ams_time_bound (a - b);
}

static inline gint64
ams_time_elapsed (gint64 then, gint64 now)
{
  return MAX (ams_time_difference (now, then), 0);
}

static inline AmsTimeTrack *
ams_time_tracks_get (const AmsTimeTracks *self, guint i)
{
  return &g_array_index (self->tracks, AmsTimeTrack, i);
}

void ams_time_track_init (AmsTimeTrack *self);

/* Returns: the end of what has a place. */
gint64 ams_time_track_get_end (const AmsTimeTrack *self);

/* @step: from one unit to the next, of which both times were believed. */
void ams_time_track_learn_step (AmsTimeTrack *self, gint64 step);

/* @duration: what a source guesses; used until a step is known. */
void ams_time_track_take_duration (AmsTimeTrack *self, gint64 duration);

/* Whether the source delivers at the speed of the clock. */
gboolean ams_time_track_is_paced (const AmsTimeTrack *self, gint64 now);

/* Whether @to is where the @n-th unit after the one at @from may lie, without
 * a step forward of more than @threshold that is not accounted for. */
gboolean ams_time_track_continues (const AmsTimeTrack *self, gint64 threshold,
    gint64 from, gint64 to, guint n);

/* Returns: (nullable): the track other than @track that is furthest. */
const AmsTimeTrack *ams_time_tracks_leading_other (const AmsTimeTracks *self,
    const AmsTimeTrack *track);

G_END_DECLS
