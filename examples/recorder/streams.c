/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "streams.h"

#include <string.h>

#define H264 "video/x-h264"
#define H265 "video/x-h265"
#define AAC "audio/mpeg"
#define MP3 "audio/mpeg, mpegversion=1, layer=3"

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
  { MP3, "mpegaudioparse" },
};

/* x264enc and x265enc would take 4:4:4, which few players decode. */
#define PLANAR "video/x-raw, format=(string)I420"

/* Lower rates are no MP3 that transport streams know. */
#define MP3_RATES "audio/x-raw, rate=(int){ 48000, 44100, 32000 }"

typedef struct
{
  const gchar *codec;
  const gchar *shown;
  gboolean video;
  const gchar *encoder;
  const gchar *chain[8]; /* factories; with a slash: caps of a capsfilter */
} Encoding;

#define FROM_PICTURE "queue", "deinterlace", "videoconvert", PLANAR
#define FROM_SOUND "queue", "audioconvert", "audioresample"

/* The first of a codec that is installed is taken; MP3 where no encoder makes
 * AAC. Opus and MP2 would be silent in browsers. */
static const Encoding encodings[] = {
  { H264, "H.264", TRUE, "x264enc", { FROM_PICTURE, "x264enc", "h264parse" } },
  { H264, "H.264", TRUE, "openh264enc",
      { FROM_PICTURE, "openh264enc", "h264parse" } },
  { H265, "H.265", TRUE, "x265enc", { FROM_PICTURE, "x265enc", "h265parse" } },
  { AAC, "AAC", FALSE, "avenc_aac", { FROM_SOUND, "avenc_aac", "aacparse" } },
  { AAC, "AAC", FALSE, "fdkaacenc", { FROM_SOUND, "fdkaacenc", "aacparse" } },
  { AAC, "AAC", FALSE, "voaacenc", { FROM_SOUND, "voaacenc", "aacparse" } },
  { AAC, "AAC", FALSE, "faac", { FROM_SOUND, "faac", "aacparse" } },
  { MP3, "MP3", FALSE, "lamemp3enc",
      { FROM_SOUND, MP3_RATES, "lamemp3enc", "mpegaudioparse" } },
};

/* In which of Debian's packages an element is; all others are in the base. */
static const gchar *const packages[][2] = {
  { "avenc_", "gstreamer1.0-libav" },
  { "x264enc", "gstreamer1.0-plugins-ugly" },
  { "x265enc", "gstreamer1.0-plugins-bad" },
  { "openh264enc", "gstreamer1.0-plugins-bad" },
  { "fdkaacenc", "gstreamer1.0-plugins-bad" },
  { "voaacenc", "gstreamer1.0-plugins-bad" },
  { "faac", "gstreamer1.0-plugins-bad" },
  { "h264parse", "gstreamer1.0-plugins-bad" },
  { "h265parse", "gstreamer1.0-plugins-bad" },
  { "tsdemux", "gstreamer1.0-plugins-bad" },
  { "srtsrc", "gstreamer1.0-plugins-bad" },
  { "rtmp2src", "gstreamer1.0-plugins-bad" },
  { "rtspsrc", "gstreamer1.0-plugins-good" },
  { "udpsrc", "gstreamer1.0-plugins-good" },
  { "flvdemux", "gstreamer1.0-plugins-good" },
  { "rtp", "gstreamer1.0-plugins-good" },
  { "deinterlace", "gstreamer1.0-plugins-good" },
  { "aacparse", "gstreamer1.0-plugins-good" },
  { "mpegaudioparse", "gstreamer1.0-plugins-good" },
  { "lamemp3enc", "gstreamer1.0-plugins-good" },
};

