/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amslistwatch.h"

#include <gst/gst.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (ams_list_watch_debug);
#define GST_CAT_DEFAULT ams_list_watch_debug

/* What has no target duration is no playlist that can be continued: recovery says so. */
#define DEFAULT_TARGET 10
/* s between two looks: a third of the target duration, within these */
#define MIN_INTERVAL 1
#define MAX_INTERVAL 5
/* As long as a playlist can be that is continued. */
#define MAX_SIZE G_GUINT64_CONSTANT (0xffffffff)

/* Signs of life */

void
ams_list_life_clear (AmsListLife *life)
{
  ams_list_seen_clear (&life->last);
}

static gboolean
is_same (const AmsListSeen *a, const AmsListSeen *b)
{
  return a->size == b->size && a->tail_size == b->tail_size &&
      memcmp (a->tail, b->tail, a->tail_size) == 0;
}

static void
keep (AmsListLife *life, const AmsListSeen *seen)
{
  g_free (life->last.etag);
  life->last = *seen;
  life->last.etag = NULL;
}

/* A line of its own, before which there may be anything. */
static gboolean
has_end (const gchar *text, gsize size)
{
  static const gchar line[] = "\n#EXT-X-ENDLIST";
  const gchar *end = g_strrstr_len (text, size, line);

  if (!end)
    return FALSE;
  end += strlen (line);
  return end == text + size || *end == '\n' || *end == '\r';
}

static gboolean
is_text (const AmsListSeen *seen)
{
  for (gsize i = 0; i < seen->tail_size; i++)
    if (seen->tail[i] == 0 || seen->tail[i] == 0x1f)
      return FALSE;
  return TRUE;
}

static gint64
get_silence (const AmsListLife *life)
{
  return AMS_LIST_SILENCE * life->target * G_TIME_SPAN_SECOND;
}

static AmsListLifeSign
judge_silence (const AmsListLife *life, gint64 now)
{
  return now - life->changed >= get_silence (life) ? AMS_LIST_LIFE_FREE
                                                   : AMS_LIST_LIFE_BUSY;
}

AmsListLifeSign
ams_list_life_take_look (AmsListLife *life, const AmsListSeen *seen, gint64 now)
{
  gboolean changed;

  if (!seen->exists)
    return AMS_LIST_LIFE_FREE;
  changed = !life->looked || !is_same (&life->last, seen);
  if (changed) {
    life->grew = life->looked;
    life->changed = now;
    keep (life, seen);
  }
  life->looked = TRUE;
  if (is_text (seen) && has_end ((const gchar *) seen->tail, seen->tail_size))
    return AMS_LIST_LIFE_FREE;
  if (life->target == 0 || (changed && !is_text (seen)))
    return AMS_LIST_LIFE_READ;
  return judge_silence (life, now);
}

static guint
find_target (const gchar *text, gsize size)
{
  static const gchar tag[] = "\n#EXT-X-TARGETDURATION:";
  const gchar *found = g_strstr_len (text, size, tag);
  guint64 target = 0;

  if (found) {
    const gchar *number = found + strlen (tag);
    g_autofree gchar *copy = g_strndup (number, MIN (8, text + size - number));

    target = g_ascii_strtoull (copy, NULL, 10);
  }
  return target > 0 && target <= 86400 ? target : DEFAULT_TARGET;
}

AmsListLifeSign
ams_list_life_take_text (AmsListLife *life, const gchar *text, gsize size,
    gint64 now)
{
  life->target = find_target (text, size);
  return has_end (text, size) ? AMS_LIST_LIFE_FREE : judge_silence (life, now);
}

void
ams_list_life_take_failure (AmsListLife *life, gint64 now)
{
  life->changed = now;
}

/* Claims */

struct _AmsListWatch
{
  AmsStore *store;
  const AmsListLooker *looker;
  gpointer place;
  AmsListGuard *guard;
  GHashTable *lives; /* key → AmsListLife, of those that are waited for */
  GHashTable *granted; /* set of keys */
};

typedef struct
{
  AmsListWatch *watch;
  gchar *name, *key;
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_free (asking->name);
  g_free (asking->key);
  g_free (asking);
}

static void
life_free (gpointer data)
{
  ams_list_life_clear (data);
  g_free (data);
}

static AmsListLife *
get_life (Asking *asking)
{
  GHashTable *lives = asking->watch->lives;
  AmsListLife *life = g_hash_table_lookup (lives, asking->key);

  if (!life) {
    life = g_new0 (AmsListLife, 1);
    g_hash_table_insert (lives, g_strdup (asking->key), life);
  }
  return life;
}

static guint
get_interval (const AmsListLife *life)
{
  return CLAMP (life->target / 3, MIN_INTERVAL, MAX_INTERVAL);
}

/* What was read while it was waited for is no version that may be replaced: the recording
 * reads it anew. */
