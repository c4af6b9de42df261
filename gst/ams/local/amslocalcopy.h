/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file that is somewhere else already is written to its place on disk. Errors are as in
 * transfer/amsdisk.h. */

#pragma once

#include "local/amspartbody.h"

G_BEGIN_DECLS

/* Makes the finished @body, of whatever kind, the file @path: as a whole or not at all. A file that is there and
 * has other bytes is AMS_FAILURE_EXISTS, unless overwriting was asked for; one that has the same is what was wanted. */
gboolean ams_local_copy (AmsBody *body, const gchar *path,
    const AmsLocalOptions *options, GError **error);

G_END_DECLS
