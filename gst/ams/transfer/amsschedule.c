/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsscheduleprivate.h"

AmsSchedule *
ams_schedule_new (guint max_parallel, AmsScheduleDropped dropped,
    gpointer user_data)
{
  AmsSchedule *self = g_new0 (AmsSchedule, 1);

  self->max_parallel = max_parallel;
  self->dropped = dropped;
  self->user_data = user_data;
  g_queue_init (&self->jobs);
  for (AmsJobRank rank = AMS_JOB_RANK_INIT; rank < AMS_JOB_N_RANKS; rank++)
    g_queue_init (&self->ranks[rank]);
  self->struck = g_sequence_new (NULL);
  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  self->busy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->unsettled =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->failed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->begun = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
ams_schedule_free (AmsSchedule *self)
{
  AmsJob *job;

  g_hash_table_unref (self->names);
  g_sequence_free (self->struck);
  while ((job = g_queue_peek_head (&self->jobs))) {
    g_queue_unlink (&self->jobs, &job->link);
    ams_job_free (job);
  }
  g_hash_table_unref (self->busy);
  g_hash_table_unref (self->unsettled);
  g_hash_table_unref (self->failed);
  g_hash_table_unref (self->begun);
  g_free (self);
}

void
ams_schedule_set_max_parallel (AmsSchedule *self, guint max_parallel)
{
  self->max_parallel = max_parallel;
}

void
ams_schedule_set_version_interval (AmsSchedule *self, gint64 interval)
{
  self->version_interval = interval;
}

/* Keeping the list */

/* The first job of @name. (nullable) */
AmsJob *
ams_schedule_first_of_name (AmsSchedule *self, const gchar *name)
{
  return g_hash_table_lookup (self->names, name);
}

static void
append_to_name (AmsSchedule *self, AmsJob *job)
{
  AmsJob *first = ams_schedule_first_of_name (self, job->name);

  job->name_next = NULL;
  if (!first) {
    job->name_previous = job;
    g_hash_table_replace (self->names, job->name, job);
    return;
  }
  job->name_previous = first->name_previous;
  first->name_previous->name_next = job;
  first->name_previous = job;
}

static void
remove_from_name (AmsSchedule *self, AmsJob *job)
{
  AmsJob *first = ams_schedule_first_of_name (self, job->name),
         *next = job->name_next;

  if (job != first) {
    job->name_previous->name_next = next;
    (next ? next : first)->name_previous = job->name_previous;
  } else if (next) {
    next->name_previous = job->name_previous;
    g_hash_table_replace (self->names, next->name, next);
  } else {
    g_hash_table_remove (self->names, job->name);
  }
}

void
ams_schedule_append_job (AmsSchedule *self, AmsJob *job)
{
  append_to_name (self, job);
  g_queue_push_tail_link (&self->jobs, &job->link);
  if (job->kind != AMS_JOB_REMOVE)
    g_queue_push_tail_link (&self->ranks[ams_job_get_rank (job)],
        &job->rank_link);
  self->removes_waiting += ams_job_waits_for_its_time (job);
}

static gint
compare_indices (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const AmsJob *x = a, *y = b;

  return x->index < y->index ? -1 : x->index > y->index;
}

void
ams_schedule_strike (AmsSchedule *self, AmsJob *job)
{
  if (!job->struck)
    job->struck =
        g_sequence_insert_sorted (self->struck, job, compare_indices, NULL);
}

static void
spare (AmsJob *job)
{
  if (job->struck)
    g_sequence_remove (g_steal_pointer (&job->struck));
}

static void
land (AmsSchedule *self, AmsJob *job)
{
  if (!job->in_flight)
    return;
  job->in_flight = FALSE;
  self->in_flight--;
  g_hash_table_remove (self->busy, job->name);
}

static void
free_job (AmsSchedule *self, AmsJob *job)
{
  land (self, job);
  spare (job);
  remove_from_name (self, job);
  g_queue_unlink (&self->jobs, &job->link);
  if (job->kind != AMS_JOB_REMOVE)
    g_queue_unlink (&self->ranks[ams_job_get_rank (job)], &job->rank_link);
  self->removes_waiting -= ams_job_waits_for_its_time (job);
  self->set_aside -= job->set_aside;
  ams_job_free (job);
}

static void
mark_unsettled (AmsSchedule *self, const AmsJob *job)
{
  AmsUnsettled *name = g_hash_table_lookup (self->unsettled, job->name);

  if (!name) {
    name = g_new (AmsUnsettled, 1);
    name->rank = ams_job_rank_of_role (job->role);
    name->first = name->last = job->index;
    g_hash_table_insert (self->unsettled, g_strdup (job->name), name);
  }
  name->first = MIN (name->first, job->index);
  name->last = MAX (name->last, job->index);
}

void
ams_schedule_drop_job (AmsSchedule *self, AmsJob *job, AmsDropReason reason)
{
  if (ams_job_is_versioned (job))
    mark_unsettled (self, job);
  if (self->dropped)
    self->dropped (job, reason, self->user_data);
  free_job (self, job);
}

/* Given-up files and who heeds them */

gboolean
ams_schedule_is_withheld (AmsSchedule *self, const AmsJob *job)
{
  return job->kind == AMS_JOB_PUT && job->role == AMS_FILE_ROLE_PLAYLIST &&
      g_hash_table_size (self->failed) > 0;
}

void
ams_schedule_heed (AmsSchedule *self, const AmsJob *job)
{
  for (guint i = 0; job->failed && job->failed[i]; i++)
    g_hash_table_remove (self->failed, job->failed[i]);
}

/* A file given up cannot have been named by the playlists handed over before
 * it; those after it cannot be in flight, as they waited for it. */
static void
withhold_after (AmsSchedule *self, guint64 index)
{
  GList *next;

  for (GList *l = self->ranks[AMS_JOB_RANK_PLAYLIST].head; l; l = next) {
    AmsJob *job = l->data;

    next = l->next;
    if (job->index > index && ams_schedule_is_withheld (self, job) &&
        !job->in_flight)
      ams_schedule_drop_job (self, job, AMS_DROP_WITHHELD);
  }
}

static void
mark_failed (AmsSchedule *self, const gchar *name, AmsFileRole role,
    guint64 index)
{
  if (role == AMS_FILE_ROLE_OTHER ||
      ams_job_rank_of_role (role) >= AMS_JOB_RANK_PLAYLIST)
    return;
  g_hash_table_add (self->failed, g_strdup (name));
  withhold_after (self, index);
}

void
ams_schedule_add_failed (AmsSchedule *self, const gchar *name, AmsFileRole role)
{
  mark_failed (self, name, role, ++self->last_index);
}

void
ams_schedule_add_unsettled (AmsSchedule *self, const gchar *name,
    AmsFileRole role)
{
  AmsUnsettled *unsettled = g_new0 (AmsUnsettled, 1);

  unsettled->rank = ams_job_rank_of_role (role);
  g_hash_table_replace (self->unsettled, g_strdup (name), unsettled);
}

/* Who may go */

/* Whether a playlist (of @rank or lower) handed over before @index is neither
 * there nor followed by one that is. */
static gboolean
has_unsettled (AmsSchedule *self, AmsJobRank rank, guint64 index)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->unsettled);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const AmsUnsettled *name = value;

    if (name->rank <= rank && name->first < index)
      return TRUE;
  }
  return FALSE;
}

