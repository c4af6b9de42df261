/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amshttpfixture.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define KIB 1024
#define MIB (1024 * 1024)

static AmsHttpFixture f;
static AmsHttpCall call;

static void
begin (void)
{
  ams_http_fixture_begin (&f, NULL);
}

static void
end (void)
{
  ams_http_call_clear (&call);
  ams_http_fixture_end (&f);
}

static void
rule (AmsFaultRule r)
{
  ams_fault_server_add_rule (f.server, &r);
}

static guint
run (const gchar *method, const gchar *path, gsize size)
{
  ams_http_call_init (&call, &f, method, path, size);
  return ams_http_fixture_run (&call, &f);
}

static gchar *
header_of (const gchar *path, guint n, const gchar *name)
{
  g_autoptr (AmsFaultRequest) request =
      ams_fault_server_wait (f.server, NULL, path, n);

  return ams_fault_request_dup_header (request, name);
}

/* Redirects */

static const struct
{
  guint status;
  const gchar *method;
  AmsHttpRedirect redirect;
  gboolean followed;
} redirects[] = {
  { 307, "PUT", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 308, "PUT", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 301, "PUT", AMS_HTTP_REDIRECT_SAFE, FALSE },
  { 302, "PUT", AMS_HTTP_REDIRECT_SAFE, FALSE },
  { 303, "PUT", AMS_HTTP_REDIRECT_SAFE, FALSE },
  { 307, "PUT", AMS_HTTP_REDIRECT_NEVER, FALSE },
  { 308, "PUT", AMS_HTTP_REDIRECT_NEVER, FALSE },
  { 301, "PUT", AMS_HTTP_REDIRECT_PUT, TRUE },
  { 302, "PUT", AMS_HTTP_REDIRECT_PUT, TRUE },
  { 303, "PUT", AMS_HTTP_REDIRECT_PUT, FALSE },
  { 307, "DELETE", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 302, "DELETE", AMS_HTTP_REDIRECT_SAFE, FALSE },
  { 303, "DELETE", AMS_HTTP_REDIRECT_PUT, FALSE },
  { 301, "GET", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 302, "GET", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 303, "GET", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 307, "GET", AMS_HTTP_REDIRECT_SAFE, TRUE },
  { 308, "HEAD", AMS_HTTP_REDIRECT_SAFE, TRUE },
};

