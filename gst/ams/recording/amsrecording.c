/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsrecording.h"
#include "amsjournal.h"
#include "playlist/amspaths.h"

#include <string.h>

#define SECOND G_GUINT64_CONSTANT (1000000000)

/* So many of the last segments stand in the journal: more than can be whole
 * but not yet in a stored playlist while the disk keeps up. */
#define JOURNAL_SEGMENTS 16

/* Numbers that are skipped at most when a name is taken. */
#define MAX_STRIDE 65536

struct _AmsRecording
{
  AmsRecordingConfig *config;
  AmsNames *segment_names;
  AmsNames *playlist_names;

  GDateTime *session; /* in the configured zone */
  gboolean is_dated; /* its date is in the names */
  gchar *playlist_name;
  gchar *working_name;
  gchar *segment_family;
  gchar *journal_name;
  gchar *journals_prefix;
  AmsNames *plain_names,
      *apart_names; /* of playlists: without and with add_date_time */

  AmsPlaylist *playlist;
  gboolean continued; /* from an earlier one */
  guint64 version;
  guint64 next_number;
  GPtrArray *failed; /* marked since the last render */
  GPtrArray *renamed; /* old and new names, likewise */
  guint64 stride; /* to the next number when a name is taken */
  GHashTable *gaps; /* names, each counted once */

  AmsRecordingSegment *open;
  gboolean open_failed; /* given up before it was whole */
  gboolean owes_discontinuity; /* an abandoned segment had one */
  AmsRecordingSegment *last;
  GQueue
      left; /* AmsJournalSegment, of earlier sessions: not listed for certain yet */
  GQueue recent; /* AmsJournalSegment, ended ones */

  AmsRetention *retention;
  AmsRecordingStats stats;
};

static gboolean
parse_names (AmsRecording *self, gboolean add_date_time, GError **error)
{
  g_autoptr (AmsNames) segments = NULL;
  g_autoptr (AmsNames) playlists = NULL;

  segments = ams_names_new (self->config->location, AMS_NAMES_SEGMENT,
      add_date_time, error);
  if (!segments) {
    g_prefix_error (error, "location: ");
    return FALSE;
  }
  playlists = ams_names_new (self->config->playlist_location,
      AMS_NAMES_PLAYLIST, add_date_time, error);
  if (!playlists) {
    g_prefix_error (error, "playlist-location: ");
    return FALSE;
  }
  g_clear_pointer (&self->segment_names, ams_names_free);
  g_clear_pointer (&self->playlist_names, ams_names_free);
  self->segment_names = g_steal_pointer (&segments);
  self->playlist_names = g_steal_pointer (&playlists);
  self->is_dated = add_date_time;
  return TRUE;
}

AmsRecording *
ams_recording_new (AmsRecordingConfig *config, GError **error)
{
  g_autoptr (AmsRecording) self = g_new0 (AmsRecording, 1);

  self->config = config;
  self->failed = g_ptr_array_new_with_free_func (g_free);
  self->renamed = g_ptr_array_new_with_free_func (g_free);
  self->gaps = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->retention = ams_retention_new (
      config->type == AMS_PLAYLIST_LIVE ? config->max_files : 0,
      config->remember_files);
  g_queue_init (&self->left);
  g_queue_init (&self->recent);
  self->next_number = config->start_index;
  if (!parse_names (self, config->add_date_time, error))
    return NULL;
  self->plain_names = ams_names_new (config->playlist_location,
      AMS_NAMES_PLAYLIST, FALSE, error);
  self->apart_names = self->plain_names
      ? ams_names_new (config->playlist_location, AMS_NAMES_PLAYLIST, TRUE,
            error)
      : NULL;
  if (!self->apart_names)
    return NULL;
  self->journals_prefix = ams_journal_make_prefix (
      ams_names_prefix (self->apart_names), config->playlist_location);
  return g_steal_pointer (&self);
}

void
ams_recording_free (AmsRecording *self)
{
  ams_recording_config_free (self->config);
  g_clear_pointer (&self->segment_names, ams_names_free);
  g_clear_pointer (&self->playlist_names, ams_names_free);
  g_clear_pointer (&self->session, g_date_time_unref);
  g_free (self->playlist_name);
  g_free (self->working_name);
  g_free (self->segment_family);
  g_free (self->journal_name);
  g_free (self->journals_prefix);
  g_clear_pointer (&self->plain_names, ams_names_free);
  g_clear_pointer (&self->apart_names, ams_names_free);
  g_clear_pointer (&self->playlist, ams_playlist_free);
  g_ptr_array_unref (self->failed);
  g_ptr_array_unref (self->renamed);
  g_hash_table_unref (self->gaps);
  g_clear_pointer (&self->open, ams_recording_segment_free);
  g_clear_pointer (&self->last, ams_recording_segment_free);
  g_queue_clear_full (&self->left, (GDestroyNotify) ams_journal_segment_free);
  g_queue_clear_full (&self->recent, (GDestroyNotify) ams_journal_segment_free);
  ams_retention_free (self->retention);
  g_free (self);
}

