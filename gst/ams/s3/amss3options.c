/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3options.h"

#include "s3/amss3config.h"
#include "s3/amss3key.h"
#include "s3/amss3sign.h"
#include "transfer/amsstore.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define GIB (1024 * MIB)
#define THRESHOLD (64 * MIB)
#define PART_SIZE (16 * MIB)
#define MAX_PUT (5 * GIB) /* of one request, by S3 */
#define CUSTOMER_KEY_SIZE 32
#define MAX_METADATA 2048 /* bytes of all names and values, by S3 */

void
ams_s3_store_options_init (AmsS3StoreOptions *options)
{
  *options = (AmsS3StoreOptions){ .prefix = g_strdup (""),
    .checksum = AMS_S3_CHECKSUM_MD5,
    .multipart_threshold = THRESHOLD,
    .part_size = PART_SIZE };
}

/* All that are a string. */
static void
list_strings (AmsS3StoreOptions *options, gchar **strings[18])
{
  gchar **all[] = { &options->bucket, &options->prefix, &options->region,
    &options->content_type, &options->segment_cache_control,
    &options->playlist_cache_control, &options->content_disposition,
    &options->acl, &options->storage_class, &options->server_side_encryption,
    &options->sse_kms_key_id, &options->tagging, &options->object_lock_mode,
    &options->object_lock_retain_until, &options->expected_bucket_owner,
    &options->request_payer, &options->uploads_file, &options->notify_url };

  memcpy (strings, all, sizeof all);
}

static AmsS3Endpoint *
copy_endpoint (const AmsS3Endpoint *endpoint)
{
  AmsS3Endpoint *copy = g_memdup2 (endpoint, sizeof *endpoint);

  copy->scheme = g_strdup (endpoint->scheme);
  copy->host = g_strdup (endpoint->host);
  copy->base_path = g_strdup (endpoint->base_path);
  return copy;
}

void
ams_s3_store_options_copy (AmsS3StoreOptions *to, const AmsS3StoreOptions *from)
{
  gchar **strings[18];

  *to = *from;
  list_strings (to, strings);
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    *strings[i] = g_strdup (*strings[i]);
  if (!to->prefix)
    to->prefix = g_strdup ("");
  to->endpoint = from->endpoint ? copy_endpoint (from->endpoint) : NULL;
  to->metadata = g_strdupv (from->metadata);
  to->sse_customer_key = g_strdup (from->sse_customer_key);
  memset (&to->credentials, 0, sizeof to->credentials);
  ams_s3_credentials_options_copy (&to->credentials, &from->credentials);
}

void
ams_s3_store_options_clear (AmsS3StoreOptions *options)
{
  gchar **strings[18];

  list_strings (options, strings);
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_clear_pointer (strings[i], g_free);
  g_clear_pointer (&options->endpoint, ams_s3_endpoint_free);
  g_clear_pointer (&options->metadata, g_strfreev);
  g_clear_pointer (&options->sse_customer_key, ams_s3_secret_free);
  ams_s3_credentials_options_clear (&options->credentials);
}

/* Checking */

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", text));
  return FALSE;
}

static gboolean
is_set (const gchar *text)
{
  return text && text[0];
}

static gboolean
check_place (const AmsS3StoreOptions *options, GError **error)
{
  if (!is_set (options->bucket))
    return refuse (error, "bucket is not set. Give the bucket's name.");
  if (!ams_s3_bucket_check (options->bucket, error) ||
      (options->prefix && !ams_s3_prefix_check (options->prefix, error)))
    return FALSE;
  if (is_set (options->region) && !ams_s3_region_check (options->region, error))
    return FALSE;
  return !options->endpoint ||
      ams_s3_endpoint_check (options->endpoint, options->addressing,
          options->bucket, error);
}

static gboolean
check_credentials (const AmsS3StoreOptions *options, GError **error)
{
  const AmsS3CredentialsOptions *credentials = &options->credentials;
  gboolean key = is_set (credentials->access_key);
  gboolean secret = is_set (credentials->secret_key);

  if (key && !secret)
    return refuse (error,
        "access-key is set, but not secret-access-key. Set both or none.");
  if (secret && !key)
    return refuse (error,
        "secret-access-key is set, but not access-key. Set both or none.");
  if (is_set (credentials->session_token) && !key)
    return refuse (error,
        "session-token is set without access-key and secret-access-key, "
        "which belong to it. Set them as well.");
  return TRUE;
}

