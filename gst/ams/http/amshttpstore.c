/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpstore.h"

#include "http/amshttpfetch.h"
#include "http/amshttpput.h"
#include "transfer/amscopybody.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY (ams_http_store_debug);

struct _AmsHttpStore
{
  GObject parent;

  AmsHttpPlace place;
};

static void ams_http_store_store_init (AmsStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsHttpStore, ams_http_store, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_http_store_store_init))

/* Options */

static AmsHttpUrl *
copy_url (const AmsHttpUrl *url)
{
  AmsHttpUrl *copy = g_memdup2 (url, sizeof *url);

  copy->scheme = g_strdup (url->scheme);
  copy->host = g_strdup (url->host);
  copy->path = g_strdup (url->path);
  copy->query = g_strdup (url->query);
  copy->user = g_strdup (url->user);
  copy->password = g_strdup (url->password);
  return copy;
}

void
ams_http_store_options_copy (AmsHttpStoreOptions *to,
    const AmsHttpStoreOptions *from)
{
  *to = *from;
  to->url = from->url ? copy_url (from->url) : NULL;
  to->notify_url = g_strdup (from->notify_url);
  to->content_type = g_strdup (from->content_type);
  to->segment_cache_control = g_strdup (from->segment_cache_control);
  to->playlist_cache_control = g_strdup (from->playlist_cache_control);
}

void
ams_http_store_options_clear (AmsHttpStoreOptions *options)
{
  g_clear_pointer (&options->url, ams_http_url_free);
  g_clear_pointer (&options->notify_url, g_free);
  g_clear_pointer (&options->content_type, g_free);
  g_clear_pointer (&options->segment_cache_control, g_free);
  g_clear_pointer (&options->playlist_cache_control, g_free);
}

/* Bodies, putting, fetching */

static AmsBody *
http_create_body (AmsStore *store, const AmsFileBegin *begin)
{
  return begin->local_path ? ams_copy_body_new (begin->local_path) : NULL;
}

static void
http_put_async (AmsStore *store, const AmsPut *put, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_http_put_async (&AMS_HTTP_STORE (store)->place, store, put, cancellable,
      callback, user_data);
}

static gboolean
http_put_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_http_put_finish (result, error);
}

static void
http_fetch_async (AmsStore *store, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  if (partial)
    g_task_report_error (store, callback, user_data, http_fetch_async,
        ams_store_error_new (AMS_FAILURE_ABSENT, 0, 0,
            "An HTTP server has no partial files"));
  else
    ams_http_fetch_async (&AMS_HTTP_STORE (store)->place, store, name, max_size,
        cancellable, callback, user_data);
}

static GBytes *
http_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_http_fetch_finish (result, error);
}

/* Removing and notifying: one request each */

typedef struct
{
  AmsHttpOperation operation;
  gchar *shown;
  gchar *authorization; /* (nullable) */
  const gchar *headers[5];
  AmsHttpRequest request;
} Simple;

static void
simple_free (gpointer data)
{
  Simple *simple = data;

  g_free (simple->shown);
  if (simple->authorization)
    memset (simple->authorization, 0, strlen (simple->authorization));
  g_free (simple->authorization);
  g_clear_object (&simple->request.body);
  ams_http_request_clear (&simple->request);
  g_free (simple);
}

static GError *
simple_error (const Simple *simple, const AmsHttpReply *reply)
{
  const gchar *after =
      soup_message_headers_get_one (reply->headers, "Retry-After");

  return ams_http_status_error (simple->operation, simple->shown, reply->status,
      soup_status_get_phrase (reply->status),
      ams_http_parse_retry_after (after, reply->received), reply->body);
}

static void
on_simple (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Simple *simple = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (ams_http_status_is_success (simple->operation, reply->status))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, simple_error (simple, reply));
}

static void
send_simple (GTask *task, Simple *simple)
{
  AmsHttpStore *self = g_task_get_source_object (task);

  simple->request.headers = simple->headers;
  g_task_set_task_data (task, simple, simple_free);
  ams_http_client_send_async (self->place.client, &simple->request,
      g_task_get_cancellable (task), on_simple, g_object_ref (task));
}

