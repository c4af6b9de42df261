/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3-store-fixture.h"

/* Putting */

static void
test_segment_is_put_with_its_headers (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put_segment (f, "a b/1.ts", "media", NULL));
  assert_text (f, "/bucket/rec/a b/1.ts", "media");
  g_assert_cmpuint (
      ams_fault_server_count (f->server, "PUT", "/bucket/rec/a%20b/1.ts"), ==,
      1);
  assert_header (f, "PUT", 1, "Content-Type", "video/mp2t");
  assert_header (f, "PUT", 1, "If-None-Match", "*");
  assert_header (f, "PUT", 1, "Content-Length", "5");
  assert_header (f, "PUT", 1, "Content-MD5", "YpM6KVHvAfTq/ZvfTTzS8A==");
  assert_header (f, "PUT", 1, "x-amz-content-sha256",
      "721c9525ade2ea8903d343ef25cf68b9bf4ab0aad56bb7b01fbe48d09bc7fcf4");
  assert_signed (f, 1, "Credential=KEY1/");
  assert_signed (f, 1, "/us-east-1/s3/aws4_request");
  assert_signed (f, 1, "content-md5;content-type;host;if-none-match;x-amz-");
  assert_count (f, NULL, 1);
}

static void
test_playlist_is_put_to_replace (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "one", NULL));
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "two", NULL));
  assert_text (f, "/bucket/rec/p.m3u8", "two");
  assert_header (f, "PUT", 1, "Content-Type", "application/vnd.apple.mpegurl");
  assert_header (f, "PUT", 1, "If-None-Match", NULL);
}

static const gchar *const optional_headers[] = { "Cache-Control",
  "Content-Disposition", "Content-Encoding", "x-amz-acl", "x-amz-storage-class",
  "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-customer-key", "x-amz-tagging",
  "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date",
  "x-amz-expected-bucket-owner", "x-amz-request-payer", "x-amz-checksum-crc32",
  "x-amz-security-token", "Expect", "Transfer-Encoding" };

static void
test_options_not_set_are_not_sent (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (optional_headers); i++)
    assert_header (f, "PUT", 1, optional_headers[i], NULL);
}

typedef struct
{
  const gchar *name; /* of the header */
  gsize option; /* offset */
  const gchar *value;
} Option;

#define OPTION(header, field, text) \
  { \
    header, G_STRUCT_OFFSET (AmsS3StoreOptions, field), text \
  }

static const Option options[] = {
  OPTION ("Content-Type", content_type, "video/x-own"),
  OPTION ("Cache-Control", segment_cache_control, "max-age=9"),
  OPTION ("Content-Disposition", content_disposition, "inline"),
  OPTION ("x-amz-acl", acl, "public-read"),
  OPTION ("x-amz-storage-class", storage_class, "STANDARD_IA"),
  OPTION ("x-amz-server-side-encryption", server_side_encryption, "AES256"),
  OPTION ("x-amz-server-side-encryption-aws-kms-key-id", sse_kms_key_id, "k"),
  OPTION ("x-amz-server-side-encryption-customer-key", sse_customer_key,
      "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
  OPTION ("x-amz-tagging", tagging, "a=b&c=d"),
  OPTION ("x-amz-object-lock-mode", object_lock_mode, "GOVERNANCE"),
  OPTION ("x-amz-object-lock-retain-until-date", object_lock_retain_until,
      "2030-01-01T00:00:00Z"),
  OPTION ("x-amz-expected-bucket-owner", expected_bucket_owner, "123"),
  OPTION ("x-amz-request-payer", request_payer, "requester"),
};

static void
test_option_is_sent (Fixture *f, gconstpointer data)
{
  const Option *c = data;

  *(gchar **) G_STRUCT_MEMBER_P (&f->options, c->option) = g_strdup (c->value);
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_header (f, "PUT", 1, c->name, c->value);
}

static void
test_customer_key_is_sent_with_its_md5 (Fixture *f, gconstpointer data)
{
  f->options.sse_customer_key =
      g_strdup ("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_header (f, "PUT", 1, "x-amz-server-side-encryption-customer-key-MD5",
      "KYvwGXoFFJ42a2u2GDWhwQ==");
  assert_header (f, "PUT", 1, "x-amz-server-side-encryption-customer-algorithm",
      "AES256");
}

static void
test_metadata_is_sent (Fixture *f, gconstpointer data)
{
  const gchar *metadata[] = { "camera", "7", "site", "roof", NULL };

  f->options.metadata = g_strdupv ((gchar **) metadata);
  start (f);
  g_assert_true (put_segment (f, "1.ts", "media", NULL));
  assert_header (f, "PUT", 1, "x-amz-meta-camera", "7");
  assert_header (f, "PUT", 1, "x-amz-meta-site", "roof");
}

static const struct
{
  const gchar *name;
  AmsS3Checksum checksum;
  const gchar *header; /* nullable */
  const gchar *value;
} checksums[] = {
  { "none", AMS_S3_CHECKSUM_NONE, NULL, NULL },
  { "md5", AMS_S3_CHECKSUM_MD5, "Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww==" },
  { "crc32", AMS_S3_CHECKSUM_CRC32, "x-amz-checksum-crc32", "DUoRhQ==" },
  { "sha256", AMS_S3_CHECKSUM_SHA256, "x-amz-checksum-sha256",
      "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=" },
};

static void
test_checksum_is_sent (Fixture *f, gconstpointer data)
{
  const gchar *const all[] = { "Content-MD5", "x-amz-checksum-crc32",
    "x-amz-checksum-sha256" };
  guint c = (const gchar *) data - (const gchar *) checksums;

  c /= sizeof checksums[0];
  f->options.checksum = checksums[c].checksum;
  start (f);
  g_assert_true (put_segment (f, "1.ts", "hello world", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    assert_header (f, "PUT", 1, all[i],
        g_strcmp0 (all[i], checksums[c].header) == 0 ? checksums[c].value
                                                     : NULL);
}

static void
test_gzip_playlist_is_put_and_fetched (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) there = NULL, back = NULL;

  f->options.gzip_playlists = TRUE;
  start (f);
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "#EXTM3U", NULL));
  assert_header (f, "PUT", 1, "Content-Encoding", "gzip");
  there = ams_fault_server_dup_object (f->server, "/bucket/rec/p.m3u8");
  g_assert_true (ams_gzip_is (there));
  back = fetch (f, "p.m3u8", 100, NULL);
  g_assert_cmpmem (g_bytes_get_data (back, NULL), g_bytes_get_size (back),
      "#EXTM3U", 7);
}

