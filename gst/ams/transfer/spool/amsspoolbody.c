/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolbody.h"

#include "transfer/amsdisk.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A disk that refused is not asked again with every buffer. */
#define RETRY_INTERVAL (G_TIME_SPAN_SECOND / 4)
#define BLOCK_SIZE (64 * 1024)

struct _AmsSpoolBody
{
  AmsBody parent;

  gchar *path;
  gint fd; /* for writing; -1: not open */
  gint read_fd; /* while it is read; -1: not open */
  gboolean exists; /* the file is there, and ours */
  gboolean finished;
  gboolean whole; /* it has all bytes, no more, and is closed */
  gboolean unsynced; /* the disk failed to take what it had accepted */
  gint64 mtime; /* once it is whole; -1: not known */
  guint64 written;
  AmsBody *pending; /* (nullable) what follows that, in memory */
  guint64 consumed; /* so many of its first bytes are written by now */
  GError *error; /* why they are pending */
  gint64 tried; /* when that was */
};

G_DEFINE_FINAL_TYPE (AmsSpoolBody, ams_spool_body, AMS_TYPE_BODY)

static gboolean
fail_lost (AmsSpoolBody *self, const gchar *why, GError **error)
{
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
          "“%s”, which is to be sent, %s", self->path, why));
  return FALSE;
}

/* Of the file, which may be what EXISTS or is ABSENT: not the one to be stored. */
static gboolean
fail (AmsSpoolBody *self, const gchar *doing, GError **error)
{
  g_propagate_error (error,
      ams_disk_soften (ams_disk_error_new (errno, doing, self->path)));
  return FALSE;
}

gint64
ams_spool_body_mtime_of (const struct stat *info)
{
  return info->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) +
      info->st_mtim.tv_nsec;
}

/* Writing */

static gboolean
reopen (AmsSpoolBody *self, GError **error)
{
  self->fd = open (self->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (self->fd >= 0)
    return TRUE;
  if (errno == ENOENT && self->written > 0)
    return fail_lost (self, "is gone", error);
  return fail (self, "open", error);
}

static gboolean
ensure_open (AmsSpoolBody *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->fd >= 0)
    return TRUE;
  if (self->exists)
    return reopen (self, error);
  if (ams_disk_make_folders (self->path, FALSE, &local))
    self->fd = ams_disk_create (self->path, &local);
  self->exists = self->fd >= 0;
  if (local)
    g_propagate_error (error, ams_disk_soften (g_steal_pointer (&local)));
  return self->exists;
}

static void
close_quietly (AmsSpoolBody *self)
{
  if (self->fd >= 0)
    close (g_steal_fd (&self->fd));
}

static gboolean
write_pending (AmsSpoolBody *self, GError **error)
{
  AmsMemoryBody *memory = AMS_MEMORY_BODY (self->pending);
  const guint8 *data;
  gsize length, written;

  while ((data = ams_memory_body_peek (memory, self->consumed, &length))) {
    gboolean ok = ams_disk_write (self->fd, data, length, self->written,
        self->path, &written, error);

    self->written += written;
    self->consumed += written;
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

/* A block of memory is let go when the whole of what was pending is written. */
static gboolean
flush (AmsSpoolBody *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  g_clear_error (&self->error);
  if (ensure_open (self, &local) &&
      (!self->pending || write_pending (self, &local))) {
    g_clear_object (&self->pending);
    self->consumed = 0;
    return TRUE;
  }
  self->error = g_error_copy (local);
  self->tried = g_get_monotonic_time ();
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
spool_append (AmsBody *body, GBytes *bytes, GError **error)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);

  if (!self->pending)
    self->pending = ams_memory_body_new ();
  ams_body_append (self->pending, bytes, NULL);
  if (!self->error || g_get_monotonic_time () - self->tried >= RETRY_INTERVAL)
    return flush (self, error);
  g_propagate_error (error, g_error_copy (self->error));
  return FALSE;
}

/* While the file is open nobody else writes what the disk did not take: whoever
 * appends may be waiting for that. */
static void
spool_spill (AmsBody *body)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);

  if (self->pending && !self->finished &&
      g_get_monotonic_time () - self->tried >= RETRY_INTERVAL)
    flush (self, NULL);
}

