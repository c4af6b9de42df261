/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A lane: tracks that go into the same files, and the packager that makes these.
 * A file can be ended late, at a place that was marked: the bytes after that are
 * then the beginning of the next file. Pure, no GStreamer, not
 * thread-safe. */

#pragma once

#include "media/amstrack.h"
#include "package/amspackager.h"
#include "session/amssessiontypes.h"

G_BEGIN_DECLS

typedef struct _AmsLane AmsLane;

/* @packager: (transfer full). @block_size: bytes that go out at once. @index:
 * AmsAction.lane of its actions. @out: (element-type AmsAction) where these are
 * put; must outlive it. */
AmsLane *ams_lane_new (AmsPackager *packager, gsize block_size, guint index,
    GQueue *out);
void ams_lane_free (AmsLane *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsLane, ams_lane_free)

/* To be added to the times of all units: an earlier recording's go on. */
void ams_lane_set_offset (AmsLane *self, gint64 offset);

/* The store takes over what is carried from one file to the next
 * (AmsAction.carried), so that it is not kept here and not written again. A change
 * undoes the mark. */
void ams_lane_set_carries (AmsLane *self, gboolean carries);

gboolean ams_lane_check_track (AmsLane *self, const AmsTrack *track,
    GError **error);
/* What the files consist of, in the open one from here on only for audio, as
 * what the tables say of it changes with the next file. @tracks: (element-type
 * AmsTrack). FALSE, and nothing is changed: they cannot be packaged. */
gboolean ams_lane_set_tracks (AmsLane *self, GPtrArray *tracks, GError **error);
gboolean ams_lane_has_track (AmsLane *self, guint id);

gboolean ams_lane_is_open (AmsLane *self);
/* A file begins; the open one ends at @end. */
void ams_lane_cut (AmsLane *self, const AmsCut *cut, gint64 end);
/* One may turn out to begin here, with what is added next; only the last such
 * place counts. Other tracks undo it. */
void ams_lane_mark (AmsLane *self);
void ams_lane_unmark (AmsLane *self);
gboolean ams_lane_is_marked (AmsLane *self);
/* It has turned out so: @cut is there. */
void ams_lane_cut_at_mark (AmsLane *self, const AmsCut *cut);
/* The open file ends at @end, and none begins there. */
void ams_lane_finish (AmsLane *self, gint64 end);

/* FALSE: @unit is damaged, and left out. @now: monotonic, ns. */
gboolean ams_lane_add (AmsLane *self, const AmsUnit *unit, gint64 now,
    GError **error);
/* What has been waiting for its block to become full goes out if it is old. */
void ams_lane_tick (AmsLane *self, gint64 now);

/* No unit has been written since the mark. */
gboolean ams_lane_is_at_mark (AmsLane *self);
/* Bytes that have gone out since the mark, and are kept. */
gsize ams_lane_get_kept (AmsLane *self);

G_END_DECLS
