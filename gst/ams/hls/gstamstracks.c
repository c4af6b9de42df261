/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamstracks.h"

#include <gst/base/gstaggregator.h>
#include <gst/pbutils/missing-plugins.h>
#include <gst/video/video.h>

#include "gstamsparsers.h"

/* The program map names the muxer's pads by PID. */
#define VIDEO_PID 65
#define AUDIO_PID 66

/* At first: more than there will be, as a rule. */
#define MAPPED_PADS 256

/* What a queue holds beyond the stall timeout before it makes the input wait. */
#define QUEUE_SLACK (2 * GST_SECOND)

/* How long a parser may take in without letting anything through. */
#define PARSER_PATIENCE (10 * GST_SECOND)

typedef struct
{
  gboolean video;
  GstPad *ghost;
  GstPad *gate_sink;
  GstElement *parser; /* what the caps asked for; streaming thread */
  const gchar *parser_name;
  GstElement *queue;
  GstPad *mux_pad; /* (nullable) streaming thread; cleared below PAUSED */

  gint parsed; /* atomic: the parser has let something through */
  GstClockTime unparsed_since; /* streaming thread: of what it has not */
  gboolean complained;
} Track;

typedef struct
{
  GstElement *queue;
  GstElement *parser; /* out of the bin: a query may still be in it */
  GstPad *mux_pad; /* (nullable): the muxer has let go of it */
  gboolean video;
} Retired;

struct _GstAmsTracks
{
  GstBin *bin; /* which owns this: no ref */
  GstAmsGate *gate;
  GstElement *muxer; /* (nullable): mpegtsmux is missing */
  GstClockTime stall_timeout;

  guint mapped_pads; /* of the muxer's program map; 0: there is none yet */
  gint pcr_pid;

  GMutex lock; /* guards what follows */
  GArray *joins; /* GstClockTime: first buffers that the muxer has to come to */
  GPtrArray *tracks; /* Track */
  GPtrArray
      *retired; /* Retired: released while their data were still under way */
};

static gboolean
post_missing (GstAmsTracks *self, const gchar *factory)
{
  gst_element_post_message (GST_ELEMENT (self->bin),
      gst_missing_element_message_new (GST_ELEMENT (self->bin), factory));
  GST_ELEMENT_ERROR (self->bin, CORE, MISSING_PLUGIN,
      ("The element \"%s\" is missing: install the GStreamer plugins "
       "(gst-plugins-good and -bad) that bring it.",
          factory),
      (NULL));
  return FALSE;
}

static GstPadProbeReturn
on_parsed (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Track *track = user_data;

  g_atomic_int_set (&track->parsed, TRUE);
  return GST_PAD_PROBE_REMOVE;
}

/* Asks once more for a keyframe: encoders send parameter sets with those. */
static void
complain_unparsed (GstAmsTracks *self, Track *track)
{
  track->complained = TRUE;
  if (track->video)
    gst_pad_push_event (track->ghost,
        gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE,
            0));
  GST_ELEMENT_WARNING (self->bin, STREAM, DECODE,
      ("%u seconds have come to the %s pad without one frame that %s could make "
       "out, so nothing of it is recorded. Are the stream's parameter sets "
       "missing? Make the encoder repeat them with each keyframe.",
          (guint) (PARSER_PATIENCE / GST_SECOND), GST_PAD_NAME (track->ghost),
          track->parser_name),
      (NULL));
}

/* What a parser cannot make out it swallows without a word. */
static GstPadProbeReturn
on_unparsed (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAmsTracks *self = user_data;
  Track *track = gst_pad_get_element_private (pad);
  GstBuffer *buffer = info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST
      ? gst_buffer_list_get (GST_PAD_PROBE_INFO_BUFFER_LIST (info), 0)
      : GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime time = GST_BUFFER_DTS_OR_PTS (buffer);

  if (g_atomic_int_get (&track->parsed))
    return GST_PAD_PROBE_REMOVE;
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return GST_PAD_PROBE_OK;
  if (!GST_CLOCK_TIME_IS_VALID (track->unparsed_since))
    track->unparsed_since = time;
  if (!track->complained && time > track->unparsed_since + PARSER_PATIENCE)
    complain_unparsed (self, track);
  return GST_PAD_PROBE_OK;
}

