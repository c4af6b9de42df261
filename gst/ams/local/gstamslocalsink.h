/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The put sink that amshlssink links to its mux to write local files.
 * There is a type, but no element factory: g_object_new (GST_TYPE_AMS_LOCAL_SINK).
 * Its queue-policy is drop-oldest: the stream goes on when a disk stalls. */

#pragma once

#include "local/amsstreamstore.h"
#include "transfer/gstamsputsink.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_LOCAL_SINK (gst_ams_local_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsLocalSink, gst_ams_local_sink, GST, AMS_LOCAL_SINK,
    GstAmsPutSink)

/* All from any thread; they count from the next READY→PAUSED on. */

/* Names in the file stream are below @root, which is made if need be. The working folder
 * if never set. */
void gst_ams_local_sink_set_root (GstAmsLocalSink *sink, const gchar *root);
/* TRUE (the default): what counts as stored is on stable storage. */
void gst_ams_local_sink_set_fsync (GstAmsLocalSink *sink, gboolean fsync);
/* TRUE: files with a segment's name are replaced. */
void gst_ams_local_sink_set_overwrite (GstAmsLocalSink *sink,
    gboolean overwrite);
/* @callbacks: (nullable); which of them are NULL says what goes to files.
 * @user_data is kept until the next call, and until the engine that uses it has ended. */
void gst_ams_local_sink_set_streams (GstAmsLocalSink *sink,
    const AmsStreamCallbacks *callbacks, gpointer user_data,
    GDestroyNotify destroy);

G_END_DECLS
