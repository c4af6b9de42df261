/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Segments that a store behind the src pad has whole, or is about to have, and of
 * which the disk has a part only: the process was killed before the part got its
 * name. */

#pragma once

#include "gstamsunlisted.h"

G_BEGIN_DECLS

/* Orphans of @found's survey: decides for each where its bytes come from. The disk's
 * part, if it has as many bytes as the remote store says; else the remote store,
 * which is asked for them; else what the part has. What was read is in @found->read. */
void gst_ams_unfinished_decide (const GstAmsStores *stores, GstAmsFound *found);

/* Segments that the earlier playlist lists: adds what brings them to the disk to
 * @handover. */
void gst_ams_unfinished_restore (AmsRecording *recording,
    const GstAmsStores *stores, const GstAmsFound *found,
    GstAmsHandover *handover);

G_END_DECLS
