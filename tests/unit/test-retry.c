/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsretry.h"

#define S G_TIME_SPAN_SECOND

static const struct
{
  AmsFailure failure;
  guint attempts, retry_after;
  gdouble random;
  gint64 delay;
} delays[] = {
  { AMS_FAILURE_TRANSIENT, 1, 0, 0.0, 0 },
  { AMS_FAILURE_TRANSIENT, 1, 0, 0.5, S / 20 },
  { AMS_FAILURE_TRANSIENT, 3, 0, 0.5, S / 5 },
  { AMS_FAILURE_TRANSIENT, 4000000000, 0, 0.5, 15 * S },
  { AMS_FAILURE_THROTTLED, 1, 0, 0.5, S / 2 },
  { AMS_FAILURE_THROTTLED, 1, 7, 0.5, 7 * S },
  { AMS_FAILURE_THROTTLED, 10, 7, 0.5, 15 * S },
  { AMS_FAILURE_THROTTLED, 1, 86400, 0.0, 300 * S },
  { AMS_FAILURE_FULL, 1, 0, 0.5, 5 * S / 2 },
  { AMS_FAILURE_FULL, 9, 0, 0.5, 15 * S },
  { AMS_FAILURE_PERMANENT, 1, 0, 0.0, 60 * S },
  { AMS_FAILURE_PERMANENT, 9, 0, 0.9, 60 * S },
};

static void
test_delay_table_is_kept (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (delays); i++)
    g_assert_cmpint (ams_retry_delay (delays[i].failure, delays[i].attempts,
                         delays[i].retry_after, delays[i].random),
        ==, delays[i].delay);
}

static void
test_goes_on_by_age (void)
{
  AmsRetryPolicy policy = { 10 * S };

  g_assert_true (ams_retry_goes_on (&policy, AMS_FAILURE_TRANSIENT, 9 * S));
  g_assert_false (ams_retry_goes_on (&policy, AMS_FAILURE_TRANSIENT, 10 * S));
  policy.retry_for = AMS_RETRY_FOREVER;
  g_assert_true (
      ams_retry_goes_on (&policy, AMS_FAILURE_PERMANENT, G_MAXINT64));
}

static void
test_goes_on_never_when_it_cannot_help (void)
{
  AmsRetryPolicy policy = { AMS_RETRY_FOREVER };

  g_assert_false (ams_retry_goes_on (&policy, AMS_FAILURE_EXISTS, 0));
  g_assert_false (ams_retry_goes_on (&policy, AMS_FAILURE_ABSENT, 0));
  g_assert_false (ams_retry_goes_on (&policy, AMS_FAILURE_LOST, 0));
  g_assert_false (ams_retry_goes_on (&policy, AMS_FAILURE_UNSUPPORTED, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retry/delay/table-is-kept", test_delay_table_is_kept);
  g_test_add_func ("/retry/goes-on/by-age", test_goes_on_by_age);
  g_test_add_func ("/retry/goes-on/never-when-it-cannot-help",
      test_goes_on_never_when_it_cannot_help);
  return g_test_run ();
}
