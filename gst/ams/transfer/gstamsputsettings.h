/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The properties that all put sinks have. */

#pragma once

#include <gst/gst.h>

#include "transfer/amsdelivery.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_ON_ERROR_WARN,
  GST_AMS_ON_ERROR_ERROR,
} GstAmsOnError;

typedef struct
{
  guint64 max_queue_bytes;
  AmsQueuePolicy queue_policy;
  guint max_parallel;
  GstClockTime retry_for;
  GstClockTime drain_timeout;
  GstAmsOnError on_error;
} GstAmsPutSettings;

void gst_ams_put_settings_init (GstAmsPutSettings *settings);
/* @first: the id of the first of them. Returns the first free one. */
guint gst_ams_put_settings_install (GObjectClass *object_class, guint first);
/* FALSE: @index (from 0) is none of theirs. */
gboolean gst_ams_put_settings_set (GstAmsPutSettings *settings, guint index,
    const GValue *value);
gboolean gst_ams_put_settings_get (const GstAmsPutSettings *settings,
    guint index, GValue *value);
/* The delivery's part of them. */
void gst_ams_put_settings_configure (const GstAmsPutSettings *settings,
    AmsDeliveryConfig *config);

G_END_DECLS
