/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsaudioframes.h"

#define CLOCK_RATE 90000

/* Bytes: of no format is more needed to know where the next frame begins. */
#define MAX_HEADER 16

/* One frame, or for Opus one packet. */
typedef struct
{
  gsize size; /* bytes, its header included */
  guint samples;
  guint rate; /* Hz */
} Frame;

/* FALSE: @p does not begin with a frame. */
typedef gboolean (*ReadFrame) (const guint8 *p, gsize size, Frame *frame);

/* ISO 14496-3, 1.A.2.2 */
static gboolean
read_adts (const guint8 *p, gsize size, Frame *frame)
{
  static const guint rates[16] = { 96000, 88200, 64000, 48000, 44100, 32000,
    24000, 22050, 16000, 12000, 11025, 8000, 7350 };

  if (size < 7 || p[0] != 0xff || (p[1] & 0xf6) != 0xf0)
    return FALSE;
  frame->rate = rates[p[2] >> 2 & 0x0f];
  frame->samples = 1024 * ((p[6] & 3) + 1);
  frame->size = (p[3] & 3) << 11 | p[4] << 3 | p[5] >> 5;
  return frame->rate > 0 && frame->size >= 7;
}

/* kbit/s, of ISO 11172-3, 2.4.2.3 and ISO 13818-3, 2.4.2.3 */
static guint
mpeg_bit_rate (gboolean mpeg1, guint layer, guint index)
{
  static const guint16 rates[5][16] = {
    { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 },
    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
    { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 },
    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
  };
  guint row = mpeg1 ? layer - 1 : layer == 1 ? 3 : 4;

  return rates[row][index];
}

static gboolean
read_mpeg (const guint8 *p, gsize size, Frame *frame)
{
  static const guint rates[4] = { 44100, 48000, 32000, 0 };
  guint version, layer, kbits;

  if (size < 4 || p[0] != 0xff || (p[1] & 0xe0) != 0xe0)
    return FALSE;
  version = p[1] >> 3 & 3; /* 0: MPEG-2.5, 2: MPEG-2, 3: MPEG-1 */
  layer = 4 - (p[1] >> 1 & 3);
  if (version == 1 || layer == 4)
    return FALSE;
  kbits = mpeg_bit_rate (version == 3, layer, p[2] >> 4);
  frame->rate = rates[p[2] >> 2 & 3] >> (version == 3          ? 0
                                                : version == 2 ? 1
                                                               : 2);
  if (kbits == 0 || frame->rate == 0)
    return FALSE;
  frame->samples = layer == 1 ? 384 : layer == 3 && version != 3 ? 576 : 1152;
  if (layer == 1)
    frame->size = (12000 * kbits / frame->rate + (p[2] >> 1 & 1)) * 4;
  else
    frame->size =
        frame->samples / 8 * 1000 * kbits / frame->rate + (p[2] >> 1 & 1);
  return frame->size >= 4;
}

/* ETSI TS 102 366, 4.4.1.4: 16-bit words */
static gsize
ac3_size (guint rate_code, guint size_code)
{
  static const guint16 kbits[19] = { 32, 40, 48, 56, 64, 80, 96, 112, 128, 160,
    192, 224, 256, 320, 384, 448, 512, 576, 640 };
  guint rate = size_code / 2 < 19 ? kbits[size_code / 2] : 0;

  if (rate_code == 0)
    return rate * 4;
  if (rate_code == 2)
    return rate * 6;
  return rate > 0 ? (rate * 96000 / 44100 + (size_code & 1)) * 2 : 0;
}

/* E.1.3.1: a frame of another substream is at the same time as the one before. */
static gboolean
read_eac3 (const guint8 *p, Frame *frame)
{
  static const guint8 blocks[4] = { 1, 2, 3, 6 };
  static const guint rates[3] = { 48000, 44100, 32000 };
  guint code = p[4] >> 6, half = p[4] >> 4 & 3;
  gboolean is_first = (p[2] >> 3 & 7) == 0 && p[2] >> 6 != 1;

  if (p[2] >> 6 == 3 || (code == 3 && half == 3))
    return FALSE;
  frame->size = (((p[2] & 7) << 8 | p[3]) + 1) * 2;
  frame->rate = code == 3 ? rates[half] / 2 : rates[code];
  frame->samples = is_first ? 256 * (code == 3 ? 6 : blocks[half]) : 0;
  return TRUE;
}

static gboolean
read_ac3 (const guint8 *p, gsize size, Frame *frame)
{
  static const guint rates[4] = { 48000, 44100, 32000, 0 };

  if (size < 6 || p[0] != 0x0b || p[1] != 0x77)
    return FALSE;
  if (p[5] >> 3 > 10)
    return read_eac3 (p, frame);
  frame->rate = rates[p[4] >> 6];
  frame->samples = 1536;
  frame->size = ac3_size (p[4] >> 6, p[4] & 0x3f);
  return frame->rate > 0 && frame->size >= 6;
}

/* RFC 6716, 3.1 and 3.2: samples at 48 kHz of the packet at @p */
static guint
opus_samples (const guint8 *p, gsize size)
{
  guint config, samples, n;

  if (size < 1)
    return 0;
  config = p[0] >> 3;
  if (config < 12)
    samples = (config & 3) == 3 ? 2880 : 480 << (config & 3);
  else if (config < 16)
    samples = 480 << (config & 1);
  else
    samples = 120 << (config & 3);
  n = (p[0] & 3) == 0 ? 1 : (p[0] & 3) < 3 ? 2 : size > 1 ? p[1] & 0x3f : 0;
  return samples * n;
}

/* The control header: "Encapsulation of Opus in MPEG-TS", 4.3 */
static gboolean
read_opus (const guint8 *p, gsize size, Frame *frame)
{
  gsize length = 0, i = 2;

  if (size < 4 || p[0] != 0x7f || (p[1] & 0xe0) != 0xe0)
    return FALSE;
  do {
    if (i >= size)
      return FALSE;
    length += p[i];
  } while (p[i++] == 0xff);
  i += (p[1] & 0x10 ? 2 : 0) + (p[1] & 0x08 ? 2 : 0);
  if (p[1] & 0x04)
    i += i < size ? 1 + p[i] : 1;
  if (i >= size || length == 0)
    return FALSE;
  frame->size = i + length;
  frame->rate = 48000;
  frame->samples = opus_samples (p + i, size - i);
  return TRUE;
}

static const ReadFrame readers[] = {
  [AMS_AUDIO_FRAMES_ADTS] = read_adts,
  [AMS_AUDIO_FRAMES_MPEG] = read_mpeg,
  [AMS_AUDIO_FRAMES_AC3] = read_ac3,
  [AMS_AUDIO_FRAMES_OPUS] = read_opus,
};

gint64
ams_audio_frames_time (AmsAudioFrames format, const guint8 *data, gsize size)
{
  ReadFrame read_frame = readers[format];
  guint64 samples = 0;
  guint rate = 0;
  Frame frame;
  gsize pos;

  for (pos = 0; read_frame && pos < size; pos += frame.size) {
    if (!read_frame (data + pos, size - pos, &frame)) {
      if (pos > 0 && size - pos < MAX_HEADER)
        break; /* the next frame's header has only begun */
      return 0;
    }
    samples += frame.samples;
    rate = frame.rate;
  }
  return rate > 0 ? (gint64) (samples * CLOCK_RATE / rate) : 0;
}
