/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amsbodyzip.h"

#include "http/amsgzip.h"

static GQuark
zipped_quark (void)
{
  return g_quark_from_static_string ("ams-body-zipped");
}

static GBytes *
read_whole (AmsBody *body, GError **error)
{
  gsize size = ams_body_get_size (body), at = 0;
  g_autofree guint8 *data = g_malloc (size + 1);
  gssize n;

  while (at < size) {
    n = ams_body_read (body, at, data + at, size - at, error);
    if (n < 0)
      return NULL;
    if (n == 0)
      break;
    at += n;
  }
  return g_bytes_new_take (g_steal_pointer (&data), at);
}

static void
on_zipped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_task_propagate_pointer (G_TASK (result), &error);
  AmsBody *zipped;

  if (!bytes) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  zipped = ams_memory_body_new ();
  ams_body_append (zipped, bytes, NULL);
  ams_body_finish (zipped, g_bytes_get_size (bytes));
  g_object_set_qdata_full (g_task_get_source_object (task), zipped_quark (),
      zipped, g_object_unref);
  g_task_return_pointer (task, zipped, NULL);
}

/* The thread knows bytes only: a body is used by its own thread. */
static void
zip_in_thread (GTask *task, gpointer source, gpointer bytes,
    GCancellable *cancellable)
{
  GError *error = NULL;
  GBytes *zipped = ams_gzip_compress (bytes, &error);

  if (zipped)
    g_task_return_pointer (task, zipped, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

void
ams_body_zip_async (AmsBody *body, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (body, cancellable, callback, user_data);
  AmsBody *known = g_object_get_qdata (G_OBJECT (body), zipped_quark ());
  g_autoptr (GTask) zip = NULL;
  GError *error = NULL;
  GBytes *bytes;

  if (known) {
    g_task_return_pointer (task, known, NULL);
    return;
  }
  bytes = read_whole (body, &error);
  if (!bytes) {
    g_task_return_error (task, error);
    return;
  }
  zip = g_task_new (NULL, NULL, on_zipped, g_object_ref (task));
  g_task_set_task_data (zip, bytes, (GDestroyNotify) g_bytes_unref);
  g_task_run_in_thread (zip, zip_in_thread);
}

AmsBody *
ams_body_zip_finish (AmsBody *body, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
