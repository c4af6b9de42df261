/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tracks that join amshlssink while it records, and join again: each segment's tables name what is in it from its
 * first packet on, and a track joins at a segment's beginning. */

#include "config.h"

#include "hls-common.h"

#include <string.h>

#define SECONDS(n) ((n) *GST_SECOND)
#define PACKET 188
#define N_PIDS 8192

/* How far one thread may be ahead of the other. */
#define LEEWAY (300 * GST_MSECOND)

/* ---- tables ---- */

typedef struct
{
  gboolean named[N_PIDS]; /* in the first PMT */
  gboolean found[N_PIDS]; /* a PES begins */
  guint n_maps;
  gboolean changes; /* a later PMT names others */
} Pids;

static const guint8 *
payload_of (const HlsPacket *packet)
{
  const guint8 *d = packet->data;

  return d + (d[3] & 0x20 ? 5 + d[4] : 4);
}

static guint
pid_at (const guint8 *d)
{
  return (d[0] & 0x1f) << 8 | d[1];
}

static guint
length_at (const guint8 *d)
{
  return (d[0] & 0x0f) << 8 | d[1];
}

/* A section in one packet, behind its pointer. */
static const guint8 *
section_of (const HlsPacket *packet)
{
  const guint8 *payload = payload_of (packet);

  return payload + 1 + payload[0];
}

static void
read_map (const HlsPacket *packet, gboolean *named)
{
  const guint8 *section = section_of (packet);
  const guint8 *end = section + 3 + length_at (section + 1) - 4;
  const guint8 *at = section + 12 + length_at (section + 10);

  g_assert_cmpuint (section[0], ==, 2);
  g_assert_true (end < packet->data + PACKET);
  for (; at < end; at += 5 + length_at (at + 3))
    named[pid_at (at + 1)] = TRUE;
}

static void
take_map (Pids *pids, const HlsPacket *packet)
{
  g_autofree gboolean *named = g_new0 (gboolean, N_PIDS);

  read_map (packet, named);
  if (pids->n_maps++ == 0)
    memcpy (pids->named, named, sizeof pids->named);
  else
    pids->changes |= memcmp (pids->named, named, sizeof pids->named) != 0;
}

static Pids *
read_pids (const gchar *path)
{
  g_autoptr (HlsTs) ts = hls_ts_read (path);
  Pids *pids = g_new0 (Pids, 1);
  guint pmt = N_PIDS;

  for (guint i = 0; i < ts->packets->len; i++) {
    const HlsPacket *packet = &g_array_index (ts->packets, HlsPacket, i);

    if (packet->pid == 0)
      pmt = pid_at (section_of (packet) + 10);
    else if (packet->pid == pmt)
      take_map (pids, packet);
    else if (packet->unit_start && packet->pid < 0x1fff)
      pids->found[packet->pid] = TRUE;
  }
  return pids;
}

/* What is named and not there is a track that has ended: the next that joins takes it out of the tables. */
typedef enum
{
  NAMES_WHAT_IS_THERE,
  NAMES_NO_MORE_AT_JOINS,
  NAMES_NO_MORE,
} Strictness;

/* Returns which PID the audio has, 0: none. */
static guint
check_tables (Hls *hls, const HlsSegment *segment, gboolean no_more)
{
  g_autofree gchar *path = hls_path (hls, segment->uri);
  g_autofree Pids *pids = read_pids (path);
  guint audio = 0;

  for (guint pid = HLS_PID_VIDEO; pid < N_PIDS - 1; pid++) {
    if (pids->found[pid] && !pids->named[pid])
      g_error ("%s: PID %u is not in the PMT", segment->uri, pid);
    if (pids->named[pid] && !pids->found[pid] && no_more)
      g_error ("%s: PID %u is in the PMT only", segment->uri, pid);
    if (pids->found[pid] && pid % 2 == HLS_PID_AUDIO % 2)
      audio = pid;
  }
  if (pids->changes)
    g_error ("%s: a later PMT names others than the first", segment->uri);
  g_assert_true (pids->found[HLS_PID_VIDEO]);
  return audio;
}

