/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The engine with a spool: what one has not delivered, the next does. */

#include "config.h"

#include "delivery-common.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void
start_with_spool (Fixture *f)
{
  g_autofree gchar *folder = path_of (f, "spool");
  g_autoptr (GError) error = NULL;

  f->config.spool = ams_spool_open (folder, "http://127.0.0.1/media", &error);
  g_assert_no_error (error);
  start (f);
}

/* @name gets stuck at the store. */
static void
start_stuck_at (Fixture *f, const gchar *name)
{
  ams_fake_store_script (f->store, name, FAKE_HANG, 0);
  start_with_spool (f);
}

static void
restart (Fixture *f)
{
  settle (f);
  stop (f);
  start_with_spool (f);
}

static void
assert_fetched (Fixture *f, const gchar *name, gboolean partial,
    const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      ams_engine_fetch (f->engine, name, partial, 100, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      text, strlen (text));
}

static void
assert_not_fetched (Fixture *f, const gchar *name, AmsFailure failure)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_engine_fetch (f->engine, name, FALSE, 100, NULL, &error));
  g_assert_error (error, AMS_STORE_ERROR, (gint) failure);
}

static void
test_stored_is_not_sent_again (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  put (f, "a", "abc");
  put_playlist (f, 1, "a");
  drain (f);
  restart (f);
  drain (f);
  g_assert_cmpuint (ams_log_count (f->ops, "put a 0 0"), ==, 1);
  g_assert_cmpuint (ams_log_count (f->ops, "put p 1 0"), ==, 1);
  g_assert_cmpuint (get_stats (f).spooled_bytes, ==, 0);
}

static void
test_waiting_files_are_sent_by_the_next (Fixture *f, gconstpointer data)
{
  start_stuck_at (f, "a");
  put (f, "a", "abc");
  put_playlist (f, 1, "a\n");
  put (f, "b", "defg");
  put_final (f, 2, "a\nb\n");
  ams_log_wait (f->ops, "put a 0 0");
  ams_log_wait (f->said, "stored b 0");
  restart (f);
  drain (f);
  assert_stored (f, "a", "abc");
  assert_stored (f, "p", "a\nb\n");
  assert_order (f, "done a", "done p");
  g_assert_cmpuint (ams_log_count (f->ops, "put b 0 0"), ==, 1);
}

static void
test_waiting_survives_two_stops (Fixture *f, gconstpointer data)
{
  start_stuck_at (f, "a");
  put (f, "a", "abc");
  ams_log_wait (f->ops, "put a 0 0");
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  restart (f);
  ams_log_wait_times (f->ops, "put a 0 0", 2);
  restart (f);
  drain (f);
  assert_stored (f, "a", "abc");
}

static void
test_waiting_bytes_are_not_unsafe (Fixture *f, gconstpointer data)
{
  AmsDeliveryStats stats;

  start_stuck_at (f, "a");
  put (f, "a", "abc");
  settle (f);
  stats = get_stats (f);
  g_assert_cmpuint (stats.unsafe_bytes, ==, 0);
  g_assert_cmpuint (stats.spooled_bytes, ==, 3);
}

/* Ten times what the memory may hold. */
static void
test_backlog_is_not_bounded_by_memory (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = g_strnfill (500, 'x');

  f->config.max_parallel = 1;
  start_stuck_at (f, "00");
  for (guint i = 0; i < 20; i++) {
    g_autofree gchar *name = g_strdup_printf ("%02u", i);

    put (f, name, text);
  }
  restart (f);
  drain (f);
  g_assert_cmpuint (get_stats (f).stored_files, ==, 20);
  assert_stored (f, "19", text);
}

static void
test_remove_is_done_by_the_next (Fixture *f, gconstpointer data)
{
  start_stuck_at (f, "p");
  put_playlist (f, 1, "x");
  ams_engine_remove (f->engine, "old", 0);
  ams_log_wait (f->ops, "put p 1 0");
  restart (f);
  drain (f);
  assert_order (f, "done p", "remove old");
}

