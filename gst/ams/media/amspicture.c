/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amspicture.h"

#include "media/amsnalunits.h"
#include "media/amssps.h"

/* Frames a second that are believed. Many encoders leave the ticks of a clock,
 * such as 90000 a second, in the VUI of a stream whose rate they do not know. */
#define MIN_RATE 1
#define MAX_RATE 300

/* ISO 23091-2. */
static AmsVideoRange
range_of_transfer (guint transfer)
{
  switch (transfer) {
    case 1:
    case 6:
    case 13:
    case 14:
    case 15:
      return AMS_VIDEO_RANGE_SDR;
    case 16:
      return AMS_VIDEO_RANGE_PQ;
    case 18:
      return AMS_VIDEO_RANGE_HLG;
    default:
      return AMS_VIDEO_RANGE_UNKNOWN;
  }
}

static guint64
get_common_divisor (guint64 a, guint64 b)
{
  while (b != 0) {
    guint64 rest = a % b;

    a = b;
    b = rest;
  }
  return a;
}

static void
raise_rate (AmsPicture *picture, const AmsSps *sps)
{
  guint64 num = sps->rate_num, den = sps->rate_den, divisor;

  if (den == 0 || num < den * MIN_RATE || num > den * MAX_RATE)
    return;
  divisor = get_common_divisor (num, den);
  num /= divisor;
  den /= divisor;
  if (den > G_MAXUINT || num * picture->rate_den <= picture->rate_num * den)
    return;
  picture->rate_num = num;
  picture->rate_den = den;
}

static void
add_set (AmsPicture *picture, const AmsSps *sps)
{
  if ((guint64) sps->width * sps->height >
      (guint64) picture->width * picture->height) {
    picture->width = sps->width;
    picture->height = sps->height;
  }
  raise_rate (picture, sps);
  /* What is partly HLG or PQ is HLG or PQ as a whole. */
  picture->range = MAX (picture->range, range_of_transfer (sps->transfer));
}

gboolean
ams_picture_read (const AmsTrack *track, AmsPicture *picture)
{
  gboolean h265 = track->codec == AMS_CODEC_H265;
  g_autoptr (AmsNalConfig) config = NULL;

  *picture = (AmsPicture){ .rate_den = 1 };
  if (!track->config || (!h265 && track->codec != AMS_CODEC_H264) ||
      !(config = ams_nal_config_new (track->config, h265, NULL)))
    return FALSE;
  for (guint i = 0; i < config->parameter_sets->len; i++) {
    AmsSps sps;

    if (ams_sps_read (g_array_index (config->parameter_sets, AmsSlice, i), h265,
            &sps))
      add_set (picture, &sps);
  }
  if (picture->rate_num == 0)
    picture->rate_den = 0;
  return picture->width > 0;
}

const gchar *
ams_video_range_get_name (AmsVideoRange range)
{
  static const gchar *const names[] = { NULL, "SDR", "HLG", "PQ" };

  g_return_val_if_fail (range < G_N_ELEMENTS (names), NULL);
  return names[range];
}
