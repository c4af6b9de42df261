/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsdisk.h"

#include "files/amsgather.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0666 /* less the umask */
#define FOLDER_MODE 0777

/* Errors */

static AmsFailure
failure_from_errno (gint errnum)
{
  switch (errnum) {
    case ENOSPC:
    case EDQUOT:
      return AMS_FAILURE_FULL;
    case EEXIST:
      return AMS_FAILURE_EXISTS;
    case ENOENT:
      return AMS_FAILURE_ABSENT;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EFBIG:
      return AMS_FAILURE_PERMANENT;
    default:
      return AMS_FAILURE_TRANSIENT;
  }
}

GError *
ams_disk_error_new (gint errnum, const gchar *doing, const gchar *path)
{
  return ams_store_error_new (failure_from_errno (errnum), 0, 0,
      "Could not %s “%s”: %s", doing, path, g_strerror (errnum));
}

GError *
ams_disk_soften (GError *error)
{
  AmsFailure failure = ams_store_error_get_failure (error);

  if (failure == AMS_FAILURE_EXISTS || failure == AMS_FAILURE_ABSENT)
    error->code = AMS_FAILURE_TRANSIENT;
  return error;
}

/* Returns FALSE, for its callers to return. */
static gboolean
fail (GError **error, gint errnum, const gchar *doing, const gchar *path)
{
  g_propagate_error (error, ams_disk_error_new (errnum, doing, path));
  return FALSE;
}

/* Names */

gsize
ams_disk_get_name_max (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  glong max;

  errno = 0;
  max = pathconf (folder, _PC_NAME_MAX);
  if (max > 0)
    return max;
  if (errno == ENOENT && strcmp (folder, path) != 0)
    return ams_disk_get_name_max (folder);
  return NAME_MAX;
}

/* Folders */

gboolean
ams_disk_sync_folder (const gchar *path, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  gint fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gint synced;

  if (fd < 0)
    return fail (error, errno, "open the folder", folder);
  synced = fsync (fd);
  /* Some network file systems cannot sync a folder, and say so. */
  if (synced < 0 && errno != EINVAL && errno != ENOTSUP) {
    fail (error, errno, "sync the folder", folder);
    close (fd);
    return FALSE;
  }
  if (close (fd) < 0)
    return fail (error, errno, "close the folder", folder);
  return TRUE;
}

static gboolean
is_folder (const gchar *path)
{
  struct stat info;

  return stat (path, &info) == 0 && S_ISDIR (info.st_mode);
}

gboolean
ams_disk_make_folders (const gchar *path, gboolean sync, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);

  if (is_folder (folder))
    return TRUE;
  if (strcmp (folder, path) != 0 &&
      !ams_disk_make_folders (folder, sync, error))
    return FALSE;
  if (mkdir (folder, FOLDER_MODE) < 0) {
    gint errnum = errno;

    if (errnum == EEXIST && is_folder (folder))
      return TRUE; /* somebody else just made it */
    /* EEXIST as such would read as a segment that is there already. */
    return fail (error, errnum == EEXIST ? ENOTDIR : errnum, "make the folder",
        folder);
  }
  return !sync || ams_disk_sync_folder (folder, error);
}

/* Writing */

gint
ams_disk_create (const gchar *path, GError **error)
{
  gint fd;

  do {
    fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
        FILE_MODE);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0)
    fail (error, errno, "create", path);
  return fd;
}

gboolean
ams_disk_write (gint fd, const guint8 *data, gsize length, guint64 offset,
    const gchar *path, gsize *written, GError **error)
{
  for (*written = 0; *written < length;) {
    gssize n =
        pwrite (fd, data + *written, length - *written, offset + *written);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail (error, errno, "write to", path);
    *written += n;
  }
  return TRUE;
}

gboolean
ams_disk_close (gint fd, gboolean sync, const gchar *path, GError **error)
{
  if (sync && fsync (fd) < 0) {
    fail (error, errno, "sync", path);
    close (fd);
    return FALSE;
  }
  /* On Linux the descriptor is gone after EINTR, too; that is no loss. */
  if (close (fd) < 0 && errno != EINTR)
    return fail (error, errno, "close", path);
  return TRUE;
}

/* Reading */

/* O_NONBLOCK: opening a FIFO must not wait for somebody to write to it. */
static gint
open_regular (const gchar *path, gboolean follow, struct stat *info,
    GError **error)
{
  gint fd = open (path,
      O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));

  if (fd < 0) {
    fail (error, errno, "open", path);
    return -1;
  }
  if (fstat (fd, info) < 0)
    fail (error, errno, "look at", path);
  else if (S_ISREG (info->st_mode))
    return fd;
  else
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "“%s” is not a regular file", path));
  close (fd);
  return -1;
}

/* (transfer full) (nullable) */
static GBytes *
read_all (gint fd, guint64 size, const gchar *path, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autoptr (AmsGather) gather = ams_gather_new (folder);
  GBytes *data = NULL;
  guint64 added;
  gint errnum = ams_gather_add_fd (gather, fd, size, &added);

  if (errnum == 0 && added < size) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
            "“%s” became shorter while it was read", path));
    return NULL;
  }
  if (errnum == 0)
    data = ams_gather_free_to_bytes (g_steal_pointer (&gather), &errnum);
  if (!data)
    fail (error, errnum, "read", path);
  return data;
}

GBytes *
ams_disk_read (const gchar *path, gboolean follow, guint64 max_size,
    GError **error)
{
  GBytes *data = NULL;
  struct stat info;
  gint fd = open_regular (path, follow, &info, error);

  if (fd < 0)
    return NULL;
  if ((guint64) info.st_size > max_size)
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "“%s” is larger than the %" G_GUINT64_FORMAT
            " bytes that are read of such a file",
            path, max_size));
  else
    data = read_all (fd, info.st_size, path, error);
  close (fd);
  return data;
}

GBytes *
ams_disk_read_head (const gchar *path, guint64 size, GError **error)
{
  struct stat info;
  gint fd = open_regular (path, TRUE, &info, error);
  GBytes *data;

  if (fd < 0)
    return NULL;
  data = read_all (fd, MIN (size, (guint64) info.st_size), path, error);
  close (fd);
  return data;
}
