/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session/amslane.h"

/* ns. A crash costs what is in a block that has not gone out: with what the
 * packager gathers and the other track is waited for, well below a second. */
#define BLOCK_AGE (AMS_SECOND / 4)

struct _AmsLane
{
  AmsPackager *packager;
  AmsBlocks *blocks;
  guint index;
  GQueue *out;
  gint64 offset;
  guint32 tracks; /* a bit for each id */

  gboolean any; /* file has been begun */
  gboolean open;
  guint64 written; /* bytes of it that have gone out */
  gint64 now; /* monotonic, ns, as far as was told */
  /* When the oldest byte that waits was added; AMS_TIME_NONE: no unit was yet. */
  gint64 block_since;

  gboolean carries; /* the store takes over what comes after the mark */
  gboolean marked;
  guint64 mark_size; /* of the file up to the mark */
  guint64 mark_units; /* bytes of the file before the first unit after it */
  GQueue kept; /* GBytes, what has gone out since; empty if it carries */
  gsize kept_bytes;
};

AmsLane *
ams_lane_new (AmsPackager *packager, gsize block_size, guint index, GQueue *out)
{
  AmsLane *self = g_new0 (AmsLane, 1);

  self->packager = packager;
  self->blocks = ams_blocks_new (block_size);
  self->index = index;
  self->out = out;
  g_queue_init (&self->kept);
  return self;
}

void
ams_lane_unmark (AmsLane *self)
{
  self->marked = FALSE;
  g_queue_clear_full (&self->kept, (GDestroyNotify) g_bytes_unref);
  self->kept_bytes = 0;
}

void
ams_lane_free (AmsLane *self)
{
  ams_lane_unmark (self);
  g_object_unref (self->packager);
  ams_blocks_free (self->blocks);
  g_free (self);
}

void
ams_lane_set_offset (AmsLane *self, gint64 offset)
{
  self->offset = offset;
}

void
ams_lane_set_carries (AmsLane *self, gboolean carries)
{
  if (carries != self->carries)
    ams_lane_unmark (self);
  self->carries = carries;
}

gboolean
ams_lane_check_track (AmsLane *self, const AmsTrack *track, GError **error)
{
  return ams_packager_check_track (self->packager, track, error);
}

gboolean
ams_lane_set_tracks (AmsLane *self, GPtrArray *tracks, GError **error)
{
  ams_lane_unmark (self);
  if (self->open)
    ams_packager_flush (self->packager, self->blocks);
  if (!ams_packager_set_tracks (self->packager, tracks, error))
    return FALSE;
  self->tracks = 0;
  for (guint i = 0; i < tracks->len; i++)
    self->tracks |= 1u << ((AmsTrack *) g_ptr_array_index (tracks, i))->id;
  return TRUE;
}

gboolean
ams_lane_has_track (AmsLane *self, guint id)
{
  return (self->tracks & 1u << id) != 0;
}

gboolean
ams_lane_is_open (AmsLane *self)
{
  return self->open;
}

gboolean
ams_lane_is_marked (AmsLane *self)
{
  return self->marked;
}

gboolean
ams_lane_is_at_mark (AmsLane *self)
{
  return self->marked && ams_blocks_get_size (self->blocks) == self->mark_units;
}

gsize
ams_lane_get_kept (AmsLane *self)
{
  return self->kept_bytes;
}

/* ---- what goes out ---- */

static AmsAction *
put (AmsLane *self, AmsActionKind kind)
{
  AmsAction *action = g_new0 (AmsAction, 1);

  action->kind = kind;
  action->lane = self->index;
  g_queue_push_tail (self->out, action);
  return action;
}

/* What of @block, which goes out now, comes after the mark. */
static void
keep (AmsLane *self, GBytes *block)
{
  gsize size = g_bytes_get_size (block);
  guint64 before =
      self->mark_size > self->written ? self->mark_size - self->written : 0;

  if (before >= size)
    return;
  g_queue_push_tail (&self->kept,
      g_bytes_new_from_bytes (block, before, size - before));
  self->kept_bytes += size - before;
}

