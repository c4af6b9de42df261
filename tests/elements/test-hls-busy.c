/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A recording belongs to one recorder: a second one that is started on it is refused, waits, or records beside, and in no
 * case touches what the first one writes. */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)

enum
{
  APPEND,
  APPEND_OR_NEW,
  ERROR,
  OVERWRITE,
};

enum
{
  BUSY_ERROR,
  BUSY_WAIT,
};

/* The segment that the first recorder still writes: its file is made, and grows, as what was
 * pushed fills its blocks. */
#define OPEN_PART ".s00002.ts.part"

/* A recorder that has listed two segments, and has the third one open. Nothing but that one's
 * file changes any more: the playlist and the journal are in their last version, of which each
 * is written to a temporary file first. */
static Hls *
start_first (void)
{
  Hls *hls = hls_new ();
  g_autofree gchar *text = NULL, *noted = NULL, *journal = NULL;

  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls_wait_segments (hls, 2);
  text = hls_wait_text (hls->playlist, "s00001.ts");
  journal = hls_path (hls, ".p.m3u8.journal");
  noted = hls_wait_text (journal, "s00002.ts");
  return hls;
}

static void
assert_untouched (Hls *first, GHashTable *before)
{
  guint had =
      g_hash_table_size (before) - g_hash_table_contains (before, OPEN_PART);

  hls_assert_kept (first->dir, before, OPEN_PART);
  g_assert_cmpuint (hls_count_files (first->dir, "") -
          hls_count_files (first->dir, OPEN_PART),
      ==, had);
}

/* The others may still be at work in the folder. */
static void
end (Hls *hls, GstClockTime time)
{
  guint before = hls_count (hls, GST_MESSAGE_EOS, NULL);

  hls_push_until (hls, time);
  hls_track_eos (hls->video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, before + 1));
  hls_stop (hls);
}

/* All that the first one has recorded is there, once. */
static void
check_first (Hls *hls, guint segments)
{
  g_autoptr (HlsPlaylist) playlist = hls_check (hls);

  g_assert_cmpuint (playlist->segments->len, ==, segments);
  for (guint i = 0; i < segments; i++) {
    g_assert_false (hls_segment (playlist, i)->gap);
    g_assert_false (hls_segment (playlist, i)->discontinuity);
  }
  hls_assert_nothing_hidden (hls->dir);
}

