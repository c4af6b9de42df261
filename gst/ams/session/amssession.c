/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session/amssession.h"

#include "session/amssessionprivate.h"

/* Beyond the stall timeout: what is held of a track before its source is to wait.
 * Tracks that start apart are held by as much. */
#define HOLD_SLACK (10 * AMS_SECOND)

/* A PTS is no further from its DTS. */
#define MAX_REORDER (10 * AMS_SECOND)
#define MAX_TIME (G_GINT64_CONSTANT (1) << 61)

/* ---- what is told ---- */

void
ams_session_tell_text (AmsSession *self, gchar *text)
{
  self->story.tell (self->story.user_data, text);
  g_free (text);
}

AmsAction *
ams_session_put (AmsSession *self, AmsActionKind kind)
{
  AmsAction *action = g_new0 (AmsAction, 1);

  action->kind = kind;
  g_queue_push_tail (&self->actions, action);
  return action;
}

gboolean
ams_session_next (AmsSession *self, AmsAction *action)
{
  AmsAction *next = g_queue_pop_head (&self->actions);

  if (!next)
    return FALSE;
  *action = *next;
  g_free (next);
  return TRUE;
}

gboolean
ams_session_has_next (AmsSession *self)
{
  return !g_queue_is_empty (&self->actions);
}

/* ---- lanes ---- */

AmsSessionLane *
ams_session_get_lane (AmsSession *self, guint index)
{
  return g_ptr_array_index (self->lanes, index);
}

AmsSessionLane *
ams_session_get_lane_of (AmsSession *self, const AmsSessionTrack *track)
{
  return ams_session_get_lane (self,
      track->lane == AMS_SESSION_ALL_LANES ? 0 : track->lane);
}

static void
lane_free (gpointer data)
{
  AmsSessionLane *lane = data;

  ams_lane_free (lane->files);
  g_free (lane);
}

guint
ams_session_add_lane (AmsSession *self, AmsPackager *packager, gsize block_size)
{
  AmsSessionLane *lane = g_new0 (AmsSessionLane, 1);
  guint index = self->lanes->len;

  lane->index = index;
  lane->files = ams_lane_new (packager, block_size, index, &self->actions);
  ams_lane_set_offset (lane->files, self->offset);
  ams_lane_set_carries (lane->files, self->carries);
  lane->n_numbers[FALSE] = self->n_numbers;
  lane->independent = TRUE;
  lane->pending = self->n_cuts > 0;
  lane->next = self->cut;
  g_ptr_array_add (self->lanes, lane);
  return index;
}

/* ---- tracks ---- */

AmsSessionTrack *
ams_session_get_track (AmsSession *self, guint id)
{
  return id < self->tracks->len ? g_ptr_array_index (self->tracks, id) : NULL;
}

/* Another number each time, as what had it last ends in the middle of a segment;
 * the same are used again when all have been. */
static guint
take_number (AmsSession *self, const AmsSessionTrack *track)
{
  guint n = 0;

  for (guint i = 0; i < self->lanes->len; i++)
    if (ams_session_track_is_of (track, i))
      n = MAX (n, ams_session_get_lane (self, i)->n_numbers[track->video]);
  for (guint i = 0; i < self->lanes->len; i++)
    if (ams_session_track_is_of (track, i))
      ams_session_get_lane (self, i)->n_numbers[track->video] = n + 1;
  if (track->lane == AMS_SESSION_ALL_LANES)
    self->n_numbers = n + 1;
  return (2 * n + !track->video) % (AMS_TRACK_MAX_ID + 1);
}

guint
ams_session_add_track (AmsSession *self, AmsTrackKind kind, guint lane)
{
  gboolean video = kind == AMS_TRACK_VIDEO;
  guint id = self->tracks->len;
  AmsSessionTrack *track =
      ams_session_track_new (id, video, ams_time_map_add_track (self->map));

  track->lane = lane;
  track->number = take_number (self, track);
  track->ended = self->finished;
  g_ptr_array_add (self->tracks, track);
  return id;
}

