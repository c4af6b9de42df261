/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/gstamss3settings.h"

#include "files/amsfiles.h"
#include "http/amshttpurl.h"
#include "http/gstamsfields.h"
#include "s3/amss3key.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ADDRESSING AMS_S3_ADDRESSING_AUTO
#define DEFAULT_CHECKSUM AMS_S3_CHECKSUM_MD5
#define DEFAULT_MULTIPART_THRESHOLD (64 * G_GUINT64_CONSTANT (1048576))
#define DEFAULT_PART_SIZE (16 * G_GUINT64_CONSTANT (1048576))
#define DEFAULT_PROBE FALSE

#define DEFAULT_REGION "us-east-1"
#define MAX_TAGS 10 /* by S3 */

enum
{
  PROP_0,
  PROP_BUCKET,
  PROP_KEY_PREFIX,
  PROP_LOCATION,
  PROP_KEY,
  PROP_REGION,
  PROP_ENDPOINT,
  PROP_ENDPOINT_URI,
  PROP_ADDRESSING,
  PROP_ACCESS_KEY,
  PROP_SECRET_ACCESS_KEY,
  PROP_SESSION_TOKEN,
  PROP_PROFILE,
  PROP_STS_ENDPOINT,
  PROP_IMDS_ENDPOINT,
  PROP_CONTAINER_ENDPOINT,
  PROP_ACL,
  PROP_STORAGE_CLASS,
  PROP_SERVER_SIDE_ENCRYPTION,
  PROP_SSE_KMS_KEY_ID,
  PROP_SSE_CUSTOMER_KEY,
  PROP_TAGGING,
  PROP_METADATA,
  PROP_CONTENT_DISPOSITION,
  PROP_OBJECT_LOCK_MODE,
  PROP_OBJECT_LOCK_RETAIN_UNTIL,
  PROP_EXPECTED_BUCKET_OWNER,
  PROP_REQUEST_PAYER,
  PROP_CHECKSUM,
  PROP_MULTIPART_THRESHOLD,
  PROP_PART_SIZE,
  PROP_PROBE,
};

/* What may be shown of them */

/* Where a bucket should be. A secret may have a "/" in it. */
static gboolean
has_user (const gchar *text)
{
  const gchar *scheme = strstr (text, "://");
  const gchar *host = scheme ? scheme + 3 : text;

  return host[strcspn (host, ":@/")] == ':' ||
      host[strcspn (host, ":@/")] == '@';
}

static gchar *
show_location (const gchar *text)
{
  const gchar *at = strrchr (text, '@');

  if (!ams_s3_is_uri (text))
    return strstr (text, "://") ? ams_http_url_redact (text) : g_strdup (text);
  if (has_user (text))
    return g_strconcat ("s3://***@", at ? at + 1 : "***", NULL);
  return g_strdup (text);
}

static gchar *
show_bucket (const gchar *text)
{
  return strchr (text, '@') ? g_strdup ("***") : g_strdup (text);
}

#define FIELD(kind, member) GST_AMS_FIELD (GstAmsS3Settings, kind, member)
#define SHOWN_BY(show, member) \
  GST_AMS_FIELD_SHOWN_BY (GstAmsS3Settings, show, member)

