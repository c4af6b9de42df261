/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "s3/amss3digest.h"
#include "transfer/amsstore.h"

#define ALL (AMS_S3_DIGEST_SHA256 | AMS_S3_DIGEST_MD5 | AMS_S3_DIGEST_CRC32)
#define SIZE 300001 /* of no whole number of pieces */

static GBytes *
make_bytes (gsize size)
{
  guint8 *data = g_malloc (size);
  gsize i;

  for (i = 0; i < size; i++)
    data[i] = i * 7 + i / 256;
  return g_bytes_new_take (data, size);
}

static AmsBody *
make_body (GBytes *bytes)
{
  AmsBody *body = ams_memory_body_new ();

  ams_body_append (body, bytes, NULL);
  ams_body_finish (body, g_bytes_get_size (bytes));
  return body;
}

/* RFC 1321, FIPS 180-2, and CRC-32's check value. */
static void
test_digest_known_texts (void)
{
  static const struct
  {
    const gchar *text, *sha256, *md5, *md5_base64, *crc32_base64;
  } known[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "d41d8cd98f00b204e9800998ecf8427e",
        "1B2M2Y8AsgTpgAmY7PhCfg==", "AAAAAA==" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "900150983cd24fb0d6963f7d28e17f72",
        "kAFQmDzST7DWlj99KOF/cg==", "NSRBwg==" },
    { "123456789",
        "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        "25f9e794323b453885f5181f1b624d0b",
        "JfnnlDI7RTiF9RgfG2JNCw==", "y/Q5Jg==" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (known); i++) {
    g_autoptr (GBytes) bytes =
        g_bytes_new_static (known[i].text, strlen (known[i].text));
    AmsS3Digests digests;

    ams_s3_digest_bytes (ALL, bytes, &digests);
    g_assert_cmpstr (digests.sha256, ==, known[i].sha256);
    g_assert_cmpstr (digests.md5, ==, known[i].md5);
    g_assert_cmpstr (digests.md5_base64, ==, known[i].md5_base64);
    g_assert_cmpstr (digests.crc32_base64, ==, known[i].crc32_base64);
    g_assert_cmpuint (digests.size, ==, strlen (known[i].text));
  }
}

static void
test_digest_not_asked_empty (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  AmsS3Digests digests;

  ams_s3_digest_bytes (AMS_S3_DIGEST_MD5, bytes, &digests);
  g_assert_cmpstr (digests.sha256, ==, "");
  g_assert_cmpstr (digests.crc32_base64, ==, "");
  g_assert_cmpstr (digests.md5, !=, "");
}

static void
test_digest_slices_as_whole (void)
{
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  g_autoptr (AmsBody) body = make_body (bytes);
  g_autoptr (AmsS3Digester) digester = ams_s3_digester_new (ALL);
  AmsS3Digests sliced, whole;
  gboolean done = FALSE;
  guint slices = 0;

  for (; !done; slices++)
    g_assert_true (
        ams_s3_digester_read (digester, body, 0, SIZE, 100000, &done, NULL));
  ams_s3_digester_finish (digester, &sliced);
  ams_s3_digest_bytes (ALL, bytes, &whole);
  g_assert_cmpuint (slices, ==, 4);
  g_assert_cmpmem (&sliced, sizeof sliced, &whole, sizeof whole);
}

static void
test_digest_range_that_part (void)
{
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  g_autoptr (GBytes) range = g_bytes_new_from_bytes (bytes, 1000, 200000);
  g_autoptr (AmsBody) body = make_body (bytes);
  g_autoptr (AmsS3Digester) digester = ams_s3_digester_new (ALL);
  AmsS3Digests part, expected;
  gboolean done = FALSE;

  g_assert_true (ams_s3_digester_read (digester, body, 1000, 201000,
      G_MAXUINT32, &done, NULL));
  g_assert_true (done);
  ams_s3_digester_finish (digester, &part);
  ams_s3_digest_bytes (ALL, range, &expected);
  g_assert_cmpmem (&part, sizeof part, &expected, sizeof expected);
}

static void
test_digest_body_too_short_lost (void)
{
  g_autoptr (GBytes) bytes = make_bytes (1000);
  g_autoptr (AmsBody) body = make_body (bytes);
  g_autoptr (AmsS3Digester) digester = ams_s3_digester_new (ALL);
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  g_assert_false (ams_s3_digester_read (digester, body, 0, 1001, G_MAXUINT32,
      &done, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_LOST);
  g_assert_false (done);
}

static void
test_digest_empty_body_done (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new (NULL, 0);
  g_autoptr (AmsBody) body = make_body (bytes);
  g_autoptr (AmsS3Digester) digester = ams_s3_digester_new (ALL);
  gboolean done = FALSE;

  g_assert_true (ams_s3_digester_read (digester, body, 0, 0, 1, &done, NULL));
  g_assert_true (done);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/s3-digest/known-texts", test_digest_known_texts);
  g_test_add_func ("/s3-digest/not-asked/empty", test_digest_not_asked_empty);
  g_test_add_func ("/s3-digest/slices/as-whole", test_digest_slices_as_whole);
  g_test_add_func ("/s3-digest/range/that-part", test_digest_range_that_part);
  g_test_add_func ("/s3-digest/too-short/lost",
      test_digest_body_too_short_lost);
  g_test_add_func ("/s3-digest/empty/done", test_digest_empty_body_done);
  return g_test_run ();
}
