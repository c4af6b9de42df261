/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A template, a NUL, a name: whatever a template makes, it recognises. */

#include <string.h>

#include "playlist/amsnames.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_number (const AmsNames *names, guint64 number)
{
  g_autoptr (GDateTime) session =
      g_date_time_new_utc (2026, 11, 22, 10, 46, 4.509);
  g_autoptr (GDateTime) segment =
      g_date_time_add (session, number % G_GUINT64_CONSTANT (1000000000000000));
  g_autofree gchar *name =
      ams_names_format (names, number, session, segment, NULL);
  guint64 found;

  if (name == NULL)
    return;
  g_assert_true (g_utf8_validate (name, -1, NULL));
  g_assert_true (g_str_has_prefix (name, ams_names_prefix (names)));
  g_assert_true (*name != '/' && strstr (name, "/../") == NULL);
  g_assert_true (ams_names_match (names, name, &found));
  if (ams_names_has_number (names))
    g_assert_cmpuint (found, >=, number);
}

/* Once it is resolved, no rendition is left in it, and where there was none the
 * template is as it was. */
static void
check_rendition (const gchar *template_, const gchar *rendition)
{
  g_autofree gchar *resolved = ams_names_resolve (template_, rendition, FALSE);

  g_assert_false (ams_names_has_rendition (resolved));
  if (!ams_names_has_rendition (template_))
    g_assert_cmpstr (resolved, ==, template_);
}

static void
check_template (const gchar *template_, AmsNamesKind kind, gboolean dated,
    const gchar *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsNames) names = ams_names_new (template_, kind, dated, &error);
  guint64 number;

  g_assert_true ((names == NULL) == (error != NULL));
  if (names == NULL) {
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    return;
  }
  check_number (names, 0);
  check_number (names, 12345);
  check_number (names, G_MAXUINT64);
  ams_names_match (names, name, &number);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  const guint8 *nul = size > 0 ? memchr (data, '\0', size) : NULL;
  g_autofree gchar *name = NULL;

  name = nul != NULL
      ? g_strndup ((const gchar *) nul + 1, data + size - nul - 1)
      : g_strdup (text);
  check_rendition (text, name);
  check_template (text, AMS_NAMES_SEGMENT, FALSE, name);
  check_template (text, AMS_NAMES_SEGMENT, TRUE, name);
  check_template (text, AMS_NAMES_PLAYLIST, FALSE, name);
  check_template (text, AMS_NAMES_PLAYLIST, TRUE, name);
  return 0;
}
