/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "s3/amss3sign.h"

/* ---- the examples that AWS prints (Amazon S3 API reference, "Signature
 * calculations for the Authorization header") ---- */

#define ACCESS_KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define DATE "20130524T000000Z"
#define SCOPE "20130524/us-east-1/s3/aws4_request"
#define HOST "examplebucket.s3.amazonaws.com"
#define PUT_SHA256 \
  "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

typedef struct
{
  const gchar *name;
  const gchar *method, *path, *query, *payload_hash;
  AmsS3Header headers[6];
  const gchar *canonical, *names, *canonical_hash, *signature;
} Example;

static const Example examples[] = {
  { "get-object", "GET", "/test.txt", NULL, AMS_S3_EMPTY_SHA256,
      { { "Host", HOST }, { "Range", "bytes=0-9" },
          { "x-amz-content-sha256", AMS_S3_EMPTY_SHA256 },
          { "x-amz-date", DATE } },
      "GET\n/test.txt\n\nhost:" HOST "\nrange:bytes=0-9\n"
      "x-amz-content-sha256:" AMS_S3_EMPTY_SHA256 "\nx-amz-date:" DATE "\n\n"
      "host;range;x-amz-content-sha256;x-amz-date\n" AMS_S3_EMPTY_SHA256,
      "host;range;x-amz-content-sha256;x-amz-date",
      "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
  { "put-object", "PUT", "/test%24file.text", NULL, PUT_SHA256,
      { { "Host", HOST }, { "x-amz-date", DATE },
          { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
          { "Date", "Fri, 24 May 2013 00:00:00 GMT" },
          { "x-amz-content-sha256", PUT_SHA256 } },
      "PUT\n/test%24file.text\n\ndate:Fri, 24 May 2013 00:00:00 GMT\n"
      "host:" HOST "\nx-amz-content-sha256:" PUT_SHA256 "\nx-amz-date:" DATE
      "\nx-amz-storage-class:REDUCED_REDUNDANCY\n\n"
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n" PUT_SHA256,
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
  { "get-bucket-lifecycle", "GET", "/", "lifecycle", AMS_S3_EMPTY_SHA256,
      { { "Host", HOST }, { "x-amz-date", DATE },
          { "x-amz-content-sha256", AMS_S3_EMPTY_SHA256 } },
      "GET\n/\nlifecycle=\nhost:" HOST
      "\nx-amz-content-sha256:" AMS_S3_EMPTY_SHA256 "\nx-amz-date:" DATE "\n\n"
      "host;x-amz-content-sha256;x-amz-date\n" AMS_S3_EMPTY_SHA256,
      "host;x-amz-content-sha256;x-amz-date",
      "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
  { "list-objects", "GET", "", "max-keys=2&prefix=J", AMS_S3_EMPTY_SHA256,
      { { "Host", HOST }, { "x-amz-date", DATE },
          { "x-amz-content-sha256", AMS_S3_EMPTY_SHA256 } },
      "GET\n/\nmax-keys=2&prefix=J\nhost:" HOST
      "\nx-amz-content-sha256:" AMS_S3_EMPTY_SHA256 "\nx-amz-date:" DATE "\n\n"
      "host;x-amz-content-sha256;x-amz-date\n" AMS_S3_EMPTY_SHA256,
      "host;x-amz-content-sha256;x-amz-date",
      "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static AmsS3SignRequest
request_of (const Example *c)
{
  AmsS3SignRequest request = { c->method, c->path, c->query, c->headers, 0,
    c->payload_hash };

  while (c->headers[request.n_headers].name != NULL)
    request.n_headers++;
  return request;
}

static void
test_canonical_request (gconstpointer data)
{
  const Example *c = data;
  AmsS3SignRequest request = request_of (c);
  g_autofree gchar *names = NULL;
  g_autofree gchar *canonical = ams_s3_canonical_request (&request, &names);

  g_assert_cmpstr (canonical, ==, c->canonical);
  g_assert_cmpstr (names, ==, c->names);
}

static void
test_string_to_sign (gconstpointer data)
{
  const Example *c = data;
  g_autofree gchar *text = ams_s3_string_to_sign (DATE, SCOPE, c->canonical);
  g_autofree gchar *expected = g_strconcat (
      "AWS4-HMAC-SHA256\n" DATE "\n" SCOPE "\n", c->canonical_hash, NULL);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_signature (gconstpointer data)
{
  const Example *c = data;
  g_autofree gchar *text = ams_s3_string_to_sign (DATE, SCOPE, c->canonical);
  g_autofree gchar *signature = NULL;
  guint8 key[AMS_S3_KEY_SIZE];

  ams_s3_signing_key (SECRET_KEY, SCOPE, key);
  signature = ams_s3_signature (key, text);
  g_assert_cmpstr (signature, ==, c->signature);
}

static void
test_authorize (gconstpointer data)
{
  const Example *c = data;
  AmsS3SignRequest request = request_of (c);
  AmsS3SignKeys keys = { ACCESS_KEY, SECRET_KEY, "us-east-1" };
  g_autoptr (AmsS3Signer) signer = ams_s3_signer_new ();
  g_autofree gchar *value =
      ams_s3_signer_authorize (signer, &keys, DATE, &request);
  g_autofree gchar *expected =
      g_strdup_printf ("AWS4-HMAC-SHA256 Credential=" ACCESS_KEY "/" SCOPE
                       ",SignedHeaders=%s,Signature=%s",
          c->names, c->signature);

  g_assert_cmpstr (value, ==, expected);
}

/* ---- the key that is kept ---- */

typedef struct
{
  const gchar *name;
  const gchar *date, *secret_key, *region;
} Change;

static const Change changes[] = {
  { "day/new-key", "20130525T000000Z", SECRET_KEY, "us-east-1" },
  { "region/new-key", DATE, SECRET_KEY, "eu-central-1" },
  { "secret/new-key", DATE, "another", "us-east-1" },
  { "time/same-key", "20130524T235959Z", SECRET_KEY, "us-east-1" },
};

static void
test_signer_changed (gconstpointer data)
{
  const Change *c = data;
  AmsS3SignRequest request = request_of (&examples[0]);
  AmsS3SignKeys before = { ACCESS_KEY, SECRET_KEY, "us-east-1" };
  AmsS3SignKeys after = { ACCESS_KEY, c->secret_key, c->region };
  g_autoptr (AmsS3Signer) used = ams_s3_signer_new ();
  g_autoptr (AmsS3Signer) fresh = ams_s3_signer_new ();
  g_autofree gchar *first =
      ams_s3_signer_authorize (used, &before, DATE, &request);
  g_autofree gchar *second =
      ams_s3_signer_authorize (used, &after, c->date, &request);
  g_autofree gchar *expected =
      ams_s3_signer_authorize (fresh, &after, c->date, &request);

  g_assert_cmpstr (second, ==, expected);
  g_assert_cmpstr (second, !=, first);
}

/* ---- encoding ---- */

typedef struct
{
  const gchar *name;
  const gchar *text, *expected;
} Text;

static const Text encodings[] = {
  { "unreserved/kept", "aZ09-_.~/x", "aZ09-_.~/x" },
  { "space/percent-20", "a b", "a%20b" },
  { "plus/encoded", "a+b", "a%2Bb" },
  { "percent/encoded", "100%25", "100%2525" },
  { "reserved/encoded", "!*'();:@&=$,?#[]",
      "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C%3F%23%5B%5D" },
  { "umlaut/bytes", "kamera-ä", "kamera-%C3%A4" },
  { "emoji/bytes", "\xf0\x9f\x98\x80", "%F0%9F%98%80" },
  { "dots/not-normalised", "a/../b/./c//d", "a/../b/./c//d" },
  { "empty/empty", "", "" },
};

static void
test_encode (gconstpointer data)
{
  const Text *c = data;
  g_autofree gchar *encoded = ams_s3_encode (c->text, TRUE);

  g_assert_cmpstr (encoded, ==, c->expected);
}

/* What goes out is what is signed: the canonical form of an encoded key is itself. */
static void
test_canonical_path_of_encoded_same (gconstpointer data)
{
  const Text *c = data;
  g_autofree gchar *path = g_strconcat ("/", c->expected, NULL);
  g_autofree gchar *canonical = ams_s3_canonical_path (path);

  g_assert_cmpstr (canonical, ==, path);
}

static void
test_encode_slash_not_kept (void)
{
  g_autofree gchar *encoded = ams_s3_encode ("a/b", FALSE);

  g_assert_cmpstr (encoded, ==, "a%2Fb");
}

static const Text paths[] = {
  { "empty/root", "", "/" },
  { "lower-hex/upper", "/%c3%a4", "/%C3%A4" },
  { "needless/decoded", "/%7Ea%41", "/~aA" },
  { "raw/encoded", "/a b", "/a%20b" },
  { "bad-percent/encoded", "/100%zz%4", "/100%25zz%254" },
};

static void
test_canonical_path (gconstpointer data)
{
  const Text *c = data;
  g_autofree gchar *path = ams_s3_canonical_path (c->text);

  g_assert_cmpstr (path, ==, c->expected);
}

static const Text queries[] = {
  { "null/empty", NULL, "" },
  { "unsorted/by-key", "b=2&a=1", "a=1&b=2" },
  { "same-key/by-value", "a=2&a=10&a=1", "a=1&a=10&a=2" },
  { "key-prefix/key-first", "a-b=1&a=2", "a=2&a-b=1" },
  { "upper/before-lower", "a=1&B=2", "B=2&a=1" },
  { "valueless/equals", "uploads&a=", "a=&uploads=" },
  { "slash/encoded", "prefix=a/b c", "prefix=a%2Fb%20c" },
  { "equals-in-value/encoded", "a=b=c", "a=b%3Dc" },
  { "empty-parts/dropped", "&a=1&&", "a=1" },
  { "encoded/same", "prefix=a%2Fb%20c", "prefix=a%2Fb%20c" },
  { "encoded-sort/by-encoded", "%F0=1&z=2", "%F0=1&z=2" },
};

static void
test_canonical_query (gconstpointer data)
{
  const Text *c = data;
  g_autofree gchar *query = ams_s3_canonical_query (c->text);

  g_assert_cmpstr (query, ==, c->expected);
}

static void
test_query_pairs_sorted_encoded (void)
{
  static const gchar *const pairs[] = { "prefix", "cam 1/ä&=", "list-type", "2",
    "delimiter", "", NULL };
  g_autofree gchar *query = ams_s3_query (pairs);
  g_autofree gchar *canonical = ams_s3_canonical_query (query);

  g_assert_cmpstr (query, ==,
      "delimiter=&list-type=2&prefix=cam%201%2F%C3%A4%26%3D");
  g_assert_cmpstr (canonical, ==, query);
}

/* ---- headers ---- */

static void
test_headers_untidy_tidied (void)
{
  static const AmsS3Header headers[] = { { "X-Amz-Meta-B", "two" },
    { "x-amz-meta", "  spaces \t within  " }, { "X-AMZ-META-B", " one " },
    { "x-amz-meta-a-b", "" }, { "x-amz-meta-a", "1" } };
  AmsS3SignRequest request = { "PUT", "/", NULL, headers,
    G_N_ELEMENTS (headers), AMS_S3_UNSIGNED_PAYLOAD };
  g_autofree gchar *canonical = ams_s3_canonical_request (&request, NULL);

  /* "x-amz-meta" is before "x-amz-meta-a" as a name, though ":" is behind "-". */
  g_assert_cmpstr (canonical, ==,
      "PUT\n/\n\nx-amz-meta:spaces within\nx-amz-meta-a:1\nx-amz-meta-a-b:\n"
      "x-amz-meta-b:two,one\n\n"
      "x-amz-meta;x-amz-meta-a;x-amz-meta-a-b;x-amz-meta-b\nUNSIGNED-PAYLOAD");
}

static void
test_header_is_signed (void)
{
  static const gchar *const yes[] = { "Host", "Content-Type", "content-md5",
    "Cache-Control", "If-None-Match", "X-Amz-Date", "x-amz-acl" };
  static const gchar *const no[] = { "User-Agent", "Accept-Encoding", "Expect",
    "Connection", "TE", "Transfer-Encoding", "Content-Length", "Authorization",
    "x-amz" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (yes); i++)
    g_assert_true (ams_s3_header_is_signed (yes[i]));
  for (i = 0; i < G_N_ELEMENTS (no); i++)
    g_assert_false (ams_s3_header_is_signed (no[i]));
}

/* ---- the date ---- */

static void
test_date_end_of_year_utc (void)
{
  g_autofree gchar *date =
      ams_s3_date (G_GINT64_CONSTANT (1798761599) * G_USEC_PER_SEC + 999999);
  g_autofree gchar *scope = ams_s3_scope (date, "eu-central-1");

  g_assert_cmpstr (date, ==, "20261231T235959Z");
  g_assert_cmpstr (scope, ==, "20261231/eu-central-1/s3/aws4_request");
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
  ADD_TABLE (examples, "/s3-canonical-request/", test_canonical_request);
  ADD_TABLE (examples, "/s3-string-to-sign/", test_string_to_sign);
  ADD_TABLE (examples, "/s3-signature/", test_signature);
  ADD_TABLE (examples, "/s3-authorize/", test_authorize);
  ADD_TABLE (changes, "/s3-signer-changed/", test_signer_changed);
  ADD_TABLE (encodings, "/s3-encode/", test_encode);
  ADD_TABLE (encodings, "/s3-canonical-path/encoded/",
      test_canonical_path_of_encoded_same);
  g_test_add_func ("/s3-encode/slash/not-kept", test_encode_slash_not_kept);
  ADD_TABLE (paths, "/s3-canonical-path/", test_canonical_path);
  ADD_TABLE (queries, "/s3-canonical-query/", test_canonical_query);
  g_test_add_func ("/s3-query/pairs/sorted-encoded",
      test_query_pairs_sorted_encoded);
  g_test_add_func ("/s3-headers/untidy/tidied", test_headers_untidy_tidied);
  g_test_add_func ("/s3-headers/is-signed", test_header_is_signed);
  g_test_add_func ("/s3-date/end-of-year/utc", test_date_end_of_year_utc);
  return g_test_run ();
}