static void
test_remove_that_waits_is_kept (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  ams_engine_remove (f->engine, "old", 3600);
  drain (f);
  restart (f);
  drain (f);
  g_assert_false (ams_log_has (f->ops, "remove old"));
  g_assert_cmpuint (get_stats (f).waiting_removes, ==, 1);
}

static void
test_remove_done_is_not_done_again (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  ams_engine_remove (f->engine, "old", 0);
  drain (f);
  restart (f);
  drain (f);
  g_assert_cmpuint (ams_log_count (f->ops, "remove old"), ==, 1);
}

static void
test_notify_is_sent_by_the_next (Fixture *f, gconstpointer data)
{
  start_stuck_at (f, "a");
  put (f, "a", "abc");
  notify (f, "over");
  ams_log_wait (f->ops, "put a 0 0");
  restart (f);
  drain (f);
  assert_order (f, "done a", "notify over");
  restart (f);
  drain (f);
  g_assert_cmpuint (ams_log_count (f->ops, "notify over"), ==, 1);
}

static void
test_notify_failed_keeps_its_text (Fixture *f, gconstpointer data)
{
  ams_fake_store_script_failure (f->store, AMS_FAKE_NOTIFY,
      AMS_FAILURE_TRANSIENT, 502, 0);
  start_with_spool (f);
  notify (f, "over");
  drain (f);
  g_assert_cmpuint (ams_log_count (f->ops, "notify over"), ==, 2);
}

static void
test_given_up_is_not_sent_again (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_EXISTS);
  start_with_spool (f);
  put (f, "a", "abc");
  ams_log_wait (f->said, "failed a");
  restart (f);
  drain (f);
  g_assert_cmpuint (ams_log_count (f->ops, "put a 0 0"), ==, 1);
}

/* What playlists must not name */

/* Of the first file that was spooled. */
static void
remove_first_body (Fixture *f)
{
  g_autofree gchar *folder = path_of (f, "spool");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *body = g_build_filename (folder, name, "1", NULL);

    n += g_unlink (body) == 0;
  }
  g_assert_cmpuint (n, ==, 1);
}

static void
put_heeding (Fixture *f, const gchar *name, const gchar *text)
{
  gchar *failed[] = { (gchar *) name, NULL };
  AmsFileBegin begin = { .name = (gchar *) "p",
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = 9,
    .failed = failed };

  put_file (f, &begin, text);
}

/* An outage, three segments with a playlist each; then the first is gone, and nobody
 * marks it as a gap before the session after that one. */
static void
leave_lost (Fixture *f)
{
  f->config.max_parallel = 1;
  start_stuck_at (f, "s0");
  put (f, "s0", "abc");
  put_playlist (f, 1, "s0\n");
  put (f, "s1", "def");
  put_playlist (f, 2, "s0\ns1\n");
  put (f, "s2", "ghi");
  put_playlist (f, 3, "s0\ns1\ns2\n");
  ams_engine_remove (f->engine, "old", 0);
  ams_log_wait (f->ops, "put s0 0 0");
  settle (f);
  stop (f);
  remove_first_body (f);
  start_with_spool (f);
  ams_log_wait (f->said, "failed s0");
  ams_log_wait (f->said, "stored s2 0");
}

static void
test_lost_segment_withholds_and_keeps_the_playlist (Fixture *f,
    gconstpointer data)
{
  leave_lost (f);
  assert_stored (f, "s1", "def");
  assert_stored (f, "p", NULL);
  assert_fetched (f, "p", FALSE, "s0\ns1\ns2\n");
  restart (f);
  assert_fetched (f, "p", FALSE, "s0\ns1\ns2\n");
  g_assert_cmpuint (ams_log_count (f->said, "failed s0"), ==, 2);
  put_playlist (f, 8, "s0\ns1\ns2\ns3\n");
  settle (f);
  assert_stored (f, "p", NULL);
  g_assert_false (ams_log_has (f->ops, "remove old"));
  put_heeding (f, "s0", "gap\ns1\ns2\n");
  drain (f);
  assert_stored (f, "p", "gap\ns1\ns2\n");
  assert_order (f, "done p", "remove old");
  restart (f);
  drain (f);
  assert_fetched (f, "p", FALSE, "gap\ns1\ns2\n");
  g_assert_cmpuint (ams_log_count (f->said, "failed s0"), ==, 2);
}

