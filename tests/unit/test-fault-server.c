/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfaultserver.h"

#include <gst/check/gstcheck.h>
#include <string.h>

typedef struct
{
  AmsFaultServer *server;
  GSocketClient *client;
  GIOStream *stream; /* the connection that requests go to */
  GTlsDatabase *trusted; /* (nullable) not NULL: TLS */
  GTlsCertificate *certificate; /* (nullable) own */
} Fixture;

static void
begin (Fixture *f, const AmsFaultOptions *options)
{
  *f = (Fixture){ 0 };
  f->server = ams_fault_server_new (options);
  f->client = g_socket_client_new ();
  g_socket_client_set_enable_proxy (f->client, FALSE);
}

static void
hang_up (Fixture *f)
{
  if (f->stream)
    g_io_stream_close (f->stream, NULL, NULL);
  g_clear_object (&f->stream);
}

static void
end (Fixture *f)
{
  hang_up (f);
  g_clear_object (&f->trusted);
  g_clear_object (&f->certificate);
  g_object_unref (f->client);
  ams_fault_server_free (f->server);
}

/* A client that knows HTTP only so far as these tests need. */

static gboolean
start_tls (Fixture *f)
{
  g_autoptr (GSocketConnectable) host = g_network_address_new ("127.0.0.1", 0);
  g_autoptr (GIOStream) plain = g_steal_pointer (&f->stream);

  f->stream = g_tls_client_connection_new (plain, host, NULL);
  g_assert_nonnull (f->stream);
  g_tls_connection_set_database (G_TLS_CONNECTION (f->stream), f->trusted);
  if (f->certificate)
    g_tls_connection_set_certificate (G_TLS_CONNECTION (f->stream),
        f->certificate);
  return g_tls_connection_handshake (G_TLS_CONNECTION (f->stream), NULL, NULL);
}

static gboolean
dial (Fixture *f)
{
  hang_up (f);
  f->stream = G_IO_STREAM (g_socket_client_connect_to_host (f->client,
      "127.0.0.1", ams_fault_server_get_port (f->server), NULL, NULL));
  return f->stream && (!f->trusted || start_tls (f));
}

/* What cannot be written is not, as with a server that has hung up. */
static void
say (Fixture *f, const gchar *text)
{
  if (!f->stream)
    g_assert_true (dial (f));
  g_output_stream_write_all (g_io_stream_get_output_stream (f->stream), text,
      strlen (text), NULL, NULL, NULL);
}

/* TRUE: there was one more byte; else @text got how it ended. */
static gboolean
hear_byte (Fixture *f, GString *text)
{
  g_autoptr (GError) error = NULL;
  gchar byte;
  gssize n = g_input_stream_read (g_io_stream_get_input_stream (f->stream),
      &byte, 1, NULL, &error);

  if (n == 1)
    g_string_append_c (text, byte);
  else if (n == 0)
    g_string_append (text, "[FIN]");
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    g_string_append (text, "[RST]");
  else if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_EOF))
    g_string_append (text, "[CUT]");
  else
    g_error ("%s", error->message);
  return n == 1;
}

/* All that comes until the connection ends. */
static gchar *
hear_all (Fixture *f)
{
  GString *text = g_string_new (NULL);

  while (hear_byte (f, text))
    continue;
  return g_string_free (text, FALSE);
}

/* One answer, by its Content-Length. */
static gchar *
hear (Fixture *f)
{
  GString *text = g_string_new (NULL);
  gboolean more = TRUE;
  const gchar *length;
  gsize size;

  while (more && !strstr (text->str, "\r\n\r\n"))
    more = hear_byte (f, text);
  length = strstr (text->str, "Content-Length: ");
  size = text->len + (length ? atoi (length + 16) : 0);
  while (more && text->len < size)
    more = hear_byte (f, text);
  return g_string_free (text, FALSE);
}

static gchar *
ask (Fixture *f, const gchar *text)
{
  say (f, text);
  return hear (f);
}

static void
assert_says (gchar *answer, const gchar *beginning)
{
  if (!g_str_has_prefix (answer, beginning))
    g_error ("“%s” in place of “%s”", answer, beginning);
  g_free (answer);
}

