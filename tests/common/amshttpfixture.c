/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amshttpfixture.h"

#include <string.h>

void
ams_http_fixture_begin (AmsHttpFixture *f, const AmsFaultOptions *server)
{
  const gchar *folder = ams_fault_certificates ();

  memset (f, 0, sizeof (*f));
  f->server = ams_fault_server_new (server);
  f->tls = server && server->tls != AMS_FAULT_TLS_NONE;
  ams_http_options_init (&f->options);
  f->options.proxy = g_strdup ("");
  if (f->tls)
    f->options.ssl_ca_file = g_build_filename (folder, "ca.pem", NULL);
}

void
ams_http_fixture_end (AmsHttpFixture *f)
{
  if (f->client)
    g_assert_finalize_object (f->client);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  ams_http_options_clear (&f->options);
  ams_fault_server_free (f->server);
}

GBytes *
ams_http_fixture_make_bytes (gsize size)
{
  guint8 *data = g_malloc (size);
  guint32 word = 1;

  for (gsize i = 0; i < size; i++) {
    word = word * 1664525 + 1013904223;
    data[i] = word >> 24;
  }
  return g_bytes_new_take (data, size);
}

void
ams_http_call_init (AmsHttpCall *call, AmsHttpFixture *f, const gchar *method,
    const gchar *path, gsize size)
{
  memset (call, 0, sizeof (*call));
  call->uri = g_uri_build (G_URI_FLAGS_ENCODED, f->tls ? "https" : "http", NULL,
      "127.0.0.1", ams_fault_server_get_port (f->server), path, "token=hush",
      NULL);
  call->request.method = method;
  call->request.uri = call->uri;
  if (size > 0)
    call->request.bytes = call->bytes = ams_http_fixture_make_bytes (size);
  call->cancellable = g_cancellable_new ();
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AmsHttpCall *call = user_data;

  call->reply = ams_http_client_send_finish (AMS_HTTP_CLIENT (source), result,
      &call->error);
  call->done = TRUE;
}

void
ams_http_call_begin (AmsHttpCall *call, AmsHttpFixture *f)
{
  g_autoptr (GError) error = NULL;

  if (!f->client)
    f->client =
        ams_http_client_new (&f->options, f->tls ? "https" : "http", &error);
  g_assert_no_error (error);
  ams_http_client_send_async (f->client, &call->request, call->cancellable,
      on_done, call);
}

void
ams_http_call_wait (AmsHttpCall *call)
{
  while (!call->done)
    g_main_context_iteration (NULL, TRUE);
}

void
ams_http_call_clear (AmsHttpCall *call)
{
  g_uri_unref (call->uri);
  g_clear_pointer (&call->bytes, g_bytes_unref);
  g_clear_object (&call->cancellable);
  g_clear_pointer (&call->reply, ams_http_reply_free);
  g_clear_error (&call->error);
}

guint
ams_http_fixture_run (AmsHttpCall *call, AmsHttpFixture *f)
{
  ams_http_call_begin (call, f);
  ams_http_call_wait (call);
  return call->reply ? call->reply->status : 0;
}

guint
ams_http_fixture_put (AmsHttpFixture *f, const gchar *path, gsize size)
{
  AmsHttpCall call;
  guint status;

  ams_http_call_init (&call, f, "PUT", path, size);
  status = ams_http_fixture_run (&call, f);
  ams_http_call_clear (&call);
  return status;
}

void
ams_http_call_assert_stored (AmsHttpCall *call, AmsHttpFixture *f,
    const gchar *name)
{
  g_autoptr (GBytes) stored = ams_fault_server_dup_object (f->server, name);

  g_assert_nonnull (stored);
  g_assert_cmpuint (g_bytes_get_size (stored), ==,
      g_bytes_get_size (call->bytes));
  g_assert_true (g_bytes_equal (stored, call->bytes));
}

void
ams_http_call_assert_status (AmsHttpCall *call, guint status)
{
  g_assert_no_error (call->error);
  g_assert_cmpuint (call->reply->status, ==, status);
}

void
ams_http_call_assert_failed (AmsHttpCall *call, AmsFailure failure,
    const gchar *part)
{
  g_assert_error (call->error, AMS_STORE_ERROR, (gint) failure);
  g_assert_null (call->reply);
  g_test_message ("%s", call->error->message);
  if (!strstr (call->error->message, part))
    g_error ("“%s” is not in “%s”", part, call->error->message);
  g_assert_null (strstr (call->error->message, "hush"));
  g_assert_null (strstr (call->error->message, "?"));
}
