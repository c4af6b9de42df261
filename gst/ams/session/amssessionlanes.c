/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The files of all lanes. One track leads: where segments begin is decided by its
 * units alone (amssessioncut.c), and its lanes begin theirs with it. The others
 * follow: a file for each of these cuts, which begins with their own keyframe of
 * that time. Until that has come the cut is pending in the lane; it may have come
 * long ago, where the lead cuts after the fact: so each keyframe is marked.
 *
 * A lane without any keyframe there begins at its next one; without any before the
 * next cut, at the first picture behind the cut, after the fact. One in which nothing
 * comes has no file for that cut, but a gap. */

#include "session/amssessionprivate.h"

/* As in the cutter. */
#define ROUNDING_SLACK (AMS_SECOND / 2)
#define SHORTEST 1 /* ns: of a file or a gap */
#define MARK_SPACING (AMS_SECOND / 4)

gboolean
ams_session_is_led (AmsSession *self, const AmsSessionLane *lane)
{
  return self->lead && ams_session_track_is_of (self->lead, lane->index);
}

gboolean
ams_session_is_recorded (const AmsSessionLane *lane,
    const AmsSessionTrack *track)
{
  return ams_session_track_is_of (track, lane->index) &&
      ams_lane_has_track (lane->files, track->number);
}

static gboolean
is_open (const AmsSessionLane *lane)
{
  return ams_lane_is_open (lane->files);
}

/* The open file may end with @held. */
static gboolean
may_end_at (const AmsSessionLane *lane, const AmsHeld *held)
{
  return held->unit.pts >= lane->start + SHORTEST;
}

static gboolean
is_too_long (AmsSession *self, gint64 from, gint64 to)
{
  return to - from >= self->settings.target_duration + ROUNDING_SLACK;
}

/* ---- whose units a lane's files begin with ---- */

static gboolean
is_live (AmsSession *self, AmsSessionTrack *track)
{
  return track->phase == AMS_TRACK_FLOWS && track->begun && !track->silent &&
      !track->lacks_key && !ams_session_is_in_hole (self, track);
}

/* Sound that other lanes have, too, is none to go on for. */
static gboolean
may_be_reference (AmsSession *self, const AmsSessionLane *lane,
    const AmsSessionTrack *track)
{
  return ams_session_is_recorded (lane, track) &&
      (track->lane == lane->index || track == self->lead);
}

/* (nullable): nothing comes. @now: of which there is a unit. */
static AmsSessionTrack *
find_reference (AmsSession *self, const AmsSessionLane *lane,
    const AmsSessionTrack *now)
{
  AmsSessionTrack *reference = NULL;

  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (may_be_reference (self, lane, track) &&
        (track == now || is_live (self, track)) && (!reference || track->video))
      reference = track;
  }
  return reference;
}

/* ---- files ---- */

static void
say_not_independent (AmsSession *self, AmsSessionLane *lane)
{
  if (!lane->independent)
    return;
  lane->independent = FALSE;
  ams_session_tell (self,
      "this segment's first picture is no IDR: EXT-X-INDEPENDENT-SEGMENTS does "
      "not hold any more");
  ams_session_put (self, AMS_ACTION_NOT_INDEPENDENT)->lane = lane->index;
}

void
ams_session_note_video (AmsSession *self, AmsSessionLane *lane,
    const AmsSessionTrack *track, const AmsHeld *held)
{
  gboolean key = (held->unit.flags & AMS_UNIT_KEY) != 0;

  if (!track->video)
    return;
  if (!lane->mark_has_video)
    lane->mark_is_key = key;
  lane->mark_has_video = TRUE;
  if (!lane->segment_has_video && !key)
    say_not_independent (self, lane);
  lane->segment_has_video = TRUE;
}

/* The dates of all lanes follow those of the cuts. */
static void
move_cut (AmsCut *cut, gint64 pts)
{
  cut->date_time += (pts - cut->pts) / 1000;
  cut->running_time += pts - cut->pts;
  cut->pts = pts;
}

static void
note_begun (AmsSessionLane *lane, gint64 pts)
{
  lane->any = TRUE;
  lane->start = pts;
  lane->pending = lane->asked = FALSE;
}

/* Until when the lane's open file is shown, by its own units. */
static gint64
get_shown (AmsSession *self, const AmsSessionLane *lane)
{
  gint64 shown = lane->start + SHORTEST;

  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);

    if (track->begun && ams_session_is_recorded (lane, track) &&
        track->video == lane->segment_has_video)
      shown = MAX (shown, track->shown);
  }
  return shown;
}

