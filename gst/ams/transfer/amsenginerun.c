/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsengineprivate.h"

#define STOP_TIMEOUT G_TIME_SPAN_SECOND
/* How long operations may take to heed their cancellable. */
#define CANCEL_TIMEOUT (STOP_TIMEOUT / 2)
/* Commands handled in one turn of the main loop, so that operations get theirs. */
#define COMMANDS_PER_TURN 32

/* Commands */

static void
handle_begin (AmsEngine *self, const AmsCommand *command)
{
  ams_delivery_begin (self->delivery, &command->begin);
  if (command->given_up)
    ams_delivery_give_up_open (self->delivery);
}

static void
handle (AmsEngine *self, AmsCommand *command)
{
  AmsDelivery *delivery = self->delivery;

  switch (command->kind) {
    case AMS_COMMAND_BEGIN:
      handle_begin (self, command);
      break;
    case AMS_COMMAND_DATA:
      ams_delivery_write (delivery, command->bytes);
      break;
    case AMS_COMMAND_END:
      ams_delivery_end (delivery, &command->end);
      break;
    case AMS_COMMAND_ABANDON:
      ams_delivery_abandon (delivery);
      break;
    case AMS_COMMAND_CUT:
      ams_delivery_cut_open (delivery);
      break;
    case AMS_COMMAND_GIVE_UP:
      ams_delivery_give_up_open (delivery);
      break;
    case AMS_COMMAND_REMOVE:
      ams_delivery_remove (delivery, command->file.name, command->file.after);
      break;
    case AMS_COMMAND_ADOPT:
      ams_delivery_adopt (delivery, command->file.name, command->file.from,
          command->file.size);
      break;
    case AMS_COMMAND_NOTIFY:
      ams_delivery_notify (delivery, command->bytes);
      break;
    case AMS_COMMAND_RELEASE:
      ams_delivery_release (delivery);
      break;
    case AMS_COMMAND_ASK:
      ams_engine_answer (self, command);
      break;
    case AMS_COMMAND_RELEASE_CLAIMS:
      self->releases = TRUE;
      break;
  }
}

static void
publish_locked (AmsEngine *self)
{
  self->held_bytes = ams_delivery_get_held (self->delivery);
  self->open_held = ams_delivery_get_open_held (self->delivery);
  self->open_drains = ams_delivery_open_drains (self->delivery);
  self->probed = ams_delivery_is_probed (self->delivery);
  g_cond_broadcast (&self->changed);
}

/* The bytes of what is handled are counted until a body has them, so that what a
 * hanging disk has in hand is counted. */
static AmsCommand *
pop (AmsEngine *self)
{
  AmsCommand *command;

  g_mutex_lock (&self->lock);
  command = self->stopping ? NULL : ams_queue_pop (&self->queue);
  self->handling |= command != NULL;
  if (command && command->kind == AMS_COMMAND_DATA)
    self->handled_bytes = command->cost;
  g_mutex_unlock (&self->lock);
  return command;
}

/* Dropping files calls back, so it is done without the lock. */
static void
settle_bytes (AmsEngine *self)
{
  guint64 queued;

  g_mutex_lock (&self->lock);
  self->handled_bytes = 0;
  queued = self->queue.bytes;
  publish_locked (self);
  g_mutex_unlock (&self->lock);
  ams_delivery_make_room (self->delivery, queued);
}

/* Also removes whose time has not come are awaited: another recorder must not find
 * its files removed by this one. */
static void
release_claims (AmsEngine *self)
{
  AmsDeliveryStats stats;

  if (!self->releases)
    return;
  ams_delivery_get_stats (self->delivery, &stats);
  if (stats.queued_files > 0)
    return;
  self->releases = FALSE;
  ams_store_release (self->store);
}

/* One turn: some commands, what may start now, and when to come back. */
static void
turn (AmsEngine *self)
{
  AmsCommand *command;
  gint64 next;

  for (guint i = 0; i < COMMANDS_PER_TURN && (command = pop (self)); i++) {
    handle (self, command);
    ams_command_free (command);
    settle_bytes (self);
  }
  settle_bytes (self);
  next = ams_delivery_run (self->delivery);
  release_claims (self);

  g_mutex_lock (&self->lock);
  publish_locked (self);
  ams_delivery_get_stats (self->delivery, &self->stats);
  self->handling = FALSE;
  if (ams_queue_is_empty (&self->queue))
    self->settled = ams_delivery_is_settled (self->delivery);
  else
    next = 0;
  g_source_set_ready_time (self->work, next == AMS_RETRY_FOREVER ? -1 : next);
  if (self->stopping)
    g_main_loop_quit (self->loop);
  g_mutex_unlock (&self->lock);
}

static gboolean
on_work (gpointer user_data)
{
  turn (user_data);
  return G_SOURCE_CONTINUE;
}

