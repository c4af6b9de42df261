/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which units wait for others before they go into the session, and that nothing
 * that is said to it overtakes them. */

#include "config.h"

#include "amsfakepackager.h"
#include "hls/gstamshlsmuxprivate.h"
#include "session/amssessionprivate.h"

#define MS (AMS_SECOND / 1000)

/* An element would need the whole plugin: none of what is tested looks at it. */
typedef struct
{
  GstAmsHlsMux *mux;
  GstAmsHlsMuxTrack video, sound;
  guint n; /* units that came */
  gint64 now;
} Fixture;

static void
add_track (Fixture *f, GstAmsHlsMuxTrack *track, gboolean video)
{
  g_autoptr (AmsTrack) form =
      ams_track_new (0, video ? AMS_CODEC_MPEG2_VIDEO : AMS_CODEC_AC3, NULL);

  track->video = video;
  track->id = ams_session_add_track (f->mux->session,
      video ? AMS_TRACK_VIDEO : AMS_TRACK_AUDIO, 0);
  g_assert_true (
      ams_session_set_track (f->mux->session, track->id, form, FALSE, NULL));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const AmsSessionSettings settings = { .target_duration = 4 * AMS_SECOND,
    .stall_timeout = 2 * AMS_SECOND,
    .discontinuity_threshold = 2 * AMS_SECOND };

  f->mux = g_new0 (GstAmsHlsMux, 1);
  g_mutex_init (&f->mux->lock);
  f->mux->session = ams_session_new (&settings, NULL);
  ams_session_add_lane (f->mux->session, ams_fake_packager_new (),
      AMS_FAKE_BLOCK_SIZE);
  add_track (f, &f->video, TRUE);
  add_track (f, &f->sound, FALSE);
  f->now = 1000 * AMS_SECOND;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  gst_ams_hls_mux_drop_units_locked (f->mux);
  ams_session_free (f->mux->session);
  g_mutex_clear (&f->mux->lock);
  g_free (f->mux);
}

/* At @pts ms. */
static gboolean
add (Fixture *f, GstAmsHlsMuxTrack *track, gint64 pts, AmsUnitFlags flags)
{
  AmsSessionInput unit = { .flags = flags,
    .pts = pts * MS,
    .dts = pts * MS,
    .duration = 20 * MS,
    .seen = AMS_TIME_NONE,
    .arrival = f->now,
    .clock_time = AMS_TIME_NONE };

  unit.payload = ams_fake_payload_new (f->n++, FALSE, 100);
  return gst_ams_hls_mux_add_unit_locked (f->mux, track, &unit);
}

static guint
count_actions (Fixture *f, AmsActionKind kind)
{
  AmsAction action = { 0 };
  guint n = 0;

  while (ams_session_next (f->mux->session, &action)) {
    n += action.kind == kind;
    ams_action_clear (&action);
  }
  return n;
}

/* A recording that runs, and holds nothing: up to 200 ms. */
static void
start (Fixture *f)
{
  for (gint64 time = 0; time <= 200; time += 20) {
    add (f, &f->video, time, time == 0 ? AMS_UNIT_KEY : 0);
    add (f, &f->sound, time, AMS_UNIT_KEY);
  }
  gst_ams_hls_mux_feed_locked (f->mux);
  g_assert_cmpuint (count_actions (f, AMS_ACTION_START), ==, 1);
  ams_session_started (f->mux->session, 4 * AMS_SECOND, AMS_TIME_NONE);
  g_assert_cmpuint (count_actions (f, AMS_ACTION_BEGIN_FILE), ==, 1);
  g_assert_false (ams_session_holds_keyframe (f->mux->session));
}

static void
test_units_wait_until_there_are_16 (Fixture *f, gconstpointer data)
{
  start (f);
  for (guint i = 0; i < GST_AMS_HLS_MUX_MAX_UNITS; i++) {
    g_assert_cmpuint (f->mux->n_units, ==, i);
    add (f, i % 2 ? &f->sound : &f->video, 220 + i / 2 * 20,
        i % 2 ? AMS_UNIT_KEY : 0);
  }
  g_assert_cmpuint (f->mux->n_units, ==, 0);
}

static void
test_units_wait_for_100_ms (Fixture *f, gconstpointer data)
{
  start (f);
  add (f, &f->video, 220, 0);
  f->now += 99 * MS;
  add (f, &f->sound, 220, AMS_UNIT_KEY);
  g_assert_cmpuint (f->mux->n_units, ==, 2);
  f->now += MS;
  add (f, &f->video, 240, 0);
  g_assert_cmpuint (f->mux->n_units, ==, 0);
}

