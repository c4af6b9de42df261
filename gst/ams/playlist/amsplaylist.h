/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A media playlist that is being written (RFC 8216bis). Pure, no GStreamer, not
 * thread-safe. The text of an event or vod playlist only ever grows, so each
 * version costs what it adds, however long the recording; a sliding window is
 * rendered anew, as it is short. */

#pragma once

#include "amsplaylistsegment.h"
#include "amsplaylisttypes.h"

G_BEGIN_DECLS

typedef struct _AmsPlaylist AmsPlaylist;

/* @target_duration in s, ≥ 1. @window: segments listed of a live playlist, 0 = all; but never
 * shorter than 3 × target (hls-rules 4). @independent: say EXT-X-INDEPENDENT-SEGMENTS. @type VOD renders as PLAYLIST-TYPE:VOD. */
AmsPlaylist *ams_playlist_new (AmsPlaylistType type, guint target_duration,
    guint window, gboolean independent);

/* Goes on from @earlier, a playlist that was read back (amsplaylistparser.h).
 * Event and vod: its text is kept byte for byte but for ENDLIST, and shared, not
 * copied. Live: its lines are kept with their segments, unknown tags included, the
 * header's lines are kept, and both sequences go on.
 * TARGETDURATION is the earlier one's. If @earlier ends encrypted, METHOD=NONE
 * comes before what is added. KEY, MAP and BITRATE lines outlive their segment in a
 * sliding window. */
AmsPlaylist *ams_playlist_continue (const AmsPlaylistParsed *earlier,
    AmsPlaylistType type, guint window);

/* Its segments are pictures, EXT-X-I-FRAMES-ONLY (amsiframes.h). Only before the
 * first segment is added. */
void ams_playlist_set_iframes_only (AmsPlaylist *self);

void ams_playlist_free (AmsPlaylist *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsPlaylist, ams_playlist_free)

/* The first segment's number (start-index); 0 unless set. Only for a playlist made with ams_playlist_new(), before
 * the first segment is added. */
void ams_playlist_set_first_sequence (AmsPlaylist *self, guint64 sequence);

/* EXT-X-INDEPENDENT-SEGMENTS does not hold any more; what an earlier session said
 * included. The next version extends nothing. */
void ams_playlist_set_dependent (AmsPlaylist *self);
guint ams_playlist_get_target_duration (AmsPlaylist *self);
/* To @seconds, as another playlist of the same recording has a segment so long: all
 * of them have the same target. A lower one changes nothing. */
void ams_playlist_raise_target_duration (AmsPlaylist *self, guint seconds);
/* The media sequence number that the next added segment gets, and that of the first one listed. */
guint64 ams_playlist_get_next_sequence (AmsPlaylist *self);
guint64 ams_playlist_get_first_sequence (AmsPlaylist *self);
guint ams_playlist_get_length (AmsPlaylist *self);
guint64 ams_playlist_get_duration (
    AmsPlaylist *self); /* ns, of what is listed */

/* Adds a segment at the end. A duration that rounds to more than the target (half a second: up, as printed, in µs) raises
 * TARGETDURATION; returns TRUE then (the caller warns). */
gboolean ams_playlist_add (AmsPlaylist *self,
    const AmsPlaylistSegment *segment);

/* Live: takes the first segments that no longer belong to the window out (raising the sequences).
 * Returns: (transfer full) (element-type AmsPlaylistSegment) those that left, first first; empty for event and vod. */
GPtrArray *ams_playlist_slide (AmsPlaylist *self);

/* Live: takes the first @n segments out, of which there are as many at least,
 * whatever the window. */
void ams_playlist_drop (AmsPlaylist *self, guint n);

/* The listed segment @uri is listed as @new_uri from here on; FALSE when it is not listed. The
 * next version extends nothing. */
gboolean ams_playlist_rename (AmsPlaylist *self, const gchar *uri,
    const gchar *new_uri);
/* Marks the listed segment with this URI EXT-X-GAP; FALSE when it is not listed.
 * The next version extends nothing. The cost grows with how far from the end the
 * segment is, and not with the playlist's length. */
gboolean ams_playlist_mark_gap (AmsPlaylist *self, const gchar *uri);

/* Adds EXT-X-ENDLIST; nothing may be added afterwards. */
void ams_playlist_end (AmsPlaylist *self);

/* The playlist as it stands: UTF-8, every line ended, in pieces of whole lines.
 * For event and vod the cost does not depend on the length, since the memory is
 * shared with later versions, which only write behind it.
 * *@extends: how many of its first bytes are exactly the version that the call
 * before returned, whole. 0 when they are not: the first version, a live window,
 * TARGETDURATION raised, a gap marked. In what is added behind *@extends no line
 * and no segment's group of lines straddles a multiple of 4096 bytes
 * (AMS_FILES_PAGE_SIZE): comment lines ("#" and spaces, or an empty line where one
 * byte is left) fill the rest. A group longer than that makes *@extends 0.
 * Returns: (transfer full) (element-type GBytes) */
GPtrArray *ams_playlist_render (AmsPlaylist *self, guint64 *extends);

/* (transfer full) (nullable) A version in one piece, in memory only if it is small
 * (amsgather.h). NULL: it could not be read back from disk. */
GBytes *ams_playlist_join (GPtrArray *pieces);

G_END_DECLS
