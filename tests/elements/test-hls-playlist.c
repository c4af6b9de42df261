/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshlssink's playlists as a reader sees them, at any moment. */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define CAMERA_US \
  G_GINT64_CONSTANT (1795344365000000) /* 2026-11-22T10:46:05Z */

enum
{
  EVENT,
  LIVE,
  VOD,
};

enum
{
  PIPELINE,
  SYSTEM,
  BUFFER_REFERENCE,
};

static GHashTable *
new_sizes (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static gboolean
exists (Hls *hls, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ---- live ---- */

/* The sequence numbers that each segment ever had. */
typedef struct
{
  GHashTable *media, *discontinuity, *sizes;
  guint64 last, last_discontinuity;
} Window;

static void
assert_number (GHashTable *numbers, const gchar *uri, guint64 number)
{
  gpointer known;

  if (g_hash_table_lookup_extended (numbers, uri, NULL, &known))
    g_assert_cmpuint (GPOINTER_TO_SIZE (known), ==, number);
  else
    g_hash_table_insert (numbers, g_strdup (uri), GSIZE_TO_POINTER (number));
}

static void
look_at_window (Hls *hls, GstMessage *message, gpointer data)
{
  Window *window = data;
  g_autoptr (HlsPlaylist) playlist = NULL;
  guint64 discontinuity;

  if (!g_file_test (hls->playlist, G_FILE_TEST_EXISTS))
    return;
  playlist = hls_playlist_read (hls->playlist);
  g_assert_null (playlist->type);
  g_assert_cmpuint (playlist->sequence, >=, window->last);
  g_assert_cmpuint (playlist->discontinuity_sequence, >=,
      window->last_discontinuity);
  window->last = playlist->sequence;
  window->last_discontinuity = discontinuity = playlist->discontinuity_sequence;
  for (guint i = 0; i < playlist->segments->len; i++) {
    const HlsSegment *segment = hls_segment (playlist, i);

    discontinuity += segment->discontinuity;
    assert_number (window->media, segment->uri, playlist->sequence + i);
    assert_number (window->discontinuity, segment->uri, discontinuity);
  }
  hls_assert_listed_whole (hls->dir, playlist, window->sizes);
}

static Window *
watch_window (Hls *hls)
{
  Window *window = g_new0 (Window, 1);

  window->media = new_sizes ();
  window->discontinuity = new_sizes ();
  window->sizes = new_sizes ();
  hls->look = look_at_window;
  hls->look_data = window;
  return window;
}

static void
window_free (Window *window)
{
  g_hash_table_unref (window->media);
  g_hash_table_unref (window->discontinuity);
  g_hash_table_unref (window->sizes);
  g_free (window);
}

static void
set_live (Hls *hls, guint length, guint max_files)
{
  g_object_set (hls->sink, "playlist-type", LIVE, "playlist-length", length,
      "max-files", max_files, "target-duration", 1, NULL);
}

static void
test_live_sequences_go_on_across_restarts (void)
{
  g_autoptr (Hls) hls = hls_new ();
  Window *window = watch_window (hls);
  g_autoptr (HlsPlaylist) playlist = NULL;

  set_live (hls, 3, 0);
  hls_add_av (hls);
  for (guint i = 0; i < 3; i++)
    hls_record (hls, SECONDS (5));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpuint (playlist->sequence, ==, 12);
  g_assert_cmpuint (playlist->discontinuity_sequence, ==, 2);
  g_assert_cmpuint (g_hash_table_size (window->media), ==, 15);
  g_assert_cmpuint (hls_count_files (hls->dir, ".ts"), ==, 15);
  hls->look = NULL;
  window_free (window);
}

/* The discontinuity of the join is still listed. */
static void
test_live_join_is_listed_with_a_discontinuity (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  set_live (hls, 6, 0);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (7));
  hls_record (hls, SECONDS (2));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->sequence, ==, 3);
  g_assert_cmpuint (playlist->discontinuity_sequence, ==, 0);
  for (guint i = 0; i < 6; i++)
    g_assert_true (hls_segment (playlist, i)->discontinuity == (i == 4));
}

static void
test_live_length_zero_lists_all (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  set_live (hls, 0, 0);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (20));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 20);
  g_assert_null (playlist->type);
}

