/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsgatelogic.h"

#include <gst/video/video.h>

#include "amsnal.h"
#include "gstamscut.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_gate_debug);
#define GST_CAT_DEFAULT gst_ams_gate_debug

/* The muxer takes no times below 0, and DTS lie before the first PTS. */
#define TIME_SHIFT (10 * GST_SECOND)

/* Audio behind the end of the video, up to so much, belongs to the last segment. */
#define AUDIO_TAIL (GST_SECOND / 10)

/* NTP counts from 1900. */
#define NTP_UNIX_OFFSET (G_GINT64_CONSTANT (2208988800) * GST_SECOND)

static void
item_free (GstAmsGateItem *item)
{
  gst_clear_buffer (&item->buffer);
  g_free (item);
}

void
gst_ams_gate_track_reset (GstAmsGateTrack *track)
{
  g_queue_clear_full (&track->held, (GDestroyNotify) item_free);
  gst_clear_caps (&track->caps);
  gst_segment_init (&track->segment, GST_FORMAT_TIME);
  track->frame_duration = 0;
  track->needs_adts = FALSE;
  track->flowing = track->attached = track->joins_at_cut = FALSE;
  track->awaits_video = FALSE;
  track->eos = track->ended = track->silent = track->pushing = FALSE;
  track->begin_at = track->joins_before = AMS_TIME_NONE;
  track->position = track->last_pts = AMS_TIME_NONE;
  track->arrival = AMS_TIME_NONE;
  track->shift = 0;
  track->without_key = AMS_TIME_NONE;
  track->any_keyframe = track->complained = FALSE;
}

void
gst_ams_gate_track_free (GstAmsGateTrack *track)
{
  gst_ams_gate_track_reset (track);
  gst_clear_object (&track->sinkpad);
  gst_clear_object (&track->srcpad);
  g_free (track);
}

GstAmsGateTrack *
gst_ams_gate_logic_get_track (GstAmsGateLogic *self, guint i)
{
  return g_ptr_array_index (self->tracks, i);
}

GstAmsGateTrack *
gst_ams_gate_logic_other_track (GstAmsGateLogic *self, GstAmsGateTrack *track)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++)
    if (gst_ams_gate_logic_get_track (self, i) != track)
      return gst_ams_gate_logic_get_track (self, i);
  return NULL;
}

/* The track whose frames segments are made of: the video, while it has any. */
GstAmsGateTrack *
gst_ams_gate_logic_lead (GstAmsGateLogic *self)
{
  GstAmsGateTrack *lead = NULL;
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    GstAmsGateTrack *track = gst_ams_gate_logic_get_track (self, i);

    if (track->flowing && !track->ended && !track->silent &&
        (!lead || track->video))
      lead = track;
  }
  return lead;
}

/* Ties the time line to the wall clock: a frame of running time R was
 * captured when the pipeline's clock showed base time + R. */
static void
set_date_base (GstAmsGateLogic *self, const GstAmsGateItem *item)
{
  gint64 real = g_get_real_time () * 1000;
  gint64 running = self->now (self->now_data);
  gint64 age = running == AMS_TIME_NONE ? 0 : running - item->running_time;

  self->date_base = real - age - item->pts;
  self->have_date_base = TRUE;
}

static gint64
date_of (GstAmsGateLogic *self, const GstAmsGateItem *item)
{
  if (!self->have_date_base ||
      self->settings.date_reference == GST_AMS_DATE_SYSTEM)
    set_date_base (self, item);
  if (item->date_time)
    return item->date_time;
  return (self->date_base + item->pts) / 1000;
}

static gint64
reference_date (GstAmsGateLogic *self, GstBuffer *buffer)
{
  GstReferenceTimestampMeta *meta;
  gpointer state = NULL;

  while (
      (meta = (GstReferenceTimestampMeta *) gst_buffer_iterate_meta_filtered (
           buffer, &state, GST_REFERENCE_TIMESTAMP_META_API_TYPE))) {
    const GstStructure *s = gst_caps_get_structure (meta->reference, 0);

    if (gst_structure_has_name (s, "timestamp/x-ntp"))
      return ((gint64) meta->timestamp - NTP_UNIX_OFFSET) / 1000;
    if (gst_structure_has_name (s, "timestamp/x-unix"))
      return meta->timestamp / 1000;
  }
  return 0;
}

