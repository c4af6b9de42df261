/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "s3/amss3error.h"
#include "s3/amss3sentence.h"
#include "transfer/amsstore.h"

#define NOW (G_GINT64_CONSTANT (1795344364) * G_USEC_PER_SEC)
#define DATE_NOW "Sun, 22 Nov 2026 10:46:04 GMT"
#define DATE_LATER "Sun, 22 Nov 2026 11:46:04 GMT" /* 3600 s */

#define ERR(code) \
  "<Error><Code>" code "</Code><RequestId>R1</RequestId></Error>"

static const AmsS3Asked asked = { AMS_S3_PUT, "s3.test", "rec", "cam1/1.ts",
  "us-east-1", FALSE, 0 };

/* @fields: name, value, …, NULL */
static AmsS3Answer *
answer_to (const AmsS3Asked *what, guint status, const gchar *const *fields,
    const gchar *body)
{
  SoupMessageHeaders *headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  g_autoptr (GBytes) bytes =
      body != NULL ? g_bytes_new_static (body, strlen (body)) : NULL;
  AmsS3Answer *answer;

  for (; fields != NULL && fields[0] != NULL; fields += 2)
    soup_message_headers_append (headers, fields[0], fields[1]);
  answer = ams_s3_answer_new (what, status, headers, bytes, NOW);
  soup_message_headers_unref (headers);
  return answer;
}

/* ---- the retry table ---- */

typedef struct
{
  const gchar *name;
  guint status;
  const gchar *body;
  AmsFailure failure;
  AmsS3Action action;
  AmsS3Operation operation;
  gboolean dynamic;
  const gchar *fields[5];
} Row;

#define ROW(name, status, body, failure, action, ...) \
  { \
    name, status, body, AMS_FAILURE_##failure, AMS_S3_ACTION_##action, \
        __VA_ARGS__ \
  }

