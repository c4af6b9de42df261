/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http-store-fixture.h"

#include "http/amshttpread.h"

/* Verifying */

static void
test_verify_finds_what_was_stored (Fixture *f, gconstpointer data)
{
  f->options.verify = GPOINTER_TO_INT (data);
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_count (f, "HEAD", 1);
  assert_count (f, "GET", 1);
  assert_header (f, "HEAD", NULL, 1, "Accept-Encoding", "identity");
}

static void
test_verify_catches_what_was_not_stored (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 1,
          .store = AMS_FAULT_STORE_NOTHING });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT,
      "the server said 201, but there is nothing there");
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
}

static void
test_verify_catches_a_part (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .store = AMS_FAULT_STORE_PART,
          .store_bytes = 3 });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT,
      "the server said 201, but holds 3 of 5 bytes");
}

static void
test_verify_catches_yes_to_everything (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "GET", .count = 1, .status = 404 });
  rule (f, &(AmsFaultRule){ .status = 200, .body = "<html>hello</html>" });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "the server said 200, but holds");
}

static void
test_verify_without_length_reads (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "HEAD", .status = 200, .http10 = TRUE });
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_count (f, "GET", 2);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .store = AMS_FAULT_STORE_PART,
          .store_bytes = 3 });
  g_assert_false (put_segment (f, "2.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "holds something else");
}

static void
test_verify_without_head_reads (Fixture *f, gconstpointer data)
{
  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "HEAD", .status = 405 });
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_count (f, "GET", 2);
}

static void
test_verify_refused_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "HEAD", .status = 403 });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "verify=none");
}

static void
test_verify_etag_catches_another (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = "ETag: \"one\"" });
  rule (f, &(AmsFaultRule){ .method = "HEAD", .headers = "ETag: \"two\"" });
  rule (f, &(AmsFaultRule){ .method = "GET", .body = "MEDIA" });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "another ETag");
}

static void
test_verify_etag_catches_a_wrong_md5 (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const gchar *wrong = "ETag: \"00112233445566778899aabbccddeeff\"";

  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "GET", .body = "MEDIA" });
  rule (f, &(AmsFaultRule){ .headers = wrong });
  g_assert_false (put_segment (f, "1.ts", "media", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, "is not the MD5");
}

/* Each from another backend, or by date. */
static void
test_verify_etags_that_say_nothing_are_found_out_once (Fixture *f,
    gconstpointer data)
{
  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = "ETag: \"one\"" });
  rule (f, &(AmsFaultRule){ .method = "HEAD", .headers = data });
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  g_assert_true (put_segment (f, "2.ts", "media", NULL));
  g_assert_cmpuint (ams_fault_server_count (f->server, "PUT", NULL), ==, 2);
  /* To see whether names are free, and to compare. */
  g_assert_cmpuint (ams_fault_server_count (f->server, "GET", "1.ts"), ==, 2);
  g_assert_cmpuint (ams_fault_server_count (f->server, "GET", "2.ts"), ==, 0);
}

static void
test_verify_etag_that_is_weak_says_nothing (Fixture *f, gconstpointer data)
{
  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  f->server_options.etag = GPOINTER_TO_INT (data);
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
}

/* gzip */

#define PLAYLIST "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-VERSION:3\n"

static void
test_gzip_playlist_comes_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) stored = NULL, back = NULL;
  g_autofree gchar *encoding = NULL;

  f->options.gzip_playlists = TRUE;
  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  start (f);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, PLAYLIST, NULL));
  encoding = ams_fault_server_dup_object_header (f->server, "/rec/p",
      "Content-Encoding");
  g_assert_cmpstr (encoding, ==, "gzip");
  stored = ams_fault_server_dup_object (f->server, "/rec/p");
  g_assert_true (ams_gzip_is (stored));
  back = fetch (f, "p", 1000, NULL);
  g_assert_cmpmem (g_bytes_get_data (back, NULL), g_bytes_get_size (back),
      PLAYLIST, strlen (PLAYLIST));
}

