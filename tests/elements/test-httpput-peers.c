/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshttpput and who it speaks with: certificates, TLS that ends as it should not, names
 * whose address changes, what a server or proxy is told and nobody else; and a whole
 * recording of amshlssink. */

#include "config.h"

#include "httpput-common.h"

#include "hls-common.h"

#include <stdlib.h>
#include <string.h>

/* ---- certificates ---- */

typedef struct
{
  AmsFaultTls tls;
  const gchar *ca; /* NULL: the test's */
  const gchar *said;
} BadCertificate;

static const BadCertificate bad_certificates[] = {
  { AMS_FAULT_TLS_EXPIRED, NULL, "has expired" },
  { AMS_FAULT_TLS_OTHER_HOST, NULL, "is for another host" },
  { AMS_FAULT_TLS_GOOD, "client.pem", "is signed by an unknown CA" },
};

static gchar *
certificate_path (const gchar *name)
{
  return g_build_filename (ams_fault_certificates (), name, NULL);
}

/* What one element has not delivered, the next one does. */
static void
hand_on (Put *from, Put *to)
{
  g_ptr_array_unref (to->files);
  to->files = g_steal_pointer (&from->files);
  from->files = g_ptr_array_new ();
  to->version = from->version;
}

/* Nothing is sent to a server that may be another's; with its certificate set right, it
 * gets all. */
static void
certificate_is_said (const BadCertificate *bad)
{
  gchar *spool = put_make_folder ();
  g_autofree gchar *ca = certificate_path (bad->ca ? bad->ca : "ca.pem");
  AmsFaultOptions options = { .tls = bad->tls };
  AmsFaultServer *server = ams_fault_server_new (&options);
  Put *put =
      put_new (server, PUT_SETTINGS ("spool-dir", spool, "ssl-ca-file", ca));
  Put *next;

  put_record (put, 2);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, bad->said);
  g_assert_cmpuint (ams_fault_server_count (server, NULL, NULL), ==, 0);
  put_stop (put);
  options.tls = AMS_FAULT_TLS_GOOD;
  options.port = ams_fault_server_get_port (server);
  ams_fault_server_free (server);
  server = ams_fault_server_new (&options);
  next = put_new (server, PUT_SETTINGS ("spool-dir", spool));
  hand_on (put, next);
  put_record (next, 2);
  put_finish (next);
  put_assert_stored (next, server);
  put_assert_faults (next, 0);
  put_free (next);
  put_free (put);
  ams_fault_server_free (server);
  put_remove_folder (spool);
}

static gboolean
skips_tls (void)
{
  if (ams_fault_certificates ())
    return FALSE;
  g_test_skip ("there are no certificates");
  return TRUE;
}

static void
test_certificate_bad_is_said_and_nothing_sent (void)
{
  if (skips_tls ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (bad_certificates); i++)
    certificate_is_said (&bad_certificates[i]);
}

/* ---- TLS that ends without notice ---- */

static void
record_without_notify (const AmsFaultRule *rule)
{
  AmsFaultOptions options = { .tls = AMS_FAULT_TLS_GOOD,
    .tls_no_close_notify = TRUE };
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&options);
  g_autoptr (Put) put = put_new (server, NULL);

  ams_fault_server_add_rule (server, rule);
  put_record (put, 4);
  put_finish (put);
  put_assert_stored (put, server);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_WARNING, NULL), ==,
      put_count (put, GST_MESSAGE_INFO, NULL));
}

static void
test_tls_without_close_notify_delivers_all (void)
{
  if (skips_tls ())
    return;
  record_without_notify (&(AmsFaultRule){ .close = TRUE });
  record_without_notify (
      &(AmsFaultRule){ .at = AMS_FAULT_AT_SENT, .end = AMS_FAULT_FIN });
  record_without_notify (
      &(AmsFaultRule){ .at = AMS_FAULT_AT_NEXT, .end = AMS_FAULT_FIN });
  record_without_notify (&(AmsFaultRule){ .method = "PUT",
      .count = 2,
      .at = AMS_FAULT_AT_STORED,
      .end = AMS_FAULT_FIN });
}

