/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolcopy.h"

#include "transfer/amsbodyfile.h"
#include "transfer/amsdisk.h"
#include "transfer/spool/amsspoolbody.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

gint64
ams_spool_copy_get_mtime (const gchar *path, guint64 size)
{
  struct stat info;

  if (stat (path, &info) < 0 || !S_ISREG (info.st_mode) ||
      (guint64) info.st_size != size)
    return -1;
  return ams_spool_body_mtime_of (&info);
}

/* Of the nearest folder that is there. */
static gboolean
get_device (const gchar *path, dev_t *device)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  struct stat info;

  if (stat (folder, &info) == 0) {
    *device = info.st_dev;
    return TRUE;
  }
  return errno == ENOENT && strcmp (folder, path) != 0 &&
      get_device (folder, device);
}

gboolean
ams_spool_copy_is_near (const gchar *local_path, const gchar *path)
{
  dev_t a, b;

  return get_device (local_path, &a) && get_device (path, &b) && a == b;
}

static gboolean
sync_file (const gchar *path)
{
  gint fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  gboolean synced;

  if (fd < 0)
    return FALSE;
  synced = fsync (fd) == 0;
  close (fd);
  return synced && ams_disk_sync_folder (path, NULL);
}

AmsSpoolLink
ams_spool_copy_link (const gchar *local_path, const gchar *path, guint64 size,
    gboolean sync)
{
  AmsSpoolLink made = AMS_SPOOL_LINK_MADE;

  /* What an attempt left that was cut short. */
  unlink (path);
  if (linkat (AT_FDCWD, local_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
    return errno == ENOENT ? AMS_SPOOL_LINK_NOT_YET : AMS_SPOOL_LINK_IMPOSSIBLE;
  if (ams_spool_copy_get_mtime (path, size) < 0)
    made = AMS_SPOOL_LINK_NOT_YET;
  else if (sync && !sync_file (path))
    made = AMS_SPOOL_LINK_IMPOSSIBLE;
  if (made != AMS_SPOOL_LINK_MADE)
    unlink (path);
  return made;
}

static gboolean
write_file (AmsBody *body, const gchar *path, gboolean sync, GError **error)
{
  return ams_disk_make_folders (path, FALSE, error) &&
      ams_body_write_file (body, path, sync, error) &&
      (!sync || ams_disk_sync_folder (path, error));
}

gboolean
ams_spool_copy_write (AmsBody *body, const gchar *path, gboolean sync,
    GError **error)
{
  GError *local = NULL;

  if (write_file (body, path, sync, &local))
    return TRUE;
  unlink (path);
  g_propagate_error (error, ams_disk_soften (local));
  return FALSE;
}
