/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 64

struct _HlsUploadListener
{
  GSocket *socket;
  GSource *source; /* NULL: paused */
  GTlsCertificate *certificate; /* nullable */
  gchar *host;
  HlsUploadListenerFuncs funcs;
  gpointer user_data;
};

/* Taking */

static void
take (HlsUploadListener *self, GSocket *socket)
{
  g_autoptr (GSocketConnection) stream =
      g_socket_connection_factory_create_connection (socket);
  g_autoptr (HlsUploadConnection) connection =
      hls_upload_connection_new (stream, self->certificate, NULL);
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) remote =
      g_socket_get_remote_address (socket, NULL);

  /* Answers are short, and wait for nothing. */
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  if (connection && local && remote)
    self->funcs.accepted (connection, local, remote, self->user_data);
}

/* What is wrong with one connection is gone with it. */
static gboolean
is_about_one (const GError *error)
{
  return !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES) &&
      !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) &&
      !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static gboolean
on_incoming (GSocket *listening, GIOCondition condition, gpointer user_data)
{
  HlsUploadListener *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = NULL;

  if (!self->funcs.admit (self->user_data))
    return G_SOURCE_CONTINUE;
  socket = g_socket_accept (listening, NULL, &error);
  if (socket)
    take (self, socket);
  else if (!is_about_one (error))
    self->funcs.failed (error, self->user_data);
  return G_SOURCE_CONTINUE;
}

void
hls_upload_listener_pause (HlsUploadListener *self)
{
  if (!self->source)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

void
hls_upload_listener_resume (HlsUploadListener *self)
{
  if (self->source)
    return;
  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_incoming), self, NULL);
  g_source_attach (self->source, NULL);
}

void
hls_upload_listener_close (HlsUploadListener *self)
{
  hls_upload_listener_pause (self);
  if (self->socket)
    g_socket_close (self->socket, NULL);
}

/* Life */

void
hls_upload_listener_free (HlsUploadListener *self)
{
  hls_upload_listener_close (self);
  g_clear_object (&self->socket);
  g_clear_object (&self->certificate);
  g_free (self->host);
  g_free (self);
}

static gboolean
listen_at (HlsUploadListener *self, guint port, GError **error)
{
  g_autoptr (GSocketAddress) wanted =
      g_inet_socket_address_new_from_string (self->host, port);

  self->socket = g_socket_new (g_socket_address_get_family (wanted),
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  if (!self->socket)
    return FALSE;
  g_socket_set_blocking (self->socket, FALSE);
  g_socket_set_listen_backlog (self->socket, BACKLOG);
  if (!g_socket_bind (self->socket, wanted, TRUE, error) ||
      !g_socket_listen (self->socket, error))
    return FALSE;
  hls_upload_listener_resume (self);
  return TRUE;
}

HlsUploadListener *
hls_upload_listener_new (const gchar *address, guint port,
    const gchar *certificate, const gchar *private_key,
    const HlsUploadListenerFuncs *funcs, gpointer user_data, GError **error)
{
  HlsUploadListener *self = g_new0 (HlsUploadListener, 1);

  self->host = g_strdup (address);
  self->funcs = *funcs;
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
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (self->socket, NULL);
  gboolean brackets = strchr (self->host, ':') != NULL;

  return g_strdup_printf ("%s://%s%s%s:%u",
      self->certificate ? "https" : "http", brackets ? "[" : "", self->host,
      brackets ? "]" : "",
      address ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address))
              : 0);
}

GSocket *
hls_upload_listener_get_socket (HlsUploadListener *self)
{
  return self->socket;
}
