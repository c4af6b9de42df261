/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "playlist/amsbandwidth.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)
#define MAX_SEGMENTS 6

typedef struct
{
  const gchar *what;
  guint target; /* s */
  struct
  {
    guint64 size; /* bytes; 0 with a duration of 0: a gap */
    guint64 duration; /* ms */
  } segments[MAX_SEGMENTS];
  guint n;
  guint64 peak, average;
} Vector;

static const Vector vectors[] = {
  { "one segment", 4, { { 500000, 4000 } }, 1, 1000000, 1000000 },
  { "the peak is a segment", 4,
      { { 500000, 4000 }, { 1000000, 4000 }, { 500000, 4000 } }, 3, 2000000,
      1333334 },
  /* 125000 bytes in 1 s are less than half of the target long: only with a
   * neighbour do they count. */
  { "a short segment counts with its neighbours", 4,
      { { 500000, 4000 }, { 250000, 1000 }, { 500000, 4000 } }, 3, 1200000,
      1111112 },
  { "half of the target counts", 4, { { 500000, 4000 }, { 500000, 2000 } }, 2,
      2000000, 1333334 },
  { "one and a half targets count", 4,
      { { 1000000, 1900 }, { 10000, 2200 }, { 1000000, 1900 } }, 3, 2680000,
      2680000 },
  { "more does not", 4,
      { { 100000, 1000 }, { 600000, 1900 }, { 100000, 4000 } }, 3, 1931035,
      927537 },
  { "a gap parts runs", 4,
      { { 500000, 4000 }, { 500000, 1000 }, { 0, 0 }, { 500000, 1000 },
          { 500000, 4000 } },
      5, 1600000, 1600000 },
  { "all is too short for a peak", 10, { { 100000, 1000 }, { 200000, 1000 } },
      2, 1200000, 1200000 },
  { "a segment that is longer than any run", 2,
      { { 500000, 2000 }, { 2000000, 4000 }, { 500000, 2000 } }, 3, 4000000,
      3000000 },
  { "a segment without duration", 2,
      { { 500000, 2000 }, { 1000, 0 }, { 500000, 2000 } }, 3, 2004000,
      2002000 },
  { "no rate of nothing", 2, { { 0, 0 } }, 0, 0, 0 },
};

static void
test_rates (gconstpointer data)
{
  const Vector *vector = data;
  g_autoptr (AmsBandwidth) bandwidth = ams_bandwidth_new (vector->target);
  AmsBitRates rates, recent;

  for (guint i = 0; i < vector->n; i++) {
    if (vector->segments[i].size == 0)
      ams_bandwidth_add_gap (bandwidth);
    else
      ams_bandwidth_add (bandwidth, vector->segments[i].size,
          vector->segments[i].duration * MS);
  }
  rates = ams_bandwidth_get (bandwidth);
  recent = ams_bandwidth_get_recent (bandwidth);
  g_assert_cmpuint (rates.peak, ==, vector->peak);
  g_assert_cmpuint (rates.average, ==, vector->average);
  g_assert_cmpuint (recent.peak, ==, vector->peak);
  g_assert_cmpuint (recent.average, ==, vector->average);
}

/* As the definition has it, over all pairs of a first and a last segment. */
static gdouble
get_peak_slowly (const guint64 *sizes, const guint64 *durations, guint n,
    guint64 target)
{
  gdouble peak = 0;

  for (guint first = 0; first < n; first++) {
    guint64 size = 0, duration = 0;

    for (guint last = first; last < n; last++) {
      size += sizes[last];
      duration += durations[last];
      if (2 * duration >= target && 2 * duration <= 3 * target)
        peak = MAX (peak, size * 8e9 / duration);
    }
  }
  return peak;
}

static void
test_peak_is_that_of_the_definition (void)
{
  for (guint round = 0; round < 50; round++) {
    guint64 sizes[60], durations[60];
    g_autoptr (AmsBandwidth) bandwidth = ams_bandwidth_new (6);

    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      sizes[i] = g_test_rand_int_range (1, 5000000);
      durations[i] = g_test_rand_int_range (100, 6500) * MS;
      ams_bandwidth_add (bandwidth, sizes[i], durations[i]);
    }
    g_assert_cmpfloat_with_epsilon (ams_bandwidth_get (bandwidth).peak,
        get_peak_slowly (sizes, durations, G_N_ELEMENTS (sizes), 6 * SECOND),
        1);
  }
}

/* A year of segments of 2 s, of which the last hour has twice the rate. */
static void
test_average_of_the_last_hour (void)
{
  const guint year = 365 * 24 * 1800, hour = 1800;
  g_autoptr (AmsBandwidth) bandwidth = ams_bandwidth_new (2);

  for (guint i = 0; i < year; i++)
    ams_bandwidth_add (bandwidth, 500000, 2 * SECOND);
  g_assert_cmpuint (ams_bandwidth_get_recent (bandwidth).average, ==, 2000000);
  for (guint i = 0; i < hour - 30; i++)
    ams_bandwidth_add (bandwidth, 1000000, 2 * SECOND);
  /* 59 minutes of 4 Mbit/s, one of 2 */
  g_assert_cmpuint (ams_bandwidth_get_recent (bandwidth).average, ==, 3966667);
  for (guint i = 0; i < 30; i++)
    ams_bandwidth_add (bandwidth, 1000000, 2 * SECOND);
  g_assert_cmpuint (ams_bandwidth_get_recent (bandwidth).average, ==, 4000000);
  g_assert_cmpuint (ams_bandwidth_get (bandwidth).average, <, 2001000);
  g_assert_cmpuint (ams_bandwidth_get (bandwidth).peak, ==, 4000000);
  g_assert_cmpuint (ams_bandwidth_get_length (bandwidth), ==, year + hour);
}

