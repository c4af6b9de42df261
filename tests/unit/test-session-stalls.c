/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tracks that fall silent, and come back. */

#include "session-common.h"

static guint
count_requests (SessionTest *test, gint64 from, gint64 to)
{
  guint n = 0;

  for (guint i = 0; i < test->requests->len; i++) {
    const TestRequest *request =
        &g_array_index (test->requests, TestRequest, i);

    n += request->time == AMS_TIME_NONE && request->asked >= from &&
        request->asked < to;
  }
  return n;
}

/* ---- the video ---- */

typedef struct
{
  const gchar *name;
  gint64 from, to; /* no video; keyframes are at multiples of 2 s */
  gboolean key; /* it comes back with a keyframe */
} StallCase;

static const StallCase stall_cases[] = {
  { "short", 9 * SECOND, 10 * SECOND, TRUE },
  { "short-mid-gop", 9 * SECOND, 10600 * MS, FALSE },
  { "5-s", 9 * SECOND, 14 * SECOND, TRUE },
  { "5-s-mid-gop", 9 * SECOND, 14600 * MS, FALSE },
  { "20-s", 9 * SECOND, 30 * SECOND, TRUE },
  { "20-s-mid-gop", 9 * SECOND, 30600 * MS, FALSE },
  { "at-start", 40 * MS, 9 * SECOND, FALSE },
};

static void
play_stall (const StallCase *this, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 50 * SECOND, 50);
  session_test_sound (test, sound, 0, 50 * SECOND);
  session_test_cut_out (test, video, this->from, this->to);
  test->as_file = as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_cmpuint (test->session->left_out, ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 50 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
  if (this->key)
    g_assert_false (test->dependent);
}

static void
test_video_stall_sound_goes_on (gconstpointer data)
{
  play_stall (data, FALSE);
  play_stall (data, TRUE);
}

/* The picture comes back in mid-GOP: a keyframe is asked for. */
static void
test_video_back_in_mid_gop_keyframe_requested (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 50 * SECOND, 50);
  session_test_sound (test, sound, 0, 50 * SECOND);
  session_test_cut_out (test, video, 9 * SECOND, 30600 * MS);
  session_test_play (test);
  g_assert_cmpuint (count_requests (test, 0, 30 * SECOND), ==, 0);
  g_assert_cmpuint (count_requests (test, 30 * SECOND, 31 * SECOND), ==, 1);
  g_assert_cmpuint (count_requests (test, 31 * SECOND, 60 * SECOND), ==, 0);
}

/* GOPs as long as the target, and sound that is ahead of the picture: the stall is
 * cut though many segments came before it. */
static void
play_late_stall (gint64 target)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 stall = 40 * target + SECOND;

  test->settings.target_duration = target;
  session_test_video (test, video, 0, stall + 30 * SECOND, target / FRAME);
  session_test_sound (test, sound, 0, stall + 30 * SECOND);
  session_test_cut_out (test, video, stall, stall + 16 * SECOND);
  session_test_delay (test, video, 0, G_MAXINT64, 250 * MS);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_cmpuint (test->session->left_out, ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), stall + 30 * SECOND,
      FRAME);
  session_test_check_no_longer_than (test, target + 500 * MS);
}

static void
test_late_stall_promise_kept (void)
{
  play_late_stall (2 * SECOND);
  play_late_stall (4 * SECOND);
}

