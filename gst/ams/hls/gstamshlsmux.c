/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Threads: units come in the streaming threads of the sink pads, and go into the
 * session under `lock`, several at once (gstamshlsmuxunits.c). What the session then says is done in the order in which
 * it was said, one thread at a time, under `out_lock`, which is to the two src pads
 * what a stream lock is to a sink pad: data and events are pushed and messages
 * posted with it held, and a slow disk holds up whoever waits for it. Whoever
 * finds it taken by a call that led to its own leaves the rest to that.
 *
 * The start asks stores and may take long, so it has a thread of its own. What a
 * tick (gstamsticker.h) brings about is done by one of the few threads that all
 * recordings share. */

#include "config.h"

#include "gstamshlsmux.h"

#include "files/amsfiles.h"
#include "gstamshlsmuxprivate.h"
#include "package/ts/amstspackager.h"

GST_DEBUG_CATEGORY (gst_ams_hls_mux_debug);
#define GST_CAT_DEFAULT gst_ams_hls_mux_debug

/* What the session decides, and why. */
GST_DEBUG_CATEGORY_STATIC (gst_ams_session_debug);

/* µs: how long a thread waits at most before it looks again. */
#define WAIT_INTERVAL (G_USEC_PER_SEC / 10)

static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (
            "video/x-h264, stream-format=(string)avc, alignment=(string)au; "
            "video/x-h265, stream-format=(string)hvc1, alignment=(string)au; "
            "video/mpeg, mpegversion=(int){ 1, 2, 4 }, parsed=(boolean)true, "
            "systemstream=(boolean)false"));
static GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE (
    "audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS ("audio/mpeg, mpegversion=(int)1, parsed=(boolean)true; "
                     "audio/mpeg, mpegversion=(int){ 2, 4 }, "
                     "framed=(boolean)true, stream-format=(string)raw; "
                     "audio/x-ac3, framed=(boolean)true; "
                     "audio/x-eac3, framed=(boolean)true; "
                     "audio/x-dts, framed=(boolean)true; "
                     "audio/x-opus, channels=(int)[ 1, 8 ], "
                     "channel-mapping-family=(int){ 0, 1 }"));
static GstStaticPadTemplate local_template = GST_STATIC_PAD_TEMPLATE ("local",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));
static GstStaticPadTemplate remote_template = GST_STATIC_PAD_TEMPLATE ("remote",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (AMS_FILES_CAPS));

G_DEFINE_TYPE (GstAmsHlsMux, gst_ams_hls_mux, GST_TYPE_ELEMENT);

/* ---- the story ---- */

static gboolean
listens (gpointer user_data)
{
  return gst_debug_category_get_threshold (gst_ams_session_debug) >=
      GST_LEVEL_DEBUG;
}

static void
tell (gpointer user_data, const gchar *text)
{
  GST_CAT_DEBUG_OBJECT (gst_ams_session_debug, user_data, "%s", text);
}

/* ---- time that goes by ---- */

static gboolean
on_tick (gpointer user_data)
{
  GstAmsHlsMux *self = user_data;
  gboolean any = FALSE;

  gst_ams_hls_mux_lock_fed (self);
  if (self->session && !self->stopping) {
    ams_session_tick (self->session, gst_ams_hls_mux_now ());
    any = ams_session_has_next (self->session) ||
        gst_ams_hls_mux_has_late_request_locked (self);
  }
  if (self->waiting > 0)
    g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return any;
}

static void
on_run (gpointer user_data)
{
  gst_ams_hls_mux_run (user_data);
  gst_ams_hls_mux_send_late_requests (user_data);
}

static const GstAmsTickerFunctions ticker_functions = { on_tick, on_run };

/* ---- what comes in ---- */

/* Enough is held of this track: as with a full queue, this thread waits, until the
 * other track comes or has had its time, or the recording has begun. Lock held,
 * released in between. */
