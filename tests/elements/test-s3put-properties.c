/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amss3put's properties: what they are, where they lead, what is refused and with which
 * words. */

#include "config.h"

#include "s3/amss3store.h"
#include "s3put-common.h"

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define LATER "2099-12-31T00:00:00Z"

static gchar *home; /* a folder of this test's own */

static gboolean
check (GstElement *put, GError **error)
{
  return s3put_class (put)->check ((GstAmsPutSink *) put, error);
}

static gchar *
get_string (GstElement *put, const gchar *property)
{
  gchar *value;

  g_object_get (put, property, &value, NULL);
  return value;
}

/* ---- what they are ---- */

static gboolean
is_secret (const gchar *name)
{
  static const gchar *const secrets[] = { "access-key", "secret-access-key",
    "session-token", "sse-customer-key", "proxy-pw", NULL };

  return g_strv_contains (secrets, name);
}

static void
check_pspec (const GParamSpec *pspec)
{
  g_test_message ("%s", pspec->name);
  g_assert_cmpuint (strlen (g_param_spec_get_blurb ((GParamSpec *) pspec)), >,
      10);
  if (g_str_equal (pspec->name, "stats"))
    return;
  g_assert_true (pspec->flags & G_PARAM_WRITABLE);
  g_assert_true (pspec->flags & GST_PARAM_MUTABLE_READY);
  g_assert_cmpint (!(pspec->flags & G_PARAM_READABLE), ==,
      is_secret (pspec->name));
}

static void
test_properties_all_are_described_and_secrets_write_only (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  guint n, ours = 0;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (put), &n);

  for (guint i = 0; i < n; i++) {
    if (!g_str_has_prefix (g_type_name (pspecs[i]->owner_type), "GstAms"))
      continue;
    check_pspec (pspecs[i]);
    ours++;
  }
  g_assert_cmpuint (ours, ==, 7 + 25 + 31);
}

/* They make no sense with S3, which says them itself. */
static void
test_properties_of_plain_http_are_not_there (void)
{
  static const gchar *const names[] = { "chunked", "redirect", "digest",
    "create-collections", "user-id", "user-pw", "bearer-token", "auth" };
  g_autoptr (GstElement) put = s3put_new ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_null (
        g_object_class_find_property (G_OBJECT_GET_CLASS (put), names[i]));
}

static void
test_properties_unset_have_their_defaults (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (put), &n);

  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    if (!g_str_has_prefix (g_type_name (pspecs[i]->owner_type), "GstAms") ||
        !(pspecs[i]->flags & G_PARAM_READABLE) ||
        g_str_equal (pspecs[i]->name, "stats"))
      continue;
    g_test_message ("%s", pspecs[i]->name);
    g_value_init (&value, pspecs[i]->value_type);
    g_object_get_property (G_OBJECT (put), pspecs[i]->name, &value);
    g_assert_true (g_param_value_defaults (pspecs[i], &value));
  }
}

