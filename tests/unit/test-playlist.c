/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <locale.h>
#include <string.h>

#include "playlist/amsplaylist.h"
#include "playlist/amsplaylistparser.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)
#define PAGE 4096

/* 2026-11-22T10:46:04.509999Z */
#define DATE (G_GINT64_CONSTANT (1795344364509999))

static gboolean
add (AmsPlaylist *playlist, const gchar *uri, guint64 duration)
{
  AmsPlaylistSegment segment = { (gchar *) uri, duration };

  return ams_playlist_add (playlist, &segment);
}

static void
add_many (AmsPlaylist *playlist, guint first, guint n, guint64 duration)
{
  guint i;

  for (i = first; i < first + n; i++) {
    g_autofree gchar *uri = g_strdup_printf ("%05u.ts", i);

    add (playlist, uri, duration);
  }
}

static GBytes *
render (AmsPlaylist *playlist, guint64 *extends)
{
  g_autoptr (GPtrArray) pieces = ams_playlist_render (playlist, extends);

  return ams_playlist_join (pieces);
}

static gchar *
render_text (AmsPlaylist *playlist)
{
  guint64 extends;
  g_autoptr (GBytes) bytes = render (playlist, &extends);
  gsize len;
  const gchar *data = g_bytes_get_data (bytes, &len);

  return g_strndup (data, len);
}

static AmsPlaylistParsed *
parse_text (const gchar *text, gssize len)
{
  g_autoptr (GBytes) bytes =
      g_bytes_new (text, len < 0 ? strlen (text) : (gsize) len);
  g_autoptr (GError) error = NULL;
  AmsPlaylistParsed *parsed = ams_playlist_parse (bytes, &error);

  g_assert_no_error (error);
  return parsed;
}

static AmsPlaylist *
continue_text (const gchar *text, AmsPlaylistType type, guint window)
{
  g_autoptr (AmsPlaylistParsed) parsed = parse_text (text, -1);

  return ams_playlist_continue (parsed, type, window);
}

static void
assert_text (AmsPlaylist *playlist, const gchar *expected)
{
  g_autofree gchar *text = render_text (playlist);

  g_assert_cmpstr (text, ==, expected);
}

#define EVENT_HEAD \
  "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n" \
  "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n" \
  "#EXT-X-INDEPENDENT-SEGMENTS\n"

/* ---- what is written ---- */

static void
test_event_new_text (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  AmsPlaylistSegment full = { (gchar *) "b.ts", SECOND / 2, DATE, TRUE, TRUE };

  assert_text (p, EVENT_HEAD);
  add (p, "a.ts", 6 * SECOND);
  ams_playlist_add (p, &full);
  ams_playlist_end (p);
  assert_text (p,
      EVENT_HEAD "#EXTINF:6.000000,\na.ts\n"
                 "#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n"
                 "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:46:04.509Z\n"
                 "#EXTINF:0.500000,\nb.ts\n#EXT-X-ENDLIST\n");
  g_assert_cmpuint (ams_playlist_get_next_sequence (p), ==, 2);
  g_assert_cmpuint (ams_playlist_get_length (p), ==, 2);
  g_assert_cmpuint (ams_playlist_get_duration (p), ==, 6 * SECOND + SECOND / 2);
}

/* hls-rules 4 and 9. */
static void
test_live_new_text (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_LIVE, 2, 3, FALSE);

  ams_playlist_set_first_sequence (p, 7);
  add (p, "a.ts", 2 * SECOND);
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
      "#EXTINF:2.000000,\na.ts\n");
}

static void
test_vod_new_text (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_VOD, 2, 0, FALSE);

  ams_playlist_set_first_sequence (p, 7);
  add (p, "a.ts", 2 * SECOND);
  ams_playlist_end (p);
  ams_playlist_end (p);
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-PLAYLIST-TYPE:VOD\n"
      "#EXTINF:2.000000,\na.ts\n#EXT-X-ENDLIST\n");
}

