/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshlssink as an application has it: launch lines, messages, statistics, and pads
 * that come and go. */

#include "config.h"

#include "hls-common.h"

#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define CAMERA_US \
  G_GINT64_CONSTANT (1795344365000000) /* 2026-11-22T10:46:05Z */

/* ---- launch lines ---- */

static GstElement *
launch (const gchar *dir, const gchar *line)
{
  g_autofree gchar *names =
      g_strdup_printf ("amshlssink name=h location=%s/s%%05d.ts "
                       "playlist-location=%s/p.m3u8 target-duration=2 "
                       "fsync=false",
          dir, dir);
  g_auto (GStrv) parts = g_strsplit (line, "SINK", -1);
  g_autofree gchar *whole = g_strjoinv (names, parts);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (whole, &error);

  g_assert_no_error (error);
  return pipeline;
}

/* Runs it to its end. */
static void
run_to_eos (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

#define VIDEO \
  "videotestsrc num-buffers=100 ! video/x-raw,format=I420,width=160,height=96," \
  "framerate=25/1 ! x264enc tune=zerolatency speed-preset=ultrafast " \
  "key-int-max=25 "
#define AUDIO \
  " audiotestsrc num-buffers=188 samplesperbuffer=1024 ! " \
  "audio/x-raw,rate=48000 ! avenc_aac "

static void
test_launch_lines_link_and_record (void)
{
  static const gchar *const lines[] = {
    VIDEO "! SINK",
    VIDEO "! h264parse ! SINK",
    VIDEO "! SINK" AUDIO "! h.",
    AUDIO "! SINK " VIDEO "! h.",
    VIDEO "! rtph264pay ! rtph264depay ! SINK" AUDIO "! h.",
    VIDEO "! h264parse ! SINK" AUDIO "! aacparse ! h.",
    VIDEO "! h264parse ! video/x-h264,stream-format=avc ! SINK" AUDIO
          "! rtpmp4gpay ! rtpmp4gdepay ! h.audio",
    VIDEO "! queue ! h.video" AUDIO "! queue ! h.audio SINK",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree gchar *dir = hls_make_folder ();
    g_autofree gchar *path = g_build_filename (dir, "p.m3u8", NULL);
    g_autoptr (HlsPlaylist) playlist = NULL;
    g_autoptr (GstElement) pipeline = launch (dir, lines[i]);

    g_test_message ("%s", lines[i]);
    run_to_eos (pipeline);
    playlist = hls_check_in (dir, path);
    g_assert_cmpuint (playlist->segments->len, ==, 2);
    g_assert_cmpuint (playlist->total, ==, SECONDS (4));
    hls_remove_folder (dir);
  }
}

static void
test_child_proxy_reaches_the_store (void)
{
  g_autofree gchar *dir = hls_make_folder ();
#ifdef __SANITIZE_ADDRESS__
  /* gst_parse_launch() of GStreamer 1.22 leaks each child that a property is set on. */
  g_autoptr (GstElement) pipeline = launch (dir, VIDEO "! SINK");
#else
  g_autoptr (GstElement) pipeline =
      launch (dir, VIDEO "! SINK store::drain-timeout=4500");
#endif
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "h");
  guint64 timeout;

#ifdef __SANITIZE_ADDRESS__
  gst_child_proxy_set (GST_CHILD_PROXY (sink), "store::drain-timeout",
      (guint64) 4500, NULL);
#endif

  gst_child_proxy_get (GST_CHILD_PROXY (sink), "store::drain-timeout", &timeout,
      NULL);
  g_assert_cmpuint (timeout, ==, 4500);
  hls_remove_folder (dir);
}

/* ---- messages ---- */

static const GstStructure *
wait_structure (Hls *hls, const gchar *name, guint n)
{
  g_autoptr (GstMessage) message = hls_wait (hls, GST_MESSAGE_ELEMENT, name, n);

  g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (hls->sink));
  return gst_message_get_structure (message); /* hls keeps it */
}

