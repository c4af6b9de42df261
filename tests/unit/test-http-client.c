/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amshttpfixture.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define KIB 1024
#define MIB (1024 * 1024)

static AmsHttpFixture f;
static AmsHttpCall call;

static void
begin (void)
{
  ams_http_fixture_begin (&f, NULL);
}

static void
end (void)
{
  ams_http_call_clear (&call);
  ams_http_fixture_end (&f);
}

static void
rule (AmsFaultRule r)
{
  ams_fault_server_add_rule (f.server, &r);
}

static guint
run (const gchar *method, const gchar *path, gsize size)
{
  ams_http_call_init (&call, &f, method, path, size);
  return ams_http_fixture_run (&call, &f);
}

/* Bodies */

GST_START_TEST (test_client_put_any_size_is_stored_whole)
{
  static const gsize sizes[] = { 1, 8191, 8192, 8193, 300 * KIB, 5 * MIB };

  begin ();
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_assert_cmpuint (run ("PUT", "/a.ts", sizes[i]), ==, 201 + (i ? 3 : 0));
    ams_http_call_assert_stored (&call, &f, "/a.ts");
    if (i + 1 < G_N_ELEMENTS (sizes))
      ams_http_call_clear (&call);
  }
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_put_nothing_is_an_empty_file)
{
  g_autoptr (AmsFaultRequest) request = NULL;
  g_autofree gchar *length = NULL;

  begin ();
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 0);
  call.request.bytes = call.bytes = g_bytes_new (NULL, 0);
  g_assert_cmpuint (ams_http_fixture_run (&call, &f), ==, 201);
  request = ams_fault_server_wait (f.server, "PUT", "/a.ts", 1);
  length = ams_fault_request_dup_header (request, "Content-Length");
  g_assert_cmpstr (length, ==, "0");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_put_says_what_it_should_and_no_more)
{
  static const gchar *const names[] = { "Content-Length", "Content-Type",
    "User-Agent", "X-Extra", "Accept-Encoding", "Transfer-Encoding", "Expect",
    "Authorization", "Content-Range" };
  static const gchar *const values[] = { "100", "video/mp2t",
    PACKAGE_NAME "/" PACKAGE_VERSION, "yes", NULL, NULL, NULL, NULL, NULL };
  static const gchar *const headers[] = { "Content-Type", "video/mp2t", NULL };
  static const gchar *const extra[] = { "X-Extra", "yes", NULL };
  g_autoptr (AmsFaultRequest) request = NULL;

  begin ();
  f.options.extra_headers = g_strdupv ((GStrv) extra);
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 100);
  call.request.headers = headers;
  ams_http_fixture_run (&call, &f);
  request = ams_fault_server_wait (f.server, "PUT", "/a.ts", 1);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *value = ams_fault_request_dup_header (request, names[i]);

    g_assert_cmpstr (value, ==, values[i]);
  }
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_odd_path_goes_out_byte_for_byte)
{
  g_autoptr (AmsFaultRequest) request = NULL;

  begin ();
  run ("PUT", "/a/../%7Eb%c3%9f//c.ts", 10);
  request = ams_fault_server_wait (f.server, "PUT", "c.ts", 1);
  g_assert_cmpstr (request->path, ==, "/a/../%7Eb%c3%9f//c.ts?token=hush");
  end ();
}

GST_END_TEST;

/* libsoup-facts.md 1: libsoup sends the request again by itself. */
static void
check_closed_connection (AmsFaultEnd how, gsize size)
{
  begin ();
  rule ((AmsFaultRule){ .path = "/1.ts",
      .count = 1,
      .at = AMS_FAULT_AT_NEXT,
      .end = how });
  g_assert_cmpuint (ams_http_fixture_put (&f, "/1.ts", 10), ==, 201);
  g_assert_cmpuint (run ("PUT", "/2.ts", size), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/2.ts");
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 2);
  end ();
}

GST_START_TEST (test_client_reused_connection_reset_body_is_whole)
{
  check_closed_connection (AMS_FAULT_RESET, 100);
  check_closed_connection (AMS_FAULT_RESET, 3 * MIB);
}

GST_END_TEST;

GST_START_TEST (test_client_reused_connection_closed_body_is_whole)
{
  check_closed_connection (AMS_FAULT_FIN, 100);
}

