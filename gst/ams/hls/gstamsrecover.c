/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsrecover.h"

#include "recording/amsjournal.h"
#include "playlist/amspaths.h"
#include "recording/amsrecovery.h"
#include "files/amsfiles.h"
#include "gstamsask.h"
#include "gstamsend.h"
#include "gstamsleftover.h"
#include "gstamsunfinished.h"
#include "gstamsunlisted.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

void
gst_ams_recovered_clear (GstAmsRecovered *recovered)
{
  gst_ams_handover_clear (&recovered->handover);
}

/* ---- what there is ---- */

static AmsPlaylistParsed *
choose (AmsRecording *recording, const GstAmsFound *found, const gchar *name,
    GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (GError) why = NULL;
  AmsPlaylistParsed *chosen;

  g_ptr_array_extend (texts, found->local.found, NULL, NULL);
  g_ptr_array_extend (texts, found->remote.found, NULL, NULL);
  chosen = ams_recovery_choose_renamed (texts, name,
      ams_recording_get_config (recording)->playlist_root, found->journal,
      &why);
  if (why)
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        why->message);
  return chosen;
}

/* Asks all stores for @name. FALSE: the disk cannot tell. */
static gboolean
fetch_playlists (const GstAmsStores *stores, const gchar *name,
    GstAmsFound *found, GstAmsRecovered *recovered, GError **error)
{
  gst_ams_ask_file (stores->local, name, FALSE, AMS_PLAYLIST_MAX_SIZE,
      &found->local);
  found->closed |= found->local.closed;
  if (found->local.failed)
    return gst_ams_fail_unknown (name, found->local.failed, error);
  /* The disk knows the recording: a server that is away must not hold it up. */
  if (found->local.found->len > 0)
    gst_ams_ask_file_soon (stores->remote, name, AMS_PLAYLIST_MAX_SIZE,
        &found->remote);
  else
    gst_ams_ask_file (stores->remote, name, FALSE, AMS_PLAYLIST_MAX_SIZE,
        &found->remote);
  recovered->answered = MAX (recovered->answered, found->remote.answered);
  found->posted |= found->remote.posted;
  found->closed |= found->remote.closed;
  return TRUE;
}

static gboolean
has_any (const GstAmsFound *found)
{
  return found->local.found->len > 0 || found->remote.found->len > 0;
}

/* The playlist as it was last written: a running vod's is hidden. */
static gboolean
look_for_playlist (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found, GstAmsRecovered *recovered, GError **error)
{
  const gchar *name = ams_recording_get_playlist_name (recording);
  const gchar *working = ams_recording_get_working_name (recording);
  AmsPlaylistType type = ams_recording_get_config (recording)->type;
  g_autofree gchar *unknown = NULL;
  g_autoptr (GError) why = NULL;

  if (!fetch_playlists (stores, name, found, recovered, error))
    return FALSE;
  unknown = g_strdup (found->remote.failed);
  if (!has_any (found) && !g_str_equal (name, working)) {
    if (!fetch_playlists (stores, working, found, recovered, error))
      return FALSE;
    if (!unknown)
      unknown = g_strdup (found->remote.failed);
  }
  if (unknown &&
      !gst_ams_excuse_remote (stores, name, found, unknown, recovered, error))
    return FALSE;
  found->earlier = choose (recording, found, name, &why);
  if (why) {
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  if (!found->earlier ||
      ams_recovery_check_type (found->earlier, type, name, &why))
    return TRUE;
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      why->message);
  return FALSE;
}

AmsJournal *
gst_ams_recover_journal (GstPad *local, const gchar *name)
{
  g_autoptr (GBytes) data =
      gst_ams_ask_one (local, name, FALSE, AMS_JOURNAL_MAX_SIZE);

  return data ? ams_journal_read (data) : NULL;
}

