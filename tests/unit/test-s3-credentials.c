/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#include "s3/amss3credentials.h"
#include "transfer/amsstore.h"

#define START (G_GINT64_CONSTANT (1795344364) * G_USEC_PER_SEC)

/* A server of credentials on this machine, whose answers last an hour. */
typedef struct
{
  SoupServer *server;
  gchar *url;
  gint64 now;
  guint asked; /* how often for credentials */
  guint status;
  gboolean silent; /* does not answer */
  GString *seen; /* requests, as “METHOD path header body;” */
  SoupServerMessage *held; /* nullable */
  AmsS3Credentials *credentials;
  GStrv envp;
  gchar *token_file;
} Fixture;

static gint64
fixture_now (gpointer user_data)
{
  return ((Fixture *) user_data)->now;
}

static gchar *
make_answer (Fixture *f, gboolean sts)
{
  g_autoptr (GDateTime) date =
      g_date_time_new_from_unix_utc (f->now / G_USEC_PER_SEC + 3600);
  g_autofree gchar *until = g_date_time_format_iso8601 (date);

  f->asked++;
  if (sts)
    return g_strdup_printf (
        "<AssumeRoleWithWebIdentityResponse><R><Credentials>"
        "<AccessKeyId>key%u</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        "<SessionToken>t</SessionToken><Expiration>%s</Expiration>"
        "</Credentials></R></AssumeRoleWithWebIdentityResponse>",
        f->asked, until);
  return g_strdup_printf (
      "{\"AccessKeyId\":\"key%u\",\"SecretAccessKey\":\"s\","
      "\"Token\":\"t\",\"Expiration\":\"%s\"}",
      f->asked, until);
}