/* Also what it needs to be written: sound as late as itself. */
static void
test_keyframe_and_what_it_waits_for_go_at_once (Fixture *f, gconstpointer data)
{
  start (f);
  for (gint64 time = 220; time <= 4000; time += 20) {
    add (f, &f->video, time, time == 4000 ? AMS_UNIT_KEY : 0);
    if (time < 4000)
      add (f, &f->sound, time, AMS_UNIT_KEY);
  }
  g_assert_cmpuint (f->mux->n_units, ==, 0);
  g_assert_true (ams_session_holds_keyframe (f->mux->session));
  g_assert_cmpuint (count_actions (f, AMS_ACTION_END_FILE), ==, 0);
  g_assert_true (add (f, &f->sound, 4010, AMS_UNIT_KEY));
  g_assert_false (ams_session_holds_keyframe (f->mux->session));
  g_assert_cmpuint (count_actions (f, AMS_ACTION_END_FILE), ==, 1);
  add (f, &f->video, 4020, 0);
  g_assert_cmpuint (f->mux->n_units, ==, 1);
}

static void
test_recovery_point_goes_at_once (Fixture *f, gconstpointer data)
{
  start (f);
  add (f, &f->video, 220, AMS_UNIT_RECOVERY);
  g_assert_cmpuint (f->mux->n_units, ==, 0);
}

static void
test_nothing_waits_while_a_thread_does (Fixture *f, gconstpointer data)
{
  start (f);
  f->mux->waiting = 1;
  add (f, &f->video, 220, 0);
  g_assert_cmpuint (f->mux->n_units, ==, 0);
}

static void
test_nothing_to_do_is_said (Fixture *f, gconstpointer data)
{
  start (f);
  f->mux->waiting = 1;
  g_assert_false (add (f, &f->video, 220, 0));
  /* Blocks have room for seven. */
  for (guint i = 1; i < 10; i++)
    add (f, &f->video, 220 + i * 20, 0);
  f->mux->waiting = 0;
  f->now += 100 * MS;
  for (guint i = 1; i < GST_AMS_HLS_MUX_MAX_UNITS; i++)
    g_assert_false (add (f, &f->sound, 220 + i * 10, AMS_UNIT_KEY));
  g_assert_true (add (f, &f->sound, 400, AMS_UNIT_KEY));
}

/* The end of a track, for one, after its last units. */
static void
test_what_is_said_comes_after_units (Fixture *f, gconstpointer data)
{
  GstAmsHlsMux *mux = f->mux;

  start (f);
  for (guint i = 0; i < 3; i++)
    add (f, &f->video, 220 + i * 20, 0);
  g_assert_cmpuint (mux->n_units, ==, 3);
  gst_ams_hls_mux_lock_fed (mux);
  ams_session_finish (mux->session);
  g_mutex_unlock (&mux->lock);
  g_assert_cmpuint (mux->n_units, ==, 0);
  g_assert_cmpuint (count_actions (f, AMS_ACTION_END), ==, 1);
  g_assert_cmpint (mux->session->end, ==, 280 * MS);
}

static void
test_units_of_no_session_are_dropped (Fixture *f, gconstpointer data)
{
  AmsSessionInput unit = { .payload = g_bytes_new_static ("12345", 5) };

  start (f);
  unit.arrival = f->now;
  gst_ams_hls_mux_add_unit_locked (f->mux, &f->video, &unit);
  gst_ams_hls_mux_drop_units_locked (f->mux);
  g_assert_cmpuint (f->mux->n_units, ==, 0);
  gst_ams_hls_mux_feed_locked (f->mux);
}

#define ADD(path, test) \
  g_test_add ("/mux-units/" path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD ("16", test_units_wait_until_there_are_16);
  ADD ("100-ms", test_units_wait_for_100_ms);
  ADD ("keyframe", test_keyframe_and_what_it_waits_for_go_at_once);
  ADD ("recovery-point", test_recovery_point_goes_at_once);
  ADD ("thread-waits", test_nothing_waits_while_a_thread_does);
  ADD ("nothing-to-do", test_nothing_to_do_is_said);
  ADD ("order", test_what_is_said_comes_after_units);
  ADD ("dropped", test_units_of_no_session_are_dropped);
  return g_test_run ();
}
