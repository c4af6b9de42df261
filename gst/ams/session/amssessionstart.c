/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session/amssessionprivate.h"

/* Units without an IDR after which any recovery point has to do, and after which it
 * is said that none comes. */
#define KEY_PATIENCE (10 * AMS_SECOND)

/* A picture that begins later than the sound by more is not waited for with what
 * was there before. */
#define MAX_LEAD_IN AMS_SECOND
#define LEAST_PATIENCE (2 * AMS_SECOND)

/* ---- the first keyframe ---- */

static void
note_recovery (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  gint64 since =
      track->last_key != AMS_TIME_NONE ? track->last_key : track->first_seen;

  track->any_recovery = TRUE;
  if (track->any_key || held->unit.pts - since <= KEY_PATIENCE)
    return;
  track->any_key = TRUE;
  ams_session_tell (self,
      "no IDR for %.3f s: segments begin at recovery points from here on",
      AMS_SESSION_S (held->unit.pts - since));
}

static void
note_key (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  if (!track->video)
    return;
  if (held->unit.flags & AMS_UNIT_KEY)
    track->last_key = held->unit.pts;
  else if (held->unit.flags & AMS_UNIT_RECOVERY)
    note_recovery (self, track, held);
}

/* One that comes late may not begin before the segment that the sound has begun. */
static gboolean
may_begin_with (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  AmsSessionLane *lane = ams_session_get_lane_of (self, track);

  return ams_session_track_is_key (track, held) &&
      (!ams_lane_is_open (lane->files) ||
          held->unit.pts > ams_cutter_get_segment_start (self->cutter));
}

static void
complain_without_key (AmsSession *self, AmsSessionTrack *track,
    const AmsHeld *held)
{
  AmsAction *action;

  if (track->complained || track->any_recovery ||
      held->unit.pts - track->first_seen <= KEY_PATIENCE)
    return;
  track->complained = TRUE;
  action = ams_session_put (self, AMS_ACTION_NO_KEYFRAME);
  action->track = track->id;
  action->time = KEY_PATIENCE;
}

/* Pictures in front of the first keyframe cannot be decoded. TRUE: @held is one, and
 * was dropped. */
static gboolean
drop_before_key (AmsSession *self, AmsSessionTrack *track, AmsHeld *held)
{
  if (!track->video || track->phase != AMS_TRACK_WAITS ||
      !g_queue_is_empty (&track->held) || may_begin_with (self, track, held))
    return FALSE;
  complain_without_key (self, track, held);
  if (track->dropped++ == 0)
    ams_session_request_keyframe_of (self, track);
  track->dropped_form = g_steal_pointer (&held->track);
  ams_held_free (held);
  return TRUE;
}

static gint64
get_first_seen (const AmsHeld *held)
{
  if (held->seen == AMS_TIME_NONE || held->seen > held->running_time)
    return held->unit.pts;
  return held->unit.pts - (held->running_time - held->seen);
}

/* What a unit is that was dropped holds for the next one. */
static void
inherit_form (AmsSessionTrack *track, AmsHeld *held)
{
  g_autoptr (AmsTrack) form = g_steal_pointer (&track->dropped_form);

  if (!held->track)
    held->track = g_steal_pointer (&form);
}

void
ams_session_hold (AmsSession *self, AmsSessionTrack *track, AmsHeld *held)
{
  inherit_form (track, held);
  if (track->first_seen == AMS_TIME_NONE)
    track->first_seen = get_first_seen (held);
  note_key (self, track, held);
  if (drop_before_key (self, track, held))
    return;
  ams_session_track_push (track, held);
}

/* ---- the start ---- */

/* Why the recording may start: all that will come are there, or the others have
 * waited long enough. NULL: not yet. */
static const gchar *
find_reason_to_start (AmsSession *self)
{
  gint64 patience = self->settings.stall_timeout, span = 0;
  gboolean all = TRUE, any = FALSE;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (!g_queue_is_empty (&track->held))
      any = TRUE;
    else if (!track->ended)
      all = FALSE;
    span = MAX (span, ams_session_track_get_span (track));
  }
  if (!any)
    return NULL;
  if (all)
    return "all tracks are there";
  if (self->finished)
    return "nothing more will come";
  return span > patience && self->now - self->hold_since > patience
      ? "a track has not come within the stall timeout"
      : NULL;
}

