/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3error.h"

#include <string.h>

#include "s3/amss3endpoint.h"
#include "s3/amss3xml.h"

#define MAX_BODY (64 * 1024)
#define MAX_TEXT 512
#define MAX_RETRY_AFTER 300 /* s; http-put.md H12 */

static const gchar *const action_names[] = {
  [AMS_S3_ACTION_NONE] = "none",
  [AMS_S3_ACTION_RETRY] = "retry",
  [AMS_S3_ACTION_SLOW_DOWN] = "slow-down",
  [AMS_S3_ACTION_REHASH] = "rehash",
  [AMS_S3_ACTION_REFRESH_CREDENTIALS] = "refresh-credentials",
  [AMS_S3_ACTION_FIX_CLOCK] = "fix-clock",
  [AMS_S3_ACTION_FIX_REGION] = "fix-region",
  [AMS_S3_ACTION_CHECK_EXISTING] = "check-existing",
  [AMS_S3_ACTION_DROP_HEADER] = "drop-header",
  [AMS_S3_ACTION_RESTART_UPLOAD] = "restart-upload",
};

const gchar *
ams_s3_action_to_string (AmsS3Action action)
{
  g_return_val_if_fail ((guint) action < G_N_ELEMENTS (action_names), "");

  return action_names[action];
}

/* Reading */

/* One line, without what a terminal or a log could be fooled with. */
static gchar *
clean_text (const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);
  const gchar *p;

  for (p = valid; *p != '\0' && out->len < MAX_TEXT; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (!g_unichar_isspace (c) && g_unichar_isprint (c))
      g_string_append_unichar (out, c);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
  while (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}

static void
set_text (gchar **to, const gchar *text)
{
  g_autofree gchar *clean = text != NULL ? clean_text (text) : NULL;

  if (*to == NULL && clean != NULL && *clean != '\0')
    *to = g_steal_pointer (&clean);
}

typedef struct
{
  AmsS3Answer *answer;
  gchar *server_time;
} BodyReader;

static gchar **
field_of (BodyReader *reader, const gchar *name)
{
  AmsS3Answer *answer = reader->answer;
  const struct
  {
    const gchar *name;
    gchar **to;
  } fields[] = { { "Code", &answer->code }, { "Message", &answer->message },
    { "Region", &answer->region }, { "Endpoint", &answer->endpoint },
    { "Header", &answer->header }, { "RequestId", &answer->request_id },
    { "HostId", &answer->host_id }, { "ServerTime", &reader->server_time } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (g_str_equal (name, fields[i].name))
      return fields[i].to;
  }
  return NULL;
}

/* S3 has <Error>, other services of AWS <ErrorResponse><Error>. */
static void
on_error_element (const gchar *path, const gchar *text, gpointer user_data)
{
  gchar **to = NULL;

  if (g_str_has_prefix (path, "ErrorResponse/"))
    path += strlen ("ErrorResponse/");
  if (g_str_has_prefix (path, "Error/"))
    to = field_of (user_data, path + strlen ("Error/"));
  else if (g_str_equal (path, "RequestId"))
    to = field_of (user_data, path);
  if (to != NULL)
    set_text (to, text);
}

static gboolean
is_error_body (GBytes *body)
{
  return body != NULL &&
      (ams_s3_xml_has_root (body, "Error") ||
          ams_s3_xml_has_root (body, "ErrorResponse"));
}

static void
read_body (BodyReader *reader, GBytes *body)
{
  g_autoptr (GBytes) part =
      g_bytes_new_from_bytes (body, 0, MIN (g_bytes_get_size (body), MAX_BODY));

  ams_s3_xml_parse (part, on_error_element, reader);
}

static void
read_headers (AmsS3Answer *answer, SoupMessageHeaders *headers)
{
  const gchar *region =
      soup_message_headers_get_one (headers, "x-amz-bucket-region");

  set_text (&answer->request_id,
      soup_message_headers_get_one (headers, "x-amz-request-id"));
  set_text (&answer->host_id,
      soup_message_headers_get_one (headers, "x-amz-id-2"));
  /* HEAD has no body that could say it. */
  set_text (&answer->code,
      soup_message_headers_get_one (headers, "x-minio-error-code"));
  set_text (&answer->code,
      soup_message_headers_get_one (headers, "x-amz-error-code"));
  if (region == NULL)
    return;
  g_clear_pointer (&answer->region, g_free);
  set_text (&answer->region, region);
}

static guint
parse_retry_after (const gchar *text, gint64 now)
{
  g_autoptr (GDateTime) date = NULL;
  guint64 seconds;

  if (text == NULL)
    return 0;
  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &seconds, NULL))
    return MIN (seconds, MAX_RETRY_AFTER);
  date = soup_date_time_new_from_http_string (text);
  if (date == NULL)
    return 0;
  return CLAMP (g_date_time_to_unix (date) - now / G_USEC_PER_SEC, 0,
      MAX_RETRY_AFTER);
}