const AmsRecordingConfig *
ams_recording_get_config (AmsRecording *self)
{
  return self->config;
}

const AmsNames *
ams_recording_get_segment_names (AmsRecording *self)
{
  return self->segment_names;
}

const AmsNames *
ams_recording_get_playlist_names (AmsRecording *self)
{
  return self->playlist_names;
}

/* @date_time in the zone that names show. */
static GDateTime *
local_date (AmsRecording *self, gint64 date_time)
{
  g_autoptr (GDateTime) seconds =
      g_date_time_new_from_unix_utc (date_time / G_USEC_PER_SEC);
  g_autoptr (GDateTime) exact = NULL;

  if (!seconds)
    return NULL;
  exact = g_date_time_add (seconds, date_time % G_USEC_PER_SEC);
  if (!exact)
    return NULL;
  return g_date_time_to_timezone (exact, self->config->zone);
}

gboolean
ams_recording_begin (AmsRecording *self, gint64 date_time, gboolean apart,
    GError **error)
{
  if (apart && !parse_names (self, TRUE, error))
    return FALSE;

  g_clear_pointer (&self->session, g_date_time_unref);
  self->session = local_date (self, date_time);
  if (!self->session) {
    g_set_error (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_SYNTAX,
        "The recording would begin at a date that cannot be written "
        "(%" G_GINT64_FORMAT " µs since 1970): is the clock set?",
        date_time);
    return FALSE;
  }
  g_free (self->playlist_name);
  self->playlist_name =
      ams_names_format (self->playlist_names, 0, self->session, NULL, error);
  if (!self->playlist_name)
    return FALSE;
  g_free (self->working_name);
  self->working_name = self->config->type == AMS_PLAYLIST_VOD
      ? ams_paths_hidden (self->playlist_name, ".recording")
      : g_strdup (self->playlist_name);
  g_free (self->journal_name);
  self->journal_name = ams_journal_make_name (self->playlist_name,
      self->config->playlist_location, ".journal");
  g_free (self->segment_family);
  self->segment_family =
      ams_names_format_family (self->segment_names, self->session, error);
  return self->segment_family != NULL;
}

const gchar *
ams_recording_get_playlist_name (AmsRecording *self)
{
  return self->playlist_name;
}

gchar *
ams_recording_format_playlist (AmsRecording *self, const gchar *template_,
    GError **error)
{
  g_autoptr (AmsNames) names =
      ams_names_new (template_, AMS_NAMES_PLAYLIST, self->is_dated, error);

  return names ? ams_names_format (names, 0, self->session, NULL, error) : NULL;
}

const gchar *
ams_recording_get_working_name (AmsRecording *self)
{
  return self->working_name;
}

const gchar *
ams_recording_get_segment_family (AmsRecording *self)
{
  return self->segment_family;
}

const gchar *
ams_recording_get_journals_prefix (AmsRecording *self)
{
  return self->journals_prefix;
}

gboolean
ams_recording_has_sibling (AmsRecording *self, const gchar *playlist)
{
  guint64 number;

  return g_strcmp0 (playlist, self->playlist_name) != 0 &&
      (ams_names_match (self->plain_names, playlist, &number) ||
          ams_names_match (self->apart_names, playlist, &number));
}

const gchar *
ams_recording_get_journal_name (AmsRecording *self)
{
  return self->journal_name;
}

void
ams_recording_continue (AmsRecording *self, const AmsPlaylistParsed *earlier,
    guint64 next)
{
  const AmsRecordingConfig *config = self->config;

  g_clear_pointer (&self->playlist, ams_playlist_free);
  self->continued = earlier != NULL;
  self->next_number = MAX (next, config->start_index);
  if (earlier) {
    self->playlist =
        ams_playlist_continue (earlier, config->type, config->playlist_length);
  } else {
    self->playlist = ams_playlist_new (config->type, config->target_duration,
        config->playlist_length, config->independent);
    ams_playlist_set_first_sequence (self->playlist, self->next_number);
  }
  ams_retention_begin (self->retention,
      ams_playlist_get_duration (self->playlist));
}

