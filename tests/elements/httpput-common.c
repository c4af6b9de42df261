/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "httpput-common.h"

#include "files/amsfiles.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than the drain-timeout. */
#define WATCHDOG (50 * G_TIME_SPAN_SECOND)

guint
put_patience (void)
{
  const gchar *timeout = g_getenv ("CK_DEFAULT_TIMEOUT");

  return timeout ? CLAMP (atoi (timeout) / 60, 1, 10) : 1;
}

/* What it says */

static PutFile *
find_file_locked (Put *put, const gchar *name)
{
  for (guint i = 0; i < put->files->len; i++) {
    PutFile *file = put->files->pdata[i];

    if (g_str_equal (file->name, name))
      return file;
  }
  return NULL;
}

static gboolean
on_upstream_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Put *put = gst_pad_get_element_private (pad);
  g_autofree gchar *name = NULL;
  PutFile *file;

  if (ams_files_event_parse_failed (event, &name)) {
    g_mutex_lock (&put->lock);
    file = find_file_locked (put, name);
    if (file)
      file->given_up = TRUE;
    g_ptr_array_add (put->failed, g_strdup (name));
    g_cond_broadcast (&put->cond);
    g_mutex_unlock (&put->lock);
  }
  gst_event_unref (event);
  return TRUE;
}

/* Who drops a message has its ref. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Put *put = user_data;

  g_mutex_lock (&put->lock);
  g_ptr_array_add (put->messages, message);
  g_cond_broadcast (&put->cond);
  g_mutex_unlock (&put->lock);
  return GST_BUS_DROP;
}

static GstMessage *
find_message_locked (Put *put, GstMessageType type, const gchar *name, guint n)
{
  for (guint i = 0; i < put->messages->len; i++) {
    GstMessage *message = put->messages->pdata[i];
    const GstStructure *s = gst_message_get_structure (message);

    if (GST_MESSAGE_TYPE (message) == type &&
        (!name || gst_structure_has_name (s, name)) && --n == 0)
      return gst_message_ref (message);
  }
  return NULL;
}

static void
print_messages_locked (Put *put)
{
  for (guint i = 0; i < put->messages->len; i++) {
    const GstStructure *s = gst_message_get_structure (put->messages->pdata[i]);
    g_autofree gchar *text = s ? gst_structure_to_string (s) : NULL;

    g_printerr ("%s: %s\n", GST_MESSAGE_TYPE_NAME (put->messages->pdata[i]),
        text ? text : "");
  }
}

GstMessage *
put_wait (Put *put, GstMessageType type, const gchar *name, guint n)
{
  gint64 deadline = g_get_monotonic_time () + WATCHDOG * put_patience ();
  GstMessage *message;

  g_mutex_lock (&put->lock);
  while (!(message = find_message_locked (put, type, name, n))) {
    if (!g_cond_wait_until (&put->cond, &put->lock, deadline)) {
      print_messages_locked (put);
      g_error ("waited in vain for %s %s", gst_message_type_get_name (type),
          name ? name : "");
    }
  }
  g_mutex_unlock (&put->lock);
  return message;
}

guint
put_count (Put *put, GstMessageType type, const gchar *name)
{
  g_autoptr (GstMessage) message = NULL;
  guint n = 0;

  g_mutex_lock (&put->lock);
  while ((message = find_message_locked (put, type, name, n + 1))) {
    gst_clear_message (&message);
    n++;
  }
  g_mutex_unlock (&put->lock);
  return n;
}

guint64
put_wait_retry_delay (Put *put, guint n)
{
  g_autoptr (GstMessage) message =
      put_wait (put, GST_MESSAGE_ELEMENT, "ams-file-retrying", n);
  guint64 delay = 0;

  g_assert_true (gst_structure_get_uint64 (gst_message_get_structure (message),
      "delay", &delay));
  return delay;
}

void
put_assert_warning (Put *put, guint n, GstResourceError code, const gchar *part)
{
  g_autoptr (GstMessage) message = put_wait (put, GST_MESSAGE_WARNING, NULL, n);
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  if (!strstr (error->message, part))
    g_error ("“%s” is not in “%s”", part, error->message);
  g_assert_error (error, GST_RESOURCE_ERROR, (gint) code);
}

guint64
put_get_stat (Put *put, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  const GValue *value;

  g_object_get (put->put, "stats", &stats, NULL);
  value = gst_structure_get_value (stats, name);
  return G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value)
                                    : g_value_get_uint64 (value);
}

/* The element */

