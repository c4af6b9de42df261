/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <string.h>

#include "playlist/amsiframes.h"

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)
#define DATE G_GINT64_CONSTANT (1795344364509000)

static gchar *
render (AmsIframes *iframes)
{
  guint64 extends;
  g_autoptr (GPtrArray) pieces =
      ams_playlist_render (ams_iframes_get_playlist (iframes), &extends);
  g_autoptr (GBytes) text = ams_playlist_join (pieces);

  return g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
}

static void
assert_text (AmsIframes *iframes, const gchar *expected)
{
  g_autofree gchar *text = render (iframes);

  g_assert_cmpstr (text, ==, expected);
}

/* Adds a segment of 4 s with a picture of 1000 bytes each @interval, the first at
 * byte 376, behind PAT and PMT. */
static void
add_segment (AmsIframes *iframes, guint number, guint n, gint64 interval)
{
  g_autofree gchar *uri = g_strdup_printf ("s%u.ts", number);
  const AmsPlaylistSegment segment = { .uri = uri, .duration = 4 * SECOND };
  const gint64 start = number * 4 * SECOND;
  AmsIframe pictures[4];

  for (guint i = 0; i < n; i++)
    pictures[i] = (AmsIframe){ 376 + i * 5000, 1000 + i, start + i * interval };
  ams_iframes_add (iframes, &segment, start, pictures, n);
}

#define HEADER \
  "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n" \
  "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-I-FRAMES-ONLY\n"
#define LIVE_HEADER(sequence, discontinuities) \
  "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n" \
  "#EXT-X-MEDIA-SEQUENCE:" sequence \
  "\n#EXT-X-DISCONTINUITY-SEQUENCE:" discontinuities \
  "\n#EXT-X-I-FRAMES-ONLY\n"
#define PICTURE(duration, range, uri) \
  "#EXTINF:" duration ",\n#EXT-X-BYTERANGE:" range "\n" uri "\n"
#define GAP(duration, uri) "#EXT-X-GAP\n#EXTINF:" duration ",\n" uri "\n"

static void
test_each_picture_to_the_next (void)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);

  add_segment (iframes, 0, 2, 1500 * MS);
  add_segment (iframes, 1, 1, 0);
  ams_playlist_end (ams_iframes_get_playlist (iframes));
  assert_text (iframes,
      HEADER PICTURE ("1.500000", "1000@376", "s0.ts")
          PICTURE ("2.500000", "1001@5376", "s0.ts")
              PICTURE ("4.000000", "1000@376", "s1.ts") "#EXT-X-ENDLIST\n");
}

/* An open GOP, a join: the segment does not begin with a picture at which
 * decoding can begin. */
static void
test_picture_behind_the_beginning (void)
{
  static const AmsIframe pictures[] = { { 9000, 500, 1 * SECOND },
    { 20000, 600, 3 * SECOND } };
  const AmsPlaylistSegment segment = { .uri = (gchar *) "a.ts",
    .duration = 4 * SECOND };
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);

  ams_iframes_add (iframes, &segment, 0, pictures, 2);
  assert_text (iframes,
      HEADER PICTURE ("3.000000", "500@9000", "a.ts")
          PICTURE ("1.000000", "600@20000", "a.ts"));
}

/* Times that step back or lie outside, as damaged streams have them. */
static void
test_pictures_out_of_order_are_left_out (void)
{
  static const AmsIframe pictures[] = { { 1, 10, 0 }, { 2, 20, 0 },
    { 3, 30, -1 * SECOND }, { 4, 40, 1 * SECOND }, { 5, 50, 1 * SECOND },
    { 6, 60, 4 * SECOND }, { 7, 70, 9 * SECOND } };
  const AmsPlaylistSegment segment = { .uri = (gchar *) "a.ts",
    .duration = 4 * SECOND };
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);

  ams_iframes_add (iframes, &segment, 0, pictures, G_N_ELEMENTS (pictures));
  assert_text (iframes,
      HEADER PICTURE ("1.000000", "10@1", "a.ts")
          PICTURE ("3.000000", "40@4", "a.ts"));
}

