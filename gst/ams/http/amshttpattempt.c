/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpattempt.h"

#include "http/amshttpattemptend.h"
#include "http/amshttpattemptpace.h"
#include "http/amshttpattemptsignals.h"
#include "http/amshttpattemptstate.h"
#include "http/amshttpsocket.h"
#include "transfer/amsstore.h"

/* The answer */

static GError *
too_large (AmsHttpAttempt *self)
{
  return ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "“%s” answered with more than %" G_GSIZE_FORMAT
      " bytes, which is not what was asked for",
      self->order.authority, self->order.max_reply);
}

/* libsoup takes the end of the connection between two chunks for the end of the
 * answer. Where the server said that it closes, the two look the same. */
static gboolean
is_chunk_missing (AmsHttpAttempt *self)
{
  SoupMessage *message = self->order.message;

  return ams_http_answer_is_wanted (self->answer) &&
      soup_message_headers_get_encoding (soup_message_get_response_headers (
          message)) == SOUP_ENCODING_CHUNKED &&
      soup_message_is_keepalive (message) &&
      ams_http_sockets_is_ended (self->shared->sockets,
          soup_message_get_connection_id (message));
}

static void
on_answer_read (AmsHttpAnswerEnd end, const GError *error, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  g_autoptr (GError) cut = NULL;

  if (end == AMS_HTTP_ANSWER_WHOLE && is_chunk_missing (self)) {
    end = AMS_HTTP_ANSWER_FAILED;
    error = cut = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
        "The last chunk is missing");
  }
  if (end != AMS_HTTP_ANSWER_WHOLE)
    ams_http_attempt_shut_down (self);
  ams_http_answer_close (self->answer);
  if (end == AMS_HTTP_ANSWER_TOO_LARGE) {
    ams_http_attempt_finish (self, NULL, too_large (self));
    return;
  }
  /* If the body does not matter, the status is all that was asked for. */
  if (end == AMS_HTTP_ANSWER_FAILED &&
      (ams_http_answer_is_wanted (self->answer) ||
          self->stop == AMS_HTTP_STOP_CANCELLED)) {
    ams_http_attempt_fail (self, error);
    return;
  }
  ams_http_attempt_succeed (self, ams_http_answer_steal_reply (self->answer));
}

static void
read_answer (AmsHttpAttempt *self, GInputStream *stream)
{
  gboolean is_head =
      soup_message_get_method (self->order.message) == SOUP_METHOD_HEAD;

  self->answer = ams_http_answer_new (g_steal_pointer (&self->reply), stream,
      is_head, &self->shared->limiter);
  ams_http_answer_want (self->answer, self->order.max_reply, self->order.sink,
      self->order.user_data);
  ams_http_answer_read (self->answer, self->cancellable, on_answer_read, self);
}

/* What a proxy says to CONNECT, libsoup reports as if the server had said it. */
static GError *
proxy_error (AmsHttpAttempt *self)
{
  SoupMessage *message = self->order.message;
  GSocketAddress *address = soup_message_get_remote_address (message);
  g_autofree gchar *proxy = ams_http_proxy_dup_authority (address);
  const gchar *user, *password;

  return ams_http_error_new_proxy (proxy, self->order.authority,
      soup_message_get_status (message),
      ams_http_proxy_get_credentials (self->shared->proxy, address, &user,
          &password));
}

static gboolean
is_refused_by_proxy (AmsHttpAttempt *self)
{
  return !self->reply ||
      (self->reply->status == SOUP_STATUS_PROXY_UNAUTHORIZED &&
          G_IS_PROXY_ADDRESS (
              soup_message_get_remote_address (self->order.message)));
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (!stream)
    ams_http_attempt_fail (self, error);
  else if (is_refused_by_proxy (self))
    ams_http_attempt_finish (self, NULL, proxy_error (self));
  else
    read_answer (self, g_steal_pointer (&stream));
}

/* It is its turn. */
static void
launch (gpointer attempt)
{
  AmsHttpAttempt *self = attempt;

  self->launched = TRUE;
  if (self->shared->connecting > 0)
    soup_message_add_flags (self->order.message, SOUP_MESSAGE_NEW_CONNECTION);
  ams_http_attempt_listen (self);
  ams_http_attempt_limit_connecting (self);
  soup_session_send_async (self->shared->session, self->order.message,
      G_PRIORITY_DEFAULT, self->cancellable, on_sent, self);
}

/* For the exchange */

static guint64
size_of_body (const AmsHttpOrder *order)
{
  if (order->body)
    return ams_body_get_size (order->body);
  return order->bytes ? g_bytes_get_size (order->bytes) : 0;
}

AmsHttpAttempt *
ams_http_attempt_new (AmsHttpShared *shared, const AmsHttpOrder *order,
    AmsHttpAttemptDone done, gpointer user_data)
{
  AmsHttpAttempt *self = g_new0 (AmsHttpAttempt, 1);

  self->shared = shared;
  self->order = *order;
  g_object_ref (self->order.message);
  self->done = done;
  self->done_data = user_data;
  self->cancellable = g_cancellable_new ();
  self->declared = size_of_body (order);
  /* A chunked body of no bytes would only confuse. */
  self->order.chunked = order->chunked && self->declared > 0;
  ams_http_attempt_set_body (self);
  return self;
}

void
ams_http_attempt_start (AmsHttpAttempt *self)
{
  ams_http_turns_wait (&self->shared->turns, self);
}

void
ams_http_attempt_cancel (AmsHttpAttempt *self)
{
  if (self->launched) {
    ams_http_attempt_stop (self, AMS_HTTP_STOP_CANCELLED);
    return;
  }
  ams_http_turns_leave (&self->shared->turns, self);
  self->stop = AMS_HTTP_STOP_CANCELLED;
  ams_http_attempt_fail (self, NULL);
}

AmsHttpReach
ams_http_attempt_get_reach (AmsHttpAttempt *self)
{
  return self->reach;
}

void
ams_http_attempt_free (AmsHttpAttempt *self)
{
  ams_http_attempt_disarm_all (self);
  g_signal_handlers_disconnect_by_data (self->order.message, self);
  g_clear_object (&self->order.message);
  g_free (self->order.authority);
  g_free (self->order.redirected_by);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->body_stream);
  g_clear_pointer (&self->answer, ams_http_answer_free);
  g_clear_pointer (&self->reply, ams_http_reply_free);
  g_free (self);
}

void
ams_http_shared_init (AmsHttpShared *shared, const AmsHttpOptions *options,
    AmsHttpProxy *proxy)
{
  shared->options = options;
  shared->proxy = proxy;
  shared->sockets = ams_http_sockets_new ();
  ams_http_turns_init (&shared->turns, launch);
  ams_http_limiter_init (&shared->limiter, options->max_bitrate,
      g_get_monotonic_time ());
}

void
ams_http_shared_clear (AmsHttpShared *shared)
{
  g_clear_object (&shared->session);
  g_clear_object (&shared->proxy);
  g_clear_object (&shared->certificate);
  g_clear_pointer (&shared->sockets, g_hash_table_unref);
}
