/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0666 /* less the umask */
/* Left-overs of one name that are kept; more than that is a loop somewhere. */
#define MAX_ASIDE 10000

/* Errors */

/* Returns FALSE, for its callers to return. */
static gboolean
fail (GError **error, gint errnum, const gchar *doing, const gchar *path)
{
  g_propagate_error (error, ams_disk_error_new (errnum, doing, path));
  return FALSE;
}

/* Paths */

static gchar *
hidden_path (const gchar *path, const gchar *suffix)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *base = g_path_get_basename (path);
  g_autofree gchar *hidden = g_strconcat (".", base, suffix, NULL);

  return g_build_filename (folder, hidden, NULL);
}

gchar *
ams_local_part_path (const gchar *path)
{
  return hidden_path (path, ".part");
}

gchar *
ams_local_temp_path (const gchar *path)
{
  return hidden_path (path, ".tmp");
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
    fail (error, errnum, "publish", to);
  return FALSE;
}

gchar *
ams_local_set_aside (const gchar *part, GError **error)
{
  for (guint n = 1; n <= MAX_ASIDE; n++) {
    g_autofree gchar *aside = g_strdup_printf ("%s.%u", part, n);
    g_autoptr (GError) local = NULL;

    if (ams_local_publish (part, aside, AMS_LOCAL_PUBLISH_RENAME, &local))
      return g_steal_pointer (&aside);
    if (ams_store_error_get_failure (local) != AMS_FAILURE_EXISTS) {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  }
  fail (error, ENFILE, "set aside", part);
  return NULL;
}
