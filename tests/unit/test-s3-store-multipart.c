/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3-store-fixture.h"

#include "s3/amss3multipart.h"
#include "s3/amss3uploads.h"
#include "transfer/amsslicebody.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define MEDIA "0123456789"
#define UPLOAD(id) \
  "<InitiateMultipartUploadResult><UploadId>" id \
  "</UploadId></InitiateMultipartUploadResult>"
#define COMPLETED \
  "<CompleteMultipartUploadResult><ETag>\"x-3\"</ETag>" \
  "</CompleteMultipartUploadResult>"

/* Slices */

static void
test_slice_is_a_range (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) whole = new_body (MEDIA, 10);
  g_autoptr (AmsBody) slice = ams_slice_body_new (whole, 4, 3);
  guint8 buffer[16];

  g_assert_cmpuint (ams_body_get_size (slice), ==, 3);
  g_assert_cmpint (ams_body_read (slice, 0, buffer, 16, NULL), ==, 3);
  g_assert_cmpmem (buffer, 3, "456", 3);
  g_assert_cmpint (ams_body_read (slice, 2, buffer, 16, NULL), ==, 1);
  g_assert_cmpmem (buffer, 1, "6", 1);
  g_assert_cmpint (ams_body_read (slice, 3, buffer, 16, NULL), ==, 0);
  g_assert_cmpuint (ams_body_get_held (slice), ==, 0);
}

static const struct
{
  const gchar *name;
  guint64 size, wanted, part;
} part_sizes[] = {
  { "small", 100, 16 * MIB, 16 * MIB },
  { "most-parts", 160000 * MIB, 16 * MIB, 16 * MIB },
  { "too-many", 160000 * MIB + 1, 16 * MIB, 17 * MIB },
  { "largest", 5 * 1024 * 1024 * MIB, 16 * MIB, 525 * MIB },
};

static void
test_part_grows_with_file (Fixture *f, gconstpointer data)
{
  guint c = ((const gchar *) data - (const gchar *) part_sizes) /
      sizeof part_sizes[0];
  guint64 size = part_sizes[c].size;
  guint64 part = ams_s3_part_size (size, part_sizes[c].wanted);

  g_assert_cmpuint (part, ==, part_sizes[c].part);
  g_assert_cmpuint ((size + part - 1) / part, <=, AMS_S3_MAX_PARTS);
}

/* Uploads: 10 bytes in parts of 4, 4 and 2 */

static void
script_create (Fixture *f, const gchar *answer, guint count)
{
  rule (f,
      &(AmsFaultRule){ .method = "POST",
          .path = "uploads=",
          .count = count,
          .status = 200,
          .body = answer });
}

static void
script_parts (Fixture *f)
{
  rule (f,
      &(AmsFaultRule){ .method = "PUT",
          .path = "partNumber=",
          .status = 200,
          .store = AMS_FAULT_STORE_NOTHING,
          .headers = "ETag: \"part\"" });
}

static void
script_abort (Fixture *f)
{
  rule (f,
      &(AmsFaultRule){ .method = "DELETE",
          .path = "uploadId=",
          .status = 204 });
}

static void
script_complete (Fixture *f, guint count, guint status, const gchar *answer)
{
  rule (f,
      &(AmsFaultRule){ .method = "POST",
          .path = "uploadId=",
          .count = count,
          .status = status,
          .body = answer });
}

static void
script_all (Fixture *f)
{
  script_create (f, UPLOAD ("id/1"), 0);
  script_parts (f);
  script_abort (f);
  script_complete (f, 0, 200, COMPLETED);
}

static void
start_parts (Fixture *f)
{
  f->options.multipart_threshold = 10;
  f->options.part_size = 4;
  start (f);
}

static guint
count_path (Fixture *f, const gchar *method, const gchar *path)
{
  return ams_fault_server_count (f->server, method, path);
}

static void
assert_content (Fixture *f, const gchar *method, const gchar *path, guint n,
    const gchar *expected)
{
  g_autoptr (AmsFaultRequest) request =
      ams_fault_server_dup_request (f->server, method, path, n);

  g_assert_nonnull (request);
  g_assert_cmpmem (g_bytes_get_data (request->content, NULL),
      g_bytes_get_size (request->content), expected, strlen (expected));
}

