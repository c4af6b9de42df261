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
 * delivered as they come, and with a file stream the sink takes no part in preroll.
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

#include "files/amslatesetting.h"

#include "transfer/gstamsputdata.h"
#include "transfer/gstamsputsinkprivate.h"
#include "transfer/gstamsputmessages.h"

GST_DEBUG_CATEGORY (gst_ams_put_sink_debug);
#define GST_CAT_DEFAULT gst_ams_put_sink_debug

#define FIRST_SETTING 1
static guint prop_stats; /* follows the settings */

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstAmsPutSink, gst_ams_put_sink,
    GST_TYPE_ELEMENT)

#define PRIVATE(sink) gst_ams_put_sink_get_private (sink)

GstAmsPutSinkPrivate *
gst_ams_put_sink_get_private (GstAmsPutSink *self)
{
  return gst_ams_put_sink_get_instance_private (self);
}

/* (transfer full) (nullable) */
AmsEngine *
gst_ams_put_sink_ref_engine (GstAmsPutSink *self)
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

gboolean
gst_ams_put_sink_is_in_error (GstAmsPutSink *self)
{
  gboolean in_error;

  GST_OBJECT_LOCK (self);
  in_error = PRIVATE (self)->in_error;
  GST_OBJECT_UNLOCK (self);
  return in_error;
}

static gboolean
is_closed (GstAmsPutSink *self)
{
  gboolean closed;

  GST_OBJECT_LOCK (self);
  closed = PRIVATE (self)->closed;
  GST_OBJECT_UNLOCK (self);
  return closed;
}

static gboolean
is_in_error (gpointer self)
{
  return gst_ams_put_sink_is_in_error (self);
}

void
gst_ams_put_sink_post_error (GstAmsPutSink *self, const GError *error,
    const gchar *name)
{
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->in_error = TRUE;
  GST_OBJECT_UNLOCK (self);
  ams_put_post (GST_ELEMENT (self), GST_MESSAGE_ERROR, error, error->message,
      name);
}

void
gst_ams_put_sink_post_lost (GstAmsPutSink *self, guint files, guint64 bytes)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  g_autoptr (GError) error = NULL;

  error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
      "The stream has ended and drain-timeout has passed, but %u file(s) (%" G_GUINT64_FORMAT
      " bytes of media) are in memory only and will be lost: %s.",
      files, bytes,
      klass->get_lost_advice ? klass->get_lost_advice (self)
                             : "set a longer drain-timeout");
  gst_ams_put_sink_post_error (self, error, NULL);
}

/* Preroll
 *
 * A pipeline counts on its sinks to be done with READY→PAUSED only when data have come.
 * If one is not, gst_bin_state_changed() of GStreamer 1.22 may be told of PAUSED after it
 * was told of PLAYING, by two threads, and then a bin never forwards EOS: splitmuxsink
 * hung at the end in 8 of 12 runs. Data are not held back meanwhile, though. */

static void
commit_preroll (GstElement *element, gpointer user_data)
{
  gboolean ours;

  GST_STATE_LOCK (element);
  GST_OBJECT_LOCK (element);
  ours = GST_STATE_RETURN (element) == GST_STATE_CHANGE_ASYNC &&
      GST_STATE_NEXT (element) == GST_STATE_PAUSED;
  GST_OBJECT_UNLOCK (element);
  if (ours) {
    gst_element_continue_state (element, GST_STATE_CHANGE_SUCCESS);
    gst_element_post_message (element,
        gst_message_new_async_done (GST_OBJECT (element), GST_CLOCK_TIME_NONE));
  }
  GST_STATE_UNLOCK (element);
}

/* In a thread of its own: the state lock may be held by who waits for this one. */
void
gst_ams_put_sink_preroll (GstAmsPutSink *self)
{
  gboolean prerolling;

  GST_OBJECT_LOCK (self);
  prerolling = PRIVATE (self)->prerolling;
  PRIVATE (self)->prerolling = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (prerolling)
    gst_element_call_async (GST_ELEMENT (self), commit_preroll, NULL, NULL);
}

/* The state goes down again, and nothing has come: bins wait for word of that. */
static void
end_preroll (GstAmsPutSink *self)
{
  gboolean prerolling;

  GST_OBJECT_LOCK (self);
  prerolling = PRIVATE (self)->prerolling;
  PRIVATE (self)->prerolling = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (prerolling)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_async_done (GST_OBJECT (self), GST_CLOCK_TIME_NONE));
}

