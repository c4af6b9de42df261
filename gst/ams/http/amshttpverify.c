/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpverify.h"

#include "http/amsbodycompare.h"
#include "http/amsbodysum.h"
#include "http/amshttpread.h"
#include "http/amshttpunsure.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (ams_http_store_debug);
#define GST_CAT_DEFAULT ams_http_store_debug

/* Comparing */

typedef struct
{
  AmsHttpPlace *place;
  gchar *name;
  AmsHttpRequest request;
  AmsBodyCompare bodies;
  gboolean zipped; /* it was put with a Content-Encoding */
  gboolean versions;
} Compare;

static void
compare_free (gpointer data)
{
  Compare *compare = data;

  ams_body_compare_clear (&compare->bodies);
  ams_http_request_clear (&compare->request);
  g_free (compare->name);
  g_free (compare);
}

static gboolean
is_earlier (const Compare *compare)
{
  return compare->versions &&
      (ams_body_compare_is_beginning (&compare->bodies) ||
          ams_http_unsure_has (compare->place, compare->name,
              ams_body_compare_get_sum (&compare->bodies)));
}

static void
judge (GTask *task, const AmsHttpReply *reply)
{
  Compare *compare = g_task_get_task_data (task);

  if (reply->status != 200)
    g_task_return_error (task,
        ams_http_place_error (compare->place, AMS_HTTP_GET, compare->name,
            reply));
  else if (ams_body_compare_is_same (&compare->bodies))
    g_task_return_int (task, AMS_HTTP_COMPARE_SAME);
  else if (compare->bodies.error)
    g_task_return_error (task, g_steal_pointer (&compare->bodies.error));
  else if (ams_http_reply_is_encoded (reply) && !compare->zipped)
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
            "the server sends it in a Content-Encoding that was not asked for"));
  else
    g_task_return_int (task,
        is_earlier (compare) ? AMS_HTTP_COMPARE_EARLIER
                             : AMS_HTTP_COMPARE_DIFFERENT);
}

static void
on_compared (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (reply)
    judge (task, reply);
  else
    g_task_return_error (task, error);
}

void
ams_http_compare_async (AmsHttpPlace *place, const gchar *name, AmsBody *body,
    AmsBody *plain, gboolean versions, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Compare *compare = g_new0 (Compare, 1);

  compare->place = place;
  compare->name = g_strdup (name);
  ams_body_compare_init (&compare->bodies, body, plain);
  compare->zipped = plain != NULL;
  compare->versions = versions;
  if (versions)
    ams_body_compare_want_sum (&compare->bodies);
  ams_http_place_request (place, &compare->request, "GET", name);
  compare->request.sink = ams_body_compare_piece;
  compare->request.user_data = &compare->bodies;
  g_task_set_task_data (task, compare, compare_free);
  ams_http_client_send_async (place->client, &compare->request, cancellable,
      on_compared, task);
}

AmsHttpCompare
ams_http_compare_finish (GAsyncResult *result, GError **error)
{
  gssize same = g_task_propagate_int (G_TASK (result), error);

  return same < 0 ? AMS_HTTP_COMPARE_FAILED : (AmsHttpCompare) same;
}

/* Verifying */

typedef struct
{
  AmsHttpPlace *place;
  gchar *name;
  AmsBody *body, *plain;
  guint status;
  gchar *etag; /* (nullable) strong */
  AmsHttpRequest request;
  gchar *md5; /* (nullable) what the server says */
  const gchar *doubt; /* (nullable) what is wrong with the ETag */
} Verify;

static void
verify_free (gpointer data)
{
  Verify *verify = data;

  g_free (verify->name);
  g_object_unref (verify->body);
  g_clear_object (&verify->plain);
  g_free (verify->etag);
  ams_http_request_clear (&verify->request);
  g_free (verify->md5);
  g_free (verify);
}

static void G_GNUC_PRINTF (2, 3)
    fail_verify (GTask *task, const gchar *format, ...)
{
  Verify *verify = g_task_get_task_data (task);
  g_autofree gchar *url =
      ams_http_url_to_display (verify->place->options.url, verify->name);
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_TRANSIENT, verify->status, 0,
          "“%s” was not stored: the server said %u, but %s", url,
          verify->status, what));
}

/* The file could not be looked at: neither stored nor absent. */
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

/* The ETag said otherwise. */
static void
distrust_etags (AmsHttpPlace *place)
{
  if (!place->has_other_etags)
    GST_INFO ("%s has ETags that say nothing of what is there, as a file shows "
              "that is as it should be: they are not compared any more",
        place->options.url->host);
  place->has_other_etags = TRUE;
}

static void
on_verify_compared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Verify *verify = g_task_get_task_data (task);
  GError *error = NULL;

  switch (ams_http_compare_finish (result, &error)) {
    case AMS_HTTP_COMPARE_SAME:
      if (verify->doubt)
        distrust_etags (verify->place);
      g_task_return_boolean (task, TRUE);
      break;
    case AMS_HTTP_COMPARE_DIFFERENT:
      fail_verify (task, "%s",
          verify->doubt ? verify->doubt : "holds something else there");
      break;
    default:
      fail_look (task, error);
  }
}

