/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hlssink2's defects, by the numbers of the project's list: each of these tests would fail
 * with the defect. (13's rendering of the whole playlist is the bench's.) */

#include "config.h"

#include "hls-common.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)
/* µs that a buffer may wait at the sink pads: far from the 3 s of the stall, with room
 * for sanitizers. What it is (below 50 ms) is for a bench to say. */
#define MAX_WAIT 1000000

/* ---- 1 ---- */

static void
restart (GstState through)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *earlier = NULL;
  g_autoptr (GHashTable) before = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  gst_element_set_state (hls->pipeline, through);
  earlier = hls_read (hls->playlist);
  before = hls_snapshot (hls->dir);

  hls_record (hls, SECONDS (6));
  hls_assert_kept (hls->dir, before, "p.m3u8");
  playlist = hls_check (hls);
  hls_assert_continues (earlier, playlist->text);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  g_assert_cmpuint (playlist->sequence, ==, 0);
  g_assert_cmpstr (hls_segment (playlist, 3)->uri, ==, "s00003.ts");
  for (guint i = 0; i < 6; i++)
    g_assert_true (hls_segment (playlist, i)->discontinuity == (i == 3));
  g_assert_true (playlist->ended);
}

static void
test_restart_through_null_continues (void)
{
  restart (GST_STATE_NULL);
}

static void
test_restart_through_ready_continues (void)
{
  restart (GST_STATE_READY);
}

/* ---- 2 ---- */

static void
test_stop_without_eos_lists_the_last_segment (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpuint (playlist->total, ==, SECONDS (5));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 125);
  g_assert_true (playlist->ended);
  hls_assert_nothing_hidden (hls->dir);
}

/* ---- 3 ---- */

static void
test_audio_pad_first_tables_come_first (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_audio (hls);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (8));
  playlist = hls_check (hls); /* looks at each segment's first packets */
  g_assert_cmpuint (playlist->segments->len, ==, 4);
}

/* ---- 4 ---- */

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean open;
  guint calls;
} Barrier;

static void
barrier_open (Barrier *barrier)
{
  g_mutex_lock (&barrier->lock);
  barrier->open = TRUE;
  g_cond_broadcast (&barrier->cond);
  g_mutex_unlock (&barrier->lock);
}

static GOutputStream *
blocking_stream (GstElement *sink, const gchar *location, Barrier *barrier)
{
  g_mutex_lock (&barrier->lock);
  barrier->calls++;
  while (!barrier->open)
    g_cond_wait (&barrier->cond, &barrier->lock);
  g_mutex_unlock (&barrier->lock);
  return g_memory_output_stream_new_resizable ();
}

static void
block_a_stream (const gchar *signal)
{
  g_autoptr (Hls) hls = hls_new ();
  Barrier barrier = { .open = FALSE };

  hls_add_av (hls);
  g_signal_connect (hls->sink, signal, G_CALLBACK (blocking_stream), &barrier);
  g_object_set (hls->sink, "existing", 3 /* overwrite */, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (20)); /* for ever, were it to wait */
  g_assert_cmpint (hls->video->longest_push, <, MAX_WAIT);
  g_assert_cmpint (hls->audio->longest_push, <, MAX_WAIT);
  barrier_open (&barrier);
  hls_eos (hls);
  g_assert_cmpuint (barrier.calls, >, 0);
}

static void
test_playlist_stream_blocks_input_does_not_wait (void)
{
  block_a_stream ("get-playlist-stream");
}

static void
test_fragment_stream_blocks_input_does_not_wait (void)
{
  block_a_stream ("get-fragment-stream");
}

static GOutputStream *
any_stream (GstElement *sink, const gchar *location, guint *calls)
{
  (*calls)++;
  return g_memory_output_stream_new_resizable ();
}

/* As an application that was written for hlssink2 does it. */
static void
test_streams_with_default_settings_record (void)
{
  g_autoptr (Hls) hls = hls_new ();
  guint playlists = 0, segments = 0;

  hls_add_video (hls, NULL);
  g_signal_connect (hls->sink, "get-playlist-stream", G_CALLBACK (any_stream),
      &playlists);
  g_signal_connect (hls->sink, "get-fragment-stream", G_CALLBACK (any_stream),
      &segments);
  hls_record (hls, SECONDS (6));
  g_assert_cmpuint (playlists, >, 0);
  g_assert_cmpuint (segments, ==, 3);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

/* ---- 5 ---- */

static void
test_segment_is_listed_with_the_keyframe_that_ends_it (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, hls_video (160, 50, 0));
  hls_play (hls);
  hls_track_push_until (hls->video, SECONDS (2) + HLS_FRAME);
  hls_wait_segments (hls, 1);
  playlist = hls_playlist_read (hls->playlist);
  g_assert_cmpuint (playlist->segments->len, ==, 1);
  g_assert_cmpuint (playlist->total, ==, SECONDS (2));
}

