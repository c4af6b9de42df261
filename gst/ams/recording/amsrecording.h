/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One recording's playlist, names, window and bookkeeping: what is to be
 * published when, and what is to be removed. Pure, no GStreamer, touches no file,
 * not thread-safe. Times of segments are durations in ns and dates in µs since 1970 UTC. */

#pragma once

#include <glib.h>
#include "amsjournal.h"
#include "playlist/amsnames.h"
#include "playlist/amsplaylist.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *location; /* relative templates */
  gchar *playlist_location;
  gchar *playlist_root; /* (nullable) */
  gboolean add_date_time;
  GTimeZone *zone; /* of the dates in names */
  AmsPlaylistType type;
  guint target_duration; /* s */
  guint playlist_length; /* live: segments listed, 0: all */
  guint max_files; /* live: segments kept, 0: all */
  guint64 start_index;
  gboolean program_date_time;
  gboolean endlist;
  gboolean independent; /* EXT-X-INDEPENDENT-SEGMENTS */
  gboolean remember_files; /* for ams_recording_get_own_files() */
} AmsRecordingConfig;

AmsRecordingConfig *ams_recording_config_new (void);
void ams_recording_config_free (AmsRecordingConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsRecordingConfig, ams_recording_config_free)

typedef struct
{
  gchar *name;
  guint64 number; /* in the name */
  guint64 sequence; /* in the playlist */
  guint64 size;
  guint64 duration;
  gint64 date_time;
  gboolean discontinuity;
  /* Recovered: whatever its time stamps, its packets say that they continue
   * nothing. */
  gboolean apart;
} AmsRecordingSegment;

void ams_recording_segment_free (AmsRecordingSegment *segment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsRecordingSegment, ams_recording_segment_free)

/* One version of the playlist. */
typedef struct
{
  gchar *name;
  GPtrArray *pieces; /* (element-type GBytes) of its text, in order */
  guint64 version;
  guint64 extends;
  gboolean final;
  GStrv failed; /* (nullable) */
  GStrv renamed; /* (nullable) old and new name in turn */
} AmsRecordingVersion;

void ams_recording_version_clear (AmsRecordingVersion *version);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmsRecordingVersion,
    ams_recording_version_clear)

typedef struct
{
  gchar *name;
  gdouble after; /* s */
} AmsRecordingRemoval;

typedef struct
{
  guint64 segments; /* finished by this session */
  guint64 recovered; /* of an earlier one, found unlisted */
  guint64 gaps;
  guint64 discontinuities;
  guint64 bytes;
  guint64 duration; /* ns */
} AmsRecordingStats;

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
 * earlier session left, oldest first. (transfer full) (element-type AmsRecordingRemoval) */
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