static void
assert_uploads (const gchar *file, const gchar *expected)
{
  g_autofree gchar *text = NULL;

  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_large_file_is_put_in_parts (Fixture *f, gconstpointer data)
{
  f->options.acl = g_strdup ("private");
  start_parts (f);
  script_all (f);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_content (f, "PUT", "*1.ts?partNumber=1&uploadId=id%2F1", 1, "0123");
  assert_content (f, "PUT", "*1.ts?partNumber=2&uploadId=id%2F1", 1, "4567");
  assert_content (f, "PUT", "*1.ts?partNumber=3&uploadId=id%2F1", 1, "89");
  assert_content (f, "POST", "*1.ts?uploadId=id%2F1", 1,
      "<CompleteMultipartUpload "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Part><PartNumber>1</PartNumber><ETag>&quot;part&quot;</ETag></Part>"
      "<Part><PartNumber>2</PartNumber><ETag>&quot;part&quot;</ETag></Part>"
      "<Part><PartNumber>3</PartNumber><ETag>&quot;part&quot;</ETag></Part>"
      "</CompleteMultipartUpload>");
  assert_header (f, "POST", 1, "Content-Type", "video/mp2t");
  assert_header (f, "POST", 1, "x-amz-acl", "private");
  assert_header (f, "POST", 1, "If-None-Match", NULL);
  assert_header (f, "POST", 2, "If-None-Match", "*");
  assert_header (f, "POST", 2, "x-amz-acl", NULL);
  assert_header (f, "PUT", 1, "x-amz-acl", NULL);
  assert_header (f, "PUT", 1, "Content-MD5", "62L2uTBttXXC1ZaxJ5YnpA==");
  assert_count (f, "HEAD", 1);
  assert_count (f, "DELETE", 0);
}

static void
test_small_file_is_put_at_once (Fixture *f, gconstpointer data)
{
  start_parts (f);
  g_assert_true (put_segment (f, "1.ts", "012345678", NULL));
  assert_count (f, NULL, 1);
}

static void
test_checksums_of_parts_are_told (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsFaultRequest) end = NULL;
  g_autofree gchar *list = NULL;

  f->options.checksum = AMS_S3_CHECKSUM_CRC32;
  start_parts (f);
  script_all (f);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_header (f, "POST", 1, "x-amz-checksum-algorithm", "CRC32");
  assert_header (f, "PUT", 3, "x-amz-checksum-crc32", "CUMmDA==");
  end = ams_fault_server_dup_request (f->server, "POST", "uploadId=", 1);
  list = g_strndup (g_bytes_get_data (end->content, NULL),
      g_bytes_get_size (end->content));
  g_assert_nonnull (
      strstr (list, "<ChecksumCRC32>CUMmDA==</ChecksumCRC32></Part></Comp"));
}

static void
test_what_is_there_is_not_uploaded_over (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_parts (f);
  script_all (f);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, "other", 5);
  g_assert_false (put_segment (f, "1.ts", MEDIA, &error));
  assert_error (error, AMS_FAILURE_EXISTS, 412, "1.ts");
  assert_count (f, "POST", 0);
}

static void
test_who_may_not_look_uploads (Fixture *f, gconstpointer data)
{
  start_parts (f);
  script_all (f);
  rule (f, &(AmsFaultRule){ .method = "HEAD", .status = 403 });
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_header (f, "POST", 2, "If-None-Match", "*");
}

static void
test_412_at_the_end_is_looked_at (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_parts (f);
  rule (f, &(AmsFaultRule){ .method = "HEAD", .count = 1, .status = 404 });
  script_create (f, UPLOAD ("id"), 0);
  script_parts (f);
  script_abort (f);
  script_complete (f, 1, 412, XML ("PreconditionFailed", ""));
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, "other", 5);
  g_assert_false (put_segment (f, "1.ts", MEDIA, &error));
  assert_error (error, AMS_FAILURE_EXISTS, 412, "1.ts");
  /* The parts go with what comes next. */
  g_assert_true (put_segment (f, "2.ts", "x", NULL));
  g_assert_cmpuint (count_path (f, "DELETE", "*1.ts?uploadId=id"), ==, 1);
}

static void
test_unknown_condition_at_the_end_is_left_out (Fixture *f, gconstpointer data)
{
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .method = "POST",
          .header = "If-None-Match",
          .status = 501,
          .body = XML ("NotImplemented", "") });
  script_all (f);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_header (f, "POST", 3, "If-None-Match", NULL);
  /* Nothing was uploaded twice. */
  assert_count (f, "PUT", 3);
  assert_count (f, "HEAD", 2);
}