static void
test_name_that_is_no_key_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree gchar *name = g_strnfill (1025, 'x');
  g_autoptr (GError) error = NULL;

  start (f);
  g_assert_false (put_segment (f, name, "x", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 0, "shorter prefix");
  assert_count (f, NULL, 0);
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
  rule (f, &(AmsFaultRule){ .hold = TRUE });
  ams_store_put_async (f->store, &what, cancellable, on_done, &result);
  while (ams_fault_server_count (f->server, "PUT", NULL) == 0)
    g_main_context_iteration (NULL, FALSE);
  g_cancellable_cancel (cancellable);
  g_assert_false (ams_store_put_finish (f->store, wait_for (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* The retry table: what nothing helps against within the attempt */

typedef struct
{
  const gchar *name;
  guint status;
  const gchar *body;
  AmsFailure failure;
  guint said_status;
  const gchar *said;
  guint puts;
} Refusal;

static const Refusal refusals[] = {
  { "internal-error", 500, XML ("InternalError", "<Message>We</Message>"),
      AMS_FAILURE_TRANSIENT, 500, "“We”", 1 },
  { "no-xml-500", 500, "oops", AMS_FAILURE_TRANSIENT, 500, "500", 1 },
  { "bad-gateway", 502, "<html>bad</html>", AMS_FAILURE_TRANSIENT, 502, "502",
      1 },
  { "timeout", 400, XML ("RequestTimeout", ""), AMS_FAILURE_TRANSIENT, 400,
      "RequestTimeout", 1 },
  { "conflict", 409, XML ("ConditionalRequestConflict", ""),
      AMS_FAILURE_TRANSIENT, 409, "ConditionalRequestConflict", 1 },
  { "error-in-200", 200, XML ("InternalError", ""), AMS_FAILURE_TRANSIENT, 500,
      "InternalError", 1 },
  { "slow-down", 503, XML ("SlowDown", ""), AMS_FAILURE_THROTTLED, 503,
      "SlowDown", 1 },
  { "503-without-xml", 503, NULL, AMS_FAILURE_THROTTLED, 503, "overloaded", 1 },
  { "429", 429, NULL, AMS_FAILURE_THROTTLED, 429, "fewer", 1 },
  { "bad-digest", 400, XML ("BadDigest", ""), AMS_FAILURE_TRANSIENT, 400,
      "check the network", 4 },
  { "sha-mismatch", 400, XML ("XAmzContentSHA256Mismatch", ""),
      AMS_FAILURE_TRANSIENT, 400, "check the network", 4 },
  { "expired-static", 400, XML ("ExpiredToken", ""), AMS_FAILURE_PERMANENT, 400,
      "session token has expired", 1 },
  { "unknown-key", 403, XML ("InvalidAccessKeyId", ""), AMS_FAILURE_PERMANENT,
      403, "access-key", 1 },
  { "wrong-secret", 403, XML ("SignatureDoesNotMatch", ""),
      AMS_FAILURE_PERMANENT, 403, "secret-access-key", 1 },
  { "denied", 403, XML ("AccessDenied", ""), AMS_FAILURE_PERMANENT, 403,
      "s3:PutObject", 1 },
  { "no-bucket", 404, XML ("NoSuchBucket", ""), AMS_FAILURE_PERMANENT, 404,
      "no bucket “bucket”", 1 },
  { "too-large", 400, XML ("EntityTooLarge", ""), AMS_FAILURE_PERMANENT, 400,
      "larger", 1 },
  { "acl", 400,
      XML ("AccessControlListNotSupported", "<Header>x-amz-acl</Header>"),
      AMS_FAILURE_PERMANENT, 400, "acl", 1 },
  { "full", 507, XML ("XMinioStorageFull", ""), AMS_FAILURE_FULL, 507,
      "no room", 1 },
  { "quota", 403, XML ("QuotaExceeded", ""), AMS_FAILURE_FULL, 403, "quota",
      1 },
  { "moved-nowhere", 301, XML ("PermanentRedirect", ""), AMS_FAILURE_PERMANENT,
      301, "another", 1 },
  { "empty-message", 400, XML ("Odd", "<Message></Message>"),
      AMS_FAILURE_PERMANENT, 400, "400 Odd, request R1", 1 },
  { "cut-xml", 500, "<?xml version=\"1.0\"?><Error><Code>Intern",
      AMS_FAILURE_TRANSIENT, 500, "500", 1 },
};

static void
test_refusal_is_said (Fixture *f, gconstpointer data)
{
  const Refusal *c = data;
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .status = c->status,
          .headers = "Retry-After: 7",
          .store = AMS_FAULT_STORE_NOTHING,
          .body = c->body });
  g_assert_false (put_segment (f, "1.ts", "x", &error));
  assert_error (error, c->failure, c->said_status, c->said);
  g_assert_nonnull (strstr (error->message, "“bucket/rec/1.ts” was not"));
  g_assert_cmpuint (ams_store_error_get_retry_after (error), ==, 7);
  assert_count (f, "PUT", c->puts);
}

static void
test_storm_of_slow_down_passes (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body ("x", 1);

  start (f);
  rule (f,
      &(AmsFaultRule){ .count = 20,
          .status = 503,
          .body = XML ("SlowDown", "") });
  for (guint i = 1; i <= 20; i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (
        put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, i, &error));
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_THROTTLED);
  }
  g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 21, NULL));
  assert_count (f, NULL, 21);
}

