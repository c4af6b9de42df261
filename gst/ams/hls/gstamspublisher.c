/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamspublisherprivate.h"

#include "gstamshlsmessages.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_mux_debug);
#define GST_CAT_DEFAULT gst_ams_hls_mux_debug

static void
unannounced_free (GstAmsUnannounced *unannounced)
{
  g_free (unannounced->name);
  gst_message_unref (unannounced->message);
  g_free (unannounced);
}

GstFlowReturn
gst_ams_publisher_post_error (GstAmsPublisher *self, const GError *error,
    GstStructure *details)
{
  GST_ERROR_OBJECT (self->element, "%s", error->message);
  gst_element_message_full_with_details (self->element, GST_MESSAGE_ERROR,
      error->domain == GST_RESOURCE_ERROR ? error->domain : GST_RESOURCE_ERROR,
      error->domain == GST_RESOURCE_ERROR ? error->code
                                          : GST_RESOURCE_ERROR_SETTINGS,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__,
      details);
  return GST_FLOW_ERROR;
}

/* It is posted when a store says that the playlist which lists it is there. */
static void
announce_later (GstAmsPublisher *self, const AmsRecordingSegment *segment,
    guint64 version)
{
  GstAmsUnannounced *unannounced = g_new0 (GstAmsUnannounced, 1);
  GstMessage *at_once = NULL;

  unannounced->version = version;
  unannounced->sequence = segment->sequence;
  unannounced->name = g_strdup (segment->name);
  unannounced->message = gst_ams_hls_message_new_segment (self->poster,
      self->settings.root, segment, MAX (self->current.running_time, 0));
  g_mutex_lock (&self->lock);
  unannounced->first = ams_recording_get_first_sequence (self->recording);
  if (self->announces) {
    g_queue_push_tail (&self->unannounced, unannounced);
  } else {
    at_once = gst_message_ref (unannounced->message);
    unannounced_free (unannounced);
  }
  g_mutex_unlock (&self->lock);
  if (at_once)
    gst_element_post_message (self->poster, at_once);
}

/* ---- files ---- */

/* What a remote store may read from the disk, sooner or later, it need not keep itself. */
static void
push_begin (GstAmsPublisher *self, AmsFileBegin *begin)
{
  g_autofree gchar *path = NULL;

  if (gst_pad_is_linked (self->local))
    gst_pad_push_event (self->local, ams_files_event_new_begin (begin));
  if (self->settings.folder)
    begin->local_path = path =
        g_build_filename (self->settings.folder, begin->name, NULL);
  if (gst_pad_is_linked (self->remote))
    gst_pad_push_event (self->remote, ams_files_event_new_begin (begin));
  begin->local_path = NULL;
}

GstFlowReturn
gst_ams_publisher_begin_file (GstAmsPublisher *self, const AmsCut *cut)
{
  g_autoptr (GError) error = NULL;
  const AmsRecordingSegment *segment;
  AmsFileBegin begin = { .role = AMS_FILE_ROLE_SEGMENT };

  self->current = *cut;
  g_mutex_lock (&self->lock);
  segment = ams_recording_begin_segment (self->recording, cut->date_time,
      cut->discontinuity, &error);
  g_mutex_unlock (&self->lock);
  if (!segment)
    return gst_ams_publisher_post_error (self, error, NULL);

  gst_ams_publisher_push_journal (self);
  begin.name = segment->name;
  begin.content_type =
      (gchar *) ams_file_content_type (AMS_FILE_ROLE_SEGMENT, segment->name);
  begin.date_time = segment->date_time;
  begin.discontinuity = segment->discontinuity;
  begin.renames = TRUE;
  GST_DEBUG_OBJECT (self->element, "begins \"%s\"", segment->name);
  push_begin (self, &begin);
  return GST_FLOW_OK;
}

