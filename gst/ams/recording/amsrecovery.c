/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsrecovery.h"
#include "playlist/amspaths.h"
#include "package/ts/amstsscan.h"

#include <string.h>

G_DEFINE_QUARK (ams_recovery_error_quark, ams_recovery_error)

/* 90 kHz. Segments of one session follow on each other to the frame; how long the last
 * frame lasts is an estimate. Two sessions that meet as closely by chance do no harm. */
#define FOLLOWS_TOLERANCE (90000 / 10)

/* ns: how long a single frame lasts cannot be measured. What a crash left of a segment
 * is not worth listing then; a whole one is taken to last as long as a frame of PAL. */
#define SHORTEST_SEGMENT (G_GUINT64_CONSTANT (40) * 1000000)

/* ns: a playlist with a longer segment could not be read again. */
#define LONGEST_SEGMENT (G_GUINT64_CONSTANT (86400) * 1000000000)

#define PACKET_SIZE 188

/* Segments that a store gets at most while a disk hangs with the journal. */
#define MAX_AHEAD 16

AmsRecoveryFile *
ams_recovery_file_new (const gchar *name, guint64 size, gboolean partial)
{
  AmsRecoveryFile *file = g_new0 (AmsRecoveryFile, 1);

  file->name = g_strdup (name);
  file->size = size;
  file->partial = partial;
  return file;
}

void
ams_recovery_file_free (AmsRecoveryFile *file)
{
  g_free (file->name);
  g_free (file);
}

void
ams_survey_free (AmsSurvey *survey)
{
  g_ptr_array_unref (survey->orphans);
  g_ptr_array_unref (survey->unlisted);
  g_ptr_array_unref (survey->unfinished);
  g_ptr_array_unref (survey->notes);
  g_free (survey);
}

/* ---- what is there ---- */

/* Numbers and names that are listed, of ours. */
typedef struct
{
  gboolean any;
  guint64 first, last; /* numbers */
  gchar *last_name;
} Listed;

static void
listed_clear (Listed *listed)
{
  g_free (listed->last_name);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listed, listed_clear)

/* No recording makes a higher number: one stray file must not use them up. */
static gboolean
is_ours (const AmsNames *names, const gchar *name, guint64 *number)
{
  return ams_names_match (names, name, number) && *number <= G_MAXINT64;
}

typedef struct
{
  const AmsRecoveryFile *file;
  guint64 number;
  gboolean listed; /* by the earlier playlist */
  gboolean gap; /* listed as missing */
  guint line; /* where it is listed */
  guint64 part_size; /* as in AmsRecoveryFile */
} Numbered;

/* (transfer full) The files by name; names are @found's. */
static GHashTable *
index_found (GArray *found)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);
  guint i;

  for (i = 0; i < found->len; i++) {
    Numbered *file = &g_array_index (found, Numbered, i);

    g_hash_table_insert (index, file->file->name, file);
  }
  return index;
}

static void
take_listed (Listed *listed, gchar *name, guint64 number)
{
  listed->first = listed->any ? MIN (listed->first, number) : number;
  listed->last = listed->any ? MAX (listed->last, number) : number;
  listed->any = TRUE;
  g_free (listed->last_name);
  listed->last_name = name;
}

/* What @earlier lists, of which there may be more than fits into memory: only what
 * was found is told apart. */
static void
mark_listed (AmsRecording *recording, const AmsPlaylistParsed *earlier,
    GArray *found, Listed *listed)
{
  const AmsNames *names = ams_recording_get_segment_names (recording);
  const gchar *root = ams_recording_get_config (recording)->playlist_root;
  const gchar *playlist = ams_recording_get_playlist_name (recording);
  g_autoptr (AmsPlaylistIter) lines = ams_playlist_iter_new (earlier, 0);
  g_autoptr (GHashTable) index = index_found (found);
  const AmsPlaylistParsedSegment *line;

  for (guint i = 0; (line = ams_playlist_iter_next (lines)); i++) {
    gchar *name = ams_recovery_dup_name (earlier, line, playlist, root);
    Numbered *file = name ? g_hash_table_lookup (index, name) : NULL;
    guint64 number;

    if (file) {
      file->listed = TRUE;
      file->gap = line->gap;
      file->line = i;
    }
    if (name && is_ours (names, name, &number))
      take_listed (listed, name, number);
    else
      g_free (name);
  }
}

static gint
compare_numbered (gconstpointer a, gconstpointer b)
{
  const Numbered *x = a, *y = b;

  if (x->number != y->number)
    return x->number < y->number ? -1 : 1;
  if (!g_str_equal (x->file->name, y->file->name))
    return strcmp (x->file->name, y->file->name);
  if (x->file->partial != y->file->partial)
    return x->file->partial - y->file->partial;
  if (x->file->remote != y->file->remote)
    return x->file->remote - y->file->remote;
  return (y->file->date_time != 0) - (x->file->date_time != 0);
}

