/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "package/ts/amstsscan.h"

#define PACKET 188
#define PMT_PID 0x20
#define VIDEO_PID 0x41
#define AUDIO_PID 0x42
#define FRAME 3600 /* 25 frames/s at 90 kHz */
#define FRAME_NS G_GUINT64_CONSTANT (40000000)
#define WRAP (G_GUINT64_CONSTANT (1) << 33)

/* ---- a little TS writer ---- */

static void
put_packet (GByteArray *ts, guint pid, gboolean start, const guint8 *payload,
    gsize len)
{
  guint8 p[PACKET];
  gsize header = 4, stuffing = PACKET - 4 - len;

  g_assert_cmpuint (len, <=, PACKET - 4);
  memset (p, 0xff, sizeof p);
  p[0] = 0x47;
  p[1] = (start ? 0x40 : 0) | pid >> 8;
  p[2] = pid;
  p[3] = 0x10;
  if (stuffing > 0) {
    p[3] |= 0x20;
    p[4] = stuffing - 1;
    if (stuffing > 1)
      p[5] = 0;
    header += stuffing;
  }
  memcpy (p + header, payload, len);
  g_byte_array_append (ts, p, PACKET);
}

static void
put_section (GByteArray *ts, guint pid, guint table, const guint8 *body,
    gsize len)
{
  guint8 p[PACKET] = { 0, table, 0xb0, len + 9, 0, 1, 0xc1, 0, 0 };

  memcpy (p + 9, body, len);
  put_packet (ts, pid, TRUE, p, 9 + len + 4);
}

static void
put_pat (GByteArray *ts)
{
  /* With the network information table before the program. */
  static const guint8 body[] = { 0, 0, 0xe0, 0x10, 0, 1, 0xe0, PMT_PID };

  put_section (ts, 0, 0x00, body, sizeof body);
}

typedef struct
{
  guint8 type;
  const gchar *descriptors;
  gsize len;
} Stream;

static gsize
put_stream (guint8 *p, guint pid, const Stream *stream)
{
  if (stream->type == 0)
    return 0;
  p[0] = stream->type;
  p[1] = 0xe0 | pid >> 8;
  p[2] = pid;
  p[3] = 0xf0;
  p[4] = stream->len;
  if (stream->len > 0)
    memcpy (p + 5, stream->descriptors, stream->len);
  return 5 + stream->len;
}

static void
put_pmt (GByteArray *ts, const Stream *video, const Stream *audio)
{
  guint8 body[128] = { 0xe0, VIDEO_PID, 0xf0, 0 };
  gsize len = 4;

  len += put_stream (body + len, VIDEO_PID, video);
  len += put_stream (body + len, AUDIO_PID, audio);
  put_section (ts, PMT_PID, 0x02, body, len);
}

static const Stream no_stream = { 0 }, h264 = { 0x1b }, aac = { 0x0f };

static void
put_tables (GByteArray *ts)
{
  put_pat (ts);
  put_pmt (ts, &h264, &aac);
}

/* @n_packets long; @bounded: PES_packet_length is stated. */
static void
put_pes (GByteArray *ts, guint pid, guint64 pts, guint n_packets,
    gboolean bounded)
{
  gsize size = n_packets * (PACKET - 4), pos;
  guint8 *p = g_malloc0 (size);
  gsize length = bounded ? size - 6 : 0;
  const guint8 header[] = { 0, 0, 1, pid == AUDIO_PID ? 0xc0 : 0xe0,
    length >> 8, length, 0x80, 0x80, 5, 0x21 | (pts >> 29 & 0xe), pts >> 22,
    1 | (pts >> 14 & 0xfe), pts >> 7, 1 | pts << 1 };

  memcpy (p, header, sizeof header);
  for (pos = 0; pos < size; pos += PACKET - 4)
    put_packet (ts, pid, pos == 0, p + pos, PACKET - 4);
  g_free (p);
}

static void
put_video (GByteArray *ts, guint64 pts)
{
  put_pes (ts, VIDEO_PID, pts & (WRAP - 1), 3, FALSE);
}

