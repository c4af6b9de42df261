/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalstore.h"

#include "local/amslocalclaims.h"
#include "local/amslocalcopy.h"
#include "local/amslocalplaylist.h"
#include "transfer/amscopybody.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _AmsLocalStore
{
  GObject parent;

  gchar *root;
  AmsLocalOptions options;
  AmsLocalPlaylists *playlists;
  AmsLocalClaims *claims;
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

/* Putting */

static gboolean
put_playlist (AmsLocalStore *self, const AmsPut *put, GError **error)
{
  g_autofree gchar *path = path_of (self, put->name);

  return ams_local_playlists_put (self->playlists, put, path, error);
}

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
  gchar *target = ams_local_playlists_forget (self->playlists, name)
      ? ams_local_follow (path, NULL)
      : NULL;

  if (target) {
    g_free (path);
    path = target;
  }
  if (unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  return ams_local_fail (error, errno, "remove", path);
}

static gboolean
cut_part (AmsLocalStore *self, const gchar *part, guint64 size, GError **error)
{
  gint fd = open (part, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  struct stat info;

  if (fd < 0)
    return ams_local_fail (error, errno, "open", part);
  if (fstat (fd, &info) < 0)
    ams_local_fail (error, errno, "look at", part);
  else if (!S_ISREG (info.st_mode) || (guint64) info.st_size < size)
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
            "“%s” does not have %" G_GUINT64_FORMAT " bytes", part, size));
  else if (ftruncate (fd, size) < 0)
    ams_local_fail (error, errno, "cut", part);
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
  ams_local_claims_take_wanted (self->claims, NULL);
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
  if (!ams_local_claims_take_wanted (self->claims, &error))
    ok = FALSE;
  else if (is_replaced (put->role))
    ok = put_playlist (self, put, &error);
  else
    ok = put_segment (self, put, &error);
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
    return ams_local_fail (error, errno, "look at", path);
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
  gboolean ok =
      ams_local_claims_take (AMS_LOCAL_STORE (store)->claims, claim, &error);

  answer_boolean (task, ok, error);
}

static void
local_release (AmsStore *store)
{
  ams_local_claims_release (AMS_LOCAL_STORE (store)->claims);
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
  iface->shares_threads = TRUE;
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
  ams_local_playlists_free (self->playlists);
  ams_local_claims_free (self->claims);
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
}

AmsStore *
ams_local_store_new (const gchar *root, const AmsLocalOptions *options)
{
  AmsLocalStore *self = g_object_new (AMS_TYPE_LOCAL_STORE, NULL);

  self->root = g_strdup (root);
  self->options = *options;
  self->playlists = ams_local_playlists_new (options->sync);
  self->claims = ams_local_claims_new (root);
  return AMS_STORE (self);
}
