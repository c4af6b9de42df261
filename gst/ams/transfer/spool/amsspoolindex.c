/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolindex.h"

#include "transfer/amsstore.h"

static void
item_free (gpointer data)
{
  AmsSpoolItem *item = data;

  ams_spool_record_clear (&item->record);
  g_clear_object (&item->body);
  g_free (item);
}

gboolean
ams_spool_item_is_playlist (const AmsSpoolItem *item)
{
  return item->record.type != AMS_SPOOL_RECORD_REMOVE &&
      item->record.kind == AMS_SPOOL_PUT &&
      (item->record.begin.role == AMS_FILE_ROLE_PLAYLIST ||
          item->record.begin.role == AMS_FILE_ROLE_MASTER);
}

gboolean
ams_spool_item_may_be_superseded (const AmsSpoolItem *item)
{
  return ams_spool_item_is_playlist (item) && !item->record.begin.final;
}

gboolean
ams_spool_item_has_body (const AmsSpoolItem *item)
{
  return item->record.type != AMS_SPOOL_RECORD_REMOVE;
}

AmsSpoolIndex *
ams_spool_index_new (void)
{
  AmsSpoolIndex *self = g_new0 (AmsSpoolIndex, 1);

  self->items =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, item_free);
  self->settled =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, item_free);
  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  self->known = g_hash_table_new (g_str_hash, g_str_equal);
  self->withheld = g_hash_table_new (g_str_hash, g_str_equal);
  self->unheeded = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) ams_spool_record_free);
  self->next_id = 1;
  self->next_order = 1;
  return self;
}

void
ams_spool_index_free (AmsSpoolIndex *self)
{
  g_hash_table_unref (self->unheeded);
  g_hash_table_unref (self->withheld);
  g_hash_table_unref (self->known);
  g_hash_table_unref (self->names);
  g_hash_table_unref (self->settled);
  g_hash_table_unref (self->items);
  g_free (self);
}

/* Names: a file is looked for with each that comes, and thousands may wait */

static void
add_name (AmsSpoolIndex *self, AmsSpoolItem *item)
{
  gchar *name = item->record.begin.name;

  if (!name)
    return;
  item->name_next = g_hash_table_lookup (self->names, name);
  g_hash_table_replace (self->names, name, item);
}

static void
remove_name (AmsSpoolIndex *self, AmsSpoolItem *item)
{
  gchar *name = item->record.begin.name;
  AmsSpoolItem *at = name ? g_hash_table_lookup (self->names, name) : NULL;
  AmsSpoolItem *next = item->name_next;

  item->name_next = NULL;
  if (at == item && next)
    g_hash_table_replace (self->names, next->record.begin.name, next);
  else if (at == item)
    g_hash_table_remove (self->names, name);
  else if (at) {
    while (at->name_next != item)
      at = at->name_next;
    at->name_next = next;
  }
}

void
ams_spool_index_set_begin (AmsSpoolIndex *self, AmsSpoolItem *item,
    const AmsFileBegin *begin)
{
  remove_name (self, item);
  ams_file_begin_clear (&item->record.begin);
  ams_file_begin_copy (&item->record.begin, begin);
  add_name (self, item);
}

void
ams_spool_index_rename (AmsSpoolIndex *self, AmsSpoolItem *item,
    const gchar *name)
{
  remove_name (self, item);
  g_free (item->record.begin.name);
  item->record.begin.name = g_strdup (name);
  add_name (self, item);
}

/* One that has the id goes. */
AmsSpoolItem *
ams_spool_index_add (AmsSpoolIndex *self, guint64 id, AmsSpoolRecordType type)
{
  AmsSpoolItem *before = id ? ams_spool_index_lookup (self, id) : NULL;
  AmsSpoolItem *item = g_new0 (AmsSpoolItem, 1);

  if (before)
    remove_name (self, before);

  item->record.type = type;
  item->record.id = id ? id : self->next_id;
  item->record.mtime = -1;
  self->next_id = MAX (self->next_id, item->record.id + 1);
  g_hash_table_replace (self->items, &item->record.id, item);
  return item;
}

AmsSpoolItem *
ams_spool_index_lookup (AmsSpoolIndex *self, guint64 id)
{
  return g_hash_table_lookup (self->items, &id);
}

guint
ams_spool_index_get_live (AmsSpoolIndex *self)
{
  return g_hash_table_size (self->items) + g_hash_table_size (self->known) +
      g_hash_table_size (self->withheld) + g_hash_table_size (self->unheeded);
}

static void
forget_name (AmsSpoolIndex *self, AmsSpoolItem *item)
{
  if (item->state == AMS_SPOOL_ITEM_KNOWN)
    g_hash_table_remove (self->known, item->record.begin.name);
  if (item->state == AMS_SPOOL_ITEM_WITHHELD)
    g_hash_table_remove (self->withheld, item->record.begin.name);
}