static GstEvent *
new_cut (GstAmsGateLogic *self, GstAmsCutKind kind, const GstAmsGateItem *item,
    gboolean video)
{
  GstAmsCut cut = {
    .kind = kind,
    .pts = item->pts,
    .end = self->discontinuity ? MIN (self->end, item->pts) : item->pts,
    .date_time = date_of (self, item),
    .running_time = item->running_time,
    .discontinuity = self->discontinuity,
    .video = video,
  };

  return gst_ams_cut_event_new (&cut);
}

GstEvent *
gst_ams_gate_logic_new_end (GstAmsGateLogic *self)
{
  GstAmsCut cut = { .kind = GST_AMS_CUT_END, .end = self->end };

  return gst_ams_cut_event_new (&cut);
}

/* Makes mpegtsmux write PAT and PMT in front of the keyframe. */
static GstEvent *
new_force_key_unit (const GstAmsGateItem *item)
{
  GstClockTime time = item->pts + TIME_SHIFT;

  return gst_video_event_new_downstream_force_key_unit (time, time, time, TRUE,
      0);
}

static void
add_adts_header (GstAmsGateTrack *track, GstBuffer *buffer)
{
  const gsize size = sizeof track->adts;
  guint8 *header;

  if (!ams_adts_set_size (track->adts, gst_buffer_get_size (buffer)))
    return;
  header = g_memdup2 (track->adts, size);
  gst_buffer_prepend_memory (buffer,
      gst_memory_new_wrapped (0, header, size, 0, size, header, g_free));
}

static void
emit_buffer (GstAmsGateTrack *track, GstAmsGateItem *item, GQueue *out)
{
  GstBuffer *buffer =
      gst_buffer_make_writable (g_steal_pointer (&item->buffer));

  if (track->needs_adts)
    add_adts_header (track, buffer);

  GST_BUFFER_PTS (buffer) = MAX (item->pts + (gint64) TIME_SHIFT, 0);
  GST_BUFFER_DTS (buffer) = item->dts == AMS_TIME_NONE
      ? GST_CLOCK_TIME_NONE
      : (GstClockTime) MAX (item->dts + (gint64) TIME_SHIFT, 0);
  if (track->position == AMS_TIME_NONE || item->end > track->position)
    track->position = item->end;
  track->silent = FALSE;
  g_queue_push_tail (out, buffer);
}

/* A segment begins with @item: the tracks that waited for it may flow. */
static void
begin_segment (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateItem *item, GQueue *out)
{
  GstAmsGateTrack *other = gst_ams_gate_logic_other_track (self, track);

  g_queue_push_tail (out,
      new_cut (self, GST_AMS_CUT_BEGIN, item, track->video));
  self->segment_open = TRUE;
  self->discontinuity = FALSE;
  self->end = item->end;
  if (!other)
    return;
  if (other->joins_at_cut) {
    other->flowing = TRUE;
    other->joins_before = item->dts != AMS_TIME_NONE ? item->dts : item->pts;
  }
  if (other->joins_at_cut || other->awaits_video)
    other->begin_at = item->pts;
  other->joins_at_cut = FALSE;
}

static void
first_segment (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateItem *item, GQueue *out)
{
  if (self->settings.align_to_clock)
    ams_cutter_set_alignment (self->cutter,
        date_of (self, item) * 1000 - item->pts);
  ams_cutter_start (self->cutter, item->pts);
  begin_segment (self, track, item, out);
}

static void
cut_at_keyframe (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateItem *item, GQueue *out)
{
  AmsCutDecision decision = ams_cutter_keyframe (self->cutter, item->pts);

  if (decision.at_candidate)
    g_queue_push_tail (out,
        new_cut (self, GST_AMS_CUT_AT_CANDIDATE, item, track->video));
  if (decision.here == AMS_CUT_HERE)
    begin_segment (self, track, item, out);
  else if (decision.here == AMS_CUT_CANDIDATE && track->video)
    g_queue_push_tail (out,
        new_cut (self, GST_AMS_CUT_CANDIDATE, item, track->video));
  if (decision.here != AMS_CUT_NOT && track->video)
    g_queue_push_tail (out, new_force_key_unit (item));
}

