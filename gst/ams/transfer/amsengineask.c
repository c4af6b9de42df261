/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsengineprivate.h"

/* Waiting, from any thread */

/* A broadcast is a system call, also when nobody listens. */
void
ams_engine_tell_locked (AmsEngine *self)
{
  if (self->waiting > 0)
    g_cond_broadcast (&self->changed);
}

gboolean
ams_engine_wait_locked (AmsEngine *self, gint64 deadline)
{
  gboolean told = TRUE;

  self->waiting++;
  if (deadline < 0)
    g_cond_wait (&self->changed, &self->lock);
  else
    told = g_cond_wait_until (&self->changed, &self->lock, deadline);
  self->waiting--;
  return told;
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  AmsEngine *self = user_data;

  g_mutex_lock (&self->lock);
  ams_engine_tell_locked (self);
  g_mutex_unlock (&self->lock);
}

/* Neither of these may be called with the lock: connecting calls back at once if
 * it is cancelled already, and disconnecting waits for a callback that runs. */
static gulong
watch (AmsEngine *self, GCancellable *cancellable)
{
  if (!cancellable)
    return 0;
  return g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self,
      NULL);
}

static AmsDrainResult
drain_locked (AmsEngine *self, gint64 deadline, GCancellable *cancellable)
{
  ams_engine_wake_locked (self);
  while (!(ams_queue_is_empty (&self->queue) && self->settled)) {
    if (self->flushing || self->stopping ||
        g_cancellable_is_cancelled (cancellable))
      return AMS_DRAIN_CANCELLED;
    if (!ams_engine_wait_locked (self, deadline))
      return AMS_DRAIN_TIMEOUT;
  }
  return AMS_DRAIN_DONE;
}

static gboolean
settle_commands_locked (AmsEngine *self, gint64 deadline)
{
  ams_engine_wake_locked (self);
  while (!ams_queue_is_empty (&self->queue) || self->handling) {
    if (self->flushing || self->stopping || self->exited)
      return FALSE;
    if (!ams_engine_wait_locked (self, deadline))
      return FALSE;
  }
  return TRUE;
}

gboolean
ams_engine_settle_commands (AmsEngine *self, gint64 timeout)
{
  gint64 deadline = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  gboolean settled;

  g_mutex_lock (&self->lock);
  settled = settle_commands_locked (self, deadline);
  g_mutex_unlock (&self->lock);
  return settled;
}

AmsDrainResult
ams_engine_drain (AmsEngine *self, gint64 timeout, GCancellable *cancellable)
{
  gint64 deadline = timeout < 0 ? -1 : g_get_monotonic_time () + timeout;
  gulong watching = watch (self, cancellable);
  AmsDrainResult result;

  g_mutex_lock (&self->lock);
  result = drain_locked (self, deadline, cancellable);
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, watching);
  return result;
}

/* A question that a thread waits for. */
typedef struct
{
  gint refs; /* atomic: that thread's and the engine's */
  AmsEngine *engine;
  AmsQuestion *question;
  gboolean done; /* the engine's lock */
} Asked;

static Asked *
asked_new (AmsEngine *self, AmsQuestion *question)
{
  Asked *asked = g_new0 (Asked, 1);

  asked->refs = 2;
  asked->engine = g_object_ref (self);
  asked->question = ams_question_ref (question);
  return asked;
}

static void
asked_unref (gpointer data)
{
  Asked *asked = data;

  if (!g_atomic_int_dec_and_test (&asked->refs))
    return;
  ams_question_unref (asked->question);
  g_object_unref (asked->engine);
  g_free (asked);
}

static void
wait_for_locked (AmsEngine *self, Asked *asked, GCancellable *cancellable)
{
  while (!asked->done && !self->exited && !self->stopping &&
      !g_cancellable_is_cancelled (cancellable))
    ams_engine_wait_locked (self, -1);
}

/* TRUE: the question has been answered. */
static gboolean
ask (AmsEngine *self, AmsQuestion *question, GCancellable *cancellable,
    GError **error)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_ASK);
  Asked *asked = asked_new (self, question);
  gulong watching;
  gboolean done;

  command->request = asked;
  command->free_request = asked_unref;
  watching = watch (self, cancellable);
  g_mutex_lock (&self->lock);
  if (ams_engine_push_locked (self, command) == AMS_ENGINE_OK)
    wait_for_locked (self, asked, cancellable);
  done = asked->done;
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, watching);
  asked_unref (asked);
  if (!done)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
        "“%s” was asked for, but delivery was stopped",
        ams_question_get_name (question));
  return done;
}

GBytes *
ams_engine_fetch (AmsEngine *self, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GError **error)
{
  g_autoptr (AmsQuestion) question =
      ams_question_new_fetch (name, partial, max_size);

  if (!ask (self, question, cancellable, error))
    return NULL;
  return ams_question_take_data (question, error);
}

GBytes *
ams_engine_fetch_soon (AmsEngine *self, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GError **error)
{
  g_autoptr (AmsQuestion) question =
      ams_question_new_fetch (name, partial, max_size);

  ams_question_set_impatient (question);
  if (!ask (self, question, cancellable, error))
    return NULL;
  return ams_question_take_data (question, error);
}

GBytes *
ams_engine_fetch_head_soon (AmsEngine *self, const gchar *name, guint64 size,
    guint64 max_size, GCancellable *cancellable, GError **error)
{
  g_autoptr (AmsQuestion) question =
      ams_question_new_fetch (name, FALSE, max_size);

  ams_question_set_impatient (question);
  ams_question_set_head (question, size);
  if (!ask (self, question, cancellable, error))
    return NULL;
  return ams_question_take_data (question, error);
}

GPtrArray *
ams_engine_list (AmsEngine *self, const gchar *prefix,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (AmsQuestion) question = ams_question_new_list (prefix);

  if (!ask (self, question, cancellable, error))
    return NULL;
  return ams_question_take_entries (question, error);
}

gboolean
ams_engine_has_claims (AmsEngine *self)
{
  return ams_store_has_claims (self->store);
}

gboolean
ams_engine_claim (AmsEngine *self, const AmsClaim *claim,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (AmsQuestion) question = ams_question_new_claim (claim);

  if (!ask (self, question, cancellable, error))
    return FALSE;
  return ams_question_take_claimed (question, error);
}

void
ams_engine_wait_probed (AmsEngine *self)
{
  g_mutex_lock (&self->lock);
  while (!self->probed && !self->exited && !self->stopping)
    ams_engine_wait_locked (self, -1);
  g_mutex_unlock (&self->lock);
}

/* In the engine's thread */

static void
on_answered (AmsQuestion *question, gpointer user_data)
{
  Asked *asked = user_data;
  AmsEngine *self = asked->engine;

  self->asked--;
  g_mutex_lock (&self->lock);
  asked->done = TRUE;
  if (self->stopping)
    ams_engine_wake_locked (self);
  ams_engine_tell_locked (self);
  g_mutex_unlock (&self->lock);
  asked_unref (asked);
}

void
ams_engine_answer (AmsEngine *self, AmsCommand *command)
{
  Asked *asked = g_steal_pointer (&command->request);

  command->free_request = NULL;
  self->asked++;
  ams_question_ask (asked->question, self->store, self->config.spool,
      &self->memory, self->cancellable, on_answered, asked);
}
