/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where segments begin, what is kept until that is known, and what is in them. */

#include "session-common.h"

/* All pictures that are a multiple of @every, in frames, get @flags. */
static void
flag_pictures (SessionTest *test, guint track, guint every, gint64 from,
    gint64 to, AmsUnitFlags flags)
{
  for (guint i = 0; i < test->events->len; i++) {
    TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind == TEST_UNIT && event->track == track &&
        event->truth >= from && event->truth < to &&
        event->truth / FRAME % every == 0)
      event->flags = flags;
  }
}

/* ---- the usual ---- */

static void
play_usual (gboolean beside_sound, gboolean as_file)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 41 * SECOND, 25);
  if (beside_sound)
    session_test_sound (test, session_test_add_sound (test), 0, 41 * SECOND);
  test->as_file = as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (test->files->len, ==, 11);
  for (guint i = 0; i < 11; i++) {
    g_assert_cmpint (session_test_file (test, i)->cut.pts, ==, i * 4 * SECOND);
    g_assert_cmpint (session_test_extinf (test, i), ==,
        (i < 10 ? 4 : 1) * SECOND);
    g_assert_cmpuint (session_test_file (test, i)->n_units[TRUE], ==,
        i < 10 ? 100 : 25);
  }
  g_assert_false (test->dependent);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
}

static void
test_usual_cut_at_target (void)
{
  for (guint i = 0; i < 4; i++)
    play_usual (i & 1, i & 2);
}

static void
test_date_follows_pipeline (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gint64 first;

  session_test_video (test, video, 0, 41 * SECOND, 25);
  session_test_sound (test, sound, 0, 41 * SECOND);
  session_test_delay (test, video, 5 * SECOND, G_MAXINT64, 300 * MS);
  session_test_play (test);
  first = session_test_file (test, 0)->cut.date_time;
  for (guint i = 0; i < test->files->len; i++)
    g_assert_cmpint (session_test_file (test, i)->cut.date_time, ==,
        first + session_test_file (test, i)->cut.pts / 1000);
}

static void
test_aligned_to_clock (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  test->settings.align_to_clock = TRUE;
  session_test_video (test, video, SECOND, 41 * SECOND, 25);
  session_test_sound (test, sound, SECOND, 41 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  for (guint i = 1; i < test->files->len; i++)
    g_assert_cmpint (session_test_file (test, i)->cut.pts, ==, i * 4 * SECOND);
}

static void
test_sound_alone_cut_at_target (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint sound = session_test_add_sound (test);

  session_test_sound (test, sound, 0, 41 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (test->files->len, ==, 11);
  session_test_check_no_longer_than (test, 4 * SECOND + SOUND_FRAME);
  session_test_assert_near (session_test_sum (test), 41 * SECOND, FRAME);
}

/* ---- late keyframes ---- */

/* The keyframe that should have come at 4 s does not: the segment ends at the one
 * before, and all is in order. */
static void
play_late_keyframe (const gint64 *keys, guint n_keys, gboolean as_file,
    gboolean carries)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 60 * SECOND, 0);
  for (guint i = 0; i < n_keys; i++)
    session_test_find (test, video, keys[i])->flags = AMS_UNIT_KEY;
  session_test_sound (test, sound, 0, 60 * SECOND);
  test->as_file = as_file;
  test->carries = carries;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==, 0);
  session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
  g_assert_false (test->dependent);
  if (carries)
    g_assert_cmpuint (test->most_kept, ==, 0);
  for (guint i = 0; i + 1 < test->files->len; i++) {
    const TestFile *file = session_test_file (test, i);
    guint within = 0;

    for (guint j = 0; j < n_keys; j++)
      within += keys[j] > file->cut.pts && keys[j] < file->end;
    /* Longer only where no keyframe was in time. */
    if (within > 0)
      g_assert_cmpint (file->end - file->cut.pts, <=, 4500 * MS);
  }
}

static void
test_late_keyframe_cut_at_one_before (void)
{
  static const gint64 keys[] = { 0, 3 * SECOND, 9 * SECOND, 9500 * MS,
    12 * SECOND, 13 * SECOND, 14 * SECOND, 25 * SECOND, 25040 * MS, 28600 * MS,
    29400 * MS, 33 * SECOND, 50 * SECOND, 54480 * MS };

  for (guint n = 1; n <= G_N_ELEMENTS (keys); n++) {
    play_late_keyframe (keys, n, FALSE, FALSE);
    play_late_keyframe (keys, n, TRUE, FALSE);
    play_late_keyframe (keys, n, FALSE, TRUE);
  }
}

