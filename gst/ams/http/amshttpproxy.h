/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which proxy a request goes through, and what that proxy wants to know. A resolver for
 * libsoup that gives the URL of an HTTP proxy without user and password, with which
 * libsoup 3.2 would not make a tunnel; it keeps them for whoever asks by the proxy's
 * address. Proxies of other kinds keep theirs in the URL, as GIO speaks to those.
 *
 * ams_http_proxy_new() may be called by any thread; all else by the client's. */

#pragma once

#include "http/amshttpoptions.h"

G_BEGIN_DECLS

#define AMS_TYPE_HTTP_PROXY (ams_http_proxy_get_type ())
/* Is a GProxyResolver. */
G_DECLARE_FINAL_TYPE (AmsHttpProxy, ams_http_proxy, AMS, HTTP_PROXY, GObject)

/* The property `proxy` of @options; if it is unset, what @envp says; if that says
 * nothing, the system's. AMS_STORE_ERROR, PERMANENT: a sentence that names the property
 * or the variable, and shows neither user nor password. */
AmsHttpProxy *ams_http_proxy_new (const AmsHttpOptions *options, GStrv envp,
    GError **error);

/* @address: (nullable) the peer of a connection. FALSE: it is no HTTP proxy, or nothing
 * is known to tell it.
 * @user, @password: (out) (transfer none). */
gboolean ams_http_proxy_get_credentials (AmsHttpProxy *proxy,
    GSocketAddress *address, const gchar **user, const gchar **password);
/* “host:port” of a proxy, for people. NULL: @address (nullable) is that of no proxy.
 * (transfer full) */
gchar *ams_http_proxy_dup_authority (GSocketAddress *address);
/* “host:port” of the proxy through which @uri is reached, for people. NULL: it is
 * reached directly, or the system alone knows. (transfer full) */
gchar *ams_http_proxy_dup_authority_for (AmsHttpProxy *proxy, GUri *uri);

G_END_DECLS