/* Segments of 1 s, three listed: one that left stays for 1 + 3 s more. */
static void
look_for_grace (Hls *hls, GstMessage *message, gpointer data)
{
  g_autoptr (HlsPlaylist) playlist = NULL;

  if (!g_file_test (hls->playlist, G_FILE_TEST_EXISTS))
    return;
  playlist = hls_playlist_read (hls->playlist);
  for (guint64 i = playlist->sequence > 4 ? playlist->sequence - 4 : 0;
       i < playlist->sequence + playlist->segments->len; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05" G_GUINT64_FORMAT ".ts", i);

    if (!exists (hls, name))
      g_error ("\"%s\" was deleted early", name);
  }
}

static void
test_max_files_deletes_nothing_within_the_grace (void)
{
  for (guint max_files = 1; max_files <= 12; max_files += 11) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (HlsPlaylist) playlist = NULL;

    set_live (hls, 3, max_files);
    hls->look = look_for_grace;
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (20));
    hls_record (hls, SECONDS (20));
    playlist = hls_check (hls);
    g_assert_cmpuint (playlist->segments->len, ==, 3);
    if (max_files == 12)
      g_assert_false (exists (hls, "s00014.ts"));
  }
}

/* ---- vod ---- */

static void
look_that_there_is_none (Hls *hls, GstMessage *message, gpointer data)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT &&
      gst_message_has_name (message, "hls-segment-added"))
    g_assert_false (exists (hls, "p.m3u8"));
}

/* Events for @name in the folder since @fd was made. */
static guint
count_events (gint fd, const gchar *name)
{
  gchar buffer[64 * 1024]
      __attribute__ ((aligned (__alignof__(struct inotify_event))));
  gssize n;
  guint count = 0;

  while ((n = read (fd, buffer, sizeof buffer)) > 0) {
    for (gchar *p = buffer; p < buffer + n;) {
      const struct inotify_event *event = (const struct inotify_event *) p;

      g_assert_false (event->mask & IN_Q_OVERFLOW);
      count += event->len > 0 && g_str_equal (event->name, name);
      p += sizeof *event + event->len;
    }
  }
  return count;
}

static void
test_vod_appears_whole_at_the_end (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  gint fd = inotify_init1 (IN_NONBLOCK);

  g_object_set (hls->sink, "playlist-type", VOD, NULL);
  hls->look = look_that_there_is_none;
  hls_add_av (hls);
  hls_play (hls);
  g_assert_cmpint (
      inotify_add_watch (fd, hls->dir, IN_CREATE | IN_MOVED_TO | IN_MODIFY), >=,
      0);
  hls_push_until (hls, SECONDS (10));
  hls_wait_segments (hls, 4);
  g_assert_cmpuint (count_events (fd, "p.m3u8"), ==, 0);
  g_mutex_lock (&hls->lock);
  hls->look = NULL;
  g_mutex_unlock (&hls->lock);
  hls_eos (hls);
  hls_stop (hls);
  g_assert_cmpuint (count_events (fd, "p.m3u8"), ==, 1);
  close (fd);
  playlist = hls_check (hls);
  g_assert_cmpstr (playlist->type, ==, "VOD");
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_true (playlist->ended);
  hls_assert_nothing_hidden (hls->dir);
}

static void
test_vod_crash_is_continued (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *working = hls_path (hls, ".p.m3u8.recording");
  g_autofree gchar *journal = hls_path (hls, ".p.m3u8.journal");
  g_autofree gchar *last = hls_path (hls, "s00004.ts");
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");
  g_autofree gchar *working_text = NULL, *journal_text = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "playlist-type", VOD, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (10));
  working_text = hls_wait_text (working, "s00003.ts");
  journal_text = hls_wait_text (journal, "s00004.ts");
  hls_eos (hls);
  hls_stop (hls);
  /* As a kill would have left it. */
  hls_write (working, working_text);
  hls_write (journal, journal_text);
  g_assert_cmpint (g_rename (last, part), ==, 0);
  g_assert_cmpint (g_unlink (hls->playlist), ==, 0);

  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  g_assert_cmpstr (playlist->type, ==, "VOD");
  g_assert_true (playlist->ended);
  for (guint i = 0; i < 7; i++)
    g_assert_true (hls_segment (playlist, i)->discontinuity == (i == 5));
}

