/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshttpput's properties: what they are, what is refused and with which words, and that
 * nothing secret in them is ever shown. The element is the plugin's; its class is asked directly
 * where no pipeline is needed. */

#include "config.h"

#include "http/gstamshttpsink.h"

#include <gst/check/gstcheck.h>

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define FOLDER "http://media.example.com/cam1/"
#define FILE_URL "http://media.example.com/cam1/film.ts"

static GstElement *
make_put (void)
{
  GstElement *put = gst_element_factory_make ("amshttpput", NULL);

  g_assert_nonnull (put);
  return gst_object_ref_sink (put);
}

/* Not by the type's function, which the plugin has. */
static GstAmsPutSinkClass *
class_of (GstElement *put)
{
  return (GstAmsPutSinkClass *) G_OBJECT_GET_CLASS (put);
}

static gboolean
check (GstElement *put, GError **error)
{
  return class_of (put)->check ((GstAmsPutSink *) put, error);
}

/* name, value, …, NULL */
static void
set_all (GstElement *put, const gchar *const *settings)
{
  for (guint i = 0; settings[i]; i += 2)
    gst_util_set_object_arg (G_OBJECT (put), settings[i], settings[i + 1]);
}

static gchar *
get_string (GstElement *put, const gchar *property)
{
  gchar *value;

  g_object_get (put, property, &value, NULL);
  return value;
}

static gchar *
write_file (const gchar *text)
{
  g_autofree gchar *path = NULL;
  g_autoptr (GError) error = NULL;
  gint fd = g_file_open_tmp ("httpput-XXXXXX.pem", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return g_steal_pointer (&path);
}

/* ---- what they are ---- */

static gboolean
is_secret (const gchar *name)
{
  return g_str_equal (name, "user-pw") || g_str_equal (name, "proxy-pw") ||
      g_str_equal (name, "bearer-token");
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
  g_autoptr (GstElement) put = make_put ();
  guint n, ours = 0;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (put), &n);

  for (guint i = 0; i < n; i++) {
    if (!g_str_has_prefix (g_type_name (pspecs[i]->owner_type), "GstAms"))
      continue;
    check_pspec (pspecs[i]);
    ours++;
  }
  g_assert_cmpuint (ours, ==, 7 + 28 + 7);
}

static void
test_properties_unset_have_their_defaults (void)
{
  g_autoptr (GstElement) put = make_put ();
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
    { "location", FOLDER },
    { "create-collections", "true" },
    { "user-id", "alice" },
    { "auth", "digest" },
    { "spool-dir", "/var/spool/cam1" },
    { "upload", "at-eos" },
    { "connect-timeout", "1" },
    { "timeout", "2" },
    { "stall-timeout", "3" },
    { "verify", "etag" },
    { "digest", "sha-256" },
    { "expect", "never" },
    { "chunked", "true" },
    { "redirect", "put" },
    { "overwrite", "always" },
    { "content-type", "video/x-thing" },
    { "segment-cache-control", "max-age=5" },
    { "playlist-cache-control", "max-age=1" },
    { "playlist-min-interval", "5000000000" },
    { "gzip-playlists", "true" },
    { "max-bitrate", "6000000000" },
    { "user-agent", "other/1" },
    { "proxy", "http://proxy.example.com:3128/" },
    { "proxy-id", "bob" },
    { "ssl-strict", "false" },
    { "ssl-ca-file", "/ca.pem" },
    { "ssl-cert-file", "/cert.pem" },
    { "ssl-key-file", "/key.pem" },
    { "notify-url", "https://hooks.example.com/ended" },
  };
  g_autoptr (GstElement) put = make_put ();

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
test_element_inspected_is_a_network_sink (void)
{
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("amshttpput");
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (put, "sink");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

  g_assert_cmpstr (gst_element_factory_get_klass (factory), ==, "Sink/Network");
  g_assert_cmpuint (gst_plugin_feature_get_rank (GST_PLUGIN_FEATURE (factory)),
      ==, GST_RANK_NONE);
  g_assert_true (gst_caps_is_any (caps));
  g_assert_true (GST_OBJECT_FLAG_IS_SET (put, GST_ELEMENT_FLAG_SINK));
}