static void
test_properties_set_are_read_back (void)
{
  static const struct
  {
    const gchar *name, *value;
  } properties[] = {
    { "bucket", "rec" },
    { "key-prefix", "cam1/" },
    { "location", "film.mp4" },
    { "region", "eu-central-1" },
    { "endpoint", "https://s3.example.com:9000/base" },
    { "addressing", "virtual" },
    { "profile", "camera" },
    { "sts-endpoint", "http://127.0.0.1:1/" },
    { "imds-endpoint", "http://127.0.0.1:2/" },
    { "container-endpoint", "http://127.0.0.1:3/" },
    { "acl", "public-read" },
    { "storage-class", "STANDARD_IA" },
    { "server-side-encryption", "aws:kms" },
    { "sse-kms-key-id", "arn:aws:kms:eu-central-1:1:key/2" },
    { "tagging", "camera=7" },
    { "metadata", "metadata, camera=(string)7;" },
    { "content-disposition", "inline" },
    { "object-lock-mode", "GOVERNANCE" },
    { "object-lock-retain-until", LATER },
    { "expected-bucket-owner", "123456789012" },
    { "request-payer", "requester" },
    { "checksum", "crc32" },
    { "multipart-threshold", "100000000" },
    { "part-size", "33554432" },
    { "probe", "true" },
    { "content-type", "video/x-thing" },
  };
  g_autoptr (GstElement) put = s3put_new ();

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    gst_util_set_object_arg (G_OBJECT (put), properties[i].name,
        properties[i].value);
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (put),
        properties[i].name);
    g_auto (GValue) value = G_VALUE_INIT, expected = G_VALUE_INIT;

    g_test_message ("%s", properties[i].name);
    g_value_init (&value, pspec->value_type);
    g_value_init (&expected, pspec->value_type);
    g_object_get_property (G_OBJECT (put), properties[i].name, &value);
    g_assert_true (gst_value_deserialize (&expected, properties[i].value));
    g_assert_cmpint (gst_value_compare (&value, &expected), ==,
        GST_VALUE_EQUAL);
  }
}

static void
test_key_and_endpoint_uri_are_other_names (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  g_autofree gchar *location = NULL, *endpoint = NULL;

  g_object_set (put, "key", "film.mp4", "endpoint-uri", "http://h:1", NULL);
  location = get_string (put, "location");
  endpoint = get_string (put, "endpoint");
  g_assert_cmpstr (location, ==, "film.mp4");
  g_assert_cmpstr (endpoint, ==, "http://h:1/");
}

static void
test_element_inspected_is_a_network_sink (void)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("amss3put");
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (put, "sink");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

  g_assert_cmpstr (gst_element_factory_get_klass (factory), ==, "Sink/Network");
  g_assert_cmpstr (gst_element_factory_get_longname (factory), ==, "S3 put");
  g_assert_cmpuint (gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)),
      ==, GST_RANK_NONE);
  g_assert_true (gst_caps_is_any (caps));
  g_assert_true (GST_OBJECT_FLAG_IS_SET (put, GST_ELEMENT_FLAG_SINK));
}

/* ---- s3:// ---- */

static void
test_uri_of_s3_makes_this_element (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) put = gst_element_make_from_uri (GST_URI_SINK,
      "s3://rec/cam1/film.mp4", NULL, &error);
  g_autofree gchar *location = NULL, *uri = NULL;

  g_assert_no_error (error);
  gst_object_ref_sink (put);
  location = get_string (put, "location");
  uri = gst_uri_handler_get_uri (GST_URI_HANDLER (put));
  g_assert_cmpstr (location, ==, "s3://rec/cam1/film.mp4");
  g_assert_cmpstr (uri, ==, "s3://rec/cam1/film.mp4");
}

static void
test_uri_of_bucket_prefix_and_location_is_put_together (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  GstURIHandler *handler = GST_URI_HANDLER (put);
  g_autofree gchar *none = gst_uri_handler_get_uri (handler);
  g_autofree gchar *uri = NULL;

  g_assert_null (none);
  g_object_set (put, "bucket", "rec", "key-prefix", "cam1/", "location", "f.ts",
      NULL);
  uri = gst_uri_handler_get_uri (handler);
  g_assert_cmpstr (uri, ==, "s3://rec/cam1/f.ts");
}

static void
test_uri_that_is_none_is_refused (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *location = NULL;

  g_assert_false (
      gst_uri_handler_set_uri (GST_URI_HANDLER (put), "s3://a/b/..", &error));
  g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI);
  location = get_string (put, "location");
  g_assert_null (location);
}

static void
test_uri_while_running_is_refused (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GError) error = NULL;

  g_object_set (put, "bucket", "rec", "endpoint", "http://127.0.0.1:9",
      "access-key", "a", "secret-access-key", "b", NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  g_assert_false (
      gst_uri_handler_set_uri (GST_URI_HANDLER (put), "s3://rec/f", &error));
  g_assert_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE);
  gst_element_set_state (put, GST_STATE_NULL);
}

