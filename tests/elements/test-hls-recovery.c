/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What amshlssink makes of the remains of a crash. A crash is made of a recording that ended well: its folder is put back to
 * what a kill at that moment would have left. */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define PACKET 188
#define END "#EXT-X-ENDLIST\n"

/* ---- crashes ---- */

/* A recording of five segments of 2 s, as it was when it had ended well. */
typedef struct
{
  Hls *hls;
  gchar *playlist_name;
  gchar *journal_path;
  gchar *journal; /* while the last segment was open */
  HlsPlaylist *whole;
  gchar *listed; /* what the crash leaves of the playlist */
  gchar *last; /* path of the last segment */
  gchar *part; /* and of what the crash leaves of it */
  gchar *last_bytes;
  gsize last_size, part_size;
} Crash;

static void
crash_free (Crash *crash)
{
  g_free (crash->playlist_name);
  g_free (crash->journal_path);
  g_free (crash->journal);
  g_clear_pointer (&crash->whole, hls_playlist_free);
  g_free (crash->listed);
  g_free (crash->last);
  g_free (crash->part);
  g_free (crash->last_bytes);
  hls_free (crash->hls);
  g_free (crash);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Crash, crash_free)

static gchar *
playlist_location (Hls *hls, const gchar *message, guint n)
{
  g_autoptr (GstMessage) started =
      hls_wait (hls, GST_MESSAGE_ELEMENT, message, n);
  const gchar *location = gst_structure_get_string (
      gst_message_get_structure (started), "playlist-location");

  g_assert_nonnull (location);
  return g_strdup (location);
}

/* With the tracks and properties as they are. @jump: before the last segment. */
static Crash *
record_for_crash (Hls *hls, GstClockTimeDiff jump)
{
  Crash *crash = g_new0 (Crash, 1);
  g_autofree gchar *path = NULL, *journal = NULL;
  g_autofree gchar *hidden = NULL;
  const HlsSegment *last;

  crash->hls = hls;
  hls_play (hls);
  hls_push_until (hls, SECONDS (8));
  hls->video->offset += jump;
  if (hls->audio)
    hls->audio->offset += jump;
  hls_push_until (hls, SECONDS (10));
  path = playlist_location (hls, "ams-recording-started", 1);
  crash->playlist_name = g_path_get_basename (path);
  journal = g_strdup_printf (".%s.journal", crash->playlist_name);
  crash->journal_path = hls_path (hls, journal);
  crash->journal = hls_wait_text (crash->journal_path, "00004.ts");
  hls_eos (hls);
  hls_stop (hls);
  crash->whole = hls_check_in (hls->dir, path);
  g_assert_cmpuint (crash->whole->segments->len, ==, 5);

  last = hls_segment (crash->whole, 4);
  crash->last = hls_path (hls, last->uri);
  hidden = g_strdup_printf (".%s.part", last->uri);
  crash->part = hls_path (hls, hidden);
  g_assert_true (g_file_get_contents (crash->last, &crash->last_bytes,
      &crash->last_size, NULL));
  hls_forget_messages (hls);
  return crash;
}

static void
put (const gchar *path, const gchar *bytes, gsize size)
{
  g_assert_true (g_file_set_contents (path, bytes, size, NULL));
}

/* Puts the folder back: @listed segments are in the playlist, the last one is a part file. */
static void
crash_now (Crash *crash, guint listed, gsize part_size, gboolean journal)
{
  g_autofree gchar *path = hls_path (crash->hls, crash->playlist_name);
  const gchar *uri = hls_segment (crash->whole, listed - 1)->uri;
  const gchar *end = strstr (crash->whole->text, uri) + strlen (uri) + 1;

  g_free (crash->listed);
  crash->listed = g_strndup (crash->whole->text, end - crash->whole->text);
  put (path, crash->listed, -1);
  g_unlink (crash->last);
  put (crash->part, crash->last_bytes, part_size);
  crash->part_size = part_size;
  if (journal)
    put (crash->journal_path, crash->journal, -1);
}

static Crash *
crash_new (gboolean audio)
{
  Hls *hls = hls_new ();

  hls_add_video (hls, NULL);
  if (audio)
    hls_add_audio (hls);
  return record_for_crash (hls, 0);
}

