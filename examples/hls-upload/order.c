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
      *failed; /* name → its link in failed_names: given up, not stored since */
  GQueue failed_names; /* the oldest first; the table owns them */
  GHashTable *lists; /* set of playlists that were handed over */
  GQueue ready; /* of jobs that wait for nothing, in order */
  GQueue again; /* likewise, that were tried: they go first */
  GSequence *delayed; /* of jobs that wait for their time alone, by that */
  guint waits;
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
  self->delayed = g_sequence_new (NULL);
  g_queue_init (&self->failed_names);
  g_queue_init (&self->ready);
  g_queue_init (&self->again);
  return self;
}

void
hls_upload_order_free (HlsUploadOrder *self)
{
  g_hash_table_unref (self->jobs);
  g_hash_table_unref (self->coming);
  g_hash_table_unref (self->last);
  g_queue_clear (&self->failed_names);
  g_hash_table_unref (self->failed);
  g_hash_table_unref (self->lists);
  g_sequence_free (self->delayed);
  g_free (self);
}

void
hls_upload_job_free (HlsUploadJob *job)
{
  g_free (job->name);
  g_free (job->failed);
  g_clear_pointer (&job->merged, g_ptr_array_unref);
  g_clear_pointer (&job->waiting, g_hash_table_unref);
  g_free (job);
}

static gboolean
is_list (const HlsUploadJob *job)
{
  return job->kind == HLS_UPLOAD_PUT && job->role == AMS_FILE_ROLE_PLAYLIST;
}

/* The line */

static void
line_up (HlsUploadJob *job, GQueue *queue)
{
  job->queue = queue;
  g_queue_push_tail_link (queue, &job->link);
}

static void
leave_line (HlsUploadJob *job)
{
  if (job->queue)
    g_queue_unlink (g_steal_pointer (&job->queue), &job->link);
  if (job->delayed)
    g_sequence_remove (g_steal_pointer (&job->delayed));
}

static gint
compare_times (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const HlsUploadJob *x = a, *y = b;

  return x->not_before < y->not_before ? -1 : x->not_before > y->not_before;
}

static void
delay (HlsUploadOrder *self, HlsUploadJob *job)
{
  job->delayed =
      g_sequence_insert_sorted (self->delayed, job, compare_times, NULL);
}

static HlsUploadJob *
peek_delayed (HlsUploadOrder *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->delayed);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

static void
line_up_due (HlsUploadOrder *self, gint64 now)
{
  HlsUploadJob *job;

  while ((job = peek_delayed (self)) && job->not_before <= now) {
    leave_line (job);
    line_up (job, &self->again);
  }
}

static void
make_ready (HlsUploadOrder *self, HlsUploadJob *job)
{
  if (job->not_before > 0)
    delay (self, job);
  else
    line_up (job, &self->ready);
}

/* Waiting */

static HlsUploadWait *
wait_for (HlsUploadOrder *self, HlsUploadJob *job, HlsUploadWaits *waiting)
{
  job->waits++;
  self->waits++;
  return hls_upload_wait_new (job, &job->waits_for, waiting);
}

static void
stop_waiting (HlsUploadOrder *self, HlsUploadWait *wait)
{
  HlsUploadJob *job = wait->waiter;

  if (job->previous_wait == wait)
    job->previous_wait = NULL;
  job->waits--;
  self->waits--;
  hls_upload_wait_free (wait);
}

static void
stop_all_waiting (HlsUploadOrder *self, HlsUploadJob *job)
{
  HlsUploadWait *wait;

  while ((wait = hls_upload_waits_first_of_waiter (&job->waits_for)))
    stop_waiting (self, wait);
}

static void
release (HlsUploadOrder *self, HlsUploadWaits *waiting)
{
  HlsUploadWait *wait;

  while ((wait = hls_upload_waits_first_of_cause (waiting))) {
    HlsUploadJob *job = wait->waiter;

    stop_waiting (self, wait);
    if (job->waits == 0 && job->handed_over)
      make_ready (self, job);
  }
}

/* Jobs of one name */

