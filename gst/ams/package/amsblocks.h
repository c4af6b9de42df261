/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The bytes of a file as it is made, gathered into blocks that go on to the
 * stores as they are. Pure, no GStreamer, not thread-safe; blocks that were
 * taken may be freed in any thread. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The usual size of a block: whole packets of MPEG-TS, just below 64 KiB. */
#define AMS_BLOCKS_SIZE (348 * 188)

typedef struct _AmsBlocks AmsBlocks;

/* @size: bytes of a full block. Blocks of AMS_BLOCKS_SIZE that are freed are used
 * again, by whoever in the process makes files. */
AmsBlocks *ams_blocks_new (gsize size);
void ams_blocks_free (AmsBlocks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsBlocks, ams_blocks_free)

/* Where the next @size bytes of the file belong, which the caller writes at
 * once. @size: at most a block. */
guint8 *ams_blocks_add (AmsBlocks *self, gsize size);

/* The same for as many records of @size bytes as there is room for side by side:
 * *@n, at least one, at most @max. */
guint8 *ams_blocks_add_some (AmsBlocks *self, gsize size, gsize max, gsize *n);

/* Takes the oldest full block. Returns: (transfer full) (nullable) */
GBytes *ams_blocks_take_full (AmsBlocks *self);
/* Takes the oldest block, full or not. Returns: (transfer full) (nullable):
 * NULL when nothing is left. */
GBytes *ams_blocks_take (AmsBlocks *self);

/* Bytes of the file so far, those that were taken included. */
guint64 ams_blocks_get_size (AmsBlocks *self);
/* The file begins @offset bytes later than was thought: what came before belongs
 * to another. All blocks have been taken. */
void ams_blocks_begin_at (AmsBlocks *self, guint64 offset);
/* The next file begins. What was not taken of the last one is dropped. */
void ams_blocks_reset (AmsBlocks *self);

G_END_DECLS
