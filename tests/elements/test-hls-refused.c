/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What amshlssink must not record to: names that would not do, earlier recordings that cannot be
 * read, places that cannot be written. Each gets one sentence, and nothing that was
 * recorded is changed. */

#include "config.h"

#include "hls-common.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <unistd.h>

#define NOBODY 65534
#define SECONDS(n) ((n) *GST_SECOND)

enum
{
  APPEND,
  APPEND_OR_NEW,
  ERROR,
  OVERWRITE,
};

/* ---- names ---- */

static void
name_is_refused (const gchar *property, const gchar *value, const gchar *word)
{
  g_autoptr (Hls) hls = hls_new ();

  g_object_set (hls->sink, property, value, NULL);
  hls_add_video (hls, NULL);
  hls_play_fails (hls);
  hls_assert_error (hls, SETTINGS, property, word);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

static void
test_template_without_a_number_is_refused (void)
{
  name_is_refused ("location", "/nowhere/s.ts", "s.ts");
  name_is_refused ("location", "/nowhere/{session:%H-%M-%S.%L}.ts",
      "{session:%H-%M-%S.%L}");
  name_is_refused ("location", "/nowhere/{segment:%Y-%m-%d_%H-%M-%S}.ts",
      "{segment:");
  name_is_refused ("location", "/nowhere/{segment:%H-%M-%S.%L}.ts",
      "{segment:");
}

static void
test_playlist_as_location_is_refused (void)
{
  name_is_refused ("location", "/nowhere/cam.m3u8",
      "playlist-location to that, and location to \"/nowhere/cam-%05d.ts\"");
  name_is_refused ("location", "cam%d.M3U", "playlist-location");
}

static void
test_template_with_two_numbers_is_refused (void)
{
  name_is_refused ("location", "/nowhere/s%05d-%d.ts", "%d.ts");
}

static void
test_template_that_is_not_understood_is_refused (void)
{
  name_is_refused ("location", "/nowhere/s%05d{segment:%H.ts", "{");
  name_is_refused ("location", "/nowhere/s%05d{other:%H}.ts", "other");
  name_is_refused ("location", "/nowhere/s%05d{segment:%Q}.ts", "%Q");
  name_is_refused ("location", "", "location");
  name_is_refused ("location", NULL, "location");
  name_is_refused ("playlist-location", "", "playlist-location");
  name_is_refused ("playlist-location", "/nowhere/p%d.m3u8", "p%d.m3u8");
  name_is_refused ("playlist-location", "/nowhere/{segment:%H}.m3u8",
      "segment");
}

static void
test_template_that_leads_out_is_refused (void)
{
  name_is_refused ("location", "/nowhere/{segment:%H}/../../s%05d.ts", "..");
  name_is_refused ("location", "s%05d.ts", "playlist-location");
}

static void
test_time_zone_unknown_is_refused (void)
{
  name_is_refused ("time-zone", "Mars/Olympus", "Mars/Olympus");
}

static void
behind_src_is_refused (const gchar *location, const gchar *playlist_location)
{
  g_autoptr (Hls) hls = hls_new ();

  g_object_set (hls->sink, "location", location, "playlist-location",
      playlist_location, "write-files", 2 /* never */, NULL);
  hls_add_video (hls, NULL);
  hls_play_fails (hls);
  hls_assert_error (hls, SETTINGS, "src");
}

static void
test_name_that_escapes_from_a_store_is_refused (void)
{
  behind_src_is_refused ("/tmp/s%05d.ts", "/tmp/p.m3u8");
  behind_src_is_refused ("../s%05d.ts", "../p.m3u8");
  behind_src_is_refused ("a/../../s%05d.ts", "p.m3u8");
}

static void
test_refused_element_records_when_it_is_set_right (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autofree gchar *location = hls_path (hls, "s%05d.ts");

  g_object_set (hls->sink, "location", "%d%d", NULL);
  hls_add_video (hls, NULL);
  hls_play_fails (hls);
  hls_stop (hls);
  g_object_set (hls->sink, "location", location, NULL);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
}

/* ---- earlier recordings ---- */

#define HEAD \
  "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n" \
  "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
#define ENTRY "#EXTINF:2.000000,\ns00000.ts\n"

static const struct
{
  const gchar *name;
  const gchar *text;
} unreadable[] = {
  { "invalid UTF-8", HEAD "#EXTINF:2.000000,\n\xff\xfe.ts\n" },
  { "BOM", "\xef\xbb\xbf" HEAD ENTRY },
  { "garbage", "This is no playlist at all.\n" },
  { "empty", "" },
  { "no header", ENTRY },
  { "truncated in mid-line", HEAD ENTRY "#EXTINF:2.000000,\ns000" },
  { "truncated before the URI", HEAD ENTRY "#EXTINF:2.000000,\n" },
  { "sequence 2^64",
      "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n" ENTRY },
  { "sequence negative",
      "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:-1\n" ENTRY },
  { "EXTINF negative", HEAD "#EXTINF:-2.0,\ns00000.ts\n" },
  { "EXTINF NaN", HEAD "#EXTINF:nan,\ns00000.ts\n" },
  { "EXTINF infinite", HEAD "#EXTINF:1e999,\ns00000.ts\n" },
  { "multivariant", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nother.m3u8\n" },
};

/* Pushes until it is refused. */
static void
refuse_to_record (Hls *hls)
{
  hls->expects_trouble = TRUE;
  if (!hls->video)
    hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (30));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_WARNING, NULL), ==, 0);
}