static gboolean
check_form (AmsSession *self, const AmsSessionTrack *track,
    const AmsTrack *form, GError **error)
{
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < self->lanes->len; i++)
    if (ams_session_track_is_of (track, i))
      ok = ams_lane_check_track (ams_session_get_lane (self, i)->files, form,
          error);
  return ok;
}

gboolean
ams_session_set_track (AmsSession *self, guint id, const AmsTrack *form,
    gboolean over, GError **error)
{
  AmsSessionTrack *track = ams_session_get_track (self, id);

  if (!check_form (self, track, form, error))
    return FALSE;
  g_clear_pointer (&track->changed, ams_track_free);
  track->changed = ams_track_copy (form);
  track->changed->id = track->number;
  track->changed_over |= over;
  ams_session_tell (self, "%s is %s%s%s", ams_session_track_name (track),
      ams_codec_get_name (form->codec),
      track->begun ? " in another form from the next unit on" : "",
      over ? ", and decoders must be set up anew" : "");
  return TRUE;
}

/* ---- units that come in ---- */

/* Where nobody unwrapped them, PTS wrap a few frames before the DTS do. */
static gint64
unwrap (gint64 pts, gint64 dts)
{
  if (pts - dts > AMS_TIME_MAP_WRAP / 2)
    return pts - AMS_TIME_MAP_WRAP;
  return dts - pts > AMS_TIME_MAP_WRAP / 2 ? pts + AMS_TIME_MAP_WRAP : pts;
}

static gint64
believe (gint64 time)
{
  return time > MAX_TIME || time < -MAX_TIME ? AMS_TIME_NONE : time;
}

static void
set_input_times (AmsHeld *held, gint64 pts, gint64 dts)
{
  pts = believe (pts);
  dts = believe (dts);
  if (pts != AMS_TIME_NONE && dts != AMS_TIME_NONE) {
    pts = unwrap (pts, dts);
    if (pts < dts || pts - dts > MAX_REORDER)
      pts = dts;
  }
  held->reorder = AMS_TIME_NONE;
  if (dts != AMS_TIME_NONE)
    held->reorder = pts == AMS_TIME_NONE ? 0 : pts - dts;
  held->running_time = pts != AMS_TIME_NONE ? pts : dts;
}

static AmsHeld *
held_new (AmsSessionTrack *track, AmsSessionInput *input)
{
  AmsHeld *held = ams_held_new ();

  held->unit.track = track->number;
  held->unit.flags = input->flags;
  held->unit.duration = input->duration;
  held->unit.trim_start = input->trim_start;
  held->unit.trim_end = input->trim_end;
  held->unit.payload = g_steal_pointer (&input->payload);
  set_input_times (held, input->pts, input->dts);
  held->clock_offset = input->real_time -
      (input->clock_time != AMS_TIME_NONE ? input->clock_time
                                          : MAX (held->running_time, 0));
  held->seen = input->seen;
  held->date_time = input->date_time;
  held->arrival = input->arrival;
  held->discont = input->discont;
  held->track = g_steal_pointer (&track->changed);
  held->over = track->changed_over;
  track->changed_over = FALSE;
  held->split = track->split;
  track->split = FALSE;
  return held;
}

static void
tell_placed (AmsSession *self, const AmsSessionTrack *track,
    const AmsTimeMapPlaced *placed)
{
  const gchar *name = ams_session_track_name (track);

  if (placed->hole > 0)
    ams_session_tell (self, "%s at %.3f s, after %.3f s without any: %s", name,
        AMS_SESSION_S (placed->time), AMS_SESSION_S (placed->hole),
        placed->reason ? placed->reason : "a hole");
  else if (placed->reason)
    ams_session_tell (self, "%s at %.3f s: %s (its times are moved by %+.3f s)",
        name, AMS_SESSION_S (placed->time), placed->reason,
        AMS_SESSION_S (placed->offset));
}

