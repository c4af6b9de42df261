/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amsaac.h"

#include "media/amsmediaerror.h"
#include "media/amsslice.h"

/* ISO 14496-3, table 1.17. */
enum
{
  OBJECT_MAIN = 1,
  OBJECT_LC = 2,
  OBJECT_LTP = 4,
  OBJECT_SBR = 5,
  OBJECT_LD = 23,
  OBJECT_PS = 29,
  OBJECT_ESCAPE = 31,
  OBJECT_ELD = 39,
  OBJECT_USAC = 42,
};

/* ISO 14496-3, 1.6.2.1: what comes behind the core's configuration. */
#define SYNC_EXTENSION 0x2b7
#define SYNC_EXTENSION_PS 0x548

#define RATE_ESCAPE 15
#define ID_PCE 5 /* ISO 14496-3, table 4.85 */
#define ADTS_MAX_SIZE 0x1fff
#define MAX_PCE_SIZE (64 + 256) /* fields, comment */

static const guint rates[] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
  22050, 16000, 12000, 11025, 8000, 7350 };

/* ---- bits ---- */

typedef struct
{
  AmsSlice bytes;
  gsize at; /* bits */
  gboolean short_of; /* more was asked for than there is */
} Bits;

static guint
take_bits (Bits *self, guint count)
{
  guint value = 0;

  if (self->at + count > self->bytes.size * 8) {
    self->short_of = TRUE;
    return 0;
  }
  for (; count > 0; count--, self->at++)
    value =
        value << 1 | (self->bytes.data[self->at / 8] >> (7 - self->at % 8) & 1);
  return value;
}

static void
align_bits (Bits *self)
{
  self->at = (self->at + 7) & ~(gsize) 7;
}

typedef struct
{
  guint8 data[MAX_PCE_SIZE];
  gsize at; /* bits */
} BitWriter;

static void
put_bits (BitWriter *self, guint value, guint count)
{
  while (count-- > 0 && self->at < MAX_PCE_SIZE * 8) {
    self->data[self->at / 8] |= (value >> count & 1) << (7 - self->at % 8);
    self->at++;
  }
}

static guint
copy_bits (Bits *from, BitWriter *to, guint count)
{
  guint value = take_bits (from, count);

  put_bits (to, value, count);
  return value;
}

/* ---- program_config_element ---- */

static void
copy_optional (Bits *from, BitWriter *to, guint count)
{
  if (copy_bits (from, to, 1))
    copy_bits (from, to, count);
}

/* Each element of the channel lists, whose widths are fixed. */
static void
copy_elements (Bits *from, BitWriter *to, guint count, guint width)
{
  while (count-- > 0)
    copy_bits (from, to, width);
}

/* ISO 14496-3, table 4.2. Its padding is up to a whole byte of what it lies in,
 * so it cannot be copied bit for bit from a configuration into a frame. */
static void
copy_pce (Bits *from, BitWriter *to)
{
  guint front, side, back, lfe, data, coupling, comment;

  copy_bits (from, to, 4 + 2 + 4); /* tag, object type, rate */
  front = copy_bits (from, to, 4);
  side = copy_bits (from, to, 4);
  back = copy_bits (from, to, 4);
  lfe = copy_bits (from, to, 2);
  data = copy_bits (from, to, 3);
  coupling = copy_bits (from, to, 4);
  copy_optional (from, to, 4); /* mono mixdown */
  copy_optional (from, to, 4); /* stereo mixdown */
  copy_optional (from, to, 3); /* matrix mixdown */
  copy_elements (from, to, front + side + back, 5);
  copy_elements (from, to, lfe + data, 4);
  copy_elements (from, to, coupling, 5);
  align_bits (from);
  to->at = (to->at + 7) & ~(gsize) 7;
  comment = copy_bits (from, to, 8);
  copy_elements (from, to, comment, 8);
}

static GBytes *
read_pce (Bits *bits)
{
  BitWriter pce = { { 0 }, 0 };

  put_bits (&pce, ID_PCE, 3);
  copy_pce (bits, &pce);
  return g_bytes_new (pce.data, pce.at / 8);
}

/* ---- AudioSpecificConfig ---- */

static guint
take_object_type (Bits *bits)
{
  guint type = take_bits (bits, 5);

  return type == OBJECT_ESCAPE ? 32 + take_bits (bits, 6) : type;
}

static guint
take_rate_index (Bits *bits)
{
  guint index = take_bits (bits, 4);

  if (index == RATE_ESCAPE)
    take_bits (bits, 24);
  return index;
}

/* GASpecificConfig (table 4.1), as far as the channels are in it. */
static void
read_general (AmsAacConfig *self, Bits *bits)
{
  take_bits (bits, 1); /* frame length flag */
  if (take_bits (bits, 1))
    take_bits (bits, 14); /* core coder delay */
  take_bits (bits, 1); /* extension flag */
  if (self->channels == 0 && !bits->short_of)
    self->pce = read_pce (bits);
}

