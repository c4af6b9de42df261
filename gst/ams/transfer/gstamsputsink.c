/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GstAmsPutSink: what all sinks have in common that deliver a file stream
 * (application/x-ams-files) to a store.
 *
 * It is no GstBaseSink. Files keep coming after the pipeline has left PLAYING:
 * the segment that is open when a bin goes from PAUSED to READY is closed and
 * listed then, and a base sink would hold those buffers in preroll, in the very
 * state change that waits for them. Nor does anything here need a clock: files are
 * delivered as they come, and the sink takes no part in preroll.
 *
 * Messages posted on the bus (GST_MESSAGE_ELEMENT):
 *
 * ams-file-uploaded: the store has the file
 *   `name` (string), `role` (string), `size` (uint64, bytes), `version` (uint64, of
 *   a playlist; else 0)
 * ams-file-retrying: an attempt failed, and there will be another
 *   `name`, `role`, `attempts` (uint, made so far), `delay` (uint64, ns until the
 *   next), `reason` (string)
 * ams-file-failed: the file was given up for good
 *   `name`, `role`, `reason` (string)
 *
 * A fault (the disk is full, the server is gone) is a WARNING when it begins, or an
 * ERROR with on-error=error, and an INFO when it is over. */

#include "config.h"

#include "transfer/gstamsputsink.h"

#include "transfer/gstamsputmessages.h"

GST_DEBUG_CATEGORY_STATIC (gst_ams_put_sink_debug);
#define GST_CAT_DEFAULT gst_ams_put_sink_debug

#define DEFAULT_MAX_QUEUE_BYTES (64 * 1024 * 1024)
#define DEFAULT_QUEUE_POLICY AMS_QUEUE_BLOCK
#define DEFAULT_MAX_PARALLEL 4
#define DEFAULT_RETRY_FOR GST_CLOCK_TIME_NONE
#define DEFAULT_DRAIN_TIMEOUT (30 * GST_SECOND)
#define DEFAULT_ON_ERROR ON_ERROR_WARN

enum
{
  PROP_MAX_QUEUE_BYTES = 1,
  PROP_QUEUE_POLICY,
  PROP_MAX_PARALLEL,
  PROP_RETRY_FOR,
  PROP_DRAIN_TIMEOUT,
  PROP_ON_ERROR,
  PROP_STATS,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

typedef enum
{
  ON_ERROR_WARN,
  ON_ERROR_ERROR,
} OnError;

typedef enum
{
  BETWEEN_FILES,
  IN_FILE,
  SKIPPING, /* what is left of a file that a flush has cut off */
} Position;

typedef struct
{
  GstPad *sinkpad;

  /* Streaming thread, and the one that changes the state while that one is out. */
  Position position;

  /* Under the object lock. */
  guint64 max_queue_bytes;
  AmsQueuePolicy queue_policy;
  guint max_parallel;
  GstClockTime retry_for;
  GstClockTime drain_timeout;
  OnError on_error;
  AmsEngine *engine; /* from READY→PAUSED to PAUSED→READY */
  gboolean playing;
  gboolean eos; /* all is delivered: EOS may be posted when playing */
  guint32 eos_seqnum;
  gboolean in_error; /* an ERROR was posted: FLOW_ERROR from now on */
} GstAmsPutSinkPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstAmsPutSink, gst_ams_put_sink,
    GST_TYPE_ELEMENT)

#define PRIVATE(sink) \
  ((GstAmsPutSinkPrivate *) gst_ams_put_sink_get_instance_private (sink))

static GType
queue_policy_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { AMS_QUEUE_BLOCK, "Upstream waits", "block" },
    { AMS_QUEUE_DROP_OLDEST, "The oldest segments are given up",
        "drop-oldest" },
    { AMS_QUEUE_ERROR, "The stream ends with an error", "error" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstAmsQueuePolicy", values));
  return type;
}

