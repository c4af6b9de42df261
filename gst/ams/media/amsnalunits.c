/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amsnalunits.h"

#include "media/amsmediaerror.h"

/* ISO 14496-15: the fields in front of the parameter sets. */
#define AVCC_HEADER_SIZE 5
#define HVCC_HEADER_SIZE 22
#define HVCC_LENGTH_SIZE_AT 21

static gboolean
take_parameter_set (AmsNalConfig *self, AmsSlice *rest)
{
  AmsSlice set;
  guint32 size;

  if (!ams_slice_take_number (rest, 2, &size) ||
      !ams_slice_take (rest, size, &set))
    return FALSE;
  if (size > 0)
    g_array_append_val (self->parameter_sets, set);
  return TRUE;
}

static gboolean
take_parameter_sets (AmsNalConfig *self, AmsSlice *rest, guint count)
{
  for (guint i = 0; i < count; i++) {
    if (!take_parameter_set (self, rest))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_avcc (AmsNalConfig *self, AmsSlice rest)
{
  AmsSlice header;
  guint32 n_sps, n_pps;

  if (!ams_slice_take (&rest, AVCC_HEADER_SIZE, &header) || header.data[0] != 1)
    return FALSE;
  self->length_size = (header.data[4] & 0x03) + 1;
  return ams_slice_take_number (&rest, 1, &n_sps) &&
      take_parameter_sets (self, &rest, n_sps & 0x1f) &&
      ams_slice_take_number (&rest, 1, &n_pps) &&
      take_parameter_sets (self, &rest, n_pps);
}

static gboolean
read_hvcc (AmsNalConfig *self, AmsSlice rest)
{
  AmsSlice header;
  guint32 n_arrays, type, count;

  if (!ams_slice_take (&rest, HVCC_HEADER_SIZE, &header))
    return FALSE;
  self->length_size = (header.data[HVCC_LENGTH_SIZE_AT] & 0x03) + 1;
  if (!ams_slice_take_number (&rest, 1, &n_arrays))
    return FALSE;
  for (guint i = 0; i < n_arrays; i++) {
    if (!ams_slice_take_number (&rest, 1, &type) ||
        !ams_slice_take_number (&rest, 2, &count) ||
        !take_parameter_sets (self, &rest, count))
      return FALSE;
  }
  return TRUE;
}

AmsNalConfig *
ams_nal_config_new (GBytes *record, gboolean h265, GError **error)
{
  g_autoptr (AmsNalConfig) self = g_new0 (AmsNalConfig, 1);
  AmsSlice bytes = ams_slice_of_bytes (record);

  self->h265 = h265;
  self->record = g_bytes_ref (record);
  self->parameter_sets = g_array_new (FALSE, FALSE, sizeof (AmsSlice));
  if (h265 ? read_hvcc (self, bytes) : read_avcc (self, bytes))
    return g_steal_pointer (&self);
  g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_CONFIG,
      "The %s configuration record (codec_data, %" G_GSIZE_FORMAT
      " bytes) is damaged",
      h265 ? "H.265" : "H.264", bytes.size);
  return NULL;
}

void
ams_nal_config_free (AmsNalConfig *self)
{
  g_array_unref (self->parameter_sets);
  g_bytes_unref (self->record);
  g_free (self);
}

/* ISO 14496-10, table 7-1. */
static AmsNalKind
h264_kind (guint type)
{
  switch (type) {
    case 1 ... 4:
      return AMS_NAL_SLICE;
    case 5:
      return AMS_NAL_RANDOM_ACCESS_SLICE;
    case 7:
    case 8:
      return AMS_NAL_PARAMETER_SET;
    case 9:
      return AMS_NAL_DELIMITER;
    default:
      return AMS_NAL_OTHER;
  }
}

/* ISO 23008-2, table 7-1. */
static AmsNalKind
h265_kind (guint type)
{
  switch (type) {
    case 16 ... 23:
      return AMS_NAL_RANDOM_ACCESS_SLICE;
    case 0 ... 15:
    case 24 ... 31:
      return AMS_NAL_SLICE;
    case 32 ... 34:
      return AMS_NAL_PARAMETER_SET;
    case 35:
      return AMS_NAL_DELIMITER;
    default:
      return AMS_NAL_OTHER;
  }
}

AmsNalKind
ams_nal_get_kind (AmsSlice nal, gboolean h265)
{
  if (nal.size == 0)
    return AMS_NAL_OTHER;
  if (h265)
    return h265_kind (nal.data[0] >> 1 & 0x3f);
  return h264_kind (nal.data[0] & 0x1f);
}

gboolean
ams_nal_next (const AmsNalConfig *self, AmsSlice *rest, AmsSlice *nal)
{
  guint32 size = 0;

  while (rest->size > 0) {
    AmsSlice before = *rest;

    if (!ams_slice_take_number (rest, self->length_size, &size) ||
        !ams_slice_take (rest, size, nal)) {
      *rest = before;
      return FALSE;
    }
    if (size > 0)
      return TRUE;
  }
  return FALSE;
}
