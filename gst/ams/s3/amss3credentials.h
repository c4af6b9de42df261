/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Credentials that are good when they are asked for: found along the chain
 * (amss3source.h), renewed in the background before they expire. For one thread, whose
 * GMainContext is the default one and is running; but for _new(), which any thread may
 * call. */

#pragma once

#include "s3/amss3source.h"

G_BEGIN_DECLS

/* So long before they expire they are renewed; the old ones go on until then. */
#define AMS_S3_CREDENTIALS_AHEAD (15 * G_TIME_SPAN_MINUTE)
/* Between two attempts to renew credentials that are good still. */
#define AMS_S3_CREDENTIALS_PAUSE (60 * G_TIME_SPAN_SECOND)

/* µs since 1970 UTC */
typedef gint64 (*AmsS3Now) (gpointer user_data);

#define AMS_TYPE_S3_CREDENTIALS (ams_s3_credentials_get_type ())
G_DECLARE_FINAL_TYPE (AmsS3Credentials, ams_s3_credentials, AMS, S3_CREDENTIALS,
    GObject)

/* @envp: (nullable) the process's own. @now: (nullable) the system's clock. */
AmsS3Credentials *ams_s3_credentials_new (
    const AmsS3CredentialsOptions *options, GStrv envp, AmsS3Now now,
    gpointer user_data);

/* Answers at once (through the main context) while there are good ones. */
void ams_s3_credentials_get_async (AmsS3Credentials *self,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
AmsS3Identity *ams_s3_credentials_get_finish (AmsS3Credentials *self,
    GAsyncResult *result, GError **error);
/* The store has refused this one (ExpiredToken): the next get waits for another,
 * unless there is another already. */
void ams_s3_credentials_invalidate (AmsS3Credentials *self,
    AmsS3Identity *identity);
/* Whether asking again can bring others: AmsS3Asked.dynamic. */
gboolean ams_s3_credentials_is_dynamic (AmsS3Credentials *self);
/* Ends what is under way; what waits gets G_IO_ERROR_CANCELLED. Must be called before the
 * main context ends. */
void ams_s3_credentials_stop (AmsS3Credentials *self);

G_END_DECLS
