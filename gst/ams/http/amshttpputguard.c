/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpputjob.h"

#include "http/amshttpguard.h"

#include <string.h>

/* So often a playlist is looked at in one attempt to put it. */
#define MAX_LOOKS 5

typedef AmsHttpPutJob Job;

static void
add_header (Job *job, const gchar *name, gchar *value)
{
  g_ptr_array_add (job->headers, g_strdup (name));
  g_ptr_array_add (job->headers, value);
}

/* A condition that cannot hold tells whether the server heeds any: one that does not
 * stores what it was to be given next anyway. */
void
ams_http_put_add_condition (Job *job)
{
  if (job->tries_condition)
    add_header (job, "If-Match", g_strdup ("\"amshls\""));
  else if (g_strcmp0 (job->condition, "*") == 0)
    add_header (job, "If-None-Match", g_strdup ("*"));
  else if (job->condition)
    add_header (job, "If-Match",
        ams_list_guard_dup_condition (job->place->guard, job->condition));
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

/* The guard: what is there is looked at where no condition will do. */

static void
on_looked_at_list (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  AmsListGuard *guard = job->place->guard;
  AmsListVerdict verdict;
  g_autofree gchar *etag = NULL;
  GError *error = NULL;

  if (!ams_http_guard_look_finish (result, &verdict, &etag, &error)) {
    g_task_return_error (task, error);
    return;
  }
  ams_list_guard_note_refused (guard, job->condition, etag);
  g_clear_pointer (&job->condition, g_free);
  if (verdict == AMS_LIST_SAME) {
    job->found_same = TRUE;
    ams_http_put_finish_stored (task);
    return;
  }
  job->tries_condition = etag != NULL &&
      ams_list_guard_get_if_match (guard) == AMS_IF_MATCH_UNKNOWN;
  if (ams_list_guard_get_if_match (guard) != AMS_IF_MATCH_IGNORED)
    job->condition =
        verdict == AMS_LIST_FREE ? g_strdup ("*") : g_steal_pointer (&etag);
  ams_http_put_send (task);
}

static void
look_at_list (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  job->looks++;
  ams_http_guard_look_async (job->place, job->put->name, job->sent, job->plain,
      g_task_get_cancellable (task), on_looked_at_list, g_object_ref (task));
}

void
ams_http_put_guarded (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  const gchar *etag =
      ams_list_guard_get_etag (job->place->guard, job->put->name);

  if (!etag) {
    look_at_list (task);
    return;
  }
  job->condition = g_strdup (etag);
  ams_http_put_send (task);
}

/* A list that was removed meanwhile does not match, either: 412, or 404 in S3's way. */
static gboolean
is_condition_false (const Job *job, guint status)
{
  if (!job->condition && !job->tries_condition)
    return FALSE;
  return status == 412 ||
      (status == 404 && g_strcmp0 (job->condition, "*") != 0 &&
          !job->place->options.create_collections);
}

static void
take_false_condition (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  if (job->tries_condition) {
    ams_list_guard_set_if_match (job->place->guard, AMS_IF_MATCH_HEEDED);
    job->tries_condition = FALSE;
    ams_http_put_send (task);
  } else if (job->looks < MAX_LOOKS) {
    look_at_list (task);
  } else {
    g_autofree gchar *url =
        ams_http_url_to_display (job->place->options.url, job->put->name);

    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, 412, 0,
            "“%s” changes while it is put", url));
  }
}

/* The PUT without a condition tells whether it was that. */
static gboolean
refuses_guard (const Job *job, const AmsHttpReply *reply)
{
  return (job->condition || job->tries_condition) &&
      (reply->status == 501 ||
          (reply->status == 400 &&
              (ams_http_put_names_condition (reply) || job->tries_condition)));
}

static void
drop_condition (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  ams_list_guard_set_if_match (job->place->guard, AMS_IF_MATCH_IGNORED);
  g_clear_pointer (&job->condition, g_free);
  job->tries_condition = FALSE;
  ams_http_put_send (task);
}

gboolean
ams_http_put_take_guarded (GTask *task, const AmsHttpReply *reply)
{
  Job *job = g_task_get_task_data (task);

  if (ams_http_status_is_success (AMS_HTTP_PUT, reply->status)) {
    if (job->tries_condition)
      ams_list_guard_set_if_match (job->place->guard, AMS_IF_MATCH_IGNORED);
    return FALSE;
  }
  if (is_condition_false (job, reply->status))
    take_false_condition (task);
  else if (refuses_guard (job, reply))
    drop_condition (task);
  else
    return FALSE;
  return TRUE;
}
