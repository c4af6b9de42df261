/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How recordings begin, how tracks join, and how all ends. */

#include "session-common.h"

/* Of those that ask for a keyframe at once. */
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

/* ---- tracks that start apart ---- */

typedef struct
{
  const gchar *name;
  gint64 video_ahead; /* stamps of the video, or of the sound */
  gint64
      apart; /* what the recording shall make of it; a track begins so late */
} ApartCase;

static const ApartCase apart_cases[] = {
  { "video-0.5-s", 500 * MS, 500 * MS },
  { "video-5-s", 5 * SECOND, 5 * SECOND },
  { "video-7-s", 7 * SECOND, 7 * SECOND },
  { "video-30-s", 30 * SECOND, 0 },
  { "video-600-s", 600 * SECOND, 0 },
  { "sound-0.5-s", -500 * MS, -500 * MS },
  { "sound-5-s", -5 * SECOND, -5 * SECOND },
  { "sound-10-s", -9900 * MS, -9900 * MS },
  { "sound-600-s", -600 * SECOND, 0 },
};

/* Sound that has no picture beside it is no loss of more than the frames in front
 * of a picture's keyframe. */
static guint
get_allowed_loss (const ApartCase *this)
{
  if (this->apart == 500 * MS)
    return 25; /* the recording begins with the picture */
  /* Where stamps say nothing, tracks are beside each other but for a frame. */
  return this->apart < -SECOND ? 2 * SECOND / SOUND_FRAME + 1 : 2;
}

static void
play_apart (const ApartCase *this, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 later = ABS (this->apart), length = 40 * SECOND;

  session_test_video (test, video, 0, length, 50);
  session_test_sound (test, sound, 0, length);
  session_test_shift (test, video, 0, length, MAX (this->video_ahead, 0));
  session_test_shift (test, sound, 0, length, MAX (-this->video_ahead, 0));
  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind == TEST_UNIT)
      event->truth +=
          event->track == (this->apart > 0 ? video : sound) ? later : 0;
  }
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), <=,
      get_allowed_loss (this));
  session_test_check_times (test, FRAME);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==,
      later > SECOND);
  session_test_assert_near (session_test_sum (test),
      length + (later > SECOND || this->apart < 0 ? later : 0),
      later > 0 && later <= SECOND ? later + FRAME : 2 * FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_start_apart_nothing_lost (gconstpointer data)
{
  play_apart (data, FALSE);
  play_apart (data, TRUE);
}

/* It comes when its stamps say so. */
static void
play_late (gboolean late_is_video, gint64 late, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  guint track = late_is_video ? video : sound;

  session_test_video (test, video, late_is_video ? late : 0, 60 * SECOND, 50);
  session_test_sound (test, sound, late_is_video ? 0 : late, 60 * SECOND);
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  if (track == video)
    g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  else
    g_assert_cmpuint (session_test_count_lost (test, sound), <, 100);
  session_test_check_times (test, 0);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
}

static void
test_start_later_joins (void)
{
  static const gint64 late[] = { 5 * SECOND, 9100 * MS, 30 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (late); i++)
    for (guint j = 0; j < 4; j++)
      play_late (j & 1, late[i], j & 2);
}

/* ---- joins ---- */

static void
test_join_sound_waits_for_keyframe (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound = session_test_join (test, FALSE, 10300 * MS);

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 10300 * MS, 30 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==,
      1700 * MS / SOUND_FRAME + 1);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  g_assert_cmpuint (count_requests (test, 10 * SECOND, 11 * SECOND), ==, 1);
  g_assert_cmpuint (count_requests (test, 0, 30 * SECOND), ==, 1);
  g_assert_false (test->dependent);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
}

/* No keyframe comes though it is asked for: cut in mid-GOP. */
static void
test_join_sound_without_keyframe_mid_gop (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound = session_test_join (test, FALSE, 10 * SECOND);

  session_test_video (test, video, 0, 60 * SECOND, 99999);
  session_test_sound (test, sound, 10 * SECOND, 60 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), <=,
      4600 * MS / SOUND_FRAME + 1);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  g_assert_cmpuint (count_requests (test, 0, 60 * SECOND), ==, 1);
  g_assert_true (test->dependent);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
}

