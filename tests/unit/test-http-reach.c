/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A server elsewhere cannot redirect to what only this machine can reach. As tests
 * listen on loopback only, what is elsewhere is behind a proxy here, and what is local
 * is asked for without it. */

#include "config.h"

#include "amshttpfixture.h"

#include "http/amshttpreach.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define ELSEWHERE AMS_HTTP_REACH_ELSEWHERE
#define MACHINE AMS_HTTP_REACH_MACHINE
#define LINK AMS_HTTP_REACH_LINK

static const struct
{
  const gchar *host;
  AmsHttpReach reach;
} hosts[] = {
  { "127.0.0.1", MACHINE },
  { "127.255.255.254", MACHINE },
  { "::1", MACHINE },
  { "0.0.0.0", MACHINE },
  { "::", MACHINE },
  { "::ffff:127.0.0.1", MACHINE },
  { "::ffff:7f00:1", MACHINE },
  { "localhost", MACHINE },
  { "LocalHost.", MACHINE },
  { "cam.localhost", MACHINE },
  { "169.254.169.254", LINK },
  { "169.254.0.1", LINK },
  { "::ffff:169.254.169.254", LINK },
  { "fe80::1", LINK },
  { "fe80::1%eth0", LINK },
  { "febf::1", LINK },
  { "fd00:ec2::254", LINK },
  { "FD00:EC2:0::254", LINK },
  { "100.100.100.200", LINK },
  { "126.255.255.255", ELSEWHERE },
  { "128.0.0.1", ELSEWHERE },
  { "10.0.0.1", ELSEWHERE },
  { "192.168.1.1", ELSEWHERE },
  { "169.253.0.1", ELSEWHERE },
  { "fec0::1", ELSEWHERE },
  { "fd00:ec2::1", ELSEWHERE },
  { "2001:db8::1", ELSEWHERE },
  { "::ffff:192.0.2.1", ELSEWHERE },
  { "localhost.example.com", ELSEWHERE },
  { "notlocalhost", ELSEWHERE },
  { "store.example.com", ELSEWHERE },
};

GST_START_TEST (test_reach_of_addresses_and_names)
{
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    if (ams_http_reach_of_host (hosts[i].host) != hosts[i].reach)
      g_error ("%s is not %d", hosts[i].host, hosts[i].reach);
  }
}

GST_END_TEST;

GST_START_TEST (test_redirect_may_go_elsewhere_and_stay_where_it_is)
{
  static const AmsHttpReach all[] = { ELSEWHERE, MACHINE, LINK };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (all); j++)
      g_assert_cmpint (ams_http_reach_may_redirect (all[i], all[j]), ==,
          all[j] == ELSEWHERE || i == j);
  }
}

GST_END_TEST;

/* Names: “….machine” is at 127.0.0.1, “….link” at 169.254.169.254. */

#define FAKE_TYPE_RESOLVER (fake_resolver_get_type ())
G_DECLARE_FINAL_TYPE (FakeResolver, fake_resolver, FAKE, RESOLVER, GResolver)

struct _FakeResolver
{
  GResolver parent;
};

G_DEFINE_FINAL_TYPE (FakeResolver, fake_resolver, G_TYPE_RESOLVER)

static void
look_up (GResolver *resolver, const gchar *name, GResolverNameLookupFlags flags,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (resolver, cancellable, callback, user_data);
  const gchar *text =
      g_str_has_suffix (name, ".link") ? "169.254.169.254" : "127.0.0.1";
  gboolean v6_only = flags == G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY;

  if (v6_only)
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
        "no IPv6");
  else
    g_task_return_pointer (task,
        g_list_append (NULL, g_inet_address_new_from_string (text)),
        (GDestroyNotify) g_resolver_free_addresses);
}

static void
look_up_plain (GResolver *resolver, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  look_up (resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable,
      callback, user_data);
}

static GList *
look_up_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_resolver_class_init (FakeResolverClass *klass)
{
  GResolverClass *resolver = G_RESOLVER_CLASS (klass);

  resolver->lookup_by_name_async = look_up_plain;
  resolver->lookup_by_name_finish = look_up_finish;
  resolver->lookup_by_name_with_flags_async = look_up;
  resolver->lookup_by_name_with_flags_finish = look_up_finish;
}

static void
fake_resolver_init (FakeResolver *self)
{
}

/* Redirects. The fault server of the fixture is the proxy, and whatever is behind it. */

static AmsHttpFixture f;
static AmsHttpCall call;
static AmsFaultServer *local;

static void
begin (void)
{
  g_autoptr (GResolver) fake = g_object_new (FAKE_TYPE_RESOLVER, NULL);
  g_autofree gchar *proxy = NULL;

  g_resolver_set_default (fake);
  ams_http_fixture_begin (&f, NULL);
  local = ams_fault_server_new (NULL);
  g_clear_pointer (&f.options.proxy, g_free);
  proxy = ams_fault_server_dup_url (f.server, "");
  g_setenv ("http_proxy", proxy, TRUE);
  g_setenv ("no_proxy", "direct.machine,direct.link,127.0.0.2", TRUE);
}

static void
end (void)
{
  ams_http_call_clear (&call);
  ams_http_fixture_end (&f);
  ams_fault_server_free (local);
  g_unsetenv ("http_proxy");
  g_unsetenv ("no_proxy");
}

/* @host: perhaps with “%u” for the port of the local server */
static void
redirect (guint status, const gchar *host)
{
  g_autofree gchar *port =
      g_strdup_printf ("%u", ams_fault_server_get_port (local));
  g_auto (GStrv) parts = g_strsplit (host, "PORT", 2);
  g_autofree gchar *there = g_strjoinv (port, parts);
  g_autofree gchar *location = g_strconcat ("http://", there, "/2.ts", NULL);

  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .path = "/1.ts",
          .status = status,
          .location = location });
}

