/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a recording starts and ends. */

#include "config.h"

#include "gstamspublisherprivate.h"

#include "gstamshlsmessages.h"
#include "gstamssibling.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_mux_debug);
#define GST_CAT_DEFAULT gst_ams_hls_mux_debug

/* A last playlist is made anew so often at most, while stores give files up or find their names taken. */
#define MAX_FINALS 16

/* ---- starting and ending ---- */

/* A remote store is referred to files on the disk once they are there. */
static void
push_handover (GstAmsPublisher *self, const GstAmsHandover *handover)
{
  gst_ams_handover_post_warnings (handover, self->element);
  gst_ams_handover_push (handover->local, self->local);
  if (handover->local->len > 0 && handover->remote->len > 0)
    self->drain (self->drain_data);
  gst_ams_handover_push (handover->remote, self->remote);
}

/* Without a journal, it is the playlist that says to whoever comes after a kill that somebody
 * records: it has no end any more. */
static gboolean
has_news (GstAmsPublisher *self, const GstAmsRecovered *recovered)
{
  return recovered->recovered > 0 || recovered->behind ||
      (recovered->was_ended && !gst_pad_is_linked (self->local));
}

static void
push_recovered (GstAmsPublisher *self, const GstAmsRecovered *recovered)
{
  g_auto (AmsRecordingVersion) version = {
    NULL,
  };

  /* Before any of it has a segment's name: after a kill, a segment that is in no
   * playlist would be nobody's otherwise. */
  if (recovered->recovered > 0)
    gst_ams_publisher_push_journal (self);
  push_handover (self, &recovered->handover);
  if (!has_news (self, recovered))
    return;
  g_mutex_lock (&self->lock);
  ams_recording_render (self->recording, &version);
  g_mutex_unlock (&self->lock);
  gst_ams_publisher_push_version (self, &version);
}

static void
push_other_sessions (GstAmsPublisher *self, const GstAmsStores *stores)
{
  g_auto (GstAmsHandover) handover = {
    NULL,
  };

  if (!gst_ams_publisher_has_journal (self))
    return;
  gst_ams_handover_init (&handover);
  if (gst_ams_siblings_finish (self->recording, stores, self->claimer,
          &handover))
    push_handover (self, &handover);
}

/* An earlier playlist's EXT-X-TARGETDURATION never changes: its promise is
 * kept. */
static void
keep_promise (GstAmsPublisher *self, gint64 end_time)
{
  guint wanted = ams_recording_get_config (self->recording)->target_duration;
  guint promised = ams_recording_get_target_duration (self->recording);

  if (promised < wanted)
    GST_ELEMENT_INFO (self->element, STREAM, MUX,
        ("The earlier playlist promises segments of at most %u s: they are kept "
         "to that, not to target-duration=%u.",
            promised, wanted),
        (NULL));
  self->target (MIN (promised, wanted) * GST_SECOND, end_time,
      self->target_data);
}

static void
warn_not_deleted (GstAmsPublisher *self)
{
  GST_ELEMENT_WARNING (self->element, RESOURCE, SETTINGS,
      ("An earlier recording is continued in \"%s\", so nothing is deleted when "
       "this one ends, whatever delete-on-ended says: the playlist is not this "
       "session's alone. Use add-date-time=true, or another name.",
          ams_recording_get_playlist_name (self->recording)),
      (NULL));
}

static GstFlowReturn
fail_start (GstAmsPublisher *self, const GstAmsRecovered *recovered,
    const GError *error)
{
  if (!recovered->closed)
    gst_ams_publisher_post_error (self, error,
        recovered->posted ? gst_ams_hls_details_new_echo () : NULL);
  return recovered->closed ? GST_FLOW_FLUSHING : GST_FLOW_ERROR;
}

/* A store says when it has something; who is no store (a fakesink) never will. */
static void
expect_announcements (GstAmsPublisher *self, gboolean remote)
{
  g_mutex_lock (&self->lock);
  self->announces = remote || gst_pad_is_linked (self->local);
  g_mutex_unlock (&self->lock);
}

static void
on_waiting (const gchar *why, gpointer user_data)
{
  GstAmsPublisher *self = user_data;

  GST_INFO_OBJECT (self->element, "waits for another recorder to end: %s", why);
  gst_element_post_message (self->poster,
      gst_ams_hls_message_new_waiting (self->poster, self->settings.root,
          self->recording, why));
}