GST_END_TEST;

GST_START_TEST (test_client_fresh_connection_is_not_the_old_one)
{
  begin ();
  ams_http_fixture_put (&f, "/1.ts", 10);
  ams_http_call_init (&call, &f, "PUT", "/2.ts", 10);
  call.request.fresh_connection = TRUE;
  g_assert_cmpuint (ams_http_fixture_run (&call, &f), ==, 201);
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 2);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_success_before_the_body_is_no_success)
{
  begin ();
  f.options.expect = AMS_HTTP_EXPECT_ALWAYS;
  rule ((AmsFaultRule){ .method = "PUT", .unread = TRUE, .status = 201 });
  run ("PUT", "/a.ts", 100 * KIB);
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT, "0 of 102400");
  end ();
}

GST_END_TEST;

static AmsBody *
new_short_body (gsize has, gsize says)
{
  g_autoptr (GBytes) bytes = ams_http_fixture_make_bytes (has);
  AmsBody *body = ams_memory_body_new ();

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, has);
  ams_body_set_size (body, says);
  return body;
}

GST_START_TEST (test_client_body_too_short_is_lost)
{
  g_autoptr (AmsBody) body = new_short_body (100 * KIB, 200 * KIB);

  begin ();
  /* On a connection that was used, where libsoup would try for ever. */
  ams_http_fixture_put (&f, "/1.ts", 10);
  ams_http_call_init (&call, &f, "PUT", "/2.ts", 0);
  call.request.body = body;
  ams_http_fixture_run (&call, &f);
  ams_http_call_assert_failed (&call, AMS_FAILURE_LOST, "102400 of 204800");
  g_assert_false (ams_http_error_wants_expect (call.error));
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_chunked_is_stored_whole)
{
  g_autoptr (AmsFaultRequest) request = NULL;
  g_autofree gchar *length = NULL;

  begin ();
  f.options.chunked = TRUE;
  g_assert_cmpuint (run ("PUT", "/a.ts", 300 * KIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/a.ts");
  request = ams_fault_server_wait (f.server, "PUT", "/a.ts", 1);
  length = ams_fault_request_dup_header (request, "Content-Length");
  g_assert_null (length);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_chunked_with_length_declares_it)
{
  g_autoptr (AmsFaultRequest) request = NULL;
  g_autofree gchar *length = NULL;

  begin ();
  f.options.chunked = TRUE;
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 100);
  call.request.with_length = TRUE;
  g_assert_cmpuint (ams_http_fixture_run (&call, &f), ==, 201);
  request = ams_fault_server_wait (f.server, "PUT", "/a.ts", 1);
  length = ams_fault_request_dup_header (request, "Content-Length");
  g_assert_cmpstr (length, ==, "100");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_bitrate_holds_uploads_back)
{
  gint64 start = g_get_monotonic_time ();

  begin ();
  f.options.max_bitrate = 8 * 200 * KIB;
  g_assert_cmpuint (run ("PUT", "/a.ts", 100 * KIB), ==, 201);
  ams_http_call_assert_stored (&call, &f, "/a.ts");
  /* 20 KiB at once, and one block before it is paid for. */
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 350 * 1000);
  end ();
}

GST_END_TEST;

/* Timers */

GST_START_TEST (test_client_server_that_never_answers_times_out)
{
  begin ();
  f.options.timeout = 1;
  rule ((AmsFaultRule){ .method = "PUT", .hold = TRUE });
  run ("PUT", "/a.ts", 100);
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
      "did not answer within 1 s");
  g_assert_false (ams_http_error_wants_expect (call.error));
  end ();
}

GST_END_TEST;

static void
check_deaf_in_body (const AmsFaultOptions *options)
{
  ams_http_fixture_begin (&f, options);
  f.options.timeout = 1;
  f.options.expect = AMS_HTTP_EXPECT_NEVER;
  rule ((AmsFaultRule){ .method = "PUT",
      .at = AMS_FAULT_AT_BODY,
      .bytes = 100 * KIB,
      .hold = TRUE });
  run ("PUT", "/a.ts", 32 * MIB);
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
      "took nothing of the request for 1 s");
  g_assert_true (ams_http_error_wants_expect (call.error));
  end ();
}

