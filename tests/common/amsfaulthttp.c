/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultprivate.h"

#include <string.h>
#include <sys/socket.h>

#define MAX_HEADERS (64 * 1024)
#define MAX_CONTENT (64 * 1024)
#define PIECE (64 * 1024)

static const AmsFaultRule no_rule = { 0 };

/* Waiting. FALSE: the connection was dropped meanwhile. */

static gboolean
wait_ms (AmsFaultConnection *self, guint ms)
{
  AmsFaultServer *server = self->server;
  gint64 end = g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND;
  gboolean dropped;

  g_mutex_lock (&server->lock);
  while (!self->dropped && g_get_monotonic_time () < end)
    g_cond_wait_until (&server->changed, &server->lock, end);
  dropped = self->dropped;
  g_mutex_unlock (&server->lock);
  return !dropped;
}

static gboolean
wait_released (AmsFaultConnection *self, AmsFaultRequest *request)
{
  AmsFaultServer *server = self->server;
  gboolean dropped;

  g_mutex_lock (&server->lock);
  request->held = TRUE;
  g_cond_broadcast (&server->changed);
  while (!self->dropped && request->held)
    g_cond_wait (&server->changed, &server->lock);
  dropped = self->dropped;
  request->held = FALSE;
  g_mutex_unlock (&server->lock);
  return !dropped;
}

static void
wait_heard_or_dropped (AmsFaultConnection *self)
{
  AmsFaultServer *server = self->server;

  g_mutex_lock (&server->lock);
  while (!self->dropped && server->deaf)
    g_cond_wait (&server->changed, &server->lock);
  g_mutex_unlock (&server->lock);
}

/* Reading and writing. FALSE: the connection is of no more use. */

/* Reads something, at most @size bytes. */
static gboolean
fill (AmsFaultConnection *self, gsize size)
{
  guint8 data[16 * 1024];
  gssize n = g_input_stream_read (g_io_stream_get_input_stream (self->stream),
      data, MIN (size, sizeof data), self->cancellable, NULL);

  if (n <= 0)
    return FALSE;
  g_byte_array_append (self->buffer, data, n);
  return TRUE;
}

static gboolean
write_all (AmsFaultConnection *self, gconstpointer data, gsize size)
{
  return g_output_stream_write_all (
      g_io_stream_get_output_stream (self->stream), data, size, NULL,
      self->cancellable, NULL);
}

/* Up to and with @end, which is taken off. NULL: it does not come. */
static gchar *
read_to (AmsFaultConnection *self, const gchar *end)
{
  gsize length = strlen (end);
  const gchar *found;
  gchar *text;

  while (self->buffer->len < length ||
      !(found = memmem (self->buffer->data, self->buffer->len, end, length))) {
    if (self->buffer->len > MAX_HEADERS || !fill (self, PIECE))
      return NULL;
  }
  text = g_strndup ((gchar *) self->buffer->data,
      found - (gchar *) self->buffer->data);
  g_byte_array_remove_range (self->buffer, 0,
      found + length - (gchar *) self->buffer->data);
  return text;
}

/* Ending a connection */

static void
reset (AmsFaultConnection *self)
{
  struct linger linger = { .l_onoff = 1 };

  setsockopt (g_socket_get_fd (self->socket), SOL_SOCKET, SO_LINGER, &linger,
      sizeof linger);
  g_socket_close (self->socket, NULL);
}

static void
fin (AmsFaultConnection *self)
{
  guint8 data[16 * 1024];

  if (G_IS_TLS_CONNECTION (self->stream) &&
      !self->server->options.tls_no_close_notify)
    g_output_stream_close (g_io_stream_get_output_stream (self->stream),
        self->cancellable, NULL);
  g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
  while (g_socket_receive (self->socket, (gchar *) data, sizeof data,
             self->cancellable, NULL) > 0)
    continue;
}

static gboolean
end_connection (AmsFaultConnection *self, AmsFaultEnd end)
{
  if (end == AMS_FAULT_RESET)
    reset (self);
  else if (end == AMS_FAULT_FIN)
    fin (self);
  return end == AMS_FAULT_GO_ON;
}

/* Requests */

static void
finish_request (AmsFaultExchange *exchange)
{
  AmsFaultServer *server = exchange->connection->server;
  AmsFaultRequest *request = exchange->request;
  g_autoptr (AmsFaultRequest) copy = NULL;

  g_mutex_lock (&server->lock);
  if (!request->done) {
    request->done = TRUE;
    copy = ams_fault_request_copy (request);
    g_cond_broadcast (&server->changed);
  }
  g_mutex_unlock (&server->lock);
  if (copy && server->listener)
    server->listener (copy, server->listener_data);
}

