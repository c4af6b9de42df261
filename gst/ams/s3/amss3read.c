/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3read.h"

#include "http/amshttpread.h"
#include "s3/amss3exchange.h"
#include "s3/amss3guard.h"
#include "s3/amss3headers.h"
#include "s3/amss3key.h"

#include <string.h>

/* A page of 1000 keys of 1024 bytes, each byte as %XX, with what is around them. */
#define MAX_PAGE (8 * 1024 * 1024)

/* What both have */

typedef struct
{
  AmsS3Place *place;
  AmsS3Request request;
  GPtrArray *headers;
  AmsHttpPatience patience;
  /* Fetching */
  gchar *key;
  guint64 max_size;
  gboolean is_head; /* a part of it will do */
  /* Listing */
  gchar *prefix; /* of keys */
  gchar *token; /* (nullable) of the next page */
  const gchar *query[9];
  guint count; /* of keys */
  GPtrArray *entries;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *reading = data;

  g_ptr_array_unref (reading->headers);
  g_free (reading->key);
  g_free (reading->prefix);
  g_free (reading->token);
  g_clear_pointer (&reading->entries, g_ptr_array_unref);
  g_free (reading);
}

static Reading *
reading_new (AmsS3Place *place)
{
  Reading *reading = g_new0 (Reading, 1);

  reading->place = place;
  ams_http_patience_init (&reading->patience, place->patience);
  return reading;
}

static void on_read (GObject *store, GAsyncResult *result, gpointer user_data);

static void
send_reading (GTask *task)
{
  Reading *reading = g_task_get_task_data (task);

  reading->request.fresh_connection = reading->patience.attempts > 0;
  reading->patience.attempts++;
  ams_s3_send_async (reading->place, &reading->request,
      g_task_get_cancellable (task), on_read, g_object_ref (task));
}

static gboolean
on_delay (gpointer user_data)
{
  GTask *task = user_data;

  if (!g_task_return_error_if_cancelled (task))
    send_reading (task);
  return G_SOURCE_REMOVE;
}

/* Takes @error. */
static void
fail (GTask *task, GError *error)
{
  Reading *reading = g_task_get_task_data (task);

  if (ams_http_patience_wait (&reading->patience, task, error, on_delay))
    g_error_free (error);
  else
    g_task_return_error (task, error);
}

/* Fetching */

static void
take_object (GTask *task, const AmsS3Reply *reply)
{
  Reading *reading = g_task_get_task_data (task);
  g_autoptr (GError) why = NULL;
  g_autofree gchar *shown = NULL;
  GBytes *plain = reading->max_size == 0
      ? g_bytes_new (NULL, 0)
      : ams_http_reply_unpack (reply->http, reading->max_size, &why);

  if (reading->max_size > 0 && !reading->is_head)
    ams_s3_guard_note_read (reading->place, reading->key, reply->http);
  if (plain) {
    g_task_return_pointer (task, plain, (GDestroyNotify) g_bytes_unref);
    return;
  }
  shown = ams_s3_place_display (reading->place, reading->key);
  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 200, 0,
          "“%s” could not be read: %s", shown, why->message));
}

static void
ask_for_head (Reading *reading, guint64 head)
{
  g_autofree gchar *range =
      g_strdup_printf ("bytes=0-%" G_GUINT64_FORMAT, head - 1);

  ams_s3_headers_add (reading->headers, "Range", range);
  reading->is_head = TRUE;
}

static AmsS3Operation
get_operation (const Reading *reading)
{
  if (reading->is_head)
    return AMS_S3_GET_PART;
  return reading->max_size > 0 ? AMS_S3_GET : AMS_S3_HEAD;
}

