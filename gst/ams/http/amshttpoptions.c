/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpoptions.h"

#include "transfer/amsstore.h"

#include <string.h>

#define DEFAULT_CONNECT_TIMEOUT 10
#define DEFAULT_TIMEOUT 30
#define DEFAULT_CONNECTIONS 4

void
ams_http_free_secret (gchar *secret)
{
  if (secret)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

void
ams_http_options_init (AmsHttpOptions *options)
{
  memset (options, 0, sizeof (*options));
  options->connect_timeout = DEFAULT_CONNECT_TIMEOUT;
  options->timeout = DEFAULT_TIMEOUT;
  options->stall_timeout = DEFAULT_TIMEOUT;
  options->max_connections = DEFAULT_CONNECTIONS;
  options->user_agent = g_strdup (PACKAGE_NAME "/" PACKAGE_VERSION);
  options->ssl_strict = TRUE;
  options->expect = AMS_HTTP_EXPECT_AUTO;
  options->redirect = AMS_HTTP_REDIRECT_SAFE;
  options->auth = AMS_HTTP_AUTH_BASIC;
}

void
ams_http_options_copy (AmsHttpOptions *to, const AmsHttpOptions *from)
{
  *to = *from;
  to->user_agent = g_strdup (from->user_agent);
  to->user_id = g_strdup (from->user_id);
  to->user_pw = g_strdup (from->user_pw);
  to->bearer_token = g_strdup (from->bearer_token);
  to->extra_headers = g_strdupv (from->extra_headers);
  to->proxy = g_strdup (from->proxy);
  to->proxy_id = g_strdup (from->proxy_id);
  to->proxy_pw = g_strdup (from->proxy_pw);
  to->ssl_ca_file = g_strdup (from->ssl_ca_file);
  to->ssl_cert_file = g_strdup (from->ssl_cert_file);
  to->ssl_key_file = g_strdup (from->ssl_key_file);
}

void
ams_http_options_clear (AmsHttpOptions *options)
{
  g_clear_pointer (&options->user_agent, g_free);
  g_clear_pointer (&options->user_id, ams_http_free_secret);
  g_clear_pointer (&options->user_pw, ams_http_free_secret);
  g_clear_pointer (&options->bearer_token, ams_http_free_secret);
  for (guint i = 0; options->extra_headers && options->extra_headers[i]; i++)
    explicit_bzero (options->extra_headers[i],
        strlen (options->extra_headers[i]));
  g_clear_pointer (&options->extra_headers, g_strfreev);
  /* It may have a password in it. */
  g_clear_pointer (&options->proxy, ams_http_free_secret);
  g_clear_pointer (&options->proxy_id, ams_http_free_secret);
  g_clear_pointer (&options->proxy_pw, ams_http_free_secret);
  g_clear_pointer (&options->ssl_ca_file, g_free);
  g_clear_pointer (&options->ssl_cert_file, g_free);
  g_clear_pointer (&options->ssl_key_file, g_free);
}

gchar *
ams_http_basic_credentials (const gchar *user, const gchar *password)
{
  gchar *plain = g_strconcat (user, ":", password ? password : "", NULL);
  gchar *encoded = g_base64_encode ((const guchar *) plain, strlen (plain));
  gchar *value = g_strconcat ("Basic ", encoded, NULL);

  ams_http_free_secret (plain);
  ams_http_free_secret (encoded);
  return value;
}

/* Checks */

static gboolean refuse (GError **error, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", message));
  return FALSE;
}

/* RFC 9110 5.6.2 */
static gboolean
is_token (const gchar *text)
{
  if (*text == '\0')
    return FALSE;
  for (; *text; text++) {
    if (!g_ascii_isalnum (*text) && !strchr ("!#$%&'*+-.^_`|~", *text))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_control (const gchar *text)
{
  for (; text && *text; text++) {
    if ((guchar) *text == 0x7f || ((guchar) *text < ' ' && *text != '\t'))
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_text (const gchar *property, const gchar *text, GError **error)
{
  return !has_control (text) ||
      refuse (error,
          "%s has a line break or a control character in it; "
          "remove it",
          property);
}

/* What the client says itself, or must not be said (http-put.md H5). */
static gboolean
is_own_header (const gchar *name)
{
  static const gchar *const own[] = { "Connection", "Content-Length",
    "Content-Range", "Expect", "Host", "Keep-Alive", "Proxy-Connection", "TE",
    "Trailer", "Transfer-Encoding", "Upgrade" };

  for (guint i = 0; i < G_N_ELEMENTS (own); i++) {
    if (g_ascii_strcasecmp (name, own[i]) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_headers (const AmsHttpOptions *options, GError **error)
{
  GStrv headers = options->extra_headers;

  for (guint i = 0; headers && headers[i]; i += 2) {
    if (!headers[i + 1])
      return refuse (error, "extra-headers has a name without a value");
    if (!is_token (headers[i]))
      return refuse (error,
          "extra-headers has a name in it that is none; "
          "use letters, digits and “-”");
    if (is_own_header (headers[i]))
      return refuse (error,
          "extra-headers may not have “%s” in it, which is "
          "not for the application to set",
          headers[i]);
    if (has_control (headers[i + 1]))
      return refuse (error,
          "extra-headers: the value of “%s” has a line break "
          "or a control character in it; remove it",
          headers[i]);
  }
  return TRUE;
}

static gboolean
check_credentials (const AmsHttpOptions *options, GError **error)
{
  if (options->bearer_token && options->user_id)
    return refuse (error,
        "bearer-token and user-id are both set; "
        "set one of them");
  if (options->user_pw && !options->user_id)
    return refuse (error, "user-pw is set without user-id; set both");
  if (options->auth == AMS_HTTP_AUTH_DIGEST && !options->user_id)
    return refuse (error, "auth=digest needs user-id and user-pw; set both");
  if (options->auth == AMS_HTTP_AUTH_BASIC && options->user_id &&
      strchr (options->user_id, ':'))
    return refuse (error,
        "user-id has a “:” in it, which Basic "
        "authentication cannot send; use another user or "
        "auth=digest");
  return check_text ("user-id", options->user_id, error) &&
      check_text ("user-pw", options->user_pw, error) &&
      check_text ("bearer-token", options->bearer_token, error) &&
      check_text ("user-agent", options->user_agent, error);
}

/* TLS */

GTlsCertificate *
ams_http_options_load_certificate (const AmsHttpOptions *options,
    GError **error)
{
  const gchar *key =
      options->ssl_key_file ? options->ssl_key_file : options->ssl_cert_file;
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) reason = NULL;

  if (!options->ssl_cert_file) {
    if (options->ssl_key_file)
      refuse (error, "ssl-key-file is set without ssl-cert-file; set both");
    return NULL;
  }
  certificate =
      g_tls_certificate_new_from_files (options->ssl_cert_file, key, &reason);
  if (certificate)
    return g_steal_pointer (&certificate);
  if (!options->ssl_key_file)
    refuse (error,
        "ssl-cert-file “%s” cannot be used as a certificate with "
        "its key (%s); set ssl-key-file if the key is in a file of "
        "its own",
        options->ssl_cert_file, reason->message);
  else
    refuse (error,
        "ssl-cert-file “%s” and ssl-key-file “%s” cannot be used "
        "(%s); set them to a certificate in PEM and its key",
        options->ssl_cert_file, key, reason->message);
  return NULL;
}

static gboolean
check_ca_file (const AmsHttpOptions *options, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GList *certificates;
  gboolean some;

  if (!options->ssl_ca_file)
    return TRUE;
  certificates =
      g_tls_certificate_list_new_from_file (options->ssl_ca_file, &reason);
  some = certificates != NULL;
  g_list_free_full (certificates, g_object_unref);
  return some ||
      refuse (error,
          "ssl-ca-file “%s” cannot be used (%s); set it to a file "
          "of certificates in PEM",
          options->ssl_ca_file,
          reason ? reason->message : "no certificate is in it");
}

static gboolean
check_tls (const AmsHttpOptions *options, const gchar *scheme, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) reason = NULL;

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ())) {
    if (g_strcmp0 (scheme, "https") == 0)
      return refuse (error,
          "https needs TLS, for which GLib has no backend "
          "here; install glib-networking");
    return TRUE;
  }
  if (!check_ca_file (options, error))
    return FALSE;
  certificate = ams_http_options_load_certificate (options, &reason);
  if (reason) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  return TRUE;
}

gboolean
ams_http_options_check (const AmsHttpOptions *options, const gchar *scheme,
    GError **error)
{
  if (options->max_connections == 0)
    return refuse (error, "max-connections is 0; set it to at least 1");
  if (!check_credentials (options, error) || !check_headers (options, error))
    return FALSE;
  return check_tls (options, scheme, error);
}
