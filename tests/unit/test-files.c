/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "files/amsclaim.h"
#include "files/amsfiles.h"

#include <string.h>

static void
test_name_table_is_kept (void)
{
  static const gchar *const good[] = { "a", "a/b.ts", "…/ü.ts", ".a", "a..b",
    "a/.../b" };
  static const gchar *const bad[] = { "", "/a", "a/", "a//b", ".", "..",
    "a/../b", "./a", "a\nb", "\xff", "a/\x7f" };
  g_autofree gchar *longest = g_strnfill (1024, 'a');
  g_autofree gchar *too_long = g_strnfill (1025, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (ams_file_name_check (good[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (ams_file_name_check (bad[i], &error));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
  }
  g_assert_true (ams_file_name_check (longest, NULL));
  g_assert_false (ams_file_name_check (too_long, NULL));
}

static void
test_begin_round_trip_keeps_all (void)
{
  const gchar *failed[] = { "a.ts", "b.ts", NULL };
  AmsFileBegin begin = { .name = (gchar *) "x/i.m3u8",
    .role = AMS_FILE_ROLE_PLAYLIST,
    .version = 7,
    .extends = 99,
    .final = TRUE,
    .failed = (GStrv) failed };
  g_autoptr (GstEvent) event = ams_files_event_new_begin (&begin);
  g_auto (AmsFileBegin) parsed = { 0 };

  g_assert_true (GST_EVENT_IS_SERIALIZED (event));
  g_assert_true (ams_files_event_parse_begin (event, &parsed));
  g_assert_cmpstr (parsed.name, ==, "x/i.m3u8");
  g_assert_cmpint (parsed.role, ==, AMS_FILE_ROLE_PLAYLIST);
  g_assert_cmpstr (parsed.content_type, ==, "application/vnd.apple.mpegurl");
  g_assert_cmpuint (parsed.version, ==, 7);
  g_assert_cmpuint (parsed.extends, ==, 99);
  g_assert_true (parsed.final);
  g_assert_cmpstrv (parsed.failed, failed);
}

static void
test_begin_by_reference_round_trip_and_copy_keep_it (void)
{
  AmsFileBegin begin = { .name = (gchar *) "x/1.ts",
    .role = AMS_FILE_ROLE_SEGMENT,
    .local_path = (gchar *) "/rec/x/1.ts",
    .by_reference = TRUE,
    .date_time = 4711,
    .discontinuity = TRUE };
  g_autoptr (GstEvent) event = ams_files_event_new_begin (&begin);
  g_auto (AmsFileBegin) parsed = { 0 };
  g_auto (AmsFileBegin) copy = { 0 };

  g_assert_true (ams_files_event_parse_begin (event, &parsed));
  ams_file_begin_copy (&copy, &parsed);
  g_assert_cmpstr (copy.name, ==, "x/1.ts");
  g_assert_cmpstr (copy.local_path, ==, "/rec/x/1.ts");
  g_assert_true (copy.local_path != parsed.local_path);
  g_assert_true (copy.by_reference);
  g_assert_cmpint (copy.date_time, ==, 4711);
  g_assert_true (copy.discontinuity);
}

/* Where it is would depend on the receiver's folder. */
static void
test_begin_with_a_relative_path_has_none (void)
{
  g_autoptr (GstEvent) event =
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_from_string ("ams-file-begin, name=(string)x, "
                                     "role=(string)segment, "
                                     "local-path=(string)rec/x, "
                                     "by-reference=(boolean)true",
              NULL));
  g_auto (AmsFileBegin) begin = { 0 };

  g_assert_true (ams_files_event_parse_begin (event, &begin));
  g_assert_null (begin.local_path);
  g_assert_false (begin.by_reference);
}

static void
test_drain_is_serialized_and_known_by_its_name (void)
{
  g_autoptr (GstQuery) query = ams_files_query_new_drain ();
  g_autoptr (GstQuery) plain = gst_query_new_drain ();
  g_autoptr (GstQuery) fetch = ams_files_query_new_fetch ("a", FALSE, 1);

  gint64 since;

  g_assert_true (GST_QUERY_IS_SERIALIZED (query));
  g_assert_true (ams_files_query_parse_drain (query, &since));
  g_assert_false (ams_files_query_parse_drain (plain, &since));
  g_assert_false (ams_files_query_parse_drain (fetch, &since));
}

/* A sender without the field, or with a clock of its own, does not make a store wait for
 * ever, nor not at all. */
static void
test_drain_says_since_when (void)
{
  static const struct
  {
    gint64 field; /* G_MININT64: none */
    gboolean is_kept;
  } cases[] = { { G_MININT64, FALSE }, { 1, TRUE }, { G_MAXINT64, FALSE } };
  g_autoptr (GstQuery) made = ams_files_query_new_drain ();
  gint64 before = g_get_monotonic_time (), since;

  g_assert_true (ams_files_query_parse_drain (made, &since));
  g_assert_cmpint (since, <=, before);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstStructure *s = gst_structure_new_empty ("ams-files-drain");
    g_autoptr (GstQuery) query = gst_query_new_custom (GST_QUERY_DRAIN, s);

    if (cases[i].field != G_MININT64)
      gst_structure_set (s, "since", G_TYPE_INT64, cases[i].field, NULL);
    g_assert_true (ams_files_query_parse_drain (query, &since));
    if (cases[i].is_kept)
      g_assert_cmpint (since, ==, cases[i].field);
    else
      g_assert_cmpint (since, >=, before);
    g_assert_cmpint (since, <=, g_get_monotonic_time ());
  }
}

static void
test_end_round_trip_keeps_all (void)
{
  AmsFileEnd end = { 5, TRUE, 3, 12, 6 * GST_SECOND, 1234567 }, parsed;
  g_autoptr (GstEvent) event = ams_files_event_new_end (&end);

  g_assert_true (ams_files_event_parse_end (event, &parsed));
  g_assert_cmpuint (parsed.size, ==, 5);
  g_assert_true (parsed.complete);
  g_assert_cmpuint (parsed.carried, ==, 3);
  g_assert_cmpuint (parsed.sequence, ==, 12);
  g_assert_cmpuint (parsed.duration, ==, 6 * GST_SECOND);
  g_assert_cmpint (parsed.date_time, ==, 1234567);
}

static void
test_small_events_round_trip (void)
{
  g_autoptr (GstEvent) remove = ams_files_event_new_remove ("a", 2.5);
  g_autoptr (GstEvent) adopt =
      ams_files_event_new_adopt ("b", ".a.part.1", 188);
  g_autoptr (GstEvent) failed = ams_files_event_new_failed ("c");
  g_autoptr (GstEvent) stored = ams_files_event_new_stored ("d", 4);
  g_autofree gchar *a = NULL, *b = NULL, *c = NULL, *d = NULL, *no = NULL;
  g_autofree gchar *from = NULL;
  gdouble after;
  guint64 size, version;

  g_assert_true (ams_files_event_parse_remove (remove, &a, &after));
  g_assert_cmpfloat (after, ==, 2.5);
  g_assert_true (ams_files_event_parse_adopt (adopt, &b, &from, &size));
  g_assert_cmpstr (from, ==, ".a.part.1");
  g_assert_cmpuint (size, ==, 188);
  g_assert_true (ams_files_event_parse_failed (failed, &c));
  g_assert_cmpstr (c, ==, "c");
  g_assert_true (ams_files_event_parse_stored (stored, &d, &version));
  g_assert_cmpuint (version, ==, 4);
  g_assert_false (ams_files_event_parse_failed (stored, &no));
}

static void
test_lane_round_trip_is_bounded (void)
{
  g_autoptr (GstEvent) last = ams_files_event_new_lane (255);
  g_autoptr (GstEvent) beyond = ams_files_event_new_lane (256);
  g_autoptr (GstEvent) other = ams_files_event_new_remove ("a", 0);
  guint lane;

  g_assert_true (ams_files_event_parse_lane (last, &lane));
  g_assert_cmpuint (lane, ==, 255);
  g_assert_true (GST_EVENT_IS_SERIALIZED (last));
  g_assert_false (ams_files_event_parse_lane (beyond, &lane));
  g_assert_false (ams_files_event_parse_lane (other, &lane));
}

static void
test_begin_with_bad_name_is_refused (void)
{
  static const gchar *const fields[] = {
    "ams-file-begin, name=(string)../x, role=(string)segment",
    "ams-file-begin, role=(string)segment",
    "ams-file-begin, name=(string)x, role=(string)nonsense",
    "ams-file-begin, name=(int)3, role=(string)segment",
    "something-else, name=(string)x, role=(string)segment",
  };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    g_autoptr (GstEvent) event =
        gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
            gst_structure_from_string (fields[i], NULL));
    g_auto (AmsFileBegin) begin = { 0 };

    g_assert_false (ams_files_event_parse_begin (event, &begin));
  }
}