/* ---- what may be shown ---- */

static void
test_urls_are_read_back_redacted (void)
{
  static const gchar *const names[] = { "location", "proxy", "notify-url" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstElement) put = make_put ();
    g_autofree gchar *shown = NULL, *plain = NULL, *unset = NULL;

    unset = get_string (put, names[i]);
    g_assert_null (unset);
    g_object_set (put, names[i], "https://alice:pw@h.example.com/a/?k=v&other",
        NULL);
    shown = get_string (put, names[i]);
    g_assert_cmpstr (shown, ==, "https://h.example.com/a/?k=***&***");
    g_object_set (put, names[i], FILE_URL, NULL);
    plain = get_string (put, names[i]);
    g_assert_cmpstr (plain, ==, FILE_URL);
  }
}

static void
test_url_that_is_none_is_read_back_redacted (void)
{
  g_autoptr (GstElement) put = make_put ();
  g_autofree gchar *shown = NULL;

  g_object_set (put, "location", "htp:/alice:pass word@h/a?token=x", NULL);
  shown = get_string (put, "location");
  g_assert_null (strstr (shown, "alice"));
  g_assert_null (strstr (shown, "word"));
  g_assert_null (strstr (shown, "=x"));
}

static void
test_extra_headers_are_read_back_redacted (void)
{
  static const gchar *const secret[] = { "Authorization", "Proxy-Authorization",
    "Cookie", "X-Api-Key", "X-Auth-Token", "Client-Secret", "x-signature" };
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GstStructure) headers =
      gst_structure_new ("extra-headers", "X-Camera", G_TYPE_STRING, "7", NULL);
  g_autoptr (GstStructure) shown = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (secret); i++)
    gst_structure_set (headers, secret[i], G_TYPE_STRING, "hunter2", NULL);
  g_object_set (put, "extra-headers", headers, NULL);
  g_object_get (put, "extra-headers", &shown, NULL);
  g_assert_cmpstr (gst_structure_get_string (shown, "X-Camera"), ==, "7");
  for (guint i = 0; i < G_N_ELEMENTS (secret); i++)
    g_assert_cmpstr (gst_structure_get_string (shown, secret[i]), ==, "***");
}

/* ---- what is refused ---- */

#define NAMED(...) \
  { \
    __VA_ARGS__, NULL \
  }

typedef struct
{
  const gchar *settings[16];
  const gchar *words[4]; /* all of them are in the sentence */
} BadCase;