static void
follow (HlsUploadOrder *self, HlsUploadJob *job, HlsUploadJob *previous)
{
  job->previous = previous;
  job->previous_wait = wait_for (self, job, &previous->then);
  previous->later = job;
}

/* Who follows a job that ends before its turn follows the one before it. */
static void
leave_row (HlsUploadJob *job)
{
  HlsUploadJob *previous = g_steal_pointer (&job->previous);
  HlsUploadJob *later = g_steal_pointer (&job->later);

  if (previous)
    previous->later = later;
  if (later)
    later->previous = previous;
  if (later && previous && later->previous_wait)
    hls_upload_wait_move (later->previous_wait, &previous->then);
}

/* All that wait for @job, and what waits for those; not @except on its own account.
 * (element-type HlsUploadJob) */
static GHashTable *
find_waiting (HlsUploadJob *job, HlsUploadWait *except)
{
  GHashTable *found = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) todo = g_ptr_array_new ();

  g_ptr_array_add (todo, job);
  while (todo->len > 0) {
    HlsUploadJob *next = g_ptr_array_steal_index_fast (todo, todo->len - 1);
    HlsUploadWaits *rings[] = { &next->then, &next->named_by };

    if (!g_hash_table_add (found, next))
      continue;
    for (guint i = 0; i < G_N_ELEMENTS (rings); i++) {
      HlsUploadWait *wait = hls_upload_waits_first_of_cause (rings[i]);

      for (; wait; wait = hls_upload_wait_next_of_cause (rings[i], wait)) {
        if (wait != except)
          g_ptr_array_add (todo, wait->waiter);
      }
    }
  }
  return found;
}

/* Beginning */

/* Who waits for an upload of which the client has begun another (its connection broke) waits for
 * that one. */
static void
replace_coming (HlsUploadOrder *self, HlsUploadJob *job)
{
  HlsUploadJob *before = g_hash_table_lookup (self->coming, job->name);

  if (before)
    hls_upload_waits_move_all (&before->named_by, &job->named_by);
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
  job->link.data = job;
  hls_upload_waits_init (&job->waits_for);
  hls_upload_waits_init (&job->then);
  hls_upload_waits_init (&job->named_by);
  g_hash_table_add (self->jobs, job);
  if (kind == HLS_UPLOAD_PUT)
    replace_coming (self, job);
  return job;
}

/* Naming */

/* Neither a playlist nor what is replaced makes a playlist wait that names itself. */
static HlsUploadJob *
find_pending (HlsUploadOrder *self, const gchar *name)
{
  HlsUploadJob *last = g_hash_table_lookup (self->last, name);

  if (!last)
    last = g_hash_table_lookup (self->coming, name);
  return last && last->kind == HLS_UPLOAD_PUT ? last : NULL;
}

/* A master names playlists, which should name neither it nor each other. */
static gboolean
waits_already (HlsUploadJob *named, HlsUploadJob *job)
{
  HlsUploadWait *last = hls_upload_waits_last_of_cause (&named->named_by);

  if (last && last->waiter == job)
    return TRUE;
  if (hls_upload_waits_is_empty (&job->then) &&
      hls_upload_waits_is_empty (&job->named_by))
    return FALSE;
  if (!job->waiting)
    job->waiting = find_waiting (job, NULL);
  return g_hash_table_contains (job->waiting, named);
}

gboolean
hls_upload_order_name (HlsUploadOrder *self, HlsUploadJob *job,
    const gchar *name)
{
  HlsUploadJob *named;

  if (job->failed || strcmp (name, job->name) == 0)
    return job->failed == NULL;
  named = find_pending (self, name);
  if (!named && g_hash_table_contains (self->failed, name))
    job->failed = g_strdup (name);
  else if (named && !waits_already (named, job))
    wait_for (self, job, &named->named_by);
  return job->failed == NULL;
}

/* What is known of those that wait for it is only true until one of them ends. */
void
hls_upload_order_pause (HlsUploadJob *job)
{
  g_clear_pointer (&job->waiting, g_hash_table_unref);
}

/* Versions */

