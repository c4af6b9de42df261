/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several renditions in one session: one cut for all. */

#include "session-ladder.h"

/* ---- encoders that are aligned ---- */

static void
test_aligned_cut_at_same_keyframes (void)
{
  for (guint i = 0; i < N_SOUNDS * 16; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 41 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;

    for (guint j = 0; j < 2; j++)
      if (i / N_SOUNDS & 1 << j)
        ladder_make_b_frames (test, ladder.video[j], 25);
    test->as_file = (i / N_SOUNDS & 4) != 0;
    test->carries = (i / N_SOUNDS & 8) != 0;
    session_test_play (test);
    ladder_check_aligned (&ladder);
    ladder_check_sums (test, FRAME);
    g_assert_cmpuint (test->files->len, ==, 11);
    g_assert_cmpint (session_test_file (test, 3)->cut.pts, ==, 12 * SECOND);
    g_assert_false (test->dependent);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  }
}

static void
test_late_keyframe_all_cut_at_one_before (void)
{
  static const gint64 keys[] = { 0, 3 * SECOND, 9 * SECOND, 9500 * MS,
    12 * SECOND, 13 * SECOND, 14 * SECOND, 25 * SECOND, 25040 * MS, 28600 * MS,
    29400 * MS, 33 * SECOND, 50 * SECOND, 54480 * MS };

  for (guint i = 0; i < N_SOUNDS * 4 * G_N_ELEMENTS (keys); i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 60 * SECOND, 0);
    g_autoptr (SessionTest) test = ladder.test;

    for (guint j = 0; j <= i / N_SOUNDS / 4; j++)
      for (guint k = 0; k < 2; k++)
        session_test_find (test, ladder.video[k], keys[j])->flags =
            AMS_UNIT_KEY;
    test->carries = (i / N_SOUNDS & 1) != 0;
    test->as_file = (i / N_SOUNDS & 2) != 0;
    session_test_play (test);
    ladder_check_aligned (&ladder);
    ladder_check_sums (test, FRAME);
    g_assert_false (test->dependent);
    g_assert_cmpuint (test->most_kept, <=,
        (1 + 4500 * MS / FRAME + 4500 * MS / SOUND_FRAME) *
            sizeof (AmsFakeRecord));
  }
}

/* ---- encoders that are not ---- */

/* The main and the sub stream of a camera. */
static void
play_sub_stream (guint gop, guint phase, guint other_gop, gboolean b_frames,
    gint64 longest)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, gop);
  g_autoptr (SessionTest) test = ladder.test;

  for (guint i = 0; i < 60 * 25; i++)
    session_test_find (test, ladder.video[1], i * FRAME)->flags =
        i == 0 || (i >= phase && (i - phase) % other_gop == 0) ? AMS_UNIT_KEY
                                                               : 0;
  if (b_frames)
    ladder_make_b_frames (test, ladder.video[0], gop);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (ladder_count_files (test, 1), ==,
      ladder_count_files (test, 0));
  g_assert_cmpuint (ladder_count_gaps (test, 0) + ladder_count_gaps (test, 1),
      ==, 0);
  for (guint i = 0; i < ladder_count_files (test, 1); i++) {
    const TestFile *file = session_test_lane_file (test, 1, i);

    g_assert_cmpint (file->end - file->cut.pts, <=, longest);
    session_test_assert_near (file->cut.pts,
        session_test_file (test, i)->cut.pts, longest);
  }
  ladder_check_sums (test, 2 * FRAME);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  /* Its next keyframe comes before the next cut. */
  if (other_gop <= 100)
    g_assert_false (test->dependent);
}

static void
test_sub_stream_keeps_numbers (void)
{
  for (guint b = 0; b < 2; b++) {
    play_sub_stream (50, 0, 75, b, 6 * SECOND);
    play_sub_stream (75, 0, 50, b, 6 * SECOND);
    play_sub_stream (50, 0, 300, b, 12 * SECOND);
    for (guint phase = 1; phase < 50; phase += 7) {
      play_sub_stream (50, phase, 50, b, 4 * SECOND + 50 * FRAME);
      play_sub_stream (50, phase, 100, b, 8 * SECOND);
    }
  }
}

