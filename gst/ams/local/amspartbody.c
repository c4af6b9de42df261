/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amspartbody.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A disk that refused is not asked again with every buffer. */
#define RETRY_INTERVAL (G_TIME_SPAN_SECOND / 4)
#define BLOCK_SIZE (64 * 1024)

struct _AmsPartBody
{
  AmsBody parent;

  AmsLocalOptions options;
  gchar *path;
  gchar *part;
  gint fd; /* -1: not open yet, or not any more */
  gboolean exists; /* the part file is there, and ours */
  gboolean whole; /* it has all bytes, no more, and is closed */
  gboolean published;
  guint64 written;
  GQueue pending; /* of GBytes: what follows that */
  guint64 pending_bytes;
  gchar *aside; /* (nullable) what had the part's name before */
  GError *error; /* why they are pending */
  gint64 tried; /* when that was */
};

G_DEFINE_FINAL_TYPE (AmsPartBody, ams_part_body, AMS_TYPE_BODY)

/* Opening */

static gboolean
create_part (AmsPartBody *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree gchar *aside = NULL;

  self->fd = ams_disk_create (self->part, &local);
  if (self->fd >= 0)
    return TRUE;
  if (ams_store_error_get_failure (local) != AMS_FAILURE_EXISTS) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  aside = ams_local_set_aside (self->path, error);
  if (!aside)
    return FALSE;
  GST_WARNING ("a part file that was left over is kept as %s", aside);
  g_free (self->aside);
  self->aside = g_steal_pointer (&aside);
  self->fd = ams_disk_create (self->part, error);
  return self->fd >= 0;
}

static gboolean
ensure_open (AmsPartBody *self, GError **error)
{
  if (self->fd >= 0)
    return TRUE;
  if (!ams_disk_make_folders (self->part, self->options.sync, error) ||
      !create_part (self, error))
    return FALSE;
  self->exists = TRUE;
  return TRUE;
}

/* Writing */

/* Takes the first @n bytes of the first pending block as written. */
static void
consume (AmsPartBody *self, gsize n)
{
  GBytes *bytes = g_queue_pop_head (&self->pending);
  gsize size = g_bytes_get_size (bytes);

  if (n < size)
    g_queue_push_head (&self->pending,
        g_bytes_new_from_bytes (bytes, n, size - n));
  g_bytes_unref (bytes);
  self->written += n;
  self->pending_bytes -= n;
}

static gboolean
write_pending (AmsPartBody *self, GError **error)
{
  GBytes *bytes;

  if (!ensure_open (self, error))
    return FALSE;
  while ((bytes = g_queue_peek_head (&self->pending))) {
    gsize size, written;
    const guint8 *data = g_bytes_get_data (bytes, &size);
    gboolean ok = ams_disk_write (self->fd, data, size, self->written,
        self->part, &written, error);

    consume (self, written);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

static gboolean
flush (AmsPartBody *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  g_clear_error (&self->error);
  if (write_pending (self, &local))
    return TRUE;
  self->error = ams_disk_soften (g_steal_pointer (&local));
  self->tried = g_get_monotonic_time ();
  g_propagate_error (error, g_error_copy (self->error));
  return FALSE;
}

static gboolean
part_append (AmsBody *body, GBytes *bytes, GError **error)
{
  AmsPartBody *self = AMS_PART_BODY (body);

  if (g_bytes_get_size (bytes) > 0)
    g_queue_push_tail (&self->pending, g_bytes_ref (bytes));
  self->pending_bytes += g_bytes_get_size (bytes);
  if (!self->error || g_get_monotonic_time () - self->tried >= RETRY_INTERVAL)
    return flush (self, error);
  g_propagate_error (error, g_error_copy (self->error));
  return FALSE;
}

/* Whoever waits for room appends nothing, so that append() cannot find out. */
static void
part_spill (AmsBody *body)
{
  AmsPartBody *self = AMS_PART_BODY (body);

  if (self->pending_bytes > 0 &&
      g_get_monotonic_time () - self->tried >= RETRY_INTERVAL)
    flush (self, NULL);
}

static void
part_finish (AmsBody *body, guint64 size)
{
  AmsPartBody *self = AMS_PART_BODY (body);

  while (
      self->pending_bytes > 0 && self->written + self->pending_bytes > size) {
    GBytes *last = g_queue_pop_tail (&self->pending);
    guint64 excess = self->written + self->pending_bytes - size;
    gsize length = g_bytes_get_size (last);

    self->pending_bytes -= MIN (excess, length);
    if (excess < length)
      g_queue_push_tail (&self->pending,
          g_bytes_new_from_bytes (last, 0, length - excess));
    g_bytes_unref (last);
  }
}

static gssize
read_written (AmsPartBody *self, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  gssize n;

  do
    n = pread (self->fd, buffer, size, offset);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return n;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_LOST, 0, 0, "“%s” %s", self->part,
          n < 0 ? g_strerror (errno) : "was cut"));
  return -1;
}

