/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_AMS_HLS_SINK (gst_ams_hls_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsHlsSink, gst_ams_hls_sink, GST, AMS_HLS_SINK,
    GstBin)

GST_ELEMENT_REGISTER_DECLARE (amshlssink);

G_END_DECLS
