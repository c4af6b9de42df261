/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a segment begins. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 index; /* counts the cuts of all renditions alike, from 0 */
  gint64 pts; /* ns on the recording's time line, of the first unit */
  gint64 date_time; /* µs since 1970 UTC, of `pts` */
  gint64 running_time; /* ns, of `pts`, as it came in */
  gboolean discontinuity; /* EXT-X-DISCONTINUITY in front of it */
} AmsCut;

G_END_DECLS
