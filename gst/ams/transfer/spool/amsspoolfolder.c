/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolfolder.h"

#include "transfer/amsdisk.h"
#include "transfer/spool/amsspoolindex.h"
#include "transfer/amsstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0666 /* less the umask */
#define HOST_LENGTH 48
#define HASH_LENGTH 16
/* Of 255 that a file system allows; the id comes before it. */
#define BASENAME_LENGTH 200
#define MAX_JOURNAL (1024 * 1024 * 1024)
#define MAX_DESTINATION 4096

static gboolean
fail (GError **error, gint errnum, const gchar *doing, const gchar *path)
{
  g_propagate_error (error, ams_disk_error_new (errnum, doing, path));
  return FALSE;
}

/* The lock */

static gboolean
take_lock (AmsSpoolFolder *self, const gchar *folder, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, "lock", NULL);

  if (!ams_disk_make_folders (path, FALSE, error))
    return FALSE;
  self->lock =
      open (path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
  if (self->lock < 0)
    return fail (error, errno, "open", path);
  if (flock (self->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return fail (error, errno, "lock", path);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "The spool folder “%s” is in use by another process or element: give "
          "each element a folder of its own",
          folder));
  return FALSE;
}

/* The destination's folder */

static void
append_host (GString *name, const gchar *destination)
{
  const gchar *scheme = strstr (destination, "://");
  const gchar *host = scheme ? scheme + 3 : destination;

  for (; *host && *host != '/' && name->len < HOST_LENGTH; host++)
    g_string_append_c (name,
        g_ascii_isalnum (*host) || *host == '.' ? *host : '-');
}

/* It never begins with a dot, nor is it empty. */
static gchar *
make_name (const gchar *destination)
{
  GString *name = g_string_new (NULL);
  g_autofree gchar *hash =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, destination, -1);

  append_host (name, destination);
  while (name->len > 0 && name->str[0] == '.')
    g_string_erase (name, 0, 1);
  hash[HASH_LENGTH] = '\0';
  g_string_append_printf (name, "%s%s", name->len > 0 ? "-" : "", hash);
  return g_string_free (name, FALSE);
}

/* For people only: a disk that is full does not matter. */
static void
describe (AmsSpoolFolder *self, const gchar *destination)
{
  g_autofree gchar *path = g_build_filename (self->path, "destination", NULL);
  g_autofree gchar *text = g_strconcat (destination, "\n", NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_file_set_contents (path, text, -1, NULL);
}

/* The others */

static guint
count_waiting (const gchar *folder)
{
  g_autofree gchar *path = g_build_filename (folder, "journal", NULL);
  g_autoptr (GBytes) data = ams_disk_read (path, FALSE, MAX_JOURNAL, NULL);
  g_autoptr (AmsSpoolIndex) index = ams_spool_index_new ();
  g_autoptr (AmsSpoolJournal) journal = NULL;
  g_autoptr (GPtrArray) waiting = NULL;
  guint n = 0;

  if (!data)
    return 0;
  journal = ams_spool_journal_read (data);
  ams_spool_index_replay (index, journal->records);
  waiting = ams_spool_index_list (index, AMS_SPOOL_ITEM_WAITING);
  for (guint i = 0; i < waiting->len; i++)
    n += ams_spool_item_has_body (g_ptr_array_index (waiting, i));
  return n;
}

static gchar *
read_destination (const gchar *folder)
{
  g_autofree gchar *path = g_build_filename (folder, "destination", NULL);
  g_autoptr (GBytes) data = ams_disk_read (path, FALSE, MAX_DESTINATION, NULL);
  g_autofree gchar *text = NULL;
  gsize size;
  const gchar *bytes;

  if (!data)
    return g_path_get_basename (folder);
  bytes = g_bytes_get_data (data, &size);
  text = g_utf8_make_valid (bytes ? bytes : "", size);
  g_strdelimit (text, "\r\n", '\0');
  return g_steal_pointer (&text);
}

static void
look_at_others (AmsSpoolFolder *self, const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GString) names = g_string_new (NULL);
  const gchar *name;
  guint files = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *destination = NULL;
    guint n = strcmp (path, self->path) == 0 ? 0 : count_waiting (path);

    if (n == 0)
      continue;
    files += n;
    destination = read_destination (path);
    g_string_append_printf (names, "%s“%s”", names->len > 0 ? ", " : "",
        destination);
  }
  if (files > 0)
    self->notice = g_strdup_printf ("The spool folder “%s” holds %u files that "
                                    "are not sent now, as they are for %s",
        folder, files, names->str);
}

/* The whole */

AmsSpoolFolder *
ams_spool_folder_open (const gchar *path, const gchar *destination,
    GError **error)
{
  g_autoptr (AmsSpoolFolder) self = g_new0 (AmsSpoolFolder, 1);
  g_autofree gchar *name = make_name (destination);
  g_autofree gchar *within = NULL;

  self->lock = -1;
  if (!take_lock (self, path, error))
    return NULL;
  self->path = g_build_filename (path, name, NULL);
  within = g_build_filename (self->path, "given-up", "x", NULL);
  if (!ams_disk_make_folders (within, TRUE, error))
    return NULL;
  describe (self, destination);
  look_at_others (self, path);
  return g_steal_pointer (&self);
}

