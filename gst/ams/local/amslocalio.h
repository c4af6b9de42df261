/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the store on disk does to files, beside what all do that write to a disk
 * (transfer/amsdisk.h). Errors are as there. Any thread. */

#pragma once

#include "transfer/amsdisk.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* How a file gets its final name without taking it from another. */
typedef enum
{
  AMS_LOCAL_PUBLISH_RENAME, /* renameat2 (RENAME_NOREPLACE) */
  AMS_LOCAL_PUBLISH_LINK, /* link() and unlink(): where that is lacking */
  AMS_LOCAL_PUBLISH_CLAIM, /* O_EXCL on the name, then rename(): where there are no hard links */
} AmsLocalPublish;

/* root/folder/NAME → root/folder/.NAME.part, .NAME.tmp. (transfer full) */
gchar *ams_local_part_path (const gchar *path);
gchar *ams_local_temp_path (const gchar *path);

/* Renames @from to @to, or the next best that does not replace a file; begins
 * with @how and falls back to those after it. */
gboolean ams_local_publish (const gchar *from, const gchar *to,
    AmsLocalPublish how, GError **error);
/* Renames @part to @part.N, where N is the first number free: a left-over that is
 * in the way is kept. (transfer full): the new path */
gchar *ams_local_set_aside (const gchar *part, GError **error);

/* All files below @root whose names begin with @prefix. (element-type AmsFileEntry) */
GPtrArray *ams_local_list (const gchar *root, const gchar *prefix,
    GError **error);

G_END_DECLS
