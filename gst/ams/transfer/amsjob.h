/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One thing that is to be done for a store: for the schedule (amsschedule.h). */

#pragma once

#include "files/amsfiles.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_JOB_PUT,
  AMS_JOB_ADOPT,
  AMS_JOB_REMOVE,
  AMS_JOB_NOTIFY,
  AMS_JOB_COPY, /* of a file that is in the store under another name */
} AmsJobKind;

typedef struct _AmsJob AmsJob;

struct _AmsJob
{
  AmsJobKind kind;
  gchar *name;
  AmsFileRole role;
  guint64 version;
  gboolean final;
  GStrv failed; /* (nullable): what this version is the first to heed */
  gint64 after; /* REMOVE: µs */
  guint64 id; /* the engine's */
  gpointer data; /* the engine's */
  GDestroyNotify free_data;

  /* Kept by the schedule, for reading only: */
  guint64 index; /* of hand-over, from 1 */
  gint64 handed_over;
  guint attempts; /* that were begun */
  gint64 not_before;
  gint64 due; /* REMOVE: when `after` has passed; 0: not known yet */
  gboolean in_flight;
  gboolean set_aside; /* its name is taken: until it is renamed or given up */
  /* (nullable): not_before is because of the endpoint, not of this file */
  GSequenceIter *struck;
  GList link; /* of all jobs */
  GList rank_link; /* of those of its rank, if it is no REMOVE */
  AmsJob *name_previous,
      *name_next; /* of its name; the first one's previous is the last */
};

AmsJob *ams_job_new (AmsJobKind kind, const gchar *name, AmsFileRole role);
void ams_job_free (AmsJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsJob, ams_job_free)

/* Of a higher rank waits for those of a lower one that were handed over before. */
typedef enum
{
  AMS_JOB_RANK_INIT,
  AMS_JOB_RANK_FILE,
  AMS_JOB_RANK_PLAYLIST,
  AMS_JOB_RANK_MASTER,
  AMS_JOB_RANK_NOTIFY,
  AMS_JOB_N_RANKS,
} AmsJobRank;

AmsJobRank ams_job_rank_of_role (AmsFileRole role);
AmsJobRank ams_job_get_rank (const AmsJob *job);
/* A put of a file of which a later version may go instead. */
gboolean ams_job_is_versioned (const AmsJob *job);
/* After it, there is a file. */
gboolean ams_job_is_file (const AmsJob *job);
gboolean ams_job_waits_for_its_time (const AmsJob *job);

G_END_DECLS