static const Row rows[] = {
  ROW ("408", 408, NULL, TRANSIENT, RETRY),
  ROW ("499", 499, NULL, TRANSIENT, RETRY),
  ROW ("500", 500, NULL, TRANSIENT, RETRY),
  ROW ("502-html", 502, "<html><h1>Bad gateway</h1></html>", TRANSIENT, RETRY),
  ROW ("504", 504, NULL, TRANSIENT, RETRY),
  ROW ("520", 520, NULL, TRANSIENT, RETRY),
  ROW ("527", 527, NULL, TRANSIENT, RETRY),
  ROW ("528", 528, NULL, PERMANENT, NONE),
  ROW ("internal-error", 500, ERR ("InternalError"), TRANSIENT, RETRY),
  ROW ("request-timeout", 400, ERR ("RequestTimeout"), TRANSIENT, RETRY),
  ROW ("prior-request", 400, ERR ("PriorRequestNotComplete"), TRANSIENT, RETRY),
  ROW ("incomplete-body", 400, ERR ("IncompleteBody"), TRANSIENT, RETRY),
  ROW ("operation-aborted", 409, ERR ("OperationAborted"), TRANSIENT, RETRY),
  ROW ("conditional-conflict", 409, ERR ("ConditionalRequestConflict"),
      TRANSIENT, RETRY),
  ROW ("503-unavailable", 503, ERR ("ServiceUnavailable"), TRANSIENT, RETRY),
  ROW ("minio-starting", 503, ERR ("XMinioServerNotInitialized"), TRANSIENT,
      RETRY),
  ROW ("200-error", 200, ERR ("InternalError"), TRANSIENT, RETRY,
      AMS_S3_UPLOAD_COMPLETE),
  ROW ("200-error-unknown", 200, ERR ("Whatever"), TRANSIENT, RETRY),
  ROW ("429", 429, NULL, THROTTLED, SLOW_DOWN),
  ROW ("509", 509, NULL, THROTTLED, SLOW_DOWN),
  ROW ("503-no-xml", 503, NULL, THROTTLED, SLOW_DOWN),
  ROW ("503-html", 503, "<html></html>", THROTTLED, SLOW_DOWN),
  ROW ("slow-down", 503, ERR ("SlowDown"), THROTTLED, SLOW_DOWN),
  ROW ("slow-down-write", 503, ERR ("SlowDownWrite"), THROTTLED, SLOW_DOWN),
  ROW ("throttling", 400, ERR ("ThrottlingException"), THROTTLED, SLOW_DOWN),
  ROW ("too-many", 400, ERR ("TooManyRequests"), THROTTLED, SLOW_DOWN),
  ROW ("bad-digest", 400, ERR ("BadDigest"), TRANSIENT, REHASH),
  ROW ("sha256-mismatch", 400, ERR ("XAmzContentSHA256Mismatch"), TRANSIENT,
      REHASH),
  ROW ("expired-token-dynamic", 400, ERR ("ExpiredToken"), PERMANENT,
      REFRESH_CREDENTIALS, AMS_S3_PUT, TRUE),
  ROW ("expired-token-static", 400, ERR ("ExpiredToken"), PERMANENT, NONE),
  ROW ("access-key-dynamic", 403, ERR ("InvalidAccessKeyId"), PERMANENT,
      REFRESH_CREDENTIALS, AMS_S3_PUT, TRUE),
  ROW ("access-key-static", 403, ERR ("InvalidAccessKeyId"), PERMANENT, NONE),
  ROW ("skewed", 403, ERR ("RequestTimeTooSkewed"), PERMANENT, FIX_CLOCK,
      AMS_S3_PUT, FALSE, { "Date", DATE_LATER }),
  ROW ("skewed-no-date", 403, ERR ("RequestTimeTooSkewed"), PERMANENT, NONE),
  ROW ("skewed-server-time", 403,
      "<Error><Code>RequestTimeTooSkewed</Code>"
      "<ServerTime>2026-11-22T11:46:04Z</ServerTime></Error>",
      PERMANENT, FIX_CLOCK),
  ROW ("403-skewed-date", 403, ERR ("SignatureDoesNotMatch"), PERMANENT,
      FIX_CLOCK, AMS_S3_PUT, FALSE, { "Date", DATE_LATER }),
  ROW ("403-head-skewed-date", 403, NULL, PERMANENT, FIX_CLOCK, AMS_S3_HEAD,
      FALSE, { "Date", DATE_LATER }),
  ROW ("403-good-date", 403, ERR ("AccessDenied"), PERMANENT, NONE, AMS_S3_PUT,
      FALSE, { "Date", DATE_NOW }),
  ROW ("404-skewed-date", 404, ERR ("NoSuchBucket"), PERMANENT, NONE,
      AMS_S3_PUT, FALSE, { "Date", DATE_LATER }),
  ROW ("301-header", 301, ERR ("PermanentRedirect"), PERMANENT, FIX_REGION,
      AMS_S3_PUT, FALSE, { "x-amz-bucket-region", "eu-west-1" }),
  ROW ("301-head", 301, NULL, PERMANENT, FIX_REGION, AMS_S3_HEAD, FALSE,
      { "x-amz-bucket-region", "eu-west-1" }),
  ROW ("301-nothing-known", 301, NULL, PERMANENT, NONE),
  ROW ("301-same-region", 301, NULL, PERMANENT, NONE, AMS_S3_PUT, FALSE,
      { "x-amz-bucket-region", "us-east-1" }),
  ROW ("307-endpoint", 307,
      "<Error><Code>TemporaryRedirect</Code>"
      "<Endpoint>rec.s3-eu-west-1.amazonaws.com</Endpoint></Error>",
      PERMANENT, FIX_REGION),
  ROW ("malformed-region", 400,
      "<Error><Code>AuthorizationHeaderMalformed</Code>"
      "<Region>eu-west-1</Region></Error>",
      PERMANENT, FIX_REGION),
  ROW ("malformed-expecting", 400,
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The region "
      "'us-east-1' is wrong; expecting 'eu-west-1'</Message></Error>",
      PERMANENT, FIX_REGION),
  ROW ("malformed-evil-region", 400,
      "<Error><Code>AuthorizationHeaderMalformed</Code>"
      "<Region>evil.org/</Region></Error>",
      PERMANENT, NONE),
  ROW ("malformed-no-region", 400, ERR ("AuthorizationHeaderMalformed"),
      PERMANENT, NONE),
  ROW ("400-head-region", 400, NULL, PERMANENT, FIX_REGION, AMS_S3_HEAD, FALSE,
      { "x-amz-bucket-region", "eu-west-1" }),
  ROW ("412", 412, ERR ("PreconditionFailed"), EXISTS, CHECK_EXISTING),
  ROW ("412-no-body", 412, NULL, EXISTS, CHECK_EXISTING),
  ROW ("501", 501, ERR ("NotImplemented"), PERMANENT, DROP_HEADER),
  ROW ("501-no-body", 501, NULL, PERMANENT, DROP_HEADER),
  ROW ("400-unsupported-header", 400,
      "<Error><Code>InvalidArgument</Code><Message>Unsupported header "
      "'x-amz-checksum-crc32'</Message></Error>",
      PERMANENT, DROP_HEADER),
  ROW ("acl", 400, ERR ("AccessControlListNotSupported"), PERMANENT,
      DROP_HEADER),
  ROW ("507", 507, NULL, FULL, NONE),
  ROW ("minio-full", 500, ERR ("XMinioStorageFull"), FULL, NONE),
  ROW ("quota", 403, ERR ("QuotaExceeded"), FULL, NONE),
  ROW ("access-denied", 403, ERR ("AccessDenied"), PERMANENT, NONE),
  ROW ("signature", 403, ERR ("SignatureDoesNotMatch"), PERMANENT, NONE),
  ROW ("no-bucket", 404, ERR ("NoSuchBucket"), PERMANENT, NONE),
  ROW ("no-bucket-get", 404, ERR ("NoSuchBucket"), PERMANENT, NONE, AMS_S3_GET),
  ROW ("no-key-get", 404, ERR ("NoSuchKey"), ABSENT, NONE, AMS_S3_GET),
  ROW ("404-get-html", 404, "<html></html>", PERMANENT, NONE, AMS_S3_GET),
  ROW ("404-head", 404, NULL, ABSENT, NONE, AMS_S3_HEAD),
  ROW ("404-head-no-bucket", 404, NULL, PERMANENT, NONE, AMS_S3_HEAD, FALSE,
      { "x-minio-error-code", "NoSuchBucket" }),
  ROW ("404-head-no-key", 404, NULL, ABSENT, NONE, AMS_S3_HEAD, FALSE,
      { "x-minio-error-code", "NoSuchKey" }),
  ROW ("403-get", 403, NULL, PERMANENT, NONE, AMS_S3_GET),
  ROW ("no-upload", 404, ERR ("NoSuchUpload"), TRANSIENT, RESTART_UPLOAD,
      AMS_S3_UPLOAD_PART),
  ROW ("too-large", 400, ERR ("EntityTooLarge"), PERMANENT, NONE),
  ROW ("other-4xx", 418, NULL, PERMANENT, NONE),
  ROW ("3xx", 302, NULL, PERMANENT, NONE),
  ROW ("206-put", 206, NULL, PERMANENT, NONE),
  ROW ("delete-no-bucket", 404, ERR ("NoSuchBucket"), PERMANENT, NONE,
      AMS_S3_DELETE),
  ROW ("unknown-code-status", 503, ERR ("Strange"), THROTTLED, SLOW_DOWN),
};

