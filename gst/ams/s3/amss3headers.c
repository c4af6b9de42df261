/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3headers.h"

#include "http/amsbodysum.h"
#include "http/amshttpread.h"
#include "http/amsputrules.h"
#include "s3/amss3sign.h"

#include <string.h>

void
ams_s3_headers_add (GPtrArray *headers, const gchar *name, const gchar *value)
{
  if (!value || !value[0])
    return;
  g_ptr_array_set_size (headers, headers->len - 1);
  g_ptr_array_add (headers, g_strdup (name));
  g_ptr_array_add (headers, g_strdup (value));
  g_ptr_array_add (headers, NULL);
}

GPtrArray *
ams_s3_headers_new (const AmsS3StoreOptions *options)
{
  /* Some are secret. */
  GPtrArray *headers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_s3_secret_free);

  g_ptr_array_add (headers, NULL);
  ams_s3_headers_add (headers, "x-amz-expected-bucket-owner",
      options->expected_bucket_owner);
  ams_s3_headers_add (headers, "x-amz-request-payer", options->request_payer);
  return headers;
}

void
ams_s3_headers_add_customer_key (GPtrArray *headers,
    const AmsS3StoreOptions *options)
{
  const gchar *key = options->sse_customer_key;
  g_autofree guchar *raw = NULL;
  g_autofree gchar *md5 = NULL, *base64 = NULL;
  gsize size;

  if (!key || !key[0])
    return;
  raw = g_base64_decode (key, &size);
  md5 = g_compute_checksum_for_data (G_CHECKSUM_MD5, raw, size);
  memset (raw, 0, size);
  base64 = ams_body_sum_to_base64 (md5);
  ams_s3_headers_add (headers,
      "x-amz-server-side-encryption-customer-algorithm", "AES256");
  ams_s3_headers_add (headers, "x-amz-server-side-encryption-customer-key",
      key);
  ams_s3_headers_add (headers, "x-amz-server-side-encryption-customer-key-MD5",
      base64);
}

GPtrArray *
ams_s3_headers_new_reading (const AmsS3StoreOptions *options)
{
  GPtrArray *headers = ams_s3_headers_new (options);

  for (guint i = 0; ams_http_read_headers[i]; i += 2)
    ams_s3_headers_add (headers, ams_http_read_headers[i],
        ams_http_read_headers[i + 1]);
  ams_s3_headers_add_customer_key (headers, options);
  return headers;
}

static void
add_metadata (GPtrArray *headers, const AmsS3StoreOptions *options)
{
  for (guint i = 0; options->metadata && options->metadata[i]; i += 2) {
    g_autofree gchar *name =
        g_strconcat ("x-amz-meta-", options->metadata[i], NULL);

    ams_s3_headers_add (headers, name, options->metadata[i + 1]);
  }
}

void
ams_s3_headers_add_object (GPtrArray *headers, const AmsS3StoreOptions *options,
    const AmsPut *put, gboolean zipped)
{
  const struct
  {
    const gchar *name, *value;
  } all[] = {
    { "Content-Type", ams_put_content_type (put, options->content_type) },
    { "Cache-Control",
        ams_put_cache_control (put, options->segment_cache_control,
            options->playlist_cache_control) },
    { "Content-Disposition", options->content_disposition },
    { "Content-Encoding", zipped ? "gzip" : NULL },
    { "x-amz-acl", options->acl },
    { "x-amz-storage-class", options->storage_class },
    { "x-amz-server-side-encryption", options->server_side_encryption },
    { "x-amz-server-side-encryption-aws-kms-key-id", options->sse_kms_key_id },
    { "x-amz-tagging", options->tagging },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    ams_s3_headers_add (headers, all[i].name, all[i].value);
  ams_s3_headers_add_customer_key (headers, options);
  add_metadata (headers, options);
}

void
ams_s3_headers_add_lock (GPtrArray *headers, const AmsS3StoreOptions *options)
{
  ams_s3_headers_add (headers, "x-amz-object-lock-mode",
      options->object_lock_mode);
  ams_s3_headers_add (headers, "x-amz-object-lock-retain-until-date",
      options->object_lock_retain_until);
}

const gchar *const *
ams_s3_headers_peek (GPtrArray *headers)
{
  return (const gchar *const *) headers->pdata;
}

/* Checksums */

AmsS3DigestFlags
ams_s3_checksum_flags (AmsS3Checksum checksum)
{
  switch (checksum) {
    case AMS_S3_CHECKSUM_MD5:
      return AMS_S3_DIGEST_SHA256 | AMS_S3_DIGEST_MD5;
    case AMS_S3_CHECKSUM_CRC32:
      return AMS_S3_DIGEST_SHA256 | AMS_S3_DIGEST_CRC32;
    default:
      return AMS_S3_DIGEST_SHA256;
  }
}

gchar *
ams_s3_checksum_dup_value (AmsS3Checksum checksum, const AmsS3Digests *digests)
{
  switch (checksum) {
    case AMS_S3_CHECKSUM_CRC32:
      return g_strdup (digests->crc32_base64);
    case AMS_S3_CHECKSUM_SHA256:
      return ams_body_sum_to_base64 (digests->sha256);
    default:
      return NULL;
  }
}

const gchar *
ams_s3_checksum_get_algorithm (AmsS3Checksum checksum)
{
  switch (checksum) {
    case AMS_S3_CHECKSUM_CRC32:
      return "CRC32";
    case AMS_S3_CHECKSUM_SHA256:
      return "SHA256";
    default:
      return NULL;
  }
}

void
ams_s3_headers_add_checksum (GPtrArray *headers, AmsS3Checksum checksum,
    const AmsS3Digests *digests)
{
  g_autofree gchar *value = ams_s3_checksum_dup_value (checksum, digests);

  if (checksum == AMS_S3_CHECKSUM_MD5)
    ams_s3_headers_add (headers, "Content-MD5", digests->md5_base64);
  else if (checksum == AMS_S3_CHECKSUM_CRC32)
    ams_s3_headers_add (headers, "x-amz-checksum-crc32", value);
  else if (checksum == AMS_S3_CHECKSUM_SHA256)
    ams_s3_headers_add (headers, "x-amz-checksum-sha256", value);
}
