/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Parsed access units in on its sink pads, file streams out of `local` and `remote`.
 * All that is decided is decided by the session (session/amssession.h); this
 * brings it what comes in, and does what it says. Private to amshlssink: no
 * factory. */

#pragma once

#include <gst/gst.h>

#include "gstamspublisher.h"
#include "session/amssessiontypes.h"

G_BEGIN_DECLS

#define GST_TYPE_AMS_HLS_MUX (gst_ams_hls_mux_get_type ())
G_DECLARE_FINAL_TYPE (GstAmsHlsMux, gst_ams_hls_mux, GST, AMS_HLS_MUX,
    GstElement)

/* Called before the recording begins, when media have come. No lock is held. */
typedef void (*GstAmsHlsMuxBegins) (gpointer user_data);

GstAmsHlsMux *gst_ams_hls_mux_new (GstAmsHlsMuxBegins begins,
    gpointer user_data);
GstAmsPublisher *gst_ams_hls_mux_get_publisher (GstAmsHlsMux *self);

/* In effect from the next READY→PAUSED. */
void gst_ams_hls_mux_configure (GstAmsHlsMux *self,
    const AmsSessionSettings *settings);

/* A track more, also while recording. Returns: (transfer none) its sink pad. */
GstPad *gst_ams_hls_mux_add_pad (GstAmsHlsMux *self, gboolean video);
/* Something has come of the track, though no parser has made anything of it yet, at
 * running time @time. In its streaming thread. */
void gst_ams_hls_mux_note_seen (GstAmsHlsMux *self, GstPad *pad, gint64 time);
/* The track ends; what it brought stays. */
void gst_ams_hls_mux_remove_pad (GstAmsHlsMux *self, GstPad *pad);

/* Any thread. The next keyframe begins a segment; one is asked for at once. */
void gst_ams_hls_mux_split_now (GstAmsHlsMux *self);
/* The recording ends with what has come in so far. May block as pushing does; the
 * caller bounds it. */
void gst_ams_hls_mux_finish (GstAmsHlsMux *self);
/* Any thread. Video frames dropped in front of the first keyframe. */
guint64 gst_ams_hls_mux_get_dropped (GstAmsHlsMux *self);

G_END_DECLS