static void
put_audio (GByteArray *ts, guint64 pts)
{
  put_pes (ts, AUDIO_PID, pts & (WRAP - 1), 1, TRUE);
}

/* 10 frames, each with one audio frame behind it. */
static GByteArray *
make_file (guint64 first)
{
  GByteArray *ts = g_byte_array_new ();
  guint i;

  put_tables (ts);
  for (i = 0; i < 10; i++) {
    put_video (ts, first + i * FRAME);
    put_audio (ts, first + i * FRAME);
  }
  return ts;
}

/* ---- */

static gboolean
scan (GByteArray *ts, gsize len, gboolean complete, AmsTsScan *result)
{
  g_autoptr (GBytes) bytes = g_bytes_new (ts->data, len);

  return ams_ts_scan (bytes, complete, result);
}

static void
test_complete_all (void)
{
  g_autoptr (GByteArray) ts = make_file (900000);
  AmsTsScan r;

  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.usable, ==, ts->len);
  g_assert_cmpuint (r.frames, ==, 10);
  g_assert_cmpuint (r.duration, ==, 10 * FRAME_NS);
  g_assert_cmpuint (r.first_pts, ==, 900000);
  g_assert_cmpuint (r.end_pts, ==, 900000 + 10 * FRAME);
  g_assert_true (r.has_video && r.has_audio && r.starts_with_tables);
}

static void
test_wrap_followed (void)
{
  g_autoptr (GByteArray) ts = make_file (WRAP - 5 * FRAME);
  AmsTsScan r;

  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.duration, ==, 10 * FRAME_NS);
  g_assert_cmpuint (r.first_pts, ==, WRAP - 5 * FRAME);
  g_assert_cmpuint (r.end_pts, ==, 5 * FRAME);
}

/* I P B B P B B, shown from 0 to 6; the wrap lies between. */
static void
test_b_frames_sorted (void)
{
  static const guint order[] = { 0, 3, 1, 2, 6, 4, 5 };
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  AmsTsScan r;
  guint i;

  put_tables (ts);
  for (i = 0; i < G_N_ELEMENTS (order); i++)
    put_video (ts, WRAP - 2 * FRAME + order[i] * FRAME);
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.duration, ==, 7 * FRAME_NS);
  g_assert_cmpuint (r.first_pts, ==, WRAP - 2 * FRAME);
  g_assert_cmpuint (r.end_pts, ==, 5 * FRAME);
  g_assert_false (r.has_audio);
}

/* The length of the last frame is the usual one, not that of a hole. */
static void
test_hole_median (void)
{
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  static const guint at[] = { 0, 1, 2, 3, 100, 101 };
  AmsTsScan r;
  guint i;

  put_tables (ts);
  for (i = 0; i < G_N_ELEMENTS (at); i++)
    put_video (ts, at[i] * FRAME);
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.duration, ==, 102 * FRAME_NS);
}

static void
test_one_frame_no_duration (void)
{
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  AmsTsScan r;

  put_tables (ts);
  put_video (ts, 77);
  g_assert_false (scan (ts, ts->len, FALSE, &r));
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.frames, ==, 1);
  g_assert_cmpuint (r.duration, ==, 0);
  g_assert_cmpuint (r.first_pts, ==, 77);
  g_assert_cmpuint (r.end_pts, ==, 77);
}

static void
test_open_video_tail_not_counted (void)
{
  g_autoptr (GByteArray) ts = make_file (0);
  gsize whole = ts->len;
  AmsTsScan r;

  put_video (ts, 10 * FRAME);
  g_assert_true (scan (ts, ts->len, FALSE, &r));
  g_assert_cmpuint (r.usable, ==, whole);
  g_assert_cmpuint (r.frames, ==, 10);
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.usable, ==, ts->len);
  g_assert_cmpuint (r.frames, ==, 11);
}

