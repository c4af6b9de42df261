/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tells notify-url what was delivered. Internal to stores. */

#pragma once

#include "http/amshttpclient.h"
#include "http/amshttpurl.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* @home: (nullable) whose origin gets the client's own credentials; no other does. */
void ams_http_notify_async (AmsHttpClient *client, AmsStore *store,
    const gchar *notify_url, const AmsHttpUrl *home, AmsBody *body,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_http_notify_finish (GAsyncResult *result, GError **error);

G_END_DECLS
