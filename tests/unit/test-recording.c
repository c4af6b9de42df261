/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "recording/amsjournal.h"
#include "playlist/amsplaylistparser.h"
#include "recording/amsrecording.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)
#define NOW G_GINT64_CONSTANT (1795344364509000) /* 2026-11-22 10:46:04.509 */

static AmsRecordingConfig *
make_config (AmsPlaylistType type)
{
  AmsRecordingConfig *config = ams_recording_config_new ();

  config->location = g_strdup ("a/%05d.ts");
  config->playlist_location = g_strdup ("a/l.m3u8");
  config->zone = g_time_zone_new_utc ();
  config->type = type;
  config->target_duration = 6;
  config->program_date_time = TRUE;
  config->endlist = TRUE;
  return config;
}

/* Takes @config. */
static AmsRecording *
begin (AmsRecordingConfig *config)
{
  AmsRecording *recording = ams_recording_new (config, NULL);

  g_assert_nonnull (recording);
  g_assert_true (ams_recording_begin (recording, NOW, FALSE, NULL));
  return recording;
}

static AmsRecording *
begin_anew (AmsRecordingConfig *config)
{
  AmsRecording *recording = begin (config);

  ams_recording_continue (recording, NULL, 0);
  return recording;
}

static const AmsRecordingSegment *
add (AmsRecording *recording, gint64 date, gboolean discontinuity,
    guint64 duration)
{
  const AmsRecordingSegment *segment;
  gboolean raised;

  segment = ams_recording_begin_segment (recording, date, discontinuity, NULL);
  g_assert_nonnull (segment);
  g_assert_true (ams_recording_has_open_segment (recording));
  segment = ams_recording_end_segment (recording, 1000, duration, &raised);
  g_assert_false (ams_recording_has_open_segment (recording));
  return segment;
}

static void
add_many (AmsRecording *recording, guint n)
{
  while (n-- > 0)
    add (recording, NOW, FALSE, 6 * SECOND);
}

static gchar *
version_text (const AmsRecordingVersion *version)
{
  g_autoptr (GBytes) text = ams_playlist_join (version->pieces);
  gsize size;
  const gchar *data = g_bytes_get_data (text, &size);

  return g_strndup (data, size);
}

static gchar *
render (AmsRecording *recording)
{
  g_auto (AmsRecordingVersion) version = { NULL };

  ams_recording_render (recording, &version);
  return version_text (&version);
}

static AmsPlaylistParsed *
parse (const gchar *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  AmsPlaylistParsed *parsed = ams_playlist_parse (bytes, &error);

  g_assert_no_error (error);
  return parsed;
}

static AmsPlaylistParsed *
render_parsed (AmsRecording *recording)
{
  g_autofree gchar *text = render (recording);

  return parse (text);
}

static const AmsPlaylistParsedSegment *
parsed_segment (const AmsPlaylistParsed *parsed, guint i)
{
  static AmsPlaylistParsedSegment segment;
  g_autoptr (AmsPlaylistIter) iter = ams_playlist_iter_new (parsed, i);

  g_assert_cmpuint (i, <, parsed->n_segments);
  segment = *ams_playlist_iter_next (iter);
  return &segment;
}

static guint
count (const gchar *text, const gchar *what)
{
  guint n = 0;

  for (text = strstr (text, what); text; text = strstr (text + 1, what))
    n++;
  return n;
}

/* ---- numbers and discontinuities ---- */

static void
test_numbers_from_start_index (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autoptr (AmsRecording) recording = NULL;
  g_autoptr (AmsPlaylistParsed) parsed = NULL;
  const AmsRecordingSegment *segment;

  config->start_index = 7;
  recording = begin_anew (config);
  segment = add (recording, NOW, FALSE, 6 * SECOND);
  g_assert_cmpstr (segment->name, ==, "a/00007.ts");
  g_assert_cmpuint (segment->number, ==, 7);
  g_assert_cmpuint (segment->sequence, ==, 7);
  g_assert_cmpuint (segment->size, ==, 1000);
  g_assert_cmpuint (segment->duration, ==, 6 * SECOND);
  segment = add (recording, NOW, FALSE, 6 * SECOND);
  g_assert_cmpstr (segment->name, ==, "a/00008.ts");
  g_assert_cmpuint (segment->sequence, ==, 8);
  g_assert_cmpuint (ams_recording_get_next_number (recording), ==, 9);
  g_assert_cmpuint (ams_recording_get_length (recording), ==, 2);
  parsed = render_parsed (recording);
  g_assert_cmpuint (parsed->media_sequence, ==, 7);
}

