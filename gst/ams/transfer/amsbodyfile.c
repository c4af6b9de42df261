/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsbodyfile.h"

#include "transfer/amsdisk.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <unistd.h>

#define BLOCK_SIZE (64 * 1024)

static gboolean
check_whole (AmsBody *body, guint64 there, const gchar *path, GError **error)
{
  guint64 size = ams_body_get_size (body);

  if (there == size)
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
          "Of what is to be “%s” there are only %" G_GUINT64_FORMAT
          " bytes of %" G_GUINT64_FORMAT,
          path, there, size));
  return FALSE;
}

static gboolean
write_blocks (AmsBody *body, gint fd, const gchar *path, GError **error)
{
  g_autofree guint8 *block = g_malloc (BLOCK_SIZE);
  guint64 at = 0;
  gsize written;
  gssize n;

  while ((n = ams_body_read (body, at, block, BLOCK_SIZE, error)) > 0) {
    if (!ams_disk_write (fd, block, n, at, path, &written, error))
      return FALSE;
    at += n;
  }
  return n == 0 && check_whole (body, at, path, error);
}

gboolean
ams_body_write_file (AmsBody *body, const gchar *path, gboolean sync,
    GError **error)
{
  gint fd;

  if (unlink (path) < 0 && errno != ENOENT) {
    g_propagate_error (error, ams_disk_error_new (errno, "remove", path));
    return FALSE;
  }
  fd = ams_disk_create (path, error);
  if (fd < 0)
    return FALSE;
  if (!write_blocks (body, fd, path, error)) {
    close (fd);
    return FALSE;
  }
  return ams_disk_close (fd, sync, path, error);
}
