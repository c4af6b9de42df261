/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/gstamshttpsettings.h"

#include "http/gstamsfields.h"

#include <string.h>

#define DEFAULT_SPOOL_DIR NULL
#define DEFAULT_SPOOL_SUFFIX NULL
#define DEFAULT_UPLOAD GST_AMS_UPLOAD_LIVE
#define DEFAULT_CONNECT_TIMEOUT 10
#define DEFAULT_TIMEOUT 30
#define DEFAULT_STALL_TIMEOUT 30
#define DEFAULT_VERIFY AMS_HTTP_VERIFY_NONE
#define DEFAULT_EXPECT AMS_HTTP_EXPECT_AUTO
#define DEFAULT_OVERWRITE AMS_OVERWRITE_SEGMENTS_NEVER
#define DEFAULT_CONTENT_TYPE NULL
#define DEFAULT_SEGMENT_CACHE_CONTROL "public, max-age=31536000, immutable"
#define DEFAULT_PLAYLIST_CACHE_CONTROL "no-cache"
#define DEFAULT_PLAYLIST_MIN_INTERVAL 0
#define DEFAULT_GZIP_PLAYLISTS FALSE
#define DEFAULT_MAX_BITRATE 0
#define DEFAULT_USER_AGENT "amshls/" VERSION
#define DEFAULT_PROXY NULL
#define DEFAULT_SSL_STRICT TRUE

#define MAX_TIMEOUT 3600 /* s, as souphttpsrc's */

enum
{
  PROP_0,
  PROP_SPOOL_DIR,
  PROP_SPOOL_SUFFIX,
  PROP_UPLOAD,
  PROP_CONNECT_TIMEOUT,
  PROP_TIMEOUT,
  PROP_STALL_TIMEOUT,
  PROP_VERIFY,
  PROP_EXPECT,
  PROP_OVERWRITE,
  PROP_CONTENT_TYPE,
  PROP_SEGMENT_CACHE_CONTROL,
  PROP_PLAYLIST_CACHE_CONTROL,
  PROP_PLAYLIST_MIN_INTERVAL,
  PROP_GZIP_PLAYLISTS,
  PROP_MAX_BITRATE,
  PROP_USER_AGENT,
  PROP_EXTRA_HEADERS,
  PROP_PROXY,
  PROP_PROXY_ID,
  PROP_PROXY_PW,
  PROP_SSL_STRICT,
  PROP_SSL_CA_FILE,
  PROP_SSL_CERT_FILE,
  PROP_SSL_KEY_FILE,
  PROP_NOTIFY_URL,
};

G_STATIC_ASSERT (PROP_NOTIFY_URL == GST_AMS_HTTP_SETTINGS_LAST_ID);

#define FIELD(kind, member) GST_AMS_FIELD (GstAmsHttpSettings, kind, member)