static void
test_short_segment_is_said_again (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "s0",
    .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 5, .complete = TRUE };

  start_with_spool (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abc");
  ams_engine_end (f->engine, &end);
  put_playlist (f, 1, "s0\n");
  restart (f);
  settle (f);
  assert_fetched (f, "p", FALSE, "s0\n");
  g_assert_cmpuint (ams_log_count (f->said, "failed s0"), ==, 2);
  put_heeding (f, "s0", "gap\n");
  drain (f);
  assert_stored (f, "p", "gap\n");
}

/* A full disk */

static void
limit_files (rlim_t size)
{
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = size ? MIN (size, limit.rlim_max) : limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static gpointer
put_large (gpointer data)
{
  Fixture *f = data;
  g_autofree gchar *large = g_strnfill (4096, 'x');
  g_autofree gchar *small = g_strnfill (900, 'x');

  put_data (f, large);
  put_data (f, small);
  /* There is no room for this: only what is tried again makes some. */
  put_data (f, small);
  return NULL;
}

static void
test_full_disk_blocks_until_there_is_room (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 5896, .complete = TRUE };
  g_autofree gchar *text = g_strnfill (5896, 'x');
  GThread *writer;

  start_with_spool (f);
  limit_files (4096);
  ams_engine_begin (f->engine, &begin);
  writer = g_thread_new ("writer", put_large, f);
  ams_log_wait (f->said, "warning permanent");
  limit_files (0);
  g_thread_join (writer);
  ams_log_wait (f->said, "recovered permanent");
  ams_engine_end (f->engine, &end);
  drain (f);
  assert_stored (f, "a", text);
}

/* Questions */

static void
test_fetch_waiting_is_answered_by_the_spool (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  put_playlist (f, 1, "old");
  drain (f);
  ams_fake_store_script (f->store, "p", FAKE_HANG, 0);
  put_playlist (f, 2, "newer");
  ams_log_wait (f->ops, "put p 2 0");
  assert_fetched (f, "p", FALSE, "newer");
  ams_fake_store_script (f->store, "p", FAKE_HANG, 0);
  restart (f);
  assert_fetched (f, "p", FALSE, "newer");
}

