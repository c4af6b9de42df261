/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http-store-fixture.h"

/* Putting */

static void
test_segment_is_put_with_its_headers (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put_segment (f, "a b/1.ts", "media", NULL));
  assert_text (f, "/rec/a b/1.ts", "media");
  assert_header (f, "PUT", "/rec/a%20b/1.ts", 1, "Content-Type", "video/mp2t");
  assert_header (f, "PUT", NULL, 1, "Cache-Control",
      "public, max-age=31536000, immutable");
  assert_header (f, "PUT", NULL, 1, "If-None-Match", "*");
  assert_header (f, "PUT", NULL, 1, "Content-Length", "5");
  assert_header (f, "PUT", NULL, 1, "Content-Range", NULL);
  assert_header (f, "PUT", NULL, 1, "Content-Encoding", NULL);
  assert_count (f, "PUT", 1);
}

static void
test_playlist_is_put_to_replace (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "one", NULL));
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "two", NULL));
  assert_text (f, "/rec/p.m3u8", "two");
  assert_header (f, "PUT", NULL, 1, "Content-Type",
      "application/vnd.apple.mpegurl");
  assert_header (f, "PUT", NULL, 1, "Cache-Control", "no-cache");
  assert_header (f, "PUT", NULL, 1, "If-None-Match", NULL);
}

static void
test_content_type_is_that_of_media_only (Fixture *f, gconstpointer data)
{
  f->options.content_type = g_strdup ("video/x-own");
  start (f);
  g_assert_true (put_segment (f, "1.ts", "x", NULL));
  g_assert_true (put (f, "2.bin", AMS_FILE_ROLE_OTHER, "x", NULL));
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "x", NULL));
  assert_header (f, "PUT", NULL, 1, "Content-Type", "video/x-own");
  assert_header (f, "PUT", NULL, 2, "Content-Type", "video/x-own");
  assert_header (f, "PUT", NULL, 2, "Cache-Control", NULL);
  assert_header (f, "PUT", NULL, 3, "Content-Type",
      "application/vnd.apple.mpegurl");
}

static void
test_query_of_location_is_on_each_request (Fixture *f, gconstpointer data)
{
  GError *error = NULL;

  f->location = "/rec/?sig=" SECRET "&x";
  start (f);
  g_assert_true (put_segment (f, "1.ts", "x", NULL));
  g_assert_true (remove_file (f, "1.ts", NULL));
  /* A “?” of the pattern fits any character. */
  g_assert_cmpuint (
      ams_fault_server_count (f->server, NULL, "/rec/1.ts?sig=" SECRET "&x"),
      ==, 3);
  rule (f,
      &(AmsFaultRule){ .status = 403,
          .body = "no /rec/1.ts?sig=" SECRET "&x" });
  g_assert_false (put_segment (f, "1.ts", "x", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "1.ts?sig=***&***” was not");
  g_clear_error (&error);
}

static const Refusal refusals[] = {
  { "403", 403, AMS_FAILURE_PERMANENT, "bearer-token" },
  { "404", 404, AMS_FAILURE_PERMANENT, "create-collections" },
  { "409", 409, AMS_FAILURE_PERMANENT, "create-collections" },
  { "405", 405, AMS_FAILURE_PERMANENT, "WebDAV" },
  { "413", 413, AMS_FAILURE_PERMANENT, "client_max_body_size" },
  { "429", 429, AMS_FAILURE_THROTTLED, "429" },
  { "500", 500, AMS_FAILURE_TRANSIENT, "create_full_put_path" },
  { "503", 503, AMS_FAILURE_THROTTLED, "503" },
  { "507", 507, AMS_FAILURE_FULL, "full" },
  { "207", 207, AMS_FAILURE_PERMANENT, "207" },
};

static void
test_refusal_is_said (Fixture *f, gconstpointer data)
{
  const Refusal *c = data;
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .status = c->status,
          .headers = "Retry-After: 7",
          .body = "<h1>the reason</h1>" });
  g_assert_false (put_segment (f, "1.ts", "x", &error));
  assert_error (error, c->failure, c->said);
  /* Of what looks like a success the body is not read. */
  g_assert_true (
      c->status < 300 || strstr (error->message, "(it says: “the reason”)"));
  g_assert_cmpuint (ams_store_error_get_http_status (error), ==, c->status);
  g_assert_cmpuint (ams_store_error_get_retry_after (error), ==, 7);
  assert_count (f, "PUT", 1);
}

