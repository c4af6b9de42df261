/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsrecover.h"

#include "amsjournal.h"
#include "amspaths.h"
#include "amsrecovery.h"
#include "files/amsfiles.h"
#include "gstamsask.h"
#include "gstamsleftover.h"

GST_DEBUG_CATEGORY_STATIC (gst_ams_recover_debug);
#define GST_CAT_DEFAULT gst_ams_recover_debug

/* A segment that is larger is not read back: 60 s at 250 Mb/s. */
#define MAX_SEGMENT_SIZE (G_GUINT64_CONSTANT (2) << 30)
#define MAX_JOURNAL_SIZE (64 * 1024)

/* Segments that a crash leaves stored but unlisted are those that were on their way at a
 * time: the put sinks' max-parallel, and a few. */
#define MAX_PROBES 16

void
gst_ams_recovered_clear (GstAmsRecovered *recovered)
{
  gst_ams_handover_clear (&recovered->handover);
}

/* ---- what there is ---- */

typedef struct
{
  AmsPlaylistParsed *earlier;
  GstAmsAnswers local, remote; /* about it */
  AmsJournal *journal;
  GPtrArray *files; /* (element-type AmsRecoveryFile) all there are */
  AmsSurvey *survey;
  GHashTable *probed; /* name → GBytes: read already */
  gboolean disk_decides; /* also where it has nothing of the recording */
  gboolean posted; /* by the store that could not tell */
  gboolean closed; /* a store was being stopped */
} Found;

static void
found_clear (Found *found)
{
  g_clear_pointer (&found->earlier, ams_playlist_parsed_free);
  gst_ams_answers_clear (&found->local);
  gst_ams_answers_clear (&found->remote);
  g_clear_pointer (&found->journal, ams_journal_free);
  g_clear_pointer (&found->files, g_ptr_array_unref);
  g_clear_pointer (&found->survey, ams_survey_free);
  g_clear_pointer (&found->probed, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

static gboolean
fail_unknown (const gchar *name, const gchar *why, GError **error)
{
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "Whether there is an earlier recording \"%s\" to be continued cannot "
      "be told: %s. Nothing is recorded on a guess.",
      name, why);
  return FALSE;
}

static gchar *
tell_excuse (const GstAmsStores *stores, const gchar *name, const Found *found,
    const gchar *why)
{
  if (found->local.found->len == 0)
    return g_strdup_printf (
        "What the store behind the src pad has of “%s” cannot be told (%s): "
        "“%s” has nothing of it, so the recording begins anew.",
        name, why, stores->folder);
  return g_strdup_printf (
      "What the store behind the src pad has of “%s” cannot "
      "be told (%s): the recording goes on from what is in "
      "“%s”, and that is sent again.",
      name, why, stores->folder);
}

/* A remote store that cannot tell is an error, unless the disk can: then the
 * recording goes on, or begins, by what the disk has, and that is sent again.
 * A disk without it is enough only where a recording must begin in any case. */
static gboolean
excuse_remote (const GstAmsStores *stores, const gchar *name, Found *found,
    const gchar *why, GstAmsRecovered *recovered, GError **error)
{
  gboolean known = found->local.found->len > 0;

  if (!stores->folder || (!known && (!found->disk_decides || found->closed))) {
    recovered->posted = found->posted;
    return fail_unknown (name, why, error);
  }
  GST_DEBUG ("the disk decides on \"%s\", of which it has %s: %s", name,
      known ? "a playlist" : "nothing", why);
  g_ptr_array_add (recovered->handover.warnings,
      tell_excuse (stores, name, found, why));
  return TRUE;
}

static AmsPlaylistParsed *
choose (const Found *found, const gchar *name, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (GError) why = NULL;
  AmsPlaylistParsed *chosen;

  g_ptr_array_extend (texts, found->local.found, NULL, NULL);
  g_ptr_array_extend (texts, found->remote.found, NULL, NULL);
  chosen = ams_recovery_choose (texts, name, &why);
  if (why)
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        why->message);
  return chosen;
}

/* Asks all stores for @name. FALSE: the disk cannot tell. */
static gboolean
fetch_playlists (const GstAmsStores *stores, const gchar *name, Found *found,
    GstAmsRecovered *recovered, GError **error)
{
  gst_ams_ask_file (stores->local, name, FALSE, AMS_PLAYLIST_MAX_SIZE,
      &found->local);
  found->closed |= found->local.closed;
  if (found->local.failed)
    return fail_unknown (name, found->local.failed, error);
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
has_any (const Found *found)
{
  return found->local.found->len > 0 || found->remote.found->len > 0;
}

/* The playlist as it was last written: a running vod's is hidden. */
static gboolean
look_for_playlist (AmsRecording *recording, const GstAmsStores *stores,
    Found *found, GstAmsRecovered *recovered, GError **error)
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
      !excuse_remote (stores, name, found, unknown, recovered, error))
    return FALSE;
  found->earlier = choose (found, name, &why);
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
      gst_ams_ask_one (local, name, FALSE, MAX_JOURNAL_SIZE);

  return data ? ams_journal_read (data) : NULL;
}

