/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What may come in at amshlssink's pads: timestamps and keyframes that are not as they should
 * be, tracks that come late, stall or stay away. */

#include "config.h"

#include "hls-common.h"

#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define WRAP 95443717688888 /* ns: 2^33 ticks of 90 kHz */

static guint
count_discontinuities (const HlsPlaylist *playlist)
{
  guint n = 0;

  for (guint i = 0; i < playlist->segments->len; i++)
    n += hls_segment (playlist, i)->discontinuity;
  return n;
}

static void
assert_near (GstClockTime a, GstClockTime b, GstClockTime tolerance)
{
  if (MAX (a, b) - MIN (a, b) > tolerance)
    g_assert_cmpuint (a, ==, b);
}

/* All that was pushed is in the recording. */
static void
assert_all_there (Hls *hls)
{
  if (hls->video)
    g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
  if (hls->audio)
    g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, hls->audio->pushed);
}

static void
set_stall_timeout (Hls *hls)
{
  g_object_set (hls->sink, "stall-timeout", 200 * GST_MSECOND, NULL);
}

/* ---- which tracks ---- */

static void
test_audio_and_video_all_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (9));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpuint (playlist->total, ==, SECONDS (9));
  g_assert_cmpuint (count_discontinuities (playlist), ==, 0);
  assert_all_there (hls);
}

static void
test_video_only_all_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (9));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpuint (playlist->total, ==, SECONDS (9));
  assert_all_there (hls);
}

static void
test_audio_only_all_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_audio (hls);
  hls_record (hls, SECONDS (9));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  assert_near (playlist->total, SECONDS (9), 30 * GST_MSECOND);
  assert_all_there (hls);
}

static void
test_b_frames_all_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, hls_video (160, 25, 2));
  hls_add_audio (hls);
  hls_record (hls, SECONDS (9));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 5);
  g_assert_cmpuint (playlist->total, ==, SECONDS (9));
  assert_all_there (hls);
}

static void
test_track_never_sends_recording_goes_on (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  set_stall_timeout (hls);
  hls_add_av (hls);
  hls_play (hls);
  hls_track_push_until (hls->video, SECONDS (10) + HLS_FRAME);
  hls_wait_segments (hls, 5);
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (10) + HLS_FRAME);
  assert_all_there (hls);
}

static void
test_track_ends_without_data_recording_goes_on (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_track_eos (hls->audio);
  hls_track_push_until (hls->video, SECONDS (5));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (5));
  assert_all_there (hls);
}

static void
stall (gboolean video)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  HlsTrack *stalls, *other;

  set_stall_timeout (hls);
  hls_add_av (hls);
  stalls = video ? hls->video : hls->audio;
  other = video ? hls->audio : hls->video;
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_track_push_until (other, SECONDS (12));
  /* It comes back where it would be by now. */
  stalls->offset = SECONDS (8);
  while (hls_track_time (other) < SECONDS (20)) {
    hls_track_push_until (other, hls_track_time (other) + HLS_FRAME);
    hls_track_push_until (stalls, hls_track_time (other) - SECONDS (8));
  }
  hls_eos (hls);
  playlist = hls_check (hls);
  assert_near (playlist->total, SECONDS (20), HLS_FRAME);
  assert_all_there (hls);
}

static void
test_audio_stalls_and_returns_all_is_recorded (void)
{
  stall (FALSE);
}

static void
test_video_stalls_and_returns_all_is_recorded (void)
{
  stall (TRUE);
}

static void
come_late (gboolean video)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  HlsTrack *late;

  if (video)
    hls_add_audio (hls);
  else
    hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  late = video ? hls_add_video (hls, NULL) : hls_add_audio (hls);
  late->round = SECONDS (5);
  hls_push_until (hls, SECONDS (13));
  hls_eos (hls);
  playlist = hls_check (hls);
  assert_near (playlist->total, SECONDS (13), HLS_FRAME);
  /* A track more, so the segments before do not go with those behind. */
  g_assert_cmpuint (count_discontinuities (playlist), ==, 1);
  g_assert_cmpuint (hls_count_frames (hls, !video), ==,
      (video ? hls->audio : hls->video)->pushed);
  g_assert_cmpuint (hls_count_frames (hls, video), >, late->pushed / 2);
}

static void
test_audio_pad_while_playing_joins (void)
{
  come_late (FALSE);
}

static void
test_video_pad_while_playing_joins (void)
{
  come_late (TRUE);
}

/* ---- EOS ---- */

static void
test_eos_without_data_leaves_nothing (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_av (hls);
  hls_play (hls);
  hls_eos (hls);
  hls_stop (hls);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

static void
test_eos_without_data_keeps_the_earlier_recording (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GHashTable) before = NULL;

  hls_add_av (hls);
  hls_record (hls, SECONDS (5));
  before = hls_snapshot (hls->dir);
  hls_record (hls, 0);
  hls_assert_kept (hls->dir, before, NULL);
}