void
ams_spool_folder_close (AmsSpoolFolder *self)
{
  if (self->lock >= 0)
    close (self->lock);
  g_free (self->path);
  g_free (self->notice);
  g_free (self);
}

gchar *
ams_spool_folder_get_journal (AmsSpoolFolder *self)
{
  return g_build_filename (self->path, "journal", NULL);
}

/* Bodies */

gchar *
ams_spool_folder_get_path (AmsSpoolFolder *self, guint64 id)
{
  return g_strdup_printf ("%s/%" G_GUINT64_FORMAT, self->path, id);
}

gboolean
ams_spool_folder_is_id (const gchar *name, guint64 *id)
{
  return name[0] != '0' &&
      g_ascii_string_to_unsigned (name, 10, 1, G_MAXINT64 - 1, id, NULL);
}

GArray *
ams_spool_folder_list (AmsSpoolFolder *self)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GDir) dir = g_dir_open (self->path, 0, NULL);
  const gchar *name;
  guint64 id;

  while (dir && (name = g_dir_read_name (dir))) {
    if (ams_spool_folder_is_id (name, &id))
      g_array_append_val (ids, id);
  }
  return ids;
}

void
ams_spool_folder_remove (AmsSpoolFolder *self, guint64 id)
{
  g_autofree gchar *path = ams_spool_folder_get_path (self, id);

  if (unlink (path) < 0 && errno != ENOENT)
    GST_WARNING ("could not remove %s: %s", path, g_strerror (errno));
}

/* Marks */

static gchar *
get_mark (AmsSpoolFolder *self, guint64 id, const gchar *nick)
{
  return g_strdup_printf ("%s/%" G_GUINT64_FORMAT ".%s", self->path, id, nick);
}

/* A link is upstream's file: its bytes are not ours. */
static void
cut_if_ours (const gchar *path)
{
  struct stat info;

  if (lstat (path, &info) == 0 && S_ISREG (info.st_mode) &&
      info.st_nlink == 1 && truncate (path, 0) < 0)
    GST_WARNING ("could not cut %s: %s", path, g_strerror (errno));
}

void
ams_spool_folder_mark (AmsSpoolFolder *self, guint64 id, const gchar *nick)
{
  g_autofree gchar *path = ams_spool_folder_get_path (self, id);
  g_autofree gchar *mark = get_mark (self, id, nick);
  g_autoptr (GError) error = NULL;

  if (rename (path, mark) < 0) {
    if (errno != ENOENT)
      GST_WARNING ("could not rename %s: %s", path, g_strerror (errno));
  } else if (ams_disk_sync_folder (mark, &error)) {
    cut_if_ours (mark);
  } else {
    GST_WARNING ("%s", error->message);
  }
}

void
ams_spool_folder_unmark (AmsSpoolFolder *self, guint64 id, const gchar *nick)
{
  g_autofree gchar *mark = get_mark (self, id, nick);

  if (unlink (mark) < 0 && errno != ENOENT)
    GST_WARNING ("could not remove %s: %s", mark, g_strerror (errno));
}

GArray *
ams_spool_folder_list_marked (AmsSpoolFolder *self, const gchar *nick)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GDir) dir = g_dir_open (self->path, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    const gchar *dot = strchr (name, '.');
    g_autofree gchar *number = dot ? g_strndup (name, dot - name) : NULL;
    guint64 id;

    if (dot && strcmp (dot + 1, nick) == 0 &&
        ams_spool_folder_is_id (number, &id))
      g_array_append_val (ids, id);
  }
  return ids;
}

/* The end of a long name says more than its beginning. */
static const gchar *
shorten (const gchar *name)
{
  const gchar *slash = strrchr (name, '/');
  const gchar *base = slash ? slash + 1 : name;

  if (strlen (base) <= BASENAME_LENGTH)
    return base;
  base += strlen (base) - BASENAME_LENGTH;
  return g_utf8_find_next_char (base - 1, NULL);
}

/* Ids begin anew when all was removed but what is given up. */
static gchar *
find_free (AmsSpoolFolder *self, guint64 id, const gchar *name)
{
  const gchar *base = name ? shorten (name) : "unknown";
  gchar *path = g_strdup_printf ("%s/given-up/%" G_GUINT64_FORMAT "-%s",
      self->path, id, base);

  for (guint n = 1; access (path, F_OK) == 0; n++) {
    g_free (path);
    path = g_strdup_printf ("%s/given-up/%" G_GUINT64_FORMAT ".%u-%s",
        self->path, id, n, base);
  }
  return path;
}

gboolean
ams_spool_folder_give_up (AmsSpoolFolder *self, guint64 id, const gchar *name,
    GError **error)
{
  g_autofree gchar *from = ams_spool_folder_get_path (self, id);
  g_autofree gchar *to = find_free (self, id, name);

  if (rename (from, to) == 0 || errno == ENOENT)
    return TRUE;
  return fail (error, errno, "keep", to);
}
