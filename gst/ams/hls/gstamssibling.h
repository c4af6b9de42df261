/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sessions of the same recording that have a playlist of their own, as there is a date in its
 * name: what a crash left of them on the disk is finished by the next session. */

#pragma once

#include "gstamsrecover.h"

G_BEGIN_DECLS

/* Adds to @handover what finishes each such session that no recorder is in any more. FALSE: there
 * is none. */
gboolean gst_ams_siblings_finish (AmsRecording *recording,
    const GstAmsStores *stores, GstAmsClaimer *claimer,
    GstAmsHandover *handover);

G_END_DECLS