GstFlowReturn
gst_ams_publisher_start (GstAmsPublisher *self, const AmsCut *cut)
{
  g_auto (GstAmsRecovered) recovered = {
    0,
  };
  const GstAmsStores stores = { self->local, self->remote,
    self->settings.unlistable, self->settings.folder };
  const GstAmsRecoverOptions options = { self->settings.existing,
    self->settings.when_busy, cut->date_time, self->claimer, on_waiting, self };
  g_autoptr (GError) error = NULL;

  gst_ams_publisher_push_stream_start (self);
  if (!gst_ams_recover (self->recording, &stores, &options, &recovered, &error))
    return fail_start (self, &recovered, error);
  if (!gst_ams_publisher_begin_multivariant (self, &error))
    return gst_ams_publisher_post_error (self, error, NULL);
  self->started = TRUE;
  expect_announcements (self, recovered.answered > 0);
  self->continued = recovered.continued;
  if (self->continued && self->settings.delete_on_ended)
    warn_not_deleted (self);
  push_other_sessions (self, &stores);
  push_recovered (self, &recovered);
  keep_promise (self, recovered.end_time);
  GST_INFO_OBJECT (self->element,
      "%s \"%s\" with segment %" G_GUINT64_FORMAT
      ", after %u that were recovered; EXT-X-TARGETDURATION is %u",
      recovered.continued ? "continues" : "begins",
      ams_recording_get_playlist_name (self->recording),
      ams_recording_get_next_number (self->recording), recovered.recovered,
      ams_recording_get_target_duration (self->recording));
  gst_element_post_message (self->poster,
      gst_ams_hls_message_new_started (self->poster, self->settings.root,
          self->recording, &recovered));
  return GST_FLOW_OK;
}

/* Only what this session wrote, and after the final playlist: that one goes too. */
static void
push_deletions (GstAmsPublisher *self)
{
  g_autoptr (GPtrArray) names = NULL;
  guint i;

  if (!self->settings.delete_on_ended || self->continued)
    return;
  names = ams_recording_get_own_files (self->recording);
  if (self->multivariant)
    gst_ams_publisher_push_event (self,
        ams_files_event_new_remove (self->multivariant,
            self->settings.delete_delay));
  gst_ams_publisher_push_event (self,
      ams_files_event_new_remove (
          ams_recording_get_playlist_name (self->recording),
          self->settings.delete_delay));
  for (i = 0; i < names->len; i++)
    gst_ams_publisher_push_event (self,
        ams_files_event_new_remove (g_ptr_array_index (names, i),
            self->settings.delete_delay));
}

static void
push_final (GstAmsPublisher *self)
{
  g_auto (AmsRecordingVersion) version = {
    NULL,
  };
  gboolean any;

  gst_ams_publisher_heed_failed (self);
  g_mutex_lock (&self->lock);
  any = ams_recording_finish (self->recording, &version);
  g_mutex_unlock (&self->lock);
  if (!any)
    return;
  gst_ams_publisher_push_version (self, &version);
  gst_ams_publisher_push_multivariant (self, TRUE);
}

/* Comes back when all stores have stored or given up what was handed over, or cannot
 * within their drain-timeouts. */
static void
drain_stores (GstAmsPublisher *self)
{
  g_autoptr (GstQuery) query = ams_files_query_new_drain ();

  if (gst_pad_is_linked (self->local))
    gst_pad_peer_query (self->local, query);
  if (gst_pad_is_linked (self->remote))
    gst_pad_peer_query (self->remote, query);
}

/* What a store gives up now would keep the last version back for good, as it lists it: once
 * everything is settled, another one marks it as a gap. */
static void
push_final_again (GstAmsPublisher *self)
{
  gboolean any = TRUE;
  guint i;

  for (i = 0; any && i < MAX_FINALS; i++) {
    drain_stores (self);
    g_mutex_lock (&self->lock);
    any = !g_queue_is_empty (&self->failed) || !g_queue_is_empty (&self->taken);
    g_mutex_unlock (&self->lock);
    if (any)
      push_final (self);
  }
}

static void
push_last_removals (GstAmsPublisher *self)
{
  const gchar *working = ams_recording_get_working_name (self->recording);

  if (gst_ams_publisher_is_for_disk_only (self, working))
    gst_pad_push_event (self->local, ams_files_event_new_remove (working, 0));
  else if (!g_str_equal (working,
               ams_recording_get_playlist_name (self->recording)))
    gst_ams_publisher_push_event (self,
        ams_files_event_new_remove (working, 0));
  if (gst_ams_publisher_has_journal (self))
    gst_pad_push_event (self->local,
        ams_files_event_new_remove (
            ams_recording_get_journal_name (self->recording), 0));
  push_deletions (self);
}

static void
post_ended (GstAmsPublisher *self)
{
  GstMessage *message;

  g_mutex_lock (&self->lock);
  message = g_steal_pointer (&self->ended_message);
  g_mutex_unlock (&self->lock);
  if (message)
    gst_element_post_message (self->poster, message);
}

/* The last playlist; an open file was ended before. */
static void
finish (GstAmsPublisher *self)
{
  gboolean announces;

  if (self->ended || !self->started)
    return;
  self->ended = TRUE;
  g_mutex_lock (&self->lock);
  self->ended_message = gst_ams_hls_message_new_ended (self->poster,
      self->settings.root, self->recording);
  announces = self->announces;
  g_mutex_unlock (&self->lock);
  push_final (self);
  push_final_again (self);
  push_last_removals (self);
  if (!announces)
    post_ended (self);
}

void
gst_ams_publisher_end (GstAmsPublisher *self, GstEvent *eos)
{
  if (!self->started && !self->ended)
    gst_ams_publisher_push_stream_start (self);
  finish (self);
  gst_ams_publisher_push_event (self, eos);
  post_ended (self);

  g_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}