/* Before the pads are active. */
static gboolean
begin_preroll (GstAmsPutSink *self)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  gboolean expects_data = klass->expects_data && klass->expects_data (self);

  GST_OBJECT_LOCK (self);
  PRIVATE (self)->prerolling = expects_data;
  GST_OBJECT_UNLOCK (self);
  if (expects_data)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_async_start (GST_OBJECT (self)));
  return expects_data;
}

static void
post_eos (GstAmsPutSink *self, guint32 seqnum)
{
  GstMessage *message = gst_message_new_eos (GST_OBJECT (self));

  gst_message_set_seqnum (message, seqnum);
  gst_element_post_message (GST_ELEMENT (self), message);
}

/* EOS is posted while playing only; a bin forgets what was posted before. */
void
gst_ams_put_sink_reach_eos (GstAmsPutSink *self, guint32 seqnum)
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

void
gst_ams_put_sink_clear_eos (GstAmsPutSink *self)
{
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->eos = FALSE;
  GST_OBJECT_UNLOCK (self);
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
answer_question (GstAmsPutSink *self, GstQuery *query)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);
  g_auto (AmsClaim) claim = { NULL };

  if (gst_ams_put_sink_is_refused (self))
    return;
  if (engine && ams_files_query_parse_claim (query, &claim))
    gst_ams_put_sink_answer_claim (self, engine, query, &claim);
  else
    ams_put_answer (engine, is_closed (self), query, is_in_error, self);
}

/* Stores answer by adding to the query and return FALSE (amsfiles.h says why). */
static gboolean
gst_ams_put_sink_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstAmsPutSink *self = GST_AMS_PUT_SINK (parent);
  gint64 since;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CUSTOM:
      answer_question (self, query);
      return FALSE;
    case GST_QUERY_DRAIN:
      if (!ams_files_query_parse_drain (query, &since))
        return TRUE; /* the buffers' memory is kept, not the buffers */
      gst_ams_put_sink_handle_drain (self, since);
      return FALSE;
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

static gboolean
configure (GstAmsPutSink *self, AmsDeliveryConfig *config, GError **error)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);

  *config = (AmsDeliveryConfig){ 0 };
  GST_OBJECT_LOCK (self);
  gst_ams_put_settings_configure (&PRIVATE (self)->settings, config);
  GST_OBJECT_UNLOCK (self);
  return !klass->configure || klass->configure (self, config, error);
}

static void
post_cannot_start (GstAmsPutSink *self, const GError *error)
{
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("The store cannot be used: %s", error->message), (NULL));
}

static gboolean
check (GstAmsPutSink *self)
{
  GstAmsPutSinkClass *klass = GST_AMS_PUT_SINK_GET_CLASS (self);
  g_autoptr (GError) error = NULL;

  if (!klass->check || klass->check (self, &error))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  return FALSE;
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
  if (!store || !configure (self, &config, &error)) {
    post_cannot_start (self, error);
    return FALSE;
  }
  engine = ams_engine_new (store, &config, &gst_ams_put_sink_callbacks,
      gst_object_ref (self), gst_object_unref);
  if (!ams_engine_start (engine, &error)) {
    post_cannot_start (self, error);
    return FALSE;
  }
  g_array_set_size (priv->positions, 0);
  gst_ams_put_sink_select (self, engine, 0);
  priv->drain_until = 0;
  priv->kept_up = FALSE;
  priv->said = FALSE;
  priv->has_data = FALSE;
  g_ptr_array_set_size (priv->unsaid, 0);
  g_atomic_int_set (&priv->renames, FALSE);
  priv->notified = 0;
  g_clear_pointer (&priv->final, g_free);
  GST_OBJECT_LOCK (self);
  priv->engine = g_steal_pointer (&engine);
  priv->closed = FALSE;
  priv->eos = FALSE;
  priv->in_error = FALSE;
  priv->refused = FALSE;
  priv->warned_unclaimed = FALSE;
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
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);
  AmsEngineStats stats;

  if (!engine)
    return;
  if (grace > 0)
    ams_engine_drain (engine, MIN (grace, G_TIME_SPAN_SECOND / 2), NULL);
  if (!ams_engine_stop (engine))
    GST_WARNING_OBJECT (self, "the store hangs; its thread is left behind");
  GST_OBJECT_LOCK (self);
  g_object_unref (g_steal_pointer (&priv->engine));
  priv->closed = TRUE;
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
  gboolean is_async = FALSE;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !check (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    ams_forget_late_settings (element);
    if (!start (self))
      return GST_STATE_CHANGE_FAILURE;
    is_async = begin_preroll (self);
  }
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_playing (self, FALSE);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    end_preroll (self);
    stop (self);
  }
  result = GST_ELEMENT_CLASS (gst_ams_put_sink_parent_class)
               ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      result == GST_STATE_CHANGE_FAILURE) {
    end_preroll (self);
    stop (self);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING &&
      result != GST_STATE_CHANGE_FAILURE)
    set_playing (self, TRUE);
  if (is_async && result == GST_STATE_CHANGE_SUCCESS)
    return GST_STATE_CHANGE_ASYNC;
  return result;
}

