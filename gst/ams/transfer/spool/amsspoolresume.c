/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolresume.h"

#include "transfer/spool/amsspoolcopy.h"
#include "transfer/spool/amsspoolnote.h"

#include <string.h>
#include <sys/stat.h>

static void
say (AmsSpoolFolder *folder, gchar *sentence)
{
  gchar *before = g_steal_pointer (&folder->notice);

  folder->notice =
      before ? g_strconcat (before, ". ", sentence, NULL) : g_strdup (sentence);
  g_free (before);
  g_free (sentence);
}

static void
give_up (AmsSpoolFolder *folder, guint64 id, const AmsSpoolItem *item)
{
  g_autoptr (GError) error = NULL;

  if (!ams_spool_folder_give_up (folder, id,
          item ? item->record.begin.name : NULL, &error))
    GST_WARNING ("%s", error->message);
}

/* Marks: what an earlier session had no room to write into the journal */

static const AmsSpoolFate marked_fates[] = { AMS_SPOOL_STORED,
  AMS_SPOOL_DROPPED };

typedef void (*MarkFunc) (AmsSpoolFolder *folder, AmsSpoolIndex *index,
    AmsSpoolLog *log, guint64 id, AmsSpoolFate fate);

static void
replay_mark (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolLog *log,
    guint64 id, AmsSpoolFate fate)
{
  AmsSpoolRecord record = { .type = AMS_SPOOL_RECORD_SETTLED,
    .id = id,
    .fate = fate };
  g_autoptr (GPtrArray) records = g_ptr_array_new ();

  g_ptr_array_add (records, &record);
  ams_spool_index_replay (index, records);
  ams_spool_log_add (log, &record);
}

static void
remove_mark (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolLog *log,
    guint64 id, AmsSpoolFate fate)
{
  ams_spool_folder_unmark (folder, id, ams_spool_fate_get_nick (fate));
}

static void
for_each_mark (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolLog *log,
    MarkFunc func)
{
  for (guint i = 0; i < G_N_ELEMENTS (marked_fates); i++) {
    g_autoptr (GArray) ids = ams_spool_folder_list_marked (folder,
        ams_spool_fate_get_nick (marked_fates[i]));

    for (guint k = 0; k < ids->len; k++)
      func (folder, index, log, g_array_index (ids, guint64, k),
          marked_fates[i]);
  }
}

/* Notes: what the journal lacks, as it was cut, emptied or removed */

/* The last record that says what there is. (nullable) */
static const AmsSpoolRecord *
find_body_record (const AmsSpoolJournal *note)
{
  const AmsSpoolRecord *found = NULL;

  for (guint i = 0; i < note->records->len; i++) {
    const AmsSpoolRecord *record = g_ptr_array_index (note->records, i);

    if (record->type == AMS_SPOOL_RECORD_BEGUN ||
        record->type == AMS_SPOOL_RECORD_COMMITTED)
      found = record;
  }
  return found;
}

static gint
compare_notes (gconstpointer a, gconstpointer b)
{
  const AmsSpoolRecord *x = find_body_record (*(AmsSpoolJournal *const *) a);
  const AmsSpoolRecord *y = find_body_record (*(AmsSpoolJournal *const *) b);

  if (x->order != y->order)
    return x->order < y->order ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* A file that somebody has changed since is not what the note is about. */
static gboolean
is_noted_body_there (AmsSpoolFolder *folder, const AmsSpoolRecord *record)
{
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);
  gint64 mtime;

  if (record->type == AMS_SPOOL_RECORD_BEGUN)
    return g_file_test (path, G_FILE_TEST_IS_REGULAR);
  if (record->place != AMS_SPOOL_PLACE_FILE)
    return TRUE;
  mtime = ams_spool_copy_get_mtime (path, record->size);
  return mtime >= 0 && (record->mtime < 0 || mtime == record->mtime);
}