static void
test_fetch_answers_are_collected (void)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch ("a", TRUE, 10);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  g_autoptr (GPtrArray) answers = NULL;
  g_autofree gchar *name = NULL;
  AmsFileFetchAnswer *answer;
  gboolean partial;
  guint64 max;

  g_assert_true (ams_files_query_parse_fetch (query, &name, &partial, &max));
  g_assert_true (partial);
  g_assert_cmpuint (max, ==, 10);
  g_assert_cmpuint (ams_files_query_get_head (query), ==, 0);
  ams_files_query_set_head (query, 4);
  g_assert_cmpuint (ams_files_query_get_head (query), ==, 4);
  ams_files_query_add_fetched (query, bytes);
  ams_files_query_add_absent (query);
  ams_files_query_add_failed (query, "no idea", FALSE);
  ams_files_query_add_failed (query, "wrong key", TRUE);
  ams_files_query_add_closed (query, "too late");
  answers = ams_files_query_fetch_answers (query);
  g_assert_cmpuint (answers->len, ==, 5);
  answer = answers->pdata[0];
  g_assert_true (g_bytes_equal (answer->data, bytes));
  answer = answers->pdata[1];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_ABSENT);
  answer = answers->pdata[2];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_FAILED);
  g_assert_cmpstr (answer->message, ==, "no idea");
  g_assert_false (answer->posted);
  answer = answers->pdata[3];
  g_assert_true (answer->posted);
  g_assert_false (answer->closed);
  answer = answers->pdata[4];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_FAILED);
  g_assert_true (answer->closed);
}

