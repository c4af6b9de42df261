/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several renditions in one session, of which some lack media for a while. */

#include "session-ladder.h"

/* ---- lanes that lack media ---- */

typedef struct
{
  const gchar *name;
  guint lane;
  gint64 from, to; /* without any */
  guint gaps; /* files that there are not */
} StallCase;

static const StallCase stall_cases[] = {
  { "short", 1, 10200 * MS, 11 * SECOND, 0 },
  { "over-a-cut", 1, 10200 * MS, 14 * SECOND, 0 },
  { "long", 1, 10200 * MS, 30 * SECOND, 4 },
  { "from-a-cut", 1, 12 * SECOND, 24 * SECOND, 3 },
  { "between-keyframes", 1, 10200 * MS, 30600 * MS, 5 },
  { "to-the-end", 1, 20200 * MS, 100 * SECOND, 9 },
  { "lead-short", 0, 10200 * MS, 11 * SECOND, 0 },
  { "lead-over-a-cut", 0, 10200 * MS, 14 * SECOND, 0 },
  { "lead-long", 0, 10200 * MS, 30 * SECOND, 4 },
  { "lead-to-the-end", 0, 20200 * MS, 100 * SECOND, 9 },
};

static void
play_stall (const StallCase *this, Sound with, gboolean says_so,
    gboolean as_file)
{
  Ladder ladder = ladder_new (with, 60 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;
  guint video = ladder.video[this->lane];

  session_test_cut_out (test, video, this->from, this->to);
  if (says_so && this->to < 60 * SECOND)
    session_test_find (test, video, this->to)->discont = TRUE;
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, ladder.video[!this->lane]),
      ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, ladder.sound[0]), ==, 0);
  session_test_check_times (test, 0);
  for (guint i = 0; i < test->n_lanes; i++)
    g_assert_cmpuint (ladder_count_files (test, i), ==,
        ladder_count_files (test, 0));
  g_assert_cmpuint (ladder_count_gaps (test, !this->lane), ==, 0);
  if (with != SOUND_OF_EACH)
    g_assert_cmpuint (ladder_count_gaps (test, this->lane), ==, this->gaps);
  else
    g_assert_cmpuint (ladder_count_gaps (test, this->lane), ==, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  ladder_check_sums (test, SECOND);
}

static void
test_stalled_lane_has_gaps (gconstpointer data)
{
  for (guint i = 0; i < N_SOUNDS * 4; i++)
    play_stall (data, i % N_SOUNDS, i / N_SOUNDS & 1, i / N_SOUNDS & 2);
}

/* Until its keyframe comes, the other one goes on to lead. */
static void
test_lead_that_is_back_without_keyframe_does_not_lead (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;
  guint n = 0;

  session_test_cut_out (test, ladder.video[0], 10200 * MS, 30600 * MS);
  for (gint64 key = 32; key < 46; key += 2)
    session_test_find (test, ladder.video[0], key * SECOND)->flags = 0;
  session_test_play (test);
  g_assert_cmpuint (ladder_count_files (test, 1), ==, 15);
  for (guint i = 0; i < 15; i++)
    g_assert_cmpint (session_test_lane_file (test, 1, i)->cut.pts, ==,
        i * 4 * SECOND);
  g_assert_cmpuint (ladder_count_gaps (test, 0), ==, 8);
  for (guint i = 0; i < test->requests->len; i++)
    n += g_array_index (test->requests, TestRequest, i).time == AMS_TIME_NONE;
  g_assert_cmpuint (n, <=, 4);
}

