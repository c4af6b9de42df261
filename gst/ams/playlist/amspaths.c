/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amspaths.h"
#include "amsplaylist.h"

#include <gio/gio.h>
#include <string.h>

/* Bytes that file systems take. */
#define MAX_BASENAME 255

static gboolean
has_dotdot (const gchar *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  return g_strv_contains ((const gchar *const *) parts, "..");
}

gboolean
ams_paths_escapes (const gchar *location)
{
  return g_path_is_absolute (location) || has_dotdot (location);
}

/* The length of @path's folder part that has no template in it, with its "/". */
static gsize
literal_folder_length (const gchar *path)
{
  gsize literal = strcspn (path, "{}%");

  while (literal > 0 && path[literal - 1] != '/')
    literal--;
  return literal;
}

static gsize
common_folder_length (const gchar *a, const gchar *b)
{
  gsize n = MIN (literal_folder_length (a), literal_folder_length (b));
  gsize i = 0;

  while (i < n && a[i] == b[i])
    i++;
  while (i > 0 && a[i - 1] != '/')
    i--;
  return i;
}

/* Without "." parts and repeated slashes, as people type them. */
static gchar *
tidy (const gchar *location)
{
  g_auto (GStrv) parts = g_strsplit (location, "/", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  guint i;

  for (i = 0; parts[i]; i++) {
    gboolean root = i == 0 && g_path_is_absolute (location);
    gboolean last = parts[i + 1] == NULL;

    if (root || last || (*parts[i] && !g_str_equal (parts[i], ".")))
      g_ptr_array_add (kept, parts[i]);
  }
  g_ptr_array_add (kept, NULL);
  return g_strjoinv ("/", (gchar **) kept->pdata);
}

static gboolean
is_playlist (const gchar *location)
{
  g_autofree gchar *lower = g_ascii_strdown (location, -1);

  return g_str_has_suffix (lower, ".m3u8") || g_str_has_suffix (lower, ".m3u");
}

/* As somebody writes it who expects one location. Always FALSE. */
static gboolean
fail_playlist (const gchar *location, GError **error)
{
  const gchar *dot = strrchr (location, '.');

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
      "location \"%s\" is the name of a playlist, and location is where the "
      "segments go: set playlist-location to that, and location to \"%.*s-%%05d.ts\"",
      location, (int) (dot - location), location);
  return FALSE;
}

static gboolean
check_kind (const gchar *location, const gchar *property, const gchar *other,
    GError **error)
{
  if (g_path_is_absolute (location) == g_path_is_absolute (other))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
      "location \"%s\" and %s \"%s\" must both be absolute or both be relative",
      location, property, other);
  return FALSE;
}

/* What the stores call the files must not depend on it, so it does not move the root,
 * which is @common bytes of the others. */
static gboolean
check_multivariant (const gchar *location, const gchar *playlist,
    const gchar *multivariant, gsize common, GError **error)
{
  if (!check_kind (location, "multivariant-location", multivariant, error))
    return FALSE;
  if (g_str_equal (multivariant, playlist)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
        "multivariant-location and playlist-location are both \"%s\": the "
        "multivariant playlist names the other one, and needs a name of its own",
        playlist);
    return FALSE;
  }
  if (strncmp (multivariant, location, common) == 0 &&
      !has_dotdot (multivariant + common))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
      "multivariant-location \"%s\" must be in \"%.*s\", the folder that "
      "location and playlist-location have in common, or in one below it",
      multivariant, common > 0 ? (int) common : 1, common > 0 ? location : ".");
  return FALSE;
}

gboolean
ams_paths_split (const AmsPathsTemplates *templates, AmsPaths *paths,
    GError **error)
{
  g_autofree gchar *location = tidy (templates->location);
  g_autofree gchar *playlist = tidy (templates->playlist);
  g_autofree gchar *multivariant =
      templates->multivariant ? tidy (templates->multivariant) : NULL;
  gsize common = 0;

  if (is_playlist (location))
    return fail_playlist (location, error);
  if (!check_kind (location, "playlist-location", playlist, error))
    return FALSE;
  if (ams_paths_escapes (location) || ams_paths_escapes (playlist))
    common = common_folder_length (location, playlist);
  if (has_dotdot (location + common) || has_dotdot (playlist + common)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
        "\"..\" may only be in the part that location \"%s\" and "
        "playlist-location \"%s\" have in common",
        location, playlist);
    return FALSE;
  }
  if (multivariant &&
      !check_multivariant (location, playlist, multivariant, common, error))
    return FALSE;

  paths->root = common > 0 ? g_strndup (location, common) : g_strdup (".");
  paths->location = g_strdup (location + common);
  paths->playlist = g_strdup (playlist + common);
  paths->multivariant = multivariant ? g_strdup (multivariant + common) : NULL;
  return TRUE;
}

