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
 * part, if it has as many bytes as the remote store, or its spool, says; else the remote
 * store, which is asked for them, as one that cannot list may have them as well; else
 * what the part has. What was read is in @found->read. */
void gst_ams_unfinished_decide (const GstAmsStores *stores, GstAmsFound *found);

/* @orphans: (element-type AmsRecoveryFile) in order. A segment that ended late leaves its end
 * to the next one: where a crash finds that in both, it is left to the later; a part of
 * which the one before has all is taken out, and @handover removes it. @listed:
 * (nullable) the segment in front of all. */
void gst_ams_unfinished_part (const GstAmsStores *stores, GPtrArray *orphans,
    const gchar *listed, GstAmsHandover *handover);

/* @segment is what was recovered of @file. If the remote store may have more of it under
 * its name, and does not answer, it gets another name, as that one cannot be put there any
 * more. Returns the name of the part on the disk, of which it is made. (transfer full)
 * (nullable): it keeps its name. */
gchar *gst_ams_unfinished_rename (AmsRecording *recording,
    const GstAmsStores *stores, const AmsRecoveryFile *file,
    AmsRecordingSegment *segment, GstAmsHandover *handover);

/* Segments that the earlier playlist lists: adds what brings them to the disk to
 * @handover. */
void gst_ams_unfinished_restore (AmsRecording *recording,
    const GstAmsStores *stores, const GstAmsFound *found,
    GstAmsHandover *handover);

G_END_DECLS
