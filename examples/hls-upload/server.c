/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "server.h"

#include "answer.h"
#include "check.h"
#include "listener.h"
#include "http/amsputrules.h"
#include "names.h"
#include "read.h"

#include <libsoup/soup.h>
#include <string.h>

#define RETRY_AFTER 1 /* s, of 503 */
#define REQUEST_KEY "hls-upload-request"
/* Of the client's address, which each message on the connection has. */
#define CONNECTION_KEY "hls-upload-connection"

struct _HlsUploadServer
{
  SoupServer *soup;
  HlsUploadListener *listener; /* NULL: closed */
  const HlsUploadOptions *options;
  const HlsUploadAuth *auth;
  AmsS3Store *store;
  HlsUploadQueue *queue;
  guint requests; /* that were accepted and are not answered */
  GHashTable *seen; /* set of the names of playlists that are there */
};

/* Belongs to its message. */
typedef struct
{
  HlsUploadServer *server;
  SoupServerMessage *message; /* not owned */
  GSource *timeout;
  gchar *name; /* NULL: not accepted */
  gboolean conditional;
  HlsUploadTask *task; /* (nullable) a body that is coming, or its delivery */
  gboolean handed_over;
  gboolean
      waits; /* is paused, for what the queue or the store says; owns a reference to the message */
  gboolean closing;
  GCancellable *cancellable; /* of reading */

  /* Of an object that goes in pieces */
  guint64 next, end; /* what is to come of it still */
  guint64 size; /* of the whole */
  gchar *etag; /* (nullable) */
  AmsBody *spooled; /* (nullable) it is read from there */
} Request;

/* Life */

static void
stop_timeout (Request *request)
{
  if (!request->timeout)
    return;
  g_source_destroy (request->timeout);
  g_clear_pointer (&request->timeout, g_source_unref);
}

/* Of what is not handed over nothing is left; what is goes on without a listener. */
static void
let_go (Request *request)
{
  HlsUploadTask *task = g_steal_pointer (&request->task);

  if (task && request->handed_over)
    hls_upload_task_forget (task);
  else if (task)
    hls_upload_task_abandon (task);
}

static void
request_end (Request *request)
{
  stop_timeout (request);
  let_go (request);
  g_cancellable_cancel (request->cancellable);
  if (request->name)
    request->server->requests--;
  g_clear_pointer (&request->name, g_free);
  g_clear_pointer (&request->etag, g_free);
  g_clear_object (&request->spooled);
}

static void
request_free (gpointer data)
{
  Request *request = data;

  request_end (request);
  g_object_unref (request->cancellable);
  g_free (request);
}

static Request *
request_of (SoupServerMessage *message)
{
  return g_object_get_data (G_OBJECT (message), REQUEST_KEY);
}

static HlsUploadConnection *
connection_of (Request *request)
{
  return g_object_get_data (
      G_OBJECT (soup_server_message_get_remote_address (request->message)),
      CONNECTION_KEY);
}

/* Answering */

static void
go_on (Request *request)
{
  if (!request->waits)
    return;
  request->waits = FALSE;
  soup_server_message_unpause (request->message);
  g_object_unref (request->message);
}

static void
wait (Request *request)
{
  request->waits = TRUE;
  g_object_ref (request->message);
  soup_server_message_pause (request->message);
}

/* When nothing of the request is to come any more. */
static void
answer_error (Request *request, const GError *error)
{
  guint status = hls_upload_status_of (error, request->conditional);
  guint retry_after = status == 503
      ? MAX (ams_store_error_get_retry_after (error), RETRY_AFTER)
      : 0;
  g_autofree gchar *sentence = hls_upload_sentence_of (error);

  hls_upload_answer_error (request->message, status, sentence, retry_after,
      NULL);
  go_on (request);
}

static void
cut_off (Request *request, guint status, const gchar *sentence)
{
  const gchar *challenge = status == 401
      ? hls_upload_auth_get_challenge (request->server->auth)
      : NULL;

  request->closing = TRUE;
  hls_upload_answer_and_close (request->message,
      hls_upload_connection_get_socket (connection_of (request)), status,
      sentence, status == 503 ? RETRY_AFTER : 0, challenge);
  request_end (request);
}

/* In the middle of an answer: its client sees that it is not whole. */
static void
break_off (Request *request)
{
  go_on (request);
  cut_off (request, 500, "");
}

static gboolean
on_timeout (gpointer user_data)
{
  Request *request = user_data;
  g_autoptr (GError) error = g_error_new_literal (HLS_UPLOAD_ERROR, 504,
      "The store did not confirm it within --timeout: send it again.");

  stop_timeout (request);
  if (request->next < request->end) {
    break_off (request);
  } else if (request->waits) {
    let_go (request);
    g_cancellable_cancel (request->cancellable);
    answer_error (request, error);
  } else {
    cut_off (request, 408,
        "The request took longer than it may: send it again, faster.");
  }
  return G_SOURCE_REMOVE;
}

