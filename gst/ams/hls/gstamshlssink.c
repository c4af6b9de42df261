/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-amshlssink
 * @title: amshlssink
 * @short_description: records a live stream as HLS
 *
 * Turns encoded video and audio into MPEG-TS segments and an HLS playlist (RFC
 * 8216bis), on disk or, through its `src` pad, wherever an element like
 * amshttpput or amss3put delivers them. Nothing that was recorded is lost, overwritten, or
 * announced before it is there:
 *
 * - An earlier recording of the same name is continued: its playlist is kept
 *   byte for byte, numbers go on, an EXT-X-DISCONTINUITY marks the join. One that
 *   cannot be read is never overwritten: the recording fails before it begins.
 * - A recording belongs to one recorder. A second one that is started on it is an ERROR (RESOURCE/BUSY) that says who has it, and touches
 *   nothing; #GstAmsHlsSink:when-busy `wait` waits for the first one to end, #GstAmsHlsSink:existing `append-or-new` records beside it.
 * - After a crash (kill -9, power) the next start lists what was whole, and
 *   salvages the open segment up to its last whole frame.
 * - EXT-X-TARGETDURATION is a promise: segments are cut at the last keyframe that keeps it, after the fact
 *   if need be. Only a GOP that is longer breaks it, with a warning.
 * - A stalled disk or track does not hold up the stream.
 *
 * H.264, H.265, MPEG-1/2/4 video, AAC, MP2/MP3, AC-3, E-AC-3, DTS and Opus are taken as encoders,
 * depayloaders and demuxers give them: the parser is inside, and so is the packager. `GST_DEBUG=amssession:5` tells where
 * segments begin, and why.
 *
 * ## Names
 *
 * #GstAmsHlsSink:location and #GstAmsHlsSink:playlist-location are templates: `%d`, `%05d` is the segment's
 * number; `{session:FORMAT}` and `{segment:FORMAT}` the date and time at which the
 * recording and the segment began, FORMAT as in g_date_time_format() plus `%L` for
 * milliseconds. Folders are created.
 *
 * ## Messages
 *
 * Element messages, posted when the playlist that lists what they tell of is in its place:
 *
 * - `ams-recording-started`: `playlist-location` (string), `continued` (boolean), `recovered` (uint:
 *   segments a crash had left unlisted), `next-number` (uint64), `target-duration` (uint, s).
 * - `ams-recording-waiting`: `playlist-location` (string), `reason` (string: who records there). With
 *   #GstAmsHlsSink:when-busy `wait`, once, before `ams-recording-started`; at once, as there is nothing to be in its place yet.
 * - `hls-segment-added`: `location` (string), `running-time`, `duration` (uint64, ns),
 *   `sequence`, `size` (uint64), `date-time` (GstDateTime), `discontinuity` (boolean). Not posted for one
 *   that left a live playlist before a version that lists it could be stored: `unlisted` in `stats` counts it.
 * - `ams-recording-ended`: `playlist-location` (string), `segments`, `recovered`, `gaps`, `discontinuities`, `bytes`,
 *   `duration` (uint64, ns): of this session.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=60 ! amshlssink name=h location=rec/cam1-%05d.ts playlist-location=rec/cam1.m3u8 audiotestsrc is-live=true ! avenc_aac ! h.
 * ]| Records until Ctrl-C. The same line again continues the recording.
 * |[
 * gst-launch-1.0 -e audiotestsrc is-live=true ! avenc_aac ! amshlssink location='rec/{segment:%Y-%m-%d}/{segment:%H-%M-%S.%L}-%05d.ts' playlist-location=rec/radio.m3u8 playlist-type=live playlist-length=10 max-files=20
 * ]| A sliding window of ten segments, the last twenty kept on disk, in a folder a day.
 *
 * Since: 0.1
 */

#include "config.h"

#include "gstamshlssink.h"

#include "files/amslatesetting.h"

#include <gio/gio.h>
#include <string.h>

#include "playlist/amspaths.h"
#include "gstamshlscheck.h"
#include "gstamshlsmessages.h"
#include "gstamshlsmux.h"
#include "gstamshlssettings.h"
#include "gstamshlsstreams.h"
#include "gstamsparsers.h"
#include "gstamstracks.h"
#include "local/gstamslocalsink.h"