/* Each time that there is audio with another PID, it is a discontinuity. Returns how often there was. */
static guint
check_joins (Hls *hls, Strictness strictness)
{
  g_autoptr (HlsPlaylist) playlist = hls_check (hls);
  guint joins = 0, last = 0;

  for (guint i = 0; i < playlist->segments->len; i++) {
    const HlsSegment *segment = hls_segment (playlist, i);
    guint audio = check_tables (hls, segment, strictness == NAMES_NO_MORE);

    if (audio == 0 || audio == last)
      continue;
    if (i > 0 && !segment->discontinuity)
      g_error ("%s: audio joins without a discontinuity", segment->uri);
    if (strictness != NAMES_WHAT_IS_THERE)
      check_tables (hls, segment, TRUE);
    last = audio;
    joins++;
  }
  return joins;
}

/* ---- joining ---- */

static HlsTrack *
add_audio_at (Hls *hls, GstClockTime time)
{
  HlsTrack *audio = hls_add_audio (hls);

  audio->round = time;
  audio->offset = hls->video->offset;
  return audio;
}

static void
join (const HlsMedia *video)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_video (hls, video);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  add_audio_at (hls, SECONDS (5));
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  g_assert_cmpuint (check_joins (hls, NAMES_NO_MORE), ==, 1);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
  g_assert_cmpuint (hls_count_frames (hls, FALSE), >=,
      hls->audio->pushed * 4 / 5);
}

static void
test_audio_joins_it_is_in_the_tables (void)
{
  join (NULL);
}

static void
test_audio_joins_video_with_b_frames (void)
{
  join (hls_video (160, 25, 2));
}

/* Its pad was there from the start, but nothing came. */
static void
test_audio_first_comes_later (void)
{
  g_autoptr (Hls) hls = hls_new ();

  g_object_set (hls->sink, "stall-timeout", 200 * GST_MSECOND, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_track_push_until (hls->video, SECONDS (5));
  hls->audio->round = SECONDS (5);
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  g_assert_cmpuint (check_joins (hls, NAMES_NO_MORE), ==, 1);
}

/* All of it was held when it ended: nothing of its own thread pushes it. */
static void
test_audio_ends_before_it_joined (void)
{
  g_autoptr (Hls) hls = hls_new ();

  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5) + 2 * HLS_FRAME);
  add_audio_at (hls, SECONDS (5));
  hls_track_push_until (hls->audio, SECONDS (7));
  hls_track_eos (hls->audio);
  hls_track_push_until (hls->video, SECONDS (11));
  hls_eos (hls);
  g_assert_cmpuint (check_joins (hls, NAMES_WHAT_IS_THERE), ==, 1);
}

static void
test_video_joins_it_is_in_the_tables (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;
  guint i = 0;

  hls_add_audio (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5));
  hls_add_video (hls, NULL)->round = SECONDS (5);
  hls_push_until (hls, SECONDS (11));
  hls_eos (hls);
  playlist = hls_check (hls);
  while (!hls_segment (playlist, i)->discontinuity)
    i++;
  for (; i < playlist->segments->len; i++)
    check_tables (hls, hls_segment (playlist, i), TRUE);
}

/* ---- joining again ---- */

static void
release_audio (Hls *hls)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (hls->audio->pad);

  gst_pad_set_active (hls->audio->pad, FALSE);
  gst_pad_unlink (hls->audio->pad, peer);
  gst_element_release_request_pad (hls->sink, peer);
  gst_object_unref (hls->audio->pad);
  g_clear_pointer (&hls->audio, g_free);
}

static void
flush (HlsTrack *track)
{
  g_autoptr (GstEvent) segment =
      gst_pad_get_sticky_event (track->pad, GST_EVENT_SEGMENT, 0);

  gst_pad_push_event (track->pad, gst_event_new_flush_start ());
  gst_pad_push_event (track->pad, gst_event_new_flush_stop (TRUE));
  gst_pad_push_event (track->pad, g_steal_pointer (&segment));
}

/* A source that begins anew, at 0. */
static void
restart (Hls *hls, GstClockTime time, gboolean audio)
{
  flush (hls->video);
  if (audio)
    flush (hls->audio);
  hls->video->offset = hls->audio->offset = -time;
}

