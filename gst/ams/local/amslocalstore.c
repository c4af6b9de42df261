/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalstore.h"

#include "local/amslocalcopy.h"
#include "local/amsrecorderlock.h"
#include "transfer/amscopybody.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A playlist as this store wrote it last. */
typedef struct
{
  dev_t device;
  ino_t inode;
  guint64 size;
} Written;

struct _AmsLocalStore
{
  GObject parent;

  gchar *root;
  AmsLocalOptions options;
  GHashTable *written; /* name → Written */
  GHashTable *locks; /* name → AmsRecorderLock: what this store records */
  GHashTable *wanted; /* names of locks that the disk could not take yet */
};

static void ams_local_store_store_init (AmsStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AmsLocalStore, ams_local_store, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_local_store_store_init))

static gchar *
path_of (AmsLocalStore *self, const gchar *name)
{
  return g_build_filename (self->root, name, NULL);
}

static gboolean
is_replaced (AmsFileRole role)
{
  return role == AMS_FILE_ROLE_PLAYLIST || role == AMS_FILE_ROLE_MASTER ||
      role == AMS_FILE_ROLE_OTHER;
}

static gboolean
fail (GError **error, gint errnum, const gchar *doing, const gchar *path)
{
  g_propagate_error (error, ams_disk_error_new (errnum, doing, path));
  return FALSE;
}

/* Playlists, whole */

static gboolean
write_range (gint fd, AmsMemoryBody *body, guint64 from, guint64 to,
    const gchar *path, GError **error)
{
  while (from < to) {
    gsize length, written;
    const guint8 *data = ams_memory_body_peek (body, from, &length);

    length = MIN (length, to - from);
    if (!ams_disk_write (fd, data, length, from, path, &written, error))
      return FALSE;
    from += length;
  }
  return TRUE;
}

static void
remember (AmsLocalStore *self, const gchar *name, const struct stat *info,
    guint64 size)
{
  Written *written = g_new (Written, 1);

  written->device = info->st_dev;
  written->inode = info->st_ino;
  written->size = size;
  g_hash_table_replace (self->written, g_strdup (name), written);
}

static gboolean
write_temp (AmsLocalStore *self, const AmsPut *put, const gchar *temp,
    struct stat *info, GError **error)
{
  gint fd;

  /* What another attempt or a crash left of a playlist is worth nothing: it is
   * in the playlist's next version. */
  if (unlink (temp) < 0 && errno != ENOENT)
    return fail (error, errno, "remove", temp);
  fd = ams_disk_create (temp, error);
  if (fd < 0)
    return FALSE;
  if (!write_range (fd, AMS_MEMORY_BODY (put->body), 0,
          ams_body_get_size (put->body), temp, error)) {
    close (fd);
    return FALSE;
  }
  if (fstat (fd, info) < 0) {
    fail (error, errno, "look at", temp);
    close (fd);
    return FALSE;
  }
  /* Always synced: without it, a crash soon after the rename leaves some file
   * systems with an empty file in the place of a good one. */
  return ams_disk_close (fd, TRUE, temp, error);
}

static gboolean
replace_playlist (AmsLocalStore *self, const AmsPut *put, const gchar *path,
    GError **error)
{
  g_autofree gchar *temp = ams_local_temp_path (path);
  struct stat info;

  if (!write_temp (self, put, temp, &info, error)) {
    unlink (temp);
    return FALSE;
  }
  if (rename (temp, path) < 0) {
    fail (error, errno, "replace", path);
    unlink (temp);
    return FALSE;
  }
  remember (self, put->name, &info, ams_body_get_size (put->body));
  return !self->options.sync || ams_disk_sync_folder (path, error);
}

/* Playlists, in place */

static gboolean
is_as_written (AmsLocalStore *self, const AmsPut *put, gint fd)
{
  const Written *written = g_hash_table_lookup (self->written, put->name);
  struct stat info;

  return written && written->size == put->unchanged && fstat (fd, &info) == 0 &&
      S_ISREG (info.st_mode) && info.st_dev == written->device &&
      info.st_ino == written->inode && (guint64) info.st_size == written->size;
}