/* What the rule has for this moment. FALSE: the connection has ended. */
static gboolean
act (AmsFaultExchange *exchange, AmsFaultAt at)
{
  AmsFaultConnection *self = exchange->connection;
  const AmsFaultRule *rule = exchange->rule;

  if (rule->at != at)
    return TRUE;
  if (rule->delay > 0 && !wait_ms (self, rule->delay))
    return FALSE;
  if (rule->hold && !wait_released (self, exchange->request))
    return FALSE;
  if (rule->end != AMS_FAULT_GO_ON)
    finish_request (exchange);
  return end_connection (self, rule->end);
}

/* "A: b\r\nC: d" with its lines ended by \n. */
static gchar *
normalize_headers (const gchar *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  g_autofree gchar *joined = g_strjoinv ("\n", lines);

  return g_strconcat (joined, "\n", NULL);
}

/* Proxies are sent whole URLs. */
static gchar *
path_of (const gchar *target)
{
  const gchar *host = strstr (target, "://");
  const gchar *slash = host ? strchr (host + 3, '/') : NULL;

  if (target[0] == '/' || !host)
    return g_strdup (target);
  return g_strdup (slash ? slash : "/");
}

static gchar *
name_of (const gchar *path)
{
  g_autofree gchar *raw = g_strndup (path, strcspn (path, "?#"));
  gchar *name = g_uri_unescape_string (raw, NULL);

  return name ? name : g_steal_pointer (&raw);
}

/* NULL: the connection ended, or it is no HTTP. */
static AmsFaultRequest *
read_request (AmsFaultConnection *self)
{
  g_autofree gchar *head = read_to (self, "\r\n\r\n");
  gchar *headers = head ? strstr (head, "\r\n") : NULL;
  g_auto (GStrv) words = NULL;
  AmsFaultRequest *request;

  if (!head)
    return NULL;
  if (headers) {
    *headers = '\0';
    headers += 2;
  }
  words = g_strsplit (head, " ", 3);
  if (g_strv_length (words) != 3 || !g_str_has_prefix (words[2], "HTTP/1."))
    return NULL;
  request = g_new0 (AmsFaultRequest, 1);
  request->connection = self->number;
  request->method = g_strdup (words[0]);
  request->path = path_of (words[1]);
  request->headers = normalize_headers (headers ? headers : "");
  return request;
}

static gboolean
has_token (const gchar *headers, const gchar *name, const gchar *token)
{
  g_autofree gchar *value = ams_fault_header (headers, name);

  return value && g_ascii_strcasecmp (value, token) == 0;
}

/* Bodies */