/* ---- where files go ---- */

#define NAMED(...) \
  { \
    __VA_ARGS__, NULL \
  }
#define KEYS "access-key", "AKIA", "secret-access-key", "s"

static const struct
{
  const gchar *settings[12];
  const gchar *location; /* as it is shown */
  const gchar *destination;
  const gchar *name; /* NULL: a folder */
} places[] = {
  { NAMED ("bucket", "rec"), "s3://rec/", "https://s3.amazonaws.com/rec/",
      NULL },
  { NAMED ("bucket", "rec", "key-prefix", "cam1/"), "s3://rec/cam1/",
      "https://s3.amazonaws.com/rec/cam1/", NULL },
  { NAMED ("bucket", "rec", "key-prefix", "cam1-"), "s3://rec/cam1-",
      "https://s3.amazonaws.com/rec/cam1-", NULL },
  { NAMED ("bucket", "rec", "location", "film.mp4"), "s3://rec/film.mp4",
      "https://s3.amazonaws.com/rec/", "film.mp4" },
  { NAMED ("bucket", "rec", "key", "film.mp4"), "s3://rec/film.mp4",
      "https://s3.amazonaws.com/rec/", "film.mp4" },
  { NAMED ("bucket", "rec", "key-prefix", "a/b-", "location", "c/film.mp4"),
      "s3://rec/a/b-c/film.mp4", "https://s3.amazonaws.com/rec/a/b-c/",
      "film.mp4" },
  { NAMED ("bucket", "rec", "key-prefix", "a/b-", "location", "film.mp4"),
      "s3://rec/a/b-film.mp4", "https://s3.amazonaws.com/rec/a/",
      "b-film.mp4" },
  { NAMED ("bucket", "rec", "key-prefix", "a/", "location", "b/"),
      "s3://rec/a/b/", "https://s3.amazonaws.com/rec/a/b/", NULL },
  { NAMED ("location", "s3://rec/a/b.ts"), "s3://rec/a/b.ts",
      "https://s3.amazonaws.com/rec/a/", "b.ts" },
  { NAMED ("location", "s3://rec/a/", "bucket", "rec", "key-prefix", ""),
      "s3://rec/a/", "https://s3.amazonaws.com/rec/a/", NULL },
  { NAMED ("location", "s3://rec"), "s3://rec/",
      "https://s3.amazonaws.com/rec/", NULL },
  { NAMED ("location", "s3://rec/a b%20/ü.ts"), "s3://rec/a b%20/ü.ts",
      "https://s3.amazonaws.com/rec/a%20b%2520/", "ü.ts" },
  { NAMED ("bucket", "rec", "endpoint", "HTTP://Store.Example.com:7480/base/"),
      "s3://rec/", "http://store.example.com:7480/base/rec/", NULL },
  { NAMED ("bucket", "rec", "endpoint", "https://s3.example.com:443",
        "addressing", "virtual"),
      "s3://rec/", "https://s3.example.com/rec/", NULL },
};

static GstAmsHttpTarget *
resolve (GstElement *put)
{
  GstAmsHttpSinkClass *klass = (GstAmsHttpSinkClass *) G_OBJECT_GET_CLASS (put);
  GstAmsHttpTarget *target = g_new0 (GstAmsHttpTarget, 1);
  g_autoptr (GError) error = NULL;

  klass->resolve ((GstAmsHttpSink *) put, target, &error);
  g_assert_no_error (error);
  return target;
}

static void
free_target (GstAmsHttpTarget *target)
{
  target->free_own (target->own);
  g_free (target->scheme);
  g_free (target->location);
  g_free (target->destination);
  g_free (target->name);
  g_free (target);
}

