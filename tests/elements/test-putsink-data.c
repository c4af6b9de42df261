/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Put sinks that take ordinary data, one file for each stream; and what all of them do at
 * the end: drain, notify, say what is lost. */

#include "config.h"

#include "putsink-common.h"

#include "local/gstamslocalsink.h"

#include <string.h>

/* Ordinary data: a stream that is not of files. */

static void
begin_data_stream (Fixture *f, const gchar *id)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (f->harness, gst_event_new_stream_start (id));
  gst_harness_set_src_caps_str (f->harness, "video/mpegts");
  gst_harness_push_event (f->harness, gst_event_new_segment (&segment));
}

static void
set_up_data (Fixture *f, gconstpointer data)
{
  set_up (f, data);
  TEST_SINK (f->sink)->data_name = "d";
  begin_data_stream (f, "one");
}

static void
restart (Fixture *f)
{
  gst_element_set_state (f->sink, GST_STATE_NULL);
  gst_bus_set_flushing (f->bus, TRUE);
  gst_bus_set_flushing (f->bus, FALSE);
  gst_element_set_state (f->sink, GST_STATE_PLAYING);
  gst_pad_set_active (f->harness->srcpad, FALSE);
  gst_pad_set_active (f->harness->srcpad, TRUE);
}

static void
assert_stored (Fixture *f, const gchar *name, const gchar *text)
{
  g_autofree gchar *stored = ams_fake_store_dup_text (f->store, name);

  g_assert_cmpstr (stored, ==, text);
}

static void
assert_no_message (Fixture *f, GstMessageType type)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (f->bus, type);

  g_assert_null (message);
}

static void
test_data_are_one_file_at_eos (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) eos = NULL;

  g_assert_cmpint (push_data (f, "abc"), ==, GST_FLOW_OK);
  g_assert_cmpint (push_data (f, "def"), ==, GST_FLOW_OK);
  g_assert_false (ams_log_has (f->ops, "put d 0 0"));
  push_eos (f);
  assert_stored (f, "d", "abcdef");
  g_assert_cmpuint (ams_log_count (f->ops, "put d 0 0"), ==, 1);
  eos = wait_message (f, GST_MESSAGE_EOS);
}

static void
test_no_data_are_no_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) eos = NULL;

  push_eos (f);
  eos = wait_message (f, GST_MESSAGE_EOS);
  g_assert_false (ams_log_has (f->ops, "put d 0 0"));
}

static void
test_flush_stores_nothing_of_what_came (Fixture *f, gconstpointer data)
{
  push_data (f, "abc");
  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
  push_eos (f);
  g_assert_false (ams_log_has (f->ops, "put d 0 0"));
}

static void
test_flush_what_follows_is_a_file (Fixture *f, gconstpointer data)
{
  push_data (f, "abc");
  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
  begin_data_stream (f, "two");
  push_data (f, "xyz");
  push_eos (f);
  assert_stored (f, "d", "xyz");
}

/* As splitmuxsink does with each fragment. */
static void
test_rounds_with_null_between_are_files (Fixture *f, gconstpointer data)
{
  static const gchar *const names[] = { "e", "f" };

  push_data (f, "first");
  push_eos (f);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    restart (f);
    TEST_SINK (f->sink)->data_name = names[i];
    begin_data_stream (f, names[i]);
    push_data (f, names[i]);
    push_eos (f);
    assert_stored (f, names[i], names[i]);
  }
  assert_stored (f, "d", "first");
}

static void
test_stop_without_eos_stores_nothing (Fixture *f, gconstpointer data)
{
  push_data (f, "abc");
  gst_element_set_state (f->sink, GST_STATE_NULL);
  g_assert_false (ams_log_has (f->ops, "put d 0 0"));
}

static void
test_refused_data_are_one_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  TEST_SINK (f->sink)->data_name = NULL;
  g_assert_cmpint (push_data (f, "abc"), ==, GST_FLOW_ERROR);
  g_assert_cmpint (push_data (f, "abc"), ==, GST_FLOW_ERROR);
  message = wait_message (f, GST_MESSAGE_ERROR);
  push_eos (f);
  assert_no_message (f, GST_MESSAGE_ERROR);
}

