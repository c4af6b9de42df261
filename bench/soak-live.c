/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* soak-live COUNT GOP PIPELINE: records so many live streams in one process and says what becomes of them, for
 * soak.py. PIPELINE has an appsrc "video" and an appsrc "audio"; "@" in its text is the stream's number. Keyframes
 * are GOP frames of 1/20 s apart. Media are encoded once and sent again and again.
 *
 * On stdin: "restart N" ends stream N (EOS) and starts it again, "end" ends all, and the program.
 * On stdout, a line for each event, its fields separated by tabs:
 *
 *   added STREAM SEQUENCE LOCATION SIZE DURATION DISCONTINUITY    in ns; yes or no
 *   uploaded STREAM ELEMENT ROLE NAME SIZE
 *   failed STREAM ELEMENT NAME REASON · retrying STREAM ELEMENT · warning|error|info STREAM ELEMENT TEXT
 *   started STREAM · eos STREAM FRAMES · ended
 *   memory RESIDENT ANONYMOUS HEAP THREADS FILES     each second; the first three in KiB, HEAP is what malloc() gave */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <gst/gst.h>

#define FRAME (GST_SECOND / 20)
#define AUDIO_RATE 48000
#define AUDIO_FRAME 1024
#define GOPS 16

typedef struct
{
  GstCaps *caps;
  GPtrArray *buffers;
} Media;

typedef struct
{
  guint number;
  GstElement *pipeline;
  guint watch;
  gboolean again; /* start it again after EOS */

  GMutex lock;
  GstElement *video, *audio; /* under lock; NULL while it does not run */
  gint64 begun; /* monotonic µs; under lock */
  /* Sent since then; under lock, but when the stream has ended. */
  guint64 frames, sounds;
} Stream;

static Media video, audio;
static GMainLoop *loop;
static Stream *streams;
static guint count, running, gop;
static const gchar *description;
static gboolean ending;

static void G_GNUC_PRINTF (1, 2) say (const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  putchar ('\n');
  fflush (stdout);
}

/* What is said is one line, whatever is in it. */
static gchar *
one_line (const gchar *text)
{
  return g_strdelimit (g_strdup (text ? text : ""), "\t\n\r", ' ');
}

/* Media */

static void
encode (Media *media, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, &error);
  g_autoptr (GstElement) sink = NULL;
  GstSample *sample = NULL;

  if (error != NULL)
    g_error ("%s", error->message);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  media->buffers = g_ptr_array_new ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (g_signal_emit_by_name (sink, "pull-sample", &sample), sample) {
    if (!media->caps)
      media->caps = gst_caps_ref (gst_sample_get_caps (sample));
    g_ptr_array_add (media->buffers,
        gst_buffer_ref (gst_sample_get_buffer (sample)));
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (media->buffers->len == 0)
    g_error ("nothing came of %s", text);
}

static void
encode_all (void)
{
  g_autofree gchar *text = g_strdup_printf (
      "videotestsrc pattern=ball num-buffers=%u ! "
      "video/x-raw,format=I420,width=320,height=180,framerate=20/1 ! timeoverlay ! "
      "x264enc tune=zerolatency speed-preset=ultrafast bitrate=400 key-int-max=%u ! h264parse ! "
      "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=sink sync=false",
      gop * GOPS, gop);

  encode (&video, text);
  encode (&audio,
      "audiotestsrc wave=ticks num-buffers=300 samplesperbuffer=1024 ! audio/x-raw,rate=48000,channels=2 ! "
      "avenc_aac bitrate=64000 ! aacparse ! audio/mpeg,stream-format=adts ! appsink name=sink sync=false");
}

/* Feeding: a thread for all streams. Each is at another place of the loop, so no two record the same bytes. */

static void
push (GstElement *source, Media *media, guint64 at, GstClockTime pts,
    GstClockTime duration)
{
  GstBuffer *buffer = gst_buffer_copy (
      g_ptr_array_index (media->buffers, at % media->buffers->len));
  GstFlowReturn flow;

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = duration;
  g_signal_emit_by_name (source, "push-buffer", buffer, &flow);
  gst_buffer_unref (buffer);
}