static void
assert_contains (gchar *answer, const gchar *part)
{
  if (!strstr (answer, part))
    g_error ("“%s” without “%s”", answer, part);
  g_free (answer);
}

static gchar *
put (Fixture *f, const gchar *path, const gchar *body)
{
  g_autofree gchar *text =
      g_strdup_printf ("PUT %s HTTP/1.1\r\nHost: h\r\nContent-Type: text/x\r\n"
                       "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
          path, strlen (body), body);

  return ask (f, text);
}

static gchar *
do_simply (Fixture *f, const gchar *method, const gchar *path)
{
  g_autofree gchar *text =
      g_strdup_printf ("%s %s HTTP/1.1\r\nHost: h\r\n\r\n", method, path);

  return ask (f, text);
}

/* What a server does */

GST_START_TEST (test_objects_put_are_got_with_headers_and_etag)
{
  Fixture f;
  g_autofree gchar *type = NULL;
  g_autofree gchar *text = NULL;

  begin (&f, NULL);
  assert_says (put (&f, "/a%20b?q=1", "hello"), "HTTP/1.1 201 ");
  text = ams_fault_server_dup_text (f.server, "/a b");
  g_assert_cmpstr (text, ==, "hello");
  type = ams_fault_server_dup_object_header (f.server, "/a b", "content-type");
  g_assert_cmpstr (type, ==, "text/x");
  assert_contains (do_simply (&f, "GET", "/a%20b"), "\r\n\r\nhello");
  assert_contains (do_simply (&f, "GET", "/a%20b"),
      "ETag: \"5d41402abc4b2a76b9719d911017c592\"\r\n");
  say (&f, "HEAD /a%20b HTTP/1.1\r\nConnection: close\r\n\r\n");
  assert_contains (hear_all (&f),
      "Content-Length: 5\r\nConnection: close\r\n"
      "\r\n[FIN]");
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 1);
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_objects_ranges_and_chunks_are_understood)
{
  Fixture f;

  begin (&f, NULL);
  assert_says (ask (&f,
                   "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: t\r\n\r\n"),
      "HTTP/1.1 201 ");
  assert_contains (ask (&f, "GET /c HTTP/1.1\r\nRange: bytes=2-3\r\n\r\n"),
      "\r\n\r\ncd");
  assert_contains (ask (&f, "GET /c HTTP/1.1\r\nRange: bytes=-2\r\n\r\n"),
      "\r\n\r\nfg");
  assert_says (ask (&f, "GET /c HTTP/1.1\r\nRange: bytes=7-\r\n\r\n"),
      "HTTP/1.1 416 ");
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_objects_conditions_and_deletes_are_answered)
{
  static const gchar text[] =
      "PUT /a HTTP/1.1\r\nIf-None-Match: *\r\nContent-Length: 1\r\n\r\nx";
  Fixture f;

  begin (&f, NULL);
  assert_says (ask (&f, text), "HTTP/1.1 201 ");
  assert_says (ask (&f, text), "HTTP/1.1 412 ");
  assert_says (do_simply (&f, "DELETE", "/a"), "HTTP/1.1 204 ");
  assert_says (do_simply (&f, "DELETE", "/a"), "HTTP/1.1 404 ");
  end (&f);
  begin (&f, &(AmsFaultOptions){ .conditions = AMS_FAULT_CONDITIONS_REFUSED });
  assert_says (ask (&f, text), "HTTP/1.1 501 ");
  end (&f);
  begin (&f, &(AmsFaultOptions){ .conditions = AMS_FAULT_CONDITIONS_IGNORED });
  assert_says (ask (&f, text), "HTTP/1.1 201 ");
  assert_says (ask (&f, text), "HTTP/1.1 204 ");
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_objects_missing_folder_is_409_until_mkcol)
{
  Fixture f;

  begin (&f, &(AmsFaultOptions){ .missing_folder = 409 });
  assert_says (put (&f, "/a/b/c", "x"), "HTTP/1.1 409 ");
  assert_says (do_simply (&f, "MKCOL", "/a/b/"), "HTTP/1.1 409 ");
  assert_says (do_simply (&f, "MKCOL", "/a/"), "HTTP/1.1 201 ");
  assert_says (do_simply (&f, "MKCOL", "/a/"), "HTTP/1.1 405 ");
  assert_says (do_simply (&f, "MKCOL", "/a/b"), "HTTP/1.1 201 ");
  assert_says (put (&f, "/a/b/c", "x"), "HTTP/1.1 201 ");
  end (&f);
}
GST_END_TEST;

