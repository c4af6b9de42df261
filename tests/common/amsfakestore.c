/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "amsfakestore.h"

#include "transfer/amscopybody.h"

#include <string.h>

#define WATCHDOG (20 * G_TIME_SPAN_SECOND)

/* The log */

struct _AmsLog
{
  GMutex lock;
  GCond changed;
  GPtrArray *lines;
};

AmsLog *
ams_log_new (void)
{
  AmsLog *log = g_new0 (AmsLog, 1);

  g_mutex_init (&log->lock);
  g_cond_init (&log->changed);
  log->lines = g_ptr_array_new_with_free_func (g_free);
  return log;
}

void
ams_log_free (AmsLog *log)
{
  g_mutex_clear (&log->lock);
  g_cond_clear (&log->changed);
  g_ptr_array_unref (log->lines);
  g_free (log);
}

void
ams_log_add (AmsLog *log, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_mutex_lock (&log->lock);
  g_ptr_array_add (log->lines, g_strdup_vprintf (format, args));
  g_cond_broadcast (&log->changed);
  g_mutex_unlock (&log->lock);
  va_end (args);
}

static guint
count_locked (AmsLog *log, const gchar *line)
{
  guint n = 0;

  for (guint i = 0; i < log->lines->len; i++)
    n += strcmp (log->lines->pdata[i], line) == 0;
  return n;
}

static void
die_locked (AmsLog *log, const gchar *line)
{
  for (guint i = 0; i < log->lines->len; i++)
    g_printerr ("# %s\n", (gchar *) log->lines->pdata[i]);
  g_error ("waited in vain for “%s”", line);
}

void
ams_log_wait_times (AmsLog *log, const gchar *line, guint times)
{
  gint64 deadline = g_get_monotonic_time () + WATCHDOG;

  g_mutex_lock (&log->lock);
  while (count_locked (log, line) < times) {
    if (!g_cond_wait_until (&log->changed, &log->lock, deadline))
      die_locked (log, line);
  }
  g_mutex_unlock (&log->lock);
}

guint
ams_log_count (AmsLog *log, const gchar *line)
{
  guint n;

  g_mutex_lock (&log->lock);
  n = count_locked (log, line);
  g_mutex_unlock (&log->lock);
  return n;
}

gboolean
ams_log_has (AmsLog *log, const gchar *line)
{
  return ams_log_count (log, line) > 0;
}

guint
ams_log_index (AmsLog *log, const gchar *line)
{
  guint i;

  g_mutex_lock (&log->lock);
  for (i = 0; i < log->lines->len; i++) {
    if (strcmp (log->lines->pdata[i], line) == 0)
      break;
  }
  if (i == log->lines->len)
    die_locked (log, line);
  g_mutex_unlock (&log->lock);
  return i;
}

/* The store */

typedef struct
{
  AmsFakeOutcome outcome;
  AmsFailure failure;
  guint http_status, retry_after;
} Step;

struct _AmsFakeStore
{
  GObject parent;

  AmsLog *log;
  GMutex lock; /* guards the rest; the log's is taken under it */
  GCond changed;
  GHashTable *scripts; /* name → GQueue of Step */
  GHashTable *hanging; /* name → GTask */
  GHashTable *blocked; /* set of names */
  GHashTable *released; /* set of names, released before they hung */
  GHashTable *files; /* name → GBytes */
  GHashTable *attempts; /* name → AmsPut.attempts of its last put */
  gboolean lists;
};

static void ams_fake_store_store_init (AmsStoreInterface *iface);

G_DEFINE_TYPE_WITH_CODE (AmsFakeStore, ams_fake_store, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_fake_store_store_init))

static Step
next_step (AmsFakeStore *self, const gchar *name)
{
  Step step = { FAKE_OK, 0 };
  GQueue *script;
  Step *next;

  g_mutex_lock (&self->lock);
  script = g_hash_table_lookup (self->scripts, name);
  next = script ? g_queue_pop_head (script) : NULL;
  if (next)
    step = *next;
  g_mutex_unlock (&self->lock);
  g_free (next);
  return step;
}

