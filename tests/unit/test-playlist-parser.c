/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "playlist/amsplaylistparser.h"

#define HEAD "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n"
#define SEGMENT "#EXTINF:6.000000,\n0.ts\n"

static AmsPlaylistParsed *
parse (const gchar *text, gsize len, GError **error)
{
  /* A copy of just these bytes, so that ASan sees what is read behind. */
  g_autoptr (GBytes) bytes = g_bytes_new (text, len);

  return ams_playlist_parse (bytes, error);
}

/* ---- refused ---- */

typedef struct
{
  const gchar *name;
  const gchar *text;
  AmsPlaylistParserError code;
} Refused;

#define NOT_A_PLAYLIST AMS_PLAYLIST_PARSER_ERROR_NOT_A_PLAYLIST
#define TRUNCATED AMS_PLAYLIST_PARSER_ERROR_TRUNCATED
#define INVALID AMS_PLAYLIST_PARSER_ERROR_INVALID
#define UNSUPPORTED AMS_PLAYLIST_PARSER_ERROR_UNSUPPORTED

static const Refused refused[] = {
  { "empty/not-a-playlist", "", NOT_A_PLAYLIST },
  { "no-header/not-a-playlist", "#EXT-X-TARGETDURATION:6\n" SEGMENT,
      NOT_A_PLAYLIST },
  { "html/not-a-playlist", "<html>404</html>\n", NOT_A_PLAYLIST },
  { "longer-first-tag/not-a-playlist", "#EXTM3U8\n" HEAD, NOT_A_PLAYLIST },
  { "bom/not-a-playlist", "\xef\xbb\xbf" HEAD SEGMENT, NOT_A_PLAYLIST },
  { "not-utf8/not-a-playlist", HEAD "#EXTINF:6,\n\xff\xfe.ts\n",
      NOT_A_PLAYLIST },
  { "overlong-utf8/not-a-playlist", HEAD "#EXTINF:6,\n\xc0\xaf.ts\n",
      NOT_A_PLAYLIST },
  { "tab/not-a-playlist", HEAD "#EXTINF:6,\na\tb.ts\n", NOT_A_PLAYLIST },
  { "lone-cr/not-a-playlist", HEAD "#EXTINF:6,\ra.ts\n", NOT_A_PLAYLIST },
  { "c1/not-a-playlist", HEAD "#EXTINF:6,\na\xc2\x85.ts\n", NOT_A_PLAYLIST },
  { "cut-in-header/truncated", "#EXTM3U", TRUNCATED },
  { "cut-in-tag/truncated", HEAD "#EXTINF:6.0", TRUNCATED },
  { "cut-in-uri/truncated", HEAD "#EXTINF:6.0,\n0.t", TRUNCATED },
  { "cut-in-endlist/truncated", HEAD SEGMENT "#EXT-X-ENDLIS", TRUNCATED },
  { "cut-before-uri/truncated", HEAD SEGMENT "#EXTINF:6.0,\n", TRUNCATED },
  { "cut-behind-discontinuity/truncated", HEAD SEGMENT "#EXT-X-DISCONTINUITY\n",
      TRUNCATED },
  { "endlist-before-uri/truncated", HEAD "#EXTINF:6.0,\n#EXT-X-ENDLIST\n",
      TRUNCATED },
  { "no-target/invalid", "#EXTM3U\n" SEGMENT, INVALID },
  { "target-0/invalid", "#EXTM3U\n#EXT-X-TARGETDURATION:0\n", INVALID },
  { "target-decimal/invalid", "#EXTM3U\n#EXT-X-TARGETDURATION:6.0\n", INVALID },
  { "target-over-a-day/invalid", "#EXTM3U\n#EXT-X-TARGETDURATION:86401\n",
      INVALID },
  { "target-twice/invalid", HEAD "#EXT-X-TARGETDURATION:6\n", INVALID },
  { "target-late/invalid", "#EXTM3U\n" SEGMENT "#EXT-X-TARGETDURATION:6\n",
      INVALID },
  { "tag-without-value/invalid", "#EXTM3U\n#EXT-X-TARGETDURATION\n", INVALID },
  { "tag-with-value/invalid", HEAD "#EXT-X-GAP:YES\n" SEGMENT, INVALID },
  { "version-0/invalid", "#EXTM3U\n#EXT-X-VERSION:0\n", INVALID },
  { "version-99/unsupported", "#EXTM3U\n#EXT-X-VERSION:99\n", UNSUPPORTED },
  { "sequence-2^64/invalid",
      HEAD "#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n" SEGMENT, INVALID },
  { "sequence-2^63/invalid",
      HEAD "#EXT-X-MEDIA-SEQUENCE:9223372036854775808\n" SEGMENT, INVALID },
  { "sequence-plus-segments-2^63/invalid",
      HEAD "#EXT-X-MEDIA-SEQUENCE:9223372036854775807\n" SEGMENT, INVALID },
  { "sequence-negative/invalid", HEAD "#EXT-X-MEDIA-SEQUENCE:-1\n" SEGMENT,
      INVALID },
  { "sequence-blank/invalid", HEAD "#EXT-X-MEDIA-SEQUENCE: 1\n" SEGMENT,
      INVALID },
  { "sequence-empty/invalid", HEAD "#EXT-X-MEDIA-SEQUENCE:\n" SEGMENT,
      INVALID },
  { "sequence-late/invalid", HEAD SEGMENT "#EXT-X-MEDIA-SEQUENCE:1\n",
      INVALID },
  { "discontinuity-sequence-2^64/invalid",
      HEAD "#EXT-X-DISCONTINUITY-SEQUENCE:18446744073709551616\n", INVALID },
  { "discontinuity-sequence-late/invalid",
      HEAD "#EXT-X-DISCONTINUITY\n"
           "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" SEGMENT,
      INVALID },
  { "type-unknown/invalid", HEAD "#EXT-X-PLAYLIST-TYPE:LIVE\n", INVALID },
  { "extinf-negative/invalid", HEAD "#EXTINF:-6.0,\n0.ts\n", INVALID },
  { "extinf-nan/invalid", HEAD "#EXTINF:nan,\n0.ts\n", INVALID },
  { "extinf-inf/invalid", HEAD "#EXTINF:inf,\n0.ts\n", INVALID },
  { "extinf-hex/invalid", HEAD "#EXTINF:0x6,\n0.ts\n", INVALID },
  { "extinf-exponent/invalid", HEAD "#EXTINF:1e3,\n0.ts\n", INVALID },
  { "extinf-plus/invalid", HEAD "#EXTINF:+6,\n0.ts\n", INVALID },
  { "extinf-locale/invalid", HEAD "#EXTINF:6.0.0,\n0.ts\n", INVALID },
  { "extinf-dot/invalid", HEAD "#EXTINF:.,\n0.ts\n", INVALID },
  { "extinf-empty/invalid", HEAD "#EXTINF:,\n0.ts\n", INVALID },
  { "extinf-no-comma/invalid", HEAD "#EXTINF:6\n0.ts\n", INVALID },
  { "extinf-over-a-day/invalid", HEAD "#EXTINF:86400.000000001,\n0.ts\n",
      INVALID },
  { "extinf-2^64/invalid", HEAD "#EXTINF:18446744073709551617,\n0.ts\n",
      INVALID },
  { "extinf-twice/invalid", HEAD "#EXTINF:6,\n#EXTINF:6,\n0.ts\n", INVALID },
  { "uri-alone/invalid", HEAD "0.ts\n", INVALID },
  { "date-nonsense/invalid",
      HEAD "#EXT-X-PROGRAM-DATE-TIME:yesterday\n" SEGMENT, INVALID },
  { "date-february-30/invalid",
      HEAD "#EXT-X-PROGRAM-DATE-TIME:2026-02-30T00:00:00Z\n" SEGMENT, INVALID },
  { "date-trailing/invalid",
      HEAD "#EXT-X-PROGRAM-DATE-TIME:2026-02-03T00:00:00Zx\n" SEGMENT,
      INVALID },
  { "more-behind-endlist/invalid", HEAD "#EXT-X-ENDLIST\n" SEGMENT, INVALID },
  { "multivariant/unsupported",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n", UNSUPPORTED },
  { "i-frames-only/unsupported", HEAD "#EXT-X-I-FRAMES-ONLY\n", UNSUPPORTED },
  { "parts/unsupported", HEAD "#EXT-X-PART:DURATION=1,URI=\"a\"\n",
      UNSUPPORTED },
  { "skip/unsupported", HEAD "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n", UNSUPPORTED },
};

static void
test_refused (gconstpointer data)
{
  const Refused *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsPlaylistParsed) parsed =
      parse (c->text, strlen (c->text), &error);

  g_assert_null (parsed);
  g_assert_error (error, AMS_PLAYLIST_PARSER_ERROR, (gint) c->code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_error_names_line_and_tag (void)
{
  static const gchar text[] = HEAD SEGMENT "#EXTINF:-6,\n0.ts\n";
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (text, strlen (text), &error));
  g_assert_nonnull (strstr (error->message, "line 6"));
  g_assert_nonnull (strstr (error->message, "EXTINF"));
}

static void
test_nul_not_a_playlist (void)
{
  static const gchar text[] = HEAD "#EXTINF:6,\na\0b\n";
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (text, sizeof text - 1, &error));
  g_assert_error (error, AMS_PLAYLIST_PARSER_ERROR, NOT_A_PLAYLIST);
}

