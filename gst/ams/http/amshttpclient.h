/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HTTP exchanges that can be trusted with recordings: libsoup with its traps
 * closed (a request's body is sent whole or the exchange fails; redirects are followed
 * here, and never as GET), timers, limits, TLS, proxies, authentication. It knows no
 * store: what a status means is its callers' matter.
 *
 * ams_http_client_new() may be called by any thread; all else by one thread, whose
 * GMainContext is the default one and is running. */

#pragma once

#include "http/amshttpmessage.h"
#include "http/amshttpoptions.h"

G_BEGIN_DECLS

#define AMS_TYPE_HTTP_CLIENT (ams_http_client_get_type ())
G_DECLARE_FINAL_TYPE (AmsHttpClient, ams_http_client, AMS, HTTP_CLIENT, GObject)

/* Checks everything that can be checked without a network: files of certificates
 * are there and parse, header names and values, the proxy's URL, that there is a TLS backend if @scheme is https;
 * contradictions (a bearer token and a user, a certificate without a key …). AMS_STORE_ERROR,
 * PERMANENT: a sentence that names the property. */
AmsHttpClient *ams_http_client_new (const AmsHttpOptions *options,
    const gchar *scheme, GError **error);

/* One exchange, with its redirects and authentication round. @request and what it
 * points to live until the callback. finish: any status is an answer. Errors are
 * AMS_STORE_ERROR (TRANSIENT: connection, reset, timeout, TLS I/O, garbage; PERMANENT: a bad
 * certificate, a redirect that is not followed; LOST: the body cannot be read) or
 * G_IO_ERROR_CANCELLED; amshttperror.h tells more of them. No message has a query, a user or a
 * password of a URL in it. */
void ams_http_client_send_async (AmsHttpClient *client,
    const AmsHttpRequest *request, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
AmsHttpReply *ams_http_client_send_finish (AmsHttpClient *client,
    GAsyncResult *result, GError **error);
G_END_DECLS