/* Twenty stalls. */
static void
play_many_stalls (gint64 phase, gint64 length)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 205 * SECOND, 50);
  session_test_sound (test, sound, 0, 205 * SECOND);
  for (guint i = 0; i < 20; i++) {
    gint64 from = i * 10 * SECOND + phase;

    session_test_cut_out (test, video, from, from + length);
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 205 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_many_stalls_promise_kept (void)
{
  for (gint64 phase = 40 * MS; phase < 4 * SECOND; phase += 520 * MS) {
    play_many_stalls (phase, 3 * SECOND);
    play_many_stalls (phase, 5 * SECOND);
  }
}

/* What was sent meanwhile arrives after all, in one burst. */
static void
play_burst (gboolean of_video, gint64 from, gint64 to)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  guint track = of_video ? video : sound;

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind == TEST_UNIT && event->track == track &&
        event->truth >= from && event->truth < to)
      event->arrival = to;
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 40 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_burst_after_stall_times_kept (void)
{
  for (guint i = 0; i < 2; i++) {
    play_burst (i, 9 * SECOND, 10500 * MS);
    play_burst (i, 9 * SECOND, 13500 * MS);
    play_burst (i, 9 * SECOND, 15 * SECOND);
    play_burst (i, 9 * SECOND, 24 * SECOND);
  }
}

/* The picture stalls while sound that is late waits for it to join: whoever brings
 * the sound is not held up for ever. */
static void
test_stall_while_sound_joins_not_blocked (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound = session_test_join (test, FALSE, 12 * SECOND);

  session_test_video (test, video, 0, 90 * SECOND, 50);
  session_test_cut_out (test, video, 12200 * MS, 80 * SECOND);
  session_test_sound (test, sound, 2100 * MS, 84 * SECOND);
  session_test_delay (test, sound, 0, 99 * SECOND, 9950 * MS);
  session_test_play (test);
  g_assert_false (test->was_full);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  /* That from before the stall. */
  g_assert_cmpuint (session_test_count_lost (test, sound), <=,
      10700 * MS / SOUND_FRAME + 10);
}

/* ---- the sound ---- */

static void
test_sound_stall_picture_goes_on (void)
{
  static const gint64 ends[] = { 10 * SECOND, 14 * SECOND, 30 * SECOND };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (ends); i++) {
    guint video, sound;
    g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

    session_test_video (test, video, 0, 50 * SECOND, 50);
    session_test_sound (test, sound, 0, 50 * SECOND);
    session_test_cut_out (test, sound, 9 * SECOND, ends[i / 2]);
    test->as_file = i & 1;
    session_test_play (test);
    session_test_check_nothing_lost (test);
    session_test_check_times (test, 0);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
    g_assert_cmpuint (test->files->len, ==, 13);
    session_test_assert_near (session_test_sum (test), 50 * SECOND, FRAME);
    session_test_check_no_longer_than (test, 4 * SECOND);
    g_assert_false (test->dependent);
  }
}

/* ---- both ---- */

typedef struct
{
  const gchar *name;
  gint64 from, to;
  gint64 sum; /* of 40 s */
  guint discontinuities;
} OutageCase;

static const OutageCase outage_cases[] = {
  { "1-s", 9 * SECOND, 10 * SECOND, 40 * SECOND, 0 },
  { "3-s-mid-gop", 9 * SECOND, 12600 * MS, 40 * SECOND, 0 },
  { "15-s", 9 * SECOND, 24 * SECOND, 25 * SECOND, 1 },
  { "15-s-mid-gop", 9 * SECOND, 24600 * MS, 24400 * MS, 1 },
};

static void
play_outage (const OutageCase *this, gboolean beside_sound, gboolean as_file)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_cut_out (test, video, this->from, this->to);
  if (beside_sound) {
    session_test_sound (test, session_test_add_sound (test), 0, 40 * SECOND);
    session_test_cut_out (test, 1, this->from, this->to);
  }
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  if (beside_sound)
    g_assert_cmpuint (session_test_count_lost (test, 1), ==,
        test->session->left_out);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==,
      this->discontinuities);
  session_test_assert_near (session_test_sum (test), this->sum, FRAME);
}

static void
test_outage_time_kept (gconstpointer data)
{
  for (guint i = 0; i < 4; i++)
    play_outage (data, i & 1, i & 2);
}