static void
test_eos_after_one_frame_lists_it (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  hls_record (hls, HLS_FRAME);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, HLS_FRAME);
}

/* ---- keyframes ---- */

static void
wait_for_a_keyframe (const HlsMedia *media)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls->expects_trouble = TRUE;
  hls_add_video (hls, media);
  hls_play (hls);
  hls->video->no_keys = TRUE;
  hls_push_until (hls, SECONDS (60));
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECODE, "keyframe", NULL);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_ERROR, NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&hls->video->key_requests), >, 0);
  g_assert_cmpuint (hls_count_files (hls->dir, ".ts"), ==, 0);

  hls->video->no_keys = FALSE;
  hls_push_until (hls, SECONDS (65));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (5));
}

static void
test_no_keyframe_for_a_minute_is_said_once (void)
{
  wait_for_a_keyframe (hls_video_avc ());
}

/* As when a byte stream is joined in its middle: the parser gives nothing on. */
static void
test_no_parameter_sets_for_a_minute_is_said_once (void)
{
  wait_for_a_keyframe (NULL);
}

static void
test_no_keyframe_for_a_minute_audio_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls->expects_trouble = TRUE;
  set_stall_timeout (hls);
  hls_add_av (hls);
  hls_play (hls);
  hls->video->no_keys = TRUE;
  hls_push_until (hls, SECONDS (60));
  hls->video->no_keys = FALSE;
  hls_push_until (hls, SECONDS (70));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_WARNING, NULL), ==, 1);
  /* At most what the start waits for is without sound. */
  assert_near (playlist->total, SECONDS (70), HLS_FRAME);
}

static void
test_long_gop_raises_the_target_once (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls->video->no_keys = TRUE;
  hls_push_until (hls, SECONDS (20));
  hls->video->no_keys = FALSE;
  hls_push_until (hls, SECONDS (30));
  hls_eos (hls);
  playlist = hls_check (hls);
  hls_assert_one (hls, GST_MESSAGE_WARNING, GST_STREAM_ERROR,
      GST_STREAM_ERROR_MUX, "s00002.ts", "target-duration", NULL);
  g_assert_cmpuint (playlist->total, ==, SECONDS (30));
  g_assert_cmpuint (playlist->target, ==, 17);
  assert_all_there (hls);
}

static void
test_late_keyframe_cuts_at_the_one_before (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "target-duration", 4, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (7));
  hls->video->no_keys = TRUE; /* keyframes at 6 s, then at 10 s */
  hls_push_until (hls, SECONDS (10));
  hls->video->no_keys = FALSE;
  hls_push_until (hls, SECONDS (16));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->target, ==, 4);
  g_assert_cmpuint (playlist->total, ==, SECONDS (16));
  assert_all_there (hls);
}

/* ---- timestamps ---- */

typedef enum
{
  VIDEO_ONLY,
  BOTH,
} Tracks;

/* @jump into the timestamps at 5 s, in the middle of a segment, and 11 s in all. (transfer full) */
static HlsPlaylist *
record_jump (Hls *hls, Tracks tracks, GstClockTimeDiff before,
    GstClockTimeDiff jump)
{
  hls_add_video (hls, NULL);
  hls->video->offset = before;
  if (tracks == BOTH)
    hls_add_audio (hls)->offset = before;
  hls_play (hls);
  hls_push_until (hls, SECONDS (5) + 10 * HLS_FRAME);
  hls->video->offset += jump;
  if (tracks == BOTH)
    hls->audio->offset += jump;
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  return hls_check (hls);
}

static void
jump_makes (Tracks tracks, GstClockTimeDiff before, GstClockTimeDiff jump,
    guint discontinuities, GstClockTime hole)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = record_jump (hls, tracks, before, jump);

  g_assert_cmpuint (count_discontinuities (playlist), ==, discontinuities);
  assert_near (playlist->total, SECONDS (11) + hole, HLS_FRAME);
  assert_all_there (hls);
}

static void
test_timestamps_go_back_all_is_recorded (void)
{
  jump_makes (VIDEO_ONLY, SECONDS (100), -SECONDS (60), 1, 0);
  jump_makes (BOTH, SECONDS (100), -SECONDS (60), 1, 0);
  jump_makes (BOTH, SECONDS (100), -SECONDS (4), 1, 0);
}

static void
test_timestamps_leap_by_10_h_all_is_recorded (void)
{
  jump_makes (VIDEO_ONLY, 0, SECONDS (36000), 1, 0);
  jump_makes (BOTH, 0, SECONDS (36000), 1, 0);
}

