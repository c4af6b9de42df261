/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* bench-live SECONDS WARM-UP COUNT PIPELINE [FOLDER]: runs so many copies of a
 * pipeline in one process ("@" in its text is the copy's number) and prints, of
 * the time between the end of the warm-up and the end:
 *
 *   the CPU time per second of wall time
 *   the resident memory (KiB)
 *   where the pipeline has an amshlssink named h: how long it took from the
 *     arrival of the keyframe that closes a segment to the message that it is in
 *     the playlist, in ms: median and most; else "- -"
 *   how often a second a thread went to sleep
 *   the threads
 *   the longest time that a buffer waited at a sink pad of h, in ms; else "-"
 *   the threads of our own elements
 *
 * With FOLDER, below which h writes: in the middle, whatever writes to files
 * there waits for 3 s, as on a disk that stalls; afterwards each copy gets EOS,
 * and a second line has the video frames that each has taken. "-" is a folder in
 * which nothing stalls. */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <gmodule.h>
#include <gst/gst.h>

#define STALL (3 * G_USEC_PER_SEC)

typedef struct
{
  gint64 keyframe; /* monotonic µs; under lock */
  guint64 frames; /* under lock */
  gboolean ended; /* under lock */
} Stream;

static GMutex lock;
static GCond changed;
static GArray *delays; /* gdouble, ms; under lock */
static gint64 longest = -1; /* µs; under lock */
static gboolean measuring; /* under lock */
static const gchar *stall_folder; /* NULL: none */
static gint64 stalled_until; /* monotonic µs; under lock */

/* These stand before the C library's, for all libraries. */

static gboolean
is_below (int fd)
{
  g_autofree gchar *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  gchar path[4096];
  ssize_t n = readlink (link, path, sizeof path - 1);

  if (n < 0)
    return FALSE;
  path[n] = '\0';
  return g_str_has_prefix (path, stall_folder);
}

static void
wait_for_disk (int fd)
{
  gint64 until;

  if (stall_folder == NULL)
    return;
  g_mutex_lock (&lock);
  until = stalled_until;
  g_mutex_unlock (&lock);
  if (until > g_get_monotonic_time () && is_below (fd))
    g_usleep (until - g_get_monotonic_time ());
}

G_MODULE_EXPORT ssize_t
write (int fd, const void *data, size_t size)
{
  wait_for_disk (fd);
  return syscall (SYS_write, fd, data, size);
}

G_MODULE_EXPORT ssize_t
writev (int fd, const struct iovec *vectors, int count)
{
  wait_for_disk (fd);
  return syscall (SYS_writev, fd, vectors, count);
}

G_MODULE_EXPORT ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t at)
{
  wait_for_disk (fd);
  return syscall (SYS_pwrite64, fd, data, size, at);
}

G_MODULE_EXPORT int
fsync (int fd)
{
  wait_for_disk (fd);
  return syscall (SYS_fsync, fd);
}

G_MODULE_EXPORT int
fdatasync (int fd)
{
  wait_for_disk (fd);
  return syscall (SYS_fdatasync, fd);
}

static gint64
cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static glong
sleeps (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_nvcsw;
}

static guint64
process_status (const gchar *field)
{
  g_autofree gchar *text = NULL;
  const gchar *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL) ||
      (line = strstr (text, field)) == NULL)
    return 0;
  return g_ascii_strtoull (line + strlen (field), NULL, 10);
}

static guint
count_own_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *task;
  guint n = 0;

  while ((task = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path =
        g_build_filename ("/proc/self/task", task, "comm", NULL);
    g_autofree gchar *name = NULL;

    /* It may have ended meanwhile. */
    if (g_file_get_contents (path, &name, NULL, NULL))
      n += g_str_has_prefix (name, "ams");
  }
  return n;
}

static GstPadProbeReturn
on_video (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Stream *stream = user_data;

  g_mutex_lock (&lock);
  stream->frames++;
  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    stream->keyframe = g_get_monotonic_time ();
  g_mutex_unlock (&lock);
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
    if (measuring)
      g_array_append_val (delays, delay);
    g_mutex_unlock (&lock);
  }
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    g_mutex_lock (&lock);
    stream->ended = TRUE;
    g_cond_broadcast (&changed);
    g_mutex_unlock (&lock);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static GstFlowReturn
chain_timed (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstPadChainFunction chain = g_object_get_data (G_OBJECT (pad), "chain");
  gint64 begun = g_get_monotonic_time (), took;
  GstFlowReturn ret = chain (pad, parent, buffer);

  took = g_get_monotonic_time () - begun;
  g_mutex_lock (&lock);
  if (measuring && took > longest)
    longest = took;
  g_mutex_unlock (&lock);
  return ret;
}