typedef struct
{
  GstBin *bin; /* which owns the decoder whose signal this serves: no ref */
  GstElement *sink;
  StreamWish wish;
  const Encoding *encoding;
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

const gchar *
stream_kind_name (StreamKind kind)
{
  return kind == STREAM_VIDEO ? "video"
      : kind == STREAM_AUDIO  ? "audio"
                              : "other";
}

static gboolean
intersects (const GstCaps *caps, const gchar *others)
{
  g_autoptr (GstCaps) with = gst_caps_from_string (others);

  return gst_caps_can_intersect (caps, with);
}

/* AAC in LATM framing (loas) is not named, as amshlssink refuses it: it is decoded. */
const gchar *
stream_codec (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  if (is_rtp (s)) {
    const RtpCodec *rtp = find_rtp_codec (s);

    return rtp ? rtp->codec : NULL;
  }
  if (gst_structure_has_name (s, H264))
    return H264;
  if (gst_structure_has_name (s, H265))
    return H265;
  if (intersects (caps,
          AAC ", mpegversion=(int){ 2, 4 }, stream-format=(string){ raw, adts, "
              "adif }"))
    return AAC;
  return intersects (caps, MP3) ? MP3 : NULL;
}

static gboolean
is_raw (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  return gst_structure_has_name (s, "video/x-raw") ||
      gst_structure_has_name (s, "audio/x-raw");
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

/* ---- what is installed ---- */

static gboolean
is_there (const gchar *factory)
{
  g_autoptr (GstElementFactory) found = gst_element_factory_find (factory);

  return found != NULL;
}

const gchar *
stream_package (const gchar *factory)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (packages); i++)
    if (g_str_has_prefix (factory, packages[i][0]))
      return packages[i][1];
  return "gstreamer1.0-plugins-base";
}

static void
set_missing (GError **error, const gchar *factory)
{
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
      "the GStreamer element \"%s\" is missing; install the package that "
      "brings it (Debian: %s)",
      factory, stream_package (factory));
}

/* (nullable): all of @encoding is there. */
static const gchar *
find_missing (const Encoding *encoding)
{
  guint i;

  for (i = 0; encoding->chain[i]; i++)
    if (!strchr (encoding->chain[i], '/') && !is_there (encoding->chain[i]))
      return encoding->chain[i];
  return NULL;
}

/* The track's own codec, if it has begun; else the first choice or what stands
 * in for it. */
static gboolean
may_be (const Encoding *encoding, gboolean video, const gchar *codec)
{
  if (encoding->video != video)
    return FALSE;
  return codec ? g_str_equal (encoding->codec, codec)
               : !g_str_equal (encoding->codec, H265);
}

/* None of the @tried can be made: an element that all of them need is missing,
 * or each encoder. */
static void
set_no_encoder (GError **error, const Encoding *first, const gchar *missing,
    const gchar *tried)
{
  if (!g_str_equal (missing, first->encoder))
    set_missing (error, missing);
  else
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "no encoder for %s%s is installed (%s); install one of them, such as %s "
        "(Debian: %s)",
        first->shown, strstr (tried, "lame") ? " or MP3" : "", tried,
        first->encoder, stream_package (first->encoder));
}

static const Encoding *
choose_encoding (gboolean video, const gchar *codec, GError **error)
{
  g_autoptr (GString) tried = g_string_new (NULL);
  const Encoding *first = NULL;
  const gchar *first_missing = NULL;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (encodings); i++) {
    const Encoding *encoding = &encodings[i];
    const gchar *missing;

    if (!may_be (encoding, video, codec))
      continue;
    if (!(missing = find_missing (encoding)))
      return encoding;
    g_string_append_printf (tried, "%s%s", tried->len ? ", " : "",
        encoding->encoder);
    if (!first) {
      first = encoding;
      first_missing = missing;
    }
  }
  set_no_encoder (error, first, first_missing, tried->str);
  return NULL;
}

/* ---- chains ---- */

static GstElement *
make (GstBin *bin, const gchar *factory, GError **error)
{
  gboolean caps = strchr (factory, '/') != NULL;
  GstElement *element =
      gst_element_factory_make (caps ? "capsfilter" : factory, NULL);

  if (!element) {
    set_missing (error, caps ? "capsfilter" : factory);
    return NULL;
  }
  if (caps)
    gst_util_set_object_arg (G_OBJECT (element), "caps", factory);
  gst_bin_add (bin, element);
  return element;
}

static gboolean
has_property (GstElement *element, const gchar *name)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) !=
      NULL;
}

static void
set_up_video_encoder (GstElement *element, const StreamWish *wish)
{
  gint keyframes = wish->keyframe_interval * DEFAULT_FRAME_RATE;

  if (has_property (element, "key-int-max")) { /* x264enc, x265enc */
    gst_util_set_object_arg (G_OBJECT (element), "speed-preset", "veryfast");
    gst_util_set_object_arg (G_OBJECT (element), "tune", "zerolatency");
    g_object_set (element, "bitrate", wish->video_bitrate, "key-int-max",
        keyframes, NULL);
  } else { /* openh264enc */
    g_object_set (element, "bitrate", wish->video_bitrate * 1000, "gop-size",
        (guint) keyframes, NULL);
  }
}

/* Packets' times jitter by some ms; those of encoded frames must not, as they
 * would overlap. */
