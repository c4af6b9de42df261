/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A circuit breaker for one endpoint: while it does not answer, or refuses
 * everything, one job at a time finds out whether that is over, and the rest wait. So a
 * backlog of a thousand files is no thousand attempts a second, and nobody waits for a
 * long back-off of his own once the endpoint is back. Pure; times are µs. */

#pragma once

#include "transfer/amsretry.h"

G_BEGIN_DECLS

typedef struct
{
  guint streak; /* failures since something succeeded */
  gboolean open;
  gint64 until; /* no attempt before that */
} AmsBreaker;

/* An attempt has failed: @http_status 0: no answer came. TRUE: it says something of the endpoint,
 * not only of the file. @delay: until the endpoint is tried again. */
gboolean ams_breaker_fail (AmsBreaker *breaker, AmsFailure failure,
    guint http_status, gint64 now, gint64 delay);
/* Of the failures in a row, for ams_retry_delay(). */
guint ams_breaker_get_streak (const AmsBreaker *breaker);
/* TRUE: the endpoint had been away, and is back. */
gboolean ams_breaker_succeed (AmsBreaker *breaker);
/* Whether another attempt may begin beside @in_flight others; else *@next is when to
 * ask again, at the latest (AMS_RETRY_FOREVER: when one of those has ended). */
gboolean ams_breaker_allows (const AmsBreaker *breaker, guint in_flight,
    gint64 now, gint64 *next);

G_END_DECLS
