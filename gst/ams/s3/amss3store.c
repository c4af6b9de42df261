/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3store.h"

#include "http/amshttpnotify.h"
#include "http/amslistwatch.h"
#include "s3/amss3guard.h"
#include "s3/amss3key.h"
#include "s3/amss3probe.h"
#include "s3/amss3put.h"
#include "s3/amss3read.h"
#include "transfer/amscopybody.h"

#include <gst/gst.h>

GST_DEBUG_CATEGORY (ams_s3_store_debug);

struct _AmsS3Store
{
  GObject parent;

  AmsS3Place place;
  AmsListWatch *watch;
};

static void ams_s3_store_store_init (AmsStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsS3Store, ams_s3_store, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_s3_store_store_init))

static AmsBody *
s3_create_body (AmsStore *store, const AmsFileBegin *begin)
{
  return begin->local_path ? ams_copy_body_new (begin->local_path) : NULL;
}

static void
s3_put_async (AmsStore *store, const AmsPut *put, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_s3_put_async (&AMS_S3_STORE (store)->place, put, TRUE, cancellable,
      callback, user_data);
}

static gboolean
s3_put_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_s3_put_finish (result, error);
}

static void
s3_remove_async (AmsStore *store, const gchar *name, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_s3_remove_async (&AMS_S3_STORE (store)->place, name, cancellable,
      callback, user_data);
}

static gboolean
s3_remove_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_s3_remove_finish (result, error);
}

static void
s3_fetch_async (AmsStore *store, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  if (partial)
    g_task_report_error (store, callback, user_data, s3_fetch_async,
        ams_store_error_new (AMS_FAILURE_ABSENT, 0, 0,
            "A bucket has no partial files"));
  else
    ams_s3_fetch_async (&AMS_S3_STORE (store)->place, name, 0, max_size,
        cancellable, callback, user_data);
}

static void
s3_fetch_head_async (AmsStore *store, const gchar *name, guint64 size,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  ams_s3_fetch_async (&AMS_S3_STORE (store)->place, name, size, max_size,
      cancellable, callback, user_data);
}

static GBytes *
s3_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_s3_fetch_finish (result, error);
}

static void
s3_list_async (AmsStore *store, const gchar *prefix, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_s3_list_async (&AMS_S3_STORE (store)->place, prefix, cancellable,
      callback, user_data);
}

static GPtrArray *
s3_list_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_s3_list_finish (result, error);
}

static void
s3_probe_async (AmsStore *store, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_s3_probe_async (&AMS_S3_STORE (store)->place, cancellable, callback,
      user_data);
}

static gboolean
s3_probe_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_s3_probe_finish (result, error);
}

static void
s3_notify_async (AmsStore *store, AmsBody *body, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsS3Place *place = &AMS_S3_STORE (store)->place;

  ams_http_notify_async (place->client, store, place->options.notify_url, NULL,
      body, cancellable, callback, user_data);
}

static gboolean
s3_notify_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_http_notify_finish (result, error);
}

/* Claims: no other recorder is kept away, but one that writes is seen. */

static gchar *
dup_key (gpointer place, const gchar *name)
{
  return ams_s3_key_new (((AmsS3Place *) place)->options.prefix, name, NULL);
}

static gchar *
dup_shown (gpointer place, const gchar *key)
{
  return ams_s3_place_display (place, key);
}

static void
peek_async (gpointer place, const gchar *key, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  ams_s3_guard_peek_async (place, key, cancellable, callback, user_data);
}

static const AmsListLooker looker = { dup_key, dup_shown, peek_async,
  ams_s3_guard_peek_finish };

static void
s3_claim_async (AmsStore *store, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  ams_list_watch_claim_async (AMS_S3_STORE (store)->watch, claim, cancellable,
      callback, user_data);
}

static gboolean
s3_claim_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_list_watch_claim_finish (result, error);
}

static void
s3_release (AmsStore *store)
{
  ams_list_watch_release (AMS_S3_STORE (store)->watch);
}

static void
ams_s3_store_store_init (AmsStoreInterface *iface)
{
  iface->create_body = s3_create_body;
  iface->put_async = s3_put_async;
  iface->put_finish = s3_put_finish;
  iface->remove_async = s3_remove_async;
  iface->remove_finish = s3_remove_finish;
  iface->fetch_async = s3_fetch_async;
  iface->fetch_head_async = s3_fetch_head_async;
  iface->fetch_finish = s3_fetch_finish;
  iface->list_async = s3_list_async;
  iface->list_finish = s3_list_finish;
  iface->probe_async = s3_probe_async;
  iface->probe_finish = s3_probe_finish;
  iface->notify_async = s3_notify_async;
  iface->notify_finish = s3_notify_finish;
  iface->claim_async = s3_claim_async;
  iface->claim_finish = s3_claim_finish;
  iface->release = s3_release;
}

/* Life */

void
ams_s3_store_set_patience (AmsS3Store *self, gint64 patience)
{
  self->place.patience = patience;
}

AmsS3Place *
ams_s3_store_get_place (AmsS3Store *self)
{
  return &self->place;
}

static void
ams_s3_store_finalize (GObject *object)
{
  ams_list_watch_free (AMS_S3_STORE (object)->watch);
  ams_s3_place_clear (&AMS_S3_STORE (object)->place);
  G_OBJECT_CLASS (ams_s3_store_parent_class)->finalize (object);
}

static void
ams_s3_store_class_init (AmsS3StoreClass *klass)
{
  GST_DEBUG_CATEGORY_INIT (ams_s3_store_debug, "amss3store", 0, "S3 store");
  G_OBJECT_CLASS (klass)->finalize = ams_s3_store_finalize;
}

static void
ams_s3_store_init (AmsS3Store *self)
{
}

AmsStore *
ams_s3_store_new (AmsHttpClient *client, const AmsS3StoreOptions *options)
{
  AmsS3Store *self = g_object_new (AMS_TYPE_S3_STORE, NULL);

  ams_s3_place_init (&self->place, G_OBJECT (self), client, options);
  self->watch = ams_list_watch_new (AMS_STORE (self), &looker, &self->place,
      self->place.guard);
  return AMS_STORE (self);
}
