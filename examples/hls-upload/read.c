/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "read.h"

#include "s3/amss3exchange.h"
#include "s3/amss3headers.h"
#include "s3/amss3key.h"

#include <string.h>

typedef struct
{
  AmsS3Request request;
  GPtrArray *headers;
  gchar *key;
  guint64 offset;
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

/* FALSE: what came is not what was asked for. */
static gboolean
read_piece (HlsUploadObject *object, const AmsHttpReply *reply, guint64 offset)
{
  goffset start = 0, end, total;

  object->data =
      reply->body ? g_bytes_ref (reply->body) : g_bytes_new (NULL, 0);
  object->size = g_bytes_get_size (object->data);
  if (reply->status == 206) {
    if (!soup_message_headers_get_content_range (reply->headers, &start, &end,
            &total) ||
        (guint64) (end - start + 1) != object->size || total <= end)
      return FALSE;
    object->size = total;
  }
  object->offset = start;
  return object->offset == offset;
}

/* (transfer full) (nullable) */
static HlsUploadObject *
object_new (const AmsHttpReply *reply, const Reading *reading)
{
  g_autoptr (HlsUploadObject) object = g_new0 (HlsUploadObject, 1);
  SoupMessageHeaders *headers = reply->headers;

  object->size = soup_message_headers_get_content_length (headers);
  object->type =
      g_strdup (soup_message_headers_get_one (headers, "Content-Type"));
  object->etag = g_strdup (soup_message_headers_get_one (headers, "ETag"));
  object->modified =
      g_strdup (soup_message_headers_get_one (headers, "Last-Modified"));
  if (reading->request.operation != AMS_S3_HEAD &&
      !read_piece (object, reply, reading->offset))
    return NULL;
  return g_steal_pointer (&object);
}

static void
return_object (GTask *task, const AmsHttpReply *reply)
{
  HlsUploadObject *object = object_new (reply, g_task_get_task_data (task));

  if (object)
    g_task_return_pointer (task, object,
        (GDestroyNotify) hls_upload_object_free);
  else
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, reply->status, 0,
            "The store sent another part of it than was asked for"));
}

static void on_sent (GObject *store, GAsyncResult *result, gpointer user_data);

static void
send_request (GTask *task)
{
  Reading *reading = g_task_get_task_data (task);

  reading->request.headers = ams_s3_headers_peek (reading->headers);
  ams_s3_send_async (ams_s3_store_get_place (g_task_get_source_object (task)),
      &reading->request, g_task_get_cancellable (task), on_sent,
      g_object_ref (task));
}

/* An empty object has no part at all. */
static gboolean
is_empty (const Reading *reading, const AmsHttpReply *reply)
{
  return reply->status == 416 && reading->offset == 0 &&
      reading->request.operation == AMS_S3_GET_PART;
}

static void
send_whole (GTask *task)
{
  AmsS3Place *place = ams_s3_store_get_place (g_task_get_source_object (task));
  Reading *reading = g_task_get_task_data (task);

  g_ptr_array_unref (reading->headers);
  reading->headers = ams_s3_headers_new_reading (&place->options);
  reading->request.operation = AMS_S3_GET;
  send_request (task);
}

static void
on_sent (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (is_empty (g_task_get_task_data (task), reply->http))
    send_whole (task);
  else if (reply->error)
    g_task_return_error (task, g_steal_pointer (&reply->error));
  else
    return_object (task, reply->http);
}

/* Answering */

/* Only “-N” is before the start: what is so far behind the end that it overflows is not. */
static gboolean
is_behind (SoupMessageHeaders *headers, goffset first)
{
  const gchar *range = soup_message_headers_get_one (headers, "Range");
  const gchar *start = range ? strchr (range, '=') : NULL;

  return first < 0 && start && start[1 + strspn (start + 1, " ")] != '-';
}

/* What of it the client asked for: 206, *@start to *@end; 200, the whole, as also of several ranges; 416, what
 * is not there. libsoup's own way answers what ends behind the end with nothing. */
static guint
find_range (const HlsUploadObject *object, SoupServerMessage *message,
    guint64 *start, guint64 *end)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  goffset size = object->size, first, last;
  SoupRange *ranges;
  int n;

  *start = 0;
  *end = size;
  if (!soup_message_headers_get_ranges (headers, size, &ranges, &n))
    return 200;
  first =
      is_behind (headers, ranges[0].start) ? size : MAX (ranges[0].start, 0);
  last = MIN (ranges[0].end, size - 1);
  soup_message_headers_free_ranges (headers, ranges);
  if (n != 1)
    return 200;
  *start = MIN (first, size);
  *end = MAX (last + 1, (goffset) *start);
  return *start < *end ? 206 : 416;
}

