/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsengine.h"

#include "files/amsshared.h"
#include "transfer/amsquestion.h"
#include "transfer/amsqueue.h"

#include <string.h>

GST_DEBUG_CATEGORY (ams_engine_debug);
#define GST_CAT_DEFAULT ams_engine_debug

/* What may wait for the store while the source waits rather than the data. */
#define PATIENT_QUEUE_BYTES (8 * 1024 * 1024)

#define STOP_TIMEOUT G_TIME_SPAN_SECOND
/* How long operations may take to heed their cancellable. */
#define CANCEL_TIMEOUT (STOP_TIMEOUT / 2)
/* Commands handled in one turn of the main loop, so that operations get theirs. */
#define COMMANDS_PER_TURN 32

struct _AmsEngine
{
  GObject parent;

  /* Set before the thread starts. */
  AmsStore *store;
  AmsDeliveryConfig config;
  AmsDeliveryCallbacks callbacks;
  gpointer user_data;
  GDestroyNotify destroy;
  GMainContext *context;
  GCancellable *cancellable; /* of everything; cancelled by stop() */
  GThread *thread; /* of who starts and stops */

  /* The engine's thread only. */
  AmsDelivery *delivery;
  GMainLoop *loop;
  guint asked; /* fetches and lists that the store has not answered */
  AmsQuestionMemory memory;
  gboolean releases; /* claims, when nothing is left to do */

  /* Guards all below. No other lock is taken while it is held but GLib's own
   * (g_source_set_ready_time), and nothing is called back. Innermost lock: an
   * element may hold its own. */
  GMutex lock;
  GCond changed; /* anything that somebody waits for below */
  GSource *work; /* NULL once the thread is gone */
  AmsQueue queue;
  gboolean handling; /* commands: the stats do not have them yet */
  guint64 handled_bytes; /* of the command that is being handled */
  guint64 held_bytes; /* in bodies */
  guint64 open_held; /* of them, of the file open in the delivery */
  gboolean open_drains;
  gboolean open; /* upstream has begun a file and not ended it */
  AmsFileRole upstream_role; /* of that */
  gboolean skipping; /* the rest of it is not wanted any more */
  gboolean patient; /* see ams_engine_set_patient() */
  gboolean flushing;
  gboolean stopping;
  gboolean exited;
  gboolean detached; /* stop() did not wait for the thread: no callbacks */
  gboolean settled; /* as of when commands was empty last */
  gboolean probed; /* the store has been tried, or is not to be */
  AmsDeliveryStats stats;
};

G_DEFINE_FINAL_TYPE (AmsEngine, ams_engine, G_TYPE_OBJECT)

/* Commands */

static void
wake_locked (AmsEngine *self)
{
  if (self->work)
    g_source_set_ready_time (self->work, 0);
}

/* (transfer full) */
static AmsEngineResult
push_locked (AmsEngine *self, AmsCommand *command)
{
  if (self->stopping || !self->work) {
    ams_command_free (command);
    return AMS_ENGINE_FLUSHING;
  }
  ams_queue_push (&self->queue, command);
  self->settled = FALSE;
  wake_locked (self);
  return AMS_ENGINE_OK;
}

static AmsEngineResult
push (AmsEngine *self, AmsCommand *command)
{
  AmsEngineResult result;

  g_mutex_lock (&self->lock);
  result = push_locked (self, command);
  g_mutex_unlock (&self->lock);
  return result;
}

/* Room */

static guint64
total_locked (AmsEngine *self)
{
  return self->queue.bytes + self->handled_bytes + self->held_bytes;
}

/* The engine's thread drops what is oldest while it runs (ams_delivery_make_room).
 * When it hangs in a disk, the streaming thread has to take files back out of the
 * queue. */
static void
take_back_locked (AmsEngine *self)
{
  guint64 max = self->config.max_queue_bytes;

  /* Less than half of it here: then it is the bodies that are large, and the
   * engine's thread drops those; at worst 1.5 × max is held. */
  while (total_locked (self) > max && self->queue.bytes > max / 2) {
    if (!ams_queue_take_back (&self->queue))
      break;
    if (ams_queue_has_taken_last (&self->queue))
      self->skipping = TRUE;
  }
}

/* Nothing but the open file is left, and that one goes nowhere before it is
 * whole. */
static gboolean
is_waiting_futile_locked (AmsEngine *self)
{
  return ams_queue_is_empty (&self->queue) && self->handled_bytes == 0 &&
      self->held_bytes == self->open_held && !self->open_drains;
}

