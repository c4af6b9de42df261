/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The names of amshlssink's files, and what the playlist says of them. */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define BUFFER_REFERENCE 2

/* A new recording with these names below its folder. Its video was captured from @date on (ISO 8601). */
static Hls *
new_with_names (const gchar *location, const gchar *playlist, const gchar *date)
{
  Hls *hls = hls_new ();
  g_autofree gchar *path = hls_path (hls, location);
  g_autofree gchar *playlist_path = hls_path (hls, playlist);
  g_autoptr (GDateTime) start = g_date_time_new_from_iso8601 (date, NULL);

  g_object_set (hls->sink, "location", path, "playlist-location", playlist_path,
      "program-date-time-reference", BUFFER_REFERENCE, NULL);
  hls_add_video (hls, NULL);
  hls_track_add_dates (hls->video, "timestamp/x-unix",
      g_date_time_to_unix (start) * G_USEC_PER_SEC +
          g_date_time_get_microsecond (start));
  return hls;
}

static void
assert_file (Hls *hls, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    g_error ("there is no \"%s\"", name);
}

static HlsPlaylist *
check_playlist (Hls *hls, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);

  return hls_check_in (hls->dir, path);
}

/* ---- dates ---- */

static void
test_add_date_time_names_are_ant_medias (void)
{
  g_autoptr (Hls) hls =
      new_with_names ("cam1-%05d.ts", "cam1.m3u8", "2026-11-22T10:46:04.509Z");
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_record (hls, SECONDS (4));
  playlist = check_playlist (hls, "cam1-2026-11-22_10-46-04.509.m3u8");
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpstr (hls_segment (playlist, 0)->uri, ==,
      "cam1-2026-11-22_10-46-04.509-00000.ts");
  g_assert_cmpstr (hls_segment (playlist, 1)->uri, ==,
      "cam1-2026-11-22_10-46-04.509-00001.ts");
  g_assert_cmpstr (hls_segment (playlist, 0)->date, ==,
      "2026-11-22T10:46:04.509Z");
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 3);
}

static void
test_add_date_time_number_alone_has_no_dash_before (void)
{
  g_autoptr (Hls) hls =
      new_with_names ("a/%d.ts", "a/index.m3u8", "2026-01-02T03:04:05.006Z");
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_record (hls, SECONDS (2));
  playlist = check_playlist (hls, "a/index-2026-01-02_03-04-05.006.m3u8");
  g_assert_cmpstr (hls_segment (playlist, 0)->uri, ==,
      "2026-01-02_03-04-05.006-0.ts");
}

/* ---- long names ---- */

/* Of @length bytes with "%05d.ts" or ".m3u8" at the end, as a name is. */
static gchar *
long_name (guint length, const gchar *end, guint end_length)
{
  g_autofree gchar *head = g_strnfill (length - end_length, 'n');

  return g_strconcat (head, end, NULL);
}

static void
record_long_names (guint length, gint type)
{
  g_autofree gchar *location = long_name (length, "%05d.ts", 8);
  g_autofree gchar *list = long_name (length, ".m3u8", 5);
  g_autoptr (Hls) hls =
      new_with_names (location, list, "2026-01-02T03:04:05.006Z");
  g_autoptr (HlsPlaylist) first = NULL, playlist = NULL;

  g_object_set (hls->sink, "playlist-type", type, NULL);
  hls_record (hls, SECONDS (4));
  first = check_playlist (hls, list);
  g_assert_cmpuint (first->segments->len, ==, 2);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 3);
  if (type != 0)
    return;
  hls_record (hls, SECONDS (4));
  playlist = check_playlist (hls, list);
  hls_assert_continues (first->text, playlist->text);
}

/* Hidden names are longer than those of the files that they stand for. */
static void
test_long_names_are_recorded (void)
{
  for (guint length = 244; length <= 252; length += 4)
    record_long_names (length, 0);
  record_long_names (252, 2);
}

static gchar *
last_playlist (Hls *hls)
{
  guint n = hls_count (hls, GST_MESSAGE_ELEMENT, "ams-recording-ended");
  g_autoptr (GstMessage) ended =
      hls_wait (hls, GST_MESSAGE_ELEMENT, "ams-recording-ended", n);

  return g_strdup (gst_structure_get_string (gst_message_get_structure (ended),
      "playlist-location"));
}

static void
test_add_date_time_each_recording_is_one_of_its_own (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *first = NULL, *second = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GHashTable) before = NULL;

  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  first = last_playlist (hls);
  before = hls_snapshot (hls->dir);
  hls_record (hls, SECONDS (4));
  second = last_playlist (hls);
  g_assert_cmpstr (first, !=, second);
  hls_assert_kept (hls->dir, before, NULL);
  playlist = hls_check_in (hls->dir, second);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpuint (playlist->sequence, ==, 0);
  g_assert_false (hls_segment (playlist, 0)->discontinuity);
}

