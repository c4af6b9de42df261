/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "queue.h"

#include "names.h"
#include "naming.h"
#include "task.h"
#include "http/amsputrules.h"
#include "transfer/amsbreaker.h"
#include "transfer/spool/amsspoolbody.h"

/* Names of playlists that are known to have been said. */
#define MAX_REFUSED 10000

struct _HlsUploadQueue
{
  AmsStore *store;
  HlsUploadQueueOptions options;
  HlsUploadOrder *order;
  HlsUploadNaming *naming;
  AmsBreaker breaker;
  GError *fault; /* said, and not over */
  gboolean collides; /* said: a name is taken at the store */
  GHashTable *refused; /* set of names of playlists: said to be refused */
  GCancellable *cancellable;
  guint in_flight;
  guint next_file;
  GSource *wake;
};

/* Tasks */

static HlsUploadTask *
task_new (HlsUploadQueue *self, HlsUploadKind kind, const gchar *name,
    AmsFileRole role)
{
  HlsUploadTask *task = g_new0 (HlsUploadTask, 1);

  task->queue = self;
  task->job = hls_upload_order_begin (self->order, kind, name, role);
  task->job->data = task;
  return task;
}

static void
answer (HlsUploadTask *task, const GError *error)
{
  HlsUploadDone done = g_steal_pointer (&task->done);

  if (done)
    done (error, task->user_data);
}

/* Faults */

static void
note_failure (HlsUploadQueue *self, const gchar *name, const GError *error)
{
  gboolean news = !self->fault ||
      !g_error_matches (error, self->fault->domain, self->fault->code);

  if (!news)
    return;
  g_clear_error (&self->fault);
  self->fault = g_error_copy (error);
  g_printerr ("%s: %s\n", name, error->message);
}

static void
note_success (HlsUploadQueue *self)
{
  if (!self->fault)
    return;
  g_printerr ("It is over: %s\n", self->fault->message);
  g_clear_error (&self->fault);
}

/* Whoever sends it goes on under the next name, which is taken as well: so this is not said of each. */
static void
note_collision (HlsUploadQueue *self, const gchar *name)
{
  if (!self->collides)
    g_printerr ("%s is refused, and so are playlists that name it: another "
                "file with that name is in the store.\n",
        name);
  self->collides = TRUE;
}

/* The same playlist comes again every few seconds. */
static void
note_refused (HlsUploadQueue *self, const gchar *name, const GError *error)
{
  /* Of so many that some are said again. */
  if (g_hash_table_size (self->refused) >= MAX_REFUSED)
    g_hash_table_remove_all (self->refused);
  if (g_hash_table_add (self->refused, g_strdup (name)))
    g_printerr ("%s is refused: %s\n", name, error->message);
}

static void
note_taken (HlsUploadQueue *self, const HlsUploadTask *task)
{
  if (task->job->kind == HLS_UPLOAD_PUT &&
      g_hash_table_remove (self->refused, task->job->name))
    g_printerr ("%s is taken again.\n", task->job->name);
}

/* Ends */

static void
settle (HlsUploadTask *task, const GError *error, AmsSpoolFate fate)
{
  if (task->id)
    ams_spool_settle (task->queue->options.spool, task->id, task->body, fate);
  else if (task->body && error)
    ams_body_abandon (task->body);
  /* Whoever sent it was told that it is safe. */
  if (task->id && error)
    g_printerr ("%s is given up: %s\n", task->job->name, error->message);
  answer (task, error);
  hls_upload_task_free (task);
}

static void
settle_merged (HlsUploadTask *task, const GError *error)
{
  GPtrArray *merged = task->job->merged;

  for (guint i = 0; merged && i < merged->len; i++) {
    HlsUploadJob *job = g_ptr_array_index (merged, i);

    settle (job->data, error, AMS_SPOOL_DROPPED);
  }
}

/* Only who waits for an answer is still needed of the versions that @task goes in place of, as that is safe
 * where they were. */
static void
let_give_way (HlsUploadTask *task)
{
  GPtrArray *merged = task->job->merged;

  for (guint i = merged ? merged->len : 0; i-- > 0;) {
    HlsUploadTask *older =
        ((HlsUploadJob *) g_ptr_array_index (merged, i))->data;

    hls_upload_task_drop_body (older, task->queue->options.spool);
    if (older->done)
      continue;
    g_ptr_array_remove_index (merged, i);
    hls_upload_task_free (older);
  }
}

