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
/* Something has come. */
gboolean hls_upload_connection_has_read (HlsUploadConnection *connection);
GSocket *hls_upload_connection_get_socket (HlsUploadConnection *connection);

typedef void (*HlsUploadClosed) (gpointer user_data);

/* @closed: (nullable) called once, when its descriptor is free. */
void hls_upload_connection_set_closed_func (HlsUploadConnection *connection,
    HlsUploadClosed closed, gpointer user_data);

/* Between two requests: nobody waits for its end, so when that comes, @release (@holder), which makes who has
 * the connection let go of it, and it is closed. */
typedef void (*HlsUploadRelease) (GObject *holder);
void hls_upload_connection_park (HlsUploadConnection *connection,
    GObject *holder, HlsUploadRelease release);
void hls_upload_connection_unpark (HlsUploadConnection *connection);

/* It ends: at once where it is parked; else whoever reads from it finds its end, and closes it. */
void hls_upload_connection_shut (HlsUploadConnection *connection);

G_END_DECLS