static void
watch_parser (GstAmsTracks *self, Track *track)
{
  track->unparsed_since = GST_CLOCK_TIME_NONE;
  track->complained = FALSE;
  g_atomic_int_set (&track->parsed, FALSE);
  gst_pad_add_probe (track->gate_sink, GST_PAD_PROBE_TYPE_BUFFER, on_parsed,
      track, NULL);
  gst_pad_add_probe (track->ghost,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_unparsed,
      self, NULL);
}

/* In the track's streaming thread, when its first caps come. */
static gboolean
plug_parser (GstAmsTracks *self, Track *track, const gchar *factory)
{
  GstElement *parser = gst_element_factory_make (factory, NULL);
  g_autoptr (GstPad) sink = NULL;
  g_autoptr (GstPad) src = NULL;

  if (!parser)
    return post_missing (self, factory);
  /* Parameter sets in front of every IDR: a player may begin at any segment. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (parser),
          "config-interval"))
    g_object_set (parser, "config-interval", -1, NULL);
  gst_bin_add (self->bin, parser);
  sink = gst_element_get_static_pad (parser, "sink");
  src = gst_element_get_static_pad (parser, "src");
  gst_pad_link (src, track->gate_sink);
  gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), sink);
  gst_element_sync_state_with_parent (parser);
  track->parser = parser;
  track->parser_name = factory;
  watch_parser (self, track);
  return TRUE;
}

static gboolean
take_caps (GstAmsTracks *self, Track *track, GstCaps *caps)
{
  const gchar *factory = gst_ams_find_parser (caps, track->video);
  g_autofree gchar *text = gst_caps_to_string (caps);

  if (!factory) {
    GST_ELEMENT_ERROR (self->bin, STREAM, WRONG_TYPE,
        ("The %s pad was given %s, which an MPEG-TS recording cannot carry: "
         "encode to one of %s.",
            GST_PAD_NAME (track->ghost), text,
            track->video ? GST_AMS_VIDEO_CAPS : GST_AMS_AUDIO_CAPS),
        (NULL));
    return FALSE;
  }
  if (!track->parser)
    return plug_parser (self, track, factory);
  if (g_strcmp0 (factory, track->parser_name) != 0) {
    GST_ELEMENT_ERROR (self->bin, STREAM, FORMAT,
        ("The %s pad's codec changed to %s while recording, which one "
         "recording cannot hold: stop, and start again to continue it.",
            GST_PAD_NAME (track->ghost), text),
        (NULL));
    return FALSE;
  }
  return TRUE;
}

static GstPadProbeReturn
on_ghost_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAmsTracks *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  Track *track = gst_pad_get_element_private (pad);
  GstCaps *caps;

  /* The end of a track that never had caps, and so no parser to go through. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && !track->parser)
    gst_pad_send_event (track->gate_sink, gst_event_ref (event));
  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (event, &caps);
  if (take_caps (self, track, caps))
    return GST_PAD_PROBE_OK;
  /* Nothing behind it gets in either. */
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_NOT_NEGOTIATED;
  gst_event_unref (event);
  return GST_PAD_PROBE_HANDLED;
}

/* Before the first caps there is no parser to ask; and what cannot be taken is
 * accepted here, to be refused with a sentence instead of a bare "not negotiated". */
static gboolean
on_ghost_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCaps *filter;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS: {
      g_autoptr (GstCaps) caps = gst_pad_get_pad_template_caps (pad);

      gst_query_parse_caps (query, &filter);
      if (filter) {
        GstCaps *both =
            gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);

        gst_caps_replace (&caps, both);
        gst_caps_unref (both);
      }
      gst_query_set_caps_result (query, caps);
      return TRUE;
    }
    case GST_QUERY_ACCEPT_CAPS:
      gst_query_set_accept_caps_result (query, TRUE);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* Another one each time that a pad is requested anew while recording: the old one's
 * stream ends, and cannot be taken up again. */