/* The other track has media where this one has a hole. */
static gboolean
is_covered (GstAmsGateLogic *self, GstAmsGateTrack *track, gint64 time)
{
  const GstAmsGateTrack *other = gst_ams_gate_logic_other_track (self, track);

  return other && other->flowing && other->position != AMS_TIME_NONE &&
      other->position >= time - (gint64) self->settings.discontinuity_threshold;
}

/* Between a jump and the next keyframe, frames still belong to the segment
 * that is open: they follow on what was before the jump, unless the segment goes
 * on up to here with the other track. */
static void
shift_after_jump (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstAmsGateItem *item)
{
  if (item->key)
    track->shift = 0;
  else if (item->jump && track->last_pts != AMS_TIME_NONE &&
      !is_covered (self, track, item->pts))
    track->shift = track->position - item->pts;
  if (track->shift == 0)
    return;
  item->pts += track->shift;
  item->end += track->shift;
  if (item->dts != AMS_TIME_NONE)
    item->dts += track->shift;
}

/* The video has stalled or ended, or is back. */
static void
change_lead (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateItem *item, GQueue *out)
{
  gint64 at;

  self->audio_leads = !track->video;
  ams_cutter_change_track (self->cutter, item->pts);
  while (ams_cutter_make_up (self->cutter, item->pts, &at))
    g_queue_push_tail (out,
        new_cut (self, GST_AMS_CUT_AT_CANDIDATE, item, track->video));
}

/* The segment could end with the audio, should the video have stalled. */
static void
offer (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateItem *item, GQueue *out)
{
  if (self->segment_open && ams_cutter_offer (self->cutter, item->pts))
    g_queue_push_tail (out, new_cut (self, GST_AMS_CUT_CANDIDATE, item, FALSE));
}

static void
lead_item (GstAmsGateLogic *self, GstAmsGateTrack *track, GstAmsGateItem *item,
    GQueue *out)
{
  if (item->jump) {
    self->discontinuity = TRUE;
    ams_cutter_force (self->cutter);
  }
  if (self->split) {
    self->split = FALSE;
    ams_cutter_force (self->cutter);
  }
  if (track->video)
    shift_after_jump (self, track, item);
  if (self->segment_open && self->audio_leads == track->video)
    change_lead (self, track, item, out);

  if (!self->segment_open && (item->key || !track->video))
    first_segment (self, track, item, out);
  else if (item->key)
    cut_at_keyframe (self, track, item, out);
  else if (self->segment_open && ams_cutter_frame (self->cutter, item->end))
    g_queue_push_tail (out,
        new_cut (self, GST_AMS_CUT_AT_CANDIDATE, item, track->video));
  self->end = MAX (self->end, item->end);
}

/* Audio leads only where the video is not: what has ended or fallen silent may still be in the
 * muxer's queue. A short tail behind its end is no segment of its own. */
static gboolean
is_behind_video (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateItem *item)
{
  const GstAmsGateTrack *other = gst_ams_gate_logic_other_track (self, track);

  return other && other->video && other->position != AMS_TIME_NONE &&
      item->pts < other->position + AUDIO_TAIL;
}

/* Decides on one item of a flowing track, and puts what is to be pushed for it into
 * @out. Takes @item. */
void
gst_ams_gate_logic_process (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstAmsGateItem *item, GQueue *out)
{
  gboolean returns = track->silent && track->video;

  if (track->begin_at != AMS_TIME_NONE) {
    if (item->pts < track->begin_at) {
      item_free (item);
      return;
    }
    track->begin_at = AMS_TIME_NONE;
  }
  if (returns) {
    item->jump = TRUE;
    track->silent = FALSE;
  }
  if (gst_ams_gate_logic_lead (self) == track &&
      !is_behind_video (self, track, item))
    lead_item (self, track, item, out);
  else if (!track->video)
    offer (self, track, item, out);
  track->last_pts = item->pts;
  emit_buffer (track, item, out);
  item_free (item);
}

