/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "trackinfo.h"

struct _TrackInfo
{
  gchar *kind;
  gchar *codec;
  gint width, height; /* 0: not known */
  gint fps_n, fps_d; /* fps_n 0: not known */
  gint rate, channels; /* Hz; 0: not known */
  gchar *encoded; /* (nullable) */
  gchar *reason; /* (nullable): it is recorded */
  gboolean wanted;
};

typedef struct
{
  const gchar *from; /* an encoding name of RTP, or a media type */
  const gchar *shown;
} CodecName;

static const CodecName codec_names[] = {
  { "H264", "H.264" },
  { "H265", "H.265" },
  { "MPEG4-GENERIC", "AAC" },
  { "MP4A-LATM", "AAC" },
  { "video/x-h264", "H.264" },
  { "video/x-h265", "H.265" },
  { "video/x-raw", "uncompressed" },
  { "audio/x-raw", "uncompressed" },
  { "audio/x-mulaw", "PCMU" },
  { "audio/x-alaw", "PCMA" },
  { "audio/x-opus", "Opus" },
  { "audio/x-ac3", "AC-3" },
  { "image/jpeg", "JPEG" },
};

/* (transfer full) Of the media types that several codecs share. */
static gchar *
mpeg_name (const GstStructure *s)
{
  gint version = 0, layer = 0;

  gst_structure_get_int (s, "mpegversion", &version);
  gst_structure_get_int (s, "layer", &layer);
  if (gst_structure_has_name (s, "video/mpeg"))
    return version ? g_strdup_printf ("MPEG-%d", version) : g_strdup ("MPEG");
  if (version == 2 || version == 4)
    return g_strdup ("AAC");
  return layer ? g_strdup_printf ("MP%d", layer) : g_strdup ("MPEG audio");
}

static gchar *
codec_name (const GstStructure *s)
{
  const gchar *name = gst_structure_get_string (s, "encoding-name");
  guint i;

  if (!name)
    name = gst_structure_get_name (s);
  for (i = 0; i < G_N_ELEMENTS (codec_names); i++)
    if (g_ascii_strcasecmp (name, codec_names[i].from) == 0)
      return g_strdup (codec_names[i].shown);
  if (g_str_equal (name, "audio/mpeg") || g_str_equal (name, "video/mpeg"))
    return mpeg_name (s);
  return g_strdup (name);
}

/* Keeps what is known already. */
static void
take_int (const GstStructure *s, const gchar *field, gint *value)
{
  gint found;

  if (*value == 0 && gst_structure_get_int (s, field, &found) && found > 0)
    *value = found;
}

static void
take_fraction (const GstStructure *s, TrackInfo *self)
{
  gint n, d;

  if (self->fps_n == 0 && gst_structure_get_fraction (s, "framerate", &n, &d) &&
      n > 0 && d > 0) {
    self->fps_n = n;
    self->fps_d = d;
  }
}

/* RTP says the number of channels as text, and leaves out that it is one. */
static void
take_rtp_sound (const GstStructure *s, TrackInfo *self)
{
  const gchar *channels = gst_structure_get_string (s, "encoding-params");

  take_int (s, "clock-rate", &self->rate);
  self->channels =
      channels ? CLAMP (g_ascii_strtoll (channels, NULL, 10), 1, 255) : 1;
}

static void
take (TrackInfo *self, const GstStructure *s)
{
  if (g_str_equal (self->kind, "video")) {
    take_int (s, "width", &self->width);
    take_int (s, "height", &self->height);
    take_fraction (s, self);
  } else if (g_str_equal (self->kind, "audio")) {
    if (gst_structure_has_name (s, "application/x-rtp"))
      take_rtp_sound (s, self);
    take_int (s, "rate", &self->rate);
    take_int (s, "channels", &self->channels);
  }
}

TrackInfo *
track_info_new (const gchar *kind, const GstCaps *caps)
{
  TrackInfo *self = g_new0 (TrackInfo, 1);
  const GstStructure *s = caps && gst_caps_get_size (caps) > 0
      ? gst_caps_get_structure (caps, 0)
      : NULL;

  self->kind = g_strdup (kind);
  self->codec = s ? codec_name (s) : g_strdup ("unknown");
  if (s)
    take (self, s);
  return self;
}

