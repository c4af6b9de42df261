/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amss3put as an element: what it starts with, what it sends, and that nothing secret in its
 * properties is ever shown. */

#include "config.h"

#include "amsfaultserver.h"
#include "hls-common.h"
#include "s3put-common.h"

#include <gst/check/gstcheck.h>

#include <string.h>

#define LATER "2099-12-31T00:00:00Z"

/* ---- as an element ---- */

static void
set_reachable (GstElement *put)
{
  g_object_set (put, "bucket", "rec", "endpoint", "http://127.0.0.1:9",
      "access-key", "AKIA", "secret-access-key", "s", NULL);
}

static void
test_element_refused_is_said_once_and_starts_when_set_right (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (put, bus);
  g_assert_cmpint (gst_element_set_state (put, GST_STATE_PLAYING), ==,
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "bucket"));
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_element_set_state (put, GST_STATE_NULL);
  set_reachable (put);
  g_assert_cmpint (gst_element_set_state (put, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (put, GST_STATE_NULL);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_element_set_bus (put, NULL);
}

static gboolean
begin_data (GstElement *put, AmsFileBegin *data, GError **error)
{
  return s3put_class (put)->begin_stream ((GstAmsPutSink *) put, data, error);
}

static void
free_data (AmsFileBegin *data)
{
  g_free (data->name);
  g_free (data->content_type);
}

/* As splitmuxsink does it between two fragments. */
static void
test_location_set_in_ready_counts_at_the_next_start (void)
{
  g_autoptr (GstElement) put = s3put_new ();

  set_reachable (put);
  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *uri = g_strdup_printf ("s3://rec/cam1/f%02u.ts", i);
    g_autofree gchar *name = g_strdup_printf ("f%02u.ts", i);
    AmsFileBegin data = { 0 };
    g_autoptr (GError) error = NULL;

    g_object_set (put, "location", uri, NULL);
    g_assert_cmpint (gst_element_set_state (put, GST_STATE_PAUSED), !=,
        GST_STATE_CHANGE_FAILURE);
    g_assert_true (begin_data (put, &data, &error));
    g_assert_cmpstr (data.name, ==, name);
    g_assert_cmpint (data.role, ==, AMS_FILE_ROLE_SEGMENT);
    g_assert_cmpstr (data.content_type, ==, "video/mp2t");
    free_data (&data);
    gst_element_set_state (put, i == 1 ? GST_STATE_NULL : GST_STATE_READY);
  }
  gst_element_set_state (put, GST_STATE_NULL);
}

static void
stream_is_refused (const gchar *location, gboolean is_data, const gchar *shown)
{
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GError) error = NULL;
  AmsFileBegin data = { 0 };

  set_reachable (put);
  g_object_set (put, "location", location, NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  g_assert_true (begin_data (put, is_data ? NULL : &data, NULL));
  g_assert_false (begin_data (put, is_data ? &data : NULL, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "location"));
  g_assert_nonnull (strstr (error->message, shown));
  free_data (&data);
  gst_element_set_state (put, GST_STATE_NULL);
}

static void
test_stream_that_does_not_fit_the_location_is_refused (void)
{
  stream_is_refused (NULL, TRUE, "s3://rec/");
  stream_is_refused ("f.ts", FALSE, "s3://rec/f.ts");
}

static void
test_configuration_has_probe_and_breaker (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  AmsDeliveryConfig plain = { 0 }, probing = { 0 };

  set_reachable (put);
  g_assert_true (
      s3put_class (put)->configure ((GstAmsPutSink *) put, &plain, NULL));
  g_assert_false (plain.probe);
  g_assert_true (plain.has_breaker);
  g_object_set (put, "probe", TRUE, NULL);
  g_assert_true (
      s3put_class (put)->configure ((GstAmsPutSink *) put, &probing, NULL));
  g_assert_true (probing.probe);
}

/* ---- against a server ---- */

/* fakesrc ! amss3put. (transfer full) */
static GstElement *
make_pipeline (AmsFaultServer *server, GstElement **put)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *source = gst_element_factory_make ("fakesrc", NULL);
  g_autofree gchar *endpoint =
      server ? ams_fault_server_dup_url (server, "") : NULL;

  *put = gst_element_factory_make ("amss3put", NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, *put, NULL);
  gst_element_link (source, *put);
  gst_util_set_object_arg (G_OBJECT (source), "sizetype", "fixed");
  gst_util_set_object_arg (G_OBJECT (source), "filltype", "pattern");
  g_object_set (source, "num-buffers", 3, NULL);
  /* The system's proxies are asked for in a library that valgrind does not bear. */
  g_object_set (*put, "location", "s3://rec/cam1/f.ts", "endpoint", endpoint,
      "access-key", "AKIA", "secret-access-key", "s", "proxy", "", NULL);
  return pipeline;
}

