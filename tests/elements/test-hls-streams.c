/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where amshlssink's files go: out of its src pad, to disk, or to an application's streams. The names in the
 * file stream are spelt as docs/file-stream.md has them, as another project's element would. */

#include "config.h"

#include "hls-common.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define CAMERA_US \
  G_GINT64_CONSTANT (1795344365000000) /* 2026-11-22T10:46:05Z */

enum
{
  AUTO,
  ALWAYS,
  NEVER,
};

/* ---- the src pad ---- */

/* What came out of the src pad. */
typedef struct
{
  GHashTable *files; /* name → GByteArray, whole ones */
  gchar *open; /* (nullable) name */
  gboolean playlist;
  GByteArray *bytes;
  guint64 version, extends;
  gboolean started, final, eos;
  guint playlists;
} Stream;

static void
begin_file (Stream *stream, const GstStructure *s)
{
  const gchar *role = gst_structure_get_string (s, "role");
  guint64 version = 0;

  g_assert_null (stream->open);
  stream->open = g_strdup (gst_structure_get_string (s, "name"));
  g_assert_nonnull (stream->open);
  g_assert_true (stream->open[0] != '/');
  stream->playlist = g_str_equal (role, "playlist");
  g_assert_cmpstr (gst_structure_get_string (s, "content-type"), ==,
      stream->playlist ? "application/vnd.apple.mpegurl" : "video/mp2t");
  if (stream->playlist) {
    g_assert_true (gst_structure_get_uint64 (s, "version", &version));
    g_assert_cmpuint (version, >, stream->version);
    stream->version = version;
    gst_structure_get_uint64 (s, "extends", &stream->extends);
    g_assert_false (stream->final);
    gst_structure_get_boolean (s, "final", &stream->final);
  } else {
    g_assert_cmpstr (role, ==, "segment");
    g_assert_null (g_hash_table_lookup (stream->files, stream->open));
  }
  stream->bytes = g_byte_array_new ();
}

/* What it lists has been; what it says it extends is so. */
static void
check_version (Stream *stream)
{
  GByteArray *before = g_hash_table_lookup (stream->files, stream->open);
  g_autofree gchar *text =
      g_strndup ((const gchar *) stream->bytes->data, stream->bytes->len);
  g_autoptr (HlsPlaylist) playlist = hls_playlist_parse (text);

  for (guint i = 0; i < playlist->segments->len; i++)
    g_assert_nonnull (
        g_hash_table_lookup (stream->files, hls_segment (playlist, i)->uri));
  if (stream->extends > 0) {
    g_assert_nonnull (before);
    g_assert_cmpuint (stream->extends, ==, before->len);
    g_assert_cmpmem (text, before->len, before->data, before->len);
  }
  stream->playlists++;
}

static void
end_file (Stream *stream, const GstStructure *s)
{
  guint64 size;
  gboolean complete;

  g_assert_nonnull (stream->open);
  g_assert_true (gst_structure_get_uint64 (s, "size", &size));
  g_assert_true (gst_structure_get_boolean (s, "complete", &complete));
  g_assert_true (complete);
  g_assert_cmpuint (size, <=, stream->bytes->len);
  g_byte_array_set_size (stream->bytes, size);
  if (stream->playlist)
    check_version (stream);
  g_hash_table_replace (stream->files, g_steal_pointer (&stream->open),
      g_steal_pointer (&stream->bytes));
}

static void
take_event (Stream *stream, GstEvent *event)
{
  const GstStructure *s = gst_event_get_structure (event);

  g_assert_false (stream->eos);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    g_assert_null (stream->open);
    stream->eos = TRUE;
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    stream->started = TRUE;
  } else if (gst_event_has_name (event, "ams-file-begin")) {
    g_assert_true (stream->started);
    begin_file (stream, s);
  } else if (gst_event_has_name (event, "ams-file-end")) {
    end_file (stream, s);
  }
}

static GstPadProbeReturn
on_src (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = data;
  GstMapInfo map;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    g_assert_nonnull (stream->open);
    g_assert_true (
        gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map, GST_MAP_READ));
    g_byte_array_append (stream->bytes, map.data, map.size);
    gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  } else {
    take_event (stream, GST_PAD_PROBE_INFO_EVENT (info));
  }
  return GST_PAD_PROBE_OK;
}

static Stream *
watch_src (Hls *hls)
{
  Stream *stream = g_new0 (Stream, 1);
  GstElement *fakesink = gst_element_factory_make ("fakesink", NULL);
  g_autoptr (GstPad) sinkpad = gst_element_get_static_pad (fakesink, "sink");
  g_autoptr (GstPad) srcpad = NULL;

  stream->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_byte_array_unref);
  g_object_set (fakesink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add (GST_BIN (hls->pipeline), fakesink);
  srcpad = gst_element_request_pad_simple (hls->sink, "src");
  g_assert_nonnull (srcpad);
  g_assert_cmpint (gst_pad_link (srcpad, sinkpad), ==, GST_PAD_LINK_OK);
  gst_pad_add_probe (srcpad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_src,
      stream, NULL);
  return stream;
}

