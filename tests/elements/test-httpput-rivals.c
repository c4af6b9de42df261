/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two recorders and one place: what the other has written is not overwritten, whatever the server makes of
 * conditions, and a lost answer of one's own is no other recorder. */

#include "config.h"

#include "files/amsclaim.h"
#include "files/amsfiles.h"
#include "httpput-common.h"

#include <string.h>

#define OTHER \
  "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9.0,\ns00000.ts\n" \
  "#EXTINF:8.5,\nother.ts\n"

typedef struct
{
  const gchar *title;
  AmsFaultOptions server;
} Case;

static const Case cases[] = {
  { "etag", { 0 } },
  { "if-match-ignored", { .conditions = AMS_FAULT_CONDITIONS_NO_IF_MATCH } },
  { "etag-weak", { .etag = AMS_FAULT_ETAG_OPAQUE } },
  { "etag-none", { .etag = AMS_FAULT_ETAG_NONE } },
  { "conditions-ignored",
      { .conditions = AMS_FAULT_CONDITIONS_IGNORED,
          .etag = AMS_FAULT_ETAG_NONE } },
  { "conditions-refused", { .conditions = AMS_FAULT_CONDITIONS_REFUSED } },
};

static void
put_other (AmsFaultServer *server)
{
  ams_fault_server_put_object (server, PUT_FOLDER "other.ts", "video/mp2t", "x",
      1);
  ams_fault_server_put_object (server, PUT_FOLDER "p.m3u8",
      "application/vnd.apple.mpegurl", OTHER, strlen (OTHER));
}

static void
assert_busy (Put *put)
{
  g_autoptr (GstMessage) message = put_wait (put, GST_MESSAGE_ERROR, NULL, 1);
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "Another recorder"));
  g_assert_nonnull (strstr (error->message, "append-or-new"));
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ELEMENT, "ams-file-failed"), ==,
      0);
}

/* Its own list stays as it is, and the end comes at once. */
static void
assert_other_is_unharmed (Put *put, AmsFaultServer *server)
{
  g_autofree gchar *text = NULL;

  put_record (put, 2);
  put_finish (put);
  text = ams_fault_server_dup_text (server, PUT_FOLDER "p.m3u8");
  g_assert_cmpstr (text, ==, OTHER);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ERROR, NULL), ==, 1);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ELEMENT, "ams-file-failed"), ==,
      0);
}

static void
test_other_playlist_between_two_writes_is_kept (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&c->server);
  g_autoptr (Put) put = put_new (server, NULL);

  put_record (put, 3);
  put_drain (put);
  put_other (server);
  put_record (put, 1);
  assert_busy (put);
  assert_other_is_unharmed (put, server);
}

/* There was none when this one asked: it came in between. */
static void
test_other_playlist_before_the_first_write_is_kept (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&c->server);
  g_autoptr (Put) put = put_new (server, NULL);
  g_autoptr (GstQuery) query =
      ams_files_query_new_fetch ("p.m3u8", FALSE, 65536);

  gst_pad_peer_query (put->pad, query);
  put_other (server);
  put_record (put, 1);
  assert_busy (put);
  assert_other_is_unharmed (put, server);
}

/* What a lost answer was about is there, and is ours. */
static void
test_lost_answers_are_no_other_recorder (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&c->server);
  g_autoptr (Put) put = put_new (server, NULL);
  AmsFaultRule rule = {
    .method = "PUT",
    .path = "p.m3u8",
    .every = 2,
    .end = AMS_FAULT_RESET,
  };

  ams_fault_server_add_rule (server, &rule);
  put_record (put, 4);
  put_drain (put);
  ams_fault_server_clear_rules (server);
  put_record (put, 1);
  put_finish (put);
  put_assert_stored (put, server);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ERROR, NULL), ==, 0);
}

/* A name that is taken tells the other recorder, before any playlist is put. */
static void
test_other_segment_and_playlist_is_busy (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&c->server);
  g_autoptr (Put) put = put_new (server, NULL);
  g_autofree gchar *text = NULL;

  put_record (put, 1);
  put_drain (put);
  ams_fault_server_put_object (server, PUT_FOLDER "s00001.ts", "video/mp2t",
      "another", 7);
  put_other (server);
  put_push_segment (put, 1000);
  assert_busy (put);
  assert_other_is_unharmed (put, server);
  text = ams_fault_server_dup_text (server, PUT_FOLDER "s00001.ts");
  g_assert_cmpstr (text, ==, "another");
}