static void
test_numbers_used_up_refused (void)
{
  g_autoptr (AmsRecording) recording = begin (make_config (AMS_PLAYLIST_EVENT));
  g_autoptr (GError) error = NULL;

  ams_recording_continue (recording, NULL, G_MAXINT64);
  g_assert_cmpstr (add (recording, NOW, FALSE, SECOND)->name, ==,
      "a/9223372036854775807.ts");
  g_assert_null (ams_recording_begin_segment (recording, NOW, FALSE, &error));
  g_assert_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_NOT_UNIQUE);
  g_assert_false (ams_recording_has_open_segment (recording));
}

static void
test_discontinuity_never_first (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  AmsRecordingStats stats;
  g_autofree gchar *text = NULL;

  g_assert_false (add (recording, NOW, TRUE, SECOND)->discontinuity);
  g_assert_false (add (recording, NOW, FALSE, SECOND)->discontinuity);
  g_assert_true (add (recording, NOW, TRUE, SECOND)->discontinuity);
  ams_recording_get_stats (recording, &stats);
  g_assert_cmpuint (stats.segments, ==, 3);
  g_assert_cmpuint (stats.discontinuities, ==, 1);
  g_assert_cmpuint (stats.bytes, ==, 3000);
  g_assert_cmpuint (stats.duration, ==, 3 * SECOND);
  text = render (recording);
  g_assert_cmpuint (count (text, "#EXT-X-DISCONTINUITY\n"), ==, 1);
}

static void
test_discontinuity_at_join (void)
{
  g_autoptr (AmsRecording) first =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  g_autoptr (AmsRecording) second = begin (make_config (AMS_PLAYLIST_EVENT));
  g_autoptr (AmsPlaylistParsed) earlier = NULL;
  g_autofree gchar *before = NULL, *after = NULL;

  add_many (first, 2);
  before = render (first);
  earlier = parse (before);
  ams_recording_continue (second, earlier, 5);
  g_assert_cmpuint (ams_recording_get_length (second), ==, 2);
  g_assert_cmpstr (ams_recording_begin_segment (second, NOW, FALSE, NULL)->name,
      ==, "a/00005.ts");
  ams_recording_abandon_segment (second);
  g_assert_true (add (second, NOW, FALSE, SECOND)->discontinuity);
  g_assert_false (add (second, NOW, FALSE, SECOND)->discontinuity);
  after = render (second);
  g_assert_true (g_str_has_prefix (after, before));
}

static void
test_discontinuity_behind_recovered (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  AmsRecordingSegment left = { .name = (gchar *) "a/00000.ts",
    .size = 5,
    .duration = 4 * SECOND,
    .date_time = NOW };
  AmsRecordingStats stats;

  ams_recording_add_recovered (recording, &left);
  g_assert_true (add (recording, NOW, FALSE, SECOND)->discontinuity);
  ams_recording_get_stats (recording, &stats);
  g_assert_cmpuint (stats.recovered, ==, 1);
  g_assert_cmpuint (stats.segments, ==, 1);
  g_assert_cmpuint (stats.bytes, ==, 1000);
}

/* What the abandoned one would have said, the next one must. */
static void
test_discontinuity_of_recovered (void)
{
  static const struct
  {
    gboolean discontinuity, apart, listed;
  } cases[] = {
    { TRUE, FALSE, FALSE }, /* the first that is listed: never */
    { FALSE, FALSE, FALSE },
    { TRUE, FALSE, TRUE },
    { FALSE, TRUE, TRUE },
  };
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  g_autofree gchar *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *name = g_strdup_printf ("a/%05u.ts", i);
    AmsRecordingSegment left = { .name = name,
      .number = i,
      .duration = SECOND,
      .discontinuity = cases[i].discontinuity,
      .apart = cases[i].apart };

    ams_recording_add_recovered (recording, &left);
    g_assert_cmpint (left.discontinuity, ==, cases[i].listed);
  }
  text = render (recording);
  g_assert_cmpuint (count (text, "#EXT-X-DISCONTINUITY\n"), ==, 2);
}

static void
test_discontinuity_of_abandoned_kept (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));

  add_many (recording, 1);
  g_assert_nonnull (ams_recording_begin_segment (recording, NOW, TRUE, NULL));
  ams_recording_abandon_segment (recording);
  g_assert_true (add (recording, NOW, FALSE, SECOND)->discontinuity);
  g_assert_false (add (recording, NOW, FALSE, SECOND)->discontinuity);
}

