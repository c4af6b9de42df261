/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "download.h"

#include "names.h"
#include "read.h"

static void
append_piece (HlsUploadRequest *request, GBytes *data)
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
  HlsUploadRequest *request = hls_upload_request_of (message);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsUploadObject) piece = hls_upload_read_finish (result, &error);

  if (!request || !request->waits)
    return;
  if (!piece || piece->size != request->size ||
      g_bytes_get_size (piece->data) == 0) {
    hls_upload_request_break_off (request);
    return;
  }
  append_piece (request, piece->data);
  hls_upload_request_go_on (request);
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
append_from_spool (HlsUploadRequest *request)
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
send_next_piece (HlsUploadRequest *request)
{
  hls_upload_request_start_timeout (request);
  if (append_from_spool (request)) {
    hls_upload_request_go_on (request);
    return;
  }
  if (!request->waits)
    hls_upload_request_wait (request);
  hls_upload_read_async (request->server->store, request->name, request->next,
      request->etag, request->cancellable, on_piece,
      g_object_ref (request->message));
}

static void
on_wrote_chunk (SoupServerMessage *message, gpointer user_data)
{
  HlsUploadRequest *request = hls_upload_request_of (message);

  if (!request->closing && request->next < request->end)
    send_next_piece (request);
}

static void
answer_object (HlsUploadRequest *request, const HlsUploadObject *object)
{
  hls_upload_request_begin_answer (request);
  hls_upload_object_answer (object, request->message, &request->next,
      &request->end);
  if (request->next == request->end) {
    hls_upload_request_go_on (request);
    return;
  }
  request->size = object->size;
  request->etag = g_strdup (object->etag);
  g_signal_connect (request->message, "wrote-chunk",
      G_CALLBACK (on_wrote_chunk), NULL);
  if (soup_server_message_get_response_body (request->message)->length > 0)
    hls_upload_request_go_on (request);
  else
    send_next_piece (request);
}

static void
on_read (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;
  HlsUploadRequest *request = hls_upload_request_of (message);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsUploadObject) object = hls_upload_read_finish (result, &error);

  if (!request || !request->waits)
    return;
  if (object)
    answer_object (request, object);
  else
    hls_upload_request_answer_error (request, error);
}

/* What is in the spool only is there as well. */
static gboolean
answer_from_spool (HlsUploadRequest *request, gboolean with_data)
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

void
hls_upload_download (HlsUploadRequest *request, gboolean with_data)
{
  HlsUploadServer *self = request->server;

  if (answer_from_spool (request, with_data))
    return;
  hls_upload_request_wait (request);
  if (with_data)
    hls_upload_read_async (self->store, request->name, 0, NULL,
        request->cancellable, on_read, g_object_ref (request->message));
  else
    hls_upload_look_async (self->store, request->name, request->cancellable,
        on_read, g_object_ref (request->message));
}