static GType
on_error_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { ON_ERROR_WARN, "A warning, and it goes on trying", "warn" },
    { ON_ERROR_ERROR, "An error", "error" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstAmsOnError", values));
  return type;
}

/* (transfer full) (nullable) */
static AmsEngine *
ref_engine (GstAmsPutSink *self)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  AmsEngine *engine = NULL;

  GST_OBJECT_LOCK (self);
  if (priv->engine)
    engine = g_object_ref (priv->engine);
  GST_OBJECT_UNLOCK (self);
  return engine;
}

/* Faults */

static void
post_error (GstAmsPutSink *self, const GError *error, const gchar *name)
{
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->in_error = TRUE;
  GST_OBJECT_UNLOCK (self);
  ams_put_post (GST_ELEMENT (self), GST_MESSAGE_ERROR, error, error->message,
      name);
}

static void
post_fault (GstAmsPutSink *self, const GError *error, const gchar *name)
{
  OnError on_error;

  GST_OBJECT_LOCK (self);
  on_error = PRIVATE (self)->on_error;
  GST_OBJECT_UNLOCK (self);
  if (on_error == ON_ERROR_ERROR)
    post_error (self, error, name);
  else
    ams_put_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, error,
        error->message, name);
}

/* What the engine says, on its thread */

static void
on_stored (const AmsFileInfo *file, gpointer user_data)
{
  GstAmsPutSink *self = user_data;

  GST_DEBUG_OBJECT (self, "stored %s, version %" G_GUINT64_FORMAT, file->name,
      file->version);
  gst_pad_push_event (PRIVATE (self)->sinkpad,
      ams_files_event_new_stored (file->name, file->version));
  ams_put_post_file (GST_ELEMENT (self),
      gst_structure_new ("ams-file-uploaded", "size", G_TYPE_UINT64, file->size,
          "version", G_TYPE_UINT64, file->version, NULL),
      file);
}

static void
on_failed (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  GstAmsPutSink *self = user_data;

  gst_pad_push_event (PRIVATE (self)->sinkpad,
      ams_files_event_new_failed (file->name));
  ams_put_post_file (GST_ELEMENT (self),
      gst_structure_new ("ams-file-failed", "reason", G_TYPE_STRING,
          error->message, NULL),
      file);
}

static void
on_warning (const GError *error, const gchar *name, gpointer user_data)
{
  post_fault (user_data, error, name);
}

static void
on_recovered (const GError *error, gpointer user_data)
{
  g_autofree gchar *text = g_strdup_printf ("It is over: %s", error->message);

  ams_put_post (user_data, GST_MESSAGE_INFO, error, text, NULL);
}

static void
on_retrying (const AmsFileInfo *file, const GError *error, guint attempts,
    gint64 delay, gpointer user_data)
{
  ams_put_post_file (user_data,
      gst_structure_new ("ams-file-retrying", "attempts", G_TYPE_UINT, attempts,
          "delay", G_TYPE_UINT64, (guint64) delay * GST_USECOND, "reason",
          G_TYPE_STRING, error->message, NULL),
      file);
}

static const AmsDeliveryCallbacks callbacks = {
  .stored = on_stored,
  .failed = on_failed,
  .warning = on_warning,
  .recovered = on_recovered,
  .retrying = on_retrying,
};

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
      post_error (self, error, NULL);
      return GST_FLOW_ERROR;
  }
}

typedef struct
{
  GstMemory *memory;
  GstMapInfo map;
} MappedMemory;

static void
unmap_memory (gpointer data)
{
  MappedMemory *mapped = data;

  gst_memory_unmap (mapped->memory, &mapped->map);
  gst_memory_unref (mapped->memory);
  g_free (mapped);
}

/* Not copied; and the memory is kept, not the buffer, so that a pool upstream gets
 * its buffer back (and sees that it has to bring a new memory). (nullable) */