/* Of the same rhythm at another time: as long as the lead's, and each begins with a
 * keyframe. */
static void
test_sub_stream_of_same_rhythm_keeps_promise (void)
{
  for (guint phase = 1; phase < 50; phase++) {
    Ladder ladder = ladder_new (SOUND_NONE, 60 * SECOND, 50);
    g_autoptr (SessionTest) test = ladder.test;

    for (guint i = 1; i < 60 * 25; i++)
      session_test_find (test, ladder.video[1], i * FRAME)->flags =
          i % 50 == phase ? AMS_UNIT_KEY : 0;
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_false (test->dependent);
    for (guint i = 0; i < ladder_count_files (test, 1); i++) {
      const TestFile *file = session_test_lane_file (test, 1, i);

      /* Nobody ends the last one. */
      g_assert_cmpint (file->end - file->cut.pts, <,
          i + 1 < ladder_count_files (test, 1) ? 4500 * MS : 6500 * MS);
    }
  }
}

/* Encoders may round times differently. */
static void
test_aligned_but_for_half_a_frame (void)
{
  for (guint i = 0; i < 4; i++) {
    Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;

    if (i & 1)
      ladder_make_b_frames (test, ladder.video[0], 25);
    session_test_shift (test, ladder.video[1], FRAME, 60 * SECOND,
        i & 2 ? 19 * MS : -19 * MS);
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_false (test->dependent);
    for (guint j = 1; j < ladder_count_files (test, 0); j++)
      session_test_assert_near (session_test_lane_file (test, 1, j)->cut.pts,
          session_test_file (test, j)->cut.pts, 19 * MS);
  }
}

/* Nothing in front of the other's first keyframe is left out. */
static void
test_start_with_earliest_video (void)
{
  for (guint i = 0; i < 2; i++) {
    Ladder ladder = ladder_new (SOUND_OF_ALL, 20 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;

    session_test_cut_out (test, ladder.video[i], 0, 400 * MS);
    session_test_find (test, ladder.video[i], 400 * MS)->flags = AMS_UNIT_KEY;
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_cmpuint (ladder_count_gaps (test, 0) + ladder_count_gaps (test, 1),
        ==, 0);
  }
}

/* No keyframe but the first: each file begins at its cut, and nothing is kept for
 * longer than that takes. */
static void
test_follower_without_keyframes_cut_at_pictures (void)
{
  for (guint i = 0; i < 2; i++) {
    Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, i == 0 ? 50 : 0);
    g_autoptr (SessionTest) test = ladder.test;

    for (guint j = 0; j < 60 * 25; j++)
      session_test_find (test, ladder.video[1], j * FRAME)->flags =
          j == 0 ? AMS_UNIT_KEY : 0;
    for (guint j = 0; j < 60; j += 20)
      session_test_find (test, ladder.video[0], j * SECOND)->flags =
          AMS_UNIT_KEY;
    session_test_play (test);
    ladder_check_aligned (&ladder);
    g_assert_true (test->lanes[1].dependent);
    g_assert_false (test->lanes[0].dependent);
    g_assert_cmpuint (test->most_kept, <=,
        (2 + 5 * SECOND / FRAME + 5 * SECOND / SOUND_FRAME) *
            sizeof (AmsFakeRecord));
  }
}

/* Of a lead that has but one keyframe in half a minute, the other's mark is not kept
 * for as long. */
static void
test_mark_not_kept_for_long (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 40 * SECOND, 0);
  g_autoptr (SessionTest) test = ladder.test;

  for (guint i = 0; i < 2; i++)
    for (gint64 key = 0; key < 40; key += 30)
      session_test_find (test, ladder.video[i], key * SECOND)->flags =
          AMS_UNIT_KEY;
  session_test_find (test, ladder.video[1], 2 * SECOND)->flags = AMS_UNIT_KEY;
  session_test_play (test);
  ladder_check_aligned (&ladder);
  g_assert_cmpuint (test->most_kept, <=,
      (1 + 4500 * MS / FRAME + 4500 * MS / SOUND_FRAME) *
          sizeof (AmsFakeRecord));
}

/* ---- what is asked of encoders ---- */

