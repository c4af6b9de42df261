/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tracks.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include "lag.h"
#include "streams.h"

/* A source's running time that is further from the clock's is no reading of the clock. */
#define CLOCK_TOLERANCE (5 * GST_SECOND)

/* So long a source that is back may send audio without a keyframe. */
#define KEYFRAME_PATIENCE (5 * GST_SECOND)

#define MAX_WAITING_BYTES (32 * 1024 * 1024)

typedef struct
{
  Tracks *owner;
  gboolean video;
  GstElement *appsrc; /* (nullable): the source has none; under build_lock */
  GstPad *from; /* (nullable) under the lock */
  const gchar *codec; /* under the lock, and so is what follows */
  gboolean
      jumps; /* the next buffer from begin_at on does not follow on what was */
  GQueue held; /* GstSample: cannot go on yet */
} Track;

struct _Tracks
{
  GstPipeline *pipeline;
  GstElement *hls;
  gboolean live;
  GMutex build_lock; /* taken before the lock */

  GMutex lock;
  Track tracks[2]; /* audio, video */
  guint source; /* number of the one that is open */
  gboolean closed; /* it is not any more */
  gboolean own_times;
  gboolean begun; /* its video goes into the recording */
  gboolean arriving; /* its first picture is on its way into amshlssink */
  gboolean through; /* and is there: so may its audio */
  gint64 offset; /* of its running times; GST_CLOCK_STIME_NONE: not known yet */
  gint64
      begin_at; /* from there on; what is before goes into the recording with offset_before */
  gint64 offset_before; /* GST_CLOCK_STIME_NONE: it does not go into it */
  Lag lag;
  gint64 missing; /* in front of the next keyframe */
  gboolean
      doubtful; /* time may be missing: both wait for what the next buffers tell */
  gint64 last_arrival;
  gint64 position; /* of the source; GST_CLOCK_STIME_NONE: it has not begun */
  GstClockTime recorded; /* of all sources */
};

static GQuark
jump_quark (void)
{
  return g_quark_from_static_string ("amshls-recorder-jump");
}

static gint64
running_now (Tracks *self)
{
  g_autoptr (GstClock) clock =
      gst_element_get_clock (GST_ELEMENT (self->pipeline));

  return clock ? GST_CLOCK_DIFF (
                     gst_element_get_base_time (GST_ELEMENT (self->pipeline)),
                     gst_clock_get_time (clock))
               : 0;
}

/* ---- the recording's side ---- */

static void
announce_jump (GstPad *pad)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_flush_start ());
  gst_pad_push_event (pad, gst_event_new_flush_stop (FALSE));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

/* amshlssink has the first picture when the second one comes. Audio that came
 * before it would be far ahead of the video, which would count as silent. */
static void
follow_first_picture (Tracks *self, gboolean jumps)
{
  g_mutex_lock (&self->lock);
  if (jumps)
    self->arriving = TRUE;
  else if (self->arriving)
    self->through = TRUE;
  g_mutex_unlock (&self->lock);
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Track *track = data;
  GstMiniObject *buffer = GST_MINI_OBJECT (GST_PAD_PROBE_INFO_BUFFER (info));
  gboolean jumps = gst_mini_object_get_qdata (buffer, jump_quark ()) != NULL;

  if (track->video)
    follow_first_picture (track->owner, jumps);
  if (jumps) {
    gst_mini_object_set_qdata (buffer, jump_quark (), NULL, NULL);
    announce_jump (pad);
  }
  return GST_PAD_PROBE_OK;
}

/* The request in the source's own running time. */
static GstEvent *
request_for_source (GstEvent *event, gint64 offset)
{
  GstClockTime time;
  gboolean all;
  guint count;

  if (offset == GST_CLOCK_STIME_NONE ||
      !gst_video_event_parse_upstream_force_key_unit (event, &time, &all,
          &count))
    return NULL;
  if (GST_CLOCK_TIME_IS_VALID (time))
    time = MAX ((gint64) time - offset, 0);
  return gst_video_event_new_upstream_force_key_unit (time, all, count);
}

/* amshlssink asks for keyframes: an encoder in the source gives them. */
static GstPadProbeReturn
on_request (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Track *track = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info), *request;
  g_autoptr (GstPad) from = NULL;

  if (!gst_video_event_is_force_key_unit (event))
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&track->owner->lock);
  request = request_for_source (event, track->owner->offset);
  if (track->from && !track->owner->closed)
    from = gst_object_ref (track->from);
  g_mutex_unlock (&track->owner->lock);
  if (from && request)
    gst_pad_push_event (from, request);
  else
    gst_clear_event (&request);
  return GST_PAD_PROBE_DROP;
}

