/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Media on the disk that no playlist lists, and that recovery after a crash does not find: two
 * recorders on one recording left them, before one kept the other away. */

#pragma once

#include "recording/amsendtime.h"
#include "playlist/amsplaylistparser.h"
#include "recording/amsrecording.h"
#include "gstamscatchup.h"

G_BEGIN_DECLS

/* Lists at the end of @recording, which goes on already, the media that were set aside as
 * ".NAME.part.N" because another recorder had their names. Each becomes a segment with a number
 * of its own; a DISCONTINUITY comes before it unless it continues the one before. The
 * remote stores get them from the disk.
 * @known: what they add to it
 * Returns: the number of segments that were listed */
guint gst_ams_leftover_recover (AmsRecording *recording,
    const GstAmsStores *stores, AmsEnd *known, GstAmsHandover *handover);

/* Says in @handover's warnings which segments @earlier (nullable) marks EXT-X-GAP though
 * @files (element-type AmsRecoveryFile), what the disk has, has them whole. */
void gst_ams_leftover_warn (AmsRecording *recording, const GstAmsStores *stores,
    const AmsPlaylistParsed *earlier, GPtrArray *files,
    GstAmsHandover *handover);

G_END_DECLS