static void
test_retry_table (gconstpointer data)
{
  const Row *c = data;
  AmsS3Asked what = asked;
  g_autoptr (AmsS3Answer) answer = NULL;

  what.operation = c->operation;
  what.dynamic = c->dynamic;
  answer = answer_to (&what, c->status, c->fields, c->body);
  g_assert_false (answer->success);
  g_assert_cmpstr (ams_failure_to_string (answer->failure), ==,
      ams_failure_to_string (c->failure));
  g_assert_cmpstr (ams_s3_action_to_string (answer->action), ==,
      ams_s3_action_to_string (c->action));
}

/* ---- success ---- */

static const struct
{
  AmsS3Operation operation;
  guint status;
  const gchar *body;
} successes[] = {
  { AMS_S3_PUT, 200 },
  { AMS_S3_PUT, 201 },
  { AMS_S3_PUT, 204 },
  { AMS_S3_GET, 200, ERR ("InternalError") }, /* an object may hold anything */
  { AMS_S3_GET_PART, 200 },
  { AMS_S3_GET_PART, 206, ERR ("InternalError") },
  { AMS_S3_HEAD, 200 },
  { AMS_S3_DELETE, 204 },
  { AMS_S3_DELETE, 404, ERR ("NoSuchKey") },
  { AMS_S3_DELETE, 410 },
  { AMS_S3_UPLOAD_ABORT, 404, ERR ("NoSuchUpload") },
  { AMS_S3_LIST, 200, "<ListBucketResult/>" },
  { AMS_S3_UPLOAD_COMPLETE, 200, "<CompleteMultipartUploadResult/>" },
};

