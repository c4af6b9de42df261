/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsschedule.h"

typedef enum
{
  RANK_INIT,
  RANK_FILE,
  RANK_PLAYLIST,
  RANK_MASTER,
  RANK_NOTIFY,
  N_RANKS,
} Rank;

/* Versions of one playlist name that were dropped or given up, and after which
 * none was confirmed: their hand-over indices lie in [first, last]. */
typedef struct
{
  Rank rank;
  guint64 first, last;
} Unsettled;

struct _AmsSchedule
{
  guint max_parallel;
  AmsScheduleDropped dropped;
  gpointer user_data;

  GQueue jobs; /* of AmsJob by their link, in order of hand-over */
  guint64 last_index;
  guint in_flight;
  guint removes_waiting; /* removes that do not count for being settled */
  GHashTable *names; /* name → number of jobs */
  GHashTable *busy; /* set of names in flight */
  GHashTable *unsettled; /* name → Unsettled */
  GHashTable *failed; /* set of given-up names that no playlist has heeded */
  gint64 version_interval;
  GHashTable *begun; /* name → when its last version was begun (gint64) */
};

/* What lies before a job in the order. */
typedef struct
{
  gboolean seen[N_RANKS]; /* a job of that rank */
} Before;

AmsJob *
ams_job_new (AmsJobKind kind, const gchar *name, AmsFileRole role)
{
  AmsJob *job = g_new0 (AmsJob, 1);

  job->kind = kind;
  job->name = g_strdup (name);
  job->role = role;
  job->link.data = job;
  return job;
}

void
ams_job_free (AmsJob *job)
{
  if (job->free_data && job->data)
    job->free_data (job->data);
  g_strfreev (job->failed);
  g_free (job->name);
  g_free (job);
}

static Rank
rank_of_role (AmsFileRole role)
{
  switch (role) {
    case AMS_FILE_ROLE_INIT:
    case AMS_FILE_ROLE_KEY:
      return RANK_INIT;
    case AMS_FILE_ROLE_PLAYLIST:
      return RANK_PLAYLIST;
    case AMS_FILE_ROLE_MASTER:
      return RANK_MASTER;
    default:
      return RANK_FILE;
  }
}

static Rank
rank_of (const AmsJob *job)
{
  return job->kind == AMS_JOB_NOTIFY ? RANK_NOTIFY : rank_of_role (job->role);
}

static gboolean
is_versioned (const AmsJob *job)
{
  return job->kind == AMS_JOB_PUT && rank_of_role (job->role) >= RANK_PLAYLIST;
}

static gboolean
is_file (const AmsJob *job)
{
  return job->kind == AMS_JOB_PUT || job->kind == AMS_JOB_ADOPT;
}

static gboolean
waits_for_its_time (const AmsJob *job)
{
  return job->kind == AMS_JOB_REMOVE && job->after > 0;
}

AmsSchedule *
ams_schedule_new (guint max_parallel, AmsScheduleDropped dropped,
    gpointer user_data)
{
  AmsSchedule *self = g_new0 (AmsSchedule, 1);

  self->max_parallel = max_parallel;
  self->dropped = dropped;
  self->user_data = user_data;
  g_queue_init (&self->jobs);
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
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

  while ((job = g_queue_peek_head (&self->jobs))) {
    g_queue_unlink (&self->jobs, &job->link);
    ams_job_free (job);
  }
  g_hash_table_unref (self->names);
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

static guint
jobs_of_name (AmsSchedule *self, const gchar *name)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->names, name));
}

static void
append_job (AmsSchedule *self, AmsJob *job)
{
  guint n = jobs_of_name (self, job->name);

  g_hash_table_replace (self->names, g_strdup (job->name),
      GUINT_TO_POINTER (n + 1));
  g_queue_push_tail_link (&self->jobs, &job->link);
  self->removes_waiting += waits_for_its_time (job);
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
  guint n = jobs_of_name (self, job->name);

  land (self, job);
  if (n > 1)
    g_hash_table_replace (self->names, g_strdup (job->name),
        GUINT_TO_POINTER (n - 1));
  else
    g_hash_table_remove (self->names, job->name);
  g_queue_unlink (&self->jobs, &job->link);
  self->removes_waiting -= waits_for_its_time (job);
  ams_job_free (job);
}

