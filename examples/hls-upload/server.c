/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "server.h"

#include "answer.h"
#include "check.h"
#include "download.h"
#include "http/amsputrules.h"
#include "listener.h"
#include "names.h"
#include "request.h"

#include <string.h>

/* PUT and DELETE */

static void
answer_stored (HlsUploadRequest *request, gboolean is_put)
{
  AmsFileRole role = hls_upload_role_of (request->name);
  GHashTable *seen = request->server->seen;
  gboolean is_new = is_put &&
      (role != AMS_FILE_ROLE_PLAYLIST ||
          g_hash_table_add (seen, g_strdup (request->name)));

  if (!is_put)
    g_hash_table_remove (seen, request->name);
  hls_upload_request_begin_answer (request);
  soup_server_message_set_status (request->message, is_new ? 201 : 204, NULL);
  hls_upload_request_go_on (request);
}

static void
on_done (HlsUploadRequest *request, const GError *error, gboolean is_put)
{
  request->task = NULL;
  if (error)
    hls_upload_request_answer_error (request, error);
  else
    answer_stored (request, is_put);
}

static void
on_put_done (const GError *error, gpointer user_data)
{
  on_done (user_data, error, TRUE);
}

/* A remove cannot be forgotten: its message is there as long as it waits. */
static void
on_remove_done (const GError *error, gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;
  HlsUploadRequest *request = hls_upload_request_of (message);

  if (request && request->waits)
    on_done (request, error, FALSE);
}

static void
on_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  HlsUploadRequest *request = hls_upload_request_of (message);
  const HlsUploadOptions *options = request->server->options;
  g_autoptr (GError) error = NULL;

  if (request->closing || !request->task)
    return;
  if (hls_upload_task_get_size (request->task) + g_bytes_get_size (chunk) >
      options->max_size)
    hls_upload_request_cut_off (request, 413,
        "The file is larger than may be uploaded here.");
  else if (!hls_upload_task_append (request->task, chunk, &error))
    hls_upload_request_cut_off (request, 507,
        "There is no room for the file here now: send it again later.");
}

static void
begin_put (HlsUploadRequest *request, SoupMessageHeaders *headers)
{
  HlsUploadServer *self = request->server;
  AmsFileRole role = hls_upload_role_of (request->name);
  gboolean protect = request->conditional ||
      (ams_put_is_made_once (role) && !self->options->overwrite);

  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (request->message), FALSE);
  g_signal_connect (request->message, "got-chunk", G_CALLBACK (on_chunk), NULL);
  request->task = hls_upload_queue_begin (self->queue, request->name,
      soup_message_headers_get_content_type (headers, NULL), protect,
      on_put_done, request);
}

/* A length that is not reached libsoup finds out itself. */
static gboolean
is_whole (HlsUploadRequest *request)
{
  return !hls_upload_connection_is_at_end (
      hls_upload_request_get_connection (request));
}

/* An empty segment is what clients send whose body is gone when they repeat a request. */
static void
end_put (HlsUploadRequest *request)
{
  g_autoptr (GError) error = NULL;

  if (!is_whole (request)) {
    hls_upload_request_cut_off (request, 400,
        "The file was cut off: send it again.");
    return;
  }
  if (hls_upload_task_get_size (request->task) == 0 &&
      hls_upload_role_of (request->name) != AMS_FILE_ROLE_OTHER) {
    error = g_error_new_literal (HLS_UPLOAD_ERROR, 400,
        "The file is empty, which no segment or playlist is: send it again.");
    hls_upload_request_let_go (request);
    hls_upload_request_answer_error (request, error);
    return;
  }
  hls_upload_request_wait (request);
  request->handed_over = TRUE;
  hls_upload_task_hand_over (request->task);
}

/* From libsoup */

/* The first request of a connection begins with that; until something of it comes, its time is that of an idle
 * connection. */
static void
on_started (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  HlsUploadRequest *request = hls_upload_request_new (user_data, message);

  hls_upload_connection_unpark (hls_upload_request_get_connection (request));

  if (hls_upload_connection_has_read (
          hls_upload_request_get_connection (request)))
    hls_upload_request_begin (request);
}

/* Only where surely nothing more of it is to come does the connection go on. */
static void
refuse (HlsUploadRequest *request, const GError *error)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (request->message);
  g_autofree gchar *sentence = hls_upload_sentence_of (error);

  if (soup_message_headers_get_encoding (headers) != SOUP_ENCODING_NONE ||
      error->code == 411)
    hls_upload_request_cut_off (request, error->code, sentence);
  else
    hls_upload_request_answer_error (request, error);
}