static const GstAmsField fields[] = {
  [PROP_BUCKET] = SHOWN_BY (show_bucket, bucket),
  [PROP_KEY_PREFIX] = FIELD (STRING, key_prefix),
  [PROP_LOCATION] = SHOWN_BY (show_location, location),
  [PROP_KEY] = SHOWN_BY (show_location, location),
  [PROP_REGION] = FIELD (STRING, region),
  [PROP_ENDPOINT] = SHOWN_BY (ams_http_url_redact, endpoint),
  [PROP_ENDPOINT_URI] = SHOWN_BY (ams_http_url_redact, endpoint),
  [PROP_ADDRESSING] = FIELD (ENUM, addressing),
  [PROP_ACCESS_KEY] = FIELD (SECRET, access_key),
  [PROP_SECRET_ACCESS_KEY] = FIELD (SECRET, secret_access_key),
  [PROP_SESSION_TOKEN] = FIELD (SECRET, session_token),
  [PROP_PROFILE] = FIELD (STRING, profile),
  [PROP_STS_ENDPOINT] = SHOWN_BY (ams_http_url_redact, sts_endpoint),
  [PROP_IMDS_ENDPOINT] = SHOWN_BY (ams_http_url_redact, imds_endpoint),
  [PROP_CONTAINER_ENDPOINT] =
      SHOWN_BY (ams_http_url_redact, container_endpoint),
  [PROP_ACL] = FIELD (STRING, acl),
  [PROP_STORAGE_CLASS] = FIELD (STRING, storage_class),
  [PROP_SERVER_SIDE_ENCRYPTION] = FIELD (STRING, server_side_encryption),
  [PROP_SSE_KMS_KEY_ID] = FIELD (STRING, sse_kms_key_id),
  [PROP_SSE_CUSTOMER_KEY] = FIELD (SECRET, sse_customer_key),
  [PROP_TAGGING] = FIELD (STRING, tagging),
  [PROP_METADATA] = FIELD (STRUCTURE, metadata),
  [PROP_CONTENT_DISPOSITION] = FIELD (STRING, content_disposition),
  [PROP_OBJECT_LOCK_MODE] = FIELD (STRING, object_lock_mode),
  [PROP_OBJECT_LOCK_RETAIN_UNTIL] = FIELD (STRING, object_lock_retain_until),
  [PROP_EXPECTED_BUCKET_OWNER] = FIELD (STRING, expected_bucket_owner),
  [PROP_REQUEST_PAYER] = FIELD (STRING, request_payer),
  [PROP_CHECKSUM] = FIELD (ENUM, checksum),
  [PROP_MULTIPART_THRESHOLD] = FIELD (UINT64, multipart_threshold),
  [PROP_PART_SIZE] = FIELD (UINT64, part_size),
  [PROP_PROBE] = FIELD (BOOLEAN, probe),
};

/* clang-format off */
GST_AMS_DEFINE_ENUM (addressing_get_type, "GstAmsS3Addressing",
    { AMS_S3_ADDRESSING_AUTO, "As the endpoint's provider wants it", "auto" },
    { AMS_S3_ADDRESSING_PATH, "https://HOST/BUCKET/KEY", "path" },
    { AMS_S3_ADDRESSING_VIRTUAL, "https://BUCKET.HOST/KEY", "virtual" })

GST_AMS_DEFINE_ENUM (checksum_get_type, "GstAmsS3Checksum",
    { AMS_S3_CHECKSUM_NONE, "None but the SHA-256 that is signed", "none" },
    { AMS_S3_CHECKSUM_MD5, "Content-MD5", "md5" },
    { AMS_S3_CHECKSUM_CRC32, "x-amz-checksum-crc32", "crc32" },
    { AMS_S3_CHECKSUM_SHA256, "x-amz-checksum-sha256", "sha256" })
/* clang-format on */

/* ---- values ---- */

void
gst_ams_s3_settings_init (GstAmsS3Settings *settings)
{
  *settings = (GstAmsS3Settings){
    .addressing = DEFAULT_ADDRESSING,
    .checksum = DEFAULT_CHECKSUM,
    .multipart_threshold = DEFAULT_MULTIPART_THRESHOLD,
    .part_size = DEFAULT_PART_SIZE,
    .probe = DEFAULT_PROBE,
  };
}

void
gst_ams_s3_settings_clear (GstAmsS3Settings *settings)
{
  gst_ams_fields_clear (settings, fields, G_N_ELEMENTS (fields));
}

void
gst_ams_s3_settings_copy (GstAmsS3Settings *to, const GstAmsS3Settings *from)
{
  gst_ams_fields_copy (to, from, fields, G_N_ELEMENTS (fields));
}

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const gchar *format, ...)
{
  g_autofree gchar *sentence = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", sentence));
  return FALSE;
}