/* A header that was rendered already is written again. */
static void
test_first_sequence_late_taken (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  g_autofree gchar *before = render_text (p), *after = NULL;
  guint64 extends;
  g_autoptr (GBytes) bytes = NULL;

  ams_playlist_set_first_sequence (p, G_MAXINT64 - 10);
  bytes = render (p, &extends);
  g_assert_cmpuint (extends, ==, 0);
  after = render_text (p);
  g_assert_nonnull (strstr (after, "SEQUENCE:9223372036854775797\n"));
  g_assert_cmpstr (before, ==, EVENT_HEAD);
}

static void
test_extinf_locale_dot (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);

  setlocale (LC_ALL, "de_DE.UTF-8");
  add (p, "a.ts", 1960000038);
  setlocale (LC_ALL, "C");
  assert_text (p, EVENT_HEAD "#EXTINF:1.960000,\na.ts\n");
}

/* hls-rules 14: the sums stay true, whatever the run. */
static void
test_extinf_many_no_drift (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  g_autofree gchar *text = NULL;
  g_autoptr (AmsPlaylistParsed) parsed = NULL;
  guint64 truth = 0, printed = 0;
  g_autoptr (AmsPlaylistIter) segments = NULL;
  guint i;

  add_many (p, 0, 1000, 667334333);
  text = render_text (p);
  parsed = parse_text (text, -1);
  segments = ams_playlist_iter_new (parsed, 0);
  for (i = 0; i < 1000; i++) {
    truth += 667334333;
    printed += ams_playlist_iter_next (segments)->duration;
    g_assert_cmpuint (truth - printed, <, 1000);
  }
}

/* ---- hls-rules 1 ---- */

static void
test_add_too_long_raises_target (gconstpointer data)
{
  AmsPlaylistType type = GPOINTER_TO_INT (data);
  g_autoptr (AmsPlaylist) p = ams_playlist_new (type, 6, 0, TRUE);
  guint64 extends;
  g_autoptr (GBytes) before = NULL, after = NULL;
  g_autofree gchar *text = NULL;

  g_assert_false (add (p, "a.ts", 6 * SECOND + SECOND / 2 - 1000));
  before = render (p, &extends);
  g_assert_true (add (p, "b.ts", 6 * SECOND + SECOND / 2));
  g_assert_cmpuint (ams_playlist_get_target_duration (p), ==, 7);
  after = render (p, &extends);
  g_assert_cmpuint (extends, ==, 0);
  g_assert_false (add (p, "c.ts", 7 * SECOND));
  text = render_text (p);
  g_assert_nonnull (strstr (text, "#EXT-X-TARGETDURATION:7\n"));
  g_assert_null (strstr (text, "#EXT-X-TARGETDURATION:6\n"));
  g_assert_nonnull (strstr (text, "a.ts\n#EXTINF:6.500000,\nb.ts\n"));
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (before, NULL),
      g_bytes_get_size (before), "#EXT-X-TARGETDURATION:6\n"));
}

/* ---- hls-rules 3 and 4 ---- */

static void
test_slide_short_window_keeps_3_targets (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_LIVE, 6, 2, TRUE);
  g_autoptr (GPtrArray) none = NULL, left = NULL;

  add_many (p, 0, 4, 5 * SECOND);
  none = ams_playlist_slide (p);
  g_assert_cmpuint (none->len, ==, 0);
  add_many (p, 4, 2, 4 * SECOND);
  left = ams_playlist_slide (p);
  g_assert_cmpuint (left->len, ==, 2);
  g_assert_cmpuint (ams_playlist_get_duration (p), ==, 18 * SECOND);
}

