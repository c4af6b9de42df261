/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "package/ts/amstspackager.h"
#include "package/vtt/amsvtt.h"
#include "package/vtt/amsvtttext.h"
#include "ts-reader.h"

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)

#define HEADER "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"

static AmsSlice
slice (const gchar *text)
{
  return (AmsSlice){ (const guint8 *) text, strlen (text) };
}

static AmsVttFault
add (AmsVtt *vtt, const gchar *text, gint64 start, gint64 duration)
{
  return ams_vtt_add (vtt, AMS_VTT_PLAIN, slice (text), start, duration);
}

static gchar *
cut (AmsVtt *vtt, gint64 start, gint64 end)
{
  g_autoptr (GBytes) bytes = ams_vtt_cut (vtt, start, end);

  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
assert_cut (AmsVtt *vtt, gint64 start, gint64 end, const gchar *expected)
{
  g_autofree gchar *text = cut (vtt, start, end);

  g_assert_cmpstr (text, ==, expected);
}

/* ---- payloads ---- */

typedef struct
{
  const gchar *what;
  AmsVttFormat format;
  const gchar *text;
  AmsVttFault fault;
  const gchar *cue; /* what is behind the start's time; NULL: there is none */
} Payload;

#define SHOWN " --> 00:00:02.000"

static const Payload payloads[] = {
  { "plain", AMS_VTT_PLAIN, "Hello", AMS_VTT_FINE, SHOWN "\nHello\n\n" },
  { "plain is escaped", AMS_VTT_PLAIN, "a < b && b > c <b>", AMS_VTT_FINE,
      SHOWN "\na &lt; b &amp;&amp; b &gt; c &lt;b&gt;\n\n" },
  { "an arrow", AMS_VTT_PLAIN, "00:01.000 --> 00:02.000", AMS_VTT_FINE,
      SHOWN "\n00:01.000 --&gt; 00:02.000\n\n" },
  { "lines", AMS_VTT_PLAIN, "a\r\nb\rc\n\n \t\nd \n", AMS_VTT_FINE,
      SHOWN "\na\nb\nc\nd\n\n" },
  { "nothing", AMS_VTT_PLAIN, "", AMS_VTT_FINE, NULL },
  { "blanks", AMS_VTT_PLAIN, " \n\t\n", AMS_VTT_FINE, NULL },
  { "control characters", AMS_VTT_PLAIN, "a\x01\x1b[1m\tb\xc2\x85z",
      AMS_VTT_FINE, SHOWN "\na[1m\tbz\n\n" },
  { "byte order mark", AMS_VTT_PLAIN, "\xef\xbb\xbfGrüße", AMS_VTT_FINE,
      SHOWN "\nGrüße\n\n" },
  { "no UTF-8", AMS_VTT_PLAIN,
      "Gr\xfc\xdf"
      "e",
      AMS_VTT_NOT_UTF8,
      SHOWN "\nGr\xef\xbf\xbd\xef\xbf\xbd"
            "e\n\n" },

  { "markup", AMS_VTT_MARKUP, "<i>a</i> &amp; <b>b<u>c</u></b>", AMS_VTT_FINE,
      SHOWN "\n<i>a</i> &amp; <b>b<u>c</u></b>\n\n" },
  { "markup that WebVTT does not have", AMS_VTT_MARKUP,
      "<span foreground=\"red\">a &lt; b</span><big>c</big>", AMS_VTT_FINE,
      SHOWN "\na &lt; bc\n\n" },
  { "markup with a blank line", AMS_VTT_MARKUP, "<i>a\n\nb</i>", AMS_VTT_FINE,
      SHOWN "\n<i>a\nb</i>\n\n" },
  { "no markup", AMS_VTT_MARKUP, "a <b & c", AMS_VTT_NO_MARKUP,
      SHOWN "\na &lt;b &amp; c\n\n" },
  { "markup that is not closed", AMS_VTT_MARKUP, "<i>a</markup><markup>",
      AMS_VTT_NO_MARKUP,
      SHOWN "\n&lt;i&gt;a&lt;/markup&gt;&lt;markup&gt;\n\n" },
  { "markup, no UTF-8", AMS_VTT_MARKUP, "<i>\xff</i>", AMS_VTT_NOT_UTF8,
      SHOWN "\n<i>\xef\xbf\xbd</i>\n\n" },

  /* As webvttenc and qtdemux make them. */
  { "a cue", AMS_VTT_CUES,
      "WEBVTT\n\n00:00:05.000 --> 00:00:06.500 line:0 position:20%\n<v A>Hi\n"
      "there\n\n",
      AMS_VTT_FINE,
      " --> 00:00:02.500 line:0 position:20%\n<v A>Hi\nthere\n\n" },
  { "a cue without header, with a name, without hours", AMS_VTT_CUES,
      "cue-1\n00:05.000 --> 00:06.000\nHi", AMS_VTT_FINE, SHOWN "\nHi\n\n" },
  { "several cues", AMS_VTT_CUES,
      "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\nNOTE no\nno\n\n"
      "STYLE\n::cue {}\n\n1\n01:00:00.000 --> 01:00:00.500\nA\n\n\n"
      "01:00:01.000\t-->\t01:00:01.500\talign:left\nB\n",
      AMS_VTT_FINE,
      " --> 00:00:01.500\nA\n\n"
      "00:00:02.000 --> 00:00:02.500 align:left\nB\n\n" },
  { "a cue of no time has the buffer's", AMS_VTT_CUES,
      "00:05.000 --> 00:05.000\nHi", AMS_VTT_FINE, SHOWN "\nHi\n\n" },
  { "only a payload", AMS_VTT_CUES, "<i>Hi</i> &amp; bye\n\nall", AMS_VTT_FINE,
      SHOWN "\n<i>Hi</i> &amp; bye\nall\n\n" },
  { "an arrow in a payload", AMS_VTT_CUES, "00:05.000 --> 00:06.000\na --> b",
      AMS_VTT_FINE, SHOWN "\na --&gt; b\n\n" },
  { "an arrow in the settings", AMS_VTT_CUES,
      "00:05.000 --> 00:06.000 line:0 --> 00:07.000\na", AMS_VTT_FINE,
      SHOWN "\na\n\n" },
  { "only a header", AMS_VTT_CUES, "WEBVTT\n\n", AMS_VTT_FINE, NULL },
  { "a damaged timing", AMS_VTT_CUES,
      "0:05.000 --> 00:06.000\na\n\n00:05.000 --> 00:06.000\nb\n",
      AMS_VTT_NO_CUE, SHOWN "\nb\n\n" },
  { "an end before its start", AMS_VTT_CUES, "00:05.000 --> 00:04.000\na",
      AMS_VTT_NO_CUE, NULL },
  { "61 seconds", AMS_VTT_CUES, "00:61.000 --> 00:62.000\na", AMS_VTT_NO_CUE,
      NULL },
  { "four decimals", AMS_VTT_CUES, "00:01.0000 --> 00:02.0000\na",
      AMS_VTT_NO_CUE, NULL },
  { "a number that is none", AMS_VTT_CUES,
      "99999:00:01.000 --> 99999:00:02.000\na", AMS_VTT_NO_CUE, NULL },
};

static void
test_payload (gconstpointer data)
{
  const Payload *row = data;
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();
  g_autofree gchar *expected = row->cue
      ? g_strconcat (HEADER "00:00:01.000", row->cue, NULL)
      : g_strdup (HEADER);

  g_assert_cmpint (
      ams_vtt_add (vtt, row->format, slice (row->text), SECOND, SECOND), ==,
      row->fault);
  assert_cut (vtt, 0, 10 * SECOND, expected);
}

/* As some elements push it. */
static void
test_ends_with_nul (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();
  const AmsSlice text = { (const guint8 *) "Hi\0", 4 };
  const AmsSlice inside = { (const guint8 *) "a\0b", 3 };
  const AmsSlice none = { NULL, 0 };

  g_assert_cmpint (ams_vtt_add (vtt, AMS_VTT_PLAIN, text, 0, SECOND), ==,
      AMS_VTT_FINE);
  g_assert_cmpint (ams_vtt_add (vtt, AMS_VTT_PLAIN, inside, 0, SECOND), ==,
      AMS_VTT_NOT_UTF8);
  g_assert_cmpint (ams_vtt_add (vtt, AMS_VTT_PLAIN, none, 0, SECOND), ==,
      AMS_VTT_FINE);
  assert_cut (vtt, 0, SECOND,
      HEADER "00:00:00.000 --> 00:00:01.000\nHi\n\n"
             "00:00:00.000 --> 00:00:01.000\na\xef\xbf\xbd"
             "b\n\n");
}

/* ---- cuts ---- */

static void
test_cue_over_a_cut_is_in_both (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  add (vtt, "a", 3 * SECOND, 3 * SECOND);
  add (vtt, "b", 5 * SECOND, SECOND);
  add (vtt, "c", 8 * SECOND, SECOND);
  assert_cut (vtt, 0, 4 * SECOND,
      HEADER "00:00:03.000 --> 00:00:06.000\na\n\n");
  assert_cut (vtt, 4 * SECOND, 8 * SECOND,
      HEADER "00:00:03.000 --> 00:00:06.000\na\n\n"
             "00:00:05.000 --> 00:00:06.000\nb\n\n");
  assert_cut (vtt, 8 * SECOND, 12 * SECOND,
      HEADER "00:00:08.000 --> 00:00:09.000\nc\n\n");
}

/* What ends at the cut is not in the next segment, what begins there is. */
static void
test_cues_at_the_cut (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  add (vtt, "a", 2 * SECOND, 2 * SECOND);
  add (vtt, "b", 4 * SECOND, 1 * SECOND);
  assert_cut (vtt, 0, 4 * SECOND,
      HEADER "00:00:02.000 --> 00:00:04.000\na\n\n");
  assert_cut (vtt, 4 * SECOND, 8 * SECOND,
      HEADER "00:00:04.000 --> 00:00:05.000\nb\n\n");
}

static void
test_silence_is_only_a_header (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  assert_cut (vtt, 0, 4 * SECOND, HEADER);
  assert_cut (vtt, 4 * SECOND, 8 * SECOND, HEADER);
}

static void
test_cues_out_of_order_are_sorted (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  add (vtt, "b", 2 * SECOND, SECOND);
  add (vtt, "a", 1 * SECOND, SECOND);
  add (vtt, "c", 2 * SECOND, SECOND);
  assert_cut (vtt, 0, 4 * SECOND,
      HEADER "00:00:01.000 --> 00:00:02.000\na\n\n"
             "00:00:02.000 --> 00:00:03.000\nb\n\n"
             "00:00:02.000 --> 00:00:03.000\nc\n\n");
}

static void
test_late_cues (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  assert_cut (vtt, 0, 4 * SECOND, HEADER);
  g_assert_cmpint (add (vtt, "a", 2 * SECOND, 2 * SECOND), ==, AMS_VTT_LATE);
  g_assert_cmpint (add (vtt, "b", 2 * SECOND, 2 * SECOND + MS), ==,
      AMS_VTT_FINE);
  assert_cut (vtt, 4 * SECOND, 8 * SECOND,
      HEADER "00:00:02.000 --> 00:00:04.001\nb\n\n");
}

/* Until the next one, even if that shows nothing; each segment has its piece. */
static void
test_cue_without_duration (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  add (vtt, "a", 1 * SECOND, 0);
  add (vtt, "b", 2 * SECOND, -1);
  assert_cut (vtt, 0, 4 * SECOND,
      HEADER "00:00:01.000 --> 00:00:02.000\na\n\n"
             "00:00:02.000 --> 00:00:04.000\nb\n\n");
  assert_cut (vtt, 4 * SECOND, 8 * SECOND,
      HEADER "00:00:04.000 --> 00:00:08.000\nb\n\n");
  add (vtt, "", 9 * SECOND, SECOND);
  assert_cut (vtt, 8 * SECOND, 12 * SECOND,
      HEADER "00:00:08.000 --> 00:00:09.000\nb\n\n");
  assert_cut (vtt, 12 * SECOND, 16 * SECOND, HEADER);
}

static void
test_cue_of_no_millisecond (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  add (vtt, "a", SECOND, 10);
  assert_cut (vtt, 0, 4 * SECOND,
      HEADER "00:00:01.000 --> 00:00:01.001\na\n\n");
}

static void
test_too_many_cues (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  for (guint i = 0; i < AMS_VTT_MAX_CUES; i++)
    g_assert_cmpint (add (vtt, "a", i, SECOND), ==, AMS_VTT_FINE);
  g_assert_cmpint (add (vtt, "a", 0, SECOND), ==, AMS_VTT_TOO_MANY);
  g_free (cut (vtt, 0, 4 * SECOND));
  g_assert_cmpint (add (vtt, "a", 5 * SECOND, SECOND), ==, AMS_VTT_FINE);
}

static void
test_faults_are_described (void)
{
  g_assert_null (ams_vtt_fault_describe (AMS_VTT_FINE));
  for (AmsVttFault i = AMS_VTT_NOT_UTF8; i <= AMS_VTT_TOO_MANY; i++)
    g_assert_nonnull (ams_vtt_fault_describe (i));
}

/* ---- times ---- */

/* The presentation time stamp that the MPEG-TS packager gives a frame at
 * @time. */
static guint64
get_ts_time (gint64 time)
{
  static const guint8 aac[] = { 0x11, 0x90 }, frame[] = { 0x21, 0x10, 0x04 };
  g_autoptr (AmsPackager) packager = ams_ts_packager_new ();
  g_autoptr (AmsBlocks) out = ams_blocks_new (AMS_TS_BLOCK_SIZE);
  g_autoptr (TsReader) reader = ts_reader_new ();
  g_autoptr (GPtrArray) tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_track_free);
  g_autoptr (GBytes) config = g_bytes_new_static (aac, sizeof aac);
  g_autoptr (GBytes) payload = g_bytes_new_static (frame, sizeof frame);
  const AmsUnit unit = { .flags = AMS_UNIT_KEY,
    .pts = time,
    .dts = time,
    .payload = payload };
  g_autoptr (GByteArray) file = g_byte_array_new ();
  GBytes *block;

  g_ptr_array_add (tracks, ams_track_new (0, AMS_CODEC_AAC, config));
  g_assert_true (ams_packager_set_tracks (packager, tracks, NULL));
  ams_packager_begin_segment (packager, FALSE, out);
  g_assert_true (ams_packager_add (packager, &unit, out, NULL));
  ams_packager_flush (packager, out);
  while ((block = ams_blocks_take (out))) {
    g_byte_array_append (file, g_bytes_get_data (block, NULL),
        g_bytes_get_size (block));
    g_bytes_unref (block);
  }
  ts_reader_read (reader, file->data, file->len);
  return ((ReadPes *) g_ptr_array_index (reader->pes, 0))->pts;
}

