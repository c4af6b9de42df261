/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Bytes that belong to somebody else. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const guint8 *data;
  gsize size;
} AmsSlice;

static inline AmsSlice
ams_slice_of_bytes (GBytes *bytes)
{
  AmsSlice slice;

  slice.data = g_bytes_get_data (bytes, &slice.size);
  return slice;
}

/* The first @size bytes, which *@rest then no longer has. FALSE: there are
 * fewer, and nothing is taken. */
static inline gboolean
ams_slice_take (AmsSlice *rest, gsize size, AmsSlice *taken)
{
  if (rest->size < size)
    return FALSE;
  taken->data = rest->data;
  taken->size = size;
  rest->data += size;
  rest->size -= size;
  return TRUE;
}

/* A big-endian number of @size bytes, at most 4. */
static inline gboolean
ams_slice_take_number (AmsSlice *rest, gsize size, guint32 *number)
{
  AmsSlice taken;

  if (!ams_slice_take (rest, size, &taken))
    return FALSE;
  *number = 0;
  for (gsize i = 0; i < size; i++)
    *number = *number << 8 | taken.data[i];
  return TRUE;
}

G_END_DECLS