/* One write never reaches over the end of a page, so that a reader, who sees a
 * page's write as a whole, sees whole lines. */
static gboolean
write_pages (gint fd, AmsMemoryBody *body, guint64 from, guint64 to,
    const gchar *path, GError **error)
{
  guint8 page[AMS_FILES_PAGE_SIZE];

  while (from < to) {
    guint64 end = (from / AMS_FILES_PAGE_SIZE + 1) * AMS_FILES_PAGE_SIZE;
    gsize size = MIN (end, to) - from, length, written;

    for (gsize at = 0; at < size; at += length) {
      const guint8 *data = ams_memory_body_peek (body, from + at, &length);

      length = MIN (length, size - at);
      memcpy (page + at, data, length);
    }
    if (!ams_disk_write (fd, page, size, from, path, &written, error))
      return FALSE;
    from += size;
  }
  return TRUE;
}

static gboolean
append_to_open (AmsLocalStore *self, const AmsPut *put, gint fd,
    const gchar *path, GError **error)
{
  guint64 size = ams_body_get_size (put->body);

  if (!write_pages (fd, AMS_MEMORY_BODY (put->body), put->unchanged, size, path,
          error))
    return FALSE;
  if (self->options.sync && fdatasync (fd) < 0)
    return fail (error, errno, "sync", path);
  return TRUE;
}

/* FALSE: nothing has changed, and the playlist has to be replaced. */
static gboolean
append_to_playlist (AmsLocalStore *self, const AmsPut *put, const gchar *path)
{
  g_autoptr (GError) error = NULL;
  Written *written;
  gint fd;

  if (put->unchanged == 0)
    return FALSE;
  fd = open (path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return FALSE;
  if (!is_as_written (self, put, fd)) {
    close (fd);
    return FALSE;
  }
  written = g_hash_table_lookup (self->written, put->name);
  if (append_to_open (self, put, fd, path, &error) &&
      ams_disk_close (g_steal_fd (&fd), FALSE, path, &error)) {
    written->size = ams_body_get_size (put->body);
    return TRUE;
  }
  GST_INFO ("appending failed, so it is replaced: %s", error->message);
  if (fd >= 0) {
    if (ftruncate (fd, put->unchanged) < 0)
      GST_WARNING ("could not cut %s back: %s", path, g_strerror (errno));
    close (fd);
  }
  g_hash_table_remove (self->written, put->name);
  return FALSE;
}

/* Errors of playlists and folders may always pass. */
static void
soften (GError *error)
{
  if (ams_store_error_get_failure (error) >= AMS_FAILURE_EXISTS)
    error->code = AMS_FAILURE_TRANSIENT;
}

/* A playlist that is a link stays one, and what it leads to is written: somebody shows it
 * elsewhere by another name. The folders that it leads to are that somebody's: where one
 * is missing, its disk may be. */
static gboolean
write_playlist (AmsLocalStore *self, const AmsPut *put, GError **error)
{
  g_autofree gchar *path = path_of (self, put->name);
  g_autofree gchar *target = ams_local_follow (path, error);

  if (!target)
    return FALSE;
  if (append_to_playlist (self, put, target))
    return TRUE;
  if (ams_disk_make_folders (path, self->options.sync, error) &&
      replace_playlist (self, put, target, error))
    return TRUE;
  if (!g_str_equal (path, target))
    g_prefix_error (error, "“%s” is a link. ", path);
  return FALSE;
}

static gboolean
put_playlist (AmsLocalStore *self, const AmsPut *put, GError **error)
{
  GError *local = NULL;

  if (write_playlist (self, put, &local))
    return TRUE;
  soften (local);
  g_propagate_error (error, local);
  return FALSE;
}

/* Segments, and what else is made once */

static gboolean
have_same_folder (const gchar *path, const gchar *other)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autofree gchar *others = g_path_get_dirname (other);
  struct stat a, b;

  return stat (folder, &a) == 0 && stat (others, &b) == 0 &&
      a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Two that write the same files would each find the other's. */
static gboolean
check_copy (AmsBody *body, const gchar *path, GError **error)
{
  const gchar *from = AMS_IS_COPY_BODY (body)
      ? ams_copy_body_get_path (AMS_COPY_BODY (body))
      : NULL;

  if (!from || !have_same_folder (from, path))
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          "“%s” is written there by somebody else already: name another "
          "folder, or let one alone write to it",
          path));
  return FALSE;
}

