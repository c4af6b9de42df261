/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An HTTP/1.1 server for tests: it keeps what is put into it in memory, fails as
 * rules say, and remembers every request. It has threads of its own; all
 * functions may be called from any thread. Whatever waits ends the test when what
 * it waits for does not come.
 *
 *   AmsFaultServer *server = ams_fault_server_new (NULL);
 *   ams_fault_server_add_rule (server, &(AmsFaultRule){ .method = "PUT",
 *       .path = ".ts", .count = 2, .status = 503, .headers = "Retry-After: 1" });
 *   …
 *   ams_fault_server_wait_stored (server, "/cam/1.ts", 1);
 *   problems = ams_fault_server_dup_problems (server);
 *   g_assert_cmpstr (problems, ==, NULL);
 *   ams_fault_server_free (server);
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _AmsFaultServer AmsFaultServer;

/* The server */

typedef enum
{
  AMS_FAULT_TLS_NONE,
  AMS_FAULT_TLS_GOOD, /* for 127.0.0.1 and localhost, by the test CA */
  AMS_FAULT_TLS_EXPIRED,
  AMS_FAULT_TLS_OTHER_HOST,
} AmsFaultTls;

typedef enum
{
  AMS_FAULT_AUTH_NONE,
  AMS_FAULT_AUTH_BASIC,
  AMS_FAULT_AUTH_DIGEST, /* RFC 7616, MD5, qop=auth */
  AMS_FAULT_AUTH_BEARER,
} AmsFaultAuth;

typedef enum
{
  AMS_FAULT_CONDITIONS_HONOURED, /* If-None-Match: *, and it is there; If-Match, and another ETag or nothing is there: 412 */
  AMS_FAULT_CONDITIONS_IGNORED,
  AMS_FAULT_CONDITIONS_REFUSED, /* 501 to any PUT with If-None-Match or If-Match */
  AMS_FAULT_CONDITIONS_NO_IF_MATCH, /* as HONOURED, but for If-Match, which is ignored */
} AmsFaultConditions;

typedef enum
{
  AMS_FAULT_ETAG_MD5,
  AMS_FAULT_ETAG_OPAQUE, /* W/"number" */
  AMS_FAULT_ETAG_NONE,
} AmsFaultEtag;

/* All zero is an open server without TLS on 127.0.0.1. */
typedef struct
{
  const gchar *address; /* NULL: 127.0.0.1 */
  guint16 port; /* 0: any */
  AmsFaultTls tls;
  const gchar *certificates; /* folder; NULL: ams_fault_certificates() */
  gboolean tls_client_certificate; /* must have one, by the test CA */
  gboolean tls_no_close_notify; /* connections end with a bare FIN */
  AmsFaultConditions conditions;
  AmsFaultEtag etag;
  guint
      missing_folder; /* status for a PUT without its folder (409: Apache, 500: nginx); 0: folders come by themselves */
  gint receive_buffer; /* SO_RCVBUF; 0: the system's. For slow readers. */
} AmsFaultOptions;

/* @options may be NULL. */
AmsFaultServer *ams_fault_server_new (const AmsFaultOptions *options);
/* Drops all connections and joins all threads, whatever hangs. */
void ams_fault_server_free (AmsFaultServer *server);

guint16 ams_fault_server_get_port (AmsFaultServer *server);
/* "http://127.0.0.1:PORT" and @path. (transfer full) */
gchar *ams_fault_server_dup_url (AmsFaultServer *server, const gchar *path);
/* From now on; @user is NULL for BEARER. Calling it again makes a new Digest nonce, to which an old one is stale. */
void ams_fault_server_set_auth (AmsFaultServer *server, AmsFaultAuth auth,
    const gchar *user, const gchar *secret);
/* New connections are accepted and never read, until FALSE. */
void ams_fault_server_set_deaf (AmsFaultServer *server, gboolean deaf);
/* New connections are refused; the port stays this server's. Those that are open live on. */
void ams_fault_server_pause (AmsFaultServer *server);
void ams_fault_server_resume (AmsFaultServer *server);
/* Resets all connections. pause() and drop() are a server that was killed; what it stored stays. */
void ams_fault_server_drop (AmsFaultServer *server);

