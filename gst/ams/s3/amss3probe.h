/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds out whether files can be put, looked up and removed (s3.md S16). Internal to the
 * store. */

#pragma once

#include "s3/amss3place.h"

G_BEGIN_DECLS

void ams_s3_probe_async (AmsS3Place *place, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
gboolean ams_s3_probe_finish (GAsyncResult *result, GError **error);

/* DELETE of one key; one that is not there is removed. */
void ams_s3_remove_async (AmsS3Place *place, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_s3_remove_finish (GAsyncResult *result, GError **error);

G_END_DECLS
