/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What amshlssink says on the bus; the fields are described there. */

#pragma once

#include <gst/gst.h>
#include "gstamsrecover.h"

G_BEGIN_DECLS

/* @root (nullable) is put before names. All: (transfer full) */
GstMessage *gst_ams_hls_message_new_started (GstElement *src, const gchar *root,
    AmsRecording *recording, const GstAmsRecovered *recovered);
/* Another recorder has the recording; @why says who. */
GstMessage *gst_ams_hls_message_new_waiting (GstElement *src, const gchar *root,
    AmsRecording *recording, const gchar *why);
GstMessage *gst_ams_hls_message_new_segment (GstElement *src, const gchar *root,
    const AmsRecordingSegment *segment, guint64 running_time);
/* @message: (transfer full) of a segment, which is called @name now. */
GstMessage *gst_ams_hls_message_rename_segment (GstMessage *message,
    const gchar *root, const gchar *name);
GstMessage *gst_ams_hls_message_new_ended (GstElement *src, const gchar *root,
    AmsRecording *recording);

/* Of an error that the bin keeps to itself: the application knows of its cause from another element. (transfer full) */
GstStructure *gst_ams_hls_details_new_echo (void);
gboolean gst_ams_hls_message_is_echo (GstMessage *message);

G_END_DECLS
