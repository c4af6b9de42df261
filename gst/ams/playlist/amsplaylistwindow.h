/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The segments that a live playlist lists, with their lines. Pure, not
 * thread-safe. */

#pragma once

#include "amsplaylistsegment.h"

G_BEGIN_DECLS

typedef struct _AmsPlaylistWindow AmsPlaylistWindow;

AmsPlaylistWindow *ams_playlist_window_new (void);
void ams_playlist_window_free (AmsPlaylistWindow *self);

/* @segment, @lines: (transfer full) */
void ams_playlist_window_push (AmsPlaylistWindow *self,
    AmsPlaylistSegment *segment, GString *lines);

/* (transfer none) (nullable) The first segment. */
const AmsPlaylistSegment *ams_playlist_window_peek (AmsPlaylistWindow *self);
/* (transfer full) Takes the first segment out, of which there must be one; lines
 * that apply to later ones too stay. *@discontinuities: of its lines. */
AmsPlaylistSegment *ams_playlist_window_pop (AmsPlaylistWindow *self,
    guint *discontinuities);

/* (transfer none) (nullable) The last segment's lines, for more to be added. */
GString *ams_playlist_window_get_last_lines (AmsPlaylistWindow *self);

/* Adds all lines to @out. */
void ams_playlist_window_write (AmsPlaylistWindow *self, GString *out);

/* FALSE: no segment has this URI. */
gboolean ams_playlist_window_mark_gap (AmsPlaylistWindow *self,
    const gchar *uri);

/* The listed segment @uri is listed as @new_uri. FALSE: it is not listed. */
gboolean ams_playlist_window_rename (AmsPlaylistWindow *self, const gchar *uri,
    const gchar *new_uri);

G_END_DECLS
