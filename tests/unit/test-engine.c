/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsengine.h"

#include "local/amslocalstore.h"
#include "local/amsstreamstore.h"

#include "amsfakestore.h"
#include "amsthreads.h"

#include <string.h>

#include <glib/gstdio.h>

#define S G_TIME_SPAN_SECOND

typedef struct
{
  AmsFakeStore *store;
  AmsLog *ops; /* the store's */
  AmsLog *said; /* what the engine called back */
  AmsDeliveryConfig config;
  AmsEngine *engine;
} Fixture;

static void
on_stored (const AmsFileInfo *file, gpointer user_data)
{
  ams_log_add (user_data, "stored %s %" G_GUINT64_FORMAT, file->name,
      file->version);
}

static void
on_failed (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  ams_log_add (user_data, "failed %s", file->name);
}

static void
on_warning (const GError *error, const gchar *name, gpointer user_data)
{
  ams_log_add (user_data, "warning %s",
      ams_failure_to_string (ams_store_error_get_failure (error)));
}

static void
on_recovered (const GError *error, gpointer user_data)
{
  ams_log_add (user_data, "recovered %s",
      ams_failure_to_string (ams_store_error_get_failure (error)));
}

static void
on_retrying (const AmsFileInfo *file, const GError *error, guint attempts,
    gint64 delay, gpointer user_data)
{
  ams_log_add (user_data, "retrying %s %u", file->name, attempts);
}

static const AmsDeliveryCallbacks callbacks = {
  .stored = on_stored,
  .failed = on_failed,
  .warning = on_warning,
  .recovered = on_recovered,
  .retrying = on_retrying,
};

static gdouble
no_delay (void)
{
  return 0;
}

/* What a test is run with. */
typedef struct
{
  AmsQueuePolicy policy;
  gboolean shares; /* threads */
} Way;

static void
set_up (Fixture *f, gconstpointer data)
{
  const Way *way = data;

  f->store =
      way->shares ? ams_fake_store_new_sharing () : ams_fake_store_new ();
  f->ops = ams_fake_store_get_log (f->store);
  f->said = ams_log_new ();
  f->config = (AmsDeliveryConfig){
    .max_queue_bytes = 1000,
    .queue_policy = way->policy,
    .max_parallel = 4,
    .retry = { AMS_RETRY_FOREVER },
    .random = no_delay,
  };
}

static void
start (Fixture *f)
{
  f->engine = ams_engine_new (AMS_STORE (f->store), &f->config, &callbacks,
      f->said, NULL);
  g_assert_true (ams_engine_start (f->engine, NULL));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  ams_engine_stop (f->engine);
  g_assert_finalize_object (f->engine);
  g_object_unref (f->store);
  ams_log_free (f->said);
}

static AmsEngineResult
put_data (Fixture *f, const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return ams_engine_write (f->engine, bytes);
}

static void
put (Fixture *f, const gchar *name, AmsFileRole role, const gchar *text)
{
  AmsFileBegin begin = { .name = (gchar *) name, .role = role };
  AmsFileEnd end = { .size = strlen (text), .complete = TRUE };

  ams_engine_begin (f->engine, &begin);
  put_data (f, text);
  ams_engine_end (f->engine, &end);
}

static void
put_segment (Fixture *f, const gchar *name, gsize size)
{
  g_autofree gchar *text = g_strnfill (size, 'x');

  put (f, name, AMS_FILE_ROLE_SEGMENT, text);
}

static void
put_playlist (Fixture *f, guint64 version, guint64 extends, const gchar *text,
    const gchar *heeds)
{
  const gchar *failed[] = { heeds, NULL };
  AmsFileBegin begin = { .name = (gchar *) "p",
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = version,
    .extends = extends,
    .failed = heeds ? (GStrv) failed : NULL };
  AmsFileEnd end = { .size = strlen (text), .complete = TRUE };

  ams_engine_begin (f->engine, &begin);
  put_data (f, text);
  ams_engine_end (f->engine, &end);
}

static void
drain (Fixture *f)
{
  g_assert_cmpint (ams_engine_drain (f->engine, 20 * S, NULL), ==,
      AMS_DRAIN_DONE);
}

