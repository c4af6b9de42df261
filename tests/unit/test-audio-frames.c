/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/ts/amsaudioframes.h"

#include <string.h>

typedef struct
{
  const gchar *name;
  AmsAudioFrames format;
  guint8 header[12];
  gsize size; /* of a frame */
  gint64 time; /* ticks of 90 kHz that one lasts */
} Case;

#define ADTS AMS_AUDIO_FRAMES_ADTS
#define MPEG AMS_AUDIO_FRAMES_MPEG
#define AC3 AMS_AUDIO_FRAMES_AC3
#define OPUS AMS_AUDIO_FRAMES_OPUS

static const Case cases[] = {
  { "adts-48k", ADTS, { 0xff, 0xf1, 0x4c, 0x80, 0x19, 0x1f, 0xfc }, 200, 1920 },
  { "adts-44k", ADTS, { 0xff, 0xf1, 0x50, 0x80, 0x19, 0x1f, 0xfc }, 200, 2089 },
  /* Two raw_data_blocks. */
  { "adts-two-blocks", ADTS, { 0xff, 0xf1, 0x4c, 0x80, 0x19, 0x1f, 0xfd }, 200,
      3840 },
  { "mp3-48k-128", MPEG, { 0xff, 0xfb, 0x94, 0 }, 384, 2160 },
  { "mp3-44k-128", MPEG, { 0xff, 0xfb, 0x90, 0 }, 417, 2351 },
  { "mp3-44k-128-padded", MPEG, { 0xff, 0xfb, 0x92, 0 }, 418, 2351 },
  { "mp3-mpeg2-24k-64", MPEG, { 0xff, 0xf3, 0x84, 0 }, 192, 2160 },
  { "mp3-mpeg25-12k-32", MPEG, { 0xff, 0xe3, 0x44, 0 }, 192, 4320 },
  { "mp2-48k-192", MPEG, { 0xff, 0xfd, 0xa4, 0 }, 576, 2160 },
  { "mp1-48k-192", MPEG, { 0xff, 0xff, 0x64, 0 }, 192, 720 },
  { "ac3-48k-192", AC3, { 0x0b, 0x77, 0, 0, 0x14, 0x40 }, 768, 2880 },
  { "ac3-44k-192", AC3, { 0x0b, 0x77, 0, 0, 0x54, 0x40 }, 834, 3134 },
  { "ac3-44k-192-padded", AC3, { 0x0b, 0x77, 0, 0, 0x55, 0x40 }, 836, 3134 },
  { "ac3-32k-192", AC3, { 0x0b, 0x77, 0, 0, 0x94, 0x40 }, 1152, 4320 },
  { "eac3-48k", AC3, { 0x0b, 0x77, 0x01, 0x7f, 0x30, 0x80 }, 768, 2880 },
  { "eac3-one-block", AC3, { 0x0b, 0x77, 0x01, 0x7f, 0x00, 0x80 }, 768, 480 },
  { "eac3-24k", AC3, { 0x0b, 0x77, 0x01, 0x7f, 0xc0, 0x80 }, 768, 5760 },
  { "opus-20ms", OPUS, { 0x7f, 0xe0, 100, 0xfc }, 103, 1800 },
  { "opus-60ms-silk", OPUS, { 0x7f, 0xe0, 100, 0x18 }, 103, 5400 },
  { "opus-two-frames", OPUS, { 0x7f, 0xe0, 100, 0xfd }, 103, 3600 },
  { "opus-five-frames", OPUS, { 0x7f, 0xe0, 100, 0xe3, 5 }, 103, 1125 },
  { "opus-long-size", OPUS, { 0x7f, 0xe0, 0xff, 45, 0xfc }, 304, 1800 },
  { "opus-trimmed", OPUS, { 0x7f, 0xf8, 100, 0, 10, 0, 10, 0xfc }, 107, 1800 },
  { "opus-extended", OPUS, { 0x7f, 0xe4, 100, 2, 0, 0, 0xfc }, 106, 1800 },
};

/* Ten frames, and each beginning of them: what has begun counts. */
static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autofree guint8 *frames = g_malloc0 (10 * c->size);
  gint64 last = 0;
  gsize size;
  guint i;

  for (i = 0; i < 10; i++)
    memcpy (frames + i * c->size, c->header, sizeof c->header);
  for (size = 0; size <= 10 * c->size; size++) {
    /* Another place each time, for ASan to see what is read behind it. */
    g_autofree guint8 *copy = g_memdup2 (frames, size);
    gint64 time = ams_audio_frames_time (c->format, copy, size);

    g_assert_cmpint (time, >=, last);
    last = time;
    if (size % c->size == 0) {
      gint64 expected = size / c->size * c->time;

      g_assert_cmpint (time, >=, expected);
      g_assert_cmpint (time, <=, expected + 10);
    }
  }
}

static void
test_unknown (void)
{
  static const guint8 nothing[100] = { 0 };
  guint format;

  for (format = AMS_AUDIO_FRAMES_UNKNOWN; format <= AMS_AUDIO_FRAMES_OPUS;
       format++) {
    g_assert_cmpint (ams_audio_frames_time (format, nothing, 100), ==, 0);
    g_assert_cmpint (ams_audio_frames_time (format, NULL, 0), ==, 0);
  }
}

/* Substreams of one program are at the same time. */
static void
test_eac3_dependent_substream_adds_nothing (void)
{
  guint8 frames[1536] = { 0x0b, 0x77, 0x01, 0x7f, 0x30, 0x80 };

  memcpy (frames + 768, frames, 768);
  frames[768 + 2] = 0x41;
  g_assert_cmpint (ams_audio_frames_time (AC3, frames, 1536), ==, 2880);
}

static void
test_random_is_bounded (void)
{
  guint round, i;

  for (round = 0; round < 20000; round++) {
    g_autofree guint8 *data = g_malloc (64);
    const Case *c = &cases[round % G_N_ELEMENTS (cases)];

    for (i = 0; i < 64; i++)
      data[i] = g_test_rand_int ();
    memcpy (data, c->header, 2);
    g_assert_cmpint (ams_audio_frames_time (c->format, data, 64), >=, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path =
        g_strconcat ("/audio-frames/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/audio-frames/unknown", test_unknown);
  g_test_add_func ("/audio-frames/eac3-dependent",
      test_eac3_dependent_substream_adds_nothing);
  g_test_add_func ("/audio-frames/random", test_random_is_bounded);
  return g_test_run ();
}