gboolean
gst_ams_gate_logic_is_ready (GstAmsGateTrack *track)
{
  return !g_queue_is_empty (&track->held);
}

gint64
gst_ams_gate_logic_held_span (GstAmsGateTrack *track)
{
  const GstAmsGateItem *first = g_queue_peek_head (&track->held);
  const GstAmsGateItem *last = g_queue_peek_tail (&track->held);

  return first ? last->end - first->pts : 0;
}

gint64
gst_ams_gate_logic_monotonic_time (void)
{
  return g_get_monotonic_time () * 1000;
}

/* Both tracks were away, as when a camera was, and the audio is back first. Recorded at once, it would put
 * the hole into the segment that is open, as the video begins the next. */
static gboolean
is_at_common_hole (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateTrack *lead)
{
  const GstAmsGateItem *item = g_queue_peek_head (&track->held);
  gint64 threshold = self->settings.discontinuity_threshold;

  return item->jump && !track->video && track->flowing && !track->eos &&
      !self->finished && lead && lead->video &&
      track->position != AMS_TIME_NONE && lead->position != AMS_TIME_NONE &&
      item->pts > track->position + threshold &&
      item->pts > lead->position + threshold;
}

/* It is waited for as long as any track that has fallen silent. */
static gboolean
has_had_its_time (GstAmsGateLogic *self, GstAmsGateTrack *track,
    const GstAmsGateTrack *lead)
{
  gint64 timeout = self->settings.stall_timeout;

  return !lead->pushing && gst_ams_gate_logic_held_span (track) >= timeout &&
      gst_ams_gate_logic_monotonic_time () - lead->arrival >= timeout;
}

gboolean
gst_ams_gate_logic_awaits_video (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GQueue *out)
{
  GstAmsGateTrack *lead = gst_ams_gate_logic_lead (self);
  const GstAmsGateItem *first = g_queue_peek_head (&track->held);
  gboolean waited = track->awaits_video;

  track->awaits_video = is_at_common_hole (self, track, lead);
  if (!track->awaits_video)
    return FALSE;
  if (has_had_its_time (self, track, lead)) {
    lead->silent = TRUE;
    track->awaits_video = FALSE;
    return FALSE;
  }
  /* Should the video have no hole, the muxer must not wait for the audio in it. */
  if (!waited)
    g_queue_push_tail (out,
        gst_event_new_gap (MAX (first->pts + (gint64) TIME_SHIFT, 0), 0));
  return TRUE;
}

/* All that will come are there, or the others have waited long enough. */
gboolean
gst_ams_gate_logic_may_start (GstAmsGateLogic *self)
{
  gint64 patience = self->settings.stall_timeout;
  gboolean all = TRUE, any = FALSE;
  gint64 span = 0;
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    GstAmsGateTrack *track = gst_ams_gate_logic_get_track (self, i);

    if (gst_ams_gate_logic_is_ready (track))
      any = TRUE;
    else if (!track->eos)
      all = FALSE;
    span = MAX (span, gst_ams_gate_logic_held_span (track));
  }
  return any &&
      (all || self->finished ||
          (span > patience &&
              gst_ams_gate_logic_monotonic_time () - self->hold_since >
                  patience));
}

gint64
gst_ams_gate_logic_start_time (GstAmsGateLogic *self)
{
  const GstAmsGateItem *first = NULL;
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    GstAmsGateTrack *track = gst_ams_gate_logic_get_track (self, i);

    if (gst_ams_gate_logic_is_ready (track) && (!first || track->video))
      first = g_queue_peek_head (&track->held);
  }
  return first->pts;
}

/* There is no video to wait for, so @track itself begins a segment: what would still belong to
 * the one that is open is dropped. It is announced, as the muxer would let its cut pass
 * what is under way on other pads. */
void
gst_ams_gate_logic_begin_now (GstAmsGateLogic *self, GstAmsGateTrack *track)
{
  const GstAmsGateTrack *other = gst_ams_gate_logic_other_track (self, track);
  const GstAmsGateItem *first = g_queue_peek_head (&track->held);

  track->joins_at_cut = FALSE;
  track->flowing = TRUE;
  if (track->video)
    return;
  if (other && other->position != AMS_TIME_NONE)
    track->begin_at = other->position + AUDIO_TAIL;
  track->joins_before = MAX (first->pts, track->begin_at);
}

