/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspooljournal.h"

#include <string.h>

static AmsSpoolJournal *
read_text (const gchar *text, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, length);

  return ams_spool_journal_read (bytes);
}

static AmsSpoolJournal *
read_string (const GString *text)
{
  return read_text (text->str, text->len);
}

static void
assert_begin_same (const AmsFileBegin *a, const AmsFileBegin *b)
{
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpint (a->role, ==, b->role);
  g_assert_cmpstr (a->content_type, ==, b->content_type);
  g_assert_cmpuint (a->version, ==, b->version);
  g_assert_cmpuint (a->extends, ==, b->extends);
  g_assert_cmpint (a->final, ==, b->final);
  g_assert_cmpstr (a->local_path, ==, b->local_path);
  g_assert_cmpint (a->by_reference, ==, b->by_reference);
  g_assert_cmpint (a->date_time, ==, b->date_time);
  g_assert_cmpint (a->discontinuity, ==, b->discontinuity);
  g_assert_true ((a->failed == NULL) == (b->failed == NULL));
  if (a->failed)
    g_assert_true (g_strv_equal ((const gchar *const *) a->failed,
        (const gchar *const *) b->failed));
}

static void
assert_record_same (const AmsSpoolRecord *a, const AmsSpoolRecord *b)
{
  g_assert_cmpint (a->type, ==, b->type);
  g_assert_cmpuint (a->id, ==, b->id);
  g_assert_cmpint (a->kind, ==, b->kind);
  g_assert_cmpuint (a->order, ==, b->order);
  g_assert_cmpint (a->place, ==, b->place);
  g_assert_cmpuint (a->size, ==, b->size);
  g_assert_cmpint (a->mtime, ==, b->mtime);
  g_assert_cmpint (a->after, ==, b->after);
  g_assert_cmpint (a->fate, ==, b->fate);
  assert_begin_same (&a->begin, &b->begin);
}

static gchar *failed_names[] = { (gchar *) "a b.ts", (gchar *) "50%.ts",
  (gchar *) "=", (gchar *) "", NULL };

static const AmsSpoolRecord records[] = {
  { .type = AMS_SPOOL_RECORD_BEGUN,
      .id = 1,
      .begin = { .name = (gchar *) "ümläut/100% =\"x\" 日本.ts",
          .role = AMS_FILE_ROLE_SEGMENT,
          .content_type = (gchar *) "video/mp2t; a=b",
          .date_time = -4711,
          .discontinuity = TRUE } },
  { .type = AMS_SPOOL_RECORD_COMMITTED,
      .id = 2,
      .order = 1,
      .size = G_MAXUINT64,
      .mtime = G_MAXINT64,
      .begin = { .name = (gchar *) "l.m3u8",
          .role = AMS_FILE_ROLE_PLAYLIST,
          .version = 3,
          .extends = 100,
          .final = TRUE,
          .failed = failed_names } },
  { .type = AMS_SPOOL_RECORD_COMMITTED,
      .id = 3,
      .order = 2,
      .place = AMS_SPOOL_PLACE_LOCAL,
      .mtime = -1,
      .begin = { .name = (gchar *) "b.ts",
          .role = AMS_FILE_ROLE_SEGMENT,
          .local_path = (gchar *) "/a b/new\nline/\xff.ts",
          .by_reference = TRUE } },
  { .type = AMS_SPOOL_RECORD_COMMITTED,
      .id = 4,
      .kind = AMS_SPOOL_NOTIFY,
      .order = 3,
      .size = 5 },
  { .type = AMS_SPOOL_RECORD_REMOVE,
      .id = 5,
      .order = 4,
      .after = 7,
      .begin = { .name = (gchar *) "a.ts" } },
  { .type = AMS_SPOOL_RECORD_SETTLED, .id = 2, .fate = AMS_SPOOL_GIVEN_UP },
  { .type = AMS_SPOOL_RECORD_SETTLED, .id = 2, .fate = AMS_SPOOL_WITHHELD },
  { .type = AMS_SPOOL_RECORD_FAILED,
      .id = 6,
      .begin = { .name = (gchar *) "c d.ts", .role = AMS_FILE_ROLE_KEY } },
};