/* There already */

static gboolean
put_with_lost_answer (Fixture *f)
{
  g_autoptr (AmsBody) body = new_body ("media", 5);
  g_autoptr (GError) error = NULL;

  rule (f,
      &(AmsFaultRule){ .method = "PUT", .count = 1, .end = AMS_FAULT_RESET });
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 1, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  return put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 2, NULL);
}

static void
test_lost_answer_is_found_by_etag (Fixture *f, gconstpointer data)
{
  start (f);
  g_assert_true (put_with_lost_answer (f));
  assert_count (f, "PUT", 2);
  assert_count (f, "HEAD", 1);
  assert_count (f, "GET", 0);
}

static void
test_lost_answer_is_found_by_bytes (Fixture *f, gconstpointer data)
{
  f->server_options.etag = AMS_FAULT_ETAG_OPAQUE;
  start (f);
  g_assert_true (put_with_lost_answer (f));
  assert_count (f, "GET", 1);
}

static void
test_another_object_is_not_replaced (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) size = NULL, bytes = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, "other", 5);
  g_assert_false (put_segment (f, "1.ts", "large", &bytes));
  assert_error (bytes, AMS_FAILURE_EXISTS, 412, "overwrite=always");
  g_assert_false (put_segment (f, "1.ts", "larger", &size));
  assert_error (size, AMS_FAILURE_EXISTS, 412, "overwrite=always");
  assert_count (f, "GET", 1);
  assert_text (f, "/bucket/rec/1.ts", "other");
}

static void
test_unreadable_object_is_not_replaced (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, "other", 5);
  rule (f, &(AmsFaultRule){ .method = "HEAD", .status = 403 });
  g_assert_false (put_segment (f, "1.ts", "large", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 403, "could not be compared");
}

static void
test_always_replaces (Fixture *f, gconstpointer data)
{
  f->options.overwrite = AMS_OVERWRITE_ALWAYS;
  start (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, "other", 5);
  g_assert_true (put_segment (f, "1.ts", "mine", NULL));
  assert_text (f, "/bucket/rec/1.ts", "mine");
  assert_header (f, "PUT", 1, "If-None-Match", NULL);
}

static void
test_never_replaces_own_playlist_only (Fixture *f, gconstpointer data)
{
  f->options.overwrite = AMS_OVERWRITE_NEVER;
  start (f);
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "one", NULL));
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "two", NULL));
  assert_header (f, "PUT", 1, "If-None-Match", "*");
  assert_header (f, "PUT", 2, "If-None-Match", NULL);
}

static void
test_never_replaces_version_whose_answer_was_lost (Fixture *f,
    gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.overwrite = AMS_OVERWRITE_NEVER;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT", .count = 1, .end = AMS_FAULT_RESET });
  ams_fault_server_put_object (f->server, "/bucket/rec/q.m3u8", NULL, "o", 1);
  g_assert_false (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "one", NULL));
  g_assert_true (put (f, "p.m3u8", AMS_FILE_ROLE_PLAYLIST, "second", NULL));
  assert_text (f, "/bucket/rec/p.m3u8", "second");
  g_assert_false (put (f, "q.m3u8", AMS_FILE_ROLE_PLAYLIST, "one", &error));
  assert_error (error, AMS_FAILURE_EXISTS, 412, "q.m3u8");
}

static void
test_unknown_condition_is_asked_instead (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->server_options.conditions = AMS_FAULT_CONDITIONS_REFUSED;
  start (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/3.ts", NULL, "other", 5);
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  g_assert_true (put_segment (f, "2.ts", "two", NULL));
  g_assert_false (put_segment (f, "3.ts", "large", &error));
  assert_error (error, AMS_FAILURE_EXISTS, 412, "3.ts");
  assert_header (f, "PUT", 1, "If-None-Match", "*");
  assert_header (f, "PUT", 2, "If-None-Match", NULL);
  assert_count (f, "PUT", 3);
  assert_count (f, "HEAD", 3);
}

static void
test_condition_is_named_by_400 (Fixture *f, gconstpointer data)
{
  start (f);
  rule (f,
      &(AmsFaultRule){ .header = "If-None-Match",
          .status = 400,
          .body = XML ("InvalidArgument",
              "<Message>Unsupported header If-None-Match</Message>") });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  assert_count (f, "PUT", 2);
}

static void
test_501_without_a_condition_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .status = 501,
          .body = XML ("NotImplemented", "<Header>x-amz-acl</Header>") });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 501, "x-amz-acl");
  assert_count (f, NULL, 1);
}

/* Integrity */

#define NO_MD5 "ETag: \"00000000000000000000000000000000\""

static void
test_other_object_is_put_again (Fixture *f, gconstpointer data)
{
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 1,
          .store = AMS_FAULT_STORE_PART,
          .store_bytes = 2,
          .status = 200,
          .headers = NO_MD5 });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  assert_header (f, "PUT", 1, "If-None-Match", "*");
  assert_header (f, "PUT", 2, "If-None-Match", NULL);
  assert_count (f, "PUT", 2);
  assert_count (f, "GET", 1);
  assert_text (f, "/bucket/rec/1.ts", "one");
}

