/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsspoolresume.h"

#include "transfer/amsspoolcopy.h"

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

/* A journal that is damaged */

/* Nobody can tell which of them are in the store by now. */
static void
keep_all (AmsSpoolFolder *folder, AmsSpoolIndex *index, GPtrArray *records,
    const gchar *aside)
{
  g_autoptr (AmsSpoolIndex) names = ams_spool_index_new ();
  g_autoptr (GArray) ids = ams_spool_folder_list (folder);

  ams_spool_index_replay (names, records);
  index->next_id = names->next_id;
  for (guint i = 0; i < ids->len; i++) {
    guint64 id = g_array_index (ids, guint64, i);

    give_up (folder, id, ams_spool_index_lookup (names, id));
    index->next_id = MAX (index->next_id, id + 1);
  }
  say (folder,
      g_strdup_printf ("The spool's journal was damaged: it is kept as “%s”, "
                       "and %u files as “%s/given-up”: see which of them the "
                       "store lacks",
          aside, ids->len, folder->path));
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

/* Files */

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
 * cut took the journal's word for them. */
static void
tidy_file (AmsSpoolFolder *folder, AmsSpoolIndex *index, guint64 id)
{
  AmsSpoolItem *settled = g_hash_table_lookup (index->settled, &id);

  index->next_id = MAX (index->next_id, id + 1);
  if (ams_spool_index_lookup (index, id))
    return;
  if (settled ? settled->record.fate != AMS_SPOOL_GIVEN_UP
              : is_link_of_another (folder, id))
    ams_spool_folder_remove (folder, id);
  else
    give_up (folder, id, settled);
}

static void
tidy_files (AmsSpoolFolder *folder, AmsSpoolIndex *index)
{
  g_autoptr (GArray) ids = ams_spool_folder_list (folder);

  for (guint i = 0; i < ids->len; i++)
    tidy_file (folder, index, g_array_index (ids, guint64, i));
  g_hash_table_remove_all (index->settled);
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

/* The session ended before the link was made, or said. */
static void
find_awaited (AmsSpoolFolder *folder, AmsSpoolItem *item, AmsSpoolLog *log)
{
  AmsSpoolRecord *record = &item->record;
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);

  record->mtime = ams_spool_copy_get_mtime (path, record->size);
  if (record->mtime < 0 &&
      ams_spool_copy_link (record->begin.local_path, path, record->size,
          TRUE) == AMS_SPOOL_LINK_MADE)
    record->mtime = ams_spool_copy_get_mtime (path, record->size);
  record->place =
      record->mtime < 0 ? AMS_SPOOL_PLACE_LOCAL : AMS_SPOOL_PLACE_FILE;
  ams_spool_log_add (log, record);
}

static void
find_all_awaited (AmsSpoolFolder *folder, AmsSpoolIndex *index,
    AmsSpoolLog *log)
{
  g_autoptr (GPtrArray) items =
      ams_spool_index_list (index, AMS_SPOOL_ITEM_WAITING);

  for (guint i = 0; i < items->len; i++) {
    AmsSpoolItem *item = g_ptr_array_index (items, i);

    if (ams_spool_item_has_body (item) &&
        item->record.place == AMS_SPOOL_PLACE_AWAITED)
      find_awaited (folder, item, log);
  }
}

/* A disk that does not take it now may do so later. */
static void
compact (AmsSpoolIndex *index, AmsSpoolLog *log)
{
  guint live = ams_spool_index_get_live (index);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  if (!ams_spool_log_flush (log, FALSE, NULL) ||
      ams_spool_log_get_records (log) == live)
    return;
  ams_spool_index_write (index, text);
  if (!ams_spool_log_replace (log, text, live, &error))
    GST_WARNING ("%s", error->message);
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
  if (journal->damaged) {
    keep_all (folder, index, journal->records, aside);
  } else {
    ams_spool_index_replay (index, journal->records);
    for_each_mark (folder, index, log, replay_mark);
    tidy_files (folder, index);
    tidy_partials (folder, index);
    find_all_awaited (folder, index, log);
  }
  compact (index, log);
  if (ams_spool_log_flush (log, TRUE, NULL))
    for_each_mark (folder, index, log, remove_mark);
  return log;
}
