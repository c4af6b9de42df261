/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "source.h"

#include <gst/app/gstappsink.h>

struct _Source
{
  SourceSettings settings;
  GstElement *pipeline;
  Tracks *tracks;
  guint number; /* the tracks' */
  SourceLost lost;
  gpointer data;
  guint bus_watch; /* main thread */
  gboolean closed; /* main thread */

  GMutex lock;
  gboolean has[2]; /* audio, video; under the lock */
  GString *description; /* under the lock */
};

typedef struct
{
  Source *source;
  gboolean video;
} Outlet;

static GMutex closing_lock;
static GCond closing_cond;
static guint closing; /* under closing_lock */

static void
source_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, NULL);
}

/* ---- streams, in the source's threads ---- */

static GstFlowReturn
on_sample (GstAppSink *appsink, gpointer data)
{
  Outlet *outlet = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (appsink);

  if (sample && gst_sample_get_buffer (sample))
    tracks_push (outlet->source->tracks, outlet->source->number, outlet->video,
        sample);
  return GST_FLOW_OK;
}

static void
outlet_free (gpointer data)
{
  source_unref (((Outlet *) data)->source);
  g_free (data);
}

static GstElement *
new_outlet (Source *self, gboolean video)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  GstElement *appsink = gst_element_factory_make ("appsink", NULL);
  Outlet *outlet = g_new0 (Outlet, 1);

  outlet->source = g_atomic_rc_box_acquire (self);
  outlet->video = video;
  g_object_set (appsink, "sync", FALSE, "async", FALSE, "enable-last-sample",
      FALSE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (appsink), &callbacks, outlet,
      outlet_free);
  gst_bin_add (GST_BIN (self->pipeline), appsink);
  return appsink;
}

static void
describe_stream (Source *self, const GstCaps *caps, gboolean encoded)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *name = gst_structure_get_string (s, "encoding-name");

  g_mutex_lock (&self->lock);
  g_string_append_printf (self->description, "%s%s%s",
      self->description->len > 0 ? ", " : "",
      name ? name : gst_structure_get_name (s),
      encoded ? " (encoded anew)" : "");
  g_mutex_unlock (&self->lock);
}

static gboolean
claim (Source *self, gboolean video)
{
  gboolean first;

  g_mutex_lock (&self->lock);
  first = !self->has[video];
  self->has[video] = TRUE;
  g_mutex_unlock (&self->lock);
  return first;
}

static void
add_stream (Source *self, GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GError) error = NULL;
  StreamWish wish = self->settings.wish;
  GstElement *outlet;
  GstPad *from;
  StreamKind kind;
  gboolean video, encoded;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  kind = stream_kind (caps);
  video = kind == STREAM_VIDEO;
  if (kind == STREAM_OTHER || !claim (self, video)) {
    stream_discard (GST_BIN (self->pipeline), pad);
    return;
  }
  wish.codec = tracks_get_codec (self->tracks, video);
  outlet = new_outlet (self, video);
  from = gst_element_get_static_pad (outlet, "sink");
  tracks_expect (self->tracks, self->number, video, from);
  gst_object_unref (from);
  if (stream_plug (GST_BIN (self->pipeline), pad, caps, &wish, outlet, &encoded,
          &error))
    describe_stream (self, caps, encoded);
  else
    gst_element_post_message (self->pipeline,
        gst_message_new_error (GST_OBJECT (self->pipeline), error, NULL));
}

static void
on_pad_added (GstElement *element, GstPad *pad, gpointer data)
{
  if (GST_PAD_IS_SRC (pad))
    add_stream (data, pad);
}

static gboolean
drop_missing (gpointer data)
{
  Source *self = data;

  if (!self->closed)
    tracks_drop_missing (self->tracks);
  return G_SOURCE_REMOVE;
}

static void
on_no_more_pads (GstElement *element, gpointer data)
{
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT, drop_missing,
      g_atomic_rc_box_acquire (data), source_unref);
}

