/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpattempt.h"

#include "http/amshttpanswer.h"
#include "http/amshttpbodystream.h"
#include "http/amshttperror.h"
#include "http/amshttpsocket.h"
#include "http/amshttpwatch.h"
#include "transfer/amsstore.h"

#include <string.h>

#define TICK 250 /* ms, between looks at what has moved */
/* ms; an answer to be thrown away comes in, which libsoup gathers in memory. */
#define QUICK_TICK 10
#define EXPECT_WAIT 2000 /* ms */
/* libsoup restarts only on connections that were used before, of which there are
 * not so many. */
#define MAX_RESTARTS 16

/* Why an attempt was stopped from within. */
typedef enum
{
  STOP_NONE,
  STOP_CANCELLED,
  STOP_CONNECT_TIMEOUT,
  STOP_TIMEOUT,
  STOP_STALL,
  STOP_OVERDUE,
  STOP_NO_CONTINUE,
  STOP_BODY, /* it cannot be read */
  STOP_RESTARTS,
  STOP_ANSWERED, /* the status is all that is wanted */
  STOP_LOCAL, /* who has redirected here must not */
} Stop;

struct _AmsHttpAttempt
{
  AmsHttpShared *shared;
  AmsHttpOrder order;
  AmsHttpAttemptDone done;
  gpointer done_data;

  GCancellable *cancellable;
  Stop stop;
  AmsHttpPhase phase;
  AmsHttpReach reach;
  gboolean launched;
  gboolean connecting; /* is counted in shared->connecting */
  GTlsCertificateFlags certificate_faults;
  guint restarts;

  /* The request's body, since the last (re)start */
  GInputStream *body_stream;
  guint64 declared;
  guint64 sent;
  gboolean sent_whole; /* also before a restart */

  AmsHttpReply *reply; /* without the body, until @answer has it */
  AmsHttpAnswer *answer;

  GSource *connect_timer, *expect_timer, *tick;
  AmsHttpWatch watch;
  guint64 total_sent, total_received, last_received;
};

/* Timers */

static void
disarm (GSource **timer)
{
  if (*timer)
    g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

static void
arm (AmsHttpAttempt *self, GSource **timer, guint ms, GSourceFunc callback)
{
  disarm (timer);
  *timer = g_timeout_source_new (ms);
  g_source_set_callback (*timer, callback, self, NULL);
  g_source_attach (*timer, g_main_context_get_thread_default ());
}

static void
disarm_all (AmsHttpAttempt *self)
{
  disarm (&self->connect_timer);
  disarm (&self->expect_timer);
  disarm (&self->tick);
}

/* Handing over to libsoup */

static void launch (AmsHttpAttempt *self);

static void
launch_next (AmsHttpShared *shared)
{
  AmsHttpAttempt *next;

  if (shared->deciding)
    return;
  next = g_queue_pop_head (&shared->waiting);
  if (next)
    launch (next);
}

/* It is known which connection the attempt has. */
static void
settle (AmsHttpAttempt *self)
{
  if (self->shared->deciding != self)
    return;
  self->shared->deciding = NULL;
  launch_next (self->shared);
}

static void
set_connecting (AmsHttpAttempt *self, gboolean connecting)
{
  if (self->connecting == connecting)
    return;
  self->connecting = connecting;
  self->shared->connecting += connecting ? 1 : -1;
}

/* Ending */

static void
finish (AmsHttpAttempt *self, AmsHttpReply *reply, GError *error)
{
  AmsHttpAttemptDone done = self->done;
  gpointer done_data = self->done_data;

  disarm_all (self);
  g_signal_handlers_disconnect_by_data (self->order.message, self);
  set_connecting (self, FALSE);
  settle (self);
  done (reply, error, done_data);
}

static void
shut_down (AmsHttpAttempt *self)
{
  ams_http_sockets_shut_down (self->shared->sockets,
      soup_message_get_connection_id (self->order.message));
}

static void
stop (AmsHttpAttempt *self, Stop reason)
{
  if (self->stop != STOP_NONE)
    return;
  self->stop = reason;
  disarm_all (self);
  shut_down (self);
  g_cancellable_cancel (self->cancellable);
  if (self->answer)
    ams_http_answer_hurry (self->answer);
}

static gboolean
has_body (AmsHttpAttempt *self)
{
  return self->declared > 0 || self->order.chunked;
}

/* A server that has closed the connection because of what it was sent cannot be
 * understood: libsoup reads nothing before the body is written. */
static gboolean
was_cut_off (AmsHttpAttempt *self)
{
  if (!has_body (self) || self->order.asks)
    return FALSE;
  return self->phase == AMS_HTTP_PHASE_SENDING ||
      (self->phase == AMS_HTTP_PHASE_WAITING && self->stop == STOP_NONE);
}

static GError *
body_error (AmsHttpAttempt *self)
{
  const GError *error;

  if (!self->body_stream)
    return NULL;
  error =
      ams_http_body_stream_get_error (AMS_HTTP_BODY_STREAM (self->body_stream));
  return error ? g_error_copy (error) : NULL;
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
    case STOP_CANCELLED:
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
          "The exchange was cancelled");
    case STOP_CONNECT_TIMEOUT:
      return ams_http_error_new_timeout (self->order.authority, proxy,
          AMS_HTTP_PHASE_CONNECTING, options->connect_timeout);
    case STOP_TIMEOUT:
      return ams_http_error_new_timeout (self->order.authority, NULL,
          self->phase, options->timeout);
    case STOP_STALL:
      return ams_http_error_new_stall (self->order.authority, self->phase,
          options->stall_timeout);
    case STOP_OVERDUE:
      return overdue (self);
    case STOP_LOCAL:
      return ams_http_error_new_local (self->order.redirected_by,
          self->order.authority, self->reach);
    case STOP_RESTARTS:
      return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "“%s” closes each connection before it answers",
          self->order.authority);
    default:
      return ams_http_error_new (self->order.authority, proxy, self->phase,
          options->ssl_strict ? self->certificate_faults : 0, error);
  }
}