void
ams_paths_clear (AmsPaths *paths)
{
  g_clear_pointer (&paths->root, g_free);
  g_clear_pointer (&paths->location, g_free);
  g_clear_pointer (&paths->playlist, g_free);
  g_clear_pointer (&paths->multivariant, g_free);
}

gchar *
ams_paths_literal_folder (const gchar *location)
{
  gsize length = literal_folder_length (location);

  return length > 0 ? g_strndup (location, length) : g_strdup (".");
}

gchar *
ams_paths_relative (const gchar *from, const gchar *to)
{
  g_autoptr (GString) path = g_string_new (NULL);
  gsize common = 0, i;

  for (i = 0; from[i] && from[i] == to[i]; i++)
    if (from[i] == '/')
      common = i + 1;
  for (i = common; from[i]; i++)
    if (from[i] == '/')
      g_string_append (path, "../");
  g_string_append (path, to + common);
  return g_string_free (g_steal_pointer (&path), FALSE);
}

/* Whether nothing in @path is to be resolved, as in most names. */
static gboolean
is_normal (const gchar *path)
{
  const gchar *p;

  for (p = path; *p != '\0'; p++) {
    gboolean begins = p == path || p[-1] == '/';

    if (begins && (*p == '/' || *p == '.'))
      return FALSE;
  }
  return p > path && p[-1] != '/';
}

/* Resolves "." and ".." of @path below the root of names; NULL when it leads out or
 * nowhere. */
static gchar *
normalise (const gchar *path)
{
  g_auto (GStrv) parts = NULL;
  g_autoptr (GPtrArray) kept = NULL;
  guint i;

  if (is_normal (path))
    return g_strdup (path);
  parts = g_strsplit (path, "/", -1);
  kept = g_ptr_array_new ();
  for (i = 0; parts[i]; i++) {
    if (g_str_equal (parts[i], "..")) {
      if (kept->len == 0)
        return NULL;
      g_ptr_array_set_size (kept, kept->len - 1);
    } else if (*parts[i] && !g_str_equal (parts[i], ".")) {
      g_ptr_array_add (kept, parts[i]);
    }
  }
  if (kept->len == 0)
    return NULL;
  g_ptr_array_add (kept, NULL);
  return g_strjoinv ("/", (gchar **) kept->pdata);
}

/* The relative reference behind @root, which stands in the playlist as
 * ams_playlist_uri() writes it. */
static const gchar *
skip_root (const gchar *uri, const gchar *root)
{
  g_autofree gchar *prefix = NULL;

  if (root == NULL)
    return g_uri_peek_scheme (uri) ? NULL : uri;
  prefix = ams_playlist_uri (root, "");
  if (*prefix == '\0' && g_uri_peek_scheme (uri))
    return NULL;
  return g_str_has_prefix (uri, prefix) ? uri + strlen (prefix) : NULL;
}

gchar *
ams_paths_name_of_uri (const gchar *playlist, const gchar *root,
    const gchar *uri)
{
  const gchar *rest = skip_root (uri, root);
  const gchar *slash = strrchr (playlist, '/');
  g_autofree gchar *path = NULL;
  g_autofree gchar *joined = NULL;

  if (!rest || *rest == '/')
    return NULL;
  path = g_uri_unescape_segment (rest, rest + strcspn (rest, "?#"), NULL);
  if (!path)
    return NULL;
  if (!slash)
    return normalise (path);
  joined =
      g_strdup_printf ("%.*s%s", (int) (slash + 1 - playlist), playlist, path);
  return normalise (joined);
}

gchar *
ams_paths_hidden (const gchar *name, const gchar *suffix)
{
  const gchar *slash = strrchr (name, '/');
  const gchar *base = slash ? slash + 1 : name;
  g_autofree gchar *hash = NULL;

  if (strlen (base) + strlen (suffix) >= MAX_BASENAME)
    base = hash = g_compute_checksum_for_string (G_CHECKSUM_MD5, base, -1);
  return g_strdup_printf ("%.*s.%s%s", (int) (slash ? slash + 1 - name : 0),
      name, base, suffix);
}
