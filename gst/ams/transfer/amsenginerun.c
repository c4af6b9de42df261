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
/* The lock is taken once for so many bytes. */
#define HANDLED_BYTES (512 * 1024)

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

  ams_delivery_select (delivery, command->lane);
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
}

/* The bytes of what is handled are counted until a body has them, so that what a
 * hanging disk has in hand is counted. */
static void
pop (AmsEngine *self, GQueue *commands)
{
  g_mutex_lock (&self->lock);
  if (!self->stopping)
    self->handled_bytes = ams_queue_pop (&self->queue, commands,
        MIN (HANDLED_BYTES, self->config.max_queue_bytes / 8));
  self->handling |= commands->length > 0;
  g_mutex_unlock (&self->lock);
}

/* Dropping files calls back, so it is done without the lock. Who waits is told at the
 * end of the turn; of room earlier, but not for each block. */
static void
settle_bytes (AmsEngine *self)
{
  guint64 queued;

  g_mutex_lock (&self->lock);
  self->handled_bytes = 0;
  queued = self->queue.bytes;
  publish_locked (self);
  if (self->wanted > 0 && ams_engine_has_room_locked (self, self->wanted))
    ams_engine_tell_locked (self);
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

static void
clear_queue (AmsEngine *self)
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
}

static void
end (AmsEngine *self)
{
  clear_queue (self);
  self->config.spool = NULL; /* the delivery closes it */
  g_clear_pointer (&self->delivery, ams_delivery_free);
  ams_store_release (self->store);
  self->over = TRUE;
  if (self->shared)
    ams_context_quit (self->shared);
  g_mutex_lock (&self->lock);
  g_source_destroy (self->work);
  g_clear_pointer (&self->work, g_source_unref);
  self->exited = TRUE;
  ams_engine_tell_locked (self);
  g_mutex_unlock (&self->lock);
}

/* Cancelled operations are given a while to return. */
static void
end_unless_busy (AmsEngine *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->cancel_deadline == 0)
    self->cancel_deadline = now + CANCEL_TIMEOUT;
  if (now >= self->cancel_deadline ||
      (self->asked == 0 && ams_delivery_get_in_flight (self->delivery) == 0)) {
    end (self);
    return;
  }
  g_mutex_lock (&self->lock);
  self->work_time = self->cancel_deadline;
  g_mutex_unlock (&self->lock);
}

/* Returns when to come back. */
static gint64
handle_some (AmsEngine *self)
{
  GQueue commands = G_QUEUE_INIT;
  AmsCommand *command;
  gint64 next;

  for (guint n = 0; n < COMMANDS_PER_TURN;) {
    pop (self, &commands);
    if (g_queue_is_empty (&commands))
      break;
    n += commands.length;
    while ((command = g_queue_pop_head (&commands))) {
      handle (self, command);
      ams_command_free (command);
    }
    settle_bytes (self);
  }
  settle_bytes (self);
  next = ams_delivery_run (self->delivery);
  release_claims (self);
  return next;
}

/* One turn: some commands, what may start now, and when to come back. */
static void
turn (AmsEngine *self)
{
  gint64 next = handle_some (self);
  gboolean stopping;

  g_mutex_lock (&self->lock);
  publish_locked (self);
  ams_delivery_get_stats (self->delivery, &self->stats);
  self->handling = FALSE;
  if (ams_queue_is_empty (&self->queue))
    self->settled = ams_delivery_is_settled (self->delivery);
  else
    next = 0;
  ams_engine_tell_locked (self);
  self->work_time = next;
  self->turned = g_get_monotonic_time ();
  stopping = self->stopping;
  g_mutex_unlock (&self->lock);
  if (stopping)
    end_unless_busy (self);
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

/* The source that takes turns */

typedef struct
{
  GSource source;
  AmsEngine *engine;
} Work;

static gint64
get_work_time (GSource *source)
{
  AmsEngine *self = ((Work *) source)->engine;
  gint64 time;

  g_mutex_lock (&self->lock);
  time = self->work_time;
  g_mutex_unlock (&self->lock);
  return time;
}

static gboolean
prepare_work (GSource *source, gint *timeout)
{
  gint64 time = get_work_time (source), left;

  *timeout = -1;
  if (time == AMS_RETRY_FOREVER)
    return FALSE;
  left = time - g_get_monotonic_time ();
  *timeout = left <= 0 ? 0 : MIN (left / 1000 + 1, G_MAXINT);
  return left <= 0;
}

static gboolean
check_work (GSource *source)
{
  return get_work_time (source) <= g_get_monotonic_time ();
}

/* The delivery is of the thread that works, as it keeps its GMainContext. */
static gboolean
dispatch_work (GSource *source, GSourceFunc callback, gpointer user_data)
{
  AmsEngine *self = ((Work *) source)->engine;

  if (!self->delivery)
    self->delivery = ams_delivery_new (self->store, &self->config,
        &guarded_callbacks, self, self->cancellable, on_kick, self);
  turn (self);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs work_funcs = { prepare_work, check_work, dispatch_work };

/* Life */

static gpointer
run (gpointer data)
{
  AmsEngine *self = data;

  g_main_context_push_thread_default (self->context);
  while (!self->over)
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  g_object_unref (self);
  return NULL;
}

static gboolean
start_thread (AmsEngine *self, GError **error)
{
  if (self->shared)
    return ams_context_start (self->shared, g_object_ref (self), g_object_unref,
        error);
  self->thread =
      g_thread_try_new ("ams-delivery", run, g_object_ref (self), error);
  return self->thread != NULL;
}

gboolean
ams_engine_start (AmsEngine *self, GError **error)
{
  g_return_val_if_fail (!self->running && !self->stopping, FALSE);

  self->work = g_source_new (&work_funcs, sizeof (Work));
  ((Work *) self->work)->engine = self;
  /* What an earlier session left in the spool begins, and counts, without a command. */
  self->work_time = 0;
  self->settled = FALSE;
  self->handling = TRUE;
  g_source_attach (self->work, self->context);
  self->running = start_thread (self, error);
  if (self->running)
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
    if (!ams_engine_wait_locked (self, deadline))
      break;
  }
  self->detached = !self->exited;
  return self->exited;
}

/* The thread lets go of the engine, soon or when it hangs no more. */
static void
leave_thread (AmsEngine *self, gboolean exited)
{
  GThread *thread = g_steal_pointer (&self->thread);

  if (self->shared && exited)
    ams_context_join (self->shared);
  else if (thread && exited)
    g_thread_join (thread);
  else if (thread)
    g_thread_unref (thread);
}

gboolean
ams_engine_stop (AmsEngine *self)
{
  gboolean exited;

  if (!self->running)
    return TRUE;
  self->running = FALSE;
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  ams_engine_wake_locked (self);
  ams_engine_tell_locked (self);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->cancellable);

  g_mutex_lock (&self->lock);
  exited = wait_for_exit_locked (self);
  g_mutex_unlock (&self->lock);
  leave_thread (self, exited);
  return exited;
}
