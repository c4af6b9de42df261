/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Earlier recordings of all kinds, and how amshlssink goes on from them: those that ended at any moment, those
 * that another tool wrote, those that must not be touched. */

#include "config.h"

#include "hls-common.h"

#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define END "#EXT-X-ENDLIST\n"

enum
{
  APPEND,
  APPEND_OR_NEW,
  ERROR,
  OVERWRITE,
};

static void
put (const gchar *path, const gchar *bytes, gsize size)
{
  g_assert_true (g_file_set_contents (path, bytes, size, NULL));
}

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

/* ---- existing ---- */

static const gchar event_playlist[] =
    "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n#EXTINF:2.000000,\ns00000.ts\n";

static const gchar vod_playlist[] =
    "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXTINF:2.000000,\ns00000.ts\n" END;

static const gchar mp4_playlist[] =
    "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
    "#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.000000,\ns0.m4s\n";

enum
{
  NO_CODE = -1
};

static const struct
{
  const gchar *name;
  guint existing;
  guint type;
  const gchar *playlist; /* (nullable) */
  gint code; /* of the error; NO_CODE: it records */
  gboolean apart; /* beside it */
} existing_cases[] = {
  { "error, nothing there", ERROR, 0, NULL, NO_CODE, FALSE },
  { "error, good", ERROR, 0, event_playlist, GST_RESOURCE_ERROR_OPEN_WRITE,
      FALSE },
  { "error, bad", ERROR, 0, "garbage", GST_RESOURCE_ERROR_READ, FALSE },
  { "overwrite, good", OVERWRITE, 0, event_playlist, NO_CODE, FALSE },
  { "overwrite, vod", OVERWRITE, 0, vod_playlist, NO_CODE, FALSE },
  { "overwrite, nothing there", OVERWRITE, 0, NULL, NO_CODE, FALSE },
  { "append, fMP4", APPEND, 0, mp4_playlist, GST_RESOURCE_ERROR_SETTINGS,
      FALSE },
  { "append, event by live", APPEND, 1, event_playlist,
      GST_RESOURCE_ERROR_SETTINGS, FALSE },
  { "append-or-new, nothing there", APPEND_OR_NEW, 0, NULL, NO_CODE, FALSE },
  { "append-or-new, vod", APPEND_OR_NEW, 0, vod_playlist, NO_CODE, TRUE },
  { "append-or-new, fMP4", APPEND_OR_NEW, 0, mp4_playlist, NO_CODE, TRUE },
  { "append-or-new, event by live", APPEND_OR_NEW, 1, event_playlist, NO_CODE,
      TRUE },
};

static void
refuse_existing (Hls *hls, gint code)
{
  hls->expects_trouble = TRUE;
  hls_play (hls);
  hls_push_until (hls, SECONDS (20));
  gst_message_unref (hls_wait (hls, GST_MESSAGE_ERROR, NULL, 1));
  hls_stop (hls);
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code, "p.m3u8",
      NULL);
}

static void
accept_existing (Hls *hls, gboolean apart)
{
  g_autofree gchar *path = NULL;
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_record (hls, SECONDS (4));
  path = playlist_location (hls, "ams-recording-started", 1);
  if (apart)
    g_assert_cmpstr (path, !=, hls->playlist);
  else
    g_assert_cmpstr (path, ==, hls->playlist);
  playlist = hls_check_in (hls->dir, path);
  g_assert_cmpuint (playlist->segments->len, ==, 2);
  g_assert_false (hls_segment (playlist, 0)->discontinuity);
}

static void
test_existing_says_what_happens (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (existing_cases); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autofree gchar *segment = hls_path (hls, "s00000.ts");
    g_autoptr (GHashTable) before = NULL;

    g_test_message ("%s", existing_cases[i].name);
    if (existing_cases[i].playlist) {
      put (hls->playlist, existing_cases[i].playlist, -1);
      put (segment, "a segment", -1);
    }
    before = hls_snapshot (hls->dir);
    g_object_set (hls->sink, "existing", existing_cases[i].existing,
        "playlist-type", existing_cases[i].type, NULL);
    hls_add_video (hls, NULL);
    if (existing_cases[i].code == NO_CODE)
      accept_existing (hls, existing_cases[i].apart);
    else
      refuse_existing (hls, existing_cases[i].code);
    if (existing_cases[i].code != NO_CODE || existing_cases[i].apart)
      hls_assert_kept (hls->dir, before, NULL);
  }
}