static void
test_gzip_is_of_playlists_only (Fixture *f, gconstpointer data)
{
  f->options.gzip_playlists = TRUE;
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_text (f, "/rec/1.ts", "media");
  assert_header (f, "PUT", NULL, 1, "Content-Encoding", NULL);
}

static void
test_gzip_that_is_there_is_ours (Fixture *f, gconstpointer data)
{
  f->options.gzip_playlists = TRUE;
  f->options.overwrite = AMS_OVERWRITE_NEVER;
  start (f);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, PLAYLIST, NULL));
  /* Another server unpacks what it was given. */
  ams_fault_server_put_object (f->server, "/rec/q", NULL, PLAYLIST,
      strlen (PLAYLIST));
  g_clear_object (&f->store);
  f->store = new_store (f);
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, PLAYLIST, NULL));
  g_assert_true (put (f, "q", AMS_FILE_ROLE_PLAYLIST, PLAYLIST, NULL));
}

static void
test_gzip_without_a_header_is_known (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) plain = g_bytes_new_static (PLAYLIST, strlen (PLAYLIST));
  g_autoptr (GBytes) zipped = ams_gzip_compress (plain, NULL), back = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/p", NULL,
      g_bytes_get_data (zipped, NULL), g_bytes_get_size (zipped));
  back = fetch (f, "p", 1000, NULL);
  g_assert_true (g_bytes_equal (back, plain));
}

static void
test_gzip_bomb_is_refused (Fixture *f, gconstpointer data)
{
  gsize size = 16 * 1024 * 1024;
  g_autoptr (GBytes) plain = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (GBytes) zipped = ams_gzip_compress (plain, NULL);
  g_autoptr (GError) error = NULL;

  start (f);
  g_assert_cmpuint (g_bytes_get_size (zipped), <, 100000);
  ams_fault_server_put_object (f->server, "/rec/p", NULL,
      g_bytes_get_data (zipped, NULL), g_bytes_get_size (zipped));
  g_assert_null (fetch (f, "p", 100000, &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "more than 100000 bytes");
}

static void
test_gzip_damaged_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) plain = g_bytes_new_static (PLAYLIST, strlen (PLAYLIST));
  g_autoptr (GBytes) zipped = ams_gzip_compress (plain, NULL);
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/p", NULL,
      g_bytes_get_data (zipped, NULL), g_bytes_get_size (zipped) - 9);
  g_assert_null (fetch (f, "p", 1000, &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "damaged");
}

static void
test_gzip_is_deterministic (void)
{
  g_autoptr (GBytes) plain = g_bytes_new_static (PLAYLIST, strlen (PLAYLIST));
  g_autoptr (GBytes) one = ams_gzip_compress (plain, NULL);
  g_autoptr (GBytes) two = ams_gzip_compress (plain, NULL);
  const guint8 *data = g_bytes_get_data (one, NULL);

  g_assert_true (g_bytes_equal (one, two));
  /* No time of modification. */
  g_assert_cmpmem (data + 4, 4, "\0\0\0\0", 4);
}

/* Fetching */

static const Refusal unread[] = {
  { "404", 404, AMS_FAILURE_ABSENT, "404" },
  { "410", 410, AMS_FAILURE_ABSENT, "410" },
  { "403", 403, AMS_FAILURE_PERMANENT, "could not be read" },
  { "204", 204, AMS_FAILURE_PERMANENT, "204" },
  { "206", 206, AMS_FAILURE_PERMANENT, "206" },
  { "500", 500, AMS_FAILURE_TRANSIENT, "500" },
  { "503", 503, AMS_FAILURE_TRANSIENT, "503" },
  { "429", 429, AMS_FAILURE_THROTTLED, "429" },
};

