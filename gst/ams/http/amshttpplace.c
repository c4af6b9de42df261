/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpplace.h"

#include "http/amshttpread.h"

#define PATIENCE (10 * G_TIME_SPAN_SECOND)

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
ams_http_place_init (AmsHttpPlace *place, AmsHttpClient *client,
    const AmsHttpStoreOptions *options)
{
  place->client = g_object_ref (client);
  ams_http_store_options_copy (&place->options, options);
  place->patience = PATIENCE;
  place->found_free = !options->look_first;
  place->guard = ams_list_guard_new ();
  place->folders = new_set ();
  place->own = new_set ();
  place->cut_off = new_set ();
  place->unsure = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_hash_table_unref);
}

void
ams_http_place_clear (AmsHttpPlace *place)
{
  g_object_unref (place->client);
  ams_http_store_options_clear (&place->options);
  ams_list_guard_free (place->guard);
  g_hash_table_unref (place->folders);
  g_hash_table_unref (place->own);
  g_hash_table_unref (place->cut_off);
  g_hash_table_unref (place->unsure);
}

void
ams_http_place_request (AmsHttpPlace *place, AmsHttpRequest *request,
    const gchar *method, const gchar *name)
{
  request->method = method;
  request->uri = ams_http_url_to_uri (place->options.url, name);
  request->headers = ams_http_read_headers;
}

void
ams_http_request_clear (AmsHttpRequest *request)
{
  g_clear_pointer (&request->uri, g_uri_unref);
}

GError *
ams_http_place_error (AmsHttpPlace *place, AmsHttpOperation operation,
    const gchar *name, const AmsHttpReply *reply)
{
  g_autofree gchar *url = ams_http_url_to_display (place->options.url, name);
  const gchar *after =
      soup_message_headers_get_one (reply->headers, "Retry-After");

  return ams_http_status_error (operation, url, reply->status,
      soup_status_get_phrase (reply->status),
      ams_http_parse_retry_after (after, reply->received), reply->body);
}