static gboolean
put_segment (AmsLocalStore *self, const AmsPut *put, GError **error)
{
  g_autofree gchar *path = path_of (self, put->name);

  if (AMS_IS_PART_BODY (put->body)) {
    ams_part_body_set_path (AMS_PART_BODY (put->body), path);
    return ams_part_body_publish (AMS_PART_BODY (put->body), error);
  }
  return check_copy (put->body, path, error) &&
      ams_local_copy (put->body, path, &self->options, error);
}

/* The other operations */

/* Of a playlist that is a link it is what this store wrote that goes; of any other file,
 * which somebody may have moved away since, the link. */
static gboolean
remove_file (AmsLocalStore *self, const gchar *name, GError **error)
{
  g_autofree gchar *path = path_of (self, name);
  gchar *target = g_hash_table_remove (self->written, name)
      ? ams_local_follow (path, NULL)
      : NULL;

  if (target) {
    g_free (path);
    path = target;
  }
  if (unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  return fail (error, errno, "remove", path);
}

static gboolean
cut_part (AmsLocalStore *self, const gchar *part, guint64 size, GError **error)
{
  gint fd = open (part, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  struct stat info;

  if (fd < 0)
    return fail (error, errno, "open", part);
  if (fstat (fd, &info) < 0)
    fail (error, errno, "look at", part);
  else if (!S_ISREG (info.st_mode) || (guint64) info.st_size < size)
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
            "“%s” does not have %" G_GUINT64_FORMAT " bytes", part, size));
  else if (ftruncate (fd, size) < 0)
    fail (error, errno, "cut", part);
  else
    return ams_disk_close (fd, self->options.sync, part, error);
  close (fd);
  return FALSE;
}

/* An earlier attempt got as far as the name, but not to the folder's sync. */
static gboolean
is_adopted (const gchar *part, const gchar *path, guint64 size)
{
  struct stat info;

  return access (part, F_OK) < 0 && errno == ENOENT &&
      lstat (path, &info) == 0 && S_ISREG (info.st_mode) &&
      (guint64) info.st_size == size;
}

static gboolean
adopt_part (AmsLocalStore *self, const gchar *name, const gchar *from,
    guint64 size, GError **error)
{
  g_autofree gchar *path = path_of (self, name);
  g_autofree gchar *part =
      from ? path_of (self, from) : ams_local_part_path (path);

  if (!is_adopted (part, path, size) &&
      (!cut_part (self, part, size, error) ||
          !ams_local_publish (part, path, AMS_LOCAL_PUBLISH_RENAME, error)))
    return FALSE;
  ams_local_leave_part_folder (part);
  return !self->options.sync || ams_disk_sync_folder (path, error);
}

static GBytes *
fetch_file (AmsLocalStore *self, const gchar *name, gboolean partial,
    guint64 max_size, GError **error)
{
  g_autofree gchar *path = path_of (self, name);
  g_autofree gchar *part = ams_local_part_path (path);

  if (max_size == 0 && access (partial ? part : path, F_OK) == 0)
    return g_bytes_new (NULL, 0);
  return ams_disk_read (partial ? part : path, !partial, max_size, error);
}

/* Claims */

static gboolean
lock_name (AmsLocalStore *self, const gchar *name, GError **error)
{
  g_autofree gchar *path = NULL, *lock_path = NULL;
  AmsRecorderLock *lock;

  if (!name || g_hash_table_contains (self->locks, name))
    return TRUE;
  path = path_of (self, name);
  lock_path = ams_recorder_lock_path (path);
  lock = ams_recorder_lock_take (lock_path, path, error);
  if (!lock)
    return FALSE;
  g_hash_table_insert (self->locks, g_strdup (name), lock);
  return TRUE;
}

