/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a bucket is, and how objects are put there. */

#pragma once

#include "http/amshttpstoreoptions.h"
#include "s3/amss3endpoint.h"
#include "s3/amss3source.h"

G_BEGIN_DECLS

/* Of an upload of several parts. */
#define AMS_S3_MAX_PARTS 10000
#define AMS_S3_MIN_PART (5 * 1024 * 1024) /* S3's own, but for the last one */

typedef enum
{
  AMS_S3_CHECKSUM_NONE, /* beyond the signed payload */
  AMS_S3_CHECKSUM_MD5, /* Content-MD5 */
  AMS_S3_CHECKSUM_CRC32, /* x-amz-checksum-crc32 */
  AMS_S3_CHECKSUM_SHA256, /* x-amz-checksum-sha256 */
} AmsS3Checksum;

typedef struct
{
  AmsS3Endpoint *endpoint; /* (nullable) AWS's own */
  gchar *bucket;
  gchar *prefix; /* of keys; "" */
  gchar *region; /* (nullable) found out */
  AmsS3Addressing addressing;
  AmsS3CredentialsOptions credentials;

  AmsOverwrite overwrite;
  AmsHttpVerify verify;
  AmsS3Checksum checksum;
  gboolean gzip_playlists;
  gboolean guard_lists; /* as in AmsHttpStoreOptions */
  /* All nullable: not sent unless set (s3.md S10). */
  gchar *content_type, *segment_cache_control, *playlist_cache_control;
  gchar *content_disposition;
  gchar *acl, *storage_class;
  gchar *server_side_encryption; /* AES256, aws:kms … */
  gchar *sse_kms_key_id;
  gchar *sse_customer_key; /* base64 of 32 bytes; a secret */
  gchar *tagging; /* as in a URL's query */
  GStrv metadata; /* name, value, name, value … */
  gchar *object_lock_mode, *object_lock_retain_until;
  gchar *expected_bucket_owner, *request_payer;

  guint64 multipart_threshold; /* bytes */
  /* Bytes; grows if a file would have more than AMS_S3_MAX_PARTS. */
  guint64 part_size;
  /* (nullable) where uploads of several parts are noted that are under way, to be
   * aborted after a crash */
  gchar *uploads_file;
  gchar *notify_url; /* (nullable) */
} AmsS3StoreOptions;

void ams_s3_store_options_init (AmsS3StoreOptions *options);
void ams_s3_store_options_copy (AmsS3StoreOptions *to,
    const AmsS3StoreOptions *from);
/* Secrets are overwritten. */
void ams_s3_store_options_clear (AmsS3StoreOptions *options);
/* What is not set, as AWS's tools are configured: endpoint and credentials.ca_file, by
 * @envp, as of g_get_environ(), and by the profile that credentials.profile, or @envp,
 * names. AMS_STORE_ERROR, PERMANENT: a sentence that names the variable or setting. */
gboolean ams_s3_store_options_configure (AmsS3StoreOptions *options, GStrv envp,
    GError **error);
/* What can be checked without a network: bucket, prefix, part size, metadata in ASCII,
 * half a pair of keys, lock mode without a date … AMS_STORE_ERROR, PERMANENT: one
 * sentence that names the property. */
gboolean ams_s3_store_options_check (const AmsS3StoreOptions *options,
    GError **error);

G_END_DECLS
