/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstamsleftover.h"

#include <string.h>

#include "amspaths.h"

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

static void
warn_aside (AmsRecording *recording, const GstAmsStores *stores,
    GPtrArray *warnings)
{
  g_autofree gchar *prefix = ams_paths_hidden (
      ams_names_prefix (ams_recording_get_segment_names (recording)), "");
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  g_auto (GstAmsAnswers) about = {
    0,
  };
  const gchar *first = NULL;
  guint n = 0;

  gst_ams_ask_list (stores, FALSE, prefix, files, &about);
  for (guint i = 0; i < files->len; i++) {
    const AmsRecoveryFile *file = g_ptr_array_index (files, i);

    if (!is_aside (recording, file->name))
      continue;
    n++;
    if (!first || strcmp (file->name, first) < 0)
      first = file->name;
  }
  if (n > 0)
    g_ptr_array_add (warnings,
        g_strdup_printf (
            "%u file(s) beside “%s” hold media that no playlist lists, as "
            "another recorder had taken their names: “%s” is the first. They "
            "are kept; each is MPEG-TS and plays when it is renamed.",
            n, ams_recording_get_playlist_name (recording), first));
}

void
gst_ams_leftover_warn (AmsRecording *recording, const GstAmsStores *stores,
    const AmsPlaylistParsed *earlier, GPtrArray *files,
    GstAmsHandover *handover)
{
  if (!gst_pad_is_linked (stores->local) || stores->unlistable)
    return;
  /* What a remote store has given up is marked on the disk as well, which has it. */
  if (earlier && !gst_pad_is_linked (stores->remote))
    warn_gaps (recording, earlier, files, handover->warnings);
  warn_aside (recording, stores, handover->warnings);
}
