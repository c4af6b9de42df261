/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The journal: a small hidden file beside the playlist, written when a segment begins, removed when the
 * recording has ended. It tells the next session, after a crash, what cannot be seen in the
 * segments themselves: which playlist they belong to, when they began, and whether a DISCONTINUITY comes before them. A
 * GKeyFile. It is a help, never needed: without it the next session measures. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes. One that is larger was not written by us. */
#define AMS_JOURNAL_MAX_SIZE (256 * 1024)

typedef struct
{
  gchar *name;
  gchar *
      was; /* (nullable) the name that it had before, under which it may still be listed */
  guint64 number;
  gint64 date_time; /* µs since 1970 UTC; 0: unknown */
  guint64 duration; /* ns; 0: was still open */
  gboolean discontinuity;
} AmsJournalSegment;

typedef struct
{
  gchar *playlist; /* the name that the session's versions went to */
  gchar *final_playlist; /* and the last one's */
  gchar *segment_family; /* (nullable) what the session claimed besides */
  guint64 next_number;
  GPtrArray *
      segments; /* (element-type AmsJournalSegment) what earlier sessions left, and
                   the last few, oldest first */
} AmsJournal;

/* What the journals of @name, a playlist of the template @template_ or the beginning of one, are
 * called: hidden in the folder that all sessions have in common, however deep the playlist is
 * itself, as that is where the next one looks for journals. */
gchar *ams_journal_make_name (const gchar *name, const gchar *template_,
    const gchar *suffix);
/* What the journals of all playlists begin with whose names begin with @prefix, with a date in
 * them or without: it goes in behind a "-". (transfer full) */
gchar *ams_journal_make_prefix (const gchar *prefix, const gchar *template_);

AmsJournal *ams_journal_new (void);
void ams_journal_free (AmsJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsJournal, ams_journal_free)

AmsJournalSegment *ams_journal_segment_new (const gchar *name);
AmsJournalSegment *ams_journal_segment_copy (const AmsJournalSegment *segment);
void ams_journal_segment_free (AmsJournalSegment *segment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsJournalSegment, ams_journal_segment_free)

GBytes *ams_journal_write (const AmsJournal *self);
/* NULL when @data is no journal or a broken one. Hostile input. */
AmsJournal *ams_journal_read (GBytes *data);
const AmsJournalSegment *ams_journal_find (const AmsJournal *self,
    const gchar *name);

G_END_DECLS
