/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether what is in the store is what was to be put there. Internal to the store. */

#pragma once

#include "http/amshttpplace.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_COMPARE_FAILED,
  AMS_HTTP_COMPARE_SAME,
  AMS_HTTP_COMPARE_DIFFERENT,
  AMS_HTTP_COMPARE_EARLIER, /* an earlier version, put by this store or with that beginning */
} AmsHttpCompare;

/* GETs @name and compares it byte for byte as it streams, with @body and (nullable) with
 * @plain, of which @body is the gzip: some servers unpack. @versions: there may be an
 * earlier one; otherwise that is DIFFERENT. */
void ams_http_compare_async (AmsHttpPlace *place, const gchar *name,
    AmsBody *body, AmsBody *plain, gboolean versions, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
/* FAILED: AMS_STORE_ERROR, ABSENT if nothing is there; G_IO_ERROR_CANCELLED. */
AmsHttpCompare ams_http_compare_finish (GAsyncResult *result, GError **error);

/* What was just answered with @status and (nullable) @etag is looked at, as the options say
 * (http-put.md H6). */
void ams_http_verify_async (AmsHttpPlace *place, const gchar *name,
    AmsBody *body, AmsBody *plain, guint status, const gchar *etag,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_http_verify_finish (GAsyncResult *result, GError **error);

G_END_DECLS
