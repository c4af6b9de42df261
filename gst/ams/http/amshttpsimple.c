/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpsimple.h"

#include <string.h>

static void
simple_free (gpointer data)
{
  AmsHttpSimple *simple = data;

  g_free (simple->shown);
  if (simple->authorization)
    memset (simple->authorization, 0, strlen (simple->authorization));
  g_free (simple->authorization);
  g_clear_object (&simple->request.body);
  g_clear_pointer (&simple->request.uri, g_uri_unref);
  g_free (simple);
}

static GError *
simple_error (const AmsHttpSimple *simple, const AmsHttpReply *reply)
{
  const gchar *after =
      soup_message_headers_get_one (reply->headers, "Retry-After");

  return ams_http_status_error (simple->operation, simple->shown, reply->status,
      soup_status_get_phrase (reply->status),
      ams_http_parse_retry_after (after, reply->received), reply->body);
}

static void
on_simple (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  AmsHttpSimple *simple = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  if (!reply)
    g_task_return_error (task, error);
  else if (ams_http_status_is_success (simple->operation, reply->status))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, simple_error (simple, reply));
}

void
ams_http_simple_send (AmsHttpClient *client, GTask *task, AmsHttpSimple *simple)
{
  simple->request.headers = simple->headers;
  g_task_set_task_data (task, simple, simple_free);
  ams_http_client_send_async (client, &simple->request,
      g_task_get_cancellable (task), on_simple, g_object_ref (task));
}
