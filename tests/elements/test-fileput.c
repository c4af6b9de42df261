/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amsfileput, behind amshlssink: two folders have the same recording, whatever becomes of the
 * second one meanwhile. */

#include "config.h"

#include "hls-common.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)

/* A recording, and its second folder; that is not made. */
typedef struct
{
  Hls *hls;
  GstElement *put;
  gchar *folder;
} Fixture;

static void
set_up (Fixture *f, gconstpointer write_files)
{
  f->hls = hls_new ();
  f->folder = g_strconcat (f->hls->dir, ".second", NULL);
  f->put = gst_element_factory_make ("amsfileput", NULL);
  g_assert_nonnull (f->put);
  g_object_set (f->put, "location", f->folder, NULL);
  gst_util_set_object_arg (G_OBJECT (f->hls->sink), "write-files", write_files);
  if (g_str_equal (write_files, "never"))
    g_object_set (f->hls->sink, "location", "s%05d.ts", "playlist-location",
        "p.m3u8", NULL);
  gst_bin_add (GST_BIN (f->hls->pipeline), f->put);
  g_assert_true (gst_element_link_pads (f->hls->sink, "src", f->put, "sink"));
  hls_add_video (f->hls, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hls_free (f->hls);
  if (g_file_test (f->folder, G_FILE_TEST_EXISTS))
    hls_remove_folder (f->folder);
  g_free (f->folder);
}

static gchar *
second (Fixture *f, const gchar *name)
{
  return g_build_filename (f->folder, name, NULL);
}

static void
forget (Fixture *f, const gchar *name)
{
  g_autofree gchar *path = second (f, name);

  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* (transfer full) */
static gchar *
cut_behind (const gchar *text, const gchar *line)
{
  const gchar *at = strstr (text, line);

  g_assert_nonnull (at);
  return g_strndup (text, at + strlen (line) - text);
}

/* All that @playlist lists is in the second folder, and as it is in the first. */
static void
assert_same (Fixture *f, guint segments)
{
  g_autofree gchar *path = second (f, "p.m3u8");
  g_autofree gchar *first = hls_read (f->hls->playlist);
  g_autofree gchar *other = hls_read (path);
  g_autoptr (HlsPlaylist) playlist = hls_playlist_read (path);
  g_autoptr (GHashTable) sizes =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) all = hls_snapshot (f->hls->dir);
  GHashTableIter iter;
  gpointer name;

  g_assert_cmpstr (first, ==, other);
  g_assert_true (playlist->ended);
  g_assert_cmpuint (playlist->segments->len, ==, segments);
  hls_assert_listed_whole (f->folder, playlist, sizes);
  hls_assert_nothing_hidden (f->folder);
  g_hash_table_iter_init (&iter, all);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (((gchar *) name)[0] == '.')
      g_hash_table_iter_remove (&iter);
  hls_assert_kept (f->folder, all, NULL);
}

static void
test_both_folders_have_the_same (Fixture *f, gconstpointer data)
{
  hls_record (f->hls, SECONDS (10));
  assert_same (f, 5);
  hls_record (f->hls, SECONDS (4));
  assert_same (f, 7);
}

static void
test_alone_it_has_all (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = second (f, "p.m3u8");
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (f->hls, SECONDS (6));
  hls_record (f->hls, SECONDS (4));
  g_assert_cmpuint (hls_count_files (f->hls->dir, ""), ==, 0);
  playlist = hls_playlist_read (path);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpuint (hls_count_files (f->folder, ".ts"), ==, 5);
}

/* What a crash leaves, in mid-segment. */
static void
test_alone_it_saves_what_a_crash_left (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = second (f, "p.m3u8");
  g_autofree gchar *whole = second (f, "s00002.ts");
  g_autofree gchar *part = second (f, ".s00002.ts.part");
  g_autofree gchar *text = NULL, *cut = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (f->hls, SECONDS (6));
  text = hls_read (path);
  cut = cut_behind (text, "s00001.ts\n");
  g_assert_true (g_file_set_contents (path, cut, -1, NULL));
  g_assert_cmpint (g_rename (whole, part), ==, 0);
  hls_record (f->hls, SECONDS (4));
  playlist = hls_playlist_read (path);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpstr (hls_segment (playlist, 2)->uri, ==, "s00002.ts");
  g_assert_cmpuint (hls_count_files (f->folder, ".ts"), ==, 5);
  hls_assert_nothing_hidden (f->folder);
}

static void
test_what_the_second_lacks_is_brought (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = second (f, "p.m3u8");
  g_autofree gchar *text = NULL, *cut = NULL;

  hls_record (f->hls, SECONDS (10));
  text = hls_read (path);
  cut = cut_behind (text, "s00002.ts\n");
  g_assert_true (g_file_set_contents (path, cut, -1, NULL));
  forget (f, "s00003.ts");
  forget (f, "s00004.ts");
  f->hls->expects_trouble = TRUE; /* a warning says so */
  hls_record (f->hls, SECONDS (4));
  g_assert_cmpuint (hls_count (f->hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  assert_same (f, 7);
}

/* As a mount point is taken by nothing, its place is taken by a file for a while. */
static void
test_folder_that_is_away_costs_nothing (Fixture *f, gconstpointer data)
{
  g_autofree gchar *away = g_strconcat (f->folder, ".away", NULL);

  hls_record (f->hls, SECONDS (4));
  g_assert_cmpint (g_rename (f->folder, away), ==, 0);
  hls_write (f->folder, "in the way");
  f->hls->expects_trouble = TRUE;
  hls_forget_messages (f->hls);
  hls_play (f->hls);
  hls_push_until (f->hls, SECONDS (10));
  gst_message_unref (
      hls_wait (f->hls, GST_MESSAGE_ELEMENT, "ams-file-retrying", 2));
  /* At once: between two steps the element would make the folder anew. */
  g_assert_cmpint (
      renameat2 (AT_FDCWD, away, AT_FDCWD, f->folder, RENAME_EXCHANGE), ==, 0);
  g_assert_cmpint (g_unlink (away), ==, 0);
  hls_eos (f->hls);
  hls_stop (f->hls);
  g_assert_cmpuint (hls_count (f->hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  g_assert_cmpuint (hls_count (f->hls, GST_MESSAGE_INFO, NULL), ==, 1);
  assert_same (f, 7);
}

/* By another name, so that nothing but the folder itself says that it is the same. */
static void
test_amshlssinks_own_folder_is_left_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) sizes =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_assert_cmpint (symlink (f->hls->dir, f->folder), ==, 0);
  f->hls->expects_trouble = TRUE;
  hls_record (f->hls, SECONDS (10));
  hls_assert_error (f->hls, BUSY, "p.m3u8");
  g_assert_cmpuint (hls_count (f->hls, GST_MESSAGE_WARNING, NULL), ==, 0);
  g_assert_cmpint (g_unlink (f->folder), ==, 0);
  playlist = hls_playlist_read (f->hls->playlist);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_false (hls_segment (playlist, i)->gap);
  hls_assert_listed_whole (f->hls->dir, playlist, sizes);
}

/* Another pipeline writes there: by amshlssink itself, or by an amsfileput of its own. */
static Hls *
start_other (Fixture *f, gboolean by_put)
{
  Hls *other = by_put ? hls_new () : hls_new_in (f->folder);
  GstElement *put;

  if (by_put) {
    put = gst_element_factory_make ("amsfileput", NULL);
    g_object_set (put, "location", f->folder, NULL);
    g_object_set (other->sink, "location", "s%05d.ts", "playlist-location",
        "p.m3u8", NULL);
    gst_bin_add (GST_BIN (other->pipeline), put);
    g_assert_true (gst_element_link_pads (other->sink, "src", put, "sink"));
  }
  hls_add_video (other, NULL);
  hls_play (other);
  hls_push_until (other, SECONDS (5));
  hls_wait_segments (other, 2);
  return other;
}

static void
end_other (Hls *other)
{
  hls_push_until (other, SECONDS (10));
  hls_track_eos (other->video);
  gst_message_unref (hls_wait (other, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (other);
}

static void
check_other (Fixture *f)
{
  g_autofree gchar *path = second (f, "p.m3u8");
  g_autoptr (HlsPlaylist) playlist = hls_check_in (f->folder, path);

  g_assert_cmpuint (playlist->segments->len, ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_false (hls_segment (playlist, i)->gap);
  g_assert_cmpuint (hls_count_files (f->folder, ""), ==, 6);
}

/* Its ERROR is the only one; the disk's recording is none the worse. */
static void
test_folder_of_another_recorder_is_left_alone (Fixture *f, gconstpointer data)
{
  for (guint by_put = 0; by_put < 2; by_put++) {
    g_autoptr (Hls) other = start_other (f, by_put);
    g_autoptr (HlsPlaylist) playlist = NULL;

    f->hls->expects_trouble = TRUE;
    hls_record (f->hls, SECONDS (6));
    hls_assert_error (f->hls, BUSY, f->folder, "p.m3u8");
    g_assert_cmpuint (hls_count (f->hls, GST_MESSAGE_WARNING, NULL), ==, 0);
    end_other (other);
    check_other (f);
    playlist = hls_check (f->hls);
    g_assert_cmpuint (playlist->segments->len, ==, by_put ? 6 : 3);
    hls_forget_messages (f->hls);
    hls_remove_folder (f->folder);
  }
}

/* Without a disk there is nowhere else to record to. */
static void
test_folder_of_another_recorder_ends_one_without_a_disk (Fixture *f,
    gconstpointer data)
{
  g_autoptr (Hls) other = start_other (f, TRUE);

  f->hls->expects_trouble = TRUE;
  hls_play (f->hls);
  hls_push_until (f->hls, SECONDS (20));
  gst_message_unref (hls_wait (f->hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (f->hls);
  hls_assert_error (f->hls, BUSY, f->folder);
  end_other (other);
  check_other (f);
}

static void
test_folder_of_another_recorder_is_waited_for (Fixture *f, gconstpointer data)
{
  g_autoptr (Hls) other = start_other (f, TRUE);
  g_autofree gchar *path = second (f, "p.m3u8");
  g_autoptr (HlsPlaylist) playlist = NULL;
  GThread *thread;

  gst_util_set_object_arg (G_OBJECT (f->hls->sink), "when-busy", "wait");
  hls_play (f->hls);
  thread = hls_track_thread (f->hls->video, SECONDS (4), TRUE);
  gst_message_unref (
      hls_wait (f->hls, GST_MESSAGE_ELEMENT, "ams-recording-waiting", 1));
  end_other (other);
  g_thread_join (thread);
  gst_message_unref (hls_wait (f->hls, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (f->hls);
  playlist = hls_check_in (f->folder, path);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
}

static void
test_wrong_location_is_said (Fixture *f, gconstpointer data)
{
  static const gchar *const wrong[] = { NULL, "", "s3://bucket/cam",
    "http://127.0.0.1/cam/", "file://elsewhere/cam" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_object_set (f->put, "location", wrong[i], NULL);
    hls_play_fails (f->hls);
    hls_assert_error (f->hls, SETTINGS, "location", wrong[i] ? wrong[i] : "");
    hls_stop (f->hls);
    hls_forget_messages (f->hls);
  }
}

static void
test_location_may_be_a_uri (Fixture *f, gconstpointer data)
{
  g_autofree gchar *uri = g_filename_to_uri (f->folder, NULL, NULL);
  g_autofree gchar *read = NULL;

  g_object_set (f->put, "location", uri, "fsync", FALSE, "overwrite", TRUE,
      NULL);
  g_object_get (f->put, "location", &read, NULL);
  g_assert_cmpstr (read, ==, uri);
  hls_record (f->hls, SECONDS (4));
  assert_same (f, 2);
}

#define ADD(path, write_files, function) \
  g_test_add ("/fileput/" path, Fixture, write_files, set_up, test_##function, \
      tear_down)

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD ("beside/same", "always", both_folders_have_the_same);
  ADD ("beside/lacking", "always", what_the_second_lacks_is_brought);
  ADD ("beside/away", "always", folder_that_is_away_costs_nothing);
  ADD ("alone/all", "never", alone_it_has_all);
  ADD ("alone/crash", "never", alone_it_saves_what_a_crash_left);
  ADD ("location/amshlssinks", "always", amshlssinks_own_folder_is_left_alone);
  ADD ("busy/beside", "always", folder_of_another_recorder_is_left_alone);
  ADD ("busy/alone", "never",
      folder_of_another_recorder_ends_one_without_a_disk);
  ADD ("busy/wait", "never", folder_of_another_recorder_is_waited_for);
  ADD ("location/wrong", "always", wrong_location_is_said);
  ADD ("location/uri", "always", location_may_be_a_uri);
  return g_test_run ();
}