/* ---- the window ---- */

static AmsRecording *
begin_live (guint length, guint max_files)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_LIVE);

  config->playlist_length = length;
  config->max_files = max_files;
  return begin_anew (config);
}

static void
assert_removal (GPtrArray *removals, guint i, const gchar *name, gdouble after)
{
  const AmsRemoval *removal;

  g_assert_cmpuint (i, <, removals->len);
  removal = g_ptr_array_index (removals, i);
  g_assert_cmpstr (removal->name, ==, name);
  g_assert_cmpfloat_with_epsilon (removal->after, after, 1e-6);
}

/* 6 s of its own, and the longest playlist: 6 segments, before the first left. */
static void
test_window_removed_after_grace (void)
{
  g_autoptr (AmsRecording) recording = begin_live (5, 5);
  guint i;

  for (i = 0; i < 20; i++) {
    g_autoptr (GPtrArray) removals = NULL;
    g_autofree gchar *name = g_strdup_printf ("a/%05u.ts", i - 5);

    add_many (recording, 1);
    removals = ams_recording_take_removals (recording);
    g_assert_cmpuint (removals->len, ==, i >= 5);
    if (i >= 5)
      assert_removal (removals, 0, name, 6 + 6 * 6);
  }
  g_assert_cmpuint (ams_recording_get_length (recording), ==, 5);
}

static void
test_window_more_files_waits_less (void)
{
  g_autoptr (AmsRecording) recording = begin_live (4, 6);
  g_autoptr (GPtrArray) none = NULL, first = NULL;

  add_many (recording, 6);
  none = ams_recording_take_removals (recording);
  g_assert_cmpuint (none->len, ==, 0);
  add_many (recording, 1);
  first = ams_recording_take_removals (recording);
  g_assert_cmpuint (first->len, ==, 1);
  /* It has been unlisted for two segments. */
  assert_removal (first, 0, "a/00000.ts", 6 + 5 * 6 - 2 * 6);
}

static void
test_window_many_files_at_once (void)
{
  g_autoptr (AmsRecording) recording = begin_live (3, 20);
  g_autoptr (GPtrArray) removals = NULL;

  add_many (recording, 21);
  removals = ams_recording_take_removals (recording);
  g_assert_cmpuint (removals->len, ==, 1);
  assert_removal (removals, 0, "a/00000.ts", 0);
}

/* What is listed stays, however few files are allowed. */
static void
test_window_few_files_listed_kept (void)
{
  g_autoptr (AmsRecording) recording = begin_live (5, 2);
  guint i, j;

  for (i = 0; i < 30; i++) {
    g_autoptr (AmsPlaylistParsed) parsed = NULL;
    g_autoptr (GPtrArray) removals = NULL;

    add_many (recording, 1);
    removals = ams_recording_take_removals (recording);
    parsed = render_parsed (recording);
    for (j = 0; j < removals->len; j++) {
      const AmsRemoval *removal = g_ptr_array_index (removals, j);

      g_assert_cmpuint (g_ascii_strtoull (removal->name + 2, NULL, 10), <,
          parsed->media_sequence);
    }
    g_assert_cmpuint (parsed->n_segments, ==, MIN (i + 1, 5));
  }
}

static void
test_window_all_files_none_removed (void)
{
  g_autoptr (AmsRecording) recording = begin_live (3, 0);
  g_autoptr (GPtrArray) removals = NULL;

  add_many (recording, 50);
  ams_recording_add_unlisted (recording, "a/x.ts");
  removals = ams_recording_take_removals (recording);
  g_assert_cmpuint (removals->len, ==, 0);
}

static void
test_window_event_none_removed (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autoptr (AmsRecording) recording = NULL;
  g_autoptr (GPtrArray) removals = NULL;

  config->playlist_length = config->max_files = 3;
  recording = begin_anew (config);
  ams_recording_add_unlisted (recording, "a/x.ts");
  add_many (recording, 50);
  removals = ams_recording_take_removals (recording);
  g_assert_cmpuint (removals->len, ==, 0);
  g_assert_cmpuint (ams_recording_get_length (recording), ==, 50);
}

