/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/amsblocks.h"

#define MAX_SPARE 8

/* Shared with the blocks that are out, which may outlive the AmsBlocks. */
typedef struct
{
  GMutex lock;
  guint8 *spare[MAX_SPARE];
  guint n_spare;
} Pool;

typedef struct
{
  Pool *pool; /* NULL while the block is not taken */
  guint8 *data;
  gsize used;
} Block;

struct _AmsBlocks
{
  Pool *pool; /* g_atomic_rc_box */
  gsize block_size;
  GQueue full; /* Block */
  Block *open; /* NULL: none has been begun */
  guint64 size;
};

/* ---- pool ---- */

static void
pool_clear (gpointer data)
{
  Pool *pool = data;

  for (guint i = 0; i < pool->n_spare; i++)
    g_free (pool->spare[i]);
  g_mutex_clear (&pool->lock);
}

static guint8 *
pool_take (Pool *pool, gsize size)
{
  guint8 *data = NULL;

  g_mutex_lock (&pool->lock);
  if (pool->n_spare > 0)
    data = pool->spare[--pool->n_spare];
  g_mutex_unlock (&pool->lock);
  return data ? data : g_malloc (size);
}

/* @data: (transfer full) */
static void
pool_give (Pool *pool, guint8 *data)
{
  g_mutex_lock (&pool->lock);
  if (pool->n_spare < MAX_SPARE)
    pool->spare[pool->n_spare++] = g_steal_pointer (&data);
  g_mutex_unlock (&pool->lock);
  g_free (data);
}

/* ---- blocks ---- */

static void
block_free (Block *block, Pool *pool)
{
  pool_give (pool, block->data);
  g_free (block);
}

/* The last reference to a block that was taken. */
static void
give_back (gpointer data)
{
  Block *block = data;
  Pool *pool = block->pool;

  block_free (block, pool);
  g_atomic_rc_box_release_full (pool, pool_clear);
}

static Block *
begin_block (AmsBlocks *self)
{
  Block *block = g_new0 (Block, 1);

  block->data = pool_take (self->pool, self->block_size);
  return block;
}

static void
end_block (AmsBlocks *self)
{
  if (self->open)
    g_queue_push_tail (&self->full, g_steal_pointer (&self->open));
}

guint8 *
ams_blocks_add (AmsBlocks *self, gsize size)
{
  guint8 *data;

  g_return_val_if_fail (size <= self->block_size, NULL);
  if (self->open && self->open->used + size > self->block_size)
    end_block (self);
  if (!self->open)
    self->open = begin_block (self);
  data = self->open->data + self->open->used;
  self->open->used += size;
  self->size += size;
  return data;
}

GBytes *
ams_blocks_take_full (AmsBlocks *self)
{
  Block *block = g_queue_pop_head (&self->full);

  if (!block)
    return NULL;
  block->pool = g_atomic_rc_box_acquire (self->pool);
  return g_bytes_new_with_free_func (block->data, block->used, give_back,
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
ams_blocks_reset (AmsBlocks *self)
{
  Block *block;

  end_block (self);
  while ((block = g_queue_pop_head (&self->full)))
    block_free (block, self->pool);
  self->size = 0;
}

AmsBlocks *
ams_blocks_new (gsize size)
{
  AmsBlocks *self = g_new0 (AmsBlocks, 1);

  self->pool = g_atomic_rc_box_new0 (Pool);
  g_mutex_init (&self->pool->lock);
  self->block_size = size;
  g_queue_init (&self->full);
  return self;
}

void
ams_blocks_free (AmsBlocks *self)
{
  ams_blocks_reset (self);
  g_atomic_rc_box_release_full (self->pool, pool_clear);
  g_free (self);
}