static void
mark_unsettled (AmsSchedule *self, const AmsJob *job)
{
  Unsettled *name = g_hash_table_lookup (self->unsettled, job->name);

  if (!name) {
    name = g_new (Unsettled, 1);
    name->rank = rank_of_role (job->role);
    name->first = name->last = job->index;
    g_hash_table_insert (self->unsettled, g_strdup (job->name), name);
  }
  name->first = MIN (name->first, job->index);
  name->last = MAX (name->last, job->index);
}

static void
drop_job (AmsSchedule *self, AmsJob *job, AmsDropReason reason)
{
  if (is_versioned (job))
    mark_unsettled (self, job);
  if (self->dropped)
    self->dropped (job, reason, self->user_data);
  free_job (self, job);
}

/* Given-up files and who heeds them */

static gboolean
is_withheld (AmsSchedule *self, const AmsJob *job)
{
  return job->kind == AMS_JOB_PUT && job->role == AMS_FILE_ROLE_PLAYLIST &&
      g_hash_table_size (self->failed) > 0;
}

static void
heed (AmsSchedule *self, const AmsJob *job)
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

  for (GList *l = self->jobs.head; l; l = next) {
    AmsJob *job = l->data;

    next = l->next;
    if (job->index > index && is_withheld (self, job) && !job->in_flight)
      drop_job (self, job, AMS_DROP_WITHHELD);
  }
}

static void
mark_failed (AmsSchedule *self, const gchar *name, AmsFileRole role,
    guint64 index)
{
  if (role == AMS_FILE_ROLE_OTHER || rank_of_role (role) >= RANK_PLAYLIST)
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
  Unsettled *unsettled = g_new0 (Unsettled, 1);

  unsettled->rank = rank_of_role (role);
  g_hash_table_replace (self->unsettled, g_strdup (name), unsettled);
}

/* Handing over */

/* A recording that is deleted is a playlist and what it lists, at one time: if the
 * playlist is put again, what it lists stays too. */
static void
cancel_batch (AmsSchedule *self, GList *l, gint64 after)
{
  while (l) {
    AmsJob *job = l->data;

    l = l->next;
    if (job->kind != AMS_JOB_REMOVE || job->after != after)
      return;
    if (!job->in_flight)
      drop_job (self, job, AMS_DROP_CANCELLED);
  }
}

static AmsJob *
find_remove (AmsSchedule *self, const gchar *name)
{
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (job->kind == AMS_JOB_REMOVE && !job->in_flight &&
        g_str_equal (job->name, name))
      return job;
  }
  return NULL;
}

static void
cancel_removes (AmsSchedule *self, const AmsJob *put)
{
  AmsJob *job;

  if (jobs_of_name (self, put->name) == 0)
    return;
  while ((job = find_remove (self, put->name))) {
    if (is_versioned (put) && job->after > 0)
      cancel_batch (self, job->link.next, job->after);
    drop_job (self, job, AMS_DROP_CANCELLED);
  }
}

/* Drops every second of the pending versions of @name; the first and the last
 * stay, and the final ones. */
static gboolean
thin_name (AmsSchedule *self, const gchar *name)
{
  gboolean dropped = FALSE, drop_this = FALSE;
  AmsJob *candidate = NULL; /* goes if another version follows it */
  GList *next;

  for (GList *l = self->jobs.head; l; l = next) {
    AmsJob *job = l->data;

    next = l->next;
    if (!is_versioned (job) || job->in_flight || !g_str_equal (job->name, name))
      continue;
    if (candidate) {
      drop_job (self, candidate, AMS_DROP_SUPERSEDED);
      candidate = NULL;
      dropped = TRUE;
    }
    if (drop_this && !job->final)
      candidate = job;
    drop_this = !drop_this;
  }
  return dropped;
}