/* Where the value of a property is kept. */
static const GstAmsField fields[] = {
  [PROP_SPOOL_DIR] = FIELD (STRING, spool_dir),
  [PROP_SPOOL_SUFFIX] = FIELD (STRING, spool_suffix),
  [PROP_UPLOAD] = FIELD (ENUM, upload),
  [PROP_CONNECT_TIMEOUT] = FIELD (UINT, http.connect_timeout),
  [PROP_TIMEOUT] = FIELD (UINT, http.timeout),
  [PROP_STALL_TIMEOUT] = FIELD (UINT, http.stall_timeout),
  [PROP_VERIFY] = FIELD (ENUM, store.verify),
  [PROP_EXPECT] = FIELD (ENUM, http.expect),
  [PROP_OVERWRITE] = FIELD (ENUM, store.overwrite),
  [PROP_CONTENT_TYPE] = FIELD (STRING, store.content_type),
  [PROP_SEGMENT_CACHE_CONTROL] = FIELD (STRING, store.segment_cache_control),
  [PROP_PLAYLIST_CACHE_CONTROL] = FIELD (STRING, store.playlist_cache_control),
  [PROP_PLAYLIST_MIN_INTERVAL] = FIELD (UINT64, playlist_min_interval),
  [PROP_GZIP_PLAYLISTS] = FIELD (BOOLEAN, store.gzip_playlists),
  [PROP_MAX_BITRATE] = FIELD (UINT64, http.max_bitrate),
  [PROP_USER_AGENT] = FIELD (STRING, http.user_agent),
  [PROP_EXTRA_HEADERS] = FIELD (STRUCTURE, extra_headers),
  [PROP_PROXY] = GST_AMS_FIELD_SHOWN_BY (GstAmsHttpSettings,
      ams_http_url_redact, http.proxy),
  [PROP_PROXY_ID] = FIELD (STRING, http.proxy_id),
  [PROP_PROXY_PW] = FIELD (SECRET, http.proxy_pw),
  [PROP_SSL_STRICT] = FIELD (BOOLEAN, http.ssl_strict),
  [PROP_SSL_CA_FILE] = FIELD (STRING, http.ssl_ca_file),
  [PROP_SSL_CERT_FILE] = FIELD (STRING, http.ssl_cert_file),
  [PROP_SSL_KEY_FILE] = FIELD (STRING, http.ssl_key_file),
  [PROP_NOTIFY_URL] = GST_AMS_FIELD_SHOWN_BY (GstAmsHttpSettings,
      ams_http_url_redact, store.notify_url),
};

/* ---- types ---- */

/* clang-format off */
GST_AMS_DEFINE_ENUM (upload_get_type, "GstAmsUpload",
    { GST_AMS_UPLOAD_LIVE, "Each file as soon as it is whole", "live" },
    { GST_AMS_UPLOAD_AT_EOS, "Nothing before the stream has ended", "at-eos" })

GST_AMS_DEFINE_ENUM (verify_get_type, "GstAmsHttpVerify",
    { AMS_HTTP_VERIFY_NONE, "The answer to PUT is believed", "none" },
    { AMS_HTTP_VERIFY_SIZE, "HEAD after each PUT: Content-Length", "size" },
    { AMS_HTTP_VERIFY_ETAG, "HEAD after each PUT: Content-Length and ETag",
      "etag" })

GST_AMS_DEFINE_ENUM (expect_get_type, "GstAmsHttpExpect",
    { AMS_HTTP_EXPECT_AUTO,
      "For large files, and after the connection was cut off", "auto" },
    { AMS_HTTP_EXPECT_ALWAYS, "Before each file", "always" },
    { AMS_HTTP_EXPECT_NEVER, "Never", "never" })

GST_AMS_DEFINE_ENUM (overwrite_get_type, "GstAmsOverwrite",
    { AMS_OVERWRITE_SEGMENTS_NEVER, "Only playlists replace what is there",
      "segments-never" },
    { AMS_OVERWRITE_NEVER,
      "Nothing that this element did not put there itself", "never" },
    { AMS_OVERWRITE_ALWAYS, "Everything replaces what is there", "always" })
/* clang-format on */

/* ---- values ---- */

void
gst_ams_http_settings_init (GstAmsHttpSettings *settings)
{
  memset (settings, 0, sizeof *settings);
  ams_http_options_init (&settings->http);
  settings->http.connect_timeout = DEFAULT_CONNECT_TIMEOUT;
  settings->http.timeout = DEFAULT_TIMEOUT;
  settings->http.stall_timeout = DEFAULT_STALL_TIMEOUT;
  settings->http.expect = DEFAULT_EXPECT;
  settings->http.max_bitrate = DEFAULT_MAX_BITRATE;
  gst_ams_set_secret (&settings->http.user_agent, DEFAULT_USER_AGENT);
  settings->http.ssl_strict = DEFAULT_SSL_STRICT;
  settings->store.verify = DEFAULT_VERIFY;
  settings->store.overwrite = DEFAULT_OVERWRITE;
  settings->store.segment_cache_control =
      g_strdup (DEFAULT_SEGMENT_CACHE_CONTROL);
  settings->store.playlist_cache_control =
      g_strdup (DEFAULT_PLAYLIST_CACHE_CONTROL);
  settings->store.gzip_playlists = DEFAULT_GZIP_PLAYLISTS;
  settings->upload = DEFAULT_UPLOAD;
  settings->playlist_min_interval = DEFAULT_PLAYLIST_MIN_INTERVAL;
}