/* The disk is full, read-only or away: the lock is made before the first file is. */
static gboolean
may_lock_later (const GError *error)
{
  AmsFailure failure = ams_store_error_get_failure (error);

  return failure != AMS_FAILURE_BUSY && failure != AMS_FAILURE_UNSUPPORTED;
}

static void
want_lock (AmsLocalStore *self, const gchar *name)
{
  if (name && !g_hash_table_contains (self->locks, name))
    g_hash_table_add (self->wanted, g_strdup (name));
}

/* All of it or nothing; what the disk cannot take now is wanted. */
static gboolean
take_claim (AmsLocalStore *self, const AmsClaim *claim, GError **error)
{
  gboolean had =
      claim->playlist && g_hash_table_contains (self->locks, claim->playlist);
  GError *why = NULL;

  if (lock_name (self, claim->playlist, &why) &&
      lock_name (self, claim->segments, &why))
    return TRUE;
  if (may_lock_later (why)) {
    want_lock (self, claim->playlist);
    want_lock (self, claim->segments);
  } else if (!had && claim->playlist) {
    g_hash_table_remove (self->locks, claim->playlist);
  }
  g_propagate_error (error, why);
  return FALSE;
}

/* FALSE: somebody else began to record while this store had no lock. */
static gboolean
take_wanted (AmsLocalStore *self, GError **error)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->wanted);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autoptr (GError) why = NULL;

    if (lock_name (self, name, &why)) {
      GST_INFO ("the lock of \"%s\" is made, now that it can be",
          (const gchar *) name);
    } else if (ams_store_error_get_failure (why) == AMS_FAILURE_BUSY) {
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    } else {
      GST_DEBUG ("there is no lock of \"%s\" yet: %s", (const gchar *) name,
          why->message);
      continue;
    }
    g_hash_table_iter_remove (&iter);
  }
  return TRUE;
}

/* AmsStore */

static void
answer_boolean (GTask *task, gboolean ok, GError *error)
{
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
  g_object_unref (task);
}

