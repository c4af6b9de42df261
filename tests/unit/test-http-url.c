/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpurl.h"
#include "transfer/amsstore.h"

#include <string.h>

#define SECRET "hidden"

/* ---- what is refused, and that the sentence has no secret in it ---- */

typedef struct
{
  const gchar *name;
  const gchar *text;
  const gchar *said; /* a part of the error */
} Refused;

static const Refused refused[] = {
  { "empty", "", "is no URL" },
  { "path-only", "/srv/rec", "is no URL" },
  { "no-slashes", "http:host/x", "is no URL" },
  { "other-scheme", "ftp://host/", "neither http nor https" },
  { "s3", "s3://bucket/", "neither http nor https" },
  { "no-host", "http:///x", "has no host" },
  { "user-but-no-host", "http://me:" SECRET "@/x", "has no host" },
  { "space", "http://host/a b", "%20" },
  { "space-in-password", "http://me:" SECRET " x@host/", "%20" },
  { "newline", "http://host/a\nHost: evil", "control character" },
  { "delete", "http://host/\x7f", "control character" },
  { "not-ascii-path", "http://host/kamera-ä", "not ASCII" },
  { "not-ascii-host", "http://bücher.example/", "xn--" },
  { "not-utf8", "http://host/\xff", "not ASCII" },
  { "fragment", "http://host/a#b", "“#”" },
  { "secret-fragment", "http://host/a#" SECRET, "“#”" },
  { "bad-escape", "http://host/%zz", "hexadecimal" },
  { "cut-escape", "http://host/%2", "hexadecimal" },
  { "escape-of-nul", "http://host/%00", "hexadecimal" },
  { "bad-escape-in-query", "http://host/?sig=" SECRET "%", "hexadecimal" },
  { "port-empty", "http://host:/", "bad port" },
  { "port-zero", "http://host:0/", "bad port" },
  { "port-too-large", "http://host:65536/", "bad port" },
  { "port-no-number", "http://host:8o80/", "bad port" },
  { "port-negative", "http://host:-1/", "bad port" },
  { "slash-in-password", "http://me:x/" SECRET "@host/", "bad port" },
  { "question-mark-in-password", "http://me:" SECRET "?x@host/", "bad port" },
  { "escape-in-host", "http://h%6fst/", "bad host" },
  { "v6-no-end", "http://[::1/", "IPv6" },
  { "v6-rubbish", "http://[::1]x/", "IPv6" },
  { "v6-none", "http://[host]/", "no IPv6 address" },
  { "v6-v4", "http://[127.0.0.1]/", "no IPv6 address" },
  { "v6-zone", "http://[fe80::1%25eth0]/", "no IPv6 address" },
  { "v6-port", "http://[::1]:99999/", "bad port" },
  { "brackets-in-path", "http://host/a[1]/", "in its path" },
  { "backslash", "http://host/a\\b", "in its path" },
  { "parent", "http://host/a/../b", "“..”" },
  { "parent-escaped", "http://host/%2e%2E/b", "“..”" },
  { "here", "http://host/./b", "“.”" },
  { "quote-in-query", "http://host/?sig=" SECRET "\"", "in its query" },
  { "at-in-user", "http://a@b:" SECRET "@host/", "written as %XX" },
  { "colon-in-user", "http://a%3Ab:" SECRET "@host/", "a user with a colon" },
  { "newline-in-password", "http://me:" SECRET "%0a@host/", "a password" },
  { "not-utf8-in-user", "http://%ff:" SECRET "@host/", "a user" },
};

static void
test_refused (gconstpointer data)
{
  const Refused *c = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (ams_http_url_parse (c->text, &error));
  g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_nonnull (strstr (error->message, c->said));
  g_assert_null (strstr (error->message, SECRET));
  g_assert_null (strchr (error->message, '\n'));
}

/* ---- what is taken ---- */

