/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsrecover.h"

#include "amsjournal.h"
#include "amspaths.h"
#include "amsrecovery.h"
#include "files/amsfiles.h"

GST_DEBUG_CATEGORY_STATIC (gst_ams_recover_debug);
#define GST_CAT_DEFAULT gst_ams_recover_debug

/* A segment that is larger is not read back: 60 s at 250 Mb/s. */
#define MAX_SEGMENT_SIZE (G_GUINT64_CONSTANT (2) << 30)
#define MAX_JOURNAL_SIZE (64 * 1024)

void
gst_ams_recovered_clear (GstAmsRecovered *recovered)
{
  g_clear_pointer (&recovered->adopted, g_ptr_array_unref);
}

/* ---- asking ---- */

/* Adds what the store behind @pad holds of @name to @texts. FALSE: it could not
 * tell. */
static gboolean
fetch_texts (GstPad *pad, const gchar *name, GPtrArray *texts, GError **error)
{
  g_autoptr (GstQuery) query =
      ams_files_query_new_fetch (name, FALSE, AMS_PLAYLIST_MAX_SIZE);
  g_autoptr (GPtrArray) answers = NULL;
  guint i;

  gst_pad_peer_query (pad, query);
  answers = ams_files_query_fetch_answers (query);
  for (i = 0; i < answers->len; i++) {
    const AmsFileFetchAnswer *answer = g_ptr_array_index (answers, i);

    if (answer->status == AMS_FILE_STATUS_FAILED) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
          "Whether there is an earlier recording \"%s\" to be continued cannot "
          "be told: %s. Nothing is recorded on a guess.",
          name, answer->message);
      return FALSE;
    }
    if (answer->status == AMS_FILE_STATUS_FOUND)
      g_ptr_array_add (texts, g_bytes_ref (answer->data));
  }
  return TRUE;
}

/* (nullable): absent, or not to be had. */
static GBytes *
fetch_one (GstPad *pad, const gchar *name, gboolean partial, guint64 max)
{
  g_autoptr (GstQuery) query = ams_files_query_new_fetch (name, partial, max);
  g_autoptr (GPtrArray) answers = NULL;
  guint i;

  gst_pad_peer_query (pad, query);
  answers = ams_files_query_fetch_answers (query);
  for (i = 0; i < answers->len; i++) {
    const AmsFileFetchAnswer *answer = g_ptr_array_index (answers, i);

    if (answer->status == AMS_FILE_STATUS_FOUND)
      return g_bytes_ref (answer->data);
  }
  return NULL;
}

/* What the store behind @pad holds below @prefix. @must: one that cannot tell is
 * an error; else (HTTP has no listing) it is as good as nothing. */
static gboolean
list_files (GstPad *pad, const gchar *prefix, gboolean must, GPtrArray *files,
    GError **error)
{
  g_autoptr (GstQuery) query = ams_files_query_new_list (prefix);
  g_autoptr (GPtrArray) answers = NULL;
  guint i, j;

  gst_pad_peer_query (pad, query);
  answers = ams_files_query_list_answers (query);
  for (i = 0; i < answers->len; i++) {
    const AmsFileListAnswer *answer = g_ptr_array_index (answers, i);

    if (answer->status == AMS_FILE_STATUS_FAILED && must) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
          "What is recorded already cannot be told: %s. Nothing is recorded "
          "on a guess.",
          answer->message);
      return FALSE;
    }
    for (j = 0; answer->entries && j < answer->entries->len; j++) {
      const AmsFileEntry *entry = g_ptr_array_index (answer->entries, j);

      g_ptr_array_add (files,
          ams_recovery_file_new (entry->name, entry->size, entry->partial));
    }
  }
  return TRUE;
}

static AmsJournal *
fetch_journal (AmsRecording *recording, GstPad *local)
{
  g_autoptr (GBytes) data = fetch_one (local,
      ams_recording_get_journal_name (recording), FALSE, MAX_JOURNAL_SIZE);

  return data ? ams_journal_read (data) : NULL;
}

/* ---- orphans ---- */

