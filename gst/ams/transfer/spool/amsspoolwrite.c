/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the spool writes to its journal and to the notes beside the bodies, and how items end. */

#include "config.h"

#include "transfer/spool/amsspoolprivate.h"

#include "transfer/amsstore.h"
#include "transfer/spool/amsspoolnote.h"

void
ams_spool_count_on_disk (AmsSpool *self, AmsSpoolItem *item, guint64 bytes)
{
  self->bytes += bytes - item->on_disk;
  item->on_disk = bytes;
}

/* The journal */

static void
remove_trash (AmsSpool *self)
{
  for (guint i = 0; i < self->trash->len; i++) {
    const AmsSpoolTrash *trash = &g_array_index (self->trash, AmsSpoolTrash, i);

    if (trash->marked)
      ams_spool_folder_unmark (self->folder, trash->id,
          ams_spool_fate_get_nick (trash->fate));
    else
      ams_spool_folder_remove (self->folder, trash->id);
  }
  g_array_set_size (self->trash, 0);
  self->trash_bytes = 0;
}

/* The disk has no room for the journal, and what is there to be removed makes some: but were it removed before the
 * journal says why, the next session would take it for lost. */
static void
mark_trash (AmsSpool *self)
{
  for (guint i = 0; i < self->trash->len; i++) {
    AmsSpoolTrash *trash = &g_array_index (self->trash, AmsSpoolTrash, i);

    if (!trash->marked)
      ams_spool_folder_mark (self->folder, trash->id,
          ams_spool_fate_get_nick (trash->fate));
    trash->marked = TRUE;
  }
  self->trash_bytes = 0;
}

static gboolean
compact (AmsSpool *self, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint records = 0;

  ams_spool_index_write (self->index, text);
  for (const gchar *p = text->str; (p = strchr (p, '\n')); p++)
    records++;
  if (!ams_spool_log_replace (self->log, text, records - 1, error))
    return FALSE;
  remove_trash (self);
  return TRUE;
}

void
ams_spool_compact_if_large (AmsSpool *self)
{
  guint64 size = ams_spool_log_get_size (self->log);
  guint live = ams_spool_index_get_live (self->index);
  g_autoptr (GError) error = NULL;

  if (size < self->compact_size ||
      ams_spool_log_get_records (self->log) / 2 < live)
    return;
  if (!compact (self, &error))
    GST_WARNING ("%s", error->message);
  self->compact_size =
      ams_spool_log_get_size (self->log) + AMS_SPOOL_COMPACT_SIZE;
}

gboolean
ams_spool_flush_log (AmsSpool *self, gboolean sync, GError **error)
{
  if (ams_spool_log_is_doubtful (self->log))
    return compact (self, error);
  return ams_spool_log_flush (self->log, sync, error);
}

void
ams_spool_empty_trash (AmsSpool *self)
{
  g_autoptr (GError) error = NULL;

  if (self->trash->len == 0)
    return;
  if (!ams_spool_flush_log (self, TRUE, &error)) {
    if (ams_store_error_get_failure (error) != AMS_FAILURE_FULL)
      return;
    mark_trash (self);
    if (!ams_spool_flush_log (self, TRUE, NULL))
      return;
  }
  remove_trash (self);
}

static AmsSpoolRecord
settled_record (const AmsSpoolItem *item, AmsSpoolFate fate)
{
  return (AmsSpoolRecord){ .type = AMS_SPOOL_RECORD_SETTLED,
    .id = item->record.id,
    .fate = fate };
}

void
ams_spool_write_settled (AmsSpool *self, AmsSpoolItem *item, AmsSpoolFate fate)
{
  AmsSpoolRecord record = settled_record (item, fate);

  if (item->begun || item->recorded)
    ams_spool_log_add (self->log, &record);
}

/* After the journal has it, so that a crash in between does not look like a journal that
 * was cut. */