static void
test_list_answers_are_collected (void)
{
  g_autoptr (GstQuery) query = ams_files_query_new_list ("p/");
  g_autoptr (GPtrArray) entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);
  g_autoptr (GPtrArray) answers = NULL;
  AmsFileListAnswer *answer;
  AmsFileEntry *entry;

  g_ptr_array_add (entries, ams_file_entry_new ("p/1", G_MAXUINT64, TRUE));
  entry = entries->pdata[0];
  entry->date_time = 4711;
  entry->discontinuity = TRUE;
  ams_files_query_add_listed (query, entries);
  ams_files_query_add_failed (query, "cannot list", FALSE);
  answers = ams_files_query_list_answers (query);
  g_assert_cmpuint (answers->len, ==, 2);
  answer = answers->pdata[0];
  g_assert_cmpuint (answer->entries->len, ==, 1);
  entry = answer->entries->pdata[0];
  g_assert_cmpstr (entry->name, ==, "p/1");
  g_assert_cmpuint (entry->size, ==, G_MAXUINT64);
  g_assert_true (entry->partial);
  g_assert_cmpint (entry->date_time, ==, 4711);
  g_assert_true (entry->discontinuity);
  answer = answers->pdata[1];
  g_assert_cmpint (answer->status, ==, AMS_FILE_STATUS_FAILED);
}

