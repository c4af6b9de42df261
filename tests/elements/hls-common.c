/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "hls-common.h"

#include <glib/gstdio.h>
#include <gst/video/video.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where x264enc's segments begin. */
#define VIDEO_BASE (1000 * 3600 * GST_SECOND)

static guint watchdog = 60; /* s */

/* ---- tracks ---- */

static gboolean
is_key (GstBuffer *buffer)
{
  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

static gboolean
on_track_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  HlsTrack *track = gst_pad_get_element_private (pad);
  gpointer pusher = g_atomic_pointer_get (&track->pusher);

  if (gst_video_event_is_force_key_unit (event)) {
    g_atomic_int_inc (&track->key_requests);
    if (pusher && pusher != g_thread_self ())
      g_atomic_int_inc (&track->foreign_requests);
  }
  gst_event_unref (event);
  return TRUE;
}

static HlsTrack *
add_track (Hls *hls, const gchar *name, const HlsMedia *media)
{
  HlsTrack *track = g_new0 (HlsTrack, 1);
  g_autoptr (GstPad) peer = gst_element_request_pad_simple (hls->sink, name);

  g_assert_nonnull (peer);
  track->hls = hls;
  track->video = media->video;
  track->media = media;
  track->pad = gst_pad_new (NULL, GST_PAD_SRC);
  gst_pad_set_element_private (track->pad, track);
  gst_pad_set_event_function (track->pad, on_track_event);
  g_assert_cmpint (gst_pad_link (track->pad, peer), ==, GST_PAD_LINK_OK);
  gst_pad_set_active (track->pad, TRUE);
  return track;
}

HlsTrack *
hls_add_video (Hls *hls, const HlsMedia *media)
{
  hls->video = add_track (hls, "video", media ? media : hls_video (160, 25, 0));
  return hls->video;
}

HlsTrack *
hls_add_audio (Hls *hls)
{
  hls->audio = add_track (hls, "audio", hls_audio ());
  return hls->audio;
}

void
hls_add_av (Hls *hls)
{
  hls_add_video (hls, NULL);
  hls_add_audio (hls);
}

static void
remove_track (HlsTrack *track)
{
  g_autoptr (GstPad) peer = NULL;

  if (!track)
    return;
  peer = gst_pad_get_peer (track->pad);
  gst_pad_set_active (track->pad, FALSE);
  gst_pad_unlink (track->pad, peer);
  gst_element_release_request_pad (track->hls->sink, peer);
  gst_object_unref (track->pad);
  g_free (track);
}

static void
rewind_track (HlsTrack *track)
{
  if (!track)
    return;
  gst_pad_set_active (track->pad, FALSE);
  gst_pad_set_active (track->pad, TRUE);
  track->next = 0;
  track->round = 0;
  track->flow = GST_FLOW_OK;
}

GstClockTime
hls_track_time (HlsTrack *track)
{
  return track->round +
      gst_util_uint64_scale (track->media->duration, track->next,
          track->media->buffers->len);
}

void
hls_track_caps (HlsTrack *track, const HlsMedia *media)
{
  track->round = hls_track_time (track);
  track->next = 0;
  track->media = media;
  gst_pad_push_event (track->pad, gst_event_new_caps (media->caps));
}

void
hls_track_begin (HlsTrack *track)
{
  GstSegment segment;

  gst_pad_push_event (track->pad,
      gst_event_new_stream_start (track->video ? "video" : "audio"));
  gst_pad_push_event (track->pad, gst_event_new_caps (track->media->caps));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (track->video)
    segment.start = segment.position = VIDEO_BASE;
  gst_pad_push_event (track->pad, gst_event_new_segment (&segment));
}

static gboolean
has_begun (HlsTrack *track)
{
  g_autoptr (GstEvent) segment =
      gst_pad_get_sticky_event (track->pad, GST_EVENT_SEGMENT, 0);

  return segment != NULL;
}

static GstClockTime
place (HlsTrack *track, GstClockTime time)
{
  GstClockTime base = track->video ? VIDEO_BASE : 0;
  gint64 placed = base + track->round + track->offset + time - HLS_MEDIA_BASE;

  if (!GST_CLOCK_TIME_IS_VALID (time) || track->no_times)
    return GST_CLOCK_TIME_NONE;
  return MAX (placed, 0);
}

