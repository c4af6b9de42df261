/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amsrecorderlock.h"

#include "transfer/amsdisk.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0666 /* less the umask */
#define MAX_SIZE 4096 /* of what is believed of a lock file */
#define MAX_FIELD 128 /* characters of a name that is shown */

/* Of 255 bytes that file systems allow; a longer name is told by its sum. */
#define NAME_LENGTH 200
#define SUM_LENGTH 16

/* What was removed between open() and flock() is opened anew so often. */
#define MAX_ATTEMPTS 100

#define GROUP "recorder"

struct _AmsRecorderLock
{
  gchar *path;
  gint fd;
};

gchar *
ams_recorder_lock_path (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *base = g_path_get_basename (path);
  g_autofree gchar *sum = NULL;
  g_autofree gchar *name = NULL;

  if (strlen (base) > NAME_LENGTH) {
    sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, base, -1);
    sum[SUM_LENGTH] = '\0';
    base[NAME_LENGTH] = '\0';
  }
  name = g_strconcat (".", base, sum ? "-" : "", sum ? sum : "", ".lock", NULL);
  return g_build_filename (folder, name, NULL);
}

/* Who has it */

static gchar *
describe_self (void)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *since = g_date_time_format (now, "%Y-%m-%d %H:%M:%S UTC");
  const gchar *program = g_get_prgname ();

  g_key_file_set_string (file, GROUP, "program", program ? program : "");
  g_key_file_set_integer (file, GROUP, "process", getpid ());
  g_key_file_set_string (file, GROUP, "host", g_get_host_name ());
  g_key_file_set_string (file, GROUP, "since", since);
  return g_key_file_to_data (file, NULL, NULL);
}

/* For people only: a disk that is full does not matter. */
static void
write_self (AmsRecorderLock *self)
{
  g_autofree gchar *text = describe_self ();
  gsize size = strlen (text);

  if (ftruncate (self->fd, 0) < 0 ||
      pwrite (self->fd, text, size, 0) != (gssize) size)
    GST_INFO ("%s does not say who has it: %s", self->path, g_strerror (errno));
}

/* (transfer full) (nullable): shown to people, and somebody else wrote it. */
static gchar *
get_field (GKeyFile *file, const gchar *key)
{
  g_autofree gchar *value = g_key_file_get_string (file, GROUP, key, NULL);
  g_autofree gchar *text = NULL;

  if (!value || !*value)
    return NULL;
  text = g_utf8_make_valid (value, strnlen (value, MAX_FIELD));
  for (gchar *p = text; *p; p++)
    if (g_ascii_iscntrl (*p))
      *p = ' ';
  return g_steal_pointer (&text);
}

static gchar *
describe_holder (const gchar *path)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GBytes) data = ams_disk_read (path, FALSE, MAX_SIZE, NULL);
  g_autofree gchar *program = NULL, *process = NULL, *host = NULL;
  g_autofree gchar *since = NULL;

  if (!data || !g_key_file_load_from_bytes (file, data, G_KEY_FILE_NONE, NULL))
    return g_strdup ("another recorder");
  program = get_field (file, "program");
  process = get_field (file, "process");
  host = get_field (file, "host");
  since = get_field (file, "since");
  return g_strdup_printf ("%s (process %s on %s, since %s)",
      program ? program : "another recorder", process ? process : "unknown",
      host ? host : "an unknown host", since ? since : "an unknown time");
}

/* Taking it */

static gboolean
fail_busy (const gchar *path, const gchar *subject, GError **error)
{
  g_autofree gchar *holder = describe_holder (path);

  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_BUSY, 0, 0, "“%s” is recorded by %s",
          subject, holder));
  return FALSE;
}

static gboolean
fail_lock (gint errnum, const gchar *path, const gchar *subject, GError **error)
{
  if (errnum == EWOULDBLOCK)
    return fail_busy (path, subject, error);
  if (errnum == ENOLCK || errnum == EOPNOTSUPP || errnum == ENOSYS ||
      errnum == EINVAL) {
    unlink (path);
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0,
            "The file system of “%s” has no locks (%s), so nothing keeps a "
            "second recorder away from it: see to it that there is only one",
            subject, g_strerror (errnum)));
  } else {
    g_propagate_error (error, ams_disk_error_new (errnum, "lock", path));
  }
  return FALSE;
}

/* Whoever releases it removes the file: then what is locked has no name any more. */
static gboolean
is_still_there (AmsRecorderLock *self)
{
  struct stat ours, named;

  return fstat (self->fd, &ours) == 0 && lstat (self->path, &named) == 0 &&
      ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static void
close_lock (AmsRecorderLock *self)
{
  if (self->fd >= 0)
    close (g_steal_fd (&self->fd));
}

/* One that another user has made may be read at best; to lock it, that is enough on
 * a local disk. */
static gint
open_file (const gchar *path)
{
  gint fd = open (path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
  gint errnum = errno;

  if (fd >= 0 || errnum != EACCES)
    return fd;
  fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  errno = errnum;
  return fd;
}

/* Whether it is still there has to be seen after this. */
static gboolean
open_locked (AmsRecorderLock *self, const gchar *subject, GError **error)
{
  close_lock (self);
  self->fd = open_file (self->path);
  if (self->fd < 0) {
    g_propagate_error (error, ams_disk_error_new (errno, "open", self->path));
    return FALSE;
  }
  while (flock (self->fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno != EINTR)
      return fail_lock (errno, self->path, subject, error);
  }
  return TRUE;
}

static void
free_lock (AmsRecorderLock *self)
{
  close_lock (self);
  g_free (self->path);
  g_free (self);
}

AmsRecorderLock *
ams_recorder_lock_take (const gchar *path, const gchar *subject, GError **error)
{
  AmsRecorderLock *self = g_new0 (AmsRecorderLock, 1);
  gboolean ok = ams_disk_make_folders (path, FALSE, error);

  self->path = g_strdup (path);
  self->fd = -1;
  for (guint i = 0; ok && i < MAX_ATTEMPTS; i++) {
    ok = open_locked (self, subject, error);
    if (ok && is_still_there (self)) {
      write_self (self);
      return self;
    }
  }
  if (ok)
    fail_busy (path, subject, error);
  free_lock (self);
  return NULL;
}

/* The name goes while the lock is held, so whoever waits for that finds that it has
 * locked a file without a name, and begins anew. */
void
ams_recorder_lock_release (AmsRecorderLock *self)
{
  if (is_still_there (self) && unlink (self->path) < 0)
    GST_INFO ("%s stays: %s", self->path, g_strerror (errno));
  free_lock (self);
}