static gint
pid_of (GstAmsTracks *self, gboolean video)
{
  gint n;

  g_mutex_lock (&self->lock);
  n = self->retired->len;
  g_mutex_unlock (&self->lock);
  return (video ? VIDEO_PID : AUDIO_PID) + 2 * n;
}

static Track *
find_track (GstAmsTracks *self, gboolean video)
{
  Track *found = NULL;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->tracks->len; i++) {
    Track *track = g_ptr_array_index (self->tracks, i);

    if (track->video == video)
      found = track;
  }
  g_mutex_unlock (&self->lock);
  return found;
}

/* All that there will be: the muxer looks when a pad's first data come out of the queue, without a lock, so the map is not to
 * change then; and a pad that it does not have gets a program of its own. */
static void
add_pads (GstStructure *map, guint n)
{
  guint i;

  for (i = 0; i < n; i++) {
    g_autofree gchar *name = g_strdup_printf ("sink_%u", VIDEO_PID + i);

    gst_structure_set (map, name, G_TYPE_INT, 1, NULL);
  }
}

/* PAT and PMT are written with the PCR's stream only: were it the audio, they would come
 * behind the keyframe that they are to stand in front of. */
static gint
pcr_pid_of (GstAmsTracks *self, gboolean attaches_video)
{
  if (attaches_video || (!self->pcr_pid && find_track (self, TRUE)))
    return pid_of (self, TRUE);
  return find_track (self, TRUE) ? self->pcr_pid : pid_of (self, FALSE);
}

static void
set_program_map (GstAmsTracks *self, gboolean attaches_video)
{
  guint pads = self->mapped_pads ? self->mapped_pads : MAPPED_PADS;
  gint pcr_pid = pcr_pid_of (self, attaches_video);
  g_autofree gchar *pcr = g_strdup_printf ("sink_%d", pcr_pid);
  g_autoptr (GstStructure) map = NULL;

  while (pid_of (self, FALSE) >= VIDEO_PID + (gint) pads)
    pads *= 2;
  if (pads == self->mapped_pads && pcr_pid == self->pcr_pid)
    return;
  map = gst_structure_new ("program_map", "PCR_1", G_TYPE_STRING, pcr, NULL);
  add_pads (map, pads);
  g_object_set (self->muxer, "prog-map", map, NULL);
  self->mapped_pads = pads;
  self->pcr_pid = pcr_pid;
}

static GstPadProbeReturn
on_joined (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAmsTracks *self = user_data;
  GstClockTime time = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

  g_mutex_lock (&self->lock);
  g_array_append_val (self->joins, time);
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_REMOVE;
}

/* The muxer has come to a track's first buffer. */
static gboolean
joins_at (GstAmsTracks *self, GstClockTime time)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  while (n < self->joins->len &&
      g_array_index (self->joins, GstClockTime, n) <= time)
    n++;
  g_array_remove_range (self->joins, 0, n);
  g_mutex_unlock (&self->lock);
  return n > 0;
}

/* (nullable) (transfer full) an audio pad whose last data the muxer has written */
static GstPad *
take_drained (GstAmsTracks *self)
{
  GstPad *drained = NULL;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->retired->len && !drained; i++) {
    Retired *retired = g_ptr_array_index (self->retired, i);

    if (!retired->video && retired->mux_pad &&
        gst_aggregator_pad_is_eos (GST_AGGREGATOR_PAD (retired->mux_pad)))
      drained = g_steal_pointer (&retired->mux_pad);
  }
  g_mutex_unlock (&self->lock);
  return drained;
}

/* In the muxer's thread, in front of a keyframe before which it writes its tables. Where a track joins, those
 * that have ended leave them: players take the first audio that is named, and the tables are to fit into a packet. */
static GstPadProbeReturn
on_mux_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAmsTracks *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstClockTime time;
  gboolean joins;
  GstPad *drained;

  if (!gst_video_event_is_force_key_unit (event) ||
      !gst_video_event_parse_downstream_force_key_unit (event, NULL, NULL,
          &time, NULL, NULL))
    return GST_PAD_PROBE_OK;
  joins = joins_at (self, time);
  while (joins && (drained = take_drained (self))) {
    gst_element_release_request_pad (self->muxer, drained);
    gst_object_unref (drained);
  }
  return GST_PAD_PROBE_OK;
}