/* An earlier session's go first, in their order, and with the whole grace. */
static void
test_window_earlier_first (void)
{
  g_autoptr (AmsRecording) first = begin_live (3, 5);
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_LIVE);
  g_autoptr (AmsRecording) second = NULL;
  g_autoptr (AmsPlaylistParsed) earlier = NULL;
  g_autoptr (GPtrArray) removals = NULL;
  AmsRecordingSegment left = { .name = (gchar *) "a/00010.ts",
    .duration = 6 * SECOND };

  add_many (first, 10);
  earlier = render_parsed (first);
  config->playlist_length = config->max_files = 3;
  second = begin (config);
  ams_recording_continue (second, earlier, 11);
  /* The window slides on it before the unlisted ones are told of. */
  ams_recording_add_recovered (second, &left);
  ams_recording_add_unlisted (second, "a/00005.ts");
  ams_recording_add_unlisted (second, "a/00006.ts");
  removals = ams_recording_take_removals (second);
  g_assert_cmpuint (removals->len, ==, 3);
  assert_removal (removals, 0, "a/00005.ts", 4 * 6 + 6);
  assert_removal (removals, 1, "a/00006.ts", 4 * 6 + 6);
  assert_removal (removals, 2, "a/00007.ts", 4 * 6 + 6);
}

/* ---- segments that are lost ---- */

static void
test_failed_gap_once (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  g_auto (AmsRecordingVersion) one = { NULL }, two = { NULL };
  g_autofree gchar *text = NULL;
  AmsRecordingStats stats;

  add_many (recording, 3);
  g_assert_true (ams_recording_mark_failed (recording, "a/00001.ts"));
  g_assert_true (ams_recording_mark_failed (recording, "a/00001.ts"));
  ams_recording_count_gap (recording, "a/00001.ts");
  ams_recording_count_gap (recording, "a/00001.ts");
  g_assert_false (ams_recording_mark_failed (recording, "a/99999.ts"));
  ams_recording_render (recording, &one);
  text = version_text (&one);
  g_assert_cmpuint (count (text, "#EXT-X-GAP\n"), ==, 1);
  g_assert_cmpuint (g_strv_length (one.failed), ==, 2);
  g_assert_cmpstr (one.failed[0], ==, "a/00001.ts");
  g_assert_cmpuint (one.extends, ==, 0);
  ams_recording_render (recording, &two);
  g_assert_null (two.failed);
  ams_recording_get_stats (recording, &stats);
  g_assert_cmpuint (stats.gaps, ==, 1);
}

static void
test_failed_while_open_gap (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_LIVE));
  g_autoptr (AmsPlaylistParsed) parsed = NULL;
  gboolean raised;

  ams_recording_begin_segment (recording, NOW, FALSE, NULL);
  g_assert_true (ams_recording_mark_failed (recording, "a/00000.ts"));
  ams_recording_end_segment (recording, 0, 6 * SECOND, &raised);
  add_many (recording, 1);
  parsed = render_parsed (recording);
  g_assert_true (parsed_segment (parsed, 0)->gap);
  g_assert_false (parsed_segment (parsed, 1)->gap);
}

static void
test_failed_before_start_false (void)
{
  g_autoptr (AmsRecording) recording = begin (make_config (AMS_PLAYLIST_EVENT));

  g_assert_false (ams_recording_mark_failed (recording, "a/00000.ts"));
}

/* ---- versions ---- */

static void
assert_extends (GBytes *older, const AmsRecordingVersion *version)
{
  g_autoptr (GBytes) text = NULL;
  gsize size;
  const gchar *data = g_bytes_get_data (older, &size);

  if (version->extends == 0)
    return;
  g_assert_cmpuint (version->extends, ==, size);
  text = ams_playlist_join (version->pieces);
  g_assert_cmpuint (g_bytes_get_size (text), >=, size);
  g_assert_cmpmem (data, size, g_bytes_get_data (text, NULL), size);
}

static void
test_versions_count_up_and_extend (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  g_autoptr (GBytes) older = NULL;
  guint i, extended = 0;

  for (i = 1; i < 300; i++) {
    g_auto (AmsRecordingVersion) version = { NULL };

    add (recording, NOW, FALSE, (i == 150 ? 9 : 5) * SECOND);
    if (i == 200)
      ams_recording_mark_failed (recording, "a/00007.ts");
    ams_recording_render (recording, &version);
    g_assert_cmpuint (version.version, ==, i);
    g_assert_cmpstr (version.name, ==, "a/l.m3u8");
    g_assert_false (version.final);
    if (i == 1 || i == 150 || i == 200)
      g_assert_cmpuint (version.extends, ==, 0);
    if (older)
      assert_extends (older, &version);
    extended += version.extends > 0;
    g_clear_pointer (&older, g_bytes_unref);
    older = ams_playlist_join (version.pieces);
  }
  g_assert_cmpuint (extended, ==, 299 - 3);
}

