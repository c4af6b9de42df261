/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What CODECS of a multivariant playlist says of a track (RFC 6381). Pure, no
 * GStreamer. */

#pragma once

#include <glib.h>

#include "media/amstrack.h"

G_BEGIN_DECLS

/* "avc1.64001f" (ISO 14496-15, annex E, and what the other codecs' own
 * specifications say). NULL: the track's configuration does not tell, or the
 * codec has no such name.
 * Returns: (transfer full) (nullable) */
gchar *ams_codec_string_new (const AmsTrack *track);

G_END_DECLS
