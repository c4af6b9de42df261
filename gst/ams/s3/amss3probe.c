/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3probe.h"

#include "s3/amss3exchange.h"
#include "s3/amss3headers.h"
#include "s3/amss3key.h"
#include "s3/amss3put.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (ams_s3_store_debug);
#define GST_CAT_DEFAULT ams_s3_store_debug

#define PROBE_TEXT "This object was made to find out whether it can be.\n"
#define OTHER_TEXT "This one must not replace another.\n"

/* Removing */

typedef struct
{
  gchar *key;
  GPtrArray *headers;
  AmsS3Request request;
} Removal;

static void
removal_free (gpointer data)
{
  Removal *removal = data;

  g_free (removal->key);
  g_ptr_array_unref (removal->headers);
  g_free (removal);
}

static void
on_reply (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (reply)
    error = g_steal_pointer (&reply->error);
  if (error)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

void
ams_s3_remove_async (AmsS3Place *place, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Removal *removal = g_new0 (Removal, 1);
  GError *error = NULL;

  removal->headers = ams_s3_headers_new (&place->options);
  removal->key = ams_s3_key_new (place->options.prefix, name, &error);
  g_task_set_task_data (task, removal, removal_free);
  if (!removal->key) {
    g_task_return_error (task, error);
    return;
  }
  /* Whatever comes to be there is another's. */
  g_hash_table_remove (place->own, name);
  g_hash_table_remove (place->cut_off, removal->key);
  g_hash_table_remove (place->spoiled, removal->key);
  g_hash_table_remove (place->unsure, removal->key);
  ams_list_guard_forget (place->guard, removal->key);
  removal->request = (AmsS3Request){ .operation = AMS_S3_DELETE,
    .method = "DELETE",
    .key = removal->key,
    .headers = ams_s3_headers_peek (removal->headers) };
  ams_s3_send_async (place, &removal->request, cancellable, on_reply,
      g_object_ref (task));
}

gboolean
ams_s3_remove_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Probing: put → look up → try to replace → remove */

typedef struct
{
  AmsS3Place *place;
  AmsPut put;
  gchar *name, *key;
  GPtrArray *headers;
  AmsS3Request request;
  GError *error; /* (nullable) of looking it up */
} Probe;

static void
probe_free (gpointer data)
{
  Probe *probe = data;

  g_object_unref (probe->put.body);
  g_free (probe->name);
  g_free (probe->key);
  g_ptr_array_unref (probe->headers);
  g_clear_error (&probe->error);
  g_free (probe);
}

static void
on_removed (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Probe *probe = g_task_get_task_data (task);
  GError *error = NULL;

  if (!ams_s3_remove_finish (result, &error) && !probe->error)
    probe->error = g_steal_pointer (&error);
  g_clear_error (&error);
  if (probe->error)
    g_task_return_error (task, g_steal_pointer (&probe->error));
  else
    g_task_return_boolean (task, TRUE);
}

static AmsBody *
make_body (const gchar *text)
{
  AmsBody *body = ams_memory_body_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, g_bytes_get_size (bytes));
  return body;
}

static void
remove_probe (GTask *task)
{
  Probe *probe = g_task_get_task_data (task);

  ams_s3_remove_async (probe->place, probe->name, g_task_get_cancellable (task),
      on_removed, g_object_ref (task));
}

/* Some stores take If-None-Match, and replace what is there all the same. */
static void
on_replaced (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Probe *probe = g_task_get_task_data (task);

  if (ams_s3_put_finish (result, NULL)) {
    probe->place->asks_first = TRUE;
    GST_WARNING ("%s does not heed If-None-Match: before each file is put, it "
                 "is asked whether there is one",
        probe->place->endpoint->host);
  }
  remove_probe (task);
}

static void
try_to_replace (GTask *task)
{
  Probe *probe = g_task_get_task_data (task);

  g_object_unref (probe->put.body);
  probe->put.body = make_body (OTHER_TEXT);
  ams_s3_put_async (probe->place, &probe->put, FALSE,
      g_task_get_cancellable (task), on_replaced, g_object_ref (task));
}

/* HEAD has no body that says why. The PUT before was signed with the same key and clock, for the
 * same region, so it is what the key may do. */
static GError *
explain (Probe *probe, GError *error)
{
  g_autofree gchar *shown = NULL;

  if (ams_store_error_get_http_status (error) != 403)
    return error;
  g_error_free (error);
  shown = ams_s3_place_display (probe->place, probe->key);
  return ams_store_error_new (AMS_FAILURE_PERMANENT, 403, 0,
      "“%s” was stored, but cannot be looked up: allow the access key "
      "s3:GetObject and s3:ListBucket in the bucket “%s” (403)",
      shown, probe->place->options.bucket);
}

static void
on_looked_up (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Probe *probe = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (reply)
    error = g_steal_pointer (&reply->error);
  if (error)
    probe->error = explain (probe, error);
  if (probe->error || probe->place->asks_first ||
      probe->place->options.overwrite == AMS_OVERWRITE_ALWAYS)
    remove_probe (task);
  else
    try_to_replace (task);
}

static void
on_put (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Probe *probe = g_task_get_task_data (task);
  GError *error = NULL;

  if (!ams_s3_put_finish (result, &error)) {
    g_task_return_error (task, error);
    return;
  }
  probe->request = (AmsS3Request){ .operation = AMS_S3_HEAD,
    .method = "HEAD",
    .key = probe->key,
    .headers = ams_s3_headers_peek (probe->headers) };
  ams_s3_send_async (probe->place, &probe->request,
      g_task_get_cancellable (task), on_looked_up, g_object_ref (task));
}

void
ams_s3_probe_async (AmsS3Place *place, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Probe *probe = g_new0 (Probe, 1);
  g_autofree gchar *unique = g_uuid_string_random ();
  GError *error = NULL;

  probe->place = place;
  probe->name = g_strconcat ("amshls-probe-", unique, ".txt", NULL);
  probe->headers = ams_s3_headers_new_reading (&place->options);
  probe->put = (AmsPut){ .name = probe->name,
    .role = AMS_FILE_ROLE_SEGMENT, /* with the headers of most */
    .content_type = "text/plain",
    .body = make_body (PROBE_TEXT),
    .attempts = 1 };
  probe->key = ams_s3_key_new (place->options.prefix, probe->name, &error);
  g_task_set_task_data (task, probe, probe_free);
  if (probe->key)
    /* What is locked cannot be removed. */
    ams_s3_put_async (place, &probe->put, FALSE, cancellable, on_put,
        g_object_ref (task));
  else
    g_task_return_error (task, error);
}

gboolean
ams_s3_probe_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
