/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of amshlssink share: a recording in a folder of its own, media encoded
 * once and pushed with whatever timestamps a test wants, what the bus said, and
 * readers for playlists and transport streams that fail the test at what the rules
 * forbid. Nothing runs in real time, nothing sleeps; a test that hangs is ended by a watchdog. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define HLS_FRAME (40 * GST_MSECOND)

/* ---- media ---- */

/* Media times are kept with this added, as the first DTS lie before 0. */
#define HLS_MEDIA_BASE GST_SECOND

typedef struct
{
  gboolean video;
  GstCaps *caps;
  GPtrArray *buffers; /* GstBuffer, in decoding order; pushed round and round */
  GstClockTime duration; /* of one round */
} HlsMedia;

/* H.264, 25 Hz, a keyframe each @gop frames, none between. Kept for the program's life. */
const HlsMedia *hls_video (guint width, guint gop, guint bframes);
/* The parameter sets are in the caps. */
const HlsMedia *hls_video_avc (void);
/* AAC, 48 kHz, mono */
const HlsMedia *hls_audio (void);
/* The same, as a parser leaves them: their caps say that they are parsed. */
const HlsMedia *hls_video_parsed (guint width);
const HlsMedia *hls_audio_parsed (void);

/* ---- a recording ---- */

typedef struct _Hls Hls;

typedef struct
{
  Hls *hls;
  gboolean video;
  GstPad *pad; /* ours, linked to the element's */
  const HlsMedia *media;
  guint next; /* buffer of the media */
  GstClockTime round; /* where the media's current round began */
  GstClockTimeDiff offset; /* added to the timestamps: change it for a jump */
  gboolean no_times; /* buffers go without timestamps */
  gboolean no_keys; /* keyframes are replaced by other frames */
  GstFlowReturn flow; /* of the last push */
  gint64 longest_push; /* µs */
  guint pushed; /* buffers */
  gint key_requests; /* force-key-units that came from downstream; atomic */
  gpointer pusher; /* the thread in which a push is under way; atomic */
  gint foreign_requests; /* of them, meanwhile from another thread; atomic */
  gint64 pushed_at; /* monotonic, µs */
  gint64 longest_pause; /* µs, from push to push */
} HlsTrack;

typedef void (*HlsLook) (Hls *hls, GstMessage *message, gpointer data);

struct _Hls
{
  gchar *dir;
  gchar *playlist; /* path */
  GstElement *pipeline, *sink;
  HlsTrack *video, *audio;

  gboolean
      expects_trouble; /* errors and warnings on the bus are not the test's end */
  HlsLook look; /* called in the posting thread, for every message */
  gpointer look_data;

  GMutex look_lock;
  GMutex lock;
  GCond cond;
  GPtrArray *messages; /* GstMessage, all there were; under the lock */
};

/* location=DIR/s%05d.ts playlist-location=DIR/p.m3u8 target-duration=2 fsync=false */
Hls *hls_new (void);
/* Another element on the same folder. */
Hls *hls_new_in (const gchar *dir);
/* Fails if anything was said on the bus that a recording should not give rise to, or the element leaks.
 * The folder is removed by the one that made it. */
void hls_free (Hls *hls);
void hls_remove_folder (const gchar *dir);
gchar *hls_make_folder (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Hls, hls_free)

gchar *hls_path (Hls *hls, const gchar *name);

/* Requests the pad and links it. @media: NULL for GOPs of 25. */
HlsTrack *hls_add_video (Hls *hls, const HlsMedia *media);
HlsTrack *hls_add_audio (Hls *hls);
void hls_add_av (Hls *hls);
/* Gives each buffer a GstReferenceTimestampMeta: @unix_us for the one of running time 0.
 * @reference: "timestamp/x-unix" or "timestamp/x-ntp" */
void hls_track_add_dates (HlsTrack *track, const gchar *reference,
    gint64 unix_us);
void hls_play (Hls *hls);
/* For what must be refused: the state change has failed. */
void hls_play_fails (Hls *hls);
void hls_stop (Hls *hls);

/* Running time of the next frame that is pushed. */
GstClockTime hls_track_time (HlsTrack *track);
/* stream-start, caps, segment; push() does it when it was not done */
void hls_track_begin (HlsTrack *track);
void hls_track_caps (HlsTrack *track, const HlsMedia *media);
GstFlowReturn hls_track_push (HlsTrack *track);
/* In order of time, both tracks in the calling thread, until they have reached @time. */
void hls_push_until (Hls *hls, GstClockTime time);
void hls_track_push_until (HlsTrack *track, GstClockTime time);
void hls_track_eos (HlsTrack *track);
/* In a thread of its own. */
GThread *hls_track_thread (HlsTrack *track, GstClockTime until, gboolean eos);
/* @until: monotonic, µs. Where the time itself is what is waited for: a stall timeout. */
void hls_wait_for_time (gint64 until);

