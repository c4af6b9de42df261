/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every unit is recorded once, at its own time relative to the other track. */

#include "session-common.h"

/* ---- sparse video ---- */

typedef struct
{
  const gchar *name;
  gboolean sound, as_file;
} SparseCase;

static const SparseCase sparse_cases[] = {
  { "video/live", FALSE, FALSE },
  { "video/file", FALSE, TRUE },
  { "sound/live", TRUE, FALSE },
  { "sound/file", TRUE, TRUE },
};

/* A shared screen: pictures 2.5 s, then 6 s apart, up to 54.02 s. */
static void
add_screen (SessionTest *test, guint track)
{
  TestEvent *event;

  for (guint i = 0; i < 5; i++) {
    event = session_test_unit (test, track, i * 2500 * MS);
    if (i == 0)
      event->flags = AMS_UNIT_KEY;
  }
  for (guint i = 0; i < 8; i++)
    session_test_unit (test, track, 12020 * MS + i * 6 * SECOND);
}

static void
test_sparse_video_times_kept (gconstpointer data)
{
  const SparseCase *this = data;
  g_autoptr (SessionTest) test = session_test_new ();

  add_screen (test, session_test_add_video (test));
  if (this->sound)
    session_test_sound (test, session_test_add_sound (test), 0, 60 * SECOND);
  test->as_file = this->as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  if (this->sound) {
    session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
    session_test_check_no_longer_than (test, 4500 * MS);
  } else {
    session_test_assert_near (session_test_sum (test), 54060 * MS, FRAME);
  }
}

/* Pictures 6 s apart, of which each is a keyframe: beside sound, the promise
 * holds and nothing is missing. */
static void
test_sparse_keyframes_beside_sound_promise_kept (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  for (guint i = 0; i < 10; i++)
    session_test_unit (test, video, i * 6 * SECOND)->flags = AMS_UNIT_KEY;
  session_test_sound (test, sound, 0, 60 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

/* ---- durations that are guessed wrong ---- */

static const gint64 wrong_durations[] = { 4 * SECOND, 10 * SECOND, 0,
  G_MAXINT64, -SECOND, 1 };

static void
play_wrong_duration (gint64 duration, gboolean as_file, gboolean beside_sound)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 16 * SECOND, 25);
  for (guint i = 0; i < test->events->len; i++)
    ((TestEvent *) g_ptr_array_index (test->events, i))->duration = duration;
  if (beside_sound)
    session_test_sound (test, session_test_add_sound (test), 0, 16 * SECOND);
  test->as_file = as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 16 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4 * SECOND);
}

static void
test_wrong_duration_moves_nothing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong_durations); i++)
    for (guint j = 0; j < 4; j++)
      play_wrong_duration (wrong_durations[i], j & 1, j & 2);
}

/* ---- one unit stamped away ---- */

typedef struct
{
  const gchar *name;
  gboolean of_sound;
  gint64 at; /* where a unit is bent; 12 s is a keyframe */
} BadStampCase;

static const BadStampCase bad_stamp_cases[] = {
  { "picture", FALSE, 12400 * MS },
  { "keyframe", FALSE, 12 * SECOND },
  { "sound", TRUE, 12200 * MS },
};

static const gint64 bad_steps[] = { 20 * SECOND, 1800 * SECOND, -20 * SECOND,
  3 * SECOND, -300 * MS };

static void
bend (SessionTest *test, guint track, gint64 at, gint64 by)
{
  TestEvent *event = session_test_find (test, track, at);

  event->pts += by;
  event->dts += by;
  event->odd = TRUE;
}

static void
play_bad_stamp (const BadStampCase *this, gint64 by, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 0, 30 * SECOND);
  bend (test, this->of_sound ? sound : video, this->at, by);
  test->as_file = as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4 * SECOND + FRAME);
}

static void
test_bad_stamp_costs_nothing (gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_steps); i++)
    for (guint j = 0; j < 2; j++)
      play_bad_stamp (data, bad_steps[i], j);
}

static void
test_sixty_bad_stamps_cost_nothing (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 130 * SECOND, 50);
  session_test_sound (test, sound, 0, 130 * SECOND);
  for (guint i = 0; i < 60; i++)
    bend (test, i % 3 == 2 ? sound : video, (4 + 2 * i) * SECOND + i * FRAME,
        bad_steps[i % G_N_ELEMENTS (bad_steps)]);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 130 * SECOND, FRAME);
}

/* ---- at the edges ---- */