GST_START_TEST (test_client_server_that_reads_no_more_times_out)
{
  check_deaf_in_body (NULL);
}

GST_END_TEST;

/* Closing a TLS connection must not wait until the server reads again. */
GST_START_TEST (test_client_tls_server_that_reads_no_more_times_out)
{
  if (ams_fault_certificates ())
    check_deaf_in_body (&(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD });
}

GST_END_TEST;

GST_START_TEST (test_client_tls_handshake_that_hangs_times_out)
{
  if (!ams_fault_certificates ())
    return;
  ams_http_fixture_begin (&f, &(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD });
  f.options.connect_timeout = 1;
  ams_fault_server_set_deaf (f.server, TRUE);
  run ("PUT", "/a.ts", 10);
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
      "could not connect to “127.0.0.1:");
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_server_that_reads_a_trickle_stalls)
{
  begin ();
  f.options.timeout = 0;
  f.options.stall_timeout = 1;
  f.options.expect = AMS_HTTP_EXPECT_NEVER;
  rule ((AmsFaultRule){ .method = "PUT", .slow_bytes = 100, .slow_ms = 100 });
  run ("PUT", "/a.ts", 32 * MIB);
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
      "took fewer than 8192 bytes in 1 s");
  end ();
}

GST_END_TEST;

/* Answers */

GST_START_TEST (test_client_refused_connection_says_so)
{
  begin ();
  ams_fault_server_pause (f.server);
  run ("PUT", "/a.ts", 10);
  ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
      "connection refused");
  g_assert_nonnull (strstr (call.error->message, "127.0.0.1:"));
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_reset_without_an_answer_wants_expect)
{
  static const AmsFaultAt at[] = { AMS_FAULT_AT_BODY, AMS_FAULT_AT_READ };

  for (guint i = 0; i < G_N_ELEMENTS (at); i++) {
    begin ();
    f.options.expect = AMS_HTTP_EXPECT_NEVER;
    rule ((AmsFaultRule){ .method = "PUT",
        .at = at[i],
        .bytes = 1000,
        .end = AMS_FAULT_RESET });
    run ("PUT", "/a.ts", 16 * MIB);
    ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT, "broke");
    g_assert_true (ams_http_error_wants_expect (call.error));
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_client_garbage_is_transient)
{
  static const gchar *const garbage[] = { "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 banana\r\n\r\n", "\r\n\r\n\r\n" };

  for (guint i = 0; i < G_N_ELEMENTS (garbage); i++) {
    begin ();
    rule ((AmsFaultRule){ .raw = garbage[i] });
    run ("PUT", "/a.ts", 10);
    ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT, "127.0.0.1:");
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_client_endless_error_body_is_cut)
{
  static const guint statuses[] = { 500, 401, 421, 404 };

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    begin ();
    rule ((AmsFaultRule){ .status = statuses[i], .body_size = 16 * MIB });
    g_assert_cmpuint (run ("PUT", "/a.ts", 10), ==, statuses[i]);
    if (call.reply->body)
      g_assert_cmpuint (g_bytes_get_size (call.reply->body), ==,
          AMS_HTTP_MAX_ERROR_BODY);
    end ();
  }
}

GST_END_TEST;

GST_START_TEST (test_client_small_error_body_is_kept_and_the_connection_too)
{
  begin ();
  rule ((AmsFaultRule){ .path = "/1.ts", .status = 503, .body = "no room" });
  g_assert_cmpuint (ams_http_fixture_put (&f, "/1.ts", 10), ==, 503);
  g_assert_cmpuint (run ("PUT", "/1.ts", 10), ==, 503);
  g_assert_cmpmem (g_bytes_get_data (call.reply->body, NULL),
      g_bytes_get_size (call.reply->body), "no room", 7);
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), ==, 1);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_success_with_a_broken_body_is_success)
{
  begin ();
  rule ((AmsFaultRule){ .method = "PUT",
      .raw = "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nshort" });
  g_assert_cmpuint (run ("PUT", "/a.ts", 10), ==, 201);
  end ();
}

GST_END_TEST;

static void
get (const gchar *path, gsize max_reply)
{
  ams_http_call_init (&call, &f, "GET", path, 0);
  call.request.max_reply = max_reply;
  ams_http_fixture_run (&call, &f);
}

