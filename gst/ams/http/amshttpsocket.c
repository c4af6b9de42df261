/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpsocket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* s: our own watch says what has happened better than the kernel, and comes first. */
#define OWN_WATCH 3
/* Bytes in the kernel that were not sent yet. Without this limit, some MB are, and
 * what counts as written says nothing of what the peer takes. */
#define NOTSENT_LOWAT (512 * 1024)
#define MAX_SOCKETS 64

void
ams_http_socket_tune (GSocket *socket, guint timeout)
{
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_LOWAT,
      NULL);
  if (timeout > 0)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
        MIN (timeout + OWN_WATCH, G_MAXINT / 1000) * 1000, NULL);
}

GSocket *
ams_http_socket_of (GIOStream *connection)
{
  g_autoptr (GIOStream) base = NULL;

  if (G_IS_TLS_CONNECTION (connection)) {
    g_object_get (connection, "base-io-stream", &base, NULL);
    connection = base;
  }
  if (!G_IS_SOCKET_CONNECTION (connection))
    return NULL;
  return g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection));
}

static void
free_weak_ref (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

GHashTable *
ams_http_sockets_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
      free_weak_ref);
}

static gboolean
is_gone (gpointer id, gpointer weak_ref, gpointer user_data)
{
  g_autoptr (GSocket) socket = g_weak_ref_get (weak_ref);

  return socket == NULL || g_socket_is_closed (socket);
}

void
ams_http_sockets_add (GHashTable *sockets, guint64 id, GSocket *socket)
{
  GWeakRef *weak_ref = g_new0 (GWeakRef, 1);

  if (g_hash_table_size (sockets) >= MAX_SOCKETS)
    g_hash_table_foreach_remove (sockets, is_gone, NULL);
  g_weak_ref_init (weak_ref, socket);
  g_hash_table_replace (sockets, g_memdup2 (&id, sizeof (id)), weak_ref);
}

void
ams_http_sockets_shut_down (GHashTable *sockets, guint64 id)
{
  GWeakRef *weak_ref = g_hash_table_lookup (sockets, &id);
  g_autoptr (GSocket) socket = weak_ref ? g_weak_ref_get (weak_ref) : NULL;

  if (socket)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

gboolean
ams_http_sockets_is_ended (GHashTable *sockets, guint64 id)
{
  GWeakRef *weak_ref = g_hash_table_lookup (sockets, &id);
  g_autoptr (GSocket) socket = weak_ref ? g_weak_ref_get (weak_ref) : NULL;
  gchar byte;

  return socket && !g_socket_is_closed (socket) &&
      recv (g_socket_get_fd (socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}
