/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamstracks.h"

#include <gst/pbutils/missing-plugins.h>
#include <gst/video/video.h>

#include "gstamsparsers.h"

/* How long a parser may take in without letting anything through. */
#define PARSER_PATIENCE (10 * GST_SECOND)

typedef struct
{
  gboolean video;
  GstPad *ghost;
  GstPad *mux_pad;
  GstElement *parser; /* NULL: what comes is parsed; streaming thread */
  const gchar *parser_name; /* what the caps ask for; NULL: none came yet */

  gint parsed; /* atomic: the parser has let something through */
  GstClockTime unparsed_since; /* streaming thread: of what it has not */
  gboolean complained;
} Track;

struct _GstAmsTracks
{
  GstBin *bin; /* which owns this: no ref */
  GstAmsHlsMux *mux;

  GMutex lock; /* guards what follows */
  GPtrArray *tracks; /* Track */
  GPtrArray *retired; /* GstElement: parsers that a query may still be in */
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

static void
note_seen (GstAmsTracks *self, Track *track, GstClockTime time)
{
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (track->ghost, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  GstClockTime running;

  if (!event)
    return;
  gst_event_parse_segment (event, &segment);
  running = gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);
  if (GST_CLOCK_TIME_IS_VALID (running))
    gst_ams_hls_mux_note_seen (self->mux, track->mux_pad, running);
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
  if (!GST_CLOCK_TIME_IS_VALID (track->unparsed_since)) {
    track->unparsed_since = time;
    note_seen (self, track, time);
  }
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
  gst_pad_add_probe (track->mux_pad, GST_PAD_PROBE_TYPE_BUFFER, on_parsed,
      track, NULL);
  gst_pad_add_probe (track->ghost,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_unparsed,
      self, NULL);
}

/* In the track's streaming thread, when the first caps come that need it. */
static gboolean
plug_parser (GstAmsTracks *self, Track *track)
{
  GstElement *parser = gst_element_factory_make (track->parser_name, NULL);
  g_autoptr (GstPad) sink = NULL;
  g_autoptr (GstPad) src = NULL;

  if (!parser)
    return post_missing (self, track->parser_name);
  gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), NULL);
  gst_bin_add (self->bin, parser);
  sink = gst_element_get_static_pad (parser, "sink");
  src = gst_element_get_static_pad (parser, "src");
  gst_pad_link (src, track->mux_pad);
  gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), sink);
  gst_element_sync_state_with_parent (parser);
  track->parser = parser;
  watch_parser (self, track);
  return TRUE;
}

/* Parsed media go straight to the muxer, until caps say otherwise. */
static gboolean
plug (GstAmsTracks *self, Track *track, const GstCaps *caps)
{
  if (track->parser)
    return TRUE;
  if (!gst_ams_is_parsed (caps))
    return plug_parser (self, track);
  return gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost),
      track->mux_pad);
}

/* aacparse (1.22) passes such frames on, but cannot take the AAC out of them. */
static gboolean
is_loas (const GstCaps *caps)
{
  const gchar *format = gst_structure_get_string (
      gst_caps_get_structure (caps, 0), "stream-format");

  return g_strcmp0 (format, "loas") == 0;
}

static gboolean
refuse_loas (GstAmsTracks *self, const Track *track)
{
  GST_ELEMENT_ERROR (self->bin, STREAM, WRONG_TYPE,
      ("The %s pad was given AAC in LATM framing (stream-format=loas), which "
       "cannot be recorded as it is: have the source send ADTS, or put "
       "avdec_aac_latm, audioconvert and an AAC encoder in front.",
          GST_PAD_NAME (track->ghost)),
      (NULL));
  return FALSE;
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
  if (is_loas (caps))
    return refuse_loas (self, track);
  if (track->parser_name && g_strcmp0 (factory, track->parser_name) != 0) {
    GST_ELEMENT_ERROR (self->bin, STREAM, FORMAT,
        ("The %s pad's codec changed to %s while recording, which one "
         "recording cannot hold: stop, and start again to continue it.",
            GST_PAD_NAME (track->ghost), text),
        (NULL));
    return FALSE;
  }
  track->parser_name = factory;
  return plug (self, track, caps);
}