/* The time at which @job may be tried again is @newer's as well: it is the same file. */
static void
merge (HlsUploadOrder *self, HlsUploadJob *job, HlsUploadJob *newer)
{
  HlsUploadJob *previous = job->previous;

  stop_waiting (self, newer->previous_wait);
  leave_row (job);
  leave_line (job);
  stop_all_waiting (self, job);
  if (previous)
    newer->previous_wait = wait_for (self, newer, &previous->then);
  hls_upload_waits_move_all (&job->then, &newer->then);
  hls_upload_waits_move_all (&job->named_by, &newer->named_by);
  newer->not_before = MAX (newer->not_before, job->not_before);
  if (!newer->merged)
    newer->merged = g_ptr_array_new ();
  if (job->merged)
    g_ptr_array_extend_and_steal (newer->merged,
        g_steal_pointer (&job->merged));
  g_ptr_array_add (newer->merged, job);
  g_hash_table_remove (self->lists, job);
  g_hash_table_remove (self->jobs, job);
}

static gboolean
is_idle_version (const HlsUploadJob *job)
{
  return job && job->replaceable && !job->picked;
}

/* It would wait for itself if it waits for what waits for the version that it takes the place of. */
static gboolean
waits_besides (HlsUploadJob *job, HlsUploadJob *before)
{
  g_autoptr (GHashTable) waiting = find_waiting (before, job->previous_wait);

  return g_hash_table_contains (waiting, job);
}

/* One that can go as soon as the one before it goes in its place; one between two others gives way. */
static gboolean
takes_place (HlsUploadJob *job, HlsUploadJob *before)
{
  if (!job->replaceable || !is_idle_version (before))
    return FALSE;
  if (job->waits == 1)
    return TRUE;
  return is_idle_version (before->previous) && !waits_besides (job, before);
}

/* Handing over */

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
      wait_for (self, job, &list->then);
  }
}

static void
forget_coming (HlsUploadOrder *self, const HlsUploadJob *job)
{
  if (g_hash_table_lookup (self->coming, job->name) == job)
    g_hash_table_remove (self->coming, job->name);
}

static gboolean
waits_for (HlsUploadJob *job, HlsUploadJob *other)
{
  g_autoptr (GHashTable) waiting = NULL;

  if (hls_upload_waits_is_empty (&other->then) &&
      hls_upload_waits_is_empty (&other->named_by))
    return FALSE;
  waiting = find_waiting (other, NULL);
  return g_hash_table_contains (waiting, job);
}

void
hls_upload_order_hand_over (HlsUploadOrder *self, HlsUploadJob *job)
{
  HlsUploadJob *before = g_hash_table_lookup (self->last, job->name);

  forget_coming (self, job);
  g_clear_pointer (&job->waiting, g_hash_table_unref);
  if (before && !waits_for (before, job))
    follow (self, job, before);
  if (job->kind == HLS_UPLOAD_REMOVE)
    wait_for_lists (self, job);
  g_hash_table_replace (self->last, job->name, job);
  if (is_list (job))
    g_hash_table_add (self->lists, job);
  if (job->previous && takes_place (job, job->previous))
    merge (self, job->previous, job);
  job->handed_over = TRUE;
  if (job->waits == 0)
    make_ready (self, job);
}

/* Who may go */

/* A later version that waits for nothing but @job. */
static HlsUploadJob *
find_newer (const HlsUploadJob *job)
{
  HlsUploadJob *later = job->later;

  return job->replaceable && later && later->replaceable && later->waits == 1 &&
          later->previous_wait
      ? later
      : NULL;
}

HlsUploadJob *
hls_upload_order_pick (HlsUploadOrder *self, gint64 now, gint64 *next)
{
  HlsUploadJob *job, *newer, *delayed;

  line_up_due (self, now);
  job = g_queue_peek_head (&self->again);
  if (!job)
    job = g_queue_peek_head (&self->ready);
  delayed = peek_delayed (self);
  *next = job || !delayed ? G_MAXINT64 : delayed->not_before;
  if (!job)
    return NULL;
  leave_line (job);
  while ((newer = find_newer (job))) {
    merge (self, job, newer);
    job = newer;
  }
  job->picked = TRUE;
  return job;
}