static void
wait_for_room_locked (GstAmsHlsMux *self, GstPad *pad,
    const GstAmsHlsMuxTrack *track)
{
  self->waiting++;
  while (!self->stopping && !GST_PAD_IS_FLUSHING (pad) &&
      ams_session_is_full (self->session, track->id)) {
    g_cond_wait_until (&self->cond, &self->lock,
        g_get_monotonic_time () + WAIT_INTERVAL);
    gst_ams_hls_mux_feed_locked (self);
    ams_session_tick (self->session, gst_ams_hls_mux_now ());
    g_mutex_unlock (&self->lock);
    gst_ams_hls_mux_run (self);
    g_mutex_lock (&self->lock);
  }
  self->waiting--;
}

/* *@any: there is something to do. */
static GstFlowReturn
take_unit (GstAmsHlsMux *self, GstPad *pad, GstAmsHlsMuxTrack *track,
    const AmsSessionInput *unit, gboolean *any)
{
  GstFlowReturn flow;

  g_mutex_lock (&self->lock);
  if (!self->session) {
    g_mutex_unlock (&self->lock);
    g_bytes_unref (unit->payload);
    return GST_FLOW_FLUSHING;
  }
  if (ams_session_is_full (self->session, track->id))
    wait_for_room_locked (self, pad, track);
  flow = g_atomic_int_get (&self->flow);
  if (flow == GST_FLOW_OK && ams_session_has_ended (self->session))
    flow = GST_FLOW_EOS;
  if (flow == GST_FLOW_OK)
    *any = gst_ams_hls_mux_add_unit_locked (self, track, unit);
  else
    g_bytes_unref (unit->payload);
  if (self->waiting > 0)
    g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return flow;
}

static GstFlowReturn
gst_ams_hls_mux_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstAmsHlsMux *self = GST_AMS_HLS_MUX (parent);
  GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);
  AmsSessionInput unit = { 0 };
  GstFlowReturn flow = GST_FLOW_OK;
  gboolean any = FALSE;
  guint channels = 0;
  guint64 services = 0;

  GST_LOG_OBJECT (pad, "%" GST_PTR_FORMAT, buffer);
  gst_ams_hls_mux_send_request (self, pad);
  unit.seen = track->seen;
  unit.arrival = gst_ams_hls_mux_now ();
  if (gst_ams_input_take_buffer (track->input, buffer, &unit)) {
    if (gst_ams_input_find_captions (track->input, &unit, &channels, &services))
      gst_ams_publisher_add_captions (self->publisher, channels, services);
    gst_ams_hls_mux_read_clocks (self, track, &unit);
    flow = take_unit (self, pad, track, &unit, &any);
  }
  if (any)
    gst_ams_hls_mux_run (self);
  gst_buffer_unref (buffer);
  return flow == GST_FLOW_OK ? g_atomic_int_get (&self->flow) : flow;
}

static gboolean
refuse_caps (GstAmsHlsMux *self, const GstAmsHlsMuxTrack *track,
    const GError *error)
{
  GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
      ("The %s cannot be recorded: %s.", track->video ? "video" : "audio",
          error->message),
      (NULL));
  return FALSE;
}

static gboolean
take_caps (GstAmsHlsMux *self, GstAmsHlsMuxTrack *track, GstEvent *event)
{
  g_autoptr (AmsTrack) form = NULL;
  g_autoptr (GError) error = NULL;
  GstCaps *caps;
  gboolean over, ok;

  gst_event_parse_caps (event, &caps);
  form = gst_ams_input_take_caps (track->input, caps, &over, &error);
  if (!form)
    return refuse_caps (self, track, error);
  gst_ams_hls_mux_lock_fed (self);
  ok = !self->session ||
      ams_session_set_track (self->session, track->id, form, over, &error);
  g_mutex_unlock (&self->lock);
  if (ok)
    gst_ams_publisher_add_track (self->publisher, form);
  gst_ams_hls_mux_run (self);
  return ok || refuse_caps (self, track, error);
}

/* What is on the track ends; the last of all ends the recording. */
static void
end_track (GstAmsHlsMux *self, const GstAmsHlsMuxTrack *track)
{
  gst_ams_hls_mux_lock_fed (self);
  if (self->session)
    ams_session_end_track (self->session, track->id);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
}