/* @step: how far time goes in each round, which is no multiple of a segment's. */
static void
record_rounds (Hls *hls, guint rounds, GstClockTime step, gboolean flushed)
{
  GstClockTime time = SECONDS (3);

  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, time);
  for (guint i = 0; i < rounds; i++) {
    add_audio_at (hls, time);
    hls_push_until (hls, time += step);
    if (flushed)
      restart (hls, time, i % 2);
    hls_push_until (hls, time += HLS_FRAME * i);
    release_audio (hls);
    hls_push_until (hls, time += step / 2);
  }
  hls_push_until (hls, time + SECONDS (2));
  hls_eos (hls);
}

static void
test_audio_joins_again_and_again (void)
{
  g_autoptr (Hls) hls = hls_new ();

  record_rounds (hls, 4, SECONDS (5) + 7 * HLS_FRAME, FALSE);
  g_assert_cmpuint (check_joins (hls, NAMES_NO_MORE_AT_JOINS), ==, 4);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
}

static void
test_audio_joins_again_after_flushes (void)
{
  g_autoptr (Hls) hls = hls_new ();

  record_rounds (hls, 4, SECONDS (5) + 7 * HLS_FRAME, TRUE);
  g_assert_cmpuint (check_joins (hls, NAMES_NO_MORE_AT_JOINS), ==, 4);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
}

/* Gone before it has joined: the cut finds nobody. */
static void
test_audio_released_before_it_joined (void)
{
  g_autoptr (Hls) hls = hls_new ();

  record_rounds (hls, 8, HLS_FRAME * 3, FALSE);
  check_joins (hls, NAMES_WHAT_IS_THERE);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
}

/* ---- without a video to wait for ---- */

/* A segment has audio of one track only, and the next track's begins a segment. Returns in how many there is audio. */
static guint
check_one_audio_each (Hls *hls, const HlsPlaylist *playlist)
{
  guint with_audio = 0, last = 0;

  for (guint i = 0; i < playlist->segments->len; i++) {
    const HlsSegment *segment = hls_segment (playlist, i);
    g_autofree gchar *path = hls_path (hls, segment->uri);
    g_autofree Pids *pids = read_pids (path);
    guint audio = 0;

    g_assert_cmpuint (segment->duration, >, 0);
    for (guint pid = HLS_PID_AUDIO; pid < N_PIDS - 1; pid += 2) {
      if (pids->found[pid] && audio)
        g_error ("%s: PIDs %u and %u", segment->uri, audio, pid);
      if (pids->found[pid])
        audio = pid;
    }
    if (audio && audio != last)
      g_assert_true (i == 0 || segment->discontinuity);
    last = audio ? audio : last;
    with_audio += audio != 0;
  }
  return with_audio;
}

/* What the old pad brought is still held, as the video is waited for, when the new pad's audio begins. */
static void
test_audio_joins_again_while_the_video_is_silent (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (HlsPlaylist) playlist = NULL;

  g_object_set (hls->sink, "stall-timeout", 200 * GST_MSECOND, NULL);
  hls_add_av (hls);
  hls_play (hls);
  hls_push_until (hls, SECONDS (5) + 5 * HLS_FRAME);
  hls_wait_for_time (g_get_monotonic_time () + 250 * G_TIME_SPAN_MILLISECOND);
  hls_track_push_until (hls->audio, SECONDS (7));
  release_audio (hls);
  add_audio_at (hls, SECONDS (7));
  hls_track_push_until (hls->audio, SECONDS (11));
  hls->video->offset = SECONDS (11) - hls_track_time (hls->video);
  while (hls_track_time (hls->audio) < SECONDS (16)) {
    hls_track_push (hls->audio);
    hls_track_push_until (hls->video,
        hls_track_time (hls->audio) - hls->video->offset);
  }
  hls_eos (hls);
  /* The common check knows one audio PID. */
  playlist = hls_playlist_read (hls->playlist);
  g_assert_cmpuint (playlist->total, ==, SECONDS (16) + HLS_FRAME);
  g_assert_cmpuint (check_one_audio_each (hls, playlist), ==,
      playlist->segments->len);
}

/* ---- in threads of their own ---- */

typedef struct
{
  GMutex lock;
  GCond cond;
  GstClockTime time[2]; /* of the audio and the video; under the lock */
} Pace;

