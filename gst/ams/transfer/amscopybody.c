/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amscopybody.h"

#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _AmsCopyBody
{
  AmsBody parent;

  gchar *path;
  AmsBody *memory; /* NULL: the copy is read */
  gint fd; /* of the copy; -1: not open */
  struct stat info; /* of the copy when it was taken for the file */
};

G_DEFINE_FINAL_TYPE (AmsCopyBody, ams_copy_body, AMS_TYPE_BODY)

/* The copy */

static void
close_copy (AmsCopyBody *self)
{
  if (self->fd >= 0)
    close (g_steal_fd (&self->fd));
}

static gboolean
fail_lost (AmsCopyBody *self, const gchar *why, GError **error)
{
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
          "“%s”, which is to be sent, %s", self->path, why));
  return FALSE;
}

static gboolean
open_copy (AmsCopyBody *self, struct stat *info, GError **error)
{
  if (self->fd < 0)
    self->fd = open (self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (self->fd < 0)
    return fail_lost (self, g_strerror (errno), error);
  if (fstat (self->fd, info) == 0 && S_ISREG (info->st_mode))
    return TRUE;
  close_copy (self);
  return fail_lost (self, "is no file", error);
}

static gboolean
same_file (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
      a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
      a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The file is what it was when it was taken for the body, also in mid-reading
 * (http-put.md H3). */
static gboolean
ensure_copy (AmsCopyBody *self, GError **error)
{
  struct stat info;

  if (!open_copy (self, &info, error))
    return FALSE;
  if (same_file (&info, &self->info))
    return TRUE;
  close_copy (self);
  return fail_lost (self, "was changed", error);
}

/* AmsBody */

static gboolean
copy_append (AmsBody *body, GBytes *bytes, GError **error)
{
  AmsCopyBody *self = AMS_COPY_BODY (body);

  return !self->memory || ams_body_append (self->memory, bytes, error);
}

static void
copy_finish (AmsBody *body, guint64 size)
{
  AmsCopyBody *self = AMS_COPY_BODY (body);

  if (self->memory)
    ams_body_finish (self->memory, size);
}

static void
copy_abandon (AmsBody *body)
{
  AmsCopyBody *self = AMS_COPY_BODY (body);

  if (self->memory)
    ams_body_abandon (self->memory);
}

static guint64
copy_get_held (AmsBody *body)
{
  AmsCopyBody *self = AMS_COPY_BODY (body);

  return self->memory ? ams_body_get_held (self->memory) : 0;
}

static gssize
read_copy (AmsCopyBody *self, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  gssize n;

  if (!ensure_copy (self, error))
    return -1;
  do
    n = pread (self->fd, buffer, size, offset);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    fail_lost (self, g_strerror (errno), error);
  return n;
}

static gssize
copy_read (AmsBody *body, guint64 offset, guint8 *buffer, gsize size,
    GError **error)
{
  AmsCopyBody *self = AMS_COPY_BODY (body);
  guint64 end = ams_body_get_size (body);
  gssize n;

  if (self->memory)
    return ams_body_read (self->memory, offset, buffer, size, error);
  if (offset >= end || size == 0)
    return 0;
  n = read_copy (self, offset, buffer, MIN (size, end - offset), error);
  /* An open file for each of thousands that wait would be too many. */
  if (n <= 0 || offset + n == end)
    close_copy (self);
  if (n != 0)
    return n;
  fail_lost (self, "was cut", error);
  return -1;
}

static void
copy_rest (AmsBody *body)
{
  close_copy (AMS_COPY_BODY (body));
}

static gboolean
take_copy (AmsCopyBody *self, guint64 size, GError **error)
{
  struct stat info;

  if (!open_copy (self, &info, error))
    return FALSE;
  close_copy (self);
  if ((guint64) info.st_size != size)
    return fail_lost (self, "has another size than what was handed over",
        error);
  self->info = info;
  return TRUE;
}

static void
copy_spill (AmsBody *body)
{
  AmsCopyBody *self = AMS_COPY_BODY (body);

  if (self->memory && take_copy (self, ams_body_get_size (body), NULL))
    g_clear_object (&self->memory);
}

const gchar *
ams_copy_body_get_path (AmsCopyBody *self)
{
  return self->path;
}

gboolean
ams_copy_body_refer (AmsCopyBody *self, guint64 size, GError **error)
{
  if (!take_copy (self, size, error))
    return FALSE;
  g_clear_object (&self->memory);
  ams_body_set_size (AMS_BODY (self), size);
  return TRUE;
}

gboolean
ams_copy_body_move (AmsCopyBody *self, const gchar *path, GError **error)
{
  g_autofree gchar *before = g_steal_pointer (&self->path);

  close_copy (self);
  self->path = g_strdup (path);
  if (take_copy (self, ams_body_get_size (AMS_BODY (self)), error)) {
    g_clear_object (&self->memory);
    return TRUE;
  }
  g_free (self->path);
  self->path = g_steal_pointer (&before);
  return FALSE;
}

/* Life */

static void
ams_copy_body_finalize (GObject *object)
{
  AmsCopyBody *self = AMS_COPY_BODY (object);

  close_copy (self);
  g_clear_object (&self->memory);
  g_free (self->path);
  G_OBJECT_CLASS (ams_copy_body_parent_class)->finalize (object);
}

static void
ams_copy_body_class_init (AmsCopyBodyClass *klass)
{
  AmsBodyClass *body_class = AMS_BODY_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ams_copy_body_finalize;
  body_class->append = copy_append;
  body_class->finish = copy_finish;
  body_class->abandon = copy_abandon;
  body_class->get_held = copy_get_held;
  body_class->read = copy_read;
  body_class->rest = copy_rest;
  body_class->spill = copy_spill;
}

static void
ams_copy_body_init (AmsCopyBody *self)
{
  self->fd = -1;
  self->memory = ams_memory_body_new ();
}

AmsBody *
ams_copy_body_new (const gchar *path)
{
  AmsCopyBody *self = g_object_new (AMS_TYPE_COPY_BODY, NULL);

  self->path = g_strdup (path);
  return AMS_BODY (self);
}