static void
test_slide_removes_from_front (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_LIVE, 2, 3, TRUE);
  AmsPlaylistSegment cut = { (gchar *) "cut.ts", 2 * SECOND, 0, TRUE, FALSE };
  g_autoptr (GPtrArray) first = NULL, second = NULL;
  g_autofree gchar *text = NULL;

  add_many (p, 0, 1, 2 * SECOND);
  ams_playlist_add (p, &cut);
  add_many (p, 2, 2, 2 * SECOND);
  first = ams_playlist_slide (p);
  g_assert_cmpuint (first->len, ==, 1);
  text = render_text (p);
  g_assert_nonnull (strstr (text,
      "#EXT-X-MEDIA-SEQUENCE:1\n"
      "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"));
  g_assert_nonnull (strstr (text, "#EXT-X-DISCONTINUITY\n"));

  add_many (p, 4, 2, 2 * SECOND);
  second = ams_playlist_slide (p);
  g_assert_cmpuint (second->len, ==, 2);
  g_assert_cmpstr (((AmsPlaylistSegment *) second->pdata[0])->uri, ==,
      "cut.ts");
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
      "#EXT-X-INDEPENDENT-SEGMENTS\n#EXTINF:2.000000,\n00003.ts\n"
      "#EXTINF:2.000000,\n00004.ts\n#EXTINF:2.000000,\n00005.ts\n");
  g_assert_cmpuint (ams_playlist_get_first_sequence (p), ==, 3);
  g_assert_cmpuint (ams_playlist_get_next_sequence (p), ==, 6);
}

static void
test_slide_window_0_keeps_all (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_LIVE, 1, 0, TRUE);
  g_autoptr (GPtrArray) left = NULL;

  add_many (p, 0, 100, SECOND);
  left = ams_playlist_slide (p);
  g_assert_cmpuint (left->len, ==, 0);
}

/* What is played after the end is not taken away (and is no longer live). */
static void
test_slide_ended_keeps_all (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_LIVE, 1, 2, TRUE);
  g_autoptr (GPtrArray) left = NULL;
  g_autofree gchar *text = NULL;

  add_many (p, 0, 100, SECOND);
  ams_playlist_end (p);
  left = ams_playlist_slide (p);
  g_assert_cmpuint (left->len, ==, 0);
  text = render_text (p);
  g_assert_true (g_str_has_suffix (text, "00099.ts\n#EXT-X-ENDLIST\n"));
}

static void
test_slide_event_keeps_all (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 1, 2, TRUE);
  g_autoptr (GPtrArray) left = NULL;

  add_many (p, 0, 100, SECOND);
  left = ams_playlist_slide (p);
  g_assert_cmpuint (left->len, ==, 0);
}

/* ---- gaps ---- */

static void
test_gap_listed_marked (gconstpointer data)
{
  AmsPlaylistType type = GPOINTER_TO_INT (data);
  g_autoptr (AmsPlaylist) p = ams_playlist_new (type, 6, 0, TRUE);
  AmsPlaylistSegment dated = { (gchar *) "b.ts", SECOND, DATE, TRUE, FALSE };
  g_autofree gchar *text = NULL;
  g_autoptr (GBytes) before = NULL, after = NULL;
  guint64 extends;

  g_assert_false (ams_playlist_mark_gap (p, "a.ts"));
  add (p, "a.ts", SECOND);
  ams_playlist_add (p, &dated);
  add (p, "c.ts", SECOND);
  before = render (p, &extends);
  g_assert_false (ams_playlist_mark_gap (p, ".ts"));
  g_assert_true (ams_playlist_mark_gap (p, "b.ts"));
  g_assert_true (ams_playlist_mark_gap (p, "a.ts"));
  g_assert_true (ams_playlist_mark_gap (p, "b.ts"));
  after = render (p, &extends);
  g_assert_cmpuint (extends, ==, 0);
  text = render_text (p);
  g_assert_true (g_str_has_suffix (text,
      "#EXT-X-GAP\n#EXTINF:1.000000,\n"
      "a.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n"
      "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:46:04.509Z\n"
      "#EXTINF:1.000000,\nb.ts\n#EXTINF:1.000000,\nc.ts\n"));
  g_assert_null (g_strstr_len (g_bytes_get_data (before, NULL),
      g_bytes_get_size (before), "GAP"));
}

/* ---- continuing ---- */

