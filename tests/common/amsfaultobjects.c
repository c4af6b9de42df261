/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultobjects.h"

#include <string.h>

struct _AmsFaultObjects
{
  GHashTable *objects; /* name → AmsFaultObject */
  GHashTable *folders; /* set of names */
  GString *problems;
};

static void
object_free (gpointer data)
{
  AmsFaultObject *object = data;

  g_bytes_unref (object->bytes);
  g_free (object->etag);
  g_date_time_unref (object->modified);
  g_free (object->headers);
  g_clear_pointer (&object->listed, g_hash_table_unref);
  g_free (object);
}

AmsFaultObjects *
ams_fault_objects_new (void)
{
  AmsFaultObjects *self = g_new0 (AmsFaultObjects, 1);

  self->objects =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, object_free);
  self->folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->problems = g_string_new (NULL);
  return self;
}

void
ams_fault_objects_free (AmsFaultObjects *self)
{
  g_hash_table_unref (self->objects);
  g_hash_table_unref (self->folders);
  g_string_free (self->problems, TRUE);
  g_free (self);
}

gchar *
ams_fault_header (const gchar *headers, const gchar *name)
{
  g_auto (GStrv) lines = g_strsplit (headers ? headers : "", "\n", -1);
  gsize length = strlen (name);

  for (guint i = 0; lines[i]; i++) {
    if (g_ascii_strncasecmp (lines[i], name, length) == 0 &&
        lines[i][length] == ':')
      return g_strstrip (g_strdup (lines[i] + length + 1));
  }
  return NULL;
}

static void G_GNUC_PRINTF (2, 3)
    problem (AmsFaultObjects *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_string_append_vprintf (self->problems, format, args);
  g_string_append_c (self->problems, '\n');
  va_end (args);
}

/* Playlists */

static gboolean
is_playlist (const gchar *name)
{
  return g_str_has_suffix (name, ".m3u8");
}

static GBytes *
gunzip (GBytes *bytes)
{
  g_autoptr (GZlibDecompressor) gzip =
      g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GInputStream) packed =
      g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) plain =
      g_converter_input_stream_new (packed, G_CONVERTER (gzip));
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();

  if (g_output_stream_splice (out, plain, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
          NULL, NULL) < 0)
    return NULL;
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (out));
}

/* The text of a playlist; NULL: it is not what its Content-Encoding says. */
static gchar *
dup_text (const AmsFaultObject *object)
{
  g_autofree gchar *encoding =
      ams_fault_header (object->headers, "Content-Encoding");
  g_autoptr (GBytes) bytes = NULL;

  if (encoding && g_ascii_strcasecmp (encoding, "gzip") == 0)
    bytes = gunzip (object->bytes);
  else
    bytes = g_bytes_ref (object->bytes);
  if (!bytes)
    return NULL;
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* The name of what @reference in @playlist means; NULL: it is elsewhere. */
static gchar *
resolve (const gchar *playlist, const gchar *reference)
{
  g_autofree gchar *base = g_uri_escape_string (playlist, "/", FALSE);
  g_autofree gchar *whole = g_strconcat ("http://here", base, NULL);
  g_autofree gchar *url =
      g_uri_resolve_relative (whole, reference, G_URI_FLAGS_NONE, NULL);
  g_autoptr (GUri) uri = url ? g_uri_parse (url, G_URI_FLAGS_NONE, NULL) : NULL;

  return uri ? g_strdup (g_uri_get_path (uri)) : NULL;
}

static void
list (GHashTable *names, const gchar *playlist, const gchar *reference)
{
  gchar *name = resolve (playlist, reference);

  if (name)
    g_hash_table_add (names, name);
}

/* EXT-X-MAP, EXT-X-MEDIA, EXT-X-KEY. A key may be a URL elsewhere, and is left out. */
static void
list_attribute (GHashTable *names, const gchar *playlist, const gchar *line)
{
  const gchar *uri = strstr (line, "URI=\"");
  g_autofree gchar *reference = NULL;

  if (!uri || g_str_has_prefix (line, "#EXT-X-KEY"))
    return;
  uri += strlen ("URI=\"");
  reference = g_strndup (uri, strcspn (uri, "\""));
  list (names, playlist, reference);
}

static GHashTable *
parse (const gchar *playlist, const gchar *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GHashTable *names =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean gap = FALSE;

  for (guint i = 0; lines[i]; i++) {
    const gchar *line = g_strstrip (lines[i]);

    if (g_str_has_prefix (line, "#EXT-X-GAP"))
      gap = TRUE;
    else if (line[0] == '#')
      list_attribute (names, playlist, line);
    else if (line[0] != '\0') {
      if (!gap)
        list (names, playlist, line);
      gap = FALSE;
    }
  }
  return names;
}

static void
check_listed (AmsFaultObjects *self, const gchar *playlist, GHashTable *names)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    AmsFaultObject *object = g_hash_table_lookup (self->objects, name);

    if (!object)
      problem (self, "%s lists %s, which is not there", playlist,
          (gchar *) name);
    else if (object->cut)
      problem (self,
          "%s lists %s, of which only %" G_GSIZE_FORMAT " bytes are there",
          playlist, (gchar *) name, g_bytes_get_size (object->bytes));
  }
}

