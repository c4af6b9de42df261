/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Checksums of a body in one pass, a slice at a time, so that a thread with other
 * work to do is not kept from it. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_S3_DIGEST_SHA256 = 1 << 0,
  AMS_S3_DIGEST_MD5 = 1 << 1,
  AMS_S3_DIGEST_CRC32 = 1 << 2, /* as zlib's */
} AmsS3DigestFlags;

/* Those that were not asked for are "". */
typedef struct
{
  guint64 size; /* bytes that went in */
  gchar sha256[65]; /* lower-case hexadecimal: x-amz-content-sha256 */
  gchar md5[33]; /* lower-case hexadecimal: an ETag */
  gchar md5_base64[25]; /* Content-MD5 */
  gchar crc32_base64[9]; /* x-amz-checksum-crc32 */
} AmsS3Digests;

typedef struct _AmsS3Digester AmsS3Digester;

AmsS3Digester *ams_s3_digester_new (AmsS3DigestFlags flags);
void ams_s3_digester_free (AmsS3Digester *digester);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Digester, ams_s3_digester_free)

void ams_s3_digester_update (AmsS3Digester *digester, gconstpointer data,
    gsize size);
/* Goes on with @body, of which the bytes from @start to @end are wanted, by at most
 * @most bytes. @done: (out): @end is reached. FALSE: @error, of ams_body_read(); also LOST
 * if the body ends before @end. */
gboolean ams_s3_digester_read (AmsS3Digester *digester, AmsBody *body,
    guint64 start, guint64 end, guint64 most, gboolean *done, GError **error);
/* Once. */
void ams_s3_digester_finish (AmsS3Digester *digester, AmsS3Digests *digests);

void ams_s3_digest_bytes (AmsS3DigestFlags flags, GBytes *bytes,
    AmsS3Digests *digests);

G_END_DECLS
