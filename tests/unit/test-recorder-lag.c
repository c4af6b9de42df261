/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../../examples/recorder/lag.h"

#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS (SECOND / 1000)
#define FRAME (40 * MS)

typedef struct
{
  Lag lag;
  gint64 now;
  gint64 time; /* of the next buffer, with all that was found missing */
  gint64 missing; /* in all */
  guint found; /* so often */
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  lag_reset (&f->lag);
  f->now = 77 * SECOND;
  f->time = 12 * SECOND;
}

static LagVerdict
arrives (Fixture *f)
{
  gint64 missing = 0;
  LagVerdict verdict = lag_judge (&f->lag, f->now, f->now - f->time, &missing);

  if (verdict == LAG_MISSING) {
    g_assert_cmpint (missing, >, 0);
    f->time += missing;
    f->missing += missing;
    f->found++;
  } else {
    g_assert_cmpint (missing, ==, 0);
  }
  f->time += FRAME;
  return verdict;
}

/* Media of @seconds, at the speed of @speed, up to @jitter late. */
static void
runs (Fixture *f, gdouble seconds, gdouble speed, gint64 jitter)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  guint i, n = seconds * SECOND / FRAME;
  gint64 at = f->now;

  for (i = 0; i < n; i++) {
    at += FRAME / speed;
    f->now = MAX (f->now, at + (gint64) (g_rand_double (rand) * jitter));
    arrives (f);
  }
}

static void
assert_missing (Fixture *f, gint64 expected, guint found)
{
  g_assert_cmpuint (f->found, ==, found);
  g_assert_cmpint (ABS (f->missing - expected), <=, 50 * MS * MAX (found, 1));
}

static void
test_jitter_is_nothing (Fixture *f, gconstpointer data)
{
  runs (f, 600, 1, 400 * MS);
  assert_missing (f, 0, 0);
}

static void
test_closed_hole_is_found (Fixture *f, gconstpointer data)
{
  runs (f, 7, 1, 20 * MS);
  f->now += 850 * MS;
  g_assert_cmpint (arrives (f), ==, LAG_WAIT);
  runs (f, 2, 1, 20 * MS);
  assert_missing (f, 850 * MS, 1);
  runs (f, 60, 1, 20 * MS);
  assert_missing (f, 850 * MS, 1);
}

static void
test_each_hole_is_found (Fixture *f, gconstpointer data)
{
  guint i;

  for (i = 1; i <= 5; i++) {
    runs (f, 3, 1, 20 * MS);
    f->now += i * SECOND;
  }
  runs (f, 3, 1, 20 * MS);
  assert_missing (f, 15 * SECOND, 5);
}

/* One buffer is timed by the old clock reference. */
static void
test_bogus_first_is_left_aside (Fixture *f, gconstpointer data)
{
  runs (f, 20, 1, 0);
  f->now += 2 * SECOND;
  f->time -= 18 * SECOND;
  g_assert_cmpint (arrives (f), ==, LAG_WAIT);
  f->time += 18 * SECOND - FRAME;
  runs (f, 2, 1, 0);
  assert_missing (f, 2 * SECOND, 1);
}

/* The times have the hole themselves. */
static void
test_open_hole_is_nothing (Fixture *f, gconstpointer data)
{
  runs (f, 7, 1, 20 * MS);
  f->now += 3 * SECOND;
  f->time += 3 * SECOND;
  g_assert_cmpint (arrives (f), ==, LAG_GOES_ON);
  runs (f, 20, 1, 20 * MS);
  assert_missing (f, 0, 0);
}

static void
test_stall_and_burst_is_nothing (Fixture *f, gconstpointer data)
{
  runs (f, 7, 1, 20 * MS);
  f->now += 3 * SECOND;
  g_assert_cmpint (arrives (f), ==, LAG_WAIT);
  runs (f, 3, 100, 0);
  g_assert_cmpint (arrives (f), ==, LAG_GOES_ON);
  runs (f, 20, 1, 20 * MS);
  assert_missing (f, 0, 0);
}

static void
test_stall_caught_up_slowly_is_nothing (Fixture *f, gconstpointer data)
{
  runs (f, 7, 1, 20 * MS);
  f->now += 2 * SECOND;
  runs (f, 7, 1.5, 0);
  runs (f, 20, 1, 20 * MS);
  assert_missing (f, 0, 0);
}

/* A server's buffer comes first, in a burst. */
static void
test_burst_at_start_is_nothing (Fixture *f, gconstpointer data)
{
  runs (f, 3, 50, 0);
  runs (f, 60, 1, 20 * MS);
  assert_missing (f, 0, 0);
}

static void
test_slow_clock_is_found (Fixture *f, gconstpointer data)
{
  runs (f, 3600, 0.999, 20 * MS);
  g_assert_cmpuint (f->found, ==, 3);
  g_assert_cmpint (f->missing, >, 3 * SECOND);
  g_assert_cmpint (f->missing, <, 4 * SECOND);
}

static void
test_short_holes_add_up (Fixture *f, gconstpointer data)
{
  guint i;

  for (i = 0; i < 10; i++) {
    runs (f, 12, 1, 20 * MS);
    f->now += 250 * MS;
  }
  runs (f, 20, 1, 20 * MS);
  g_assert_cmpint (f->missing, >=, 2 * SECOND);
  g_assert_cmpint (f->missing, <=, 2900 * MS);
}

/* The source dies again before it is clear. */
static void
test_silent_again_is_no_verdict (Fixture *f, gconstpointer data)
{
  runs (f, 7, 1, 0);
  f->now += SECOND;
  g_assert_cmpint (arrives (f), ==, LAG_WAIT);
  f->now += 5 * SECOND;
  g_assert_cmpint (arrives (f), ==, LAG_GOES_ON);
  runs (f, 20, 1, 0);
  assert_missing (f, 6 * SECOND - 2 * FRAME, 1);
}

#define ADD(name, func) \
  g_test_add ("/recorder-lag/" name, Fixture, NULL, setup, func, NULL)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("jitter/nothing", test_jitter_is_nothing);
  ADD ("closed-hole/found", test_closed_hole_is_found);
  ADD ("closed-holes/each-found", test_each_hole_is_found);
  ADD ("bogus-first/left-aside", test_bogus_first_is_left_aside);
  ADD ("open-hole/nothing", test_open_hole_is_nothing);
  ADD ("stall-and-burst/nothing", test_stall_and_burst_is_nothing);
  ADD ("stall-caught-up-slowly/nothing",
      test_stall_caught_up_slowly_is_nothing);
  ADD ("burst-at-start/nothing", test_burst_at_start_is_nothing);
  ADD ("slow-clock/found", test_slow_clock_is_found);
  ADD ("short-holes/add-up", test_short_holes_add_up);
  ADD ("silent-again/no-verdict", test_silent_again_is_no_verdict);
  return g_test_run ();
}