static void
test_line_too_long_invalid (void)
{
  g_autofree gchar *uri = g_strnfill (64 * 1024 + 1, 'a');
  g_autofree gchar *text = g_strconcat (HEAD "#EXTINF:6,\n", uri, "\n", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (text, strlen (text), &error));
  g_assert_error (error, AMS_PLAYLIST_PARSER_ERROR, INVALID);
}

static void
check_fast (const gchar *start, gsize size, gchar fill, gint code)
{
  gchar *data = g_malloc (size);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  gint64 begin;

  memset (data, fill, size);
  memcpy (data, start, strlen (start));
  bytes = g_bytes_new_take (data, size);
  begin = g_get_monotonic_time ();
  g_assert_null (ams_playlist_parse (bytes, &error));
  g_assert_error (error, AMS_PLAYLIST_PARSER_ERROR, code);
  /* Ten times what it takes under ASan. */
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_USEC_PER_SEC);
}

static void
test_garbage_64mb_bounded (void)
{
  check_fast ("x", 64 * 1024 * 1024, '\xff', NOT_A_PLAYLIST);
  check_fast (HEAD, 64 * 1024 * 1024, 'x', TRUNCATED);
}

/* ---- read ---- */

static void
test_full_read (void)
{
  static const gchar text[] =
      "#EXTM3U\n#EXT-X-VERSION:6\n"
      "#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:41\n"
      "#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
      "#EXT-X-INDEPENDENT-SEGMENTS\n# a comment\n"
      "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:46:04.509Z\n"
      "#EXTINF:5.96,title, with comma\na.ts\n"
      "#EXT-X-CUE-OUT:30\n#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n"
      "#EXTINF:1.9600000381469727,\nb c.ts\n\n# end\n"
      "#EXT-X-ENDLIST\n# behind\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsPlaylistParsed) p = parse (text, strlen (text), &error);
  g_autoptr (AmsPlaylistIter) segments = NULL;
  const AmsPlaylistParsedSegment *s;
  g_autofree gchar *uri = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (p->version, ==, 6);
  g_assert_cmpuint (p->target_duration, ==, 6);
  g_assert_cmpuint (p->media_sequence, ==, 41);
  g_assert_cmpuint (p->discontinuity_sequence, ==, 3);
  g_assert_true (p->has_type && p->type == AMS_PLAYLIST_EVENT);
  g_assert_true (p->ended && p->independent);
  g_assert_false (p->encrypted || p->has_map);
  g_assert_cmpuint (p->n_segments, ==, 2);
  segments = ams_playlist_iter_new (p, 0);
  s = ams_playlist_iter_next (segments);
  g_assert_cmpuint (s->duration, ==, 5960000000);
  g_assert_cmpint (s->date_time, ==, 1795344364509000);
  g_assert_true (g_str_has_prefix (text + s->start, "#EXT-X-PROGRAM-"));
  g_assert_cmpuint (s->start, ==, p->header_end);
  s = ams_playlist_iter_next (segments);
  g_assert_cmpuint (s->duration, ==, 1960000038);
  g_assert_true (s->discontinuity && s->gap && s->date_time == 0);
  g_assert_true (g_str_has_prefix (text + s->start, "#EXT-X-CUE-OUT"));
  g_assert_true (g_str_has_prefix (text + s->end, "\n# end"));
  uri = ams_playlist_parsed_dup_uri (p, s);
  g_assert_null (ams_playlist_iter_next (segments));
  g_assert_cmpstr (uri, ==, "b c.ts");
  g_assert_true (g_str_has_prefix (text + p->body_end, "#EXT-X-ENDLIST"));
  g_assert_cmpstr (text + p->tail_start, ==, "# behind\n");
  g_assert_cmpint (p->end_date, ==, 1795344364509000 + 5960000 + 1960000);
}