/* ---- from open to close, in the main thread ---- */

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Source *self = data;
  g_autoptr (GError) error = NULL;
  GstMessageType type = GST_MESSAGE_TYPE (message);

  if (self->closed || (type != GST_MESSAGE_ERROR && type != GST_MESSAGE_EOS))
    return G_SOURCE_CONTINUE;
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  self->bus_watch = 0;
  self->lost (self, error, self->data);
  return G_SOURCE_REMOVE;
}

static void
start (GstElement *pipeline, gpointer data)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
}

/* The recording's clock and running time are the source's as well. */
static void
follow_clock (Source *self, GstPipeline *recording)
{
  g_autoptr (GstClock) clock = gst_pipeline_get_clock (recording);

  gst_pipeline_use_clock (GST_PIPELINE (self->pipeline), clock);
  gst_element_set_start_time (self->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (self->pipeline,
      gst_element_get_base_time (GST_ELEMENT (recording)));
}

static gboolean
build (Source *self, GError **error)
{
  GstElement *demuxer;
  GstPad *pads[2];
  gboolean ok = connection_build (GST_BIN (self->pipeline), &self->settings,
      &demuxer, pads, error);
  guint i;

  if (demuxer) {
    g_signal_connect (demuxer, "pad-added", G_CALLBACK (on_pad_added), self);
    g_signal_connect (demuxer, "no-more-pads", G_CALLBACK (on_no_more_pads),
        self);
  }
  for (i = 0; i < 2 && pads[i]; i++) {
    if (ok)
      add_stream (self, pads[i]);
    gst_object_unref (pads[i]);
  }
  return ok;
}

Source *
source_open (const SourceSettings *settings, Tracks *tracks,
    GstPipeline *recording, SourceLost lost, gpointer data, GError **error)
{
  Source *self = g_atomic_rc_box_new0 (Source);
  g_autoptr (GstBus) bus = NULL;

  self->settings = *settings;
  self->pipeline = gst_object_ref_sink (gst_pipeline_new ("source"));
  self->tracks = tracks;
  self->lost = lost;
  self->data = data;
  self->description = g_string_new (NULL);
  g_mutex_init (&self->lock);
  self->number =
      tracks_begin (tracks, connection_has_own_times (settings->uri));
  follow_clock (self, recording);
  if (!build (self, error)) {
    source_close (self);
    return NULL;
  }
  bus = gst_element_get_bus (self->pipeline);
  self->bus_watch = gst_bus_add_watch (bus, on_message, self);
  gst_element_call_async (self->pipeline, start, NULL, NULL);
  return self;
}

static gpointer
end_thread (gpointer data)
{
  Source *self = data;

  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_clear_object (&self->pipeline);
  g_string_free (self->description, TRUE);
  g_mutex_clear (&self->lock);
  source_unref (self);

  g_mutex_lock (&closing_lock);
  closing--;
  g_cond_broadcast (&closing_cond);
  g_mutex_unlock (&closing_lock);
  return NULL;
}

void
source_close (Source *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  self->closed = TRUE;
  tracks_cut_off (self->tracks);
  if (self->bus_watch)
    g_source_remove (self->bus_watch);
  gst_bus_set_flushing (bus, TRUE);
  g_mutex_lock (&closing_lock);
  closing++;
  g_mutex_unlock (&closing_lock);
  g_thread_unref (g_thread_new ("source-end", end_thread, self));
}

void
source_wait_for_closed (gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;

  g_mutex_lock (&closing_lock);
  while (closing > 0 && g_cond_wait_until (&closing_cond, &closing_lock, until))
    ;
  g_mutex_unlock (&closing_lock);
}

gchar *
source_describe (Source *self)
{
  gchar *text;

  g_mutex_lock (&self->lock);
  text = g_strdup (self->description->str);
  g_mutex_unlock (&self->lock);
  return text;
}
