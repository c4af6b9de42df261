/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0666 /* less the umask */
/* Left-overs of one name that are kept; more than that is a loop somewhere. */
#define MAX_ASIDE 10000
/* As the kernel follows at most. */
#define MAX_LINKS 40
#define PART ".part"
/* The beginning of the name of a folder for parts whose own names would be too long. */
#define HIDDEN_FOLDER ".amshls"

gboolean
ams_local_fail (GError **error, gint errnum, const gchar *doing,
    const gchar *path)
{
  g_propagate_error (error, ams_disk_error_new (errnum, doing, path));
  return FALSE;
}

/* Paths */

/* Some file systems count characters, and say how many bytes these may have at most. */
static gboolean
name_fits (const gchar *path)
{
  g_autofree gchar *base = g_path_get_basename (path);

  return strlen (base) <= MIN (ams_disk_get_name_max (path), NAME_MAX);
}

/* (transfer full) (nullable): NULL: the file system takes no name that long. */
static gchar *
hidden_path (const gchar *path, const gchar *suffix)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *base = g_path_get_basename (path);
  g_autofree gchar *hidden = g_strconcat (folder, "/.", base, suffix, NULL);

  return name_fits (hidden) ? g_steal_pointer (&hidden) : NULL;
}

/* In a folder of its own the file can keep its whole name. */
static gchar *
path_in_hidden_folder (const gchar *path, const gchar *suffix)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *base = g_path_get_basename (path);
  g_autofree gchar *hidden = g_strconcat (HIDDEN_FOLDER, suffix, NULL);

  return g_build_filename (folder, hidden, base, NULL);
}

gchar *
ams_local_part_path (const gchar *path)
{
  gchar *part = hidden_path (path, PART);

  return part ? part : path_in_hidden_folder (path, PART);
}

/* Nobody looks for it by the name of the file, so that a hash will do. */
gchar *
ams_local_temp_path (const gchar *path)
{
  gchar *temp = hidden_path (path, ".tmp");
  g_autofree gchar *folder = NULL, *base = NULL, *hash = NULL, *hidden = NULL;

  if (temp)
    return temp;
  folder = g_path_get_dirname (path);
  base = g_path_get_basename (path);
  hash = g_compute_checksum_for_string (G_CHECKSUM_MD5, base, -1);
  hidden = g_strconcat (".", hash, ".tmp", NULL);
  return g_build_filename (folder, hidden, NULL);
}

/* (transfer full) */
static gchar *
aside_path (const gchar *path, guint n)
{
  g_autofree gchar *suffix = g_strdup_printf (PART ".%u", n);
  gchar *aside = hidden_path (path, suffix);

  return aside ? aside : path_in_hidden_folder (path, suffix);
}

gboolean
ams_local_is_part_folder (const gchar *name)
{
  return strcmp (name, HIDDEN_FOLDER PART) == 0;
}

void
ams_local_leave_part_folder (const gchar *part)
{
  g_autofree gchar *folder = g_path_get_dirname (part);
  g_autofree gchar *name = g_path_get_basename (folder);

  /* Another part that is in it keeps it. */
  if (ams_local_is_part_folder (name) && rmdir (folder) == 0)
    GST_DEBUG ("the folder %s is empty, and removed", folder);
}

gboolean
ams_local_check_name (const gchar *root, const gchar *name, GError **error)
{
  g_autofree gchar *within = g_build_filename (root, "x", NULL);
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  gsize max = ams_disk_get_name_max (within);

  for (guint i = 0; parts[i]; i++) {
    if (strlen (parts[i]) <= max)
      continue;
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0,
            "“%s” cannot be a file below “%s”: a name there has at most "
            "%" G_GSIZE_FORMAT " bytes, and this one has %" G_GSIZE_FORMAT
            ": choose a shorter location",
            parts[i], root, max, strlen (parts[i])));
    return FALSE;
  }
  return TRUE;
}

gchar *
ams_local_follow (const gchar *path, GError **error)
{
  g_autofree gchar *at = g_strdup (path);

  for (guint n = 0; n < MAX_LINKS; n++) {
    g_autofree gchar *target = g_file_read_link (at, NULL);
    g_autofree gchar *folder = NULL;

    if (!target)
      return g_steal_pointer (&at);
    folder = g_path_get_dirname (at);
    g_free (at);
    at = g_path_is_absolute (target) ? g_steal_pointer (&target)
                                     : g_build_filename (folder, target, NULL);
  }
  ams_local_fail (error, ELOOP, "follow the link", path);
  return NULL;
}

/* Publishing */

static gboolean
publish_by_rename (const gchar *from, const gchar *to)
{
  return renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0;
}

static gboolean
publish_by_link (const gchar *from, const gchar *to)
{
  if (link (from, to) < 0)
    return FALSE;
  /* A second name that stays is untidy, and nothing worse. */
  (void) unlink (from);
  return TRUE;
}

/* The empty file that claims the name is ours, so renaming over it takes nothing
 * from anybody. */
static gboolean
publish_by_claim (const gchar *from, const gchar *to)
{
  gint fd = open (to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
      FILE_MODE);
  gint errnum;

  if (fd < 0)
    return FALSE;
  close (fd);
  if (rename (from, to) == 0)
    return TRUE;
  errnum = errno;
  unlink (to);
  errno = errnum;
  return FALSE;
}

/* What a file system without the call says. */
static gboolean
is_lacking (gint errnum)
{
  return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP ||
      errnum == ENOTSUP || errnum == EPERM || errnum == EMLINK;
}

gboolean
ams_local_publish (const gchar *from, const gchar *to, AmsLocalPublish how,
    GError **error)
{
  static gboolean (*const ways[]) (const gchar *, const gchar *) = {
    [AMS_LOCAL_PUBLISH_RENAME] = publish_by_rename,
    [AMS_LOCAL_PUBLISH_LINK] = publish_by_link,
    [AMS_LOCAL_PUBLISH_CLAIM] = publish_by_claim,
  };
  gint errnum = 0;

  for (guint way = how; way < G_N_ELEMENTS (ways); way++) {
    if (ways[way](from, to))
      return TRUE;
    errnum = errno;
    if (!is_lacking (errnum))
      break;
  }
  if (errnum == EEXIST)
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_EXISTS, 0, 0,
            "“%s” exists already, and is not replaced", to));
  else
    ams_local_fail (error, errnum, "publish", to);
  return FALSE;
}

gchar *
ams_local_set_aside (const gchar *path, GError **error)
{
  g_autofree gchar *part = ams_local_part_path (path);

  for (guint n = 1; n <= MAX_ASIDE; n++) {
    g_autofree gchar *aside = aside_path (path, n);
    g_autoptr (GError) local = NULL;

    if (ams_disk_make_folders (aside, FALSE, &local) &&
        ams_local_publish (part, aside, AMS_LOCAL_PUBLISH_RENAME, &local))
      return g_steal_pointer (&aside);
    if (ams_store_error_get_failure (local) != AMS_FAILURE_EXISTS) {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  }
  ams_local_fail (error, ENFILE, "set aside", part);
  return NULL;
}
