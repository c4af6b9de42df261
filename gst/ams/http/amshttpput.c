/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* gzip, digest → (is it there already?) → PUT → (folders → PUT) → (is ours there?) →
 * (has an earlier one come after it?) → verify. Each step is an async call whose callback begins the next. */

#include "config.h"

#include "http/amshttpput.h"

#include "http/amsbodysum.h"
#include "http/amsbodyzip.h"
#include "http/amshttperror.h"
#include "http/amshttpfolders.h"
#include "http/amshttpguard.h"
#include "http/amshttpputjob.h"
#include "http/amshttpunsure.h"
#include "http/amshttpverify.h"
#include "http/amsputrules.h"

#include <gst/gst.h>
#include <string.h>

/* So often is it tried to find out whether names are in use already. */
#define MAX_FAILED_LOOKS 3

GST_DEBUG_CATEGORY_EXTERN (ams_http_store_debug);
#define GST_CAT_DEFAULT ams_http_store_debug

typedef AmsHttpPutJob Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_clear_object (&job->sent);
  g_free (job->digest);
  ams_list_condition_clear (&job->condition);
  g_free (job->etag);
  g_clear_pointer (&job->headers, g_ptr_array_unref);
  ams_http_request_clear (&job->request);
  g_clear_error (&job->folder_error);
  g_free (job);
}

static gchar *
display (Job *job)
{
  return ams_http_url_to_display (job->place->options.url, job->put->name);
}

/* The ends */

void
ams_http_put_finish_stored (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  AmsHttpPlace *place = job->place;

  ams_put_note_own (job->put, place->options.overwrite, place->own);
  ams_http_unsure_forget (place, job->put->name);
  if (job->is_guarded && !job->found_same)
    ams_list_guard_note_stored (place->guard, job->put->name, job->sent,
        job->plain, job->etag);
  if (place->options.create_collections)
    ams_http_folders_remember (place, job->put->name);
  g_task_return_boolean (task, TRUE);
}

/* The file of another recorder, or one that merely has the name? */
static void
on_suspected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *url = display (job);

  if (ams_http_guard_suspect_finish (result))
    g_task_return_error (task, ams_list_guard_error (url));
  else
    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_EXISTS, 412, 0,
            "“%s” is another file already, which was not overwritten: choose other names, or set overwrite=always",
            url));
}

static void
finish_exists (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  ams_http_guard_suspect_async (job->place, g_task_get_cancellable (task),
      on_suspected, g_object_ref (task));
}

/* Whether the file is ours cannot be told: that may change. */
static void
finish_unknown (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *url = display (job);

  if (error->domain != AMS_STORE_ERROR || error->code == AMS_FAILURE_LOST) {
    g_task_return_error (task, error);
    return;
  }
  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_TRANSIENT,
          ams_store_error_get_http_status (error),
          ams_store_error_get_retry_after (error),
          "“%s” may be there already, and could not be compared: %s", url,
          error->message));
  g_error_free (error);
}

static void
finish_refused (GTask *task, const AmsHttpReply *reply)
{
  Job *job = g_task_get_task_data (task);
  GError *error =
      ams_http_place_error (job->place, AMS_HTTP_PUT, job->put->name, reply);

  if (job->folder_error) {
    g_autofree gchar *message = error->message;

    error->message =
        g_strdup_printf ("%s (%s)", message, job->folder_error->message);
  }
  g_task_return_error (task, error);
}

/* After a PUT that the server took */

static void
on_verified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (ams_http_verify_finish (result, &error))
    ams_http_put_finish_stored (task);
  else
    g_task_return_error (task, error);
}

static void
verify_or_finish (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  if (job->place->options.verify == AMS_HTTP_VERIFY_NONE)
    ams_http_put_finish_stored (task);
  else
    ams_http_verify_async (job->place, job->put->name, job->sent, job->plain,
        job->status, job->etag, g_task_get_cancellable (task), on_verified,
        g_object_ref (task));
}

static void
finish_overtaken (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *url = display (job);

  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
          "“%s” was stored, but holds an earlier version again, whose answer had not come",
          url));
}

