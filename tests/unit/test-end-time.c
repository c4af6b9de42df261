/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recording/amsendtime.h"

#define SECOND G_GINT64_CONSTANT (1000000000)
#define PTS(s) ((guint64) (s) *90000)
#define WRAP (G_GUINT64_CONSTANT (1) << 33)
#define WRAP_NS (G_GINT64_CONSTANT (8589934592) * 100000 / 9)
#define HOUR 3600
#define UNKNOWN AMS_PTS_UNKNOWN
#define NONE AMS_TIME_NONE
/* What is added to the sum, so that rounding makes no frame too early. */
#define MARGIN (SECOND / 100)

typedef struct
{
  const gchar *name;
  AmsEnd end;
  gint64 time; /* ns */
} Case;

static const Case cases[] = {
  { "nothing-listed/none", { UNKNOWN, 0, 0, UNKNOWN }, NONE },
  { "one-session/sum", { PTS (10), 0, 10 * SECOND, PTS (20) },
      20 * SECOND + MARGIN },
  /* Time stamps went on through a hole that no EXTINF has. */
  { "end-is-later/end", { PTS (10), 0, 10 * SECOND, PTS (25) }, 25 * SECOND },
  /* Version 0.1.0: 10 s, then another 10 s that began anew at 3610 s. */
  { "sessions-began-anew/sum", { PTS (3610), 0, 20 * SECOND, PTS (3620) },
      3630 * SECOND + MARGIN },
  { "end-unknown/sum", { PTS (10), 0, 20 * SECOND, UNKNOWN },
      30 * SECOND + MARGIN },
  { "first-unknown/later-of-end-and-usual-begin",
      { UNKNOWN, 0, 20 * SECOND, PTS (100) }, 100 * SECOND },
  { "first-unknown-sum-is-later/usual-begin",
      { UNKNOWN, 0, 200 * SECOND, PTS (100) }, 210 * SECOND + MARGIN },
  { "both-unknown/usual-begin", { UNKNOWN, 0, 20 * SECOND, UNKNOWN },
      30 * SECOND + MARGIN },
  { "gaps-first/do-not-count", { PTS (30), 20 * SECOND, 60 * SECOND, PTS (70) },
      70 * SECOND + MARGIN },
  { "only-gaps-before/first", { PTS (30), 60 * SECOND, 60 * SECOND, UNKNOWN },
      30 * SECOND + MARGIN },
  { "more-skipped-than-listed/first",
      { PTS (30), 70 * SECOND, 60 * SECOND, UNKNOWN }, 30 * SECOND + MARGIN },
  /* A window, hours after the beginning. */
  { "live-window/end", { PTS (5 * HOUR), 0, 30 * SECOND, PTS (5 * HOUR + 31) },
      (5 * HOUR + 31) * SECOND },

  /* The 33 bits */
  { "wrapped-since-first/unwrapped",
      { WRAP - PTS (10), 0, 20 * SECOND, PTS (15) },
      WRAP_NS + 15 * SECOND + 1 },
  { "sum-past-the-wrap/not-wrapped",
      { WRAP - PTS (10), 0, 20 * SECOND, PTS (10) },
      WRAP_NS + 10 * SECOND + MARGIN + 1 },
  { "three-days/nearest",
      { PTS (10), 0, 3 * 24 * HOUR *SECOND,
          (PTS (3 * 24 * HOUR + 12)) & (WRAP - 1) },
      (3 * 24 * HOUR + 12) * SECOND },
  /* 24 h, the last 5 h of which began anew: 5 h may as well be 31.5 h. */
  { "anew-and-long/not-ahead",
      { PTS (10), 0, 24 * HOUR *SECOND, PTS (5 * HOUR) },
      (24 * HOUR + 10) * SECOND + MARGIN },
  { "anew-across-the-wrap/not-ahead",
      { PTS (10), 0, 30 * HOUR *SECOND, PTS (25 * HOUR) },
      (30 * HOUR + 10) * SECOND + MARGIN },

  /* What a hostile list may say */
  { "longest/finite", { PTS (10), 0, G_GUINT64_CONSTANT (1) << 60, UNKNOWN },
      (G_GINT64_CONSTANT (1) << 60) + 10 * SECOND + MARGIN + 24 },
  { "too-long/none", { PTS (10), 0, (G_GUINT64_CONSTANT (1) << 60) + 1, 0 },
      NONE },
  { "endless/none", { PTS (10), 0, G_MAXUINT64, PTS (20) }, NONE },
};

/* The time stamp is a whole number of ticks: up to one later. */
static void
test_case (gconstpointer data)
{
  const Case *c = data;
  gint64 time = ams_end_time (&c->end);

  if (c->time == NONE) {
    g_assert_cmpint (time, ==, NONE);
    return;
  }
  g_assert_cmpint (time, >=, c->time);
  g_assert_cmpint (time, <, c->time + 100000 / 9 + 1);
}

static void
test_added_counted (void)
{
  AmsEnd end = AMS_END_INIT;

  g_assert_cmpint (ams_end_time (&end), ==, NONE);
  end.first_pts = PTS (10);
  ams_end_add (&end, 4 * SECOND, PTS (14));
  ams_end_add (&end, 4 * SECOND, PTS (19));
  g_assert_cmpuint (end.duration, ==, 8 * SECOND);
  g_assert_cmpint (ams_end_time (&end), ==, 19 * SECOND);
}

static void
test_added_endless_saturates (void)
{
  AmsEnd end = AMS_END_INIT;
  guint i;

  for (i = 0; i < 100; i++)
    ams_end_add (&end, G_MAXUINT64, 0);
  g_assert_cmpint (ams_end_time (&end), ==, NONE);
}

static void
test_add_time_wraps (void)
{
  g_assert_cmpuint (ams_end_add_time (PTS (1), 2 * SECOND), ==, PTS (3));
  g_assert_cmpuint (ams_end_add_time (WRAP - PTS (1), 2 * SECOND), ==, PTS (1));
  g_assert_cmpuint (ams_end_add_time (0, G_MAXUINT64), <, WRAP);
}

/* However it is rounded, the next session's first time stamp is never before the
 * place that a player computes in microseconds. */
static void
test_sum_never_early (void)
{
  guint round;

  for (round = 0; round < 10000; round++) {
    AmsEnd end = AMS_END_INIT;
    gint64 first_us, place_us, time;

    end.first_pts = g_random_int ();
    end.duration = (guint64) g_random_int () * 1000 + 1000;
    first_us = end.first_pts * 100 / 9 + 1;
    place_us = first_us + end.duration / 1000;
    time = ams_end_time (&end);
    g_assert_cmpint (time / 1000 - 12, >=, place_us);
  }
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strconcat ("/end-time/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/end-time/added/counted", test_added_counted);
  g_test_add_func ("/end-time/added-endless/saturates",
      test_added_endless_saturates);
  g_test_add_func ("/end-time/add-time/wraps", test_add_time_wraps);
  g_test_add_func ("/end-time/sum/never-early", test_sum_never_early);
  return g_test_run ();
}
