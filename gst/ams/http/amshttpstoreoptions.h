/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How files are put on an HTTP server, and where. */

#pragma once

#include "http/amshttpurl.h"
#include "http/amsputrules.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_VERIFY_NONE,
  AMS_HTTP_VERIFY_SIZE, /* HEAD: Content-Length */
  /* And the ETag that PUT answered; one that is an MD5 must be the body's. */
  AMS_HTTP_VERIFY_ETAG,
} AmsHttpVerify;

typedef enum
{
  AMS_HTTP_DIGEST_NONE,
  AMS_HTTP_DIGEST_MD5, /* Content-MD5 */
  AMS_HTTP_DIGEST_SHA256, /* Repr-Digest (RFC 9530) */
} AmsHttpDigest;

typedef struct
{
  AmsHttpUrl *url; /* a folder */
  gchar *notify_url; /* (nullable) */
  AmsHttpVerify verify;
  AmsHttpDigest digest;
  gboolean create_collections;
  AmsOverwrite overwrite;
  /* Whether names are in use is asked (GET) before what may not be overwritten is
   * put, until one is free: for servers that take If-None-Match and do not heed
   * it. */
  gboolean look_first;
  /* (nullable) of segments and other data, in place of that by role and name */
  gchar *content_type;
  gchar *segment_cache_control,
      *playlist_cache_control; /* NULL, "": not sent */
  gboolean gzip_playlists;
  /* A playlist that another recorder has written is not replaced, unless overwrite
   * says so. */
  gboolean guard_lists;
} AmsHttpStoreOptions;

void ams_http_store_options_copy (AmsHttpStoreOptions *to,
    const AmsHttpStoreOptions *from);
void ams_http_store_options_clear (AmsHttpStoreOptions *options);

G_END_DECLS
