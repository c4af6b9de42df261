/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <string.h>

#include "playlist/amsnames.h"
#include "playlist/amsrenditionname.h"

/* ---- names that are made ---- */

typedef struct
{
  guint height;
  guint64 bit_rate;
  const gchar *name;
} Video;

static const Video videos[] = { { 360, 800000, "360p800kbps" },
  { 1080, 2500999, "1080p2500kbps" }, { 360, 0, "360p" }, { 360, 999, "360p" },
  { 0, 800000, "800kbps" }, { 0, 0, "video" } };

static void
test_videos (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (videos); i++) {
    g_autofree gchar *name =
        ams_rendition_name_video (videos[i].height, videos[i].bit_rate);

    g_assert_cmpstr (name, ==, videos[i].name);
  }
}

static void
test_sounds_and_texts (void)
{
  g_autofree gchar *sound = ams_rendition_name_sound ("pt-BR", 3);
  g_autofree gchar *second = ams_rendition_name_sound (NULL, 2);
  g_autofree gchar *text = ams_rendition_name_text ("pt-BR", 3);
  g_autofree gchar *first = ams_rendition_name_text (NULL, 1);

  g_assert_cmpstr (sound, ==, "pt-BR");
  g_assert_cmpstr (second, ==, "audio2");
  g_assert_cmpstr (text, ==, "text_pt-BR");
  g_assert_cmpstr (first, ==, "text1");
}

typedef struct
{
  const gchar *name, *cleaned;
} Clean;

#define TEN "0123456789"

static const Clean cleans[] = {
  { "720p-main_1.5", "720p-main_1.5" },
  { "HD (main)", "HD__main_" },
  { "a/b\\c:d*e?f\"g<h>i|j", "a_b_c_d_e_f_g_h_i_j" },
  { "%d{x}", "_d_x_" },
  { "a\tb\nc", "a_b_c" },
  { "../../etc", "_.._etc" },
  { "..", "" },
  { "a.", "a" },
  { "", "" },
  { "Größe", "Größe" },
  { "o\xcc\x88", "\xc3\xb6" }, /* the same letter in two spellings */
  { "日本語", "日本語" },
  { "हिन्दी", "हिन्दी" },
  { "a\xff", "a_" },
  { TEN TEN TEN TEN TEN TEN "abc\xc3\xb6z", TEN TEN TEN TEN TEN TEN "abc" },
};

static void
test_cleaned (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cleans); i++) {
    g_autofree gchar *cleaned = ams_rendition_name_clean (cleans[i].name);
    g_autofree gchar *again = ams_rendition_name_clean (cleaned);

    g_assert_cmpstr (cleaned, ==, cleans[i].cleaned);
    g_assert_cmpstr (again, ==, cleaned);
    g_assert_cmpuint (strlen (cleaned), <=, 64);
  }
}

/* ---- in templates ---- */

typedef struct
{
  const gchar *what, *template_, *rendition;
  gboolean add_date_time;
  const gchar *expected; /* for number 1 */
} Resolved;

#define DATE "2026-11-22_10-46-04.509"

static const Resolved resolved[] = {
  { "Ant Media's", "stream123_{rendition}%04d.ts", "360p800kbps", FALSE,
      "stream123_360p800kbps0001.ts" },
  { "Ant Media's, dated", "stream123_{rendition}%04d.ts", "360p800kbps", TRUE,
      "stream123-" DATE "_360p800kbps0001.ts" },
  { "original", "stream123_{rendition}%04d.ts", "", FALSE, "stream1230001.ts" },
  { "original, dated", "stream123_{rendition}-%04d.ts", "", TRUE,
      "stream123-" DATE "-0001.ts" },
  { "folder", "cam/{rendition}/%05d.ts", "720p", FALSE, "cam/720p/00001.ts" },
  { "folder, dated", "cam/{rendition}/%05d.ts", "720p", TRUE,
      "cam/720p/" DATE "-00001.ts" },
  { "original in no folder", "cam/{rendition}/%05d.ts", "", FALSE,
      "cam/00001.ts" },
  { "original in no folder at all", "{rendition}/%05d.ts", "", FALSE,
      "00001.ts" },
  { "original without separator", "{rendition}%05d.ts", "", FALSE, "00001.ts" },
  { "digit before the number", "s_{rendition}%04d.ts", "audio1", FALSE,
      "s_audio1_0001.ts" },
  { "digit before a long number", "s_{rendition}%lld.ts", "1", FALSE,
      "s_1_1.ts" },
  { "digit before a separator", "s_{rendition}-%04d.ts", "audio1", FALSE,
      "s_audio1-0001.ts" },
  { "digit before a percent sign", "s_{rendition}%%%04d.ts", "1", FALSE,
      "s_1%0001.ts" },
  { "digit behind the number", "%04d{rendition}.ts", "360p", FALSE,
      "0001_360p.ts" },
  { "letter behind the number", "%04d{rendition}.ts", "hd", FALSE,
      "0001hd.ts" },
  { "escaped", "{{rendition}}{rendition}%d.ts", "a{b}%d", FALSE,
      "{rendition}a{b}%d1.ts" },
  { "with a date of its own", "{session:%Y}_{rendition}%d.ts", "hd", FALSE,
      "2026_hd1.ts" },
  { "twice", "{rendition}/s_{rendition}%d.ts", "hd", FALSE, "hd/s_hd1.ts" },
  { "no rendition", "s%d.ts", "hd", FALSE, "s1.ts" },
  { "no rendition, dated", "s%d.ts", "hd", TRUE, "s-" DATE "-1.ts" },
};

