/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hls/amstimeline.h"

#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS (SECOND / 1000)
#define HOUR (3600 * SECOND)
#define FRAME (40 * MS)
#define THRESHOLD SECOND

/* 2^33 ticks of 90 kHz, as a demuxer would round them to ns. */
#define WRAP G_GINT64_CONSTANT (95443717688889)

typedef struct
{
  AmsTimeline *line;
  guint video, audio;
  gint64 clock; /* when what is mapped arrives */
  gboolean jump;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  f->line = ams_timeline_new (THRESHOLD);
  f->video = ams_timeline_add_track (f->line);
  f->audio = ams_timeline_add_track (f->line);
  f->clock = 12345 * SECOND;
}

static void
teardown (Fixture *f, gconstpointer data)
{
  ams_timeline_free (f->line);
}

/* Where @time comes to lie. */
static gint64
map (Fixture *f, guint track, gint64 time)
{
  gint64 offset =
      ams_timeline_map (f->line, track, time, FRAME, f->clock, &f->jump);

  f->clock += FRAME;
  g_assert_cmpint (offset, ==, ams_timeline_get_offset (f->line, track));
  return time + offset;
}

static void
assert_follows (Fixture *f, guint track, gint64 time, gint64 expected)
{
  g_assert_cmpint (map (f, track, time), ==, expected);
  g_assert_false (f->jump);
}

static void
assert_jumps (Fixture *f, guint track, gint64 time, gint64 expected)
{
  g_assert_cmpint (map (f, track, time), ==, expected);
  g_assert_true (f->jump);
}

static void
test_small_steps_left (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 0, 0);
  assert_follows (f, f->video, FRAME + THRESHOLD, FRAME + THRESHOLD);
  assert_follows (f, f->video, 2 * FRAME, 2 * FRAME);
  assert_follows (f, f->video, 2 * FRAME + 900 * MS, 2 * FRAME + 900 * MS);
}

static void
test_just_above_jump (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 10 * SECOND, 10 * SECOND);
  assert_jumps (f, f->video, 9 * SECOND + FRAME - 1, 10 * SECOND + FRAME);
}

static void
test_wrap_goes_on (Fixture *f, gconstpointer data)
{
  gint64 time = WRAP - 10 * FRAME;
  guint i;

  assert_follows (f, f->video, time, time);
  assert_follows (f, f->audio, time + 7 * MS, time + 7 * MS);
  for (i = 1; i < 20; i++) {
    gint64 expected = time + i * FRAME;
    gint64 out = map (f, f->video, expected % WRAP);

    g_assert_false (f->jump);
    g_assert_cmpint (ABS (out - expected), <=, 1);
    out = map (f, f->audio, (expected + 7 * MS) % WRAP);
    g_assert_false (f->jump);
    g_assert_cmpint (ABS (out - expected - 7 * MS), <=, 1);
  }
}

static void
test_many_wraps_go_on (Fixture *f, gconstpointer data)
{
  gint64 expected = 0, step = 600 * MS, last = 0;
  guint wraps = 0;

  while (wraps < 3) {
    gint64 out = map (f, f->video, expected % WRAP);

    g_assert_false (f->jump);
    g_assert_cmpint (ABS (out - expected), <, MS);
    expected += step;
    wraps += expected % WRAP < last % WRAP;
    last = expected;
  }
}

/* Both begin at 0 again, each when its turn comes, the audio much later. */
static void
test_back_both_in_sync (Fixture *f, gconstpointer data)
{
  gint64 start = 100 * SECOND, i;

  for (i = 0; i < 5; i++) {
    assert_follows (f, f->video, start + i * FRAME, start + i * FRAME);
    assert_follows (f, f->audio, start + i * FRAME, start + i * FRAME);
  }
  assert_jumps (f, f->video, 0, start + 5 * FRAME);
  assert_follows (f, f->video, FRAME, start + 6 * FRAME);
  for (i = 5; i < 10; i++)
    assert_follows (f, f->audio, start + i * FRAME, start + i * FRAME);
  assert_follows (f, f->video, 2 * FRAME, start + 7 * FRAME);
  assert_jumps (f, f->audio, 5 * MS, start + 5 * FRAME + 5 * MS);
  g_assert_cmpint (ams_timeline_get_offset (f->line, f->video), ==,
      ams_timeline_get_offset (f->line, f->audio));
}

