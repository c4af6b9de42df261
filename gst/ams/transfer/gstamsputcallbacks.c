/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the engine says, on its thread. */

#include "config.h"

#include "transfer/gstamsputsinkprivate.h"

#include "transfer/gstamsputmessages.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_put_sink_debug);
#define GST_CAT_DEFAULT gst_ams_put_sink_debug

#define PRIVATE(sink) gst_ams_put_sink_get_private (sink)

static void
post_fault (GstAmsPutSink *self, const GError *error, const gchar *name)
{
  GstAmsOnError on_error;

  GST_OBJECT_LOCK (self);
  on_error = PRIVATE (self)->settings.on_error;
  GST_OBJECT_UNLOCK (self);
  if (on_error == GST_AMS_ON_ERROR_ERROR)
    gst_ams_put_sink_post_error (self, error, name);
  else
    ams_put_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, error,
        error->message, name);
}

static void
on_stored (const AmsFileInfo *file, gpointer user_data)
{
  GstAmsPutSink *self = user_data;

  if (file->role == AMS_FILE_ROLE_PLAYLIST)
    GST_DEBUG_OBJECT (self, "stored %s, version %" G_GUINT64_FORMAT, file->name,
        file->version);
  else
    GST_DEBUG_OBJECT (self, "stored %s, %" G_GUINT64_FORMAT " bytes",
        file->name, file->size);
  gst_pad_push_event (PRIVATE (self)->sinkpad,
      ams_files_event_new_stored (file->name, file->version));
  ams_put_post_file (GST_ELEMENT (self),
      gst_structure_new ("ams-file-uploaded", "size", G_TYPE_UINT64, file->size,
          "version", G_TYPE_UINT64, file->version, NULL),
      file);
}

GPtrArray *
gst_ams_put_sink_new_events (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) gst_event_unref);
}

/* Takes @event. Where upstream does not know of names that are taken, the file is said
 * to be given up. */
static void
say (GstAmsPutSink *self, GstEvent *event)
{
  g_autofree gchar *name = NULL;

  if (ams_files_event_parse_taken (event, &name) &&
      !g_atomic_int_get (&PRIVATE (self)->renames)) {
    gst_event_unref (event);
    event = ams_files_event_new_failed (name);
  }
  gst_pad_push_event (PRIVATE (self)->sinkpad, event);
}

/* Before the first file begins, upstream may not be there yet, or forget what it
 * hears when it starts; files of an earlier session are given up that early. */
static gboolean
keep_unsaid (GstAmsPutSink *self, GstEvent *event)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  gboolean keep;

  GST_OBJECT_LOCK (self);
  keep = !priv->said;
  if (keep)
    g_ptr_array_add (priv->unsaid, gst_event_ref (event));
  GST_OBJECT_UNLOCK (self);
  return keep;
}

void
gst_ams_put_sink_say_unsaid (GstAmsPutSink *self)
{
  GstAmsPutSinkPrivate *priv = PRIVATE (self);
  g_autoptr (GPtrArray) events = NULL;

  GST_OBJECT_LOCK (self);
  events = priv->unsaid;
  priv->unsaid = gst_ams_put_sink_new_events ();
  priv->said = TRUE;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < events->len; i++)
    say (self, gst_event_ref (g_ptr_array_index (events, i)));
}

static gboolean
is_for_good (const GError *error)
{
  switch (ams_store_error_get_failure (error)) {
    case AMS_FAILURE_EXISTS:
    case AMS_FAILURE_ABSENT:
    case AMS_FAILURE_LOST:
    case AMS_FAILURE_UNSUPPORTED:
      return TRUE;
    default:
      return FALSE;
  }
}

/* Ordinary data are one file: without it there is nothing left to do. */
static gboolean
is_all_there_is (GstAmsPutSink *self)
{
  gboolean is_all;

  GST_OBJECT_LOCK (self);
  is_all = PRIVATE (self)->has_data;
  GST_OBJECT_UNLOCK (self);
  return is_all;
}

/* What follows as an error is not said before. */
static void
on_warning (const GError *error, const gchar *name, gpointer user_data)
{
  if (!(is_for_good (error) && is_all_there_is (user_data)))
    post_fault (user_data, error, name);
}

static void
on_failed (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  GstAmsPutSink *self = user_data;

  if (is_all_there_is (self)) {
    if (!gst_ams_put_sink_is_in_error (self))
      gst_ams_put_sink_post_error (self, error, file->name);
  } else {
    g_autoptr (GstEvent) event = ams_files_event_new_failed (file->name);

    if (!keep_unsaid (self, event))
      say (self, gst_event_ref (event));
  }
  ams_put_post_file (GST_ELEMENT (self),
      gst_structure_new ("ams-file-failed", "reason", G_TYPE_STRING,
          error->message, NULL),
      file);
}

static gboolean
on_taken (const AmsFileInfo *file, const GError *error, gpointer user_data)
{
  GstAmsPutSink *self = user_data;
  g_autoptr (GstEvent) event = NULL;

  if (is_all_there_is (self))
    return FALSE;
  event = ams_files_event_new_taken (file->name);
  if (keep_unsaid (self, event))
    return TRUE;
  if (!g_atomic_int_get (&PRIVATE (self)->renames))
    return FALSE;
  gst_pad_push_event (PRIVATE (self)->sinkpad, gst_event_ref (event));
  return TRUE;
}

static void
on_recovered (const GError *error, gpointer user_data)
{
  g_autofree gchar *text = g_strdup_printf ("It is over: %s", error->message);

  ams_put_post (user_data, GST_MESSAGE_INFO, error, text, NULL);
}

static void
on_left (const gchar *name, const GError *error, gpointer user_data)
{
  g_autofree gchar *text = g_strdup_printf (
      "A file that is to be removed stays: %s", error->message);

  ams_put_post (user_data, GST_MESSAGE_WARNING, error, text, name);
}

/* It is the end of the delivery, and not of the stream: what comes is kept. */
static void
on_usurped (const GError *error, gpointer user_data)
{
  ams_put_post (user_data, GST_MESSAGE_ERROR, error, error->message, NULL);
}

static void
on_refused (const GError *error, gpointer user_data)
{
  gst_ams_put_sink_post_error (user_data, error, NULL);
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

const AmsDeliveryCallbacks gst_ams_put_sink_callbacks = {
  .stored = on_stored,
  .failed = on_failed,
  .taken = on_taken,
  .warning = on_warning,
  .recovered = on_recovered,
  .left = on_left,
  .usurped = on_usurped,
  .refused = on_refused,
  .retrying = on_retrying,
};