/* A playlist is what it was when another was refused; but under the name of a segment that was refused
 * are other media than a playlist that names it means. */
static gboolean
is_there (const HlsUploadTask *task, const GError *error)
{
  return !error ||
      (!task->id && task->job->role == AMS_FILE_ROLE_PLAYLIST &&
          g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_EXISTS));
}

static void
doom (HlsUploadTask *list, const HlsUploadTask *missing)
{
  g_autoptr (GError) why = g_error_new (HLS_UPLOAD_ERROR, 503,
      HLS_UPLOAD_NAMES_FAILED, missing->job->name);

  if (!list->id)
    note_refused (list->queue, list->job->name, why);
  if (hls_upload_naming_remove (list->queue->naming, list) &&
      list->queue->options.spool)
    hls_upload_task_discard (list, list->queue->options.spool);
  settle_merged (list, why);
  settle (list, why, AMS_SPOOL_GIVEN_UP);
}

static void
end_task (HlsUploadTask *task, const GError *error)
{
  HlsUploadQueue *self = task->queue;
  g_autoptr (GPtrArray) doomed =
      hls_upload_order_end (self->order, task->job, is_there (task, error));

  for (guint i = 0; i < doomed->len; i++)
    doom (((HlsUploadJob *) g_ptr_array_index (doomed, i))->data, task);
  settle_merged (task, error);
  settle (task, error, error ? AMS_SPOOL_GIVEN_UP : AMS_SPOOL_STORED);
}

/* Attempts */

static void run (HlsUploadQueue *self);

