/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/ts/amststables.h"

#include <string.h>

#include "media/amsmediaerror.h"
#include "media/amsslice.h"

#define TABLE_PAT 0x00
#define TABLE_PMT 0x02
#define PROGRAM_NUMBER 1
#define TRANSPORT_STREAM_ID 1
#define CRC_SIZE 4
#define LENGTH_END 3 /* the section_length counts the bytes from here on */

#define DESCRIPTOR_REGISTRATION 0x05
#define DESCRIPTOR_LANGUAGE 0x0a
#define DESCRIPTOR_EXTENSION 0x7f

#define STREAM_ID_PRIVATE_1 0xbd
#define STREAM_ID_AUDIO 0xc0
#define STREAM_ID_VIDEO 0xe0

#define STREAM_TYPE_MPEG1_AUDIO 0x03
#define STREAM_TYPE_MPEG2_AUDIO 0x04

/* The lowest sample rate of MPEG-1 audio (ISO 11172-3); MPEG-2 halves them. */
#define MPEG1_MIN_RATE 32000

typedef struct
{
  guint8 stream_type; /* 0: not to be carried */
  guint8 stream_id;
  const gchar *registration; /* format identifier, or NULL */
} Carriage;

/* As FFmpeg writes and all players read them; H.264 needs no registration. */
static const Carriage carriages[AMS_N_CODECS] = {
  [AMS_CODEC_MPEG1_VIDEO] = { 0x01, STREAM_ID_VIDEO, NULL },
  [AMS_CODEC_MPEG2_VIDEO] = { 0x02, STREAM_ID_VIDEO, NULL },
  [AMS_CODEC_MPEG4_VIDEO] = { 0x10, STREAM_ID_VIDEO, NULL },
  [AMS_CODEC_H264] = { 0x1b, STREAM_ID_VIDEO, NULL },
  [AMS_CODEC_H265] = { 0x24, STREAM_ID_VIDEO, "HEVC" },
  [AMS_CODEC_MPEG_AUDIO] = { STREAM_TYPE_MPEG1_AUDIO, STREAM_ID_AUDIO, NULL },
  [AMS_CODEC_AAC] = { 0x0f, STREAM_ID_AUDIO, NULL },
  [AMS_CODEC_AC3] = { 0x81, STREAM_ID_PRIVATE_1, "AC-3" },
  [AMS_CODEC_EAC3] = { 0x87, STREAM_ID_PRIVATE_1, "EAC3" },
  [AMS_CODEC_DTS] = { 0x8a, STREAM_ID_PRIVATE_1, "DTS1" },
  [AMS_CODEC_OPUS] = { 0x06, STREAM_ID_PRIVATE_1, "Opus" },
};

gboolean
ams_ts_check_track (const AmsTrack *track, GError **error)
{
  if (carriages[track->codec].stream_type != 0)
    return TRUE;
  g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNSUPPORTED,
      "%s cannot be carried in MPEG-TS for HLS: it needs segment-type=cmaf",
      ams_codec_get_name (track->codec));
  return FALSE;
}

guint8
ams_ts_get_stream_id (AmsCodec codec)
{
  return carriages[codec].stream_id;
}

/* ---- sections ---- */

/* One too many for the packet is left out, and @too_large set. */
typedef struct
{
  AmsTsSection *section;
  gboolean too_large;
} Writer;

static void
put (Writer *self, const void *data, gsize size)
{
  AmsTsSection *section = self->section;

  if (section->size + size + CRC_SIZE > AMS_TS_MAX_SECTION) {
    self->too_large = TRUE;
    return;
  }
  memcpy (section->data + section->size, data, size);
  section->size += size;
}

static void
put_8 (Writer *self, guint8 value)
{
  put (self, &value, 1);
}

static void
put_16 (Writer *self, guint16 value)
{
  put_8 (self, value >> 8);
  put_8 (self, value & 0xff);
}

/* Writes a length that was left open at @at: 4 reserved bits, then 12. */
static void
set_length (AmsTsSection *section, gsize at, guint8 reserved, gsize length)
{
  section->data[at] = reserved | length >> 8;
  section->data[at + 1] = length & 0xff;
}

static void
begin_section (Writer *self, AmsTsSection *section, guint8 table, guint16 id,
    guint version)
{
  self->section = section;
  self->too_large = FALSE;
  section->size = 0;
  put_8 (self, table);
  put_16 (self, 0); /* section_length */
  put_16 (self, id);
  put_8 (self, 0xc1 | (version & 0x1f) << 1); /* reserved, version, current */
  put_16 (self, 0); /* the first section of one */
}

