/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Media that a parser has been through already are not parsed again; all else is. */

#include "config.h"

#include "hls-common.h"

#define SECONDS(n) ((n) *GST_SECOND)

static gboolean
is_parser (const GValue *item)
{
  GstElementFactory *factory =
      gst_element_get_factory (g_value_get_object (item));

  return factory &&
      gst_element_factory_list_is_type (factory,
          GST_ELEMENT_FACTORY_TYPE_PARSER);
}

static guint
count_parsers (GstElement *sink)
{
  g_autoptr (GstIterator) children = gst_bin_iterate_elements (GST_BIN (sink));
  GValue item = G_VALUE_INIT;
  guint n = 0;

  while (gst_iterator_next (children, &item) == GST_ITERATOR_OK) {
    n += is_parser (&item);
    g_value_reset (&item);
  }
  return n;
}

/* 5 s of @media, then as much of @then, and 5 s more. */
static void
record (const HlsMedia *media, const HlsMedia *then, guint parsers,
    guint parsers_then, guint discontinuities)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  guint n = 0;

  hls_add_video (hls, media);
  hls_add_audio (hls)->media = hls_audio_parsed ();
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  g_assert_cmpuint (count_parsers (hls->sink), ==, parsers);
  hls_track_caps (hls->video, then);
  hls_push_until (hls, SECONDS (10));
  g_assert_cmpuint (count_parsers (hls->sink), ==, parsers_then);
  hls_track_caps (hls->video, media);
  hls_push_until (hls, SECONDS (15));
  hls_eos (hls);
  playlist = hls_check (hls);
  for (guint i = 0; i < playlist->segments->len; i++)
    n += hls_segment (playlist, i)->discontinuity;
  g_assert_cmpuint (n, ==, discontinuities);
  g_assert_cmpuint (playlist->total, ==, SECONDS (15));
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
  g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, hls->audio->pushed);
}

static void
test_parsed_media_need_no_parser (void)
{
  record (hls_video_parsed (160), hls_video_parsed (160), 0, 0, 0);
}

static void
test_parsed_media_of_another_size_need_none_either (void)
{
  record (hls_video_parsed (160), hls_video_parsed (320), 0, 0, 2);
}

static void
test_other_media_are_parsed (void)
{
  record (hls_video (160, 25, 0), hls_video_avc (), 1, 1, 0);
}

static void
test_media_that_are_parsed_no_more_get_a_parser (void)
{
  record (hls_video_parsed (160), hls_video (160, 25, 0), 0, 1, 0);
}

/* avc without its parameter sets: as clear an error as a parser's. */
static void
test_parsed_media_without_parameter_sets_get_a_parser (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsMedia media = *hls_video_parsed (160);
  g_autoptr (GstCaps) caps = gst_caps_copy (media.caps);

  gst_structure_remove_field (gst_caps_get_structure (caps, 0), "codec_data");
  media.caps = caps;
  hls->expects_trouble = TRUE;
  hls_add_video (hls, &media);
  hls_play (hls);
  hls_track_push (hls->video);
  g_assert_cmpuint (count_parsers (hls->sink), ==, 1);
  hls_stop (hls);
}

static void
test_codec_of_parsed_media_changes_it_is_refused (void)
{
  g_autoptr (Hls) hls = hls_new ();
  HlsMedia media = *hls_video_parsed (160);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/mpeg,mpegversion=2,systemstream=false,parsed=true");

  hls->expects_trouble = TRUE;
  hls_add_video (hls, &media);
  hls_play (hls);
  hls_push_until (hls, SECONDS (3));
  media.caps = caps;
  hls_track_caps (hls->video, &media);
  g_assert_cmpint (hls_track_push (hls->video), <, GST_FLOW_OK);
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "codec changed", NULL);
}

static void
test_encoder_of_parsed_media_is_asked_for_keyframes (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_video (hls, hls_video_parsed (160));
  hls_play (hls);
  /* A request goes upstream with what comes after it. */
  for (guint i = 4; g_atomic_int_get (&hls->video->key_requests) == 0; i++) {
    hls_push_until (hls, SECONDS (i));
    g_thread_yield ();
  }
  hls_eos (hls);
}

/* What came before the flush stays. */
static void
test_flush_of_parsed_media_is_a_jump (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, hls_video_parsed (160));
  hls_play (hls);
  hls_push_until (hls, SECONDS (3));
  gst_pad_push_event (hls->video->pad, gst_event_new_flush_start ());
  gst_pad_push_event (hls->video->pad, gst_event_new_flush_stop (FALSE));
  hls_track_begin (hls->video);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
  g_assert_cmpuint (playlist->total, ==, SECONDS (6));
}

static void
test_parsed_media_after_a_stop_and_with_another_form (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, hls_video_parsed (160));
  hls_record (hls, SECONDS (4));
  hls->video->media = hls_video (160, 25, 0);
  hls_record (hls, SECONDS (4));
  hls->video->media = hls_video_parsed (160);
  hls_record (hls, SECONDS (4));
  g_assert_cmpuint (count_parsers (hls->sink), ==, 0);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->total, ==, SECONDS (12));
}

/* A parser that may choose gives what needs no second one. */
static void
test_parser_in_front_chooses_what_is_parsed (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *text = g_strdup_printf (
      "videotestsrc num-buffers=50 ! "
      "video/x-raw,format=I420,width=160,height=96 ! "
      "x264enc tune=zerolatency ! video/x-h264,stream-format=byte-stream ! "
      "h264parse ! amshlssink name=sink location=%s/s%%05d.ts "
      "playlist-location=%s",
      hls->dir, hls->playlist);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, NULL);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_assert_nonnull (pipeline);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  g_assert_cmpuint (count_parsers (sink), ==, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  playlist = hls_check (hls);
}

#define ADD(path, test) hls_test_add ("/hls-parsed/" path, test)

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
  ADD ("parsed", test_parsed_media_need_no_parser);
  ADD ("size", test_parsed_media_of_another_size_need_none_either);
  ADD ("other", test_other_media_are_parsed);
  ADD ("no-more", test_media_that_are_parsed_no_more_get_a_parser);
  ADD ("parameter-sets", test_parsed_media_without_parameter_sets_get_a_parser);
  ADD ("codec", test_codec_of_parsed_media_changes_it_is_refused);
  ADD ("requests", test_encoder_of_parsed_media_is_asked_for_keyframes);
  ADD ("flush", test_flush_of_parsed_media_is_a_jump);
  ADD ("stop", test_parsed_media_after_a_stop_and_with_another_form);
  ADD ("parser-in-front", test_parser_in_front_chooses_what_is_parsed);
  return g_test_run ();
}