/* ---- where files go ---- */

static gboolean
refuse_user (const gchar *property, GError **error)
{
  return refuse (error,
      "%s takes no access key: leave it out there, and set access-key and "
      "secret-access-key",
      property);
}

static gboolean
take_uri (const GstAmsS3Settings *settings, gchar **bucket, gchar **key,
    GError **error)
{
  if (has_user (settings->location))
    return refuse_user ("location", error);
  if (!ams_s3_uri_parse (settings->location, bucket, key, error)) {
    g_prefix_error (error, "location: ");
    return FALSE;
  }
  if (settings->bucket && *settings->bucket &&
      strcmp (settings->bucket, *bucket) != 0)
    return refuse (error,
        "location is in the bucket “%s”, and bucket is set to another: give "
        "one of them",
        *bucket);
  if (settings->key_prefix && *settings->key_prefix)
    return refuse (error,
        "location is a whole s3:// URI, and key-prefix is set as well: put "
        "the prefix into location, or leave “s3://…/” out there");
  return TRUE;
}

static gboolean
take_key (const GstAmsS3Settings *settings, gchar **bucket, gchar **key,
    GError **error)
{
  const gchar *location = settings->location;
  g_autofree gchar *shown = NULL;

  if (location && !*location)
    return refuse (error,
        "location is empty: name the file that data become, or leave it out "
        "for a file stream");
  if (location && strstr (location, "://")) {
    shown = show_location (location);
    return refuse (error,
        "location “%s” is no s3:// URI: write the name of a key or "
        "s3://BUCKET/KEY, and give the server as endpoint",
        shown);
  }
  if (settings->bucket && strchr (settings->bucket, '@'))
    return refuse_user ("bucket", error);
  if (!settings->bucket || !*settings->bucket)
    return refuse (error,
        "bucket is not set: give the bucket's name, or "
        "location=s3://BUCKET/KEY");
  *bucket = g_strdup (settings->bucket);
  *key = g_strconcat (settings->key_prefix ? settings->key_prefix : "",
      location ? location : "", NULL);
  return TRUE;
}

/* The same object has the same prefix and name, however it was written. */
static gboolean
split_key (const gchar *key, gchar **prefix, gchar **name, GError **error)
{
  const gchar *slash = strrchr (key, '/');
  const gchar *last = slash ? slash + 1 : key;
  g_autoptr (GError) fault = NULL;

  *prefix = g_strndup (key, last - key);
  if (*last == '\0')
    return TRUE;
  if (!ams_file_name_check (last, &fault))
    return refuse (error, "location: %s", fault->message);
  *name = g_strdup (last);
  return TRUE;
}

static gboolean
take_location (const GstAmsS3Settings *settings, AmsS3StoreOptions *options,
    gchar **name, GError **error)
{
  g_autofree gchar *key = NULL, *checked = NULL;
  gboolean is_uri = settings->location && ams_s3_is_uri (settings->location);

  if (!(is_uri ? take_uri : take_key) (settings, &options->bucket, &key, error))
    return FALSE;
  g_clear_pointer (&options->prefix, g_free);
  if (!settings->location) {
    options->prefix = g_steal_pointer (&key);
    return TRUE;
  }
  checked = *key ? ams_s3_key_new (NULL, key, error) : g_strdup ("");
  if (!checked) {
    g_prefix_error (error, "location: ");
    return FALSE;
  }
  return split_key (key, &options->prefix, name, error);
}

gchar *
gst_ams_s3_settings_dup_uri (const GstAmsS3Settings *settings)
{
  if (settings->location && ams_s3_is_uri (settings->location))
    return show_location (settings->location);
  if (!settings->bucket || !*settings->bucket)
    return NULL;
  return g_strconcat ("s3://", settings->bucket, "/",
      settings->key_prefix ? settings->key_prefix : "",
      settings->location ? settings->location : "", NULL);
}