static void
test_location_in_any_form_leads_to_one_place (void)
{
  static const gchar *const keys[] = { KEYS, NULL };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autoptr (GstElement) put = s3put_new ();
    GstAmsHttpTarget *target;

    g_test_message ("case %u: %s", i, places[i].location);
    s3put_set (put, keys);
    s3put_set (put, places[i].settings);
    target = resolve (put);
    g_assert_cmpstr (target->location, ==, places[i].location);
    g_assert_cmpstr (target->destination, ==, places[i].destination);
    g_assert_cmpstr (target->name, ==, places[i].name);
    free_target (target);
  }
}

static gchar *
dup_uploads_file (const gchar *spool, const gchar *prefix)
{
  g_autoptr (GstElement) put = s3put_new ();
  GstAmsHttpTarget *target;
  gchar *file;

  g_object_set (put, "bucket", "rec", "access-key", "a", "secret-access-key",
      "b", "spool-dir", spool, "key-prefix", prefix, NULL);
  target = resolve (put);
  file = g_strdup (((AmsS3StoreOptions *) target->own)->uploads_file);
  free_target (target);
  return file;
}

/* Or one would abort the uploads of another bucket. */
static void
test_uploads_are_noted_in_the_spool_for_each_destination (void)
{
  g_autofree gchar *none = dup_uploads_file (NULL, "a/");
  g_autofree gchar *first = dup_uploads_file ("/spool", "a/");
  g_autofree gchar *again = dup_uploads_file ("/spool", "a/");
  g_autofree gchar *other = dup_uploads_file ("/spool", "b/");

  g_assert_null (none);
  g_assert_true (g_str_has_prefix (first, "/spool/s3-uploads-"));
  g_assert_cmpstr (again, ==, first);
  g_assert_cmpstr (other, !=, first);
}