/* Region and clock */

/* It becomes a part of a host's name: only what can be a region. */
static void
find_region (AmsS3Answer *answer)
{
  g_auto (GStrv) parts = NULL;

  if (answer->region == NULL && answer->message != NULL) {
    /* “the region 'us-east-1' is wrong; expecting 'eu-west-1'” */
    parts = g_strsplit (answer->message, "expecting '", 2);
    if (g_strv_length (parts) == 2)
      answer->region = g_strndup (parts[1], strcspn (parts[1], "'"));
  }
  if (answer->region == NULL && answer->endpoint != NULL) {
    g_autofree gchar *url = g_strconcat ("https://", answer->endpoint, NULL);
    g_autoptr (AmsS3Endpoint) endpoint = ams_s3_endpoint_parse (url, NULL);

    if (endpoint != NULL)
      answer->region = ams_s3_endpoint_dup_region (endpoint);
  }
  if (answer->region != NULL && !ams_s3_region_check (answer->region, NULL))
    g_clear_pointer (&answer->region, g_free);
}

static gint64
server_time_of (SoupMessageHeaders *headers, const gchar *said)
{
  const gchar *text = soup_message_headers_get_one (headers, "Date");
  g_autoptr (GDateTime) date =
      text != NULL ? soup_date_time_new_from_http_string (text) : NULL;

  if (date == NULL && said != NULL)
    date = g_date_time_new_from_iso8601 (said, NULL);
  return date != NULL ? g_date_time_to_unix (date) * G_USEC_PER_SEC : 0;
}

static void
find_clock_offset (AmsS3Answer *answer, const AmsS3Asked *asked,
    gint64 server_time, gint64 received)
{
  gint64 offset = server_time - received;

  if (server_time != 0 && ABS (offset - asked->clock_offset) > AMS_S3_MAX_SKEW)
    answer->clock_offset = offset;
}

/* Classes */

typedef struct
{
  const gchar *code;
  AmsFailure failure;
  AmsS3Action action;
} Class;

#define TRANSIENT AMS_FAILURE_TRANSIENT, AMS_S3_ACTION_RETRY
#define THROTTLED AMS_FAILURE_THROTTLED, AMS_S3_ACTION_SLOW_DOWN
#define INTEGRITY AMS_FAILURE_TRANSIENT, AMS_S3_ACTION_REHASH
#define CREDENTIALS AMS_FAILURE_PERMANENT, AMS_S3_ACTION_REFRESH_CREDENTIALS
#define CLOCK AMS_FAILURE_PERMANENT, AMS_S3_ACTION_FIX_CLOCK
#define REGION AMS_FAILURE_PERMANENT, AMS_S3_ACTION_FIX_REGION
#define EXISTS AMS_FAILURE_EXISTS, AMS_S3_ACTION_CHECK_EXISTING
#define HEADER AMS_FAILURE_PERMANENT, AMS_S3_ACTION_DROP_HEADER
#define UPLOAD AMS_FAILURE_TRANSIENT, AMS_S3_ACTION_RESTART_UPLOAD
#define FULL AMS_FAILURE_FULL, AMS_S3_ACTION_NONE
#define PERMANENT AMS_FAILURE_PERMANENT, AMS_S3_ACTION_NONE

