/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "local/amslocalclaims.h"

#include "local/amsrecorderlock.h"

struct _AmsLocalClaims
{
  gchar *root;
  GHashTable *locks; /* name → AmsRecorderLock: what this store records */
  GHashTable *wanted; /* names of locks that the disk could not take yet */
};

AmsLocalClaims *
ams_local_claims_new (const gchar *root)
{
  AmsLocalClaims *self = g_new0 (AmsLocalClaims, 1);

  self->root = g_strdup (root);
  self->locks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) ams_recorder_lock_release);
  self->wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
ams_local_claims_free (AmsLocalClaims *self)
{
  g_hash_table_unref (self->locks);
  g_hash_table_unref (self->wanted);
  g_free (self->root);
  g_free (self);
}

void
ams_local_claims_release (AmsLocalClaims *self)
{
  g_hash_table_remove_all (self->wanted);
  g_hash_table_remove_all (self->locks);
}

static gboolean
lock_name (AmsLocalClaims *self, const gchar *name, GError **error)
{
  g_autofree gchar *path = NULL, *lock_path = NULL;
  AmsRecorderLock *lock;

  if (!name || g_hash_table_contains (self->locks, name))
    return TRUE;
  path = g_build_filename (self->root, name, NULL);
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
want_lock (AmsLocalClaims *self, const gchar *name)
{
  if (name && !g_hash_table_contains (self->locks, name))
    g_hash_table_add (self->wanted, g_strdup (name));
}

gboolean
ams_local_claims_take (AmsLocalClaims *self, const AmsClaim *claim,
    GError **error)
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

gboolean
ams_local_claims_take_wanted (AmsLocalClaims *self, GError **error)
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