static void
test_accepted_is_stored (Fixture *f, gconstpointer data)
{
  start (f);
  rule (f, &(AmsFaultRule){ .status = 202 });
  g_assert_true (put_segment (f, "1.ts", "x", NULL));
}

static void
test_cancelled_put_says_so (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body ("x", 1);
  AmsPut what = { .name = "1.ts", .role = AMS_FILE_ROLE_SEGMENT, .body = body };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .hold = TRUE });
  ams_store_put_async (f->store, &what, cancellable, on_done, &result);
  while (ams_fault_server_count (f->server, "PUT", NULL) == 0)
    g_main_context_iteration (NULL, FALSE);
  g_cancellable_cancel (cancellable);
  g_assert_false (ams_store_put_finish (f->store, wait_for (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_later_attempt_has_a_new_connection (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body ("x", 1);
  g_autoptr (AmsFaultRequest) second = NULL, third = NULL;

  start (f);
  g_assert_true (put_segment (f, "1.ts", "x", NULL));
  g_assert_true (put_segment (f, "2.ts", "x", NULL));
  g_assert_true (put_body (f, "3.ts", AMS_FILE_ROLE_SEGMENT, body, 2, NULL));
  second = ams_fault_server_dup_request (f->server, "PUT", NULL, 2);
  third = ams_fault_server_dup_request (f->server, "PUT", NULL, 3);
  g_assert_cmpuint (second->connection, ==, 1);
  g_assert_cmpuint (third->connection, ==, 2);
}

static void
test_attempt_after_a_cut_asks_first (Fixture *f, gconstpointer data)
{
  g_autofree gchar *large = g_strnfill (4000, 'x');
  g_autoptr (AmsBody) body = new_body (large, 4000);
  g_autoptr (GError) reset = NULL, error = NULL;

  f->client_options.expect = AMS_HTTP_EXPECT_AUTO;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 1,
          .at = AMS_FAULT_AT_BODY,
          .bytes = 1000,
          .end = AMS_FAULT_RESET });
  rule (f,
      &(AmsFaultRule){ .header = "Expect", .unread = TRUE, .status = 413 });
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 2, &reset));
  g_assert_error (reset, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 3, &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "client_max_body_size");
  assert_header (f, "PUT", NULL, 2, "Expect", "100-continue");
}

static void
test_length_required_is_sent_with_one (Fixture *f, gconstpointer data)
{
  f->client_options.chunked = TRUE;
  start (f);
  rule (f,
      &(AmsFaultRule){ .header = "Transfer-Encoding: chunked", .status = 411 });
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  g_assert_true (put_segment (f, "2.ts", "media", NULL));
  assert_header (f, "PUT", NULL, 1, "Transfer-Encoding", "chunked");
  assert_header (f, "PUT", NULL, 2, "Content-Length", "5");
  assert_count (f, "PUT", 3);
}

static void
test_length_required_again_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .status = 411 });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "chunked=false");
  assert_count (f, "PUT", 2);
}

static void
test_digest_is_of_what_is_sent (Fixture *f, gconstpointer data)
{
  gsize size = 700 * 1024;
  g_autofree gchar *large = g_strnfill (size, 'x');
  g_autoptr (AmsBody) body = new_body (large, size);
  gboolean md5 = GPOINTER_TO_INT (data) == AMS_HTTP_DIGEST_MD5;
  g_autoptr (GChecksum) sum =
      g_checksum_new (md5 ? G_CHECKSUM_MD5 : G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;
  g_autofree gchar *base64 = NULL, *expected = NULL;

  f->options.digest = GPOINTER_TO_INT (data);
  start (f);
  g_checksum_update (sum, (guchar *) large, size);
  g_checksum_get_digest (sum, digest, &length);
  base64 = g_base64_encode (digest, length);
  expected = md5 ? g_strdup (base64) : g_strdup_printf ("sha-256=:%s:", base64);
  for (guint n = 1; n <= 2; n++) {
    g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, n, NULL));
    assert_header (f, "PUT", NULL, n, md5 ? "Content-MD5" : "Repr-Digest",
        expected);
  }
}

/* What is there already */

static void
test_lost_answer_is_stored_once (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body ("media", 5);
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 1,
          .at = AMS_FAULT_AT_STORED,
          .end = AMS_FAULT_RESET });
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 2, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 3, NULL));
  assert_text (f, "/rec/1.ts", "media");
  ams_fault_server_wait_stored (f->server, "/rec/1.ts", 1);
  assert_header (f, "GET", NULL, 1, "Accept-Encoding", "identity");
}