static void
test_refused_files_are_one_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  TEST_SINK (f->sink)->refuses_files = TRUE;
  gst_harness_set_src_caps_str (f->harness, AMS_FILES_CAPS ", again=(int)1");
  push_begin (f, "a", 0, NULL);
  g_assert_cmpint (push_data (f, "abc"), !=, GST_FLOW_OK);
  message = wait_message (f, GST_MESSAGE_ERROR);
  assert_no_message (f, GST_MESSAGE_ERROR);
}

static void
push_bytes_segment (Fixture *f, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = start;
  gst_harness_push_event (f->harness, gst_event_new_segment (&segment));
}

static void
test_segment_that_goes_back_is_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;

  push_data (f, "abc");
  push_bytes_segment (f, 0);
  message = wait_message (f, GST_MESSAGE_ERROR);
  g_assert_cmpint (push_data (f, "x"), ==, GST_FLOW_ERROR);
  assert_no_message (f, GST_MESSAGE_ERROR);
}

static void
test_segment_that_goes_on_is_taken (Fixture *f, gconstpointer data)
{
  push_data (f, "abc");
  push_bytes_segment (f, 3);
  g_assert_cmpint (push_data (f, "def"), ==, GST_FLOW_OK);
  push_eos (f);
  assert_stored (f, "d", "abcdef");
}

/* A class that takes file streams only says nothing of it. */
static void
test_data_without_a_name_are_an_error (void)
{
  GstElement *sink =
      gst_object_ref_sink (g_object_new (GST_TYPE_AMS_LOCAL_SINK, NULL));
  GstHarness *harness;

  gst_ams_local_sink_set_root (GST_AMS_LOCAL_SINK (sink), g_get_tmp_dir ());
  harness = gst_harness_new_with_element (sink, "sink", NULL);
  gst_harness_set_src_caps_str (harness, AMS_FILES_CAPS);
  g_assert_cmpint (gst_harness_push (harness, gst_buffer_new_memdup ("abc", 3)),
      ==, GST_FLOW_ERROR);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_harness_teardown (harness);
  g_assert_finalize_object (sink);
}

/* Starting */

