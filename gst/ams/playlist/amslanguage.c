/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amslanguage.h"

#include <string.h>

#define MAX_SUBTAG 8
#define MAX_EXTENDED_LANGUAGES 3

/* RFC 5646, 2.1: these are registered, and only some are well-formed. */
static const gchar *const grandfathered[] = { "en-gb-oed", "i-ami", "i-bnn",
  "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux", "i-mingo",
  "i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl",
  "sgn-ch-de", "art-lojban", "cel-gaulish", "no-bok", "no-nyn", "zh-guoyu",
  "zh-hakka", "zh-min", "zh-min-nan", "zh-xiang", NULL };

static gboolean
is_letters (const gchar *subtag, gsize min, gsize max)
{
  gsize n = 0;

  while (g_ascii_isalpha (subtag[n]))
    n++;
  return subtag[n] == '\0' && n >= min && n <= max;
}

static gboolean
is_alphanumeric (const gchar *subtag, gsize min, gsize max)
{
  gsize n = 0;

  while (g_ascii_isalnum (subtag[n]))
    n++;
  return subtag[n] == '\0' && n >= min && n <= max;
}

static gboolean
is_region (const gchar *subtag)
{
  return is_letters (subtag, 2, 2) ||
      (strlen (subtag) == 3 && strspn (subtag, "0123456789") == 3);
}

static gboolean
is_variant (const gchar *subtag)
{
  return is_alphanumeric (subtag, 5, MAX_SUBTAG) ||
      (g_ascii_isdigit (*subtag) && is_alphanumeric (subtag, 4, 4));
}

static gboolean
is_singleton (const gchar *subtag)
{
  return is_alphanumeric (subtag, 1, 1) && *subtag != 'x';
}

/* Whether @subtags has the one at @i before it, from @start on. */
static gboolean
is_repeated (gchar **subtags, guint start, guint i)
{
  for (guint k = start; k < i; k++) {
    if (g_str_equal (subtags[k], subtags[i]))
      return TRUE;
  }
  return FALSE;
}

/* Behind "x": at least one subtag, and nothing else follows. */
static gboolean
is_private_use (gchar **subtags)
{
  if (!*subtags)
    return FALSE;
  for (; *subtags; subtags++) {
    if (!is_alphanumeric (*subtags, 1, MAX_SUBTAG))
      return FALSE;
  }
  return TRUE;
}

/* The extensions at @subtags; *@n of them are taken. */
static gboolean
take_extensions (gchar **subtags, guint *n)
{
  gboolean seen[128] = { FALSE };
  guint start;

  *n = 0;
  while (subtags[*n] && is_singleton (subtags[*n])) {
    guint8 letter = *subtags[*n];

    start = ++*n;
    while (subtags[*n] && is_alphanumeric (subtags[*n], 2, MAX_SUBTAG))
      ++*n;
    if (*n == start || seen[letter])
      return FALSE;
    seen[letter] = TRUE;
  }
  return TRUE;
}

/* How many of @subtags are language, script, region and variants; 0: it does not
 * begin so. */
static guint
count_language (gchar **subtags)
{
  guint n = 1, variants;

  if (!subtags[0] || !is_letters (subtags[0], 2, 3))
    return 0;
  while (subtags[n] && n <= MAX_EXTENDED_LANGUAGES &&
      is_letters (subtags[n], 3, 3))
    n++;
  if (subtags[n] && is_letters (subtags[n], 4, 4))
    n++; /* script */
  if (subtags[n] && is_region (subtags[n]))
    n++;
  variants = n;
  while (subtags[n] && is_variant (subtags[n]) &&
      !is_repeated (subtags, variants, n))
    n++;
  return n;
}

static gboolean
is_well_formed (gchar **subtags)
{
  guint n, extensions;

  if (g_strcmp0 (subtags[0], "x") == 0)
    return is_private_use (subtags + 1);
  n = count_language (subtags);
  if (n == 0 || !take_extensions (subtags + n, &extensions))
    return FALSE;
  subtags += n + extensions;
  return !*subtags ||
      (g_str_equal (*subtags, "x") && is_private_use (subtags + 1));
}

gboolean
ams_language_is_tag (const gchar *tag)
{
  g_autofree gchar *lower = g_ascii_strdown (tag, -1);
  g_auto (GStrv) subtags = g_strsplit (lower, "-", -1);

  return g_strv_contains (grandfathered, lower) || is_well_formed (subtags);
}
