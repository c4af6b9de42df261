/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshlssink as an application has it: launch lines, messages, statistics, signals, the src pad, and pads
 * that come and go. */

#include "config.h"

#include "hls-common.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define CAMERA_US G_GINT64_CONSTANT (1795344365000000)

enum
{
  AUTO,
  ALWAYS,
  NEVER,
};

/* ---- launch lines ---- */

static GstElement *
launch (const gchar *dir, const gchar *line)
{
  g_autofree gchar *names =
      g_strdup_printf ("amshlssink name=h location=%s/s%%05d.ts "
                       "playlist-location=%s/p.m3u8 target-duration=2 "
                       "fsync=false",
          dir, dir);
  g_auto (GStrv) parts = g_strsplit (line, "SINK", -1);
  g_autofree gchar *whole = g_strjoinv (names, parts);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (whole, &error);

  g_assert_no_error (error);
  return pipeline;
}

/* Runs it to its end. */
static void
run_to_eos (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

#define VIDEO \
  "videotestsrc num-buffers=100 ! video/x-raw,width=160,height=96," \
  "framerate=25/1 ! x264enc tune=zerolatency speed-preset=ultrafast " \
  "key-int-max=25 "
#define AUDIO \
  " audiotestsrc num-buffers=188 samplesperbuffer=1024 ! " \
  "audio/x-raw,rate=48000 ! avenc_aac "

static void
test_launch_lines_link_and_record (void)
{
  static const gchar *const lines[] = {
    VIDEO "! SINK",
    VIDEO "! h264parse ! SINK",
    VIDEO "! SINK" AUDIO "! h.",
    AUDIO "! SINK " VIDEO "! h.",
    VIDEO "! rtph264pay ! rtph264depay ! SINK" AUDIO "! h.",
    VIDEO "! h264parse ! SINK" AUDIO "! aacparse ! h.",
    VIDEO "! h264parse ! video/x-h264,stream-format=avc ! SINK" AUDIO
          "! rtpmp4gpay ! rtpmp4gdepay ! h.audio",
    VIDEO "! queue ! h.video" AUDIO "! queue ! h.audio SINK",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree gchar *dir = hls_make_folder ();
    g_autofree gchar *path = g_build_filename (dir, "p.m3u8", NULL);
    g_autoptr (HlsPlaylist) playlist = NULL;
    g_autoptr (GstElement) pipeline = launch (dir, lines[i]);

    g_test_message ("%s", lines[i]);
    run_to_eos (pipeline);
    playlist = hls_check_in (dir, path);
    g_assert_cmpuint (playlist->segments->len, ==, 2);
    g_assert_cmpuint (playlist->total, ==, SECONDS (4));
    hls_remove_folder (dir);
  }
}

static void
test_child_proxy_reaches_the_muxer (void)
{
  g_autofree gchar *dir = hls_make_folder ();
  g_autoptr (GstElement) pipeline =
      launch (dir, VIDEO "! SINK muxer::pat-interval=4500");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "h");
  guint interval;

  gst_child_proxy_get (GST_CHILD_PROXY (sink), "muxer::pat-interval", &interval,
      NULL);
  g_assert_cmpuint (interval, ==, 4500);
  hls_remove_folder (dir);
}

/* ---- messages ---- */

static const GstStructure *
wait_structure (Hls *hls, const gchar *name, guint n)
{
  g_autoptr (GstMessage) message = hls_wait (hls, GST_MESSAGE_ELEMENT, name, n);

  g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (hls->sink));
  return gst_message_get_structure (message); /* hls keeps it */
}

static guint64
get_uint64 (const GstStructure *s, const gchar *field)
{
  guint64 value;

  if (!gst_structure_get_uint64 (s, field, &value))
    g_error ("%s has no uint64 %s", gst_structure_get_name (s), field);
  return value;
}

