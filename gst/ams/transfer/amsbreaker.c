/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsbreaker.h"

/* So many failures in a row, whatever they are, are the endpoint's. One file that it
 * does not like is not. */
#define STREAK 3

static gboolean
is_endpoints (const AmsBreaker *self, AmsFailure failure, guint http_status)
{
  switch (failure) {
    case AMS_FAILURE_THROTTLED:
    case AMS_FAILURE_FULL:
      return TRUE;
    case AMS_FAILURE_TRANSIENT:
      return http_status == 0 || self->streak >= STREAK;
    case AMS_FAILURE_PERMANENT:
      return self->streak >= STREAK;
    default:
      return FALSE;
  }
}

gboolean
ams_breaker_fail (AmsBreaker *self, AmsFailure failure, guint http_status,
    gint64 now, gint64 delay)
{
  self->streak++;
  if (!is_endpoints (self, failure, http_status))
    return FALSE;
  self->open = TRUE;
  self->until = MAX (self->until, now + delay);
  return TRUE;
}

guint
ams_breaker_get_streak (const AmsBreaker *self)
{
  return self->streak;
}

gboolean
ams_breaker_succeed (AmsBreaker *self)
{
  gboolean was_away = self->open && self->streak >= STREAK;

  *self = (AmsBreaker){ 0 };
  return was_away;
}

gboolean
ams_breaker_allows (const AmsBreaker *self, guint in_flight, gint64 now,
    gint64 *next)
{
  *next = AMS_RETRY_FOREVER;
  if (!self->open)
    return TRUE;
  if (in_flight > 0)
    return FALSE;
  *next = self->until;
  return now >= self->until;
}