static const gchar *const others[] = { "", "medi", "mediA", "media and more" };

static void
test_another_file_is_not_overwritten (Fixture *f, gconstpointer data)
{
  const gchar *other = data;
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", "video/mp2t", other,
      strlen (other));
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
  assert_text (f, "/rec/1.ts", other);
}

static void
test_another_large_file_is_not_read_whole (Fixture *f, gconstpointer data)
{
  gsize size = 64 * 1024 * 1024;
  g_autofree gchar *large = g_strnfill (size, 'x');
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", "video/mp2t", large,
      size);
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
}

static void
test_file_that_cannot_be_compared_may_be_ours (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "media", 5);
  rule (f,
      &(AmsFaultRule){ .method = "GET", .status = GPOINTER_TO_UINT (data) });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "could not be compared");
  assert_text (f, "/rec/1.ts", "media");
}

static void
test_file_in_an_encoding_may_be_ours (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "media", 5);
  rule (f,
      &(AmsFaultRule){ .method = "GET",
          .headers = "Content-Encoding: br",
          .body = "xyz" });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "could not be compared");
}

static void
test_condition_refused_asks_first_from_then_on (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->server_options.conditions = AMS_FAULT_CONDITIONS_REFUSED;
  start (f);
  ams_fault_server_put_object (f->server, "/rec/3.ts", NULL, "media", 5);
  ams_fault_server_put_object (f->server, "/rec/4.ts", NULL, "other", 5);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_header (f, "PUT", NULL, 1, "If-None-Match", "*");
  assert_header (f, "PUT", NULL, 2, "If-None-Match", NULL);
  g_assert_true (put_segment (f, "2.ts", "media", NULL));
  assert_header (f, "PUT", NULL, 3, "If-None-Match", NULL);
  assert_text (f, "/rec/2.ts", "media");
  g_assert_true (put_segment (f, "3.ts", "media", NULL));
  g_assert_false (put_segment (f, "4.ts", "media", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
  assert_text (f, "/rec/4.ts", "other");
  assert_count (f, "PUT", 3);
}

static void
test_condition_named_in_400_is_left_out (Fixture *f, gconstpointer data)
{
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .header = "If-None-Match",
          .status = 400,
          .body = "header If-None-Match is not known" });
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_text (f, "/rec/1.ts", "media");
}

static void
test_other_400_is_permanent (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .status = 400, .body = "bad name" });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "bad name");
  assert_count (f, "PUT", 1);
}

static void
test_no_put_at_all_is_permanent (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .status = 501 });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "does not take PUT there");
}

static void
test_overwrite_always_replaces (Fixture *f, gconstpointer data)
{
  f->options.overwrite = AMS_OVERWRITE_ALWAYS;
  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "other", 5);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_text (f, "/rec/1.ts", "media");
  assert_header (f, "PUT", NULL, 1, "If-None-Match", NULL);
}

static void
test_overwrite_never_replaces_its_own_only (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL, removed = NULL;

  f->options.overwrite = AMS_OVERWRITE_NEVER;
  start (f);
  ams_fault_server_put_object (f->server, "/rec/q", NULL, "other", 5);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "one", NULL));
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "two", NULL));
  assert_text (f, "/rec/p", "two");
  g_assert_false (put (f, "q", AMS_FILE_ROLE_PLAYLIST, "one", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
  assert_text (f, "/rec/q", "other");
  g_assert_true (remove_file (f, "p", NULL));
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "other", 5);
  g_assert_false (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "three", &removed));
  assert_error (removed, AMS_FAILURE_EXISTS, "was not overwritten");
}

static void
test_other_files_may_be_replaced (Fixture *f, gconstpointer data)
{
  start (f);
  ams_fault_server_put_object (f->server, "/rec/o.bin", NULL, "other", 5);
  g_assert_true (put (f, "o.bin", AMS_FILE_ROLE_OTHER, "media", NULL));
  assert_text (f, "/rec/o.bin", "media");
  assert_header (f, "PUT", NULL, 1, "If-None-Match", NULL);
}

static const AmsFileRole once[] = { AMS_FILE_ROLE_SEGMENT, AMS_FILE_ROLE_INIT,
  AMS_FILE_ROLE_KEY };

