/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Names of segments that are taken: by what lies in a store when a recording starts, and by what appears
 * there while it runs. */

#include "config.h"

#include "hls-remote.h"

#include <glib/gstdio.h>
#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)

static void
refuse_start (Hls *hls, const gchar *first, const gchar *count)
{
  hls->expects_trouble = TRUE;
  hls_forget_messages (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_WRITE, first, count, "existing=append-or-new",
      NULL);
}

static void
remove_playlist (HlsRemote *remote)
{
  hls_remote_set (remote, "p.m3u8", NULL, 0, FALSE);
  g_free (hls_remote_take_log (remote));
}

/* ---- at the start ---- */

static void
test_segments_without_a_playlist_in_a_store_are_refused (void)
{
  static const HlsRemoteFaults faults[] = { HLS_REMOTE_OBEDIENT,
    HLS_REMOTE_CANNOT_LIST };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autoptr (Hls) hls = hls_new ();
    HlsRemote *remote = hls_add_remote (hls, "never");

    hls_remote_set_faults (remote, faults[i]);
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (12));
    remove_playlist (remote);
    refuse_start (hls, "s00000.ts", "5 more");
    hls_remote_assert_changes (remote, "");
  }
}

/* Twenty-nine names cost five questions to be doubled, four to be halved, and one file to be read. */
static void
test_many_names_cost_few_questions (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *asked = NULL;
  guint questions = 0;

  for (guint i = 0; i < 29; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05u.ts", i);

    hls_remote_set (remote, name, "x", 1, FALSE);
  }
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  hls_add_video (hls, NULL);
  refuse_start (hls, "s00000.ts", "28 more");
  asked = hls_remote_take_lines (remote, TRUE);
  for (const gchar *p = asked; (p = strchr (p, '\n')); p++)
    questions++;
  g_assert_cmpuint (questions, <=, 1 + 1 + 6 + 5);
}

static void
test_segments_without_a_playlist_are_recorded_beside (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *changes = NULL;

  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (12));
  remove_playlist (remote);
  g_object_set (hls->sink, "existing", 1, NULL);
  hls_record (hls, SECONDS (2));
  changes = hls_remote_take_lines (remote, FALSE);
  g_assert_true (g_str_has_prefix (changes, "file s-20"));
}

/* The journal is gone with the end of the session. */
static void
test_segments_without_a_playlist_on_disk_are_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (12));
  g_assert_cmpint (g_remove (hls->playlist), ==, 0);
  refuse_start (hls, "s00000.ts", "5 more");
  g_assert_false (g_file_test (hls->playlist, G_FILE_TEST_EXISTS));
}

/* A segment of another session at the next number: its media do not go on from the last one that is listed.
 * (transfer none) */
static HlsRemote *
put_other_session (Hls *hls)
{
  HlsRemote *remote = hls_add_remote (hls, "never");
  g_autofree gchar *path = NULL, *bytes = NULL;
  g_autoptr (Hls) other = hls_new ();
  gsize size;

  hls_add_video (other, NULL);
  hls_record (other, SECONDS (2));
  path = hls_path (other, "s00000.ts");
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  hls_remote_set_faults (remote, HLS_REMOTE_CANNOT_LIST);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  hls_remote_set (remote, "s00002.ts", bytes, size, FALSE);
  g_free (hls_remote_take_log (remote));
  return remote;
}

static void
test_foreign_segment_at_the_next_number_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();

  put_other_session (hls);
  refuse_start (hls, "s00002.ts", "p.m3u8");
}

static void
cut_off (HlsRemote *remote, guint listed)
{
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *cut = hls_cut_playlist (text, listed);

  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
}

/* The playlist has no end: the segment is the first one of a session that was killed before its first playlist. */
static void
test_segment_at_the_next_number_of_one_cut_off_is_listed (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = put_other_session (hls);
  g_autofree gchar *text = NULL;

  cut_off (remote, 2);
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote, "playlist p.m3u8\n" HLS_TWO_MORE (3, 4));
  text = hls_remote_dup_text (remote, "p.m3u8");
  g_assert_nonnull (strstr (text,
      "#EXT-X-DISCONTINUITY\n#EXTINF:2.000000,\n"
      "s00002.ts\n#EXT-X-DISCONTINUITY\n"));
}

/* So it has none as soon as a session goes on from one that ended well. */
static void
test_session_that_goes_on_takes_the_end_off (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsRemote *remote = hls_add_remote (hls, "never");

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (4));
  g_free (hls_remote_take_log (remote));
  hls_record (hls, SECONDS (4));
  hls_remote_assert_changes (remote, "playlist p.m3u8\n" HLS_TWO_MORE (2, 3));
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/taken/" path, test_##name)
  ADD ("start/store", segments_without_a_playlist_in_a_store_are_refused);
  ADD ("start/many", many_names_cost_few_questions);
  ADD ("start/beside", segments_without_a_playlist_are_recorded_beside);
  ADD ("start/disk", segments_without_a_playlist_on_disk_are_refused);
  ADD ("start/foreign", foreign_segment_at_the_next_number_is_refused);
  ADD ("start/cut-off", segment_at_the_next_number_of_one_cut_off_is_listed);
  ADD ("start/takes-the-end-off", session_that_goes_on_takes_the_end_off);
  return g_test_run ();
}