typedef struct
{
  gchar *name;
  GBytes *bytes;
} Operation;

static void
operation_free (gpointer data)
{
  Operation *operation = data;

  g_free (operation->name);
  g_clear_pointer (&operation->bytes, g_bytes_unref);
  g_free (operation);
}

static void
succeed (GTask *task)
{
  AmsFakeStore *self = g_task_get_source_object (task);
  Operation *operation = g_task_get_task_data (task);

  g_mutex_lock (&self->lock);
  if (operation->bytes)
    g_hash_table_replace (self->files, g_strdup (operation->name),
        g_bytes_ref (operation->bytes));
  g_mutex_unlock (&self->lock);
  ams_log_add (self->log, "done %s", operation->name);
  g_task_return_boolean (task, TRUE);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  AmsFakeStore *self = user_data;
  GHashTableIter iter;
  gpointer task;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->hanging);
  while (g_hash_table_iter_next (&iter, NULL, &task)) {
    if (g_task_get_cancellable (task) == cancellable) {
      g_task_return_error_if_cancelled (task);
      g_hash_table_iter_remove (&iter);
    }
  }
  g_mutex_unlock (&self->lock);
}

static void
hang (AmsFakeStore *self, GTask *task, const gchar *name)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  gboolean released;

  g_mutex_lock (&self->lock);
  released = g_hash_table_remove (self->released, name);
  if (!released)
    g_hash_table_replace (self->hanging, g_strdup (name), g_object_ref (task));
  g_mutex_unlock (&self->lock);
  if (released)
    succeed (task);
  else if (cancellable)
    g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