static void
feed (Stream *self)
{
  GstClockTime now;

  g_mutex_lock (&self->lock);
  now = (g_get_monotonic_time () - self->begun) * GST_USECOND;
  while (self->video && self->frames * FRAME <= now) {
    push (self->video, &video, self->frames + self->number * gop,
        self->frames * FRAME, FRAME);
    self->frames++;
  }
  while (self->audio) {
    GstClockTime pts = gst_util_uint64_scale (self->sounds,
        AUDIO_FRAME * GST_SECOND, AUDIO_RATE);

    if (pts > now)
      break;
    push (self->audio, &audio, self->sounds + self->number * 7, pts,
        gst_util_uint64_scale (AUDIO_FRAME, GST_SECOND, AUDIO_RATE));
    self->sounds++;
  }
  g_mutex_unlock (&self->lock);
}

static gpointer
feed_all (gpointer user_data)
{
  for (;;) {
    for (guint i = 0; i < count; i++)
      feed (&streams[i]);
    g_usleep (10000);
  }
  return NULL;
}

/* Streams */

/* It starts a stream again, and a start has it watch the bus. */
static gboolean on_message (GstBus *bus, GstMessage *message,
    gpointer user_data);

static GstElement *
get_source (GstElement *pipeline, const gchar *name, Media *media)
{
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), name);

  if (!source)
    g_error ("no appsrc “%s” in the pipeline", name);
  g_object_set (source, "caps", media->caps, "is-live", TRUE, "format",
      GST_FORMAT_TIME, NULL);
  return source;
}

static void
start (Stream *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *number = g_strdup_printf ("%u", self->number);
  g_auto (GStrv) parts = g_strsplit (description, "@", -1);
  g_autofree gchar *text = g_strjoinv (number, parts);
  g_autoptr (GstBus) bus = NULL;

  self->pipeline = gst_parse_launch (text, &error);
  if (error != NULL)
    g_error ("%s", error->message);
  bus = gst_element_get_bus (self->pipeline);
  self->watch = gst_bus_add_watch (bus, on_message, self);
  self->again = FALSE;
  running++;

  g_mutex_lock (&self->lock);
  self->video = get_source (self->pipeline, "video", &video);
  self->audio = get_source (self->pipeline, "audio", &audio);
  self->frames = self->sounds = 0;
  self->begun = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
}

static void
send_eos (Stream *self)
{
  GstElement *sources[2];

  g_mutex_lock (&self->lock);
  sources[0] = g_steal_pointer (&self->video);
  sources[1] = g_steal_pointer (&self->audio);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    GstFlowReturn flow;

    if (!sources[i])
      continue;
    g_signal_emit_by_name (sources[i], "end-of-stream", &flow);
    gst_object_unref (sources[i]);
  }
}

static void
on_ended (Stream *self)
{
  say ("eos\t%u\t%" G_GUINT64_FORMAT, self->number, self->frames);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  g_source_remove (self->watch);
  gst_clear_object (&self->pipeline);
  running--;
  if (self->again && !ending)
    start (self);
  else if (ending && running == 0)
    g_main_loop_quit (loop);
}

/* What is on the bus */

static void
say_file (Stream *self, const gchar *source, const GstStructure *s)
{
  const gchar *name = gst_structure_get_string (s, "name");
  const gchar *role = gst_structure_get_string (s, "role");
  g_autofree gchar *reason = one_line (gst_structure_get_string (s, "reason"));
  guint64 size = 0;

  if (gst_structure_has_name (s, "ams-file-uploaded")) {
    gst_structure_get_uint64 (s, "size", &size);
    say ("uploaded\t%u\t%s\t%s\t%s\t%" G_GUINT64_FORMAT, self->number, source,
        role, name, size);
  } else if (gst_structure_has_name (s, "ams-file-failed")) {
    say ("failed\t%u\t%s\t%s\t%s", self->number, source, name, reason);
  } else if (gst_structure_has_name (s, "ams-file-retrying")) {
    say ("retrying\t%u\t%s", self->number, source);
  }
}