/* Credentials */

GST_START_TEST (test_auth_basic_and_bearer_are_asked_for)
{
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_BASIC, "user", "pass");
  assert_contains (do_simply (&f, "GET", "/"), "WWW-Authenticate: Basic ");
  assert_says (ask (&f,
                   "GET / HTTP/1.1\r\nAuthorization: "
                   "Basic dXNlcjpwYXNz\r\n\r\n"),
      "HTTP/1.1 404 ");
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_BEARER, NULL, "token");
  assert_says (do_simply (&f, "GET", "/"), "HTTP/1.1 401 ");
  assert_says (
      ask (&f, "GET / HTTP/1.1\r\nAuthorization: Bearer token\r\n\r\n"),
      "HTTP/1.1 404 ");
  end (&f);
}
GST_END_TEST;

static gchar *
digest_request (const gchar *challenge)
{
  g_autofree gchar *nonce = g_strndup (strstr (challenge, "nonce=\"") + 7, 16);
  g_autofree gchar *a1 =
      g_compute_checksum_for_string (G_CHECKSUM_MD5, "user:faults:pass", -1);
  g_autofree gchar *a2 =
      g_compute_checksum_for_string (G_CHECKSUM_MD5, "GET:/x", -1);
  g_autofree gchar *whole =
      g_strdup_printf ("%s:%s:00000001:abc:auth:%s", a1, nonce, a2);
  g_autofree gchar *response =
      g_compute_checksum_for_string (G_CHECKSUM_MD5, whole, -1);

  return g_strdup_printf (
      "GET /x HTTP/1.1\r\nAuthorization: Digest username=\"user\", "
      "realm=\"faults\", nonce=\"%s\", uri=\"/x\", qop=auth, nc=00000001, "
      "cnonce=\"abc\", response=\"%s\"\r\n\r\n",
      nonce, response);
}

GST_START_TEST (test_auth_digest_is_checked_and_goes_stale)
{
  g_autofree gchar *challenge = NULL;
  g_autofree gchar *request = NULL;
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_DIGEST, "user", "pass");
  challenge = do_simply (&f, "GET", "/x");
  request = digest_request (challenge);
  assert_says (ask (&f, request), "HTTP/1.1 404 ");
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_DIGEST, "user", "pass");
  assert_contains (ask (&f, request), "stale=true");
  ams_fault_server_set_auth (f.server, AMS_FAULT_AUTH_DIGEST, "user", "other");
  assert_says (ask (&f, request), "HTTP/1.1 401 ");
  end (&f);
}
GST_END_TEST;

/* Rules */

GST_START_TEST (test_rules_skip_every_and_count_are_kept)
{
  Fixture f;
  static const guint statuses[] = { 404, 503, 404, 503, 404, 404 };

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .method = "GET",
          .path = "/*.ts",
          .every = 2,
          .count = 2,
          .status = 503,
          .headers = "Retry-After: 7" });
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .path = ".aac", .skip = 1, .status = 500 });
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autofree gchar *line = g_strdup_printf ("HTTP/1.1 %u ", statuses[i]);

    assert_says (do_simply (&f, "GET", "/1.ts"), line);
  }
  assert_says (do_simply (&f, "GET", "/1.aac"), "HTTP/1.1 404 ");
  assert_says (do_simply (&f, "GET", "/1.aac"), "HTTP/1.1 500 ");
  assert_says (do_simply (&f, "DELETE", "/1.ts"), "HTTP/1.1 404 ");
  ams_fault_server_clear_rules (f.server);
  assert_says (do_simply (&f, "GET", "/1.aac"), "HTTP/1.1 404 ");
  end (&f);
}
GST_END_TEST;

