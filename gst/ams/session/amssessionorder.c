/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session/amssessionprivate.h"

/* The sound that comes back after a hole may be so much ahead of the picture, and
 * does not begin a segment of its own. */
#define SOUND_FIRST AMS_SECOND

/* ns: of the sound behind the picture, at the end */
#define LONGEST_TAIL (AMS_SECOND / 2)

static gint64
get_head_order (AmsSessionTrack *track)
{
  return ams_session_track_get_order (g_queue_peek_head (&track->held));
}

/* The keyframe of a lane that follows has its turn behind that of the lead of the same
 * time, however much either is reordered: it is known then whether a file begins with
 * it. */
static gint64
get_turn (AmsSession *self, AmsSessionTrack *track)
{
  const AmsHeld *next = g_queue_peek_head (&track->held);
  gboolean follows = self->lanes->len > 1 && track->video &&
      !(self->lead && self->lead->lane == track->lane);

  if (!follows || !ams_session_track_is_key (track, next))
    return next->unit.dts;
  return MIN (next->unit.pts, next->unit.dts + AMS_TIME_MAP_REORDERING);
}

static gboolean
flows (const AmsSessionTrack *track)
{
  return track->phase == AMS_TRACK_FLOWS;
}

/* ---- silence ---- */

/* How much of @other is held that @track has not reached; gaps do not count. All
 * of it, if it waits to join: @track does not go on. */
static gint64
get_lead_over (AmsSessionTrack *other, const AmsSessionTrack *track)
{
  gint64 since = get_head_order (other), holes = 0;

  if (flows (other))
    since = MAX (since, track->position);
  for (GList *l = other->held.head; l; l = l->next) {
    const AmsHeld *held = l->data;

    if (held->unit.dts > since)
      holes += held->gap;
  }
  return other->position - since - holes;
}

static gint64
get_lag (AmsSession *self, const AmsSessionTrack *track)
{
  gint64 lag = 0;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *other = g_ptr_array_index (self->tracks, i);

    if (other == track || g_queue_is_empty (&other->held))
      continue;
    lag = MAX (lag, get_lead_over (other, track));
    if (other->held_bytes > AMS_SESSION_HOLD_BYTES)
      lag = G_MAXINT64;
  }
  return lag;
}

/* It has sent nothing for the stall timeout, while another has got ahead of it by
 * as much: both, so that neither a file that is read as fast as it goes nor a
 * pipeline in PAUSED makes a track silent. */
static gboolean
has_fallen_silent (AmsSession *self, AmsSessionTrack *track)
{
  gint64 timeout = self->settings.stall_timeout;

  return flows (track) && !track->silent && !track->ended &&
      g_queue_is_empty (&track->held) &&
      self->now - track->arrival >= timeout && get_lag (self, track) >= timeout;
}

static void
look_after_silence (AmsSession *self)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (!has_fallen_silent (self, track))
      continue;
    track->silent = TRUE;
    ams_session_tell (self,
        "%s has been silent since %.3f s: the recording goes on without it",
        ams_session_track_name (track), AMS_SESSION_S (track->position));
  }
}

/* ---- order ---- */

/* Of those that are decoded at one time; the first lane leads. */
static gboolean
goes_first (const AmsSessionTrack *track, const AmsSessionTrack *other)
{
  return track->video && (!other->video || track->lane <= other->lane);
}

/* The track whose unit is next, of those that there are. (nullable) */
static AmsSessionTrack *
find_first (AmsSession *self)
{
  AmsSessionTrack *first = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);
    gint64 order;

    if (!flows (track) || g_queue_is_empty (&track->held))
      continue;
    order = get_turn (self, track);
    if (!first || order < get_turn (self, first) ||
        (order == get_turn (self, first) && goes_first (track, first)))
      first = track;
  }
  return first;
}

/* Its next unit may come before all that is held. */
static gboolean
is_waited_for (const AmsSessionTrack *track, gint64 order)
{
  return flows (track) && g_queue_is_empty ((GQueue *) &track->held) &&
      !track->ended && !track->silent && track->position < order;
}

/* (nullable) */
static AmsSessionTrack *
find_live_video (AmsSession *self)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->video && flows (track) && !track->silent)
      return track;
  }
  return NULL;
}

static gboolean
is_behind_hole (AmsSession *self, AmsSessionTrack *track)
{
  return self->end != AMS_TIME_NONE &&
      get_head_order (track) - self->end >
      self->settings.discontinuity_threshold;
}

/* Behind a hole that all tracks have, a segment begins with the picture, even though
 * the sound is back a little earlier, or the first keyframe comes a little later; as
 * at the start. (nullable): it is waited for. */
static AmsSessionTrack *
prefer_video (AmsSession *self, AmsSessionTrack *first)
{
  AmsSessionTrack *video = find_live_video (self);

  if (!video || first->video || !is_behind_hole (self, first))
    return first;
  if (!g_queue_is_empty (&video->held))
    return video->lacks_key ||
            get_head_order (video) <= get_head_order (first) + SOUND_FIRST
        ? video
        : first;
  if (video->lacks_key && !video->ended &&
      ams_session_track_get_span (first) < self->settings.stall_timeout)
    return NULL;
  return first;
}

/* (nullable): what is next cannot be said yet. */
static AmsSessionTrack *
choose (AmsSession *self)
{
  AmsSessionTrack *first = find_first (self);

  for (guint i = 0; first && i < self->tracks->len; i++)
    if (is_waited_for (g_ptr_array_index (self->tracks, i),
            get_turn (self, first)))
      return NULL;
  return first ? prefer_video (self, first) : NULL;
}

/* ---- the end ---- */

/* FALSE: something will come. */
static gboolean
let_ended_go (AmsSession *self)
{
  gboolean any = FALSE, all = TRUE;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->ended && g_queue_is_empty (&track->held))
      track->phase = AMS_TRACK_GONE;
    any |= !track->removed;
    all &= track->phase == AMS_TRACK_GONE;
  }
  return all && (any || self->finished);
}

/* When all tracks stop at once, sound that was ahead of the picture does not make the
 * last segment longer than that is. */
static gint64
get_end (AmsSession *self)
{
  gint64 start = ams_cutter_get_segment_start (self->cutter);

  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->video && track->shown > start && track->shown < self->lead_end &&
        self->lead_end - track->shown <= LONGEST_TAIL)
      return track->shown;
  }
  return self->lead_end;
}

static void
end_recording (AmsSession *self)
{
  ams_session_finish_lanes (self, get_end (self));
  self->state = AMS_SESSION_ENDED;
  self->end_told = TRUE;
  ams_session_tell (self, "the recording ends at %.3f s",
      self->lead_end == AMS_TIME_NONE ? 0. : AMS_SESSION_S (self->lead_end));
  ams_session_put (self, AMS_ACTION_END);
}

static gboolean
process_next (AmsSession *self)
{
  AmsSessionTrack *track;

  /* Whoever waits to join does not wait for those. */
  let_ended_go (self);
  look_after_silence (self);
  ams_session_look_after_joining (self);
  track = choose (self);
  if (!track)
    return FALSE;
  ams_session_process (self, track, ams_session_track_pop (track));
  return self->state == AMS_SESSION_RUNNING;
}

void
ams_session_advance (AmsSession *self)
{
  if (self->state == AMS_SESSION_HOLDING)
    ams_session_try_start (self);
  while (self->state == AMS_SESSION_RUNNING && process_next (self))
    continue;
  if (let_ended_go (self) && !self->end_told &&
      self->state != AMS_SESSION_STARTING)
    end_recording (self);
}
