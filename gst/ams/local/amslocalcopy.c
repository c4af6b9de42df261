/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalcopy.h"

#include "transfer/amsbodyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_SIZE (64 * 1024)

/* What is wrong with a folder may pass without anybody's doing: it may be one of another machine. But
 * what is gone is gone. Returns FALSE, for its callers to return. @error: (transfer full) */
static gboolean
fail (GError **error, GError *why)
{
  AmsFailure failure = ams_store_error_get_failure (why);

  if (failure != AMS_FAILURE_FULL && failure != AMS_FAILURE_LOST)
    why->code = AMS_FAILURE_TRANSIENT;
  g_propagate_error (error, why);
  return FALSE;
}

/* ---- what is there ---- */

static gboolean
read_exactly (gint fd, guint8 *to, gsize size, guint64 offset)
{
  while (size > 0) {
    gssize n = pread (fd, to, size, offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    to += n;
    offset += n;
    size -= n;
  }
  return TRUE;
}

static gboolean
has_bytes_of (gint fd, AmsBody *body)
{
  g_autofree guint8 *ours = g_malloc (PIECE_SIZE);
  g_autofree guint8 *theirs = g_malloc (PIECE_SIZE);
  guint64 at = 0;
  gssize n;

  while ((n = ams_body_read (body, at, ours, PIECE_SIZE, NULL)) > 0) {
    if (!read_exactly (fd, theirs, n, at) || memcmp (ours, theirs, n) != 0)
      return FALSE;
    at += n;
  }
  return n == 0 && at == ams_body_get_size (body);
}

/* An earlier attempt, or an earlier session, got that far. */
static gboolean
is_there (AmsBody *body, const gchar *path, gboolean sync)
{
  gint fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  gboolean same;

  if (fd < 0)
    return FALSE;
  same = fstat (fd, &info) == 0 && S_ISREG (info.st_mode) &&
      (guint64) info.st_size == ams_body_get_size (body) &&
      has_bytes_of (fd, body) && (!sync || fdatasync (fd) == 0);
  close (fd);
  return same;
}

/* ---- writing ---- */

static gboolean
publish (const gchar *temp, const gchar *path, const AmsLocalOptions *options,
    GError **error)
{
  if (!options->overwrite)
    return ams_local_publish (temp, path, AMS_LOCAL_PUBLISH_RENAME, error);
  if (rename (temp, path) == 0)
    return TRUE;
  return fail (error, ams_disk_error_new (errno, "replace", path));
}

static gboolean
write_file (AmsBody *body, const gchar *path, const AmsLocalOptions *options,
    GError **error)
{
  g_autofree gchar *temp = ams_local_temp_path (path);
  g_autoptr (GError) beside = NULL;

  if (!ams_disk_make_folders (path, options->sync, &beside) ||
      !ams_body_write_file (body, temp, options->sync, &beside)) {
    unlink (temp);
    return fail (error, g_steal_pointer (&beside));
  }
  if (publish (temp, path, options, error))
    return TRUE;
  unlink (temp);
  return FALSE;
}

gboolean
ams_local_copy (AmsBody *body, const gchar *path,
    const AmsLocalOptions *options, GError **error)
{
  if (!is_there (body, path, options->sync) &&
      !write_file (body, path, options, error))
    return FALSE;
  return !options->sync || ams_disk_sync_folder (path, error);
}
