/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3sentence.h"

#include <string.h>

#include "transfer/amsstore.h"

#define MAX_ID 64 /* characters of a code or a request's id that are shown */

/* {bucket} {host} {region} {there} {offset} {permission} {header} are filled in. */
static const struct
{
  const gchar *code;
  const gchar *sentence;
} sentences[] = {
  { "InvalidAccessKeyId",
      "{host} does not know the access key; check access-key" },
  { "SignatureDoesNotMatch",
      "the secret does not belong to the access key; check secret-access-key" },
  { "AccessDenied",
      "the access key may not do that in the bucket “{bucket}”; allow it "
      "{permission}" },
  { "UserSuspended",
      "the user of the access key is suspended; enable it again" },
  { "ExpiredToken", "the session token has expired; give new credentials" },
  { "TokenRefreshRequired",
      "the session token has expired; give new credentials" },
  { "InvalidToken",
      "the session token is not valid; give one that belongs to the access key, "
      "or none" },
  { "RequestTimeTooSkewed",
      "this computer's clock is {offset} off; set it right" },
  { "PermanentRedirect",
      "the bucket “{bucket}” is in the region “{there}”, not in “{region}”; set "
      "region and endpoint to that" },
  { "TemporaryRedirect",
      "the bucket “{bucket}” is in the region “{there}”, not in “{region}”; set "
      "region and endpoint to that" },
  { "AuthorizationHeaderMalformed",
      "the bucket “{bucket}” is in the region “{there}”, not in “{region}”; set "
      "region to that" },
  { "IllegalLocationConstraint",
      "the bucket “{bucket}” is in the region “{there}”, not in “{region}”; set "
      "region to that" },
  { "IllegalLocationConstraintException",
      "the bucket “{bucket}” is in the region “{there}”, not in “{region}”; set "
      "region to that" },
  { "NoSuchBucket",
      "{host} has no bucket “{bucket}”; create it, or check bucket, region and "
      "endpoint" },
  { "NoSuchKey", "there is none" },
  { "NoSuchUpload", "the upload of parts was ended by somebody else" },
  { "QuotaExceeded",
      "the quota of the bucket “{bucket}” is used up; make room, or raise it" },
  { "XMinioAdminBucketQuotaExceeded",
      "the quota of the bucket “{bucket}” is used up; make room, or raise it" },
  { "XMinioStorageFull", "{host} has no room left; make some" },
  { "PreconditionFailed", "another object has that key; it is not replaced" },
  { "EntityTooLarge", "the file is larger than {host} takes" },
  { "KeyTooLong", "the key is too long; choose a shorter key-prefix" },
  { "KeyTooLongError", "the key is too long; choose a shorter key-prefix" },
  { "InvalidBucketName",
      "“{bucket}” cannot be the name of a bucket there; check bucket" },
  { "InvalidStorageClass",
      "{host} does not have this storage class; check storage-class" },
  { "AccessControlListNotSupported",
      "the bucket “{bucket}” takes no ACL; do not set acl" },
  { "NotImplemented", "{host} does not support {header}; do not set it" },
  { "MissingContentLength",
      "the length of the file did not reach {host}; check the proxies between" },
  { "BadDigest", "what arrived is not what was sent; check the network" },
  { "XAmzContentSHA256Mismatch",
      "what arrived is not what was sent; check the network" },
};

/* When there is no code that is known. */
static const struct
{
  guint status;
  const gchar *sentence;
} by_status[] = {
  { 301, "the bucket “{bucket}” is elsewhere; check region and endpoint" },
  { 307, "the bucket “{bucket}” is elsewhere; check region and endpoint" },
  { 401, "{host} wants other credentials; check access-key and endpoint" },
  { 403,
      "{host} does not allow it; check access-key, secret-access-key and "
      "what they may do" },
  { 404, "{host} has no such place; check endpoint and bucket" },
  { 405, "{host} does not do that; check that endpoint is an S3 store" },
  { 411,
      "the length of the file did not reach {host}; check the proxies "
      "between" },
  { 412, "another object has that key; it is not replaced" },
  { 413, "the file is larger than {host} or a proxy before it takes" },
  { 429, "{host} wants fewer requests" },
  { 501, "{host} does not support {header}; do not set it" },
  { 503, "{host} is overloaded or being maintained" },
  { 507, "{host} has no room left; make some" },
};

