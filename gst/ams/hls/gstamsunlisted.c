/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsunlisted.h"

#include "playlist/amspaths.h"
#include "files/amsfiles.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

/* A segment that is larger is not read back: 60 s at 250 Mb/s. */
#define MAX_SEGMENT_SIZE (G_GUINT64_CONSTANT (2) << 30)

/* More segments than this are never stored and unlisted after a crash: the put sinks'
 * max-parallel, and a few. */
#define MAX_UNLISTED 16

/* Where no last segment can be read, as before the first playlist, nothing says which media
 * a segment goes on from. More than the put sinks send at a time by default are not there
 * then. */
#define MAX_UNKNOWN 4

/* A search among more names than this is not a search for the end of a recording. */
#define MAX_TAKEN (G_GUINT64_CONSTANT (1) << 40)

void
gst_ams_found_clear (GstAmsFound *found)
{
  g_clear_pointer (&found->earlier, ams_playlist_parsed_free);
  gst_ams_answers_clear (&found->local);
  gst_ams_answers_clear (&found->remote);
  g_clear_pointer (&found->journal, ams_journal_free);
  g_clear_pointer (&found->files, g_ptr_array_unref);
  g_clear_pointer (&found->survey, ams_survey_free);
  g_clear_pointer (&found->read, g_hash_table_unref);
}

gboolean
gst_ams_fail_unknown (const gchar *name, const gchar *why, GError **error)
{
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      "Whether there is an earlier recording \"%s\" to be continued cannot "
      "be told: %s. Nothing is recorded on a guess.",
      name, why);
  return FALSE;
}

static gchar *
tell_excuse (const GstAmsStores *stores, const gchar *name,
    const GstAmsFound *found, const gchar *why)
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

gboolean
gst_ams_excuse_remote (const GstAmsStores *stores, const gchar *name,
    GstAmsFound *found, const gchar *why, GstAmsRecovered *recovered,
    GError **error)
{
  gboolean known = found->local.found->len > 0;

  if (!stores->folder || (!known && (!found->disk_decides || found->closed))) {
    recovered->posted = found->posted;
    return gst_ams_fail_unknown (name, why, error);
  }
  GST_DEBUG ("the disk decides on \"%s\", of which it has %s: %s", name,
      known ? "a playlist" : "nothing", why);
  g_ptr_array_add (recovered->handover.warnings,
      tell_excuse (stores, name, found, why));
  return TRUE;
}

static gboolean
fail_stranger (AmsRecording *recording, const AmsRecoveryFile *file,
    guint64 count, GError **error)
{
  g_autofree gchar *others = count > 1
      ? g_strdup_printf (" and %" G_GUINT64_FORMAT " more", count - 1)
      : g_strdup ("");

  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      "“%s”%s in the %s have names of this recording, but “%s” does not list "
      "them, and they cannot be what a crash has left of it: nothing says "
      "that they go on from what it lists. Nothing was recorded, so that "
      "nothing is mixed up. Move them away, record to other names, or set "
      "existing=append-or-new, which records beside them.",
      file->name, others, file->remote ? "store behind the src pad" : "folder",
      ams_recording_get_playlist_name (recording));
  return FALSE;
}

/* ---- a store that cannot list ---- */

static void
note_answers (GstAmsFound *found, const GstAmsAnswers *answers)
{
  found->posted |= answers->posted;
  found->closed |= answers->closed;
}

/* Whether number @number is taken. FALSE: that cannot be told. */
static gboolean
ask_taken (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found, guint64 number, gboolean *taken,
    GstAmsRecovered *recovered, GError **error)
{
  g_autofree gchar *name = ams_recording_predict_name (recording, number);
  g_auto (GstAmsAnswers) answers = {
    0,
  };

  gst_ams_ask_exists (stores->remote, name, MAX_SEGMENT_SIZE, &answers);
  note_answers (found, &answers);
  *taken = answers.found->len > 0;
  GST_DEBUG ("\"%s\" is %s", name, *taken ? "taken" : "free");
  return *taken || !answers.failed ||
      gst_ams_excuse_remote (stores,
          ams_recording_get_playlist_name (recording), found, answers.failed,
          recovered, error);
}

/* Reads the segment @number. *@orphan: it is there, and an orphan from here on. */
static gboolean
probe (AmsRecording *recording, const GstAmsStores *stores, GstAmsFound *found,
    guint64 number, gboolean *orphan, GstAmsRecovered *recovered,
    GError **error)
{
  g_autofree gchar *name = ams_recording_predict_name (recording, number);
  g_auto (GstAmsAnswers) answers = {
    0,
  };
  AmsRecoveryFile *file;
  GBytes *data;

  gst_ams_ask_file (stores->remote, name, FALSE, MAX_SEGMENT_SIZE, &answers);
  note_answers (found, &answers);
  *orphan = answers.found->len > 0;
  if (!*orphan)
    return !answers.failed ||
        gst_ams_excuse_remote (stores,
            ams_recording_get_playlist_name (recording), found, answers.failed,
            recovered, error);
  data = g_ptr_array_index (answers.found, 0);
  file = ams_recovery_file_new (name, g_bytes_get_size (data), FALSE);
  file->remote = TRUE;
  g_ptr_array_add (found->survey->orphans, file);
  g_hash_table_insert (found->read, g_strdup (name), g_bytes_ref (data));
  found->survey->any = TRUE;
  return TRUE;
}

