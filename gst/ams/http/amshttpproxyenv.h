/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The proxy that the environment names, read as curl reads it. Pure. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether @envp names a proxy for any request: http_proxy, https_proxy, HTTPS_PROXY,
 * all_proxy or ALL_PROXY is there and not empty. HTTP_PROXY is not read, as a web
 * server sets it from a header of whoever asks. */
gboolean ams_http_proxy_env_is_set (GStrv envp);

/* Its variables that are about proxies. (transfer full) */
GStrv ams_http_proxy_env_copy (GStrv envp);

/* @scheme: http or https. @host: without brackets.
 * @variable: (out) (optional): the name of the variable that the answer is from.
 * Returns: (transfer none) (nullable): the variable's value as it stands there; NULL:
 * the host is reached directly. */
const gchar *ams_http_proxy_env_find (GStrv envp, const gchar *scheme,
    const gchar *host, guint port, const gchar **variable);

/* Whether @list, the value of no_proxy, has this host: "*"; a name, which also stands
 * for the names below it; an address; a network as 10.0.0.0/8; each of these but the
 * network perhaps with a port. Separated by commas or spaces. */
gboolean ams_http_no_proxy_matches (const gchar *list, const gchar *host,
    guint port);

G_END_DECLS
