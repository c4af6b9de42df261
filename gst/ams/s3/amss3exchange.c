/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3exchange.h"

#include "s3/amss3headers.h"
#include "s3/amss3message.h"
#include "s3/amss3sentence.h"

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN (ams_s3_store_debug);
#define GST_CAT_DEFAULT ams_s3_store_debug

void
ams_s3_reply_free (AmsS3Reply *reply)
{
  ams_http_reply_free (reply->http);
  ams_s3_answer_free (reply->answer);
  g_clear_error (&reply->error);
  g_free (reply);
}

/* Exchanges */

typedef struct
{
  AmsS3Place *place;
  const AmsS3Request *request;
  AmsHttpRequest http;
  AmsS3Identity *identity; /* nullable */
  gchar *region; /* that this was signed for */
  gint64 clock_offset; /* that this was signed with */
  gboolean refreshed, clock_set, moved; /* once each */
} Exchange;

static void
exchange_free (gpointer data)
{
  Exchange *exchange = data;

  g_clear_pointer (&exchange->http.uri, g_uri_unref);
  g_clear_pointer (&exchange->identity, ams_s3_identity_unref);
  g_free (exchange->region);
  g_free (exchange);
}

static void
sign (SoupMessage *message, gpointer user_data)
{
  Exchange *exchange = user_data;
  const gchar *sha256 = exchange->request->sha256;

  ams_s3_sign_message (exchange->place->signer, message, exchange->identity,
      exchange->region, sha256 ? sha256 : AMS_S3_EMPTY_SHA256,
      g_get_real_time () + exchange->clock_offset);
}

static gboolean
take_piece (const guint8 *data, gsize size, gpointer user_data)
{
  Exchange *exchange = user_data;

  return exchange->request->sink (data, size, exchange->request->sink_data);
}

static void
make_http (Exchange *exchange)
{
  AmsS3Place *place = exchange->place;
  const AmsS3Request *request = exchange->request;
  g_autofree gchar *query =
      request->query ? ams_s3_query (request->query) : NULL;

  g_clear_pointer (&exchange->http.uri, g_uri_unref);
  g_free (exchange->region);
  exchange->region = g_strdup (place->region);
  exchange->clock_offset = place->clock_offset;
  exchange->http = (AmsHttpRequest){
    .method = request->method,
    .uri = ams_s3_endpoint_to_uri (place->endpoint, place->options.addressing,
        place->options.bucket, request->key, query),
    .headers = request->headers,
    .body = request->body,
    .bytes = request->bytes,
    .fresh_connection = request->fresh_connection,
    .expect = request->expect,
    .with_length = TRUE,
    .redirect_is_answer = TRUE,
    .max_reply = request->max_reply ? request->max_reply : AMS_S3_MAX_REPLY,
    .sink = request->sink ? take_piece : NULL,
    .prepare = sign,
    .user_data = exchange,
  };
}

static AmsS3Reply *
read_reply (Exchange *exchange, AmsHttpReply *http)
{
  AmsS3Place *place = exchange->place;
  AmsS3Asked asked = {
    .operation = exchange->request->operation,
    .host = place->endpoint->host,
    .bucket = place->options.bucket,
    .key = exchange->request->key,
    .region = exchange->region,
    .dynamic = ams_s3_credentials_is_dynamic (place->credentials),
    .clock_offset = exchange->clock_offset,
  };
  AmsS3Reply *reply = g_new0 (AmsS3Reply, 1);
  g_autofree gchar *details = NULL;

  reply->http = http;
  reply->answer = ams_s3_answer_new (&asked, http->status, http->headers,
      http->body, http->received);
  if (reply->answer->success)
    return reply;
  reply->error = ams_s3_answer_to_error (reply->answer, &asked);
  details = ams_s3_answer_to_details (reply->answer);
  GST_INFO ("%s %s: %s (%s)", exchange->request->method,
      asked.key ? asked.key : asked.bucket, details,
      ams_s3_action_to_string (reply->answer->action));
  return reply;
}

/* Fixes. TRUE: what this can do is done, so that it may be sent again. */

static gboolean
refresh (Exchange *exchange)
{
  if (exchange->refreshed)
    return FALSE;
  exchange->refreshed = TRUE;
  ams_s3_credentials_invalidate (exchange->place->credentials,
      exchange->identity);
  return TRUE;
}

static gboolean
set_clock (Exchange *exchange, gint64 offset)
{
  if (exchange->clock_set)
    return FALSE;
  exchange->clock_set = TRUE;
  if (exchange->place->clock_offset == 0)
    GST_WARNING ("This computer's clock is %" G_GINT64_FORMAT
                 " s behind that of %s, by which requests are signed from now "
                 "on; set it right",
        offset / G_USEC_PER_SEC, exchange->place->endpoint->host);
  exchange->place->clock_offset = offset;
  return TRUE;
}

