/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A body that is the gzip of another: made in a thread, and remembered with that. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

/* @body: finished, of a size that fits into memory. */
void ams_body_zip_async (AmsBody *body, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
/* (transfer none): lives as long as @body. */
AmsBody *ams_body_zip_finish (AmsBody *body, GAsyncResult *result,
    GError **error);

G_END_DECLS
