/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3putjob.h"

#include "s3/amss3check.h"
#include "s3/amss3headers.h"
#include "s3/amss3sums.h"

#include <string.h>

#define MAX_REHASHES 3

typedef AmsS3PutJob Job;

/* What was sent and what arrived are not the same: is it us? */

static void
on_rehashed (GObject *body, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  const AmsS3Digests *digests =
      ams_s3_sums_finish (AMS_BODY (body), result, &error);
  g_autofree gchar *shown = NULL;

  if (!digests) {
    g_task_return_error (task, error);
    return;
  }
  if (strcmp (digests->sha256, job->digests.sha256) == 0) {
    ams_s3_put_send (task);
    return;
  }
  shown = ams_s3_place_display (job->place, job->key);
  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_LOST, 0, 0,
          "“%s” was not stored: the file changed while it was sent", shown));
}

void
ams_s3_put_rehash (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);
  AmsS3DigestFlags flags = ams_s3_checksum_flags (job->place->options.checksum);

  if (job->rehashes == MAX_REHASHES) {
    g_task_return_error (task, error);
    return;
  }
  job->rehashes++;
  g_error_free (error);
  ams_s3_sums_forget (job->sent);
  ams_s3_sums_async (job->sent, flags, g_task_get_cancellable (task),
      on_rehashed, g_object_ref (task));
}

/* The ETag is not the MD5 of what was sent. */

static void
put_again (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *shown = NULL;
  GError *error;

  /* The doubt is from an attempt before. */
  if (job->status == 0) {
    ams_s3_put_send (task);
    return;
  }
  shown = ams_s3_place_display (job->place, job->key);
  error = ams_store_error_new (AMS_FAILURE_TRANSIENT, job->status, 0,
      "“%s” was not stored as it was sent: its ETag is not the MD5 of the file, "
      "and what is there is not the file; check the network and the disk",
      shown);
  if (job->in_parts)
    g_task_return_error (task, error);
  else
    ams_s3_put_rehash (task, error);
}

/* What cannot be read is not put again: that would go on for ever. */
static void
finish_unreadable (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *shown = NULL;

  g_hash_table_add (job->place->doubted, g_strdup (job->key));
  if (error->domain != AMS_STORE_ERROR) {
    g_task_return_error (task, error);
    return;
  }
  shown = ams_s3_place_display (job->place, job->key);
  g_task_return_error (task,
      ams_store_error_new (ams_store_error_get_failure (error),
          ams_store_error_get_http_status (error),
          ams_store_error_get_retry_after (error),
          "the ETag of “%s” is not the MD5 of what was put, and whether it is "
          "the file could not be read (allow s3:GetObject, or set "
          "checksum=sha256, with which ETags are not compared): %s",
          shown, error->message));
  g_error_free (error);
}

static void
on_doubted_read (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *md5 = NULL;
  GError *error = NULL;
  AmsS3Check found = ams_s3_check_finish (result, &md5, &error);
  gboolean is_gone =
      g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT);

  if (found == AMS_S3_CHECK_SAME) {
    ams_s3_place_distrust_etags (job->place);
    ams_s3_put_take_stored (task, job->etag);
  } else if (found == AMS_S3_CHECK_DIFFERENT || is_gone) {
    g_clear_error (&error);
    g_hash_table_remove (job->place->doubted, job->key);
    put_again (task);
  } else {
    finish_unreadable (task, error);
  }
}

/* What is there now is ours, and may be replaced. */
void
ams_s3_put_doubt (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  g_hash_table_add (job->place->spoiled, g_strdup (job->key));
  job->is_protected = FALSE;
  ams_s3_read_async (job->place, job->key, job->sent, job->plain,
      g_task_get_cancellable (task), on_doubted_read, g_object_ref (task));
}