/* The first free number after @first, which is taken: by doubling the distance until a
 * name is free, then by halving. 2 log n questions for n names that are taken. */
static gboolean
search_end (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found, guint64 first, guint64 *end, GstAmsRecovered *recovered,
    GError **error)
{
  guint64 last_taken = first, free_number = first, distance;
  gboolean taken = TRUE;

  for (distance = 1; taken && distance < MAX_TAKEN; distance *= 2) {
    free_number = first + distance;
    if (!ask_taken (recording, stores, found, free_number, &taken, recovered,
            error))
      return FALSE;
    if (taken)
      last_taken = free_number;
  }
  while (free_number - last_taken > 1) {
    guint64 middle = last_taken + (free_number - last_taken) / 2;

    if (!ask_taken (recording, stores, found, middle, &taken, recovered, error))
      return FALSE;
    *(taken ? &last_taken : &free_number) = middle;
  }
  *end = free_number;
  return TRUE;
}

static gboolean
is_predictable (AmsRecording *recording, guint64 number)
{
  g_autofree gchar *name = ams_recording_predict_name (recording, number);

  return name && number < G_MAXINT64 - 2 * MAX_TAKEN;
}

static gboolean
probe_up_to (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found, guint64 number, guint64 end, GstAmsRecovered *recovered,
    GError **error)
{
  gboolean orphan = TRUE;

  for (; number < end && orphan; number++)
    if (!probe (recording, stores, found, number, &orphan, recovered, error))
      return FALSE;
  return TRUE;
}

gboolean
gst_ams_unlisted_probe (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found, GstAmsRecovered *recovered, GError **error)
{
  guint64 first = found->survey->next_number, end;
  gboolean orphan;

  if (!is_predictable (recording, first))
    return TRUE;
  if (!probe (recording, stores, found, first, &orphan, recovered, error))
    return FALSE;
  if (!orphan)
    return TRUE;
  if (!search_end (recording, stores, found, first, &end, recovered, error))
    return FALSE;
  GST_INFO ("numbers %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
            " are taken in the store",
      first, end - 1);
  found->survey->next_number = end;
  if (end - first > MAX_UNLISTED)
    return fail_stranger (recording,
        g_ptr_array_index (found->survey->orphans,
            found->survey->orphans->len - 1),
        end - first, error);
  return probe_up_to (recording, stores, found, first + 1, end, recovered,
      error);
}

/* ---- what is there ---- */

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

gchar *
gst_ams_unlisted_last_name (AmsRecording *recording,
    const AmsPlaylistParsed *earlier)
{
  g_autofree gchar *uri = NULL;

  if (!earlier || earlier->n_segments == 0)
    return NULL;
  uri = ams_playlist_parsed_dup_uri (earlier, &earlier->last);
  return ams_paths_name_of_uri (ams_recording_get_playlist_name (recording),
      ams_recording_get_config (recording)->playlist_root, uri);
}

/* (transfer full) (nullable): none; one of another size than was said is another file. */
static GBytes *
find_orphan (const GstAmsAnswers *answers, const AmsRecoveryFile *file)
{
  for (guint i = 0; i < answers->found->len; i++) {
    GBytes *data = g_ptr_array_index (answers->found, i);

    if (file->partial || g_bytes_get_size (data) == file->size)
      return g_bytes_ref (data);
  }
  return NULL;
}

/* (transfer full) (nullable): it cannot be read, and @warnings says so. It may be gone,
 * which nobody has to know. */
static GBytes *
read_orphan (const GstAmsStores *stores, const AmsRecoveryFile *file,
    GHashTable *read, GPtrArray *warnings)
{
  g_auto (GstAmsAnswers) answers = {
    0,
  };
  const gchar *why;
  GBytes *data;

  if (read && g_hash_table_contains (read, file->name))
    return g_bytes_ref (g_hash_table_lookup (read, file->name));
  gst_ams_ask_file (file->remote ? stores->remote : stores->local, file->name,
      file->partial, MAX_SEGMENT_SIZE, &answers);
  data = find_orphan (&answers, file);
  why = answers.failed;
  if (answers.found->len > 0 && !data)
    why = "it is another file";
  if (!data && why)
    g_ptr_array_add (warnings,
        g_strdup_printf ("“%s”, which an earlier session left unlisted, cannot "
                         "be read (%s): it stays where it is, and no playlist "
                         "lists it.",
            file->name, why));
  return data;
}