/* Whether a job of @rank was handed over before @job. */
static gboolean
has_before (AmsSchedule *self, AmsJobRank rank, const AmsJob *job)
{
  const AmsJob *first = g_queue_peek_head (&self->ranks[rank]);

  return first && first->index < job->index;
}

static gboolean
put_may_go (AmsSchedule *self, const AmsJob *job)
{
  AmsJobRank rank = ams_job_get_rank (job);

  for (AmsJobRank r = AMS_JOB_RANK_INIT; r < rank; r++) {
    if (has_before (self, r, job))
      return FALSE;
  }
  return rank < AMS_JOB_RANK_MASTER ||
      !has_unsettled (self, rank - 1, job->index);
}

static gboolean
remove_may_go (AmsSchedule *self, const AmsJob *job)
{
  return !has_before (self, AMS_JOB_RANK_PLAYLIST, job) &&
      !has_before (self, AMS_JOB_RANK_MASTER, job) &&
      !has_unsettled (self, AMS_JOB_RANK_MASTER, job->index);
}

/* An earlier job of the name goes first; versions of one name are sorted out by
 * pick_version(). */
static gboolean
is_first_of_name (AmsSchedule *self, const AmsJob *job)
{
  for (const AmsJob *earlier = ams_schedule_first_of_name (self, job->name);
       earlier != job; earlier = earlier->name_next) {
    if (!ams_job_is_versioned (earlier) || !ams_job_is_versioned (job))
      return FALSE;
  }
  return TRUE;
}

