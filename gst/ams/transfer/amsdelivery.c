/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsdeliveryprivate.h"

#include "transfer/amsoperation.h"

GST_DEBUG_CATEGORY (ams_delivery_debug);
#define GST_CAT_DEFAULT ams_delivery_debug

/* How often it is tried to let go of bytes in memory that are on disk as well, or soon
 * will be. */
#define SPILL_INTERVAL (G_TIME_SPAN_SECOND / 4)
/* The name that faults of the spool's disk are kept under: no file has it. */
#define SPOOL_FAULT "/spool"
#define PROBE_FAULT "/probe"
/* So long a file is tried to be removed. */
#define REMOVE_FOR G_TIME_SPAN_HOUR

/* Files */

static AmsFileInfo
file_info (const AmsOutgoing *file)
{
  return (AmsFileInfo){ file->begin.name, file->begin.role, file->begin.version,
    file->size };
}

/* What is gone if the process ends, and missed. */
static gboolean
is_unsafe (const AmsOutgoing *file)
{
  return ams_outgoing_is_droppable (file) && !file->begin.local_path;
}

static void
set_held (AmsDelivery *self, AmsOutgoing *file, guint64 held)
{
  self->held += held - file->held;
  if (is_unsafe (file))
    self->unsafe += held - file->held;
  file->held = held;
}

void
ams_delivery_count_held (AmsDelivery *self, AmsOutgoing *file)
{
  set_held (self, file, file->body ? ams_body_get_held (file->body) : 0);
}

/* The file is out of the schedule (or never was in it): its bytes go. */
void
ams_delivery_uncount (AmsDelivery *self, AmsOutgoing *file)
{
  set_held (self, file, 0);
}

/* Faults */

void
ams_delivery_say_warning (AmsDelivery *self, const GError *error,
    const gchar *name)
{
  GST_WARNING ("%s: %s", name ? name : "delivery", error->message);
  self->callbacks.warning (error, name, self->user_data);
}

void
ams_delivery_note_failure (AmsDelivery *self, const gchar *name,
    const GError *error)
{
  if (ams_faults_add (self->faults, name, ams_store_error_get_failure (error),
          error))
    ams_delivery_say_warning (self, error, name);
}

void
ams_delivery_note_success (AmsDelivery *self, const gchar *name)
{
  GError *over;

  while ((over = ams_faults_clear (self->faults, name))) {
    self->callbacks.recovered (over, self->user_data);
    g_error_free (over);
  }
}

/* The spool */

static void
settle_spooled (AmsDelivery *self, guint64 id, const AmsOutgoing *file,
    AmsSpoolFate fate)
{
  if (self->config.spool && id)
    ams_spool_settle (self->config.spool, id, file ? file->body : NULL, fate);
}

/* @error: where it is, as it may be set after the arguments of this are known. */
void
ams_delivery_check_spool (AmsDelivery *self, gboolean ok, GError **error)
{
  if (ok) {
    if (self->spool_unsafe)
      ams_delivery_note_success (self, SPOOL_FAULT);
  } else {
    ams_delivery_note_failure (self, SPOOL_FAULT, *error);
  }
  self->spool_unsafe = !ok;
}

void
ams_delivery_announce_failed (AmsDelivery *self, const AmsOutgoing *file,
    const GError *error)
{
  AmsFileInfo info = file_info (file);

  self->stats.failed_files++;
  GST_WARNING ("giving up %s: %s", file->begin.name, error->message);
  self->callbacks.failed (&info, error, self->user_data);
}

void
ams_delivery_give_up_job (AmsDelivery *self, AmsJob *job, const GError *error)
{
  g_autofree gchar *name = g_strdup (job->name);
  AmsOutgoing *file = g_steal_pointer (&job->data);
  gboolean is_file = job->kind != AMS_JOB_NOTIFY;

  settle_spooled (self, job->id, file, AMS_SPOOL_GIVEN_UP);
  /* The next version of a playlist would only say it again. */
  if (!file || !ams_outgoing_is_playlist (file))
    ams_faults_forget (self->faults, name);
  ams_schedule_give_up (self->schedule, job);
  if (!file)
    return;
  ams_delivery_uncount (self, file);
  if (file->body && !self->config.spool)
    ams_body_abandon (file->body);
  if (is_file)
    ams_delivery_announce_failed (self, file, error);
  ams_outgoing_free (file);
}