static void
test_fetch_tells_absent_from_failed (Fixture *f, gconstpointer data)
{
  const Refusal *c = data;
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "text", 4);
  rule (f, &(AmsFaultRule){ .status = c->status });
  g_assert_null (fetch (f, "p", 1000, &error));
  assert_error (error, c->failure, c->said);
}

static void
test_fetch_reads_what_is_there (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL, empty = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/a b", NULL, "text", 4);
  ams_fault_server_put_object (f->server, "/rec/empty", NULL, "", 0);
  bytes = fetch (f, "a b", 4, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      "text", 4);
  assert_header (f, "GET", NULL, 1, "Cache-Control", "no-cache");
  empty = fetch (f, "empty", 4, NULL);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
}

static void
test_fetch_of_too_much_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "text", 4);
  g_assert_null (fetch (f, "p", 3, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
}

static void
assert_bytes (GBytes *bytes, const gchar *text)
{
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      text, strlen (text));
}

/* However large the file is: no more of it is sent. */
static void
test_head_is_read_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) head = NULL, shorter = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "0123456789", 10);
  head = fetch_head (f, "1.ts", 4, 6, NULL);
  assert_bytes (head, "0123");
  assert_header (f, "GET", NULL, 1, "Range", "bytes=0-3");
  ams_fault_server_put_object (f->server, "/rec/2.ts", NULL, "01", 2);
  shorter = fetch_head (f, "2.ts", 4, 6, NULL);
  assert_bytes (shorter, "01");
}

/* A server that does not know ranges sends the whole. */
static void
test_head_of_whole_answer_is_bounded (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) whole = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .status = 200, .body = "0123456789" });
  whole = fetch_head (f, "1.ts", 4, 10, NULL);
  assert_bytes (whole, "0123456789");
  g_assert_null (fetch_head (f, "1.ts", 4, 9, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
}

static void
test_fetch_tries_again_what_may_pass (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;

  start (f);
  ams_http_store_set_patience (AMS_HTTP_STORE (f->store), G_TIME_SPAN_MINUTE);
  ams_fault_server_put_object (f->server, "/rec/p", NULL, "text", 4);
  rule (f, &(AmsFaultRule){ .count = 1, .status = 502 });
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .at = AMS_FAULT_AT_HEADERS,
          .end = AMS_FAULT_RESET });
  bytes = fetch (f, "p", 1000, NULL);
  g_assert_nonnull (bytes);
  assert_count (f, "GET", 3);
}