static GBytes *
bytes_from_memory (GstMemory *memory)
{
  MappedMemory *mapped = g_new (MappedMemory, 1);

  mapped->memory = gst_memory_ref (memory);
  if (!gst_memory_map (memory, &mapped->map, GST_MAP_READ)) {
    gst_memory_unref (memory);
    g_free (mapped);
    return NULL;
  }
  return g_bytes_new_with_free_func (mapped->map.data, mapped->map.size,
      unmap_memory, mapped);
}

static GstFlowReturn
write_memory (GstAmsPutSink *self, AmsEngine *engine, GstMemory *memory)
{
  g_autoptr (GBytes) bytes = bytes_from_memory (memory);
  g_autoptr (GError) error = NULL;

  if (bytes)
    return flow_from_result (self, ams_engine_write (engine, bytes));
  error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
      "A buffer could not be mapped for reading");
  post_error (self, error, NULL);
  return GST_FLOW_ERROR;
}

static GstFlowReturn
write_buffer (GstAmsPutSink *self, AmsEngine *engine, GstBuffer *buffer)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < gst_buffer_n_memory (buffer) && flow == GST_FLOW_OK;
       i++)
    flow = write_memory (self, engine, gst_buffer_peek_memory (buffer, i));
  return flow;
}

/* Whether data may be written now; else *@flow is what to return for them. */
static gboolean
accepts_data (GstAmsPutSink *self, GstFlowReturn *flow)
{
  gboolean in_error;

  GST_OBJECT_LOCK (self);
  in_error = PRIVATE (self)->in_error;
  GST_OBJECT_UNLOCK (self);
  *flow = in_error ? GST_FLOW_ERROR : GST_FLOW_OK;
  if (in_error || PRIVATE (self)->position == SKIPPING)
    return FALSE;
  if (PRIVATE (self)->position == IN_FILE)
    return TRUE;
  /* Ordinary data, one file per EOS, will be taken here by the sinks that have a
   * `location`. */
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("This element takes a file stream, and no data outside of a file."),
      (NULL));
  *flow = GST_FLOW_ERROR;
  return FALSE;
}

static GstFlowReturn
gst_ams_put_sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);
  g_autoptr (AmsEngine) engine = ref_engine (self);
  GstFlowReturn flow = GST_FLOW_FLUSHING;

  if (engine && accepts_data (self, &flow))
    flow = write_buffer (self, engine, buffer);
  gst_buffer_unref (buffer);
  return flow;
}

static GstFlowReturn
gst_ams_put_sink_chain_list (GstPad *pad, GstObject *parent,
    GstBufferList *list)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);
  g_autoptr (AmsEngine) engine = ref_engine (self);
  GstFlowReturn flow = GST_FLOW_FLUSHING;

  if (engine && accepts_data (self, &flow)) {
    for (guint i = 0; i < gst_buffer_list_length (list) && flow == GST_FLOW_OK;
         i++)
      flow = write_buffer (self, engine, gst_buffer_list_get (list, i));
  }
  gst_buffer_list_unref (list);
  return flow;
}

/* Events */

/* FALSE: it is none of the file stream's. */
static gboolean
take_file_event (GstAmsPutSink *self, AmsEngine *engine, GstEvent *event)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  g_auto (AmsFileBegin) begin = { 0 };
  g_autofree gchar *name = NULL;
  AmsFileEnd end;
  gdouble after;
  guint64 size;

  if (ams_files_event_parse_begin (event, &begin)) {
    priv->position = IN_FILE;
    ams_engine_begin (engine, &begin);
  } else if (ams_files_event_parse_end (event, &end)) {
    if (priv->position == IN_FILE)
      ams_engine_end (engine, &end);
    priv->position = BETWEEN_FILES;
  } else if (ams_files_event_parse_remove (event, &name, &after)) {
    ams_engine_remove (engine, name, after);
  } else if (ams_files_event_parse_adopt (event, &name, &size)) {
    ams_engine_adopt (engine, name, size);
  } else {
    return FALSE;
  }
  return TRUE;
}

