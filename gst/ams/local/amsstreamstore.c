/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amsstreamstore.h"

struct _AmsStreamStore
{
  GObject parent;

  AmsStore *others;
  AmsStreamCallbacks callbacks;
  gpointer user_data;
  GDestroyNotify destroy;
};

static void ams_stream_store_store_init (AmsStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsStreamStore, ams_stream_store, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_stream_store_store_init))

typedef GOutputStream *(*GetStream) (const gchar *name, gpointer user_data);

static GetStream
stream_for (AmsStreamStore *self, AmsFileRole role)
{
  switch (role) {
    case AMS_FILE_ROLE_PLAYLIST:
    case AMS_FILE_ROLE_MASTER:
      return self->callbacks.get_playlist_stream;
    case AMS_FILE_ROLE_SEGMENT:
      return self->callbacks.get_segment_stream;
    default:
      return NULL;
  }
}

static gboolean
write_body (GOutputStream *stream, AmsMemoryBody *body,
    GCancellable *cancellable, GError **error)
{
  const guint8 *data;
  gsize length;

  for (guint64 at = 0; (data = ams_memory_body_peek (body, at, &length));
       at += length) {
    if (!g_output_stream_write_all (stream, data, length, NULL, cancellable,
            error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
put_to_stream (AmsStreamStore *self, const AmsPut *put, GetStream get_stream,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (GOutputStream) stream = get_stream (put->name, self->user_data);
  g_autoptr (GError) local = NULL;

  if (!stream) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0,
            "The application gave no stream to write “%s” to", put->name));
    return FALSE;
  }
  if (write_body (stream, AMS_MEMORY_BODY (put->body), cancellable, &local) &&
      g_output_stream_close (stream, cancellable, &local))
    return TRUE;
  g_output_stream_close (stream, NULL, NULL);
  g_propagate_error (error,
      ams_store_error_new (ams_store_error_get_failure (local), 0, 0,
          "Could not write “%s” to the application's stream: %s", put->name,
          local->message));
  return FALSE;
}

/* AmsStore. The tasks of the other store are its own; those of this one are told
 * by their tag. */

static gint own_task; /* the tag */

static GTask *
new_task (gpointer self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, &own_task);
  return task;
}

static void
return_failure (gpointer self, GAsyncReadyCallback callback, gpointer user_data,
    const gchar *what)
{
  g_autoptr (GTask) task = new_task (self, callback, user_data);

  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0,
          "What went to the application's streams cannot be %s", what));
}

static gboolean
is_own (GAsyncResult *result)
{
  return g_async_result_is_tagged (result, &own_task);
}

static AmsBody *
stream_create_body (AmsStore *store, const AmsFileBegin *begin)
{
  AmsStreamStore *self = AMS_STREAM_STORE (store);

  if (stream_for (self, begin->role))
    return ams_memory_body_new ();
  return ams_store_create_body (self->others, begin);
}

static void
stream_put_async (AmsStore *store, const AmsPut *put, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStreamStore *self = AMS_STREAM_STORE (store);
  GetStream get_stream = stream_for (self, put->role);
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  if (!get_stream) {
    ams_store_put_async (self->others, put, cancellable, callback, user_data);
    return;
  }
  task = new_task (store, callback, user_data);
  if (put_to_stream (self, put, get_stream, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
stream_put_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (is_own (result))
    return g_task_propagate_boolean (G_TASK (result), error);
  return ams_store_put_finish (AMS_STREAM_STORE (store)->others, result, error);
}

static void
stream_remove_async (AmsStore *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStreamStore *self = AMS_STREAM_STORE (store);
  g_autoptr (GTask) task = NULL;

  if (!self->callbacks.remove) {
    ams_store_remove_async (self->others, name, cancellable, callback,
        user_data);
    return;
  }
  task = new_task (store, callback, user_data);
  self->callbacks.remove (name, self->user_data);
  g_task_return_boolean (task, TRUE);
}

static gboolean
stream_remove_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (is_own (result))
    return g_task_propagate_boolean (G_TASK (result), error);
  return ams_store_remove_finish (AMS_STREAM_STORE (store)->others, result,
      error);
}

/* What is fetched is a playlist, or what a crash left of a segment; there is
 * nothing partial of a file that went to a stream. */
static void
stream_fetch_async (AmsStore *store, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsStreamStore *self = AMS_STREAM_STORE (store);

  if (self->callbacks.get_playlist_stream && !partial)
    return_failure (store, callback, user_data, "read back");
  else
    ams_store_fetch_async (self->others, name, partial, max_size, cancellable,
        callback, user_data);
}

static GBytes *
stream_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (is_own (result))
    return g_task_propagate_pointer (G_TASK (result), error);
  return ams_store_fetch_finish (AMS_STREAM_STORE (store)->others, result,
      error);
}

