/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "cut/amscutter.h"

#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS (SECOND / 1000)
#define FRAME (40 * MS)
#define SPACING (SECOND / 4)

/* ---- what the session does with the cutter ---- */

typedef struct
{
  AmsCutter *cutter;
  GArray *keyframes; /* gint64 */
  GArray *cuts; /* gint64, where segments began */
  GArray *candidates; /* gint64 */
  gint64 candidate;
} Run;

static void
run_init (Run *run, gint64 target)
{
  run->cutter = ams_cutter_new (target);
  run->keyframes = g_array_new (FALSE, FALSE, sizeof (gint64));
  run->cuts = g_array_new (FALSE, FALSE, sizeof (gint64));
  run->candidates = g_array_new (FALSE, FALSE, sizeof (gint64));
  run->candidate = AMS_TIME_NONE;
}

static void
run_clear (Run *run)
{
  ams_cutter_free (run->cutter);
  g_array_unref (run->keyframes);
  g_array_unref (run->cuts);
  g_array_unref (run->candidates);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static gint64
get_time (GArray *times, guint i)
{
  g_assert_cmpuint (i, <, times->len);
  return g_array_index (times, gint64, i);
}

static void
cut_at (Run *run, gint64 pts)
{
  g_assert_cmpint (pts, !=, AMS_TIME_NONE);
  if (run->cuts->len > 0)
    g_assert_cmpint (pts, >, get_time (run->cuts, run->cuts->len - 1));
  g_array_append_val (run->cuts, pts);
  run->candidate = AMS_TIME_NONE;
}

static void
start (Run *run, gint64 pts)
{
  ams_cutter_start (run->cutter, pts);
  g_array_append_val (run->keyframes, pts);
  cut_at (run, pts);
}

static AmsCutDecision
keyframe (Run *run, gint64 pts)
{
  AmsCutDecision decision = ams_cutter_keyframe (run->cutter, pts);

  g_array_append_val (run->keyframes, pts);
  if (decision.at_candidate)
    cut_at (run, run->candidate);
  if (decision.here == AMS_CUT_HERE) {
    cut_at (run, pts);
  } else if (decision.here == AMS_CUT_CANDIDATE) {
    run->candidate = pts;
    g_array_append_val (run->candidates, pts);
  }
  g_assert_cmpint (ams_cutter_get_segment_start (run->cutter), ==,
      get_time (run->cuts, run->cuts->len - 1));
  return decision;
}

static void
frame (Run *run, gint64 end)
{
  if (ams_cutter_frame (run->cutter, end))
    cut_at (run, run->candidate);
}

/* The frames behind the keyframe at @pts, up to the next at @next. */
static void
frames (Run *run, gint64 pts, gint64 next)
{
  for (pts += FRAME; pts < next; pts += FRAME)
    frame (run, MIN (pts + FRAME, next));
}

static void
gop (Run *run, gint64 *pts, gint64 length)
{
  frames (run, *pts, *pts + length);
  *pts += length;
  keyframe (run, *pts);
}

static gint64
duration (Run *run, guint i)
{
  return get_time (run->cuts, i + 1) - get_time (run->cuts, i);
}

/* ---- steady GOPs ---- */

typedef struct
{
  const gchar *name;
  gint64 gop, target, expected; /* ms */
} Steady;

static const Steady steady[] = {
  { "gop-1/6", 1000, 6000, 6000 },
  { "gop-2/6", 2000, 6000, 6000 },
  { "gop-2.5/5", 2500, 6000, 5000 },
  { "gop-3/6", 3000, 6000, 6000 },
  { "gop-5/5", 5000, 6000, 5000 },
  { "gop-6.4/6.4", 6400, 6000, 6400 },
  { "gop-3.2/6.4", 3200, 6000, 6400 },
  { "gop-3.25/3.25", 3250, 6000, 3250 },
  { "gop-10/10", 10000, 6000, 10000 },
  { "gop-2-target-1/2", 2000, 1000, 2000 },
  { "gop-0.5-target-1/1", 500, 1000, 1000 },
  { "intra-only/6", 40, 6000, 6000 },
};

static void
test_steady (gconstpointer data)
{
  const Steady *t = data;
  g_auto (Run) run = { NULL };
  gint64 pts = -7 * SECOND;
  guint i;

  run_init (&run, t->target * MS);
  start (&run, pts);
  while (run.cuts->len < 20)
    gop (&run, &pts, t->gop * MS);
  for (i = 0; i + 1 < run.cuts->len; i++)
    g_assert_cmpint (duration (&run, i), ==, t->expected * MS);
}

/* ---- the promise ---- */

enum
{
  STEADY,
  SCENE_CUTS,
  ANYTHING,
  INTRA_ONLY,
  INTRA_AND_HOLES,
  N_MODES,
};

static gint64
next_interval (GRand *rand, guint mode, gint64 base)
{
  if (mode == STEADY)
    return base;
  if (mode == SCENE_CUTS && g_rand_int_range (rand, 0, 4) == 0)
    return g_rand_double_range (rand, 1, base / FRAME + 1) * FRAME;
  if (mode == SCENE_CUTS)
    return base;
  if (mode == ANYTHING)
    return g_rand_double_range (rand, 0.02, 9) * SECOND;
  if (mode == INTRA_AND_HOLES && g_rand_int_range (rand, 0, 50) == 0)
    return g_rand_double_range (rand, 0.02, 9) * SECOND;
  return FRAME;
}

/* The last keyframe behind @from and before @to; AMS_TIME_NONE: there is none. */
static gint64
last_keyframe_between (Run *run, guint *i, gint64 from, gint64 to)
{
  gint64 last = AMS_TIME_NONE;

  for (; *i < run->keyframes->len && get_time (run->keyframes, *i) < to; (*i)++)
    if (get_time (run->keyframes, *i) > from)
      last = get_time (run->keyframes, *i);
  return last;
}

static void
check_promise (Run *run, gint64 target, gboolean intra)
{
  guint i, k = 0;

  for (i = 0; i + 1 < run->cuts->len; i++) {
    gint64 from = get_time (run->cuts, i), to = get_time (run->cuts, i + 1);
    gint64 inner = last_keyframe_between (run, &k, from, to);

    /* Each cut is at a keyframe. */
    g_assert_cmpint (get_time (run->keyframes, k), ==, to);
    if (to - from < target + SECOND / 2)
      continue;
    if (intra && inner != AMS_TIME_NONE)
      g_assert_cmpint (inner - from, <, SPACING);
    else
      g_assert_cmpint (inner, ==, AMS_TIME_NONE);
  }
}

static void
check_stream (guint seed, guint mode)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  gint64 target = g_rand_int_range (rand, 1, 11) * SECOND;
  gint64 base = g_rand_int_range (rand, 1, 250) * FRAME;
  gint64 pts = g_rand_double_range (rand, -100, 100) * SECOND;
  guint n = mode >= INTRA_ONLY ? 1000 : 60;
  g_auto (Run) run = { NULL };

  run_init (&run, target);
  if (seed % 3 == 1)
    ams_cutter_set_alignment (run.cutter,
        g_rand_double_range (rand, -1e9, 1.8e18));
  start (&run, pts);
  while (run.keyframes->len < n) {
    /* As the session does: anew with each segment, whatever the encoder then does. */
    ams_cutter_set_keyframes_on_request (run.cutter, seed % 2);
    gop (&run, &pts, next_interval (rand, mode, base));
  }
  check_promise (&run, target, mode >= INTRA_ONLY || mode == ANYTHING);
}

