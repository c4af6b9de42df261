/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which codecs MPEG-TS can carry, and which element parses each. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_AMS_VIDEO_CAPS \
  "video/x-h264; video/x-h265; " \
  "video/mpeg, mpegversion=(int){ 1, 2, 4 }, systemstream=(boolean)false"
#define GST_AMS_AUDIO_CAPS \
  "audio/mpeg, mpegversion=(int){ 1, 2, 4 }; audio/x-ac3; audio/x-eac3; audio/x-dts; " \
  "audio/x-opus"

/* The factory of the parser for @caps (fixed or not), NULL: MPEG-TS cannot carry it, or it is not
 * for a track of this kind. */
const gchar *gst_ams_find_parser (const GstCaps *caps, gboolean video);

/* Of what can be recorded, the form in which it is: what can choose is to choose this. */
#define GST_AMS_PREFERRED_CAPS \
  "video/x-h264, stream-format=(string)avc, alignment=(string)au; " \
  "video/x-h265, stream-format=(string)hvc1, alignment=(string)au; " \
  "audio/mpeg, mpegversion=(int)4, stream-format=(string)raw"

/* Whether media with @caps are what that parser would give on. Opus is not said to be: its caps
 * do not tell whether it was parsed. */
gboolean gst_ams_is_parsed (const GstCaps *caps);

G_END_DECLS
