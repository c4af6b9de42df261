/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "playlist/amsnames.h"

static GDateTime *
make_date (void)
{
  g_autoptr (GDateTime) whole = g_date_time_new_utc (2026, 11, 22, 10, 46, 4);

  return g_date_time_add (whole, 509000);
}

/* ---- templates that are refused ---- */

typedef struct
{
  const gchar *name;
  const gchar *template_;
  AmsNamesKind kind;
  AmsNamesError code;
} Refused;

static const Refused refused[] = {
  { "no-number/not-unique", "a.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_NOT_UNIQUE },
  { "empty/not-unique", "", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_NOT_UNIQUE },
  { "session-only/not-unique", "{session:%Y%m%d%H%M%S%L}.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_NOT_UNIQUE },
  { "whole-seconds/not-unique", "{segment:%Y%m%d%H%M%S}.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_NOT_UNIQUE },
  { "time-without-date/not-unique", "{segment:%H%M%S%L}.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_NOT_UNIQUE },
  { "twelve-hours/not-unique", "{segment:%F_%I%M%S%L}.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_NOT_UNIQUE },
  { "two-numbers/syntax", "%d-%05d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "string/syntax", "%s.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "write/syntax", "%d%n.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "star/syntax", "%*d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "plus/syntax", "%+d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "position/syntax", "%1$d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "precision/syntax", "%.5d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "huge-width/syntax", "%99999d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "width-21/syntax", "%021d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "width-00/syntax", "%00d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "percent-at-end/syntax", "a%", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "conversion-unfinished/syntax", "a%05l", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "unknown-brace/syntax", "{stream:%Y}%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "open-brace/syntax", "{segment:%Y%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "lone-brace/syntax", "%d}.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "empty-format/syntax", "{segment:}%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "bad-format/syntax", "{segment:%Q}%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "format-ends-early/syntax", "{segment:%}%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "format-makes-slash/syntax", "{segment:%D}%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_SYNTAX },
  { "format-makes-newline/escapes", "{segment:%n}%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_ESCAPES },
  { "not-utf8/syntax", "\xff%d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_SYNTAX },
  { "absolute/escapes", "/tmp/%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_ESCAPES },
  { "parent/escapes", "../%d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_ESCAPES },
  { "parent-inside/escapes", "a/../%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_ESCAPES },
  { "parent-in-format/escapes", "{session:..}/%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_ESCAPES },
  { "here/escapes", "./%d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_ESCAPES },
  { "double-slash/escapes", "a//%d.ts", AMS_NAMES_SEGMENT,
      AMS_NAMES_ERROR_ESCAPES },
  { "folder/escapes", "a%d/", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_ESCAPES },
  { "control/escapes", "a\n%d.ts", AMS_NAMES_SEGMENT, AMS_NAMES_ERROR_ESCAPES },
  { "playlist-empty/escapes", "", AMS_NAMES_PLAYLIST, AMS_NAMES_ERROR_ESCAPES },
  { "playlist-number/syntax", "%d.m3u8", AMS_NAMES_PLAYLIST,
      AMS_NAMES_ERROR_SYNTAX },
  { "playlist-segment/syntax", "{segment:%Y}.m3u8", AMS_NAMES_PLAYLIST,
      AMS_NAMES_ERROR_SYNTAX },
};

static void
test_refused (gconstpointer data)
{
  const Refused *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsNames) names =
      ams_names_new (c->template_, c->kind, FALSE, &error);

  g_assert_null (names);
  g_assert_error (error, AMS_NAMES_ERROR, (gint) c->code);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

/* ---- templates and what they make ---- */

typedef struct
{
  const gchar *name;
  const gchar *template_;
  AmsNamesKind kind;
  gboolean add_date_time;
  guint64 number;
  const gchar *expected;
  const gchar *prefix;
} Made;

#define DATE "2026-11-22_10-46-04.509"

static const Made made[] = {
  { "plain", "%d.ts", AMS_NAMES_SEGMENT, FALSE, 7, "7.ts", "" },
  { "zeros", "cam1/%05d.ts", AMS_NAMES_SEGMENT, FALSE, 12, "cam1/00012.ts",
      "cam1/" },
  { "wider-than-width", "%05d.ts", AMS_NAMES_SEGMENT, FALSE, 123456,
      "123456.ts", "" },
  { "64-bits", "%d.ts", AMS_NAMES_SEGMENT, FALSE, G_MAXUINT64,
      "18446744073709551615.ts", "" },
  { "blanks", "%5u.ts", AMS_NAMES_SEGMENT, FALSE, 12, "   12.ts", "" },
  { "length-letters", "%05llu.ts", AMS_NAMES_SEGMENT, FALSE, 12, "00012.ts",
      "" },
  { "length-j", "%ji.ts", AMS_NAMES_SEGMENT, FALSE, 12, "12.ts", "" },
  { "escapes", "100%%{{x}}%d.ts", AMS_NAMES_SEGMENT, FALSE, 1, "100%{x}1.ts",
      "100%{x}" },
  { "dates", "{segment:%Y-%m-%d}/{segment:%H-%M-%S.%L}-%05d.ts",
      AMS_NAMES_SEGMENT, FALSE, 3, "2026-11-22/10-46-04.509-00003.ts", "" },
  { "no-number-ms", "x{segment:%Y-%m-%d}/{segment:%H-%M-%S.%L}.ts",
      AMS_NAMES_SEGMENT, FALSE, 3, "x2026-11-22/10-46-04.509.ts", "x" },
  { "no-number-unix", "{segment:%s.%f}.ts", AMS_NAMES_SEGMENT, FALSE, 3,
      "1795344364.509000.ts", "" },
  { "composites", "{segment:%F/%T.%L}.ts", AMS_NAMES_SEGMENT, FALSE, 3,
      "2026-11-22/10:46:04.509.ts", "" },
  { "percent-in-format", "{session:%%L%L}-%d.ts", AMS_NAMES_SEGMENT, FALSE, 3,
      "%L509-3.ts", "%L" },
  { "playlist", "cam/{session:%H}.m3u8", AMS_NAMES_PLAYLIST, FALSE, 0,
      "cam/10.m3u8", "cam/" },
  { "utf8", "kamera-ä/%d.ts", AMS_NAMES_SEGMENT, FALSE, 1, "kamera-ä/1.ts",
      "kamera-ä/" },
  { "dated-segment", "cam1-%05d.ts", AMS_NAMES_SEGMENT, TRUE, 1,
      "cam1-" DATE "-00001.ts", "cam1-" },
  { "dated-no-separator", "cam1%05d.ts", AMS_NAMES_SEGMENT, TRUE, 1,
      "cam1-" DATE "-00001.ts", "cam1-" },
  { "dated-number-only", "hls/%05d.ts", AMS_NAMES_SEGMENT, TRUE, 1,
      "hls/" DATE "-00001.ts", "hls/" },
  { "dated-folder-number", "%02d/seg.ts", AMS_NAMES_SEGMENT, TRUE, 1,
      "01/seg-" DATE ".ts", "" },
  { "dated-playlist", "cam1.m3u8", AMS_NAMES_PLAYLIST, TRUE, 0,
      "cam1-" DATE ".m3u8", "cam1-" },
  { "dated-folder-dot", "a.b/cam1", AMS_NAMES_PLAYLIST, TRUE, 0,
      "a.b/cam1-" DATE, "a.b/cam1-" },
  { "dated-dot-in-brace", "{session:%H.%M}.m3u8", AMS_NAMES_PLAYLIST, TRUE, 0,
      "10.46-" DATE ".m3u8", "" },
};

static void
test_made (gconstpointer data)
{
  const Made *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDateTime) date = make_date ();
  g_autoptr (AmsNames) names =
      ams_names_new (c->template_, c->kind, c->add_date_time, &error);
  g_autofree gchar *name = NULL;
  guint64 number;

  g_assert_no_error (error);
  name = ams_names_format (names, c->number, date, date, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (name, ==, c->expected);
  g_assert_cmpstr (ams_names_prefix (names), ==, c->prefix);
  g_assert_true (ams_names_match (names, name, &number));
  g_assert_cmpuint (number, ==, ams_names_has_number (names) ? c->number : 0);
}

/* ---- recognising ---- */

typedef struct
{
  const gchar *name;
  const gchar *template_;
  const gchar *candidate;
  gint64 number; /* -1: no match */
} Match;

static const Match matches[] = {
  { "padded/number", "%05d.ts", "00012.ts", 12 },
  { "zero/number", "%05d.ts", "00000.ts", 0 },
  { "wider/number", "%05d.ts", "123456.ts", 123456 },
  { "too-narrow/refused", "%05d.ts", "12.ts", -1 },
  { "wider-with-zero/refused", "%05d.ts", "012345.ts", -1 },
  { "plain-with-zero/refused", "%d.ts", "01.ts", -1 },
  { "plain-zero/number", "%d.ts", "0.ts", 0 },
  { "blanks/number", "%4d.ts", "  12.ts", 12 },
  { "blanks-too-many/refused", "%4d.ts", "   12.ts", -1 },
  { "blanks-only/refused", "%4d.ts", "    .ts", -1 },
  { "negative/refused", "%d.ts", "-1.ts", -1 },
  { "beyond-64-bits/refused", "%d.ts", "18446744073709551616.ts", -1 },
  { "suffix/refused", "%05d.ts", "00012.ts.part", -1 },
  { "prefix/refused", "%05d.ts", "x00012.ts", -1 },
  { "empty/refused", "%05d.ts", "", -1 },
  { "parent/refused", "{session:%Z}/%d.ts", "../1.ts", -1 },
  { "date/number", "{session:%Y-%m-%d}/%d.ts", "2025-01-31/4.ts", 4 },
  { "date-short/refused", "{session:%Y-%m-%d}/%d.ts", "2025-1-31/4.ts", -1 },
  { "date-beside-number/number", "{session:%H}%d.ts", "1234.ts", 34 },
  { "name-of-month/number", "{session:%B}-%d.ts", "Mai-7.ts", 7 },
  { "name-of-month-slash/refused", "{session:%B}-%d.ts", "Mai/x-7.ts", -1 },
  { "ambiguous/highest", "{session:%B}%d.ts", "Mai123.ts", 123 },
  { "behind-number/number", "%d-{segment:%B.%L}x.ts", "5-a-b.123x.ts", 5 },
};

static void
test_match (gconstpointer data)
{
  const Match *c = data;
  g_autoptr (AmsNames) names =
      ams_names_new (c->template_, AMS_NAMES_SEGMENT, FALSE, NULL);
  guint64 number;

  g_assert_nonnull (names);
  g_assert_cmpint (ams_names_match (names, c->candidate, &number), ==,
      c->number >= 0);
  if (c->number >= 0)
    g_assert_cmpuint (number, ==, c->number);
}

/* Many places at which it could be split: backtracking would not come back. */
static void
test_match_ambiguous_fast (void)
{
  g_autoptr (AmsNames) names = ams_names_new ("{session:%B%b%A%a%B%b%A%a%B%b}"
                                              "x{session:%B%b%A%a%B%b}-%d.ts",
      AMS_NAMES_SEGMENT, FALSE, NULL);
  g_autofree gchar *name = g_strnfill (1000, 'x');
  guint64 number;
  gint64 start = g_get_monotonic_time ();

  g_assert_nonnull (names);
  g_assert_false (ams_names_match (names, name, &number));
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
}

static void
test_format_too_long_escapes (void)
{
  g_autofree gchar *text = g_strnfill (1020, 'a');
  g_autofree gchar *template_ = g_strconcat (text, "%d", NULL);
  g_autoptr (AmsNames) names =
      ams_names_new (template_, AMS_NAMES_SEGMENT, FALSE, NULL);
  g_autoptr (GDateTime) date = make_date ();
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (names);
  g_assert_null (ams_names_format (names, 123456, date, date, &error));
  g_assert_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_ESCAPES);
}

static void
test_segment_many_unique (void)
{
  g_autoptr (AmsNames) names =
      ams_names_new ("{segment:%Y-%m-%d}/{segment:%H-%M-%S.%L}.ts",
          AMS_NAMES_SEGMENT, FALSE, NULL);
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GDateTime) session = make_date ();
  guint i;

  for (i = 0; i < 3000; i++) {
    g_autoptr (GDateTime) date = g_date_time_add (session,
        i * G_GINT64_CONSTANT (86399001000) / 7 / 1000 * 1000);

    g_assert_true (g_hash_table_add (seen,
        ams_names_format (names, i, session, date, NULL)));
  }
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

/* ---- what the names of a session have in common ---- */

typedef struct
{
  const gchar *name, *template_;
  gboolean add_date_time;
  const gchar *family;
} Family;

static const Family families[] = {
  { "number", "a/cam1-%05d.ts", FALSE, "a/cam1-_.ts" },
  { "width-does-not-matter", "a/cam1-%d.ts", FALSE, "a/cam1-_.ts" },
  { "session-stays", "{session:%F}/%d.ts", FALSE, "2026-11-22/_.ts" },
  { "segment-goes", "x/{segment:%Y}/%d.ts", FALSE, "x/___.ts" },
  { "underscore-is-one", "a_b/c_%d.ts", FALSE, "a_b/c__.ts" },
  { "date-time", "cam1-%05d.ts", TRUE, "cam1-2026-11-22_10-46-04.509-_.ts" },
};

static void
test_family (gconstpointer data)
{
  const Family *t = data;
  g_autoptr (AmsNames) names =
      ams_names_new (t->template_, AMS_NAMES_SEGMENT, t->add_date_time, NULL);
  g_autoptr (GDateTime) date = make_date ();
  g_autofree gchar *family = ams_names_format_family (names, date, NULL);

  g_assert_cmpstr (family, ==, t->family);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (refused, "/names-new/", test_refused);
  ADD_TABLE (made, "/names-format/", test_made);
  ADD_TABLE (families, "/names-family/", test_family);
  ADD_TABLE (matches, "/names-match/", test_match);
  g_test_add_func ("/names-match/ambiguous/fast", test_match_ambiguous_fast);
  g_test_add_func ("/names-format/too-long/escapes",
      test_format_too_long_escapes);
  g_test_add_func ("/names-format/many-segments/unique",
      test_segment_many_unique);
  return g_test_run ();
}