/* Between @percent and the whole of the last segment, at any byte. */
static gsize
random_part (Crash *crash, guint percent)
{
  return g_test_rand_int_range (crash->last_size * percent / 100,
      crash->last_size);
}

static guint64
get_uint64 (Hls *hls, const gchar *message, const gchar *field)
{
  g_autoptr (GstMessage) posted =
      hls_wait (hls, GST_MESSAGE_ELEMENT, message, 1);
  const GstStructure *s = gst_message_get_structure (posted);
  const GValue *value = gst_structure_get_value (s, field);

  g_assert_nonnull (value);
  return G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value)
                                    : g_value_get_uint64 (value);
}

static void
assert_about (GstClockTime a, GstClockTime b)
{
  if (MAX (a, b) - MIN (a, b) > HLS_FRAME)
    g_assert_cmpuint (a, ==, b);
}

/* Where the last frame begins of which something is in the first @size bytes. */
static gsize
last_frame_offset (const HlsTs *ts, gsize size)
{
  gsize offset = 0;

  for (guint i = 0; i < ts->packets->len && (i + 1) * PACKET <= size; i++) {
    const HlsPacket *packet = &g_array_index (ts->packets, HlsPacket, i);

    if (packet->unit_start && packet->pid == HLS_PID_VIDEO)
      offset = i * PACKET;
  }
  return offset;
}

/* The salvaged segment is a beginning of the whole one, and no whole frame is missing. */
static void
assert_salvaged (Crash *crash, const HlsSegment *segment)
{
  g_autoptr (HlsTs) ts = hls_ts_read (crash->last);
  g_autofree gchar *whole = g_build_filename (crash->hls->dir, "whole", NULL);
  g_autoptr (HlsTs) all = NULL;
  g_autofree gchar *bytes = NULL;
  gsize size;

  put (whole, crash->last_bytes, crash->last_size);
  all = hls_ts_read (whole);
  g_unlink (whole);
  g_assert_true (g_file_get_contents (crash->last, &bytes, &size, NULL));
  g_assert_cmpuint (size, <=, crash->part_size);
  g_assert_cmpmem (bytes, size, crash->last_bytes, size);
  /* A PAT and a PMT may lie before the frame that was cut short. */
  g_assert_cmpuint (size + 2 * PACKET, >=,
      last_frame_offset (all, crash->part_size));
  assert_about (segment->duration, ts->video_frames * HLS_FRAME);
}

static void
recover (gboolean audio, gboolean journal)
{
  g_autoptr (Crash) crash = crash_new (audio);
  Hls *hls = crash->hls;
  g_autoptr (GHashTable) before = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  crash_now (crash, 2, random_part (crash, 20), journal);
  before = hls_snapshot (hls->dir);
  g_hash_table_remove (before, ".s00004.ts.part");
  g_hash_table_remove (before, ".p.m3u8.journal");
  hls_record (hls, SECONDS (4));

  hls_assert_kept (hls->dir, before, "p.m3u8");
  playlist = hls_check (hls);
  hls_assert_continues (crash->listed, playlist->text);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  for (guint i = 0; i < 7; i++) {
    g_autofree gchar *uri = g_strdup_printf ("s%05u.ts", i);

    g_assert_cmpstr (hls_segment (playlist, i)->uri, ==, uri);
    g_assert_true (hls_segment (playlist, i)->discontinuity == (i == 5));
  }
  assert_about (hls_segment (playlist, 2)->duration, SECONDS (2));
  assert_about (hls_segment (playlist, 3)->duration, SECONDS (2));
  assert_salvaged (crash, hls_segment (playlist, 4));
  g_assert_cmpuint (get_uint64 (hls, "ams-recording-started", "recovered"), ==,
      3);
  g_assert_cmpuint (get_uint64 (hls, "ams-recording-started", "next-number"),
      ==, 5);
  g_assert_cmpuint (get_uint64 (hls, "ams-recording-ended", "recovered"), ==,
      3);
  g_assert_cmpuint (get_uint64 (hls, "ams-recording-ended", "segments"), ==, 2);
}

static void
test_crash_with_video_all_is_recovered (void)
{
  for (guint i = 0; i < 3; i++)
    recover (FALSE, i == 2);
}

