/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which proxy a request goes through, what it is told, and proxies that misbehave. The
 * fault server is the proxy; real ones are in tests/servers/test_proxy.py. */

#include "config.h"

#include "amshttpfixture.h"

#include "http/amshttpproxy.h"
#include "http/amshttpproxyenv.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define T(text) ((gchar *) (text))
#define ASKS "Proxy-Authenticate: Basic realm=\"r\""

/* The environment */

static const struct
{
  const gchar *list, *host;
  guint port;
  gboolean matches;
} exempt[] = {
  { "*", "h", 80, TRUE },
  { "h", "h", 80, TRUE },
  { "H.Example", "h.example", 80, TRUE },
  { "example.com", "a.example.com", 443, TRUE },
  { ".example.com", "a.example.com", 443, TRUE },
  { ".example.com", "example.com", 443, TRUE },
  { "example.com.", "a.example.com", 443, TRUE },
  { "example.com", "a.example.com.", 443, TRUE },
  { "example.com", "badexample.com", 443, FALSE },
  { "a.example.com", "example.com", 443, FALSE },
  { "x, y,z", "y", 80, TRUE },
  { "x y z", "z", 80, TRUE },
  { "", "h", 80, FALSE },
  { ",", "h", 80, FALSE },
  { ".", "h", 80, FALSE },
  { "h:8080", "h", 8080, TRUE },
  { "h:8080", "h", 80, FALSE },
  { "10.0.0.1", "10.0.0.1", 80, TRUE },
  { "0.0.1", "10.0.0.1", 80, FALSE },
  { "10.0.0.0/8", "10.200.3.4", 80, TRUE },
  { "10.0.0.0/8", "11.0.0.1", 80, FALSE },
  { "10.0.0.0/99", "10.0.0.1", 80, FALSE },
  { "10.0.0.0/8", "h", 80, FALSE },
  { "::1", "::1", 80, TRUE },
  { "[::1]", "::1", 80, TRUE },
  { "[::1]:8080", "::1", 8080, TRUE },
  { "[::1]:8080", "::1", 80, FALSE },
  { "2001:db8::/32", "2001:db8:1::5", 443, TRUE },
  { "2001:DB8::0:1", "2001:db8::1", 443, TRUE },
};

GST_START_TEST (test_no_proxy_has_the_forms_that_tools_know)
{
  for (guint i = 0; i < G_N_ELEMENTS (exempt); i++) {
    gboolean matches = ams_http_no_proxy_matches (exempt[i].list,
        exempt[i].host, exempt[i].port);

    if (matches != exempt[i].matches)
      g_error ("no_proxy=“%s” and %s:%u", exempt[i].list, exempt[i].host,
          exempt[i].port);
  }
}

GST_END_TEST;

static const struct
{
  gchar *envp[5];
  const gchar *http, *https; /* the proxy for http://h and https://h */
} environments[] = {
  { { NULL }, NULL, NULL },
  { { T ("http_proxy=a") }, "a", NULL },
  { { T ("HTTP_PROXY=a") }, NULL, NULL },
  { { T ("https_proxy=a"), T ("HTTPS_PROXY=b") }, NULL, "a" },
  { { T ("HTTPS_PROXY=b") }, NULL, "b" },
  { { T ("all_proxy=c"), T ("http_proxy=a") }, "a", "c" },
  { { T ("ALL_PROXY=d"), T ("all_proxy=") }, "d", "d" },
  { { T ("http_proxy=a"), T ("no_proxy=h") }, NULL, NULL },
  { { T ("http_proxy=a"), T ("NO_PROXY=h") }, NULL, NULL },
  { { T ("http_proxy=a"), T ("no_proxy=x"), T ("NO_PROXY=h") }, "a", NULL },
};

GST_START_TEST (test_environment_is_read_as_curl_reads_it)
{
  for (guint i = 0; i < G_N_ELEMENTS (environments); i++) {
    GStrv envp = (GStrv) environments[i].envp;

    g_assert_cmpstr (ams_http_proxy_env_find (envp, "http", "h", 80, NULL), ==,
        environments[i].http);
    g_assert_cmpstr (ams_http_proxy_env_find (envp, "https", "h", 443, NULL),
        ==, environments[i].https);
  }
}

GST_END_TEST;

/* What GIO is given */

