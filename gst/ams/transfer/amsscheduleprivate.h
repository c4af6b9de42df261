/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the schedule's parts share: what is handed over (amsscheduleadd.c), who may go, and
 * how jobs end (amsschedule.c). */

#pragma once

#include "transfer/amsschedule.h"

G_BEGIN_DECLS

/* Versions of one playlist name that were dropped or given up, and after which
 * none was confirmed: their hand-over indices lie in [first, last]. */
typedef struct
{
  AmsJobRank rank;
  guint64 first, last;
} AmsUnsettled;

struct _AmsSchedule
{
  guint max_parallel;
  AmsScheduleDropped dropped;
  gpointer user_data;

  GQueue jobs; /* of AmsJob by their link, in order of hand-over */
  guint64 last_index;
  guint in_flight;
  guint removes_waiting; /* removes that do not count for being settled */
  GQueue ranks
      [AMS_JOB_N_RANKS]; /* of AmsJob by their rank_link: all but removes */
  GSequence *struck; /* of AmsJob, by index */
  GHashTable
      *names; /* name → AmsJob: the first of them; the name is that job's */
  guint set_aside; /* nor do jobs that wait for another name */
  GHashTable *busy; /* set of names in flight */
  GHashTable *unsettled; /* name → AmsUnsettled */
  GHashTable *failed; /* set of given-up names that no playlist has heeded */
  gint64 version_interval;
  GHashTable *begun; /* name → when its last version was begun (gint64) */
};

/* The first job of @name. (nullable) */
AmsJob *ams_schedule_first_of_name (AmsSchedule *self, const gchar *name);
void ams_schedule_append_job (AmsSchedule *self, AmsJob *job);
/* Takes @job, which nobody carries out any more, and says why. */
void ams_schedule_drop_job (AmsSchedule *self, AmsJob *job,
    AmsDropReason reason);
/* The playlist @job names a file that was given up. */
gboolean ams_schedule_is_withheld (AmsSchedule *self, const AmsJob *job);
/* What the playlist @job heeds does not withhold others. */
void ams_schedule_heed (AmsSchedule *self, const AmsJob *job);

G_END_DECLS