static void
test_short_bounded_tail_not_counted (void)
{
  g_autoptr (GByteArray) ts = make_file (0);
  gsize whole = ts->len;
  AmsTsScan r;

  put_pes (ts, AUDIO_PID, 10 * FRAME, 3, TRUE);
  g_assert_true (scan (ts, ts->len - PACKET, FALSE, &r));
  g_assert_cmpuint (r.usable, ==, whole);
  g_assert_true (scan (ts, ts->len, FALSE, &r));
  g_assert_cmpuint (r.usable, ==, ts->len);
}

static void
test_tables_at_end_left_out (void)
{
  g_autoptr (GByteArray) ts = make_file (0);
  gsize whole = ts->len;
  AmsTsScan r;

  put_tables (ts);
  g_assert_true (scan (ts, ts->len, FALSE, &r));
  g_assert_cmpuint (r.usable, ==, whole);
  put_video (ts, 10 * FRAME);
  whole = ts->len;
  put_tables (ts);
  put_video (ts, 11 * FRAME);
  g_assert_true (scan (ts, ts->len, FALSE, &r));
  g_assert_cmpuint (r.usable, ==, whole);
}

/* Whole packets, never more than there are, never fewer than before. */
static void
test_every_cut_grows (void)
{
  g_autoptr (GByteArray) ts = make_file (900000);
  guint64 usable = 0;
  gsize len;

  for (len = 0; len <= ts->len; len++) {
    AmsTsScan r;

    if (!scan (ts, len, FALSE, &r))
      g_assert_cmpuint (r.usable, ==, 0);
    g_assert_cmpuint (r.usable, <=, len);
    g_assert_cmpuint (r.usable % PACKET, ==, 0);
    g_assert_cmpuint (r.usable, >=, usable);
    g_assert_cmpuint (r.duration, ==, r.frames > 1 ? r.frames * FRAME_NS : 0);
    usable = r.usable;
  }
  g_assert_cmpuint (usable, ==, ts->len);
}

static void
test_lost_sync_stops (void)
{
  g_autoptr (GByteArray) ts = make_file (0);
  AmsTsScan r;

  /* The first packet of the sixth frame. */
  ts->data[(2 + 5 * 4) * PACKET] = 0;
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.usable, ==, (2 + 5 * 4) * PACKET);
  g_assert_cmpuint (r.frames, ==, 5);
}

/* Inside a frame the scan stops as well; that frame is not whole then. */
static void
test_lost_sync_in_frame_not_counted (void)
{
  g_autoptr (GByteArray) ts = make_file (0);
  AmsTsScan r;

  ts->data[(2 + 5 * 4 + 2) * PACKET] = 0;
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_cmpuint (r.frames, ==, 5);
}

static void
test_zeros_behind_left_out (void)
{
  g_autoptr (GByteArray) ts = make_file (0);
  gsize whole = ts->len;
  AmsTsScan r;

  g_byte_array_set_size (ts, whole + 4096);
  memset (ts->data + whole, 0, 4096);
  g_assert_true (scan (ts, ts->len, FALSE, &r));
  g_assert_cmpuint (r.usable, ==, whole);
}

static void
test_garbage_refused (void)
{
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  AmsTsScan r;
  guint i;

  g_assert_false (scan (ts, 0, TRUE, &r));
  g_byte_array_set_size (ts, 100 * PACKET);
  for (i = 0; i < ts->len; i++)
    ts->data[i] = g_test_rand_int ();
  ts->data[0] = 0;
  g_assert_false (scan (ts, ts->len, TRUE, &r));
  memset (ts->data, 0x47, ts->len);
  g_assert_false (scan (ts, ts->len, TRUE, &r));
}

/* In sync, but all else by chance: nothing is read outside (ASan). */
static void
test_random_packets_bounded (void)
{
  guint round, i;

  for (round = 0; round < 500; round++) {
    g_autoptr (GByteArray) ts = make_file (g_test_rand_int ());
    AmsTsScan r;

    for (i = 0; i < 200; i++)
      ts->data[(guint) g_test_rand_int () % ts->len] = g_test_rand_int ();
    for (i = 0; i < ts->len; i += PACKET)
      ts->data[i] = 0x47;
    scan (ts, ts->len, round & 1, &r);
    g_assert_cmpuint (r.usable, <=, ts->len);
  }
}