/* The first or the last unit is the one: no other is moved for it. */
static void
play_bad_edge (gboolean of_sound, gint64 at, gint64 by, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 apart;

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 0, 30 * SECOND);
  bend (test, of_sound ? sound : video, at, by);
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), <=, 1);
  apart = session_test_find (test, video, 15 * SECOND)->got_pts -
      session_test_find (test, video, 15 * SECOND)->truth -
      session_test_find (test, sound, 15 * SECOND)->got_pts +
      session_test_find (test, sound, 15 * SECOND)->truth;
  session_test_assert_near (apart, 0, FRAME);
  /* A step forward of less than the threshold is left alone. */
  session_test_assert_near (session_test_sum (test), 30 * SECOND,
      by == -300 * MS ? 300 * MS : 3 * FRAME);
}

static void
test_bad_stamp_at_edge_tracks_together (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_steps); i++)
    for (guint j = 0; j < 8; j++)
      play_bad_edge (j & 1, j & 2 ? 0 : 30 * SECOND, bad_steps[i], j & 4);
}

/* ---- all times move ---- */

typedef struct
{
  const gchar *name;
  gint64 by;
  guint discontinuities;
} JumpCase;

static const JumpCase jump_cases[] = {
  { "back-1.5-s", -1500 * MS, 1 },
  { "back-300-ms", -300 * MS, 1 },
  { "back-10-s", -10 * SECOND, 1 },
  { "forward-1-h", 3600 * SECOND + SECOND, 1 },
  { "forward-20-h", 72000 * SECOND, 1 },
};

/* At a keyframe or not: tracks stay together, and nothing is lost. */
static void
play_jump (const JumpCase *this, gint64 at, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 0, 30 * SECOND);
  session_test_shift (test, video, at, 99 * SECOND, this->by);
  session_test_shift (test, sound, at, 99 * SECOND, this->by);
  test->as_file = as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, FRAME);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==,
      this->discontinuities);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
}

static void
test_jump_together_discontinuity (gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    play_jump (data, 12 * SECOND, i);
    play_jump (data, 12600 * MS, i);
  }
}

/* 33-bit clocks wrap where nobody unwraps them. */
static void
test_wrap_unnoticed (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  const gint64 wrap = AMS_TIME_MAP_WRAP;

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 0, 30 * SECOND);
  for (guint i = 0; i < 2; i++) {
    session_test_shift (test, i, 0, 99 * SECOND, wrap - 13 * SECOND);
    session_test_shift (test, i, 13 * SECOND, 99 * SECOND, -wrap);
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
}

/* ---- times that overflow ---- */

static const gint64 extreme_times[] = { G_MAXINT64, G_MAXINT64 - 1, G_MININT64,
  G_MININT64 + 1, G_GINT64_CONSTANT (1) << 62, -(G_GINT64_CONSTANT (1) << 62),
  G_GINT64_CONSTANT (1) << 61, -(G_GINT64_CONSTANT (1) << 61) };

static void
play_extreme (gint64 pts, gint64 dts, gint64 at)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 20 * SECOND, 50);
  session_test_sound (test, sound, 0, 20 * SECOND);
  for (guint i = 0; i < 2; i++) {
    TestEvent *event = session_test_find (test, i, at);

    event->pts = pts;
    event->dts = dts;
    event->duration = G_MAXINT64;
    event->odd = TRUE;
  }
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), <=, 1);
  g_assert_cmpuint (session_test_count_lost (test, sound), <=, 1);
  session_test_check_times (test, FRAME);
  session_test_assert_near (session_test_sum (test), 20 * SECOND, 2 * FRAME);
}

static void
test_extreme_times_cost_one_unit (void)
{
  static const gint64 places[] = { 0, 8 * SECOND, 9 * SECOND, 20 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (extreme_times); i++)
    for (guint j = 0; j < G_N_ELEMENTS (places); j++) {
      play_extreme (extreme_times[i], extreme_times[i], places[j]);
      play_extreme (extreme_times[i], places[j], places[j]);
      play_extreme (places[j], extreme_times[i], places[j]);
    }
}

/* All of a recording's times at the edge of what is believed. */
static void
test_all_times_extreme_recorded (void)
{
  static const gint64 bases[] = { (G_GINT64_CONSTANT (1) << 61) - 5 * SECOND,
    -(G_GINT64_CONSTANT (1) << 61) - 5 * SECOND, G_MAXINT64 - 40 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (bases); i++) {
    guint video, sound;
    g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

    session_test_video (test, video, 0, 20 * SECOND, 50);
    session_test_sound (test, sound, 0, 20 * SECOND);
    session_test_shift (test, video, 0, 99 * SECOND, bases[i]);
    session_test_shift (test, sound, 0, 99 * SECOND, bases[i]);
    session_test_play (test);
    session_test_check_nothing_lost (test);
  }
}

