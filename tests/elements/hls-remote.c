/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "hls-remote.h"

#include "files/amsfiles.h"

#include <glib/gstdio.h>
#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)

typedef struct
{
  gchar *name;
  guint64 version;
} Owed;

struct _HlsRemote
{
  GstElement parent;
  GstPad *pad;

  /* streaming thread */
  AmsFileBegin begin;
  gboolean open;
  GByteArray *bytes;

  GMutex lock;
  /* under it */
  HlsRemoteFaults faults;
  gboolean holds;
  GCond cond; /* it does no longer */
  gchar *gives_up, *refuses; /* (nullable) */
  GHashTable *files, *parts; /* name → GBytes */
  GHashTable *paths; /* name → local path */
  GHashTable *notes; /* name → AmsFileEntry: what its begin said */
  GString *log;
  GQueue owed; /* Owed: stored, and not said yet */
};

G_DEFINE_FINAL_TYPE (HlsRemote, hls_remote, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));

static void
owed_free (Owed *owed)
{
  g_free (owed->name);
  g_free (owed);
}

static void note (HlsRemote *self, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static void
note (HlsRemote *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_mutex_lock (&self->lock);
  g_string_append_vprintf (self->log, format, args);
  g_string_append_c (self->log, '\n');
  g_mutex_unlock (&self->lock);
  va_end (args);
}

static HlsRemoteFaults
get_faults (HlsRemote *self)
{
  HlsRemoteFaults faults;

  g_mutex_lock (&self->lock);
  faults = self->faults;
  g_mutex_unlock (&self->lock);
  return faults;
}

/* ---- storing ---- */

static void
say_stored (HlsRemote *self, const gchar *name, guint64 version)
{
  Owed *owed;

  switch (get_faults (self) & (HLS_REMOTE_MUTE | HLS_REMOTE_LATE)) {
    case 0:
      gst_pad_push_event (self->pad,
          ams_files_event_new_stored (name, version));
      break;
    case HLS_REMOTE_LATE:
      owed = g_new0 (Owed, 1);
      owed->name = g_strdup (name);
      owed->version = version;
      g_mutex_lock (&self->lock);
      g_queue_push_tail (&self->owed, owed);
      g_mutex_unlock (&self->lock);
      break;
    default:
      break;
  }
}

static void
say_owed (HlsRemote *self)
{
  Owed *owed;

  for (;;) {
    g_mutex_lock (&self->lock);
    owed = g_queue_pop_head (&self->owed);
    g_mutex_unlock (&self->lock);
    if (!owed)
      break;
    gst_pad_push_event (self->pad,
        ams_files_event_new_stored (owed->name, owed->version));
    owed_free (owed);
  }
}

static void
drain (HlsRemote *self)
{
  g_autofree gchar *gives_up = NULL;

  note (self, "drain");
  g_mutex_lock (&self->lock);
  gives_up = g_steal_pointer (&self->gives_up);
  g_mutex_unlock (&self->lock);
  if (gives_up)
    gst_pad_push_event (self->pad, ams_files_event_new_failed (gives_up));
  say_owed (self);
}

static GBytes *
read_reference (HlsRemote *self, guint64 size)
{
  g_autoptr (GError) error = NULL;
  gchar *bytes;
  gsize length;

  g_assert_cmpuint (self->bytes->len, ==, 0);
  g_file_get_contents (self->begin.local_path, &bytes, &length, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (length, ==, size);
  return g_bytes_new_take (bytes, length);
}

static gboolean
refuse (HlsRemote *self, const gchar *name)
{
  gboolean refuses;

  g_mutex_lock (&self->lock);
  refuses = g_strcmp0 (self->refuses, name) == 0;
  g_mutex_unlock (&self->lock);
  if (!refuses)
    return FALSE;
  note (self, "refuse %s", name);
  gst_pad_push_event (self->pad, ams_files_event_new_failed (name));
  return TRUE;
}

static void
store (HlsRemote *self, const AmsFileEnd *end)
{
  gboolean playlist = self->begin.role == AMS_FILE_ROLE_PLAYLIST;
  gchar *name = self->begin.name;
  GBytes *data;

  if (refuse (self, name))
    return;
  if (self->begin.by_reference)
    data = read_reference (self, end->size);
  else
    data = g_bytes_new (self->bytes->data, end->size);
  note (self, "%s %s%s%s",
      self->begin.by_reference ? "refer"
          : playlist           ? "playlist"
                               : "file",
      name, self->begin.failed ? " heeds " : "",
      self->begin.failed ? self->begin.failed[0] : "");
  g_mutex_lock (&self->lock);
  /* Nothing but playlists is ever replaced by something else. */
  if (!playlist && g_hash_table_contains (self->files, name))
    g_assert_true (
        g_bytes_equal (g_hash_table_lookup (self->files, name), data));
  g_hash_table_replace (self->files, g_strdup (name), data);
  if (self->begin.local_path)
    g_hash_table_replace (self->paths, g_strdup (name),
        g_strdup (self->begin.local_path));
  g_mutex_unlock (&self->lock);
  say_stored (self, name, self->begin.version);
}

static void
adopt (HlsRemote *self, const gchar *name, guint64 size)
{
  GBytes *part;

  note (self, "adopt %s %" G_GUINT64_FORMAT, name, size);
  g_mutex_lock (&self->lock);
  part = g_hash_table_lookup (self->parts, name);
  g_assert_nonnull (part);
  g_hash_table_replace (self->files, g_strdup (name),
      g_bytes_new_from_bytes (part, 0, size));
  g_hash_table_remove (self->parts, name);
  g_mutex_unlock (&self->lock);
}

static void
remove_file (HlsRemote *self, const gchar *name)
{
  note (self, "remove %s", name);
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->files, name);
  g_mutex_unlock (&self->lock);
}

static void
take_note (HlsRemote *self)
{
  AmsFileEntry *entry = ams_file_entry_new (self->begin.name, 0, FALSE);

  entry->date_time = self->begin.date_time;
  entry->discontinuity = self->begin.discontinuity;
  g_mutex_lock (&self->lock);
  g_hash_table_replace (self->notes, entry->name, entry);
  g_mutex_unlock (&self->lock);
}

static void
take_event (HlsRemote *self, GstEvent *event)
{
  g_autofree gchar *name = NULL, *from = NULL;
  AmsFileBegin begin;
  AmsFileEnd end;
  guint64 size;
  gdouble after;

  if (ams_files_event_parse_begin (event, &begin)) {
    g_assert_false (self->open);
    ams_file_begin_clear (&self->begin);
    self->begin = begin;
    self->open = TRUE;
    take_note (self);
    g_byte_array_set_size (self->bytes, 0);
  } else if (ams_files_event_parse_end (event, &end)) {
    g_assert_true (self->open);
    self->open = FALSE;
    if (end.complete)
      store (self, &end);
  } else if (ams_files_event_parse_adopt (event, &name, &from, &size)) {
    g_assert_null (from);
    adopt (self, name, size);
  } else if (ams_files_event_parse_remove (event, &name, &after)) {
    remove_file (self, name);
  }
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  HlsRemote *self = HLS_REMOTE (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM) {
    take_event (self, event);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    say_owed (self);
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_eos (GST_OBJECT (self)));
  }
  gst_event_unref (event);
  return TRUE;
}