/* By the order alone: whatever the time is. */
static gboolean
may_go (AmsSchedule *self, const AmsJob *job)
{
  gboolean ok = job->kind == AMS_JOB_REMOVE ? remove_may_go (self, job)
                                            : put_may_go (self, job);

  return ok && is_first_of_name (self, job);
}

static AmsJob *
find_newest_version (AmsSchedule *self, AmsJob *first)
{
  AmsJob *newest = first;

  for (AmsJob *job = first; job && !newest->final; job = job->name_next) {
    if (!ams_job_is_versioned (job))
      continue;
    if (!may_go (self, job))
      break;
    newest = job;
  }
  return newest;
}

static void
inherit (AmsSchedule *self, AmsJob *newest, const AmsJob *older)
{
  if (older->not_before > newest->not_before) {
    newest->not_before = older->not_before;
    spare (newest);
    if (older->struck)
      ams_schedule_strike (self, newest);
  }
  newest->attempts = MAX (newest->attempts, older->attempts);
}

/* The newest version of @first's name that may go, but none beyond a final one.
 * Those older than it are dropped; it inherits how long they have to wait. */
static AmsJob *
pick_version (AmsSchedule *self, AmsJob *first)
{
  AmsJob *newest = find_newest_version (self, first), *next;

  for (AmsJob *job = first; job != newest; job = next) {
    next = job->name_next;
    if (!ams_job_is_versioned (job))
      continue;
    inherit (self, newest, job);
    ams_schedule_drop_job (self, job, AMS_DROP_SUPERSEDED);
  }
  return newest;
}

static gint64
next_version_at (AmsSchedule *self, const AmsJob *job)
{
  const gint64 *begun;

  if (self->version_interval == 0 || !ams_job_is_versioned (job) || job->final)
    return 0;
  begun = g_hash_table_lookup (self->begun, job->name);
  return begun ? *begun + self->version_interval : 0;
}

static gint64
starts_at (AmsSchedule *self, AmsJob *job, gint64 now)
{
  if (job->kind == AMS_JOB_REMOVE && job->due == 0)
    job->due = now + job->after;
  return MAX (MAX (job->due, job->not_before), next_version_at (self, job));
}

static void
note_begun (AmsSchedule *self, const AmsJob *job, gint64 now)
{
  if (self->version_interval > 0 && ams_job_is_versioned (job))
    g_hash_table_replace (self->begun, g_strdup (job->name),
        g_memdup2 (&now, sizeof now));
}

static AmsJob *
take_off (AmsSchedule *self, AmsJob *job, gint64 now)
{
  note_begun (self, job, now);
  spare (job);
  job->in_flight = TRUE;
  job->attempts++;
  self->in_flight++;
  g_hash_table_add (self->busy, g_strdup (job->name));
  return job;
}

AmsJob *
ams_schedule_pick (AmsSchedule *self, gint64 now, gint64 *next)
{
  *next = AMS_SCHEDULE_NEVER;
  if (self->in_flight >= self->max_parallel)
    return NULL;
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (!g_hash_table_contains (self->busy, job->name) && may_go (self, job)) {
      gint64 start;

      /* The older versions are gone: look again, at a list without them. */
      if (ams_job_is_versioned (job) && pick_version (self, job) != job)
        return ams_schedule_pick (self, now, next);
      start = starts_at (self, job, now);
      if (start <= now)
        return take_off (self, job, now);
      *next = MIN (*next, start);
    }
  }
  return NULL;
}

/* How a job ends */

