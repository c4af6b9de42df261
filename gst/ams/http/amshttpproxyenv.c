/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpproxyenv.h"

#include <string.h>

/* By precedence. */
static const gchar *const for_http[] = { "http_proxy", "all_proxy", "ALL_PROXY",
  NULL };
static const gchar *const for_https[] = { "https_proxy", "HTTPS_PROXY",
  "all_proxy", "ALL_PROXY", NULL };
static const gchar *const for_none[] = { "no_proxy", "NO_PROXY", NULL };

/* The first that is not empty. */
static const gchar *
first_of (GStrv envp, const gchar *const *names, const gchar **variable)
{
  for (guint i = 0; names[i]; i++) {
    const gchar *value = g_environ_getenv (envp, names[i]);

    if (!value || value[0] == '\0')
      continue;
    if (variable)
      *variable = names[i];
    return value;
  }
  return NULL;
}

gboolean
ams_http_proxy_env_is_set (GStrv envp)
{
  return first_of (envp, for_http, NULL) || first_of (envp, for_https, NULL);
}

GStrv
ams_http_proxy_env_copy (GStrv envp)
{
  const gchar *const *const all[] = { for_http, for_https, for_none };
  GStrv copy = g_new0 (gchar *, 1);

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    for (guint j = 0; all[i][j]; j++) {
      const gchar *value = g_environ_getenv (envp, all[i][j]);

      if (value)
        copy = g_environ_setenv (copy, all[i][j], value, TRUE);
    }
  }
  return copy;
}

const gchar *
ams_http_proxy_env_find (GStrv envp, const gchar *scheme, const gchar *host,
    guint port, const gchar **variable)
{
  const gchar *exempt = first_of (envp, for_none, NULL);

  if (exempt && ams_http_no_proxy_matches (exempt, host, port))
    return NULL;
  return first_of (envp, strcmp (scheme, "https") == 0 ? for_https : for_http,
      variable);
}

/* no_proxy */

static gboolean
is_in_network (const gchar *network, const gchar *host)
{
  g_autoptr (GInetAddressMask) mask =
      g_inet_address_mask_new_from_string (network, NULL);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return mask && address && g_inet_address_mask_matches (mask, address);
}

/* @entry: without port and brackets */
static gboolean
is_name_or_below (const gchar *entry, const gchar *host)
{
  gsize length, host_length = strlen (host);

  if (entry[0] == '.')
    entry++;
  length = strlen (entry);
  if (length > 0 && entry[length - 1] == '.')
    length--;
  if (host_length > 0 && host[host_length - 1] == '.')
    host_length--;
  if (length == 0 || length > host_length ||
      g_ascii_strncasecmp (host + host_length - length, entry, length) != 0)
    return FALSE;
  /* An address has no names below it. */
  return length == host_length ||
      (host[host_length - length - 1] == '.' &&
          !g_hostname_is_ip_address (host));
}

/* Takes a port off @entry, and brackets. Returns: the port; 0: it has none. */
static guint
split_port (gchar *entry)
{
  gchar *colon = strrchr (entry, ':'), *end = strchr (entry, ']');
  guint64 port = 0;

  if (colon && (strchr (entry, ':') == colon || (end && colon == end + 1)) &&
      g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL))
    *colon = '\0';
  if (entry[0] == '[' && end) {
    *end = '\0';
    memmove (entry, entry + 1, strlen (entry));
  }
  return port;
}

static gboolean
is_same_address (const gchar *entry, const gchar *host)
{
  g_autoptr (GInetAddress) a = g_inet_address_new_from_string (entry);
  g_autoptr (GInetAddress) b = g_inet_address_new_from_string (host);

  return a && b && g_inet_address_equal (a, b);
}

static gboolean
entry_matches (gchar *entry, const gchar *host, guint port)
{
  guint only;

  if (strcmp (entry, "*") == 0 || is_in_network (entry, host))
    return TRUE;
  only = split_port (entry);
  if (only != 0 && only != port)
    return FALSE;
  return is_same_address (entry, host) || is_name_or_below (entry, host);
}

gboolean
ams_http_no_proxy_matches (const gchar *list, const gchar *host, guint port)
{
  g_auto (GStrv) entries = g_strsplit_set (list, ", \t", -1);

  for (guint i = 0; entries[i]; i++) {
    if (entries[i][0] != '\0' && entry_matches (entries[i], host, port))
      return TRUE;
  }
  return FALSE;
}