static void
test_crlf_read (void)
{
  static const gchar text[] = "#EXTM3U\r\n#EXT-X-TARGETDURATION:6\r\n"
                              "#EXTINF:6.0,\r\na.ts\r\n\r\n#EXT-X-ENDLIST\r\n";
  g_autoptr (AmsPlaylistParsed) p = parse (text, strlen (text), NULL);
  g_autofree gchar *uri = NULL;

  g_assert_nonnull (p);
  g_assert_cmpuint (p->version, ==, 1);
  g_assert_true (p->ended && !p->has_type && p->type == AMS_PLAYLIST_LIVE);
  uri = ams_playlist_parsed_dup_uri (p, &p->last);
  g_assert_cmpstr (uri, ==, "a.ts");
}

/* As hlssink2 leaves it. */
static void
test_endlist_without_newline_read (void)
{
  static const gchar text[] = HEAD SEGMENT "#EXT-X-ENDLIST";
  g_autoptr (AmsPlaylistParsed) p = parse (text, strlen (text), NULL);

  g_assert_nonnull (p);
  g_assert_true (p->ended);
  g_assert_cmpuint (p->tail_start, ==, strlen (text));
}

static void
test_no_segments_read (void)
{
  g_autoptr (AmsPlaylistParsed) p = parse (HEAD, strlen (HEAD), NULL);

  g_assert_nonnull (p);
  g_assert_cmpuint (p->n_segments, ==, 0);
  g_assert_cmpuint (p->header_end, ==, strlen (HEAD));
  g_assert_cmpint (p->end_date, ==, 0);
}

