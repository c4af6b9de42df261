/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolapart.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (ams_delivery_debug);
#define GST_CAT_DEFAULT ams_delivery_debug

#define END "#EXT-X-ENDLIST"

/* Where the suffix goes: before the extension, if there is one, and before a query. */
static gsize
find_stem (const gchar *name)
{
  gsize length = strcspn (name, "?#");
  const gchar *slash = g_strrstr_len (name, length, "/");
  const gchar *dot = g_strrstr_len (name, length, ".");

  if (dot && dot > name && (!slash || dot > slash + 1))
    return dot - name;
  return length;
}

static gboolean
has_suffix (const gchar *name, gsize stem, const gchar *suffix)
{
  gsize length = strlen (suffix);

  return stem >= length && strncmp (name + stem - length, suffix, length) == 0;
}

gchar *
ams_spool_apart_name (const gchar *name, const gchar *suffix)
{
  gsize stem = find_stem (name);

  if (has_suffix (name, stem, suffix))
    return g_strdup (name);
  return g_strdup_printf ("%.*s%s%s", (gint) stem, name, suffix, name + stem);
}

/* A URI may be the name as seen from the playlist, or begin with the place where it is
 * published. */
static gboolean
is_renamed (GHashTable *renamed, const gchar *folder, const gchar *uri)
{
  g_autofree gchar *plain = g_uri_unescape_string (uri, NULL);
  g_autofree gchar *name = NULL;
  GHashTableIter iter;
  gpointer key;

  if (!plain)
    return FALSE;
  name = g_strconcat (folder, plain, NULL);
  if (g_hash_table_contains (renamed, name))
    return TRUE;
  g_hash_table_iter_init (&iter, renamed);
  while (strchr (plain, ':') && g_hash_table_iter_next (&iter, &key, NULL)) {
    g_autofree gchar *end = g_strconcat ("/", key, NULL);

    if (g_str_has_suffix (plain, end))
      return TRUE;
  }
  return FALSE;
}

static void
add_line (GString *to, const gchar *line, gsize length, const gchar *folder,
    GHashTable *renamed, const gchar *suffix)
{
  g_autofree gchar *uri = g_strndup (line, length);
  g_autofree gchar *other = NULL;

  if (length > 0 && *line != '#' && is_renamed (renamed, folder, uri))
    other = ams_spool_apart_name (uri, suffix);
  g_string_append (to, other ? other : uri);
  g_string_append_c (to, '\n');
}

GBytes *
ams_spool_apart_list (GBytes *text, const gchar *name, GHashTable *renamed,
    const gchar *suffix)
{
  gsize size;
  const gchar *p = g_bytes_get_data (text, &size), *all_end = p + size;
  const gchar *slash = strrchr (name, '/');
  g_autofree gchar *folder = g_strndup (name, slash ? slash + 1 - name : 0);
  GString *list = g_string_sized_new (size + 64);
  gboolean ends = FALSE;

  while (p < all_end) {
    const gchar *newline = memchr (p, '\n', all_end - p);
    const gchar *end = newline ? newline : all_end;
    gsize length = end - p;

    if (length > 0 && p[length - 1] == '\r')
      length--;
    ends |= length == strlen (END) && strncmp (p, END, length) == 0;
    add_line (list, p, length, folder, renamed, suffix);
    p = newline ? newline + 1 : all_end;
  }
  if (!ends)
    g_string_append (list, END "\n");
  return g_string_free_to_bytes (list);
}

/* The entries */

static gboolean
is_list (const AmsSpoolEntry *entry)
{
  return entry->kind == AMS_SPOOL_PUT &&
      entry->begin.role == AMS_FILE_ROLE_PLAYLIST;
}

static void
take_name (AmsSpoolEntry *entry, const gchar *suffix)
{
  gchar *name = ams_spool_apart_name (entry->begin.name, suffix);

  GST_INFO ("%s of an earlier session is delivered as %s", entry->begin.name,
      name);
  g_free (entry->begin.name);
  entry->begin.name = name;
}