/* @cut: where the lane's file begins. @end: of the one before. */
static void
begin_file (AmsSession *self, AmsSessionLane *lane, const AmsCut *cut,
    gint64 end)
{
  if (lane->tracks_changed)
    ams_session_set_lane_tracks (self, lane, TRUE);
  /* The candidate's mark goes with the file. */
  if (ams_session_is_led (self, lane))
    ams_cutter_drop_candidate (self->cutter);
  ams_lane_cut (lane->files, cut, MAX (end, lane->start + SHORTEST));
  lane->segment_has_video = FALSE;
  note_begun (lane, cut->pts);
}

/* The pending cut is there. @end: if it does not continue the file before. */
static void
begin_next (AmsSession *self, AmsSessionLane *lane, const AmsHeld *held,
    gint64 end)
{
  AmsCut cut = lane->next;

  if (is_open (lane))
    move_cut (&cut, held->unit.pts);
  else if (lane->any && (!cut.discontinuity || lane->end > cut.pts))
    move_cut (&cut, lane->end);
  begin_file (self, lane, &cut,
      cut.discontinuity ? MIN (end, cut.pts) : cut.pts);
}

static void
begin_at_mark (AmsSession *self, AmsSessionLane *lane)
{
  move_cut (&lane->next, lane->mark_pts);
  ams_lane_cut_at_mark (lane->files, &lane->next);
  if (!ams_session_is_led (self, lane))
    ams_session_tell (self, "rendition %u follows at %.3f s, after the fact",
        lane->index, AMS_SESSION_S (lane->mark_pts));
  lane->segment_has_video = lane->mark_has_video;
  if (lane->mark_has_video && !lane->mark_is_key)
    say_not_independent (self, lane);
  note_begun (lane, lane->mark_pts);
}

static void
end_file (AmsSessionLane *lane, gint64 end)
{
  lane->end = MAX (end, lane->start + SHORTEST);
  ams_lane_finish (lane->files, lane->end);
}

/* Nothing has come behind the pending cut up to @end. */
static void
leave_gap (AmsSession *self, AmsSessionLane *lane, gint64 end)
{
  AmsAction *action;

  if (is_open (lane))
    end_file (lane,
        MAX (lane->next.pts, MIN (get_shown (self, lane), end - SHORTEST)));
  if (!lane->next.discontinuity || lane->end > lane->next.pts)
    move_cut (&lane->next, lane->end);
  lane->end = MAX (end, lane->next.pts + SHORTEST);
  lane->pending = FALSE;
  ams_session_tell (self,
      "rendition %u has nothing from %.3f s to %.3f s: a gap is listed",
      lane->index, AMS_SESSION_S (lane->next.pts), AMS_SESSION_S (lane->end));
  action = ams_session_put (self, AMS_ACTION_GAP);
  action->lane = lane->index;
  action->cut = lane->next;
  action->time = lane->end;
}

/* The next cut is there, or the end; @end: of what has been pending. */
static void
settle_pending (AmsSession *self, AmsSessionLane *lane, gint64 end)
{
  if (!lane->pending)
    return;
  if (ams_lane_is_marked (lane->files))
    begin_at_mark (self, lane);
  else if (lane->any)
    leave_gap (self, lane, end);
}

/* ---- marks ---- */

void
ams_session_mark (AmsSession *self, AmsSessionLane *lane, const AmsHeld *held)
{
  ams_lane_mark (lane->files);
  lane->mark_pts = held->unit.pts;
  lane->mark_is_late = FALSE;
  lane->mark_has_video = FALSE;
}

/* Of an intra-only stream not each, unless the lead has yet to come there. */
static gboolean
is_worth_a_mark (AmsSession *self, const AmsSessionLane *lane,
    const AmsHeld *held)
{
  return !ams_lane_is_marked (lane->files) || held->end > self->lead_end ||
      held->unit.pts - lane->mark_pts >= MARK_SPACING;
}

/* Sound is cut at behind the lead's candidate. */
static gboolean
is_sound_at_candidate (AmsSession *self, const AmsSessionLane *lane,
    const AmsHeld *held)
{
  gint64 candidate = ams_cutter_get_candidate (self->cutter);

  return candidate != AMS_TIME_NONE && held->unit.pts >= candidate &&
      !(ams_lane_is_marked (lane->files) && lane->mark_pts >= candidate);
}

static void
look_for_mark (AmsSession *self, AmsSessionLane *lane, AmsSessionTrack *track,
    const AmsHeld *held)
{
  if (ams_lane_is_marked (lane->files) &&
      is_too_long (self, lane->mark_pts, held->end))
    ams_lane_unmark (lane->files);
  if (!may_end_at (lane, held) || find_reference (self, lane, track) != track)
    return;
  if (track->video ? ams_session_track_is_key (track, held) &&
              is_worth_a_mark (self, lane, held)
                   : is_sound_at_candidate (self, lane, held))
    ams_session_mark (self, lane, held);
}

/* ---- a pending cut ---- */

