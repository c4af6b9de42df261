/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "files/amsgather.h"
#include "files/amsshared.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP (1024 * 1024)

struct _AmsGather
{
  gchar *folder; /* (nullable) */
  GByteArray *memory; /* NULL while the bytes are in @fd */
  gint fd; /* of the unnamed file; -1: none */
  guint64 size;
  gboolean in_memory; /* no unnamed file could be made or written */
  gint errnum; /* what was gathered is lost: why */
};

/* ---- the unnamed file ---- */

/* Nothing of it stays if this process is killed. -1: no such file can be made
 * in @folder. */
static gint
make_unnamed (const gchar *folder, gboolean is_temporary)
{
  g_autofree gchar *path = NULL;
  gint fd = open (folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  /* Some file systems know only files with names. That name is taken back at
   * once, which is no business of a folder of recordings. */
  if (fd >= 0 || !is_temporary)
    return fd;
  path = g_build_filename (folder, "amshls-XXXXXX", NULL);
  fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    g_unlink (path);
  return fd;
}

static gint
open_unnamed (const gchar *folder)
{
  const gchar *const temporary[] = { g_getenv ("TMPDIR"), "/var/tmp",
    g_get_tmp_dir () };
  gint fd = folder ? make_unnamed (folder, FALSE) : -1;

  for (guint i = 0; i < G_N_ELEMENTS (temporary) && fd < 0; i++)
    fd = temporary[i] ? make_unnamed (temporary[i], TRUE) : -1;
  return fd;
}

static gboolean
write_all (gint fd, gconstpointer data, gsize length, guint64 offset)
{
  for (gsize at = 0; at < length;) {
    gssize n = pwrite (fd, (const gchar *) data + at, length - at, offset + at);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    at += n;
  }
  return TRUE;
}

static gint
read_all (gint fd, guint8 *data, gsize length)
{
  for (gsize at = 0; at < length;) {
    gssize n = pread (fd, data + at, length - at, at);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : EIO;
    at += n;
  }
  return 0;
}

/* The unnamed file cannot be written any further, or not be mapped: what is in
 * it comes back to memory. */
static void
take_back (AmsGather *self)
{
  self->in_memory = TRUE;
  self->memory = g_byte_array_new ();
  if (self->size > G_MAXUINT) {
    self->errnum = EFBIG;
  } else {
    g_byte_array_set_size (self->memory, self->size);
    self->errnum = read_all (self->fd, self->memory->data, self->size);
  }
  close (self->fd);
  self->fd = -1;
}

static void
move_to_unnamed (AmsGather *self)
{
  self->fd = open_unnamed (self->folder);
  self->in_memory = self->fd < 0 ||
      !write_all (self->fd, self->memory->data, self->memory->len, 0);
  if (!self->in_memory) {
    g_clear_pointer (&self->memory, g_byte_array_unref);
  } else if (self->fd >= 0) {
    close (self->fd);
    self->fd = -1;
  }
}

/* ---- adding ---- */

static void
make_way (AmsGather *self, guint64 length)
{
  if (self->memory && !self->in_memory &&
      self->size + length > AMS_GATHER_MEMORY)
    move_to_unnamed (self);
}

void
ams_gather_add (AmsGather *self, gconstpointer data, gsize length)
{
  make_way (self, length);
  if (!self->memory && !write_all (self->fd, data, length, self->size))
    take_back (self);
  if (self->memory && self->size + length > G_MAXUINT)
    self->errnum = EFBIG;
  else if (self->memory)
    g_byte_array_append (self->memory, data, length);
  self->size += length;
}

/* Where the file system shares blocks, nothing is copied. FALSE: read and write
 * then. */
static gboolean
copy_range (AmsGather *self, gint fd, guint64 length, guint64 *added)
{
  while (*added < length) {
    loff_t at = self->size;
    gssize n = copy_file_range (fd, NULL, self->fd, &at, length - *added, 0);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    self->size += n;
    *added += n;
  }
  return TRUE;
}

gint
ams_gather_add_fd (AmsGather *self, gint fd, guint64 length, guint64 *added)
{
  g_autofree gchar *step = NULL;

  *added = 0;
  make_way (self, length);
  if (!self->memory && copy_range (self, fd, length, added))
    return 0;
  step = g_malloc (STEP);
  while (*added < length) {
    gssize n = read (fd, step, MIN (length - *added, STEP));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    if (n == 0)
      return 0;
    ams_gather_add (self, step, n);
    *added += n;
  }
  return 0;
}

guint64
ams_gather_get_size (AmsGather *self)
{
  return self->size;
}

/* ---- life ---- */

static void
unmap (gpointer start)
{
  munmap (start, ams_shared_remove (start));
}

static GBytes *
map (AmsGather *self)
{
  gpointer start = mmap (NULL, self->size, PROT_READ, MAP_PRIVATE, self->fd, 0);

  if (start == MAP_FAILED)
    return NULL;
  ams_shared_add (start, self->size, TRUE);
  return g_bytes_new_with_free_func (start, self->size, unmap, start);
}

GBytes *
ams_gather_free_to_bytes (AmsGather *self, gint *errnum)
{
  GBytes *bytes = self->memory ? NULL : map (self);

  if (!bytes && !self->memory)
    take_back (self);
  *errnum = self->errnum;
  if (!bytes && self->errnum == 0)
    bytes = g_byte_array_free_to_bytes (g_steal_pointer (&self->memory));
  ams_gather_free (self);
  return bytes;
}

AmsGather *
ams_gather_new (const gchar *folder)
{
  AmsGather *self = g_new0 (AmsGather, 1);

  self->folder = g_strdup (folder);
  self->memory = g_byte_array_new ();
  self->fd = -1;
  return self;
}

void
ams_gather_free (AmsGather *self)
{
  g_clear_pointer (&self->memory, g_byte_array_unref);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->folder);
  g_free (self);
}
