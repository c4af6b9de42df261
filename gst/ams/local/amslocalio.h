/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the store on disk does to files, beside what all do that write to a disk
 * (transfer/amsdisk.h). Errors are as there. Any thread. */

#pragma once

#include "transfer/amsdisk.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* Sets @error as ams_disk_error_new() makes it, and returns FALSE, for its callers to
 * return. */
gboolean ams_local_fail (GError **error, gint errnum, const gchar *doing,
    const gchar *path);

/* How a file gets its final name without taking it from another. */
typedef enum
{
  AMS_LOCAL_PUBLISH_RENAME, /* renameat2 (RENAME_NOREPLACE) */
  AMS_LOCAL_PUBLISH_LINK, /* link() and unlink(): where that is lacking */
  AMS_LOCAL_PUBLISH_CLAIM, /* O_EXCL on the name, then rename(): where there are no hard links */
} AmsLocalPublish;

/* root/folder/NAME → root/folder/.NAME.part, .NAME.tmp. Where the file system takes no name that long,
 * root/folder/.amshls.part/NAME, and a .tmp that is named otherwise. (transfer full) */
gchar *ams_local_part_path (const gchar *path);
gchar *ams_local_temp_path (const gchar *path);
/* The folder of parts whose own names would be too long: whether @name is its name, and
 * that @part, which may have been in it, is not there any more. */
gboolean ams_local_is_part_folder (const gchar *name);
void ams_local_leave_part_folder (const gchar *part);

/* FALSE: the file system at @root takes no name as long as a part of @name, and @error
 * (UNSUPPORTED) says so. */
gboolean ams_local_check_name (const gchar *root, const gchar *name,
    GError **error);
/* The path that the links at @path, if there are any, lead to, whether there is a file
 * or not. (transfer full); NULL: @error: they lead round in a circle. */
gchar *ams_local_follow (const gchar *path, GError **error);

/* Renames @from to @to, or the next best that does not replace a file; begins
 * with @how and falls back to those after it. */
gboolean ams_local_publish (const gchar *from, const gchar *to,
    AmsLocalPublish how, GError **error);
/* Renames the part of @path to .NAME.part.N (or .amshls.part.N/NAME), where N is the first
 * number free: a left-over that is in the way is kept. (transfer full): the new path */
gchar *ams_local_set_aside (const gchar *path, GError **error);

/* All files below @root whose names begin with @prefix. (element-type AmsFileEntry) */
GPtrArray *ams_local_list (const gchar *root, const gchar *prefix,
    GError **error);

G_END_DECLS
