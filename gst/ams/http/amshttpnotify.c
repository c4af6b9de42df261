/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpnotify.h"

#include "http/amshttpsimple.h"

#include <string.h>

static gint
port_of (const AmsHttpUrl *url)
{
  if (url->port >= 0)
    return url->port;
  return strcmp (url->scheme, "https") == 0 ? 443 : 80;
}

static gboolean
is_same_origin (const AmsHttpUrl *a, const AmsHttpUrl *b)
{
  return strcmp (a->scheme, b->scheme) == 0 && strcmp (a->host, b->host) == 0 &&
      port_of (a) == port_of (b);
}

/* Those of notify-url itself. */
static void
add_credentials (AmsHttpSimple *simple, const AmsHttpUrl *url)
{
  g_autofree gchar *both =
      g_strconcat (url->user, ":", url->password ? url->password : "", NULL);
  g_autofree gchar *base64 =
      g_base64_encode ((const guchar *) both, strlen (both));

  simple->authorization = g_strconcat ("Basic ", base64, NULL);
  simple->headers[2] = "Authorization";
  simple->headers[3] = simple->authorization;
  memset (both, 0, strlen (both));
  memset (base64, 0, strlen (base64));
}

void
ams_http_notify_async (AmsHttpClient *client, AmsStore *store,
    const gchar *notify_url, const AmsHttpUrl *home, AmsBody *body,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  GError *error = NULL;
  g_autoptr (AmsHttpUrl) url =
      ams_http_url_parse (notify_url ? notify_url : "", &error);
  AmsHttpSimple *simple;

  if (!url) {
    g_prefix_error (&error, "%s", "notify-url: ");
    g_task_return_error (task, error);
    return;
  }
  simple = g_new0 (AmsHttpSimple, 1);
  simple->operation = AMS_HTTP_POST;
  simple->shown = ams_http_url_to_display (url, NULL);
  simple->headers[0] = "Content-Type";
  simple->headers[1] = "application/json";
  if (url->user)
    add_credentials (simple, url);
  simple->request.method = "POST";
  simple->request.uri = ams_http_url_to_uri (url, NULL);
  simple->request.body = g_object_ref (body);
  simple->request.anonymous = url->user || !home || !is_same_origin (url, home);
  ams_http_simple_send (client, task, simple);
}

gboolean
ams_http_notify_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