static const struct
{
  AmsHttpOptions options;
  gchar *variable; /* of the environment; NULL: none */
  const gchar *proxy;
  const gchar *user, *password; /* that the proxy is told apart from its URL */
} resolved[] = {
  { { .proxy = T ("") }, T ("http_proxy=http://p:1"), "direct://", NULL, NULL },
  { { .proxy = T ("http://p:1") }, T ("http_proxy=http://q:1"), "http://p:1",
      NULL, NULL },
  { { .proxy = T ("http://u:p%40%3a%25@p:1/") }, NULL, "http://p:1", "u",
      "p@:%" },
  { { .proxy = T ("http://u@p") }, NULL, "http://p:1080", "u", "" },
  { { .proxy = T ("http://u:v@p:1"), .proxy_id = T ("i"), .proxy_pw = T ("w") },
      NULL, "http://p:1", "i", "w" },
  { { .proxy = T ("http://u:v@[2001:db8::1]:3128") }, NULL,
      "http://[2001:db8::1]:3128", "u", "v" },
  { { .proxy = T ("https://u:v@p") }, NULL, "https://u:v@p:443", NULL, NULL },
  { { .proxy = T ("socks5h://p:9"),
        .proxy_id = T ("a b"),
        .proxy_pw = T ("c:d") },
      NULL, "socks5://a%20b:c%3Ad@p:9", NULL, NULL },
  { { .proxy = NULL }, T ("http_proxy=u:v@p:3128"), "http://p:3128", "u", "v" },
  { { .proxy = NULL }, T ("all_proxy=socks4a://p"), "socks4a://p:1080", NULL,
      NULL },
  { { .proxy = NULL }, T ("https_proxy=p:1"), "direct://", NULL, NULL },
};

static void
assert_resolved (guint i)
{
  gchar *envp[] = { resolved[i].variable, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsHttpProxy) proxy =
      ams_http_proxy_new (&resolved[i].options, envp, &error);
  g_auto (GStrv) found = NULL;
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GSocketAddress) address = NULL;
  const gchar *user = NULL, *password = NULL;

  g_assert_no_error (error);
  found = g_proxy_resolver_lookup (G_PROXY_RESOLVER (proxy), "http://h:80",
      NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found[0], ==, resolved[i].proxy);
  g_assert_null (found[1]);
  address = g_object_new (G_TYPE_PROXY_ADDRESS, "address", inet, "port", 1,
      "protocol", "http", "destination-hostname", "h", "destination-port", 80,
      "uri", found[0], NULL);
  g_assert_cmpint (
      ams_http_proxy_get_credentials (proxy, address, &user, &password), ==,
      resolved[i].user != NULL);
  g_assert_cmpstr (user, ==, resolved[i].user);
  g_assert_cmpstr (password, ==, resolved[i].password);
}

GST_START_TEST (test_proxy_url_is_given_without_password)
{
  for (guint i = 0; i < G_N_ELEMENTS (resolved); i++)
    assert_resolved (i);
}

GST_END_TEST;

static const struct
{
  AmsHttpOptions options;
  gchar *variable;
  const gchar *part;
} refused[] = {
  { { .proxy = T ("http://hush:1:2") }, NULL, "proxy is no URL" },
  { { .proxy = T ("http://u:hush%0a@p") }, NULL, "proxy has a user" },
  { { .proxy = T ("http://u%3a:hush@p") }, NULL, "“:”" },
  { { .proxy = T ("http://p"), .proxy_id = T ("a:b") }, NULL, "proxy-id" },
  { { .proxy_pw = T ("hush") }, T ("http_proxy=p"), "without proxy" },
  { { .proxy = NULL }, T ("http_proxy=ftp://u:hush@p:1"), "http_proxy" },
  { { .proxy = NULL }, T ("HTTPS_PROXY=http://u:hush@"), "HTTPS_PROXY" },
  { { .proxy = NULL }, T ("all_proxy=u:hush@p:port"), "all_proxy" },
};

GST_START_TEST (test_proxy_that_is_none_is_refused_by_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    gchar *envp[] = { refused[i].variable, NULL };
    g_autoptr (GError) error = NULL;

    g_assert_null (ams_http_proxy_new (&refused[i].options, envp, &error));
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
    if (!strstr (error->message, refused[i].part) ||
        strstr (error->message, "hush"))
      g_error ("%u: %s", i, error->message);
  }
}

