/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One recording's playlist, names, window and bookkeeping: what is to be
 * published when, and what is to be removed. Pure, no GStreamer, touches no file,
 * not thread-safe. Times of segments are durations in ns and dates in µs since 1970 UTC. */

#pragma once

#include <glib.h>
#include "amsjournal.h"
#include "amsrecordingtypes.h"
#include "amsretention.h"
#include "playlist/amsnames.h"

G_BEGIN_DECLS

typedef struct _AmsRecording AmsRecording;

/* Takes @config. NULL with an AMS_NAMES_ERROR when a template is refused. */
AmsRecording *ams_recording_new (AmsRecordingConfig *config, GError **error);
void ams_recording_free (AmsRecording *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsRecording, ams_recording_free)

const AmsRecordingConfig *ams_recording_get_config (AmsRecording *self);
const AmsNames *ams_recording_get_segment_names (AmsRecording *self);
const AmsNames *ams_recording_get_playlist_names (AmsRecording *self);

/* When the session begins: from then on the playlist has a name. @apart: names are given the session's date
 * even if the templates have none, to stay apart from what is there (existing=append-or-new). */
gboolean ams_recording_begin (AmsRecording *self, gint64 date_time,
    gboolean apart, GError **error);
const gchar *ams_recording_get_playlist_name (AmsRecording *self);
/* What another playlist of this session is called, whose template is @template_, as that of the
 * playlist is. (transfer full) */
gchar *ams_recording_format_playlist (AmsRecording *self,
    const gchar *template_, GError **error);
/* Where versions go while the recording runs: for a vod a hidden file, else the playlist. */
const gchar *ams_recording_get_working_name (AmsRecording *self);
/* What the segments' names have in common (ams_names_format_family): who records with
 * the same writes the same files. */
const gchar *ams_recording_get_segment_family (AmsRecording *self);
/* The same for every session of this playlist. */
const gchar *ams_recording_get_journal_name (AmsRecording *self);

/* What the journals of sessions begin with that have another playlist, as there is a date in its
 * name: there may be other files that do as well. */
const gchar *ams_recording_get_journals_prefix (AmsRecording *self);
/* Whether @playlist is such a session's. */
gboolean ams_recording_has_sibling (AmsRecording *self, const gchar *playlist);

/* Goes on from @earlier (nullable: from nothing); the next segment is number @next. */
void ams_recording_continue (AmsRecording *self,
    const AmsPlaylistParsed *earlier, guint64 next);

/* What segment @number is called, if no date is in the name. (transfer full) (nullable) */
gchar *ams_recording_predict_name (AmsRecording *self, guint64 number);

/* Gives @segment, which has none, the next free name and number. FALSE: it cannot have any. */
gboolean ams_recording_name_recovered (AmsRecording *self,
    AmsRecordingSegment *segment);
/* Lists a segment that an earlier session left behind, and notes it for the next one. What continues nothing gets its
 * @discontinuity here, unless it is the first that is listed. Returns: its media sequence number. */
guint64 ams_recording_add_recovered (AmsRecording *self,
    AmsRecordingSegment *segment);

/* Not all segments begin with a keyframe: from the next version on,
 * EXT-X-INDEPENDENT-SEGMENTS is not said. */
void ams_recording_set_dependent (AmsRecording *self);

/* Keeps what an earlier session noted of a segment that is not listed: the next session must know it, too. */
void ams_recording_add_note (AmsRecording *self, const AmsJournalSegment *note);

/* The next segment's name; (transfer none), until the next call. NULL: no unique or allowed name came out. */
const AmsRecordingSegment *ams_recording_begin_segment (AmsRecording *self,
    gint64 date_time, gboolean discontinuity, GError **error);
/* It is whole: lists it. Returns: (transfer none) it, until the next call; *@raised: the target duration had to be raised. */
const AmsRecordingSegment *ams_recording_end_segment (AmsRecording *self,
    guint64 size, guint64 duration, gboolean *raised);
/* It never will be. */
void ams_recording_abandon_segment (AmsRecording *self);
gboolean ams_recording_has_open_segment (AmsRecording *self);

/* A store has given @name up: EXT-X-GAP. FALSE when it is not listed (any more).
 * Touches nothing that ams_recording_get_stats() reads. */
gboolean ams_recording_mark_failed (AmsRecording *self, const gchar *name);
/* Counts @name, which was marked, in the statistics: each name once. */
void ams_recording_count_gap (AmsRecording *self, const gchar *name);

/* The name of the finished segment @name is taken in a store: it gets one with a number beyond all. Each time in a
 * row the numbers go on further, as what is taken is rarely taken alone. (transfer none) (nullable) the new name, until the
 * next call; NULL: it is not listed (any more), or there is no other name for it. */
const gchar *ams_recording_rename (AmsRecording *self, const gchar *name);

/* The playlist as it stands, as it goes to the working name. */
void ams_recording_render (AmsRecording *self, AmsRecordingVersion *version);
/* The playlist's last version, with ENDLIST if configured. FALSE when nothing was ever listed. */
gboolean ams_recording_finish (AmsRecording *self,
    AmsRecordingVersion *version);

/* What a later session must know if this one dies now (see amsjournal.h). */
GBytes *ams_recording_render_journal (AmsRecording *self);

/* Segments that have left the window and are no longer to be kept, each once. @known: names that an
 * earlier session left, oldest first. (transfer full) (element-type AmsRemoval) */
GPtrArray *ams_recording_take_removals (AmsRecording *self);
void ams_recording_add_unlisted (AmsRecording *self, const gchar *name);

/* All that this session wrote and has not removed. (transfer full) (element-type utf8) */
GPtrArray *ams_recording_get_own_files (AmsRecording *self);

void ams_recording_get_stats (AmsRecording *self, AmsRecordingStats *stats);
guint ams_recording_get_target_duration (AmsRecording *self);
guint ams_recording_get_length (AmsRecording *self);
/* Media sequence number of the first segment that is listed. */
guint64 ams_recording_get_first_sequence (AmsRecording *self);
guint64 ams_recording_get_next_number (AmsRecording *self);

G_END_DECLS