/* Failing */

static void
test_next_attempt_goes_on (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (MEDIA, 10);
  g_autoptr (GError) error = NULL;

  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=2",
          .count = 1,
          .status = 500,
          .body = XML ("InternalError", "") });
  script_all (f);
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 1, &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, 500, "InternalError");
  g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 2, NULL));
  g_assert_cmpuint (count_path (f, "POST", "uploads="), ==, 1);
  g_assert_cmpuint (count_path (f, "PUT", "partNumber=1"), ==, 1);
  g_assert_cmpuint (count_path (f, "PUT", "partNumber=2"), ==, 2);
  assert_count (f, "DELETE", 0);
}

/* What sends it lets go of it a little later. */
static void
free_body (AmsBody *body)
{
  g_object_add_weak_pointer (G_OBJECT (body), (gpointer *) &body);
  g_object_unref (body);
  while (body)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_body_that_goes_leaves_nothing (Fixture *f, gconstpointer data)
{
  AmsBody *body = new_body (MEDIA, 10);

  start_parts (f);
  rule (f, &(AmsFaultRule){ .path = "partNumber=2", .status = 500 });
  script_all (f);
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 1, NULL));
  assert_count (f, "DELETE", 0);
  free_body (body);
  g_assert_true (put_segment (f, "2.ts", "x", NULL));
  g_assert_cmpuint (count_path (f, "DELETE", "*1.ts?uploadId=id%2F1"), ==, 1);
}

static void
test_refused_part_aborts (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *file = file_in_folder (f, "uploads");

  f->options.uploads_file = g_strdup (file);
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=2",
          .status = 403,
          .body = XML ("AccessDenied", "") });
  script_all (f);
  g_assert_false (put_segment (f, "1.ts", MEDIA, &error));
  assert_error (error, AMS_FAILURE_PERMANENT, 403, "s3:PutObject");
  g_assert_cmpuint (count_path (f, "DELETE", "*1.ts?uploadId=id%2F1"), ==, 1);
  assert_uploads (file, "");
}

static void
test_cancelled_upload_aborts (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (MEDIA, 10);
  AmsPut what = { .name = "1.ts", .role = AMS_FILE_ROLE_SEGMENT, .body = body };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  start_parts (f);
  rule (f, &(AmsFaultRule){ .path = "partNumber=2", .hold = TRUE });
  script_all (f);
  ams_store_put_async (f->store, &what, cancellable, on_done, &result);
  while (count_path (f, "PUT", "partNumber=2") == 0)
    g_main_context_iteration (NULL, FALSE);
  g_cancellable_cancel (cancellable);
  g_assert_false (ams_store_put_finish (f->store, wait_for (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (count_path (f, "DELETE", "uploadId=id%2F1"), ==, 1);
}

static void
test_parts_that_are_gone_are_put_again (Fixture *f, gconstpointer data)
{
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=3",
          .count = 1,
          .status = 404,
          .body = XML ("NoSuchUpload", "") });
  script_create (f, UPLOAD ("old"), 1);
  script_create (f, UPLOAD ("new"), 0);
  script_parts (f);
  script_complete (f, 0, 200, COMPLETED);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  g_assert_cmpuint (count_path (f, "PUT", "uploadId=old"), ==, 3);
  g_assert_cmpuint (count_path (f, "PUT", "uploadId=new"), ==, 3);
}

static void
test_parts_that_go_again_are_said (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=3",
          .status = 404,
          .body = XML ("NoSuchUpload", "") });
  script_all (f);
  g_assert_false (put_segment (f, "1.ts", MEDIA, &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, 404, "ended by somebody else");
  g_assert_cmpuint (count_path (f, "POST", "uploads="), ==, 2);
}

static void
test_damaged_part_is_put_again (Fixture *f, gconstpointer data)
{
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=1",
          .count = 1,
          .status = 400,
          .body = XML ("BadDigest", "") });
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=2",
          .count = 1,
          .status = 200,
          .store = AMS_FAULT_STORE_NOTHING,
          .headers = "ETag: \"00000000000000000000000000000000\"" });
  script_all (f);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_count (f, "PUT", 5);
}

