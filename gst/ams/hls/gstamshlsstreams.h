/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The signals by which an application has a stream for each file, as hlssink2's. */

#pragma once

#include "local/gstamslocalsink.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_HLS_STREAMS_PLAYLIST,
  GST_AMS_HLS_STREAMS_FRAGMENT,
} GstAmsHlsStreams;

/* @type: amshlssink's */
void gst_ams_hls_streams_install (GType type);

/* Whether the application has streams for these files, so that they do not go to the
 * disk. */
gboolean gst_ams_hls_streams_has (GstElement *element, GstAmsHlsStreams which);

/* @store, which @element outlives, asks for the streams that there are. @root: put
 * before names, as the path that the file would have. */
void gst_ams_hls_streams_configure (GstElement *element, GstAmsLocalSink *store,
    const gchar *root);

G_END_DECLS
