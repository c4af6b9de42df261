/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Streams are written as words:
 *
 *   v40 a20       a unit of video or audio at that time, in ms
 *   v?            one without a time
 *   d5000         one of video that the source marks as a discontinuity
 *   v0..200/40    several; b: of both tracks, video first
 *   c20           each of the units that follow takes 20 ms to arrive
 *   w3000         nothing comes for 3 s
 *   R             the times of video are PTS in decoding order from here on
 *   G4000         the source guesses durations of 4 s from here on
 *   fv ev         a flush and the end of video
 *   t             a tick
 *   N D           no unit, or one, is being doubted
 *
 * and so is where they come to lie: 40, 40+2 (two ticks after it), 0..200/40;
 * j: a jump, x: its time was not believed, h: after a hole. */

#include <stdlib.h>
#include <string.h>

#include "media/amstimemap.h"

#define SECOND G_GINT64_CONSTANT (1000000000)
#define MS (SECOND / 1000)
#define HOUR (3600 * SECOND)
#define FRAME (40 * MS)
#define THRESHOLD SECOND

/* 2^33 ticks of 90 kHz, as a demuxer would round them to ns. */
#define WRAP G_GINT64_CONSTANT (95443717688889)

/* A time beyond counts as missing. */
#define MAX_TIME (G_GINT64_CONSTANT (1) << 61)

/* Where the time line ends. */
#define MAX_LINE ((G_GINT64_CONSTANT (1) << 62) - 1)

typedef struct
{
  const gchar *name;
  const gchar *stream;
  const gchar *video;
  const gchar *audio;
} Row;

