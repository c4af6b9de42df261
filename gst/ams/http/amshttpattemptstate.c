/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpattemptstate.h"

#include "http/amshttpbodystream.h"
#include "http/amshttpsocket.h"

void
ams_http_attempt_disarm (GSource **timer)
{
  if (*timer)
    g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

void
ams_http_attempt_arm (AmsHttpAttempt *self, GSource **timer, guint ms,
    GSourceFunc callback)
{
  ams_http_attempt_disarm (timer);
  *timer = g_timeout_source_new (ms);
  g_source_set_callback (*timer, callback, self, NULL);
  g_source_attach (*timer, g_main_context_get_thread_default ());
}

void
ams_http_attempt_disarm_all (AmsHttpAttempt *self)
{
  ams_http_attempt_disarm (&self->connect_timer);
  ams_http_attempt_disarm (&self->expect_timer);
  ams_http_attempt_disarm (&self->tick);
}

void
ams_http_attempt_end_turn (AmsHttpAttempt *self)
{
  ams_http_turns_end (&self->shared->turns, self);
}

void
ams_http_attempt_set_connecting (AmsHttpAttempt *self, gboolean connecting)
{
  if (self->connecting == connecting)
    return;
  self->connecting = connecting;
  self->shared->connecting += connecting ? 1 : -1;
}

void
ams_http_attempt_shut_down (AmsHttpAttempt *self)
{
  ams_http_sockets_shut_down (self->shared->sockets,
      soup_message_get_connection_id (self->order.message));
}

gboolean
ams_http_attempt_has_body (AmsHttpAttempt *self)
{
  return self->declared > 0 || self->order.chunked;
}

void
ams_http_attempt_set_body (AmsHttpAttempt *self)
{
  g_clear_object (&self->body_stream);
  self->sent = 0;
  if (!ams_http_attempt_has_body (self))
    return;
  self->body_stream = ams_http_body_stream_new (self->order.body,
      self->order.bytes, &self->shared->limiter);
  soup_message_set_request_body (self->order.message, NULL, self->body_stream,
      self->order.chunked ? -1 : (gssize) self->declared);
}

GError *
ams_http_attempt_dup_body_error (AmsHttpAttempt *self)
{
  const GError *error;

  if (!self->body_stream)
    return NULL;
  error =
      ams_http_body_stream_get_error (AMS_HTTP_BODY_STREAM (self->body_stream));
  return error ? g_error_copy (error) : NULL;
}
