/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "transfer/amsengine.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_PUT_SINK (gst_ams_put_sink_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstAmsPutSink, gst_ams_put_sink, GST, AMS_PUT_SINK,
    GstElement)

struct _GstAmsPutSinkClass
{
  GstElementClass parent_class;

  /* At READY→PAUSED, on the thread that changes the state. The engine calls the
   * store on its own thread. (transfer full); NULL: @error says why. A subclass
   * has a pad template "sink". */
  AmsStore *(*create_store) (GstAmsPutSink *sink, GError **error);

  /* At PAUSED→READY, what is queued gets so long (µs) to reach the store; at most 0.5 s. */
  gint64 stop_grace;
};

/* Waits until all whole files that were handed over are stored or given up, but for
 * removes that wait for their time. FALSE: @timeout (ns, GST_CLOCK_TIME_NONE: for ever)
 * has passed, or the sink was stopped or flushed. Not from the sink's own callbacks
 * (stored and failed events, messages). */
gboolean gst_ams_put_sink_drain (GstAmsPutSink *sink, GstClockTime timeout);

/* TRUE: the source is not live, so it can wait: with a full queue it does, whatever queue-policy says, and the queue
 * is short. FALSE again at each READY→PAUSED. */
void gst_ams_put_sink_set_patient (GstAmsPutSink *sink, gboolean patient);

G_END_DECLS