static gint64
get_tolerance (const AmsSessionTrack *track, const AmsHeld *held)
{
  return track->video ? held->unit.duration / 2 : 0;
}

static gboolean
is_behind_cut (const AmsSessionLane *lane, const AmsSessionTrack *track,
    const AmsHeld *held)
{
  return held->unit.pts >= lane->next.pts - get_tolerance (track, held);
}

/* A lane without a file gets one. Sound of all lanes is no reason to. */
static gboolean
may_open (AmsSession *self, const AmsSessionLane *lane,
    const AmsSessionTrack *track, const AmsHeld *held)
{
  return !lane->waits && !(track->joining && lane->any) &&
      ams_session_track_is_key (track, held) &&
      (track->lane == lane->index || track == self->lead);
}

static void
ask_for_key (AmsSession *self, AmsSessionLane *lane,
    const AmsSessionTrack *track)
{
  if (!track->video || lane->asked)
    return;
  lane->asked = TRUE;
  ams_session_request_keyframe_of (self, track);
}

static void
tell_begun (AmsSession *self, const AmsSessionLane *lane,
    const AmsSessionTrack *track)
{
  ams_session_tell (self, "rendition %u follows with %s at %.3f s", lane->index,
      ams_session_track_name (track), AMS_SESSION_S (lane->start));
}

/* No keyframe is there. The one before the cut, if there is one, keeps the promise of
 * the target duration; else the first picture behind it is one to fall back to. */
static void
do_without_key (AmsSession *self, AmsSessionLane *lane, const AmsHeld *held)
{
  gint64 since = lane->mark_is_late ? lane->mark_pts : lane->start;

  if (!ams_lane_is_marked (lane->files)) {
    ams_session_mark (self, lane, held);
    lane->mark_is_late = TRUE;
  } else if (is_too_long (self, since, held->end)) {
    begin_at_mark (self, lane);
  }
}

static void
follow_reference (AmsSession *self, AmsSessionLane *lane,
    AmsSessionTrack *track, const AmsHeld *held)
{
  if (!may_end_at (lane, held) || !is_behind_cut (lane, track, held))
    return;
  if (ams_session_track_is_key (track, held)) {
    begin_next (self, lane, held, get_shown (self, lane));
    tell_begun (self, lane, track);
  } else {
    do_without_key (self, lane, held);
  }
}

void
ams_session_follow (AmsSession *self, AmsSessionLane *lane,
    AmsSessionTrack *track, const AmsHeld *held)
{
  if (!lane->pending) {
    if (is_open (lane) && !ams_session_is_led (self, lane))
      look_for_mark (self, lane, track, held);
  } else if (is_open (lane)) {
    if (find_reference (self, lane, track) == track)
      follow_reference (self, lane, track, held);
  } else if (may_open (self, lane, track, held)) {
    begin_next (self, lane, held, lane->end);
    tell_begun (self, lane, track);
  } else {
    ask_for_key (self, lane, track);
  }
}

/* ---- a cut ---- */

/* What is marked is the lane's place for the cut, or its first one behind it. */
static gboolean
is_marked_behind (const AmsSessionLane *lane)
{
  return ams_lane_is_marked (lane->files) && lane->mark_pts >= lane->next.pts;
}

static void
push_to_lane (AmsSession *self, AmsSessionLane *lane, const AmsCut *cut,
    gint64 end)
{
  settle_pending (self, lane, end);
  lane->pending = TRUE;
  lane->waits = FALSE;
  lane->next = *cut;
  if (!is_open (lane))
    return;
  if (is_marked_behind (lane))
    begin_at_mark (self, lane);
  else if (!ams_session_is_led (self, lane) &&
      !find_reference (self, lane, NULL))
    end_file (lane, end);
}

void
ams_session_push_cut (AmsSession *self, const AmsCut *cut, gint64 end)
{
  self->cut = *cut;
  self->n_cuts++;
  for (guint i = 0; i < self->lanes->len; i++)
    push_to_lane (self, ams_session_get_lane (self, i), cut, end);
}

void
ams_session_begin_led (AmsSession *self, const AmsHeld *held, gint64 end)
{
  for (guint i = 0; i < self->lanes->len; i++) {
    AmsSessionLane *lane = ams_session_get_lane (self, i);

    if (lane->pending && ams_session_is_led (self, lane) &&
        (!is_open (lane) || may_end_at (lane, held)))
      begin_next (self, lane, held, end);
  }
}

/* ---- the end ---- */

void
ams_session_finish_lanes (AmsSession *self, gint64 end)
{
  for (guint i = 0; i < self->lanes->len; i++) {
    AmsSessionLane *lane = ams_session_get_lane (self, i);

    settle_pending (self, lane, end);
    if (is_open (lane))
      end_file (lane,
          ams_session_is_led (self, lane) ? end : get_shown (self, lane));
  }
}