static gint64
get_first_pts (AmsSessionTrack *track)
{
  return ((AmsHeld *) g_queue_peek_head (&track->held))->unit.pts;
}

/* (nullable): the video that begins first */
static AmsSessionTrack *
find_video (AmsSession *self)
{
  AmsSessionTrack *video = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->video && !g_queue_is_empty (&track->held) &&
        (!video || get_first_pts (track) < get_first_pts (video)))
      video = track;
  }
  return video;
}

/* The track whose unit comes first of all. */
static AmsSessionTrack *
find_earliest (AmsSession *self)
{
  AmsSessionTrack *earliest = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);
    const AmsHeld *first = g_queue_peek_head (&track->held);

    if (first && (!earliest || first->unit.pts < get_first_pts (earliest)))
      earliest = track;
  }
  return earliest;
}

/* Sound in front of the first keyframe belongs to no segment, unless the picture was
 * not even there yet. Returns: the track with whose unit the recording begins. */
static AmsSessionTrack *
find_beginning (AmsSession *self)
{
  AmsSessionTrack *earliest = find_earliest (self);
  AmsSessionTrack *video = find_video (self);

  if (!video || get_first_pts (earliest) < video->first_seen - MAX_LEAD_IN)
    return earliest;
  return video;
}

/* Sound that is there before the first segment ends is in its tables from the
 * beginning. */
static gint64
get_patience (AmsSession *self, const AmsSessionTrack *track)
{
  if (track->video)
    return MAX_LEAD_IN;
  return MAX (self->settings.target_duration, LEAST_PATIENCE) + AMS_SECOND / 2;
}

/* One that comes later joins when it is there. */
static void
let_begin (AmsSession *self, AmsSessionTrack *track)
{
  const AmsHeld *first = g_queue_peek_head (&track->held);

  if (!first)
    return;
  if (first->unit.pts <= self->start + get_patience (self, track)) {
    track->phase = AMS_TRACK_FLOWS;
    track->begin_at = self->start;
  } else {
    ams_session_tell (self,
        "%s begins %.3f s later than the recording, and joins it then",
        ams_session_track_name (track),
        AMS_SESSION_S (first->unit.pts - self->start));
  }
}

void
ams_session_try_start (AmsSession *self)
{
  const gchar *reason = find_reason_to_start (self);
  AmsSessionTrack *first;

  if (!reason)
    return;
  first = find_beginning (self);
  self->start = get_first_pts (first);
  for (guint i = 0; i < self->tracks->len; i++)
    let_begin (self, g_ptr_array_index (self->tracks, i));
  self->state = AMS_SESSION_STARTING;
  for (guint i = 0; i < self->lanes->len; i++)
    ams_session_set_lane_tracks (self, ams_session_get_lane (self, i), TRUE);
  if (self->state == AMS_SESSION_ENDED)
    return;
  ams_session_tell (self,
      "the recording is to start with %s at %.3f s, as %s; the stores are asked "
      "for an earlier one",
      ams_session_track_name (first), AMS_SESSION_S (self->start), reason);
  ams_session_make_cut (self, g_queue_peek_head (&first->held),
      &ams_session_put (self, AMS_ACTION_START)->cut);
}

/* ---- the lane's tracks ---- */

static void
refuse (AmsSession *self, const GError *error)
{
  ams_session_put (self, AMS_ACTION_REFUSED)->text = g_strdup (error->message);
  ams_session_fail (self);
}

void
ams_session_set_lane_tracks (AmsSession *self, AmsSessionLane *lane,
    gboolean joining)
{
  g_autoptr (GPtrArray) forms = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);
    const AmsTrack *form = ams_session_track_get_form (track);

    if (!ams_session_track_is_of (track, lane->index) ||
        track->phase != AMS_TRACK_FLOWS || !form ||
        (!joining && !ams_session_is_recorded (lane, track)))
      continue;
    g_ptr_array_add (forms, (gpointer) form);
  }
  lane->forms_changed = FALSE;
  /* Of which the lane forgets the mark. */
  if (ams_session_is_led (self, lane))
    ams_cutter_drop_candidate (self->cutter);
  if (joining)
    lane->tracks_changed = FALSE;
  if (forms->len > 0 && !ams_lane_set_tracks (lane->files, forms, &error))
    refuse (self, error);
}

