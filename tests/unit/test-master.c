/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the multivariant playlist above a recording says, and when it is written. */

#include "config.h"

#include "recording/amsmaster.h"

#include <string.h>

#include "unit-hex.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

/* High 3.1; main 3.0; low complexity, 48 kHz, stereo. */
#define HIGH \
  "0164001fffe1001a6764001facd9405005bb0110000003001000000303c0f18319600" \
  "1000668ebe3cb22c0fdf8f800"
#define MAIN "014d401effe000"
#define SOUND "1190"

typedef struct
{
  AmsMaster *master;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->master = ams_master_new ();
  ams_master_begin (f->master, "cam.m3u8", 4);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  ams_master_free (f->master);
}

static void
add_track (Fixture *f, AmsCodec codec, const gchar *hex)
{
  g_autoptr (GBytes) config = hex ? bytes_from_hex (hex) : NULL;
  g_autoptr (AmsTrack) track = ams_track_new (0, codec, config);

  ams_master_add_track (f->master, track);
}

/* (transfer full) (nullable) */
static gchar *
render (Fixture *f, gboolean ended)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) text = ams_master_render (f->master, ended, &error);

  g_assert_no_error (error);
  return text
      ? g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text))
      : NULL;
}

/* A segment of 4 s at @kbit kbit/s. */
static gchar *
add_segment (Fixture *f, guint kbit)
{
  ams_master_add_segment (f->master, kbit * 1000 / 8 * 4, 4 * SECOND, 4);
  return render (f, FALSE);
}

static void
assert_says (const gchar *text, const gchar *part)
{
  if (!text || !strstr (text, part))
    g_error ("not in the playlist: %s\n%s", part, text ? text : "(none)");
}

static void
assert_does_not_say (const gchar *text, const gchar *part)
{
  if (!text || strstr (text, part))
    g_error ("in the playlist: %s\n%s", part, text ? text : "(none)");
}

static void
test_nothing_before_the_first_segment (Fixture *f, gconstpointer data)
{
  add_track (f, AMS_CODEC_H264, HIGH);
  g_assert_null (render (f, FALSE));
  g_assert_null (render (f, TRUE));
}

static void
test_first_segment_says_all (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = NULL;

  add_track (f, AMS_CODEC_AAC, SOUND);
  add_track (f, AMS_CODEC_H264, HIGH);
  text = add_segment (f, 1000);
  g_assert_true (g_str_has_prefix (text, "#EXTM3U\n"));
  assert_says (text, "#EXT-X-INDEPENDENT-SEGMENTS\n");
  assert_says (text, "CODECS=\"avc1.64001f,mp4a.40.2\"");
  assert_says (text, "RESOLUTION=1280x720");
  assert_says (text, "BANDWIDTH=1100000");
  assert_does_not_say (text, "CLOSED-CAPTIONS");
  g_assert_true (g_str_has_suffix (text, "\ncam.m3u8\n"));
}

/* It is not computed anew for each segment, as players and caches have it. */
static void
test_bandwidth_is_said_once (Fixture *f, gconstpointer data)
{
  g_autofree gchar *first = NULL, *second = NULL, *third = NULL;

  add_track (f, AMS_CODEC_H264, HIGH);
  first = add_segment (f, 1000);
  g_assert_nonnull (first);
  second = add_segment (f, 1200);
  g_assert_null (second);
  third = add_segment (f, 3000);
  assert_says (third, "BANDWIDTH=3300000");
}

static void
test_end_says_what_was_measured (Fixture *f, gconstpointer data)
{
  g_autofree gchar *first = NULL, *second = NULL, *last = NULL;

  add_track (f, AMS_CODEC_H264, HIGH);
  first = add_segment (f, 1000);
  second = add_segment (f, 500);
  last = render (f, TRUE);
  assert_says (last, ":BANDWIDTH=1000000,AVERAGE-BANDWIDTH=750000");
  assert_says (last, "CLOSED-CAPTIONS=NONE");
  g_assert_null (render (f, TRUE));
}

static void
test_change_of_form_is_said_beside_what_was (Fixture *f, gconstpointer data)
{
  g_autofree gchar *first = NULL, *same = NULL, *second = NULL;

  add_track (f, AMS_CODEC_H264, MAIN);
  first = add_segment (f, 1000);
  assert_says (first, "CODECS=\"avc1.4d401e\"");
  assert_does_not_say (first, "RESOLUTION");
  add_track (f, AMS_CODEC_H264, MAIN);
  same = add_segment (f, 1000);
  g_assert_null (same);
  add_track (f, AMS_CODEC_H264, HIGH);
  second = add_segment (f, 1000);
  assert_says (second, "CODECS=\"avc1.4d401e,avc1.64001f\"");
  assert_says (second, "RESOLUTION=1280x720");
}

/* CODECS lists all, or nothing. */
static void
test_unknown_codec_leaves_codecs_out (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = NULL;

  add_track (f, AMS_CODEC_H264, HIGH);
  add_track (f, AMS_CODEC_DTS, NULL);
  text = add_segment (f, 1000);
  assert_does_not_say (text, "CODECS");
}

static void
test_sound_alone_has_no_picture (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = NULL, *last = NULL;

  add_track (f, AMS_CODEC_AAC, SOUND);
  text = add_segment (f, 64);
  assert_says (text, "CODECS=\"mp4a.40.2\"");
  assert_does_not_say (text, "RESOLUTION");
  assert_does_not_say (text, "FRAME-RATE");
  last = render (f, TRUE);
  assert_does_not_say (last, "CLOSED-CAPTIONS");
}

static void
test_captions_are_a_group (Fixture *f, gconstpointer data)
{
  g_autofree gchar *first = NULL, *second = NULL, *last = NULL;

  add_track (f, AMS_CODEC_H264, HIGH);
  first = add_segment (f, 1000);
  ams_master_add_captions (f->master, 1 << 0 | 1 << 2, 1 << 1);
  second = add_segment (f, 1000);
  assert_says (second, "TYPE=CLOSED-CAPTIONS");
  assert_says (second, "LANGUAGE=\"und\"");
  assert_says (second, "INSTREAM-ID=\"CC1\"");
  assert_says (second, "INSTREAM-ID=\"CC3\"");
  assert_says (second, "INSTREAM-ID=\"SERVICE1\"");
  assert_says (second, "CLOSED-CAPTIONS=\"cc\"");
  last = render (f, TRUE);
  assert_does_not_say (last, "NONE");
}

static void
test_dependent_segments_are_not_said_to_be_independent (Fixture *f,
    gconstpointer data)
{
  g_autofree gchar *first = NULL, *second = NULL;

  add_track (f, AMS_CODEC_H264, HIGH);
  first = add_segment (f, 1000);
  ams_master_set_dependent (f->master);
  second = add_segment (f, 1000);
  assert_does_not_say (second, "INDEPENDENT");
}

#define ADD(path, test) \
  g_test_add ("/master/" path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("nothing", test_nothing_before_the_first_segment);
  ADD ("first", test_first_segment_says_all);
  ADD ("once", test_bandwidth_is_said_once);
  ADD ("end", test_end_says_what_was_measured);
  ADD ("form", test_change_of_form_is_said_beside_what_was);
  ADD ("unknown-codec", test_unknown_codec_leaves_codecs_out);
  ADD ("sound", test_sound_alone_has_no_picture);
  ADD ("captions", test_captions_are_a_group);
  ADD ("dependent", test_dependent_segments_are_not_said_to_be_independent);
  return g_test_run ();
}
