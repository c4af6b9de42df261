/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session/amssessionprivate.h"

/* Sound behind the end of the video, up to so much, belongs to the last segment. */
#define AUDIO_TAIL (AMS_SECOND / 10)

/* Pictures of a shared screen may be so far apart; a longer time in which nothing
 * came at all was an outage. */
#define LONGEST_PAUSE (10 * AMS_SECOND)

/* ---- dates ---- */

/* Ties the time line to the wall clock: a unit of running time R was captured when
 * the pipeline's clock showed base time + R. */
static void
set_date_base (AmsSession *self, const AmsHeld *held)
{
  self->date_base = held->clock_offset + held->running_time - held->unit.pts;
  self->has_date_base = TRUE;
}

gint64
ams_session_date_of (AmsSession *self, const AmsHeld *held)
{
  if (!self->has_date_base || self->settings.date_reference == AMS_DATE_SYSTEM)
    set_date_base (self, held);
  if (held->date_time && self->settings.date_reference == AMS_DATE_REFERENCE)
    return held->date_time;
  return (self->date_base + held->unit.pts) / 1000;
}

/* ---- cuts ---- */

void
ams_session_make_cut (AmsSession *self, const AmsHeld *held, AmsCut *cut)
{
  cut->index = self->n_cuts;
  cut->pts = held->unit.pts;
  cut->date_time = ams_session_date_of (self, held);
  cut->running_time = held->running_time;
  cut->discontinuity = self->discontinuity;
}

/* (nullable) The video of a lane whose encoder is asked. */
static AmsSessionTrack *
find_video_to_ask (AmsSession *self, guint lane)
{
  if (self->lead && self->lead->video && !self->lead->ended &&
      self->lead->lane == lane)
    return self->lead;
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->video && !track->ended && track->lane == lane)
      return track;
  }
  return NULL;
}

static AmsAction *
put_request (AmsSession *self, const AmsSessionTrack *video)
{
  AmsAction *action = ams_session_put (self, AMS_ACTION_REQUEST_KEYFRAME);

  action->track = video->id;
  action->time = AMS_TIME_NONE;
  return action;
}

void
ams_session_request_keyframe_of (AmsSession *self, const AmsSessionTrack *track)
{
  put_request (self, track);
}

static gint64
get_time_of_request (AmsSession *self, const AmsSessionTrack *video)
{
  return MAX (ams_cutter_get_due (self->cutter) -
          ams_time_map_get_offset (self->map, video->line),
      0);
}

void
ams_session_request_keyframe (AmsSession *self, gboolean now)
{
  if (!now && (!self->lead->video || !self->settings.request_keyframes))
    return;
  for (guint i = 0; i < self->lanes->len; i++) {
    const AmsSessionTrack *video = find_video_to_ask (self, i);
    AmsAction *action = video ? put_request (self, video) : NULL;

    if (action && !now)
      action->time = get_time_of_request (self, video);
  }
}

/* Behind a time without media, what is from before it comes too late: the segment
 * that it belongs to has ended. */
static void
refuse_rests (AmsSession *self, const AmsSessionTrack *track,
    const AmsHeld *held)
{
  gint64 threshold = self->settings.discontinuity_threshold;

  if (held->unit.dts - self->end <= threshold)
    return;
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *other = g_ptr_array_index (self->tracks, i);

    if (other != track && other->begun)
      other->rest_until = held->unit.pts - threshold;
  }
}

static void
begin_segment (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held,
    const gchar *why)
{
  gint64 end = held->unit.pts;
  AmsCut cut;

  ams_session_join (self, track, held);
  if (self->discontinuity)
    end = MIN (self->lead_end, end);
  ams_session_make_cut (self, held, &cut);
  if (self->n_cuts == 0)
    cut.discontinuity = FALSE;
  if (cut.discontinuity)
    refuse_rests (self, track, held);
  ams_session_tell (self, "a segment begins with %s at %.3f s, %s%s",
      ams_session_track_name (track), AMS_SESSION_S (cut.pts), why,
      cut.discontinuity ? ", after EXT-X-DISCONTINUITY" : "");
  self->lead = track;
  ams_session_push_cut (self, &cut, end);
  ams_session_begin_led (self, held, end);
  self->discontinuity = FALSE;
  self->lead_end = held->end;
  ams_session_request_keyframe (self, FALSE);
}

