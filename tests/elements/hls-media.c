/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hls-common.h's media: encoded when first asked for. */

#include "config.h"

#include "hls-common.h"

static gboolean
is_key (GstBuffer *buffer)
{
  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

static void
take_sample (HlsMedia *media, GstSample *sample, GstClockTime *first)
{
  GstBuffer *buffer = gst_buffer_copy_deep (gst_sample_get_buffer (sample));

  if (!media->caps)
    media->caps = gst_caps_ref (gst_sample_get_caps (sample));
  if (*first == GST_CLOCK_TIME_NONE)
    *first = GST_BUFFER_PTS (buffer);
  GST_BUFFER_PTS (buffer) += HLS_MEDIA_BASE - *first;
  if (GST_BUFFER_DTS_IS_VALID (buffer))
    GST_BUFFER_DTS (buffer) += HLS_MEDIA_BASE - *first;
  media->duration += GST_BUFFER_DURATION (buffer);
  g_ptr_array_add (media->buffers, buffer);
}

static HlsMedia *
encode (const gchar *launch, gboolean video)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  g_autoptr (GstElement) sink = NULL;
  HlsMedia *media = g_new0 (HlsMedia, 1);
  GstClockTime first = GST_CLOCK_TIME_NONE;
  GstSample *sample;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  media->video = video;
  media->buffers = g_ptr_array_new ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (g_signal_emit_by_name (sink, "pull-sample", &sample), sample) {
    take_sample (media, sample, &first);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (media->buffers->len, >, 0);
  return media;
}

/* (transfer none) made by @launch once */
static const HlsMedia *
cached (const gchar *launch, gboolean video)
{
  static GHashTable *all;
  HlsMedia *media;

  if (!all)
    all = g_hash_table_new (g_str_hash, g_str_equal);
  media = g_hash_table_lookup (all, launch);
  if (!media) {
    media = encode (launch, video);
    g_hash_table_insert (all, g_strdup (launch), media);
  }
  return media;
}

const HlsMedia *
hls_video (guint width, guint gop, guint bframes)
{
  /* Two GOPs: idr_pic_id has to alternate. */
  g_autofree gchar *launch = g_strdup_printf (
      "videotestsrc num-buffers=%u pattern=ball ! "
      "video/x-raw,width=%u,height=96,framerate=25/1 ! "
      "x264enc speed-preset=ultrafast threads=1 rc-lookahead=0 sync-lookahead=0 "
      "key-int-max=%u bframes=%u b-adapt=false option-string=scenecut=0 ! "
      "video/x-h264,stream-format=byte-stream,alignment=au ! "
      "appsink name=out sync=false",
      2 * gop, width, gop, bframes);
  const HlsMedia *media = cached (launch, TRUE);

  for (guint i = 0; i < media->buffers->len; i++)
    g_assert_true (is_key (media->buffers->pdata[i]) == (i % gop == 0));
  return media;
}

const HlsMedia *
hls_video_avc (void)
{
  return cached ("videotestsrc num-buffers=50 pattern=ball ! "
                 "video/x-raw,width=160,height=96,framerate=25/1 ! "
                 "x264enc speed-preset=ultrafast threads=1 tune=zerolatency "
                 "key-int-max=25 option-string=scenecut=0 ! "
                 "video/x-h264,stream-format=avc ! appsink name=out sync=false",
      TRUE);
}

const HlsMedia *
hls_audio (void)
{
  return cached ("audiotestsrc num-buffers=94 samplesperbuffer=1024 ! "
                 "audio/x-raw,rate=48000,channels=1 ! avenc_aac ! "
                 "appsink name=out sync=false",
      FALSE);
}