static void
test_location_shown_has_no_user (void)
{
  static const gchar *const shown[][2] = {
    { "film@home.mp4", "film@home.mp4" },
    { "s3://rec/film@home.mp4", "s3://rec/film@home.mp4" },
    { "s3://AKIA:a/b+c@rec/f", "s3://***@rec/f" },
    { "s3://AKIA:a/b", "s3://***@***" },
    { "https://a:b@h/c?k=v", "https://h/c?k=***" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (shown); i++) {
    g_autoptr (GstElement) put = s3put_new ();
    g_autofree gchar *text = NULL, *uri = NULL;

    g_object_set (put, "location", shown[i][0], "bucket", "rec", NULL);
    text = get_string (put, "location");
    uri = gst_uri_handler_get_uri (GST_URI_HANDLER (put));
    g_assert_cmpstr (text, ==, shown[i][1]);
    g_assert_null (strstr (uri, "AKIA"));
  }
}

/* ---- what is refused ---- */

typedef struct
{
  const gchar *settings[16];
  const gchar *words[4]; /* all of them are in the sentence */
} BadCase;

#define BUCKET "bucket", "rec"
#define SECURE "endpoint", "https://h"

static const BadCase bad[] = {
  { { NULL }, { "bucket", "not set", "s3://" } },
  { NAMED ("bucket", ""), { "bucket", "not set" } },
  { NAMED ("bucket", "a"), { "bucket", "3 to 63" } },
  { NAMED ("bucket", "my bucket"), { "bucket", "3 to 63" } },
  { NAMED ("bucket", "rec/cam1"), { "bucket", "key-prefix" } },
  { NAMED ("bucket", "s3://rec"), { "bucket", "name alone" } },
  { NAMED ("bucket", "arn:aws:s3:eu-central-1:1:accesspoint/x"),
      { "bucket", "ARN" } },
  { NAMED (BUCKET, "key-prefix", "/cam1/"), { "key-prefix", "/" } },
  { NAMED (BUCKET, "key-prefix", "a/../b/"), { "key-prefix", ".." } },
  { NAMED (BUCKET, "key-prefix", "a\nb/"), { "key-prefix", "control" } },
  { NAMED (BUCKET, "location", ""), { "location", "empty" } },
  { NAMED (BUCKET, "location", "/f.ts"), { "location", "/" } },
  { NAMED (BUCKET, "location", "a/../f.ts"), { "location", ".." } },
  { NAMED (BUCKET, "location", "a\tb"), { "location", "control" } },
  { NAMED (BUCKET, "location", "https://h/rec/f.ts"),
      { "location", "s3://", "endpoint" } },
  { NAMED ("location", "s3://"), { "location", "bucket" } },
  { NAMED (BUCKET, "location", "s3://other/f.ts"), { "location", "bucket" } },
  { NAMED ("location", "s3://rec/f.ts", "key-prefix", "a/"),
      { "location", "key-prefix" } },
  { NAMED ("location", "s3://AKIA:x@rec/f.ts"),
      { "location", "secret-access-key" } },
  { NAMED (BUCKET, "region", "eu central"), { "region", "eu-central-1" } },
  { NAMED (BUCKET, "endpoint", ""), { "endpoint", "https://" } },
  { NAMED (BUCKET, "endpoint", "127.0.0.1:9000"), { "endpoint", "scheme" } },
  { NAMED (BUCKET, "endpoint", "ftp://h"), { "endpoint", "https://" } },
  { NAMED (BUCKET, "endpoint", "http://"), { "endpoint", "host" } },
  { NAMED (BUCKET, "endpoint", "http://h:99999"), { "endpoint" } },
  { NAMED (BUCKET, "endpoint", "http://a:b@h"), { "endpoint", "user" } },
  { NAMED (BUCKET, "endpoint", "http://h/?x=y"), { "endpoint", "?" } },
  { NAMED (BUCKET, "endpoint", "http://127.0.0.1:9000", "addressing",
        "virtual"),
      { "addressing", "path" } },
  { NAMED ("bucket", "rec", "endpoint",
        "https://rec.s3.eu-central-1.amazonaws.com"),
      { "endpoint", "bucket" } },
  { NAMED (BUCKET, "access-key", "a"), { "access-key", "both" } },
  { NAMED (BUCKET, "secret-access-key", "a"), { "secret-access-key", "both" } },
  { NAMED (BUCKET, "access-key", "", "secret-access-key", "a"),
      { "access-key", "empty" } },
  { NAMED (BUCKET, "access-key", "a", "secret-access-key", ""),
      { "secret-access-key", "empty" } },
  { NAMED (BUCKET, "session-token", "a"), { "session-token", "access-key" } },
  { NAMED (BUCKET, KEYS, "profile", "camera"), { "profile", "access-key" } },
  { NAMED (BUCKET, "profile", ""), { "profile", "empty" } },
  { NAMED (BUCKET, "profile", "nobody"), { "profile", "nobody" } },
  { NAMED (BUCKET, "sts-endpoint", "sts.example.com"),
      { "sts-endpoint", "http" } },
  { NAMED (BUCKET, "imds-endpoint", "http://a:b@h/"),
      { "imds-endpoint", "user" } },
  { NAMED (BUCKET, "container-endpoint", ""), { "container-endpoint" } },
  { NAMED (BUCKET, "acl", "a\r\nX: y"), { "acl", "ASCII" } },
  { NAMED (BUCKET, "storage-class", "a\nb"), { "storage-class" } },
  { NAMED (BUCKET, "content-disposition", "filename=ü"),
      { "content-disposition", "ASCII" } },
  { NAMED (BUCKET, "expected-bucket-owner", "1\t2"),
      { "expected-bucket-owner" } },
  { NAMED (BUCKET, "request-payer", "me"), { "request-payer", "requester" } },
  { NAMED (BUCKET, "server-side-encryption", "aes256"),
      { "server-side-encryption", "AES256" } },
  { NAMED (BUCKET, "sse-kms-key-id", "k"),
      { "sse-kms-key-id", "server-side-encryption" } },
  { NAMED (BUCKET, "sse-kms-key-id", "k", "server-side-encryption", "AES256"),
      { "sse-kms-key-id", "server-side-encryption" } },
  { NAMED (BUCKET, SECURE, "sse-customer-key", "short"),
      { "sse-customer-key", "32" } },
  { NAMED (BUCKET, SECURE, "sse-customer-key", KEY_32 "AAAA"),
      { "sse-customer-key", "32" } },
  { NAMED (BUCKET, SECURE, "sse-customer-key", ""),
      { "sse-customer-key", "empty" } },
  { NAMED (BUCKET, SECURE, "sse-customer-key", KEY_32, "server-side-encryption",
        "AES256"),
      { "sse-customer-key", "server-side-encryption" } },
  { NAMED (BUCKET, "endpoint", "http://h", "sse-customer-key", KEY_32),
      { "sse-customer-key", "https" } },
  { NAMED (BUCKET, "tagging", "camera=a b"), { "tagging", "%" } },
  { NAMED (BUCKET, "tagging", "=7"), { "tagging", "name" } },
  { NAMED (BUCKET, "tagging", "a&b&c&d&e&f&g&h&i&j&k"), { "tagging", "10" } },
  { NAMED (BUCKET, "metadata", "m, camera=\"K\303\274che\""),
      { "metadata", "camera", "ASCII" } },
  { NAMED (BUCKET, "metadata", "m, camera=\"a\\012b\""),
      { "metadata", "camera", "ASCII" } },
  { NAMED (BUCKET, "metadata", "m, camera=(fraction)1/2"),
      { "metadata", "camera" } },
  { NAMED (BUCKET, "metadata", "m, a/b=7"), { "metadata", "letters" } },
  { NAMED (BUCKET, "object-lock-mode", "COMPLIANCE"),
      { "object-lock-mode", "object-lock-retain-until" } },
  { NAMED (BUCKET, "object-lock-retain-until", LATER),
      { "object-lock-mode", "object-lock-retain-until" } },
  { NAMED (BUCKET, "object-lock-mode", "governance", "object-lock-retain-until",
        LATER),
      { "object-lock-mode", "GOVERNANCE" } },
  { NAMED (BUCKET, "object-lock-mode", "GOVERNANCE", "object-lock-retain-until",
        "in a year"),
      { "object-lock-retain-until", "date" } },
  { NAMED (BUCKET, "object-lock-mode", "GOVERNANCE", "object-lock-retain-until",
        "2020-01-01T00:00:00Z"),
      { "object-lock-retain-until", "past" } },
  { NAMED (BUCKET, "part-size", "1000000"), { "part-size" } },
  { NAMED (BUCKET, "part-size", "6000000000"), { "part-size" } },
  { NAMED (BUCKET, "multipart-threshold", "6000000000"),
      { "multipart-threshold", "5 GiB" } },
  { NAMED (BUCKET, KEYS, "extra-headers", "h, authorization=x"),
      { "extra-headers", "Authorization", "access-key" } },
  { NAMED (BUCKET, KEYS, "spool-dir", ""), { "spool-dir", "empty" } },
  { NAMED (BUCKET, KEYS, "content-type", "mp2t"), { "content-type" } },
  { NAMED (BUCKET, KEYS, "notify-url", "h"), { "notify-url", "http" } },
};

static void
assert_refused (GstElement *put, const gchar *const *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (check (put, &error));
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_cmpstr (g_quark_to_string (error->domain), ==, "AmsStoreError");
  g_assert_cmpint (error->code, ==, AMS_FAILURE_PERMANENT);
  g_assert_cmpuint (strlen (error->message), <, 500);
  g_assert_null (strchr (error->message, '\n'));
  for (guint i = 0; words[i]; i++)
    g_assert_nonnull (strstr (error->message, words[i]));
}

static void
test_property_bad_is_refused_with_a_sentence (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GstElement) put = s3put_new ();

    g_test_message ("case %u", i);
    s3put_set (put, bad[i].settings);
    assert_refused (put, bad[i].words);
  }
}