GST_START_TEST (test_client_get_up_to_the_limit_is_kept)
{
  begin ();
  ams_fault_server_put_object (f.server, "/a", NULL, "0123456789", 10);
  get ("/a", 10);
  ams_http_call_assert_status (&call, 200);
  g_assert_cmpmem (g_bytes_get_data (call.reply->body, NULL),
      g_bytes_get_size (call.reply->body), "0123456789", 10);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_get_over_the_limit_fails)
{
  begin ();
  ams_fault_server_put_object (f.server, "/a", NULL, "0123456789", 10);
  get ("/a", 9);
  ams_http_call_assert_failed (&call, AMS_FAILURE_PERMANENT,
      "more than 9 bytes");
  end ();
}

GST_END_TEST;

/* With Connection: close, libsoup takes what came for all of it. */
GST_START_TEST (test_client_get_cut_short_fails)
{
  static const gchar *const raw[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
  };

  for (guint i = 0; i < G_N_ELEMENTS (raw); i++) {
    begin ();
    rule ((AmsFaultRule){ .raw = raw[i] });
    get ("/a", 1000);
    ams_http_call_assert_failed (&call, AMS_FAILURE_TRANSIENT,
        "in the middle of the answer");
    end ();
  }
}

GST_END_TEST;

static gboolean
count_until_enough (const guint8 *data, gsize size, gpointer user_data)
{
  gsize *total = user_data;

  *total += size;
  return *total < 100 * KIB;
}

GST_START_TEST (test_client_sink_may_have_enough)
{
  gsize total = 0;

  begin ();
  rule ((AmsFaultRule){ .status = 200, .body_size = 16 * MIB });
  ams_http_call_init (&call, &f, "GET", "/a", 0);
  call.request.sink = count_until_enough;
  call.request.user_data = &total;
  ams_http_fixture_run (&call, &f);
  ams_http_call_assert_status (&call, 200);
  g_assert_cmpuint (total, >=, 100 * KIB);
  g_assert_cmpuint (total, <, MIB);
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_head_has_no_body)
{
  begin ();
  ams_fault_server_put_object (f.server, "/a", NULL, "0123456789", 10);
  ams_http_call_init (&call, &f, "HEAD", "/a", 0);
  call.request.max_reply = 100;
  ams_http_fixture_run (&call, &f);
  ams_http_call_assert_status (&call, 200);
  g_assert_cmpint (
      soup_message_headers_get_content_length (call.reply->headers), ==, 10);
  end ();
}

GST_END_TEST;

/* Cancelling */

static void
cancel_and_wait (void)
{
  g_cancellable_cancel (call.cancellable);
  ams_http_call_wait (&call);
  g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* The default context, in a while that the server's threads end. */
static void
iterate_until_begun (const gchar *path)
{
  while (ams_fault_server_count (f.server, "PUT", path) == 0)
    g_main_context_iteration (NULL, FALSE);
}

GST_START_TEST (test_client_cancel_while_waiting_for_the_answer_returns)
{
  begin ();
  rule ((AmsFaultRule){ .hold = TRUE });
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 10);
  ams_http_call_begin (&call, &f);
  iterate_until_begun ("/a.ts");
  cancel_and_wait ();
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_cancel_in_the_body_returns)
{
  begin ();
  f.options.expect = AMS_HTTP_EXPECT_NEVER;
  rule ((AmsFaultRule){ .at = AMS_FAULT_AT_BODY, .bytes = 10, .hold = TRUE });
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 32 * MIB);
  ams_http_call_begin (&call, &f);
  iterate_until_begun ("/a.ts");
  cancel_and_wait ();
  end ();
}

GST_END_TEST;

GST_START_TEST (test_client_cancel_before_it_begins_returns)
{
  begin ();
  ams_http_call_init (&call, &f, "PUT", "/a.ts", 10);
  ams_http_call_begin (&call, &f);
  cancel_and_wait ();
  end ();
}

GST_END_TEST;