/* One request for a segment, one for its playlist. */
static void
test_condition_costs_no_request (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);
  guint before;

  /* The second list finds out whether the server heeds conditions. */
  for (guint i = 0; i < 2; i++) {
    put_record (put, 1);
    put_drain (put);
  }
  before = ams_fault_server_count (server, NULL, NULL);
  for (guint i = 0; i < 4; i++) {
    put_record (put, 1);
    put_drain (put);
  }
  g_assert_cmpuint (ams_fault_server_count (server, NULL, NULL) - before, ==,
      8);
  put_finish (put);
  put_assert_stored (put, server);
}

/* Somebody who removes a playlist is no recorder: the next version is there again. */
static void
test_playlist_that_was_removed_is_put_again (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&c->server);
  g_autoptr (Put) put = put_new (server, NULL);

  put_record (put, 3);
  put_drain (put);
  ams_fault_server_remove_object (server, PUT_FOLDER "p.m3u8");
  put_record (put, 2);
  put_finish (put);
  put_assert_stored (put, server);
}

/* As the user said. */
static void
test_overwrite_always_replaces_it (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, PUT_SETTINGS ("overwrite", "always"));

  put_record (put, 1);
  put_drain (put);
  put_other (server);
  ams_fault_server_remove_object (server, PUT_FOLDER "other.ts");
  put_record (put, 1);
  put_finish (put);
  put_assert_stored (put, server);
}

/* What is not delivered waits for whoever starts next. */
static void
test_what_is_not_delivered_stays_in_the_spool (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  gchar *folder = put_make_folder ();
  Put *put = put_new (server, PUT_SETTINGS ("spool-dir", folder));
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  put_record (put, 2);
  put_drain (put);
  put_other (server);
  put_record (put, 2);
  assert_busy (put);
  message = put_wait (put, GST_MESSAGE_ERROR, NULL, 1);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "spool-dir"));
  g_clear_pointer (&message, gst_message_unref);
  put_record (put, 1);
  put_finish (put);
  g_assert_cmpuint (put_get_stat (put, "spooled-bytes"), >, 31234);
  put_free (put);
  put_remove_folder (folder);
}

static gchar *
dup_text_at (AmsFaultServer *server, const gchar *name)
{
  g_autofree gchar *path = g_strconcat (PUT_FOLDER, name, NULL);

  return ams_fault_server_dup_text (server, path);
}

/* All that @list says is there: what the first recorder put, under its names or with the suffix. */
static void
assert_apart (Put *first, AmsFaultServer *server, const gchar *list)
{
  g_auto (GStrv) lines = g_strsplit (list, "\n", -1);
  guint n = 0;

  for (guint i = 0; lines[i]; i++) {
    g_autofree gchar *path = g_strconcat (PUT_FOLDER, lines[i], NULL);
    g_autoptr (GBytes) there = NULL;

    if (!*lines[i] || *lines[i] == '#')
      continue;
    there = ams_fault_server_dup_object (server, path);
    g_assert_nonnull (there);
    g_assert_true (g_bytes_equal (there,
        ((PutFile *) g_ptr_array_index (first->files, n++))->bytes));
  }
  g_assert_cmpuint (n, ==, first->files->len);
  g_assert_true (g_str_has_suffix (list, "#EXT-X-ENDLIST\n"));
}

/* Under names of their own, also where the other one has theirs; and once more is once. */
static void
test_what_is_left_is_delivered_with_the_suffix (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autofree gchar *folder = put_make_folder ();
  Put *first = put_new (server, PUT_SETTINGS ("spool-dir", folder));
  g_autofree gchar *list = NULL, *other = NULL, *segment = NULL;

  put_record (first, 2);
  put_drain (first);
  put_other (server);
  put_record (first, 1);
  assert_busy (first);
  put_record (first, 2);
  ams_fault_server_put_object (server, PUT_FOLDER "s00004.ts", "video/mp2t",
      "another", 7);
  put_finish (first);
  put_stop (first);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (Put) next = put_new (server,
        PUT_SETTINGS ("spool-dir", folder, "spool-suffix", "-kept"));

    put_drain (next);
    gst_pad_push_event (next->pad, gst_event_new_eos ());
    gst_message_unref (put_wait (next, GST_MESSAGE_EOS, NULL, 1));
    g_assert_cmpuint (put_count (next, GST_MESSAGE_ERROR, NULL), ==, 0);
    g_assert_cmpuint (put_get_stat (next, "spooled-bytes"), ==, 0);
  }
  list = dup_text_at (server, "p-kept.m3u8");
  assert_apart (first, server, list);
  g_assert_nonnull (strstr (list, "s00004-kept.ts"));
  other = dup_text_at (server, "p.m3u8");
  g_assert_cmpstr (other, ==, OTHER);
  segment = dup_text_at (server, "s00004.ts");
  g_assert_cmpstr (segment, ==, "another");
  put_free (first);
  put_remove_folder (g_steal_pointer (&folder));
}