/* @other, of the same name, is not taken. */
static void
note_part (Numbered *taken, const AmsRecoveryFile *other)
{
  if (taken->file->remote && !other->remote && other->partial)
    taken->part_size = other->size;
}

static void
drop_repeated (GArray *found)
{
  guint i, kept = 0;

  for (i = 0; i < found->len; i++) {
    Numbered file = g_array_index (found, Numbered, i);
    Numbered *last =
        kept > 0 ? &g_array_index (found, Numbered, kept - 1) : NULL;

    if (last && g_str_equal (file.file->name, last->file->name))
      note_part (last, file.file);
    else
      g_array_index (found, Numbered, kept++) = file;
  }
  g_array_set_size (found, kept);
}

/* The stores' files that have this recording's names, in order, each once: whole
 * if any store has it whole, else the disk's, else one that knows its date. */
static GArray *
collect_files (const AmsNames *names, GPtrArray *files)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Numbered));
  guint i;

  for (i = 0; i < files->len; i++) {
    Numbered numbered = { g_ptr_array_index (files, i), 0 };

    if (is_ours (names, numbered.file->name, &numbered.number))
      g_array_append_val (found, numbered);
  }
  g_array_sort (found, compare_numbered);
  drop_repeated (found);
  return found;
}

static gboolean
is_behind (const Numbered *file, const Listed *listed, gboolean has_number)
{
  if (!listed->any)
    return TRUE;
  if (has_number)
    return file->number > listed->last;
  return strcmp (file->file->name, listed->last_name) > 0;
}

static AmsRecoveryFile *
copy_file (const Numbered *numbered)
{
  const AmsRecoveryFile *file = numbered->file;
  AmsRecoveryFile *copy =
      ams_recovery_file_new (file->name, file->size, file->partial);

  copy->remote = file->remote;
  copy->date_time = file->date_time;
  copy->discontinuity = file->discontinuity;
  copy->part_size = numbered->part_size;
  copy->line = numbered->line;
  return copy;
}

/* The session ended after another store's playlist listed it, and before its part
 * on the disk got its name. */
static gboolean
is_unfinished (const Numbered *file)
{
  if (file->gap)
    return FALSE;
  return file->part_size > 0 || (file->file->partial && !file->file->remote);
}

/* A second name of a segment that is listed: there was no time to list the new one. */
static gboolean
is_listed_as_it_was (const AmsRecoveryFile *file, const AmsJournal *journal,
    const GArray *found)
{
  const AmsJournalSegment *known =
      journal ? ams_journal_find (journal, file->name) : NULL;
  guint i;

  for (i = 0; known && known->was && i < found->len; i++) {
    const Numbered *other = &g_array_index (found, Numbered, i);

    if (other->listed && g_str_equal (other->file->name, known->was))
      return TRUE;
  }
  return FALSE;
}

static void
sort_out (AmsSurvey *survey, const Numbered *file, const Listed *listed,
    gboolean has_number)
{
  if (file->listed) {
    if (is_unfinished (file))
      g_ptr_array_add (survey->unfinished, copy_file (file));
    return;
  }
  if (is_behind (file, listed, has_number))
    g_ptr_array_add (survey->orphans, copy_file (file));
  else if (has_number && file->number < listed->first && !file->file->partial)
    g_ptr_array_add (survey->unlisted, g_strdup (file->file->name));
}

/* Until the playlist has gone on beyond @file, whoever starts next must know it, too. */
static void
keep_note (AmsSurvey *survey, const Numbered *file, const AmsJournal *journal,
    const Listed *listed, gboolean has_number)
{
  const AmsJournalSegment *note =
      journal ? ams_journal_find (journal, file->file->name) : NULL;

  if (note && !file->listed && is_behind (file, listed, has_number))
    g_ptr_array_add (survey->notes, ams_journal_segment_copy (note));
}

/* With a date in the playlist's name, what was left unlisted is another playlist's. */
static gboolean
playlist_is_shared (AmsRecording *recording)
{
  return !ams_names_has_session (ams_recording_get_playlist_names (recording));
}

/* With the session's date in the names, all earlier sessions' files match as well:
 * only the journal knows which of them were left unlisted. */
static gboolean
may_be_left (AmsRecording *recording, const AmsJournal *journal,
    const Numbered *file)
{
  if (!playlist_is_shared (recording))
    return FALSE;
  return !ams_names_has_session (ams_recording_get_segment_names (recording)) ||
      (journal && ams_journal_find (journal, file->file->name));
}

