/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hls-common.h's media: encoded when first asked for; and the dates that a camera would give them. */

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
      "video/x-raw,format=I420,width=%u,height=96,framerate=25/1 ! "
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
                 "video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! "
                 "x264enc speed-preset=ultrafast threads=1 tune=zerolatency "
                 "key-int-max=25 option-string=scenecut=0 ! "
                 "video/x-h264,stream-format=avc ! appsink name=out sync=false",
      TRUE);
}

const HlsMedia *
hls_video_parsed (guint width)
{
  g_autofree gchar *launch = g_strdup_printf (
      "videotestsrc num-buffers=50 pattern=ball ! "
      "video/x-raw,format=I420,width=%u,height=96,framerate=25/1 ! "
      "x264enc speed-preset=ultrafast threads=1 tune=zerolatency "
      "key-int-max=25 option-string=scenecut=0 ! h264parse ! "
      "video/x-h264,stream-format=avc,alignment=au ! "
      "appsink name=out sync=false",
      width);

  return cached (launch, TRUE);
}

const HlsMedia *
hls_audio (void)
{
  return cached ("audiotestsrc num-buffers=94 samplesperbuffer=1024 ! "
                 "audio/x-raw,rate=48000,channels=1 ! avenc_aac ! "
                 "appsink name=out sync=false",
      FALSE);
}

const HlsMedia *
hls_audio_parsed (void)
{
  return cached ("audiotestsrc num-buffers=94 samplesperbuffer=1024 ! "
                 "audio/x-raw,rate=48000,channels=1 ! avenc_aac ! aacparse ! "
                 "appsink name=out sync=false",
      FALSE);
}

/* ---- dates ---- */

#define NTP_UNIX_OFFSET (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

typedef struct
{
  GstCaps *reference;
  GstClockTime start; /* of running time 0 */
} Dates;

static void
dates_free (gpointer data)
{
  Dates *dates = data;

  gst_caps_unref (dates->reference);
  g_free (dates);
}

static GstPadProbeReturn
add_date (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const Dates *dates = data;
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  const GstSegment *segment;
  GstClockTime time;

  gst_event_parse_segment (event, &segment);
  time = gst_segment_to_running_time (segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
  gst_buffer_add_reference_timestamp_meta (buffer, dates->reference,
      dates->start + time, GST_CLOCK_TIME_NONE);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

void
hls_track_add_dates (HlsTrack *track, const gchar *reference, gint64 unix_us)
{
  Dates *dates = g_new0 (Dates, 1);

  dates->reference = gst_caps_new_empty_simple (reference);
  dates->start = unix_us * GST_USECOND;
  if (g_str_equal (reference, "timestamp/x-ntp"))
    dates->start += NTP_UNIX_OFFSET;
  gst_pad_add_probe (track->pad, GST_PAD_PROBE_TYPE_BUFFER, add_date, dates,
      dates_free);
}
