/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an earlier session left behind, and how to go on from it. Pure, no
 * GStreamer, touches no file: what stores answered is passed in. */

#pragma once

#include <glib.h>
#include "amsjournal.h"
#include "playlist/amsplaylistparser.h"
#include "amsrecording.h"

G_BEGIN_DECLS

#define AMS_RECOVERY_ERROR (ams_recovery_error_quark ())
GQuark ams_recovery_error_quark (void);

typedef enum
{
  AMS_RECOVERY_ERROR_UNREADABLE, /* a playlist that cannot be parsed */
  AMS_RECOVERY_ERROR_FORKED, /* two stores hold different recordings */
  AMS_RECOVERY_ERROR_FINISHED, /* a VOD: may never change again */
  AMS_RECOVERY_ERROR_TYPE, /* event and live do not go together */
} AmsRecoveryError;

typedef struct
{
  gchar *name;
  guint64 size;
  gboolean partial;
  gboolean remote; /* it is behind the src pad, not on the disk */
  gint64 date_time; /* µs since 1970 UTC; 0: the store does not know */
  gboolean discontinuity; /* with a date_time */
  gint64 modified; /* last written to, µs since 1970 UTC; 0: unknown */
  /* Of a survey's files: bytes of the part that the disk has of a file that is
   * whole behind the src pad; 0: none. */
  guint64 part_size;
  gboolean is_part; /* that part has all bytes: it only needs its name */
  gboolean is_doubtful; /* the store may have more of it, and does not answer */
  /* Of a part: so many bytes are the segment, whole; what is behind them is the next one's. 0:
   * where it ends is not known. */
  guint64 whole;
  guint line; /* of a listed file: its place in the playlist, from 0 */
} AmsRecoveryFile;

AmsRecoveryFile *ams_recovery_file_new (const gchar *name, guint64 size,
    gboolean partial);
void ams_recovery_file_free (AmsRecoveryFile *file);

/* Of the texts that the stores hold of one playlist, the one that goes on: all
 * others must be beginnings of it. @texts: (element-type GBytes). NULL without
 * error: there are none. */
AmsPlaylistParsed *ams_recovery_choose (GPtrArray *texts, const gchar *name,
    GError **error);
/* The same; where they differ only in that a segment was renamed, as @journal
 * (nullable) knows, the one with the later name goes on. @root: before URIs, or NULL. */
AmsPlaylistParsed *ams_recovery_choose_renamed (GPtrArray *texts,
    const gchar *name, const gchar *root, const AmsJournal *journal,
    GError **error);

/* The first segment of @chosen (an index) that a store lacks whose playlist is @text, a
 * beginning of it, or one in which a segment has the name still that it had before it
 * was renamed. */
guint ams_recovery_first_missing (const AmsPlaylistParsed *chosen,
    GBytes *text);

/* The files that @parsed, the playlist @playlist, lists from segment @first on: no gaps, and none that
 * cannot be a name of ours. @root: before its URIs, or NULL. (transfer full) (element-type AmsRecordingSegment) */
GPtrArray *ams_recovery_listed (const AmsPlaylistParsed *parsed,
    const gchar *playlist, const gchar *root, guint first);

/* (transfer full) (nullable) The file that @segment of @parsed is. @playlist, @root:
 * as above */
gchar *ams_recovery_dup_name (const AmsPlaylistParsed *parsed,
    const AmsPlaylistParsedSegment *segment, const gchar *playlist,
    const gchar *root);

/* Whether @earlier may be continued as @type. */
gboolean ams_recovery_check_type (const AmsPlaylistParsed *earlier,
    AmsPlaylistType type, const gchar *name, GError **error);

typedef struct
{
  guint64 next_number;
  GPtrArray *
      orphans; /* (element-type AmsRecoveryFile) not listed, to be listed, in order */
  GPtrArray *
      unlisted; /* (element-type utf8) left the window, still there, oldest first */
  GPtrArray *
      unfinished; /* (element-type AmsRecoveryFile) listed; the disk has a part only */
  GPtrArray *
      notes; /* (element-type AmsJournalSegment) the journal's, of what is behind the playlist */
  gboolean any; /* there is an earlier recording at all */
} AmsSurvey;

void ams_survey_free (AmsSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSurvey, ams_survey_free)

/* Looks at what a store lists (@files, element-type AmsRecoveryFile), at the @earlier playlist and the
 * @journal (both nullable) of @recording, which has begun. */
AmsSurvey *ams_recovery_survey (AmsRecording *recording,
    const AmsPlaylistParsed *earlier, const AmsJournal *journal,
    GPtrArray *files);

/* Whether what a segment cannot tell itself was noted when @file began: in @journal
 * (nullable), or by the store. */
gboolean ams_recovery_is_noted (const AmsRecoveryFile *file,
    const AmsJournal *journal);

/* Whether @file is later than all that there was when @journal (nullable) was written: nobody but a
 * recorder that did not get to write it again makes such a file. */
gboolean ams_recovery_is_later (const AmsRecoveryFile *file,
    const AmsJournal *journal, const AmsNames *names);

/* How long the orphan in @data is, and whether it follows on a segment that ends at @end_pts (90 kHz; G_MAXUINT64:
 * unknown, then it does not). @journal is believed where it knows, then the store. Returns FALSE when nothing of it is usable. *@end_pts is moved on,
 * *@usable is the number of bytes worth keeping. */
gboolean ams_recovery_measure (const AmsRecoveryFile *file, GBytes *data,
    const AmsJournal *journal, guint64 *end_pts, AmsRecordingSegment *segment,
    guint64 *usable);

/* Gives @segment, measured, the date of where the one before it ends (@end_date, µs since 1970 UTC; 0: unknown),
 * if it has none and follows on. *@end_date is moved on. */
void ams_recovery_date (AmsRecordingSegment *segment, gint64 *end_date);

G_END_DECLS
