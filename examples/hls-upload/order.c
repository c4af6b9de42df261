/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "order.h"

#include <string.h>

struct _HlsUploadOrder
{
  GHashTable *jobs; /* set of all */
  GHashTable *coming; /* name → the job that was begun last, and is not whole */
  GHashTable *last; /* name → the job that was handed over last */
  GHashTable
      *failed; /* set of names that were given up, and not stored since */
  GHashTable *lists; /* set of playlists that were handed over */
  GQueue ready; /* of jobs that wait for nothing but their time */
};

HlsUploadOrder *
hls_upload_order_new (void)
{
  HlsUploadOrder *self = g_new0 (HlsUploadOrder, 1);

  self->jobs = g_hash_table_new (NULL, NULL);
  self->coming = g_hash_table_new (g_str_hash, g_str_equal);
  self->last = g_hash_table_new (g_str_hash, g_str_equal);
  self->failed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->lists = g_hash_table_new (NULL, NULL);
  g_queue_init (&self->ready);
  return self;
}

void
hls_upload_order_free (HlsUploadOrder *self)
{
  g_hash_table_unref (self->jobs);
  g_hash_table_unref (self->coming);
  g_hash_table_unref (self->last);
  g_hash_table_unref (self->failed);
  g_hash_table_unref (self->lists);
  g_queue_clear (&self->ready);
  g_free (self);
}

void
hls_upload_job_free (HlsUploadJob *job)
{
  g_free (job->name);
  g_ptr_array_unref (job->then);
  g_ptr_array_unref (job->named_by);
  g_ptr_array_unref (job->merged);
  g_free (job);
}

static gboolean
is_list (const HlsUploadJob *job)
{
  return job->kind == HLS_UPLOAD_PUT && job->role == AMS_FILE_ROLE_PLAYLIST;
}

/* Waiting */

static void
wait_for (HlsUploadJob *job, GPtrArray *waiting)
{
  g_ptr_array_add (waiting, job);
  job->waits++;
}

static void
move_waiting (GPtrArray *to, GPtrArray *from)
{
  g_ptr_array_extend (to, from, NULL, NULL);
  g_ptr_array_set_size (from, 0);
}

static void
release (HlsUploadOrder *self, GPtrArray *waiting)
{
  for (guint i = 0; i < waiting->len; i++) {
    HlsUploadJob *job = g_ptr_array_index (waiting, i);

    if (--job->waits == 0)
      g_queue_push_tail (&self->ready, job);
  }
  g_ptr_array_set_size (waiting, 0);
}

/* Beginning */

/* Who waits for an upload of which the client has begun another (its connection broke) waits for
 * that one. */
static void
replace_coming (HlsUploadOrder *self, HlsUploadJob *job)
{
  HlsUploadJob *before = g_hash_table_lookup (self->coming, job->name);

  if (before)
    move_waiting (job->named_by, before->named_by);
  g_hash_table_replace (self->coming, job->name, job);
}

HlsUploadJob *
hls_upload_order_begin (HlsUploadOrder *self, HlsUploadKind kind,
    const gchar *name, AmsFileRole role)
{
  HlsUploadJob *job = g_new0 (HlsUploadJob, 1);

  job->kind = kind;
  job->name = g_strdup (name);
  job->role = role;
  job->then = g_ptr_array_new ();
  job->named_by = g_ptr_array_new ();
  job->merged = g_ptr_array_new ();
  g_hash_table_add (self->jobs, job);
  if (kind == HLS_UPLOAD_PUT)
    replace_coming (self, job);
  return job;
}

/* Handing over */

/* Neither a playlist nor what is replaced makes a playlist wait that names itself. */
static HlsUploadJob *
find_pending (HlsUploadOrder *self, const gchar *name)
{
  HlsUploadJob *last = g_hash_table_lookup (self->last, name);

  if (!last)
    last = g_hash_table_lookup (self->coming, name);
  return last && last->kind == HLS_UPLOAD_PUT ? last : NULL;
}