static void
on_dropped (const AmsJob *job, AmsDropReason reason, gpointer user_data)
{
  AmsDelivery *self = user_data;
  AmsOutgoing *file = job->data;

  ams_faults_forget (self->faults, job->name);
  settle_spooled (self, job->id, file,
      reason == AMS_DROP_WITHHELD ? AMS_SPOOL_WITHHELD : AMS_SPOOL_DROPPED);
  if (!file)
    return;
  ams_delivery_uncount (self, file);
  self->stats.superseded++;
  /* Upstream has been told, and makes another as a rule. */
  if (reason == AMS_DROP_WITHHELD && file->begin.final)
    g_hash_table_add (self->withheld, g_strdup (file->begin.name));
}

/* Ends of operations */

static void
job_succeeded (AmsDelivery *self, AmsJob *job)
{
  AmsOutgoing *file = g_steal_pointer (&job->data);
  g_autofree gchar *name = g_strdup (job->name);
  gboolean notified = job->kind == AMS_JOB_NOTIFY;

  settle_spooled (self, job->id, file, AMS_SPOOL_STORED);
  ams_schedule_done (self->schedule, job);
  if (notified) {
    ams_delivery_uncount (self, file);
    ams_outgoing_free (file);
  } else if (file) {
    AmsFileInfo info = file_info (file);

    if (ams_outgoing_is_playlist (file))
      ams_lineages_store (self->lineages, name, file->lineage, file->size);
    ams_delivery_uncount (self, file);
    self->stats.stored_files++;
    self->stats.stored_bytes += file->size;
    self->callbacks.stored (&info, self->user_data);
    ams_outgoing_free (file);
  } else {
    ams_lineages_forget (self->lineages, name);
    self->stats.removed_files++;
  }
  ams_delivery_note_success (self, name);
  /* Where there was room for this one there may be for the next, which then finds out for the one after it. */
  if (!self->config.has_breaker)
    ams_schedule_hurry_first (self->schedule);
  else if (ams_breaker_succeed (&self->breaker))
    ams_schedule_hurry (self->schedule);
}

static gdouble
draw (AmsDelivery *self)
{
  return self->config.random ? self->config.random () : g_random_double ();
}

static void
retry_job (AmsDelivery *self, AmsJob *job, const GError *error, gint64 now)
{
  AmsFileInfo info = { job->name, job->role, job->version, 0 };
  const AmsOutgoing *file = job->data;
  gint64 delay = ams_retry_delay (ams_store_error_get_failure (error),
      job->attempts, ams_store_error_get_retry_after (error), draw (self));

  if (file)
    info = file_info (file);
  self->stats.retries++;
  self->callbacks.retrying (&info, error, job->attempts, delay,
      self->user_data);
  ams_schedule_retry (self->schedule, job, now + delay);
}

static gboolean
is_about_the_file (AmsFailure failure)
{
  return failure == AMS_FAILURE_EXISTS || failure == AMS_FAILURE_LOST ||
      failure == AMS_FAILURE_UNSUPPORTED || failure == AMS_FAILURE_ABSENT;
}

static void
strike_if (AmsDelivery *self, AmsJob *job, gboolean is_struck)
{
  if (is_struck)
    ams_schedule_strike (self->schedule, job);
}

static void
tell_breaker (AmsDelivery *self, AmsJob *job, const GError *error, gint64 now)
{
  AmsFailure failure = ams_store_error_get_failure (error);
  gint64 delay;

  if (!self->config.has_breaker)
    strike_if (self, job, failure == AMS_FAILURE_FULL);
  if (!self->config.has_breaker || is_about_the_file (failure))
    return;
  /* What is permanent for one file need not be for the next: that is found out soon. */
  if (failure == AMS_FAILURE_PERMANENT)
    failure = AMS_FAILURE_TRANSIENT;
  delay = ams_retry_delay (failure, ams_breaker_get_streak (&self->breaker) + 1,
      ams_store_error_get_retry_after (error), draw (self));
  strike_if (self, job,
      ams_breaker_fail (&self->breaker, ams_store_error_get_failure (error),
          ams_store_error_get_http_status (error), now, delay));
}

/* A file that stays is a nuisance, and no more than that (http-put.md H26): what the
 * store refuses is left there, and nothing is tried for ever. */
