/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An AmsHttpClient and a server for it; exchanges run on the default context. */

#pragma once

#include "amsfaultserver.h"

#include "http/amshttpclient.h"
#include "http/amshttperror.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct
{
  AmsFaultServer *server;
  AmsHttpOptions options; /* change them before the first exchange */
  AmsHttpClient *client;
  gboolean tls;
} AmsHttpFixture;

/* An exchange, and how it ended. */
typedef struct
{
  AmsHttpRequest request;
  GUri *uri;
  GBytes *bytes;
  GCancellable *cancellable;
  gboolean done;
  AmsHttpReply *reply;
  GError *error;
} AmsHttpCall;

/* @server may be NULL. No proxy; trusts the test CA. */
void ams_http_fixture_begin (AmsHttpFixture *f, const AmsFaultOptions *server);
void ams_http_fixture_end (AmsHttpFixture *f);
/* So many bytes, no two pieces alike. */
GBytes *ams_http_fixture_make_bytes (gsize size);

/* @size: of the body; 0: none. Change request before begin(). */
void ams_http_call_init (AmsHttpCall *call, AmsHttpFixture *f,
    const gchar *method, const gchar *path, gsize size);
void ams_http_call_begin (AmsHttpCall *call, AmsHttpFixture *f);
void ams_http_call_wait (AmsHttpCall *call);
void ams_http_call_clear (AmsHttpCall *call);
/* All of it; 0: failed with @failure, -1: not. */
guint ams_http_fixture_put (AmsHttpFixture *f, const gchar *path, gsize size);
guint ams_http_fixture_run (AmsHttpCall *call, AmsHttpFixture *f);
/* The object is what was put, whole. */
void ams_http_call_assert_stored (AmsHttpCall *call, AmsHttpFixture *f,
    const gchar *name);
void ams_http_call_assert_status (AmsHttpCall *call, guint status);
/* The error is of this class, and its sentence has @part in it, but no secret. */
void ams_http_call_assert_failed (AmsHttpCall *call, AmsFailure failure,
    const gchar *part);

G_END_DECLS
