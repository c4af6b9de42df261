/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3check.h"

#include "http/amsbodycompare.h"
#include "http/amshttpread.h"
#include "s3/amss3exchange.h"
#include "s3/amss3headers.h"
#include "s3/amss3sums.h"

#include <string.h>

typedef struct
{
  AmsS3Place *place;
  gchar *key;
  AmsBody *body, *plain;
  GPtrArray *headers;
  AmsS3Request request;
  gchar *etag; /* (nullable) an MD5 when checking, any when verifying */
  AmsBodyCompare compare;
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;

  g_free (look->key);
  g_object_unref (look->body);
  g_clear_object (&look->plain);
  g_ptr_array_unref (look->headers);
  g_free (look->etag);
  ams_body_compare_clear (&look->compare);
  g_free (look);
}

static Look *
look_new (AmsS3Place *place, const gchar *key, AmsBody *body, AmsBody *plain)
{
  Look *look = g_new0 (Look, 1);

  look->place = place;
  look->key = g_strdup (key);
  look->body = g_object_ref (body);
  look->plain = plain ? g_object_ref (plain) : NULL;
  look->headers = ams_s3_headers_new_reading (&place->options);
  return look;
}

static void
send_look (GTask *task, const gchar *method, GAsyncReadyCallback callback)
{
  Look *look = g_task_get_task_data (task);
  gboolean reads = strcmp (method, "GET") == 0;

  look->request = (AmsS3Request){ .operation = reads ? AMS_S3_GET : AMS_S3_HEAD,
    .method = method,
    .key = look->key,
    .headers = ams_s3_headers_peek (look->headers),
    .sink = reads ? ams_body_compare_piece : NULL,
    .sink_data = &look->compare };
  ams_s3_send_async (look->place, &look->request, g_task_get_cancellable (task),
      callback, g_object_ref (task));
}

/* FALSE: it does not say. */
static gboolean
get_size (const AmsS3Reply *reply, guint64 *size)
{
  const gchar *length =
      soup_message_headers_get_one (reply->http->headers, "Content-Length");

  return length &&
      g_ascii_string_to_unsigned (length, 10, 0, G_MAXUINT64, size, NULL);
}

/* Checking */

static void
on_read (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (reply->error)
    g_task_return_error (task, g_steal_pointer (&reply->error));
  else if (ams_body_compare_is_same (&look->compare))
    g_task_return_int (task, AMS_S3_CHECK_SAME);
  else if (look->compare.error)
    g_task_return_error (task, g_steal_pointer (&look->compare.error));
  else
    g_task_return_int (task, AMS_S3_CHECK_DIFFERENT);
}

static void
read_it (GTask *task)
{
  Look *look = g_task_get_task_data (task);

  ams_body_compare_init (&look->compare, look->body, look->plain);
  send_look (task, "GET", on_read);
}

static void
on_md5 (GObject *body, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  GError *error = NULL;
  const AmsS3Digests *digests =
      ams_s3_sums_finish (AMS_BODY (body), result, &error);

  if (!digests)
    g_task_return_error (task, error);
  else if (strcmp (digests->md5, look->etag) == 0)
    g_task_return_int (task, AMS_S3_CHECK_SAME);
  else /* there are ETags that only look like it */
    read_it (task);
}

static void
check_head (GTask *task, const AmsS3Reply *reply)
{
  Look *look = g_task_get_task_data (task);
  guint64 size;

  look->etag = ams_s3_dup_md5_etag (reply->http->headers);
  if (look->plain || !get_size (reply, &size) ||
      ams_http_reply_is_encoded (reply->http)) {
    read_it (task);
    return;
  }
  if (size != ams_body_get_size (look->body)) {
    g_task_return_int (task, AMS_S3_CHECK_DIFFERENT);
    return;
  }
  if (look->etag)
    ams_s3_sums_async (look->body, AMS_S3_DIGEST_MD5,
        g_task_get_cancellable (task), on_md5, g_object_ref (task));
  else
    read_it (task);
}

static void
on_head (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (reply->error)
    g_task_return_error (task, g_steal_pointer (&reply->error));
  else
    check_head (task, reply);
}

void
ams_s3_check_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);

  g_task_set_task_data (task, look_new (place, key, body, plain), look_free);
  send_look (task, "HEAD", on_head);
}

void
ams_s3_read_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);

  g_task_set_task_data (task, look_new (place, key, body, plain), look_free);
  read_it (task);
}