static gssize
read_pending (AmsPartBody *self, guint64 offset, guint8 *buffer, gsize size)
{
  guint64 start = self->written;

  for (GList *l = self->pending.head; l; l = l->next) {
    gsize length;
    const guint8 *data = g_bytes_get_data (l->data, &length);

    if (offset < start + length) {
      size = MIN (size, start + length - offset);
      memcpy (buffer, data + (offset - start), size);
      return size;
    }
    start += length;
  }
  return 0;
}

/* Of the open file: once it is whole, the store renames it. */
static gssize
part_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  AmsPartBody *self = AMS_PART_BODY (body);

  if (size == 0)
    return 0;
  if (offset >= self->written)
    return read_pending (self, offset, buffer, size);
  return read_written (self, offset, buffer, MIN (size, self->written - offset),
      error);
}

static guint64
part_get_held (AmsBody *body)
{
  return AMS_PART_BODY (body)->pending_bytes;
}

/* Publishing */

/* After a failed sync or close nobody knows which bytes are on the disk, and
 * asking again would be answered with success (fsync(2)). */
static gboolean
lose (AmsPartBody *self, GError *reason, GError **error)
{
  g_autofree gchar *aside = NULL;

  self->exists = FALSE;
  aside = ams_local_set_aside (self->path, NULL);
  ams_local_leave_part_folder (self->part);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
          "%s; what there is of it is in “%s”", reason->message,
          aside ? aside : self->part));
  g_error_free (reason);
  return FALSE;
}

static gboolean
make_whole (AmsPartBody *self, GError **error)
{
  guint64 size = ams_body_get_size (AMS_BODY (self));
  GError *local = NULL;

  if (self->whole)
    return TRUE;
  if (!flush (self, error))
    return FALSE;
  if (self->written > size) {
    if (ftruncate (self->fd, size) < 0) {
      g_propagate_error (error,
          ams_disk_soften (ams_disk_error_new (errno, "cut", self->part)));
      return FALSE;
    }
    self->written = size;
  }
  if (!ams_disk_close (g_steal_fd (&self->fd), self->options.sync, self->part,
          &local))
    return lose (self, local, error);
  self->whole = TRUE;
  return TRUE;
}

/* The name is taken: the bytes are kept beside it. */
static void
keep_aside (AmsPartBody *self, GError **error)
{
  g_autofree gchar *aside = ams_local_set_aside (self->path, NULL);

  if (!aside)
    return;
  ams_local_leave_part_folder (self->part);
  self->exists = FALSE;
  g_prefix_error (error, "What was recorded is kept as “%s”. ", aside);
  g_free (self->part);
  self->part = g_steal_pointer (&aside);
}

static gboolean
rename_part (AmsPartBody *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->published)
    return TRUE;
  if (self->options.overwrite) {
    if (rename (self->part, self->path) < 0)
      local = ams_disk_error_new (errno, "publish", self->path);
  } else {
    ams_local_publish (self->part, self->path, AMS_LOCAL_PUBLISH_RENAME,
        &local);
  }
  if (local && ams_store_error_get_failure (local) == AMS_FAILURE_EXISTS)
    keep_aside (self, &local);
  self->published = local == NULL;
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  return self->published;
}