static void
stream_free (Stream *stream)
{
  g_assert_null (stream->open);
  g_hash_table_unref (stream->files);
  g_free (stream);
}

static void
set_relative (Hls *hls)
{
  g_object_set (hls->sink, "location", "cam/s%05d.ts", "playlist-location",
      "cam/p.m3u8", "write-files", NEVER, NULL);
}

static void
stream_a_recording (guint type)
{
  g_autoptr (Hls) hls = hls_new ();
  Stream *stream = watch_src (hls);

  g_object_set (hls->sink, "location", "s%05d.ts", "playlist-location",
      "p.m3u8", "write-files", NEVER, "playlist-type", type, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (40));
  hls_eos (hls);
  hls_stop (hls);
  g_assert_true (stream->eos);
  g_assert_true (stream->final);
  g_assert_cmpuint (stream->playlists, ==, 21);
  g_assert_nonnull (g_hash_table_lookup (stream->files, "p.m3u8"));
  g_assert_nonnull (g_hash_table_lookup (stream->files, "s00019.ts"));
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  stream_free (stream);
}

static void
test_file_stream_is_as_the_contract_says (void)
{
  stream_a_recording (0);
  stream_a_recording (1);
}

static void
test_file_stream_names_are_those_that_were_given (void)
{
  g_autoptr (Hls) hls = hls_new ();
  Stream *stream = watch_src (hls);

  set_relative (hls);
  hls_add_video (hls, NULL);
  /* A playlist's URIs are relative to it: check_version() would not find them. */
  g_object_set (hls->sink, "playlist-root", "cam", NULL);
  hls_record (hls, SECONDS (4));
  g_assert_nonnull (g_hash_table_lookup (stream->files, "cam/p.m3u8"));
  g_assert_nonnull (g_hash_table_lookup (stream->files, "cam/s00001.ts"));
  stream_free (stream);
}

static void
write_files (guint mode, gboolean linked)
{
  g_autoptr (Hls) hls = hls_new ();
  Stream *stream = linked ? watch_src (hls) : NULL;
  gboolean on_disk = mode == ALWAYS || (mode == AUTO && !linked);
  g_autofree gchar *before = g_get_current_dir ();

  g_test_message ("write-files=%u %s", mode, linked ? "linked" : "");
  /* Relative, as src wants it; so the disk has them here. */
  g_assert_cmpint (g_chdir (hls->dir), ==, 0);
  g_object_set (hls->sink, "location", "s%05d.ts", "playlist-location",
      "p.m3u8", "write-files", mode, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  hls_stop (hls);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, on_disk ? 4 : 0);
  if (linked) {
    g_assert_true (stream->final);
    g_assert_cmpuint (g_hash_table_size (stream->files), ==, 4);
    stream_free (stream);
  }
  if (on_disk)
    hls_playlist_free (hls_check (hls));
  g_assert_cmpint (g_chdir (before), ==, 0);
}

static void
test_write_files_says_where_they_go (void)
{
  for (guint mode = AUTO; mode <= NEVER; mode++) {
    if (mode != NEVER)
      write_files (mode, FALSE);
    write_files (mode, TRUE);
  }
}

static void
test_write_files_never_and_no_src_is_one_error (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls->expects_trouble = TRUE;
  g_object_set (hls->sink, "location", "s%05d.ts", "playlist-location",
      "p.m3u8", "write-files", NEVER, NULL);
  hls_add_av (hls);
  gst_element_set_state (hls->pipeline, GST_STATE_PLAYING);
  hls_push_until (hls, SECONDS (6));
  hls_assert_error (hls, SETTINGS, "write-files", "src");
}

/* ---- streams of the application ---- */

/* Name → GMemoryOutputStream, the last of that name; under the lock. */
typedef struct
{
  GMutex lock;
  GHashTable *streams;
  GPtrArray *deleted;
} Memory;

static GOutputStream *
on_stream (GstElement *sink, const gchar *location, gpointer data)
{
  Memory *memory = data;
  GOutputStream *stream = g_memory_output_stream_new_resizable ();

  g_mutex_lock (&memory->lock);
  g_hash_table_replace (memory->streams, g_path_get_basename (location),
      g_object_ref (stream));
  g_mutex_unlock (&memory->lock);
  return stream;
}

static void
on_delete (GstElement *sink, const gchar *location, gpointer data)
{
  Memory *memory = data;

  g_mutex_lock (&memory->lock);
  g_ptr_array_add (memory->deleted, g_path_get_basename (location));
  g_mutex_unlock (&memory->lock);
}

static Memory *
connect_memory (Hls *hls)
{
  Memory *memory = g_new0 (Memory, 1);

  g_mutex_init (&memory->lock);
  memory->streams =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  memory->deleted = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (hls->sink, "get-playlist-stream", G_CALLBACK (on_stream),
      memory);
  g_signal_connect (hls->sink, "get-fragment-stream", G_CALLBACK (on_stream),
      memory);
  g_signal_connect (hls->sink, "delete-fragment", G_CALLBACK (on_delete),
      memory);
  return memory;
}

