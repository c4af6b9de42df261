/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "recording/amsjournal.h"

static AmsJournalSegment *
add_segment (AmsJournal *journal, const gchar *name, guint64 number)
{
  AmsJournalSegment *segment = ams_journal_segment_new (name);

  segment->number = number;
  g_ptr_array_add (journal->segments, segment);
  return segment;
}

static AmsJournal *
make_journal (void)
{
  AmsJournal *journal = ams_journal_new ();

  journal->playlist = g_strdup ("a/.l.m3u8.recording");
  journal->final_playlist = g_strdup ("a/l.m3u8");
  journal->segment_family = g_strdup ("a/s_.ts");
  return journal;
}

static AmsJournal *
pass_through (const AmsJournal *journal)
{
  g_autoptr (GBytes) bytes = ams_journal_write (journal);

  return ams_journal_read (bytes);
}

static AmsJournal *
read_text (const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));

  return ams_journal_read (bytes);
}

static void
test_all_same (void)
{
  g_autoptr (AmsJournal) journal = make_journal ();
  g_autoptr (AmsJournal) back = NULL;
  AmsJournalSegment *segment = add_segment (journal, "a/1.ts", G_MAXINT64);
  const AmsJournalSegment *found;

  journal->next_number = (guint64) G_MAXINT64 + 1;
  segment->date_time = G_GINT64_CONSTANT (1795344364509123);
  segment->duration = G_GUINT64_CONSTANT (5999999999);
  segment->discontinuity = TRUE;
  add_segment (journal, "a/2.ts", 0)->date_time = -1;

  back = pass_through (journal);
  g_assert_nonnull (back);
  g_assert_cmpstr (back->playlist, ==, "a/.l.m3u8.recording");
  g_assert_cmpstr (back->final_playlist, ==, "a/l.m3u8");
  g_assert_cmpstr (back->segment_family, ==, "a/s_.ts");
  g_assert_cmpuint (back->next_number, ==, (guint64) G_MAXINT64 + 1);
  g_assert_cmpuint (back->segments->len, ==, 2);
  found = ams_journal_find (back, "a/1.ts");
  g_assert_true (found == g_ptr_array_index (back->segments, 0));
  g_assert_cmpuint (found->number, ==, G_MAXINT64);
  g_assert_cmpint (found->date_time, ==, segment->date_time);
  g_assert_cmpuint (found->duration, ==, segment->duration);
  g_assert_true (found->discontinuity);
  found = ams_journal_find (back, "a/2.ts");
  g_assert_cmpint (found->date_time, ==, -1);
  g_assert_cmpuint (found->duration, ==, 0);
  g_assert_false (found->discontinuity);
  g_assert_null (ams_journal_find (back, "2.ts"));
}

static void
test_names_same (void)
{
  static const gchar *const names[] = { " leading", "trailing ", "a;b", "[x]",
    "a=b", "#x", "back\\slash\\n", "ümläut", "tab\there", "a/b c/%05d.ts" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (AmsJournal) journal = make_journal ();
    g_autoptr (AmsJournal) back = NULL;

    add_segment (journal, names[i], i);
    back = pass_through (journal);
    g_assert_nonnull (back);
    g_assert_cmpuint (back->segments->len, ==, 1);
    g_assert_nonnull (ams_journal_find (back, names[i]));
  }
}

#define HEAD "[recording]\nversion=1\nplaylist=l\nfinal-playlist=l\n"

typedef struct
{
  const gchar *name, *text;
} Broken;

static const Broken broken[] = {
  { "empty/none", "" },
  { "no-key-file/none", "#EXTM3U\nfoo" },
  { "other-version/none",
      "[recording]\nversion=2\nplaylist=l\nfinal-playlist=l\n" },
  { "no-version/none", "[recording]\nplaylist=l\nfinal-playlist=l\n" },
  { "no-playlist/none", "[recording]\nversion=1\nfinal-playlist=l\n" },
  { "cut-short/none", "[recording]\nversion=1\nplaylist=l\nfinal-pl" },
  { "no-final-playlist/none", "[recording]\nversion=1\nplaylist=l\n" },
  { "empty-playlist/none",
      "[recording]\nversion=1\nplaylist=\nfinal-playlist=l\n" },
  { "absolute-playlist/none",
      "[recording]\nversion=1\nplaylist=/l\nfinal-playlist=l\n" },
  { "escaping-playlist/none",
      "[recording]\nversion=1\nplaylist=l\nfinal-playlist=a/../../l\n" },
  { "not-utf8/none",
      "[recording]\nversion=1\nplaylist=\xff\nfinal-playlist=l\n" },
  { "numbers-used-up/none", HEAD "next-number=9223372036854775809\n" },
};

