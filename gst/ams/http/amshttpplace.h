/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the operations of an HTTP store share: where it is, and what was learnt of the
 * server. Internal to the store. */

#pragma once

#include "http/amshttpclient.h"
#include "http/amshttpstatus.h"
#include "http/amshttpstoreoptions.h"
#include "http/amslistguard.h"

G_BEGIN_DECLS

typedef struct
{
  AmsHttpClient *client;
  AmsHttpStoreOptions options;
  gint64 patience; /* µs in which a fetch is tried again */
  /* Sets of paths that were made by MKCOL or stored into, of names that may be put again, and of
   * those whose last attempt was cut off. */
  GHashTable *folders, *own, *cut_off;
  GHashTable *unsure; /* amshttpunsure.h */
  AmsListGuard *guard;
  gboolean found_free; /* the names are new, or it cannot be told */
  guint failed_looks;
  gboolean asks_first; /* If-None-Match is refused there */
  gboolean with_length; /* 411 was the answer to a chunked body */
  gboolean has_other_etags; /* they say nothing of what is there */
  gboolean said_accepted, said_no_etag;
} AmsHttpPlace;

void ams_http_place_init (AmsHttpPlace *place, AmsHttpClient *client,
    const AmsHttpStoreOptions *options);
void ams_http_place_clear (AmsHttpPlace *place);

/* A request that reads: as it was put, and not from a cache on the way. */
void ams_http_place_request (AmsHttpPlace *place, AmsHttpRequest *request,
    const gchar *method, const gchar *name);
void ams_http_request_clear (AmsHttpRequest *request);

/* What @reply means for @name. */
GError *ams_http_place_error (AmsHttpPlace *place, AmsHttpOperation operation,
    const gchar *name, const AmsHttpReply *reply);

G_END_DECLS
