/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Looks at what is in the bucket under a name: is it what was to be put there? Internal to
 * the store. */

#pragma once

#include "s3/amss3error.h"
#include "s3/amss3digest.h"
#include "s3/amss3place.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_S3_CHECK_FAILED,
  AMS_S3_CHECK_SAME,
  AMS_S3_CHECK_DIFFERENT,
} AmsS3Check;

/* Size and, if it is one, the ETag's MD5; where those do not tell, byte for byte. @plain: (nullable)
 * of which @body is the gzip: some servers unpack. */
void ams_s3_check_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* FAILED: AMS_STORE_ERROR, ABSENT if nothing is there; G_IO_ERROR_CANCELLED. */
/* @md5: (out) (nullable) of what is there, if its ETag says. */
AmsS3Check ams_s3_check_finish (GAsyncResult *result, gchar **md5,
    GError **error);

/* The same, byte for byte, whatever size and ETag say. */
void ams_s3_read_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);

/* What was just answered with @etag (nullable) is looked up, as the option verify says. */
void ams_s3_verify_async (AmsS3Place *place, const gchar *key, AmsBody *body,
    AmsBody *plain, const gchar *etag, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean ams_s3_verify_finish (GAsyncResult *result, GError **error);

/* Of what was just put: whether its ETag, if it can be an MD5, is that of what was sent
 * (s3.md S9). TRUE: or nothing can be told by it there. */
gboolean ams_s3_etag_fits (const AmsS3Place *place, SoupMessageHeaders *headers,
    const AmsS3Digests *digests);
/* Whether an answer may mean that If-None-Match is not supported: 501 may be about
 * anything, and only the same request without it can tell. */
gboolean ams_s3_refuses_condition (const AmsS3Answer *answer);

G_END_DECLS