static void
add_track (Tracks *self, gboolean video)
{
  Track *track = &self->tracks[video];
  g_autoptr (GstPad) pad = NULL;

  if (track->appsrc)
    return;
  track->appsrc =
      gst_element_factory_make ("appsrc", video ? "video" : "audio");
  g_object_set (track->appsrc, "format", GST_FORMAT_TIME, "is-live", self->live,
      "max-bytes", (guint64) MAX_WAITING_BYTES, "block", TRUE, NULL);
  gst_bin_add (GST_BIN (self->pipeline), track->appsrc);
  pad = gst_element_get_static_pad (track->appsrc, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, track, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_request, track,
      NULL);
  gst_element_link_pads (track->appsrc, "src", self->hls,
      video ? "video" : "audio");
  gst_element_sync_state_with_parent (track->appsrc);
}

static void
remove_track (Tracks *self, Track *track)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (track->appsrc, "src");
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  gst_element_set_state (track->appsrc, GST_STATE_NULL);
  if (peer)
    gst_element_release_request_pad (self->hls, peer);
  gst_bin_remove (GST_BIN (self->pipeline), track->appsrc);
  track->appsrc = NULL;
}

void
tracks_drop_missing (Tracks *self)
{
  guint i;

  g_mutex_lock (&self->build_lock);
  /* One that was there once may be again. */
  for (i = 0; i < 2; i++)
    if (self->tracks[i].appsrc && !self->tracks[i].from &&
        !self->tracks[i].codec && self->tracks[!i].from)
      remove_track (self, &self->tracks[i]);
  g_mutex_unlock (&self->build_lock);
}

/* ---- the source's side ---- */

guint
tracks_begin (Tracks *self, gboolean own_times)
{
  gboolean fresh;
  guint i, source;

  g_mutex_lock (&self->lock);
  fresh = !self->tracks[FALSE].codec && !self->tracks[TRUE].codec;
  source = ++self->source;
  self->closed = FALSE;
  self->own_times = own_times;
  /* amshlssink makes the very beginning itself. */
  self->begun = self->through = fresh;
  self->arriving = FALSE;
  self->offset = GST_CLOCK_STIME_NONE;
  self->begin_at = G_MININT64;
  self->offset_before = GST_CLOCK_STIME_NONE;
  lag_reset (&self->lag);
  self->missing = 0;
  self->doubtful = FALSE;
  self->last_arrival = 0;
  self->position = GST_CLOCK_STIME_NONE;
  for (i = 0; i < 2; i++)
    self->tracks[i].jumps = !fresh;
  g_mutex_unlock (&self->lock);
  return source;
}

void
tracks_expect (Tracks *self, guint source, gboolean video, GstPad *from)
{
  g_mutex_lock (&self->build_lock);
  g_mutex_lock (&self->lock);
  if (source != self->source || self->closed) {
    g_mutex_unlock (&self->lock);
    g_mutex_unlock (&self->build_lock);
    return;
  }
  gst_object_replace ((GstObject **) &self->tracks[video].from,
      GST_OBJECT (from));
  g_mutex_unlock (&self->lock);
  add_track (self, video);
  g_mutex_unlock (&self->build_lock);
}

void
tracks_unexpect (Tracks *self, guint source, gboolean video)
{
  g_mutex_lock (&self->lock);
  if (source == self->source)
    gst_clear_object (&self->tracks[video].from);
  g_mutex_unlock (&self->lock);
}

static gint64
to_running_time (const GstSegment *segment, GstClockTime time)
{
  guint64 running;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return GST_CLOCK_STIME_NONE;
  if (segment->format != GST_FORMAT_TIME)
    return time;
  sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, time,
      &running);
  return sign == 0 ? GST_CLOCK_STIME_NONE : sign * (gint64) running;
}

static gint64
decoding_time (GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);

  return to_running_time (gst_sample_get_segment (sample),
      GST_BUFFER_DTS_OR_PTS (buffer));
}

/* A source of the clock's times is taken at its word, so that its delay does not falsify dates. Of any other, what
 * came first was made when it came. */
static gint64
choose_offset (Tracks *self, gint64 time)
{
  gint64 now = running_now (self);

  if (!self->live)
    return MAX (-time, 0);
  if (self->own_times || ABS (now - time) > (gint64) CLOCK_TOLERANCE)
    return now - time;
  return MAX (-time, 0);
}

static gboolean
is_keyframe (GstSample *sample)
{
  return !GST_BUFFER_FLAG_IS_SET (gst_sample_get_buffer (sample),
      GST_BUFFER_FLAG_DELTA_UNIT);
}

