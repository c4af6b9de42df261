/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Behind the muxer: makes files of its packets where the gate said so
 * (gstamscut.h), and the playlist, and hands both to the stores. Private to amshlssink: no
 * factory. Sink pad "sink" (MPEG-TS); src pads "local" and "remote" (the file stream, files/amsfiles.h), each
 * used when it is linked. */

#pragma once

#include <gst/gst.h>
#include "gstamspublisher.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_SEGMENTER (gst_ams_segmenter_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsSegmenter, gst_ams_segmenter, GST, AMS_SEGMENTER,
    GstElement)

GstAmsSegmenter *gst_ams_segmenter_new (void);

/* (transfer none) */
GstAmsPublisher *gst_ams_segmenter_get_publisher (GstAmsSegmenter *self);

G_END_DECLS
