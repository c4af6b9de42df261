/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session-ladder.h"

Ladder
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

guint
ladder_count_files (SessionTest *test, guint lane)
{
  return test->lanes[lane].files->len;
}

guint
ladder_count_gaps (SessionTest *test, guint lane)
{
  guint n = 0;

  for (guint i = 0; i < ladder_count_files (test, lane); i++)
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

void
ladder_make_b_frames (SessionTest *test, guint track, guint gop)
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

void
ladder_check_aligned (Ladder *self)
{
  SessionTest *test = self->test;

  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  for (guint i = 0; i < test->n_lanes; i++) {
    gint64 late = i == 2 ? SOUND_FRAME : 0;

    g_assert_cmpuint (ams_session_get_lane (test->session, i)->left_out, ==, 0);
    g_assert_cmpuint (ladder_count_files (test, i), ==,
        ladder_count_files (test, 0));
    g_assert_cmpuint (ladder_count_gaps (test, i), ==, 0);
    for (guint j = 0; j < ladder_count_files (test, i); j++) {
      gint64 cut = session_test_file (test, j)->cut.pts;

      g_assert_cmpint (session_test_lane_file (test, i, j)->cut.pts, >=, cut);
      g_assert_cmpint (session_test_lane_file (test, i, j)->cut.pts, <=,
          cut + late);
    }
  }
}

void
ladder_check_sums (SessionTest *test, gint64 off)
{
  const TestFile *last = session_test_file (test, test->files->len - 1);

  for (guint i = 1; i < test->n_lanes; i++) {
    const TestFile *other =
        session_test_lane_file (test, i, ladder_count_files (test, i) - 1);

    g_assert_cmpuint (other->cut.index, ==, last->cut.index);
    session_test_assert_near (other->end, last->end, off);
  }
}