static void
remove_failed (AmsDelivery *self, AmsJob *job, const GError *error, gint64 now)
{
  AmsFailure failure = ams_store_error_get_failure (error);

  if (ams_faults_add (self->remove_faults, job->name, failure, error) &&
      self->callbacks.left)
    self->callbacks.left (job->name, error, self->user_data);
  if (failure != AMS_FAILURE_PERMANENT &&
      now - job->handed_over < job->after + REMOVE_FOR &&
      ams_retry_goes_on (&self->config.retry, failure, now - job->handed_over))
    retry_job (self, job, error, now);
  else
    ams_delivery_give_up_job (self, job, error);
}

/* What waits stays as it is: in the spool, the next start finds it. */
static void
yield_to_other (AmsDelivery *self, AmsJob *job, const GError *error)
{
  g_autoptr (GError) said = g_error_copy (error);

  ams_schedule_retry (self->schedule, job, AMS_SCHEDULE_NEVER);
  if (self->is_usurped)
    return;
  self->is_usurped = TRUE;
  g_free (said->message);
  said->message = g_strconcat (error->message,
      self->config.spool
          ? " What is not delivered stays in spool-dir, and is delivered as a "
            "playlist of its own by a start with spool-suffix."
          : " What is not delivered is not kept here, as there "
            "is no spool-dir.",
      NULL);
  GST_WARNING ("nothing more is put: %s", error->message);
  if (self->callbacks.usurped)
    self->callbacks.usurped (said, self->user_data);
}

static void
job_failed (AmsDelivery *self, AmsJob *job, const GError *error)
{
  gint64 now = g_get_monotonic_time ();
  AmsFailure failure = ams_store_error_get_failure (error);

  if (failure == AMS_FAILURE_BUSY) {
    yield_to_other (self, job, error);
    return;
  }
  if (job->kind == AMS_JOB_REMOVE) {
    remove_failed (self, job, error, now);
    return;
  }
  if (failure == AMS_FAILURE_EXISTS &&
      ams_delivery_set_aside (self, job, error))
    return;
  ams_delivery_note_failure (self, job->name, error);
  tell_breaker (self, job, error, now);
  if (ams_retry_goes_on (&self->config.retry, failure, now - job->handed_over))
    retry_job (self, job, error, now);
  else
    ams_delivery_give_up_job (self, job, error);
}

static void
on_operation_done (AmsOperation *operation, AmsJob *job, const GError *error,
    gpointer user_data)
{
  AmsDelivery *self = user_data;

  g_hash_table_remove (self->operations, operation);
  if (job->data)
    ams_delivery_count_held (self, job->data);
  if (job->data && ams_delivery_is_renamed (self, job, !error))
    GST_DEBUG ("%s is put under its new name", job->name);
  else if (!error)
    job_succeeded (self, job);
  else if (g_cancellable_is_cancelled (self->cancellable))
    ams_schedule_retry (self->schedule, job, AMS_SCHEDULE_NEVER);
  else
    job_failed (self, job, error);
  self->kick (self->engine);
}

/* Beginning them */

static guint64
unchanged_bytes (AmsDelivery *self, const AmsOutgoing *file)
{
  if (!file || !ams_outgoing_is_playlist (file))
    return 0;
  return ams_lineages_get_unchanged (self->lineages, file->begin.name,
      file->lineage, file->size);
}

static void
start_job (AmsDelivery *self, AmsJob *job)
{
  self->stats.attempts++;
  GST_DEBUG ("attempt %u of %s", job->attempts, job->name);
  g_hash_table_add (self->operations,
      ams_operation_begin (self->store, job, unchanged_bytes (self, job->data),
          self->cancellable, on_operation_done, self));
}

/* Bytes that are on disk as well leave the memory; what the spool's disk has not
 * taken is tried again. Returns when to come back for that. */
static void
recount_job (AmsJob *job, gpointer user_data)
{
  if (job->data)
    ams_delivery_count_held (user_data, job->data);
}

static void
spill_job (AmsJob *job, gpointer user_data)
{
  AmsDelivery *self = user_data;
  AmsOutgoing *file = job->data;

  if (!file || file->held == 0 || !file->body)
    return;
  ams_body_spill (file->body);
  ams_delivery_count_held (self, file);
}