static void
test_crash_with_audio_and_video_all_is_recovered (void)
{
  for (guint i = 0; i < 3; i++)
    recover (TRUE, i == 2);
}

/* The disk had named a later segment first. What the journal says of that was true before the end of the other
 * was lost. */
static void
test_crash_behind_a_part_is_a_discontinuity (void)
{
  g_autoptr (Crash) crash = crash_new (FALSE);
  Hls *hls = crash->hls;
  g_autofree gchar *third = hls_path (hls, "s00003.ts");
  g_autofree gchar *part = hls_path (hls, ".s00003.ts.part");
  g_autofree gchar *bytes = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;
  gsize size;

  crash_now (crash, 2, 0, TRUE);
  g_unlink (crash->part);
  put (crash->last, crash->last_bytes, crash->last_size);
  g_assert_true (g_file_get_contents (third, &bytes, &size, NULL));
  put (part, bytes, size * 3 / 4);
  g_assert_cmpint (g_unlink (third), ==, 0);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  for (guint i = 0; i < 7; i++)
    g_assert_cmpint (hls_segment (playlist, i)->discontinuity, ==,
        i == 4 || i == 5);
}

/* One that the next segment goes on from had all that it was to have, the last picture
 * included, which nothing else tells. */
static void
test_crash_behind_a_whole_part_keeps_all_of_it (void)
{
  g_autoptr (Crash) crash = crash_new (FALSE);
  Hls *hls = crash->hls;
  g_autofree gchar *third = hls_path (hls, "s00003.ts");
  g_autofree gchar *part = hls_path (hls, ".s00003.ts.part");
  g_autofree gchar *bytes = NULL, *kept = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;
  gsize size, kept_size;

  crash_now (crash, 2, 0, FALSE);
  g_unlink (crash->part);
  put (crash->last, crash->last_bytes, crash->last_size);
  g_assert_true (g_file_get_contents (third, &bytes, &size, NULL));
  g_assert_cmpint (g_rename (third, part), ==, 0);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  for (guint i = 0; i < 7; i++)
    g_assert_cmpint (hls_segment (playlist, i)->discontinuity, ==, i == 5);
  g_assert_true (g_file_get_contents (third, &kept, &kept_size, NULL));
  g_assert_cmpmem (kept, kept_size, bytes, size);
}

/* One crash after the other, each while the one before is still unlisted. */
static void
test_crash_twice_numbers_go_on (void)
{
  g_autoptr (Crash) crash = crash_new (FALSE);
  Hls *hls = crash->hls;
  g_autofree gchar *seven = hls_path (hls, ".s00007.ts.part");
  g_autoptr (HlsPlaylist) playlist = NULL;

  crash_now (crash, 2, random_part (crash, 20), FALSE);
  put (seven, crash->last_bytes, random_part (crash, 20));
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 8);
  g_assert_cmpstr (hls_segment (playlist, 5)->uri, ==, "s00007.ts");
  g_assert_true (hls_segment (playlist, 5)->discontinuity);
  g_assert_cmpstr (hls_segment (playlist, 6)->uri, ==, "s00008.ts");
  g_assert_true (hls_segment (playlist, 6)->discontinuity);
}

/* What the journal says once the next session has begun its first segment, and its playlist need not be there yet:
 * another recorder's disk takes both in any order. */
static gchar *
begin_to_recover (Crash *crash)
{
  gchar *journal;

  hls_play (crash->hls);
  hls_push_until (crash->hls, SECONDS (1));
  journal = hls_wait_text (crash->journal_path, "s00005.ts");
  hls_eos (crash->hls);
  hls_stop (crash->hls);
  return journal;
}

/* A kill in the recovery: the segment has its name, and no playlist lists it yet. As the first one of a
 * session, it does not go on from the one before. */
