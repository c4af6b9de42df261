/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asks the stores where the media of an earlier recording begin and end on the
 * scale of their time stamps, for the new session's to go on from there. */

#pragma once

#include "recording/amsendtime.h"
#include "gstamsunlisted.h"

G_BEGIN_DECLS

/* Adds to @end, which has the segments that were added to it, those that @found's
 * playlist lists before them. Reads the first bytes of the first one, and of the
 * last one if nothing was added, from the disk if that has them. A store that does
 * not answer soon is not waited for, also by what is asked later: its answer stays
 * unknown. */
void gst_ams_end_ask (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, AmsEnd *end);

/* Notes of a segment that was added what is not known yet. @data: it */
void gst_ams_end_add (AmsEnd *end, guint64 duration, guint64 end_pts,
    GBytes *data);

/* As ams_end_time(), and says so in the log. */
gint64 gst_ams_end_decide (const AmsEnd *end);

G_END_DECLS
