/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Requests for keyframes, on their way upstream. h264parse and h265parse keep such
 * an event without a lock, and look at it while they stream: one that comes from
 * another thread may free it under their hands. So a request goes upstream in the
 * thread that brings the track's data, with its next buffer. Where none comes, a
 * tick sends it. */

#include "config.h"

#include <gst/video/video.h>

#include "gstamshlsmuxprivate.h"

/* ns: then the track does not stream. */
#define MAX_WAIT (2 * AMS_SECOND)

static void
send_request (GstAmsHlsMux *self, GstPad *pad, gint64 time)
{
  const GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);
  gboolean at_once = time == AMS_TIME_NONE;
  gboolean handled = gst_pad_push_event (pad,
      gst_video_event_new_upstream_force_key_unit (
          at_once ? GST_CLOCK_TIME_NONE : (GstClockTime) time, TRUE, 0));

  if (at_once)
    return;
  g_mutex_lock (&self->lock);
  if (self->session)
    ams_session_set_keyframes_on_request (self->session, track->id, handled);
  g_mutex_unlock (&self->lock);
}

/* One at once is not replaced by one for later. */
static void
note_request_locked (GstAmsHlsMuxTrack *track, gint64 time)
{
  if (!track->requested)
    track->request_since = gst_ams_hls_mux_now ();
  if (!track->requested || track->request_time != AMS_TIME_NONE)
    track->request_time = time;
  g_atomic_int_set (&track->requested, TRUE);
}

/* (transfer full) (nullable) */
static GstPad *
find_pad_locked (GstAmsHlsMux *self, guint id)
{
  for (guint i = 0; i < self->pads->len; i++) {
    GstPad *pad = g_ptr_array_index (self->pads, i);
    const GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);

    if (track->id == id)
      return gst_object_ref (pad);
  }
  return NULL;
}

void
gst_ams_hls_mux_request_keyframe (GstAmsHlsMux *self, guint id, gint64 time)
{
  g_autoptr (GstPad) pad = NULL;
  gboolean here = FALSE;

  g_mutex_lock (&self->lock);
  pad = find_pad_locked (self, id);
  if (pad) {
    GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);

    gpointer thread = g_atomic_pointer_get (&track->thread);

    here = thread == NULL || thread == g_thread_self ();
    if (!here)
      note_request_locked (track, time);
  }
  g_mutex_unlock (&self->lock);
  if (here)
    send_request (self, pad, time);
}

static void
send_noted_request (GstAmsHlsMux *self, GstPad *pad)
{
  GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);
  gboolean requested;
  gint64 time;

  g_mutex_lock (&self->lock);
  requested = track->requested;
  time = track->request_time;
  g_atomic_int_set (&track->requested, FALSE);
  g_mutex_unlock (&self->lock);
  if (requested)
    send_request (self, pad, time);
}

void
gst_ams_hls_mux_send_request (GstAmsHlsMux *self, GstPad *pad)
{
  GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);

  g_atomic_pointer_set (&track->thread, g_thread_self ());
  if (g_atomic_int_get (&track->requested))
    send_noted_request (self, pad);
}

/* (transfer full) (nullable) Whose track does not stream. */
static GstPad *
find_late_locked (GstAmsHlsMux *self)
{
  gint64 since = gst_ams_hls_mux_now () - MAX_WAIT;

  for (guint i = 0; i < self->pads->len; i++) {
    GstPad *pad = g_ptr_array_index (self->pads, i);
    GstAmsHlsMuxTrack *track = gst_pad_get_element_private (pad);

    if (track->requested && track->request_since <= since)
      return gst_object_ref (pad);
  }
  return NULL;
}

gboolean
gst_ams_hls_mux_has_late_request_locked (GstAmsHlsMux *self)
{
  g_autoptr (GstPad) pad = find_late_locked (self);

  return pad != NULL;
}

void
gst_ams_hls_mux_send_late_requests (GstAmsHlsMux *self)
{
  GstPad *pad;

  do {
    g_mutex_lock (&self->lock);
    pad = find_late_locked (self);
    g_mutex_unlock (&self->lock);
    if (pad) {
      send_noted_request (self, pad);
      gst_object_unref (pad);
    }
  } while (pad);
}