static GstMessage *
run_until (GstElement *pipeline, GstMessageType type)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      type | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, type);
  return message;
}

static void
test_properties_set_are_sent (void)
{
  static const gchar *const settings[] = { "content-type", "video/x-thing",
    "content-disposition", "inline", "acl", "public-read", "storage-class",
    "STANDARD_IA", "server-side-encryption", "aws:kms", "sse-kms-key-id",
    "key-1", "tagging", "camera=7", "metadata", "m, place=\"Hall 3\"",
    "object-lock-mode", "GOVERNANCE", "object-lock-retain-until", LATER,
    "expected-bucket-owner", "123456789012", "request-payer", "requester",
    "segment-cache-control", "max-age=5", "region", "there-1", "extra-headers",
    "h, X-Own=1", NULL };
  static const gchar *const expected[][2] = {
    { "Content-Type", "video/x-thing" },
    { "Content-Disposition", "inline" },
    { "x-amz-acl", "public-read" },
    { "x-amz-storage-class", "STANDARD_IA" },
    { "x-amz-server-side-encryption", "aws:kms" },
    { "x-amz-server-side-encryption-aws-kms-key-id", "key-1" },
    { "x-amz-tagging", "camera=7" },
    { "x-amz-meta-place", "Hall 3" },
    { "x-amz-object-lock-mode", "GOVERNANCE" },
    { "x-amz-object-lock-retain-until-date", LATER },
    { "x-amz-expected-bucket-owner", "123456789012" },
    { "x-amz-request-payer", "requester" },
    { "Cache-Control", "max-age=5" },
    { "If-None-Match", "*" },
    { "X-Own", "1" },
  };
  AmsFaultServer *server = ams_fault_server_new (NULL);
  GstElement *put;
  g_autoptr (GstElement) pipeline = make_pipeline (server, &put);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (AmsFaultRequest) request = NULL;
  g_autofree gchar *authorization = NULL;

  s3put_set (put, settings);
  message = run_until (pipeline, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  request = ams_fault_server_wait (server, "PUT", "/rec/cam1/f.ts", 1);
  g_assert_true (request->stored);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autofree gchar *value =
        ams_fault_request_dup_header (request, expected[i][0]);

    g_test_message ("%s", expected[i][0]);
    g_assert_cmpstr (value, ==, expected[i][1]);
  }
  authorization = ams_fault_request_dup_header (request, "Authorization");
  g_assert_nonnull (strstr (authorization, "Credential=AKIA/"));
  g_assert_nonnull (strstr (authorization, "/there-1/s3/aws4_request"));
  ams_fault_server_free (server);
}

#define NO_SUCH_BUCKET \
  "<Error><Code>NoSuchBucket</Code><Message>No.</Message></Error>"

static void
test_probe_of_a_bucket_that_is_not_there_is_an_error (void)
{
  AmsFaultServer *server = ams_fault_server_new (NULL);
  GstElement *put;
  g_autoptr (GstElement) pipeline = make_pipeline (server, &put);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .status = 404, .body = NO_SUCH_BUCKET });
  g_object_set (put, "probe", TRUE, NULL);
  message = run_until (pipeline, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "bucket"));
  g_assert_cmpuint (ams_fault_server_count (server, "PUT", "/rec/cam1/f.ts"),
      ==, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ams_fault_server_free (server);
}

#define WRONG_KEY \
  "<Error><Code>InvalidAccessKeyId</Code><Message>No.</Message></Error>"

static void
set_server (GstElement *put, AmsFaultServer *server)
{
  g_autofree gchar *endpoint = ams_fault_server_dup_url (server, "");

  g_object_set (put, "bucket", "rec", "endpoint", endpoint, "access-key",
      "AKIA", "secret-access-key", "s", NULL);
}

static void
wait_for_error_of (Hls *hls, GstElement *element)
{
  gboolean ours = FALSE;

  for (guint n = 1; !ours; n++) {
    g_autoptr (GstMessage) message = hls_wait (hls, GST_MESSAGE_ERROR, NULL, n);

    ours = GST_MESSAGE_SRC (message) == GST_OBJECT (element);
  }
}