static void
test_crash_in_the_recovery_is_recovered (void)
{
  Hls *hls = hls_new ();
  g_autoptr (Crash) crash = NULL;
  g_autofree gchar *fifth = hls_path (hls, "s00005.ts");
  g_autofree gchar *journal = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_video (hls, NULL);
  crash = record_for_crash (hls, SECONDS (60));
  crash_now (crash, 4, random_part (crash, 20), TRUE);
  journal = begin_to_recover (crash);
  put (hls->playlist, crash->listed, -1);
  put (crash->journal_path, journal, -1);
  g_assert_cmpint (g_unlink (fifth), ==, 0);
  hls_forget_messages (hls);
  hls_record (hls, SECONDS (4));

  playlist = hls_check (hls);
  hls_assert_continues (crash->listed, playlist->text);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  g_assert_cmpstr (hls_segment (playlist, 4)->uri, ==, "s00004.ts");
  g_assert_cmpstr (hls_segment (playlist, 4)->date, ==,
      hls_segment (crash->whole, 4)->date);
  assert_salvaged (crash, hls_segment (playlist, 4));
}

/* Nothing in it is whole: it is not listed, but its number is not used again. */
static void
test_crash_part_without_a_frame_is_not_listed (void)
{
  static const gsize sizes[] = { 0, 1, 187, 188, 400 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (Crash) crash = crash_new (FALSE);
    Hls *hls = crash->hls;
    g_autoptr (HlsPlaylist) playlist = NULL;

    crash_now (crash, 4, sizes[i], TRUE);
    hls_play (hls);
    hls_push_until (hls, SECONDS (4));
    hls_track_eos (hls->video);
    gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
    hls_stop (hls);
    playlist = hls_check (hls);
    hls_assert_continues (crash->listed, playlist->text);
    g_assert_cmpuint (playlist->segments->len, ==, 6);
    g_assert_cmpstr (hls_segment (playlist, 4)->uri, ==, "s00005.ts");
    g_assert_true (hls_segment (playlist, 4)->discontinuity);
  }
}

/* All were listed but the playlist had no time to say that it ended. */
static void
test_crash_with_nothing_unlisted_is_continued (void)
{
  g_autoptr (Crash) crash = crash_new (FALSE);
  Hls *hls = crash->hls;
  g_autoptr (HlsPlaylist) playlist = NULL;

  crash_now (crash, 4, 0, TRUE);
  g_unlink (crash->part);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  hls_assert_continues (crash->listed, playlist->text);
  g_assert_cmpuint (playlist->segments->len, ==, 6);
  g_assert_cmpuint (get_uint64 (hls, "ams-recording-started", "recovered"), ==,
      0);
}

/* Before the first playlist. */
static void
test_crash_in_the_first_segment_is_recovered (void)
{
  g_autoptr (Crash) crash = crash_new (TRUE);
  Hls *hls = crash->hls;
  g_autofree gchar *first = hls_path (hls, ".s00000.ts.part");
  g_autoptr (HlsPlaylist) playlist = NULL;

  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *path = hls_path (hls, hls_segment (crash->whole, i)->uri);

    g_unlink (path);
  }
  g_unlink (hls->playlist);
  put (first, crash->last_bytes, random_part (crash, 20));
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpuint (playlist->sequence, ==, 0);
  g_assert_false (hls_segment (playlist, 0)->discontinuity);
  g_assert_cmpstr (hls_segment (playlist, 1)->uri, ==, "s00001.ts");
  g_assert_true (hls_segment (playlist, 1)->discontinuity);
}

/* A second start without any media changes nothing that it need not. */
static void
test_crash_then_start_without_data_then_start_is_recovered (void)
{
  g_autoptr (Crash) crash = crash_new (FALSE);
  Hls *hls = crash->hls;
  g_autoptr (HlsPlaylist) playlist = NULL;

  crash_now (crash, 2, random_part (crash, 20), TRUE);
  hls_play (hls);
  hls_track_eos (hls->video);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (hls);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  hls_assert_continues (crash->listed, playlist->text);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
}

/* ---- the journal ---- */

static void
test_journal_dates_are_used (void)
{
  g_autoptr (Crash) crash = crash_new (TRUE);
  Hls *hls = crash->hls;
  g_autoptr (HlsPlaylist) playlist = NULL;

  crash_now (crash, 2, random_part (crash, 20), TRUE);
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpstr (hls_segment (playlist, i)->date, ==,
        hls_segment (crash->whole, i)->date);
  for (guint i = 2; i < 4; i++)
    g_assert_cmpuint (hls_segment (playlist, i)->duration, ==,
        hls_segment (crash->whole, i)->duration);
}

