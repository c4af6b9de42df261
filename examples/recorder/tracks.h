/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the media enter the recording: an appsrc for the video and one for the audio, in front of amshlssink. They
 * stay while sources come and go. What a source brings is put on the recording's running time, so its dates are right
 * after an outage of any length; and what a new source brings is announced by a flush, which amshlssink takes for a
 * jump: it ends the segment and writes an EXT-X-DISCONTINUITY. */

#pragma once

#include <gst/gst.h>

typedef struct _Tracks Tracks;

/* @live: media come when they are made, and cannot wait. */
Tracks *tracks_new (GstPipeline *pipeline, GstElement *hls, gboolean live);
void tracks_free (Tracks *self);

/* Main thread: a source is opened; what older ones still send is dropped. @own_times: its running times have
 * nothing to do with the clock's. Returns: its number. */
guint tracks_begin (Tracks *self, gboolean own_times);
/* Main thread: what the source sends from now on is dropped. */
void tracks_cut_off (Tracks *self);
/* Main thread: the recording ends. */
void tracks_finish (Tracks *self);
/* Main thread: the source has all its streams, and brings no others. */
void tracks_drop_missing (Tracks *self);

/* Any thread: the source has a stream of this kind. @from takes the recording's requests for keyframes. */
void tracks_expect (Tracks *self, guint source, gboolean video, GstPad *from);
/* Any thread: nothing comes of that stream after all. */
void tracks_unexpect (Tracks *self, guint source, gboolean video);
/* Any thread: may wait for room if the source is not live. */
void tracks_push (Tracks *self, guint source, gboolean video,
    GstSample *sample);

/* What the track began as (stream_codec()), and has to go on as when a source comes back. Returns: (nullable) */
const gchar *tracks_get_codec (Tracks *self, gboolean video);
/* Monotonic µs at which something last came from the source that is open; 0: nothing yet. */
gint64 tracks_get_last_arrival (Tracks *self);
/* How much has gone into the recording, ns. */
GstClockTime tracks_get_recorded (Tracks *self);
