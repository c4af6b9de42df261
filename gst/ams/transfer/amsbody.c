/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsbody.h"

#include "files/amsshared.h"

#include <string.h>

#define BLOCK_SIZE (64 * 1024)

/* The abstract body */

typedef struct
{
  guint64 size;
} AmsBodyPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AmsBody, ams_body, G_TYPE_OBJECT)

#define PRIVATE(body) ((AmsBodyPrivate *) ams_body_get_instance_private (body))

gboolean
ams_body_append (AmsBody *body, GBytes *bytes, GError **error)
{
  PRIVATE (body)->size += g_bytes_get_size (bytes);
  return AMS_BODY_GET_CLASS (body)->append (body, bytes, error);
}

void
ams_body_finish (AmsBody *body, guint64 size)
{
  g_return_if_fail (size <= PRIVATE (body)->size);

  PRIVATE (body)->size = size;
  AMS_BODY_GET_CLASS (body)->finish (body, size);
}

void
ams_body_abandon (AmsBody *body)
{
  AMS_BODY_GET_CLASS (body)->abandon (body);
}

guint64
ams_body_get_held (AmsBody *body)
{
  return AMS_BODY_GET_CLASS (body)->get_held (body);
}

gssize
ams_body_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  return AMS_BODY_GET_CLASS (body)->read (body, offset, buffer, size, error);
}

/* (transfer full) (nullable) */
static GBytes *
read_block (AmsBody *body, guint64 offset, gsize size, GError **error)
{
  g_autofree guint8 *block = g_malloc (size);
  gssize n;

  for (gsize done = 0; done < size; done += n) {
    n = ams_body_read (body, offset + done, block + done, size - done, error);
    if (n < 0)
      return NULL;
    if (n == 0) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
          "the body has no more than %" G_GUINT64_FORMAT " bytes",
          offset + done);
      return NULL;
    }
  }
  return g_bytes_new_take (g_steal_pointer (&block), size);
}

static void
drop_blocks (GQueue *blocks, guint n)
{
  while (blocks->length > n)
    g_bytes_unref (g_queue_pop_tail (blocks));
}

gboolean
ams_body_read_blocks (AmsBody *body, guint64 offset, guint64 size,
    GQueue *blocks, GError **error)
{
  guint n = blocks->length;

  for (guint64 at = offset; at < offset + size; at += BLOCK_SIZE) {
    GBytes *block =
        read_block (body, at, MIN (BLOCK_SIZE, offset + size - at), error);

    if (!block) {
      drop_blocks (blocks, n);
      return FALSE;
    }
    g_queue_push_tail (blocks, block);
  }
  return TRUE;
}

void
ams_body_spill (AmsBody *body)
{
  AmsBodyClass *klass = AMS_BODY_GET_CLASS (body);

  if (klass->spill)
    klass->spill (body);
}

void
ams_body_rest (AmsBody *body)
{
  AmsBodyClass *klass = AMS_BODY_GET_CLASS (body);

  if (klass->rest)
    klass->rest (body);
}

gboolean
ams_body_drains (AmsBody *body)
{
  return AMS_BODY_GET_CLASS (body)->drains;
}

void
ams_body_set_size (AmsBody *body, guint64 size)
{
  PRIVATE (body)->size = size;
}

guint64
ams_body_get_size (AmsBody *body)
{
  return PRIVATE (body)->size;
}

static void
ams_body_class_init (AmsBodyClass *klass)
{
}

static void
ams_body_init (AmsBody *body)
{
}

/* In memory */

/* Bytes that are given out at a time. */
#define STEP (4 * 1024 * 1024)

typedef struct
{
  guint64 start; /* of this block, in the file */
  GBytes *bytes;
} Block;

struct _AmsMemoryBody
{
  AmsBody parent;

  GArray *blocks; /* of Block, none of them empty */
  guint64 size; /* of the blocks */
  guint64 held; /* of that, what nobody else pays for (amsshared.h) */
};

G_DEFINE_FINAL_TYPE (AmsMemoryBody, ams_memory_body, AMS_TYPE_BODY)

static void
block_clear (gpointer block)
{
  g_bytes_unref (((Block *) block)->bytes);
}

static gboolean
memory_append (AmsBody *body, GBytes *bytes, GError **error)
{
  AmsMemoryBody *self = AMS_MEMORY_BODY (body);
  Block block = { self->size, bytes };

  if (g_bytes_get_size (bytes) == 0)
    return TRUE;
  g_bytes_ref (bytes);
  g_array_append_val (self->blocks, block);
  self->size += g_bytes_get_size (bytes);
  self->held += ams_shared_get_cost (bytes);
  return TRUE;
}

