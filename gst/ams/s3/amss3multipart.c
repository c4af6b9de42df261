/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* create → for each part: checksums, PUT → complete. What is done is kept with the body. */

#include "config.h"

#include "s3/amss3multipart.h"

#include "s3/amss3check.h"
#include "s3/amss3exchange.h"
#include "s3/amss3headers.h"
#include "s3/amss3sums.h"
#include "transfer/amsslicebody.h"

#include <string.h>

#define MIB (1024 * 1024)
#define MAX_REHASHES 3
/* What a stop may wait for that parts are aborted, in ms. */
#define ABORT_TIMEOUT 1000

guint64
ams_s3_part_size (guint64 size, guint64 wanted)
{
  guint64 least = (size + AMS_S3_MAX_PARTS - 1) / AMS_S3_MAX_PARTS;

  return least <= wanted ? wanted : (least + MIB - 1) / MIB * MIB;
}

/* What is done */

typedef struct
{
  gchar *etag; /* NULL: it is not there yet */
  gchar *checksum; /* nullable */
} Part;

/* Kept with the body. */
typedef struct
{
  GWeakRef store; /* who has begun it */
  AmsS3Uploads *uploads; /* that store's; valid while it lives */
  gchar *key, *upload_id;
  guint64 part_size;
  GArray *parts; /* of Part */
  gboolean completing; /* it may have been completed */
  gboolean doubtful; /* a part was put twice, and its ETag never was its MD5 */
  gboolean ended;
} Upload;

static void
part_clear (gpointer data)
{
  Part *part = data;

  g_free (part->etag);
  g_free (part->checksum);
}

/* A body that goes before its upload is complete leaves it to be aborted. */
static void
upload_free (gpointer data)
{
  Upload *upload = data;
  g_autoptr (GObject) store = g_weak_ref_get (&upload->store);

  if (store && !upload->ended)
    ams_s3_uploads_orphan (upload->uploads, upload->key, upload->upload_id);
  g_weak_ref_clear (&upload->store);
  g_array_unref (upload->parts);
  g_free (upload->key);
  g_free (upload->upload_id);
  g_free (upload);
}

static GQuark
upload_quark (void)
{
  return g_quark_from_static_string ("ams-s3-upload");
}

static Upload *
upload_of (AmsBody *body)
{
  return g_object_get_qdata (G_OBJECT (body), upload_quark ());
}

/* Takes @upload_id. */
static void
upload_begin (AmsS3Place *place, AmsBody *body, const gchar *key,
    gchar *upload_id)
{
  guint64 size = ams_body_get_size (body);
  Upload *upload = g_new0 (Upload, 1);

  g_weak_ref_init (&upload->store, place->store);
  upload->uploads = place->uploads;
  upload->key = g_strdup (key);
  upload->upload_id = upload_id;
  upload->part_size = ams_s3_part_size (size, place->options.part_size);
  upload->parts = g_array_new (FALSE, TRUE, sizeof (Part));
  g_array_set_clear_func (upload->parts, part_clear);
  g_array_set_size (upload->parts,
      (size + upload->part_size - 1) / upload->part_size);
  g_object_set_qdata_full (G_OBJECT (body), upload_quark (), upload,
      upload_free);
  ams_s3_uploads_add (place->uploads, key, upload_id);
}

/* It is gone from the store. */
static void
upload_end (AmsS3Place *place, AmsBody *body)
{
  Upload *upload = upload_of (body);

  upload->ended = TRUE;
  ams_s3_uploads_remove (place->uploads, upload->key, upload->upload_id);
  g_object_set_qdata (G_OBJECT (body), upload_quark (), NULL);
}

void
ams_s3_multipart_drop (AmsS3Place *place, AmsBody *body)
{
  g_object_set_qdata (G_OBJECT (body), upload_quark (), NULL);
}

/* The attempt */