static void
test_put_reaches_the_store (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 5, .complete = TRUE };
  g_autofree gchar *text = NULL;

  start (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abc");
  put_data (f, "defg");
  ams_engine_end (f->engine, &end);
  drain (f);
  text = ams_fake_store_dup_text (f->store, "a");
  g_assert_cmpstr (text, ==, "abcde");
  g_assert_true (ams_log_has (f->said, "stored a 0"));
}

static void
test_abandoned_file_never_appears (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 3, .complete = FALSE };

  start (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abc");
  ams_engine_end (f->engine, &end);
  drain (f);
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
}

static void
test_file_shorter_than_said_is_failed (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 4, .complete = TRUE };

  start (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abc");
  ams_engine_end (f->engine, &end);
  drain (f);
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  g_assert_true (ams_log_has (f->said, "failed a"));
}

static void
test_playlist_waits_for_a_slow_segment (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put_segment (f, "a", 10);
  put_playlist (f, 1, 0, "x", NULL);
  put_segment (f, "b", 10);
  ams_log_wait (f->said, "stored b 0");
  g_assert_false (ams_log_has (f->ops, "put p 1 0"));
  ams_fake_store_release (f->store, "a");
  drain (f);
  g_assert_cmpuint (ams_log_index (f->ops, "done a"), <,
      ams_log_index (f->ops, "put p 1 0"));
}

static void
test_fault_is_said_once_and_when_it_is_over (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  ams_fake_store_script (f->store, "b", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  start (f);
  put_segment (f, "a", 1);
  put_segment (f, "b", 1);
  drain (f);
  ams_log_wait (f->said, "recovered transient");
  ams_log_wait (f->said, "retrying a 3");
  g_assert_cmpuint (ams_log_index (f->said, "warning transient"), ==, 0);
  put_segment (f, "c", 1);
  drain (f);
}

static void
test_exists_is_given_up_and_withholds (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_EXISTS);
  start (f);
  put_segment (f, "a", 1);
  put_playlist (f, 1, 0, "a", NULL);
  ams_log_wait (f->said, "failed a");
  put_playlist (f, 2, 1, "ab", NULL);
  drain (f);
  g_assert_false (ams_log_has (f->ops, "put p 1 0"));
  g_assert_false (ams_log_has (f->ops, "put p 2 0"));
  put_playlist (f, 3, 2, "abc", "a");
  drain (f);
  ams_log_wait (f->said, "stored p 3");
}

static void
test_retry_for_gives_up_by_age (Fixture *f, gconstpointer data)
{
  f->config.retry.retry_for = 0;
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  start (f);
  put_segment (f, "a", 1);
  drain (f);
  g_assert_true (ams_log_has (f->said, "failed a"));
}

static void
test_unchanged_is_of_the_lineage_confirmed (Fixture *f, gconstpointer data)
{
  start (f);
  put_playlist (f, 1, 0, "one", NULL);
  drain (f);
  put_playlist (f, 2, 3, "onetwo", NULL);
  drain (f);
  ams_log_wait (f->ops, "put p 2 3");
  put_playlist (f, 3, 0, "other", NULL);
  drain (f);
  ams_log_wait (f->ops, "put p 3 0");
  /* Extends something that was never handed over. */
  put_playlist (f, 4, 99, "wrong", NULL);
  drain (f);
  ams_log_wait (f->ops, "put p 4 0");
}

static void
test_unchanged_skips_superseded_versions (Fixture *f, gconstpointer data)
{
  start (f);
  put_playlist (f, 1, 0, "1", NULL);
  drain (f);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  put_segment (f, "a", 1);
  put_playlist (f, 2, 1, "12", NULL);
  put_playlist (f, 3, 2, "123", NULL);
  ams_log_wait (f->ops, "put a 0 0");
  ams_fake_store_release (f->store, "a");
  drain (f);
  ams_log_wait (f->said, "stored p 3");
  ams_log_wait (f->ops, "put p 3 1");
  g_assert_false (ams_log_has (f->said, "stored p 2"));
}