/* ---- memory ---- */

typedef struct
{
  const gchar *name;
  gint64 last_key;
  gint64 hole_from, hole_to;
} MemoryCase;

static const MemoryCase memory_cases[] = {
  { "first-only", 0, 0, 0 },
  { "candidate", 2 * SECOND, 0, 0 },
  { "later-candidate", 7 * SECOND, 0, 0 },
  { "hole-after-candidate", 2 * SECOND, 3 * SECOND, 12 * SECOND },
  { "end-after-candidate", 2 * SECOND, 3 * SECOND, 200 * SECOND },
};

/* One GOP of two minutes. */
static void
test_long_gop_memory_bounded (gconstpointer data)
{
  const MemoryCase *this = data;
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 120 * SECOND, 0);
  session_test_find (test, video, 0)->flags = AMS_UNIT_KEY;
  session_test_find (test, video, this->last_key)->flags = AMS_UNIT_KEY;
  session_test_sound (test, sound, 0, 120 * SECOND);
  session_test_cut_out (test, video, this->hole_from, this->hole_to);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  session_test_assert_near (session_test_sum (test), 120 * SECOND, FRAME);
  g_assert_cmpuint (test->most_kept, <=,
      (1 + 4500 * MS / FRAME + 4500 * MS / SOUND_FRAME) *
          sizeof (AmsFakeRecord));
}

/* ---- recovery points ---- */

typedef struct
{
  const gchar *name;
  guint every; /* frames */
  gboolean idr; /* the first is one */
} RecoveryCase;

static const RecoveryCase recovery_cases[] = {
  { "open-gop", 50, TRUE },
  { "short-open-gop", 12, TRUE },
  { "no-idr", 50, FALSE },
};

static void
play_recovery (const RecoveryCase *this, gboolean beside_sound,
    gboolean as_file)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);

  session_test_video (test, video, 0, 60 * SECOND, 0);
  flag_pictures (test, video, this->every, 0, 60 * SECOND, AMS_UNIT_RECOVERY);
  if (this->idr)
    session_test_find (test, video, 0)->flags = AMS_UNIT_KEY;
  if (beside_sound)
    session_test_sound (test, session_test_add_sound (test), 0, 60 * SECOND);
  test->as_file = as_file;
  session_test_play (test);
  g_assert_true (test->dependent);
  g_assert_cmpuint (test->n_no_keyframe, ==, 0);
  session_test_check_times (test, 0);
  /* Sound does not wait for the first recovery point: the video joins it. */
  g_assert_cmpuint (session_test_count_discontinuities (test), <=,
      !this->idr && beside_sound ? 1 : 0);
  if (this->idr) {
    session_test_check_nothing_lost (test);
    session_test_assert_near (session_test_sum (test), 60 * SECOND, FRAME);
  } else {
    g_assert_cmpuint (session_test_count_lost (test, video), <=, 13 * 25);
  }
  for (guint i = this->idr; i < test->files->len; i++)
    g_assert_cmpint (session_test_extinf (test, i), <=, 4500 * MS);
  g_assert_cmpint (session_test_extinf (test, 0), <=, 12 * SECOND);
}

static void
test_recovery_points_cut_at (gconstpointer data)
{
  for (guint i = 0; i < 4; i++)
    play_recovery (data, i & 1, i & 2);
}

/* Recovery points between IDRs that come in time are not cut at. */
static void
test_recovery_points_beside_idr_not_cut_at (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 60 * SECOND, 100);
  flag_pictures (test, video, 100, FRAME, 0, 0);
  for (guint i = 25; i < 1500; i += 25)
    if (i % 100 != 0)
      session_test_find (test, video, i * FRAME)->flags = AMS_UNIT_RECOVERY;
  session_test_sound (test, sound, 0, 60 * SECOND);
  session_test_play (test);
  session_test_check_nothing_lost (test);
  g_assert_false (test->dependent);
  g_assert_cmpuint (test->files->len, ==, 15);
}