/* Answers that are scripted, to "PUT /p?q" with the body "hello". */
static const struct
{
  AmsFaultRule rule;
  const gchar *answer; /* how it begins */
  const gchar *part; /* what else is in it */
  gboolean stored;
} answers[] = {
  { { .status = 503, .headers = "Retry-After: 7\nX: y", .body = "later" },
      "HTTP/1.1 503 Service Unavailable\r\n",
      "Retry-After: 7\r\nX: y\r\nContent-Length: 5\r\n\r\nlater", FALSE },
  { { .status = 413, .unread = TRUE, .close = TRUE }, "HTTP/1.1 413 ",
      "Connection: close\r\n\r\n[FIN]", FALSE },
  { { .status = 308, .location = "http://h%s" }, "HTTP/1.1 308 ",
      "Location: http://h/p?q\r\n", FALSE },
  { { .raw = "SSH-2.0-x\r\n" }, "SSH-2.0-x\r\n[FIN]", "", FALSE },
  { { .http10 = TRUE, .body = "x" }, "HTTP/1.0 201 ", "\r\n\r\nx[FIN]", TRUE },
  { { .status = 500, .body_size = 100000 }, "HTTP/1.1 500 ", "xxxx", FALSE },
  { { .status = 500, .store = AMS_FAULT_STORE_ANYWAY }, "HTTP/1.1 500 ", "",
      TRUE },
  { { .status = 202 }, "HTTP/1.1 202 ", "", TRUE },
  { { .store = AMS_FAULT_STORE_NOTHING }, "HTTP/1.1 201 ", "", FALSE },
  { { .at = AMS_FAULT_AT_ANSWER, .bytes = 12, .end = AMS_FAULT_FIN },
      "HTTP/1.1 201[FIN]", "", TRUE },
  { { .at = AMS_FAULT_AT_SENT, .end = AMS_FAULT_FIN, .status = 204 },
      "HTTP/1.1 204 No Content\r\n\r\n", "", TRUE },
  { { .at = AMS_FAULT_AT_HEADERS, .end = AMS_FAULT_RESET }, "[RST]", "",
      FALSE },
  { { .at = AMS_FAULT_AT_HEADERS, .end = AMS_FAULT_FIN }, "[FIN]", "", FALSE },
  { { .at = AMS_FAULT_AT_BODY, .bytes = 3, .end = AMS_FAULT_RESET }, "[RST]",
      "", FALSE },
  { { .at = AMS_FAULT_AT_BODY, .bytes = 3, .end = AMS_FAULT_FIN }, "[FIN]", "",
      FALSE },
  { { .at = AMS_FAULT_AT_BODY, .bytes = 3, .unread = TRUE, .status = 403 },
      "HTTP/1.1 403 ", "", FALSE },
  { { .at = AMS_FAULT_AT_READ, .end = AMS_FAULT_RESET }, "[RST]", "", FALSE },
  { { .at = AMS_FAULT_AT_STORED, .end = AMS_FAULT_RESET }, "[RST]", "", TRUE },
  { { .at = AMS_FAULT_AT_STORED, .end = AMS_FAULT_FIN }, "[FIN]", "", TRUE },
  { { .delay = 1 }, "HTTP/1.1 201 ", "", TRUE },
  { { .slow_bytes = 2, .slow_ms = 1 }, "HTTP/1.1 201 ", "", TRUE },
};