/* One that is there is an orphan; its number is used, whatever it turns out to be. *@more: another
 * may follow. */
static gboolean
probe (AmsRecording *recording, const GstAmsStores *stores, const gchar *name,
    Found *found, GstAmsRecovered *recovered, gboolean *more, GError **error)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };
  AmsRecoveryFile *file;
  GBytes *data;

  *more = FALSE;
  gst_ams_ask_file (stores->remote, name, FALSE, MAX_SEGMENT_SIZE, &answers);
  found->posted |= answers.posted;
  found->closed |= answers.closed;
  if (answers.found->len == 0)
    return !answers.failed ||
        excuse_remote (stores, ams_recording_get_playlist_name (recording),
            found, answers.failed, recovered, error);
  data = g_ptr_array_index (answers.found, 0);
  file = ams_recovery_file_new (name, g_bytes_get_size (data), FALSE);
  file->remote = TRUE;
  g_ptr_array_add (found->survey->orphans, file);
  g_hash_table_insert (found->probed, g_strdup (name), g_bytes_ref (data));
  found->survey->any = *more = TRUE;
  found->survey->next_number++;
  return TRUE;
}

/* A store that cannot list may have segments that no playlist has: those that come
 * next, as they were stored in order. */
static gboolean
probe_next (AmsRecording *recording, const GstAmsStores *stores, Found *found,
    GstAmsRecovered *recovered, GError **error)
{
  gboolean more = TRUE;
  guint i;

  for (i = 0; i < MAX_PROBES && more; i++) {
    g_autofree gchar *name =
        ams_recording_predict_name (recording, found->survey->next_number);

    if (!name)
      return TRUE;
    if (!probe (recording, stores, name, found, recovered, &more, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
look (AmsRecording *recording, const GstAmsStores *stores, Found *found,
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
  found->journal = gst_ams_recover_journal (stores->local,
      ams_recording_get_journal_name (recording));
  found->survey = ams_recovery_survey (recording, found->earlier,
      found->journal, found->files);
  found->probed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_bytes_unref);
  if (!remote.failed || found->remote.failed)
    return TRUE;
  return probe_next (recording, stores, found, recovered, error);
}

/* ---- orphans ---- */

/* (transfer full) (nullable): a store that is away is not waited for. */
static GBytes *
fetch_listed (const GstAmsStores *stores, const gchar *name)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };
  GBytes *data = gst_ams_ask_one (stores->local, name, FALSE, MAX_SEGMENT_SIZE);

  if (data)
    return data;
  gst_ams_ask_file_soon (stores->remote, name, MAX_SEGMENT_SIZE, &answers);
  if (answers.found->len == 0)
    return NULL;
  return g_bytes_ref (g_ptr_array_index (answers.found, 0));
}

/* Where the media of the last listed segment end, to see whether the first orphan follows on. */
static guint64
last_end_pts (const GstAmsStores *stores, const gchar *name)
{
  g_autoptr (GBytes) data = fetch_listed (stores, name);
  AmsRecoveryFile file = { (gchar *) name };
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

  if (!earlier || earlier->n_segments == 0)
    return NULL;
  uri = ams_playlist_parsed_dup_uri (earlier, &earlier->last);
  return ams_paths_name_of_uri (ams_recording_get_playlist_name (recording),
      ams_recording_get_config (recording)->playlist_root, uri);
}

/* (transfer full) (nullable): it cannot be read, and @warnings says so. */
static GBytes *
read_orphan (const GstAmsStores *stores, const AmsRecoveryFile *file,
    GHashTable *probed, GPtrArray *warnings)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };

  if (probed && g_hash_table_contains (probed, file->name))
    return g_bytes_ref (g_hash_table_lookup (probed, file->name));
  gst_ams_ask_file (file->remote ? stores->remote : stores->local, file->name,
      file->partial, MAX_SEGMENT_SIZE, &answers);
  if (answers.found->len > 0)
    return g_bytes_ref (g_ptr_array_index (answers.found, 0));
  if (answers.failed)
    g_ptr_array_add (warnings,
        g_strdup_printf ("“%s”, which an earlier session left unlisted, cannot "
                         "be read (%s): it stays where it is, and no playlist "
                         "lists it.",
            file->name, answers.failed));
  return NULL;
}

