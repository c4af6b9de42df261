/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A body is written to a file. Errors are as in transfer/amsdisk.h. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

/* Writes all of the finished @body to @path, a name of the caller's own: what another attempt or a crash left there
 * is removed first. The folder is there. @sync: the bytes are on stable storage. On failure half of it may be there;
 * AMS_FAILURE_LOST: the body has fewer bytes than it says. */
gboolean ams_body_write_file (AmsBody *body, const gchar *path, gboolean sync,
    GError **error);

G_END_DECLS
