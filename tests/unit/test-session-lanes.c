/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several renditions in one session: one cut for all. */

#include "session-common.h"

typedef enum
{
  SOUND_NONE,
  SOUND_OF_ALL,
  SOUND_OF_EACH,
  SOUND_ALONE, /* a rendition of its own */
  N_SOUNDS,
} Sound;

typedef struct
{
  SessionTest *test;
  guint video[2];
  guint sound[2];
  Sound with;
} Ladder;

/* Two videos of 25 Hz from 0 to @to, a keyframe every @gop frames. */
static Ladder
ladder_new (Sound with, gint64 to, guint gop)
{
  Ladder self = { session_test_new (), { 0 }, { 0 }, with };

  for (guint i = 0; i < 2; i++) {
    self.video[i] = session_test_add_video (self.test);
    session_test_set_lane (self.test, self.video[i], i);
    session_test_video (self.test, self.video[i], 0, to, gop);
  }
  for (guint i = 0; with != SOUND_NONE && i < 1 + (with == SOUND_OF_EACH);
       i++) {
    self.sound[i] = session_test_add_sound (self.test);
    session_test_set_lane (self.test, self.sound[i],
        with == SOUND_OF_ALL        ? AMS_SESSION_ALL_LANES
            : with == SOUND_OF_EACH ? i
                                    : 2);
    session_test_sound (self.test, self.sound[i], 0, to);
  }
  return self;
}

static guint
count_files (SessionTest *test, guint lane)
{
  return test->lanes[lane].files->len;
}

static guint
count_gaps (SessionTest *test, guint lane)
{
  guint n = 0;

  for (guint i = 0; i < count_files (test, lane); i++)
    n += session_test_lane_file (test, lane, i)->gap;
  return n;
}

/* The picture numbers of a GOP in the order of decoding: I0 P3 B1 B2 P6 B4 B5 … */
static guint
reorder (guint i, guint gop)
{
  static const gint by[] = { 2, -1, -1 };

  if (i == 0 || (i - 1) / 3 * 3 + 3 >= gop)
    return i;
  return i + by[(i - 1) % 3];
}

static void
make_b_frames (SessionTest *test, guint track, guint gop)
{
  guint n = 0;

  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind != TEST_UNIT || event->track != track)
      continue;
    event->truth = event->pts =
        (n / gop * gop + reorder (n % gop, gop)) * FRAME;
    event->dts = ((gint64) n - 2) * FRAME;
    n++;
  }
}

/* All units are in all their lanes, and all lanes are cut at the same times; sound
 * alone at the first frame behind these. */
static void
check_aligned (Ladder *self)
{
  SessionTest *test = self->test;

  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  for (guint i = 0; i < test->n_lanes; i++) {
    gint64 late = i == 2 ? SOUND_FRAME : 0;

    g_assert_cmpuint (ams_session_get_lane (test->session, i)->left_out, ==, 0);
    g_assert_cmpuint (count_files (test, i), ==, count_files (test, 0));
    g_assert_cmpuint (count_gaps (test, i), ==, 0);
    for (guint j = 0; j < count_files (test, i); j++) {
      gint64 cut = session_test_file (test, j)->cut.pts;

      g_assert_cmpint (session_test_lane_file (test, i, j)->cut.pts, >=, cut);
      g_assert_cmpint (session_test_lane_file (test, i, j)->cut.pts, <=,
          cut + late);
    }
  }
}

/* Each lane's list reaches as far as the first one's. */
static void
check_sums (SessionTest *test, gint64 off)
{
  const TestFile *last = session_test_file (test, test->files->len - 1);

  for (guint i = 1; i < test->n_lanes; i++) {
    const TestFile *other =
        session_test_lane_file (test, i, count_files (test, i) - 1);

    g_assert_cmpuint (other->cut.index, ==, last->cut.index);
    session_test_assert_near (other->end, last->end, off);
  }
}

/* ---- encoders that are aligned ---- */

