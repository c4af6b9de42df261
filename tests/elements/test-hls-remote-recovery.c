/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a crash leaves in a store behind amshlssink's src pad, with files on disk beside it or without. */

#include "config.h"

#include "hls-remote.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)

/* ---- what a crash leaves ---- */

/* The store has only a part of the last of the five segments, and a playlist of @listed. */
static gsize
leave_part (HlsRemote *remote, guint listed)
{
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *cut = hls_cut_playlist (text, listed);
  g_autofree gchar *bytes = NULL;
  gsize size;
  g_autofree gchar *path = hls_remote_dup_path (remote, "s00004.ts");

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  size = size * 3 / 4;
  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
  hls_remote_set (remote, "s00004.ts", NULL, 0, FALSE);
  hls_remote_set (remote, "s00004.ts", bytes, size, TRUE);
  g_free (hls_remote_take_log (remote));
  return size;
}

/* What the disk never had is made whole where it is, and comes to the disk. */
static void
test_part_behind_the_remote_alone_is_recovered (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *changes = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  leave_part (remote, 4);
  hls_cut_disk (hls, 4, TRUE);
  hls_record (hls, SECONDS (4));
  changes = hls_remote_take_lines (remote, FALSE);
  g_assert_true (g_str_has_prefix (changes, "adopt s00004.ts "));
  g_assert_true (
      g_str_has_suffix (changes, "\nplaylist p.m3u8\n" HLS_TWO_MORE (5, 6)));
  hls_remote_assert_whole (hls, remote, 7);
  playlist = hls_check (hls);
  g_assert_false (hls_segment (playlist, 4)->discontinuity);
}

/* The disk's part is the longer. */
static void
test_part_in_both_is_the_disks (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");

  leave_part (remote, 4);
  g_assert_cmpint (g_rename (path, part), ==, 0);
  hls_cut_disk (hls, 4, FALSE);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refer s00004.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (5, 6));
  hls_remote_assert_whole (hls, remote, 7);
  hls_playlist_free (hls_check (hls));
}

