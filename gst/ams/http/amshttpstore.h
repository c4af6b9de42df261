/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The store behind an HTTP server that takes PUT (WebDAV, upload endpoints, CDN
 * ingests). */

#pragma once

#include "http/amshttpclient.h"
#include "http/amshttpurl.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_VERIFY_NONE,
  AMS_HTTP_VERIFY_SIZE, /* HEAD: Content-Length */
  AMS_HTTP_VERIFY_ETAG, /* and the ETag that PUT answered; one that is an MD5 must be the body's */
} AmsHttpVerify;

typedef enum
{
  AMS_HTTP_DIGEST_NONE,
  AMS_HTTP_DIGEST_MD5, /* Content-MD5 */
  AMS_HTTP_DIGEST_SHA256, /* Repr-Digest (RFC 9530) */
} AmsHttpDigest;

/* What may replace a file that is there already. */
typedef enum
{
  AMS_OVERWRITE_SEGMENTS_NEVER, /* playlists, masters and others may, as on disk; segments, inits and keys may not */
  AMS_OVERWRITE_NEVER, /* only what this store object has put itself */
  AMS_OVERWRITE_ALWAYS,
} AmsOverwrite;

typedef struct
{
  AmsHttpUrl *url; /* a folder */
  gchar *notify_url; /* (nullable) */
  AmsHttpVerify verify;
  AmsHttpDigest digest;
  gboolean create_collections;
  AmsOverwrite overwrite;
  gboolean
      look_first; /* whether names are in use is asked (GET) before what may not be overwritten is put, until one is free: for servers that take If-None-Match and do not heed it */
  gchar *
      content_type; /* (nullable) of segments and other data, in place of that by role and name */
  gchar *segment_cache_control,
      *playlist_cache_control; /* NULL, "": not sent */
  gboolean gzip_playlists;
  gboolean
      guard_lists; /* a playlist that another recorder has written is not replaced, unless overwrite says so */
} AmsHttpStoreOptions;

void ams_http_store_options_copy (AmsHttpStoreOptions *to,
    const AmsHttpStoreOptions *from);
void ams_http_store_options_clear (AmsHttpStoreOptions *options);

#define AMS_TYPE_HTTP_STORE (ams_http_store_get_type ())
G_DECLARE_FINAL_TYPE (AmsHttpStore, ams_http_store, AMS, HTTP_STORE, GObject)

/* Has no list and no adopt: HTTP cannot list. */
AmsStore *ams_http_store_new (AmsHttpClient *client,
    const AmsHttpStoreOptions *options);

G_END_DECLS