/* The time line has made up its mind on these. */
static void
take_placed (AmsSession *self)
{
  AmsTimeMapPlaced placed;

  while (ams_time_map_next (self->map, &placed)) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, placed.track);
    AmsHeld *held = placed.unit;

    if (self->state == AMS_SESSION_ENDED) {
      ams_held_free (held);
      continue;
    }
    tell_placed (self, track, &placed);
    ams_session_track_time (track, held, &placed);
    ams_session_hold (self, track, held);
  }
}

void
ams_session_take (AmsSession *self, guint id, AmsSessionInput *input)
{
  AmsSessionTrack *track = ams_session_get_track (self, id);

  if (self->state == AMS_SESSION_ENDED || self->finished || track->ended) {
    g_clear_pointer (&input->payload, g_bytes_unref);
    return;
  }
  self->now = track->arrival = input->arrival;
  if (self->hold_since == AMS_TIME_NONE)
    self->hold_since = input->arrival;
  ams_session_place (self, track, held_new (track, input));
  take_placed (self);
  ams_session_advance (self);
}

void
ams_session_take_gap (AmsSession *self, guint id, gint64 end, gint64 arrival)
{
  AmsSessionTrack *track = ams_session_get_track (self, id);

  end = believe (end);
  if (end == AMS_TIME_NONE || track->position == AMS_TIME_NONE)
    return;
  end += ams_time_map_get_offset (self->map, track->line);
  if (end <= track->position)
    return;
  track->position = end;
  self->now = track->arrival = arrival;
  ams_session_advance (self);
}

void
ams_session_expect_jump (AmsSession *self, guint id)
{
  AmsSessionTrack *track = ams_session_get_track (self, id);

  ams_session_settle_first (self, track);
  ams_time_map_expect_jump (self->map, track->line);
  take_placed (self);
  ams_session_advance (self);
}

static void
end_track (AmsSession *self, AmsSessionTrack *track)
{
  if (track->ended)
    return;
  ams_session_settle_first (self, track);
  ams_time_map_end_track (self->map, track->line);
  take_placed (self);
  track->ended = TRUE;
  ams_session_tell (self, "%s ends", ams_session_track_name (track));
}

void
ams_session_end_track (AmsSession *self, guint id)
{
  end_track (self, ams_session_get_track (self, id));
  ams_session_advance (self);
}

void
ams_session_remove_track (AmsSession *self, guint id)
{
  AmsSessionTrack *track = ams_session_get_track (self, id);

  track->removed = TRUE;
  end_track (self, track);
  ams_session_advance (self);
}

/* ---- the recording ---- */

void
ams_session_started (AmsSession *self, gint64 target, gint64 time)
{
  if (self->state != AMS_SESSION_STARTING)
    return;
  ams_cutter_set_target (self->cutter, target);
  self->settings.target_duration = target;
  self->state = AMS_SESSION_RUNNING;
  self->offset = (time == AMS_TIME_NONE ? 0 : time) - self->start;
  for (guint i = 0; i < self->lanes->len; i++)
    ams_lane_set_offset (ams_session_get_lane (self, i)->files, self->offset);
  ams_session_tell (self, "the recording starts: segments last at most %.3f s",
      AMS_SESSION_S (target));
  if (time != AMS_TIME_NONE)
    ams_session_tell (self,
        "time stamps go on after an earlier recording's %.3f s",
        AMS_SESSION_S (time));
  ams_session_advance (self);
}

void
ams_session_set_carries (AmsSession *self, gboolean carries)
{
  if (carries != self->carries)
    ams_cutter_drop_candidate (self->cutter);
  self->carries = carries;
  for (guint i = 0; i < self->lanes->len; i++)
    ams_lane_set_carries (ams_session_get_lane (self, i)->files, carries);
}

void
ams_session_fail (AmsSession *self)
{
  self->state = AMS_SESSION_ENDED;
  for (guint i = 0; i < self->tracks->len; i++)
    ams_session_track_drop (g_ptr_array_index (self->tracks, i));
  ams_session_advance (self);
}