static void
finish_type (AmsPlaylistType type, gboolean endlist)
{
  AmsRecordingConfig *config = make_config (type);
  g_autoptr (AmsRecording) recording = NULL;
  g_auto (AmsRecordingVersion) before = { NULL }, version = { NULL };
  g_autoptr (GBytes) earlier = NULL;
  g_autofree gchar *text = NULL;

  config->endlist = endlist;
  recording = begin_anew (config);
  g_assert_false (ams_recording_finish (recording, &version));
  add_many (recording, 1);
  ams_recording_render (recording, &before);
  earlier = ams_playlist_join (before.pieces);
  g_assert_true (ams_recording_finish (recording, &version));
  text = version_text (&version);
  g_assert_cmpint (g_str_has_suffix (text, "\n#EXT-X-ENDLIST\n"), ==, endlist);
  g_assert_true (version.final);
  g_assert_cmpuint (version.version, ==, before.version + 1);
  g_assert_cmpstr (version.name, ==, "a/l.m3u8");
  if (type == AMS_PLAYLIST_EVENT)
    assert_extends (earlier, &version);
  else
    g_assert_cmpuint (version.extends, ==, 0);
}

static void
test_finish_as_configured (void)
{
  finish_type (AMS_PLAYLIST_EVENT, TRUE);
  finish_type (AMS_PLAYLIST_EVENT, FALSE);
  finish_type (AMS_PLAYLIST_LIVE, TRUE);
  finish_type (AMS_PLAYLIST_LIVE, FALSE);
  finish_type (AMS_PLAYLIST_VOD, TRUE);
}

static void
test_vod_hidden_until_end (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_VOD));
  g_auto (AmsRecordingVersion) version = { NULL };
  g_autofree gchar *text = NULL;

  g_assert_cmpstr (ams_recording_get_working_name (recording), ==,
      "a/.l.m3u8.recording");
  g_assert_cmpstr (ams_recording_get_playlist_name (recording), ==, "a/l.m3u8");
  add_many (recording, 1);
  ams_recording_render (recording, &version);
  g_assert_cmpstr (version.name, ==, "a/.l.m3u8.recording");
  text = version_text (&version);
  g_assert_nonnull (strstr (text, "#EXT-X-PLAYLIST-TYPE:VOD\n"));
  g_assert_null (strstr (text, "ENDLIST"));
}

static void
test_target_raised_once (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  gboolean raised;

  g_assert_cmpuint (ams_recording_get_target_duration (recording), ==, 6);
  ams_recording_begin_segment (recording, NOW, FALSE, NULL);
  ams_recording_end_segment (recording, 1, 6499999999, &raised);
  g_assert_false (raised);
  ams_recording_begin_segment (recording, NOW, FALSE, NULL);
  ams_recording_end_segment (recording, 1, 8600 * SECOND / 1000, &raised);
  g_assert_true (raised);
  g_assert_cmpuint (ams_recording_get_target_duration (recording), ==, 9);
  ams_recording_begin_segment (recording, NOW, FALSE, NULL);
  ams_recording_end_segment (recording, 1, 9 * SECOND, &raised);
  g_assert_false (raised);
}

/* ---- dates ---- */

typedef struct
{
  const gchar *name;
  gint64 date;
  const gchar *expected; /* NULL: no line */
} Date;

static const Date dates[] = {
  { "milliseconds/printed", NOW, "2026-11-22T10:46:04.509Z" },
  { "microseconds/cut-off", NOW + 999, "2026-11-22T10:46:04.509Z" },
  { "almost-a-second/three-digits", NOW + 490999, "2026-11-22T10:46:04.999Z" },
  { "before-1970/printed", -1, "1969-12-31T23:59:59.999Z" },
  { "unknown/none", 0, NULL },
  { "too-far/none", G_MAXINT64, NULL },
  { "too-early/none", G_MININT64, NULL },
};

static void
test_date (gconstpointer data)
{
  const Date *t = data;
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  g_autofree gchar *text = NULL, *line = NULL;

  add (recording, t->date, FALSE, SECOND);
  text = render (recording);
  line = g_strdup_printf ("#EXT-X-PROGRAM-DATE-TIME:%s\n", t->expected);
  g_assert_cmpuint (count (text, "DATE-TIME"), ==, t->expected != NULL);
  if (t->expected)
    g_assert_nonnull (strstr (text, line));
}

