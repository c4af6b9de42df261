/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoollog.h"

#include "transfer/amsdisk.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0666 /* less the umask */
/* It is compacted long before. */
#define MAX_SIZE (1024 * 1024 * 1024)
#define MAX_ASIDE 1000

struct _AmsSpoolLog
{
  gchar *path;
  gint fd;
  guint64 size;
  guint records;
  GString *pending; /* to be written at size */
  guint pending_records;
  gboolean unsynced; /* something was written since the last sync */
  gboolean doubtful;
};

static gboolean
fail (GError **error, const gchar *doing, const gchar *path)
{
  g_propagate_error (error,
      ams_disk_soften (ams_disk_error_new (errno, doing, path)));
  return FALSE;
}

/* Opening */

static gboolean
read_journal (const gchar *path, AmsSpoolJournal **journal, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) data = ams_disk_read (path, FALSE, MAX_SIZE, &local);

  if (!data && ams_store_error_get_failure (local) == AMS_FAILURE_ABSENT)
    data = g_bytes_new (NULL, 0);
  if (!data) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  *journal = ams_spool_journal_read (data);
  if (!(*journal)->newer)
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "“%s” was written by a later version, which this one cannot read: "
          "update it, or use another folder",
          path));
  g_clear_pointer (journal, ams_spool_journal_free);
  return FALSE;
}

static gchar *
set_aside (const gchar *path, GError **error)
{
  for (guint n = 1; n <= MAX_ASIDE; n++) {
    g_autofree gchar *aside = g_strdup_printf ("%s.damaged.%u", path, n);

    if (link (path, aside) == 0) {
      unlink (path);
      return g_steal_pointer (&aside);
    }
    /* A file system without hard links has a name that is free by now. */
    if (errno != EEXIST && access (aside, F_OK) < 0 &&
        rename (path, aside) == 0)
      return g_steal_pointer (&aside);
    if (errno != EEXIST)
      break;
  }
  fail (error, "set aside", path);
  return NULL;
}

static gboolean
open_file (AmsSpoolLog *self, GError **error)
{
  self->fd =
      open (self->path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
  if (self->fd < 0)
    return fail (error, "open", self->path);
  if (ftruncate (self->fd, self->size) < 0)
    return fail (error, "cut", self->path);
  return TRUE;
}

AmsSpoolLog *
ams_spool_log_open (const gchar *path, AmsSpoolJournal **journal, gchar **aside,
    GError **error)
{
  g_autoptr (AmsSpoolLog) self = g_new0 (AmsSpoolLog, 1);

  self->path = g_strdup (path);
  self->fd = -1;
  self->pending = g_string_new (NULL);
  if (!read_journal (path, journal, error))
    return NULL;
  if ((*journal)->damaged && !(*aside = set_aside (path, error)))
    return NULL;
  if (!(*journal)->damaged) {
    self->size = (*journal)->whole;
    self->records = (*journal)->records->len;
  }
  if (!open_file (self, error))
    return NULL;
  if (self->size == 0)
    ams_spool_journal_write_head (self->pending);
  return g_steal_pointer (&self);
}

void
ams_spool_log_close (AmsSpoolLog *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_string_free (self->pending, TRUE);
  g_free (self->path);
  g_free (self);
}

/* Writing */

void
ams_spool_log_add (AmsSpoolLog *self, const AmsSpoolRecord *record)
{
  ams_spool_journal_write (self->pending, record);
  self->pending_records++;
}

/* What was written of it before an error is written over when it is tried again. */
static gboolean
write_pending (AmsSpoolLog *self, GError **error)
{
  gsize written;

  if (self->pending->len == 0)
    return TRUE;
  if (!ams_disk_write (self->fd, (const guint8 *) self->pending->str,
          self->pending->len, self->size, self->path, &written, error))
    return FALSE;
  self->size += written;
  self->records += self->pending_records;
  g_string_truncate (self->pending, 0);
  self->pending_records = 0;
  self->unsynced = TRUE;
  return TRUE;
}

gboolean
ams_spool_log_flush (AmsSpoolLog *self, gboolean sync, GError **error)
{
  if (!write_pending (self, error))
    return FALSE;
  if (!sync || !self->unsynced)
    return TRUE;
  /* Asking again would be answered with success (fsync(2)). */
  if (self->doubtful)
    errno = EIO;
  else if (fdatasync (self->fd) == 0)
    self->unsynced = FALSE;
  else
    self->doubtful = TRUE;
  return !self->unsynced || fail (error, "sync", self->path);
}

guint64
ams_spool_log_get_size (AmsSpoolLog *self)
{
  return self->size;
}

guint
ams_spool_log_get_records (AmsSpoolLog *self)
{
  return self->records;
}

gboolean
ams_spool_log_is_doubtful (AmsSpoolLog *self)
{
  return self->doubtful;
}

/* Replacing */

static gint
write_new (const gchar *path, const GString *text, GError **error)
{
  gint fd;
  gsize written;

  unlink (path);
  fd = ams_disk_create (path, error);
  if (fd < 0)
    return -1;
  if (ams_disk_write (fd, (const guint8 *) text->str, text->len, 0, path,
          &written, error)) {
    if (fsync (fd) == 0)
      return fd;
    fail (error, "sync", path);
  }
  close (fd);
  unlink (path);
  return -1;
}

gboolean
ams_spool_log_replace (AmsSpoolLog *self, const GString *text, guint records,
    GError **error)
{
  g_autofree gchar *path = g_strconcat (self->path, ".new", NULL);
  gint fd = write_new (path, text, error);

  if (fd < 0)
    return FALSE;
  if (rename (path, self->path) < 0) {
    fail (error, "rename", path);
    close (fd);
    unlink (path);
    return FALSE;
  }
  close (self->fd);
  self->fd = fd;
  self->size = text->len;
  self->records = records;
  g_string_truncate (self->pending, 0);
  self->pending_records = 0;
  self->unsynced = FALSE;
  self->doubtful = FALSE;
  return ams_disk_sync_folder (self->path, error);
}