void
ams_session_split_now (AmsSession *self)
{
  for (guint i = 0; i < self->tracks->len; i++)
    ((AmsSessionTrack *) g_ptr_array_index (self->tracks, i))->split = TRUE;
  ams_session_request_keyframe (self, TRUE);
}

void
ams_session_finish (AmsSession *self)
{
  if (self->finished)
    return;
  for (guint i = 0; i < self->tracks->len; i++)
    end_track (self, g_ptr_array_index (self->tracks, i));
  self->finished = TRUE;
  ams_session_advance (self);
}

void
ams_session_tick (AmsSession *self, gint64 now)
{
  if (self->state == AMS_SESSION_ENDED)
    return;
  self->now = now;
  ams_session_settle_first_in_time (self);
  ams_time_map_tick (self->map, now);
  take_placed (self);
  ams_session_advance (self);
  for (guint i = 0; i < self->lanes->len; i++)
    ams_lane_tick (ams_session_get_lane (self, i)->files, now);
}

void
ams_session_set_keyframes_on_request (AmsSession *self, guint id,
    gboolean handled)
{
  if (self->lead != ams_session_get_track (self, id))
    return;
  /* Believed once; whether they come, the cutter sees for itself. */
  if (!handled || !self->asked)
    ams_cutter_set_keyframes_on_request (self->cutter, handled);
  self->asked = TRUE;
}

gboolean
ams_session_is_full (AmsSession *self, guint id)
{
  AmsSessionTrack *track = ams_session_get_track (self, id);

  return self->state != AMS_SESSION_ENDED && !self->finished && track &&
      !track->ended &&
      (track->held_bytes > AMS_SESSION_HOLD_BYTES ||
          ams_session_track_get_span (track) >
              self->settings.stall_timeout + HOLD_SLACK);
}

gboolean
ams_session_holds_keyframe (AmsSession *self)
{
  gboolean holds = FALSE;

  for (guint i = 0; i < self->tracks->len; i++)
    holds |=
        ((AmsSessionTrack *) g_ptr_array_index (self->tracks, i))->held_keys >
        0;
  return holds;
}

guint64
ams_session_get_dropped (AmsSession *self)
{
  guint64 dropped = 0;

  for (guint i = 0; i < self->tracks->len; i++)
    dropped +=
        ((AmsSessionTrack *) g_ptr_array_index (self->tracks, i))->dropped;
  return dropped;
}

gboolean
ams_session_has_ended (AmsSession *self)
{
  return self->state == AMS_SESSION_ENDED;
}

/* ---- a session ---- */

AmsSession *
ams_session_new (const AmsSessionSettings *settings, const AmsStory *story)
{
  AmsSession *self = g_new0 (AmsSession, 1);

  self->settings = *settings;
  if (story)
    self->story = *story;
  self->tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_session_track_free);
  self->map = ams_time_map_new (settings->discontinuity_threshold);
  self->cutter = ams_cutter_new (settings->target_duration);
  g_queue_init (&self->actions);
  self->lanes = g_ptr_array_new_with_free_func (lane_free);
  self->hold_since = self->start = AMS_TIME_NONE;
  self->lead_end = self->end = AMS_TIME_NONE;
  return self;
}

/* What the time line still doubts is nobody's else. */
static void
drop_doubted (AmsSession *self)
{
  AmsTimeMapPlaced placed;

  for (guint i = 0; i < self->tracks->len; i++)
    ams_time_map_end_track (self->map, i);
  while (ams_time_map_next (self->map, &placed))
    ams_held_free (placed.unit);
}

void
ams_session_free (AmsSession *self)
{
  AmsAction action;

  drop_doubted (self);
  while (ams_session_next (self, &action))
    ams_action_clear (&action);
  g_ptr_array_unref (self->tracks);
  ams_time_map_free (self->map);
  ams_cutter_free (self->cutter);
  g_ptr_array_unref (self->lanes);
  g_free (self);
}
