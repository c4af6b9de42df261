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

gboolean
ams_store_shares_threads (AmsStore *store)
{
  return AMS_STORE_GET_IFACE (store)->shares_threads;
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
ams_store_fetch_head_async (AmsStore *store, const gchar *name, guint64 size,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->fetch_head_async)
    iface->fetch_head_async (store, name, size, max_size, cancellable, callback,
        user_data);
  else
    ams_store_fetch_async (store, name, FALSE, max_size, cancellable, callback,
        user_data);
}

/* A copy by a store that has none of its own */

/* As much as a segment that is read back anywhere. */
#define MAX_COPY (G_GUINT64_CONSTANT (2) << 30)

typedef struct
{
  gchar *name;
  AmsPut put;
} Copy;

static void
copy_free (gpointer data)
{
  Copy *copy = data;

  g_clear_object (&copy->put.body);
  g_free (copy->name);
  g_free (copy);
}

static void
on_copy_put (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (ams_store_put_finish (AMS_STORE (store), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_copy_fetched (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Copy *copy = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GBytes) data =
      ams_store_fetch_finish (AMS_STORE (store), result, &error);

  if (!data) {
    g_task_return_error (task, error);
    return;
  }
  copy->put.body = ams_memory_body_new ();
  ams_body_append (copy->put.body, data, NULL);
  ams_body_finish (copy->put.body, g_bytes_get_size (data));
  ams_store_put_async (AMS_STORE (store), &copy->put,
      g_task_get_cancellable (task), on_copy_put, g_object_ref (task));
}

static void
copy_by_reading (AmsStore *store, const gchar *from, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (store, cancellable, callback, user_data);
  Copy *copy = g_new0 (Copy, 1);

  copy->name = g_strdup (name);
  copy->put.name = copy->name;
  copy->put.role = AMS_FILE_ROLE_SEGMENT;
  copy->put.attempts = 1;
  g_task_set_task_data (task, copy, copy_free);
  g_task_set_check_cancellable (task, FALSE);
  ams_store_fetch_async (store, from, FALSE, MAX_COPY, cancellable,
      on_copy_fetched, task);
}

void
ams_store_copy_async (AmsStore *store, const gchar *from, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->copy_async)
    iface->copy_async (store, from, name, cancellable, callback, user_data);
  else
    copy_by_reading (store, from, name, cancellable, callback, user_data);
}

gboolean
ams_store_copy_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->copy_finish)
    return iface->copy_finish (store, result, error);
  return g_task_propagate_boolean (G_TASK (result), error);
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
ams_store_adopt_async (AmsStore *store, const gchar *name, const gchar *from,
    guint64 size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsStoreInterface *iface = AMS_STORE_GET_IFACE (store);

  if (iface->adopt_async)
    iface->adopt_async (store, name, from, size, cancellable, callback,
        user_data);
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
