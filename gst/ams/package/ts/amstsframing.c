/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/ts/amstsframing.h"

#include <string.h>

#include "media/amsaac.h"
#include "media/amsmediaerror.h"
#include "media/amsnalunits.h"
#include "package/ts/amststables.h"

#define AAC_FRAME_SAMPLES 1024

struct _AmsTsFraming
{
  AmsCodec codec;
  AmsNalConfig *nal; /* of H.264 and H.265 */
  AmsAacConfig *aac; /* of AAC */
};

static const guint8 start_code[] = { 0, 0, 0, 1 };
/* Access unit delimiters for any kind of picture: ISO 14496-10, 7.3.2.4, and
 * ISO 23008-2, 7.3.2.5. */
static const guint8 h264_delimiter[] = { 0, 0, 0, 1, 0x09, 0xf0 };
static const guint8 h265_delimiter[] = { 0, 0, 0, 1, 0x46, 0x01, 0x50 };

static gboolean
fail_unit (GError **error, const AmsTsFraming *self, const gchar *what)
{
  g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNIT,
      "A unit of %s is left out: %s", ams_codec_get_name (self->codec), what);
  return FALSE;
}

/* ---- pictures ---- */

static void
add_piece (GArray *pieces, const guint8 *data, gsize size)
{
  const AmsSlice piece = { data, size };

  g_array_append_val (pieces, piece);
}

/* Four bytes in front of a unit's first NAL unit and of parameter sets
 * (ISO 14496-10, B.1.2), three in front of all others. */
static void
add_nal (GArray *pieces, AmsSlice nal, gboolean long_code)
{
  add_piece (pieces, long_code ? start_code : start_code + 1,
      long_code ? sizeof start_code : sizeof start_code - 1);
  g_array_append_val (pieces, nal);
}

static void
add_delimiter (const AmsTsFraming *self, GArray *pieces)
{
  if (self->codec == AMS_CODEC_H265)
    add_piece (pieces, h265_delimiter, sizeof h265_delimiter);
  else
    add_piece (pieces, h264_delimiter, sizeof h264_delimiter);
}

static void
add_parameter_sets (const AmsTsFraming *self, GArray *pieces)
{
  const GArray *sets = self->nal->parameter_sets;

  for (guint i = 0; i < sets->len; i++)
    add_nal (pieces, g_array_index (sets, AmsSlice, i), TRUE);
}

/* Whether parameter sets come before the unit's first slice. */
static gboolean
has_parameter_sets (const AmsTsFraming *self, AmsSlice rest)
{
  AmsSlice nal;

  while (ams_nal_next (self->nal, &rest, &nal)) {
    AmsNalKind kind = ams_nal_get_kind (nal, self->nal->h265);

    if (kind == AMS_NAL_PARAMETER_SET)
      return TRUE;
    if (kind >= AMS_NAL_SLICE)
      return FALSE;
  }
  return FALSE;
}

/* The delimiter comes first and, where decoding begins, the parameter sets
 * next, also where the source keeps both to itself. */
static gboolean
add_nal_units (const AmsTsFraming *self, const AmsUnit *unit, GArray *pieces,
    GError **error)
{
  AmsSlice rest = ams_slice_of_bytes (unit->payload), nal;
  gboolean lacks_sets =
      (unit->flags & AMS_UNIT_KEY) && !has_parameter_sets (self, rest);
  guint before = pieces->len;

  add_delimiter (self, pieces);
  if (lacks_sets)
    add_parameter_sets (self, pieces);
  while (ams_nal_next (self->nal, &rest, &nal)) {
    AmsNalKind kind = ams_nal_get_kind (nal, self->nal->h265);

    if (kind != AMS_NAL_DELIMITER)
      add_nal (pieces, nal, kind == AMS_NAL_PARAMETER_SET);
  }
  if (rest.size == 0)
    return TRUE;
  g_array_set_size (pieces, before);
  return fail_unit (error, self, "a NAL unit is longer than the unit");
}

gboolean
ams_ts_framing_add_picture (const AmsTsFraming *self, const AmsUnit *unit,
    GArray *pieces, GError **error)
{
  AmsSlice whole;

  if (self->nal)
    return add_nal_units (self, unit, pieces, error);
  whole = ams_slice_of_bytes (unit->payload);
  if (whole.size == 0)
    return fail_unit (error, self, "it is empty");
  g_array_append_val (pieces, whole);
  return TRUE;
}