static void
test_broken (gconstpointer data)
{
  const Broken *t = data;

  g_assert_null (read_text (t->text));
}

static void
test_size_bounded (void)
{
  g_autoptr (GString) text = g_string_new (HEAD);

  while (text->len <= AMS_JOURNAL_MAX_SIZE)
    g_string_append (text, "# nothing\n");
  g_assert_null (read_text (text->str));
}

static void
test_segments_bounded (void)
{
  g_autoptr (GString) text = g_string_new (HEAD);
  g_autoptr (AmsJournal) journal = NULL;
  guint i;

  for (i = 0; i < 1000; i++)
    g_string_append_printf (text, "[segment %u]\nname=%u.ts\n", i, i);
  journal = read_text (text->str);
  g_assert_nonnull (journal);
  g_assert_cmpuint (journal->segments->len, ==, 512);
}

static void
test_bad_segment_ends (void)
{
  g_autoptr (AmsJournal) journal =
      read_text (HEAD "[segment 0]\nname=0.ts\nnumber=x\ndate-time=1e9\n"
                      "[segment 1]\nname=../1.ts\n[segment 2]\nname=2.ts\n");
  const AmsJournalSegment *first;

  g_assert_nonnull (journal);
  g_assert_cmpuint (journal->segments->len, ==, 1);
  first = g_ptr_array_index (journal->segments, 0);
  g_assert_cmpuint (first->number, ==, 0);
  g_assert_cmpint (first->date_time, ==, 0);
}

/* A playlist with such an EXTINF could not be read back. */
static void
test_absurd_duration_unknown (void)
{
  g_autoptr (AmsJournal) journal =
      read_text (HEAD "[segment 0]\nname=0.ts\nduration=86400000000001\n"
                      "[segment 1]\nname=1.ts\nduration=-1\n"
                      "[segment 2]\nname=2.ts\nduration=86400000000000\n");

  g_assert_nonnull (journal);
  g_assert_cmpuint (ams_journal_find (journal, "0.ts")->duration, ==, 0);
  g_assert_cmpuint (ams_journal_find (journal, "1.ts")->duration, ==, 0);
  g_assert_cmpuint (ams_journal_find (journal, "2.ts")->duration, ==,
      G_GUINT64_CONSTANT (86400000000000));
}

/* Whatever the bytes: no crash, and what is read can be written again. */
static void
test_noise_survived (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711);
  g_autoptr (AmsJournal) journal = make_journal ();
  g_autoptr (GBytes) good = NULL;
  guint i, j;
  gsize size;
  const guint8 *data;

  add_segment (journal, "1.ts", 1);
  good = ams_journal_write (journal);
  data = g_bytes_get_data (good, &size);
  for (i = 0; i < 3000; i++) {
    guint8 *copy = g_memdup2 (data, size);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (AmsJournal) read = NULL;

    for (j = g_rand_int_range (rand, 1, 5); j > 0; j--)
      copy[g_rand_int_range (rand, 0, size)] = g_rand_int_range (rand, 0, 256);
    bytes = g_bytes_new_take (copy, g_rand_int_range (rand, size / 2, size));
    read = ams_journal_read (bytes);
    if (read)
      g_bytes_unref (ams_journal_write (read));
  }
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/journal-write/all-fields/same", test_all_same);
  g_test_add_func ("/journal-write/odd-names/same", test_names_same);
  for (i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autofree gchar *path =
        g_strconcat ("/journal-read/", broken[i].name, NULL);

    g_test_add_data_func (path, &broken[i], test_broken);
  }
  g_test_add_func ("/journal-read/too-large/none", test_size_bounded);
  g_test_add_func ("/journal-read/many-segments/bounded",
      test_segments_bounded);
  g_test_add_func ("/journal-read/bad-segment/ends-there",
      test_bad_segment_ends);
  g_test_add_func ("/journal-read/absurd-duration/unknown",
      test_absurd_duration_unknown);
  g_test_add_func ("/journal-read/noise/survived", test_noise_survived);
  return g_test_run ();
}