static void
test_continue_event_bytes_kept (void)
{
  static const gchar kept[] =
      "#EXTM3U\r\n#EXT-X-VERSION:4\n\n"
      "#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:40\n#EXT-X-FOO:1\n"
      "#EXTINF:4,x\r\na.ts\r\n# note\n";
  static const gchar tail[] = "# tail\n";
  g_autofree gchar *text = g_strconcat (kept, "#EXT-X-ENDLIST\n", tail, NULL);
  g_autoptr (AmsPlaylist) p = continue_text (text, AMS_PLAYLIST_EVENT, 0);
  g_autofree gchar *expected = NULL;

  expected = g_strconcat (kept, tail, "#EXTINF:4.000000,\nb.ts\n", NULL);
  g_assert_cmpuint (ams_playlist_get_next_sequence (p), ==, 41);
  g_assert_cmpuint (ams_playlist_get_target_duration (p), ==, 4);
  add (p, "b.ts", 4 * SECOND);
  assert_text (p, expected);
}

/* hls-rules 8: the least that is needed, and no less. */
static void
test_continue_old_version_raised (gconstpointer data)
{
  const gchar *line = data;
  g_autofree gchar *text = g_strconcat ("#EXTM3U\n#EXT-X-TARGETDURATION:4\n",
      line, "#EXTINF:4,\na.ts\n", NULL);
  g_autoptr (AmsPlaylist) p = continue_text (text, AMS_PLAYLIST_EVENT, 0);

  assert_text (p, text);
  add (p, "b.ts", 4 * SECOND);
  if (*line == '\0')
    assert_text (p,
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
        "#EXTINF:4,\na.ts\n#EXTINF:4.000000,\nb.ts\n");
  else
    assert_text (p,
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-VERSION:3\r\n"
        "#EXTINF:4,\na.ts\n#EXTINF:4.000000,\nb.ts\n");
}

static void
test_continue_event_target_raised (void)
{
  g_autoptr (AmsPlaylist) p = continue_text (
      "#EXTM3U\n#EXT-X-VERSION:3\n"
      "#EXT-X-DISCONTINUITY\n#EXT-X-TARGETDURATION:4\r\n#EXTINF:4,\na.ts\n",
      AMS_PLAYLIST_EVENT, 0);

  g_assert_true (add (p, "b.ts", 5 * SECOND));
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-DISCONTINUITY\n"
      "#EXT-X-TARGETDURATION:5\r\n#EXTINF:4,\na.ts\n"
      "#EXTINF:5.000000,\nb.ts\n");
}

/* hls-rules 10. */
static void
test_continue_encrypted_clear (gconstpointer data)
{
  AmsPlaylistType type = GPOINTER_TO_INT (data);
  g_autoptr (AmsPlaylist) p = continue_text (
      "#EXTM3U\n#EXT-X-VERSION:3\n"
      "#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"
      "#EXTINF:4,\na.ts\n",
      type, 0);
  g_autofree gchar *text = NULL;

  add_many (p, 0, 2, 4 * SECOND);
  text = render_text (p);
  g_assert_true (g_str_has_suffix (text,
      "URI=\"k\"\n#EXTINF:4,\na.ts\n"
      "#EXT-X-KEY:METHOD=NONE\n#EXTINF:4.000000,\n00000.ts\n"
      "#EXTINF:4.000000,\n00001.ts\n"));
}