static const BadCase bad[] = {
  { { NULL }, { "location", "not set" } },
  { NAMED ("location", ""), { "location", "not set" } },
  { NAMED ("location", "/srv/rec/"), { "location", "http" } },
  { NAMED ("location", "media.example.com/rec/"), { "location", "http" } },
  { NAMED ("location", "ftp://media.example.com/"), { "location", "http" } },
  { NAMED ("location", "http:///rec/"), { "location", "host" } },
  { NAMED ("location", "http://media.example.com:70000/"),
      { "location", "port" } },
  { NAMED ("location", "http://media.example.com/my cam/"),
      { "location", "%20" } },
  { NAMED ("location", "http://media.example.com/a\nb/"),
      { "location", "control" } },
  { NAMED ("location", "http://media.example.com/a/../b/"),
      { "location", ".." } },
  { NAMED ("location", "http://media.example.com/a%zz/"), { "location", "%" } },
  { NAMED ("location", "http://media.example.com/a/#b"), { "location", "#" } },
  { NAMED ("location", "http://media.example.com/kamera-ü/"),
      { "location", "ASCII" } },
  { NAMED ("location", "http://media.example.com/f(1).ts"),
      { "location", "f%281%29.ts" } },
  { NAMED ("location", "http://media.example.com/a%2Fb.ts"),
      { "location", "a%2Fb.ts" } },
  { NAMED ("location", "http://media.example.com/a%0Ab"),
      { "location", "no name" } },
  { NAMED ("location", FOLDER, "user-id", "a", "user-pw", "b", "bearer-token",
        "c"),
      { "bearer-token", "user" } },
  { NAMED ("location", "http://a:b@media.example.com/", "bearer-token", "c"),
      { "bearer-token", "location" } },
  { NAMED ("location", "http://a:b@media.example.com/", "user-id", "c"),
      { "location", "user-id" } },
  { NAMED ("location", "http://a:b@media.example.com/", "user-pw", "c"),
      { "location", "user-pw" } },
  { NAMED ("location", FOLDER, "user-pw", "c"), { "user-pw", "user-id" } },
  { NAMED ("location", FOLDER, "bearer-token", ""),
      { "bearer-token", "empty" } },
  { NAMED ("location", FOLDER, "bearer-token", "a\nb"), { "bearer-token" } },
  { NAMED ("location", FOLDER, "user-id", "a\nb", "user-pw", "c"),
      { "user-id" } },
  { NAMED ("location", FOLDER, "auth", "digest"), { "digest", "user-id" } },
  { NAMED ("location", FOLDER, "spool-dir", ""), { "spool-dir", "empty" } },
  { NAMED ("location", FOLDER, "notify-url", "hooks.example.com"),
      { "notify-url", "http" } },
  { NAMED ("location", FOLDER, "notify-url", ""), { "notify-url" } },
  { NAMED ("location", FOLDER, "proxy", "ftp://h:1080"), { "proxy" } },
  { NAMED ("location", FOLDER, "proxy-id", "a"), { "proxy-id", "proxy" } },
  { NAMED ("location", FOLDER, "proxy", "http://h:1", "proxy-pw", "a"),
      { "proxy-pw", "proxy-id" } },
  { NAMED ("location", FOLDER, "proxy", "h:3128"), { "proxy" } },
  { NAMED ("location", FOLDER, "user-agent", "a\r\nX: y"), { "user-agent" } },
  { NAMED ("location", FOLDER, "content-type", "mp2t"), { "content-type" } },
  { NAMED ("location", FOLDER, "content-type", "a/b\r\nX: y"),
      { "content-type", "control" } },
  { NAMED ("location", FOLDER, "segment-cache-control", "a\nX: y"),
      { "segment-cache-control", "control" } },
  { NAMED ("location", FOLDER, "playlist-cache-control", "a\nX: y"),
      { "playlist-cache-control", "control" } },
  { NAMED ("location", FOLDER, "extra-headers", "h, X-A=\"a\\012X-B: b\""),
      { "extra-headers", "X-A" } },
  { NAMED ("location", FOLDER, "extra-headers", "h, X-A=(fraction)1/2"),
      { "extra-headers", "X-A" } },
  { NAMED ("location", FOLDER, "extra-headers", "h, X-A=<a, (fraction)1/2>"),
      { "extra-headers", "X-A" } },
  { NAMED ("location", FOLDER, "extra-headers", "h, Content-Length=5"),
      { "extra-headers", "Content-Length" } },
  { NAMED ("location", FOLDER, "extra-headers", "h, Content-Range=x"),
      { "extra-headers", "Content-Range" } },
  { NAMED ("location", FOLDER, "ssl-cert-file", "/nowhere/c.pem"),
      { "ssl-cert-file", "ssl-key-file" } },
  { NAMED ("location", FOLDER, "ssl-key-file", "/nowhere/k.pem"),
      { "ssl-key-file", "ssl-cert-file" } },
  { NAMED ("location", "https://media.example.com/", "ssl-ca-file",
        "/nowhere/ca.pem"),
      { "ssl-ca-file", "/nowhere/ca.pem" } },
  { NAMED ("location", "https://media.example.com/", "ssl-cert-file",
        "/nowhere/c.pem", "ssl-key-file", "/nowhere/k.pem"),
      { "ssl-cert-file", "/nowhere/c.pem" } },
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
  g_assert_cmpuint (strlen (error->message), <, 300);
  g_assert_null (strchr (error->message, '\n'));
  for (guint i = 0; words[i]; i++)
    g_assert_nonnull (strstr (error->message, words[i]));
}

