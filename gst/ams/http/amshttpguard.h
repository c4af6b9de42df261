/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Looking at what an HTTP server has of a playlist, for its guard (amslistguard.h):
 * one GET of its last bytes. Internal to the store. */

#pragma once

#include "http/amshttpplace.h"

G_BEGIN_DECLS

/* @body is to be put as @name. @plain: (nullable) of which @body is the gzip. */
void ams_http_guard_look_async (AmsHttpPlace *place, const gchar *name,
    AmsBody *body, AmsBody *plain, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
/* *@etag: (transfer full) (nullable) strong, of what is there. FALSE: that cannot be told, or AMS_FAILURE_BUSY. */
gboolean ams_http_guard_look_finish (GAsyncResult *result,
    AmsListVerdict *verdict, gchar **etag, GError **error);

/* A name of a segment is taken: has another recorder written the playlist as well? No
 * answer is no. */
void ams_http_guard_suspect_async (AmsHttpPlace *place,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_http_guard_suspect_finish (GAsyncResult *result);

/* For AmsListLooker: what is there as @name. */
void ams_http_guard_peek_async (AmsHttpPlace *place, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_http_guard_peek_finish (GAsyncResult *result, AmsListSeen *seen,
    GError **error);

/* @shown: the playlist, for people. */
GError *ams_list_guard_error (const gchar *shown);

/* What was read of @name for somebody else. */
void ams_http_guard_note_reply (AmsHttpPlace *place, const gchar *name,
    const AmsHttpReply *reply);

G_END_DECLS