/* Its stamps are far behind: that is not how long it has waited. */
static void
test_join_late_sound_waits_for_keyframe (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound = session_test_join (test, FALSE, 12 * SECOND);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 4300 * MS, 32 * SECOND);
  session_test_delay (test, sound, 0, 99 * SECOND, 8 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  session_test_check_times (test, 0);
  g_assert_false (test->dependent);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
}

static void
test_join_video_begins_at_keyframe (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint sound = session_test_add_sound (test);
  guint video = session_test_join (test, TRUE, 10 * SECOND);

  session_test_sound (test, sound, 0, 30 * SECOND);
  session_test_video (test, video, 9 * SECOND, 30 * SECOND, 50);
  session_test_cut_out (test, video, 9 * SECOND, 10 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 25);
  g_assert_cmpuint (ams_session_get_dropped (test->session), ==, 25);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  g_assert_cmpuint (count_requests (test, 10 * SECOND, 11 * SECOND), >=, 1);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_join_second_sound_at_once (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint first = session_test_add_sound (test);
  guint second = session_test_join (test, FALSE, 10 * SECOND);

  session_test_sound (test, first, 0, 30 * SECOND);
  session_test_sound (test, second, 10 * SECOND, 30 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, first), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, second), <=, 2);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
}

/* It begins behind the end of all that was there before. */
static void
test_join_behind_end_recorded (void)
{
  for (guint i = 0; i < 4; i++) {
    g_autoptr (SessionTest) test = session_test_new ();
    guint first =
        i & 1 ? session_test_add_video (test) : session_test_add_sound (test);
    guint second = session_test_join (test, FALSE, 9 * SECOND);

    if (i & 1)
      session_test_video (test, first, 0, 10 * SECOND, 50);
    else
      session_test_sound (test, first, 0, 10 * SECOND);
    session_test_sound (test, second, 11500 * MS, 12 * SECOND);
    session_test_delay (test, second, 0, 99 * SECOND, -2 * SECOND);
    session_test_event (test, TEST_FINISH, first, 10 * SECOND);
    test->as_file = i & 2;
    session_test_play (test);
    g_assert_cmpuint (session_test_count_lost (test, first), ==, 0);
    g_assert_cmpuint (session_test_count_lost (test, second), <=, 1);
    session_test_check_times (test, 0);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
    session_test_check_no_longer_than (test, 4500 * MS);
  }
}

/* Three times a microphone is unplugged and another plugged in. */
static void
test_join_again_and_again (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 60 * SECOND, 50);
  for (guint i = 0; i < 5; i++) {
    gint64 from = (5 + i * 10) * SECOND, to = from + 6 * SECOND;
    guint sound = session_test_join (test, FALSE, from);

    session_test_sound (test, sound, from, to);
    session_test_event (test, TEST_REMOVE, sound, to);
  }
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  for (guint i = 1; i <= 5; i++)
    g_assert_cmpuint (session_test_count_lost (test, i), <, 100);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 5);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

/* A track is there, and nothing ever comes on it. */
static void
play_mute (gboolean mute_is_video, gboolean joins, gboolean as_file)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint other = mute_is_video ? session_test_add_sound (test)
                              : session_test_add_video (test);
  guint mute =
      session_test_join (test, mute_is_video, joins ? 10 * SECOND : G_MININT64);

  if (mute_is_video)
    session_test_sound (test, other, 0, 30 * SECOND);
  else
    session_test_video (test, other, 0, 30 * SECOND, 50);
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, other), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, mute), ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_mute_track_not_waited_for (void)
{
  for (guint i = 0; i < 8; i++)
    play_mute (i & 1, i & 2, i & 4);
}

/* ---- the answer to the start ---- */

static void
test_start_takes_long_nothing_lost (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 0, 30 * SECOND);
  test->start_delay = 8 * SECOND;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 30 * SECOND, FRAME);
}

static void
test_end_while_starting_all_recorded (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 9 * SECOND, 50);
  session_test_sound (test, sound, 0, 9 * SECOND);
  test->start_delay = 30 * SECOND;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  session_test_assert_near (session_test_sum (test), 9 * SECOND, FRAME);
}

static void
test_finish_while_starting_all_recorded (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 9 * SECOND, 50);
  session_test_sound (test, sound, 0, 9 * SECOND);
  session_test_event (test, TEST_FINISH, 0, 9 * SECOND);
  test->start_delay = 20 * SECOND;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  session_test_assert_near (session_test_sum (test), 9 * SECOND, FRAME);
}