GBytes *
gst_ams_unlisted_measure (const GstAmsStores *stores,
    const AmsRecoveryFile *file, GHashTable *read, const AmsJournal *journal,
    GPtrArray *warnings, guint64 *end_pts, AmsRecordingSegment *segment)
{
  g_autoptr (GBytes) data = read_orphan (stores, file, read, warnings);
  guint64 usable;

  if (data && file->whole > 0 && file->whole < g_bytes_get_size (data)) {
    GBytes *own = g_bytes_new_from_bytes (data, 0, file->whole);

    g_bytes_unref (data);
    data = own;
  }
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

guint64
gst_ams_unlisted_first_pts (AmsRecording *recording, const GstAmsStores *stores,
    const GstAmsFound *found)
{
  const GPtrArray *orphans = found->survey->orphans;
  g_autofree gchar *last =
      gst_ams_unlisted_last_name (recording, found->earlier);

  if (!last || orphans->len == 0 ||
      ams_recovery_is_noted (g_ptr_array_index (orphans, 0), found->journal))
    return G_MAXUINT64;
  return last_end_pts (stores, last);
}

/* ---- may it be adopted? ---- */

/* Nobody but a recorder makes a part file, or one that is later than the journal. What was
 * noted when it began is this recording's, as is what begins with the disk's part. */
static gboolean
is_ours (AmsRecording *recording, const AmsRecoveryFile *file,
    const GstAmsFound *found)
{
  return file->partial || file->part_size > 0 ||
      ams_recovery_is_noted (file, found->journal) ||
      ams_recovery_is_later (file, found->journal,
          ams_recording_get_segment_names (recording));
}

/* Reads @file once, though it is measured twice. */
static gboolean
measure_and_keep (const GstAmsStores *stores, const AmsRecoveryFile *file,
    GstAmsFound *found, guint64 *end_pts, AmsRecordingSegment *segment)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GBytes) data = gst_ams_unlisted_measure (stores, file, found->read,
      found->journal, warnings, end_pts, segment);

  if (!data)
    return FALSE;
  if (!file->partial && g_bytes_get_size (data) == file->size)
    g_hash_table_insert (found->read, g_strdup (file->name),
        g_bytes_ref (data));
  return TRUE;
}

/* A playlist that has no end was cut off: the very next numbers that it does not list are those of its
 * recorder, which may have begun again meanwhile, so that their time does not go on. */
static gboolean
is_next (AmsRecording *recording, const AmsRecoveryFile *file,
    const GstAmsFound *found)
{
  const AmsNames *names = ams_recording_get_segment_names (recording);
  g_autofree gchar *last =
      gst_ams_unlisted_last_name (recording, found->earlier);
  guint64 number, listed;

  if (!last || found->earlier->ended)
    return FALSE;
  if (!ams_names_has_number (names))
    return TRUE;
  return ams_names_match (names, file->name, &number) &&
      ams_names_match (names, last, &listed) && number > listed &&
      number - listed <= MAX_UNLISTED;
}

static guint
count_strangers (AmsRecording *recording, const GstAmsFound *found)
{
  const GPtrArray *orphans = found->survey->orphans;
  guint i, n = 0;

  for (i = 0; i < orphans->len; i++)
    n += !is_ours (recording, g_ptr_array_index (orphans, i), found);
  return n;
}

/* The first orphan that goes on from nothing that is known. (transfer none) (nullable) */
static const AmsRecoveryFile *
find_stranger (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found)
{
  const GPtrArray *orphans = found->survey->orphans;
  guint64 end_pts = gst_ams_unlisted_first_pts (recording, stores, found);
  gboolean anything_known = found->journal || end_pts != G_MAXUINT64;
  guint i;

  if (!anything_known && count_strangers (recording, found) > MAX_UNKNOWN)
    return g_ptr_array_index (orphans, 0);

  for (i = 0; i < orphans->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (orphans, i);
    AmsRecordingSegment segment = {
      NULL,
    };
    gboolean whole = measure_and_keep (stores, file, found, &end_pts, &segment);

    g_free (segment.name);
    if (whole && anything_known && segment.discontinuity &&
        !is_ours (recording, file, found) && !is_next (recording, file, found))
      return file;
    anything_known |= whole;
  }
  return NULL;
}

gboolean
gst_ams_unlisted_check (AmsRecording *recording, const GstAmsStores *stores,
    GstAmsFound *found, GError **error)
{
  guint strangers = count_strangers (recording, found);
  const AmsRecoveryFile *stranger = NULL;

  if (strangers == 0)
    return TRUE;
  GST_DEBUG ("%u of %u unlisted segments were not noted when they began",
      strangers, found->survey->orphans->len);
  if (strangers > MAX_UNLISTED)
    stranger = g_ptr_array_index (found->survey->orphans, 0);
  else
    stranger = find_stranger (recording, stores, found);
  return !stranger || fail_stranger (recording, stranger, strangers, error);
}
