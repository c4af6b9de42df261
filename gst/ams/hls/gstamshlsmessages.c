/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamshlsmessages.h"

static gchar *
location_of (const gchar *root, const gchar *name)
{
  return root ? g_build_filename (root, name, NULL) : g_strdup (name);
}

GstMessage *
gst_ams_hls_message_new_started (GstElement *src, const gchar *root,
    AmsRecording *recording, const GstAmsRecovered *recovered)
{
  g_autofree gchar *location =
      location_of (root, ams_recording_get_playlist_name (recording));

  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("ams-recording-started", "playlist-location",
          G_TYPE_STRING, location, "continued", G_TYPE_BOOLEAN,
          recovered->continued, "recovered", G_TYPE_UINT, recovered->recovered,
          "next-number", G_TYPE_UINT64,
          ams_recording_get_next_number (recording), "target-duration",
          G_TYPE_UINT, ams_recording_get_target_duration (recording), NULL));
}

GstMessage *
gst_ams_hls_message_new_waiting (GstElement *src, const gchar *root,
    AmsRecording *recording, const gchar *why)
{
  g_autofree gchar *location =
      location_of (root, ams_recording_get_playlist_name (recording));

  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("ams-recording-waiting", "playlist-location",
          G_TYPE_STRING, location, "reason", G_TYPE_STRING, why, NULL));
}

GstMessage *
gst_ams_hls_message_new_segment (GstElement *src, const gchar *root,
    const AmsRecordingSegment *segment, guint64 running_time)
{
  g_autofree gchar *location = location_of (root, segment->name);
  g_autoptr (GDateTime) seconds =
      g_date_time_new_from_unix_utc (segment->date_time / G_USEC_PER_SEC);
  g_autoptr (GDateTime) date =
      g_date_time_add (seconds, segment->date_time % G_USEC_PER_SEC);
  g_autoptr (GstDateTime) gst_date =
      gst_date_time_new_from_g_date_time (g_date_time_ref (date));

  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("hls-segment-added", "location", G_TYPE_STRING,
          location, "running-time", G_TYPE_UINT64, running_time, "duration",
          G_TYPE_UINT64, segment->duration, "sequence", G_TYPE_UINT64,
          segment->sequence, "size", G_TYPE_UINT64, segment->size, "date-time",
          GST_TYPE_DATE_TIME, gst_date, "discontinuity", G_TYPE_BOOLEAN,
          segment->discontinuity, NULL));
}

GstMessage *
gst_ams_hls_message_rename_segment (GstMessage *message, const gchar *root,
    const gchar *name)
{
  g_autofree gchar *location = location_of (root, name);

  message = gst_message_make_writable (message);
  gst_structure_set (gst_message_writable_structure (message), "location",
      G_TYPE_STRING, location, NULL);
  return message;
}

GstMessage *
gst_ams_hls_message_new_ended (GstElement *src, const gchar *root,
    AmsRecording *recording)
{
  g_autofree gchar *location =
      location_of (root, ams_recording_get_playlist_name (recording));
  AmsRecordingStats stats;

  ams_recording_get_stats (recording, &stats);
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("ams-recording-ended", "playlist-location",
          G_TYPE_STRING, location, "segments", G_TYPE_UINT64, stats.segments,
          "recovered", G_TYPE_UINT64, stats.recovered, "gaps", G_TYPE_UINT64,
          stats.gaps, "discontinuities", G_TYPE_UINT64, stats.discontinuities,
          "bytes", G_TYPE_UINT64, stats.bytes, "duration", G_TYPE_UINT64,
          stats.duration, NULL));
}

#define ECHO "ams-echo"

GstStructure *
gst_ams_hls_details_new_echo (void)
{
  return gst_structure_new_empty (ECHO);
}

gboolean
gst_ams_hls_message_is_echo (GstMessage *message)
{
  const GstStructure *details = NULL;

  gst_message_parse_error_details (message, &details);
  return details && gst_structure_has_name (details, ECHO);
}