static void
memory_free (Memory *memory)
{
  g_hash_table_unref (memory->streams);
  g_ptr_array_unref (memory->deleted);
  g_mutex_clear (&memory->lock);
  g_free (memory);
}

static void
record_with_camera (Hls *hls)
{
  g_object_set (hls->sink, "program-date-time-reference",
      2 /* buffer-reference-timestamp */, NULL);
  hls_add_av (hls);
  hls_track_add_dates (hls->video, "timestamp/x-unix", CAMERA_US);
  hls_record (hls, SECONDS (8));
}

static void
test_streams_get_the_bytes_that_files_get (void)
{
  g_autoptr (Hls) hls = hls_new (), disk = hls_new ();
  Memory *memory = connect_memory (hls);
  GHashTableIter iter;
  gpointer name, stream;

  record_with_camera (hls);
  record_with_camera (disk);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  g_assert_cmpuint (hls_count_files (disk->dir, ""), ==, 5);
  g_assert_cmpuint (g_hash_table_size (memory->streams), ==, 5);
  g_hash_table_iter_init (&iter, memory->streams);
  while (g_hash_table_iter_next (&iter, &name, &stream)) {
    g_autofree gchar *path = hls_path (disk, name);
    g_autofree gchar *bytes = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
    g_assert_true (g_output_stream_is_closed (stream));
    g_test_message ("%s", (gchar *) name);
    g_assert_cmpmem (g_memory_output_stream_get_data (stream),
        g_memory_output_stream_get_data_size (stream), bytes, size);
  }
  memory_free (memory);
}

static void
test_delete_fragment_is_emitted_for_what_left (void)
{
  g_autoptr (Hls) hls = hls_new ();
  Memory *memory = connect_memory (hls);

  g_object_set (hls->sink, "playlist-type", 1 /* live */, "playlist-length", 3,
      "max-files", 10, "target-duration", 1, NULL);
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (30));
  g_assert_cmpuint (memory->deleted->len, ==, 20);
  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%05u.ts", i);

    g_assert_cmpstr (memory->deleted->pdata[i], ==, name);
  }
  memory_free (memory);
}

/* As a disk that has no room for a playlist until the tenth segment is written. */
static GOutputStream *
on_stream_late (GstElement *sink, const gchar *location, gpointer data)
{
  Memory *memory = data;
  gboolean refuse;

  g_mutex_lock (&memory->lock);
  refuse = g_str_has_suffix (location, ".m3u8") &&
      !g_hash_table_contains (memory->streams, "s00009.ts");
  g_mutex_unlock (&memory->lock);
  return refuse ? NULL : on_stream (sink, location, data);
}

static guint64
get_stat (Hls *hls, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = G_MAXUINT64;

  g_object_get (hls->sink, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* The first playlist that is stored is one of the last, as up to four files are on their way at once. */
static void
test_segment_that_was_never_listed_is_counted_and_not_announced (void)
{
  g_autoptr (Hls) hls = hls_new ();
  Memory *memory = connect_memory (hls);
  guint64 first = 0, sequence;
  guint added;

  g_signal_handlers_disconnect_by_func (hls->sink, on_stream, memory);
  g_signal_connect (hls->sink, "get-playlist-stream",
      G_CALLBACK (on_stream_late), memory);
  g_signal_connect (hls->sink, "get-fragment-stream",
      G_CALLBACK (on_stream_late), memory);
  g_object_set (hls->sink, "playlist-type", 1 /* live */, "playlist-length", 3,
      "target-duration", 1, NULL);
  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (10));
  added = hls_count (hls, GST_MESSAGE_ELEMENT, "hls-segment-added");
  for (guint i = 0; i < added; i++) {
    g_autoptr (GstMessage) message =
        hls_wait (hls, GST_MESSAGE_ELEMENT, "hls-segment-added", i + 1);

    gst_structure_get_uint64 (gst_message_get_structure (message), "sequence",
        &sequence);
    first = i == 0 ? sequence : first;
    g_assert_cmpuint (sequence, ==, first + i);
  }
  g_assert_cmpuint (first, >=, 3);
  g_assert_cmpuint (first + added, ==, 10);
  g_assert_cmpuint (get_stat (hls, "unlisted"), ==, first);
  g_assert_cmpuint (get_stat (hls, "segments"), ==, 10);
  memory_free (memory);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/streams/" path, test_##name)
  ADD ("src/contract", file_stream_is_as_the_contract_says);
  ADD ("src/names", file_stream_names_are_those_that_were_given);
  ADD ("src/write-files", write_files_says_where_they_go);
  ADD ("src/nowhere", write_files_never_and_no_src_is_one_error);
  ADD ("application/bytes", streams_get_the_bytes_that_files_get);
  ADD ("application/delete", delete_fragment_is_emitted_for_what_left);
  ADD ("application/never-listed",
      segment_that_was_never_listed_is_counted_and_not_announced);
  return g_test_run ();
}