static void
test_what_is_made_once_is_not_replaced (Fixture *f, gconstpointer data)
{
  start (f);
  for (guint i = 0; i < G_N_ELEMENTS (once); i++) {
    g_autofree gchar *name = g_strdup_printf ("%u", i);
    g_autofree gchar *path = g_strconcat ("/rec/", name, NULL);
    g_autoptr (GError) error = NULL;

    ams_fault_server_put_object (f->server, path, NULL, "other", 5);
    g_assert_false (put (f, name, once[i], "media", &error));
    assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
    assert_text (f, path, "other");
  }
}

/* On a new connection: libsoup tries again by itself on one that was used. */
static void
put_without_an_answer (Fixture *f, const gchar *text, AmsFaultRule lost)
{
  g_autoptr (AmsBody) body = new_body (text, strlen (text));
  g_autoptr (GError) error = NULL;

  lost.method = "PUT";
  lost.count = 1;
  rule (f, &lost);
  g_assert_false (put_body (f, "p", AMS_FILE_ROLE_PLAYLIST, body, 2, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
}

static const AmsFaultRule lost_answers[] = {
  { .at = AMS_FAULT_AT_STORED, .end = AMS_FAULT_RESET },
  { .at = AMS_FAULT_AT_STORED, .end = AMS_FAULT_FIN },
  { .status = 502, .store = AMS_FAULT_STORE_ANYWAY },
};

static void
test_playlist_whose_answer_was_lost_is_ours (Fixture *f, gconstpointer data)
{
  const AmsFaultRule *lost = data;

  f->options.overwrite = AMS_OVERWRITE_NEVER;
  f->client_options.timeout = 1;
  start (f);
  put_without_an_answer (f, "version 1", *lost);
  assert_text (f, "/rec/p", "version 1");
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "third", NULL));
  assert_text (f, "/rec/p", "third");
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "fourth", NULL));
  assert_text (f, "/rec/p", "fourth");
}

static void
test_playlist_of_another_is_not_ours_after_a_loss (Fixture *f,
    gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.overwrite = AMS_OVERWRITE_NEVER;
  start (f);
  put_without_an_answer (f, "version 1",
      (AmsFaultRule){ .at = AMS_FAULT_AT_READ, .end = AMS_FAULT_RESET });
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "theirs", 6);
  g_assert_false (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "third", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
  assert_text (f, "/rec/p", "theirs");
}

static void
test_playlist_that_begins_ours_is_ours (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.overwrite = AMS_OVERWRITE_NEVER;
  start (f);
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "#1#2", 4);
  ams_fault_server_put_object (f->server, "/rec/q", NULL, "#1#2#", 5);
  ams_fault_server_put_object (f->server, "/rec/r", NULL, "", 0);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "#1#2#3", NULL));
  assert_text (f, "/rec/p", "#1#2#3");
  g_assert_false (put (f, "q", AMS_FILE_ROLE_PLAYLIST, "#1#2", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
  g_clear_error (&error);
  g_assert_false (put (f, "r", AMS_FILE_ROLE_PLAYLIST, "#1#2", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
  g_clear_error (&error);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "#1#2", 4);
  g_assert_false (put_segment (f, "1.ts", "#1#2#3", &error));
  assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
}

/* A server that goes on with a request whose connection is gone. */
static void
test_late_version_is_found_and_replaced (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  put_without_an_answer (f, "version 1",
      (AmsFaultRule){ .at = AMS_FAULT_AT_READ, .end = AMS_FAULT_RESET });
  /* It is stored after the next, which is confirmed. */
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 1,
          .store = AMS_FAULT_STORE_NOTHING });
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "version 1", 9);
  g_assert_false (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "final", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "earlier version");
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "final", NULL));
  assert_text (f, "/rec/p", "final");
  /* Once, and only where there was a doubt. */
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "final", NULL));
  g_assert_true (put (f, "q", AMS_FILE_ROLE_PLAYLIST, "final", NULL));
  assert_count (f, "GET", 1);
}

static void
test_late_version_is_looked_for_once (Fixture *f, gconstpointer data)
{
  start (f);
  put_without_an_answer (f, "version 1",
      (AmsFaultRule){ .at = AMS_FAULT_AT_STORED, .end = AMS_FAULT_RESET });
  /* Not a word of what is there; so be it. */
  rule (f, &(AmsFaultRule){ .method = "GET", .status = 403 });
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "version 2", NULL));
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "version 3", NULL));
  assert_count (f, "GET", 1);
}

