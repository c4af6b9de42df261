/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpreach.h"

#include <string.h>

/* An IPv4 address in an IPv6 one (RFC 4291 2.5.5.2). */
static const guint8 mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* Metadata services that are not at a link-local address: EC2's and EKS's over IPv6,
 * Alibaba's. */
static const gchar *const metadata[] = { "fd00:ec2::254", "fd00:ec2::23",
  "100.100.100.200" };

static gboolean
is_metadata (GInetAddress *address)
{
  g_autofree gchar *text = g_inet_address_to_string (address);

  for (guint i = 0; i < G_N_ELEMENTS (metadata); i++) {
    if (strcmp (text, metadata[i]) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Of 0.0.0.0/8, Linux takes the first for itself. */
static gboolean
is_this_machine (GInetAddress *address)
{
  return g_inet_address_get_is_loopback (address) ||
      g_inet_address_get_is_any (address);
}

AmsHttpReach
ams_http_reach_of_address (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
      memcmp (bytes, mapped, sizeof mapped) == 0) {
    g_autoptr (GInetAddress) inner = g_inet_address_new_from_bytes (
        bytes + sizeof mapped, G_SOCKET_FAMILY_IPV4);

    return ams_http_reach_of_address (inner);
  }
  if (is_this_machine (address))
    return AMS_HTTP_REACH_MACHINE;
  if (g_inet_address_get_is_link_local (address) || is_metadata (address))
    return AMS_HTTP_REACH_LINK;
  return AMS_HTTP_REACH_ELSEWHERE;
}

/* RFC 6761 6.3 */
static gboolean
is_localhost (const gchar *host)
{
  g_autofree gchar *lower = g_ascii_strdown (host, -1);
  gsize length = strlen (lower);

  if (length > 0 && lower[length - 1] == '.')
    lower[length - 1] = '\0';
  return strcmp (lower, "localhost") == 0 ||
      g_str_has_suffix (lower, ".localhost");
}

AmsHttpReach
ams_http_reach_of_host (const gchar *host)
{
  g_autofree gchar *bare = g_strndup (host, strcspn (host, "%"));
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (bare);

  if (address)
    return ams_http_reach_of_address (address);
  return is_localhost (host) ? AMS_HTTP_REACH_MACHINE
                             : AMS_HTTP_REACH_ELSEWHERE;
}

AmsHttpReach
ams_http_reach_of_peer (GSocketAddress *peer, GUri *uri)
{
  if (G_IS_INET_SOCKET_ADDRESS (peer) && !G_IS_PROXY_ADDRESS (peer))
    return ams_http_reach_of_address (
        g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (peer)));
  return ams_http_reach_of_host (g_uri_get_host (uri));
}

gboolean
ams_http_reach_may_redirect (AmsHttpReach from, AmsHttpReach to)
{
  return to == AMS_HTTP_REACH_ELSEWHERE || to == from;
}