/* ms since midnight in "…_HH-MM-SS.LLL-…" */
static guint
time_in_name (const gchar *name)
{
  guint h, m, s, ms;

  g_assert_cmpint (sscanf (name, "t_%u-%u-%u.%u-", &h, &m, &s, &ms), ==, 4);
  return ((h * 60 + m) * 60 + s) * 1000 + ms;
}

/* The clock does not matter: all is pushed at once. */
static void
segment_times_are_the_medias (gboolean video, gboolean audio)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *location =
      hls_path (hls, "t_{segment:%H-%M-%S.%L}-%05d.ts");
  g_autoptr (HlsPlaylist) playlist = NULL;
  const guint day = 24 * 3600 * 1000;

  g_object_set (hls->sink, "location", location, NULL);
  if (video)
    hls_add_video (hls, NULL);
  if (audio)
    hls_add_audio (hls);
  hls_record (hls, SECONDS (8));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, >=, 4);
  for (guint i = 1; i < playlist->segments->len; i++) {
    const HlsSegment *earlier = hls_segment (playlist, i - 1);
    const HlsSegment *segment = hls_segment (playlist, i);
    guint apart =
        (time_in_name (segment->uri) + day - time_in_name (earlier->uri)) % day;

    /* Both are rounded to ms. */
    g_assert_cmpint (
        ABS ((gint) apart - (gint) (earlier->duration / GST_MSECOND)), <=, 1);
    g_assert_cmpint (ABS ((gint) apart -
                         (gint) ((segment->date_us - earlier->date_us) / 1000)),
        <=, 1);
    if (video)
      g_assert_cmpuint (apart, ==, 2000);
  }
}

static void
test_segment_times_come_from_the_media (void)
{
  segment_times_are_the_medias (TRUE, FALSE);
  segment_times_are_the_medias (TRUE, TRUE);
  segment_times_are_the_medias (FALSE, TRUE);
}

static void
test_segment_date_alone_is_a_name (void)
{
  g_autoptr (Hls) hls = new_with_names ("{segment:%Y%m%dT%H%M%S.%L}.ts",
      "p.m3u8", "2026-12-31T23:59:58.001Z");
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpstr (hls_segment (playlist, 0)->uri, ==,
      "20261231T235958.001.ts");
  g_assert_cmpstr (hls_segment (playlist, 1)->uri, ==,
      "20270101T000000.001.ts");
}

/* ---- zones ---- */

static const struct
{
  const gchar *zone;
  const gchar *date;
  const gchar *name;
} zones[] = {
  { "UTC", "2026-11-22T10:46:04.509Z", "2026-11-22_10-46-04.509-00000.ts" },
  { "Europe/Berlin", "2026-11-22T10:46:04.509Z",
      "2026-11-22_11-46-04.509-00000.ts" },
  { "Europe/Berlin", "2026-07-22T22:46:04.509Z",
      "2026-07-23_00-46-04.509-00000.ts" },
  { "+05:30", "2026-11-22T10:46:04.509Z", "2026-11-22_16-16-04.509-00000.ts" },
  { "-03:00", "2026-11-22T01:46:04.509Z", "2026-11-21_22-46-04.509-00000.ts" },
};

static void
test_time_zone_is_that_of_the_names (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (zones); i++) {
    g_autoptr (Hls) hls = new_with_names (
        "{segment:%Y-%m-%d_%H-%M-%S.%L}-%05d.ts", "p.m3u8", zones[i].date);
    g_autoptr (HlsPlaylist) playlist = NULL;

    g_test_message ("%s", zones[i].zone);
    g_object_set (hls->sink, "time-zone", zones[i].zone, NULL);
    hls_record (hls, SECONDS (2));
    playlist = hls_check (hls);
    g_assert_cmpstr (hls_segment (playlist, 0)->uri, ==, zones[i].name);
    /* The playlist's is UTC. */
    g_assert_cmpstr (hls_segment (playlist, 0)->date, ==, zones[i].date);
  }
}

static void
test_time_zone_bad_is_one_error (void)
{
  static const gchar *const bad[] = { "", "Europe/Nowhere", "CET+25:99",
    "../../../etc/passwd" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (Hls) hls = hls_new ();

    g_test_message ("\"%s\"", bad[i]);
    g_object_set (hls->sink, "time-zone", bad[i], NULL);
    hls_add_video (hls, NULL);
    hls_play_fails (hls);
    hls_assert_error (hls, SETTINGS, "time-zone", bad[i]);
    g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  }
}

/* ---- folders ---- */

