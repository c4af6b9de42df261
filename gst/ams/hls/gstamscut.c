/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamscut.h"

#define EVENT_NAME "ams-cut"

GstEvent *
gst_ams_cut_event_new (const GstAmsCut *cut)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (EVENT_NAME, "kind", G_TYPE_INT, (gint) cut->kind,
          "pts", G_TYPE_INT64, cut->pts, "end", G_TYPE_INT64, cut->end,
          "date-time", G_TYPE_INT64, cut->date_time, "running-time",
          G_TYPE_INT64, cut->running_time, "discontinuity", G_TYPE_BOOLEAN,
          cut->discontinuity, "video", G_TYPE_BOOLEAN, cut->video, NULL));
}

gboolean
gst_ams_cut_event_parse (GstEvent *event, GstAmsCut *cut)
{
  const GstStructure *s = gst_event_get_structure (event);
  gint kind;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM || !s ||
      !gst_structure_has_name (s, EVENT_NAME) ||
      !gst_structure_get (s, "kind", G_TYPE_INT, &kind, "pts", G_TYPE_INT64,
          &cut->pts, "end", G_TYPE_INT64, &cut->end, "date-time", G_TYPE_INT64,
          &cut->date_time, "running-time", G_TYPE_INT64, &cut->running_time,
          "discontinuity", G_TYPE_BOOLEAN, &cut->discontinuity, "video",
          G_TYPE_BOOLEAN, &cut->video, NULL))
    return FALSE;
  cut->kind = kind;
  return TRUE;
}
