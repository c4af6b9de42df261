/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A request and its reply, as the HTTP client's callers see them. */

#pragma once

#include <libsoup/soup.h>

#include "transfer/amsbody.h"

G_BEGIN_DECLS

/* At most so much of a body that is no file is read (http-put.md H24). */
#define AMS_HTTP_MAX_ERROR_BODY (64 * 1024)

/* Called for each message before it goes out, also after a redirect and for a repeated
 * attempt within an exchange: signs it. */
typedef void (*AmsHttpPrepare) (SoupMessage *message, gpointer user_data);
/* A piece of a 2xx answer's body. FALSE: the rest is not wanted. */
typedef gboolean (
    *AmsHttpSink) (const guint8 *data, gsize size, gpointer user_data);

typedef struct
{
  const gchar *method;
  /* Goes out byte for byte: made with g_uri_build() and G_URI_FLAGS_ENCODED. */
  GUri *uri;
  const gchar *const *headers; /* (nullable) name, value, …, NULL */
  AmsBody *body; /* (nullable) finished */
  GBytes *bytes; /* (nullable) a small body instead */
  gboolean fresh_connection; /* the attempt before failed */
  /* The attempt before was cut off without an answer: ask first. */
  gboolean expect;
  /* Never chunked, whatever the options say: the answer was 411. */
  gboolean with_length;
  /* Another origin than the store's: without the options' user, password, token
   * and extra headers. */
  gboolean anonymous;
  /* 3xx is an answer as any other, and not followed. */
  gboolean redirect_is_answer;
  /* Bytes; more than this of a 2xx answer's body is an error; 0: it is not kept. */
  gsize max_reply;
  AmsHttpSink sink; /* (nullable) gets a 2xx answer's body instead */
  AmsHttpPrepare prepare; /* (nullable) */
  gpointer user_data; /* of both */
} AmsHttpRequest;

typedef struct
{
  guint status;
  SoupMessageHeaders *headers;
  /* Of an answer that is not 2xx at most AMS_HTTP_MAX_ERROR_BODY. */
  GBytes *body;
  GUri *uri; /* that answered, after redirects */
  gint64 received; /* µs since 1970 UTC, when the headers came */
} AmsHttpReply;

void ams_http_reply_free (AmsHttpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsHttpReply, ams_http_reply_free)

G_END_DECLS