/* EOS on all tracks, waits for the bus to say so. Nothing hidden may be left in the folder but
 * the locks, while files are still to be removed. */
void hls_eos (Hls *hls);
/* play, push until @time, eos, stop */
void hls_record (Hls *hls, GstClockTime time);

/* ---- the bus ---- */

/* Waits for the @n-th (from 1) such message. (transfer full) */
GstMessage *hls_wait (Hls *hls, GstMessageType type, const gchar *name,
    guint n);
guint hls_count (Hls *hls, GstMessageType type, const gchar *name);
void hls_forget_messages (Hls *hls);
/* Waits for the one message of @type, and checks that there is one: its code, and that each of the NULL-terminated
 * strings is in its sentence. */
void hls_assert_one (Hls *hls, GstMessageType type, GQuark domain, gint code,
    ...) G_GNUC_NULL_TERMINATED;
#define hls_assert_error(hls, code, ...) \
  hls_assert_one (hls, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, \
      GST_RESOURCE_ERROR_##code, __VA_ARGS__, NULL)
void hls_wait_segments (Hls *hls, guint n);

/* ---- files ---- */

/* Name → SHA-256 of all that is in the folder. A file that goes away meanwhile is not in it. */
GHashTable *hls_snapshot (const gchar *dir);
/* All that was there is there, and the same; but for @except (nullable). */
void hls_assert_kept (const gchar *dir, GHashTable *snapshot,
    const gchar *except);
void hls_assert_nothing_hidden (const gchar *dir);
/* But for files that end with @suffix. */
void hls_assert_nothing_hidden_but (const gchar *dir, const gchar *suffix);
guint hls_count_files (const gchar *dir, const gchar *suffix);
gchar *hls_read (const gchar *path);
/* Waits until the file has @word in it. (transfer full) its text */
gchar *hls_wait_text (const gchar *path, const gchar *word);
void hls_write (const gchar *path, const gchar *text);

/* ---- playlists ---- */

typedef struct
{
  gchar *uri;
  GstClockTime duration;
  gchar *date; /* (nullable) */
  gint64 date_us;
  gboolean discontinuity, gap;
} HlsSegment;

typedef struct
{
  gchar *text;
  guint version, target;
  guint64 sequence, discontinuity_sequence;
  gchar *type; /* (nullable) */
  gboolean ended, independent;
  GPtrArray *segments; /* HlsSegment */
  GstClockTime total;
} HlsPlaylist;

/* Fails the test at what rules 1, 4, 6, 8, 9 forbid. */
HlsPlaylist *hls_playlist_parse (const gchar *text);
HlsPlaylist *hls_playlist_read (const gchar *path);
void hls_playlist_free (HlsPlaylist *playlist);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsPlaylist, hls_playlist_free)
const HlsSegment *hls_segment (const HlsPlaylist *playlist, guint i);
/* @later is an EVENT playlist that goes on from @earlier (rule 3). */
void hls_assert_continues (const gchar *earlier, const gchar *later);
/* Rule 2: each listed file is there; @sizes (name → size, filled in) are those that they always have. */
void hls_assert_listed_whole (const gchar *dir, const HlsPlaylist *playlist,
    GHashTable *sizes);

/* ---- transport streams ---- */

#define HLS_PID_VIDEO 65
#define HLS_PID_AUDIO 66

typedef struct
{
  guint16 pid;
  guint8 cc;
  gboolean unit_start, random_access, has_payload;
  gint64 pts; /* 90 kHz, -1: none */
  const guint8 *data; /* 188 bytes */
} HlsPacket;

typedef struct
{
  gchar *bytes;
  GArray *packets; /* HlsPacket */
  gint64 first_video, first_audio; /* PTS, -1: none */
  guint video_frames, audio_frames;
} HlsTs;

HlsTs *hls_ts_read (const gchar *path);
void hls_ts_free (HlsTs *ts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsTs, hls_ts_free)

/* Reads the whole recording, and fails at what rules 1, 2, 4, 6 to 9, 12 to 14 forbid: tables and an IDR first, counters
 * and timestamps that go on, EXTINF as the media say, nothing missing. Returns the playlist. */
HlsPlaylist *hls_check (Hls *hls);
HlsPlaylist *hls_check_in (const gchar *dir, const gchar *playlist);
/* Frames in all listed segments. */
guint hls_count_frames (Hls *hls, gboolean video);

/* ---- programs ---- */

typedef void (*HlsTest) (void);

/* With a watchdog. */
void hls_test_add (const gchar *path, HlsTest test);
void hls_test_init (int *argc, char ***argv);

G_END_DECLS
