/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A lock file that says who records something. The lock is the kernel's (flock), on
 * an open file of its own: it holds between processes and between two elements of
 * one process, however the folder is spelled, on NFS as well, and is gone with the
 * process however that ends. The file only carries it, and says who has it; one that
 * a crash left behind locks nothing. Any thread. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _AmsRecorderLock AmsRecorderLock;

/* Folders of @path are made. NULL with AMS_FAILURE_BUSY: another one has it, and
 * @error says who records @subject; AMS_FAILURE_UNSUPPORTED: this file system has
 * no locks; any other failure: the file cannot be made. Never waits for others. */
AmsRecorderLock *ams_recorder_lock_take (const gchar *path,
    const gchar *subject, GError **error);
/* Removes the file as well. */
void ams_recorder_lock_release (AmsRecorderLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsRecorderLock, ams_recorder_lock_release)

/* folder/NAME → folder/.NAME.lock, of a length that file systems allow. (transfer full) */
gchar *ams_recorder_lock_path (const gchar *path);

G_END_DECLS
