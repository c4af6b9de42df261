/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpattemptsignals.h"

#include "http/amshttpattemptend.h"
#include "http/amshttpattemptpace.h"
#include "http/amshttpsocket.h"

#include <string.h>

/* libsoup restarts only on connections that were used before, of which there are
 * not so many. */
#define MAX_RESTARTS 16

/* The connection */

/* FALSE: nothing must be sent there, and the attempt is being stopped. */
static gboolean
check_peer (AmsHttpAttempt *self, GSocketAddress *peer)
{
  self->reach =
      ams_http_reach_of_peer (peer, soup_message_get_uri (self->order.message));
  if (!self->order.redirected_by || self->shared->options->redirect_to_local ||
      ams_http_reach_may_redirect (self->order.redirected_from, self->reach))
    return TRUE;
  ams_http_attempt_stop (self, AMS_HTTP_STOP_LOCAL);
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
    ams_http_attempt_set_connecting (self, TRUE);
  ams_http_attempt_end_turn (self);
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
  ams_http_attempt_disarm (&self->connect_timer);
  ams_http_attempt_set_connecting (self, FALSE);
  ams_http_attempt_end_turn (self);
  /* Also on a connection that is used again. */
  if (check_peer (self, soup_message_get_remote_address (message)) &&
      self->stop == AMS_HTTP_STOP_NONE)
    ams_http_attempt_begin_pace (self);
}

/* The request */

static void
on_wrote_headers (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (self->order.asks)
    ams_http_attempt_limit_continue (self);
}

static void
on_got_informational (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (soup_message_get_status (message) == SOUP_STATUS_CONTINUE)
    ams_http_attempt_disarm (&self->expect_timer);
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

/* The answer */

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

  ams_http_attempt_disarm (&self->expect_timer);
  self->phase = AMS_HTTP_PHASE_READING;
  note_no_body (message);
  keep_reply (self);
  /* A server that would read the body still, or not, would take the next request
   * for it. */
  if (self->sent < self->declared)
    soup_message_headers_replace (soup_message_get_request_headers (message),
        "Connection", "close");
  if (self->stop == AMS_HTTP_STOP_NONE)
    ams_http_attempt_limit_gathering (self);
}

/* After an answer to Expect that was not 100, libsoup waits for another answer, when
 * the stream is closed, and blocks. */
static void
on_got_body (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;

  if (self->sent < self->declared)
    ams_http_attempt_shut_down (self);
}

/* After libsoup's own handler, which looks at Connection. libsoup has let go of the
 * body, and would send none (libsoup-facts.md 1). */
static void
on_restarted (SoupMessage *message, gpointer user_data)
{
  AmsHttpAttempt *self = user_data;
  g_autoptr (GError) error = ams_http_attempt_dup_body_error (self);

  self->phase = AMS_HTTP_PHASE_CONNECTING;
  ams_http_attempt_disarm (&self->expect_timer);
  ams_http_attempt_disarm (&self->tick);
  g_clear_pointer (&self->reply, ams_http_reply_free);
  soup_message_headers_remove (soup_message_get_request_headers (message),
      "Connection");
  soup_message_add_flags (message, SOUP_MESSAGE_NEW_CONNECTION);
  if (error || ++self->restarts > MAX_RESTARTS) {
    ams_http_attempt_stop (self,
        error ? AMS_HTTP_STOP_BODY : AMS_HTTP_STOP_RESTARTS);
    return;
  }
  ams_http_attempt_set_body (self);
  ams_http_attempt_limit_connecting (self);
}

/* Certificates and credentials */

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

void
ams_http_attempt_listen (AmsHttpAttempt *self)
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
