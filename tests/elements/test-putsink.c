/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "putsink-common.h"

#include "local/gstamslocalsink.h"

#include <glib/gstdio.h>
#include <string.h>

static void
test_file_is_stored_and_said (Fixture *f, gconstpointer data)
{
  g_autofree gchar *text = NULL, *name = NULL;
  g_autoptr (GstEvent) event = NULL;
  guint64 version;

  push_file (f, "a", 0, "abc");
  assert_element_message (f, "ams-file-uploaded", "a");
  text = ams_fake_store_dup_text (f->store, "a");
  g_assert_cmpstr (text, ==, "abc");
  while ((event = gst_harness_pull_upstream_event (f->harness))) {
    if (ams_files_event_parse_stored (event, &name, &version))
      break;
    gst_clear_event (&event);
  }
  g_assert_cmpstr (name, ==, "a");
}

static void
test_buffer_list_is_taken (Fixture *f, gconstpointer data)
{
  GstBufferList *list = gst_buffer_list_new ();
  GstBuffer *two = gst_buffer_new_memdup ("c", 1);
  g_autofree gchar *text = NULL;

  gst_buffer_append_memory (two,
      gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, (gpointer) "de", 2, 0,
          2, NULL, NULL));
  gst_buffer_list_add (list, gst_buffer_new_memdup ("ab", 2));
  gst_buffer_list_add (list, two);
  push_begin (f, "a", 0, NULL);
  g_assert_cmpint (gst_pad_push_list (f->harness->srcpad, list), ==,
      GST_FLOW_OK);
  push_end (f, 5);
  push_eos (f);
  text = ams_fake_store_dup_text (f->store, "a");
  g_assert_cmpstr (text, ==, "abcde");
}

static void
test_data_outside_a_file_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  g_assert_cmpint (push_data (f, "x"), ==, GST_FLOW_ERROR);
  message = wait_message (f, GST_MESSAGE_ERROR);
}

static void
test_eos_waits_for_the_store (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;
  GstEvent *eos = gst_event_new_eos ();
  guint32 seqnum = gst_event_get_seqnum (eos);

  push_file (f, "a", 0, "abc");
  push_file (f, "p", 1, "a");
  gst_harness_push_event (f->harness, eos);
  g_assert_true (ams_log_has (f->ops, "done p"));
  message = wait_message (f, GST_MESSAGE_EOS);
  g_assert_cmpuint (gst_message_get_seqnum (message), ==, seqnum);
}

static void
test_eos_without_data_is_posted (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  push_eos (f);
  message = wait_message (f, GST_MESSAGE_EOS);
}

static void
test_eos_twice_is_harmless (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  push_file (f, "a", 0, "abc");
  push_eos (f);
  push_eos (f);
  message = wait_message (f, GST_MESSAGE_EOS);
}

static void
test_eos_in_paused_is_posted_when_playing (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) none = NULL, message = NULL;

  gst_element_set_state (f->sink, GST_STATE_PAUSED);
  push_eos (f);
  none = gst_bus_pop_filtered (f->bus, GST_MESSAGE_EOS);
  g_assert_null (none);
  gst_element_set_state (f->sink, GST_STATE_PLAYING);
  message = wait_message (f, GST_MESSAGE_EOS);
}

static void
test_eos_drain_timeout_loses_and_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) error = NULL, eos = NULL;

  g_object_set (f->sink, "drain-timeout", GST_MSECOND, NULL);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  push_eos (f);
  error = wait_message (f, GST_MESSAGE_ERROR);
  eos = wait_message (f, GST_MESSAGE_EOS);
}

static void
push_lane (Fixture *f, guint lane)
{
  gst_harness_push_event (f->harness, ams_files_event_new_lane (lane));
}

static void
test_lanes_have_files_of_their_own (Fixture *f, gconstpointer data)
{
  g_autofree gchar *a = NULL, *b = NULL;

  push_begin (f, "a", 0, NULL);
  push_lane (f, 1);
  push_begin (f, "b", 0, NULL);
  push_data (f, "two");
  push_lane (f, 0);
  push_data (f, "one");
  push_end (f, 3);
  push_file (f, "p", 1, "a");
  push_lane (f, 1);
  push_end (f, 3);
  push_eos (f);
  a = ams_fake_store_dup_text (f->store, "a");
  b = ams_fake_store_dup_text (f->store, "b");
  g_assert_cmpstr (a, ==, "one");
  g_assert_cmpstr (b, ==, "two");
  g_assert_true (ams_log_has (f->ops, "done p"));
}

