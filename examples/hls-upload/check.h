/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether a request can be done, by its head alone: before its body is taken. */

#pragma once

#include "auth.h"
#include "options.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* @requests: that are under way. *@name: (transfer full) of the file. *@conditional: nothing may be
 * replaced. FALSE: @error is the answer (names.h). */
gboolean hls_upload_check (const HlsUploadOptions *options,
    const HlsUploadAuth *auth, guint requests, SoupServerMessage *message,
    gchar **name, gboolean *conditional, GError **error);
G_END_DECLS