/* Those that wait for a connection, for a handshake that hangs, or behind one. */
GST_START_TEST (test_client_cancel_while_connecting_returns)
{
  AmsHttpCall calls[6];

  if (!ams_fault_certificates ())
    return;
  ams_http_fixture_begin (&f, &(AmsFaultOptions){ .tls = AMS_FAULT_TLS_GOOD });
  ams_fault_server_set_deaf (f.server, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++) {
    ams_http_call_init (&calls[i], &f, "PUT", "/a.ts", 10);
    ams_http_call_begin (&calls[i], &f);
  }
  while (ams_fault_server_count_connections (f.server) < 4)
    g_main_context_iteration (NULL, FALSE);
  for (guint i = G_N_ELEMENTS (calls); i-- > 0;) {
    g_cancellable_cancel (calls[i].cancellable);
    ams_http_call_wait (&calls[i]);
    g_assert_error (calls[i].error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    ams_http_call_clear (&calls[i]);
  }
  ams_http_fixture_end (&f);
}

GST_END_TEST;

GST_START_TEST (test_client_many_at_once_use_no_more_connections_than_allowed)
{
  AmsHttpCall calls[20];

  begin ();
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++) {
    g_autofree gchar *path = g_strdup_printf ("/%u.ts", i);

    ams_http_call_init (&calls[i], &f, "PUT", path, 200 * KIB);
    ams_http_call_begin (&calls[i], &f);
  }
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++) {
    g_autofree gchar *name = g_strdup_printf ("/%u.ts", i);

    ams_http_call_wait (&calls[i]);
    ams_http_call_assert_stored (&calls[i], &f, name);
    ams_http_call_clear (&calls[i]);
  }
  g_assert_cmpuint (ams_fault_server_count_connections (f.server), <=, 4);
  ams_http_fixture_end (&f);
}

GST_END_TEST;

static Suite *
http_client_suite (void)
{
  Suite *s = suite_create ("http-client");
  TCase *tc = tcase_create ("client");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_client_put_any_size_is_stored_whole);
  tcase_add_test (tc, test_client_put_nothing_is_an_empty_file);
  tcase_add_test (tc, test_client_put_says_what_it_should_and_no_more);
  tcase_add_test (tc, test_client_odd_path_goes_out_byte_for_byte);
  tcase_add_test (tc, test_client_reused_connection_reset_body_is_whole);
  tcase_add_test (tc, test_client_reused_connection_closed_body_is_whole);
  tcase_add_test (tc, test_client_fresh_connection_is_not_the_old_one);
  tcase_add_test (tc, test_client_success_before_the_body_is_no_success);
  tcase_add_test (tc, test_client_body_too_short_is_lost);
  tcase_add_test (tc, test_client_chunked_is_stored_whole);
  tcase_add_test (tc, test_client_chunked_with_length_declares_it);
  tcase_add_test (tc, test_client_bitrate_holds_uploads_back);
  tcase_add_test (tc, test_client_server_that_never_answers_times_out);
  tcase_add_test (tc, test_client_server_that_reads_no_more_times_out);
  tcase_add_test (tc, test_client_tls_server_that_reads_no_more_times_out);
  tcase_add_test (tc, test_client_tls_handshake_that_hangs_times_out);
  tcase_add_test (tc, test_client_server_that_reads_a_trickle_stalls);
  tcase_add_test (tc, test_client_refused_connection_says_so);
  tcase_add_test (tc, test_client_reset_without_an_answer_wants_expect);
  tcase_add_test (tc, test_client_garbage_is_transient);
  tcase_add_test (tc, test_client_endless_error_body_is_cut);
  tcase_add_test (tc,
      test_client_small_error_body_is_kept_and_the_connection_too);
  tcase_add_test (tc, test_client_success_with_a_broken_body_is_success);
  tcase_add_test (tc, test_client_get_up_to_the_limit_is_kept);
  tcase_add_test (tc, test_client_get_over_the_limit_fails);
  tcase_add_test (tc, test_client_get_cut_short_fails);
  tcase_add_test (tc, test_client_sink_may_have_enough);
  tcase_add_test (tc, test_client_head_has_no_body);
  tcase_add_test (tc, test_client_cancel_while_waiting_for_the_answer_returns);
  tcase_add_test (tc, test_client_cancel_in_the_body_returns);
  tcase_add_test (tc, test_client_cancel_before_it_begins_returns);
  tcase_add_test (tc, test_client_cancel_while_connecting_returns);
  tcase_add_test (tc,
      test_client_many_at_once_use_no_more_connections_than_allowed);
  return s;
}

GST_CHECK_MAIN (http_client);
