/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsnal.h"

#include <string.h>

/* H.264, table 7-1: 1 to 5 are slices, 5 those of an IDR picture.
 * H.265, table 7-1: 0 to 31 are slices, 16 to 23 those of an IRAP picture. */
static gboolean
is_slice (guint8 header, gboolean h265)
{
  if (h265)
    return ((header >> 1) & 0x3f) < 32;
  return (header & 0x1f) >= 1 && (header & 0x1f) <= 5;
}

static gboolean
is_random_access_slice (guint8 header, gboolean h265)
{
  guint type = h265 ? (header >> 1) & 0x3f : header & 0x1f;

  return h265 ? type >= 16 && type <= 23 : type == 5;
}

gboolean
ams_nal_is_random_access (const guint8 *data, gsize size, gboolean h265)
{
  const guint8 *end = data + size;
  const guint8 *p = data;

  while (end - p >= 4) {
    const guint8 *one = memchr (p + 2, 1, end - p - 3);

    if (!one)
      return FALSE;
    if (one[-1] == 0 && one[-2] == 0 && is_slice (one[1], h265))
      return is_random_access_slice (one[1], h265);
    p = one - 1;
  }
  return FALSE;
}