static void
put_file_free (gpointer data)
{
  PutFile *file = data;

  g_free (file->name);
  g_bytes_unref (file->bytes);
  g_free (file);
}

static void
set_defaults (Put *put, AmsFaultServer *server)
{
  g_autofree gchar *url = ams_fault_server_dup_url (server, PUT_FOLDER);

  g_object_set (put->put, "location", url, "proxy", "", NULL);
  if (g_str_has_prefix (url, "https")) {
    g_autofree gchar *ca =
        g_build_filename (ams_fault_certificates (), "ca.pem", NULL);

    g_object_set (put->put, "ssl-ca-file", ca, NULL);
  }
}

static void
make_pad (Put *put)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (put->put, "sink");

  put->pad = gst_pad_new ("files", GST_PAD_SRC);
  gst_pad_set_element_private (put->pad, put);
  gst_pad_set_event_function (put->pad, on_upstream_event);
  g_assert_cmpint (gst_pad_link (put->pad, sink), ==, GST_PAD_LINK_OK);
  gst_pad_set_active (put->pad, TRUE);
}

static void
begin_stream (Put *put)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (AMS_FILES_CAPS);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (put->pad, gst_event_new_stream_start ("files"));
  gst_pad_push_event (put->pad, gst_event_new_caps (caps));
  gst_pad_push_event (put->pad, gst_event_new_segment (&segment));
}

static Put *
put_alloc (void)
{
  Put *put = g_new0 (Put, 1);

  g_mutex_init (&put->lock);
  g_cond_init (&put->cond);
  put->files = g_ptr_array_new_with_free_func (put_file_free);
  put->failed = g_ptr_array_new_with_free_func (g_free);
  put->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  return put;
}

Put *
put_new (AmsFaultServer *server, const gchar *const *settings)
{
  Put *put = put_alloc ();
  g_autoptr (GstBus) bus = NULL;

  put->pipeline = gst_pipeline_new (NULL);
  put->put = gst_element_factory_make ("amshttpput", NULL);
  g_assert_nonnull (put->put);
  bus = gst_element_get_bus (put->pipeline);
  gst_bus_set_sync_handler (bus, on_message, put, NULL);
  gst_bin_add (GST_BIN (put->pipeline), put->put);
  set_defaults (put, server);
  for (guint i = 0; settings && settings[i]; i += 2)
    gst_util_set_object_arg (G_OBJECT (put->put), settings[i], settings[i + 1]);
  make_pad (put);
  g_assert_cmpint (gst_element_set_state (put->pipeline, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
  begin_stream (put);
  return put;
}

void
put_stop (Put *put)
{
  gint64 begun = g_get_monotonic_time ();

  gst_element_set_state (put->pipeline, GST_STATE_NULL);
  g_assert_cmpint (g_get_monotonic_time () - begun, <,
      put_patience () * G_TIME_SPAN_SECOND);
}

void
put_free (Put *put)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (put->pipeline);
  gpointer leaked = put->put;

  put_stop (put);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  gst_pad_set_active (put->pad, FALSE);
  gst_object_unref (put->pad);
  /* They hold refs to what posted them. */
  g_ptr_array_unref (put->messages);
  g_object_add_weak_pointer (leaked, &leaked);
  gst_object_unref (put->pipeline);
  g_assert_null (leaked);
  g_ptr_array_unref (put->files);
  g_ptr_array_unref (put->failed);
  g_free (put->playlist);
  g_mutex_clear (&put->lock);
  g_cond_clear (&put->cond);
  g_free (put);
}

/* The recording */

static GBytes *
make_bytes (guint seed, gsize size)
{
  guint8 *data = g_malloc (size);
  guint32 word = seed;

  for (gsize i = 0; i < size; i++) {
    word = word * 1664525 + 1013904223;
    data[i] = word >> 24;
  }
  return g_bytes_new_take (data, size);
}

static void
push_bytes (Put *put, GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes);

  for (gsize at = 0; at < size; at += AMS_FILES_BLOCK_SIZE) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, at,
        MIN (size - at, AMS_FILES_BLOCK_SIZE));
    gint64 begun = g_get_monotonic_time ();

    g_assert_cmpint (
        gst_pad_push (put->pad, gst_buffer_new_wrapped_bytes (part)), ==,
        GST_FLOW_OK);
    put->longest_push =
        MAX (put->longest_push, g_get_monotonic_time () - begun);
  }
}