AmsS3Check
ams_s3_check_finish (GAsyncResult *result, gchar **md5, GError **error)
{
  Look *look = g_task_get_task_data (G_TASK (result));
  gssize found = g_task_propagate_int (G_TASK (result), error);

  *md5 = g_strdup (look->etag);
  return found < 0 ? AMS_S3_CHECK_FAILED : (AmsS3Check) found;
}

/* Verifying */

static void G_GNUC_PRINTF (2, 3)
    fail_verify (GTask *task, const gchar *format, ...)
{
  Look *look = g_task_get_task_data (task);
  g_autofree gchar *shown = ams_s3_place_display (look->place, look->key);
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  /* It is to be put again in place of what is there. */
  g_hash_table_add (look->place->spoiled, g_strdup (look->key));
  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_TRANSIENT, 200, 0,
          "“%s” was not stored: %s said it was, but %s", shown,
          look->place->endpoint->host, what));
}

/* It could not be looked at: neither stored nor absent. */
static void
fail_look (GTask *task, GError *error)
{
  if (g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT)) {
    fail_verify (task, "there is nothing there");
    g_error_free (error);
    return;
  }
  if (error->domain == AMS_STORE_ERROR)
    g_prefix_error (&error, "%s",
        "What was put could not be verified (verify=none does without): ");
  g_task_return_error (task, error);
}

/* Some stores make ETags up. */
static void
on_etag_doubted (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Look *look = g_task_get_task_data (task);
  g_autofree gchar *md5 = NULL;
  GError *error = NULL;

  switch (ams_s3_check_finish (result, &md5, &error)) {
    case AMS_S3_CHECK_SAME:
      ams_s3_place_distrust_etags (look->place);
      g_task_return_boolean (task, TRUE);
      break;
    case AMS_S3_CHECK_DIFFERENT:
      fail_verify (task, "another is there, with another ETag");
      break;
    default:
      fail_look (task, error);
  }
}

static gboolean
is_other_etag (const Look *look, const AmsS3Reply *reply)
{
  const gchar *etag =
      soup_message_headers_get_one (reply->http->headers, "ETag");

  return look->place->options.verify == AMS_HTTP_VERIFY_ETAG &&
      !look->place->has_other_etags && etag && look->etag &&
      strcmp (etag, look->etag) != 0;
}

static void
verify_head (GTask *task, const AmsS3Reply *reply)
{
  Look *look = g_task_get_task_data (task);
  guint64 sent = ams_body_get_size (look->body), size;

  if (!get_size (reply, &size))
    size = sent;
  if (size != sent)
    fail_verify (task,
        "holds %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes", size,
        sent);
  else if (is_other_etag (look, reply))
    ams_s3_read_async (look->place, look->key, look->body, look->plain,
        g_task_get_cancellable (task), on_etag_doubted, g_object_ref (task));
  else
    g_task_return_boolean (task, TRUE);
}

static void
on_verified (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  if (!reply)
    fail_look (task, error);
  else if (reply->error)
    fail_look (task, g_steal_pointer (&reply->error));
  else
    verify_head (task, reply);
}

void
ams_s3_verify_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, const gchar *etag, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Look *look = look_new (place, key, body, plain);

  look->etag = g_strdup (etag);
  g_task_set_task_data (task, look, look_free);
  send_look (task, "HEAD", on_verified);
}

gboolean
ams_s3_verify_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* What an answer says of it */

static gboolean
has_own_etags (const AmsS3StoreOptions *options)
{
  const gchar *sse = options->server_side_encryption;

  return options->sse_customer_key ||
      (sse && g_str_has_prefix (sse, "aws:kms"));
}

gboolean
ams_s3_etag_fits (const AmsS3Place *place, SoupMessageHeaders *headers,
    const AmsS3Digests *digests)
{
  g_autofree gchar *etag = ams_s3_dup_md5_etag (headers);

  return !etag || digests->md5[0] == '\0' || place->has_other_etags ||
      has_own_etags (&place->options) || strcmp (etag, digests->md5) == 0;
}

gboolean
ams_s3_refuses_condition (const AmsS3Answer *answer)
{
  if (answer->action == AMS_S3_ACTION_DROP_HEADER)
    return !answer->header ||
        g_ascii_strcasecmp (answer->header, "If-None-Match") == 0 ||
        g_ascii_strcasecmp (answer->header, "If-Match") == 0;
  return answer->status == 400 && answer->message &&
      (strcasestr (answer->message, "if-none-match") ||
          strcasestr (answer->message, "if-match"));
}
