/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A client's connection that knows whether its end was read. libsoup (3.2) takes a chunked body that was cut
 * off for a whole one, and passes on half a file without a word; with its own listening
 * nobody can tell. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define HLS_UPLOAD_TYPE_CONNECTION (hls_upload_connection_get_type ())
G_DECLARE_FINAL_TYPE (HlsUploadConnection, hls_upload_connection, HLS_UPLOAD,
    CONNECTION, GIOStream)

/* @certificate: (nullable) speaks TLS. */
HlsUploadConnection *hls_upload_connection_new (GSocketConnection *socket,
    GTlsCertificate *certificate, GError **error);
/* The client has closed its side, and that was read: a body that ended there is not whole. */
gboolean hls_upload_connection_is_at_end (HlsUploadConnection *connection);
GSocket *hls_upload_connection_get_socket (HlsUploadConnection *connection);

G_END_DECLS
