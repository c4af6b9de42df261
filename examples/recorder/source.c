/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "source.h"

#include <gst/app/gstappsink.h>
#include <string.h>

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
  GPtrArray *streams; /* (element-type Stream) under the lock; only grows */
  gboolean all_known; /* no other streams will come; under the lock */
};

/* One stream of the source, from its pad to the tracks. */
typedef struct
{
  StreamKind kind;
  GstElement *bin; /* (nullable) has its elements; pipeline's, no ref */
  TrackInfo *info; /* under the source's lock */
  gboolean arrived; /* something has come out; under the source's lock */
  gboolean ended; /* nothing more will; under the source's lock */
  gint given_up; /* atomic: what still comes is dropped */
} Stream;

typedef struct
{
  Source *source;
  Stream *stream;
} Outlet;

static GMutex closing_lock;
static GCond closing_cond;
static guint closing; /* under closing_lock */

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  track_info_free (stream->info);
  g_free (stream);
}

static void
source_clear (gpointer data)
{
  Source *self = data;

  g_ptr_array_unref (self->streams);
  g_mutex_clear (&self->lock);
}

static void
source_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, source_clear);
}

static void
outlet_free (gpointer data)
{
  source_unref (((Outlet *) data)->source);
  g_free (data);
}

static Outlet *
outlet_new (Source *self, Stream *stream)
{
  Outlet *outlet = g_new0 (Outlet, 1);

  outlet->source = g_atomic_rc_box_acquire (self);
  outlet->stream = stream;
  return outlet;
}

/* ---- what becomes of a stream, in any thread ---- */

static gboolean
is_recorded (const Stream *stream)
{
  return stream->kind != STREAM_OTHER && !track_info_get_reason (stream->info);
}

/* There were streams to record, and none of them can be: says why. */
static gboolean
nothing_is_left (Source *self, GError **error)
{
  g_autoptr (GString) reasons = g_string_new (NULL);
  gboolean left = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *stream = g_ptr_array_index (self->streams, i);

    left |= is_recorded (stream);
    if (track_info_is_missed (stream->info))
      g_string_append_printf (reasons, "%s%s (%s): %s",
          reasons->len ? "; " : "", track_info_get_kind (stream->info),
          track_info_get_codec (stream->info),
          track_info_get_reason (stream->info));
  }
  left |= !self->all_known;
  g_mutex_unlock (&self->lock);
  if (left || reasons->len == 0)
    return FALSE;
  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND,
      "nothing of it can be recorded: %s.", reasons->str);
  return TRUE;
}

static void
lose (Source *self, const GError *error)
{
  if (self->bus_watch)
    g_source_remove (self->bus_watch);
  self->bus_watch = 0;
  self->lost (self, error, self->data);
}

/* All that is recorded has come to its end. The pipeline would not say so,
 * where a decoder has failed: it waits for that to begin. */
static gboolean
has_ended (Source *self)
{
  gboolean ended = TRUE, any = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *stream = g_ptr_array_index (self->streams, i);

    any |= is_recorded (stream);
    ended &= !is_recorded (stream) || stream->ended;
  }
  g_mutex_unlock (&self->lock);
  return any && ended;
}

/* Main thread: the recording waits for no track that does not come. */
static gboolean
settle (gpointer data)
{
  Source *self = data;
  g_autoptr (GError) error = NULL;
  gboolean all_known;

  if (self->closed)
    return G_SOURCE_REMOVE;
  g_mutex_lock (&self->lock);
  all_known = self->all_known;
  g_mutex_unlock (&self->lock);
  if (all_known)
    tracks_drop_missing (self->tracks);
  if (nothing_is_left (self, &error) || has_ended (self))
    lose (self, error);
  return G_SOURCE_REMOVE;
}

static void
settle_soon (Source *self)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, settle, g_atomic_rc_box_acquire (self),
      source_unref);
}

static void
set_all_known (Source *self)
{
  g_mutex_lock (&self->lock);
  self->all_known = TRUE;
  g_mutex_unlock (&self->lock);
  settle_soon (self);
}

static void
set_unrecorded (Source *self, Stream *stream, gboolean wanted,
    const gchar *reason)
{
  g_mutex_lock (&self->lock);
  track_info_set_unrecorded (stream->info, wanted, reason);
  g_mutex_unlock (&self->lock);
}

