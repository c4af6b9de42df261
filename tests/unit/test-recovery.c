/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "recording/amsrecovery.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)
#define HEAD "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n"
#define EVENT HEAD "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
#define VOD HEAD "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
#define LIVE(n) HEAD "#EXT-X-MEDIA-SEQUENCE:" #n "\n"
#define SEG(n) "#EXTINF:6.000000,\n0000" #n ".ts\n"
#define END "#EXT-X-ENDLIST\n"

/* ---- choosing ---- */

typedef struct
{
  const gchar *name;
  const gchar *texts[4];
  gint chosen; /* < 0: an error, its code negated, less one */
} Choice;

#define FORKED (-1 - AMS_RECOVERY_ERROR_FORKED)
#define UNREADABLE (-1 - AMS_RECOVERY_ERROR_UNREADABLE)

static const Choice choices[] = {
  { "one/it", { EVENT SEG (0) }, 0 },
  { "left-behind/longest", { EVENT SEG (0), EVENT SEG (0) SEG (1) }, 1 },
  { "left-behind-turned/longest", { EVENT SEG (0) SEG (1), EVENT SEG (0) }, 0 },
  { "three/longest",
      { EVENT SEG (0), EVENT SEG (0) SEG (1) SEG (2), EVENT SEG (0) SEG (1) },
      1 },
  { "nothing-listed-yet/longest", { EVENT, EVENT SEG (0) }, 1 },
  { "forked/error", { EVENT SEG (0) SEG (1), EVENT SEG (0) SEG (2) }, FORKED },
  { "fork-of-shorter/error",
      { EVENT SEG (0) SEG (1) SEG (2), EVENT SEG (0) SEG (3) }, FORKED },
  { "other-durations/error",
      { EVENT SEG (0) SEG (1), EVENT "#EXTINF:5.9,\n00000.ts\n" }, FORKED },
  { "other-dates/error",
      { EVENT "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:00:00.000Z\n" SEG (0)
              SEG (1),
          EVENT "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T11:00:00.000Z\n" SEG (0) },
      FORKED },
  { "other-type/error", { EVENT SEG (0) SEG (1), LIVE (0) SEG (0) }, FORKED },
  { "ended-shorter/longest", { EVENT SEG (0) END, EVENT SEG (0) SEG (1) }, 1 },
  { "ended-longest/longest", { EVENT SEG (0), EVENT SEG (0) SEG (1) END }, 1 },
  { "only-end-differs/ended", { EVENT SEG (0), EVENT SEG (0) END }, 1 },
  { "only-end-differs-turned/ended", { EVENT SEG (0) END, EVENT SEG (0) }, 0 },
  { "gap-marked-since/longest",
      { EVENT SEG (0) SEG (1), EVENT SEG (0) "#EXT-X-GAP\n" SEG (1) SEG (2) },
      1 },
  { "gap-marked-same/later", { EVENT "#EXT-X-GAP\n" SEG (0), EVENT SEG (0) },
      0 },
  { "target-raised-since/longest",
      { EVENT SEG (0),
          "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n"
          "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n" SEG (
              0) "#EXTINF:9.6,\n00001.ts\n" },
      1 },
  { "windows/latest", { LIVE (1) SEG (1) SEG (2), LIVE (2) SEG (2) SEG (3) },
      1 },
  { "windows-turned/latest",
      { LIVE (2) SEG (2) SEG (3), LIVE (1) SEG (1) SEG (2) }, 0 },
  { "windows-apart/latest", { LIVE (1) SEG (1), LIVE (8) SEG (8) SEG (9) }, 1 },
  { "windows-forked/error",
      { LIVE (1) SEG (1) SEG (2), LIVE (2) SEG (3) SEG (4) }, FORKED },
  { "unreadable/error", { "no playlist" }, UNREADABLE },
  { "one-unreadable/error", { EVENT SEG (0), "#EXTM3U" }, UNREADABLE },
  { "empty-file/error", { "" }, UNREADABLE },
  { "none/none", { NULL }, 0 },
};

static AmsPlaylistParsed *
parse (const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  AmsPlaylistParsed *parsed = ams_playlist_parse (bytes, NULL);

  g_assert_nonnull (parsed);
  return parsed;
}

static void
test_choice (gconstpointer data)
{
  const Choice *t = data;
  g_autoptr (GPtrArray) texts =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (AmsPlaylistParsed) chosen = NULL;
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; t->texts[i]; i++)
    g_ptr_array_add (texts,
        g_bytes_new_static (t->texts[i], strlen (t->texts[i])));
  chosen = ams_recovery_choose (texts, "l.m3u8", &error);
  if (t->chosen < 0) {
    g_assert_null (chosen);
    g_assert_error (error, AMS_RECOVERY_ERROR, -1 - t->chosen);
    g_assert_nonnull (strstr (error->message, "l.m3u8"));
    return;
  }
  g_assert_no_error (error);
  if (texts->len == 0)
    g_assert_null (chosen);
  else
    g_assert_true (
        g_bytes_equal (chosen->text, g_ptr_array_index (texts, t->chosen)));
}