static gboolean
look (AmsRecording *recording, const GstAmsStores *stores, GstAmsFound *found,
    GstAmsRecovered *recovered, GError **error)
{
  const gchar *prefix =
      ams_names_prefix (ams_recording_get_segment_names (recording));
  g_auto (GstAmsAnswers) local = {
    0,
  };
  g_auto (GstAmsAnswers) remote = {
    0,
  };
  g_autofree gchar *last = NULL;

  found->journal = gst_ams_recover_journal (stores->local,
      ams_recording_get_journal_name (recording));
  if (!look_for_playlist (recording, stores, found, recovered, error))
    return FALSE;
  found->files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  gst_ams_ask_list (stores, FALSE, prefix, found->files, &local);
  found->closed |= local.closed;
  if (local.failed && !stores->unlistable) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "What is recorded already cannot be told: %s. Nothing is recorded "
        "on a guess.",
        local.failed);
    return FALSE;
  }
  gst_ams_ask_list (stores, TRUE, prefix, found->files, &remote);
  found->unlisted = remote.failed != NULL;
  found->survey = ams_recovery_survey (recording, found->earlier,
      found->journal, found->files);
  found->read = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_bytes_unref);
  gst_ams_unfinished_decide (stores, found);
  last = gst_ams_unlisted_last_name (recording, found->earlier);
  gst_ams_unfinished_part (stores, found->survey->orphans, last,
      &recovered->handover);
  if (remote.failed && !found->remote.failed &&
      !gst_ams_unlisted_probe (recording, stores, found, recovered, error))
    return FALSE;
  return gst_ams_unlisted_check (recording, stores, found, error);
}

/* ---- orphans ---- */

/* Makes @segment, measured, whole where it is partial, and brings it to where it is
 * not: to the disk while it is in memory, from the disk by reference. @several: remote
 * stores, of which one has it. @from: (nullable) the part that it is made of, if it does
 * not get the name that it was to have. */
static void
hand_over (GstAmsHandover *handover, const GstAmsStores *stores,
    gboolean several, const AmsRecoveryFile *file, const gchar *from,
    const AmsRecordingSegment *segment, GBytes *data)
{
  if (file->partial || file->is_part)
    g_ptr_array_add (
        file->remote && file->partial ? handover->remote : handover->local,
        ams_files_event_new_adopt (segment->name, from, segment->size));
  if (file->remote && !file->is_part && stores->folder)
    gst_ams_handover_copy (handover, segment, data);
  if (!file->remote || several)
    gst_ams_handover_refer (handover, stores, segment);
}

/* FALSE: it is lost, or its end is. */
static gboolean
recover_orphan (AmsRecording *recording, const GstAmsStores *stores,
    const AmsRecoveryFile *file, const GstAmsFound *found,
    gboolean behind_a_hole, guint64 *end_pts, gint64 *end_date, AmsEnd *end,
    GstAmsRecovered *recovered)
{
  AmsRecordingSegment segment = {
    NULL,
  };
  g_autoptr (GBytes) data = gst_ams_unlisted_measure (stores, file, found->read,
      found->journal, recovered->handover.warnings, end_pts, &segment);
  g_autofree gchar *from = NULL;

  if (data) {
    segment.apart |= behind_a_hole;
    ams_recovery_date (&segment, end_date);
    from = gst_ams_unfinished_rename (recording, stores, file, &segment,
        &recovered->handover);
    ams_names_match (ams_recording_get_segment_names (recording), segment.name,
        &segment.number);
    segment.sequence = ams_recording_add_recovered (recording, &segment);
    gst_ams_end_add (end, segment.duration, *end_pts, data);
    hand_over (&recovered->handover, stores, recovered->answered > 1, file,
        from, &segment, data);
    recovered->recovered++;
  }
  g_free (segment.name);
  return data && (!file->partial || file->whole > 0);
}

static void
recover_orphans (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, AmsEnd *end, GstAmsRecovered *recovered)
{
  const AmsSurvey *survey = found->survey;
  guint64 end_pts = gst_ams_unlisted_first_pts (recording, stores, found);
  gint64 end_date = found->earlier ? found->earlier->end_date : 0;
  gboolean hole = FALSE;
  guint i;

  for (i = 0; i < survey->orphans->len; i++)
    hole = !recover_orphan (recording, stores,
        g_ptr_array_index (survey->orphans, i), found, hole, &end_pts,
        &end_date, end, recovered);
}

/* ---- the start ---- */

/* The longest playlist goes on; what has a shorter one catches up. */
static void
catch_up (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, GstAmsRecovered *recovered)
{
  GstAmsPlaylist playlist = {
    found->earlier,
    ams_recording_get_playlist_name (recording),
    ams_recording_get_config (recording)->playlist_root,
  };
  GstAmsListing listing = {
    ams_names_prefix (ams_recording_get_segment_names (recording)),
    found->files,
  };

  if (!found->earlier)
    return;
  recovered->behind = gst_ams_catch_up (&recovered->handover, stores, &playlist,
      &found->remote, &listing);
  gst_ams_warn_left_behind (&recovered->handover, stores, &playlist,
      &found->local, &listing);
}

