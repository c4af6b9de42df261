/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Scripts, one command a word:
 *   xCLASS, xCLASS:STATUS, xCLASS/DELAY   an attempt failed: CLASS is the first letter of
 *                   the failure (t h f p e a l u, h: throttled), STATUS that of HTTP;
 *                   DELAY until the next, 10 if it is not said
 *   XCLASS…         likewise, and it is the endpoint's
 *   +, *            an attempt succeeded; * and the endpoint had been away
 *   =T              the time is T
 *   >N, |N          another may begin beside N others; may not
 *   ?T, ?           the next time to ask is T; when another has ended
 *   #N              N failures in a row */

#include "config.h"

#include "transfer/amsbreaker.h"

#include <stdlib.h>
#include <string.h>

static AmsFailure
failure_from_letter (gchar letter)
{
  static const gchar letters[] = "thfpealu";
  const gchar *found = strchr (letters, letter);

  g_assert_true (letter && found);
  return found - letters;
}

static gboolean
fail (AmsBreaker *breaker, const gchar *word, gint64 now)
{
  const gchar *status = strchr (word, ':'), *delay = strchr (word, '/');

  return ams_breaker_fail (breaker, failure_from_letter (word[1]),
      status ? atoi (status + 1) : 0, now, delay ? atoi (delay + 1) : 10);
}

static void
run_word (AmsBreaker *breaker, const gchar *word, gint64 *now, gint64 *next)
{
  gint n = atoi (word + 1);

  switch (word[0]) {
    case 'x':
    case 'X':
      g_assert_true (fail (breaker, word, *now) == (word[0] == 'X'));
      break;
    case '+':
    case '*':
      g_assert_true (ams_breaker_succeed (breaker) == (word[0] == '*'));
      break;
    case '=':
      *now = n;
      break;
    case '>':
    case '|':
      g_assert_true (
          ams_breaker_allows (breaker, n, *now, next) == (word[0] == '>'));
      break;
    case '?':
      g_assert_cmpint (*next, ==, word[1] ? n : AMS_RETRY_FOREVER);
      break;
    case '#':
      g_assert_cmpuint (ams_breaker_get_streak (breaker), ==, n);
      break;
    default:
      g_assert_not_reached ();
  }
}

static const struct
{
  const gchar *name, *script;
} scripts[] = {
  { "closed-allows-any-number", ">0 ? >99 ?" },
  { "no-answer-opens", "Xt |0 ?10" },
  { "throttled-opens", "Xh:429 |0 ?10" },
  { "full-opens", "Xf:507 |0 ?10" },
  { "one-file-that-is-refused-does-not-open", "xp:403 >0 xt:500 >3" },
  { "three-in-a-row-open-whatever-they-are", "xp:403 xt:500 Xp:403 |0" },
  { "a-success-ends-the-row", "xp:403 xp:403 + #0 xp:403 xp:403 >0 #2" },
  { "what-is-about-the-file-never-opens", "xe:412 xl xu xe:412 xl xa >9" },
  { "open-allows-one-prober-when-it-is-time",
      "=5 Xt |0 ?15 =14 |0 =15 >0 |1 ?" },
  { "a-probe-that-fails-waits-anew", "Xt =10 >0 Xt/20 =29 |0 ?30 =30 >0" },
  { "a-shorter-delay-does-not-shorten", "Xh/300 Xt/1 =299 |0 ?300 =300 >0" },
  { "a-success-closes", "Xt + >9" },
  { "a-blip-was-not-away", "Xt Xt + >9" },
  { "three-failures-were-away", "Xt Xt Xt * >9 +" },
  { "three-of-which-none-opened-were-not-away", "xe:412 xe:412 xe:412 +" },
};

static void
test_script (gconstpointer data)
{
  g_auto (GStrv) words = g_strsplit (data, " ", -1);
  AmsBreaker breaker = { 0 };
  gint64 now = 0, next = -1;

  for (guint i = 0; words[i]; i++)
    run_word (&breaker, words[i], &now, &next);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++) {
    g_autofree gchar *path = g_strconcat ("/breaker/", scripts[i].name, NULL);

    g_test_add_data_func (path, scripts[i].script, test_script);
  }
  return g_test_run ();
}
