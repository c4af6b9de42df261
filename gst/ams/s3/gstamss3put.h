/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "http/gstamshttpsink.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_S3_PUT (gst_ams_s3_put_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsS3Put, gst_ams_s3_put, GST, AMS_S3_PUT,
    GstAmsHttpSink)

GST_ELEMENT_REGISTER_DECLARE (amss3put);

G_END_DECLS