static void
test_random_promise (gconstpointer data)
{
  guint mode = GPOINTER_TO_UINT (data), seed;

  for (seed = 0; seed < 600; seed++)
    check_stream (seed, mode);
}

/* ---- candidates ---- */

static void
test_candidates_spaced (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 0;
  guint i;

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  while (pts < 60 * SECOND)
    gop (&run, &pts, FRAME);
  g_assert_cmpuint (run.candidates->len, >, 100);
  /* It takes eight to see that they are all keyframes. */
  for (i = 8; i + 1 < run.candidates->len; i++)
    g_assert_cmpint (
        get_time (run.candidates, i + 1) - get_time (run.candidates, i), >=,
        SPACING);
}

static void
test_late_keyframe_at_candidate (void)
{
  g_auto (Run) run = { NULL };
  AmsCutDecision decision;

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  g_assert_cmpint (keyframe (&run, 2 * SECOND).here, ==, AMS_CUT_CANDIDATE);
  g_assert_cmpint (keyframe (&run, 4 * SECOND).here, ==, AMS_CUT_CANDIDATE);
  /* No frames between: only the keyframe tells that it is too late. */
  decision = keyframe (&run, 6500 * MS);
  g_assert_true (decision.at_candidate);
  g_assert_cmpint (decision.here, !=, AMS_CUT_HERE);
  g_assert_cmpint (get_time (run.cuts, 1), ==, 4 * SECOND);
  g_assert_cmpint (ams_cutter_get_due (run.cutter), ==, 10 * SECOND);
}

