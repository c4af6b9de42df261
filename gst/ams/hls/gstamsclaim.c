/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsclaim.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_mux_debug);
#define GST_CAT_DEFAULT gst_ams_hls_mux_debug

/* How often a store is asked again that does not say how often it wants to be. There
 * is no way to wait for a lock that can be cancelled and works on NFS; to ask for one
 * takes a few microseconds. */
#define ASK_AGAIN (GST_SECOND / 4)

struct _GstAmsClaimer
{
  GstElement *element;

  GMutex lock;
  GCond cond;
  /* under the lock */
  gboolean waiting;
  gboolean cancelled;
};

/* What the stores behind one pad said. */
typedef struct
{
  gchar *busy; /* (nullable) why */
  gboolean remote; /* it is not the disk that is */
  gboolean posted, closed;
  GstClockTime again;
} Answers;

static void
answers_clear (Answers *answers)
{
  g_free (answers->busy);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answers, answers_clear)

static void
take_answer (GstAmsClaimer *self, Answers *answers,
    const AmsClaimAnswer *answer)
{
  answers->closed |= answer->closed;
  if (answer->status == AMS_CLAIM_UNKNOWN)
    GST_DEBUG_OBJECT (self->element, "a store cannot keep others away: %s",
        answer->message ? answer->message : "it does not say why");
  if (answer->status != AMS_CLAIM_BUSY)
    return;
  answers->posted |= answer->posted;
  answers->again = MAX (answers->again, answer->again);
  if (!answers->busy)
    answers->busy = g_strdup (answer->message);
}

static void
ask (GstAmsClaimer *self, GstPad *pad, const AmsClaim *claim, Answers *answers)
{
  g_autoptr (GstQuery) query = ams_files_query_new_claim (claim);
  g_autoptr (GPtrArray) all = NULL;

  gst_pad_peer_query (pad, query);
  all = ams_files_query_claim_answers (query);
  for (guint i = 0; i < all->len; i++)
    take_answer (self, answers, g_ptr_array_index (all, i));
}

static void
ask_all (GstAmsClaimer *self, const GstAmsStores *stores, const AmsClaim *claim,
    Answers *answers)
{
  ask (self, stores->local, claim, answers);
  if (!answers->busy && !answers->closed) {
    ask (self, stores->remote, claim, answers);
    answers->remote = TRUE;
  }
  GST_DEBUG_OBJECT (self->element, "claim of “%s”, “%s”: %s",
      claim->playlist ? claim->playlist : "",
      claim->segments ? claim->segments : "",
      answers->closed     ? "closed"
          : answers->busy ? answers->busy
                          : "granted");
}

GstAmsClaimResult
gst_ams_claimer_try (GstAmsClaimer *self, const GstAmsStores *stores,
    const AmsClaim *claim, gboolean *posted, GError **error)
{
  g_auto (Answers) answers = {
    NULL,
  };

  ask_all (self, stores, claim, &answers);
  *posted = answers.posted;
  if (answers.closed)
    return GST_AMS_CLAIM_CLOSED;
  /* A store that has said that it takes nothing does not end the disk's recording. */
  if (!answers.busy ||
      (answers.remote && answers.posted && gst_pad_is_linked (stores->local)))
    return GST_AMS_CLAIM_GRANTED;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
      "A recording belongs to one recorder, and %s.", answers.busy);
  return GST_AMS_CLAIM_BUSY;
}

/* FALSE: cancelled. */
static gboolean
pause_asking (GstAmsClaimer *self, GstClockTime time)
{
  gint64 until = g_get_monotonic_time () + time / GST_USECOND;
  gboolean cancelled;

  g_mutex_lock (&self->lock);
  while (
      !self->cancelled && g_cond_wait_until (&self->cond, &self->lock, until))
    ;
  cancelled = self->cancelled;
  g_mutex_unlock (&self->lock);
  return !cancelled;
}

/* FALSE: it has been cancelled. */
static gboolean
set_waiting (GstAmsClaimer *self, gboolean waiting)
{
  gboolean cancelled;

  g_mutex_lock (&self->lock);
  self->waiting = waiting;
  cancelled = self->cancelled;
  g_mutex_unlock (&self->lock);
  return !cancelled;
}

static GstAmsClaimResult
ask_until_granted (GstAmsClaimer *self, const GstAmsStores *stores,
    const AmsClaim *claim, GstAmsClaimerWaiting waiting, gpointer user_data)
{
  gboolean said = FALSE;

  for (;;) {
    g_auto (Answers) answers = {
      NULL,
    };

    ask_all (self, stores, claim, &answers);
    if (answers.closed)
      return GST_AMS_CLAIM_CLOSED;
    if (!answers.busy)
      return GST_AMS_CLAIM_GRANTED;
    if (!said)
      waiting (answers.busy, user_data);
    said = TRUE;
    if (!pause_asking (self, MAX (answers.again, ASK_AGAIN)))
      return GST_AMS_CLAIM_CLOSED;
  }
}

GstAmsClaimResult
gst_ams_claimer_wait (GstAmsClaimer *self, const GstAmsStores *stores,
    const AmsClaim *claim, GstAmsClaimerWaiting waiting, gpointer user_data)
{
  AmsClaim tentative = *claim;
  GstAmsClaimResult result;

  tentative.tentative = tentative.waits = TRUE;
  set_waiting (self, TRUE);
  result = ask_until_granted (self, stores, &tentative, waiting, user_data);
  /* Whoever has cancelled was told that nothing has begun. */
  return set_waiting (self, FALSE) ? result : GST_AMS_CLAIM_CLOSED;
}

gboolean
gst_ams_claimer_cancel (GstAmsClaimer *self)
{
  gboolean waiting;

  g_mutex_lock (&self->lock);
  self->cancelled = TRUE;
  waiting = self->waiting;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return waiting;
}

void
gst_ams_claimer_reset (GstAmsClaimer *self)
{
  g_mutex_lock (&self->lock);
  self->cancelled = FALSE;
  g_mutex_unlock (&self->lock);
}

GstAmsClaimer *
gst_ams_claimer_new (GstElement *element)
{
  GstAmsClaimer *self = g_new0 (GstAmsClaimer, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->element = element;
  return self;
}

void
gst_ams_claimer_free (GstAmsClaimer *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}