static const gchar *const operations[] = {
  [AMS_S3_PUT] = "stored",
  [AMS_S3_GET] = "read",
  [AMS_S3_GET_PART] = "read",
  [AMS_S3_HEAD] = "looked up",
  [AMS_S3_DELETE] = "deleted",
  [AMS_S3_LIST] = "listed",
  [AMS_S3_UPLOAD_CREATE] = "stored",
  [AMS_S3_UPLOAD_PART] = "stored",
  [AMS_S3_UPLOAD_COMPLETE] = "stored",
  [AMS_S3_UPLOAD_ABORT] = "given up",
};

static const gchar *const permissions[] = {
  [AMS_S3_PUT] = "s3:PutObject",
  [AMS_S3_GET] = "s3:GetObject and s3:ListBucket",
  [AMS_S3_GET_PART] = "s3:GetObject and s3:ListBucket",
  [AMS_S3_HEAD] = "s3:GetObject and s3:ListBucket",
  [AMS_S3_DELETE] = "s3:DeleteObject",
  [AMS_S3_LIST] = "s3:ListBucket",
  [AMS_S3_UPLOAD_CREATE] = "s3:PutObject",
  [AMS_S3_UPLOAD_PART] = "s3:PutObject",
  [AMS_S3_UPLOAD_COMPLETE] = "s3:PutObject",
  [AMS_S3_UPLOAD_ABORT] = "s3:AbortMultipartUpload",
};

static const gchar *
sentence_of (const AmsS3Answer *answer)
{
  guint i;

  /* A wrong clock has many codes. */
  if (answer->action == AMS_S3_ACTION_FIX_CLOCK)
    return "this computer's clock is {offset} off; set it right";
  for (i = 0; answer->code != NULL && i < G_N_ELEMENTS (sentences); i++) {
    if (g_str_equal (answer->code, sentences[i].code))
      return sentences[i].sentence;
  }
  for (i = 0; answer->message == NULL && i < G_N_ELEMENTS (by_status); i++) {
    if (by_status[i].status == answer->status)
      return by_status[i].sentence;
  }
  return NULL;
}

static gchar *
describe_offset (gint64 offset)
{
  gint64 seconds = ABS (offset) / G_USEC_PER_SEC;

  if (seconds < 2 * 60 * 60)
    return g_strdup_printf ("%" G_GINT64_FORMAT " minutes", seconds / 60);
  if (seconds < 2 * 24 * 60 * 60)
    return g_strdup_printf ("%" G_GINT64_FORMAT " hours", seconds / (60 * 60));
  return g_strdup_printf ("%" G_GINT64_FORMAT " days",
      seconds / (24 * 60 * 60));
}

static gchar *
fill_in (const gchar *sentence, const AmsS3Answer *answer,
    const AmsS3Asked *asked)
{
  g_autofree gchar *offset = answer->clock_offset != 0
      ? describe_offset (answer->clock_offset)
      : g_strdup ("more than the store allows");
  const gchar *values[][2] = { { "{bucket}", asked->bucket },
    { "{host}", asked->host }, { "{region}", asked->region },
    { "{there}", answer->region ? answer->region : "another" },
    { "{header}", answer->header ? answer->header : "one of the settings" },
    { "{offset}", offset }, { "{permission}", permissions[asked->operation] } };
  GString *out = g_string_new (sentence);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (values); i++)
    g_string_replace (out, values[i][0], values[i][1], 0);
  return g_string_free (out, FALSE);
}

static void
append_short (GString *out, const gchar *before, const gchar *text)
{
  g_autofree gchar *part = NULL;

  if (text == NULL)
    return;
  part = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), MAX_ID));
  g_string_append_printf (out, "%s%s", before, part);
}

/* Status, code and request id, of what is known. */
static gchar *
name_answer (const AmsS3Answer *answer)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "%u", answer->status);
  append_short (out, " ", answer->code);
  append_short (out, ", request ", answer->request_id);
  return g_string_free (out, FALSE);
}

static gchar *
describe (const AmsS3Answer *answer, const AmsS3Asked *asked)
{
  const gchar *sentence = sentence_of (answer);

  if (sentence != NULL)
    return fill_in (sentence, answer, asked);
  if (answer->message != NULL)
    return g_strdup_printf ("%s said “%s”", asked->host, answer->message);
  return g_strdup_printf ("%s answered with an error", asked->host);
}

GError *
ams_s3_answer_to_error (const AmsS3Answer *answer, const AmsS3Asked *asked)
{
  g_autofree gchar *why = describe (answer, asked);
  g_autofree gchar *name = name_answer (answer);

  return ams_store_error_new (answer->failure, answer->status,
      answer->retry_after, "“%s%s%s” was not %s: %s (%s)", asked->bucket,
      asked->key != NULL ? "/" : "", asked->key != NULL ? asked->key : "",
      operations[asked->operation], why, name);
}
