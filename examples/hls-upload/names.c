/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "names.h"

#include <string.h>

G_DEFINE_QUARK (hls - upload - error - quark, hls_upload_error)

/* Paths */

static gboolean
refuse (GError **error, gint status, const gchar *sentence)
{
  g_set_error_literal (error, HLS_UPLOAD_ERROR, status, sentence);
  return FALSE;
}

/* The path is as it was sent: what is behind "%2F" would be another folder once it is decoded. */
static gboolean
check_escapes (const gchar *encoded, GError **error)
{
  for (const gchar *p = strchr (encoded, '%'); p; p = strchr (p + 1, '%')) {
    gint high = g_ascii_xdigit_value (p[1]);
    gint low = high < 0 ? -1 : g_ascii_xdigit_value (p[2]);

    if (low < 0)
      return refuse (error, 400,
          "The path has a “%” that two hexadecimal digits do not follow: write "
          "it as %25.");
    if (high * 16 + low == '/' || high * 16 + low == '\\')
      return refuse (error, 400,
          "The path has an encoded slash in a name: use another name.");
  }
  return TRUE;
}

static gboolean
has_forbidden_character (const gchar *name)
{
  for (const gchar *p = name; *p; p++) {
    if (g_ascii_iscntrl (*p) || *p == '\\')
      return TRUE;
  }
  return FALSE;
}

static gchar *
decode (const gchar *encoded, GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autofree gchar *name = NULL;

  if (!check_escapes (encoded, error))
    return NULL;
  name = g_uri_unescape_string (encoded, NULL);
  if (!name || has_forbidden_character (name)) {
    refuse (error, 400, "The path has a character that no name may have.");
    return NULL;
  }
  if (ams_file_name_check (name, &fault))
    return g_steal_pointer (&name);
  g_set_error (error, HLS_UPLOAD_ERROR, 400, "%s.", fault->message);
  return NULL;
}

gchar *
hls_upload_name_parse (const gchar *path, const gchar *app, GError **error)
{
  g_autofree gchar *first = NULL, *name = NULL, *decoded = NULL;
  const gchar *end = path[0] == '/' ? strchr (path + 1, '/') : NULL;

  if (!end || end == path + 1 || !g_str_has_prefix (end, HLS_UPLOAD_FOLDER)) {
    refuse (error, 404,
        "Files are taken at /APP/hls-upload/NAME only: check the URL.");
    return NULL;
  }
  first = g_strndup (path + 1, end - path - 1);
  decoded = decode (first, error);
  if (!decoded)
    return NULL;
  name = decode (end + strlen (HLS_UPLOAD_FOLDER), error);
  if (!name)
    return NULL;
  if (!app)
    return g_strconcat (decoded, "/", name, NULL);
  if (strcmp (decoded, app) == 0)
    return g_steal_pointer (&name);
  refuse (error, 404,
      "Files of this application are not taken here: check the URL.");
  return NULL;
}

/* Roles */

static gboolean
ends_with_one_of (const gchar *name, const gchar *const *ends)
{
  g_autofree gchar *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; ends[i]; i++) {
    if (g_str_has_suffix (lower, ends[i]))
      return TRUE;
  }
  return FALSE;
}

AmsFileRole
hls_upload_role_of (const gchar *name)
{
  static const gchar *const lists[] = { ".m3u8", ".m3u", NULL };
  static const gchar *const keys[] = { ".key", NULL };
  static const gchar *const media[] = { ".ts", ".m4s", ".mp4", ".m4v", ".m4a",
    ".cmfv", ".cmfa", ".aac", ".mp3", ".ac3", ".ec3", ".vtt", NULL };
  static const gchar *const inits[] = { ".mp4", ".m4s", ".cmfv", ".cmfa",
    NULL };
  const gchar *slash = strrchr (name, '/');

  if (ends_with_one_of (name, lists))
    return AMS_FILE_ROLE_PLAYLIST;
  if (ends_with_one_of (name, keys))
    return AMS_FILE_ROLE_KEY;
  if (ends_with_one_of (name, inits) && strstr (slash ? slash : name, "init"))
    return AMS_FILE_ROLE_INIT;
  return ends_with_one_of (name, media) ? AMS_FILE_ROLE_SEGMENT
                                        : AMS_FILE_ROLE_OTHER;
}