static void
test_continue_live_lines_kept (void)
{
  g_autoptr (AmsPlaylist) p = continue_text (
      "#EXTM3U\n#EXT-X-TARGETDURATION:"
      "4\n#EXT-X-MEDIA-SEQUENCE:40\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
      "#EXT-X-FOO:1\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0\n# mine\n"
      "#EXT-X-DISCONTINUITY\n#EXTINF:4,x\r\na.ts\n"
      "#EXT-X-CUE:1\n#EXTINF:4,\nb.ts\n# last\n#EXT-X-ENDLIST\n",
      AMS_PLAYLIST_LIVE, 3);
  g_autoptr (GPtrArray) left = NULL;

  add (p, "c.ts", 4 * SECOND);
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
      "#EXT-X-MEDIA-SEQUENCE:40\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
      "#EXT-X-FOO:1\n#EXT-X-START:TIME-OFFSET=0\n# mine\n"
      "#EXT-X-DISCONTINUITY\n#EXTINF:4,x\r\na.ts\n"
      "#EXT-X-CUE:1\n#EXTINF:4,\nb.ts\n# last\n#EXTINF:4.000000,\nc.ts\n");
  add (p, "d.ts", 4 * SECOND);
  left = ams_playlist_slide (p);
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
      "#EXT-X-MEDIA-SEQUENCE:41\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n"
      "#EXT-X-FOO:1\n#EXT-X-START:TIME-OFFSET=0\n# mine\n"
      "#EXT-X-CUE:1\n#EXTINF:4,\nb.ts\n# last\n#EXTINF:4.000000,\nc.ts\n"
      "#EXTINF:4.000000,\nd.ts\n");
}

static void
test_slide_keys_stay_in_force (void)
{
  g_autoptr (AmsPlaylist) p = continue_text (
      "#EXTM3U\n#EXT-X-VERSION:6\n"
      "#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"i\"\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k1\"\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"f1\",KEYFORMAT=\"f\"\n"
      "#EXTINF:1,\na.ts\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k2\",KEYFORMAT=\"identity\"\n"
      "#EXTINF:1,\nb.ts\n#EXTINF:1,\nc.ts\n#EXTINF:1,\nd.ts\n"
      "#EXTINF:1,\ne.ts\n",
      AMS_PLAYLIST_LIVE, 1);
  g_autoptr (GPtrArray) left = ams_playlist_slide (p), more = NULL;

  g_assert_cmpuint (left->len, ==, 2);
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
      "#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
      "#EXT-X-MAP:URI=\"i\"\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"f1\",KEYFORMAT=\"f\"\n"
      "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k2\",KEYFORMAT=\"identity\"\n"
      "#EXTINF:1,\nc.ts\n#EXTINF:1,\nd.ts\n#EXTINF:1,\ne.ts\n");
  add_many (p, 0, 4, SECOND);
  more = ams_playlist_slide (p);
  assert_text (p,
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
      "#EXT-X-MEDIA-SEQUENCE:6\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
      "#EXT-X-MAP:URI=\"i\"\n"
      "#EXTINF:1.000000,\n00001.ts\n#EXTINF:1.000000,\n00002.ts\n"
      "#EXTINF:1.000000,\n00003.ts\n");
}

/* ---- versions ---- */

typedef struct
{
  GBytes *bytes;
  gchar *copy;
} Version;

static void
clear_version (gpointer data)
{
  Version *version = data;
  gsize len;
  const gchar *text = g_bytes_get_data (version->bytes, &len);

  g_assert_cmpmem (text, len, version->copy, len);
  g_bytes_unref (version->bytes);
  g_free (version->copy);
}

static void
check_cuts (GBytes *bytes, guint64 from)
{
  gsize len, cut;
  const gchar *text = g_bytes_get_data (bytes, &len);

  for (cut = (from + PAGE - 1) / PAGE * PAGE; cut < len; cut += PAGE) {
    if (cut > 0 && cut >= from)
      ams_playlist_parsed_free (parse_text (text, cut));
  }
}

static void
add_random (AmsPlaylist *p, GRand *random, guint i)
{
  g_autofree gchar *fill = g_strnfill (g_rand_int_range (random, 0, 200), 'x');
  g_autofree gchar *uri = g_strdup_printf ("%s%u.ts", fill, i);
  AmsPlaylistSegment segment = { uri,
    g_rand_int_range (random, 0, 6499) * G_GUINT64_CONSTANT (1000003),
    g_rand_int_range (random, 0, 3) == 0 ? DATE + i : 0,
    g_rand_int_range (random, 0, 5) == 0,
    g_rand_int_range (random, 0, 9) == 0 };

  ams_playlist_add (p, &segment);
}

