/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The body of one file: how its bytes are kept from when they are made until
 * the store has confirmed them. AmsMemoryBody keeps them in memory; the local
 * store's body writes them to a hidden part file as they come; a spool is one
 * that writes them to spool-dir, for a store that then reads them from there.
 * Used by one engine's thread only. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMS_TYPE_BODY (ams_body_get_type ())
G_DECLARE_DERIVABLE_TYPE (AmsBody, ams_body, AMS, BODY, GObject)

struct _AmsBodyClass
{
  GObjectClass parent_class;

  /* What is in memory goes elsewhere by itself as soon as that is possible, so
   * that waiting makes room even while the file is open. */
  gboolean drains;

  /* Takes @bytes in any case. FALSE: they are in memory still, and @error is
   * why; they are tried again at the next append and when the file is put. */
  gboolean (*append) (AmsBody *body, GBytes *bytes, GError **error);
  /* The file is the first @size bytes. Never does I/O. */
  void (*finish) (AmsBody *body, guint64 size);
  /* The file will never be whole: leave nothing behind. A body that is merely
   * dropped leaves what is on disk, for the next start to find. */
  void (*abandon) (AmsBody *body);
  /* Bytes in memory. */
  guint64 (*get_held) (AmsBody *body);
  /* Up to @size bytes from @offset, of what was appended so far or of the
   * finished body. Fewer only at its end;
   * -1: @error (AMS_FAILURE_LOST: they are gone, or not those that were written). */
  gssize (*read) (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
      GError **error);
  /* (nullable) Lets go of memory if the bytes are to be had elsewhere as well. Of a
   * finished body, or of one that drains. */
  void (*spill) (AmsBody *body);
  /* (nullable) Whoever read has ended, perhaps before the end: a file is not kept open for him. */
  void (*rest) (AmsBody *body);
};

gboolean ams_body_append (AmsBody *body, GBytes *bytes, GError **error);
void ams_body_finish (AmsBody *body, guint64 size);
void ams_body_abandon (AmsBody *body);
guint64 ams_body_get_held (AmsBody *body);
gboolean ams_body_drains (AmsBody *body);
gssize ams_body_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error);
/* Reads the @size bytes from @offset, which were appended, into new blocks at the
 * end of @blocks (element-type GBytes). FALSE: @error, and @blocks is as it was. */
gboolean ams_body_read_blocks (AmsBody *body, guint64 offset, guint64 size,
    GQueue *blocks, GError **error);
void ams_body_spill (AmsBody *body);
void ams_body_rest (AmsBody *body);
/* For bodies whose bytes were not appended: what get_size() answers. */
void ams_body_set_size (AmsBody *body, guint64 size);
/* Bytes appended; after finish: the size of the file. */
guint64 ams_body_get_size (AmsBody *body);

#define AMS_TYPE_MEMORY_BODY (ams_memory_body_get_type ())
G_DECLARE_FINAL_TYPE (AmsMemoryBody, ams_memory_body, AMS, MEMORY_BODY, AmsBody)

AmsBody *ams_memory_body_new (void);
/* What a writer needs: the bytes from @offset on, as many as there are in one place,
 * but no more than a few MiB. NULL: @offset is the file's end. (transfer none) The
 * cost does not depend on the body's size. */
const guint8 *ams_memory_body_peek (AmsMemoryBody *body, guint64 offset,
    gsize *length);
/* The whole, copied only if it is in several blocks. */
GBytes *ams_memory_body_dup_bytes (AmsMemoryBody *body);

G_END_DECLS
