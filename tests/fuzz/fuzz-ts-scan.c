/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is said to be usable is there, is whole packets, and says the same when
 * it is looked at alone. */

#include "package/ts/amstsscan.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define PACKET 188

static void
check_scan (GBytes *bytes, gboolean complete)
{
  AmsTsScan scan, again;
  g_autoptr (GBytes) usable = NULL;
  gboolean found = ams_ts_scan (bytes, complete, &scan);

  g_assert_cmpint (found, ==, scan.usable > 0);
  g_assert_cmpuint (scan.usable, <=, g_bytes_get_size (bytes));
  g_assert_cmpuint (scan.usable % PACKET, ==, 0);
  if (!found)
    return;
  g_assert_cmpuint (scan.frames, >, 0);
  usable = g_bytes_new_from_bytes (bytes, 0, scan.usable);
  g_assert_true (ams_ts_scan (usable, TRUE, &again));
  g_assert_cmpuint (again.usable, ==, scan.usable);
  g_assert_cmpuint (again.duration, ==, scan.duration);
  g_assert_cmpuint (again.frames, ==, scan.frames);
}

/* What is whole has begun. */
static void
check_head (GBytes *bytes)
{
  AmsTsHead head;
  AmsTsScan scan;
  gboolean found = ams_ts_scan_head (bytes, &head);

  g_assert_true (found || !ams_ts_scan (bytes, TRUE, &scan));
  if (!found)
    return;
  g_assert_cmpuint (head.first_pts, <, G_GUINT64_CONSTANT (1) << 33);
  g_assert_cmpuint (head.start_pts, <, G_GUINT64_CONSTANT (1) << 33);
}

/* Sync bytes are put in, or the fuzzer would spend its time on finding them. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) raw = g_bytes_new (data, size);
  g_autoptr (GBytes) synced = NULL;
  guint8 *copy = g_memdup2 (data, size);
  gsize i;

  for (i = 0; i < size; i += PACKET)
    copy[i] = 0x47;
  synced = g_bytes_new_take (copy, size);
  check_scan (raw, FALSE);
  check_scan (synced, FALSE);
  check_scan (synced, TRUE);
  check_head (raw);
  check_head (synced);
  return 0;
}
