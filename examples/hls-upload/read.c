/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "read.h"

#include "s3/amss3exchange.h"
#include "s3/amss3headers.h"
#include "s3/amss3key.h"

typedef struct
{
  AmsS3Request request;
  GPtrArray *headers;
  gchar *key;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_ptr_array_unref (reading->headers);
  g_free (reading->key);
  g_free (reading);
}

void
hls_upload_object_free (HlsUploadObject *object)
{
  g_clear_pointer (&object->data, g_bytes_unref);
  g_free (object->type);
  g_free (object->etag);
  g_free (object->modified);
  g_free (object);
}

static HlsUploadObject *
object_new (AmsHttpReply *reply, gboolean with_data)
{
  HlsUploadObject *object = g_new0 (HlsUploadObject, 1);
  SoupMessageHeaders *headers = reply->headers;

  if (with_data)
    object->data =
        reply->body ? g_bytes_ref (reply->body) : g_bytes_new (NULL, 0);
  object->size = with_data
      ? g_bytes_get_size (object->data)
      : (guint64) soup_message_headers_get_content_length (headers);
  object->type =
      g_strdup (soup_message_headers_get_one (headers, "Content-Type"));
  object->etag = g_strdup (soup_message_headers_get_one (headers, "ETag"));
  object->modified =
      g_strdup (soup_message_headers_get_one (headers, "Last-Modified"));
  return object;
}

static void
on_sent (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Reading *reading = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (reply->error)
    g_task_return_error (task, g_steal_pointer (&reply->error));
  else
    g_task_return_pointer (task,
        object_new (reply->http, reading->request.operation == AMS_S3_GET),
        (GDestroyNotify) hls_upload_object_free);
}

void
hls_upload_object_answer (const HlsUploadObject *object,
    SoupServerMessage *message)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  if (object->type)
    soup_message_headers_replace (headers, "Content-Type", object->type);
  if (object->etag)
    soup_message_headers_replace (headers, "ETag", object->etag);
  if (object->modified)
    soup_message_headers_replace (headers, "Last-Modified", object->modified);
  if (object->data)
    soup_message_body_append_bytes (
        soup_server_message_get_response_body (message), object->data);
  else
    soup_message_headers_set_content_length (headers, object->size);
  soup_server_message_set_status (message, 200, NULL);
}

void
hls_upload_read_async (AmsS3Store *store, const gchar *name, gboolean with_data,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsS3Place *place = ams_s3_store_get_place (store);
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  Reading *reading = g_new0 (Reading, 1);
  GError *error = NULL;

  reading->headers = ams_s3_headers_new_reading (&place->options);
  reading->key = ams_s3_key_new (place->options.prefix, name, &error);
  g_task_set_task_data (task, reading, reading_free);
  if (!reading->key) {
    g_task_return_error (task, error);
    return;
  }
  reading->request =
      (AmsS3Request){ .operation = with_data ? AMS_S3_GET : AMS_S3_HEAD,
        .method = with_data ? "GET" : "HEAD",
        .key = reading->key,
        .headers = ams_s3_headers_peek (reading->headers),
        .max_reply = max_size };
  ams_s3_send_async (place, &reading->request, cancellable, on_sent,
      g_object_ref (task));
}

HlsUploadObject *
hls_upload_read_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