/* Whether the file at @path begins with all that is at @beginning. */
static gboolean
begins_with (const gchar *path, const gchar *beginning)
{
  FILE *whole = fopen (path, "rbe");
  FILE *part = fopen (beginning, "rbe");
  g_autofree gchar *a = g_malloc (BLOCK_SIZE), *b = g_malloc (BLOCK_SIZE);
  gboolean same = whole && part;
  gsize n = 1;

  while (same && n > 0) {
    n = fread (b, 1, BLOCK_SIZE, part);
    same = fread (a, 1, n, whole) == n && memcmp (a, b, n) == 0;
  }
  same = same && !ferror (part);
  g_clear_pointer (&whole, fclose);
  g_clear_pointer (&part, fclose);
  return same;
}

/* An earlier session's part of this very file says nothing that the file does not: it
 * would be listed once more by the next start. */
static void
remove_repeated (AmsPartBody *self)
{
  if (!self->aside || !begins_with (self->path, self->aside))
    return;
  GST_INFO ("%s is a beginning of %s, and removed", self->aside, self->path);
  unlink (self->aside);
  ams_local_leave_part_folder (self->aside);
  g_clear_pointer (&self->aside, g_free);
}

void
ams_part_body_set_path (AmsPartBody *self, const gchar *path)
{
  g_free (self->path);
  self->path = g_strdup (path);
}

gboolean
ams_part_body_publish (AmsPartBody *self, GError **error)
{
  GError *local = NULL;

  if (!make_whole (self, error) || !rename_part (self, error))
    return FALSE;
  self->exists = FALSE;
  ams_local_leave_part_folder (self->part);
  remove_repeated (self);
  if (!self->options.sync || ams_disk_sync_folder (self->path, &local))
    return TRUE;
  g_propagate_error (error, ams_disk_soften (local));
  return FALSE;
}

/* Life */

static void
close_quietly (AmsPartBody *self)
{
  if (self->fd >= 0)
    close (g_steal_fd (&self->fd));
}

static void
part_abandon (AmsBody *body)
{
  AmsPartBody *self = AMS_PART_BODY (body);

  close_quietly (self);
  if (self->exists && unlink (self->part) < 0)
    GST_WARNING ("could not remove %s: %s", self->part, g_strerror (errno));
  if (self->exists)
    ams_local_leave_part_folder (self->part);
  self->exists = FALSE;
  g_queue_clear_full (&self->pending, (GDestroyNotify) g_bytes_unref);
  self->pending_bytes = 0;
}

static void
ams_part_body_finalize (GObject *object)
{
  AmsPartBody *self = AMS_PART_BODY (object);

  close_quietly (self);
  g_queue_clear_full (&self->pending, (GDestroyNotify) g_bytes_unref);
  g_clear_error (&self->error);
  g_free (self->path);
  g_free (self->part);
  g_free (self->aside);
  G_OBJECT_CLASS (ams_part_body_parent_class)->finalize (object);
}

static void
ams_part_body_class_init (AmsPartBodyClass *klass)
{
  AmsBodyClass *body_class = AMS_BODY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ams_part_body_finalize;
  body_class->drains = TRUE;
  body_class->append = part_append;
  body_class->finish = part_finish;
  body_class->abandon = part_abandon;
  body_class->get_held = part_get_held;
  body_class->read = part_read;
  body_class->spill = part_spill;
}

static void
ams_part_body_init (AmsPartBody *self)
{
  self->fd = -1;
  g_queue_init (&self->pending);
}

AmsBody *
ams_part_body_new (const gchar *path, const AmsLocalOptions *options)
{
  AmsPartBody *self = g_object_new (AMS_TYPE_PART_BODY, NULL);

  self->path = g_strdup (path);
  self->part = ams_local_part_path (path);
  self->options = *options;
  return AMS_BODY (self);
}
