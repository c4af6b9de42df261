/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Looking at what a bucket has of a playlist, for its guard (http/amslistguard.h): one
 * GET of its last bytes. Internal to the store. */

#pragma once

#include "http/amshttpread.h"
#include "s3/amss3place.h"

G_BEGIN_DECLS

/* @body is to be put as @key. @plain: (nullable) of which @body is the gzip. */
void ams_s3_guard_look_async (AmsS3Place *place, const gchar *key,
    AmsBody *body, AmsBody *plain, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
/* *@etag: (transfer full) (nullable) of what is there. FALSE: that cannot be told, or AMS_FAILURE_BUSY. */
gboolean ams_s3_guard_look_finish (GAsyncResult *result,
    AmsListVerdict *verdict, gchar **etag, GError **error);

/* A name of a segment is taken: has another recorder written the playlist as well? No
 * answer is no. */
void ams_s3_guard_suspect_async (AmsS3Place *place, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean ams_s3_guard_suspect_finish (GAsyncResult *result);

/* For AmsListLooker: what is there as @key. */
void ams_s3_guard_peek_async (AmsS3Place *place, const gchar *key,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_s3_guard_peek_finish (GAsyncResult *result, AmsListSeen *seen,
    GError **error);

/* What was read of @key for somebody else. */
void ams_s3_guard_note_read (AmsS3Place *place, const gchar *key,
    const AmsHttpReply *reply);
void ams_s3_guard_note_absent (AmsS3Place *place, const gchar *key);

G_END_DECLS
