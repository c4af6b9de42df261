/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of the put sink share: its pad, where buffers and events become files that
 * are handed to the engine (gstamsputinput.c), its answers to claims (gstamsputclaim.c), and its
 * states, messages and properties (gstamsputsink.c). */

#pragma once

#include "transfer/gstamsputsettings.h"
#include "transfer/gstamsputsink.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_PUT_BETWEEN_FILES,
  GST_AMS_PUT_IN_FILE,
  GST_AMS_PUT_IN_DATA, /* ordinary data: all up to EOS is one file */
  GST_AMS_PUT_SKIPPING, /* what is left of a file that a flush has cut off */
} GstAmsPutPosition;

typedef struct
{
  GstPad *sinkpad;

  /* Streaming thread, and the one that changes the state while that one is out. */
  GArray *positions; /* GstAmsPutPosition, by lane */
  guint lane; /* what comes now is its */
  guint64 data_size; /* of ordinary data so far */
  guint64 notified; /* files that were handed over when somebody was notified */
  gchar *final; /* the last playlist that was said to be final */
  gint64
      drain_until; /* monotonic, µs: since a drain was asked for, media have not come; 0: none was */
  gboolean kept_up; /* all was stored or given up when that drain ended */

  /* Under the object lock. */
  GstAmsPutSettings settings;
  AmsEngine *engine; /* from READY→PAUSED to PAUSED→READY */
  gboolean closed; /* there was one, before this READY */
  gboolean
      has_data; /* ordinary data come: one file, and nobody upstream who heeds its loss */
  gboolean said; /* a file has begun: upstream hears of failures */
  gint renames; /* atomic: upstream gives other names to segments */
  GPtrArray *unsaid; /* (element-type GstEvent) what became of files before */
  gboolean prerolling; /* READY→PAUSED ends with the first data, or EOS */
  gboolean playing;
  gboolean eos; /* all is delivered: EOS may be posted when playing */
  guint32 eos_seqnum;
  gboolean in_error; /* an ERROR was posted: FLOW_ERROR from now on */
  /* Another recorder has the recording: what comes until READY is ignored, questions
   * as well, without a flow error, which would end the stream for the others behind a tee. */
  gboolean refused;
  gboolean warned_unclaimed; /* that others cannot be kept away was said */
} GstAmsPutSinkPrivate;

GstAmsPutSinkPrivate *gst_ams_put_sink_get_private (GstAmsPutSink *self);

/* gstamsputsink.c */

/* (transfer full) (nullable): not between PAUSED and READY */
AmsEngine *gst_ams_put_sink_ref_engine (GstAmsPutSink *self);
/* An ERROR was posted. */
gboolean gst_ams_put_sink_is_in_error (GstAmsPutSink *self);
void gst_ams_put_sink_post_error (GstAmsPutSink *self, const GError *error,
    const gchar *name);
void gst_ams_put_sink_post_lost (GstAmsPutSink *self, guint files,
    guint64 bytes);
/* Upstream hears of what was given up before it could hear. Streaming thread. */
void gst_ams_put_sink_say_unsaid (GstAmsPutSink *self);
/* The first data, or EOS, have come. */
void gst_ams_put_sink_preroll (GstAmsPutSink *self);
/* All is delivered, or given up. */
void gst_ams_put_sink_reach_eos (GstAmsPutSink *self, guint32 seqnum);
void gst_ams_put_sink_clear_eos (GstAmsPutSink *self);

/* gstamsputcallbacks.c */

extern const AmsDeliveryCallbacks gst_ams_put_sink_callbacks;
/* (transfer full) (element-type GstEvent) */
GPtrArray *gst_ams_put_sink_new_events (void);

/* gstamsputclaim.c */

/* Adds the store's answer to @query, and posts what people have to know. */
void gst_ams_put_sink_answer_claim (GstAmsPutSink *self, AmsEngine *engine,
    GstQuery *query, const AmsClaim *claim);
gboolean gst_ams_put_sink_is_refused (GstAmsPutSink *self);

/* gstamsputinput.c; all but drain_time() in the streaming thread */

/* What comes from here on is of lane @lane. Also while no data flow. */
void gst_ams_put_sink_select (GstAmsPutSink *self, AmsEngine *engine,
    guint lane);
GstFlowReturn gst_ams_put_sink_chain (GstPad *pad, GstObject *parent,
    GstBuffer *buffer);
GstFlowReturn gst_ams_put_sink_chain_list (GstPad *pad, GstObject *parent,
    GstBufferList *list);
gboolean gst_ams_put_sink_sink_event (GstPad *pad, GstObject *parent,
    GstEvent *event);
/* What upstream asks before the end: it has to know what was given up. */
void gst_ams_put_sink_handle_drain (GstAmsPutSink *self, gint64 since);
/* For ams_engine_drain(). */
gint64 gst_ams_put_sink_drain_time (GstClockTime timeout);

G_END_DECLS