void
hls_upload_order_retry (HlsUploadOrder *self, HlsUploadJob *job,
    gint64 not_before)
{
  job->picked = FALSE;
  job->not_before = not_before;
  delay (self, job);
}

/* What was given up: a client that always finds its names taken must not fill the memory. */

static void
forget_failed (HlsUploadOrder *self, const gchar *name)
{
  GList *link = g_hash_table_lookup (self->failed, name);

  if (!link)
    return;
  g_queue_unlink (&self->failed_names, link);
  g_hash_table_remove (self->failed, name);
  g_list_free_1 (link);
}

static void
add_failed (HlsUploadOrder *self, const gchar *name)
{
  gchar *copy;

  if (g_hash_table_contains (self->failed, name))
    return;
  if (self->failed_names.length >= HLS_UPLOAD_MAX_FAILED)
    forget_failed (self, g_queue_peek_head (&self->failed_names));
  copy = g_strdup (name);
  g_queue_push_tail (&self->failed_names, copy);
  g_hash_table_insert (self->failed, copy, self->failed_names.tail);
}

/* Ends */

static void
note_end (HlsUploadOrder *self, const HlsUploadJob *job, gboolean stored)
{
  if (stored)
    forget_failed (self, job->name);
  else if (job->kind == HLS_UPLOAD_PUT && !is_list (job) &&
      !find_pending (self, job->name))
    add_failed (self, job->name);
}

static void leave (HlsUploadOrder *self, HlsUploadJob *job, gboolean stored,
    GPtrArray *doomed);

/* Those that named it name what comes in its place, or cannot go. */
static void
fail_named_by (HlsUploadOrder *self, HlsUploadJob *job, GPtrArray *doomed)
{
  HlsUploadJob *instead = find_pending (self, job->name);
  HlsUploadWait *wait;

  while ((wait = hls_upload_waits_first_of_cause (&job->named_by))) {
    HlsUploadJob *list = wait->waiter;

    if (instead && !waits_for (instead, list)) {
      hls_upload_wait_move (wait, &instead->named_by);
      continue;
    }
    g_ptr_array_add (doomed, list);
    leave (self, list, FALSE, doomed);
  }
}

static void
leave (HlsUploadOrder *self, HlsUploadJob *job, gboolean stored,
    GPtrArray *doomed)
{
  forget_coming (self, job);
  if (g_hash_table_lookup (self->last, job->name) == job) {
    g_hash_table_remove (self->last, job->name);
    if (job->previous)
      g_hash_table_insert (self->last, job->previous->name, job->previous);
  }
  g_hash_table_remove (self->lists, job);
  leave_row (job);
  leave_line (job);
  stop_all_waiting (self, job);
  note_end (self, job, stored);
  release (self, &job->then);
  if (stored)
    release (self, &job->named_by);
  else
    fail_named_by (self, job, doomed);
  g_hash_table_remove (self->jobs, job);
}

GPtrArray *
hls_upload_order_end (HlsUploadOrder *self, HlsUploadJob *job, gboolean stored)
{
  GPtrArray *doomed = g_ptr_array_new ();

  leave (self, job, stored, doomed);
  return doomed;
}

GPtrArray *
hls_upload_order_end_all (HlsUploadOrder *self)
{
  GPtrArray *jobs = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, &job, NULL)) {
    stop_all_waiting (self, job);
    leave_line (job);
    g_ptr_array_add (jobs, job);
  }
  g_hash_table_remove_all (self->jobs);
  g_hash_table_remove_all (self->coming);
  g_hash_table_remove_all (self->last);
  g_hash_table_remove_all (self->lists);
  return jobs;
}

void
hls_upload_order_add_failed (HlsUploadOrder *self, const gchar *name)
{
  add_failed (self, name);
}

guint
hls_upload_order_get_length (HlsUploadOrder *self)
{
  return g_hash_table_size (self->jobs);
}

guint
hls_upload_order_get_waits (HlsUploadOrder *self)
{
  return self->waits;
}