static GstBuffer *
next_buffer (HlsTrack *track)
{
  GPtrArray *buffers = track->media->buffers;
  GstBuffer *source = buffers->pdata[track->next], *buffer;
  guint shown = track->next;

  if (track->no_keys && is_key (source))
    shown++;
  buffer = gst_buffer_copy (buffers->pdata[shown]);
  GST_BUFFER_PTS (buffer) = place (track, GST_BUFFER_PTS (source));
  GST_BUFFER_DTS (buffer) = place (track, GST_BUFFER_DTS (source));
  track->next++;
  if (track->next == buffers->len) {
    track->next = 0;
    track->round += track->media->duration;
  }
  return buffer;
}

GstFlowReturn
hls_track_push (HlsTrack *track)
{
  GstBuffer *buffer;
  gint64 before;

  if (!has_begun (track))
    hls_track_begin (track);
  buffer = next_buffer (track);
  before = g_get_monotonic_time ();
  if (track->pushed > 0)
    track->longest_pause =
        MAX (track->longest_pause, before - track->pushed_at);
  g_atomic_pointer_set (&track->pusher, g_thread_self ());
  track->flow = gst_pad_push (track->pad, buffer);
  g_atomic_pointer_set (&track->pusher, NULL);
  track->pushed_at = g_get_monotonic_time ();
  track->longest_push = MAX (track->longest_push, track->pushed_at - before);
  track->pushed++;
  return track->flow;
}

void
hls_track_push_until (HlsTrack *track, GstClockTime time)
{
  while (hls_track_time (track) < time && hls_track_push (track) == GST_FLOW_OK)
    ;
}

static gboolean
is_due (HlsTrack *track, HlsTrack *other, GstClockTime time)
{
  if (!track || track->flow != GST_FLOW_OK || hls_track_time (track) >= time)
    return FALSE;
  return !other || other->flow != GST_FLOW_OK ||
      hls_track_time (track) <= hls_track_time (other);
}

void
hls_push_until (Hls *hls, GstClockTime time)
{
  for (;;) {
    if (is_due (hls->video, hls->audio, time))
      hls_track_push (hls->video);
    else if (is_due (hls->audio, hls->video, time))
      hls_track_push (hls->audio);
    else
      break;
  }
}

void
hls_track_eos (HlsTrack *track)
{
  if (!has_begun (track))
    hls_track_begin (track);
  gst_pad_push_event (track->pad, gst_event_new_eos ());
}

typedef struct
{
  HlsTrack *track;
  GstClockTime until;
  gboolean eos;
} Job;

static gpointer
run_track (gpointer data)
{
  g_autofree Job *job = data;

  hls_track_push_until (job->track, job->until);
  if (job->eos)
    hls_track_eos (job->track);
  return NULL;
}

GThread *
hls_track_thread (HlsTrack *track, GstClockTime until, gboolean eos)
{
  Job *job = g_new (Job, 1);

  *job = (Job){ track, until, eos };
  return g_thread_new ("track", run_track, job);
}

void
hls_wait_for_time (gint64 until)
{
  GMutex mutex;
  GCond cond;

  g_mutex_init (&mutex);
  g_cond_init (&cond);
  g_mutex_lock (&mutex);
  while (g_cond_wait_until (&cond, &mutex, until))
    ;
  g_mutex_unlock (&mutex);
  g_cond_clear (&cond);
  g_mutex_clear (&mutex);
}

/* ---- the bus ---- */

static gboolean
is_worth_keeping (GstMessage *message)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_STATE_CHANGED:
    case GST_MESSAGE_STREAM_STATUS:
    case GST_MESSAGE_TAG:
    case GST_MESSAGE_QOS:
    case GST_MESSAGE_LATENCY:
      return FALSE;
    default:
      return TRUE;
  }
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Hls *hls = data;
  gpointer look_data;
  __typeof__ (hls->look) look;

  g_mutex_lock (&hls->lock);
  look = hls->look;
  look_data = hls->look_data;
  g_mutex_unlock (&hls->lock);
  if (look) {
    /* Messages come from any thread. */
    g_mutex_lock (&hls->look_lock);
    look (hls, message, look_data);
    g_mutex_unlock (&hls->look_lock);
  }
  if (is_worth_keeping (message)) {
    g_mutex_lock (&hls->lock);
    g_ptr_array_add (hls->messages, gst_message_ref (message));
    g_cond_broadcast (&hls->cond);
    g_mutex_unlock (&hls->lock);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static gboolean
matches (GstMessage *message, GstMessageType type, const gchar *name)
{
  const GstStructure *s = gst_message_get_structure (message);

  if (GST_MESSAGE_TYPE (message) != type)
    return FALSE;
  return !name || (s && gst_structure_has_name (s, name));
}

static GstMessage *
find_locked (Hls *hls, GstMessageType type, const gchar *name, guint n)
{
  for (guint i = 0; i < hls->messages->len; i++)
    if (matches (hls->messages->pdata[i], type, name) && --n == 0)
      return hls->messages->pdata[i];
  return NULL;
}

static void
parse_trouble (GstMessage *message, GError **error)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, error, NULL);
  else
    gst_message_parse_info (message, error, NULL);
}