static gboolean
move (Exchange *exchange, const gchar *region)
{
  if (exchange->moved || !region)
    return FALSE;
  exchange->moved = TRUE;
  GST_INFO ("the bucket is in the region %s", region);
  ams_s3_place_move (exchange->place, region);
  return TRUE;
}

static gboolean
fix (Exchange *exchange, const AmsS3Answer *answer)
{
  switch (answer->action) {
    case AMS_S3_ACTION_REFRESH_CREDENTIALS:
      return refresh (exchange);
    case AMS_S3_ACTION_FIX_CLOCK:
      return set_clock (exchange, answer->clock_offset);
    case AMS_S3_ACTION_FIX_REGION:
      return g_strcmp0 (answer->region, exchange->region) != 0 &&
          move (exchange, answer->region);
    default:
      return FALSE;
  }
}

static void get_credentials (GTask *task);

static void
on_reply (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Exchange *exchange = g_task_get_task_data (task);
  GError *error = NULL;
  AmsHttpReply *http =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);
  g_autoptr (AmsS3Reply) reply = NULL;

  if (!http) {
    g_task_return_error (task, error);
    return;
  }
  reply = read_reply (exchange, http);
  if (reply->error && fix (exchange, reply->answer))
    get_credentials (task);
  else
    g_task_return_pointer (task, g_steal_pointer (&reply),
        (GDestroyNotify) ams_s3_reply_free);
}

static void
on_credentials (GObject *credentials, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Exchange *exchange = g_task_get_task_data (task);
  GError *error = NULL;

  g_clear_pointer (&exchange->identity, ams_s3_identity_unref);
  exchange->identity = ams_s3_credentials_get_finish (
      AMS_S3_CREDENTIALS (credentials), result, &error);
  if (!exchange->identity) {
    g_task_return_error (task, error);
    return;
  }
  make_http (exchange);
  ams_http_client_send_async (exchange->place->client, &exchange->http,
      g_task_get_cancellable (task), on_reply, g_object_ref (task));
}

static void
get_credentials (GTask *task)
{
  Exchange *exchange = g_task_get_task_data (task);

  ams_s3_credentials_get_async (exchange->place->credentials,
      g_task_get_cancellable (task), on_credentials, g_object_ref (task));
}

static GTask *
new_exchange (AmsS3Place *place, const AmsS3Request *request,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (place->store, cancellable, callback, user_data);
  Exchange *exchange = g_new0 (Exchange, 1);

  exchange->place = place;
  exchange->request = request;
  g_task_set_task_data (task, exchange, exchange_free);
  /* What was answered counts, also when it was cancelled meanwhile. */
  g_task_set_check_cancellable (task, FALSE);
  return task;
}

/* Aborting what a crash left, before anything else. What cannot be aborted now stays in the
 * file for the next start. */

typedef struct
{
  GTask *task; /* that comes after it */
  AmsS3Upload *upload;
  const gchar *query[3];
  GPtrArray *headers;
  AmsS3Request request;
} Sweep;

static void sweep_next (Sweep *sweep);

static void
sweep_end (Sweep *sweep)
{
  g_autoptr (GTask) task = sweep->task;

  g_clear_pointer (&sweep->upload, ams_s3_upload_free);
  g_ptr_array_unref (sweep->headers);
  g_free (sweep);
  get_credentials (task);
}

static void
on_aborted (GObject *store, GAsyncResult *result, gpointer user_data)
{
  Sweep *sweep = user_data;
  AmsS3Place *place = ((Exchange *) g_task_get_task_data (sweep->task))->place;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, NULL);

  if (reply && !reply->error)
    ams_s3_uploads_remove (place->uploads, sweep->upload->key,
        sweep->upload->upload_id);
  if (reply)
    sweep_next (sweep);
  else
    sweep_end (sweep);
}

static void
sweep_next (Sweep *sweep)
{
  AmsS3Place *place = ((Exchange *) g_task_get_task_data (sweep->task))->place;
  g_autoptr (GTask) abort = NULL;

  g_clear_pointer (&sweep->upload, ams_s3_upload_free);
  sweep->upload = ams_s3_uploads_take (place->uploads);
  if (!sweep->upload) {
    sweep_end (sweep);
    return;
  }
  sweep->query[0] = "uploadId";
  sweep->query[1] = sweep->upload->upload_id;
  sweep->request = (AmsS3Request){ .operation = AMS_S3_UPLOAD_ABORT,
    .method = "DELETE",
    .key = sweep->upload->key,
    .query = sweep->query,
    .headers = ams_s3_headers_peek (sweep->headers) };
  abort = new_exchange (place, &sweep->request,
      g_task_get_cancellable (sweep->task), on_aborted, sweep);
  get_credentials (abort);
}

void
ams_s3_send_async (AmsS3Place *place, const AmsS3Request *request,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Sweep *sweep = g_new0 (Sweep, 1);

  sweep->task = new_exchange (place, request, cancellable, callback, user_data);
  sweep->headers = ams_s3_headers_new (&place->options);
  sweep_next (sweep);
}

AmsS3Reply *
ams_s3_send_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