static void
stream_list_async (AmsStore *store, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStreamStore *self = AMS_STREAM_STORE (store);

  if (self->callbacks.get_segment_stream)
    return_failure (store, callback, user_data, "listed");
  else
    ams_store_list_async (self->others, prefix, cancellable, callback,
        user_data);
}

static GPtrArray *
stream_list_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (is_own (result))
    return g_task_propagate_pointer (G_TASK (result), error);
  return ams_store_list_finish (AMS_STREAM_STORE (store)->others, result,
      error);
}

static void
stream_adopt_async (AmsStore *store, const gchar *name, const gchar *from,
    guint64 size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  ams_store_adopt_async (AMS_STREAM_STORE (store)->others, name, from, size,
      cancellable, callback, user_data);
}

static gboolean
stream_adopt_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return ams_store_adopt_finish (AMS_STREAM_STORE (store)->others, result,
      error);
}

/* What goes to the application's streams is the application's to protect. */
static void
stream_claim_async (AmsStore *store, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsStreamStore *self = AMS_STREAM_STORE (store);
  AmsClaim rest = *claim;
  g_autoptr (GTask) task = NULL;

  if (self->callbacks.get_playlist_stream)
    rest.playlist = NULL;
  if (self->callbacks.get_segment_stream)
    rest.segments = NULL;
  if (rest.playlist || rest.segments) {
    ams_store_claim_async (self->others, &rest, cancellable, callback,
        user_data);
    return;
  }
  task = new_task (store, callback, user_data);
  g_task_return_boolean (task, TRUE);
}

static gboolean
stream_claim_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  if (is_own (result))
    return g_task_propagate_boolean (G_TASK (result), error);
  return ams_store_claim_finish (AMS_STREAM_STORE (store)->others, result,
      error);
}

static void
stream_release (AmsStore *store)
{
  ams_store_release (AMS_STREAM_STORE (store)->others);
}

static void
ams_stream_store_store_init (AmsStoreInterface *iface)
{
  iface->create_body = stream_create_body;
  iface->put_async = stream_put_async;
  iface->put_finish = stream_put_finish;
  iface->remove_async = stream_remove_async;
  iface->remove_finish = stream_remove_finish;
  iface->fetch_async = stream_fetch_async;
  iface->fetch_finish = stream_fetch_finish;
  iface->list_async = stream_list_async;
  iface->list_finish = stream_list_finish;
  iface->adopt_async = stream_adopt_async;
  iface->adopt_finish = stream_adopt_finish;
  iface->claim_async = stream_claim_async;
  iface->claim_finish = stream_claim_finish;
  iface->release = stream_release;
}

/* Life */

static void
ams_stream_store_finalize (GObject *object)
{
  AmsStreamStore *self = AMS_STREAM_STORE (object);

  if (self->destroy)
    self->destroy (self->user_data);
  g_object_unref (self->others);
  G_OBJECT_CLASS (ams_stream_store_parent_class)->finalize (object);
}

static void
ams_stream_store_class_init (AmsStreamStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_stream_store_finalize;
}

static void
ams_stream_store_init (AmsStreamStore *self)
{
}

AmsStore *
ams_stream_store_new (AmsStore *others, const AmsStreamCallbacks *callbacks,
    gpointer user_data, GDestroyNotify destroy)
{
  AmsStreamStore *self = g_object_new (AMS_TYPE_STREAM_STORE, NULL);

  self->others = g_object_ref (others);
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->destroy = destroy;
  return AMS_STORE (self);
}