/* ---- missing times ---- */

/* B-frames: I P B B P B B …, decoded in this order. */
static void
bend_to_b_frames (SessionTest *test, guint video, gboolean with_dts)
{
  static const gint place[] = { 2, -1, -1 };
  guint n = 0;

  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);
    gint64 decoded;

    if (event->kind != TEST_UNIT || event->track != video)
      continue;
    decoded = event->truth;
    if (event->flags & AMS_UNIT_KEY)
      n = 0;
    else
      event->truth = decoded + place[n++ % 3] * FRAME;
    event->pts = event->truth;
    event->dts = with_dts ? decoded - FRAME : AMS_TIME_NONE;
  }
}

/* GOPs of 49 frames: the keyframe and sixteen times P B B. */
static void
play_b_frames (gboolean with_dts, gboolean as_file, gboolean beside_sound)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 30 * 49 * FRAME, 49);
  bend_to_b_frames (test, video, with_dts);
  if (beside_sound)
    session_test_sound (test, session_test_add_sound (test), 0,
        30 * 49 * FRAME);
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  if (beside_sound)
    g_assert_cmpuint (session_test_count_lost (test, 1), ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 30 * 49 * FRAME, FRAME);
  session_test_check_no_longer_than (test, 4 * SECOND);
}

static void
test_b_frames_times_kept (void)
{
  for (guint i = 0; i < 8; i++)
    play_b_frames (i & 1, i & 2, i & 4);
}

/* Only each n-th unit has a time. */
static void
test_missing_times_counted_on (void)
{
  for (guint n = 2; n <= 50; n += 12) {
    guint video, sound, k = 0;
    g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

    session_test_video (test, video, 0, 30 * SECOND, 50);
    session_test_sound (test, sound, 0, 30 * SECOND);
    for (guint i = 0; i < test->events->len; i++) {
      TestEvent *event = g_ptr_array_index (test->events, i);

      if (event->kind == TEST_UNIT && k++ % n != 0)
        event->pts = event->dts = AMS_TIME_NONE;
    }
    session_test_play (test);
    session_test_check_nothing_lost (test);
    session_test_check_times (test, FRAME);
    session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
  }
}

/* An audio encoder's and a camera's clocks are not the same. */
static void
test_jitter_left_alone (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 60 * SECOND, 50);
  session_test_sound (test, sound, 0, 60 * SECOND);
  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind != TEST_UNIT)
      continue;
    event->truth += (gint64) (i * 7919 % 15) * MS;
    event->pts = event->dts = event->truth;
    event->arrival += (gint64) (i * 104729 % 300) * MS;
  }
  for (guint i = 0; i < test->tracks->len; i++) {
    gint64 last = 0;

    for (guint j = 0; j < test->events->len; j++) {
      TestEvent *event = g_ptr_array_index (test->events, j);

      if (event->kind == TEST_UNIT && event->track == i)
        last = event->arrival = MAX (last, event->arrival);
    }
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
}

static void
add_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sparse_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/sparse/%s", sparse_cases[i].name);
    g_test_add_data_func (path, &sparse_cases[i], test_sparse_video_times_kept);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad_stamp_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/bad-stamp/%s", bad_stamp_cases[i].name);
    g_test_add_data_func (path, &bad_stamp_cases[i],
        test_bad_stamp_costs_nothing);
  }
  for (guint i = 0; i < G_N_ELEMENTS (jump_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/jump/%s", jump_cases[i].name);
    g_test_add_data_func (path, &jump_cases[i],
        test_jump_together_discontinuity);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ();
  g_test_add_func ("/session/sparse/keyframes",
      test_sparse_keyframes_beside_sound_promise_kept);
  g_test_add_func ("/session/wrong-duration",
      test_wrong_duration_moves_nothing);
  g_test_add_func ("/session/bad-stamp/sixty",
      test_sixty_bad_stamps_cost_nothing);
  g_test_add_func ("/session/bad-stamp/edge",
      test_bad_stamp_at_edge_tracks_together);
  g_test_add_func ("/session/wrap", test_wrap_unnoticed);
  g_test_add_func ("/session/extreme/one", test_extreme_times_cost_one_unit);
  g_test_add_func ("/session/extreme/all", test_all_times_extreme_recorded);
  g_test_add_func ("/session/b-frames", test_b_frames_times_kept);
  g_test_add_func ("/session/missing-times", test_missing_times_counted_on);
  g_test_add_func ("/session/jitter", test_jitter_left_alone);
  return g_test_run ();
}
