/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsparsers.h"

typedef struct
{
  const gchar *media_type;
  gint mpegversion; /* 0: any */
  const gchar *factory;
} ParserRule;

static const ParserRule parser_rules[] = {
  { "video/x-h264", 0, "h264parse" },
  { "video/x-h265", 0, "h265parse" },
  { "video/mpeg", 1, "mpegvideoparse" },
  { "video/mpeg", 2, "mpegvideoparse" },
  { "video/mpeg", 4, "mpeg4videoparse" },
  { "audio/mpeg", 1, "mpegaudioparse" },
  { "audio/mpeg", 2, "aacparse" },
  { "audio/mpeg", 4, "aacparse" },
  { "audio/x-ac3", 0, "ac3parse" },
  { "audio/x-eac3", 0, "ac3parse" },
  { "audio/x-dts", 0, "dcaparse" },
  { "audio/x-opus", 0, "opusparse" },
};

const gchar *
gst_ams_find_parser (const GstCaps *caps, gboolean video)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  gint mpegversion = 0;
  guint i;

  if (g_str_has_prefix (gst_structure_get_name (s), "audio/") == video)
    return NULL;
  gst_structure_get_int (s, "mpegversion", &mpegversion);
  for (i = 0; i < G_N_ELEMENTS (parser_rules); i++)
    if (gst_structure_has_name (s, parser_rules[i].media_type) &&
        (parser_rules[i].mpegversion == 0 ||
            parser_rules[i].mpegversion == mpegversion))
      return parser_rules[i].factory;
  return NULL;
}

/* As parsers give them on: whole frames, their parameter sets in the caps. */
#define PARSED_CAPS \
  "video/x-h264, parsed=(boolean)true, stream-format=(string)avc, " \
  "alignment=(string)au; " \
  "video/x-h265, parsed=(boolean)true, stream-format=(string)hvc1, " \
  "alignment=(string)au; " \
  "video/mpeg, parsed=(boolean)true; " \
  "audio/mpeg, mpegversion=(int)1, parsed=(boolean)true; " \
  "audio/mpeg, mpegversion=(int){ 2, 4 }, framed=(boolean)true, " \
  "stream-format=(string)raw; " \
  "audio/x-ac3, framed=(boolean)true; " \
  "audio/x-eac3, framed=(boolean)true; " \
  "audio/x-dts, framed=(boolean)true"

static GstStaticCaps parsed_caps = GST_STATIC_CAPS (PARSED_CAPS);

/* AC-3 for a digital output is framed as well. */
static gboolean
is_padded (const GstStructure *s)
{
  return g_strcmp0 (gst_structure_get_string (s, "alignment"), "iec61937") == 0;
}

static gboolean
lacks_parameter_sets (const GstStructure *s)
{
  return gst_structure_has_field (s, "stream-format") &&
      !gst_structure_has_field (s, "codec_data");
}

gboolean
gst_ams_is_parsed (const GstCaps *caps)
{
  g_autoptr (GstCaps) parsed = gst_static_caps_get (&parsed_caps);
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  return gst_caps_is_subset (caps, parsed) && !is_padded (s) &&
      !lacks_parameter_sets (s);
}