static void
test_answer_success (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (successes); i++) {
    AmsS3Asked what = asked;
    g_autoptr (AmsS3Answer) answer = NULL;

    what.operation = successes[i].operation;
    answer = answer_to (&what, successes[i].status, NULL, successes[i].body);
    g_test_message ("%u", i);
    g_assert_true (answer->success);
  }
}

/* ---- what is read ---- */

static void
test_answer_fields_read (void)
{
  static const gchar *const fields[] = { "x-amz-request-id", "H1", "x-amz-id-2",
    "H2", "Retry-After", "7", NULL };
  g_autoptr (AmsS3Answer) answer = answer_to (&asked, 501, fields,
      "\xef\xbb\xbf<?xml version='1.0'?><s:Error xmlns:s='u'><s:Code>"
      "NotImplemented</s:Code><s:Message>A header\n\tyou \x1b[31mprovided"
      "</s:Message><s:Header>If-None-Match</s:Header></s:Error>");
  g_autofree gchar *details = ams_s3_answer_to_details (answer);

  g_assert_cmpstr (answer->message, ==, "A header you [31mprovided");
  g_assert_cmpstr (answer->header, ==, "If-None-Match");
  g_assert_cmpuint (answer->retry_after, ==, 7);
  g_assert_cmpstr (details, ==,
      "status 501, code NotImplemented, request id H1, host id H2, message A "
      "header you [31mprovided");
}

static void
test_answer_truncated_code_read (void)
{
  g_autoptr (AmsS3Answer) answer = answer_to (&asked, 403, NULL,
      "<Error><Code>AccessDenied</Code><Message>Acc");

  g_assert_cmpstr (answer->code, ==, "AccessDenied");
  g_assert_null (answer->message);
}

static void
test_answer_other_service_read (void)
{
  g_autoptr (AmsS3Answer) answer = answer_to (&asked, 400, NULL,
      "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message/>"
      "</Error><RequestId>R</RequestId></ErrorResponse>");

  g_assert_cmpstr (answer->code, ==, "InvalidIdentityToken");
  g_assert_null (answer->message);
}

