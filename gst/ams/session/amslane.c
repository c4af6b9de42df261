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
  GQueue *out;
  gint64 offset;
  guint32 tracks; /* a bit for each id */

  gboolean any; /* file has been begun */
  gboolean open;
  guint64 written; /* bytes of it that have gone out */
  gint64 now; /* monotonic, ns, as far as was told */
  /* When the oldest byte that waits was added; AMS_TIME_NONE: no unit was yet. */
  gint64 block_since;

  AmsPackagerMark *mark; /* NULL: no place is marked */
  AmsCut mark_cut;
  guint64 mark_size;
  GQueue kept; /* AmsUnit, since the mark */
  gsize kept_bytes;
};

AmsLane *
ams_lane_new (AmsPackager *packager, gsize block_size, GQueue *out)
{
  AmsLane *self = g_new0 (AmsLane, 1);

  self->packager = packager;
  self->blocks = ams_blocks_new (block_size);
  self->out = out;
  g_queue_init (&self->kept);
  return self;
}

static void
unit_free (gpointer data)
{
  AmsUnit *unit = data;

  g_bytes_unref (unit->payload);
  g_free (unit);
}

void
ams_lane_unmark (AmsLane *self)
{
  g_clear_pointer (&self->mark, ams_packager_mark_free);
  g_queue_clear_full (&self->kept, unit_free);
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

gboolean
ams_lane_check_track (AmsLane *self, const AmsTrack *track, GError **error)
{
  return ams_packager_check_track (self->packager, track, error);
}

gboolean
ams_lane_set_tracks (AmsLane *self, GPtrArray *tracks, GError **error)
{
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
  g_queue_push_tail (self->out, action);
  return action;
}

static void
put_block (AmsLane *self, GBytes *block)
{
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
begin (AmsLane *self, const AmsCut *cut)
{
  self->open = TRUE;
  self->written = 0;
  self->block_since = AMS_TIME_NONE;
  put (self, AMS_ACTION_BEGIN_FILE)->cut = *cut;
  ams_blocks_reset (self->blocks);
  /* The first may be listed behind an earlier session's. */
  ams_packager_begin_segment (self->packager, cut->discontinuity || !self->any,
      self->blocks);
  self->any = TRUE;
}

static void
end (AmsLane *self, guint64 size, gint64 at)
{
  AmsAction *action;

  put_all_blocks (self);
  action = put (self, AMS_ACTION_END_FILE);
  action->size = size;
  action->time = at;
  self->open = FALSE;
}

void
ams_lane_cut (AmsLane *self, const AmsCut *cut, gint64 at)
{
  ams_lane_unmark (self);
  if (self->open) {
    ams_packager_flush (self->packager, self->blocks);
    end (self, ams_blocks_get_size (self->blocks), at);
  }
  begin (self, cut);
}

void
ams_lane_mark (AmsLane *self, const AmsCut *cut)
{
  ams_lane_unmark (self);
  self->mark = ams_packager_mark (self->packager, self->blocks);
  self->mark_cut = *cut;
  self->mark_size = ams_blocks_get_size (self->blocks);
}

static void
add_again (AmsLane *self, GQueue *units)
{
  AmsUnit *unit;

  /* What is damaged was not kept. */
  while ((unit = g_queue_pop_head (units))) {
    ams_packager_add (self->packager, unit, self->blocks, NULL);
    unit_free (unit);
  }
}

void
ams_lane_cut_at_mark (AmsLane *self)
{
  g_autoptr (AmsPackagerMark) mark = g_steal_pointer (&self->mark);
  GQueue kept = self->kept;

  g_return_if_fail (mark != NULL);
  g_queue_init (&self->kept);
  self->kept_bytes = 0;
  ams_packager_flush (self->packager, self->blocks);
  end (self, self->mark_size, self->mark_cut.pts);
  ams_packager_rewind (self->packager, mark);
  begin (self, &self->mark_cut);
  add_again (self, &kept);
  put_full_blocks (self);
}

void
ams_lane_finish (AmsLane *self, gint64 at)
{
  if (!self->open)
    return;
  ams_lane_unmark (self);
  ams_packager_flush (self->packager, self->blocks);
  end (self, ams_blocks_get_size (self->blocks), at);
}

/* ---- units ---- */

static void
keep (AmsLane *self, const AmsUnit *unit)
{
  AmsUnit *copy = g_memdup2 (unit, sizeof *unit);

  g_bytes_ref (copy->payload);
  self->kept_bytes += g_bytes_get_size (copy->payload);
  g_queue_push_tail (&self->kept, copy);
}

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
  if (self->mark)
    keep (self, &shifted);
  put_full_blocks (self);
  ams_lane_tick (self, now);
  return TRUE;
}