static AmsEngineResult
wait_for_room_locked (AmsEngine *self, gsize size)
{
  guint64 max = self->config.max_queue_bytes;

  while (total_locked (self) > 0 &&
      total_locked (self) + size >
          (self->patient ? MIN (max, PATIENT_QUEUE_BYTES) : max)) {
    if (self->stopping || self->flushing)
      return AMS_ENGINE_FLUSHING;
    if (is_waiting_futile_locked (self)) {
      if (!ams_queue_is_droppable (self->upstream_role))
        return AMS_ENGINE_OK;
      self->skipping = TRUE;
      return push_locked (self, ams_command_new (AMS_COMMAND_GIVE_UP));
    }
    g_cond_wait (&self->changed, &self->lock);
  }
  return AMS_ENGINE_OK;
}

static AmsEngineResult
make_room_locked (AmsEngine *self, gsize size)
{
  if (self->patient)
    return wait_for_room_locked (self, size);
  switch (self->config.queue_policy) {
    case AMS_QUEUE_BLOCK:
      return wait_for_room_locked (self, size);
    case AMS_QUEUE_ERROR:
      if (total_locked (self) + size > self->config.max_queue_bytes)
        return AMS_ENGINE_FULL;
      return AMS_ENGINE_OK;
    default:
      take_back_locked (self);
      return AMS_ENGINE_OK;
  }
}

/* The streaming thread's side */

AmsEngineResult
ams_engine_begin (AmsEngine *self, const AmsFileBegin *begin)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_BEGIN);
  AmsEngineResult result;

  ams_file_begin_copy (&command->begin, begin);
  g_mutex_lock (&self->lock);
  result = push_locked (self, command);
  self->open = result == AMS_ENGINE_OK;
  self->upstream_role = begin->role;
  self->skipping = FALSE;
  g_mutex_unlock (&self->lock);
  return result;
}

static AmsEngineResult
write_locked (AmsEngine *self, GBytes *bytes, gsize cost)
{
  AmsEngineResult result;
  AmsCommand *command;

  if (self->flushing || self->stopping)
    return AMS_ENGINE_FLUSHING;
  if (!self->open || self->skipping)
    return AMS_ENGINE_OK;
  result = make_room_locked (self, cost);
  if (result != AMS_ENGINE_OK || self->skipping || !self->open)
    return result;
  command = ams_command_new (AMS_COMMAND_DATA);
  command->bytes = g_bytes_ref (bytes);
  command->cost = cost;
  return push_locked (self, command);
}

AmsEngineResult
ams_engine_write (AmsEngine *self, GBytes *bytes)
{
  gsize cost = ams_shared_get_cost (bytes);
  AmsEngineResult result;

  g_mutex_lock (&self->lock);
  result = write_locked (self, bytes, cost);
  g_mutex_unlock (&self->lock);
  return result;
}

AmsEngineResult
ams_engine_end (AmsEngine *self, const AmsFileEnd *end)
{
  AmsEngineResult result = AMS_ENGINE_OK;
  AmsCommand *command = ams_command_new (AMS_COMMAND_END);

  command->end = *end;
  g_mutex_lock (&self->lock);
  if (self->open)
    result = push_locked (self, command);
  else
    ams_command_free (command);
  self->open = FALSE;
  g_mutex_unlock (&self->lock);
  return result;
}

AmsEngineResult
ams_engine_remove (AmsEngine *self, const gchar *name, gdouble after)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_REMOVE);

  command->file.name = g_strdup (name);
  command->file.after = after;
  return push (self, command);
}

AmsEngineResult
ams_engine_adopt (AmsEngine *self, const gchar *name, const gchar *from,
    guint64 size)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_ADOPT);

  command->file.name = g_strdup (name);
  command->file.from = g_strdup (from);
  command->file.size = size;
  return push (self, command);
}

AmsEngineResult
ams_engine_notify (AmsEngine *self, GBytes *text)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_NOTIFY);

  command->bytes = g_bytes_ref (text);
  return push (self, command);
}

void
ams_engine_release (AmsEngine *self)
{
  push (self, ams_command_new (AMS_COMMAND_RELEASE));
}