GST_START_TEST (test_rules_scripted_answer_is_given)
{
  g_autofree gchar *answer = NULL;
  g_autoptr (AmsFaultRequest) request = NULL;
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server, &answers[__i__].rule);
  answer = put (&f, "/p?q", "hello");
  if (strstr (answers[__i__].part, "[FIN]")) {
    g_autofree gchar *first = g_steal_pointer (&answer);
    g_autofree gchar *rest = hear_all (&f);

    answer = g_strconcat (first, rest, NULL);
  }
  assert_says (g_strdup (answer), answers[__i__].answer);
  assert_contains (g_strdup (answer), answers[__i__].part);
  request = ams_fault_server_wait (f.server, "PUT", "/p?q", 1);
  g_assert_cmpint (request->stored, ==, answers[__i__].stored);
  if (answers[__i__].rule.at == AMS_FAULT_AT_BODY &&
      answers[__i__].rule.end != AMS_FAULT_GO_ON)
    g_assert_cmpuint (request->body, ==, 3);
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_rules_early_answer_leaves_connection_usable)
{
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .method = "PUT", .unread = TRUE, .status = 403 });
  assert_says (put (&f, "/p", "hello"), "HTTP/1.1 403 ");
  assert_says (do_simply (&f, "GET", "/p"), "HTTP/1.1 404 ");
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 1);
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_rules_expect_is_answered_ignored_or_refused)
{
  static const gchar head[] =
      "PUT /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
  g_autoptr (AmsFaultRequest) request = NULL;
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .header = "Expect: 100-continue",
          .skip = 1,
          .count = 1,
          .unread = TRUE,
          .status = 417 });
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .skip = 1,
          .count = 1,
          .expect = AMS_FAULT_EXPECT_IGNORED });
  assert_says (ask (&f, head), "HTTP/1.1 100 ");
  assert_says (ask (&f, "x"), "HTTP/1.1 201 ");
  assert_says (ask (&f, head), "HTTP/1.1 417 ");
  say (&f, head);
  ams_fault_server_wait_begun (f.server, "PUT", "/p", 3);
  assert_says (ask (&f, "x"), "HTTP/1.1 204 ");
  request = ams_fault_server_wait (f.server, "PUT", "/p", 3);
  g_assert_false (request->continued);
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_rules_held_answer_comes_when_released)
{
  g_autoptr (AmsFaultRequest) request = NULL;
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .at = AMS_FAULT_AT_READ, .hold = TRUE });
  say (&f, "PUT /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
  ams_fault_server_wait_held (f.server, "PUT", "/p", 1);
  request = ams_fault_server_dup_request (f.server, NULL, NULL, 1);
  g_assert_true (request->held);
  g_assert_false (request->stored);
  ams_fault_server_release (f.server, "/p");
  assert_says (hear (&f), "HTTP/1.1 201 ");
  ams_fault_server_wait_stored (f.server, "/p", 1);
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_rules_connection_dies_when_next_request_has_come)
{
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .count = 1,
          .at = AMS_FAULT_AT_NEXT,
          .end = AMS_FAULT_RESET });
  assert_says (put (&f, "/1", "x"), "HTTP/1.1 201 ");
  assert_says (put (&f, "/2", "x"), "[RST]");
  g_assert_true (dial (&f));
  assert_says (put (&f, "/2", "x"), "HTTP/1.1 201 ");
  g_assert_cmpuint (ams_fault_server_count (f.server, "PUT", "/2"), ==, 2);
  end (&f);
}
GST_END_TEST;

/* Connections */

