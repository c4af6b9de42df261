/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A recorder in C: a test picture and tone become rec/cam1-%05d.ts and rec/cam1.m3u8, until Ctrl-C or for so
 * many seconds as the first argument says. Run it again to continue the recording.
 *
 *   gcc record.c $(pkg-config --cflags --libs gstreamer-1.0) -o record && ./record 30
 */

#include <glib-unix.h>
#include <gst/gst.h>
#include <stdlib.h>

typedef struct
{
  GstElement *pipeline;
  GMainLoop *loop;
  int status;
} Recorder;

static GstElement *
add (Recorder *self, const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element)
    g_error ("the element \"%s\" is missing", factory);
  gst_bin_add (GST_BIN (self->pipeline), element);
  return element;
}

static void
build (Recorder *self)
{
  GstElement *video = add (self, "videotestsrc");
  GstElement *h264 = add (self, "x264enc");
  GstElement *audio = add (self, "audiotestsrc");
  GstElement *aac = add (self, "avenc_aac");
  GstElement *hls = add (self, "amshlssink");

  g_object_set (video, "is-live", TRUE, NULL);
  g_object_set (audio, "is-live", TRUE, NULL);
  gst_util_set_object_arg (G_OBJECT (h264), "tune", "zerolatency");
  g_object_set (h264, "key-int-max", 60, NULL);
  g_object_set (hls, "location", "rec/cam1-%05d.ts", "playlist-location",
      "rec/cam1.m3u8", NULL);
  if (!gst_element_link_many (video, h264, hls, NULL) ||
      !gst_element_link_many (audio, aac, hls, NULL))
    g_error ("the elements do not link");
}

static void
show (const GstStructure *s)
{
  guint64 duration;

  if (gst_structure_has_name (s, "hls-segment-added") &&
      gst_structure_get_uint64 (s, "duration", &duration))
    g_print ("%s, %.3f s\n", gst_structure_get_string (s, "location"),
        duration / (gdouble) GST_SECOND);
  else if (g_str_has_prefix (gst_structure_get_name (s), "ams-recording-"))
    g_print ("%s: %s\n", gst_structure_get_name (s),
        gst_structure_get_string (s, "playlist-location"));
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Recorder *self = data;
  g_autoptr (GError) error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
      show (gst_message_get_structure (message));
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (message, &error, NULL);
      g_printerr ("warning: %s\n", error->message);
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("error: %s\n", error->message);
      self->status = EXIT_FAILURE;
      g_main_loop_quit (self->loop);
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit (self->loop);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* EOS, not a state change: the recording ends when all of it is written. */
static gboolean
on_stop (gpointer data)
{
  Recorder *self = data;

  gst_element_send_event (self->pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  Recorder self = { NULL, NULL, EXIT_SUCCESS };
  g_autoptr (GstBus) bus = NULL;

  gst_init (&argc, &argv);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.pipeline = gst_pipeline_new (NULL);
  build (&self);

  bus = gst_element_get_bus (self.pipeline);
  gst_bus_add_watch (bus, on_message, &self);
  g_unix_signal_add (SIGINT, on_stop, &self);
  g_unix_signal_add (SIGTERM, on_stop, &self);
  if (argc > 1)
    g_timeout_add_seconds (atoi (argv[1]), on_stop, &self);

  gst_element_set_state (self.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (self.loop);
  gst_element_set_state (self.pipeline, GST_STATE_NULL);

  gst_bus_remove_watch (bus);
  gst_object_unref (self.pipeline);
  g_main_loop_unref (self.loop);
  return self.status;
}