static guint
pending_versions (AmsSchedule *self, const gchar *name)
{
  guint n = 0;

  if (jobs_of_name (self, name) <= AMS_SCHEDULE_MAX_VERSIONS)
    return 0;
  for (GList *l = self->jobs.head; l; l = l->next) {
    const AmsJob *job = l->data;

    n += is_versioned (job) && !job->in_flight && g_str_equal (job->name, name);
  }
  return n;
}

void
ams_schedule_add (AmsSchedule *self, AmsJob *job, gint64 now)
{
  job->index = ++self->last_index;
  job->handed_over = now;
  if (is_file (job))
    cancel_removes (self, job);
  heed (self, job);
  append_job (self, job);
  if (is_withheld (self, job))
    drop_job (self, job, AMS_DROP_WITHHELD);
  else if (is_versioned (job) &&
      pending_versions (self, job->name) > AMS_SCHEDULE_MAX_VERSIONS)
    thin_name (self, job->name);
}

gboolean
ams_schedule_thin (AmsSchedule *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean dropped = FALSE;

  for (GList *l = self->jobs.head; l; l = l->next) {
    const AmsJob *job = l->data;

    if (is_versioned (job) && !g_hash_table_contains (seen, job->name)) {
      g_ptr_array_add (names, g_strdup (job->name));
      g_hash_table_add (seen, names->pdata[names->len - 1]);
    }
  }
  for (guint i = 0; i < names->len; i++)
    dropped |= thin_name (self, names->pdata[i]);
  return dropped;
}

/* Who may go */

/* Whether a playlist (of @rank or lower) handed over before @index is neither
 * there nor followed by one that is. */
static gboolean
has_unsettled (AmsSchedule *self, Rank rank, guint64 index)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->unsettled);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Unsettled *name = value;

    if (name->rank <= rank && name->first < index)
      return TRUE;
  }
  return FALSE;
}

static gboolean
put_may_go (AmsSchedule *self, const AmsJob *job, const Before *before)
{
  Rank rank = rank_of (job);

  for (Rank r = RANK_INIT; r < rank; r++) {
    if (before->seen[r])
      return FALSE;
  }
  return rank < RANK_MASTER || !has_unsettled (self, rank - 1, job->index);
}

static gboolean
remove_may_go (AmsSchedule *self, const AmsJob *job, const Before *before)
{
  return !before->seen[RANK_PLAYLIST] && !before->seen[RANK_MASTER] &&
      !has_unsettled (self, RANK_MASTER, job->index);
}

/* An earlier job of the name goes first; versions of one name are sorted out by
 * pick_version(). */
static gboolean
is_first_of_name (AmsSchedule *self, AmsJob *job)
{
  if (jobs_of_name (self, job->name) < 2)
    return TRUE;
  for (GList *l = job->link.prev; l; l = l->prev) {
    const AmsJob *earlier = l->data;

    if (g_str_equal (earlier->name, job->name) &&
        !(is_versioned (earlier) && is_versioned (job)))
      return FALSE;
  }
  return TRUE;
}

/* By the order alone: whatever the time is. */
static gboolean
may_go (AmsSchedule *self, AmsJob *job, const Before *before)
{
  gboolean ok = job->kind == AMS_JOB_REMOVE ? remove_may_go (self, job, before)
                                            : put_may_go (self, job, before);

  return ok && is_first_of_name (self, job);
}

static void
pass (Before *before, const AmsJob *job)
{
  if (job->kind != AMS_JOB_REMOVE)
    before->seen[rank_of (job)] = TRUE;
}

/* The newest version of @first's name that may go, but none beyond a final one.
 * Those older than it are dropped; it inherits how long they have to wait. */
