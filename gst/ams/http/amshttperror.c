/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttperror.h"

#include "http/amshttpwatch.h"
#include "transfer/amsstore.h"

#include <libsoup/soup.h>

/* The hints that this store gives itself: flags. */
#define HINT_ASK_FIRST 1
#define HINT_SENT_WHOLE 2

static const gchar *
describe (AmsHttpPhase phase)
{
  switch (phase) {
    case AMS_HTTP_PHASE_SENDING:
      return "while the request was sent";
    case AMS_HTTP_PHASE_WAITING:
      return "before an answer came";
    case AMS_HTTP_PHASE_READING:
      return "in the middle of the answer";
    default:
      return "while it was made";
  }
}

static const gchar *
describe_io (const GError *error)
{
  if (error->domain != G_IO_ERROR)
    return error->message;
  switch (error->code) {
    case G_IO_ERROR_CONNECTION_REFUSED:
      return "connection refused";
    case G_IO_ERROR_CONNECTION_CLOSED: /* and BROKEN_PIPE */
      return "connection reset";
    case G_IO_ERROR_HOST_UNREACHABLE:
      return "no route to the host";
    case G_IO_ERROR_NETWORK_UNREACHABLE:
      return "the network cannot be reached";
    case G_IO_ERROR_TIMED_OUT:
      return "no sign of life from the other side";
    case G_IO_ERROR_PARTIAL_INPUT:
      return "connection closed";
    case G_IO_ERROR_PROXY_FAILED:
      return "the proxy failed";
    case G_IO_ERROR_PROXY_AUTH_FAILED:
    case G_IO_ERROR_PROXY_NEED_AUTH:
      return "the proxy wants another user or password; set proxy-id and "
             "proxy-pw";
    case G_IO_ERROR_PROXY_NOT_ALLOWED:
      return "the proxy does not allow it";
    default:
      return error->message;
  }
}

/* The certificate */

static const struct
{
  GTlsCertificateFlags flag;
  const gchar *what;
} certificate_faults[] = {
  { G_TLS_CERTIFICATE_UNKNOWN_CA, "is signed by an unknown CA" },
  { G_TLS_CERTIFICATE_BAD_IDENTITY, "is for another host" },
  { G_TLS_CERTIFICATE_NOT_ACTIVATED, "is not valid yet" },
  { G_TLS_CERTIFICATE_EXPIRED, "has expired" },
  { G_TLS_CERTIFICATE_REVOKED, "has been revoked" },
  { G_TLS_CERTIFICATE_INSECURE, "uses an algorithm that is not secure" },
};

static GError *
certificate_error (const gchar *authority, GTlsCertificateFlags flags)
{
  g_autoptr (GString) faults = g_string_new (NULL);
  const gchar *remedy = "correct it there, or set ssl-strict=false to take any";

  for (guint i = 0; i < G_N_ELEMENTS (certificate_faults); i++) {
    if ((flags & certificate_faults[i].flag) == 0)
      continue;
    if (faults->len > 0)
      g_string_append (faults, " and ");
    g_string_append (faults, certificate_faults[i].what);
  }
  if (faults->len == 0)
    g_string_append (faults, "cannot be verified");
  if (flags & G_TLS_CERTIFICATE_UNKNOWN_CA)
    remedy = "set ssl-ca-file to the certificate of its CA, or "
             "ssl-strict=false to take any";
  return ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "the certificate of “%s” %s; %s", authority, faults->str, remedy);
}

static GError *
tls_error (const gchar *authority, AmsHttpPhase phase, const GError *error)
{
  switch (error->code) {
    case G_TLS_ERROR_CERTIFICATE_REQUIRED:
      return ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "“%s” asks for a client certificate that it trusts; set "
          "ssl-cert-file and ssl-key-file",
          authority);
    case G_TLS_ERROR_NOT_TLS:
      return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "“%s” does not answer in TLS; see that the scheme and the port of "
          "the URL are right",
          authority);
    default:
      return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "the TLS connection to “%s” failed %s: %s", authority,
          describe (phase), error->message);
  }
}

static GError *
connect_error (const gchar *authority, const gchar *proxy, const GError *error)
{
  if (proxy)
    return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
        "could not connect to “%s” through the proxy “%s”: %s", authority,
        proxy, describe_io (error));
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "could not connect to “%s”: %s", authority, describe_io (error));
}

static GError *
resolve_error (const gchar *authority, const gchar *proxy, const GError *error)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "could not find the address of %s“%s”: %s", proxy ? "the proxy " : "",
      proxy ? proxy : authority,
      error->code == G_RESOLVER_ERROR_TEMPORARY_FAILURE
          ? "no name server answers"
          : "there is no such host");
}