static guint64
get_uint64 (const GstStructure *s, const gchar *field)
{
  guint64 value;

  if (!gst_structure_get_uint64 (s, field, &value))
    g_error ("%s has no uint64 %s", gst_structure_get_name (s), field);
  return value;
}

static void
assert_started (Hls *hls, guint n, gboolean continued, guint64 next)
{
  const GstStructure *s = wait_structure (hls, "ams-recording-started", n);
  gboolean was_continued;
  guint recovered, target;

  g_assert_cmpstr (gst_structure_get_string (s, "playlist-location"), ==,
      hls->playlist);
  g_assert_true (gst_structure_get_boolean (s, "continued", &was_continued));
  g_assert_true (was_continued == continued);
  g_assert_true (gst_structure_get_uint (s, "recovered", &recovered));
  g_assert_cmpuint (recovered, ==, 0);
  g_assert_true (gst_structure_get_uint (s, "target-duration", &target));
  g_assert_cmpuint (target, ==, 2);
  g_assert_cmpuint (get_uint64 (s, "next-number"), ==, next);
}

static void
assert_added (Hls *hls, const HlsPlaylist *playlist, guint i, guint session)
{
  const GstStructure *s = wait_structure (hls, "hls-segment-added", i + 1);
  const HlsSegment *segment = hls_segment (playlist, i);
  g_autofree gchar *path = hls_path (hls, segment->uri);
  g_autofree gchar *bytes = NULL;
  g_autoptr (GstDateTime) date = NULL;
  g_autofree gchar *date_text = NULL;
  gboolean discontinuity;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_assert_cmpstr (gst_structure_get_string (s, "location"), ==, path);
  g_assert_cmpuint (get_uint64 (s, "duration"), ==, segment->duration);
  g_assert_cmpuint (get_uint64 (s, "running-time"), ==,
      SECONDS (2) * (i - session));
  g_assert_cmpuint (get_uint64 (s, "sequence"), ==, playlist->sequence + i);
  g_assert_cmpuint (get_uint64 (s, "size"), ==, size);
  g_assert_true (
      gst_structure_get_boolean (s, "discontinuity", &discontinuity));
  g_assert_true (discontinuity == segment->discontinuity);
  g_assert_true (
      gst_structure_get (s, "date-time", GST_TYPE_DATE_TIME, &date, NULL));
  date_text = gst_date_time_to_iso8601_string (date);
  /* "2026-11-22T10:46:05" */
  g_assert_true (strncmp (date_text, segment->date, 17) == 0);
}

static void
assert_ended (Hls *hls, guint n, guint64 segments, guint64 discontinuities)
{
  const GstStructure *s = wait_structure (hls, "ams-recording-ended", n);

  g_assert_cmpstr (gst_structure_get_string (s, "playlist-location"), ==,
      hls->playlist);
  g_assert_cmpuint (get_uint64 (s, "segments"), ==, segments);
  g_assert_cmpuint (get_uint64 (s, "recovered"), ==, 0);
  g_assert_cmpuint (get_uint64 (s, "gaps"), ==, 0);
  g_assert_cmpuint (get_uint64 (s, "discontinuities"), ==, discontinuities);
  g_assert_cmpuint (get_uint64 (s, "bytes"), >, 0);
  g_assert_cmpuint (get_uint64 (s, "duration"), ==, segments * SECONDS (2));
}

static void
test_messages_have_all_their_fields (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (6));
  playlist = hls_check (hls);
  assert_started (hls, 1, FALSE, 0);
  assert_started (hls, 2, TRUE, 2);
  for (guint i = 0; i < 5; i++)
    assert_added (hls, playlist, i, i < 2 ? 0 : 2);
  assert_ended (hls, 1, 2, 0);
  assert_ended (hls, 2, 3, 1);
}