/* Where the source says that something is missing, a hole is no pause. */
static void
test_outage_said_discontinuity (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  for (guint i = 0; i < 2; i++) {
    session_test_cut_out (test, i, 9 * SECOND, 14 * SECOND);
    session_test_find (test, i, 14 * SECOND)->discont = TRUE;
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  session_test_assert_near (session_test_sum (test), 35 * SECOND, FRAME);
}

/* As at the start: the source says that pictures are missing, so what is back before
 * the first keyframe, and sound beside it, is in no segment. */
static void
test_marked_outage_begins_with_a_keyframe (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  for (guint i = 0; i < 2; i++) {
    session_test_cut_out (test, i, 9 * SECOND, 24600 * MS);
    session_test_find (test, i, 24600 * MS)->discont = TRUE;
  }
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 35);
  g_assert_cmpuint (ams_session_get_dropped (test->session), ==, 35);
  g_assert_cmpuint (session_test_count_lost (test, sound), >, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==,
      test->session->left_out);
  g_assert_cmpuint (session_test_find (test, sound, 25900 * MS)->n_written, ==,
      0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  g_assert_false (test->dependent);
  session_test_assert_near (session_test_sum (test), 23 * SECOND, FRAME);
}

/* A source that is started anew after an outage begins its times at 0. */
static void
play_restart (gint64 outage, gint64 by)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 to = 9 * SECOND + outage;

  session_test_video (test, video, 0, 60 * SECOND, 50);
  session_test_sound (test, sound, 0, 60 * SECOND);
  for (guint i = 0; i < 2; i++) {
    session_test_cut_out (test, i, 9 * SECOND, to);
    session_test_shift (test, i, to, 99 * SECOND, by);
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  for (guint i = 0; i < 2; i++) {
    const TestEvent *event = session_test_find (test, i, 40 * SECOND);
    gint64 off = event->got_pts - event->truth;

    /* As much later as it came, or at once; never apart. */
    session_test_assert_near (off,
        session_test_find (test, 1 - i, 40 * SECOND)->got_pts -
            session_test_find (test, 1 - i, 40 * SECOND)->truth,
        FRAME);
    g_assert_true (ABS (off) <= 2 * FRAME || ABS (off + outage) <= 2 * FRAME);
  }
  session_test_assert_near (session_test_sum (test), 60 * SECOND - outage,
      4 * FRAME);
}

static void
test_restart_tracks_together (void)
{
  static const gint64 outages[] = { 0, 3 * SECOND, 15 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (outages); i++) {
    play_restart (outages[i], -9 * SECOND - outages[i]);
    play_restart (outages[i], 40000 * SECOND);
  }
}

/* ---- asked for ---- */

/* In a stall the sound is cut at. */
static void
test_split_now_in_stall_at_once (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gboolean found = FALSE;

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  session_test_cut_out (test, video, 9 * SECOND, 30 * SECOND);
  session_test_event (test, TEST_SPLIT, 0, 20300 * MS);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  for (guint i = 0; i < test->files->len; i++)
    found |=
        ABS (session_test_file (test, i)->cut.pts - 20300 * MS) <= SOUND_FRAME;
  g_assert_true (found);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 40 * SECOND, FRAME);
}

static void
test_split_now_next_keyframe (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gboolean found = FALSE;

  session_test_video (test, video, 0, 40 * SECOND, 25);
  session_test_sound (test, sound, 0, 40 * SECOND);
  session_test_event (test, TEST_SPLIT, 0, 16300 * MS);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  for (guint i = 0; i < test->files->len; i++)
    found |= session_test_file (test, i)->cut.pts == 17 * SECOND;
  g_assert_true (found);
  g_assert_cmpuint (count_requests (test, 0, 99 * SECOND), ==, 1);
  session_test_check_no_longer_than (test, 4 * SECOND);
}

/* ---- gaps that are said ---- */

/* The parser says that there is no sound: it need not be waited for. */
static void
test_gap_events_sound_not_waited_for (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  session_test_cut_out (test, sound, 9 * SECOND, 30 * SECOND);
  for (gint64 at = 9 * SECOND; at < 30 * SECOND; at += SECOND / 2)
    session_test_event (test, TEST_GAP, sound, at)->pts = at + SECOND / 2;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 40 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4 * SECOND);
}

