/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Takes connections. */

#pragma once

#include "connection.h"

G_BEGIN_DECLS

typedef struct
{
  /* One waits. FALSE: it is not taken now. */
  gboolean (*admit) (gpointer user_data);
  void (*accepted) (HlsUploadConnection *connection, GSocketAddress *local,
      GSocketAddress *remote, gpointer user_data);
  /* One could not be taken, as descriptors or memory have run out: it waits on, and this comes again at once
   * unless the listener is paused. */
  void (*failed) (const GError *error, gpointer user_data);
} HlsUploadListenerFuncs;

typedef struct _HlsUploadListener HlsUploadListener;

/* @port: 0: any that is free. @certificate, @private_key: (nullable) files; then it speaks TLS. */
HlsUploadListener *hls_upload_listener_new (const gchar *address, guint port,
    const gchar *certificate, const gchar *private_key,
    const HlsUploadListenerFuncs *funcs, gpointer user_data, GError **error);
void hls_upload_listener_free (HlsUploadListener *listener);
/* (transfer full) */
gchar *hls_upload_listener_dup_url (HlsUploadListener *listener);
GSocket *hls_upload_listener_get_socket (HlsUploadListener *listener);

/* Clients wait in the kernel until it is resumed. */
void hls_upload_listener_pause (HlsUploadListener *listener);
void hls_upload_listener_resume (HlsUploadListener *listener);
/* For good: they are refused. */
void hls_upload_listener_close (HlsUploadListener *listener);

G_END_DECLS
