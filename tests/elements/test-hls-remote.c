/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshlssink with a store behind its src pad, beside its files on disk or alone: what the store is told,
 * what it is sent again when it was left behind, and what is made of a store that cannot tell. */

#include "config.h"

#include "hls-remote.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)

/* ---- local paths ---- */

static void
test_segment_on_disk_has_a_path (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05u.ts", i);
    g_autofree gchar *expected = hls_path (hls, name);
    g_autofree gchar *path = hls_remote_dup_path (remote, name);

    g_assert_cmpstr (path, ==, expected);
    hls_remote_assert_same (remote, name, path);
  }
  g_assert_null (hls_remote_dup_path (remote, "p.m3u8"));
}

static void
record_relative (const gchar *folder, const gchar *name)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "always");
  g_autofree gchar *before = g_get_current_dir ();
  g_autofree gchar *inner = hls_path (hls, "inner");
  g_autofree gchar *location = g_strconcat (folder, "s%05d.ts", NULL);
  g_autofree gchar *playlist = g_strconcat (folder, "p.m3u8", NULL);
  g_autofree gchar *path = NULL;

  g_assert_cmpint (g_mkdir (inner, 0700), ==, 0);
  g_assert_cmpint (chdir (inner), ==, 0);
  g_object_set (hls->sink, "location", location, "playlist-location", playlist,
      NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (2));
  g_assert_cmpint (chdir (before), ==, 0);
  path = hls_remote_dup_path (remote, name);
  g_assert_nonnull (path);
  g_assert_true (g_path_is_absolute (path));
  hls_remote_assert_same (remote, name, path);
}

static void
test_segment_in_a_relative_folder_has_an_absolute_path (void)
{
  record_relative ("cam/", "cam/s00000.ts");
  record_relative ("../cam/", "s00000.ts");
}

static void
test_segment_not_on_disk_has_no_path (void)
{
  static const gchar *const write_files[] = { "never", "always" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Hls) hls = hls_new ();
    HlsRemote *remote = hls_add_remote (hls, write_files[i]);

    /* Written over, the path may be an earlier recording's file. */
    gst_util_set_object_arg (G_OBJECT (hls->sink), "existing", "overwrite");
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (2));
    g_assert_true (hls_remote_has (remote, "s00000.ts"));
    g_assert_null (hls_remote_dup_path (remote, "s00000.ts"));
  }
}

/* ---- catching up ---- */

static void
test_remote_left_behind_is_sent_what_it_lacks_in_order (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  hls_remote_leave_behind (remote, 3);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refer s00003.ts\nrefer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5,
          6));
  hls_remote_assert_whole (hls, remote, 7);
  hls_playlist_free (hls_check (hls));
}

static void
test_remote_up_to_date_is_sent_nothing_again (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  g_free (hls_remote_take_log (remote));
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote, HLS_TWO_MORE (5, 6));
  hls_remote_assert_whole (hls, remote, 7);
}

static void
test_remote_empty_is_sent_all (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  hls_remote_leave_behind (remote, 0);
  hls_remote_set (remote, "p.m3u8", NULL, 0, FALSE);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refer s00000.ts\nrefer s00001.ts\nrefer s00002.ts\nrefer s00003.ts\n"
      "refer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5, 6));
  hls_remote_assert_whole (hls, remote, 7);
}

static void
test_remote_left_behind_in_a_window_is_sent_what_is_listed (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "always");

  gst_util_set_object_arg (G_OBJECT (hls->sink), "playlist-type", "live");
  g_object_set (hls->sink, "playlist-length", 3, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_remote_leave_behind (remote, 1);
  /* The disk goes on alone. */
  hls_remote_set_faults (remote, HLS_REMOTE_MUTE);
  hls_record (hls, SECONDS (6));
  hls_remote_leave_behind (remote, 1);
  hls_remote_set_faults (remote, HLS_REMOTE_OBEDIENT);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refer s00003.ts\nrefer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5,
          6));
}

static void
test_gap_is_not_sent_again (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *text = hls_read (hls->playlist);
  g_autofree gchar *cut = hls_cut_playlist (text, 3);
  g_autofree gchar *marked =
      g_strconcat (cut, "#EXT-X-GAP\n", text + strlen (cut), NULL);

  hls_remote_leave_behind (remote, 3);
  hls_put (hls->playlist, marked);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5, 6));
}

