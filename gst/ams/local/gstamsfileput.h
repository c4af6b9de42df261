/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "transfer/gstamsputsink.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_FILE_PUT (gst_ams_file_put_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsFilePut, gst_ams_file_put, GST, AMS_FILE_PUT,
    GstAmsPutSink)

GST_ELEMENT_REGISTER_DECLARE (amsfileput);

G_END_DECLS
