/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3putjob.h"

#include "s3/amss3check.h"
#include "s3/amss3guard.h"
#include "s3/amss3headers.h"

typedef AmsS3PutJob Job;

void
ams_s3_put_add_condition (Job *job)
{
  const gchar *name;
  g_autofree gchar *value =
      ams_list_condition_dup_header (&job->condition, job->place->guard, &name);

  ams_s3_headers_add (job->headers, name, value);
}

/* What is there is looked at where no condition will do. */

static void
on_looked_at_list (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  AmsListVerdict verdict;
  g_autofree gchar *etag = NULL;
  GError *error = NULL;

  if (!ams_s3_guard_look_finish (result, &verdict, &etag, &error)) {
    g_task_return_error (task, error);
    return;
  }
  job->found_same = !ams_list_condition_take_look (&job->condition,
      job->place->guard, verdict, etag, !job->in_parts);
  if (job->found_same)
    ams_s3_put_finish_stored (task);
  else
    ams_s3_put_send (task);
}

static GError *
unsteady_error (const Job *job)
{
  g_autofree gchar *shown = ams_s3_place_display (job->place, job->key);

  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 412, 0,
      "“%s” changes while it is put", shown);
}

static void
go_on (GTask *task, AmsListNext next)
{
  Job *job = g_task_get_task_data (task);

  if (next == AMS_LIST_NEXT_PUT)
    ams_s3_put_send (task);
  else if (next == AMS_LIST_NEXT_LOOK)
    ams_s3_guard_look_async (job->place, job->key, job->sent, job->plain,
        g_task_get_cancellable (task), on_looked_at_list, g_object_ref (task));
  else
    g_task_return_error (task, unsteady_error (job));
}

/* The end of an upload of parts has no condition here. */
void
ams_s3_put_guarded (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  go_on (task,
      ams_list_condition_begin (&job->condition, job->place->guard, job->key,
          job->in_parts));
}

/* An object that was removed does not match, either: 404. */
static gboolean
is_condition_false (const AmsS3Answer *answer)
{
  return answer->action == AMS_S3_ACTION_CHECK_EXISTING ||
      answer->failure == AMS_FAILURE_ABSENT;
}

gboolean
ams_s3_put_take_guarded (GTask *task, const AmsS3Reply *reply)
{
  Job *job = g_task_get_task_data (task);
  AmsListGuard *guard = job->place->guard;

  if (!ams_list_condition_is_set (&job->condition))
    return FALSE;
  if (!reply->error) {
    ams_list_condition_take_success (&job->condition, guard);
    return FALSE;
  }
  if (is_condition_false (reply->answer)) {
    go_on (task, ams_list_condition_take_false (&job->condition, guard));
    return TRUE;
  }
  if (!ams_s3_refuses_condition (reply->answer))
    return FALSE;
  ams_list_condition_drop (&job->condition, guard);
  ams_s3_put_send (task);
  return TRUE;
}