static void
test_metadata_too_large_is_refused (void)
{
  static const gchar *const words[] = { "metadata", "2048", NULL };
  g_autoptr (GstElement) put = s3put_new ();
  g_autofree gchar *value = g_strnfill (2048, 'x');
  g_autoptr (GstStructure) metadata =
      gst_structure_new ("m", "a", G_TYPE_STRING, value, NULL);

  g_object_set (put, "bucket", "rec", "metadata", metadata, NULL);
  assert_refused (put, words);
}

static void
test_sentences_have_no_secrets_in_them (void)
{
  static const gchar *const cases[][12] = {
    NAMED ("location", "s3://alice:hunter2@rec/f"),
    NAMED ("location", "s3://alice:hun/hunter2@rec/f"),
    NAMED ("location", "s3://alice:hunter2"),
    NAMED (BUCKET, "location", "https://alice:hunter2@h/rec?hunter2"),
    NAMED ("bucket", "alice:hunter2@rec"),
    NAMED ("bucket", "s3://alice:hunter2@rec"),
    NAMED (BUCKET, "endpoint", "http://alice:hunter2@h/"),
    NAMED (BUCKET, "endpoint", "alice:hunter2@h"),
    NAMED (BUCKET, "endpoint", "http://h/?hunter2"),
    NAMED (BUCKET, "sts-endpoint", "http://alice:hunter2@h/?x=hunter2"),
    NAMED (BUCKET, "access-key", "alice"),
    NAMED (BUCKET, "secret-access-key", "hunter2"),
    NAMED (BUCKET, "session-token", "hunter2"),
    NAMED (BUCKET, "access-key", "alice", "secret-access-key", "hun\nter2"),
    NAMED (BUCKET, "access-key", "al ice", "secret-access-key", "hunter2"),
    NAMED (BUCKET, SECURE, "sse-customer-key", "hunter2"),
    NAMED (BUCKET, "metadata", "m, token=\"hunter2\\012\""),
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstElement) put = s3put_new ();
    g_autoptr (GError) error = NULL;

    s3put_set (put, cases[i]);
    g_assert_false (check (put, &error));
    g_test_message ("%s", error->message);
    g_assert_null (strstr (error->message, "hunter2"));
    g_assert_null (strstr (error->message, "ter2"));
    g_assert_null (strstr (error->message, "alice"));
  }
}

