/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the engine does when the endpoint is away, when it is to wait, for notifications,
 * and for files that upstream writes to the disk as well. */

#include "config.h"

#include "delivery-common.h"

#include <glib/gstdio.h>
#include <string.h>

/* The breaker */

static void
fail_without_answer (Fixture *f, const gchar *name, guint retry_after)
{
  ams_fake_store_script_failure (f->store, name, AMS_FAILURE_TRANSIENT, 0,
      retry_after);
}

static void
test_breaker_away_sends_one_prober (Fixture *f, gconstpointer data)
{
  f->config.has_breaker = TRUE;
  fail_without_answer (f, "a", 0);
  for (gchar name[] = "a"; *name <= 'd'; ++*name)
    ams_fake_store_script (f->store, name, FAKE_HANG, 0);
  start (f);
  put (f, "a", "1");
  ams_log_wait_times (f->ops, "put a 0 0", 2);
  put (f, "b", "2");
  put (f, "c", "3");
  put (f, "d", "4");
  settle (f);
  g_assert_false (ams_log_has (f->ops, "put b 0 0"));
  g_assert_cmpuint (get_stats (f).in_flight, ==, 1);
  ams_fake_store_release (f->store, "a");
  /* All of them at the same time again. */
  ams_log_wait (f->ops, "put b 0 0");
  ams_log_wait (f->ops, "put c 0 0");
  ams_log_wait (f->ops, "put d 0 0");
}

static void
test_breaker_not_asked_for_sends_all (Fixture *f, gconstpointer data)
{
  fail_without_answer (f, "a", 0);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put (f, "a", "1");
  ams_log_wait_times (f->ops, "put a 0 0", 2);
  put (f, "b", "2");
  ams_log_wait (f->said, "stored b 0");
}

static void
test_breaker_one_bad_file_keeps_nobody (Fixture *f, gconstpointer data)
{
  f->config.has_breaker = TRUE;
  ams_fake_store_script_failure (f->store, "a", AMS_FAILURE_TRANSIENT, 500, 0);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put (f, "a", "1");
  ams_log_wait_times (f->ops, "put a 0 0", 2);
  put (f, "b", "2");
  ams_log_wait (f->said, "stored b 0");
}

static void
refuse (Fixture *f, const gchar *name, guint http_status)
{
  ams_fake_store_script_failure (f->store, name, AMS_FAILURE_PERMANENT,
      http_status, 0);
}

static void
test_breaker_files_that_are_refused_keep_nobody (Fixture *f, gconstpointer data)
{
  f->config.has_breaker = TRUE;
  for (gchar name[] = "a"; *name <= 'd'; ++*name)
    refuse (f, name, 413);
  start (f);
  for (gchar name[] = "a"; *name <= 'e'; ++*name)
    put (f, name, "1");
  ams_log_wait (f->said, "stored e 0");
}

static void
test_removes_that_are_refused_disturb_nobody (Fixture *f, gconstpointer data)
{
  f->config.has_breaker = TRUE;
  for (gchar name[] = "w"; *name <= 'z'; ++*name)
    refuse (f, name, 405);
  start (f);
  for (gchar name[] = "w"; *name <= 'z'; ++*name)
    ams_engine_remove (f->engine, name, 0);
  put (f, "a", "1");
  drain (f);
  assert_stored (f, "a", "1");
  g_assert_cmpuint (ams_log_count (f->said, "left w"), ==, 1);
  g_assert_false (ams_log_has (f->said, "left x"));
  g_assert_false (ams_log_has (f->said, "warning permanent"));
}

/* They would wait a minute otherwise, each for itself. */
static void
test_breaker_closed_hurries_the_others (Fixture *f, gconstpointer data)
{
  f->config.has_breaker = TRUE;
  f->config.at_eos = TRUE; /* so that all of them begin together */
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  for (gchar name[] = "b"; *name <= 'd'; ++*name)
    fail_without_answer (f, name, 60);
  start (f);
  for (gchar name[] = "a"; *name <= 'd'; ++*name)
    put (f, name, "1");
  ams_engine_release (f->engine);
  ams_log_wait (f->said, "retrying d 1");
  ams_fake_store_release (f->store, "a");
  drain (f);
  g_assert_cmpuint (ams_fake_store_get_attempts (f->store, "b"), ==, 2);
}

/* Holding back */

static void
test_at_eos_puts_nothing_before_release (Fixture *f, gconstpointer data)
{
  f->config.at_eos = TRUE;
  start (f);
  put (f, "a", "1");
  put_playlist (f, 1, "a");
  settle (f);
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  g_assert_cmpuint (get_stats (f).queued_files, ==, 2);
  g_assert_cmpint (ams_engine_drain (f->engine, 0, NULL), ==,
      AMS_DRAIN_TIMEOUT);
  ams_engine_release (f->engine);
  drain (f);
  assert_order (f, "done a", "put p 1 0");
}