typedef struct
{
  Pace *pace;
  HlsTrack *track;
  GstClockTime until;
} Runner;

static void
keep_pace (Pace *pace, gboolean video, GstClockTime time)
{
  g_mutex_lock (&pace->lock);
  pace->time[video] = time;
  g_cond_broadcast (&pace->cond);
  while (time != GST_CLOCK_TIME_NONE && time > pace->time[!video] + LEEWAY &&
      pace->time[!video] != GST_CLOCK_TIME_NONE)
    g_cond_wait (&pace->cond, &pace->lock);
  g_mutex_unlock (&pace->lock);
}

static gpointer
run_at_pace (gpointer data)
{
  Runner *runner = data;
  HlsTrack *track = runner->track;

  while (hls_track_time (track) < runner->until &&
      hls_track_push (track) == GST_FLOW_OK)
    keep_pace (runner->pace, track->video, hls_track_time (track));
  keep_pace (runner->pace, track->video, GST_CLOCK_TIME_NONE);
  return NULL;
}

static void
join_in_threads (Hls *hls, Pace *pace, GstClockTime from, GstClockTime until)
{
  Runner video = { pace, hls->video, until }, audio = { pace, NULL, until };
  GThread *threads[2];

  pace->time[TRUE] = pace->time[FALSE] = from;
  threads[0] = g_thread_new ("video", run_at_pace, &video);
  audio.track = add_audio_at (hls, from);
  threads[1] = g_thread_new ("audio", run_at_pace, &audio);
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);
  g_assert_cmpint (hls->video->flow, ==, GST_FLOW_OK);
  g_assert_cmpint (hls->audio->flow, ==, GST_FLOW_OK);
}

/* h264parse does not stand an event from another thread while it streams. */
static void
check_requests (HlsTrack *video)
{
  g_assert_cmpint (g_atomic_int_get (&video->key_requests), >, 0);
  if (video->longest_pause > G_USEC_PER_SEC / 3)
    g_test_message ("the video stood still for %" G_GINT64_FORMAT " µs",
        video->longest_pause);
  else
    g_assert_cmpint (g_atomic_int_get (&video->foreign_requests), ==, 0);
}

static void
test_audio_joins_in_its_own_thread (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autofree Pace *pace = g_new0 (Pace, 1);
  GstClockTime time = SECONDS (1);

  g_object_set (hls->sink, "target-duration", 1, NULL);
  g_mutex_init (&pace->lock);
  g_cond_init (&pace->cond);
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, time);
  for (guint i = 0; i < 10; i++) {
    join_in_threads (hls, pace, time, time + SECONDS (4) + i * HLS_FRAME);
    time += SECONDS (4) + i * HLS_FRAME;
    release_audio (hls);
  }
  hls_eos (hls);
  g_assert_cmpuint (check_joins (hls, NAMES_WHAT_IS_THERE), ==, 10);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
  check_requests (hls->video);
  g_cond_clear (&pace->cond);
  g_mutex_clear (&pace->lock);
}

static gpointer
run_until (gpointer data)
{
  Runner *runner = data;

  hls_track_push_until (runner->track, runner->until);
  return NULL;
}

/* What is asked is on its way through all that a pad has in front of it. */
static gpointer
ask_for_latency (gpointer data)
{
  for (guint i = 0; i < 50; i++) {
    g_autoptr (GstQuery) query = gst_query_new_latency ();

    gst_pad_query (data, query);
  }
  return NULL;
}

/* The audio's pad goes while the video decides on the cut at which it joins. */
static void
test_audio_released_while_it_joins (void)
{
  g_autoptr (Hls) hls = hls_new ();
  g_autoptr (GstElement) mux = gst_bin_get_by_name (GST_BIN (hls->sink), "mux");
  g_autoptr (GstPad) src = gst_element_get_static_pad (mux, "local");
  GstClockTime time = SECONDS (2);

  g_object_set (hls->sink, "target-duration", 1, NULL);
  hls_add_video (hls, NULL);
  hls_play (hls);
  hls_push_until (hls, time);
  for (guint i = 0; i < 40; i++) {
    Runner video = { NULL, hls->video, time + SECONDS (1) + HLS_FRAME };
    GThread *thread, *asking;

    add_audio_at (hls, time);
    hls_push_until (hls, time += SECONDS (1) - HLS_FRAME);
    asking = g_thread_new ("asking", ask_for_latency, src);
    thread = g_thread_new ("video", run_until, &video);
    for (guint n = 0; n < 5 * i; n++)
      g_thread_yield ();
    release_audio (hls);
    g_thread_join (thread);
    g_thread_join (asking);
    time = hls_track_time (hls->video);
    g_assert_cmpint (hls->video->flow, ==, GST_FLOW_OK);
  }
  hls_eos (hls);
  check_joins (hls, NAMES_WHAT_IS_THERE);
  g_assert_cmpuint (hls_count_frames (hls, TRUE), ==, hls->video->pushed);
}