typedef struct
{
  AmsS3Place *place;
  const AmsPut *put;
  const gchar *key;
  AmsBody *body;
  gboolean zipped, conditional;
  guint number; /* of the part under way, from 0 */
  AmsBody *slice; /* (nullable) that part */
  AmsS3Digests digests; /* of the slice, or of bytes */
  GBytes *bytes; /* nullable */
  gchar *number_text;
  const gchar *query[5];
  GPtrArray *headers; /* nullable */
  AmsS3Request request;
  guint rehashes;
  gboolean fresh;
  gboolean restarted;
  GError *error; /* (nullable) that it ends with once aborted */
  GCancellable *stop; /* (nullable) of aborting */
  GSource *timeout; /* nullable */
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_object_unref (job->body);
  g_clear_object (&job->slice);
  g_clear_pointer (&job->bytes, g_bytes_unref);
  g_free (job->number_text);
  g_clear_pointer (&job->headers, g_ptr_array_unref);
  g_clear_error (&job->error);
  g_clear_object (&job->stop);
  g_free (job);
}

static void
new_headers (Job *job)
{
  g_clear_pointer (&job->headers, g_ptr_array_unref);
  job->headers = ams_s3_headers_new (&job->place->options);
}

static void
send_request (GTask *task, GCancellable *cancellable,
    GAsyncReadyCallback callback)
{
  Job *job = g_task_get_task_data (task);

  job->request.key = job->key;
  job->request.query = job->query;
  job->request.headers = ams_s3_headers_peek (job->headers);
  job->request.fresh_connection = job->fresh;
  ams_s3_send_async (job->place, &job->request, cancellable, callback,
      g_object_ref (task));
}

/* Aborting */

static gboolean
on_abort_timeout (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_aborted (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, NULL);

  g_source_destroy (job->timeout);
  g_clear_pointer (&job->timeout, g_source_unref);
  /* Otherwise the body's end or the next start tries it again. */
  if (reply && !reply->error)
    upload_end (job->place, job->body);
  g_task_return_error (task, g_steal_pointer (&job->error));
}

/* Takes @error. Whoever cancelled waits, so not for long. */
static void
abort_and_fail (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);

  job->error = error;
  job->stop = g_cancellable_new ();
  job->timeout = g_timeout_source_new (ABORT_TIMEOUT);
  g_source_set_callback (job->timeout, on_abort_timeout, job->stop, NULL);
  g_source_attach (job->timeout, g_task_get_context (task));
  new_headers (job);
  job->query[0] = "uploadId";
  job->query[1] = upload_of (job->body)->upload_id;
  job->query[2] = NULL;
  job->request =
      (AmsS3Request){ .operation = AMS_S3_UPLOAD_ABORT, .method = "DELETE" };
  send_request (task, job->stop, on_aborted);
}

static gboolean
may_pass (const GError *error)
{
  if (error->domain != AMS_STORE_ERROR)
    return FALSE;
  return error->code == AMS_FAILURE_TRANSIENT ||
      error->code == AMS_FAILURE_THROTTLED || error->code == AMS_FAILURE_FULL;
}

/* Takes @error. */
static void
fail (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);

  if (!upload_of (job->body) || may_pass (error))
    g_task_return_error (task, error);
  else
    abort_and_fail (task, error);
}

static void create (GTask *task);
static void next_part (GTask *task);

/* The parts are gone. TRUE: once more from the beginning. */
static gboolean
restart (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  upload_end (job->place, job->body);
  if (job->restarted)
    return FALSE;
  job->restarted = TRUE;
  create (task);
  return TRUE;
}

/* Completing */

