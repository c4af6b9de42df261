/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "transfer/amsdeliveryprivate.h"

#include "transfer/amscopybody.h"
#include "transfer/spool/amsspoolapart.h"

GST_DEBUG_CATEGORY_EXTERN (ams_delivery_debug);
#define GST_CAT_DEFAULT ams_delivery_debug

/* µs: so long a file waits for the next one to have what was behind its end. */
#define SURPLUS_TIMEOUT G_TIME_SPAN_SECOND

/* The open files */

static AmsBody *
create_body (AmsDelivery *self, const AmsFileBegin *begin)
{
  if (self->config.spool)
    return ams_spool_create_body (self->config.spool, begin);
  if (begin->by_reference)
    return ams_copy_body_new (begin->local_path);
  return ams_store_create_body (self->store, begin);
}

static void
allow_longer (AmsDelivery *self)
{
  g_autofree gchar *name = g_steal_pointer (&self->lane->longer);
  AmsJob *job = name ? ams_schedule_find_file (self->schedule, name) : NULL;

  if (job)
    ams_schedule_allow (self->schedule, job);
}

/* The next file has what was behind the end of the one before it, where a crash leaves it: that may be cut. */
static void
look_at_surplus (AmsDelivery *self)
{
  const AmsOutgoing *open = self->lane->open;

  if (self->lane->longer && open->begin.role == AMS_FILE_ROLE_SEGMENT &&
      open->held == 0 && ams_body_get_size (open->body) >= self->lane->surplus)
    allow_longer (self);
}

void
ams_delivery_write (AmsDelivery *self, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  gboolean had_held;

  if (!self->lane->open)
    return;
  had_held = self->lane->open->held > 0;
  if (!ams_body_append (self->lane->open->body, bytes, &error))
    ams_delivery_note_failure (self, self->lane->open->begin.name, error);
  else if (had_held && ams_body_drains (self->lane->open->body))
    ams_delivery_note_success (self, self->lane->open->begin.name);
  ams_delivery_count_held (self, self->lane->open);
  look_at_surplus (self);
}

static void
write_carried (AmsDelivery *self)
{
  GBytes *bytes;

  while ((bytes = g_queue_pop_head (&self->lane->carried))) {
    ams_delivery_write (self, bytes);
    g_bytes_unref (bytes);
  }
}

void
ams_delivery_begin (AmsDelivery *self, const AmsFileBegin *begin)
{
  ams_delivery_abandon (self);
  self->lane->open = ams_outgoing_new (begin);
  self->lane->open->body = create_body (self, begin);
  if (ams_outgoing_is_playlist (self->lane->open))
    self->lane->open->lineage =
        ams_lineages_begin (self->lineages, begin->name, begin->extends);
  if (begin->role == AMS_FILE_ROLE_SEGMENT)
    write_carried (self);
}

static AmsOutgoing *
close_open (AmsDelivery *self)
{
  AmsOutgoing *file = g_steal_pointer (&self->lane->open);

  ams_delivery_uncount (self, file);
  ams_body_abandon (file->body);
  ams_faults_forget (self->faults, file->begin.name);
  return file;
}

void
ams_delivery_abandon (AmsDelivery *self)
{
  if (self->lane->open)
    ams_outgoing_free (close_open (self));
}

static void
fail_open (AmsDelivery *self, const GError *error)
{
  AmsOutgoing *file = close_open (self);

  if (self->config.spool)
    ams_spool_add_failed (self->config.spool, file->begin.name,
        file->begin.role);
  ams_schedule_add_failed (self->schedule, file->begin.name, file->begin.role);
  ams_delivery_announce_failed (self, file, error);
  ams_outgoing_free (file);
}

GError *
ams_delivery_new_queue_error (AmsDelivery *self)
{
  return ams_store_error_new (AMS_FAILURE_FULL, 0, 0,
      "More than max-queue-bytes (%" G_GUINT64_FORMAT
      ") wait for the store, so segments are given up",
      self->config.max_queue_bytes);
}

void
ams_delivery_say_queue_fault (AmsDelivery *self, const gchar *name)
{
  if (self->queue_fault)
    return;
  self->queue_fault = ams_delivery_new_queue_error (self);
  ams_delivery_say_warning (self, self->queue_fault, name);
}