/* ---- what the units are ---- */

/* Every unit is packaged as what it was when it came. */
static void
check_forms (SessionTest *test, guint track, gint64 from)
{
  for (guint i = 0; i < test->events->len; i++) {
    const TestEvent *event = g_ptr_array_index (test->events, i);

    if (event->kind == TEST_UNIT && event->n_written > 0)
      g_assert_cmpuint (event->form, ==,
          event->track == track && event->truth >= from ? 7 : 1);
  }
}

static void
play_form (gboolean of_video, gint64 at, gboolean over, gboolean as_file)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  guint track = of_video ? video : sound;
  TestEvent *event;

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  event = session_test_event (test, TEST_FORM, track, at - 1);
  event->size = 7;
  event->over = over;
  test->as_file = as_file;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  check_forms (test, track, at);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==,
      over ? 1 : 0);
  session_test_assert_near (session_test_sum (test), 40 * SECOND, FRAME);
  session_test_check_no_longer_than (test, 4500 * MS);
}

static void
test_form_changes_units_packaged_as_they_are (void)
{
  static const gint64 places[] = { 10 * SECOND, 10600 * MS, 12 * SECOND,
    13600 * MS };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    for (guint j = 0; j < 8; j++)
      play_form (j & 1, places[i], j & 2, j & 4);
}

/* ---- changes after a candidate ---- */

typedef struct
{
  const gchar *name;
  TestEventKind kind;
  gboolean of_video;
  gint64 at;
  gboolean over;
  gboolean is_cut_at; /* the candidate at 3 s, late */
  guint discontinuities;
} ChangeCase;

static const ChangeCase change_cases[] = {
  { "none", TEST_GAP, TRUE, 3600 * MS, FALSE, TRUE, 0 },
  { "form-of-sound", TEST_FORM, FALSE, 3600 * MS, FALSE, FALSE, 0 },
  { "form-of-video", TEST_FORM, TRUE, 3600 * MS, FALSE, FALSE, 0 },
  { "form-at-candidate", TEST_FORM, TRUE, 3 * SECOND - 1, FALSE, TRUE, 0 },
  { "decoder-of-sound", TEST_FORM, FALSE, 3600 * MS, TRUE, FALSE, 1 },
  { "flush-of-video", TEST_FLUSH, TRUE, 3600 * MS, FALSE, TRUE, 1 },
  { "flush-of-sound", TEST_FLUSH, FALSE, 3600 * MS, FALSE, TRUE, 0 },
  { "end-of-sound", TEST_REMOVE, FALSE, 3600 * MS, FALSE, TRUE, 0 },
  { "split", TEST_SPLIT, TRUE, 3600 * MS, FALSE, TRUE, 0 },
};

static gboolean
has_cut_at (SessionTest *test, gint64 pts)
{
  gboolean has = FALSE;

  for (guint i = 0; i < test->files->len; i++)
    has |= session_test_file (test, i)->cut.pts == pts;
  return has;
}

/* One a second until 3 s, and later ones that come too late. */
static void
add_keys_until_3_s (SessionTest *test, guint video)
{
  static const guint keys[] = { 0, 1, 2, 3, 9, 13, 17 };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    session_test_find (test, video, keys[i] * SECOND)->flags = AMS_UNIT_KEY;
}

/* The keyframes after the one at 3 s come too late for the segment, and before
 * that is known, something else changes. */
static void
test_change_after_candidate (gconstpointer data)
{
  const ChangeCase *this = data;
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
  gboolean ends = this->kind == TEST_REMOVE;
  TestEvent *event;

  session_test_video (test, video, 0, 20 * SECOND, 0);
  add_keys_until_3_s (test, video);
  session_test_sound (test, sound, 0, ends ? this->at : 20 * SECOND);
  event = session_test_event (test, this->kind, this->of_video ? video : sound,
      this->at);
  event->size = 7;
  event->over = this->over;
  session_test_play (test);
  session_test_check_nothing_lost (test);
  session_test_check_times (test, 0);
  session_test_assert_near (session_test_sum (test), 20 * SECOND, FRAME);
  g_assert_cmpint (has_cut_at (test, 3 * SECOND), ==, this->is_cut_at);
  g_assert_cmpuint (session_test_count_discontinuities (test), ==,
      this->discontinuities);
}