void
gst_ams_put_sink_set_patient (GstAmsPutSink *self, gboolean patient)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);

  if (engine)
    ams_engine_set_patient (engine, patient);
}

gboolean
gst_ams_put_sink_drain (GstAmsPutSink *self, GstClockTime timeout)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);

  return engine &&
      ams_engine_drain (engine, gst_ams_put_sink_drain_time (timeout), NULL) ==
      AMS_DRAIN_DONE;
}

/* Properties */

static GstStructure *
create_stats (GstAmsPutSink *self)
{
  g_autoptr (AmsEngine) engine = gst_ams_put_sink_ref_engine (self);
  AmsEngineStats stats = { 0 };

  if (engine)
    ams_engine_get_stats (engine, &stats);
  return ams_put_stats_to_structure (&stats);
}

static void
gst_ams_put_sink_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstAmsPutSettings *settings = &PRIVATE (GST_AMS_PUT_SINK (object))->settings;
  gboolean ok;

  ams_warn_late_setting (GST_ELEMENT (object), value, pspec);
  GST_OBJECT_LOCK (object);
  ok = gst_ams_put_settings_set (settings, id - FIRST_SETTING, value);
  GST_OBJECT_UNLOCK (object);
  if (!ok)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ams_put_sink_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  const GstAmsPutSettings *settings =
      &PRIVATE (GST_AMS_PUT_SINK (object))->settings;
  gboolean ok;

  if (id == prop_stats) {
    g_value_take_boxed (value, create_stats (GST_AMS_PUT_SINK (object)));
    return;
  }
  GST_OBJECT_LOCK (object);
  ok = gst_ams_put_settings_get (settings, id - FIRST_SETTING, value);
  GST_OBJECT_UNLOCK (object);
  if (!ok)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
install_properties (GObjectClass *object_class)
{
  prop_stats = gst_ams_put_settings_install (object_class, FIRST_SETTING);
  g_object_class_install_property (object_class, prop_stats,
      g_param_spec_boxed ("stats", "Statistics",
          "What was delivered, and what waits for it", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
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
gst_ams_put_sink_finalize (GObject *object)
{
  g_free (PRIVATE (GST_AMS_PUT_SINK (object))->final);
  g_ptr_array_unref (PRIVATE (GST_AMS_PUT_SINK (object))->unsaid);
  g_array_unref (PRIVATE (GST_AMS_PUT_SINK (object))->positions);
  G_OBJECT_CLASS (gst_ams_put_sink_parent_class)->finalize (object);
}

static void
gst_ams_put_sink_class_init (GstAmsPutSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_put_sink_debug, "amsputsink", 0,
      "amshls: sinks of file streams");
  object_class->constructed = gst_ams_put_sink_constructed;
  object_class->finalize = gst_ams_put_sink_finalize;
  object_class->set_property = gst_ams_put_sink_set_property;
  object_class->get_property = gst_ams_put_sink_get_property;
  install_properties (object_class);
  element_class->change_state = gst_ams_put_sink_change_state;
  element_class->send_event = gst_ams_put_sink_send_event;
  element_class->query = gst_ams_put_sink_query;
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_PUT_SINK, 0);
}

static void
gst_ams_put_sink_init (GstAmsPutSink *self)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);

  gst_ams_put_settings_init (&priv->settings);
  priv->unsaid = gst_ams_put_sink_new_events ();
  priv->positions = g_array_new (FALSE, TRUE, sizeof (GstAmsPutPosition));
  g_array_set_size (priv->positions, 1);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}