static void
say_range (const HlsUploadObject *object, SoupServerMessage *message,
    guint64 start, guint64 end)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Accept-Ranges", "bytes");
  soup_message_headers_set_content_length (headers, end - start);
  if (soup_server_message_get_status (message) == 206)
    soup_message_headers_set_content_range (headers, start, end - 1,
        object->size);
}

static void
answer_nothing (const HlsUploadObject *object, SoupServerMessage *message)
{
  g_autofree gchar *range =
      g_strdup_printf ("bytes */%" G_GUINT64_FORMAT, object->size);
  g_autofree gchar *text =
      g_strdup_printf ("The file has %" G_GUINT64_FORMAT
                       " bytes, and none of them was asked for.\n",
          object->size);

  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), "Content-Range",
      range);
  soup_server_message_set_response (message, "text/plain; charset=utf-8",
      SOUP_MEMORY_COPY, text, strlen (text));
}

static void
answer_data (const HlsUploadObject *object, SoupServerMessage *message,
    guint64 *next, guint64 *end)
{
  SoupMessageBody *body = soup_server_message_get_response_body (message);
  guint64 have = g_bytes_get_size (object->data);
  guint status = find_range (object, message, next, end);

  soup_server_message_set_status (message, status, NULL);
  if (status == 416) {
    answer_nothing (object, message);
    return;
  }
  soup_message_body_set_accumulate (body, FALSE);
  say_range (object, message, *next, *end);
  if (*next < MIN (have, *end)) {
    guint64 size = MIN (have, *end) - *next;
    g_autoptr (GBytes) first =
        g_bytes_new_from_bytes (object->data, *next, size);

    soup_message_body_append_bytes (body, first);
    *next += size;
  }
}

void
hls_upload_object_answer (const HlsUploadObject *object,
    SoupServerMessage *message, guint64 *next, guint64 *end)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);

  if (object->type)
    soup_message_headers_replace (headers, "Content-Type", object->type);
  if (object->etag)
    soup_message_headers_replace (headers, "ETag", object->etag);
  if (object->modified)
    soup_message_headers_replace (headers, "Last-Modified", object->modified);
  *next = *end = object->size;
  soup_server_message_set_status (message, 200, NULL);
  if (object->data && object->size > 0)
    answer_data (object, message, next, end);
  else
    say_range (object, message, 0, object->size);
}

/* Asking */

static GTask *
new_task (AmsS3Store *store, const gchar *name, const AmsS3Request *request,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsS3Place *place = ams_s3_store_get_place (store);
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  Reading *reading = g_new0 (Reading, 1);
  GError *error = NULL;

  reading->request = *request;
  reading->headers = ams_s3_headers_new_reading (&place->options);
  reading->key = ams_s3_key_new (place->options.prefix, name, &error);
  reading->request.key = reading->key;
  g_task_set_task_data (task, reading, reading_free);
  if (reading->key)
    return g_steal_pointer (&task);
  g_task_return_error (task, error);
  return NULL;
}

void
hls_upload_read_async (AmsS3Store *store, const gchar *name, guint64 offset,
    const gchar *etag, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsS3Request request = { .operation = AMS_S3_GET_PART,
    .method = "GET",
    .max_reply = HLS_UPLOAD_PIECE };
  g_autoptr (GTask) task =
      new_task (store, name, &request, cancellable, callback, user_data);
  g_autofree gchar *range =
      g_strdup_printf ("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, offset,
          offset + HLS_UPLOAD_PIECE - 1);
  Reading *reading;

  if (!task)
    return;
  reading = g_task_get_task_data (task);
  reading->offset = offset;
  ams_s3_headers_add (reading->headers, "Range", range);
  ams_s3_headers_add (reading->headers, "If-Match", etag);
  send_request (task);
}

void
hls_upload_look_async (AmsS3Store *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsS3Request request = { .operation = AMS_S3_HEAD, .method = "HEAD" };
  g_autoptr (GTask) task =
      new_task (store, name, &request, cancellable, callback, user_data);

  if (task)
    send_request (task);
}

HlsUploadObject *
hls_upload_read_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