/* The picture rests, and says so: the sound is cut at. */
static void
play_resting_video (gboolean mute_before)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound =
      session_test_join (test, FALSE, mute_before ? 12 * SECOND : G_MININT64);
  gint64 sound_from = mute_before ? 12 * SECOND : 0;

  session_test_video (test, video, 0, 60 * SECOND, 50);
  session_test_sound (test, sound, sound_from, 60 * SECOND);
  session_test_cut_out (test, video, 9 * SECOND, 40 * SECOND);
  for (gint64 at = 9 * SECOND; at < 40 * SECOND; at += SECOND / 2)
    session_test_event (test, TEST_GAP, video, at)->pts = at + SECOND / 2;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), <=, mute_before);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, mute_before);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_gap_events_video_rests (void)
{
  play_resting_video (FALSE);
  play_resting_video (TRUE);
}

/* One that is wrong costs nothing. */
static void
test_gap_event_wrong_taken_back (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  session_test_event (test, TEST_GAP, video, 9100 * MS)->pts = 9000 * SECOND;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  g_assert_cmpuint (test->files->len, ==, 10);
  g_assert_false (test->dependent);
}

/* A demuxer gives the last picture from before an outage out only when the next one
 * comes: behind sound that is back already, in files of its own time, or later than
 * anybody waits, then in none. */
static void
play_last_picture (gint64 late, gboolean marked)
{
  gboolean waited_for = late < 2 * SECOND;
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 from = 9 * SECOND, to = 12 * SECOND;

  session_test_video (test, video, 0, 30 * SECOND, 25);
  session_test_sound (test, sound, 0, 30 * SECOND);
  for (guint i = 0; i < 2; i++) {
    session_test_cut_out (test, i ? sound : video, from, to);
    session_test_shift (test, i ? sound : video, to, 99 * SECOND, -to);
  }
  session_test_find (test, sound, to)->discont = marked;
  session_test_find (test, video, to)->discont = marked;
  session_test_find (test, video, from)->arrival = to + late;
  for (gint64 at = to; at < to + late; at += FRAME)
    session_test_find (test, video, at)->arrival = to + late;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==,
      waited_for ? 0 : 1);
  session_test_check_times (test, 2 * FRAME);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==,
      waited_for ? 1 : 2);
  session_test_assert_near (session_test_sum (test), 27 * SECOND, 2 * FRAME);
}

/* The clocks of the tracks are apart: the one that is back tells where the other is. */
static void
play_last_picture_apart (gint64 apart, gint64 after)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 from = 9 * SECOND, to = 15 * SECOND;
  const TestEvent *picture, *tone;

  session_test_video (test, video, 0, 30 * SECOND, 25);
  session_test_sound (test, sound, 0, 30 * SECOND);
  session_test_shift (test, sound, 0, 99 * SECOND, apart);
  for (guint i = 0; i < 2; i++) {
    session_test_cut_out (test, i ? sound : video, from, to);
    session_test_shift (test, i ? sound : video, to, 99 * SECOND,
        i ? after : -to);
  }
  session_test_find (test, video, from)->arrival = to + 100 * MS;
  for (gint64 at = to; at < to + 100 * MS; at += FRAME)
    session_test_find (test, video, at)->arrival = to + 100 * MS;
  session_test_find (test, sound, to)->discont = TRUE;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  /* In front of the first picture. */
  g_assert_cmpuint (session_test_count_lost (test, sound), <=, 1);
  picture = session_test_find (test, video, 20 * SECOND);
  tone = session_test_find (test, sound, 20 * SECOND);
  session_test_assert_near (picture->got_pts - picture->truth,
      tone->got_pts - tone->truth, 150 * MS);
  session_test_assert_near (session_test_sum (test), 24 * SECOND, 150 * MS);
}