/* (transfer full) what there is to read in it */
static gchar *
describe (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autoptr (GError) error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO:
      parse_trouble (message, &error);
      return g_strdup_printf ("%s %d: %s", g_quark_to_string (error->domain),
          error->code, error->message);
    default:
      return structure ? gst_structure_to_string (structure) : g_strdup ("");
  }
}

static void
print_messages_locked (Hls *hls)
{
  for (guint i = 0; i < hls->messages->len; i++) {
    GstMessage *message = hls->messages->pdata[i];
    g_autofree gchar *text = describe (message);

    g_printerr ("# bus: %s from %s: %s\n", GST_MESSAGE_TYPE_NAME (message),
        GST_MESSAGE_SRC_NAME (message), text);
  }
}

GstMessage *
hls_wait (Hls *hls, GstMessageType type, const gchar *name, guint n)
{
  gint64 until = g_get_monotonic_time () + watchdog * G_TIME_SPAN_SECOND / 3;
  GstMessage *found;

  g_mutex_lock (&hls->lock);
  while (!(found = find_locked (hls, type, name, n))) {
    if (g_cond_wait_until (&hls->cond, &hls->lock, until))
      continue;
    print_messages_locked (hls);
    g_error ("message %u of %s %s did not come", n,
        gst_message_type_get_name (type), name ? name : "");
  }
  gst_message_ref (found);
  g_mutex_unlock (&hls->lock);
  return found;
}

guint
hls_count (Hls *hls, GstMessageType type, const gchar *name)
{
  guint n = 0;

  g_mutex_lock (&hls->lock);
  for (guint i = 0; i < hls->messages->len; i++)
    n += matches (hls->messages->pdata[i], type, name);
  g_mutex_unlock (&hls->lock);
  return n;
}

void
hls_forget_messages (Hls *hls)
{
  g_mutex_lock (&hls->lock);
  g_ptr_array_set_size (hls->messages, 0);
  g_mutex_unlock (&hls->lock);
}

void
hls_wait_segments (Hls *hls, guint n)
{
  gst_message_unref (
      hls_wait (hls, GST_MESSAGE_ELEMENT, "hls-segment-added", n));
}

void
hls_assert_one (Hls *hls, GstMessageType type, GQuark domain, gint code, ...)
{
  g_autoptr (GstMessage) message = hls_wait (hls, type, NULL, 1);
  g_autoptr (GError) error = NULL;
  const gchar *word;
  va_list words;

  parse_trouble (message, &error);
  g_test_message ("%s", error->message);
  if (hls_count (hls, type, NULL) != 1)
    print_messages_locked (hls);
  g_assert_cmpuint (hls_count (hls, type, NULL), ==, 1);
  g_assert_error (error, domain, code);
  va_start (words, code);
  while ((word = va_arg (words, const gchar *)))
    if (!strstr (error->message, word))
      g_error ("\"%s\" says nothing of \"%s\"", error->message, word);
  va_end (words);
  /* A sentence: not two, not none. */
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_null (strstr (error->message, "(null)"));
}

/* ---- the recording ---- */

gchar *
hls_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  gchar *dir = g_dir_make_tmp ("amshls-XXXXXX", &error);

  g_assert_no_error (error);
  return dir;
}

gchar *
hls_path (Hls *hls, const gchar *name)
{
  return g_build_filename (hls->dir, name, NULL);
}

Hls *
hls_new_in (const gchar *dir)
{
  Hls *hls = g_new0 (Hls, 1);
  g_autoptr (GstBus) bus = NULL;
  g_autofree gchar *location = NULL;

  hls->dir = g_strdup (dir);
  hls->playlist = hls_path (hls, "p.m3u8");
  g_mutex_init (&hls->lock);
  g_mutex_init (&hls->look_lock);
  g_cond_init (&hls->cond);
  hls->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  hls->pipeline = gst_pipeline_new (NULL);
  hls->sink = gst_element_factory_make ("amshlssink", "hls");
  g_assert_nonnull (hls->sink);
  gst_bin_add (GST_BIN (hls->pipeline), hls->sink);
  location = hls_path (hls, "s%05d.ts");
  g_object_set (hls->sink, "location", location, "playlist-location",
      hls->playlist, "target-duration", 2, "fsync", FALSE, NULL);
  bus = gst_pipeline_get_bus (GST_PIPELINE (hls->pipeline));
  gst_bus_set_sync_handler (bus, on_message, hls, NULL);
  return hls;
}