gboolean
gst_ams_tracks_attach (GstAmsTracks *self, gboolean video)
{
  Track *track = find_track (self, video);
  g_autofree gchar *name = g_strdup_printf ("sink_%d", pid_of (self, video));
  g_autoptr (GstPad) queue_src = NULL;

  if (!track)
    return FALSE;
  if (track->mux_pad)
    return TRUE;
  set_program_map (self, video);
  track->mux_pad = gst_element_request_pad_simple (self->muxer, name);
  queue_src = gst_element_get_static_pad (track->queue, "src");
  if (!track->mux_pad ||
      gst_pad_link (queue_src, track->mux_pad) != GST_PAD_LINK_OK) {
    GST_ELEMENT_ERROR (self->bin, CORE, PAD,
        ("The muxer takes no %s.", video ? "video" : "audio"), (NULL));
    return FALSE;
  }
  gst_pad_add_probe (track->mux_pad, GST_PAD_PROBE_TYPE_BUFFER, on_joined, self,
      NULL);
  return TRUE;
}

static GstElement *
add_queue (GstAmsTracks *self, GstPad *gate_src)
{
  GstElement *queue = gst_element_factory_make ("queue", NULL);
  g_autoptr (GstPad) sink = NULL;

  if (!queue)
    return NULL;
  g_object_set (queue, "max-size-buffers", 0, "max-size-bytes", 0,
      "max-size-time", self->stall_timeout + QUEUE_SLACK, "silent", TRUE, NULL);
  gst_bin_add (self->bin, queue);
  sink = gst_element_get_static_pad (queue, "sink");
  gst_pad_link (gate_src, sink);
  gst_element_sync_state_with_parent (queue);
  return queue;
}

GstPad *
gst_ams_tracks_request (GstAmsTracks *self, GstPadTemplate *template_,
    gboolean video)
{
  const gchar *name = video ? "video" : "audio";
  GstPad *gate_src;
  Track *track;

  if (find_track (self, video)) {
    GST_WARNING_OBJECT (self->bin, "there is one %s pad only, and it is taken",
        name);
    return NULL;
  }
  track = g_new0 (Track, 1);
  track->video = video;
  gst_ams_gate_add_track (self->gate, video, &track->gate_sink, &gate_src);
  track->queue = add_queue (self, gate_src);
  track->ghost = gst_ghost_pad_new_no_target_from_template (name, template_);
  gst_pad_set_element_private (track->ghost, track);
  gst_pad_set_query_function (track->ghost, on_ghost_query);
  gst_pad_add_probe (track->ghost, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      on_ghost_event, self, NULL);

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->tracks, track);
  g_mutex_unlock (&self->lock);

  gst_pad_set_active (track->ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (self->bin), track->ghost);
  return track->ghost;
}

static void
remove_child (GstAmsTracks *self, GstElement **child)
{
  if (!*child)
    return;
  gst_element_set_locked_state (*child, TRUE);
  gst_element_set_state (*child, GST_STATE_NULL);
  gst_bin_remove (self->bin, *child);
  *child = NULL;
}

static void
release_mux_pad (GstAmsTracks *self, Track *track)
{
  if (!track->mux_pad)
    return;
  gst_element_release_request_pad (self->muxer, track->mux_pad);
  gst_clear_object (&track->mux_pad);
}

/* What is in the queue still goes to the muxer; both are let go of when the recording is over. */
static void
retire (GstAmsTracks *self, Track *track, GstElement *parser)
{
  Retired *retired = g_new0 (Retired, 1);

  retired->queue = g_steal_pointer (&track->queue);
  retired->mux_pad = g_steal_pointer (&track->mux_pad);
  g_set_object (&retired->parser, parser);
  retired->video = track->video;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->retired, retired);
  g_mutex_unlock (&self->lock);
}