static void
test_date_not_wanted_none (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autoptr (AmsRecording) recording = NULL;
  g_autofree gchar *text = NULL;

  config->program_date_time = FALSE;
  recording = begin_anew (config);
  g_assert_cmpint (add (recording, NOW, FALSE, SECOND)->date_time, ==, NOW);
  text = render (recording);
  g_assert_null (strstr (text, "DATE-TIME"));
}

/* ---- names ---- */

static void
test_names_in_zone (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autoptr (AmsRecording) recording = NULL;
  g_autofree gchar *text = NULL;

  g_free (config->location);
  config->location = g_strdup ("{session:%H}/{segment:%H:%M:%S.%L} %d.ts");
  g_free (config->playlist_location);
  config->playlist_location = g_strdup ("{session:%F_%H-%M-%S}/l.m3u8");
  g_time_zone_unref (config->zone);
  config->zone = g_time_zone_new_offset (5 * 3600 + 45 * 60);
  recording = begin_anew (config);
  g_assert_cmpstr (ams_recording_get_playlist_name (recording), ==,
      "2026-11-22_16-31-04/l.m3u8");
  g_assert_cmpstr (add (recording, NOW + 2000000, FALSE, SECOND)->name, ==,
      "16/16:31:06.509 0.ts");
  text = render (recording);
  g_assert_nonnull (strstr (text, "\n../16/16:31:06.509%200.ts\n"));
}

static void
test_names_apart_dated (void)
{
  g_autoptr (AmsRecording) recording =
      ams_recording_new (make_config (AMS_PLAYLIST_EVENT), NULL);
  g_assert_true (ams_recording_begin (recording, NOW, TRUE, NULL));
  ams_recording_continue (recording, NULL, 0);
  g_assert_cmpstr (ams_recording_get_playlist_name (recording), ==,
      "a/l-2026-11-22_10-46-04.509.m3u8");
  g_assert_cmpstr (add (recording, NOW, FALSE, SECOND)->name, ==,
      "a/2026-11-22_10-46-04.509-00000.ts");
  g_assert_cmpstr (ams_recording_get_journal_name (recording), ==,
      "a/.l-2026-11-22_10-46-04.509.m3u8.journal");
  g_assert_cmpstr (ams_recording_get_segment_family (recording), ==,
      "a/2026-11-22_10-46-04.509-_.ts");
}

/* One that records beside must not write over the journal of the other. */
static void
test_names_journal_is_the_playlists (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autoptr (AmsRecording) recording = NULL;

  g_free (config->playlist_location);
  config->playlist_location = g_strdup ("a/b{session:%Y}/l-{session:%F}.m3u8");
  recording = begin (config);
  g_assert_cmpstr (ams_recording_get_journal_name (recording), ==,
      "a/.b2026_l-2026-11-22.m3u8.journal");
  g_assert_cmpstr (ams_recording_get_journals_prefix (recording), ==, "a/.b");
  g_assert_true (
      ams_recording_has_sibling (recording, "a/b2025/l-2025-11-22.m3u8"));
  g_assert_false (ams_recording_has_sibling (recording, "a/l.m3u8"));
}

static void
test_names_siblings_are_those_beside (void)
{
  g_autoptr (AmsRecording) recording = begin (make_config (AMS_PLAYLIST_EVENT));

  g_assert_cmpstr (ams_recording_get_journal_name (recording), ==,
      "a/.l.m3u8.journal");
  g_assert_cmpstr (ams_recording_get_journals_prefix (recording), ==, "a/.l");
  g_assert_true (ams_recording_has_sibling (recording,
      "a/l-2026-11-22_10-46-04.509.m3u8"));
  g_assert_false (ams_recording_has_sibling (recording, "a/l.m3u8"));
  g_assert_false (ams_recording_has_sibling (recording, "a/l2.m3u8"));
}

typedef struct
{
  const gchar *name, *location, *playlist_location;
  AmsNamesError code;
} Refused;

static const Refused refused[] = {
  { "no-number/refused", "a.ts", "l.m3u8", AMS_NAMES_ERROR_NOT_UNIQUE },
  { "dots-from-date/refused", "{session:..}/%d.ts", "l.m3u8",
      AMS_NAMES_ERROR_ESCAPES },
  { "number-in-playlist/refused", "%d.ts", "l%d.m3u8", AMS_NAMES_ERROR_SYNTAX },
  { "parent-playlist/refused", "%d.ts", "../l.m3u8", AMS_NAMES_ERROR_ESCAPES },
};