/* What is an earlier recording's own is not this one's to take, even where it is the end of a
 * segment that is listed: s00005.ts goes on from nothing, so that this one begins beside. */
static void
test_append_or_new_beside_takes_nothing_away (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree gchar *segment = hls_path (hls, "s00000.ts");
  g_autofree gchar *part = hls_path (hls, ".s00001.ts.part");
  g_autofree gchar *stranger = hls_path (hls, "s00005.ts");
  g_autofree gchar *bytes = NULL, *path = NULL;
  g_autoptr (GHashTable) before = NULL;
  gsize size;

  hls_add_video (hls, NULL);
  hls_record (hls, SECONDS (2));
  g_assert_true (g_file_get_contents (segment, &bytes, &size, NULL));
  g_assert_cmpuint (size, >, 20 * 188);
  put (part, bytes + size - 10 * 188, 10 * 188);
  put (stranger, bytes, size);
  before = hls_snapshot (hls->dir);

  hls_forget_messages (hls);
  g_object_set (hls->sink, "existing", APPEND_OR_NEW, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (4));
  hls_stop (hls);
  path = playlist_location (hls, "ams-recording-started", 1);
  g_assert_cmpstr (path, !=, hls->playlist);
  hls_assert_kept (hls->dir, before, NULL);
}

/* ---- stopping ---- */

static void
stop_after (gboolean audio, GstClockTime time, GstState through)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  guint frames;

  g_test_message ("%" GST_TIME_FORMAT " through %s", GST_TIME_ARGS (time),
      gst_element_state_get_name (through));
  hls_add_video (hls, NULL);
  if (audio)
    hls_add_audio (hls);
  hls_play (hls);
  hls_push_until (hls, time);
  frames = hls->video->pushed;
  gst_element_set_state (hls->pipeline, through);
  if (through > GST_STATE_READY)
    hls_stop (hls);
  hls_assert_nothing_hidden (hls->dir);
  hls_record (hls, SECONDS (2));
  playlist = hls_check (hls);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, frames + 50);
  g_assert_true (playlist->ended);
}

static void
test_stop_at_any_time_nothing_is_lost (void)
{
  static const GstClockTime times[] = { 0, HLS_FRAME, SECONDS (1), SECONDS (2),
    SECONDS (2) + HLS_FRAME, SECONDS (5) };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    stop_after (FALSE, times[i], GST_STATE_READY);
    stop_after (TRUE, times[i], GST_STATE_NULL);
    stop_after (TRUE, times[i], GST_STATE_PAUSED);
  }
}

/* As soon as both tracks have begun. */
static void
test_eos_after_one_frame_it_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_av (hls);
  hls_record (hls, HLS_FRAME);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 1);
  g_assert_cmpuint (hls_count_frames (hls, FALSE), ==, hls->audio->pushed);
}

static void
test_pause_in_between_nothing_is_lost (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (3));
  gst_element_set_state (hls->pipeline, GST_STATE_PAUSED);
  gst_element_set_state (hls->pipeline, GST_STATE_PLAYING);
  hls_push_until (hls, SECONDS (6));
  hls_eos (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (playlist->segments->len, ==, 3);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 150);
}

/* What comes in while it is paused is recorded as well. */
static void
test_data_while_paused_is_recorded (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (3));
  gst_element_set_state (hls->pipeline, GST_STATE_PAUSED);
  hls_push_until (hls, SECONDS (5));
  hls_stop (hls);
  playlist = hls_check (hls);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, 125);
}

/* ---- playlists of others ---- */

