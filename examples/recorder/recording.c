/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recording.h"

#include "destinations.h"

struct _Recording
{
  GstPipeline *pipeline;
  GstElement *hls;
  Tracks *tracks;
  GPtrArray *destinations;
  const Options *options;
  Events *events;
  RecordingEnded ended;
  gpointer data;
  guint bus_watch;
  gboolean finishing;

  guint64 segments, bytes, discontinuities;
  GstClockTime duration;
};

/* ---- what is on the bus ---- */

/* Copies the fields that a line of JSON can have. */
static gboolean
copy_field (GQuark field, const GValue *value, gpointer data)
{
  GType type = G_VALUE_TYPE (value);

  if (type == G_TYPE_STRING || type == G_TYPE_BOOLEAN || type == G_TYPE_UINT ||
      type == G_TYPE_UINT64 || type == G_TYPE_INT)
    gst_structure_id_set_value (data, field, value);
  return TRUE;
}

/* ns become s, a date is written out. */
static GstStructure *
new_event (const gchar *name, const GstStructure *from)
{
  static const gchar *const times[] = { "duration", "running-time", "delay" };
  GstStructure *event = gst_structure_new_empty (name);
  GstDateTime *date = NULL;
  guint64 time;
  guint i;

  gst_structure_foreach (from, copy_field, event);
  for (i = 0; i < G_N_ELEMENTS (times); i++)
    if (gst_structure_get_uint64 (from, times[i], &time))
      gst_structure_set (event, times[i], G_TYPE_DOUBLE,
          time / (gdouble) GST_SECOND, NULL);
  if (gst_structure_get (from, "date-time", GST_TYPE_DATE_TIME, &date, NULL) &&
      date) {
    g_autoptr (GDateTime) gdate = gst_date_time_to_g_date_time (date);
    g_autofree gchar *seconds =
        gdate ? g_date_time_format (gdate, "%Y-%m-%dT%H:%M:%S") : NULL;
    g_autofree gchar *text = seconds
        ? g_strdup_printf ("%s.%03dZ", seconds,
              g_date_time_get_microsecond (gdate) / 1000)
        : NULL;

    gst_structure_set (event, "date-time", G_TYPE_STRING, text, NULL);
    gst_date_time_unref (date);
  }
  return event;
}

static void
say_segment (Recording *self, const GstStructure *s)
{
  guint64 duration = 0, size = 0;
  gboolean discontinuity = FALSE;

  gst_structure_get (s, "duration", G_TYPE_UINT64, &duration, "size",
      G_TYPE_UINT64, &size, "discontinuity", G_TYPE_BOOLEAN, &discontinuity,
      NULL);
  self->segments++;
  self->bytes += size;
  self->duration += duration;
  self->discontinuities += discontinuity;
  events_say (self->events, EVENT_QUIET, new_event ("segment", s), NULL);
}

static void
say_started (Recording *self, const GstStructure *s)
{
  gboolean continued = FALSE;
  guint recovered = 0;
  g_autofree gchar *more = NULL;
  g_autofree gchar *sentence = NULL;

  gst_structure_get (s, "continued", G_TYPE_BOOLEAN, &continued, "recovered",
      G_TYPE_UINT, &recovered, NULL);
  more = recovered
      ? g_strdup_printf (
            " %u segments that a crash had left unlisted are saved.", recovered)
      : g_strdup ("");
  sentence =
      g_strdup_printf ("%s %s.%s", continued ? "Continuing" : "Recording",
          gst_structure_get_string (s, "playlist-location"), more);
  events_say (self->events, EVENT_NORMAL, new_event ("recording-started", s),
      sentence);
}

static void
say_ended (Recording *self, const GstStructure *s)
{
  guint64 segments = 0, bytes = 0, duration = 0, gaps = 0, discontinuities = 0;
  g_autofree gchar *sentence = NULL;

  gst_structure_get (s, "segments", G_TYPE_UINT64, &segments, "bytes",
      G_TYPE_UINT64, &bytes, "duration", G_TYPE_UINT64, &duration, "gaps",
      G_TYPE_UINT64, &gaps, "discontinuities", G_TYPE_UINT64, &discontinuities,
      NULL);
  sentence = g_strdup_printf ("%s has ended: %.1f s in %" G_GUINT64_FORMAT
                              " segments, %.1f MB; gaps: %" G_GUINT64_FORMAT
                              ", discontinuities: %" G_GUINT64_FORMAT ".",
      gst_structure_get_string (s, "playlist-location"),
      duration / (gdouble) GST_SECOND, segments, bytes / 1e6, gaps,
      discontinuities);
  events_say (self->events, EVENT_NORMAL, new_event ("recording-ended", s),
      sentence);
}

static GstStructure *
at_destination (Recording *self, GstMessage *message, GstStructure *event)
{
  const Destination *to = destinations_find (self->destinations, message);

  if (to)
    gst_structure_set (event, "to", G_TYPE_STRING, to->name, NULL);
  return event;
}