void
ams_engine_set_patient (AmsEngine *self, gboolean patient)
{
  g_mutex_lock (&self->lock);
  self->patient = patient;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
ams_engine_abandon (AmsEngine *self)
{
  g_mutex_lock (&self->lock);
  if (self->open)
    push_locked (self, ams_command_new (AMS_COMMAND_ABANDON));
  self->open = FALSE;
  g_mutex_unlock (&self->lock);
}

void
ams_engine_set_flushing (AmsEngine *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  if (flushing && self->open) {
    push_locked (self, ams_command_new (AMS_COMMAND_CUT));
    self->open = FALSE;
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Waiting, from any thread */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  AmsEngine *self = user_data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
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
  while (!(ams_queue_is_empty (&self->queue) && self->settled)) {
    if (self->flushing || self->stopping ||
        g_cancellable_is_cancelled (cancellable))
      return AMS_DRAIN_CANCELLED;
    if (deadline < 0)
      g_cond_wait (&self->changed, &self->lock);
    else if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
      return AMS_DRAIN_TIMEOUT;
  }
  return AMS_DRAIN_DONE;
}

static gboolean
settle_commands_locked (AmsEngine *self, gint64 deadline)
{
  while (!ams_queue_is_empty (&self->queue) || self->handling) {
    if (self->flushing || self->stopping || self->exited)
      return FALSE;
    if (deadline < 0)
      g_cond_wait (&self->changed, &self->lock);
    else if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
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
    g_cond_wait (&self->changed, &self->lock);
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
  if (push_locked (self, command) == AMS_ENGINE_OK)
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
ams_engine_release_claims (AmsEngine *self)
{
  push (self, ams_command_new (AMS_COMMAND_RELEASE_CLAIMS));
}

void
ams_engine_wait_probed (AmsEngine *self)
{
  g_mutex_lock (&self->lock);
  while (!self->probed && !self->exited && !self->stopping)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
ams_engine_get_stats (AmsEngine *self, AmsEngineStats *stats)
{
  g_mutex_lock (&self->lock);
  stats->queued_bytes = total_locked (self);
  stats->files = self->stats;
  g_mutex_unlock (&self->lock);
}

/* The engine's thread */

static void
on_answered (AmsQuestion *question, gpointer user_data)
{
  Asked *asked = user_data;
  AmsEngine *self = asked->engine;

  self->asked--;
  g_mutex_lock (&self->lock);
  asked->done = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  asked_unref (asked);
}

static void
handle_begin (AmsEngine *self, const AmsCommand *command)
{
  ams_delivery_begin (self->delivery, &command->begin);
  if (command->given_up)
    ams_delivery_give_up_open (self->delivery);
}

/* The command's reference is the answer's from here on. */
static void
handle_question (AmsEngine *self, AmsCommand *command)
{
  Asked *asked = g_steal_pointer (&command->request);

  command->free_request = NULL;
  self->asked++;
  ams_question_ask (asked->question, self->store, self->config.spool,
      &self->memory, self->cancellable, on_answered, asked);
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
      handle_question (self, command);
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
  wake_locked (self);
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
  wake_locked (self);
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

static void
ams_engine_finalize (GObject *object)
{
  AmsEngine *self = AMS_ENGINE (object);

  if (self->destroy)
    self->destroy (self->user_data);
  /* After the thread has let go of it: for the eyes of ThreadSanitizer, which does not
   * see the reference counts. */
  g_mutex_lock (&self->lock);
  g_mutex_unlock (&self->lock);
  ams_queue_clear (&self->queue);
  g_clear_pointer (&self->config.spool, ams_spool_close);
  g_object_unref (self->store);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (ams_engine_parent_class)->finalize (object);
}

static void
ams_engine_class_init (AmsEngineClass *klass)
{
  GST_DEBUG_CATEGORY_INIT (ams_engine_debug, "amsengine", 0,
      "amshls: delivery engine");
  G_OBJECT_CLASS (klass)->finalize = ams_engine_finalize;
  /* Bodies are made in the engines' threads: that their class is there is settled before
   * the first of these begins, where ThreadSanitizer sees it. GLib would see to it, too. */
  g_type_class_unref (g_type_class_ref (AMS_TYPE_MEMORY_BODY));
}

static void
ams_engine_init (AmsEngine *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  ams_queue_init (&self->queue);
  self->context = g_main_context_new ();
  self->cancellable = g_cancellable_new ();
  self->settled = TRUE;
}

AmsEngine *
ams_engine_new (AmsStore *store, const AmsDeliveryConfig *config,
    const AmsDeliveryCallbacks *callbacks, gpointer user_data,
    GDestroyNotify destroy)
{
  AmsEngine *self = g_object_new (AMS_TYPE_ENGINE, NULL);

  self->store = g_object_ref (store);
  self->config = *config;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}