static GString *
write_all (void)
{
  GString *text = g_string_new (NULL);

  ams_spool_journal_write_head (text);
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    ams_spool_journal_write (text, &records[i]);
  return text;
}

static void
test_records_written_read_the_same (void)
{
  g_autoptr (GString) text = write_all ();
  g_autoptr (AmsSpoolJournal) journal = read_string (text);

  g_assert_false (journal->damaged);
  g_assert_cmpuint (journal->whole, ==, text->len);
  g_assert_cmpuint (journal->records->len, ==, G_N_ELEMENTS (records));
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    assert_record_same (g_ptr_array_index (journal->records, i), &records[i]);
}

static guint
count_lines (const gchar *text, gsize length, gsize *whole)
{
  guint n = 0;

  *whole = 0;
  for (gsize i = 0; i < length; i++) {
    if (text[i] == '\n') {
      n++;
      *whole = i + 1;
    }
  }
  return n;
}

static void
test_prefix_of_any_length_yields_what_is_whole (void)
{
  g_autoptr (GString) text = write_all ();

  for (gsize length = 0; length <= text->len; length++) {
    g_autoptr (AmsSpoolJournal) journal = read_text (text->str, length);
    gsize whole;
    guint lines = count_lines (text->str, length, &whole);

    g_assert_false (journal->damaged);
    g_assert_cmpuint (journal->whole, ==, whole);
    g_assert_cmpuint (journal->records->len, ==, lines > 0 ? lines - 1 : 0);
  }
}

/* One byte at a time: only in the last line it is taken for torn. */
static void
test_changed_byte_is_seen (void)
{
  g_autoptr (GString) text = write_all ();
  gsize last = (gchar *) memrchr (text->str, '\n', text->len - 1) - text->str;

  for (gsize i = 0; i < text->len; i++) {
    g_autoptr (AmsSpoolJournal) journal = NULL;

    text->str[i] ^= 1;
    journal = read_string (text);
    text->str[i] ^= 1;
    g_assert_cmpuint (journal->whole, <=, i);
    /* The newline of the line before the last takes that one with it. */
    g_assert_cmpint (journal->damaged, ==, i < last);
  }
}

static void
test_zeros_at_the_end_are_torn (void)
{
  g_autoptr (GString) text = write_all ();
  gsize whole = text->len;
  g_autoptr (AmsSpoolJournal) journal = NULL;

  g_string_set_size (text, whole + 5000);
  memset (text->str + whole, 0, 5000);
  journal = read_string (text);
  g_assert_false (journal->damaged);
  g_assert_cmpuint (journal->whole, ==, whole);
}

static void
test_later_version_is_told (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (AmsSpoolJournal) journal = NULL;

  ams_spool_journal_write_line (text, "spool version=2");
  ams_spool_journal_write_line (text, "what=ever");
  journal = read_string (text);
  g_assert_true (journal->newer);
  g_assert_false (journal->damaged);
}

static const gchar *const strange[] = {
  "",
  "begun",
  "begun id=1",
  "begun id=0 kind=put name=a role=segment",
  "begun id=-1 kind=put name=a role=segment",
  "begun id=18446744073709551615 kind=put name=a role=segment",
  "begun id=1 kind=remove name=a role=segment",
  "begun id=1 kind=put name=../a role=segment",
  "begun id=1 kind=put name=/a role=segment",
  "begun id=1 kind=put name=a%0A role=segment",
  "begun id=1 kind=put name=a%00 role=segment",
  "begun id=1 kind=put name=a%4 role=segment",
  "begun id=1 kind=put name=%FF role=segment",
  "begun id=1 kind=put name=a role=sediment",
  "begun id=1 kind=put name=a",
  "begun id=1 kind=put  name=a role=segment",
  "begun id=1 kind=put name=a role=segment local=relative",
  "begun id=1 kind=put name=a role=segment final=2",
  "begun id=1 kind=put name=a role=segment colour=red",
  "committed id=1 order=1 place=file size=1 kind=notify",
  "committed id=1 order=1 place=here size=1 mtime=1 kind=notify",
  "committed id=1 order=1 place=local size=1 mtime=1 kind=notify",
  "committed id=1 order=1 place=file size=1x mtime=1 kind=notify",
  "remove id=1 order=1 name=a",
  "remove id=1 order=1 after=1",
  "settled id=1 fate=sealed",
  "failed id=1 role=segment",
  "failed id=1 name=a",
  "finished id=1",
};