/* Where it cannot be read, the server's word counts. */
static void
on_looked_back (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  switch (ams_http_compare_finish (result, &error)) {
    case AMS_HTTP_COMPARE_SAME:
      ams_http_put_finish_stored (task);
      break;
    case AMS_HTTP_COMPARE_FAILED:
      verify_or_finish (task);
      break;
    default:
      finish_overtaken (task);
  }
}

/* A server may go on with a request whose client has left, and store an earlier version
 * after this one. Once, as there are servers that change what they are given. */
static void
look_back (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  AmsHttpPlace *place = job->place;

  ams_put_note_own (job->put, place->options.overwrite, place->own);
  ams_http_unsure_forget (place, job->put->name);
  ams_http_compare_async (place, job->put->name, job->sent, job->plain, FALSE,
      g_task_get_cancellable (task), on_looked_back, g_object_ref (task));
}

static void
say_accepted (AmsHttpPlace *place)
{
  if (!place->said_accepted)
    GST_WARNING ("%s",
        "the server answers 202: it has taken files, but does not say that they are stored; verify=size would look");
  place->said_accepted = TRUE;
}

static void
take_success (GTask *task, const AmsHttpReply *reply)
{
  Job *job = g_task_get_task_data (task);

  if (reply->status == 202)
    say_accepted (job->place);
  if (job->refused_condition && !job->place->asks_first) {
    job->place->asks_first = TRUE;
    GST_WARNING ("%s",
        "the server does not take If-None-Match: before each file is put, it is asked whether there is one");
  }
  job->status = reply->status;
  job->etag = g_strdup (soup_message_headers_get_one (reply->headers, "ETag"));
  if (ams_http_unsure_has_other (job->place, job->put->name, job->sent,
          job->plain))
    look_back (task);
  else
    verify_or_finish (task);
}

/* What is there already: a PUT whose answer was lost, an earlier version, or another's? */

static void
replace_own (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  ams_put_note_own (job->put, job->place->options.overwrite, job->place->own);
  job->is_protected = FALSE;
  ams_http_put_send (task);
}

/* FALSE: it could not be told, and @task goes on. */
static gboolean
take_comparison (GTask *task, AmsHttpCompare comparison)
{
  switch (comparison) {
    case AMS_HTTP_COMPARE_SAME:
      ams_http_put_finish_stored (task);
      return TRUE;
    case AMS_HTTP_COMPARE_DIFFERENT:
      finish_exists (task);
      return TRUE;
    case AMS_HTTP_COMPARE_EARLIER:
      replace_own (task);
      return TRUE;
    default:
      return FALSE;
  }
}

/* After 412 */
static void
on_compared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (!take_comparison (task, ams_http_compare_finish (result, &error)))
    finish_unknown (task, error);
}

static void
compare (GTask *task, GAsyncReadyCallback callback)
{
  Job *job = g_task_get_task_data (task);

  ams_http_compare_async (job->place, job->put->name, job->sent, job->plain,
      ams_put_is_list (job->put->role), g_task_get_cancellable (task), callback,
      g_object_ref (task));
}

/* What else a server may answer */

/* 501 may be about PUT itself as well: the PUT without the header tells. */
static gboolean
refuses_condition (const Job *job, const AmsHttpReply *reply)
{
  if (!job->is_protected || job->asked)
    return FALSE;
  return reply->status == 501 ||
      (reply->status == 400 && ams_http_put_names_condition (reply));
}

/* nginx says 500; so does whoever has other troubles, when the folder is known. */
static gboolean
lacks_folder (const Job *job, guint status)
{
  if (!job->place->options.create_collections || job->made_folders)
    return FALSE;
  if (status == 500)
    return !ams_http_folders_are_known (job->place, job->put->name);
  return status == 404 || status == 409;
}

/* The PUT */

static void
add_header (Job *job, const gchar *name, gchar *value)
{
  g_ptr_array_add (job->headers, g_strdup (name));
  g_ptr_array_add (job->headers, value);
}