/* Their order; each is true when it comes. */
static void
look_at_order (Hls *hls, GstMessage *message, gpointer data)
{
  GString *order = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    g_string_append_c (order, 'x');
  else if (gst_message_has_name (message, "ams-recording-started"))
    g_string_append_c (order, 's');
  else if (gst_message_has_name (message, "hls-segment-added"))
    g_string_append_c (order, '+');
  else if (gst_message_has_name (message, "ams-recording-ended"))
    g_string_append_c (order, 'e');
  else
    return;
  if (gst_message_has_name (message, "hls-segment-added")) {
    g_autofree gchar *text = hls_read (hls->playlist);
    g_autofree gchar *name = g_path_get_basename (gst_structure_get_string (
        gst_message_get_structure (message), "location"));

    g_assert_nonnull (strstr (text, name));
  }
}

static void
test_messages_come_in_order_and_before_eos (void)
{
  for (guint i = 0; i < 10; i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (GString) order = g_string_new (NULL);

    hls->look = look_at_order;
    hls->look_data = order;
    hls_add_av (hls);
    hls_record (hls, SECONDS (6));
    g_assert_cmpstr (order->str, ==, "s+++ex");
    hls->look = NULL;
  }
}

static void
test_stats_are_those_of_the_session (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GstStructure) before = NULL, after = NULL, store = NULL;
  const GstStructure *ended;

  g_object_get (hls->sink, "stats", &before, NULL);
  g_assert_cmpuint (get_uint64 (before, "segments"), ==, 0);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  g_object_get (hls->sink, "stats", &after, NULL);
  ended = wait_structure (hls, "ams-recording-ended", 1);
  g_assert_cmpuint (get_uint64 (after, "segments"), ==, 3);
  g_assert_cmpuint (get_uint64 (after, "duration"), ==, SECONDS (6));
  g_assert_cmpuint (get_uint64 (after, "bytes"), ==,
      get_uint64 (ended, "bytes"));
  g_assert_cmpuint (get_uint64 (after, "recovered"), ==, 0);
  g_assert_cmpuint (get_uint64 (after, "gaps"), ==, 0);
  g_assert_cmpuint (get_uint64 (after, "discontinuities"), ==, 0);
  g_assert_cmpuint (get_uint64 (after, "dropped-frames"), ==, 0);
  g_assert_true (
      gst_structure_get (after, "store", GST_TYPE_STRUCTURE, &store, NULL));
}

/* ---- pads and states ---- */

static void
release_track (Hls *hls, HlsTrack **track)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer ((*track)->pad);

  gst_pad_set_active ((*track)->pad, FALSE);
  gst_pad_unlink ((*track)->pad, peer);
  gst_element_release_request_pad (hls->sink, peer);
  gst_object_unref ((*track)->pad);
  g_clear_pointer (track, g_free);
}

static void
test_src_pad_requested_twice_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GstPad) first = gst_element_request_pad_simple (hls->sink, "src");
  g_autoptr (GstPad) again = NULL;

  g_assert_nonnull (first);
  g_assert_null (gst_element_request_pad (hls->sink,
      gst_element_get_pad_template (hls->sink, "src"), NULL, NULL));
  gst_element_release_request_pad (hls->sink, first);
  again = gst_element_request_pad_simple (hls->sink, "src");
  g_assert_nonnull (again);
  gst_element_release_request_pad (hls->sink, again);
}

static void
test_pad_released_while_playing_recording_goes_on (void)
{
  for (guint video = 0; video <= 1; video++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (HlsPlaylist) playlist = NULL;
    guint pushed;

    hls_add_av (hls);
    hls_play (hls);
    hls_push_until (hls, SECONDS (5));
    release_track (hls, video ? &hls->video : &hls->audio);
    hls_push_until (hls, SECONDS (12));
    hls_eos (hls);
    if (video) {
      pushed = hls->audio->pushed;
      g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, pushed);
    } else {
      pushed = hls->video->pushed;
      g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, pushed);
      playlist = hls_check (hls);
    }
  }
}