static gboolean
check_parts (const AmsS3StoreOptions *options, GError **error)
{
  if (options->part_size < AMS_S3_MIN_PART || options->part_size > MAX_PUT)
    return refuse (error,
        "part-size is %" G_GUINT64_FORMAT
        ". Set it to 5 MiB (%d) at least, and 5 GiB at most.",
        options->part_size, AMS_S3_MIN_PART);
  if (options->multipart_threshold == 0 ||
      options->multipart_threshold > MAX_PUT)
    return refuse (error,
        "multipart-threshold is %" G_GUINT64_FORMAT
        ". Set it to 1 at least, and to 5 GiB at most, for S3 takes no more in "
        "one piece.",
        options->multipart_threshold);
  return TRUE;
}

/* What can be the value of a header, and is not changed on its way. */
static gboolean
is_header_value (const gchar *text)
{
  gsize length = strlen (text);

  for (gsize i = 0; i < length; i++) {
    if (text[i] < ' ' || text[i] > '~')
      return FALSE;
  }
  return length == 0 || (text[0] != ' ' && text[length - 1] != ' ');
}

static gboolean
check_values (const AmsS3StoreOptions *options, GError **error)
{
  const struct
  {
    const gchar *name, *value;
  } values[] = { { "content-type", options->content_type },
    { "segment-cache-control", options->segment_cache_control },
    { "playlist-cache-control", options->playlist_cache_control },
    { "content-disposition", options->content_disposition },
    { "acl", options->acl }, { "storage-class", options->storage_class },
    { "server-side-encryption", options->server_side_encryption },
    { "sse-kms-key-id", options->sse_kms_key_id },
    { "tagging", options->tagging },
    { "object-lock-mode", options->object_lock_mode },
    { "object-lock-retain-until", options->object_lock_retain_until },
    { "expected-bucket-owner", options->expected_bucket_owner },
    { "request-payer", options->request_payer } };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    if (values[i].value && !is_header_value (values[i].value))
      return refuse (error,
          "%s cannot be sent: it has characters that are not ASCII, or spaces "
          "around it. Leave them out.",
          values[i].name);
  }
  return TRUE;
}

static gboolean
is_metadata_name (const gchar *name)
{
  for (const gchar *p = name; *p; p++) {
    if (!g_ascii_isalnum (*p) && !strchr ("-_.", *p))
      return FALSE;
  }
  return name[0] != '\0';
}

static gboolean
check_metadata (const AmsS3StoreOptions *options, GError **error)
{
  GStrv metadata = options->metadata;
  gsize size = 0;

  for (guint i = 0; metadata && metadata[i]; i++) {
    gboolean is_name = i % 2 == 0;

    size += strlen (metadata[i]);
    if (is_name && !is_metadata_name (metadata[i]))
      return refuse (error,
          "metadata has a name that cannot be a part of a header's. Use "
          "letters, digits, hyphens and dots.");
    if (is_name && !metadata[i + 1])
      return refuse (error, "metadata has a name without a value.");
    if (!is_name && !is_header_value (metadata[i]))
      return refuse (error,
          "metadata “%s” cannot be sent: it has characters that are not ASCII, "
          "or spaces around it. Leave them out.",
          metadata[i - 1]);
  }
  if (size > MAX_METADATA)
    return refuse (error,
        "metadata has %" G_GSIZE_FORMAT " bytes, S3 takes %d. Shorten it.",
        size, MAX_METADATA);
  return TRUE;
}

static gboolean
is_customer_key (const gchar *text)
{
  gsize size;
  g_autofree guchar *raw = g_base64_decode (text, &size);
  g_autofree gchar *back = g_base64_encode (raw, size);
  gboolean good = size == CUSTOMER_KEY_SIZE && strcmp (back, text) == 0;

  memset (raw, 0, size);
  memset (back, 0, strlen (back));
  return good;
}