static const Row rows[] = {
  /* Steps. */
  { "regular", "b0..1000/40 N", "0..1000/40", "0..1000/40" },
  { "forward/up-to-threshold-left", "v0 v1000 N v1040 N", "0 1000 1040", "" },
  { "back/a-little-behind-last", "v0..400/40 v360 N v440..600/40",
      "0..400/40 400+1 440..600/40", "" },
  { "back/ahead-by-less-than-threshold",
      "v0..400/40 v1300 v480 N v520 v1280..1400/40",
      "0..400/40 1300 1300+1 1300+2 1300+3 1320..1400/40", "" },
  { "reordered/left", "R v0 v160 v80 v40 v120 v320 v240 v200 v280 N",
      "0 160 80 40 120 320 240 200 280", "" },
  { "duration/never-moves", "G4000 v0..1000/40 N v?", "0..1000/40 1040", "" },
  { "duration/never-moves-by-10-s", "G10000 b0..1000/40 N", "0..1000/40",
      "0..1000/40" },
  { "duration/used-for-missing", "G20 v0 v?", "0 20", "" },
  { "step/learnt-for-missing", "G20 v0..200/50 v? v?", "0..200/50 250 300",
      "" },

  /* Missing times. */
  { "missing/goes-on", "v? a10 v? v81 v?", "0 40 81 121", "10" },
  { "missing/first-where-others-are", "v7000 a? a7040", "7000", "7000 7040" },
  { "missing/first-then-own-offset", "v100000 v0..80/40 a? a60 a80",
      "100000 j100040 100080 100120", "100120 100120+1 100120+2" },
  { "missing/behind-jump", "v10000 v0 v? v80", "10000 j10040 10080 10120", "" },
  { "missing/in-doubt", "v0..200/40 v20000 v? v320 v360",
      "0..200/40 x240 280 320 360", "" },

  /* Sparse video (fault 1). */
  { "sparse/alone-in-file", "c0 v0..20/20 v2500 v8500 v14500 v20500",
      "0..20/20 h2500 h8500 h14500 h20500", "" },
  { "sparse/12-s-then-6-s", "c0 v11980 v12020 v18020..54020/6000",
      "11980 12020 h18020 h24020 h30020 h36020 h42020 h48020 h54020", "" },
  { "sparse/with-sound-in-file",
      "c0 v0..40/40 a0..5980/20 v6000 N a6000..11980/20 v12000 N v12040",
      "0..40/40 h6000 h12000 12040", "0..11980/20" },
  { "sparse/sound-behind-in-file",
      "c0 v0..40/40 v6000 D a0..5960/40 D a6000 N v6040", "0..40/40 h6000 6040",
      "0..6000/40" },
  { "sparse/then-regular", "c0 v0..40/40 v6000 v12000 v12040",
      "0..40/40 h6000 h12000 12040", "" },
  { "sparse/early-then-clock-agrees", "v0..400/40 v6400 D w5900 v6440 N",
      "0..400/40 h6400 6440", "" },
  { "sparse/live", "v0..80/40 w5920 v6040 N w5960 v12040 N w2460 v14540 N",
      "0..80/40 h6040 h12040 h14540", "" },
  { "sparse/live-with-sound",
      "c20 v0 a0..5980/20 v6000 N a6000..11980/20 v12000 N a12000..14480/20 "
      "v14500 N",
      "0 h6000 h12000 h14500", "0..14480/20" },

  /* Single bad stamps (fault 4). */
  { "bad/plus-20-s", "b0..400/40 v20440 D a440 b480..1000/40",
      "0..400/40 x440 480..1000/40", "0..440/40 480..1000/40" },
  { "bad/plus-1800-s", "b0..400/40 v1800440 a440 b480..1000/40",
      "0..400/40 x440 480..1000/40", "0..1000/40" },
  { "bad/minus-20-s", "b30000..30400/40 v10440 D a30440 b30480..31000/40",
      "30000..30400/40 x30440 30480..31000/40", "30000..31000/40" },
  { "bad/audio-plus-20-s", "c20 a0..400/20 a20420 a440..800/20", "",
      "0..400/20 x420 440..800/20" },
  { "bad/audio-minus-20-s",
      "c20 v30000 a30000..30400/20 a10420 a30440..30800/20", "30000",
      "30000..30400/20 x30420 30440..30800/20" },
  { "bad/at-file-speed", "c0 b0..400/40 v20440 a440 b480..1000/40",
      "0..400/40 x440 480..1000/40", "0..1000/40" },
  { "bad/plus-1.5-s-with-sound-ahead",
      "c0 a0..1200/40 v0..400/40 v1940 D v480 v520", "0..400/40 x440 480 520",
      "0..1200/40" },
  { "bad/reordered", "R v0 v160 v80 v20040 v120 v320 v240",
      "0 160 80 x240 120 320 240", "" },
  { "bad/three-in-a-row", "v0..400/40 v20440 v7 v1800520 v560..800/40",
      "0..400/40 x440 x480 x520 560..800/40", "" },
  { "bad/two-alike", "v0..400/40 v20440 v20440 v520..800/40",
      "0..400/40 x440 x480 520..800/40", "" },
  { "bad/at-the-end", "v0..400/40 v20440", "0..400/40 x440", "" },
  { "bad/back-at-the-end", "v30000..30400/40 v10440", "30000..30400/40 x30440",
      "" },
  { "bad/dense-behind", "v0..400/40 v20440 v410 v450", "0..400/40 x405 410 450",
      "" },
  { "bad/slow-source",
      "b0..4000/40 c0 w960 v24000 w500 t w500 a5000 v5000 "
      "w1000 a6000 v6000",
      "0..4000/40 j4040 5000 6000", "0..4000/40 5000 6000" },

  /* Jumps back. */
  { "back/1.5-s-both (fault 6)",
      "b10000..10400/40 v8940 D a8940 b8980..9400/40",
      "10000..10400/40 j10440 10480..10900/40",
      "10000..10400/40 j10440 10480..10900/40" },
  { "back/one-by-one-in-sync",
      "b100000..100160/40 v0 v40 a100200..100360/40 v80 a5 a45..365/40",
      "100000..100160/40 j100200 100240 100280",
      "100000..100360/40 j100360+1 100360+2 100360+3 100360+4 100365..100565/40" },
  { "back/after-outage-in-sync",
      "b100000..100400/40 w30000 v0 w300 a0 b40..200/40",
      "100000..100400/40 j130440 130480..130640/40",
      "100000..100400/40 j130440 130480..130640/40" },
  { "back/unlike-not-adopted", "b100000 v0 v40 a50000 a50040",
      "100000 j100040 100080", "100000 j100040 100080" },
  { "back/none-comes", "b10000..10400/40 v0 w459 t D w1 t N",
      "10000..10400/40 j10440", "10000..10400/40" },

  /* Leaps forward. */
  { "forward/10-h-closed", "b1000 v36000000 v36000040 a36000003 a36000043",
      "1000 j1040 1080", "1000 j1043 1083" },
  { "forward/5-s-kept", "v1000 v6000 D v6040 N", "1000 h6000 6040", "" },
  { "forward/outage-kept", "b1000 w35999960 v36001000 N w40 a36001500 N",
      "1000 h36001000", "1000 h36001500" },
  { "forward/others-are-there", "c0 v0 a0..5000/40 v5000 N v5040",
      "0 h5000 5040", "0..5000/40" },
  { "forward/discont-at-hole", "v1000 d6000 v6040", "1000 j6000 6040", "" },
  { "forward/discont-without-hole", "v1000 d1040 v1080", "1000 1040 1080", "" },
  { "forward/live-clock-contradicts",
      "b0..3000/40 v23040 a23040 b23080..23400/40",
      "0..3000/40 j3040 3080..3400/40", "0..3000/40 j3040 3080..3400/40" },
  { "forward/file-20-s-kept", "c0 b0..3000/40 v23040 a23040 b23080..23400/40",
      "0..3000/40 h23040 23080..23400/40",
      "0..3000/40 h23040 23080..23400/40" },
  { "forward/none-comes", "c0 v0..400/40 v20000 D w500 t N", "0..400/40 h20000",
      "" },

  /* Jumps that are undone. */
  { "undone/bogus-first", "b6000 w800 a120 v6040 a6080 a6120", "6000 6040",
      "6000 x6040 6080 6120" },
  { "undone/bogus-before-outage", "b60000 w3000 a120 v63080 a63080 a63120",
      "60000 h63080", "60000 x60040 h63080 63120" },
  { "undone/both", "b10000..10400/40 b0..80/40 v10560 a10560 b10600..10800/40",
      "10000..10400/40 j10440 10480 10520 10560..10800/40",
      "10000..10400/40 j10440 10480 10520 10560..10800/40" },
  { "undone/not-a-hole", "v10000 v0 v40 w10000 v10000 N v10040",
      "10000 j10040 10080 h20040 20080", "" },

  /* Beginnings (fault 5). */
  { "first/far-as-it-is", "v3600000000 a3600000020 v3600000040",
      "3600000000 3600000040", "3600000020" },
  { "first/apart-brought-together", "v3600000000 a0 a40", "3600000000",
      "3600000000 3600000040" },
  { "first/late-takes-offset", "v100000 v0 v20 a40", "100000 j100040 100060",
      "100080" },
  { "first/late-but-sound", "v100000 v0 v40 a100000", "100000 j100040 100080",
      "100000" },
  { "first/video-5-s-ahead", "a0..40/20 v5000 a60..100/20 v5040", "5000 5040",
      "0..100/20" },
  { "first/video-7-s-ahead", "a0..40/20 v7000 a60..100/20 v7040", "7000 7040",
      "0..100/20" },
  { "first/video-30-s-ahead", "a0..40/20 v30000 a60..100/20 v30040", "40 80",
      "0..100/20" },
  { "first/video-30-s-ahead-and-first", "v30000 a0..40/20 v30040",
      "30000 30040", "30000..30040/20" },
  { "first/video-600-s-ahead", "a0 v600000 a20 v600040", "0 40", "0 20" },
  { "first/audio-10-s-ahead", "v0 a10000 v40 a10020", "0 40", "10000 10020" },
  { "first/audio-600-s-ahead", "v0 a600000 v40 a600020", "0 40", "0 20" },
  { "first/late-live", "v0..20000/40 a0 a20", "0..20000/40", "20040 20060" },
  { "first/behind-the-wrap", "v95440000 a0 a20", "95440000",
      "95443717+61 95443737+61" },
  { "first/bad", "a0 v1800000 a40 v40 v80 a80", "0 j40 80", "0 40 80" },

  /* Flushes. */
  { "flush/said", "v1000 fv v1040 N v1080", "1000 j1040 1080", "" },
  { "flush/back", "v1000 fv v500 N fv v0 N v40", "1000 j1040 j1080 1120", "" },
  { "flush/forward", "v1000 fv v61000 N v61040", "1000 j61000 61040", "" },
  { "flush/first-forgotten", "fv v1000 v1040", "1000 1040", "" },
  { "flush/missing", "v1000 fv v?", "1000 j1040", "" },
  { "flush/ends-doubt", "v0..400/40 v20440 fv N v5000 v5040",
      "0..400/40 x440 j5000 5040", "" },
};