/* What is left of any of them is not wanted any more; each lane goes on with its next
 * file. */
static void
test_flush_abandons_the_open_files_of_all_lanes (Fixture *f, gconstpointer data)
{
  g_autofree gchar *c = NULL, *d = NULL;

  push_begin (f, "a", 0, NULL);
  push_lane (f, 1);
  push_begin (f, "b", 0, NULL);
  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
  gst_harness_set_src_caps_str (f->harness, AMS_FILES_CAPS);
  push_lane (f, 1);
  g_assert_cmpint (push_data (f, "b"), ==, GST_FLOW_OK);
  push_end (f, 1);
  push_file (f, "d", 0, "two");
  push_lane (f, 0);
  g_assert_cmpint (push_data (f, "a"), ==, GST_FLOW_OK);
  push_end (f, 1);
  push_file (f, "c", 0, "one");
  push_eos (f);
  c = ams_fake_store_dup_text (f->store, "c");
  d = ams_fake_store_dup_text (f->store, "d");
  g_assert_cmpstr (c, ==, "one");
  g_assert_cmpstr (d, ==, "two");
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  g_assert_false (ams_log_has (f->ops, "put b 0 0"));
}

static void
test_flush_abandons_the_open_file_only (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  push_begin (f, "b", 0, NULL);
  push_data (f, "x");
  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
  gst_harness_set_src_caps_str (f->harness, AMS_FILES_CAPS);
  /* The rest of b, which is not wanted any more. */
  g_assert_cmpint (push_data (f, "y"), ==, GST_FLOW_OK);
  push_end (f, 2);
  push_file (f, "c", 0, "z");
  ams_fake_store_release (f->store, "a");
  push_eos (f);
  g_assert_true (ams_log_has (f->ops, "done a"));
  g_assert_true (ams_log_has (f->ops, "done c"));
  g_assert_false (ams_log_has (f->ops, "put b 0 0"));
}

static void
test_flush_wakes_eos (Fixture *f, gconstpointer data)
{
  GThread *thread;

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  ams_log_wait (f->ops, "put a 0 0");
  thread = g_thread_new ("eos", push_eos_in_thread, f);
  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  g_thread_join (thread);
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
}

static void
test_stop_in_flight_is_quick (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) warning = NULL;
  gint64 begun;
  GThread *thread;

  ams_fake_store_script (f->store, "a", FAKE_DEAF, 0);
  push_file (f, "a", 0, "abc");
  ams_log_wait (f->ops, "put a 0 0");
  thread = g_thread_new ("eos", push_eos_in_thread, f);
  begun = g_get_monotonic_time ();
  gst_element_set_state (f->sink, GST_STATE_NULL);
  g_assert_cmpint (g_get_monotonic_time () - begun, <,
      3 * G_TIME_SPAN_SECOND / 2);
  g_thread_join (thread);
  warning = wait_message (f, GST_MESSAGE_WARNING);
  ams_fake_store_release (f->store, "a");
}

static void
test_reuse_through_null (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *name = g_strdup_printf ("%u", i);
    g_autofree gchar *done = g_strdup_printf ("done %u", i);
    g_autoptr (GstMessage) message = NULL;

    gst_element_set_state (f->sink, GST_STATE_NULL);
    gst_bus_set_flushing (f->bus, TRUE);
    gst_bus_set_flushing (f->bus, FALSE);
    gst_element_set_state (f->sink, GST_STATE_PLAYING);
    gst_pad_set_active (f->harness->srcpad, FALSE);
    gst_pad_set_active (f->harness->srcpad, TRUE);
    gst_harness_push_event (f->harness, gst_event_new_stream_start (name));
    gst_harness_set_src_caps_str (f->harness, AMS_FILES_CAPS);
    push_file (f, name, 0, "abc");
    push_eos (f);
    g_assert_true (ams_log_has (f->ops, done));
    message = wait_message (f, GST_MESSAGE_EOS);
  }
}

