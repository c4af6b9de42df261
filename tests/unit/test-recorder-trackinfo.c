/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../../examples/recorder/trackinfo.h"

typedef struct
{
  const gchar *kind;
  const gchar *caps; /* (nullable) as the source announces it */
  const gchar *recorded; /* (nullable) as it is recorded */
  const gchar *encoded; /* (nullable) */
  const gchar *reason; /* (nullable) */
  const gchar *shown;
} Case;

static const Case cases[] = {
  { "video",
      "application/x-rtp, media=(string)video, encoding-name=(string)H264, "
      "clock-rate=(int)90000",
      "video/x-h264, width=(int)1280, height=(int)720, "
      "framerate=(fraction)25/1",
      NULL, NULL, "video H.264 1280×720, 25 frames/s" },
  { "video",
      "video/x-h265, width=(int)640, height=(int)360, "
      "framerate=(fraction)30000/1001",
      NULL, NULL, NULL, "video H.265 640×360, 29.97 frames/s" },
  { "video", "video/mpeg, mpegversion=(int)2, width=(int)720, height=(int)576",
      NULL, "H.264", NULL, "video MPEG-2 720×576, encoded anew to H.264" },
  { "audio",
      "application/x-rtp, media=(string)audio, encoding-name=(string)PCMU, "
      "clock-rate=(int)8000",
      NULL, NULL, "no encoder", "audio PCMU 8 kHz, mono, not recorded" },
  { "audio",
      "application/x-rtp, media=(string)audio, "
      "encoding-name=(string)MPEG4-GENERIC, clock-rate=(int)44100, "
      "encoding-params=(string)2",
      NULL, NULL, NULL, "audio AAC 44.1 kHz, stereo" },
  { "audio",
      "application/x-rtp, media=(string)audio, encoding-name=(string)FOO, "
      "clock-rate=(int)16000, encoding-params=(string)nonsense",
      NULL, "MP3", NULL, "audio FOO 16 kHz, mono, encoded anew to MP3" },
  { "audio", "audio/mpeg, mpegversion=(int)1, layer=(int)2, rate=(int)48000",
      "audio/mpeg, mpegversion=(int)4, rate=(int)48000, channels=(int)6", "AAC",
      NULL, "audio MP2 48 kHz, 6 channels, encoded anew to AAC" },
  { "audio", "audio/x-raw, channels=(int)2", NULL, NULL, NULL,
      "audio uncompressed stereo" },
  { "other",
      "application/x-rtp, media=(string)application, "
      "encoding-name=(string)VND.ONVIF.METADATA",
      NULL, NULL, "only video and audio are recorded",
      "VND.ONVIF.METADATA, not recorded" },
  { "other", NULL, NULL, NULL, "nothing is known of it",
      "unknown, not recorded" },
};

static void
test_describes (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (GstCaps) caps =
      test->caps ? gst_caps_from_string (test->caps) : NULL;
  g_autoptr (GstCaps) recorded =
      test->recorded ? gst_caps_from_string (test->recorded) : NULL;
  g_autoptr (TrackInfo) info = track_info_new (test->kind, caps);
  g_autoptr (TrackInfo) copy = NULL;
  g_autofree gchar *shown = NULL;

  if (recorded)
    track_info_add_caps (info, recorded);
  track_info_set_encoded (info, test->encoded);
  if (test->reason)
    track_info_set_unrecorded (info, TRUE, test->reason);
  copy = track_info_copy (info);
  shown = track_info_describe (copy);
  g_assert_cmpstr (shown, ==, test->shown);
  g_assert_cmpstr (track_info_get_reason (copy), ==, test->reason);
  g_assert_true (track_info_is_missed (copy) == (test->reason != NULL));
}

static void
test_structure_has_what_is_known (void)
{
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("audio/x-alaw, rate=(int)8000, channels=(int)1");
  g_autoptr (TrackInfo) info = track_info_new ("audio", caps);
  g_autoptr (GstStructure) s = NULL;
  g_autoptr (GstStructure) wanted = gst_structure_from_string (
      "track, kind=(string)audio, codec=(string)PCMA, recorded=(boolean)true, "
      "rate=(int)8000, channels=(int)1, encoded-to=(string)AAC;",
      NULL);

  track_info_set_encoded (info, "AAC");
  s = track_info_to_structure (info);
  g_assert_true (gst_structure_is_equal (s, wanted));
}

static void
test_what_is_not_wanted_is_not_missed (void)
{
  g_autoptr (TrackInfo) info = track_info_new ("audio", NULL);
  g_autoptr (GstStructure) s = NULL;
  gboolean recorded = TRUE;

  track_info_set_unrecorded (info, FALSE, "one stream of a kind is recorded");
  s = track_info_to_structure (info);
  g_assert_false (track_info_is_missed (info));
  g_assert_true (
      gst_structure_get_boolean (s, "recorded", &recorded) && !recorded);
  g_assert_cmpstr (gst_structure_get_string (s, "reason"), ==,
      "one stream of a kind is recorded");
}

int
main (int argc, char **argv)
{
  guint i;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strdup_printf ("/recorder/track/%u", i);

    g_test_add_data_func (path, &cases[i], test_describes);
  }
  g_test_add_func ("/recorder/track/structure",
      test_structure_has_what_is_known);
  g_test_add_func ("/recorder/track/unwanted",
      test_what_is_not_wanted_is_not_missed);
  return g_test_run ();
}
