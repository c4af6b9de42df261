/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several files that are open at the same time, each in a lane of its own. */

#include "config.h"

#include "delivery-common.h"

static void
begin (Fixture *f, guint lane, const gchar *name)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT };

  ams_engine_select (f->engine, lane);
  g_assert_cmpint (ams_engine_begin (f->engine, &begin), ==, AMS_ENGINE_OK);
}

static void
write_to (Fixture *f, guint lane, const gchar *text)
{
  ams_engine_select (f->engine, lane);
  g_assert_cmpint (put_data (f, text), ==, AMS_ENGINE_OK);
}

static void
end (Fixture *f, guint lane, guint64 size, guint64 carried)
{
  AmsFileEnd end = { .size = size, .complete = TRUE, .carried = carried };

  ams_engine_select (f->engine, lane);
  g_assert_cmpint (ams_engine_end (f->engine, &end), ==, AMS_ENGINE_OK);
}

static void
assert_absent (Fixture *f, const gchar *name)
{
  g_autofree gchar *text = ams_fake_store_dup_text (f->store, name);

  g_assert_null (text);
}

/* Of many bytes, which fill the queue. */
static void
write_much (Fixture *f, guint lane, gsize size)
{
  g_autofree gchar *text = g_strnfill (size, 'x');

  write_to (f, lane, text);
}

static void
test_files_are_written_in_turn (Fixture *f, gconstpointer data)
{
  start (f);
  begin (f, 0, "a");
  begin (f, 1, "b");
  write_to (f, 0, "one ");
  write_to (f, 1, "eins ");
  begin (f, 7, "c");
  write_to (f, 0, "two");
  write_to (f, 7, "un");
  write_to (f, 1, "zwei");
  end (f, 0, 7, 0);
  end (f, 1, 9, 0);
  end (f, 7, 2, 0);
  drain (f);
  assert_stored (f, "a", "one two");
  assert_stored (f, "b", "eins zwei");
  assert_stored (f, "c", "un");
}

/* Of any lane: it waits for all files that were handed over before. */
static void
test_playlist_waits_for_files_of_all_lanes (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "b", FAKE_HANG, 0);
  start (f);
  begin (f, 0, "a");
  begin (f, 1, "b");
  end (f, 0, 0, 0);
  end (f, 1, 0, 0);
  ams_engine_select (f->engine, 0);
  put_playlist (f, 1, "a b");
  settle (f);
  assert_absent (f, "p");
  ams_fake_store_release (f->store, "b");
  drain (f);
  assert_stored (f, "p", "a b");
}

/* What is still open in another lane does not hold it back. */
static void
test_open_file_of_another_lane_is_not_waited_for (Fixture *f,
    gconstpointer data)
{
  start (f);
  begin (f, 0, "a");
  begin (f, 1, "b");
  write_to (f, 1, "x");
  end (f, 0, 0, 0);
  ams_engine_select (f->engine, 0);
  put_playlist (f, 1, "a");
  drain (f);
  assert_stored (f, "p", "a");
  end (f, 1, 1, 0);
  drain (f);
  assert_stored (f, "b", "x");
}

static void
test_begin_abandons_its_own_lanes_file (Fixture *f, gconstpointer data)
{
  start (f);
  begin (f, 0, "a");
  begin (f, 1, "b");
  write_to (f, 0, "one");
  write_to (f, 1, "two");
  begin (f, 1, "c");
  write_to (f, 1, "z");
  end (f, 1, 1, 0);
  end (f, 0, 3, 0);
  drain (f);
  assert_stored (f, "a", "one");
  assert_absent (f, "b");
  assert_stored (f, "c", "z");
}

static void
test_carried_bytes_stay_in_their_lane (Fixture *f, gconstpointer data)
{
  start (f);
  begin (f, 0, "a0");
  begin (f, 1, "b0");
  write_to (f, 0, "first");
  write_to (f, 1, "second");
  end (f, 0, 2, 3);
  end (f, 1, 3, 3);
  begin (f, 1, "b1");
  begin (f, 0, "a1");
  end (f, 0, 3, 0);
  end (f, 1, 3, 0);
  drain (f);
  assert_stored (f, "a0", "fi");
  assert_stored (f, "a1", "rst");
  assert_stored (f, "b0", "sec");
  assert_stored (f, "b1", "ond");
}

static void
test_flush_cuts_all (Fixture *f, gconstpointer data)
{
  start (f);
  begin (f, 0, "a");
  begin (f, 1, "b");
  write_to (f, 0, "x");
  ams_engine_set_flushing (f->engine, TRUE);
  ams_engine_set_flushing (f->engine, FALSE);
  begin (f, 1, "c");
  write_to (f, 1, "z");
  end (f, 1, 1, 0);
  drain (f);
  assert_absent (f, "a");
  assert_absent (f, "b");
  assert_stored (f, "c", "z");
  g_assert_true (ams_log_has (f->said, "failed a"));
  g_assert_true (ams_log_has (f->said, "failed b"));
}

/* Not the file that happens to be written, but the one that takes most; the others
 * go on. */
static void
test_want_of_room_costs_the_largest (Fixture *f, gconstpointer data)
{
  start (f);
  begin (f, 0, "small");
  begin (f, 1, "large");
  write_much (f, 1, 700);
  write_much (f, 0, 200);
  settle (f);
  write_much (f, 0, 200);
  settle (f);
  g_assert_true (ams_log_has (f->said, "failed large"));
  end (f, 1, 700, 0);
  end (f, 0, 400, 0);
  drain (f);
  g_assert_true (ams_log_has (f->said, "stored small 0"));
  assert_absent (f, "large");
}

/* While the engine's thread hangs, the streaming thread takes back whole lanes' bytes:
 * of a file that has begun there, or not yet. */
static void
test_taking_back_keeps_to_a_lane (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "stuck", FAKE_BLOCK, 0);
  start (f);
  begin (f, 0, "a");
  begin (f, 1, "b");
  settle (f);
  ams_engine_select (f->engine, 2);
  put (f, "stuck", "");
  ams_log_wait (f->ops, "put stuck 0 0");
  write_much (f, 0, 400);
  write_much (f, 1, 500);
  write_much (f, 0, 300);
  write_much (f, 1, 1);
  ams_fake_store_release (f->store, "stuck");
  end (f, 1, 501, 0);
  end (f, 0, 700, 0);
  drain (f);
  g_assert_true (ams_log_has (f->said, "stored b 0"));
  g_assert_true (ams_log_has (f->said, "failed a"));
}

#define ADD(path, policy, test) \
  g_test_add ("/delivery-lanes/" path, Fixture, GINT_TO_POINTER (policy), \
      set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("in-turn", AMS_QUEUE_BLOCK, test_files_are_written_in_turn);
  ADD ("playlist-waits", AMS_QUEUE_BLOCK,
      test_playlist_waits_for_files_of_all_lanes);
  ADD ("playlist-open", AMS_QUEUE_BLOCK,
      test_open_file_of_another_lane_is_not_waited_for);
  ADD ("begin", AMS_QUEUE_BLOCK, test_begin_abandons_its_own_lanes_file);
  ADD ("carried", AMS_QUEUE_BLOCK, test_carried_bytes_stay_in_their_lane);
  ADD ("flush", AMS_QUEUE_BLOCK, test_flush_cuts_all);
  ADD ("room", AMS_QUEUE_DROP_OLDEST, test_want_of_room_costs_the_largest);
  ADD ("taken-back", AMS_QUEUE_DROP_OLDEST, test_taking_back_keeps_to_a_lane);
  return g_test_run ();
}
