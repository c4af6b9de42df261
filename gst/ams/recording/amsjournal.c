/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsjournal.h"
#include "playlist/amspaths.h"

#include <string.h>

#define GROUP "recording"
#define FORMAT_VERSION 1

#define MAX_SEGMENTS 512

/* ns: what a playlist's parser takes, see amsplaylistparser.h. */
#define MAX_DURATION (G_GUINT64_CONSTANT (86400) * 1000000000)

/* The folder of @template_ that is the same for all sessions. */
static gsize
get_common_folder (const gchar *template_)
{
  gsize folder = strcspn (template_, "{%");

  while (folder > 0 && template_[folder - 1] != '/')
    folder--;
  return folder;
}

gchar *
ams_journal_make_name (const gchar *name, const gchar *template_,
    const gchar *suffix)
{
  g_autofree gchar *flat = g_strdup (name);

  g_strdelimit (flat + get_common_folder (template_), "/", '_');
  return ams_paths_hidden (flat, suffix);
}

gchar *
ams_journal_make_prefix (const gchar *prefix, const gchar *template_)
{
  g_autofree gchar *common = g_strdup (prefix);

  if (g_str_has_suffix (common, "-"))
    common[strlen (common) - 1] = 0;
  return ams_journal_make_name (common, template_, "");
}

AmsJournal *
ams_journal_new (void)
{
  AmsJournal *self = g_new0 (AmsJournal, 1);

  self->segments = g_ptr_array_new_with_free_func (
      (GDestroyNotify) ams_journal_segment_free);
  return self;
}

void
ams_journal_free (AmsJournal *self)
{
  g_free (self->playlist);
  g_free (self->final_playlist);
  g_free (self->segment_family);
  g_ptr_array_unref (self->segments);
  g_free (self);
}

AmsJournalSegment *
ams_journal_segment_new (const gchar *name)
{
  AmsJournalSegment *segment = g_new0 (AmsJournalSegment, 1);

  segment->name = g_strdup (name);
  return segment;
}

AmsJournalSegment *
ams_journal_segment_copy (const AmsJournalSegment *segment)
{
  AmsJournalSegment *copy = ams_journal_segment_new (segment->name);

  copy->was = g_strdup (segment->was);
  copy->number = segment->number;
  copy->date_time = segment->date_time;
  copy->duration = segment->duration;
  copy->discontinuity = segment->discontinuity;
  return copy;
}

void
ams_journal_segment_free (AmsJournalSegment *segment)
{
  g_free (segment->name);
  g_free (segment->was);
  g_free (segment);
}

static void
write_segment (GKeyFile *file, guint i, const AmsJournalSegment *segment)
{
  g_autofree gchar *group = g_strdup_printf ("segment %u", i);

  g_key_file_set_string (file, group, "name", segment->name);
  if (segment->was)
    g_key_file_set_string (file, group, "was", segment->was);
  g_key_file_set_uint64 (file, group, "number", segment->number);
  g_key_file_set_int64 (file, group, "date-time", segment->date_time);
  g_key_file_set_uint64 (file, group, "duration", segment->duration);
  g_key_file_set_boolean (file, group, "discontinuity", segment->discontinuity);
}

GBytes *
ams_journal_write (const AmsJournal *self)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  gsize length;
  gchar *text;
  guint i;

  g_key_file_set_integer (file, GROUP, "version", FORMAT_VERSION);
  g_key_file_set_string (file, GROUP, "playlist", self->playlist);
  g_key_file_set_string (file, GROUP, "final-playlist", self->final_playlist);
  if (self->segment_family)
    g_key_file_set_string (file, GROUP, "segment-family", self->segment_family);
  g_key_file_set_uint64 (file, GROUP, "next-number", self->next_number);
  for (i = 0; i < self->segments->len; i++)
    write_segment (file, i, g_ptr_array_index (self->segments, i));
  text = g_key_file_to_data (file, &length, NULL);
  return g_bytes_new_take (text, length);
}

/* NULL when there is none, or none that we would have written. */
static gchar *
read_name (GKeyFile *file, const gchar *group, const gchar *key)
{
  g_autofree gchar *name = g_key_file_get_string (file, group, key, NULL);

  if (!name || *name == '\0' || ams_paths_escapes (name))
    return NULL;
  return g_steal_pointer (&name);
}

static AmsJournalSegment *
read_segment (GKeyFile *file, guint i)
{
  g_autofree gchar *group = g_strdup_printf ("segment %u", i);
  g_autofree gchar *name = read_name (file, group, "name");
  AmsJournalSegment *segment;

  if (!name)
    return NULL;
  segment = ams_journal_segment_new (name);
  segment->was = read_name (file, group, "was");
  segment->number = g_key_file_get_uint64 (file, group, "number", NULL);
  segment->date_time = g_key_file_get_int64 (file, group, "date-time", NULL);
  segment->duration = g_key_file_get_uint64 (file, group, "duration", NULL);
  if (segment->duration > MAX_DURATION)
    segment->duration = 0;
  segment->discontinuity =
      g_key_file_get_boolean (file, group, "discontinuity", NULL);
  return segment;
}

AmsJournal *
ams_journal_read (GBytes *data)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (AmsJournal) self = ams_journal_new ();
  AmsJournalSegment *segment;
  guint i;

  if (g_bytes_get_size (data) == 0 ||
      g_bytes_get_size (data) > AMS_JOURNAL_MAX_SIZE ||
      !g_key_file_load_from_bytes (file, data, G_KEY_FILE_NONE, NULL) ||
      g_key_file_get_integer (file, GROUP, "version", NULL) != FORMAT_VERSION)
    return NULL;

  self->playlist = read_name (file, GROUP, "playlist");
  self->final_playlist = read_name (file, GROUP, "final-playlist");
  self->segment_family = read_name (file, GROUP, "segment-family");
  self->next_number = g_key_file_get_uint64 (file, GROUP, "next-number", NULL);
  /* The number behind the last that there can be is 2^63. */
  if (!self->playlist || !self->final_playlist ||
      self->next_number > (guint64) G_MAXINT64 + 1)
    return NULL;
  for (i = 0; i < MAX_SEGMENTS && (segment = read_segment (file, i)); i++)
    g_ptr_array_add (self->segments, segment);
  return g_steal_pointer (&self);
}

const AmsJournalSegment *
ams_journal_find (const AmsJournal *self, const gchar *name)
{
  guint i;

  for (i = 0; i < self->segments->len; i++) {
    const AmsJournalSegment *segment = g_ptr_array_index (self->segments, i);

    if (g_str_equal (segment->name, name))
      return segment;
  }
  return NULL;
}