static void
fail (AmsHttpAttempt *self, const GError *error)
{
  GError *made;

  if (self->stop == STOP_NO_CONTINUE) {
    finish (self, NULL, NULL);
    return;
  }
  if (self->stop == STOP_ANSWERED) {
    finish (self, g_steal_pointer (&self->reply), NULL);
    return;
  }
  made = self->stop == STOP_CANCELLED ? NULL : body_error (self);
  if (!made) {
    made = make_error (self, error);
    if (self->stop != STOP_CANCELLED && was_cut_off (self))
      ams_http_error_set_wants_expect (made);
    if (self->stop != STOP_CANCELLED && self->sent_whole)
      ams_http_error_set_sent_whole (made);
  }
  finish (self, NULL, made);
}

/* Success is what was sent as a whole (http-put.md H2). */
static void
succeed (AmsHttpAttempt *self, AmsHttpReply *reply)
{
  guint status = reply->status;

  if (!SOUP_STATUS_IS_SUCCESSFUL (status) || self->sent == self->declared) {
    finish (self, reply, NULL);
    return;
  }
  ams_http_reply_free (reply);
  finish (self, NULL,
      ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "“%s” answered HTTP %u after %" G_GUINT64_FORMAT
          " of %" G_GUINT64_FORMAT " bytes, so what it has is not the file",
          self->order.authority, status, self->sent, self->declared));
}

/* What moves */

static gboolean
on_connect_timeout (gpointer user_data)
{
  stop (user_data, STOP_CONNECT_TIMEOUT);
  return G_SOURCE_REMOVE;
}

static gboolean
on_no_continue (gpointer user_data)
{
  stop (user_data, STOP_NO_CONTINUE);
  return G_SOURCE_REMOVE;
}

static guint64
count_moved (AmsHttpAttempt *self)
{
  SoupMessageMetrics *metrics = soup_message_get_metrics (self->order.message);
  guint64 received =
      soup_message_metrics_get_response_header_bytes_received (metrics) +
      soup_message_metrics_get_response_body_bytes_received (metrics);

  /* libsoup begins anew at each restart. */
  if (received < self->last_received)
    self->last_received = 0;
  self->total_received += received - self->last_received;
  self->last_received = received;
  return self->total_sent + self->total_received;
}

static gboolean
is_throttled (AmsHttpAttempt *self)
{
  if (self->phase == AMS_HTTP_PHASE_SENDING && self->body_stream)
    return ams_http_body_stream_is_throttled (
        AMS_HTTP_BODY_STREAM (self->body_stream));
  return self->answer && ams_http_answer_is_throttled (self->answer);
}

/* A server may take its time between the body and its answer, but once either
 * flows, it has to go on. */
static gboolean
should_flow (AmsHttpAttempt *self)
{
  return (self->phase == AMS_HTTP_PHASE_SENDING && has_body (self)) ||
      self->last_received > 0;
}

