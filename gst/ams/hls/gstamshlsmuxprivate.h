/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of GstAmsHlsMux share: gstamshlsmux.c brings the session what comes
 * in, gstamshlsmuxrun.c does what it says. */

#pragma once

#include "gstamshlsmux.h"
#include "gstamsinput.h"
#include "gstamsticker.h"
#include "session/amssession.h"

G_BEGIN_DECLS

/* A sink pad's; freed with the pad. */
typedef struct
{
  gboolean video;
  guint id; /* of the session's track; under the lock */
  GstAmsInput *input; /* streaming thread */
  gint64 seen; /* likewise: when anything came; AMS_TIME_NONE */
} GstAmsHlsMuxTrack;

struct _GstAmsHlsMux
{
  GstElement parent;

  /* constant */
  GstAmsHlsMuxBegins begins;
  gpointer user_data;
  GstPad *local, *remote;
  GstAmsPublisher *publisher;

  GstAmsTicker *ticker; /* state changes */

  GMutex out_lock;
  GThread *starting; /* under it; NULL: no start was to be made */
  gpointer runner; /* atomic: the thread that holds it */
  gint flow; /* atomic: GstFlowReturn; the first failure stays */

  GMutex lock;
  GCond cond; /* something may have changed for who waits */
  /* under the lock */
  AmsSessionSettings settings;
  AmsSession *session; /* NULL below PAUSED */
  GPtrArray *pads; /* GstPad, ours */
  guint n_pads; /* for names */
  guint waiting; /* threads */
  gboolean stopping;
  guint64 dropped; /* of the session before */
  gint64 target; /* what the publisher promises */
  gint64 first_time; /* where its time stamps go on; AMS_TIME_NONE: nowhere */
};

/* Does what the session says is to be done. Any thread, no lock held. */
void gst_ams_hls_mux_run (GstAmsHlsMux *self);
/* Waits for a start that is under way, which needs out_lock to come to its end. */
void gst_ams_hls_mux_join_start (GstAmsHlsMux *self);

G_END_DECLS
