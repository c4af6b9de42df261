/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define FOLDER_MODE 0777 /* less the umask */
#define TRY_NAME ".amshls-XXXXXX"

static gboolean
fail (GError **error, gint errnum, const gchar *folder, const gchar *what)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errnum),
      "The folder \"%s\" cannot be %s: %s", folder, what, g_strerror (errnum));
  return FALSE;
}

gboolean
ams_folder_check (const gchar *folder, GError **error)
{
  g_autofree gchar *nearest = g_strdup (folder);

  while (!g_file_test (nearest, G_FILE_TEST_EXISTS)) {
    gchar *parent = g_path_get_dirname (nearest);

    g_free (nearest);
    nearest = parent;
  }
  if (!g_file_test (nearest, G_FILE_TEST_IS_DIR))
    return fail (error, ENOTDIR, nearest, "written");
  if (faccessat (AT_FDCWD, nearest, W_OK | X_OK, AT_EACCESS) < 0)
    return fail (error, errno, nearest, "written");
  return TRUE;
}

/* Any other, a disk that is full or a server that is away, may pass: the recording
 * waits for that. */
static gboolean
is_permanent (gint errnum)
{
  switch (errnum) {
    case EACCES:
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOENT:
    case ENOTDIR:
    case EPERM:
    case EROFS:
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
ams_folder_try (const gchar *folder, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, TRY_NAME, NULL);
  gint fd;

  if (g_mkdir_with_parents (folder, FOLDER_MODE) < 0)
    return !is_permanent (errno) || fail (error, errno, folder, "made");
  fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    return !is_permanent (errno) || fail (error, errno, folder, "written");
  close (fd);
  g_unlink (path);
  return TRUE;
}