static void
put_to (const gchar *host, guint port)
{
  ams_http_call_init (&call, &f, "PUT", "/1.ts", 1000);
  g_uri_unref (call.uri);
  call.request.uri = call.uri = g_uri_build (G_URI_FLAGS_ENCODED, "http", NULL,
      host, port, "/1.ts", NULL, NULL);
  ams_http_fixture_run (&call, &f);
}

typedef struct
{
  const gchar *to;
  const gchar *said; /* NULL: it is followed */
} Redirect;

static const Redirect redirects[] = {
  { "127.0.0.1:PORT", "this machine itself" },
  { "127.0.0.2:PORT", "this machine itself" }, /* without the proxy */
  { "[::1]:PORT", "this machine itself" },
  { "[::ffff:127.0.0.1]:PORT", "this machine itself" },
  { "localhost:PORT", "this machine itself" },
  { "0.0.0.0:PORT", "this machine itself" },
  { "direct.machine:PORT", "this machine itself" },
  { "169.254.169.254", "link-local" },
  { "[fe80::1]", "link-local" },
  { "[fd00:ec2::254]", "link-local" },
  { "direct.link", "link-local" },
  { "other.example.com", NULL },
};

static void
assert_refused (const Redirect *c)
{
  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT, c->said);
  g_assert_nonnull (strstr (call.error->message, "“store.example.com:80”"));
  g_assert_nonnull (strstr (call.error->message, "redirect-to-local"));
  g_assert_cmpuint (ams_fault_server_count (local, NULL, NULL), ==, 0);
  g_assert_cmpuint (ams_fault_server_count (f.server, NULL, "/2.ts"), ==, 0);
}

GST_START_TEST (test_redirect_from_elsewhere_to_here_is_refused)
{
  static const guint statuses[] = { 307, 308, 301, 302 };

  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++) {
    begin ();
    f.options.redirect = AMS_HTTP_REDIRECT_PUT;
    redirect (statuses[i % G_N_ELEMENTS (statuses)], redirects[i].to);
    put_to ("store.example.com", 80);
    g_test_message ("to %s", redirects[i].to);
    if (redirects[i].said)
      assert_refused (&redirects[i]);
    else
      ams_http_call_assert_status (&call, 201);
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_redirect_to_here_is_followed_if_allowed)
{
  begin ();
  f.options.redirect_to_local = TRUE;
  redirect (307, "direct.machine:PORT");
  put_to ("store.example.com", 80);
  ams_http_call_assert_status (&call, 201);
  ams_http_call_assert_stored (&call, &(AmsHttpFixture){ .server = local },
      "/2.ts");
  end ();
}

GST_END_TEST;

/* As on one machine with several servers, by whatever name. */
GST_START_TEST (test_redirect_from_here_to_here_is_followed)
{
  g_autofree gchar *location = NULL;

  begin ();
  location = g_strdup_printf ("http://direct.machine:%u/2.ts",
      ams_fault_server_get_port (local));
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .path = "/1.ts", .status = 307, .location = location });
  put_to ("direct.machine", ams_fault_server_get_port (f.server));
  ams_http_call_assert_status (&call, 201);
  g_assert_cmpuint (ams_fault_server_count (local, "PUT", "/2.ts"), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_redirect_from_here_to_here_is_remembered)
{
  begin ();
  redirect (308, "direct.machine:PORT");
  for (guint i = 1; i <= 2; i++) {
    put_to ("direct.machine", ams_fault_server_get_port (f.server));
    ams_http_call_assert_status (&call, i == 1 ? 201 : 204);
    g_assert_cmpuint (ams_fault_server_count (local, "PUT", "/2.ts"), ==, i);
    g_assert_cmpuint (ams_fault_server_count (f.server, NULL, NULL), ==, 1);
    if (i == 1)
      ams_http_call_clear (&call);
  }
  end ();
}

GST_END_TEST;

/* A connection that was made when it was allowed is looked at as well. */
GST_START_TEST (test_redirect_over_a_connection_that_is_there_is_refused)
{
  g_autofree gchar *location = NULL;

  begin ();
  ams_http_call_init (&call, &f, "PUT", "/0.ts", 1000);
  g_uri_unref (call.uri);
  call.request.uri = call.uri = g_uri_build (G_URI_FLAGS_ENCODED, "http", NULL,
      "direct.machine", ams_fault_server_get_port (local), "/0.ts", NULL, NULL);
  ams_http_fixture_run (&call, &f);
  ams_http_call_assert_status (&call, 201);
  ams_http_call_clear (&call);
  location =
      g_strdup_printf ("direct.machine:%u", ams_fault_server_get_port (local));
  redirect (307, location);
  put_to ("store.example.com", 80);
  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT,
      "this machine itself");
  g_assert_cmpuint (ams_fault_server_count (local, NULL, "/2.ts"), ==, 0);
  end ();
}

GST_END_TEST;

static Suite *
http_reach_suite (void)
{
  Suite *s = suite_create ("http-reach");
  TCase *tc = tcase_create ("reach");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_reach_of_addresses_and_names);
  tcase_add_test (tc, test_redirect_may_go_elsewhere_and_stay_where_it_is);
  tcase_add_test (tc, test_redirect_from_elsewhere_to_here_is_refused);
  tcase_add_test (tc, test_redirect_to_here_is_followed_if_allowed);
  tcase_add_test (tc, test_redirect_from_here_to_here_is_followed);
  tcase_add_test (tc, test_redirect_from_here_to_here_is_remembered);
  tcase_add_test (tc, test_redirect_over_a_connection_that_is_there_is_refused);
  return s;
}

GST_CHECK_MAIN (http_reach);