static GstFlowReturn
on_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  HlsRemote *self = HLS_REMOTE (parent);
  GstMapInfo map;

  g_assert_true (self->open);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (self->bytes, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

/* ---- answering ---- */

static gboolean
cannot_tell (HlsRemoteFaults faults, const gchar *name)
{
  return faults & HLS_REMOTE_CANNOT_TELL ||
      (faults & HLS_REMOTE_CANNOT_TELL_SEGMENTS &&
          g_str_has_suffix (name, "ts"));
}

static void
answer_fetch (HlsRemote *self, GstQuery *query, const gchar *name,
    gboolean partial, HlsRemoteFaults faults)
{
  GBytes *data;

  note (self, "fetch %s", name);
  g_mutex_lock (&self->lock);
  data = g_hash_table_lookup (partial ? self->parts : self->files, name);
  if (data)
    g_bytes_ref (data);
  g_mutex_unlock (&self->lock);
  if (faults & HLS_REMOTE_CLOSED)
    ams_files_query_add_closed (query, "it has been closed");
  else if (cannot_tell (faults, name))
    ams_files_query_add_failed (query, "the cable is cut", FALSE);
  else if (data)
    ams_files_query_add_fetched (query, data);
  else
    ams_files_query_add_absent (query);
  g_clear_pointer (&data, g_bytes_unref);
}

static AmsFileEntry *
make_entry (HlsRemote *self, const gchar *name, GBytes *data, gboolean partial)
{
  AmsFileEntry *entry =
      ams_file_entry_new (name, g_bytes_get_size (data), partial);
  const AmsFileEntry *noted = g_hash_table_lookup (self->notes, name);

  if (noted && (self->faults & HLS_REMOTE_TAKES_NOTE)) {
    entry->date_time = noted->date_time;
    entry->discontinuity = noted->discontinuity;
  }
  return entry;
}

static void
add_entries (HlsRemote *self, GHashTable *table, gboolean partial,
    const gchar *prefix, GPtrArray *entries)
{
  GHashTableIter iter;
  gpointer name, data;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &name, &data))
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (entries, make_entry (self, name, data, partial));
}