/* It was stored, and then there was no time to list it, nor to rename the disk's. */
static void
test_whole_in_the_remote_and_part_on_disk_is_the_whole (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *cut = hls_cut_playlist (text, 4);

  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
  g_free (hls_remote_take_log (remote));
  g_assert_cmpint (g_rename (path, part), ==, 0);
  hls_cut_disk (hls, 4, FALSE);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_track_eos (hls->video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (hls);
  hls_remote_assert_changes (remote, "playlist p.m3u8\n" HLS_TWO_MORE (5, 6));
  hls_remote_assert_whole (hls, remote, 7);
}

/* The disk's file of the last segment has not got its name yet; @cut: nor its last bytes. */
static void
leave_part_on_disk (Hls *hls, gboolean cut)
{
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");
  g_autofree gchar *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_assert_true (
      g_file_set_contents (part, bytes, cut ? size * 3 / 4 : size, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  hls_cut_disk (hls, 4, FALSE);
}

static void
assert_no_part (Hls *hls)
{
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");
  g_autofree gchar *aside = hls_path (hls, ".s00004.ts.part.1");

  g_assert_false (g_file_test (part, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (aside, G_FILE_TEST_EXISTS));
}

/* @listed: 5: the store has listed it as well. */
static void
recover_part_on_disk (gboolean cut, guint listed, HlsRemoteFaults faults)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *left = hls_cut_playlist (text, listed);

  hls_remote_set (remote, "p.m3u8", left, strlen (left), FALSE);
  hls_remote_set_faults (remote, faults);
  leave_part_on_disk (hls, cut);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_whole (hls, remote, 7);
  assert_no_part (hls);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_whole (hls, remote, 9);
  hls_playlist_free (hls_check (hls));
}

static void
test_part_of_what_the_store_has_is_whole_again (void)
{
  recover_part_on_disk (FALSE, 4, HLS_REMOTE_OBEDIENT);
}

static void
test_cut_part_of_what_the_store_has_is_fetched (void)
{
  recover_part_on_disk (TRUE, 4, HLS_REMOTE_OBEDIENT);
}

static void
test_part_of_what_the_store_lists_is_whole_again (void)
{
  recover_part_on_disk (FALSE, 5, HLS_REMOTE_OBEDIENT);
}

static void
test_cut_part_of_what_the_store_lists_is_fetched (void)
{
  recover_part_on_disk (TRUE, 5, HLS_REMOTE_OBEDIENT);
}

static void
test_part_of_what_a_store_that_cannot_list_has_is_whole_again (void)
{
  recover_part_on_disk (FALSE, 4, HLS_REMOTE_CANNOT_LIST);
}

static void
test_cut_part_of_what_a_store_that_cannot_list_has_is_fetched (void)
{
  recover_part_on_disk (TRUE, 4, HLS_REMOTE_CANNOT_LIST);
}

static void
test_cut_part_of_what_a_store_that_cannot_list_lists_is_fetched (void)
{
  recover_part_on_disk (TRUE, 5, HLS_REMOTE_CANNOT_LIST);
}

/* It goes on from nothing that is known, and the disk has the beginning of it: a recorder made both. */
static void
test_what_begins_with_the_disks_part_is_no_stranger (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");
  g_autofree gchar *journal = hls_path (hls, ".p.m3u8.journal");
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *cut = hls_cut_playlist (text, 2);
  g_autofree gchar *ended = g_strconcat (cut, "#EXT-X-ENDLIST\n", NULL);
  g_autofree gchar *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  hls_remote_leave_behind (remote, 2);
  hls_remote_set (remote, "p.m3u8", ended, strlen (ended), FALSE);
  hls_remote_set (remote, "s00004.ts", bytes, size, FALSE);
  hls_cut_disk (hls, 2, TRUE);
  hls_put (hls->playlist, ended);
  g_assert_true (g_file_set_contents (part, bytes, size * 3 / 4, NULL));
  g_unlink (journal);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_whole (hls, remote, 5);
  assert_no_part (hls);
}

/* A spool says how long the segment was, and what is at the server now has that name only. */
static void
test_another_file_than_was_listed_is_said (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  hls_remote_leave_behind (remote, 4);
  hls_remote_set (remote, "s00004.ts", bytes, size, FALSE);
  hls_cut_disk (hls, 4, TRUE);
  g_free (hls_remote_take_log (remote));
  hls_remote_set_faults (remote, HLS_REMOTE_LISTS_LONGER);
  hls->expects_trouble = TRUE;
  hls_record (hls, SECONDS (4));
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_READ, "“s00004.ts”", "it is another file", NULL);
  hls_remote_assert_changes (remote, HLS_TWO_MORE (5, 6));
}

/* What the store has under the name may be longer, and is never put again. */
static void
test_cut_part_of_what_a_silent_store_may_have_gets_another_name (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *left = hls_cut_playlist (text, 4);

  hls_remote_set (remote, "p.m3u8", left, strlen (left), FALSE);
  leave_part_on_disk (hls, TRUE);
  g_free (hls_remote_take_log (remote));
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_TELL_SEGMENTS);
  hls->expects_trouble = TRUE;
  hls_record (hls, SECONDS (4));
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_READ, "all of “s00004.ts”", "as “s00005.ts”", NULL);
  hls_remote_assert_changes (remote,
      "refer s00005.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (6, 7));
  hls_remote_assert_whole (hls, remote, 7);
  assert_no_part (hls);
  hls_remote_set_faults (remote, HLS_REMOTE_OBEDIENT);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_whole (hls, remote, 9);
}

/* Only the tables are in the part, and another segment that has its name at the store begins with the same. */
static void
test_another_file_is_not_taken_for_a_part_without_media (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *cut = hls_cut_playlist (text, 4);
  g_autofree gchar *left = g_strconcat (cut, "#EXT-X-ENDLIST\n", NULL);
  g_autofree gchar *other = hls_path (hls, "s00003.ts");
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *part = hls_path (hls, ".s00004.ts.part");
  g_autofree gchar *journal = hls_path (hls, ".p.m3u8.journal");
  g_autofree gchar *bytes = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (other, &bytes, &size, NULL));
  hls_remote_set (remote, "p.m3u8", left, strlen (left), FALSE);
  hls_remote_set (remote, "s00004.ts", bytes, size, FALSE);
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  g_assert_true (g_file_set_contents (part, bytes, 2 * 188, NULL));
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_unlink (journal);
  hls_put (hls->playlist, left);
  g_free (hls_remote_take_log (remote));
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_track_eos (hls->video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (hls);
  hls_remote_assert_changes (remote, HLS_TWO_MORE (5, 6));
  hls_remote_assert_whole (hls, remote, 6);
  /* Nothing of it can be listed: it stays for people to see. */
  g_assert_cmpint (g_unlink (part), ==, 0);
}

/* Another file, of which the part has more bytes, has taken the name in the store. */
static void
test_part_is_not_cut_to_another_file (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *left = hls_cut_playlist (text, 4);
  g_autofree gchar *other = hls_path (hls, "s00003.ts");
  g_autofree gchar *path = hls_path (hls, "s00004.ts");
  g_autofree gchar *bytes = NULL, *recovered = NULL;
  gsize size, had, has;

  g_assert_true (g_file_get_contents (path, &bytes, &had, NULL));
  g_clear_pointer (&bytes, g_free);
  g_assert_true (g_file_get_contents (other, &bytes, &size, NULL));
  hls_remote_set (remote, "p.m3u8", left, strlen (left), FALSE);
  hls_remote_set (remote, "s00004.ts", bytes, MIN (size, had) / 2 / 188 * 188,
      FALSE);
  hls_remote_refuse (remote, "s00004.ts");
  leave_part_on_disk (hls, FALSE);
  hls_record (hls, SECONDS (4));
  g_assert_true (g_file_get_contents (path, &recovered, &has, NULL));
  g_assert_cmpuint (has, >, had * 3 / 4);
}

/* @text with the third of its segments under another name. */
static gchar *
rename_third (const gchar *text)
{
  g_auto (GStrv) around = g_strsplit (text, "s00002.ts", 2);

  return g_strjoinv ("s00007.ts", around);
}

/* The disk knows it; the store has the segment under neither, and a list with the earlier name. */
static void
leave_renamed_on_disk (Hls *hls, HlsRemote *remote)
{
  g_autofree gchar *path = hls_path (hls, "s00002.ts");
  g_autofree gchar *other = hls_path (hls, "s00007.ts");
  g_autofree gchar *journal = hls_path (hls, ".p.m3u8.journal");
  g_autofree gchar *text = hls_read (hls->playlist);
  g_autofree gchar *cut = hls_cut_playlist (text, 4);
  g_autofree gchar *renamed = rename_third (cut);

  hls_remote_leave_behind (remote, 3);
  hls_remote_set (remote, "s00002.ts", "another file", 12, FALSE);
  hls_cut_disk (hls, 4, TRUE);
  hls_put (hls->playlist, renamed);
  g_assert_cmpint (g_rename (path, other), ==, 0);
  hls_put (journal,
      "[recording]\nversion=1\nplaylist=p.m3u8\nfinal-playlist=p.m3u8\n"
      "next-number=8\n[segment 0]\nname=s00007.ts\nwas=s00002.ts\n"
      "number=7\ndate-time=0\nduration=2000000000\ndiscontinuity=false\n");
}

/* A kill came when the disk had got the new name of a segment, and the store had not. */
static void
test_new_name_that_the_store_does_not_know_is_sent (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  leave_renamed_on_disk (hls, remote);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote,
      "refer s00007.ts\nrefer s00003.ts\nplaylist p.m3u8\n" HLS_TWO_MORE (8,
          9));
  hls_remote_assert_whole (hls, remote, 6);
}

