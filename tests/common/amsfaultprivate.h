/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Within the fault server: amsfaultserver.c and amsfaultlog.c are what tests call,
 * amsfaulthttp.c serves a connection, amsfaultanswer.c makes answers,
 * amsfaultauth.c asks for credentials. */

#pragma once

#include "amsfaultobjects.h"
#include "amsfaultserver.h"

G_BEGIN_DECLS

typedef struct
{
  AmsFaultRule rule; /* its strings are owned */
  guint seen, used; /* under the server's lock; the rest never changes */
} AmsFaultScript;

typedef struct
{
  AmsFaultServer *server;
  guint number;
  GThread *thread;
  GCancellable *cancellable; /* of all its I/O */
  gboolean dropped; /* under the server's lock */

  /* The connection's thread's */
  GSocket *socket;
  GIOStream *stream;
  GByteArray *buffer; /* read, and not yet used */
  const AmsFaultRule
      *at_next; /* (nullable) to be done when the next request has come */
} AmsFaultConnection;

struct _AmsFaultServer
{
  /* Set once */
  AmsFaultOptions options; /* its strings are not */
  guint16 port;
  GSocketAddress *address;
  GTlsCertificate *certificate;
  GTlsDatabase *client_cas;
  AmsFaultListener listener;
  gpointer listener_data;

  /* pause() and resume(), one at a time: under control, which is taken before lock */
  GMutex control;
  GSocket *socket; /* bound always, listening unless paused */
  GThread *acceptor; /* NULL: paused */
  GCancellable *accepting;

  GMutex lock; /* guards the rest */
  GCond changed;
  GPtrArray *scripts; /* AmsFaultScript */
  GPtrArray *old_scripts; /* cleared; requests may still look at them */
  GPtrArray *requests; /* AmsFaultRequest */
  GPtrArray *connections; /* AmsFaultConnection, the ended too */
  AmsFaultObjects *objects;
  GHashTable *stores; /* name → times it was stored */
  guint tls_failures;
  guint etags; /* opaque ones */
  gboolean deaf;
  gboolean closing;
  AmsFaultAuth auth;
  gchar *user, *secret, *nonce;
};

/* A request that is being served. */
typedef struct
{
  AmsFaultConnection *connection;
  AmsFaultRequest *
      request; /* owned by the server; its strings never change, the rest under the lock */
  const AmsFaultRule *rule; /* never NULL */
  gchar *name; /* of the object: path without query, decoded */
  GByteArray *body; /* what was read of it */
  gboolean whole; /* and that is all */
  gboolean expects; /* 100-continue */
  gboolean keep; /* the connection */
} AmsFaultExchange;

typedef struct
{
  guint status;
  GString *headers; /* "Name: value\r\n"… */
  GBytes *body; /* (nullable) */
  gsize length; /* of the body that HEAD does not get; else 0 */
} AmsFaultAnswer;

/* amsfaultlog.c */
gboolean ams_fault_match (const AmsFaultRequest *request, const gchar *method,
    const gchar *path);
AmsFaultRequest *ams_fault_request_copy (const AmsFaultRequest *request);

/* amsfaultserver.c. Takes @request over; the rule for it, if one is wanted and fits. */
const AmsFaultRule *ams_fault_server_add_request (AmsFaultServer *server,
    AmsFaultRequest *request, gboolean wanted);

/* amsfaulthttp.c: serves a connection to its end. */
gpointer ams_fault_connection_run (gpointer connection);
void ams_fault_connection_free (gpointer connection);

/* amsfaultanswer.c. Stores, deletes, looks up, or does as the rule says. */
void ams_fault_answer (AmsFaultExchange *exchange, AmsFaultAnswer *answer);
const gchar *ams_fault_reason (guint status);

/* amsfaultauth.c. The challenge, a header's value, when the request has no right; else NULL. */
gchar *ams_fault_challenge_locked (AmsFaultServer *server,
    const AmsFaultRequest *request);
gchar *ams_fault_new_nonce (void);

G_END_DECLS