static gboolean
take_endpoint (const GstAmsS3Settings *settings, AmsS3StoreOptions *options,
    GError **error)
{
  options->region = settings->region && *settings->region
      ? g_strdup (settings->region)
      : NULL;
  options->addressing = settings->addressing;
  if (settings->endpoint)
    options->endpoint = ams_s3_endpoint_parse (settings->endpoint, error);
  return !settings->endpoint || options->endpoint;
}

static gboolean
check_aws (const AmsS3StoreOptions *options, GError **error)
{
  g_autoptr (AmsS3Endpoint) aws = ams_s3_endpoint_new_aws (
      options->region ? options->region : DEFAULT_REGION, error);

  return aws &&
      ams_s3_endpoint_check (aws, options->addressing, options->bucket, error);
}

/* ---- who we are ---- */

/* For tests and private clouds. */
static gboolean
check_service (const gchar *property, const gchar *text, GError **error)
{
  g_autoptr (AmsHttpUrl) url = NULL;

  if (!text)
    return TRUE;
  url = ams_http_url_parse (text, error);
  if (!url)
    g_prefix_error (error, "%s: ", property);
  else if (url->user || url->query)
    return refuse (error,
        "%s has a user or a query in it: write http://HOST:PORT", property);
  return url != NULL;
}

static gboolean
check_services (const GstAmsS3Settings *settings, GError **error)
{
  return check_service ("sts-endpoint", settings->sts_endpoint, error) &&
      check_service ("imds-endpoint", settings->imds_endpoint, error) &&
      check_service ("container-endpoint", settings->container_endpoint, error);
}

/* More likely a variable that was empty than a wish. */
static gboolean
check_not_empty (const GstAmsS3Settings *s, GError **error)
{
  const gchar *const values[][2] = { { "access-key", s->access_key },
    { "secret-access-key", s->secret_access_key },
    { "session-token", s->session_token }, { "profile", s->profile },
    { "server-side-encryption", s->server_side_encryption },
    { "sse-customer-key", s->sse_customer_key },
    { "object-lock-mode", s->object_lock_mode },
    { "object-lock-retain-until", s->object_lock_retain_until },
    { "expected-bucket-owner", s->expected_bucket_owner } };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    if (values[i][1] && *values[i][1] == '\0')
      return refuse (error,
          "%s is empty: write what it should be, or leave it out",
          values[i][0]);
  }
  return TRUE;
}

static gboolean
take_credentials (const GstAmsS3Settings *settings, AmsS3StoreOptions *options,
    GError **error)
{
  AmsS3CredentialsOptions *credentials = &options->credentials;

  if (!check_services (settings, error))
    return FALSE;
  if (settings->profile && settings->access_key)
    return refuse (error,
        "profile is set as well as access-key: give one of them");
  credentials->access_key = g_strdup (settings->access_key);
  credentials->secret_key = g_strdup (settings->secret_access_key);
  credentials->session_token = g_strdup (settings->session_token);
  credentials->profile = g_strdup (settings->profile);
  credentials->region = g_strdup (options->region);
  credentials->sts_endpoint = g_strdup (settings->sts_endpoint);
  credentials->imds_endpoint = g_strdup (settings->imds_endpoint);
  credentials->container_endpoint = g_strdup (settings->container_endpoint);
  return TRUE;
}

/* One that is not there says nothing; nor does one in a folder that is not ours to look into. */
static gboolean
is_unreadable (const gchar *path)
{
  GStatBuf info;

  if (g_lstat (path, &info) != 0)
    return FALSE;
  if (access (path, R_OK) == 0)
    return !g_file_test (path, G_FILE_TEST_IS_REGULAR);
  return errno != ENOENT;
}