void
ams_spool_write_note (AmsSpool *self, AmsSpoolItem *item)
{
  if (!ams_spool_item_has_body (item))
    return;
  ams_spool_note_add (self->folder, &item->record);
  item->noted = TRUE;
}

/* What is settled and kept. */
void
ams_spool_write_settled_note (AmsSpool *self, AmsSpoolItem *item,
    AmsSpoolFate fate)
{
  AmsSpoolRecord record = settled_record (item, fate);

  if (item->noted)
    ams_spool_note_add (self->folder, &record);
}

static void
write_renamed (AmsSpool *self)
{
  for (guint i = 0; i < self->renamed->len; i++) {
    AmsSpoolItem *item = ams_spool_index_lookup (self->index,
        g_array_index (self->renamed, guint64, i));

    if (!item || !item->recorded)
      continue;
    ams_spool_log_add (self->log, &item->record);
    ams_spool_write_note (self, item);
  }
  g_array_set_size (self->renamed, 0);
}

void
ams_spool_write_item (AmsSpool *self, AmsSpoolItem *item)
{
  if (ams_spool_item_is_playlist (item))
    write_renamed (self);
  ams_spool_log_add (self->log, &item->record);
  item->recorded = TRUE;
  ams_spool_index_heed (self->index, item);
}

/* The end of items */

/* It is not watched. */
void
ams_spool_remove_item (AmsSpool *self, AmsSpoolItem *item)
{
  g_queue_remove (&self->unsafe, item);
  g_queue_remove (&self->awaited, item);
  g_queue_remove (&self->unlisted, item);
  g_queue_remove (&self->unnamed, item);
  ams_spool_count_on_disk (self, item, 0);
  if (item->noted)
    ams_spool_note_remove (self->folder, item->record.id);
  ams_spool_index_remove (self->index, item);
}

void
ams_spool_discard (AmsSpool *self, AmsSpoolItem *item, AmsSpoolFate fate)
{
  guint64 id = item->record.id;

  ams_spool_write_settled (self, item, fate);
  if (!ams_spool_item_has_body (item)) {
    ams_spool_remove_item (self, item);
    return;
  }
  /* That a playlist which may be superseded is gone is no news after a power cut. */
  if (ams_spool_item_may_be_superseded (item)) {
    ams_spool_folder_remove (self->folder, id);
  } else {
    AmsSpoolTrash trash = { id,
      fate == AMS_SPOOL_STORED ? AMS_SPOOL_STORED : AMS_SPOOL_DROPPED, FALSE };

    g_array_append_val (self->trash, trash);
    self->trash_bytes += item->on_disk;
  }
  ams_spool_remove_item (self, item);
}

void
ams_spool_keep_given_up (AmsSpool *self, AmsSpoolItem *item)
{
  g_autoptr (GError) error = NULL;

  ams_spool_write_settled (self, item, AMS_SPOOL_GIVEN_UP);
  ams_spool_flush_log (self, TRUE, NULL);
  if (!ams_spool_folder_give_up (self->folder, item->record.id,
          item->record.begin.name, &error))
    GST_WARNING ("%s", error->message);
  ams_spool_remove_item (self, item);
}

/* Withheld playlists: @item is what upstream continues now, wherever it is. */
void
ams_spool_drop_withheld_before (AmsSpool *self, const AmsSpoolItem *item)
{
  AmsSpoolItem *withheld = ams_spool_index_find (self->index,
      AMS_SPOOL_ITEM_WITHHELD, item->record.begin.name);

  if (withheld && withheld->record.order < item->record.order)
    ams_spool_discard (self, withheld, AMS_SPOOL_DROPPED);
}

void
ams_spool_record_withheld (AmsSpool *self, AmsSpoolItem *item)
{
  if (item->recorded) {
    ams_spool_write_settled (self, item, AMS_SPOOL_WITHHELD);
    ams_spool_write_settled_note (self, item, AMS_SPOOL_WITHHELD);
  }
  ams_spool_count_on_disk (self, item, 0);
}
