/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The first byte says the codec and the size of the lengths; then access units,
 * each behind its size and the time at which it is shown. */

#include "media/amscaptions.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
add_unit (AmsCaptions *captions, const AmsNalConfig *config, AmsSlice slice,
    gint64 pts)
{
  g_autofree guint8 *copy = g_memdup2 (slice.data, slice.size);
  g_autoptr (GBytes) payload = g_bytes_new_static (copy, slice.size);
  const AmsUnit unit = { .pts = pts, .payload = payload };
  guint channels = ams_captions_get_channels (captions);
  guint64 services = ams_captions_get_services (captions);
  gboolean found = ams_captions_add (captions, config, &unit);

  g_assert_cmpint (found, ==,
      channels != ams_captions_get_channels (captions) ||
          services != ams_captions_get_services (captions));
  g_assert_cmpuint (ams_captions_get_channels (captions), <, 16);
  g_assert_cmpuint (ams_captions_get_services (captions) & 1, ==, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  AmsSlice rest = { data, size }, unit;
  AmsNalConfig config = { 0 };
  g_autoptr (AmsCaptions) captions = ams_captions_new ();
  guint32 first, length, pts;

  if (!ams_slice_take_number (&rest, 1, &first))
    return 0;
  config.h265 = first & 1;
  config.length_size = (first >> 1 & 3) + 1;
  while (ams_slice_take_number (&rest, 1, &length) &&
      ams_slice_take_number (&rest, 1, &pts) &&
      ams_slice_take (&rest, length, &unit))
    add_unit (captions, &config, unit, pts);
  return 0;
}