/* A source that is back says so by a flush, however short the outage was. */
static void
test_flush_after_hole_is_discontinuity (void)
{
  static const gint64 holes[] = { 40 * MS, 500 * MS, 1500 * MS, 1960 * MS,
    2500 * MS, 9 * SECOND };

  for (guint i = 0; i < G_N_ELEMENTS (holes); i++) {
    guint video, sound;
    g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);
    gint64 back = 6 * SECOND + holes[i];

    session_test_video (test, video, 0, 6 * SECOND, 50);
    session_test_sound (test, sound, 0, 6 * SECOND);
    session_test_event (test, TEST_FLUSH, video, back - MS);
    session_test_event (test, TEST_FLUSH, sound, back - MS);
    session_test_video (test, video, back, back + 6 * SECOND, 50);
    session_test_sound (test, sound, back, back + 6 * SECOND);
    session_test_play (test);
    g_test_message ("hole of %" G_GINT64_FORMAT " ms", holes[i] / MS);
    g_assert_cmpuint (session_test_count_discontinuities (test), ==, 1);
  }
}

/* A track that waits to join has its tables in no segment before it does. */
static void
test_join_after_candidate (void)
{
  g_autoptr (SessionTest) test = session_test_new ();
  guint video = session_test_add_video (test);
  guint sound = session_test_join (test, FALSE, 3400 * MS);

  session_test_video (test, video, 0, 20 * SECOND, 0);
  add_keys_until_3_s (test, video);
  session_test_sound (test, sound, 3400 * MS, 20 * SECOND);
  session_test_play (test);
  session_test_check_times (test, 0);
  g_assert_cmpuint (session_test_count_lost (test, video), ==, 0);
  session_test_assert_near (session_test_sum (test), 20 * SECOND, FRAME);
  for (guint i = 0; i < test->files->len; i++) {
    const TestFile *file = session_test_file (test, i);

    g_assert_cmpuint (file->tracks == 1, ==, file->n_units[FALSE] == 0);
  }
}

/* ---- damage ---- */

static void
test_damaged_units_left_out_said_once (void)
{
  static const gint64 places[] = { 0, 2 * SECOND, 4 * SECOND, 8040 * MS,
    12 * SECOND, 39960 * MS };
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    session_test_find (test, video, places[i])->damaged = TRUE;
  session_test_play (test);
  g_assert_cmpuint (session_test_count_lost (test, video), ==,
      G_N_ELEMENTS (places));
  g_assert_cmpuint (session_test_count_lost (test, sound), ==, 0);
  g_assert_cmpuint (test->n_damaged, ==, 1);
  session_test_check_times (test, 0);
  session_test_assert_near (session_test_sum (test), 40 * SECOND, 2 * FRAME);
}

/* ---- a crash ---- */

/* What came more than a second ago has gone out. */
static void
test_crash_costs_less_than_a_second (void)
{
  guint video, sound;
  g_autoptr (SessionTest) test = session_test_new_with_both (&video, &sound);

  session_test_video (test, video, 0, 40 * SECOND, 50);
  session_test_sound (test, sound, 0, 40 * SECOND);
  session_test_play (test);
  g_assert_cmpuint (test->ticks->len, >, 100);
  for (guint i = 0; i < test->ticks->len; i++) {
    const TestTick *tick = &g_array_index (test->ticks, TestTick, i);
    gint64 due = MAX (tick->now - SECOND, 0);

    g_assert_cmpuint (tick->n_out, >=, due / FRAME + due / SOUND_FRAME);
  }
}

