/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A track: what a packager must know of it before its first access unit comes.
 * Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_CODEC_MPEG1_VIDEO,
  AMS_CODEC_MPEG2_VIDEO,
  AMS_CODEC_MPEG4_VIDEO, /* part 2 */
  AMS_CODEC_H264,
  AMS_CODEC_H265,
  AMS_CODEC_AV1,
  AMS_CODEC_VP9,
  AMS_CODEC_MPEG_AUDIO, /* MPEG-1 and MPEG-2 audio, layers 1 to 3 */
  AMS_CODEC_AAC,
  AMS_CODEC_AC3,
  AMS_CODEC_EAC3,
  AMS_CODEC_DTS,
  AMS_CODEC_OPUS,
  AMS_N_CODECS,
} AmsCodec;

typedef enum
{
  AMS_TRACK_VIDEO,
  AMS_TRACK_AUDIO,
} AmsTrackKind;

/* The largest id of a track. */
#define AMS_TRACK_MAX_ID 31

typedef struct
{
  guint id; /* 0 … AMS_TRACK_MAX_ID, the same for the whole recording */
  AmsCodec codec;
  /* H.264: avcC, H.265: hvcC, AV1: av1C, VP9: vpcC (with the version and flags
   * of its box), AAC: AudioSpecificConfig, Opus: OpusHead; NULL: there is none. */
  GBytes *config;
  guint rate; /* Hz, of audio; 0: unknown */
  guint layer; /* 1 … 3, of MPEG audio; 0: unknown */
  gchar *language; /* ISO 639-2, three letters; NULL: unknown */
} AmsTrack;

/* @config: (transfer none) (nullable) */
AmsTrack *ams_track_new (guint id, AmsCodec codec, GBytes *config);
AmsTrack *ams_track_copy (const AmsTrack *track);
void ams_track_free (AmsTrack *track);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsTrack, ams_track_free)

AmsTrackKind ams_codec_get_kind (AmsCodec codec);
/* The codec's name as people write it: "H.264". */
const gchar *ams_codec_get_name (AmsCodec codec);

G_END_DECLS