void
ams_s3_fetch_async (AmsS3Place *place, const gchar *name, guint64 head,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Reading *reading = reading_new (place);
  GError *error = NULL;

  reading->headers = ams_s3_headers_new_reading (&place->options);
  reading->max_size = max_size;
  if (head > 0)
    ask_for_head (reading, head);
  reading->key = ams_s3_key_new (place->options.prefix, name, &error);
  g_task_set_task_data (task, reading, reading_free);
  if (!reading->key) {
    g_task_return_error (task, error);
    return;
  }
  reading->request = (AmsS3Request){ .operation = get_operation (reading),
    .method = max_size > 0 ? "GET" : "HEAD",
    .key = reading->key,
    .headers = ams_s3_headers_peek (reading->headers),
    .max_reply = CLAMP (max_size, 1, G_MAXSSIZE) };
  send_reading (task);
}

GBytes *
ams_s3_fetch_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Listing */

/* What another put there and no file can be called, is no file: “folder/” for one. */
static void
add_entry (Reading *reading, const AmsS3Object *object)
{
  gsize before = strlen (reading->place->options.prefix);

  if (!g_str_has_prefix (object->key, reading->prefix) ||
      !ams_file_name_check (object->key + before, NULL))
    return;
  g_ptr_array_add (reading->entries,
      ams_file_entry_new (object->key + before, object->size, FALSE));
}

static GError *
endless_list (Reading *reading, const gchar *what)
{
  g_autofree gchar *shown =
      ams_s3_place_display (reading->place, reading->prefix);

  return ams_store_error_new (AMS_FAILURE_PERMANENT, 200, 0,
      "“%s” was not listed: %s", shown, what);
}

static void
ask_page (GTask *task)
{
  Reading *reading = g_task_get_task_data (task);
  const gchar *const pairs[] = { "list-type", "2", "encoding-type", "url",
    "prefix", reading->prefix, reading->token ? "continuation-token" : NULL,
    reading->token, NULL };

  memcpy (reading->query, pairs, sizeof pairs);
  reading->request = (AmsS3Request){ .operation = AMS_S3_LIST,
    .method = "GET",
    .query = reading->query,
    .headers = ams_s3_headers_peek (reading->headers),
    .max_reply = MAX_PAGE };
  reading->patience.attempts = 0;
  send_reading (task);
}

static void
take_listing (GTask *task, AmsS3Listing *listing)
{
  Reading *reading = g_task_get_task_data (task);

  for (guint i = 0; i < listing->objects->len; i++)
    add_entry (reading, &g_array_index (listing->objects, AmsS3Object, i));
  reading->count += listing->objects->len;
  if (!listing->next) {
    g_task_return_pointer (task, g_steal_pointer (&reading->entries),
        (GDestroyNotify) g_ptr_array_unref);
  } else if (reading->count >= AMS_S3_MAX_LISTED) {
    g_task_return_error (task,
        endless_list (reading,
            "more than a million objects are there; set key-prefix to a "
            "folder of its own"));
  } else if (g_strcmp0 (listing->next, reading->token) == 0) {
    g_task_return_error (task,
        endless_list (reading, "its pages repeat themselves"));
  } else {
    g_free (reading->token);
    reading->token = g_steal_pointer (&listing->next);
    ask_page (task);
  }
}

static void
take_page (GTask *task, const AmsS3Reply *reply)
{
  GBytes *body = reply->http->body;
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  GError *error = NULL;
  g_autoptr (AmsS3Listing) listing =
      ams_s3_listing_parse (body ? body : empty, &error);

  if (listing)
    take_listing (task, listing);
  else
    fail (task, error);
}

void
ams_s3_list_async (AmsS3Place *place, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Reading *reading = reading_new (place);

  reading->headers = ams_s3_headers_new (&place->options);
  reading->prefix = g_strconcat (place->options.prefix, prefix, NULL);
  reading->entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);
  g_task_set_task_data (task, reading, reading_free);
  ask_page (task);
}

GPtrArray *
ams_s3_list_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Both */

static void
on_read (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Reading *reading = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    fail (task, error);
  else if (reply->error) {
    if (reading->key && reply->answer->failure == AMS_FAILURE_ABSENT)
      ams_s3_guard_note_absent (reading->place, reading->key);
    fail (task, g_steal_pointer (&reply->error));
  } else if (reading->key)
    take_object (task, reply);
  else
    take_page (task, reply);
}