static void
spool_finish (AmsBody *body, guint64 size)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);
  guint64 start = self->written - self->consumed;

  self->finished = TRUE;
  close_quietly (self);
  if (!self->pending)
    return;
  if (size > self->written)
    ams_body_finish (self->pending, size - start);
  else
    g_clear_object (&self->pending);
  if (!self->pending)
    self->consumed = 0;
}

/* What counts is what is in memory, and that is blocks, not what is left of them. */
static guint64
spool_get_held (AmsBody *body)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);

  return self->pending ? ams_body_get_held (self->pending) : 0;
}

/* Once finished it belongs to the spool, which knows what to do with it. */
static void
spool_abandon (AmsBody *body)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);

  if (self->finished)
    return;
  close_quietly (self);
  if (self->exists && unlink (self->path) < 0)
    GST_WARNING ("could not remove %s: %s", self->path, g_strerror (errno));
  self->exists = FALSE;
  g_clear_object (&self->pending);
}

/* Reading */

static gboolean
check_file (AmsSpoolBody *self, gint fd, GError **error)
{
  guint64 size = ams_body_get_size (AMS_BODY (self));
  struct stat info;

  if (fstat (fd, &info) < 0)
    return fail_lost (self, g_strerror (errno), error);
  if (!S_ISREG (info.st_mode))
    return fail_lost (self, "is no file", error);
  if (!self->whole)
    return (guint64) info.st_size >= self->written ||
        fail_lost (self, "was cut", error);
  if ((guint64) info.st_size != size)
    return fail_lost (self, "has another size than before", error);
  return self->mtime < 0 || self->mtime == ams_spool_body_mtime_of (&info) ||
      fail_lost (self, "was changed", error);
}

static void
close_reading (AmsSpoolBody *self)
{
  if (self->read_fd >= 0)
    close (g_steal_fd (&self->read_fd));
}

/* O_NONBLOCK: opening a FIFO must not wait for somebody to write to it. */
static gboolean
open_reading (AmsSpoolBody *self, GError **error)
{
  if (self->read_fd < 0)
    self->read_fd =
        open (self->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  return self->read_fd >= 0 ||
      fail_lost (self, errno == ENOENT ? "is gone" : g_strerror (errno), error);
}

static gssize
read_file (AmsSpoolBody *self, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  gssize n = -1;

  if (!open_reading (self, error))
    return -1;
  if (check_file (self, self->read_fd, error)) {
    do
      n = pread (self->read_fd, buffer, size, offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
      fail_lost (self, g_strerror (errno), error);
    else if (n == 0)
      fail_lost (self, "was cut", error);
  }
  /* An open file for each of thousands that wait would be too many. */
  if (n <= 0 || offset + n == self->written)
    close_reading (self);
  return n > 0 ? n : -1;
}

static void
spool_rest (AmsBody *body)
{
  close_reading (AMS_SPOOL_BODY (body));
}

static gssize
spool_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);
  guint64 end = ams_body_get_size (body), written = MIN (self->written, end);
  gsize done = 0;

  if (offset >= end || size == 0)
    return 0;
  size = MIN (size, end - offset);
  while (done < size && offset + done < written) {
    gssize n = read_file (self, offset + done, buffer + done,
        MIN (size - done, written - offset - done), error);

    if (n < 0)
      return -1;
    done += n;
  }
  if (done < size)
    done += ams_body_read (self->pending,
        offset + done - (self->written - self->consumed), buffer + done,
        size - done, NULL);
  return done;
}

/* Whole */

/* After a failed fsync() the pages count as clean, and asking again would be
 * answered with success (fsync(2)): so they are written again. */
