/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An access unit: one picture, or one frame of audio, with its times. Pure, no
 * GStreamer.
 *
 * The payload has one form per codec, whatever came in: H.264 and H.265 are NAL
 * units that each follow their length (the size of the length field is in the
 * track's configuration), AAC is raw frames without ADTS or LATM headers, and
 * all other codecs are as their parsers frame them. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_UNIT_KEY = 1 << 0, /* decoding can begin here */
  /* Decoding can begin here and is right after a while: an open GOP, a recovery
   * point. */
  AMS_UNIT_RECOVERY = 1 << 1,
} AmsUnitFlags;

typedef struct
{
  guint track; /* AmsTrack.id */
  AmsUnitFlags flags;
  gint64 pts; /* ns on the recording's time line, may be negative */
  gint64 dts; /* ns, at most @pts; it rises from unit to unit of a track */
  gint64 duration; /* ns; 0: unknown */
  /* Samples of decoded audio that are not to be heard, at the beginning and at
   * the end; of Opus only, at 48 kHz. */
  guint16 trim_start, trim_end;
  GBytes *payload;
} AmsUnit;

G_END_DECLS