static void
test_late_twice_both (void)
{
  g_auto (Run) run = { NULL };
  AmsCutDecision decision;

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  keyframe (&run, 2 * SECOND);
  decision = keyframe (&run, 20 * SECOND);
  g_assert_true (decision.at_candidate);
  g_assert_cmpint (decision.here, ==, AMS_CUT_HERE);
  g_assert_cmpuint (run.cuts->len, ==, 3);
}

static void
test_late_frame_at_candidate (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  g_assert_false (ams_cutter_frame (run.cutter, 100 * SECOND));
  keyframe (&run, 2 * SECOND);
  g_assert_false (ams_cutter_frame (run.cutter, 6500 * MS - 1));
  g_assert_true (ams_cutter_frame (run.cutter, 6500 * MS));
  g_assert_cmpint (ams_cutter_get_segment_start (run.cutter), ==, 2 * SECOND);
  g_assert_false (ams_cutter_frame (run.cutter, 6540 * MS));
}

/* A scene cut's keyframe just before the encoder's own one is missed by none. */
static void
test_scene_cut_close_kept (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 0;

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  gop (&run, &pts, 3 * SECOND);
  gop (&run, &pts, 120 * MS);
  gop (&run, &pts, 6400 * MS);
  g_assert_cmpint (get_time (run.cuts, 1), ==, 3120 * MS);
  g_assert_cmpint (get_time (run.cuts, 2), ==, 9520 * MS);
}

/* ---- forced ---- */

static void
test_force_next_keyframe (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  ams_cutter_force (run.cutter);
  frame (&run, SECOND);
  g_assert_cmpuint (run.cuts->len, ==, 1);
  g_assert_cmpint (keyframe (&run, SECOND).here, ==, AMS_CUT_HERE);
  g_assert_cmpint (keyframe (&run, 2 * SECOND).here, ==, AMS_CUT_CANDIDATE);
}

static void
test_force_before_start_forgotten (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 6 * SECOND);
  ams_cutter_force (run.cutter);
  start (&run, 0);
  g_assert_cmpint (keyframe (&run, SECOND).here, ==, AMS_CUT_CANDIDATE);
}

/* A hole in the stream is no keyframe interval. */
static void
test_force_over_hole_rhythm_kept (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 0;
  guint i;

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  for (i = 0; i < 10; i++)
    gop (&run, &pts, SECOND);
  ams_cutter_force (run.cutter);
  pts += 1800 * SECOND;
  keyframe (&run, pts);
  g_assert_cmpint (get_time (run.cuts, run.cuts->len - 1), ==, pts);
  for (i = 0; i < 12; i++)
    gop (&run, &pts, SECOND);
  g_assert_cmpint (duration (&run, run.cuts->len - 2), ==, 6 * SECOND);
  g_assert_cmpint (duration (&run, run.cuts->len - 3), ==, 6 * SECOND);
}

/* ---- requests ---- */

/* The requested keyframe comes up to a frame late, and scenes change between. */
static void
test_requests_honoured_not_cut_before (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 13 * MS, last = pts;
  guint i, n;

  run_init (&run, 6 * SECOND);
  start (&run, pts);
  for (n = 1; n < 2000; n++) {
    gboolean scene = n % 77 == 0;
    gint64 due = ams_cutter_get_due (run.cutter);

    ams_cutter_set_keyframes_on_request (run.cutter, TRUE);
    pts += FRAME;
    if ((last < due && pts >= due) || scene) {
      keyframe (&run, pts);
      last = pts;
    } else {
      frame (&run, pts + FRAME);
    }
  }
  g_assert_cmpuint (run.cuts->len, >, 10);
  for (i = 0; i + 1 < run.cuts->len; i++) {
    g_assert_cmpint (duration (&run, i), >=, 6 * SECOND - 45 * MS);
    g_assert_cmpint (duration (&run, i), <=, 6 * SECOND + FRAME);
  }
}