/* Whoever appends to it may be waiting for room. */
static void
spill_open (gpointer lane, gpointer user_data)
{
  AmsDelivery *self = user_data;
  AmsOutgoing *file = ((AmsDeliveryLane *) lane)->open;

  if (!file || file->held == 0 || !ams_body_drains (file->body))
    return;
  ams_body_spill (file->body);
  ams_delivery_count_held (self, file);
  if (file->held == 0)
    ams_delivery_note_success (self, file->begin.name);
}

static gint64
flush_spool (AmsDelivery *self, gint64 now)
{
  g_autoptr (GError) error = NULL;

  if (!self->config.spool)
    return AMS_SCHEDULE_NEVER;
  if (ams_spool_get_next_flush (self->config.spool) <= now) {
    ams_delivery_check_spool (self,
        ams_spool_flush (self->config.spool, &error), &error);
    ams_schedule_foreach (self->schedule, recount_job, self);
  }
  return ams_spool_get_next_flush (self->config.spool);
}

static gint64
spill (AmsDelivery *self, gint64 now)
{
  if (self->held <= self->config.max_queue_bytes / 2)
    return AMS_SCHEDULE_NEVER;
  if (now >= self->spilled + SPILL_INTERVAL) {
    self->spilled = now;
    ams_schedule_foreach (self->schedule, spill_job, self);
    g_ptr_array_foreach (self->lanes, spill_open, self);
  }
  return self->spilled + SPILL_INTERVAL;
}

static gint64
tidy (AmsDelivery *self)
{
  gint64 now = g_get_monotonic_time ();

  return MIN (flush_spool (self, now), spill (self, now));
}

static gint64
start_jobs (AmsDelivery *self)
{
  gint64 now, next;
  AmsJob *job;

  do {
    now = g_get_monotonic_time ();
    if (!ams_breaker_allows (&self->breaker,
            ams_schedule_get_in_flight (self->schedule), now, &next))
      return next;
    job = ams_schedule_pick (self->schedule, now, &next);
    if (job)
      start_job (self, job);
  } while (job);
  return next;
}

static void
on_probed (const GError *error, gboolean first, gpointer user_data)
{
  AmsDelivery *self = user_data;

  if (!error)
    ams_delivery_note_success (self, PROBE_FAULT);
  else if (first &&
      ams_store_error_get_failure (error) == AMS_FAILURE_PERMANENT &&
      self->callbacks.refused)
    self->callbacks.refused (error, self->user_data);
  else
    ams_delivery_note_failure (self, PROBE_FAULT, error);
  self->kick (self->engine);
}

static gboolean
may_put (AmsDelivery *self, gint64 *next)
{
  return (!self->probe || ams_probe_run (self->probe, next)) &&
      !self->is_held_back && !self->is_usurped;
}

gint64
ams_delivery_run (AmsDelivery *self)
{
  gint64 next = AMS_SCHEDULE_NEVER;

  if (g_cancellable_is_cancelled (self->cancellable))
    return next;
  if (may_put (self, &next))
    next = start_jobs (self);
  return MIN (next, tidy (self));
}

/* Room */

static gboolean
frees_memory (const AmsJob *job, gpointer user_data)
{
  const AmsOutgoing *file = job->data;

  return job->kind == AMS_JOB_PUT && ams_outgoing_is_droppable (file) &&
      file->held > 0;
}

static gboolean
drop_something (AmsDelivery *self)
{
  AmsJob *job;

  /* Old versions of a playlist cost nobody anything. */
  if (ams_schedule_thin (self->schedule))
    return TRUE;
  job = ams_schedule_find (self->schedule, frees_memory, NULL);
  if (job) {
    g_autoptr (GError) error = ams_delivery_new_queue_error (self);

    ams_delivery_say_queue_fault (self, job->name);
    ams_delivery_give_up_job (self, job, error);
    return TRUE;
  }
  return ams_delivery_drop_open (self);
}

void
ams_delivery_make_room (AmsDelivery *self, guint64 queued)
{
  guint64 max = self->config.max_queue_bytes;

  if (self->held + queued > max)
    ams_schedule_foreach (self->schedule, spill_job, self);
  if (self->config.queue_policy == AMS_QUEUE_DROP_OLDEST) {
    while (self->held + queued > max && drop_something (self))
      continue;
  }
  if (self->queue_fault && self->held + queued <= max / 2) {
    self->callbacks.recovered (self->queue_fault, self->user_data);
    g_clear_error (&self->queue_fault);
  }
}

