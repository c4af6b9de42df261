/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is done to files on a disk, one system call's worth at a time. Every error
 * is of AMS_STORE_ERROR and names the path and the reason. Any thread. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* "Could not @doing “@path”: strerror (@errnum)" */
GError *ams_disk_error_new (gint errnum, const gchar *doing, const gchar *path);
/* EXISTS and ABSENT, which say something of a file in the store, become TRANSIENT: this
 * one is about what is beside it. Returns @error. */
GError *ams_disk_soften (GError *error);

/* Bytes that the name of a file beside @path may have at most, as the file system says
 * whose folder that is, or will be. */
gsize ams_disk_get_name_max (const gchar *path);

/* Makes the folders that @path is in. @sync: their names are on stable storage. */
gboolean ams_disk_make_folders (const gchar *path, gboolean sync,
    GError **error);
/* The name @path is on stable storage. */
gboolean ams_disk_sync_folder (const gchar *path, GError **error);

/* A new file; never follows or truncates one. -1: @error; a file that is there
 * is AMS_FAILURE_EXISTS. */
gint ams_disk_create (const gchar *path, GError **error);
/* @written: also on failure. */
gboolean ams_disk_write (gint fd, const guint8 *data, gsize length,
    guint64 offset, const gchar *path, gsize *written, GError **error);
/* Both close it in any case. */
gboolean ams_disk_close (gint fd, gboolean sync, const gchar *path,
    GError **error);

/* The whole of a regular file of at most @max_size bytes. */
GBytes *ams_disk_read (const gchar *path, gboolean follow, guint64 max_size,
    GError **error);
/* The first @size bytes of a regular file, or all if it has no more. */
GBytes *ams_disk_read_head (const gchar *path, guint64 size, GError **error);

G_END_DECLS