/* So many that they would not fit: they count all the same. */
static void
test_tiny_segments (void)
{
  g_autoptr (AmsBandwidth) bandwidth = ams_bandwidth_new (10);

  for (guint i = 0; i < 100000; i++)
    ams_bandwidth_add (bandwidth, i < 50000 ? 125 : 250, MS);
  g_assert_cmpuint (ams_bandwidth_get (bandwidth).peak, ==, 2000000);
}

static void
test_raised_target (void)
{
  g_autoptr (AmsBandwidth) bandwidth = ams_bandwidth_new (2);

  ams_bandwidth_set_target_duration (bandwidth, 4);
  ams_bandwidth_add (bandwidth, 500000, 4 * SECOND);
  ams_bandwidth_add (bandwidth, 500000, 1 * SECOND);
  g_assert_cmpuint (ams_bandwidth_get (bandwidth).peak, ==, 1600000);
}

static void
test_groups (void)
{
  static const AmsBitRates sounds[] = { { 128000, 96000 }, { 96000, 95000 },
    { 64000, 97000 } };
  static const AmsBitRates texts[] = { { 0, 0 }, { 1000, 100 } };
  AmsBitRates sum = { 2000000, 1500000 };

  ams_bit_rates_add_group (&sum, sounds, G_N_ELEMENTS (sounds));
  ams_bit_rates_add_group (&sum, texts, G_N_ELEMENTS (texts));
  ams_bit_rates_add_group (&sum, NULL, 0);
  g_assert_cmpuint (sum.peak, ==, 2129000);
  g_assert_cmpuint (sum.average, ==, 1597100);
}

/* ---- what is declared ---- */

typedef struct
{
  AmsBitRates measured;
  gboolean written;
  AmsBitRates declared;
} Step;

static const Step steps[] = {
  { { 2000000, 1500000 }, TRUE, { 2200000, 1650000 } },
  { { 2000000, 1500000 }, FALSE, { 2200000, 1650000 } },
  { { 2749999, 1500000 }, FALSE, { 2200000, 1650000 } },
  { { 2750000, 1400000 }, TRUE, { 3030000, 1650000 } },
  { { 2750000, 1814999 }, FALSE, { 3030000, 1650000 } },
  { { 2750000, 1815000 }, TRUE, { 3030000, 2000000 } },
  { { 2750000, 1000 }, FALSE, { 3030000, 2000000 } },
};

static void
test_declared_until_a_rule_is_broken (void)
{
  AmsDeclaredRates rates = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_assert_cmpint (ams_declared_rates_update (&rates, steps[i].measured), ==,
        steps[i].written);
    g_assert_cmpuint (rates.declared.peak, ==, steps[i].declared.peak);
    g_assert_cmpuint (rates.declared.average, ==, steps[i].declared.average);
  }
  g_assert_true (
      ams_declared_rates_finish (&rates, (AmsBitRates){ 2750000, 1600001 }));
  g_assert_cmpuint (rates.declared.peak, ==, 2750000);
  g_assert_cmpuint (rates.declared.average, ==, 1600001);
  g_assert_false (
      ams_declared_rates_finish (&rates, (AmsBitRates){ 2750000, 1600001 }));
}

static void
test_what_is_configured_stays (void)
{
  AmsDeclaredRates rates = { .configured = { 1000000, 0 } };

  g_assert_true (
      ams_declared_rates_update (&rates, (AmsBitRates){ 5000, 1000 }));
  g_assert_cmpuint (rates.declared.peak, ==, 1000000);
  g_assert_cmpuint (rates.declared.average, ==, 1100);
  g_assert_true (
      ams_declared_rates_update (&rates, (AmsBitRates){ 9000000, 3000000 }));
  g_assert_cmpuint (rates.declared.peak, ==, 1000000);
  /* At most the peak, whatever was measured. */
  g_assert_cmpuint (rates.declared.average, ==, 1000000);
  g_assert_false (
      ams_declared_rates_update (&rates, (AmsBitRates){ 9000000, 3000000 }));
  rates.configured.average = 800000;
  g_assert_true (
      ams_declared_rates_finish (&rates, (AmsBitRates){ 9000000, 3000000 }));
  g_assert_cmpuint (rates.declared.peak, ==, 1000000);
  g_assert_cmpuint (rates.declared.average, ==, 800000);
}

/* However a rate rises, it is declared again a few times only. */
static void
test_rising_rate_is_declared_seldom (void)
{
  AmsDeclaredRates rates = { 0 };
  guint written = 0;

  for (guint64 rate = 100000; rate <= 10000000; rate += 1000)
    written += ams_declared_rates_update (&rates, (AmsBitRates){ rate, rate });
  g_assert_cmpuint (written, <, 30);
  g_assert_cmpuint (rates.declared.peak * 125, >, 10000000 * 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++) {
    g_autofree gchar *path = g_strconcat ("/bandwidth/", vectors[i].what, NULL);

    g_test_add_data_func (path, &vectors[i], test_rates);
  }
  g_test_add_func ("/bandwidth/definition",
      test_peak_is_that_of_the_definition);
  g_test_add_func ("/bandwidth/last-hour", test_average_of_the_last_hour);
  g_test_add_func ("/bandwidth/tiny", test_tiny_segments);
  g_test_add_func ("/bandwidth/raised-target", test_raised_target);
  g_test_add_func ("/bandwidth/groups", test_groups);
  g_test_add_func ("/bandwidth/declared", test_declared_until_a_rule_is_broken);
  g_test_add_func ("/bandwidth/configured", test_what_is_configured_stays);
  g_test_add_func ("/bandwidth/rising", test_rising_rate_is_declared_seldom);
  return g_test_run ();
}