static gboolean
on_tick (gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  guint64 moved = count_moved (self);

  switch (ams_http_watch_look (&self->watch, moved, should_flow (self),
      is_throttled (self), g_get_monotonic_time ())) {
    case AMS_HTTP_WATCH_SILENT:
      stop (self, STOP_TIMEOUT);
      break;
    case AMS_HTTP_WATCH_OVERDUE:
      stop (self, STOP_OVERDUE);
      break;
    case AMS_HTTP_WATCH_STALLED:
      stop (self, STOP_STALL);
      break;
    default:
      /* libsoup gathers it in memory. */
      if (self->reply && self->last_received > 2 * AMS_HTTP_MAX_ERROR_BODY)
        stop (self, STOP_ANSWERED);
      break;
  }
  return self->stop == STOP_NONE;
}

static void
begin_watch (AmsHttpAttempt *self)
{
  const AmsHttpOptions *options = self->shared->options;

  ams_http_watch_begin (&self->watch, options->timeout, options->stall_timeout,
      count_moved (self), g_get_monotonic_time ());
  ams_http_watch_expect (&self->watch, self->declared);
  arm (self, &self->tick, TICK, on_tick);
}

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
    shut_down (self);
  ams_http_answer_close (self->answer);
  if (end == AMS_HTTP_ANSWER_TOO_LARGE) {
    finish (self, NULL, too_large (self));
    return;
  }
  /* If the body does not matter, the status is all that was asked for. */
  if (end == AMS_HTTP_ANSWER_FAILED &&
      (ams_http_answer_is_wanted (self->answer) ||
          self->stop == STOP_CANCELLED)) {
    fail (self, error);
    return;
  }
  succeed (self, ams_http_answer_steal_reply (self->answer));
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
    fail (self, error);
  else if (is_refused_by_proxy (self))
    finish (self, NULL, proxy_error (self));
  else
    read_answer (self, g_steal_pointer (&stream));
}

/* libsoup's signals */

/* FALSE: nothing must be sent there, and the attempt is being stopped. */
static gboolean
check_peer (AmsHttpAttempt *self, GSocketAddress *peer)
{
  self->reach =
      ams_http_reach_of_peer (peer, soup_message_get_uri (self->order.message));
  if (!self->order.redirected_by || self->shared->options->redirect_to_local ||
      ams_http_reach_may_redirect (self->order.redirected_from, self->reach))
    return TRUE;
  stop (self, STOP_LOCAL);
  return FALSE;
}

static void
check_connecting (AmsHttpAttempt *self, GIOStream *connection)
{
  g_autoptr (GSocketAddress) peer = G_IS_SOCKET_CONNECTION (connection)
      ? g_socket_connection_get_remote_address (
            G_SOCKET_CONNECTION (connection), NULL)
      : NULL;

  if (peer)
    check_peer (self, peer);
}

static void
on_network_event (SoupMessage *message, GSocketClientEvent event,
    GIOStream *connection, gpointer user_data)
{
  static const gchar *const protocols[] = { "http/1.1", NULL };
  AmsHttpAttempt *self = user_data;
  GSocket *socket = connection ? ams_http_socket_of (connection) : NULL;

  if (self->phase == AMS_HTTP_PHASE_CONNECTING)
    set_connecting (self, TRUE);
  settle (self);
  if (event == G_SOCKET_CLIENT_CONNECTING)
    check_connecting (self, connection);
  if (event == G_SOCKET_CLIENT_CONNECTED && socket) {
    ams_http_socket_tune (socket, self->shared->options->timeout);
    ams_http_sockets_add (self->shared->sockets,
        soup_message_get_connection_id (message), socket);
  }
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING &&
      G_IS_TLS_CONNECTION (connection))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection),
        protocols);
}

/* A request for http goes through the proxy as it is, and has to say who sends it. It
 * says so at once: answering a 407 would cost each first body twice. */
static void
on_about_to_start (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  const gchar *user, *password;
  gchar *value;

  if (strcmp (g_uri_get_scheme (soup_message_get_uri (message)), "http") != 0 ||
      !ams_http_proxy_get_credentials (self->shared->proxy,
          soup_message_get_remote_address (message), &user, &password))
    return;
  value = ams_http_basic_credentials (user, password);
  soup_message_headers_replace (soup_message_get_request_headers (message),
      "Proxy-Authorization", value);
  ams_http_free_secret (value);
}

