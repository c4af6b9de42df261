/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a recording is to be like, its segments, its playlist's versions, its figures. */

#pragma once

#include "amsjournal.h"
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

/* As the journal notes it. (transfer full) */
AmsJournalSegment *ams_recording_segment_note (
    const AmsRecordingSegment *segment);

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
  guint64 segments; /* finished by this session */
  guint64 recovered; /* of an earlier one, found unlisted */
  guint64 gaps;
  guint64 discontinuities;
  guint64 bytes;
  guint64 duration; /* ns */
} AmsRecordingStats;

G_END_DECLS