static void
on_headers (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  HlsUploadServer *self = user_data;
  HlsUploadRequest *request = hls_upload_request_of (message);
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  g_autofree gchar *name = NULL;
  g_autoptr (GError) error = NULL;

  hls_upload_request_begin (request);
  if (!hls_upload_check (self->options, self->auth, self->requests, message,
          &name, &request->conditional, &error)) {
    refuse (request, error);
    return;
  }
  request->name = g_steal_pointer (&name);
  self->requests++;
  if (strcmp (soup_server_message_get_method (message), "PUT") == 0)
    begin_put (request, headers);
}

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  HlsUploadRequest *request = hls_upload_request_of (message);
  const gchar *method = soup_server_message_get_method (message);

  if (request->closing)
    return;
  if (request->task) {
    end_put (request);
  } else if (strcmp (method, "DELETE") == 0) {
    hls_upload_request_wait (request);
    hls_upload_queue_remove (request->server->queue, request->name,
        on_remove_done, g_object_ref (message));
  } else {
    hls_upload_download (request, strcmp (method, "GET") == 0);
  }
}

static void
release_connection (GObject *message)
{
  GIOStream *stream =
      soup_server_message_steal_connection (SOUP_SERVER_MESSAGE (message));

  g_clear_object (&stream);
}

static void
on_ended (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  HlsUploadRequest *request = hls_upload_request_of (message);

  if (!request)
    return;
  hls_upload_request_end (request);
  hls_upload_connection_park (hls_upload_request_get_connection (request),
      G_OBJECT (message), release_connection);
  hls_upload_clients_end (request->server->clients,
      hls_upload_request_get_connection (request));
  if (request->waits) {
    request->waits = FALSE;
    g_object_unref (message);
  }
}

/* Life */

static gboolean
may_accept (gpointer user_data)
{
  HlsUploadServer *self = user_data;

  return hls_upload_clients_admit (self->clients);
}

static void
on_accepted (HlsUploadConnection *connection, GSocketAddress *local,
    GSocketAddress *remote, gpointer user_data)
{
  HlsUploadServer *self = user_data;

  g_object_set_data_full (G_OBJECT (remote), HLS_UPLOAD_CONNECTION_KEY,
      g_object_ref (connection), g_object_unref);
  hls_upload_clients_add (self->clients, connection);
  soup_server_accept_iostream (self->soup, G_IO_STREAM (connection), local,
      remote, NULL);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  HlsUploadServer *self = user_data;

  hls_upload_clients_fail (self->clients, error);
}

/* libsoup (3.2 to 3.6) closes each connection after its first answer unless it has a listener of its own. So it is
 * given ours, in a context that nobody runs: it never accepts anything itself. */
static gboolean
let_connections_persist (HlsUploadServer *self, GError **error)
{
  g_autoptr (GMainContext) nobody = g_main_context_new ();
  gboolean done;

  g_main_context_push_thread_default (nobody);
  done = soup_server_listen_socket (self->soup,
      hls_upload_listener_get_socket (self->listener), 0, error);
  g_main_context_pop_thread_default (nobody);
  return done;
}

static gboolean
listen_at (HlsUploadServer *self, GError **error)
{
  static const HlsUploadListenerFuncs funcs = { may_accept, on_accepted,
    on_failed };
  const HlsUploadOptions *options = self->options;

  self->listener = hls_upload_listener_new (options->address, options->port,
      options->certificate, options->private_key, &funcs, self, error);
  if (!self->listener)
    return FALSE;
  self->clients = hls_upload_clients_new (self->listener,
      options->max_connections, options->timeout);
  return let_connections_persist (self, error);
}

void
hls_upload_server_close (HlsUploadServer *self)
{
  self->closed = TRUE;
  if (self->clients)
    hls_upload_clients_close (self->clients);
  if (self->listener)
    hls_upload_listener_close (self->listener);
}

void
hls_upload_server_free (HlsUploadServer *self)
{
  hls_upload_server_close (self);
  g_signal_handlers_disconnect_by_data (self->soup, self);
  g_object_unref (self->soup);
  g_clear_pointer (&self->clients, hls_upload_clients_free);
  g_clear_pointer (&self->listener, hls_upload_listener_free);
  g_hash_table_unref (self->seen);
  g_free (self);
}

HlsUploadServer *
hls_upload_server_new (const HlsUploadOptions *options,
    const HlsUploadAuth *auth, AmsS3Store *store, HlsUploadQueue *queue,
    GError **error)
{
  HlsUploadServer *self = g_new0 (HlsUploadServer, 1);

  self->options = options;
  self->auth = auth;
  self->store = store;
  self->queue = queue;
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->soup =
      soup_server_new ("server-header", "hls-upload", "raw-paths", TRUE, NULL);
  g_signal_connect (self->soup, "request-started", G_CALLBACK (on_started),
      self);
  g_signal_connect (self->soup, "request-finished", G_CALLBACK (on_ended),
      self);
  g_signal_connect (self->soup, "request-aborted", G_CALLBACK (on_ended), self);
  soup_server_add_early_handler (self->soup, NULL, on_headers, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_request, self, NULL);
  if (listen_at (self, error))
    return self;
  hls_upload_server_free (self);
  return NULL;
}

gchar *
hls_upload_server_dup_url (HlsUploadServer *self)
{
  return hls_upload_listener_dup_url (self->listener);
}

guint
hls_upload_server_get_requests (HlsUploadServer *self)
{
  return self->requests;
}