/* What was recorded stays: the flush ends here, and shows as a jump. */
static void
take_flush (GstAmsHlsMux *self, GstAmsHlsMuxTrack *track)
{
  gst_ams_input_flush (track->input);
  gst_ams_hls_mux_lock_fed (self);
  if (self->session)
    ams_session_expect_jump (self->session, track->id);
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
}

/* Upstream says that there is nothing up to a time: as good as data. */
static void
take_gap (GstAmsHlsMux *self, GstAmsHlsMuxTrack *track, GstEvent *event)
{
  GstClockTime time, duration;
  gint64 end;

  gst_event_parse_gap (event, &time, &duration);
  if (GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (duration))
    time += duration;
  end = gst_ams_input_to_running_time (track->input, time);
  gst_ams_hls_mux_lock_fed (self);
  if (self->session)
    ams_session_take_gap (self->session, track->id, end,
        gst_ams_hls_mux_now ());
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
}

static gboolean
gst_ams_hls_mux_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsHlsMux *self = GST_AMS_HLS_MUX (parent);
  GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);
  gboolean ok = TRUE;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      ok = take_caps (self, track, event);
      break;
    case GST_EVENT_SEGMENT:
      gst_ams_input_take_segment (track->input, event);
      break;
    case GST_EVENT_GAP:
      take_gap (self, track, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      take_flush (self, track);
      break;
    case GST_EVENT_EOS:
      end_track (self, track);
      break;
    default:
      /* The streams that go out are others. */
      break;
  }
  gst_event_unref (event);
  return ok;
}

/* ---- what the stores say ---- */

static gboolean
gst_ams_hls_mux_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsHlsMux *self = GST_AMS_HLS_MUX (parent);
  g_autofree gchar *name = NULL;
  guint64 version;
  gboolean ours = TRUE;

  if (ams_files_event_parse_failed (event, &name)) {
    gst_ams_publisher_take_failed (self->publisher, g_steal_pointer (&name));
  } else if (ams_files_event_parse_taken (event, &name)) {
    gst_ams_publisher_take_taken (self->publisher, g_steal_pointer (&name));
  } else if (ams_files_event_parse_stored (event, &name, &version)) {
    /* With a disk, its word is what counts. */
    if (pad == self->local || !gst_pad_is_linked (self->local))
      gst_ams_publisher_take_stored (self->publisher, name, version);
  } else {
    ours = FALSE;
  }
  gst_event_unref (event);
  return ours;
}

static gboolean
gst_ams_hls_mux_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    /* A recording needs none. */
    gst_query_set_latency (query, FALSE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

/* ---- pads ---- */

static void
track_free (gpointer data)
{
  GstAmsHlsMuxTrack *track = data;

  gst_ams_input_free (track->input);
  g_free (track);
}

static void
add_to_session_locked (GstAmsHlsMux *self, GstAmsHlsMuxTrack *track)
{
  track->id = ams_session_add_track (self->session,
      track->video ? AMS_TRACK_VIDEO : AMS_TRACK_AUDIO, 0);
  gst_ams_input_watch_captions (track->input,
      track->video && gst_ams_publisher_has_multivariant (self->publisher));
}

GstPad *
gst_ams_hls_mux_add_pad (GstAmsHlsMux *self, gboolean video)
{
  GstAmsHlsMuxTrack *track = g_new0 (GstAmsHlsMuxTrack, 1);
  g_autofree gchar *name = g_strdup_printf (video ? "video_%u" : "audio_%u",
      g_atomic_int_add ((gint *) &self->n_pads, 1));
  GstPad *pad = gst_pad_new_from_static_template (
      video ? &video_template : &audio_template, name);

  track->video = video;
  track->input = gst_ams_input_new ();
  track->seen = AMS_TIME_NONE;
  gst_pad_set_element_private (pad, track);
  g_object_set_data_full (G_OBJECT (pad), "ams-track", track, track_free);
  gst_pad_set_chain_function (pad, gst_ams_hls_mux_chain);
  gst_pad_set_event_function (pad, gst_ams_hls_mux_sink_event);
  g_mutex_lock (&self->lock);
  if (self->session)
    add_to_session_locked (self, track);
  g_ptr_array_add (self->pads, gst_object_ref_sink (pad));
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  return pad;
}

void
gst_ams_hls_mux_note_seen (GstAmsHlsMux *self, GstPad *pad, gint64 time)
{
  GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);

  track->seen = time;
}