void
ams_recording_set_dependent (AmsRecording *self)
{
  ams_playlist_set_dependent (self->playlist);
}

/* What a reader of the playlist finds under the name. */
static gchar *
make_uri (AmsRecording *self, const gchar *name)
{
  g_autofree gchar *relative = ams_paths_relative (self->playlist_name, name);

  return ams_playlist_uri (self->config->playlist_root, relative);
}

static void
slide (AmsRecording *self)
{
  g_autoptr (GPtrArray) gone = ams_playlist_slide (self->playlist);
  guint i;

  for (i = 0; i < gone->len; i++) {
    const AmsPlaylistSegment *segment = g_ptr_array_index (gone, i);
    g_autofree gchar *name = ams_paths_name_of_uri (self->playlist_name,
        self->config->playlist_root, segment->uri);

    if (name)
      ams_retention_unlist (self->retention, name, segment->duration,
          self->stats.duration);
  }
}

static gboolean
list_segment (AmsRecording *self, const AmsRecordingSegment *segment,
    gboolean gap)
{
  g_autofree gchar *uri = make_uri (self, segment->name);
  AmsPlaylistSegment line = {
    .uri = uri,
    .duration = segment->duration,
    .date_time = self->config->program_date_time ? segment->date_time : 0,
    .discontinuity = segment->discontinuity,
    .gap = gap,
  };
  gboolean raised = ams_playlist_add (self->playlist, &line);

  if (segment->discontinuity)
    self->stats.discontinuities++;
  ams_retention_note_playlist (self->retention,
      ams_playlist_get_duration (self->playlist));
  slide (self);
  return raised;
}

gchar *
ams_recording_predict_name (AmsRecording *self, guint64 number)
{
  const AmsNames *names = self->segment_names;

  if (!ams_names_has_number (names) || ams_names_has_session (names) ||
      ams_names_has_segment (names) || number > G_MAXINT64)
    return NULL;
  return ams_names_format (names, number, self->session, self->session, NULL);
}

gboolean
ams_recording_name_recovered (AmsRecording *self, AmsRecordingSegment *segment)
{
  g_autoptr (GDateTime) date =
      segment->date_time ? local_date (self, segment->date_time) : NULL;

  if (!ams_names_has_number (self->segment_names) ||
      self->next_number > G_MAXINT64)
    return FALSE;
  segment->name = ams_names_format (self->segment_names, self->next_number,
      self->session, date ? date : self->session, NULL);
  if (segment->name)
    segment->number = self->next_number++;
  return segment->name != NULL;
}

static AmsJournalSegment *
find_note (const GQueue *notes, const gchar *name)
{
  for (const GList *l = notes->head; l; l = l->next) {
    AmsJournalSegment *note = l->data;

    if (g_str_equal (note->name, name))
      return note;
  }
  return NULL;
}

/* In the place of what was known of it before. @note: (transfer full) */
static void
note_left (AmsRecording *self, AmsJournalSegment *note)
{
  AmsJournalSegment *before = find_note (&self->left, note->name);

  if (before) {
    note->was = note->was ? note->was : g_steal_pointer (&before->was);
    g_queue_remove (&self->left, before);
    ams_journal_segment_free (before);
  }
  g_queue_push_tail (&self->left, note);
}

void
ams_recording_add_note (AmsRecording *self, const AmsJournalSegment *note)
{
  note_left (self, ams_journal_segment_copy (note));
}

guint64
ams_recording_add_recovered (AmsRecording *self, AmsRecordingSegment *segment)
{
  guint64 sequence;

  segment->discontinuity = ams_recording_get_length (self) > 0 &&
      (segment->discontinuity || segment->apart);
  /* Nothing is listed yet: the media sequence begins with this one. */
  if (!self->continued && self->stats.recovered == 0)
    ams_playlist_set_first_sequence (self->playlist, segment->number);
  sequence = ams_playlist_get_next_sequence (self->playlist);
  list_segment (self, segment, FALSE);
  note_left (self, ams_recording_segment_note (segment));
  self->stats.recovered++;
  return sequence;
}