static void
verify_by_reading (GTask *task, const gchar *doubt)
{
  Verify *verify = g_task_get_task_data (task);

  verify->doubt = doubt;
  ams_http_compare_async (verify->place, verify->name, verify->body,
      verify->plain, FALSE, g_task_get_cancellable (task), on_verify_compared,
      g_object_ref (task));
}

static void
on_md5 (GObject *body, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Verify *verify = g_task_get_task_data (task);
  GError *error = NULL;
  const gchar *sum = ams_body_sum_finish (AMS_BODY (body), result, &error);

  if (!sum)
    g_task_return_error (task, error);
  else if (g_ascii_strcasecmp (sum, verify->md5) != 0)
    verify_by_reading (task, "its ETag is not the MD5 of what was sent");
  else
    g_task_return_boolean (task, TRUE);
}

/* (nullable) what is between its quotes */
static gchar *
dup_strong_etag (const gchar *etag)
{
  gsize length = etag ? strlen (etag) : 0;

  if (length < 2 || etag[0] != '"' || etag[length - 1] != '"')
    return NULL;
  return g_strndup (etag + 1, length - 2);
}

static gboolean
is_md5 (const gchar *etag)
{
  return strlen (etag) == 32 && strspn (etag, "0123456789abcdefABCDEF") == 32;
}

static void
say_no_etag (AmsHttpPlace *place)
{
  if (!place->said_no_etag)
    GST_WARNING ("%s",
        "the server sends no strong ETag: only sizes are verified");
  place->said_no_etag = TRUE;
}

static void
verify_etag (GTask *task, const AmsHttpReply *reply)
{
  Verify *verify = g_task_get_task_data (task);
  g_autofree gchar *now =
      dup_strong_etag (soup_message_headers_get_one (reply->headers, "ETag"));
  const gchar *either = now ? now : verify->etag;

  if (verify->place->has_other_etags) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  if (now && verify->etag && strcmp (now, verify->etag) != 0) {
    verify_by_reading (task, "another ETag is there than it answered");
    return;
  }
  if (either && is_md5 (either)) {
    verify->md5 = g_strdup (either);
    ams_body_sum_async (verify->body, G_CHECKSUM_MD5,
        g_task_get_cancellable (task), on_md5, g_object_ref (task));
    return;
  }
  if (!now || !verify->etag)
    say_no_etag (verify->place);
  g_task_return_boolean (task, TRUE);
}

/* FALSE: what it says is not the size of what was put. */
static gboolean
get_size (const Verify *verify, const AmsHttpReply *reply, guint64 *size)
{
  const gchar *length =
      soup_message_headers_get_one (reply->headers, "Content-Length");

  if (!length || (ams_http_reply_is_encoded (reply) && !verify->plain))
    return FALSE;
  return g_ascii_string_to_unsigned (length, 10, 0, G_MAXUINT64, size, NULL);
}

static void
verify_head (GTask *task, const AmsHttpReply *reply)
{
  Verify *verify = g_task_get_task_data (task);
  guint64 sent = ams_body_get_size (verify->body), size;

  if (!get_size (verify, reply, &size))
    verify_by_reading (task, NULL);
  else if (size != sent && verify->plain &&
      size == ams_body_get_size (verify->plain))
    verify_by_reading (task, NULL);
  else if (size != sent)
    fail_verify (task,
        "holds %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes", size,
        sent);
  else if (verify->place->options.verify == AMS_HTTP_VERIFY_ETAG)
    verify_etag (task, reply);
  else
    g_task_return_boolean (task, TRUE);
}

static void
on_head (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Verify *verify = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (!reply)
    fail_look (task, error);
  else if (reply->status == 200)
    verify_head (task, reply);
  else if (reply->status == 405 || reply->status == 501)
    verify_by_reading (task, NULL);
  else
    fail_look (task,
        ams_http_place_error (verify->place, AMS_HTTP_GET, verify->name,
            reply));
}

void
ams_http_verify_async (AmsHttpPlace *place, const gchar *name, AmsBody *body,
    AmsBody *plain, guint status, const gchar *etag, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Verify *verify = g_new0 (Verify, 1);

  verify->place = place;
  verify->name = g_strdup (name);
  verify->body = g_object_ref (body);
  verify->plain = plain ? g_object_ref (plain) : NULL;
  verify->status = status;
  verify->etag = dup_strong_etag (etag);
  ams_http_place_request (place, &verify->request, "HEAD", name);
  g_task_set_task_data (task, verify, verify_free);
  ams_http_client_send_async (place->client, &verify->request, cancellable,
      on_head, task);
}

gboolean
ams_http_verify_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