static void
add_digest (Job *job)
{
  g_autofree gchar *base64 = NULL;

  if (!job->digest)
    return;
  base64 = ams_body_sum_to_base64 (job->digest);
  if (job->place->options.digest == AMS_HTTP_DIGEST_MD5)
    add_header (job, "Content-MD5", g_steal_pointer (&base64));
  else
    add_header (job, "Repr-Digest", g_strdup_printf ("sha-256=:%s:", base64));
}

static void
make_headers (Job *job)
{
  const AmsHttpStoreOptions *options = &job->place->options;
  const gchar *type = ams_put_content_type (job->put, options->content_type);
  const gchar *cache = ams_put_cache_control (job->put,
      options->segment_cache_control, options->playlist_cache_control);

  g_clear_pointer (&job->headers, g_ptr_array_unref);
  job->headers = g_ptr_array_new_with_free_func (g_free);
  add_header (job, "Content-Type", g_strdup (type));
  if (cache)
    add_header (job, "Cache-Control", g_strdup (cache));
  if (job->plain)
    add_header (job, "Content-Encoding", g_strdup ("gzip"));
  add_digest (job);
  if (job->is_protected && !job->asked)
    add_header (job, "If-None-Match", g_strdup ("*"));
  ams_http_put_add_condition (job);
  g_ptr_array_add (job->headers, NULL);
}

static void
make_request (Job *job)
{
  AmsHttpPlace *place = job->place;
  const gchar *name = job->put->name;

  make_headers (job);
  ams_http_request_clear (&job->request);
  job->request = (AmsHttpRequest){ .method = "PUT",
    .uri = ams_http_url_to_uri (place->options.url, name),
    .headers = (const gchar *const *) job->headers->pdata,
    .body = job->sent,
    .fresh_connection = job->put->attempts > 1,
    .expect = g_hash_table_contains (place->cut_off, name),
    .with_length = place->with_length };
}

static void
on_folders_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;

  job->made_folders = TRUE;
  if (ams_http_make_folders_finish (result, &job->folder_error, &error))
    ams_http_put_send (task);
  else
    g_task_return_error (task, error);
}

/* Is there a file already? GET and not HEAD: if there is, what it is matters. */
static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;

  if (take_comparison (task, ams_http_compare_finish (result, &error)))
    return;
  if (!g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT)) {
    finish_unknown (task, error);
    return;
  }
  g_error_free (error);
  job->asked = TRUE;
  ams_http_put_send (task);
}

static void
take_reply (GTask *task, const AmsHttpReply *reply)
{
  Job *job = g_task_get_task_data (task);

  if (ams_http_put_take_guarded (task, reply))
    return;
  if (ams_http_status_is_success (AMS_HTTP_PUT, reply->status))
    take_success (task, reply);
  else if (reply->status == 412 && job->is_protected)
    compare (task, on_compared);
  else if (refuses_condition (job, reply)) {
    job->refused_condition = TRUE;
    compare (task, on_asked);
  } else if (reply->status == 411 && !job->place->with_length) {
    job->place->with_length = TRUE;
    ams_http_put_send (task);
  } else if (lacks_folder (job, reply->status))
    ams_http_make_folders_async (job->place, job->put->name,
        g_task_get_cancellable (task), on_folders_made, g_object_ref (task));
  else
    finish_refused (task, reply);
}

static void
note_cut_off (Job *job, const GError *error)
{
  if (error && ams_http_error_wants_expect (error))
    g_hash_table_add (job->place->cut_off, g_strdup (job->put->name));
  else
    g_hash_table_remove (job->place->cut_off, job->put->name);
}

/* The request went out whole, and what the server makes of it is not known. */
static gboolean
is_unsure (const AmsHttpReply *reply, const GError *error)
{
  if (reply)
    return reply->status >= 500 && reply->status != 501;
  return ams_http_error_was_sent_whole (error) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
on_put (GObject *client, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsHttpReply) reply =
      ams_http_client_send_finish (AMS_HTTP_CLIENT (client), result, &error);

  note_cut_off (job, error);
  if (is_unsure (reply, error))
    ams_http_unsure_note (job->place, job->put, job->sent, job->plain);
  if (reply)
    take_reply (task, reply);
  else
    g_task_return_error (task, error);
}