GST_DEBUG_CATEGORY (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

/* µs: how long stopping without EOS may take to save what has come in. */
#define STOP_TIMEOUT (G_USEC_PER_SEC * 9 / 10)

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE ("video",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (GST_AMS_VIDEO_CAPS));
static GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE ("audio",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (GST_AMS_AUDIO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS ("application/x-ams-files"));

struct _GstAmsHlsSink
{
  GstBin parent;

  GstAmsHlsSettings settings; /* under the object lock */

  GstAmsHlsMux *mux;
  GstAmsPublisher *publisher; /* the muxer's */
  GstElement *store; /* our own ref, also while it is not in the bin */
  gboolean has_store;

  GstAmsTracks *tracks;
  GstPad *srcpad;
  gboolean recording; /* between READY→PAUSED and PAUSED→READY */
  gint has_error; /* atomic: an error was posted since READY */
};

G_DEFINE_TYPE (GstAmsHlsSink, gst_ams_hls_sink, GST_TYPE_BIN);
GST_ELEMENT_REGISTER_DEFINE (amshlssink, "amshlssink", GST_RANK_NONE,
    GST_TYPE_AMS_HLS_SINK);

/* ---- the muxer's callbacks ---- */

static gboolean
is_live (GstAmsHlsSink *self, const gchar *name)
{
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (GST_ELEMENT (self), name);
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (pad && gst_pad_peer_query (pad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  else if (pad)
    live = TRUE;
  return live;
}

/* A source that is not live can wait for the disk; one that is cannot. */
static void
on_begins (gpointer user_data)
{
  GstAmsHlsSink *self = user_data;

  gst_ams_put_sink_set_patient (GST_AMS_PUT_SINK (self->store),
      !is_live (self, "video") && !is_live (self, "audio"));
}

static void
on_drain (gpointer user_data)
{
  GstAmsHlsSink *self = user_data;
  GstClockTime timeout;

  g_object_get (self->store, "drain-timeout", &timeout, NULL);
  gst_ams_put_sink_drain (GST_AMS_PUT_SINK (self->store), timeout);
}

/* ---- the store ---- */

static gboolean
wants_store (GstAmsHlsSink *self)
{
  GstAmsWriteFiles write_files;

  GST_OBJECT_LOCK (self);
  write_files = self->settings.write_files;
  GST_OBJECT_UNLOCK (self);
  if (write_files == GST_AMS_WRITE_FILES_AUTO)
    return !self->srcpad || !gst_pad_is_linked (self->srcpad);
  return write_files == GST_AMS_WRITE_FILES_ALWAYS;
}

/* With the store in the bin, the bin is a sink; without, it is not. */
static void
update_store (GstAmsHlsSink *self)
{
  gboolean wants = wants_store (self);

  if (self->recording || wants == self->has_store)
    return;
  self->has_store = wants;
  if (wants) {
    gst_bin_add (GST_BIN (self), self->store);
    gst_element_link_pads (GST_ELEMENT (self->mux), "local", self->store,
        "sink");
    gst_element_sync_state_with_parent (self->store);
  } else {
    gst_element_unlink (GST_ELEMENT (self->mux), self->store);
    gst_bin_remove (GST_BIN (self), self->store);
    gst_element_set_state (self->store, GST_STATE_NULL);
  }
}

/* ---- settings ---- */

static gboolean
refuse (GstAmsHlsSink *self, const GError *error)
{
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR,
      error->domain == GST_RESOURCE_ERROR ? error->code
                                          : GST_RESOURCE_ERROR_SETTINGS,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__);
  return FALSE;
}

static void
copy_settings (GstAmsHlsSink *self, GstAmsHlsSettings *copy)
{
  GST_OBJECT_LOCK (self);
  gst_ams_hls_settings_copy (&self->settings, copy);
  GST_OBJECT_UNLOCK (self);
}

static void
configure_mux (GstAmsHlsSink *self, const GstAmsHlsSettings *settings)
{
  const AmsSessionSettings session = {
    .target_duration = settings->target_duration * AMS_SECOND,
    .stall_timeout = MIN (settings->stall_timeout, G_MAXINT64 / 4),
    .discontinuity_threshold =
        MIN (settings->discontinuity_threshold, G_MAXINT64 / 4),
    .align_to_clock = settings->align_to_clock,
    .request_keyframes = settings->send_keyframe_requests,
    .date_reference = settings->date_reference,
  };

  gst_ams_hls_mux_configure (self->mux, &session);
}

/* Where a store behind the src pad finds the files that are on disk. When they are
 * written over, that may still be the earlier ones. (nullable) */
static gchar *
folder_for_remote (const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, const gchar *root)
{
  g_autofree gchar *current = NULL;

  if (settings->existing == GST_AMS_EXISTING_OVERWRITE || !disk->playlists ||
      !disk->segments)
    return NULL;
  if (g_path_is_absolute (root))
    return g_strdup (root);
  current = g_get_current_dir ();
  return g_str_equal (root, ".") ? g_steal_pointer (&current)
                                 : g_build_filename (current, root, NULL);
}

static void
configure_store (GstAmsHlsSink *self, const GstAmsHlsSettings *settings,
    const gchar *root)
{
  GstAmsLocalSink *store = GST_AMS_LOCAL_SINK (self->store);

  gst_ams_local_sink_set_root (store, root);
  gst_ams_local_sink_set_fsync (store, settings->fsync);
  gst_ams_local_sink_set_overwrite (store,
      settings->existing == GST_AMS_EXISTING_OVERWRITE);
  gst_ams_hls_streams_configure (GST_ELEMENT (self), store, root);
}

static void
find_on_disk (GstAmsHlsSink *self, GstAmsHlsOnDisk *disk)
{
  GstElement *element = GST_ELEMENT (self);

  disk->any = self->has_store;
  disk->segments = disk->any &&
      !gst_ams_hls_streams_has (element, GST_AMS_HLS_STREAMS_FRAGMENT);
  disk->playlists = disk->any &&
      !gst_ams_hls_streams_has (element, GST_AMS_HLS_STREAMS_PLAYLIST);
}

/* Takes @config. */
static gboolean
configure_publisher (GstAmsHlsSink *self, const GstAmsHlsSettings *settings,
    const GstAmsHlsOnDisk *disk, AmsRecordingConfig *config,
    const AmsPaths *paths, GError **error)
{
  const gchar *root = paths->root;

  /* What an application's streams lead to cannot be read back. */
  GstAmsPublisherSettings publisher = {
    .recording = config,
    .existing = disk->any && !disk->playlists ? GST_AMS_EXISTING_OVERWRITE
                                              : settings->existing,
    .when_busy = settings->when_busy,
    .unlistable = disk->any && !(disk->playlists && disk->segments),
    .root = g_str_equal (root, ".") || !disk->any ? NULL : g_strdup (root),
    .folder = folder_for_remote (settings, disk, root),
    .multivariant = g_strdup (paths->multivariant),
    .delete_on_ended = settings->delete_on_ended,
    .delete_delay = settings->delete_delay,
  };

  if (gst_ams_publisher_configure (self->publisher, &publisher, error))
    return TRUE;
  g_free (publisher.root);
  g_free (publisher.folder);
  g_free (publisher.multivariant);
  return FALSE;
}

static gboolean
split (const GstAmsHlsSettings *settings, AmsPaths *paths, GError **error)
{
  const AmsPathsTemplates templates = { settings->location,
    settings->playlist_location, settings->multivariant_location };

  return ams_paths_split (&templates, paths, error);
}

/* Gives the settings to the parts. @begins: not just to see whether they are good. FALSE: one is
 * wrong, and an error was posted. */
static gboolean
configure (GstAmsHlsSink *self, gboolean begins)
{
  g_auto (GstAmsHlsSettings) settings = {
    NULL,
  };
  g_auto (AmsPaths) paths = {
    NULL,
  };
  g_autoptr (AmsRecordingConfig) config = NULL;
  g_autoptr (GError) error = NULL;
  GstAmsHlsOnDisk disk;

  copy_settings (self, &settings);
  find_on_disk (self, &disk);
  if (!gst_ams_hls_check_locations (&settings, &disk, &error) ||
      !split (&settings, &paths, &error) ||
      !gst_ams_hls_check_folders (&settings, &disk, begins, &error))
    return refuse (self, error);
  config = gst_ams_hls_settings_make_recording (&settings, paths.location,
      paths.playlist, &error);
  if (!config ||
      !gst_ams_hls_check_names (config, paths.multivariant, &disk, paths.root,
          &error) ||
      !configure_publisher (self, &settings, &disk, g_steal_pointer (&config),
          &paths, &error))
    return refuse (self, error);
  configure_mux (self, &settings);
  configure_store (self, &settings, paths.root);
  return TRUE;
}

/* ---- pads ---- */

static GstPad *
request_src (GstAmsHlsSink *self, GstPadTemplate *template_)
{
  g_autoptr (GstPad) target = NULL;

  if (self->srcpad) {
    GST_WARNING_OBJECT (self,
        "there is one src pad only, and it is taken; "
        "use a tee behind it");
    return NULL;
  }
  target = gst_element_get_static_pad (GST_ELEMENT (self->mux), "remote");
  self->srcpad = gst_ghost_pad_new_from_template ("src", target, template_);
  gst_pad_set_active (self->srcpad, TRUE);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  return self->srcpad;
}

static GstPad *
gst_ams_hls_sink_request_new_pad (GstElement *element,
    GstPadTemplate *template_, const gchar *name, const GstCaps *caps)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (element);
  const gchar *kind = GST_PAD_TEMPLATE_NAME_TEMPLATE (template_);

  if (g_str_equal (kind, "src"))
    return request_src (self, template_);
  return gst_ams_tracks_request (self->tracks, template_,
      g_str_equal (kind, "video"));
}

static void
gst_ams_hls_sink_release_pad (GstElement *element, GstPad *pad)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (element);

  if (pad == self->srcpad) {
    gst_pad_set_active (pad, FALSE);
    gst_element_remove_pad (element, pad);
    self->srcpad = NULL;
    return;
  }
  gst_ams_tracks_release (self->tracks, pad, self->recording);
}

/* ---- states ---- */

static gpointer
finish_thread (gpointer data)
{
  gst_ams_hls_mux_finish (data);
  return NULL;
}

/* Stopping without EOS: what has come in is saved all the same, if that can be
 * done in time. @thread: to be joined when the pads are inactive, which ends whatever
 * it may be blocked in. */
static void
end_recording (GstAmsHlsSink *self, GThread **thread)
{
  /* What came in while another recorder had the recording was not begun. */
  if (gst_ams_publisher_wait_ended (self->publisher, 0) ||
      gst_ams_publisher_cancel_start (self->publisher))
    return;
  *thread = g_thread_new ("amshls-stop", finish_thread, self->mux);
  if (!gst_ams_publisher_wait_ended (self->publisher, STOP_TIMEOUT))
    GST_WARNING_OBJECT (self,
        "stopped before all was written: the next start "
        "recovers it");
}

/* When a part has failed and said so, whoever pushes into it may say once more that
 * the flow has stopped: that is no other fault. Nor is what a store has said itself. */
static gboolean
is_known_error (GstAmsHlsSink *self, GstMessage *message)
{
  gboolean had_error = g_atomic_int_get (&self->has_error);
  g_autoptr (GError) error = NULL;

  g_atomic_int_set (&self->has_error, TRUE);
  gst_message_parse_error (message, &error, NULL);
  return gst_ams_hls_message_is_echo (message) ||
      (had_error &&
          g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED));
}

