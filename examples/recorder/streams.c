/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "streams.h"

#include <string.h>

#define H264 "video/x-h264"
#define H265 "video/x-h265"
#define AAC "audio/mpeg"

#define DEFAULT_FRAME_RATE 25

typedef struct
{
  const gchar *encoding; /* in RTP */
  const gchar *depayloader;
  const gchar *codec;
} RtpCodec;

static const RtpCodec rtp_codecs[] = {
  { "H264", "rtph264depay", H264 },
  { "H265", "rtph265depay", H265 },
  { "MPEG4-GENERIC", "rtpmp4gdepay", AAC },
  { "MP4A-LATM", "rtpmp4adepay", AAC },
};

typedef struct
{
  const gchar *codec;
  const gchar *parser;
} Parser;

static const Parser parsers[] = {
  { H264, "h264parse" },
  { H265, "h265parse" },
  { AAC, "aacparse" },
};

typedef struct
{
  GstBin *bin; /* which owns the decoder whose signal this serves: no ref */
  GstElement *sink;
  StreamWish wish;
  gboolean video;
} Transcoding;

static const RtpCodec *
find_rtp_codec (const GstStructure *s)
{
  const gchar *encoding = gst_structure_get_string (s, "encoding-name");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rtp_codecs); i++)
    if (encoding && g_ascii_strcasecmp (encoding, rtp_codecs[i].encoding) == 0)
      return &rtp_codecs[i];
  return NULL;
}

static gboolean
is_rtp (const GstStructure *s)
{
  return gst_structure_has_name (s, "application/x-rtp");
}

StreamKind
stream_kind (const GstCaps *caps)
{
  const GstStructure *s = caps && gst_caps_get_size (caps) > 0
      ? gst_caps_get_structure (caps, 0)
      : NULL;
  const gchar *name;

  if (!s)
    return STREAM_OTHER;
  name = is_rtp (s) ? gst_structure_get_string (s, "media")
                    : gst_structure_get_name (s);
  if (name && g_str_has_prefix (name, "video"))
    return STREAM_VIDEO;
  return name && g_str_has_prefix (name, "audio") ? STREAM_AUDIO : STREAM_OTHER;
}

/* Of what can be recorded as it is: its media type. (No muxer here takes AAC in LOAS.) */
static const gchar *
codec_of (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  g_autoptr (GstCaps) aac = NULL;

  if (is_rtp (s)) {
    const RtpCodec *rtp = find_rtp_codec (s);

    return rtp ? rtp->codec : NULL;
  }
  if (gst_structure_has_name (s, H264))
    return H264;
  if (gst_structure_has_name (s, H265))
    return H265;
  aac = gst_caps_from_string (AAC
      ", mpegversion=(int){ 2, 4 }, stream-format=(string){ raw, adts, adif }");
  return gst_caps_can_intersect (caps, aac) ? AAC : NULL;
}

static const gchar *
parser_of (const gchar *codec)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (parsers); i++)
    if (g_str_equal (codec, parsers[i].codec))
      return parsers[i].parser;
  return NULL;
}

static GstElement *
make (GstBin *bin, const gchar *factory, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "The element \"%s\" is missing: install the GStreamer plugins that bring it.",
        factory);
    return NULL;
  }
  gst_bin_add (bin, element);
  return element;
}

static gboolean
has_property (GstElement *element, const gchar *name)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) !=
      NULL;
}

/* Before it starts: most elements take nothing later. */
void
stream_set_up (GstElement *element, const StreamWish *wish)
{
  const gchar *name =
      gst_plugin_feature_get_name (gst_element_get_factory (element));

  if (g_str_equal (name, "x264enc") || g_str_equal (name, "x265enc")) {
    gst_util_set_object_arg (G_OBJECT (element), "speed-preset", "veryfast");
    gst_util_set_object_arg (G_OBJECT (element), "tune", "zerolatency");
    g_object_set (element, "bitrate", wish->video_bitrate, "key-int-max",
        (gint) wish->keyframe_interval * DEFAULT_FRAME_RATE, NULL);
  } else if (g_str_equal (name, "capsfilter")) {
    g_autoptr (GstCaps) planar =
        gst_caps_from_string ("video/x-raw, format=(string)I420");

    g_object_set (element, "caps", planar, NULL);
  } else if (gst_element_factory_list_is_type (
                 gst_element_get_factory (element),
                 GST_ELEMENT_FACTORY_TYPE_AUDIO_ENCODER) &&
      has_property (element, "bitrate")) {
    g_object_set (element, "bitrate", (gint) wish->audio_bitrate * 1000, NULL);
  }
}

