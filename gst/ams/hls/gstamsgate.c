/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Threads: each track's buffers come in its own streaming thread (several
 * tracks may share one). Decisions are made under the lock; everything is pushed
 * without it, by the track's own thread, in the order in which it was decided. Three
 * exceptions push into another track's pad: GAP events for a track that is silent
 * (its thread is not pushing then), from the other track's thread or, when that one
 * waits for room in its queue, from the watch thread; the empty buffer that announces a
 * track, from the video's thread in front of the cut at which it joins, as the muxer names
 * in its tables what it has had a buffer of; and gst_ams_gate_finish().
 *
 * Silent is a track that has sent nothing for the stall timeout, while the
 * other has got ahead of it by as much: both, so that neither a file that is read as
 * fast as it goes nor a pipeline in PAUSED makes one silent.
 *
 * A track goes through HOLDING (what comes is kept: at the start until the tracks
 * can begin together, later until the next cut) and FLOWING. */

#include "config.h"

#include "gstamsgate.h"

#include <gst/video/video.h>

#include "gstamsgatelogic.h"

GST_DEBUG_CATEGORY (gst_ams_gate_debug);
#define GST_CAT_DEFAULT gst_ams_gate_debug

#define SINK_VIDEO_CAPS \
  "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au; " \
  "video/x-h265, stream-format=(string)byte-stream, alignment=(string)au; " \
  "video/mpeg, mpegversion=(int){ 1, 2, 4 }, parsed=(boolean)true, " \
  "systemstream=(boolean)false"

#define SINK_AUDIO_CAPS \
  "audio/mpeg, mpegversion=(int)1, parsed=(boolean)true; " \
  "audio/mpeg, mpegversion=(int){ 2, 4 }, framed=(boolean)true, " \
  "stream-format=(string){ adts, raw }; " \
  "audio/x-ac3, framed=(boolean)true; " \
  "audio/x-dts, framed=(boolean)true; " \
  "audio/x-opus, channels=(int)[ 1, 8 ], channel-mapping-family=(int){ 0, 1 }"

static GstStaticPadTemplate video_sink_template =
    GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (SINK_VIDEO_CAPS));
static GstStaticPadTemplate audio_sink_template =
    GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (SINK_AUDIO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src_%u",
    GST_PAD_SRC, GST_PAD_SOMETIMES, GST_STATIC_CAPS_ANY);

/* What is held of a track while the other is waited for, before its thread waits as well. Less than
 * its queue takes: if its thread has gone by then, the other's pushes all of it, and must not wait. */
#define HOLD_SLACK GST_SECOND

/* µs: how often the watch thread looks. */
#define WATCH_INTERVAL (G_USEC_PER_SEC / 10)

/* µs: an answer is waited for, where the source is faster than the disk. */
#define PROMISE_TIMEOUT (5 * G_USEC_PER_SEC)

struct _GstAmsGate
{
  GstElement parent;

  GstAmsGateCallbacks callbacks;
  gpointer user_data;

  GPtrArray *removed; /* under the lock: GstAmsGateTrack, until below PAUSED */
  GThread *watch; /* state changes only */

  GMutex lock;
  GCond cond; /* something may have changed for who waits */
  /* under the lock */
  GstAmsGateLogic logic;
  gboolean stopping;
  GstAmsGateTrack *attaching; /* a thread is at it */
};

G_DEFINE_TYPE (GstAmsGate, gst_ams_gate, GST_TYPE_ELEMENT);

static gint64
now_running_time (gpointer user_data)
{
  GstAmsGate *self = user_data;
  g_autoptr (GstClock) clock = gst_element_get_clock (GST_ELEMENT (self));

  if (!clock)
    return AMS_TIME_NONE;
  return GST_CLOCK_DIFF (gst_element_get_base_time (GST_ELEMENT (self)),
      gst_clock_get_time (clock));
}

/* ---- starting and joining ---- */

/* Lock held, released in between: another thread may be at it. FALSE: an error was posted. @primer: (nullable)
 * (transfer full) what is to be pushed before anything else. */