static void
test_answer_retry_after_date (void)
{
  static const gchar *const soon[] = { "Retry-After",
    "Sun, 22 Nov 2026 10:46:24 GMT", NULL };
  static const gchar *const later[] = { "Retry-After", DATE_LATER, NULL };
  static const gchar *const garbage[] = { "Retry-After", "-5", NULL };
  g_autoptr (AmsS3Answer) a = answer_to (&asked, 503, soon, NULL);
  g_autoptr (AmsS3Answer) b = answer_to (&asked, 503, later, NULL);
  g_autoptr (AmsS3Answer) c = answer_to (&asked, 503, garbage, NULL);

  g_assert_cmpuint (a->retry_after, ==, 20);
  g_assert_cmpuint (b->retry_after, ==, 300);
  g_assert_cmpuint (c->retry_after, ==, 0);
}

static void
test_answer_clock_offset_learned_once (void)
{
  static const gchar *const fields[] = { "Date", DATE_LATER, NULL };
  AmsS3Asked corrected = asked;
  g_autoptr (AmsS3Answer) first =
      answer_to (&asked, 403, fields, ERR ("RequestTimeTooSkewed"));
  g_autoptr (AmsS3Answer) second = NULL;

  g_assert_cmpint (first->clock_offset, ==, G_TIME_SPAN_HOUR);
  corrected.clock_offset = first->clock_offset;
  second = answer_to (&corrected, 403, fields, ERR ("RequestTimeTooSkewed"));
  g_assert_cmpint (second->clock_offset, ==, 0);
  g_assert_cmpint (second->action, ==, AMS_S3_ACTION_NONE);
}

static void
test_answer_region_header_before_body (void)
{
  static const gchar *const fields[] = { "x-amz-bucket-region", "eu-west-1",
    NULL };
  g_autoptr (AmsS3Answer) answer = answer_to (&asked, 301, fields,
      "<Error><Code>PermanentRedirect</Code><Region>us-east-1</Region>"
      "<Endpoint>rec.s3.amazonaws.com</Endpoint></Error>");

  g_assert_cmpstr (answer->region, ==, "eu-west-1");
  g_assert_cmpstr (answer->endpoint, ==, "rec.s3.amazonaws.com");
}

/* ---- sentences ---- */

typedef struct
{
  const gchar *name;
  guint status;
  const gchar *body;
  const gchar *sentence;
  const gchar *fields[3];
} Sentence;

static const Sentence sentences[] = {
  { "access-key", 403, ERR ("InvalidAccessKeyId"),
      "“rec/cam1/1.ts” was not stored: s3.test does not know the access key; "
      "check access-key (403 InvalidAccessKeyId, request R1)" },
  { "secret", 403, ERR ("SignatureDoesNotMatch"),
      "“rec/cam1/1.ts” was not stored: the secret does not belong to the access "
      "key; check secret-access-key (403 SignatureDoesNotMatch, request R1)" },
  { "region", 400,
      "<Error><Code>AuthorizationHeaderMalformed</Code>"
      "<Region>eu-west-1</Region></Error>",
      "“rec/cam1/1.ts” was not stored: the bucket “rec” is in the region "
      "“eu-west-1”, not in “us-east-1”; set region to that (400 "
      "AuthorizationHeaderMalformed)" },
  { "clock", 403, ERR ("AccessDenied"),
      "“rec/cam1/1.ts” was not stored: this computer's clock is 60 minutes off; "
      "set it right (403 AccessDenied, request R1)",
      { "Date", DATE_LATER } },
  { "bucket", 404, ERR ("NoSuchBucket"),
      "“rec/cam1/1.ts” was not stored: s3.test has no bucket “rec”; create it, "
      "or check bucket, region and endpoint (404 NoSuchBucket, request R1)" },
  { "quota", 403, ERR ("QuotaExceeded"),
      "“rec/cam1/1.ts” was not stored: the quota of the bucket “rec” is used "
      "up; make room, or raise it (403 QuotaExceeded, request R1)" },
  { "denied", 403, ERR ("AccessDenied"),
      "“rec/cam1/1.ts” was not stored: the access key may not do that in the "
      "bucket “rec”; allow it s3:PutObject (403 AccessDenied, request R1)" },
  { "unknown-code", 400,
      "<Error><Code>Odd</Code><Message>It is odd.</Message></Error>",
      "“rec/cam1/1.ts” was not stored: s3.test said “It is odd.” (400 Odd)" },
  { "html", 403, "<html><h1>no</h1></html>",
      "“rec/cam1/1.ts” was not stored: s3.test does not allow it; check "
      "access-key, secret-access-key and what they may do (403)" },
  { "status-only", 418, NULL,
      "“rec/cam1/1.ts” was not stored: s3.test answered with an error (418)" },
};