static void
gst_ams_hls_sink_handle_message (GstBin *bin, GstMessage *message)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (bin);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR &&
      is_known_error (self, message)) {
    gst_message_unref (message);
    return;
  }
  GST_BIN_CLASS (gst_ams_hls_sink_parent_class)->handle_message (bin, message);
}

static gboolean
leads_somewhere (GstAmsHlsSink *self)
{
  if (self->has_store || (self->srcpad && gst_pad_is_linked (self->srcpad)))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("With write-files=never the recording goes out of the src pad only, and "
       "that is not linked: link it, or set write-files=auto."),
      (NULL));
  return FALSE;
}

static GstStateChangeReturn
gst_ams_hls_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (element);
  GThread *stopping = NULL;
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      update_store (self);
      if (!configure (self, FALSE))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      ams_forget_late_settings (element);
      update_store (self);
      if (!leads_somewhere (self) || !configure (self, TRUE))
        return GST_STATE_CHANGE_FAILURE;
      self->recording = TRUE;
      g_atomic_int_set (&self->has_error, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      end_recording (self, &stopping);
      break;
    default:
      break;
  }

  ret = GST_ELEMENT_CLASS (gst_ams_hls_sink_parent_class)
            ->change_state (element, transition);

  if (stopping)
    g_thread_join (stopping);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE)) {
    self->recording = FALSE;
    gst_ams_tracks_forget (self->tracks);
  }
  return ret;
}