typedef struct
{
  AmsTimeMap *map;
  const gchar *name;
  gint64 clock, takes;
  gint64 duration;
  gboolean reorders;
  guint n_added[2];
  GString *placed[2];
  guint n_placed[2];
  GArray *times[2]; /* gint64, what was added */
  AmsTimeMapPlaced last[2];
  gint64 high[2];
} Player;

static void
describe (GString *text, const AmsTimeMapPlaced *placed)
{
  if (text->len > 0)
    g_string_append_c (text, ' ');
  if (placed->jump)
    g_string_append_c (text, 'j');
  else if (placed->bad)
    g_string_append_c (text, 'x');
  else if (placed->hole > 0)
    g_string_append_c (text, 'h');
  g_string_append_printf (text, "%" G_GINT64_FORMAT, placed->time / MS);
  if (placed->time % MS != 0)
    g_string_append_printf (text, "+%" G_GINT64_FORMAT,
        placed->time % MS / AMS_TIME_MAP_TICK);
}

/* Each unit comes once, in order, and its offset is what moved it. */
static void
check_placed (Player *p, const AmsTimeMapPlaced *placed)
{
  guint n = GPOINTER_TO_UINT (placed->unit), i = placed->track;
  gint64 time;

  g_assert_cmpuint (n, ==, ++p->n_placed[i]);
  time = g_array_index (p->times[i], gint64, n - 1);
  if (time >= -MAX_TIME && time <= MAX_TIME)
    g_assert_cmpint (placed->offset, ==, placed->time - time);
  else
    g_assert_cmpint (placed->offset, ==, 0);
  if (n > 1 && i == 0 && p->reorders)
    g_assert_cmpint (placed->time, >=, p->high[i] - SECOND);
  else if (n > 1 && p->high[i] < MAX_LINE)
    g_assert_cmpint (placed->time, >, p->high[i]);
  p->high[i] = n > 1 ? MAX (p->high[i], placed->time) : placed->time;
  g_assert_true (placed->hole == 0 || placed->hole > THRESHOLD);
  g_assert_true (placed->reason != NULL || (placed->hole == 0 && !placed->bad));
}

