/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reading one file back. Internal to the store. */

#pragma once

#include "http/amshttpplace.h"

G_BEGIN_DECLS

/* @head: so many of its first bytes are enough; 0: all are needed. */
void ams_http_fetch_async (AmsHttpPlace *place, AmsStore *store,
    const gchar *name, guint64 head, guint64 max_size,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
GBytes *ams_http_fetch_finish (GAsyncResult *result, GError **error);

G_END_DECLS
