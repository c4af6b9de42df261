/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshttpput against a server that fails: whatever it does to requests and connections, in
 * the end it has what was recorded, no reader was ever misled, and people were told
 * once. What does not get better by itself is in test-httpput-spool.c. */

#include "config.h"

#include "httpput-common.h"

#include <string.h>

/* ---- faults that pass ---- */

#define ANY_FAULTS G_MAXUINT /* but some */
/* None if the connection had been used before: then libsoup tries again by itself. */
#define PERHAPS (G_MAXUINT - 1)

typedef struct
{
  const gchar *title;
  AmsFaultRule rule; /* all zero: does nothing */
  guint faults; /* that are said */
  const gchar *settings[7];
  const gchar *folder; /* where files arrive; NULL: PUT_FOLDER */
  gint receive_buffer;
} Case;

#define SET(...) \
  { \
    __VA_ARGS__, NULL \
  }
#define SEGMENT .method = "PUT", .path = ".ts"
#define PUT .method = "PUT"
#define RULE(...) \
  { \
    __VA_ARGS__ \
  }

static const Case cases[] = {
  { "none", { 0 } },

  /* Answers */
  { "500 once", RULE (SEGMENT, .count = 1, .status = 500), 1 },
  { "502 once", RULE (SEGMENT, .count = 1, .status = 502), 1 },
  { "504 once", RULE (SEGMENT, .count = 1, .status = 504), 1 },
  { "520 once", RULE (SEGMENT, .count = 1, .status = 520), 1 },
  { "408 once", RULE (SEGMENT, .count = 1, .status = 408), 1 },
  { "423 once", RULE (SEGMENT, .count = 1, .status = 423), 1 },
  { "503 to the first requests", RULE (.count = 6, .status = 503), 1 },
  { "500 to each third request", RULE (.every = 3, .status = 500), ANY_FAULTS },
  { "500 to playlists", RULE (PUT, .path = ".m3u8", .count = 2, .status = 500),
      ANY_FAULTS },
  { "429 with Retry-After",
      RULE (SEGMENT, .count = 1, .status = 429, .headers = "Retry-After: 1"),
      1 },
  { "417",
      RULE (PUT, .header = "Expect", .unread = TRUE, .status = 417,
          .close = TRUE),
      0, SET ("expect", "always") },
  { "100-continue that never comes", RULE (.expect = AMS_FAULT_EXPECT_IGNORED),
      0, SET ("expect", "always") },
  { "100-continue that nobody asked for",
      RULE (.expect = AMS_FAULT_EXPECT_UNASKED), 0 },
  { "421 once", RULE (SEGMENT, .count = 1, .status = 421), 0 },
  { "421 again and again", RULE (SEGMENT, .count = 8, .status = 421),
      ANY_FAULTS },
  { "307", RULE (.path = "/cam/?*", .status = 307, .location = "/moved%s"), 0,
      { NULL }, "/moved/cam/" },
  { "308", RULE (.path = "/cam/?*", .status = 308, .location = "/moved%s"), 0,
      { NULL }, "/moved/cam/" },
  { "302 with redirect=put",
      RULE (.path = "/cam/?*", .status = 302, .location = "/moved%s"), 0,
      SET ("redirect", "put"), "/moved/cam/" },
  { "garbage", RULE (SEGMENT, .count = 1, .raw = "SSH-2.0-OpenSSH_9.2\r\n"),
      1 },
  { "nothing", RULE (SEGMENT, .count = 1, .raw = ""), PERHAPS },
  { "headers without an end",
      RULE (SEGMENT, .count = 1, .raw = "HTTP/1.1 201 Created\r\nX: "), 1 },
  { "a huge page",
      RULE (SEGMENT, .count = 2, .status = 500, .body_size = 32 * 1024 * 1024),
      ANY_FAULTS },
  { "HTTP/1.0", RULE (.http10 = TRUE), 0 },
  { "Connection: close", RULE (.close = TRUE), 0 },

  /* Connections */
  { "reset before the body",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_HEADERS),
      PERHAPS },
  { "reset in the body",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_BODY, .bytes = 5000),
      PERHAPS },
  { "reset after the body",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_READ),
      PERHAPS },
  { "closed in the body",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_FIN, .at = AMS_FAULT_AT_BODY,
          .bytes = 5000),
      PERHAPS },
  { "closed after the body",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_FIN, .at = AMS_FAULT_AT_READ),
      PERHAPS },
  { "reset in the answer",
      RULE (.count = 2, .end = AMS_FAULT_RESET, .at = AMS_FAULT_AT_ANSWER,
          .bytes = 12),
      PERHAPS },
  { "closed between requests",
      RULE (.end = AMS_FAULT_FIN, .at = AMS_FAULT_AT_SENT), 0 },
  { "reset between requests",
      RULE (.end = AMS_FAULT_RESET, .at = AMS_FAULT_AT_SENT), PERHAPS },
  { "closed at the next request",
      RULE (.end = AMS_FAULT_FIN, .at = AMS_FAULT_AT_NEXT), 0 },
  { "reset at the next request",
      RULE (.end = AMS_FAULT_RESET, .at = AMS_FAULT_AT_NEXT), PERHAPS },
  { "reset each time before the body",
      RULE (PUT, .every = 2, .count = 8, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_HEADERS),
      PERHAPS },

  /* Answers that are lost after the file was stored */
  { "answer lost",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_STORED),
      PERHAPS },
  { "answer lost, overwrite=never",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_STORED),
      PERHAPS, SET ("overwrite", "never") },
  { "answer lost, overwrite=always",
      RULE (SEGMENT, .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_STORED),
      PERHAPS, SET ("overwrite", "always") },
  { "answer to a playlist lost",
      RULE (PUT, .path = ".m3u8", .count = 2, .end = AMS_FAULT_RESET,
          .at = AMS_FAULT_AT_STORED),
      PERHAPS },
  { "500, but stored",
      RULE (SEGMENT, .count = 2, .status = 500,
          .store = AMS_FAULT_STORE_ANYWAY),
      ANY_FAULTS },

  /* Time */
  { "no answer",
      RULE (SEGMENT, .count = 1, .hold = TRUE, .at = AMS_FAULT_AT_READ), 1,
      SET ("timeout", "1") },
  { "no more reading",
      RULE (SEGMENT, .count = 1, .hold = TRUE, .at = AMS_FAULT_AT_BODY,
          .bytes = 1000),
      1, SET ("timeout", "1"), NULL, 4096 },
  { "slow reading",
      RULE (SEGMENT, .count = 2, .slow_bytes = 1024, .slow_ms = 5), 0,
      SET ("timeout", "1"), NULL, 4096 },

  /* Lies */
  { "200 and nothing stored, verify=size",
      RULE (PUT, .count = 3, .status = 200, .store = AMS_FAULT_STORE_NOTHING),
      ANY_FAULTS, SET ("verify", "size") },
  { "201 and nothing stored, verify=etag",
      RULE (PUT, .count = 3, .status = 201, .store = AMS_FAULT_STORE_NOTHING),
      ANY_FAULTS, SET ("verify", "etag") },
  { "201 and a part stored, verify=size",
      RULE (SEGMENT, .count = 2, .store = AMS_FAULT_STORE_PART,
          .store_bytes = 999),
      ANY_FAULTS, SET ("verify", "size", "overwrite", "always") },
};