static void
test_remove_and_adopt (Fixture *f, gconstpointer data)
{
  start (f);
  ams_engine_adopt (f->engine, "a", NULL, 188);
  put_playlist (f, 1, 0, "x", NULL);
  ams_engine_remove (f->engine, "b", 0);
  ams_engine_remove (f->engine, "c", 3600);
  drain (f);
  g_assert_cmpuint (ams_log_index (f->ops, "adopt a 188"), <,
      ams_log_index (f->ops, "put p 1 0"));
  g_assert_cmpuint (ams_log_index (f->ops, "done p"), <,
      ams_log_index (f->ops, "remove b"));
  g_assert_false (ams_log_has (f->ops, "remove c"));
  g_assert_true (ams_log_has (f->said, "stored a 0"));
}

static void
test_drop_oldest_gives_up_the_oldest_waiting (Fixture *f, gconstpointer data)
{
  f->config.max_parallel = 1;
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put_segment (f, "a", 400);
  ams_log_wait (f->ops, "put a 0 0");
  put_segment (f, "b", 400);
  put_segment (f, "c", 400);
  ams_log_wait (f->said, "failed b");
  ams_log_wait (f->said, "warning full");
  ams_fake_store_release (f->store, "a");
  drain (f);
  ams_log_wait (f->said, "stored c 0");
  ams_log_wait (f->said, "recovered full");
  g_assert_false (ams_log_has (f->ops, "put b 0 0"));
}

/* The engine's thread hangs in the disk, so only the streaming thread is left to
 * keep the bound. */
static void
test_drop_oldest_works_while_the_thread_hangs (Fixture *f, gconstpointer data)
{
  AmsEngineStats stats;

  ams_fake_store_script (f->store, "a", FAKE_BLOCK, 0);
  start (f);
  put_segment (f, "a", 100);
  ams_log_wait (f->ops, "put a 0 0");
  for (guint i = 0; i < 50; i++) {
    g_autofree gchar *name = g_strdup_printf ("%02u", i);

    put_segment (f, name, 300);
  }
  ams_engine_get_stats (f->engine, &stats);
  g_assert_cmpuint (stats.queued_bytes, <=, 1500);
  ams_fake_store_release (f->store, "a");
  drain (f);
  ams_log_wait (f->said, "failed 00");
  ams_log_wait (f->said, "stored 49 0");
  ams_engine_get_stats (f->engine, &stats);
  g_assert_cmpuint (stats.queued_bytes, ==, 0);
  g_assert_cmpuint (stats.files.failed_files + stats.files.stored_files, ==,
      51);
}

static void
test_drop_oldest_gives_up_an_open_file_too_large (Fixture *f,
    gconstpointer data)
{
  start (f);
  put_segment (f, "a", 1500);
  put_segment (f, "b", 100);
  drain (f);
  ams_log_wait (f->said, "failed a");
  ams_log_wait (f->said, "stored b 0");
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
}

static void
test_error_policy_refuses (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "b", .role = AMS_FILE_ROLE_SEGMENT };
  g_autofree gchar *text = g_strnfill (700, 'x');

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put_segment (f, "a", 700);
  ams_engine_begin (f->engine, &begin);
  g_assert_cmpint (put_data (f, text), ==, AMS_ENGINE_FULL);
}

/* In a live recording they come often. */
static void
test_bytes_are_gathered (Fixture *f, gconstpointer data)
{
  const Way *way = data;
  const gchar *thread = way->shares ? "ams-worker" : "ams-delivery";
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  gint64 begun;
  guint64 sleeps;

  f->config.max_queue_bytes = 1000000000;
  start (f);
  ams_engine_begin (f->engine, &begin);
  ams_engine_settle_commands (f->engine, -1);
  sleeps = ams_threads_count_sleeps (thread);
  begun = g_get_monotonic_time ();
  for (guint i = 0; i < 300; i++) {
    while (g_get_monotonic_time () < begun + i * S / 1000)
      g_thread_yield ();
    put_data (f, "x");
  }
  g_assert_cmpuint (ams_threads_count_sleeps (thread) - sleeps, <, 60);
}

typedef struct
{
  AmsDeliveryConfig config;
  gchar *root;
  AmsEngine *engine;
} Disk;