static void
warn_raised (GstAmsPublisher *self, const AmsRecordingSegment *segment)
{
  GST_ELEMENT_WARNING (self->element, STREAM, MUX,
      ("Segment \"%s\" lasts %.3f s, longer than the target duration, as no "
       "keyframe came earlier: EXT-X-TARGETDURATION is raised to %u. Make "
       "the encoder send keyframes more often, or raise target-duration.",
          segment->name, segment->duration / (gdouble) GST_SECOND,
          ams_recording_get_target_duration (self->recording)),
      (NULL));
}

gboolean
gst_ams_publisher_carries (GstAmsPublisher *self)
{
  return gst_pad_is_linked (self->local) && !gst_pad_is_linked (self->remote);
}

GstFlowReturn
gst_ams_publisher_end_file (GstAmsPublisher *self, guint64 size,
    guint64 carried, gint64 end)
{
  g_auto (AmsRecordingVersion) version = {
    NULL,
  };
  const AmsRecordingSegment *segment;
  GstFlowReturn ret;
  gboolean raised;
  AmsFileEnd file_end = {
    .size = size,
    .complete = TRUE,
    .carried = carried,
    .duration = MAX (end - self->current.pts, 1),
    .date_time = self->current.date_time,
  };

  gst_ams_publisher_heed_failed (self);
  g_mutex_lock (&self->lock);
  segment = ams_recording_end_segment (self->recording, size, file_end.duration,
      &raised);
  ams_recording_render (self->recording, &version);
  if (self->master)
    ams_master_add_segment (self->master, size, file_end.duration,
        ams_recording_get_target_duration (self->recording));
  g_mutex_unlock (&self->lock);

  GST_DEBUG_OBJECT (self->element,
      "ends \"%s\": %.3f s, %" G_GUINT64_FORMAT " bytes", segment->name,
      file_end.duration / (gdouble) GST_SECOND, size);
  file_end.sequence = segment->sequence;
  gst_ams_publisher_push_event (self, ams_files_event_new_end (&file_end));
  announce_later (self, segment, version.version);
  ret = gst_ams_publisher_push_version (self, &version);
  if (ret == GST_FLOW_OK)
    ret = gst_ams_publisher_push_multivariant (self, FALSE);
  gst_ams_publisher_push_removals (self);
  if (raised)
    warn_raised (self, segment);
  return ret;
}

gboolean
gst_ams_publisher_file_is_open (GstAmsPublisher *self)
{
  return self->started && ams_recording_has_open_segment (self->recording);
}

void
gst_ams_publisher_set_dependent (GstAmsPublisher *self)
{
  g_mutex_lock (&self->lock);
  ams_recording_set_dependent (self->recording);
  if (self->master)
    ams_master_set_dependent (self->master);
  g_mutex_unlock (&self->lock);
}

gboolean
gst_ams_publisher_has_multivariant (GstAmsPublisher *self)
{
  gboolean any;

  g_mutex_lock (&self->lock);
  any = self->master != NULL;
  g_mutex_unlock (&self->lock);
  return any;
}

void
gst_ams_publisher_add_track (GstAmsPublisher *self, const AmsTrack *track)
{
  g_mutex_lock (&self->lock);
  if (self->master)
    ams_master_add_track (self->master, track);
  g_mutex_unlock (&self->lock);
}

void
gst_ams_publisher_add_captions (GstAmsPublisher *self, guint channels,
    guint64 services)
{
  g_mutex_lock (&self->lock);
  if (self->master)
    ams_master_add_captions (self->master, channels, services);
  g_mutex_unlock (&self->lock);
}

/* ---- what the stores say ---- */

/* Playlists were not stored for so long that segments have left the window meanwhile: whoever
 * is told of one now could not find it. */
static void
drop_unlisted_locked (GstAmsPublisher *self, guint64 version)
{
  guint64 first = 0;
  GList *l;

  for (l = self->unannounced.head; l; l = l->next) {
    const GstAmsUnannounced *unannounced = l->data;

    if (unannounced->version <= version)
      first = unannounced->first;
  }
  while ((l = self->unannounced.head) &&
      ((GstAmsUnannounced *) l->data)->sequence < first) {
    unannounced_free (g_queue_pop_head (&self->unannounced));
    self->unlisted++;
  }
}