GBytes *
gst_ams_recover_measure (const GstAmsStores *stores,
    const AmsRecoveryFile *file, GHashTable *probed, const AmsJournal *journal,
    GPtrArray *warnings, guint64 *end_pts, AmsRecordingSegment *segment)
{
  g_autoptr (GBytes) data = read_orphan (stores, file, probed, warnings);
  guint64 usable;

  if (!data ||
      !ams_recovery_measure (file, data, journal, end_pts, segment, &usable)) {
    GST_INFO ("\"%s\", left by a crash, has nothing that is whole", file->name);
    return NULL;
  }
  GST_INFO ("\"%s\", left by a crash, is recovered: %" G_GUINT64_FORMAT
            " bytes, %" GST_TIME_FORMAT,
      file->name, usable, GST_TIME_ARGS (segment->duration));
  return g_bytes_new_from_bytes (data, 0,
      MIN (usable, g_bytes_get_size (data)));
}

/* Makes @segment, measured, whole where it is partial, and brings it to where it is
 * not: to the disk while it is in memory, from the disk by reference. @several: remote
 * stores, of which one has it. */
static void
hand_over (GstAmsHandover *handover, const GstAmsStores *stores,
    gboolean several, const AmsRecoveryFile *file,
    const AmsRecordingSegment *segment, GBytes *data)
{
  if (file->partial)
    g_ptr_array_add (file->remote ? handover->remote : handover->local,
        ams_files_event_new_adopt (file->name, segment->size));
  if (file->remote && stores->folder)
    gst_ams_handover_copy (handover, segment, data);
  if (!file->remote || several)
    gst_ams_handover_refer (handover, stores, segment);
}

static void
recover_orphan (AmsRecording *recording, const GstAmsStores *stores,
    const AmsRecoveryFile *file, const Found *found, guint64 *end_pts,
    gint64 *end_date, GstAmsRecovered *recovered)
{
  AmsRecordingSegment segment = {
    NULL,
  };
  g_autoptr (GBytes) data =
      gst_ams_recover_measure (stores, file, found->probed, found->journal,
          recovered->handover.warnings, end_pts, &segment);

  if (data) {
    segment.discontinuity &= ams_recording_get_length (recording) > 0;
    ams_recovery_date (&segment, end_date);
    ams_names_match (ams_recording_get_segment_names (recording), segment.name,
        &segment.number);
    segment.sequence = ams_recording_add_recovered (recording, &segment);
    hand_over (&recovered->handover, stores, recovered->answered > 1, file,
        &segment, data);
    recovered->recovered++;
  }
  g_free (segment.name);
}

static void
recover_orphans (AmsRecording *recording, const GstAmsStores *stores,
    const Found *found, GstAmsRecovered *recovered)
{
  const AmsSurvey *survey = found->survey;
  g_autofree gchar *last = last_listed_name (recording, found->earlier);
  guint64 end_pts = G_MAXUINT64;
  gint64 end_date = found->earlier ? found->earlier->end_date : 0;
  guint i;

  if (last && survey->orphans->len > 0 &&
      !ams_recovery_is_noted (g_ptr_array_index (survey->orphans, 0),
          found->journal))
    end_pts = last_end_pts (stores, last);
  for (i = 0; i < survey->orphans->len; i++)
    recover_orphan (recording, stores, g_ptr_array_index (survey->orphans, i),
        found, &end_pts, &end_date, recovered);
}

/* ---- the start ---- */

/* The longest playlist goes on; what has a shorter one catches up. */
static void
catch_up (AmsRecording *recording, const GstAmsStores *stores,
    const Found *found, GstAmsRecovered *recovered)
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
go_on (AmsRecording *recording, const GstAmsStores *stores, const Found *found,
    GstAmsRecovered *recovered)
{
  guint i;

  ams_recording_continue (recording, found->earlier,
      found->survey->next_number);
  recovered->continued = found->earlier != NULL;
  gst_ams_leftover_warn (recording, stores, found->earlier, found->files,
      &recovered->handover);
  catch_up (recording, stores, found, recovered);
  recover_orphans (recording, stores, found, recovered);
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
  g_auto (Found) found = {
    NULL,
  };
  g_autoptr (GError) why = NULL;

  GST_DEBUG_CATEGORY_GET (gst_ams_recover_debug, "amshlssink");
  gst_ams_handover_init (&recovered->handover);
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
