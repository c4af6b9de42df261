/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reading an object back, and listing. Internal to the store. */

#pragma once

#include "s3/amss3place.h"

G_BEGIN_DECLS

/* So many keys are listed at most. */
#define AMS_S3_MAX_LISTED 1000000

/* @head: so many of its first bytes are enough; 0: all are needed. */
void ams_s3_fetch_async (AmsS3Place *place, const gchar *name, guint64 head,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
GBytes *ams_s3_fetch_finish (GAsyncResult *result, GError **error);

/* @prefix: of names. */
void ams_s3_list_async (AmsS3Place *place, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* (element-type AmsFileEntry) */
GPtrArray *ams_s3_list_finish (GAsyncResult *result, GError **error);

G_END_DECLS
