/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "listener.h"

#include <string.h>

#define BACKLOG 64

struct _HlsUploadListener
{
  GSocketService *service;
  GTlsCertificate *certificate; /* nullable */
  GSocketAddress *address; /* with the port that was chosen */
  gchar *host;
  HlsUploadAccepted accepted;
  gpointer user_data;
};

static gboolean
on_incoming (GSocketService *service, GSocketConnection *socket,
    GObject *source, gpointer user_data)
{
  HlsUploadListener *self = user_data;
  g_autoptr (HlsUploadConnection) connection =
      hls_upload_connection_new (socket, self->certificate, NULL);
  g_autoptr (GSocketAddress) local =
      g_socket_connection_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) remote =
      g_socket_connection_get_remote_address (socket, NULL);

  if (connection && local && remote)
    self->accepted (connection, local, remote, self->user_data);
  return TRUE;
}

void
hls_upload_listener_free (HlsUploadListener *self)
{
  g_signal_handlers_disconnect_by_data (self->service, self);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  g_clear_object (&self->certificate);
  g_clear_object (&self->address);
  g_free (self->host);
  g_free (self);
}

static gboolean
listen_at (HlsUploadListener *self, guint port, GError **error)
{
  GSocketListener *listener = G_SOCKET_LISTENER (self->service);
  g_autoptr (GSocketAddress) wanted =
      g_inet_socket_address_new_from_string (self->host, port);

  g_socket_listener_set_backlog (listener, BACKLOG);
  g_signal_connect (listener, "incoming", G_CALLBACK (on_incoming), self);
  return g_socket_listener_add_address (listener, wanted, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &self->address, error);
}

HlsUploadListener *
hls_upload_listener_new (const gchar *address, guint port,
    const gchar *certificate, const gchar *private_key,
    HlsUploadAccepted accepted, gpointer user_data, GError **error)
{
  HlsUploadListener *self = g_new0 (HlsUploadListener, 1);

  self->service = g_socket_service_new ();
  self->host = g_strdup (address);
  self->accepted = accepted;
  self->user_data = user_data;
  if (certificate)
    self->certificate =
        g_tls_certificate_new_from_files (certificate, private_key, error);
  if ((!certificate || self->certificate) && listen_at (self, port, error))
    return self;
  hls_upload_listener_free (self);
  return NULL;
}

gchar *
hls_upload_listener_dup_url (HlsUploadListener *self)
{
  gboolean brackets = strchr (self->host, ':') != NULL;

  return g_strdup_printf ("%s://%s%s%s:%u",
      self->certificate ? "https" : "http", brackets ? "[" : "", self->host,
      brackets ? "]" : "",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (self->address)));
}