static void
handle_custom (GstAmsPutSink *self, GstEvent *event)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);

  if (engine && !take_file_event (self, engine, event))
    GST_DEBUG_OBJECT (self, "not for us: %" GST_PTR_FORMAT, event);
}

static void
post_eos (GstAmsPutSink *self, guint32 seqnum)
{
  GstMessage *message = gst_message_new_eos (GST_OBJECT (self));

  gst_message_set_seqnum (message, seqnum);
  gst_element_post_message (GST_ELEMENT (self), message);
}

/* EOS is posted while playing only; a bin forgets what was posted before. */
static void
reach_eos (GstAmsPutSink *self, guint32 seqnum)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  gboolean playing;

  GST_OBJECT_LOCK (self);
  priv->eos = TRUE;
  priv->eos_seqnum = seqnum;
  playing = priv->playing;
  GST_OBJECT_UNLOCK (self);
  if (playing)
    post_eos (self, seqnum);
}

static void
set_playing (GstAmsPutSink *self, gboolean playing)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  gboolean eos;
  guint32 seqnum;

  GST_OBJECT_LOCK (self);
  priv->playing = playing;
  eos = priv->eos;
  seqnum = priv->eos_seqnum;
  GST_OBJECT_UNLOCK (self);
  if (playing && eos)
    post_eos (self, seqnum);
}

static void
clear_eos (GstAmsPutSink *self)
{
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->eos = FALSE;
  GST_OBJECT_UNLOCK (self);
}

static gint64
drain_time (GstClockTime timeout)
{
  return GST_CLOCK_TIME_IS_VALID (timeout) ? (gint64) (timeout / GST_USECOND)
                                           : -1;
}

static void
handle_eos (GstAmsPutSink *self, guint32 seqnum)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);
  GstClockTime timeout;
  AmsDrainResult result;
  AmsEngineStats stats;

  if (!engine)
    return;
  GST_OBJECT_LOCK (self);
  timeout = PRIVATE (self)->drain_timeout;
  GST_OBJECT_UNLOCK (self);
  result = ams_engine_drain (engine, drain_time (timeout), NULL);
  if (result == AMS_DRAIN_CANCELLED)
    return;
  if (result == AMS_DRAIN_TIMEOUT) {
    ams_engine_get_stats (engine, &stats);
    ams_put_post_undelivered (GST_ELEMENT (self),
        stats.files.queued_files - stats.files.waiting_removes,
        "drain-timeout has passed at the end of the stream");
  }
  reach_eos (self, seqnum);
}

static void
handle_flush (GstAmsPutSink *self, gboolean start)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);

  if (engine)
    ams_engine_set_flushing (engine, start);
  if (start)
    return;
  /* FLUSH_STOP is serialized with the data, so this is the streaming thread. */
  if (PRIVATE (self)->position == IN_FILE)
    PRIVATE (self)->position = SKIPPING;
  clear_eos (self);
}

static gboolean
gst_ams_put_sink_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      handle_custom (self, event);
      break;
    case GST_EVENT_STREAM_START:
      clear_eos (self);
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
  return TRUE;
}

/* LATENCY and the like, which the application or the bin send to a sink. */
static gboolean
gst_ams_put_sink_send_event (GstElement *element, GstEvent *event)
{
  if (GST_EVENT_IS_UPSTREAM (event) && !GST_EVENT_IS_DOWNSTREAM (event))
    return gst_pad_push_event (PRIVATE (GST_AMS_PUT_SINK (element))->sinkpad,
        event);
  return gst_pad_send_event (PRIVATE (GST_AMS_PUT_SINK (element))->sinkpad,
      event);
}

/* Queries */

