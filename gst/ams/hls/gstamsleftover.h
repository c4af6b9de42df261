/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is on the disk and no playlist lists, nor ever will by itself: two recorders on one
 * recording left it, before one kept the other away. */

#pragma once

#include "amsplaylistparser.h"
#include "amsrecording.h"
#include "gstamscatchup.h"

G_BEGIN_DECLS

/* Says in @handover's warnings which segments @earlier (nullable) marks EXT-X-GAP though
 * @files (element-type AmsRecoveryFile), what the disk has, has them whole; and which media were
 * set aside as their names were taken. */
void gst_ams_leftover_warn (AmsRecording *recording, const GstAmsStores *stores,
    const AmsPlaylistParsed *earlier, GPtrArray *files,
    GstAmsHandover *handover);

G_END_DECLS
