/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All of this runs in one thread at a time (the muxer's out_lock), but for what the stores
 * say (their threads), wait_ended() and get_stats() (any): those touch only
 * what is under the lock. Nothing is pushed or posted with it held. */

#include "config.h"

#include "gstamspublisher.h"

#include "files/amsfiles.h"
#include "gstamshlsmessages.h"
#include "gstamssibling.h"

GST_DEBUG_CATEGORY_STATIC (gst_ams_publisher_debug);
#define GST_CAT_DEFAULT gst_ams_publisher_debug

/* A last playlist is made anew so often at most, while stores give files up or find their names taken. */
#define MAX_FINALS 16

typedef struct
{
  guint64 version; /* the first playlist that lists it */
  guint64 first; /* media sequence number of the first segment in that */
  guint64 sequence;
  gchar *name;
  GstMessage *message;
} Unannounced;

struct _GstAmsPublisher
{
  /* constant; the muxer and the bin outlive this: no refs */
  GstElement *element; /* whose errors these are */
  GstElement *poster; /* whose messages these are: the bin */
  GstPad *local, *remote;
  GstAmsPublisherTarget target;
  gpointer target_data;
  GstAmsPublisherDrain drain;
  gpointer drain_data;
  GstAmsClaimer *claimer;

  /* set below PAUSED, then constant */
  GstAmsPublisherSettings settings;

  /* streaming thread */
  gboolean started, ended;
  gboolean continued; /* an earlier recording */
  gboolean said_taken; /* that a name was */
  GPtrArray
      *unheeded; /* names that a hidden playlist heeds: no remote has seen it */
  GPtrArray *unheeded_renames; /* likewise */
  AmsCut current; /* how the open file began */

  GMutex lock;
  GCond cond;
  /* under the lock */
  AmsRecording *
      recording; /* changed by the streaming thread only, which reads it without */
  GQueue failed; /* names the stores gave up */
  GQueue taken; /* names that other files have in a store */
  GQueue unannounced; /* Unannounced */
  guint64
      unlisted; /* segments that left the window before a playlist was stored */
  GstMessage *ended_message;
  gboolean announces; /* somebody says when versions are stored */
  gboolean has_ended;
};

static void
unannounced_free (Unannounced *unannounced)
{
  g_free (unannounced->name);
  gst_message_unref (unannounced->message);
  g_free (unannounced);
}

/* The one place where errors are posted. @details: (transfer full) (nullable) */
static GstFlowReturn
post_error (GstAmsPublisher *self, const GError *error, GstStructure *details)
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

/* ---- downstream ---- */

static void
push_event (GstAmsPublisher *self, GstEvent *event)
{
  if (gst_pad_is_linked (self->local))
    gst_pad_push_event (self->local, gst_event_ref (event));
  if (gst_pad_is_linked (self->remote))
    gst_pad_push_event (self->remote, gst_event_ref (event));
  gst_event_unref (event);
}

/* The disk's word counts where both are linked: a remote that has failed must not
 * stop what is written here. */
GstFlowReturn
gst_ams_publisher_write (GstAmsPublisher *self, GstBuffer *buffer)
{
  GstFlowReturn local = GST_FLOW_NOT_LINKED, remote = GST_FLOW_NOT_LINKED;

  if (gst_pad_is_linked (self->local))
    local = gst_pad_push (self->local, gst_buffer_ref (buffer));
  if (gst_pad_is_linked (self->remote))
    remote = gst_pad_push (self->remote, gst_buffer_ref (buffer));
  gst_buffer_unref (buffer);
  if (local != GST_FLOW_NOT_LINKED)
    return local;
  return remote;
}

static void
push_stream_start (GstAmsPublisher *self)
{
  g_autofree gchar *uuid = g_uuid_string_random ();
  g_autofree gchar *id = g_strconcat (uuid, "/files", NULL);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (AMS_FILES_CAPS);
  GstSegment segment;

  push_event (self, gst_event_new_stream_start (id));
  push_event (self, gst_event_new_caps (caps));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  push_event (self, gst_event_new_segment (&segment));
}

/* (transfer full) (element-type GstBuffer) The pieces of a file, in as few buffers
 * as can be: nothing is copied. */
static GPtrArray *
wrap_pieces (GPtrArray *pieces)
{
  GPtrArray *buffers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  GstBuffer *buffer = NULL;
  guint i;

  for (i = 0; i < pieces->len; i++) {
    g_autoptr (GstBuffer) piece =
        gst_buffer_new_wrapped_bytes (g_ptr_array_index (pieces, i));

    if (i % gst_buffer_get_max_memory () == 0) {
      buffer = gst_buffer_new ();
      g_ptr_array_add (buffers, buffer);
    }
    gst_buffer_append_memory (buffer, gst_buffer_get_memory (piece, 0));
  }
  return buffers;
}

static gsize
get_size (GPtrArray *pieces)
{
  gsize size = 0;
  guint i;

  for (i = 0; i < pieces->len; i++)
    size += g_bytes_get_size (g_ptr_array_index (pieces, i));
  return size;
}

/* Hands a file over in one go. @only: (nullable) to this pad alone. @pieces: of
 * GBytes */
static GstFlowReturn
push_file (GstAmsPublisher *self, GstPad *only, const AmsFileBegin *begin,
    GPtrArray *pieces)
{
  g_autoptr (GPtrArray) buffers = wrap_pieces (pieces);
  AmsFileEnd end = {
    .size = get_size (pieces),
    .complete = TRUE,
    .duration = GST_CLOCK_TIME_NONE,
  };
  GstFlowReturn ret = GST_FLOW_OK, pushed;
  guint i;

  if (only)
    gst_pad_push_event (only, ams_files_event_new_begin (begin));
  else
    push_event (self, ams_files_event_new_begin (begin));
  /* One store may refuse a buffer that another one takes. */
  for (i = 0; i < buffers->len; i++) {
    GstBuffer *buffer = gst_buffer_ref (g_ptr_array_index (buffers, i));

    pushed = only ? gst_pad_push (only, buffer)
                  : gst_ams_publisher_write (self, buffer);
    ret = ret == GST_FLOW_OK ? pushed : ret;
  }
  if (only)
    gst_pad_push_event (only, ams_files_event_new_end (&end));
  else
    push_event (self, ams_files_event_new_end (&end));
  return ret;
}

/* Only on a disk that can be asked for it later; not beside an application's streams. */
static gboolean
has_journal (GstAmsPublisher *self)
{
  return gst_pad_is_linked (self->local) && !self->settings.unlistable;
}

static void
push_journal (GstAmsPublisher *self)
{
  g_autoptr (GPtrArray) pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  AmsFileBegin begin = { .role = AMS_FILE_ROLE_OTHER };

  if (!has_journal (self))
    return;
  begin.name = (gchar *) ams_recording_get_journal_name (self->recording);
  begin.content_type = (gchar *) "text/plain";
  g_ptr_array_add (pieces, ams_recording_render_journal (self->recording));
  push_file (self, self->local, &begin, pieces);
}

/* ---- playlists ---- */

static void
rename_unannounced_locked (GstAmsPublisher *self, const gchar *name,
    const gchar *other)
{
  GList *l;

  for (l = self->unannounced.head; l; l = l->next) {
    Unannounced *unannounced = l->data;

    if (!g_str_equal (unannounced->name, name))
      continue;
    g_free (unannounced->name);
    unannounced->name = g_strdup (other);
    unannounced->message = gst_ams_hls_message_rename_segment (
        unannounced->message, self->settings.root, other);
  }
}

/* Once: a recording that meets many goes on as well. */
static void
warn_taken (GstAmsPublisher *self, const gchar *name, const gchar *other)
{
  if (self->said_taken)
    return;
  self->said_taken = TRUE;
  GST_ELEMENT_WARNING (self->element, RESOURCE, WRITE,
      ("“%s” is another file already in a store: the segment is called “%s” "
       "from here on, and nothing is lost. Further ones are not said. Record "
       "to names of its own, or to an empty folder.",
          name, other),
      (NULL));
}

/* The first name that is taken gets another. FALSE: there is none. */
static gboolean
rename_taken (GstAmsPublisher *self)
{
  g_autofree gchar *name = NULL, *other = NULL;

  g_mutex_lock (&self->lock);
  name = g_queue_pop_head (&self->taken);
  if (name)
    other = g_strdup (ams_recording_rename (self->recording, name));
  if (other)
    rename_unannounced_locked (self, name, other);
  else if (name)
    g_queue_push_tail (&self->failed, g_strdup (name));
  g_mutex_unlock (&self->lock);
  if (!name)
    return FALSE;
  GST_INFO_OBJECT (self->element, "\"%s\" is taken: %s", name,
      other ? other : "it is not listed, or has no other name");
  if (other)
    warn_taken (self, name, other);
  return TRUE;
}

/* (transfer full) (nullable) */
static gchar *
pop_failed (GstAmsPublisher *self)
{
  gchar *name;

  g_mutex_lock (&self->lock);
  name = g_queue_pop_head (&self->failed);
  g_mutex_unlock (&self->lock);
  return name;
}

/* Finding a segment in a long playlist takes time, so it is done without the lock:
 * the playlist is this thread's alone. */
static void
heed_failed (GstAmsPublisher *self)
{
  gchar *next;

  while (rename_taken (self))
    continue;

  while ((next = pop_failed (self))) {
    g_autofree gchar *name = next;

    if (!ams_recording_mark_failed (self->recording, name))
      continue;
    g_mutex_lock (&self->lock);
    ams_recording_count_gap (self->recording, name);
    g_mutex_unlock (&self->lock);
    GST_WARNING_OBJECT (self->element, "\"%s\" is lost: EXT-X-GAP", name);
  }
}

static void
add_names (GPtrArray *names, GStrv more)
{
  guint i;

  for (i = 0; more && more[i]; i++)
    g_ptr_array_add (names, g_strdup (more[i]));
}

/* (transfer full) (nullable) what a remote store has not seen heeded, and @more. */
static GStrv
take_unheeded (GPtrArray **unheeded, GStrv more)
{
  GPtrArray *names = g_steal_pointer (unheeded);

  *unheeded = g_ptr_array_new_with_free_func (g_free);
  add_names (names, more);
  if (names->len == 0) {
    g_ptr_array_unref (names);
    return NULL;
  }
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_free (names, FALSE);
}

/* A running vod's, which nobody is to see but the next session: that finds it on the
 * disk, if there is one. */
static gboolean
is_for_disk_only (GstAmsPublisher *self, const gchar *name)
{
  return has_journal (self) &&
      !g_str_equal (name, ams_recording_get_playlist_name (self->recording));
}

/* A remote store must never list a name that the disk does not know after a crash: which
 * of the two lists goes on could not be told. */
static GstFlowReturn
push_disk_first (GstAmsPublisher *self, const AmsFileBegin *begin,
    GPtrArray *pieces)
{
  GstFlowReturn ret = push_file (self, self->local, begin, pieces);

  if (gst_pad_is_linked (self->remote)) {
    self->drain (self->drain_data);
    push_file (self, self->remote, begin, pieces);
  }
  return ret;
}

static GstFlowReturn
push_version (GstAmsPublisher *self, const AmsRecordingVersion *version)
{
  g_auto (GStrv) unheeded = NULL, renames = NULL;
  AmsFileBegin begin = {
    .name = version->name,
    .role = AMS_FILE_ROLE_PLAYLIST,
    .content_type =
        (gchar *) ams_file_content_type (AMS_FILE_ROLE_PLAYLIST, version->name),
    .version = version->version,
    .extends = version->extends,
    .final = version->final,
    .failed = version->failed,
    .renamed = version->renamed,
    .renames = TRUE,
  };

  if (is_for_disk_only (self, version->name)) {
    add_names (self->unheeded, version->failed);
    add_names (self->unheeded_renames, version->renamed);
    if (version->renamed)
      push_journal (self);
    return push_file (self, self->local, &begin, version->pieces);
  }
  begin.failed = unheeded = take_unheeded (&self->unheeded, version->failed);
  begin.renamed = renames =
      take_unheeded (&self->unheeded_renames, version->renamed);
  if (begin.renamed && has_journal (self)) {
    /* Before the second name is there: after a crash it is no other segment. */
    push_journal (self);
    return push_disk_first (self, &begin, version->pieces);
  }
  return push_file (self, NULL, &begin, version->pieces);
}

static void
push_removals (GstAmsPublisher *self)
{
  g_autoptr (GPtrArray) removals = NULL;
  guint i;

  g_mutex_lock (&self->lock);
  removals = ams_recording_take_removals (self->recording);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < removals->len; i++) {
    const AmsRecordingRemoval *removal = g_ptr_array_index (removals, i);

    push_event (self,
        ams_files_event_new_remove (removal->name, removal->after));
  }
}