static void
test_at_eos_only_the_last_version_goes (Fixture *f, gconstpointer data)
{
  f->config.at_eos = TRUE;
  start (f);
  put (f, "a", "1");
  for (guint i = 1; i <= 40; i++)
    put_playlist (f, i, "a");
  ams_engine_release (f->engine);
  drain (f);
  g_assert_true (ams_log_has (f->ops, "put p 40 0"));
  g_assert_cmpuint (get_stats (f).superseded, ==, 39);
}

static void
test_interval_keeps_a_version_back (Fixture *f, gconstpointer data)
{
  f->config.playlist_min_interval = 3600 * S;
  start (f);
  put_playlist (f, 1, "1");
  drain (f);
  put_playlist (f, 2, "2");
  put (f, "a", "1");
  ams_log_wait (f->said, "stored a 0");
  g_assert_false (ams_log_has (f->ops, "put p 2 0"));
  g_assert_cmpint (ams_engine_drain (f->engine, 0, NULL), ==,
      AMS_DRAIN_TIMEOUT);
  put_final (f, 3, "3");
  drain (f);
  assert_stored (f, "p", "3");
  g_assert_false (ams_log_has (f->ops, "put p 2 0"));
}

static void
test_interval_passed_sends_the_newest (Fixture *f, gconstpointer data)
{
  f->config.playlist_min_interval = S / 20;
  start (f);
  put_playlist (f, 1, "1");
  put_playlist (f, 2, "2");
  drain (f);
  assert_stored (f, "p", "2");
}

/* Notifying */

static void
test_notify_comes_after_everything_once (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  start (f);
  put (f, "a", "1");
  put_final (f, 1, "a");
  ams_engine_remove (f->engine, "x", 3600);
  notify (f, "over");
  put (f, "b", "2");
  ams_log_wait (f->said, "stored b 0");
  g_assert_false (ams_log_has (f->ops, "notify over"));
  ams_fake_store_release (f->store, "a");
  drain (f);
  assert_order (f, "done p", "notify over");
  g_assert_cmpuint (ams_log_count (f->ops, "notify over"), ==, 1);
  g_assert_cmpuint (get_stats (f).stored_files, ==, 3);
}

static void
test_notify_failed_is_tried_again (Fixture *f, gconstpointer data)
{
  ams_fake_store_script_failure (f->store, AMS_FAKE_NOTIFY,
      AMS_FAILURE_TRANSIENT, 502, 0);
  start (f);
  put (f, "a", "1");
  notify (f, "over");
  drain (f);
  g_assert_cmpuint (ams_log_count (f->ops, "notify over"), ==, 2);
  assert_stored (f, AMS_FAKE_NOTIFY, "over");
}

static void
test_notify_given_up_leaves_playlists_alone (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, AMS_FAKE_NOTIFY, FAKE_FAIL,
      AMS_FAILURE_UNSUPPORTED);
  start (f);
  notify (f, "over");
  drain (f);
  put_playlist (f, 1, "x");
  drain (f);
  assert_stored (f, "p", "x");
}

static void
test_notify_waits_for_the_held_back (Fixture *f, gconstpointer data)
{
  f->config.at_eos = TRUE;
  start (f);
  put (f, "a", "1");
  notify (f, "over");
  settle (f);
  g_assert_false (ams_log_has (f->ops, "notify over"));
  ams_engine_release (f->engine);
  drain (f);
  assert_order (f, "done a", "notify over");
}

/* Copies on the disk */

static guint64
queued_bytes (Fixture *f)
{
  AmsEngineStats stats;

  ams_engine_get_stats (f->engine, &stats);
  return stats.queued_bytes;
}

/* The memory is let go of in a turn of the engine's, which comes soon. */
static void
wait_for_queued (Fixture *f, guint64 expected)
{
  gint64 end = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;

  while (queued_bytes (f) != expected) {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    settle (f);
    g_thread_yield ();
  }
}

static void
write_copy (Fixture *f, const gchar *name, const gchar *text)
{
  g_autofree gchar *path = path_of (f, name);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
put_with_copy (Fixture *f, const gchar *name, gboolean by_reference,
    const gchar *text)
{
  g_autofree gchar *path = path_of (f, name);
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT,
    .local_path = path,
    .by_reference = by_reference };

  put_file (f, &begin, text);
}

