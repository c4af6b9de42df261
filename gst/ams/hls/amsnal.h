/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Looks at a video access unit's NAL units. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether the access unit (byte-stream) begins with a picture that decoding can start at for good:
 * H.264 an IDR, H.265 an IRAP. h264parse calls every I picture and recovery point a keyframe, which
 * is not enough (hls-rules 13). Reads no further than the first slice. */
gboolean ams_nal_is_random_access (const guint8 *data, gsize size,
    gboolean h265);

G_END_DECLS
