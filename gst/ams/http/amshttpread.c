/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpread.h"

#include "http/amsgzip.h"
#include "transfer/amsstore.h"

const gchar *const ams_http_read_headers[] = { "Accept-Encoding", "identity",
  "Cache-Control", "no-cache", NULL };

static const gchar *
encoding_of (const AmsHttpReply *reply)
{
  return soup_message_headers_get_one (reply->headers, "Content-Encoding");
}

gboolean
ams_http_reply_is_encoded (const AmsHttpReply *reply)
{
  const gchar *encoding = encoding_of (reply);

  return encoding && g_ascii_strcasecmp (encoding, "identity") != 0;
}

GBytes *
ams_http_reply_unpack (const AmsHttpReply *reply, guint64 max_size,
    GError **error)
{
  const gchar *encoding = encoding_of (reply);

  if (ams_http_reply_is_encoded (reply) &&
      g_ascii_strcasecmp (encoding, "gzip") != 0 &&
      g_ascii_strcasecmp (encoding, "x-gzip") != 0) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, reply->status, 0,
            "the server sends it in a Content-Encoding that was not asked for"));
    return NULL;
  }
  /* Nothing came. */
  if (!reply->body)
    return g_bytes_new (NULL, 0);
  if (!ams_gzip_is (reply->body))
    return g_bytes_ref (reply->body);
  return ams_gzip_decompress (reply->body, max_size, error);
}

void
ams_http_patience_init (AmsHttpPatience *patience, gint64 span)
{
  patience->deadline = g_get_monotonic_time () + span;
  patience->attempts = 0;
}

static gboolean
may_pass (const GError *error)
{
  return g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT) ||
      g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_THROTTLED);
}

/* Who asks may be waiting to record. */
static void
end_when_cancelled (GSource *source, GCancellable *cancellable)
{
  g_autoptr (GSource) cancelled = NULL;

  if (!cancellable)
    return;
  cancelled = g_cancellable_source_new (cancellable);
  g_source_set_dummy_callback (cancelled);
  g_source_add_child_source (source, cancelled);
}

gboolean
ams_http_patience_wait (AmsHttpPatience *patience, GTask *task,
    const GError *error, GSourceFunc again)
{
  g_autoptr (GSource) source = NULL;
  gint64 delay;

  if (!may_pass (error))
    return FALSE;
  delay =
      ams_retry_delay (ams_store_error_get_failure (error), patience->attempts,
          ams_store_error_get_retry_after (error), g_random_double ());
  if (g_get_monotonic_time () + delay > patience->deadline)
    return FALSE;
  source = g_timeout_source_new (delay / G_TIME_SPAN_MILLISECOND);
  end_when_cancelled (source, g_task_get_cancellable (task));
  g_task_attach_source (task, source, again);
  return TRUE;
}
