/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The order in which files go to a store. Pure: knows no thread, store or
 * clock. Times are µs, passed in. Not thread-safe.
 *
 * What is published never names a file that is not there:
 * - init and key files, then segments and others, then playlists, then masters:
 *   a job waits for all jobs of a lower rank that were handed over before it;
 * - a given-up file (but one of role other) withholds the playlists handed over
 *   after it, until one is handed over that heeds it;
 * - of the versions of a playlist that may go, the newest goes, and the older ones
 *   are dropped; a newer one that may not go yet does not hold up an older one;
 *   the final one is never dropped. A dropped or given-up version leaves the name
 *   unsettled until a later one is confirmed;
 * - a remove waits for all playlists handed over before it, then its `after`. A
 *   put of the same name cancels it;
 * - word that all is delivered (NOTIFY) waits for all that was handed over before it;
 * - one operation at a time per name, `max_parallel` in all;
 * - versions of one playlist, but for the final one, go no more often than every
 *   `version_interval`. */

#pragma once

#include "transfer/amsjob.h"

G_BEGIN_DECLS

#define AMS_SCHEDULE_NEVER G_MAXINT64
/* More pending versions of one name than this are thinned out. */
#define AMS_SCHEDULE_MAX_VERSIONS 16

typedef enum
{
  AMS_DROP_SUPERSEDED, /* a later version goes instead */
  AMS_DROP_WITHHELD, /* names a file that was given up */
  AMS_DROP_CANCELLED, /* a remove of a name that was put again */
} AmsDropReason;

typedef void (*AmsScheduleDropped) (const AmsJob *job, AmsDropReason reason,
    gpointer user_data);

typedef struct _AmsSchedule AmsSchedule;

/* @dropped: (nullable) (scope forever): called before such a job is freed. */
AmsSchedule *ams_schedule_new (guint max_parallel, AmsScheduleDropped dropped,
    gpointer user_data);
void ams_schedule_free (AmsSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSchedule, ams_schedule_free)

void ams_schedule_set_max_parallel (AmsSchedule *schedule, guint max_parallel);

/* µs between the beginnings of the puts of one playlist; 0: none. */
void ams_schedule_set_version_interval (AmsSchedule *schedule, gint64 interval);

/* @job: (transfer full); its not_before may be set. */
void ams_schedule_add (AmsSchedule *schedule, AmsJob *job, gint64 now);
/* A version of the playlist @name went missing before all that is added: what waits for
 * playlists waits for one of this name. */
void ams_schedule_add_unsettled (AmsSchedule *schedule, const gchar *name,
    AmsFileRole role);
/* A file that was given up before it was whole. */
void ams_schedule_add_failed (AmsSchedule *schedule, const gchar *name,
    AmsFileRole role);

/* The job to begin now, which is in flight from here on; or NULL, and then
 * @next is when to ask again if nothing else happens. (transfer none) */
AmsJob *ams_schedule_pick (AmsSchedule *schedule, gint64 now, gint64 *next);
/* The end of a job in flight: confirmed, to be tried again, given up. done and
 * give_up free it (retry too, if it is a remove of a name that was put again meanwhile); give_up is also for jobs that are not in flight. */
void ams_schedule_done (AmsSchedule *schedule, AmsJob *job);
void ams_schedule_retry (AmsSchedule *schedule, AmsJob *job, gint64 not_before);
void ams_schedule_give_up (AmsSchedule *schedule, AmsJob *job);
/* @job, which is in flight, fails because of the endpoint. */
void ams_schedule_strike (AmsSchedule *schedule, AmsJob *job);
/* The name of a job in flight is another file's: playlists handed over after it are withheld, as if it
 * had been given up, and it waits for ams_schedule_rename(). */
void ams_schedule_set_aside (AmsSchedule *schedule, AmsJob *job);
/* A job that is not in flight may go, as @name. */
void ams_schedule_rename (AmsSchedule *schedule, AmsJob *job,
    const gchar *name);
/* A job that is not in flight, and was to wait (AmsJob.not_before), may go. */
void ams_schedule_allow (AmsSchedule *schedule, AmsJob *job);
/* Jobs that were struck by the endpoint's failure may go at once. */
void ams_schedule_hurry (AmsSchedule *schedule);
/* The one of them that was handed over first. FALSE: there is none. */
gboolean ams_schedule_hurry_first (AmsSchedule *schedule);

/* Drops every second of the pending versions of each playlist name, but the
 * last. FALSE: there was nothing to drop. */
gboolean ams_schedule_thin (AmsSchedule *schedule);

typedef void (*AmsJobEach) (AmsJob *job, gpointer user_data);
/* All jobs not in flight, oldest first; @each must not end them. */
void ams_schedule_foreach (AmsSchedule *schedule, AmsJobEach each,
    gpointer user_data);

typedef gboolean (*AmsJobFunc) (const AmsJob *job, gpointer user_data);
/* The first job not in flight for which @matches. (transfer none) (nullable) */
AmsJob *ams_schedule_find (AmsSchedule *schedule, AmsJobFunc matches,
    gpointer user_data);

/* The file called @name that is to come to the store, in flight or not. (transfer none) (nullable) */
AmsJob *ams_schedule_find_file (AmsSchedule *schedule, const gchar *name);

/* The oldest job. (transfer none) (nullable) */
const AmsJob *ams_schedule_peek_oldest (AmsSchedule *schedule);
guint ams_schedule_get_length (AmsSchedule *schedule);
guint ams_schedule_get_in_flight (AmsSchedule *schedule);
guint ams_schedule_get_waiting_removes (AmsSchedule *schedule);
/* Nothing is left but removes that wait for their time. */
gboolean ams_schedule_is_settled (AmsSchedule *schedule);

G_END_DECLS