static void
test_property_bad_is_refused_with_a_sentence (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GstElement) put = make_put ();

    g_test_message ("case %u", i);
    set_all (put, bad[i].settings);
    assert_refused (put, bad[i].words);
  }
}

static void
test_tls_file_that_is_none_is_refused (void)
{
  static const gchar *const ca[] = { "ssl-ca-file", NULL };
  static const gchar *const cert[] = { "ssl-cert-file", NULL };
  g_autoptr (GstElement) put = make_put ();
  g_autofree gchar *path = write_file ("this is no PEM file\n");

  g_object_set (put, "location", "https://media.example.com/", "ssl-ca-file",
      path, NULL);
  assert_refused (put, ca);
  g_object_set (put, "ssl-ca-file", NULL, "ssl-cert-file", path, "ssl-key-file",
      path, NULL);
  assert_refused (put, cert);
  g_unlink (path);
}

static void
test_sentences_have_no_secrets_in_them (void)
{
  static const gchar *const urls[] = { "http://alice:hunter2@/a",
    "http://alice:hunter2@h/a b?token=hunter2", "ftp://alice:hunter2@h/",
    "alice:hunter2@h/a", "http://alice:hunter2@h:99999/?hunter2",
    "http://alice:hunter2@h/(1)?token=hunter2",
    "http://alice:hun\nter2@h/?hunter2" };
  static const gchar *const names[] = { "location", "proxy", "notify-url" };

  for (guint i = 0; i < G_N_ELEMENTS (urls) * G_N_ELEMENTS (names); i++) {
    g_autoptr (GstElement) put = make_put ();
    g_autoptr (GError) error = NULL;

    g_object_set (put, "location", FOLDER, NULL);
    g_object_set (put, names[i / G_N_ELEMENTS (urls)],
        urls[i % G_N_ELEMENTS (urls)], NULL);
    if (check (put, &error))
      continue;
    g_test_message ("%s", error->message);
    g_assert_null (strstr (error->message, "hunter2"));
    g_assert_null (strstr (error->message, "alice"));
  }
}

/* ---- what is taken ---- */

static const gchar *const good[][10] = {
  NAMED ("location", FOLDER),
  NAMED ("location", FILE_URL),
  NAMED ("location", "HTTP://MEDIA.EXAMPLE.COM"),
  NAMED ("location", "http://[::1]:8080/rec/"),
  NAMED ("location", "http://media.example.com/rec/?sig=a%2Fb"),
  NAMED ("location", "http://media.example.com/a%20b%28c%29.ts"),
  NAMED ("location", "http://media.example.com/(cam)/"),
  NAMED ("location", "http://a:b@media.example.com/"),
  NAMED ("location", "http://a:b@media.example.com/", "user-id", "a"),
  NAMED ("location", "http://a@media.example.com/", "user-pw", "b"),
  NAMED ("location", "http://a:b@media.example.com/", "user-id", "a", "user-pw",
      "b"),
  NAMED ("location", "http://a:b@media.example.com/", "auth", "digest"),
  NAMED ("location", FOLDER, "user-id", "a", "user-pw", "b", "auth", "digest"),
  NAMED ("location", FOLDER, "bearer-token", "abc.def-ghi"),
  NAMED ("location", FOLDER, "upload", "at-eos"),
  NAMED ("location", FOLDER, "proxy", ""),
  NAMED ("location", FOLDER, "proxy", "http://p.example.com:3128", "proxy-id",
      "a", "proxy-pw", "b"),
  NAMED ("location", FOLDER, "proxy", "socks5://p.example.com:1080"),
  NAMED ("location", FOLDER, "content-type", ""),
  NAMED ("location", FOLDER, "segment-cache-control", ""),
  NAMED ("location", FOLDER, "user-agent", ""),
  NAMED ("location", FOLDER, "chunked", "true", "digest", "md5"),
  NAMED ("location", FOLDER, "extra-headers", "h, X-A=a, X-B=<b, 5>, X-C={c}"),
  NAMED ("location", FOLDER, "extra-headers", "h, Authorization=\"AWS x\""),
  NAMED ("location", "https://media.example.com/", "ssl-strict", "false"),
  NAMED ("location", FOLDER, "notify-url", "https://h.example.com/?k=v"),
};