GError *
ams_http_error_new (const gchar *authority, const gchar *proxy,
    AmsHttpPhase phase, GTlsCertificateFlags certificate, const GError *error)
{
  if (certificate != 0 ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE))
    return certificate_error (authority, certificate);
  if (error->domain == G_TLS_ERROR)
    return tls_error (authority, phase, error);
  if (error->domain == G_RESOLVER_ERROR)
    return resolve_error (authority, proxy, error);
  if (error->domain == SOUP_SESSION_ERROR)
    return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
        "what “%s” answered is not HTTP, or not as it should be", authority);
  if (phase == AMS_HTTP_PHASE_CONNECTING)
    return connect_error (authority, proxy, error);
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "the connection to “%s” broke %s: %s", authority, describe (phase),
      describe_io (error));
}

GError *
ams_http_error_new_timeout (const gchar *authority, const gchar *proxy,
    AmsHttpPhase phase, guint seconds)
{
  static const gchar *const waiting[] = {
    [AMS_HTTP_PHASE_CONNECTING] = "could not connect to “%s” within %u s",
    [AMS_HTTP_PHASE_SENDING] = "“%s” took nothing of the request for %u s",
    [AMS_HTTP_PHASE_WAITING] = "“%s” did not answer within %u s",
    [AMS_HTTP_PHASE_READING] = "“%s” fell silent in its answer for %u s",
  };
  g_autofree gchar *message = NULL;

  if (proxy)
    return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
        "could not connect to “%s” through the proxy “%s” within %u s",
        authority, proxy, seconds);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  message = g_strdup_printf (waiting[phase], authority, seconds);
#pragma GCC diagnostic pop
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0, "%s", message);
}

GError *
ams_http_error_new_stall (const gchar *authority, AmsHttpPhase phase,
    guint seconds)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "“%s” %s fewer than %d bytes in %u s, so the connection was given up",
      authority, phase == AMS_HTTP_PHASE_SENDING ? "took" : "sent",
      AMS_HTTP_STALL_BYTES, seconds);
}

GError *
ams_http_error_new_overdue (const gchar *authority, guint64 size,
    guint64 seconds)
{
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "the exchange of %" G_GUINT64_FORMAT
      " bytes with “%s” was not over after %" G_GUINT64_FORMAT
      " s, so the connection was given up",
      size, authority, seconds);
}

GError *
ams_http_error_new_proxy (const gchar *proxy, const gchar *authority,
    guint status, gboolean told)
{
  if (!proxy)
    proxy = "?";
  if (status == 407 && told)
    return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
        "the proxy “%s” does not take the user and password that it is told "
        "(HTTP 407), so “%s” is not reached; correct proxy-id and proxy-pw, or "
        "the proxy's URL",
        proxy, authority);
  if (status == 407)
    return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
        "the proxy “%s” wants a user and a password (HTTP 407) before “%s” is "
        "reached; set proxy, proxy-id and proxy-pw, or write them into the "
        "proxy's URL",
        proxy, authority);
  if (status == 403)
    return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
        "the proxy “%s” does not allow a connection to “%s” (HTTP 403); allow "
        "it there, or name the host in no_proxy",
        proxy, authority);
  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "the proxy “%s” answered HTTP %u when asked for a connection to “%s”",
      proxy, status, authority);
}

GError *
ams_http_error_new_local (const gchar *by, const gchar *to, AmsHttpReach reach)
{
  return ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "“%s” redirects to “%s”, which is %s, so it is not followed; correct it "
      "there, or set redirect-to-local=true",
      by, to,
      reach == AMS_HTTP_REACH_MACHINE
          ? "this machine itself (a loopback address)"
          : "reached from this machine only (a link-local address, or a "
            "service of its cloud)");
}

void
ams_http_error_set_wants_expect (GError *error)
{
  ams_store_error_set_hint (error,
      ams_store_error_get_hint (error) | HINT_ASK_FIRST);
}

gboolean
ams_http_error_wants_expect (const GError *error)
{
  return (ams_store_error_get_hint (error) & HINT_ASK_FIRST) != 0;
}

void
ams_http_error_set_sent_whole (GError *error)
{
  ams_store_error_set_hint (error,
      ams_store_error_get_hint (error) | HINT_SENT_WHOLE);
}

gboolean
ams_http_error_was_sent_whole (const GError *error)
{
  return (ams_store_error_get_hint (error) & HINT_SENT_WHOLE) != 0;
}
