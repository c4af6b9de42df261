/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "s3/amss3endpoint.h"
#include "s3/amss3key.h"
#include "transfer/amsstore.h"

static void
assert_sentence (const GError *error, const gchar *part)
{
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_true (g_str_has_suffix (error->message, ".") ||
      g_str_has_suffix (error->message, ")."));
  if (part != NULL)
    g_assert_nonnull (strstr (error->message, part));
}

/* ---- buckets ---- */

typedef struct
{
  const gchar *name;
  gboolean possible, dns;
} Bucket;

static const Bucket buckets[] = {
  { "rec", TRUE, TRUE },
  { "my-recordings.2026", TRUE, TRUE },
  { "0-9", TRUE, TRUE },
  { "access-point-abc-s3alias", TRUE, TRUE },
  { "ab", FALSE, FALSE },
  { "", FALSE, FALSE },
  { "Old_Bucket", TRUE, FALSE },
  { "-rec", FALSE, FALSE },
  { "rec-", TRUE, FALSE },
  { "a..b", TRUE, FALSE },
  { "a.-b", TRUE, FALSE },
  { "a-.b", TRUE, FALSE },
  { "192.168.1.10", TRUE, FALSE },
  { "rec ordings", FALSE, FALSE },
  { "aufnahmen-ä", FALSE, FALSE },
  { "rec/cam1", FALSE, FALSE },
  { "s3://rec", FALSE, FALSE },
  { "arn:aws:s3:eu-west-1:1:accesspoint/x", FALSE, FALSE },
  { "a\xff"
    "b",
      FALSE, FALSE },
  { "rec\n", FALSE, FALSE },
};

static void
test_bucket_names (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (buckets); i++) {
    const Bucket *c = &buckets[i];
    g_autoptr (GError) error = NULL;

    g_test_message ("%u", i);
    g_assert_cmpint (ams_s3_bucket_check (c->name, &error), ==, c->possible);
    if (!c->possible)
      assert_sentence (error, NULL);
    g_assert_cmpint (ams_s3_bucket_is_dns (c->name), ==, c->dns);
  }
}

static void
test_bucket_63_dns_64_not (void)
{
  g_autofree gchar *longest = g_strnfill (63, 'a');
  g_autofree gchar *longer = g_strnfill (64, 'a');
  g_autofree gchar *too_long = g_strnfill (256, 'a');

  g_assert_true (ams_s3_bucket_is_dns (longest));
  g_assert_false (ams_s3_bucket_is_dns (longer));
  g_assert_true (ams_s3_bucket_check (longer, NULL));
  g_assert_false (ams_s3_bucket_check (too_long, NULL));
}

/* ---- keys ---- */

typedef struct
{
  const gchar *name;
  const gchar *prefix, *file, *key, *part; /* key NULL: refused */
} Key;

static const Key keys[] = {
  { "prefix/joined", "cam1/", "00001.ts", "cam1/00001.ts" },
  { "prefix-without-slash/joined", "cam1-", "00001.ts", "cam1-00001.ts" },
  { "no-prefix/name", NULL, "a b+%~ä😀.ts", "a b+%~ä😀.ts" },
  { "dots-within/kept", "a...b/", ".hidden", "a...b/.hidden" },
  { "empty/refused", "", "", NULL, "empty" },
  { "slash-first/refused", "/cam1/", "1.ts", NULL, "begins with" },
  { "parent/refused", "a/../", "1.ts", NULL, "“..”" },
  { "here/refused", "a/", "./1.ts", NULL, "“.”" },
  { "joined-to-parent/refused", "a/.", "./1.ts", NULL, "“..”" },
  { "newline/refused", "a\n/", "1.ts", NULL, "control" },
  { "c1-control/refused", "a\xc2\x85/", "1.ts", NULL, "control" },
  { "not-utf8/refused", "a\xff/", "1.ts", NULL, "UTF-8" },
};

static void
test_key (gconstpointer data)
{
  const Key *c = data;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *key = ams_s3_key_new (c->prefix, c->file, &error);

  g_assert_cmpstr (key, ==, c->key);
  if (c->key == NULL)
    assert_sentence (error, c->part);
}

