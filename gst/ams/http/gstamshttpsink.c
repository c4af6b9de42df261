/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/gstamshttpsink.h"

#include "files/amslatesetting.h"

#include "http/gstamshttpsettings.h"

#include <json-glib/json-glib.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (gst_ams_http_sink_debug);
#define GST_CAT_DEFAULT gst_ams_http_sink_debug

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

typedef struct
{
  /* Under the object lock. */
  GstAmsHttpSettings settings;
  GstAmsHttpTarget *target; /* g_atomic_rc_box; that of the last READY→PAUSED */
} GstAmsHttpSinkPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstAmsHttpSink, gst_ams_http_sink,
    GST_TYPE_AMS_PUT_SINK)

#define PRIVATE(sink) \
  ((GstAmsHttpSinkPrivate *) gst_ams_http_sink_get_instance_private (sink))

/* Where files go */

static void
clear_target (gpointer data)
{
  GstAmsHttpTarget *target = data;

  ams_http_options_clear (&target->http);
  ams_http_store_options_clear (&target->store);
  g_free (target->scheme);
  g_free (target->location);
  g_free (target->destination);
  g_free (target->name);
  if (target->free_own)
    target->free_own (target->own);
}

static void
target_unref (GstAmsHttpTarget *target)
{
  g_atomic_rc_box_release_full (target, clear_target);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAmsHttpTarget, target_unref)

static GstAmsHttpTarget *
ref_target (GstAmsHttpSink *self)
{
  GstAmsHttpTarget *target = NULL;

  GST_OBJECT_LOCK (self);
  if (PRIVATE (self)->target)
    target = g_atomic_rc_box_acquire (PRIVATE (self)->target);
  GST_OBJECT_UNLOCK (self);
  return target;
}

static void
set_target (GstAmsHttpSink *self, GstAmsHttpTarget *target)
{
  GstAmsHttpTarget *before;

  GST_OBJECT_LOCK (self);
  before = PRIVATE (self)->target;
  PRIVATE (self)->target = target;
  GST_OBJECT_UNLOCK (self);
  if (before)
    target_unref (before);
}

static void
copy_settings (GstAmsHttpSink *self, GstAmsHttpSettings *copy)
{
  GST_OBJECT_LOCK (self);
  gst_ams_http_settings_copy (copy, &PRIVATE (self)->settings);
  GST_OBJECT_UNLOCK (self);
}

static GstAmsHttpTarget *
resolve (GstAmsHttpSink *self, GstAmsHttpSettings *settings, GError **error)
{
  g_autoptr (GstAmsHttpTarget) target = g_atomic_rc_box_new0 (GstAmsHttpTarget);

  if (!gst_ams_http_settings_check (settings, error))
    return NULL;
  g_object_get (self, "max-parallel", &settings->http.max_connections, NULL);
  ams_http_options_copy (&target->http, &settings->http);
  ams_http_store_options_copy (&target->store, &settings->store);
  if (!GST_AMS_HTTP_SINK_GET_CLASS (self)->resolve (self, target, error))
    return NULL;
  return g_steal_pointer (&target);
}

/* The base class's questions */

static gboolean
gst_ams_http_sink_check (GstAmsPutSink *sink, GError **error)
{
  GstAmsHttpSink *self = GST_AMS_HTTP_SINK (sink);
  g_auto (GstAmsHttpSettings) settings;
  g_autoptr (GstAmsHttpTarget) target = NULL;
  g_autoptr (AmsHttpClient) client = NULL;

  copy_settings (self, &settings);
  target = resolve (self, &settings, error);
  if (target)
    client = ams_http_client_new (&target->http, target->scheme, error);
  return client != NULL;
}

/* The properties may have been set since READY. */
static gboolean
update_target (GstAmsHttpSink *self, GstAmsHttpSettings *settings,
    GError **error)
{
  GstAmsHttpTarget *target;

  copy_settings (self, settings);
  target = resolve (self, settings, error);
  set_target (self, target);
  return target != NULL;
}