static gboolean
attach_locked (GstAmsGate *self, GstAmsGateTrack *track, GstBuffer *primer)
{
  gboolean ok;

  while (self->attaching && !track->attached)
    g_cond_wait (&self->cond, &self->lock);
  if (track->attached || track->removed) {
    gst_clear_buffer (&primer);
    return track->attached;
  }
  self->attaching = track;
  g_mutex_unlock (&self->lock);
  ok = self->callbacks.attach (self, track->srcpad, track->video,
      self->user_data);
  if (ok && primer)
    gst_pad_push (track->srcpad, g_steal_pointer (&primer));
  gst_clear_buffer (&primer);
  g_mutex_lock (&self->lock);
  track->attached = ok;
  self->attaching = NULL;
  g_cond_broadcast (&self->cond);
  return ok;
}

/* A cut of @track's is about to be pushed, and the other joins there: the muxer must know of it before
 * it writes the cut's tables. If it cannot be attached, its own thread finds that, too. */
static void
attach_joining_locked (GstAmsGate *self, GstAmsGateTrack *track)
{
  GstAmsGateTrack *other = gst_ams_gate_logic_other_track (&self->logic, track);
  GstBuffer *primer = other ? gst_ams_gate_logic_take_primer (other) : NULL;

  if (primer)
    attach_locked (self, other, primer);
}

/* Called with the lock, which is released meanwhile: no other thread starts,
 * as `starting` is set. */
static gboolean
start_tracks_locked (GstAmsGate *self, gboolean video, gint64 start)
{
  guint i;

  for (i = 0; i < self->logic.tracks->len; i++) {
    GstAmsGateTrack *track = gst_ams_gate_logic_get_track (&self->logic, i);

    if (track->video != video || !gst_ams_gate_logic_is_ready (track))
      continue;
    if (!attach_locked (self, track, NULL)) {
      if (!track->removed)
        return FALSE;
      continue;
    }
    track->flowing = TRUE;
    track->begin_at = video ? AMS_TIME_NONE : start;
  }
  return TRUE;
}

/* The muxer waits for data on each pad that it has, so all that begin are attached before the
 * first of them pushes; and the video before the audio, as of two frames of the same time
 * it takes that of the pad that it had first. */
static gboolean
start_recording_locked (GstAmsGate *self)
{
  gint64 start = gst_ams_gate_logic_start_time (&self->logic);

  self->logic.starting = TRUE;
  self->logic.started = start_tracks_locked (self, TRUE, start) &&
      start_tracks_locked (self, FALSE, start);
  self->logic.starting = FALSE;
  g_cond_broadcast (&self->cond);
  GST_DEBUG_OBJECT (self, "recording starts at %" GST_STIME_FORMAT,
      GST_STIME_ARGS (start));
  return self->logic.started;
}

/* Goes on with whatever of @track may go on. Lock held, released in between. FALSE: an error was posted. */
static gboolean
advance_locked (GstAmsGate *self, GstAmsGateTrack *track, GQueue *out)
{
  if (!self->logic.started && !self->logic.starting &&
      gst_ams_gate_logic_may_start (&self->logic) &&
      !start_recording_locked (self))
    return FALSE;
  if (!self->logic.started || !gst_ams_gate_logic_is_ready (track))
    return TRUE;
  if (!track->flowing)
    gst_ams_gate_logic_join (&self->logic, track);
  if (track->joins_at_cut) {
    GstAmsGateTrack *lead = gst_ams_gate_logic_lead (&self->logic);

    /* The video has fallen silent or ended meanwhile: nobody to wait for. */
    if (lead && lead->video)
      return TRUE;
    gst_ams_gate_logic_begin_now (&self->logic, track);
  }
  if (!attach_locked (self, track, gst_ams_gate_logic_take_primer (track)))
    return FALSE;
  while (gst_ams_gate_logic_is_ready (track) &&
      !gst_ams_gate_logic_awaits_video (&self->logic, track, out))
    gst_ams_gate_logic_process (&self->logic, track,
        g_queue_pop_head (&track->held), out);
  attach_joining_locked (self, track);
  return TRUE;
}

/* ---- what comes in ---- */

/* Pushes GAPs for silent tracks whose other's thread waits for room. */
static void
watch_tracks (GstAmsGate *self)
{
  guint i, n;

  g_mutex_lock (&self->lock);
  n = self->logic.tracks->len;
  g_mutex_unlock (&self->lock);
  for (i = 0; i < n; i++) {
    GstAmsGateTrack *silent = NULL;
    GstEvent *gap = NULL;
    g_autoptr (GstPad) pad = NULL;

    g_mutex_lock (&self->lock);
    if (i < self->logic.tracks->len &&
        gst_ams_gate_logic_get_track (&self->logic, i)->pushing)
      gap = gst_ams_gate_logic_gap_for_other (&self->logic,
          gst_ams_gate_logic_get_track (&self->logic, i), &silent);
    if (gap)
      pad = gst_object_ref (silent->srcpad);
    g_mutex_unlock (&self->lock);
    if (gap)
      gst_pad_push_event (pad, gap);
  }
}