const AmsRecordingSegment *
ams_recording_begin_segment (AmsRecording *self, gint64 date_time,
    gboolean discontinuity, GError **error)
{
  g_autoptr (GDateTime) date = local_date (self, date_time);
  g_autofree gchar *name = NULL;

  g_return_val_if_fail (self->open == NULL, NULL);

  if (self->next_number > G_MAXINT64) {
    g_set_error_literal (error, AMS_NAMES_ERROR, AMS_NAMES_ERROR_NOT_UNIQUE,
        "There are no more segment numbers");
    return NULL;
  }
  name = ams_names_format (self->segment_names, self->next_number,
      self->session, date ? date : self->session, error);
  if (!name)
    return NULL;

  self->open = g_new0 (AmsRecordingSegment, 1);
  self->open->name = g_steal_pointer (&name);
  self->open->number = self->next_number++;
  self->open->sequence = ams_playlist_get_next_sequence (self->playlist);
  self->open->date_time = date_time;
  /* Where a session joins an earlier one; never before the very first. */
  self->open->discontinuity = ams_playlist_get_next_sequence (self->playlist) >
          ams_playlist_get_first_sequence (self->playlist) &&
      (discontinuity || self->owes_discontinuity || self->stats.segments == 0);
  return self->open;
}

/* What earlier sessions left is listed before the segment that is forgotten first. */
static void
note_ended (AmsRecording *self)
{
  g_queue_push_tail (&self->recent, ams_recording_segment_note (self->last));
  if (g_queue_get_length (&self->recent) <= JOURNAL_SEGMENTS)
    return;
  ams_journal_segment_free (g_queue_pop_head (&self->recent));
  g_queue_clear_full (&self->left, (GDestroyNotify) ams_journal_segment_free);
}

const AmsRecordingSegment *
ams_recording_end_segment (AmsRecording *self, guint64 size, guint64 duration,
    gboolean *raised)
{
  g_return_val_if_fail (self->open != NULL, NULL);

  g_clear_pointer (&self->last, ams_recording_segment_free);
  self->last = g_steal_pointer (&self->open);
  self->last->size = size;
  self->last->duration = duration;
  self->last->sequence = ams_playlist_get_next_sequence (self->playlist);

  self->stats.segments++;
  self->stats.bytes += size;
  self->stats.duration += duration;
  *raised = list_segment (self, self->last, self->open_failed);
  self->open_failed = self->owes_discontinuity = FALSE;

  note_ended (self);
  ams_retention_add_own_file (self->retention, self->last->name);
  return self->last;
}

void
ams_recording_abandon_segment (AmsRecording *self)
{
  if (self->open && self->open->discontinuity)
    self->owes_discontinuity = TRUE;
  self->open_failed = FALSE;
  g_clear_pointer (&self->open, ams_recording_segment_free);
}

gboolean
ams_recording_has_open_segment (AmsRecording *self)
{
  return self->open != NULL;
}

/* Marks @name where it is listed, or will be. */
static gboolean
mark_gap (AmsRecording *self, const gchar *name)
{
  g_autofree gchar *uri = make_uri (self, name);

  if (self->open && g_str_equal (self->open->name, name)) {
    self->open_failed = TRUE;
    return TRUE;
  }
  return ams_playlist_mark_gap (self->playlist, uri);
}

gboolean
ams_recording_mark_failed (AmsRecording *self, const gchar *name)
{
  if (!self->playlist)
    return FALSE;
  if (!g_ptr_array_find_with_equal_func (self->failed, name, g_str_equal, NULL))
    g_ptr_array_add (self->failed, g_strdup (name));
  return mark_gap (self, name);
}

void
ams_recording_count_gap (AmsRecording *self, const gchar *name)
{
  if (g_hash_table_add (self->gaps, g_strdup (name)))
    self->stats.gaps++;
}

/* What is known of the segment @name, which has ended. (nullable) */
static AmsJournalSegment *
find_ended (AmsRecording *self, const gchar *name)
{
  AmsJournalSegment *ended = find_note (&self->recent, name);

  return ended ? ended : find_note (&self->left, name);
}

static gchar *
make_other_name (AmsRecording *self, const AmsJournalSegment *known)
{
  g_autoptr (GDateTime) date =
      known ? local_date (self, known->date_time) : NULL;

  if (!ams_names_has_number (self->segment_names) ||
      self->next_number > G_MAXINT64)
    return NULL;
  return ams_names_format (self->segment_names, self->next_number,
      self->session, date ? date : self->session, NULL);
}

static void
note_rename (AmsRecording *self, AmsJournalSegment *known, const gchar *name,
    const gchar *other)
{
  g_ptr_array_add (self->failed, g_strdup (name));
  g_ptr_array_add (self->renamed, g_strdup (name));
  g_ptr_array_add (self->renamed, g_strdup (other));
  ams_retention_rename (self->retention, name, other);
  if (!known)
    return;
  g_free (known->was);
  known->was = known->name;
  known->name = g_strdup (other);
  known->number = self->next_number;
}

