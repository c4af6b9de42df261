/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* gzip, for playlists. Pure. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The same bytes always make the same bytes. */
GBytes *ams_gzip_compress (GBytes *plain, GError **error);
gboolean ams_gzip_is (GBytes *bytes);
/* AMS_STORE_ERROR, PERMANENT: damaged, or more than @max_size bytes come out of it. */
GBytes *ams_gzip_decompress (GBytes *zipped, guint64 max_size, GError **error);

G_END_DECLS