static void
test_fetch_unanswered_falls_back_to_the_known (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  put_playlist (f, 1, "known");
  drain (f);
  restart (f);
  ams_fake_store_script (f->store, "p", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  assert_fetched (f, "p", FALSE, "known");
  ams_fake_store_script (f->store, "p", FAKE_FAIL, AMS_FAILURE_THROTTLED);
  assert_fetched (f, "p", FALSE, "known");
}

static void
test_fetch_after_no_answer_does_not_wait (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  put_playlist (f, 1, "known");
  drain (f);
  ams_fake_store_script (f->store, "p", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  assert_fetched (f, "p", FALSE, "known");
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  assert_not_fetched (f, "a", AMS_FAILURE_TRANSIENT);
}

static void
test_fetch_refused_is_refused (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  put_playlist (f, 1, "known");
  drain (f);
  ams_fake_store_script (f->store, "p", FAKE_FAIL, AMS_FAILURE_PERMANENT);
  assert_not_fetched (f, "p", AMS_FAILURE_PERMANENT);
  ams_fake_store_script (f->store, "p", FAKE_FAIL, AMS_FAILURE_ABSENT);
  assert_not_fetched (f, "p", AMS_FAILURE_ABSENT);
}

static void
test_fetch_known_is_forgotten_with_its_remove (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  put_playlist (f, 1, "known");
  ams_engine_remove (f->engine, "p", 0);
  drain (f);
  ams_fake_store_script (f->store, "p", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  assert_not_fetched (f, "p", AMS_FAILURE_TRANSIENT);
}

static void
test_fetch_unknown_is_the_stores_answer (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  assert_not_fetched (f, "a", AMS_FAILURE_ABSENT);
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_TRANSIENT);
  assert_not_fetched (f, "a", AMS_FAILURE_TRANSIENT);
}

static gint
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

/* (transfer full): "NAME SIZE" or "NAME SIZE?" for partial ones, sorted */
static gchar *
list (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = ams_engine_list (f->engine, "", NULL, &error);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);

  g_assert_no_error (error);
  for (guint i = 0; i < entries->len; i++) {
    const AmsFileEntry *entry = entries->pdata[i];

    g_ptr_array_add (lines,
        g_strdup_printf ("%s %" G_GUINT64_FORMAT "%s", entry->name, entry->size,
            entry->partial ? "?" : ""));
  }
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv (",", (gchar **) lines->pdata);
}

static void
assert_cannot_list (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_engine_list (f->engine, "", NULL, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_UNSUPPORTED);
}

/* A new spool, of a recording that was begun with another: who asks has to look for what the playlist lacks. */
static void
test_list_of_a_spool_that_knows_nothing_is_refused (Fixture *f,
    gconstpointer data)
{
  start_with_spool (f);
  assert_cannot_list (f);
}

static void
test_list_is_the_spools_when_the_store_cannot (Fixture *f, gconstpointer data)
{
  g_autofree gchar *listed = NULL;

  start_stuck_at (f, "a");
  put (f, "a", "abc");
  ams_log_wait (f->ops, "put a 0 0");
  listed = list (f);
  g_assert_cmpstr (listed, ==, "a 3");
}

static void
test_list_adds_what_waits (Fixture *f, gconstpointer data)
{
  g_autofree gchar *listed = NULL;

  ams_fake_store_set_lists (f->store, TRUE);
  start_stuck_at (f, "b");
  put (f, "a", "abc");
  put (f, "b", "de");
  ams_log_wait (f->said, "stored a 0");
  ams_log_wait (f->ops, "put b 0 0");
  listed = list (f);
  g_assert_cmpstr (listed, ==, "a 3,b 2");
}

/* What a crash leaves */

static void
leave_partial (Fixture *f)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };

  start_with_spool (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abcdefghij");
  restart (f);
}

static void
test_partial_is_listed_and_fetched (Fixture *f, gconstpointer data)
{
  g_autofree gchar *listed = NULL;

  leave_partial (f);
  drain (f);
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  listed = list (f);
  g_assert_cmpstr (listed, ==, "a 10?");
  assert_fetched (f, "a", TRUE, "abcdefghij");
}

static void
test_partial_adopted_is_stored (Fixture *f, gconstpointer data)
{
  leave_partial (f);
  ams_engine_adopt (f->engine, "a", NULL, 6);
  put_playlist (f, 1, "a");
  drain (f);
  assert_stored (f, "a", "abcdef");
  assert_order (f, "done a", "put p 1 0");
  g_assert_false (ams_log_has (f->ops, "adopt a 6"));
}

static void
test_partial_adopted_survives (Fixture *f, gconstpointer data)
{
  leave_partial (f);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  ams_engine_adopt (f->engine, "a", NULL, 6);
  ams_log_wait (f->ops, "put a 0 0");
  restart (f);
  drain (f);
  assert_stored (f, "a", "abcdef");
}

static void
test_adopt_of_nothing_is_ignored (Fixture *f, gconstpointer data)
{
  start_with_spool (f);
  ams_engine_adopt (f->engine, "a", NULL, 6);
  put_playlist (f, 1, "a");
  drain (f);
  assert_stored (f, "p", "a");
  g_assert_false (ams_log_has (f->ops, "adopt a 6"));
}

static void
test_abandoned_leaves_nothing (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .complete = FALSE };

  start_with_spool (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abc");
  ams_engine_end (f->engine, &end);
  restart (f);
  assert_cannot_list (f);
}

/* Copies on the disk */

