/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who may upload: users and passwords, bearer tokens, read from files once. Only their digests are
 * kept. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _HlsUploadAuth HlsUploadAuth;

/* Both nullable; with neither everybody may. An empty file is an error. */
HlsUploadAuth *hls_upload_auth_new (const gchar *basic_file,
    const gchar *token_file, GError **error);
void hls_upload_auth_free (HlsUploadAuth *auth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadAuth, hls_upload_auth_free)

/* @authorization: (nullable) the header. Takes as long for what is almost right as for what is wrong. */
gboolean hls_upload_auth_allows (const HlsUploadAuth *auth,
    const gchar *authorization);
/* For WWW-Authenticate. NULL: everybody may. */
const gchar *hls_upload_auth_get_challenge (const HlsUploadAuth *auth);

G_END_DECLS
