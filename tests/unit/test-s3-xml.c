/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "s3/amss3xml.h"
#include "transfer/amsstore.h"

static GBytes *
to_bytes (const gchar *text)
{
  return g_bytes_new_static (text, strlen (text));
}

/* ---- the scanner ---- */

typedef struct
{
  const gchar *name;
  const gchar *xml;
  const gchar *elements; /* “path=text;”, each as it ended */
  gboolean whole;
} Xml;

static const Xml xmls[] = {
  { "plain/read", "<a><b>1</b><c>2</c></a>", "a/b=1;a/c=2;a=;", TRUE },
  { "declaration-bom/skipped",
      "\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE a><!-- <x>y</x> --><a>1</a>",
      "a=1;", TRUE },
  { "namespace/left-out", "<s:a xmlns:s='u'><s:b>1</s:b></s:a>", "a/b=1;a=;",
      TRUE },
  { "empty-element/empty", "<a><b/><c d='>'/><e></e></a>", "a/b=;a/c=;a/e=;a=;",
      TRUE },
  { "attributes/skipped", "<a b='1' c=\"/>\">2</a>", "a=2;", TRUE },
  { "entities/decoded", "<a>&lt;&gt;&amp;&quot;&apos;&#228;&#xE4;</a>",
      "a=<>&\"'ää;", TRUE },
  { "unknown-entities/kept", "<a>&x; &#0; &#xD800; &toolongforone; & &lt</a>",
      "a=&x; &#0; &#xD800; &toolongforone; & &lt;", TRUE },
  { "own-entity/not-expanded",
      "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
      "a=&x;;", TRUE },
  { "cdata/text", "<a><![CDATA[<b>&amp;]]></a>", "a=<b>&amp;;", TRUE },
  { "not-utf8/made-valid", "<a>\xff</a>", "a=\xef\xbf\xbd;", TRUE },
  { "cut-in-text/as-far", "<a><b>1</b><c>2", "a/b=1;", FALSE },
  { "cut-in-tag/as-far", "<a><b>1</b><c d='", "a/b=1;", FALSE },
  { "cut-in-cdata/as-far", "<a><b>1</b><![CDATA[", "a/b=1;", FALSE },
  { "unclosed/closed-by-parent", "<a><b>1<br><b>2</b></a>",
      "a/b/br/b=2;a/b/br=;a/b=1;a=;", TRUE },
  { "stray-end/ignored", "<a></x>1</a>", "a=1;", TRUE },
  { "behind-root/not-read", "<a>1</a><b>2</b>", "a=1;", TRUE },
  { "too-deep/skipped",
      "<a><b><c><d><e><f><g><h><i>1</i></h></g></f></e></d>"
      "</c></b></a>",
      "a/b/c/d/e/f/g/h=;a/b/c/d/e/f/g=;a/b/c/d/e/f=;a/b/c/d/e=;a/b/c/d=;"
      "a/b/c=;a/b=;a=;",
      TRUE },
  { "text-only/nothing", "Bad gateway", "", FALSE },
  { "empty/nothing", "", "", FALSE },
};

static void
on_element (const gchar *path, const gchar *text, gpointer user_data)
{
  g_string_append_printf (user_data, "%s=%s;", path, text);
}

static void
test_xml (gconstpointer data)
{
  const Xml *c = data;
  g_autoptr (GBytes) xml = to_bytes (c->xml);
  g_autoptr (GString) elements = g_string_new (NULL);
  gboolean whole = ams_s3_xml_parse (xml, on_element, elements);

  g_assert_cmpstr (elements->str, ==, c->elements);
  g_assert_cmpint (whole, ==, c->whole);
}

/* Each closed by none: nothing recurses, nothing grows with the depth. */
static void
test_xml_million_open_fast (void)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GBytes) xml = NULL;
  g_autoptr (GString) elements = g_string_new (NULL);
  guint i;

  for (i = 0; i < 1000000; i++)
    g_string_append (text, "<a>x");
  xml = g_string_free_to_bytes (text);
  g_assert_false (ams_s3_xml_parse (xml, on_element, elements));
  g_assert_cmpstr (elements->str, ==, "");
}

static void
test_xml_root (void)
{
  g_autoptr (GBytes) late =
      to_bytes (" \n\xef\xbb\xbf<?xml version='1.0'?><!--x--><s:Error/>");
  g_autoptr (GBytes) within = to_bytes ("<a><Error/></a>");
  g_autoptr (GBytes) longer = to_bytes ("<Errors/>");
  g_autoptr (GBytes) none = to_bytes ("Error");

  g_assert_true (ams_s3_xml_has_root (late, "Error"));
  g_assert_false (ams_s3_xml_has_root (within, "Error"));
  g_assert_false (ams_s3_xml_has_root (longer, "Error"));
  g_assert_false (ams_s3_xml_has_root (none, "Error"));
}

/* ---- listings ---- */

#define LIST(text) \
  "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>" text \
  "</ListBucketResult>"
#define OBJECT(key, size) \
  "<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"

typedef struct
{
  const gchar *name;
  const gchar *xml;
  const gchar *objects; /* “key=size;”; NULL: refused */
  const gchar *next;
} List;