/* (transfer full) (nullable): NULL: there is nothing that the journal does not know. */
static AmsSpoolJournal *
read_note (AmsSpoolFolder *folder, AmsSpoolIndex *index, guint64 id)
{
  g_autoptr (AmsSpoolJournal) note = NULL;
  AmsSpoolItem *item = ams_spool_index_lookup (index, id);
  const AmsSpoolRecord *record;

  index->next_id = MAX (index->next_id, id + 1);
  if (item)
    item->noted = TRUE;
  if (item && item->state != AMS_SPOOL_ITEM_PARTIAL)
    return NULL;
  note = ams_spool_note_read (folder, id);
  record = find_body_record (note);
  if (item && record && record->type == AMS_SPOOL_RECORD_BEGUN)
    return NULL;
  if (!g_hash_table_contains (index->settled, &id) && record &&
      is_noted_body_there (folder, record))
    return g_steal_pointer (&note);
  if (!item)
    ams_spool_note_remove (folder, id);
  return NULL;
}

/* (transfer full) (element-type AmsSpoolJournal) In the order in which they were handed
 * over. */
static GPtrArray *
read_notes (AmsSpoolFolder *folder, AmsSpoolIndex *index)
{
  GPtrArray *notes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_spool_journal_free);
  g_autoptr (GArray) ids = ams_spool_note_list (folder);

  for (guint i = 0; i < ids->len; i++) {
    AmsSpoolJournal *note =
        read_note (folder, index, g_array_index (ids, guint64, i));

    if (note)
      g_ptr_array_add (notes, note);
  }
  g_ptr_array_sort (notes, compare_notes);
  return notes;
}

/* A version of a playlist that is older than what the store has must not go there. */
static gboolean
is_outdated (AmsSpoolIndex *index, const AmsSpoolItem *item)
{
  const AmsSpoolItem *known = ams_spool_item_is_playlist (item)
      ? ams_spool_index_find (index, AMS_SPOOL_ITEM_KNOWN,
            item->record.begin.name)
      : NULL;

  return known && known->record.order > item->record.order;
}

/* Returns whether there is something that waits, or is unfinished. */
static gboolean
replay_note (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolLog *log,
    const AmsSpoolJournal *note)
{
  guint64 id = ((AmsSpoolRecord *) note->records->pdata[0])->id;
  AmsSpoolItem *item;

  ams_spool_index_replay (index, note->records);
  for (guint i = 0; i < note->records->len; i++)
    ams_spool_log_add (log, g_ptr_array_index (note->records, i));
  item = ams_spool_index_lookup (index, id);
  if (!item)
    return FALSE;
  item->noted = TRUE;
  if (item->state != AMS_SPOOL_ITEM_WAITING || !is_outdated (index, item))
    return item->state <= AMS_SPOOL_ITEM_WAITING;
  ams_spool_folder_remove (folder, id);
  ams_spool_note_remove (folder, id);
  ams_spool_index_remove (index, item);
  return FALSE;
}

/* How many are taken up again. */
static guint
replay_notes (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolLog *log)
{
  g_autoptr (GPtrArray) notes = read_notes (folder, index);
  guint n = 0;

  for (guint i = 0; i < notes->len; i++)
    n += replay_note (folder, index, log, g_ptr_array_index (notes, i));
  return n;
}

/* Files that the journal names and that are not there: it was damaged, so that what it
 * does not say any more is that they were delivered. */
static guint
forget_missing (AmsSpoolFolder *folder, AmsSpoolIndex *index)
{
  g_autoptr (GPtrArray) waiting =
      ams_spool_index_list (index, AMS_SPOOL_ITEM_WAITING);
  guint n = 0;

  for (guint i = 0; i < waiting->len; i++) {
    AmsSpoolItem *item = g_ptr_array_index (waiting, i);
    g_autofree gchar *path =
        ams_spool_folder_get_path (folder, item->record.id);

    if (!ams_spool_item_has_body (item) ||
        item->record.place != AMS_SPOOL_PLACE_FILE ||
        g_file_test (path, G_FILE_TEST_EXISTS))
      continue;
    ams_spool_index_remove (index, item);
    n++;
  }
  return n;
}

static void
say_damaged (AmsSpoolFolder *folder, const gchar *aside, guint missing)
{
  say (folder,
      g_strdup_printf (
          "The spool's journal was damaged, and is kept as “%s”. What is still "
          "in it is taken up, but for %u files that are not there and were "
          "probably delivered",
          aside, missing));
}

static void
say_lost (AmsSpoolFolder *folder, guint revived, guint nameless)
{
  if (revived > 0)
    say (folder,
        g_strdup_printf (
            "The spool's journal in “%s” lacks %u files that are "
            "there: it was cut, emptied or removed. They are "
            "taken up again, as a note beside each says what it is",
            folder->path, revived));
  if (nameless > 0)
    say (folder,
        g_strdup_printf (
            "%u files in the spool have no name, as neither its journal nor a "
            "note beside them has it. They are kept in “%s/given-up”: see "
            "which of them the store lacks, and put those there by hand",
            nameless, folder->path));
}