static const gchar *
find_failed (HlsUploadOrder *self, GPtrArray *names)
{
  if (g_hash_table_size (self->failed) == 0)
    return NULL;
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = g_ptr_array_index (names, i);

    if (g_hash_table_contains (self->failed, name) &&
        !find_pending (self, name))
      return name;
  }
  return NULL;
}

/* All that wait for @job, and what waits for those. (element-type HlsUploadJob) */
static GHashTable *
find_waiting (HlsUploadJob *job)
{
  GHashTable *found = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) todo = g_ptr_array_new ();

  g_ptr_array_add (todo, job);
  while (todo->len > 0) {
    HlsUploadJob *next = g_ptr_array_steal_index_fast (todo, todo->len - 1);

    if (!g_hash_table_add (found, next))
      continue;
    g_ptr_array_extend (todo, next->then, NULL, NULL);
    g_ptr_array_extend (todo, next->named_by, NULL, NULL);
  }
  return found;
}

/* A master names playlists, which should name neither it nor each other. @waiting: for @job */
static void
wait_for_named (HlsUploadOrder *self, HlsUploadJob *job, GPtrArray *names,
    GHashTable *waiting)
{
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = g_ptr_array_index (names, i);
    HlsUploadJob *named =
        strcmp (name, job->name) != 0 ? find_pending (self, name) : NULL;

    if (named && !g_hash_table_contains (waiting, named))
      wait_for (job, named->named_by);
  }
}

static gboolean
is_above (const gchar *list, const gchar *name)
{
  const gchar *slash = strrchr (list, '/');

  return !slash || strncmp (list, name, slash + 1 - list) == 0;
}

static void
wait_for_lists (HlsUploadOrder *self, HlsUploadJob *job)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->lists);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    HlsUploadJob *list = key;

    if (strcmp (list->name, job->name) != 0 && is_above (list->name, job->name))
      wait_for (job, list->then);
  }
}

static void
forget_coming (HlsUploadOrder *self, const HlsUploadJob *job)
{
  if (g_hash_table_lookup (self->coming, job->name) == job)
    g_hash_table_remove (self->coming, job->name);
}

gboolean
hls_upload_order_hand_over (HlsUploadOrder *self, HlsUploadJob *job,
    GPtrArray *names, gchar **failed)
{
  HlsUploadJob *before = g_hash_table_lookup (self->last, job->name);
  g_autoptr (GHashTable) waiting = NULL;

  forget_coming (self, job);
  if (names && (*failed = g_strdup (find_failed (self, names))))
    return FALSE;
  waiting = find_waiting (job);
  if (before && !g_hash_table_contains (waiting, before))
    wait_for (job, before->then);
  if (names)
    wait_for_named (self, job, names, waiting);
  if (job->kind == HLS_UPLOAD_REMOVE)
    wait_for_lists (self, job);
  g_hash_table_replace (self->last, job->name, job);
  if (is_list (job))
    g_hash_table_add (self->lists, job);
  job->handed_over = TRUE;
  if (job->waits == 0)
    g_queue_push_tail (&self->ready, job);
  return TRUE;
}

/* Who may go */

/* A later version that waits for nothing but @job. */
static HlsUploadJob *
find_newer (const HlsUploadJob *job)
{
  for (guint i = 0; job->replaceable && i < job->then->len; i++) {
    HlsUploadJob *next = g_ptr_array_index (job->then, i);

    if (next->replaceable && next->waits == 1 &&
        strcmp (next->name, job->name) == 0)
      return next;
  }
  return NULL;
}

static void
merge (HlsUploadOrder *self, HlsUploadJob *job, HlsUploadJob *newer)
{
  g_ptr_array_remove (job->then, newer);
  newer->waits--;
  move_waiting (newer->then, job->then);
  move_waiting (newer->named_by, job->named_by);
  move_waiting (newer->merged, job->merged);
  g_ptr_array_add (newer->merged, job);
  g_hash_table_remove (self->lists, job);
  g_hash_table_remove (self->jobs, job);
}