static void
make_times_even (GstElement *element)
{
  if (has_property (element, "perfect-timestamp"))
    g_object_set (element, "perfect-timestamp", TRUE, NULL);
}

static void
set_up_audio_encoder (GstElement *element, const StreamWish *wish)
{
  make_times_even (element);
  if (has_property (element, "target")) { /* lamemp3enc */
    gst_util_set_object_arg (G_OBJECT (element), "target", "bitrate");
    g_object_set (element, "bitrate", (gint) wish->audio_bitrate, NULL);
  } else if (has_property (element, "bitrate")) {
    g_object_set (element, "bitrate", (gint) wish->audio_bitrate * 1000, NULL);
  }
}

/* Before it starts: most elements take nothing later. */
static void
set_up (GstElement *element, const StreamWish *wish)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  if (gst_element_factory_list_is_type (factory,
          GST_ELEMENT_FACTORY_TYPE_VIDEO_ENCODER))
    set_up_video_encoder (element, wish);
  else if (gst_element_factory_list_is_type (factory,
               GST_ELEMENT_FACTORY_TYPE_AUDIO_ENCODER))
    set_up_audio_encoder (element, wish);
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
    set_up (element, wish);
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

/* @first: in @bin. */
static gboolean
link_into (GstBin *bin, GstPad *pad, GstElement *first, GError **error)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (first, "sink");
  GstPad *ghost = gst_ghost_pad_new ("sink", sink);

  gst_pad_set_active (ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (bin), ghost);
  return link_pad (pad, GST_ELEMENT (bin), error);
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
  return new_chain (self->bin, self->encoding->chain, &self->wish, self->sink,
      error);
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

  if (stream_kind (caps) !=
      (self->encoding->video ? STREAM_VIDEO : STREAM_AUDIO)) {
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

static GstElement *
transcoding_chain (GstBin *bin, const Encoding *encoding,
    const StreamWish *wish, GstElement *sink, GError **error)
{
  static const gchar *const queue[] = { "queue", NULL };
  GstElement *decoder = make (bin, "decodebin", error);
  Transcoding *self;

  if (!decoder)
    return NULL;
  self = g_new0 (Transcoding, 1);
  self->bin = bin;
  self->sink = gst_object_ref (sink);
  self->wish = *wish;
  self->encoding = encoding;
  g_signal_connect_data (decoder, "pad-added", G_CALLBACK (on_decoded), self,
      transcoding_free, 0);
  return new_chain (bin, queue, wish, decoder, error);
}

/* MP3 is recorded as it is only where nothing can make AAC of it. */
static const Encoding *
needed_encoding (const gchar *codec, gboolean video, const StreamWish *wish,
    GError **error)
{
  g_autoptr (GError) why = NULL;
  gboolean mp3 = g_strcmp0 (codec, MP3) == 0;
  const Encoding *encoding;

  if (codec && (wish->codec ? g_str_equal (codec, wish->codec) : !mp3))
    return NULL;
  encoding = choose_encoding (video, wish->codec, &why);
  if (mp3 && !wish->codec && (!encoding || g_str_equal (encoding->codec, MP3)))
    return NULL;
  if (!encoding)
    g_propagate_error (error, g_steal_pointer (&why));
  return encoding;
}

static GstElement *
chain_as_it_is (GstBin *bin, const GstCaps *caps, const gchar *codec,
    const StreamWish *wish, GstElement *sink, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *factories[3] = { NULL };
  guint n = 0;

  if (is_rtp (s))
    factories[n++] = find_rtp_codec (s)->depayloader;
  factories[n++] = parser_of (codec);
  return new_chain (bin, factories, wish, sink, error);
}

gboolean
stream_plug (GstBin *bin, GstPad *pad, const GstCaps *caps,
    const StreamWish *wish, GstElement *sink, const gchar **encoded,
    GError **error)
{
  const gchar *codec = stream_codec (caps);
  g_autoptr (GError) why = NULL;
  const Encoding *encoding =
      needed_encoding (codec, stream_kind (caps) == STREAM_VIDEO, wish, &why);
  GstElement *first;

  *encoded = encoding ? encoding->shown : NULL;
  if (why) {
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  if (!encoding)
    first = chain_as_it_is (bin, caps, codec, wish, sink, error);
  else if (is_raw (caps))
    first = new_chain (bin, encoding->chain, wish, sink, error);
  else
    first = transcoding_chain (bin, encoding, wish, sink, error);
  return first && link_into (bin, pad, first, error);
}