static void
test_playlist_unreadable_is_left_alone (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (unreadable); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autofree gchar *segment = hls_path (hls, "s00000.ts");
    g_autoptr (GHashTable) before = NULL, after = NULL;

    g_test_message ("%s", unreadable[i].name);
    hls_write (hls->playlist, unreadable[i].text);
    hls_write (segment, "a segment");
    before = hls_snapshot (hls->dir);
    refuse_to_record (hls);
    hls_assert_error (hls, READ, "p.m3u8");
    hls_assert_kept (hls->dir, before, NULL);
    after = hls_snapshot (hls->dir);
    g_assert_cmpuint (g_hash_table_size (after), ==, 2);
  }
}

/* As each source does it when its push has failed. */
static void
test_eos_after_the_refusal_says_nothing_more (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls->expects_trouble = TRUE;
  hls_write (hls->playlist, "garbage");
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (30));
  hls_track_eos (hls->video);
  hls_track_eos (hls->audio);
  hls_stop (hls);
  hls_assert_error (hls, READ, "p.m3u8");
}

static void
test_playlist_is_a_folder_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();

  g_assert_cmpint (g_mkdir (hls->playlist, 0755), ==, 0);
  refuse_to_record (hls);
  hls_assert_error (hls, READ, "p.m3u8");
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

/* With numbers of eight digits. */
static void
test_names_too_long_are_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *head = g_strnfill (245, 'n');
  g_autofree gchar *name = g_strconcat (head, "%05d.ts", NULL);
  g_autofree gchar *location = hls_path (hls, name);

  g_object_set (hls->sink, "location", location, NULL);
  hls_add_av (hls);
  hls_play_fails (hls);
  hls_assert_error (hls, SETTINGS, "location", "255");
  hls_stop (hls);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

static void
test_playlist_that_leads_round_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();

  g_assert_cmpint (symlink ("p.m3u8", hls->playlist), ==, 0);
  hls_add_av (hls);
  hls_play_fails (hls);
  hls_assert_error (hls, OPEN_WRITE, "p.m3u8");
  hls_stop (hls);
}

/* Root may read and write everything: it is somebody else for a while, in all
 * threads (as glibc has it). */
static void
become_nobody (Hls *hls)
{
  if (geteuid () != 0)
    return;
  hls_add_av (hls); /* the encoders are loaded, with what root may read */
  g_assert_cmpint (chown (hls->dir, NOBODY, NOBODY), ==, 0);
  g_assert_cmpint (seteuid (NOBODY), ==, 0);
}

