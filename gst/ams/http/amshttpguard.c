/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpguard.h"

#include "transfer/amsstore.h"

#include <string.h>

static const gchar *const tail_headers[] = { "Accept-Encoding", "identity",
  "Cache-Control", "no-cache", "Range", "bytes=-1024", NULL };
G_STATIC_ASSERT (AMS_LIST_TAIL == 1024);

typedef struct
{
  AmsHttpPlace *place;
  gchar *name;
  AmsBody *body, *plain; /* nullable */
  AmsHttpRequest request;
  AmsListSeen seen;
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  ams_http_request_clear (&look->request);
  ams_list_seen_clear (&look->seen);
  g_clear_object (&look->body);
  g_clear_object (&look->plain);
  g_free (look->name);
  g_free (look);
}

/* The size of the whole, of which a part came. */
static gboolean
take_total (Look *look, const AmsHttpReply *reply)
{
  const gchar *range =
      soup_message_headers_get_one (reply->headers, "Content-Range");
  const gchar *slash = range ? strrchr (range, '/') : NULL;

  return slash &&
      g_ascii_string_to_unsigned (slash + 1, 10, 0, G_MAXUINT64,
          &look->seen.size, NULL);
}

/* FALSE: it does not say what is there. */
static gboolean
take_reply (Look *look, const AmsHttpReply *reply)
{
  const gchar *etag = soup_message_headers_get_one (reply->headers, "ETag");

  look->seen.exists = reply->status != 404 && reply->status != 410;
  look->seen.etag = g_strdup (etag);
  switch (reply->status) {
    case 206:
      return take_total (look, reply);
    case 416: /* there is nothing in it */
      look->seen.size = look->seen.tail_size = 0;
      return TRUE;
    case 200:
    case 404:
    case 410:
      return TRUE;
    default:
      return FALSE;
  }
}

static Look *
look_new (AmsHttpPlace *place, const gchar *name)
{
  Look *look = g_new0 (Look, 1);

  look->place = place;
  look->name = g_strdup (name);
  ams_http_place_request (place, &look->request, "GET", name);
  look->request.headers = tail_headers;
  look->request.sink = ams_list_seen_piece;
  look->request.user_data = &look->seen;
  return look;
}

GError *
ams_list_guard_error (const gchar *shown)
{
  return ams_store_error_new (AMS_FAILURE_BUSY, 0, 0,
      "Another recorder writes this recording: “%s” is not as it was left "
      "here, and was not overwritten. Nothing more is put there by this one. "
      "End one of the two; with existing=append-or-new or add-date-time=true "
      "this one records beside the other.",
      shown);
}

static void
fail_busy (GTask *task)
{
  Look *look = g_task_get_task_data (task);
  g_autofree gchar *url =
      ams_http_url_to_display (look->place->options.url, look->name);

  g_task_return_error (task, ams_list_guard_error (url));
}

static void
judge (GTask *task)
{
  Look *look = g_task_get_task_data (task);
  AmsListVerdict verdict = ams_list_guard_judge (look->place->guard, look->name,
      &look->seen, look->body, look->plain);

  if (verdict == AMS_LIST_FOREIGN)
    fail_busy (task);
  else
    g_task_return_int (task, verdict);
}

static void
on_looked (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (take_reply (look, reply))
    judge (task);
  else
    g_task_return_error (task,
        ams_http_place_error (look->place, AMS_HTTP_GET, look->name, reply));
}

void
ams_http_guard_look_async (AmsHttpPlace *place, const gchar *name,
    AmsBody *body, AmsBody *plain, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Look *look = look_new (place, name);

  look->body = g_object_ref (body);
  look->plain = plain ? g_object_ref (plain) : NULL;
  g_task_set_task_data (task, look, look_free);
  ams_http_client_send_async (place->client, &look->request, cancellable,
      on_looked, task);
}

gboolean
ams_http_guard_look_finish (GAsyncResult *result, AmsListVerdict *verdict,
    gchar **etag, GError **error)
{
  Look *look = g_task_get_task_data (G_TASK (result));
  gssize found = g_task_propagate_int (G_TASK (result), error);

  if (found < 0)
    return FALSE;
  *verdict = (AmsListVerdict) found;
  *etag = look->seen.etag && look->seen.etag[0] == '"'
      ? g_strdup (look->seen.etag)
      : NULL;
  return TRUE;
}

static void
on_suspected (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  g_task_return_boolean (task,
      reply && take_reply (look, reply) &&
          ams_list_guard_is_foreign (look->place->guard, look->name,
              &look->seen));
}

void
ams_http_guard_suspect_async (AmsHttpPlace *place, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autofree gchar *name = ams_list_guard_dup_any (place->guard);
  Look *look;

  if (!place->options.guard_lists || !name) {
    g_task_return_boolean (task, FALSE);
    g_object_unref (task);
    return;
  }
  look = look_new (place, name);
  g_task_set_task_data (task, look, look_free);
  ams_http_client_send_async (place->client, &look->request, cancellable,
      on_suspected, task);
}

gboolean
ams_http_guard_suspect_finish (GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}

static void
on_peeked (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (take_reply (look, reply))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task,
        ams_http_place_error (look->place, AMS_HTTP_GET, look->name, reply));
}

void
ams_http_guard_peek_async (AmsHttpPlace *place, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Look *look = look_new (place, name);

  g_task_set_task_data (task, look, look_free);
  ams_http_client_send_async (place->client, &look->request, cancellable,
      on_peeked, task);
}

gboolean
ams_http_guard_peek_finish (GAsyncResult *result, AmsListSeen *seen,
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
is_list_name (const gchar *name)
{
  return g_str_has_suffix (name, ".m3u8") || g_str_has_suffix (name, ".m3u");
}

void
ams_http_guard_note_reply (AmsHttpPlace *place, const gchar *name,
    const AmsHttpReply *reply)
{
  g_auto (AmsListSeen) seen = { .exists = TRUE };
  gsize size;
  const guint8 *data =
      reply->body ? g_bytes_get_data (reply->body, &size) : NULL;

  if (!is_list_name (name))
    return;
  if (reply->status == 404 || reply->status == 410) {
    ams_list_guard_note_absent (place->guard, name);
  } else if (reply->status == 200 && data) {
    ams_list_seen_piece (data, size, &seen);
    seen.etag =
        g_strdup (soup_message_headers_get_one (reply->headers, "ETag"));
    ams_list_guard_note_read (place->guard, name, &seen);
  }
}