static void
test_segment_with_audio_is_listed_with_the_keyframe_that_ends_it (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_video (hls, hls_video (160, 50, 0));
  hls_add_audio (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (2) + 2 * HLS_FRAME);
  hls_wait_segments (hls, 1);
}

/* ---- 6 ---- */

static void
test_audio_stalls_recording_goes_on (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "stall-timeout", 200 * GST_MSECOND, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_track_push_until (hls->video, SECONDS (20));
  hls_wait_segments (hls, 9); /* without an EOS that would let them go */
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (20));
}

/* ---- 7 ---- */

static void
test_one_thread_feeds_both_pads_in_chunks_no_deadlock (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  for (guint i = 1; i <= 10; i++) {
    hls_track_push_until (hls->video, SECONDS (i));
    hls_track_push_until (hls->audio, SECONDS (i));
  }
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (10));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 250);
}

static void
test_two_threads_feed_the_pads_no_deadlock (void)
{
  for (guint i = 0; i < 5; i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (HlsPlaylist) playlist = NULL;
    GThread *video, *audio;

    hls_add_av (hls);
    hls_play (hls);
    video = hls_track_thread (hls->video, SECONDS (20), TRUE);
    audio = hls_track_thread (hls->audio, SECONDS (20), TRUE);
    g_thread_join (video);
    g_thread_join (audio);
    gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
    playlist = hls_check (hls);
    g_assert_cmpuint (playlist->total, ==, SECONDS (20));
    g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 500);
  }
}

/* Its thread has gone when the recording starts: the other's has to push what it left. */
static void
test_audio_ends_before_the_video_comes_no_deadlock (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  GThread *video;

  hls_add_av (hls);
  hls_play (hls);
  g_thread_join (hls_track_thread (hls->audio, SECONDS (1), TRUE));
  video = hls_track_thread (hls->video, SECONDS (20), TRUE);
  g_thread_join (video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (20));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 500);
}

/* ---- 8 ---- */

/* The names that were renamed in a folder, in order. */
static GPtrArray *
read_renames (gint fd)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  gchar buffer[64 * 1024]
      __attribute__ ((aligned (__alignof__(struct inotify_event))));
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0) {
    for (gchar *p = buffer; p < buffer + n;) {
      const struct inotify_event *event = (const struct inotify_event *) p;

      g_assert_false (event->mask & IN_Q_OVERFLOW);
      g_ptr_array_add (names, g_strdup (event->name));
      p += sizeof *event + event->len;
    }
  }
  return names;
}

static guint
index_of (GPtrArray *names, const gchar *name)
{
  guint i;

  g_assert_true (
      g_ptr_array_find_with_equal_func (names, name, g_str_equal, &i));
  return i;
}

static void
test_overwritten_playlist_comes_after_its_segment (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GPtrArray) names = NULL;
  gint fd;

  g_object_set (hls->sink, "existing", 3 /* overwrite */, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (8));

  fd = inotify_init1 (IN_NONBLOCK);
  g_assert_cmpint (
      inotify_add_watch (fd, hls->dir, IN_MOVED_TO | IN_MODIFY | IN_CREATE), >=,
      0);
  hls_record (hls, SECONDS (4));
  names = read_renames (fd);
  close (fd);
  g_assert_cmpuint (index_of (names, "s00000.ts"), <,
      index_of (names, "p.m3u8"));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_false (hls_segment (playlist, 0)->discontinuity);
}

/* ---- 9 ---- */

static GOutputStream *
stream_but_for_one (GstElement *sink, const gchar *location, guint *calls)
{
  (*calls)++;
  if (g_str_has_suffix (location, "s00001.ts"))
    return NULL;
  return g_memory_output_stream_new_resizable ();
}

static void
test_fragment_stream_is_null_one_fault_is_said (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  guint calls = 0;

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  g_object_set (hls->sink, "existing", 3 /* overwrite */, NULL);
  g_signal_connect (hls->sink, "get-fragment-stream",
      G_CALLBACK (stream_but_for_one), &calls);
  hls_record (hls, SECONDS (8));
  g_assert_cmpuint (calls, ==, 4);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_WRITE, "s00001.ts", NULL);
  playlist = hls_playlist_read (hls->playlist);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_true (hls_segment (playlist, i)->gap == (i == 1));
}