static void
answer_fetch (AmsEngine *engine, GstQuery *query, const gchar *name,
    gboolean partial, guint64 max_size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data =
      ams_engine_fetch (engine, name, partial, max_size, NULL, &error);

  if (data)
    ams_files_query_add_fetched (query, data);
  else if (error->domain == AMS_STORE_ERROR &&
      error->code == AMS_FAILURE_ABSENT)
    ams_files_query_add_absent (query);
  else
    ams_files_query_add_failed (query, error->message);
}

static void
answer_list (AmsEngine *engine, GstQuery *query, const gchar *prefix)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries =
      ams_engine_list (engine, prefix, NULL, &error);

  if (entries)
    ams_files_query_add_listed (query, entries);
  else
    ams_files_query_add_failed (query, error->message);
}

/* Adds this store's answer. (amsfiles.h says why nothing is returned.) */
static void
answer_custom (GstAmsPutSink *self, GstQuery *query)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);
  g_autofree gchar *name = NULL, *prefix = NULL;
  gboolean partial;
  guint64 max_size;

  if (ams_files_query_parse_fetch (query, &name, &partial, &max_size)) {
    if (engine)
      answer_fetch (engine, query, name, partial, max_size);
    else
      ams_files_query_add_failed (query, "the store is not open yet");
  } else if (ams_files_query_parse_list (query, &prefix)) {
    if (engine)
      answer_list (engine, query, prefix);
    else
      ams_files_query_add_failed (query, "the store is not open yet");
  }
}

static gboolean
gst_ams_put_sink_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CUSTOM:
      answer_custom (GST_AMS_PUT_SINK (parent), query);
      return FALSE;
    case GST_QUERY_DRAIN:
      return TRUE; /* the buffers' memory is kept, not the buffers */
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* LATENCY above all: asked of every sink, and answered upstream. */
static gboolean
gst_ams_put_sink_query (GstElement *element, GstQuery *query)
{
  return gst_pad_peer_query (PRIVATE (GST_AMS_PUT_SINK (element))->sinkpad,
      query);
}

/* States */

static void
get_config (GstAmsPutSink *self, AmsDeliveryConfig *config)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);

  *config = (AmsDeliveryConfig){ 0 };
  GST_OBJECT_LOCK (self);
  config->max_queue_bytes = priv->max_queue_bytes;
  config->queue_policy = priv->queue_policy;
  config->max_parallel = priv->max_parallel;
  config->retry.retry_for = GST_CLOCK_TIME_IS_VALID (priv->retry_for)
      ? (gint64) (priv->retry_for / GST_USECOND)
      : AMS_RETRY_FOREVER;
  GST_OBJECT_UNLOCK (self);
}

static void
post_cannot_start (GstAmsPutSink *self, const GError *error)
{
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("The store cannot be used: %s", error->message), (NULL));
}

static gboolean
start (GstAmsPutSink *self)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsStore) store = NULL;
  g_autoptr (AmsEngine) engine = NULL;
  AmsDeliveryConfig config;

  store = GST_AMS_PUT_SINK_GET_CLASS (self)->create_store (self, &error);
  if (!store) {
    post_cannot_start (self, error);
    return FALSE;
  }
  get_config (self, &config);
  engine = ams_engine_new (store, &config, &callbacks, gst_object_ref (self),
      gst_object_unref);
  if (!ams_engine_start (engine, &error)) {
    post_cannot_start (self, error);
    return FALSE;
  }
  priv->position = BETWEEN_FILES;
  GST_OBJECT_LOCK (self);
  priv->engine = g_steal_pointer (&engine);
  priv->eos = FALSE;
  priv->in_error = FALSE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Before the pads are deactivated, which waits for the streaming thread, which may
 * be waiting for the engine. */
