/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/gstamsputmessages.h"

static gint
code_for (const GError *error)
{
  switch (ams_store_error_get_http_status (error)) {
    case 401:
    case 403:
    case 407:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case 404:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    default:
      break;
  }
  switch (ams_store_error_get_failure (error)) {
    case AMS_FAILURE_FULL:
      return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    case AMS_FAILURE_ABSENT:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case AMS_FAILURE_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    default:
      return GST_RESOURCE_ERROR_WRITE;
  }
}

void
ams_put_post (GstElement *self, GstMessageType type, const GError *error,
    const gchar *text, const gchar *name)
{
  guint status = ams_store_error_get_http_status (error);
  GstStructure *details =
      gst_structure_new ("details", "failure", G_TYPE_STRING,
          ams_failure_to_string (ams_store_error_get_failure (error)), NULL);

  if (name)
    gst_structure_set (details, "name", G_TYPE_STRING, name, NULL);
  if (status)
    gst_structure_set (details, "http-status-code", G_TYPE_UINT, status, NULL);
  gst_element_message_full_with_details (self, type, GST_RESOURCE_ERROR,
      code_for (error), g_strdup (text), g_strdup (error->message), __FILE__,
      G_STRFUNC, __LINE__, details);
}

void
ams_put_post_undelivered (GstElement *self, guint files, const gchar *why)
{
  g_autoptr (GError) error = ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
      "%u files are not delivered: %s", files, why);

  ams_put_post (self, GST_MESSAGE_WARNING, error, error->message, NULL);
}

void
ams_put_post_file (GstElement *self, GstStructure *s, const AmsFileInfo *file)
{
  gst_structure_set (s, "name", G_TYPE_STRING, file->name, "role",
      G_TYPE_STRING, ams_file_role_to_string (file->role), NULL);
  gst_element_post_message (self,
      gst_message_new_element (GST_OBJECT (self), s));
}

GstStructure *
ams_put_stats_to_structure (const AmsEngineStats *stats)
{
  return gst_structure_new ("application/x-ams-put-stats", "queued-bytes",
      G_TYPE_UINT64, stats->queued_bytes, "queued-files", G_TYPE_UINT,
      stats->files.queued_files, "in-flight", G_TYPE_UINT,
      stats->files.in_flight, "oldest-age", GST_TYPE_CLOCK_TIME,
      stats->files.oldest_age * GST_USECOND, "spooled-bytes", G_TYPE_UINT64,
      stats->files.spooled_bytes, "stored-files", G_TYPE_UINT64,
      stats->files.stored_files, "stored-bytes", G_TYPE_UINT64,
      stats->files.stored_bytes, "removed-files", G_TYPE_UINT64,
      stats->files.removed_files, "failed-files", G_TYPE_UINT64,
      stats->files.failed_files, "superseded", G_TYPE_UINT64,
      stats->files.superseded, "attempts", G_TYPE_UINT64, stats->files.attempts,
      "retries", G_TYPE_UINT64, stats->files.retries, NULL);
}
