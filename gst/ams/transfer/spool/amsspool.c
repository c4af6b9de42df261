/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/spool/amsspoolprivate.h"

#include "transfer/amscopybody.h"
#include "transfer/amsdisk.h"
#include "transfer/spool/amsspoolbody.h"
#include "transfer/spool/amsspoolcopy.h"
#include "transfer/spool/amsspoolfolder.h"
#include "transfer/spool/amsspoolindex.h"
#include "transfer/spool/amsspoollog.h"
#include "transfer/spool/amsspoolnote.h"
#include "transfer/spool/amsspoolplace.h"
#include "transfer/spool/amsspoolresume.h"
#include "transfer/amsstore.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A disk that refused is not asked again with every call. */
#define RETRY_INTERVAL (G_TIME_SPAN_SECOND / 4)
/* What is settled is removed when so much of it is there: only after the journal, with
 * its word for that, was synced, and that takes time. */
#define TRASH_FILES 16
#define TRASH_BYTES (8 * 1024 * 1024)
/* For the file that upstream writes by itself to appear, once it was handed over. */
#define LINK_TIMEOUT (2 * G_TIME_SPAN_SECOND)

/* Of a body that is being made: its item. */
#define ITEM_KEY "ams-spool-item"

static gchar *
path_of (AmsSpool *self, const AmsSpoolItem *item)
{
  return ams_spool_folder_get_path (self->folder, item->record.id);
}

/* Playlists come often, and the next says all that the one before did. */
static gboolean
needs_sync (const AmsSpoolItem *item)
{
  return ams_spool_item_has_body (item) &&
      (!ams_spool_item_may_be_superseded (item) || item->record.begin.renamed);
}

/* Bodies that are being made: the item is found by the body, and is forgotten with it
 * if that leaves no file behind. */

static void
on_body_gone (gpointer data, GObject *body)
{
  AmsSpoolItem *item = data;
  AmsSpool *self = item->spool;
  g_autofree gchar *path = path_of (self, item);

  item->watched = NULL;
  if (access (path, F_OK) == 0)
    return;
  ams_spool_write_settled (self, item, AMS_SPOOL_DROPPED);
  ams_spool_remove_item (self, item);
}

static void
watch (AmsSpool *self, AmsSpoolItem *item, AmsBody *body)
{
  item->state = AMS_SPOOL_ITEM_OPEN;
  item->spool = self;
  item->watched = body;
  g_object_set_data (G_OBJECT (body), ITEM_KEY, item);
  g_object_weak_ref (G_OBJECT (body), on_body_gone, item);
}

static void
unwatch (AmsSpoolItem *item)
{
  if (!item->watched)
    return;
  g_object_set_data (G_OBJECT (item->watched), ITEM_KEY, NULL);
  g_object_weak_unref (G_OBJECT (item->watched), on_body_gone, item);
  item->watched = NULL;
}

/* A file of the spool's own: what is written to it is found after a crash. */
static AmsBody *
begin_file (AmsSpool *self, AmsSpoolItem *item)
{
  g_autofree gchar *path = path_of (self, item);

  ams_spool_log_add (self->log, &item->record);
  item->begun = TRUE;
  ams_spool_flush_log (self, FALSE, NULL);
  ams_spool_write_note (self, item);
  return ams_spool_body_new (path);
}

/* Upstream appends to its playlists: a link to one would change with it. */
static gboolean
may_link (AmsSpool *self, const AmsSpoolItem *item)
{
  const gchar *local_path = item->record.begin.local_path;
  g_autofree gchar *path = path_of (self, item);

  return local_path && !ams_spool_item_is_playlist (item) &&
      ams_spool_copy_is_near (local_path, path);
}

AmsBody *
ams_spool_create_body (AmsSpool *self, const AmsFileBegin *begin)
{
  AmsSpoolItem *item =
      ams_spool_index_add (self->index, 0, AMS_SPOOL_RECORD_BEGUN);
  AmsBody *body;

  item->record.kind = AMS_SPOOL_PUT;
  ams_spool_index_set_begin (self->index, item, begin);
  if (begin->by_reference || may_link (self, item))
    body = ams_copy_body_new (begin->local_path);
  else
    body = begin_file (self, item);
  watch (self, item, body);
  return body;
}

/* Making sure */

static gboolean
place_body (AmsSpool *self, AmsSpoolItem *item, GError **error)
{
  gboolean await = g_get_monotonic_time () < item->handed_at + LINK_TIMEOUT;

  if (!ams_spool_item_place_body (item, self->folder, needs_sync (item), await,
          error))
    return FALSE;
  if (item->record.place == AMS_SPOOL_PLACE_FILE)
    ams_spool_count_on_disk (self, item, item->record.size);
  return TRUE;
}