static GstPadProbeReturn
on_ghost_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstAmsTracks *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  Track *track = gst_pad_get_element_private (pad);
  g_autoptr (GstPad) target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  GstCaps *caps;

  /* The end of a track that has no way to the muxer, as it never had caps, or none
   * that could be taken. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && !target)
    gst_pad_send_event (track->mux_pad, gst_event_ref (event));
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

/* What can be taken, and first what needs no parser. (transfer full) */
static GstCaps *
get_wanted_caps (GstPad *pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) preferred = gst_caps_from_string (GST_AMS_PREFERRED_CAPS);

  GstCaps *first = gst_caps_intersect (preferred, caps);

  return gst_caps_merge (first, g_steal_pointer (&caps));
}

/* Before the first caps there is no parser to ask; and what cannot be taken is
 * accepted here, to be refused with a sentence instead of a bare "not negotiated". */
static gboolean
on_ghost_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCaps *filter;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS: {
      g_autoptr (GstCaps) caps = get_wanted_caps (pad);

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

GstPad *
gst_ams_tracks_request (GstAmsTracks *self, GstPadTemplate *template_,
    gboolean video)
{
  const gchar *name = video ? "video" : "audio";
  Track *track;

  if (find_track (self, video)) {
    GST_WARNING_OBJECT (self->bin, "there is one %s pad only, and it is taken",
        name);
    return NULL;
  }
  track = g_new0 (Track, 1);
  track->video = video;
  track->mux_pad = gst_ams_hls_mux_add_pad (self->mux, video);
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

/* While recording, the track ends: what it brought stays. */
void
gst_ams_tracks_release (GstAmsTracks *self, GstPad *ghost, gboolean recording)
{
  Track *track = gst_pad_get_element_private (ghost);

  if (recording)
    gst_pad_send_event (track->mux_pad, gst_event_new_eos ());
  g_mutex_lock (&self->lock);
  g_ptr_array_steal_index (self->tracks,
      g_ptr_array_index (self->tracks, 0) == track ? 0 : 1);
  if (recording && track->parser)
    g_ptr_array_add (self->retired, gst_object_ref (track->parser));
  g_mutex_unlock (&self->lock);

  gst_pad_set_active (track->ghost, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), NULL);
  remove_child (self, &track->parser);
  gst_ams_hls_mux_remove_pad (self->mux, track->mux_pad);
  gst_element_remove_pad (GST_ELEMENT (self->bin), track->ghost);
  g_free (track);
}

void
gst_ams_tracks_forget (GstAmsTracks *self)
{
  for (guint i = 0; i < self->tracks->len; i++) {
    Track *track = g_ptr_array_index (self->tracks, i);

    gst_ghost_pad_set_target (GST_GHOST_PAD (track->ghost), NULL);
    remove_child (self, &track->parser);
    track->parser_name = NULL;
    /* A probe of this run may still be there in the next. */
    track->unparsed_since = GST_CLOCK_TIME_NONE;
  }
  g_ptr_array_set_size (self->retired, 0);
}

void
gst_ams_tracks_release_all (GstAmsTracks *self)
{
  while (self->tracks->len > 0)
    gst_element_release_request_pad (GST_ELEMENT (self->bin),
        ((Track *) g_ptr_array_index (self->tracks, 0))->ghost);
}

GstAmsTracks *
gst_ams_tracks_new (GstBin *bin, GstAmsHlsMux *mux)
{
  GstAmsTracks *self = g_new0 (GstAmsTracks, 1);

  self->bin = bin;
  self->mux = mux;
  g_mutex_init (&self->lock);
  self->tracks = g_ptr_array_new ();
  self->retired = g_ptr_array_new_with_free_func (gst_object_unref);
  return self;
}

void
gst_ams_tracks_free (GstAmsTracks *self)
{
  g_ptr_array_unref (self->tracks);
  g_ptr_array_unref (self->retired);
  g_mutex_clear (&self->lock);
  g_free (self);
}
