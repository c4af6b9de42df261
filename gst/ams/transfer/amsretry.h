/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When to try again after a failure. Pure: the time and the random number are
 * passed in. Times are µs, as from g_get_monotonic_time(). */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The classes of failure, which are also the codes of AMS_STORE_ERROR. */
typedef enum
{
  AMS_FAILURE_TRANSIENT, /* a reset, a timeout, a 5xx, an I/O error: soon again */
  AMS_FAILURE_THROTTLED, /* the store asks for less: 429, 503 with Retry-After */
  AMS_FAILURE_FULL, /* no room: ENOSPC, EDQUOT, 507 */
  AMS_FAILURE_PERMANENT, /* needs somebody to do something: said at once, tried slowly */
  AMS_FAILURE_EXISTS, /* another file has the name, and it is not to be replaced: never again */
  AMS_FAILURE_ABSENT, /* there is no such file: never again */
  AMS_FAILURE_LOST, /* the bytes to put are gone (fsync() or close() failed): never again */
  AMS_FAILURE_UNSUPPORTED, /* this store cannot do that: never again */
  AMS_FAILURE_BUSY, /* another recorder writes this recording: nothing more is put, and what waits is kept */
} AmsFailure;

#define AMS_RETRY_FOREVER G_MAXINT64

typedef struct
{
  gint64 retry_for; /* µs since hand-over; AMS_RETRY_FOREVER */
} AmsRetryPolicy;

const gchar *ams_failure_to_string (AmsFailure failure);

/* How long to wait before the next attempt, in µs. @attempts: those made, ≥ 1.
 * @retry_after: what the store asked for, in s, 0 if it did not.
 * @random: in [0, 1). */
gint64 ams_retry_delay (AmsFailure failure, guint attempts, guint retry_after,
    gdouble random);

/* Whether a file that was handed over @age µs ago is to be tried again. */
gboolean ams_retry_goes_on (const AmsRetryPolicy *policy, AmsFailure failure,
    gint64 age);

G_END_DECLS