void
ams_delivery_cut_open (AmsDelivery *self)
{
  g_autoptr (GError) error = NULL;

  if (!self->lane->open)
    return;
  error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
      "“%s” was cut off by a flush", self->lane->open->begin.name);
  fail_open (self, error);
}

void
ams_delivery_give_up_open (AmsDelivery *self)
{
  g_autoptr (GError) error = ams_delivery_new_queue_error (self);

  if (!self->lane->open)
    return;
  ams_delivery_say_queue_fault (self, self->lane->open->begin.name);
  fail_open (self, error);
}

static void
add_file_at (AmsDelivery *self, AmsOutgoing *file, AmsJobKind kind, guint64 id,
    gint64 not_before)
{
  AmsJob *job = ams_outgoing_to_job (file, kind, id);

  job->not_before = not_before;
  ams_schedule_add (self->schedule, job, g_get_monotonic_time ());
}

static void
add_file (AmsDelivery *self, AmsOutgoing *file, AmsJobKind kind, guint64 id)
{
  add_file_at (self, file, kind, id, 0);
}

/* When @file may be put: a crash must not find it without its end while the next one
 * does not have that yet. That comes at once. */
static gint64
get_time_to_put (AmsDelivery *self, const AmsOutgoing *file)
{
  if (g_strcmp0 (self->lane->longer, file->begin.name) != 0)
    return 0;
  return g_get_monotonic_time () + SURPLUS_TIMEOUT;
}

/* What upstream says is longer than what it sent: bytes are missing. */
static void
fail_short (AmsDelivery *self, guint64 size)
{
  g_autoptr (GError) error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
      "“%s” should have %" G_GUINT64_FORMAT
      " bytes, but only %" G_GUINT64_FORMAT " came",
      self->lane->open->begin.name, size,
      ams_body_get_size (self->lane->open->body));

  ams_delivery_say_warning (self, error, self->lane->open->begin.name);
  fail_open (self, error);
}

/* What no buffers came for. FALSE: there is no such file on the disk. */
static gboolean
refer (AmsDelivery *self, guint64 size, GError **error)
{
  AmsBody *body = self->lane->open->body;

  if (AMS_IS_COPY_BODY (body))
    return ams_copy_body_refer (AMS_COPY_BODY (body), size, error);
  ams_body_set_size (body, size);
  return TRUE;
}

static void
commit (AmsDelivery *self, AmsOutgoing *file, guint64 *id)
{
  g_autoptr (GError) error = NULL;

  if (self->config.spool)
    ams_delivery_check_spool (self,
        ams_spool_commit (self->config.spool, file->body, &file->begin, id,
            &error),
        &error);
}

static void
count_handed (AmsDelivery *self, const AmsOutgoing *file)
{
  if (ams_outgoing_is_playlist (file))
    return;
  self->stats.handed_files++;
  self->stats.handed_bytes += file->size;
}

static void
hand_over (AmsDelivery *self, AmsOutgoing *file)
{
  guint64 id = 0;

  /* It would fill the memory, and never be put. */
  if (self->is_usurped && !self->config.spool) {
    ams_delivery_uncount (self, file);
    ams_outgoing_free (file);
    return;
  }
  if (ams_outgoing_is_playlist (file))
    ams_delivery_heed_names (self, &file->begin);
  commit (self, file, &id);
  ams_delivery_count_held (self, file);
  count_handed (self, file);
  if (ams_outgoing_is_playlist (file))
    ams_lineages_hand_over (self->lineages, file->begin.name, file->size);
  g_hash_table_remove (self->withheld, file->begin.name);
  add_file_at (self, file, AMS_JOB_PUT, id, get_time_to_put (self, file));
}

/* What came behind its end is the beginning of the next one, however that gets it. What is
 * in memory only is lost in a crash in any case. */
static void
note_surplus (AmsDelivery *self, const AmsFileEnd *end)
{
  const AmsOutgoing *file = self->lane->open;
  guint64 came = ams_body_get_size (file->body);

  if (file->begin.role != AMS_FILE_ROLE_SEGMENT)
    return;
  allow_longer (self);
  if (came <= end->size || !(end->carried > 0 || ams_body_drains (file->body)))
    return;
  self->lane->longer = g_strdup (file->begin.name);
  self->lane->surplus = came - end->size;
}