static void
first_segment (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  if (self->settings.align_to_clock)
    ams_cutter_set_alignment (self->cutter,
        ams_session_date_of (self, held) * 1000 - held->unit.pts);
  ams_cutter_change_track (self->cutter, held->unit.pts, !track->video);
  ams_cutter_start (self->cutter, held->unit.pts);
  begin_segment (self, track, held, "as the first");
}

static void
cut_at_candidate (AmsSession *self)
{
  ams_session_tell (self,
      "a segment begins at the candidate at %.3f s after the fact, as no keyframe "
      "has come in time",
      AMS_SESSION_S (self->candidate.pts));
  self->candidate.index = self->n_cuts;
  ams_session_push_cut (self, &self->candidate, self->candidate.pts);
  ams_session_request_keyframe (self, FALSE);
}

static void
note_candidate (AmsSession *self, AmsSessionLane *lane, const AmsHeld *held)
{
  ams_session_make_cut (self, held, &self->candidate);
  ams_session_mark (self, lane, held);
  ams_session_tell (self,
      "the keyframe at %.3f s is a candidate: the segment, which is due to end at "
      "%.3f s, may have to end here",
      AMS_SESSION_S (held->unit.pts),
      AMS_SESSION_S (ams_cutter_get_due (self->cutter)));
}

static gboolean
anything_joins (AmsSession *self)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->tracks->len; i++)
    any |= ((AmsSessionTrack *) g_ptr_array_index (self->tracks, i))->joining;
  return any;
}

/* @due: where the segment that ends with @held was to end. */
static const gchar *
find_reason_to_cut (AmsSession *self, const AmsHeld *held, gint64 due,
    gboolean forced)
{
  if (anything_joins (self))
    return "as a track joins";
  if (self->discontinuity)
    return "as it does not continue the one before";
  if (forced)
    return "as was asked for";
  return self->lead->video && held->unit.pts < due
      ? "early, as the next keyframe would come too late"
      : "where one is due";
}

static void
cut_at_key (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  gboolean forced = ams_cutter_is_forced (self->cutter);
  gint64 due = ams_cutter_get_due (self->cutter);
  AmsCutDecision decision = ams_cutter_keyframe (self->cutter, held->unit.pts);
  AmsSessionLane *lane = ams_session_get_lane_of (self, track);

  if (decision.at_candidate)
    cut_at_candidate (self);
  if (decision.here == AMS_CUT_HERE)
    begin_segment (self, track, held,
        find_reason_to_cut (self, held, due, forced));
  else if (decision.here == AMS_CUT_CANDIDATE && ams_lane_is_open (lane->files))
    note_candidate (self, lane, held);
}

/* ---- who leads ---- */

gboolean
ams_session_is_in_hole (AmsSession *self, AmsSessionTrack *track)
{
  const AmsHeld *next = g_queue_peek_head (&track->held);

  if (next)
    return next->hole > 0;
  return track->begun &&
      track->position - track->shown > self->settings.discontinuity_threshold;
}

/* Of a lane that has no file a video leads only from a keyframe on. */
static gboolean
may_lead (AmsSession *self, AmsSessionTrack *track, const AmsHeld *next)
{
  return track->phase == AMS_TRACK_FLOWS && !track->silent &&
      !track->lacks_key &&
      (next || (track->begun && !ams_session_is_in_hole (self, track))) &&
      (!track->video ||
          ams_lane_is_open (ams_session_get_lane (self, track->lane)->files) ||
          (next && ams_session_track_is_key (track, next)));
}