/* A track that comes later than the start: the video at its keyframe, at once;
 * audio at the video's next cut. */
void
gst_ams_gate_logic_join (GstAmsGateLogic *self, GstAmsGateTrack *track)
{
  GstAmsGateTrack *lead = gst_ams_gate_logic_lead (self);

  if (track->joins_at_cut)
    return;
  self->discontinuity = TRUE;
  ams_cutter_force (self->cutter);
  if (lead && lead->video)
    track->joins_at_cut = TRUE;
  else
    gst_ams_gate_logic_begin_now (self, track);
}

gint64
gst_ams_gate_logic_to_running_time (GstAmsGateTrack *track, GstClockTime time)
{
  guint64 running;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return AMS_TIME_NONE;
  if (track->segment.format != GST_FORMAT_TIME)
    return time;
  sign = gst_segment_to_running_time_full (&track->segment, GST_FORMAT_TIME,
      time, &running);
  if (sign == 0)
    return AMS_TIME_NONE;
  return sign > 0 ? (gint64) running : -(gint64) running;
}

static gboolean
is_random_access (GstAmsGateTrack *track, GstBuffer *buffer)
{
  GstMapInfo info;
  gboolean key;

  if (!track->video)
    return TRUE;
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    return FALSE;
  if (!track->h26x || track->any_keyframe)
    return TRUE;
  if (!gst_buffer_map (buffer, &info, GST_MAP_READ))
    return FALSE;
  key = ams_nal_is_random_access (info.data, info.size, track->h265);
  gst_buffer_unmap (buffer, &info);
  return key;
}

/* Takes @buffer. Brings it onto the time line. */
/* Where nobody unwrapped them, PTS wrap a few frames before the DTS do. */
static gint64
unwrap (gint64 pts, gint64 dts)
{
  if (dts == AMS_TIME_NONE || ABS (pts - dts) < AMS_TIMELINE_WRAP / 2)
    return pts;
  return pts < dts ? pts + AMS_TIMELINE_WRAP : pts - AMS_TIMELINE_WRAP;
}

GstAmsGateItem *
gst_ams_gate_logic_new_item (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstBuffer *buffer)
{
  gint64 pts =
      gst_ams_gate_logic_to_running_time (track, GST_BUFFER_PTS (buffer));
  gint64 dts =
      gst_ams_gate_logic_to_running_time (track, GST_BUFFER_DTS (buffer));
  gint64 duration = GST_BUFFER_DURATION_IS_VALID (buffer)
      ? GST_BUFFER_DURATION (buffer)
      : track->frame_duration;
  gint64 time = dts != AMS_TIME_NONE ? dts : pts;
  GstAmsGateItem *item = g_new0 (GstAmsGateItem, 1);
  gint64 mapped = ams_timeline_map (self->timeline, track->index, time,
      duration, track->arrival, &item->jump);

  if (time == AMS_TIME_NONE) {
    item->pts = item->running_time = mapped;
    item->dts = AMS_TIME_NONE;
  } else {
    item->running_time = pts != AMS_TIME_NONE ? unwrap (pts, dts) : dts;
    item->pts = item->running_time + mapped;
    item->dts = dts == AMS_TIME_NONE ? AMS_TIME_NONE : dts + mapped;
  }
  GST_LOG_OBJECT (track->sinkpad,
      "%" GST_STIME_FORMAT " is put at %" GST_STIME_FORMAT "%s",
      GST_STIME_ARGS (item->running_time), GST_STIME_ARGS (item->pts),
      item->jump ? ", which does not follow" : "");
  item->end = item->pts + duration;
  item->key = is_random_access (track, buffer);
  if (self->settings.date_reference == GST_AMS_DATE_BUFFER_REFERENCE)
    item->date_time = reference_date (self, buffer);
  item->buffer = buffer;
  return item;
}

/* A video that comes late may not begin before the segment that the audio has begun. */
static gboolean
may_begin_with (GstAmsGateLogic *self, const GstAmsGateItem *item)
{
  return item->key &&
      (!self->segment_open ||
          item->pts > ams_cutter_get_segment_start (self->cutter));
}

