/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A sequence parameter set, as one of H.264 and of H.265, and as a
 * configuration record: what is read of it is within bounds. */

#include <string.h>

#include "media/amscodecstring.h"
#include "media/amspicture.h"
#include "media/amssps.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_set (AmsSlice set, gboolean h265)
{
  AmsSps sps;

  if (!ams_sps_read (set, h265, &sps))
    return;
  g_assert_cmpuint (sps.width, >, 0);
  g_assert_cmpuint (sps.width, <=, 32768);
  g_assert_cmpuint (sps.height, >, 0);
  g_assert_cmpuint (sps.height, <=, 32768);
  g_assert_true (sps.depth <= 16 || sps.depth == AMS_SPS_DEPTH_UNKNOWN);
}

static void
check_record (GBytes *record, AmsCodec codec)
{
  g_autoptr (AmsTrack) track = ams_track_new (0, codec, record);
  g_autofree gchar *string = ams_codec_string_new (track);
  AmsPicture picture;

  if (string)
    g_assert_cmpuint (strlen (string), <, 64);
  if (!ams_picture_read (track, &picture))
    return;
  g_assert_true (picture.width > 0 && picture.height > 0);
  g_assert_true ((picture.rate_num == 0) == (picture.rate_den == 0));
  if (picture.rate_den)
    g_assert_cmpuint (picture.rate_num / picture.rate_den, <=, 300);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) record = g_bytes_new (data, size);

  for (AmsCodec codec = 0; codec < AMS_N_CODECS; codec++)
    check_record (record, codec);
  check_set (ams_slice_of_bytes (record), FALSE);
  check_set (ams_slice_of_bytes (record), TRUE);
  return 0;
}