/* The child ends in the middle of the test program: what that holds is no leak. */
static void
do_not_look_for_leaks (void)
{
  const gchar *options = g_getenv ("ASAN_OPTIONS");
  g_autofree gchar *without =
      g_strdup_printf ("%s:detect_leaks=0", options ? options : "");

  g_setenv ("ASAN_OPTIONS", without, TRUE);
}

/* In a process of its own, as the version is. */
static void
test_tls12_without_close_notify_delivers_all (void)
{
  if (skips_tls ())
    return;
  if (g_test_subprocess ()) {
    ams_fault_use_tls12 ();
    test_tls_without_close_notify_delivers_all ();
    return;
  }
  do_not_look_for_leaks ();
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

/* ---- a name whose address changes ---- */

#define HOST "media.test"

#define TEST_TYPE_RESOLVER (test_resolver_get_type ())
G_DECLARE_FINAL_TYPE (TestResolver, test_resolver, TEST, RESOLVER, GResolver)

struct _TestResolver
{
  GResolver parent;
  gint last; /* of 127.0.0.x; 0: there is no such name; atomic */
};

G_DEFINE_FINAL_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER)

static void
lookup_async (GResolver *resolver, const gchar *name,
    GResolverNameLookupFlags flags, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (resolver, cancellable, callback, user_data);
  gint last = g_atomic_int_get (&TEST_RESOLVER (resolver)->last);
  g_autofree gchar *address = g_strdup_printf ("127.0.0.%d", last);

  if (g_str_equal (name, HOST) && last > 0 &&
      !(flags & G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY))
    g_task_return_pointer (task,
        g_list_append (NULL, g_inet_address_new_from_string (address)), NULL);
  else
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
        "There is no “%s”", name);
}

static GList *
lookup_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_resolver_class_init (TestResolverClass *klass)
{
  GResolverClass *resolver_class = G_RESOLVER_CLASS (klass);

  resolver_class->lookup_by_name_with_flags_async = lookup_async;
  resolver_class->lookup_by_name_with_flags_finish = lookup_finish;
}

static void
test_resolver_init (TestResolver *resolver)
{
}

static TestResolver *
use_test_resolver (void)
{
  TestResolver *resolver = g_object_new (TEST_TYPE_RESOLVER, NULL);

  g_resolver_set_default (G_RESOLVER (resolver));
  return resolver;
}

static gchar *
make_named_url (AmsFaultServer *server)
{
  return g_strdup_printf ("http://" HOST ":%u" PUT_FOLDER,
      ams_fault_server_get_port (server));
}

static void
test_name_not_known_yet_is_looked_up_again (void)
{
  g_autoptr (GResolver) system = g_resolver_get_default ();
  g_autoptr (TestResolver) resolver = use_test_resolver ();
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autofree gchar *url = make_named_url (server);
  Put *put = put_new (server, PUT_SETTINGS ("location", url));

  put_record (put, 2);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "no such host");
  g_atomic_int_set (&resolver->last, 1);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
  put_free (put);
  g_resolver_set_default (system);
}

static void
test_name_that_moves_is_followed (void)
{
  g_autoptr (GResolver) system = g_resolver_get_default ();
  g_autoptr (TestResolver) resolver = use_test_resolver ();
  g_autoptr (AmsFaultServer) before = ams_fault_server_new (NULL);
  AmsFaultOptions options = { .address = "127.0.0.2",
    .port = ams_fault_server_get_port (before) };
  g_autoptr (AmsFaultServer) after = ams_fault_server_new (&options);
  g_autofree gchar *url = make_named_url (before);
  Put *put = put_new (before, PUT_SETTINGS ("location", url));

  g_atomic_int_set (&resolver->last, 1);
  put_record (put, 2);
  put_drain (put);
  g_assert_cmpuint (ams_fault_server_count (before, "PUT", NULL), >, 2);
  g_atomic_int_set (&resolver->last, 2);
  ams_fault_server_pause (before);
  ams_fault_server_drop (before);
  put_push_segment (put, 50000);
  ams_fault_server_wait_stored (after, "s00002.ts", 1);
  put_free (put);
  g_resolver_set_default (system);
}

/* ---- secrets ---- */