static void
test_key_1024_bytes_most (void)
{
  g_autofree gchar *prefix = g_strnfill (1022, 'a');
  g_autofree gchar *most = ams_s3_key_new (prefix, "ä", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (strlen (most), ==, 1024);
  g_assert_null (ams_s3_key_new (prefix, "äb", &error));
  assert_sentence (error, "1025 bytes");
}

typedef struct
{
  const gchar *name;
  const gchar *text, *bucket, *key;
} Uri;

static const Uri s3_uris[] = {
  { "key/both", "s3://rec/cam1/a b%20.m3u8", "rec", "cam1/a b%20.m3u8" },
  { "no-key/empty", "s3://rec", "rec", "" },
  { "slash/empty", "S3://rec/", "rec", "" },
  { "no-bucket/refused", "s3:///key" },
  { "scheme/refused", "https://rec/key" },
  { "double-slash/refused", "s3://rec//key" },
  { "secret/refused", "s3://AKIA:hush@rec/key" },
  { "bad-bucket/refused", "s3://r!c/key" },
};

static void
test_s3_uri (gconstpointer data)
{
  const Uri *c = data;
  g_autofree gchar *bucket = NULL, *key = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (ams_s3_uri_parse (c->text, &bucket, &key, &error), ==,
      c->bucket != NULL);
  g_assert_cmpstr (bucket, ==, c->bucket);
  g_assert_cmpstr (key, ==, c->key);
  if (c->bucket == NULL) {
    assert_sentence (error, NULL);
    g_assert_null (strstr (error->message, "hush"));
  }
}

/* ---- endpoints ---- */

typedef struct
{
  const gchar *name;
  const gchar *text, *part;
} Refused;

static const Refused refused_endpoints[] = {
  { "no-scheme/said", "minio.local:9000", "no scheme" },
  { "other-scheme/said", "ftp://minio.local", "https://" },
  { "no-host/said", "https://", "host" },
  { "user/not-shown", "https://me:hush@minio.local", "user" },
  { "query/not-shown", "https://minio.local/?token=hush", "“?”" },
  { "fragment/said", "https://minio.local/#hush", "“#”" },
  { "port/said", "https://minio.local:99999", "URL" },
  { "host-characters/said", "https://min%20io.local", "host" },
};

static void
test_endpoint_refused (gconstpointer data)
{
  const Refused *c = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_s3_endpoint_parse (c->text, &error));
  assert_sentence (error, c->part);
  g_assert_null (strstr (error->message, "hush"));
}

typedef struct
{
  const gchar *name;
  const gchar *endpoint;
  AmsS3Addressing addressing;
  const gchar *bucket, *key;
  const gchar *host_header, *path;
} Target;

#define AUTO AMS_S3_ADDRESSING_AUTO
#define PATH AMS_S3_ADDRESSING_PATH
#define VIRTUAL AMS_S3_ADDRESSING_VIRTUAL