AmsSurvey *
ams_recovery_survey (AmsRecording *recording, const AmsPlaylistParsed *earlier,
    const AmsJournal *journal, GPtrArray *files)
{
  const AmsNames *names = ams_recording_get_segment_names (recording);
  gboolean has_number = ams_names_has_number (names);
  gboolean shares_numbers = !ams_names_has_session (names);
  AmsSurvey *survey = g_new0 (AmsSurvey, 1);
  g_auto (Listed) listed = {
    0,
  };
  g_autoptr (GArray) found = collect_files (names, files);
  guint i;

  survey->orphans =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  survey->unlisted = g_ptr_array_new_with_free_func (g_free);
  survey->unfinished =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_recovery_file_free);
  survey->notes = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ams_journal_segment_free);
  if (earlier)
    mark_listed (recording, earlier, found, &listed);
  survey->next_number = ams_recording_get_config (recording)->start_index;
  if (listed.any && has_number)
    survey->next_number = MAX (survey->next_number, listed.last + 1);
  survey->any = earlier != NULL;

  for (i = 0; i < found->len; i++) {
    const Numbered *file = &g_array_index (found, Numbered, i);

    if (has_number && shares_numbers)
      survey->next_number = MAX (survey->next_number, file->number + 1);
    if (may_be_left (recording, journal, file)) {
      survey->any = TRUE;
      keep_note (survey, file, journal, &listed, has_number);
      if (!is_listed_as_it_was (file->file, journal, found))
        sort_out (survey, file, &listed, has_number);
    }
  }
  if (journal && shares_numbers)
    survey->next_number = MAX (survey->next_number, journal->next_number);
  return survey;
}

/* ---- measuring ---- */

static gboolean
follows (guint64 end_pts, guint64 first_pts)
{
  return end_pts != G_MAXUINT64 &&
      ams_ts_times_are_near (end_pts, first_pts, FOLLOWS_TOLERANCE);
}

gboolean
ams_recovery_is_noted (const AmsRecoveryFile *file, const AmsJournal *journal)
{
  return file->date_time != 0 ||
      (journal && ams_journal_find (journal, file->name));
}

/* Names that are in order: by number, else by the date in them. A store that could not be
 * asked when the journal was written may have any number, but hardly one of the very next. */
static gboolean
is_later_name (const AmsNames *names, const gchar *name,
    const AmsJournal *journal, gboolean remote)
{
  const AmsJournalSegment *last;
  guint64 number;

  if (ams_names_has_number (names))
    return is_ours (names, name, &number) && number >= journal->next_number &&
        (!remote || number - journal->next_number < MAX_AHEAD);
  if (journal->segments->len == 0)
    return FALSE;
  last = g_ptr_array_index (journal->segments, journal->segments->len - 1);
  return strcmp (name, last->name) > 0;
}

gboolean
ams_recovery_is_later (const AmsRecoveryFile *file, const AmsJournal *journal,
    const AmsNames *names)
{
  return journal && !ams_names_has_session (names) &&
      is_later_name (names, file->name, journal, file->remote);
}

/* What was noted of @file when it began. */
static void
take_note (const AmsRecoveryFile *file, const AmsJournalSegment *known,
    gboolean follows_on, AmsRecordingSegment *segment)
{
  segment->date_time = known ? known->date_time : file->date_time;
  if (known)
    segment->discontinuity = known->discontinuity;
  else if (file->date_time)
    segment->discontinuity = file->discontinuity;
  else
    segment->discontinuity = !follows_on;
}

/* The end of a part was cut off, or noted, before it was to get its name: it lasts as long as
 * it was to. */
static gboolean
is_whole (GBytes *data, const AmsJournalSegment *known)
{
  AmsTsScan scan;

  return known && known->duration > 0 &&
      g_bytes_get_size (data) % PACKET_SIZE == 0 &&
      ams_ts_scan (data, TRUE, &scan) &&
      MAX (scan.duration, known->duration) -
          MIN (scan.duration, known->duration) <
      SHORTEST_SEGMENT;
}

gboolean
ams_recovery_measure (const AmsRecoveryFile *file, GBytes *data,
    const AmsJournal *journal, guint64 *end_pts, AmsRecordingSegment *segment,
    guint64 *usable)
{
  const AmsJournalSegment *known =
      journal ? ams_journal_find (journal, file->name) : NULL;
  gboolean whole = !file->partial || file->whole > 0 || is_whole (data, known);
  AmsTsScan scan;

  if (!ams_ts_scan (data, whole, &scan) || scan.duration > LONGEST_SEGMENT ||
      (scan.duration == 0 && !whole))
    return FALSE;

  *usable = whole ? g_bytes_get_size (data) : scan.usable;
  g_free (segment->name);
  segment->name = g_strdup (file->name);
  segment->size = *usable;
  segment->duration = known && known->duration && !file->partial
      ? known->duration
      : MAX (scan.duration, SHORTEST_SEGMENT);
  take_note (file, known, follows (*end_pts, scan.first_pts), segment);
  /* The first of a session goes on with its time stamps, not with its counters. */
  segment->apart = scan.discontinuity;
  *end_pts = scan.end_pts;
  return TRUE;
}

void
ams_recovery_date (AmsRecordingSegment *segment, gint64 *end_date)
{
  if (segment->date_time == 0 && !segment->discontinuity && !segment->apart)
    segment->date_time = *end_date;
  *end_date = segment->date_time == 0
      ? 0
      : segment->date_time + (gint64) (segment->duration / 1000);
}