static const Class codes[] = {
  { "InternalError", TRANSIENT },
  { "RequestTimeout", TRANSIENT },
  { "PriorRequestNotComplete", TRANSIENT },
  { "IncompleteBody", TRANSIENT },
  { "OperationAborted", TRANSIENT },
  { "ConditionalRequestConflict", TRANSIENT },
  { "ServiceUnavailable", TRANSIENT },
  { "XMinioServerNotInitialized", TRANSIENT },
  { "SlowDown", THROTTLED },
  { "SlowDownRead", THROTTLED },
  { "SlowDownWrite", THROTTLED },
  { "Throttling", THROTTLED },
  { "ThrottlingException", THROTTLED },
  { "RequestThrottled", THROTTLED },
  { "RequestLimitExceeded", THROTTLED },
  { "BandwidthLimitExceeded", THROTTLED },
  { "TooManyRequests", THROTTLED },
  { "BadDigest", INTEGRITY },
  { "XAmzContentSHA256Mismatch", INTEGRITY },
  { "InvalidDigest", INTEGRITY },
  { "ExpiredToken", CREDENTIALS },
  { "TokenRefreshRequired", CREDENTIALS },
  { "InvalidToken", CREDENTIALS },
  { "InvalidAccessKeyId", CREDENTIALS },
  { "RequestTimeTooSkewed", CLOCK },
  { "PermanentRedirect", REGION },
  { "TemporaryRedirect", REGION },
  { "AuthorizationHeaderMalformed", REGION },
  { "IllegalLocationConstraint", REGION },
  { "IllegalLocationConstraintException", REGION },
  { "PreconditionFailed", EXISTS },
  { "NotImplemented", HEADER },
  { "AccessControlListNotSupported", HEADER },
  { "XMinioStorageFull", FULL },
  { "QuotaExceeded", FULL },
  { "XMinioAdminBucketQuotaExceeded", FULL },
  { "NoSuchUpload", UPLOAD },
  { "InvalidPart", UPLOAD },
  { "InvalidPartOrder", UPLOAD },
  { "AccessDenied", PERMANENT },
  { "SignatureDoesNotMatch", PERMANENT },
  { "NoSuchBucket", PERMANENT },
  { "EntityTooLarge", PERMANENT },
  { "KeyTooLong", PERMANENT },
  { "KeyTooLongError", PERMANENT },
  { "InvalidBucketName", PERMANENT },
  { "InvalidStorageClass", PERMANENT },
  { "MissingContentLength", PERMANENT },
};

static Class
class_of_status (guint status)
{
  static const Class classes[] = { { NULL, TRANSIENT }, { NULL, THROTTLED },
    { NULL, FULL }, { NULL, EXISTS }, { NULL, HEADER }, { NULL, REGION },
    { NULL, PERMANENT } };

  switch (status) {
    case 408:
    case 499:
    case 500:
    case 502:
    case 504:
      return classes[0];
    case 429:
    case 503: /* here without a code: some proxy, or a HEAD */
    case 509:
      return classes[1];
    case 507:
      return classes[2];
    case 412:
      return classes[3];
    case 501:
      return classes[4];
    case 301:
    case 307:
      return classes[5];
    default:
      return status >= 520 && status <= 527 ? classes[0] : classes[6];
  }
}

static gboolean
says_unsupported (const AmsS3Answer *answer)
{
  g_autofree gchar *lower = NULL;

  if (answer->status != 400 || answer->message == NULL)
    return FALSE;
  lower = g_ascii_strdown (answer->message, -1);
  return strstr (lower, "unsupported header") != NULL;
}

static Class
class_of (const AmsS3Answer *answer)
{
  guint i;

  for (i = 0; answer->code != NULL && i < G_N_ELEMENTS (codes); i++) {
    if (g_str_equal (answer->code, codes[i].code))
      return codes[i];
  }
  if (says_unsupported (answer))
    return class_of_status (501);
  /* A code that is not known leaves the status to say it. */
  return class_of_status (answer->status);
}

static gboolean
region_is_new (const AmsS3Answer *answer, const AmsS3Asked *asked)
{
  return answer->region != NULL &&
      g_strcmp0 (answer->region, asked->region) != 0;
}

/* An action that has nothing to act with is none. */
static gboolean
can_act (const AmsS3Answer *answer, const AmsS3Asked *asked)
{
  switch (answer->action) {
    case AMS_S3_ACTION_REFRESH_CREDENTIALS:
      return asked->dynamic;
    case AMS_S3_ACTION_FIX_CLOCK:
      return answer->clock_offset != 0;
    case AMS_S3_ACTION_FIX_REGION:
      return region_is_new (answer, asked) || answer->endpoint != NULL;
    default:
      return TRUE;
  }
}

static gboolean
is_absent (const AmsS3Answer *answer, const AmsS3Asked *asked)
{
  if (answer->status != 404)
    return FALSE;
  /* HEAD cannot tell a bucket that is not there from a key that is not. */
  if (asked->operation == AMS_S3_HEAD && answer->code == NULL)
    return TRUE;
  return g_strcmp0 (answer->code, "NoSuchKey") == 0;
}