/* A reconnect: the outage lasted 30 s, both are new and arrive with jitter. */
static void
test_back_after_outage_in_sync (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 100 * SECOND, 100 * SECOND);
  assert_follows (f, f->audio, 100 * SECOND, 100 * SECOND);
  f->clock += 30 * SECOND;
  assert_jumps (f, f->video, 0, 130 * SECOND + 2 * FRAME);
  f->clock += 300 * MS;
  map (f, f->audio, 0);
  g_assert_true (f->jump);
  g_assert_cmpint (ams_timeline_get_offset (f->line, f->video), ==,
      ams_timeline_get_offset (f->line, f->audio));
}

/* The other track's offset does not suit: each on its own. */
static void
test_back_unlike_not_adopted (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 100 * SECOND, 100 * SECOND);
  assert_follows (f, f->audio, 100 * SECOND, 100 * SECOND);
  assert_jumps (f, f->video, 0, 100 * SECOND + FRAME);
  assert_jumps (f, f->audio, 50 * SECOND, 100 * SECOND + FRAME);
  assert_follows (f, f->audio, 50 * SECOND + FRAME, 100 * SECOND + 2 * FRAME);
}

static void
test_forward_bogus_closed (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, SECOND, SECOND);
  assert_follows (f, f->audio, SECOND, SECOND);
  assert_jumps (f, f->video, 10 * HOUR, SECOND + FRAME);
  assert_jumps (f, f->audio, 10 * HOUR + 3 * MS, SECOND + FRAME + 3 * MS);
  assert_follows (f, f->video, 10 * HOUR + FRAME, SECOND + 2 * FRAME);
}

static void
test_forward_hole_kept (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, SECOND, SECOND);
  assert_jumps (f, f->video, 6 * SECOND, 6 * SECOND);
  assert_follows (f, f->video, 6 * SECOND + FRAME, 6 * SECOND + FRAME);
}

static void
test_forward_outage_kept (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, SECOND, SECOND);
  assert_follows (f, f->audio, SECOND, SECOND);
  f->clock += 10 * HOUR - 2 * FRAME + 800 * MS;
  assert_jumps (f, f->video, SECOND + 10 * HOUR, SECOND + 10 * HOUR);
  /* The other track is there already, whatever the clock says. */
  f->clock -= 8 * HOUR;
  assert_jumps (f, f->audio, 10 * HOUR + 500 * MS, 10 * HOUR + 500 * MS);
}

static void
test_missing_goes_on (Fixture *f, gconstpointer data)
{
  gboolean jump;

  g_assert_cmpint (
      ams_timeline_map (f->line, f->video, AMS_TIME_NONE, FRAME, 0, &jump), ==,
      0);
  assert_follows (f, f->audio, 10 * MS, 10 * MS);
  g_assert_cmpint (
      ams_timeline_map (f->line, f->video, AMS_TIME_NONE, FRAME, 0, &jump), ==,
      FRAME);
  g_assert_false (jump);
  assert_follows (f, f->video, 2 * FRAME + MS, 2 * FRAME + MS);
  g_assert_cmpint (
      ams_timeline_map (f->line, f->video, AMS_TIME_NONE, FRAME, 0, &jump), ==,
      3 * FRAME + MS);
}

static void
test_missing_first_where_others_are (Fixture *f, gconstpointer data)
{
  gboolean jump;

  assert_follows (f, f->video, 7 * SECOND, 7 * SECOND);
  g_assert_cmpint (
      ams_timeline_map (f->line, f->audio, AMS_TIME_NONE, FRAME, 0, &jump), ==,
      7 * SECOND);
  g_assert_false (jump);
}

