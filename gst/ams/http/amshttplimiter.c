/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttplimiter.h"

#define MICRO 1000000
/* bytes/s; beyond it, the arithmetic would overflow, and no limit is needed. */
#define MAX_RATE (G_MAXINT64 / MICRO / 2)

static gint64
burst_of (const AmsHttpLimiter *limiter)
{
  return (gint64) limiter->rate * (AMS_HTTP_LIMITER_BURST * 1000);
}

static void
fill (AmsHttpLimiter *limiter, gint64 now)
{
  gint64 elapsed = MAX (now - limiter->updated, 0);
  gint64 missing = burst_of (limiter) - limiter->balance;

  limiter->updated = MAX (now, limiter->updated);
  if (missing <= 0)
    return;
  if (elapsed >= missing / (gint64) limiter->rate + 1)
    limiter->balance += missing;
  else
    limiter->balance += elapsed * (gint64) limiter->rate;
}

void
ams_http_limiter_init (AmsHttpLimiter *limiter, guint64 bitrate, gint64 now)
{
  limiter->rate = bitrate > 0 ? MAX (bitrate / 8, 1) : 0;
  if (limiter->rate > MAX_RATE)
    limiter->rate = 0;
  limiter->balance = burst_of (limiter);
  limiter->updated = now;
}

gint64
ams_http_limiter_delay (AmsHttpLimiter *limiter, gint64 now)
{
  if (limiter->rate == 0)
    return 0;
  fill (limiter, now);
  if (limiter->balance > 0)
    return 0;
  return -limiter->balance / (gint64) limiter->rate + 1;
}

gsize
ams_http_limiter_clip (AmsHttpLimiter *limiter, gsize size, gint64 now)
{
  guint64 block;

  if (limiter->rate == 0)
    return size;
  fill (limiter, now);
  block = MAX (limiter->rate * AMS_HTTP_LIMITER_BLOCK / 1000,
      AMS_HTTP_LIMITER_MIN_BLOCK);
  if (limiter->balance > 0)
    block = MAX (block, (guint64) limiter->balance / MICRO);
  return MIN (size, block);
}

void
ams_http_limiter_spend (AmsHttpLimiter *limiter, gsize bytes, gint64 now)
{
  if (limiter->rate == 0)
    return;
  fill (limiter, now);
  limiter->balance -= (gint64) bytes * MICRO;
}