static GstMessage *
take_announced_locked (GstAmsPublisher *self, guint64 version)
{
  GstAmsUnannounced *first = g_queue_peek_head (&self->unannounced);
  GstMessage *message;

  if (!first || first->version > version)
    return NULL;
  g_queue_pop_head (&self->unannounced);
  message = gst_message_ref (first->message);
  unannounced_free (first);
  return message;
}

/* A playlist is there: so is what it lists. In the store's thread. */
void
gst_ams_publisher_take_stored (GstAmsPublisher *self, const gchar *name,
    guint64 version)
{
  gboolean ours;
  GstMessage *message = NULL;

  /* Version 0 is one of an earlier session. */
  g_mutex_lock (&self->lock);
  ours = self->recording && version > 0 &&
      (g_strcmp0 (name, ams_recording_get_playlist_name (self->recording)) ==
              0 ||
          g_strcmp0 (name, ams_recording_get_working_name (self->recording)) ==
              0);
  if (ours)
    drop_unlisted_locked (self, version);
  g_mutex_unlock (&self->lock);

  while (ours) {
    g_mutex_lock (&self->lock);
    message = take_announced_locked (self, version);
    if (!message && self->ended_message &&
        g_queue_is_empty (&self->unannounced))
      message = g_steal_pointer (&self->ended_message);
    g_mutex_unlock (&self->lock);
    if (!message)
      break;
    gst_element_post_message (self->poster, message);
  }
}

static void
drop_unannounced_locked (GstAmsPublisher *self, const gchar *name)
{
  GList *l, *next;

  for (l = self->unannounced.head; l; l = next) {
    GstAmsUnannounced *unannounced = l->data;

    next = l->next;
    if (g_str_equal (unannounced->name, name)) {
      g_queue_delete_link (&self->unannounced, l);
      unannounced_free (unannounced);
    }
  }
}

/* What was not announced before is not any more: the playlist will call it missing. */
void
gst_ams_publisher_take_failed (GstAmsPublisher *self, gchar *name)
{
  g_mutex_lock (&self->lock);
  drop_unannounced_locked (self, name);
  g_queue_push_tail (&self->failed, name);
  g_mutex_unlock (&self->lock);
}

void
gst_ams_publisher_take_taken (GstAmsPublisher *self, gchar *name)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->taken, name);
  g_mutex_unlock (&self->lock);
}

/* ---- interface ---- */

static void
clear_settings (GstAmsPublisher *self)
{
  g_clear_pointer (&self->recording, ams_recording_free);
  g_clear_pointer (&self->settings.root, g_free);
  g_clear_pointer (&self->settings.folder, g_free);
  g_clear_pointer (&self->settings.multivariant, g_free);
  g_clear_pointer (&self->master, ams_master_free);
}

/* Said at the start, rather than when the first segment is whole. */
static gboolean
check_multivariant (AmsRecording *recording, const gchar *template_,
    GError **error)
{
  const AmsRecordingConfig *config = ams_recording_get_config (recording);
  g_autoptr (AmsNames) names = NULL;

  if (!template_)
    return TRUE;
  names = ams_names_new (template_, AMS_NAMES_PLAYLIST, config->add_date_time,
      error);
  if (!names)
    g_prefix_error (error, "multivariant-location: ");
  return names != NULL;
}