static void
test_fetch_that_would_wait_too_long_ends (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  ams_http_store_set_patience (AMS_HTTP_STORE (f->store), G_TIME_SPAN_SECOND);
  rule (f, &(AmsFaultRule){ .status = 503, .headers = "Retry-After: 100" });
  g_assert_null (fetch (f, "p", 1000, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_THROTTLED);
  assert_count (f, "GET", 1);
}

static gboolean
on_again (gpointer task)
{
  g_assert_true (g_task_return_error_if_cancelled (task));
  return G_SOURCE_REMOVE;
}

/* Somebody waits to record: a pause that a server asked for is over at once, too. */
static void
test_cancelling_ends_the_wait_between_attempts (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) busy =
      ams_store_error_new (AMS_FAILURE_THROTTLED, 503, 100, "busy");
  g_autoptr (GError) error = NULL;
  AmsHttpPatience patience;
  GTask *task;

  start (f);
  task = g_task_new (f->store, cancellable, on_done, &result);
  ams_http_patience_init (&patience, G_TIME_SPAN_DAY);
  patience.attempts = 1;
  g_assert_true (ams_http_patience_wait (&patience, task, busy, on_again));
  g_object_unref (task);
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  g_assert_null (
      g_task_propagate_pointer (G_TASK (wait_for (&result)), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_fetch_of_partial_is_absent (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  start (f);
  ams_store_fetch_async (f->store, "1.ts", TRUE, 1000, NULL, on_done, &result);
  g_assert_null (ams_store_fetch_finish (f->store, wait_for (&result), &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
  assert_count (f, NULL, 0);
}

/* Removing */

static void
test_remove_of_nothing_is_done (Fixture *f, gconstpointer data)
{
  start (f);
  ams_fault_server_put_object (f->server, "/rec/1.ts", NULL, "media", 5);
  g_assert_true (remove_file (f, "1.ts", NULL));
  assert_text (f, "/rec/1.ts", NULL);
  g_assert_true (remove_file (f, "1.ts", NULL));
  rule (f, &(AmsFaultRule){ .status = 410 });
  g_assert_true (remove_file (f, "1.ts", NULL));
}

static void
test_remove_refused_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .status = 405 });
  g_assert_false (remove_file (f, "1.ts", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, "does not take DELETE");
}

/* Notifying */

static void
log_in (Fixture *f)
{
  f->client_options.user_id = g_strdup ("me");
  f->client_options.user_pw = g_strdup (SECRET);
}

static void
test_notify_posts_json (Fixture *f, gconstpointer data)
{
  log_in (f);
  start (f);
  g_clear_object (&f->store);
  f->options.notify_url = ams_fault_server_dup_url (f->server, "/hook?k=v");
  f->store = new_store (f);
  g_assert_true (notify (f, NULL));
  assert_header (f, "POST", "/hook?k=v", 1, "Content-Type", "application/json");
  assert_header (f, "POST", NULL, 1, "Content-Length", "2");
  assert_header (f, "POST", NULL, 1, "Authorization", "Basic bWU6aGlkZGVu");
}

static void
test_notify_elsewhere_has_no_credentials (Fixture *f, gconstpointer data)
{
  AmsFaultServer *elsewhere = ams_fault_server_new (NULL);
  g_autoptr (AmsFaultRequest) request = NULL;
  g_autofree gchar *authorization = NULL;

  log_in (f);
  f->options.notify_url = ams_fault_server_dup_url (elsewhere, "/hook");
  start (f);
  g_assert_true (notify (f, NULL));
  request = ams_fault_server_dup_request (elsewhere, "POST", NULL, 1);
  authorization = ams_fault_request_dup_header (request, "Authorization");
  g_assert_cmpstr (authorization, ==, NULL);
  ams_fault_server_free (elsewhere);
}

static void
test_notify_has_its_own_credentials (Fixture *f, gconstpointer data)
{
  log_in (f);
  start (f);
  g_clear_object (&f->store);
  f->options.notify_url = g_strdup_printf ("http://you:pw@127.0.0.1:%u/hook",
      ams_fault_server_get_port (f->server));
  f->store = new_store (f);
  g_assert_true (notify (f, NULL));
  assert_header (f, "POST", NULL, 1, "Authorization", "Basic eW91OnB3");
}

static void
test_notify_refused_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  g_clear_object (&f->store);
  f->options.notify_url =
      ams_fault_server_dup_url (f->server, "/hook?token=" SECRET);
  f->store = new_store (f);
  rule (f, &(AmsFaultRule){ .status = 500 });
  g_assert_false (notify (f, &error));
  assert_error (error, AMS_FAILURE_TRANSIENT,
      "/hook?token=***” was not notified");
}

/* The rest */

static void
test_body_of_a_local_file_is_that (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "1.ts",
    .role = AMS_FILE_ROLE_SEGMENT };
  g_autoptr (AmsBody) memory = NULL, copy = NULL;

  start (f);
  memory = ams_store_create_body (f->store, &begin);
  g_assert_true (AMS_IS_MEMORY_BODY (memory));
  begin.local_path = (gchar *) "/srv/1.ts";
  copy = ams_store_create_body (f->store, &begin);
  g_assert_true (AMS_IS_COPY_BODY (copy));
}

static void
test_list_is_unsupported (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  start (f);
  ams_store_list_async (f->store, "", NULL, on_done, &result);
  g_assert_null (ams_store_list_finish (f->store, wait_for (&result), &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_UNSUPPORTED);
}

static void
add_verify_tests (void)
{
  ADD_DATA ("verify/size", test_verify_finds_what_was_stored,
      GINT_TO_POINTER (AMS_HTTP_VERIFY_SIZE));
  ADD_DATA ("verify/etag", test_verify_finds_what_was_stored,
      GINT_TO_POINTER (AMS_HTTP_VERIFY_ETAG));
  ADD ("verify/nothing", test_verify_catches_what_was_not_stored);
  ADD ("verify/part", test_verify_catches_a_part);
  ADD ("verify/yes-to-everything", test_verify_catches_yes_to_everything);
  ADD ("verify/no-length", test_verify_without_length_reads);
  ADD ("verify/no-head", test_verify_without_head_reads);
  ADD ("verify/refused", test_verify_refused_is_said);
  ADD ("verify/etag-changed", test_verify_etag_catches_another);
  ADD ("verify/etag-wrong-md5", test_verify_etag_catches_a_wrong_md5);
  ADD_DATA ("verify/etag-other",
      test_verify_etags_that_say_nothing_are_found_out_once, "ETag: \"two\"");
  ADD_DATA ("verify/etag-no-md5",
      test_verify_etags_that_say_nothing_are_found_out_once,
      "ETag: \"00112233445566778899aabbccddeeff\"");
  ADD_DATA ("verify/etag-weak", test_verify_etag_that_is_weak_says_nothing,
      GINT_TO_POINTER (AMS_FAULT_ETAG_OPAQUE));
  ADD_DATA ("verify/etag-none", test_verify_etag_that_is_weak_says_nothing,
      GINT_TO_POINTER (AMS_FAULT_ETAG_NONE));
}

static void
add_fetch_tests (void)
{
  ADD ("gzip/comes-back", test_gzip_playlist_comes_back);
  ADD ("gzip/playlists-only", test_gzip_is_of_playlists_only);
  ADD ("gzip/that-is-there-is-ours", test_gzip_that_is_there_is_ours);
  ADD ("gzip/without-a-header", test_gzip_without_a_header_is_known);
  ADD ("gzip/bomb", test_gzip_bomb_is_refused);
  ADD ("gzip/damaged", test_gzip_damaged_is_refused);
  g_test_add_func ("/http-store/gzip/deterministic",
      test_gzip_is_deterministic);
  ADD_TABLE (unread, "fetch/unread/", test_fetch_tells_absent_from_failed);
  ADD ("fetch/read", test_fetch_reads_what_is_there);
  ADD ("fetch/head", test_head_is_read_alone);
  ADD ("fetch/head-ignored", test_head_of_whole_answer_is_bounded);
  ADD ("fetch/too-much", test_fetch_of_too_much_is_an_error);
  ADD ("fetch/tried-again", test_fetch_tries_again_what_may_pass);
  ADD ("fetch/would-wait-too-long", test_fetch_that_would_wait_too_long_ends);
  ADD ("fetch/cancelled-between-attempts",
      test_cancelling_ends_the_wait_between_attempts);
  ADD ("fetch/partial", test_fetch_of_partial_is_absent);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  add_verify_tests ();
  add_fetch_tests ();
  ADD ("remove/nothing", test_remove_of_nothing_is_done);
  ADD ("remove/refused", test_remove_refused_is_said);
  ADD ("notify/json", test_notify_posts_json);
  ADD ("notify/elsewhere", test_notify_elsewhere_has_no_credentials);
  ADD ("notify/own-credentials", test_notify_has_its_own_credentials);
  ADD ("notify/refused", test_notify_refused_is_said);
  ADD ("body/of-a-local-file", test_body_of_a_local_file_is_that);
  ADD ("list/unsupported", test_list_is_unsupported);
  return g_test_run ();
}