/* Without a journal, the date of the segment before and how long that lasts tell it. */
static void
test_part_without_a_journal_has_a_date (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *text = NULL, *cut = NULL, *later = NULL;
  g_autoptr (HlsPlaylist) whole = NULL, playlist = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (6));
  text = hls_remote_dup_text (remote, "p.m3u8");
  whole = hls_playlist_parse (text);
  cut = hls_cut_playlist (text, 2);
  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
  hls_record (hls, SECONDS (4));
  later = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (later);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpstr (hls_segment (playlist, 2)->date, ==,
      hls_segment (whole, 2)->date);
  g_assert_nonnull (hls_segment (playlist, 2)->date);
}

/* What it noted when the file began is believed, so the last segment listed is not asked for: the store may be away, and
 * somebody waits to record. */
static void
test_part_that_the_store_noted_has_its_date_at_once (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *text = NULL, *cut = NULL, *later = NULL, *asked = NULL;
  g_autoptr (HlsPlaylist) whole = NULL, playlist = NULL;

  hls_remote_set_faults (remote, HLS_REMOTE_TAKES_NOTE);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (4));
  text = hls_remote_dup_text (remote, "p.m3u8");
  whole = hls_playlist_parse (text);
  cut = hls_cut_playlist (text, 2);
  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
  g_free (hls_remote_take_log (remote));
  hls_record (hls, SECONDS (4));
  asked = hls_remote_take_lines (remote, TRUE);
  g_assert_null (strstr (asked, "s00001.ts"));
  later = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (later);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  for (guint i = 2; i < 4; i++) {
    g_assert_nonnull (hls_segment (whole, i)->date);
    g_assert_cmpstr (hls_segment (playlist, i)->date, ==,
        hls_segment (whole, i)->date);
    g_assert_cmpint (hls_segment (playlist, i)->discontinuity, ==,
        hls_segment (whole, i)->discontinuity);
  }
}

