/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the spool tells: what an earlier session left, and what it has. */

#include "config.h"

#include "transfer/spool/amsspoolprivate.h"

#include "transfer/spool/amsspoolplace.h"

/* What an earlier session left */

/* Of versions that may be superseded only the last that is whole is left. */
static void
drop_superseded (AmsSpool *self, GPtrArray *waiting)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = waiting->len; i-- > 0;) {
    AmsSpoolItem *item = g_ptr_array_index (waiting, i);
    gchar *name = item->record.begin.name;

    if (!ams_spool_item_is_playlist (item))
      continue;
    if (!ams_spool_item_may_be_superseded (item) ||
        (!g_hash_table_contains (seen, name) &&
            ams_spool_item_is_there (item, self->folder))) {
      g_hash_table_add (seen, name);
      continue;
    }
    ams_spool_discard (self, item, AMS_SPOOL_DROPPED);
    g_ptr_array_remove_index (waiting, i);
  }
}

GPtrArray *
ams_spool_take_up (AmsSpool *self)
{
  GPtrArray *entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_spool_entry_free);
  g_autoptr (GPtrArray) waiting = NULL;

  if (self->taken_up)
    return entries;
  self->taken_up = TRUE;
  waiting = ams_spool_index_list (self->index, AMS_SPOOL_ITEM_WAITING);
  drop_superseded (self, waiting);
  for (guint i = 0; i < waiting->len; i++)
    g_ptr_array_add (entries,
        ams_spool_item_to_entry (g_ptr_array_index (waiting, i), self->folder));
  return entries;
}

void
ams_spool_set_suffix (AmsSpool *self, const gchar *suffix)
{
  g_free (self->suffix);
  self->suffix = g_strdup (suffix);
}

const gchar *
ams_spool_get_suffix (AmsSpool *self)
{
  return self->suffix;
}

/* Asking */

GBytes *
ams_spool_fetch (AmsSpool *self, const gchar *name, gboolean partial,
    guint64 max_size, GError **error)
{
  AmsSpoolItem *item =
      partial ? NULL : ams_spool_index_find_newest (self->index, name);

  if (!item)
    item = ams_spool_index_get (self->index,
        partial ? AMS_SPOOL_ITEM_PARTIAL : AMS_SPOOL_ITEM_WAITING, name, error);
  return item ? ams_spool_item_read (item, self->folder, max_size, error)
              : NULL;
}

AmsBody *
ams_spool_open_waiting (AmsSpool *self, const gchar *name)
{
  AmsSpoolItem *item = ams_spool_index_find_newest (self->index, name);

  if (!item)
    return NULL;
  return item->body ? g_object_ref (item->body)
                    : ams_spool_item_open_body (item, self->folder);
}

GBytes *
ams_spool_fetch_known (AmsSpool *self, const gchar *name, guint64 max_size,
    GError **error)
{
  AmsSpoolItem *item =
      ams_spool_index_get (self->index, AMS_SPOOL_ITEM_KNOWN, name, error);

  return item ? ams_spool_item_read (item, self->folder, max_size, error)
              : NULL;
}

GStrv
ams_spool_dup_unheeded (AmsSpool *self)
{
  return ams_spool_index_dup_unheeded (self->index);
}

GStrv
ams_spool_dup_withheld (AmsSpool *self)
{
  return ams_spool_index_dup_withheld (self->index);
}

GPtrArray *
ams_spool_list (AmsSpool *self, const gchar *prefix)
{
  return ams_spool_index_list_files (self->index, prefix);
}
