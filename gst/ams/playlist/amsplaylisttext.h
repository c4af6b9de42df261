/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The text of an event or vod playlist, which is kept in pieces that are never
 * written to again. Versions share them, so that a version, an added segment and a
 * gap near the end cost the same however long the text is. Pure, not thread-safe;
 * pieces that were handed out may be freed by any thread. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AmsPlaylistText AmsPlaylistText;

AmsPlaylistText *ams_playlist_text_new (void);
void ams_playlist_text_free (AmsPlaylistText *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPlaylistText, ams_playlist_text_free)

/* Only whole lines are added. add_bytes shares @bytes instead of copying them. */
void ams_playlist_text_add (AmsPlaylistText *self, const gchar *lines,
    gsize len);
void ams_playlist_text_add_bytes (AmsPlaylistText *self, GBytes *bytes);

gsize ams_playlist_text_get_size (AmsPlaylistText *self);

/* (transfer full) (element-type GBytes) The text as it stands, in order; each piece
 * consists of whole lines. */
GPtrArray *ams_playlist_text_get_pieces (AmsPlaylistText *self);

/* The header's line with the tag @tag becomes @line; if there is none, @line comes
 * second. */
void ams_playlist_text_set_header_line (AmsPlaylistText *self, const gchar *tag,
    const gchar *line);

/* FALSE: the header has no line @line. */
gboolean ams_playlist_text_remove_header_line (AmsPlaylistText *self,
    const gchar *line);

/* Marks the last segment whose URI line is @uri EXT-X-GAP, and those before it that
 * are ranges of the same file, unless all are marked already (*@marked). It is
 * looked for from the end, as it is mostly the newest segments that a store gives
 * up. FALSE: there is no such segment. */
gboolean ams_playlist_text_mark_gap (AmsPlaylistText *self, const gchar *uri,
    gboolean *marked);

/* The place in @lines, a segment's whole lines, where EXT-X-GAP goes. FALSE: the
 * segment is not @uri. */
gboolean ams_playlist_find_gap_place (const gchar *lines, gsize len,
    const gchar *uri, gsize *place, gboolean *marked);

/* The last segment whose URI line is @uri, and those before it that are ranges of
 * the same file, get another one. FALSE: there is none. */
gboolean ams_playlist_text_rename (AmsPlaylistText *self, const gchar *uri,
    const gchar *new_uri);
/* *@start: where in @lines, a segment's whole lines, its URI line begins. FALSE: the
 * segment is not @uri. */
gboolean ams_playlist_find_uri (const gchar *lines, gsize len, const gchar *uri,
    gsize *start);

G_END_DECLS