static void
check_version (Version *before, Version *now, guint64 extends)
{
  gsize len;
  const gchar *text = g_bytes_get_data (now->bytes, &len);

  now->copy = g_memdup2 (text, len);
  if (extends > 0) {
    g_assert_nonnull (before);
    g_assert_cmpmem (text, extends, before->copy,
        g_bytes_get_size (before->bytes));
  }
  check_cuts (now->bytes, extends > 0 ? extends : len);
  ams_playlist_parsed_free (parse_text (text, len));
}

/* Any segments, any number of them between versions. */
static void
test_versions_random_true (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  g_autoptr (GRand) random = g_rand_new_with_seed (g_test_rand_int ());
  g_autoptr (GArray) versions = g_array_new (FALSE, TRUE, sizeof (Version));
  guint i, extended = 0;

  g_array_set_clear_func (versions, clear_version);
  for (i = 0; i < 3000; i++) {
    Version now = { NULL };
    guint64 extends;

    add_random (p, random, i);
    if (i == 1500)
      add (p, "long.ts", 9 * SECOND);
    if (i == 2000)
      ams_playlist_mark_gap (p, "long.ts");
    if (i == 2999)
      ams_playlist_end (p);
    else if (g_rand_int_range (random, 0, 8) != 0)
      continue;
    now.bytes = render (p, &extends);
    extended += extends > 0;
    check_version (versions->len > 0
            ? &g_array_index (versions, Version, versions->len - 1)
            : NULL,
        &now, extends);
    g_array_append_val (versions, now);
  }
  /* All but the first and those that raise the target or mark a gap. */
  g_assert_cmpuint (extended + 3, >=, versions->len);
}

static void
test_versions_unchanged_same (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  guint64 extends;
  g_autoptr (GBytes) first = NULL, second = NULL;

  add (p, "a.ts", SECOND);
  first = render (p, &extends);
  g_assert_cmpuint (extends, ==, 0);
  second = render (p, &extends);
  g_assert_cmpuint (extends, ==, g_bytes_get_size (first));
  g_assert_true (g_bytes_equal (first, second));
}

static void
test_versions_huge_group_extends_none (void)
{
  g_autoptr (AmsPlaylist) p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  g_autofree gchar *uri = g_strnfill (PAGE, 'x');
  guint64 extends;
  g_autoptr (GBytes) first = render (p, &extends);
  g_autoptr (GBytes) second = NULL, third = NULL;

  g_assert_nonnull (first);
  add (p, uri, SECOND);
  second = render (p, &extends);
  g_assert_cmpuint (extends, ==, 0);
  add (p, "a.ts", SECOND);
  third = render (p, &extends);
  g_assert_cmpuint (extends, ==, g_bytes_get_size (second));
}

/* The versions outlive the playlist. */
static void
test_versions_playlist_freed_readable (void)
{
  AmsPlaylist *p = ams_playlist_new (AMS_PLAYLIST_EVENT, 6, 0, TRUE);
  guint64 extends;
  g_autoptr (GBytes) bytes = NULL;

  add (p, "a.ts", SECOND);
  bytes = render (p, &extends);
  add_many (p, 0, 3000, SECOND);
  ams_playlist_free (p);
  g_assert_true (g_str_has_prefix (g_bytes_get_data (bytes, NULL),
      EVENT_HEAD "#EXTINF:1.000000,\na.ts\n"));
}

/* ---- URIs ---- */

typedef struct
{
  const gchar *name;
  const gchar *root;
  const gchar *file;
  const gchar *expected;
} Uri;

