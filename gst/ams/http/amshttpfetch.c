/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpfetch.h"

#include "http/amshttpguard.h"
#include "http/amshttpread.h"

#include <string.h>

typedef struct
{
  AmsHttpPlace *place;
  gchar *name;
  guint64 max_size;
  gchar *range; /* (nullable) */
  const gchar *headers[7];
  AmsHttpRequest request;
  AmsHttpPatience patience;
} Fetch;

static void
fetch_free (gpointer data)
{
  Fetch *fetch = data;

  g_free (fetch->name);
  g_free (fetch->range);
  ams_http_request_clear (&fetch->request);
  g_free (fetch);
}

static GBytes *
unpack (Fetch *fetch, const AmsHttpReply *reply, GError **error)
{
  g_autoptr (GError) why = NULL;
  GBytes *plain = ams_http_reply_unpack (reply, fetch->max_size, &why);
  g_autofree gchar *url = NULL;

  if (plain)
    return plain;
  url = ams_http_url_to_display (fetch->place->options.url, fetch->name);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 200, 0,
          "“%s” could not be read: %s", url, why->message));
  return NULL;
}

static gboolean
is_success (const Fetch *fetch, guint status)
{
  return ams_http_status_is_success (AMS_HTTP_GET, status) ||
      (fetch->range && status == 206);
}

static GBytes *
read_reply (Fetch *fetch, const AmsHttpReply *reply, GError **error)
{
  if (is_success (fetch, reply->status))
    return fetch->max_size == 0 ? g_bytes_new (NULL, 0)
                                : unpack (fetch, reply, error);
  g_propagate_error (error,
      ams_http_place_error (fetch->place, AMS_HTTP_GET, fetch->name, reply));
  return NULL;
}

static void send_fetch (GTask *task);

static gboolean
on_delay (gpointer user_data)
{
  GTask *task = user_data;

  if (!g_task_return_error_if_cancelled (task))
    send_fetch (task);
  return G_SOURCE_REMOVE;
}

static void
on_fetched (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Fetch *fetch = g_task_get_task_data (task);
  GError *error = NULL;
  GBytes *bytes = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (reply)
    bytes = read_reply (fetch, reply, &error);
  if (reply && fetch->max_size > 0 && !fetch->range)
    ams_http_guard_note_reply (fetch->place, fetch->name, reply);
  if (bytes)
    g_task_return_pointer (task, bytes, (GDestroyNotify) g_bytes_unref);
  else if (ams_http_patience_wait (&fetch->patience, task, error, on_delay))
    g_error_free (error);
  else
    g_task_return_error (task, error);
}

static void
send_fetch (GTask *task)
{
  Fetch *fetch = g_task_get_task_data (task);

  fetch->request.fresh_connection = fetch->patience.attempts > 0;
  fetch->patience.attempts++;
  ams_http_client_send_async (fetch->place->client, &fetch->request,
      g_task_get_cancellable (task), on_fetched, g_object_ref (task));
}

static void
ask_for_head (Fetch *fetch, guint64 head)
{
  const gchar *const headers[] = { "Accept-Encoding", "identity",
    "Cache-Control", "no-cache", "Range", NULL, NULL };

  fetch->range = g_strdup_printf ("bytes=0-%" G_GUINT64_FORMAT, head - 1);
  memcpy (fetch->headers, headers, sizeof headers);
  fetch->headers[5] = fetch->range;
  fetch->request.headers = fetch->headers;
}

void
ams_http_fetch_async (AmsHttpPlace *place, AmsStore *store, const gchar *name,
    guint64 head, guint64 max_size, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  Fetch *fetch = g_new0 (Fetch, 1);

  fetch->place = place;
  fetch->name = g_strdup (name);
  fetch->max_size = max_size;
  ams_http_patience_init (&fetch->patience, place->patience);
  ams_http_place_request (place, &fetch->request, max_size > 0 ? "GET" : "HEAD",
      name);
  if (head > 0)
    ask_for_head (fetch, head);
  fetch->request.max_reply = CLAMP (max_size, 1, G_MAXSSIZE);
  g_task_set_task_data (task, fetch, fetch_free);
  send_fetch (task);
}

GBytes *
ams_http_fetch_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
