/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of GstAmsHlsMux share: gstamshlsmux.c takes what comes in,
 * gstamshlsmuxunits.c brings the session units, several at once, and
 * gstamshlsmuxrun.c does what it says. */

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
  /* streaming thread */
  GstAmsInput *input;
  gint64 seen; /* when anything came; AMS_TIME_NONE */
  gint64 clocks_read; /* monotonic, ns; 0: not yet */
  gint64 real_time, clock_time; /* then */
  /* atomic: the thread in which a buffer came last, no ref; NULL: none has come */
  gpointer thread;
  /* under the lock; `requested` is looked at without it */
  gint requested; /* a keyframe, and upstream was not told yet */
  gint64 request_time; /* running time, ns; AMS_TIME_NONE: at once */
  gint64 request_since; /* monotonic, ns */
} GstAmsHlsMuxTrack;

/* Units go into the session at once from so many on. */
#define GST_AMS_HLS_MUX_MAX_UNITS 16

typedef struct
{
  guint track; /* the session's */
  AmsSessionInput input;
} GstAmsHlsMuxUnit;

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
  GstAmsHlsMuxUnit units[GST_AMS_HLS_MUX_MAX_UNITS]; /* it has not got yet */
  guint n_units;
  GPtrArray *pads; /* GstPad, ours */
  guint n_pads; /* for names */
  guint waiting; /* threads */
  gboolean stopping;
  guint64 dropped; /* of the session before */
  gint64 target; /* what the publisher promises */
  gint64 first_time; /* where its time stamps go on; AMS_TIME_NONE: nowhere */
};

/* A monotonic clock, in ns. */
static inline gint64
gst_ams_hls_mux_now (void)
{
  return g_get_monotonic_time () * 1000;
}

/* Fills in what clocks say of @unit, which has its arrival and its flags. Streaming
 * thread. */
void gst_ams_hls_mux_read_clocks (GstAmsHlsMux *self, GstAmsHlsMuxTrack *track,
    AmsSessionInput *unit);
/* Takes @unit's payload, lock held, session there. TRUE: it went into the session,
 * with those that had waited, and there is something to do. */
gboolean gst_ams_hls_mux_add_unit_locked (GstAmsHlsMux *self,
    const GstAmsHlsMuxTrack *track, const AmsSessionInput *unit);
/* The session gets all units that have come. Lock held. */
void gst_ams_hls_mux_feed_locked (GstAmsHlsMux *self);
/* Takes the lock, to say something to the session that comes after these. */
void gst_ams_hls_mux_lock_fed (GstAmsHlsMux *self);
/* Lock held. */
void gst_ams_hls_mux_drop_units_locked (GstAmsHlsMux *self);

/* Asks upstream for a keyframe of the track @id at running time @time (ns;
 * AMS_TIME_NONE: at once), now or with its next buffer. No lock held but out_lock. */
void gst_ams_hls_mux_request_keyframe (GstAmsHlsMux *self, guint id,
    gint64 time);
/* What is to be asked for goes upstream, in the thread that brings @pad's data. */
void gst_ams_hls_mux_send_request (GstAmsHlsMux *self, GstPad *pad);
/* There are requests for tracks that do not stream. */
gboolean gst_ams_hls_mux_has_late_request_locked (GstAmsHlsMux *self);
void gst_ams_hls_mux_send_late_requests (GstAmsHlsMux *self);

/* Does what the session says is to be done. Any thread, no lock held. */
void gst_ams_hls_mux_run (GstAmsHlsMux *self);
/* Waits for a start that is under way, which needs out_lock to come to its end. */
void gst_ams_hls_mux_join_start (GstAmsHlsMux *self);

G_END_DECLS