typedef struct
{
  const gchar *name;
  const gchar *text;
  struct
  {
    const gchar *scheme, *host;
    gint port;
    const gchar *path, *query, *user, *password;
  } url;
  const gchar *display;
  const gchar *destination;
} Parsed;

static const Parsed parsed[] = {
  { "host-only", "http://host", { "http", "host", -1, "/" }, "http://host/",
      "http://host/" },
  { "folder", "https://Host.Example/rec/cam1/",
      { "https", "host.example", -1, "/rec/cam1/" },
      "https://host.example/rec/cam1/", "https://host.example/rec/cam1/" },
  { "upper-case-scheme", "HTTP://h/", { "http", "h", -1, "/" }, "http://h/",
      "http://h/" },
  { "port", "http://h:8080/x", { "http", "h", 8080, "/x" }, "http://h:8080/x",
      "http://h:8080/x" },
  { "usual-port", "https://h:443/", { "https", "h", 443, "/" }, "https://h/",
      "https://h/" },
  { "port-of-the-other-scheme", "https://h:80/", { "https", "h", 80, "/" },
      "https://h:80/", "https://h:80/" },
  { "v4", "http://127.0.0.1:1/", { "http", "127.0.0.1", 1, "/" },
      "http://127.0.0.1:1/", "http://127.0.0.1:1/" },
  { "v6", "http://[2001:DB8::1]:81/", { "http", "2001:db8::1", 81, "/" },
      "http://[2001:db8::1]:81/", "http://[2001:db8::1]:81/" },
  { "path-byte-for-byte", "http://h/%7Ea%c3%A4//b;c=1/",
      { "http", "h", -1, "/%7Ea%c3%A4//b;c=1/" }, "http://h/%7Ea%c3%A4//b;c=1/",
      "http://h/%7Ea%c3%A4//b;c=1/" },
  { "user", "http://me:" SECRET "@h/",
      { "http", "h", -1, "/", NULL, "me", SECRET }, "http://h/", "http://h/" },
  { "user-decoded", "http://m%40e:p%3A%2F%40:w@h/",
      { "http", "h", -1, "/", NULL, "m@e", "p:/@:w" }, "http://h/",
      "http://h/" },
  { "user-without-password", "http://me@h/",
      { "http", "h", -1, "/", NULL, "me" }, "http://h/", "http://h/" },
  { "empty-password", "http://me:@h/", { "http", "h", -1, "/", NULL, "me", "" },
      "http://h/", "http://h/" },
  { "at-in-path", "http://h/@me/", { "http", "h", -1, "/@me/" },
      "http://h/@me/", "http://h/@me/" },
  { "query", "http://h/x?sv=1&sig=" SECRET "%3D",
      { "http", "h", -1, "/x", "sv=1&sig=" SECRET "%3D" },
      "http://h/x?sv=***&sig=***", "http://h/x" },
  { "query-is-a-token", "http://h/x?" SECRET, { "http", "h", -1, "/x", SECRET },
      "http://h/x?***", "http://h/x" },
  { "query-is-base64", "http://h/x?" SECRET "==",
      { "http", "h", -1, "/x", SECRET "==" }, "http://h/x?***", "http://h/x" },
  { "query-with-other-separator", "http://h?a=1;b=" SECRET,
      { "http", "h", -1, "/", "a=1;b=" SECRET }, "http://h/?a=***",
      "http://h/" },
  { "empty-query", "http://h/?", { "http", "h", -1, "/", "" }, "http://h/",
      "http://h/" },
};

