/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* At the start: whether the bucket is there, and the credentials are taken. It asks for a file that nobody has, and so
 * leaves nothing behind; whether files may be put is not known before the first is. */

#pragma once

#include "s3/amss3store.h"

G_BEGIN_DECLS

/* The answer is not waited for longer, s. */
#define HLS_UPLOAD_PROBE_TIMEOUT 10

void hls_upload_probe_async (AmsS3Store *store, GAsyncReadyCallback callback,
    gpointer user_data);
/* FALSE: @error of AMS_STORE_ERROR: PERMANENT, nothing will work until it is mended; else the store cannot be asked
 * now. */
gboolean hls_upload_probe_finish (GAsyncResult *result, GError **error);

G_END_DECLS