static void
assert_told (Put *put, guint faults)
{
  if (faults == ANY_FAULTS)
    put_assert_faults_are_over (put);
  else if (faults != PERHAPS)
    put_assert_faults (put, faults);
  else if (put_count (put, GST_MESSAGE_WARNING, NULL) > 0)
    put_assert_faults_are_over (put);
}

static void
test_fault_that_passes_delivers_all (gconstpointer data)
{
  const Case *c = data;
  AmsFaultOptions options = { .receive_buffer = c->receive_buffer };
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&options);
  g_autoptr (Put) put = put_new (server, c->settings);

  ams_fault_server_add_rule (server, &c->rule);
  put_record (put, 4);
  put_finish (put);
  put_assert_stored_in (put, server, c->folder ? c->folder : PUT_FOLDER);
  assert_told (put, c->faults);
}

/* ---- Retry-After ---- */

typedef struct
{
  GMutex lock;
  gint64 refused,
      next; /* µs; when the answer went out, when the next request was over */
} Times;

static void
note_time (const AmsFaultRequest *request, gpointer user_data)
{
  Times *times = user_data;

  g_mutex_lock (&times->lock);
  if (request->status == 503)
    times->refused = g_get_monotonic_time ();
  else if (times->refused && !times->next)
    times->next = g_get_monotonic_time ();
  g_mutex_unlock (&times->lock);
}

