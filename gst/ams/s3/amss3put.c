/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* gzip → (is it there already?) → checksums → PUT, or an upload of parts → (is ours there?) →
 * verify. Each step is an async call whose callback begins the next. */

#include "config.h"

#include "s3/amss3put.h"

#include "http/amsbodyzip.h"
#include "http/amshttpguard.h"
#include "http/amsputrules.h"
#include "s3/amss3check.h"
#include "s3/amss3guard.h"
#include "s3/amss3headers.h"
#include "s3/amss3key.h"
#include "s3/amss3multipart.h"
#include "s3/amss3putjob.h"
#include "s3/amss3sums.h"

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN (ams_s3_store_debug);
#define GST_CAT_DEFAULT ams_s3_store_debug

typedef AmsS3PutJob Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_free (job->key);
  ams_list_condition_clear (&job->condition);
  g_free (job->etag);
  g_clear_object (&job->sent);
  g_clear_pointer (&job->headers, g_ptr_array_unref);
  g_free (job);
}

/* Whether there is nothing there must be found out by asking. */
static gboolean
must_ask (const Job *job)
{
  return job->place->asks_first || job->refused_condition;
}

static gboolean
is_conditional (const Job *job)
{
  return job->is_protected && !must_ask (job);
}

/* The ends */

void
ams_s3_put_finish_stored (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  ams_put_note_own (job->put, job->place->options.overwrite, job->place->own);
  g_hash_table_remove (job->place->spoiled, job->key);
  g_hash_table_remove (job->place->doubted, job->key);
  g_hash_table_remove (job->place->unsure, job->key);
  if (job->is_guarded && !job->found_same)
    ams_list_guard_note_stored (job->place->guard, job->key, job->sent,
        job->plain, job->etag);
  g_task_return_boolean (task, TRUE);
}

/* The object of another recorder, or one that merely has the name? */
static void
on_suspected (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *shown = ams_s3_place_display (job->place, job->key);

  if (ams_s3_guard_suspect_finish (result)) {
    g_task_return_error (task, ams_list_guard_error (shown));
    return;
  }
  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_EXISTS, 412, 0,
          "“%s” is another object already, which was not overwritten: choose "
          "other names, or set overwrite=always",
          shown));
}

static void
finish_exists (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  ams_s3_guard_suspect_async (job->place, g_task_get_cancellable (task),
      on_suspected, g_object_ref (task));
}

/* Whether the object is ours cannot be told. */
static void
finish_unknown (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *shown = NULL;
  AmsFailure failure = ams_store_error_get_failure (error);

  if (error->domain != AMS_STORE_ERROR || failure == AMS_FAILURE_LOST) {
    g_task_return_error (task, error);
    return;
  }
  /* It was there a moment ago. */
  if (failure == AMS_FAILURE_ABSENT)
    failure = AMS_FAILURE_TRANSIENT;
  shown = ams_s3_place_display (job->place, job->key);
  g_task_return_error (task,
      ams_store_error_new (failure, ams_store_error_get_http_status (error),
          ams_store_error_get_retry_after (error),
          "“%s” may be there already, and could not be compared: %s", shown,
          error->message));
  g_error_free (error);
}

/* Of what may be replaced: the next attempt begins anew. */
static void
finish_lost_upload (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *shown = ams_s3_place_display (job->place, job->key);

  g_task_return_error (task,
      ams_store_error_new (AMS_FAILURE_TRANSIENT, 404, 0,
          "“%s” was not stored: its upload of parts was ended by somebody else",
          shown));
}

/* There already: a PUT whose answer was lost, or another's? */

/* An earlier version, of which it was not known whether it is there. */
static gboolean
is_own_version (const Job *job, const gchar *md5)
{
  return md5 &&
      g_strcmp0 (md5, g_hash_table_lookup (job->place->unsure, job->key)) == 0;
}

/* @md5: (nullable) of what is there */
static void
finish_different (GTask *task, const gchar *md5)
{
  Job *job = g_task_get_task_data (task);

  if (!job->is_protected) {
    finish_lost_upload (task);
  } else if (is_own_version (job, md5)) {
    job->is_protected = FALSE;
    ams_s3_put_send (task);
  } else {
    finish_exists (task);
  }
}

static void
on_checked (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *md5 = NULL;
  GError *error = NULL;
  AmsS3Check found = ams_s3_check_finish (result, &md5, &error);

  if (job->in_parts && found != AMS_S3_CHECK_FAILED)
    ams_s3_multipart_drop (job->place, job->sent);
  if (found == AMS_S3_CHECK_SAME)
    ams_s3_put_finish_stored (task);
  else if (found == AMS_S3_CHECK_DIFFERENT)
    finish_different (task, md5);
  else
    finish_unknown (task, error);
}