static void
on_starting (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  self->phase = AMS_HTTP_PHASE_SENDING;
  disarm (&self->connect_timer);
  set_connecting (self, FALSE);
  settle (self);
  /* Also on a connection that is used again. */
  if (check_peer (self, soup_message_get_remote_address (message)) &&
      self->stop == STOP_NONE)
    begin_watch (self);
}

static void
on_wrote_headers (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (self->order.asks && self->stop == STOP_NONE)
    arm (self, &self->expect_timer, EXPECT_WAIT, on_no_continue);
}

static void
on_got_informational (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (soup_message_get_status (message) == SOUP_STATUS_CONTINUE)
    disarm (&self->expect_timer);
}

static void
on_wrote_body_data (SoupMessage *message, guint size, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  self->sent += size;
  self->total_sent += size;
}

static void
on_wrote_body (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  self->phase = AMS_HTTP_PHASE_WAITING;
  self->sent_whole = TRUE;
}

static void
keep_reply (AmsHttpAttempt *self)
{
  SoupMessage *message = self->order.message;

  g_clear_pointer (&self->reply, ams_http_reply_free);
  self->reply = g_new0 (AmsHttpReply, 1);
  self->reply->status = soup_message_get_status (message);
  self->reply->headers =
      soup_message_headers_ref (soup_message_get_response_headers (message));
  self->reply->uri = g_uri_ref (soup_message_get_uri (message));
  self->reply->received = g_get_real_time ();
}

/* libsoup gathers the whole body of an answer after which it may try again. */
static void
watch_gathering (AmsHttpAttempt *self)
{
  SoupMessageHeaders *headers = self->reply->headers;

  if (self->reply->status == SOUP_STATUS_MISDIRECTED_REQUEST)
    stop (self, STOP_ANSWERED);
  else if (self->reply->status != SOUP_STATUS_UNAUTHORIZED ||
      soup_message_is_feature_disabled (self->order.message,
          SOUP_TYPE_AUTH_MANAGER))
    return;
  else if (soup_message_headers_get_encoding (headers) !=
      SOUP_ENCODING_CONTENT_LENGTH)
    arm (self, &self->tick, QUICK_TICK, on_tick);
  else if (soup_message_headers_get_content_length (headers) >
      AMS_HTTP_MAX_ERROR_BODY)
    stop (self, STOP_ANSWERED);
}

/* libsoup closes the connection after an answer without a length even where there
 * is no body, as after the 204 that replaces a file. */
static void
note_no_body (SoupMessage *message)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  guint status = soup_message_get_status (message);

  if ((status == SOUP_STATUS_NO_CONTENT || status == SOUP_STATUS_NOT_MODIFIED ||
          soup_message_get_method (message) == SOUP_METHOD_HEAD) &&
      soup_message_headers_get_encoding (headers) == SOUP_ENCODING_EOF)
    soup_message_headers_set_encoding (headers, SOUP_ENCODING_NONE);
}

static void
on_got_headers (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  disarm (&self->expect_timer);
  self->phase = AMS_HTTP_PHASE_READING;
  note_no_body (message);
  keep_reply (self);
  /* A server that would read the body still, or not, would take the next request
   * for it. */
  if (self->sent < self->declared)
    soup_message_headers_replace (soup_message_get_request_headers (message),
        "Connection", "close");
  if (self->stop == STOP_NONE)
    watch_gathering (self);
}

/* After an answer to Expect that was not 100, libsoup waits for another answer, when
 * the stream is closed, and blocks. */
static void
on_got_body (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (self->sent < self->declared)
    shut_down (self);
}

static void
set_body (AmsHttpAttempt *self)
{
  g_clear_object (&self->body_stream);
  self->sent = 0;
  if (!has_body (self))
    return;
  self->body_stream = ams_http_body_stream_new (self->order.body,
      self->order.bytes, &self->shared->limiter);
  soup_message_set_request_body (self->order.message, NULL, self->body_stream,
      self->order.chunked ? -1 : (gssize) self->declared);
}

/* After libsoup's own handler, which looks at Connection. libsoup has let go of the
 * body, and would send none (libsoup-facts.md 1). */
