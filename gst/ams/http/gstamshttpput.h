/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "http/gstamshttpsink.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_HTTP_PUT (gst_ams_http_put_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsHttpPut, gst_ams_http_put, GST, AMS_HTTP_PUT,
    GstAmsHttpSink)

GST_ELEMENT_REGISTER_DECLARE (amshttpput);

G_END_DECLS