static GBytes *
make_list (Job *job)
{
  const gchar *algorithm =
      ams_s3_checksum_get_algorithm (job->place->options.checksum);
  Upload *upload = upload_of (job->body);
  GString *xml =
      g_string_new ("<CompleteMultipartUpload "
                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");

  for (guint i = 0; i < upload->parts->len; i++) {
    Part *part = &g_array_index (upload->parts, Part, i);
    g_autofree gchar *etag = g_markup_escape_text (part->etag, -1);

    g_string_append_printf (xml,
        "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag>", i + 1, etag);
    if (algorithm && part->checksum)
      g_string_append_printf (xml, "<Checksum%s>%s</Checksum%s>", algorithm,
          part->checksum, algorithm);
    g_string_append (xml, "</Part>");
  }
  g_string_append (xml, "</CompleteMultipartUpload>");
  return g_string_free_to_bytes (xml);
}

/* 200 comes before the work is done, so what it says is in the body. */
static gboolean
is_completed (const AmsS3Reply *reply)
{
  return !reply->error && reply->http->body &&
      ams_s3_xml_has_root (reply->http->body, "CompleteMultipartUploadResult");
}

static GError *
not_completed (Job *job, const AmsS3Reply *reply)
{
  g_autofree gchar *shown = ams_s3_place_display (job->place, job->key);

  return ams_store_error_new (AMS_FAILURE_TRANSIENT, reply->answer->status, 0,
      "“%s” may not be stored: what %s answered to the end of the upload is cut "
      "off",
      shown, job->place->endpoint->host);
}

static void
take_refusal (GTask *task, AmsS3Reply *reply, gboolean again)
{
  Job *job = g_task_get_task_data (task);
  const AmsS3Answer *answer = reply->answer;

  if (job->conditional && ams_s3_refuses_condition (answer)) {
    g_task_return_int (task, AMS_S3_MULTIPART_CONDITION_REFUSED);
  } else if (job->conditional &&
      answer->action == AMS_S3_ACTION_CHECK_EXISTING) {
    g_task_return_int (task, AMS_S3_MULTIPART_THERE_ALREADY);
  } else if (answer->action != AMS_S3_ACTION_RESTART_UPLOAD) {
    fail (task, g_steal_pointer (&reply->error));
  } else if (again) {
    /* An attempt before has completed it, and its answer was lost. */
    upload_end (job->place, job->body);
    g_task_return_int (task, AMS_S3_MULTIPART_THERE_ALREADY);
  } else if (!restart (task)) {
    g_task_return_error (task, g_steal_pointer (&reply->error));
  }
}

static void
on_completed (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  Upload *upload = upload_of (job->body);
  gboolean again = upload->completing, doubtful = upload->doubtful;
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  upload->completing = !reply || reply->answer->failure != AMS_FAILURE_EXISTS;
  if (!reply) {
    fail (task, error);
  } else if (is_completed (reply)) {
    upload_end (job->place, job->body);
    g_task_return_int (task,
        doubtful ? AMS_S3_MULTIPART_DOUBTFUL : AMS_S3_MULTIPART_STORED);
  } else if (reply->error) {
    take_refusal (task, reply, again);
  } else {
    fail (task, not_completed (job, reply));
  }
}

static void
complete (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  g_clear_pointer (&job->bytes, g_bytes_unref);
  job->bytes = make_list (job);
  ams_s3_digest_bytes (AMS_S3_DIGEST_SHA256, job->bytes, &job->digests);
  new_headers (job);
  ams_s3_headers_add (job->headers, "Content-Type", "application/xml");
  if (job->conditional)
    ams_s3_headers_add (job->headers, "If-None-Match", "*");
  job->query[0] = "uploadId";
  job->query[1] = upload_of (job->body)->upload_id;
  job->query[2] = NULL;
  job->request = (AmsS3Request){ .operation = AMS_S3_UPLOAD_COMPLETE,
    .method = "POST",
    .bytes = job->bytes,
    .sha256 = job->digests.sha256 };
  send_request (task, g_task_get_cancellable (task), on_completed);
}

/* Parts */

static void hash_part (GTask *task);

/* Takes @error. */
static void
repeat_part (GTask *task, GError *error)
{
  Job *job = g_task_get_task_data (task);

  if (job->rehashes == MAX_REHASHES) {
    fail (task, error);
    return;
  }
  g_error_free (error);
  job->rehashes++;
  job->fresh = TRUE;
  ams_s3_sums_forget (job->slice);
  hash_part (task);
}

static void
keep_part (GTask *task, const gchar *etag)
{
  Job *job = g_task_get_task_data (task);
  Part *part = &g_array_index (upload_of (job->body)->parts, Part, job->number);

  part->etag = g_strdup (etag);
  part->checksum =
      ams_s3_checksum_dup_value (job->place->options.checksum, &job->digests);
  job->rehashes = 0;
  job->fresh = FALSE;
  next_part (task);
}

static GError *
bad_part (Job *job, AmsFailure failure, const gchar *what)
{
  g_autofree gchar *shown = ams_s3_place_display (job->place, job->key);

  return ams_store_error_new (failure, failure == AMS_FAILURE_LOST ? 0 : 200, 0,
      "“%s” was not stored: %s (part %u)", shown, what, job->number + 1);
}

static void
take_part (GTask *task, const AmsS3Reply *reply)
{
  Job *job = g_task_get_task_data (task);
  Upload *upload = upload_of (job->body);
  const gchar *etag =
      soup_message_headers_get_one (reply->http->headers, "ETag");
  gboolean fits;

  if (!etag || !etag[0]) {
    fail (task,
        bad_part (job, AMS_FAILURE_TRANSIENT,
            "there is no ETag in the answer"));
    return;
  }
  /* A part cannot be read: the whole will be, once it is there. */
  fits = ams_s3_etag_fits (job->place, reply->http->headers, &job->digests);
  if (!fits && job->rehashes > 0)
    upload->doubtful = TRUE;
  if (fits || upload->doubtful)
    keep_part (task, etag);
  else
    repeat_part (task,
        bad_part (job, AMS_FAILURE_TRANSIENT,
            "its ETag is not the MD5 of what was sent"));
}

static void
on_part (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);

  ams_s3_place_note_cut_off (job->place, job->key, error);

  if (!reply)
    fail (task, error);
  else if (!reply->error)
    take_part (task, reply);
  else if (reply->answer->action == AMS_S3_ACTION_REHASH)
    repeat_part (task, g_steal_pointer (&reply->error));
  else if (reply->answer->action != AMS_S3_ACTION_RESTART_UPLOAD)
    fail (task, g_steal_pointer (&reply->error));
  else if (!restart (task))
    g_task_return_error (task, g_steal_pointer (&reply->error));
}