GST_START_TEST (test_server_paused_refuses_and_resumes_on_same_port)
{
  Fixture f;
  guint16 port;

  begin (&f, NULL);
  port = ams_fault_server_get_port (f.server);
  assert_says (put (&f, "/1", "x"), "HTTP/1.1 201 ");
  ams_fault_server_pause (f.server);
  assert_says (put (&f, "/2", "x"), "HTTP/1.1 201 ");
  ams_fault_server_drop (f.server);
  assert_says (hear_all (&f), "[RST]");
  g_assert_false (dial (&f));
  ams_fault_server_resume (f.server);
  g_assert_cmpuint (ams_fault_server_get_port (f.server), ==, port);
  assert_contains (do_simply (&f, "GET", "/2"), "\r\n\r\nx");
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_server_freed_while_connections_hang_does_not_wait)
{
  Fixture f[4];
  gint64 before;

  begin (&f[0], &(AmsFaultOptions){ .receive_buffer = 4096 });
  ams_fault_server_add_rule (f[0].server,
      &(AmsFaultRule){ .path = "/held", .hold = TRUE });
  ams_fault_server_add_rule (f[0].server,
      &(AmsFaultRule){ .path = "/slow", .slow_bytes = 1, .slow_ms = 60000 });
  for (guint i = 1; i < 4; i++)
    f[i] = (Fixture){ .server = f[0].server, .client = f[0].client };
  say (&f[0], "GET /held HTTP/1.1\r\n\r\n");
  say (&f[1], "PUT /slow HTTP/1.1\r\nContent-Length: 2\r\n\r\n");
  say (&f[2], "PUT /body HTTP/1.1\r\nContent-Length: 2\r\n\r\nx");
  ams_fault_server_wait_held (f[0].server, NULL, "/held", 1);
  ams_fault_server_wait_begun (f[0].server, NULL, "/slow", 1);
  ams_fault_server_wait_body (f[0].server, "/body", 1, 1);
  ams_fault_server_set_deaf (f[0].server, TRUE);
  say (&f[3], "GET / HTTP/1.1\r\n\r\n");
  ams_fault_server_wait_connections (f[0].server, 4);
  g_assert_cmpuint (ams_fault_server_count (f[0].server, NULL, NULL), ==, 3);
  before = g_get_monotonic_time ();
  for (guint i = 1; i < 4; i++)
    hang_up (&f[i]);
  end (&f[0]);
  g_assert_cmpint (g_get_monotonic_time () - before, <, 20 * G_USEC_PER_SEC);
}
GST_END_TEST;

