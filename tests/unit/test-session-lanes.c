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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/lanes/aligned",
      test_aligned_cut_at_same_keyframes);
  g_test_add_func ("/session/lanes/late-keyframe",
      test_late_keyframe_all_cut_at_one_before);
  return g_test_run ();
}
