/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolnote.h"

#include "transfer/amsdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "note-"
#define FILE_MODE 0666 /* less the umask */
/* A few records, each of which is a line. */
#define MAX_SIZE (4 * 1024 * 1024)

static gchar *
get_path (AmsSpoolFolder *folder, guint64 id)
{
  return g_strdup_printf ("%s/" PREFIX "%" G_GUINT64_FORMAT, folder->path, id);
}

/* Half a line would spoil the next one. */
static gboolean
append (gint fd, const GString *text, off_t size)
{
  gssize n;

  do
    n = pwrite (fd, text->str, text->len, size);
  while (n < 0 && errno == EINTR);
  if (n == (gssize) text->len)
    return TRUE;
  if (n >= 0)
    errno = ENOSPC;
  if (ftruncate (fd, size) < 0)
    GST_DEBUG ("a note could not be cut: %s", g_strerror (errno));
  return FALSE;
}

static gboolean
add_to (const gchar *path, const AmsSpoolRecord *record)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gint fd = open (path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
  struct stat info;
  gboolean ok;

  if (fd < 0)
    return FALSE;
  ok = fstat (fd, &info) == 0;
  if (ok && info.st_size == 0)
    ams_spool_journal_write_head (text);
  ams_spool_journal_write (text, record);
  ok = ok && append (fd, text, info.st_size);
  close (fd);
  return ok;
}

void
ams_spool_note_add (AmsSpoolFolder *folder, const AmsSpoolRecord *record)
{
  g_autofree gchar *path = get_path (folder, record->id);

  if (!add_to (path, record))
    GST_DEBUG ("no note is made in %s: %s", path, g_strerror (errno));
}

void
ams_spool_note_remove (AmsSpoolFolder *folder, guint64 id)
{
  g_autofree gchar *path = get_path (folder, id);

  if (unlink (path) < 0 && errno != ENOENT)
    GST_WARNING ("could not remove %s: %s", path, g_strerror (errno));
}

GArray *
ams_spool_note_list (AmsSpoolFolder *folder)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GDir) dir = g_dir_open (folder->path, 0, NULL);
  const gchar *name;
  guint64 id;

  while (dir && (name = g_dir_read_name (dir))) {
    if (g_str_has_prefix (name, PREFIX) &&
        ams_spool_folder_is_id (name + strlen (PREFIX), &id))
      g_array_append_val (ids, id);
  }
  return ids;
}

AmsSpoolJournal *
ams_spool_note_read (AmsSpoolFolder *folder, guint64 id)
{
  g_autofree gchar *path = get_path (folder, id);
  g_autoptr (GBytes) data = ams_disk_read (path, FALSE, MAX_SIZE, NULL);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  AmsSpoolJournal *note = ams_spool_journal_read (data ? data : nothing);

  for (guint i = note->records->len; i-- > 0;) {
    if (((AmsSpoolRecord *) note->records->pdata[i])->id != id)
      g_ptr_array_remove_index (note->records, i);
  }
  return note;
}
