/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsdelivery.h"

#include "transfer/amsfaults.h"
#include "transfer/amsschedule.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (ams_delivery_debug);
#define GST_CAT_DEFAULT ams_delivery_debug

/* A file that was handed over: the data of its job. */
typedef struct
{
  gchar *name;
  AmsFileRole role;
  gchar *content_type;
  guint64 version;
  gboolean final;
  GStrv failed;
  guint64 lineage;
  AmsBody *body; /* NULL: an adoption */
  guint64 held; /* of body, as counted in AmsDelivery.held */
  guint64 size;
} File;

/* The versions of a playlist of which each begins with the whole of the one
 * before are of one lineage. */
typedef struct
{
  guint64 lineage; /* of the version handed over last */
  guint64 handed_size; /* its size; 0: it never became whole */
  guint64 stored_lineage; /* of the version confirmed last; 0: none */
  guint64 stored_size;
} Playlist;

/* An operation of the store. It outlives the delivery if the store does not heed
 * its cancellable; then the delivery is NULL. */
typedef struct
{
  AmsDelivery *delivery;
  AmsStore *store;
  AmsJob *job;
  AmsPut put;
  AmsBody *body;
  gchar *name;
  gchar *content_type;
} Operation;

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
  GError *queue_fault; /* said, not over */
  GCancellable *cancellable;
  GHashTable *operations; /* set of Operation */
  GHashTable *playlists; /* name → Playlist */
  File *open;
  guint64 held;
  AmsDeliveryStats stats;
};

/* Files */

static void
file_free (gpointer data)
{
  File *file = data;

  g_clear_object (&file->body);
  g_free (file->name);
  g_free (file->content_type);
  g_strfreev (file->failed);
  g_free (file);
}

static File *
file_new (const AmsFileBegin *begin)
{
  File *file = g_new0 (File, 1);

  file->name = g_strdup (begin->name);
  file->role = begin->role;
  file->content_type = g_strdup (begin->content_type);
  file->version = begin->version;
  file->final = begin->final;
  file->failed = g_strdupv (begin->failed);
  return file;
}

static AmsFileInfo
file_info (const File *file)
{
  return (AmsFileInfo){ file->name, file->role, file->version, file->size };
}

static gboolean
is_playlist (const File *file)
{
  return file->role == AMS_FILE_ROLE_PLAYLIST ||
      file->role == AMS_FILE_ROLE_MASTER;
}

/* Only what the recording can do without may be given up for want of room. */
static gboolean
is_droppable (const File *file)
{
  return file->role == AMS_FILE_ROLE_SEGMENT ||
      file->role == AMS_FILE_ROLE_OTHER;
}

static void
count_held (AmsDelivery *self, File *file)
{
  guint64 held = file->body ? ams_body_get_held (file->body) : 0;

  self->held += held - file->held;
  file->held = held;
}

/* The file is out of the schedule (or never was in it): its bytes go. */
static void
uncount (AmsDelivery *self, File *file)
{
  self->held -= file->held;
  file->held = 0;
}

/* Faults */

static void
say_warning (AmsDelivery *self, const GError *error, const gchar *name)
{
  GST_WARNING ("%s: %s", name ? name : "delivery", error->message);
  self->callbacks.warning (error, name, self->user_data);
}

static void
note_failure (AmsDelivery *self, const gchar *name, const GError *error)
{
  if (ams_faults_add (self->faults, name, ams_store_error_get_failure (error),
          error))
    say_warning (self, error, name);
}

static void
note_success (AmsDelivery *self, const gchar *name)
{
  GError *over;

  while ((over = ams_faults_clear (self->faults, name))) {
    self->callbacks.recovered (over, self->user_data);
    g_error_free (over);
  }
}

static void
announce_failed (AmsDelivery *self, const File *file, const GError *error)
{
  AmsFileInfo info = file_info (file);

  self->stats.failed_files++;
  GST_WARNING ("giving up %s: %s", file->name, error->message);
  self->callbacks.failed (&info, error, self->user_data);
}

static void
give_up_job (AmsDelivery *self, AmsJob *job, const GError *error)
{
  g_autofree gchar *name = g_strdup (job->name);
  File *file = g_steal_pointer (&job->data);

  /* The next version of a playlist would only say it again. */
  if (!file || !is_playlist (file))
    ams_faults_forget (self->faults, name);
  ams_schedule_give_up (self->schedule, job);
  if (!file)
    return;
  uncount (self, file);
  if (file->body)
    ams_body_abandon (file->body);
  announce_failed (self, file, error);
  file_free (file);
}

