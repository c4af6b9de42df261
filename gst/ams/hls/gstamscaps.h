/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Caps in terms of the packagers. */

#pragma once

#include <gst/gst.h>

#include "media/amstrack.h"

G_BEGIN_DECLS

/* The form that a parser is to give the packagers of the media in @caps: access
 * units of H.264 and H.265 with lengths (avc, hvc1), raw AAC frames. (transfer
 * full) (nullable): any form will do, or none is known. */
GstCaps *gst_ams_caps_get_packaged (const GstCaps *caps);

/* The track that parsed media with @caps, of that form, are. @id: AmsTrack.id.
 * Returns: (transfer full) (nullable): NULL, and @error (GST_STREAM_ERROR), when
 * no packager takes such media, or the caps lack what they need. */
AmsTrack *gst_ams_caps_to_track (const GstCaps *caps, guint id, GError **error);

G_END_DECLS