/* Files */

static gboolean
is_empty (AmsSpoolFolder *folder, guint64 id)
{
  g_autofree gchar *path = ams_spool_folder_get_path (folder, id);
  struct stat info;

  return lstat (path, &info) == 0 && S_ISREG (info.st_mode) &&
      info.st_size == 0;
}

/* Linked, and the session ended before that was recorded. It is upstream's file, which
 * is there under its name, and is handed over again. */
static gboolean
is_link_of_another (AmsSpoolFolder *folder, guint64 id)
{
  g_autofree gchar *path = ams_spool_folder_get_path (folder, id);
  struct stat info;

  return lstat (path, &info) == 0 && S_ISREG (info.st_mode) &&
      info.st_nlink > 1;
}

/* Of files that nobody waits for: the session ended before they were removed, or a power
 * cut took the journal's word for them. TRUE: its name is not known. */
static gboolean
tidy_file (AmsSpoolFolder *folder, AmsSpoolIndex *index, guint64 id)
{
  AmsSpoolItem *settled = g_hash_table_lookup (index->settled, &id);

  index->next_id = MAX (index->next_id, id + 1);
  if (ams_spool_index_lookup (index, id))
    return FALSE;
  if (settled ? settled->record.fate != AMS_SPOOL_GIVEN_UP
              : is_link_of_another (folder, id) || is_empty (folder, id)) {
    ams_spool_folder_remove (folder, id);
    return FALSE;
  }
  give_up (folder, id, settled);
  return !settled;
}

/* How many have no name. */
static guint
tidy_files (AmsSpoolFolder *folder, AmsSpoolIndex *index)
{
  g_autoptr (GArray) ids = ams_spool_folder_list (folder);
  guint nameless = 0;

  for (guint i = 0; i < ids->len; i++)
    nameless += tidy_file (folder, index, g_array_index (ids, guint64, i));
  g_hash_table_remove_all (index->settled);
  return nameless;
}

/* Part of a playlist or of a notice is of no use, and they will be made anew. */
static gboolean
is_worthless (const AmsSpoolItem *item)
{
  return item->record.size == 0 || item->record.kind != AMS_SPOOL_PUT ||
      ams_spool_item_is_playlist (item);
}

static void
tidy_partial (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolItem *item)
{
  guint64 id = item->record.id;
  g_autofree gchar *path = ams_spool_folder_get_path (folder, id);
  struct stat info;

  item->record.mtime = -1;
  item->record.size =
      lstat (path, &info) == 0 && S_ISREG (info.st_mode) ? info.st_size : 0;
  if (is_worthless (item))
    ams_spool_folder_remove (folder, id);
  else if (ams_spool_index_find (index, AMS_SPOOL_ITEM_PARTIAL,
               item->record.begin.name) == item)
    return;
  else
    give_up (folder, id, item);
  if (item->noted)
    ams_spool_note_remove (folder, id);
  ams_spool_index_remove (index, item);
}

static void
tidy_partials (AmsSpoolFolder *folder, AmsSpoolIndex *index)
{
  g_autoptr (GPtrArray) items =
      ams_spool_index_list (index, AMS_SPOOL_ITEM_PARTIAL);

  for (guint i = items->len; i-- > 0;)
    tidy_partial (folder, index, g_ptr_array_index (items, i));
}

static void
forget (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolItem *item)
{
  ams_spool_folder_remove (folder, item->record.id);
  if (item->noted)
    ams_spool_note_remove (folder, item->record.id);
  ams_spool_index_remove (index, item);
}

static void
forget_lists (AmsSpoolFolder *folder, AmsSpoolIndex *index,
    AmsSpoolItemState state, guint64 order)
{
  g_autoptr (GPtrArray) items = ams_spool_index_list (index, state);

  for (guint i = 0; i < items->len; i++) {
    AmsSpoolItem *item = g_ptr_array_index (items, i);

    if (ams_spool_item_is_playlist (item) && item->record.order > order)
      forget (folder, index, item);
  }
}

/* The session ended before the link was made, or said. FALSE: its file is not at upstream's
 * path. */