static void
test_journal_discontinuity_is_used (void)
{
  Hls *hls = hls_new ();
  g_autoptr (Crash) crash = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  /* No keyframes but where segments end. */
  hls_add_video (hls, hls_video (160, 50, 0));
  crash = record_for_crash (hls, SECONDS (100));
  g_assert_true (hls_segment (crash->whole, 4)->discontinuity);
  crash_now (crash, 2, random_part (crash, 20), TRUE);
  hls->video->offset = 0;
  hls_record (hls, SECONDS (4));
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 7);
  for (guint i = 0; i < 7; i++)
    g_assert_true (
        hls_segment (playlist, i)->discontinuity == (i == 4 || i == 5));
}

static void
test_journal_broken_does_not_matter (void)
{
  static const gchar *const broken[] = { "", "garbage", "[recording]\n",
    "[recording]\nversion=1\nplaylist=../x\nfinal-playlist=/etc/passwd\n"
    "next-number=18446744073709551615\n",
    "[recording]\nversion=1\nplaylist=p.m3u8\nfinal-playlist=p.m3u8\n"
    "next-number=3\n[segment 0]\nname=../../s00004.ts\nnumber=4\n" };

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (Crash) crash = crash_new (FALSE);
    Hls *hls = crash->hls;
    g_autoptr (HlsPlaylist) playlist = NULL;

    crash_now (crash, 2, random_part (crash, 20), FALSE);
    put (crash->journal_path, broken[i], -1);
    hls_record (hls, SECONDS (4));
    playlist = hls_check (hls);
    g_assert_cmpuint (playlist->segments->len, ==, 7);
    g_assert_cmpstr (hls_segment (playlist, 5)->uri, ==, "s00005.ts");
  }
}

/* ---- add-date-time ---- */

static void
test_add_date_time_crash_is_repaired_by_the_next (void)
{
  Hls *hls = hls_new ();
  g_autoptr (Crash) crash = NULL;
  g_autofree gchar *earlier = NULL, *later = NULL;
  g_autoptr (HlsPlaylist) repaired = NULL, playlist = NULL;

  g_object_set (hls->sink, "add-date-time", TRUE, NULL);
  hls_add_av (hls);
  crash = record_for_crash (hls, 0);
  crash_now (crash, 2, random_part (crash, 20), TRUE);
  earlier = hls_path (hls, crash->playlist_name);
  hls_record (hls, SECONDS (4));

  later = playlist_location (hls, "ams-recording-started", 1);
  g_assert_cmpstr (later, !=, earlier);
  playlist = hls_check_in (hls->dir, later);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_true (playlist->ended);
  repaired = hls_check_in (hls->dir, earlier);
  hls_assert_continues (crash->listed, repaired->text);
  g_assert_cmpuint (repaired->segments->len, ==, 5);
  g_assert_true (repaired->ended);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpstr (hls_segment (repaired, i)->date, ==,
        hls_segment (crash->whole, i)->date);
  assert_salvaged (crash, hls_segment (repaired, 4));
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/recovery/" path, test_##name)
  ADD ("crash/video", crash_with_video_all_is_recovered);
  ADD ("crash/audio-and-video", crash_with_audio_and_video_all_is_recovered);
  ADD ("crash/behind-a-part", crash_behind_a_part_is_a_discontinuity);
  ADD ("crash/behind-a-whole-part", crash_behind_a_whole_part_keeps_all_of_it);
  ADD ("crash/twice", crash_twice_numbers_go_on);
  ADD ("crash/in-the-recovery", crash_in_the_recovery_is_recovered);
  ADD ("crash/no-frame", crash_part_without_a_frame_is_not_listed);
  ADD ("crash/all-listed", crash_with_nothing_unlisted_is_continued);
  ADD ("crash/first-segment", crash_in_the_first_segment_is_recovered);
  ADD ("crash/start-without-data",
      crash_then_start_without_data_then_start_is_recovered);
  ADD ("journal/dates", journal_dates_are_used);
  ADD ("journal/discontinuity", journal_discontinuity_is_used);
  ADD ("journal/broken", journal_broken_does_not_matter);
  ADD ("add-date-time", add_date_time_crash_is_repaired_by_the_next);
  return g_test_run ();
}
