/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "hls-upload-"

struct _HlsUploadFolder
{
  gchar *path;
  int fd; /* locked */
};

static int
open_folder (const gchar *path)
{
  return open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Bodies are numbered; nothing else is touched. */
static gboolean
is_body (const gchar *name)
{
  return *name && name[strspn (name, "0123456789")] == 0;
}

static void
remove_bodies (int fd, const gchar *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    if (is_body (name))
      unlinkat (fd, name, 0);
  }
}

/* FALSE: it is not ours, or its owner lives. */
static gboolean
may_remove (int fd)
{
  struct stat info;

  return fstat (fd, &info) == 0 && info.st_uid == geteuid () &&
      flock (fd, LOCK_EX | LOCK_NB) == 0;
}

static void
remove_left (const gchar *path)
{
  int fd = open_folder (path);

  if (fd < 0)
    return;
  if (may_remove (fd)) {
    remove_bodies (fd, path);
    g_rmdir (path);
  }
  close (fd);
}

static void
remove_all_left (const gchar *parent)
{
  g_autoptr (GDir) dir = g_dir_open (parent, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (parent, name, NULL);

    if (g_str_has_prefix (name, PREFIX))
      remove_left (path);
  }
}

/* Another process that starts may have found it before it was locked, and removed it. */
static gboolean
lock (int fd, const gchar *path)
{
  struct stat info, there;
  int result;

  do
    result = flock (fd, LOCK_EX);
  while (result < 0 && errno == EINTR);
  return result == 0 && fstat (fd, &info) == 0 && stat (path, &there) == 0 &&
      info.st_dev == there.st_dev && info.st_ino == there.st_ino;
}

static HlsUploadFolder *
make (const gchar *parent)
{
  g_autofree gchar *path = g_build_filename (parent, PREFIX "XXXXXX", NULL);
  HlsUploadFolder *self;
  int fd;

  if (!g_mkdtemp (path))
    return NULL;
  fd = open_folder (path);
  if (fd < 0 || !lock (fd, path)) {
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  self = g_new0 (HlsUploadFolder, 1);
  self->path = g_steal_pointer (&path);
  self->fd = fd;
  return self;
}

HlsUploadFolder *
hls_upload_folder_new (const gchar *parent, GError **error)
{
  HlsUploadFolder *self = NULL;

  remove_all_left (parent);
  for (guint i = 0; i < 10 && !self; i++)
    self = make (parent);
  if (!self)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "No folder for files on their way can be made in “%s”: %s; set TMPDIR, "
        "or --spool.",
        parent, g_strerror (errno));
  return self;
}

void
hls_upload_folder_free (HlsUploadFolder *self)
{
  remove_bodies (self->fd, self->path);
  g_rmdir (self->path);
  close (self->fd);
  g_free (self->path);
  g_free (self);
}

const gchar *
hls_upload_folder_get_path (HlsUploadFolder *self)
{
  return self->path;
}
