/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an attempt is given: its order, and what all attempts of a client share. */

#pragma once

#include "http/amshttplimiter.h"
#include "http/amshttpmessage.h"
#include "http/amshttpoptions.h"
#include "http/amshttpproxy.h"
#include "http/amshttpreach.h"
#include "http/amshttpturns.h"

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
  AmsHttpTurns turns; /* of AmsHttpAttempt */
  guint connecting; /* attempts that make a connection */
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
  /* (nullable) host:port of who leads here, and how it is reached itself */
  gchar *redirected_by;
  AmsHttpReach redirected_from;
  gsize max_reply;
  AmsHttpSink sink;
  gpointer user_data; /* of sink */
} AmsHttpOrder;

/* One of @reply and @error, both (transfer full), or neither: no 100 came, and
 * nothing was sent but the headers. */
typedef void (*AmsHttpAttemptDone) (AmsHttpReply *reply, GError *error,
    gpointer user_data);

G_END_DECLS
