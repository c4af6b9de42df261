/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One message through libsoup: its body is sent whole or it fails, its timers, and
 * as much of the answer as is wanted. It neither follows nor repeats anything, but
 * for what libsoup repeats by itself: a request on a connection that had died, and
 * the Digest round. */

#pragma once

#include "http/amshttplimiter.h"
#include "http/amshttpmessage.h"
#include "http/amshttpoptions.h"
#include "http/amshttpproxy.h"
#include "http/amshttpreach.h"

G_BEGIN_DECLS

typedef struct _AmsHttpAttempt AmsHttpAttempt;

/* What all attempts of a client have in common. */
typedef struct
{
  const AmsHttpOptions *options;
  SoupSession *session;
  AmsHttpProxy *proxy;
  GTlsCertificate *certificate; /* (nullable) the client's */
  AmsHttpLimiter limiter;
  GHashTable *sockets; /* amshttpsocket.h */

  /* libsoup lets an async message wait for as long as another one to the same
   * host connects, as that may come to be HTTP/2, and what waits so cannot be
   * cancelled. So attempts are handed over one by one, the next when it is known
   * where the one before goes, and with a connection of its own if that is new. */
  GQueue waiting; /* of AmsHttpAttempt */
  AmsHttpAttempt *deciding;
  guint connecting;
} AmsHttpShared;

typedef struct
{
  SoupMessage *message; /* with all headers but those of the body */
  gchar *authority; /* host:port */
  AmsBody *body; /* (nullable) */
  GBytes *bytes; /* (nullable) */
  gboolean chunked;
  gboolean asks; /* Expect: 100-continue */
  gboolean trusted; /* may have Digest credentials and the client certificate */
  gchar *redirected_by; /* (nullable) host:port of who leads here, and how it is
                           reached itself */
  AmsHttpReach redirected_from;
  gsize max_reply;
  AmsHttpSink sink;
  gpointer user_data; /* of sink */
} AmsHttpOrder;

/* One of @reply and @error, both (transfer full), or neither: no 100 came, and
 * nothing was sent but the headers. */
typedef void (*AmsHttpAttemptDone) (AmsHttpReply *reply, GError *error,
    gpointer user_data);

/* @shared outlives it. Copies @order; its gchar * are (transfer full). @done is called
 * once, and frees the attempt. */
AmsHttpAttempt *ams_http_attempt_new (AmsHttpShared *shared,
    const AmsHttpOrder *order, AmsHttpAttemptDone done, gpointer user_data);
void ams_http_attempt_start (AmsHttpAttempt *attempt);
/* @done comes soon, with G_IO_ERROR_CANCELLED; perhaps within this call. */
void ams_http_attempt_cancel (AmsHttpAttempt *attempt);
/* How the server was reached. */
AmsHttpReach ams_http_attempt_get_reach (AmsHttpAttempt *attempt);
void ams_http_attempt_free (AmsHttpAttempt *attempt);

/* @proxy: (transfer full) */
void ams_http_shared_init (AmsHttpShared *shared, const AmsHttpOptions *options,
    AmsHttpProxy *proxy);
void ams_http_shared_clear (AmsHttpShared *shared);

G_END_DECLS