static void
test_no_tables_refused (void)
{
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  AmsTsScan r;

  put_video (ts, 0);
  put_video (ts, FRAME);
  g_assert_false (scan (ts, ts->len, TRUE, &r));
}

static void
test_late_tables_said (void)
{
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  AmsTsScan r;

  put_pat (ts);
  put_video (ts, 0);
  put_pmt (ts, &h264, &aac);
  put_video (ts, FRAME);
  put_video (ts, 2 * FRAME);
  g_assert_true (scan (ts, ts->len, TRUE, &r));
  g_assert_false (r.starts_with_tables);
  g_assert_cmpuint (r.first_pts, ==, FRAME);
}

/* ---- heads ---- */

typedef struct
{
  const gchar *name;
  gint64 pictures[3], sounds[3]; /* 90 kHz; negative: none */
  guint64 first, start;
} Head;

static const Head heads[] = {
  { "together/first-picture", { 900, 4500, -1 }, { 900, -1 }, 900, 900 },
  { "sound-earlier/first-picture", { 900, 4500, -1 }, { 0, -1 }, 900, 900 },
  /* A player may read the sound first. */
  { "sound-a-little-later/its-time", { 900, 4500, -1 }, { 2700, -1 }, 900,
      2700 },
  { "sound-much-later/first-picture", { 900, 4500, -1 }, { 180000, -1 }, 900,
      900 },
  { "leading-picture/the-earliest", { 9000, 1800, -1 }, { -1 }, 1800, 1800 },
  { "no-picture/sound", { -1 }, { 2700, 4620, -1 }, 2700, 2700 },
  { "no-sound/picture", { 77, -1 }, { -1 }, 77, 77 },
  { "sound-past-the-wrap/its-time", { WRAP - 900, -1 }, { WRAP + 900, -1 },
      WRAP - 900, 900 },
};

static void
test_head (gconstpointer data)
{
  const Head *c = data;
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  AmsTsHead head;
  guint i;

  put_tables (ts);
  for (i = 0; c->pictures[i] >= 0; i++)
    put_video (ts, c->pictures[i]);
  for (i = 0; c->sounds[i] >= 0; i++)
    put_audio (ts, c->sounds[i]);
  /* The last packet is cut short, as the head of a file is. */
  bytes = g_bytes_new (ts->data, ts->len - (c->sounds[0] < 0 ? 10 : 0));
  g_assert_true (ams_ts_scan_head (bytes, &head));
  g_assert_cmpuint (head.first_pts, ==, c->first);
  g_assert_cmpuint (head.start_pts, ==, c->start);
}

static void
test_head_of_nothing_refused (void)
{
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0), bytes = NULL;
  AmsTsHead head;

  put_tables (ts);
  bytes = g_bytes_new (ts->data, ts->len);
  g_assert_false (ams_ts_scan_head (empty, &head));
  g_assert_false (ams_ts_scan_head (bytes, &head));
}

/* ---- what is video, what is audio ---- */

typedef struct
{
  const gchar *name;
  Stream stream;
  gboolean video, audio;
} Type;

static const Type types[] = {
  { "mpeg1-video/video", { 0x01 }, TRUE, FALSE },
  { "mpeg2-video/video", { 0x02 }, TRUE, FALSE },
  { "h264/video", { 0x1b }, TRUE, FALSE },
  { "h265/video", { 0x24 }, TRUE, FALSE },
  { "mpeg1-audio/audio", { 0x03 }, FALSE, TRUE },
  { "mpeg2-audio/audio", { 0x04 }, FALSE, TRUE },
  { "aac/audio", { 0x0f }, FALSE, TRUE },
  { "aac-latm/audio", { 0x11 }, FALSE, TRUE },
  { "ac3/audio", { 0x81 }, FALSE, TRUE },
  { "ac3-private/audio",
      { 0x06,
          "\x05\x04"
          "AC-3",
          6 },
      FALSE, TRUE },
  { "ac3-dvb/audio", { 0x06, "\x52\x01\x01\x6a\x01\x00", 6 }, FALSE, TRUE },
  { "opus/audio", { 0x06, "\x05\x04Opus\x7f\x02\x80\x02", 10 }, FALSE, TRUE },
  { "private/neither", { 0x06 }, FALSE, FALSE },
  { "private-broken/neither",
      { 0x06,
          "\x05\x20"
          "AC-3",
          6 },
      FALSE, FALSE },
  { "id3/neither", { 0x15 }, FALSE, FALSE },
};

