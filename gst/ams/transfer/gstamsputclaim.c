/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The put sink's answer to a claim: whether another recorder writes the recording
 * that is about to come. */

#include "config.h"

#include "transfer/gstamsputsinkprivate.h"
#include "transfer/gstamsputmessages.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_put_sink_debug);
#define GST_CAT_DEFAULT gst_ams_put_sink_debug

#define PRIVATE(sink) gst_ams_put_sink_get_private (sink)

gboolean
gst_ams_put_sink_is_refused (GstAmsPutSink *self)
{
  gboolean refused;

  GST_OBJECT_LOCK (self);
  refused = PRIVATE (self)->refused;
  GST_OBJECT_UNLOCK (self);
  return refused;
}

static void
set_refused (GstAmsPutSink *self)
{
  GST_OBJECT_LOCK (self);
  PRIVATE (self)->refused = TRUE;
  GST_OBJECT_UNLOCK (self);
}

/* The one ERROR of a recording that somebody else makes. */
static void
post_busy (GstAmsPutSink *self, const GError *error)
{
  g_autofree gchar *text = g_strdup_printf (
      "A recording belongs to one recorder, and %s. Nothing of it was touched. "
      "End that one first, record under another name, or set when-busy=wait or "
      "existing=append-or-new of amshlssink.",
      error->message);

  ams_put_post (GST_ELEMENT (self), GST_MESSAGE_ERROR, error, text, NULL);
}

static void
answer_busy (GstAmsPutSink *self, GstQuery *query, const AmsClaim *claim,
    const GError *error)
{
  GST_INFO_OBJECT (self, "busy%s: %s", claim->tentative ? ", tentative" : "",
      error->message);
  if (!claim->tentative) {
    set_refused (self);
    post_busy (self, error);
  }
  ams_files_query_add_busy (query, error->message,
      ams_store_error_get_retry_after (error) * GST_SECOND, !claim->tentative);
}

/* Once a session: the recording goes on unprotected. */
static void
warn_unclaimed (GstAmsPutSink *self, const GError *error)
{
  gboolean warned;

  GST_OBJECT_LOCK (self);
  warned = PRIVATE (self)->warned_unclaimed;
  PRIVATE (self)->warned_unclaimed = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!warned)
    ams_put_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, error,
        error->message, NULL);
}

/* What a store fails at for another reason, it will say itself when it is to take
 * files. */
static void
answer_unclaimed (GstAmsPutSink *self, GstQuery *query, const GError *error)
{
  gboolean closed = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  GST_INFO_OBJECT (self, "not claimed: %s", error->message);
  if (ams_store_error_get_failure (error) == AMS_FAILURE_UNSUPPORTED)
    warn_unclaimed (self, error);
  ams_files_query_add_unclaimed (query, error->message, closed);
}

void
gst_ams_put_sink_answer_claim (GstAmsPutSink *self, AmsEngine *engine,
    GstQuery *query, const AmsClaim *claim)
{
  g_autoptr (GError) error = NULL;

  if (!ams_engine_has_claims (engine))
    return;
  if (ams_engine_claim (engine, claim, NULL, &error)) {
    GST_DEBUG_OBJECT (self, "claimed “%s”, “%s”",
        claim->playlist ? claim->playlist : "",
        claim->segments ? claim->segments : "");
    ams_files_query_add_claimed (query);
  } else if (ams_store_error_get_failure (error) == AMS_FAILURE_BUSY) {
    answer_busy (self, query, claim, error);
  } else {
    answer_unclaimed (self, query, error);
  }
}
