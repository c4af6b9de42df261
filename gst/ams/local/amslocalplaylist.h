/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Playlists on disk: written whole beside the old one, which they replace, or where the
 * file is still as this store wrote it last, extended in place. */

#pragma once

#include "local/amspartbody.h"

G_BEGIN_DECLS

typedef struct _AmsLocalPlaylists AmsLocalPlaylists;

/* @sync: on stable storage before one counts as stored */
AmsLocalPlaylists *ams_local_playlists_new (gboolean sync);
void ams_local_playlists_free (AmsLocalPlaylists *self);

/* @put: its body is an AmsMemoryBody. @path: where, and perhaps a link. */
gboolean ams_local_playlists_put (AmsLocalPlaylists *self, const AmsPut *put,
    const gchar *path, GError **error);
/* Whether @name was written here. Nothing is known of it from now on, as it is about to
 * be removed. */
gboolean ams_local_playlists_forget (AmsLocalPlaylists *self,
    const gchar *name);

G_END_DECLS