static void
on_dropped (const AmsJob *job, AmsDropReason reason, gpointer user_data)
{
  AmsDelivery *self = user_data;
  File *file = job->data;
  g_autoptr (GError) error = NULL;

  ams_faults_forget (self->faults, job->name);
  if (!file)
    return;
  uncount (self, file);
  self->stats.superseded++;
  if (reason != AMS_DROP_WITHHELD || !file->final)
    return;
  error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "The last version of “%s” is withheld: it names a file that could not be "
      "stored",
      file->name);
  say_warning (self, error, file->name);
}

/* The open file */

static Playlist *
lookup_playlist (AmsDelivery *self, const gchar *name)
{
  Playlist *playlist = g_hash_table_lookup (self->playlists, name);

  if (!playlist) {
    playlist = g_new0 (Playlist, 1);
    g_hash_table_insert (self->playlists, g_strdup (name), playlist);
  }
  return playlist;
}

static void
join_lineage (AmsDelivery *self, File *file, guint64 extends)
{
  Playlist *playlist = lookup_playlist (self, file->name);

  if (extends == 0 || extends != playlist->handed_size)
    playlist->lineage++;
  playlist->handed_size = 0;
  file->lineage = playlist->lineage;
}

void
ams_delivery_begin (AmsDelivery *self, const AmsFileBegin *begin)
{
  ams_delivery_abandon (self);
  self->open = file_new (begin);
  self->open->body = ams_store_create_body (self->store, begin);
  if (is_playlist (self->open))
    join_lineage (self, self->open, begin->extends);
}

void
ams_delivery_write (AmsDelivery *self, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  gboolean had_held;

  if (!self->open)
    return;
  had_held = self->open->held > 0;
  if (!ams_body_append (self->open->body, bytes, &error))
    note_failure (self, self->open->name, error);
  else if (had_held && ams_body_drains (self->open->body))
    note_success (self, self->open->name);
  count_held (self, self->open);
}

static File *
close_open (AmsDelivery *self)
{
  File *file = g_steal_pointer (&self->open);

  uncount (self, file);
  ams_body_abandon (file->body);
  ams_faults_forget (self->faults, file->name);
  return file;
}

void
ams_delivery_abandon (AmsDelivery *self)
{
  if (self->open)
    file_free (close_open (self));
}

static void
fail_open (AmsDelivery *self, const GError *error)
{
  File *file = close_open (self);

  ams_schedule_add_failed (self->schedule, file->name, file->role);
  announce_failed (self, file, error);
  file_free (file);
}

static GError *
new_queue_error (AmsDelivery *self)
{
  return ams_store_error_new (AMS_FAILURE_FULL, 0, 0,
      "More than max-queue-bytes (%" G_GUINT64_FORMAT
      ") wait for the store, so segments are given up",
      self->config.max_queue_bytes);
}

static void
say_queue_fault (AmsDelivery *self, const gchar *name)
{
  if (self->queue_fault)
    return;
  self->queue_fault = new_queue_error (self);
  say_warning (self, self->queue_fault, name);
}

void
ams_delivery_give_up_open (AmsDelivery *self)
{
  g_autoptr (GError) error = new_queue_error (self);

  if (!self->open)
    return;
  say_queue_fault (self, self->open->name);
  fail_open (self, error);
}

static AmsJob *
file_to_job (File *file)
{
  AmsJob *job = ams_job_new (AMS_JOB_PUT, file->name, file->role);

  job->version = file->version;
  job->final = file->final;
  job->failed = g_steal_pointer (&file->failed);
  job->data = file;
  job->free_data = file_free;
  return job;
}

/* What upstream says is longer than what it sent: bytes are missing. */
static void
fail_short (AmsDelivery *self, guint64 size)
{
  g_autoptr (GError) error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "“%s” should have %" G_GUINT64_FORMAT
      " bytes, but only %" G_GUINT64_FORMAT " came",
      self->open->name, size, ams_body_get_size (self->open->body));

  say_warning (self, error, self->open->name);
  fail_open (self, error);
}

