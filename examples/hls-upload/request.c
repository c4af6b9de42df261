/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "request.h"

#include "answer.h"
#include "names.h"

#define RETRY_AFTER 1 /* s, of 503 */
#define REQUEST_KEY "hls-upload-request"

/* Life */

static void
stop_timeout (HlsUploadRequest *request)
{
  if (!request->timeout)
    return;
  g_source_destroy (request->timeout);
  g_clear_pointer (&request->timeout, g_source_unref);
}

void
hls_upload_request_let_go (HlsUploadRequest *request)
{
  HlsUploadTask *task = g_steal_pointer (&request->task);

  if (task && request->handed_over)
    hls_upload_task_forget (task);
  else if (task)
    hls_upload_task_abandon (task);
}

void
hls_upload_request_end (HlsUploadRequest *request)
{
  stop_timeout (request);
  hls_upload_request_let_go (request);
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
  HlsUploadRequest *request = data;

  hls_upload_request_end (request);
  g_object_unref (request->cancellable);
  g_free (request);
}

/* libsoup (3.2) takes the length from a 204, as it has to, and then takes the answer for one that the end of the
 * connection ends. */
static void
on_wrote_headers (SoupServerMessage *message, gpointer user_data)
{
  if (soup_server_message_get_status (message) == SOUP_STATUS_NO_CONTENT)
    soup_message_headers_set_encoding (
        soup_server_message_get_response_headers (message), SOUP_ENCODING_NONE);
}

HlsUploadRequest *
hls_upload_request_new (HlsUploadServer *server, SoupServerMessage *message)
{
  HlsUploadRequest *request = g_new0 (HlsUploadRequest, 1);

  request->server = server;
  request->message = message;
  request->cancellable = g_cancellable_new ();
  g_object_set_data_full (G_OBJECT (message), REQUEST_KEY, request,
      request_free);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (on_wrote_headers),
      NULL);
  return request;
}

HlsUploadRequest *
hls_upload_request_of (SoupServerMessage *message)
{
  return g_object_get_data (G_OBJECT (message), REQUEST_KEY);
}

HlsUploadConnection *
hls_upload_request_get_connection (HlsUploadRequest *request)
{
  return g_object_get_data (
      G_OBJECT (soup_server_message_get_remote_address (request->message)),
      HLS_UPLOAD_CONNECTION_KEY);
}

/* Answering */

void
hls_upload_request_go_on (HlsUploadRequest *request)
{
  if (!request->waits)
    return;
  request->waits = FALSE;
  soup_server_message_unpause (request->message);
  g_object_unref (request->message);
}

void
hls_upload_request_wait (HlsUploadRequest *request)
{
  request->waits = TRUE;
  g_object_ref (request->message);
  soup_server_message_pause (request->message);
}

static const gchar *
challenge_of (HlsUploadRequest *request, guint status)
{
  return status == 401 ? hls_upload_auth_get_challenge (request->server->auth)
                       : NULL;
}

/* The last answer of a connection says that it is. */
void
hls_upload_request_begin_answer (HlsUploadRequest *request)
{
  if (request->server->closed)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (request->message),
        "Connection", "close");
}

void
hls_upload_request_answer_error (HlsUploadRequest *request, const GError *error)
{
  guint status = hls_upload_status_of (error, request->conditional);
  guint retry_after = status == 503
      ? MAX (ams_store_error_get_retry_after (error), RETRY_AFTER)
      : 0;
  g_autofree gchar *sentence = hls_upload_sentence_of (error);

  hls_upload_request_begin_answer (request);
  hls_upload_answer_error (request->message, status, sentence, retry_after,
      challenge_of (request, status));
  hls_upload_request_go_on (request);
}

void
hls_upload_request_cut_off (HlsUploadRequest *request, guint status,
    const gchar *sentence)
{
  request->closing = TRUE;
  hls_upload_answer_and_close (request->message,
      hls_upload_connection_get_socket (
          hls_upload_request_get_connection (request)),
      status, sentence, status == 503 ? RETRY_AFTER : 0,
      challenge_of (request, status));
  hls_upload_request_end (request);
}

void
hls_upload_request_break_off (HlsUploadRequest *request)
{
  hls_upload_request_go_on (request);
  hls_upload_request_cut_off (request, 500, "");
}

static gboolean
on_timeout (gpointer user_data)
{
  HlsUploadRequest *request = user_data;
  g_autoptr (GError) error = g_error_new_literal (HLS_UPLOAD_ERROR, 504,
      "The store did not confirm it within --timeout: send it again.");

  stop_timeout (request);
  if (request->next < request->end) {
    hls_upload_request_break_off (request);
  } else if (request->waits) {
    hls_upload_request_let_go (request);
    g_cancellable_cancel (request->cancellable);
    hls_upload_request_answer_error (request, error);
  } else {
    hls_upload_request_cut_off (request, 408,
        "The request took longer than it may: send it again, faster.");
  }
  return G_SOURCE_REMOVE;
}

void
hls_upload_request_start_timeout (HlsUploadRequest *request)
{
  stop_timeout (request);
  request->timeout =
      g_timeout_source_new_seconds (request->server->options->timeout);
  g_source_set_callback (request->timeout, on_timeout, request, NULL);
  g_source_attach (request->timeout, NULL);
}

void
hls_upload_request_begin (HlsUploadRequest *request)
{
  hls_upload_clients_begin (request->server->clients,
      hls_upload_request_get_connection (request));
  hls_upload_request_start_timeout (request);
}