static void
test_date_and_discontinuity_are_said_once (void)
{
  static const AmsIframe pictures[] = { { 376, 500, 0 },
    { 20000, 600, 2 * SECOND } };
  const AmsPlaylistSegment segment = { .uri = (gchar *) "a.ts",
    .duration = 4 * SECOND,
    .date_time = DATE,
    .discontinuity = TRUE };
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);

  ams_iframes_add (iframes, &segment, 0, pictures, 2);
  assert_text (iframes,
      HEADER "#EXT-X-DISCONTINUITY\n"
             "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:46:04.509Z\n" PICTURE (
                 "2.000000", "500@376", "a.ts")
                 PICTURE ("2.000000", "600@20000", "a.ts"));
}

static void
test_segments_without_pictures_are_gaps (void)
{
  const AmsPlaylistSegment gap = { .uri = (gchar *) "s1.ts",
    .duration = 4 * SECOND,
    .gap = TRUE };
  static const AmsIframe picture = { 376, 1000, 4 * SECOND };
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);

  add_segment (iframes, 0, 0, 0);
  ams_iframes_add (iframes, &gap, 4 * SECOND, &picture, 1);
  add_segment (iframes, 2, 1, 0);
  assert_text (iframes,
      HEADER GAP ("4.000000", "s0.ts") GAP ("4.000000", "s1.ts")
          PICTURE ("4.000000", "1000@376", "s2.ts"));
}

static void
test_map_is_said_where_it_changes (void)
{
  static const gchar *const maps[] = { "a.mp4", "a.mp4", "b.mp4" };
  static const AmsIframe pictures[] = { { 0, 500, 0 },
    { 20000, 600, 2 * SECOND } };
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);

  for (guint i = 0; i < G_N_ELEMENTS (maps); i++) {
    g_autofree gchar *uri = g_strdup_printf ("s%u.m4s", i);
    const AmsPlaylistSegment segment = { .uri = uri,
      .duration = 4 * SECOND,
      .map = maps[i] };

    ams_iframes_add (iframes, &segment, 0, pictures, 2);
  }
  assert_text (iframes,
      "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:4\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
      "#EXT-X-I-FRAMES-ONLY\n"
      "#EXT-X-MAP:URI=\"a.mp4\"\n" PICTURE ("2.000000", "500@0", "s0.m4s")
          PICTURE ("2.000000", "600@20000", "s0.m4s") PICTURE ("2.000000",
              "500@0", "s1.m4s") PICTURE ("2.000000", "600@20000",
              "s1.m4s") "#EXT-X-MAP:URI=\"b.mp4\"\n" PICTURE ("2.000000",
              "500@0", "s2.m4s") PICTURE ("2.000000", "600@20000", "s2.m4s"));
}

static void
test_slides_by_segments (void)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_LIVE, 4);
  const AmsPlaylistSegment gap = { .uri = (gchar *) "s2.ts",
    .duration = 4 * SECOND,
    .gap = TRUE,
    .discontinuity = TRUE };

  add_segment (iframes, 0, 3, 1 * SECOND);
  add_segment (iframes, 1, 2, 1 * SECOND);
  ams_iframes_add (iframes, &gap, 8 * SECOND, NULL, 0);
  add_segment (iframes, 3, 1, 0);
  ams_iframes_slide (iframes, 1);
  assert_text (iframes,
      LIVE_HEADER ("3", "0") PICTURE ("1.000000", "1000@376", "s1.ts")
          PICTURE ("3.000000", "1001@5376",
              "s1.ts") "#EXT-X-DISCONTINUITY\n" GAP ("4.000000", "s2.ts")
              PICTURE ("4.000000", "1000@376", "s3.ts"));
  ams_iframes_slide (iframes, 2);
  assert_text (iframes,
      LIVE_HEADER ("6", "1") PICTURE ("4.000000", "1000@376", "s3.ts"));
  ams_iframes_slide (iframes, 2);
  assert_text (iframes, LIVE_HEADER ("7", "1"));
}