void
gst_ams_http_settings_clear (GstAmsHttpSettings *settings)
{
  ams_http_options_clear (&settings->http);
  ams_http_store_options_clear (&settings->store);
  g_clear_pointer (&settings->extra_headers, gst_structure_free);
  g_clear_pointer (&settings->spool_dir, g_free);
  g_clear_pointer (&settings->spool_suffix, g_free);
}

void
gst_ams_http_settings_copy (GstAmsHttpSettings *to,
    const GstAmsHttpSettings *from)
{
  memset (to, 0, sizeof *to);
  ams_http_options_copy (&to->http, &from->http);
  ams_http_store_options_copy (&to->store, &from->store);
  to->spool_dir = g_strdup (from->spool_dir);
  to->spool_suffix = g_strdup (from->spool_suffix);
  to->upload = from->upload;
  to->playlist_min_interval = from->playlist_min_interval;
  if (from->extra_headers)
    to->extra_headers = gst_structure_copy (from->extra_headers);
}

static gboolean
check_spool_dir (const GstAmsHttpSettings *settings, GError **error)
{
  if (!settings->spool_dir || *settings->spool_dir)
    return TRUE;
  /* More likely a variable that was empty than a wish. */
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "spool-dir is empty: name a folder, or leave it out to keep what is "
          "on its way in memory"));
  return FALSE;
}

static gboolean
check_spool_suffix (const GstAmsHttpSettings *settings, GError **error)
{
  const gchar *suffix = settings->spool_suffix;

  if (!suffix)
    return TRUE;
  if (settings->spool_dir && *suffix && strlen (suffix) <= 64 &&
      strspn (suffix, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_") ==
          strlen (suffix))
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          settings->spool_dir
              ? "spool-suffix “%s” is none: it is 1 to 64 letters, digits, “-” "
                "and “_”, such as “-kept”"
              : "spool-suffix “%s” is for what an earlier session left in "
                "spool-dir, which is not set",
          suffix));
  return FALSE;
}

/* What becomes a header, and the client does not see before it is one. */
static gboolean
check_value (const gchar *property, const gchar *value, GError **error)
{
  for (; value && *value; value++) {
    if (g_ascii_isprint (*value) || *value == '\t')
      continue;
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "%s has a control or non-ASCII character in it, which a header "
            "must not have",
            property));
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_content_type (const gchar *type, GError **error)
{
  if (!check_value ("content-type", type, error))
    return FALSE;
  if (!type || !*type || (g_ascii_isalnum (*type) && strchr (type, '/')))
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "content-type “%s” is none: write one such as “video/mp2t”", type));
  return FALSE;
}

static gboolean
check_values (const AmsHttpStoreOptions *store, GError **error)
{
  return check_content_type (store->content_type, error) &&
      check_value ("segment-cache-control", store->segment_cache_control,
          error) &&
      check_value ("playlist-cache-control", store->playlist_cache_control,
          error);
}

static gboolean
check_notify_url (const GstAmsHttpSettings *settings, GError **error)
{
  g_autoptr (AmsHttpUrl) url = NULL;

  if (!settings->store.notify_url)
    return TRUE;
  url = ams_http_url_parse (settings->store.notify_url, error);
  if (!url)
    g_prefix_error (error, "notify-url: ");
  return url != NULL;
}

