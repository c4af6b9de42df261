/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amss3put goes where AWS's tools are told to go, and trusts whom they are told to trust;
 * its own properties come first. */

#include "config.h"

#include "amsfaultserver.h"
#include "s3put-common.h"

#include "http/gstamshttpsink.h"
#include "s3/amss3store.h"

#include <glib/gstdio.h>
#include <string.h>

#define PROFILE_FILE \
  "[default]\nservices = here\nendpoint_url = http://profile.example.com\n" \
  "[services here]\ns3 =\n  endpoint_url = http://services.example.com\n" \
  "[profile plain]\naws_access_key_id = a\naws_secret_access_key = b\n" \
  "endpoint_url = http://plain.example.com:9000/base\n"

static gchar *home;

typedef struct
{
  const gchar *settings[7]; /* beside the bucket and the keys */
  const gchar *variables[5]; /* name, value … of the environment */
  const gchar *expected; /* where the bucket is; NULL: refused */
  const gchar *words[4]; /* of the error */
} Case;

static const Case cases[] = {
  { { NULL }, { NULL }, "http://services.example.com/rec/", { NULL } },
  { { NULL }, { "AWS_ENDPOINT_URL", "http://all.example.com:9000" },
      "http://all.example.com:9000/rec/", { NULL } },
  { { NULL },
      { "AWS_ENDPOINT_URL", "http://all.example.com", "AWS_ENDPOINT_URL_S3",
          "https://s3.example.com" },
      "https://s3.example.com/rec/", { NULL } },
  { { "endpoint", "http://own.example.com", NULL },
      { "AWS_ENDPOINT_URL_S3", "nonsense" }, "http://own.example.com/rec/",
      { NULL } },
  { { NULL },
      { "AWS_ENDPOINT_URL", "http://all.example.com",
          "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true" },
      "https://s3.amazonaws.com/rec/", { NULL } },
  { { NULL }, { "AWS_ENDPOINT_URL_S3", "https://s3.eu-west-1.amazonaws.com" },
      "https://s3.eu-west-1.amazonaws.com/rec/", { NULL } },
  { { NULL }, { "AWS_ENDPOINT_URL_S3", "127.0.0.1:9000" }, NULL,
      { "AWS_ENDPOINT_URL_S3 in the environment", "https://HOST:PORT" } },
  { { NULL }, { "AWS_ENDPOINT_URL", "http://user:hush@h" }, NULL,
      { "AWS_ENDPOINT_URL in the environment", "user" } },
  { { NULL }, { "AWS_ENDPOINT_URL", "ftp://h" }, NULL,
      { "AWS_ENDPOINT_URL in the environment", "https://" } },
  { { NULL }, { "AWS_CA_BUNDLE", "/nowhere/ca.pem" }, NULL,
      { "AWS_CA_BUNDLE in the environment", "/nowhere/ca.pem",
          "ssl-ca-file" } },
};

static void
set_environment (const Case *c, gboolean on)
{
  for (guint i = 0; c->variables[i]; i += 2) {
    if (on)
      g_setenv (c->variables[i], c->variables[i + 1], TRUE);
    else
      g_unsetenv (c->variables[i]);
  }
}

/* NULL: @error */
static GstAmsHttpTarget *
resolve (GstElement *put, GError **error)
{
  GstAmsHttpSinkClass *klass = (GstAmsHttpSinkClass *) G_OBJECT_GET_CLASS (put);
  GstAmsHttpTarget *target = g_new0 (GstAmsHttpTarget, 1);

  if (klass->resolve ((GstAmsHttpSink *) put, target, error))
    return target;
  target->free_own (target->own);
  g_free (target->name);
  g_free (target);
  return NULL;
}

static void
free_target (GstAmsHttpTarget *target)
{
  target->free_own (target->own);
  g_free (target->scheme);
  g_free (target->location);
  g_free (target->destination);
  g_free (target->name);
  g_free (target->http.ssl_ca_file);
  g_free (target);
}

static GstElement *
new_put (const gchar *const *settings)
{
  static const gchar *const usual[] = { "bucket", "rec", "access-key", "a",
    "secret-access-key", "b", NULL };
  GstElement *put = s3put_new ();

  s3put_set (put, usual);
  s3put_set (put, settings);
  return put;
}