GST_START_TEST (test_server_same_rules_many_clients_at_once_none_is_lost)
{
  enum
  {
    CLIENTS = 8,
    EACH = 20
  };
  Fixture f[CLIENTS];
  g_autofree gchar *problems = NULL;

  begin (&f[0], NULL);
  for (guint i = 1; i < CLIENTS; i++)
    f[i] = (Fixture){ .server = f[0].server, .client = f[0].client };
  ams_fault_server_add_rule (f[0].server,
      &(AmsFaultRule){ .every = 4, .status = 503 });
  for (guint n = 0; n < EACH; n++) {
    for (guint i = 0; i < CLIENTS; i++)
      say (&f[i], "PUT /p HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    for (guint i = 0; i < CLIENTS; i++)
      assert_says (hear (&f[i]), "HTTP/1.1 ");
  }
  ams_fault_server_wait_stored (f[0].server, "/p", CLIENTS * EACH * 3 / 4);
  problems = ams_fault_server_dup_problems (f[0].server);
  g_assert_null (problems);
  for (guint i = 1; i < CLIENTS; i++)
    hang_up (&f[i]);
  end (&f[0]);
}
GST_END_TEST;

/* TLS */

static gboolean
begin_tls (Fixture *f, const AmsFaultOptions *options)
{
  g_autofree gchar *ca = NULL;

  if (!ams_fault_certificates ()) {
    g_printerr ("skipped: there are no certificates, as openssl is missing\n");
    return FALSE;
  }
  begin (f, options);
  ca = g_build_filename (ams_fault_certificates (), "ca.pem", NULL);
  f->trusted = g_tls_file_database_new (ca, NULL);
  g_assert_nonnull (f->trusted);
  return TRUE;
}

static const struct
{
  AmsFaultTls tls;
  gboolean trusted;
} certificates[] = {
  { AMS_FAULT_TLS_GOOD, TRUE },
  { AMS_FAULT_TLS_EXPIRED, FALSE },
  { AMS_FAULT_TLS_OTHER_HOST, FALSE },
};

GST_START_TEST (test_tls_certificate_is_trusted_or_not)
{
  Fixture f;

  if (!begin_tls (&f, &(AmsFaultOptions){ .tls = certificates[__i__].tls }))
    return;
  g_assert_cmpint (dial (&f), ==, certificates[__i__].trusted);
  if (certificates[__i__].trusted) {
    assert_says (put (&f, "/p", "hello"), "HTTP/1.1 201 ");
    assert_contains (do_simply (&f, "GET", "/p"), "\r\n\r\nhello");
  } else {
    hang_up (&f);
    ams_fault_server_wait_tls_failures (f.server, 1);
  }
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_tls_end_is_said_or_is_a_cut)
{
  Fixture f;

  if (!begin_tls (&f,
          &(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD,
              .tls_no_close_notify = __i__ }))
    return;
  ams_fault_server_add_rule (f.server, &(AmsFaultRule){ .http10 = TRUE });
  g_assert_true (dial (&f));
  say (&f, "PUT /p HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
  assert_contains (hear_all (&f), __i__ ? "\r\n\r\n[CUT]" : "\r\n\r\n[FIN]");
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_tls_client_without_certificate_is_refused)
{
  g_autofree gchar *file = NULL;
  Fixture f;

  if (!begin_tls (&f,
          &(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD,
              .tls_client_certificate = TRUE }))
    return;
  dial (&f);
  hang_up (&f);
  ams_fault_server_wait_tls_failures (f.server, 1);
  file = g_build_filename (ams_fault_certificates (), "client.pem", NULL);
  f.certificate = g_tls_certificate_new_from_file (file, NULL);
  g_assert_nonnull (f.certificate);
  g_assert_true (dial (&f));
  assert_says (put (&f, "/p", "hello"), "HTTP/1.1 201 ");
  end (&f);
}
GST_END_TEST;

/* What readers would have suffered */

#define HEAD "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"

/* Three requests each: "PUT path body" or "DELETE path". */
static const struct
{
  const gchar *requests[3][3];
  const gchar *problems;
} mistakes[] = {
  { { { "PUT", "/a/1.ts", "x" },
        { "PUT", "/a/p.m3u8", HEAD "#EXTINF:1,\n1.ts\n" } },
      NULL },
  { { { "PUT", "/a/p.m3u8", HEAD "#EXTINF:1,\n1.ts\n" },
        { "PUT", "/a/1.ts", "x" } },
      "/a/p.m3u8 lists /a/1.ts, which is not there\n" },
  { { { "PUT", "/p.m3u8", HEAD "#EXT-X-GAP\n#EXTINF:1,\n1.ts\n" } }, NULL },
  { { { "PUT", "/p.m3u8", HEAD "#EXT-X-MAP:URI=\"i.mp4\"\n" } },
      "/p.m3u8 lists /i.mp4, which is not there\n" },
  { { { "PUT", "/a/1 2.ts", "x" },
        { "PUT", "/p.m3u8", HEAD "#EXTINF:1,\na/1%202.ts?v=1\n" } },
      NULL },
  { { { "PUT", "/cut.ts", "xyz" },
        { "PUT", "/p.m3u8", HEAD "#EXTINF:1,\ncut.ts\n" },
        { "PUT", "/cut.ts", "zyx" } },
      "/p.m3u8 lists /cut.ts, of which only 1 bytes are there\n" },
  { { { "PUT", "/lost.ts", "xyz" },
        { "PUT", "/p.m3u8", HEAD "#EXTINF:1,\nlost.ts\n" } },
      "/p.m3u8 lists /lost.ts, which is not there\n" },
  { { { "PUT", "/1.ts", "" } }, "/1.ts was stored without a byte\n" },
  { { { "PUT", "/1.ts", "x" }, { "PUT", "/1.ts", "x" } }, NULL },
  { { { "PUT", "/1.ts", "x" }, { "PUT", "/1.ts", "y" } },
      "/1.ts was replaced by other bytes\n" },
  { { { "PUT", "/p.m3u8", HEAD }, { "PUT", "/p.m3u8", HEAD "#\n" } }, NULL },
  { { { "PUT", "/p.m3u8", "nonsense" } }, "/p.m3u8 is no playlist\n" },
  { { { "PUT", "/1.ts", "x" }, { "PUT", "/p.m3u8", HEAD "#EXTINF:1,\n1.ts\n" },
        { "DELETE", "/1.ts" } },
      "/1.ts was deleted while /p.m3u8 listed it\n" },
  { { { "PUT", "/1.ts", "x" }, { "PUT", "/p.m3u8", HEAD },
        { "DELETE", "/1.ts" } },
      NULL },
};

GST_START_TEST (test_problems_client_mistake_is_told)
{
  g_autofree gchar *problems = NULL;
  Fixture f;

  begin (&f, NULL);
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .path = "cut.ts",
          .count = 1,
          .store = AMS_FAULT_STORE_PART,
          .store_bytes = 1 });
  ams_fault_server_add_rule (f.server,
      &(AmsFaultRule){ .path = "lost.ts", .store = AMS_FAULT_STORE_NOTHING });
  for (guint i = 0; i < 3; i++) {
    const gchar *const *r = mistakes[__i__].requests[i];
    g_autofree gchar *path =
        r[1] ? g_uri_escape_string (r[1], "/", FALSE) : NULL;

    if (r[0])
      assert_says (r[2] ? put (&f, path, r[2]) : do_simply (&f, r[0], path),
          "HTTP/1.1 20");
  }
  problems = ams_fault_server_dup_problems (f.server);
  g_assert_cmpstr (problems, ==, mistakes[__i__].problems);
  end (&f);
}
GST_END_TEST;