static void
assert_started (Hls *hls, guint n, gboolean continued, guint64 next)
{
  const GstStructure *s = wait_structure (hls, "ams-recording-started", n);
  gboolean was_continued;
  guint recovered, target;

  g_assert_cmpstr (gst_structure_get_string (s, "playlist-location"), ==,
      hls->playlist);
  g_assert_true (gst_structure_get_boolean (s, "continued", &was_continued));
  g_assert_true (was_continued == continued);
  g_assert_true (gst_structure_get_uint (s, "recovered", &recovered));
  g_assert_cmpuint (recovered, ==, 0);
  g_assert_true (gst_structure_get_uint (s, "target-duration", &target));
  g_assert_cmpuint (target, ==, 2);
  g_assert_cmpuint (get_uint64 (s, "next-number"), ==, next);
}

static void
assert_added (Hls *hls, const HlsPlaylist *playlist, guint i, guint session)
{
  const GstStructure *s = wait_structure (hls, "hls-segment-added", i + 1);
  const HlsSegment *segment = hls_segment (playlist, i);
  g_autofree gchar *path = hls_path (hls, segment->uri);
  g_autofree gchar *bytes = NULL;
  g_autoptr (GstDateTime) date = NULL;
  g_autofree gchar *date_text = NULL;
  gboolean discontinuity;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_assert_cmpstr (gst_structure_get_string (s, "location"), ==, path);
  g_assert_cmpuint (get_uint64 (s, "duration"), ==, segment->duration);
  g_assert_cmpuint (get_uint64 (s, "running-time"), ==,
      SECONDS (2) * (i - session));
  g_assert_cmpuint (get_uint64 (s, "sequence"), ==, playlist->sequence + i);
  g_assert_cmpuint (get_uint64 (s, "size"), ==, size);
  g_assert_true (
      gst_structure_get_boolean (s, "discontinuity", &discontinuity));
  g_assert_true (discontinuity == segment->discontinuity);
  g_assert_true (
      gst_structure_get (s, "date-time", GST_TYPE_DATE_TIME, &date, NULL));
  date_text = gst_date_time_to_iso8601_string (date);
  /* "2026-11-22T10:46:05" */
  g_assert_true (strncmp (date_text, segment->date, 17) == 0);
}

static void
assert_ended (Hls *hls, guint n, guint64 segments, guint64 discontinuities)
{
  const GstStructure *s = wait_structure (hls, "ams-recording-ended", n);

  g_assert_cmpstr (gst_structure_get_string (s, "playlist-location"), ==,
      hls->playlist);
  g_assert_cmpuint (get_uint64 (s, "segments"), ==, segments);
  g_assert_cmpuint (get_uint64 (s, "recovered"), ==, 0);
  g_assert_cmpuint (get_uint64 (s, "gaps"), ==, 0);
  g_assert_cmpuint (get_uint64 (s, "discontinuities"), ==, discontinuities);
  g_assert_cmpuint (get_uint64 (s, "bytes"), >, 0);
  g_assert_cmpuint (get_uint64 (s, "duration"), ==, segments * SECONDS (2));
}

static void
test_messages_have_all_their_fields (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  hls_record (hls, SECONDS (6));
  playlist = hls_check (hls);
  assert_started (hls, 1, FALSE, 0);
  assert_started (hls, 2, TRUE, 2);
  for (guint i = 0; i < 5; i++)
    assert_added (hls, playlist, i, i < 2 ? 0 : 2);
  assert_ended (hls, 1, 2, 0);
  assert_ended (hls, 2, 3, 1);
}

/* Their order; each is true when it comes. */
static void
look_at_order (Hls *hls, GstMessage *message, gpointer data)
{
  GString *order = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    g_string_append_c (order, 'x');
  else if (gst_message_has_name (message, "ams-recording-started"))
    g_string_append_c (order, 's');
  else if (gst_message_has_name (message, "hls-segment-added"))
    g_string_append_c (order, '+');
  else if (gst_message_has_name (message, "ams-recording-ended"))
    g_string_append_c (order, 'e');
  else
    return;
  if (gst_message_has_name (message, "hls-segment-added")) {
    g_autofree gchar *text = hls_read (hls->playlist);
    g_autofree gchar *name = g_path_get_basename (gst_structure_get_string (
        gst_message_get_structure (message), "location"));

    g_assert_nonnull (strstr (text, name));
  }
}

