/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The gate in front of the muxer: brings the tracks onto one time line, starts
 * them together at a keyframe, decides where segments begin and says so
 * downstream (gstamscut.h), and keeps a silent track from holding up the others.
 * Private to amshlssink: no factory. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_AMS_GATE (gst_ams_gate_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsGate, gst_ams_gate, GST, AMS_GATE, GstElement)

typedef enum
{
  GST_AMS_DATE_PIPELINE,
  GST_AMS_DATE_SYSTEM,
  GST_AMS_DATE_BUFFER_REFERENCE,
} GstAmsDateReference;

typedef struct
{
  GstClockTime target_duration;
  GstClockTime stall_timeout;
  GstClockTime discontinuity_threshold;
  gboolean align_to_clock;
  gboolean send_keyframe_requests;
  GstAmsDateReference date_reference;
} GstAmsGateSettings;

typedef struct
{
  /* Link @srcpad on to the muxer: data will follow at once. In a streaming thread, not always the track's, no lock
   * held; one track at a time, and none that is removed meanwhile. FALSE: it could not, and an error was posted. */
  gboolean (*attach) (GstAmsGate *gate, GstPad *srcpad, gboolean video,
      gpointer user_data);
  /* All tracks are EOS and none had anything to record. */
  void (*nothing) (GstAmsGate *gate, gpointer user_data);
} GstAmsGateCallbacks;

GstAmsGate *gst_ams_gate_new (const GstAmsGateCallbacks *callbacks,
    gpointer user_data);

/* In effect from the next READY→PAUSED. */
void gst_ams_gate_configure (GstAmsGate *self,
    const GstAmsGateSettings *settings);

/* Adds a track with a sink pad and a src pad; also while running. (transfer none) */
void gst_ams_gate_add_track (GstAmsGate *self, gboolean video, GstPad **sinkpad,
    GstPad **srcpad);
void gst_ams_gate_remove_track (GstAmsGate *self, GstPad *sinkpad);

/* The promise is known: @target, or a shorter one of an earlier playlist. Any thread. */
void gst_ams_gate_set_target_duration (GstAmsGate *self, GstClockTime target);

/* The next keyframe begins a segment; asks the encoder for one at once. Any thread. */
void gst_ams_gate_split_now (GstAmsGate *self);

/* The recording ends with what has come in so far: sends EOS down the tracks. May
 * block as pushing does; the caller bounds it. */
void gst_ams_gate_finish (GstAmsGate *self);

/* Video frames dropped in front of the first keyframe. */
guint64 gst_ams_gate_get_dropped (GstAmsGate *self);

G_END_DECLS