/* ---- a store that cannot list ---- */

static void
test_unlisted_in_a_store_that_cannot_list_is_found (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *text = NULL, *cut = NULL, *later = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (8));
  text = hls_remote_dup_text (remote, "p.m3u8");
  cut = hls_cut_playlist (text, 2);
  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
  g_free (hls_remote_take_log (remote));
  hls_record (hls, SECONDS (2));

  later = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (later);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *uri = g_strdup_printf ("s%05u.ts", i);

    g_assert_cmpstr (hls_segment (playlist, i)->uri, ==, uri);
    g_assert_true (hls_segment (playlist, i)->discontinuity == (i == 4));
  }
  hls_remote_assert_changes (remote,
      "playlist p.m3u8\nfile s00004.ts\nplaylist p.m3u8\nplaylist p.m3u8\n");
}

/* Not even the first playlist was stored. */
static void
test_unlisted_without_a_playlist_is_found (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *later = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (2));
  hls_remote_set (remote, "p.m3u8", NULL, 0, FALSE);
  hls_record (hls, SECONDS (2));
  later = hls_remote_dup_text (remote, "p.m3u8");
  playlist = hls_playlist_parse (later);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpuint (playlist->sequence, ==, 0);
}

/* An error page, say: it is not listed, and its number not used again. */
static void
test_probed_garbage_is_stepped_over (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");

  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  hls_remote_set (remote, "s00000.ts", "<html>", 6, FALSE);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (2));
  hls_remote_assert_changes (remote,
      "file s00001.ts\nplaylist p.m3u8\nplaylist p.m3u8\n");
}

/* No more is asked than can be told beforehand. */
static void
test_probes_are_few (void)
{
  static const struct
  {
    const gchar *location;
    HlsRemoteFaults faults;
    const gchar *fetched;
  } cases[] = {
    { "s%d.ts", HLS_REMOTE_CANNOT_LIST, "fetch p.m3u8\nfetch s0.ts\n" },
    { "s%d.ts", HLS_REMOTE_OBEDIENT, "fetch p.m3u8\n" },
    { "{segment:%Y}-%d.ts", HLS_REMOTE_CANNOT_LIST, "fetch p.m3u8\n" },
    { "{session:%Y}-%d.ts", HLS_REMOTE_CANNOT_LIST, "fetch p.m3u8\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Hls) hls = hls_new ();
    HlsRemote *remote = hls_add_remote (hls, "never");
    g_autofree gchar *fetched = NULL;

    hls_remote_set_faults (remote, cases[i].faults);
    g_object_set (hls->sink, "location", cases[i].location, NULL);
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (2));
    fetched = hls_remote_take_lines (remote, TRUE);
    g_assert_cmpstr (fetched, ==, cases[i].fetched);
  }
}

static void
test_probe_that_fails_is_an_error (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");

  hls_remote_set_faults (remote,
      HLS_REMOTE_CANNOT_LIST | HLS_REMOTE_CANNOT_TELL_SEGMENTS);
  hls_add_video (hls, NULL);
  hls_refuse (hls, remote, "the cable is cut");
}

static void
test_probe_that_fails_beside_a_disk_is_a_warning (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_record_with_remote (hls);

  g_free (hls_remote_take_log (remote));
  hls_remote_set_faults (remote,
      HLS_REMOTE_CANNOT_LIST | HLS_REMOTE_CANNOT_TELL_SEGMENTS);
  hls_record (hls, SECONDS (4));
  hls_expect_warning (hls, "the cable is cut");
  hls_remote_assert_whole (hls, remote, 7);
}

/* ---- another session's playlist ---- */

static gchar *
session_playlist (Hls *hls)
{
  g_autoptr (GstMessage) started =
      hls_wait (hls, GST_MESSAGE_ELEMENT, "ams-recording-started", 1);

  return g_path_get_basename (gst_structure_get_string (
      gst_message_get_structure (started), "playlist-location"));
}