static AmsStore *
gst_ams_http_sink_create_store (GstAmsPutSink *sink, GError **error)
{
  GstAmsHttpSink *self = GST_AMS_HTTP_SINK (sink);
  g_auto (GstAmsHttpSettings) settings;
  g_autoptr (GstAmsHttpTarget) target = NULL;
  g_autoptr (AmsHttpClient) client = NULL;

  if (!update_target (self, &settings, error))
    return NULL;
  target = ref_target (self);
  client = ams_http_client_new (&target->http, target->scheme, error);
  if (!client)
    return NULL;
  return GST_AMS_HTTP_SINK_GET_CLASS (self)->make_store (self, target, client,
      error);
}

static AmsStore *
gst_ams_http_sink_make_store (GstAmsHttpSink *self,
    const GstAmsHttpTarget *target, AmsHttpClient *client, GError **error)
{
  return ams_http_store_new (client, &target->store);
}

static gboolean
open_spool (GstAmsHttpSink *self, const GstAmsHttpSettings *settings,
    const gchar *destination, AmsDeliveryConfig *config, GError **error)
{
  const gchar *notice;

  config->spool = ams_spool_open (settings->spool_dir, destination, error);
  if (!config->spool)
    return FALSE;
  ams_spool_set_suffix (config->spool, settings->spool_suffix);
  notice = ams_spool_get_notice (config->spool);
  if (notice)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", notice), (NULL));
  return TRUE;
}

/* A full memory does not empty before EOS, which does not come while upstream waits. */
static void
set_upload (const GstAmsHttpSettings *settings, AmsDeliveryConfig *config)
{
  config->at_eos = settings->upload == GST_AMS_UPLOAD_AT_EOS;
  if (config->at_eos && !settings->spool_dir &&
      config->queue_policy == AMS_QUEUE_BLOCK)
    config->queue_policy = AMS_QUEUE_ERROR;
}

static gboolean
gst_ams_http_sink_configure (GstAmsPutSink *sink, AmsDeliveryConfig *config,
    GError **error)
{
  GstAmsHttpSink *self = GST_AMS_HTTP_SINK (sink);
  g_auto (GstAmsHttpSettings) settings;
  g_autoptr (GstAmsHttpTarget) target = NULL;

  if (!update_target (self, &settings, error))
    return FALSE;
  target = ref_target (self);
  GST_INFO_OBJECT (self, "to %s, which is %s", target->location,
      target->destination);
  set_upload (&settings, config);
  config->playlist_min_interval = settings.playlist_min_interval / GST_USECOND;
  config->has_breaker = TRUE;
  return !settings.spool_dir ||
      open_spool (self, &settings, target->destination, config, error);
}

static const gchar *
content_type_of (const GstAmsHttpTarget *target, const AmsFileBegin *data)
{
  const gchar *type = target->store.content_type;

  return type && *type ? type : ams_file_content_type (data->role, data->name);
}

static gboolean
gst_ams_http_sink_begin_stream (GstAmsPutSink *sink, AmsFileBegin *data,
    GError **error)
{
  g_autoptr (GstAmsHttpTarget) target = ref_target (GST_AMS_HTTP_SINK (sink));

  if (data && target->name) {
    data->name = g_strdup (target->name);
    data->role = AMS_FILE_ROLE_SEGMENT;
    data->content_type = g_strdup (content_type_of (target, data));
    return TRUE;
  }
  if (!data && !target->name)
    return TRUE;
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
          data
              ? "What comes in is no file stream but data, which become one file, "
                "and “%s” is a folder: put the file’s name into location (or take the "
                "files of amshlssink from its src pad)"
              : "A file stream comes in, whose files have names of their own, and "
                "“%s” is a file: name a folder in location, with “/” at its end",
          target->location));
  return FALSE;
}

static gboolean
gst_ams_http_sink_expects_data (GstAmsPutSink *sink)
{
  g_autoptr (GstAmsHttpTarget) target = ref_target (GST_AMS_HTTP_SINK (sink));

  return target->name != NULL;
}