static void
test_key_and_map_read (void)
{
  static const gchar text[] =
      HEAD "#EXT-X-MAP:URI=\"i.mp4\"\n"
           "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" SEGMENT;
  g_autoptr (AmsPlaylistParsed) p = parse (text, strlen (text), NULL);

  g_assert_nonnull (p);
  g_assert_true (p->encrypted && p->has_map);
}

typedef struct
{
  const gchar *name;
  const gchar *text;
  gint64 date_time;
} Date;

static const Date dates[] = {
  { "utc", "2026-11-22T10:46:04.509Z", 1795344364509000 },
  { "offset", "2026-11-22T11:46:04.509+01:00", 1795344364509000 },
  { "ffmpeg-offset", "2026-11-22T05:16:04.509-0530", 1795344364509000 },
  { "short-offset", "2026-11-22T11:46:04.509+01", 1795344364509000 },
  { "no-fraction", "2026-11-22T10:46:04Z", 1795344364000000 },
  { "long-fraction", "2026-11-22T10:46:04.509999999Z", 1795344364509999 },
  { "no-zone", "2026-11-22T10:46:04.509", 0 },
  { "before-1970", "1969-12-31T23:59:59.5Z", -500000 },
  { "year-1", "0001-01-01T00:00:00Z", -62135596800000000 },
  { "leap-day", "2024-02-29T00:00:00Z", 1709164800000000 },
};

static void
test_date_read (gconstpointer data)
{
  const Date *c = data;
  g_autofree gchar *text =
      g_strdup_printf (HEAD "#EXT-X-PROGRAM-DATE-TIME:%s\n" SEGMENT, c->text);
  g_autoptr (AmsPlaylistParsed) p = parse (text, strlen (text), NULL);

  g_assert_nonnull (p);
  g_assert_cmpint (p->last.date_time, ==, c->date_time);
}

