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

  /* (nullable) At NULL→READY: whether the properties are good. */
  gboolean (*check) (GstAmsPutSink *sink, GError **error);

  /* (nullable) At READY→PAUSED, after the base class has filled @config: adds spool,
   * at_eos, playlist_min_interval, notifies. */
  gboolean (*configure) (GstAmsPutSink *sink, AmsDeliveryConfig *config,
      GError **error);

  /* (nullable) A file stream begins (@data is NULL), or ordinary data do, of which all up
   * to EOS is one file: what @data is to say of it. FALSE: this is not taken, @error says
   * why. NULL: only file streams are. Streaming thread. */
  gboolean (
      *begin_stream) (GstAmsPutSink *sink, AmsFileBegin *data, GError **error);

  /* (nullable) Whether the store can ever have a file of that name. FALSE: @error says why,
   * and becomes the element's. Streaming thread. */
  gboolean (*check_file) (GstAmsPutSink *sink, const AmsFileBegin *begin,
      GError **error);

  /* (nullable) Whether ordinary data are expected, as the properties are: then the sink
   * prerolls, as other sinks of media do. With a file stream it takes no part in that. */
  gboolean (*expects_data) (GstAmsPutSink *sink);

  /* (nullable) What is posted when a file stream has ended and all of it is delivered, as
   * JSON; for the notify_async() of the store. @final: the name of the last final playlist
   * (nullable). (transfer full) (nullable) */
  GBytes *(*describe) (GstAmsPutSink *sink, const AmsEngineStats *stats,
      const gchar *final);

  /* At READY→PAUSED, on the thread that changes the state. The engine calls the
   * store on its own thread. (transfer full); NULL: @error says why. A subclass
   * has a pad template "sink". */
  AmsStore *(*create_store) (GstAmsPutSink *sink, GError **error);

  /* (nullable) What would have kept the files that are lost as drain-timeout has passed at
   * EOS while only the memory has them, as the end of a sentence: "set spool-dir, …".
   * Streaming thread. (transfer none) */
  const gchar *(*get_lost_advice) (GstAmsPutSink *sink);

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