gboolean
gst_ams_http_settings_check (GstAmsHttpSettings *settings, GError **error)
{
  if (settings->http.user_agent && !*settings->http.user_agent)
    g_clear_pointer (&settings->http.user_agent, g_free);
  if (settings->extra_headers) {
    g_strfreev (settings->http.extra_headers);
    settings->http.extra_headers = gst_ams_pairs_from_structure (
        "extra-headers", settings->extra_headers, error);
    if (!settings->http.extra_headers)
      return FALSE;
  }
  return check_spool_dir (settings, error) &&
      check_spool_suffix (settings, error) &&
      check_values (&settings->store, error) &&
      check_notify_url (settings, error);
}

/* ---- properties ---- */

gboolean
gst_ams_http_settings_set (GstAmsHttpSettings *settings, guint id,
    const GValue *value)
{
  return gst_ams_fields_set (settings, fields, G_N_ELEMENTS (fields), id,
      value);
}

gboolean
gst_ams_http_settings_get (const GstAmsHttpSettings *settings, guint id,
    GValue *value)
{
  return gst_ams_fields_get (settings, fields, G_N_ELEMENTS (fields), id,
      value);
}

#define PARAM_FLAGS \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define SECRET_FLAGS \
  (G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_delivery_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_SPOOL_DIR,
      g_param_spec_string ("spool-dir", "Spool folder",
          "Folder in which what is on its way is kept until the store has it, "
          "so that it survives the end of the process; made if need be, one "
          "per element at a time. Unset: it is in memory, up to "
          "max-queue-bytes",
          DEFAULT_SPOOL_DIR, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_SPOOL_SUFFIX,
      g_param_spec_string ("spool-suffix", "Spool suffix",
          "What an earlier session left in spool-dir is delivered under names "
          "of its own, which end with this before the extension (“-kept”), and "
          "its playlist lists it so and ends: where another recorder has "
          "taken over the recording. Unset: under the names that it had",
          DEFAULT_SPOOL_SUFFIX, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_UPLOAD,
      g_param_spec_enum ("upload", "Upload",
          "When files are sent. With at-eos and no spool-dir, more than "
          "max-queue-bytes is an error (queue-policy block has nothing to "
          "wait for)",
          upload_get_type (), DEFAULT_UPLOAD, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_OVERWRITE,
      g_param_spec_enum ("overwrite", "Overwrite",
          "What may replace a file that is in the store already "
          "(If-None-Match: * is sent with the rest)",
          overwrite_get_type (), DEFAULT_OVERWRITE, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PLAYLIST_MIN_INTERVAL,
      g_param_spec_uint64 ("playlist-min-interval", "Playlist minimum interval",
          "Time in ns between two versions of one playlist; those in between "
          "are skipped, the last one never (0 = each is sent)",
          0, G_MAXINT64, DEFAULT_PLAYLIST_MIN_INTERVAL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_VERIFY,
      g_param_spec_enum ("verify", "Verify",
          "How to look, after a file was put, whether it is there",
          verify_get_type (), DEFAULT_VERIFY, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_NOTIFY_URL,
      g_param_spec_string ("notify-url", "Notify URL",
          "Where to POST a JSON object when a recording has ended and all of "
          "it is delivered. Reading it back hides users and the values of the "
          "query",
          NULL, PARAM_FLAGS));
}

static void
install_header_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_CONTENT_TYPE,
      g_param_spec_string ("content-type", "Content type",
          "Content-Type of segments and other data; unset: by role and name",
          DEFAULT_CONTENT_TYPE, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_SEGMENT_CACHE_CONTROL,
      g_param_spec_string ("segment-cache-control", "Segment Cache-Control",
          "Cache-Control of segments (and data); empty: none is sent",
          DEFAULT_SEGMENT_CACHE_CONTROL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PLAYLIST_CACHE_CONTROL,
      g_param_spec_string ("playlist-cache-control", "Playlist Cache-Control",
          "Cache-Control of playlists; empty: none is sent",
          DEFAULT_PLAYLIST_CACHE_CONTROL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_GZIP_PLAYLISTS,
      g_param_spec_boolean ("gzip-playlists", "Gzip playlists",
          "Send playlists compressed (Content-Encoding: gzip). The server "
          "must keep that header and give it to players",
          DEFAULT_GZIP_PLAYLISTS, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_USER_AGENT,
      g_param_spec_string ("user-agent", "User-Agent",
          "User-Agent of each request; empty: none is sent", DEFAULT_USER_AGENT,
          PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_EXTRA_HEADERS,
      g_param_spec_boxed ("extra-headers", "Extra headers",
          "Headers to add to each request: each field is one, a GstValueArray "
          "or GstValueList several of its name. Reading it back hides what "
          "may be a secret (Authorization, Cookie, *token*, *key* …)",
          GST_TYPE_STRUCTURE, PARAM_FLAGS));
}

static void
install_transport_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_CONNECT_TIMEOUT,
      g_param_spec_uint ("connect-timeout", "Connect timeout",
          "Time in s that a connection may take to be made (0 = the system's)",
          0, MAX_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_TIMEOUT,
      g_param_spec_uint ("timeout", "Timeout",
          "Time in s after which an exchange in which no byte moves is a "
          "failure (0 = never)",
          0, MAX_TIMEOUT, DEFAULT_TIMEOUT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_STALL_TIMEOUT,
      g_param_spec_uint ("stall-timeout", "Stall timeout",
          "Time in s in which 8 KiB of a file must move, or the exchange is a "
          "failure (0 = any rate will do)",
          0, MAX_TIMEOUT, DEFAULT_STALL_TIMEOUT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_EXPECT,
      g_param_spec_enum ("expect", "Expect",
          "When to ask the server (Expect: 100-continue) before a file is "
          "sent; one that does not answer within 2 s is sent the file",
          expect_get_type (), DEFAULT_EXPECT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_MAX_BITRATE,
      g_param_spec_uint64 ("max-bitrate", "Maximum bitrate",
          "Bit/s at which files are sent, all of them together (0 = no limit)",
          0, G_MAXINT64, DEFAULT_MAX_BITRATE, PARAM_FLAGS));
}

static void
install_proxy_and_tls_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_PROXY,
      g_param_spec_string ("proxy", "Proxy",
          "URL of the proxy (http, https, socks4, socks4a, socks5), perhaps "
          "with user and password; empty: none; unset: that of http_proxy, "
          "https_proxy, all_proxy and no_proxy, else the system's. Reading it "
          "back hides the user",
          DEFAULT_PROXY, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PROXY_ID,
      g_param_spec_string ("proxy-id", "Proxy user",
          "User at the proxy; needs proxy", NULL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PROXY_PW,
      g_param_spec_string ("proxy-pw", "Proxy password",
          "The user's password at the proxy", NULL, SECRET_FLAGS));
  g_object_class_install_property (klass, PROP_SSL_STRICT,
      g_param_spec_boolean ("ssl-strict", "Strict TLS",
          "Refuse a server whose certificate is not good; without, anybody on "
          "the way can read and change what is sent",
          DEFAULT_SSL_STRICT, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_SSL_CA_FILE,
      g_param_spec_string ("ssl-ca-file", "CA file",
          "PEM file of the authorities that are trusted, in place of the "
          "system's",
          NULL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_SSL_CERT_FILE,
      g_param_spec_string ("ssl-cert-file", "Client certificate file",
          "PEM file of the certificate with which to identify, with those "
          "that lead to its authority",
          NULL, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_SSL_KEY_FILE,
      g_param_spec_string ("ssl-key-file", "Client key file",
          "PEM file of the certificate's private key; unset: it is in "
          "ssl-cert-file",
          NULL, PARAM_FLAGS));
}

void
gst_ams_http_settings_install (GObjectClass *klass)
{
  install_delivery_properties (klass);
  install_header_properties (klass);
  install_transport_properties (klass);
  install_proxy_and_tls_properties (klass);

  gst_type_mark_as_plugin_api (upload_get_type (), 0);
  gst_type_mark_as_plugin_api (verify_get_type (), 0);
  gst_type_mark_as_plugin_api (expect_get_type (), 0);
  gst_type_mark_as_plugin_api (overwrite_get_type (), 0);
}
