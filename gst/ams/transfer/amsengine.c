/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsengineprivate.h"

#include "files/amsshared.h"

GST_DEBUG_CATEGORY (ams_engine_debug);
#define GST_CAT_DEFAULT ams_engine_debug

/* What may wait for the store while the source waits rather than the data. */
#define PATIENT_QUEUE_BYTES (8 * 1024 * 1024)
/* And of it for the engine's thread: what is handled before it has left the processor's cache
 * costs a quarter less. */
#define PATIENT_UNHANDLED_BYTES (512 * 1024)
/* Whoever waits for room goes on when there is so much: not for each block. */
#define ROOM_BYTES (256 * 1024)
/* So long, in µs, and so many, bytes of open files are gathered before the
 * engine's thread is woken for them. */
#define GATHERING (G_TIME_SPAN_SECOND / 10)
#define GATHERED_BYTES (256 * 1024)

G_DEFINE_FINAL_TYPE (AmsEngine, ams_engine, G_TYPE_OBJECT)

/* Waking */

/* The engine's own thread looks at the time by itself. */
void
ams_engine_wake_locked (AmsEngine *self)
{
  if (!self->work || self->work_time == 0)
    return;
  self->work_time = 0;
  if (!g_main_context_is_owner (self->context))
    g_main_context_wakeup (self->context);
}

/* When the bytes that came now are handled. Those who share threads do it at the
 * same times, so that a thread that wakes up does it for many. */
static gint64
gathering_time_locked (AmsEngine *self)
{
  if (self->shared)
    return (g_get_monotonic_time () / GATHERING + 1) * GATHERING;
  return self->turned + GATHERING;
}

/* Bytes of an open file: nobody waits for them, but memory that is short. */
static void
wake_for_bytes_locked (AmsEngine *self)
{
  gint64 time = gathering_time_locked (self);

  if (self->queue.bytes >=
          MIN (GATHERED_BYTES, self->config.max_queue_bytes / 8) ||
      time <= g_get_monotonic_time ()) {
    ams_engine_wake_locked (self);
    return;
  }
  if (time >= self->work_time)
    return;
  self->work_time = time;
  if (self->shared)
    ams_context_run_at (self->shared, time);
  else
    g_main_context_wakeup (self->context);
}

/* Commands */

AmsEngineResult
ams_engine_push_locked (AmsEngine *self, AmsCommand *command)
{
  gboolean is_data = command->kind == AMS_COMMAND_DATA;

  if (self->stopping || !self->work) {
    ams_command_free (command);
    return AMS_ENGINE_FLUSHING;
  }
  ams_queue_push (&self->queue, command);
  self->settled = FALSE;
  if (is_data)
    wake_for_bytes_locked (self);
  else
    ams_engine_wake_locked (self);
  return AMS_ENGINE_OK;
}

static AmsEngineResult
push (AmsEngine *self, AmsCommand *command)
{
  AmsEngineResult result;

  g_mutex_lock (&self->lock);
  result = ams_engine_push_locked (self, command);
  g_mutex_unlock (&self->lock);
  return result;
}

/* Lanes */

static AmsEngineLane *
get_lane_locked (AmsEngine *self)
{
  return &g_array_index (self->lanes, AmsEngineLane, self->lane);
}

static AmsEngineResult
push_for_lane_locked (AmsEngine *self, guint lane, AmsCommand *command)
{
  command->lane = lane;
  return ams_engine_push_locked (self, command);
}

/* No open file will be whole: @kind says why. */
static void
close_all_locked (AmsEngine *self, AmsCommandKind kind)
{
  for (guint i = 0; i < self->lanes->len; i++) {
    AmsEngineLane *lane = &g_array_index (self->lanes, AmsEngineLane, i);

    if (lane->open)
      push_for_lane_locked (self, i, ams_command_new (kind));
    lane->open = FALSE;
  }
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
    for (guint i = 0; i < self->lanes->len; i++) {
      if (ams_queue_has_taken_last (&self->queue, i))
        g_array_index (self->lanes, AmsEngineLane, i).skipping = TRUE;
    }
  }
}

/* Nothing but open files is left, and those go nowhere before they are whole. */
static gboolean
is_waiting_futile_locked (AmsEngine *self)
{
  return ams_queue_is_empty (&self->queue) && self->handled_bytes == 0 &&
      self->held_bytes == self->open_held && !self->open_drains;
}

