/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Between pads and the engine: buffers as bytes, questions as queries. */

#pragma once

#include "transfer/amsengine.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): it cannot be mapped. Not copied; the memory is kept, not the buffer,
 * so that a pool upstream gets its buffer back (and sees that it has to bring a new memory). */
GBytes *ams_put_bytes_from_memory (GstMemory *memory);

/* Whether an ERROR was posted. */
typedef gboolean (*AmsPutIsInError) (gpointer user_data);

/* Adds the answer of the store behind @engine (nullable: it is not open; @closed: not any more) to @query, if it is a
 * question of the file stream. */
void ams_put_answer (AmsEngine *engine, gboolean closed, GstQuery *query,
    AmsPutIsInError is_in_error, gpointer user_data);

G_END_DECLS
