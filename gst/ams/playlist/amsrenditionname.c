/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsrenditionname.h"

#include "amsnames.h"

#include <string.h>

#define MAX_SIZE 64 /* bytes */

gchar *
ams_rendition_name_video (guint height, guint64 bit_rate)
{
  GString *name = g_string_new (NULL);

  if (height > 0)
    g_string_append_printf (name, "%up", height);
  if (bit_rate >= 1000)
    g_string_append_printf (name, "%" G_GUINT64_FORMAT "kbps", bit_rate / 1000);
  if (name->len == 0)
    g_string_append (name, "video");
  return g_string_free (name, FALSE);
}

gchar *
ams_rendition_name_sound (const gchar *language, guint number)
{
  return language ? ams_rendition_name_clean (language)
                  : g_strdup_printf ("audio%u", number);
}

gchar *
ams_rendition_name_text (const gchar *language, guint number)
{
  g_autofree gchar *cleaned = NULL;

  if (!language)
    return g_strdup_printf ("text%u", number);
  cleaned = ams_rendition_name_clean (language);
  return g_strconcat ("text_", cleaned, NULL);
}

static gboolean
may_stay (gunichar c)
{
  return g_unichar_isalnum (c) || g_unichar_ismark (c) || c == '-' ||
      c == '_' || c == '.';
}

gchar *
ams_rendition_name_clean (const gchar *name)
{
  g_autofree gchar *valid = g_utf8_make_valid (name, -1);
  g_autofree gchar *text = g_utf8_normalize (valid, -1, G_NORMALIZE_NFC);
  GString *out = g_string_new (NULL);

  for (const gchar *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (out->len + g_unichar_to_utf8 (c, NULL) > MAX_SIZE)
      break;
    if (c != '.' || out->len > 0)
      g_string_append_unichar (out, may_stay (c) ? c : '_');
  }
  while (out->len > 0 && out->str[out->len - 1] == '.')
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}

static gboolean
is_same (const gchar *a, const gchar *b)
{
  g_autofree gchar *folded_a = g_utf8_casefold (a, -1);
  g_autofree gchar *folded_b = g_utf8_casefold (b, -1);

  return g_str_equal (folded_a, folded_b);
}

gboolean
ams_rendition_names_check (const gchar *const *names, guint n,
    const gchar *property, const gchar *template_, GError **error)
{
  if (n > 1 && !ams_names_has_rendition (template_)) {
    g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_NOT_UNIQUE,
        "%s: \"%s\" gives the %u renditions the same files: put {rendition} "
        "into it, as in \"stream_{rendition}%s\"",
        property, template_, n, strchr (template_, '%') ? "%04d.ts" : ".m3u8");
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    for (guint k = 0; k < i; k++) {
      if (!is_same (names[i], names[k]))
        continue;
      g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_NOT_UNIQUE,
          "Two renditions, \"%s\" and \"%s\", would have the same files: set "
          "the property rendition of one of them to another name",
          names[k], names[i]);
      return FALSE;
    }
  }
  return TRUE;
}
