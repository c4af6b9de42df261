/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultprivate.h"

#include <string.h>

#define REALM "faults"

gchar *
ams_fault_new_nonce (void)
{
  return g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
}

static gboolean
is_basic (AmsFaultServer *server, const gchar *authorization)
{
  g_autofree gchar *pair =
      g_strdup_printf ("%s:%s", server->user, server->secret);
  g_autofree gchar *encoded =
      g_base64_encode ((const guchar *) pair, strlen (pair));

  return g_ascii_strncasecmp (authorization, "Basic ", 6) == 0 &&
      strcmp (authorization + 6, encoded) == 0;
}

static gboolean
is_bearer (AmsFaultServer *server, const gchar *authorization)
{
  return g_ascii_strncasecmp (authorization, "Bearer ", 7) == 0 &&
      strcmp (authorization + 7, server->secret) == 0;
}

/* name="value" or name=value of a Digest header; "" when it is not there. */
static gchar *
parameter (const gchar *header, const gchar *name)
{
  g_autofree gchar *pattern =
      g_strdup_printf ("[ ,]%s=(?:\"([^\"]*)\"|([^\", ]*))", name);
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_CASELESS, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  gchar *value = NULL;

  if (g_regex_match (regex, header, 0, &match)) {
    value = g_match_info_fetch (match, 1);
    if (!value || value[0] == '\0') {
      g_free (value);
      value = g_match_info_fetch (match, 2);
    }
  }
  return value ? value : g_strdup ("");
}

static gchar *
md5_joined (const gchar *first, ...)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_MD5);
  const gchar *part;
  va_list args;

  g_checksum_update (checksum, (const guchar *) first, -1);
  va_start (args, first);
  while ((part = va_arg (args, const gchar *))) {
    g_checksum_update (checksum, (const guchar *) ":", 1);
    g_checksum_update (checksum, (const guchar *) part, -1);
  }
  va_end (args);
  return g_strdup (g_checksum_get_string (checksum));
}

static gboolean
is_digest (AmsFaultServer *server, const AmsFaultRequest *request,
    const gchar *header, gboolean *stale)
{
  g_autofree gchar *user = parameter (header, "username");
  g_autofree gchar *uri = parameter (header, "uri");
  g_autofree gchar *nonce = parameter (header, "nonce");
  g_autofree gchar *cnonce = parameter (header, "cnonce");
  g_autofree gchar *nc = parameter (header, "nc");
  g_autofree gchar *response = parameter (header, "response");
  g_autofree gchar *a1 = md5_joined (server->user, REALM, server->secret, NULL);
  g_autofree gchar *a2 = md5_joined (request->method, uri, NULL);
  g_autofree gchar *expected =
      md5_joined (a1, nonce, nc, cnonce, "auth", a2, NULL);

  if (g_ascii_strncasecmp (header, "Digest ", 7) != 0 ||
      strcmp (user, server->user) != 0 || strcmp (uri, request->path) != 0 ||
      strcmp (response, expected) != 0)
    return FALSE;
  *stale = strcmp (nonce, server->nonce) != 0;
  return !*stale;
}

gchar *
ams_fault_challenge_locked (AmsFaultServer *server,
    const AmsFaultRequest *request)
{
  g_autofree gchar *header =
      ams_fault_header (request->headers, "Authorization");
  gboolean stale = FALSE;

  switch (server->auth) {
    case AMS_FAULT_AUTH_BASIC:
      if (header && is_basic (server, header))
        return NULL;
      return g_strdup ("Basic realm=\"" REALM "\"");
    case AMS_FAULT_AUTH_BEARER:
      if (header && is_bearer (server, header))
        return NULL;
      return g_strdup ("Bearer realm=\"" REALM "\"");
    case AMS_FAULT_AUTH_DIGEST:
      if (header && is_digest (server, request, header, &stale))
        return NULL;
      return g_strdup_printf ("Digest realm=\"" REALM "\", nonce=\"%s\", "
                              "algorithm=MD5, qop=\"auth\"%s",
          server->nonce, stale ? ", stale=true" : "");
    default:
      return NULL;
  }
}
