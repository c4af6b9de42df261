/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amsnalunits.h"
#include "media/amssps.h"
#include "session/amssessionprivate.h"

/* The least by which decoding times rise: a tick of 90 kHz, rounded up. */
#define TICK AMS_TIME_MAP_TICK
/* So many units in a row may lack a decoding time in a video that has them. */
#define MAX_WITHOUT_DTS 8

/* One for each unit that comes: slices cost the least. */
AmsHeld *
ams_held_new (void)
{
  AmsHeld *held = g_slice_new0 (AmsHeld);

  held->link.data = held;
  return held;
}

void
ams_held_free (AmsHeld *held)
{
  g_bytes_unref (held->unit.payload);
  g_clear_pointer (&held->track, ams_track_free);
  g_slice_free (AmsHeld, held);
}

AmsSessionTrack *
ams_session_track_new (guint id, gboolean video, guint line)
{
  AmsSessionTrack *self = g_new0 (AmsSessionTrack, 1);

  self->id = id;
  self->video = video;
  self->line = line;
  g_queue_init (&self->first);
  g_queue_init (&self->held);
  self->first_time = AMS_TIME_NONE;
  self->arrival = self->first_seen = self->position = self->shown =
      AMS_TIME_NONE;
  self->begin_at = self->rest_until = self->last_dts = self->last_key =
      AMS_TIME_NONE;
  return self;
}

void
ams_session_track_free (AmsSessionTrack *self)
{
  ams_session_track_drop (self);
  g_clear_pointer (&self->changed, ams_track_free);
  g_clear_pointer (&self->dropped_form, ams_track_free);
  g_clear_pointer (&self->packaged, ams_track_free);
  g_clear_pointer (&self->decode_times, ams_decode_times_free);
  g_free (self);
}

const gchar *
ams_session_track_name (const AmsSessionTrack *self)
{
  return self->video ? "video" : "audio";
}

gboolean
ams_session_track_is_of (const AmsSessionTrack *self, guint lane)
{
  return self->lane == lane || self->lane == AMS_SESSION_ALL_LANES;
}

const AmsTrack *
ams_session_track_get_form (AmsSessionTrack *self)
{
  const AmsHeld *first = g_queue_peek_head (&self->held);

  return self->packaged || !first ? self->packaged : first->track;
}

gboolean
ams_session_track_is_key (const AmsSessionTrack *self, const AmsHeld *held)
{
  return !self->video || (held->unit.flags & AMS_UNIT_KEY) != 0 ||
      (self->any_key && (held->unit.flags & AMS_UNIT_RECOVERY) != 0);
}

gint64
ams_session_track_get_order (const AmsHeld *held)
{
  return held->unit.dts;
}

gint64
ams_session_track_get_span (AmsSessionTrack *self)
{
  const AmsHeld *first = g_queue_peek_head (&self->held);
  const AmsHeld *last = g_queue_peek_tail (&self->held);

  return first ? last->unit.dts - first->unit.dts - self->held_holes : 0;
}

static gboolean
counts_as_key (const AmsSessionTrack *self, const AmsHeld *held)
{
  return self->video && held->unit.flags != 0;
}

void
ams_session_track_push (AmsSessionTrack *self, AmsHeld *held)
{
  self->held_keys += counts_as_key (self, held);
  self->held_bytes += g_bytes_get_size (held->unit.payload);
  if (!g_queue_is_empty (&self->held))
    self->held_holes += held->gap;
  g_queue_push_tail_link (&self->held, &held->link);
}

AmsHeld *
ams_session_track_pop (AmsSessionTrack *self)
{
  AmsHeld *held = g_queue_pop_head_link (&self->held)->data;
  const AmsHeld *next = g_queue_peek_head (&self->held);

  self->held_keys -= counts_as_key (self, held);
  self->held_bytes -= g_bytes_get_size (held->unit.payload);
  if (next)
    self->held_holes -= next->gap;
  return held;
}

void
ams_session_track_drop (AmsSessionTrack *self)
{
  g_queue_clear_full (&self->first, (GDestroyNotify) ams_held_free);
  while (!g_queue_is_empty (&self->held))
    ams_held_free (ams_session_track_pop (self));
  self->held_holes = 0;
}

/* ---- times ---- */