/* A pad that is requested after all has ended. */
static void
test_join_after_finish_ends (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 9 * SECOND, 50);
  session_test_event (test, TEST_FINISH, 0, 9 * SECOND);
  session_test_join (test, FALSE, 9100 * MS);
  test->start_delay = 20 * SECOND;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
}

static void
test_start_fails_no_file (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 9 * SECOND, 50);
  session_test_sound (test, sound, 0, 9 * SECOND);
  test->start_delay = 3 * SECOND;
  test->start_fails = TRUE;
  session_test_play (test);
  g_assert_cmpuint (test->files->len, ==, 0);
  g_assert_true (ams_session_has_ended (test->session));
}

/* A unit is in doubt when the start fails. */
static void
test_start_fails_in_doubt_ends (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 9 * SECOND, 50);
  session_test_sound (test, sound, 0, 9 * SECOND);
  session_test_find (test, video, 9 * SECOND)->pts += 20 * SECOND;
  session_test_find (test, video, 9 * SECOND)->dts += 20 * SECOND;
  test->start_delay = 8930 * MS;
  test->start_fails = TRUE;
  session_test_play (test);
  g_assert_cmpuint (test->files->len, ==, 0);
}

/* Time stamps go on from those of an earlier recording. */
static void
test_start_goes_on_times_shifted (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 9 * SECOND, 50);
  session_test_sound (test, sound, 0, 9 * SECOND);
  session_test_shift (test, video, 0, 9 * SECOND, 70 * SECOND);
  session_test_shift (test, sound, 0, 9 * SECOND, 70 * SECOND);
  test->start_time = 1234 * SECOND;
  session_test_play (test);
  g_assert_cmpint (test->start_pts, ==, 70 * SECOND);
  g_assert_cmpint (session_test_find (test, video, 0)->got_pts, ==,
      70 * SECOND);
  session_test_check_times (test, 0);
}

/* Before time 0 there is time as well. */
static void
test_start_before_zero_times_kept (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 30 * SECOND, 50);
  session_test_sound (test, sound, 0, 30 * SECOND);
  session_test_shift (test, video, 0, 99 * SECOND, -20 * SECOND);
  session_test_shift (test, sound, 0, 99 * SECOND, -20 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
}

/* ---- the first keyframe ---- */

static void
test_start_without_keyframe_said_once (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 30 * SECOND, 0);
  session_test_sound (test, sound, 0, 30 * SECOND);
  session_test_find (test, video, 25 * SECOND)->flags = AMS_UNIT_KEY;
  session_test_play (test);
  g_assert_cmpuint (test->n_no_keyframe, ==, 1);
  g_assert_cmpuint (count_requests (test, 0, SECOND), ==, 1);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 25 * 25);
  g_assert_cmpuint (ams_session_get_dropped (test->session), ==, 25 * 25);
  session_test_check_times (test, 0);
}

static void
test_start_in_mid_gop_begins_together (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, -1400 * MS, 30 * SECOND, 50);
  session_test_cut_out (test, video, -1400 * MS, 0);
  session_test_sound (test, sound, 0, 30 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 15);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==,
      600 * MS / SOUND_FRAME + 1);
  session_test_check_times (test, 0);
  session_test_assert_near (session_test_sum (test), 29400 * MS, FRAME);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
}

/* The form comes with a unit that is dropped, while the keyframe is in doubt. */
static void
test_start_form_of_dropped_unit_kept (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 10 * SECOND, 0);
  session_test_find (test, video, FRAME)->flags = AMS_UNIT_KEY;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 1);
  g_assert_cmpuint (session_test_file (test, 0)->tracks, !=, 0);
}

/* ---- ends ---- */

static void
test_end_without_units_no_start (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_play (test);
  g_assert_cmpuint (test->n_starts, ==, 0);
  g_assert_cmpuint (test->files->len, ==, 0);
}