static void
grant (GTask *task)
{
  Asking *asking = g_task_get_task_data (task);
  AmsListWatch *self = asking->watch;

  GST_DEBUG ("%s: nobody writes it", asking->key);
  ams_list_guard_forget (self->guard, asking->key);
  g_hash_table_remove (self->lives, asking->key);
  g_hash_table_add (self->granted, g_strdup (asking->key));
  g_task_return_boolean (task, TRUE);
}

static void
refuse (GTask *task, const gchar *sentence)
{
  Asking *asking = g_task_get_task_data (task);
  AmsListWatch *self = asking->watch;
  g_autofree gchar *shown = self->looker->dup_shown (self->place, asking->key);

  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_BUSY, 0,
          get_interval (get_life (asking)), "“%s” %s", shown, sentence));
}

static void
refuse_living (GTask *task)
{
  const AmsListLife *life = get_life (g_task_get_task_data (task));
  gint64 now = g_get_monotonic_time ();
  g_autofree gchar *sentence = life->grew
      ? g_strdup_printf ("is written by another recorder: it changed %u s ago",
            (guint) ((now - life->changed) / G_TIME_SPAN_SECOND))
      : g_strdup_printf (
            "may be written by another recorder: it has not ended, "
            "and counts as left when it has not changed for %u s",
            AMS_LIST_SILENCE * life->target);

  refuse (task, sentence);
}

/* Takes @error. Of a playlist that was there a moment ago nobody knows more while the store is away. */
static void
fail (GTask *task, GError *error)
{
  AmsListLife *life = get_life (g_task_get_task_data (task));
  AmsFailure failure = ams_store_error_get_failure (error);
  g_autofree gchar *sentence = NULL;

  if (failure == AMS_FAILURE_ABSENT) {
    g_error_free (error);
    grant (task);
    return;
  }
  if (!life->looked || failure == AMS_FAILURE_PERMANENT ||
      failure == AMS_FAILURE_UNSUPPORTED ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_task_return_error (task, error);
    return;
  }
  ams_list_life_take_failure (life, g_get_monotonic_time ());
  sentence = g_strdup_printf (
      "may be written by another recorder, and cannot be read at the moment: %s",
      error->message);
  g_error_free (error);
  refuse (task, sentence);
}

static void
on_fetched (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  AmsListLife *life = get_life (g_task_get_task_data (task));
  GError *error = NULL;
  g_autoptr (GBytes) bytes =
      ams_store_fetch_finish (AMS_STORE (store), result, &error);
  gsize size;
  const gchar *text;

  if (!bytes) {
    fail (task, error);
    return;
  }
  text = g_bytes_get_data (bytes, &size);
  if (ams_list_life_take_text (life, text, size, g_get_monotonic_time ()) ==
      AMS_LIST_LIFE_FREE)
    grant (task);
  else
    refuse_living (task);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Asking *asking = g_task_get_task_data (task);
  AmsListWatch *self = asking->watch;
  g_auto (AmsListSeen) seen = {
    0,
  };
  GError *error = NULL;

  if (!self->looker->look_finish (result, &seen, &error)) {
    fail (task, error);
    return;
  }
  switch (ams_list_life_take_look (get_life (asking), &seen,
      g_get_monotonic_time ())) {
    case AMS_LIST_LIFE_FREE:
      grant (task);
      break;
    case AMS_LIST_LIFE_BUSY:
      refuse_living (task);
      break;
    default:
      ams_store_fetch_async (self->store, asking->name, FALSE, MAX_SIZE,
          g_task_get_cancellable (task), on_fetched, g_object_ref (task));
  }
}

void
ams_list_watch_claim_async (AmsListWatch *self, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (self->store, cancellable, callback, user_data);
  Asking *asking = g_new0 (Asking, 1);

  asking->watch = self;
  g_task_set_task_data (task, asking, asking_free);
  if (claim->playlist) {
    asking->name = g_strdup (claim->playlist);
    asking->key = self->looker->dup_key (self->place, claim->playlist);
  }
  if (!claim->waits || !asking->key)
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
            "Another recorder shows there when a playlist is put"));
  else if (g_hash_table_contains (self->granted, asking->key))
    g_task_return_boolean (task, TRUE);
  else
    self->looker->look_async (self->place, asking->key, cancellable, on_looked,
        g_object_ref (task));
}

gboolean
ams_list_watch_claim_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
ams_list_watch_release (AmsListWatch *self)
{
  g_hash_table_remove_all (self->granted);
  g_hash_table_remove_all (self->lives);
}

AmsListWatch *
ams_list_watch_new (AmsStore *store, const AmsListLooker *looker,
    gpointer place, AmsListGuard *guard)
{
  AmsListWatch *self = g_new0 (AmsListWatch, 1);

  GST_DEBUG_CATEGORY_GET (ams_list_watch_debug, "amshttpstore");
  self->store = store;
  self->looker = looker;
  self->place = place;
  self->guard = guard;
  self->lives =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, life_free);
  self->granted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
ams_list_watch_free (AmsListWatch *self)
{
  g_hash_table_unref (self->lives);
  g_hash_table_unref (self->granted);
  g_free (self);
}