static void
test_type (gconstpointer data)
{
  const Type *c = data;
  g_autoptr (GByteArray) ts = g_byte_array_new ();
  AmsTsScan r;

  put_pat (ts);
  put_pmt (ts, &c->stream, &no_stream);
  put_video (ts, 0);
  put_video (ts, FRAME);
  g_assert_cmpint (scan (ts, ts->len, TRUE, &r), ==, c->video || c->audio);
  g_assert_cmpint (r.has_video, ==, c->video);
  g_assert_cmpint (r.has_audio, ==, c->audio);
  g_assert_cmpuint (r.duration, ==, c->video || c->audio ? 2 * FRAME_NS : 0);
}

static void
test_times_near_across_a_wrap (void)
{
  const guint64 last = (G_GUINT64_CONSTANT (1) << 33) - 1;

  g_assert_true (ams_ts_times_are_near (5, 5, 1));
  g_assert_true (ams_ts_times_are_near (5, 14, 10));
  g_assert_true (ams_ts_times_are_near (14, 5, 10));
  g_assert_false (ams_ts_times_are_near (5, 15, 10));
  g_assert_false (ams_ts_times_are_near (15, 5, 10));
  g_assert_true (ams_ts_times_are_near (last, 8, 10));
  g_assert_true (ams_ts_times_are_near (8, last, 10));
  g_assert_false (ams_ts_times_are_near (last, 9, 10));
  g_assert_false (ams_ts_times_are_near (9, last, 10));
}

static const struct
{
  const gchar *name;
  GTestFunc func;
} tests[] = {
  { "complete/all", test_complete_all },
  { "wrap/followed", test_wrap_followed },
  { "b-frames/sorted", test_b_frames_sorted },
  { "hole/median", test_hole_median },
  { "one-frame/no-duration", test_one_frame_no_duration },
  { "open-video-tail/not-counted", test_open_video_tail_not_counted },
  { "short-bounded-tail/not-counted", test_short_bounded_tail_not_counted },
  { "tables-at-end/left-out", test_tables_at_end_left_out },
  { "every-cut/grows", test_every_cut_grows },
  { "lost-sync/stops", test_lost_sync_stops },
  { "lost-sync-in-frame/not-counted", test_lost_sync_in_frame_not_counted },
  { "zeros-behind/left-out", test_zeros_behind_left_out },
  { "garbage/refused", test_garbage_refused },
  { "random-packets/bounded", test_random_packets_bounded },
  { "no-tables/refused", test_no_tables_refused },
  { "late-tables/said", test_late_tables_said },
  { "times/near-across-a-wrap", test_times_near_across_a_wrap },
  { "head-of-nothing/refused", test_head_of_nothing_refused },
};

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree gchar *path = g_strconcat ("/ts-scan/", tests[i].name, NULL);

    g_test_add_func (path, tests[i].func);
  }
  for (i = 0; i < G_N_ELEMENTS (heads); i++) {
    g_autofree gchar *path =
        g_strconcat ("/ts-scan-head/", heads[i].name, NULL);

    g_test_add_data_func (path, &heads[i], test_head);
  }
  for (i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree gchar *path =
        g_strconcat ("/ts-scan-type/", types[i].name, NULL);

    g_test_add_data_func (path, &types[i], test_type);
  }
  return g_test_run ();
}