static void
drain (Player *p)
{
  AmsTimeMapPlaced placed;

  while (ams_time_map_next (p->map, &placed)) {
    check_placed (p, &placed);
    if (p->placed[placed.track] != NULL)
      describe (p->placed[placed.track], &placed);
    p->last[placed.track] = placed;
  }
}

static void
add (Player *p, guint track, gint64 time, gboolean discont)
{
  AmsTimeMapInput in = { time, p->duration, p->clock, track == 0 && p->reorders,
    discont, NULL };

  in.unit = GUINT_TO_POINTER (++p->n_added[track]);
  g_array_append_val (p->times[track], time);
  ams_time_map_add (p->map, &in, track);
  drain (p);
}

static void
add_of (Player *p, gchar which, gint64 time)
{
  if (which != 'a')
    add (p, 0, time, which == 'd');
  if (which == 'a' || which == 'b')
    add (p, 1, time, FALSE);
  p->clock += p->takes;
}

/* FROM or FROM..TO/STEP, in ms. */
static void
parse_range (const gchar *word, gint64 *from, gint64 *to, gint64 *step)
{
  gchar *end;

  *from = *to = g_ascii_strtoll (word, &end, 10);
  *step = 1;
  if (g_str_has_prefix (end, "..")) {
    *to = g_ascii_strtoll (end + 2, &end, 10);
    g_assert_cmpint (*end, ==, '/');
    *step = g_ascii_strtoll (end + 1, &end, 10);
  }
}

static void
add_units (Player *p, const gchar *word)
{
  gint64 from, to, step;

  if (word[1] == '?') {
    add_of (p, word[0], AMS_TIME_NONE);
    return;
  }
  parse_range (word + 1, &from, &to, &step);
  for (; from <= to; from += step)
    add_of (p, word[0], from * MS);
}