static void
block (AmsFakeStore *self, const gchar *name)
{
  g_mutex_lock (&self->lock);
  if (!g_hash_table_remove (self->released, name))
    g_hash_table_add (self->blocked, g_strdup (name));
  while (g_hash_table_contains (self->blocked, name))
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

/* (transfer full) bytes */
static void
operate (AmsFakeStore *self, const gchar *name, GBytes *bytes,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Operation *operation = g_new0 (Operation, 1);
  Step step = next_step (self, name);

  g_task_set_check_cancellable (task, FALSE);
  operation->name = g_strdup (name);
  operation->bytes = bytes;
  g_task_set_task_data (task, operation, operation_free);
  switch (step.outcome) {
    case FAKE_FAIL:
      g_task_return_error (task,
          ams_store_error_new (step.failure, step.http_status, step.retry_after,
              "scripted: %s", ams_failure_to_string (step.failure)));
      break;
    case FAKE_HANG:
      hang (self, task, name);
      break;
    case FAKE_DEAF:
      g_mutex_lock (&self->lock);
      g_hash_table_replace (self->hanging, g_strdup (name),
          g_object_ref (task));
      g_mutex_unlock (&self->lock);
      break;
    case FAKE_BLOCK:
      block (self, name);
      succeed (task);
      break;
    default:
      succeed (task);
      break;
  }
}

/* As a store on the network has them. */
static AmsBody *
fake_create_body (AmsStore *store, const AmsFileBegin *begin)
{
  return begin->local_path ? ams_copy_body_new (begin->local_path)
                           : ams_memory_body_new ();
}

static GBytes *
read_body (AmsBody *body, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 block[256];
  gssize n;

  while ((n = ams_body_read (body, bytes->len, block, sizeof block, error)) > 0)
    g_byte_array_append (bytes, block, n);
  return n < 0 ? NULL : g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static void
fake_put_async (AmsStore *store, const AmsPut *put, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsFakeStore *self = AMS_FAKE_STORE (store);
  GError *error = NULL;
  GBytes *bytes = read_body (put->body, &error);

  ams_log_add (self->log, "put %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
      put->name, put->version, put->unchanged);
  g_mutex_lock (&self->lock);
  g_hash_table_replace (self->attempts, g_strdup (put->name),
      GUINT_TO_POINTER (put->attempts));
  g_mutex_unlock (&self->lock);
  if (bytes)
    operate (self, put->name, bytes, cancellable, callback, user_data);
  else
    g_task_report_error (self, callback, user_data, fake_put_async, error);
}

static void
fake_notify_async (AmsStore *store, AmsBody *body, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  AmsFakeStore *self = AMS_FAKE_STORE (store);
  GBytes *bytes = read_body (body, NULL);

  ams_log_add (self->log, "notify %.*s", (gint) g_bytes_get_size (bytes),
      (const gchar *) g_bytes_get_data (bytes, NULL));
  operate (self, AMS_FAKE_NOTIFY, bytes, cancellable, callback, user_data);
}

static void
fake_remove_async (AmsStore *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsFakeStore *self = AMS_FAKE_STORE (store);

  ams_log_add (self->log, "remove %s", name);
  operate (self, name, NULL, cancellable, callback, user_data);
}

static void
fake_adopt_async (AmsStore *store, const gchar *name, const gchar *from,
    guint64 size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsFakeStore *self = AMS_FAKE_STORE (store);

  ams_log_add (self->log, "adopt %s %" G_GUINT64_FORMAT, name, size);
  operate (self, name, NULL, cancellable, callback, user_data);
}

static gboolean
finish_boolean (AmsStore *store, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
fake_fetch_async (AmsStore *store, const gchar *name, gboolean partial,
    guint64 max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data)
{
  AmsFakeStore *self = AMS_FAKE_STORE (store);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Step step = next_step (self, name);
  GBytes *bytes;

  if (step.outcome == FAKE_HANG) {
    ams_log_add (self->log, "fetch %s", name);
    hang (self, task, name);
    return;
  }
  g_mutex_lock (&self->lock);
  bytes = g_hash_table_lookup (self->files, name);
  if (bytes)
    g_bytes_ref (bytes);
  g_mutex_unlock (&self->lock);
  if (step.outcome == FAKE_FAIL) {
    g_clear_pointer (&bytes, g_bytes_unref);
    g_task_return_error (task,
        ams_store_error_new (step.failure, 0, 0, "scripted"));
  } else if (bytes)
    g_task_return_pointer (task, bytes, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_ABSENT, 0, 0, "no such file"));
}

static GBytes *
fake_fetch_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Under the lock. */
static GPtrArray *
list_files (AmsFakeStore *self, const gchar *prefix)
{
  GPtrArray *entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);
  GHashTableIter iter;
  gpointer name, bytes;

  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &name, &bytes)) {
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (entries,
          ams_file_entry_new (name, g_bytes_get_size (bytes), FALSE));
  }
  return entries;
}

static void
fake_list_async (AmsStore *store, const gchar *prefix,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  AmsFakeStore *self = AMS_FAKE_STORE (store);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_mutex_lock (&self->lock);
  if (self->lists)
    g_task_return_pointer (task, list_files (self, prefix),
        (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_UNSUPPORTED, 0, 0, "no lists here"));
  g_mutex_unlock (&self->lock);
}