/* It is posted when a store says that the playlist which lists it is there. */
static void
announce_later (GstAmsPublisher *self, const AmsRecordingSegment *segment,
    guint64 version)
{
  Unannounced *unannounced = g_new0 (Unannounced, 1);
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
    return post_error (self, error, NULL);

  push_journal (self);
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

/* The first @size bytes of the open file are a segment that ends at @end. */
GstFlowReturn
gst_ams_publisher_end_file (GstAmsPublisher *self, guint64 size, gint64 end)
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
    .duration = MAX (end - self->current.pts, 1),
    .date_time = self->current.date_time,
  };

  heed_failed (self);
  g_mutex_lock (&self->lock);
  segment = ams_recording_end_segment (self->recording, size, file_end.duration,
      &raised);
  ams_recording_render (self->recording, &version);
  g_mutex_unlock (&self->lock);

  GST_DEBUG_OBJECT (self->element,
      "ends \"%s\": %.3f s, %" G_GUINT64_FORMAT " bytes", segment->name,
      file_end.duration / (gdouble) GST_SECOND, size);
  file_end.sequence = segment->sequence;
  push_event (self, ams_files_event_new_end (&file_end));
  announce_later (self, segment, version.version);
  ret = push_version (self, &version);
  push_removals (self);
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
  g_mutex_unlock (&self->lock);
}

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
    push_journal (self);
  push_handover (self, &recovered->handover);
  if (!has_news (self, recovered))
    return;
  g_mutex_lock (&self->lock);
  ams_recording_render (self->recording, &version);
  g_mutex_unlock (&self->lock);
  push_version (self, &version);
}