static void
test_messages_come_in_order_and_before_eos (void)
{
  for (guint i = 0; i < 10; i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (GString) order = g_string_new (NULL);

    hls->look = look_at_order;
    hls->look_data = order;
    hls_add_av (hls);
    hls_record (hls, SECONDS (6));
    g_assert_cmpstr (order->str, ==, "s+++ex");
    hls->look = NULL;
  }
}

static void
test_stats_are_those_of_the_session (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GstStructure) before = NULL, after = NULL, store = NULL;
  const GstStructure *ended;

  g_object_get (hls->sink, "stats", &before, NULL);
  g_assert_cmpuint (get_uint64 (before, "segments"), ==, 0);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  g_object_get (hls->sink, "stats", &after, NULL);
  ended = wait_structure (hls, "ams-recording-ended", 1);
  g_assert_cmpuint (get_uint64 (after, "segments"), ==, 3);
  g_assert_cmpuint (get_uint64 (after, "duration"), ==, SECONDS (6));
  g_assert_cmpuint (get_uint64 (after, "bytes"), ==,
      get_uint64 (ended, "bytes"));
  g_assert_cmpuint (get_uint64 (after, "recovered"), ==, 0);
  g_assert_cmpuint (get_uint64 (after, "gaps"), ==, 0);
  g_assert_cmpuint (get_uint64 (after, "discontinuities"), ==, 0);
  g_assert_cmpuint (get_uint64 (after, "dropped-frames"), ==, 0);
  g_assert_true (
      gst_structure_get (after, "store", GST_TYPE_STRUCTURE, &store, NULL));
}

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

/* ---- pads and states ---- */

static void
release_track (Hls *hls, HlsTrack **track)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer ((*track)->pad);

  gst_pad_set_active ((*track)->pad, FALSE);
  gst_pad_unlink ((*track)->pad, peer);
  gst_element_release_request_pad (hls->sink, peer);
  gst_object_unref ((*track)->pad);
  g_clear_pointer (track, g_free);
}

static void
test_src_pad_requested_twice_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GstPad) first = gst_element_request_pad_simple (hls->sink, "src");
  g_autoptr (GstPad) again = NULL;

  g_assert_nonnull (first);
  g_assert_null (gst_element_request_pad (hls->sink,
      gst_element_get_pad_template (hls->sink, "src"), NULL, NULL));
  gst_element_release_request_pad (hls->sink, first);
  again = gst_element_request_pad_simple (hls->sink, "src");
  g_assert_nonnull (again);
  gst_element_release_request_pad (hls->sink, again);
}

static void
test_pad_released_while_playing_recording_goes_on (void)
{
  for (guint video = 0; video <= 1; video++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autoptr (HlsPlaylist) playlist = NULL;
    guint pushed;

    hls_add_av (hls);
    hls_play (hls);
    hls_push_until (hls, SECONDS (5));
    release_track (hls, video ? &hls->video : &hls->audio);
    hls_push_until (hls, SECONDS (12));
    hls_eos (hls);
    if (video) {
      pushed = hls->audio->pushed;
      g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, pushed);
    } else {
      pushed = hls->video->pushed;
      g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, pushed);
      playlist = hls_check (hls);
    }
  }
}

