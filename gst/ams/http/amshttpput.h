/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Putting one file: one attempt of it, with all requests that this takes. Internal to the
 * store. */

#pragma once

#include "http/amshttpplace.h"

G_BEGIN_DECLS

void ams_http_put_async (AmsHttpPlace *place, AmsStore *store,
    const AmsPut *put, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_http_put_finish (GAsyncResult *result, GError **error);

G_END_DECLS
