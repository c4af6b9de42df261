/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpattemptend.h"

#include "transfer/amsstore.h"

void
ams_http_attempt_finish (AmsHttpAttempt *self, AmsHttpReply *reply,
    GError *error)
{
  AmsHttpAttemptDone done = self->done;
  gpointer done_data = self->done_data;

  ams_http_attempt_disarm_all (self);
  g_signal_handlers_disconnect_by_data (self->order.message, self);
  ams_http_attempt_set_connecting (self, FALSE);
  ams_http_attempt_end_turn (self);
  done (reply, error, done_data);
}

void
ams_http_attempt_stop (AmsHttpAttempt *self, AmsHttpStop reason)
{
  if (self->stop != AMS_HTTP_STOP_NONE)
    return;
  self->stop = reason;
  ams_http_attempt_disarm_all (self);
  ams_http_attempt_shut_down (self);
  g_cancellable_cancel (self->cancellable);
  if (self->answer)
    ams_http_answer_hurry (self->answer);
}

/* A server that has closed the connection because of what it was sent cannot be
 * understood: libsoup reads nothing before the body is written. */
static gboolean
was_cut_off (AmsHttpAttempt *self)
{
  if (!ams_http_attempt_has_body (self) || self->order.asks)
    return FALSE;
  return self->phase == AMS_HTTP_PHASE_SENDING ||
      (self->phase == AMS_HTTP_PHASE_WAITING &&
          self->stop == AMS_HTTP_STOP_NONE);
}

static GError *
overdue (AmsHttpAttempt *self)
{
  guint64 moved = self->total_sent + self->total_received;

  return ams_http_error_new_overdue (self->order.authority,
      MAX (self->declared, moved),
      ams_http_watch_deadline (&self->watch, moved) / G_USEC_PER_SEC);
}

static GError *
make_error (AmsHttpAttempt *self, const GError *error)
{
  const AmsHttpOptions *options = self->shared->options;
  g_autofree gchar *proxy = ams_http_proxy_dup_authority_for (
      self->shared->proxy, soup_message_get_uri (self->order.message));

  switch (self->stop) {
    case AMS_HTTP_STOP_CANCELLED:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
          "The exchange was cancelled");
    case AMS_HTTP_STOP_CONNECT_TIMEOUT:
      return ams_http_error_new_timeout (self->order.authority, proxy,
          AMS_HTTP_PHASE_CONNECTING, options->connect_timeout);
    case AMS_HTTP_STOP_TIMEOUT:
      return ams_http_error_new_timeout (self->order.authority, NULL,
          self->phase, options->timeout);
    case AMS_HTTP_STOP_STALL:
      return ams_http_error_new_stall (self->order.authority, self->phase,
          options->stall_timeout);
    case AMS_HTTP_STOP_OVERDUE:
      return overdue (self);
    case AMS_HTTP_STOP_LOCAL:
      return ams_http_error_new_local (self->order.redirected_by,
          self->order.authority, self->reach);
    case AMS_HTTP_STOP_RESTARTS:
      return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "“%s” closes each connection before it answers",
          self->order.authority);
    default:
      return ams_http_error_new (self->order.authority, proxy, self->phase,
          options->ssl_strict ? self->certificate_faults : 0, error);
  }
}

void
ams_http_attempt_fail (AmsHttpAttempt *self, const GError *error)
{
  GError *made;

  if (self->stop == AMS_HTTP_STOP_NO_CONTINUE) {
    ams_http_attempt_finish (self, NULL, NULL);
    return;
  }
  if (self->stop == AMS_HTTP_STOP_ANSWERED) {
    ams_http_attempt_finish (self, g_steal_pointer (&self->reply), NULL);
    return;
  }
  made = self->stop == AMS_HTTP_STOP_CANCELLED
      ? NULL
      : ams_http_attempt_dup_body_error (self);
  if (!made) {
    made = make_error (self, error);
    if (self->stop != AMS_HTTP_STOP_CANCELLED && was_cut_off (self))
      ams_http_error_set_wants_expect (made);
    if (self->stop != AMS_HTTP_STOP_CANCELLED && self->sent_whole)
      ams_http_error_set_sent_whole (made);
  }
  ams_http_attempt_finish (self, NULL, made);
}

void
ams_http_attempt_succeed (AmsHttpAttempt *self, AmsHttpReply *reply)
{
  guint status = reply->status;

  if (!SOUP_STATUS_IS_SUCCESSFUL (status) || self->sent == self->declared) {
    ams_http_attempt_finish (self, reply, NULL);
    return;
  }
  ams_http_reply_free (reply);
  ams_http_attempt_finish (self, NULL,
      ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "“%s” answered HTTP %u after %" G_GUINT64_FORMAT
          " of %" G_GUINT64_FORMAT " bytes, so what it has is not the file",
          self->order.authority, status, self->sent, self->declared));
}