static void
settle (AmsSchedule *self, const AmsJob *job)
{
  AmsUnsettled *name = g_hash_table_lookup (self->unsettled, job->name);

  if (!name)
    return;
  if (job->index >= name->last)
    g_hash_table_remove (self->unsettled, job->name);
  else
    name->first = MAX (name->first, job->index + 1);
}

void
ams_schedule_done (AmsSchedule *self, AmsJob *job)
{
  if (ams_job_is_versioned (job))
    settle (self, job);
  else if (ams_job_is_file (job))
    g_hash_table_remove (self->failed, job->name);
  free_job (self, job);
}

/* While the remove was in flight. */
static gboolean
is_put_again (const AmsJob *remove)
{
  for (const AmsJob *job = remove->name_next; job; job = job->name_next) {
    if (ams_job_is_file (job))
      return TRUE;
  }
  return FALSE;
}

void
ams_schedule_retry (AmsSchedule *self, AmsJob *job, gint64 not_before)
{
  land (self, job);
  job->not_before = not_before;
  if (job->kind == AMS_JOB_REMOVE && is_put_again (job))
    ams_schedule_drop_job (self, job, AMS_DROP_CANCELLED);
}

void
ams_schedule_give_up (AmsSchedule *self, AmsJob *job)
{
  g_autofree gchar *name = g_strdup (job->name);
  AmsFileRole role = job->role;
  guint64 index = job->index;
  gboolean put = ams_job_is_file (job);

  if (ams_job_is_versioned (job))
    mark_unsettled (self, job);
  free_job (self, job);
  if (put)
    mark_failed (self, name, role, index);
}

void
ams_schedule_set_aside (AmsSchedule *self, AmsJob *job)
{
  land (self, job);
  spare (job);
  job->set_aside = TRUE;
  self->set_aside++;
  job->not_before = AMS_SCHEDULE_NEVER;
  mark_failed (self, job->name, job->role, job->index);
}

void
ams_schedule_rename (AmsSchedule *self, AmsJob *job, const gchar *name)
{
  remove_from_name (self, job);
  g_free (job->name);
  job->name = g_strdup (name);
  append_to_name (self, job);
  spare (job);
  self->set_aside -= job->set_aside;
  job->set_aside = FALSE;
  job->not_before = 0;
  job->attempts = 0;
}

void
ams_schedule_allow (AmsSchedule *self, AmsJob *job)
{
  if (!job->in_flight && !job->set_aside && !job->struck)
    job->not_before = 0;
}

/* FALSE: none is struck. */
gboolean
ams_schedule_hurry_first (AmsSchedule *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->struck);
  AmsJob *job;

  if (g_sequence_iter_is_end (first))
    return FALSE;
  job = g_sequence_get (first);
  job->not_before = 0;
  spare (job);
  return TRUE;
}

void
ams_schedule_hurry (AmsSchedule *self)
{
  while (ams_schedule_hurry_first (self))
    continue;
}

/* Looking in */

void
ams_schedule_foreach (AmsSchedule *self, AmsJobEach each, gpointer user_data)
{
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (!job->in_flight)
      each (job, user_data);
  }
}

AmsJob *
ams_schedule_find (AmsSchedule *self, AmsJobFunc matches, gpointer user_data)
{
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (!job->in_flight && matches (job, user_data))
      return job;
  }
  return NULL;
}

AmsJob *
ams_schedule_find_file (AmsSchedule *self, const gchar *name)
{
  for (AmsJob *job = ams_schedule_first_of_name (self, name); job;
       job = job->name_next) {
    if (ams_job_is_file (job))
      return job;
  }
  return NULL;
}

const AmsJob *
ams_schedule_peek_oldest (AmsSchedule *self)
{
  return g_queue_peek_head (&self->jobs);
}

guint
ams_schedule_get_length (AmsSchedule *self)
{
  return self->jobs.length;
}

guint
ams_schedule_get_in_flight (AmsSchedule *self)
{
  return self->in_flight;
}

guint
ams_schedule_get_waiting_removes (AmsSchedule *self)
{
  return self->removes_waiting;
}

gboolean
ams_schedule_is_settled (AmsSchedule *self)
{
  return self->jobs.length == self->removes_waiting + self->set_aside;
}
