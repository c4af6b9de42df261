/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "media/amsdecodetimes.h"

#define MS G_GINT64_CONSTANT (1000000)
#define FRAME 40 /* ms */

typedef struct
{
  const gchar *what;
  guint depth; /* that is known */
  guint n;
  gint pts[20]; /* ms, in decoding order */
  gint dts[20]; /* ms, as far as they are exact: -1000: any that is in order */
} Row;

#define ANY (-1000)

static const Row rows[] = {
  { "no reordering", 0, 4, { 0, 40, 80, 120 }, { 0, 40, 80, 120 } },
  { "one B picture", 1, 5, { 0, 80, 40, 160, 120 }, { -40, 0, 40, 80, 120 } },
  { "a pyramid", 2, 9, { 0, 160, 80, 40, 120, 320, 240, 200, 280 },
      { -80, -40, 0, 40, 80, 120, 160, 200, 240 } },
  /* 300 ms early, once the depth is known by one picture each. */
  { "none, and nobody says so", AMS_DECODE_TIMES_UNKNOWN, 4, { 0, 40, 80, 120 },
      { -300, -260, -220, -180 } },
  { "a pyramid that has to be learnt", AMS_DECODE_TIMES_UNKNOWN, 13,
      { 0, 160, 80, 40, 120, 320, 240, 200, 280, 480, 400, 360, 440 },
      { -300, -140, ANY, ANY, ANY, ANY, ANY, -100, -60, -20, 20, 60, 100 } },
  /* A sparse stream: the rate does not matter. */
  { "pictures seconds apart", 1, 5, { 0, 6000, 2500, 12000, 9000 },
      { -40, 0, 2500, 6000, 9000 } },
};

static void
check_order (const Row *row, guint i, gint64 dts, gint64 last)
{
  g_assert_cmpint (dts, <=, row->pts[i] * MS);
  if (i > 0)
    g_assert_cmpint (dts, >, last);
}

static void
test_times (void)
{
  for (guint r = 0; r < G_N_ELEMENTS (rows); r++) {
    const Row *row = &rows[r];
    g_autoptr (AmsDecodeTimes) times = ams_decode_times_new (row->depth);
    gint64 last = 0;

    for (guint i = 0; i < row->n; i++) {
      gint64 dts = ams_decode_times_next (times, row->pts[i] * MS, FRAME * MS);

      g_test_message ("%s: %d ms, decoded at %" G_GINT64_FORMAT " ns",
          row->what, row->pts[i], dts);
      check_order (row, i, dts, last);
      if (row->dts[i] != ANY)
        g_assert_cmpint (dts, ==, row->dts[i] * MS);
      last = dts;
    }
  }
}

static void
test_restart_goes_on_behind (void)
{
  g_autoptr (AmsDecodeTimes) times = ams_decode_times_new (2);
  gint64 last, dts;

  for (guint i = 0; i < 10; i++)
    last = ams_decode_times_next (times, i * FRAME * MS, FRAME * MS);
  ams_decode_times_restart (times);
  dts = ams_decode_times_next (times, 10000 * MS, FRAME * MS);
  g_assert_cmpint (dts, ==, (10000 - 2 * FRAME) * MS);
  /* Also where the times go back a little: they rise all the same. */
  ams_decode_times_restart (times);
  last = dts;
  dts = ams_decode_times_next (times, 9980 * MS, FRAME * MS);
  g_assert_cmpint (dts, >, last);
}

/* Any order, any times: they rise, and each call ends. */
static void
test_times_rise_whatever_comes (void)
{
  for (guint seed = 0; seed < 200; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    g_autoptr (AmsDecodeTimes) times =
        ams_decode_times_new (seed % 2 ? AMS_DECODE_TIMES_UNKNOWN : seed % 30);
    gint64 last = G_MININT64;

    for (guint i = 0; i < 300; i++) {
      gint64 pts = g_rand_int_range (rand, -5000, 500000) * MS;
      gint64 dts = ams_decode_times_next (times, pts, seed % 3 * FRAME * MS);

      g_assert_cmpint (dts, >, last);
      last = dts;
      if (g_rand_int_range (rand, 0, 50) == 0)
        ams_decode_times_restart (times);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decode-times/table", test_times);
  g_test_add_func ("/decode-times/restart", test_restart_goes_on_behind);
  g_test_add_func ("/decode-times/rise", test_times_rise_whatever_comes);
  return g_test_run ();
}
