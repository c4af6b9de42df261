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
GstMessage *gst_ams_hls_message_new_segment (GstElement *src, const gchar *root,
    const AmsRecordingSegment *segment, guint64 running_time);
GstMessage *gst_ams_hls_message_new_ended (GstElement *src, const gchar *root,
    AmsRecording *recording);

G_END_DECLS