static gpointer
watch_thread (gpointer data)
{
  GstAmsGate *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    gint64 until = g_get_monotonic_time () + WATCH_INTERVAL;

    g_cond_wait_until (&self->cond, &self->lock, until);
    if (self->stopping)
      break;
    g_mutex_unlock (&self->lock);
    watch_tracks (self);
    g_mutex_lock (&self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

static GstFlowReturn
push_all (GstAmsGateTrack *track, GQueue *out)
{
  GstFlowReturn ret = GST_FLOW_OK;
  GstMiniObject *object;

  while ((object = g_queue_pop_head (out))) {
    if (ret != GST_FLOW_OK)
      gst_mini_object_unref (object);
    else if (GST_IS_EVENT (object))
      gst_pad_push_event (track->srcpad, GST_EVENT_CAST (object));
    else
      ret = gst_pad_push (track->srcpad, GST_BUFFER_CAST (object));
  }
  return ret;
}

static void
complain_no_keyframe (GstAmsGate *self)
{
  GST_ELEMENT_WARNING (self, STREAM, DECODE,
      ("No keyframe (IDR) has come for %u seconds of video: nothing can be "
       "recorded before one. Make the encoder send them, at least one "
       "per target-duration.",
          (guint) (GST_AMS_GATE_IDR_PATIENCE / GST_SECOND)),
      (NULL));
}

/* Asks for the keyframe that is to end the segment which began with what was just
 * pushed. */
static void
request_keyframe (GstAmsGate *self, GstAmsGateTrack *track, GstEvent *request)
{
  gboolean handled;

  if (!request)
    return;
  handled = gst_pad_push_event (track->sinkpad, request);
  g_mutex_lock (&self->lock);
  /* Believed once; whether they come, the cutter sees for itself. */
  if (!handled || !self->logic.asked)
    ams_cutter_set_keyframes_on_request (self->logic.cutter, handled);
  self->logic.asked = TRUE;
  g_mutex_unlock (&self->lock);
}

/* Another thread is attaching the tracks: what comes meanwhile could be all of this one, and then nobody
 * would push it. */
static void
wait_while_starting_locked (GstAmsGate *self)
{
  while (self->logic.starting && !self->stopping)
    g_cond_wait (&self->cond, &self->lock);
}

/* A start is waited for, and enough is held: as with a full queue, this thread
 * waits, until the other track comes or has had its time. */
static void
wait_for_start_locked (GstAmsGate *self, GstAmsGateTrack *track)
{
  gint64 limit = self->logic.settings.stall_timeout + HOLD_SLACK;

  while (!self->logic.started && !self->stopping && !self->logic.finished &&
      gst_ams_gate_logic_held_span (track) > limit &&
      !gst_ams_gate_logic_may_start (&self->logic))
    g_cond_wait_until (&self->cond, &self->lock,
        g_get_monotonic_time () + WATCH_INTERVAL);
}

/* The first segment is under way, but whether an earlier playlist holds it to a
 * shorter target is still being found out, in the muxer's thread. Bounded, as nothing worse
 * comes of going on. */
static void
wait_for_promise_locked (GstAmsGate *self, GstAmsGateTrack *track)
{
  gint64 until = g_get_monotonic_time () + PROMISE_TIMEOUT;

  track->pushing = TRUE; /* held up, not silent */
  while (self->logic.segment_open && !self->logic.promised && !self->stopping &&
      !self->logic.finished &&
      g_cond_wait_until (&self->cond, &self->lock, until))
    ;
  track->pushing = FALSE;
}

/* Of a track whose thread has sent its EOS, which waits behind what is held, into @out; the start was waited for, or a
 * cut. Lock held, released in between. */
static void
take_rest_locked (GstAmsGate *self, GstAmsGateTrack *track, GQueue *out)
{
  gint64 room = self->logic.settings.stall_timeout + HOLD_SLACK * 3 / 2;
  gboolean any;

  if (!self->logic.started || !track->eos || track->ended || track->pushing ||
      track->removed || !gst_ams_gate_logic_is_ready (track))
    return;
  if (gst_ams_gate_logic_held_span (track) > room &&
      !gst_ams_gate_logic_all_eos (&self->logic, &any))
    return;
  if (!advance_locked (self, track, out) || gst_ams_gate_logic_is_ready (track))
    return;
  g_queue_push_tail (out, gst_ams_gate_logic_new_end (&self->logic));
  g_queue_push_tail (out, gst_event_new_eos ());
  track->ended = TRUE;
}

/* However long that took, only from now on it may be silent. */
static void
end_pushing (GstAmsGate *self, GstAmsGateTrack *track)
{
  g_mutex_lock (&self->lock);
  track->pushing = FALSE;
  track->arrival = gst_ams_gate_logic_monotonic_time ();
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static void
push_rest (GstAmsGate *self, GstAmsGateTrack *track)
{
  g_auto (GQueue) out = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  take_rest_locked (self, track, &out);
  if (g_queue_is_empty (&out)) {
    g_mutex_unlock (&self->lock);
    return;
  }
  track->pushing = TRUE;
  g_mutex_unlock (&self->lock);
  push_all (track, &out);
  end_pushing (self, track);
}

/* Nothing may come any more that wakes the track which has ended before @track went on. */
static void
push_rest_of_other (GstAmsGate *self, GstAmsGateTrack *track)
{
  GstAmsGateTrack *other;

  g_mutex_lock (&self->lock);
  other = gst_ams_gate_logic_other_track (&self->logic, track);
  g_mutex_unlock (&self->lock);
  if (other)
    push_rest (self, other);
}

static GstFlowReturn
gst_ams_gate_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstAmsGate *self = GST_AMS_GATE (parent);
  GstAmsGateTrack *track = gst_pad_get_element_private (pad);
  g_auto (GQueue) out = G_QUEUE_INIT;
  GstEvent *gap = NULL, *request = NULL;
  GstAmsGateTrack *silent = NULL;
  gboolean complain = FALSE, ok = TRUE;
  GstFlowReturn ret = GST_FLOW_OK;
  gint64 segment_start;
  GstAmsGateItem *item;

  g_mutex_lock (&self->lock);
  if (self->logic.finished || track->eos) {
    g_mutex_unlock (&self->lock);
    gst_buffer_unref (buffer);
    return GST_FLOW_EOS;
  }
  track->arrival = gst_ams_gate_logic_monotonic_time ();
  if (self->logic.hold_since == AMS_TIME_NONE)
    self->logic.hold_since = track->arrival;
  segment_start = ams_cutter_get_segment_start (self->logic.cutter);
  item = gst_ams_gate_logic_new_item (&self->logic, track, buffer);
  if (!gst_ams_gate_logic_drop_before_key (&self->logic, track, item,
          &complain)) {
    /* Not of ours any more once it waits: stopping may flush what is held. */
    gint64 offset = item->pts - item->running_time;
    gboolean decides = item->key && track->video;

    g_queue_push_tail (&track->held, item);
    wait_for_start_locked (self, track);
    wait_while_starting_locked (self);
    if (decides)
      wait_for_promise_locked (self, track);
    ok = advance_locked (self, track, &out);
    gap = gst_ams_gate_logic_gap_for_other (&self->logic, track, &silent);
    if (ams_cutter_get_segment_start (self->logic.cutter) != segment_start)
      request =
          gst_ams_gate_logic_keyframe_request (&self->logic, track, offset);
  } else if (self->logic.settings.send_keyframe_requests &&
      self->logic.dropped == 1) {
    request = gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE,
        TRUE, self->logic.keyframe_requests++);
  }
  track->pushing = TRUE;
  g_mutex_unlock (&self->lock);

  if (complain)
    complain_no_keyframe (self);
  push_rest_of_other (self, track);
  ret = push_all (track, &out);
  if (gap)
    gst_pad_push_event (silent->srcpad, gap);
  request_keyframe (self, track, request);
  end_pushing (self, track);
  /* Whoever failed to attach has posted why. */
  return ok ? ret : GST_FLOW_ERROR;
}

static void
end_track (GstAmsGate *self, GstAmsGateTrack *track, GstEvent *eos)
{
  g_auto (GQueue) out = G_QUEUE_INIT;
  gboolean all, any_attached, attached;

  g_mutex_lock (&self->lock);
  if (track->eos) {
    g_mutex_unlock (&self->lock);
    gst_event_unref (eos);
    return;
  }
  track->eos = track->pushing = TRUE;
  wait_while_starting_locked (self);
  track->joins_at_cut = FALSE;
  g_cond_broadcast (&self->cond);
  advance_locked (self, track, &out);
  all = gst_ams_gate_logic_all_eos (&self->logic, &any_attached);
  attached = track->attached && !gst_ams_gate_logic_is_ready (track);
  if (attached) {
    g_queue_push_tail (&out, gst_ams_gate_logic_new_end (&self->logic));
    g_queue_push_tail (&out, gst_event_ref (eos));
    track->ended = TRUE;
  }
  g_mutex_unlock (&self->lock);

  push_all (track, &out);
  end_pushing (self, track);
  push_rest (self, track);
  push_rest_of_other (self, track);
  if (all && !any_attached)
    self->callbacks.nothing (self, self->user_data);
  gst_event_unref (eos);
}

static void
take_flush (GstAmsGate *self, GstAmsGateTrack *track)
{
  g_mutex_lock (&self->lock);
  gst_segment_init (&track->segment, GST_FORMAT_TIME);
  ams_timeline_expect_jump (self->logic.timeline, track->index);
  g_mutex_unlock (&self->lock);
}

/* Upstream says that there is nothing up to a time: as good as data. */
static void
take_gap (GstAmsGate *self, GstAmsGateTrack *track, GstEvent *event)
{
  GstEvent *gap;

  g_mutex_lock (&self->lock);
  gap = gst_ams_gate_logic_take_gap (&self->logic, track, event);
  g_mutex_unlock (&self->lock);
  if (gap)
    gst_pad_push_event (track->srcpad, gap);
}

static gboolean
gst_ams_gate_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsGate *self = GST_AMS_GATE (parent);
  GstAmsGateTrack *track = gst_pad_get_element_private (pad);
  GstSegment segment;
  GstEvent *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      g_mutex_lock (&self->lock);
      caps = gst_ams_gate_logic_take_caps (&self->logic, track, event);
      g_mutex_unlock (&self->lock);
      gst_event_unref (event);
      return gst_pad_push_event (track->srcpad, caps);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_TAG:
      return gst_pad_push_event (track->srcpad, event);
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &track->segment);
      /* Its own time line goes out, see TIME_SHIFT. */
      gst_segment_init (&segment, GST_FORMAT_TIME);
      gst_pad_push_event (track->srcpad, gst_event_new_segment (&segment));
      break;
    case GST_EVENT_GAP:
      take_gap (self, track, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      /* What was recorded stays: the flush ends here, and shows as a jump. */
      take_flush (self, track);
      break;
    case GST_EVENT_EOS:
      end_track (self, track, gst_event_ref (event));
      break;
    default:
      /* h264parse sends force-key-units of its own, which would take the
       * muxer's only slot for them. */
      if (GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM &&
          !gst_video_event_is_force_key_unit (event))
        return gst_pad_push_event (track->srcpad, event);
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
gst_ams_gate_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  /* The muxer's requests are not wanted: the gate makes its own. */
  if (gst_video_event_is_force_key_unit (event)) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

static GstIterator *
gst_ams_gate_iterate_internal_links (GstPad *pad, GstObject *parent)
{
  GstAmsGateTrack *track = gst_pad_get_element_private (pad);
  GstPad *other = pad == track->sinkpad ? track->srcpad : track->sinkpad;
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_PAD);
  g_value_set_object (&value, other);
  return gst_iterator_new_single (GST_TYPE_PAD, &value);
}

