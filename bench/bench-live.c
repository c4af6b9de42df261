/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-live SECONDS WARM-UP COUNT PIPELINE: runs so many copies of a pipeline in one
 * process ("@" in its text is the copy's number) and prints the CPU time per
 * second of wall time and the resident memory (KiB) between the end of the
 * warm-up and the end. Where the pipeline has an amshlssink, also how long it
 * took from the arrival of the keyframe that closes a segment to the message
 * that it is in the playlist, in ms: median and most; else "- -". */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <gst/gst.h>

typedef struct
{
  gint64 keyframe; /* monotonic µs; atomic */
} Stream;

static GMutex lock;
static GArray *delays; /* gdouble, ms; under lock */

static gint64
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static guint64
resident (void)
{
  g_autofree gchar *text = NULL;
  const gchar *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL) ||
      (line = strstr (text, "VmRSS:")) == NULL)
    return 0;
  return g_ascii_strtoull (line + strlen ("VmRSS:"), NULL, 10);
}

static GstPadProbeReturn
on_video (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Stream *stream = user_data;

  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
    g_mutex_lock (&lock);
    stream->keyframe = g_get_monotonic_time ();
    g_mutex_unlock (&lock);
  }
  return GST_PAD_PROBE_OK;
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Stream *stream = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_error ("%s: %s", GST_MESSAGE_SRC_NAME (message), error->message);
  }
  if (gst_message_has_name (message, "hls-segment-added")) {
    gdouble delay;

    g_mutex_lock (&lock);
    delay = (g_get_monotonic_time () - stream->keyframe) / 1000.0;
    g_array_append_val (delays, delay);
    g_mutex_unlock (&lock);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
watch_video (GstElement *pipeline, Stream *stream)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "h");
  g_autoptr (GstPad) pad = NULL;

  if (sink != NULL)
    pad = gst_element_get_static_pad (sink, "video");
  if (pad != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_video, stream, NULL);
}

static GstElement *
start (const gchar *description, guint number)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = g_strdup_printf ("%u", number);
  g_auto (GStrv) parts = g_strsplit (description, "@", -1);
  g_autofree gchar *copy = g_strjoinv (text, parts);
  GstElement *pipeline = gst_parse_launch (copy, &error);
  g_autoptr (GstBus) bus = NULL;
  Stream *stream = g_new0 (Stream, 1);

  if (error != NULL)
    g_error ("%s", error->message);
  bus = gst_element_get_bus (pipeline);
  gst_bus_set_sync_handler (bus, on_message, stream, g_free);
  watch_video (pipeline, stream);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return pipeline;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gdouble *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) pipelines = g_ptr_array_new ();
  gdouble seconds, warm_up;
  gint64 wall, cpu;
  guint count;

  gst_init (&argc, &argv);
  if (argc != 5)
    g_error ("bench-live SECONDS WARM-UP COUNT PIPELINE");
  seconds = g_ascii_strtod (argv[1], NULL);
  warm_up = g_ascii_strtod (argv[2], NULL);
  count = atoi (argv[3]);
  delays = g_array_new (FALSE, FALSE, sizeof (gdouble));

  for (guint i = 0; i < count; i++) {
    g_ptr_array_add (pipelines, start (argv[4], i));
    /* Spread over a GOP, as cameras are. */
    g_usleep (2 * G_USEC_PER_SEC / count);
  }
  g_usleep (warm_up * G_USEC_PER_SEC);
  wall = g_get_monotonic_time ();
  cpu = cpu_time ();
  g_usleep (seconds * G_USEC_PER_SEC);
  cpu = cpu_time () - cpu;
  wall = g_get_monotonic_time () - wall;

  g_mutex_lock (&lock);
  g_array_sort (delays, compare);
  g_print ("%.5f %" G_GUINT64_FORMAT, (gdouble) cpu / wall, resident ());
  if (delays->len > 0)
    g_print (" %.2f %.2f\n", g_array_index (delays, gdouble, delays->len / 2),
        g_array_index (delays, gdouble, delays->len - 1));
  else
    g_print (" - -\n");
  g_mutex_unlock (&lock);

  /* hlssink2 may hang when it is stopped: what was measured is said already. */
  exit (EXIT_SUCCESS);
}