static void
test_parsed (gconstpointer data)
{
  const Parsed *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsHttpUrl) url = ams_http_url_parse (c->text, &error);
  g_autofree gchar *display = NULL, *destination = NULL, *redacted = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (url->scheme, ==, c->url.scheme);
  g_assert_cmpstr (url->host, ==, c->url.host);
  g_assert_cmpint (url->port, ==, c->url.port);
  g_assert_cmpstr (url->path, ==, c->url.path);
  g_assert_cmpstr (url->query, ==, c->url.query);
  g_assert_cmpstr (url->user, ==, c->url.user);
  g_assert_cmpstr (url->password, ==, c->url.password);
  display = ams_http_url_to_display (url, NULL);
  g_assert_cmpstr (display, ==, c->display);
  redacted = ams_http_url_redact (c->text);
  g_assert_cmpstr (redacted, ==, c->display);
  destination = ams_http_url_to_destination (url);
  g_assert_cmpstr (destination, ==, c->destination);
}

/* ---- what may be shown of anything ---- */

typedef struct
{
  const gchar *name;
  const gchar *text;
  const gchar *shown;
} Redacted;

static const Redacted redacted[] = {
  { "no-url", "nonsense", "nonsense" },
  { "no-scheme", "me:" SECRET "@host/x", "host/x" },
  { "odd-scheme", "rtmp://me:" SECRET "@host/x", "rtmp://host/x" },
  { "slash-in-password", "http://me:a/" SECRET "@host/x", "http://host/x" },
  { "odd-query", "http://host/x y?a=" SECRET, "http://host/x y?***" },
  { "fragment", "http://host/x#" SECRET, "http://host/x?***" },
  { "question-mark-in-password", "http://me:" SECRET "?x@host/x",
      "http://host/x" },
  { "control", "a\tb\xff", "a?b\xef\xbf\xbd" },
};

static void
test_redacted (gconstpointer data)
{
  const Redacted *c = data;
  g_autofree gchar *shown = ams_http_url_redact (c->text);

  g_assert_cmpstr (shown, ==, c->shown);
}

static void
test_redact_long_text_is_cut (void)
{
  g_autofree gchar *text = g_strnfill (100000, 'x');
  g_autofree gchar *shown = ams_http_url_redact (text);

  g_assert_cmpuint (strlen (shown), <, 300);
}

/* ---- names below a folder ---- */

typedef struct
{
  const gchar *name;
  const gchar *folder;
  const gchar *file;
  const gchar *uri;
  const gchar *parents;
} Named;

static const Named named[] = {
  { "plain", "http://h/rec/", "00001.ts", "http://h/rec/00001.ts",
      "http://h/rec/" },
  { "root", "http://h", "a.ts", "http://h/a.ts", "" },
  { "folders", "http://h/a/b/", "c/d/e.ts", "http://h/a/b/c/d/e.ts",
      "http://h/a/ http://h/a/b/ http://h/a/b/c/ http://h/a/b/c/d/" },
  { "query", "http://h/a/?k=v&w", "b/c.ts", "http://h/a/b/c.ts?k=v&w",
      "http://h/a/?k=v&w http://h/a/b/?k=v&w" },
  { "double-slash", "http://h//a//", "b", "http://h//a//b", "http://h//a/" },
  { "escaped", "http://h/a%20b/", "c d/ä?#%.ts",
      "http://h/a%20b/c%20d/%C3%A4%3F%23%25.ts",
      "http://h/a%20b/ http://h/a%20b/c%20d/" },
  { "unreserved", "http://h/", "A-z_0.9~", "http://h/A-z_0.9~", "" },
  { "reserved", "http://h/", "a+b&c=d:e@f;g,h!",
      "http://h/a%2Bb%26c%3Dd%3Ae%40f%3Bg%2Ch%21", "" },
  { "no-user", "http://me:pw@h:81/", "a.ts", "http://h:81/a.ts", "" },
  { "v6", "http://[::1]:81/", "a.ts", "http://[::1]:81/a.ts", "" },
  { "not-normalised", "https://h/%7E%c3/", "a", "https://h/%7E%c3/a",
      "https://h/%7E%c3/" },
};

