/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamshlsmuxprivate.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_mux_debug);
#define GST_CAT_DEFAULT gst_ams_hls_mux_debug

static void
set_flow (GstAmsHlsMux *self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_OK)
    g_atomic_int_compare_and_exchange (&self->flow, GST_FLOW_OK, flow);
}

static void
warn_no_keyframe (GstAmsHlsMux *self, const AmsAction *action)
{
  GST_ELEMENT_WARNING (self, STREAM, DECODE,
      ("No keyframe (IDR) has come for %u seconds of video: nothing can be "
       "recorded before one. Make the encoder send them, at least one "
       "per target-duration.",
          (guint) (action->time / AMS_SECOND)),
      (NULL));
}

static void
warn_damaged (GstAmsHlsMux *self, const AmsAction *action)
{
  GST_ELEMENT_WARNING (self, STREAM, DECODE,
      ("A frame that came in is left out of the recording: %s. Further ones are "
       "not said.",
          action->text),
      (NULL));
}

static GstFlowReturn
post_refused (GstAmsHlsMux *self, const AmsAction *action)
{
  GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s.", action->text), (NULL));
  return GST_FLOW_NOT_NEGOTIATED;
}

typedef struct
{
  GstAmsHlsMux *mux;
  AmsCut cut;
} Start;

/* Asks the stores for an earlier recording. */
static gpointer
start_thread (gpointer data)
{
  g_autofree Start *start = data;
  GstAmsHlsMux *self = start->mux;
  GstFlowReturn flow;

  self->begins (self->user_data);
  flow = gst_ams_publisher_start (self->publisher, &start->cut);
  set_flow (self, flow);
  g_mutex_lock (&self->lock);
  if (flow == GST_FLOW_OK) {
    ams_session_set_carries (self->session,
        gst_ams_publisher_carries (self->publisher));
    ams_session_started (self->session, self->target, self->first_time);
  } else {
    ams_session_fail (self->session);
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_ams_hls_mux_run (self);
  return NULL;
}

/* Not any more when all is about to be freed. Under out_lock. */
static void
begin_start (GstAmsHlsMux *self, const AmsCut *cut)
{
  Start *start;
  gboolean stopping;

  g_mutex_lock (&self->lock);
  stopping = self->stopping;
  g_mutex_unlock (&self->lock);
  if (stopping)
    return;
  start = g_new (Start, 1);
  start->mux = self;
  start->cut = *cut;
  self->starting = g_thread_new ("amshls-start", start_thread, start);
}

static GstFlowReturn
end_file (GstAmsHlsMux *self, const AmsAction *action)
{
  if (!gst_ams_publisher_file_is_open (self->publisher))
    return GST_FLOW_OK;
  return gst_ams_publisher_end_file (self->publisher, action->size,
      action->carried, action->time);
}

static GstFlowReturn
write_block (GstAmsHlsMux *self, GBytes *block)
{
  if (g_atomic_int_get (&self->flow) != GST_FLOW_OK)
    return GST_FLOW_OK;
  return gst_ams_publisher_write (self->publisher,
      gst_buffer_new_wrapped_bytes (block));
}

static GstFlowReturn
perform (GstAmsHlsMux *self, const AmsAction *action)
{
  switch (action->kind) {
    case AMS_ACTION_START:
      begin_start (self, &action->cut);
      break;
    case AMS_ACTION_BEGIN_FILE:
      return gst_ams_publisher_begin_file (self->publisher, &action->cut);
    case AMS_ACTION_WRITE:
      return write_block (self, action->block);
    case AMS_ACTION_END_FILE:
      return end_file (self, action);
    case AMS_ACTION_GAP:
      /* A single lane has none. */
      break;
    case AMS_ACTION_NOT_INDEPENDENT:
      gst_ams_publisher_set_dependent (self->publisher);
      break;
    case AMS_ACTION_REQUEST_KEYFRAME:
      gst_ams_hls_mux_request_keyframe (self, action->track, action->time);
      break;
    case AMS_ACTION_NO_KEYFRAME:
      warn_no_keyframe (self, action);
      break;
    case AMS_ACTION_DAMAGED:
      warn_damaged (self, action);
      break;
    case AMS_ACTION_REFUSED:
      return post_refused (self, action);
    case AMS_ACTION_END:
      gst_ams_publisher_end (self->publisher, gst_event_new_eos ());
      break;
  }
  return GST_FLOW_OK;
}

static gboolean
next_action (GstAmsHlsMux *self, AmsAction *action)
{
  gboolean any;

  g_mutex_lock (&self->lock);
  any = self->session && ams_session_next (self->session, action);
  g_mutex_unlock (&self->lock);
  return any;
}

static void
run_locked (GstAmsHlsMux *self)
{
  AmsAction action;

  g_atomic_pointer_set (&self->runner, g_thread_self ());
  while (next_action (self, &action)) {
    set_flow (self, perform (self, &action));
    ams_action_clear (&action);
  }
  g_atomic_pointer_set (&self->runner, NULL);
}

void
gst_ams_hls_mux_run (GstAmsHlsMux *self)
{
  if (g_atomic_pointer_get (&self->runner) == g_thread_self ())
    return;
  g_mutex_lock (&self->out_lock);
  run_locked (self);
  g_mutex_unlock (&self->out_lock);
}

void
gst_ams_hls_mux_join_start (GstAmsHlsMux *self)
{
  GThread *starting;

  g_mutex_lock (&self->out_lock);
  starting = g_steal_pointer (&self->starting);
  g_mutex_unlock (&self->out_lock);
  if (starting)
    g_thread_join (starting);
}