static void
finish_open (AmsDelivery *self, const AmsFileEnd *end)
{
  AmsOutgoing *file;

  note_surplus (self, end);
  file = g_steal_pointer (&self->lane->open);
  file->size = end->size;
  ams_body_finish (file->body, end->size);
  hand_over (self, file);
}

/* The end of the open file is cut off, and begins the next segment. Bytes that
 * did not come or cannot be read are missing there, so that is given up. */
static void
carry (AmsDelivery *self, const AmsFileEnd *end)
{
  const gchar *name = self->lane->open->begin.name;
  guint64 came = ams_body_get_size (self->lane->open->body);
  g_autoptr (GError) error = NULL;

  if (end->size > came || end->carried > came - end->size) {
    GST_WARNING ("%s: not all that is to be carried over has come", name);
    return;
  }
  if (!ams_body_read_blocks (self->lane->open->body, end->size, end->carried,
          &self->lane->carried, &error))
    ams_delivery_say_warning (self, error, name);
}

void
ams_delivery_end (AmsDelivery *self, const AmsFileEnd *end)
{
  g_autoptr (GError) error = NULL;

  if (!self->lane->open)
    return;
  if (end->carried > 0)
    carry (self, end);
  if (!end->complete)
    ams_delivery_abandon (self);
  else if (self->lane->open->begin.by_reference &&
      !refer (self, end->size, &error))
    fail_open (self, error);
  else if (end->size > ams_body_get_size (self->lane->open->body))
    fail_short (self, end->size);
  else
    finish_open (self, end);
}

void
ams_delivery_remove (AmsDelivery *self, const gchar *name, gdouble after)
{
  AmsJob *job;
  g_autoptr (GError) error = NULL;

  if (g_hash_table_contains (self->taken, name)) {
    GST_INFO ("%s is not removed: it is another's", name);
    return;
  }
  job = ams_job_new (AMS_JOB_REMOVE, name, AMS_FILE_ROLE_OTHER);
  /* A century is for ever, and does not overflow. */
  job->after = MIN (after, 3.2e9) * G_TIME_SPAN_SECOND;
  if (self->config.spool)
    ams_delivery_check_spool (self,
        ams_spool_add_remove (self->config.spool, name, job->after, &job->id,
            &error),
        &error);
  ams_schedule_add (self->schedule, job, g_get_monotonic_time ());
}

static void
adopt_in_store (AmsDelivery *self, const gchar *name, const gchar *from,
    guint64 size)
{
  AmsFileBegin begin = { .name = (gchar *) name,
    .role = AMS_FILE_ROLE_SEGMENT };
  AmsOutgoing *file = ams_outgoing_new (&begin);

  file->from = g_strdup (from);
  file->size = size;
  add_file (self, file, AMS_JOB_ADOPT, 0);
}

static void
adopt_in_spool (AmsDelivery *self, const gchar *name, guint64 size)
{
  g_auto (AmsFileBegin) begin = { 0 };
  g_autoptr (GError) error = NULL;
  AmsBody *body =
      ams_spool_adopt (self->config.spool, name, size, &begin, &error);
  AmsOutgoing *file;

  /* Perhaps another store behind the same tee has it. */
  if (!body) {
    GST_INFO ("nothing is adopted: %s", error->message);
    return;
  }
  file = ams_outgoing_new (&begin);
  file->body = body;
  file->size = size;
  hand_over (self, file);
}

void
ams_delivery_adopt (AmsDelivery *self, const gchar *name, const gchar *from,
    guint64 size)
{
  if (!self->config.spool)
    adopt_in_store (self, name, from, size);
  else if (from)
    GST_INFO ("\"%s\" is not in the spool, which has parts only", from);
  else
    adopt_in_spool (self, name, size);
}

/* What is posted to somebody is a file that nobody else sees. */
static void
add_notify (AmsDelivery *self, AmsBody *body, guint64 id)
{
  AmsFileBegin begin = { .name = (gchar *) "notification",
    .role = AMS_FILE_ROLE_OTHER };
  AmsOutgoing *file = ams_outgoing_new (&begin);

  file->body = body;
  file->size = ams_body_get_size (body);
  add_file (self, file, AMS_JOB_NOTIFY, id);
}

