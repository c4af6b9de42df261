/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whatever can be read can be gone on from, and read again. */

#include "playlist/amsplaylist.h"
#include "playlist/amsplaylistparser.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define N_ADDED 5
#define NEAR_LIMIT ((G_GUINT64_CONSTANT (1) << 63) - 100000)

static void
add_segments (AmsPlaylist *playlist)
{
  guint i;

  for (i = 0; i < N_ADDED; i++) {
    AmsPlaylistSegment segment = { (gchar *) "added.ts",
      (i + 1) * G_GUINT64_CONSTANT (1999999999), i * 1000000, i == 2, i == 3 };

    ams_playlist_add (playlist, &segment);
  }
}

/* (transfer full) */
static AmsPlaylistParsed *
render_and_parse (AmsPlaylist *playlist)
{
  g_autoptr (GError) error = NULL;
  guint64 extends;
  g_autoptr (GPtrArray) pieces = ams_playlist_render (playlist, &extends);
  g_autoptr (GBytes) bytes = ams_playlist_join (pieces);
  AmsPlaylistParsed *parsed = ams_playlist_parse (bytes, &error);

  if (parsed == NULL)
    g_error ("what was written is not read: %s", error->message);
  return parsed;
}

static void
go_on (const AmsPlaylistParsed *earlier, AmsPlaylistType type)
{
  g_autoptr (AmsPlaylist) playlist = ams_playlist_continue (earlier, type, 2);
  g_autoptr (AmsPlaylistParsed) kept = NULL, added = NULL, last = NULL;
  g_autoptr (GPtrArray) left = NULL;

  kept = render_and_parse (playlist);
  g_assert_cmpuint (kept->n_segments, ==, earlier->n_segments);
  add_segments (playlist);
  added = render_and_parse (playlist);
  g_assert_cmpuint (added->n_segments, ==, earlier->n_segments + N_ADDED);
  g_assert_cmpuint (added->media_sequence, ==, earlier->media_sequence);
  g_assert_cmpuint (added->version, >=, 3);
  left = ams_playlist_slide (playlist);
  g_assert_true (ams_playlist_mark_gap (playlist, "added.ts"));
  ams_playlist_end (playlist);
  last = render_and_parse (playlist);
  g_assert_true (last->ended);
  g_assert_cmpuint (last->n_segments + left->len, ==, added->n_segments);
  g_assert_cmpuint (last->media_sequence, ==,
      earlier->media_sequence + left->len);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) text = g_bytes_new (data, size);
  g_autoptr (AmsPlaylistParsed) earlier = ams_playlist_parse (text, NULL);
  g_autoptr (AmsPlaylistIter) segments = NULL;
  guint i;

  if (earlier == NULL || earlier->media_sequence > NEAR_LIMIT ||
      earlier->discontinuity_sequence > NEAR_LIMIT)
    return 0;
  segments = ams_playlist_iter_new (earlier, 0);
  for (i = 0; i < earlier->n_segments; i++)
    g_free (ams_playlist_parsed_dup_uri (earlier,
        ams_playlist_iter_next (segments)));
  g_assert_null (ams_playlist_iter_next (segments));
  go_on (earlier, AMS_PLAYLIST_EVENT);
  go_on (earlier, AMS_PLAYLIST_LIVE);
  return 0;
}
