/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/gstamsputsinkprivate.h"

#include "transfer/gstamsputdata.h"
#include "transfer/gstamsputmessages.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_put_sink_debug);
#define GST_CAT_DEFAULT gst_ams_put_sink_debug

/* For what comes after a drain, lists and removals, to a store that had kept up. */
#define LAST_MOMENT G_TIME_SPAN_SECOND

#define PRIVATE(sink) gst_ams_put_sink_get_private (sink)

/* Lanes */

static GstAmsPutPosition *
position (GstAmsPutSink *self)
{
  return &g_array_index (PRIVATE (self)->positions, GstAmsPutPosition,
      PRIVATE (self)->lane);
}

void
gst_ams_put_sink_select (GstAmsPutSink *self, AmsEngine *engine, guint lane)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);

  if (priv->positions->len <= lane)
    g_array_set_size (priv->positions, lane + 1);
  priv->lane = lane;
  ams_engine_select (engine, lane);
}

/* Data */

/* Posts for what nobody has posted for yet. */
static GstFlowReturn
flow_from_result (GstAmsPutSink *self, AmsEngineResult result)
{
  g_autoptr (GError) error = NULL;

  switch (result) {
    case AMS_ENGINE_OK:
      return GST_FLOW_OK;
    case AMS_ENGINE_FLUSHING:
      return GST_FLOW_FLUSHING;
    default:
      error = ams_store_error_new (AMS_FAILURE_FULL, 0, 0,
          "More than max-queue-bytes wait for the store");
      gst_ams_put_sink_post_error (self, error, NULL);
      return GST_FLOW_ERROR;
  }
}

/* Once: a sticky event that was refused comes again before the next buffer. */
static void
refuse_stream (GstAmsPutSink *self, const GError *error)
{
  gboolean was_in_error;

  GST_OBJECT_LOCK (self);
  was_in_error = PRIVATE (self)->in_error;
  PRIVATE (self)->in_error = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!was_in_error)
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message),
        (NULL));
}

/* Ordinary data: the first of them. */
static gboolean
begin_data (GstAmsPutSink *self, AmsEngine *engine)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  g_auto (AmsFileBegin) begin = { .role = AMS_FILE_ROLE_SEGMENT };
  g_autoptr (GError) error = NULL;

  if (!klass->begin_stream)
    error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
        "This element takes a file stream, and no data outside of a file.");
  else if (klass->begin_stream (self, &begin, &error)) {
    GST_OBJECT_LOCK (self);
    PRIVATE (self)->has_data = TRUE;
    GST_OBJECT_UNLOCK (self);
    ams_engine_begin (engine, &begin);
    *position (self) = GST_AMS_PUT_IN_DATA;
    PRIVATE (self)->data_size = 0;
    return TRUE;
  }
  refuse_stream (self, error);
  return FALSE;
}

static gboolean
begin_files (GstAmsPutSink *self)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  g_autoptr (GError) error = NULL;

  if (!klass->begin_stream || klass->begin_stream (self, NULL, &error))
    return TRUE;
  refuse_stream (self, error);
  return FALSE;
}

/* Whether data may be written now; else *@flow is what to return for them. */
static gboolean
accepts_data (GstAmsPutSink *self, AmsEngine *engine, GstFlowReturn *flow)
{
  gboolean in_error = gst_ams_put_sink_is_in_error (self);

  *flow = in_error ? GST_FLOW_ERROR : GST_FLOW_OK;
  if (in_error || gst_ams_put_sink_is_refused (self) ||
      *position (self) == GST_AMS_PUT_SKIPPING)
    return FALSE;
  if (*position (self) != GST_AMS_PUT_BETWEEN_FILES)
    return TRUE;
  gst_ams_put_sink_preroll (self);
  if (begin_data (self, engine))
    return TRUE;
  *flow = GST_FLOW_ERROR;
  return FALSE;
}

static void
count_data (GstAmsPutSink *self, gsize size)
{
  PRIVATE (self)->data_size += size;
}

