/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A packager: access units in, the bytes of segments out. It decides nothing:
 * where segments begin is said to it. Pure, no GStreamer, not thread-safe.
 *
 * Where a segment ends may turn out late, at a keyframe that has been written
 * already. So a packager can be marked, and rewound to the mark: the file then
 * ends at the size that it had there, and the caller begins the next segment
 * and adds the units since the mark again. */

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

/* The state of a packager at some time; copied as it is. */
typedef struct _AmsPackagerMark AmsPackagerMark;

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
  AmsPackagerMark *(*mark) (AmsPackager *self);
  void (*rewind) (AmsPackager *self, const AmsPackagerMark *mark);
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

/* The size of @out is then that of the file up to the mark. Flushes. */
AmsPackagerMark *ams_packager_mark (AmsPackager *self, AmsBlocks *out);
/* As if nothing had been added since @mark. */
void ams_packager_rewind (AmsPackager *self, const AmsPackagerMark *mark);
void ams_packager_mark_free (AmsPackagerMark *mark);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPackagerMark, ams_packager_mark_free)

/* Of the open segment, in order. (element-type AmsKeyPicture) (transfer none) */
const GArray *ams_packager_get_key_pictures (AmsPackager *self);

G_END_DECLS