/* What was released is not waited for in the next session. */
static void
test_pad_released_while_playing_next_session_is_without_it (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  gint children = GST_BIN (hls->sink)->numchildren;

  hls_add_video (hls, NULL);
  hls_add_audio (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  release_track (hls, &hls->audio);
  hls_eos (hls);
  hls_stop (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (8));
  hls_wait_segments (hls, 5);
  hls_eos (hls);
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  release_track (hls, &hls->video);
  g_assert_cmpint (GST_BIN (hls->sink)->numchildren, ==, children);
}

static void
test_pads_requested_and_released_leave_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();
  static const gchar *const names[] = { "video", "audio", "src" };
  gint children = GST_BIN (hls->sink)->numchildren;

  for (guint i = 0; i < 100; i++) {
    gpointer pad = gst_element_request_pad_simple (hls->sink, names[i % 3]);

    g_assert_nonnull (pad);
    if (i % 2)
      gst_element_set_state (hls->pipeline, GST_STATE_PLAYING);
    gst_element_release_request_pad (hls->sink, pad);
    if (i % 4 == 3)
      gst_element_set_state (hls->pipeline, GST_STATE_NULL);
    g_object_add_weak_pointer (G_OBJECT (pad), &pad);
    gst_object_unref (pad);
    g_assert_null (pad);
  }
  g_assert_cmpint (GST_BIN (hls->sink)->numchildren, ==, children);
  g_assert_cmpuint (hls->sink->numpads, ==, 0);
  hls_stop (hls);
  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  hls_playlist_free (hls_check (hls));
}

static void
test_states_up_and_down_fast_do_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_av (hls);
  for (guint i = 0; i < 10; i++) {
    hls_play (hls);
    hls_stop (hls);
  }
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  hls_record (hls, SECONDS (4));
  hls_playlist_free (hls_check (hls));
}

/* ---- what may not be, and what may ---- */

static void
test_codec_changes_what_was_recorded_is_listed (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-h265, stream-format=byte-stream, alignment=au, width=160, "
      "height=96, framerate=25/1, parsed=true");

  hls->expects_trouble = TRUE;
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  gst_pad_push_event (hls->video->pad, gst_event_new_caps (caps));
  hls_push_until (hls, SECONDS (6));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "video", "h265", NULL);
  playlist = hls_check (hls);
  /* The audio went on, and its last frame may begin a segment. */
  g_assert_cmpuint (playlist->segments->len, >=, 3);
  g_assert_cmpuint (playlist->total, >=, SECONDS (5));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 125);
}

static void
record_with_camera (Hls *hls)
{
  g_object_set (hls->sink, "program-date-time-reference",
      2 /* buffer-reference-timestamp */, NULL);
  hls_add_av (hls);
  hls_track_add_dates (hls->video, "timestamp/x-unix", CAMERA_US);
  hls_record (hls, SECONDS (8));
}

static void
test_fsync_on_records_the_same (void)
{
  g_autoptr (Hls) hls = hls_new (), off = hls_new ();
  g_autoptr (GHashTable) files = NULL;

  g_object_set (hls->sink, "fsync", TRUE, NULL);
  record_with_camera (hls);
  record_with_camera (off);
  files = hls_snapshot (off->dir);
  g_assert_cmpuint (g_hash_table_size (files), ==, 5);
  hls_assert_kept (hls->dir, files, NULL);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/application/" path, test_##name)
  ADD ("launch/lines", launch_lines_link_and_record);
  ADD ("launch/child-proxy", child_proxy_reaches_the_store);
  ADD ("messages/fields", messages_have_all_their_fields);
  ADD ("messages/order", messages_come_in_order_and_before_eos);
  ADD ("stats", stats_are_those_of_the_session);
  ADD ("pads/src-twice", src_pad_requested_twice_is_refused);
  ADD ("pads/released", pad_released_while_playing_recording_goes_on);
  ADD ("pads/released-then-again",
      pad_released_while_playing_next_session_is_without_it);
  ADD ("pads/cycles", pads_requested_and_released_leave_nothing);
  ADD ("states/fast", states_up_and_down_fast_do_nothing);
  ADD ("codec-change", codec_changes_what_was_recorded_is_listed);
  ADD ("fsync", fsync_on_records_the_same);
  return g_test_run ();
}