/* @held: the server answers that last. */
static void
wrong_key_is_said_once (const gchar *held, const gchar *first)
{
  AmsFaultServer *server = ams_fault_server_new (NULL);
  g_autoptr (Hls) hls = hls_new ();
  GstElement *put = gst_element_factory_make ("amss3put", NULL);
  GThread *thread;

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .method = held,
          .hold = TRUE,
          .status = 403,
          .body = WRONG_KEY });
  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .status = 403, .body = WRONG_KEY });
  set_server (put, server);
  g_object_set (put, "probe", TRUE, NULL);
  g_object_set (hls->sink, "location", "s%05d.ts", "playlist-location",
      "p.m3u8", NULL);
  gst_bin_add (GST_BIN (hls->pipeline), put);
  g_assert_true (gst_element_link_pads (hls->sink, "src", put, "sink"));
  hls->expects_trouble = TRUE;
  hls_add_video (hls, NULL);
  hls_play (hls);
  thread = hls_track_thread (hls->video, 20 * GST_SECOND, FALSE);
  ams_fault_server_wait_held (server, held, NULL, 1);
  ams_fault_request_free (ams_fault_server_wait (server, first, NULL, 1));
  ams_fault_server_release (server, "*");
  wait_for_error_of (hls, put);
  g_thread_join (thread);
  hls_stop (hls);
  hls_assert_error (hls, NOT_AUTHORIZED, "access-key");
  ams_fault_server_free (server);
}

/* What the probe puts fails as what amshlssink asks for does. */
static void
test_wrong_key_is_said_once (void)
{
  wrong_key_is_said_once ("PUT", "GET");
  wrong_key_is_said_once ("GET", "PUT");
}

/* ---- secrets ---- */

/* All contain it. */
#define SECRET "hUnTeR2"
#define SECRET_32 SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static gint leaks; /* atomic */

static void
look_for_secret (const gchar *where, const gchar *text)
{
  if (!text || !strstr (text, SECRET))
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
on_glib_log (GLogLevelFlags level, const GLogField *log_fields, gsize n,
    gpointer data)
{
  for (gsize i = 0; i < n; i++) {
    if (g_str_equal (log_fields[i].key, "MESSAGE"))
      look_for_secret ("g_log", log_fields[i].value);
  }
  return g_log_writer_default (level, log_fields, n, data);
}

static void
on_deep_notify (GstObject *pipeline, GstObject *object, GParamSpec *pspec,
    gpointer data)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  if (!(pspec->flags & G_PARAM_READABLE))
    return;
  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (object), pspec->name, &value);
  text = g_strdup_value_contents (&value);
  look_for_secret ("notify", text);
}

static void
set_secrets (GstElement *put)
{
  g_autoptr (GstStructure) headers =
      gst_structure_new ("h", "x-amz-token", G_TYPE_STRING, SECRET, NULL);
  g_autoptr (GstStructure) metadata =
      gst_structure_new ("m", "session", G_TYPE_STRING, SECRET, NULL);

  g_object_set (put, "access-key", SECRET, "secret-access-key", SECRET,
      "session-token", SECRET, "extra-headers", headers, "metadata", metadata,
      "notify-url", "http://a:" SECRET "@127.0.0.1:9/?k=" SECRET, NULL);
}

/* What the bus says, until the file is tried again. */
static void
read_messages (GstBus *bus, GstMessageType until)
{
  gboolean done = FALSE;

  while (!done) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (bus, 30 * GST_SECOND);
    g_autofree gchar *text = NULL;
    const GstStructure *s;

    g_assert_nonnull (message);
    s = gst_message_get_structure (message);
    text = s ? gst_structure_to_string (s) : NULL;
    look_for_secret (GST_MESSAGE_TYPE_NAME (message), text);
    done = GST_MESSAGE_TYPE (message) == until;
  }
}

static void
look_at_element (GstElement *pipeline, GstElement *put)
{
  g_autofree gchar *dot = gst_debug_bin_to_dot_data (GST_BIN (pipeline),
      GST_DEBUG_GRAPH_SHOW_ALL | GST_DEBUG_GRAPH_SHOW_FULL_PARAMS);
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *text = NULL;

  g_assert_nonnull (strstr (dot, "amss3put"));
  look_for_secret ("dot", dot);
  g_object_get (put, "stats", &stats, NULL);
  text = gst_structure_to_string (stats);
  look_for_secret ("stats", text);
}