/* SSE-C by another's default, and stores that number their objects. */
static void
test_etags_that_are_no_md5_are_found_out_once (Fixture *f, gconstpointer data)
{
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = NO_MD5 });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  g_assert_true (put_segment (f, "2.ts", "two", NULL));
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list", NULL));
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list2", NULL));
  assert_count (f, "PUT", 4);
  assert_count (f, "GET", 1);
  assert_count (f, "HEAD", 0);
}

/* Neither put again for ever, nor taken for good. */
static void
test_object_that_cannot_be_read_is_not_put_again (Fixture *f,
    gconstpointer data)
{
  g_autoptr (GError) error = NULL, again = NULL;

  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = NO_MD5 });
  rule (f,
      &(AmsFaultRule){ .method = "GET",
          .count = 2,
          .status = 403,
          .body = XML ("AccessDenied", "") });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 403, "s3:GetObject");
  g_assert_false (put_segment (f, "1.ts", "one", &again));
  assert_error (again, AMS_FAILURE_PERMANENT, 403, "s3:GetObject");
  assert_count (f, "PUT", 1);
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  assert_count (f, "PUT", 1);
}

/* The next version of a playlist is another file under the same name. */
static void
test_object_that_could_not_be_read_is_replaced_by_the_next (Fixture *f,
    gconstpointer data)
{
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = NO_MD5 });
  rule (f, &(AmsFaultRule){ .method = "GET", .count = 1, .status = 500 });
  g_assert_false (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list", NULL));
  g_assert_true (put (f, "p", AMS_FILE_ROLE_PLAYLIST, "list2", NULL));
  assert_text (f, "/bucket/rec/p", "list2");
  assert_count (f, "PUT", 2);
}

static void
test_other_etag_again_and_again_is_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 4,
          .store = AMS_FAULT_STORE_PART,
          .store_bytes = 2,
          .status = 200,
          .headers = NO_MD5 });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, 200, "ETag is not the MD5");
  assert_count (f, "PUT", 4);
  /* What is there is ours. */
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  assert_header (f, "PUT", 5, "If-None-Match", NULL);
}

static const struct
{
  const gchar *name, *headers;
} other_etags[] = {
  { "none", "X-Nothing: x" },
  { "of-parts", "ETag: \"00000000000000000000000000000000-2\"" },
  { "random", "ETag: \"abc\"" },
  { "kms",
      "ETag: \"00000000000000000000000000000000\"\n"
      "x-amz-server-side-encryption: aws:kms" },
};

static void
test_etag_that_is_no_md5_is_not_compared (Fixture *f, gconstpointer data)
{
  const gchar *headers = ((const gchar *const *) data)[1];

  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = headers });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  assert_count (f, NULL, 1);
}

/* A body that becomes another once it was read. */

#define CHANGING_TYPE_BODY (changing_body_get_type ())
G_DECLARE_FINAL_TYPE (ChangingBody, changing_body, CHANGING, BODY, AmsBody)

struct _ChangingBody
{
  AmsBody parent;
  guint reads;
};

G_DEFINE_FINAL_TYPE (ChangingBody, changing_body, AMS_TYPE_BODY)

static gssize
changing_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  if (offset >= ams_body_get_size (body))
    return 0;
  size = MIN (size, ams_body_get_size (body) - offset);
  memset (buffer, CHANGING_BODY (body)->reads++ == 0 ? 'a' : 'b', size);
  return size;
}

static void
changing_body_class_init (ChangingBodyClass *klass)
{
  AMS_BODY_CLASS (klass)->read = changing_read;
}

static void
changing_body_init (ChangingBody *self)
{
}

static void
test_file_that_changes_is_lost (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = g_object_new (CHANGING_TYPE_BODY, NULL);
  g_autoptr (GError) error = NULL;

  ams_body_set_size (body, 3);
  start (f);
  rule (f, &(AmsFaultRule){ .status = 400, .body = XML ("BadDigest", "") });
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 1, &error));
  assert_error (error, AMS_FAILURE_LOST, 0, "changed");
  assert_count (f, "PUT", 1);
}

/* Region, clock, credentials */

static const struct
{
  const gchar *name;
  guint status;
  const gchar *headers, *body;
} moves[] = {
  { "301", 301, "x-amz-bucket-region: eu-west-1",
      XML ("PermanentRedirect", "") },
  { "301-element", 301, NULL,
      XML ("PermanentRedirect",
          "<Endpoint>bucket.s3.eu-west-1.amazonaws.com</Endpoint>") },
  { "307", 307, "Location: http://127.0.0.1:1/",
      XML ("TemporaryRedirect", "<Region>eu-west-1</Region>") },
  { "400", 400, NULL,
      XML ("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>") },
  { "400-text", 400, NULL,
      XML ("AuthorizationHeaderMalformed",
          "<Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'"
          "</Message>") },
};

static void
test_region_is_learned (Fixture *f, gconstpointer data)
{
  guint c = ((const gchar *) data - (const gchar *) moves) / sizeof moves[0];

  start (f);
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .status = moves[c].status,
          .headers = moves[c].headers,
          .body = moves[c].body });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  g_assert_true (put_segment (f, "2.ts", "two", NULL));
  assert_signed (f, 1, "/us-east-1/s3/");
  assert_signed (f, 2, "/eu-west-1/s3/");
  assert_signed (f, 3, "/eu-west-1/s3/");
  assert_count (f, NULL, 3);
}

static void
test_region_is_learned_once_per_attempt (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .status = 301,
          .headers = "x-amz-bucket-region: eu-west-1",
          .body = XML ("PermanentRedirect", "") });
  rule (f,
      &(AmsFaultRule){ .status = 301,
          .headers = "x-amz-bucket-region: eu-west-2",
          .body = XML ("PermanentRedirect", "") });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 301, "eu-west-2");
  assert_count (f, NULL, 2);
}