/* A file that takes the one place there is. */
static void
occupy_store (Fixture *f)
{
  f->config.max_parallel = 1;
  ams_fake_store_script (f->store, "first", FAKE_HANG, 0);
  start (f);
  put (f, "first", "1");
  ams_log_wait (f->ops, "put first 0 0");
}

static void
test_spill_nothing_is_lost_or_blocked (Fixture *f, gconstpointer data)
{
  occupy_store (f);
  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *name = g_strdup_printf ("%02u", i);
    g_autofree gchar *text = g_strnfill (400, 'a' + i);

    write_copy (f, name, text);
    put_with_copy (f, name, FALSE, text);
    /* Else it would be the queue in front of the engine's thread that is full. */
    if (f->config.queue_policy == AMS_QUEUE_DROP_OLDEST)
      settle (f);
  }
  settle (f);
  g_assert_cmpuint (queued_bytes (f), <=, 1000);
  g_assert_cmpuint (get_stats (f).queued_files, ==, 21);
  ams_fake_store_release (f->store, "first");
  drain (f);
  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *name = g_strdup_printf ("%02u", i);
    g_autofree gchar *text = g_strnfill (400, 'a' + i);

    assert_stored (f, name, text);
  }
  g_assert_cmpuint (get_stats (f).failed_files, ==, 0);
}

/* A copy that is not there does not serve: the bytes in memory do. */
static void
test_spill_without_a_copy_keeps_the_memory (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (900, 'x');

  occupy_store (f);
  put_with_copy (f, "a", FALSE, text);
  settle (f);
  g_assert_cmpuint (queued_bytes (f), ==, 901);
  /* It is upstream's to keep. */
  g_assert_cmpuint (get_stats (f).unsafe_bytes, ==, 1);
  ams_fake_store_release (f->store, "first");
  drain (f);
  assert_stored (f, "a", text);
}

static void
test_spill_of_another_size_keeps_the_memory (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (900, 'x');

  occupy_store (f);
  write_copy (f, "a", "still being written");
  put_with_copy (f, "a", FALSE, text);
  settle (f);
  ams_fake_store_release (f->store, "first");
  drain (f);
  assert_stored (f, "a", text);
}

static void
test_spill_copy_changed_is_given_up (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (900, 'x');
  g_autofree gchar *other = g_strnfill (900, 'y');

  occupy_store (f);
  write_copy (f, "a", text);
  put_with_copy (f, "a", FALSE, text);
  wait_for_queued (f, 1);
  write_copy (f, "a", other);
  ams_fake_store_release (f->store, "first");
  drain (f);
  g_assert_true (ams_log_has (f->said, "failed a"));
  assert_stored (f, "a", NULL);
}

static void
test_reference_is_read_from_the_disk (Fixture *f, gconstpointer data)
{
  occupy_store (f);
  write_copy (f, "a", "abc");
  put_with_copy (f, "a", TRUE, "abc");
  settle (f);
  g_assert_cmpuint (get_stats (f).handed_bytes, ==, 4);
  g_assert_cmpuint (queued_bytes (f), ==, 1);
  ams_fake_store_release (f->store, "first");
  drain (f);
  assert_stored (f, "a", "abc");
}

static void
check_bad_reference (Fixture *f, const gchar *copy)
{
  start (f);
  if (copy)
    write_copy (f, "a", copy);
  put_with_copy (f, "a", TRUE, "abc");
  put_playlist (f, 1, "a");
  drain (f);
  g_assert_true (ams_log_has (f->said, "failed a"));
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  g_assert_false (ams_log_has (f->ops, "put p 1 0"));
}

static void
test_reference_to_nothing_fails (Fixture *f, gconstpointer data)
{
  check_bad_reference (f, NULL);
}

static void
test_reference_of_another_size_fails (Fixture *f, gconstpointer data)
{
  check_bad_reference (f, "abcd");
}

static void
test_reference_removed_before_its_turn_fails (Fixture *f, gconstpointer data)
{
  g_autofree gchar *path = path_of (f, "a");

  occupy_store (f);
  write_copy (f, "a", "abc");
  put_with_copy (f, "a", TRUE, "abc");
  settle (f);
  g_unlink (path);
  ams_fake_store_release (f->store, "first");
  drain (f);
  g_assert_true (ams_log_has (f->said, "failed a"));
}

/* Bytes that are carried over */

static void
begin_segment (Fixture *f, const gchar *name, const gchar *text)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT };

  ams_engine_begin (f->engine, &begin);
  g_assert_cmpint (put_data (f, text), ==, AMS_ENGINE_OK);
}

static void
end_segment (Fixture *f, guint64 size, guint64 carried)
{
  AmsFileEnd end = { .size = size, .complete = TRUE, .carried = carried };

  ams_engine_end (f->engine, &end);
}