/* Its credentials may be those that are meant. */
static gboolean
check_shared_file (GStrv envp, GError **error)
{
  const gchar *said = g_environ_getenv (envp, "AWS_SHARED_CREDENTIALS_FILE");
  const gchar *home = g_environ_getenv (envp, "HOME");
  g_autofree gchar *path = said && *said
      ? g_strdup (said)
      : g_build_filename (home ? home : g_get_home_dir (), ".aws",
            "credentials", NULL);

  if (!is_unreadable (path))
    return TRUE;
  return refuse (error,
      "There are no credentials but perhaps those in “%s”, which cannot be "
      "read: make it a file that this user may read, or set access-key and secret-access-key",
      path);
}

gboolean
gst_ams_s3_credentials_check (const AmsS3CredentialsOptions *options,
    GStrv envp, GError **error)
{
  g_autoptr (AmsS3Source) source = ams_s3_source_find (options, envp, error);

  if (!source)
    return FALSE;
  return source->kind != AMS_S3_SOURCE_MACHINE ||
      check_shared_file (envp, error);
}

/* ---- what objects are ---- */

static gboolean
check_lock_date (const gchar *text, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, utc);

  /* Whether it is one is for the store's options. */
  return !date || g_date_time_compare (date, now) > 0 ||
      refuse (error,
          "object-lock-retain-until “%s” is past: write a date to come", text);
}