/* What a player takes the first cue's start for: 90 kHz, 33 bits. */
static guint64
get_vtt_time (const gchar *text)
{
  const gchar *map = strstr (text, "MPEGTS:") + strlen ("MPEGTS:");
  const gchar *cue = strstr (text, "\n\n") + 2;
  guint hours, minutes, seconds, ms;

  g_assert_nonnull (strstr (text, ",LOCAL:00:00:00.000\n"));
  g_assert_cmpuint (g_ascii_strtoull (map, NULL, 10), <,
      G_GUINT64_CONSTANT (1) << 33);
  g_assert_cmpint (sscanf (cue, "%u:%u:%u.%u", &hours, &minutes, &seconds, &ms),
      ==, 4);
  return (g_ascii_strtoull (map, NULL, 10) +
             ((hours * 60 + minutes) * 60 + seconds) *
                 G_GUINT64_CONSTANT (90000) +
             ms * 90) %
      (G_GUINT64_CONSTANT (1) << 33);
}

static const gint64 times[] = { 0, 1 * SECOND, 59 * 60 * SECOND + 999 * MS,
  HOUR, 2 * HOUR - MS, 2 * HOUR, 26 * HOUR, 95443 * SECOND, 95444 * SECOND,
  27 * HOUR, 1000 * HOUR + 123 * MS, 9000 * HOUR, -1 * SECOND, -2 * HOUR };