static void
test_refused (gconstpointer data)
{
  const Refused *t = data;
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autoptr (GError) error = NULL;

  g_free (config->location);
  config->location = g_strdup (t->location);
  g_free (config->playlist_location);
  config->playlist_location = g_strdup (t->playlist_location);
  g_assert_null (ams_recording_new (config, &error));
  g_assert_error (error, AMS_NAMES_ERROR, (gint) t->code);
}

/* Fine as long as numbers are short. */
static void
test_name_too_long_refused (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_EVENT);
  g_autofree gchar *folder = g_strnfill (1015, 'x');
  g_autoptr (AmsRecording) recording = NULL;
  g_autoptr (GError) error = NULL;

  g_free (config->location);
  config->location = g_strconcat (folder, "/%d.ts", NULL);
  recording = begin (config);
  ams_recording_continue (recording, NULL, G_GUINT64_CONSTANT (1000000000000));
  g_assert_null (ams_recording_begin_segment (recording, NOW, FALSE, &error));
  g_assert_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_ESCAPES);
  g_assert_false (ams_recording_has_open_segment (recording));
}

static void
test_begin_impossible_date_refused (void)
{
  static const gint64 impossible[] = { G_MAXINT64, G_MININT64,
    G_GINT64_CONSTANT (-62135596800000001) };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (impossible); i++) {
    g_autoptr (AmsRecording) recording =
        ams_recording_new (make_config (AMS_PLAYLIST_EVENT), NULL);
    g_autoptr (GError) error = NULL;

    g_assert_false (
        ams_recording_begin (recording, impossible[i], FALSE, &error));
    g_assert_nonnull (error);
  }
}

/* ---- the journal, own files ---- */

static AmsJournal *
read_journal (AmsRecording *recording)
{
  g_autoptr (GBytes) bytes = ams_recording_render_journal (recording);
  AmsJournal *journal = ams_journal_read (bytes);

  g_assert_nonnull (journal);
  return journal;
}

static void
test_journal_open_and_recent (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_VOD));
  g_autoptr (AmsJournal) journal = NULL;
  const AmsJournalSegment *open, *ended;

  add_many (recording, 40);
  ams_recording_begin_segment (recording, NOW + 5, TRUE, NULL);
  journal = read_journal (recording);
  g_assert_cmpstr (journal->playlist, ==, "a/.l.m3u8.recording");
  g_assert_cmpstr (journal->final_playlist, ==, "a/l.m3u8");
  g_assert_cmpuint (journal->next_number, ==, 41);
  g_assert_cmpuint (journal->segments->len, ==, 17);
  open = ams_journal_find (journal, "a/00040.ts");
  g_assert_true (open == g_ptr_array_index (journal->segments, 16));
  g_assert_cmpuint (open->duration, ==, 0);
  g_assert_cmpint (open->date_time, ==, NOW + 5);
  g_assert_cmpuint (open->number, ==, 40);
  g_assert_true (open->discontinuity);
  ended = ams_journal_find (journal, "a/00039.ts");
  g_assert_cmpuint (ended->duration, ==, 6 * SECOND);
  g_assert_false (ended->discontinuity);
  g_assert_null (ams_journal_find (journal, "a/00023.ts"));
}

/* Until it is listed for certain, what an earlier session left is known to the next one. */
static void
test_journal_recovered_until_listed (void)
{
  g_autoptr (AmsRecording) recording =
      begin_anew (make_config (AMS_PLAYLIST_EVENT));
  AmsRecordingSegment left = { .name = (gchar *) "a/00099.ts",
    .number = 99,
    .duration = 4 * SECOND,
    .date_time = NOW };
  g_autoptr (AmsJournalSegment) note = ams_journal_segment_new (left.name);
  g_autoptr (AmsJournalSegment) unread = ams_journal_segment_new ("a/8.ts");
  g_autoptr (AmsJournal) journal = NULL;
  const AmsJournalSegment *known;

  note->was = g_strdup ("a/00006.ts");
  ams_recording_add_note (recording, note);
  ams_recording_add_note (recording, unread);
  ams_recording_add_recovered (recording, &left);
  add_many (recording, 16);
  journal = read_journal (recording);
  g_assert_cmpuint (journal->segments->len, ==, 18);
  g_assert_nonnull (ams_journal_find (journal, unread->name));
  known = ams_journal_find (journal, left.name);
  g_assert_nonnull (known);
  g_assert_cmpint (known->date_time, ==, NOW);
  g_assert_cmpuint (known->duration, ==, 4 * SECOND);
  g_assert_cmpstr (known->was, ==, "a/00006.ts");
  g_clear_pointer (&journal, ams_journal_free);
  add_many (recording, 1);
  journal = read_journal (recording);
  g_assert_cmpuint (journal->segments->len, ==, 16);
  g_assert_null (ams_journal_find (journal, left.name));
}