static GOutputStream *
no_stream (GstElement *sink, const gchar *location, guint *calls)
{
  (*calls)++;
  return NULL;
}

static void
test_playlist_stream_is_null_one_fault_is_said (void)
{
  g_autoptr (Hls) hls = hls_new ();
  guint calls = 0;

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  g_object_set (hls->sink, "existing", 3 /* overwrite */, NULL);
  g_signal_connect (hls->sink, "get-playlist-stream", G_CALLBACK (no_stream),
      &calls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (8));
  hls_track_eos (hls->video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_WARNING, NULL, 1));
  hls_stop (hls);
  g_assert_cmpuint (calls, >, 0);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_WRITE, "p.m3u8", NULL);
}

/* ---- 10, 14 ---- */

static void
set_live (Hls *hls, guint length, guint max_files, guint target)
{
  g_object_set (hls->sink, "playlist-type", 1 /* live */, "playlist-length",
      length, "max-files", max_files, "target-duration", target, NULL);
}

static void
test_file_to_be_deleted_is_gone_recording_goes_on (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autofree gchar *path = NULL;

  set_live (hls, 3, 12, 1);
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (8) + HLS_FRAME);
  hls_wait_segments (hls, 8);
  for (guint i = 0; i < 4; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05u.ts", i);
    g_autofree gchar *gone = hls_path (hls, name);

    g_assert_cmpint (g_unlink (gone), ==, 0);
  }
  hls_push_until (hls, SECONDS (30));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->sequence, ==, 27);
  /* It does delete. */
  g_assert_cmpuint (hls_count_files (hls->dir, ".ts"), ==, 12);
  path = hls_path (hls, "s00005.ts");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
look_that_listed_is_there (Hls *hls, GstMessage *message, gpointer sizes)
{
  g_autoptr (HlsPlaylist) playlist = NULL;

  if (!g_file_test (hls->playlist, G_FILE_TEST_EXISTS))
    return;
  playlist = hls_playlist_read (hls->playlist);
  hls_assert_listed_whole (hls->dir, playlist, sizes);
}

static void
test_max_files_below_length_leaves_no_dead_links (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GHashTable) sizes =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  set_live (hls, 6, 2, 2);
  hls->look = look_that_listed_is_there;
  hls->look_data = sizes;
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (30));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  g_assert_cmpuint (playlist->sequence, ==, 9);
  g_assert_null (playlist->type);
  /* What left the playlist stays for 14 s. */
  g_assert_cmpuint (hls_count_files (hls->dir, ".ts"), ==, 15);
}

/* ---- 11 ---- */

static void
test_durations_last_frame_included_no_noise (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (4) + 24 * HLS_FRAME);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpuint (hls_segment (playlist, 2)->duration, ==, 24 * HLS_FRAME);
  g_assert_nonnull (strstr (playlist->text, "#EXTINF:0.960000,\n"));
}

/* ---- 12 ---- */

static void
test_eos_repeated_closes_once (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GHashTable) before = NULL;
  guint segments;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls_eos (hls);
  before = hls_snapshot (hls->dir);
  segments = hls_count (hls, GST_MESSAGE_ELEMENT, "hls-segment-added");
  g_assert_cmpuint (segments, ==, 3);

  for (guint i = 0; i < 2; i++) {
    hls_track_eos (hls->video);
    hls_track_eos (hls->audio);
    /* A new stream-start takes the pad out of its EOS. */
    hls_track_begin (hls->video);
    hls_track_begin (hls->audio);
  }
  hls_track_eos (hls->video);
  hls_track_eos (hls->audio);
  hls_stop (hls);
  hls_assert_kept (hls->dir, before, NULL);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ELEMENT, "hls-segment-added"),
      ==, segments);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ELEMENT, "ams-recording-ended"),
      ==, 1);
}

/* ---- 13 ---- */

static void
test_event_playlist_says_what_it_is (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (5));
  playlist = hls_check (hls);
  g_assert_cmpstr (playlist->type, ==, "EVENT");
  g_assert_true (playlist->independent);
  g_assert_true (g_str_has_suffix (playlist->text, "\n#EXT-X-ENDLIST\n"));
}

static void
look_at_target (Hls *hls, GstMessage *message, gpointer target)
{
  g_autoptr (HlsPlaylist) playlist = NULL;

  if (!g_file_test (hls->playlist, G_FILE_TEST_EXISTS))
    return;
  playlist = hls_playlist_read (hls->playlist);
  g_assert_cmpuint (playlist->target, ==, GPOINTER_TO_UINT (target));
}