static gboolean
check_encryption (const AmsS3StoreOptions *options, GError **error)
{
  const gchar *sse = options->server_side_encryption;
  gboolean kms = is_set (sse) && g_str_has_prefix (sse, "aws:kms");

  if (is_set (sse) && !kms && strcmp (sse, "AES256") != 0)
    return refuse (error,
        "server-side-encryption is “%s”. Set it to AES256, aws:kms or "
        "aws:kms:dsse.",
        sse);
  if (is_set (options->sse_kms_key_id) && !kms)
    return refuse (error,
        "sse-kms-key-id is set, but server-side-encryption is not aws:kms. Set "
        "it so.");
  if (!is_set (options->sse_customer_key))
    return TRUE;
  if (!is_customer_key (options->sse_customer_key))
    return refuse (error,
        "sse-customer-key is not the base64 of 32 bytes. Write it so.");
  if (is_set (sse))
    return refuse (error,
        "sse-customer-key and server-side-encryption are set, of which there "
        "can be one only. Leave one out.");
  return TRUE;
}

static gboolean
check_lock (const AmsS3StoreOptions *options, GError **error)
{
  const gchar *mode = options->object_lock_mode;
  const gchar *until = options->object_lock_retain_until;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) date = NULL;

  if (is_set (mode) != is_set (until))
    return refuse (error,
        "object-lock-mode and object-lock-retain-until belong together. Set "
        "both or none.");
  if (!is_set (mode))
    return TRUE;
  if (strcmp (mode, "GOVERNANCE") != 0 && strcmp (mode, "COMPLIANCE") != 0)
    return refuse (error,
        "object-lock-mode is “%s”. Set it to GOVERNANCE or COMPLIANCE.", mode);
  date = g_date_time_new_from_iso8601 (until, utc);
  if (!date)
    return refuse (error,
        "object-lock-retain-until is no date. Write it as "
        "2030-12-31T00:00:00Z.");
  if (options->checksum == AMS_S3_CHECKSUM_NONE)
    return refuse (error,
        "object-lock-mode needs a checksum, and checksum is none. Set it to "
        "md5.");
  return TRUE;
}

gboolean
ams_s3_store_options_check (const AmsS3StoreOptions *options, GError **error)
{
  return check_place (options, error) && check_credentials (options, error) &&
      check_parts (options, error) && check_values (options, error) &&
      check_metadata (options, error) && check_encryption (options, error) &&
      check_lock (options, error);
}

/* What AWS's tools are configured with */

static gboolean
configure_endpoint (AmsS3StoreOptions *options, const AmsS3Config *config,
    GError **error)
{
  g_autofree gchar *source = NULL;
  const gchar *found = ams_s3_config_find_endpoint (config, &source);

  if (options->endpoint || !found)
    return TRUE;
  options->endpoint = ams_s3_endpoint_parse (found, error);
  if (!options->endpoint)
    g_prefix_error (error, "%s cannot be used: ", source);
  return options->endpoint != NULL;
}

static gboolean
configure_ca_file (AmsS3StoreOptions *options, const AmsS3Config *config,
    GError **error)
{
  g_autofree gchar *source = NULL;
  g_autoptr (GError) reason = NULL;
  const gchar *found = ams_s3_config_find_ca_bundle (config, &source);
  GList *certificates;

  if (options->credentials.ca_file || !found ||
      !g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    return TRUE;
  certificates = g_tls_certificate_list_new_from_file (found, &reason);
  if (!certificates)
    return refuse (error,
        "%s names “%s”, which cannot be used (%s). Set it to a file of "
        "certificates in PEM, or set ssl-ca-file.",
        source, found, reason ? reason->message : "no certificate is in it");
  g_list_free_full (certificates, g_object_unref);
  options->credentials.ca_file = g_strdup (found);
  return TRUE;
}

gboolean
ams_s3_store_options_configure (AmsS3StoreOptions *options, GStrv envp,
    GError **error)
{
  g_autoptr (AmsS3Config) config =
      ams_s3_config_new (options->credentials.profile, envp);

  return configure_endpoint (options, config, error) &&
      configure_ca_file (options, config, error);
}