/* Behind the outage the picture comes late, and its stamps are some seconds behind the
 * sound's: only what is from before is left out. */
static void
test_last_picture_then_stamps_apart (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 from = 9 * SECOND, to = 15 * SECOND, behind = 5500 * MS,
         late = 3 * SECOND;

  session_test_video (test, video, 0, 30 * SECOND, 25);
  session_test_sound (test, sound, 0, 30 * SECOND);
  for (guint i = 0; i < 2; i++)
    session_test_cut_out (test, i ? sound : video, from, to);
  session_test_shift (test, video, to, 99 * SECOND, -to);
  session_test_shift (test, sound, to, 99 * SECOND, behind - to);
  session_test_find (test, video, from)->arrival = to + late;
  for (gint64 at = to; at < to + late; at += FRAME)
    session_test_find (test, video, at)->arrival = to + late;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 1);
}

static void
test_last_picture_of_a_clock_of_its_own (void)
{
  play_last_picture_apart (600 * SECOND, -15 * SECOND);
  /* Only the video begins its times anew. */
  play_last_picture_apart (0, 0);
}

static void
test_last_picture_behind_outage (void)
{
  static const gint64 lates[] = { 10 * MS, 100 * MS, SECOND, 3 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (lates); i++) {
    play_last_picture (lates[i], FALSE);
    play_last_picture (lates[i], TRUE);
  }
}

/* A seek or a reconnect flushes both tracks. */
static void
test_flush_discontinuity (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  for (guint i = 0; i < 2; i++) {
    session_test_shift (test, i, 20 * SECOND, 99 * SECOND, -20 * SECOND);
    session_test_event (test, TEST_FLUSH, i, 20 * SECOND - 1);
  }
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 2 * FRAME);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  session_test_assert_near (session_test_sum (test), 40 * SECOND, 2 * FRAME);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (stall_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/stall/video/%s", stall_cases[i].name);
    g_test_add_data_func (path, &stall_cases[i],
        test_video_stall_sound_goes_on);
  }
  for (guint i = 0; i < G_N_ELEMENTS (outage_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/outage/%s", outage_cases[i].name);
    g_test_add_data_func (path, &outage_cases[i], test_outage_time_kept);
  }
  g_test_add_func ("/session/stall/requested",
      test_video_back_in_mid_gop_keyframe_requested);
  g_test_add_func ("/session/stall/late", test_late_stall_promise_kept);
  g_test_add_func ("/session/stall/many", test_many_stalls_promise_kept);
  g_test_add_func ("/session/stall/burst", test_burst_after_stall_times_kept);
  g_test_add_func ("/session/stall/joining",
      test_stall_while_sound_joins_not_blocked);
  g_test_add_func ("/session/stall/sound", test_sound_stall_picture_goes_on);
  g_test_add_func ("/session/outage/said", test_outage_said_discontinuity);
  g_test_add_func ("/session/outage/restart", test_restart_tracks_together);
  g_test_add_func ("/session/split-now/stall", test_split_now_in_stall_at_once);
  g_test_add_func ("/session/split-now/keyframe", test_split_now_next_keyframe);
  g_test_add_func ("/session/gap/sound", test_gap_events_sound_not_waited_for);
  g_test_add_func ("/session/gap/video", test_gap_events_video_rests);
  g_test_add_func ("/session/gap/wrong", test_gap_event_wrong_taken_back);
  g_test_add_func ("/session/outage/marked",
      test_marked_outage_begins_with_a_keyframe);
  g_test_add_func ("/session/outage/last-picture/apart",
      test_last_picture_of_a_clock_of_its_own);
  g_test_add_func ("/session/outage/last-picture/behind",
      test_last_picture_then_stamps_apart);
  g_test_add_func ("/session/outage/last-picture/together",
      test_last_picture_behind_outage);
  g_test_add_func ("/session/flush", test_flush_discontinuity);
  return g_test_run ();
}