static void
test_same_version_again_is_not_looked_for (Fixture *f, gconstpointer data)
{
  start (f);
  put_without_an_answer (f, "version 1",
      (AmsFaultRule){ .at = AMS_FAULT_AT_STORED, .end = AMS_FAULT_RESET });
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "version 1", NULL));
  assert_count (f, NULL, 2);
}

static void
test_conditions_ignored_old_files_are_kept (Fixture *f, gconstpointer data)
{
  static const gchar *const names[] = { "1.ts", "2.ts" };

  f->server_options.conditions = AMS_FAULT_CONDITIONS_IGNORED;
  start (f);
  ams_fault_server_put_object (f->server, "/rec/0.ts", NULL, "media", 5);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "other", 5);
  ams_fault_server_put_object (f->server, "/rec/2.ts", NULL, "other", 5);
  g_assert_true (put_segment (f, "0.ts", "media", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_strconcat ("/rec/", names[i], NULL);
    g_autoptr (GError) error = NULL;

    g_assert_false (put_segment (f, names[i], "media", &error));
    assert_error (error, AMS_FAILURE_EXISTS, "was not overwritten");
    assert_text (f, path, "other");
  }
  assert_count (f, "PUT", 0);
}

static void
test_first_free_name_ends_the_looking (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list", NULL));
  assert_count (f, NULL, 1);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_count (f, NULL, 3);
  g_assert_true (put_segment (f, "2.ts", "media", NULL));
  assert_count (f, NULL, 4);
  assert_header (f, "PUT", NULL, 2, "If-None-Match", "*");
}

static void
test_looking_that_fails_does_not_hinder (Fixture *f, gconstpointer data)
{
  const AmsFaultRule *failing = data;
  guint looks = failing->status == 403 ? 1 : 3;

  start (f);
  rule (f, failing);
  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u.ts", i);

    g_assert_true (put_segment (f, name, "media", NULL));
  }
  /* Those that are reset on a used connection are sent again by libsoup. */
  assert_count (f, "GET", failing->status ? looks : 2 * looks - 1);
}

static const AmsFaultRule no_looks[] = {
  { .method = "GET", .status = 403 },
  { .method = "GET", .status = 503 },
  { .method = "GET", .at = AMS_FAULT_AT_READ, .end = AMS_FAULT_RESET },
};

/* Folders */

static void
test_missing_folder_is_created (Fixture *f, gconstpointer data)
{
  f->server_options.missing_folder = GPOINTER_TO_UINT (data);
  f->options.create_collections = TRUE;
  start (f);
  g_assert_true (put_segment (f, "a/b/1.ts", "media", NULL));
  assert_text (f, "/rec/a/b/1.ts", "media");
  assert_count (f, "MKCOL", 3);
  g_assert_true (put_segment (f, "a/b/2.ts", "media", NULL));
  g_assert_true (put_segment (f, "a/c/1.ts", "media", NULL));
  /* Only what is new is made. */
  assert_count (f, "MKCOL", 4);
  g_assert_cmpuint (ams_fault_server_count (f->server, "MKCOL", "*/a/c/"), ==,
      1);
}

static void
test_folder_that_was_removed_is_created_again (Fixture *f, gconstpointer data)
{
  f->server_options.missing_folder = 409;
  f->options.create_collections = TRUE;
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  rule (f, &(AmsFaultRule){ .method = "PUT", .count = 1, .status = 404 });
  g_assert_true (put_segment (f, "2.ts", "media", NULL));
  assert_count (f, "MKCOL", 2);
}

static void
test_folder_that_cannot_be_created_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->server_options.missing_folder = 409;
  f->options.create_collections = TRUE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "MKCOL", .status = 403 });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "409");
  assert_error (error, AMS_FAILURE_PERMANENT,
      "/rec/” could not be created: the server answered 403");
  assert_count (f, "PUT", 2);
}

static void
test_folder_that_is_there_by_redirect (Fixture *f, gconstpointer data)
{
  f->options.create_collections = TRUE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .count = 1, .status = 404 });
  rule (f,
      &(AmsFaultRule){ .method = "MKCOL", .status = 301, .location = "%s/" });
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
}

static void
test_missing_folder_is_not_created_unasked (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->server_options.missing_folder = 409;
  start (f);
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "create-collections=true");
  assert_count (f, "MKCOL", 0);
}

