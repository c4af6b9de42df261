/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which files a playlist names. It is read piece by piece, and no more of it than a line is kept, so that one of
 * a million entries costs no memory. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a line that may have a name. A playlist with a longer one is refused: what it names cannot be told. */
#define HLS_UPLOAD_MAX_LINE (64 * 1024)

typedef struct _HlsUploadListing HlsUploadListing;

/* @name: of a file that the playlist lists as there (not behind EXT-X-GAP), or has in a URI attribute; it lives
 * during the call. What is on another server or outside of all folders is left out. The same name
 * may come more than once. FALSE: enough. */
typedef gboolean (*HlsUploadNamed) (const gchar *name, gpointer user_data);

/* @name: of the playlist; names in it are relative to its folder. */
HlsUploadListing *hls_upload_listing_new (const gchar *name,
    HlsUploadNamed named, gpointer user_data);
void hls_upload_listing_free (HlsUploadListing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadListing, hls_upload_listing_free)

/* @text: the next @size bytes, which are changed. FALSE: @error of HLS_UPLOAD_ERROR (names.h). */
gboolean hls_upload_listing_read (HlsUploadListing *listing, gchar *text,
    gsize size, GError **error);
/* All has come: the last line needs no newline. */
void hls_upload_listing_end (HlsUploadListing *listing);

G_END_DECLS
