/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolplace.h"

#include "files/amsgather.h"
#include "transfer/amscopybody.h"
#include "transfer/amsdisk.h"
#include "transfer/spool/amsspoolbody.h"
#include "transfer/spool/amsspoolcopy.h"
#include "transfer/amsstore.h"

#define READ_STEP (G_GUINT64_CONSTANT (1024) * 1024)

/* Getting there */

static gboolean
place_copy (AmsSpoolItem *item, AmsSpoolFolder *folder, gboolean sync,
    GError **error)
{
  g_autofree gchar *path = ams_spool_folder_get_path (folder, item->record.id);

  if (!ams_spool_copy_write (item->body, path, sync, error))
    return FALSE;
  item->record.place = AMS_SPOOL_PLACE_FILE;
  return ams_copy_body_move (AMS_COPY_BODY (item->body), path, error);
}

static gboolean
place_link (AmsSpoolItem *item, AmsSpoolFolder *folder, gboolean sync,
    gboolean await, GError **error)
{
  AmsSpoolRecord *record = &item->record;
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);
  AmsSpoolLink made =
      ams_spool_copy_link (record->begin.local_path, path, record->size, sync);

  if (made == AMS_SPOOL_LINK_MADE) {
    record->place = AMS_SPOOL_PLACE_FILE;
    return ams_copy_body_move (AMS_COPY_BODY (item->body), path, error);
  }
  if (record->begin.by_reference)
    record->place = AMS_SPOOL_PLACE_LOCAL;
  else if (made == AMS_SPOOL_LINK_NOT_YET && await)
    record->place = AMS_SPOOL_PLACE_AWAITED;
  else
    return place_copy (item, folder, sync, error);
  return TRUE;
}

static gint64
get_mtime (const AmsSpoolRecord *record, AmsSpoolFolder *folder)
{
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);

  if (record->place == AMS_SPOOL_PLACE_AWAITED)
    return -1;
  return ams_spool_copy_get_mtime (
      record->place == AMS_SPOOL_PLACE_LOCAL ? record->begin.local_path : path,
      record->size);
}

gboolean
ams_spool_item_place_body (AmsSpoolItem *item, AmsSpoolFolder *folder,
    gboolean sync, gboolean await, GError **error)
{
  gboolean placed;

  if (AMS_IS_SPOOL_BODY (item->body))
    placed =
        ams_spool_body_make_whole (AMS_SPOOL_BODY (item->body), sync, error);
  else if (ams_spool_item_is_playlist (item))
    placed = place_copy (item, folder, sync, error);
  else
    placed = place_link (item, folder, sync, await, error);
  if (placed)
    item->record.mtime = get_mtime (&item->record, folder);
  return placed;
}

/* Reading */

/* Its link, or whatever upstream has there, has many names. */
static AmsBody *
open_local (const AmsSpoolRecord *record)
{
  const gchar *path = record->begin.local_path;
  g_autoptr (AmsBody) body = ams_copy_body_new (path);
  gint64 mtime = ams_spool_copy_get_mtime (path, record->size);

  if (mtime >= 0 && (record->mtime < 0 || record->mtime == mtime) &&
      ams_copy_body_refer (AMS_COPY_BODY (body), record->size, NULL))
    return g_steal_pointer (&body);
  return ams_spool_body_new_whole (path, record->size, record->mtime);
}

AmsBody *
ams_spool_item_open_body (AmsSpoolItem *item, AmsSpoolFolder *folder)
{
  const AmsSpoolRecord *record = &item->record;
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);

  if (record->type == AMS_SPOOL_RECORD_COMMITTED &&
      record->place != AMS_SPOOL_PLACE_FILE)
    return open_local (record);
  return ams_spool_body_new_whole (path, record->size, record->mtime);
}

void
ams_spool_entry_free (AmsSpoolEntry *entry)
{
  ams_file_begin_clear (&entry->begin);
  g_clear_object (&entry->body);
  g_free (entry);
}

AmsSpoolEntry *
ams_spool_item_to_entry (AmsSpoolItem *item, AmsSpoolFolder *folder)
{
  AmsSpoolEntry *entry = g_new0 (AmsSpoolEntry, 1);

  entry->id = item->record.id;
  ams_file_begin_copy (&entry->begin, &item->record.begin);
  if (ams_spool_item_has_body (item)) {
    entry->kind = item->record.kind;
    entry->body = ams_spool_item_open_body (item, folder);
  } else {
    entry->kind = AMS_SPOOL_REMOVE;
    entry->after = item->record.after;
  }
  return entry;
}

gboolean
ams_spool_item_is_there (AmsSpoolItem *item, AmsSpoolFolder *folder)
{
  const AmsSpoolRecord *record = &item->record;
  g_autofree gchar *path = ams_spool_folder_get_path (folder, record->id);
  gint64 mtime;

  if (record->place != AMS_SPOOL_PLACE_FILE)
    return TRUE;
  mtime = ams_spool_copy_get_mtime (path, record->size);
  return mtime >= 0 && mtime == record->mtime;
}

static GBytes *
read_body (AmsBody *body, const gchar *name, guint64 max_size, GError **error)
{
  g_autoptr (AmsGather) gather = ams_gather_new (NULL);
  g_autofree guint8 *step = NULL;
  guint64 size = ams_body_get_size (body);
  GBytes *data;
  gint errnum;
  gssize n;

  if (size > max_size) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "“%s” is larger than the %" G_GUINT64_FORMAT
            " bytes that are read of such a file",
            name, max_size));
    return NULL;
  }
  step = g_malloc (MIN (size, READ_STEP));
  for (guint64 at = 0; at < size; at += n) {
    n = ams_body_read (body, at, step, MIN (size - at, READ_STEP), error);
    if (n <= 0)
      return NULL;
    ams_gather_add (gather, step, n);
  }
  data = ams_gather_free_to_bytes (g_steal_pointer (&gather), &errnum);
  if (!data)
    g_propagate_error (error, ams_disk_error_new (errnum, "read", name));
  return data;
}

GBytes *
ams_spool_item_read (AmsSpoolItem *item, AmsSpoolFolder *folder,
    guint64 max_size, GError **error)
{
  g_autoptr (AmsBody) body = item->body
      ? g_object_ref (item->body)
      : ams_spool_item_open_body (item, folder);

  g_autoptr (GError) local = NULL;
  GBytes *data = read_body (body, item->record.begin.name, max_size, &local);

  if (local && item->state >= AMS_SPOOL_ITEM_KNOWN &&
      ams_store_error_get_failure (local) == AMS_FAILURE_LOST)
    local->code = AMS_FAILURE_ABSENT;
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  return data;
}