static void
send_part (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  const AmsS3StoreOptions *options = &job->place->options;

  new_headers (job);
  ams_s3_headers_add_checksum (job->headers, options->checksum, &job->digests);
  ams_s3_headers_add_customer_key (job->headers, options);
  g_free (job->number_text);
  job->number_text = g_strdup_printf ("%u", job->number + 1);
  job->query[0] = "partNumber";
  job->query[1] = job->number_text;
  job->query[2] = "uploadId";
  job->query[3] = upload_of (job->body)->upload_id;
  job->query[4] = NULL;
  job->request = (AmsS3Request){ .operation = AMS_S3_UPLOAD_PART,
    .method = "PUT",
    .body = job->slice,
    .sha256 = job->digests.sha256,
    .expect = ams_s3_place_was_cut_off (job->place, job->key) };
  send_request (task, g_task_get_cancellable (task), on_part);
}

static void
on_part_sums (GObject *slice, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  const AmsS3Digests *digests =
      ams_s3_sums_finish (AMS_BODY (slice), result, &error);

  if (!digests) {
    fail (task, error);
    return;
  }
  /* Other bytes than those that did not arrive well. */
  if (job->rehashes > 0 && strcmp (digests->sha256, job->digests.sha256) != 0) {
    fail (task,
        bad_part (job, AMS_FAILURE_LOST, "the file changed while it was sent"));
    return;
  }
  job->digests = *digests;
  send_part (task);
}