static void
become_root (void)
{
  if (getuid () == 0)
    g_assert_cmpint (seteuid (0), ==, 0);
}

static void
test_playlist_without_permission_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_write (hls->playlist, HEAD ENTRY);
  g_assert_cmpint (g_chmod (hls->playlist, 0), ==, 0);
  become_nobody (hls);
  refuse_to_record (hls);
  become_root ();
  hls_assert_error (hls, READ, "p.m3u8");
}

static void
test_playlist_100_mb_of_garbage_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  gint fd = g_open (hls->playlist, O_CREAT | O_RDWR, 0644);

  g_assert_cmpint (ftruncate (fd, 100 * 1000 * 1000), ==, 0);
  close (fd);
  refuse_to_record (hls);
  hls_assert_error (hls, READ, "p.m3u8");
}

static void
test_playlist_finished_vod_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *segment = hls_path (hls, "s00000.ts");
  g_autoptr (GHashTable) before = NULL;

  hls_write (hls->playlist,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-PLAYLIST-TYPE:VOD\n" ENTRY "#EXT-X-ENDLIST\n");
  hls_write (segment, "a segment");
  before = hls_snapshot (hls->dir);
  refuse_to_record (hls);
  hls_assert_error (hls, SETTINGS, "p.m3u8");
  hls_assert_kept (hls->dir, before, NULL);
}

static void
test_playlist_with_crlf_is_continued (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *text = NULL, *crlf = NULL, *earlier = NULL, *later = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GString) plain = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  text = hls_read (hls->playlist);
  lines = g_strsplit (text, "\n", -1);
  crlf = g_strjoinv ("\r\n", lines);
  hls_write (hls->playlist, crlf);

  hls_record (hls, SECONDS (4));
  later = hls_read (hls->playlist);
  earlier = g_strndup (crlf, strlen (crlf) - strlen ("#EXT-X-ENDLIST\r\n"));
  g_assert_true (g_str_has_prefix (later, earlier));
  plain = g_string_new (later);
  g_string_replace (plain, "\r", "", 0);
  playlist = hls_playlist_parse (plain->str);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  g_assert_true (hls_segment (playlist, 2)->discontinuity);
}

static void
test_append_or_new_begins_beside_the_unreadable (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GHashTable) before = NULL;
  g_autoptr (GstMessage) ended = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;
  const gchar *name;

  hls_write (hls->playlist, "garbage");
  before = hls_snapshot (hls->dir);
  g_object_set (hls->sink, "existing", APPEND_OR_NEW, NULL);
  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  hls_assert_kept (hls->dir, before, NULL);
  ended = hls_wait (hls, GST_MESSAGE_ELEMENT, "ams-recording-ended", 1);
  name = gst_structure_get_string (gst_message_get_structure (ended),
      "playlist-location");
  g_assert_cmpstr (name, !=, hls->playlist);
  playlist = hls_check_in (hls->dir, name);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
}

static void
test_append_or_new_appends_to_the_readable (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "existing", APPEND_OR_NEW, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
}

static void
test_existing_error_forbids_to_continue (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GHashTable) before = NULL;

  g_object_set (hls->sink, "existing", ERROR, NULL);
  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  before = hls_snapshot (hls->dir);
  hls_forget_messages (hls);
  refuse_to_record (hls);
  hls_assert_error (hls, OPEN_WRITE, "p.m3u8", "existing");
  hls_assert_kept (hls->dir, before, NULL);
}

static void
test_existing_error_segments_alone_are_a_recording (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *segment = hls_path (hls, "s00007.ts");
  g_autoptr (GHashTable) before = NULL;

  hls_write (segment, "a segment");
  before = hls_snapshot (hls->dir);
  g_object_set (hls->sink, "existing", ERROR, NULL);
  refuse_to_record (hls);
  hls_assert_error (hls, OPEN_WRITE, "existing");
  hls_assert_kept (hls->dir, before, NULL);
}