/* The window's first segment leaves, and its map still holds. */
static void
test_map_outlives_its_segment (void)
{
  static const AmsIframe picture = { 0, 500, 0 };
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_LIVE, 4);
  g_autofree gchar *text = NULL;

  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *uri = g_strdup_printf ("s%u.m4s", i);
    const AmsPlaylistSegment segment = { .uri = uri,
      .duration = 4 * SECOND,
      .map = "a.mp4" };

    ams_iframes_add (iframes, &segment, 0, &picture, 1);
  }
  ams_iframes_slide (iframes, 1);
  text = render (iframes);
  g_assert_null (strstr (text, "s0.m4s"));
  g_assert_nonnull (strstr (text,
      "#EXT-X-MAP:URI=\"a.mp4\"\n#EXTINF:4.000000,\n"
      "#EXT-X-BYTERANGE:500@0\ns1.m4s\n"));
}

/* A segment that a store has given up takes all its pictures with it, and no
 * other's. */
static void
check_gap_and_name (AmsPlaylistType type, const gchar *header)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (type, 4);
  AmsPlaylist *playlist = ams_iframes_get_playlist (iframes);
  g_autofree gchar *expected = g_strconcat (header,
      PICTURE ("4.000000", "1000@376", "s0.ts") "#EXT-X-GAP\n" PICTURE (
          "1.000000", "1000@376", "s1.ts") "#EXT-X-GAP\n" PICTURE ("3.000000",
          "1001@5376", "s1.ts") PICTURE ("1.000000", "1000@376", "s2-a.ts")
          PICTURE ("1.000000", "1001@5376", "s2-a.ts")
              PICTURE ("2.000000", "1002@10376", "s2-a.ts")
                  PICTURE ("4.000000", "1000@376", "s3.ts"),
      NULL);

  add_segment (iframes, 0, 1, 0);
  add_segment (iframes, 1, 2, 1 * SECOND);
  add_segment (iframes, 2, 3, 1 * SECOND);
  add_segment (iframes, 3, 1, 0);
  g_assert_true (ams_playlist_mark_gap (playlist, "s1.ts"));
  g_assert_true (ams_playlist_mark_gap (playlist, "s1.ts"));
  g_assert_true (ams_playlist_rename (playlist, "s2.ts", "s2-a.ts"));
  g_assert_false (ams_playlist_mark_gap (playlist, "s9.ts"));
  g_assert_false (ams_playlist_rename (playlist, "s2.ts", "s2-b.ts"));
  assert_text (iframes, expected);
}

static void
test_gaps_and_names (void)
{
  check_gap_and_name (AMS_PLAYLIST_EVENT, HEADER);
  check_gap_and_name (AMS_PLAYLIST_LIVE, LIVE_HEADER ("0", "0"));
}

/* A store on disk appends what is new. */
static void
test_grows_at_the_end (void)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);
  g_autofree gchar *before = NULL, *after = NULL;
  g_autoptr (GPtrArray) pieces = NULL;
  guint64 extends;

  for (guint i = 0; i < 100; i++)
    add_segment (iframes, i, 2, 2 * SECOND);
  before = render (iframes);
  add_segment (iframes, 100, 2, 2 * SECOND);
  pieces = ams_playlist_render (ams_iframes_get_playlist (iframes), &extends);
  g_assert_cmpuint (extends, ==, strlen (before));
  after = render (iframes);
  g_assert_true (g_str_has_prefix (after, before));
}

/* Thirds of a second are no whole microseconds: the sum is right all the same. */
static void
test_durations_add_up (void)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 1);
  const AmsPlaylistSegment segment = { .uri = (gchar *) "a.ts",
    .duration = SECOND };
  gdouble sum = 0;
  g_autofree gchar *text = NULL;

  for (guint i = 0; i < 300; i++) {
    const AmsIframe pictures[] = { { 0, 1, 0 }, { 1, 1, SECOND / 3 },
      { 2, 1, 2 * SECOND / 3 } };

    ams_iframes_add (iframes, &segment, 0, pictures, 3);
  }
  text = render (iframes);
  for (const gchar *p = text; (p = strstr (p, "#EXTINF:")); p++)
    sum += g_ascii_strtod (p + strlen ("#EXTINF:"), NULL);
  g_assert_cmpfloat_with_epsilon (sum, 300, 2e-6);
}