static void
say_added (Stream *self, const GstStructure *s)
{
  guint64 sequence = 0, size = 0, duration = 0;
  gboolean discontinuity = FALSE;

  gst_structure_get_uint64 (s, "sequence", &sequence);
  gst_structure_get_uint64 (s, "size", &size);
  gst_structure_get_uint64 (s, "duration", &duration);
  gst_structure_get_boolean (s, "discontinuity", &discontinuity);
  say ("added\t%u\t%" G_GUINT64_FORMAT "\t%s\t%" G_GUINT64_FORMAT
       "\t%" G_GUINT64_FORMAT "\t%s",
      self->number, sequence, gst_structure_get_string (s, "location"), size,
      duration, discontinuity ? "yes" : "no");
}

static void
say_fault (Stream *self, const gchar *source, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else
    gst_message_parse_info (message, &error, NULL);
  text = one_line (error->message);
  say ("%s\t%u\t%s\t%s", GST_MESSAGE_TYPE_NAME (message), self->number, source,
      text);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Stream *self = user_data;
  const GstStructure *s = gst_message_get_structure (message);
  const gchar *source = GST_MESSAGE_SRC_NAME (message);

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO:
      say_fault (self, source, message);
      break;
    case GST_MESSAGE_ELEMENT:
      if (gst_structure_has_name (s, "hls-segment-added"))
        say_added (self, s);
      else if (gst_structure_has_name (s, "ams-recording-started"))
        say ("started\t%u", self->number);
      else
        say_file (self, source, s);
      break;
    case GST_MESSAGE_EOS:
      on_ended (self);
      return G_SOURCE_CONTINUE;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* What it costs */

static guint64
status_value (const gchar *text, const gchar *field)
{
  const gchar *line = strstr (text, field);

  return line ? g_ascii_strtoull (line + strlen (field), NULL, 10) : 0;
}

static guint
open_files (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint found = 0;

  while (dir && g_dir_read_name (dir))
    found++;
  return found;
}

static gboolean
on_second (gpointer user_data)
{
  g_autofree gchar *text = NULL;
  struct mallinfo2 info = mallinfo2 ();

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return G_SOURCE_CONTINUE;
  say ("memory\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%" G_GSIZE_FORMAT
       "\t%" G_GUINT64_FORMAT "\t%u",
      status_value (text, "VmRSS:"), status_value (text, "RssAnon:"),
      (info.uordblks + info.hblkhd) / 1024, status_value (text, "Threads:"),
      open_files ());
  return G_SOURCE_CONTINUE;
}

static gboolean
on_command (GIOChannel *channel, GIOCondition condition, gpointer user_data)
{
  g_autofree gchar *line = NULL;

  if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) ==
      G_IO_STATUS_NORMAL) {
    guint number = count;

    if (g_str_has_prefix (line, "restart "))
      number = atoi (line + strlen ("restart "));
    if (number < count) {
      streams[number].again = TRUE;
      send_eos (&streams[number]);
      return G_SOURCE_CONTINUE;
    }
  }
  ending = TRUE;
  for (guint i = 0; i < count; i++)
    send_eos (&streams[i]);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);

  gst_init (&argc, &argv);
  if (argc != 4)
    g_error ("soak-live COUNT GOP PIPELINE");
  count = atoi (argv[1]);
  gop = atoi (argv[2]);
  description = argv[3];
  encode_all ();

  loop = g_main_loop_new (NULL, FALSE);
  streams = g_new0 (Stream, count);
  for (guint i = 0; i < count; i++) {
    streams[i].number = i;
    g_mutex_init (&streams[i].lock);
    start (&streams[i]);
  }
  g_thread_unref (g_thread_new ("feed", feed_all, NULL));
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_command, NULL);
  g_timeout_add_seconds (1, on_second, NULL);
  g_main_loop_run (loop);
  say ("ended");
  return EXIT_SUCCESS;
}