static void
test_overwrite_replaces_the_unreadable (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_write (hls->playlist, "garbage");
  g_object_set (hls->sink, "existing", OVERWRITE, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
}

/* ---- places ---- */

static void
test_folder_is_a_file_is_said_once (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *file = hls_path (hls, "file");
  g_autofree gchar *location = hls_path (hls, "file/s%05d.ts");
  g_autofree gchar *playlist = hls_path (hls, "file/p.m3u8");
  g_autoptr (GHashTable) before = NULL;

  hls_write (file, "not a folder");
  before = hls_snapshot (hls->dir);
  g_object_set (hls->sink, "location", location, "playlist-location", playlist,
      NULL);
  hls_play_fails (hls);
  hls_stop (hls);
  hls_assert_error (hls, OPEN_WRITE, file);
  hls_assert_kept (hls->dir, before, NULL);
}

/* It looks as if root could write there, until a folder is made, or a file. */
static void
test_folder_that_cannot_be_is_refused (void)
{
  static const gchar *const folders[] = { "/proc/foo", "/proc", "/sys/foo" };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autofree gchar *location = g_strconcat (folders[i], "/s%05d.ts", NULL);
    g_autofree gchar *playlist = g_strconcat (folders[i], "/p.m3u8", NULL);

    g_object_set (hls->sink, "location", location, "playlist-location",
        playlist, NULL);
    hls_play_fails (hls);
    hls_stop (hls);
    hls_assert_error (hls, OPEN_WRITE, folders[i]);
    g_assert_cmpuint (hls_count (hls, GST_MESSAGE_WARNING, NULL), ==, 0);
  }
}

static void
test_folder_without_permission_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();

  g_assert_cmpint (g_chmod (hls->dir, 0555), ==, 0);
  become_nobody (hls);
  hls_play_fails (hls);
  become_root ();
  hls_assert_error (hls, OPEN_WRITE, hls->dir);
  hls_stop (hls);
  g_assert_cmpint (g_chmod (hls->dir, 0755), ==, 0);
}

/* Taken away while recording: said once, and the recording goes on. */
static void
test_permission_taken_away_is_said_once (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls->expects_trouble = TRUE;
  become_nobody (hls);
  if (!hls->video)
    hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_wait_segments (hls, 1);
  g_assert_cmpint (g_chmod (hls->dir, 0555), ==, 0);
  hls_push_until (hls, SECONDS (12));
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_WRITE, hls->dir, NULL);
  hls_stop (hls);
  become_root ();
  g_assert_cmpint (g_chmod (hls->dir, 0755), ==, 0);
}

static void
fill_disk (const gchar *path)
{
  gchar block[4096] = { 0 };
  gint fd = g_open (path, O_CREAT | O_WRONLY, 0644);

  while (write (fd, block, sizeof block) > 0)
    ;
  g_assert_cmpint (errno, ==, ENOSPC);
  close (fd);
}

static void
fill_and_free_disk (Hls *hls)
{
  g_autofree gchar *filler = hls_path (hls, "filler");
  g_autoptr (HlsPlaylist) during = NULL, playlist = NULL;

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (6) + HLS_FRAME);
  hls_wait_segments (hls, 3);
  fill_disk (filler);
  hls_push_until (hls, SECONDS (14));
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NO_SPACE_LEFT, hls->dir, NULL);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  during = hls_check (hls); /* what is listed is there, whole */
  g_assert_cmpuint (during->segments->len, >=, 3);

  g_unlink (filler);
  hls_push_until (hls, SECONDS (20));
  hls_eos (hls);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_WARNING, NULL), ==, 1);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_INFO, NULL), ==, 1);
  playlist = hls_check (hls);
  hls_assert_continues (during->text, playlist->text);
  g_assert_cmpuint (playlist->total, ==, SECONDS (20));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
}

/* For ever from here on: longer than the test may take. */
static GstPadProbeReturn
on_eos_at_store (GstPad *pad, GstPadProbeInfo *info, gpointer store)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    g_object_set (store, "drain-timeout", GST_CLOCK_TIME_NONE, NULL);
  return GST_PAD_PROBE_OK;
}