static GDateTime *
make_date (void)
{
  g_autoptr (GDateTime) whole = g_date_time_new_utc (2026, 11, 22, 10, 46, 4);

  return g_date_time_add (whole, 509000);
}

static void
test_resolved (gconstpointer data)
{
  const Resolved *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDateTime) date = make_date ();
  g_autofree gchar *template_ =
      ams_names_resolve (row->template_, row->rendition, row->add_date_time);
  g_autoptr (AmsNames) names =
      ams_names_new (template_, AMS_NAMES_SEGMENT, FALSE, &error);
  g_autofree gchar *name = NULL;

  g_assert_no_error (error);
  name = ams_names_format (names, 1, date, date, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (name, ==, row->expected);
}

static void
test_resolved_playlist (void)
{
  g_autofree gchar *hd =
      ams_names_resolve ("stream123_{rendition}.m3u8", "360p", FALSE);
  g_autofree gchar *dated =
      ams_names_resolve ("stream123_{rendition}.m3u8", "360p", TRUE);
  g_autofree gchar *original =
      ams_names_resolve ("stream123_{rendition}.m3u8", "", FALSE);

  g_assert_cmpstr (hd, ==, "stream123_360p.m3u8");
  g_assert_cmpstr (dated, ==,
      "stream123-{session:%Y-%m-%d_%H-%M-%S.%L}_360p.m3u8");
  g_assert_cmpstr (original, ==, "stream123.m3u8");
}

/* Whatever the names and the numbers, no two renditions have one file: those
 * that one recognises are not the other's. */
static void
test_resolved_do_not_meet (void)
{
  static const gchar *const names[] = { "1", "11", "111", "a", "a1", "a11",
    "a_1", "360p", "60p" };
  static const gchar *const templates[] = { "s{rendition}%d.ts",
    "s{rendition}%04d.ts", "%d{rendition}.ts", "%04d{rendition}.ts" };
  static const guint64 numbers[] = { 0, 1, 11, 110, 1110, 11103, 111036 };
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint t = 0; t < G_N_ELEMENTS (templates); t++) {
    g_hash_table_remove_all (seen);
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
      g_autofree gchar *template_ =
          ams_names_resolve (templates[t], names[i], FALSE);
      g_autoptr (AmsNames) parsed =
          ams_names_new (template_, AMS_NAMES_SEGMENT, FALSE, NULL);

      for (guint k = 0; k < G_N_ELEMENTS (numbers); k++)
        g_assert_true (g_hash_table_add (seen,
            ams_names_format (parsed, numbers[k], NULL, NULL, NULL)));
    }
  }
}

/* ---- names that would collide ---- */

typedef struct
{
  const gchar *names[4];
  const gchar *template_;
  const gchar *says; /* NULL: they do not collide */
} Check;

static const Check checks[] = {
  { { "360p" }, "s%04d.ts", NULL },
  { { "360p", "720p", "en" }, "s_{rendition}%04d.ts", NULL },
  { { "", "720p" }, "s_{rendition}%04d.ts", NULL },
  { { "360p", "720p" }, "s%04d.ts",
      "location: \"s%04d.ts\" gives the 2 renditions the same files: put "
      "{rendition} into it, as in \"stream_{rendition}%04d.ts\"" },
  { { "360p", "720p" }, "s.m3u8", "as in \"stream_{rendition}.m3u8\"" },
  { { "360p", "720p" }, "s{{rendition}}%04d.ts", "put {rendition} into it" },
  { { "360p", "en", "360p" }, "s_{rendition}%04d.ts",
      "Two renditions, \"360p\" and \"360p\"" },
  { { "HD", "hd" }, "s_{rendition}%04d.ts", "\"HD\" and \"hd\"" },
  { { "GRÖSSE", "größe" }, "s_{rendition}%04d.ts", "\"GRÖSSE\"" },
};

static void
test_collisions (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    g_autoptr (GError) error = NULL;
    guint n = 0;
    gboolean fine;

    while (n < 4 && checks[i].names[n])
      n++;
    fine = ams_rendition_names_check (checks[i].names, n, "location",
        checks[i].template_, &error);
    g_assert_cmpint (fine, ==, checks[i].says == NULL);
    if (fine)
      continue;
    g_assert_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_NOT_UNIQUE);
    g_assert_nonnull (strstr (error->message, checks[i].says));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rendition-name/video", test_videos);
  g_test_add_func ("/rendition-name/sound", test_sounds_and_texts);
  g_test_add_func ("/rendition-name/clean", test_cleaned);
  for (guint i = 0; i < G_N_ELEMENTS (resolved); i++) {
    g_autofree gchar *path =
        g_strconcat ("/rendition-name/resolve/", resolved[i].what, NULL);

    g_test_add_data_func (path, &resolved[i], test_resolved);
  }
  g_test_add_func ("/rendition-name/playlist", test_resolved_playlist);
  g_test_add_func ("/rendition-name/do-not-meet", test_resolved_do_not_meet);
  g_test_add_func ("/rendition-name/collisions", test_collisions);
  return g_test_run ();
}