static void
start_timeout (Request *request)
{
  stop_timeout (request);
  request->timeout =
      g_timeout_source_new_seconds (request->server->options->timeout);
  g_source_set_callback (request->timeout, on_timeout, request, NULL);
  g_source_attach (request->timeout, NULL);
}

/* PUT and DELETE */

static void
answer_stored (Request *request, gboolean is_put)
{
  AmsFileRole role = hls_upload_role_of (request->name);
  GHashTable *seen = request->server->seen;
  gboolean is_new = is_put &&
      (role != AMS_FILE_ROLE_PLAYLIST ||
          g_hash_table_add (seen, g_strdup (request->name)));

  if (!is_put)
    g_hash_table_remove (seen, request->name);
  soup_server_message_set_status (request->message, is_new ? 201 : 204, NULL);
  go_on (request);
}

static void
on_done (Request *request, const GError *error, gboolean is_put)
{
  request->task = NULL;
  if (error)
    answer_error (request, error);
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
  Request *request = request_of (message);

  if (request && request->waits)
    on_done (request, error, FALSE);
}

static void
on_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  Request *request = request_of (message);
  const HlsUploadOptions *options = request->server->options;
  g_autoptr (GError) error = NULL;

  if (request->closing || !request->task)
    return;
  if (hls_upload_task_get_size (request->task) + g_bytes_get_size (chunk) >
      options->max_size)
    cut_off (request, 413, "The file is larger than may be uploaded here.");
  else if (!hls_upload_task_append (request->task, chunk, &error))
    cut_off (request, 507,
        "There is no room for the file here now: send it again later.");
}

static void
begin_put (Request *request, SoupMessageHeaders *headers)
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
is_whole (Request *request)
{
  return !hls_upload_connection_is_at_end (connection_of (request));
}

/* An empty segment is what clients send whose body is gone when they repeat a request. */
static void
end_put (Request *request)
{
  g_autoptr (GError) error = NULL;

  if (!is_whole (request)) {
    cut_off (request, 400, "The file was cut off: send it again.");
    return;
  }
  if (hls_upload_task_get_size (request->task) == 0 &&
      hls_upload_role_of (request->name) != AMS_FILE_ROLE_OTHER) {
    error = g_error_new_literal (HLS_UPLOAD_ERROR, 400,
        "The file is empty, which no segment or playlist is: send it again.");
    let_go (request);
    answer_error (request, error);
    return;
  }
  wait (request);
  request->handed_over = TRUE;
  hls_upload_task_hand_over (request->task);
}

/* GET and HEAD
 *
 * What is large goes a piece at a time: the next is asked for when the client has taken the one
 * before. */

static void
append_piece (Request *request, GBytes *data)
{
  g_autoptr (GBytes) piece = g_bytes_new_from_bytes (data, 0,
      MIN (g_bytes_get_size (data), request->end - request->next));

  request->next += g_bytes_get_size (piece);
  soup_message_body_append_bytes (
      soup_server_message_get_response_body (request->message), piece);
}

static void
on_piece (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;
  Request *request = request_of (message);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsUploadObject) piece = hls_upload_read_finish (result, &error);

  if (!request || !request->waits)
    return;
  if (!piece || piece->size != request->size ||
      g_bytes_get_size (piece->data) == 0) {
    break_off (request);
    return;
  }
  append_piece (request, piece->data);
  go_on (request);
}

/* (transfer full) (nullable): it is not in the spool, or not any more. */
static GBytes *
read_from_spool (AmsBody *body, guint64 offset)
{
  guint64 size = ams_body_get_size (body);
  gsize length = offset < size ? MIN (size - offset, HLS_UPLOAD_PIECE) : 0;
  g_autofree guint8 *data = g_malloc (length);
  gsize done = 0;

  while (done < length) {
    gssize n =
        ams_body_read (body, offset + done, data + done, length - done, NULL);

    if (n <= 0)
      return NULL;
    done += n;
  }
  return g_bytes_new_take (g_steal_pointer (&data), length);
}

/* What was delivered meanwhile the store has. */
static gboolean
append_from_spool (Request *request)
{
  g_autoptr (GBytes) data = request->spooled
      ? read_from_spool (request->spooled, request->next)
      : NULL;

  if (data)
    append_piece (request, data);
  else
    g_clear_object (&request->spooled);
  return data != NULL;
}

