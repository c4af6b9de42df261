/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The HTTP server: checks each request before its body is taken, hands bodies to the queue as they come,
 * and answers when the queue does. */

#pragma once

#include "servertypes.h"

G_BEGIN_DECLS

/* What is given stays the caller's, and must live longer. Listens from here on. */
HlsUploadServer *hls_upload_server_new (const HlsUploadOptions *options,
    const HlsUploadAuth *auth, AmsS3Store *store, HlsUploadQueue *queue,
    GError **error);
void hls_upload_server_free (HlsUploadServer *server);

/* Where it listens: the first. (transfer full) */
gchar *hls_upload_server_dup_url (HlsUploadServer *server);
/* Takes no connections any more. */
void hls_upload_server_close (HlsUploadServer *server);
/* Requests that are under way. */
guint hls_upload_server_get_requests (HlsUploadServer *server);

G_END_DECLS