/* ---- interface ---- */

void
gst_ams_gate_configure (GstAmsGate *self, const GstAmsGateSettings *settings)
{
  g_mutex_lock (&self->lock);
  self->logic.settings = *settings;
  g_mutex_unlock (&self->lock);
}

static GstPad *
new_pad (GstAmsGate *self, GstAmsGateTrack *track,
    GstStaticPadTemplate *template_, const gchar *kind)
{
  g_autofree gchar *name = g_strdup_printf ("%s_%u", kind, track->index);
  GstPad *pad = gst_pad_new_from_static_template (template_, name);

  gst_pad_set_element_private (pad, track);
  gst_pad_set_iterate_internal_links_function (pad,
      gst_ams_gate_iterate_internal_links);
  return pad;
}

void
gst_ams_gate_add_track (GstAmsGate *self, gboolean video, GstPad **sinkpad,
    GstPad **srcpad)
{
  GstAmsGateTrack *track = g_new0 (GstAmsGateTrack, 1);

  gst_ams_gate_track_reset (track);
  track->video = video;
  g_mutex_lock (&self->lock);
  track->index = ams_timeline_add_track (self->logic.timeline);
  g_mutex_unlock (&self->lock);

  track->sinkpad =
      new_pad (self, track, video ? &video_sink_template : &audio_sink_template,
          video ? "video" : "audio");
  gst_pad_set_chain_function (track->sinkpad, gst_ams_gate_chain);
  gst_pad_set_event_function (track->sinkpad, gst_ams_gate_sink_event);
  track->srcpad = new_pad (self, track, &src_template, "src");
  gst_object_ref_sink (track->sinkpad);
  gst_object_ref_sink (track->srcpad);
  gst_pad_set_event_function (track->srcpad, gst_ams_gate_src_event);
  gst_pad_use_fixed_caps (track->srcpad);

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->logic.tracks, track);
  g_mutex_unlock (&self->lock);

  gst_pad_set_active (track->srcpad, TRUE);
  gst_pad_set_active (track->sinkpad, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), track->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), track->sinkpad);
  *sinkpad = track->sinkpad;
  *srcpad = track->srcpad;
}

