/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which of the playlists that the stores have goes on, and what it lists. */

#include "amsrecovery.h"
#include "playlist/amspaths.h"

#include <string.h>

/* Bytes: a live playlist is in memory, and written anew, as a whole. */
#define MAX_LIVE_SIZE (64 * 1024 * 1024)

static guint64
end_sequence (const AmsPlaylistParsed *parsed)
{
  return parsed->media_sequence + parsed->n_segments;
}

/* The comparison of two versions of a playlist */
typedef struct
{
  const gchar *playlist;
  const gchar *root; /* (nullable) */
  const AmsJournal *journal; /* (nullable) */
  gboolean
      renamed; /* the later one has a name that the earlier has not got yet */
} Versions;

static gboolean
same_uri (const AmsPlaylistParsed *a, const AmsPlaylistParsedSegment *x,
    const AmsPlaylistParsed *b, const AmsPlaylistParsedSegment *y)
{
  const gchar *x_text = g_bytes_get_data (a->text, NULL);
  const gchar *y_text = g_bytes_get_data (b->text, NULL);

  return x->uri_len == y->uri_len &&
      memcmp (x_text + x->uri_start, y_text + y->uri_start, x->uri_len) == 0;
}

/* Whether @y is the segment @x under the name that it was given later. */
static gboolean
is_renamed (Versions *versions, const AmsPlaylistParsed *a,
    const AmsPlaylistParsedSegment *x, const AmsPlaylistParsed *b,
    const AmsPlaylistParsedSegment *y)
{
  g_autofree gchar *before = NULL, *after = NULL;
  const AmsJournalSegment *known;

  if (!versions->journal)
    return FALSE;
  before = ams_recovery_dup_name (a, x, versions->playlist, versions->root);
  after = ams_recovery_dup_name (b, y, versions->playlist, versions->root);
  known = before && after ? ams_journal_find (versions->journal, after) : NULL;
  if (g_strcmp0 (known ? known->was : NULL, before) != 0 || !known)
    return FALSE;
  versions->renamed = TRUE;
  return TRUE;
}

static gboolean
segments_agree (Versions *versions, const AmsPlaylistParsed *a,
    const AmsPlaylistParsedSegment *x, const AmsPlaylistParsed *b,
    const AmsPlaylistParsedSegment *y)
{
  return x && y && x->duration == y->duration && x->date_time == y->date_time &&
      x->discontinuity == y->discontinuity &&
      (same_uri (a, x, b, y) || is_renamed (versions, a, x, b, y));
}

/* They agree on what both list. Not byte by byte: a window slides, a GAP may have
 * been marked, the target duration raised. */
