/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsfilename.h"

#include <gio/gio.h>
#include <string.h>

#define NAME_MAX_BYTES 1024

static const gchar *const role_nicks[] = {
  [AMS_FILE_ROLE_OTHER] = "other",
  [AMS_FILE_ROLE_KEY] = "key",
  [AMS_FILE_ROLE_INIT] = "init",
  [AMS_FILE_ROLE_SEGMENT] = "segment",
  [AMS_FILE_ROLE_PLAYLIST] = "playlist",
  [AMS_FILE_ROLE_MASTER] = "master",
};

const gchar *
ams_file_role_to_string (AmsFileRole role)
{
  g_return_val_if_fail ((guint) role < G_N_ELEMENTS (role_nicks), "other");

  return role_nicks[role];
}

gboolean
ams_file_role_from_string (const gchar *string, AmsFileRole *role)
{
  for (guint i = 0; i < G_N_ELEMENTS (role_nicks); i++) {
    if (g_strcmp0 (string, role_nicks[i]) == 0) {
      *role = i;
      return TRUE;
    }
  }
  return FALSE;
}

static const struct
{
  const gchar *suffix, *type;
} suffix_types[] = {
  { ".m3u8", "application/vnd.apple.mpegurl" },
  { ".m3u", "application/vnd.apple.mpegurl" },
  { ".ts", "video/mp2t" },
  { ".m4s", "video/iso.segment" },
  { ".cmfv", "video/mp4" },
  { ".cmfa", "audio/mp4" },
  { ".mp4", "video/mp4" },
  { ".m4a", "audio/mp4" },
  { ".aac", "audio/aac" },
  { ".mp3", "audio/mpeg" },
  { ".vtt", "text/vtt" },
};

static const gchar *
type_from_suffix (const gchar *name)
{
  g_autofree gchar *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; i < G_N_ELEMENTS (suffix_types); i++) {
    if (g_str_has_suffix (lower, suffix_types[i].suffix))
      return suffix_types[i].type;
  }
  return NULL;
}

const gchar *
ams_file_content_type (AmsFileRole role, const gchar *name)
{
  const gchar *type = type_from_suffix (name);

  if (role == AMS_FILE_ROLE_PLAYLIST || role == AMS_FILE_ROLE_MASTER)
    return "application/vnd.apple.mpegurl";
  if (type)
    return type;
  if (role == AMS_FILE_ROLE_SEGMENT)
    return "video/mp2t";
  if (role == AMS_FILE_ROLE_INIT)
    return "video/mp4";
  return "application/octet-stream";
}

static gboolean
part_is_ok (const gchar *part, gsize length)
{
  if (length == 0)
    return FALSE;
  if (part[0] == '.' && length == 1)
    return FALSE;
  return !(length == 2 && part[0] == '.' && part[1] == '.');
}

static gboolean
has_control_character (const gchar *name)
{
  for (const gchar *p = name; *p; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  }
  return FALSE;
}

/* What is wrong with @name, or NULL. */
static const gchar *
name_fault (const gchar *name)
{
  const gchar *part = name, *end;

  if (!name || !*name)
    return "it is empty";
  if (strlen (name) > NAME_MAX_BYTES)
    return "it is longer than 1024 bytes";
  if (!g_utf8_validate (name, -1, NULL))
    return "it is not UTF-8";
  if (has_control_character (name))
    return "it has a control character";
  if (name[0] == '/')
    return "it is not relative";
  do {
    end = strchrnul (part, '/');
    if (!part_is_ok (part, end - part))
      return "it has an empty, \".\" or \"..\" part";
    part = end + 1;
  } while (*end);
  return NULL;
}

gboolean
ams_file_name_check (const gchar *name, GError **error)
{
  const gchar *fault = name_fault (name);
  g_autofree gchar *shown = NULL;

  if (!fault)
    return TRUE;
  shown = g_utf8_make_valid (name ? name : "", name ? strnlen (name, 256) : 0);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
      "“%s” cannot be the name of a file: %s", shown, fault);
  return FALSE;
}

gchar *
ams_file_name_dup (const gchar *name)
{
  return name_fault (name) ? NULL : g_strdup (name);
}
