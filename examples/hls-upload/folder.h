/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The folder that bodies are kept in while they are under way, where there is no spool. It
 * is locked as long as its process lives, however that ends: the next one removes what
 * is not locked any more. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlsUploadFolder HlsUploadFolder;

/* A new one below @parent, from which those of dead processes are removed. */
HlsUploadFolder *hls_upload_folder_new (const gchar *parent, GError **error);
/* Removes it with what is in it. */
void hls_upload_folder_free (HlsUploadFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadFolder, hls_upload_folder_free)

const gchar *hls_upload_folder_get_path (HlsUploadFolder *folder);

G_END_DECLS
