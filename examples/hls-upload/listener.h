/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Takes connections. */

#pragma once

#include "connection.h"

G_BEGIN_DECLS

typedef void (*HlsUploadAccepted) (HlsUploadConnection *connection,
    GSocketAddress *local, GSocketAddress *remote, gpointer user_data);

typedef struct _HlsUploadListener HlsUploadListener;

/* @port: 0: any that is free. @certificate, @private_key: (nullable) files; then it speaks TLS. */
HlsUploadListener *hls_upload_listener_new (const gchar *address, guint port,
    const gchar *certificate, const gchar *private_key,
    HlsUploadAccepted accepted, gpointer user_data, GError **error);
/* Closes. */
void hls_upload_listener_free (HlsUploadListener *listener);
/* (transfer full) */
gchar *hls_upload_listener_dup_url (HlsUploadListener *listener);

G_END_DECLS