/* Sound that all have goes on in all, rather than that of one. */
static void
test_sound_of_all_leads_without_video (void)
{
  Ladder ladder = ladder_new (SOUND_NONE, 60 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;
  guint own = session_test_add_sound (test);
  guint all = session_test_add_sound (test);

  session_test_set_lane (test, own, 1);
  session_test_set_lane (test, all, AMS_SESSION_ALL_LANES);
  session_test_sound (test, own, 0, 60 * SECOND);
  session_test_sound (test, all, 0, 60 * SECOND);
  for (guint i = 0; i < 2; i++)
    session_test_cut_out (test, ladder.video[i], 21 * SECOND, 60 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (ladder_count_gaps (test, i), ==, 0);
    g_assert_cmpuint (ams_session_get_lane (test->session, i)->left_out, ==, 0);
  }
}

/* Its tables change: a discontinuity, and in all. */
static void
test_video_that_is_replaced_begins_behind_discontinuity (void)
{
  for (guint i = 0; i < 2; i++) {
    Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, 50);
    g_autoptr (SessionTest) test = ladder.test;
    guint other = session_test_join (test, TRUE, 30600 * MS - 1);
    const TestEvent *first = NULL;

    session_test_set_lane (test, other, i);
    session_test_cut_out (test, ladder.video[i], 21 * SECOND, 60 * SECOND);
    session_test_event (test, TEST_REMOVE, ladder.video[i], 21 * SECOND);
    session_test_video (test, other, 30600 * MS, 60 * SECOND, 25);
    session_test_play (test);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    g_assert_cmpuint (session_test_count_lost (test, other), <=, 75);
    for (guint j = 0; j < test->events->len; j++) {
      first = g_ptr_array_index (test->events, j);
      if (first->kind == TEST_UNIT && first->track == other &&
          first->files[i] > 0)
        break;
    }
    g_assert_true (session_test_lane_file (test, i, first->files[i] - 1)
                       ->cut.discontinuity);
  }
}

/* The lead ends when the other one has yet to begin its file for the last cut: what
 * that begins with is no candidate. */
static void
test_lead_ends_while_cut_is_pending (void)
{
  Ladder ladder = ladder_new (SOUND_NONE, 24 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;

  for (guint i = 1; i < 24 * 25; i++)
    session_test_find (test, ladder.video[1], i * FRAME)->flags =
        i == 115 || i == 300 || i == 400 ? AMS_UNIT_KEY : 0;
  session_test_cut_out (test, ladder.video[0], 4200 * MS, 24 * SECOND);
  session_test_event (test, TEST_END, ladder.video[0], 4200 * MS);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_cmpuint (ladder_count_files (test, 1), ==, 4);
  g_assert_cmpint (session_test_lane_file (test, 1, 1)->cut.pts, ==,
      115 * FRAME);
  g_assert_cmpint (session_test_lane_file (test, 1, 2)->cut.pts, ==,
      300 * FRAME);
}

static void
test_all_stall_then_begin_anew (void)
{
  for (guint i = 0; i < N_SOUNDS * 2; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 60 * SECOND, 50);
    g_autoptr (SessionTest) test = ladder.test;

    if (i / N_SOUNDS)
      ladder_make_b_frames (test, ladder.video[1], 50);
    for (guint track = 0; track < test->tracks->len; track++) {
      session_test_cut_out (test, track, 18200 * MS, 40 * SECOND);
      session_test_find (test, track, 41 * SECOND)->discont = FALSE;
    }
    session_test_play (test);
    session_test_check_times (test, 0);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    for (guint j = 0; j < test->n_lanes; j++) {
      g_assert_cmpuint (ladder_count_files (test, j), ==,
          ladder_count_files (test, 0));
      g_assert_cmpuint (ladder_count_gaps (test, j), ==, 0);
    }
    ladder_check_sums (test, FRAME);
  }
}

static void
test_lane_that_ends_early_has_gaps (void)
{
  for (guint i = 0; i < N_SOUNDS * 4; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 60 * SECOND, 50);
    g_autoptr (SessionTest) test = ladder.test;
    guint lane = i / N_SOUNDS & 1;

    session_test_cut_out (test, ladder.video[lane], 21 * SECOND, 61 * SECOND);
    session_test_event (test, i / N_SOUNDS & 2 ? TEST_REMOVE : TEST_END,
        ladder.video[lane], 21 * SECOND);
    session_test_play (test);
    session_test_check_nothing_lost (test);
    session_test_check_times (test, 0);
    g_assert_cmpuint (ladder_count_files (test, 1), ==,
        ladder_count_files (test, 0));
    g_assert_cmpuint (ladder_count_gaps (test, lane), ==,
        ladder.with == SOUND_OF_EACH ? 0 : 9);
    g_assert_cmpuint (ladder_count_gaps (test, !lane), ==, 0);
    ladder_check_sums (test, SECOND);
  }
}