/* What was released is not waited for in the next session. */
static void
test_pad_released_while_playing_next_session_is_without_it (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  gint children = GST_BIN (hls->sink)->numchildren;

  hls_add_video (hls, NULL);
  hls_add_audio (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  release_track (hls, &hls->audio);
  hls_eos (hls);
  hls_stop (hls);
  g_object_set (hls->sink, "stall-timeout", (guint64) G_MAXINT64, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (8));
  hls_wait_segments (hls, 5);
  hls_eos (hls);
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  release_track (hls, &hls->video);
  g_assert_cmpint (GST_BIN (hls->sink)->numchildren, ==, children);
}

static void
test_pads_requested_and_released_leave_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();
  static const gchar *const names[] = { "video", "audio", "src" };
  gint children = GST_BIN (hls->sink)->numchildren;

  for (guint i = 0; i < 100; i++) {
    gpointer pad = gst_element_request_pad_simple (hls->sink, names[i % 3]);

    g_assert_nonnull (pad);
    if (i % 2)
      gst_element_set_state (hls->pipeline, GST_STATE_PLAYING);
    gst_element_release_request_pad (hls->sink, pad);
    if (i % 4 == 3)
      gst_element_set_state (hls->pipeline, GST_STATE_NULL);
    g_object_add_weak_pointer (G_OBJECT (pad), &pad);
    gst_object_unref (pad);
    g_assert_null (pad);
  }
  g_assert_cmpint (GST_BIN (hls->sink)->numchildren, ==, children);
  g_assert_cmpuint (hls->sink->numpads, ==, 0);
  hls_stop (hls);
  hls_add_av (hls);
  hls_record (hls, SECONDS (4));
  hls_playlist_free (hls_check (hls));
}

static void
test_states_up_and_down_fast_do_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_av (hls);
  for (guint i = 0; i < 10; i++) {
    hls_play (hls);
    hls_stop (hls);
  }
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
  hls_record (hls, SECONDS (4));
  hls_playlist_free (hls_check (hls));
}

/* ---- what may not be, and what may ---- */

static void
test_codec_changes_what_was_recorded_is_listed (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-h265, stream-format=byte-stream, alignment=au, width=160, "
      "height=96, framerate=25/1, parsed=true");

  hls->expects_trouble = TRUE;
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  gst_pad_push_event (hls->video->pad, gst_event_new_caps (caps));
  hls_push_until (hls, SECONDS (6));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "video", "h265", NULL);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  /* The audio went on. */
  g_assert_cmpuint (playlist->total, >=, SECONDS (5));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 125);
}

static void
test_fsync_on_records_the_same (void)
{
  g_autoptr (Hls) hls = hls_new (), off = hls_new ();
  g_autoptr (GHashTable) files = NULL;

  g_object_set (hls->sink, "fsync", TRUE, NULL);
  record_with_camera (hls);
  record_with_camera (off);
  files = hls_snapshot (off->dir);
  g_assert_cmpuint (g_hash_table_size (files), ==, 5);
  hls_assert_kept (hls->dir, files, NULL);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/application/" path, test_##name)
  ADD ("launch/lines", launch_lines_link_and_record);
  ADD ("launch/child-proxy", child_proxy_reaches_the_muxer);
  ADD ("messages/fields", messages_have_all_their_fields);
  ADD ("messages/order", messages_come_in_order_and_before_eos);
  ADD ("stats", stats_are_those_of_the_session);
  ADD ("src/contract", file_stream_is_as_the_contract_says);
  ADD ("src/names", file_stream_names_are_those_that_were_given);
  ADD ("src/write-files", write_files_says_where_they_go);
  ADD ("src/nowhere", write_files_never_and_no_src_is_one_error);
  ADD ("streams/bytes", streams_get_the_bytes_that_files_get);
  ADD ("streams/delete", delete_fragment_is_emitted_for_what_left);
  ADD ("pads/src-twice", src_pad_requested_twice_is_refused);
  ADD ("pads/released", pad_released_while_playing_recording_goes_on);
  ADD ("pads/released-then-again",
      pad_released_while_playing_next_session_is_without_it);
  ADD ("pads/cycles", pads_requested_and_released_leave_nothing);
  ADD ("states/fast", states_up_and_down_fast_do_nothing);
  ADD ("codec-change", codec_changes_what_was_recorded_is_listed);
  ADD ("fsync", fsync_on_records_the_same);
  return g_test_run ();
}