static void
test_strange_record_is_none (gconstpointer fields)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (AmsSpoolJournal) journal = NULL;
  gsize whole;

  ams_spool_journal_write_head (text);
  whole = text->len;
  ams_spool_journal_write_line (text, fields);
  journal = read_string (text);
  g_assert_cmpuint (journal->records->len, ==, 0);
  g_assert_cmpuint (journal->whole, ==, whole);
}

/* Times are added to it. */
static void
test_after_of_any_size_is_bounded (void)
{
  static const struct
  {
    const gchar *fields;
    gint64 after;
  } cases[] = {
    { "remove id=1 order=1 after=9223372036854775807 name=a",
        AMS_SPOOL_MAX_AFTER },
    { "remove id=1 order=1 after=-9223372036854775808 name=a", 0 },
    { "remove id=1 order=1 after=30000000 name=a", 30000000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    g_autoptr (AmsSpoolJournal) journal = NULL;
    const AmsSpoolRecord *record;

    ams_spool_journal_write_head (text);
    ams_spool_journal_write_line (text, cases[i].fields);
    journal = read_string (text);
    g_assert_cmpuint (journal->records->len, ==, 1);
    record = g_ptr_array_index (journal->records, 0);
    g_assert_cmpint (record->after, ==, cases[i].after);
    g_assert_cmpint (record->after, <,
        G_MAXINT64 - g_get_monotonic_time () - G_TIME_SPAN_DAY);
  }
}

/* A first line that is torn is what a process leaves that ended as it began. */
static void
test_no_journal_at_all_is_damaged (void)
{
  static const struct
  {
    const gchar *bytes;
    gsize size;
    gboolean is_damaged;
  } cases[] = { { "", 0, FALSE }, { "no journal\n", 11, TRUE },
    { "no journal", 10, TRUE }, { "\0\0\0\0", 4, TRUE } };
  g_autoptr (GString) head = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new (cases[i].bytes, cases[i].size);
    g_autoptr (AmsSpoolJournal) journal = ams_spool_journal_read (bytes);

    g_assert_cmpint (journal->damaged, ==, cases[i].is_damaged);
  }
  ams_spool_journal_write_head (head);
  for (gsize size = 0; size <= head->len; size++) {
    g_autoptr (GBytes) bytes = g_bytes_new (head->str, size);
    g_autoptr (AmsSpoolJournal) journal = ams_spool_journal_read (bytes);

    g_assert_false (journal->damaged);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spool-journal/written/reads-the-same",
      test_records_written_read_the_same);
  g_test_add_func ("/spool-journal/prefix/yields-what-is-whole",
      test_prefix_of_any_length_yields_what_is_whole);
  g_test_add_func ("/spool-journal/changed-byte/is-seen",
      test_changed_byte_is_seen);
  g_test_add_func ("/spool-journal/zeros-at-the-end/are-torn",
      test_zeros_at_the_end_are_torn);
  g_test_add_func ("/spool-journal/later-version/is-told",
      test_later_version_is_told);
  g_test_add_func ("/spool-journal/after/is-bounded",
      test_after_of_any_size_is_bounded);
  g_test_add_func ("/spool-journal/none-at-all/is-damaged",
      test_no_journal_at_all_is_damaged);
  for (guint i = 0; i < G_N_ELEMENTS (strange); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/spool-journal/strange/%u/none", i);

    g_test_add_data_func (path, strange[i], test_strange_record_is_none);
  }
  return g_test_run ();
}
