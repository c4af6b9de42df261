/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the store on disk does to files, one system call's worth at a time. Every
 * error is of AMS_STORE_ERROR and names the path and the reason. Any thread. */

#pragma once

#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* How a file gets its final name without taking it from another. */
typedef enum
{
  AMS_LOCAL_PUBLISH_RENAME, /* renameat2 (RENAME_NOREPLACE) */
  AMS_LOCAL_PUBLISH_LINK, /* link() and unlink(): where that is lacking */
  AMS_LOCAL_PUBLISH_CLAIM, /* O_EXCL on the name, then rename(): where there are no hard links */
} AmsLocalPublish;

/* "Could not @doing “@path”: strerror (@errnum)" */
GError *ams_local_error_new (gint errnum, const gchar *doing,
    const gchar *path);

/* root/folder/NAME → root/folder/.NAME.part, .NAME.tmp. (transfer full) */
gchar *ams_local_part_path (const gchar *path);
gchar *ams_local_temp_path (const gchar *path);

/* Makes the folders that @path is in. @sync: their names are on stable storage. */
gboolean ams_local_make_folders (const gchar *path, gboolean sync,
    GError **error);
/* The name @path is on stable storage. */
gboolean ams_local_sync_folder (const gchar *path, GError **error);

/* A new file; never follows or truncates one. -1: @error; a file that is there
 * is AMS_FAILURE_EXISTS. */
gint ams_local_create (const gchar *path, GError **error);
/* @written: also on failure. */
gboolean ams_local_write (gint fd, const guint8 *data, gsize length,
    guint64 offset, const gchar *path, gsize *written, GError **error);
/* Both close it in any case. */
gboolean ams_local_close (gint fd, gboolean sync, const gchar *path,
    GError **error);

/* Renames @from to @to, or the next best that does not replace a file; begins
 * with @how and falls back to those after it. */
gboolean ams_local_publish (const gchar *from, const gchar *to,
    AmsLocalPublish how, GError **error);
/* Renames @part to @part.N, where N is the first number free: a left-over that is
 * in the way is kept. (transfer full): the new path */
gchar *ams_local_set_aside (const gchar *part, GError **error);

/* The whole of a regular file of at most @max_size bytes. */
GBytes *ams_local_read (const gchar *path, gboolean follow, guint64 max_size,
    GError **error);

/* All files below @root whose names begin with @prefix. (element-type AmsFileEntry) */
GPtrArray *ams_local_list (const gchar *root, const gchar *prefix,
    GError **error);

G_END_DECLS