/* ---- ENDLIST ---- */

static void
test_endlist_disabled_is_not_written (void)
{
  static const guint types[] = { EVENT, LIVE, VOD };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (HlsPlaylist) playlist = NULL;

    g_object_set (hls->sink, "playlist-type", types[i], "enable-endlist", FALSE,
        NULL);
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (4));
    if (types[i] != VOD)
      hls_record (hls, SECONDS (4));
    playlist = hls_check (hls);
    g_assert_false (playlist->ended);
    g_assert_cmpuint (playlist->segments->len, ==, types[i] == VOD ? 2 : 4);
  }
}

/* ---- dates ---- */

static void
test_date_time_off_has_no_dates (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "program-date-time", FALSE, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_null (strstr (playlist->text, "PROGRAM-DATE-TIME"));
}

static void
assert_dates_follow (const HlsPlaylist *playlist, gint64 tolerance)
{
  for (guint i = 1; i < playlist->segments->len; i++) {
    const HlsSegment *earlier = hls_segment (playlist, i - 1);
    gint64 apart = hls_segment (playlist, i)->date_us - earlier->date_us;

    g_assert_cmpint (ABS (apart - (gint64) (earlier->duration / 1000)), <=,
        tolerance);
  }
}

static void
record_with_clock (guint reference, gint64 tolerance)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  gint64 before, after;

  g_object_set (hls->sink, "program-date-time-reference", reference, NULL);
  hls_add_av (hls);
  before = g_get_real_time ();
  hls_record (hls, SECONDS (8));
  after = g_get_real_time ();
  playlist = hls_check (hls);
  g_assert_cmpint (hls_segment (playlist, 0)->date_us, >=, before - 1000);
  g_assert_cmpint (hls_segment (playlist, 0)->date_us, <=, after);
  assert_dates_follow (playlist, tolerance);
}

static void
test_date_time_pipeline_is_when_it_was_captured (void)
{
  record_with_clock (PIPELINE, 1000);
  /* There is none: as PIPELINE. */
  record_with_clock (BUFFER_REFERENCE, 1000);
}

static void
test_date_time_system_is_read_at_each_segment (void)
{
  record_with_clock (SYSTEM, 50000);
}

static void
record_camera (const HlsMedia *video, const gchar *reference, gboolean audio)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "program-date-time-reference", BUFFER_REFERENCE,
      NULL);
  hls_add_video (hls, video);
  if (audio)
    hls_add_audio (hls);
  hls_track_add_dates (hls->video, reference, CAMERA_US);
  hls_record (hls, SECONDS (8));
  playlist = hls_check (hls);
  g_assert_cmpstr (hls_segment (playlist, 0)->date, ==,
      "2026-11-22T10:46:05.000Z");
  assert_dates_follow (playlist, 0);
}

static void
test_date_time_reference_is_the_cameras (void)
{
  record_camera (NULL, "timestamp/x-unix", FALSE);
  record_camera (NULL, "timestamp/x-ntp", FALSE);
  record_camera (NULL, "timestamp/x-ntp", TRUE);
  record_camera (hls_video_avc (), "timestamp/x-ntp", TRUE);
}

static void
test_date_time_reference_with_b_frames_is_the_keyframes (void)
{
  record_camera (hls_video (160, 25, 2), "timestamp/x-unix", TRUE);
}

/* ---- cuts ---- */

static void
test_align_to_clock_cuts_at_multiples_of_the_target (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "align-to-clock", TRUE,
      "program-date-time-reference", BUFFER_REFERENCE, NULL);
  hls_add_av (hls);
  hls_track_add_dates (hls->video, "timestamp/x-unix", CAMERA_US);
  hls_record (hls, SECONDS (8));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpuint (hls_segment (playlist, 0)->duration, ==, SECONDS (1));
  for (guint i = 1; i < 5; i++)
    g_assert_cmpint (hls_segment (playlist, i)->date_us % (2 * G_USEC_PER_SEC),
        ==, 0);
}