static GstFlowReturn
write_memory (GstAmsPutSink *self, AmsEngine *engine, GstMemory *memory)
{
  g_autoptr (GBytes) bytes = ams_put_bytes_from_memory (memory);
  g_autoptr (GError) error = NULL;

  if (bytes)
    return flow_from_result (self, ams_engine_write (engine, bytes));
  error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
      "A buffer could not be mapped for reading");
  gst_ams_put_sink_post_error (self, error, NULL);
  return GST_FLOW_ERROR;
}

static GstFlowReturn
write_buffer (GstAmsPutSink *self, AmsEngine *engine, GstBuffer *buffer)
{
  GstFlowReturn flow = GST_FLOW_OK;

  count_data (self, gst_buffer_get_size (buffer));
  for (guint i = 0; i < gst_buffer_n_memory (buffer) && flow == GST_FLOW_OK;
       i++)
    flow = write_memory (self, engine, gst_buffer_peek_memory (buffer, i));
  return flow;
}

GstFlowReturn
gst_ams_put_sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);
  GstFlowReturn flow = GST_FLOW_FLUSHING;

  if (engine && accepts_data (self, engine, &flow))
    flow = write_buffer (self, engine, buffer);
  gst_buffer_unref (buffer);
  return flow;
}

GstFlowReturn
gst_ams_put_sink_chain_list (GstPad *pad, GstObject *parent,
    GstBufferList *list)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);
  GstFlowReturn flow = GST_FLOW_FLUSHING;

  if (engine && accepts_data (self, engine, &flow)) {
    for (guint i = 0; i < gst_buffer_list_length (list) && flow == GST_FLOW_OK;
         i++)
      flow = write_buffer (self, engine, gst_buffer_list_get (list, i));
  }
  gst_buffer_list_unref (list);
  return flow;
}

/* Events */

static void
note_final (GstAmsPutSink *self, const gchar *name)
{
  g_free (PRIVATE (self)->final);
  PRIVATE (self)->final = g_strdup (name);
}

static gboolean
check_file (GstAmsPutSink *self, const AmsFileBegin *begin)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  g_autoptr (GError) error = NULL;

  if (!klass->check_file || klass->check_file (self, begin, &error))
    return TRUE;
  refuse_stream (self, error);
  return FALSE;
}

static void
begin_file (GstAmsPutSink *self, AmsEngine *engine, const AmsFileBegin *begin)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);

  *position (self) = GST_AMS_PUT_SKIPPING;
  if (!check_file (self, begin))
    return;
  *position (self) = GST_AMS_PUT_IN_FILE;
  if (begin->final)
    note_final (self, begin->name);
  if (begin->role == AMS_FILE_ROLE_SEGMENT) {
    priv->drain_until = 0;
    priv->kept_up = FALSE;
  }
  if (begin->renames)
    g_atomic_int_set (&priv->renames, TRUE);
  gst_ams_put_sink_say_unsaid (self);
  ams_engine_begin (engine, begin);
}

/* FALSE: it is none of the file stream's. */
static gboolean
take_file_event (GstAmsPutSink *self, AmsEngine *engine, GstEvent *event)
{
  g_auto (AmsFileBegin) begin = { 0 };
  g_autofree gchar *name = NULL, *from = NULL;
  AmsFileEnd end;
  gdouble after;
  guint64 size;
  guint lane;

  if (ams_files_event_parse_begin (event, &begin)) {
    begin_file (self, engine, &begin);
  } else if (ams_files_event_parse_end (event, &end)) {
    if (*position (self) == GST_AMS_PUT_IN_FILE)
      ams_engine_end (engine, &end);
    *position (self) = GST_AMS_PUT_BETWEEN_FILES;
  } else if (ams_files_event_parse_lane (event, &lane)) {
    gst_ams_put_sink_select (self, engine, lane);
  } else if (ams_files_event_parse_remove (event, &name, &after)) {
    ams_engine_remove (engine, name, after);
  } else if (ams_files_event_parse_adopt (event, &name, &from, &size)) {
    ams_engine_adopt (engine, name, from, size);
  } else {
    return FALSE;
  }
  return TRUE;
}