static const Uri uris[] = {
  { "plain/same", NULL, "cam1/00001.ts", "cam1/00001.ts" },
  { "space/encoded", NULL, "a b.ts", "a%20b.ts" },
  { "reserved/encoded", NULL, "a?b#c%d.ts", "a%3Fb%23c%25d.ts" },
  { "utf8/encoded", NULL, "ä.ts", "%C3%A4.ts" },
  { "colon-first/encoded", NULL, "10:46.ts", "10%3A46.ts" },
  { "colon-later/kept", NULL, "d/10:46.ts", "d/10:46.ts" },
  { "newline/encoded", NULL, "a\n#EXT-X-ENDLIST", "a%0A%23EXT-X-ENDLIST" },
  { "root/joined", "https://x/y", "a.ts", "https://x/y/a.ts" },
  { "root-slash/joined", "https://x/y/", "a.ts", "https://x/y/a.ts" },
  { "root-empty/none", "", "a.ts", "a.ts" },
  { "root-newline/encoded", "x\ny\x7f", "a.ts", "x%0Ay%7F/a.ts" },
  { "root-c1/encoded", "x\xc2\x85", "a.ts", "x%C2%85/a.ts" },
  { "root-bad-utf8/encoded", "x\xff", "a.ts", "x%FF/a.ts" },
  { "root-utf8/kept", "xä", "a.ts", "xä/a.ts" },
  { "root-comment/encoded", "#x", "a.ts", "%23x/a.ts" },
};

static void
test_uri (gconstpointer data)
{
  const Uri *c = data;
  g_autofree gchar *uri = ams_playlist_uri (c->root, c->file);

  g_assert_cmpstr (uri, ==, c->expected);
}

static void
add_versions_tests (void)
{
  g_test_add_func ("/playlist-versions/random/true", test_versions_random_true);
  g_test_add_func ("/playlist-versions/unchanged/same",
      test_versions_unchanged_same);
  g_test_add_func ("/playlist-versions/huge-group/extends-none",
      test_versions_huge_group_extends_none);
  g_test_add_func ("/playlist-versions/playlist-freed/readable",
      test_versions_playlist_freed_readable);
}

static void
add_continue_tests (void)
{
  g_test_add_func ("/playlist-continue/event/bytes-kept",
      test_continue_event_bytes_kept);
  g_test_add_data_func ("/playlist-continue/no-version/added", "",
      test_continue_old_version_raised);
  g_test_add_data_func ("/playlist-continue/old-version/raised",
      "#EXT-X-VERSION:2\r\n", test_continue_old_version_raised);
  g_test_add_func ("/playlist-continue/event-too-long/target-raised",
      test_continue_event_target_raised);
  g_test_add_data_func ("/playlist-continue/event-encrypted/clear",
      GINT_TO_POINTER (AMS_PLAYLIST_EVENT), test_continue_encrypted_clear);
  g_test_add_data_func ("/playlist-continue/live-encrypted/clear",
      GINT_TO_POINTER (AMS_PLAYLIST_LIVE), test_continue_encrypted_clear);
  g_test_add_func ("/playlist-continue/live/lines-kept",
      test_continue_live_lines_kept);
}

static void
add_slide_tests (void)
{
  g_test_add_func ("/playlist-slide/short-window/keeps-3-targets",
      test_slide_short_window_keeps_3_targets);
  g_test_add_func ("/playlist-slide/full/removes-from-front",
      test_slide_removes_from_front);
  g_test_add_func ("/playlist-slide/window-0/keeps-all",
      test_slide_window_0_keeps_all);
  g_test_add_func ("/playlist-slide/ended/keeps-all",
      test_slide_ended_keeps_all);
  g_test_add_func ("/playlist-slide/event/keeps-all",
      test_slide_event_keeps_all);
  g_test_add_func ("/playlist-slide/keys/stay-in-force",
      test_slide_keys_stay_in_force);
}

static void
add_text_tests (void)
{
  g_test_add_func ("/playlist-text/event/as-ruled", test_event_new_text);
  g_test_add_func ("/playlist-text/live/as-ruled", test_live_new_text);
  g_test_add_func ("/playlist-text/vod/as-ruled", test_vod_new_text);
  g_test_add_func ("/playlist-text/first-sequence-late/taken",
      test_first_sequence_late_taken);
  g_test_add_func ("/playlist-text/locale/decimal-point",
      test_extinf_locale_dot);
  g_test_add_func ("/playlist-text/odd-durations/no-drift",
      test_extinf_many_no_drift);
  g_test_add_data_func ("/playlist-add/event-too-long/target-raised",
      GINT_TO_POINTER (AMS_PLAYLIST_EVENT), test_add_too_long_raises_target);
  g_test_add_data_func ("/playlist-add/live-too-long/target-raised",
      GINT_TO_POINTER (AMS_PLAYLIST_LIVE), test_add_too_long_raises_target);
  g_test_add_data_func ("/playlist-gap/event-listed/marked",
      GINT_TO_POINTER (AMS_PLAYLIST_EVENT), test_gap_listed_marked);
  g_test_add_data_func ("/playlist-gap/live-listed/marked",
      GINT_TO_POINTER (AMS_PLAYLIST_LIVE), test_gap_listed_marked);
}

