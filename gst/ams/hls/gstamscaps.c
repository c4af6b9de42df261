/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamscaps.h"

#include <gst/pbutils/pbutils.h>

typedef struct
{
  const gchar *media_type;
  gint version_from, version_to; /* mpegversion; 0: the caps have none */
  AmsCodec codec;
  const gchar *packaged; /* the form in which it is packaged; NULL: any */
} CodecRule;

static const CodecRule rules[] = {
  { "video/x-h264", 0, 0, AMS_CODEC_H264,
      "video/x-h264, stream-format=avc, alignment=au" },
  { "video/x-h265", 0, 0, AMS_CODEC_H265,
      "video/x-h265, stream-format=hvc1, alignment=au" },
  { "video/x-av1", 0, 0, AMS_CODEC_AV1, NULL },
  { "video/x-vp9", 0, 0, AMS_CODEC_VP9, NULL },
  { "video/mpeg", 1, 1, AMS_CODEC_MPEG1_VIDEO, NULL },
  { "video/mpeg", 2, 2, AMS_CODEC_MPEG2_VIDEO, NULL },
  { "video/mpeg", 4, 4, AMS_CODEC_MPEG4_VIDEO, NULL },
  { "audio/mpeg", 1, 1, AMS_CODEC_MPEG_AUDIO, NULL },
  { "audio/mpeg", 2, 4, AMS_CODEC_AAC, "audio/mpeg, stream-format=raw" },
  { "audio/x-ac3", 0, 0, AMS_CODEC_AC3, NULL },
  { "audio/x-eac3", 0, 0, AMS_CODEC_EAC3, NULL },
  { "audio/x-dts", 0, 0, AMS_CODEC_DTS, NULL },
  { "audio/x-opus", 0, 0, AMS_CODEC_OPUS, NULL },
};

static const CodecRule *
find_rule (const GstStructure *s)
{
  gint version = 0;

  gst_structure_get_int (s, "mpegversion", &version);
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++) {
    const CodecRule *rule = &rules[i];

    if (gst_structure_has_name (s, rule->media_type) &&
        (rule->version_to == 0 ||
            (version >= rule->version_from && version <= rule->version_to)))
      return rule;
  }
  return NULL;
}

GstCaps *
gst_ams_caps_get_packaged (const GstCaps *caps)
{
  const CodecRule *rule = find_rule (gst_caps_get_structure (caps, 0));

  return rule && rule->packaged ? gst_caps_from_string (rule->packaged) : NULL;
}

/* (transfer full) (nullable) */
static GBytes *
copy_buffer (const GValue *value)
{
  GstBuffer *buffer = value && GST_VALUE_HOLDS_BUFFER (value)
      ? gst_value_get_buffer (value)
      : NULL;
  gpointer data;
  gsize size;

  if (!buffer)
    return NULL;
  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

/* (transfer full) (nullable) */
static GBytes *
make_opus_head (const GstCaps *caps)
{
  guint8 channels, family, streams, coupled, mapping[256];
  g_autoptr (GstBuffer) head = NULL;
  guint32 rate;
  gpointer data;
  gsize size;

  if (!gst_codec_utils_opus_parse_caps ((GstCaps *) caps, &rate, &channels,
          &family, &streams, &coupled, mapping))
    return NULL;
  head = gst_codec_utils_opus_create_header (rate, channels, family, streams,
      coupled, mapping, 0, 0);
  gst_buffer_extract_dup (head, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

/* OpusHead: the first stream header, else what the other fields say. */
static GBytes *
get_opus_head (const GstCaps *caps, const GstStructure *s)
{
  const GValue *headers = gst_structure_get_value (s, "streamheader");

  if (headers && GST_VALUE_HOLDS_ARRAY (headers) &&
      gst_value_array_get_size (headers) > 0)
    return copy_buffer (gst_value_array_get_value (headers, 0));
  return make_opus_head (caps);
}

AmsTrack *
gst_ams_caps_to_track (const GstCaps *caps, guint id, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const CodecRule *rule = find_rule (s);
  g_autoptr (GBytes) config = NULL;
  AmsTrack *track;
  gint rate = 0;

  if (!rule) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
        "%s cannot be recorded", gst_structure_get_name (s));
    return NULL;
  }
  if (rule->codec == AMS_CODEC_OPUS)
    config = get_opus_head (caps, s);
  else
    config = copy_buffer (gst_structure_get_value (s, "codec_data"));
  track = ams_track_new (id, rule->codec, config);
  if (gst_structure_get_int (s, "rate", &rate))
    track->rate = MAX (rate, 0);
  return track;
}