/* From @time on, what comes is so much later than it says. */
static void
move_locked (Tracks *self, gint64 time)
{
  self->begin_at = time;
  self->offset_before = self->offset;
  self->offset += self->missing;
  self->missing = 0;
  self->through = self->arriving = FALSE;
  self->tracks[FALSE].jumps = self->tracks[TRUE].jumps = TRUE;
}

/* Time is missing in front of the first keyframe that waits, or else in front of the next to come. */
static void
note_missing_locked (Tracks *self, gint64 missing)
{
  GstSample *key = NULL;
  GList *l;

  self->missing += missing;
  gst_element_post_message (GST_ELEMENT (self->pipeline),
      gst_message_new_application (GST_OBJECT (self->pipeline),
          gst_structure_new ("source-interrupted", "missing", G_TYPE_DOUBLE,
              missing / (gdouble) GST_SECOND, NULL)));
  for (l = self->tracks[TRUE].held.head; l && !key; l = l->next)
    if (is_keyframe (l->data))
      key = l->data;
  if (key && self->begun)
    move_locked (self, decoding_time (key));
}

static void
watch_lag_locked (Tracks *self, gint64 time)
{
  gint64 now = running_now (self), missing;
  LagVerdict verdict;

  if (!self->live || !self->own_times || time == GST_CLOCK_STIME_NONE)
    return;
  verdict = lag_judge (&self->lag, now,
      now - (time + self->offset + self->missing), &missing);
  self->doubtful = verdict == LAG_WAIT;
  if (verdict == LAG_MISSING)
    note_missing_locked (self, missing);
}

/* A source that is back begins at a keyframe, and the time that it missed is in front of one. FALSE: it is dropped. */
static gboolean
video_may_pass_locked (Tracks *self, GstSample *sample, gint64 time)
{
  if (is_keyframe (sample)) {
    if (!self->begun) {
      self->begun = TRUE;
      self->begin_at = time;
      self->offset += self->missing;
      self->missing = 0;
    } else if (self->missing > 0) {
      move_locked (self, time);
    }
  }
  return self->begun;
}

/* Its audio waits for that, unless there is no video. */
static gboolean
audio_waits_locked (Tracks *self, Track *track, gint64 time)
{
  GstSample *last = g_queue_peek_tail (&track->held);

  if (!self->tracks[TRUE].codec) {
    if (self->missing > 0)
      move_locked (self, time);
    self->through = TRUE;
  }
  if (decoding_time (last) - time > (gint64) KEYFRAME_PATIENCE)
    self->through = TRUE;
  return !self->through &&
      (time >= self->begin_at || self->offset_before == GST_CLOCK_STIME_NONE);
}

static GstClockTime
shifted (const GstSegment *segment, GstClockTime time, gint64 offset)
{
  gint64 running = to_running_time (segment, time);

  if (running == GST_CLOCK_STIME_NONE || running + offset < 0)
    return GST_CLOCK_TIME_NONE;
  return running + offset;
}

static GstSample *
new_sample_locked (Tracks *self, Track *track, GstSample *sample, gint64 time)
{
  const GstSegment *segment = gst_sample_get_segment (sample);
  g_autoptr (GstBuffer) buffer =
      gst_buffer_copy (gst_sample_get_buffer (sample));
  gboolean before = time < self->begin_at;
  gint64 offset = before ? self->offset_before : self->offset;

  GST_BUFFER_PTS (buffer) = shifted (segment, GST_BUFFER_PTS (buffer), offset);
  GST_BUFFER_DTS (buffer) = shifted (segment, GST_BUFFER_DTS (buffer), offset);
  if (!before && track->jumps) {
    gst_mini_object_set_qdata (GST_MINI_OBJECT (buffer), jump_quark (), track,
        NULL);
    track->jumps = FALSE;
  }
  return gst_sample_new (buffer, gst_sample_get_caps (sample), NULL, NULL);
}

/* The track that is ahead counts. */
static void
count_locked (Tracks *self, gint64 time)
{
  if (time == GST_CLOCK_STIME_NONE || time <= self->position)
    return;
  if (self->position != GST_CLOCK_STIME_NONE)
    self->recorded += time - self->position;
  self->position = time;
}

/* Puts into @out what may go on of what is held. */
static void
pass_locked (Tracks *self, Track *track, GQueue *out)
{
  GstSample *sample;

  while ((sample = g_queue_peek_head (&track->held))) {
    gint64 time = decoding_time (sample);

    if (!track->video && audio_waits_locked (self, track, time))
      return;
    if ((!track->video || video_may_pass_locked (self, sample, time)) &&
        (time >= self->begin_at ||
            self->offset_before != GST_CLOCK_STIME_NONE)) {
      count_locked (self, time);
      g_queue_push_tail (out, new_sample_locked (self, track, sample, time));
    }
    gst_sample_unref (g_queue_pop_head (&track->held));
  }
}

