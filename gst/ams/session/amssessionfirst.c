/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a track begins is said by its first unit alone, so a wrong time of that
 * one would move all that follow. It waits for the next ones to agree with it. */

#include "session/amssessionprivate.h"

#define MAX_FIRST 4 /* units that wait for others to agree with */

static gint64
get_time (const AmsHeld *held)
{
  if (held->reorder == AMS_TIME_NONE || held->running_time == AMS_TIME_NONE)
    return held->running_time;
  return held->running_time - held->reorder;
}

static void
place (AmsSession *self, AmsSessionTrack *track, AmsHeld *held)
{
  AmsTimeMapInput input = { 0 };

  input.time = get_time (held);
  input.duration = held->unit.duration;
  input.arrival = held->arrival;
  input.reorders = track->video && held->reorder == AMS_TIME_NONE;
  input.discont = held->discont;
  input.unit = held;
  ams_time_map_add (self->map, &input, track->line);
}

/* Whether @next may be one of the units after @held. */
static gboolean
agree (AmsSession *self, const AmsHeld *held, const AmsHeld *next)
{
  gint64 step;

  if (get_time (held) == AMS_TIME_NONE || get_time (next) == AMS_TIME_NONE)
    return FALSE;
  step = get_time (next) - get_time (held);
  return step <=
      self->settings.discontinuity_threshold + AMS_SESSION_LONGEST_STEP &&
      (step > 0 ||
          (held->reorder == AMS_TIME_NONE && step >= -AMS_TIME_MAP_REORDERING));
}

/* Which of the others the last one agrees with; -1: none. */
static gint
find_agreeing (AmsSession *self, const AmsSessionTrack *track)
{
  const GList *last = track->first.tail;
  gint at = track->first.length - 2;

  for (const GList *l = last->prev; l; l = l->prev, at--)
    if (agree (self, l->data, last->data))
      return at;
  return -1;
}

/* Whether another track begins nearer to @b than to @a. */
static gboolean
others_begin_at (AmsSession *self, const AmsSessionTrack *track, gint64 a,
    gint64 b)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    const AmsSessionTrack *other = g_ptr_array_index (self->tracks, i);

    if (other != track && other->first_time != AMS_TIME_NONE &&
        ABS (other->first_time - b) < ABS (other->first_time - a))
      return TRUE;
  }
  return FALSE;
}

/* A step back cannot be; one forward is a pause, unless the others say
 * otherwise. */
static gboolean
is_wrong (AmsSession *self, const AmsSessionTrack *track, guint at)
{
  gint64 first = get_time (g_queue_peek_head ((GQueue *) &track->first));
  gint64 right = get_time (g_queue_peek_nth ((GQueue *) &track->first, at));

  return first != AMS_TIME_NONE &&
      (right < first || others_begin_at (self, track, first, right));
}

/* Those before the @at-th get a time from it. */
static void
mend (AmsSession *self, AmsSessionTrack *track, guint at)
{
  const AmsHeld *right = g_queue_peek_nth (&track->first, at);
  GList *l = track->first.head;

  for (guint i = 0; i < at; i++, l = l->next) {
    AmsHeld *held = l->data;
    gint64 step = held->unit.duration;

    if (step <= 0 || step > AMS_SESSION_LONGEST_STEP)
      step = AMS_SESSION_USUAL_STEP;
    held->running_time = right->running_time - (at - i) * step;
    ams_session_tell (self,
        "a first unit of %s is not believed: the next ones begin at %.3f s",
        ams_session_track_name (track), AMS_SESSION_S (right->running_time));
  }
}

void
ams_session_settle_first (AmsSession *self, AmsSessionTrack *track)
{
  AmsHeld *held;

  if (g_queue_is_empty (&track->first))
    return;
  track->settled = TRUE;
  track->first_time = get_time (g_queue_peek_head (&track->first));
  while ((held = g_queue_pop_head (&track->first)))
    place (self, track, held);
}

void
ams_session_place (AmsSession *self, AmsSessionTrack *track, AmsHeld *held)
{
  gint at;

  if (track->settled) {
    place (self, track, held);
    return;
  }
  g_queue_push_tail (&track->first, held);
  at = find_agreeing (self, track);
  if (at > 0 && is_wrong (self, track, at))
    mend (self, track, at);
  if (at >= 0 || track->first.length == MAX_FIRST ||
      get_time (held) == AMS_TIME_NONE)
    ams_session_settle_first (self, track);
}

void
ams_session_settle_first_in_time (AmsSession *self)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    AmsSessionTrack *track = g_ptr_array_index (self->tracks, i);
    const AmsHeld *first = g_queue_peek_head (&track->first);

    if (first && self->now - first->arrival >= AMS_TIME_MAP_DOUBT)
      ams_session_settle_first (self, track);
  }
}