/* What may be an application's streams has a thread of its own. */
static AmsStore *
new_disk_store (const Way *way, const gchar *root)
{
  AmsLocalOptions options = { 0 };
  AmsStreamCallbacks none = { 0 };
  g_autoptr (AmsStore) files = ams_local_store_new (root, &options);

  return way->shares ? g_steal_pointer (&files)
                     : ams_stream_store_new (files, &none, NULL, NULL);
}

static void
start_on_disk (Disk *disk, const Fixture *f, const Way *way,
    guint64 max_queue_bytes)
{
  g_autoptr (AmsStore) store = NULL;
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };

  disk->root = g_dir_make_tmp ("ams-engine-XXXXXX", NULL);
  disk->config = f->config;
  disk->config.max_queue_bytes = max_queue_bytes;
  store = new_disk_store (way, disk->root);
  disk->engine =
      ams_engine_new (store, &disk->config, &callbacks, f->said, NULL);
  g_assert_true (ams_engine_start (disk->engine, NULL));
  ams_engine_begin (disk->engine, &begin);
}

static void
stop_on_disk (Disk *disk)
{
  g_autofree gchar *part = g_build_filename (disk->root, ".a.part", NULL);

  ams_engine_stop (disk->engine);
  g_assert_finalize_object (disk->engine);
  g_unlink (part);
  g_assert_cmpint (g_rmdir (disk->root), ==, 0);
  g_free (disk->root);
}

/* Writes @size bytes, and returns how long it took until they were on the disk. */
static gint64
write_to_disk (Disk *disk, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_strnfill (size, 'x'), size);
  gint64 begun = g_get_monotonic_time ();
  AmsEngineStats stats;

  g_assert_cmpint (ams_engine_write (disk->engine, bytes), ==, AMS_ENGINE_OK);
  do {
    g_thread_yield ();
    ams_engine_get_stats (disk->engine, &stats);
    g_assert_cmpint (g_get_monotonic_time () - begun, <, 20 * S);
  } while (stats.queued_bytes > 0);
  return g_get_monotonic_time () - begun;
}

/* Nothing else comes that would wake the engine. */
static void
test_bytes_are_written_in_time (Fixture *f, gconstpointer data)
{
  gint64 shortest = G_MAXINT64;
  Disk disk;

  start (f);
  start_on_disk (&disk, f, data, 1000000);
  for (guint i = 0; i < 5; i++)
    shortest = MIN (shortest, write_to_disk (&disk, 10));
  g_assert_cmpint (shortest, <, S / 2);
  stop_on_disk (&disk);
}

/* Each time just after bytes were written, when gathering takes longest. */
static void
test_many_bytes_are_written_at_once (Fixture *f, gconstpointer data)
{
  gint64 shortest = G_MAXINT64;
  Disk disk;

  start (f);
  start_on_disk (&disk, f, data, 80000);
  for (guint i = 0; i < 5; i++) {
    write_to_disk (&disk, 10);
    shortest = MIN (shortest, write_to_disk (&disk, 10001));
  }
  g_assert_cmpint (shortest, <, S / 20);
  stop_on_disk (&disk);
}

static gpointer
write_more (gpointer data)
{
  Fixture *f = data;
  AmsFileBegin begin = { .name = (gchar *) "b", .role = AMS_FILE_ROLE_SEGMENT };
  g_autofree gchar *text = g_strnfill (700, 'x');
  AmsEngineResult result;

  ams_engine_begin (f->engine, &begin);
  ams_log_add (f->said, "writing");
  result = put_data (f, text);
  ams_log_add (f->said, "written");
  return GINT_TO_POINTER (result);
}

static GThread *
block_writer (Fixture *f)
{
  GThread *writer;

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put_segment (f, "a", 700);
  ams_log_wait (f->ops, "put a 0 0");
  writer = g_thread_new ("writer", write_more, f);
  ams_log_wait (f->said, "writing");
  return writer;
}

static void
test_block_waits_for_room (Fixture *f, gconstpointer data)
{
  GThread *writer = block_writer (f);

  g_assert_false (ams_log_has (f->said, "written"));
  ams_fake_store_release (f->store, "a");
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (writer)), ==, AMS_ENGINE_OK);
}