/* ---- credentials outside of the properties ---- */

/* (transfer full) */
static gchar *
write_credentials (const gchar *text)
{
  g_autofree gchar *folder = g_build_filename (home, ".aws", NULL);
  gchar *path = g_build_filename (folder, "credentials", NULL);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
remove_credentials (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);

  g_remove (path);
  g_rmdir (folder);
}

static void
test_profile_that_is_there_is_taken (void)
{
  g_autofree gchar *path = write_credentials (
      "[camera]\naws_access_key_id = a\naws_secret_access_key = b\n"
      "[half]\naws_access_key_id = a\n");
  static const gchar *const words[] = { "half", "aws_secret_access_key", NULL };
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GError) error = NULL;

  g_object_set (put, "bucket", "rec", "profile", "camera", NULL);
  check (put, &error);
  g_assert_no_error (error);
  g_object_set (put, "profile", "half", NULL);
  assert_refused (put, words);
  remove_credentials (path);
}

/* A link to itself, which not even root can read, and a folder. */
static void
test_credentials_file_that_cannot_be_read_is_refused (void)
{
  g_autofree gchar *path = write_credentials ("[default]\n");
  const gchar *words[] = { path, "read", NULL };
  g_autoptr (GstElement) put = s3put_new ();

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (symlink (path, path), ==, 0);
  g_object_set (put, "bucket", "rec", NULL);
  assert_refused (put, words);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  assert_refused (put, words);
  remove_credentials (path);
}