static gboolean
is_missing_decoder (const Stream *stream, GstMessage *message,
    const GError *error)
{
  return GST_MESSAGE_SRC (message) != GST_OBJECT (stream->bin) &&
      (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
          g_error_matches (error, GST_STREAM_ERROR,
              GST_STREAM_ERROR_CODEC_NOT_FOUND));
}

static gchar *
reason_of (const Stream *stream, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  gchar *reason;

  gst_message_parse_error (message, &error, NULL);
  if (is_missing_decoder (stream, message, error))
    return g_strdup (
        "no decoder for it is installed; install a package that brings one, "
        "such as gstreamer1.0-libav (Debian)");
  reason = g_strdup (error->message);
  if (g_str_has_suffix (reason, "."))
    reason[strlen (reason) - 1] = 0;
  return reason;
}

/* The others go on without it. */
static void
give_up (Source *self, Stream *stream, GstMessage *message)
{
  g_autofree gchar *reason = reason_of (stream, message);

  g_atomic_int_set (&stream->given_up, TRUE);
  set_unrecorded (self, stream, TRUE, reason);
  tracks_unexpect (self->tracks, self->number, stream->kind == STREAM_VIDEO);
  settle_soon (self);
}

/* (nullable): none that has failed before anything came of it. */
static Stream *
find_hopeless (Source *self, GstObject *failed)
{
  Stream *found = NULL;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len && !found; i++) {
    Stream *stream = g_ptr_array_index (self->streams, i);

    if (stream->bin && !stream->arrived &&
        gst_object_has_as_ancestor (failed, GST_OBJECT (stream->bin)))
      found = stream;
  }
  g_mutex_unlock (&self->lock);
  return found;
}

/* The failing element's thread. Its flow return comes after this, so the
 * source does not see it. */
static GstBusSyncReply
on_posted (GstBus *bus, GstMessage *message, gpointer data)
{
  Source *self = data;
  Stream *stream;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR ||
      !(stream = find_hopeless (self, GST_MESSAGE_SRC (message))))
    return GST_BUS_PASS;
  if (!g_atomic_int_get (&stream->given_up))
    give_up (self, stream, message);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* ---- streams, in the source's threads ---- */

static GstPadProbeReturn
on_incoming (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = ((Outlet *) data)->stream;

  return g_atomic_int_get (&stream->given_up) ? GST_PAD_PROBE_DROP
                                              : GST_PAD_PROBE_OK;
}

static void
note_arrival (Source *self, Stream *stream, GstSample *sample)
{
  g_mutex_lock (&self->lock);
  if (!stream->arrived && gst_sample_get_caps (sample))
    track_info_add_caps (stream->info, gst_sample_get_caps (sample));
  stream->arrived = TRUE;
  g_mutex_unlock (&self->lock);
}

static GstFlowReturn
on_sample (GstAppSink *appsink, gpointer data)
{
  Outlet *outlet = data;
  Source *self = outlet->source;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (appsink);

  if (!sample || !gst_sample_get_buffer (sample))
    return GST_FLOW_OK;
  note_arrival (self, outlet->stream, sample);
  tracks_push (self->tracks, self->number, outlet->stream->kind == STREAM_VIDEO,
      sample);
  return GST_FLOW_OK;
}

static void
on_eos (GstAppSink *appsink, gpointer data)
{
  Outlet *outlet = data;

  g_mutex_lock (&outlet->source->lock);
  outlet->stream->ended = TRUE;
  g_mutex_unlock (&outlet->source->lock);
  settle_soon (outlet->source);
}

static GstElement *
add_outlet (Source *self, Stream *stream)
{
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample, .eos = on_eos };
  GstElement *appsink = gst_element_factory_make ("appsink", NULL);

  g_object_set (appsink, "sync", FALSE, "async", FALSE, "enable-last-sample",
      FALSE, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (appsink), &callbacks,
      outlet_new (self, stream), outlet_free);
  gst_bin_add (GST_BIN (stream->bin), appsink);
  return appsink;
}

