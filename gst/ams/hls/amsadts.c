/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsadts.h"

#define MAX_FRAME_SIZE 0x1fff

/* Two bits each for the object type (Main, LC, SSR, LTP), three for the channels; rates by their index only. */
gboolean
ams_adts_begin (const guint8 *config, gsize size,
    guint8 header[AMS_ADTS_HEADER_SIZE])
{
  guint type, rate, channels;

  if (size < 2)
    return FALSE;
  type = config[0] >> 3;
  rate = (config[0] & 0x07) << 1 | config[1] >> 7;
  channels = config[1] >> 3 & 0x0f;
  if (type < 1 || type > 4 || rate > 12 || channels < 1 || channels > 7)
    return FALSE;

  header[0] = 0xff;
  header[1] = 0xf1; /* MPEG-4, no CRC */
  header[2] = (type - 1) << 6 | rate << 2 | channels >> 2;
  header[3] = (channels & 0x03) << 6;
  header[4] = 0;
  header[5] = 0x1f; /* the buffer's fullness: not said */
  header[6] = 0xfc;
  return TRUE;
}

gboolean
ams_adts_set_size (guint8 header[AMS_ADTS_HEADER_SIZE], gsize size)
{
  gsize whole = size + AMS_ADTS_HEADER_SIZE;

  if (size > MAX_FRAME_SIZE || whole > MAX_FRAME_SIZE)
    return FALSE;
  header[3] = (header[3] & 0xfc) | whole >> 11;
  header[4] = whole >> 3 & 0xff;
  header[5] = (whole & 0x07) << 5 | 0x1f;
  return TRUE;
}