/* Where the media of the last listed segment end, to see whether the first orphan follows on. */
static guint64
last_end_pts (GstPad *pad, const gchar *name)
{
  g_autoptr (GBytes) data = fetch_one (pad, name, FALSE, MAX_SEGMENT_SIZE);
  AmsRecoveryFile file = { (gchar *) name, 0, FALSE };
  AmsRecordingSegment segment = {
    NULL,
  };
  guint64 end_pts = G_MAXUINT64, usable;

  if (data)
    ams_recovery_measure (&file, data, NULL, &end_pts, &segment, &usable);
  g_free (segment.name);
  return end_pts;
}

static gchar *
last_listed_name (AmsRecording *recording, const AmsPlaylistParsed *earlier)
{
  g_autofree gchar *uri = NULL;

  if (!earlier || earlier->segments->len == 0)
    return NULL;
  uri = ams_playlist_parsed_uri (earlier, earlier->segments->len - 1);
  return ams_paths_name_of_uri (ams_recording_get_playlist_name (recording),
      ams_recording_get_config (recording)->playlist_root, uri);
}

/* Measures @file; adopts it if it is partial. */
static gboolean
recover_orphan (GstPad *pad, const AmsRecoveryFile *file,
    const AmsJournal *journal, guint64 *end_pts, AmsRecordingSegment *segment,
    GPtrArray *adopted)
{
  g_autoptr (GBytes) data =
      fetch_one (pad, file->name, file->partial, MAX_SEGMENT_SIZE);
  guint64 usable;

  if (!data ||
      !ams_recovery_measure (file, data, journal, end_pts, segment, &usable)) {
    GST_INFO ("\"%s\", left by a crash, has nothing that is whole", file->name);
    return FALSE;
  }
  GST_INFO ("\"%s\", left by a crash, is recovered: %" G_GUINT64_FORMAT
            " bytes, %" GST_TIME_FORMAT,
      file->name, usable, GST_TIME_ARGS (segment->duration));
  if (file->partial)
    g_ptr_array_add (adopted, ams_files_event_new_adopt (file->name, usable));
  return TRUE;
}

static void
recover_orphans (AmsRecording *recording, GstPad *pad,
    const AmsPlaylistParsed *earlier, const AmsJournal *journal,
    const AmsSurvey *survey, GstAmsRecovered *recovered)
{
  g_autofree gchar *last = last_listed_name (recording, earlier);
  guint64 end_pts = G_MAXUINT64;
  guint i;

  if (survey->orphans->len > 0 && last)
    end_pts = last_end_pts (pad, last);
  for (i = 0; i < survey->orphans->len; i++) {
    AmsRecordingSegment segment = {
      NULL,
    };

    if (recover_orphan (pad, g_ptr_array_index (survey->orphans, i), journal,
            &end_pts, &segment, recovered->adopted)) {
      segment.discontinuity &= ams_recording_get_length (recording) > 0;
      ams_names_match (ams_recording_get_segment_names (recording),
          segment.name, &segment.number);
      ams_recording_add_recovered (recording, &segment);
      recovered->recovered++;
    }
    g_free (segment.name);
  }
}

/* ---- the start ---- */

typedef struct
{
  AmsPlaylistParsed *earlier;
  AmsJournal *journal;
  AmsSurvey *survey;
} Found;

static void
found_clear (Found *found)
{
  g_clear_pointer (&found->earlier, ams_playlist_parsed_free);
  g_clear_pointer (&found->journal, ams_journal_free);
  g_clear_pointer (&found->survey, ams_survey_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

/* The playlist as it was last written: a running vod's is hidden. */
static gboolean
fetch_playlists (AmsRecording *recording, GstPad *local, GstPad *remote,
    const gchar *name, Found *found, GError **error)
{
  g_autoptr (GPtrArray) texts =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GError) why = NULL;

  if (!fetch_texts (local, name, texts, error) ||
      !fetch_texts (remote, name, texts, error))
    return FALSE;
  found->earlier = ams_recovery_choose (texts, name, &why);
  if (why) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        why->message);
    return FALSE;
  }
  return TRUE;
}

