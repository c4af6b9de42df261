/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amscodecstring.h"

#include "media/amsaac.h"
#include "media/amsnalunits.h"

#define H264_SPS 7

/* Of hvcC: the fields from general_profile_space to general_level_idc. */
#define HVCC_SIZE 13
#define HVCC_N_CONSTRAINTS 6

#define AV1C_SIZE 4
#define AV1C_MARKER_AND_VERSION 0x81

#define VPCC_SIZE 7 /* with the version and flags of its box */
#define VPCC_VERSION 1

#define MP3_OBJECT_TYPE 34
#define MP2_OBJECT_TYPE 33
#define MP1_OBJECT_TYPE 32

/* Profile, constraint flags and level of the set whose level is the highest, as
 * a decoder must be able to play them all. */
static gchar *
h264_string (GBytes *record)
{
  g_autoptr (AmsNalConfig) config = ams_nal_config_new (record, FALSE, NULL);
  const guint8 *best = NULL;

  if (!config)
    return NULL;
  for (guint i = 0; i < config->parameter_sets->len; i++) {
    AmsSlice set = g_array_index (config->parameter_sets, AmsSlice, i);

    if (set.size < 4 || (set.data[0] & 0x1f) != H264_SPS)
      continue;
    if (!best || set.data[3] > best[3])
      best = set.data;
  }
  if (!best) /* avcC has the same three bytes behind its version */
    best = g_bytes_get_data (record, NULL);
  return g_strdup_printf ("avc1.%02x%02x%02x", best[1], best[2], best[3]);
}

static guint32
reverse_bits (guint32 bits)
{
  guint32 reversed = 0;

  for (guint i = 0; i < 32; i++)
    reversed |= (bits >> i & 1) << (31 - i);
  return reversed;
}

static gchar *
h265_string (GBytes *record)
{
  static const gchar *const spaces[] = { "", "A", "B", "C" };
  AmsSlice hvcc = ams_slice_of_bytes (record);
  GString *out;
  guint32 compatibility;
  guint constraints = HVCC_N_CONSTRAINTS;
  const guint8 *p = hvcc.data;

  if (hvcc.size < HVCC_SIZE || p[12] == 0)
    return NULL;
  compatibility = (guint32) p[2] << 24 | p[3] << 16 | p[4] << 8 | p[5];
  out = g_string_new (NULL);
  g_string_printf (out, "hvc1.%s%u.%X.%c%u", spaces[p[1] >> 6], p[1] & 0x1f,
      reverse_bits (compatibility), p[1] & 0x20 ? 'H' : 'L', p[12]);
  while (constraints > 0 && p[6 + constraints - 1] == 0)
    constraints--;
  for (guint i = 0; i < constraints; i++)
    g_string_append_printf (out, ".%X", p[6 + i]);
  return g_string_free (out, FALSE);
}

static gchar *
av1_string (GBytes *record)
{
  AmsSlice av1c = ams_slice_of_bytes (record);
  guint profile, level, depth;
  gboolean high_depth, twelve;

  if (av1c.size < AV1C_SIZE || av1c.data[0] != AV1C_MARKER_AND_VERSION)
    return NULL;
  profile = av1c.data[1] >> 5;
  level = av1c.data[1] & 0x1f;
  high_depth = av1c.data[2] & 0x40;
  twelve = profile == 2 && av1c.data[2] & 0x20;
  depth = !high_depth ? 8 : twelve ? 12 : 10;
  return g_strdup_printf ("av01.%u.%02u%c.%02u", profile, level,
      av1c.data[2] & 0x80 ? 'H' : 'M', depth);
}

static gchar *
vp9_string (GBytes *record)
{
  AmsSlice vpcc = ams_slice_of_bytes (record);

  if (vpcc.size < VPCC_SIZE || vpcc.data[0] != VPCC_VERSION)
    return NULL;
  return g_strdup_printf ("vp09.%02u.%02u.%02u", vpcc.data[4], vpcc.data[5],
      vpcc.data[6] >> 4);
}

static gchar *
mpeg4_audio_string (guint object_type)
{
  return object_type ? g_strdup_printf ("mp4a.40.%u", object_type) : NULL;
}

static gchar *
mpeg_audio_string (guint layer)
{
  static const guint types[] = { 0, MP1_OBJECT_TYPE, MP2_OBJECT_TYPE,
    MP3_OBJECT_TYPE };

  return mpeg4_audio_string (layer < G_N_ELEMENTS (types) ? types[layer] : 0);
}

gchar *
ams_codec_string_new (const AmsTrack *track)
{
  GBytes *config = track->config;

  switch (track->codec) {
    case AMS_CODEC_H264:
      return config ? h264_string (config) : NULL;
    case AMS_CODEC_H265:
      return config ? h265_string (config) : NULL;
    case AMS_CODEC_AV1:
      return config ? av1_string (config) : NULL;
    case AMS_CODEC_VP9:
      return config ? vp9_string (config) : NULL;
    case AMS_CODEC_AAC:
      return config ? mpeg4_audio_string (ams_aac_get_object_type (config))
                    : NULL;
    case AMS_CODEC_MPEG_AUDIO:
      return mpeg_audio_string (track->layer);
    case AMS_CODEC_AC3:
      return g_strdup ("ac-3");
    case AMS_CODEC_EAC3:
      return g_strdup ("ec-3");
    case AMS_CODEC_OPUS: /* as browsers take it; its MP4 box is "Opus" */
      return g_strdup ("opus");
    default:
      return NULL;
  }
}