static void
test_target_duration_never_changes (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  set_live (hls, 3, 0, 3);
  hls->look = look_at_target;
  hls->look_data = GUINT_TO_POINTER (3);
  hls_add_video (hls, NULL);
  hls_play (hls);
  for (guint i = 1; i <= 20; i++) {
    hls_push_until (hls, SECONDS (i));
    if (i % 7 < 3)
      g_signal_emit_by_name (hls->sink, "split-now");
  }
  hls_eos (hls);
  playlist = hls_check (hls);
}

/* ---- 15 ---- */

static void
test_location_is_no_printf_format (void)
{
  static const gchar *const bad[] = { "%s%05d.ts", "%n%05d.ts", "s%f.ts",
    "s%5$d.ts", "s%.3d.ts", "s%c.ts", "s%05d%", "s%05d%s.ts", "s%*d.ts",
    "s%99999999999d.ts" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autofree gchar *location = hls_path (hls, bad[i]);

    g_object_set (hls->sink, "location", location, NULL);
    hls_add_video (hls, NULL);
    hls_play_fails (hls);
    hls_assert_error (hls, SETTINGS, "%");
    g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  }
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
  hls_test_add ("/hls/defects/1/restart-through-null-continues",
      test_restart_through_null_continues);
  hls_test_add ("/hls/defects/1/restart-through-ready-continues",
      test_restart_through_ready_continues);
  hls_test_add ("/hls/defects/2/stop-without-eos-lists-the-last-segment",
      test_stop_without_eos_lists_the_last_segment);
  hls_test_add ("/hls/defects/3/audio-pad-first-tables-come-first",
      test_audio_pad_first_tables_come_first);
  hls_test_add ("/hls/defects/4/playlist-stream-blocks-input-does-not-wait",
      test_playlist_stream_blocks_input_does_not_wait);
  hls_test_add ("/hls/defects/4/fragment-stream-blocks-input-does-not-wait",
      test_fragment_stream_blocks_input_does_not_wait);
  hls_test_add ("/hls/defects/4/streams-with-default-settings-record",
      test_streams_with_default_settings_record);
  hls_test_add ("/hls/defects/5/segment-is-listed-with-the-keyframe",
      test_segment_is_listed_with_the_keyframe_that_ends_it);
  hls_test_add ("/hls/defects/5/segment-with-audio-is-listed-with-the-keyframe",
      test_segment_with_audio_is_listed_with_the_keyframe_that_ends_it);
  hls_test_add ("/hls/defects/6/audio-stalls-recording-goes-on",
      test_audio_stalls_recording_goes_on);
  hls_test_add ("/hls/defects/7/one-thread-feeds-both-pads-no-deadlock",
      test_one_thread_feeds_both_pads_in_chunks_no_deadlock);
  hls_test_add ("/hls/defects/7/two-threads-feed-the-pads-no-deadlock",
      test_two_threads_feed_the_pads_no_deadlock);
  hls_test_add ("/hls/defects/7/audio-ends-before-the-video-comes-no-deadlock",
      test_audio_ends_before_the_video_comes_no_deadlock);
  hls_test_add ("/hls/defects/8/overwritten-playlist-comes-after-its-segment",
      test_overwritten_playlist_comes_after_its_segment);
  hls_test_add ("/hls/defects/9/fragment-stream-is-null-one-fault-is-said",
      test_fragment_stream_is_null_one_fault_is_said);
  hls_test_add ("/hls/defects/9/playlist-stream-is-null-one-fault-is-said",
      test_playlist_stream_is_null_one_fault_is_said);
  hls_test_add ("/hls/defects/10/file-to-be-deleted-is-gone-recording-goes-on",
      test_file_to_be_deleted_is_gone_recording_goes_on);
  hls_test_add ("/hls/defects/11/durations-last-frame-included-no-noise",
      test_durations_last_frame_included_no_noise);
  hls_test_add ("/hls/defects/12/eos-repeated-closes-once",
      test_eos_repeated_closes_once);
  hls_test_add ("/hls/defects/13/event-playlist-says-what-it-is",
      test_event_playlist_says_what_it_is);
  hls_test_add ("/hls/defects/13/target-duration-never-changes",
      test_target_duration_never_changes);
  hls_test_add ("/hls/defects/14/max-files-below-length-leaves-no-dead-links",
      test_max_files_below_length_leaves_no_dead_links);
  hls_test_add ("/hls/defects/15/location-is-no-printf-format",
      test_location_is_no_printf_format);
  return g_test_run ();
}