#define SECRET "hUnTeR2"
/* user:hUnTeR2, proxy:hUnTeR2 */
#define BASIC "dXNlcjpoVW5UZVIy"
#define PROXY_BASIC "cHJveHk6aFVuVGVSMg=="

static gint leaks; /* atomic */

static void
look_for_secret (const gchar *where, const gchar *text)
{
  if (!text ||
      (!strstr (text, SECRET) && !strstr (text, BASIC) &&
          !strstr (text, PROXY_BASIC)))
    return;
  g_atomic_int_inc (&leaks);
  g_printerr ("%s shows a secret: %s\n", where, text);
}

static void
on_log (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer data)
{
  look_for_secret (function, gst_debug_message_get (message));
}

static GLogWriterOutput
on_glib_log (GLogLevelFlags level, const GLogField *fields, gsize n,
    gpointer data)
{
  for (gsize i = 0; i < n; i++) {
    if (g_str_equal (fields[i].key, "MESSAGE"))
      look_for_secret ("g_log", fields[i].value);
  }
  if (level &
      (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL |
          G_LOG_LEVEL_WARNING))
    return g_log_writer_default (level, fields, n, data);
  return G_LOG_WRITER_HANDLED;
}

static void
look_at_messages (Put *put)
{
  g_mutex_lock (&put->lock);
  for (guint i = 0; i < put->messages->len; i++) {
    const GstStructure *s = gst_message_get_structure (put->messages->pdata[i]);
    g_autofree gchar *text = s ? gst_structure_to_string (s) : NULL;

    look_for_secret (GST_MESSAGE_TYPE_NAME (put->messages->pdata[i]), text);
  }
  g_mutex_unlock (&put->lock);
}

static void
look_at_element (Put *put)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *dot = gst_debug_bin_to_dot_data (GST_BIN (put->pipeline),
      GST_DEBUG_GRAPH_SHOW_ALL | GST_DEBUG_GRAPH_SHOW_FULL_PARAMS);
  g_autofree gchar *text = NULL;

  g_object_get (put->put, "stats", &stats, NULL);
  text = gst_structure_to_string (stats);
  look_for_secret ("stats", text);
  look_for_secret ("dot", dot);
}

/* It fails in each of these ways, then succeeds. */
static void
fail_in_many_ways (AmsFaultServer *server, const gchar *echo)
{
  const AmsFaultRule rules[] = {
    { .method = "PUT", .count = 1, .status = 500, .body = echo },
    { .method = "PUT",
        .count = 1,
        .end = AMS_FAULT_RESET,
        .at = AMS_FAULT_AT_BODY },
    { .method = "PUT", .count = 1, .raw = echo },
    { .method = "PUT", .count = 1, .status = 307, .location = "%s&t=" SECRET },
    { .method = "PUT",
        .count = 1,
        .end = AMS_FAULT_RESET,
        .at = AMS_FAULT_AT_STORED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    ams_fault_server_add_rule (server, &rules[i]);
}

static void
deliver_secretly (AmsFaultServer *server, const gchar *const *settings)
{
  Put *put = put_new (server, settings);

  fail_in_many_ways (server,
      "PUT /cam/?k=" SECRET " Authorization: Bearer " SECRET " http://u:" SECRET
      "@h/?" SECRET);
  put_record (put, 4);
  look_at_element (put);
  put_finish (put);
  look_at_element (put);
  look_at_messages (put);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_WARNING, NULL), >, 0);
  put_free (put);
  ams_fault_server_clear_objects (server);
}

static gchar *
make_secret_url (AmsFaultServer *server, const gchar *user)
{
  return g_strdup_printf ("http://%s127.0.0.1:%u" PUT_FOLDER "?k=" SECRET, user,
      ams_fault_server_get_port (server));
}

static void
assert_was_told (AmsFaultServer *server, const gchar *header,
    const gchar *value)
{
  g_autoptr (AmsFaultRequest) request =
      ams_fault_server_wait (server, "PUT", "k=" SECRET, 1);
  g_autofree gchar *found = ams_fault_request_dup_header (request, header);

  g_assert_cmpstr (found, ==, value);
}