static void
test_claim_round_trip_and_answers_are_collected (void)
{
  const AmsClaim claim = { (gchar *) "rec/a.m3u8", (gchar *) "rec/_.ts", TRUE,
    TRUE };
  g_autoptr (GstQuery) query = ams_files_query_new_claim (&claim);
  g_autoptr (GPtrArray) answers = NULL;
  g_auto (AmsClaim) parsed = { NULL };
  AmsClaimAnswer *answer;

  g_assert_true (ams_files_query_parse_claim (query, &parsed));
  g_assert_cmpstr (parsed.playlist, ==, "rec/a.m3u8");
  g_assert_cmpstr (parsed.segments, ==, "rec/_.ts");
  g_assert_true (parsed.tentative);
  g_assert_true (parsed.waits);
  ams_files_query_add_claimed (query);
  ams_files_query_add_busy (query, "somebody", 5 * GST_SECOND, TRUE);
  ams_files_query_add_unclaimed (query, "no locks here", FALSE);
  ams_files_query_add_unclaimed (query, NULL, TRUE);
  answers = ams_files_query_claim_answers (query);
  g_assert_cmpuint (answers->len, ==, 4);
  answer = answers->pdata[0];
  g_assert_cmpint (answer->status, ==, AMS_CLAIM_CLAIMED);
  answer = answers->pdata[1];
  g_assert_cmpint (answer->status, ==, AMS_CLAIM_BUSY);
  g_assert_cmpstr (answer->message, ==, "somebody");
  g_assert_cmpuint (answer->again, ==, 5 * GST_SECOND);
  g_assert_true (answer->posted);
  answer = answers->pdata[2];
  g_assert_cmpint (answer->status, ==, AMS_CLAIM_UNKNOWN);
  g_assert_cmpstr (answer->message, ==, "no locks here");
  g_assert_false (answer->closed);
  answer = answers->pdata[3];
  g_assert_null (answer->message);
  g_assert_true (answer->closed);
}

static void
test_claim_of_nothing_or_a_bad_name_is_refused (void)
{
  static const gchar *const fields[] = {
    "ams-file-claim, tentative=(boolean)true",
    "ams-file-claim, playlist=(string)../a.m3u8",
    "ams-file-claim, playlist=(string)a.m3u8, segments=(string)/_.ts",
    "ams-file-list, prefix=(string)a",
  };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    g_autoptr (GstQuery) query = gst_query_new_custom (GST_QUERY_CUSTOM,
        gst_structure_from_string (fields[i], NULL));
    g_auto (AmsClaim) claim = { NULL };

    g_assert_false (ams_files_query_parse_claim (query, &claim));
  }
}

static void
test_query_nobody_answered_has_no_answers (void)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch ("a", FALSE, 1);
  g_autoptr (GPtrArray) answers = ams_files_query_fetch_answers (query);

  g_assert_cmpuint (answers->len, ==, 0);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/files/name/table-is-kept", test_name_table_is_kept);
  g_test_add_func ("/files/begin/round-trip-keeps-all",
      test_begin_round_trip_keeps_all);
  g_test_add_func ("/files/begin/with-bad-name-is-refused",
      test_begin_with_bad_name_is_refused);
  g_test_add_func ("/files/begin/by-reference-round-trip-and-copy-keep-it",
      test_begin_by_reference_round_trip_and_copy_keep_it);
  g_test_add_func ("/files/begin/with-a-relative-path-has-none",
      test_begin_with_a_relative_path_has_none);
  g_test_add_func ("/files/drain/is-serialized-and-known-by-its-name",
      test_drain_is_serialized_and_known_by_its_name);
  g_test_add_func ("/files/drain/since", test_drain_says_since_when);
  g_test_add_func ("/files/end/round-trip-keeps-all",
      test_end_round_trip_keeps_all);
  g_test_add_func ("/files/small-events/round-trip",
      test_small_events_round_trip);
  g_test_add_func ("/files/lane/round-trip-is-bounded",
      test_lane_round_trip_is_bounded);
  g_test_add_func ("/files/fetch/answers-are-collected",
      test_fetch_answers_are_collected);
  g_test_add_func ("/files/list/answers-are-collected",
      test_list_answers_are_collected);
  g_test_add_func ("/files/claim/round-trip-and-answers-are-collected",
      test_claim_round_trip_and_answers_are_collected);
  g_test_add_func ("/files/claim/of-nothing-or-a-bad-name-is-refused",
      test_claim_of_nothing_or_a_bad_name_is_refused);
  g_test_add_func ("/files/query/nobody-answered-has-no-answers",
      test_query_nobody_answered_has_no_answers);
  return g_test_run ();
}