/* The first lane's video; and what all lanes have rather than one's own sound. */
static gboolean
leads_rather (const AmsSessionTrack *track, const AmsSessionTrack *other)
{
  if (track->video)
    return !other->video || track->lane <= other->lane;
  return !other->video && track->lane == AMS_SESSION_ALL_LANES &&
      other->lane != AMS_SESSION_ALL_LANES;
}

/* The track whose units segments begin with: a video, while there is any. @now:
 * whose unit @held is. */
static AmsSessionTrack *
find_lead (AmsSession *self, const AmsSessionTrack *now, const AmsHeld *held)
{
  AmsSessionTrack *lead = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (may_lead (self, track, track == now ? held : NULL) &&
        (!lead || leads_rather (track, lead)))
      lead = track;
  }
  return lead;
}

/* A short rest of sound is no segment of its own, unless it would break the
 * promise. */
static gboolean
is_behind_video (AmsSession *self, const AmsSessionTrack *track,
    const AmsHeld *held)
{
  const AmsSessionTrack *lead = self->lead;

  return lead && lead != track && lead->video && !track->video &&
      held->unit.pts < lead->shown + AUDIO_TAIL &&
      (!ams_cutter_breaks_promise (self->cutter, held->end) ||
          ams_cutter_breaks_promise (self->cutter, lead->shown));
}

static void
unmark_led (AmsSession *self)
{
  for (guint i = 0; i < self->lanes->len; i++) {
    AmsSessionLane *lane = ams_session_get_lane (self, i);

    if (ams_session_is_led (self, lane))
      ams_lane_unmark (lane->files);
  }
}

/* The video has fallen silent or ended, or is back. */
static void
change_lead (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  ams_session_tell (self, "segments begin with %s from %.3f s on",
      ams_session_track_name (track), AMS_SESSION_S (held->unit.pts));
  ams_cutter_change_track (self->cutter, held->unit.pts, !track->video);
  unmark_led (self);
  self->lead = track;
  unmark_led (self);
  /* Pictures behind a stall may lack what they refer to. */
  if (!ams_session_track_is_key (track, held))
    ams_session_request_keyframe (self, TRUE);
}

/* ---- holes ---- */

/* Nothing came on any track for so long that what comes now begins anew. A pause
 * between two pictures is none, as long as the promise of the target duration
 * does not depend on it. */
static gboolean
ends_outage (AmsSession *self, const AmsSessionTrack *track,
    const AmsHeld *held)
{
  gint64 hole;

  if (self->end == AMS_TIME_NONE || (held->hole == 0 && !track->resumes))
    return FALSE;
  hole = held->unit.dts - self->end;
  if (hole <= self->settings.discontinuity_threshold)
    return FALSE;
  return held->discont || track->resumes || hole > LONGEST_PAUSE ||
      (ams_session_track_is_key (track, held) &&
          ams_cutter_breaks_promise (self->cutter, held->unit.pts));
}

/* As at the start, what comes before the first unit of the new segment belongs to
 * none. */
static void
begin_others_at (AmsSession *self, const AmsSessionTrack *track, gint64 pts)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *other = g_ptr_array_index (self->tracks, i);

    if (other != track && other->phase == AMS_TRACK_FLOWS && !other->video)
      other->begin_at = pts;
  }
}

static void
cut_here (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held,
    const gchar *why)
{
  if (self->lead != track)
    change_lead (self, track, held);
  ams_cutter_cut (self->cutter, held->unit.pts);
  begin_segment (self, track, held, why);
}

static gboolean
may_cut (AmsSession *self, const AmsHeld *held)
{
  return held->unit.pts > ams_cutter_get_segment_start (self->cutter);
}

/* ---- units ---- */

/* The picture, where there was none on any lane. */
static gboolean
is_back (AmsSession *self, const AmsSessionTrack *track)
{
  const AmsSessionTrack *lead = self->lead;

  return lead != track && track->video &&
      (!lead->video || lead->lane == track->lane);
}