static gboolean
look (AmsRecording *recording, GstPad *local, GstPad *remote,
    gboolean unlistable, Found *found, GError **error)
{
  const gchar *name = ams_recording_get_playlist_name (recording);
  const gchar *working = ams_recording_get_working_name (recording);
  const gchar *prefix =
      ams_names_prefix (ams_recording_get_segment_names (recording));
  AmsPlaylistType type = ams_recording_get_config (recording)->type;
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_autoptr (GError) why = NULL;

  if (!fetch_playlists (recording, local, remote, name, found, error))
    return FALSE;
  if (!found->earlier && !g_str_equal (name, working) &&
      !fetch_playlists (recording, local, remote, working, found, error))
    return FALSE;
  if (found->earlier &&
      !ams_recovery_check_type (found->earlier, type, name, &why)) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        why->message);
    return FALSE;
  }
  if (!list_files (local, prefix, !unlistable, files, error) ||
      !list_files (remote, prefix, FALSE, files, error))
    return FALSE;
  found->journal = fetch_journal (recording, local);
  found->survey =
      ams_recovery_survey (recording, found->earlier, found->journal, files);
  return TRUE;
}

static void
go_on (AmsRecording *recording, GstPad *local, GstPad *remote,
    const Found *found, GstAmsRecovered *recovered)
{
  guint i;

  ams_recording_continue (recording, found->earlier,
      found->survey->next_number);
  recovered->continued = found->earlier != NULL;
  recover_orphans (recording, gst_pad_is_linked (local) ? local : remote,
      found->earlier, found->journal, found->survey, recovered);
  for (i = 0; i < found->survey->unlisted->len; i++)
    ams_recording_add_unlisted (recording,
        g_ptr_array_index (found->survey->unlisted, i));
}

static gboolean
begin (AmsRecording *recording, gint64 date_time, gboolean apart,
    GError **error)
{
  g_autoptr (GError) why = NULL;

  if (ams_recording_begin (recording, date_time, apart, &why))
    return TRUE;
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      why->message);
  return FALSE;
}

static gboolean
begin_apart (AmsRecording *recording, gint64 date_time, const GError *why,
    GError **error)
{
  GST_WARNING ("a new recording is begun beside the earlier one: %s",
      why->message);
  if (!begin (recording, date_time, TRUE, error))
    return FALSE;
  ams_recording_continue (recording, NULL, 0);
  return TRUE;
}

gboolean
gst_ams_recover (AmsRecording *recording, GstPad *local, GstPad *remote,
    GstAmsExisting existing, gboolean unlistable, gint64 date_time,
    GstAmsRecovered *recovered, GError **error)
{
  g_auto (Found) found = {
    NULL,
  };
  g_autoptr (GError) why = NULL;

  GST_DEBUG_CATEGORY_GET (gst_ams_recover_debug, "amshlssink");
  recovered->adopted =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_event_unref);
  if (!begin (recording, date_time, FALSE, error))
    return FALSE;
  if (existing == GST_AMS_EXISTING_OVERWRITE) {
    ams_recording_continue (recording, NULL, 0);
    return TRUE;
  }
  if (!look (recording, local, remote, unlistable, &found, &why)) {
    if (existing == GST_AMS_EXISTING_APPEND_OR_NEW)
      return begin_apart (recording, date_time, why, error);
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  if (existing == GST_AMS_EXISTING_ERROR && found.survey->any) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
        "There is an earlier recording \"%s\", and existing=error forbids to "
        "continue it. Record to another name, or set existing=append.",
        ams_recording_get_playlist_name (recording));
    return FALSE;
  }
  go_on (recording, local, remote, &found, recovered);
  return TRUE;
}

/* ---- another session's playlist ---- */

static void
add_file (GPtrArray *out, const gchar *name, GBytes *text)
{
  AmsFileBegin begin = {
    .name = (gchar *) name,
    .role = AMS_FILE_ROLE_PLAYLIST,
    .content_type =
        (gchar *) ams_file_content_type (AMS_FILE_ROLE_PLAYLIST, name),
    .version = 1,
    .final = TRUE,
  };
  AmsFileEnd end = {
    .size = g_bytes_get_size (text),
    .complete = TRUE,
    .duration = GST_CLOCK_TIME_NONE,
  };

  g_ptr_array_add (out, ams_files_event_new_begin (&begin));
  g_ptr_array_add (out, gst_buffer_new_wrapped_bytes (text));
  g_ptr_array_add (out, ams_files_event_new_end (&end));
}