static gboolean
lists_agree (Versions *versions, const AmsPlaylistParsed *earlier,
    const AmsPlaylistParsed *later)
{
  guint64 first = MAX (earlier->media_sequence, later->media_sequence);
  g_autoptr (AmsPlaylistIter) a = NULL;
  g_autoptr (AmsPlaylistIter) b = NULL;
  guint64 sequence;

  if (first >= end_sequence (earlier))
    return TRUE;
  a = ams_playlist_iter_new (earlier, first - earlier->media_sequence);
  b = ams_playlist_iter_new (later, first - later->media_sequence);
  for (sequence = first; sequence < end_sequence (earlier); sequence++) {
    if (!segments_agree (versions, earlier, ams_playlist_iter_next (a), later,
            ams_playlist_iter_next (b)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
goes_on_from (Versions *versions, const AmsPlaylistParsed *longer,
    const AmsPlaylistParsed *shorter)
{
  versions->renamed = FALSE;
  if (longer->type != shorter->type ||
      end_sequence (shorter) > end_sequence (longer) ||
      !lists_agree (versions, shorter, longer))
    return FALSE;
  return !longer->has_type || longer->media_sequence == shorter->media_sequence;
}

/* Of two that list the same, the one that says more is the later. */
static gboolean
is_better (Versions *versions, const AmsPlaylistParsed *parsed,
    const AmsPlaylistParsed *chosen)
{
  if (!goes_on_from (versions, parsed, chosen))
    return FALSE;
  if (end_sequence (parsed) > end_sequence (chosen) || versions->renamed)
    return TRUE;
  if (parsed->body_end != chosen->body_end)
    return parsed->body_end > chosen->body_end;
  return parsed->ended && !chosen->ended;
}

AmsPlaylistParsed *
ams_recovery_choose_renamed (GPtrArray *texts, const gchar *name,
    const gchar *root, const AmsJournal *journal, GError **error)
{
  Versions versions = { name, root, journal, FALSE };
  g_autoptr (AmsPlaylistParsed) chosen = NULL;
  guint i;

  for (i = 0; i < texts->len; i++) {
    g_autoptr (GError) why = NULL;
    g_autoptr (AmsPlaylistParsed) parsed =
        ams_playlist_parse (g_ptr_array_index (texts, i), &why);

    if (!parsed) {
      g_set_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_UNREADABLE,
          "The earlier playlist \"%s\" cannot be continued: %s. Repair it, "
          "move it away, or set existing=append-or-new.",
          name, why->message);
      return NULL;
    }
    if (!chosen || is_better (&versions, parsed, chosen)) {
      g_clear_pointer (&chosen, ams_playlist_parsed_free);
      chosen = g_steal_pointer (&parsed);
    } else if (!goes_on_from (&versions, chosen, parsed)) {
      g_set_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_FORKED,
          "Two stores hold different recordings under the name \"%s\", "
          "neither of which continues the other. Move one of them away, or "
          "set existing=append-or-new.",
          name);
      return NULL;
    }
  }
  return g_steal_pointer (&chosen);
}

AmsPlaylistParsed *
ams_recovery_choose (GPtrArray *texts, const gchar *name, GError **error)
{
  return ams_recovery_choose_renamed (texts, name, NULL, NULL, error);
}

static gboolean
is_same_text (GBytes *a, GBytes *b)
{
  return g_bytes_get_data (a, NULL) == g_bytes_get_data (b, NULL) ||
      g_bytes_equal (a, b);
}

/* The first of the first @n segments of @chosen that @parsed lists under another name;
 * @n: none. */
static guint
find_renamed (const AmsPlaylistParsed *chosen, const AmsPlaylistParsed *parsed,
    guint n)
{
  guint64 sequence = MAX (chosen->media_sequence, parsed->media_sequence);
  g_autoptr (AmsPlaylistIter) a =
      ams_playlist_iter_new (chosen, sequence - chosen->media_sequence);
  g_autoptr (AmsPlaylistIter) b =
      ams_playlist_iter_new (parsed, sequence - parsed->media_sequence);

  for (; sequence < chosen->media_sequence + n; sequence++) {
    const AmsPlaylistParsedSegment *x = ams_playlist_iter_next (a);
    const AmsPlaylistParsedSegment *y = ams_playlist_iter_next (b);

    if (!x || !y || !same_uri (chosen, x, parsed, y))
      return sequence - chosen->media_sequence;
  }
  return n;
}

guint
ams_recovery_first_missing (const AmsPlaylistParsed *chosen, GBytes *text)
{
  g_autoptr (AmsPlaylistParsed) parsed = NULL;
  guint64 end;

  if (is_same_text (chosen->text, text))
    return chosen->n_segments;
  parsed = ams_playlist_parse (text, NULL);
  end = parsed ? end_sequence (parsed) : 0;
  if (end <= chosen->media_sequence)
    return 0;
  return find_renamed (chosen, parsed,
      MIN (end - chosen->media_sequence, chosen->n_segments));
}

gchar *
ams_recovery_dup_name (const AmsPlaylistParsed *parsed,
    const AmsPlaylistParsedSegment *segment, const gchar *playlist,
    const gchar *root)
{
  g_autofree gchar *uri = ams_playlist_parsed_dup_uri (parsed, segment);
  gchar *name = ams_paths_name_of_uri (playlist, root, uri);

  /* Of a time when there was no root. */
  return name ? name : ams_paths_name_of_uri (playlist, NULL, uri);
}

GPtrArray *
ams_recovery_listed (const AmsPlaylistParsed *parsed, const gchar *playlist,
    const gchar *root, guint first)
{
  GPtrArray *listed = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ams_recording_segment_free);
  g_autoptr (AmsPlaylistIter) lines = ams_playlist_iter_new (parsed, first);
  const AmsPlaylistParsedSegment *line;
  guint i;

  for (i = first; (line = ams_playlist_iter_next (lines)); i++) {
    gchar *name =
        line->gap ? NULL : ams_recovery_dup_name (parsed, line, playlist, root);
    AmsRecordingSegment *segment;

    if (!name)
      continue;
    segment = g_new0 (AmsRecordingSegment, 1);
    segment->name = name;
    segment->sequence = parsed->media_sequence + i;
    segment->duration = line->duration;
    segment->date_time = line->date_time;
    segment->discontinuity = line->discontinuity;
    g_ptr_array_add (listed, segment);
  }
  return listed;
}

gboolean
ams_recovery_check_type (const AmsPlaylistParsed *earlier, AmsPlaylistType type,
    const gchar *name, GError **error)
{
  if (earlier->has_type && earlier->type == AMS_PLAYLIST_VOD &&
      earlier->ended) {
    g_set_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_FINISHED,
        "\"%s\" is a finished VOD playlist, which may not change any more. "
        "Record to another name, or set existing=append-or-new.",
        name);
    return FALSE;
  }
  if (earlier->has_map) {
    g_set_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_TYPE,
        "\"%s\" lists fragmented MP4 (EXT-X-MAP), which MPEG-TS segments cannot "
        "continue. Record to another name, or set existing=append-or-new.",
        name);
    return FALSE;
  }
  if (earlier->has_type && type == AMS_PLAYLIST_LIVE) {
    g_set_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_TYPE,
        "\"%s\" is an EVENT playlist, from which nothing may be removed: it "
        "cannot be continued with playlist-type=live. Record to another name, "
        "or set playlist-type=event.",
        name);
    return FALSE;
  }
  if (type == AMS_PLAYLIST_LIVE &&
      g_bytes_get_size (earlier->text) > MAX_LIVE_SIZE) {
    g_set_error (error, AMS_RECOVERY_ERROR, AMS_RECOVERY_ERROR_TYPE,
        "\"%s\" lists %u segments, more than a live playlist can be continued "
        "with. Record to another name, or set playlist-type=event.",
        name, earlier->n_segments);
    return FALSE;
  }
  return TRUE;
}
