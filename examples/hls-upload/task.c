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

typedef struct
{
  HlsUploadOrder *order;
  HlsUploadJob *job;
} Naming;

static gboolean
on_named (const gchar *name, gpointer user_data)
{
  Naming *naming = user_data;

  return hls_upload_order_name (naming->order, naming->job, name);
}

static gboolean
read_listing (AmsBody *body, HlsUploadListing *listing, GError **error)
{
  g_autofree gchar *block = g_malloc (BLOCK);
  guint64 at = 0;
  gssize n;

  while ((n = ams_body_read (body, at, (guint8 *) block, BLOCK, error)) > 0) {
    if (!hls_upload_listing_read (listing, block, n, error))
      return FALSE;
    at += n;
  }
  hls_upload_listing_end (listing);
  return n == 0;
}

gboolean
hls_upload_task_name_files (HlsUploadTask *task, HlsUploadOrder *order,
    GError **error)
{
  Naming naming = { order, task->job };
  g_autoptr (HlsUploadListing) listing = NULL;

  if (!task->body || task->job->role != AMS_FILE_ROLE_PLAYLIST)
    return TRUE;
  if (ams_body_get_size (task->body) > MAX_PLAYLIST) {
    g_set_error (error, HLS_UPLOAD_ERROR, 413,
        "The playlist has more than %d bytes.", MAX_PLAYLIST);
    return FALSE;
  }
  listing = hls_upload_listing_new (task->job->name, on_named, &naming);
  if (!read_listing (task->body, listing, error))
    return FALSE;
  if (!task->job->failed)
    return TRUE;
  g_set_error (error, HLS_UPLOAD_ERROR, 503, HLS_UPLOAD_NAMES_FAILED,
      task->job->failed);
  return FALSE;
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