/* Its keyframe is asked for, once each time, as it has no file without. */
static void
test_lane_that_is_back_is_asked_for_keyframe (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;
  guint n = 0;

  session_test_cut_out (test, ladder.video[1], 10 * SECOND, 30600 * MS);
  session_test_cut_out (test, ladder.video[1], 40 * SECOND, 48600 * MS);
  session_test_play (test);
  for (guint i = 0; i < test->requests->len; i++) {
    const TestRequest *request =
        &g_array_index (test->requests, TestRequest, i);

    if (request->time != AMS_TIME_NONE)
      continue;
    g_assert_cmpuint (request->track, ==, ladder.video[1]);
    session_test_assert_near (request->asked, n == 0 ? 30600 * MS : 48600 * MS,
        SECOND / 4);
    n++;
  }
  g_assert_cmpuint (n, ==, 2);
}

/* Whether another encoder does as it is told is not the lead's matter: a keyframe is
 * waited for at 4 s, though the interval says that it comes at 6 s. */
static void
test_answer_of_lead_counts (void)
{
  for (guint i = 0; i < 2; i++) {
    Ladder ladder = ladder_new (SOUND_NONE, 12 * SECOND, 75);
    g_autoptr (SessionTest) test = ladder.test;

    test->obeys = TRUE;
    test->refuses = ladder.video[i] + 1;
    session_test_play (test);
    ladder_check_aligned (&ladder);
    g_assert_cmpint (session_test_file (test, 0)->end, ==, 3 * SECOND);
    session_test_assert_near (session_test_file (test, 0)->ended_at,
        i == 1 ? 4500 * MS : 3 * SECOND, SECOND / 4);
  }
}

/* ---- intra-only ---- */

/* Tables are not repeated at each picture. */
static void
test_intra_only_follower_marked_now_and_then (void)
{
  Ladder ladder = ladder_new (SOUND_NONE, 20 * SECOND, 1);
  g_autoptr (SessionTest) test = ladder.test;

  session_test_play (test);
  ladder_check_aligned (&ladder);
  for (guint i = 0; i < ladder_count_files (test, 1); i++) {
    const TestFile *file = session_test_lane_file (test, 1, i);

    g_assert_cmpuint (file->size / sizeof (AmsFakeRecord), <=,
        file->n_units[TRUE] + 1 + 4 * 5);
  }
}

/* ---- cuts for another reason ---- */

static void
test_split_now_splits_all (void)
{
  for (guint i = 0; i < N_SOUNDS * 2; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 41 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;

    if (i / N_SOUNDS)
      ladder_make_b_frames (test, ladder.video[1], 25);
    session_test_event (test, TEST_SPLIT, 0, 9500 * MS);
    session_test_play (test);
    ladder_check_aligned (&ladder);
    g_assert_cmpint (session_test_file (test, 3)->cut.pts, ==, 10 * SECOND);
    /* Both encoders were asked at once. */
    for (guint j = 0; j < 2; j++) {
      guint n = 0;

      for (guint k = 0; k < test->requests->len; k++) {
        const TestRequest *request =
            &g_array_index (test->requests, TestRequest, k);

        n +=
            request->track == ladder.video[j] && request->time == AMS_TIME_NONE;
      }
      g_assert_cmpuint (n, ==, 1);
    }
  }
}

static void
test_keyframes_asked_of_all_at_one_time (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 41 * SECOND, 25);
  g_autoptr (SessionTest) test = ladder.test;
  guint n = 0;

  session_test_play (test);
  for (guint i = 0; i < test->requests->len; i += 2, n++) {
    const TestRequest *a = &g_array_index (test->requests, TestRequest, i);
    const TestRequest *b = &g_array_index (test->requests, TestRequest, i + 1);

    g_assert_cmpuint (a->track, ==, ladder.video[0]);
    g_assert_cmpuint (b->track, ==, ladder.video[1]);
    g_assert_cmpint (a->time, ==, (i / 2 + 1) * 4 * SECOND);
    g_assert_cmpint (b->time, ==, a->time);
  }
  g_assert_cmpuint (n, ==, 11);
}

