/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsstore.h"

/* Errors */

typedef struct
{
  guint http_status;
  guint retry_after; /* s */
  guint hint;
} AmsStoreErrorPrivate;

static void
ams_store_error_private_init (AmsStoreErrorPrivate *private)
{
}

static void
ams_store_error_private_copy (const AmsStoreErrorPrivate *from,
    AmsStoreErrorPrivate *to)
{
  *to = *from;
}

static void
ams_store_error_private_clear (AmsStoreErrorPrivate *private)
{
}

G_DEFINE_EXTENDED_ERROR (AmsStoreError, ams_store_error)

GError *
ams_store_error_new (AmsFailure failure, guint http_status, guint retry_after,
    const gchar *format, ...)
{
  AmsStoreErrorPrivate *private;
  va_list args;
  GError *error;

  va_start (args, format);
  error = g_error_new_valist (AMS_STORE_ERROR, failure, format, args);
  va_end (args);
  private = ams_store_error_get_private (error);
  private->http_status = http_status;
  private->retry_after = retry_after;
  return error;
}

static AmsFailure
failure_from_io (gint code)
{
  switch (code) {
    case G_IO_ERROR_NO_SPACE:
      return AMS_FAILURE_FULL;
    case G_IO_ERROR_EXISTS:
      return AMS_FAILURE_EXISTS;
    case G_IO_ERROR_NOT_FOUND:
      return AMS_FAILURE_ABSENT;
    case G_IO_ERROR_NOT_SUPPORTED:
      return AMS_FAILURE_UNSUPPORTED;
    case G_IO_ERROR_PERMISSION_DENIED:
    case G_IO_ERROR_READ_ONLY:
    case G_IO_ERROR_INVALID_FILENAME:
    case G_IO_ERROR_FILENAME_TOO_LONG:
    case G_IO_ERROR_NOT_DIRECTORY:
    case G_IO_ERROR_IS_DIRECTORY:
      return AMS_FAILURE_PERMANENT;
    default:
      return AMS_FAILURE_TRANSIENT;
  }
}

AmsFailure
ams_store_error_get_failure (const GError *error)
{
  if (error->domain == AMS_STORE_ERROR)
    return error->code;
  if (error->domain == G_IO_ERROR)
    return failure_from_io (error->code);
  return AMS_FAILURE_TRANSIENT;
}

guint
ams_store_error_get_http_status (const GError *error)
{
  if (error->domain != AMS_STORE_ERROR)
    return 0;
  return ams_store_error_get_private (error)->http_status;
}

guint
ams_store_error_get_retry_after (const GError *error)
{
  if (error->domain != AMS_STORE_ERROR)
    return 0;
  return ams_store_error_get_private (error)->retry_after;
}

void
ams_store_error_set_hint (GError *error, guint hint)
{
  g_return_if_fail (error->domain == AMS_STORE_ERROR);

  ams_store_error_get_private (error)->hint = hint;
}

guint
ams_store_error_get_hint (const GError *error)
{
  if (error->domain != AMS_STORE_ERROR)
    return 0;
  return ams_store_error_get_private (error)->hint;
}

/* The interface */

G_DEFINE_INTERFACE (AmsStore, ams_store, G_TYPE_OBJECT)

static void
ams_store_default_init (AmsStoreInterface *iface)
{
}

/* source tags */
static gpointer list_unsupported, adopt_unsupported, claim_unsupported,
    notify_unsupported, probe_unsupported;

static void
answer_unsupported (AmsStore *store, gpointer tag, const gchar *what,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_task_report_error (store, callback, user_data, tag,
      ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0,
          "This store cannot %s", what));
}

AmsBody *
ams_store_create_body (AmsStore *store, const AmsFileBegin *begin)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);
  AmsBody *body = NULL;

  if (iface->create_body)
    body = iface->create_body (store, begin);
  return body ? body : ams_memory_body_new ();
}

void
ams_store_put_async (AmsStore *store, const AmsPut *put,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AMS_STORE_GET_IFACE (store)->put_async (store, put, cancellable, callback,
      user_data);
}

gboolean
ams_store_put_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return AMS_STORE_GET_IFACE (store)->put_finish (store, result, error);
}

void
ams_store_remove_async (AmsStore *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AMS_STORE_GET_IFACE (store)->remove_async (store, name, cancellable, callback,
      user_data);
}

gboolean
ams_store_remove_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return AMS_STORE_GET_IFACE (store)->remove_finish (store, result, error);
}

void
ams_store_fetch_async (AmsStore *store, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AMS_STORE_GET_IFACE (store)->fetch_async (store, name, partial, max_size,
      cancellable, callback, user_data);
}

GBytes *
ams_store_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return AMS_STORE_GET_IFACE (store)->fetch_finish (store, result, error);
}

void
ams_store_notify_async (AmsStore *store, AmsBody *body,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->notify_async)
    iface->notify_async (store, body, cancellable, callback, user_data);
  else
    answer_unsupported (store, &notify_unsupported, "notify anybody", callback,
        user_data);
}

gboolean
ams_store_notify_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (g_async_result_is_tagged (result, &notify_unsupported))
    return g_task_propagate_boolean (G_TASK (result), error);
  return AMS_STORE_GET_IFACE (store)->notify_finish (store, result, error);
}

void
ams_store_probe_async (AmsStore *store, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->probe_async)
    iface->probe_async (store, cancellable, callback, user_data);
  else
    answer_unsupported (store, &probe_unsupported, "be probed", callback,
        user_data);
}

gboolean
ams_store_probe_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (g_async_result_is_tagged (result, &probe_unsupported))
    return g_task_propagate_boolean (G_TASK (result), error);
  return AMS_STORE_GET_IFACE (store)->probe_finish (store, result, error);
}

void
ams_store_list_async (AmsStore *store, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->list_async)
    iface->list_async (store, prefix, cancellable, callback, user_data);
  else
    answer_unsupported (store, &list_unsupported, "list its files", callback,
        user_data);
}

GPtrArray *
ams_store_list_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (g_async_result_is_tagged (result, &list_unsupported))
    return g_task_propagate_pointer (G_TASK (result), error);
  return AMS_STORE_GET_IFACE (store)->list_finish (store, result, error);
}

gboolean
ams_store_has_claims (AmsStore *store)
{
  return AMS_STORE_GET_IFACE (store)->claim_async != NULL;
}

void
ams_store_claim_async (AmsStore *store, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->claim_async)
    iface->claim_async (store, claim, cancellable, callback, user_data);
  else
    answer_unsupported (store, &claim_unsupported, "keep other recorders away",
        callback, user_data);
}

gboolean
ams_store_claim_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (g_async_result_is_tagged (result, &claim_unsupported))
    return g_task_propagate_boolean (G_TASK (result), error);
  return AMS_STORE_GET_IFACE (store)->claim_finish (store, result, error);
}

void
ams_store_release (AmsStore *store)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->release)
    iface->release (store);
}

void
ams_store_adopt_async (AmsStore *store, const gchar *name, guint64 size,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->adopt_async)
    iface->adopt_async (store, name, size, cancellable, callback, user_data);
  else
    answer_unsupported (store, &adopt_unsupported, "keep a partial file",
        callback, user_data);
}

gboolean
ams_store_adopt_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (g_async_result_is_tagged (result, &adopt_unsupported))
    return g_task_propagate_boolean (G_TASK (result), error);
  return AMS_STORE_GET_IFACE (store)->adopt_finish (store, result, error);
}