static GPtrArray *
fake_list_finish (AmsStore *store, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
ams_fake_store_store_init (AmsStoreInterface *iface)
{
  iface->create_body = fake_create_body;
  iface->put_async = fake_put_async;
  iface->put_finish = finish_boolean;
  iface->remove_async = fake_remove_async;
  iface->remove_finish = finish_boolean;
  iface->adopt_async = fake_adopt_async;
  iface->adopt_finish = finish_boolean;
  iface->fetch_async = fake_fetch_async;
  iface->fetch_finish = fake_fetch_finish;
  iface->notify_async = fake_notify_async;
  iface->notify_finish = finish_boolean;
  iface->list_async = fake_list_async;
  iface->list_finish = fake_list_finish;
}

/* For tests */

AmsLog *
ams_fake_store_get_log (AmsFakeStore *self)
{
  return self->log;
}

static void
free_script (gpointer script)
{
  g_queue_free_full (script, g_free);
}

static void
add_step (AmsFakeStore *self, const gchar *name, Step what)
{
  Step *step = g_memdup2 (&what, sizeof what);
  GQueue *script;

  g_mutex_lock (&self->lock);
  script = g_hash_table_lookup (self->scripts, name);
  if (!script) {
    script = g_queue_new ();
    g_hash_table_insert (self->scripts, g_strdup (name), script);
  }
  g_queue_push_tail (script, step);
  g_mutex_unlock (&self->lock);
}

void
ams_fake_store_script (AmsFakeStore *self, const gchar *name,
    AmsFakeOutcome outcome, AmsFailure failure)
{
  add_step (self, name, (Step){ outcome, failure, 0, 0 });
}

void
ams_fake_store_script_failure (AmsFakeStore *self, const gchar *name,
    AmsFailure failure, guint http_status, guint retry_after)
{
  add_step (self, name, (Step){ FAKE_FAIL, failure, http_status, retry_after });
}

void
ams_fake_store_set_lists (AmsFakeStore *self, gboolean lists)
{
  g_mutex_lock (&self->lock);
  self->lists = lists;
  g_mutex_unlock (&self->lock);
}

guint
ams_fake_store_get_attempts (AmsFakeStore *self, const gchar *name)
{
  guint attempts;

  g_mutex_lock (&self->lock);
  attempts = GPOINTER_TO_UINT (g_hash_table_lookup (self->attempts, name));
  g_mutex_unlock (&self->lock);
  return attempts;
}

void
ams_fake_store_release (AmsFakeStore *self, const gchar *name)
{
  g_autoptr (GTask) task = NULL;
  gpointer key = NULL, value = NULL;

  g_mutex_lock (&self->lock);
  if (g_hash_table_steal_extended (self->hanging, name, &key, &value))
    task = value;
  else if (!g_hash_table_remove (self->blocked, name))
    g_hash_table_add (self->released, g_strdup (name));
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_free (key);
  if (task)
    succeed (task);
}

gchar *
ams_fake_store_dup_text (AmsFakeStore *self, const gchar *name)
{
  GBytes *bytes;
  gchar *text = NULL;

  g_mutex_lock (&self->lock);
  bytes = g_hash_table_lookup (self->files, name);
  if (bytes)
    text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_mutex_unlock (&self->lock);
  return text;
}

static void
ams_fake_store_finalize (GObject *object)
{
  AmsFakeStore *self = AMS_FAKE_STORE (object);

  g_hash_table_unref (self->scripts);
  g_hash_table_unref (self->hanging);
  g_hash_table_unref (self->blocked);
  g_hash_table_unref (self->released);
  g_hash_table_unref (self->files);
  g_hash_table_unref (self->attempts);
  ams_log_free (self->log);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (ams_fake_store_parent_class)->finalize (object);
}

static void
ams_fake_store_class_init (AmsFakeStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ams_fake_store_finalize;
}

static void
ams_fake_store_init (AmsFakeStore *self)
{
  self->log = ams_log_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->scripts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_script);
  self->hanging =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->blocked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->released =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_bytes_unref);
  self->attempts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

AmsFakeStore *
ams_fake_store_new (void)
{
  return g_object_new (AMS_TYPE_FAKE_STORE, NULL);
}

/* The same, on the threads that all engines share */

typedef struct
{
  AmsFakeStore parent;
} AmsFakeSharingStore;

typedef struct
{
  AmsFakeStoreClass parent_class;
} AmsFakeSharingStoreClass;

static void
ams_fake_sharing_store_store_init (AmsStoreInterface *iface)
{
  iface->shares_threads = TRUE;
}

static GType ams_fake_sharing_store_get_type (void);

G_DEFINE_TYPE_WITH_CODE (AmsFakeSharingStore, ams_fake_sharing_store,
    AMS_TYPE_FAKE_STORE,
    G_IMPLEMENT_INTERFACE (AMS_TYPE_STORE, ams_fake_sharing_store_store_init))

static void
ams_fake_sharing_store_class_init (AmsFakeSharingStoreClass *klass)
{
}

static void
ams_fake_sharing_store_init (AmsFakeSharingStore *self)
{
}

AmsFakeStore *
ams_fake_store_new_sharing (void)
{
  return g_object_new (ams_fake_sharing_store_get_type (), NULL);
}