/* Takes @block. */
static void
put_block (AmsLane *self, GBytes *block)
{
  if (self->marked && !self->carries)
    keep (self, block);
  self->written += g_bytes_get_size (block);
  put (self, AMS_ACTION_WRITE)->block = block;
}

static void
put_full_blocks (AmsLane *self)
{
  GBytes *block;

  while ((block = ams_blocks_take_full (self->blocks))) {
    put_block (self, block);
    self->block_since = self->now;
  }
}

static void
put_all_blocks (AmsLane *self)
{
  GBytes *block;

  while ((block = ams_blocks_take (self->blocks)))
    put_block (self, block);
}

void
ams_lane_tick (AmsLane *self, gint64 now)
{
  self->now = now;
  if (!self->open || self->block_since == AMS_TIME_NONE ||
      ams_blocks_get_size (self->blocks) == self->written ||
      now - self->block_since < BLOCK_AGE)
    return;
  put_all_blocks (self);
  self->block_since = now;
}

/* ---- files ---- */

static void
open_file (AmsLane *self, const AmsCut *cut)
{
  self->open = TRUE;
  self->written = 0;
  self->block_since = AMS_TIME_NONE;
  put (self, AMS_ACTION_BEGIN_FILE)->cut = *cut;
}

static void
begin (AmsLane *self, const AmsCut *cut)
{
  open_file (self, cut);
  ams_blocks_reset (self->blocks);
  /* The first may be listed behind an earlier session's. */
  ams_packager_begin_segment (self->packager, cut->discontinuity || !self->any,
      self->blocks);
  self->any = TRUE;
}

/* @size: of the file, whose bytes have all gone out. */
static void
end (AmsLane *self, guint64 size, gint64 at)
{
  AmsAction *action = put (self, AMS_ACTION_END_FILE);

  action->size = size;
  action->time = at;
  action->carried = self->carries ? self->written - size : 0;
  self->open = FALSE;
}

static void
end_whole (AmsLane *self, gint64 at)
{
  ams_lane_unmark (self);
  if (!self->open)
    return;
  ams_packager_flush (self->packager, self->blocks);
  put_all_blocks (self);
  end (self, self->written, at);
}

void
ams_lane_cut (AmsLane *self, const AmsCut *cut, gint64 at)
{
  end_whole (self, at);
  begin (self, cut);
}

void
ams_lane_mark (AmsLane *self)
{
  ams_lane_unmark (self);
  self->marked = TRUE;
  self->mark_size = ams_packager_mark (self->packager, self->blocks);
  self->mark_units = ams_blocks_get_size (self->blocks);
}

void
ams_lane_cut_at_mark (AmsLane *self, const AmsCut *cut)
{
  GBytes *block;

  g_return_if_fail (self->marked);

  put_all_blocks (self);
  end (self, self->mark_size, cut->pts);
  open_file (self, cut);
  ams_packager_begin_at_mark (self->packager);
  ams_blocks_begin_at (self->blocks, self->mark_size);
  self->marked = FALSE;
  while ((block = g_queue_pop_head (&self->kept)))
    put_block (self, block);
  self->written = ams_blocks_get_size (self->blocks);
  ams_lane_unmark (self);
}

void
ams_lane_finish (AmsLane *self, gint64 at)
{
  end_whole (self, at);
}

/* ---- units ---- */

gboolean
ams_lane_add (AmsLane *self, const AmsUnit *unit, gint64 now, GError **error)
{
  AmsUnit shifted = *unit;

  shifted.pts += self->offset;
  shifted.dts += self->offset;
  self->now = now;
  if (self->block_since == AMS_TIME_NONE ||
      ams_blocks_get_size (self->blocks) == self->written)
    self->block_since = now;
  if (!ams_packager_add (self->packager, &shifted, self->blocks, error))
    return FALSE;
  put_full_blocks (self);
  ams_lane_tick (self, now);
  return TRUE;
}