static void
test_aligned_cut_at_same_keyframes (void)
{
  for (guint i = 0; i < N_SOUNDS * 16; i++) {
    Ladder ladder = ladder_new (i % N_SOUNDS, 41 * SECOND, 25);
    g_autoptr (SessionTest) test = ladder.test;

    for (guint j = 0; j < 2; j++)
      if (i / N_SOUNDS & 1 << j)
        make_b_frames (test, ladder.video[j], 25);
    test->as_file = (i / N_SOUNDS & 4) != 0;
    test->carries = (i / N_SOUNDS & 8) != 0;
    session_test_play (test);
    check_aligned (&ladder);
    check_sums (test, FRAME);
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
    check_aligned (&ladder);
    check_sums (test, FRAME);
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
    make_b_frames (test, ladder.video[0], gop);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (count_files (test, 1), ==, count_files (test, 0));
  g_assert_cmpuint (count_gaps (test, 0) + count_gaps (test, 1), ==, 0);
  for (guint i = 0; i < count_files (test, 1); i++) {
    const TestFile *file = session_test_lane_file (test, 1, i);

    g_assert_cmpint (file->end - file->cut.pts, <=, longest);
    session_test_assert_near (file->cut.pts,
        session_test_file (test, i)->cut.pts, longest);
  }
  check_sums (test, 2 * FRAME);
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
    for (guint i = 0; i < count_files (test, 1); i++) {
      const TestFile *file = session_test_lane_file (test, 1, i);

      /* Nobody ends the last one. */
      g_assert_cmpint (file->end - file->cut.pts, <,
          i + 1 < count_files (test, 1) ? 4500 * MS : 6500 * MS);
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
      make_b_frames (test, ladder.video[0], 25);
    session_test_shift (test, ladder.video[1], FRAME, 60 * SECOND,
        i & 2 ? 19 * MS : -19 * MS);
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_false (test->dependent);
    for (guint j = 1; j < count_files (test, 0); j++)
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
    g_assert_cmpuint (count_gaps (test, 0) + count_gaps (test, 1), ==, 0);
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
    check_aligned (&ladder);
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
  check_aligned (&ladder);
  g_assert_cmpuint (test->most_kept, <=,
      (1 + 4500 * MS / FRAME + 4500 * MS / SOUND_FRAME) *
          sizeof (AmsFakeRecord));
}

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
    g_assert_cmpuint (count_files (test, i), ==, count_files (test, 0));
  g_assert_cmpuint (count_gaps (test, !this->lane), ==, 0);
  if (with != SOUND_OF_EACH)
    g_assert_cmpuint (count_gaps (test, this->lane), ==, this->gaps);
  else
    g_assert_cmpuint (count_gaps (test, this->lane), ==, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  check_sums (test, SECOND);
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
  g_assert_cmpuint (count_files (test, 1), ==, 15);
  for (guint i = 0; i < 15; i++)
    g_assert_cmpint (session_test_lane_file (test, 1, i)->cut.pts, ==,
        i * 4 * SECOND);
  g_assert_cmpuint (count_gaps (test, 0), ==, 8);
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
    g_assert_cmpuint (count_gaps (test, i), ==, 0);
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
  g_assert_cmpuint (count_files (test, 1), ==, 4);
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
      make_b_frames (test, ladder.video[1], 50);
    for (guint track = 0; track < test->tracks->len; track++) {
      session_test_cut_out (test, track, 18200 * MS, 40 * SECOND);
      session_test_find (test, track, 41 * SECOND)->discont = FALSE;
    }
    session_test_play (test);
    session_test_check_times (test, 0);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    for (guint j = 0; j < test->n_lanes; j++) {
      g_assert_cmpuint (count_files (test, j), ==, count_files (test, 0));
      g_assert_cmpuint (count_gaps (test, j), ==, 0);
    }
    check_sums (test, FRAME);
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
    g_assert_cmpuint (count_files (test, 1), ==, count_files (test, 0));
    g_assert_cmpuint (count_gaps (test, lane), ==,
        ladder.with == SOUND_OF_EACH ? 0 : 9);
    g_assert_cmpuint (count_gaps (test, !lane), ==, 0);
    check_sums (test, SECOND);
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
    g_assert_cmpuint (count_files (test, 0), ==, 15);
    g_assert_cmpuint (count_files (test, 1), <=, 15 - 5);
    g_assert_cmpuint (count_files (test, 1), >=, 15 - 6);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
    check_sums (test, FRAME);
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
    g_assert_cmpuint (count_files (test, 1), ==, 10);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
    for (guint j = 0; j < 10; j++)
      g_assert_cmpuint (session_test_lane_file (test, 1, j)->n_units[FALSE], >,
          80);
    check_sums (test, FRAME);
  }
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
    check_aligned (&ladder);
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
  check_aligned (&ladder);
  for (guint i = 0; i < count_files (test, 1); i++) {
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
      make_b_frames (test, ladder.video[1], 25);
    session_test_event (test, TEST_SPLIT, 0, 9500 * MS);
    session_test_play (test);
    check_aligned (&ladder);
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
      make_b_frames (test, ladder.video[1], 25);
    for (guint track = 0; track < test->tracks->len; track++)
      session_test_shift (test, track, 20 * SECOND, 50 * SECOND, -15 * SECOND);
    session_test_play (test);
    session_test_check_nothing_lost (test);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    for (guint j = 0; j < test->n_lanes; j++) {
      g_assert_cmpuint (count_files (test, j), ==, count_files (test, 0));
      g_assert_cmpuint (count_gaps (test, j), ==, 0);
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
  g_assert_cmpuint (count_files (test, 1), ==, count_files (test, 0));
  g_assert_cmpuint (count_gaps (test, 1), ==, 0);
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
      g_assert_cmpuint (count_files (test, j), ==, count_files (test, 0));
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
        make_b_frames (test, ladder.video[j], 50);
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
          session_test_lane_file (test, j, count_files (test, j) - 1)
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
  check_aligned (&ladder);
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
      g_assert_cmpuint (count_files (test, 1), ==, count_files (test, 0));
    else
      check_aligned (&ladder);
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
  for (guint i = 0; i < count_files (test, 1); i++) {
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
  g_test_add_func ("/session/lanes/aligned",
      test_aligned_cut_at_same_keyframes);
  g_test_add_func ("/session/lanes/late-keyframe",
      test_late_keyframe_all_cut_at_one_before);
  g_test_add_func ("/session/lanes/late-cut",
      test_late_cut_at_candidate_in_all);
  g_test_add_func ("/session/lanes/new-lead", test_new_lead_keeps_no_mark);
  g_test_add_func ("/session/lanes/stall/all-one-longer",
      test_all_stall_one_for_longer);
  g_test_add_func ("/session/lanes/half-a-frame",
      test_aligned_but_for_half_a_frame);
  g_test_add_func ("/session/lanes/earliest", test_start_with_earliest_video);
  g_test_add_func ("/session/lanes/mark-age", test_mark_not_kept_for_long);
  g_test_add_func ("/session/lanes/back-without-keyframe",
      test_lead_that_is_back_without_keyframe_does_not_lead);
  g_test_add_func ("/session/lanes/sound-leads",
      test_sound_of_all_leads_without_video);
  g_test_add_func ("/session/lanes/replaced",
      test_video_that_is_replaced_begins_behind_discontinuity);
  g_test_add_func ("/session/lanes/lead-ends",
      test_lead_ends_while_cut_is_pending);
  g_test_add_func ("/session/lanes/sub-stream/numbers",
      test_sub_stream_keeps_numbers);
  g_test_add_func ("/session/lanes/sub-stream/promise",
      test_sub_stream_of_same_rhythm_keeps_promise);
  g_test_add_func ("/session/lanes/sub-stream/no-keyframes",
      test_follower_without_keyframes_cut_at_pictures);
  for (guint i = 0; i < G_N_ELEMENTS (stall_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/lanes/stall/%s", stall_cases[i].name);

    g_test_add_data_func (path, &stall_cases[i], test_stalled_lane_has_gaps);
  }
  g_test_add_func ("/session/lanes/stall/all", test_all_stall_then_begin_anew);
  g_test_add_func ("/session/lanes/ends-early",
      test_lane_that_ends_early_has_gaps);
  g_test_add_func ("/session/lanes/joins-late",
      test_lane_that_joins_late_begins_with_number_of_others);
  g_test_add_func ("/session/lanes/added-late",
      test_lane_that_is_added_late_begins_with_number_of_others);
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