static void
test_target_is_that_of_the_video (void)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);
  AmsPlaylist *playlist = ams_iframes_get_playlist (iframes);
  g_autofree gchar *text = NULL;

  add_segment (iframes, 0, 2, 2 * SECOND);
  ams_playlist_raise_target_duration (playlist, 6);
  ams_playlist_raise_target_duration (playlist, 5);
  g_assert_cmpuint (ams_playlist_get_target_duration (playlist), ==, 6);
  text = render (iframes);
  g_assert_nonnull (strstr (text, "#EXT-X-TARGETDURATION:6\n"));
}

static void
test_rates (void)
{
  g_autoptr (AmsIframes) iframes = ams_iframes_new (AMS_PLAYLIST_EVENT, 4);
  const AmsPlaylistSegment gap = { .uri = (gchar *) "s2.ts",
    .duration = 4 * SECOND,
    .gap = TRUE };
  const AmsPlaylistSegment last = { .uri = (gchar *) "s3.ts",
    .duration = SECOND };
  static const AmsIframe large = { 376, 10000, 0 };
  AmsBitRates rates;

  add_segment (iframes, 0, 2, 2 * SECOND); /* 1000 and 1001 bytes */
  add_segment (iframes, 1, 1, 0); /* 1000 bytes in 4 s */
  rates = ams_iframes_get_rates (iframes);
  g_assert_cmpuint (rates.peak, ==, 4004);
  g_assert_cmpuint (rates.average, ==, 3001);
  /* A second alone is too short to be a peak. */
  ams_iframes_add (iframes, &gap, 0, NULL, 0);
  ams_iframes_add (iframes, &last, 0, &large, 1);
  g_assert_cmpuint (ams_iframes_get_rates (iframes).peak, ==, 4004);
}

/* Of a playlist of whole segments. */
static void
test_versions_of_other_playlists (void)
{
  g_autoptr (AmsPlaylist) playlist =
      ams_playlist_new (AMS_PLAYLIST_EVENT, 4, 0, FALSE);
  const AmsPlaylistSegment range = { .uri = (gchar *) "a",
    .duration = SECOND,
    .range_offset = 0,
    .range_size = 10 };
  const AmsPlaylistSegment map = { .uri = (gchar *) "b",
    .duration = SECOND,
    .map = "m" };
  g_autoptr (GPtrArray) first = NULL, second = NULL;
  g_autoptr (GBytes) early = NULL, late = NULL;
  guint64 extends;

  ams_playlist_add (playlist, &range);
  first = ams_playlist_render (playlist, &extends);
  early = ams_playlist_join (first);
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (early, NULL),
      g_bytes_get_size (early), "VERSION:4\n"));
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (early, NULL),
      g_bytes_get_size (early), "#EXT-X-BYTERANGE:10@0\na\n"));
  ams_playlist_add (playlist, &map);
  second = ams_playlist_render (playlist, &extends);
  late = ams_playlist_join (second);
  g_assert_cmpuint (extends, ==, 0);
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (late, NULL),
      g_bytes_get_size (late), "VERSION:6\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/iframes/next", test_each_picture_to_the_next);
  g_test_add_func ("/iframes/late", test_picture_behind_the_beginning);
  g_test_add_func ("/iframes/order", test_pictures_out_of_order_are_left_out);
  g_test_add_func ("/iframes/once", test_date_and_discontinuity_are_said_once);
  g_test_add_func ("/iframes/gaps", test_segments_without_pictures_are_gaps);
  g_test_add_func ("/iframes/map", test_map_is_said_where_it_changes);
  g_test_add_func ("/iframes/slide", test_slides_by_segments);
  g_test_add_func ("/iframes/map-stays", test_map_outlives_its_segment);
  g_test_add_func ("/iframes/marked", test_gaps_and_names);
  g_test_add_func ("/iframes/grows", test_grows_at_the_end);
  g_test_add_func ("/iframes/sum", test_durations_add_up);
  g_test_add_func ("/iframes/target", test_target_is_that_of_the_video);
  g_test_add_func ("/iframes/rates", test_rates);
  g_test_add_func ("/iframes/versions", test_versions_of_other_playlists);
  return g_test_run ();
}