/* ---- audio ---- */

gint64
ams_ts_framing_get_frame_duration (const AmsTsFraming *self)
{
  if (!self->aac)
    return 0;
  return AAC_FRAME_SAMPLES * G_GINT64_CONSTANT (1000000000) / self->aac->rate;
}

static void
append_bytes (GByteArray *group, GBytes *bytes)
{
  AmsSlice slice = ams_slice_of_bytes (bytes);

  g_byte_array_append (group, slice.data, slice.size);
}

/* A layout that only a program_config_element describes is said at the
 * beginning of each PES packet, as a player may begin at any. */
static gboolean
add_aac_frame (const AmsTsFraming *self, const AmsUnit *unit, GByteArray *group,
    GError **error)
{
  GBytes *pce = group->len == 0 ? self->aac->pce : NULL;
  gsize size = g_bytes_get_size (unit->payload);
  guint8 header[AMS_AAC_ADTS_SIZE];

  if (pce)
    size += g_bytes_get_size (pce);
  if (!ams_aac_write_adts (self->aac, size, header))
    return fail_unit (error, self,
        "it is larger than ADTS allows (8191 bytes)");
  g_byte_array_append (group, header, sizeof header);
  if (pce)
    append_bytes (group, pce);
  append_bytes (group, unit->payload);
  return TRUE;
}

static void
append_16 (GByteArray *group, guint16 value)
{
  guint8 bytes[] = { value >> 8, value & 0xff };

  g_byte_array_append (group, bytes, sizeof bytes);
}

/* The control header ("Encapsulation of Opus in MPEG-TS", 4.3): 11 bits of
 * prefix, three flags, two reserved bits; the size as a run of 255; trims. */
static gboolean
add_opus_frame (const AmsUnit *unit, GByteArray *group)
{
  gsize left = g_bytes_get_size (unit->payload);
  guint8 byte = 0xff;

  append_16 (group,
      0x7fe0 | (unit->trim_start > 0 ? 0x10 : 0) |
          (unit->trim_end > 0 ? 0x08 : 0));
  for (; left >= 255; left -= 255)
    g_byte_array_append (group, &byte, 1);
  byte = left;
  g_byte_array_append (group, &byte, 1);
  if (unit->trim_start > 0)
    append_16 (group, unit->trim_start & 0x1fff);
  if (unit->trim_end > 0)
    append_16 (group, unit->trim_end & 0x1fff);
  append_bytes (group, unit->payload);
  return TRUE;
}

gboolean
ams_ts_framing_add_frame (const AmsTsFraming *self, const AmsUnit *unit,
    GByteArray *group, GError **error)
{
  if (g_bytes_get_size (unit->payload) == 0)
    return fail_unit (error, self, "it is empty");
  if (self->codec == AMS_CODEC_AAC)
    return add_aac_frame (self, unit, group, error);
  if (self->codec == AMS_CODEC_OPUS)
    return add_opus_frame (unit, group);
  append_bytes (group, unit->payload);
  return TRUE;
}

/* ---- the whole ---- */

static gboolean
needs_config (AmsCodec codec)
{
  return codec == AMS_CODEC_H264 || codec == AMS_CODEC_H265 ||
      codec == AMS_CODEC_AAC;
}

static gboolean
read_config (AmsTsFraming *self, const AmsTrack *track, GError **error)
{
  if (!needs_config (track->codec))
    return TRUE;
  if (!track->config) {
    g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_CONFIG,
        "The caps of %s have no codec_data", ams_codec_get_name (track->codec));
    return FALSE;
  }
  if (track->codec == AMS_CODEC_AAC)
    self->aac = ams_aac_config_new (track->config, error);
  else
    self->nal = ams_nal_config_new (track->config,
        track->codec == AMS_CODEC_H265, error);
  return self->aac || self->nal;
}

AmsTsFraming *
ams_ts_framing_new (const AmsTrack *track, GError **error)
{
  g_autoptr (AmsTsFraming) self = g_new0 (AmsTsFraming, 1);

  self->codec = track->codec;
  if (!ams_ts_check_track (track, error) || !read_config (self, track, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
ams_ts_framing_free (AmsTsFraming *self)
{
  g_clear_pointer (&self->nal, ams_nal_config_free);
  g_clear_pointer (&self->aac, ams_aac_config_free);
  g_free (self);
}