static gboolean
finish_boolean (AmsStore *store, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gpointer
finish_pointer (AmsStore *store, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static AmsBody *
local_create_body (AmsStore *store, const AmsFileBegin *begin)
{
  AmsLocalStore *self = AMS_LOCAL_STORE (store);
  g_autofree gchar *path = path_of (self, begin->name);

  /* A part is written at once. If the lock is another's by now, the put says so. */
  take_wanted (self, NULL);
  if (is_replaced (begin->role))
    return ams_memory_body_new ();
  if (begin->local_path)
    return ams_copy_body_new (begin->local_path);
  return ams_part_body_new (path, &self->options);
}

static void
local_put_async (AmsStore *store, const AmsPut *put, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsLocalStore *self = AMS_LOCAL_STORE (store);
  GTask *task = g_task_new (store, cancellable, callback, user_data);
  GError *error = NULL;
  gboolean ok;

  /* What is done is done, also when it was cancelled meanwhile. */
  g_task_set_check_cancellable (task, FALSE);
  if (!take_wanted (self, &error))
    ok = FALSE;
  else if (is_replaced (put->role))
    ok = put_playlist (self, put, &error);
  else
    ok = put_segment (AMS_LOCAL_STORE (store), put, &error);
  answer_boolean (task, ok, error);
}

static void
local_remove_async (AmsStore *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (store, NULL, callback, user_data);
  GError *error = NULL;
  gboolean ok = remove_file (AMS_LOCAL_STORE (store), name, &error);

  answer_boolean (task, ok, error);
}

/* The copy is of a file that stays as it is: a link will do where the disk has them. */
static gboolean
copy_file (AmsLocalStore *self, const gchar *from, const gchar *name,
    GError **error)
{
  g_autofree gchar *path = path_of (self, from);
  g_autofree gchar *other = path_of (self, name);
  g_autoptr (AmsBody) body = NULL;
  struct stat info;

  if (link (path, other) == 0)
    return !self->options.sync || ams_disk_sync_folder (other, error);
  if (stat (path, &info) < 0)
    return fail (error, errno, "look at", path);
  body = ams_copy_body_new (path);
  return ams_copy_body_refer (AMS_COPY_BODY (body), info.st_size, error) &&
      ams_local_copy (body, other, &self->options, error);
}

static void
local_copy_async (AmsStore *store, const gchar *from, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (store, NULL, callback, user_data);
  GError *error = NULL;
  gboolean ok = copy_file (AMS_LOCAL_STORE (store), from, name, &error);

  answer_boolean (task, ok, error);
}

static void
local_adopt_async (AmsStore *store, const gchar *name, const gchar *from,
    guint64 size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  GTask *task = g_task_new (store, NULL, callback, user_data);
  GError *error = NULL;
  gboolean ok = adopt_part (AMS_LOCAL_STORE (store), name, from, size, &error);

  answer_boolean (task, ok, error);
}

static void
local_claim_async (AmsStore *store, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (store, NULL, callback, user_data);
  GError *error = NULL;
  gboolean ok = take_claim (AMS_LOCAL_STORE (store), claim, &error);

  answer_boolean (task, ok, error);
}

static void
local_release (AmsStore *store)
{
  g_hash_table_remove_all (AMS_LOCAL_STORE (store)->wanted);
  g_hash_table_remove_all (AMS_LOCAL_STORE (store)->locks);
}

static void
local_fetch_async (AmsStore *store, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  GError *error = NULL;
  GBytes *data =
      fetch_file (AMS_LOCAL_STORE (store), name, partial, max_size, &error);

  if (data)
    g_task_return_pointer (task, data, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static void
local_fetch_head_async (AmsStore *store, const gchar *name, guint64 size,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  g_autofree gchar *path = path_of (AMS_LOCAL_STORE (store), name);
  GError *error = NULL;
  GBytes *data = ams_disk_read_head (path, size, &error);

  if (data)
    g_task_return_pointer (task, data, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

static void
local_list_async (AmsStore *store, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  GError *error = NULL;
  GPtrArray *entries =
      ams_local_list (AMS_LOCAL_STORE (store)->root, prefix, &error);

  if (entries)
    g_task_return_pointer (task, entries, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

static GBytes *
local_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return finish_pointer (store, result, error);
}

static GPtrArray *
local_list_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return finish_pointer (store, result, error);
}

static void
ams_local_store_store_init (AmsStoreInterface *iface)
{
  iface->create_body = local_create_body;
  iface->put_async = local_put_async;
  iface->put_finish = finish_boolean;
  iface->remove_async = local_remove_async;
  iface->remove_finish = finish_boolean;
  iface->fetch_async = local_fetch_async;
  iface->fetch_finish = local_fetch_finish;
  iface->fetch_head_async = local_fetch_head_async;
  iface->list_async = local_list_async;
  iface->list_finish = local_list_finish;
  iface->copy_async = local_copy_async;
  iface->copy_finish = finish_boolean;
  iface->adopt_async = local_adopt_async;
  iface->adopt_finish = finish_boolean;
  iface->claim_async = local_claim_async;
  iface->claim_finish = finish_boolean;
  iface->release = local_release;
}

/* Life */

static void
ams_local_store_finalize (GObject *object)
{
  AmsLocalStore *self = AMS_LOCAL_STORE (object);

  g_free (self->root);
  g_hash_table_unref (self->written);
  g_hash_table_unref (self->locks);
  g_hash_table_unref (self->wanted);
  G_OBJECT_CLASS (ams_local_store_parent_class)->finalize (object);
}

static void
ams_local_store_class_init (AmsLocalStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_local_store_finalize;
}

static void
ams_local_store_init (AmsLocalStore *self)
{
  self->written =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->locks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) ams_recorder_lock_release);
  self->wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

AmsStore *
ams_local_store_new (const gchar *root, const AmsLocalOptions *options)
{
  AmsLocalStore *self = g_object_new (AMS_TYPE_LOCAL_STORE, NULL);

  self->root = g_strdup (root);
  self->options = *options;
  return AMS_STORE (self);
}