/* (transfer full) (nullable) */
static GBytes *
read_body (AmsBody *body)
{
  guint64 size = ams_body_get_size (body), at = 0;
  g_autofree guint8 *data = g_try_malloc (size);

  while (data && at < size) {
    gssize n = ams_body_read (body, at, data + at, size - at, NULL);

    if (n <= 0)
      return NULL;
    at += n;
  }
  return data ? g_bytes_new_take (g_steal_pointer (&data), size) : NULL;
}

/* (transfer full) The name that @name had before it got the suffix; if it has it already, an earlier
 * start gave it that, and was killed before it had rewritten all playlists. */
static gchar *
name_before (const gchar *name, const gchar *suffix)
{
  gsize stem = find_stem (name);

  if (!has_suffix (name, stem, suffix))
    return g_strdup (name);
  return g_strdup_printf ("%.*s%s", (gint) (stem - strlen (suffix)), name,
      name + stem);
}

static void
rename_media (AmsSpool *spool, AmsSpoolEntry *entry, GHashTable *renamed,
    const gchar *suffix)
{
  g_autofree gchar *earlier = g_strdup (entry->begin.name);

  g_hash_table_add (renamed, name_before (earlier, suffix));
  take_name (entry, suffix);
  if (!g_str_equal (earlier, entry->begin.name))
    ams_spool_rename (spool, entry->id, entry->begin.name);
}

/* The new version is in the spool before the old one leaves it. What cannot be read stays as it is:
 * the guard of playlists says what comes of it. */
static void
rewrite_list (AmsSpool *spool, AmsSpoolEntry *entry, GHashTable *renamed,
    const gchar *suffix)
{
  g_autofree gchar *before = g_strdup (entry->begin.name);
  g_autoptr (GBytes) text = read_body (entry->body);
  g_autoptr (GBytes) list = NULL;
  g_autoptr (GError) error = NULL;
  AmsBody *body;
  guint64 id;

  if (!text)
    return;
  list = ams_spool_apart_list (text, before, renamed, suffix);
  take_name (entry, suffix);
  if (g_str_equal (before, entry->begin.name))
    return;
  entry->begin.extends = 0;
  g_clear_pointer (&entry->begin.local_path, g_free);
  body = ams_spool_create_body (spool, &entry->begin);
  ams_body_append (body, list, NULL);
  ams_body_finish (body, g_bytes_get_size (list));
  if (!ams_spool_commit (spool, body, &entry->begin, &id, &error))
    GST_WARNING ("%s", error->message);
  ams_spool_settle (spool, entry->id, entry->body, AMS_SPOOL_DROPPED);
  g_object_unref (entry->body);
  entry->body = body;
  entry->id = id;
}

/* Another recorder may have the names that were to be removed. */
static void
drop_removes (AmsSpool *spool, GPtrArray *entries)
{
  for (guint i = entries->len; i-- > 0;) {
    const AmsSpoolEntry *entry = g_ptr_array_index (entries, i);

    if (entry->kind != AMS_SPOOL_REMOVE)
      continue;
    ams_spool_settle (spool, entry->id, NULL, AMS_SPOOL_DROPPED);
    g_ptr_array_remove_index (entries, i);
  }
}

void
ams_spool_apart (AmsSpool *spool, GPtrArray *entries)
{
  const gchar *suffix = ams_spool_get_suffix (spool);
  g_autoptr (GHashTable) renamed =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (!suffix)
    return;
  drop_removes (spool, entries);
  for (guint i = 0; i < entries->len; i++) {
    AmsSpoolEntry *entry = g_ptr_array_index (entries, i);

    if (entry->kind == AMS_SPOOL_PUT && !is_list (entry))
      rename_media (spool, entry, renamed, suffix);
  }
  for (guint i = 0; i < entries->len; i++) {
    AmsSpoolEntry *entry = g_ptr_array_index (entries, i);

    if (is_list (entry))
      rewrite_list (spool, entry, renamed, suffix);
  }
}