const gchar *
ams_recording_rename (AmsRecording *self, const gchar *name)
{
  AmsJournalSegment *known = find_ended (self, name);
  g_autofree gchar *other = NULL, *uri = NULL, *other_uri = NULL;

  if (!self->playlist)
    return NULL;
  /* The first one in a row takes the next number. */
  if (self->stride > 0)
    self->next_number += self->stride - 1;
  other = make_other_name (self, known);
  uri = make_uri (self, name);
  other_uri = other ? make_uri (self, other) : NULL;
  if (!other || !ams_playlist_rename (self->playlist, uri, other_uri))
    return NULL;
  note_rename (self, known, name, other);
  self->stride = MAX (1, MIN (self->stride * 2, MAX_STRIDE));
  self->next_number++;
  return g_ptr_array_index (self->renamed, self->renamed->len - 1);
}

/* (transfer full) (nullable) */
static GStrv
take_names (GPtrArray **names)
{
  GStrv taken;

  if ((*names)->len == 0)
    return NULL;
  g_ptr_array_add (*names, NULL);
  taken = (GStrv) g_ptr_array_free (*names, FALSE);
  *names = g_ptr_array_new_with_free_func (g_free);
  return taken;
}

void
ams_recording_render (AmsRecording *self, AmsRecordingVersion *version)
{
  version->name = g_strdup (self->working_name);
  version->pieces = ams_playlist_render (self->playlist, &version->extends);
  version->version = ++self->version;
  version->final = FALSE;
  version->failed = take_names (&self->failed);
  version->renamed = take_names (&self->renamed);
  if (!version->renamed)
    self->stride = 0;
}

gboolean
ams_recording_finish (AmsRecording *self, AmsRecordingVersion *version)
{
  if (!self->playlist || ams_playlist_get_length (self->playlist) == 0)
    return FALSE;

  if (self->config->endlist)
    ams_playlist_end (self->playlist);
  ams_recording_render (self, version);
  version->final = TRUE;
  if (!g_str_equal (version->name, self->playlist_name)) {
    /* Another file than the versions before. */
    g_free (version->name);
    version->name = g_strdup (self->playlist_name);
    version->extends = 0;
  }
  return TRUE;
}

static void
add_notes (AmsJournal *journal, const GQueue *notes)
{
  for (const GList *l = notes->head; l; l = l->next)
    g_ptr_array_add (journal->segments, ams_journal_segment_copy (l->data));
}

GBytes *
ams_recording_render_journal (AmsRecording *self)
{
  g_autoptr (AmsJournal) journal = ams_journal_new ();

  journal->playlist = g_strdup (self->working_name);
  journal->final_playlist = g_strdup (self->playlist_name);
  journal->segment_family = g_strdup (self->segment_family);
  journal->next_number = self->next_number;
  add_notes (journal, &self->left);
  add_notes (journal, &self->recent);
  if (self->open)
    g_ptr_array_add (journal->segments,
        ams_recording_segment_note (self->open));
  return ams_journal_write (journal);
}

void
ams_recording_add_unlisted (AmsRecording *self, const gchar *name)
{
  ams_retention_unlist_earlier (self->retention, name,
      ams_playlist_get_target_duration (self->playlist) * SECOND,
      self->stats.duration);
}

GPtrArray *
ams_recording_take_removals (AmsRecording *self)
{
  return ams_retention_take_removals (self->retention,
      ams_playlist_get_length (self->playlist), self->stats.duration);
}

GPtrArray *
ams_recording_get_own_files (AmsRecording *self)
{
  return ams_retention_get_own_files (self->retention);
}

void
ams_recording_get_stats (AmsRecording *self, AmsRecordingStats *stats)
{
  *stats = self->stats;
}

guint
ams_recording_get_target_duration (AmsRecording *self)
{
  return self->playlist ? ams_playlist_get_target_duration (self->playlist)
                        : self->config->target_duration;
}

guint
ams_recording_get_length (AmsRecording *self)
{
  return self->playlist ? ams_playlist_get_length (self->playlist) : 0;
}

guint64
ams_recording_get_first_sequence (AmsRecording *self)
{
  return self->playlist ? ams_playlist_get_first_sequence (self->playlist) : 0;
}

guint64
ams_recording_get_next_number (AmsRecording *self)
{
  return self->next_number;
}