static void
test_sentence (gconstpointer data)
{
  const Sentence *c = data;
  g_autoptr (AmsS3Answer) answer =
      answer_to (&asked, c->status, c->fields, c->body);
  g_autoptr (GError) error = ams_s3_answer_to_error (answer, &asked);

  g_assert_cmpstr (error->message, ==, c->sentence);
  g_assert_cmpuint (ams_store_error_get_http_status (error), ==, c->status);
  g_assert_cmpint (ams_store_error_get_failure (error), ==, answer->failure);
}

/* ---- ETags ---- */

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"

static const struct
{
  const gchar *etag, *sse, *ssec, *md5;
} etags[] = {
  { "\"" MD5 "\"", NULL, NULL, MD5 },
  { MD5, NULL, NULL, MD5 },
  { "\"D41D8CD98F00B204E9800998ECF8427E\"", NULL, NULL, MD5 },
  { "\"" MD5 "\"", "AES256", NULL, MD5 },
  { "\"" MD5 "\"", "aws:kms", NULL, NULL },
  { "\"" MD5 "\"", "aws:kms:dsse", NULL, NULL },
  { "\"" MD5 "\"", NULL, "AES256", NULL },
  { "\"" MD5 "-2\"", NULL, NULL, NULL },
  { "W/\"" MD5 "\"", NULL, NULL, NULL },
  { "\"abc\"", NULL, NULL, NULL },
  { "\"", NULL, NULL, NULL },
  { NULL, NULL, NULL, NULL },
};

static void
test_etag_md5_only_if_it_can_be (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (etags); i++) {
    SoupMessageHeaders *headers =
        soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
    g_autofree gchar *md5 = NULL;

    if (etags[i].etag != NULL)
      soup_message_headers_append (headers, "ETag", etags[i].etag);
    if (etags[i].sse != NULL)
      soup_message_headers_append (headers, "x-amz-server-side-encryption",
          etags[i].sse);
    if (etags[i].ssec != NULL)
      soup_message_headers_append (headers,
          "x-amz-server-side-encryption-customer-algorithm", etags[i].ssec);
    md5 = ams_s3_dup_md5_etag (headers);
    soup_message_headers_unref (headers);
    g_assert_cmpstr (md5, ==, etags[i].md5);
  }
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (rows, "/s3-retry/", test_retry_table);
  g_test_add_func ("/s3-answer/success", test_answer_success);
  g_test_add_func ("/s3-answer/fields/read", test_answer_fields_read);
  g_test_add_func ("/s3-answer/truncated/code-read",
      test_answer_truncated_code_read);
  g_test_add_func ("/s3-answer/other-service/read",
      test_answer_other_service_read);
  g_test_add_func ("/s3-answer/retry-after/date", test_answer_retry_after_date);
  g_test_add_func ("/s3-answer/clock-offset/learned-once",
      test_answer_clock_offset_learned_once);
  g_test_add_func ("/s3-answer/region/header-before-body",
      test_answer_region_header_before_body);
  ADD_TABLE (sentences, "/s3-sentence/", test_sentence);
  g_test_add_func ("/s3-etag/md5-only-if-it-can-be",
      test_etag_md5_only_if_it_can_be);
  return g_test_run ();
}
