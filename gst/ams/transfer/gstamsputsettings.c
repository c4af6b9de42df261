/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/gstamsputsettings.h"

#define DEFAULT_MAX_QUEUE_BYTES (64 * 1024 * 1024)
#define DEFAULT_QUEUE_POLICY AMS_QUEUE_BLOCK
#define DEFAULT_MAX_PARALLEL 4
#define DEFAULT_RETRY_FOR GST_CLOCK_TIME_NONE
#define DEFAULT_DRAIN_TIMEOUT (30 * GST_SECOND)
#define DEFAULT_ON_ERROR GST_AMS_ON_ERROR_WARN

enum
{
  MAX_QUEUE_BYTES,
  QUEUE_POLICY,
  MAX_PARALLEL,
  RETRY_FOR,
  DRAIN_TIMEOUT,
  ON_ERROR,
  N_SETTINGS,
};

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
    { GST_AMS_ON_ERROR_WARN, "A warning, and it goes on trying", "warn" },
    { GST_AMS_ON_ERROR_ERROR, "An error", "error" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstAmsOnError", values));
  return type;
}

void
gst_ams_put_settings_init (GstAmsPutSettings *settings)
{
  *settings = (GstAmsPutSettings){
    .max_queue_bytes = DEFAULT_MAX_QUEUE_BYTES,
    .queue_policy = DEFAULT_QUEUE_POLICY,
    .max_parallel = DEFAULT_MAX_PARALLEL,
    .retry_for = DEFAULT_RETRY_FOR,
    .drain_timeout = DEFAULT_DRAIN_TIMEOUT,
    .on_error = DEFAULT_ON_ERROR,
  };
}

#define SETTABLE \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

/* What is looked at when it is needed. */
#define CHANGEABLE \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY | \
      GST_PARAM_MUTABLE_PLAYING)

guint
gst_ams_put_settings_install (GObjectClass *object_class, guint first)
{
  GParamSpec *specs[N_SETTINGS];

  specs[MAX_QUEUE_BYTES] = g_param_spec_uint64 ("max-queue-bytes",
      "Maximum queue bytes",
      "Bytes kept in memory until the store has them; what happens when there "
      "are more is said by queue-policy",
      1, G_MAXINT64, DEFAULT_MAX_QUEUE_BYTES, SETTABLE);
  specs[QUEUE_POLICY] = g_param_spec_enum ("queue-policy", "Queue policy",
      "What happens when the queue is full", queue_policy_get_type (),
      DEFAULT_QUEUE_POLICY, SETTABLE);
  specs[MAX_PARALLEL] = g_param_spec_uint ("max-parallel",
      "Maximum in parallel", "Files on their way to the store at a time", 1,
      1024, DEFAULT_MAX_PARALLEL, SETTABLE);
  specs[RETRY_FOR] = g_param_spec_uint64 ("retry-for", "Retry for",
      "Time in ns after which a file that cannot be stored is given up "
      "(-1 = never)",
      0, G_MAXUINT64, DEFAULT_RETRY_FOR, SETTABLE);
  specs[DRAIN_TIMEOUT] = g_param_spec_uint64 ("drain-timeout", "Drain timeout",
      "Time in ns that EOS waits for all files to be stored (-1 = for ever)", 0,
      G_MAXUINT64, DEFAULT_DRAIN_TIMEOUT, CHANGEABLE);
  specs[ON_ERROR] = g_param_spec_enum ("on-error", "On error",
      "What a fault of the store is on the bus", on_error_get_type (),
      DEFAULT_ON_ERROR, CHANGEABLE);
  for (guint i = 0; i < N_SETTINGS; i++)
    g_object_class_install_property (object_class, first + i, specs[i]);
  gst_type_mark_as_plugin_api (queue_policy_get_type (), 0);
  gst_type_mark_as_plugin_api (on_error_get_type (), 0);
  return first + N_SETTINGS;
}

gboolean
gst_ams_put_settings_set (GstAmsPutSettings *settings, guint index,
    const GValue *value)
{
  switch (index) {
    case MAX_QUEUE_BYTES:
      settings->max_queue_bytes = g_value_get_uint64 (value);
      break;
    case QUEUE_POLICY:
      settings->queue_policy = g_value_get_enum (value);
      break;
    case MAX_PARALLEL:
      settings->max_parallel = g_value_get_uint (value);
      break;
    case RETRY_FOR:
      settings->retry_for = g_value_get_uint64 (value);
      break;
    case DRAIN_TIMEOUT:
      settings->drain_timeout = g_value_get_uint64 (value);
      break;
    case ON_ERROR:
      settings->on_error = g_value_get_enum (value);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_ams_put_settings_get (const GstAmsPutSettings *settings, guint index,
    GValue *value)
{
  switch (index) {
    case MAX_QUEUE_BYTES:
      g_value_set_uint64 (value, settings->max_queue_bytes);
      break;
    case QUEUE_POLICY:
      g_value_set_enum (value, settings->queue_policy);
      break;
    case MAX_PARALLEL:
      g_value_set_uint (value, settings->max_parallel);
      break;
    case RETRY_FOR:
      g_value_set_uint64 (value, settings->retry_for);
      break;
    case DRAIN_TIMEOUT:
      g_value_set_uint64 (value, settings->drain_timeout);
      break;
    case ON_ERROR:
      g_value_set_enum (value, settings->on_error);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

void
gst_ams_put_settings_configure (const GstAmsPutSettings *settings,
    AmsDeliveryConfig *config)
{
  config->max_queue_bytes = settings->max_queue_bytes;
  config->queue_policy = settings->queue_policy;
  config->max_parallel = settings->max_parallel;
  config->retry.retry_for = GST_CLOCK_TIME_IS_VALID (settings->retry_for)
      ? (gint64) (settings->retry_for / GST_USECOND)
      : AMS_RETRY_FOREVER;
}
