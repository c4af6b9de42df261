/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "task.h"

#include "listing.h"
#include "names.h"

#include <unistd.h>

/* A day of one-second segments has less. */
#define MAX_PLAYLIST (16 * 1024 * 1024)

/* Of a playlist that is read at a time. */
#define BLOCK (64 * 1024)

static void
remove_body (HlsUploadTask *task)
{
  if (task->path)
    unlink (task->path);
  g_clear_pointer (&task->path, g_free);
  g_clear_object (&task->body);
}

void
hls_upload_task_free (HlsUploadTask *task)
{
  remove_body (task);
  hls_upload_job_free (task->job);
  g_free (task->content_type);
  g_free (task);
}

/* What playlists name */

struct _HlsUploadReader
{
  HlsUploadTask *task;
  HlsUploadOrder *order;
  HlsUploadListing *listing;
  gchar *block;
  guint64 at; /* so many bytes are read */
};

static gboolean
on_named (const gchar *name, gpointer user_data)
{
  HlsUploadReader *self = user_data;

  return hls_upload_order_name (self->order, self->task->job, name);
}

HlsUploadReader *
hls_upload_reader_new (HlsUploadTask *task, HlsUploadOrder *order)
{
  HlsUploadReader *self = g_new0 (HlsUploadReader, 1);

  self->task = task;
  self->order = order;
  self->listing = hls_upload_listing_new (task->job->name, on_named, self);
  self->block = g_malloc (BLOCK);
  return self;
}

void
hls_upload_reader_free (HlsUploadReader *self)
{
  hls_upload_listing_free (self->listing);
  g_free (self->block);
  g_free (self);
}

static gboolean
check_size (HlsUploadReader *self, GError **error)
{
  if (ams_body_get_size (self->task->body) <= MAX_PLAYLIST)
    return TRUE;
  g_set_error (error, HLS_UPLOAD_ERROR, 413,
      "The playlist has more than %d bytes.", MAX_PLAYLIST);
  return FALSE;
}

static void
end_reading (HlsUploadReader *self, GError **error)
{
  HlsUploadJob *job = self->task->job;

  hls_upload_listing_end (self->listing);
  if (job->failed)
    g_set_error (error, HLS_UPLOAD_ERROR, 503, HLS_UPLOAD_NAMES_FAILED,
        job->failed);
}

gboolean
hls_upload_reader_read (HlsUploadReader *self, GError **error)
{
  HlsUploadTask *task = self->task;
  gssize n;

  if (!task->body || task->job->role != AMS_FILE_ROLE_PLAYLIST ||
      !check_size (self, error))
    return FALSE;
  n = ams_body_read (task->body, self->at, (guint8 *) self->block, BLOCK,
      error);
  if (n == 0)
    end_reading (self, error);
  if (n <= 0 || !hls_upload_listing_read (self->listing, self->block, n, error))
    return FALSE;
  self->at += n;
  return TRUE;
}

gboolean
hls_upload_task_name_files (HlsUploadTask *task, HlsUploadOrder *order,
    GError **error)
{
  HlsUploadReader *reader = hls_upload_reader_new (task, order);
  GError *local = NULL;

  while (hls_upload_reader_read (reader, &local))
    continue;
  hls_upload_reader_free (reader);
  if (local)
    g_propagate_error (error, local);
  return local == NULL;
}

/* In the spool */

/* As final versions playlists are synced, too: who sent them is told that they are safe. */
AmsFileBegin
hls_upload_task_to_begin (HlsUploadTask *task)
{
  return (AmsFileBegin){ .name = task->job->name,
    .role = task->job->role,
    .content_type = task->content_type,
    .final = TRUE };
}

gboolean
hls_upload_task_keep (HlsUploadTask *task, AmsSpool *spool, GError **error)
{
  AmsFileBegin begin = hls_upload_task_to_begin (task);
  gboolean kept;

  if (task->job->kind == HLS_UPLOAD_REMOVE)
    kept = ams_spool_add_remove (spool, task->job->name, 0, &task->id, error);
  else
    kept = ams_spool_commit (spool, task->body, &begin, &task->id, error);
  if (kept && ams_spool_flush (spool, error))
    return TRUE;
  ams_spool_settle (spool, task->id, task->body, AMS_SPOOL_DROPPED);
  task->id = 0;
  return FALSE;
}

/* A whole body leaves the spool by way of it only. */
void
hls_upload_task_discard (HlsUploadTask *task, AmsSpool *spool)
{
  AmsFileBegin begin = hls_upload_task_to_begin (task);
  guint64 id;

  if (!task->body)
    return;
  ams_spool_commit (spool, task->body, &begin, &id, NULL);
  ams_spool_settle (spool, id, task->body, AMS_SPOOL_DROPPED);
}

void
hls_upload_task_drop_body (HlsUploadTask *task, AmsSpool *spool)
{
  if (task->id)
    ams_spool_settle (spool, task->id, task->body, AMS_SPOOL_DROPPED);
  task->id = 0;
  remove_body (task);
}