HlsUploadJob *
hls_upload_order_pick (HlsUploadOrder *self, gint64 now, gint64 *next)
{
  *next = G_MAXINT64;
  for (GList *l = self->ready.head; l; l = l->next) {
    HlsUploadJob *job = l->data, *newer;

    if (job->not_before > now) {
      *next = MIN (*next, job->not_before);
      continue;
    }
    g_queue_delete_link (&self->ready, l);
    while ((newer = find_newer (job))) {
      merge (self, job, newer);
      job = newer;
    }
    return job;
  }
  return NULL;
}

void
hls_upload_order_retry (HlsUploadOrder *self, HlsUploadJob *job,
    gint64 not_before)
{
  job->not_before = not_before;
  g_queue_push_tail (&self->ready, job);
}

/* Ends */

static void
note_end (HlsUploadOrder *self, const HlsUploadJob *job, gboolean stored)
{
  gboolean is_media = job->role != AMS_FILE_ROLE_OTHER && !is_list (job);

  if (stored)
    g_hash_table_remove (self->failed, job->name);
  else if (job->kind == HLS_UPLOAD_PUT && is_media &&
      !find_pending (self, job->name))
    g_hash_table_add (self->failed, g_strdup (job->name));
}

static void leave (HlsUploadOrder *self, HlsUploadJob *job, gboolean stored,
    GPtrArray *doomed);

/* It waits for others besides, which must not find it. */
static void
doom (HlsUploadOrder *self, HlsUploadJob *job, GPtrArray *doomed)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    HlsUploadJob *other = key;

    while (g_ptr_array_remove (other->then, job))
      continue;
    while (g_ptr_array_remove (other->named_by, job))
      continue;
  }
  g_ptr_array_add (doomed, job);
  leave (self, job, FALSE, doomed);
}

static gboolean
is_waiting_for (HlsUploadJob *job, HlsUploadJob *other)
{
  g_autoptr (GHashTable) waiting = find_waiting (other);

  return g_hash_table_contains (waiting, job);
}

/* Those that named it name what comes in its place, or cannot go. */
static void
fail_named_by (HlsUploadOrder *self, HlsUploadJob *job, GPtrArray *doomed)
{
  HlsUploadJob *instead = find_pending (self, job->name);

  while (job->named_by->len > 0) {
    HlsUploadJob *list = g_ptr_array_index (job->named_by, 0);
    gboolean waits_on = instead && !is_waiting_for (instead, list);

    while (g_ptr_array_remove (job->named_by, list)) {
      if (waits_on)
        g_ptr_array_add (instead->named_by, list);
    }
    if (!waits_on)
      doom (self, list, doomed);
  }
}

static void
leave (HlsUploadOrder *self, HlsUploadJob *job, gboolean stored,
    GPtrArray *doomed)
{
  forget_coming (self, job);
  if (g_hash_table_lookup (self->last, job->name) == job)
    g_hash_table_remove (self->last, job->name);
  g_hash_table_remove (self->lists, job);
  g_queue_remove (&self->ready, job);
  note_end (self, job, stored);
  release (self, job->then);
  if (stored)
    release (self, job->named_by);
  else
    fail_named_by (self, job, doomed);
  /* Last: until then doom() has to find who waits for it. */
  g_hash_table_remove (self->jobs, job);
}

GPtrArray *
hls_upload_order_end (HlsUploadOrder *self, HlsUploadJob *job, gboolean stored)
{
  GPtrArray *doomed = g_ptr_array_new ();

  leave (self, job, stored, doomed);
  return doomed;
}

void
hls_upload_order_add_failed (HlsUploadOrder *self, const gchar *name)
{
  g_hash_table_add (self->failed, g_strdup (name));
}

guint
hls_upload_order_get_length (HlsUploadOrder *self)
{
  return g_hash_table_size (self->jobs);
}