static const List lists[] = {
  { "empty/none", LIST ("<KeyCount>0</KeyCount>"), "" },
  { "two/read", LIST (OBJECT ("a/1.ts", "7") OBJECT ("a/2.ts", "0")),
      "a/1.ts=7;a/2.ts=0;" },
  { "plain/not-decoded", LIST (OBJECT ("a+b%20.ts", "1")), "a+b%20.ts=1;" },
  { "url-encoded/decoded",
      LIST ("<EncodingType>url</EncodingType>" OBJECT ("a+b%2B%C3%A4.ts", "1")),
      "a b+ä.ts=1;" },
  { "url-encoded-late/decoded",
      LIST (OBJECT ("a%20b", "1") "<EncodingType>url</EncodingType>"),
      "a b=1;" },
  { "foreign-key/left-out",
      LIST ("<EncodingType>url</EncodingType>" OBJECT ("%FF", "1")
              OBJECT ("a", "2")),
      "a=2;" },
  { "more/token",
      LIST (OBJECT ("a", "1") "<IsTruncated>true</IsTruncated>"
                              "<NextContinuationToken>t&amp;</"
                              "NextContinuationToken>"),
      "a=1;", "t&" },
  { "last/no-token",
      LIST ("<IsTruncated>false</IsTruncated>"
            "<NextContinuationToken>t</NextContinuationToken>"),
      "" },
  { "more-without-token/refused", LIST ("<IsTruncated>true</IsTruncated>") },
  { "cut-off/refused", "<ListBucketResult>" OBJECT ("a", "1") },
  { "no-size/refused", LIST ("<Contents><Key>a</Key></Contents>") },
  { "bad-size/refused", LIST (OBJECT ("a", "-1")) },
  { "huge-size/refused", LIST (OBJECT ("a", "99999999999999999999")) },
  { "error/refused", "<Error><Code>InternalError</Code></Error>" },
  { "html/refused", "<html><body>hello</body></html>" },
  { "other-owner-keys/ignored",
      LIST ("<Contents><Owner><Key>x</Key></Owner><Key>a</Key><Size>1</Size>"
            "</Contents>"),
      "a=1;" },
};

static void
test_listing (gconstpointer data)
{
  const List *c = data;
  g_autoptr (GBytes) xml = to_bytes (c->xml);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsS3Listing) listing = ams_s3_listing_parse (xml, &error);
  g_autoptr (GString) objects = g_string_new (NULL);
  guint i;

  if (c->objects == NULL) {
    g_assert_null (listing);
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_TRANSIENT);
    return;
  }
  g_assert_no_error (error);
  for (i = 0; i < listing->objects->len; i++) {
    const AmsS3Object *object =
        &g_array_index (listing->objects, AmsS3Object, i);

    g_string_append_printf (objects, "%s=%" G_GUINT64_FORMAT ";", object->key,
        object->size);
  }
  g_assert_cmpstr (objects->str, ==, c->objects);
  g_assert_cmpstr (listing->next, ==, c->next);
}

/* ---- uploads of parts ---- */

static void
test_upload_id_read (void)
{
  g_autoptr (GBytes) xml = to_bytes (
      "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
      "<UploadId>VXBs&amp;</UploadId></InitiateMultipartUploadResult>");
  g_autoptr (GBytes) none = to_bytes ("<InitiateMultipartUploadResult>"
                                      "<UploadId></UploadId>"
                                      "</InitiateMultipartUploadResult>");
  g_autofree gchar *id = ams_s3_parse_upload_id (xml);

  g_assert_cmpstr (id, ==, "VXBs&");
  g_assert_null (ams_s3_parse_upload_id (none));
}

static void
test_complete_etag_without_quotes (void)
{
  g_autoptr (GBytes) xml = to_bytes (
      "\n\n <CompleteMultipartUploadResult><ETag>&quot;3858-9&quot;</ETag>"
      "</CompleteMultipartUploadResult>");
  g_autoptr (GBytes) one = to_bytes ("<CompleteMultipartUploadResult><ETag>\""
                                     "</ETag></CompleteMultipartUploadResult>");
  g_autofree gchar *etag = ams_s3_parse_etag (xml);
  g_autofree gchar *quote = ams_s3_parse_etag (one);

  g_assert_cmpstr (etag, ==, "3858-9");
  g_assert_cmpstr (quote, ==, "\"");
}

static void
test_uploads_read (void)
{
  g_autoptr (GBytes) xml = to_bytes (
      "<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>1</UploadId>"
      "<Initiated>2026-11-22T10:46:04.000Z</Initiated></Upload>"
      "<Upload><Key>b</Key></Upload></ListMultipartUploadsResult>");
  g_autoptr (GBytes) cut = to_bytes ("<ListMultipartUploadsResult>");
  g_autoptr (GPtrArray) uploads = ams_s3_parse_uploads (xml, NULL);
  const AmsS3Upload *upload;

  g_assert_cmpuint (uploads->len, ==, 1);
  upload = g_ptr_array_index (uploads, 0);
  g_assert_cmpstr (upload->key, ==, "a");
  g_assert_cmpstr (upload->upload_id, ==, "1");
  g_assert_cmpint (upload->initiated, ==, G_GINT64_CONSTANT (1795344364000000));
  g_assert_null (ams_s3_parse_uploads (cut, NULL));
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
  ADD_TABLE (xmls, "/s3-xml/", test_xml);
  g_test_add_func ("/s3-xml/million-open/fast", test_xml_million_open_fast);
  g_test_add_func ("/s3-xml/root", test_xml_root);
  ADD_TABLE (lists, "/s3-listing/", test_listing);
  g_test_add_func ("/s3-upload-id/read", test_upload_id_read);
  g_test_add_func ("/s3-complete/etag-without-quotes",
      test_complete_etag_without_quotes);
  g_test_add_func ("/s3-uploads/read", test_uploads_read);
  return g_test_run ();
}