static AmsClaimAnswer *
ask_claim (Put *put, gboolean waits)
{
  const AmsClaim claim = { (gchar *) "p.m3u8", (gchar *) "s_.ts", waits,
    waits };
  g_autoptr (GstQuery) query = ams_files_query_new_claim (&claim);
  g_autoptr (GPtrArray) answers = NULL;

  gst_pad_peer_query (put->pad, query);
  answers = ams_files_query_claim_answers (query);
  g_assert_cmpuint (answers->len, ==, 1);
  return g_ptr_array_steal_index (answers, 0);
}

static void
assert_claim (Put *put, gboolean waits, AmsClaimStatus status,
    const gchar *part)
{
  AmsClaimAnswer *answer = ask_claim (put, waits);

  g_assert_cmpint (answer->status, ==, status);
  g_assert_false (answer->posted);
  if (part)
    g_assert_nonnull (strstr (answer->message, part));
  if (status == AMS_CLAIM_BUSY)
    g_assert_cmpuint (answer->again, >=, GST_SECOND);
  g_free (answer->message);
  g_free (answer);
}

static void
put_text (AmsFaultServer *server, const gchar *text)
{
  ams_fault_server_put_object (server, PUT_FOLDER "p.m3u8",
      "application/vnd.apple.mpegurl", text, strlen (text));
}

/* It is asked again, until the other has ended; then the playlist is read anew and goes on. */
static void
test_who_waits_is_busy_until_the_other_has_ended (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (&c->server);
  g_autoptr (Put) put = put_new (server, NULL);
  AmsFaultRule away = { .method = "GET", .status = 503 };
  g_autoptr (GstQuery) query =
      ams_files_query_new_fetch ("p.m3u8", FALSE, 65536);

  put_text (server, OTHER);
  assert_claim (put, FALSE, AMS_CLAIM_UNKNOWN, NULL);
  assert_claim (put, TRUE, AMS_CLAIM_BUSY, "has not changed for 27 s");
  put_text (server, OTHER "#EXTINF:9.0,\nmore.ts\n");
  assert_claim (put, TRUE, AMS_CLAIM_BUSY, "it changed 0 s ago");
  ams_fault_server_add_rule (server, &away);
  assert_claim (put, TRUE, AMS_CLAIM_BUSY, "cannot be read");
  ams_fault_server_clear_rules (server);
  put_text (server, OTHER "#EXT-X-ENDLIST\n");
  assert_claim (put, TRUE, AMS_CLAIM_CLAIMED, NULL);
  gst_pad_peer_query (put->pad, query);
  assert_claim (put, TRUE, AMS_CLAIM_CLAIMED, NULL);
  put_record (put, 2);
  put_finish (put);
  g_assert_cmpuint (put_count (put, GST_MESSAGE_ERROR, NULL), ==, 0);
}

static void
test_nothing_there_is_not_waited_for (void)
{
  g_autoptr (AmsFaultServer) server = ams_fault_server_new (NULL);
  g_autoptr (Put) put = put_new (server, NULL);

  assert_claim (put, TRUE, AMS_CLAIM_CLAIMED, NULL);
  put_record (put, 1);
  put_drain (put);
  assert_claim (put, TRUE, AMS_CLAIM_CLAIMED, NULL);
  put_finish (put);
  put_assert_stored (put, server);
}

static void
add_cases (const gchar *name, GTestDataFunc func)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/httpput/rivals/%s/%s", name, cases[i].title);

    g_test_add_data_func (path, &cases[i], func);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  add_cases ("between", test_other_playlist_between_two_writes_is_kept);
  add_cases ("before", test_other_playlist_before_the_first_write_is_kept);
  add_cases ("lost-answers", test_lost_answers_are_no_other_recorder);
  add_cases ("segment", test_other_segment_and_playlist_is_busy);
  add_cases ("removed", test_playlist_that_was_removed_is_put_again);
  add_cases ("waits", test_who_waits_is_busy_until_the_other_has_ended);
#define ADD(path, name) g_test_add_func ("/httpput/rivals/" path, test_##name)
  ADD ("waits-for-nothing", nothing_there_is_not_waited_for);
  ADD ("cost", condition_costs_no_request);
  ADD ("overwrite", overwrite_always_replaces_it);
  ADD ("spool-suffix", what_is_left_is_delivered_with_the_suffix);
  ADD ("spool", what_is_not_delivered_stays_in_the_spool);
  return g_test_run ();
}
