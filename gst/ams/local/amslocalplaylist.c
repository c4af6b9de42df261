/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalplaylist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A playlist as this store wrote it last. */
typedef struct
{
  dev_t device;
  ino_t inode;
  guint64 size;
} Written;

struct _AmsLocalPlaylists
{
  gboolean sync;
  GHashTable *written; /* name → Written */
};

AmsLocalPlaylists *
ams_local_playlists_new (gboolean sync)
{
  AmsLocalPlaylists *self = g_new0 (AmsLocalPlaylists, 1);

  self->sync = sync;
  self->written =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
ams_local_playlists_free (AmsLocalPlaylists *self)
{
  g_hash_table_unref (self->written);
  g_free (self);
}

gboolean
ams_local_playlists_forget (AmsLocalPlaylists *self, const gchar *name)
{
  return g_hash_table_remove (self->written, name);
}

/* Whole */

static gboolean
write_range (gint fd, AmsMemoryBody *body, guint64 from, guint64 to,
    const gchar *path, GError **error)
{
  while (from < to) {
    gsize length, written;
    const guint8 *data = ams_memory_body_peek (body, from, &length);

    length = MIN (length, to - from);
    if (!ams_disk_write (fd, data, length, from, path, &written, error))
      return FALSE;
    from += length;
  }
  return TRUE;
}

static void
remember (AmsLocalPlaylists *self, const gchar *name, const struct stat *info,
    guint64 size)
{
  Written *written = g_new (Written, 1);

  written->device = info->st_dev;
  written->inode = info->st_ino;
  written->size = size;
  g_hash_table_replace (self->written, g_strdup (name), written);
}

static gboolean
write_temp (AmsLocalPlaylists *self, const AmsPut *put, const gchar *temp,
    struct stat *info, GError **error)
{
  gint fd;

  /* What another attempt or a crash left of a playlist is worth nothing: it is
   * in the playlist's next version. */
  if (unlink (temp) < 0 && errno != ENOENT)
    return ams_local_fail (error, errno, "remove", temp);
  fd = ams_disk_create (temp, error);
  if (fd < 0)
    return FALSE;
  if (!write_range (fd, AMS_MEMORY_BODY (put->body), 0,
          ams_body_get_size (put->body), temp, error)) {
    close (fd);
    return FALSE;
  }
  if (fstat (fd, info) < 0) {
    ams_local_fail (error, errno, "look at", temp);
    close (fd);
    return FALSE;
  }
  /* Always synced: without it, a crash soon after the rename leaves some file
   * systems with an empty file in the place of a good one. */
  return ams_disk_close (fd, TRUE, temp, error);
}

static gboolean
replace_playlist (AmsLocalPlaylists *self, const AmsPut *put, const gchar *path,
    GError **error)
{
  g_autofree gchar *temp = ams_local_temp_path (path);
  struct stat info;

  if (!write_temp (self, put, temp, &info, error)) {
    unlink (temp);
    return FALSE;
  }
  if (rename (temp, path) < 0) {
    ams_local_fail (error, errno, "replace", path);
    unlink (temp);
    return FALSE;
  }
  remember (self, put->name, &info, ams_body_get_size (put->body));
  return !self->sync || ams_disk_sync_folder (path, error);
}

/* In place */

static gboolean
is_as_written (AmsLocalPlaylists *self, const AmsPut *put, gint fd)
{
  const Written *written = g_hash_table_lookup (self->written, put->name);
  struct stat info;

  return written && written->size == put->unchanged && fstat (fd, &info) == 0 &&
      S_ISREG (info.st_mode) && info.st_dev == written->device &&
      info.st_ino == written->inode && (guint64) info.st_size == written->size;
}

/* One write never reaches over the end of a page, so that a reader, who sees a
 * page's write as a whole, sees whole lines. */
static gboolean
write_pages (gint fd, AmsMemoryBody *body, guint64 from, guint64 to,
    const gchar *path, GError **error)
{
  guint8 page[AMS_FILES_PAGE_SIZE];

  while (from < to) {
    guint64 end = (from / AMS_FILES_PAGE_SIZE + 1) * AMS_FILES_PAGE_SIZE;
    gsize size = MIN (end, to) - from, length, written;

    for (gsize at = 0; at < size; at += length) {
      const guint8 *data = ams_memory_body_peek (body, from + at, &length);

      length = MIN (length, size - at);
      memcpy (page + at, data, length);
    }
    if (!ams_disk_write (fd, page, size, from, path, &written, error))
      return FALSE;
    from += size;
  }
  return TRUE;
}

static gboolean
append_to_open (AmsLocalPlaylists *self, const AmsPut *put, gint fd,
    const gchar *path, GError **error)
{
  guint64 size = ams_body_get_size (put->body);

  if (!write_pages (fd, AMS_MEMORY_BODY (put->body), put->unchanged, size, path,
          error))
    return FALSE;
  if (self->sync && fdatasync (fd) < 0)
    return ams_local_fail (error, errno, "sync", path);
  return TRUE;
}

/* FALSE: nothing has changed, and the playlist has to be replaced. */
static gboolean
append_to_playlist (AmsLocalPlaylists *self, const AmsPut *put,
    const gchar *path)
{
  g_autoptr (GError) error = NULL;
  Written *written;
  gint fd;

  if (put->unchanged == 0)
    return FALSE;
  fd = open (path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return FALSE;
  if (!is_as_written (self, put, fd)) {
    close (fd);
    return FALSE;
  }
  written = g_hash_table_lookup (self->written, put->name);
  if (append_to_open (self, put, fd, path, &error) &&
      ams_disk_close (g_steal_fd (&fd), FALSE, path, &error)) {
    written->size = ams_body_get_size (put->body);
    return TRUE;
  }
  GST_INFO ("appending failed, so it is replaced: %s", error->message);
  if (fd >= 0) {
    if (ftruncate (fd, put->unchanged) < 0)
      GST_WARNING ("could not cut %s back: %s", path, g_strerror (errno));
    close (fd);
  }
  g_hash_table_remove (self->written, put->name);
  return FALSE;
}

/* Either */

/* Errors of playlists and folders may always pass. */
static void
soften (GError *error)
{
  if (ams_store_error_get_failure (error) >= AMS_FAILURE_EXISTS)
    error->code = AMS_FAILURE_TRANSIENT;
}

/* A playlist that is a link stays one, and what it leads to is written: somebody shows it
 * elsewhere by another name. The folders that it leads to are that somebody's: where one
 * is missing, its disk may be. */
static gboolean
write_playlist (AmsLocalPlaylists *self, const AmsPut *put, const gchar *path,
    GError **error)
{
  g_autofree gchar *target = ams_local_follow (path, error);

  if (!target)
    return FALSE;
  if (append_to_playlist (self, put, target))
    return TRUE;
  if (ams_disk_make_folders (path, self->sync, error) &&
      replace_playlist (self, put, target, error))
    return TRUE;
  if (!g_str_equal (path, target))
    g_prefix_error (error, "“%s” is a link. ", path);
  return FALSE;
}

gboolean
ams_local_playlists_put (AmsLocalPlaylists *self, const AmsPut *put,
    const gchar *path, GError **error)
{
  GError *local = NULL;

  if (write_playlist (self, put, path, &local))
    return TRUE;
  soften (local);
  g_propagate_error (error, local);
  return FALSE;
}