static gboolean
time_pad (GstElement *element, GstPad *pad, gpointer user_data)
{
  g_object_set_data (G_OBJECT (pad), "chain", GST_PAD_CHAINFUNC (pad));
  gst_pad_set_chain_function (pad, chain_timed);
  return TRUE;
}

static void
watch_sink (GstElement *pipeline, Stream *stream)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "h");
  g_autoptr (GstPad) pad = NULL;

  if (sink == NULL)
    return;
  gst_element_foreach_sink_pad (sink, time_pad, NULL);
  pad = gst_element_get_static_pad (sink, "video");
  if (pad != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_video, stream, NULL);
}

static GstElement *
start (const gchar *description, guint number, Stream *stream)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = g_strdup_printf ("%u", number);
  g_auto (GStrv) parts = g_strsplit (description, "@", -1);
  g_autofree gchar *copy = g_strjoinv (text, parts);
  GstElement *pipeline = gst_parse_launch (copy, &error);
  g_autoptr (GstBus) bus = NULL;

  if (error != NULL)
    g_error ("%s", error->message);
  bus = gst_element_get_bus (pipeline);
  gst_bus_set_sync_handler (bus, on_message, stream, NULL);
  watch_sink (pipeline, stream);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return pipeline;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gdouble *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* Half of the time, the stall, and the other half. */
static void
run (gdouble seconds)
{
  g_usleep (seconds * G_USEC_PER_SEC / 2);
  g_mutex_lock (&lock);
  stalled_until = g_get_monotonic_time () + STALL;
  g_mutex_unlock (&lock);
  g_usleep (seconds * G_USEC_PER_SEC / 2);
}

static void
print_figures (gdouble cpu, gdouble switches)
{
  g_mutex_lock (&lock);
  measuring = FALSE;
  g_array_sort (delays, compare);
  g_print ("%.5f %" G_GUINT64_FORMAT, cpu, process_status ("VmRSS:"));
  if (delays->len > 0)
    g_print (" %.2f %.2f", g_array_index (delays, gdouble, delays->len / 2),
        g_array_index (delays, gdouble, delays->len - 1));
  else
    g_print (" - -");
  g_print (" %.1f %" G_GUINT64_FORMAT, switches, process_status ("Threads:"));
  if (longest >= 0)
    g_print (" %.2f", longest / 1000.0);
  else
    g_print (" -");
  g_print (" %u\n", count_own_threads ());
  g_mutex_unlock (&lock);
}

static void
end (GPtrArray *pipelines, Stream *streams)
{
  for (guint i = 0; i < pipelines->len; i++)
    gst_element_send_event (g_ptr_array_index (pipelines, i),
        gst_event_new_eos ());
  g_mutex_lock (&lock);
  for (guint i = 0; i < pipelines->len; i++) {
    while (!streams[i].ended)
      g_cond_wait (&changed, &lock);
    g_print ("%" G_GUINT64_FORMAT "%c", streams[i].frames,
        i + 1 < pipelines->len ? ' ' : '\n');
  }
  g_mutex_unlock (&lock);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) pipelines = g_ptr_array_new ();
  g_autofree Stream *streams = NULL;
  gdouble seconds, warm_up;
  gint64 wall, cpu;
  glong slept;
  guint count;

  gst_init (&argc, &argv);
  if (argc != 5 && argc != 6)
    g_error ("bench-live SECONDS WARM-UP COUNT PIPELINE [FOLDER]");
  seconds = g_ascii_strtod (argv[1], NULL);
  warm_up = g_ascii_strtod (argv[2], NULL);
  count = atoi (argv[3]);
  stall_folder = argc == 6 && strcmp (argv[5], "-") != 0 ? argv[5] : NULL;
  delays = g_array_new (FALSE, FALSE, sizeof (gdouble));
  streams = g_new0 (Stream, count);

  for (guint i = 0; i < count; i++) {
    g_ptr_array_add (pipelines, start (argv[4], i, &streams[i]));
    /* Spread over a GOP, as cameras are. */
    g_usleep (2 * G_USEC_PER_SEC / count);
  }
  g_usleep (warm_up * G_USEC_PER_SEC);
  g_mutex_lock (&lock);
  measuring = TRUE;
  g_mutex_unlock (&lock);
  wall = g_get_monotonic_time ();
  cpu = cpu_time ();
  slept = sleeps ();
  run (seconds);
  cpu = cpu_time () - cpu;
  slept = sleeps () - slept;
  wall = g_get_monotonic_time () - wall;
  print_figures ((gdouble) cpu / wall, slept * 1e6 / wall);
  if (argc == 6)
    end (pipelines, streams);

  /* hlssink2 may hang when it is stopped: what was measured is said already. */
  exit (EXIT_SUCCESS);
}