static void
take_locked (Tracks *self, Track *track, GstSample *sample, GQueue *out)
{
  gint64 time = decoding_time (sample);

  if (self->offset == GST_CLOCK_STIME_NONE)
    self->offset = choose_offset (self,
        time == GST_CLOCK_STIME_NONE ? running_now (self) : time);
  if (!track->codec && gst_sample_get_caps (sample))
    track->codec = stream_codec (gst_sample_get_caps (sample));
  g_queue_push_tail (&track->held, gst_sample_ref (sample));
  watch_lag_locked (self, time);
  if (!self->doubtful)
    pass_locked (self, track, out);
}

static void
push_out (GstElement *appsrc, GQueue *out)
{
  GstSample *sample;

  while ((sample = g_queue_pop_head (out))) {
    if (appsrc)
      gst_app_src_push_sample (GST_APP_SRC (appsrc), sample);
    gst_sample_unref (sample);
  }
}

void
tracks_push (Tracks *self, guint source, gboolean video, GstSample *sample)
{
  Track *track = &self->tracks[video];
  g_autoptr (GstElement) appsrc = NULL;
  GQueue out = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  if (source == self->source && !self->closed) {
    take_locked (self, track, sample, &out);
    self->last_arrival = g_get_monotonic_time ();
    appsrc = track->appsrc ? gst_object_ref (track->appsrc) : NULL;
  }
  g_mutex_unlock (&self->lock);
  push_out (appsrc, &out);
}

/* What was in doubt when the source ended is recorded as it is, if there is room: nobody waits here. */
static void
push_held (Track *track)
{
  GQueue out = G_QUEUE_INIT;
  g_autoptr (GstElement) appsrc = NULL;

  g_mutex_lock (&track->owner->lock);
  pass_locked (track->owner, track, &out);
  g_queue_clear_full (&track->held, (GDestroyNotify) gst_sample_unref);
  if (track->appsrc &&
      gst_app_src_get_current_level_bytes (GST_APP_SRC (track->appsrc)) <
          MAX_WAITING_BYTES / 2)
    appsrc = gst_object_ref (track->appsrc);
  g_mutex_unlock (&track->owner->lock);
  push_out (appsrc, &out);
}

void
tracks_cut_off (Tracks *self)
{
  guint i;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  for (i = 0; i < 2; i++)
    gst_clear_object (&self->tracks[i].from);
  g_mutex_unlock (&self->lock);
  /* The video first: its audio may be waiting for it. */
  push_held (&self->tracks[TRUE]);
  push_held (&self->tracks[FALSE]);
}

void
tracks_finish (Tracks *self)
{
  guint i;

  tracks_cut_off (self);
  g_mutex_lock (&self->build_lock);
  for (i = 0; i < 2; i++)
    if (self->tracks[i].appsrc)
      gst_app_src_end_of_stream (GST_APP_SRC (self->tracks[i].appsrc));
  g_mutex_unlock (&self->build_lock);
}

const gchar *
tracks_get_codec (Tracks *self, gboolean video)
{
  const gchar *codec;

  g_mutex_lock (&self->lock);
  codec = self->tracks[video].codec;
  g_mutex_unlock (&self->lock);
  return codec;
}

gint64
tracks_get_last_arrival (Tracks *self)
{
  gint64 arrival;

  g_mutex_lock (&self->lock);
  arrival = self->closed ? 0 : self->last_arrival;
  g_mutex_unlock (&self->lock);
  return arrival;
}

GstClockTime
tracks_get_recorded (Tracks *self)
{
  GstClockTime recorded;

  g_mutex_lock (&self->lock);
  recorded = self->recorded;
  g_mutex_unlock (&self->lock);
  return recorded;
}

Tracks *
tracks_new (GstPipeline *pipeline, GstElement *hls, gboolean live)
{
  Tracks *self = g_new0 (Tracks, 1);
  guint i;

  self->pipeline = gst_object_ref (pipeline);
  self->hls = gst_object_ref (hls);
  self->live = live;
  self->closed = TRUE;
  g_mutex_init (&self->lock);
  g_mutex_init (&self->build_lock);
  for (i = 0; i < 2; i++) {
    self->tracks[i].owner = self;
    self->tracks[i].video = i;
    g_queue_init (&self->tracks[i].held);
  }
  for (i = 0; i < 2; i++)
    add_track (self, i == 0);
  return self;
}

void
tracks_free (Tracks *self)
{
  tracks_cut_off (self);
  gst_object_unref (self->pipeline);
  gst_object_unref (self->hls);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->build_lock);
  g_free (self);
}