/* The folder with ca.pem, good.pem, expired.pem, other-host.pem, client.pem (each with its key, ca.pem without) and
 * client-cert.pem, client-key.pem; NULL when the build found no openssl: skip the test. */
const gchar *ams_fault_certificates (void);
/* TLS 1.2 at most, in this process, clients too. Before anything else uses TLS. */
void ams_fault_use_tls12 (void);

/* The rules */

typedef enum
{
  AMS_FAULT_AT_STORED, /* all done, just before the answer */
  AMS_FAULT_AT_HEADERS, /* before the body and before an answer to Expect */
  AMS_FAULT_AT_BODY, /* after .bytes bytes of the body */
  AMS_FAULT_AT_READ, /* after the body, before anything is stored */
  AMS_FAULT_AT_ANSWER, /* after .bytes bytes of the answer, its headers counted */
  AMS_FAULT_AT_SENT, /* after the answer, which does not say so */
  AMS_FAULT_AT_NEXT, /* when the headers of the connection's next request have come */
} AmsFaultAt;

typedef enum
{
  AMS_FAULT_GO_ON,
  AMS_FAULT_RESET, /* RST */
  AMS_FAULT_FIN, /* what comes then is read and dropped */
} AmsFaultEnd;

typedef enum
{
  AMS_FAULT_STORE_ALL, /* unless .status is no 2xx, or there is .raw */
  AMS_FAULT_STORE_NOTHING, /* but says it did */
  AMS_FAULT_STORE_PART, /* the first .store_bytes, but says it did */
  AMS_FAULT_STORE_ANYWAY, /* all, whatever .status says */
} AmsFaultStore;

typedef enum
{
  AMS_FAULT_EXPECT_ANSWERED, /* 100 when asked for, unless .unread */
  AMS_FAULT_EXPECT_IGNORED, /* no 100, ever; the body is waited for */
  AMS_FAULT_EXPECT_UNASKED, /* 100 to everything that has a body */
} AmsFaultExpect;

/* The first rule that fits a request applies; the others do not count it. What is zero does nothing. At .at there
 * is first .delay, then .hold, then .end. */
typedef struct
{
  /* Which requests */
  const gchar *method; /* NULL: any */
  const gchar *
      path; /* part of path and query, or with * or ? a glob for the whole; NULL: any */
  const gchar *
      header; /* "Name" or "Name: value" that the request must have; NULL: any */
  guint skip; /* not the first so many */
  guint every; /* of the others only each so-manieth */
  guint count; /* times it applies; 0: for ever */

  /* What is done and when */
  AmsFaultAt at;
  guint64 bytes; /* for AT_BODY, AT_ANSWER; with .unread, read these first */
  guint delay; /* ms */
  gboolean hold; /* until ams_fault_server_release() */
  AmsFaultEnd end;

  /* Reading */
  gboolean
      unread; /* answered without the body; what comes of it then is dropped. After Expect, none is awaited. */
  guint slow_bytes, slow_ms; /* so many bytes of the body each so many ms */
  AmsFaultExpect expect;
  AmsFaultStore store;
  guint64 store_bytes;

  /* The answer */
  guint status; /* 0: the true one */
  const gchar *headers; /* "Name: value", more of them separated by \n */
  const gchar *body;
  gsize body_size; /* in place of .body, so many bytes */
  const gchar *location; /* header; %s is the request's path */
  const gchar *raw; /* in place of an answer, then FIN */
  gboolean close; /* Connection: close, and FIN */
  gboolean http10; /* HTTP/1.0, no length, FIN */
} AmsFaultRule;

/* Copies all of it. */
void ams_fault_server_add_rule (AmsFaultServer *server,
    const AmsFaultRule *rule);
/* Requests under way keep theirs. */
void ams_fault_server_clear_rules (AmsFaultServer *server);
/* Waits until a request that fits is held, and lets all that fit go on. @path as in rules. */
void ams_fault_server_release (AmsFaultServer *server, const gchar *path);

/* What came. Methods and paths as in rules; @n counts from 1. */

