/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the HTTP client connects, sends and logs in, and the checks of that which need no
 * network. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_EXPECT_AUTO, /* for large bodies, and after a reset without an answer */
  AMS_HTTP_EXPECT_ALWAYS,
  AMS_HTTP_EXPECT_NEVER,
} AmsHttpExpect;

typedef enum
{
  AMS_HTTP_AUTH_BASIC, /* sent with the first request */
  AMS_HTTP_AUTH_DIGEST,
} AmsHttpAuth;

typedef enum
{
  AMS_HTTP_REDIRECT_NEVER,
  AMS_HTTP_REDIRECT_SAFE, /* 307 and 308 */
  AMS_HTTP_REDIRECT_PUT, /* 301 and 302 as well: the PUT is repeated */
} AmsHttpRedirect;

typedef struct
{
  guint connect_timeout; /* s; 0: the system's */
  guint timeout; /* s in which no byte moves either way; 0: none */
  /* s in which less than AMS_HTTP_STALL_BYTES (amshttpwatch.h) move; 0: none */
  guint stall_timeout;
  guint max_connections; /* at a time */
  guint64 max_bitrate; /* bit/s of all bodies together; 0: no limit */
  gchar *user_agent; /* NULL: none */
  gchar *user_id, *user_pw; /* (nullable) */
  gchar *bearer_token; /* (nullable) */
  AmsHttpAuth auth;
  GStrv extra_headers; /* (nullable) name, value, name, value … */
  gchar *proxy; /* (nullable) NULL: the system's; "": none */
  gchar *proxy_id, *proxy_pw; /* (nullable) */
  gboolean ssl_strict;
  gchar *ssl_ca_file; /* (nullable) */
  gchar *ssl_cert_file, *ssl_key_file; /* (nullable) */
  AmsHttpExpect expect;
  gboolean chunked;
  AmsHttpRedirect redirect;
  gboolean redirect_to_local; /* also from elsewhere: amshttpreach.h */
} AmsHttpOptions;

void ams_http_options_init (AmsHttpOptions *options); /* the defaults */
void ams_http_options_copy (AmsHttpOptions *to, const AmsHttpOptions *from);
/* Secrets are overwritten before they are freed. */
void ams_http_options_clear (AmsHttpOptions *options);

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