static void
test_block_is_ended_by_flushing (Fixture *f, gconstpointer data)
{
  GThread *writer = block_writer (f);

  ams_engine_set_flushing (f->engine, TRUE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (writer)), ==,
      AMS_ENGINE_FLUSHING);
  ams_engine_set_flushing (f->engine, FALSE);
  ams_fake_store_release (f->store, "a");
  drain (f);
  g_assert_true (ams_log_has (f->said, "stored a 0"));
  g_assert_false (ams_log_has (f->ops, "put b 0 0"));
}

static void
test_block_is_ended_by_stopping (Fixture *f, gconstpointer data)
{
  GThread *writer = block_writer (f);

  ams_engine_stop (f->engine);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (writer)), ==,
      AMS_ENGINE_FLUSHING);
}

static void
test_block_gives_up_what_can_never_fit (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 1400, .complete = TRUE };
  g_autofree gchar *text = g_strnfill (700, 'x');

  start (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, text);
  put_data (f, text);
  ams_engine_end (f->engine, &end);
  drain (f);
  ams_log_wait (f->said, "failed a");
}

static void
check_stop (Fixture *f, AmsFakeOutcome outcome, gboolean joined)
{
  gint64 begun;

  ams_fake_store_script (f->store, "a", outcome, 0);
  start (f);
  put_segment (f, "a", 10);
  ams_log_wait (f->ops, "put a 0 0");
  begun = g_get_monotonic_time ();
  g_assert_true (ams_engine_stop (f->engine) == joined);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 3 * S / 2);
  g_assert_cmpint (put_data (f, "x"), ==, AMS_ENGINE_FLUSHING);
}

static void
test_stop_cancels_what_hangs (Fixture *f, gconstpointer data)
{
  check_stop (f, FAKE_HANG, TRUE);
}

static void
test_stop_leaves_a_deaf_store (Fixture *f, gconstpointer data)
{
  check_stop (f, FAKE_DEAF, TRUE);
  ams_fake_store_release (f->store, "a");
}

static void
test_stop_leaves_a_hanging_thread (Fixture *f, gconstpointer data)
{
  check_stop (f, FAKE_BLOCK, FALSE);
  g_object_add_weak_pointer (G_OBJECT (f->engine), (gpointer *) &f->engine);
  g_object_unref (f->engine);
  ams_fake_store_release (f->store, "a");
  ams_log_wait (f->ops, "done a");
  while (g_atomic_pointer_get (&f->engine))
    g_thread_yield ();
  g_assert_false (ams_log_has (f->said, "stored a 0"));
  start (f); /* for tear_down */
}

static void
test_drain_is_bounded_and_cancellable (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put_segment (f, "a", 10);
  g_assert_cmpint (ams_engine_drain (f->engine, S / 100, NULL), ==,
      AMS_DRAIN_TIMEOUT);
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (ams_engine_drain (f->engine, -1, cancellable), ==,
      AMS_DRAIN_CANCELLED);
}

