/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of the HTTP store share: a store, its client and the server that it puts
 * into. Included once by each of them. */

#pragma once

#include "http/amsgzip.h"
#include "http/amshttpplace.h"
#include "http/amshttpstore.h"
#include "transfer/amscopybody.h"

#include "amsfaultserver.h"

#include <gst/gst.h>
#include <string.h>

#define SECRET "hidden"

typedef struct
{
  AmsFaultOptions server_options;
  AmsFaultServer *server;
  AmsHttpOptions client_options;
  AmsHttpStoreOptions options;
  const gchar *location; /* path and query of the folder */
  AmsHttpClient *client;
  AmsStore *store;
} Fixture;

/* Options are changed between set_up() and start(). */
static G_GNUC_UNUSED void
set_up (Fixture *f, gconstpointer data)
{
  f->server_options.etag = AMS_FAULT_ETAG_MD5;
  f->location = "/rec/";
  ams_http_options_init (&f->client_options);
  /* The system's proxies are asked for in a library that valgrind does not bear. */
  g_free (f->client_options.proxy);
  f->client_options.proxy = g_strdup ("");
  f->options.look_first = TRUE;
  f->options.segment_cache_control =
      g_strdup ("public, max-age=31536000, immutable");
  f->options.playlist_cache_control = g_strdup ("no-cache");
}

static G_GNUC_UNUSED AmsStore *
new_store (Fixture *f)
{
  AmsStore *store = ams_http_store_new (f->client, &f->options);

  ams_http_store_set_patience (AMS_HTTP_STORE (store), 0);
  return store;
}

static G_GNUC_UNUSED void
start (Fixture *f)
{
  g_autofree gchar *url = NULL;
  GError *error = NULL;

  f->server = ams_fault_server_new (&f->server_options);
  url = ams_fault_server_dup_url (f->server, f->location);
  f->options.url = ams_http_url_parse (url, &error);
  g_assert_no_error (error);
  f->client = ams_http_client_new (&f->client_options, "http", &error);
  g_assert_no_error (error);
  f->store = new_store (f);
}

static G_GNUC_UNUSED void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->store);
  g_assert_finalize_object (f->client);
  ams_fault_server_free (f->server);
  ams_http_options_clear (&f->client_options);
  ams_http_store_options_clear (&f->options);
}

static G_GNUC_UNUSED void
rule (Fixture *f, const AmsFaultRule *scripted)
{
  ams_fault_server_add_rule (f->server, scripted);
}

/* Operations answer on the default context. */

static G_GNUC_UNUSED void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static G_GNUC_UNUSED GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (!*result)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static G_GNUC_UNUSED void
assert_shown (const GError *error)
{
  g_assert_true (!error || !strstr (error->message, SECRET));
  g_assert_true (!error || g_utf8_validate (error->message, -1, NULL));
}

static G_GNUC_UNUSED AmsBody *
new_body (gconstpointer data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  AmsBody *body = ams_memory_body_new ();

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, size);
  return body;
}

static G_GNUC_UNUSED gboolean
put_body (Fixture *f, const gchar *name, AmsFileRole role, AmsBody *body,
    guint attempts, GError **error)
{
  AmsPut put = { .name = name,
    .role = role,
    .body = body,
    .attempts = attempts };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) local = NULL;
  gboolean ok;

  ams_store_put_async (f->store, &put, NULL, on_done, &result);
  ok = ams_store_put_finish (f->store, wait_for (&result), &local);
  g_assert_true (ok == (local == NULL));
  assert_shown (local);
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

static G_GNUC_UNUSED gboolean
put (Fixture *f, const gchar *name, AmsFileRole role, const gchar *text,
    GError **error)
{
  g_autoptr (AmsBody) body = new_body (text, strlen (text));

  return put_body (f, name, role, body, 1, error);
}

static G_GNUC_UNUSED gboolean
put_segment (Fixture *f, const gchar *name, const gchar *text, GError **error)
{
  return put (f, name, AMS_FILE_ROLE_SEGMENT, text, error);
}

static G_GNUC_UNUSED GBytes *
fetch (Fixture *f, const gchar *name, guint64 max_size, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) local = NULL;
  GBytes *bytes;

  ams_store_fetch_async (f->store, name, FALSE, max_size, NULL, on_done,
      &result);
  bytes = ams_store_fetch_finish (f->store, wait_for (&result), &local);
  assert_shown (local);
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  return bytes;
}

static G_GNUC_UNUSED GBytes *
fetch_head (Fixture *f, const gchar *name, guint64 size, guint64 max_size,
    GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_fetch_head_async (f->store, name, size, max_size, NULL, on_done,
      &result);
  return ams_store_fetch_finish (f->store, wait_for (&result), error);
}

static G_GNUC_UNUSED gboolean
remove_file (Fixture *f, const gchar *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ams_store_remove_async (f->store, name, NULL, on_done, &result);
  return ams_store_remove_finish (f->store, wait_for (&result), error);
}

static G_GNUC_UNUSED gboolean
notify (Fixture *f, GError **error)
{
  g_autoptr (AmsBody) body = new_body ("{}", 2);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) local = NULL;
  gboolean ok;

  ams_store_notify_async (f->store, body, NULL, on_done, &result);
  ok = ams_store_notify_finish (f->store, wait_for (&result), &local);
  assert_shown (local);
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

/* What the server saw */

static G_GNUC_UNUSED void
assert_text (Fixture *f, const gchar *path, const gchar *expected)
{
  g_autoptr (GBytes) bytes = ams_fault_server_dup_object (f->server, path);

  g_assert_true ((bytes == NULL) == (expected == NULL));
  if (bytes)
    g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
        expected, strlen (expected));
}

static G_GNUC_UNUSED gchar *
header_of (Fixture *f, const gchar *method, const gchar *path, guint n,
    const gchar *name)
{
  g_autoptr (AmsFaultRequest) request =
      ams_fault_server_dup_request (f->server, method, path, n);

  g_assert_nonnull (request);
  return ams_fault_request_dup_header (request, name);
}

static G_GNUC_UNUSED void
assert_header (Fixture *f, const gchar *method, const gchar *path, guint n,
    const gchar *name, const gchar *expected)
{
  g_autofree gchar *value = header_of (f, method, path, n, name);

  g_assert_cmpstr (value, ==, expected);
}

static G_GNUC_UNUSED void
assert_count (Fixture *f, const gchar *method, guint expected)
{
  g_assert_cmpuint (ams_fault_server_count (f->server, method, NULL), ==,
      expected);
}

static G_GNUC_UNUSED void
assert_error (GError *error, AmsFailure failure, const gchar *said)
{
  g_assert_error (error, AMS_STORE_ERROR, (gint) failure);
  if (!strstr (error->message, said))
    g_error ("“%s” is not in “%s”", said, error->message);
}

typedef struct
{
  const gchar *name;
  guint status;
  AmsFailure failure;
  const gchar *said;
} Refusal;

#define ADD_DATA(path, function, data) \
  g_test_add ("/http-store/" path, Fixture, data, set_up, function, tear_down)
#define ADD(path, function) ADD_DATA (path, function, NULL)
#define ADD_TABLE(table, subject, function) \
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = \
        g_strconcat ("/http-store/" subject, table[i].name, NULL); \
    g_test_add (path, Fixture, &table[i], set_up, function, tear_down); \
  }
