/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <gst/gst.h>

#include "local/gstamsfileput.h"
#include "hls/gstamshlssink.h"
#include "http/gstamshttpput.h"
#include "s3/gstamss3put.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (amshlssink, plugin) &&
      GST_ELEMENT_REGISTER (amsfileput, plugin) &&
      GST_ELEMENT_REGISTER (amshttpput, plugin) &&
      GST_ELEMENT_REGISTER (amss3put, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ams,
    "Records live streams as HLS: to disk, HTTP and S3", plugin_init, VERSION,
    GST_LICENSE, PACKAGE_NAME, PACKAGE_ORIGIN)