/* An operation has ended. */
static void
on_kick (gpointer engine)
{
  AmsEngine *self = engine;

  g_mutex_lock (&self->lock);
  ams_engine_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
dispatch_work (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs work_funcs = { .dispatch = dispatch_work };

/* Cancelled operations are given a while to return. */
static gboolean
on_cancel_timeout (gpointer timed_out)
{
  *(gboolean *) timed_out = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_for_operations (AmsEngine *self)
{
  g_autoptr (GSource) timer =
      g_timeout_source_new (CANCEL_TIMEOUT / G_TIME_SPAN_MILLISECOND);
  gboolean timed_out = FALSE;

  g_source_set_callback (timer, on_cancel_timeout, &timed_out, NULL);
  g_source_attach (timer, self->context);
  while ((self->asked > 0 || ams_delivery_get_in_flight (self->delivery) > 0) &&
      !timed_out)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (timer);
}

static void
end_thread (AmsEngine *self)
{
  AmsQueue queue;

  g_mutex_lock (&self->lock);
  ams_delivery_get_stats (self->delivery, &self->stats);
  publish_locked (self);
  self->stats.queued_files += ams_queue_count_files (&self->queue);
  queue = self->queue;
  ams_queue_init (&self->queue);
  g_mutex_unlock (&self->lock);
  ams_queue_clear (&queue);

  self->config.spool = NULL; /* the delivery closes it */
  g_clear_pointer (&self->delivery, ams_delivery_free);
  ams_store_release (self->store);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_mutex_lock (&self->lock);
  g_source_destroy (self->work);
  g_clear_pointer (&self->work, g_source_unref);
  self->exited = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Callbacks reach the owner only while it has not given the thread up. */

static gboolean
is_attached (AmsEngine *self)
{
  gboolean attached;

  g_mutex_lock (&self->lock);
  attached = !self->detached;
  g_mutex_unlock (&self->lock);
  return attached;
}

static void
on_stored (const AmsFileInfo *file, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self))
    self->callbacks.stored (file, self->user_data);
}

static gboolean
on_taken (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  AmsEngine *self = user_data;

  return is_attached (self) && self->callbacks.taken &&
      self->callbacks.taken (file, error, self->user_data);
}

static void
on_failed (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self))
    self->callbacks.failed (file, error, self->user_data);
}

static void
on_warning (const GError *error, const gchar *name, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self))
    self->callbacks.warning (error, name, self->user_data);
}

static void
on_recovered (const GError *error, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self))
    self->callbacks.recovered (error, self->user_data);
}

static void
on_left (const gchar *name, const GError *error, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self) && self->callbacks.left)
    self->callbacks.left (name, error, self->user_data);
}

static void
on_usurped (const GError *error, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self) && self->callbacks.usurped)
    self->callbacks.usurped (error, self->user_data);
}

static void
on_refused (const GError *error, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self) && self->callbacks.refused)
    self->callbacks.refused (error, self->user_data);
}

static void
on_retrying (const AmsFileInfo *file, const GError *error, guint attempts,
    gint64 delay, gpointer user_data)
{
  AmsEngine *self = user_data;

  if (is_attached (self))
    self->callbacks.retrying (file, error, attempts, delay, self->user_data);
}

static const AmsDeliveryCallbacks guarded_callbacks = {
  .stored = on_stored,
  .failed = on_failed,
  .taken = on_taken,
  .warning = on_warning,
  .recovered = on_recovered,
  .left = on_left,
  .usurped = on_usurped,
  .refused = on_refused,
  .retrying = on_retrying,
};

static gpointer
run (gpointer data)
{
  AmsEngine *self = data;

  g_main_context_push_thread_default (self->context);
  self->loop = g_main_loop_new (self->context, FALSE);
  self->delivery = ams_delivery_new (self->store, &self->config,
      &guarded_callbacks, self, self->cancellable, on_kick, self);
  g_main_loop_run (self->loop);
  wait_for_operations (self);
  end_thread (self);
  g_main_context_pop_thread_default (self->context);
  g_object_unref (self);
  return NULL;
}

/* Life */

gboolean
ams_engine_start (AmsEngine *self, GError **error)
{
  g_return_val_if_fail (self->thread == NULL && !self->stopping, FALSE);

  self->work = g_source_new (&work_funcs, sizeof (GSource));
  g_source_set_callback (self->work, on_work, self, NULL);
  /* What an earlier session left in the spool begins, and counts, without a command. */
  g_source_set_ready_time (self->work, 0);
  self->settled = FALSE;
  self->handling = TRUE;
  g_source_attach (self->work, self->context);
  self->thread =
      g_thread_try_new ("ams-delivery", run, g_object_ref (self), error);
  if (self->thread)
    return TRUE;
  g_source_destroy (self->work);
  g_clear_pointer (&self->work, g_source_unref);
  g_object_unref (self);
  return FALSE;
}

static gboolean
wait_for_exit_locked (AmsEngine *self)
{
  gint64 deadline = g_get_monotonic_time () + STOP_TIMEOUT;

  while (!self->exited) {
    if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
      break;
  }
  self->detached = !self->exited;
  return self->exited;
}

gboolean
ams_engine_stop (AmsEngine *self)
{
  GThread *thread = g_steal_pointer (&self->thread);
  gboolean exited;

  if (!thread)
    return TRUE;
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  ams_engine_wake_locked (self);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->cancellable);

  g_mutex_lock (&self->lock);
  exited = wait_for_exit_locked (self);
  g_mutex_unlock (&self->lock);
  if (exited)
    g_thread_join (thread);
  else
    g_thread_unref (thread);
  return exited;
}
