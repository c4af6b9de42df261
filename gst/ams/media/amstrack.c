/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amstrack.h"

static const struct
{
  AmsTrackKind kind;
  const gchar *name;
} codecs[AMS_N_CODECS] = {
  [AMS_CODEC_MPEG1_VIDEO] = { AMS_TRACK_VIDEO, "MPEG-1 video" },
  [AMS_CODEC_MPEG2_VIDEO] = { AMS_TRACK_VIDEO, "MPEG-2 video" },
  [AMS_CODEC_MPEG4_VIDEO] = { AMS_TRACK_VIDEO, "MPEG-4 part 2 video" },
  [AMS_CODEC_H264] = { AMS_TRACK_VIDEO, "H.264" },
  [AMS_CODEC_H265] = { AMS_TRACK_VIDEO, "H.265" },
  [AMS_CODEC_AV1] = { AMS_TRACK_VIDEO, "AV1" },
  [AMS_CODEC_VP9] = { AMS_TRACK_VIDEO, "VP9" },
  [AMS_CODEC_MPEG_AUDIO] = { AMS_TRACK_AUDIO, "MPEG audio" },
  [AMS_CODEC_AAC] = { AMS_TRACK_AUDIO, "AAC" },
  [AMS_CODEC_AC3] = { AMS_TRACK_AUDIO, "AC-3" },
  [AMS_CODEC_EAC3] = { AMS_TRACK_AUDIO, "E-AC-3" },
  [AMS_CODEC_DTS] = { AMS_TRACK_AUDIO, "DTS" },
  [AMS_CODEC_OPUS] = { AMS_TRACK_AUDIO, "Opus" },
};

AmsTrack *
ams_track_new (guint id, AmsCodec codec, GBytes *config)
{
  AmsTrack *track = g_new0 (AmsTrack, 1);

  track->id = id;
  track->codec = codec;
  track->config = config ? g_bytes_ref (config) : NULL;
  return track;
}

AmsTrack *
ams_track_copy (const AmsTrack *track)
{
  AmsTrack *copy = ams_track_new (track->id, track->codec, track->config);

  copy->rate = track->rate;
  copy->layer = track->layer;
  copy->language = g_strdup (track->language);
  return copy;
}

void
ams_track_free (AmsTrack *track)
{
  g_clear_pointer (&track->config, g_bytes_unref);
  g_free (track->language);
  g_free (track);
}

AmsTrackKind
ams_codec_get_kind (AmsCodec codec)
{
  g_return_val_if_fail (codec < AMS_N_CODECS, AMS_TRACK_AUDIO);
  return codecs[codec].kind;
}

const gchar *
ams_codec_get_name (AmsCodec codec)
{
  g_return_val_if_fail (codec < AMS_N_CODECS, NULL);
  return codecs[codec].name;
}
