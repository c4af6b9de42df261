/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "probe.h"

#include "read.h"

#include <string.h>

#define NAME "hls-upload-probe"

/* Who may not list a bucket is not told either that a file is not there. */
static gboolean
is_fine (const GError *error)
{
  return ams_store_error_get_failure (error) == AMS_FAILURE_ABSENT ||
      strstr (error->message, "AccessDenied");
}

static void
on_read (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsUploadObject) object = hls_upload_read_finish (result, &error);

  if (object || is_fine (error))
    g_task_return_boolean (task, TRUE);
  else if (g_cancellable_is_cancelled (g_task_get_task_data (task)))
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
            "S3 has not answered within %d s", HLS_UPLOAD_PROBE_TIMEOUT));
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static gboolean
on_timeout (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static void
destroy_source (gpointer source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

void
hls_upload_probe_async (AmsS3Store *store, GAsyncReadyCallback callback,
    gpointer user_data)
{
  GTask *task = g_task_new (store, NULL, callback, user_data);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GSource *timeout = g_timeout_source_new_seconds (HLS_UPLOAD_PROBE_TIMEOUT);

  g_source_set_callback (timeout, on_timeout, g_object_ref (cancellable),
      g_object_unref);
  g_source_attach (timeout, NULL);
  g_object_set_data_full (G_OBJECT (task), "timeout", timeout, destroy_source);
  g_task_set_task_data (task, g_object_ref (cancellable), g_object_unref);
  hls_upload_read_async (store, NAME, 0, NULL, cancellable, on_read, task);
}

gboolean
hls_upload_probe_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