static void
test_missing_behind_jump_keeps_offset (Fixture *f, gconstpointer data)
{
  gboolean jump;

  assert_follows (f, f->video, 10 * SECOND, 10 * SECOND);
  assert_jumps (f, f->video, 0, 10 * SECOND + FRAME);
  g_assert_cmpint (ams_timeline_map (f->line, f->video, AMS_TIME_NONE, FRAME,
                       f->clock, &jump),
      ==, 10 * SECOND + 2 * FRAME);
  g_assert_false (jump);
}

static void
test_first_far_as_it_is (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 1000 * HOUR, 1000 * HOUR);
  assert_follows (f, f->audio, 1000 * HOUR + 20 * MS, 1000 * HOUR + 20 * MS);
  assert_follows (f, f->video, 1000 * HOUR + FRAME, 1000 * HOUR + FRAME);
}

static void
test_first_apart_brought_together (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 1000 * HOUR, 1000 * HOUR);
  assert_follows (f, f->audio, 0, 1000 * HOUR);
  assert_follows (f, f->audio, FRAME, 1000 * HOUR + FRAME);
}

/* A track that comes late is in sync with one that has jumped since. */
static void
test_first_late_takes_offset (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 100 * SECOND, 100 * SECOND);
  assert_jumps (f, f->video, 0, 100 * SECOND + FRAME);
  assert_follows (f, f->audio, FRAME, 100 * SECOND + 2 * FRAME);
}

static void
test_first_late_but_sound_as_it_is (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 100 * SECOND, 100 * SECOND);
  assert_jumps (f, f->video, 0, 100 * SECOND + FRAME);
  assert_follows (f, f->audio, 100 * SECOND, 100 * SECOND);
}

static void
test_expected_jump_said (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, SECOND, SECOND);
  ams_timeline_expect_jump (f->line, f->video);
  assert_jumps (f, f->video, SECOND + FRAME, SECOND + FRAME);
  assert_follows (f, f->video, SECOND + 2 * FRAME, SECOND + 2 * FRAME);
}

static void
test_expected_jump_not_over_what_is (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, SECOND, SECOND);
  ams_timeline_expect_jump (f->line, f->video);
  assert_jumps (f, f->video, 500 * MS, SECOND + FRAME);
  ams_timeline_expect_jump (f->line, f->video);
  assert_jumps (f, f->video, 0, SECOND + 2 * FRAME);
}

static void
test_expected_jump_first_forgotten (Fixture *f, gconstpointer data)
{
  ams_timeline_expect_jump (f->line, f->video);
  assert_follows (f, f->video, SECOND, SECOND);
  assert_follows (f, f->video, SECOND + FRAME, SECOND + FRAME);
}

/* As tsdemux does when a stream begins anew: the first buffer is timed by the old clock reference, and those
 * behind it follow on what was. */
static void
test_single_bogus_forgotten (Fixture *f, gconstpointer data)
{
  gint64 start = 6 * SECOND;

  assert_follows (f, f->video, start, start);
  assert_follows (f, f->audio, start, start);
  f->clock += 800 * MS;
  assert_jumps (f, f->audio, 120 * MS, start + FRAME);
  assert_follows (f, f->video, start + FRAME, start + FRAME);
  assert_follows (f, f->audio, start + 2 * FRAME, start + 2 * FRAME);
  assert_follows (f, f->audio, start + 3 * FRAME, start + 3 * FRAME);
}

/* With its outage kept by the times, longer than the threshold. */
static void
test_single_bogus_before_outage (Fixture *f, gconstpointer data)
{
  gint64 start = 60 * SECOND, back = start + 3 * SECOND;

  assert_follows (f, f->video, start, start);
  assert_follows (f, f->audio, start, start);
  f->clock += 3 * SECOND;
  map (f, f->audio, 120 * MS);
  g_assert_true (f->jump);
  assert_jumps (f, f->video, back, back);
  map (f, f->audio, back + FRAME);
  g_assert_cmpint (ams_timeline_get_offset (f->line, f->audio), ==, 0);
}