typedef struct
{
  guint number; /* from 1, in order of their headers' arrival */
  guint connection; /* from 1 */
  gchar *method;
  gchar *path; /* with the query, as sent */
  gchar *headers; /* "Name: value\n"… as sent */
  guint64 body; /* bytes of it that were read */
  GBytes *
      content; /* (nullable) the body, if it was read whole and has at most 64 KiB */
  guint status; /* of the answer; 0: none. Known before the answer goes out. */
  gboolean stored; /* known before the answer goes out */
  gboolean continued; /* 100 was sent */
  gboolean held; /* waits for ams_fault_server_release() */
  gboolean done; /* answered or cut off */
} AmsFaultRequest;

void ams_fault_request_free (AmsFaultRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsFaultRequest, ams_fault_request_free)
/* (transfer full) (nullable) */
gchar *ams_fault_request_dup_header (const AmsFaultRequest *request,
    const gchar *name);

guint ams_fault_server_count (AmsFaultServer *server, const gchar *method,
    const gchar *path);
/* The @n-th that fits, as it is now. (transfer full) (nullable) */
AmsFaultRequest *ams_fault_server_dup_request (AmsFaultServer *server,
    const gchar *method, const gchar *path, guint n);
/* Waits until the headers of the @n-th have come. */
void ams_fault_server_wait_begun (AmsFaultServer *server, const gchar *method,
    const gchar *path, guint n);
/* Waits until @n requests that fit are held. */
void ams_fault_server_wait_held (AmsFaultServer *server, const gchar *method,
    const gchar *path, guint n);
/* Waits until @n of the requests that fit are answered or cut off; returns the @n-th that came. (transfer full) */
AmsFaultRequest *ams_fault_server_wait (AmsFaultServer *server,
    const gchar *method, const gchar *path, guint n);
/* Waits until what fits @path was stored @n times. */
void ams_fault_server_wait_stored (AmsFaultServer *server, const gchar *path,
    guint n);
/* Waits until at least @bytes of the body of the @n-th have come. */
void ams_fault_server_wait_body (AmsFaultServer *server, const gchar *path,
    guint n, guint64 bytes);
guint ams_fault_server_count_connections (AmsFaultServer *server);
/* Waits until so many connections have been accepted in all. */
void ams_fault_server_wait_connections (AmsFaultServer *server, guint n);
/* TLS handshakes that came to nothing. */
guint ams_fault_server_count_tls_failures (AmsFaultServer *server);
void ams_fault_server_wait_tls_failures (AmsFaultServer *server, guint n);
/* One line for each request, for a person. (transfer full) */
gchar *ams_fault_server_dup_log (AmsFaultServer *server);

/* Called with a copy of each request as it ends, from its connection's thread, no lock held. Set it before
 * the first request. */
typedef void (
    *AmsFaultListener) (const AmsFaultRequest *request, gpointer user_data);
void ams_fault_server_set_listener (AmsFaultServer *server,
    AmsFaultListener listener, gpointer user_data);

/* What is stored. Names are paths without the query, percent-decoded: "/cam/1.ts". */

/* (transfer full) (nullable) */
GBytes *ams_fault_server_dup_object (AmsFaultServer *server, const gchar *name);
/* As text. (transfer full) (nullable) */
gchar *ams_fault_server_dup_text (AmsFaultServer *server, const gchar *name);
/* A header it was put with. (transfer full) (nullable) */
gchar *ams_fault_server_dup_object_header (AmsFaultServer *server,
    const gchar *name, const gchar *header);
/* Sorted. (transfer full) */
GStrv ams_fault_server_dup_names (AmsFaultServer *server);
/* As if it had been there before: its folders are made, nothing is checked. */
void ams_fault_server_put_object (AmsFaultServer *server, const gchar *name,
    const gchar *content_type, gconstpointer data, gsize size);
void ams_fault_server_remove_object (AmsFaultServer *server, const gchar *name);
void ams_fault_server_clear_objects (AmsFaultServer *server);

/* What no client may do to readers, a line each: a playlist that lists what is not there or only in part; an object
 * stored without a byte; an object other than a playlist replaced by other bytes; the deletion of what a playlist
 * that is there lists. What this server cut or lost itself may be replaced. NULL: none.
 * (transfer full) (nullable) */
gchar *ams_fault_server_dup_problems (AmsFaultServer *server);
void ams_fault_server_clear_problems (AmsFaultServer *server);

G_END_DECLS