GST_START_TEST (test_problems_gzipped_playlist_is_read)
{
  static const gchar text[] = HEAD "#EXTINF:1,\n1.ts\n";
  g_autoptr (GZlibCompressor) gzip =
      g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  g_autofree gchar *problems = NULL;
  g_autofree gchar *head = NULL;
  gchar body[200];
  gsize n_read, size;
  Fixture f;

  begin (&f, NULL);
  g_assert_cmpint (
      g_converter_convert (G_CONVERTER (gzip), text, strlen (text), body,
          sizeof body, G_CONVERTER_INPUT_AT_END, &n_read, &size, NULL),
      ==, G_CONVERTER_FINISHED);
  head = g_strdup_printf ("PUT /p.m3u8 HTTP/1.1\r\nContent-Encoding: gzip\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
      size);
  say (&f, head);
  g_output_stream_write_all (g_io_stream_get_output_stream (f.stream), body,
      size, NULL, NULL, NULL);
  assert_says (hear (&f), "HTTP/1.1 201 ");
  problems = ams_fault_server_dup_problems (f.server);
  g_assert_cmpstr (problems, ==, "/p.m3u8 lists /1.ts, which is not there\n");
  end (&f);
}
GST_END_TEST;

static Suite *
fault_server_suite (void)
{
  Suite *s = suite_create ("fault-server");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_objects_put_are_got_with_headers_and_etag);
  tcase_add_test (tc, test_objects_ranges_and_chunks_are_understood);
  tcase_add_test (tc, test_objects_conditions_and_deletes_are_answered);
  tcase_add_test (tc, test_objects_missing_folder_is_409_until_mkcol);
  tcase_add_test (tc, test_auth_basic_and_bearer_are_asked_for);
  tcase_add_test (tc, test_auth_digest_is_checked_and_goes_stale);
  tcase_add_test (tc, test_rules_skip_every_and_count_are_kept);
  tcase_add_loop_test (tc, test_rules_scripted_answer_is_given, 0,
      G_N_ELEMENTS (answers));
  tcase_add_test (tc, test_rules_early_answer_leaves_connection_usable);
  tcase_add_test (tc, test_rules_expect_is_answered_ignored_or_refused);
  tcase_add_test (tc, test_rules_held_answer_comes_when_released);
  tcase_add_test (tc, test_rules_connection_dies_when_next_request_has_come);
  tcase_add_test (tc, test_server_paused_refuses_and_resumes_on_same_port);
  tcase_add_test (tc, test_server_freed_while_connections_hang_does_not_wait);
  tcase_add_test (tc, test_server_same_rules_many_clients_at_once_none_is_lost);
  tcase_add_loop_test (tc, test_tls_certificate_is_trusted_or_not, 0,
      G_N_ELEMENTS (certificates));
  tcase_add_loop_test (tc, test_tls_end_is_said_or_is_a_cut, 0, 2);
  tcase_add_test (tc, test_tls_client_without_certificate_is_refused);
  tcase_add_loop_test (tc, test_problems_client_mistake_is_told, 0,
      G_N_ELEMENTS (mistakes));
  tcase_add_test (tc, test_problems_gzipped_playlist_is_read);
  return s;
}

GST_CHECK_MAIN (fault_server);