/* Frames in front of the first keyframe cannot be decoded: they are dropped.
 * TRUE: @item was. *@complain: no keyframe has come for long. */
gboolean
gst_ams_gate_logic_drop_before_key (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GstAmsGateItem *item, gboolean *complain)
{
  if (!track->video || track->flowing || gst_ams_gate_logic_is_ready (track) ||
      may_begin_with (self, item))
    return FALSE;

  if (track->without_key == AMS_TIME_NONE)
    track->without_key = item->pts;
  if (item->pts - track->without_key > (gint64) GST_AMS_GATE_IDR_PATIENCE) {
    track->any_keyframe = TRUE;
    *complain = !track->complained;
    track->complained = TRUE;
  }
  self->dropped++;
  item_free (item);
  return TRUE;
}

/* How far @track has come: where its data are, or would begin. */
static gint64
reached (GstAmsGateTrack *track)
{
  const GstAmsGateItem *first = g_queue_peek_head (&track->held);

  if (track->position != AMS_TIME_NONE)
    return track->position;
  return first ? first->pts : track->begin_at;
}

static gboolean
is_silent (GstAmsGateLogic *self, GstAmsGateTrack *track, gint64 position)
{
  gint64 timeout = self->settings.stall_timeout;

  if (track->silent)
    return TRUE;
  return position - reached (track) >= timeout &&
      (track->arrival == AMS_TIME_NONE ||
          gst_ams_gate_logic_monotonic_time () - track->arrival >= timeout);
}

/* The GAP that keeps the muxer from waiting for the other track, if that is silent; *@other: that
 * track. */
GstEvent *
gst_ams_gate_logic_gap_for_other (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstAmsGateTrack **other)
{
  GstAmsGateTrack *silent = gst_ams_gate_logic_other_track (self, track);
  GstClockTime at;

  if (!silent || !silent->attached || silent->eos || silent->pushing ||
      track->position == AMS_TIME_NONE ||
      !is_silent (self, silent, track->position))
    return NULL;
  if (!silent->silent)
    GST_INFO_OBJECT (silent->sinkpad, "silent: the recording goes on without");
  silent->silent = TRUE;
  *other = silent;
  at = MAX (track->position + (gint64) TIME_SHIFT, 0);
  return gst_event_new_gap (at, 0);
}

GstEvent *
gst_ams_gate_logic_keyframe_request (GstAmsGateLogic *self,
    GstAmsGateTrack *track, gint64 offset)
{
  gint64 due = ams_cutter_get_due (self->cutter);

  if (!track->video || !self->settings.send_keyframe_requests)
    return NULL;
  return gst_video_event_new_upstream_force_key_unit (MAX (due - offset, 0),
      TRUE, self->keyframe_requests++);
}

gboolean
gst_ams_gate_logic_all_eos (GstAmsGateLogic *self, gboolean *any_attached)
{
  guint i;

  *any_attached = FALSE;
  for (i = 0; i < self->tracks->len; i++) {
    GstAmsGateTrack *track = gst_ams_gate_logic_get_track (self, i);

    if (!track->eos)
      return FALSE;
    *any_attached |= track->attached;
  }
  return TRUE;
}

static gboolean
int_differs (const GstStructure *a, const GstStructure *b, const gchar *f)
{
  gint x = 0, y = 0;

  gst_structure_get_int (a, f, &x);
  gst_structure_get_int (b, f, &y);
  return x != 0 && y != 0 && x != y;
}