static void
lead_segment (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  gboolean key = ams_session_track_is_key (track, held);
  gboolean returns = key && is_back (self, track);

  if (self->lead != track)
    change_lead (self, track, held);
  /* A hole that another track covers is none of the recording's. */
  if (held->jump && held->hole == 0)
    self->discontinuity = TRUE;
  if (self->discontinuity || held->split)
    ams_cutter_force (self->cutter);
  if (returns && may_cut (self, held))
    cut_here (self, track, held, "as the video is back");
  else if (self->join_now && may_cut (self, held))
    cut_here (self, track, held, "for a track that has waited long enough");
  else if (key)
    cut_at_key (self, track, held);
  else if (ams_cutter_frame (self->cutter, held->end))
    cut_at_candidate (self);
}

static void
decide (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  if (!self->lead) {
    first_segment (self, track, held);
  } else if (ends_outage (self, track, held) && may_cut (self, held)) {
    self->discontinuity = TRUE;
    cut_here (self, track, held, "after a time without media");
    if (track->video)
      begin_others_at (self, track, held->unit.pts);
  } else if (find_lead (self, track, held) == track &&
      !is_behind_video (self, track, held)) {
    lead_segment (self, track, held);
  }
  if (self->lead == track)
    self->lead_end = MAX (self->lead_end, held->end);
}

static void
change_form (AmsSession *self, AmsSessionLane *lane,
    const AmsSessionTrack *track, const AmsHeld *held)
{
  if (!lane->any || !ams_session_is_recorded (lane, track))
    return;
  if (held->over) {
    self->discontinuity = TRUE;
    ams_cutter_force (self->cutter);
    lane->waits = !ams_lane_is_open (lane->files);
  }
  lane->forms_changed = TRUE;
}

/* Its units are of another form from here on. */
static void
take_form (AmsSession *self, AmsSessionTrack *track, AmsHeld *held)
{
  gboolean first = track->packaged == NULL;

  if (!held->track)
    return;
  g_clear_pointer (&track->packaged, ams_track_free);
  track->packaged = g_steal_pointer (&held->track);
  for (guint i = 0; !first && i < self->lanes->len; i++)
    if (ams_session_track_is_of (track, i))
      change_form (self, ams_session_get_lane (self, i), track, held);
}

static void
say_damaged (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held,
    const GError *error)
{
  AmsAction *action;

  ams_session_tell (self, "the unit of %s at %.3f s is left out: %s",
      ams_session_track_name (track), AMS_SESSION_S (held->unit.pts),
      error->message);
  if (track->damaged)
    return;
  track->damaged = TRUE;
  action = ams_session_put (self, AMS_ACTION_DAMAGED);
  action->track = track->id;
  action->text = g_strdup (error->message);
}

/* A segment cannot begin with a keyframe that was left out. */
static void
leave_out (AmsSession *self, AmsSessionLane *lane, AmsSessionTrack *track,
    const AmsHeld *held, const GError *error)
{
  if (ams_lane_is_at_mark (lane->files)) {
    ams_lane_unmark (lane->files);
    if (ams_session_is_led (self, lane))
      ams_cutter_drop_candidate (self->cutter);
  }
  say_damaged (self, track, held, error);
}

static void
record_in_lane (AmsSession *self, AmsSessionLane *lane, AmsSessionTrack *track,
    const AmsHeld *held)
{
  g_autoptr (GError) error = NULL;

  if (ams_lane_add (lane->files, &held->unit, self->now, &error))
    ams_session_note_video (self, lane, track, held);
  else
    leave_out (self, lane, track, held, error);
}

static void
note_recorded (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  track->begun = TRUE;
  track->shown = MAX (track->shown, held->end);
  self->end = MAX (self->end, held->end);
}

/* What goes on from before a time without media that another track has behind it. */
static gboolean
is_rest (AmsSessionTrack *track, const AmsHeld *held)
{
  if (track->rest_until == AMS_TIME_NONE)
    return FALSE;
  if (!held->jump && held->hole == 0 && held->unit.pts < track->rest_until)
    return TRUE;
  track->rest_until = AMS_TIME_NONE;
  return FALSE;
}

