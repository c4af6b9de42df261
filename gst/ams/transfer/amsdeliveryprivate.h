/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Within the delivery: what comes in, from upstream (amsdeliveryinput.c) or from an earlier
 * session's spool, and what becomes of it (amsdelivery.c). */

#pragma once

#include "transfer/amsbreaker.h"
#include "transfer/amsdelivery.h"
#include "transfer/amsfaults.h"
#include "transfer/amslineages.h"
#include "transfer/amsoutgoing.h"
#include "transfer/amsprobe.h"
#include "transfer/amsschedule.h"

G_BEGIN_DECLS

/* Files of different lanes may be open at the same time. */
typedef struct
{
  AmsOutgoing *open;
  GQueue carried; /* GBytes: its next file begins with them */
  /* The file that has more bytes than are its own, which the next one begins with: it is not
   * cut before that has them. NULL: there is none. */
  gchar *longer;
  guint64 surplus; /* so many */
} AmsDeliveryLane;

struct _AmsDelivery
{
  AmsStore *store;
  AmsDeliveryConfig config;
  AmsDeliveryCallbacks callbacks;
  gpointer user_data;
  void (*kick) (gpointer engine);
  gpointer engine;

  AmsSchedule *schedule;
  AmsFaults *faults;
  AmsFaults *remove_faults; /* of removes, which never disturb media */
  GError *queue_fault; /* said, not over */
  GHashTable *
      withheld; /* set of playlists whose final version is; no other has come */
  GCancellable *cancellable;
  GHashTable *operations; /* set of AmsOperation */
  AmsLineages *lineages;
  GHashTable
      *taken; /* set of names that another file has here: never removed */
  GPtrArray *lanes; /* AmsDeliveryLane */
  AmsDeliveryLane *lane; /* of them: what comes now is its */
  guint64 held;
  guint64 unsafe; /* of held, media */
  gboolean is_held_back; /* until released */
  gboolean is_usurped; /* another recorder writes there: nothing more is put */
  AmsProbe *probe; /* (nullable) */
  AmsBreaker breaker;
  gboolean spool_unsafe; /* something could not be written to it */
  gint64 spilled; /* when that was tried last */
  AmsDeliveryStats stats;
};

/* amsdelivery.c */

/* Counts what the file's body has in memory. */
void ams_delivery_count_held (AmsDelivery *delivery, AmsOutgoing *file);
/* The file is out of the schedule (or never was in it): its bytes go. */
void ams_delivery_uncount (AmsDelivery *delivery, AmsOutgoing *file);
void ams_delivery_say_warning (AmsDelivery *delivery, const GError *error,
    const gchar *name);
/* The first of its kind is said. */
void ams_delivery_note_failure (AmsDelivery *delivery, const gchar *name,
    const GError *error);
/* What was said is over. */
void ams_delivery_note_success (AmsDelivery *delivery, const gchar *name);
/* @error: where it is, as it may be set after the arguments of this are known. */
void ams_delivery_check_spool (AmsDelivery *delivery, gboolean ok,
    GError **error);
void ams_delivery_announce_failed (AmsDelivery *delivery,
    const AmsOutgoing *file, const GError *error);

/* Given up for good, and said. */
void ams_delivery_give_up_job (AmsDelivery *delivery, AmsJob *job,
    const GError *error);

/* amsdeliveryrename.c */

/* TRUE: @job waits for another name. */
gboolean ams_delivery_set_aside (AmsDelivery *delivery, AmsJob *job,
    const GError *error);
/* TRUE: @job, whose operation has ended, got another name meanwhile, and is put again. @stored: it is there
 * under the earlier one. */
gboolean ams_delivery_is_renamed (AmsDelivery *delivery, AmsJob *job,
    gboolean stored);
/* What @begin, of a playlist version that is about to be handed over, says of names. */
void ams_delivery_heed_names (AmsDelivery *delivery, const AmsFileBegin *begin);

/* amsdeliverylanes.c */

/* Its open file is dropped, not abandoned: what is on disk stays for the next start. */
void ams_delivery_lane_free (gpointer lane);
/* (nullable) */
AmsOutgoing *ams_delivery_get_open (AmsDelivery *delivery, guint lane);
/* Gives the largest open file up, so that the others go on. FALSE: none may be. */
gboolean ams_delivery_drop_open (AmsDelivery *delivery);

/* amsdeliveryinput.c */

/* (transfer full) */
GError *ams_delivery_new_queue_error (AmsDelivery *delivery);
void ams_delivery_say_queue_fault (AmsDelivery *delivery, const gchar *name);
/* What an earlier session left in the spool is delivered first. */
void ams_delivery_take_up (AmsDelivery *delivery);

G_END_DECLS