void
ams_spool_index_remove (AmsSpoolIndex *self, AmsSpoolItem *item)
{
  forget_name (self, item);
  remove_name (self, item);
  g_hash_table_remove (self->items, &item->record.id);
}

AmsSpoolItem *
ams_spool_index_set_known (AmsSpoolIndex *self, const gchar *name,
    AmsSpoolItem *item)
{
  AmsSpoolItem *before = g_hash_table_lookup (self->known, name);

  if (before == item)
    return NULL;
  if (before)
    g_hash_table_remove (self->known, name);
  if (item) {
    item->state = AMS_SPOOL_ITEM_KNOWN;
    g_hash_table_insert (self->known, item->record.begin.name, item);
  }
  if (before)
    before->state = AMS_SPOOL_ITEM_WAITING;
  return before;
}

AmsSpoolItem *
ams_spool_index_set_withheld (AmsSpoolIndex *self, AmsSpoolItem *item)
{
  gchar *name = item->record.begin.name;
  AmsSpoolItem *before = g_hash_table_lookup (self->withheld, name);

  if (before == item)
    return NULL;
  if (before && before->record.order > item->record.order)
    return item;
  if (before) {
    g_hash_table_remove (self->withheld, name);
    before->state = AMS_SPOOL_ITEM_WAITING;
  }
  item->state = AMS_SPOOL_ITEM_WITHHELD;
  g_hash_table_insert (self->withheld, name, item);
  return before;
}

/* Files that playlists must not name */

const AmsSpoolRecord *
ams_spool_index_add_failed (AmsSpoolIndex *self, const gchar *name,
    AmsFileRole role)
{
  AmsSpoolRecord *record;

  if (role == AMS_FILE_ROLE_OTHER || role == AMS_FILE_ROLE_PLAYLIST ||
      role == AMS_FILE_ROLE_MASTER ||
      g_hash_table_contains (self->unheeded, name))
    return NULL;
  record = g_new0 (AmsSpoolRecord, 1);
  record->type = AMS_SPOOL_RECORD_FAILED;
  record->id = self->next_id++;
  record->begin.name = g_strdup (name);
  record->begin.role = role;
  g_hash_table_insert (self->unheeded, record->begin.name, record);
  return record;
}

void
ams_spool_index_forget_failed (AmsSpoolIndex *self, const gchar *name)
{
  g_hash_table_remove (self->unheeded, name);
}

void
ams_spool_index_heed (AmsSpoolIndex *self, const AmsSpoolItem *item)
{
  const GStrv failed = item->record.begin.failed;

  for (guint i = 0; failed && failed[i]; i++)
    g_hash_table_remove (self->unheeded, failed[i]);
}

/* Reading a journal */

static void
move_to_settled (AmsSpoolIndex *self, AmsSpoolItem *item, AmsSpoolFate fate)
{
  forget_name (self, item);
  remove_name (self, item);
  g_hash_table_steal (self->items, &item->record.id);
  item->record.fate = fate;
  g_hash_table_replace (self->settled, &item->record.id, item);
}

static void
settle_known (AmsSpoolIndex *self, const gchar *name, AmsSpoolItem *item)
{
  AmsSpoolItem *before = ams_spool_index_set_known (self, name, item);

  if (before)
    move_to_settled (self, before, AMS_SPOOL_DROPPED);
}

static void
settle_withheld (AmsSpoolIndex *self, AmsSpoolItem *item)
{
  AmsSpoolItem *older = ams_spool_index_set_withheld (self, item);

  if (older)
    move_to_settled (self, older, AMS_SPOOL_DROPPED);
}

static void
replay_settled (AmsSpoolIndex *self, const AmsSpoolRecord *record)
{
  AmsSpoolItem *item = ams_spool_index_lookup (self, record->id);
  gboolean stored = record->fate == AMS_SPOOL_STORED;

  if (!item)
    return;
  if (stored && ams_spool_item_is_playlist (item)) {
    /* One that the disk had no room for is nowhere; what was known before is wrong, too. */
    settle_known (self, item->record.begin.name, item->recorded ? item : NULL);
    if (!item->recorded)
      move_to_settled (self, item, record->fate);
    return;
  }
  if (record->fate == AMS_SPOOL_WITHHELD && item->recorded &&
      ams_spool_item_is_playlist (item)) {
    settle_withheld (self, item);
    return;
  }
  if (stored && !ams_spool_item_has_body (item))
    settle_known (self, item->record.begin.name, NULL);
  else if (stored && item->record.kind == AMS_SPOOL_PUT)
    ams_spool_index_forget_failed (self, item->record.begin.name);
  move_to_settled (self, item, record->fate);
}

