/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The connections that are open: how many there may be, and how long one may be idle. A client that keeps its
 * connection costs a descriptor even while it says nothing; so where there are as many as may be, the one that
 * has been idle for longest makes room, and if none is idle, new ones wait in the kernel. */

#pragma once

#include "connection.h"
#include "listener.h"

G_BEGIN_DECLS

typedef struct _HlsUploadClients HlsUploadClients;

/* @max: at once. @timeout: s that one may be idle. @listener: is paused and resumed; must live as long. */
HlsUploadClients *hls_upload_clients_new (HlsUploadListener *listener,
    guint max, guint timeout);
void hls_upload_clients_free (HlsUploadClients *clients);

/* Another waits. FALSE: there is no room; the listener is paused until there is. */
gboolean hls_upload_clients_admit (HlsUploadClients *clients);
/* It is open, and idle. */
void hls_upload_clients_add (HlsUploadClients *clients,
    HlsUploadConnection *connection);
/* A request has begun to come; is answered. Neither matters of what is closed. */
void hls_upload_clients_begin (HlsUploadClients *clients,
    HlsUploadConnection *connection);
void hls_upload_clients_end (HlsUploadClients *clients,
    HlsUploadConnection *connection);
/* One could not be accepted: the listener is paused. */
void hls_upload_clients_fail (HlsUploadClients *clients, const GError *error);
/* No more requests are taken: what is idle, and what becomes so, is closed. */
void hls_upload_clients_close (HlsUploadClients *clients);

guint hls_upload_clients_get_length (HlsUploadClients *clients);

/* How many there may be, of @wanted, so that each has a descriptor for the file that comes over it, and the rest of
 * the program keeps what it needs (@reserve). The process's limit is raised if it may be. */
guint hls_upload_clients_fit (guint wanted, guint requests, guint reserve);

G_END_DECLS
