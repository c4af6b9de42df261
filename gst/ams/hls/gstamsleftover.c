/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsleftover.h"

#include <string.h>

#include "playlist/amspaths.h"
#include "recording/amsrecovery.h"
#include "files/amsfiles.h"
#include "gstamsask.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ams_hls_sink_debug);
#define GST_CAT_DEFAULT gst_ams_hls_sink_debug

#define TS_PACKET_SIZE 188

/* Bytes. A segment that is larger is not read back: 60 s at 250 Mb/s. */
#define MAX_ASIDE_SIZE (G_GUINT64_CONSTANT (2) << 30)

/* Each is read once, and noted in the journal, which is small: the next starts list the others. */
#define MAX_AT_A_START 64

/* ---- marked as missing, and there ---- */

/* (transfer full) (element-type utf8) whole, and on the disk */
static GHashTable *
index_whole (GPtrArray *files)
{
  GHashTable *names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < files->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (!file->partial && !file->remote)
      g_hash_table_add (names, file->name);
  }
  return names;
}

/* (transfer full) (nullable): it is no gap, or none of ours. */
static gchar *
gap_name (AmsRecording *recording, const AmsPlaylistParsed *earlier,
    const AmsPlaylistParsedSegment *line)
{
  g_autofree gchar *uri = NULL;

  if (!line->gap)
    return NULL;
  uri = ams_playlist_parsed_dup_uri (earlier, line);
  return ams_paths_name_of_uri (ams_recording_get_playlist_name (recording),
      ams_recording_get_config (recording)->playlist_root, uri);
}

static void
warn_gaps (AmsRecording *recording, const AmsPlaylistParsed *earlier,
    GPtrArray *files, GPtrArray *warnings)
{
  g_autoptr (GHashTable) whole = index_whole (files);
  g_autoptr (AmsPlaylistIter) lines = ams_playlist_iter_new (earlier, 0);
  const AmsPlaylistParsedSegment *line;
  g_autofree gchar *first = NULL, *last = NULL;
  guint n = 0;

  while ((line = ams_playlist_iter_next (lines))) {
    g_autofree gchar *name = gap_name (recording, earlier, line);

    if (!name || !g_hash_table_contains (whole, name))
      continue;
    if (n++ == 0)
      first = g_strdup (name);
    g_free (last);
    last = g_steal_pointer (&name);
  }
  if (n > 0)
    g_ptr_array_add (warnings,
        g_strdup_printf (
            "The playlist “%s” calls %u segment(s) missing that are there (“%s” "
            "to “%s”). What a playlist has said may not change, so players "
            "skip them; the files are kept.",
            ams_recording_get_playlist_name (recording), n, first, last));
}

/* ---- set aside ---- */

/* "folder/.NAME.part.N" → "folder/NAME"; (nullable): it is none. */
static gchar *
name_of_aside (const gchar *aside)
{
  const gchar *slash = strrchr (aside, '/');
  const gchar *base = slash ? slash + 1 : aside;
  const gchar *dot = strrchr (base, '.');
  gsize suffix = strlen (".part");

  if (base[0] != '.' || (gsize) (dot - base) <= suffix + 1 ||
      strspn (dot + 1, "0123456789") != strlen (dot + 1) || !dot[1] ||
      strncmp (dot - suffix, ".part", suffix) != 0)
    return NULL;
  return g_strdup_printf ("%.*s%.*s", (int) (base - aside), aside,
      (int) (dot - suffix - base - 1), base + 1);
}

static gboolean
is_aside (AmsRecording *recording, const gchar *aside)
{
  g_autofree gchar *name = name_of_aside (aside);
  guint64 number;

  return name &&
      ams_names_match (ams_recording_get_segment_names (recording), name,
          &number);
}

static gint
compare_age (gconstpointer a, gconstpointer b)
{
  const AmsRecoveryFile *x = *(const AmsRecoveryFile *const *) a;
  const AmsRecoveryFile *y = *(const AmsRecoveryFile *const *) b;

  if (x->modified != y->modified)
    return x->modified < y->modified ? -1 : 1;
  return strcmp (x->name, y->name);
}

/* (transfer full) (element-type AmsRecoveryFile) the oldest first */
static GPtrArray *
list_aside (AmsRecording *recording, const GstAmsStores *stores)
{
  g_autofree gchar *prefix = ams_paths_hidden (
      ams_names_prefix (ams_recording_get_segment_names (recording)), "");
  GPtrArray *files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_auto (GstAmsAnswers) about = {
    0,
  };
  guint i = 0;

  gst_ams_ask_list (stores, FALSE, prefix, files, &about);
  while (i < files->len) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (is_aside (recording, file->name))
      i++;
    else
      g_ptr_array_remove_index (files, i);
  }
  g_ptr_array_sort (files, compare_age);
  return files;
}