static void
test_single_bogus_alone (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 10 * SECOND, 10 * SECOND);
  assert_jumps (f, f->video, 0, 10 * SECOND + FRAME);
  assert_follows (f, f->video, 10 * SECOND + 2 * FRAME,
      10 * SECOND + 2 * FRAME);
}

/* The clock says that it is a hole, though an earlier jump went back as far. */
static void
test_hole_after_jump_kept (Fixture *f, gconstpointer data)
{
  assert_follows (f, f->video, 10 * SECOND, 10 * SECOND);
  assert_jumps (f, f->video, 0, 10 * SECOND + FRAME);
  f->clock += 10 * SECOND;
  assert_jumps (f, f->video, 10 * SECOND, 20 * SECOND + FRAME);
}

/* Whatever comes, the line goes back by no more than the threshold. */
static void
test_random_never_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (99);
  gint64 last[2] = { G_MININT64, G_MININT64 }, time = 0;
  guint i;

  for (i = 0; i < 200000; i++) {
    guint track = g_rand_int_range (rand, 0, 2);
    gint64 out;

    time += FRAME;
    if (g_rand_int_range (rand, 0, 50) == 0)
      time = g_rand_double_range (rand, -1000, 1e6) * SECOND;
    if (g_rand_int_range (rand, 0, 100) == 0)
      ams_timeline_expect_jump (f->line, track);
    f->clock += g_rand_double_range (rand, 0, 0.1) * SECOND;
    out = map (f, track, time);
    if (last[track] != G_MININT64)
      g_assert_cmpint (out, >=, last[track] - THRESHOLD);
    last[track] = out;
  }
}

#define ADD(name, func) \
  g_test_add ("/timeline/" name, Fixture, NULL, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("small-steps/left", test_small_steps_left);
  ADD ("just-above-threshold/jump", test_just_above_jump);
  ADD ("wrap/goes-on", test_wrap_goes_on);
  ADD ("many-wraps/go-on", test_many_wraps_go_on);
  ADD ("back-one-by-one/in-sync", test_back_both_in_sync);
  ADD ("back-after-outage/in-sync", test_back_after_outage_in_sync);
  ADD ("back-unlike/not-adopted", test_back_unlike_not_adopted);
  ADD ("forward-10-h/closed", test_forward_bogus_closed);
  ADD ("forward-5-s/kept", test_forward_hole_kept);
  ADD ("forward-outage/kept", test_forward_outage_kept);
  ADD ("missing/goes-on", test_missing_goes_on);
  ADD ("missing-first/where-others-are", test_missing_first_where_others_are);
  ADD ("missing-behind-jump/keeps-offset",
      test_missing_behind_jump_keeps_offset);
  ADD ("first-at-1000-h/as-it-is", test_first_far_as_it_is);
  ADD ("first-far-apart/brought-together", test_first_apart_brought_together);
  ADD ("first-late-behind-jump/takes-offset", test_first_late_takes_offset);
  ADD ("first-late-but-sound/as-it-is", test_first_late_but_sound_as_it_is);
  ADD ("expected-jump/said", test_expected_jump_said);
  ADD ("expected-jump-back/behind", test_expected_jump_not_over_what_is);
  ADD ("expected-jump-first/forgotten", test_expected_jump_first_forgotten);
  ADD ("single-bogus/forgotten", test_single_bogus_forgotten);
  ADD ("single-bogus/before-outage", test_single_bogus_before_outage);
  ADD ("single-bogus/alone", test_single_bogus_alone);
  ADD ("hole-after-jump/kept", test_hole_after_jump_kept);
  ADD ("random/never-back", test_random_never_back);
  return g_test_run ();
}
