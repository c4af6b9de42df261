/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsretry.h"

#define MAX_BACKOFF (30 * G_TIME_SPAN_SECOND)
#define MAX_RETRY_AFTER 300 /* s; http-put.md H12 */
#define PERMANENT_INTERVAL (60 * G_TIME_SPAN_SECOND)

static const gchar *const failure_names[] = {
  [AMS_FAILURE_TRANSIENT] = "transient",
  [AMS_FAILURE_THROTTLED] = "throttled",
  [AMS_FAILURE_FULL] = "full",
  [AMS_FAILURE_PERMANENT] = "permanent",
  [AMS_FAILURE_EXISTS] = "exists",
  [AMS_FAILURE_ABSENT] = "absent",
  [AMS_FAILURE_LOST] = "lost",
  [AMS_FAILURE_UNSUPPORTED] = "unsupported",
  [AMS_FAILURE_BUSY] = "busy",
};

const gchar *
ams_failure_to_string (AmsFailure failure)
{
  g_return_val_if_fail ((guint) failure < G_N_ELEMENTS (failure_names), "");

  return failure_names[failure];
}

static gint64
base_delay (AmsFailure failure)
{
  switch (failure) {
    case AMS_FAILURE_THROTTLED:
      return G_TIME_SPAN_SECOND;
    case AMS_FAILURE_FULL:
      return 5 * G_TIME_SPAN_SECOND;
    default:
      return G_TIME_SPAN_SECOND / 10;
  }
}

static gint64
backoff (AmsFailure failure, guint attempts)
{
  /* 0.1 s · 2^9 is past the cap already: no shift ever overflows. */
  guint doublings = MIN (MAX (attempts, 1) - 1, 16);

  return MIN (base_delay (failure) << doublings, MAX_BACKOFF);
}

gint64
ams_retry_delay (AmsFailure failure, guint attempts, guint retry_after,
    gdouble random)
{
  gint64 asked = MIN (retry_after, MAX_RETRY_AFTER) * G_TIME_SPAN_SECOND;

  /* Full jitter is for many clients hitting one store at once. Something that
   * waits for a person needs none, only an interval. */
  if (failure == AMS_FAILURE_PERMANENT)
    return MAX (asked, PERMANENT_INTERVAL);
  return MAX (asked, (gint64) (random * backoff (failure, attempts)));
}

gboolean
ams_retry_goes_on (const AmsRetryPolicy *policy, AmsFailure failure, gint64 age)
{
  switch (failure) {
    case AMS_FAILURE_EXISTS:
    case AMS_FAILURE_ABSENT:
    case AMS_FAILURE_LOST:
    case AMS_FAILURE_UNSUPPORTED:
    case AMS_FAILURE_BUSY:
      return FALSE;
    default:
      return policy->retry_for == AMS_RETRY_FOREVER || age < policy->retry_for;
  }
}
