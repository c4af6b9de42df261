/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Putting one file: one attempt of it, with all requests that this takes. Internal to the
 * store. */

#pragma once

#include "s3/amss3place.h"

G_BEGIN_DECLS

/* @locked: as the options for object lock say, if they do. */
void ams_s3_put_async (AmsS3Place *place, const AmsPut *put, gboolean locked,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_s3_put_finish (GAsyncResult *result, GError **error);

G_END_DECLS