GST_END_TEST;

/* Proxies that misbehave */

static AmsHttpFixture f;
static AmsHttpCall call;

/* @user: before the proxy's host in its URL, "" or “user:password@” */
static void
begin (const gchar *user)
{
  ams_http_fixture_begin (&f, NULL);
  g_free (f.options.proxy);
  f.options.proxy = g_strdup_printf ("http://%s127.0.0.1:%u", user,
      ams_fault_server_get_port (f.server));
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

static void
put_through (const gchar *scheme)
{
  ams_http_call_init (&call, &f, "PUT", "/1.ts", 1000);
  g_uri_unref (call.uri);
  call.request.uri = call.uri = g_uri_build (G_URI_FLAGS_ENCODED, scheme, NULL,
      "store.invalid", 4430, "/1.ts", "token=hush", NULL);
  ams_http_fixture_run (&call, &f);
}

static gchar *
told (const gchar *method, guint n, const gchar *header)
{
  g_autoptr (AmsFaultRequest) request =
      ams_fault_server_wait (f.server, method, NULL, n);

  return ams_fault_request_dup_header (request, header);
}

static void
assert_refused (guint status, const gchar *part)
{
  g_autofree gchar *proxy = g_strdup_printf ("the proxy “127.0.0.1:%u”",
      ams_fault_server_get_port (f.server));

  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT, part);
  g_assert_nonnull (strstr (call.error->message, proxy));
  g_assert_cmpuint (ams_store_error_get_http_status (call.error), ==, status);
}

GST_START_TEST (test_tunnel_refused_for_ever_is_asked_for_twice)
{
  for (guint close = 0; close < 2; close++) {
    g_autofree gchar *first = NULL, *second = NULL;

    begin ("u:hush@");
    rule ((AmsFaultRule){ .method = "CONNECT",
        .status = 407,
        .headers = ASKS,
        .close = close });
    put_through ("https");
    assert_refused (407, "does not take");
    g_assert_cmpuint (ams_fault_server_count (f.server, NULL, NULL), ==, 2);
    first = told ("CONNECT", 1, "Proxy-Authorization");
    second = told ("CONNECT", 2, "Proxy-Authorization");
    g_assert_null (first);
    g_assert_cmpstr (second, ==, "Basic dTpodXNo");
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_tunnel_refused_without_password_is_asked_for_once)
{
  begin ("");
  rule ((AmsFaultRule){ .method = "CONNECT", .status = 407, .headers = ASKS });
  put_through ("https");
  assert_refused (407, "wants a user and a password");
  g_assert_cmpuint (ams_fault_server_count (f.server, NULL, NULL), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_tunnel_refused_in_a_way_nobody_knows_is_an_error)
{
  begin ("u:hush@");
  rule ((AmsFaultRule){ .method = "CONNECT",
      .status = 407,
      .headers = "Proxy-Authenticate: Negotiate" });
  put_through ("https");
  assert_refused (407, "proxy");
  g_assert_cmpuint (ams_fault_server_count (f.server, NULL, NULL), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_tunnel_forbidden_is_said)
{
  begin ("u:hush@");
  rule ((AmsFaultRule){ .method = "CONNECT", .status = 403 });
  put_through ("https");
  assert_refused (403, "does not allow");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_tunnel_to_nowhere_is_tried_again)
{
  begin ("u:hush@");
  rule ((AmsFaultRule){ .method = "CONNECT", .status = 503 });
  put_through ("https");
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT, "HTTP 503");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_proxy_that_closes_is_tried_again)
{
  static const AmsFaultEnd ends[] = { AMS_FAULT_RESET, AMS_FAULT_FIN };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    begin ("u:hush@");
    rule ((AmsFaultRule){ .at = AMS_FAULT_AT_HEADERS, .end = ends[i] });
    put_through ("https");
    ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
        "“store.invalid:4430” through the proxy “127.0.0.1:");
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_proxy_that_hangs_is_given_up_in_time)
{
  begin ("u:hush@");
  f.options.connect_timeout = 1;
  rule ((AmsFaultRule){ .method = "CONNECT",
      .at = AMS_FAULT_AT_HEADERS,
      .hold = TRUE });
  put_through ("https");
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
      "through the proxy");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_http_is_asked_for_whole_and_with_password)
{
  g_autofree gchar *said = NULL, *host = NULL;

  begin ("u:hush@");
  put_through ("http");
  ams_http_call_assert_status (&call, 201);
  said = told ("PUT", 1, "Proxy-Authorization");
  g_assert_cmpstr (said, ==, "Basic dTpodXNo");
  host = told ("PUT", 1, "Host");
  g_assert_cmpstr (host, ==, "store.invalid:4430");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_http_refused_is_an_error_of_the_proxy)
{
  begin ("u:hush@");
  rule ((AmsFaultRule){ .status = 407, .headers = ASKS });
  put_through ("http");
  assert_refused (407, "does not take");
  g_assert_cmpuint (ams_fault_server_count (f.server, NULL, NULL), ==, 1);
  end ();
}