static void
say_failed (Recording *self, GstMessage *message, const GstStructure *s)
{
  const Destination *to = destinations_find (self->destinations, message);
  g_autofree gchar *sentence = g_strdup_printf ("%s%s%s is given up: %s",
      to ? to->name : "", to ? ": " : "", gst_structure_get_string (s, "name"),
      gst_structure_get_string (s, "reason"));

  events_say (self->events, EVENT_TROUBLE,
      at_destination (self, message, new_event ("file-failed", s)), sentence);
}

static void
say_element (Recording *self, GstMessage *message)
{
  const GstStructure *s = gst_message_get_structure (message);

  if (gst_structure_has_name (s, "hls-segment-added"))
    say_segment (self, s);
  else if (gst_structure_has_name (s, "ams-recording-started"))
    say_started (self, s);
  else if (gst_structure_has_name (s, "ams-recording-ended"))
    say_ended (self, s);
  else if (gst_structure_has_name (s, "ams-file-failed"))
    say_failed (self, message, s);
  else if (gst_structure_has_name (s, "ams-file-retrying"))
    events_say (self->events, EVENT_QUIET,
        at_destination (self, message, new_event ("file-retrying", s)), NULL);
  else if (gst_structure_has_name (s, "ams-file-uploaded") &&
      destinations_find (self->destinations, message))
    events_say (self->events, EVENT_QUIET,
        at_destination (self, message, new_event ("file-uploaded", s)), NULL);
}

static void
say_interrupted (Recording *self, const GstStructure *s)
{
  gdouble missing = 0;
  g_autofree gchar *sentence = NULL;

  if (!gst_structure_get_double (s, "missing", &missing))
    return;
  sentence = g_strdup_printf ("The source was interrupted: %.1f s are missing.",
      missing);
  events_say (self->events, EVENT_NORMAL, gst_structure_copy (s), sentence);
}

/* Errors, warnings, and what is over. */
static void
say_fault (Recording *self, GstMessage *message)
{
  const Destination *to = destinations_find (self->destinations, message);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *sentence = NULL;
  const gchar *name = "error";

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning (message, &error, NULL);
    name = "warning";
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_INFO) {
    gst_message_parse_info (message, &error, NULL);
    name = "info";
  } else {
    gst_message_parse_error (message, &error, NULL);
  }
  sentence = g_strdup_printf ("%s%s%s", to ? to->name : "", to ? ": " : "",
      error->message);
  events_say (self->events,
      GST_MESSAGE_TYPE (message) == GST_MESSAGE_INFO ? EVENT_NORMAL
                                                     : EVENT_TROUBLE,
      at_destination (self, message,
          gst_structure_new (name, "reason", G_TYPE_STRING, error->message,
              NULL)),
      sentence);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Recording *self = data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
      say_element (self, message);
      break;
    case GST_MESSAGE_APPLICATION:
      say_interrupted (self, gst_message_get_structure (message));
      break;
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO:
      say_fault (self, message);
      break;
    case GST_MESSAGE_ERROR:
      say_fault (self, message);
      self->ended (TRUE, self->data);
      break;
    case GST_MESSAGE_EOS:
      self->ended (FALSE, self->data);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency (GST_BIN (self->pipeline));
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* ---- how it goes ---- */

static GstStructure *
destination_state (const Destination *to, GString *line)
{
  g_autoptr (GstStructure) stats = NULL;
  guint files = 0;
  guint64 bytes = 0, age = 0, retries = 0, stored = 0, failed = 0;

  g_object_get (to->element, "stats", &stats, NULL);
  gst_structure_get (stats, "queued-files", G_TYPE_UINT, &files, "queued-bytes",
      G_TYPE_UINT64, &bytes, "oldest-age", G_TYPE_UINT64, &age, "retries",
      G_TYPE_UINT64, &retries, "stored-files", G_TYPE_UINT64, &stored,
      "failed-files", G_TYPE_UINT64, &failed, NULL);
  if (files == 0)
    age = 0;
  g_string_append_printf (line, " | %s ", to->name);
  if (files == 0)
    g_string_append (line, "all there");
  else
    g_string_append_printf (line, "%u waiting, %.1f MB, %.0f s old", files,
        bytes / 1e6, age / (gdouble) GST_SECOND);
  if (retries > 0)
    g_string_append_printf (line, ", %" G_GUINT64_FORMAT " retries", retries);
  return gst_structure_new ("to", "to", G_TYPE_STRING, to->name, "files",
      G_TYPE_UINT, files, "bytes", G_TYPE_UINT64, bytes, "age", G_TYPE_DOUBLE,
      age / (gdouble) GST_SECOND, "retries", G_TYPE_UINT64, retries, "stored",
      G_TYPE_UINT64, stored, "failed", G_TYPE_UINT64, failed, NULL);
}