static void
add_put_tests (void)
{
  ADD ("put/segment-with-its-headers", test_segment_is_put_with_its_headers);
  ADD ("put/playlist-replaces", test_playlist_is_put_to_replace);
  ADD ("put/content-type-of-media", test_content_type_is_that_of_media_only);
  ADD ("put/query-of-location", test_query_of_location_is_on_each_request);
  ADD_TABLE (refusals, "put/refused/", test_refusal_is_said);
  ADD ("put/accepted", test_accepted_is_stored);
  ADD ("put/cancelled", test_cancelled_put_says_so);
  ADD ("put/later-attempt-has-a-new-connection",
      test_later_attempt_has_a_new_connection);
  ADD ("put/attempt-after-a-cut-asks-first",
      test_attempt_after_a_cut_asks_first);
  ADD ("put/length-required", test_length_required_is_sent_with_one);
  ADD ("put/length-required-again", test_length_required_again_is_said);
  ADD_DATA ("put/digest-md5", test_digest_is_of_what_is_sent,
      GINT_TO_POINTER (AMS_HTTP_DIGEST_MD5));
  ADD_DATA ("put/digest-sha256", test_digest_is_of_what_is_sent,
      GINT_TO_POINTER (AMS_HTTP_DIGEST_SHA256));
}

static void
add_exists_tests (void)
{
  ADD ("exists/lost-answer", test_lost_answer_is_stored_once);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/http-store/exists/another/%u", i);

    g_test_add (path, Fixture, others[i], set_up,
        test_another_file_is_not_overwritten, tear_down);
  }
  ADD ("exists/another-large", test_another_large_file_is_not_read_whole);
  ADD_DATA ("exists/unreadable", test_file_that_cannot_be_compared_may_be_ours,
      GUINT_TO_POINTER (403));
  ADD_DATA ("exists/gone", test_file_that_cannot_be_compared_may_be_ours,
      GUINT_TO_POINTER (404));
  ADD ("exists/encoded", test_file_in_an_encoding_may_be_ours);
  ADD ("exists/condition-refused",
      test_condition_refused_asks_first_from_then_on);
  ADD ("exists/condition-named-in-400",
      test_condition_named_in_400_is_left_out);
  ADD ("exists/other-400", test_other_400_is_permanent);
  ADD ("exists/no-put-at-all", test_no_put_at_all_is_permanent);
  ADD ("exists/overwrite-always", test_overwrite_always_replaces);
  ADD ("exists/overwrite-never", test_overwrite_never_replaces_its_own_only);
  ADD ("exists/other-is-replaced", test_other_files_may_be_replaced);
  ADD ("exists/made-once-is-not", test_what_is_made_once_is_not_replaced);
}

static void
add_table (const gchar *subject, const AmsFaultRule *table, guint n,
    void (*test) (Fixture *f, gconstpointer data))
{
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *path = g_strdup_printf ("/http-store/%s/%u", subject, i);

    g_test_add (path, Fixture, &table[i], set_up, test, tear_down);
  }
}

static void
add_version_tests (void)
{
  add_table ("versions/lost-answer", lost_answers, G_N_ELEMENTS (lost_answers),
      test_playlist_whose_answer_was_lost_is_ours);
  ADD ("versions/of-another",
      test_playlist_of_another_is_not_ours_after_a_loss);
  ADD ("versions/begins-ours", test_playlist_that_begins_ours_is_ours);
  ADD ("versions/late", test_late_version_is_found_and_replaced);
  ADD ("versions/late-looked-for-once", test_late_version_is_looked_for_once);
  ADD ("versions/same-again", test_same_version_again_is_not_looked_for);
}

static void
add_look_tests (void)
{
  ADD ("look/conditions-ignored", test_conditions_ignored_old_files_are_kept);
  ADD ("look/ends", test_first_free_name_ends_the_looking);
  add_table ("look/fails", no_looks, G_N_ELEMENTS (no_looks),
      test_looking_that_fails_does_not_hinder);
}

static void
add_folder_tests (void)
{
  ADD_DATA ("folder/created-after-409", test_missing_folder_is_created,
      GUINT_TO_POINTER (409));
  ADD_DATA ("folder/created-after-500", test_missing_folder_is_created,
      GUINT_TO_POINTER (500));
  ADD ("folder/created-again", test_folder_that_was_removed_is_created_again);
  ADD ("folder/not-to-be-created", test_folder_that_cannot_be_created_is_said);
  ADD ("folder/there-by-redirect", test_folder_that_is_there_by_redirect);
  ADD ("folder/not-created-unasked",
      test_missing_folder_is_not_created_unasked);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  add_put_tests ();
  add_exists_tests ();
  add_version_tests ();
  add_look_tests ();
  add_folder_tests ();
  return g_test_run ();
}
