/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Recognising names.
 *
 * What a token may match is not known until the tokens behind it were tried,
 * so all places at which a name may be split are kept at once: a set of offsets, one
 * byte each, is taken through the tokens. That costs the number of tokens times
 * the length of the name, whatever the name. What is behind the number is
 * matched from the end, against the name turned round. */

#include "amsnamesprivate.h"

#include <string.h>

static void
step_literal (const gchar *name, gsize len, const AmsNamesToken *token,
    gboolean reversed, guint8 *at)
{
  gsize n = token->text->len, i = len + 1;
  g_autofree gchar *text = g_strndup (token->text->str, n);

  if (reversed)
    g_strreverse (text);
  while (i-- > 0)
    at[i] = i >= n && at[i - n] && memcmp (name + i - n, text, n) == 0;
}

static void
step_digits (const gchar *name, gsize len, guint n, guint8 *at)
{
  gsize i = len + 1, k;

  while (i-- > 0) {
    at[i] = i >= n && at[i - n];
    for (k = 1; k <= n && at[i]; k++)
      at[i] = g_ascii_isdigit (name[i - k]);
  }
}

/* Anything, even nothing, but no "/". */
static void
step_anything (const gchar *name, gsize len, guint8 *at)
{
  gsize i;

  for (i = 1; i <= len; i++)
    at[i] |= at[i - 1] && name[i - 1] != '/';
}

static void
step_token (const gchar *name, gsize len, const AmsNamesToken *token,
    gboolean reversed, guint8 *at)
{
  if (token->type == AMS_NAMES_TOKEN_LITERAL)
    step_literal (name, len, token, reversed, at);
  else if (token->digits > 0)
    step_digits (name, len, token->digits, at);
  else
    step_anything (name, len, at);
}

/* Whether the @len bytes at @p are what append_number() makes of a number. */
static gboolean
read_back_number (const gchar *p, gsize len, const AmsNamesToken *token,
    guint64 *number)
{
  guint64 value = 0;
  gsize i = 0, first;

  while (!token->zero && len == token->width && i + 1 < len && p[i] == ' ')
    i++;
  first = i;
  for (; i < len; i++) {
    if (!g_ascii_isdigit (p[i]) || !g_uint64_checked_mul (&value, value, 10) ||
        !g_uint64_checked_add (&value, value, p[i] - '0'))
      return FALSE;
  }
  if (len < MAX (token->width, 1))
    return FALSE;
  if (p[first] == '0' && len - first > 1 &&
      !(token->zero && len == token->width))
    return FALSE;
  *number = value;
  return TRUE;
}

/* The highest of the numbers that fit between @before and @behind: who asks
 * wants a number that was not used. */
static gboolean
find_number (const gchar *name, gsize len, const AmsNamesToken *token,
    const guint8 *before, const guint8 *behind, guint64 *number)
{
  gboolean found = FALSE;
  guint64 value;
  gsize i, n;

  for (i = 0; i <= len; i++) {
    for (n = 1; before[i] && n <= AMS_NAMES_MAX_WIDTH && i + n <= len; n++) {
      if (!behind[len - i - n] ||
          !read_back_number (name + i, n, token, &value))
        continue;
      *number = found ? MAX (*number, value) : value;
      found = TRUE;
    }
  }
  return found;
}

gboolean
ams_names_match (const AmsNames *self, const gchar *name, guint64 *number)
{
  gsize len = strlen (name);
  guint n_before = self->number >= 0 ? (guint) self->number : self->tokens->len;
  g_autofree guint8 *before = NULL, *behind = NULL;
  g_autofree gchar *reversed = NULL;
  guint i;

  *number = 0;
  if (len > AMS_NAMES_MAX_LENGTH || !ams_names_check (name, NULL))
    return FALSE;

  before = g_malloc0 (len + 1);
  before[0] = TRUE;
  for (i = 0; i < n_before; i++)
    step_token (name, len, ams_names_get_token (self, i), FALSE, before);
  if (self->number < 0)
    return before[len];

  behind = g_malloc0 (len + 1);
  behind[0] = TRUE;
  reversed = g_strreverse (g_strdup (name));
  for (i = self->tokens->len - 1; i > n_before; i--)
    step_token (reversed, len, ams_names_get_token (self, i), TRUE, behind);
  return find_number (name, len, ams_names_get_token (self, n_before), before,
      behind, number);
}
