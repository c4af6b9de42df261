/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of the S3 store share: a store, its client and the server that it puts into, which
 * does not look at signatures. Included once by each of them. */

#pragma once

#include "http/amsgzip.h"
#include "s3/amss3place.h"
#include "s3/amss3store.h"

#include "amsfaultserver.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

#define SECRET "hidden"
#define XML(code, more) \
  "<?xml version=\"1.0\"?><Error><Code>" code "</Code>" more \
  "<RequestId>R1</RequestId></Error>"

typedef struct
{
  AmsFaultOptions server_options;
  AmsFaultServer *server;
  AmsS3StoreOptions options;
  AmsHttpClient *client;
  AmsStore *store;
  gchar *folder; /* (nullable) for files */
} Fixture;

static G_GNUC_UNUSED void
rule (Fixture *f, const AmsFaultRule *scripted)
{
  ams_fault_server_add_rule (f->server, scripted);
}

/* Options are changed between set_up() and start(). */
static G_GNUC_UNUSED void
set_up (Fixture *f, gconstpointer data)
{
  ams_s3_store_options_init (&f->options);
  f->options.bucket = g_strdup ("bucket");
  g_free (f->options.prefix);
  f->options.prefix = g_strdup ("rec/");
  f->options.credentials.access_key = g_strdup ("KEY1");
  f->options.credentials.secret_key = g_strdup (SECRET);
}

static G_GNUC_UNUSED AmsStore *
new_store (Fixture *f)
{
  AmsStore *store = ams_s3_store_new (f->client, &f->options);

  ams_s3_store_set_patience (AMS_S3_STORE (store), 0);
  return store;
}

static G_GNUC_UNUSED void
start (Fixture *f)
{
  AmsHttpOptions options;
  g_autofree gchar *url = NULL;
  GError *error = NULL;

  f->server = ams_fault_server_new (&f->server_options);
  url = ams_fault_server_dup_url (f->server, "");
  f->options.endpoint = ams_s3_endpoint_parse (url, &error);
  g_assert_no_error (error);
  ams_http_options_init (&options);
  /* The system's proxies are asked for in a library that valgrind does not bear. */
  g_free (options.proxy);
  options.proxy = g_strdup ("");
  f->client = ams_http_client_new (&options, "http", &error);
  g_assert_no_error (error);
  ams_http_options_clear (&options);
  f->store = new_store (f);
}

static G_GNUC_UNUSED gchar *
file_in_folder (Fixture *f, const gchar *name)
{
  if (!f->folder)
    f->folder = g_dir_make_tmp ("ams-s3-XXXXXX", NULL);
  return g_build_filename (f->folder, name, NULL);
}

static G_GNUC_UNUSED void
remove_folder (Fixture *f)
{
  GDir *dir = f->folder ? g_dir_open (f->folder, 0, NULL) : NULL;
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (f->folder, name, NULL);

    g_unlink (file);
  }
  g_clear_pointer (&dir, g_dir_close);
  if (f->folder)
    g_rmdir (f->folder);
  g_free (f->folder);
}

static G_GNUC_UNUSED void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static G_GNUC_UNUSED void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->store)
    g_assert_finalize_object (f->store);
  drain ();
  if (f->client)
    g_assert_finalize_object (f->client);
  g_clear_pointer (&f->server, ams_fault_server_free);
  ams_s3_store_options_clear (&f->options);
  remove_folder (f);
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

/* @ok says so, and what is said is fit to be. */
static G_GNUC_UNUSED gboolean
pass_error (gboolean ok, GError *local, GError **error)
{
  g_assert_true (ok == (local == NULL));
  g_assert_true (!local || !strstr (local->message, SECRET));
  g_assert_true (!local || g_utf8_validate (local->message, -1, NULL));
  if (local)
    g_propagate_error (error, local);
  return ok;
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
  GError *local = NULL;
  gboolean ok;

  ams_store_put_async (f->store, &put, NULL, on_done, &result);
  ok = ams_store_put_finish (f->store, wait_for (&result), &local);
  return pass_error (ok, local, error);
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
  GError *local = NULL;
  GBytes *bytes;

  ams_store_fetch_async (f->store, name, FALSE, max_size, NULL, on_done,
      &result);
  bytes = ams_store_fetch_finish (f->store, wait_for (&result), &local);
  pass_error (bytes != NULL, local, error);
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

static G_GNUC_UNUSED GPtrArray *
list (Fixture *f, const gchar *prefix, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  GError *local = NULL;
  GPtrArray *entries;

  ams_store_list_async (f->store, prefix, NULL, on_done, &result);
  entries = ams_store_list_finish (f->store, wait_for (&result), &local);
  pass_error (entries != NULL, local, error);
  return entries;
}

static G_GNUC_UNUSED gboolean
remove_file (Fixture *f, const gchar *name, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  GError *local = NULL;
  gboolean ok;

  ams_store_remove_async (f->store, name, NULL, on_done, &result);
  ok = ams_store_remove_finish (f->store, wait_for (&result), &local);
  return pass_error (ok, local, error);
}

static G_GNUC_UNUSED gboolean
probe (Fixture *f, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  GError *local = NULL;
  gboolean ok;

  ams_store_probe_async (f->store, NULL, on_done, &result);
  ok = ams_store_probe_finish (f->store, wait_for (&result), &local);
  return pass_error (ok, local, error);
}

/* What the server saw */

static G_GNUC_UNUSED void
assert_text (Fixture *f, const gchar *path, const gchar *expected)
{
  g_autofree gchar *text = ams_fault_server_dup_text (f->server, path);

  g_assert_cmpstr (text, ==, expected);
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
assert_header (Fixture *f, const gchar *method, guint n, const gchar *name,
    const gchar *expected)
{
  g_autofree gchar *value = header_of (f, method, NULL, n, name);

  g_assert_cmpstr (value, ==, expected);
}

/* That the @n-th was signed with this in it. */
static G_GNUC_UNUSED void
assert_signed (Fixture *f, guint n, const gchar *part)
{
  g_autofree gchar *value = header_of (f, NULL, NULL, n, "Authorization");

  g_assert_nonnull (value);
  if (!strstr (value, part))
    g_error ("“%s” is not in “%s”", part, value);
}

static G_GNUC_UNUSED void
assert_count (Fixture *f, const gchar *method, guint expected)
{
  g_assert_cmpuint (ams_fault_server_count (f->server, method, NULL), ==,
      expected);
}

static G_GNUC_UNUSED void
assert_error (GError *error, AmsFailure failure, guint status,
    const gchar *said)
{
  g_assert_error (error, AMS_STORE_ERROR, (gint) failure);
  g_assert_cmpuint (ams_store_error_get_http_status (error), ==, status);
  if (!strstr (error->message, said))
    g_error ("“%s” is not in “%s”", said, error->message);
}

#define ADD_DATA(path, function, data) \
  g_test_add ("/s3-store/" path, Fixture, data, set_up, function, tear_down)
#define ADD(path, function) ADD_DATA (path, function, NULL)
#define ADD_TABLE(table, subject, function) \
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = \
        g_strconcat ("/s3-store/" subject "/", table[i].name, NULL); \
    g_test_add (path, Fixture, &table[i], set_up, function, tear_down); \
  }