static void
add_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (memory_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/memory/%s", memory_cases[i].name);
    g_test_add_data_func (path, &memory_cases[i], test_long_gop_memory_bounded);
  }
  for (guint i = 0; i < G_N_ELEMENTS (recovery_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/recovery/%s", recovery_cases[i].name);
    g_test_add_data_func (path, &recovery_cases[i],
        test_recovery_points_cut_at);
  }
  for (guint i = 0; i < G_N_ELEMENTS (change_cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/session/after-candidate/%s", change_cases[i].name);
    g_test_add_data_func (path, &change_cases[i], test_change_after_candidate);
  }
}

/* ---- blocks ---- */

static void
add_to_lane (AmsLane *lane, gint64 time)
{
  g_autoptr (GBytes) payload = ams_fake_payload_new (1, FALSE, 100);
  const AmsUnit unit = { .flags = AMS_UNIT_KEY,
    .pts = time,
    .dts = time,
    .duration = FRAME,
    .payload = payload };

  g_assert_true (ams_lane_add (lane, &unit, TEST_CLOCK + time, NULL));
}

static guint
take_actions (GQueue *actions, AmsActionKind kind)
{
  AmsAction *action;
  guint n = 0;

  while ((action = g_queue_pop_head (actions))) {
    n += action->kind == kind;
    ams_action_clear (action);
    g_free (action);
  }
  return n;
}

/* Of one picture in a block of its own, nothing could be saved after a kill. */
static void
test_first_block_waits_as_any_other (void)
{
  g_auto (GQueue) actions = G_QUEUE_INIT;
  g_autoptr (AmsLane) lane = ams_lane_new (ams_fake_packager_new (),
      100 * AMS_FAKE_BLOCK_SIZE, 0, &actions);
  g_autoptr (GPtrArray) tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_track_free);
  const AmsCut cut = { 0 };

  g_ptr_array_add (tracks, ams_track_new (0, AMS_CODEC_H264, NULL));
  g_assert_true (ams_lane_set_tracks (lane, tracks, NULL));
  for (guint i = 0; i < 2; i++) {
    ams_lane_cut (lane, &cut, 0);
    take_actions (&actions, AMS_ACTION_WRITE);
    add_to_lane (lane, i * SECOND);
    add_to_lane (lane, i * SECOND + 200 * MS);
    g_assert_cmpuint (take_actions (&actions, AMS_ACTION_WRITE), ==, 0);
    ams_lane_tick (lane, TEST_CLOCK + i * SECOND + 250 * MS);
    g_assert_cmpuint (take_actions (&actions, AMS_ACTION_WRITE), ==, 1);
  }
}

/* What has gone out is in the store alone, or was kept, as it was at that time. */
static void
test_mark_is_gone_when_the_store_changes (void)
{
  g_auto (GQueue) actions = G_QUEUE_INIT;
  g_autoptr (AmsLane) lane =
      ams_lane_new (ams_fake_packager_new (), AMS_FAKE_BLOCK_SIZE, 0, &actions);
  g_autoptr (GPtrArray) tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_track_free);
  const AmsCut cut = { 0 };

  ams_lane_set_carries (lane, TRUE);
  g_ptr_array_add (tracks, ams_track_new (0, AMS_CODEC_H264, NULL));
  g_assert_true (ams_lane_set_tracks (lane, tracks, NULL));
  ams_lane_cut (lane, &cut, 0);
  add_to_lane (lane, 0);
  ams_lane_mark (lane);
  g_assert_true (ams_lane_is_at_mark (lane));
  ams_lane_set_carries (lane, TRUE);
  g_assert_true (ams_lane_is_at_mark (lane));
  ams_lane_set_carries (lane, FALSE);
  g_assert_false (ams_lane_is_at_mark (lane));
  take_actions (&actions, AMS_ACTION_WRITE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ();
  g_test_add_func ("/session/usual", test_usual_cut_at_target);
  g_test_add_func ("/session/date", test_date_follows_pipeline);
  g_test_add_func ("/session/aligned", test_aligned_to_clock);
  g_test_add_func ("/session/sound-alone", test_sound_alone_cut_at_target);
  g_test_add_func ("/session/late-keyframe",
      test_late_keyframe_cut_at_one_before);
  g_test_add_func ("/session/recovery/beside-idr",
      test_recovery_points_beside_idr_not_cut_at);
  g_test_add_func ("/session/form",
      test_form_changes_units_packaged_as_they_are);
  g_test_add_func ("/session/flush-after-hole",
      test_flush_after_hole_is_discontinuity);
  g_test_add_func ("/session/after-candidate/join", test_join_after_candidate);
  g_test_add_func ("/session/damaged", test_damaged_units_left_out_said_once);
  g_test_add_func ("/session/lane/first-block",
      test_first_block_waits_as_any_other);
  g_test_add_func ("/session/lane/other-store",
      test_mark_is_gone_when_the_store_changes);
  g_test_add_func ("/session/crash", test_crash_costs_less_than_a_second);
  return g_test_run ();
}