void
ams_delivery_notify (AmsDelivery *self, GBytes *text)
{
  g_autoptr (GError) error = NULL;
  AmsBody *body = NULL;
  guint64 id = 0;

  if (self->config.spool) {
    ams_delivery_check_spool (self,
        ams_spool_add_notify (self->config.spool, text, &body, &id, &error),
        &error);
  } else {
    body = ams_memory_body_new ();
    ams_body_append (body, text, NULL);
    ams_body_finish (body, g_bytes_get_size (text));
  }
  add_notify (self, body, id);
}

void
ams_delivery_release (AmsDelivery *self)
{
  self->is_held_back = FALSE;
}

/* What an earlier session left in the spool */

static void
take_up_file (AmsDelivery *self, AmsSpoolEntry *entry)
{
  AmsOutgoing *file = ams_outgoing_new (&entry->begin);

  /* Versions are counted by session: upstream's are others. */
  file->begin.version = 0;
  file->body = g_steal_pointer (&entry->body);
  file->size = ams_body_get_size (file->body);
  if (ams_outgoing_is_playlist (file)) {
    file->lineage = ams_lineages_begin (self->lineages, file->begin.name, 0);
    ams_lineages_hand_over (self->lineages, file->begin.name, file->size);
  }
  ams_delivery_count_held (self, file);
  add_file (self, file, AMS_JOB_PUT, entry->id);
}

/* Its whole time passes again: nobody knows when the playlist that dropped the file got
 * there. */
static void
take_up_remove (AmsDelivery *self, const AmsSpoolEntry *entry)
{
  AmsJob *job =
      ams_job_new (AMS_JOB_REMOVE, entry->begin.name, AMS_FILE_ROLE_OTHER);

  job->after = entry->after;
  job->id = entry->id;
  ams_schedule_add (self->schedule, job, g_get_monotonic_time ());
}

static void
take_up_entry (AmsDelivery *self, AmsSpoolEntry *entry)
{
  switch (entry->kind) {
    case AMS_SPOOL_PUT:
      take_up_file (self, entry);
      break;
    case AMS_SPOOL_REMOVE:
      take_up_remove (self, entry);
      break;
    case AMS_SPOOL_NOTIFY:
      add_notify (self, g_steal_pointer (&entry->body), entry->id);
      break;
  }
}

/* Versions between what the store has and what waits were skipped: what they dropped is
 * not removed before the one that waits is there. */
static void
mark_unsettled (AmsDelivery *self, const AmsSpoolEntry *entry)
{
  if (entry->kind == AMS_SPOOL_PUT &&
      (entry->begin.role == AMS_FILE_ROLE_PLAYLIST ||
          entry->begin.role == AMS_FILE_ROLE_MASTER))
    ams_schedule_add_unsettled (self->schedule, entry->begin.name,
        entry->begin.role);
}

/* Upstream has not heeded them yet, and may have forgotten. */
static void
say_failed_again (AmsDelivery *self, const gchar *name)
{
  AmsFileInfo info = { name, AMS_FILE_ROLE_SEGMENT, 0, 0 };
  g_autoptr (GError) error = ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
      "“%s” was given up earlier, and no playlist says so yet", name);

  GST_WARNING ("%s", error->message);
  ams_schedule_add_failed (self->schedule, name, info.role);
  self->callbacks.failed (&info, error, self->user_data);
}

static void
take_up_failed (AmsDelivery *self)
{
  g_auto (GStrv) unheeded = ams_spool_dup_unheeded (self->config.spool);
  g_auto (GStrv) withheld = ams_spool_dup_withheld (self->config.spool);

  for (guint i = 0; withheld[i]; i++)
    ams_schedule_add_unsettled (self->schedule, withheld[i],
        AMS_FILE_ROLE_PLAYLIST);
  for (guint i = 0; unheeded[i]; i++)
    say_failed_again (self, unheeded[i]);
}

void
ams_delivery_take_up (AmsDelivery *self)
{
  g_autoptr (GPtrArray) entries = ams_spool_take_up (self->config.spool);

  ams_spool_apart (self->config.spool, entries);
  take_up_failed (self);
  if (entries->len > 0)
    GST_INFO ("%u files of an earlier session go on", entries->len);
  for (guint i = 0; i < entries->len; i++)
    mark_unsettled (self, g_ptr_array_index (entries, i));
  for (guint i = 0; i < entries->len; i++)
    take_up_entry (self, g_ptr_array_index (entries, i));
}
