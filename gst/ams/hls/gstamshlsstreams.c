/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamshlsstreams.h"

#include <gio/gio.h>

enum
{
  GET_PLAYLIST_STREAM,
  GET_FRAGMENT_STREAM,
  DELETE_FRAGMENT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

typedef struct
{
  GstElement *element;
  gchar *root;
} Streams;

static void
streams_free (gpointer data)
{
  Streams *self = data;

  g_free (self->root);
  g_free (self);
}

static gboolean
first_stream (GSignalInvocationHint *hint, GValue *result, const GValue *value,
    gpointer data)
{
  g_value_copy (value, result);
  return g_value_get_object (value) == NULL;
}

void
gst_ams_hls_streams_install (GType type)
{
  /**
   * GstAmsHlsSink::get-playlist-stream:
   * @location: the playlist's location
   *
   * As hlssink2's: where a version of the playlist is to be written. With a handler, the element writes no
   * playlist to disk, and continues no earlier one, as it cannot read it back. Emitted in the store's thread; it may block
   * without holding up the stream.
   *
   * Returns: (transfer full) (nullable): a stream; NULL: it cannot be had now
   */
  signals[GET_PLAYLIST_STREAM] =
      g_signal_new ("get-playlist-stream", type, G_SIGNAL_RUN_LAST, 0,
          first_stream, NULL, NULL, G_TYPE_OUTPUT_STREAM, 1, G_TYPE_STRING);
  /**
   * GstAmsHlsSink::get-fragment-stream:
   * @location: the segment's location
   *
   * As #GstAmsHlsSink::get-playlist-stream, for a segment. A segment is handed over whole.
   *
   * Returns: (transfer full) (nullable): a stream
   */
  signals[GET_FRAGMENT_STREAM] =
      g_signal_new ("get-fragment-stream", type, G_SIGNAL_RUN_LAST, 0,
          first_stream, NULL, NULL, G_TYPE_OUTPUT_STREAM, 1, G_TYPE_STRING);
  /**
   * GstAmsHlsSink::delete-fragment:
   * @location: the segment's location
   *
   * A segment that was written to a stream is no longer needed.
   */
  signals[DELETE_FRAGMENT] = g_signal_new ("delete-fragment", type,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

gboolean
gst_ams_hls_streams_has (GstElement *element, GstAmsHlsStreams which)
{
  guint signal = which == GST_AMS_HLS_STREAMS_PLAYLIST ? GET_PLAYLIST_STREAM
                                                       : GET_FRAGMENT_STREAM;

  return g_signal_has_handler_pending (element, signals[signal], 0, TRUE);
}

/* As hlssink2 says it: the path that the file would have. */
static gchar *
get_location (const Streams *self, const gchar *name)
{
  if (g_str_equal (self->root, "."))
    return g_strdup (name);
  return g_build_filename (self->root, name, NULL);
}

/* (transfer full) (nullable) */
static GOutputStream *
ask_for_stream (const Streams *self, guint signal, const gchar *name)
{
  g_autofree gchar *location = get_location (self, name);
  GOutputStream *stream = NULL;

  g_signal_emit (self->element, signals[signal], 0, location, &stream);
  return stream;
}

static GOutputStream *
on_get_playlist_stream (const gchar *name, gpointer user_data)
{
  return ask_for_stream (user_data, GET_PLAYLIST_STREAM, name);
}

static GOutputStream *
on_get_segment_stream (const gchar *name, gpointer user_data)
{
  return ask_for_stream (user_data, GET_FRAGMENT_STREAM, name);
}

static void
on_delete_fragment (const gchar *name, gpointer user_data)
{
  const Streams *self = user_data;
  g_autofree gchar *location = get_location (self, name);

  g_signal_emit (self->element, signals[DELETE_FRAGMENT], 0, location);
}

void
gst_ams_hls_streams_configure (GstElement *element, GstAmsLocalSink *store,
    const gchar *root)
{
  AmsStreamCallbacks callbacks = {
    NULL,
  };
  gboolean any;
  Streams *self;

  if (gst_ams_hls_streams_has (element, GST_AMS_HLS_STREAMS_PLAYLIST))
    callbacks.get_playlist_stream = on_get_playlist_stream;
  if (gst_ams_hls_streams_has (element, GST_AMS_HLS_STREAMS_FRAGMENT)) {
    callbacks.get_segment_stream = on_get_segment_stream;
    callbacks.remove = on_delete_fragment;
  }
  any = callbacks.get_playlist_stream || callbacks.get_segment_stream;
  if (!any) {
    gst_ams_local_sink_set_streams (store, NULL, NULL, NULL);
    return;
  }
  self = g_new0 (Streams, 1);
  self->element = element;
  self->root = g_strdup (root);
  gst_ams_local_sink_set_streams (store, &callbacks, self, streams_free);
}