static void
answer_list (HlsRemote *self, GstQuery *query, const gchar *prefix,
    HlsRemoteFaults faults)
{
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);

  if (faults & (HLS_REMOTE_CANNOT_LIST | HLS_REMOTE_CANNOT_TELL)) {
    ams_files_query_add_failed (query, "it has no list", FALSE);
    return;
  }
  g_mutex_lock (&self->lock);
  add_entries (self, self->files, FALSE, prefix, entries);
  add_entries (self, self->parts, TRUE, prefix, entries);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; faults & HLS_REMOTE_LISTS_LONGER && i < entries->len; i++)
    ((AmsFileEntry *) g_ptr_array_index (entries, i))->size += 188;
  ams_files_query_add_listed (query, entries);
}

static void
wait_while_held (HlsRemote *self)
{
  g_mutex_lock (&self->lock);
  while (self->holds)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
}

static gboolean
on_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  HlsRemote *self = HLS_REMOTE (parent);
  HlsRemoteFaults faults = get_faults (self);
  g_autofree gchar *name = NULL, *prefix = NULL;
  gboolean partial;
  guint64 max;
  gint64 since;

  if (faults & HLS_REMOTE_MUTE)
    return gst_pad_query_default (pad, parent, query);
  wait_while_held (self);
  if (ams_files_query_parse_fetch (query, &name, &partial, &max))
    answer_fetch (self, query, name, partial, faults);
  else if (ams_files_query_parse_list (query, &prefix))
    answer_list (self, query, prefix, faults);
  else if (ams_files_query_parse_drain (query, &since))
    drain (self);
  else
    return gst_pad_query_default (pad, parent, query);
  return FALSE;
}

/* ---- element ---- */

static void
hls_remote_finalize (GObject *object)
{
  HlsRemote *self = HLS_REMOTE (object);

  ams_file_begin_clear (&self->begin);
  g_byte_array_unref (self->bytes);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self->gives_up);
  g_free (self->refuses);
  g_hash_table_unref (self->files);
  g_hash_table_unref (self->parts);
  g_hash_table_unref (self->paths);
  g_hash_table_unref (self->notes);
  g_string_free (self->log, TRUE);
  g_queue_clear_full (&self->owed, (GDestroyNotify) owed_free);
  G_OBJECT_CLASS (hls_remote_parent_class)->finalize (object);
}

static void
hls_remote_class_init (HlsRemoteClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hls_remote_finalize;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &sink_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Obedient store", "Sink", "Keeps files in memory",
      "The amshls developers");
}

static GHashTable *
new_table (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_bytes_unref);
}

static void
hls_remote_init (HlsRemote *self)
{
  self->bytes = g_byte_array_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->files = new_table ();
  self->parts = new_table ();
  self->paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->notes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) ams_file_entry_free);
  self->log = g_string_new (NULL);
  g_queue_init (&self->owed);
  self->pad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_event_function (self->pad, on_event);
  gst_pad_set_chain_function (self->pad, on_buffer);
  gst_pad_set_query_function (self->pad, on_query);
  gst_element_add_pad (GST_ELEMENT (self), self->pad);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}