/* The first part is put twice, the whole read once, and later uploads are believed. */
static void
test_parts_with_etags_that_are_no_md5_are_found_out_once (Fixture *f,
    gconstpointer data)
{
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=",
          .status = 200,
          .store = AMS_FAULT_STORE_NOTHING,
          .headers = "ETag: \"00000000000000000000000000000000\"" });
  rule (f,
      &(AmsFaultRule){ .method = "GET",
          .path = ".ts",
          .status = 200,
          .body = MEDIA });
  script_all (f);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_count (f, "PUT", 4);
  assert_count (f, "GET", 1);
  g_assert_true (put_segment (f, "2.ts", MEDIA, NULL));
  assert_count (f, "PUT", 7);
  assert_count (f, "GET", 1);
}

static void
test_parts_that_made_another_object_are_sent_again (Fixture *f,
    gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=",
          .count = 4,
          .status = 200,
          .store = AMS_FAULT_STORE_NOTHING,
          .headers = "ETag: \"00000000000000000000000000000000\"" });
  rule (f,
      &(AmsFaultRule){ .method = "GET",
          .path = ".ts",
          .status = 200,
          .body = "other" });
  script_all (f);
  g_assert_false (put_segment (f, "1.ts", MEDIA, &error));
  assert_error (error, AMS_FAILURE_TRANSIENT, 200, "is not the file");
  assert_count (f, "PUT", 4);
  g_assert_true (put_segment (f, "1.ts", MEDIA, NULL));
  assert_count (f, "PUT", 7);
  assert_count (f, "GET", 1);
}

static const struct
{
  const gchar *name;
  const gchar *answer;
  const gchar *said;
} bad_ends[] = {
  { "error-in-200", XML ("InternalError", ""), "InternalError" },
  { "cut-off", "<CompleteMul", "cut off" },
  { "nothing", NULL, "cut off" },
};

static void
test_bad_end_is_none (Fixture *f, gconstpointer data)
{
  guint c =
      ((const gchar *) data - (const gchar *) bad_ends) / sizeof bad_ends[0];
  g_autoptr (AmsBody) body = new_body (MEDIA, 10);
  g_autoptr (GError) error = NULL;

  start_parts (f);
  script_complete (f, 1, 200, bad_ends[c].answer);
  script_all (f);
  g_assert_false (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 1, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
  g_assert_nonnull (strstr (error->message, bad_ends[c].said));
  /* Only the end comes again. */
  g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 2, NULL));
  assert_count (f, "PUT", 3);
  g_assert_cmpuint (count_path (f, "POST", "uploadId="), ==, 2);
}

/* The end's answer is lost, but it was one. */
static void
lose_end (Fixture *f, AmsBody *body, AmsFileRole role)
{
  rule (f,
      &(AmsFaultRule){ .method = "POST",
          .path = "uploadId=",
          .count = 1,
          .end = AMS_FAULT_RESET });
  script_create (f, UPLOAD ("id"), 0);
  script_parts (f);
  script_abort (f);
  g_assert_false (put_body (f, "1.ts", role, body, 1, NULL));
  script_complete (f, 0, 404, XML ("NoSuchUpload", ""));
}

static void
test_lost_end_is_found (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (MEDIA, 10);

  start_parts (f);
  lose_end (f, body, AMS_FILE_ROLE_SEGMENT);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, MEDIA, 10);
  g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_SEGMENT, body, 2, NULL));
  assert_count (f, "PUT", 3);
}

static void
test_lost_end_of_what_may_be_replaced_is_found (Fixture *f, gconstpointer data)
{
  g_autoptr (AmsBody) body = new_body (MEDIA, 10);

  start_parts (f);
  lose_end (f, body, AMS_FILE_ROLE_PLAYLIST);
  ams_fault_server_put_object (f->server, "/bucket/rec/1.ts", NULL, MEDIA, 10);
  g_assert_true (put_body (f, "1.ts", AMS_FILE_ROLE_PLAYLIST, body, 2, NULL));
  assert_count (f, "PUT", 3);
}

/* A crash */

static void
test_upload_under_way_is_noted (Fixture *f, gconstpointer data)
{
  g_autofree gchar *file = file_in_folder (f, "uploads");
  g_autoptr (AmsBody) body = new_body (MEDIA, 10);

  f->options.uploads_file = g_strdup (file);
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .path = "partNumber=2", .count = 1, .status = 500 });
  script_all (f);
  g_assert_false (put_body (f, "a b.ts", AMS_FILE_ROLE_SEGMENT, body, 1, NULL));
  assert_uploads (file, "bucket rec/a%20b.ts id/1\n");
  g_assert_true (put_body (f, "a b.ts", AMS_FILE_ROLE_SEGMENT, body, 2, NULL));
  assert_uploads (file, "");
}