void
track_info_free (TrackInfo *self)
{
  g_free (self->kind);
  g_free (self->codec);
  g_free (self->encoded);
  g_free (self->reason);
  g_free (self);
}

TrackInfo *
track_info_copy (const TrackInfo *self)
{
  TrackInfo *copy = g_memdup2 (self, sizeof *self);

  copy->kind = g_strdup (self->kind);
  copy->codec = g_strdup (self->codec);
  copy->encoded = g_strdup (self->encoded);
  copy->reason = g_strdup (self->reason);
  return copy;
}

void
track_info_add_caps (TrackInfo *self, const GstCaps *caps)
{
  if (gst_caps_get_size (caps) > 0)
    take (self, gst_caps_get_structure (caps, 0));
}

void
track_info_set_encoded (TrackInfo *self, const gchar *codec)
{
  g_free (self->encoded);
  self->encoded = g_strdup (codec);
}

void
track_info_set_unrecorded (TrackInfo *self, gboolean wanted,
    const gchar *reason)
{
  g_free (self->reason);
  self->reason = g_strdup (reason);
  self->wanted = wanted;
}

const gchar *
track_info_get_kind (const TrackInfo *self)
{
  return self->kind;
}

const gchar *
track_info_get_codec (const TrackInfo *self)
{
  return self->codec;
}

const gchar *
track_info_get_reason (const TrackInfo *self)
{
  return self->reason;
}

gboolean
track_info_is_missed (const TrackInfo *self)
{
  return self->reason && self->wanted;
}

static void
append_number (GString *text, gdouble number)
{
  gchar digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (text,
      g_ascii_formatd (digits, sizeof digits, "%.4g", number));
}

static void
append_size (const TrackInfo *self, GString *text)
{
  if (self->width && self->height)
    g_string_append_printf (text, " %d×%d", self->width, self->height);
  if (self->fps_n == 0)
    return;
  g_string_append (text, self->width ? ", " : " ");
  append_number (text, self->fps_n / (gdouble) self->fps_d);
  g_string_append (text, " frames/s");
}

static void
append_sound (const TrackInfo *self, GString *text)
{
  if (self->rate) {
    g_string_append_c (text, ' ');
    append_number (text, self->rate / 1000.0);
    g_string_append (text, " kHz");
  }
  if (self->channels == 0)
    return;
  g_string_append (text, self->rate ? ", " : " ");
  if (self->channels <= 2)
    g_string_append (text, self->channels == 1 ? "mono" : "stereo");
  else
    g_string_append_printf (text, "%d channels", self->channels);
}

gchar *
track_info_describe (const TrackInfo *self)
{
  GString *text = g_string_new (NULL);

  if (!g_str_equal (self->kind, "other"))
    g_string_append_printf (text, "%s ", self->kind);
  g_string_append (text, self->codec);
  append_size (self, text);
  append_sound (self, text);
  if (self->reason)
    g_string_append (text, ", not recorded");
  else if (self->encoded)
    g_string_append_printf (text, ", encoded anew to %s", self->encoded);
  return g_string_free (text, FALSE);
}

static void
set_positive (GstStructure *s, const gchar *field, gint value)
{
  if (value > 0)
    gst_structure_set (s, field, G_TYPE_INT, value, NULL);
}

GstStructure *
track_info_to_structure (const TrackInfo *self)
{
  GstStructure *s = gst_structure_new ("track", "kind", G_TYPE_STRING,
      self->kind, "codec", G_TYPE_STRING, self->codec, "recorded",
      G_TYPE_BOOLEAN, self->reason == NULL, NULL);

  set_positive (s, "width", self->width);
  set_positive (s, "height", self->height);
  if (self->fps_n > 0)
    gst_structure_set (s, "frame-rate", G_TYPE_DOUBLE,
        self->fps_n / (gdouble) self->fps_d, NULL);
  set_positive (s, "rate", self->rate);
  set_positive (s, "channels", self->channels);
  if (self->encoded && !self->reason)
    gst_structure_set (s, "encoded-to", G_TYPE_STRING, self->encoded, NULL);
  if (self->reason)
    gst_structure_set (s, "reason", G_TYPE_STRING, self->reason, NULL);
  return s;
}