/* 95443.7 s of 90 kHz are 33 bits; the packager begins at 10 s. */
static void
test_times_are_those_of_the_video (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autoptr (AmsVtt) vtt = ams_vtt_new ();
    g_autofree gchar *text = NULL;

    add (vtt, "a", times[i], SECOND);
    text = cut (vtt, times[i] - 2 * SECOND, times[i] + 2 * SECOND);
    g_assert_cmpuint (get_vtt_time (text), ==, get_ts_time (times[i]));
  }
}

/* A player that has the video's times as 33 bits must find the nearest. */
static void
test_map_is_never_far_from_the_video (void)
{
  for (gint64 start = 0; start < 60 * HOUR; start += 7 * 60 * SECOND) {
    g_autoptr (AmsVtt) vtt = ams_vtt_new ();
    g_autofree gchar *text = cut (vtt, start, start + 4 * SECOND);
    guint64 map = g_ascii_strtoull (
        strstr (text, "MPEGTS:") + strlen ("MPEGTS:"), NULL, 10);
    guint64 away = ((guint64) (start / 100000 * 9) + 900000 - map) %
        (G_GUINT64_CONSTANT (1) << 33);

    g_assert_cmpuint (away, <, 2 * G_GUINT64_CONSTANT (3600) * 90000);
    if (start >= HOUR)
      g_assert_cmpuint (away, >=, G_GUINT64_CONSTANT (3600) * 90000);
  }
}

