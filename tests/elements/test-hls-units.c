/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Units wait for others before they are recorded: whatever else happens to a track
 * comes after those that it came after. Sound shows it to the frame, as each of its
 * frames can begin a segment. */

#include "config.h"

#include "hls-common.h"

#define SECONDS(n) ((n) *GST_SECOND)
#define SOUND_FRAME (SECONDS (1024) / 48000)
/* No multiple of 16, so that some wait. */
#define N_BEFORE 141

typedef void (*Happens) (Hls *hls);

/* The first segment ends where it has happened. */
static void
cut_by (Happens happens, guint discontinuities)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  guint n = 0;

  g_object_set (hls->sink, "target-duration", 10, NULL);
  hls_add_audio (hls)->media = hls_audio_parsed ();
  hls_play (hls);
  for (guint i = 0; i < N_BEFORE; i++)
    hls_track_push (hls->audio);
  happens (hls);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_cmpuint (hls_segment (playlist, 0)->duration / GST_MSECOND, ==,
      N_BEFORE * SOUND_FRAME / GST_MSECOND);
  for (guint i = 0; i < playlist->segments->len; i++)
    n += hls_segment (playlist, i)->discontinuity;
  g_assert_cmpuint (n, ==, discontinuities);
  g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, hls->audio->pushed);
}

static void
split (Hls *hls)
{
  g_signal_emit_by_name (hls->sink, "split-now");
}

static void
test_split_comes_after_units (void)
{
  cut_by (split, 0);
}

static void
flush (Hls *hls)
{
  gst_pad_push_event (hls->audio->pad, gst_event_new_flush_start ());
  gst_pad_push_event (hls->audio->pad, gst_event_new_flush_stop (FALSE));
  hls_track_begin (hls->audio);
}

static void
test_flush_comes_after_units (void)
{
  cut_by (flush, 1);
}

/* As if it was stereo from here on. */
static void
change_caps (Hls *hls)
{
  static HlsMedia stereo;
  static const guint8 config[] = { 0x11, 0x90 };
  g_autoptr (GstBuffer) codec_data =
      gst_buffer_new_memdup (config, sizeof config);

  stereo = *hls_audio_parsed ();
  stereo.caps = gst_caps_copy (stereo.caps);
  gst_caps_set_simple (stereo.caps, "channels", G_TYPE_INT, 2, "codec_data",
      GST_TYPE_BUFFER, codec_data, NULL);
  hls_track_caps (hls->audio, &stereo);
  gst_caps_unref (stereo.caps);
}

static void
test_caps_come_after_units (void)
{
  cut_by (change_caps, 1);
}

static void
test_stop_comes_after_units (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_audio (hls);
  hls_play (hls);
  for (guint i = 0; i < N_BEFORE; i++)
    hls_track_push (hls->audio);
  hls_wait_segments (hls, 1);
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, N_BEFORE);
}

/* Returns: how many frames it had brought. */
static guint
release_audio (Hls *hls)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (hls->audio->pad);
  guint pushed = hls->audio->pushed;

  gst_pad_set_active (hls->audio->pad, FALSE);
  gst_pad_unlink (hls->audio->pad, peer);
  gst_element_release_request_pad (hls->sink, peer);
  gst_object_unref (hls->audio->pad);
  g_clear_pointer (&hls->audio, g_free);
  return pushed;
}

static void
test_release_comes_after_units (void)
{
  g_autoptr (Hls) hls = hls_new ();
  guint pushed;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (3) + 5 * HLS_FRAME);
  pushed = release_audio (hls);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, pushed);
}

static guint
count_in_part (Hls *hls)
{
  g_autofree gchar *path = hls_path (hls, ".s00000.ts.part");
  g_autofree gchar *bytes = NULL;
  gsize size = 0;

  g_file_get_contents (path, &bytes, &size, NULL);
  return size / 188;
}

/* What comes is on the disk before long, though nothing more comes. */
static void
test_units_do_not_wait_for_long (void)
{
  g_autoptr (Hls) hls = hls_new ();
  guint n;

  g_object_set (hls->sink, "target-duration", 10, NULL);
  hls_add_audio (hls)->media = hls_audio_parsed ();
  hls_play (hls);
  for (guint i = 0; i < 16 * 6; i++)
    hls_track_push (hls->audio);
  while ((n = count_in_part (hls)) == 0)
    hls_wait_for_time (g_get_monotonic_time () + 10000);
  for (guint i = 0; i < 15; i++)
    hls_track_push (hls->audio);
  /* A group of seven at least, of the 15. */
  while (count_in_part (hls) < n + 2)
    hls_wait_for_time (g_get_monotonic_time () + 10000);
  hls_eos (hls);
}

#define ADD(path, test) hls_test_add ("/hls-units/" path, test)

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
  ADD ("split", test_split_comes_after_units);
  ADD ("flush", test_flush_comes_after_units);
  ADD ("caps", test_caps_come_after_units);
  ADD ("stop", test_stop_comes_after_units);
  ADD ("release", test_release_comes_after_units);
  ADD ("tick", test_units_do_not_wait_for_long);
  return g_test_run ();
}