static void
push_other_sessions (GstAmsPublisher *self, const GstAmsStores *stores)
{
  g_auto (GstAmsHandover) handover = {
    NULL,
  };

  if (!has_journal (self))
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
    post_error (self, error,
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

  push_stream_start (self);
  if (!gst_ams_recover (self->recording, &stores, &options, &recovered, &error))
    return fail_start (self, &recovered, error);
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
  push_event (self,
      ams_files_event_new_remove (
          ams_recording_get_playlist_name (self->recording),
          self->settings.delete_delay));
  for (i = 0; i < names->len; i++)
    push_event (self,
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

  heed_failed (self);
  g_mutex_lock (&self->lock);
  any = ams_recording_finish (self->recording, &version);
  g_mutex_unlock (&self->lock);
  if (any)
    push_version (self, &version);
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

  if (is_for_disk_only (self, working))
    gst_pad_push_event (self->local, ams_files_event_new_remove (working, 0));
  else if (!g_str_equal (working,
               ams_recording_get_playlist_name (self->recording)))
    push_event (self, ams_files_event_new_remove (working, 0));
  if (has_journal (self))
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
    push_stream_start (self);
  finish (self);
  push_event (self, eos);
  post_ended (self);

  g_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  g_cond_broadcast (&self->cond);
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
    const Unannounced *unannounced = l->data;

    if (unannounced->version <= version)
      first = unannounced->first;
  }
  while ((l = self->unannounced.head) &&
      ((Unannounced *) l->data)->sequence < first) {
    unannounced_free (g_queue_pop_head (&self->unannounced));
    self->unlisted++;
  }
}

static GstMessage *
take_announced_locked (GstAmsPublisher *self, guint64 version)
{
  Unannounced *first = g_queue_peek_head (&self->unannounced);
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
    Unannounced *unannounced = l->data;

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
}

gboolean
gst_ams_publisher_configure (GstAmsPublisher *self,
    GstAmsPublisherSettings *settings, GError **error)
{
  AmsRecording *recording =
      ams_recording_new (g_steal_pointer (&settings->recording), error);

  if (!recording)
    return FALSE;
  g_mutex_lock (&self->lock);
  clear_settings (self);
  self->settings = *settings;
  self->recording = recording;
  self->unlisted = 0;
  g_mutex_unlock (&self->lock);
  settings->root = settings->folder = NULL;
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
  g_mutex_lock (&self->lock);
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

  GST_DEBUG_CATEGORY_GET (gst_ams_publisher_debug, "amshlsmux");
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
