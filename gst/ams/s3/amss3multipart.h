/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One file in several parts: for those that are too large to be sent once more as a whole when
 * something fails. Internal to the store. */

#pragma once

#include "s3/amss3place.h"

G_BEGIN_DECLS

/* @wanted, or as much more as keeps @size below AMS_S3_MAX_PARTS parts. */
guint64 ams_s3_part_size (guint64 size, guint64 wanted);

typedef enum
{
  AMS_S3_MULTIPART_FAILED,
  AMS_S3_MULTIPART_STORED,
  AMS_S3_MULTIPART_DOUBTFUL, /* stored, but the ETags of its parts are not their MD5 */
  AMS_S3_MULTIPART_THERE_ALREADY, /* only with @conditional, or it was completed by an attempt before */
  AMS_S3_MULTIPART_CONDITION_REFUSED, /* If-None-Match is not supported there; parts stay */
} AmsS3Multipart;

/* After a failure that may pass the parts stay, and the next attempt with this body goes on
 * from there; after another they are aborted. */
void ams_s3_multipart_async (AmsS3Place *place, const AmsPut *put,
    const gchar *key, AmsBody *body, gboolean zipped, gboolean conditional,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
AmsS3Multipart ams_s3_multipart_finish (GAsyncResult *result, GError **error);

/* What was uploaded of @body is not needed: it is aborted with the next request. */
void ams_s3_multipart_drop (AmsS3Place *place, AmsBody *body);

G_END_DECLS