static const struct
{
  const gchar *name;
  const gchar *text;
} foreign[] = {
  { "ffmpeg",
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
      "#EXTINF:2.000000,\ns00000.ts\n#EXTINF:2.000000,\ns00001.ts\n" END },
  { "ffmpeg, killed",
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ALLOW-CACHE:NO\n"
      "#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
      "#EXTINF:2.000000,\ns00000.ts\n#EXT-X-PROGRAM-DATE-TIME:"
      "2026-11-22T10:46:04.509+0100\n#EXTINF:2.000000,\ns00001.ts\n" },
  { "hlssink2",
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-ALLOW-CACHE:NO\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-TARGETDURATION:2\n\n"
      "#EXTINF:1.9600000381469727,\ns00000.ts\n"
      "#EXTINF:2,\ns00001.ts\n#EXT-X-ENDLIST" },
  { "hlssink3",
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
      "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:2,\ns00000.ts\n"
      "#EXTINF:1.96,\ns00001.ts\n" },
  { "unknown tags",
      "#EXTM3U\n# a comment\n#EXT-X-VERSION:3\n#EXT-X-FROBNICATE:A=\"b,c\"\n"
      "#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
      "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0\n"
      "#EXTINF:2.0,a title, with a comma\n#EXT-X-BITRATE:200\ns00000.ts\n"
      "\n#EXT-X-DATERANGE:ID=\"x\",START-DATE=\"2026-11-22T10:46:04Z\"\n"
      "#EXTINF:2.0,\n#X-OURS\ns00001.ts\n" END },
  { "CRLF, killed",
      "#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXT-X-TARGETDURATION:2\r\n"
      "#EXT-X-MEDIA-SEQUENCE:0\r\n#EXT-X-PLAYLIST-TYPE:EVENT\r\n"
      "#EXTINF:2.0,\r\ns00000.ts\r\n#EXTINF:2.0,\r\ns00001.ts\r\n" },
};

static void
test_playlist_of_another_tool_is_continued_byte_for_byte (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++) {
    g_autoptr (Hls) hls = hls_new ();
    g_autofree gchar *kept = g_strdup (foreign[i].text);
    g_autofree gchar *later = NULL;
    const gchar *added, *join;
    gchar *end = strstr (kept, "#EXT-X-ENDLIST");

    g_test_message ("%s", foreign[i].name);
    hls_add_video (hls, NULL);
    hls_record (hls, SECONDS (4));
    put (hls->playlist, foreign[i].text, -1);
    if (end)
      *end = '\0';
    hls_record (hls, SECONDS (4));
    later = hls_read (hls->playlist);
    if (!g_str_has_prefix (later, kept))
      g_error ("this:\n%s\ndoes not go on from this:\n%s", later, kept);
    added = later + strlen (kept);
    join = strstr (added, "#EXT-X-DISCONTINUITY");
    g_assert_nonnull (join);
    g_assert_true (join < strstr (added, "#EXTINF:2.000000,"));
    g_assert_true (strstr (added, "s00002.ts") < strstr (added, "s00003.ts"));
    g_assert_null (strstr (added, "s00001.ts"));
    g_assert_cmpstr (strrchr (added, '#'), ==, END);
  }
}

/* ---- the promise ---- */

static void
record_with_targets (guint first, guint second, guint segments)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  g_autofree gchar *earlier = NULL;

  hls_add_video (hls, NULL);
  g_object_set (hls->sink, "target-duration", first, NULL);
  hls_record (hls, SECONDS (8));
  earlier = hls_read (hls->playlist);
  g_object_set (hls->sink, "target-duration", second, NULL);
  hls_record (hls, SECONDS (8));
  playlist = hls_check (hls);
  hls_assert_continues (earlier, playlist->text);
  g_assert_cmpuint (playlist->target, ==, first);
  g_assert_cmpuint (playlist->segments->len, ==, segments);
  g_assert_cmpuint (hls_count (hls, GST_MESSAGE_INFO, NULL), ==,
      first < second);
}

static void
test_target_smaller_in_the_earlier_playlist_is_kept (void)
{
  record_with_targets (2, 4, 8);
}

static void
test_target_larger_in_the_earlier_playlist_is_kept (void)
{
  record_with_targets (4, 2, 6);
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/existing/" path, test_##name)
  ADD ("property", existing_says_what_happens);
  ADD ("beside/takes-nothing", append_or_new_beside_takes_nothing_away);
  ADD ("stop/any-time", stop_at_any_time_nothing_is_lost);
  ADD ("stop/one-frame", eos_after_one_frame_it_is_recorded);
  ADD ("stop/pause", pause_in_between_nothing_is_lost);
  ADD ("stop/paused-data", data_while_paused_is_recorded);
  ADD ("foreign", playlist_of_another_tool_is_continued_byte_for_byte);
  ADD ("target/smaller", target_smaller_in_the_earlier_playlist_is_kept);
  ADD ("target/larger", target_larger_in_the_earlier_playlist_is_kept);
  return g_test_run ();
}
