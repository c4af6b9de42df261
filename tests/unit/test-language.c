/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "playlist/amslanguage.h"

/* Most are the examples of RFC 5646, appendix A. */
static const gchar *const tags[] = { "de", "fr", "ja", "i-enochian", "zh-Hant",
  "zh-Hans", "sr-Cyrl", "sr-Latn", "zh-cmn-Hans-CN", "cmn-Hans-CN", "zh-yue-HK",
  "yue-HK", "zh-Hans-CN", "sr-Latn-RS", "sl-rozaj", "sl-rozaj-biske",
  "sl-nedis", "de-CH-1901", "sl-IT-nedis", "hy-Latn-IT-arevela", "de-DE",
  "en-US", "es-419", "de-CH-x-phonebk", "az-Arab-x-AZE-derbend", "x-whatever",
  "qaa-Qaaa-QM-x-southern", "de-Qaaa", "sr-Latn-QM", "sr-Qaaa-RS",
  "en-US-u-islamcal", "zh-CN-a-myext-x-private", "en-a-myext-b-another",
  "EN-us", "haw", "en-GB-oed", "zh-min-nan", "sgn-BE-FR", "art-lojban",
  "zh-aao-abc-def", "en-u-ca-gregory", "und" };

static const gchar *const others[] = { "", "e", "english", "German", "abcd",
  "de-419-DE", "a-DE", "ar-a-aaa-b-bbb-a-ccc", "de-DE-1901-1901", "en_US",
  "en-", "-en", "en--US", "en-US-", "x", "x-", "en-x", "en-u", "en-a-b-ccc",
  "zh-aao-abc-def-ghi", "en-abcdefghi", "x-abcdefghi", "en US", "d\xc3\xa9",
  "12", "e1", "en-USA1-", "i-none", "en-US-x-", "en\nUS" };

static void
test_tags (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
    g_test_message ("%s", tags[i]);
    g_assert_true (ams_language_is_tag (tags[i]));
  }
}

static void
test_others (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_test_message ("%s", others[i]);
    g_assert_false (ams_language_is_tag (others[i]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/language/tags", test_tags);
  g_test_add_func ("/language/others", test_others);
  return g_test_run ();
}
