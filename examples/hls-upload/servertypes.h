/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The server, as its requests need it. Internal to the server. */

#pragma once

#include "auth.h"
#include "clients.h"
#include "options.h"
#include "queue.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _HlsUploadServer HlsUploadServer;

struct _HlsUploadServer
{
  SoupServer *soup;
  HlsUploadListener *listener;
  HlsUploadClients *clients;
  gboolean closed;
  const HlsUploadOptions *options;
  const HlsUploadAuth *auth;
  AmsS3Store *store;
  HlsUploadQueue *queue;
  guint requests; /* that were accepted and are not answered */
  GHashTable *seen; /* set of the names of playlists that are there */
};

G_END_DECLS