static gboolean
finish_boolean (AmsStore *store, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
http_remove_async (AmsStore *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsHttpPlace *place = &AMS_HTTP_STORE (store)->place;
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  Simple *simple = g_new0 (Simple, 1);

  /* Whatever comes to be there is another's. */
  g_hash_table_remove (place->own, name);
  g_hash_table_remove (place->cut_off, name);
  simple->operation = AMS_HTTP_DELETE;
  simple->shown = ams_http_url_to_display (place->options.url, name);
  simple->request.method = "DELETE";
  simple->request.uri = ams_http_url_to_uri (place->options.url, name);
  send_simple (task, simple);
}

static gint
port_of (const AmsHttpUrl *url)
{
  if (url->port >= 0)
    return url->port;
  return strcmp (url->scheme, "https") == 0 ? 443 : 80;
}

static gboolean
is_same_origin (const AmsHttpUrl *a, const AmsHttpUrl *b)
{
  return strcmp (a->scheme, b->scheme) == 0 && strcmp (a->host, b->host) == 0 &&
      port_of (a) == port_of (b);
}

/* Those of notify-url itself. */
static void
add_credentials (Simple *simple, const AmsHttpUrl *url)
{
  g_autofree gchar *both =
      g_strconcat (url->user, ":", url->password ? url->password : "", NULL);
  g_autofree gchar *base64 =
      g_base64_encode ((const guchar *) both, strlen (both));

  simple->authorization = g_strconcat ("Basic ", base64, NULL);
  simple->headers[2] = "Authorization";
  simple->headers[3] = simple->authorization;
  memset (both, 0, strlen (both));
  memset (base64, 0, strlen (base64));
}

static void
http_notify_async (AmsStore *store, AmsBody *body, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsHttpPlace *place = &AMS_HTTP_STORE (store)->place;
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  const gchar *text = place->options.notify_url;
  GError *error = NULL;
  g_autoptr (AmsHttpUrl) url = ams_http_url_parse (text ? text : "", &error);
  Simple *simple;

  if (!url) {
    g_prefix_error (&error, "%s", "notify-url: ");
    g_task_return_error (task, error);
    return;
  }
  simple = g_new0 (Simple, 1);
  simple->operation = AMS_HTTP_POST;
  simple->shown = ams_http_url_to_display (url, NULL);
  simple->headers[0] = "Content-Type";
  simple->headers[1] = "application/json";
  if (url->user)
    add_credentials (simple, url);
  simple->request.method = "POST";
  simple->request.uri = ams_http_url_to_uri (url, NULL);
  simple->request.body = g_object_ref (body);
  simple->request.anonymous =
      url->user || !is_same_origin (url, place->options.url);
  send_simple (task, simple);
}

static void
ams_http_store_store_init (AmsStoreInterface *iface)
{
  iface->create_body = http_create_body;
  iface->put_async = http_put_async;
  iface->put_finish = http_put_finish;
  iface->remove_async = http_remove_async;
  iface->remove_finish = finish_boolean;
  iface->fetch_async = http_fetch_async;
  iface->fetch_finish = http_fetch_finish;
  iface->notify_async = http_notify_async;
  iface->notify_finish = finish_boolean;
}

/* Life */

void
ams_http_store_set_patience (AmsHttpStore *self, gint64 patience)
{
  self->place.patience = patience;
}

static void
ams_http_store_finalize (GObject *object)
{
  ams_http_place_clear (&AMS_HTTP_STORE (object)->place);
  G_OBJECT_CLASS (ams_http_store_parent_class)->finalize (object);
}

static void
ams_http_store_class_init (AmsHttpStoreClass *klass)
{
  GST_DEBUG_CATEGORY_INIT (ams_http_store_debug, "amshttpstore", 0,
      "HTTP store");
  G_OBJECT_CLASS (klass)->finalize = ams_http_store_finalize;
}

static void
ams_http_store_init (AmsHttpStore *self)
{
}

AmsStore *
ams_http_store_new (AmsHttpClient *client, const AmsHttpStoreOptions *options)
{
  AmsHttpStore *self = g_object_new (AMS_TYPE_HTTP_STORE, NULL);

  ams_http_place_init (&self->place, client, options);
  return AMS_STORE (self);
}
