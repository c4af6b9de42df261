/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The store behind an HTTP server that takes PUT (WebDAV, upload endpoints, CDN
 * ingests). */

#pragma once

#include "http/amshttpclient.h"
#include "http/amshttpstoreoptions.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

#define AMS_TYPE_HTTP_STORE (ams_http_store_get_type ())
G_DECLARE_FINAL_TYPE (AmsHttpStore, ams_http_store, AMS, HTTP_STORE, GObject)

/* Has no list and no adopt: HTTP cannot list. */
AmsStore *ams_http_store_new (AmsHttpClient *client,
    const AmsHttpStoreOptions *options);

/* µs in which a fetch is tried again; for tests. */
void ams_http_store_set_patience (AmsHttpStore *store, gint64 patience);

G_END_DECLS