/* A recorder writes whole packets, and whole access units but for the one that it was killed
 * in: a file that ends with a packet was closed properly, and its last frame is kept. */
static gboolean
was_cut (const AmsRecoveryFile *file)
{
  return file->size % TS_PACKET_SIZE != 0;
}

/* FALSE: nothing in it can be made out. */
static gboolean
measure_aside (const GstAmsStores *stores, const AmsRecoveryFile *file,
    guint64 *end_pts, AmsRecordingSegment *segment)
{
  const AmsRecoveryFile part = { file->name, file->size, was_cut (file) };
  g_autoptr (GBytes) data =
      gst_ams_ask_one (stores->local, file->name, FALSE, MAX_ASIDE_SIZE);
  guint64 usable;

  if (!data ||
      !ams_recovery_measure (&part, data, NULL, end_pts, segment, &usable))
    return FALSE;
  g_clear_pointer (&segment->name, g_free);
  return TRUE;
}

/* Nothing but the file itself still says when its media were recorded: a recorder writes as the media come. */
static void
date_aside (const AmsRecoveryFile *file, AmsRecordingSegment *segment,
    gint64 *end_date)
{
  if ((segment->discontinuity || segment->apart) && file->modified > 0)
    segment->date_time = file->modified - (gint64) (segment->duration / 1000);
  ams_recovery_date (segment, end_date);
}

/* Where the next segment would go on from. */
typedef struct
{
  guint64 pts; /* 90 kHz */
  gint64 date; /* µs since 1970 UTC */
} End;

/* FALSE: it stays as it is. */
static gboolean
recover_aside (AmsRecording *recording, const GstAmsStores *stores,
    const AmsRecoveryFile *file, End *end, AmsEnd *known,
    GstAmsHandover *handover)
{
  AmsRecordingSegment segment = {
    NULL,
  };

  if (!measure_aside (stores, file, &end->pts, &segment))
    return FALSE;
  date_aside (file, &segment, &end->date);
  if (!ams_recording_name_recovered (recording, &segment))
    return FALSE;
  segment.sequence = ams_recording_add_recovered (recording, &segment);
  ams_end_add (known, segment.duration, end->pts);
  GST_INFO ("\"%s\", set aside by an earlier session, becomes \"%s\": "
            "%" G_GUINT64_FORMAT " bytes, %" GST_TIME_FORMAT,
      file->name, segment.name, segment.size, GST_TIME_ARGS (segment.duration));
  g_ptr_array_add (handover->local,
      ams_files_event_new_adopt (segment.name, file->name, segment.size));
  gst_ams_handover_refer (handover, stores, &segment);
  g_free (segment.name);
  return TRUE;
}

static void
warn_aside (AmsRecording *recording, guint n, const gchar *first,
    GstAmsHandover *handover)
{
  if (n > 0)
    g_ptr_array_add (handover->warnings,
        g_strdup_printf (
            "%u file(s) beside “%s” were set aside, as another recorder had "
            "taken their names, and are not MPEG-TS that can be listed: “%s” "
            "is the first. They are kept; look at them, and move them away.",
            n, ams_recording_get_playlist_name (recording), first));
}

/* With a date in the playlist's name, what is found may be another playlist's. */
static gboolean
may_list (AmsRecording *recording, const GstAmsStores *stores)
{
  return gst_pad_is_linked (stores->local) && !stores->unlistable &&
      !ams_names_has_session (ams_recording_get_playlist_names (recording)) &&
      !ams_names_has_session (ams_recording_get_segment_names (recording));
}

guint
gst_ams_leftover_recover (AmsRecording *recording, const GstAmsStores *stores,
    AmsEnd *known, GstAmsHandover *handover)
{
  g_autoptr (GPtrArray) files = NULL;
  const gchar *first_kept = NULL;
  End end = { G_MAXUINT64, 0 };
  guint n = 0, kept = 0;
  guint i;

  if (!may_list (recording, stores))
    return 0;
  files = list_aside (recording, stores);
  for (i = 0; i < files->len && n < MAX_AT_A_START; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (recover_aside (recording, stores, file, &end, known, handover))
      n++;
    else if (kept++ == 0)
      first_kept = file->name;
  }
  if (i < files->len)
    GST_INFO ("%u files that were set aside are left to the next start",
        files->len - i);
  warn_aside (recording, kept, first_kept, handover);
  return n;
}

void
gst_ams_leftover_warn (AmsRecording *recording, const GstAmsStores *stores,
    const AmsPlaylistParsed *earlier, GPtrArray *files,
    GstAmsHandover *handover)
{
  /* What a remote store has given up is marked on the disk as well, which has it. */
  if (earlier && gst_pad_is_linked (stores->local) && !stores->unlistable &&
      !gst_pad_is_linked (stores->remote))
    warn_gaps (recording, earlier, files, handover->warnings);
}