static gboolean
is_listed (const AmsPlaylistParsed *earlier, AmsRecording *recording,
    const AmsJournal *journal, const gchar *name)
{
  guint i;

  for (i = 0; earlier && i < earlier->segments->len; i++) {
    g_autofree gchar *uri = ams_playlist_parsed_uri (earlier, i);
    g_autofree gchar *listed = ams_paths_name_of_uri (journal->playlist,
        ams_recording_get_config (recording)->playlist_root, uri);

    if (g_strcmp0 (listed, name) == 0)
      return TRUE;
  }
  return FALSE;
}

static AmsRecoveryFile *
find_left (GstPad *local, const gchar *name)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  guint i;

  list_files (local, name, FALSE, files, NULL);
  for (i = 0; i < files->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (g_str_equal (file->name, name))
      return g_ptr_array_steal_index (files, i);
  }
  return NULL;
}

/* Lists what the journal knows and @earlier does not. */
static guint
finish_session (AmsRecording *recording, GstPad *local,
    const AmsJournal *journal, const AmsPlaylistParsed *earlier,
    AmsPlaylist *playlist, GPtrArray *out)
{
  const gchar *root = ams_recording_get_config (recording)->playlist_root;
  guint64 end_pts = G_MAXUINT64;
  guint i, recovered = 0;

  for (i = 0; i < journal->segments->len; i++) {
    const AmsJournalSegment *known = g_ptr_array_index (journal->segments, i);
    g_autofree gchar *relative =
        ams_paths_relative (journal->final_playlist, known->name);
    g_autofree gchar *uri = ams_playlist_uri (root, relative);
    AmsRecordingSegment segment = {
      NULL,
    };
    AmsRecoveryFile *file;

    if (is_listed (earlier, recording, journal, known->name) ||
        !(file = find_left (local, known->name)))
      continue;
    if (recover_orphan (local, file, journal, &end_pts, &segment, out)) {
      AmsPlaylistSegment line = { uri, segment.duration, segment.date_time,
        segment.discontinuity, FALSE };

      ams_playlist_add (playlist, &line);
      recovered++;
    }
    g_free (segment.name);
    ams_recovery_file_free (file);
  }
  return recovered;
}

GPtrArray *
gst_ams_recover_other_session (AmsRecording *recording, GstPad *local)
{
  const AmsRecordingConfig *config = ams_recording_get_config (recording);
  g_autoptr (AmsJournal) journal = fetch_journal (recording, local);
  g_autoptr (GPtrArray) out = NULL;
  g_autoptr (GBytes) text = NULL, rendered = NULL;
  g_autoptr (AmsPlaylistParsed) earlier = NULL;
  g_autoptr (AmsPlaylist) playlist = NULL;
  guint64 extends;

  if (!journal ||
      g_str_equal (journal->final_playlist,
          ams_recording_get_playlist_name (recording)))
    return NULL;
  text = fetch_one (local, journal->playlist, FALSE, AMS_PLAYLIST_MAX_SIZE);
  earlier = text ? ams_playlist_parse (text, NULL) : NULL;
  if (text && !earlier)
    return NULL;
  if (earlier)
    playlist =
        ams_playlist_continue (earlier, config->type, config->playlist_length);
  else
    playlist = ams_playlist_new (config->type, config->target_duration,
        config->playlist_length, config->independent);

  out = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_mini_object_unref);
  finish_session (recording, local, journal, earlier, playlist, out);
  if (ams_playlist_get_length (playlist) == 0)
    return NULL;
  if (config->endlist)
    ams_playlist_end (playlist);
  rendered = ams_playlist_render (playlist, &extends);
  add_file (out, journal->final_playlist, rendered);
  if (!g_str_equal (journal->playlist, journal->final_playlist))
    g_ptr_array_add (out, ams_files_event_new_remove (journal->playlist, 0));
  return g_steal_pointer (&out);
}
