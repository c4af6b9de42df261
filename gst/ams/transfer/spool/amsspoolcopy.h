/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the file that upstream writes to the disk by itself gets into the spool: as a
 * hard link, or, where that cannot be, written once more. */

#pragma once

#include "transfer/amscopybody.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_SPOOL_LINK_MADE,
  AMS_SPOOL_LINK_NOT_YET, /* there is no such file, or none of that size */
  AMS_SPOOL_LINK_IMPOSSIBLE, /* another file system, or one without links */
} AmsSpoolLink;

/* @path: becomes a link to @local_path, if that has @size bytes. @sync: on stable
 * storage, with its name. */
AmsSpoolLink ams_spool_copy_link (const gchar *local_path, const gchar *path,
    guint64 size, gboolean sync);
/* @path: becomes a file with the bytes of the (finished) body. */
gboolean ams_spool_copy_write (AmsBody *body, const gchar *path, gboolean sync,
    GError **error);
/* Whether a link from one to the other may be made, once they are there. */
gboolean ams_spool_copy_is_near (const gchar *local_path, const gchar *path);

/* -1: @path is no file of @size bytes. ns since 1970 */
gint64 ams_spool_copy_get_mtime (const gchar *path, guint64 size);

G_END_DECLS