static void
check (GTask *task, GAsyncReadyCallback callback)
{
  Job *job = g_task_get_task_data (task);

  ams_s3_check_async (job->place, job->key, job->sent, job->plain,
      g_task_get_cancellable (task), callback, g_object_ref (task));
}

/* Before a PUT to a store that does not know If-None-Match, and before an upload of parts: that
 * is much to send in vain, and not every store (Ceph 16) heeds the condition at its end. */
static void
on_asked (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  g_autofree gchar *md5 = NULL;
  GError *error = NULL;
  AmsS3Check found = ams_s3_check_finish (result, &md5, &error);

  if (job->in_parts && found != AMS_S3_CHECK_FAILED)
    ams_s3_multipart_drop (job->place, job->sent);
  if (found == AMS_S3_CHECK_SAME) {
    ams_s3_put_finish_stored (task);
  } else if (found == AMS_S3_CHECK_DIFFERENT) {
    finish_different (task, md5);
  } else if (g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_ABSENT)) {
    g_error_free (error);
    ams_s3_put_send (task);
  } else if (!must_ask (job) &&
      g_error_matches (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT)) {
    /* Who may not list, may not know: the condition will do. */
    g_error_free (error);
    ams_s3_put_send (task);
  } else {
    finish_unknown (task, error);
  }
}

/* After it was taken */

static void
on_verified (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (ams_s3_verify_finish (result, &error))
    ams_s3_put_finish_stored (task);
  else
    g_task_return_error (task, error);
}

/* @etag: (nullable), perhaps @job's own. */
void
ams_s3_put_note_etag (Job *job, const gchar *etag)
{
  gchar *copy = g_strdup (etag);

  g_free (job->etag);
  job->etag = copy;
}

/* @etag: nullable */
void
ams_s3_put_take_stored (GTask *task, const gchar *etag)
{
  Job *job = g_task_get_task_data (task);
  AmsS3Place *place = job->place;

  ams_s3_put_note_etag (job, etag);
  if (job->refused_condition && !place->asks_first) {
    place->asks_first = TRUE;
    GST_WARNING ("%s does not take If-None-Match: before each file is put, it "
                 "is asked whether there is one",
        place->endpoint->host);
  }
  if (place->options.verify == AMS_HTTP_VERIFY_NONE)
    ams_s3_put_finish_stored (task);
  else
    ams_s3_verify_async (place, job->key, job->sent, job->plain, job->etag,
        g_task_get_cancellable (task), on_verified, g_object_ref (task));
}

static void
take_success (GTask *task, const AmsS3Reply *reply)
{
  Job *job = g_task_get_task_data (task);
  const gchar *etag =
      soup_message_headers_get_one (reply->http->headers, "ETag");

  if (ams_s3_etag_fits (job->place, reply->http->headers, &job->digests)) {
    ams_s3_put_take_stored (task, etag);
    return;
  }
  ams_s3_put_note_etag (job, etag);
  job->status = reply->answer->status;
  ams_s3_put_doubt (task);
}

static void
ask_first (GTask *task)
{
  ((Job *) g_task_get_task_data (task))->refused_condition = TRUE;
  check (task, on_asked);
}

static void
take_reply (GTask *task, AmsS3Reply *reply)
{
  Job *job = g_task_get_task_data (task);
  const AmsS3Answer *answer = reply->answer;

  if (ams_s3_put_take_guarded (task, reply))
    return;
  if (!reply->error)
    take_success (task, reply);
  else if (is_conditional (job) && ams_s3_refuses_condition (answer))
    ask_first (task);
  else if (answer->action == AMS_S3_ACTION_CHECK_EXISTING && job->is_protected)
    check (task, on_checked);
  else if (answer->action == AMS_S3_ACTION_REHASH)
    ams_s3_put_rehash (task, g_steal_pointer (&reply->error));
  else
    g_task_return_error (task, g_steal_pointer (&reply->error));
}

/* The PUT */

/* What is made once has no other version. */
static void
note_unsure (Job *job, const AmsS3Reply *reply)
{
  if ((reply && reply->answer->status < 500) || !job->is_protected ||
      job->digests.md5[0] == '\0' || ams_put_is_made_once (job->put->role))
    return;
  g_hash_table_insert (job->place->unsure, g_strdup (job->key),
      g_strdup (job->digests.md5));
}

static void
on_put (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  ams_s3_place_note_cut_off (job->place, job->key, error);
  note_unsure (job, reply);
  if (reply)
    take_reply (task, reply);
  else
    g_task_return_error (task, error);
}

