/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Brings the running times of all tracks onto the recording's one time line,
 * which never goes back. Pure, no GStreamer, not thread-safe. Times are ns; a
 * time outside ±2^61 counts as missing, and no input overflows.
 *
 * - The distance to the next unit is learnt from the units that came. A
 *   duration that a source guesses never moves a time.
 * - A step forward of up to the threshold is left alone. A longer one is a
 *   hole, and kept, when another track is there already or the arrival clock
 *   agrees.
 * - Any other longer step, and any step back, is doubted: the unit is kept back
 *   until the next unit of its track shows whether one time was wrong or all
 *   times have changed, or other tracks come to where it says to be. It waits
 *   for at most AMS_TIME_MAP_DOUBT, and at most three units of a track do.
 * - Times that have changed are moved so that the track goes on where it was,
 *   or as much later as the clock says. Tracks that change together are moved
 *   by the same offset. Times that return to what they were get back their old
 *   offset.
 * - 2^33 ticks of 90 kHz back or forth are a wrap, and nothing happens.
 * - A track that begins beside others keeps its times if these lie where the
 *   others are, else it begins where the others are when it arrives. */

#pragma once

#include "media/amstimetypes.h"

G_BEGIN_DECLS

typedef struct _AmsTimeMap AmsTimeMap;

/* @threshold: ns; a longer step forward is looked into. */
AmsTimeMap *ams_time_map_new (gint64 threshold);

/* Units that were not handed back by then stay the caller's; call
 * ams_time_map_end_track() and ams_time_map_next() for them before. */
void ams_time_map_free (AmsTimeMap *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsTimeMap, ams_time_map_free)

/* Returns: the track's index. */
guint ams_time_map_add_track (AmsTimeMap *self);

void ams_time_map_add (AmsTimeMap *self, const AmsTimeMapInput *input,
    guint track);

/* The next unit that has its place; units of a track come in their order. To
 * be called until FALSE after each other call. */
gboolean ams_time_map_next (AmsTimeMap *self, AmsTimeMapPlaced *placed);

/* @now: on the clock of the arrivals. Units that have been doubted for long
 * enough get a place. */
void ams_time_map_tick (AmsTimeMap *self, gint64 now);

/* Returns: when ams_time_map_tick() wants to be called; AMS_TIME_NONE: there is
 * nothing to wait for. */
gint64 ams_time_map_get_deadline (AmsTimeMap *self);

/* No unit follows: those that are doubted get a place. Units may be added all
 * the same, after an EOS that was no end. */
void ams_time_map_end_track (AmsTimeMap *self, guint track);

/* What comes next on this track has nothing to do with what was before (a
 * flush). */
void ams_time_map_expect_jump (AmsTimeMap *self, guint track);

/* Returns: what is being added to this track's times now. */
gint64 ams_time_map_get_offset (AmsTimeMap *self, guint track);

G_END_DECLS