static void
put_with_copy (Fixture *f, const gchar *name, gboolean by_reference,
    const gchar *text)
{
  g_autofree gchar *path = path_of (f, name);
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT,
    .local_path = path,
    .by_reference = by_reference };

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  put_file (f, &begin, text);
}

static void
test_copies_are_sent_by_the_next (Fixture *f, gconstpointer data)
{
  f->config.max_parallel = 1;
  start_stuck_at (f, "a");
  put_with_copy (f, "a", FALSE, "abc");
  put_with_copy (f, "b", TRUE, "defg");
  ams_log_wait (f->ops, "put a 0 0");
  restart (f);
  drain (f);
  assert_stored (f, "a", "abc");
  assert_stored (f, "b", "defg");
}

static void
test_carried_bytes_come_from_the_spool (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "a", .role = AMS_FILE_ROLE_SEGMENT };
  AmsFileEnd end = { .size = 4, .complete = TRUE, .carried = 2 };

  start_with_spool (f);
  ams_engine_begin (f->engine, &begin);
  put_data (f, "abcdef");
  ams_engine_end (f->engine, &end);
  begin.name = (gchar *) "b";
  end.carried = 0;
  ams_engine_begin (f->engine, &begin);
  put_data (f, "gh");
  ams_engine_end (f->engine, &end);
  drain (f);
  assert_stored (f, "a", "abcd");
  assert_stored (f, "b", "efgh");
}

#define ADD(path, function) \
  g_test_add ("/delivery-spool/" path, Fixture, \
      GINT_TO_POINTER (AMS_QUEUE_BLOCK), set_up, function, tear_down)

static void
add_question_tests (void)
{
  ADD ("carried", test_carried_bytes_come_from_the_spool);
  ADD ("fetch/waiting", test_fetch_waiting_is_answered_by_the_spool);
  ADD ("fetch/unanswered", test_fetch_unanswered_falls_back_to_the_known);
  ADD ("fetch/refused", test_fetch_refused_is_refused);
  ADD ("fetch/unanswered-before", test_fetch_after_no_answer_does_not_wait);
  ADD ("fetch/known-removed", test_fetch_known_is_forgotten_with_its_remove);
  ADD ("fetch/unknown", test_fetch_unknown_is_the_stores_answer);
  ADD ("list/store-cannot", test_list_is_the_spools_when_the_store_cannot);
  ADD ("list/knows-nothing",
      test_list_of_a_spool_that_knows_nothing_is_refused);
  ADD ("list/adds-what-waits", test_list_adds_what_waits);
  ADD ("partial/listed-and-fetched", test_partial_is_listed_and_fetched);
  ADD ("partial/adopted", test_partial_adopted_is_stored);
  ADD ("partial/adopted-survives", test_partial_adopted_survives);
  ADD ("partial/adopt-of-nothing", test_adopt_of_nothing_is_ignored);
  ADD ("partial/abandoned", test_abandoned_leaves_nothing);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("restart/stored", test_stored_is_not_sent_again);
  ADD ("restart/waiting", test_waiting_files_are_sent_by_the_next);
  ADD ("restart/twice", test_waiting_survives_two_stops);
  ADD ("restart/backlog", test_backlog_is_not_bounded_by_memory);
  ADD ("restart/remove", test_remove_is_done_by_the_next);
  ADD ("restart/remove-that-waits", test_remove_that_waits_is_kept);
  ADD ("restart/remove-done", test_remove_done_is_not_done_again);
  ADD ("restart/notify", test_notify_is_sent_by_the_next);
  ADD ("restart/given-up", test_given_up_is_not_sent_again);
  ADD ("restart/copies", test_copies_are_sent_by_the_next);
  ADD ("waiting/not-unsafe", test_waiting_bytes_are_not_unsafe);
  ADD ("notify/failed-keeps-its-text", test_notify_failed_keeps_its_text);
  ADD ("failed/lost", test_lost_segment_withholds_and_keeps_the_playlist);
  ADD ("failed/short", test_short_segment_is_said_again);
  ADD ("full/blocks", test_full_disk_blocks_until_there_is_room);
  add_question_tests ();
  return g_test_run ();
}