/* The other track's thread may be attaching it, or pushing what is left of it. TRUE: the muxer has not heard
 * its end yet, and would wait for its data. */
static gboolean
forget_track (GstAmsGate *self, GstAmsGateTrack *track)
{
  gboolean unended;

  g_mutex_lock (&self->lock);
  track->removed = TRUE;
  while (self->attaching == track || track->pushing)
    g_cond_wait (&self->cond, &self->lock);
  g_ptr_array_set_free_func (self->logic.tracks, NULL);
  g_ptr_array_remove (self->logic.tracks, track);
  g_ptr_array_set_free_func (self->logic.tracks,
      (GDestroyNotify) gst_ams_gate_track_free);
  unended = self->watch && track->attached && !track->ended;
  g_mutex_unlock (&self->lock);
  return unended;
}

void
gst_ams_gate_remove_track (GstAmsGate *self, GstPad *sinkpad)
{
  GstAmsGateTrack *track = gst_pad_get_element_private (sinkpad);
  GstPad *srcpad = track->srcpad;

  gst_pad_set_active (sinkpad, FALSE);
  if (forget_track (self, track))
    gst_pad_push_event (srcpad, gst_event_new_eos ());
  gst_pad_set_active (srcpad, FALSE);
  gst_element_remove_pad (GST_ELEMENT (self), sinkpad);
  gst_element_remove_pad (GST_ELEMENT (self), srcpad);

  /* A query or an event may be on its way through the pads still. */
  g_mutex_lock (&self->lock);
  if (self->watch)
    g_ptr_array_add (self->removed, track);
  else
    gst_ams_gate_track_free (track);
  g_mutex_unlock (&self->lock);
}