/* ---- properties ---- */

enum
{
  PROP_STATS = GST_AMS_HLS_SETTINGS_LAST_ID + 1,
};

static void
gst_ams_hls_sink_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (object);
  gboolean known;

  ams_warn_late_setting (GST_ELEMENT (object), value, pspec);
  GST_OBJECT_LOCK (self);
  known = gst_ams_hls_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static GstStructure *
get_stats (GstAmsHlsSink *self)
{
  GstStructure *stats = gst_ams_publisher_get_stats (self->publisher);
  g_autoptr (GstStructure) store = NULL;

  gst_structure_set (stats, "dropped-frames", G_TYPE_UINT64,
      gst_ams_hls_mux_get_dropped (self->mux), NULL);
  g_object_get (self->store, "stats", &store, NULL);
  if (store)
    gst_structure_set (stats, "store", GST_TYPE_STRUCTURE, store, NULL);
  return stats;
}

static void
gst_ams_hls_sink_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (object);
  gboolean known;

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  known = gst_ams_hls_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* ---- class ---- */

static void
split_now (GstAmsHlsSink *self)
{
  gst_ams_hls_mux_split_now (self->mux);
}

static void
install_signals (GObjectClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);

  gst_ams_hls_streams_install (type);
  /**
   * GstAmsHlsSink::split-now:
   *
   * End the segment at the next keyframe, which is asked for at once.
   */
  g_signal_new_class_handler ("split-now", type,
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (split_now), NULL, NULL,
      NULL, G_TYPE_NONE, 0);
}