static gboolean
find_awaited (AmsSpoolFolder *folder, AmsSpoolItem *item, AmsSpoolLog *log)
{
  AmsSpoolRecord *record = &item->record;
  const gchar *local_path = record->begin.local_path;
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);

  record->mtime = ams_spool_copy_get_mtime (path, record->size);
  if (record->mtime < 0 &&
      ams_spool_copy_link (local_path, path, record->size, TRUE) ==
          AMS_SPOOL_LINK_MADE)
    record->mtime = ams_spool_copy_get_mtime (path, record->size);
  if (record->mtime < 0 &&
      ams_spool_copy_get_mtime (local_path, record->size) < 0)
    return FALSE;
  record->place =
      record->mtime < 0 ? AMS_SPOOL_PLACE_LOCAL : AMS_SPOOL_PLACE_FILE;
  ams_spool_log_add (log, record);
  return TRUE;
}

/* The session ended before the disk gave a file its name. Upstream, which is told how
 * many bytes it had, brings it to its path and hands it over again, unless the store has
 * it. The playlists after it are not to go before that, as they may list it. */
static void
leave_to_upstream (AmsSpoolFolder *folder, AmsSpoolIndex *index,
    AmsSpoolItem *item)
{
  GST_WARNING ("\"%s\" (%" G_GUINT64_FORMAT
               " bytes) was not at \"%s\" when the session ended",
      item->record.begin.name, item->record.size,
      item->record.begin.local_path);
  item->state = AMS_SPOOL_ITEM_UNNAMED;
  forget_lists (folder, index, AMS_SPOOL_ITEM_WAITING, item->record.order);
  forget_lists (folder, index, AMS_SPOOL_ITEM_WITHHELD, item->record.order);
}

static void
find_all_awaited (AmsSpoolFolder *folder, AmsSpoolIndex *index,
    AmsSpoolLog *log)
{
  g_autoptr (GPtrArray) items =
      ams_spool_index_list (index, AMS_SPOOL_ITEM_WAITING);

  /* The newest first: lists that are forgotten are no longer looked at. */
  for (guint i = items->len; i-- > 0;) {
    AmsSpoolItem *item = g_ptr_array_index (items, i);

    if (ams_spool_item_has_body (item) &&
        item->record.place == AMS_SPOOL_PLACE_AWAITED &&
        !find_awaited (folder, item, log))
      leave_to_upstream (folder, index, item);
  }
}

/* A disk that does not take it now may do so later. @is_new: what was read is in another
 * file, which is set aside. */
static void
compact (AmsSpoolIndex *index, AmsSpoolLog *log, gboolean is_new)
{
  guint live = ams_spool_index_get_live (index);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  if (!ams_spool_log_flush (log, FALSE, NULL) ||
      (!is_new && ams_spool_log_get_records (log) == live))
    return;
  ams_spool_index_write (index, text);
  if (!ams_spool_log_replace (log, text, live, &error))
    GST_WARNING ("%s", error->message);
}

/* What an earlier session left becomes what the index says. */
static void
take_over (AmsSpoolFolder *folder, AmsSpoolIndex *index, AmsSpoolLog *log,
    const AmsSpoolJournal *journal, const gchar *aside)
{
  guint revived, nameless;

  ams_spool_index_replay (index, journal->records);
  for_each_mark (folder, index, log, replay_mark);
  revived = replay_notes (folder, index, log);
  if (journal->damaged)
    say_damaged (folder, aside, forget_missing (folder, index));
  nameless = tidy_files (folder, index);
  say_lost (folder, revived, nameless);
  tidy_partials (folder, index);
  find_all_awaited (folder, index, log);
}

AmsSpoolLog *
ams_spool_resume (AmsSpoolFolder *folder, AmsSpoolIndex *index, GError **error)
{
  g_autofree gchar *path = ams_spool_folder_get_journal (folder);
  g_autofree gchar *aside = NULL;
  g_autoptr (AmsSpoolJournal) journal = NULL;
  AmsSpoolLog *log = ams_spool_log_open (path, &journal, &aside, error);

  if (!log)
    return NULL;
  take_over (folder, index, log, journal, aside);
  compact (index, log, journal->damaged);
  if (ams_spool_log_flush (log, TRUE, NULL))
    for_each_mark (folder, index, log, remove_mark);
  return log;
}
