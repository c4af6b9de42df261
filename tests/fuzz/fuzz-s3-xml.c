/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whatever a store answers, what is read of it can be shown and used. */

#include <string.h>

#include "s3/amss3endpoint.h"
#include "s3/amss3sentence.h"
#include "s3/amss3xml.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_line (const gchar *text)
{
  const gchar *p;

  if (text == NULL)
    return;
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (p = text; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

static void
on_element (const gchar *path, const gchar *text, gpointer user_data)
{
  g_assert_true (g_utf8_validate (path, -1, NULL));
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
check_answer (GBytes *xml, AmsS3Operation operation, guint status)
{
  static const AmsS3Asked asked = { AMS_S3_PUT, "host", "bucket", "key",
    "us-east-1", TRUE, 0 };
  AmsS3Asked this = asked;
  SoupMessageHeaders *headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  g_autoptr (AmsS3Answer) answer = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *details = NULL;

  this.operation = operation;
  answer = ams_s3_answer_new (&this, status, headers, xml, 0);
  details = ams_s3_answer_to_details (answer);
  check_line (details);
  if (answer->region != NULL)
    g_assert_true (ams_s3_region_check (answer->region, NULL));
  if (!answer->success) {
    error = ams_s3_answer_to_error (answer, &this);
    check_line (error->message);
  }
  soup_message_headers_unref (headers);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) xml = g_bytes_new (data, size);
  g_autoptr (AmsS3Listing) listing = ams_s3_listing_parse (xml, NULL);
  G_GNUC_UNUSED g_autoptr (GPtrArray) uploads =
      ams_s3_parse_uploads (xml, NULL);
  g_autofree gchar *id = ams_s3_parse_upload_id (xml);
  G_GNUC_UNUSED g_autofree gchar *etag = ams_s3_parse_etag (xml);
  guint i;

  ams_s3_xml_parse (xml, on_element, NULL);
  for (i = 0; listing != NULL && i < listing->objects->len; i++)
    g_assert_true (g_utf8_validate (
        g_array_index (listing->objects, AmsS3Object, i).key, -1, NULL));
  g_assert_true (id == NULL || *id != '\0');
  check_answer (xml, AMS_S3_PUT, 403);
  check_answer (xml, AMS_S3_UPLOAD_COMPLETE, 200);
  check_answer (xml, AMS_S3_HEAD, 404);
  return 0;
}
