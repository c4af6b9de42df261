/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsoverlap.h"

#include <string.h>

#define PACKET_SIZE 188

/* Bytes: two tables, which may be the same in any segments, and a packet with a time stamp. */
#define TELLING_SIZE (3 * PACKET_SIZE)

AmsOverlap
ams_overlap_find (GBytes *earlier, GBytes *later, guint64 *size)
{
  gsize length, other;
  const guint8 *data = g_bytes_get_data (earlier, &length);
  const guint8 *next = g_bytes_get_data (later, &other);

  for (gsize at = PACKET_SIZE;
       other >= TELLING_SIZE && at + TELLING_SIZE <= length;
       at += PACKET_SIZE) {
    gsize rest = length - at;

    if (memcmp (data + at, next, TELLING_SIZE) != 0 ||
        memcmp (data + at, next, MIN (rest, other)) != 0)
      continue;
    *size = at;
    return rest <= other ? AMS_OVERLAP_END : AMS_OVERLAP_INSIDE;
  }
  return AMS_OVERLAP_NONE;
}