static void
test_endpoint_is_where_aws_tools_are_told (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstElement) put = new_put (cases[i].settings);
    g_autoptr (GError) error = NULL;
    GstAmsHttpTarget *target;

    set_environment (&cases[i], TRUE);
    target = resolve (put, &error);
    set_environment (&cases[i], FALSE);
    g_test_message ("case %u: %s", i, error ? error->message : "");
    if (cases[i].expected) {
      g_assert_no_error (error);
      g_assert_cmpstr (target->destination, ==, cases[i].expected);
      free_target (target);
      continue;
    }
    g_assert_null (target);
    g_assert_null (strstr (error->message, "hush"));
    for (guint j = 0; cases[i].words[j]; j++)
      g_assert_nonnull (strstr (error->message, cases[i].words[j]));
  }
}

static void
test_endpoint_of_the_profile_that_is_named (void)
{
  static const gchar *const settings[] = { "bucket", "rec", "profile", "plain",
    NULL };
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GError) error = NULL;
  GstAmsHttpTarget *target;

  s3put_set (put, settings);
  target = resolve (put, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (target->destination, ==,
      "http://plain.example.com:9000/base/rec/");
  free_target (target);
}

/* ---- certificates ---- */

static void
put_over_tls (AmsFaultServer *server, const gchar *property, gboolean trusted)
{
  g_autofree gchar *endpoint = ams_fault_server_dup_url (server, "");
  g_autoptr (GstElement) pipeline = gst_pipeline_new (NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  GstElement *source = gst_element_factory_make ("fakesrc", NULL);
  GstElement *put = gst_element_factory_make ("amss3put", NULL);

  gst_bin_add_many (GST_BIN (pipeline), source, put, NULL);
  gst_element_link (source, put);
  gst_util_set_object_arg (G_OBJECT (source), "sizetype", "fixed");
  g_object_set (source, "num-buffers", 3, NULL);
  gst_util_set_object_arg (G_OBJECT (put), "on-error", "error");
  g_object_set (put, "location", "s3://rec/f.ts", "access-key", "a",
      "secret-access-key", "b", "proxy", "", "probe", TRUE, "ssl-ca-file",
      property, NULL);
  g_setenv ("AWS_ENDPOINT_URL_S3", endpoint, TRUE);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==,
      trusted ? GST_MESSAGE_EOS : GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_unsetenv ("AWS_ENDPOINT_URL_S3");
}

static void
test_ca_bundle_is_trusted_unless_the_property_says_another (void)
{
  const gchar *folder = ams_fault_certificates ();
  g_autofree gchar *ca = NULL, *other = NULL;
  AmsFaultServer *server;

  if (!folder) {
    g_test_skip ("no openssl");
    return;
  }
  ca = g_build_filename (folder, "ca.pem", NULL);
  other = g_build_filename (folder, "client-cert.pem", NULL);
  server =
      ams_fault_server_new (&(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD });
  put_over_tls (server, NULL, FALSE);
  g_setenv ("AWS_CA_BUNDLE", ca, TRUE);
  put_over_tls (server, NULL, TRUE);
  ams_fault_server_clear_objects (server);
  put_over_tls (server, other, FALSE);
  g_setenv ("AWS_CA_BUNDLE", other, TRUE);
  put_over_tls (server, ca, TRUE);
  g_unsetenv ("AWS_CA_BUNDLE");
  ams_fault_server_free (server);
}

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = NULL, *config = NULL;
  gint result;

  home = s3put_begin ();
  folder = g_build_filename (home, ".aws", NULL);
  config = g_build_filename (folder, "config", NULL);
  g_mkdir (folder, 0700);
  g_file_set_contents (config, PROFILE_FILE, -1, NULL);
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/s3put/endpoint/configured",
      test_endpoint_is_where_aws_tools_are_told);
  g_test_add_func ("/s3put/endpoint/profile",
      test_endpoint_of_the_profile_that_is_named);
  g_test_add_func ("/s3put/ca-bundle",
      test_ca_bundle_is_trusted_unless_the_property_says_another);
  result = g_test_run ();
  g_unlink (config);
  g_rmdir (folder);
  s3put_end (home);
  return result;
}