static void
classify (AmsS3Answer *answer, const AmsS3Asked *asked)
{
  Class class = class_of (answer);

  answer->failure = class.failure;
  answer->action = class.action;
  /* Some servers and every HEAD say a wrong clock or region by status alone. */
  if (answer->status == 403 && answer->clock_offset != 0 &&
      answer->action != AMS_S3_ACTION_REFRESH_CREDENTIALS)
    answer->action = AMS_S3_ACTION_FIX_CLOCK;
  else if (answer->status == 400 && answer->code == NULL &&
      region_is_new (answer, asked))
    answer->action = AMS_S3_ACTION_FIX_REGION;
  if (is_absent (answer, asked)) {
    answer->failure = AMS_FAILURE_ABSENT;
    answer->action = AMS_S3_ACTION_NONE;
  }
  if (!can_act (answer, asked))
    answer->action = AMS_S3_ACTION_NONE;
}

/* Success */

static gboolean
status_is_success (AmsS3Operation operation, guint status)
{
  switch (operation) {
    case AMS_S3_GET:
    case AMS_S3_HEAD:
    case AMS_S3_LIST:
    case AMS_S3_UPLOAD_CREATE:
      return status == 200;
    case AMS_S3_GET_PART:
      return status == 200 || status == 206;
    default: /* Ceph's are configurable */
      return status == 200 || status == 201 || status == 202 || status == 204;
  }
}

/* What is to be gone is gone. A bucket that is not there is a mistake. */
static gboolean
is_gone (const AmsS3Answer *answer, AmsS3Operation operation)
{
  if (operation != AMS_S3_DELETE && operation != AMS_S3_UPLOAD_ABORT)
    return FALSE;
  return (answer->status == 404 || answer->status == 410) &&
      g_strcmp0 (answer->code, "NoSuchBucket") != 0;
}

static gboolean
is_object (AmsS3Operation operation)
{
  return operation == AMS_S3_GET || operation == AMS_S3_GET_PART;
}

AmsS3Answer *
ams_s3_answer_new (const AmsS3Asked *asked, guint status,
    SoupMessageHeaders *headers, GBytes *body, gint64 received)
{
  AmsS3Answer *answer = g_new0 (AmsS3Answer, 1);
  BodyReader reader = { answer };
  /* An object may look like anything. */
  gboolean has_error = is_error_body (body) &&
      !(is_object (asked->operation) && status / 100 == 2);

  answer->status = has_error && status / 100 == 2 ? 500 : status;
  if (has_error)
    read_body (&reader, body);
  read_headers (answer, headers);
  find_region (answer);
  find_clock_offset (answer, asked,
      server_time_of (headers, reader.server_time), received);
  g_free (reader.server_time);
  answer->success = status_is_success (asked->operation, answer->status) ||
      is_gone (answer, asked->operation);
  if (answer->success)
    return answer;
  answer->retry_after = parse_retry_after (
      soup_message_headers_get_one (headers, "Retry-After"), received);
  classify (answer, asked);
  return answer;
}

void
ams_s3_answer_free (AmsS3Answer *answer)
{
  g_free (answer->code);
  g_free (answer->message);
  g_free (answer->request_id);
  g_free (answer->host_id);
  g_free (answer->header);
  g_free (answer->region);
  g_free (answer->endpoint);
  g_free (answer);
}

static void
append_detail (GString *out, const gchar *name, const gchar *value)
{
  if (value != NULL)
    g_string_append_printf (out, ", %s %s", name, value);
}

gchar *
ams_s3_answer_to_details (const AmsS3Answer *answer)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "status %u", answer->status);
  append_detail (out, "code", answer->code);
  append_detail (out, "request id", answer->request_id);
  append_detail (out, "host id", answer->host_id);
  append_detail (out, "message", answer->message);
  return g_string_free (out, FALSE);
}

/* ETags */

static gboolean
is_encrypted (SoupMessageHeaders *headers)
{
  const gchar *sse =
      soup_message_headers_get_one (headers, "x-amz-server-side-encryption");

  return (sse != NULL && g_str_has_prefix (sse, "aws:kms")) ||
      soup_message_headers_get_one (headers,
          "x-amz-server-side-encryption-customer-algorithm") != NULL;
}

gchar *
ams_s3_dup_md5_etag (SoupMessageHeaders *headers)
{
  const gchar *etag = soup_message_headers_get_one (headers, "ETag");
  gsize length = 0;

  if (etag == NULL || is_encrypted (headers))
    return NULL;
  if (*etag == '"')
    etag++;
  while (g_ascii_isxdigit (etag[length]))
    length++;
  if (length != 32 || (etag[length] != '\0' && strcmp (etag + length, "\"")))
    return NULL;
  return g_ascii_strdown (etag, length);
}