static const Target targets[] = {
  { "minio/path", "http://minio.local:9000", AUTO, "rec", "a/b c.ts",
      "minio.local:9000", "/rec/a/b%20c.ts" },
  { "minio-virtual/host", "http://minio.local:9000", VIRTUAL, "rec", "a.ts",
      "rec.minio.local:9000", "/a.ts" },
  { "aws/host", "https://s3.eu-central-1.amazonaws.com", AUTO, "rec", "a.ts",
      "rec.s3.eu-central-1.amazonaws.com", "/a.ts" },
  { "aws-path/path", "https://s3.eu-central-1.amazonaws.com", PATH, "rec",
      "a.ts", "s3.eu-central-1.amazonaws.com", "/rec/a.ts" },
  { "aws-dot-https/path", "https://s3.eu-west-1.amazonaws.com", AUTO, "r.ec",
      "a.ts", "s3.eu-west-1.amazonaws.com", "/r.ec/a.ts" },
  { "aws-dot-http/host", "http://s3.eu-west-1.amazonaws.com", AUTO, "r.ec",
      "a.ts", "r.ec.s3.eu-west-1.amazonaws.com", "/a.ts" },
  { "aws-old-name/path", "https://s3.amazonaws.com", AUTO, "Old_Rec", "a.ts",
      "s3.amazonaws.com", "/Old_Rec/a.ts" },
  { "google/host", "https://storage.googleapis.com", AUTO, "rec", "a.ts",
      "rec.storage.googleapis.com", "/a.ts" },
  { "aliyun/host", "https://oss-cn-hangzhou.aliyuncs.com", AUTO, "rec", "a.ts",
      "rec.oss-cn-hangzhou.aliyuncs.com", "/a.ts" },
  { "base-path/kept", "https://gw.local/s3%7egw/", AUTO, "rec", "a.ts",
      "gw.local", "/s3~gw/rec/a.ts" },
  { "base-path-virtual/kept", "https://gw.local/s3//", VIRTUAL, "rec", "a.ts",
      "rec.gw.local", "/s3/a.ts" },
  { "bucket/no-slash", "https://gw.local", AUTO, "rec", NULL, "gw.local",
      "/rec" },
  { "bucket-virtual/root", "https://gw.local", VIRTUAL, "rec", NULL,
      "rec.gw.local", "/" },
  { "default-port/left-out", "https://GW.local:443", AUTO, "rec", "a",
      "gw.local", "/rec/a" },
  { "other-default-port/kept", "http://gw.local:443", AUTO, "rec", "a",
      "gw.local:443", "/rec/a" },
  { "ipv6/brackets", "http://[FD00::1]:9000", AUTO, "rec", "a",
      "[fd00::1]:9000", "/rec/a" },
  { "dots-in-key/not-normalised", "http://gw.local", AUTO, "rec", "a//b~",
      "gw.local", "/rec/a//b~" },
};

static void
test_target (gconstpointer data)
{
  const Target *c = data;
  g_autoptr (AmsS3Endpoint) endpoint =
      ams_s3_endpoint_parse (c->endpoint, NULL);
  g_autoptr (GUri) uri = ams_s3_endpoint_to_uri (endpoint, c->addressing,
      c->bucket, c->key, "list-type=2&prefix=a%2Fb");
  g_autofree gchar *host = ams_s3_host_header (uri);

  g_assert_cmpstr (host, ==, c->host_header);
  g_assert_cmpstr (g_uri_get_path (uri), ==, c->path);
  g_assert_cmpstr (g_uri_get_query (uri), ==, "list-type=2&prefix=a%2Fb");
}

static const Target checks[] = {
  { "path/fine", "http://127.0.0.1:9000", PATH, "rec", "" },
  { "auto-ip/fine", "http://127.0.0.1:9000", AUTO, "rec", "" },
  { "virtual/fine", "https://gw.local", VIRTUAL, "r.ec", "" },
  { "virtual-ip/refused", "http://127.0.0.1:9000", VIRTUAL, "rec", NULL },
  { "virtual-name/refused", "https://gw.local", VIRTUAL, "Old_Rec", NULL },
  { "bucket/refused", "https://gw.local", AUTO, "r/c", NULL },
  { "bucket-in-host/refused", "https://rec.s3.eu-west-1.amazonaws.com", AUTO,
      "rec", NULL },
};