/* The first of its kind that can be recorded is. @claimed: it is this one. */
static Stream *
add_info (Source *self, const GstCaps *caps, gboolean *claimed)
{
  Stream *stream = g_new0 (Stream, 1);
  guint i;

  stream->kind = stream_kind (caps);
  stream->info = track_info_new (stream_kind_name (stream->kind), caps);
  *claimed = stream->kind != STREAM_OTHER;
  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *other = g_ptr_array_index (self->streams, i);

    *claimed &= other->kind != stream->kind || !is_recorded (other);
  }
  if (!*claimed)
    track_info_set_unrecorded (stream->info, FALSE,
        stream->kind == STREAM_OTHER ? "only video and audio are recorded"
                                     : "one stream of a kind is recorded");
  g_ptr_array_add (self->streams, stream);
  g_mutex_unlock (&self->lock);
  return stream;
}

static void
new_bin (Source *self, Stream *stream)
{
  GstElement *bin = gst_bin_new (NULL);

  gst_bin_add (GST_BIN (self->pipeline), bin);
  gst_element_sync_state_with_parent (bin);
  g_mutex_lock (&self->lock);
  stream->bin = bin;
  g_mutex_unlock (&self->lock);
}

static void
remove_bin (Source *self, Stream *stream)
{
  g_autoptr (GstElement) bin = gst_object_ref (stream->bin);

  g_mutex_lock (&self->lock);
  stream->bin = NULL;
  g_mutex_unlock (&self->lock);
  gst_bin_remove (GST_BIN (self->pipeline), bin);
  gst_element_set_state (bin, GST_STATE_NULL);
}

static void
note_encoded (Source *self, Stream *stream, const gchar *encoded)
{
  g_mutex_lock (&self->lock);
  track_info_set_encoded (stream->info, encoded);
  g_mutex_unlock (&self->lock);
}

static gboolean
plug (Source *self, Stream *stream, GstPad *pad, const GstCaps *caps,
    GError **error)
{
  gboolean video = stream->kind == STREAM_VIDEO;
  StreamWish wish = self->settings.wish;
  const gchar *encoded;
  g_autoptr (GstPad) from = NULL;
  GstElement *outlet;

  new_bin (self, stream);
  outlet = add_outlet (self, stream);
  from = gst_element_get_static_pad (outlet, "sink");
  wish.codec = tracks_get_codec (self->tracks, video);
  tracks_expect (self->tracks, self->number, video, from);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_incoming,
      outlet_new (self, stream), outlet_free);
  if (!stream_plug (GST_BIN (stream->bin), pad, caps, &wish, outlet, &encoded,
          error)) {
    tracks_unexpect (self->tracks, self->number, video);
    remove_bin (self, stream);
    return FALSE;
  }
  note_encoded (self, stream, encoded);
  return TRUE;
}

static void
add_stream (Source *self, GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GError) error = NULL;
  gboolean claimed;
  Stream *stream;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  stream = add_info (self, caps, &claimed);
  if (claimed && plug (self, stream, pad, caps, &error))
    return;
  stream_discard (GST_BIN (self->pipeline), pad);
  if (error)
    set_unrecorded (self, stream, TRUE, error->message);
}

static void
on_pad_added (GstElement *element, GstPad *pad, gpointer data)
{
  if (GST_PAD_IS_SRC (pad))
    add_stream (data, pad);
}

static void
on_no_more_pads (GstElement *element, gpointer data)
{
  set_all_known (data);
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
  if (ok && !demuxer)
    set_all_known (self);
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
  self->streams = g_ptr_array_new_with_free_func (stream_free);
  g_mutex_init (&self->lock);
  self->number =
      tracks_begin (tracks, connection_has_own_times (settings->uri));
  follow_clock (self, recording);
  if (!build (self, error)) {
    source_close (self);
    return NULL;
  }
  bus = gst_element_get_bus (self->pipeline);
  gst_bus_set_sync_handler (bus, on_posted, g_atomic_rc_box_acquire (self),
      source_unref);
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

GPtrArray *
source_get_tracks (Source *self)
{
  GPtrArray *all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) track_info_free);
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *stream = g_ptr_array_index (self->streams, i);

    g_ptr_array_add (all, track_info_copy (stream->info));
  }
  g_mutex_unlock (&self->lock);
  return all;
}

gboolean
source_is_settled (Source *self)
{
  gboolean settled;
  guint i;

  g_mutex_lock (&self->lock);
  settled = self->all_known;
  for (i = 0; i < self->streams->len; i++) {
    const Stream *stream = g_ptr_array_index (self->streams, i);

    settled &= !is_recorded (stream) || stream->arrived;
  }
  g_mutex_unlock (&self->lock);
  return settled;
}