/* ---- interface ---- */

static void
set_write_files (Hls *hls, const gchar *write_files)
{
  gst_util_set_object_arg (G_OBJECT (hls->sink), "write-files", write_files);
  if (g_str_equal (write_files, "never"))
    g_object_set (hls->sink, "location", "s%05d.ts", "playlist-location",
        "p.m3u8", NULL);
}

HlsRemote *
hls_add_remote (Hls *hls, const gchar *write_files)
{
  HlsRemote *self = g_object_new (HLS_TYPE_REMOTE, NULL);

  set_write_files (hls, write_files);
  gst_bin_add (GST_BIN (hls->pipeline), GST_ELEMENT (self));
  g_assert_true (
      gst_element_link_pads (hls->sink, "src", GST_ELEMENT (self), "sink"));
  return self;
}

void
hls_add_remotes (Hls *hls, const gchar *write_files, HlsRemote *remotes[2])
{
  GstElement *tee = gst_element_factory_make ("tee", NULL);

  set_write_files (hls, write_files);
  gst_bin_add (GST_BIN (hls->pipeline), tee);
  g_assert_true (gst_element_link_pads (hls->sink, "src", tee, "sink"));
  for (guint i = 0; i < 2; i++) {
    GstElement *queue = gst_element_factory_make ("queue", NULL);

    remotes[i] = g_object_new (HLS_TYPE_REMOTE, NULL);
    gst_bin_add_many (GST_BIN (hls->pipeline), queue, GST_ELEMENT (remotes[i]),
        NULL);
    g_assert_true (
        gst_element_link_many (tee, queue, GST_ELEMENT (remotes[i]), NULL));
  }
}

