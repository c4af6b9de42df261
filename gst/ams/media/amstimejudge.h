/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the time of a unit is taken to mean. Nothing is changed here: the time
 * map follows the verdict. For amstimemap.c alone. */

#pragma once

#include "media/amstimetrack.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean believed;
  gint64 offset;
  gint64 hole;
  gboolean moved; /* it does not continue what was before */
  gboolean returned; /* to the times before the last jump */
  gboolean late; /* what is before it was too far ahead */
  const gchar *reason;
} AmsTimeVerdict;

/* The first unit with a time of a track. */
AmsTimeVerdict ams_time_judge_first (const AmsTimeTracks *self,
    const AmsTimeTrack *track, const AmsTimeMapInput *in);

/* @n: which unit @in is after the last one that was believed. Returns: a
 * verdict that is not believed where the next unit should be waited for. */
AmsTimeVerdict ams_time_judge (const AmsTimeTracks *self,
    const AmsTimeTrack *track, const AmsTimeMapInput *in, guint n);

/* The next unit confirms this one, or none will tell. Returns: a verdict that
 * is believed. */
AmsTimeVerdict ams_time_judge_finally (const AmsTimeTracks *self,
    const AmsTimeTrack *track, const AmsTimeMapInput *in);

/* Whether other tracks have come to where @in, a step forward, says to be. */
gboolean ams_time_judge_is_reached (const AmsTimeTracks *self,
    const AmsTimeTrack *track, const AmsTimeMapInput *in);

/* Whether a step forward to the last unit of a track is a hole: confirmed, or
 * one of several such. */
gboolean ams_time_judge_is_hole_at_end (const AmsTimeTracks *self,
    const AmsTimeTrack *track, const AmsTimeMapInput *in);

G_END_DECLS