static void
send_next_piece (Request *request)
{
  start_timeout (request);
  if (append_from_spool (request)) {
    go_on (request);
    return;
  }
  if (!request->waits)
    wait (request);
  hls_upload_read_async (request->server->store, request->name, request->next,
      request->etag, request->cancellable, on_piece,
      g_object_ref (request->message));
}

static void
on_wrote_chunk (SoupServerMessage *message, gpointer user_data)
{
  Request *request = request_of (message);

  if (!request->closing && request->next < request->end)
    send_next_piece (request);
}

static void
answer_object (Request *request, const HlsUploadObject *object)
{
  hls_upload_object_answer (object, request->message, &request->next,
      &request->end);
  if (request->next == request->end) {
    go_on (request);
    return;
  }
  request->size = object->size;
  request->etag = g_strdup (object->etag);
  g_signal_connect (request->message, "wrote-chunk",
      G_CALLBACK (on_wrote_chunk), NULL);
  if (soup_server_message_get_response_body (request->message)->length > 0)
    go_on (request);
  else
    send_next_piece (request);
}

static void
on_read (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;
  Request *request = request_of (message);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsUploadObject) object = hls_upload_read_finish (result, &error);

  if (!request || !request->waits)
    return;
  if (object)
    answer_object (request, object);
  else
    answer_error (request, error);
}

/* What is in the spool only is there as well. */
static gboolean
answer_from_spool (Request *request, gboolean with_data)
{
  g_autoptr (AmsBody) body =
      hls_upload_queue_peek (request->server->queue, request->name);
  g_autoptr (GBytes) data = body ? read_from_spool (body, 0) : NULL;
  HlsUploadObject object = { .data = with_data ? data : NULL };

  if (!data)
    return FALSE;
  object.size = ams_body_get_size (body);
  object.type = (gchar *) ams_file_content_type (
      hls_upload_role_of (request->name), request->name);
  request->spooled = g_steal_pointer (&body);
  answer_object (request, &object);
  return TRUE;
}

static void
begin_read (Request *request, gboolean with_data)
{
  HlsUploadServer *self = request->server;

  if (answer_from_spool (request, with_data))
    return;
  wait (request);
  if (with_data)
    hls_upload_read_async (self->store, request->name, 0, NULL,
        request->cancellable, on_read, g_object_ref (request->message));
  else
    hls_upload_look_async (self->store, request->name, request->cancellable,
        on_read, g_object_ref (request->message));
}

/* From libsoup */

static void
on_started (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->server = user_data;
  request->message = message;
  request->cancellable = g_cancellable_new ();
  g_object_set_data_full (G_OBJECT (message), REQUEST_KEY, request,
      request_free);
  start_timeout (request);
}

static void
on_headers (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  HlsUploadServer *self = user_data;
  Request *request = request_of (message);
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  g_autofree gchar *name = NULL;
  g_autoptr (GError) error = NULL;

  start_timeout (request);
  if (!hls_upload_check (self->options, self->auth, self->requests, message,
          &name, &request->conditional, &error)) {
    g_autofree gchar *sentence = hls_upload_sentence_of (error);

    cut_off (request, error->code, sentence);
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
  Request *request = request_of (message);
  const gchar *method = soup_server_message_get_method (message);

  if (request->closing)
    return;
  if (request->task) {
    end_put (request);
  } else if (strcmp (method, "DELETE") == 0) {
    wait (request);
    hls_upload_queue_remove (request->server->queue, request->name,
        on_remove_done, g_object_ref (message));
  } else {
    begin_read (request, strcmp (method, "GET") == 0);
  }
}

static void
on_ended (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  Request *request = request_of (message);

  if (!request)
    return;
  request_end (request);
  if (request->waits) {
    request->waits = FALSE;
    g_object_unref (message);
  }
}

/* Life */

static void
on_accepted (HlsUploadConnection *connection, GSocketAddress *local,
    GSocketAddress *remote, gpointer user_data)
{
  HlsUploadServer *self = user_data;

  g_object_set_data_full (G_OBJECT (remote), CONNECTION_KEY,
      g_object_ref (connection), g_object_unref);
  soup_server_accept_iostream (self->soup, G_IO_STREAM (connection), local,
      remote, NULL);
}

void
hls_upload_server_close (HlsUploadServer *self)
{
  g_clear_pointer (&self->listener, hls_upload_listener_free);
}

void
hls_upload_server_free (HlsUploadServer *self)
{
  hls_upload_server_close (self);
  g_signal_handlers_disconnect_by_data (self->soup, self);
  g_object_unref (self->soup);
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
  self->listener = hls_upload_listener_new (options->address, options->port,
      options->certificate, options->private_key, on_accepted, self, error);
  if (self->listener)
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
