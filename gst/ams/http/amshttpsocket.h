/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What libsoup leaves to others at the socket. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Keep-alive, no waiting for full packets, little that is queued but not sent; and
 * @timeout s (0: the system's) until a peer that acknowledges nothing is given up. */
void ams_http_socket_tune (GSocket *socket, guint timeout);
/* (transfer none) (nullable) */
GSocket *ams_http_socket_of (GIOStream *connection);

/* Closing may block the thread: a TLS connection writes to a peer that may read no
 * more, and libsoup may wait for a second answer. So before one is given up, its
 * socket is shut down. Connections that are used again do not say which socket they
 * have, hence the table by libsoup's id. */
GHashTable *ams_http_sockets_new (void);
void ams_http_sockets_add (GHashTable *sockets, guint64 id, GSocket *socket);
void ams_http_sockets_shut_down (GHashTable *sockets, guint64 id);
/* The other side has ended the connection. */
gboolean ams_http_sockets_is_ended (GHashTable *sockets, guint64 id);

G_END_DECLS