/* CRC-32/MPEG-2 (ISO 13818-1, annex A). Sections are rare and short. */
static guint32
crc (const guint8 *data, gsize size)
{
  guint32 value = 0xffffffff;

  for (gsize i = 0; i < size; i++) {
    value ^= (guint32) data[i] << 24;
    for (guint bit = 0; bit < 8; bit++)
      value = value & 0x80000000 ? value << 1 ^ 0x04c11db7 : value << 1;
  }
  return value;
}

static void
end_section (AmsTsSection *section)
{
  guint32 sum;

  set_length (section, 1, 0xb0, section->size - LENGTH_END + CRC_SIZE);
  sum = GUINT32_TO_BE (crc (section->data, section->size));
  memcpy (section->data + section->size, &sum, CRC_SIZE);
  section->size += CRC_SIZE;
}

void
ams_ts_make_pat (AmsTsSection *section, guint version)
{
  Writer writer;

  begin_section (&writer, section, TABLE_PAT, TRANSPORT_STREAM_ID, version);
  put_16 (&writer, PROGRAM_NUMBER);
  put_16 (&writer, 0xe000 | AMS_TS_PMT_PID);
  end_section (section);
}

/* ---- PMT ---- */

static guint8
stream_type (const AmsTrack *track)
{
  if (track->codec == AMS_CODEC_MPEG_AUDIO && track->rate > 0 &&
      track->rate < MPEG1_MIN_RATE)
    return STREAM_TYPE_MPEG2_AUDIO;
  return carriages[track->codec].stream_type;
}

static void
put_descriptor (Writer *writer, guint8 tag, const void *data, gsize size)
{
  put_8 (writer, tag);
  put_8 (writer, size);
  put (writer, data, size);
}

/* The channel configuration code of "Encapsulation of Opus in MPEG-TS", 4.2:
 * the number of channels where they are in Vorbis order, as mapping families 0
 * and 1 have them. */
static guint8
opus_channels (const AmsTrack *track)
{
  AmsSlice head = { NULL, 0 };
  guint channels = 2, family = 0;

  if (track->config)
    head = ams_slice_of_bytes (track->config);
  if (head.size >= 19) {
    channels = head.data[9];
    family = head.data[18];
  }
  return family <= 1 && channels <= 8 ? channels : 0xff;
}

static void
put_opus_descriptor (Writer *writer, const AmsTrack *track)
{
  guint8 data[] = { 0x80, opus_channels (track) };

  put_descriptor (writer, DESCRIPTOR_EXTENSION, data, sizeof data);
}

static void
put_language (Writer *writer, const gchar *language)
{
  guint8 data[4] = { 0, 0, 0, 0 };

  if (!language || strlen (language) != 3)
    return;
  memcpy (data, language, 3);
  put_descriptor (writer, DESCRIPTOR_LANGUAGE, data, sizeof data);
}

static void
put_stream (Writer *writer, const AmsTrack *track)
{
  const gchar *registration = carriages[track->codec].registration;
  AmsTsSection *section = writer->section;
  gsize length_at;

  put_8 (writer, stream_type (track));
  put_16 (writer, 0xe000 | (AMS_TS_FIRST_PID + track->id));
  length_at = section->size;
  put_16 (writer, 0);
  if (registration)
    put_descriptor (writer, DESCRIPTOR_REGISTRATION, registration, 4);
  if (track->codec == AMS_CODEC_OPUS)
    put_opus_descriptor (writer, track);
  put_language (writer, track->language);
  if (!writer->too_large)
    set_length (section, length_at, 0xf0, section->size - length_at - 2);
}

gboolean
ams_ts_make_pmt (AmsTsSection *section, guint version, GPtrArray *tracks,
    guint clock_id, GError **error)
{
  Writer writer;

  begin_section (&writer, section, TABLE_PMT, PROGRAM_NUMBER, version);
  put_16 (&writer, 0xe000 | (AMS_TS_FIRST_PID + clock_id));
  put_16 (&writer, 0xf000); /* no descriptors of the program */
  for (guint i = 0; i < tracks->len; i++)
    put_stream (&writer, g_ptr_array_index (tracks, i));
  if (!writer.too_large) {
    end_section (section);
    return TRUE;
  }
  g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNSUPPORTED,
      "%u tracks are too many for one MPEG-TS program: their table does not fit "
      "into one packet, and some players read no further",
      tracks->len);
  return FALSE;
}