static void
gst_ams_hls_sink_dispose (GObject *object)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (object);

  /* While their children are still there. */
  if (self->tracks)
    gst_ams_tracks_release_all (self->tracks);
  if (self->store) {
    if (!self->has_store)
      gst_element_set_state (self->store, GST_STATE_NULL);
    gst_clear_object (&self->store);
  }
  G_OBJECT_CLASS (gst_ams_hls_sink_parent_class)->dispose (object);
}

static void
gst_ams_hls_sink_finalize (GObject *object)
{
  GstAmsHlsSink *self = GST_AMS_HLS_SINK (object);

  gst_ams_hls_settings_clear (&self->settings);
  g_clear_pointer (&self->tracks, gst_ams_tracks_free);
  G_OBJECT_CLASS (gst_ams_hls_sink_parent_class)->finalize (object);
}

static void
gst_ams_hls_sink_class_init (GstAmsHlsSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_hls_sink_debug, "amshlssink", 0,
      "amshls: HLS recording");

  object_class->set_property = gst_ams_hls_sink_set_property;
  object_class->get_property = gst_ams_hls_sink_get_property;
  object_class->dispose = gst_ams_hls_sink_dispose;
  object_class->finalize = gst_ams_hls_sink_finalize;
  gst_ams_hls_settings_install (object_class);
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Of this session: segments, unlisted (of them, left the live window "
          "before a playlist could be stored), recovered, gaps, discontinuities, "
          "bytes, duration (ns), dropped-frames (pictures without a keyframe "
          "before them); store: what the disk still has to take",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  install_signals (object_class);

  GST_BIN_CLASS (klass)->handle_message = gst_ams_hls_sink_handle_message;
  element_class->request_new_pad = gst_ams_hls_sink_request_new_pad;
  element_class->release_pad = gst_ams_hls_sink_release_pad;
  element_class->change_state = gst_ams_hls_sink_change_state;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "HLS recorder",
      "Sink/Muxer/File",
      "Records encoded video and audio as HLS (MPEG-TS segments and a "
      "playlist), continues earlier recordings, survives crashes",
      "The amshls developers");
}

static void
gst_ams_hls_sink_init (GstAmsHlsSink *self)
{
  gst_ams_hls_settings_init (&self->settings);

  self->mux = gst_ams_hls_mux_new (on_begins, self);
  gst_object_set_name (GST_OBJECT (self->mux), "mux");
  self->publisher = gst_ams_hls_mux_get_publisher (self->mux);
  gst_ams_publisher_set_poster (self->publisher, GST_ELEMENT (self));
  gst_ams_publisher_set_drain_callback (self->publisher, on_drain, self);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (self->mux));
  self->tracks = gst_ams_tracks_new (GST_BIN (self), self->mux);

  self->store =
      gst_object_ref_sink (g_object_new (GST_TYPE_AMS_LOCAL_SINK, NULL));
  gst_object_set_name (GST_OBJECT (self->store), "store");
  update_store (self);
}