static void
test_jump_in_all_is_one_discontinuity (void)
{
  for (guint i = 0; i < N_SOUNDS * 2; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 41 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;

    if (i / N_SOUNDS)
      ladder_make_b_frames (test, ladder.video[1], 25);
    for (guint track = 0; track < test->tracks->len; track++)
      session_test_shift (test, track, 20 * SECOND, 50 * SECOND, -15 * SECOND);
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    for (guint j = 0; j < test->n_lanes; j++) {
      g_assert_cmpuint (ladder_count_files (test, j), ==,
          ladder_count_files (test, 0));
      g_assert_cmpuint (ladder_count_gaps (test, j), ==, 0);
    }
  }
}

/* Its times are brought back into line: nobody else sees it. */
static void
test_jump_in_one_is_no_discontinuity (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 41 * SECOND, 25);
  g_autoptr (SessionTest) test = ladder.test;

  session_test_shift (test, ladder.video[1], 20 * SECOND, 50 * SECOND,
      -15 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  g_assert_cmpuint (ladder_count_files (test, 1), ==,
      ladder_count_files (test, 0));
  g_assert_cmpuint (ladder_count_gaps (test, 1), ==, 0);
}

/* A decoder must be set up anew in one: a discontinuity in all. */
static void
test_other_form_in_one_is_discontinuity_in_all (void)
{
  for (guint i = 0; i < N_SOUNDS * 2; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 41 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;
    TestEvent *event = session_test_event (test, TEST_FORM,
        ladder.video[i / N_SOUNDS], 20 * SECOND - 1);

    event->size = 7;
    event->over = TRUE;
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    for (guint j = 0; j < test->n_lanes; j++)
      g_assert_cmpuint (ladder_count_files (test, j), ==,
          ladder_count_files (test, 0));
  }
}

/* A lane that comes back in another form does so behind a discontinuity. */
static void
test_back_in_other_form_behind_discontinuity (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;
  TestEvent *event =
      session_test_event (test, TEST_FORM, ladder.video[1], 30 * SECOND - 1);

  event->size = 7;
  event->over = TRUE;
  session_test_cut_out (test, ladder.video[1], 10200 * MS, 30 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  for (guint i = 0; i < test->events->len; i++) {
    const TestEvent *unit = g_ptr_array_index (test->events, i);

    if (unit->kind != TEST_UNIT || unit->track != ladder.video[1] ||
        unit->files[1] == 0)
      continue;
    g_assert_cmpint (unit->form == 7, ==,
        session_test_lane_file (test, 1, unit->files[1] - 1)->cut.pts >=
            30 * SECOND);
  }
}

/* Sound that all have joins all. */
static void
test_sound_joins_all (void)
{
  for (guint i = 0; i < 4; i++) {
    Ladder ladder = ladder_new (SOUND_NONE, 41 * SECOND, 50);
    g_autoptr (SessionTest) test = ladder.test;
    guint sound = session_test_join (test, FALSE, 15 * SECOND);

    for (guint j = 0; j < 2; j++)
      if (i & 1 << j)
        ladder_make_b_frames (test, ladder.video[j], 50);
    session_test_set_lane (test, sound, AMS_SESSION_ALL_LANES);
    session_test_sound (test, sound, 15 * SECOND, 41 * SECOND);
    session_test_play (test);
    session_test_check_times (test, 0);
    g_assert_cmpuint (session_test_count_lost (test, ladder.video[0]), ==, 0);
    g_assert_cmpuint (session_test_count_lost (test, ladder.video[1]), ==, 0);
    g_assert_cmpuint (session_test_count_lost (test, sound), <=,
        2 * SECOND / SOUND_FRAME);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    for (guint j = 0; j < 2; j++)
      g_assert_cmpuint (
          session_test_lane_file (test, j, ladder_count_files (test, j) - 1)
              ->n_units[FALSE],
          >, 0);
  }
}

static void
test_earlier_recording_goes_on_in_all (void)
{
  Ladder ladder = ladder_new (SOUND_ALONE, 41 * SECOND, 25);
  g_autoptr (SessionTest) test = ladder.test;

  test->start_time = 1234 * SECOND;
  test->start_delay = SECOND;
  session_test_play (test);
  ladder_check_aligned (&ladder);
}

/* A keyframe that would have come in time by the interval so far: all are cut at the one
 * before, sound at its first frame behind that. */
static void
test_late_cut_at_candidate_in_all (void)
{
  for (guint i = 0; i < N_SOUNDS * 4; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 40 * SECOND, 0);
    g_autoptr (SessionTest) test = ladder.test;

    for (guint j = 0; j < 2; j++) {
      session_test_find (test, ladder.video[j], 0)->flags = AMS_UNIT_KEY;
      session_test_find (test, ladder.video[j], 2 * SECOND)->flags =
          AMS_UNIT_KEY;
      session_test_find (test, ladder.video[j], 12 * SECOND)->flags =
          AMS_UNIT_KEY;
    }
    test->carries = (i / N_SOUNDS & 1) != 0;
    session_test_find (test, ladder.video[1], 2 * SECOND)->damaged =
        (i / N_SOUNDS & 2) != 0;
    session_test_play (test);
    g_assert_cmpint (session_test_file (test, 0)->end, ==, 2 * SECOND);
    if (i / N_SOUNDS & 2)
      g_assert_cmpuint (ladder_count_files (test, 1), ==,
          ladder_count_files (test, 0));
    else
      ladder_check_aligned (&ladder);
  }
}