/* ---- long ones ---- */

static void
assert_pieces (AmsPlaylist *p, const GString *expected, guint most)
{
  guint64 extends;
  g_autoptr (GPtrArray) pieces = ams_playlist_render (p, &extends);
  gsize at = 0, size;
  guint i;

  g_assert_cmpuint (pieces->len, <=, most);
  for (i = 0; i < pieces->len; i++) {
    const gchar *data = g_bytes_get_data (g_ptr_array_index (pieces, i), &size);

    g_assert_cmpuint (size, >, 0);
    g_assert_true (data[size - 1] == '\n');
    g_assert_cmpmem (data, size, expected->str + at,
        MIN (size, expected->len - at));
    at += size;
  }
  g_assert_cmpuint (at, ==, expected->len);
}

static GString *
make_list (guint n)
{
  GString *text =
      g_string_new ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n"
                    "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-FOREIGN:1\n");
  guint i;

  for (i = 0; i < n; i++)
    g_string_append_printf (text, "#EXTINF:6.000000,\n%05u.ts\n", i);
  return text;
}

static void
expect_gap (GString *expected, const gchar *uri)
{
  g_autofree gchar *line = g_strdup_printf ("#EXTINF:6.000000,\n%s\n", uri);
  gchar *found = strstr (expected->str, line);

  g_assert_nonnull (found);
  g_string_insert (expected, found - expected->str, "#EXT-X-GAP\n");
}

/* Gaps anywhere, the header's change and segments that are added: in few pieces,
 * and older versions stay as they were. */
static void
test_gaps_anywhere_in_few_pieces (void)
{
  g_autoptr (GString) expected = make_list (20000);
  g_autofree gchar *first = g_strndup (expected->str, expected->len);
  g_autoptr (GString) untouched = make_list (20000);
  g_autoptr (AmsPlaylistParsed) earlier = parse_text (first, -1);
  g_autoptr (AmsPlaylist) p =
      ams_playlist_continue (earlier, AMS_PLAYLIST_EVENT, 0);
  guint64 extends;
  g_autoptr (GBytes) older = render (p, &extends);
  guint i;

  assert_pieces (p, expected, 1);
  for (i = 0; i < 300; i++) {
    g_autofree gchar *old = g_strdup_printf ("%05u.ts", i * 6007 % 20000);
    g_autofree gchar *new = g_strdup_printf ("%05u.ts", 20000 + i);

    g_assert_true (ams_playlist_mark_gap (p, old));
    expect_gap (expected, old);
    /* It extends nothing, so no page is filled up. */
    add (p, new, 6000000000);
    g_string_append_printf (expected, "#EXTINF:6.000000,\n%s\n", new);
    g_assert_false (ams_playlist_mark_gap (p, "99999.ts"));
    assert_pieces (p, expected, 34);
  }
  g_assert_cmpmem (g_bytes_get_data (older, NULL), g_bytes_get_size (older),
      untouched->str, untouched->len);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  add_text_tests ();
  add_slide_tests ();
  add_continue_tests ();
  add_versions_tests ();
  for (i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autofree gchar *path = g_strconcat ("/playlist-uri/", uris[i].name, NULL);

    g_test_add_data_func (path, &uris[i], test_uri);
  }
  g_test_add_func ("/playlist/gaps-anywhere/in-few-pieces",
      test_gaps_anywhere_in_few_pieces);
  return g_test_run ();
}
