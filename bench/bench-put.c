/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-put MODE COUNT SIZE ELEMENT…: hands COUNT files of SIZE bytes to a put element
 * ("amshttpput location=… …") and prints "wall CPU peak wait", in s, s, KiB and ms: until all are stored,
 * of this process, its largest resident size, and the longest that the pad kept a buffer.
 *
 * MODE throughput: as fast as the element takes them.
 *      backlog:    as throughput, but it prints "ready RESIDENT" (KiB) when all are handed over and
 *                  nothing is stored, and waits for a line on stdin; wall and CPU count from there.
 *      latency:    one file after the other, each followed by a playlist: prints the ms between
 *                  the end of a file and the word that the playlist is stored, median and most, in place of all that.
 *      hang:       as throughput, but it does not wait for anything to be stored. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <gst/gst.h>

#include "files/amsfiles.h"

typedef struct
{
  GstElement *pipeline;
  GstPad *src;
  GstMemory *data; /* what files are made of */
  guint64 size;
  gint64 longest; /* µs */
} Bench;

static gint64
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static guint64
status_value (const gchar *field)
{
  g_autofree gchar *text = NULL;
  const gchar *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL) ||
      (line = strstr (text, field)) == NULL)
    return 0;
  return g_ascii_strtoull (line + strlen (field), NULL, 10);
}

/* Buffers are pieces of one memory: what the source of the data costs is not this
 * process's, as curl's data are in the page cache. */
static void
push_buffer (Bench *self, guint64 offset, gsize size)
{
  GstBuffer *buffer = gst_buffer_new ();
  gint64 begun;

  gst_buffer_append_memory (buffer,
      gst_memory_share (self->data, offset % AMS_FILES_BLOCK_SIZE, size));
  begun = g_get_monotonic_time ();
  if (gst_pad_push (self->src, buffer) != GST_FLOW_OK)
    g_error ("the element does not take the data");
  self->longest = MAX (self->longest, g_get_monotonic_time () - begun);
}

static void
push_file (Bench *self, const gchar *name, AmsFileRole role, guint64 version,
    gboolean final, guint64 size)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = role,
    .version = version,
    .final = final };
  AmsFileEnd end = { .size = size,
    .complete = TRUE,
    .duration = GST_CLOCK_TIME_NONE };

  gst_pad_push_event (self->src, ams_files_event_new_begin (&begin));
  for (guint64 at = 0; at < size; at += AMS_FILES_BLOCK_SIZE)
    push_buffer (self, at, MIN (AMS_FILES_BLOCK_SIZE, size - at));
  gst_pad_push_event (self->src, ams_files_event_new_end (&end));
}

static void
push_segment (Bench *self, guint number)
{
  g_autofree gchar *name = g_strdup_printf ("bench-%05u.ts", number);

  push_file (self, name, AMS_FILE_ROLE_SEGMENT, 0, FALSE, self->size);
}

static GstMessage *
wait_message (Bench *self, GstMessageType types)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      types | GST_MESSAGE_ERROR);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_error ("%s", error->message);
  }
  return message;
}

static void
wait_stored (Bench *self, const gchar *name)
{
  for (;;) {
    g_autoptr (GstMessage) message = wait_message (self, GST_MESSAGE_ELEMENT);
    const GstStructure *s = gst_message_get_structure (message);

    if (gst_structure_has_name (s, "ams-file-uploaded") &&
        g_strcmp0 (gst_structure_get_string (s, "name"), name) == 0)
      return;
  }
}

static void
push_stream_start (Bench *self)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (AMS_FILES_CAPS);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_pad_push_event (self->src, gst_event_new_stream_start ("bench"));
  gst_pad_push_event (self->src, gst_event_new_caps (caps));
  gst_pad_push_event (self->src, gst_event_new_segment (&segment));
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return *(const gint64 *) a < *(const gint64 *) b ? -1 : 1;
}

static void
measure_latency (Bench *self, guint count)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < count; i++) {
    gint64 begun, took;

    push_segment (self, i);
    begun = g_get_monotonic_time ();
    push_file (self, "bench.m3u8", AMS_FILE_ROLE_PLAYLIST, i + 1, FALSE, 4096);
    wait_stored (self, "bench.m3u8");
    took = g_get_monotonic_time () - begun;
    g_array_append_val (times, took);
  }
  g_array_sort (times, compare);
  g_print ("%.2f %.2f\n", g_array_index (times, gint64, count / 2) / 1e3,
      g_array_index (times, gint64, count - 1) / 1e3);
}

static void
wait_for_line (void)
{
  gchar line[8];

  g_print ("ready %" G_GUINT64_FORMAT "\n", status_value ("VmRSS:"));
  if (!fgets (line, sizeof line, stdin))
    exit (0);
}

static void
measure_all (Bench *self, const gchar *mode, guint count)
{
  gint64 begun = g_get_monotonic_time (), cpu = cpu_time ();

  for (guint i = 0; i < count; i++)
    push_segment (self, i);
  if (g_str_equal (mode, "backlog")) {
    wait_for_line ();
    begun = g_get_monotonic_time ();
    cpu = cpu_time ();
  }
  if (!g_str_equal (mode, "hang")) {
    gst_pad_push_event (self->src, gst_event_new_eos ());
    gst_message_unref (wait_message (self, GST_MESSAGE_EOS));
  }
  g_print ("%.3f %.3f %" G_GUINT64_FORMAT " %.2f\n",
      (g_get_monotonic_time () - begun) / 1e6, (cpu_time () - cpu) / 1e6,
      status_value ("VmHWM:"), self->longest / 1e3);
}

static void
open_pipeline (Bench *self, gchar **words)
{
  g_autofree gchar *text = g_strjoinv (" ", words);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_parse_launch (text, &error));
  g_autoptr (GstPad) pad = NULL;

  if (error)
    g_error ("%s", error->message);
  self->pipeline = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (self->pipeline), gst_object_ref (sink));
  self->src = gst_pad_new ("src", GST_PAD_SRC);
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_link (self->src, pad);
  gst_pad_set_active (self->src, TRUE);
  if (gst_element_set_state (self->pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE)
    g_error ("%s does not start", text);
}

static GstMemory *
new_zeros (gsize size)
{
  gpointer data = g_malloc0 (size);

  return gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, data, size, 0, size,
      data, g_free);
}

int
main (int argc, char **argv)
{
  Bench self = { 0 };
  guint count;

  gst_init (&argc, &argv);
  if (argc < 5)
    g_error ("bench-put MODE COUNT SIZE ELEMENT…");
  count = atoi (argv[2]);
  self.size = g_ascii_strtoull (argv[3], NULL, 10);
  self.data = new_zeros (2 * AMS_FILES_BLOCK_SIZE);
  open_pipeline (&self, argv + 4);
  push_stream_start (&self);
  if (g_str_equal (argv[1], "latency"))
    measure_latency (&self, count);
  else
    measure_all (&self, argv[1], count);
  gst_element_set_state (self.pipeline, GST_STATE_NULL);
  gst_object_unref (self.src);
  gst_object_unref (self.pipeline);
  gst_memory_unref (self.data);
  return 0;
}