static void
test_requests_ignored_promise_kept (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 0;
  guint i;

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  ams_cutter_set_keyframes_on_request (run.cutter, TRUE);
  frames (&run, 0, 5 * SECOND);
  pts = 5 * SECOND;
  /* Waits for the one that it asked for, */
  g_assert_cmpint (keyframe (&run, pts).here, ==, AMS_CUT_CANDIDATE);
  gop (&run, &pts, 5 * SECOND);
  g_assert_cmpint (get_time (run.cuts, 1), ==, 5 * SECOND);
  /* and no longer. */
  g_assert_cmpint (get_time (run.cuts, 2), ==, 10 * SECOND);
  for (i = 0; i < 5; i++)
    gop (&run, &pts, 5 * SECOND);
  for (i = 0; i + 1 < run.cuts->len; i++)
    g_assert_cmpint (duration (&run, i), ==, 5 * SECOND);
}

/* ---- the wall clock ---- */

typedef struct
{
  const gchar *name;
  gint64 offset; /* ns */
  gint64 first; /* ns, the length of the first segment */
} Aligned;

#define NOW G_GINT64_CONSTANT (1795344360) * SECOND /* a multiple of 6 s */

static const Aligned aligned[] = {
  { "at-boundary/whole-first", NOW, 6 * SECOND },
  { "in-between/short-first", NOW + 3200 * MS, 2800 * MS },
  { "just-before-boundary/next-one", NOW - 40 * MS, 6040 * MS },
  { "odd-offset/short-first", NOW + G_GINT64_CONSTANT (1234567891),
      6 * SECOND - G_GINT64_CONSTANT (1234567891) },
  { "before-1970/short-first", -10 * SECOND, 4 * SECOND },
  { "at-1970/whole-first", 0, 6 * SECOND },
};

static void
test_aligned (gconstpointer data)
{
  const Aligned *t = data;
  g_auto (Run) run = { NULL };
  gint64 pts = 100 * SECOND;
  guint i;

  run_init (&run, 6 * SECOND);
  ams_cutter_set_alignment (run.cutter, t->offset - pts);
  start (&run, pts);
  g_assert_cmpint (ams_cutter_get_due (run.cutter), ==, pts + t->first);
  while (run.cuts->len < 8)
    gop (&run, &pts, FRAME);
  /* On the grid of frames, at or next behind the boundary or a bit before. */
  for (i = 1; i < run.cuts->len; i++)
    g_assert_cmpint (ABS (get_time (run.cuts, i) - 100 * SECOND - t->first -
                         (i - 1) * 6 * SECOND),
        <=, FRAME);
}

static void
test_aligned_gop_boundaries_met (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 0;

  run_init (&run, 6 * SECOND);
  ams_cutter_set_alignment (run.cutter, NOW + 4 * SECOND);
  start (&run, 0);
  while (run.cuts->len < 10)
    gop (&run, &pts, 2 * SECOND);
  g_assert_cmpint (duration (&run, 0), ==, 2 * SECOND);
  g_assert_cmpint (duration (&run, 1), ==, 6 * SECOND);
  g_assert_cmpint (duration (&run, 8), ==, 6 * SECOND);
}

/* With a keyframe at each boundary, no segment begins a frame too early. */
static void
test_aligned_intra_exact (void)
{
  g_auto (Run) run = { NULL };
  gint64 pts = 0;
  guint i;

  run_init (&run, 6 * SECOND);
  ams_cutter_set_alignment (run.cutter, NOW);
  start (&run, 0);
  while (run.cuts->len < 10)
    gop (&run, &pts, FRAME);
  for (i = 0; i < run.cuts->len; i++)
    g_assert_cmpint (get_time (run.cuts, i), ==, i * 6 * SECOND);
}

static void
test_aligned_no_longer_free (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 6 * SECOND);
  ams_cutter_set_alignment (run.cutter, NOW + 4 * SECOND);
  start (&run, 0);
  ams_cutter_set_alignment (run.cutter, AMS_TIME_NONE);
  g_assert_cmpint (ams_cutter_get_due (run.cutter), ==, 6 * SECOND);
}

/* ---- oddities ---- */

static void
test_not_increasing_ignored (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 6 * SECOND);
  start (&run, SECOND);
  g_assert_cmpint (keyframe (&run, SECOND).here, ==, AMS_CUT_NOT);
  g_assert_cmpint (keyframe (&run, 0).here, ==, AMS_CUT_NOT);
  ams_cutter_force (run.cutter);
  g_assert_cmpint (keyframe (&run, SECOND).here, ==, AMS_CUT_NOT);
  g_assert_cmpint (keyframe (&run, 2 * SECOND).here, ==, AMS_CUT_HERE);
  g_assert_cmpint (keyframe (&run, 4 * SECOND).here, ==, AMS_CUT_CANDIDATE);
  g_assert_cmpint (keyframe (&run, 4 * SECOND).here, ==, AMS_CUT_NOT);
  g_assert_cmpint (keyframe (&run, 3 * SECOND).here, ==, AMS_CUT_NOT);
}

