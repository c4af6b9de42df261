/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whatever is in the shared files or comes from a service, what is taken for credentials
 * can be sent in a header. */

#include <string.h>

#include "s3/amss3identity.h"
#include "s3/amss3profile.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_file (AmsS3ProfileFile file, const guint8 *data, gsize size)
{
  g_autoptr (AmsS3Profiles) profiles = ams_s3_profiles_new ();
  const gchar *value;

  ams_s3_profiles_add (profiles, file, (const gchar *) data, size);
  value = ams_s3_profiles_get (profiles, "default", "aws_access_key_id");
  if (value == NULL)
    return;
  g_assert_true (ams_s3_profiles_has (profiles, "default"));
  g_assert_null (strchr (value, '\n'));
  g_assert_false (g_ascii_isspace (*value));
}

static void
check_identity (AmsS3Identity *identity)
{
  if (identity == NULL)
    return;
  g_assert_true (ams_s3_identity_check (identity, NULL));
  ams_s3_identity_unref (identity);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  check_file (AMS_S3_PROFILE_CONFIG, data, size);
  check_file (AMS_S3_PROFILE_CREDENTIALS, data, size);
  check_identity (ams_s3_identity_parse_json (bytes, "a test", NULL));
  check_identity (ams_s3_identity_parse_sts (bytes, "a test", NULL));
  return 0;
}