static void
test_failed_file_withholds_playlists (Fixture *f, gconstpointer data)
{
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_EXISTS);
  push_file (f, "a", 0, "abc");
  push_file (f, "p", 1, "a");
  assert_element_message (f, "ams-file-failed", "a");
  push_file (f, "p", 2, "a");
  push_begin (f, "p", 3, "a");
  push_data (f, "gap");
  push_end (f, 3);
  push_eos (f);
  g_assert_false (ams_log_has (f->ops, "put p 1 0"));
  g_assert_false (ams_log_has (f->ops, "put p 2 0"));
  g_assert_true (ams_log_has (f->ops, "put p 3 0"));
}

static void
test_full_is_a_warning_and_its_end_an_info (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) warning = NULL, info = NULL;
  g_autoptr (GError) error = NULL;

  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_FULL);
  push_file (f, "a", 0, "abc");
  warning = wait_message (f, GST_MESSAGE_WARNING);
  gst_message_parse_warning (warning, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  info = wait_message (f, GST_MESSAGE_INFO);
}

/* All that found the disk full would wait a minute, each for itself; one that gets through makes
 * the oldest try, and that the next. */
static void
test_full_is_over_for_all_with_the_first_that_is_stored (Fixture *f,
    gconstpointer data)
{
  static const gchar *const names[] = { "a", "b", "c" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    ams_fake_store_script_failure (f->store, names[i], AMS_FAILURE_FULL, 0, 60);
    push_file (f, names[i], 0, "abc");
    assert_element_message (f, "ams-file-retrying", names[i]);
  }
  push_file (f, "d", 0, "abc");
  assert_element_message (f, "ams-file-uploaded", "d");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_element_message (f, "ams-file-uploaded", names[i]);
}

static void
test_on_error_error_ends_the_stream (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  gst_util_set_object_arg (G_OBJECT (f->sink), "on-error", "error");
  ams_fake_store_script (f->store, "a", FAKE_FAIL, AMS_FAILURE_PERMANENT);
  push_file (f, "a", 0, "abc");
  message = wait_message (f, GST_MESSAGE_ERROR);
  push_begin (f, "b", 0, NULL);
  g_assert_cmpint (push_data (f, "x"), ==, GST_FLOW_ERROR);
}

static void
test_fetch_query_adds_an_answer (Fixture *f, gconstpointer data)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch ("a", FALSE, 100);
  g_autoptr (GPtrArray) answers = NULL;
  const AmsFileFetchAnswer *answer;

  g_assert_false (gst_pad_peer_query (f->harness->srcpad, query));
  push_file (f, "a", 0, "abc");
  push_eos (f);
  g_assert_false (gst_pad_peer_query (f->harness->srcpad, query));
  gst_element_set_state (f->sink, GST_STATE_READY);
  g_assert_false (gst_element_query (f->sink, query));
  answers = ams_files_query_fetch_answers (query);
  g_assert_cmpuint (answers->len, ==, 2);
  answer = answers->pdata[0];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_ABSENT);
  answer = answers->pdata[1];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_FOUND);
}

static gpointer
ask (gpointer f)
{
  GstQuery *query = ams_files_query_new_fetch ("a", FALSE, 100);
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (((Fixture *) f)->sink, "sink");

  gst_pad_query (pad, query);
  return query;
}

/* @query: (transfer full) */
static void
assert_closed (GstQuery *query, gboolean closed)
{
  g_autoptr (GPtrArray) answers = ams_files_query_fetch_answers (query);
  const AmsFileFetchAnswer *answer;

  g_assert_cmpuint (answers->len, ==, 1);
  answer = answers->pdata[0];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_FAILED);
  g_assert_cmpint (answer->closed, ==, closed);
  gst_query_unref (query);
}

static void
test_query_while_it_stops_is_answered_closed (Fixture *f, gconstpointer data)
{
  GThread *thread;

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  thread = g_thread_new ("ask", ask, f);
  ams_log_wait (f->ops, "fetch a");
  gst_element_set_state (f->sink, GST_STATE_READY);
  assert_closed (g_thread_join (thread), TRUE);
  assert_closed (ask (f), TRUE);
  gst_element_set_state (f->sink, GST_STATE_NULL);
  assert_closed (ask (f), TRUE);
}