static void
handle_custom (GstAmsPutSink *self, GstEvent *event)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);

  if (gst_ams_put_sink_is_refused (self))
    return;
  if (engine && !take_file_event (self, engine, event))
    GST_DEBUG_OBJECT (self, "not for us: %" GST_PTR_FORMAT, event);
}

gint64
gst_ams_put_sink_drain_time (GstClockTime timeout)
{
  return GST_CLOCK_TIME_IS_VALID (timeout) ? (gint64) (timeout / GST_USECOND)
                                           : -1;
}

static GstClockTime
get_drain_timeout (GstAmsPutSink *self)
{
  GstClockTime timeout;

  GST_OBJECT_LOCK (self);
  timeout = PRIVATE (self)->settings.drain_timeout;
  GST_OBJECT_UNLOCK (self);
  return timeout;
}

/* What is only in memory is as good as lost when the stream has ended: an application
 * that stops now must know. */
static void
post_timeout (GstAmsPutSink *self, AmsEngine *engine)
{
  AmsEngineStats stats;
  guint files;

  /* What the engine has not come to yet is not in its figures. */
  ams_engine_settle_commands (engine, G_TIME_SPAN_SECOND / 2);
  ams_engine_get_stats (engine, &stats);
  files = stats.files.queued_files - stats.files.waiting_removes;
  if (stats.files.unsafe_bytes > 0)
    gst_ams_put_sink_post_lost (self, files, stats.files.unsafe_bytes);
  else
    ams_put_post_undelivered (GST_ELEMENT (self), files,
        "drain-timeout has passed at the end of the stream");
}

/* The end of a recording that is not in its playlist. */
static void
post_withheld (GstAmsPutSink *self, AmsEngine *engine)
{
  g_autoptr (GError) error = NULL;
  AmsEngineStats stats;

  ams_engine_get_stats (engine, &stats);
  if (stats.files.withheld == 0)
    return;
  error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "The last version of a playlist is withheld: it names a file that could "
      "not be stored");
  ams_put_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, error, error->message,
      NULL);
}

/* One drain-timeout, which began at @since, for the drain that upstream asks for and for
 * the EOS that follows. A store that kept up is not late when others took all of it. */
static gint64
time_to_drain (GstAmsPutSink *self, gint64 since)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  gint64 timeout = gst_ams_put_sink_drain_time (get_drain_timeout (self));
  gint64 now = g_get_monotonic_time ();

  if (priv->drain_until == 0 && timeout < 0)
    return timeout;
  if (priv->drain_until == 0)
    priv->drain_until =
        since + MIN (timeout, G_MAXINT64 - since); /* of any length */
  return MAX (priv->drain_until - now, priv->kept_up ? LAST_MOMENT : 0);
}

/* What upstream asks before the end: it has to know what was given up. So nothing is
 * held back for the end any more, either. */
void
gst_ams_put_sink_handle_drain (GstAmsPutSink *self, gint64 since)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);

  if (!engine)
    return;
  ams_engine_release (engine);
  PRIVATE (self)->kept_up =
      ams_engine_drain (engine, time_to_drain (self, since), NULL) ==
      AMS_DRAIN_DONE;
}

/* What an error has cut off is no whole file. */
static void
end_data (GstAmsPutSink *self, AmsEngine *engine)
{
  AmsFileEnd end = { .size = PRIVATE (self)->data_size,
    .complete =
        PRIVATE (self)->data_size > 0 && !gst_ams_put_sink_is_in_error (self),
    .duration = GST_CLOCK_TIME_NONE };

  if (*position (self) != GST_AMS_PUT_IN_DATA)
    return;
  ams_engine_end (engine, &end);
  *position (self) = GST_AMS_PUT_BETWEEN_FILES;
}

static void
notify (GstAmsPutSink *self, AmsEngine *engine, gint64 timeout)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  g_autoptr (GBytes) text = NULL;
  AmsEngineStats stats;

  if (!klass->describe)
    return;
  if (!ams_engine_settle_commands (engine, timeout))
    return;
  ams_engine_get_stats (engine, &stats);
  if (stats.files.handed_files == PRIVATE (self)->notified)
    return;
  PRIVATE (self)->notified = stats.files.handed_files;
  text = klass->describe (self, &stats, PRIVATE (self)->final);
  if (text)
    ams_engine_notify (engine, text);
}