/* A cue that is shown for hours begins at the map's time at the latest. */
static void
test_cue_of_many_hours (void)
{
  g_autoptr (AmsVtt) vtt = ams_vtt_new ();

  add (vtt, "a", 0, 10 * HOUR);
  assert_cut (vtt, 5 * HOUR, 5 * HOUR + 4 * SECOND,
      "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1296900000,LOCAL:00:00:00.000\n\n"
      "00:00:00.000 --> 06:00:00.000\na\n\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autofree gchar *path = g_strconcat ("/vtt/", payloads[i].what, NULL);

    g_test_add_data_func (path, &payloads[i], test_payload);
  }
  g_test_add_func ("/vtt/nul", test_ends_with_nul);
  g_test_add_func ("/vtt/over-a-cut", test_cue_over_a_cut_is_in_both);
  g_test_add_func ("/vtt/at-the-cut", test_cues_at_the_cut);
  g_test_add_func ("/vtt/silence", test_silence_is_only_a_header);
  g_test_add_func ("/vtt/order", test_cues_out_of_order_are_sorted);
  g_test_add_func ("/vtt/late", test_late_cues);
  g_test_add_func ("/vtt/no-duration", test_cue_without_duration);
  g_test_add_func ("/vtt/no-millisecond", test_cue_of_no_millisecond);
  g_test_add_func ("/vtt/too-many", test_too_many_cues);
  g_test_add_func ("/vtt/faults", test_faults_are_described);
  g_test_add_func ("/vtt/times", test_times_are_those_of_the_video);
  g_test_add_func ("/vtt/near", test_map_is_never_far_from_the_video);
  g_test_add_func ("/vtt/hours", test_cue_of_many_hours);
  return g_test_run ();
}
