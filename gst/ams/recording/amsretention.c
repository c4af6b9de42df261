/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsretention.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

/* s: a file is taken to be gone so long after its removal was due. */
#define GRACE 60

/* A segment that is no longer listed but still there. */
typedef struct
{
  gchar *name;
  guint64 grace; /* how long it must stay, unlisted */
  guint64 unlisted_at;
} Kept;

/* A file whose removal is due when the recording is so long. */
typedef struct
{
  gchar *name;
  guint64 due;
} Going;

struct _AmsRetention
{
  guint max_files; /* 0: all */
  gboolean remembers;
  GQueue kept; /* Kept, oldest first */
  guint n_earlier; /* the first ones of those, an earlier session's */
  guint64 longest_playlist;
  GHashTable *aliases; /* name → the one that it had before */
  GPtrArray *own_files;
  GQueue going; /* Going: in own_files, and to be removed */
};

AmsRetention *
ams_retention_new (guint max_files, gboolean remembers)
{
  AmsRetention *self = g_new0 (AmsRetention, 1);

  self->max_files = max_files;
  self->remembers = remembers;
  g_queue_init (&self->kept);
  g_queue_init (&self->going);
  self->aliases =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->own_files = g_ptr_array_new_with_free_func (g_free);
  return self;
}

static void
kept_free (Kept *kept)
{
  g_free (kept->name);
  g_free (kept);
}

static void
going_free (Going *going)
{
  g_free (going->name);
  g_free (going);
}

void
ams_retention_free (AmsRetention *self)
{
  g_queue_clear_full (&self->kept, (GDestroyNotify) kept_free);
  g_queue_clear_full (&self->going, (GDestroyNotify) going_free);
  g_hash_table_unref (self->aliases);
  g_ptr_array_unref (self->own_files);
  g_free (self);
}

void
ams_retention_note_playlist (AmsRetention *self, guint64 duration)
{
  self->longest_playlist = MAX (self->longest_playlist, duration);
}

void
ams_retention_begin (AmsRetention *self, guint64 duration)
{
  self->longest_playlist = duration;
}

void
ams_retention_add_own_file (AmsRetention *self, const gchar *name)
{
  if (self->remembers)
    g_ptr_array_add (self->own_files, g_strdup (name));
}

void
ams_retention_rename (AmsRetention *self, const gchar *name, const gchar *other)
{
  g_hash_table_replace (self->aliases, g_strdup (other), g_strdup (name));
  ams_retention_add_own_file (self, other);
}

/* ---- what is not listed any more ---- */

static Kept *
kept_new (AmsRetention *self, const gchar *name, guint64 duration, guint64 now)
{
  Kept *kept = g_new0 (Kept, 1);

  kept->name = g_strdup (name);
  kept->grace = duration + self->longest_playlist;
  kept->unlisted_at = now;
  return kept;
}

void
ams_retention_unlist (AmsRetention *self, const gchar *name, guint64 duration,
    guint64 now)
{
  if (self->max_files > 0)
    g_queue_push_tail (&self->kept, kept_new (self, name, duration, now));
}

/* How long ago it was unlisted is not known: the whole grace again. */
void
ams_retention_unlist_earlier (AmsRetention *self, const gchar *name,
    guint64 duration, guint64 now)
{
  if (self->max_files > 0)
    g_queue_push_nth (&self->kept, kept_new (self, name, duration, now),
        self->n_earlier++);
}

/* ---- removing ---- */

static void
removal_free (AmsRemoval *removal)
{
  g_free (removal->name);
  g_free (removal);
}

static void
forget_file (AmsRetention *self, const gchar *name)
{
  /* The oldest goes first, so it is found at once. */
  for (guint i = 0; i < self->own_files->len; i++) {
    if (g_str_equal (g_ptr_array_index (self->own_files, i), name)) {
      g_ptr_array_remove_index (self->own_files, i);
      return;
    }
  }
}

/* Until a file is gone for certain, the end may come, and then it is deleted with the others. */
static void
note_removal (AmsRetention *self, const AmsRemoval *removal, guint64 now)
{
  Going *going;

  if (!self->remembers)
    return;
  going = g_new0 (Going, 1);
  going->name = g_strdup (removal->name);
  going->due = now + (guint64) ((removal->after + GRACE) * SECOND);
  g_queue_push_tail (&self->going, going);
}

static void
forget_gone (AmsRetention *self, guint64 now)
{
  Going *going;

  while ((going = g_queue_peek_head (&self->going)) && going->due <= now) {
    forget_file (self, going->name);
    going_free (g_queue_pop_head (&self->going));
  }
}

/* (transfer full) */
static AmsRemoval *
removal_new (AmsRetention *self, const gchar *name, gdouble after, guint64 now)
{
  AmsRemoval *removal = g_new0 (AmsRemoval, 1);

  removal->name = g_strdup (name);
  removal->after = after;
  note_removal (self, removal, now);
  return removal;
}

/* Where no other file had them, the segment is there under its earlier names, too. */
static void
remove_aliases (AmsRetention *self, const AmsRemoval *removal, guint64 now,
    GPtrArray *removals)
{
  const gchar *name = removal->name, *before;

  while ((before = g_hash_table_lookup (self->aliases, name))) {
    AmsRemoval *other = removal_new (self, before, removal->after, now);

    g_ptr_array_add (removals, other);
    g_hash_table_remove (self->aliases, name);
    name = other->name;
  }
}

static void
remove_oldest (AmsRetention *self, guint64 now, GPtrArray *removals)
{
  Kept *kept = g_queue_pop_head (&self->kept);
  guint64 elapsed = now - kept->unlisted_at;
  gdouble after =
      kept->grace > elapsed ? (gdouble) (kept->grace - elapsed) / SECOND : 0;
  AmsRemoval *removal = removal_new (self, kept->name, after, now);

  self->n_earlier -= self->n_earlier > 0;
  g_ptr_array_add (removals, removal);
  remove_aliases (self, removal, now, removals);
  kept_free (kept);
}

GPtrArray *
ams_retention_take_removals (AmsRetention *self, guint listed, guint64 now)
{
  GPtrArray *removals =
      g_ptr_array_new_with_free_func ((GDestroyNotify) removal_free);

  while (self->kept.length > 0 && self->kept.length + listed > self->max_files)
    remove_oldest (self, now, removals);
  forget_gone (self, now);
  return removals;
}

static gpointer
copy_string (gconstpointer string, gpointer user_data)
{
  return g_strdup (string);
}

GPtrArray *
ams_retention_get_own_files (AmsRetention *self)
{
  return g_ptr_array_copy (self->own_files, copy_string, NULL);
}