static void
hash_part (GTask *task)
{
  Job *job = g_task_get_task_data (task);

  ams_s3_sums_async (job->slice,
      ams_s3_checksum_flags (job->place->options.checksum),
      g_task_get_cancellable (task), on_part_sums, g_object_ref (task));
}

static void
next_part (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  Upload *upload = upload_of (job->body);
  guint64 size = ams_body_get_size (job->body), start;

  for (job->number = 0; job->number < upload->parts->len; job->number++) {
    if (!g_array_index (upload->parts, Part, job->number).etag)
      break;
  }
  if (job->number == upload->parts->len) {
    complete (task);
    return;
  }
  start = job->number * upload->part_size;
  g_clear_object (&job->slice);
  job->slice = ams_slice_body_new (job->body, start,
      MIN (upload->part_size, size - start));
  hash_part (task);
}

/* Beginning */

static void
on_created (GObject *store, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (AmsS3Reply) reply = ams_s3_send_finish (result, &error);
  gchar *upload_id = NULL;

  if (reply && !reply->error && reply->http->body)
    upload_id = ams_s3_parse_upload_id (reply->http->body);
  if (upload_id) {
    upload_begin (job->place, job->body, job->key, upload_id);
    job->fresh = FALSE;
    next_part (task);
  } else if (!reply) {
    g_task_return_error (task, error);
  } else if (reply->error) {
    g_task_return_error (task, g_steal_pointer (&reply->error));
  } else {
    g_autofree gchar *shown = ams_s3_place_display (job->place, job->key);

    g_task_return_error (task,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, reply->answer->status, 0,
            "“%s” was not stored: %s has begun its upload, but not said under "
            "which id",
            shown, job->place->endpoint->host));
  }
}

static void
create (GTask *task)
{
  Job *job = g_task_get_task_data (task);
  const AmsS3StoreOptions *options = &job->place->options;

  new_headers (job);
  ams_s3_headers_add_object (job->headers, options, job->put, job->zipped);
  ams_s3_headers_add_lock (job->headers, options);
  ams_s3_headers_add (job->headers, "x-amz-checksum-algorithm",
      ams_s3_checksum_get_algorithm (options->checksum));
  job->query[0] = "uploads";
  job->query[1] = "";
  job->query[2] = NULL;
  job->request =
      (AmsS3Request){ .operation = AMS_S3_UPLOAD_CREATE, .method = "POST" };
  send_request (task, g_task_get_cancellable (task), on_created);
}

/* Whether what another attempt did is of use to this one. */
static gboolean
can_go_on (Job *job)
{
  Upload *upload = upload_of (job->body);
  g_autoptr (GObject) store = upload ? g_weak_ref_get (&upload->store) : NULL;

  return store == job->place->store && strcmp (upload->key, job->key) == 0;
}

void
ams_s3_multipart_async (AmsS3Place *place, const AmsPut *put, const gchar *key,
    AmsBody *body, gboolean zipped, gboolean conditional,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (place->store, cancellable, callback, user_data);
  Job *job = g_new0 (Job, 1);

  job->place = place;
  job->put = put;
  job->key = key;
  job->body = g_object_ref (body);
  job->zipped = zipped;
  job->conditional = conditional;
  job->fresh = put->attempts > 1;
  g_task_set_task_data (task, job, job_free);
  g_task_set_check_cancellable (task, FALSE);
  if (can_go_on (job)) {
    next_part (task);
  } else {
    ams_s3_multipart_drop (place, body);
    create (task);
  }
}

AmsS3Multipart
ams_s3_multipart_finish (GAsyncResult *result, GError **error)
{
  gssize end = g_task_propagate_int (G_TASK (result), error);

  return end < 0 ? AMS_S3_MULTIPART_FAILED : (AmsS3Multipart) end;
}
