/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Handing over: what a new job makes superfluous. */

#include "config.h"

#include "transfer/amsscheduleprivate.h"

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
      ams_schedule_drop_job (self, job, AMS_DROP_CANCELLED);
  }
}

static AmsJob *
find_remove (AmsSchedule *self, const gchar *name)
{
  for (AmsJob *job = ams_schedule_first_of_name (self, name); job;
       job = job->name_next) {
    if (job->kind == AMS_JOB_REMOVE && !job->in_flight)
      return job;
  }
  return NULL;
}

static void
cancel_removes (AmsSchedule *self, const AmsJob *put)
{
  AmsJob *job;

  while ((job = find_remove (self, put->name))) {
    if (ams_job_is_versioned (put) && job->after > 0)
      cancel_batch (self, job->link.next, job->after);
    ams_schedule_drop_job (self, job, AMS_DROP_CANCELLED);
  }
}

/* Drops every second of the pending versions of @name; the first and the last
 * stay, and the final ones. */
static gboolean
thin_name (AmsSchedule *self, const gchar *name)
{
  gboolean dropped = FALSE, drop_this = FALSE;
  AmsJob *candidate = NULL; /* goes if another version follows it */
  AmsJob *next;

  for (AmsJob *job = ams_schedule_first_of_name (self, name); job; job = next) {
    next = job->name_next;
    if (!ams_job_is_versioned (job) || job->in_flight)
      continue;
    if (candidate) {
      ams_schedule_drop_job (self, candidate, AMS_DROP_SUPERSEDED);
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

  for (const AmsJob *job = ams_schedule_first_of_name (self, name); job;
       job = job->name_next)
    n += ams_job_is_versioned (job) && !job->in_flight;
  return n;
}

void
ams_schedule_add (AmsSchedule *self, AmsJob *job, gint64 now)
{
  job->index = ++self->last_index;
  job->handed_over = now;
  if (ams_job_is_file (job))
    cancel_removes (self, job);
  ams_schedule_heed (self, job);
  ams_schedule_append_job (self, job);
  if (ams_schedule_is_withheld (self, job))
    ams_schedule_drop_job (self, job, AMS_DROP_WITHHELD);
  else if (ams_job_is_versioned (job) &&
      pending_versions (self, job->name) > AMS_SCHEDULE_MAX_VERSIONS)
    thin_name (self, job->name);
}

static void
add_names (const GQueue *jobs, GHashTable *seen, GPtrArray *names)
{
  for (const GList *l = jobs->head; l; l = l->next) {
    const AmsJob *job = l->data;

    if (!ams_job_is_versioned (job) || g_hash_table_contains (seen, job->name))
      continue;
    g_ptr_array_add (names, g_strdup (job->name));
    g_hash_table_add (seen, names->pdata[names->len - 1]);
  }
}

gboolean
ams_schedule_thin (AmsSchedule *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean dropped = FALSE;

  add_names (&self->ranks[AMS_JOB_RANK_PLAYLIST], seen, names);
  add_names (&self->ranks[AMS_JOB_RANK_MASTER], seen, names);
  for (guint i = 0; i < names->len; i++)
    dropped |= thin_name (self, names->pdata[i]);
  return dropped;
}