static void
test_target_changed_due_follows (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 10 * SECOND);
  ams_cutter_set_target (run.cutter, 8 * SECOND);
  start (&run, SECOND);
  g_assert_cmpint (ams_cutter_get_due (run.cutter), ==, 9 * SECOND);
  keyframe (&run, 3 * SECOND);
  ams_cutter_set_target (run.cutter, 4 * SECOND);
  g_assert_cmpint (ams_cutter_get_due (run.cutter), ==, 5 * SECOND);
  g_assert_cmpint (keyframe (&run, 5 * SECOND).here, ==, AMS_CUT_HERE);
}

static void
test_started_again_fresh (void)
{
  g_auto (Run) run = { NULL };

  run_init (&run, 6 * SECOND);
  start (&run, 0);
  keyframe (&run, 2 * SECOND);
  ams_cutter_start (run.cutter, 50 * SECOND);
  g_assert_cmpint (ams_cutter_get_segment_start (run.cutter), ==, 50 * SECOND);
  /* The candidate of before is none any more. */
  g_assert_false (ams_cutter_frame (run.cutter, 60 * SECOND));
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

static void
add_promises (void)
{
  static const gchar *const names[N_MODES] = { "steady", "scene-cuts",
    "anything", "intra-only", "intra-and-holes" };
  guint i;

  for (i = 0; i < N_MODES; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/cutter-random/%s/promise-kept", names[i]);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_random_promise);
  }
}

static void
test_cut_after_an_outage_is_no_interval (void)
{
  g_auto (Run) run = {
    NULL,
  };
  gint64 pts = 0;

  run_init (&run, 4 * SECOND);
  start (&run, pts);
  for (guint i = 0; i < 5; i++)
    gop (&run, &pts, SECOND);
  pts += 30 * SECOND;
  ams_cutter_cut (run.cutter, pts);
  cut_at (&run, pts);
  for (guint i = 0; i < 8; i++)
    gop (&run, &pts, SECOND);
  /* 0, 4 | 35, 39, 43 */
  g_assert_cmpuint (run.cuts->len, ==, 5);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (steady, "/cutter-steady/", test_steady);
  add_promises ();
  ADD_TABLE (aligned, "/cutter-aligned/", test_aligned);
  g_test_add_func ("/cutter-aligned/gop/boundaries-met",
      test_aligned_gop_boundaries_met);
  g_test_add_func ("/cutter-aligned/intra-only/exact",
      test_aligned_intra_exact);
  g_test_add_func ("/cutter-aligned/no-longer/free",
      test_aligned_no_longer_free);
  g_test_add_func ("/cutter/intra-only/candidates-spaced",
      test_candidates_spaced);
  g_test_add_func ("/cutter/late-keyframe/at-candidate",
      test_late_keyframe_at_candidate);
  g_test_add_func ("/cutter/very-late-keyframe/both", test_late_twice_both);
  g_test_add_func ("/cutter/late-frame/at-candidate",
      test_late_frame_at_candidate);
  g_test_add_func ("/cutter/scene-cut-close/kept", test_scene_cut_close_kept);
  g_test_add_func ("/cutter/force/next-keyframe", test_force_next_keyframe);
  g_test_add_func ("/cutter/force-before-start/forgotten",
      test_force_before_start_forgotten);
  g_test_add_func ("/cutter/force-over-hole/rhythm-kept",
      test_force_over_hole_rhythm_kept);
  g_test_add_func ("/cutter/requests-honoured/not-cut-before",
      test_requests_honoured_not_cut_before);
  g_test_add_func ("/cutter/requests-ignored/promise-kept",
      test_requests_ignored_promise_kept);
  g_test_add_func ("/cutter/not-increasing/ignored",
      test_not_increasing_ignored);
  g_test_add_func ("/cutter/target-changed/due-follows",
      test_target_changed_due_follows);
  g_test_add_func ("/cutter/started-again/fresh", test_started_again_fresh);
  g_test_add_func ("/cutter/cut-after-an-outage/no-interval",
      test_cut_after_an_outage_is_no_interval);
  return g_test_run ();
}