static gchar *
join_uris (GPtrArray *uris)
{
  GString *joined = g_string_new (NULL);

  for (guint i = 0; i < uris->len; i++) {
    g_autofree gchar *text = g_uri_to_string (uris->pdata[i]);

    g_string_append_printf (joined, "%s%s", i ? " " : "", text);
  }
  return g_string_free (joined, FALSE);
}

static void
test_named (gconstpointer data)
{
  const Named *c = data;
  g_autoptr (AmsHttpUrl) url = ams_http_url_parse (c->folder, NULL);
  g_autoptr (GUri) uri = ams_http_url_to_uri (url, c->file);
  g_autoptr (GPtrArray) parents = ams_http_url_parents (url, c->file);
  g_autofree gchar *text = g_uri_to_string (uri);
  g_autofree gchar *joined = join_uris (parents);

  g_assert_true (ams_http_url_is_folder (url));
  g_assert_cmpstr (text, ==, c->uri);
  g_assert_null (g_uri_get_userinfo (uri));
  g_assert_cmpstr (joined, ==, c->parents);
}

/* ---- the folder and the name of a file's URL ---- */

typedef struct
{
  const gchar *name;
  const gchar *text;
  const gchar *folder; /* NULL: refused */
  const gchar *file;
} Split;

static const Split splits[] = {
  { "plain", "http://me:pw@h/rec/a.ts?k=v", "/rec/", "a.ts" },
  { "root", "http://h/a.ts", "/", "a.ts" },
  { "escaped", "http://h/x%c3/%C3%A4%20b.ts", "/x%c3/", "ä b.ts" },
  { "folder", "http://h/rec/", NULL, NULL },
  { "not-as-encoded", "http://h/a%2ets", NULL, NULL },
  { "lower-case-escape", "http://h/%c3%a4.ts", NULL, NULL },
  { "escaped-slash", "http://h/a%2Fb", NULL, NULL },
  { "not-utf8", "http://h/%FF.ts", NULL, NULL },
  { "control", "http://h/%0A.ts", NULL, NULL },
};

static void
test_split (gconstpointer data)
{
  const Split *c = data;
  g_autoptr (AmsHttpUrl) url = ams_http_url_parse (c->text, NULL);
  g_autoptr (AmsHttpUrl) folder = NULL;
  g_autofree gchar *file = NULL;

  g_assert_nonnull (url);
  g_assert_cmpint (ams_http_url_split (url, &folder, &file), ==,
      c->folder != NULL);
  g_assert_cmpstr (folder ? folder->path : NULL, ==, c->folder);
  g_assert_cmpstr (file, ==, c->file);
  if (!c->folder)
    return;
  g_assert_true (ams_http_url_is_folder (folder));
  g_assert_cmpstr (folder->query, ==, url->query);
  g_assert_cmpstr (folder->user, ==, url->user);
  g_assert_cmpstr (folder->password, ==, url->password);
}

static void
test_display_name_is_encoded (void)
{
  g_autoptr (AmsHttpUrl) url =
      ams_http_url_parse ("http://me:" SECRET "@h/a/?sig=" SECRET, NULL);
  g_autofree gchar *shown = ams_http_url_to_display (url, "b c.ts");

  g_assert_cmpstr (shown, ==, "http://h/a/b%20c.ts?sig=***");
}

#define ADD_TABLE(table, subject, function) \
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], function); \
  }

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (refused, "/http-url/refused/", test_refused);
  ADD_TABLE (parsed, "/http-url/parsed/", test_parsed);
  ADD_TABLE (redacted, "/http-url/redacted/", test_redacted);
  ADD_TABLE (named, "/http-url/named/", test_named);
  ADD_TABLE (splits, "/http-url/split/", test_split);
  g_test_add_func ("/http-url/redacted/long-text-is-cut",
      test_redact_long_text_is_cut);
  g_test_add_func ("/http-url/display/name-is-encoded",
      test_display_name_is_encoded);
  return g_test_run ();
}