gboolean
ams_engine_has_room_locked (AmsEngine *self, guint64 size)
{
  guint64 max = self->config.max_queue_bytes;
  guint64 total = total_locked (self);

  if (self->patient && self->queue.bytes > 0 &&
      self->queue.bytes + size > PATIENT_UNHANDLED_BYTES)
    return FALSE;
  return total == 0 ||
      total + size <= (self->patient ? MIN (max, PATIENT_QUEUE_BYTES) : max);
}

static AmsEngineResult
wait_for_room_locked (AmsEngine *self, gsize size)
{
  while (!ams_engine_has_room_locked (self, size)) {
    if (self->stopping || self->flushing)
      return AMS_ENGINE_FLUSHING;
    if (is_waiting_futile_locked (self)) {
      if (!ams_queue_is_droppable (get_lane_locked (self)->role))
        return AMS_ENGINE_OK;
      get_lane_locked (self)->skipping = TRUE;
      return push_for_lane_locked (self, self->lane,
          ams_command_new (AMS_COMMAND_GIVE_UP));
    }
    if (!ams_queue_is_empty (&self->queue))
      ams_engine_wake_locked (self);
    self->wanted = MAX (size, ROOM_BYTES);
    ams_engine_wait_locked (self, -1);
    self->wanted = 0;
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

void
ams_engine_select (AmsEngine *self, guint lane)
{
  g_mutex_lock (&self->lock);
  if (self->lanes->len <= lane)
    g_array_set_size (self->lanes, lane + 1);
  self->lane = lane;
  g_mutex_unlock (&self->lock);
}

AmsEngineResult
ams_engine_begin (AmsEngine *self, const AmsFileBegin *begin)
{
  AmsCommand *command = ams_command_new (AMS_COMMAND_BEGIN);
  AmsEngineResult result;

  ams_file_begin_copy (&command->begin, begin);
  g_mutex_lock (&self->lock);
  result = push_for_lane_locked (self, self->lane, command);
  *get_lane_locked (self) =
      (AmsEngineLane){ .open = result == AMS_ENGINE_OK, .role = begin->role };
  g_mutex_unlock (&self->lock);
  return result;
}

static gboolean
is_wanted_locked (AmsEngine *self)
{
  const AmsEngineLane *lane = get_lane_locked (self);

  return lane->open && !lane->skipping;
}

static AmsEngineResult
write_locked (AmsEngine *self, GBytes *bytes, gsize cost)
{
  AmsEngineResult result;
  AmsCommand *command;

  if (self->flushing || self->stopping)
    return AMS_ENGINE_FLUSHING;
  if (!is_wanted_locked (self))
    return AMS_ENGINE_OK;
  result = make_room_locked (self, cost);
  if (result != AMS_ENGINE_OK || !is_wanted_locked (self))
    return result;
  command = ams_command_new (AMS_COMMAND_DATA);
  command->bytes = g_bytes_ref (bytes);
  command->cost = cost;
  return push_for_lane_locked (self, self->lane, command);
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
  if (get_lane_locked (self)->open)
    result = push_for_lane_locked (self, self->lane, command);
  else
    ams_command_free (command);
  get_lane_locked (self)->open = FALSE;
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
  ams_engine_tell_locked (self);
  g_mutex_unlock (&self->lock);
}

void
ams_engine_abandon (AmsEngine *self)
{
  g_mutex_lock (&self->lock);
  close_all_locked (self, AMS_COMMAND_ABANDON);
  g_mutex_unlock (&self->lock);
}

void
ams_engine_set_flushing (AmsEngine *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  if (flushing)
    close_all_locked (self, AMS_COMMAND_CUT);
  ams_engine_tell_locked (self);
  g_mutex_unlock (&self->lock);
}

void
ams_engine_release_claims (AmsEngine *self)
{
  push (self, ams_command_new (AMS_COMMAND_RELEASE_CLAIMS));
}

void
ams_engine_get_stats (AmsEngine *self, AmsEngineStats *stats)
{
  g_mutex_lock (&self->lock);
  stats->queued_bytes = total_locked (self);
  stats->files = self->stats;
  g_mutex_unlock (&self->lock);
}

/* Life */

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
  g_array_unref (self->lanes);
  g_clear_pointer (&self->config.spool, ams_spool_close);
  g_object_unref (self->store);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_clear_pointer (&self->shared, ams_context_unref);
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
  self->lanes = g_array_new (FALSE, TRUE, sizeof (AmsEngineLane));
  g_array_set_size (self->lanes, 1);
  self->work_time = AMS_RETRY_FOREVER;
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
  if (ams_store_shares_threads (store))
    self->shared = ams_context_new ();
  self->context = self->shared
      ? g_main_context_ref (ams_context_get_main (self->shared))
      : g_main_context_new ();
  self->config = *config;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}