GST_START_TEST (test_redirect_is_followed_with_its_method_or_fails)
{
  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++) {
    const gchar *method = redirects[i].method;
    gsize size = strcmp (method, "PUT") == 0 ? 200 * KIB : 0;

    begin ();
    f.options.redirect = redirects[i].redirect;
    ams_fault_server_put_object (f.server, "/new/a.ts", NULL, "x", 1);
    rule ((AmsFaultRule){ .path = "/old/",
        .status = redirects[i].status,
        .location = "/new/a.ts" });
    run (method, "/old/a.ts", size);
    g_assert_cmpuint (ams_fault_server_count (f.server, NULL, "/new/"), ==,
        redirects[i].followed);
    g_assert_cmpuint (ams_fault_server_count (f.server, method, "/new/"), ==,
        redirects[i].followed);
    if (!redirects[i].followed) {
      ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT, "redirect");
    } else {
      g_assert_no_error (call.error);
      g_assert_cmpstr (g_uri_get_path (call.reply->uri), ==, "/new/a.ts");
    }
    if (redirects[i].followed && size > 0)
      ams_http_call_assert_stored (&call, &f, "/new/a.ts");
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_redirect_relative_is_resolved)
{
  begin ();
  rule ((AmsFaultRule){ .path = "/old/",
      .status = 307,
      .location = "../new/b.ts" });
  g_assert_cmpuint (run ("PUT", "/old/a.ts", 10), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/new/b.ts");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_redirect_loop_ends)
{
  begin ();
  rule ((AmsFaultRule){ .status = 307, .location = "/again.ts" });
  run ("PUT", "/a.ts", 10);
  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT,
      "more than 5 times");
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", NULL), ==, 6);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_redirect_without_a_location_fails)
{
  begin ();
  rule ((AmsFaultRule){ .status = 307 });
  run ("PUT", "/a.ts", 10);
  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT, "HTTP 307");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_redirect_308_is_remembered_for_the_folder)
{
  begin ();
  rule ((AmsFaultRule){ .path = "/old/",
      .status = 308,
      .location = "/new/a.ts?token=hush" });
  g_assert_cmpuint (run ("PUT", "/old/a.ts", 10), ==, 201);
  ams_http_call_clear (&call);
  g_assert_cmpuint (run ("PUT", "/old/b.ts", 10), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/new/b.ts");
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", "/old/"), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_redirect_307_is_not_remembered)
{
  begin ();
  rule ((AmsFaultRule){ .path = "/old/",
      .status = 307,
      .location = "/new/a.ts?token=hush" });
  ams_http_fixture_put (&f, "/old/a.ts", 10);
  run ("PUT", "/old/b.ts", 10);
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", "/old/"), ==, 2);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_redirect_to_another_origin_takes_no_secrets_along)
{
  static const gchar *const extra[] = { "X-Api-Key", "hush", "Cookie", "c=hush",
    "X-Upload-Code", "hush", NULL };
  static const gchar *const own[] = { "Content-Type", "video/mp2t",
    "Authorization", "hush", NULL };
  AmsFaultServer *other = ams_fault_server_new (NULL);
  g_autofree gchar *location = ams_fault_server_dup_url (other, "/b.ts");
  g_autoptr (AmsFaultRequest) request = NULL;
  g_autofree gchar *first = NULL;

  begin ();
  f.options.user_id = g_strdup ("me");
  f.options.user_pw = g_strdup ("hush");
  f.options.extra_headers = g_strdupv ((GStrv) extra);
  rule ((AmsFaultRule){ .status = 307, .location = location });
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 10);
  call.request.headers = own;
  g_assert_cmpuint (ams_http_fixture_run (&call, &f), ==, 201);
  first = header_of ("/a.ts", 1, "Authorization");
  request = ams_fault_server_wait (other, "PUT", "/b.ts", 1);
  g_assert_nonnull (first);
  g_assert_null (strstr (request->headers, "uthorization"));
  g_assert_null (strstr (request->headers, "hush"));
  g_assert_nonnull (strstr (request->headers, "Content-Type: video/mp2t"));
  end ();
  ams_fault_server_free (other);
}

GST_END_TEST;

GST_START_TEST (test_redirect_from_https_to_http_fails)
{
  AmsFaultServer *other = ams_fault_server_new (NULL);
  g_autofree gchar *location = ams_fault_server_dup_url (other, "/b.ts");

  if (ams_fault_certificates ()) {
    ams_http_fixture_begin (&f,
        &(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD });
    rule ((AmsFaultRule){ .status = 307, .location = location });
    run ("PUT", "/a.ts", 10);
    ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT,
        "from https to http");
    g_assert_cmpuint (ams_fault_server_count (other, NULL, NULL), ==, 0);
    end ();
  }
  ams_fault_server_free (other);
}

GST_END_TEST;

GST_START_TEST (test_misdirected_is_tried_once_more)
{
  begin ();
  rule ((AmsFaultRule){ .status = 421, .count = 1 });
  g_assert_cmpuint (run ("PUT", "/a.ts", 200 * KIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/a.ts");
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 2);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_misdirected_again_is_the_answer)
{
  begin ();
  rule ((AmsFaultRule){ .status = 421 });
  g_assert_cmpuint (run ("PUT", "/a.ts", 10), ==, 421);
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", NULL), ==, 2);
  end ();
}

GST_END_TEST;

/* Expect */

static guint
run_asking (const gchar *path, gsize size)
{
  ams_http_call_init (&call, &f, "PUT", path, size);
  call.request.expect = TRUE;
  return ams_http_fixture_run (&call, &f);
}

GST_START_TEST (test_expect_first_large_body_asks_and_then_no_more)
{
  g_autofree gchar *small = NULL, *first = NULL, *second = NULL;

  begin ();
  ams_http_fixture_put (&f, "/0.ts", MIB - 1);
  ams_http_fixture_put (&f, "/1.ts", MIB);
  ams_http_fixture_put (&f, "/2.ts", MIB);
  small = header_of ("/0.ts", 1, "Expect");
  first = header_of ("/1.ts", 1, "Expect");
  second = header_of ("/2.ts", 1, "Expect");
  g_assert_null (small);
  g_assert_cmpstr (first, ==, "100-continue");
  g_assert_null (second);
  ams_http_call_init (&call, &f, "PUT", "/", 0);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_expect_never_answered_goes_on_without)
{
  g_autofree gchar *again = NULL, *next = NULL;

  begin ();
  rule ((AmsFaultRule){ .expect = AMS_FAULT_EXPECT_IGNORED });
  g_assert_cmpuint (run_asking ("/1.ts", 300 * KIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/1.ts");
  ams_http_call_clear (&call);
  g_assert_cmpuint (run_asking ("/2.ts", 300 * KIB), ==, 201);
  again = header_of ("/1.ts", 2, "Expect");
  next = header_of ("/2.ts", 1, "Expect");
  g_assert_null (again);
  g_assert_null (next);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_expect_417_goes_on_without)
{
  begin ();
  rule ((AmsFaultRule){ .header = "Expect", .unread = TRUE, .status = 417 });
  g_assert_cmpuint (run_asking ("/1.ts", 300 * KIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/1.ts");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_expect_learns_why_a_body_is_refused)
{
  static const gboolean closes[] = { TRUE, FALSE };

  for (guint i = 0; i < G_N_ELEMENTS (closes); i++) {
    begin ();
    rule ((AmsFaultRule){ .unread = TRUE,
        .status = 413,
        .body = "too large",
        .close = closes[i] });
    g_assert_cmpuint (run_asking ("/1.ts", 16 * MIB), ==, 413);
    g_assert_cmpuint (g_bytes_get_size (call.reply->body), ==, 9);
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_expect_not_asked_refusal_is_a_reset)
{
  begin ();
  f.options.expect = AMS_HTTP_EXPECT_NEVER;
  rule ((AmsFaultRule){ .method = "PUT",
      .at = AMS_FAULT_AT_HEADERS,
      .unread = TRUE,
      .status = 413,
      .close = TRUE });
  run ("PUT", "/1.ts", 64 * MIB);
  if (call.error) {
    ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT, "broke");
    g_assert_true (ams_http_error_wants_expect (call.error));
  } else {
    ams_http_call_assert_status (&call, 413);
  }
  end ();
}

GST_END_TEST;

/* Authentication */

GST_START_TEST (test_auth_basic_goes_with_the_first_request)
{
  begin ();
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_BASIC, "me", "hush");
  f.options.user_id = g_strdup ("me");
  f.options.user_pw = g_strdup ("hush");
  g_assert_cmpuint (run ("PUT", "/a.ts", 10), ==, 201);
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", NULL), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_auth_bearer_goes_with_the_first_request)
{
  begin ();
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_BEARER, NULL, "hush");
  f.options.bearer_token = g_strdup ("hush");
  g_assert_cmpuint (run ("PUT", "/a.ts", 10), ==, 201);
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", NULL), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_auth_anonymous_request_has_no_credentials)
{
  static const gchar *const extra[] = { "X-Extra", "yes", NULL };
  g_autoptr (AmsFaultRequest) request = NULL;

  begin ();
  f.options.bearer_token = g_strdup ("hush");
  f.options.extra_headers = g_strdupv ((GStrv) extra);
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 10);
  call.request.anonymous = TRUE;
  ams_http_fixture_run (&call, &f);
  request = ams_fault_server_wait (f.server, "PUT", NULL, 1);
  g_assert_null (strstr (request->headers, "uthorization"));
  g_assert_null (strstr (request->headers, "X-Extra"));
  end ();
}

GST_END_TEST;

static void
begin_digest (const gchar *password)
{
  begin ();
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_DIGEST, "me", "hush");
  f.options.auth = AMS_HTTP_AUTH_DIGEST;
  f.options.user_id = g_strdup ("me");
  f.options.user_pw = g_strdup (password);
}

GST_START_TEST (test_auth_digest_sends_the_body_whole_again)
{
  static const gsize sizes[] = { 300 * KIB, 2 * MIB };

  /* The second asks first, and gets 401 in place of 100. */
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    begin_digest ("hush");
    g_assert_cmpuint (run ("PUT", "/1.ts", sizes[i]), ==, 201);
    ams_http_call_assert_stored (&call, &f, "/1.ts");
    ams_http_call_clear (&call);
    g_assert_cmpuint (run ("PUT", "/2.ts", 300 * KIB), ==, 201);
    g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", "/2.ts"), ==, 1);
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_auth_digest_stale_nonce_is_renewed)
{
  begin_digest ("hush");
  ams_http_fixture_put (&f, "/1.ts", 10);
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_DIGEST, "me", "hush");
  g_assert_cmpuint (run ("PUT", "/2.ts", 300 * KIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/2.ts");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_auth_digest_wrong_password_does_not_loop)
{
  begin_digest ("wrong");
  g_assert_cmpuint (run ("PUT", "/1.ts", 10), ==, 401);
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", NULL), ==, 2);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_auth_digest_large_401_body_is_not_gathered)
{
  begin_digest ("hush");
  rule ((AmsFaultRule){ .status = 401,
      .body_size = 16 * MIB,
      .headers = "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\", "
                 "qop=\"auth\"" });
  g_assert_cmpuint (run ("PUT", "/1.ts", 10), ==, 401);
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", NULL), ==, 1);
  end ();
}

GST_END_TEST;

/* TLS */

static gboolean
begin_tls (AmsFaultOptions options)
{
  if (!ams_fault_certificates ())
    return FALSE;
  ams_http_fixture_begin (&f, &options);
  return TRUE;
}

GST_START_TEST (test_tls_good_certificate_is_taken)
{
  if (!begin_tls ((AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD }))
    return;
  g_assert_cmpuint (run ("PUT", "/1.ts", 3 * MIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/1.ts");
  end ();
}

GST_END_TEST;

static void
check_refused_certificate (AmsFaultTls tls, gboolean known, const gchar *part)
{
  if (!begin_tls ((AmsFaultOptions){ .tls = tls }))
    return;
  if (!known)
    g_clear_pointer (&f.options.ssl_ca_file, g_free);
  run ("PUT", "/1.ts", 10);
  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT, part);
  g_assert_cmpuint (ams_fault_server_count (f.server, NULL, NULL), ==, 0);
  end ();
}

GST_START_TEST (test_tls_bad_certificate_says_what_is_wrong)
{
  check_refused_certificate (AMS_FAULT_TLS_GOOD, FALSE, "ssl-ca-file");
  check_refused_certificate (AMS_FAULT_TLS_EXPIRED, TRUE, "has expired");
  check_refused_certificate (AMS_FAULT_TLS_OTHER_HOST, TRUE,
      "is for another host");
}

GST_END_TEST;

GST_START_TEST (test_tls_not_strict_takes_any)
{
  if (!begin_tls ((AmsFaultOptions){ .tls = AMS_FAULT_TLS_EXPIRED }))
    return;
  f.options.ssl_strict = FALSE;
  g_assert_cmpuint (run ("PUT", "/1.ts", 10), ==, 201);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_tls_end_without_close_notify_is_fine)
{
  if (!begin_tls ((AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD,
          .tls_no_close_notify = TRUE }))
    return;
  rule ((AmsFaultRule){ .close = TRUE });
  g_assert_cmpuint (run ("PUT", "/1.ts", 10), ==, 201);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_tls_client_certificate_is_shown)
{
  const gchar *folder = ams_fault_certificates ();

  if (!begin_tls ((AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD,
          .tls_client_certificate = TRUE }))
    return;
  f.options.ssl_cert_file = g_build_filename (folder, "client-cert.pem", NULL);
  f.options.ssl_key_file = g_build_filename (folder, "client-key.pem", NULL);
  g_assert_cmpuint (run ("PUT", "/1.ts", 10), ==, 201);
  end ();
}

GST_END_TEST;

/* Options */

#define T(text) ((gchar *) (text))

static const struct
{
  const gchar *part;
  AmsHttpOptions options;
} refused[] = {
  { "max-connections", { 0 } },
  { "bearer-token and user-id",
      { .max_connections = 1, .bearer_token = T ("b"), .user_id = T ("u") } },
  { "user-pw", { .max_connections = 1, .user_pw = T ("hush") } },
  { "auth=digest", { .max_connections = 1, .auth = AMS_HTTP_AUTH_DIGEST } },
  { "“:”", { .max_connections = 1, .user_id = T ("a:b") } },
  { "bearer-token",
      { .max_connections = 1, .bearer_token = T ("hush\r\nX: y") } },
  { "user-agent", { .max_connections = 1, .user_agent = T ("a\nb") } },
  { "extra-headers",
      { .max_connections = 1,
          .extra_headers = (gchar *[]){ T ("a b"), T ("c"), NULL } } },
  { "Content-Range",
      { .max_connections = 1,
          .extra_headers =
              (gchar *[]){ T ("Content-Range"), T ("c"), NULL } } },
  { "“X-A”",
      { .max_connections = 1,
          .extra_headers = (gchar *[]){ T ("X-A"), T ("hush\n"), NULL } } },
  { "proxy is", { .max_connections = 1, .proxy = T ("hush") } },
  { "proxy is", { .max_connections = 1, .proxy = T ("ftp://h:1") } },
  { "proxy-id", { .max_connections = 1, .proxy_id = T ("u") } },
  { "ssl-ca-file", { .max_connections = 1, .ssl_ca_file = T ("/dev/null") } },
  { "ssl-ca-file", { .max_connections = 1, .ssl_ca_file = T ("/nowhere") } },
  { "ssl-cert-file", { .max_connections = 1, .ssl_key_file = T ("/nowhere") } },
  { "ssl-cert-file",
      { .max_connections = 1, .ssl_cert_file = T ("/nowhere") } },
};

GST_START_TEST (test_options_that_cannot_work_are_refused_by_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (ams_http_client_new (&refused[i].options, "https", &error));
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
    if (!strstr (error->message, refused[i].part))
      g_error ("“%s” is not in “%s”", refused[i].part, error->message);
    g_assert_null (strstr (error->message, "hush"));
  }
}

GST_END_TEST;

static Suite *
http_exchange_suite (void)
{
  Suite *s = suite_create ("http-exchange");
  TCase *tc = tcase_create ("exchange");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_redirect_is_followed_with_its_method_or_fails);
  tcase_add_test (tc, test_redirect_relative_is_resolved);
  tcase_add_test (tc, test_redirect_loop_ends);
  tcase_add_test (tc, test_redirect_without_a_location_fails);
  tcase_add_test (tc, test_redirect_308_is_remembered_for_the_folder);
  tcase_add_test (tc, test_redirect_307_is_not_remembered);
  tcase_add_test (tc, test_redirect_to_another_origin_takes_no_secrets_along);
  tcase_add_test (tc, test_redirect_from_https_to_http_fails);
  tcase_add_test (tc, test_misdirected_is_tried_once_more);
  tcase_add_test (tc, test_misdirected_again_is_the_answer);
  tcase_add_test (tc, test_expect_first_large_body_asks_and_then_no_more);
  tcase_add_test (tc, test_expect_never_answered_goes_on_without);
  tcase_add_test (tc, test_expect_417_goes_on_without);
  tcase_add_test (tc, test_expect_learns_why_a_body_is_refused);
  tcase_add_test (tc, test_expect_not_asked_refusal_is_a_reset);
  tcase_add_test (tc, test_auth_basic_goes_with_the_first_request);
  tcase_add_test (tc, test_auth_bearer_goes_with_the_first_request);
  tcase_add_test (tc, test_auth_anonymous_request_has_no_credentials);
  tcase_add_test (tc, test_auth_digest_sends_the_body_whole_again);
  tcase_add_test (tc, test_auth_digest_stale_nonce_is_renewed);
  tcase_add_test (tc, test_auth_digest_wrong_password_does_not_loop);
  tcase_add_test (tc, test_auth_digest_large_401_body_is_not_gathered);
  tcase_add_test (tc, test_tls_good_certificate_is_taken);
  tcase_add_test (tc, test_tls_bad_certificate_says_what_is_wrong);
  tcase_add_test (tc, test_tls_not_strict_takes_any);
  tcase_add_test (tc, test_tls_end_without_close_notify_is_fine);
  tcase_add_test (tc, test_tls_client_certificate_is_shown);
  tcase_add_test (tc, test_options_that_cannot_work_are_refused_by_name);
  return s;
}

GST_CHECK_MAIN (http_exchange);