static void
test_split_now_cuts_at_the_next_keyframe (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  gint requests;

  g_object_set (hls->sink, "target-duration", 4, NULL);
  hls_add_av (hls);
  g_signal_emit_by_name (hls->sink, "split-now");
  hls_play (hls);
  hls_push_until (hls, SECONDS (1) + 5 * HLS_FRAME);
  requests = g_atomic_int_get (&hls->video->key_requests);
  g_signal_emit_by_name (hls->sink, "split-now");
  hls_push_until (hls, SECONDS (6));
  g_assert_cmpint (g_atomic_int_get (&hls->video->key_requests), >, requests);
  hls_eos (hls);
  g_signal_emit_by_name (hls->sink, "split-now");
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpuint (hls_segment (playlist, 0)->duration, ==, SECONDS (2));
  g_assert_cmpuint (hls_segment (playlist, 1)->duration, ==, SECONDS (4));
  g_assert_false (hls_segment (playlist, 1)->discontinuity);
}

/* ---- readers ---- */

typedef struct
{
  Hls *hls;
  GHashTable *sizes;
  gchar *text; /* (nullable) as it was last read */
  gint stop; /* atomic */
  guint read;
} Reader;

/* It is whole, goes on from what it was, and what it lists is there. */
static void
read_playlist (Reader *reader)
{
  g_autoptr (HlsPlaylist) playlist = NULL;
  gchar *text;

  if (!g_file_get_contents (reader->hls->playlist, &text, NULL, NULL))
    return;
  playlist = hls_playlist_parse (text);
  if (reader->text)
    hls_assert_continues (reader->text, text);
  hls_assert_listed_whole (reader->hls->dir, playlist, reader->sizes);
  g_free (reader->text);
  reader->text = text;
  reader->read++;
}

static gpointer
read_all_the_time (gpointer data)
{
  Reader *reader = data;

  while (!g_atomic_int_get (&reader->stop))
    read_playlist (reader);
  return NULL;
}

/* Whenever something happens in the folder. */
static gpointer
read_at_each_change (gpointer data)
{
  Reader *reader = data;
  gchar events[64 * 1024];
  gint fd = inotify_init1 (0);

  g_assert_cmpint (inotify_add_watch (fd, reader->hls->dir,
                       IN_MOVED_TO | IN_MODIFY | IN_CREATE | IN_DELETE),
      >=, 0);
  while (!g_atomic_int_get (&reader->stop)) {
    g_assert_cmpint (read (fd, events, sizeof events), >, 0);
    read_playlist (reader);
  }
  close (fd);
  return NULL;
}

static void
record_with_reader (GThreadFunc func)
{
  g_autoptr (Hls) hls = hls_new ();
  Reader reader = { .hls = hls, .sizes = new_sizes () };
  g_autofree gchar *done = hls_path (hls, "done");
  g_autoptr (HlsPlaylist) playlist = NULL;
  GThread *thread;

  g_object_set (hls->sink, "target-duration", 1, NULL);
  hls_add_video (hls, NULL);
  thread = g_thread_new ("reader", func, &reader);
  hls_record (hls, SECONDS (100));
  hls_record (hls, SECONDS (50));
  g_atomic_int_set (&reader.stop, TRUE);
  hls_write (done, "wakes it");
  g_thread_join (thread);
  read_playlist (&reader);
  g_test_message ("read %u times", reader.read);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 150);
  g_assert_cmpuint (g_hash_table_size (reader.sizes), ==, 150);
  g_assert_cmpuint (strlen (playlist->text), >, 2 * 4096);
  g_hash_table_unref (reader.sizes);
  g_free (reader.text);
}

static void
test_reader_at_each_change_finds_all_that_is_listed (void)
{
  record_with_reader (read_at_each_change);
}

static void
test_reader_at_any_time_never_sees_half_a_line (void)
{
  record_with_reader (read_all_the_time);
}

/* ---- delete-on-ended ---- */

static void
plant (Hls *hls, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);

  hls_write (path, name);
}

static void
set_cam1 (Hls *hls)
{
  g_autofree gchar *location = hls_path (hls, "cam1-%05d.ts");
  g_autofree gchar *playlist = hls_path (hls, "cam1.m3u8");

  g_object_set (hls->sink, "location", location, "playlist-location", playlist,
      NULL);
}