static void
test_own_files_without_removed (void)
{
  AmsRecordingConfig *config = make_config (AMS_PLAYLIST_LIVE);
  g_autoptr (AmsRecording) recording = NULL;
  g_autoptr (GPtrArray) removals = NULL, own = NULL;
  AmsRecordingSegment left = { .name = (gchar *) "a/old.ts",
    .duration = 6 * SECOND };

  config->playlist_length = config->max_files = 3;
  config->remember_files = TRUE;
  recording = begin_anew (config);
  ams_recording_add_recovered (recording, &left);
  add_many (recording, 5);
  ams_recording_begin_segment (recording, NOW, FALSE, NULL);
  ams_recording_abandon_segment (recording);
  removals = ams_recording_take_removals (recording);
  g_assert_cmpuint (removals->len, ==, 3);
  assert_removal (removals, 0, "a/old.ts", 6 + 4 * 6 - 2 * 6);
  /* Their removal is due later, and the recording may have ended by then. */
  own = ams_recording_get_own_files (recording);
  g_assert_cmpuint (own->len, ==, 5);
  g_clear_pointer (&own, g_ptr_array_unref);
  add_many (recording, 15);
  g_ptr_array_unref (ams_recording_take_removals (recording));
  own = ams_recording_get_own_files (recording);
  g_assert_cmpuint (own->len, <, 20);
  g_assert_cmpstr (g_ptr_array_index (own, 0), !=, "a/00000.ts");
  g_assert_cmpstr (g_ptr_array_index (own, own->len - 1), ==, "a/00020.ts");
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }
#define ADD(name, func) g_test_add_func ("/recording-" name, func)

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD ("number/start-index/from-there", test_numbers_from_start_index);
  ADD ("number/used-up/refused", test_numbers_used_up_refused);
  ADD ("discontinuity/first/never", test_discontinuity_never_first);
  ADD ("discontinuity/join/yes", test_discontinuity_at_join);
  ADD ("discontinuity/behind-recovered/yes",
      test_discontinuity_behind_recovered);
  ADD ("discontinuity/recovered/unless-first", test_discontinuity_of_recovered);
  ADD ("discontinuity/abandoned/kept", test_discontinuity_of_abandoned_kept);
  ADD ("window/as-many-files/after-grace", test_window_removed_after_grace);
  ADD ("window/more-files/waits-less", test_window_more_files_waits_less);
  ADD ("window/many-files/at-once", test_window_many_files_at_once);
  ADD ("window/few-files/listed-kept", test_window_few_files_listed_kept);
  ADD ("window/all-files/none-removed", test_window_all_files_none_removed);
  ADD ("window/event/none-removed", test_window_event_none_removed);
  ADD ("window/earlier-session/first", test_window_earlier_first);
  ADD ("failed/listed/gap-once", test_failed_gap_once);
  ADD ("failed/open/gap", test_failed_while_open_gap);
  ADD ("failed/before-start/false", test_failed_before_start_false);
  ADD ("version/each/counts-up-and-extends", test_versions_count_up_and_extend);
  ADD ("finish/each-type/as-configured", test_finish_as_configured);
  ADD ("vod/running/hidden", test_vod_hidden_until_end);
  ADD ("target/too-long/raised-once", test_target_raised_once);
  ADD_TABLE (dates, "/recording-date/", test_date);
  ADD ("date/not-wanted/none", test_date_not_wanted_none);
  ADD ("begin/impossible-date/refused", test_begin_impossible_date_refused);
  ADD ("name/zone/heeded", test_names_in_zone);
  ADD ("name/apart/dated", test_names_apart_dated);
  ADD ("name/journal/is-the-playlists", test_names_journal_is_the_playlists);
  ADD ("name/siblings/are-those-beside", test_names_siblings_are_those_beside);
  ADD ("name/too-long/refused", test_name_too_long_refused);
  ADD_TABLE (refused, "/recording-new/", test_refused);
  ADD ("journal/open-and-recent/told", test_journal_open_and_recent);
  ADD ("journal/recovered/until-listed", test_journal_recovered_until_listed);
  ADD ("own-files/removed/not-among", test_own_files_without_removed);
  return g_test_run ();
}