static void
play_word (Player *p, const gchar *word)
{
  gint64 value = g_ascii_strtoll (word + 1, NULL, 10) * MS;

  switch (word[0]) {
    case 'c':
      p->takes = value;
      break;
    case 'w':
      p->clock += value;
      break;
    case 'R':
      p->reorders = TRUE;
      break;
    case 'G':
      p->duration = value;
      break;
    case 'f':
      ams_time_map_expect_jump (p->map, word[1] == 'a');
      break;
    case 'e':
      ams_time_map_end_track (p->map, word[1] == 'a');
      break;
    case 't':
      ams_time_map_tick (p->map, p->clock);
      break;
    case 'N':
    case 'D':
      g_assert_cmpint (ams_time_map_get_deadline (p->map) == AMS_TIME_NONE, ==,
          word[0] == 'N');
      break;
    default:
      add_units (p, word);
  }
  drain (p);
}

static void
player_init (Player *p)
{
  memset (p, 0, sizeof *p);
  p->map = ams_time_map_new (THRESHOLD);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (ams_time_map_add_track (p->map), ==, i);
    p->placed[i] = g_string_new (NULL);
    p->times[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
  }
  p->clock = 12345 * SECOND;
  p->takes = FRAME;
}

static void
player_clear (Player *p)
{
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (p->n_placed[i], ==, p->n_added[i]);
    if (p->placed[i] != NULL)
      g_string_free (p->placed[i], TRUE);
    g_array_unref (p->times[i]);
  }
  ams_time_map_free (p->map);
}

/* Runs written out. */
static gchar *
expand (const gchar *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++) {
    gint64 from, to, step;

    if (i > 0)
      g_string_append_c (out, ' ');
    if (strstr (words[i], "..") == NULL) {
      g_string_append (out, words[i]);
      continue;
    }
    parse_range (words[i], &from, &to, &step);
    for (; from <= to; from += step)
      g_string_append_printf (out, "%" G_GINT64_FORMAT "%s", from,
          from + step <= to ? " " : "");
  }
  return g_string_free (out, FALSE);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_auto (GStrv) words = g_strsplit (row->stream, " ", -1);
  g_autofree gchar *video = expand (row->video);
  g_autofree gchar *audio = expand (row->audio);
  Player p;

  player_init (&p);
  for (guint i = 0; words[i] != NULL; i++)
    play_word (&p, words[i]);
  play_word (&p, "ev");
  play_word (&p, "ea");
  g_assert_cmpstr (p.placed[0]->str, ==, video);
  g_assert_cmpstr (p.placed[1]->str, ==, audio);
  player_clear (&p);
}

/* Long runs: what comes is looked at one by one, and not written down. */
static void
player_init_quiet (Player *p)
{
  player_init (p);
  for (guint i = 0; i < 2; i++)
    g_string_free (g_steal_pointer (&p->placed[i]), TRUE);
}

static void
add_and_expect (Player *p, guint track, gint64 time, gint64 expected)
{
  guint before = p->n_placed[track];

  add (p, track, time, FALSE);
  g_assert_cmpuint (p->n_placed[track], ==, before + 1);
  g_assert_cmpint (ABS (p->last[track].time - expected), <=, 3);
  g_assert_false (p->last[track].jump || p->last[track].bad);
  g_assert_cmpint (p->last[track].hole, ==, 0);
}

static void
test_wrap_goes_on (void)
{
  gint64 start = WRAP - 10 * FRAME;
  Player p;

  player_init_quiet (&p);
  for (guint i = 0; i < 20; i++) {
    gint64 time = start + i * FRAME;

    add_and_expect (&p, 0, time % WRAP, time);
    add_and_expect (&p, 1, (time + 7 * MS) % WRAP, time + 7 * MS);
    p.clock += FRAME;
  }
  g_assert_cmpint (ams_time_map_get_offset (p.map, 0), ==, AMS_TIME_MAP_WRAP);
  g_assert_cmpint (ams_time_map_get_offset (p.map, 1), ==, AMS_TIME_MAP_WRAP);
  player_clear (&p);
}

