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

#include <libsoup/soup.h>

#include "transfer/amsbody.h"

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
  guint
      stall_timeout; /* s in which less than AMS_HTTP_STALL_BYTES move; 0: none */
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

#define AMS_HTTP_STALL_BYTES 8192
/* Bytes per second on the whole: less than this from beginning to end, after twice the timeout, is
 * an error (unless one of the timeouts is none). Half of what the slowest link has on which files
 * shall go through. */
#define AMS_HTTP_SLOWEST 512
/* At most so much of a body that is no file is read (http-put.md H24). */
#define AMS_HTTP_MAX_ERROR_BODY (64 * 1024)

void ams_http_options_init (AmsHttpOptions *options); /* the defaults */
void ams_http_options_copy (AmsHttpOptions *to, const AmsHttpOptions *from);
/* Secrets are overwritten before they are freed. */
void ams_http_options_clear (AmsHttpOptions *options);

#define AMS_TYPE_HTTP_CLIENT (ams_http_client_get_type ())
G_DECLARE_FINAL_TYPE (AmsHttpClient, ams_http_client, AMS, HTTP_CLIENT, GObject)

/* Checks everything that can be checked without a network: files of certificates
 * are there and parse, header names and values, the proxy's URL, that there is a TLS backend if @scheme is https;
 * contradictions (a bearer token and a user, a certificate without a key …). AMS_STORE_ERROR,
 * PERMANENT: a sentence that names the property. */
AmsHttpClient *ams_http_client_new (const AmsHttpOptions *options,
    const gchar *scheme, GError **error);

/* Called for each message before it goes out, also after a redirect and for a repeated
 * attempt within an exchange: signs it. */
typedef void (*AmsHttpPrepare) (SoupMessage *message, gpointer user_data);
/* A piece of a 2xx answer's body. FALSE: the rest is not wanted. */
typedef gboolean (
    *AmsHttpSink) (const guint8 *data, gsize size, gpointer user_data);

typedef struct
{
  const gchar *method;
  GUri *
      uri; /* goes out byte for byte: made with g_uri_build() and G_URI_FLAGS_ENCODED */
  const gchar *const *headers; /* (nullable) name, value, …, NULL */
  AmsBody *body; /* (nullable) finished */
  GBytes *bytes; /* (nullable) a small body instead */
  gboolean fresh_connection; /* the attempt before failed */
  gboolean
      expect; /* the attempt before was cut off without an answer: ask first */
  gboolean
      with_length; /* never chunked, whatever the options say: the answer was 411 */
  gboolean
      anonymous; /* another origin than the store's: without the options' user, password, token and extra headers */
  gboolean
      redirect_is_answer; /* 3xx is an answer as any other, and not followed */
  gsize
      max_reply; /* of a 2xx answer's body more than this is an error; 0: it is not kept */
  AmsHttpSink sink; /* (nullable) gets a 2xx answer's body instead */
  AmsHttpPrepare prepare; /* (nullable) */
  gpointer user_data; /* of both */
} AmsHttpRequest;

typedef struct
{
  guint status;
  SoupMessageHeaders *headers;
  GBytes
      *body; /* of an answer that is not 2xx at most AMS_HTTP_MAX_ERROR_BODY */
  GUri *uri; /* that answered, after redirects */
  gint64 received; /* µs since 1970 UTC, when the headers came */
} AmsHttpReply;

void ams_http_reply_free (AmsHttpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsHttpReply, ams_http_reply_free)

/* One exchange, with its redirects and authentication round. @request and what it
 * points to live until the callback. finish: any status is an answer. Errors are
 * AMS_STORE_ERROR (TRANSIENT: connection, reset, timeout, TLS I/O, garbage; PERMANENT: a bad
 * certificate, a redirect that is not followed; LOST: the body cannot be read) or
 * G_IO_ERROR_CANCELLED. No message has a query, a user or a password of a URL in it. */
void ams_http_client_send_async (AmsHttpClient *client,
    const AmsHttpRequest *request, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
AmsHttpReply *ams_http_client_send_finish (AmsHttpClient *client,
    GAsyncResult *result, GError **error);
/* After an error: the connection was cut off while the body was sent, and no answer came, so the next attempt should ask
 * first (AmsHttpRequest.expect). */
gboolean ams_http_error_wants_expect (const GError *error);
/* After an error: the server may have the whole request, and do what it asks, now or later. */
gboolean ams_http_error_was_sent_whole (const GError *error);

G_END_DECLS