Hls *
hls_new (void)
{
  g_autofree gchar *dir = hls_make_folder ();
  Hls *hls = hls_new_in (dir);

  g_object_set_data (G_OBJECT (hls->pipeline), "owns-folder", hls);
  return hls;
}

static void
assert_no_trouble (Hls *hls)
{
  if (hls->expects_trouble ||
      (hls_count (hls, GST_MESSAGE_ERROR, NULL) == 0 &&
          hls_count (hls, GST_MESSAGE_WARNING, NULL) == 0))
    return;
  print_messages_locked (hls);
  g_error ("there is trouble on the bus");
}

void
hls_free (Hls *hls)
{
  gboolean owner =
      g_object_get_data (G_OBJECT (hls->pipeline), "owns-folder") != NULL;
  gpointer leaked = hls->sink;

  hls_stop (hls);
  assert_no_trouble (hls);
  remove_track (hls->video);
  remove_track (hls->audio);
  /* They hold refs to what posted them. */
  hls_forget_messages (hls);
  g_object_add_weak_pointer (G_OBJECT (hls->sink), &leaked);
  gst_object_unref (hls->pipeline);
  g_assert_null (leaked);
  g_ptr_array_unref (hls->messages);
  g_mutex_clear (&hls->lock);
  g_mutex_clear (&hls->look_lock);
  g_cond_clear (&hls->cond);
  if (owner)
    hls_remove_folder (hls->dir);
  g_free (hls->dir);
  g_free (hls->playlist);
  g_free (hls);
}

void
hls_play (Hls *hls)
{
  rewind_track (hls->video);
  rewind_track (hls->audio);
  if (gst_element_set_state (hls->pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE) {
    print_messages_locked (hls);
    g_error ("does not play");
  }
}

void
hls_play_fails (Hls *hls)
{
  g_assert_cmpint (gst_element_set_state (hls->pipeline, GST_STATE_PLAYING), ==,
      GST_STATE_CHANGE_FAILURE);
  hls->expects_trouble = TRUE;
}

void
hls_stop (Hls *hls)
{
  g_assert_cmpint (gst_element_set_state (hls->pipeline, GST_STATE_NULL), ==,
      GST_STATE_CHANGE_SUCCESS);
}

void
hls_eos (Hls *hls)
{
  guint before = hls_count (hls, GST_MESSAGE_EOS, NULL);

  if (hls->video)
    hls_track_eos (hls->video);
  if (hls->audio)
    hls_track_eos (hls->audio);
  gst_message_unref (hls_wait (hls, GST_MESSAGE_EOS, NULL, before + 1));
  hls_assert_nothing_hidden_but (hls->dir, ".lock");
}

void
hls_record (Hls *hls, GstClockTime time)
{
  hls_play (hls);
  hls_push_until (hls, time);
  hls_eos (hls);
  hls_stop (hls);
  hls_assert_nothing_hidden (hls->dir);
}

/* ---- programs ---- */

static gchar running[256];

static void
on_alarm (int signal)
{
  static const gchar text[] = "Bail out! hangs: ";

  if (write (STDERR_FILENO, text, sizeof text - 1) < 0 ||
      write (STDERR_FILENO, running, strlen (running)) < 0)
    _exit (1);
  abort ();
}

static void
run_test (gconstpointer data)
{
  HlsTest test = *(const HlsTest *) data;

  g_strlcpy (running, g_test_get_path (), sizeof running);
  alarm (watchdog);
  test ();
  alarm (0);
}

void
hls_test_add (const gchar *path, HlsTest test)
{
  HlsTest *copy = g_new (HlsTest, 1);

  *copy = test;
  g_test_add_data_func_full (path, copy, run_test, g_free);
}

void
hls_test_init (int *argc, char ***argv)
{
  const gchar *timeout = g_getenv ("CK_DEFAULT_TIMEOUT");

  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  if (timeout)
    watchdog = MAX (atoi (timeout), 3);
  signal (SIGALRM, on_alarm);
}