static void
test_many_wraps_go_on (void)
{
  gint64 time = 0;
  Player p;

  player_init_quiet (&p);
  for (; time < 3 * WRAP; time += 600 * MS)
    add_and_expect (&p, 0, time % WRAP, time);
  player_clear (&p);
}

/* PTS of pictures that are reordered across the wrap. */
static void
test_wrap_forth_and_back (void)
{
  static const gint order[] = { 0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11 };
  gint64 start = WRAP - 6 * FRAME;
  Player p;

  player_init_quiet (&p);
  p.reorders = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    gint64 time = start + order[i] * FRAME;

    add_and_expect (&p, 0, time % WRAP, time);
    p.clock += FRAME;
  }
  player_clear (&p);
}

/* A bad stamp just at the wrap, and a hole across it. */
static void
test_wrap_odd (void)
{
  Player p;

  player_init_quiet (&p);
  add_and_expect (&p, 0, WRAP - 2 * FRAME, WRAP - 2 * FRAME);
  add_and_expect (&p, 0, WRAP - FRAME, WRAP - FRAME);
  add (&p, 0, WRAP / 2, FALSE);
  add (&p, 0, FRAME, FALSE);
  g_assert_cmpuint (p.n_placed[0], ==, 4);
  g_assert_cmpint (ABS (p.last[0].time - WRAP - FRAME), <=, 3);
  add_and_expect (&p, 0, 2 * FRAME, WRAP + 2 * FRAME);
  player_clear (&p);

  player_init_quiet (&p);
  add_and_expect (&p, 0, WRAP - FRAME, WRAP - FRAME);
  p.clock += 6 * SECOND;
  add (&p, 0, 6 * SECOND - FRAME, FALSE);
  g_assert_cmpint (ABS (p.last[0].time - WRAP - 6 * SECOND + FRAME), <=, 3);
  g_assert_cmpint (p.last[0].hole, >, 5 * SECOND);
  g_assert_false (p.last[0].jump);
  player_clear (&p);
}

/* Tracks that jump together are moved by the same ns, and back by the same. */
static void
test_jumps_in_sync (void)
{
  static const gint64 ahead[] = { 0, 7 * MS + 3, -11 * MS - 1, 300 * MS + 7 };
  gint64 bases[] = { 100 * SECOND, 3 * SECOND + 1, 50 * SECOND + 2, 777, -50 };

  for (guint i = 0; i < G_N_ELEMENTS (ahead); i++) {
    Player p;

    player_init_quiet (&p);
    for (guint j = 0; j < G_N_ELEMENTS (bases); j++) {
      for (guint k = 0; k < 50; k++) {
        add (&p, 0, bases[j] + k * FRAME, FALSE);
        add (&p, 1, bases[j] + k * FRAME + ahead[i], FALSE);
        p.clock += FRAME;
      }
      g_assert_cmpint (ams_time_map_get_offset (p.map, 0), ==,
          ams_time_map_get_offset (p.map, 1));
      g_assert_cmpint (p.last[0].offset, ==, p.last[1].offset);
    }
    player_clear (&p);
  }
}

/* Sixty bad stamps in a recording, each costs itself. */
static void
test_bad_sixty (void)
{
  static const gint64 off[] = { 20 * SECOND, -20 * SECOND, 1800 * SECOND,
    -1800 * SECOND };
  Player p;

  player_init_quiet (&p);
  for (guint i = 0; i < 60 * 25; i++) {
    gint64 time = HOUR + i * FRAME;

    if (i % 25 == 24 && i / 25 % 2 == 0)
      add (&p, 0, time + off[i / 50 % 4], FALSE);
    else
      add (&p, 0, time, FALSE);
    if (i % 25 == 12)
      add (&p, 1, time + off[i / 25 % 4], FALSE);
    else
      add (&p, 1, time, FALSE);
    for (guint track = 0; track < 2; track++) {
      g_assert_false (p.last[track].jump);
      g_assert_cmpint (p.last[track].time, <=, time);
      g_assert_cmpint (p.last[track].time, >=, time - FRAME);
    }
    p.clock += FRAME;
  }
  g_assert_cmpint (ams_time_map_get_offset (p.map, 0), ==, 0);
  g_assert_cmpint (ams_time_map_get_offset (p.map, 1), ==, 0);
  player_clear (&p);
}