/* ---- joining later ---- */

/* (nullable): the video whose keyframes are cut at */
static AmsSessionTrack *
find_flowing_video (AmsSession *self)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->video && track->phase == AMS_TRACK_FLOWS && !track->silent &&
        !ams_session_is_in_hole (self, track))
      return track;
  }
  return NULL;
}

static void
begin_to_join (AmsSession *self, AmsSessionTrack *track, gboolean waits)
{
  if (track->joining)
    return;
  track->joining = TRUE;
  track->join_since = self->end;
  self->discontinuity = TRUE;
  ams_cutter_force (self->cutter);
  if (waits)
    ams_session_request_keyframe (self, TRUE);
  ams_session_tell (self, "%s, which begins at %.3f s, joins %s",
      ams_session_track_name (track),
      AMS_SESSION_S (((AmsHeld *) g_queue_peek_head (&track->held))->unit.pts),
      waits ? "at the next keyframe, which is asked for" : "at once");
}

/* The keyframe that was asked for does not come. */
static gboolean
has_waited_too_long (AmsSession *self, AmsSessionTrack *track)
{
  return track->join_since != AMS_TIME_NONE &&
      self->end - track->join_since >
      self->settings.target_duration + AMS_SECOND / 2;
}

/* Nothing of the tracks that flow will come before this. */
static gint64
get_frontier (AmsSession *self)
{
  gint64 frontier = G_MAXINT64;

  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);
    const AmsHeld *next = g_queue_peek_head ((GQueue *) &track->held);

    if (track->phase == AMS_TRACK_FLOWS && !track->silent)
      frontier = MIN (frontier, next ? next->unit.dts : track->position);
  }
  return frontier;
}

/* The recording has come to where the track begins, or comes no further. */
static gboolean
is_reached (AmsSession *self, AmsSessionTrack *track)
{
  const AmsHeld *first = g_queue_peek_head (&track->held);

  return first &&
      (first->unit.dts <= self->end || first->unit.dts <= get_frontier (self));
}

static void
let_flow (AmsSession *self, AmsSessionTrack *track)
{
  track->phase = AMS_TRACK_FLOWS;
  for (guint i = 0; i < self->lanes->len; i++)
    if (ams_session_track_is_of (track, i))
      ams_session_get_lane (self, i)->tracks_changed = TRUE;
}

/* It changes nothing for what is there. */
static gboolean
is_of_new_lane (AmsSession *self, const AmsSessionTrack *track)
{
  return track->lane != AMS_SESSION_ALL_LANES && self->lead &&
      !ams_session_get_lane (self, track->lane)->any;
}

/* Sound of a lane whose picture is to come, that the two may begin together. */
static gboolean
waits_for_picture (AmsSession *self, AmsSessionTrack *track)
{
  gboolean comes = FALSE;

  for (guint i = 0; i < self->tracks->len && !track->video; i++) {
    const AmsSessionTrack *other = g_ptr_array_index (self->tracks, i);

    comes |= other->video && other->lane == track->lane && !other->ended &&
        other->phase == AMS_TRACK_WAITS;
  }
  return comes &&
      ams_session_track_get_span (track) < self->settings.stall_timeout;
}

void
ams_session_look_after_joining (AmsSession *self)
{
  AmsSessionTrack *video = find_flowing_video (self);

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);
    gboolean waits = video && !track->video;

    if (track->phase != AMS_TRACK_WAITS || !is_reached (self, track))
      continue;
    if (is_of_new_lane (self, track)) {
      if (!waits_for_picture (self, track))
        let_flow (self, track);
      continue;
    }
    begin_to_join (self, track, waits);
    if (!waits) {
      let_flow (self, track);
    } else if (has_waited_too_long (self, track)) {
      self->join_now = TRUE;
    }
  }
}

void
ams_session_join (AmsSession *self, AmsSessionTrack *leader,
    const AmsHeld *held)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->phase == AMS_TRACK_WAITS && track->joining && track != leader) {
      track->begin_at = held->unit.pts;
      let_flow (self, track);
    }
    track->joining &= track->phase == AMS_TRACK_WAITS;
  }
  self->join_now = FALSE;
}