/* Wherever it is cut, nothing is read that was not there. */
static void
test_every_cut_consistent (void)
{
  static const gchar text[] =
      HEAD "#EXT-X-DISCONTINUITY\n" SEGMENT
           "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:46:04.509Z\n" SEGMENT
           "#EXT-X-ENDLIST\n";
  gsize len;

  for (len = 0; len < strlen (text); len++) {
    g_autoptr (AmsPlaylistParsed) p = parse (text, len, NULL);

    if (p != NULL)
      g_assert_true (
          text[len - 1] == '\n' || g_str_has_suffix (text, "ENDLIST\n"));
    if (p != NULL && p->n_segments > 0)
      g_assert_cmpuint (p->last.end, <=, len);
  }
}

#define ADD_TABLE(table, subject, suffix, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = \
        g_strconcat (subject, table[i].name, suffix, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

/* ---- segments ---- */

static void
test_iter_from_anywhere_same_segments (void)
{
  g_autoptr (GString) text = g_string_new (HEAD);
  static const guint firsts[] = { 0, 1, 1023, 1024, 1025, 2047, 2048, 4999,
    5000 };
  g_autoptr (AmsPlaylistParsed) p = NULL;
  guint i;

  for (i = 0; i < 5000; i++)
    g_string_append_printf (text, "#EXT-X-CUE:%u\n#EXTINF:%u.5,\n%u.ts\n", i,
        i % 6, i);
  p = parse (text->str, text->len, NULL);
  g_assert_nonnull (p);
  g_assert_cmpuint (p->n_segments, ==, 5000);
  for (i = 0; i < G_N_ELEMENTS (firsts); i++) {
    g_autoptr (AmsPlaylistIter) iter = ams_playlist_iter_new (p, firsts[i]);
    const AmsPlaylistParsedSegment *segment;
    guint at;

    for (at = firsts[i]; (segment = ams_playlist_iter_next (iter)); at++) {
      g_autofree gchar *uri = ams_playlist_parsed_dup_uri (p, segment);
      g_autofree gchar *expected = g_strdup_printf ("%u.ts", at);
      g_autofree gchar *cue = g_strdup_printf ("#EXT-X-CUE:%u\n", at);

      g_assert_cmpstr (uri, ==, expected);
      g_assert_cmpuint (segment->duration, ==,
          at % 6 * G_GUINT64_CONSTANT (1000000000) + 500000000);
      g_assert_true (g_str_has_prefix (text->str + segment->start, cue));
    }
    g_assert_cmpuint (at, ==, 5000);
  }
}

/* More than 2^64 ns: a sum that wrapped would be a short one. */
static void
test_endless_sum_saturates (void)
{
  g_autoptr (GString) text = g_string_new (HEAD);
  g_autoptr (AmsPlaylistParsed) p = NULL;
  guint i;

  for (i = 0; i < 220000; i++)
    g_string_append (text, "#EXTINF:86400,\na\n");
  p = parse (text->str, text->len, NULL);
  g_assert_nonnull (p);
  g_assert_cmpuint (p->duration, ==, G_MAXUINT64);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (refused, "/playlist-parse/", "", test_refused);
  ADD_TABLE (dates, "/playlist-parse/date-", "/read", test_date_read);
  g_test_add_func ("/playlist-parse/error/names-line-and-tag",
      test_error_names_line_and_tag);
  g_test_add_func ("/playlist-parse/nul/not-a-playlist",
      test_nul_not_a_playlist);
  g_test_add_func ("/playlist-parse/long-line/invalid",
      test_line_too_long_invalid);
  g_test_add_func ("/playlist-parse/64mb/bounded", test_garbage_64mb_bounded);
  g_test_add_func ("/playlist-parse/full/read", test_full_read);
  g_test_add_func ("/playlist-parse/crlf/read", test_crlf_read);
  g_test_add_func ("/playlist-parse/endlist-without-newline/read",
      test_endlist_without_newline_read);
  g_test_add_func ("/playlist-parse/no-segments/read", test_no_segments_read);
  g_test_add_func ("/playlist-parse/key-and-map/read", test_key_and_map_read);
  g_test_add_func ("/playlist-parse/every-cut/consistent",
      test_every_cut_consistent);
  g_test_add_func ("/playlist-parse/iter/from-anywhere-same-segments",
      test_iter_from_anywhere_same_segments);
  g_test_add_func ("/playlist-parse/endless-sum/saturates",
      test_endless_sum_saturates);
  return g_test_run ();
}