static void
test_region_moves_endpoint_of_aws (Fixture *f, gconstpointer data)
{
  AmsS3Place *place;

  f->options.region = g_strdup ("us-east-1");
  start (f);
  g_clear_pointer (&f->options.endpoint, ams_s3_endpoint_free);
  g_assert_finalize_object (f->store);
  f->store = new_store (f);
  place = ams_s3_store_get_place (AMS_S3_STORE (f->store));
  g_assert_cmpstr (place->endpoint->host, ==, "s3.us-east-1.amazonaws.com");
  ams_s3_place_move (place, "eu-west-1");
  g_assert_cmpstr (place->endpoint->host, ==, "s3.eu-west-1.amazonaws.com");
  g_assert_cmpstr (place->region, ==, "eu-west-1");
}

/* x-amz-date of the @n-th, and how far it is from now, in s */
static gint64
clock_of (Fixture *f, guint n)
{
  g_autofree gchar *text = header_of (f, NULL, NULL, n, "x-amz-date");
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, NULL);

  return g_date_time_to_unix (date) - g_get_real_time () / G_USEC_PER_SEC;
}

static gchar *
date_header (gint64 ahead)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (
      g_get_real_time () / G_USEC_PER_SEC + ahead);

  return g_date_time_format (date, "Date: %a, %d %b %Y %H:%M:%S GMT");
}

static void
test_clock_is_set_once (Fixture *f, gconstpointer data)
{
  g_autofree gchar *hour = date_header (3600);

  start (f);
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .status = 403,
          .headers = hour,
          .body = XML ("RequestTimeTooSkewed", "") });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  g_assert_true (put_segment (f, "2.ts", "two", NULL));
  g_assert_cmpint (ABS (clock_of (f, 1)), <, 60);
  g_assert_cmpint (ABS (clock_of (f, 2) - 3600), <, 60);
  g_assert_cmpint (ABS (clock_of (f, 3) - 3600), <, 60);
  assert_count (f, NULL, 3);
}

static void
test_clock_that_stays_wrong_is_said (Fixture *f, gconstpointer data)
{
  g_autofree gchar *hour = date_header (3600), *day = date_header (90000);
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .status = 403,
          .headers = hour,
          .body = XML ("RequestTimeTooSkewed", "") });
  rule (f,
      &(AmsFaultRule){ .status = 403,
          .headers = day,
          .body = XML ("RequestTimeTooSkewed", "") });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 403, "clock");
  assert_count (f, NULL, 2);
}

/* A profile whose process answers KEY2, KEY3 … */
static void
use_process (Fixture *f)
{
  g_autofree gchar *config = file_in_folder (f, "config");
  g_autofree gchar *count = file_in_folder (f, "count");
  g_autofree gchar *script = file_in_folder (f, "process");
  g_autofree gchar *code = g_strdup_printf (
      "#!/bin/sh\necho x >>%s\nn=$(($(wc -l <%s)+1))\n"
      "echo '{\"Version\":1,\"AccessKeyId\":\"KEY'$n'\",\"SecretAccessKey\":"
      "\"" SECRET "\",\"SessionToken\":\"" SECRET "-t\","
      "\"Expiration\":\"2099-01-01T00:00:00Z\"}'\n",
      count, count);
  g_autofree gchar *text = g_strdup_printf (
      "[profile p]\nregion = eu-north-1\ncredential_process = /bin/sh %s\n",
      script);

  g_assert_true (g_file_set_contents (script, code, -1, NULL));
  g_assert_true (g_file_set_contents (config, text, -1, NULL));
  g_setenv ("AWS_CONFIG_FILE", config, TRUE);
  ams_s3_credentials_options_clear (&f->options.credentials);
  memset (&f->options.credentials, 0, sizeof f->options.credentials);
  f->options.credentials.profile = g_strdup ("p");
}

static void
test_expired_token_is_renewed (Fixture *f, gconstpointer data)
{
  use_process (f);
  start (f);
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .status = 400,
          .body = XML ("ExpiredToken", "") });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  assert_signed (f, 1, "Credential=KEY2/");
  assert_signed (f, 1, "/eu-north-1/s3/");
  assert_signed (f, 2, "Credential=KEY3/");
  assert_header (f, "PUT", 2, "x-amz-security-token", SECRET "-t");
  assert_count (f, NULL, 2);
}

static void
test_expired_token_is_renewed_once_per_attempt (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  use_process (f);
  start (f);
  rule (f, &(AmsFaultRule){ .status = 400, .body = XML ("ExpiredToken", "") });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 400, "expired");
  assert_count (f, NULL, 2);
}

/* Verifying */

static void
test_size_is_verified (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_SIZE;
  start (f);
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .count = 1,
          .store = AMS_FAULT_STORE_PART,
          .store_bytes = 2,
          .status = 200 });
  g_assert_false (put_segment (f, "2.ts", "two", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, 200, "holds 2 of 3 bytes");
  g_assert_true (put_segment (f, "2.ts", "two", NULL));
  assert_text (f, "/bucket/rec/2.ts", "two");
}

static void
test_nothing_stored_is_verified (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  start (f);
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .store = AMS_FAULT_STORE_NOTHING,
          .status = 200 });
  g_assert_false (put_segment (f, "1.ts", "one", &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, 200, "nothing there");
}

static void
test_verify_etags_that_change_are_found_out_once (Fixture *f,
    gconstpointer data)
{
  f->options.verify = AMS_HTTP_VERIFY_ETAG;
  f->server_options.etag = AMS_FAULT_ETAG_NONE;
  start (f);
  rule (f, &(AmsFaultRule){ .method = "PUT", .headers = "ETag: \"a\"" });
  rule (f, &(AmsFaultRule){ .method = "HEAD", .headers = "ETag: \"b\"" });
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  g_assert_true (put_segment (f, "2.ts", "two", NULL));
  assert_count (f, "PUT", 2);
  assert_count (f, "GET", 1);
}