static void
test_query_before_it_is_open_fails (Fixture *f, gconstpointer data)
{
  GstElement *sink = f->sink;

  f->sink = gst_object_ref_sink (g_object_new (GST_TYPE_AMS_LOCAL_SINK, NULL));
  assert_closed (ask (f), FALSE);
  gst_object_unref (f->sink);
  f->sink = sink;
}

static void
test_query_when_stopped_fails (Fixture *f, gconstpointer data)
{
  g_autoptr (GstQuery) query = ams_files_query_new_list ("");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (f->sink, "sink");
  g_autoptr (GPtrArray) answers = NULL;
  const AmsFileListAnswer *answer;

  gst_element_set_state (f->sink, GST_STATE_READY);
  gst_pad_query (pad, query);
  answers = ams_files_query_list_answers (query);
  g_assert_cmpuint (answers->len, ==, 1);
  answer = answers->pdata[0];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_FAILED);
  g_assert_true (answer->closed);
}

/* The sink on disk, stopped without EOS: what was handed over is there. */
static void
test_local_stop_without_eos_keeps_files (void)
{
  g_autofree gchar *root = g_dir_make_tmp ("ams-sink-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (root, "a.ts", NULL);
  g_autofree gchar *text = NULL;
  Fixture f = { 0 };

  f.sink = gst_object_ref_sink (g_object_new (GST_TYPE_AMS_LOCAL_SINK, NULL));
  gst_ams_local_sink_set_root (GST_AMS_LOCAL_SINK (f.sink), root);
  f.harness = gst_harness_new_with_element (f.sink, "sink", NULL);
  gst_harness_set_src_caps_str (f.harness, AMS_FILES_CAPS);
  push_file (&f, "a.ts", 0, "abc");
  gst_element_set_state (f.sink, GST_STATE_NULL);
  g_file_get_contents (path, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, "abc");
  gst_harness_teardown (f.harness);
  g_assert_finalize_object (f.sink);
  g_unlink (path);
  g_rmdir (root);
}

#define ADD(path, function) \
  g_test_add ("/putsink/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  ADD ("file/is-stored-and-said", test_file_is_stored_and_said);
  ADD ("file/buffer-list-is-taken", test_buffer_list_is_taken);
  ADD ("file/data-outside-is-an-error", test_data_outside_a_file_is_an_error);
  ADD ("eos/waits-for-the-store", test_eos_waits_for_the_store);
  ADD ("eos/without-data-is-posted", test_eos_without_data_is_posted);
  ADD ("eos/twice-is-harmless", test_eos_twice_is_harmless);
  ADD ("eos/in-paused-is-posted-when-playing",
      test_eos_in_paused_is_posted_when_playing);
  ADD ("eos/drain-timeout-loses-and-is-an-error",
      test_eos_drain_timeout_loses_and_is_an_error);
  ADD ("flush/abandons-the-open-file-only",
      test_flush_abandons_the_open_file_only);
  ADD ("lanes/have-files-of-their-own", test_lanes_have_files_of_their_own);
  ADD ("lanes/flush-abandons-all",
      test_flush_abandons_the_open_files_of_all_lanes);
  ADD ("flush/wakes-eos", test_flush_wakes_eos);
  ADD ("state/stop-in-flight-is-quick", test_stop_in_flight_is_quick);
  ADD ("state/reuse-through-null", test_reuse_through_null);
  ADD ("fault/failed-file-withholds-playlists",
      test_failed_file_withholds_playlists);
  ADD ("fault/full-is-a-warning-and-its-end-an-info",
      test_full_is_a_warning_and_its_end_an_info);
  ADD ("fault/full-is-over-for-all",
      test_full_is_over_for_all_with_the_first_that_is_stored);
  ADD ("fault/on-error-error-ends-the-stream",
      test_on_error_error_ends_the_stream);
  ADD ("query/fetch-adds-an-answer", test_fetch_query_adds_an_answer);
  ADD ("query/when-stopped-fails", test_query_when_stopped_fails);
  ADD ("query/while-it-stops-is-answered-closed",
      test_query_while_it_stops_is_answered_closed);
  ADD ("query/before-it-is-open-fails", test_query_before_it_is_open_fails);
  g_test_add_func ("/putsink/local/stop-without-eos-keeps-files",
      test_local_stop_without_eos_keeps_files);
  return g_test_run ();
}