static void
test_fetch_answers (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) absent = NULL, failed = NULL, unsupported = NULL;
  g_autoptr (GBytes) bytes = NULL;

  start (f);
  put_segment (f, "a", 3);
  drain (f);
  bytes = ams_engine_fetch (f->engine, "a", FALSE, 10, NULL, NULL);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 3);
  g_assert_null (ams_engine_fetch (f->engine, "b", FALSE, 10, NULL, &absent));
  g_assert_error (absent, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  g_assert_null (ams_engine_fetch (f->engine, "a", FALSE, 10, NULL, &failed));
  g_assert_error (failed, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_null (ams_engine_list (f->engine, "", NULL, &unsupported));
  g_assert_error (unsupported, AMS_STORE_ERROR, AMS_FAILURE_UNSUPPORTED);
}

static gpointer
fetch_in_thread (gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_engine_fetch (f->engine, "a", FALSE, 10, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return NULL;
}

static void
test_fetch_is_ended_by_stopping (Fixture *f, gconstpointer data)
{
  GThread *thread;

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  thread = g_thread_new ("fetch", fetch_in_thread, f);
  ams_log_wait (f->ops, "fetch a");
  ams_engine_stop (f->engine);
  g_thread_join (thread);
}

typedef void (*Function) (Fixture *f, gconstpointer data);

static const struct
{
  const gchar *path;
  AmsQueuePolicy policy;
  Function function;
} tests[] = {
  { "put/reaches-the-store", AMS_QUEUE_BLOCK, test_put_reaches_the_store },
  { "put/abandoned-never-appears", AMS_QUEUE_BLOCK,
      test_abandoned_file_never_appears },
  { "put/shorter-than-said-is-failed", AMS_QUEUE_BLOCK,
      test_file_shorter_than_said_is_failed },
  { "order/playlist-waits-for-a-slow-segment", AMS_QUEUE_BLOCK,
      test_playlist_waits_for_a_slow_segment },
  { "order/remove-and-adopt", AMS_QUEUE_BLOCK, test_remove_and_adopt },
  { "fault/said-once-and-when-it-is-over", AMS_QUEUE_BLOCK,
      test_fault_is_said_once_and_when_it_is_over },
  { "fault/exists-is-given-up-and-withholds", AMS_QUEUE_BLOCK,
      test_exists_is_given_up_and_withholds },
  { "fault/retry-for-gives-up-by-age", AMS_QUEUE_BLOCK,
      test_retry_for_gives_up_by_age },
  { "unchanged/is-of-the-lineage-confirmed", AMS_QUEUE_BLOCK,
      test_unchanged_is_of_the_lineage_confirmed },
  { "unchanged/skips-superseded", AMS_QUEUE_BLOCK,
      test_unchanged_skips_superseded_versions },
  { "drop-oldest/gives-up-the-oldest-waiting", AMS_QUEUE_DROP_OLDEST,
      test_drop_oldest_gives_up_the_oldest_waiting },
  { "drop-oldest/works-while-the-thread-hangs", AMS_QUEUE_DROP_OLDEST,
      test_drop_oldest_works_while_the_thread_hangs },
  { "drop-oldest/gives-up-an-open-file-too-large", AMS_QUEUE_DROP_OLDEST,
      test_drop_oldest_gives_up_an_open_file_too_large },
  { "gather/live", AMS_QUEUE_BLOCK, test_bytes_are_gathered },
  { "gather/in-time", AMS_QUEUE_BLOCK, test_bytes_are_written_in_time },
  { "gather/many-at-once", AMS_QUEUE_BLOCK,
      test_many_bytes_are_written_at_once },
  { "error/refuses", AMS_QUEUE_ERROR, test_error_policy_refuses },
  { "block/waits-for-room", AMS_QUEUE_BLOCK, test_block_waits_for_room },
  { "block/ended-by-flushing", AMS_QUEUE_BLOCK,
      test_block_is_ended_by_flushing },
  { "block/ended-by-stopping", AMS_QUEUE_BLOCK,
      test_block_is_ended_by_stopping },
  { "block/gives-up-what-can-never-fit", AMS_QUEUE_BLOCK,
      test_block_gives_up_what_can_never_fit },
  { "stop/cancels-what-hangs", AMS_QUEUE_BLOCK, test_stop_cancels_what_hangs },
  { "stop/leaves-a-deaf-store", AMS_QUEUE_BLOCK,
      test_stop_leaves_a_deaf_store },
  { "stop/leaves-a-hanging-thread", AMS_QUEUE_BLOCK,
      test_stop_leaves_a_hanging_thread },
  { "drain/bounded-and-cancellable", AMS_QUEUE_BLOCK,
      test_drain_is_bounded_and_cancellable },
  { "fetch/answers", AMS_QUEUE_BLOCK, test_fetch_answers },
  { "fetch/ended-by-stopping", AMS_QUEUE_BLOCK,
      test_fetch_is_ended_by_stopping },
};

int
main (int argc, char **argv)
{
  static Way ways[2][G_N_ELEMENTS (tests)];

  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (tests); i++) {
    guint number = i / 2, shares = i % 2;
    g_autofree gchar *path = g_strdup_printf ("/engine/%s/%s",
        tests[number].path, shares ? "shared-threads" : "own-thread");

    ways[shares][number] = (Way){ tests[number].policy, shares };
    g_test_add (path, Fixture, &ways[shares][number], set_up,
        tests[number].function, tear_down);
  }
  return g_test_run ();
}