static void
test_folders_are_made (void)
{
  g_autoptr (Hls) hls =
      new_with_names ("{segment:%Y-%m-%d}/{segment:%S}/cam-%05d.ts",
          "lists/of/p.m3u8", "2026-12-31T23:59:58Z");
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (hls, SECONDS (4));
  assert_file (hls, "2026-12-31/58/cam-00000.ts");
  assert_file (hls, "2027-01-01/00/cam-00001.ts");
  playlist = check_playlist (hls, "lists/of/p.m3u8");
  g_assert_cmpstr (hls_segment (playlist, 1)->uri, ==,
      "../../2027-01-01/00/cam-00001.ts");
}

static void
test_folders_of_playlist_and_segments_differ_is_continued (void)
{
  g_autoptr (Hls) hls =
      new_with_names ("media/cam-%05d.ts", "p.m3u8", "2026-12-31T23:59:58Z");
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    g_autofree gchar *uri = g_strdup_printf ("media/cam-%05u.ts", i);

    g_assert_cmpstr (hls_segment (playlist, i)->uri, ==, uri);
  }
}

static void
test_dotdot_in_the_common_part_is_followed (void)
{
  g_autoptr (Hls) hls = new_with_names ("sub/../rec/s%05d.ts",
      "sub/../rec/p.m3u8", "2026-12-31T23:59:58Z");
  g_autofree gchar *sub = hls_path (hls, "sub");
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_assert_cmpint (g_mkdir (sub, 0755), ==, 0);
  hls_record (hls, SECONDS (2));
  hls_record (hls, SECONDS (2));
  playlist = check_playlist (hls, "rec/p.m3u8");
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpstr (hls_segment (playlist, 1)->uri, ==, "s00001.ts");
}

static void
record_in_working_folder (const gchar *location, const gchar *playlist)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *before = g_get_current_dir ();
  g_autofree gchar *sub = hls_path (hls, "sub");
  g_autoptr (HlsPlaylist) read = NULL;
  g_autoptr (GstMessage) added = NULL;

  g_assert_cmpint (g_mkdir (sub, 0755), ==, 0);
  g_assert_cmpint (g_chdir (sub), ==, 0);
  g_object_set (hls->sink, "location", location, "playlist-location", playlist,
      NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (2));
  hls_record (hls, SECONDS (2));
  read = hls_check_in (hls->dir, playlist);
  added = hls_wait (hls, GST_MESSAGE_ELEMENT, "hls-segment-added", 2);
  g_assert_true (g_file_test (
      gst_structure_get_string (gst_message_get_structure (added), "location"),
      G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_chdir (before), ==, 0);
  g_assert_cmpuint (read->segments->len, ==, 2);
}

static void
test_relative_locations_are_below_the_working_folder (void)
{
  record_in_working_folder ("s%05d.ts", "p.m3u8");
  record_in_working_folder ("a/s%05d.ts", "b/p.m3u8");
  record_in_working_folder ("../s%05d.ts", "../p.m3u8");
  record_in_working_folder ("../a/s%05d.ts", "../p.m3u8");
}

/* As a shell completes them. */
static void
test_relative_locations_with_a_dot_are_the_same (void)
{
  record_in_working_folder ("./s%05d.ts", "./p.m3u8");
  record_in_working_folder ("./a/s%05d.ts", "p.m3u8");
}

/* ---- what the playlist says ---- */

static void
record_with_root (const gchar *root, const gchar *prefix)
{
  g_autoptr (Hls) hls =
      new_with_names ("media/s%05d.ts", "p.m3u8", "2026-12-31T23:59:58Z");
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autofree gchar *earlier = NULL;

  g_object_set (hls->sink, "playlist-root", root, NULL);
  hls_record (hls, SECONDS (4));
  earlier = hls_read (hls->playlist);
  hls_record (hls, SECONDS (4));
  playlist = hls_playlist_read (hls->playlist);
  hls_assert_continues (earlier, playlist->text);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    g_autofree gchar *uri = g_strdup_printf ("%smedia/s%05u.ts", prefix, i);

    g_assert_cmpstr (hls_segment (playlist, i)->uri, ==, uri);
  }
}

static void
test_playlist_root_is_put_before_the_names (void)
{
  record_with_root ("https://example.com/hls", "https://example.com/hls/");
  record_with_root ("https://example.com/hls/", "https://example.com/hls/");
  record_with_root ("/hls", "/hls/");
  record_with_root ("", "");
}

/* A recording that had no root goes on with one. */
static void
test_playlist_root_comes_later_nothing_is_listed_twice (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  g_object_set (hls->sink, "playlist-root", "https://example.com", NULL);
  hls_record (hls, SECONDS (2));
  playlist = hls_playlist_read (hls->playlist);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpstr (hls_segment (playlist, 2)->uri, ==,
      "https://example.com/s00002.ts");
}