static void
test_upload_left_over_is_aborted_first (Fixture *f, gconstpointer data)
{
  g_autofree gchar *file = file_in_folder (f, "uploads");
  g_autoptr (AmsFaultRequest) first = NULL;

  g_assert_true (g_file_set_contents (file,
      "other rec/1.ts id\nbucket rec/a%20b.ts i%20d\nbucket rec/2.ts gone\n"
      "garbage\n",
      -1, NULL));
  f->options.uploads_file = g_strdup (file);
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .method = "DELETE",
          .path = "gone",
          .status = 404,
          .body = XML ("NoSuchUpload", "") });
  script_abort (f);
  g_assert_true (put_segment (f, "3.ts", "x", NULL));
  first = ams_fault_server_dup_request (f->server, NULL, NULL, 1);
  g_assert_cmpstr (first->method, ==, "DELETE");
  g_assert_cmpstr (first->path, ==, "/bucket/rec/a%20b.ts?uploadId=i%20d");
  g_assert_cmpuint (count_path (f, "DELETE", "*2.ts?uploadId=gone"), ==, 1);
  assert_count (f, NULL, 3);
  assert_uploads (file, "other rec/1.ts id\n");
  g_assert_true (put_segment (f, "4.ts", "x", NULL));
  assert_count (f, NULL, 4);
}

static void
test_upload_that_cannot_be_aborted_stays_noted (Fixture *f, gconstpointer data)
{
  g_autofree gchar *file = file_in_folder (f, "uploads");

  g_assert_true (g_file_set_contents (file, "bucket rec/1.ts id\n", -1, NULL));
  f->options.uploads_file = g_strdup (file);
  start_parts (f);
  rule (f,
      &(AmsFaultRule){ .method = "DELETE",
          .status = 403,
          .body = XML ("AccessDenied", "") });
  g_assert_true (put_segment (f, "3.ts", "x", NULL));
  g_assert_true (put_segment (f, "4.ts", "x", NULL));
  assert_count (f, "DELETE", 1);
  assert_uploads (file, "bucket rec/1.ts id\n");
}

int
main (int argc, char *argv[])
{
  g_unsetenv ("AWS_REGION");
  g_unsetenv ("AWS_DEFAULT_REGION");
  g_unsetenv ("AWS_PROFILE");
  g_setenv ("AWS_CONFIG_FILE", "/nowhere", TRUE);
  g_setenv ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere", TRUE);
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  ADD ("slice/range", test_slice_is_a_range);
  ADD_TABLE (part_sizes, "part-size", test_part_grows_with_file);
  ADD ("parts/put", test_large_file_is_put_in_parts);
  ADD ("parts/small", test_small_file_is_put_at_once);
  ADD ("parts/checksums", test_checksums_of_parts_are_told);
  ADD ("parts/there", test_what_is_there_is_not_uploaded_over);
  ADD ("parts/may-not-look", test_who_may_not_look_uploads);
  ADD ("parts/412", test_412_at_the_end_is_looked_at);
  ADD ("parts/501", test_unknown_condition_at_the_end_is_left_out);
  ADD ("failing/goes-on", test_next_attempt_goes_on);
  ADD ("failing/body-goes", test_body_that_goes_leaves_nothing);
  ADD ("failing/refused", test_refused_part_aborts);
  ADD ("failing/cancelled", test_cancelled_upload_aborts);
  ADD ("failing/gone", test_parts_that_are_gone_are_put_again);
  ADD ("failing/gone-again", test_parts_that_go_again_are_said);
  ADD ("failing/damaged", test_damaged_part_is_put_again);
  ADD ("failing/other-etags",
      test_parts_with_etags_that_are_no_md5_are_found_out_once);
  ADD ("failing/other-object",
      test_parts_that_made_another_object_are_sent_again);
  ADD_TABLE (bad_ends, "end", test_bad_end_is_none);
  ADD ("end/lost", test_lost_end_is_found);
  ADD ("end/lost-replaceable", test_lost_end_of_what_may_be_replaced_is_found);
  ADD ("crash/noted", test_upload_under_way_is_noted);
  ADD ("crash/aborted", test_upload_left_over_is_aborted_first);
  ADD ("crash/stays", test_upload_that_cannot_be_aborted_stays_noted);
  return g_test_run ();
}
