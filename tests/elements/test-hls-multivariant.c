/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* multivariant-location: a playlist above the recording. What it says is tried in
 * unit/test-master.c; here, when it is there, and where. */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)

static Hls *
new_with_multivariant (const gchar *name)
{
  Hls *hls = hls_new ();
  g_autofree gchar *path = hls_path (hls, name);

  g_object_set (hls->sink, "multivariant-location", path, NULL);
  return hls;
}

static gboolean
is_there (Hls *hls, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

static gchar *
read_in (Hls *hls, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);

  return hls_read (path);
}

static void
assert_says (const gchar *text, const gchar *part)
{
  if (!strstr (text, part))
    g_error ("\"%s\" is not in this:\n%s", part, text);
}

static void
test_sound_and_picture_are_said (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("p_adaptive.m3u8");
  g_autofree gchar *text = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (5));
  text = read_in (hls, "p_adaptive.m3u8");
  assert_says (text, "#EXTM3U\n");
  assert_says (text, "#EXT-X-INDEPENDENT-SEGMENTS\n");
  assert_says (text, "CODECS=\"avc1.");
  assert_says (text, ",mp4a.40.2\"");
  assert_says (text, "RESOLUTION=160x96");
  assert_says (text, "FRAME-RATE=25.000");
  assert_says (text, "CLOSED-CAPTIONS=NONE");
  assert_says (text, "\np.m3u8\n");
}

/* With the first segment, not earlier; and the one before is right until then. */
static void
test_it_is_there_with_the_first_segment (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("m.m3u8");
  g_autofree gchar *path = hls_path (hls, "m.m3u8");
  g_autofree gchar *early = NULL;

  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (1));
  g_assert_false (is_there (hls, "m.m3u8"));
  hls_push_until (hls, SECONDS (4));
  early = hls_wait_text (path, "p.m3u8");
  g_assert_null (strstr (early, "CLOSED-CAPTIONS"));
  hls_eos (hls);
  hls_stop (hls);
}

static void
test_a_vod_has_it_at_the_end (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("m.m3u8");

  gst_util_set_object_arg (G_OBJECT (hls->sink), "playlist-type", "vod");
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  g_assert_false (is_there (hls, "m.m3u8"));
  hls_eos (hls);
  g_assert_true (is_there (hls, "m.m3u8"));
  hls_stop (hls);
}

/* Its folder may be another one, and its name have the date. */
static void
test_uri_is_relative_to_it (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("all/m.m3u8");
  g_autofree gchar *text = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (3));
  text = read_in (hls, "all/m.m3u8");
  assert_says (text, "\n../p.m3u8\n");
}

static void
test_date_is_in_its_name_as_in_the_others (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("m.m3u8");
  g_autoptr (GPatternSpec) pattern =
      g_pattern_spec_new ("m-20*-*-*_*-*-*.*.m3u8");
  g_autoptr (GHashTable) files = NULL;
  GHashTableIter iter;
  gpointer name;
  guint n = 0;

  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (3));
  files = hls_snapshot (hls->dir);
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    n += g_pattern_spec_match_string (pattern, name);
  g_assert_cmpuint (n, ==, 1);
}

static void
test_continued_recording_has_it_again (void)
{
  g_autoptr (Hls) first = new_with_multivariant ("m.m3u8");
  g_autoptr (Hls) second = NULL;
  g_autofree gchar *path = hls_path (first, "m.m3u8");
  g_autofree gchar *text = NULL;

  hls_add_video (first, NULL);
  hls_record (first, SECONDS (3));
  second = hls_new_in (first->dir);
  g_object_set (second->sink, "multivariant-location", path, NULL);
  hls_add_video (second, NULL);
  hls_record (second, SECONDS (3));
  text = read_in (first, "m.m3u8");
  assert_says (text, "\np.m3u8\n");
}

static void
test_delete_on_ended_takes_it (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("m.m3u8");

  g_object_set (hls->sink, "delete-on-ended", TRUE, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (5));
  g_assert_cmpuint (hls_count_files (hls->dir, ".m3u8"), ==, 0);
}

static void
test_name_of_the_playlist_is_refused (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("p.m3u8");

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play_fails (hls);
  hls_assert_error (hls, SETTINGS, "multivariant-location", "p.m3u8");
}

/* Dates may make them the same, so it shows when they are known. */
static void
test_name_of_a_segment_is_refused (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("s00007.ts");

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (20));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  hls_assert_error (hls, SETTINGS, "multivariant-location", "s00007.ts");
}

/* Remote stores would call what comes next by other names. */
static void
test_folder_above_is_refused (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("../m.m3u8");

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play_fails (hls);
  hls_assert_error (hls, SETTINGS, "multivariant-location", "m.m3u8");
}

static void
test_template_that_is_not_understood_is_refused (void)
{
  g_autoptr (Hls) hls = new_with_multivariant ("{other:%H}.m3u8");

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play_fails (hls);
  hls_assert_error (hls, SETTINGS, "multivariant-location", "other");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hls-multivariant/says", test_sound_and_picture_are_said);
  g_test_add_func ("/hls-multivariant/first-segment",
      test_it_is_there_with_the_first_segment);
  g_test_add_func ("/hls-multivariant/vod", test_a_vod_has_it_at_the_end);
  g_test_add_func ("/hls-multivariant/uri", test_uri_is_relative_to_it);
  g_test_add_func ("/hls-multivariant/date",
      test_date_is_in_its_name_as_in_the_others);
  g_test_add_func ("/hls-multivariant/continued",
      test_continued_recording_has_it_again);
  g_test_add_func ("/hls-multivariant/deleted", test_delete_on_ended_takes_it);
  g_test_add_func ("/hls-multivariant/segment-name",
      test_name_of_a_segment_is_refused);
  g_test_add_func ("/hls-multivariant/folder-above",
      test_folder_above_is_refused);
  g_test_add_func ("/hls-multivariant/same-name",
      test_name_of_the_playlist_is_refused);
  g_test_add_func ("/hls-multivariant/template",
      test_template_that_is_not_understood_is_refused);
  return g_test_run ();
}