/* Its first file has the number of those that the others have then. */
static void
test_lane_that_joins_late_begins_with_number_of_others (void)
{
  for (guint i = 0; i < N_SOUNDS * 2; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 60 * SECOND, 50);
    g_autoptr (SessionTest) test = ladder.test;
    gint64 from = i / N_SOUNDS ? 21 * SECOND : 24 * SECOND;

    session_test_cut_out (test, ladder.video[1], 0, from);
    if (ladder.with == SOUND_OF_EACH)
      session_test_cut_out (test, ladder.sound[1], 0, 70 * SECOND);
    if (ladder.with == SOUND_OF_EACH)
      session_test_event (test, TEST_REMOVE, ladder.sound[1], 0);
    session_test_play (test);
    g_assert_cmpuint (session_test_count_lost (test, ladder.video[0]), ==, 0);
    g_assert_cmpuint (session_test_count_lost (test, ladder.video[1]), <=, 25);
    session_test_check_times (test, 0);
    g_assert_cmpuint (ladder_count_files (test, 0), ==, 15);
    g_assert_cmpuint (ladder_count_files (test, 1), <=, 15 - 5);
    g_assert_cmpuint (ladder_count_files (test, 1), >=, 15 - 6);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
    ladder_check_sums (test, FRAME);
  }
}

/* So does one that is there only then; sound that all have is in it, too. */
static void
test_lane_that_is_added_late_begins_with_number_of_others (void)
{
  for (guint i = 0; i < 4; i++) {
    guint video, sound;
    g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
    guint late = session_test_join (test, TRUE, 21 * SECOND - 1);
    guint own = session_test_join (test, FALSE, 21 * SECOND - 1);

    session_test_set_lane (test, sound, AMS_SESSION_ALL_LANES);
    session_test_set_lane (test, late, 1);
    session_test_set_lane (test, own, 1);
    session_test_sound (test, own, 21 * SECOND, 60 * SECOND);
    test->late_lanes = 1;
    test->carries = i & 1;
    test->start_time = i & 2 ? 77 * SECOND : AMS_TIME_NONE;
    session_test_video (test, video, 0, 60 * SECOND, 50);
    session_test_sound (test, sound, 0, 60 * SECOND);
    session_test_video (test, late, 21 * SECOND, 60 * SECOND, 50);
    session_test_play (test);
    g_assert_cmpuint (session_test_count_lost (test, late), ==, 0);
    session_test_check_times (test, 0);
    g_assert_cmpuint (ladder_count_files (test, 1), ==, 10);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
    for (guint j = 0; j < 10; j++)
      g_assert_cmpuint (session_test_lane_file (test, 1, j)->n_units[FALSE], >,
          80);
    ladder_check_sums (test, FRAME);
  }
}

/* One of them has been away for longer. */
static void
test_all_stall_one_for_longer (void)
{
  Ladder ladder = ladder_new (SOUND_OF_ALL, 60 * SECOND, 50);
  g_autoptr (SessionTest) test = ladder.test;
  guint n = 0;

  session_test_cut_out (test, ladder.video[1], 9 * SECOND, 18400 * MS);
  for (guint track = 0; track < test->tracks->len; track++)
    session_test_cut_out (test, track, 18200 * MS, 40 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  for (guint i = 0; i < ladder_count_files (test, 1); i++) {
    const TestFile *file = session_test_lane_file (test, 1, i);

    if (!file->cut.discontinuity)
      continue;
    g_assert_cmpint (file->cut.pts, ==, 40 * SECOND);
    g_assert_cmpint (session_test_file (test, i)->cut.pts, ==, 40 * SECOND);
    n++;
  }
  g_assert_cmpuint (n, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/lanes/stall/all-one-longer",
      test_all_stall_one_for_longer);
  g_test_add_func ("/session/lanes/back-without-keyframe",
      test_lead_that_is_back_without_keyframe_does_not_lead);
  g_test_add_func ("/session/lanes/sound-leads",
      test_sound_of_all_leads_without_video);
  g_test_add_func ("/session/lanes/replaced",
      test_video_that_is_replaced_begins_behind_discontinuity);
  g_test_add_func ("/session/lanes/lead-ends",
      test_lead_ends_while_cut_is_pending);
  g_test_add_func ("/session/lanes/stall/all", test_all_stall_then_begin_anew);
  g_test_add_func ("/session/lanes/ends-early",
      test_lane_that_ends_early_has_gaps);
  g_test_add_func ("/session/lanes/joins-late",
      test_lane_that_joins_late_begins_with_number_of_others);
  g_test_add_func ("/session/lanes/added-late",
      test_lane_that_is_added_late_begins_with_number_of_others);
  for (guint i = 0; i < G_N_ELEMENTS (stall_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/lanes/stall/%s", stall_cases[i].name);

    g_test_add_data_func (path, &stall_cases[i], test_stalled_lane_has_gaps);
  }
  return g_test_run ();
}
