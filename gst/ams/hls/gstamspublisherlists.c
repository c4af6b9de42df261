/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the publisher hands to the stores: files in one go, the journal, playlist versions,
 * removals. */

#include "config.h"

#include "gstamspublisherprivate.h"

#include "playlist/amspaths.h"

#include "gstamshlsmessages.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_mux_debug);
#define GST_CAT_DEFAULT gst_ams_hls_mux_debug

/* ---- downstream ---- */

void
gst_ams_publisher_push_event (GstAmsPublisher *self, GstEvent *event)
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

void
gst_ams_publisher_push_stream_start (GstAmsPublisher *self)
{
  g_autofree gchar *uuid = g_uuid_string_random ();
  g_autofree gchar *id = g_strconcat (uuid, "/files", NULL);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (AMS_FILES_CAPS);
  GstSegment segment;

  gst_ams_publisher_push_event (self, gst_event_new_stream_start (id));
  gst_ams_publisher_push_event (self, gst_event_new_caps (caps));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_ams_publisher_push_event (self, gst_event_new_segment (&segment));
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
    gst_ams_publisher_push_event (self, ams_files_event_new_begin (begin));
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
    gst_ams_publisher_push_event (self, ams_files_event_new_end (&end));
  return ret;
}

/* Only on a disk that can be asked for it later; not beside an application's streams. */
gboolean
gst_ams_publisher_has_journal (GstAmsPublisher *self)
{
  return gst_pad_is_linked (self->local) && !self->settings.unlistable;
}

void
gst_ams_publisher_push_journal (GstAmsPublisher *self)
{
  g_autoptr (GPtrArray) pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  AmsFileBegin begin = { .role = AMS_FILE_ROLE_OTHER };

  if (!gst_ams_publisher_has_journal (self))
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
    GstAmsUnannounced *unannounced = l->data;

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
void
gst_ams_publisher_heed_failed (GstAmsPublisher *self)
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
gboolean
gst_ams_publisher_is_for_disk_only (GstAmsPublisher *self, const gchar *name)
{
  return gst_ams_publisher_has_journal (self) &&
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

GstFlowReturn
gst_ams_publisher_push_version (GstAmsPublisher *self,
    const AmsRecordingVersion *version)
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

  if (gst_ams_publisher_is_for_disk_only (self, version->name)) {
    add_names (self->unheeded, version->failed);
    add_names (self->unheeded_renames, version->renamed);
    if (version->renamed)
      gst_ams_publisher_push_journal (self);
    return push_file (self, self->local, &begin, version->pieces);
  }
  begin.failed = unheeded = take_unheeded (&self->unheeded, version->failed);
  begin.renamed = renames =
      take_unheeded (&self->unheeded_renames, version->renamed);
  if (begin.renamed && gst_ams_publisher_has_journal (self)) {
    /* Before the second name is there: after a crash it is no other segment. */
    gst_ams_publisher_push_journal (self);
    return push_disk_first (self, &begin, version->pieces);
  }
  return push_file (self, NULL, &begin, version->pieces);
}

/* Dates in templates may make them the same. */
static gboolean
check_multivariant_name (GstAmsPublisher *self, GError **error)
{
  guint64 number;

  if (!g_str_equal (self->multivariant,
          ams_recording_get_playlist_name (self->recording)) &&
      !ams_names_match (ams_recording_get_segment_names (self->recording),
          self->multivariant, &number))
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      "multivariant-location gives “%s”, which is a name of the recording's own "
      "files: the multivariant playlist would overwrite them.",
      self->multivariant);
  return FALSE;
}

gboolean
gst_ams_publisher_begin_multivariant (GstAmsPublisher *self, GError **error)
{
  g_autofree gchar *relative = NULL, *uri = NULL;

  if (!self->settings.multivariant)
    return TRUE;
  self->multivariant = ams_recording_format_playlist (self->recording,
      self->settings.multivariant, error);
  if (!self->multivariant || !check_multivariant_name (self, error))
    return FALSE;
  relative = ams_paths_relative (self->multivariant,
      ams_recording_get_playlist_name (self->recording));
  uri = ams_playlist_uri (NULL, relative);
  g_mutex_lock (&self->lock);
  ams_master_begin (self->master, uri,
      ams_recording_get_target_duration (self->recording));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* (transfer full) (nullable): what is there is right. */
static GBytes *
render_multivariant (GstAmsPublisher *self, gboolean ended)
{
  g_autoptr (GError) error = NULL;
  GBytes *text;

  g_mutex_lock (&self->lock);
  text = ams_master_render (self->master, ended, &error);
  g_mutex_unlock (&self->lock);
  if (error)
    GST_ELEMENT_WARNING (self->element, STREAM, MUX,
        ("The multivariant playlist \"%s\" is not written: %s.",
            self->multivariant, error->message),
        (NULL));
  return text;
}

/* That a running vod's playlist is not there, and this one is, would help nobody. */
GstFlowReturn
gst_ams_publisher_push_multivariant (GstAmsPublisher *self, gboolean ended)
{
  const AmsRecordingConfig *config = ams_recording_get_config (self->recording);
  g_autoptr (GPtrArray) pieces =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  AmsFileBegin begin = { .name = self->multivariant,
    .role = AMS_FILE_ROLE_MASTER,
    .final = ended };
  GBytes *text;

  if (!self->multivariant || (!ended && config->type == AMS_PLAYLIST_VOD))
    return GST_FLOW_OK;
  text = render_multivariant (self, ended);
  if (!text)
    return GST_FLOW_OK;
  GST_DEBUG_OBJECT (self->element, "writes \"%s\"", self->multivariant);
  begin.version = ++self->multivariant_version;
  begin.content_type = (gchar *) ams_file_content_type (begin.role, begin.name);
  g_ptr_array_add (pieces, text);
  return push_file (self, NULL, &begin, pieces);
}

void
gst_ams_publisher_push_removals (GstAmsPublisher *self)
{
  g_autoptr (GPtrArray) removals = NULL;
  guint i;

  g_mutex_lock (&self->lock);
  removals = ams_recording_take_removals (self->recording);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < removals->len; i++) {
    const AmsRemoval *removal = g_ptr_array_index (removals, i);

    gst_ams_publisher_push_event (self,
        ams_files_event_new_remove (removal->name, removal->after));
  }
}