static void
test_segment_no_longer_on_disk_is_left_out_with_a_warning (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *path = hls_path (hls, "s00003.ts");

  hls_remote_leave_behind (remote, 3);
  g_unlink (path);
  hls_record (hls, SECONDS (4));
  hls_expect_warning (hls, "1 of the segments");
  hls_remote_assert_changes (remote,
      "refer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5, 6));
}

static void
test_segment_of_an_earlier_template_is_sent_again (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *location = hls_path (hls, "t%d.ts");

  hls_remote_leave_behind (remote, 3);
  g_object_set (hls->sink, "location", location, NULL);
  hls_record (hls, SECONDS (2));
  hls_remote_assert_changes (remote,
      "refer s00003.ts\nrefer s00004.ts\nplaylist p.m3u8\n"
      "file t0.ts\nplaylist p.m3u8\nplaylist p.m3u8\n");
}

static void
leave_both_behind (guint first, guint second)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remotes[2];

  hls_add_remotes (hls, "always", remotes);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (10));
  hls_remote_leave_behind (remotes[0], first);
  hls_remote_leave_behind (remotes[1], second);
  hls_record (hls, SECONDS (4));
  for (guint i = 0; i < 2; i++) {
    hls_remote_assert_changes (remotes[i],
        "refer s00003.ts\nrefer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5,
            6));
    hls_remote_assert_whole (hls, remotes[i], 7);
  }
}

static void
test_remotes_behind_a_tee_the_shortest_decides (void)
{
  leave_both_behind (4, 3);
  leave_both_behind (3, 5);
}

static void
test_disk_left_behind_is_said (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  hls_cut_disk (hls, 3, TRUE);
  g_free (hls_remote_take_log (remote));
  hls_record (hls, SECONDS (4));
  hls_expect_warning (hls, "2 segments");
  hls_remote_assert_changes (remote, HLS_TWO_MORE (5, 6));
  hls_remote_assert_same (remote, "p.m3u8", hls->playlist);
}

/* ---- a store that cannot tell ---- */

static void
test_remote_cannot_tell_the_disk_serves (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  hls_remote_leave_behind (remote, 3);
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_TELL);
  hls_record (hls, SECONDS (4));
  hls_expect_warning (hls, "the cable is cut");
  hls_remote_assert_changes (remote,
      "refer s00000.ts\nrefer s00001.ts\nrefer s00002.ts\nrefer s00003.ts\n"
      "refer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5, 6));
  hls_remote_assert_whole (hls, remote, 7);
}

static void
test_remote_cannot_tell_and_nothing_on_disk_is_an_error (void)
{
  static const gchar *const write_files[] = { "never", "always" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Hls) hls = hls_new ();
    HlsRemote *remote = hls_add_remote (hls, write_files[i]);

    hls_add_video (hls, NULL);
    hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_TELL);
    hls_refuse (hls, remote, "the cable is cut");
    g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  }
}

/* With append-or-new the disk decides on the name, at each start: a server that
 * is away renames no recording. */
static void
test_remote_cannot_tell_and_renames_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "always");

  hls_add_video (hls, NULL);
  gst_util_set_object_arg (G_OBJECT (hls->sink), "existing", "append-or-new");
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_TELL);
  hls->expects_trouble = TRUE;
  for (guint i = 0; i < 3; i++) {
    hls_record (hls, SECONDS (4));
    g_assert_cmpuint (hls_count_files (hls->dir, ".m3u8"), ==, 1);
    g_assert_true (g_file_test (hls->playlist, G_FILE_TEST_EXISTS));
    g_assert_cmpuint (hls_count (hls, GST_MESSAGE_WARNING, NULL), ==, i + 1);
  }
  hls_remote_assert_whole (hls, remote, 6);
}

/* A pipeline that is stopped stops its sinks first: no fault, and nothing to be said. */
static void
test_remote_that_is_being_stopped_is_no_error (void)
{
  static const gchar *const existing[] = { "append", "append-or-new" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Hls) hls = hls_new ();
    HlsRemote *remote = hls_add_remote (hls, "always");

    hls_add_video (hls, NULL);
    gst_util_set_object_arg (G_OBJECT (hls->sink), "existing", existing[i]);
    hls_remote_set_faults (remote, HLS_REMOTE_CLOSED);
    hls_play (hls);
    while (hls_track_push (hls->video) == GST_FLOW_OK)
      ;
    g_assert_cmpint (hls->video->flow, ==, GST_FLOW_FLUSHING);
    hls_stop (hls);
    g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
    hls_remote_assert_changes (remote, "");
  }
}