static void
push_file (Put *put, const AmsFileBegin *begin, GBytes *bytes)
{
  AmsFileEnd end = { .size = g_bytes_get_size (bytes),
    .complete = TRUE,
    .duration = GST_CLOCK_TIME_NONE };
  gint64 begun = g_get_monotonic_time ();

  gst_pad_push_event (put->pad, ams_files_event_new_begin (begin));
  push_bytes (put, bytes);
  gst_pad_push_event (put->pad, ams_files_event_new_end (&end));
  put->longest_push = MAX (put->longest_push, g_get_monotonic_time () - begun);
}

void
put_push_segment (Put *put, gsize size)
{
  PutFile *file = g_new0 (PutFile, 1);
  AmsFileBegin begin = { .role = AMS_FILE_ROLE_SEGMENT };

  file->name = g_strdup_printf ("s%05u.ts", put->files->len);
  file->bytes = make_bytes (put->files->len + 1, size);
  begin.name = file->name;
  g_mutex_lock (&put->lock);
  g_ptr_array_add (put->files, file);
  g_mutex_unlock (&put->lock);
  push_file (put, &begin, file->bytes);
}

static gchar *
make_playlist_locked (Put *put, gboolean final)
{
  GString *text = g_string_new ("#EXTM3U\n#EXT-X-VERSION:8\n"
                                "#EXT-X-TARGETDURATION:6\n"
                                "#EXT-X-PLAYLIST-TYPE:EVENT\n");

  for (guint i = 0; i < put->files->len; i++) {
    PutFile *file = put->files->pdata[i];

    g_string_append_printf (text, "#EXTINF:6.000,\n%s%s\n",
        file->given_up ? "#EXT-X-GAP\n" : "", file->name);
  }
  if (final)
    g_string_append (text, "#EXT-X-ENDLIST\n");
  return g_string_free (text, FALSE);
}

static GStrv
steal_failed_locked (Put *put)
{
  GStrv failed;

  if (put->failed->len == 0)
    return NULL;
  g_ptr_array_add (put->failed, NULL);
  failed = (GStrv) g_ptr_array_free (put->failed, FALSE);
  put->failed = g_ptr_array_new_with_free_func (g_free);
  return failed;
}

void
put_push_playlist (Put *put, gboolean final)
{
  g_auto (GStrv) failed = NULL;
  g_autoptr (GBytes) bytes = NULL;
  AmsFileBegin begin = { .name = (gchar *) "p.m3u8",
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = ++put->version,
    .final = final };

  g_free (put->playlist);
  g_mutex_lock (&put->lock);
  put->playlist = make_playlist_locked (put, final);
  begin.failed = failed = steal_failed_locked (put);
  g_mutex_unlock (&put->lock);
  bytes = g_bytes_new (put->playlist, strlen (put->playlist));
  push_file (put, &begin, bytes);
}