/* Reading */

static void
test_fetch_answers_object (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/p", NULL, "list", 4);
  bytes = fetch (f, "p", 100, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      "list", 4);
  assert_header (f, "GET", 1, "Accept-Encoding", "identity");
  g_assert_null (fetch (f, "p", 3, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
}

static void
test_head_is_read_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) head = NULL;
  g_autoptr (GError) error = NULL;

  start (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL,
      "0123456789", 10);
  head = fetch_head (f, "1.ts", 4, 6, NULL);
  g_assert_nonnull (head);
  g_assert_cmpmem (g_bytes_get_data (head, NULL), g_bytes_get_size (head),
      "0123", 4);
  assert_header (f, "GET", 1, "Range", "bytes=0-3");
  g_assert_null (fetch_head (f, "2.ts", 4, 6, &error));
  g_assert_nonnull (error);
}

static const Refusal unread[] = {
  { "no-key", 404, XML ("NoSuchKey", ""), AMS_FAILURE_ABSENT, 404,
      "there is none", 1 },
  { "no-bucket", 404, XML ("NoSuchBucket", ""), AMS_FAILURE_PERMANENT, 404,
      "no bucket", 1 },
  { "404-of-another", 404, "<html/>", AMS_FAILURE_PERMANENT, 404, "endpoint",
      1 },
  { "denied", 403, XML ("AccessDenied", ""), AMS_FAILURE_PERMANENT, 403,
      "s3:GetObject", 1 },
};

static void
test_fetch_refusal_is_said (Fixture *f, gconstpointer data)
{
  const Refusal *c = data;
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .status = c->status, .body = c->body });
  g_assert_null (fetch (f, "p", 100, &error));
  assert_error (error, c->failure, c->said_status, c->said);
}

static void
test_fetch_tries_again (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) bytes = NULL;

  start (f);
  ams_s3_store_set_patience (AMS_S3_STORE (f->store), G_TIME_SPAN_MINUTE);
  ams_fault_server_put_object (f->server, "/bucket/rec/p", NULL, "list", 4);
  rule (f,
      &(AmsFaultRule){ .count = 1,
          .status = 500,
          .body = XML ("InternalError", "") });
  bytes = fetch (f, "p", 100, NULL);
  g_assert_nonnull (bytes);
  assert_count (f, "GET", 2);
}

#define PAGE(more) \
  "<ListBucketResult><EncodingType>url</EncodingType>" more \
  "</ListBucketResult>"
#define OBJECT(key, size) \
  "<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"

static void
test_list_has_all_pages (Fixture *f, gconstpointer data)
{
  const AmsFileEntry *entry;
  g_autoptr (GPtrArray) entries = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .path = "continuation-token=t%2F2",
          .status = 200,
          .body = PAGE (OBJECT ("rec/cam/2.ts", "7")) });
  rule (f,
      &(AmsFaultRule){ .path = "list-type=2",
          .status = 200,
          .body = PAGE (
              "<IsTruncated>true</IsTruncated>"
              "<NextContinuationToken>t/2</NextContinuationToken>" OBJECT (
                  "rec/cam/a+1%2B.ts", "5") OBJECT ("rec/cam/", "0")) });
  entries = list (f, "cam/", NULL);
  g_assert_cmpuint (entries->len, ==, 2);
  entry = entries->pdata[0];
  g_assert_cmpstr (entry->name, ==, "cam/a 1+.ts");
  g_assert_cmpuint (entry->size, ==, 5);
  entry = entries->pdata[1];
  g_assert_cmpstr (entry->name, ==, "cam/2.ts");
  g_assert_cmpuint (ams_fault_server_count (f->server, "GET",
                        "encoding-type=url&list-type=2&prefix=rec%2Fcam%2F"),
      ==, 2);
}

static const Refusal unlisted[] = {
  { "cut-page", 200, "<ListBucketResult><Contents><Key>rec/1",
      AMS_FAILURE_TRANSIENT, 0, "not a whole", 1 },
  { "pages-repeat", 200,
      PAGE ("<IsTruncated>true</IsTruncated>"
            "<NextContinuationToken>t</NextContinuationToken>"),
      AMS_FAILURE_PERMANENT, 200, "repeat", 2 },
  { "error-in-200", 200, XML ("InternalError", ""), AMS_FAILURE_TRANSIENT, 500,
      "InternalError", 1 },
  { "denied", 403, XML ("AccessDenied", ""), AMS_FAILURE_PERMANENT, 403,
      "s3:ListBucket", 1 },
};

static void
test_list_refusal_is_said (Fixture *f, gconstpointer data)
{
  const Refusal *c = data;
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f, &(AmsFaultRule){ .status = c->status, .body = c->body });
  g_assert_null (list (f, "", &error));
  assert_error (error, c->failure, c->said_status, c->said);
  assert_count (f, "GET", c->puts);
}

/* Removing, probing, notifying */

static void
test_remove_removes (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  g_assert_true (put_segment (f, "1.ts", "one", NULL));
  g_assert_true (remove_file (f, "1.ts", NULL));
  g_assert_true (remove_file (f, "1.ts", NULL));
  assert_text (f, "/bucket/rec/1.ts", NULL);
  rule (f, &(AmsFaultRule){ .status = 404, .body = XML ("NoSuchBucket", "") });
  g_assert_false (remove_file (f, "1.ts", &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 404, "no bucket");
}

static void
test_probe_leaves_nothing (Fixture *f, gconstpointer data)
{
  g_auto (GStrv) names = NULL;

  start (f);
  g_assert_true (probe (f, NULL));
  assert_count (f, "DELETE", 1);
  g_assert_cmpuint (
      ams_fault_server_count (f->server, "PUT", "/bucket/rec/amshls-probe-"),
      ==, 2);
  names = ams_fault_server_dup_names (f->server);
  g_assert_cmpuint (g_strv_length (names), ==, 0);
}

static void
test_probe_finds_that_conditions_are_ignored (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->server_options.conditions = AMS_FAULT_CONDITIONS_IGNORED;
  start (f);
  g_assert_true (probe (f, NULL));
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, "other", 5);
  g_assert_false (put_segment (f, "1.ts", "large", &error));
  assert_error (error, AMS_FAILURE_EXISTS, 412, "1.ts");
  assert_text (f, "/bucket/rec/1.ts", "other");
}

