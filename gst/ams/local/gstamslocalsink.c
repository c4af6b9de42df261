/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/gstamslocalsink.h"

#include "local/amslocalstore.h"

/* How long a disk may take for what is queued when nobody has drained the sink
 * before it is stopped. */
#define STOP_GRACE (G_TIME_SPAN_SECOND / 2)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));

/* The application's callbacks, shared with the stores made for them. */
typedef struct
{
  AmsStreamCallbacks callbacks;
  gpointer user_data;
  GDestroyNotify destroy;
} Streams;

struct _GstAmsLocalSink
{
  GstAmsPutSink parent;

  /* Under the object lock. */
  gchar *root;
  AmsLocalOptions options;
  Streams *streams; /* g_atomic_rc_box */
};

G_DEFINE_FINAL_TYPE (GstAmsLocalSink, gst_ams_local_sink, GST_TYPE_AMS_PUT_SINK)

static void
streams_clear (gpointer data)
{
  Streams *streams = data;

  if (streams->destroy)
    streams->destroy (streams->user_data);
}

static void
streams_unref (gpointer streams)
{
  g_atomic_rc_box_release_full (streams, streams_clear);
}

static GOutputStream *
get_playlist_stream (const gchar *name, gpointer user_data)
{
  Streams *streams = user_data;

  return streams->callbacks.get_playlist_stream (name, streams->user_data);
}

static GOutputStream *
get_segment_stream (const gchar *name, gpointer user_data)
{
  Streams *streams = user_data;

  return streams->callbacks.get_segment_stream (name, streams->user_data);
}

static void
remove_stream (const gchar *name, gpointer user_data)
{
  Streams *streams = user_data;

  streams->callbacks.remove (name, streams->user_data);
}

/* (transfer full) streams */
static AmsStore *
create_stream_store (AmsStore *others, Streams *streams)
{
  AmsStreamCallbacks callbacks = { 0 };

  if (streams->callbacks.get_playlist_stream)
    callbacks.get_playlist_stream = get_playlist_stream;
  if (streams->callbacks.get_segment_stream)
    callbacks.get_segment_stream = get_segment_stream;
  if (streams->callbacks.remove)
    callbacks.remove = remove_stream;
  return ams_stream_store_new (others, &callbacks, streams, streams_unref);
}

static AmsStore *
gst_ams_local_sink_create_store (GstAmsPutSink *sink, GError **error)
{
  GstAmsLocalSink *self = GST_AMS_LOCAL_SINK (sink);
  g_autoptr (AmsStore) files = NULL;
  Streams *streams = NULL;

  GST_OBJECT_LOCK (self);
  files = ams_local_store_new (self->root ? self->root : ".", &self->options);
  if (self->streams)
    streams = g_atomic_rc_box_acquire (self->streams);
  GST_OBJECT_UNLOCK (self);
  if (streams)
    return create_stream_store (files, streams);
  return g_steal_pointer (&files);
}

/* Streams of the application take any name. */
static gboolean
gst_ams_local_sink_check_file (GstAmsPutSink *sink, const AmsFileBegin *begin,
    GError **error)
{
  GstAmsLocalSink *self = GST_AMS_LOCAL_SINK (sink);
  g_autofree gchar *root = NULL;
  gboolean streamed;

  GST_OBJECT_LOCK (self);
  root = g_strdup (self->root ? self->root : ".");
  streamed = self->streams != NULL;
  GST_OBJECT_UNLOCK (self);
  return streamed || ams_local_check_name (root, begin->name, error);
}

static const gchar *
gst_ams_local_sink_get_lost_advice (GstAmsPutSink *sink)
{
  return "the disk does not take them. Make room there, or mend what the warning "
         "before this one names; a longer drain-timeout of amshlssink's child "
         "“store” leaves more time for that";
}

void
gst_ams_local_sink_set_root (GstAmsLocalSink *self, const gchar *root)
{
  GST_OBJECT_LOCK (self);
  g_free (self->root);
  self->root = g_strdup (root);
  GST_OBJECT_UNLOCK (self);
}

void
gst_ams_local_sink_set_fsync (GstAmsLocalSink *self, gboolean fsync)
{
  GST_OBJECT_LOCK (self);
  self->options.sync = fsync;
  GST_OBJECT_UNLOCK (self);
}

void
gst_ams_local_sink_set_overwrite (GstAmsLocalSink *self, gboolean overwrite)
{
  GST_OBJECT_LOCK (self);
  self->options.overwrite = overwrite;
  GST_OBJECT_UNLOCK (self);
}

void
gst_ams_local_sink_set_streams (GstAmsLocalSink *self,
    const AmsStreamCallbacks *callbacks, gpointer user_data,
    GDestroyNotify destroy)
{
  Streams *streams = NULL, *before;

  if (callbacks) {
    streams = g_atomic_rc_box_new (Streams);
    *streams = (Streams){ *callbacks, user_data, destroy };
  }
  GST_OBJECT_LOCK (self);
  before = g_steal_pointer (&self->streams);
  self->streams = streams;
  GST_OBJECT_UNLOCK (self);
  if (before)
    streams_unref (before);
}

static void
gst_ams_local_sink_finalize (GObject *object)
{
  GstAmsLocalSink *self = GST_AMS_LOCAL_SINK (object);

  g_free (self->root);
  g_clear_pointer (&self->streams, streams_unref);
  G_OBJECT_CLASS (gst_ams_local_sink_parent_class)->finalize (object);
}

static void
gst_ams_local_sink_class_init (GstAmsLocalSinkClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstAmsPutSinkClass *put_class = GST_AMS_PUT_SINK_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ams_local_sink_finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Local file put",
      "Sink/File", "Writes a file stream to the disk", "amshls");
  put_class->create_store = gst_ams_local_sink_create_store;
  put_class->check_file = gst_ams_local_sink_check_file;
  put_class->get_lost_advice = gst_ams_local_sink_get_lost_advice;
  put_class->stop_grace = STOP_GRACE;
}

static void
gst_ams_local_sink_init (GstAmsLocalSink *self)
{
  self->options.sync = TRUE;
  g_object_set (self, "queue-policy", AMS_QUEUE_DROP_OLDEST, NULL);
}