gboolean
gst_ams_publisher_configure (GstAmsPublisher *self,
    GstAmsPublisherSettings *settings, GError **error)
{
  AmsRecording *recording =
      ams_recording_new (g_steal_pointer (&settings->recording), error);

  if (!recording)
    return FALSE;
  if (!check_multivariant (recording, settings->multivariant, error)) {
    ams_recording_free (recording);
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  clear_settings (self);
  self->settings = *settings;
  self->recording = recording;
  self->unlisted = 0;
  g_mutex_unlock (&self->lock);
  settings->root = settings->folder = settings->multivariant = NULL;
  return TRUE;
}

gboolean
gst_ams_publisher_is_started (GstAmsPublisher *self)
{
  return self->started;
}

gboolean
gst_ams_publisher_cancel_start (GstAmsPublisher *self)
{
  return gst_ams_claimer_cancel (self->claimer);
}

gboolean
gst_ams_publisher_wait_ended (GstAmsPublisher *self, gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;
  gboolean ended;

  g_mutex_lock (&self->lock);
  while (
      !self->has_ended && g_cond_wait_until (&self->cond, &self->lock, until))
    ;
  ended = self->has_ended;
  g_mutex_unlock (&self->lock);
  return ended;
}

GstStructure *
gst_ams_publisher_get_stats (GstAmsPublisher *self)
{
  AmsRecordingStats stats = {
    0,
  };
  guint64 unlisted;

  g_mutex_lock (&self->lock);
  if (self->recording)
    ams_recording_get_stats (self->recording, &stats);
  unlisted = self->unlisted;
  g_mutex_unlock (&self->lock);
  return gst_structure_new ("ams-hls-sink-stats", "segments", G_TYPE_UINT64,
      stats.segments, "unlisted", G_TYPE_UINT64, unlisted, "recovered",
      G_TYPE_UINT64, stats.recovered, "gaps", G_TYPE_UINT64, stats.gaps,
      "discontinuities", G_TYPE_UINT64, stats.discontinuities, "bytes",
      G_TYPE_UINT64, stats.bytes, "duration", G_TYPE_UINT64, stats.duration,
      NULL);
}

void
gst_ams_publisher_reset (GstAmsPublisher *self)
{
  self->started = self->ended = self->said_taken = FALSE;
  gst_ams_claimer_reset (self->claimer);
  g_ptr_array_set_size (self->unheeded, 0);
  g_ptr_array_set_size (self->unheeded_renames, 0);
  g_clear_pointer (&self->multivariant, g_free);
  self->multivariant_version = 0;
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->master, ams_master_free);
  if (self->settings.multivariant)
    self->master = ams_master_new ();
  g_queue_clear_full (&self->taken, g_free);
  g_queue_clear_full (&self->failed, g_free);
  g_queue_clear_full (&self->unannounced, (GDestroyNotify) unannounced_free);
  gst_clear_message (&self->ended_message);
  self->has_ended = FALSE;
  self->announces = gst_pad_is_linked (self->local);
  g_mutex_unlock (&self->lock);
}

GstAmsPublisher *
gst_ams_publisher_new (GstElement *element, GstPad *local, GstPad *remote)
{
  GstAmsPublisher *self = g_new0 (GstAmsPublisher, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_queue_init (&self->failed);
  g_queue_init (&self->taken);
  g_queue_init (&self->unannounced);
  self->unheeded = g_ptr_array_new_with_free_func (g_free);
  self->unheeded_renames = g_ptr_array_new_with_free_func (g_free);
  self->element = self->poster = element;
  self->claimer = gst_ams_claimer_new (element);
  self->local = local;
  self->remote = remote;
  return self;
}

void
gst_ams_publisher_set_target_callback (GstAmsPublisher *self,
    GstAmsPublisherTarget target, gpointer user_data)
{
  self->target = target;
  self->target_data = user_data;
}

void
gst_ams_publisher_set_drain_callback (GstAmsPublisher *self,
    GstAmsPublisherDrain drain, gpointer user_data)
{
  self->drain = drain;
  self->drain_data = user_data;
}

void
gst_ams_publisher_set_poster (GstAmsPublisher *self, GstElement *poster)
{
  self->poster = poster;
}

void
gst_ams_publisher_free (GstAmsPublisher *self)
{
  clear_settings (self);
  g_free (self->multivariant);
  gst_ams_claimer_free (self->claimer);
  g_ptr_array_unref (self->unheeded);
  g_ptr_array_unref (self->unheeded_renames);
  g_queue_clear_full (&self->taken, g_free);
  g_queue_clear_full (&self->failed, g_free);
  g_queue_clear_full (&self->unannounced, (GDestroyNotify) unannounced_free);
  gst_clear_message (&self->ended_message);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}