/* To any file: it is the server that asks for peace. */
static void
test_retry_after_is_waited_for (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  Times times = { 0 };
  Put *put;

  ams_fault_server_set_listener (server, note_time, &times);
  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ SEGMENT, .count = 1, .status = 503,
          .headers = "Retry-After: 2" });
  put = put_new (server, PUT_SETTINGS ("max-parallel", "1"));
  put_record (put, 3);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
  g_assert_cmpuint (put_wait_retry_delay (put, 1), >=, 2 * GST_SECOND);
  put_free (put);
  /* The listener is told a little after the answer went out. */
  g_assert_cmpint (times.next - times.refused, >=, 1900 * 1000);
}

/* ---- servers that are away ---- */

static void
test_refused_connections_are_tried_again_until_taken (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = NULL;

  ams_fault_server_pause (server);
  put = put_new (server, NULL);
  put_record (put, 4);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "refused");
  put_wait_retry_delay (put, 3);
  ams_fault_server_resume (server);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
}

static void
test_server_killed_and_started_again_gets_all (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);

  put_record (put, 2);
  ams_fault_server_wait_stored (server, "s00001.ts", 1);
  ams_fault_server_pause (server);
  ams_fault_server_drop (server);
  put_record (put, 3);
  gst_message_unref (put_wait (put, GST_MESSAGE_WARNING, NULL, 1));
  ams_fault_server_resume (server);
  put_record (put, 2);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults_are_over (put);
}

/* Of a file that is larger than all buffers on the way. */
static void
test_reading_that_stalls_is_tried_again (void)
{
  AmsFaultOptions options = { .receive_buffer = 4096 };
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&options);
  g_autoptr (Put) put = put_new (server, PUT_SETTINGS ("stall-timeout", "1"));

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ SEGMENT, .count = 1, .slow_bytes = 512,
          .slow_ms = 200 });
  put_push_segment (put, 2 * 1024 * 1024);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "fewer than");
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
}

/* While it is away it is asked by one request at a time. */
static void
test_server_that_is_deaf_gets_all_when_it_listens (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, PUT_SETTINGS ("timeout", "1"));

  ams_fault_server_set_deaf (server, TRUE);
  put_record (put, 6);
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "did not answer");
  put_wait_retry_delay (put, 5);
  /* max-parallel of them before it was known. */
  g_assert_cmpuint (ams_fault_server_count_connections (server), <=, 4 + 6);
  ams_fault_server_set_deaf (server, FALSE);
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 1);
}

/* ---- the streaming thread ---- */

static void
test_server_that_hangs_does_not_stop_the_stream (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ SEGMENT, .hold = TRUE, .at = AMS_FAULT_AT_HEADERS });
  put_record (put, 4);
  ams_fault_server_wait_held (server, "PUT", ".ts", 4);
  put_record (put, 60);
  g_assert_cmpint (put->longest_push, <, 500 * 1000 * put_patience ());
  ams_fault_server_clear_rules (server);
  ams_fault_server_release (server, ".ts");
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 0);
}

/* No playlist before its segments, however long they take. */
static void
test_answer_that_comes_late_is_waited_for (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ PUT, .path = "s00000.ts", .hold = TRUE });
  put_record (put, 3);
  ams_fault_server_wait_held (server, "PUT", "s00000.ts", 1);
  ams_fault_server_wait_stored (server, "s00002.ts", 1);
  g_assert_cmpuint (ams_fault_server_count (server, "PUT", ".m3u8"), ==, 0);
  ams_fault_server_release (server, "s00000.ts");
  put_finish (put);
  put_assert_stored (put, server);
  put_assert_faults (put, 0);
}

/* tee → put, put; without queues, as neither ever waits. */
static void
put_both_behind_a_tee (Put *a, Put *b, GstElement *tee)
{
  g_autoptr (GstPad) in = gst_element_get_static_pad (tee, "sink");
  Put *const puts[] = { a, b };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstPad) sink = gst_pad_get_peer (puts[i]->pad);
    g_autoptr (GstPad) out = gst_element_request_pad_simple (tee, "src_%u");

    gst_pad_unlink (puts[i]->pad, sink);
    g_assert_cmpint (gst_pad_link_full (out, sink, GST_PAD_LINK_CHECK_NOTHING),
        ==, GST_PAD_LINK_OK);
  }
  gst_element_set_state (tee, GST_STATE_PLAYING);
  g_assert_cmpint (gst_pad_link (a->pad, in), ==, GST_PAD_LINK_OK);
}

/* Until that version of the playlist is there. */
static void
wait_version (Put *put, guint64 version)
{
  guint64 uploaded = 0;

  for (guint n = 1; uploaded < version; n++) {
    g_autoptr (GstMessage) message =
        put_wait (put, GST_MESSAGE_ELEMENT, "ams-file-uploaded", n);

    gst_structure_get_uint64 (gst_message_get_structure (message), "version",
        &uploaded);
  }
}