static void
test_carried_bytes_begin_the_next_segment (Fixture *f, gconstpointer data)
{
  start (f);
  begin_segment (f, "a", "one");
  put_data (f, "two");
  put_data (f, "three");
  end_segment (f, 4, 7);
  put_playlist (f, 1, "a");
  begin_segment (f, "b", "four");
  end_segment (f, 11, 0);
  drain (f);
  assert_stored (f, "a", "onet");
  assert_stored (f, "p", "a");
  assert_stored (f, "b", "wothreefour");
}

/* A crash must not find the first file without its end while the second does not have
 * that yet. */
static void
test_carried_bytes_are_cut_off_when_the_next_has_them (Fixture *f,
    gconstpointer data)
{
  start (f);
  begin_segment (f, "a", "onetwo");
  end_segment (f, 3, 3);
  put_playlist (f, 1, "a");
  settle (f);
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  begin_segment (f, "b", "three");
  drain (f);
  assert_stored (f, "a", "one");
  assert_stored (f, "p", "a");
  end_segment (f, 8, 0);
  drain (f);
  assert_stored (f, "b", "twothree");
}

/* It never comes: the first is not held for ever. */
static void
test_carried_bytes_of_no_next_file_are_not_waited_for (Fixture *f,
    gconstpointer data)
{
  start (f);
  begin_segment (f, "a", "onetwo");
  end_segment (f, 3, 3);
  drain (f);
  assert_stored (f, "a", "one");
}

static void
test_carried_more_than_came_gives_the_next_up (Fixture *f, gconstpointer data)
{
  start (f);
  begin_segment (f, "a", "one");
  end_segment (f, 2, 2);
  begin_segment (f, "b", "two");
  end_segment (f, 5, 0);
  ams_log_wait (f->said, "failed b");
  drain (f);
  assert_stored (f, "a", "on");
}

#define ADD_WITH(path, policy, function) \
  g_test_add ("/delivery/" path, Fixture, GINT_TO_POINTER (policy), set_up, \
      function, tear_down)
#define ADD(path, function) ADD_WITH (path, AMS_QUEUE_BLOCK, function)

static void
add_copy_tests (void)
{
  ADD_WITH ("spill/nothing-is-blocked", AMS_QUEUE_BLOCK,
      test_spill_nothing_is_lost_or_blocked);
  ADD_WITH ("spill/nothing-is-dropped", AMS_QUEUE_DROP_OLDEST,
      test_spill_nothing_is_lost_or_blocked);
  ADD ("spill/without-a-copy", test_spill_without_a_copy_keeps_the_memory);
  ADD ("spill/of-another-size", test_spill_of_another_size_keeps_the_memory);
  ADD ("spill/copy-changed", test_spill_copy_changed_is_given_up);
  ADD ("reference/is-read", test_reference_is_read_from_the_disk);
  ADD ("reference/to-nothing", test_reference_to_nothing_fails);
  ADD ("reference/of-another-size", test_reference_of_another_size_fails);
  ADD ("reference/removed", test_reference_removed_before_its_turn_fails);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("breaker/one-prober", test_breaker_away_sends_one_prober);
  ADD ("breaker/not-asked-for", test_breaker_not_asked_for_sends_all);
  ADD ("breaker/one-bad-file", test_breaker_one_bad_file_keeps_nobody);
  ADD ("breaker/refused-files",
      test_breaker_files_that_are_refused_keep_nobody);
  ADD ("breaker/refused-removes", test_removes_that_are_refused_disturb_nobody);
  ADD ("breaker/closed-hurries", test_breaker_closed_hurries_the_others);
  ADD ("at-eos/nothing-before-release",
      test_at_eos_puts_nothing_before_release);
  ADD ("at-eos/only-the-last-version", test_at_eos_only_the_last_version_goes);
  ADD ("interval/keeps-back", test_interval_keeps_a_version_back);
  ADD ("interval/passed", test_interval_passed_sends_the_newest);
  ADD ("notify/after-everything-once", test_notify_comes_after_everything_once);
  ADD ("notify/tried-again", test_notify_failed_is_tried_again);
  ADD ("notify/given-up", test_notify_given_up_leaves_playlists_alone);
  ADD ("notify/held-back", test_notify_waits_for_the_held_back);
  ADD ("carried/begin-the-next", test_carried_bytes_begin_the_next_segment);
  ADD ("carried/cut-off-later",
      test_carried_bytes_are_cut_off_when_the_next_has_them);
  ADD ("carried/no-next",
      test_carried_bytes_of_no_next_file_are_not_waited_for);
  ADD ("carried/more-than-came", test_carried_more_than_came_gives_the_next_up);
  add_copy_tests ();
  return g_test_run ();
}