static gboolean
fail (GError **error, AmsMediaError code, const gchar *what)
{
  g_set_error (error, AMS_MEDIA_ERROR, code,
      "The AAC configuration (codec_data) %s", what);
  return FALSE;
}

static gboolean
fail_type (GError **error, guint type)
{
  const gchar *name = type == OBJECT_ELD ? " (AAC-ELD)"
      : type == OBJECT_LD                ? " (AAC-LD)"
      : type == OBJECT_USAC              ? " (USAC, xHE-AAC)"
                                         : "";

  g_set_error (error, AMS_MEDIA_ERROR, AMS_MEDIA_ERROR_UNSUPPORTED,
      "AAC of object type %u%s cannot be carried in MPEG-TS: have the encoder "
      "make AAC-LC or HE-AAC",
      type, name);
  return FALSE;
}

static gboolean
check (const AmsAacConfig *self, GError **error)
{
  if (self->object_type < OBJECT_MAIN || self->object_type > OBJECT_LTP)
    return fail_type (error, self->object_type);
  if (self->rate_index >= G_N_ELEMENTS (rates))
    return fail (error, AMS_MEDIA_ERROR_UNSUPPORTED,
        "has a sample rate that MPEG-TS cannot say: resample to one of the "
        "usual rates, such as 48000 Hz");
  if (self->channels > 7)
    return fail (error, AMS_MEDIA_ERROR_UNSUPPORTED,
        "has a channel layout that MPEG-TS cannot say: at most 7.1 in the "
        "layout of channel configuration 7");
  return TRUE;
}

static void
read_config (AmsAacConfig *self, Bits *bits)
{
  self->object_type = take_object_type (bits);
  self->rate_index = take_rate_index (bits);
  self->channels = take_bits (bits, 4);
  self->ps = self->object_type == OBJECT_PS;
  self->sbr = self->ps || self->object_type == OBJECT_SBR;
  if (self->sbr) {
    take_rate_index (bits); /* of what SBR makes */
    self->object_type = take_object_type (bits);
  }
  if (self->object_type >= OBJECT_MAIN && self->object_type <= OBJECT_LTP)
    read_general (self, bits);
}

AmsAacConfig *
ams_aac_config_new (GBytes *config, GError **error)
{
  g_autoptr (AmsAacConfig) self = g_new0 (AmsAacConfig, 1);
  Bits bits = { ams_slice_of_bytes (config), 0, FALSE };

  read_config (self, &bits);
  if (bits.short_of) {
    fail (error, AMS_MEDIA_ERROR_CONFIG, "is damaged: it is too short");
    return NULL;
  }
  if (!check (self, error))
    return NULL;
  self->rate = rates[self->rate_index];
  return g_steal_pointer (&self);
}

/* Returns: the object type that the extension behind the core adds; @core: there
 * is none. */
static guint
read_extension (Bits *bits, guint core)
{
  gboolean sbr;

  if (take_bits (bits, 11) != SYNC_EXTENSION ||
      take_object_type (bits) != OBJECT_SBR)
    return core;
  sbr = take_bits (bits, 1);
  if (!sbr || bits->short_of)
    return core;
  take_rate_index (bits);
  if (take_bits (bits, 11) == SYNC_EXTENSION_PS && take_bits (bits, 1))
    return OBJECT_PS;
  return OBJECT_SBR;
}

guint
ams_aac_get_object_type (GBytes *config)
{
  AmsAacConfig read = { 0 };
  Bits bits = { ams_slice_of_bytes (config), 0, FALSE };

  read_config (&read, &bits);
  g_clear_pointer (&read.pce, g_bytes_unref);
  if (bits.short_of)
    return 0;
  if (read.sbr)
    return read.ps ? OBJECT_PS : OBJECT_SBR;
  if (read.object_type < OBJECT_MAIN || read.object_type > OBJECT_LTP)
    return read.object_type;
  return read_extension (&bits, read.object_type);
}

void
ams_aac_config_free (AmsAacConfig *self)
{
  g_clear_pointer (&self->pce, g_bytes_unref);
  g_free (self);
}

gboolean
ams_aac_write_adts (const AmsAacConfig *self, gsize size,
    guint8 header[AMS_AAC_ADTS_SIZE])
{
  gsize whole = size + AMS_AAC_ADTS_SIZE;

  if (size > ADTS_MAX_SIZE || whole > ADTS_MAX_SIZE)
    return FALSE;
  header[0] = 0xff;
  header[1] = 0xf1; /* MPEG-4, no CRC */
  header[2] = (self->object_type - 1) << 6 | self->rate_index << 2 |
      self->channels >> 2;
  header[3] = (self->channels & 0x03) << 6 | whole >> 11;
  header[4] = whole >> 3 & 0xff;
  header[5] = (whole & 0x07) << 5 | 0x1f; /* buffer fullness: not said */
  header[6] = 0xfc;
  return TRUE;
}
