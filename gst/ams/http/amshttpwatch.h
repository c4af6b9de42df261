/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether bytes move fast enough. Pure: what has moved and the time are passed in. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_HTTP_STALL_BYTES 8192
/* Bytes per second on the whole: less than this from beginning to end, after twice the timeout, is
 * an error (unless one of the timeouts is none). Half of what the slowest link has on which files
 * shall go through. */
#define AMS_HTTP_SLOWEST 512

typedef enum
{
  AMS_HTTP_WATCH_FINE,
  AMS_HTTP_WATCH_SILENT, /* nothing moved for the timeout */
  AMS_HTTP_WATCH_OVERDUE, /* it has gone on for too long */
  AMS_HTTP_WATCH_STALLED, /* fewer than AMS_HTTP_STALL_BYTES in the stall timeout */
} AmsHttpVerdict;

typedef struct
{
  gint64 timeout, stall_timeout; /* µs; 0: none */
  guint64 moved; /* bytes so far */
  gint64 moved_at; /* µs */
  guint64 window_moved; /* when the stall timeout began */
  gint64 window_start; /* µs */
  guint64 size, began_moved; /* bytes */
  gint64 began, looked, held; /* µs; held: held back in all */
} AmsHttpWatch;

/* Timeouts in s, @now in µs. */
void ams_http_watch_begin (AmsHttpWatch *watch, guint timeout,
    guint stall_timeout, guint64 moved, gint64 now);
/* After begin: at least @size bytes are to move, for which there is time. */
void ams_http_watch_expect (AmsHttpWatch *watch, guint64 size);
/* µs that all of it may take, given what has moved; 0: for ever */
gint64 ams_http_watch_deadline (const AmsHttpWatch *watch, guint64 moved);
/* @flows: bytes should come or go, and no server needs time to think. @held_back: we
 * let nothing move ourselves. */
AmsHttpVerdict ams_http_watch_look (AmsHttpWatch *watch, guint64 moved,
    gboolean flows, gboolean held_back, gint64 now);

G_END_DECLS