static void
replay_record (AmsSpoolIndex *self, AmsSpoolRecord *record)
{
  AmsSpoolItem *item = ams_spool_index_lookup (self, record->id);

  if (item)
    forget_name (self, item);
  item = ams_spool_index_add (self, record->id, record->type);
  item->record = *record;
  item->record.begin = (AmsFileBegin){ 0 };
  ams_spool_index_set_begin (self, item, &record->begin);
  item->begun = record->type == AMS_SPOOL_RECORD_BEGUN;
  item->recorded = !item->begun;
  item->state = record->type == AMS_SPOOL_RECORD_BEGUN ? AMS_SPOOL_ITEM_PARTIAL
                                                       : AMS_SPOOL_ITEM_WAITING;
  if (record->type != AMS_SPOOL_RECORD_BEGUN)
    self->next_order = MAX (self->next_order, record->order + 1);
  if (item->recorded)
    ams_spool_index_heed (self, item);
}

void
ams_spool_index_replay (AmsSpoolIndex *self, GPtrArray *records)
{
  for (guint i = 0; i < records->len; i++) {
    AmsSpoolRecord *record = g_ptr_array_index (records, i);

    self->next_id = MAX (self->next_id, record->id + 1);
    if (record->type == AMS_SPOOL_RECORD_SETTLED)
      replay_settled (self, record);
    else if (record->type == AMS_SPOOL_RECORD_FAILED)
      ams_spool_index_add_failed (self, record->begin.name, record->begin.role);
    else
      replay_record (self, record);
  }
}

/* Looking */

static gint
compare_items (gconstpointer a, gconstpointer b)
{
  const AmsSpoolRecord *x = &(*(AmsSpoolItem *const *) a)->record;
  const AmsSpoolRecord *y = &(*(AmsSpoolItem *const *) b)->record;

  if (x->order != y->order)
    return x->order < y->order ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

GPtrArray *
ams_spool_index_list (AmsSpoolIndex *self, AmsSpoolItemState state)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer item;

  g_hash_table_iter_init (&iter, self->items);
  while (g_hash_table_iter_next (&iter, NULL, &item)) {
    if (((AmsSpoolItem *) item)->state == state)
      g_ptr_array_add (list, item);
  }
  g_ptr_array_sort (list, compare_items);
  return list;
}

AmsSpoolItem *
ams_spool_index_find (AmsSpoolIndex *self, AmsSpoolItemState state,
    const gchar *name)
{
  AmsSpoolItem *found = NULL;

  if (state == AMS_SPOOL_ITEM_KNOWN)
    return g_hash_table_lookup (self->known, name);
  if (state == AMS_SPOOL_ITEM_WITHHELD)
    return g_hash_table_lookup (self->withheld, name);
  for (AmsSpoolItem *item = g_hash_table_lookup (self->names, name); item;
       item = item->name_next) {
    if (item->state != state || !ams_spool_item_has_body (item))
      continue;
    if (!found || compare_items (&found, &item) < 0)
      found = item;
  }
  return found;
}

AmsSpoolItem *
ams_spool_index_get (AmsSpoolIndex *self, AmsSpoolItemState state,
    const gchar *name, GError **error)
{
  static const gchar *const missing[] = {
    [AMS_SPOOL_ITEM_PARTIAL] = "There is nothing left of",
    [AMS_SPOOL_ITEM_WAITING] = "There is no",
    [AMS_SPOOL_ITEM_KNOWN] = "There is no earlier",
  };
  AmsSpoolItem *item = ams_spool_index_find (self, state, name);

  if (!item)
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_ABSENT, 0, 0, "%s “%s” in the spool",
            missing[state], name));
  return item;
}

guint64
ams_spool_index_get_playlist_order (AmsSpoolIndex *self)
{
  GHashTableIter iter;
  gpointer value;
  guint64 order = 0;

  g_hash_table_iter_init (&iter, self->items);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const AmsSpoolItem *item = value;

    if (item->recorded && item->record.begin.role == AMS_FILE_ROLE_PLAYLIST)
      order = MAX (order, item->record.order);
  }
  return order;
}

AmsSpoolItem *
ams_spool_index_find_newest (AmsSpoolIndex *self, const gchar *name)
{
  AmsSpoolItem *waiting =
      ams_spool_index_find (self, AMS_SPOOL_ITEM_WAITING, name);
  AmsSpoolItem *withheld =
      ams_spool_index_find (self, AMS_SPOOL_ITEM_WITHHELD, name);

  if (!waiting || !withheld)
    return waiting ? waiting : withheld;
  return compare_items (&waiting, &withheld) < 0 ? withheld : waiting;
}

static gint
compare_records (gconstpointer a, gconstpointer b)
{
  const AmsSpoolRecord *x = *(AmsSpoolRecord *const *) a;
  const AmsSpoolRecord *y = *(AmsSpoolRecord *const *) b;

  return x->id < y->id ? -1 : x->id > y->id;
}