static void
stop (GstAmsPutSink *self)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  gint64 grace = GST_AMS_PUT_SINK_GET_CLASS (self)->stop_grace;
  g_autoptr (AmsEngine) engine = ref_engine (self);
  AmsEngineStats stats;

  if (!engine)
    return;
  if (grace > 0)
    ams_engine_drain (engine, MIN (grace, G_TIME_SPAN_SECOND / 2), NULL);
  if (!ams_engine_stop (engine))
    GST_WARNING_OBJECT (self, "the store hangs; its thread is left behind");
  GST_OBJECT_LOCK (self);
  g_object_unref (g_steal_pointer (&priv->engine));
  GST_OBJECT_UNLOCK (self);
  ams_engine_get_stats (engine, &stats);
  /* Removes whose time has not come are nothing undelivered. */
  if (stats.files.queued_files > stats.files.waiting_removes)
    ams_put_post_undelivered (GST_ELEMENT (self),
        stats.files.queued_files - stats.files.waiting_removes,
        "delivery was stopped");
}

static GstStateChangeReturn
gst_ams_put_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_playing (self, FALSE);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stop (self);
  result = GST_ELEMENT_CLASS (gst_ams_put_sink_parent_class)
               ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      result == GST_STATE_CHANGE_FAILURE)
    stop (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING &&
      result != GST_STATE_CHANGE_FAILURE)
    set_playing (self, TRUE);
  return result;
}

void
gst_ams_put_sink_set_patient (GstAmsPutSink *self, gboolean patient)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);

  if (engine)
    ams_engine_set_patient (engine, patient);
}

gboolean
gst_ams_put_sink_drain (GstAmsPutSink *self, GstClockTime timeout)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);

  return engine &&
      ams_engine_drain (engine, drain_time (timeout), NULL) == AMS_DRAIN_DONE;
}

/* Properties */

static GstStructure *
create_stats (GstAmsPutSink *self)
{
  g_autoptr (AmsEngine) engine = ref_engine (self);
  AmsEngineStats stats = { 0 };

  if (engine)
    ams_engine_get_stats (engine, &stats);
  return ams_put_stats_to_structure (&stats);
}