/* What was marked while the other one led is not kept for what that leads. */
static void
test_new_lead_keeps_no_mark (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 40 * SECOND, 0);
  g_autoptr (SessionTest) test = ladder.test;

  for (guint i = 0; i < 2; i++)
    session_test_find (test, ladder.video[i], 0)->flags = AMS_UNIT_KEY;
  session_test_find (test, ladder.video[1], 2 * SECOND)->flags = AMS_UNIT_KEY;
  session_test_cut_out (test, ladder.video[0], 3 * SECOND, 40 * SECOND);
  session_test_event (test, TEST_END, ladder.video[0], 3 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_cmpuint (test->most_kept, <=,
      (1 + 4500 * MS / FRAME + 4500 * MS / SOUND_FRAME) *
          sizeof (AmsFakeRecord));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/lanes/aligned",
      test_aligned_cut_at_same_keyframes);
  g_test_add_func ("/session/lanes/late-keyframe",
      test_late_keyframe_all_cut_at_one_before);
  g_test_add_func ("/session/lanes/late-cut",
      test_late_cut_at_candidate_in_all);
  g_test_add_func ("/session/lanes/new-lead", test_new_lead_keeps_no_mark);
  g_test_add_func ("/session/lanes/half-a-frame",
      test_aligned_but_for_half_a_frame);
  g_test_add_func ("/session/lanes/earliest", test_start_with_earliest_video);
  g_test_add_func ("/session/lanes/mark-age", test_mark_not_kept_for_long);
  g_test_add_func ("/session/lanes/sub-stream/numbers",
      test_sub_stream_keeps_numbers);
  g_test_add_func ("/session/lanes/sub-stream/promise",
      test_sub_stream_of_same_rhythm_keeps_promise);
  g_test_add_func ("/session/lanes/sub-stream/no-keyframes",
      test_follower_without_keyframes_cut_at_pictures);
  g_test_add_func ("/session/lanes/back-asked",
      test_lane_that_is_back_is_asked_for_keyframe);
  g_test_add_func ("/session/lanes/answer", test_answer_of_lead_counts);
  g_test_add_func ("/session/lanes/intra-only",
      test_intra_only_follower_marked_now_and_then);
  g_test_add_func ("/session/lanes/split-now", test_split_now_splits_all);
  g_test_add_func ("/session/lanes/requests",
      test_keyframes_asked_of_all_at_one_time);
  g_test_add_func ("/session/lanes/jump/all",
      test_jump_in_all_is_one_discontinuity);
  g_test_add_func ("/session/lanes/jump/one",
      test_jump_in_one_is_no_discontinuity);
  g_test_add_func ("/session/lanes/form/over",
      test_other_form_in_one_is_discontinuity_in_all);
  g_test_add_func ("/session/lanes/form/back",
      test_back_in_other_form_behind_discontinuity);
  g_test_add_func ("/session/lanes/sound-joins", test_sound_joins_all);
  g_test_add_func ("/session/lanes/earlier-recording",
      test_earlier_recording_goes_on_in_all);
  return g_test_run ();
}