static gboolean
check_tagging (const gchar *tagging, GError **error)
{
  g_auto (GStrv) tags = NULL;

  if (!tagging)
    return TRUE;
  if (strspn (tagging, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._~%+=&") !=
      strlen (tagging))
    return refuse (error,
        "tagging has a character in it that must be written as %%XX: write it "
        "as “camera=7&floor=2”");
  tags = g_strsplit (tagging, "&", -1);
  for (guint i = 0; tags[i]; i++) {
    if (*tags[i] == '\0' || *tags[i] == '=' || i >= MAX_TAGS)
      return refuse (error,
          "tagging has a tag without a name, or more than %d tags: write it "
          "as “camera=7&floor=2”",
          MAX_TAGS);
  }
  return TRUE;
}

/* As far as the store's options do not check it. */
static gboolean
check_object (const GstAmsS3Settings *s, const AmsS3Endpoint *endpoint,
    GError **error)
{
  if (s->request_payer && strcmp (s->request_payer, "requester") != 0)
    return refuse (error,
        "request-payer is none that there is: write “requester”, or leave it "
        "out");
  if (s->sse_customer_key && endpoint &&
      strcmp (endpoint->scheme, "https") != 0)
    return refuse (error,
        "sse-customer-key would be sent in the clear: write endpoint with "
        "https://");
  if (s->object_lock_retain_until &&
      !check_lock_date (s->object_lock_retain_until, error))
    return FALSE;
  return check_tagging (s->tagging, error);
}

static gboolean
take_object (const GstAmsS3Settings *s, AmsS3StoreOptions *options,
    GError **error)
{
  if (!check_object (s, options->endpoint, error))
    return FALSE;
  options->checksum = s->checksum;
  options->multipart_threshold = s->multipart_threshold;
  options->part_size = s->part_size;
  options->content_disposition = g_strdup (s->content_disposition);
  options->acl = g_strdup (s->acl);
  options->storage_class = g_strdup (s->storage_class);
  options->server_side_encryption = g_strdup (s->server_side_encryption);
  options->sse_kms_key_id = g_strdup (s->sse_kms_key_id);
  options->sse_customer_key = g_strdup (s->sse_customer_key);
  options->tagging = g_strdup (s->tagging);
  options->object_lock_mode = g_strdup (s->object_lock_mode);
  options->object_lock_retain_until = g_strdup (s->object_lock_retain_until);
  options->expected_bucket_owner = g_strdup (s->expected_bucket_owner);
  options->request_payer = g_strdup (s->request_payer);
  if (s->metadata)
    options->metadata =
        gst_ams_pairs_from_structure ("metadata", s->metadata, error);
  return !s->metadata || options->metadata;
}

gboolean
gst_ams_s3_settings_resolve (const GstAmsS3Settings *settings,
    AmsS3StoreOptions *options, gchar **name, GError **error)
{
  g_auto (GStrv) envp = g_get_environ ();

  return take_location (settings, options, name, error) &&
      check_not_empty (settings, error) &&
      take_endpoint (settings, options, error) &&
      take_credentials (settings, options, error) &&
      ams_s3_store_options_configure (options, envp, error) &&
      (options->endpoint || check_aws (options, error)) &&
      take_object (settings, options, error) &&
      ams_s3_store_options_check (options, error);
}

/* ---- properties ---- */

gboolean
gst_ams_s3_settings_set (GstAmsS3Settings *settings, guint id,
    const GValue *value)
{
  return gst_ams_fields_set (settings, fields, G_N_ELEMENTS (fields), id,
      value);
}

gboolean
gst_ams_s3_settings_get (const GstAmsS3Settings *settings, guint id,
    GValue *value)
{
  return gst_ams_fields_get (settings, fields, G_N_ELEMENTS (fields), id,
      value);
}

#define PARAM_FLAGS \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define SECRET_FLAGS \
  (G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

/* All of them default to NULL. */
typedef struct
{
  guint id;
  const gchar *name, *nick, *blurb;
  gboolean secret;
} StringProperty;

static const StringProperty strings[] = {
  { PROP_BUCKET, "bucket", "Bucket", "Name of the bucket", FALSE },
  { PROP_KEY_PREFIX, "key-prefix", "Key prefix",
      "What the keys of objects begin with, before the files' names; put there "
      "as it is, so that a folder ends in “/”",
      FALSE },
  { PROP_LOCATION, "location", "Location",
      "Name of the object that data become, behind key-prefix, or "
      "s3://BUCKET/KEY; a file stream takes s3://BUCKET/FOLDER/, or none. "
      "Reading it back hides a user",
      FALSE },
  { PROP_KEY, "key", "Key", "Another name of location", FALSE },
  { PROP_REGION, "region", "Region",
      "Region of the bucket; unset: that of AWS_REGION, of the profile, of "
      "the endpoint, or what the server says",
      FALSE },
  { PROP_ENDPOINT, "endpoint", "Endpoint",
      "URL of the server, without the bucket; unset: what AWS_ENDPOINT_URL_S3, "
      "AWS_ENDPOINT_URL or the profile say, else AWS's of the region. Reading "
      "it back hides user and query",
      FALSE },
  { PROP_ENDPOINT_URI, "endpoint-uri", "Endpoint URI",
      "Another name of endpoint", FALSE },
  { PROP_ACCESS_KEY, "access-key", "Access key",
      "Access key; unset: credentials are looked for as AWS's tools do "
      "(environment, profile, web identity, container, machine)",
      TRUE },
  { PROP_SECRET_ACCESS_KEY, "secret-access-key", "Secret access key",
      "The access key's secret", TRUE },
  { PROP_SESSION_TOKEN, "session-token", "Session token",
      "Session token of temporary credentials", TRUE },
  { PROP_PROFILE, "profile", "Profile",
      "Profile in ~/.aws/credentials and ~/.aws/config; unset: that of "
      "AWS_PROFILE, or default",
      FALSE },
  { PROP_STS_ENDPOINT, "sts-endpoint", "STS endpoint",
      "URL of the service that gives credentials for a web identity, in place "
      "of AWS's",
      FALSE },
  { PROP_IMDS_ENDPOINT, "imds-endpoint", "IMDS endpoint",
      "URL of the machine's metadata service, in place of "
      "http://169.254.169.254",
      FALSE },
  { PROP_CONTAINER_ENDPOINT, "container-endpoint", "Container endpoint",
      "URL of the container's credentials service, in place of "
      "http://169.254.170.2",
      FALSE },
  { PROP_ACL, "acl", "ACL",
      "Canned ACL of objects, such as public-read; unset: the bucket's rules. "
      "New buckets at AWS refuse any",
      FALSE },
  { PROP_STORAGE_CLASS, "storage-class", "Storage class",
      "Storage class of objects, such as STANDARD_IA; unset: the bucket's",
      FALSE },
  { PROP_SERVER_SIDE_ENCRYPTION, "server-side-encryption",
      "Server-side encryption",
      "AES256, aws:kms or aws:kms:dsse; unset: the bucket's", FALSE },
  { PROP_SSE_KMS_KEY_ID, "sse-kms-key-id", "KMS key",
      "Id or ARN of the key for aws:kms; unset: the account's", FALSE },
  { PROP_SSE_CUSTOMER_KEY, "sse-customer-key", "Customer key",
      "Key with which the server encrypts and that it does not keep (SSE-C): "
      "base64 of 32 bytes. Who reads needs it, so players cannot",
      TRUE },
  { PROP_TAGGING, "tagging", "Tagging",
      "Tags of objects as in a query, such as camera=7&floor=2; 10 at most",
      FALSE },
  { PROP_CONTENT_DISPOSITION, "content-disposition", "Content-Disposition",
      "Content-Disposition of objects", FALSE },
  { PROP_OBJECT_LOCK_MODE, "object-lock-mode", "Object lock mode",
      "GOVERNANCE or COMPLIANCE: objects cannot be deleted before "
      "object-lock-retain-until",
      FALSE },
  { PROP_OBJECT_LOCK_RETAIN_UNTIL, "object-lock-retain-until",
      "Object lock until", "Date (ISO 8601) until which objects are locked",
      FALSE },
  { PROP_EXPECTED_BUCKET_OWNER, "expected-bucket-owner",
      "Expected bucket owner",
      "Account that must own the bucket, or requests fail", FALSE },
  { PROP_REQUEST_PAYER, "request-payer", "Request payer",
      "“requester”: who asks pays, as such buckets demand", FALSE },
};

static void
install_strings (GObjectClass *klass)
{
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_object_class_install_property (klass, strings[i].id,
        g_param_spec_string (strings[i].name, strings[i].nick, strings[i].blurb,
            NULL, strings[i].secret ? SECRET_FLAGS : PARAM_FLAGS));
}

void
gst_ams_s3_settings_install (GObjectClass *klass)
{
  install_strings (klass);
  g_object_class_install_property (klass, PROP_ADDRESSING,
      g_param_spec_enum ("addressing", "Addressing",
          "Whether the bucket is in the path or in the host's name",
          addressing_get_type (), DEFAULT_ADDRESSING, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_METADATA,
      g_param_spec_boxed ("metadata", "Metadata",
          "Metadata of objects (x-amz-meta-*): each field is one, 2 KiB of "
          "ASCII in all. Reading it back hides what may be a secret",
          GST_TYPE_STRUCTURE, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_CHECKSUM,
      g_param_spec_enum ("checksum", "Checksum",
          "Checksum that is sent with the data, for the server to check",
          checksum_get_type (), DEFAULT_CHECKSUM, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_MULTIPART_THRESHOLD,
      g_param_spec_uint64 ("multipart-threshold", "Multipart threshold",
          "Bytes from which on an object is sent in parts (at most 5 GiB)", 1,
          G_MAXINT64, DEFAULT_MULTIPART_THRESHOLD, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PART_SIZE,
      g_param_spec_uint64 ("part-size", "Part size",
          "Bytes of one part (5 MiB to 5 GiB); more if there would be more "
          "than 10 000",
          1, G_MAXINT64, DEFAULT_PART_SIZE, PARAM_FLAGS));
  g_object_class_install_property (klass, PROP_PROBE,
      g_param_spec_boolean ("probe", "Probe",
          "Put and delete an object at the start, so that a wrong bucket, "
          "region or key is an error at once",
          DEFAULT_PROBE, PARAM_FLAGS));
  gst_type_mark_as_plugin_api (addressing_get_type (), 0);
  gst_type_mark_as_plugin_api (checksum_get_type (), 0);
}