void
gst_ams_hls_mux_remove_pad (GstAmsHlsMux *self, GstPad *pad)
{
  const GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);

  gst_object_ref (pad);
  gst_pad_set_active (pad, FALSE);
  gst_ams_hls_mux_lock_fed (self);
  if (self->session)
    ams_session_remove_track (self->session, track->id);
  g_ptr_array_remove (self->pads, pad);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
  gst_element_remove_pad (GST_ELEMENT (self), pad);
  gst_object_unref (pad);
}

/* ---- interface ---- */

GstAmsPublisher *
gst_ams_hls_mux_get_publisher (GstAmsHlsMux *self)
{
  return self->publisher;
}

void
gst_ams_hls_mux_configure (GstAmsHlsMux *self,
    const AmsSessionSettings *settings)
{
  g_mutex_lock (&self->lock);
  self->settings = *settings;
  g_mutex_unlock (&self->lock);
}

void
gst_ams_hls_mux_split_now (GstAmsHlsMux *self)
{
  gst_ams_hls_mux_lock_fed (self);
  if (self->session)
    ams_session_split_now (self->session);
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
}

void
gst_ams_hls_mux_finish (GstAmsHlsMux *self)
{
  gst_ams_hls_mux_lock_fed (self);
  if (self->session)
    ams_session_finish (self->session);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
}

guint64
gst_ams_hls_mux_get_dropped (GstAmsHlsMux *self)
{
  guint64 dropped;

  g_mutex_lock (&self->lock);
  dropped =
      self->session ? ams_session_get_dropped (self->session) : self->dropped;
  g_mutex_unlock (&self->lock);
  return dropped;
}

/* ---- element ---- */

static gboolean
begin_session (GstAmsHlsMux *self)
{
  const AmsStory story = { tell, listens, self };
  g_autoptr (GError) error = NULL;

  gst_ams_publisher_reset (self->publisher);
  g_atomic_int_set (&self->flow, GST_FLOW_OK);
  g_mutex_lock (&self->lock);
  self->stopping = FALSE;
  self->target = self->settings.target_duration;
  self->first_time = AMS_TIME_NONE;
  self->session = ams_session_new (&self->settings, &story);
  ams_session_add_lane (self->session, ams_ts_packager_new (),
      AMS_TS_BLOCK_SIZE);
  for (guint i = 0; i < self->pads->len; i++) {
    GstAmsHlsMuxTrack *track =
        gst_pad_get_element_private (g_ptr_array_index (self->pads, i));

    track->seen = AMS_TIME_NONE;
    track->clocks_read = 0;
    track->thread = NULL;
    track->requested = FALSE;
    add_to_session_locked (self, track);
  }
  g_mutex_unlock (&self->lock);
  self->ticker = gst_ams_ticker_add (&ticker_functions, self, &error);
  if (self->ticker)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, FAILED,
      ("Nothing can be recorded: %s", error->message), (NULL));
  return FALSE;
}