/* One track ends long before the other. */
static void
play_end_apart (gint64 video_end, gint64 sound_end, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 end = MAX (video_end, sound_end);

  session_test_video (test, video, 0, video_end, 50);
  session_test_sound (test, sound, 0, sound_end);
  session_test_event (test, TEST_END, video, video_end);
  session_test_event (test, TEST_END, sound, sound_end);
  test->as_file = as_file;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  session_test_check_times (test, 0);
  /* A short rest of sound is no segment, and not in the duration of the last. */
  session_test_assert_near (session_test_sum (test), end, 500 * MS);
  session_test_check_no_longer_than (test, 4500 * MS);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
}

static void
test_end_apart_other_goes_on (void)
{
  for (guint i = 0; i < 2; i++) {
    play_end_apart (13 * SECOND, 30 * SECOND, i);
    play_end_apart (30 * SECOND, 13 * SECOND, i);
    play_end_apart (13 * SECOND, 13050 * MS, i);
    play_end_apart (13 * SECOND, 13300 * MS, i);
    play_end_apart (40 * MS, 30 * SECOND, i);
  }
}

/* A file's tracks are read by threads of their own, one far ahead. */
static void
test_file_read_unevenly_waits (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 60 * SECOND, 50);
  session_test_sound (test, sound, 0, 60 * SECOND);
  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind == TEST_UNIT && event->track == video)
      event->arrival += 9 * SECOND;
  }
  test->as_file = TRUE;
  session_test_play (test);
  g_assert_false (test->was_full);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
}

/* When all stops at once, sound that was ahead of the picture is in the last file, but
 * makes it no longer. */
static void
test_end_sound_ahead_no_longer (void)
{
  static const struct
  {
    gint64 ahead, sum;
  } cases[] = { { 0, 13 * SECOND }, { 400 * MS, 13 * SECOND },
    { 800 * MS, 13800 * MS } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint video, sound;
    g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

    session_test_video (test, video, 0, 13 * SECOND, 50);
    session_test_sound (test, sound, 0, 13 * SECOND + cases[i].ahead);
    session_test_play (test);
    session_test_check_nothing_lost (test);
    session_test_assert_near (session_test_sum (test), cases[i].sum, FRAME);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (apart_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/apart/%s", apart_cases[i].name);
    g_test_add_data_func (path, &apart_cases[i], test_start_apart_nothing_lost);
  }
  g_test_add_func ("/session/start/later", test_start_later_joins);
  g_test_add_func ("/session/join/sound", test_join_sound_waits_for_keyframe);
  g_test_add_func ("/session/join/sound-mid-gop",
      test_join_sound_without_keyframe_mid_gop);
  g_test_add_func ("/session/join/late-sound",
      test_join_late_sound_waits_for_keyframe);
  g_test_add_func ("/session/join/video", test_join_video_begins_at_keyframe);
  g_test_add_func ("/session/join/second-sound",
      test_join_second_sound_at_once);
  g_test_add_func ("/session/join/behind-end", test_join_behind_end_recorded);
  g_test_add_func ("/session/join/again", test_join_again_and_again);
  g_test_add_func ("/session/mute", test_mute_track_not_waited_for);
  g_test_add_func ("/session/start/long", test_start_takes_long_nothing_lost);
  g_test_add_func ("/session/start/end", test_end_while_starting_all_recorded);
  g_test_add_func ("/session/start/finish",
      test_finish_while_starting_all_recorded);
  g_test_add_func ("/session/start/join-after-finish",
      test_join_after_finish_ends);
  g_test_add_func ("/session/start/fails", test_start_fails_no_file);
  g_test_add_func ("/session/start/fails-in-doubt",
      test_start_fails_in_doubt_ends);
  g_test_add_func ("/session/start/goes-on", test_start_goes_on_times_shifted);
  g_test_add_func ("/session/start/before-zero",
      test_start_before_zero_times_kept);
  g_test_add_func ("/session/start/no-keyframe",
      test_start_without_keyframe_said_once);
  g_test_add_func ("/session/start/mid-gop",
      test_start_in_mid_gop_begins_together);
  g_test_add_func ("/session/start/dropped-form",
      test_start_form_of_dropped_unit_kept);
  g_test_add_func ("/session/end/empty", test_end_without_units_no_start);
  g_test_add_func ("/session/end/apart", test_end_apart_other_goes_on);
  g_test_add_func ("/session/end/sound-ahead", test_end_sound_ahead_no_longer);
  g_test_add_func ("/session/end/uneven", test_file_read_unevenly_waits);
  return g_test_run ();
}