static void
note_request (Fixture *f, SoupServerMessage *message, const gchar *path)
{
  static const gchar *const names[] = { "Authorization",
    "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds" };
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  guint i;

  g_string_append_printf (f->seen, "%s %s",
      soup_server_message_get_method (message), path);
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    const gchar *value = soup_message_headers_get_one (headers, names[i]);

    if (value != NULL)
      g_string_append_printf (f->seen, " %s", value);
  }
  if (body->length > 0)
    g_string_append_printf (f->seen, " %.*s", (gint) body->length, body->data);
  g_string_append_c (f->seen, ';');
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer user_data)
{
  Fixture *f = user_data;
  g_autofree gchar *text = NULL;

  note_request (f, message, path);
  if (f->silent) {
    f->held = message;
    soup_server_message_pause (message);
    return;
  }
  if (g_str_has_suffix (path, "/token"))
    text = g_strdup ("MACHINE");
  else if (g_str_has_suffix (path, "/security-credentials/"))
    text = g_strdup ("my role\n");
  else
    text = make_answer (f, g_str_equal (path, "/"));
  soup_server_message_set_status (message, f->status, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY,
      text, strlen (text));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  GSList *uris;

  f->now = START;
  f->status = 200;
  f->seen = g_string_new (NULL);
  f->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (f->server, NULL, on_request, f, NULL);
  g_assert_true (soup_server_listen_local (f->server, 0,
      SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
  uris = soup_server_get_uris (f->server);
  f->url = g_strdup_printf ("http://127.0.0.1:%d", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  f->envp = g_environ_setenv (NULL, "HOME", "/nowhere", TRUE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  ams_s3_credentials_stop (f->credentials);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (f->credentials);
  soup_server_disconnect (f->server);
  g_object_unref (f->server);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (f->token_file != NULL)
    g_unlink (f->token_file);
  g_free (f->token_file);
  g_free (f->url);
  g_strfreev (f->envp);
  g_string_free (f->seen, TRUE);
}

static void
create (Fixture *f, const AmsS3CredentialsOptions *options)
{
  f->credentials = ams_s3_credentials_new (options, f->envp, fixture_now, f);
}

static void
set_variable (Fixture *f, const gchar *name, const gchar *value)
{
  f->envp = g_environ_setenv (f->envp, name, value, TRUE);
}

static void
create_container (Fixture *f)
{
  AmsS3CredentialsOptions options = { .container_endpoint = f->url };

  set_variable (f, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  create (f, &options);
}

static void
write_token (Fixture *f, const gchar *text)
{
  if (f->token_file == NULL) {
    gint fd = g_file_open_tmp ("ams-s3-XXXXXX", &f->token_file, NULL);

    g_assert_true (g_close (fd, NULL));
  }
  g_assert_true (g_file_set_contents (f->token_file, text, -1, NULL));
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static AmsS3Identity *
wait_for (Fixture *f, GAsyncResult **result, GError **error)
{
  AmsS3Identity *identity;

  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  identity = ams_s3_credentials_get_finish (f->credentials, *result, error);
  g_clear_object (result);
  return identity;
}

static AmsS3Identity *
get (Fixture *f, GError **error)
{
  GAsyncResult *result = NULL;

  ams_s3_credentials_get_async (f->credentials, NULL, on_done, &result);
  return wait_for (f, &result, error);
}

static void
assert_key (Fixture *f, const gchar *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsS3Identity) identity = get (f, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (identity->access_key, ==, key);
}

static void
wait_until_asked (Fixture *f, guint times)
{
  while (f->asked < times)
    g_main_context_iteration (NULL, TRUE);
}

/* ---- providers ---- */

static void
test_properties_no_request (Fixture *f, gconstpointer data)
{
  AmsS3CredentialsOptions options = { (gchar *) "a", (gchar *) "s" };

  create (f, &options);
  assert_key (f, "a");
  g_assert_false (ams_s3_credentials_is_dynamic (f->credentials));
  g_assert_cmpstr (f->seen->str, ==, "");
}

static void
test_container_asked_with_token (Fixture *f, gconstpointer data)
{
  set_variable (f, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x");
  create_container (f);
  assert_key (f, "key1");
  g_assert_true (ams_s3_credentials_is_dynamic (f->credentials));
  g_assert_cmpstr (f->seen->str, ==, "GET /c Basic x;");
}

static void
test_container_token_file_read_anew (Fixture *f, gconstpointer data)
{
  write_token (f, "one\n");
  set_variable (f, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", f->token_file);
  create_container (f);
  assert_key (f, "key1");
  write_token (f, "two\n");
  f->now += 2 * G_TIME_SPAN_HOUR;
  assert_key (f, "key2");
  g_assert_cmpstr (f->seen->str, ==, "GET /c one;GET /c two;");
}

static void
test_machine_token_role_credentials (Fixture *f, gconstpointer data)
{
  AmsS3CredentialsOptions options = { .imds_endpoint = f->url };

  create (f, &options);
  assert_key (f, "key1");
  g_assert_cmpstr (f->seen->str, ==,
      "PUT /latest/api/token 21600;"
      "GET /latest/meta-data/iam/security-credentials/ MACHINE;"
      "GET /latest/meta-data/iam/security-credentials/my role MACHINE;");
}

static void
test_machine_no_answer_every_place (Fixture *f, gconstpointer data)
{
  AmsS3CredentialsOptions options = { .imds_endpoint = f->url };
  g_autoptr (GError) error = NULL;

  soup_server_disconnect (f->server);
  create (f, &options);
  g_assert_null (get (f, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_nonnull (strstr (error->message, "access-key"));
  g_assert_nonnull (strstr (error->message, "/nowhere/.aws/credentials"));
  g_assert_nonnull (strstr (error->message, "metadata service"));
}

static void
test_web_identity_token_in_body (Fixture *f, gconstpointer data)
{
  AmsS3CredentialsOptions options = { .sts_endpoint = f->url };

  write_token (f, "ey.J+\n");
  set_variable (f, "AWS_WEB_IDENTITY_TOKEN_FILE", f->token_file);
  set_variable (f, "AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
  create (f, &options);
  assert_key (f, "key1");
  g_assert_cmpstr (f->seen->str, ==,
      "POST / Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
      "role%2Fr&RoleSessionName=amshls&Version=2011-06-15&"
      "WebIdentityToken=ey.J%2B;");
}

static void
create_process (Fixture *f, const gchar *command)
{
  AmsS3CredentialsOptions options = { NULL };
  g_autofree gchar *text =
      g_strdup_printf ("[default]\ncredential_process = %s\n", command);

  write_token (f, text);
  set_variable (f, "AWS_CONFIG_FILE", f->token_file);
  create (f, &options);
}

static void
test_process_output_read (Fixture *f, gconstpointer data)
{
  create_process (f,
      "/bin/sh -c 'echo \"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"p\\\","
      "\\\"SecretAccessKey\\\":\\\"$HOME\\\"}\"'");
  assert_key (f, "p");
  g_assert_true (ams_s3_credentials_is_dynamic (f->credentials));
}

static void
test_process_failed_output_not_shown (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  create_process (f, "/bin/sh -c 'echo hush; echo hush >&2; exit 3'");
  g_assert_null (get (f, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_nonnull (strstr (error->message, "it failed"));
  g_assert_null (strstr (error->message, "hush"));
}

static void
test_process_not_there_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  create_process (f, "/nowhere/keys");
  g_assert_null (get (f, &error));
  g_assert_nonnull (strstr (error->message, "cannot be run"));
}

static void
test_process_stopped_cancelled (Fixture *f, gconstpointer data)
{
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;

  create_process (f, "/bin/sleep 600");
  ams_s3_credentials_get_async (f->credentials, NULL, on_done, &result);
  ams_s3_credentials_stop (f->credentials);
  g_assert_null (wait_for (f, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* ---- renewing ---- */

static void
test_good_not_asked_again (Fixture *f, gconstpointer data)
{
  create_container (f);
  assert_key (f, "key1");
  f->now += 44 * G_TIME_SPAN_MINUTE;
  assert_key (f, "key1");
  g_assert_cmpuint (f->asked, ==, 1);
}

static void
test_15_minutes_before_renewed_behind (Fixture *f, gconstpointer data)
{
  create_container (f);
  assert_key (f, "key1");
  f->now += 46 * G_TIME_SPAN_MINUTE;
  f->silent = FALSE;
  assert_key (f, "key1");
  wait_until_asked (f, 2);
  while (TRUE) {
    g_autoptr (AmsS3Identity) identity = get (f, NULL);

    if (g_str_equal (identity->access_key, "key2"))
      break;
  }
  g_assert_cmpuint (f->asked, ==, 2);
}

static void
test_renewal_fails_old_until_expiry (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  create_container (f);
  assert_key (f, "key1");
  f->status = 500;
  f->now += 46 * G_TIME_SPAN_MINUTE;
  assert_key (f, "key1");
  wait_until_asked (f, 2);
  f->now += 13 * G_TIME_SPAN_MINUTE;
  assert_key (f, "key1");
  f->now += 2 * G_TIME_SPAN_MINUTE;
  g_assert_null (get (f, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_nonnull (strstr (error->message, "500"));
}

static void
test_refused_asked_anew_once (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsS3Identity) first = NULL;

  create_container (f);
  first = get (f, NULL);
  ams_s3_credentials_invalidate (f->credentials, first);
  assert_key (f, "key2");
  /* Another request that was refused with the first comes late. */
  ams_s3_credentials_invalidate (f->credentials, first);
  assert_key (f, "key2");
  g_assert_cmpuint (f->asked, ==, 2);
}

static void
test_many_wait_one_request (Fixture *f, gconstpointer data)
{
  GAsyncResult *results[3] = { NULL };
  guint i;

  create_container (f);
  for (i = 0; i < G_N_ELEMENTS (results); i++)
    ams_s3_credentials_get_async (f->credentials, NULL, on_done, &results[i]);
  for (i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (AmsS3Identity) identity = wait_for (f, &results[i], NULL);

    g_assert_cmpstr (identity->access_key, ==, "key1");
  }
  g_assert_cmpuint (f->asked, ==, 1);
}

static void
test_get_cancelled_others_wait_on (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GAsyncResult *first = NULL, *second = NULL;
  g_autoptr (AmsS3Identity) identity = NULL;

  create_container (f);
  f->silent = TRUE;
  ams_s3_credentials_get_async (f->credentials, cancellable, on_done, &first);
  ams_s3_credentials_get_async (f->credentials, NULL, on_done, &second);
  while (f->held == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_cancellable_cancel (cancellable);
  g_assert_null (wait_for (f, &first, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  f->silent = FALSE;
  on_request (f->server, f->held, "/c", NULL, f);
  soup_server_message_unpause (f->held);
  identity = wait_for (f, &second, NULL);
  g_assert_cmpstr (identity->access_key, ==, "key1");
}

#define ADD(name, func) \
  g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  /* libproxy throws C++ exceptions, which AddressSanitizer does not know in a
   * program in C. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_test_init (&argc, &argv, NULL);
  ADD ("/s3-credentials/properties/no-request", test_properties_no_request);
  ADD ("/s3-credentials/container/asked-with-token",
      test_container_asked_with_token);
  ADD ("/s3-credentials/container/token-file-read-anew",
      test_container_token_file_read_anew);
  ADD ("/s3-credentials/machine/token-role-credentials",
      test_machine_token_role_credentials);
  ADD ("/s3-credentials/machine/no-answer-every-place",
      test_machine_no_answer_every_place);
  ADD ("/s3-credentials/web-identity/token-in-body",
      test_web_identity_token_in_body);
  ADD ("/s3-credentials/process/output-read", test_process_output_read);
  ADD ("/s3-credentials/process/failed-output-not-shown",
      test_process_failed_output_not_shown);
  ADD ("/s3-credentials/process/not-there-said", test_process_not_there_said);
  ADD ("/s3-credentials/process/stopped-cancelled",
      test_process_stopped_cancelled);
  ADD ("/s3-credentials/good/not-asked-again", test_good_not_asked_again);
  ADD ("/s3-credentials/15-minutes-before/renewed-behind",
      test_15_minutes_before_renewed_behind);
  ADD ("/s3-credentials/renewal-fails/old-until-expiry",
      test_renewal_fails_old_until_expiry);
  ADD ("/s3-credentials/refused/asked-anew-once", test_refused_asked_anew_once);
  ADD ("/s3-credentials/many-wait/one-request", test_many_wait_one_request);
  ADD ("/s3-credentials/cancelled/others-wait-on",
      test_get_cancelled_others_wait_on);
  return g_test_run ();
}