static guint
get_config_depth (GBytes *record, gboolean h265)
{
  g_autoptr (AmsNalConfig) config =
      record ? ams_nal_config_new (record, h265, NULL) : NULL;

  for (guint i = 0; config && i < config->parameter_sets->len; i++) {
    AmsSlice set = g_array_index (config->parameter_sets, AmsSlice, i);
    guint type = h265 ? set.data[0] >> 1 & 0x3f : set.data[0] & 0x1f;

    if (type == (h265 ? 33 : 7))
      return ams_sps_get_reorder_depth (set, h265);
  }
  return AMS_DECODE_TIMES_UNKNOWN;
}

static guint
get_reorder_depth (const AmsTrack *form)
{
  switch (form->codec) {
    case AMS_CODEC_H264:
      return get_config_depth (form->config, FALSE);
    case AMS_CODEC_H265:
      return get_config_depth (form->config, TRUE);
    default:
      return AMS_DECODE_TIMES_UNKNOWN;
  }
}

/* A video that comes with presentation times alone. */
static gint64
make_decode_time (AmsSessionTrack *self, const AmsHeld *held, gboolean jump)
{
  const AmsTrack *form = held->track ? held->track : self->packaged;

  if (!self->decode_times)
    self->decode_times = ams_decode_times_new (
        form ? get_reorder_depth (form) : AMS_DECODE_TIMES_UNKNOWN);
  else if (jump)
    ams_decode_times_restart (self->decode_times);
  return ams_decode_times_next (self->decode_times, held->unit.pts, self->step);
}

/* Where the video brings decoding times, a unit without one is decoded a step
 * after the one before. */
static gint64
choose_decode_time (AmsSessionTrack *self, const AmsHeld *held,
    const AmsTimeMapPlaced *placed)
{
  if (held->reorder != AMS_TIME_NONE || !self->video) {
    self->n_without_dts = 0;
    g_clear_pointer (&self->decode_times, ams_decode_times_free);
    return placed->time;
  }
  if (self->decode_times || self->last_dts == AMS_TIME_NONE ||
      self->n_without_dts++ >= MAX_WITHOUT_DTS)
    return make_decode_time (self, held, placed->jump);
  return MIN (held->unit.pts, self->last_dts + self->step);
}

/* Decoding times rise, whatever came. */
static void
keep_in_order (const AmsSessionTrack *self, AmsUnit *unit)
{
  if (self->last_dts != AMS_TIME_NONE)
    unit->dts = MAX (unit->dts, self->last_dts + TICK);
  unit->pts = MAX (unit->pts, unit->dts);
}

static void
learn_step (AmsSessionTrack *self, gint64 dts, const AmsTimeMapPlaced *placed)
{
  gint64 step = self->last_dts != AMS_TIME_NONE ? dts - self->last_dts : 0;

  if (!placed->bad && !placed->jump && step > 0 &&
      step <= AMS_SESSION_LONGEST_STEP)
    self->step = step;
  self->last_dts = dts;
}

static gint64
get_gap (const AmsSessionTrack *self, const AmsHeld *held)
{
  if (held->jump && self->last_dts != AMS_TIME_NONE)
    return MAX (held->hole, held->unit.dts - self->last_dts - self->step);
  return held->hole;
}

/* What the parser says is believed where it agrees with what was seen. */
static gint64
choose_duration (const AmsSessionTrack *self, gint64 said)
{
  if (said > 0 && said <= AMS_SESSION_LONGEST_STEP &&
      (self->step == 0 || ABS (said - self->step) <= self->step / 2))
    return said;
  return self->step > 0 ? self->step : AMS_SESSION_USUAL_STEP;
}

void
ams_session_track_time (AmsSessionTrack *self, AmsHeld *held,
    const AmsTimeMapPlaced *placed)
{
  gboolean has_dts = held->reorder != AMS_TIME_NONE;

  /* Where one of its times is wrong, the other is not right either. */
  if (has_dts && placed->bad)
    held->reorder = self->reorder;
  else if (has_dts)
    self->reorder = held->reorder;
  held->unit.pts = placed->time + (has_dts ? held->reorder : 0);
  held->unit.dts = choose_decode_time (self, held, placed);
  keep_in_order (self, &held->unit);
  if (held->running_time == AMS_TIME_NONE)
    held->running_time = held->unit.pts;
  held->jump = placed->jump;
  held->hole = placed->hole;
  held->gap = get_gap (self, held);
  learn_step (self, held->unit.dts, placed);
  held->unit.duration = choose_duration (self, held->unit.duration);
  held->end = held->unit.pts + held->unit.duration;
  /* Also back from where a gap event had it. */
  self->position = held->unit.dts;
}