static AmsJob *
pick_version (AmsSchedule *self, AmsJob *first, Before before)
{
  AmsJob *newest = first;
  GList *next;

  for (GList *l = &first->link; l && !newest->final; l = l->next) {
    AmsJob *job = l->data;

    if (is_versioned (job) && g_str_equal (job->name, first->name)) {
      if (!may_go (self, job, &before))
        break;
      newest = job;
    }
    pass (&before, job);
  }
  for (GList *l = &first->link; l != &newest->link; l = next) {
    AmsJob *job = l->data;

    next = l->next;
    if (!is_versioned (job) || !g_str_equal (job->name, newest->name))
      continue;
    if (job->not_before > newest->not_before) {
      newest->not_before = job->not_before;
      newest->struck = job->struck;
    }
    newest->attempts = MAX (newest->attempts, job->attempts);
    drop_job (self, job, AMS_DROP_SUPERSEDED);
  }
  return newest;
}

static gint64
next_version_at (AmsSchedule *self, const AmsJob *job)
{
  const gint64 *begun;

  if (self->version_interval == 0 || !is_versioned (job) || job->final)
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
  if (self->version_interval > 0 && is_versioned (job))
    g_hash_table_replace (self->begun, g_strdup (job->name),
        g_memdup2 (&now, sizeof now));
}

static AmsJob *
take_off (AmsSchedule *self, AmsJob *job, gint64 now)
{
  note_begun (self, job, now);
  job->struck = FALSE;
  job->in_flight = TRUE;
  job->attempts++;
  self->in_flight++;
  g_hash_table_add (self->busy, g_strdup (job->name));
  return job;
}

AmsJob *
ams_schedule_pick (AmsSchedule *self, gint64 now, gint64 *next)
{
  Before before = { 0 };

  *next = AMS_SCHEDULE_NEVER;
  if (self->in_flight >= self->max_parallel)
    return NULL;
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (!g_hash_table_contains (self->busy, job->name) &&
        may_go (self, job, &before)) {
      gint64 start;

      /* The older versions are gone: look again, at a list without them. */
      if (is_versioned (job) && pick_version (self, job, before) != job)
        return ams_schedule_pick (self, now, next);
      start = starts_at (self, job, now);
      if (start <= now)
        return take_off (self, job, now);
      *next = MIN (*next, start);
    }
    pass (&before, job);
  }
  return NULL;
}

/* How a job ends */

static void
settle (AmsSchedule *self, const AmsJob *job)
{
  Unsettled *name = g_hash_table_lookup (self->unsettled, job->name);

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
  if (is_versioned (job))
    settle (self, job);
  else if (is_file (job))
    g_hash_table_remove (self->failed, job->name);
  free_job (self, job);
}

/* While the remove was in flight. */
static gboolean
is_put_again (AmsSchedule *self, AmsJob *remove)
{
  if (jobs_of_name (self, remove->name) < 2)
    return FALSE;
  for (GList *l = remove->link.next; l; l = l->next) {
    const AmsJob *job = l->data;

    if (is_file (job) && g_str_equal (job->name, remove->name))
      return TRUE;
  }
  return FALSE;
}

void
ams_schedule_retry (AmsSchedule *self, AmsJob *job, gint64 not_before)
{
  land (self, job);
  job->not_before = not_before;
  if (job->kind == AMS_JOB_REMOVE && is_put_again (self, job))
    drop_job (self, job, AMS_DROP_CANCELLED);
}

void
ams_schedule_give_up (AmsSchedule *self, AmsJob *job)
{
  g_autofree gchar *name = g_strdup (job->name);
  AmsFileRole role = job->role;
  guint64 index = job->index;
  gboolean put = is_file (job);

  if (is_versioned (job))
    mark_unsettled (self, job);
  free_job (self, job);
  if (put)
    mark_failed (self, name, role, index);
}

void
ams_schedule_hurry (AmsSchedule *self)
{
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (job->struck)
      job->not_before = 0;
    job->struck = FALSE;
  }
}

void
ams_schedule_hurry_first (AmsSchedule *self)
{
  for (GList *l = self->jobs.head; l; l = l->next) {
    AmsJob *job = l->data;

    if (!job->struck)
      continue;
    job->not_before = 0;
    job->struck = FALSE;
    return;
  }
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
  return self->jobs.length == self->removes_waiting;
}