static const gchar *
gst_ams_http_sink_get_lost_advice (GstAmsPutSink *sink)
{
  GstAmsHttpSink *self = GST_AMS_HTTP_SINK (sink);
  gboolean spooled;

  GST_OBJECT_LOCK (self);
  spooled = PRIVATE (self)->settings.spool_dir != NULL;
  GST_OBJECT_UNLOCK (self);
  return spooled
      ? "the disk of spool-dir does not take them. Make room there, so "
        "that the next start sends them"
      : "set spool-dir, so that the next start sends them, or a longer "
        "drain-timeout";
}

static void
add_string (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  json_builder_set_member_name (builder, name);
  if (value)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_number (JsonBuilder *builder, const gchar *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, MIN (value, G_MAXINT64));
}

static GBytes *
builder_to_bytes (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  gchar *text = json_to_string (root, FALSE);

  return g_bytes_new_take (text, strlen (text));
}

static GBytes *
gst_ams_http_sink_describe (GstAmsPutSink *sink, const AmsEngineStats *stats,
    const gchar *final)
{
  g_autoptr (GstAmsHttpTarget) target = ref_target (GST_AMS_HTTP_SINK (sink));
  g_autoptr (JsonBuilder) builder = NULL;
  g_autoptr (GDateTime) now = NULL;
  g_autofree gchar *date = NULL;

  if (!target || !target->store.notify_url)
    return NULL;
  now = g_date_time_new_now_utc ();
  date = g_date_time_format_iso8601 (now);
  builder = json_builder_new ();
  json_builder_begin_object (builder);
  add_string (builder, "event", "recording-ended");
  add_string (builder, "location", target->location);
  add_string (builder, "playlist", final);
  add_number (builder, "files", stats->files.handed_files);
  add_number (builder, "bytes", stats->files.handed_bytes);
  add_number (builder, "failed", stats->files.failed_files);
  add_string (builder, "ended", date);
  json_builder_end_object (builder);
  return builder_to_bytes (builder);
}

/* Properties */

static void
gst_ams_http_sink_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstAmsHttpSinkPrivate *priv = PRIVATE (GST_AMS_HTTP_SINK (object));
  gboolean known;

  ams_warn_late_setting (GST_ELEMENT (object), value, pspec);
  GST_OBJECT_LOCK (object);
  known = gst_ams_http_settings_set (&priv->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ams_http_sink_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstAmsHttpSinkPrivate *priv = PRIVATE (GST_AMS_HTTP_SINK (object));
  gboolean known;

  GST_OBJECT_LOCK (object);
  known = gst_ams_http_settings_get (&priv->settings, id, value);
  GST_OBJECT_UNLOCK (object);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_ams_http_sink_finalize (GObject *object)
{
  GstAmsHttpSinkPrivate *priv = PRIVATE (GST_AMS_HTTP_SINK (object));

  gst_ams_http_settings_clear (&priv->settings);
  g_clear_pointer (&priv->target, target_unref);
  G_OBJECT_CLASS (gst_ams_http_sink_parent_class)->finalize (object);
}

static void
gst_ams_http_sink_class_init (GstAmsHttpSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstAmsPutSinkClass *put_class = GST_AMS_PUT_SINK_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ams_http_sink_debug, "amshttpsink", 0,
      "amshls: sinks whose store is spoken to over HTTP");
  object_class->set_property = gst_ams_http_sink_set_property;
  object_class->get_property = gst_ams_http_sink_get_property;
  object_class->finalize = gst_ams_http_sink_finalize;
  gst_ams_http_settings_install (object_class);
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &sink_template);
  put_class->check = gst_ams_http_sink_check;
  put_class->configure = gst_ams_http_sink_configure;
  put_class->create_store = gst_ams_http_sink_create_store;
  put_class->begin_stream = gst_ams_http_sink_begin_stream;
  put_class->expects_data = gst_ams_http_sink_expects_data;
  put_class->get_lost_advice = gst_ams_http_sink_get_lost_advice;
  put_class->describe = gst_ams_http_sink_describe;
  klass->make_store = gst_ams_http_sink_make_store;
  gst_type_mark_as_plugin_api (GST_TYPE_AMS_HTTP_SINK, 0);
}

static void
gst_ams_http_sink_init (GstAmsHttpSink *self)
{
  gst_ams_http_settings_init (&PRIVATE (self)->settings);
}
