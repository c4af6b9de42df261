/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Listing, of amslocalio.h */

#include "config.h"

#include "local/amslocalio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A recording's names have dates for folders, not more; and a number of segments
 * that a playlist can list. */
#define MAX_DEPTH 8
#define MAX_ENTRIES 2000000

typedef struct
{
  GPtrArray *entries;
  guint depth;
  gboolean in_part_folder;
} Listing;

static gboolean list_folder (Listing *listing, const gchar *folder,
    const gchar *names, const gchar *prefix, GError **error);

/* ".NAME.part" → NAME */
static gchar *
name_of_part (const gchar *entry)
{
  gsize length = strlen (entry);

  if (entry[0] != '.' || length <= strlen ("..part") ||
      !g_str_has_suffix (entry, ".part"))
    return NULL;
  return g_strndup (entry + 1, length - strlen ("..part"));
}

/* What this store leaves in a folder besides files and parts: NAME.part.N and
 * playlists that did not become whole, and locks. */
static gboolean
is_debris (const gchar *entry)
{
  const gchar *dot = strrchr (entry, '.');

  if (entry[0] != '.')
    return FALSE;
  if (g_str_has_suffix (entry, ".tmp") || g_str_has_suffix (entry, ".lock"))
    return TRUE;
  return strspn (dot + 1, "0123456789") == strlen (dot + 1) &&
      dot - entry > 5 && strncmp (dot - 5, ".part", 5) == 0;
}

static gboolean
add_entry (Listing *listing, const gchar *names, const gchar *name,
    const struct stat *info, gboolean partial, GError **error)
{
  AmsFileEntry *entry;
  g_autofree gchar *whole = g_strconcat (names, name, NULL);

  if (!ams_file_name_check (whole, NULL))
    return TRUE;
  if (listing->entries->len >= MAX_ENTRIES) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "There are too many files to list, at “%s”", whole));
    return FALSE;
  }
  entry = ams_file_entry_new (whole, info->st_size, partial);
  entry->modified = info->st_mtim.tv_sec * G_USEC_PER_SEC +
      info->st_mtim.tv_nsec / (1000000000 / G_USEC_PER_SEC);
  g_ptr_array_add (listing->entries, entry);
  return TRUE;
}

static gboolean
list_subfolder (Listing *listing, const gchar *folder, const gchar *names,
    const gchar *entry, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, entry, NULL);
  g_autofree gchar *below = g_strconcat (names, entry, "/", NULL);
  gboolean ok;

  if (listing->depth >= MAX_DEPTH)
    return TRUE;
  listing->depth++;
  ok = list_folder (listing, path, below, "", error);
  listing->depth--;
  return ok;
}

/* Parts that have the whole names of the files which they were going to be. */
static gboolean
list_part_folder (Listing *listing, const gchar *folder, const gchar *names,
    const gchar *entry, const gchar *prefix, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, entry, NULL);
  gboolean ok;

  if (listing->in_part_folder)
    return TRUE;
  listing->in_part_folder = TRUE;
  ok = list_folder (listing, path, names, prefix, error);
  listing->in_part_folder = FALSE;
  return ok;
}

static gboolean
is_folder (gint dir_fd, const gchar *entry)
{
  struct stat info;

  return fstatat (dir_fd, entry, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR (info.st_mode);
}

static gboolean
list_entry (Listing *listing, gint dir_fd, const gchar *folder,
    const gchar *names, const gchar *entry, const gchar *prefix, GError **error)
{
  g_autofree gchar *part_of =
      listing->in_part_folder ? g_strdup (entry) : name_of_part (entry);
  const gchar *name = part_of ? part_of : entry;
  struct stat info;

  if (ams_local_is_part_folder (entry) && is_folder (dir_fd, entry))
    return list_part_folder (listing, folder, names, entry, prefix, error);
  if (!g_str_has_prefix (name, prefix))
    return TRUE;
  /* Unless it is what is asked for. */
  if (prefix[0] != '.' && is_debris (entry))
    return TRUE;
  if (fstatat (dir_fd, entry, &info, AT_SYMLINK_NOFOLLOW) < 0)
    return TRUE; /* gone since */
  if (S_ISDIR (info.st_mode) && listing->in_part_folder)
    return TRUE;
  if (S_ISDIR (info.st_mode))
    return list_subfolder (listing, folder, names, entry, error);
  if (S_ISLNK (info.st_mode) && !part_of &&
      fstatat (dir_fd, entry, &info, 0) < 0)
    return TRUE; /* leads nowhere */
  if (!S_ISREG (info.st_mode))
    return TRUE;
  return add_entry (listing, names, name, &info, part_of != NULL, error);
}

static gboolean
list_open_folder (Listing *listing, DIR *dir, const gchar *folder,
    const gchar *names, const gchar *prefix, GError **error)
{
  const struct dirent *entry;

  while ((errno = 0, entry = readdir (dir))) {
    if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
      continue;
    if (!list_entry (listing, dirfd (dir), folder, names, entry->d_name, prefix,
            error))
      return FALSE;
  }
  if (errno)
    return ams_local_fail (error, errno, "list the folder", folder);
  return TRUE;
}

static gboolean
list_folder (Listing *listing, const gchar *folder, const gchar *names,
    const gchar *prefix, GError **error)
{
  DIR *dir = opendir (folder);
  gboolean ok;

  if (!dir && errno == ENOENT)
    return TRUE;
  if (!dir)
    return ams_local_fail (error, errno, "list the folder", folder);
  ok = list_open_folder (listing, dir, folder, names, prefix, error);
  closedir (dir);
  return ok;
}

GPtrArray *
ams_local_list (const gchar *root, const gchar *prefix, GError **error)
{
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);
  Listing listing = { entries, 0, FALSE };
  const gchar *slash = strrchr (prefix, '/');
  const gchar *base = slash ? slash + 1 : prefix;
  g_autofree gchar *names = g_strndup (prefix, base - prefix);
  g_autofree gchar *folder = g_build_filename (root, names, NULL);

  if (!list_folder (&listing, folder, names, base, error))
    return NULL;
  return g_steal_pointer (&entries);
}