static void
go_on (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found, GstAmsRecovered *recovered)
{
  AmsEnd end = AMS_END_INIT;
  guint i;

  ams_recording_continue (recording, found->earlier,
      found->survey->next_number);
  recovered->continued = found->earlier != NULL;
  recovered->was_ended = found->earlier && found->earlier->ended;
  for (i = 0; i < found->survey->notes->len; i++)
    ams_recording_add_note (recording,
        g_ptr_array_index (found->survey->notes, i));
  gst_ams_leftover_warn (recording, stores, found->earlier, found->files,
      &recovered->handover);
  gst_ams_unfinished_restore (recording, stores, found, &recovered->handover);
  catch_up (recording, stores, found, recovered);
  recover_orphans (recording, stores, found, &end, recovered);
  recovered->recovered +=
      gst_ams_leftover_recover (recording, stores, &end, &recovered->handover);
  gst_ams_end_ask (recording, stores, found, &end);
  recovered->end_time = gst_ams_end_decide (&end);
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

/* What is there does not matter; but without a disk, whether anybody will say when a
 * file is stored does. */
static void
begin_over (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsRecovered *recovered)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_auto (GstAmsAnswers) about = {
    0,
  };

  if (!gst_pad_is_linked (stores->local))
    gst_ams_ask_list (stores, TRUE, ams_recording_get_playlist_name (recording),
        files, &about);
  recovered->answered = about.answered;
  ams_recording_continue (recording, NULL, 0);
}

/* FALSE: another recorder has it, or a store is being stopped. */
static gboolean
claim (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsRecoverOptions *options, gboolean tentative,
    GstAmsRecovered *recovered, GError **error)
{
  const AmsClaim names = {
    (gchar *) ams_recording_get_playlist_name (recording),
    (gchar *) ams_recording_get_segment_family (recording),
    tentative,
  };
  GstAmsClaimResult result;
  gboolean posted = FALSE;

  if (options->when_busy == GST_AMS_WHEN_BUSY_WAIT)
    result = gst_ams_claimer_wait (options->claimer, stores, &names,
        options->waiting, options->user_data);
  else
    result =
        gst_ams_claimer_try (options->claimer, stores, &names, &posted, error);
  recovered->posted = posted && result == GST_AMS_CLAIM_BUSY;
  recovered->closed = result == GST_AMS_CLAIM_CLOSED;
  if (recovered->closed)
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
        "Stopped before the recording could begin.");
  return result == GST_AMS_CLAIM_GRANTED;
}

static gboolean
begin_apart (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsRecoverOptions *options, const GError *why,
    GstAmsRecovered *recovered, GError **error)
{
  GST_WARNING ("a new recording is begun beside the earlier one: %s",
      why->message);
  g_ptr_array_set_size (recovered->handover.warnings, 0);
  g_ptr_array_set_size (recovered->handover.local, 0);
  g_ptr_array_set_size (recovered->handover.remote, 0);
  if (!begin (recording, options->date_time, TRUE, error) ||
      !claim (recording, stores, options, FALSE, recovered, error))
    return FALSE;
  if (recovered->answered == 0)
    begin_over (recording, stores, recovered);
  else
    ams_recording_continue (recording, NULL, 0);
  return TRUE;
}

gboolean
gst_ams_recover (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsRecoverOptions *options, GstAmsRecovered *recovered,
    GError **error)
{
  gboolean may_be_apart = options->existing == GST_AMS_EXISTING_APPEND_OR_NEW;
  g_auto (GstAmsFound) found = {
    NULL,
  };
  g_autoptr (GError) why = NULL;

  gst_ams_handover_init (&recovered->handover);
  recovered->end_time = AMS_TIME_NONE;
  if (!begin (recording, options->date_time, FALSE, error))
    return FALSE;
  if (!claim (recording, stores, options, may_be_apart, recovered, &why)) {
    if (may_be_apart && !recovered->closed)
      return begin_apart (recording, stores, options, why, recovered, error);
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  if (options->existing == GST_AMS_EXISTING_OVERWRITE) {
    begin_over (recording, stores, recovered);
    return TRUE;
  }
  found.disk_decides = may_be_apart;
  if (!look (recording, stores, &found, recovered, &why)) {
    recovered->closed = found.closed;
    if (may_be_apart && !found.closed)
      return begin_apart (recording, stores, options, why, recovered, error);
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  if (options->existing == GST_AMS_EXISTING_ERROR && found.survey->any) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
        "There is an earlier recording \"%s\", and existing=error forbids to "
        "continue it. Record to another name, or set existing=append.",
        ams_recording_get_playlist_name (recording));
    return FALSE;
  }
  go_on (recording, stores, &found, recovered);
  return TRUE;
}