void
ams_delivery_end (AmsDelivery *self, const AmsFileEnd *end)
{
  File *file = self->open;

  if (!file)
    return;
  if (!end->complete) {
    ams_delivery_abandon (self);
    return;
  }
  if (end->size > ams_body_get_size (file->body)) {
    fail_short (self, end->size);
    return;
  }
  self->open = NULL;
  file->size = end->size;
  ams_body_finish (file->body, file->size);
  count_held (self, file);
  if (is_playlist (file))
    lookup_playlist (self, file->name)->handed_size = file->size;
  ams_schedule_add (self->schedule, file_to_job (file),
      g_get_monotonic_time ());
}

void
ams_delivery_remove (AmsDelivery *self, const gchar *name, gdouble after)
{
  AmsJob *job = ams_job_new (AMS_JOB_REMOVE, name, AMS_FILE_ROLE_OTHER);

  /* A century is for ever, and does not overflow. */
  job->after = MIN (after, 3.2e9) * G_TIME_SPAN_SECOND;
  ams_schedule_add (self->schedule, job, g_get_monotonic_time ());
}

void
ams_delivery_adopt (AmsDelivery *self, const gchar *name, guint64 size)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT };
  AmsJob *job = ams_job_new (AMS_JOB_ADOPT, name, AMS_FILE_ROLE_SEGMENT);
  File *file = file_new (&begin);

  file->size = size;
  job->data = file;
  job->free_data = file_free;
  ams_schedule_add (self->schedule, job, g_get_monotonic_time ());
}

/* Ends of operations */

static void
job_succeeded (AmsDelivery *self, AmsJob *job)
{
  File *file = g_steal_pointer (&job->data);
  g_autofree gchar *name = g_strdup (job->name);

  ams_schedule_done (self->schedule, job);
  if (file) {
    AmsFileInfo info = file_info (file);

    if (is_playlist (file)) {
      Playlist *playlist = lookup_playlist (self, name);

      playlist->stored_lineage = file->lineage;
      playlist->stored_size = file->size;
    }
    uncount (self, file);
    self->stats.stored_files++;
    self->stats.stored_bytes += file->size;
    self->callbacks.stored (&info, self->user_data);
    file_free (file);
  } else {
    g_hash_table_remove (self->playlists, name);
    self->stats.removed_files++;
  }
  note_success (self, name);
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
  const File *file = job->data;
  gint64 delay = ams_retry_delay (ams_store_error_get_failure (error),
      job->attempts, ams_store_error_get_retry_after (error), draw (self));

  if (file)
    info = file_info (file);
  self->stats.retries++;
  self->callbacks.retrying (&info, error, job->attempts, delay,
      self->user_data);
  ams_schedule_retry (self->schedule, job, now + delay);
}

static void
job_failed (AmsDelivery *self, AmsJob *job, const GError *error)
{
  gint64 now = g_get_monotonic_time ();
  AmsFailure failure = ams_store_error_get_failure (error);

  note_failure (self, job->name, error);
  if (ams_retry_goes_on (&self->config.retry, failure, now - job->handed_over))
    retry_job (self, job, error, now);
  else
    give_up_job (self, job, error);
}

static void
operation_free (Operation *operation)
{
  g_clear_object (&operation->body);
  g_object_unref (operation->store);
  g_free (operation->name);
  g_free (operation->content_type);
  g_free (operation);
}

static gboolean
finish_operation (Operation *operation, GAsyncResult *result, GError **error)
{
  AmsStore *store = operation->store;

  switch (operation->job->kind) {
    case AMS_JOB_PUT:
      return ams_store_put_finish (store, result, error);
    case AMS_JOB_ADOPT:
      return ams_store_adopt_finish (store, result, error);
    default:
      return ams_store_remove_finish (store, result, error);
  }
}

static void
on_operation_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  AmsDelivery *self = operation->delivery;
  AmsJob *job = operation->job;
  g_autoptr (GError) error = NULL;

  if (self) {
    gboolean ok = finish_operation (operation, result, &error);

    g_hash_table_remove (self->operations, operation);
    if (job->data)
      count_held (self, job->data);
    if (ok)
      job_succeeded (self, job);
    else if (g_cancellable_is_cancelled (self->cancellable))
      ams_schedule_retry (self->schedule, job, AMS_SCHEDULE_NEVER);
    else
      job_failed (self, job, error);
    self->kick (self->engine);
  }
  operation_free (operation);
}

