/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3guard.h"

#include "http/amshttpguard.h"
#include "s3/amss3exchange.h"
#include "s3/amss3headers.h"

#include <string.h>

typedef struct
{
  AmsS3Place *place;
  gchar *key;
  AmsBody *body, *plain; /* nullable */
  GPtrArray *headers;
  AmsS3Request request;
  AmsListSeen seen;
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  g_ptr_array_unref (look->headers);
  ams_list_seen_clear (&look->seen);
  g_clear_object (&look->body);
  g_clear_object (&look->plain);
  g_free (look->key);
  g_free (look);
}

static Look *
look_new (AmsS3Place *place, const gchar *key)
{
  Look *look = g_new0 (Look, 1);

  look->place = place;
  look->key = g_strdup (key);
  look->headers = ams_s3_headers_new_reading (&place->options);
  ams_s3_headers_add (look->headers, "Range", "bytes=-1024");
  G_STATIC_ASSERT (AMS_LIST_TAIL == 1024);
  look->request = (AmsS3Request){ .operation = AMS_S3_GET_PART,
    .method = "GET",
    .key = look->key,
    .headers = ams_s3_headers_peek (look->headers),
    .sink = ams_list_seen_piece,
    .sink_data = &look->seen };
  return look;
}

static gboolean
take_total (Look *look, const AmsHttpReply *http)
{
  const gchar *range =
      soup_message_headers_get_one (http->headers, "Content-Range");
  const gchar *slash = range ? strrchr (range, '/') : NULL;

  return slash &&
      g_ascii_string_to_unsigned (slash + 1, 10, 0, G_MAXUINT64,
          &look->seen.size, NULL);
}

/* FALSE: it does not say what is there. */
static gboolean
take_reply (Look *look, const AmsS3Reply *reply)
{
  const AmsHttpReply *http = reply->http;

  if (reply->error) {
    look->seen.exists = http->status == 416; /* there is nothing in it */
    return look->seen.exists ||
        g_error_matches (reply->error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
  }
  look->seen.exists = TRUE;
  look->seen.etag =
      g_strdup (soup_message_headers_get_one (http->headers, "ETag"));
  return http->status == 200 || take_total (look, http);
}

static void
judge (GTask *task)
{
  Look *look = g_task_get_task_data (task);
  AmsListVerdict verdict = ams_list_guard_judge (look->place->guard, look->key,
      &look->seen, look->body, look->plain);
  g_autofree gchar *shown = NULL;

  if (verdict != AMS_LIST_FOREIGN) {
    g_task_return_int (task, verdict);
    return;
  }
  shown = ams_s3_place_display (look->place, look->key);
  g_task_return_error (task, ams_list_guard_error (shown));
}

static GError *
no_size_error (const Look *look, const AmsS3Reply *reply)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, reply->http->status, 0,
      "The store does not say how large “%s” is", look->key);
}

static void
on_looked (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (take_reply (look, reply))
    judge (task);
  else if (reply->error)
    g_task_return_error (task, g_steal_pointer (&reply->error));
  else
    g_task_return_error (task, no_size_error (look, reply));
}

void
ams_s3_guard_look_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Look *look = look_new (place, key);

  look->body = g_object_ref (body);
  look->plain = plain ? g_object_ref (plain) : NULL;
  g_task_set_task_data (task, look, look_free);
  ams_s3_send_async (place, &look->request, cancellable, on_looked,
      g_object_ref (task));
}

gboolean
ams_s3_guard_look_finish (GAsyncResult *result, AmsListVerdict *verdict,
    gchar **etag, GError **error)
{
  Look *look = g_task_get_task_data (G_TASK (result));
  gssize found = g_task_propagate_int (G_TASK (result), error);

  if (found < 0)
    return FALSE;
  *verdict = (AmsListVerdict) found;
  *etag = g_strdup (look->seen.etag);
  return TRUE;
}

static void
on_suspected (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  g_task_return_boolean (task,
      reply && take_reply (look, reply) &&
          ams_list_guard_is_foreign (look->place->guard, look->key,
              &look->seen));
}

void
ams_s3_guard_suspect_async (AmsS3Place *place, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  g_autofree gchar *key = ams_list_guard_dup_any (place->guard);
  Look *look;

  if (!place->options.guard_lists || !key) {
    g_task_return_boolean (task, FALSE);
    return;
  }
  look = look_new (place, key);
  g_task_set_task_data (task, look, look_free);
  ams_s3_send_async (place, &look->request, cancellable, on_suspected,
      g_object_ref (task));
}

gboolean
ams_s3_guard_suspect_finish (GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}

static void
on_peeked (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (take_reply (look, reply))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task,
        reply->error ? g_steal_pointer (&reply->error)
                     : no_size_error (look, reply));
}

void
ams_s3_guard_peek_async (AmsS3Place *place, const gchar *key,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Look *look = look_new (place, key);

  g_task_set_task_data (task, look, look_free);
  ams_s3_send_async (place, &look->request, cancellable, on_peeked,
      g_object_ref (task));
}

gboolean
ams_s3_guard_peek_finish (GAsyncResult *result, AmsListSeen *seen,
    GError **error)
{
  Look *look = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  *seen = look->seen;
  look->seen.etag = NULL;
  return TRUE;
}

static gboolean
is_list_key (const gchar *key)
{
  return g_str_has_suffix (key, ".m3u8") || g_str_has_suffix (key, ".m3u");
}

void
ams_s3_guard_note_read (AmsS3Place *place, const gchar *key,
    const AmsHttpReply *reply)
{
  g_auto (AmsListSeen) seen = { .exists = TRUE };
  gsize size = 0;
  const guint8 *data =
      reply->body ? g_bytes_get_data (reply->body, &size) : NULL;

  if (!is_list_key (key))
    return;
  ams_list_seen_piece (data, size, &seen);
  seen.etag = g_strdup (soup_message_headers_get_one (reply->headers, "ETag"));
  ams_list_guard_note_read (place->guard, key, &seen);
}

void
ams_s3_guard_note_absent (AmsS3Place *place, const gchar *key)
{
  if (is_list_key (key))
    ams_list_guard_note_absent (place->guard, key);
}