/* Blocks wholly past the end go; the last may reach beyond it, and is then
 * counted as a whole, as that is what it costs. */
static void
memory_finish (AmsBody *body, guint64 size)
{
  AmsMemoryBody *self = AMS_MEMORY_BODY (body);

  while (self->blocks->len > 0) {
    Block *last = &g_array_index (self->blocks, Block, self->blocks->len - 1);

    if (last->start < size)
      break;
    self->size -= g_bytes_get_size (last->bytes);
    self->held -= ams_shared_get_cost (last->bytes);
    g_array_set_size (self->blocks, self->blocks->len - 1);
  }
}

static void
memory_abandon (AmsBody *body)
{
  AmsMemoryBody *self = AMS_MEMORY_BODY (body);

  g_array_set_size (self->blocks, 0);
  self->size = self->held = 0;
}

static guint64
memory_get_held (AmsBody *body)
{
  return AMS_MEMORY_BODY (body)->held;
}

static gint
compare_to_block (gconstpointer block, gconstpointer offset)
{
  guint64 at = *(const guint64 *) offset;
  const Block *b = block;

  if (b->start + g_bytes_get_size (b->bytes) <= at)
    return -1;
  return b->start > at;
}

const guint8 *
ams_memory_body_peek (AmsMemoryBody *self, guint64 offset, gsize *length)
{
  guint64 size = ams_body_get_size (AMS_BODY (self));
  const guint8 *data;
  guint index;
  Block *block;

  *length = 0;
  if (offset >= size ||
      !g_array_binary_search (self->blocks, &offset, compare_to_block, &index))
    return NULL;
  block = &g_array_index (self->blocks, Block, index);
  data = g_bytes_get_data (block->bytes, length);
  *length = MIN (MIN (block->start + *length, size) - offset, STEP);
  data += offset - block->start;
  /* Read from the front, a mapped file is in memory by one step or two. */
  if (offset - block->start >= STEP)
    ams_shared_let_go (data - STEP, STEP);
  return data;
}

static gssize
memory_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  gsize copied = 0;

  while (copied < size) {
    gsize length;
    const guint8 *data =
        ams_memory_body_peek (AMS_MEMORY_BODY (body), offset + copied, &length);

    if (!data)
      break;
    length = MIN (length, size - copied);
    memcpy (buffer + copied, data, length);
    copied += length;
  }
  return copied;
}

static void
memory_rest (AmsBody *body)
{
  AmsMemoryBody *self = AMS_MEMORY_BODY (body);

  for (guint i = 0; i < self->blocks->len; i++) {
    gsize size;
    gconstpointer data =
        g_bytes_get_data (g_array_index (self->blocks, Block, i).bytes, &size);

    ams_shared_let_go (data, size);
  }
}

GBytes *
ams_memory_body_dup_bytes (AmsMemoryBody *self)
{
  gsize size = ams_body_get_size (AMS_BODY (self)), length;
  g_autofree guint8 *whole = NULL;
  const guint8 *data;

  if (self->blocks->len == 1)
    return g_bytes_new_from_bytes (g_array_index (self->blocks, Block, 0).bytes,
        0, size);
  whole = g_malloc (size);
  for (gsize at = 0; (data = ams_memory_body_peek (self, at, &length));
       at += length)
    memcpy (whole + at, data, length);
  return g_bytes_new_take (g_steal_pointer (&whole), size);
}

static void
ams_memory_body_finalize (GObject *object)
{
  g_array_unref (AMS_MEMORY_BODY (object)->blocks);
  G_OBJECT_CLASS (ams_memory_body_parent_class)->finalize (object);
}

static void
ams_memory_body_class_init (AmsMemoryBodyClass *klass)
{
  AmsBodyClass *body_class = AMS_BODY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ams_memory_body_finalize;
  body_class->append = memory_append;
  body_class->finish = memory_finish;
  body_class->abandon = memory_abandon;
  body_class->get_held = memory_get_held;
  body_class->read = memory_read;
  body_class->rest = memory_rest;
}

static void
ams_memory_body_init (AmsMemoryBody *self)
{
  self->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  g_array_set_clear_func (self->blocks, block_clear);
}

AmsBody *
ams_memory_body_new (void)
{
  return g_object_new (AMS_TYPE_MEMORY_BODY, NULL);
}
