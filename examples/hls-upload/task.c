/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "task.h"

#include "names.h"

#include <unistd.h>

/* A day of one-second segments has less. */
#define MAX_PLAYLIST (16 * 1024 * 1024)

void
hls_upload_task_free (HlsUploadTask *task)
{
  if (task->path)
    unlink (task->path);
  g_clear_object (&task->body);
  hls_upload_job_free (task->job);
  g_free (task->content_type);
  g_free (task->path);
  g_free (task);
}

GPtrArray *
hls_upload_task_read_names (HlsUploadTask *task, GError **error)
{
  guint64 size = ams_body_get_size (task->body);
  g_autofree gchar *text = NULL;
  gssize n;

  if (task->job->role != AMS_FILE_ROLE_PLAYLIST)
    return NULL;
  if (size > MAX_PLAYLIST) {
    g_set_error (error, HLS_UPLOAD_ERROR, 413,
        "The playlist has more than %d bytes.", MAX_PLAYLIST);
    return NULL;
  }
  text = g_malloc0 (size + 1);
  for (guint64 at = 0; at < size; at += n) {
    n = ams_body_read (task->body, at, (guint8 *) text + at, size - at, error);
    if (n <= 0)
      return NULL;
  }
  return hls_upload_names_in (text, task->job->name);
}

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