/* A crash put the disk back to two listed segments, a third and a part; the store has had one. */
static void
test_other_sessions_playlist_is_sent_to_the_store (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "always");
  g_autofree gchar *known = NULL, *name = NULL, *path = NULL, *text = NULL;
  g_autofree gchar *cut = NULL, *last = NULL, *part = NULL, *hidden = NULL;
  g_autofree gchar *one = NULL, *journal = NULL, *hidden_journal = NULL;
  g_autoptr (HlsPlaylist) whole = NULL, repaired = NULL;

  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (8));
  name = session_playlist (hls);
  hidden_journal = g_strdup_printf (".%s.journal", name);
  journal = hls_path (hls, hidden_journal);
  known = hls_wait_text (journal, "00003.ts");
  hls_eos (hls);
  hls_stop (hls);
  path = hls_path (hls, name);
  text = hls_read (path);
  whole = hls_playlist_parse (text);
  cut = hls_cut_playlist (text, 2);
  hls_put (path, cut);
  hls_put (journal, known);
  last = hls_path (hls, hls_segment (whole, 3)->uri);
  hidden = g_strdup_printf (".%s.part", hls_segment (whole, 3)->uri);
  part = hls_path (hls, hidden);
  g_assert_cmpint (g_rename (last, part), ==, 0);
  one = hls_cut_playlist (text, 1);
  hls_remote_set (remote, name, one, strlen (one), FALSE);
  for (guint i = 1; i < 4; i++)
    hls_remote_set (remote, hls_segment (whole, i)->uri, NULL, 0, FALSE);
  hls_forget_messages (hls);
  hls_record (hls, SECONDS (2));

  repaired = hls_check_in (hls->dir, path);
  g_assert_cmpuint (repaired->segments->len, ==, 4);
  hls_remote_assert_same (remote, name, path);
  for (guint i = 1; i < 4; i++) {
    const gchar *uri = hls_segment (repaired, i)->uri;
    g_autofree gchar *file = hls_path (hls, uri);

    hls_remote_assert_same (remote, uri, file);
  }
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/remote-recovery/" path, test_##name)
  ADD ("crash/remote", part_behind_the_remote_alone_is_recovered);
  ADD ("crash/both", part_in_both_is_the_disks);
  ADD ("crash/whole", whole_in_the_remote_and_part_on_disk_is_the_whole);
  ADD ("crash/part", part_of_what_the_store_has_is_whole_again);
  ADD ("crash/cut-part", cut_part_of_what_the_store_has_is_fetched);
  ADD ("crash/listed-part", part_of_what_the_store_lists_is_whole_again);
  ADD ("crash/listed-cut-part", cut_part_of_what_the_store_lists_is_fetched);
  ADD ("crash/other-file", part_is_not_cut_to_another_file);
  ADD ("crash/unlistable-part",
      part_of_what_a_store_that_cannot_list_has_is_whole_again);
  ADD ("crash/unlistable-cut-part",
      cut_part_of_what_a_store_that_cannot_list_has_is_fetched);
  ADD ("crash/unlistable-listed-cut-part",
      cut_part_of_what_a_store_that_cannot_list_lists_is_fetched);
  ADD ("crash/part-of-a-stranger",
      what_begins_with_the_disks_part_is_no_stranger);
  ADD ("crash/another-file", another_file_than_was_listed_is_said);
  ADD ("crash/silent-store",
      cut_part_of_what_a_silent_store_may_have_gets_another_name);
  ADD ("crash/tables-only", another_file_is_not_taken_for_a_part_without_media);
  ADD ("crash/renamed", new_name_that_the_store_does_not_know_is_sent);
  ADD ("crash/date", part_without_a_journal_has_a_date);
  ADD ("crash/noted", part_that_the_store_noted_has_its_date_at_once);
  ADD ("probe/found", unlisted_in_a_store_that_cannot_list_is_found);
  ADD ("probe/no-playlist", unlisted_without_a_playlist_is_found);
  ADD ("probe/garbage", probed_garbage_is_stepped_over);
  ADD ("probe/few", probes_are_few);
  ADD ("probe/error", probe_that_fails_is_an_error);
  ADD ("probe/warning", probe_that_fails_beside_a_disk_is_a_warning);
  ADD ("other-session", other_sessions_playlist_is_sent_to_the_store);
  return g_test_run ();
}
