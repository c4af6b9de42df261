/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamssibling.h"

#include "playlist/amspaths.h"
#include "files/amsfiles.h"
#include "gstamsunfinished.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

/* ---- one session ---- */

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

/* The names that @journal knows and @earlier does not list, of which there may be
 * more than fits into memory. (transfer full) (element-type utf8), of @journal's */
static GHashTable *
find_unlisted (const AmsPlaylistParsed *earlier, AmsRecording *recording,
    const AmsJournal *journal)
{
  const gchar *root = ams_recording_get_config (recording)->playlist_root;
  GHashTable *unlisted = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (AmsPlaylistIter) lines = NULL;
  const AmsPlaylistParsedSegment *line;
  guint i;

  for (i = 0; i < journal->segments->len; i++) {
    const AmsJournalSegment *known = g_ptr_array_index (journal->segments, i);

    g_hash_table_add (unlisted, known->name);
  }
  if (!earlier)
    return unlisted;
  lines = ams_playlist_iter_new (earlier, 0);
  while ((line = ams_playlist_iter_next (lines))) {
    g_autofree gchar *uri = ams_playlist_parsed_dup_uri (earlier, line);
    g_autofree gchar *listed =
        ams_paths_name_of_uri (journal->playlist, root, uri);

    if (listed)
      g_hash_table_remove (unlisted, listed);
  }
  return unlisted;
}

static AmsRecoveryFile *
find_left (const GstAmsStores *stores, const gchar *name)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_auto (GstAmsAnswers) about = {
    0,
  };
  guint i;

  gst_ams_ask_list (stores, FALSE, name, files, &about);
  for (i = 0; i < files->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (g_str_equal (file->name, name))
      return g_ptr_array_steal_index (files, i);
  }
  return NULL;
}

/* (transfer full) (element-type AmsRecoveryFile) What the journal knows and @earlier does not. */
static GPtrArray *
find_orphans (AmsRecording *recording, const GstAmsStores *stores,
    const AmsJournal *journal, const AmsPlaylistParsed *earlier)
{
  g_autoptr (GHashTable) unlisted = find_unlisted (earlier, recording, journal);
  GPtrArray *orphans =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);

  for (guint i = 0; i < journal->segments->len; i++) {
    const AmsJournalSegment *known = g_ptr_array_index (journal->segments, i);
    AmsRecoveryFile *file = g_hash_table_contains (unlisted, known->name)
        ? find_left (stores, known->name)
        : NULL;

    if (file)
      g_ptr_array_add (orphans, file);
  }
  return orphans;
}

/* Lists what the journal knows and @earlier does not. @recovered (element-type
 * AmsRecoveryFile): that, and how large it is. */
static void
finish_session (AmsRecording *recording, const GstAmsStores *stores,
    const AmsJournal *journal, const AmsPlaylistParsed *earlier,
    AmsPlaylist *playlist, GstAmsHandover *handover, GPtrArray *recovered)
{
  const gchar *root = ams_recording_get_config (recording)->playlist_root;
  g_autoptr (GPtrArray) orphans =
      find_orphans (recording, stores, journal, earlier);
  guint64 end_pts = G_MAXUINT64;
  guint i;

  gst_ams_unfinished_part (stores, orphans, NULL, handover);
  for (i = 0; i < orphans->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (orphans, i);
    g_autofree gchar *relative =
        ams_paths_relative (journal->final_playlist, file->name);
    g_autofree gchar *uri = ams_playlist_uri (root, relative);
    g_autoptr (GBytes) data = NULL;
    AmsRecordingSegment segment = {
      NULL,
    };

    data = gst_ams_unlisted_measure (stores, file, NULL, journal,
        handover->warnings, &end_pts, &segment);
    if (data) {
      AmsPlaylistSegment line = { uri, segment.duration, segment.date_time,
        segment.discontinuity, FALSE };

      ams_playlist_add (playlist, &line);
      if (file->partial)
        g_ptr_array_add (handover->local,
            ams_files_event_new_adopt (file->name, NULL, segment.size));
      g_ptr_array_add (recovered,
          ams_recovery_file_new (file->name, segment.size, FALSE));
    }
    g_free (segment.name);
  }
}