static void
test_property_good_is_taken (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GstElement) put = make_put ();
    g_autoptr (GError) error = NULL;

    g_test_message ("case %u: %s", i, good[i][1]);
    set_all (put, good[i]);
    check (put, &error);
    g_assert_no_error (error);
  }
}

/* ---- as an element ---- */

static GstBus *
give_bus (GstElement *put)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (put, bus);
  return bus;
}

static void
stop (GstElement *put)
{
  gst_element_set_state (put, GST_STATE_NULL);
  gst_element_set_bus (put, NULL);
}

static void
assert_settings_error (GstBus *bus, const gchar *word)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  g_autoptr (GstMessage) more =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  g_assert_null (more);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_element_refused_is_said_once_and_starts_when_set_right (void)
{
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GstBus) bus = give_bus (put);

  g_object_set (put, "location", "srv/rec/", NULL);
  g_assert_cmpint (gst_element_set_state (put, GST_STATE_PLAYING), ==,
      GST_STATE_CHANGE_FAILURE);
  assert_settings_error (bus, "location");
  gst_element_set_state (put, GST_STATE_NULL);
  g_object_set (put, "location", "http://127.0.0.1:9/rec/", NULL);
  g_assert_cmpint (gst_element_set_state (put, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
  g_assert_false (gst_bus_have_pending (bus) &&
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  stop (put);
}

/* What the data of a stream are to be. */
static gboolean
begin_data (GstElement *put, AmsFileBegin *data, GError **error)
{
  return class_of (put)->begin_stream ((GstAmsPutSink *) put, data, error);
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
  g_autoptr (GstElement) put = make_put ();

  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *url =
        g_strdup_printf ("http://127.0.0.1:9/rec/f%02u.ts", i);
    g_autofree gchar *name = g_strdup_printf ("f%02u.ts", i);
    AmsFileBegin data = { 0 };
    g_autoptr (GError) error = NULL;

    g_object_set (put, "location", url, NULL);
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
test_data_have_the_content_type_that_was_set (void)
{
  g_autoptr (GstElement) put = make_put ();
  AmsFileBegin data = { 0 };

  g_object_set (put, "location", "http://127.0.0.1:9/a%20b.mp4", "content-type",
      "video/x-thing", NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  g_assert_true (begin_data (put, &data, NULL));
  g_assert_cmpstr (data.name, ==, "a b.mp4");
  g_assert_cmpstr (data.content_type, ==, "video/x-thing");
  free_data (&data);
  gst_element_set_state (put, GST_STATE_NULL);
}

static void
stream_is_refused (const gchar *location, gboolean is_data, const gchar *word)
{
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GError) error = NULL;
  AmsFileBegin data = { 0 };

  g_object_set (put, "location", location, NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  g_assert_true (begin_data (put, is_data ? NULL : &data, NULL));
  g_assert_false (begin_data (put, is_data ? &data : NULL, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_nonnull (strstr (error->message, location));
  free_data (&data);
  gst_element_set_state (put, GST_STATE_NULL);
}

static void
test_stream_that_does_not_fit_the_location_is_refused (void)
{
  stream_is_refused ("http://127.0.0.1:9/rec/", TRUE, "folder");
  stream_is_refused ("http://127.0.0.1:9/rec/f.ts", FALSE, "folder");
}

static void
at_eos_has_policy (AmsQueuePolicy set, AmsQueuePolicy expected)
{
  g_autoptr (GstElement) put = make_put ();
  AmsDeliveryConfig config = { .queue_policy = set };
  g_autoptr (GError) error = NULL;

  g_object_set (put, "location", FOLDER, "playlist-min-interval",
      2 * GST_SECOND, NULL);
  gst_util_set_object_arg (G_OBJECT (put), "upload", "at-eos");
  g_assert_true (
      class_of (put)->configure ((GstAmsPutSink *) put, &config, &error));
  g_assert_true (config.at_eos);
  g_assert_true (config.has_breaker);
  g_assert_null (config.spool);
  g_assert_cmpint (config.playlist_min_interval, ==, 2 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (config.queue_policy, ==, expected);
}

static void
test_upload_at_eos_without_spool_never_waits_for_room (void)
{
  at_eos_has_policy (AMS_QUEUE_BLOCK, AMS_QUEUE_ERROR);
  at_eos_has_policy (AMS_QUEUE_DROP_OLDEST, AMS_QUEUE_DROP_OLDEST);
}

static GBytes *
describe (GstElement *put, const gchar *final)
{
  AmsEngineStats stats = { 0 };

  stats.files.handed_files = 7;
  stats.files.handed_bytes = G_GUINT64_CONSTANT (5000000000);
  stats.files.failed_files = 1;
  return class_of (put)->describe ((GstAmsPutSink *) put, &stats, final);
}

static void
test_description_is_json_without_secrets (void)
{
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GDateTime) ended = NULL;
  JsonObject *object;

  g_object_set (put, "location", "http://alice:pw@127.0.0.1:9/rec/?k=v",
      "notify-url", "http://127.0.0.1:9/n?k=v", NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  bytes = describe (put, "cam \"1\".m3u8");
  g_assert_true (json_parser_load_from_data (parser,
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL));
  object = json_node_get_object (json_parser_get_root (parser));
#define STRING_OF(name) json_object_get_string_member (object, name)
#define NUMBER_OF(name) json_object_get_int_member (object, name)
  g_assert_cmpstr (STRING_OF ("event"), ==, "recording-ended");
  g_assert_cmpstr (STRING_OF ("location"), ==, "http://127.0.0.1:9/rec/?k=***");
  g_assert_cmpstr (STRING_OF ("playlist"), ==, "cam \"1\".m3u8");
  g_assert_cmpint (NUMBER_OF ("files"), ==, 7);
  g_assert_cmpint (NUMBER_OF ("bytes"), ==, G_GINT64_CONSTANT (5000000000));
  g_assert_cmpint (NUMBER_OF ("failed"), ==, 1);
  ended = g_date_time_new_from_iso8601 (STRING_OF ("ended"), NULL);
  g_assert_nonnull (ended);
  g_assert_cmpuint (json_object_get_size (object), ==, 7);
  gst_element_set_state (put, GST_STATE_NULL);
}

static void
test_description_without_playlist_says_null (void)
{
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GBytes) bytes = NULL, none = NULL;

  g_object_set (put, "location", "http://127.0.0.1:9/rec/", NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  none = describe (put, NULL);
  g_assert_null (none);
  gst_element_set_state (put, GST_STATE_NULL);
  g_object_set (put, "notify-url", "http://127.0.0.1:9/n", NULL);
  gst_element_set_state (put, GST_STATE_PAUSED);
  bytes = describe (put, NULL);
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes), "\"playlist\":null"));
  gst_element_set_state (put, GST_STATE_NULL);
}

/* ---- secrets ---- */

/* All contain it. */
#define SECRET "hUnTeR2"

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
set_secrets (GstElement *put, const gchar *location)
{
  g_autoptr (GstStructure) headers = gst_structure_new ("h", "Cookie",
      G_TYPE_STRING, "a=" SECRET, "X-Api-Key", G_TYPE_STRING, SECRET, NULL);

  g_object_set (put, "location", location, "proxy",
      "http://" SECRET ":" SECRET "@127.0.0.1:9/", "proxy-id", "a", "proxy-pw",
      SECRET, "extra-headers", headers, "notify-url",
      "http://a:" SECRET "@127.0.0.1:9/?k=" SECRET, NULL);
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
dump_dot (GstElement *pipeline)
{
  g_autofree gchar *dot = gst_debug_bin_to_dot_data (GST_BIN (pipeline),
      GST_DEBUG_GRAPH_SHOW_ALL | GST_DEBUG_GRAPH_SHOW_FULL_PARAMS);

  g_assert_nonnull (strstr (dot, "amshttpput"));
  look_for_secret ("dot", dot);
}

/* fakesrc ! amshttpput at a port where nobody listens */
static void
run_with_secrets (const gchar *location, const gchar *password,
    const gchar *token)
{
  g_autoptr (GstElement) pipeline = gst_pipeline_new (NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstElement *source = gst_element_factory_make ("fakesrc", NULL);
  GstElement *put = gst_element_factory_make ("amshttpput", NULL);

  g_signal_connect (pipeline, "deep-notify", G_CALLBACK (on_deep_notify), NULL);
  gst_element_add_property_deep_notify_watch (pipeline, NULL, TRUE);
  gst_bin_add_many (GST_BIN (pipeline), source, put, NULL);
  gst_element_link (source, put);
  gst_util_set_object_arg (G_OBJECT (source), "sizetype", "fixed");
  g_object_set (source, "num-buffers", 3, NULL);
  set_secrets (put, location);
  g_object_set (put, "user-pw", password, "bearer-token", token, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  dump_dot (pipeline);
  read_messages (bus, GST_MESSAGE_WARNING);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  dump_dot (pipeline);
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
  g_autofree gchar *url = g_strdup_printf (
      "http://" SECRET ":" SECRET "@127.0.0.1:%u/f.ts?k=" SECRET, port);
  g_autofree gchar *plain =
      g_strdup_printf ("http://127.0.0.1:%u/f.ts?" SECRET, port);

  log_everything ();
  run_with_secrets (url, SECRET, NULL);
  run_with_secrets (plain, NULL, SECRET);
  log_nothing ();
  g_assert_cmpint (leaks, ==, 0);
}

static void
test_secrets_when_refused_are_in_no_log_or_message (void)
{
  g_autoptr (GstElement) put = make_put ();
  g_autoptr (GstBus) bus = give_bus (put);

  log_everything ();
  set_secrets (put, "http://" SECRET ":" SECRET "@h/a b?" SECRET);
  gst_element_set_state (put, GST_STATE_READY);
  read_messages (bus, GST_MESSAGE_ERROR);
  stop (put);
  log_nothing ();
  g_assert_cmpint (leaks, ==, 0);
}

int
main (int argc, char **argv)
{
  g_log_set_writer_func (on_glib_log, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  /* Before gst_init(), and once: each change of the list leaks it. */
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_init (&argc, &argv);
  gst_debug_add_log_function (on_log, NULL, NULL);
#define ADD(path, name) g_test_add_func ("/httpput/" path, test_##name)
  ADD ("properties/described",
      properties_all_are_described_and_secrets_write_only);
  ADD ("properties/defaults", properties_unset_have_their_defaults);
  ADD ("properties/round-trip", properties_set_are_read_back);
  ADD ("properties/inspect", element_inspected_is_a_network_sink);
  ADD ("shown/urls", urls_are_read_back_redacted);
  ADD ("shown/no-url", url_that_is_none_is_read_back_redacted);
  ADD ("shown/extra-headers", extra_headers_are_read_back_redacted);
  ADD ("check/bad", property_bad_is_refused_with_a_sentence);
  ADD ("check/tls-files", tls_file_that_is_none_is_refused);
  ADD ("check/no-secrets", sentences_have_no_secrets_in_them);
  ADD ("check/good", property_good_is_taken);
  ADD ("element/refused",
      element_refused_is_said_once_and_starts_when_set_right);
  ADD ("element/location-in-ready",
      location_set_in_ready_counts_at_the_next_start);
  ADD ("element/content-type", data_have_the_content_type_that_was_set);
  ADD ("element/no-fit", stream_that_does_not_fit_the_location_is_refused);
  ADD ("element/at-eos", upload_at_eos_without_spool_never_waits_for_room);
  ADD ("describe/json", description_is_json_without_secrets);
  ADD ("describe/null", description_without_playlist_says_null);
  ADD ("secrets/running", secrets_are_in_no_log_dump_notify_or_message);
  ADD ("secrets/refused", secrets_when_refused_are_in_no_log_or_message);
  return g_test_run ();
}