/* The disk is waited for once, not once at the end of the recording and once at EOS. */
static void
end_on_full_disk (Hls *hls)
{
  g_autofree gchar *filler = hls_path (hls, "filler");
  GObject *store =
      gst_child_proxy_get_child_by_name (GST_CHILD_PROXY (hls->sink), "store");
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (GST_ELEMENT (store), "sink");

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  g_object_set (store, "drain-timeout", GST_MSECOND, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_eos_at_store,
      store, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (6) + HLS_FRAME);
  hls_wait_segments (hls, 3);
  fill_disk (filler);
  hls_push_until (hls, SECONDS (10));
  hls_track_eos (hls->video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_WRITE, "Make room there", NULL);
  hls_stop (hls);
  g_object_unref (store);
}

static void
test_disk_full_at_the_end_is_waited_for_once (void)
{
  g_autofree gchar *dir = hls_make_folder ();

  if (mount ("tmpfs", dir, "tmpfs", 0, "size=1m") < 0) {
    g_test_skip ("a small tmpfs cannot be mounted");
  } else {
    g_autoptr (Hls) hls = hls_new_in (dir);

    end_on_full_disk (hls);
    g_clear_pointer (&hls, hls_free);
    umount2 (dir, MNT_DETACH);
  }
  hls_remove_folder (dir);
}

static void
test_disk_full_is_said_and_recording_goes_on_when_there_is_room (void)
{
  g_autofree gchar *dir = hls_make_folder ();

  if (mount ("tmpfs", dir, "tmpfs", 0, "size=1m") < 0) {
    g_test_skip ("a small tmpfs cannot be mounted");
  } else {
    g_autoptr (Hls) hls = hls_new_in (dir);

    fill_and_free_disk (hls);
    g_clear_pointer (&hls, hls_free);
    umount2 (dir, MNT_DETACH);
  }
  hls_remove_folder (dir);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/refused/" path, test_##name)
  ADD ("names/no-number", template_without_a_number_is_refused);
  ADD ("names/playlist", playlist_as_location_is_refused);
  ADD ("names/two-numbers", template_with_two_numbers_is_refused);
  ADD ("names/syntax", template_that_is_not_understood_is_refused);
  ADD ("names/leads-out", template_that_leads_out_is_refused);
  ADD ("names/time-zone", time_zone_unknown_is_refused);
  ADD ("names/behind-src", name_that_escapes_from_a_store_is_refused);
  ADD ("names/set-right", refused_element_records_when_it_is_set_right);
  ADD ("playlist/unreadable", playlist_unreadable_is_left_alone);
  ADD ("playlist/eos-after", eos_after_the_refusal_says_nothing_more);
  ADD ("playlist/folder", playlist_is_a_folder_is_refused);
  ADD ("names/too-long", names_too_long_are_refused);
  ADD ("playlist/leads-round", playlist_that_leads_round_is_refused);
  ADD ("playlist/permission", playlist_without_permission_is_refused);
  ADD ("playlist/100-mb", playlist_100_mb_of_garbage_is_refused);
  ADD ("playlist/vod", playlist_finished_vod_is_refused);
  ADD ("playlist/crlf", playlist_with_crlf_is_continued);
  ADD ("existing/append-or-new-unreadable",
      append_or_new_begins_beside_the_unreadable);
  ADD ("existing/append-or-new-readable",
      append_or_new_appends_to_the_readable);
  ADD ("existing/error", existing_error_forbids_to_continue);
  ADD ("existing/error-segments-alone",
      existing_error_segments_alone_are_a_recording);
  ADD ("existing/overwrite", overwrite_replaces_the_unreadable);
  ADD ("places/folder-is-a-file", folder_is_a_file_is_said_once);
  ADD ("places/cannot-be", folder_that_cannot_be_is_refused);
  ADD ("places/permission", folder_without_permission_is_refused);
  ADD ("folder/taken-away", permission_taken_away_is_said_once);
  ADD ("places/disk-full-at-the-end", disk_full_at_the_end_is_waited_for_once);
  ADD ("places/disk-full",
      disk_full_is_said_and_recording_goes_on_when_there_is_room);
  return g_test_run ();
}