/* Times, arrivals and thresholds at the ends of what is possible (fault 12). */
static void
test_extremes (void)
{
  static const gint64 odd[] = { G_MININT64 + 1, -MAX_TIME - 1, -MAX_TIME, -WRAP,
    -1, 0, 1, WRAP, MAX_TIME, MAX_TIME + 1, G_MAXINT64 };
  guint n = G_N_ELEMENTS (odd);
  g_autoptr (AmsTimeMap) strange = ams_time_map_new (G_MININT64);
  g_autoptr (AmsTimeMap) wide = ams_time_map_new (G_MAXINT64);
  Player p;

  g_assert_cmpint (ams_time_map_get_deadline (strange), ==, AMS_TIME_NONE);
  g_assert_cmpint (ams_time_map_get_deadline (wide), ==, AMS_TIME_NONE);
  player_init_quiet (&p);
  for (guint i = 0; i < n * n * n; i++) {
    p.clock = odd[i % n];
    p.duration = odd[i / n % n];
    add (&p, i & 1, odd[i * 7 / n % n], FALSE);
    if (i % 5 == 0)
      ams_time_map_tick (p.map, odd[i / 5 % n]);
    ams_time_map_get_deadline (p.map);
    drain (&p);
  }
  ams_time_map_end_track (p.map, 0);
  ams_time_map_end_track (p.map, 1);
  drain (&p);
  player_clear (&p);
}

/* Whatever comes: the line does not go back, but by the reordering of pictures,
 * and all units come out. */
static void
do_random (Player *p, GRand *rand, gint64 *time)
{
  guint track = g_rand_int_range (rand, 0, 2);
  gboolean missing = g_rand_int_range (rand, 0, 40) == 0;

  *time += FRAME;
  if (g_rand_int_range (rand, 0, 50) == 0)
    *time = g_rand_double_range (rand, -1000, 1e6) * SECOND;
  if (g_rand_int_range (rand, 0, 20) == 0)
    *time += g_rand_double_range (rand, -3, 3) * SECOND;
  if (g_rand_int_range (rand, 0, 100) == 0)
    ams_time_map_expect_jump (p->map, track);
  if (g_rand_int_range (rand, 0, 300) == 0)
    ams_time_map_end_track (p->map, track);
  if (g_rand_int_range (rand, 0, 5) == 0)
    ams_time_map_tick (p->map, p->clock);
  p->clock += g_rand_double_range (rand, 0, 0.1) * SECOND;
  p->duration = g_rand_double_range (rand, -1, 5) * SECOND;
  drain (p);
  add (p, track, missing ? AMS_TIME_NONE : *time,
      g_rand_int_range (rand, 0, 30) == 0);
}

static void
test_random (gconstpointer reorders)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (99);
  gint64 time = 0;
  Player p;

  player_init_quiet (&p);
  p.reorders = GPOINTER_TO_INT (reorders);
  for (guint i = 0; i < 200000; i++)
    do_random (&p, rand, &time);
  ams_time_map_end_track (p.map, 0);
  ams_time_map_end_track (p.map, 1);
  drain (&p);
  g_assert_cmpint (ams_time_map_get_deadline (p.map), ==, AMS_TIME_NONE);
  player_clear (&p);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = g_strconcat ("/time-map/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/time-map/wrap/goes-on", test_wrap_goes_on);
  g_test_add_func ("/time-map/wrap/many", test_many_wraps_go_on);
  g_test_add_func ("/time-map/wrap/forth-and-back", test_wrap_forth_and_back);
  g_test_add_func ("/time-map/wrap/odd", test_wrap_odd);
  g_test_add_func ("/time-map/jumps/in-sync", test_jumps_in_sync);
  g_test_add_func ("/time-map/bad/sixty", test_bad_sixty);
  g_test_add_func ("/time-map/extremes", test_extremes);
  g_test_add_data_func ("/time-map/random/dts", GINT_TO_POINTER (FALSE),
      test_random);
  g_test_add_data_func ("/time-map/random/pts", GINT_TO_POINTER (TRUE),
      test_random);
  return g_test_run ();
}