void
gst_ams_gate_set_target_duration (GstAmsGate *self, GstClockTime target)
{
  g_mutex_lock (&self->lock);
  ams_cutter_set_target (self->logic.cutter, target);
  self->logic.promised = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
gst_ams_gate_split_now (GstAmsGate *self)
{
  GstPad *video = NULL;
  GstEvent *request;
  guint i;

  g_mutex_lock (&self->lock);
  self->logic.split = TRUE;
  for (i = 0; i < self->logic.tracks->len; i++)
    if (gst_ams_gate_logic_get_track (&self->logic, i)->video)
      video = gst_object_ref (
          gst_ams_gate_logic_get_track (&self->logic, i)->sinkpad);
  request = gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE,
      TRUE, self->logic.keyframe_requests++);
  g_mutex_unlock (&self->lock);

  if (video)
    gst_pad_push_event (video, request);
  else
    gst_event_unref (request);
  gst_clear_object (&video);
}

void
gst_ams_gate_finish (GstAmsGate *self)
{
  guint i, n;

  g_mutex_lock (&self->lock);
  self->logic.finished = TRUE;
  n = self->logic.tracks->len;
  g_mutex_unlock (&self->lock);

  for (i = 0; i < n; i++)
    end_track (self, gst_ams_gate_logic_get_track (&self->logic, i),
        gst_event_new_eos ());
}