/* Whether a decoder that was set up for @a must be set up anew for @b. */
static gboolean
encoding_differs (const GstCaps *a, const GstCaps *b)
{
  static const gchar *const fields[] = { "width", "height", "rate", "channels",
    "mpegversion", "layer" };
  const GstStructure *s = gst_caps_get_structure (a, 0);
  const GstStructure *t = gst_caps_get_structure (b, 0);
  guint i;

  if (!gst_structure_has_name (s, gst_structure_get_name (t)))
    return TRUE;
  for (i = 0; i < G_N_ELEMENTS (fields); i++)
    if (int_differs (s, t, fields[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_raw_aac (const GstStructure *s)
{
  gint mpegversion = 0;

  return gst_structure_get_int (s, "mpegversion", &mpegversion) &&
      mpegversion == 4 &&
      g_strcmp0 (gst_structure_get_string (s, "stream-format"), "raw") == 0;
}

/* The muxer would put a header in front of a primer, and write that. */
static gboolean
begin_adts (GstAmsGateTrack *track, const GstStructure *s)
{
  const GValue *value = gst_structure_get_value (s, "codec_data");
  GstBuffer *config = value ? gst_value_get_buffer (value) : NULL;
  GstMapInfo info;
  gboolean ok;

  if (!config || !is_raw_aac (s) ||
      !gst_buffer_map (config, &info, GST_MAP_READ))
    return FALSE;
  ok = ams_adts_begin (info.data, info.size, track->adts);
  gst_buffer_unmap (config, &info);
  return ok;
}

static GstEvent *
new_adts_caps (GstCaps *caps)
{
  g_autoptr (GstCaps) adts = gst_caps_copy (caps);

  gst_caps_set_simple (adts, "stream-format", G_TYPE_STRING, "adts", NULL);
  gst_structure_remove_field (gst_caps_get_structure (adts, 0), "codec_data");
  return gst_event_new_caps (adts);
}

GstEvent *
gst_ams_gate_logic_take_caps (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstEvent *event)
{
  const GstStructure *s;
  GstCaps *caps;
  gint num = 0, den = 1;

  gst_event_parse_caps (event, &caps);
  s = gst_caps_get_structure (caps, 0);
  track->needs_adts = begin_adts (track, s);
  track->h265 = gst_structure_has_name (s, "video/x-h265");
  track->h26x = track->h265 || gst_structure_has_name (s, "video/x-h264");
  if (gst_structure_get_fraction (s, "framerate", &num, &den) && num > 0)
    track->frame_duration = gst_util_uint64_scale (GST_SECOND, den, num);
  if (track->flowing && track->caps && encoding_differs (track->caps, caps)) {
    GST_INFO_OBJECT (track->sinkpad, "encoding changes to %" GST_PTR_FORMAT,
        caps);
    self->discontinuity = TRUE;
    ams_cutter_force (self->cutter);
  }
  gst_caps_replace (&track->caps, caps);
  return track->needs_adts ? new_adts_caps (caps) : gst_event_ref (event);
}

/* What the muxer puts headers of its own in front of, which an empty buffer must not get. */
static gboolean
takes_primer (GstAmsGateTrack *track)
{
  const GstStructure *s;

  if (!track->caps)
    return FALSE;
  s = gst_caps_get_structure (track->caps, 0);
  return track->needs_adts ||
      (!gst_structure_has_name (s, "audio/x-opus") &&
          g_strcmp0 (gst_structure_get_string (s, "stream-format"), "raw") !=
              0);
}

GstBuffer *
gst_ams_gate_logic_take_primer (GstAmsGateTrack *track)
{
  gint64 before = track->joins_before;
  GstBuffer *primer;

  track->joins_before = AMS_TIME_NONE;
  if (before == AMS_TIME_NONE || !takes_primer (track))
    return NULL;
  primer = gst_buffer_new ();
  /* Behind all the frames in front of the cut: the tables are not to change before. */
  GST_BUFFER_PTS (primer) = MAX (before + (gint64) TIME_SHIFT - 1, 0);
  return primer;
}

GstEvent *
gst_ams_gate_logic_take_gap (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstEvent *event)
{
  GstClockTime time, duration;
  gint64 end;

  gst_event_parse_gap (event, &time, &duration);
  end = gst_ams_gate_logic_to_running_time (track, time);
  if (end == AMS_TIME_NONE)
    return NULL;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    end += duration;
  end += ams_timeline_get_offset (self->timeline, track->index);
  if (!track->attached || track->position == AMS_TIME_NONE ||
      end <= track->position)
    return NULL;
  track->position = end;
  track->arrival = gst_ams_gate_logic_monotonic_time ();
  return gst_event_new_gap (MAX (end + (gint64) TIME_SHIFT, 0), 0);
}