static void
test_timestamps_wrap_nothing_shows (void)
{
  jump_makes (VIDEO_ONLY, WRAP - SECONDS (5), -WRAP, 0, 0);
  jump_makes (BOTH, WRAP - SECONDS (5), -WRAP, 0, 0);
}

static void
test_timestamps_step_below_the_threshold_nothing_shows (void)
{
  jump_makes (VIDEO_ONLY, 0, 200 * GST_MSECOND, 0, 200 * GST_MSECOND);
}

static void
test_timestamps_missing_all_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (3));
  hls->video->no_times = hls->audio->no_times = TRUE;
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  playlist = hls_check (hls);
  assert_near (playlist->total, SECONDS (11), HLS_FRAME);
  assert_all_there (hls);
}

static void
test_timestamps_missing_from_the_start_all_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls->video->no_times = hls->audio->no_times = TRUE;
  hls_record (hls, SECONDS (9));
  playlist = hls_check (hls);
  assert_near (playlist->total, SECONDS (9), HLS_FRAME);
  assert_all_there (hls);
}

/* ---- caps ---- */

static void
test_resolution_changes_discontinuity (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls_track_caps (hls->video, hls_video (320, 25, 0));
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (11));
  g_assert_cmpuint (count_discontinuities (playlist), ==, 1);
  /* 2, 2, 1 | 2, 2, 2 */
  g_assert_true (hls_segment (playlist, 3)->discontinuity);
  g_assert_cmpuint (hls_segment (playlist, 2)->duration, ==, SECONDS (1));
  assert_all_there (hls);
}

static void
test_codec_ts_cannot_carry_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsMedia media = *hls_video (160, 25, 0);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-vp8,width=160,"
                                                   "height=96,framerate=25/1");

  media.caps = caps;
  hls_add_video (hls, &media);
  hls_play (hls);
  hls->expects_trouble = TRUE;
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (hls_track_push (hls->video), <, GST_FLOW_OK);
  hls_track_eos (hls->video);
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_WRONG_TYPE, "video/x-vp8", NULL);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

static void
test_aac_in_latm_is_refused_with_what_to_do (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsMedia media = *hls_audio ();
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "audio/mpeg,mpegversion=4,framed=true,stream-format=loas,rate=44100,"
      "channels=2");

  media.caps = caps;
  hls_add_audio (hls)->media = &media;
  hls_play (hls);
  hls->expects_trouble = TRUE;
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (hls_track_push (hls->audio), <, GST_FLOW_OK);
  hls_track_eos (hls->audio);
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_WRONG_TYPE, "avdec_aac_latm", NULL);
  g_assert_cmpuint (hls_count_files (hls->dir, ""), ==, 0);
}

/* ---- flush ---- */

static void
flush (HlsTrack *track)
{
  GstSegment segment;

  gst_pad_push_event (track->pad, gst_event_new_flush_start ());
  gst_pad_push_event (track->pad, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (track->video)
    segment.start = segment.position = 1000 * 3600 * GST_SECOND;
  gst_pad_push_event (track->pad, gst_event_new_segment (&segment));
}

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer count)
{
  g_atomic_int_inc ((gint *) count);
  return GST_PAD_PROBE_OK;
}

/* The audio's thread waits for the video, which never comes, when all is stopped:
 * what was held is recorded by another thread, under its feet. */
static void
test_stop_while_the_start_is_waited_for_records_what_came (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  gint pushed = 0;
  GThread *audio;

  g_object_set (hls->sink, "stall-timeout", 3 * GST_SECOND, NULL);
  hls_add_av (hls);
  gst_pad_add_probe (hls->audio->pad, GST_PAD_PROBE_TYPE_BUFFER, count_buffer,
      &pushed, NULL);
  hls_play (hls);
  audio = hls_track_thread (hls->audio, SECONDS (20), FALSE);
  /* More than 3 s + 2 s are held: it waits. */
  while (g_atomic_int_get (&pushed) < 236)
    g_thread_yield ();
  hls_stop (hls);
  g_thread_join (audio);
  playlist = hls_check (hls);
  /* Stopping ends the wait, so the track may push on until it is told to stop. */
  g_assert_cmpuint (playlist->total, >=, SECONDS (5) - SECONDS (1) / 10);
  g_assert_cmpuint (playlist->total, <=, SECONDS (20) + SECONDS (1) / 10);
}

static void
test_flush_what_was_recorded_stays (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  flush (hls->video);
  flush (hls->audio);
  hls->video->offset = hls->audio->offset = -SECONDS (5);
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  playlist = hls_check (hls);
  assert_near (playlist->total, SECONDS (11), HLS_FRAME);
  g_assert_cmpuint (count_discontinuities (playlist), ==, 1);
  assert_all_there (hls);
}