static void
refuse (Hls *second)
{
  g_autofree gchar *who = g_strdup_printf ("process %d on %s", (gint) getpid (),
      g_get_host_name ());

  second->expects_trouble = TRUE;
  hls_play (second);
  hls_push_until (second, SECONDS (20));
  gst_message_unref (hls_wait (second, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (second);
  hls_assert_error (second, BUSY, "p.m3u8", who, "when-busy");
  g_assert_cmpuint (hls_count (second, GST_MESSAGE_WARNING, NULL), ==, 0);
  g_assert_cmpuint (
      hls_count (second, GST_MESSAGE_ELEMENT, "ams-recording-started"), ==, 0);
}

static void
test_second_is_refused_whatever_existing_says (void)
{
  static const guint existing[] = { APPEND, ERROR, OVERWRITE };

  for (guint i = 0; i < G_N_ELEMENTS (existing); i++) {
    g_autoptr (Hls) first = start_first ();
    g_autoptr (Hls) second = hls_new_in (first->dir);
    g_autoptr (GHashTable) before = hls_snapshot (first->dir);

    g_object_set (second->sink, "existing", existing[i], NULL);
    hls_add_video (second, NULL);
    refuse (second);
    assert_untouched (first, before);
    end (first, SECONDS (10));
    check_first (first, 5);
    hls_forget_messages (second);
    g_object_set (second->sink, "existing", APPEND, NULL);
    hls_record (second, SECONDS (4));
    g_assert_cmpuint (hls_count_files (first->dir, ".ts"), ==, 7);
  }
}

/* Two playlists, and segments that have the same names. */
static void
test_other_playlist_with_the_same_segments_is_refused (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  g_autofree gchar *playlist = hls_path (second, "q.m3u8");
  g_autofree gchar *segments = hls_path (second, "s%d.ts");

  g_object_set (second->sink, "playlist-location", playlist, "location",
      segments, NULL);
  hls_add_video (second, NULL);
  second->expects_trouble = TRUE;
  hls_play (second);
  hls_push_until (second, SECONDS (20));
  gst_message_unref (hls_wait (second, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (second);
  hls_assert_error (second, BUSY, "s_.ts");
  end (first, SECONDS (10));
  check_first (first, 5);
}

/* Two cameras in one folder. */
static void
test_other_recording_in_the_folder_is_none_of_it (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  g_autofree gchar *playlist = hls_path (second, "q.m3u8");
  g_autofree gchar *segments = hls_path (second, "t%05d.ts");
  g_autoptr (HlsPlaylist) theirs = NULL;

  g_object_set (second->sink, "playlist-location", playlist, "location",
      segments, NULL);
  hls_add_video (second, NULL);
  hls_play (second);
  hls_push_until (second, SECONDS (6));
  end (first, SECONDS (10));
  end (second, SECONDS (8));
  check_first (first, 5);
  theirs = hls_check_in (first->dir, playlist);
  g_assert_cmpuint (theirs->segments->len, ==, 4);
}

static void
test_second_by_a_link_is_refused (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autofree gchar *link = g_strconcat (first->dir, ".link", NULL);
  g_autoptr (Hls) second = NULL;

  g_assert_cmpint (symlink (first->dir, link), ==, 0);
  second = hls_new_in (link);
  hls_add_video (second, NULL);
  refuse (second);
  g_assert_cmpint (g_unlink (link), ==, 0);
  end (first, SECONDS (10));
  check_first (first, 5);
}

static gchar *
get_started (Hls *hls)
{
  g_autoptr (GstMessage) started =
      hls_wait (hls, GST_MESSAGE_ELEMENT, "ams-recording-started", 1);

  return g_strdup (gst_structure_get_string (
      gst_message_get_structure (started), "playlist-location"));
}

/* A third one goes beside the second as well; and none of them takes what another one has open
 * for what a crash has left. */
static void
test_append_or_new_goes_beside (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  g_autoptr (Hls) third = hls_new_in (first->dir);
  g_autofree gchar *beside = NULL, *further = NULL;
  g_autoptr (HlsPlaylist) b = NULL, c = NULL;

  g_object_set (second->sink, "existing", APPEND_OR_NEW, NULL);
  g_object_set (third->sink, "existing", APPEND_OR_NEW, NULL);
  hls_add_video (second, NULL);
  hls_add_video (third, NULL);
  hls_play (second);
  hls_push_until (second, SECONDS (5));
  beside = get_started (second);
  hls_play (third);
  hls_push_until (third, SECONDS (5));
  further = get_started (third);
  g_assert_cmpstr (beside, !=, first->playlist);
  g_assert_cmpstr (further, !=, first->playlist);
  g_assert_cmpstr (further, !=, beside);
  end (second, SECONDS (8));
  end (first, SECONDS (10));
  end (third, SECONDS (6));
  b = hls_check_in (first->dir, beside);
  c = hls_check_in (first->dir, further);
  g_assert_cmpuint (b->segments->len, ==, 4);
  g_assert_cmpuint (c->segments->len, ==, 3);
  check_first (first, 5);
}

/* Sessions with a date in their names are recordings of their own. */
static void
test_add_date_time_sessions_do_not_disturb_each_other (void)
{
  g_autoptr (Hls) first = hls_new ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  g_autofree gchar *a = NULL, *b = NULL;
  g_autoptr (HlsPlaylist) p = NULL, q = NULL;

  g_object_set (first->sink, "add-date-time", TRUE, NULL);
  g_object_set (second->sink, "add-date-time", TRUE, NULL);
  hls_add_video (first, NULL);
  hls_add_video (second, NULL);
  hls_play (first);
  hls_push_until (first, SECONDS (5));
  a = get_started (first);
  hls_play (second);
  hls_push_until (second, SECONDS (5));
  b = get_started (second);
  end (first, SECONDS (10));
  end (second, SECONDS (10));
  p = hls_check_in (first->dir, a);
  q = hls_check_in (first->dir, b);
  g_assert_cmpuint (p->segments->len, ==, 5);
  g_assert_cmpuint (q->segments->len, ==, 5);
}

static void
check_both (Hls *first, guint at, guint segments)
{
  g_autoptr (HlsPlaylist) playlist = hls_check (first);

  g_assert_cmpuint (playlist->segments->len, ==, segments);
  for (guint i = 0; i < segments; i++)
    g_assert_true (hls_segment (playlist, i)->discontinuity == (i == at));
  g_assert_cmpuint (hls_count_frames (first, TRUE), ==, segments * 50);
  hls_assert_nothing_hidden (first->dir);
}

static void
test_wait_goes_on_when_the_first_has_ended (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  g_autoptr (GHashTable) before = NULL;
  GThread *thread;

  g_object_set (second->sink, "when-busy", BUSY_WAIT, NULL);
  hls_add_video (second, NULL);
  before = hls_snapshot (first->dir);
  hls_play (second);
  thread = hls_track_thread (second->video, SECONDS (4), TRUE);
  gst_message_unref (
      hls_wait (second, GST_MESSAGE_ELEMENT, "ams-recording-waiting", 1));
  assert_untouched (first, before);
  end (first, SECONDS (10));
  g_thread_join (thread);
  gst_message_unref (hls_wait (second, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (second);
  g_assert_cmpuint (
      hls_count (second, GST_MESSAGE_ELEMENT, "ams-recording-waiting"), ==, 1);
  check_both (first, 5, 7);
}

/* The element is taken to READY without EOS, and with what the disk had not taken yet. */
static void
test_wait_goes_on_when_the_first_is_stopped (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  g_autoptr (HlsPlaylist) playlist = NULL;
  GThread *thread;

  g_object_set (second->sink, "when-busy", BUSY_WAIT, NULL);
  hls_add_video (second, NULL);
  hls_play (second);
  thread = hls_track_thread (second->video, SECONDS (4), TRUE);
  gst_message_unref (
      hls_wait (second, GST_MESSAGE_ELEMENT, "ams-recording-waiting", 1));
  hls_stop (first);
  g_thread_join (thread);
  gst_message_unref (hls_wait (second, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (second);
  playlist = hls_check (first);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
}

static void
test_wait_ends_at_once_when_stopped (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  GThread *thread;
  gint64 before;

  g_object_set (second->sink, "when-busy", BUSY_WAIT, NULL);
  hls_add_video (second, NULL);
  hls_play (second);
  thread = hls_track_thread (second->video, SECONDS (30), FALSE);
  gst_message_unref (
      hls_wait (second, GST_MESSAGE_ELEMENT, "ams-recording-waiting", 1));
  before = g_get_monotonic_time ();
  hls_stop (second);
  g_assert_cmpint (g_get_monotonic_time () - before, <, G_USEC_PER_SEC / 2);
  g_thread_join (thread);
  g_assert_cmpuint (hls_count (second, GST_MESSAGE_ERROR, NULL), ==, 0);
  end (first, SECONDS (10));
  check_first (first, 5);
}

/* What comes in meanwhile is held up, not taken into memory without end. */
static void
test_wait_holds_up_what_comes_in (void)
{
  g_autoptr (Hls) first = start_first ();
  g_autoptr (Hls) second = hls_new_in (first->dir);
  GThread *thread;

  g_object_set (second->sink, "when-busy", BUSY_WAIT, "stall-timeout",
      SECONDS (1), NULL);
  hls_add_video (second, NULL);
  hls_play (second);
  thread = hls_track_thread (second->video, SECONDS (60), TRUE);
  gst_message_unref (
      hls_wait (second, GST_MESSAGE_ELEMENT, "ams-recording-waiting", 1));
  end (first, SECONDS (10));
  g_thread_join (thread);
  gst_message_unref (hls_wait (second, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (second);
  check_both (first, 5, 35);
}

/* Two recorders of before there were claims: one has lost its names to the other, and marked as
 * missing what is there. */
static void
test_earlier_accident_is_said (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *aside = hls_path (hls, ".s00001.ts.part.1");
  g_autofree gchar *text = NULL, *whole = NULL;
  g_autoptr (GString) gap = NULL;
  g_autoptr (GHashTable) before = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (6));
  text = hls_read (hls->playlist);
  gap = g_string_new (text);
  g_assert_cmpuint (
      g_string_replace (gap, "s00001.ts\n", "#EXT-X-GAP\ns00001.ts\n", 1), ==,
      1);
  hls_write (hls->playlist, gap->str);
  hls_write (aside, "what the other one took");
  before = hls_snapshot (hls->dir);
  hls->expects_trouble = TRUE;
  hls_play (hls);
  end (hls, SECONDS (4));
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_WARNING, NULL), ==, 2);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  hls_assert_kept (hls->dir, before, "p.m3u8");
  whole = hls_read (hls->playlist);
  g_assert_nonnull (strstr (whole, "#EXT-X-GAP\ns00001.ts\n"));
  g_assert_cmpint (g_unlink (aside), ==, 0);
}

static gint64
get_modified (const gchar *path)
{
  GStatBuf info;

  g_assert_cmpint (g_stat (path, &info), ==, 0);
  return info.st_mtim.tv_sec * G_USEC_PER_SEC + info.st_mtim.tv_nsec / 1000;
}

/* Media that were set aside, as the other recorder had their names, are listed by the next
 * start: behind what is listed, with the date at which they were recorded, under a free
 * number. No line of the playlist changes. */
static void
test_media_set_aside_are_listed (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *aside = hls_path (hls, ".s00001.ts.part.1");
  g_autofree gchar *segment = hls_path (hls, "s00001.ts");
  g_autofree gchar *listed = hls_path (hls, "s00003.ts");
  g_autofree gchar *bytes = NULL, *recovered = NULL, *earlier = NULL;
  g_autofree gchar *later = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GHashTable) before = NULL;
  gsize size, recovered_size;
  gint64 modified;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (6));
  before = hls_snapshot (hls->dir);
  earlier = hls_read (hls->playlist);
  g_assert_true (g_file_get_contents (segment, &bytes, &size, NULL));
  g_assert_true (g_file_set_contents (aside, bytes, size, NULL));
  modified = get_modified (aside);
  hls_record (hls, SECONDS (4));
  hls_assert_kept (hls->dir, before, "p.m3u8");
  later = hls_read (hls->playlist);
  hls_assert_continues (earlier, later);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  g_assert_cmpstr (hls_segment (playlist, 3)->uri, ==, "s00003.ts");
  g_assert_true (hls_segment (playlist, 3)->discontinuity);
  g_assert_true (hls_segment (playlist, 4)->discontinuity);
  g_assert_cmpint (
      ABS (hls_segment (playlist, 3)->date_us - modified + 2 * G_USEC_PER_SEC),
      <, G_USEC_PER_SEC / 20);
  g_assert_true (
      g_file_get_contents (listed, &recovered, &recovered_size, NULL));
  g_assert_cmpmem (recovered, recovered_size, bytes, size);
  hls_assert_nothing_hidden (hls->dir);
}

#define ADD(path, test) hls_test_add ("/hls/busy/" path, test_##test)

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
  ADD ("refused/existing", second_is_refused_whatever_existing_says);
  ADD ("refused/segments", other_playlist_with_the_same_segments_is_refused);
  ADD ("refused/link", second_by_a_link_is_refused);
  ADD ("other-recording", other_recording_in_the_folder_is_none_of_it);
  ADD ("beside/append-or-new", append_or_new_goes_beside);
  ADD ("beside/add-date-time",
      add_date_time_sessions_do_not_disturb_each_other);
  ADD ("accident/said", earlier_accident_is_said);
  ADD ("accident/set-aside", media_set_aside_are_listed);
  ADD ("wait/ended", wait_goes_on_when_the_first_has_ended);
  ADD ("wait/stopped", wait_goes_on_when_the_first_is_stopped);
  ADD ("wait/cancelled", wait_ends_at_once_when_stopped);
  ADD ("wait/held", wait_holds_up_what_comes_in);
  return g_test_run ();
}