static gboolean
on_wake (gpointer user_data)
{
  run (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
goes_on (const HlsUploadTask *task, AmsFailure failure, gint64 now)
{
  AmsRetryPolicy policy = { task->queue->options.retry_for };

  if (task->id)
    policy.retry_for = AMS_RETRY_FOREVER;
  else if (failure == AMS_FAILURE_PERMANENT || !task->done)
    return FALSE;
  return ams_retry_goes_on (&policy, failure, now - task->handed_over);
}

static gboolean
is_about_the_file (AmsFailure failure)
{
  return failure == AMS_FAILURE_EXISTS || failure == AMS_FAILURE_LOST ||
      failure == AMS_FAILURE_UNSUPPORTED || failure == AMS_FAILURE_ABSENT;
}

static void
take_failure (HlsUploadTask *task, const GError *error)
{
  HlsUploadQueue *self = task->queue;
  AmsFailure failure = ams_store_error_get_failure (error);
  guint retry_after = ams_store_error_get_retry_after (error);
  gint64 now = g_get_monotonic_time (), delay;

  if (!is_about_the_file (failure)) {
    note_failure (self, task->job->name, error);
    delay = ams_retry_delay (
        failure == AMS_FAILURE_PERMANENT ? AMS_FAILURE_TRANSIENT : failure,
        ams_breaker_get_streak (&self->breaker) + 1, retry_after,
        g_random_double ());
    ams_breaker_fail (&self->breaker, failure,
        ams_store_error_get_http_status (error), now, delay);
  }
  if (!goes_on (task, failure, now)) {
    if (failure == AMS_FAILURE_EXISTS && !task->id)
      note_collision (self, task->job->name);
    end_task (task, error);
    return;
  }
  delay = ams_retry_delay (failure, task->attempts, retry_after,
      g_random_double ());
  hls_upload_order_retry (self->order, task->job, now + delay);
}

static void
on_attempted (GObject *store, GAsyncResult *result, gpointer user_data)
{
  HlsUploadTask *task = user_data;
  HlsUploadQueue *self = task->queue;
  g_autoptr (GError) error = NULL;
  gboolean done = task->job->kind == HLS_UPLOAD_REMOVE
      ? ams_store_remove_finish (AMS_STORE (store), result, &error)
      : ams_store_put_finish (AMS_STORE (store), result, &error);

  self->in_flight--;
  if (done) {
    ams_breaker_succeed (&self->breaker);
    note_success (self);
    if (task->protect)
      self->collides = FALSE;
    end_task (task, NULL);
  } else if (g_cancellable_is_cancelled (self->cancellable)) {
    hls_upload_order_retry (self->order, task->job, G_MAXINT64);
  } else {
    take_failure (task, error);
  }
  run (self);
}

/* To the store a segment is what is not replaced. */
static void
attempt (HlsUploadTask *task)
{
  HlsUploadQueue *self = task->queue;

  let_give_way (task);
  self->in_flight++;
  task->attempts++;
  if (task->job->kind == HLS_UPLOAD_REMOVE) {
    ams_store_remove_async (self->store, task->job->name, self->cancellable,
        on_attempted, task);
    return;
  }
  task->put = (AmsPut){ .name = task->job->name,
    .role = task->protect ? AMS_FILE_ROLE_SEGMENT : AMS_FILE_ROLE_OTHER,
    .content_type = task->content_type,
    .body = task->body,
    .attempts = task->attempts };
  ams_store_put_async (self->store, &task->put, self->cancellable, on_attempted,
      task);
}

static void
run (HlsUploadQueue *self)
{
  gint64 next = G_MAXINT64, now = g_get_monotonic_time ();
  HlsUploadJob *job = NULL;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  while (self->in_flight < self->options.max_parallel &&
      ams_breaker_allows (&self->breaker, self->in_flight, now, &next) &&
      (job = hls_upload_order_pick (self->order, now, &next)))
    attempt (job->data);
  g_source_set_ready_time (self->wake, next == G_MAXINT64 ? -1 : next);
}

/* Handing over */

static void
line_up (HlsUploadTask *task)
{
  task->handed_over = g_get_monotonic_time ();
  note_taken (task->queue, task);
  hls_upload_order_hand_over (task->queue->order, task->job);
  let_give_way (task);
}

static void
refuse (HlsUploadTask *task, const GError *error)
{
  HlsUploadQueue *self = task->queue;

  note_refused (self, task->job->name, error);
  if (self->options.spool)
    hls_upload_task_discard (task, self->options.spool);
  end_task (task, error);
}

/* It is safe before those that it takes the place of are dropped. */
static void
on_named (HlsUploadTask *task, const GError *fault)
{
  HlsUploadQueue *self = task->queue;
  AmsSpool *spool = self->options.spool;
  g_autoptr (GError) error = NULL;

  if (fault) {
    refuse (task, fault);
  } else if (spool && !hls_upload_task_keep (task, spool, &error)) {
    note_failure (self, task->job->name, error);
    end_task (task, error);
  } else {
    if (spool)
      answer (task, NULL);
    line_up (task);
  }
  run (self);
}

/* Media do not wait for what is read of playlists. */
static void
hand_over (HlsUploadTask *task)
{
  HlsUploadQueue *self = task->queue;

  if (task->job->kind == HLS_UPLOAD_REMOVE ||
      task->job->role == AMS_FILE_ROLE_PLAYLIST)
    hls_upload_naming_add (self->naming, task);
  else
    on_named (task, NULL);
}

/* From the server */

static AmsBody *
create_body (HlsUploadTask *task)
{
  HlsUploadQueue *self = task->queue;
  AmsFileBegin begin = hls_upload_task_to_begin (task);
  g_autofree gchar *name = NULL;

  if (self->options.spool)
    return ams_spool_create_body (self->options.spool, &begin);
  name = g_strdup_printf ("%u", ++self->next_file);
  task->path = g_build_filename (self->options.folder, name, NULL);
  return ams_spool_body_new (task->path);
}

HlsUploadTask *
hls_upload_queue_begin (HlsUploadQueue *self, const gchar *name,
    const gchar *content_type, gboolean protect, HlsUploadDone done,
    gpointer user_data)
{
  AmsFileRole role = hls_upload_role_of (name);
  HlsUploadTask *task = task_new (self, HLS_UPLOAD_PUT, name, role);

  task->content_type = g_strdup (
      content_type ? content_type : ams_file_content_type (role, name));
  task->protect = protect;
  task->job->replaceable = role == AMS_FILE_ROLE_PLAYLIST && !protect;
  task->done = done;
  task->user_data = user_data;
  task->body = create_body (task);
  return task;
}

gboolean
hls_upload_task_append (HlsUploadTask *task, GBytes *bytes, GError **error)
{
  return ams_body_append (task->body, bytes, error);
}

guint64
hls_upload_task_get_size (HlsUploadTask *task)
{
  return ams_body_get_size (task->body);
}

void
hls_upload_task_hand_over (HlsUploadTask *task)
{
  ams_body_finish (task->body, ams_body_get_size (task->body));
  hand_over (task);
}

void
hls_upload_task_abandon (HlsUploadTask *task)
{
  g_autoptr (GError) error =
      g_error_new_literal (HLS_UPLOAD_ERROR, 400, "The upload was cut off.");
  HlsUploadQueue *self = task->queue;

  task->done = NULL;
  end_task (task, error);
  run (self);
}

void
hls_upload_task_forget (HlsUploadTask *task)
{
  task->done = NULL;
}

void
hls_upload_queue_remove (HlsUploadQueue *self, const gchar *name,
    HlsUploadDone done, gpointer user_data)
{
  HlsUploadTask *task =
      task_new (self, HLS_UPLOAD_REMOVE, name, AMS_FILE_ROLE_OTHER);

  task->done = done;
  task->user_data = user_data;
  hand_over (task);
}

AmsBody *
hls_upload_queue_peek (HlsUploadQueue *self, const gchar *name)
{
  if (!self->options.spool)
    return NULL;
  return ams_spool_open_waiting (self->options.spool, name);
}

gboolean
hls_upload_queue_is_settled (HlsUploadQueue *self)
{
  return hls_upload_order_get_length (self->order) == 0 ||
      (self->options.spool && self->in_flight == 0 && self->fault &&
          hls_upload_naming_is_empty (self->naming));
}

/* What an earlier session left in the spool */

static void
take_up_entry (HlsUploadQueue *self, AmsSpoolEntry *entry)
{
  gboolean is_put = entry->kind == AMS_SPOOL_PUT;
  HlsUploadTask *task =
      task_new (self, is_put ? HLS_UPLOAD_PUT : HLS_UPLOAD_REMOVE,
          entry->begin.name, entry->begin.role);
  g_autoptr (GError) error = NULL;

  task->id = entry->id;
  task->body = g_steal_pointer (&entry->body);
  task->content_type = g_strdup (entry->begin.content_type);
  task->protect =
      ams_put_is_made_once (entry->begin.role) && !self->options.overwrite;
  task->job->replaceable =
      is_put && entry->begin.role == AMS_FILE_ROLE_PLAYLIST;
  if (hls_upload_task_name_files (task, self->order, &error))
    line_up (task);
  else
    end_task (task, error);
}

static void
take_up (HlsUploadQueue *self)
{
  AmsSpool *spool = self->options.spool;
  g_autoptr (GPtrArray) entries = ams_spool_take_up (spool);
  g_auto (GStrv) failed = ams_spool_dup_unheeded (spool);

  for (guint i = 0; failed[i]; i++)
    hls_upload_order_add_failed (self->order, failed[i]);
  for (guint i = 0; i < entries->len; i++)
    take_up_entry (self, g_ptr_array_index (entries, i));
  if (entries->len > 0)
    g_printerr ("%u files that were taken earlier are on their way.\n",
        entries->len);
}

/* Life */

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

HlsUploadQueue *
hls_upload_queue_new (AmsStore *store, const HlsUploadQueueOptions *options)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  HlsUploadQueue *self = g_new0 (HlsUploadQueue, 1);

  self->store = g_object_ref (store);
  self->options = *options;
  self->options.folder = g_strdup (options->folder);
  self->order = hls_upload_order_new ();
  self->naming = hls_upload_naming_new (self->order, on_named);
  self->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->cancellable = g_cancellable_new ();
  self->wake = g_source_new (&funcs, sizeof (GSource));
  g_source_set_callback (self->wake, on_wake, self, NULL);
  g_source_attach (self->wake, NULL);
  if (options->spool)
    take_up (self);
  g_source_set_ready_time (self->wake, 0);
  return self;
}

static void
free_tasks (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++) {
    HlsUploadJob *job = g_ptr_array_index (jobs, i);

    if (job->merged)
      free_tasks (job->merged);
    hls_upload_task_free (job->data);
  }
}

void
hls_upload_queue_free (HlsUploadQueue *self)
{
  g_autoptr (GPtrArray) left = NULL;

  g_cancellable_cancel (self->cancellable);
  while (self->in_flight > 0)
    g_main_context_iteration (NULL, TRUE);
  hls_upload_naming_free (self->naming);
  g_source_destroy (self->wake);
  g_source_unref (self->wake);
  g_clear_pointer (&self->options.spool, ams_spool_close);
  left = hls_upload_order_end_all (self->order);
  free_tasks (left);
  hls_upload_order_free (self->order);
  g_hash_table_unref (self->refused);
  g_clear_error (&self->fault);
  g_object_unref (self->cancellable);
  g_object_unref (self->store);
  g_free (self->options.folder);
  g_free (self);
}