static void
forget_retired (GstAmsTracks *self)
{
  guint i;

  for (i = 0; i < self->retired->len; i++) {
    Retired *retired = g_ptr_array_index (self->retired, i);

    if (retired->mux_pad)
      gst_element_release_request_pad (self->muxer, retired->mux_pad);
    gst_clear_object (&retired->mux_pad);
    gst_clear_object (&retired->parser);
    remove_child (self, &retired->queue);
  }
  g_array_set_size (self->joins, 0);
  self->mapped_pads = 0;
  self->pcr_pid = 0;
  g_ptr_array_set_size (self->retired, 0);
}

/* While recording, the track ends: what it brought stays. */
void
gst_ams_tracks_release (GstAmsTracks *self, GstPad *ghost, gboolean recording)
{
  Track *track = gst_pad_get_element_private (ghost);
  g_autoptr (GstElement) parser = NULL;

  if (recording)
    gst_pad_send_event (track->gate_sink, gst_event_new_eos ());
  g_mutex_lock (&self->lock);
  g_ptr_array_steal_index (self->tracks,
      g_ptr_array_index (self->tracks, 0) == track ? 0 : 1);
  g_mutex_unlock (&self->lock);

  gst_pad_set_active (track->ghost, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), NULL);
  g_set_object (&parser, track->parser);
  remove_child (self, &track->parser);
  gst_ams_gate_remove_track (self->gate, track->gate_sink);
  if (recording && track->mux_pad)
    retire (self, track, parser);
  release_mux_pad (self, track);
  remove_child (self, &track->queue);
  gst_element_remove_pad (GST_ELEMENT (self->bin), track->ghost);
  g_free (track);
}

gboolean
gst_ams_tracks_is_complete (GstAmsTracks *self)
{
  guint i;

  if (!self->muxer)
    return post_missing (self, "mpegtsmux");
  for (i = 0; i < self->tracks->len; i++)
    if (!((Track *) g_ptr_array_index (self->tracks, i))->queue)
      return post_missing (self, "queue");
  return TRUE;
}

void
gst_ams_tracks_forget (GstAmsTracks *self)
{
  guint i;

  for (i = 0; i < self->tracks->len; i++) {
    Track *track = g_ptr_array_index (self->tracks, i);

    release_mux_pad (self, track);
    gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), NULL);
    remove_child (self, &track->parser);
    track->parser_name = NULL;
  }
  forget_retired (self);
}

void
gst_ams_tracks_release_all (GstAmsTracks *self)
{
  while (self->tracks->len > 0)
    gst_element_release_request_pad (GST_ELEMENT (self->bin),
        ((Track *) g_ptr_array_index (self->tracks, 0))->ghost);
}

void
gst_ams_tracks_set_stall_timeout (GstAmsTracks *self, GstClockTime timeout)
{
  guint i;

  self->stall_timeout = timeout;
  for (i = 0; i < self->tracks->len; i++)
    g_object_set (((Track *) g_ptr_array_index (self->tracks, i))->queue,
        "max-size-time", timeout + QUEUE_SLACK, NULL);
}

GstAmsTracks *
gst_ams_tracks_new (GstBin *bin, GstAmsGate *gate, GstElement *muxer)
{
  GstAmsTracks *self = g_new0 (GstAmsTracks, 1);
  g_autoptr (GstPad) src =
      muxer ? gst_element_get_static_pad (muxer, "src") : NULL;

  self->bin = bin;
  self->gate = gate;
  self->muxer = muxer;
  g_mutex_init (&self->lock);
  self->tracks = g_ptr_array_new ();
  self->retired = g_ptr_array_new_with_free_func (g_free);
  self->joins = g_array_new (FALSE, FALSE, sizeof (GstClockTime));
  if (src)
    gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_mux_event,
        self, NULL);
  return self;
}

void
gst_ams_tracks_free (GstAmsTracks *self)
{
  g_ptr_array_unref (self->tracks);
  g_ptr_array_unref (self->retired);
  g_array_unref (self->joins);
  g_mutex_clear (&self->lock);
  g_free (self);
}