/* A segment got another name, and one store has a version of before. */
static void
test_choose_renamed_takes_the_later_name (void)
{
  const gchar *before = EVENT SEG (0) SEG (1);
  const gchar *after = EVENT SEG (0) "#EXTINF:6,\n00004.ts\n";

  for (guint i = 0; i < 4; i++) {
    const gchar *first = i & 1 ? before : after;
    const gchar *second = i & 1 ? after : before;
    g_autoptr (GPtrArray) texts =
        g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
    g_autoptr (AmsJournal) journal = ams_journal_new ();
    AmsJournalSegment *known = ams_journal_segment_new ("00004.ts");
    g_autoptr (AmsPlaylistParsed) chosen = NULL;
    g_autoptr (GError) error = NULL;

    known->was = g_strdup (i & 2 ? "00001.ts" : "00007.ts");
    g_ptr_array_add (journal->segments, known);
    g_ptr_array_add (texts, g_bytes_new_static (first, strlen (first)));
    g_ptr_array_add (texts, g_bytes_new_static (second, strlen (second)));
    chosen =
        ams_recovery_choose_renamed (texts, "l.m3u8", NULL, journal, &error);
    if (i & 2)
      g_assert_true (chosen && chosen->text == texts->pdata[i & 1]);
    else
      g_assert_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_FORKED);
  }
}

/* ---- what a store lacks ---- */

typedef struct
{
  const gchar *name, *chosen, *text;
  guint first;
} Missing;

static const Missing missing[] = {
  { "same/nothing", EVENT SEG (0) SEG (1), EVENT SEG (0) SEG (1), 2 },
  { "behind/from-there", EVENT SEG (0) SEG (1) SEG (2), EVENT SEG (0), 1 },
  { "empty/all", EVENT SEG (0) SEG (1), EVENT, 0 },
  { "ended/nothing", EVENT SEG (0), EVENT SEG (0) END, 1 },
  { "ahead/nothing", EVENT SEG (0), EVENT SEG (0) SEG (1), 1 },
  { "window/from-there", LIVE (4) SEG (4) SEG (5) SEG (6),
      LIVE (3) SEG (3) SEG (4), 1 },
  { "window-apart/all", LIVE (4) SEG (4) SEG (5), LIVE (1) SEG (1), 0 },
  { "unreadable/all", EVENT SEG (0), "no playlist", 0 },
  { "renamed/from-there", EVENT SEG (0) SEG (4) SEG (3) SEG (5),
      EVENT SEG (0) SEG (1) SEG (3), 1 },
  { "renamed-in-window/from-there", LIVE (4) SEG (4) SEG (7) SEG (6),
      LIVE (5) SEG (5) SEG (6), 1 },
};

static void
test_missing (gconstpointer data)
{
  const Missing *t = data;
  g_autoptr (AmsPlaylistParsed) chosen = parse (t->chosen);
  g_autoptr (GBytes) text = g_bytes_new_static (t->text, strlen (t->text));

  g_assert_cmpuint (ams_recovery_first_missing (chosen, text), ==, t->first);
}

static void
test_listed_without_gaps_and_foreign (void)
{
  g_autoptr (AmsPlaylistParsed) parsed =
      parse (LIVE (7) SEG (7) "#EXT-X-GAP\n" SEG (
          8) "#EXTINF:6,\nhttp://else/9.ts\n"
             "#EXTINF:6,\n../../passwd\n"
             "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:"
             "2026-11-22T10:00:00.000Z\n#EXTINF:5.5,\nhttp://cdn/a%20b.ts\n");
  g_autoptr (GPtrArray) listed =
      ams_recovery_listed (parsed, "l.m3u8", "http://cdn/", 0);
  g_autoptr (GPtrArray) rest =
      ams_recovery_listed (parsed, "l.m3u8", "http://cdn/", 1);
  const AmsRecordingSegment *segment;

  g_assert_cmpuint (listed->len, ==, 2);
  segment = g_ptr_array_index (listed, 0);
  g_assert_cmpstr (segment->name, ==, "00007.ts");
  g_assert_cmpuint (segment->sequence, ==, 7);
  segment = g_ptr_array_index (listed, 1);
  g_assert_cmpstr (segment->name, ==, "a b.ts");
  g_assert_cmpuint (segment->sequence, ==, 11);
  g_assert_cmpuint (segment->duration, ==, 55 * SECOND / 10);
  g_assert_cmpint (segment->date_time, ==,
      G_GINT64_CONSTANT (1795341600000000));
  g_assert_true (segment->discontinuity);
  g_assert_cmpuint (rest->len, ==, 1);
}