/* There may be a role, which only the network knows. */
static void
test_no_credentials_at_all_are_no_fault_yet (void)
{
  g_autoptr (GstElement) put = s3put_new ();
  g_autoptr (GError) error = NULL;

  g_object_set (put, "bucket", "rec", NULL);
  check (put, &error);
  g_assert_no_error (error);
}

/* ---- what is taken ---- */

static const gchar *const good[][16] = {
  NAMED (BUCKET, "key-prefix", "cam1/", "region", "eu-central-1"),
  NAMED ("bucket", "Old_Bucket"),
  NAMED ("bucket", "a.b.c", "addressing", "path"),
  NAMED (BUCKET, "region", ""),
  NAMED (BUCKET, "session-token", "t", "access-key", "A", "secret-access-key",
      "s/+="),
  NAMED (BUCKET, "endpoint", "http://[::1]:9000"),
  NAMED (BUCKET, "sts-endpoint", "https://sts.example.com/"),
  NAMED (BUCKET, "acl", "bucket-owner-full-control"),
  NAMED (BUCKET, "server-side-encryption", "aws:kms", "sse-kms-key-id",
      "alias/x"),
  NAMED (BUCKET, "server-side-encryption", "aws:kms"),
  NAMED (BUCKET, "sse-customer-key", KEY_32),
  NAMED (BUCKET, "tagging", "a=b&c=d%20e&f"),
  NAMED (BUCKET, "metadata", "m, camera=7, place=\"Hall 3\", x=<1, 2>"),
  NAMED (BUCKET, "object-lock-mode", "COMPLIANCE", "object-lock-retain-until",
      LATER),
  NAMED (BUCKET, "request-payer", "requester"),
  NAMED (BUCKET, "part-size", "5242880", "multipart-threshold", "5368709120"),
  NAMED (BUCKET, "content-disposition", "attachment; filename=\"a b.ts\""),
  NAMED (BUCKET, "extra-headers", "h, x-amz-website-redirect-location=/a"),
  NAMED (BUCKET, "overwrite", "always", "verify", "size", "expect", "never"),
};

static void
test_property_good_is_taken (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GstElement) put = s3put_new ();
    g_autoptr (GError) error = NULL;

    g_test_message ("case %u", i);
    s3put_set (put, good[i]);
    check (put, &error);
    g_assert_no_error (error);
  }
}

int
main (int argc, char **argv)
{
  gint result;

  home = s3put_begin ();
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(path, name) g_test_add_func ("/s3put/" path, test_##name)
  ADD ("properties/described",
      properties_all_are_described_and_secrets_write_only);
  ADD ("properties/not-http", properties_of_plain_http_are_not_there);
  ADD ("properties/defaults", properties_unset_have_their_defaults);
  ADD ("properties/round-trip", properties_set_are_read_back);
  ADD ("properties/other-names", key_and_endpoint_uri_are_other_names);
  ADD ("properties/inspect", element_inspected_is_a_network_sink);
  ADD ("uri/make", uri_of_s3_makes_this_element);
  ADD ("uri/get", uri_of_bucket_prefix_and_location_is_put_together);
  ADD ("uri/bad", uri_that_is_none_is_refused);
  ADD ("uri/running", uri_while_running_is_refused);
  ADD ("location/places", location_in_any_form_leads_to_one_place);
  ADD ("location/uploads", uploads_are_noted_in_the_spool_for_each_destination);
  ADD ("location/shown", location_shown_has_no_user);
  ADD ("check/bad", property_bad_is_refused_with_a_sentence);
  ADD ("check/metadata-size", metadata_too_large_is_refused);
  ADD ("check/no-secrets", sentences_have_no_secrets_in_them);
  ADD ("check/profile", profile_that_is_there_is_taken);
  ADD ("check/closed-file", credentials_file_that_cannot_be_read_is_refused);
  ADD ("check/no-credentials", no_credentials_at_all_are_no_fault_yet);
  ADD ("check/good", property_good_is_taken);
  result = g_test_run ();
  s3put_end (home);
  return result;
}
