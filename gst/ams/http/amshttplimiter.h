/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How many bytes may go at a given time: a token bucket that many streams share.
 * It may be overdrawn by one block, which is paid back before the next one, so the
 * rate holds in the long run whatever the size of the blocks. A caller asks how
 * large a block may be, so that it holds in the short run as well. Pure: the time is
 * passed in, in µs, as from g_get_monotonic_time(). */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 rate; /* bytes/s; 0: no limit */
  gint64 balance; /* bytes times 10⁶, so that nothing is lost to rounding */
  gint64 updated; /* µs */
} AmsHttpLimiter;

/* What may go at once after a pause: as much as in so many ms. */
#define AMS_HTTP_LIMITER_BURST 100
/* The smallest block: as much as goes in so many ms, or so many bytes. */
#define AMS_HTTP_LIMITER_BLOCK 10
#define AMS_HTTP_LIMITER_MIN_BLOCK 512

void ams_http_limiter_init (AmsHttpLimiter *limiter, guint64 bitrate,
    gint64 now);
/* µs until something may go again; 0: now. */
gint64 ams_http_limiter_delay (AmsHttpLimiter *limiter, gint64 now);
/* How many of @size bytes may go in one block when there is no delay: what the
 * bucket has, or a little more than that, for the blocks not to become tiny. At
 * least 1 unless @size is 0. */
gsize ams_http_limiter_clip (AmsHttpLimiter *limiter, gsize size, gint64 now);
/* @bytes went. */
void ams_http_limiter_spend (AmsHttpLimiter *limiter, gsize bytes, gint64 now);

G_END_DECLS
