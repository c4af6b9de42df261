/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What AmsHttpOptions say, checked without a network. */

#pragma once

#include "http/amshttpclient.h"

G_BEGIN_DECLS

/* As ams_http_client_new() says, but for the proxy. */
gboolean ams_http_options_check (const AmsHttpOptions *options,
    const gchar *scheme, GError **error);
/* Of what `ssl-cert-file` and `ssl-key-file` name; NULL with no error: none. */
GTlsCertificate *ams_http_options_load_certificate (
    const AmsHttpOptions *options, GError **error);
/* "Basic …"; secret. (transfer full) */
gchar *ams_http_basic_credentials (const gchar *user, const gchar *password);
/* Overwrites and frees. */
void ams_http_free_secret (gchar *secret);

G_END_DECLS