static void
send_continue (AmsFaultExchange *exchange)
{
  AmsFaultServer *server = exchange->connection->server;

  write_all (exchange->connection, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  g_mutex_lock (&server->lock);
  exchange->request->continued = TRUE;
  g_mutex_unlock (&server->lock);
}

/* Moves @size bytes of body from the connection into @body; NULL: they are dropped. */
static gboolean
take (AmsFaultExchange *exchange, guint64 size, GByteArray *body)
{
  AmsFaultConnection *self = exchange->connection;
  const AmsFaultRule *rule = exchange->rule;
  gsize piece = rule->slow_bytes ? rule->slow_bytes : PIECE;

  while (size > 0) {
    gsize n = MIN (piece, size);

    if (rule->slow_bytes && !wait_ms (self, rule->slow_ms))
      return FALSE;
    if (self->buffer->len == 0 && !fill (self, n))
      return FALSE;
    n = MIN (n, self->buffer->len);
    if (body)
      g_byte_array_append (body, self->buffer->data, n);
    g_byte_array_remove_range (self->buffer, 0, n);
    size -= n;
    g_mutex_lock (&self->server->lock);
    exchange->request->body += n;
    g_cond_broadcast (&self->server->changed);
    g_mutex_unlock (&self->server->lock);
  }
  return TRUE;
}

/* Takes @size bytes, and stops where the rule says. Sets @stopped when the rest is left. */
static gboolean
take_scripted (AmsFaultExchange *exchange, guint64 size, gboolean *stopped)
{
  const AmsFaultRule *rule = exchange->rule;
  guint64 before = exchange->body->len;

  if (rule->at != AMS_FAULT_AT_BODY || rule->bytes < before ||
      rule->bytes >= before + size)
    return take (exchange, size, exchange->body);
  if (!take (exchange, rule->bytes - before, exchange->body) ||
      !act (exchange, AMS_FAULT_AT_BODY))
    return FALSE;
  *stopped = rule->unread;
  return *stopped ||
      take (exchange, before + size - rule->bytes, exchange->body);
}

/* The size of the next chunk; -1: the connection is of no more use. */
static gint64
read_chunk_size (AmsFaultConnection *self)
{
  g_autofree gchar *line = read_to (self, "\r\n");
  gchar *end;
  gint64 size;

  if (!line)
    return -1;
  size = g_ascii_strtoll (line, &end, 16);
  return end == line ? -1 : size;
}

static gboolean
read_chunks (AmsFaultExchange *exchange, gboolean *stopped)
{
  AmsFaultConnection *self = exchange->connection;
  gint64 size;

  while ((size = read_chunk_size (self)) > 0) {
    g_autofree gchar *end = NULL;

    if (!take_scripted (exchange, size, stopped))
      return FALSE;
    if (*stopped)
      return TRUE;
    if (!(end = read_to (self, "\r\n")))
      return FALSE;
  }
  for (gboolean more = size == 0; more;) {
    g_autofree gchar *trailer = read_to (self, "\r\n");

    if (!trailer)
      return FALSE;
    more = trailer[0] != '\0';
  }
  return size == 0;
}

static void
keep_content (AmsFaultExchange *exchange)
{
  AmsFaultServer *server = exchange->connection->server;

  exchange->whole = TRUE;
  if (exchange->body->len > MAX_CONTENT)
    return;
  g_mutex_lock (&server->lock);
  exchange->request->content =
      g_bytes_new (exchange->body->data, exchange->body->len);
  g_mutex_unlock (&server->lock);
}

static gboolean
read_body (AmsFaultExchange *exchange, guint64 length, gboolean chunked)
{
  const AmsFaultRule *rule = exchange->rule;
  gboolean stopped = FALSE;

  if (rule->unread && (rule->at != AMS_FAULT_AT_BODY || rule->bytes == 0))
    return act (exchange, AMS_FAULT_AT_BODY);
  if ((exchange->expects && rule->expect == AMS_FAULT_EXPECT_ANSWERED) ||
      (rule->expect == AMS_FAULT_EXPECT_UNASKED && (length > 0 || chunked)))
    send_continue (exchange);
  if (chunked ? !read_chunks (exchange, &stopped)
              : !take_scripted (exchange, length, &stopped))
    return FALSE;
  if (!stopped)
    keep_content (exchange);
  return TRUE;
}

/* What the client sends of a body after its answer, so that the next request is found. */
static gboolean
drop_rest (AmsFaultExchange *exchange, guint64 length, gboolean chunked)
{
  gboolean stopped = FALSE;

  if (exchange->whole || (exchange->expects && !exchange->request->continued))
    return TRUE;
  if (chunked)
    return exchange->body->len == 0 && read_chunks (exchange, &stopped);
  return take (exchange, length - exchange->body->len, NULL);
}

/* Answers */

static GString *
format_answer (AmsFaultExchange *exchange, AmsFaultAnswer *answer)
{
  const AmsFaultRule *rule = exchange->rule;
  gsize length = answer->body ? g_bytes_get_size (answer->body) : 0;
  GString *text = g_string_new (NULL);

  if (rule->raw)
    return g_string_append (text, rule->raw);
  g_string_printf (text, "HTTP/1.%d %u %s\r\n", rule->http10 ? 0 : 1,
      answer->status, ams_fault_reason (answer->status));
  g_string_append_len (text, answer->headers->str, answer->headers->len);
  if (!rule->http10 && answer->status != 204 && answer->status != 304)
    g_string_append_printf (text, "Content-Length: %" G_GSIZE_FORMAT "\r\n",
        answer->length ? answer->length : length);
  if (!exchange->keep && !rule->http10)
    g_string_append (text, "Connection: close\r\n");
  g_string_append (text, "\r\n");
  if (answer->body && answer->status != 204 && answer->status != 304)
    g_string_append_len (text, g_bytes_get_data (answer->body, NULL), length);
  return text;
}

static gboolean
send_answer (AmsFaultExchange *exchange, const GString *text)
{
  AmsFaultConnection *self = exchange->connection;
  const AmsFaultRule *rule = exchange->rule;
  gsize n = text->len;

  if (rule->at == AMS_FAULT_AT_ANSWER)
    n = MIN (n, rule->bytes);
  return write_all (self, text->str, n) &&
      act (exchange, AMS_FAULT_AT_ANSWER) &&
      write_all (self, text->str + n, text->len - n);
}

static gboolean
answer_request (AmsFaultExchange *exchange)
{
  AmsFaultServer *server = exchange->connection->server;
  AmsFaultAnswer answer = { .headers = g_string_new (NULL) };
  GString *text = NULL;
  gboolean ok = FALSE;

  ams_fault_answer (exchange, &answer);
  if (act (exchange, AMS_FAULT_AT_STORED)) {
    text = format_answer (exchange, &answer);
    g_mutex_lock (&server->lock);
    exchange->request->status = answer.status;
    g_cond_broadcast (&server->changed);
    g_mutex_unlock (&server->lock);
    ok = send_answer (exchange, text);
    g_string_free (text, TRUE);
  }
  g_string_free (answer.headers, TRUE);
  g_clear_pointer (&answer.body, g_bytes_unref);
  return ok;
}

/* An exchange */

static gboolean
do_exchange (AmsFaultExchange *exchange)
{
  const AmsFaultRule *rule = exchange->rule;
  const gchar *headers = exchange->request->headers;
  g_autofree gchar *declared = ams_fault_header (headers, "Content-Length");
  guint64 length = declared ? g_ascii_strtoull (declared, NULL, 10) : 0;
  gboolean chunked = has_token (headers, "Transfer-Encoding", "chunked");

  exchange->expects = has_token (headers, "Expect", "100-continue");
  exchange->keep = !rule->close && !rule->http10 && !rule->raw &&
      !has_token (headers, "Connection", "close");
  if (!act (exchange, AMS_FAULT_AT_HEADERS) ||
      !read_body (exchange, length, chunked) ||
      !act (exchange, AMS_FAULT_AT_READ) || !answer_request (exchange))
    return FALSE;
  if (!act (exchange, AMS_FAULT_AT_SENT))
    return FALSE;
  finish_request (exchange);
  if (!exchange->keep)
    return end_connection (exchange->connection, AMS_FAULT_FIN);
  if (rule->at == AMS_FAULT_AT_NEXT)
    exchange->connection->at_next = rule;
  return drop_rest (exchange, length, chunked);
}

/* What a rule for an earlier request of this connection had for this one. */
static gboolean
act_at_next (AmsFaultExchange *exchange)
{
  const AmsFaultRule *rule = exchange->connection->at_next;

  if (!rule)
    return TRUE;
  exchange->connection->at_next = NULL;
  exchange->rule = rule;
  return act (exchange, AMS_FAULT_AT_NEXT);
}

static gboolean
serve_request (AmsFaultConnection *self)
{
  AmsFaultExchange exchange = { .connection = self, .rule = &no_rule };
  const AmsFaultRule *rule;
  gboolean go_on;

  exchange.request = read_request (self);
  if (!exchange.request)
    return FALSE;
  exchange.name = name_of (exchange.request->path);
  exchange.body = g_byte_array_new ();
  rule = ams_fault_server_add_request (self->server, exchange.request,
      self->at_next == NULL);
  go_on = act_at_next (&exchange);
  if (go_on) {
    exchange.rule = rule ? rule : &no_rule;
    go_on = do_exchange (&exchange);
  }
  finish_request (&exchange);
  g_byte_array_unref (exchange.body);
  g_free (exchange.name);
  return go_on;
}

/* TLS */

static gboolean
on_accept_certificate (GTlsConnection *tls, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer user_data)
{
  return errors == 0;
}

static gboolean
start_tls (AmsFaultConnection *self)
{
  AmsFaultServer *server = self->server;
  g_autoptr (GIOStream) tls = NULL;

  if (!server->certificate)
    return TRUE;
  tls = g_tls_server_connection_new (self->stream, server->certificate, NULL);
  g_assert_nonnull (tls);
  g_tls_connection_set_require_close_notify (G_TLS_CONNECTION (tls), FALSE);
  if (server->client_cas) {
    g_object_set (tls, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED,
        NULL);
    g_tls_connection_set_database (G_TLS_CONNECTION (tls), server->client_cas);
    g_signal_connect (tls, "accept-certificate",
        G_CALLBACK (on_accept_certificate), NULL);
  }
  if (!g_tls_connection_handshake (G_TLS_CONNECTION (tls), self->cancellable,
          NULL)) {
    g_mutex_lock (&server->lock);
    server->tls_failures++;
    g_cond_broadcast (&server->changed);
    g_mutex_unlock (&server->lock);
    return FALSE;
  }
  g_object_unref (self->stream);
  self->stream = g_steal_pointer (&tls);
  return TRUE;
}

/* A connection */

gpointer
ams_fault_connection_run (gpointer data)
{
  AmsFaultConnection *self = data;
  AmsFaultServer *server = self->server;
  gboolean dropped;

  wait_heard_or_dropped (self);
  if (start_tls (self)) {
    while (serve_request (self))
      continue;
  }
  g_mutex_lock (&server->lock);
  dropped = self->dropped;
  g_mutex_unlock (&server->lock);
  if (dropped && !g_socket_is_closed (self->socket))
    reset (self);
  g_socket_close (self->socket, NULL);
  g_clear_object (&self->stream);
  g_clear_object (&self->socket);
  return NULL;
}

void
ams_fault_connection_free (gpointer data)
{
  AmsFaultConnection *self = data;

  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
  g_byte_array_unref (self->buffer);
  g_free (self);
}
