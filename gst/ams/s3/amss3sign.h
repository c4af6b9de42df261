/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Signature Version 4 for S3, in stages that can each be looked at. Pure: the time
 * is passed in. Times are µs since 1970 UTC. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* x-amz-content-sha256 of a body that is not hashed: only over https, and only
 * with a checksum in another header. */
#define AMS_S3_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
/* of no body */
#define AMS_S3_EMPTY_SHA256 \
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define AMS_S3_KEY_SIZE 32

typedef struct
{
  const gchar *name, *value;
} AmsS3Header;

/* What is signed; none of it may change on its way out. */
typedef struct
{
  const gchar *method;
  const gchar *path; /* percent-encoded, as it goes out */
  const gchar *query; /* (nullable) percent-encoded, as it goes out */
  const AmsS3Header *headers; /* those to sign: ams_s3_header_is_signed() */
  gsize n_headers;
  const gchar *payload_hash; /* value of x-amz-content-sha256 */
} AmsS3SignRequest;

/* Whose signature. */
typedef struct
{
  const gchar *access_key, *secret_key, *region;
} AmsS3SignKeys;

/* Each byte but A–Z a–z 0–9 - _ . ~ as %XX; "/" is kept in paths. */
gchar *ams_s3_encode (const gchar *text, gboolean keep_slash);
/* @pairs: name, value, …, NULL, not encoded. Made for going out: sorted, so that
 * canonical form and what goes out are the same. */
gchar *ams_s3_query (const gchar *const *pairs);
/* host, content-type, content-md5, cache-control, if-none-match, x-amz-*: what
 * no proxy changes on the way. */
gboolean ams_s3_header_is_signed (const gchar *name);

gchar *ams_s3_canonical_path (const gchar *path);
gchar *ams_s3_canonical_query (const gchar *query);
/* @names: (out): the signed headers' names, separated by ";" */
gchar *ams_s3_canonical_request (const AmsS3SignRequest *request,
    gchar **names);
/* YYYYMMDDTHHMMSSZ, the value of x-amz-date */
gchar *ams_s3_date (gint64 now);
/* @date: of ams_s3_date(). YYYYMMDD/REGION/s3/aws4_request */
gchar *ams_s3_scope (const gchar *date, const gchar *region);
gchar *ams_s3_string_to_sign (const gchar *date, const gchar *scope,
    const gchar *canonical_request);
void ams_s3_signing_key (const gchar *secret_key, const gchar *scope,
    guint8 key[AMS_S3_KEY_SIZE]);
gchar *ams_s3_signature (const guint8 key[AMS_S3_KEY_SIZE],
    const gchar *string_to_sign);

/* Keeps the signing key for a day and region. For one thread. */
typedef struct _AmsS3Signer AmsS3Signer;

AmsS3Signer *ams_s3_signer_new (void);
/* Overwrites the key. */
void ams_s3_signer_free (AmsS3Signer *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Signer, ams_s3_signer_free)

/* The value of Authorization. @date: the value of x-amz-date, which must be among
 * the headers. */
gchar *ams_s3_signer_authorize (AmsS3Signer *signer, const AmsS3SignKeys *keys,
    const gchar *date, const AmsS3SignRequest *request);

/* For secrets: overwritten, then freed. @text: nullable */
void ams_s3_secret_free (gchar *text);

G_END_DECLS