static gboolean
write_again (AmsSpoolBody *self, GError **error)
{
  g_autofree guint8 *block = g_malloc (BLOCK_SIZE);
  gsize written;
  gssize n;

  for (guint64 at = 0; at < self->written; at += n) {
    n = pread (self->fd, block, MIN (BLOCK_SIZE, self->written - at), at);
    if (n < 0)
      return fail (self, "read", error);
    if (n == 0)
      return fail_lost (self, "was cut", error);
    if (!ams_disk_write (self->fd, block, n, at, self->path, &written, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
cut_file (AmsSpoolBody *self, GError **error)
{
  guint64 size = ams_body_get_size (AMS_BODY (self));

  if (self->written == size)
    return TRUE;
  if (ftruncate (self->fd, size) < 0)
    return fail (self, "cut", error);
  self->written = size;
  return TRUE;
}

static gboolean
sync_file (AmsSpoolBody *self, gboolean sync, GError **error)
{
  if (self->unsynced) {
    /* What was opened for writing only cannot be read. */
    close_quietly (self);
    if (!reopen (self, error) || !write_again (self, error))
      return FALSE;
  }
  self->unsynced = sync && fsync (self->fd) < 0;
  return !self->unsynced || fail (self, "sync", error);
}

static gboolean
close_whole (AmsSpoolBody *self, GError **error)
{
  struct stat info;

  if (fstat (self->fd, &info) < 0)
    return fail (self, "look at", error);
  if ((guint64) info.st_size != self->written)
    return fail_lost (self, "has another size than before", error);
  self->mtime = ams_spool_body_mtime_of (&info);
  self->unsynced =
      !ams_disk_close (g_steal_fd (&self->fd), FALSE, self->path, error);
  return !self->unsynced;
}

gboolean
ams_spool_body_make_whole (AmsSpoolBody *self, gboolean sync, GError **error)
{
  GError *local = NULL;

  if (self->whole)
    return TRUE;
  self->whole = flush (self, error) && cut_file (self, error) &&
      sync_file (self, sync, error) && close_whole (self, error);
  close_quietly (self);
  if (!self->whole || !sync || ams_disk_sync_folder (self->path, &local))
    return self->whole;
  self->whole = FALSE;
  g_propagate_error (error, ams_disk_soften (local));
  return FALSE;
}

/* Life */

static void
ams_spool_body_finalize (GObject *object)
{
  AmsSpoolBody *self = AMS_SPOOL_BODY (object);

  close_quietly (self);
  close_reading (self);
  g_clear_object (&self->pending);
  g_clear_error (&self->error);
  g_free (self->path);
  G_OBJECT_CLASS (ams_spool_body_parent_class)->finalize (object);
}

static void
ams_spool_body_class_init (AmsSpoolBodyClass *klass)
{
  AmsBodyClass *body_class = AMS_BODY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ams_spool_body_finalize;
  body_class->drains = TRUE;
  body_class->append = spool_append;
  body_class->finish = spool_finish;
  body_class->abandon = spool_abandon;
  body_class->get_held = spool_get_held;
  body_class->read = spool_read;
  body_class->spill = spool_spill;
  body_class->rest = spool_rest;
}

static void
ams_spool_body_init (AmsSpoolBody *self)
{
  self->fd = self->read_fd = -1;
  self->mtime = -1;
}

AmsBody *
ams_spool_body_new (const gchar *path)
{
  AmsSpoolBody *self = g_object_new (AMS_TYPE_SPOOL_BODY, NULL);

  self->path = g_strdup (path);
  return AMS_BODY (self);
}

AmsBody *
ams_spool_body_new_cut (const gchar *path, guint64 written, guint64 size)
{
  AmsBody *body = ams_spool_body_new (path);
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);

  self->exists = TRUE;
  self->finished = TRUE;
  self->written = written;
  ams_body_set_size (body, size);
  return body;
}

AmsBody *
ams_spool_body_new_whole (const gchar *path, guint64 size, gint64 mtime)
{
  AmsBody *body = ams_spool_body_new_cut (path, size, size);
  AmsSpoolBody *self = AMS_SPOOL_BODY (body);

  self->whole = TRUE;
  self->mtime = mtime;
  return body;
}
