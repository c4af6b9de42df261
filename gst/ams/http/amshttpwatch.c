/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpwatch.h"

void
ams_http_watch_begin (AmsHttpWatch *watch, guint timeout, guint stall_timeout,
    guint64 moved, gint64 now)
{
  watch->timeout = (gint64) timeout * G_USEC_PER_SEC;
  watch->stall_timeout = (gint64) stall_timeout * G_USEC_PER_SEC;
  watch->moved = watch->window_moved = moved;
  watch->moved_at = watch->window_start = now;
  watch->size = 0;
  watch->began_moved = moved;
  watch->began = watch->looked = now;
  watch->held = 0;
}

void
ams_http_watch_expect (AmsHttpWatch *watch, guint64 size)
{
  watch->size = size;
}

/* What is sent has a size; an answer earns its time as it comes. */
gint64
ams_http_watch_deadline (const AmsHttpWatch *watch, guint64 moved)
{
  guint64 size = MAX (watch->size, moved - watch->began_moved);

  if (watch->timeout == 0 || watch->stall_timeout == 0)
    return 0;
  return 2 * watch->timeout +
      (gint64) (size / AMS_HTTP_SLOWEST) * G_USEC_PER_SEC;
}

static gboolean
is_overdue (AmsHttpWatch *watch, guint64 moved, gboolean held_back, gint64 now)
{
  gint64 deadline = ams_http_watch_deadline (watch, moved);

  if (held_back)
    watch->held += now - watch->looked;
  watch->looked = now;
  return deadline > 0 && now - watch->began - watch->held >= deadline;
}

static gboolean
is_silent (AmsHttpWatch *watch, guint64 moved, gboolean held_back, gint64 now)
{
  if (moved != watch->moved || held_back) {
    watch->moved = moved;
    watch->moved_at = now;
  }
  return watch->timeout > 0 && now - watch->moved_at >= watch->timeout;
}

static gboolean
is_stalled (AmsHttpWatch *watch, guint64 moved, gboolean counts, gint64 now)
{
  if (counts && now - watch->window_start < watch->stall_timeout)
    return FALSE;
  if (counts && watch->stall_timeout > 0 &&
      moved - watch->window_moved < AMS_HTTP_STALL_BYTES)
    return TRUE;
  watch->window_start = now;
  watch->window_moved = moved;
  return FALSE;
}

AmsHttpVerdict
ams_http_watch_look (AmsHttpWatch *watch, guint64 moved, gboolean flows,
    gboolean held_back, gint64 now)
{
  if (is_silent (watch, moved, held_back, now))
    return AMS_HTTP_WATCH_SILENT;
  if (is_stalled (watch, moved, flows && !held_back, now))
    return AMS_HTTP_WATCH_STALLED;
  if (is_overdue (watch, moved, held_back, now))
    return AMS_HTTP_WATCH_OVERDUE;
  return AMS_HTTP_WATCH_FINE;
}