void
ams_http_put_send (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  make_request (job);
  if (job->is_guarded)
    ams_list_guard_note_sent (job->place->guard, job->put->name, job->sent,
        job->plain);
  ams_http_client_send_async (job->place->client, &job->request,
      g_task_get_cancellable (task), on_put, g_object_ref (task));
}

/* Before the PUT */

static gboolean
is_final (const GError *error)
{
  AmsFailure failure = ams_store_error_get_failure (error);

  return failure == AMS_FAILURE_ABSENT || failure == AMS_FAILURE_PERMANENT;
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  AmsHttpPlace *place = ((Job *) g_task_get_task_data (task))->place;
  GError *error = NULL;

  if (take_comparison (task, ams_http_compare_finish (result, &error)))
    return;
  if (error->domain != AMS_STORE_ERROR || error->code == AMS_FAILURE_LOST) {
    g_task_return_error (task, error);
    return;
  }
  if (is_final (error) || ++place->failed_looks >= MAX_FAILED_LOOKS)
    place->found_free = TRUE;
  g_error_free (error);
  ams_http_put_send (task);
}

/* What does not heed If-Match does not heed If-None-Match, either: without a look, the segment
 * of another recorder would be replaced. */
static gboolean
heeds_no_condition (const Job *job)
{
  AmsIfMatch if_match = ams_list_guard_get_if_match (job->place->guard);

  return job->place->options.guard_lists &&
      ams_put_is_made_once (job->put->role) &&
      (if_match == AMS_IF_MATCH_UNKNOWN || if_match == AMS_IF_MATCH_IGNORED);
}

/* Servers that do not heed If-None-Match would replace what an earlier recording has
 * put under the same names. So they are looked at, until one is found to be free. */
static void
ask_or_put (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  if (job->is_protected && job->place->asks_first)
    compare (task, on_asked);
  else if (job->is_protected &&
      (!job->place->found_free || heeds_no_condition (job)))
    compare (task, on_looked);
  else if (job->is_guarded)
    ams_http_put_guarded (task);
  else
    ams_http_put_send (task);
}

static void
on_digest (GObject *body, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;

  job->digest =
      g_strdup (ams_body_sum_finish (AMS_BODY (body), result, &error));
  if (job->digest)
    ask_or_put (task);
  else
    g_task_return_error (task, error);
}

static void
digest_and_go_on (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  AmsHttpDigest digest = job->place->options.digest;

  if (digest == AMS_HTTP_DIGEST_NONE)
    ask_or_put (task);
  else
    ams_body_sum_async (job->sent,
        digest == AMS_HTTP_DIGEST_MD5 ? G_CHECKSUM_MD5 : G_CHECKSUM_SHA256,
        g_task_get_cancellable (task), on_digest, g_object_ref (task));
}

/* gzip */

static void
on_zipped (GObject *body, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  AmsBody *zipped = ams_body_zip_finish (AMS_BODY (body), result, &error);

  if (!zipped) {
    g_task_return_error (task, error);
    return;
  }
  g_set_object (&job->sent, zipped);
  job->plain = job->put->body;
  digest_and_go_on (task);
}

void
ams_http_put_async (AmsHttpPlace *place, AmsStore *store, const AmsPut *put,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  Job *job = g_new0 (Job, 1);

  job->place = place;
  job->put = put;
  job->sent = g_object_ref (put->body);
  job->is_protected =
      ams_put_is_protected (put, place->options.overwrite, place->own);
  job->is_guarded = place->options.guard_lists && !job->is_protected &&
      ams_put_is_guarded (put->role) &&
      place->options.overwrite != AMS_OVERWRITE_ALWAYS;
  g_task_set_task_data (task, job, job_free);
  /* What is stored is stored, also when it was cancelled meanwhile. */
  g_task_set_check_cancellable (task, FALSE);
  if (place->options.gzip_playlists && ams_put_is_list (put->role))
    ams_body_zip_async (put->body, cancellable, on_zipped, g_object_ref (task));
  else
    digest_and_go_on (task);
}

gboolean
ams_http_put_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