/* What the remote stores lack of @text, the finished playlist. */
static void
send_other_session (AmsRecording *recording, const GstAmsStores *stores,
    const gchar *name, GBytes *text, GPtrArray *recovered,
    GstAmsHandover *handover)
{
  g_autoptr (AmsPlaylistParsed) parsed = ams_playlist_parse (text, NULL);
  g_autoptr (AmsPlaylistParsed) chosen = NULL;
  g_autoptr (GError) why = NULL;
  g_auto (GstAmsAnswers) answers = {
    0,
  };
  GstAmsPlaylist playlist = { parsed, name,
    ams_recording_get_config (recording)->playlist_root };
  GstAmsListing listing = { NULL, recovered };

  gst_ams_ask_file (stores->remote, name, FALSE, AMS_PLAYLIST_MAX_SIZE,
      &answers);
  if (!parsed || answers.answered == 0 || !stores->folder)
    return;
  g_ptr_array_insert (answers.found, 0, g_bytes_ref (text));
  chosen = ams_recovery_choose (answers.found, name, &why);
  if (!chosen || !g_bytes_equal (chosen->text, text)) {
    GST_WARNING ("\"%s\", left by a crash, is not sent again: %s", name,
        why ? why->message : "the store behind the src pad has more of it");
    return;
  }
  gst_ams_catch_up (handover, stores, &playlist, &answers, &listing);
  add_file (handover->remote, name, text);
}

/* FALSE: its playlist cannot be read, which somebody may still repair. */
static gboolean
finish_journal (AmsRecording *recording, const GstAmsStores *stores,
    const AmsJournal *journal, GstAmsHandover *handover)
{
  const AmsRecordingConfig *config = ams_recording_get_config (recording);
  g_autoptr (GPtrArray) recovered =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_autoptr (GBytes) text = NULL, rendered = NULL;
  g_autoptr (GPtrArray) pieces = NULL;
  g_autoptr (AmsPlaylistParsed) earlier = NULL;
  g_autoptr (AmsPlaylist) playlist = NULL;
  guint adopted = handover->local->len;
  guint64 extends;

  text = gst_ams_ask_one (stores->local, journal->playlist, FALSE,
      AMS_PLAYLIST_MAX_SIZE);
  earlier = text ? ams_playlist_parse (text, NULL) : NULL;
  if (text && !earlier)
    return FALSE;
  if (earlier)
    playlist =
        ams_playlist_continue (earlier, config->type, config->playlist_length);
  else
    playlist = ams_playlist_new (config->type, config->target_duration,
        config->playlist_length, config->independent);

  finish_session (recording, stores, journal, earlier, playlist, handover,
      recovered);
  if (ams_playlist_get_length (playlist) == 0) {
    g_ptr_array_set_size (handover->local, adopted);
    return TRUE;
  }
  if (config->endlist)
    ams_playlist_end (playlist);
  pieces = ams_playlist_render (playlist, &extends);
  rendered = ams_playlist_join (pieces);
  if (!rendered) {
    g_ptr_array_set_size (handover->local, adopted);
    return FALSE;
  }
  add_file (handover->local, journal->final_playlist, rendered);
  if (!g_str_equal (journal->playlist, journal->final_playlist))
    g_ptr_array_add (handover->local,
        ams_files_event_new_remove (journal->playlist, 0));
  send_other_session (recording, stores, journal->final_playlist, rendered,
      recovered, handover);
  return TRUE;
}

/* ---- which sessions ---- */

/* (transfer full) (element-type utf8) all that may be one */
static GPtrArray *
list_journals (AmsRecording *recording, const GstAmsStores *stores)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_auto (GstAmsAnswers) about = {
    0,
  };
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  gst_ams_ask_list (stores, FALSE,
      ams_recording_get_journals_prefix (recording), files, &about);
  for (guint i = 0; i < files->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (!file->partial && g_str_has_suffix (file->name, ".journal"))
      g_ptr_array_add (names, g_strdup (file->name));
  }
  return names;
}

/* One that somebody records, now, has its open file and all the others in use. */
static gboolean
is_abandoned (GstAmsClaimer *claimer, const GstAmsStores *stores,
    const AmsJournal *journal)
{
  const AmsClaim claim = { journal->final_playlist, journal->segment_family,
    TRUE };
  gboolean posted;

  return gst_ams_claimer_try (claimer, stores, &claim, &posted, NULL) ==
      GST_AMS_CLAIM_GRANTED;
}

static gboolean
finish_sibling (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsClaimer *claimer, const gchar *name, GstAmsHandover *handover)
{
  g_autoptr (AmsJournal) journal =
      gst_ams_recover_journal (stores->local, name);

  if (!journal ||
      !ams_recording_has_sibling (recording, journal->final_playlist) ||
      !is_abandoned (claimer, stores, journal) ||
      !finish_journal (recording, stores, journal, handover))
    return FALSE;
  GST_INFO ("\"%s\", which a crash has ended, is finished",
      journal->final_playlist);
  if (!g_str_equal (name, ams_recording_get_journal_name (recording)))
    g_ptr_array_add (handover->local, ams_files_event_new_remove (name, 0));
  return TRUE;
}

gboolean
gst_ams_siblings_finish (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsClaimer *claimer, GstAmsHandover *handover)
{
  g_autoptr (GPtrArray) names = list_journals (recording, stores);
  gboolean any = FALSE;

  for (guint i = 0; i < names->len; i++)
    any |= finish_sibling (recording, stores, claimer,
        g_ptr_array_index (names, i), handover);
  return any;
}
