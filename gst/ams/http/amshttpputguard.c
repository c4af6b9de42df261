/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpputjob.h"

#include "http/amshttpguard.h"

#include <string.h>

typedef AmsHttpPutJob Job;

void
ams_http_put_add_condition (Job *job)
{
  const gchar *name;
  gchar *value =
      ams_list_condition_dup_header (&job->condition, job->place->guard, &name);

  if (!value)
    return;
  g_ptr_array_add (job->headers, g_strdup (name));
  g_ptr_array_add (job->headers, value);
}

gboolean
ams_http_put_names_condition (const AmsHttpReply *reply)
{
  gsize size;
  const gchar *data =
      reply->body ? g_bytes_get_data (reply->body, &size) : NULL;
  g_autofree gchar *text = data ? g_strndup (data, size) : NULL;

  return text &&
      (strcasestr (text, "if-none-match") || strcasestr (text, "if-match"));
}

/* What is there is looked at where no condition will do. */

static void
on_looked_at_list (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  AmsListVerdict verdict;
  g_autofree gchar *etag = NULL;
  GError *error = NULL;

  if (!ams_http_guard_look_finish (result, &verdict, &etag, &error)) {
    g_task_return_error (task, error);
    return;
  }
  job->found_same = !ams_list_condition_take_look (&job->condition,
      job->place->guard, verdict, etag, TRUE);
  if (job->found_same)
    ams_http_put_finish_stored (task);
  else
    ams_http_put_send (task);
}

static GError *
unsteady_error (const Job *job)
{
  g_autofree gchar *url =
      ams_http_url_to_display (job->place->options.url, job->put->name);

  return ams_store_error_new (AMS_FAILURE_TRANSIENT, 412, 0,
      "“%s” changes while it is put", url);
}

static void
go_on (GTask *task, AmsListNext next)
{
  Job *job = g_task_get_task_data (task);

  if (next == AMS_LIST_NEXT_PUT)
    ams_http_put_send (task);
  else if (next == AMS_LIST_NEXT_LOOK)
    ams_http_guard_look_async (job->place, job->put->name, job->sent,
        job->plain, g_task_get_cancellable (task), on_looked_at_list,
        g_object_ref (task));
  else
    g_task_return_error (task, unsteady_error (job));
}

void
ams_http_put_guarded (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  go_on (task,
      ams_list_condition_begin (&job->condition, job->place->guard,
          job->put->name, FALSE));
}

/* A list that was removed meanwhile does not match, either: 412, or 404 in S3's way. */
static gboolean
is_condition_false (const Job *job, guint status)
{
  return status == 412 ||
      (status == 404 && g_strcmp0 (job->condition.etag, "*") != 0 &&
          !job->place->options.create_collections);
}

/* The PUT without a condition tells whether it was that. */
static gboolean
refuses_guard (const Job *job, const AmsHttpReply *reply)
{
  return reply->status == 501 ||
      (reply->status == 400 &&
          (ams_http_put_names_condition (reply) || job->condition.probes));
}

gboolean
ams_http_put_take_guarded (GTask *task, const AmsHttpReply *reply)
{
  Job *job = g_task_get_task_data (task);
  AmsListGuard *guard = job->place->guard;

  if (!ams_list_condition_is_set (&job->condition))
    return FALSE;
  if (ams_http_status_is_success (AMS_HTTP_PUT, reply->status)) {
    ams_list_condition_take_success (&job->condition, guard);
    return FALSE;
  }
  if (is_condition_false (job, reply->status)) {
    go_on (task, ams_list_condition_take_false (&job->condition, guard));
    return TRUE;
  }
  if (!refuses_guard (job, reply))
    return FALSE;
  ams_list_condition_drop (&job->condition, guard);
  ams_http_put_send (task);
  return TRUE;
}