static void
test_two_servers_one_down_other_gets_all_at_once (void)
{
  g_autoptr (AmsFaultServer) down = ams_fault_server_new (NULL);
  g_autoptr (AmsFaultServer) up = ams_fault_server_new (NULL);
  g_autoptr (GstElement) tee =
      gst_object_ref_sink (gst_element_factory_make ("tee", NULL));
  g_autoptr (Put) a = put_new (down, NULL);
  g_autoptr (Put) b = put_new (up, NULL);

  ams_fault_server_add_rule (down,
      &(AmsFaultRule){ PUT, .hold = TRUE, .at = AMS_FAULT_AT_HEADERS });
  put_both_behind_a_tee (a, b, tee);
  put_record (a, 6);
  ams_fault_server_wait_held (down, "PUT", NULL, 4);
  put_push_playlist (a, TRUE);
  wait_version (b, a->version);
  put_assert_stored (a, up);
  put_assert_faults (b, 0);
  g_assert_cmpuint (put_get_stat (a, "stored-files"), ==, 0);
  gst_element_set_state (tee, GST_STATE_NULL);
}

/* ---- giving up ---- */

static void
assert_gap (AmsFaultServer *server, const gchar *name)
{
  g_autofree gchar *playlist =
      ams_fault_server_dup_text (server, PUT_FOLDER "p.m3u8");
  g_autofree gchar *gap = g_strdup_printf ("#EXT-X-GAP\n%s\n", name);

  g_assert_nonnull (strstr (playlist, gap));
}

static void
test_retry_for_over_is_a_gap_and_the_playlist_goes_on (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put =
      put_new (server, PUT_SETTINGS ("retry-for", "500000000"));

  ams_fault_server_add_rule (server,
      &(AmsFaultRule){ PUT, .path = "s00001.ts", .status = 500 });
  put_record (put, 3);
  gst_message_unref (put_wait (put, GST_MESSAGE_ELEMENT, "ams-file-failed", 1));
  g_assert_cmpuint (ams_fault_server_count (server, "PUT", "s00001.ts"), >, 1);
  put_record (put, 1);
  put_finish (put);
  g_assert_true (((PutFile *) put->files->pdata[1])->given_up);
  put_assert_stored (put, server);
  assert_gap (server, "s00001.ts");
  put_assert_faults (put, 1);
}

/* Only a person can tell whose it is. */
static void
test_name_of_another_file_is_a_gap_and_said (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = NULL;
  g_autoptr (GBytes) kept = NULL;

  ams_fault_server_put_object (server, PUT_FOLDER "s00001.ts", "video/mp2t",
      "another", 7);
  put = put_new (server, NULL);
  put_record (put, 2);
  gst_message_unref (put_wait (put, GST_MESSAGE_ELEMENT, "ams-file-failed", 1));
  put_assert_warning (put, 1, GST_RESOURCE_ERROR_WRITE, "overwrite=always");
  put_finish (put);
  assert_gap (server, "s00001.ts");
  kept = ams_fault_server_dup_object (server, PUT_FOLDER "s00001.ts");
  g_assert_cmpmem (g_bytes_get_data (kept, NULL), g_bytes_get_size (kept),
      "another", 7);
}

static void
add_cases (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/httpput/passes/%s", cases[i].title);

    g_test_add_data_func (path, &cases[i], test_fault_that_passes_delivers_all);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  add_cases ();
#define ADD(path, name) g_test_add_func ("/httpput/" path, test_##name)
  ADD ("retry-after", retry_after_is_waited_for);
  ADD ("away/refused", refused_connections_are_tried_again_until_taken);
  ADD ("away/killed", server_killed_and_started_again_gets_all);
  ADD ("away/deaf", server_that_is_deaf_gets_all_when_it_listens);
  ADD ("away/stalls", reading_that_stalls_is_tried_again);
  ADD ("stream/hangs", server_that_hangs_does_not_stop_the_stream);
  ADD ("stream/late", answer_that_comes_late_is_waited_for);
  ADD ("stream/tee", two_servers_one_down_other_gets_all_at_once);
  ADD ("given-up/retry-for", retry_for_over_is_a_gap_and_the_playlist_goes_on);
  ADD ("given-up/exists", name_of_another_file_is_a_gap_and_said);
  return g_test_run ();
}
