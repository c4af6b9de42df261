/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The folders that a file needs (WebDAV). Internal to the store. */

#pragma once

#include "http/amshttpplace.h"

G_BEGIN_DECLS

/* MKCOL of all folders that lead to @name and are not known to be there. */
void ams_http_make_folders_async (AmsHttpPlace *place, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* FALSE: no answer came. TRUE: whether the file can be put now, only a PUT can tell, as a
 * folder that is there is refused in many ways; @refused (nullable) is the last of those that was. */
gboolean ams_http_make_folders_finish (GAsyncResult *result, GError **refused,
    GError **error);

/* Something was stored as @name: its folder is there. */
void ams_http_folders_remember (AmsHttpPlace *place, const gchar *name);
gboolean ams_http_folders_are_known (AmsHttpPlace *place, const gchar *name);

G_END_DECLS