static void
test_delete_on_ended_leaves_neighbours (void)
{
  static const guint types[] = { EVENT, LIVE, VOD };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (GHashTable) before = NULL, after = NULL;

    plant (hls, "cam10-00000.ts");
    plant (hls, "cam10.m3u8");
    plant (hls, "cam1-00000.tsx");
    plant (hls, "cam1-x.ts");
    set_cam1 (hls);
    g_object_set (hls->sink, "delete-on-ended", TRUE, "playlist-type", types[i],
        NULL);
    hls_add_av (hls);
    before = hls_snapshot (hls->dir);
    hls_record (hls, SECONDS (6));
    hls_assert_kept (hls->dir, before, NULL);
    after = hls_snapshot (hls->dir);
    g_assert_cmpuint (g_hash_table_size (after), ==, 4);
  }
}

static void
test_delete_on_ended_leaves_an_earlier_session (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GHashTable) before = NULL, after = NULL;

  set_cam1 (hls);
  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  before = hls_snapshot (hls->dir);
  g_object_set (hls->sink, "delete-on-ended", TRUE, NULL);
  hls_record (hls, SECONDS (4));
  hls_assert_kept (hls->dir, before, NULL);
  after = hls_snapshot (hls->dir);
  g_assert_cmpuint (g_hash_table_size (after), ==, 3);
}

/* One playlist for both: what the earlier session recorded must still be there, and still be found. */
static void
test_delete_on_ended_of_a_continued_recording_deletes_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GHashTable) before = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  before = hls_snapshot (hls->dir);
  g_object_set (hls->sink, "delete-on-ended", TRUE, NULL);
  hls->expects_trouble = TRUE;
  hls_record (hls, SECONDS (4));
  /* The playlist is not this session's alone: nothing is deleted, and that is said. */
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "delete-on-ended", NULL);
  hls_assert_kept (hls->dir, before, "p.m3u8");
  g_assert_cmpuint (hls_count_files (hls->dir, ".ts"), ==, 4);
  g_assert_true (exists (hls, "p.m3u8"));
}

static void
test_delete_delay_keeps_the_files_as_long (void)
{
  g_autoptr (Hls) hls = hls_new ();
  gchar events[4096];
  gint fd = inotify_init1 (0);

  g_object_set (hls->sink, "delete-on-ended", TRUE, "delete-delay", 1, NULL);
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_eos (hls);
  /* And the recording is this element's: another one would lose its files. */
  g_assert_cmpuint (hls_count_files (hls->dir, ".lock"), ==, 2);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 3 + 2);
  g_assert_cmpint (inotify_add_watch (fd, hls->dir, IN_DELETE), >=, 0);
  while (hls_count_files (hls->dir, "") > 0)
    g_assert_cmpint (read (fd, events, sizeof events), >, 0);
  close (fd);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/playlist/" path, test_##name)
  ADD ("live/restarts", live_sequences_go_on_across_restarts);
  ADD ("live/join", live_join_is_listed_with_a_discontinuity);
  ADD ("live/length-zero", live_length_zero_lists_all);
  ADD ("live/grace", max_files_deletes_nothing_within_the_grace);
  ADD ("vod/end", vod_appears_whole_at_the_end);
  ADD ("vod/crash", vod_crash_is_continued);
  ADD ("endlist", endlist_disabled_is_not_written);
  ADD ("date/off", date_time_off_has_no_dates);
  ADD ("date/pipeline", date_time_pipeline_is_when_it_was_captured);
  ADD ("date/system", date_time_system_is_read_at_each_segment);
  ADD ("date/reference", date_time_reference_is_the_cameras);
  ADD ("date/b-frames", date_time_reference_with_b_frames_is_the_keyframes);
  ADD ("cut/align", align_to_clock_cuts_at_multiples_of_the_target);
  ADD ("cut/split-now", split_now_cuts_at_the_next_keyframe);
  ADD ("reader/change", reader_at_each_change_finds_all_that_is_listed);
  ADD ("reader/any-time", reader_at_any_time_never_sees_half_a_line);
  ADD ("delete/neighbours", delete_on_ended_leaves_neighbours);
  ADD ("delete/session", delete_on_ended_leaves_an_earlier_session);
  ADD ("delete/continued",
      delete_on_ended_of_a_continued_recording_deletes_nothing);
  ADD ("delete/delay", delete_delay_keeps_the_files_as_long);
  return g_test_run ();
}