guint64
gst_ams_gate_get_dropped (GstAmsGate *self)
{
  guint64 dropped;

  g_mutex_lock (&self->lock);
  dropped = self->logic.dropped;
  g_mutex_unlock (&self->lock);
  return dropped;
}

/* ---- element ---- */

static void
reset_locked (GstAmsGate *self)
{
  guint i;

  g_clear_pointer (&self->logic.timeline, ams_timeline_free);
  g_clear_pointer (&self->logic.cutter, ams_cutter_free);
  self->logic.timeline =
      ams_timeline_new (self->logic.settings.discontinuity_threshold);
  self->logic.cutter = ams_cutter_new (self->logic.settings.target_duration);
  for (i = 0; i < self->logic.tracks->len; i++) {
    gst_ams_gate_track_reset (gst_ams_gate_logic_get_track (&self->logic, i));
    gst_ams_gate_logic_get_track (&self->logic, i)->index =
        ams_timeline_add_track (self->logic.timeline);
  }
  self->logic.started = self->logic.starting = self->logic.finished = FALSE;
  self->logic.segment_open = self->logic.discontinuity = FALSE;
  self->logic.split = self->logic.audio_leads = FALSE;
  self->logic.promised = FALSE;
  self->logic.audio_leads = FALSE;
  self->logic.have_date_base = self->logic.asked = FALSE;
  self->logic.end = AMS_TIME_NONE;
  self->logic.hold_since = AMS_TIME_NONE;
  self->logic.dropped = 0;
}

static void
start_watch (GstAmsGate *self)
{
  g_mutex_lock (&self->lock);
  reset_locked (self);
  self->stopping = FALSE;
  g_mutex_unlock (&self->lock);
  self->watch = g_thread_new ("amshls-watch", watch_thread, self);
}

/* Wakes whoever waits here. */
static void
stop_watch (GstAmsGate *self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static void
join_watch (GstAmsGate *self)
{
  if (!self->watch)
    return;
  g_thread_join (g_steal_pointer (&self->watch));
  g_mutex_lock (&self->lock);
  g_ptr_array_set_size (self->removed, 0);
  reset_locked (self);
  g_mutex_unlock (&self->lock);
}

static GstStateChangeReturn
gst_ams_gate_change_state (GstElement *element, GstStateChange transition)
{
  GstAmsGate *self = GST_AMS_GATE (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    start_watch (self);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stop_watch (self);

  ret = GST_ELEMENT_CLASS (gst_ams_gate_parent_class)
            ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE)) {
    stop_watch (self);
    join_watch (self);
  }
  return ret;
}

static void
gst_ams_gate_finalize (GObject *object)
{
  GstAmsGate *self = GST_AMS_GATE (object);

  g_ptr_array_unref (self->logic.tracks);
  g_ptr_array_unref (self->removed);
  g_clear_pointer (&self->logic.timeline, ams_timeline_free);
  g_clear_pointer (&self->logic.cutter, ams_cutter_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (gst_ams_gate_parent_class)->finalize (object);
}

static void
gst_ams_gate_class_init (GstAmsGateClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_gate_debug, "amsgate", 0,
      "amshls: where segments begin");
  G_OBJECT_CLASS (klass)->finalize = gst_ams_gate_finalize;
  element_class->change_state = gst_ams_gate_change_state;
  gst_element_class_add_static_pad_template (element_class,
      &video_sink_template);
  gst_element_class_add_static_pad_template (element_class,
      &audio_sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "HLS gate", "Generic",
      "Decides where HLS segments begin (private to amshlssink)",
      "The amshls developers");
}

static void
gst_ams_gate_init (GstAmsGate *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->logic.tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ams_gate_track_free);
  self->removed =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ams_gate_track_free);
  self->logic.settings.target_duration = 6 * GST_SECOND;
  self->logic.settings.stall_timeout = 2 * GST_SECOND;
  self->logic.settings.discontinuity_threshold = 2 * GST_SECOND;
  self->logic.now = now_running_time;
  self->logic.now_data = self;
  reset_locked (self);
}

GstAmsGate *
gst_ams_gate_new (const GstAmsGateCallbacks *callbacks, gpointer user_data)
{
  GstAmsGate *self = g_object_new (GST_TYPE_AMS_GATE, NULL);

  self->callbacks = *callbacks;
  self->user_data = user_data;
  return self;
}