/* ---- the end ---- */

/* Returns: how many segments were announced. */
static guint
given_up_at_the_end (const gchar *write_files, HlsRemoteFaults faults)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, write_files);
  g_autofree gchar *text = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_remote_give_up (remote, "s00001.ts");
  hls_remote_set_faults (remote, faults);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "file s00000.ts\nplaylist p.m3u8\nfile s00001.ts\nplaylist p.m3u8\n"
      "playlist p.m3u8\nplaylist p.m3u8 heeds s00001.ts\n");
  text = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (text);
  g_assert_true (hls_segment (playlist, 1)->gap);
  g_assert_true (playlist->ended);
  return hls_count (hls, GST_MESSAGE_ELEMENT, "hls-segment-added");
}

static void
test_given_up_at_the_end_is_a_gap_in_the_last_playlist (void)
{
  given_up_at_the_end ("never", 0);
  given_up_at_the_end ("always", 0);
}

static void
test_given_up_before_its_playlist_is_stored_is_not_announced (void)
{
  g_assert_cmpuint (given_up_at_the_end ("never", HLS_REMOTE_LATE), ==, 1);
}

static void
test_given_up_behind_a_tee_and_queues_is_a_gap (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remotes[2];

  hls_add_remotes (hls, "never", remotes);
  hls_remote_give_up (remotes[1], "s00001.ts");
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  for (guint i = 0; i < 2; i++)
    hls_remote_assert_changes (remotes[i],
        "file s00000.ts\nplaylist p.m3u8\nfile s00001.ts\nplaylist p.m3u8\n"
        "playlist p.m3u8\nplaylist p.m3u8 heeds s00001.ts\n");
}

/* ---- messages ---- */

static void
count_early (Hls *hls, GstMessage *message, gpointer data)
{
  HlsRemote *remote = data;
  g_autofree gchar *log = NULL;

  if (!gst_message_has_name (message, "hls-segment-added") &&
      !gst_message_has_name (message, "ams-recording-ended"))
    return;
  log = hls_remote_take_log (remote);
  /* The first takes it all. */
  g_assert_true (strstr (log, "drain\n") ||
      hls_count (hls, GST_MESSAGE_ELEMENT, "hls-segment-added") > 0);
}

static void
test_messages_wait_until_the_store_has_it (void)
{
  static const gchar *const existing[] = { "append", "overwrite" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Hls) hls = hls_new ();
    HlsRemote *remote = hls_add_remote (hls, "never");

    hls_remote_set_faults (remote, HLS_REMOTE_LATE);
    gst_util_set_object_arg (G_OBJECT (hls->sink), "existing", existing[i]);
    hls->look = count_early;
    hls->look_data = remote;
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (4));
    g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ELEMENT, "hls-segment-added"),
        ==, 2);
    g_assert_cmpuint (
        hls_count (hls, GST_MESSAGE_ELEMENT, "ams-recording-ended"), ==, 1);
  }
}

/* Nobody will say so: then that it was handed over is all there is to know. */
static void
test_messages_behind_no_store_do_not_wait (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");

  hls_remote_set_faults (remote, HLS_REMOTE_MUTE);
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls_wait_segments (hls, 2);
  hls_eos (hls);
  hls_stop (hls);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ELEMENT, "ams-recording-ended"),
      ==, 1);
}

/* ---- vod ---- */

#define WORKING ".p.m3u8.recording"

static void
test_vod_beside_a_disk_shows_its_playlist_at_the_end (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "always");

  gst_util_set_object_arg (G_OBJECT (hls->sink), "playlist-type", "vod");
  hls_remote_give_up (remote, "s00000.ts");
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "file s00000.ts\nfile s00001.ts\nplaylist p.m3u8\n"
      "playlist p.m3u8 heeds s00000.ts\n");
}

/* That it is lost was said in the hidden playlist, which the store has not seen. */
static void
test_vod_beside_a_disk_heeds_what_was_lost_at_the_end (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "always");

  gst_util_set_object_arg (G_OBJECT (hls->sink), "playlist-type", "vod");
  hls_remote_refuse (remote, "s00000.ts");
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refuse s00000.ts\nfile s00001.ts\nplaylist p.m3u8 heeds s00000.ts\n");
}

