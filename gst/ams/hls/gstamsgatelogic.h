/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the gate decides with: its tracks, what they hold, when they start, where segments
 * begin, who is silent. Never pushes, never locks: the gate calls it under its lock, and
 * pushes what comes out. Private to gstamsgate.c. */

#pragma once

#include <gst/gst.h>
#include "amsadts.h"
#include "amscutter.h"
#include "amstimeline.h"
#include "gstamsgate.h"

G_BEGIN_DECLS

/* Frames without an IDR after which any picture that the parser calls a
 * keyframe has to do (intra refresh), and after which it is said that none comes. */
#define GST_AMS_GATE_IDR_PATIENCE (10 * GST_SECOND)

typedef struct
{
  GstBuffer *buffer;
  gint64 pts, dts, end; /* on the time line */
  gint64 running_time; /* of the PTS, as it came in */
  gint64 date_time; /* µs, from the buffer's reference time; 0: none */
  gboolean key;
  gboolean jump;
} GstAmsGateItem;

typedef struct
{
  GstPad *sinkpad, *srcpad;
  gboolean video;
  guint index; /* in the time line */

  /* streaming thread */
  GstSegment segment;
  gboolean h26x, h265;
  GstClockTime frame_duration;
  gboolean needs_adts; /* raw AAC frames: they get the header below */
  guint8 adts[AMS_ADTS_HEADER_SIZE];

  /* under the lock */
  GstCaps *caps;
  GQueue held; /* GstAmsGateItem */
  gboolean flowing;
  gboolean attached;
  gboolean removed; /* its pads are going: it is not to be attached any more */
  gboolean joins_at_cut; /* holding until the video's next cut */
  gboolean
      awaits_video; /* holding behind a hole, which the video may have as well */
  gboolean eos;
  gboolean ended; /* and that has been handed on: no data follow */
  gboolean silent; /* GAPs are sent in its place */
  gboolean pushing; /* its thread is in a push */
  gint64 arrival; /* of the last buffer, monotonic */
  gint64 begin_at; /* what begins before is dropped */
  gint64
      joins_before; /* AMS_TIME_NONE: not; else the time of the keyframe of the cut at which it joins */
  gint64 position; /* the furthest end */
  gint64 last_pts;
  gint64 shift; /* of frames between a jump and the next keyframe */
  gint64 without_key; /* since when no keyframe has come */
  gboolean any_keyframe; /* the parser's word is enough */
  gboolean complained;
} GstAmsGateTrack;

typedef struct
{
  GstAmsGateSettings settings;
  gint64 hold_since; /* monotonic: since when a start is waited for */
  GPtrArray *tracks; /* GstAmsGateTrack */
  AmsTimeline *timeline;
  AmsCutter *cutter;
  gboolean started;
  gboolean starting; /* a thread is attaching the tracks */
  gboolean finished;
  gboolean segment_open;
  gboolean discontinuity; /* before the next segment */
  gboolean split; /* split-now was asked for */
  gboolean audio_leads;
  gboolean promised; /* the target duration is what it will be */
  gint64 end; /* of the leading track so far */
  gint64 date_base; /* ns since 1970 of time 0 on the time line */
  gboolean have_date_base;
  guint keyframe_requests;
  gboolean asked; /* the encoder, at least once */
  guint64 dropped;

  /* The pipeline's running time now, AMS_TIME_NONE without a clock. */
  gint64 (*now) (gpointer data);
  gpointer now_data;
} GstAmsGateLogic;

void gst_ams_gate_track_reset (GstAmsGateTrack *track);
void gst_ams_gate_track_free (GstAmsGateTrack *track);
GstAmsGateTrack *gst_ams_gate_logic_get_track (GstAmsGateLogic *self, guint i);
GstAmsGateTrack *gst_ams_gate_logic_other_track (GstAmsGateLogic *self,
    GstAmsGateTrack *track);
GstAmsGateTrack *gst_ams_gate_logic_lead (GstAmsGateLogic *self);
GstEvent *gst_ams_gate_logic_new_end (GstAmsGateLogic *self);
void gst_ams_gate_logic_process (GstAmsGateLogic *self, GstAmsGateTrack *track,
    GstAmsGateItem *item, GQueue *out);
gboolean gst_ams_gate_logic_is_ready (GstAmsGateTrack *track);
/* Of a track that is ready: what is held has to wait for the video. What the muxer is to be told
 * is put into @out. */
gboolean gst_ams_gate_logic_awaits_video (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GQueue *out);
gint64 gst_ams_gate_logic_held_span (GstAmsGateTrack *track);
gint64 gst_ams_gate_logic_monotonic_time (void);
gboolean gst_ams_gate_logic_may_start (GstAmsGateLogic *self);
gint64 gst_ams_gate_logic_start_time (GstAmsGateLogic *self);
void gst_ams_gate_logic_begin_now (GstAmsGateLogic *self,
    GstAmsGateTrack *track);
void gst_ams_gate_logic_join (GstAmsGateLogic *self, GstAmsGateTrack *track);
gint64 gst_ams_gate_logic_to_running_time (GstAmsGateTrack *track,
    GstClockTime time);
GstAmsGateItem *gst_ams_gate_logic_new_item (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GstBuffer *buffer);
gboolean gst_ams_gate_logic_drop_before_key (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GstAmsGateItem *item, gboolean *complain);
GstEvent *gst_ams_gate_logic_gap_for_other (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GstAmsGateTrack **other);
GstEvent *gst_ams_gate_logic_keyframe_request (GstAmsGateLogic *self,
    GstAmsGateTrack *track, gint64 offset);
gboolean gst_ams_gate_logic_all_eos (GstAmsGateLogic *self,
    gboolean *any_attached);
/* Returns: (transfer full): what the muxer is to be told. */
GstEvent *gst_ams_gate_logic_take_caps (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GstEvent *event);
/* Of a track that joins at a cut which is about to be pushed: an empty buffer, in front of the cut's first frame,
 * that has the muxer put it into the tables there. (nullable): @track does not join, or cannot that way. */
GstBuffer *gst_ams_gate_logic_take_primer (GstAmsGateTrack *track);
/* Upstream says that there is nothing up to a time. Returns: (nullable): what the muxer is to be told. */
GstEvent *gst_ams_gate_logic_take_gap (GstAmsGateLogic *self,
    GstAmsGateTrack *track, GstEvent *event);

G_END_DECLS
