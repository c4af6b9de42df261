/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsjob.h"

AmsJob *
ams_job_new (AmsJobKind kind, const gchar *name, AmsFileRole role)
{
  AmsJob *job = g_new0 (AmsJob, 1);

  job->kind = kind;
  job->name = g_strdup (name);
  job->role = role;
  job->link.data = job->rank_link.data = job;
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

AmsJobRank
ams_job_rank_of_role (AmsFileRole role)
{
  switch (role) {
    case AMS_FILE_ROLE_INIT:
    case AMS_FILE_ROLE_KEY:
      return AMS_JOB_RANK_INIT;
    case AMS_FILE_ROLE_PLAYLIST:
      return AMS_JOB_RANK_PLAYLIST;
    case AMS_FILE_ROLE_MASTER:
      return AMS_JOB_RANK_MASTER;
    default:
      return AMS_JOB_RANK_FILE;
  }
}

AmsJobRank
ams_job_get_rank (const AmsJob *job)
{
  return job->kind == AMS_JOB_NOTIFY ? AMS_JOB_RANK_NOTIFY
                                     : ams_job_rank_of_role (job->role);
}

gboolean
ams_job_is_versioned (const AmsJob *job)
{
  return job->kind == AMS_JOB_PUT &&
      ams_job_rank_of_role (job->role) >= AMS_JOB_RANK_PLAYLIST;
}

gboolean
ams_job_is_file (const AmsJob *job)
{
  return job->kind == AMS_JOB_PUT || job->kind == AMS_JOB_ADOPT ||
      job->kind == AMS_JOB_COPY;
}

gboolean
ams_job_waits_for_its_time (const AmsJob *job)
{
  return job->kind == AMS_JOB_REMOVE && job->after > 0;
}
