/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpstore.h"

#include "http/amshttpfetch.h"
#include "http/amshttpguard.h"
#include "http/amshttpnotify.h"
#include "http/amshttpplace.h"
#include "http/amshttpput.h"
#include "http/amshttpsimple.h"
#include "http/amslistwatch.h"
#include "transfer/amscopybody.h"

#include <gst/gst.h>

GST_DEBUG_CATEGORY (ams_http_store_debug);

struct _AmsHttpStore
{
  GObject parent;

  AmsHttpPlace place;
  AmsListWatch *watch;
};

static void ams_http_store_store_init (AmsStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsHttpStore, ams_http_store, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_http_store_store_init))

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
    ams_http_fetch_async (&AMS_HTTP_STORE (store)->place, store, name, 0,
        max_size, cancellable, callback, user_data);
}

static void
http_fetch_head_async (AmsStore *store, const gchar *name, guint64 size,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  ams_http_fetch_async (&AMS_HTTP_STORE (store)->place, store, name, size,
      max_size, cancellable, callback, user_data);
}

static GBytes *
http_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_http_fetch_finish (result, error);
}

/* Removing and notifying: one request each */

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
  AmsHttpSimple *simple = g_new0 (AmsHttpSimple, 1);

  /* Whatever comes to be there is another's. */
  g_hash_table_remove (place->own, name);
  g_hash_table_remove (place->cut_off, name);
  g_hash_table_remove (place->unsure, name);
  ams_list_guard_forget (place->guard, name);
  simple->operation = AMS_HTTP_DELETE;
  simple->shown = ams_http_url_to_display (place->options.url, name);
  simple->request.method = "DELETE";
  simple->request.uri = ams_http_url_to_uri (place->options.url, name);
  ams_http_simple_send (place->client, task, simple);
}

static void
http_notify_async (AmsStore *store, AmsBody *body, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsHttpPlace *place = &AMS_HTTP_STORE (store)->place;

  ams_http_notify_async (place->client, store, place->options.notify_url,
      place->options.url, body, cancellable, callback, user_data);
}

/* Claims: no other recorder is kept away, but one that writes is seen. */

static gchar *
dup_key (gpointer place, const gchar *name)
{
  return g_strdup (name);
}

static gchar *
dup_shown (gpointer place, const gchar *key)
{
  return ams_http_url_to_display (((AmsHttpPlace *) place)->options.url, key);
}

static void
peek_async (gpointer place, const gchar *key, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_http_guard_peek_async (place, key, cancellable, callback, user_data);
}

static const AmsListLooker looker = { dup_key, dup_shown, peek_async,
  ams_http_guard_peek_finish };

static void
http_claim_async (AmsStore *store, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  ams_list_watch_claim_async (AMS_HTTP_STORE (store)->watch, claim, cancellable,
      callback, user_data);
}

static gboolean
http_claim_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_list_watch_claim_finish (result, error);
}

static void
http_release (AmsStore *store)
{
  ams_list_watch_release (AMS_HTTP_STORE (store)->watch);
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
  iface->fetch_head_async = http_fetch_head_async;
  iface->fetch_finish = http_fetch_finish;
  iface->notify_async = http_notify_async;
  iface->notify_finish = finish_boolean;
  iface->claim_async = http_claim_async;
  iface->claim_finish = http_claim_finish;
  iface->release = http_release;
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
  ams_list_watch_free (AMS_HTTP_STORE (object)->watch);
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
  self->watch = ams_list_watch_new (AMS_STORE (self), &looker, &self->place,
      self->place.guard);
  return AMS_STORE (self);
}