/* What came before the segment at which its track joined, or before the first
 * picture. */
static gboolean
comes_too_early (AmsSessionTrack *track, const AmsHeld *held)
{
  if (is_rest (track, held))
    return TRUE;
  if (track->begin_at == AMS_TIME_NONE)
    return FALSE;
  if (held->unit.pts < track->begin_at)
    return TRUE;
  track->begin_at = AMS_TIME_NONE;
  return FALSE;
}

/* Behind a hole in which the source says that something is missing, a picture that is
 * no keyframe refers to what never came. TRUE: @held is such a one. */
static gboolean
lacks_reference (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  gboolean outage = held->hole > 0 && held->discont;

  if (!track->video || !track->begun)
    return FALSE;
  if (ams_session_track_is_key (track, held)) {
    track->resumes |= track->lacks_key;
    track->lacks_key = FALSE;
  } else if (outage && !track->lacks_key) {
    track->lacks_key = TRUE;
    ams_session_tell (self,
        "video is back at %.3f s without a keyframe, which is asked for: what "
        "comes before it is dropped",
        AMS_SESSION_S (held->unit.pts));
    ams_session_request_keyframe (self, TRUE);
  }
  track->dropped += track->lacks_key;
  return track->lacks_key;
}

static void
note_early (AmsSession *self, AmsSessionTrack *track)
{
  track->n_early++;
  self->left_out++;
}

static void
tell_early (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  if (track->n_early > 0)
    ams_session_tell (self,
        "%s is recorded from %.3f s on: %u units from before are left out",
        ams_session_track_name (track), AMS_SESSION_S (held->unit.pts),
        track->n_early);
  track->n_early = 0;
}

static void
record_or_leave_out (AmsSession *self, AmsSessionTrack *track,
    const AmsHeld *held)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->lanes->len; i++) {
    AmsSessionLane *lane = ams_session_get_lane (self, i);

    if (!ams_session_track_is_of (track, i))
      continue;
    ams_session_follow (self, lane, track, held);
    if (!ams_lane_is_open (lane->files) ||
        !ams_session_is_recorded (lane, track)) {
      lane->left_out++;
      continue;
    }
    tell_early (self, track, held);
    record_in_lane (self, lane, track, held);
    any = TRUE;
  }
  if (any)
    note_recorded (self, track, held);
  else
    note_early (self, track);
}

static void
leave_out_of_all (AmsSession *self, AmsSessionTrack *track)
{
  note_early (self, track);
  for (guint i = 0; i < self->lanes->len; i++)
    if (ams_session_track_is_of (track, i))
      ams_session_get_lane (self, i)->left_out++;
}

static void
process (AmsSession *self, AmsSessionTrack *track, const AmsHeld *held)
{
  if (track->silent)
    ams_session_tell (self, "%s is back at %.3f s",
        ams_session_track_name (track), AMS_SESSION_S (held->unit.pts));
  track->silent = FALSE;
  decide (self, track, held);
  track->resumes = FALSE;
  record_or_leave_out (self, track, held);
}

static void
set_changed_forms (AmsSession *self)
{
  for (guint i = 0; i < self->lanes->len; i++) {
    AmsSessionLane *lane = ams_session_get_lane (self, i);

    if (lane->forms_changed)
      ams_session_set_lane_tracks (self, lane, FALSE);
  }
}

/* Takes @held. */
void
ams_session_process (AmsSession *self, AmsSessionTrack *track, AmsHeld *held)
{
  take_form (self, track, held);
  if (comes_too_early (track, held)) {
    leave_out_of_all (self, track);
  } else if (!lacks_reference (self, track, held)) {
    /* First, as no mark outlives it; and it may end the session. */
    set_changed_forms (self);
    if (self->state == AMS_SESSION_RUNNING)
      process (self, track, held);
  }
  ams_held_free (held);
}
