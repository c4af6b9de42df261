/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "s3/amss3message.h"

#define KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define NOW (G_GINT64_CONSTANT (1369353600) * G_USEC_PER_SEC)

static SoupMessage *
new_message (const gchar *method, const gchar *path, const gchar *query)
{
  g_autoptr (GUri) uri = g_uri_build (G_URI_FLAGS_ENCODED, "https", NULL,
      "examplebucket.s3.amazonaws.com", -1, path, query, NULL);

  return soup_message_new_from_uri (method, uri);
}

static const gchar *
header (SoupMessage *message, const gchar *name)
{
  return soup_message_headers_get_one (
      soup_message_get_request_headers (message), name);
}

/* AWS's example “list objects”, whose headers are those that every message has. */
static void
test_message_example_signature (void)
{
  g_autoptr (SoupMessage) message =
      new_message ("GET", "/", "max-keys=2&prefix=J");
  g_autoptr (AmsS3Signer) signer = ams_s3_signer_new ();
  g_autoptr (AmsS3Identity) identity =
      ams_s3_identity_new (KEY, SECRET, NULL, G_MAXINT64, "a test");

  soup_message_headers_append (soup_message_get_request_headers (message),
      "User-Agent", "not signed");
  ams_s3_sign_message (signer, message, identity, "us-east-1",
      AMS_S3_EMPTY_SHA256, NOW);
  g_assert_cmpstr (header (message, "x-amz-date"), ==, "20130524T000000Z");
  g_assert_true (g_str_has_suffix (header (message, "Authorization"),
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

static void
test_message_signed_again_as_new (void)
{
  g_autoptr (SoupMessage) message = new_message ("PUT", "/a%20b~.ts", NULL);
  g_autoptr (SoupMessage) fresh = new_message ("PUT", "/a%20b~.ts", NULL);
  g_autoptr (AmsS3Signer) signer = ams_s3_signer_new ();
  g_autoptr (AmsS3Identity) first =
      ams_s3_identity_new (KEY, SECRET, "token", G_MAXINT64, "a test");
  g_autoptr (AmsS3Identity) second =
      ams_s3_identity_new ("other", "s", NULL, G_MAXINT64, "a test");

  ams_s3_sign_message (signer, message, first, "us-east-1",
      AMS_S3_UNSIGNED_PAYLOAD, NOW);
  g_assert_cmpstr (header (message, "x-amz-security-token"), ==, "token");
  g_assert_nonnull (
      strstr (header (message, "Authorization"), "x-amz-security-token,"));
  ams_s3_sign_message (signer, message, second, "eu-west-1",
      AMS_S3_EMPTY_SHA256, NOW + G_USEC_PER_SEC);
  ams_s3_sign_message (signer, fresh, second, "eu-west-1", AMS_S3_EMPTY_SHA256,
      NOW + G_USEC_PER_SEC);
  g_assert_null (header (message, "x-amz-security-token"));
  g_assert_cmpstr (header (message, "Authorization"), ==,
      header (fresh, "Authorization"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/s3-message/example/signature",
      test_message_example_signature);
  g_test_add_func ("/s3-message/signed-again/as-new",
      test_message_signed_again_as_new);
  return g_test_run ();
}