static void
make_headers (Job *job)
{
  const AmsS3StoreOptions *options = &job->place->options;

  g_clear_pointer (&job->headers, g_ptr_array_unref);
  job->headers = ams_s3_headers_new (options);
  ams_s3_headers_add_object (job->headers, options, job->put,
      job->plain != NULL);
  if (job->locked)
    ams_s3_headers_add_lock (job->headers, options);
  ams_s3_headers_add_checksum (job->headers, options->checksum, &job->digests);
  if (is_conditional (job))
    ams_s3_headers_add (job->headers, "If-None-Match", "*");
  ams_s3_put_add_condition (job);
}

static void
send_put (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  make_headers (job);
  if (job->is_guarded)
    ams_list_guard_note_sent (job->place->guard, job->key, job->sent,
        job->plain);
  job->request = (AmsS3Request){ .operation = AMS_S3_PUT,
    .method = "PUT",
    .key = job->key,
    .headers = ams_s3_headers_peek (job->headers),
    .body = job->sent,
    .sha256 = job->digests.sha256,
    .fresh_connection = job->put->attempts > 1 || job->rehashes > 0,
    .expect = ams_s3_place_was_cut_off (job->place, job->key) };
  ams_s3_send_async (job->place, &job->request, g_task_get_cancellable (task),
      on_put, g_object_ref (task));
}

static void
on_sums (GObject *body, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  const AmsS3Digests *digests =
      ams_s3_sums_finish (AMS_BODY (body), result, &error);

  if (!digests) {
    g_task_return_error (task, error);
    return;
  }
  job->digests = *digests;
  send_put (task);
}

/* The upload of parts */

static void
on_parts (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;

  switch (ams_s3_multipart_finish (result, &error)) {
    case AMS_S3_MULTIPART_STORED:
      ams_s3_put_take_stored (task, NULL);
      break;
    case AMS_S3_MULTIPART_DOUBTFUL:
      job->status = 200;
      ams_s3_put_doubt (task);
      break;
    case AMS_S3_MULTIPART_THERE_ALREADY:
      check (task, on_checked);
      break;
    case AMS_S3_MULTIPART_CONDITION_REFUSED:
      ask_first (task);
      break;
    default:
      g_task_return_error (task, error);
  }
}

void
ams_s3_put_send (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  AmsS3DigestFlags flags = ams_s3_checksum_flags (job->place->options.checksum);

  if (job->in_parts)
    ams_s3_multipart_async (job->place, job->put, job->key, job->sent,
        job->plain != NULL, is_conditional (job), cancellable, on_parts,
        g_object_ref (task));
  else
    ams_s3_sums_async (job->sent, flags, cancellable, on_sums,
        g_object_ref (task));
}

static void
begin (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  guint64 threshold = job->place->options.multipart_threshold;

  job->in_parts = threshold > 0 && ams_body_get_size (job->sent) >= threshold;
  if (g_hash_table_contains (job->place->doubted, job->key))
    ams_s3_put_doubt (task);
  else if (job->is_protected && (must_ask (job) || job->in_parts))
    check (task, on_asked);
  else if (job->is_guarded)
    ams_s3_put_guarded (task);
  else
    ams_s3_put_send (task);
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
  begin (task);
}

static Job *
job_new (AmsS3Place *place, const AmsPut *put)
{
  Job *job = g_new0 (Job, 1);

  job->place = place;
  job->put = put;
  job->sent = g_object_ref (put->body);
  return job;
}

void
ams_s3_put_async (AmsS3Place *place, const AmsPut *put, gboolean locked,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Job *job = job_new (place, put);
  GError *error = NULL;

  g_task_set_task_data (task, job, job_free);
  job->locked = locked;
  /* What is stored is stored, also when it was cancelled meanwhile. */
  g_task_set_check_cancellable (task, FALSE);
  job->key = ams_s3_key_new (place->options.prefix, put->name, &error);
  if (!job->key) {
    g_task_return_error (task, error);
    return;
  }
  job->is_protected =
      ams_put_is_protected (put, place->options.overwrite, place->own) &&
      !g_hash_table_contains (place->spoiled, job->key);
  job->is_guarded = place->options.guard_lists && !job->is_protected &&
      ams_put_is_guarded (put->role) &&
      place->options.overwrite != AMS_OVERWRITE_ALWAYS;
  if (place->options.gzip_playlists && ams_put_is_list (put->role))
    ams_body_zip_async (put->body, cancellable, on_zipped, g_object_ref (task));
  else
    begin (task);
}

gboolean
ams_s3_put_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