void
put_record (Put *put, guint n)
{
  static const gsize sizes[] = { 60000, 10000, 100000, 31234 };

  for (guint i = 0; i < n; i++) {
    put_push_segment (put, sizes[put->files->len % G_N_ELEMENTS (sizes)]);
    put_push_playlist (put, FALSE);
  }
}

/* As amshlssink asks: what was given up has to be in the last playlist. */
void
put_drain (Put *put)
{
  g_autoptr (GstQuery) query = ams_files_query_new_drain ();

  gst_pad_peer_query (put->pad, query);
}

void
put_finish (Put *put)
{
  put_drain (put);
  put_push_playlist (put, TRUE);
  gst_pad_push_event (put->pad, gst_event_new_eos ());
  gst_message_unref (put_wait (put, GST_MESSAGE_EOS, NULL, 1));
}

static gpointer
finish (gpointer data)
{
  put_finish (data);
  return NULL;
}

GThread *
put_finish_begin (Put *put)
{
  return g_thread_new ("finish", finish, put);
}

/* What became of it */

static void
assert_object (AmsFaultServer *server, const gchar *folder, const gchar *name,
    GBytes *bytes)
{
  g_autofree gchar *path = g_strconcat (folder, name, NULL);
  g_autoptr (GBytes) stored = ams_fault_server_dup_object (server, path);

  if (!stored) {
    g_autofree gchar *log = ams_fault_server_dup_log (server);

    g_printerr ("%s", log);
    g_error ("%s is not there", path);
  }
  if (!g_bytes_equal (stored, bytes))
    g_error ("%s has other bytes (%" G_GSIZE_FORMAT " of them)", path,
        g_bytes_get_size (stored));
}

static guint
count_objects (AmsFaultServer *server, const gchar *folder)
{
  g_auto (GStrv) names = ams_fault_server_dup_names (server);
  guint n = 0;

  for (guint i = 0; names[i]; i++)
    n += g_str_has_prefix (names[i], folder);
  return n;
}

static void
assert_no_problems (AmsFaultServer *server)
{
  g_autofree gchar *problems = ams_fault_server_dup_problems (server);

  if (problems)
    g_error ("a reader was misled: %s", problems);
}

void
put_assert_stored_in (Put *put, AmsFaultServer *server, const gchar *folder)
{
  g_autoptr (GBytes) playlist =
      g_bytes_new (put->playlist, strlen (put->playlist));
  guint expected = 1;

  for (guint i = 0; i < put->files->len; i++) {
    PutFile *file = put->files->pdata[i];

    if (file->given_up)
      continue;
    assert_object (server, folder, file->name, file->bytes);
    expected++;
  }
  assert_object (server, folder, "p.m3u8", playlist);
  g_assert_cmpuint (count_objects (server, folder), ==, expected);
  assert_no_problems (server);
}

void
put_assert_stored (Put *put, AmsFaultServer *server)
{
  put_assert_stored_in (put, server, PUT_FOLDER);
}

void
put_assert_faults (Put *put, guint n)
{
  guint begun = put_count (put, GST_MESSAGE_WARNING, NULL);
  guint over = put_count (put, GST_MESSAGE_INFO, NULL);

  if (begun != n || over != n || put_count (put, GST_MESSAGE_ERROR, NULL) > 0) {
    print_messages_locked (put);
    g_error ("%u faults were said, %u of them are over; expected: %u", begun,
        over, n);
  }
}

void
put_assert_faults_are_over (Put *put)
{
  guint begun = put_count (put, GST_MESSAGE_WARNING, NULL);

  g_assert_cmpuint (begun, >, 0);
  put_assert_faults (put, begun);
}

/* Folders */

gchar *
put_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("ams-put-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static void
remove_tree (const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *child = g_build_filename (path, name, NULL);

    if (g_file_test (child, G_FILE_TEST_IS_DIR))
      remove_tree (child);
    else
      g_unlink (child);
  }
  g_rmdir (path);
}

void
put_remove_folder (gchar *folder)
{
  remove_tree (folder);
  g_free (folder);
}