/* Looking in */

guint64
ams_delivery_get_held (AmsDelivery *self)
{
  return self->held;
}

gboolean
ams_delivery_is_settled (AmsDelivery *self)
{
  /* Nothing more comes of what waits. */
  if (self->is_usurped)
    return g_hash_table_size (self->operations) == 0;
  return ams_schedule_is_settled (self->schedule);
}

gboolean
ams_delivery_is_probed (AmsDelivery *self)
{
  return !self->probe || ams_probe_is_answered (self->probe);
}

guint
ams_delivery_get_in_flight (AmsDelivery *self)
{
  return g_hash_table_size (self->operations) +
      (self->probe && ams_probe_is_under_way (self->probe));
}

void
ams_delivery_get_stats (AmsDelivery *self, AmsDeliveryStats *stats)
{
  const AmsJob *oldest = ams_schedule_peek_oldest (self->schedule);

  *stats = self->stats;
  stats->queued_files = ams_schedule_get_length (self->schedule);
  stats->in_flight = ams_schedule_get_in_flight (self->schedule);
  stats->withheld = g_hash_table_size (self->withheld);
  stats->waiting_removes = ams_schedule_get_waiting_removes (self->schedule);
  stats->unsafe_bytes = self->unsafe;
  for (guint i = 0; i < self->lanes->len; i++) {
    const AmsOutgoing *open = ams_delivery_get_open (self, i);

    stats->unsafe_bytes -= open && is_unsafe (open) ? open->held : 0;
  }
  if (self->config.spool)
    stats->spooled_bytes = ams_spool_get_bytes (self->config.spool);
  if (oldest)
    stats->oldest_age = g_get_monotonic_time () - oldest->handed_over;
}

/* Life */

AmsDelivery *
ams_delivery_new (AmsStore *store, const AmsDeliveryConfig *config,
    const AmsDeliveryCallbacks *callbacks, gpointer user_data,
    GCancellable *cancellable, void (*kick) (gpointer engine), gpointer engine)
{
  AmsDelivery *self = g_new0 (AmsDelivery, 1);
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (ams_delivery_debug, "amsdelivery", 0,
        "amshls: delivery of files to stores");
    g_once_init_leave (&once, 1);
  }
  self->store = g_object_ref (store);
  self->config = *config;
  self->callbacks = *callbacks;
  self->kick = kick;
  self->engine = engine;
  self->user_data = user_data;
  self->schedule = ams_schedule_new (config->max_parallel, on_dropped, self);
  self->faults = ams_faults_new ();
  self->remove_faults = ams_faults_new ();
  self->lanes = g_ptr_array_new_with_free_func (ams_delivery_lane_free);
  ams_delivery_select (self, 0);
  self->withheld =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->cancellable = g_object_ref (cancellable);
  self->operations = g_hash_table_new (NULL, NULL);
  self->lineages = ams_lineages_new ();
  self->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->is_held_back = config->at_eos;
  if (config->probe)
    self->probe = ams_probe_new (store, cancellable, on_probed, self);
  ams_schedule_set_version_interval (self->schedule,
      config->playlist_min_interval);
  if (config->spool)
    ams_delivery_take_up (self);
  return self;
}

void
ams_delivery_free (AmsDelivery *self)
{
  GHashTableIter iter;
  gpointer operation;

  g_cancellable_cancel (self->cancellable);
  g_hash_table_iter_init (&iter, self->operations);
  while (g_hash_table_iter_next (&iter, &operation, NULL))
    ams_operation_orphan (operation);
  g_hash_table_unref (self->operations);
  g_clear_pointer (&self->probe, ams_probe_free);
  g_ptr_array_unref (self->lanes);
  ams_schedule_free (self->schedule);
  ams_faults_free (self->faults);
  ams_faults_free (self->remove_faults);
  g_hash_table_unref (self->withheld);
  g_clear_error (&self->queue_fault);
  ams_lineages_free (self->lineages);
  g_hash_table_unref (self->taken);
  g_clear_pointer (&self->config.spool, ams_spool_close);
  g_object_unref (self->cancellable);
  g_object_unref (self->store);
  g_free (self);
}