static void
test_probe_is_never_locked (Fixture *f, gconstpointer data)
{
  f->options.object_lock_mode = g_strdup ("COMPLIANCE");
  f->options.object_lock_retain_until = g_strdup ("2030-01-01T00:00:00Z");
  start (f);
  g_assert_true (probe (f, NULL));
  assert_header (f, "PUT", 1, "x-amz-object-lock-mode", NULL);
}

static const struct
{
  const gchar *name, *method;
  guint status;
  const gchar *body, *said;
  guint deletes;
} probes[] = {
  { "key", "PUT", 403, XML ("InvalidAccessKeyId", ""), "access-key", 0 },
  { "secret", "PUT", 403, XML ("SignatureDoesNotMatch", ""),
      "secret-access-key", 0 },
  { "region", "PUT", 301, XML ("PermanentRedirect", ""), "region", 0 },
  { "clock", "PUT", 403, XML ("RequestTimeTooSkewed", ""), "clock", 0 },
  { "bucket", "PUT", 404, XML ("NoSuchBucket", ""), "no bucket", 0 },
  { "put", "PUT", 403, XML ("AccessDenied", ""), "s3:PutObject", 0 },
  { "head", "HEAD", 403, NULL, "s3:GetObject", 1 },
  { "delete", "DELETE", 403, XML ("AccessDenied", ""), "s3:DeleteObject", 1 },
};

static void
test_probe_refusal_is_said (Fixture *f, gconstpointer data)
{
  guint c = ((const gchar *) data - (const gchar *) probes) / sizeof probes[0];
  g_autoptr (GError) error = NULL;

  start (f);
  rule (f,
      &(AmsFaultRule){ .method = probes[c].method,
          .status = probes[c].status,
          .body = probes[c].body });
  g_assert_false (probe (f, &error));
  assert_error (error, AMS_FAILURE_PERMANENT, probes[c].status, probes[c].said);
  assert_count (f, "DELETE", probes[c].deletes);
}

static void
test_notify_is_not_signed (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body ("{}", 2);
  g_autoptr (GAsyncResult) result = NULL;

  start (f);
  g_assert_finalize_object (f->store);
  f->options.notify_url = ams_fault_server_dup_url (f->server, "/hook");
  f->store = new_store (f);
  ams_store_notify_async (f->store, body, NULL, on_done, &result);
  g_assert_true (ams_store_notify_finish (f->store, wait_for (&result), NULL));
  assert_header (f, "POST", 1, "Content-Type", "application/json");
  assert_header (f, "POST", 1, "Authorization", NULL);
}

/* Options */

static const struct
{
  const gchar *name;
  gsize option; /* offset of a string */
  const gchar *value;
  const gchar *said;
} bad_options[] = {
#define BAD(field, value, said) \
  { \
#field "-" value, G_STRUCT_OFFSET(AmsS3StoreOptions, field), value, said \
  }
  BAD (bucket, "", "bucket is not set"),
  BAD (bucket, "a", "“a”"),
  BAD (prefix, "/x", "key-prefix"),
  BAD (region, "eu west", "region"),
  BAD (credentials.secret_key, "", "secret-access-key"),
  BAD (credentials.access_key, "", "access-key"),
  BAD (acl, "pübl", "acl"),
  BAD (tagging, "a=b\n", "tagging"),
  BAD (server_side_encryption, "AES", "server-side-encryption"),
  BAD (sse_kms_key_id, "k", "sse-kms-key-id"),
  BAD (sse_customer_key, "c2hvcnQ=", "sse-customer-key"),
  BAD (object_lock_mode, "GOVERNANCE", "object-lock-retain-until"),
  BAD (object_lock_retain_until, "2030-01-01T00:00:00Z", "object-lock-mode"),
};