static void
test_check_failing_is_one_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (f->sink, GST_STATE_NULL);
  gst_bus_set_flushing (f->bus, TRUE);
  gst_bus_set_flushing (f->bus, FALSE);
  TEST_SINK (f->sink)->refuses_properties = TRUE;
  g_assert_cmpint (gst_element_set_state (f->sink, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  message = wait_message (f, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_cmpstr (error->message, ==, "not like this");
  assert_no_message (f, GST_MESSAGE_ERROR);
}

/* Draining */

static gpointer
ask_to_drain (gpointer data)
{
  Fixture *f = data;
  g_autoptr (GstQuery) query = ams_files_query_new_drain ();

  gst_pad_peer_query (f->harness->srcpad, query);
  ams_log_add (f->ops, "drained");
  return NULL;
}

static void
test_drain_query_waits_for_the_store (Fixture *f, gconstpointer data)
{
  GThread *thread;

  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  ams_log_wait (f->ops, "put a 0 0");
  thread = g_thread_new ("drain", ask_to_drain, f);
  g_assert_false (ams_log_has (f->ops, "drained"));
  ams_fake_store_release (f->store, "a");
  g_thread_join (thread);
  g_assert_cmpuint (ams_log_index (f->ops, "done a"), <,
      ams_log_index (f->ops, "drained"));
}

static void
test_drain_query_when_stopped_returns (Fixture *f, gconstpointer data)
{
  gst_element_set_state (f->sink, GST_STATE_NULL);
  ask_to_drain (f);
}

/* A store that does not answer is waited for once, and not once for each who asks. */
static void
test_drain_timed_out_is_not_waited_for_again (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) error = NULL;

  g_object_set (f->sink, "drain-timeout", GST_MSECOND, NULL);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  ask_to_drain (f);
  /* Longer than the test may take. */
  g_object_set (f->sink, "drain-timeout", GST_CLOCK_TIME_NONE, NULL);
  push_eos (f);
  error = wait_message (f, GST_MESSAGE_ERROR);
}

/* Each store of several that cannot deliver is asked in turn: the time that passed before
 * it was this one's turn counts, too. */
static void
test_drain_counts_from_when_it_was_asked (Fixture *f, gconstpointer data)
{
  GstStructure *s = gst_structure_new ("ams-files-drain", "since", G_TYPE_INT64,
      (gint64) 1, NULL);
  g_autoptr (GstQuery) query = gst_query_new_custom (GST_QUERY_DRAIN, s);
  g_autoptr (GstMessage) error = NULL;

  /* Since the machine was started: longer than the test may take. */
  g_object_set (f->sink, "drain-timeout", g_get_monotonic_time () * GST_USECOND,
      NULL);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  gst_pad_peer_query (f->harness->srcpad, query);
  push_eos (f);
  error = wait_message (f, GST_MESSAGE_ERROR);
}

static void
test_drain_timed_out_waits_for_what_came_since (Fixture *f, gconstpointer data)
{
  GThread *thread;

  g_object_set (f->sink, "drain-timeout", GST_MSECOND, NULL);
  ams_fake_store_script (f->store, "a", FAKE_HANG, 0);
  push_file (f, "a", 0, "abc");
  ask_to_drain (f);
  g_object_set (f->sink, "drain-timeout", GST_CLOCK_TIME_NONE, NULL);
  push_file (f, "b", 0, "def");
  thread = g_thread_new ("eos", push_eos_in_thread, f);
  ams_log_wait (f->ops, "done b");
  ams_fake_store_release (f->store, "a");
  g_thread_join (thread);
  assert_stored (f, "a", "abc");
  assert_no_message (f, GST_MESSAGE_ERROR);
}

/* Other stores may have taken the whole drain-timeout: one that kept up has a moment for
 * what comes last, a list or a removal, and is not said to be late. */
static void
test_drain_of_a_store_that_kept_up_leaves_a_moment (Fixture *f,
    gconstpointer data)
{
  GThread *thread;

  g_object_set (f->sink, "drain-timeout", GST_CLOCK_TIME_NONE, NULL);
  push_file (f, "a", 0, "abc");
  ask_to_drain (f);
  /* Over when it begins. */
  g_object_set (f->sink, "drain-timeout", (guint64) 0, NULL);
  ask_to_drain (f);
  ams_fake_store_script (f->store, "l.m3u8", FAKE_HANG, 0);
  push_file (f, "l.m3u8", 1, "list");
  thread = g_thread_new ("eos", push_eos_in_thread, f);
  ams_log_wait (f->ops, "put l.m3u8 1 0");
  ams_fake_store_release (f->store, "l.m3u8");
  g_thread_join (thread);
  assert_stored (f, "l.m3u8", "list");
  assert_no_message (f, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
}

/* Holding back */

static void
restart_at_eos (Fixture *f)
{
  TEST_SINK (f->sink)->at_eos = TRUE;
  restart (f);
  gst_harness_push_event (f->harness, gst_event_new_stream_start ("two"));
  gst_harness_set_src_caps_str (f->harness, AMS_FILES_CAPS);
}

static void
test_at_eos_nothing_is_put_before (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) eos = NULL;
  g_autoptr (GstQuery) query = ams_files_query_new_fetch ("a", FALSE, 100);

  restart_at_eos (f);
  push_file (f, "a", 0, "abc");
  push_file (f, "p", 1, "a");
  /* When this is answered, all before it was handled. */
  gst_pad_peer_query (f->harness->srcpad, query);
  g_assert_false (ams_log_has (f->ops, "put a 0 0"));
  push_eos (f);
  assert_stored (f, "a", "abc");
  assert_stored (f, "p", "a");
  eos = wait_message (f, GST_MESSAGE_EOS);
}

/* Who asks before the end wants to know what is given up: that is the end. */
static void
test_at_eos_drain_query_releases (Fixture *f, gconstpointer data)
{
  restart_at_eos (f);
  push_file (f, "a", 0, "abc");
  ask_to_drain (f);
  assert_stored (f, "a", "abc");
  push_eos (f);
  assert_no_message (f, GST_MESSAGE_ERROR);
}

/* Notifying */

static void
test_notify_says_what_was_delivered (Fixture *f, gconstpointer data)
{
  AmsFileBegin begin = { .name = (gchar *) "p",
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = 1,
    .final = TRUE };

  TEST_SINK (f->sink)->describes = TRUE;
  push_file (f, "a", 0, "abc");
  push_file (f, "b", 0, "def");
  gst_harness_push_event (f->harness, ams_files_event_new_begin (&begin));
  push_data (f, "a b");
  push_end (f, 3);
  push_eos (f);
  g_assert_cmpuint (ams_log_count (f->ops, "notify 2 files, 6 bytes, p"), ==,
      1);
  g_assert_cmpuint (ams_log_index (f->ops, "done p"), <,
      ams_log_index (f->ops, "notify 2 files, 6 bytes, p"));
}

static void
test_notify_of_data_has_no_playlist (Fixture *f, gconstpointer data)
{
  TEST_SINK (f->sink)->describes = TRUE;
  push_data (f, "abcd");
  push_eos (f);
  g_assert_true (ams_log_has (f->ops, "notify 1 files, 4 bytes, no playlist"));
}

static void
test_notify_of_nothing_is_none (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) eos = NULL;

  TEST_SINK (f->sink)->describes = TRUE;
  push_eos (f);
  eos = wait_message (f, GST_MESSAGE_EOS);
  g_assert_false (ams_log_has (f->ops, "notify 0 files, 0 bytes, no playlist"));
}