static void
handle_eos (GstAmsPutSink *self, guint32 seqnum)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);
  gint64 now = g_get_monotonic_time ();
  AmsDrainResult result;

  if (!engine)
    return;
  gst_ams_put_sink_preroll (self);
  end_data (self, engine);
  ams_engine_release (engine);
  notify (self, engine, time_to_drain (self, now));
  result = ams_engine_drain (engine, time_to_drain (self, now), NULL);
  ams_engine_release_claims (engine);
  ams_engine_settle_commands (engine, G_TIME_SPAN_SECOND / 2);
  PRIVATE (self)->drain_until = 0;
  PRIVATE (self)->kept_up = FALSE;
  if (result == AMS_DRAIN_CANCELLED)
    return;
  if (result == AMS_DRAIN_TIMEOUT)
    post_timeout (self, engine);
  post_withheld (self, engine);
  gst_ams_put_sink_reach_eos (self, seqnum);
}

static gboolean
has_data (GstAmsPutSink *self)
{
  gboolean data;

  GST_OBJECT_LOCK (self);
  data = PRIVATE (self)->has_data;
  GST_OBJECT_UNLOCK (self);
  return data;
}

static void
pass_flush (GstAmsPutPosition *at)
{
  if (*at == GST_AMS_PUT_IN_FILE)
    *at = GST_AMS_PUT_SKIPPING;
  if (*at == GST_AMS_PUT_IN_DATA)
    *at = GST_AMS_PUT_BETWEEN_FILES;
}

static void
handle_flush (GstAmsPutSink *self, gboolean start)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);

  /* Ordinary data begin anew after a flush, a file of a file stream does not. */
  if (engine && has_data (self))
    ams_engine_abandon (engine);
  if (engine)
    ams_engine_set_flushing (engine, start);
  if (start)
    return;
  /* FLUSH_STOP is serialized with the data, so this is the streaming thread. */
  for (guint i = 0; i < PRIVATE (self)->positions->len; i++)
    pass_flush (
        &g_array_index (PRIVATE (self)->positions, GstAmsPutPosition, i));
  /* A queue that was flushed may have had another lane's beginning. */
  if (engine)
    gst_ams_put_sink_select (self, engine, 0);
  gst_ams_put_sink_clear_eos (self);
}

static void
handle_stream_start (GstAmsPutSink *self)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);

  gst_ams_put_sink_clear_eos (self);
  if (engine)
    gst_ams_put_sink_select (self, engine, 0);
}

static gboolean
handle_caps (GstAmsPutSink *self, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  if (gst_caps_get_size (caps) == 0 ||
      !gst_structure_has_name (gst_caps_get_structure (caps, 0),
          AMS_FILES_CAPS))
    return TRUE;
  return begin_files (self);
}

/* A muxer that goes back to write its headers anew: what was sent is sent. */
static gboolean
handle_segment (GstAmsPutSink *self, GstEvent *event)
{
  g_autoptr (GError) error = NULL;
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  if (*position (self) != GST_AMS_PUT_IN_DATA ||
      segment->format != GST_FORMAT_BYTES ||
      segment->start == PRIVATE (self)->data_size)
    return TRUE;
  error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "Data that were sent cannot be written over: make the muxer stream "
      "(mp4mux streamable=true fragment-duration=…), or use another one.");
  refuse_stream (self, error);
  return FALSE;
}

gboolean
gst_ams_put_sink_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);
  gboolean result = TRUE;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      result = handle_caps (self, event);
      break;
    case GST_EVENT_SEGMENT:
      result = handle_segment (self, event);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      handle_custom (self, event);
      break;
    case GST_EVENT_STREAM_START:
      handle_stream_start (self);
      break;
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
      handle_flush (self, GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START);
      break;
    case GST_EVENT_EOS:
      handle_eos (self, gst_event_get_seqnum (event));
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return result;
}