/* ---- live ---- */

static GstElement *
add_source (Hls *hls, const gchar *pad, const gchar *launch)
{
  g_autoptr (GError) error = NULL;
  GstElement *source = gst_parse_bin_from_description_full (launch, TRUE, NULL,
      GST_PARSE_FLAG_NONE, &error);
  g_autoptr (GstPad) src = NULL;
  g_autoptr (GstPad) sink = NULL;

  g_assert_no_error (error);
  gst_bin_add (GST_BIN (hls->pipeline), source);
  src = gst_element_get_static_pad (source, "src");
  sink = gst_element_request_pad_simple (hls->sink, pad);
  g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  gst_element_sync_state_with_parent (source);
  return source;
}

static void
remove_source (Hls *hls, GstElement *source)
{
  g_autoptr (GstPad) src = gst_element_get_static_pad (source, "src");
  g_autoptr (GstPad) sink = gst_pad_get_peer (src);

  gst_element_set_locked_state (source, TRUE);
  gst_element_set_state (source, GST_STATE_NULL);
  gst_pad_unlink (src, sink);
  gst_element_release_request_pad (hls->sink, sink);
  gst_bin_remove (GST_BIN (hls->pipeline), source);
}

/* As RTMP brings it, as most cameras do, and what else there is. */
static void
test_live_audio_joins_again_and_again (void)
{
  static const gchar *const encoders[] = { "avenc_aac",
    "avenc_aac ! aacparse ! audio/mpeg,stream-format=adts ! identity",
    "lamemp3enc", "avenc_ac3" };
  g_autoptr (Hls) hls = hls_new ();

  g_object_set (hls->sink, "target-duration", 1, NULL);
  add_source (hls, "video",
      "videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! "
      "x264enc speed-preset=ultrafast tune=zerolatency key-int-max=10");
  g_assert_cmpint (gst_element_set_state (hls->pipeline, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
  hls_wait_segments (hls, 1);
  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    g_autofree gchar *launch = g_strdup_printf (
        "audiotestsrc is-live=true ! audio/x-raw,rate=48000 ! %s", encoders[i]);
    GstElement *audio = add_source (hls, "audio", launch);

    hls_wait_segments (hls, 3 * (i + 1));
    remove_source (hls, audio);
  }
  gst_element_send_event (hls->pipeline, gst_event_new_eos ());
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, 1));
  hls_stop (hls);
  g_assert_cmpuint (check_joins (hls, NAMES_WHAT_IS_THERE), ==,
      G_N_ELEMENTS (encoders));
}

int
main (int argc, char **argv)
{
  hls_test_init (&argc, &argv);
#define ADD(path, name) hls_test_add ("/hls/late-track/" path, test_##name)
  ADD ("audio", audio_joins_it_is_in_the_tables);
  ADD ("b-frames", audio_joins_video_with_b_frames);
  ADD ("comes-later", audio_first_comes_later);
  ADD ("ends-before", audio_ends_before_it_joined);
  ADD ("video", video_joins_it_is_in_the_tables);
  ADD ("again", audio_joins_again_and_again);
  ADD ("flushed", audio_joins_again_after_flushes);
  ADD ("released-before", audio_released_before_it_joined);
  ADD ("video-silent", audio_joins_again_while_the_video_is_silent);
  ADD ("threads", audio_joins_in_its_own_thread);
  ADD ("released-meanwhile", audio_released_while_it_joins);
  ADD ("live", live_audio_joins_again_and_again);
  return g_test_run ();
}
