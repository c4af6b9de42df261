/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpfolders.h"

#include "transfer/amsstore.h"

typedef struct
{
  AmsHttpPlace *place;
  GPtrArray *parents; /* (element-type GUri), those still to be made */
  AmsHttpRequest request;
  GError *refused;
} Making;

static void
making_free (gpointer data)
{
  Making *making = data;

  g_ptr_array_unref (making->parents);
  g_clear_error (&making->refused);
  g_free (making);
}

static gboolean
is_known (AmsHttpPlace *place, GUri *folder)
{
  return g_hash_table_contains (place->folders, g_uri_get_path (folder));
}

static void
remember (AmsHttpPlace *place, GUri *folder)
{
  g_hash_table_add (place->folders, g_strdup (g_uri_get_path (folder)));
}

void
ams_http_folders_remember (AmsHttpPlace *place, const gchar *name)
{
  g_autoptr (GPtrArray) parents =
      ams_http_url_parents (place->options.url, name);

  for (guint i = 0; i < parents->len; i++)
    remember (place, parents->pdata[i]);
}

gboolean
ams_http_folders_are_known (AmsHttpPlace *place, const gchar *name)
{
  g_autoptr (GPtrArray) parents =
      ams_http_url_parents (place->options.url, name);

  for (guint i = 0; i < parents->len; i++) {
    if (!is_known (place, parents->pdata[i]))
      return FALSE;
  }
  return TRUE;
}

/* The folder that is being made is the first of the list. */
static void
note_reply (Making *making, const AmsHttpReply *reply)
{
  GUri *folder = making->parents->pdata[0];
  g_autofree gchar *shown = NULL, *text = NULL;

  if (ams_http_status_is_success (AMS_HTTP_MKCOL, reply->status)) {
    remember (making->place, folder);
    return;
  }
  text = g_uri_to_string_partial (folder, G_URI_HIDE_QUERY);
  shown = ams_http_url_redact (text);
  g_clear_error (&making->refused);
  making->refused = ams_http_status_error (AMS_HTTP_MKCOL, shown, reply->status,
      soup_status_get_phrase (reply->status), 0, reply->body);
}

/* Whatever is permanent (a redirect that is not followed, say: servers answer so for a folder
 * that is there), the PUT says better. FALSE: @error is what ends this. */
static gboolean
note_error (Making *making, GError *error)
{
  if (!g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT))
    return FALSE;
  g_clear_error (&making->refused);
  making->refused = error;
  return TRUE;
}

static void make_next (GTask *task);

static void
on_made (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Making *making = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (reply)
    note_reply (making, reply);
  else if (!note_error (making, error)) {
    g_task_return_error (task, error);
    return;
  }
  g_ptr_array_remove_index (making->parents, 0);
  make_next (task);
}

static void
make_next (GTask *task)
{
  Making *making = g_task_get_task_data (task);

  while (making->parents->len > 0 &&
      is_known (making->place, making->parents->pdata[0]))
    g_ptr_array_remove_index (making->parents, 0);
  if (making->parents->len == 0) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  making->request =
      (AmsHttpRequest){ .method = "MKCOL", .uri = making->parents->pdata[0] };
  ams_http_client_send_async (making->place->client, &making->request,
      g_task_get_cancellable (task), on_made, g_object_ref (task));
}

/* All of them are known, and yet one is missing: somebody has removed it. */
static void
forget_if_known (AmsHttpPlace *place, const gchar *name, GPtrArray *parents)
{
  if (!ams_http_folders_are_known (place, name))
    return;
  for (guint i = 0; i < parents->len; i++)
    g_hash_table_remove (place->folders, g_uri_get_path (parents->pdata[i]));
}

void
ams_http_make_folders_async (AmsHttpPlace *place, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Making *making = g_new0 (Making, 1);

  making->place = place;
  making->parents = ams_http_url_parents (place->options.url, name);
  forget_if_known (place, name, making->parents);
  g_task_set_task_data (task, making, making_free);
  make_next (task);
}

gboolean
ams_http_make_folders_finish (GAsyncResult *result, GError **refused,
    GError **error)
{
  Making *making = g_task_get_task_data (G_TASK (result));

  *refused = g_steal_pointer (&making->refused);
  return g_task_propagate_boolean (G_TASK (result), error);
}