/* Without a disk it is the store that keeps it for the next session. */
static void
test_vod_without_a_disk_is_continued_from_the_store (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *text = NULL, *cut = NULL, *later = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  gst_util_set_object_arg (G_OBJECT (hls->sink), "playlist-type", "vod");
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "file s00000.ts\nplaylist " WORKING "\nfile s00001.ts\nplaylist " WORKING
      "\nplaylist p.m3u8\nremove " WORKING "\n");
  text = hls_remote_dup_text (remote, "p.m3u8");
  cut = hls_cut_playlist (text, 2);
  hls_remote_set (remote, "p.m3u8", NULL, 0, FALSE);
  hls_remote_set (remote, WORKING, cut, strlen (cut), FALSE);
  hls_record (hls, SECONDS (2));
  later = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (later);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
}

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer count)
{
  g_atomic_int_inc ((gint *) count);
  return GST_PAD_PROBE_OK;
}

/* The video's thread is held up where the first segment could end, as it is not known yet how long it may be: that
 * is no silence, however long the audio goes on. */
static void
test_store_that_takes_long_at_the_start_costs_no_video (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *text = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;
  GThread *video, *audio;
  gint pushed = 0;

  g_object_set (hls->sink, "stall-timeout", 100 * GST_MSECOND, NULL);
  hls_add_av (hls);
  gst_pad_add_probe (hls->audio->pad, GST_PAD_PROBE_TYPE_BUFFER, count_buffer,
      &pushed, NULL);
  hls_remote_hold (remote, TRUE);
  hls_play (hls);
  video = hls_track_thread (hls->video, SECONDS (6), FALSE);
  audio = hls_track_thread (hls->audio, SECONDS (6), FALSE);
  /* A good deal more than the stall timeout behind where the video waits. */
  while (g_atomic_int_get (&pushed) < 80)
    g_thread_yield ();
  hls_wait_for_time (g_get_monotonic_time () + 300 * G_TIME_SPAN_MILLISECOND);
  hls_remote_hold (remote, FALSE);
  g_thread_join (video);
  g_thread_join (audio);
  hls_eos (hls);
  text = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (text);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_false (hls_segment (playlist, i)->discontinuity);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/remote/" path, test_##name)
  ADD ("path/on-disk", segment_on_disk_has_a_path);
  ADD ("path/relative", segment_in_a_relative_folder_has_an_absolute_path);
  ADD ("path/none", segment_not_on_disk_has_no_path);
  ADD ("start/takes-long", store_that_takes_long_at_the_start_costs_no_video);
  ADD ("behind/in-order", remote_left_behind_is_sent_what_it_lacks_in_order);
  ADD ("behind/not", remote_up_to_date_is_sent_nothing_again);
  ADD ("behind/empty", remote_empty_is_sent_all);
  ADD ("behind/window", remote_left_behind_in_a_window_is_sent_what_is_listed);
  ADD ("behind/gap", gap_is_not_sent_again);
  ADD ("behind/gone", segment_no_longer_on_disk_is_left_out_with_a_warning);
  ADD ("behind/earlier-template", segment_of_an_earlier_template_is_sent_again);
  ADD ("behind/tee", remotes_behind_a_tee_the_shortest_decides);
  ADD ("behind/disk", disk_left_behind_is_said);
  ADD ("unknown/disk", remote_cannot_tell_the_disk_serves);
  ADD ("unknown/nothing", remote_cannot_tell_and_nothing_on_disk_is_an_error);
  ADD ("unknown/name", remote_cannot_tell_and_renames_nothing);
  ADD ("unknown/stopped", remote_that_is_being_stopped_is_no_error);
  ADD ("end/given-up", given_up_at_the_end_is_a_gap_in_the_last_playlist);
  ADD ("end/not-announced",
      given_up_before_its_playlist_is_stored_is_not_announced);
  ADD ("end/tee", given_up_behind_a_tee_and_queues_is_a_gap);
  ADD ("messages/wait", messages_wait_until_the_store_has_it);
  ADD ("messages/no-store", messages_behind_no_store_do_not_wait);
  ADD ("vod/disk", vod_beside_a_disk_shows_its_playlist_at_the_end);
  ADD ("vod/lost", vod_beside_a_disk_heeds_what_was_lost_at_the_end);
  ADD ("vod/no-disk", vod_without_a_disk_is_continued_from_the_store);
  return g_test_run ();
}