/* Wakes whoever waits here. */
static void
stop_session (GstAmsHlsMux *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* All pads are inactive, and no start begins any more. */
static void
end_session (GstAmsHlsMux *self)
{
  g_clear_pointer (&self->ticker, gst_ams_ticker_remove);
  gst_ams_hls_mux_join_start (self);
  g_mutex_lock (&self->out_lock);
  g_mutex_lock (&self->lock);
  if (self->session)
    self->dropped = ams_session_get_dropped (self->session);
  gst_ams_hls_mux_drop_units_locked (self);
  g_clear_pointer (&self->session, ams_session_free);
  g_mutex_unlock (&self->lock);
  g_mutex_unlock (&self->out_lock);
  gst_ams_publisher_reset (self->publisher);
}

static GstStateChangeReturn
gst_ams_hls_mux_change_state (GstElement *element, GstStateChange transition)
{
  GstAmsHlsMux *self = GST_AMS_HLS_MUX (element);
  GstStateChangeReturn ret = GST_STATE_CHANGE_FAILURE;
  gboolean ok = TRUE;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    ok = begin_session (self);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stop_session (self);

  if (ok)
    ret = GST_ELEMENT_CLASS (gst_ams_hls_mux_parent_class)
              ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE)) {
    stop_session (self);
    end_session (self);
  }
  return ret;
}

static void
gst_ams_hls_mux_finalize (GObject *object)
{
  GstAmsHlsMux *self = GST_AMS_HLS_MUX (object);

  g_clear_pointer (&self->publisher, gst_ams_publisher_free);
  g_ptr_array_unref (self->pads);
  g_mutex_clear (&self->out_lock);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (gst_ams_hls_mux_parent_class)->finalize (object);
}

static void
gst_ams_hls_mux_class_init (GstAmsHlsMuxClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_hls_mux_debug, "amshlsmux", 0,
      "amshls: access units become files");
  GST_DEBUG_CATEGORY_INIT (gst_ams_session_debug, "amssession", 0,
      "amshls: where segments begin, and why");
  G_OBJECT_CLASS (klass)->finalize = gst_ams_hls_mux_finalize;
  element_class->change_state = gst_ams_hls_mux_change_state;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_add_static_pad_template (element_class, &local_template);
  gst_element_class_add_static_pad_template (element_class, &remote_template);
  gst_element_class_set_static_metadata (element_class, "HLS muxer", "Muxer",
      "Makes HLS segments and playlists (private to amshlssink)",
      "The amshls developers");
}

/* In mid-recording: what is linked has not got what could be carried. */
static void
on_remote_linked (GstPad *pad, GstPad *peer, GstAmsHlsMux *self)
{
  g_mutex_lock (&self->lock);
  if (self->session)
    ams_session_set_carries (self->session, FALSE);
  g_mutex_unlock (&self->lock);
}

static GstPad *
add_src_pad (GstAmsHlsMux *self, GstStaticPadTemplate *template_,
    const gchar *name)
{
  GstPad *pad = gst_pad_new_from_static_template (template_, name);

  gst_pad_set_event_function (pad, gst_ams_hls_mux_src_event);
  gst_pad_set_query_function (pad, gst_ams_hls_mux_src_query);
  gst_pad_use_fixed_caps (pad);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  return pad;
}

static void
gst_ams_hls_mux_init (GstAmsHlsMux *self)
{
  g_mutex_init (&self->out_lock);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->pads = g_ptr_array_new_with_free_func (gst_object_unref);
  self->local = add_src_pad (self, &local_template, "local");
  self->remote = add_src_pad (self, &remote_template, "remote");
  g_signal_connect (self->remote, "linked", G_CALLBACK (on_remote_linked),
      self);
}

static void
on_target (GstClockTime target, gint64 time, gpointer user_data)
{
  GstAmsHlsMux *self = user_data;

  g_mutex_lock (&self->lock);
  self->target = target;
  self->first_time =
      time == AMS_TIME_NONE ? AMS_TIME_NONE : time - AMS_TS_TIME_BASE;
  g_mutex_unlock (&self->lock);
}

GstAmsHlsMux *
gst_ams_hls_mux_new (GstAmsHlsMuxBegins begins, gpointer user_data)
{
  GstAmsHlsMux *self = g_object_new (GST_TYPE_AMS_HLS_MUX, NULL);

  self->begins = begins;
  self->user_data = user_data;
  self->publisher =
      gst_ams_publisher_new (GST_ELEMENT (self), self->local, self->remote);
  gst_ams_publisher_set_target_callback (self->publisher, on_target, self);
  return self;
}