static void
add_destinations (Recording *self, GstStructure *event, GString *line)
{
  g_auto (GValue) list = G_VALUE_INIT;
  guint i;

  gst_value_list_init (&list, self->destinations->len);
  for (i = 0; i < self->destinations->len; i++) {
    const Destination *to = g_ptr_array_index (self->destinations, i);
    GValue value = G_VALUE_INIT;

    if (!to->element)
      continue;
    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, destination_state (to, line));
    gst_value_list_append_and_take_value (&list, &value);
  }
  gst_structure_set_value (event, "destinations", &list);
}

void
recording_show_progress (Recording *self, const KeeperState *source)
{
  GstClockTime recorded = tracks_get_recorded (self->tracks);
  guint seconds = recorded / GST_SECOND;
  g_autoptr (GString) line = g_string_new (NULL);
  GstStructure *event = gst_structure_new ("progress", "recorded",
      G_TYPE_DOUBLE, recorded / (gdouble) GST_SECOND, "listed", G_TYPE_DOUBLE,
      self->duration / (gdouble) GST_SECOND, "segments", G_TYPE_UINT64,
      self->segments, "bytes", G_TYPE_UINT64, self->bytes, "discontinuities",
      G_TYPE_UINT64, self->discontinuities, "connected", G_TYPE_BOOLEAN,
      source->connected, "losses", G_TYPE_UINT, source->losses, "draining",
      G_TYPE_BOOLEAN, self->finishing, NULL);

  g_string_printf (line,
      "%s%u:%02u:%02u, %" G_GUINT64_FORMAT " segments listed, %.1f MB",
      self->finishing ? "Ending: " : "", seconds / 3600, seconds / 60 % 60,
      seconds % 60, self->segments, self->bytes / 1e6);
  if (!self->finishing && !source->connected)
    g_string_append_printf (line, " | no source, attempt %u",
        source->attempts + 1);
  add_destinations (self, event, line);
  events_show_progress (self->events, event, line->str);
}

/* ---- life ---- */

static void
set_up_hls (Recording *self)
{
  const Options *options = self->options;
  GObject *hls = G_OBJECT (self->hls);

  g_object_set (hls, "target-duration", options->target_duration,
      "playlist-length", options->playlist_length, "max-files",
      options->max_files, "add-date-time", options->add_date_time, NULL);
  gst_child_proxy_set (GST_CHILD_PROXY (hls), "store::drain-timeout",
      (guint64) options->drain_timeout * GST_SECOND, NULL);
  gst_util_set_object_arg (hls, "playlist-type", options->playlist_type);
  gst_util_set_object_arg (hls, "existing", options->existing);
  gst_util_set_object_arg (hls, "program-date-time-reference",
      g_str_equal (options->clock, "camera") ? "buffer-reference-timestamp"
                                             : options->clock);
}

/* Times count from now on, whatever the elements wait for before they play. */
static void
set_clock (Recording *self)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();

  gst_pipeline_use_clock (self->pipeline, clock);
  gst_element_set_start_time (GST_ELEMENT (self->pipeline),
      GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (GST_ELEMENT (self->pipeline),
      gst_clock_get_time (clock));
}

Recording *
recording_new (const Options *options, gboolean live, Events *events,
    RecordingEnded ended, gpointer data, GError **error)
{
  GstElement *hls = gst_element_factory_make ("amshlssink", "hls");
  Recording *self;

  if (!hls) {
    options_fail (error,
        "The element \"amshlssink\" is missing: install amshls, or set GST_PLUGIN_PATH to where its plugin is.");
    return NULL;
  }
  self = g_new0 (Recording, 1);
  self->options = options;
  self->events = events;
  self->ended = ended;
  self->data = data;
  self->hls = gst_object_ref_sink (hls);
  self->pipeline =
      GST_PIPELINE (gst_object_ref_sink (gst_pipeline_new (options->name)));
  gst_bin_add (GST_BIN (self->pipeline), hls);
  set_up_hls (self);
  set_clock (self);
  self->tracks = tracks_new (self->pipeline, hls, live);
  self->destinations =
      destinations_build (GST_BIN (self->pipeline), hls, options, error);
  if (!self->destinations) {
    recording_free (self);
    return NULL;
  }
  return self;
}

void
recording_free (Recording *self)
{
  gst_element_set_state (GST_ELEMENT (self->pipeline), GST_STATE_NULL);
  if (self->bus_watch)
    g_source_remove (self->bus_watch);
  g_clear_pointer (&self->destinations, g_ptr_array_unref);
  tracks_free (self->tracks);
  gst_object_unref (self->hls);
  gst_object_unref (self->pipeline);
  g_free (self);
}

gboolean
recording_start (Recording *self)
{
  g_autoptr (GstBus) bus = gst_pipeline_get_bus (self->pipeline);

  self->bus_watch = gst_bus_add_watch (bus, on_message, self);
  return gst_element_set_state (GST_ELEMENT (self->pipeline),
             GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

void
recording_finish (Recording *self)
{
  self->finishing = TRUE;
  tracks_finish (self->tracks);
}

GstPipeline *
recording_get_pipeline (Recording *self)
{
  return self->pipeline;
}

Tracks *
recording_get_tracks (Recording *self)
{
  return self->tracks;
}