/* Beginning them */

static guint64
unchanged_bytes (AmsDelivery *self, const File *file)
{
  const Playlist *playlist;

  if (!is_playlist (file))
    return 0;
  playlist = lookup_playlist (self, file->name);
  if (playlist->stored_lineage != file->lineage ||
      playlist->stored_size > file->size)
    return 0;
  return playlist->stored_size;
}

static void
start_put (AmsDelivery *self, Operation *operation, const File *file)
{
  operation->body = g_object_ref (file->body);
  operation->content_type = g_strdup (file->content_type);
  operation->put = (AmsPut){
    .name = operation->name,
    .role = file->role,
    .content_type = operation->content_type,
    .version = file->version,
    .body = operation->body,
    .unchanged = unchanged_bytes (self, file),
  };
  ams_store_put_async (self->store, &operation->put, self->cancellable,
      on_operation_done, operation);
}

static void
start_job (AmsDelivery *self, AmsJob *job)
{
  Operation *operation = g_new0 (Operation, 1);
  const File *file = job->data;

  operation->delivery = self;
  operation->store = g_object_ref (self->store);
  operation->job = job;
  operation->name = g_strdup (job->name);
  g_hash_table_add (self->operations, operation);
  self->stats.attempts++;
  GST_DEBUG ("attempt %u of %s", job->attempts, job->name);
  if (job->kind == AMS_JOB_PUT)
    start_put (self, operation, file);
  else if (job->kind == AMS_JOB_ADOPT)
    ams_store_adopt_async (self->store, operation->name, file->size,
        self->cancellable, on_operation_done, operation);
  else
    ams_store_remove_async (self->store, operation->name, self->cancellable,
        on_operation_done, operation);
}

gint64
ams_delivery_run (AmsDelivery *self)
{
  gint64 next = AMS_SCHEDULE_NEVER;
  AmsJob *job;

  if (g_cancellable_is_cancelled (self->cancellable))
    return next;
  while ((
      job = ams_schedule_pick (self->schedule, g_get_monotonic_time (), &next)))
    start_job (self, job);
  return next;
}

/* Room */

static gboolean
frees_memory (const AmsJob *job, gpointer user_data)
{
  const File *file = job->data;

  return job->kind == AMS_JOB_PUT && is_droppable (file) && file->held > 0;
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
    g_autoptr (GError) error = new_queue_error (self);

    say_queue_fault (self, job->name);
    give_up_job (self, job, error);
    return TRUE;
  }
  if (!self->open || !is_droppable (self->open) || self->open->held == 0)
    return FALSE;
  ams_delivery_give_up_open (self);
  return TRUE;
}

void
ams_delivery_make_room (AmsDelivery *self, guint64 queued)
{
  guint64 max = self->config.max_queue_bytes;

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

guint64
ams_delivery_get_open_held (AmsDelivery *self)
{
  return self->open ? self->open->held : 0;
}

gboolean
ams_delivery_open_drains (AmsDelivery *self)
{
  return self->open && ams_body_drains (self->open->body);
}

gboolean
ams_delivery_is_settled (AmsDelivery *self)
{
  return ams_schedule_is_settled (self->schedule);
}

guint
ams_delivery_get_in_flight (AmsDelivery *self)
{
  return g_hash_table_size (self->operations);
}

void
ams_delivery_get_stats (AmsDelivery *self, AmsDeliveryStats *stats)
{
  const AmsJob *oldest = ams_schedule_peek_oldest (self->schedule);

  *stats = self->stats;
  stats->queued_files = ams_schedule_get_length (self->schedule);
  stats->in_flight = ams_schedule_get_in_flight (self->schedule);
  stats->waiting_removes = ams_schedule_get_waiting_removes (self->schedule);
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
  self->cancellable = g_object_ref (cancellable);
  self->operations = g_hash_table_new (NULL, NULL);
  self->playlists =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
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
    ((Operation *) operation)->delivery = NULL;
  g_hash_table_unref (self->operations);
  /* Dropped, not abandoned: what is on disk stays for the next start. */
  g_clear_pointer (&self->open, file_free);
  ams_schedule_free (self->schedule);
  ams_faults_free (self->faults);
  g_clear_error (&self->queue_fault);
  g_hash_table_unref (self->playlists);
  g_object_unref (self->cancellable);
  g_object_unref (self->store);
  g_free (self);
}