/* At a port where nobody listens, or at @server */
static void
run_with_secrets (AmsFaultServer *server, const gchar *endpoint,
    const gchar *customer_key)
{
  GstElement *put;
  g_autoptr (GstElement) pipeline = make_pipeline (server, &put);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  g_signal_connect (pipeline, "deep-notify", G_CALLBACK (on_deep_notify), NULL);
  gst_element_add_property_deep_notify_watch (pipeline, NULL, TRUE);
  set_secrets (put);
  g_object_set (put, "sse-customer-key", customer_key, NULL);
  if (endpoint)
    g_object_set (put, "endpoint", endpoint, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  look_at_element (pipeline, put);
  read_messages (bus, GST_MESSAGE_WARNING);
  look_at_element (pipeline, put);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static guint16
find_closed_port (void)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

static void
log_everything (void)
{
  g_atomic_int_set (&leaks, 0);
  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_MEMDUMP);
}

static void
log_nothing (void)
{
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  gst_debug_set_active (FALSE);
}

static void
test_secrets_are_in_no_log_dump_notify_or_message (void)
{
  guint16 port = find_closed_port ();
  g_autofree gchar *http = g_strdup_printf ("http://127.0.0.1:%u", port);
  g_autofree gchar *https = g_strdup_printf ("https://127.0.0.1:%u", port);

  log_everything ();
  run_with_secrets (NULL, http, NULL);
  if (g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    run_with_secrets (NULL, https, SECRET_32);
  log_nothing ();
  g_assert_cmpint (leaks, ==, 0);
}

/* Servers put what was sent into such answers, and libsoup has them in hand. */
static void
test_secrets_that_the_server_repeats_are_not_shown (void)
{
  AmsFaultServer *server = ams_fault_server_new (NULL);

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ .status = 403,
          .body =
              "<Error><Code>InvalidToken</Code><Message>The token is "
              "malformed</Message><AWSAccessKeyId>" SECRET
              "</AWSAccessKeyId><Token-0>" SECRET
              "</Token-0><StringToSign>" SECRET "</StringToSign></Error>" });
  log_everything ();
  run_with_secrets (server, NULL, NULL);
  log_nothing ();
  g_assert_cmpint (leaks, ==, 0);
  ams_fault_server_free (server);
}

static void
refuse_with_secrets (const gchar *property, const gchar *value)
{
  g_autoptr (GstElement) pipeline = gst_pipeline_new (NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstElement *put = gst_element_factory_make ("amss3put", NULL);

  g_signal_connect (pipeline, "deep-notify", G_CALLBACK (on_deep_notify), NULL);
  gst_bin_add (GST_BIN (pipeline), put);
  set_secrets (put);
  g_object_set (put, "bucket", "rec", property, value, NULL);
  gst_element_set_state (pipeline, GST_STATE_READY);
  look_at_element (pipeline, put);
  read_messages (bus, GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
test_secrets_when_refused_are_in_no_log_or_message (void)
{
  static const gchar *const cases[][2] = {
    { "location", "s3://" SECRET ":" SECRET "@rec/f" },
    { "key", "s3://a:b/" SECRET "@rec/f" },
    { "bucket", SECRET ":" SECRET "@rec" },
    { "endpoint", "http://" SECRET ":" SECRET "@h/?" SECRET },
    { "endpoint-uri", "s3://" SECRET "@h" },
    { "sts-endpoint", "http://a:" SECRET "@h/" },
    { "session-token", SECRET "\n" },
    { "sse-customer-key", SECRET },
  };

  log_everything ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    refuse_with_secrets (cases[i][0], cases[i][1]);
  log_nothing ();
  g_assert_cmpint (leaks, ==, 0);
}

int
main (int argc, char **argv)
{
  gchar *home = s3put_begin ();
  gint result;

  g_log_set_writer_func (on_glib_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  /* Before gst_init(), and once: each change of the list leaks it. */
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_init (&argc, &argv);
  gst_debug_add_log_function (on_log, NULL, NULL);
#define ADD(path, name) g_test_add_func ("/s3put/" path, test_##name)
  ADD ("element/refused",
      element_refused_is_said_once_and_starts_when_set_right);
  ADD ("element/location-in-ready",
      location_set_in_ready_counts_at_the_next_start);
  ADD ("element/no-fit", stream_that_does_not_fit_the_location_is_refused);
  ADD ("element/configure", configuration_has_probe_and_breaker);
  ADD ("server/headers", properties_set_are_sent);
  ADD ("server/probe", probe_of_a_bucket_that_is_not_there_is_an_error);
  ADD ("server/wrong-key", wrong_key_is_said_once);
  ADD ("secrets/running", secrets_are_in_no_log_dump_notify_or_message);
  ADD ("secrets/repeated", secrets_that_the_server_repeats_are_not_shown);
  ADD ("secrets/refused", secrets_when_refused_are_in_no_log_or_message);
  result = g_test_run ();
  s3put_end (home);
  return result;
}
