/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long the frames of audio in a PES packet last, from their own headers.
 * Hostile input. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_AUDIO_FRAMES_UNKNOWN, /* a codec that is not looked into */
  AMS_AUDIO_FRAMES_ADTS,
  AMS_AUDIO_FRAMES_MPEG, /* layers 1 to 3 */
  AMS_AUDIO_FRAMES_AC3, /* and E-AC-3 */
  AMS_AUDIO_FRAMES_OPUS,
} AmsAudioFrames;

/* Returns: ticks of 90 kHz of the frames that begin in @data, which begins with
 * one; 0: that cannot be told. */
gint64 ams_audio_frames_time (AmsAudioFrames format, const guint8 *data,
    gsize size);

G_END_DECLS