static void
test_names_that_uris_cannot_have_are_encoded (void)
{
  g_autoptr (Hls) hls = new_with_names ("a b/cäm #1?%%:%05d.ts", "p.m3u8",
      "2026-12-31T23:59:58Z");
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (hls, SECONDS (2));
  hls_record (hls, SECONDS (2));
  assert_file (hls, "a b/cäm #1?%:00001.ts");
  playlist = hls_playlist_read (hls->playlist);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    const gchar *uri = hls_segment (playlist, i)->uri;
    g_autofree gchar *name = g_uri_unescape_string (uri, NULL);

    g_assert_null (strpbrk (uri, " #?"));
    g_assert_nonnull (name);
    assert_file (hls, name);
  }
}

/* ---- numbers ---- */

static void
test_start_index_is_the_first_number_and_sequence (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "start-index", G_GUINT64_CONSTANT (7), NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->sequence, ==, 7);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  g_assert_cmpstr (hls_segment (playlist, 0)->uri, ==, "s00007.ts");
  g_assert_cmpstr (hls_segment (playlist, 3)->uri, ==, "s00010.ts");
}

static void
test_start_index_beyond_32_bits_is_kept (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "start-index", G_GUINT64_CONSTANT (99999999999),
      NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (2));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->sequence, ==, G_GUINT64_CONSTANT (99999999999));
  g_assert_cmpstr (hls_segment (playlist, 2)->uri, ==, "s100000000001.ts");
}

/* The sequence of a playlist goes on by one whatever the numbers do. */
static void
test_start_index_of_a_later_session_is_a_jump_in_the_names_only (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GstMessage) added = NULL;
  guint64 sequence;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  g_object_set (hls->sink, "start-index", G_GUINT64_CONSTANT (100), NULL);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->sequence, ==, 0);
  g_assert_cmpstr (hls_segment (playlist, 2)->uri, ==, "s00100.ts");
  added = hls_wait (hls, GST_MESSAGE_ELEMENT, "hls-segment-added", 3);
  g_assert_true (gst_structure_get_uint64 (gst_message_get_structure (added),
      "sequence", &sequence));
  g_assert_cmpuint (sequence, ==, 2);
}

static void
test_session_date_in_the_names_of_one_playlist_is_continued (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *location =
      hls_path (hls, "s-{session:%Y%m%d-%H%M%S.%L}-%05d.ts");
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GHashTable) before = NULL;

  g_object_set (hls->sink, "location", location, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  before = hls_snapshot (hls->dir);
  hls_record (hls, SECONDS (4));
  hls_assert_kept (hls->dir, before, "p.m3u8");
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 4);
  g_assert_cmpuint (hls_count_files (hls->dir, ".ts"), ==, 4);
}

/* A file that has a segment's name, and is none. */
static void
test_name_that_is_taken_is_not_written_to (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *taken = hls_path (hls, "s00000.ts");
  g_autoptr (GHashTable) before = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_write (taken, "not a segment");
  before = hls_snapshot (hls->dir);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_assert_kept (hls->dir, before, NULL);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpstr (hls_segment (playlist, 0)->uri, ==, "s00001.ts");
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/names/" path, test_##name)
  ADD ("add-date-time/ant-media", add_date_time_names_are_ant_medias);
  ADD ("add-date-time/number-alone",
      add_date_time_number_alone_has_no_dash_before);
  ADD ("long/recorded", long_names_are_recorded);
  ADD ("add-date-time/own", add_date_time_each_recording_is_one_of_its_own);
  ADD ("segment/media-time", segment_times_come_from_the_media);
  ADD ("segment/date-alone", segment_date_alone_is_a_name);
  ADD ("zone/names", time_zone_is_that_of_the_names);
  ADD ("zone/bad", time_zone_bad_is_one_error);
  ADD ("folders/made", folders_are_made);
  ADD ("folders/differ", folders_of_playlist_and_segments_differ_is_continued);
  ADD ("folders/dotdot", dotdot_in_the_common_part_is_followed);
  ADD ("folders/relative", relative_locations_are_below_the_working_folder);
  ADD ("folders/dot", relative_locations_with_a_dot_are_the_same);
  ADD ("root/before", playlist_root_is_put_before_the_names);
  ADD ("root/later", playlist_root_comes_later_nothing_is_listed_twice);
  ADD ("encoded", names_that_uris_cannot_have_are_encoded);
  ADD ("start-index/first", start_index_is_the_first_number_and_sequence);
  ADD ("start-index/64-bits", start_index_beyond_32_bits_is_kept);
  ADD ("start-index/later",
      start_index_of_a_later_session_is_a_jump_in_the_names_only);
  ADD ("session/continued",
      session_date_in_the_names_of_one_playlist_is_continued);
  ADD ("taken", name_that_is_taken_is_not_written_to);
  return g_test_run ();
}
