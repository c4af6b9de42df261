/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A packager: access units in, the bytes of segments out. It decides nothing:
 * where segments begin is said to it. Pure, no GStreamer, not thread-safe.
 *
 * Where a segment ends may turn out late, at a keyframe that has been written
 * already. So a packager can be marked: at the mark it writes what a segment
 * begins with, and if the segment is to end there, the bytes since are the
 * beginning of the next one as they are. */

#pragma once

#include <glib-object.h>

#include "media/amstrack.h"
#include "media/amsunit.h"
#include "package/amsblocks.h"

G_BEGIN_DECLS

/* A picture at which decoding can begin, in the open segment. */
typedef struct
{
  guint64 offset, size; /* bytes; from the segment's first byte */
  gint64 pts; /* ns */
} AmsKeyPicture;

#define AMS_TYPE_PACKAGER (ams_packager_get_type ())
G_DECLARE_INTERFACE (AmsPackager, ams_packager, AMS, PACKAGER, GObject)

struct _AmsPackagerInterface
{
  GTypeInterface parent;

  gboolean (
      *check_track) (AmsPackager *self, const AmsTrack *track, GError **error);
  gboolean (*set_tracks) (AmsPackager *self, GPtrArray *tracks, GError **error);
  void (*begin_segment) (AmsPackager *self, gboolean discontinuity,
      AmsBlocks *out);
  gboolean (*add) (AmsPackager *self, const AmsUnit *unit, AmsBlocks *out,
      GError **error);
  void (*flush) (AmsPackager *self, AmsBlocks *out);
  void (*mark) (AmsPackager *self, AmsBlocks *out);
  void (*begin_at_mark) (AmsPackager *self);
  const GArray *(*get_key_pictures) (AmsPackager *self);
};

/* FALSE, and @error: the container cannot carry @track, or its configuration is
 * damaged. */
gboolean ams_packager_check_track (AmsPackager *self, const AmsTrack *track,
    GError **error);

/* What the segments from the next one on consist of. @tracks: (element-type
 * AmsTrack), each of another id. FALSE, and nothing is changed: the container
 * cannot carry them.
 * With a segment open, what was added must have been flushed; its tables stay as
 * they are, and only a new configuration of its tracks holds for it. */
gboolean ams_packager_set_tracks (AmsPackager *self, GPtrArray *tracks,
    GError **error);

/* @discontinuity: the segment does not continue the one before it. What was
 * added to that must have been flushed. */
void ams_packager_begin_segment (AmsPackager *self, gboolean discontinuity,
    AmsBlocks *out);

/* Adds a unit of one of the tracks to the open segment. It may be written
 * later, with the units that follow, but no more than AMS_PACKAGER_MAX_DELAY of
 * their time. FALSE: the unit is damaged, and nothing of it is written. */
gboolean ams_packager_add (AmsPackager *self, const AmsUnit *unit,
    AmsBlocks *out, GError **error);
#define AMS_PACKAGER_MAX_DELAY (170 * G_GINT64_CONSTANT (1000000)) /* ns */

/* Writes what was added and is not written yet. */
void ams_packager_flush (AmsPackager *self, AmsBlocks *out);

/* A segment may turn out to begin here, with what is added next: it would
 * continue the open one, with the same tracks. Only the last mark counts.
 * Returns: the bytes of the open file up to the mark. */
guint64 ams_packager_mark (AmsPackager *self, AmsBlocks *out);
/* It has turned out so: what was written since the mark is its beginning. No
 * tracks have been set meanwhile. */
void ams_packager_begin_at_mark (AmsPackager *self);

/* Of the open segment, in order. (element-type AmsKeyPicture) (transfer none) */
const GArray *ams_packager_get_key_pictures (AmsPackager *self);

G_END_DECLS