static void
test_bad_option_is_named (Fixture *f, gconstpointer data)
{
  guint c = ((const gchar *) data - (const gchar *) bad_options) /
      sizeof bad_options[0];
  gchar **option = G_STRUCT_MEMBER_P (&f->options, bad_options[c].option);
  g_autoptr (GError) error = NULL;

  g_assert_true (ams_s3_store_options_check (&f->options, NULL));
  g_free (*option);
  *option = g_strdup (bad_options[c].value);
  g_assert_false (ams_s3_store_options_check (&f->options, &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 0, bad_options[c].said);
}

static void
test_bad_numbers_and_metadata_are_named (Fixture *f, gconstpointer data)
{
  const gchar *metadata[] = { "camera", "süd", NULL };
  g_autoptr (GError) part = NULL, threshold = NULL, meta = NULL;

  f->options.part_size = 1024;
  g_assert_false (ams_s3_store_options_check (&f->options, &part));
  assert_error (part, AMS_FAILURE_PERMANENT, 0, "part-size");
  f->options.part_size = 16 << 20;
  f->options.multipart_threshold = G_GUINT64_CONSTANT (6) << 30;
  g_assert_false (ams_s3_store_options_check (&f->options, &threshold));
  assert_error (threshold, AMS_FAILURE_PERMANENT, 0, "multipart-threshold");
  f->options.multipart_threshold = 64 << 20;
  f->options.metadata = g_strdupv ((gchar **) metadata);
  g_assert_false (ams_s3_store_options_check (&f->options, &meta));
  assert_error (meta, AMS_FAILURE_PERMANENT, 0, "metadata “camera”");
}

static void
test_options_are_copied_whole (Fixture *f, gconstpointer data)
{
  AmsS3StoreOptions copy;

  f->options.endpoint = ams_s3_endpoint_parse ("https://h:9/b", NULL);
  f->options.sse_customer_key = g_strdup (SECRET);
  f->options.request_payer = g_strdup ("requester");
  ams_s3_store_options_copy (&copy, &f->options);
  g_assert_cmpstr (copy.bucket, ==, "bucket");
  g_assert_true (copy.bucket != f->options.bucket);
  g_assert_cmpstr (copy.endpoint->base_path, ==, "/b");
  g_assert_cmpstr (copy.request_payer, ==, "requester");
  g_assert_cmpstr (copy.sse_customer_key, ==, SECRET);
  g_assert_cmpstr (copy.credentials.secret_key, ==, SECRET);
  g_assert_cmpuint (copy.part_size, ==, 16 << 20);
  ams_s3_store_options_clear (&copy);
}

static void
add_reading_tests (void)
{
  ADD ("fetch/answers-object", test_fetch_answers_object);
  ADD ("fetch/head", test_head_is_read_alone);
  ADD_TABLE (unread, "fetch", test_fetch_refusal_is_said);
  ADD ("fetch/tries-again", test_fetch_tries_again);
  ADD ("list/has-all-pages", test_list_has_all_pages);
  ADD_TABLE (unlisted, "list", test_list_refusal_is_said);
  ADD ("remove", test_remove_removes);
  ADD ("probe/leaves-nothing", test_probe_leaves_nothing);
  ADD ("probe/ignored", test_probe_finds_that_conditions_are_ignored);
  ADD ("probe/not-locked", test_probe_is_never_locked);
  ADD_TABLE (probes, "probe", test_probe_refusal_is_said);
  ADD ("notify/not-signed", test_notify_is_not_signed);
  ADD_TABLE (bad_options, "options", test_bad_option_is_named);
  ADD ("options/numbers", test_bad_numbers_and_metadata_are_named);
  ADD ("options/copy", test_options_are_copied_whole);
}

static void
add_answer_tests (void)
{
  ADD ("there/found-by-etag", test_lost_answer_is_found_by_etag);
  ADD ("there/found-by-bytes", test_lost_answer_is_found_by_bytes);
  ADD ("there/another", test_another_object_is_not_replaced);
  ADD ("there/unreadable", test_unreadable_object_is_not_replaced);
  ADD ("there/always", test_always_replaces);
  ADD ("there/never", test_never_replaces_own_playlist_only);
  ADD ("there/never-lost", test_never_replaces_version_whose_answer_was_lost);
  ADD ("there/asked", test_unknown_condition_is_asked_instead);
  ADD ("there/named-by-400", test_condition_is_named_by_400);
  ADD ("there/501-of-another", test_501_without_a_condition_is_said);
  ADD ("etag/again", test_other_object_is_put_again);
  ADD ("etag/once", test_etags_that_are_no_md5_are_found_out_once);
  ADD ("etag/unreadable", test_object_that_cannot_be_read_is_not_put_again);
  ADD ("etag/unreadable-next",
      test_object_that_could_not_be_read_is_replaced_by_the_next);
  ADD ("verify/other-etags", test_verify_etags_that_change_are_found_out_once);
  ADD ("etag/said", test_other_etag_again_and_again_is_said);
  ADD_TABLE (other_etags, "etag", test_etag_that_is_no_md5_is_not_compared);
  ADD ("changed", test_file_that_changes_is_lost);
  ADD_TABLE (moves, "region", test_region_is_learned);
  ADD ("region/once", test_region_is_learned_once_per_attempt);
  ADD ("region/aws", test_region_moves_endpoint_of_aws);
  ADD ("clock/set", test_clock_is_set_once);
  ADD ("clock/said", test_clock_that_stays_wrong_is_said);
  ADD ("token/renewed", test_expired_token_is_renewed);
  ADD ("token/once", test_expired_token_is_renewed_once_per_attempt);
  ADD ("verify/size", test_size_is_verified);
  ADD ("verify/nothing", test_nothing_stored_is_verified);
}

int
main (int argc, char *argv[])
{
  /* What this machine has set up is not for here. */
  g_unsetenv ("AWS_REGION");
  g_unsetenv ("AWS_DEFAULT_REGION");
  g_unsetenv ("AWS_PROFILE");
  g_setenv ("AWS_CONFIG_FILE", "/nowhere", TRUE);
  g_setenv ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere", TRUE);
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  ADD ("put/segment", test_segment_is_put_with_its_headers);
  ADD ("put/playlist", test_playlist_is_put_to_replace);
  ADD ("put/not-set", test_options_not_set_are_not_sent);
  ADD_TABLE (options, "put/option", test_option_is_sent);
  ADD ("put/customer-key", test_customer_key_is_sent_with_its_md5);
  ADD ("put/metadata", test_metadata_is_sent);
  ADD_TABLE (checksums, "put/checksum", test_checksum_is_sent);
  ADD ("put/gzip", test_gzip_playlist_is_put_and_fetched);
  ADD ("put/no-key", test_name_that_is_no_key_is_refused);
  ADD ("put/cancelled", test_cancelled_put_says_so);
  ADD_TABLE (refusals, "refused", test_refusal_is_said);
  ADD ("refused/storm", test_storm_of_slow_down_passes);
  add_answer_tests ();
  add_reading_tests ();
  return g_test_run ();
}