static GPtrArray *
list_unheeded (AmsSpoolIndex *self)
{
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer record;

  g_hash_table_iter_init (&iter, self->unheeded);
  while (g_hash_table_iter_next (&iter, NULL, &record))
    g_ptr_array_add (list, record);
  g_ptr_array_sort (list, compare_records);
  return list;
}

GStrv
ams_spool_index_dup_unheeded (AmsSpoolIndex *self)
{
  g_autoptr (GPtrArray) list = list_unheeded (self);
  GStrv names = g_new0 (gchar *, list->len + 1);

  for (guint i = 0; i < list->len; i++)
    names[i] = g_strdup (((AmsSpoolRecord *) list->pdata[i])->begin.name);
  return names;
}

GStrv
ams_spool_index_dup_withheld (AmsSpoolIndex *self)
{
  g_autoptr (GPtrArray) list =
      ams_spool_index_list (self, AMS_SPOOL_ITEM_WITHHELD);
  GStrv names = g_new0 (gchar *, list->len + 1);

  for (guint i = 0; i < list->len; i++)
    names[i] = g_strdup (((AmsSpoolItem *) list->pdata[i])->record.begin.name);
  return names;
}

static AmsFileEntry *
make_entry (const AmsSpoolItem *item)
{
  const AmsSpoolRecord *record = &item->record;
  AmsFileEntry *entry = ams_file_entry_new (record->begin.name, record->size,
      item->state == AMS_SPOOL_ITEM_PARTIAL);

  entry->date_time = record->begin.date_time;
  entry->discontinuity = record->begin.discontinuity;
  return entry;
}

static void
list_items (AmsSpoolIndex *self, AmsSpoolItemState state, const gchar *prefix,
    GHashTable *seen, GPtrArray *entries)
{
  g_autoptr (GPtrArray) items = ams_spool_index_list (self, state);

  for (guint i = items->len; i-- > 0;) {
    AmsSpoolItem *item = g_ptr_array_index (items, i);
    gchar *name = item->record.begin.name;

    if (ams_spool_item_has_body (item) && name &&
        g_str_has_prefix (name, prefix) && g_hash_table_add (seen, name))
      g_ptr_array_add (entries, make_entry (item));
  }
}

GPtrArray *
ams_spool_index_list_files (AmsSpoolIndex *self, const gchar *prefix)
{
  GPtrArray *entries =
      g_ptr_array_new_with_free_func ((GDestroyNotify) ams_file_entry_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  list_items (self, AMS_SPOOL_ITEM_WAITING, prefix, seen, entries);
  list_items (self, AMS_SPOOL_ITEM_UNNAMED, prefix, seen, entries);
  list_items (self, AMS_SPOOL_ITEM_WITHHELD, prefix, seen, entries);
  g_hash_table_remove_all (seen);
  list_items (self, AMS_SPOOL_ITEM_PARTIAL, prefix, seen, entries);
  return entries;
}

/* Writing a journal */

/* What is being made whole is a partial file until then. */
static gboolean
write_item (const AmsSpoolItem *item, GString *text)
{
  AmsSpoolRecord record = item->record;

  if (!item->recorded && !item->begun)
    return FALSE;
  if (!item->recorded)
    record.type = AMS_SPOOL_RECORD_BEGUN;
  ams_spool_journal_write (text, &record);
  return TRUE;
}

static void
write_items (AmsSpoolIndex *self, AmsSpoolItemState state, GString *text)
{
  g_autoptr (GPtrArray) list = ams_spool_index_list (self, state);

  for (guint i = 0; i < list->len; i++) {
    AmsSpoolItem *item = g_ptr_array_index (list, i);
    AmsSpoolRecord settled = { .type = AMS_SPOOL_RECORD_SETTLED,
      .id = item->record.id,
      .fate = state == AMS_SPOOL_ITEM_KNOWN ? AMS_SPOOL_STORED
                                            : AMS_SPOOL_WITHHELD };

    if (!write_item (item, text))
      continue;
    if (state >= AMS_SPOOL_ITEM_KNOWN && item->recorded)
      ams_spool_journal_write (text, &settled);
  }
}

void
ams_spool_index_write (AmsSpoolIndex *self, GString *text)
{
  g_autoptr (GPtrArray) unheeded = list_unheeded (self);

  ams_spool_journal_write_head (text);
  for (guint state = AMS_SPOOL_ITEM_OPEN; state <= AMS_SPOOL_ITEM_WITHHELD;
       state++)
    write_items (self, state, text);
  /* After the versions that heeded an earlier failure of the same name. */
  for (guint i = 0; i < unheeded->len; i++)
    ams_spool_journal_write (text, g_ptr_array_index (unheeded, i));
}