void
hls_remote_hold (HlsRemote *self, gboolean hold)
{
  g_mutex_lock (&self->lock);
  self->holds = hold;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
hls_remote_set_faults (HlsRemote *self, HlsRemoteFaults faults)
{
  g_mutex_lock (&self->lock);
  self->faults = faults;
  g_mutex_unlock (&self->lock);
}

void
hls_remote_give_up (HlsRemote *self, const gchar *name)
{
  g_mutex_lock (&self->lock);
  g_free (self->gives_up);
  self->gives_up = g_strdup (name);
  g_mutex_unlock (&self->lock);
}

void
hls_remote_refuse (HlsRemote *self, const gchar *name)
{
  g_mutex_lock (&self->lock);
  g_free (self->refuses);
  self->refuses = g_strdup (name);
  g_mutex_unlock (&self->lock);
}

static GBytes *
ref_data (HlsRemote *self, const gchar *name)
{
  GBytes *data;

  g_mutex_lock (&self->lock);
  data = g_hash_table_lookup (self->files, name);
  if (data)
    g_bytes_ref (data);
  g_mutex_unlock (&self->lock);
  return data;
}

gchar *
hls_remote_dup_text (HlsRemote *self, const gchar *name)
{
  g_autoptr (GBytes) data = ref_data (self, name);

  if (!data)
    return NULL;
  return g_strndup (g_bytes_get_data (data, NULL), g_bytes_get_size (data));
}

gboolean
hls_remote_has (HlsRemote *self, const gchar *name)
{
  g_autoptr (GBytes) data = ref_data (self, name);

  return data != NULL;
}

void
hls_remote_assert_same (HlsRemote *self, const gchar *name, const gchar *path)
{
  g_autoptr (GBytes) data = ref_data (self, name);
  g_autofree gchar *bytes = NULL;
  gsize size;

  if (!data)
    g_error ("it has no “%s”", name);
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_assert_cmpmem (g_bytes_get_data (data, NULL), g_bytes_get_size (data),
      bytes, size);
}

void
hls_remote_set (HlsRemote *self, const gchar *name, const gchar *bytes,
    gsize size, gboolean partial)
{
  GHashTable *table = partial ? self->parts : self->files;

  g_mutex_lock (&self->lock);
  if (bytes)
    g_hash_table_replace (table, g_strdup (name), g_bytes_new (bytes, size));
  else
    g_hash_table_remove (table, name);
  g_mutex_unlock (&self->lock);
}

gchar *
hls_remote_take_log (HlsRemote *self)
{
  gchar *log;

  g_mutex_lock (&self->lock);
  log = g_strdup (self->log->str);
  g_string_truncate (self->log, 0);
  g_mutex_unlock (&self->lock);
  return log;
}

gchar *
hls_remote_dup_path (HlsRemote *self, const gchar *name)
{
  gchar *path;

  g_mutex_lock (&self->lock);
  path = g_strdup (g_hash_table_lookup (self->paths, name));
  g_mutex_unlock (&self->lock);
  return path;
}

/* ---- what tests share ---- */

gchar *
hls_remote_take_lines (HlsRemote *remote, gboolean fetches)
{
  g_autofree gchar *log = hls_remote_take_log (remote);
  g_auto (GStrv) lines = g_strsplit (log, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);

  for (guint i = 0; lines[i] && *lines[i]; i++) {
    if (g_str_equal (lines[i], "drain"))
      continue;
    if (g_str_has_prefix (lines[i], "fetch ") == fetches)
      g_string_append_printf (out, "%s\n", lines[i]);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

void
hls_remote_assert_changes (HlsRemote *remote, const gchar *expected)
{
  g_autofree gchar *changes = hls_remote_take_lines (remote, FALSE);

  g_assert_cmpstr (changes, ==, expected);
}

void
hls_put (const gchar *path, const gchar *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* @text up to the line of its @n-th segment. */
gchar *
hls_cut_playlist (const gchar *text, guint n)
{
  const gchar *p = text;

  while (n-- > 0) {
    p = strstr (p, ".ts\n");
    g_assert_nonnull (p);
    p += 4;
  }
  return g_strndup (text, p - text);
}

/* The store has the first @n segments, and a playlist of these. */
void
hls_remote_leave_behind (HlsRemote *remote, guint n)
{
  g_autofree gchar *text = hls_remote_dup_text (remote, "p.m3u8");
  g_autofree gchar *cut = hls_cut_playlist (text, n);

  hls_remote_set (remote, "p.m3u8", cut, strlen (cut), FALSE);
  for (guint i = n; i < 10; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05u.ts", i);

    hls_remote_set (remote, name, NULL, 0, FALSE);
  }
  g_free (hls_remote_take_log (remote));
}

/* Of the disk likewise. */
void
hls_cut_disk (Hls *hls, guint n, gboolean remove)
{
  g_autofree gchar *text = hls_read (hls->playlist);
  g_autofree gchar *cut = hls_cut_playlist (text, n);

  hls_put (hls->playlist, cut);
  for (guint i = n; remove && i < 10; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05u.ts", i);
    g_autofree gchar *path = hls_path (hls, name);

    g_unlink (path);
  }
}

/* Five segments on disk and in the store. */
HlsRemote *
hls_record_with_remote (Hls *hls)
{
  HlsRemote *remote = hls_add_remote (hls, "always");

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (10));
  hls_forget_messages (hls);
  return remote;
}

/* All that the playlist on disk lists is in the store, and the same. */
void
hls_remote_assert_whole (Hls *hls, HlsRemote *remote, guint segments)
{
  g_autoptr (HlsPlaylist) playlist = hls_playlist_read (hls->playlist);

  g_assert_cmpuint (playlist->segments->len, ==, segments);
  hls_remote_assert_same (remote, "p.m3u8", hls->playlist);
  for (guint i = 0; i < segments; i++) {
    const gchar *uri = hls_segment (playlist, i)->uri;
    g_autofree gchar *path = hls_path (hls, uri);

    if (!hls_segment (playlist, i)->gap)
      hls_remote_assert_same (remote, uri, path);
  }
}

void
hls_expect_warning (Hls *hls, const gchar *word)
{
  hls->expects_trouble = TRUE;
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_READ, "p.m3u8", word, NULL);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ERROR, NULL), ==, 0);
}

void
hls_refuse (Hls *hls, HlsRemote *remote, const gchar *word)
{
  g_free (hls_remote_take_log (remote));
  hls->expects_trouble = TRUE;
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  hls_assert_error (hls, READ, "p.m3u8", word, "on a guess");
  hls_remote_assert_changes (remote, "");
}
