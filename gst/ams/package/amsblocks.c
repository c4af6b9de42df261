/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/amsblocks.h"

/* Of all files of the process. */
#define MAX_SPARE 32

typedef struct
{
  guint8 *data;
  gsize size, used;
} Block;

struct _AmsBlocks
{
  gsize block_size;
  GQueue full; /* Block */
  Block *open; /* NULL: none has been begun */
  guint64 size;
};

/* ---- pool ---- */

G_LOCK_DEFINE_STATIC (spare);
static guint8 *spare[MAX_SPARE];
static guint n_spare;

static guint8 *
pool_take (gsize size)
{
  guint8 *data = NULL;

  if (size == AMS_BLOCKS_SIZE) {
    G_LOCK (spare);
    if (n_spare > 0)
      data = spare[--n_spare];
    G_UNLOCK (spare);
  }
  return data ? data : g_malloc (size);
}

/* @data: (transfer full) */
static void
pool_give (guint8 *data, gsize size)
{
  if (size == AMS_BLOCKS_SIZE) {
    G_LOCK (spare);
    if (n_spare < MAX_SPARE)
      spare[n_spare++] = g_steal_pointer (&data);
    G_UNLOCK (spare);
  }
  g_free (data);
}

/* ---- blocks ---- */

/* Also the last reference to a block that was taken. */
static void
block_free (gpointer data)
{
  Block *block = data;

  pool_give (block->data, block->size);
  g_free (block);
}

static Block *
begin_block (AmsBlocks *self)
{
  Block *block = g_new0 (Block, 1);

  block->data = pool_take (self->block_size);
  block->size = self->block_size;
  return block;
}

static void
end_block (AmsBlocks *self)
{
  if (self->open)
    g_queue_push_tail (&self->full, g_steal_pointer (&self->open));
}

static gsize
get_room (AmsBlocks *self)
{
  return self->open ? self->block_size - self->open->used : 0;
}

guint8 *
ams_blocks_add_some (AmsBlocks *self, gsize size, gsize max, gsize *n)
{
  guint8 *data;

  g_return_val_if_fail (size <= self->block_size, NULL);
  if (get_room (self) < size)
    end_block (self);
  if (!self->open)
    self->open = begin_block (self);
  data = self->open->data + self->open->used;
  *n = MIN (max, get_room (self) / size);
  self->open->used += *n * size;
  self->size += *n * size;
  return data;
}

guint8 *
ams_blocks_add (AmsBlocks *self, gsize size)
{
  gsize n;

  return ams_blocks_add_some (self, size, 1, &n);
}

GBytes *
ams_blocks_take_full (AmsBlocks *self)
{
  Block *block = g_queue_pop_head (&self->full);

  if (!block)
    return NULL;
  return g_bytes_new_with_free_func (block->data, block->used, block_free,
      block);
}

GBytes *
ams_blocks_take (AmsBlocks *self)
{
  if (g_queue_is_empty (&self->full))
    end_block (self);
  return ams_blocks_take_full (self);
}

guint64
ams_blocks_get_size (AmsBlocks *self)
{
  return self->size;
}

void
ams_blocks_begin_at (AmsBlocks *self, guint64 offset)
{
  g_return_if_fail (!self->open && g_queue_is_empty (&self->full));
  g_return_if_fail (offset <= self->size);

  self->size -= offset;
}

void
ams_blocks_reset (AmsBlocks *self)
{
  Block *block;

  end_block (self);
  while ((block = g_queue_pop_head (&self->full)))
    block_free (block);
  self->size = 0;
}

AmsBlocks *
ams_blocks_new (gsize size)
{
  AmsBlocks *self = g_new0 (AmsBlocks, 1);

  self->block_size = size;
  g_queue_init (&self->full);
  return self;
}

void
ams_blocks_free (AmsBlocks *self)
{
  ams_blocks_reset (self);
  g_free (self);
}