static gboolean
secure (AmsSpool *self, AmsSpoolItem *item, GError **error)
{
  if (!item->recorded) {
    if (ams_spool_item_has_body (item) && !place_body (self, item, error))
      return FALSE;
    ams_spool_write_item (self, item);
  }
  if (!ams_spool_flush_log (self, needs_sync (item), error))
    return FALSE;
  ams_spool_write_note (self, item);
  return TRUE;
}

/* @error: NULL, or why it is lost: that is said when it is sent, and does not keep up
 * the others. */
static void
release (AmsSpool *self, AmsSpoolItem *item, const GError *error)
{
  if (error)
    GST_WARNING ("%s", error->message);
  if (!error && item->record.place == AMS_SPOOL_PLACE_AWAITED) {
    g_queue_push_tail (&self->awaited, item);
    return;
  }
  if (!error)
    g_clear_object (&item->body);
  if (item->give_up)
    ams_spool_keep_given_up (self, item);
  else if (item->state == AMS_SPOOL_ITEM_WITHHELD)
    ams_spool_record_withheld (self, item);
  else if (!error && ams_spool_item_is_playlist (item))
    ams_spool_drop_withheld_before (self, item);
}

static gboolean
is_lost (const GError *error)
{
  return error && ams_store_error_get_failure (error) == AMS_FAILURE_LOST;
}

/* In the order in which they were handed over: a playlist is not to be found without
 * what it names. */