static void
gst_ams_put_sink_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (GST_AMS_PUT_SINK (object));

  GST_OBJECT_LOCK (object);
  switch (id) {
    case PROP_MAX_QUEUE_BYTES:
      priv->max_queue_bytes = g_value_get_uint64 (value);
      break;
    case PROP_QUEUE_POLICY:
      priv->queue_policy = g_value_get_enum (value);
      break;
    case PROP_MAX_PARALLEL:
      priv->max_parallel = g_value_get_uint (value);
      break;
    case PROP_RETRY_FOR:
      priv->retry_for = g_value_get_uint64 (value);
      break;
    case PROP_DRAIN_TIMEOUT:
      priv->drain_timeout = g_value_get_uint64 (value);
      break;
    case PROP_ON_ERROR:
      priv->on_error = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_ams_put_sink_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (GST_AMS_PUT_SINK (object));

  if (id == PROP_STATS) {
    g_value_take_boxed (value, create_stats (GST_AMS_PUT_SINK (object)));
    return;
  }
  GST_OBJECT_LOCK (object);
  switch (id) {
    case PROP_MAX_QUEUE_BYTES:
      g_value_set_uint64 (value, priv->max_queue_bytes);
      break;
    case PROP_QUEUE_POLICY:
      g_value_set_enum (value, priv->queue_policy);
      break;
    case PROP_MAX_PARALLEL:
      g_value_set_uint (value, priv->max_parallel);
      break;
    case PROP_RETRY_FOR:
      g_value_set_uint64 (value, priv->retry_for);
      break;
    case PROP_DRAIN_TIMEOUT:
      g_value_set_uint64 (value, priv->drain_timeout);
      break;
    case PROP_ON_ERROR:
      g_value_set_enum (value, priv->on_error);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (object);
}

#define SETTABLE \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_properties (GObjectClass *object_class)
{
  props[PROP_MAX_QUEUE_BYTES] = g_param_spec_uint64 ("max-queue-bytes",
      "Maximum queue bytes",
      "Bytes kept in memory until the store has them; what happens when there "
      "are more is said by queue-policy",
      1, G_MAXINT64, DEFAULT_MAX_QUEUE_BYTES, SETTABLE);
  props[PROP_QUEUE_POLICY] = g_param_spec_enum ("queue-policy", "Queue policy",
      "What happens when the queue is full", queue_policy_get_type (),
      DEFAULT_QUEUE_POLICY, SETTABLE);
  props[PROP_MAX_PARALLEL] = g_param_spec_uint ("max-parallel",
      "Maximum in parallel", "Files on their way to the store at a time", 1,
      1024, DEFAULT_MAX_PARALLEL, SETTABLE);
  props[PROP_RETRY_FOR] = g_param_spec_uint64 ("retry-for", "Retry for",
      "Time in ns after which a file that cannot be stored is given up "
      "(-1 = never)",
      0, G_MAXUINT64, DEFAULT_RETRY_FOR, SETTABLE);
  props[PROP_DRAIN_TIMEOUT] = g_param_spec_uint64 ("drain-timeout",
      "Drain timeout",
      "Time in ns that EOS waits for all files to be stored (-1 = for ever)", 0,
      G_MAXUINT64, DEFAULT_DRAIN_TIMEOUT, SETTABLE);
  props[PROP_ON_ERROR] = g_param_spec_enum ("on-error", "On error",
      "What a fault of the store is on the bus", on_error_get_type (),
      DEFAULT_ON_ERROR, SETTABLE);
  props[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "What was delivered, and what waits for it", GST_TYPE_STRUCTURE,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

/* In instance_init the instance does not have the subclass's class yet, and so no
 * pad template. */
static void
gst_ams_put_sink_constructed (GObject *object)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (GST_AMS_PUT_SINK (object));
  GstPadTemplate *template = gst_element_class_get_pad_template (
      GST_ELEMENT_GET_CLASS (object), "sink");

  G_OBJECT_CLASS (gst_ams_put_sink_parent_class)->constructed (object);
  priv->sinkpad = gst_pad_new_from_template (template, "sink");
  gst_pad_set_chain_function (priv->sinkpad, gst_ams_put_sink_chain);
  gst_pad_set_chain_list_function (priv->sinkpad, gst_ams_put_sink_chain_list);
  gst_pad_set_event_function (priv->sinkpad, gst_ams_put_sink_sink_event);
  gst_pad_set_query_function (priv->sinkpad, gst_ams_put_sink_sink_query);
  gst_element_add_pad (GST_ELEMENT (object), priv->sinkpad);
}

static void
gst_ams_put_sink_class_init (GstAmsPutSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_put_sink_debug, "amsputsink", 0,
      "amshls: sinks of file streams");
  object_class->constructed = gst_ams_put_sink_constructed;
  object_class->set_property = gst_ams_put_sink_set_property;
  object_class->get_property = gst_ams_put_sink_get_property;
  install_properties (object_class);
  element_class->change_state = gst_ams_put_sink_change_state;
  element_class->send_event = gst_ams_put_sink_send_event;
  element_class->query = gst_ams_put_sink_query;
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_PUT_SINK, 0);
  gst_type_mark_as_plugin_api (queue_policy_get_type (), 0);
  gst_type_mark_as_plugin_api (on_error_get_type (), 0);
}

static void
gst_ams_put_sink_init (GstAmsPutSink *self)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);

  priv->max_queue_bytes = DEFAULT_MAX_QUEUE_BYTES;
  priv->queue_policy = DEFAULT_QUEUE_POLICY;
  priv->max_parallel = DEFAULT_MAX_PARALLEL;
  priv->retry_for = DEFAULT_RETRY_FOR;
  priv->drain_timeout = DEFAULT_DRAIN_TIMEOUT;
  priv->on_error = DEFAULT_ON_ERROR;
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}