typedef struct
{
  const gchar *user; /* in the URL */
  const gchar *settings[7];
  const gchar *header, *value;
} Secret;

static const Secret secrets[] = {
  { "user:" SECRET "@", { NULL }, "Authorization", "Basic " BASIC },
  { "", { "user-id", "user", "user-pw", SECRET, NULL }, "Authorization",
      "Basic " BASIC },
  { "", { "bearer-token", SECRET, NULL }, "Authorization", "Bearer " SECRET },
  { "", { "proxy-id", "proxy", "proxy-pw", SECRET, "proxy", "self", NULL },
      "Proxy-Authorization", "Basic " PROXY_BASIC },
};

static void
deliver_secret (const Secret *secret)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autofree gchar *url = make_secret_url (server, secret->user);
  g_autofree gchar *proxy = ams_fault_server_dup_url (server, "/");
  const gchar *settings[9] = { "location", url };

  for (guint i = 0; secret->settings[i]; i++)
    settings[i + 2] =
        g_str_equal (secret->settings[i], "self") ? proxy : secret->settings[i];
  deliver_secretly (server, settings);
  assert_was_told (server, secret->header, secret->value);
}

static void
test_secrets_are_told_to_the_server_only (void)
{
  g_atomic_int_set (&leaks, 0);
  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_MEMDUMP);
  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    deliver_secret (&secrets[i]);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  gst_debug_set_active (FALSE);
  g_assert_cmpint (leaks, ==, 0);
}

/* ---- amshlssink ---- */

static void
assert_same_as_on_disk (Hls *hls, AmsFaultServer *server, const gchar *name)
{
  g_autofree gchar *path = hls_path (hls, name);
  g_autofree gchar *object = g_strconcat (PUT_FOLDER, name, NULL);
  g_autoptr (GBytes) stored = ams_fault_server_dup_object (server, object);
  g_autofree gchar *data = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_nonnull (stored);
  g_assert_cmpmem (data, size, g_bytes_get_data (stored, NULL),
      g_bytes_get_size (stored));
}

static void
test_recording_is_the_same_on_disk_and_server (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autofree gchar *url = ams_fault_server_dup_url (server, PUT_FOLDER);
  g_autoptr (Hls) hls = hls_new ();
  GstElement *put = gst_element_factory_make ("amshttpput", NULL);
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autofree gchar *problems = NULL;

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .method = "PUT", .every = 3, .status = 500 });
  hls->expects_trouble = TRUE;
  gst_util_set_object_arg (G_OBJECT (hls->sink), "write-files", "always");
  g_object_set (put, "location", url, "proxy", "", NULL);
  gst_bin_add (GST_BIN (hls->pipeline), put);
  g_assert_true (gst_element_link_pads (hls->sink, "src", put, "sink"));
  hls_add_av (hls);
  hls_record (hls, 12 * GST_SECOND);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  for (guint i = 0; i < playlist->segments->len; i++)
    assert_same_as_on_disk (hls, server, hls_segment (playlist, i)->uri);
  assert_same_as_on_disk (hls, server, "p.m3u8");
  problems = ams_fault_server_dup_problems (server);
  g_assert_cmpstr (problems, ==, NULL);
}

int
main (int argc, char **argv)
{
  g_log_set_writer_func (on_glib_log, NULL, NULL);
  /* Before gst_init(), and once: each change of the list leaks it. */
  gst_debug_remove_log_function (gst_debug_log_default);
  hls_test_init (&argc, &argv);
  gst_debug_add_log_function (on_log, NULL, NULL);
#define ADD(path, name) hls_test_add ("/httpput/" path, test_##name)
  ADD ("tls/certificates", certificate_bad_is_said_and_nothing_sent);
  ADD ("tls/no-notify", tls_without_close_notify_delivers_all);
  ADD ("tls/no-notify-1.2", tls12_without_close_notify_delivers_all);
  ADD ("names/unknown", name_not_known_yet_is_looked_up_again);
  ADD ("names/moves", name_that_moves_is_followed);
  ADD ("secrets", secrets_are_told_to_the_server_only);
  ADD ("recording", recording_is_the_same_on_disk_and_server);
  return g_test_run ();
}