static void
test_endpoint_check (gconstpointer data)
{
  const Target *c = data;
  g_autoptr (AmsS3Endpoint) endpoint =
      ams_s3_endpoint_parse (c->endpoint, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (
      ams_s3_endpoint_check (endpoint, c->addressing, c->bucket, &error), ==,
      c->key != NULL);
  if (c->key == NULL)
    assert_sentence (error, NULL);
}

/* ---- regions ---- */

static const struct
{
  const gchar *host, *region;
} regions[] = {
  { "s3.amazonaws.com", "us-east-1" },
  { "s3.eu-central-1.amazonaws.com", "eu-central-1" },
  { "s3-eu-west-1.amazonaws.com", "eu-west-1" },
  { "s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1" },
  { "s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1" },
  { "s3-fips.dualstack.us-east-2.amazonaws.com", "us-east-2" },
  { "s3.cn-north-1.amazonaws.com.cn", "cn-north-1" },
  { "bucket.vpce-1a2b-3c.s3.us-west-2.vpce.amazonaws.com", "us-west-2" },
  { "s3-accelerate.amazonaws.com", NULL },
  { "abc.r2.cloudflarestorage.com", "auto" },
  { "abc.eu.r2.cloudflarestorage.com", "auto" },
  { "storage.googleapis.com", "auto" },
  { "s3.eu-central-2.wasabisys.com", "eu-central-2" },
  { "s3.wasabisys.com", NULL },
  { "s3.us-west-004.backblazeb2.com", "us-west-004" },
  { "s3.fr-par.scw.cloud", "fr-par" },
  { "s3.gra.io.cloud.ovh.net", "gra" },
  { "fra1.digitaloceanspaces.com", "fra1" },
  { "oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou" },
  { "minio.local", NULL },
  { "127.0.0.1", NULL },
  { "amazonaws.com.evil.org", NULL },
};

static void
test_endpoint_region_of_host (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (regions); i++) {
    g_autofree gchar *url = g_strconcat ("https://", regions[i].host, NULL);
    g_autoptr (AmsS3Endpoint) endpoint = ams_s3_endpoint_parse (url, NULL);
    g_autofree gchar *region = ams_s3_endpoint_dup_region (endpoint);

    g_assert_cmpstr (region, ==, regions[i].region);
  }
}

static void
test_endpoint_aws_region (void)
{
  g_autoptr (AmsS3Endpoint) frankfurt =
      ams_s3_endpoint_new_aws ("eu-central-1", NULL);
  g_autoptr (AmsS3Endpoint) beijing =
      ams_s3_endpoint_new_aws ("cn-north-1", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (frankfurt->host, ==, "s3.eu-central-1.amazonaws.com");
  g_assert_cmpstr (beijing->host, ==, "s3.cn-north-1.amazonaws.com.cn");
  g_assert_null (ams_s3_endpoint_new_aws ("eu.evil.org/", &error));
  assert_sentence (error, "region");
}

static void
test_region_choose_first_said (void)
{
  g_autoptr (AmsS3Endpoint) endpoint =
      ams_s3_endpoint_parse ("https://s3.d.scw.cloud", NULL);
  g_autofree gchar *a = ams_s3_region_choose ("a", "b", "c", endpoint);
  g_autofree gchar *b = ams_s3_region_choose ("", "b", "c", endpoint);
  g_autofree gchar *c = ams_s3_region_choose (NULL, "", "c", endpoint);
  g_autofree gchar *d = ams_s3_region_choose (NULL, NULL, NULL, endpoint);
  g_autofree gchar *e = ams_s3_region_choose (NULL, NULL, NULL, NULL);

  g_assert_cmpstr (a, ==, "a");
  g_assert_cmpstr (b, ==, "b");
  g_assert_cmpstr (c, ==, "c");
  g_assert_cmpstr (d, ==, "d");
  g_assert_cmpstr (e, ==, "us-east-1");
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/s3-bucket/names", test_bucket_names);
  g_test_add_func ("/s3-bucket/63-dns/64-not", test_bucket_63_dns_64_not);
  ADD_TABLE (keys, "/s3-key/", test_key);
  g_test_add_func ("/s3-key/1024-bytes/most", test_key_1024_bytes_most);
  ADD_TABLE (s3_uris, "/s3-uri/", test_s3_uri);
  ADD_TABLE (refused_endpoints, "/s3-endpoint/", test_endpoint_refused);
  ADD_TABLE (targets, "/s3-target/", test_target);
  ADD_TABLE (checks, "/s3-endpoint-check/", test_endpoint_check);
  g_test_add_func ("/s3-endpoint/host/region", test_endpoint_region_of_host);
  g_test_add_func ("/s3-endpoint/aws/region", test_endpoint_aws_region);
  g_test_add_func ("/s3-region/choose/first-said",
      test_region_choose_first_said);
  return g_test_run ();
}