/* What is lost */

static void
test_eos_with_only_a_playlist_left_is_a_warning (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) warning = NULL, eos = NULL;

  g_object_set (f->sink, "drain-timeout", GST_MSECOND, NULL);
  ams_fake_store_script (f->store, "p", FAKE_HANG, 0);
  push_file (f, "p", 1, "abc");
  push_eos (f);
  warning = wait_message (f, GST_MESSAGE_WARNING);
  eos = wait_message (f, GST_MESSAGE_EOS);
  assert_no_message (f, GST_MESSAGE_ERROR);
}

static void
test_eos_that_loses_says_how_much (Fixture *f, gconstpointer data)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  g_object_set (f->sink, "drain-timeout", GST_MSECOND, NULL);
  ams_fake_store_script (f->store, "d", FAKE_HANG, 0);
  push_data (f, "abcdefghij");
  push_eos (f);
  message = wait_message (f, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "1 file(s) (10 bytes of media)"));
}

#define ADD(path, up, function) \
  g_test_add ("/putsink-data/" path, Fixture, NULL, up, function, tear_down)

static void
add_data_tests (void)
{
  ADD ("data/one-file-at-eos", set_up_data, test_data_are_one_file_at_eos);
  ADD ("data/none-no-file", set_up_data, test_no_data_are_no_file);
  ADD ("data/flush", set_up_data, test_flush_stores_nothing_of_what_came);
  ADD ("data/after-flush", set_up_data, test_flush_what_follows_is_a_file);
  ADD ("data/rounds-with-null-between", set_up_data,
      test_rounds_with_null_between_are_files);
  ADD ("data/stop-without-eos", set_up_data,
      test_stop_without_eos_stores_nothing);
  ADD ("data/refused", set_up_data, test_refused_data_are_one_error);
  ADD ("data/files-refused", set_up, test_refused_files_are_one_error);
  ADD ("data/segment-back", set_up_data,
      test_segment_that_goes_back_is_refused);
  ADD ("data/segment-on", set_up_data, test_segment_that_goes_on_is_taken);
  g_test_add_func ("/putsink-data/data/without-a-name",
      test_data_without_a_name_are_an_error);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  add_data_tests ();
  ADD ("check/one-error", set_up, test_check_failing_is_one_error);
  ADD ("drain/waits", set_up, test_drain_query_waits_for_the_store);
  ADD ("drain/stopped", set_up, test_drain_query_when_stopped_returns);
  ADD ("drain/once", set_up, test_drain_timed_out_is_not_waited_for_again);
  ADD ("drain/kept-up", set_up,
      test_drain_of_a_store_that_kept_up_leaves_a_moment);
  ADD ("drain/since", set_up, test_drain_timed_out_waits_for_what_came_since);
  ADD ("drain/counts-from-when-it-was-asked", set_up,
      test_drain_counts_from_when_it_was_asked);
  ADD ("at-eos/nothing-before", set_up, test_at_eos_nothing_is_put_before);
  ADD ("at-eos/drain-releases", set_up, test_at_eos_drain_query_releases);
  ADD ("notify/what", set_up, test_notify_says_what_was_delivered);
  ADD ("notify/data", set_up_data, test_notify_of_data_has_no_playlist);
  ADD ("notify/nothing", set_up, test_notify_of_nothing_is_none);
  ADD ("lost/only-a-playlist", set_up,
      test_eos_with_only_a_playlist_left_is_a_warning);
  ADD ("lost/how-much", set_up_data, test_eos_that_loses_says_how_much);
  return g_test_run ();
}