GST_END_TEST;

/* Both keep what they are told, though libsoup looks at one of the two. */
GST_START_TEST (test_http_digest_of_the_server_goes_through_with_password)
{
  begin ("u:hush@");
  f.options.auth = AMS_HTTP_AUTH_DIGEST;
  f.options.user_id = g_strdup ("bob");
  f.options.user_pw = g_strdup ("secret");
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_DIGEST, "bob", "secret");
  put_through ("http");
  ams_http_call_assert_status (&call, 201);
  for (guint n = 1; n <= 2; n++) {
    g_autofree gchar *said = told ("PUT", n, "Proxy-Authorization");

    g_assert_cmpstr (said, ==, "Basic dTpodXNo");
  }
  end ();
}

GST_END_TEST;

GST_START_TEST (test_server_is_not_told_the_password_of_the_proxy)
{
  g_autofree gchar *said = NULL;

  ams_http_fixture_begin (&f, NULL);
  g_clear_pointer (&f.options.proxy, g_free);
  g_setenv ("http_proxy", "http://u:hush@127.0.0.1:9", TRUE);
  g_setenv ("no_proxy", "127.0.0.1", TRUE);
  ams_http_call_init (&call, &f, "PUT", "/1.ts", 1000);
  ams_http_fixture_run (&call, &f);
  ams_http_call_assert_status (&call, 201);
  said = told ("PUT", 1, "Proxy-Authorization");
  g_assert_null (said);
  g_unsetenv ("http_proxy");
  g_unsetenv ("no_proxy");
  end ();
}

GST_END_TEST;

/* 407 of a server that is no proxy is nothing but a strange answer. */
GST_START_TEST (test_server_that_answers_407_is_no_proxy)
{
  ams_http_fixture_begin (&f, NULL);
  rule ((AmsFaultRule){ .status = 407 });
  ams_http_call_init (&call, &f, "PUT", "/1.ts", 1000);
  ams_http_fixture_run (&call, &f);
  ams_http_call_assert_status (&call, 407);
  end ();
}

GST_END_TEST;

static Suite *
http_proxy_suite (void)
{
  Suite *s = suite_create ("http-proxy");
  TCase *tc = tcase_create ("proxy");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_no_proxy_has_the_forms_that_tools_know);
  tcase_add_test (tc, test_environment_is_read_as_curl_reads_it);
  tcase_add_test (tc, test_proxy_url_is_given_without_password);
  tcase_add_test (tc, test_proxy_that_is_none_is_refused_by_name);
  tcase_add_test (tc, test_tunnel_refused_for_ever_is_asked_for_twice);
  tcase_add_test (tc, test_tunnel_refused_without_password_is_asked_for_once);
  tcase_add_test (tc, test_tunnel_refused_in_a_way_nobody_knows_is_an_error);
  tcase_add_test (tc, test_tunnel_forbidden_is_said);
  tcase_add_test (tc, test_tunnel_to_nowhere_is_tried_again);
  tcase_add_test (tc, test_proxy_that_closes_is_tried_again);
  tcase_add_test (tc, test_proxy_that_hangs_is_given_up_in_time);
  tcase_add_test (tc, test_http_is_asked_for_whole_and_with_password);
  tcase_add_test (tc, test_http_refused_is_an_error_of_the_proxy);
  tcase_add_test (tc,
      test_http_digest_of_the_server_goes_through_with_password);
  tcase_add_test (tc, test_server_is_not_told_the_password_of_the_proxy);
  tcase_add_test (tc, test_server_that_answers_407_is_no_proxy);
  return s;
}

GST_CHECK_MAIN (http_proxy);