static gboolean
secure_unsafe (AmsSpool *self, GError **error)
{
  AmsSpoolItem *item;

  while ((item = g_queue_peek_head (&self->unsafe))) {
    g_autoptr (GError) local = NULL;

    if (!secure (self, item, &local) && !is_lost (local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    g_queue_pop_head (&self->unsafe);
    release (self, item, local);
  }
  return TRUE;
}

/* Whether something before @order is neither in the spool nor in the store yet. */
static gboolean
awaits_before (AmsSpool *self, guint64 order)
{
  for (GList *l = self->awaited.head; l; l = l->next) {
    const AmsSpoolItem *item = l->data;

    if (item->record.order < order && !item->unlisted)
      return TRUE;
  }
  return FALSE;
}

/* Segments that are stored, once a playlist came after them that is stored as well, or
 * safe. One that may list what has not come from upstream's disk is not: it is forgotten
 * if that is still so after a crash. */
static void
release_listed (AmsSpool *self)
{
  AmsSpoolItem *item;

  if (!awaits_before (self, self->playlist_order))
    self->listed_order = MAX (self->listed_order, self->playlist_order);
  while ((item = g_queue_peek_head (&self->unlisted)) &&
      item->record.order < self->listed_order)
    ams_spool_discard (self, item, AMS_SPOOL_STORED);
}

static gboolean
link_awaited (AmsSpool *self, GError **error)
{
  for (guint n = g_queue_get_length (&self->awaited); n > 0; n--) {
    AmsSpoolItem *item = g_queue_peek_head (&self->awaited);
    g_autoptr (GError) local = NULL;

    if (!place_body (self, item, &local) && !is_lost (local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    g_queue_pop_head (&self->awaited);
    if (!local && item->record.place != AMS_SPOOL_PLACE_AWAITED) {
      ams_spool_write_item (self, item);
      ams_spool_write_note (self, item);
    }
    release (self, item, local);
  }
  release_listed (self);
  return TRUE;
}

static gboolean
secure_all (AmsSpool *self, GError **error)
{
  g_autoptr (GError) local = NULL;
  gint64 now = g_get_monotonic_time ();

  if (self->error && now < self->tried + RETRY_INTERVAL) {
    g_propagate_error (error, g_error_copy (self->error));
    return FALSE;
  }
  g_clear_error (&self->error);
  self->tried = now;
  if (self->trash->len >= TRASH_FILES || self->trash_bytes >= TRASH_BYTES)
    ams_spool_empty_trash (self);
  if (secure_unsafe (self, &local) && link_awaited (self, &local) &&
      ams_spool_flush_log (self, FALSE, &local)) {
    ams_spool_compact_if_large (self);
    return TRUE;
  }
  self->error = g_error_copy (local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

gboolean
ams_spool_flush (AmsSpool *self, GError **error)
{
  ams_spool_empty_trash (self);
  return secure_all (self, error) && ams_spool_flush_log (self, TRUE, error);
}

gint64
ams_spool_get_next_flush (AmsSpool *self)
{
  if (g_queue_is_empty (&self->unsafe) && g_queue_is_empty (&self->awaited))
    return G_MAXINT64;
  return self->tried + RETRY_INTERVAL;
}

/* Handing over */

static gboolean
hand_over (AmsSpool *self, AmsSpoolItem *item, guint64 *id, GError **error)
{
  item->state = AMS_SPOOL_ITEM_WAITING;
  item->record.order = self->index->next_order++;
  item->handed_at = g_get_monotonic_time ();
  *id = item->record.id;
  g_queue_push_tail (&self->unsafe, item);
  return secure_all (self, error);
}

static void
hand_body (AmsSpoolItem *item, AmsBody *body)
{
  item->record.type = AMS_SPOOL_RECORD_COMMITTED;
  item->record.size = ams_body_get_size (body);
  item->body = g_object_ref (body);
}

/* What a crash left under this name is not adopted any more. */
static void
give_up_partial (AmsSpool *self, const gchar *name)
{
  AmsSpoolItem *item =
      ams_spool_index_find (self->index, AMS_SPOOL_ITEM_PARTIAL, name);

  if (item)
    ams_spool_keep_given_up (self, item);
}

/* Of what an earlier session left to upstream, that which is handed over again; with the
 * first playlist all, as upstream has looked after them by then. The journal says so
 * together with what is handed over. */
static void
drop_unnamed (AmsSpool *self, const AmsFileBegin *begin)
{
  GList *next;

  for (GList *l = self->unnamed.head; l; l = next) {
    AmsSpoolItem *item = l->data;

    next = l->next;
    if (begin->role != AMS_FILE_ROLE_PLAYLIST &&
        !g_str_equal (begin->name, item->record.begin.name))
      continue;
    GST_DEBUG ("\"%s\", left to upstream, is forgotten: \"%s\" has come",
        item->record.begin.name, begin->name);
    ams_spool_discard (self, item, AMS_SPOOL_DROPPED);
  }
}

gboolean
ams_spool_commit (AmsSpool *self, AmsBody *body, const AmsFileBegin *begin,
    guint64 *id, GError **error)
{
  AmsSpoolItem *item = g_object_get_data (G_OBJECT (body), ITEM_KEY);
  gboolean safe;

  g_return_val_if_fail (item && item->watched == body, FALSE);

  unwatch (item);
  give_up_partial (self, begin->name);
  hand_body (item, body);
  ams_spool_index_set_begin (self->index, item, begin);
  drop_unnamed (self, begin);
  safe = hand_over (self, item, id, error);
  if (safe && begin->role == AMS_FILE_ROLE_PLAYLIST) {
    self->playlist_order = item->record.order;
    release_listed (self);
  }
  return safe;
}

gboolean
ams_spool_add_notify (AmsSpool *self, GBytes *text, AmsBody **body, guint64 *id,
    GError **error)
{
  AmsSpoolItem *item =
      ams_spool_index_add (self->index, 0, AMS_SPOOL_RECORD_BEGUN);

  item->record.kind = AMS_SPOOL_NOTIFY;
  *body = begin_file (self, item);
  ams_body_append (*body, text, NULL);
  ams_body_finish (*body, g_bytes_get_size (text));
  hand_body (item, *body);
  return hand_over (self, item, id, error);
}

gboolean
ams_spool_add_remove (AmsSpool *self, const gchar *name, gint64 after,
    guint64 *id, GError **error)
{
  AmsSpoolItem *item =
      ams_spool_index_add (self->index, 0, AMS_SPOOL_RECORD_REMOVE);

  ams_spool_index_set_begin (self->index, item,
      &(AmsFileBegin){ .name = (gchar *) name });
  item->record.after = after;
  return hand_over (self, item, id, error);
}

/* Settling */

static void
set_known (AmsSpool *self, const gchar *name, AmsSpoolItem *item)
{
  AmsSpoolItem *before = ams_spool_index_set_known (self->index, name, item);

  if (before)
    ams_spool_discard (self, before, AMS_SPOOL_DROPPED);
}

/* The store has it: what was known before is wrong, whether this can be kept or not. */
static void
keep_known (AmsSpool *self, AmsSpoolItem *item)
{
  if (!item->recorded && place_body (self, item, NULL))
    ams_spool_write_item (self, item);
  g_queue_remove (&self->unsafe, item);
  g_clear_object (&item->body);
  ams_spool_drop_withheld_before (self, item);
  if (item->record.begin.role == AMS_FILE_ROLE_PLAYLIST) {
    self->playlist_order = MAX (self->playlist_order, item->record.order);
    self->listed_order = MAX (self->listed_order, item->record.order);
    release_listed (self);
  }
  set_known (self, item->record.begin.name, item->recorded ? item : NULL);
  if (item->recorded) {
    ams_spool_count_on_disk (self, item, 0);
    ams_spool_write_settled (self, item, AMS_SPOOL_STORED);
    ams_spool_write_settled_note (self, item, AMS_SPOOL_STORED);
  } else {
    ams_spool_discard (self, item, AMS_SPOOL_STORED);
  }
}

static void
give_up (AmsSpool *self, AmsSpoolItem *item)
{
  item->give_up = TRUE;
  if (!g_queue_find (&self->unsafe, item) &&
      !g_queue_find (&self->awaited, item))
    ams_spool_keep_given_up (self, item);
}

/* Only what upstream would continue is worth keeping. */
static void
withhold (AmsSpool *self, AmsSpoolItem *item)
{
  AmsSpoolItem *older = item;

  if (ams_spool_index_find_newest (self->index, item->record.begin.name) ==
      item) {
    older = ams_spool_index_set_withheld (self->index, item);
    ams_spool_record_withheld (self, item);
  }
  if (older)
    ams_spool_discard (self, older, AMS_SPOOL_DROPPED);
}

void
ams_spool_rename (AmsSpool *self, guint64 id, const gchar *name)
{
  AmsSpoolItem *item = ams_spool_index_lookup (self->index, id);

  if (!item)
    return;
  ams_spool_index_rename (self->index, item, name);
  g_array_append_val (self->renamed, id);
}

/* It is synced with what it is about. */
static void
add_failed (AmsSpool *self, const gchar *name, AmsFileRole role)
{
  const AmsSpoolRecord *record =
      ams_spool_index_add_failed (self->index, name, role);

  if (record)
    ams_spool_log_add (self->log, record);
}

/* What its end means for others. */
static void
settle_name (AmsSpool *self, AmsSpoolItem *item, AmsSpoolFate fate)
{
  const AmsFileBegin *begin = &item->record.begin;

  if (!ams_spool_item_has_body (item) && fate == AMS_SPOOL_STORED) {
    ams_spool_drop_withheld_before (self, item);
    set_known (self, begin->name, NULL);
  } else if (ams_spool_item_has_body (item) &&
      item->record.kind == AMS_SPOOL_PUT) {
    if (fate == AMS_SPOOL_STORED)
      ams_spool_index_forget_failed (self->index, begin->name);
    else if (fate == AMS_SPOOL_GIVEN_UP)
      add_failed (self, begin->name, begin->role);
  }
}

/* The store has it, but if there is a crash now, only this spool knows that: the
 * playlist that lists it has not been handed over, or would be forgotten. It is as if it
 * were waiting. */
static gboolean
is_unlisted (AmsSpool *self, const AmsSpoolItem *item)
{
  return item->record.kind == AMS_SPOOL_PUT &&
      item->record.begin.role == AMS_FILE_ROLE_SEGMENT &&
      item->record.begin.date_time != 0 &&
      item->record.order > self->listed_order;
}

static void
keep_unlisted (AmsSpool *self, AmsSpoolItem *item)
{
  ams_spool_count_on_disk (self, item, 0);
  if (!item->unlisted)
    g_queue_push_tail (&self->unlisted, item);
  item->unlisted = TRUE;
}

void
ams_spool_settle (AmsSpool *self, guint64 id, AmsBody *body, AmsSpoolFate fate)
{
  AmsSpoolItem *item = ams_spool_index_lookup (self->index, id);

  if (!item || item->state != AMS_SPOOL_ITEM_WAITING)
    return;
  settle_name (self, item, fate);
  if (fate == AMS_SPOOL_GIVEN_UP && ams_spool_item_has_body (item))
    give_up (self, item);
  else if (fate == AMS_SPOOL_STORED && ams_spool_item_is_playlist (item))
    keep_known (self, item);
  else if (fate == AMS_SPOOL_WITHHELD && ams_spool_item_is_playlist (item))
    withhold (self, item);
  else if (fate == AMS_SPOOL_STORED && is_unlisted (self, item))
    keep_unlisted (self, item);
  else
    ams_spool_discard (self, item, fate);
  secure_all (self, NULL);
}

void
ams_spool_add_failed (AmsSpool *self, const gchar *name, AmsFileRole role)
{
  add_failed (self, name, role);
  ams_spool_flush_log (self, TRUE, NULL);
}

AmsBody *
ams_spool_adopt (AmsSpool *self, const gchar *name, guint64 size,
    AmsFileBegin *begin, GError **error)
{
  AmsSpoolItem *item =
      ams_spool_index_get (self->index, AMS_SPOOL_ITEM_PARTIAL, name, error);
  g_autofree gchar *path = NULL;
  AmsBody *body;

  if (!item)
    return NULL;
  if (size > item->record.size) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "There are only %" G_GUINT64_FORMAT " bytes of “%s” in the spool, "
            "not %" G_GUINT64_FORMAT,
            item->record.size, name, size));
    return NULL;
  }
  path = path_of (self, item);
  body = ams_spool_body_new_cut (path, item->record.size, size);
  ams_file_begin_copy (begin, &item->record.begin);
  watch (self, item, body);
  return body;
}

guint64
ams_spool_get_bytes (AmsSpool *self)
{
  return self->bytes;
}

/* Life */

const gchar *
ams_spool_get_notice (AmsSpool *self)
{
  return self->folder->notice;
}

static void
count_waiting (AmsSpool *self)
{
  g_autoptr (GPtrArray) waiting =
      ams_spool_index_list (self->index, AMS_SPOOL_ITEM_WAITING);

  for (guint i = 0; i < waiting->len; i++) {
    AmsSpoolItem *item = g_ptr_array_index (waiting, i);

    if (ams_spool_item_has_body (item) &&
        item->record.place == AMS_SPOOL_PLACE_FILE)
      ams_spool_count_on_disk (self, item, item->record.size);
  }
}

static void
keep_unnamed (AmsSpool *self)
{
  g_autoptr (GPtrArray) unnamed =
      ams_spool_index_list (self->index, AMS_SPOOL_ITEM_UNNAMED);

  for (guint i = 0; i < unnamed->len; i++)
    g_queue_push_tail (&self->unnamed, g_ptr_array_index (unnamed, i));
}

/* Whatever the disk says: it will not do so while the element runs. */
static GError *
harden (GError *error)
{
  if (ams_store_error_get_failure (error) != AMS_FAILURE_FULL)
    error->code = AMS_FAILURE_PERMANENT;
  return error;
}

AmsSpool *
ams_spool_open (const gchar *folder, const gchar *destination, GError **error)
{
  g_autoptr (AmsSpoolFolder) opened = NULL;
  g_autoptr (AmsSpoolLog) log = NULL;
  g_autoptr (AmsSpoolIndex) index = ams_spool_index_new ();
  GError *local = NULL;
  AmsSpool *self;

  opened = ams_spool_folder_open (folder, destination, &local);
  if (opened)
    log = ams_spool_resume (opened, index, &local);
  if (!log) {
    g_propagate_error (error, harden (local));
    return NULL;
  }
  self = g_new0 (AmsSpool, 1);
  self->folder = g_steal_pointer (&opened);
  self->log = g_steal_pointer (&log);
  self->index = g_steal_pointer (&index);
  self->trash = g_array_new (FALSE, FALSE, sizeof (AmsSpoolTrash));
  self->renamed = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->playlist_order = ams_spool_index_get_playlist_order (self->index);
  self->listed_order = self->playlist_order;
  self->compact_size = AMS_SPOOL_COMPACT_SIZE;
  count_waiting (self);
  keep_unnamed (self);
  return self;
}

/* What waits for its link is written out if there is none now. */
static void
end_waiting (AmsSpool *self)
{
  g_autoptr (GError) error = NULL;

  for (GList *l = self->unsafe.head; l; l = l->next)
    ((AmsSpoolItem *) l->data)->handed_at = G_MININT64 / 2;
  for (GList *l = self->awaited.head; l; l = l->next)
    ((AmsSpoolItem *) l->data)->handed_at = G_MININT64 / 2;
  g_clear_error (&self->error);
  if (!ams_spool_flush (self, &error))
    GST_WARNING ("what is left in memory is lost: %s", error->message);
}

static void
unwatch_all (AmsSpool *self)
{
  g_autoptr (GPtrArray) open =
      ams_spool_index_list (self->index, AMS_SPOOL_ITEM_OPEN);

  for (guint i = 0; i < open->len; i++)
    unwatch (g_ptr_array_index (open, i));
}

void
ams_spool_close (AmsSpool *self)
{
  end_waiting (self);
  unwatch_all (self);
  g_queue_clear (&self->unsafe);
  g_queue_clear (&self->awaited);
  g_queue_clear (&self->unlisted);
  g_queue_clear (&self->unnamed);
  g_clear_error (&self->error);
  g_array_unref (self->trash);
  g_array_unref (self->renamed);
  g_free (self->suffix);
  ams_spool_index_free (self->index);
  ams_spool_log_close (self->log);
  ams_spool_folder_close (self->folder);
  g_free (self);
}