/* What an object lists; with @check, that is looked at. */
static void
look_into (AmsFaultObjects *self, const gchar *name, AmsFaultObject *object,
    gboolean check)
{
  g_autofree gchar *text = NULL;

  if (!is_playlist (name))
    return;
  text = dup_text (object);
  if (!text || !g_str_has_prefix (text, "#EXTM3U")) {
    if (check)
      problem (self, "%s is no playlist", name);
    return;
  }
  object->listed = parse (name, text);
  if (check)
    check_listed (self, name, object->listed);
}

/* Objects */

AmsFaultObject *
ams_fault_objects_get (AmsFaultObjects *self, const gchar *name)
{
  return g_hash_table_lookup (self->objects, name);
}

static gchar *
keep_headers (const gchar *headers)
{
  g_auto (GStrv) lines = g_strsplit (headers ? headers : "", "\n", -1);
  GString *kept = g_string_new (NULL);
  static const gchar *const others[] = { "Host:", "User-Agent:", "Accept",
    "Authorization:", "Content-Length:", "Connection:", "Expect:", "If-",
    "Transfer-Encoding:", "Range:" };

  for (guint i = 0; lines[i]; i++) {
    gboolean other = lines[i][0] == '\0';

    for (guint j = 0; j < G_N_ELEMENTS (others) && !other; j++)
      other =
          g_ascii_strncasecmp (lines[i], others[j], strlen (others[j])) == 0;
    if (!other)
      g_string_append_printf (kept, "%s\n", lines[i]);
  }
  return g_string_free (kept, FALSE);
}

static AmsFaultObject *
insert (AmsFaultObjects *self, const gchar *name, const gchar *headers,
    gconstpointer data, gsize size, gsize keep)
{
  AmsFaultObject *object = g_new0 (AmsFaultObject, 1);
  g_autofree gchar *md5 = NULL;

  keep = MIN (size, keep);
  md5 = g_compute_checksum_for_data (G_CHECKSUM_MD5, data, keep);
  object->bytes = g_bytes_new (data, keep);
  object->etag = g_strdup_printf ("\"%s\"", md5);
  object->modified = g_date_time_new_now_utc ();
  object->headers = keep_headers (headers);
  object->cut = keep < size;
  g_hash_table_replace (self->objects, g_strdup (name), object);
  return object;
}

AmsFaultObject *
ams_fault_objects_put (AmsFaultObjects *self, const gchar *name,
    const gchar *headers, gconstpointer data, gsize size, gsize keep)
{
  AmsFaultObject *earlier = g_hash_table_lookup (self->objects, name);
  AmsFaultObject *object;
  g_autofree gchar *etag = NULL;
  gboolean cut = earlier && earlier->cut;

  if (earlier)
    etag = g_strdup (earlier->etag);
  object = insert (self, name, headers, data, size, keep);
  if (size == 0)
    problem (self, "%s was stored without a byte", name);
  if (etag && !cut && !is_playlist (name) && strcmp (etag, object->etag) != 0)
    problem (self, "%s was replaced by other bytes", name);
  if (!object->cut)
    look_into (self, name, object, TRUE);
  return object;
}

void
ams_fault_objects_preset (AmsFaultObjects *self, const gchar *name,
    const gchar *headers, gconstpointer data, gsize size)
{
  g_autofree gchar *parent = ams_fault_objects_dup_parent (name);

  look_into (self, name, insert (self, name, headers, data, size, size), FALSE);
  while (parent[0] != '\0') {
    gchar *above = ams_fault_objects_dup_parent (parent);

    ams_fault_objects_add_folder (self, parent);
    g_free (parent);
    parent = above;
  }
}

static void
check_unlisted (AmsFaultObjects *self, const gchar *name)
{
  GHashTableIter iter;
  gpointer playlist, value;

  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, &playlist, &value)) {
    AmsFaultObject *object = value;

    if (object->listed && g_hash_table_contains (object->listed, name))
      problem (self, "%s was deleted while %s listed it", name,
          (gchar *) playlist);
  }
}

gboolean
ams_fault_objects_remove (AmsFaultObjects *self, const gchar *name,
    gboolean check)
{
  if (!g_hash_table_remove (self->objects, name))
    return FALSE;
  if (check)
    check_unlisted (self, name);
  return TRUE;
}

void
ams_fault_objects_clear (AmsFaultObjects *self)
{
  g_hash_table_remove_all (self->objects);
  g_hash_table_remove_all (self->folders);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(gchar *const *) a, *(gchar *const *) b);
}

GStrv
ams_fault_objects_dup_names (AmsFaultObjects *self)
{
  GPtrArray *names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_free (names, FALSE);
}

/* Folders */

gboolean
ams_fault_objects_has_folder (AmsFaultObjects *self, const gchar *name)
{
  return name[0] == '\0' || g_hash_table_contains (self->folders, name);
}

void
ams_fault_objects_add_folder (AmsFaultObjects *self, const gchar *name)
{
  g_hash_table_add (self->folders, g_strdup (name));
}

gchar *
ams_fault_objects_dup_parent (const gchar *name)
{
  const gchar *slash = strrchr (name, '/');

  return slash ? g_strndup (name, slash - name) : g_strdup ("");
}

/* Problems */

gchar *
ams_fault_objects_dup_problems (AmsFaultObjects *self)
{
  return self->problems->len > 0 ? g_strdup (self->problems->str) : NULL;
}

void
ams_fault_objects_clear_problems (AmsFaultObjects *self)
{
  g_string_truncate (self->problems, 0);
}