/* A chain is linked from its end, and started from there, too: nothing flows into what is not ready. */
static GstElement *
new_chain (GstBin *bin, const gchar *const *factories, const StreamWish *wish,
    GstElement *sink, GError **error)
{
  guint n = g_strv_length ((gchar **) factories);
  GstElement *next = sink;

  while (n > 0) {
    GstElement *element = make (bin, factories[--n], error);

    if (!element)
      return NULL;
    stream_set_up (element, wish);
    if (!gst_element_link (element, next)) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
          "%s does not link to what follows it.", factories[n]);
      return NULL;
    }
    gst_element_sync_state_with_parent (next);
    next = element;
  }
  gst_element_sync_state_with_parent (next);
  return next;
}

static gboolean
link_pad (GstPad *pad, GstElement *element, GError **error)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");

  if (gst_pad_link (pad, sink) == GST_PAD_LINK_OK)
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
      "The source's %s does not link to %s.", GST_PAD_NAME (pad),
      GST_OBJECT_NAME (element));
  return FALSE;
}

void
stream_discard (GstBin *bin, GstPad *pad)
{
  GstElement *sink = make (bin, "fakesink", NULL);

  g_object_set (sink, "sync", FALSE, "async", FALSE, "enable-last-sample",
      FALSE, NULL);
  gst_element_sync_state_with_parent (sink);
  link_pad (pad, sink, NULL);
}

/* ---- decoded and encoded anew ---- */

static GstElement *
encoding_chain (Transcoding *self, GError **error)
{
  static const gchar *const h264[] = { "queue", "deinterlace", "videoconvert",
    "capsfilter", "x264enc", "h264parse", NULL };
  static const gchar *const h265[] = { "queue", "deinterlace", "videoconvert",
    "capsfilter", "x265enc", "h265parse", NULL };
  static const gchar *const aac[] = { "queue", "audioconvert", "audioresample",
    "avenc_aac", "aacparse", NULL };
  gboolean wants_h265 = g_strcmp0 (self->wish.codec, H265) == 0;

  return new_chain (self->bin,
      !self->video     ? aac
          : wants_h265 ? h265
                       : h264,
      &self->wish, self->sink, error);
}

static void
post_error (GstBin *bin, const GError *error)
{
  gst_element_post_message (GST_ELEMENT (bin),
      gst_message_new_error (GST_OBJECT (bin), (GError *) error, NULL));
}

static void
on_decoded (GstElement *decoder, GstPad *pad, gpointer data)
{
  Transcoding *self = data;
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);
  g_autoptr (GError) error = NULL;
  GstElement *first;

  if (stream_kind (caps) != (self->video ? STREAM_VIDEO : STREAM_AUDIO)) {
    stream_discard (self->bin, pad);
    return;
  }
  first = encoding_chain (self, &error);
  if (first && link_pad (pad, first, &error))
    return;
  post_error (self->bin, error);
}

static void
transcoding_free (gpointer data, GClosure *closure)
{
  Transcoding *self = data;

  gst_object_unref (self->sink);
  g_free (self);
}

static gboolean
plug_transcoder (GstBin *bin, GstPad *pad, gboolean video,
    const StreamWish *wish, GstElement *sink, GError **error)
{
  static const gchar *const queue[] = { "queue", NULL };
  GstElement *decoder = make (bin, "decodebin", error);
  GstElement *first;
  Transcoding *self;

  if (!decoder)
    return FALSE;
  self = g_new0 (Transcoding, 1);
  self->bin = bin;
  self->sink = gst_object_ref (sink);
  self->wish = *wish;
  self->video = video;
  g_signal_connect_data (decoder, "pad-added", G_CALLBACK (on_decoded), self,
      transcoding_free, 0);
  first = new_chain (bin, queue, wish, decoder, error);
  return first && link_pad (pad, first, error);
}

gboolean
stream_plug (GstBin *bin, GstPad *pad, const GstCaps *caps,
    const StreamWish *wish, GstElement *sink, gboolean *encoded, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *codec = codec_of (caps);
  const gchar *factories[3] = { NULL };
  GstElement *first;
  guint n = 0;

  *encoded = !codec || (wish->codec && !g_str_equal (codec, wish->codec));
  if (*encoded)
    return plug_transcoder (bin, pad, stream_kind (caps) == STREAM_VIDEO, wish,
        sink, error);
  if (is_rtp (s))
    factories[n++] = find_rtp_codec (s)->depayloader;
  factories[n++] = parser_of (codec);
  first = new_chain (bin, factories, wish, sink, error);
  return first && link_pad (pad, first, error);
}