/* The camera was away for longer than the stall timeout, and its sound is back first: the hole is in no segment. */
static HlsPlaylist *
record_outage (Hls *hls, GstClockTime audio_first)
{
  g_autofree gchar *path = hls_path (hls, "p.m3u8");
  g_autofree gchar *text = NULL;

  g_object_set (hls->sink, "stall-timeout", 200 * GST_MSECOND, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  flush (hls->video);
  flush (hls->audio);
  hls_wait_for_time (g_get_monotonic_time () + 250 * G_TIME_SPAN_MILLISECOND);
  hls->video->offset = hls->audio->offset = SECONDS (20);
  hls_track_push_until (hls->audio, SECONDS (5) + audio_first);
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return hls_playlist_parse (text);
}

static void
test_outage_that_the_audio_ends_is_in_no_segment (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = record_outage (hls, SECONDS (1) / 10);

  hls_playlist_free (hls_check (hls));
  g_assert_cmpint (playlist->total, ==, SECONDS (11));
  g_assert_cmpuint (count_discontinuities (playlist), ==, 1);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
}

/* It is not waited for longer than the stall timeout, and takes up its place beside the sound when it is back. */
static void
test_outage_that_the_audio_ends_long_before_is_in_no_segment (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = record_outage (hls, SECONDS (1));

  assert_near (playlist->total, SECONDS (11), HLS_FRAME);
  g_assert_cmpuint (count_discontinuities (playlist), ==, 1);
  for (guint i = 0; i < playlist->segments->len; i++)
    g_assert_cmpuint (hls_segment (playlist, i)->duration, <=, SECONDS (2));
  /* 2, 2, 1 | the sound's, 2, 2, 2 or so */
  g_assert_cmpuint (playlist->segments->len, <=, 8);
}

/* The outage is not taken for the distance of keyframes. */
static void
test_outage_does_not_shorten_the_segments_after_it (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls->video->offset = SECONDS (20);
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (11));
  g_assert_cmpuint (count_discontinuities (playlist), ==, 1);
  /* 2, 2, 1 | 2, 2, 2 */
  g_assert_cmpuint (playlist->segments->len, ==, 6);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/input/" path, test_##name)
  ADD ("tracks/audio-and-video", audio_and_video_all_is_recorded);
  ADD ("tracks/video-only", video_only_all_is_recorded);
  ADD ("tracks/audio-only", audio_only_all_is_recorded);
  ADD ("tracks/b-frames", b_frames_all_is_recorded);
  ADD ("tracks/never-sends", track_never_sends_recording_goes_on);
  ADD ("tracks/ends-without-data", track_ends_without_data_recording_goes_on);
  ADD ("tracks/audio-stalls-and-returns",
      audio_stalls_and_returns_all_is_recorded);
  ADD ("tracks/video-stalls-and-returns",
      video_stalls_and_returns_all_is_recorded);
  ADD ("tracks/audio-while-playing", audio_pad_while_playing_joins);
  ADD ("tracks/video-while-playing", video_pad_while_playing_joins);
  ADD ("eos/without-data", eos_without_data_leaves_nothing);
  ADD ("eos/without-data-again", eos_without_data_keeps_the_earlier_recording);
  ADD ("eos/after-one-frame", eos_after_one_frame_lists_it);
  ADD ("keyframes/none", no_keyframe_for_a_minute_is_said_once);
  ADD ("keyframes/no-parameter-sets",
      no_parameter_sets_for_a_minute_is_said_once);
  ADD ("keyframes/none-but-audio", no_keyframe_for_a_minute_audio_is_recorded);
  ADD ("keyframes/long-gop", long_gop_raises_the_target_once);
  ADD ("keyframes/late", late_keyframe_cuts_at_the_one_before);
  ADD ("times/back", timestamps_go_back_all_is_recorded);
  ADD ("times/leap", timestamps_leap_by_10_h_all_is_recorded);
  ADD ("times/wrap", timestamps_wrap_nothing_shows);
  ADD ("times/step", timestamps_step_below_the_threshold_nothing_shows);
  ADD ("times/missing", timestamps_missing_all_is_recorded);
  ADD ("times/missing-from-the-start",
      timestamps_missing_from_the_start_all_is_recorded);
  ADD ("caps/resolution", resolution_changes_discontinuity);
  ADD ("caps/vp8", codec_ts_cannot_carry_is_refused);
  ADD ("caps/aac-latm", aac_in_latm_is_refused_with_what_to_do);
  ADD ("stop/waiting", stop_while_the_start_is_waited_for_records_what_came);
  ADD ("flush", flush_what_was_recorded_stays);
  ADD ("outage/audio-first", outage_that_the_audio_ends_is_in_no_segment);
  ADD ("outage/audio-long-before",
      outage_that_the_audio_ends_long_before_is_in_no_segment);
  ADD ("outage/segments-after-it",
      outage_does_not_shorten_the_segments_after_it);
  return g_test_run ();
}