static void
test_date_goes_on_where_the_segment_follows (void)
{
  static const struct
  {
    gint64 own, before;
    gboolean discontinuity;
    gint64 date, after;
  } cases[] = {
    { 0, 1000, FALSE, 1000, 6001000 },
    { 0, 1000, TRUE, 0, 0 },
    { 5000, 1000, FALSE, 5000, 6005000 },
    { 5000, 0, TRUE, 5000, 6005000 },
    { 0, 0, FALSE, 0, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    AmsRecordingSegment segment = { .duration = 6 * SECOND,
      .date_time = cases[i].own,
      .discontinuity = cases[i].discontinuity };
    gint64 date = cases[i].before;

    ams_recovery_date (&segment, &date);
    g_assert_cmpint (segment.date_time, ==, cases[i].date);
    g_assert_cmpint (date, ==, cases[i].after);
  }
}

/* ---- types ---- */

typedef struct
{
  const gchar *name, *text;
  AmsPlaylistType type;
  gint code; /* -1: fine */
} Type;

static const Type types[] = {
  { "event-as-event/fine", EVENT SEG (0) END, AMS_PLAYLIST_EVENT, -1 },
  { "event-as-live/type", EVENT SEG (0), AMS_PLAYLIST_LIVE,
      AMS_RECOVERY_ERROR_TYPE },
  { "event-as-vod/fine", EVENT SEG (0), AMS_PLAYLIST_VOD, -1 },
  { "live-as-live/fine", LIVE (5) SEG (5), AMS_PLAYLIST_LIVE, -1 },
  { "live-as-event/fine", LIVE (5) SEG (5), AMS_PLAYLIST_EVENT, -1 },
  { "finished-vod/finished", VOD SEG (0) END, AMS_PLAYLIST_VOD,
      AMS_RECOVERY_ERROR_FINISHED },
  { "finished-vod-as-event/finished", VOD SEG (0) END, AMS_PLAYLIST_EVENT,
      AMS_RECOVERY_ERROR_FINISHED },
  { "running-vod-as-vod/fine", VOD SEG (0), AMS_PLAYLIST_VOD, -1 },
};

static void
test_type (gconstpointer data)
{
  const Type *t = data;
  g_autoptr (AmsPlaylistParsed) earlier = parse (t->text);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (ams_recovery_check_type (earlier, t->type, "l", &error), ==,
      t->code < 0);
  if (t->code >= 0)
    g_assert_error (error, AMS_RECOVERY_ERROR, t->code);
}

/* ---- what is there ---- */

/* A name with "*" behind it: partial. */
typedef struct
{
  const gchar *name;
  const gchar *location, *playlist_location;
  const gchar *root;
  const gchar *playlist; /* NULL: none */
  const gchar *journal; /* names, NULL: none */
  guint64 journal_next;
  const gchar *files;
  guint64 next;
  const gchar *orphans;
  const gchar *unlisted;
  gboolean any;
} Survey;

#define PLAIN "%05d.ts", "l.m3u8", NULL
#define DATED "{session:%Y}-%05d.ts", "l-{session:%Y}.m3u8", NULL
#define SEGMENTS_DATED "{session:%Y}-%05d.ts", "l.m3u8", NULL
#define NO_NUMBER "{segment:%Y%m%d-%H%M%S.%L}.ts", "l.m3u8", NULL
#define URI(name) "#EXTINF:6,\n" name "\n"

static const Survey surveys[] = {
  { "nothing/start", PLAIN, NULL, NULL, 0, "", 3, "", "", FALSE },
  { "playlist-only/behind-it", PLAIN, EVENT SEG (4) SEG (7), NULL, 0, "", 8, "",
      "", TRUE },
  { "directory-highest/behind-it", PLAIN, EVENT SEG (4), NULL, 0,
      "00004.ts 00009.ts", 10, "00009.ts", "", TRUE },
  { "journal-highest/it", PLAIN, EVENT SEG (4), "00005.ts", 77,
      "00004.ts 00005.ts*", 77, "00005.ts*", "", TRUE },
  { "no-playlist/all-orphans", PLAIN, NULL, NULL, 0,
      "00010.ts 00003.ts* 00001.ts 123456.ts", 123457,
      "00001.ts 00003.ts* 00010.ts 123456.ts", "", TRUE },
  { "in-order/by-number", "%d.ts", "l.m3u8", NULL, NULL, NULL, 0,
      "10.ts 9.ts 100.ts", 101, "9.ts 10.ts 100.ts", "", TRUE },
  { "live/unlisted", PLAIN, LIVE (4) SEG (4) SEG (5), NULL, 0,
      "00003.ts 00001.ts 00002.ts* 00004.ts 00005.ts 00006.ts", 7, "00006.ts",
      "00001.ts 00003.ts", TRUE },
  { "hole-in-playlist/left-alone", PLAIN, EVENT SEG (3) SEG (6), NULL, 0,
      "00004.ts 00005.ts*", 7, "", "", TRUE },
  { "foreign/ignored", PLAIN, NULL, NULL, 0,
      "5.ts 00005.mp4 x/00005.ts 000005.ts 00005.ts.bak l.m3u8", 3, "", "",
      FALSE },
  { "beyond-2^63/foreign", PLAIN, NULL, NULL, 0,
      "9223372036854775808.ts 18446744073709551615.ts 00004.ts", 5, "00004.ts",
      "", TRUE },
  { "beyond-2^63-listed/foreign", PLAIN,
      EVENT URI ("18446744073709551615.ts") SEG (4), NULL, 0, "", 5, "", "",
      TRUE },
  { "at-2^63/used-up", PLAIN, NULL, NULL, 0, "9223372036854775807.ts",
      G_GUINT64_CONSTANT (9223372036854775808), "9223372036854775807.ts", "",
      TRUE },
  { "two-stores/once", PLAIN, EVENT SEG (4), NULL, 0,
      "00004.ts 00005.ts* 00006.ts 00004.ts 00005.ts 00006.ts", 7,
      "00005.ts 00006.ts", "", TRUE },
  { "two-stores-live/once", PLAIN, LIVE (4) SEG (4), NULL, 0,
      "00002.ts 00003.ts 00002.ts 00003.ts", 5, "", "00002.ts 00003.ts", TRUE },
  { "dated/another-playlists", DATED, NULL, "2025-00005.ts", 6,
      "2025-00004.ts 2025-00005.ts*", 3, "", "", FALSE },
  { "segments-dated/journal-knows", SEGMENTS_DATED, EVENT URI ("2025-00004.ts"),
      "2025-00004.ts 2025-00005.ts", 6,
      "2024-00009.ts 2025-00004.ts 2025-00005.ts*", 5, "2025-00005.ts*", "",
      TRUE },
  { "segments-dated/no-journal-none", SEGMENTS_DATED,
      EVENT URI ("2025-00004.ts"), NULL, 0, "2025-00005.ts 2024-00009.ts", 5,
      "", "", TRUE },
  { "playlist-dated/numbers-shared", "%05d.ts", "l-{session:%Y}.m3u8", NULL,
      NULL, "00007.ts", 8, "00004.ts", 8, "", "", FALSE },
  { "no-number/by-name", NO_NUMBER, EVENT URI ("20261122-100000.000.ts"), NULL,
      0,
      "20261122-095959.000.ts 20261122-100000.000.ts 20261122-100006.040.ts*",
      3, "20261122-100006.040.ts*", "", TRUE },
  { "root/listed", "a b/%05d.ts", "l.m3u8", "http://cdn/my dir",
      EVENT URI ("http://cdn/my%20dir/a%20b/00004.ts"), NULL, 0,
      "a b/00004.ts a b/00005.ts", 3 + 3, "a b/00005.ts", "", TRUE },
  { "root-new/listed", "%05d.ts", "l.m3u8", "http://cdn/", EVENT SEG (4), NULL,
      0, "00004.ts", 5, "", "", TRUE },
  { "below/relative", "v/%05d.ts", "p/l.m3u8", NULL,
      EVENT URI ("../v/00004.ts?x=1"), NULL, 0, "v/00004.ts v/00005.ts", 6,
      "v/00005.ts", "", TRUE },
};

/* "a b/1.ts" is one name: a part that has no "." goes on. */
static GPtrArray *
split_names (const gchar *names)
{
  g_auto (GStrv) parts = g_strsplit (names, " ", -1);
  GPtrArray *out = g_ptr_array_new_with_free_func (g_free);
  guint i;

  for (i = 0; parts[i] && *parts[i]; i++) {
    if (!strchr (parts[i], '.') && parts[i + 1]) {
      g_ptr_array_add (out, g_strconcat (parts[i], " ", parts[i + 1], NULL));
      i++;
    } else {
      g_ptr_array_add (out, g_strdup (parts[i]));
    }
  }
  return out;
}

static GPtrArray *
make_files (const gchar *text)
{
  g_autoptr (GPtrArray) names = split_names (text);
  GPtrArray *files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  guint i;

  for (i = 0; i < names->len; i++) {
    gchar *name = g_ptr_array_index (names, i);
    gboolean partial = g_str_has_suffix (name, "*");

    if (partial)
      name[strlen (name) - 1] = '\0';
    g_ptr_array_add (files, ams_recovery_file_new (name, 188, partial));
  }
  return files;
}

static AmsJournal *
make_journal (const gchar *text, guint64 next)
{
  AmsJournal *journal = ams_journal_new ();
  g_autoptr (GPtrArray) names = split_names (text);
  guint i;

  journal->playlist = g_strdup ("l");
  journal->final_playlist = g_strdup ("l");
  journal->next_number = next;
  for (i = 0; i < names->len; i++)
    g_ptr_array_add (journal->segments,
        ams_journal_segment_new (g_ptr_array_index (names, i)));
  return journal;
}

static AmsRecording *
make_recording (const Survey *t)
{
  AmsRecordingConfig *config = ams_recording_config_new ();
  AmsRecording *recording;

  config->location = g_strdup (t->location);
  config->playlist_location = g_strdup (t->playlist_location);
  config->playlist_root = g_strdup (t->root);
  config->zone = g_time_zone_new_utc ();
  config->target_duration = 6;
  config->start_index = 3;
  recording = ams_recording_new (config, NULL);
  g_assert_nonnull (recording);
  g_assert_true (ams_recording_begin (recording,
      G_GINT64_CONSTANT (1795344364509000), FALSE, NULL));
  return recording;
}

static void
test_survey (gconstpointer data)
{
  const Survey *t = data;
  g_autoptr (AmsRecording) recording = make_recording (t);
  g_autoptr (AmsPlaylistParsed) earlier =
      t->playlist ? parse (t->playlist) : NULL;
  g_autoptr (AmsJournal) journal =
      t->journal ? make_journal (t->journal, t->journal_next) : NULL;
  g_autoptr (GPtrArray) files = make_files (t->files);
  g_autoptr (AmsSurvey) survey =
      ams_recovery_survey (recording, earlier, journal, files);
  g_autoptr (GString) orphans = g_string_new (NULL);
  g_autoptr (GString) unlisted = g_string_new (NULL);
  guint i;

  for (i = 0; i < survey->orphans->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (survey->orphans, i);

    g_string_append_printf (orphans, "%s%s%s", i ? " " : "", file->name,
        file->partial ? "*" : "");
    g_assert_cmpuint (file->size, ==, 188);
  }
  for (i = 0; i < survey->unlisted->len; i++)
    g_string_append_printf (unlisted, "%s%s", i ? " " : "",
        (gchar *) g_ptr_array_index (survey->unlisted, i));
  g_assert_cmpstr (orphans->str, ==, t->orphans);
  g_assert_cmpstr (unlisted->str, ==, t->unlisted);
  g_assert_cmpuint (survey->next_number, ==, t->next);
  g_assert_cmpint (survey->any, ==, t->any);
}

/* What the journal knows and no playlist lists has to be noted again, by whatever name it is listed. */
static void
test_survey_keeps_notes_of_what_is_behind (void)
{
  const Survey t = { .location = "%05d.ts", .playlist_location = "l.m3u8" };
  g_autoptr (AmsRecording) recording = make_recording (&t);
  g_autoptr (AmsPlaylistParsed) earlier = parse (EVENT SEG (4) SEG (5));
  g_autoptr (AmsJournal) journal =
      make_journal ("00003.ts 00005.ts 00006.ts 00009.ts 00010.ts", 11);
  g_autoptr (GPtrArray) files =
      make_files ("00003.ts 00004.ts 00005.ts 00006.ts* 00007.ts 00009.ts");
  g_autoptr (AmsSurvey) survey = NULL;
  AmsJournalSegment *renamed = g_ptr_array_index (journal->segments, 3);

  renamed->was = g_strdup ("00005.ts");
  survey = ams_recovery_survey (recording, earlier, journal, files);
  g_assert_cmpuint (survey->orphans->len, ==, 2);
  g_assert_cmpuint (survey->notes->len, ==, 2);
  g_assert_cmpstr (
      ((AmsJournalSegment *) g_ptr_array_index (survey->notes, 0))->name, ==,
      "00006.ts");
  renamed = g_ptr_array_index (survey->notes, 1);
  g_assert_cmpstr (renamed->name, ==, "00009.ts");
  g_assert_cmpstr (renamed->was, ==, "00005.ts");
}

static void
test_later_than_the_journal (void)
{
  static const struct
  {
    const gchar *location, *file;
    gboolean remote, later;
  } cases[] = {
    { "%05d.ts", "00011.ts", FALSE, TRUE },
    { "%05d.ts", "00010.ts", FALSE, FALSE },
    { "%05d.ts", "00012.ts", TRUE, TRUE },
    { "%05d.ts", "00011.ts", TRUE, TRUE },
    { "%05d.ts", "00027.ts", FALSE, TRUE },
    { "%05d.ts", "00027.ts", TRUE, FALSE },
    { "%05d.ts", "other.ts", FALSE, FALSE },
    { "{session:%Y}-%05d.ts", "2026-00011.ts", FALSE, FALSE },
    { "{segment:%Y%m%d-%H%M%S.%L}.ts", "20261122-104604.511.ts", FALSE, TRUE },
    { "{segment:%Y%m%d-%H%M%S.%L}.ts", "20261122-104604.509.ts", FALSE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Survey t = { .location = cases[i].location,
      .playlist_location = "l.m3u8" };
    g_autoptr (AmsRecording) recording = make_recording (&t);
    g_autoptr (AmsJournal) journal =
        make_journal ("00010.ts 20261122-104604.510.ts", 11);
    const AmsRecoveryFile file = { .name = (gchar *) cases[i].file,
      .remote = cases[i].remote };

    g_assert_cmpint (ams_recovery_is_later (&file, journal,
                         ams_recording_get_segment_names (recording)),
        ==, cases[i].later);
    g_assert_false (ams_recovery_is_later (&file, NULL,
        ams_recording_get_segment_names (recording)));
  }
}

/* Whole beats partial, and of two alike the disk's is taken. */
static void
test_survey_of_disk_and_store_takes_the_better (void)
{
  static const struct
  {
    gboolean disk_partial, store_partial, remote;
  } cases[] = {
    { FALSE, FALSE, FALSE },
    { TRUE, TRUE, FALSE },
    { FALSE, TRUE, FALSE },
    { TRUE, FALSE, TRUE },
  };
  const Survey plain = { .location = "%05d.ts", .playlist_location = "l.m3u8" };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    g_autoptr (AmsRecording) recording = make_recording (&plain);
    g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (
        (GDestroyNotify) ams_recovery_file_free);
    AmsRecoveryFile *disk =
        ams_recovery_file_new ("00004.ts", 1, cases[i / 2].disk_partial);
    AmsRecoveryFile *store =
        ams_recovery_file_new ("00004.ts", 2, cases[i / 2].store_partial);
    g_autoptr (AmsSurvey) survey = NULL;
    const AmsRecoveryFile *orphan;

    store->remote = TRUE;
    g_ptr_array_add (files, i % 2 ? disk : store);
    g_ptr_array_add (files, i % 2 ? store : disk);
    survey = ams_recovery_survey (recording, NULL, NULL, files);
    g_assert_cmpuint (survey->orphans->len, ==, 1);
    orphan = g_ptr_array_index (survey->orphans, 0);
    g_assert_cmpint (orphan->remote, ==, cases[i / 2].remote);
    g_assert_cmpuint (orphan->size, ==, cases[i / 2].remote ? 2 : 1);
  }
}

static void
test_name_predicted_unless_it_has_a_date (void)
{
  static const struct
  {
    const gchar *location, *name;
  } cases[] = {
    { "a/%05d.ts", "a/00012.ts" },
    { "{session:%Y}-%d.ts", NULL },
    { "{segment:%Y}-%d.ts", NULL },
    { "{segment:%Y%m%d-%H%M%S.%L}.ts", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Survey t = { .location = cases[i].location,
      .playlist_location = "l.m3u8" };
    g_autoptr (AmsRecording) recording = make_recording (&t);
    g_autofree gchar *name = ams_recording_predict_name (recording, 12);

    g_assert_cmpstr (name, ==, cases[i].name);
    g_assert_null (ams_recording_predict_name (recording, G_MAXUINT64));
  }
}

/* ---- measuring ---- */

#define PACKET 188
#define FRAME 3600
#define FRAME_NS G_GUINT64_CONSTANT (40000000)
#define WRAP (G_GUINT64_CONSTANT (1) << 33)

static void
put_packet (GByteArray *ts, guint pid, const guint8 *payload, gsize len)
{
  guint8 p[PACKET];

  memset (p, 0xff, sizeof p);
  p[0] = 0x47;
  p[1] = 0x40 | pid >> 8;
  p[2] = pid;
  p[3] = 0x30;
  p[4] = PACKET - 5 - len;
  if (p[4] > 0)
    p[5] = 0;
  memcpy (p + PACKET - len, payload, len);
  g_byte_array_append (ts, p, PACKET);
}

static void
put_frame (GByteArray *ts, guint64 pts)
{
  guint8 pes[100] = { 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5 };

  pts %= WRAP;
  pes[9] = 0x21 | (pts >> 29 & 0xe);
  pes[10] = pts >> 22;
  pes[11] = 1 | (pts >> 14 & 0xfe);
  pes[12] = pts >> 7;
  pes[13] = 1 | pts << 1;
  put_packet (ts, 0x41, pes, sizeof pes);
}

static GBytes *
make_ts (guint64 first, guint frames)
{
  static const guint8 pat[] = { 0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0,
    0x20, 0, 0, 0, 0 };
  static const guint8 pmt[] = { 0, 2, 0xb0, 18, 0, 1, 0xc1, 0, 0, 0xe0, 0x41,
    0xf0, 0, 0x1b, 0xe0, 0x41, 0xf0, 0, 0, 0, 0, 0 };
  GByteArray *ts = g_byte_array_new ();
  guint i;

  put_packet (ts, 0, pat, sizeof pat);
  put_packet (ts, 0x20, pmt, sizeof pmt);
  for (i = 0; i < frames; i++)
    put_frame (ts, first + i * FRAME);
  return g_byte_array_free_to_bytes (ts);
}

typedef struct
{
  const gchar *name;
  gboolean partial;
  guint64 first, end_pts; /* end_pts: of the segment before */
  gint known; /* 0: no journal, 1: open, 2: ended, + 4: discontinuity */
  guint64 duration, packets;
  gboolean discontinuity;
} Measure;

static const Measure measures[] = {
  { "whole/measured", FALSE, 90000, G_MAXUINT64, 0, 10 * FRAME_NS, 12, TRUE },
  { "partial/last-frame-out", TRUE, 90000, G_MAXUINT64, 0, 9 * FRAME_NS, 11,
      TRUE },
  { "follows/no-discontinuity", FALSE, 90000, 90000, 0, 10 * FRAME_NS, 12,
      FALSE },
  { "follows-nearly/no-discontinuity", FALSE, 90000, 90000 + 8999, 0,
      10 * FRAME_NS, 12, FALSE },
  { "follows-nearly-before/no-discontinuity", FALSE, 90000, 90000 - 8999, 0,
      10 * FRAME_NS, 12, FALSE },
  { "follows-not/discontinuity", FALSE, 90000, 90000 + 9000, 0, 10 * FRAME_NS,
      12, TRUE },
  { "follows-over-wrap/no-discontinuity", FALSE, 10, WRAP - 10, 0,
      10 * FRAME_NS, 12, FALSE },
  { "follows-under-wrap/no-discontinuity", FALSE, WRAP - 10, 10, 0,
      10 * FRAME_NS, 12, FALSE },
  { "known-ended/believed", FALSE, 90000, G_MAXUINT64, 2, 777, 12, FALSE },
  { "known-ended-discontinuity/believed", FALSE, 90000, 90000, 6, 777, 12,
      TRUE },
  { "known-open/date-believed", TRUE, 90000, G_MAXUINT64, 1, 9 * FRAME_NS, 11,
      FALSE },
  { "known-ended-but-partial/measured", TRUE, 90000, G_MAXUINT64, 2,
      9 * FRAME_NS, 11, FALSE },
};

static void
test_measure (gconstpointer data)
{
  const Measure *t = data;
  g_autoptr (GBytes) bytes = make_ts (t->first, 10);
  g_autoptr (AmsJournal) journal =
      t->known ? make_journal ("1.ts 2.ts", 3) : NULL;
  AmsRecoveryFile file = { (gchar *) "2.ts", g_bytes_get_size (bytes),
    t->partial };
  g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
  guint64 end_pts = t->end_pts, usable = 0;

  if (journal) {
    AmsJournalSegment *known = g_ptr_array_index (journal->segments, 1);

    known->date_time = 4711;
    known->duration = t->known & 2 ? 777 : 0;
    known->discontinuity = (t->known & 4) != 0;
  }
  segment->name = g_strdup ("of before");
  g_assert_true (
      ams_recovery_measure (&file, bytes, journal, &end_pts, segment, &usable));
  g_assert_cmpstr (segment->name, ==, "2.ts");
  g_assert_cmpuint (segment->duration, ==, t->duration);
  g_assert_cmpint (segment->discontinuity, ==, t->discontinuity);
  g_assert_cmpint (segment->date_time, ==, t->known ? 4711 : 0);
  g_assert_cmpuint (segment->size, ==, t->packets * PACKET);
  g_assert_cmpuint (usable, ==, t->packets * PACKET);
  g_assert_cmpuint (end_pts, ==,
      (t->first + (t->partial ? 9 : 10) * FRAME) % WRAP);
}

/* Its end was noted, or cut off, and a kill came before it got its name: nothing in it says
 * that the last picture is whole, but what was noted does. */
static void
test_measure_part_that_lasts_as_long_as_noted_is_whole (void)
{
  for (gint off = -2; off <= 2; off++) {
    g_autoptr (GBytes) bytes = make_ts (90000, 10);
    g_autoptr (AmsJournal) journal = make_journal ("1.ts 2.ts", 3);
    g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
    AmsRecoveryFile file = { (gchar *) "2.ts", g_bytes_get_size (bytes), TRUE };
    AmsJournalSegment *known = g_ptr_array_index (journal->segments, 1);
    guint64 end_pts = G_MAXUINT64, usable;
    gboolean whole = ABS (off) < 2;

    known->duration = 10 * FRAME_NS + off * (FRAME_NS / 2 + 1000000);
    g_assert_true (ams_recovery_measure (&file, bytes, journal, &end_pts,
        segment, &usable));
    g_assert_cmpuint (usable, ==, (whole ? 12 : 11) * PACKET);
    g_assert_cmpuint (segment->duration, ==, (whole ? 10 : 9) * FRAME_NS);
  }
}

/* The first of a session: its time stamps go on, its counters do not. */
static void
test_measure_says_itself_that_it_continues_nothing (void)
{
  for (guint said = 0; said < 2; said++) {
    g_autoptr (GBytes) bytes = make_ts (90000, 10);
    g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
    AmsRecoveryFile file = { (gchar *) "2.ts", g_bytes_get_size (bytes) };
    guint8 *first = (guint8 *) g_bytes_get_data (bytes, NULL) + 2 * PACKET;
    guint64 end_pts = 90000, usable;

    if (said)
      first[5] |= 0x80; /* discontinuity_indicator */
    g_assert_true (
        ams_recovery_measure (&file, bytes, NULL, &end_pts, segment, &usable));
    g_assert_cmpint (segment->apart, ==, said);
    /* Its time goes on all the same: it is nobody else's. */
    g_assert_false (segment->discontinuity);
  }
}

static void
test_date_of_what_continues_nothing_is_unknown (void)
{
  for (guint i = 0; i < 3; i++) {
    AmsRecordingSegment segment = { .duration = 2000000,
      .discontinuity = i == 1,
      .apart = i == 2 };
    gint64 end_date = 4711;

    ams_recovery_date (&segment, &end_date);
    g_assert_cmpint (segment.date_time, ==, i ? 0 : 4711);
    g_assert_cmpint (end_date, ==, i ? 0 : 4711 + 2000);
  }
}

/* How long it lasts is not to be seen. */
static void
test_measure_single_frame_of_a_part_is_useless (void)
{
  g_autoptr (GBytes) whole = make_ts (0, 1);
  g_autoptr (GBytes) two = make_ts (0, 2);
  g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
  AmsRecoveryFile file = { (gchar *) "1.ts", g_bytes_get_size (two), TRUE };
  guint64 end_pts = G_MAXUINT64, usable;

  g_assert_false (
      ams_recovery_measure (&file, two, NULL, &end_pts, segment, &usable));
  file.partial = FALSE;
  g_assert_true (
      ams_recovery_measure (&file, whole, NULL, &end_pts, segment, &usable));
  g_assert_cmpuint (segment->duration, ==, 40 * 1000000);
}

/* A store that noted it when the file began. */
static void
test_measure_noted_by_store_believed (void)
{
  for (guint discontinuity = 0; discontinuity < 2; discontinuity++) {
    g_autoptr (GBytes) bytes = make_ts (0, 10);
    g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
    AmsRecoveryFile file = { (gchar *) "1.ts", g_bytes_get_size (bytes), TRUE,
      TRUE, 4711, discontinuity };
    guint64 end_pts = G_MAXUINT64, usable;

    g_assert_true (ams_recovery_is_noted (&file, NULL));
    g_assert_true (
        ams_recovery_measure (&file, bytes, NULL, &end_pts, segment, &usable));
    g_assert_cmpint (segment->date_time, ==, 4711);
    g_assert_cmpint (segment->discontinuity, ==, discontinuity);
  }
}

/* A store and the spool before it name the same file. */
static void
test_survey_named_twice_one_with_date_taken (void)
{
  const Survey plain = { .location = "%05d.ts", .playlist_location = "l.m3u8" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (AmsRecording) recording = make_recording (&plain);
    g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (
        (GDestroyNotify) ams_recovery_file_free);
    AmsRecoveryFile *dated = ams_recovery_file_new ("00004.ts", 1, FALSE);
    AmsRecoveryFile *undated = ams_recovery_file_new ("00004.ts", 1, FALSE);
    g_autoptr (AmsSurvey) survey = NULL;
    const AmsRecoveryFile *orphan;

    dated->remote = undated->remote = TRUE;
    dated->date_time = 4711;
    dated->discontinuity = TRUE;
    g_ptr_array_add (files, i ? dated : undated);
    g_ptr_array_add (files, i ? undated : dated);
    survey = ams_recovery_survey (recording, NULL, NULL, files);
    g_assert_cmpuint (survey->orphans->len, ==, 1);
    orphan = g_ptr_array_index (survey->orphans, 0);
    g_assert_cmpint (orphan->date_time, ==, 4711);
    g_assert_true (orphan->discontinuity);
  }
}

/* Two that follow on each other, then one of another session. */
static void
test_measure_in_row (void)
{
  static const guint64 firsts[] = { 0, 10 * FRAME, 1000 * FRAME };
  static const gboolean expected[] = { TRUE, FALSE, TRUE };
  g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
  guint64 end_pts = G_MAXUINT64, usable;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (firsts); i++) {
    g_autoptr (GBytes) bytes = make_ts (firsts[i], 10);
    AmsRecoveryFile file = { (gchar *) "1.ts", g_bytes_get_size (bytes),
      FALSE };

    g_assert_true (
        ams_recovery_measure (&file, bytes, NULL, &end_pts, segment, &usable));
    g_assert_cmpint (segment->discontinuity, ==, expected[i]);
  }
}

static void
assert_useless (GBytes *bytes)
{
  g_autoptr (AmsRecordingSegment) segment = g_new0 (AmsRecordingSegment, 1);
  AmsRecoveryFile file = { (gchar *) "1.ts", g_bytes_get_size (bytes), TRUE };
  guint64 end_pts = 5, usable;

  g_assert_false (
      ams_recovery_measure (&file, bytes, NULL, &end_pts, segment, &usable));
  g_assert_cmpuint (end_pts, ==, 5);
  g_assert_null (segment->name);
}

static void
test_measure_useless_false (void)
{
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) tables = make_ts (0, 0);
  g_autoptr (GBytes) one_open = make_ts (0, 1);
  g_autoptr (GBytes) text = g_bytes_new_static ("#EXTM3U\n", 8);

  assert_useless (empty);
  assert_useless (tables);
  assert_useless (one_open);
  assert_useless (text);
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (choices, "/recovery-choose/", test_choice);
  g_test_add_func ("/recovery-choose/renamed/later-name",
      test_choose_renamed_takes_the_later_name);
  ADD_TABLE (missing, "/recovery-missing/", test_missing);
  ADD_TABLE (types, "/recovery-type/", test_type);
  ADD_TABLE (surveys, "/recovery-survey/", test_survey);
  g_test_add_func ("/recovery-listed/without-gaps-and-foreign",
      test_listed_without_gaps_and_foreign);
  g_test_add_func ("/recovery-date/goes-on-where-the-segment-follows",
      test_date_goes_on_where_the_segment_follows);
  g_test_add_func ("/recovery-survey/disk-and-store/the-better",
      test_survey_of_disk_and_store_takes_the_better);
  g_test_add_func ("/recovery-survey/disk-and-store/keeps-notes",
      test_survey_keeps_notes_of_what_is_behind);
  g_test_add_func ("/recovery/later-than-the-journal",
      test_later_than_the_journal);
  g_test_add_func ("/recovery-name/predicted-unless-it-has-a-date",
      test_name_predicted_unless_it_has_a_date);
  ADD_TABLE (measures, "/recovery-measure/", test_measure);
  g_test_add_func ("/recovery-measure/in-a-row/end-moved-on",
      test_measure_in_row);
  g_test_add_func ("/recovery/date/continues-nothing/unknown",
      test_date_of_what_continues_nothing_is_unknown);
  g_test_add_func ("/recovery/measure/noted/whole",
      test_measure_part_that_lasts_as_long_as_noted_is_whole);
  g_test_add_func ("/recovery/measure/continues-nothing/apart",
      test_measure_says_itself_that_it_continues_nothing);
  g_test_add_func ("/recovery/measure/single-frame-of-a-part-is-useless",
      test_measure_single_frame_of_a_part_is_useless);
  g_test_add_func ("/recovery/measure/noted-by-store-believed",
      test_measure_noted_by_store_believed);
  g_test_add_func ("/recovery/survey/named-twice-one-with-date-taken",
      test_survey_named_twice_one_with_date_taken);
  g_test_add_func ("/recovery-measure/useless/false",
      test_measure_useless_false);
  return g_test_run ();
}