static void
on_restarted (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  g_autoptr (GError) error = body_error (self);
  guint timeout = self->shared->options->connect_timeout;

  self->phase = AMS_HTTP_PHASE_CONNECTING;
  disarm (&self->expect_timer);
  disarm (&self->tick);
  g_clear_pointer (&self->reply, ams_http_reply_free);
  soup_message_headers_remove (soup_message_get_request_headers (message),
      "Connection");
  soup_message_add_flags (message, SOUP_MESSAGE_NEW_CONNECTION);
  if (error || ++self->restarts > MAX_RESTARTS) {
    stop (self, error ? STOP_BODY : STOP_RESTARTS);
    return;
  }
  set_body (self);
  if (timeout > 0 && self->stop == STOP_NONE)
    arm (self, &self->connect_timer, timeout * 1000, on_connect_timeout);
}

static gboolean
on_accept_certificate (SoupMessage *message, GTlsCertificate *certificate,
    GTlsCertificateFlags faults, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  self->certificate_faults = faults;
  return !self->shared->options->ssl_strict;
}

static gboolean
on_request_certificate (SoupMessage *message, GTlsClientConnection *connection,
    gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (!self->order.trusted || !self->shared->certificate)
    return FALSE;
  soup_message_set_tls_client_certificate (message, self->shared->certificate);
  return TRUE;
}

static gboolean
authenticate_at_proxy (AmsHttpAttempt *self, SoupAuth *auth)
{
  const gchar *user, *password;

  if (!ams_http_proxy_get_credentials (self->shared->proxy,
          soup_message_get_remote_address (self->order.message), &user,
          &password))
    return FALSE;
  soup_auth_authenticate (auth, user, password);
  return TRUE;
}

/* Once: a wrong password is not tried again. What a proxy asks before it makes a tunnel
 * comes here too, for the message that wants to go through. */
static gboolean
on_authenticate (SoupMessage *message, SoupAuth *auth, gboolean again,
    gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  const AmsHttpOptions *options = self->shared->options;

  if (again)
    return FALSE;
  if (soup_auth_is_for_proxy (auth))
    return authenticate_at_proxy (self, auth);
  if (g_ascii_strcasecmp (soup_auth_get_scheme_name (auth), "Digest") != 0)
    return FALSE;
  soup_auth_authenticate (auth, options->user_id,
      options->user_pw ? options->user_pw : "");
  return TRUE;
}

static void
listen (AmsHttpAttempt *self)
{
  SoupMessage *message = self->order.message;

  g_signal_connect (message, "network-event", G_CALLBACK (on_network_event),
      self);
  g_signal_connect (message, "starting", G_CALLBACK (on_starting), self);
  /* After libsoup's own handler, which would take the header away. */
  g_signal_connect_after (message, "starting", G_CALLBACK (on_about_to_start),
      self);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (on_wrote_headers),
      self);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (on_wrote_body_data),
      self);
  g_signal_connect (message, "wrote-body", G_CALLBACK (on_wrote_body), self);
  g_signal_connect (message, "got-informational",
      G_CALLBACK (on_got_informational), self);
  g_signal_connect (message, "got-headers", G_CALLBACK (on_got_headers), self);
  g_signal_connect (message, "got-body", G_CALLBACK (on_got_body), self);
  g_signal_connect_after (message, "restarted", G_CALLBACK (on_restarted),
      self);
  g_signal_connect (message, "accept-certificate",
      G_CALLBACK (on_accept_certificate), self);
  g_signal_connect (message, "request-certificate",
      G_CALLBACK (on_request_certificate), self);
  g_signal_connect (message, "authenticate", G_CALLBACK (on_authenticate),
      self);
}

static void
launch (AmsHttpAttempt *self)
{
  guint timeout = self->shared->options->connect_timeout;

  self->launched = TRUE;
  self->shared->deciding = self;
  if (self->shared->connecting > 0)
    soup_message_add_flags (self->order.message, SOUP_MESSAGE_NEW_CONNECTION);
  listen (self);
  if (timeout > 0)
    arm (self, &self->connect_timer, timeout * 1000, on_connect_timeout);
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
  set_body (self);
  return self;
}

void
ams_http_attempt_start (AmsHttpAttempt *self)
{
  g_queue_push_tail (&self->shared->waiting, self);
  launch_next (self->shared);
}

void
ams_http_attempt_cancel (AmsHttpAttempt *self)
{
  if (self->launched) {
    stop (self, STOP_CANCELLED);
    return;
  }
  g_queue_remove (&self->shared->waiting, self);
  self->stop = STOP_CANCELLED;
  fail (self, NULL);
}

AmsHttpReach
ams_http_attempt_get_reach (AmsHttpAttempt *self)
{
  return self->reach;
}

void
ams_http_attempt_free (AmsHttpAttempt *self)
{
  disarm_all (self);
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
  g_queue_init (&shared->waiting);
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
