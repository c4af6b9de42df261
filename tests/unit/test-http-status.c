/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpstatus.h"
#include "transfer/amsstore.h"

#include <string.h>

/* ---- classes ---- */

#define DONE G_MAXINT /* a success in place of a failure */

typedef struct
{
  const gchar *name;
  AmsHttpOperation operation;
  gint failure;
  guint statuses[32];
} Class;

static const Class classes[] = {
  { "put/done", AMS_HTTP_PUT, DONE, { 200, 201, 202, 204 } },
  { "put/transient", AMS_HTTP_PUT, AMS_FAILURE_TRANSIENT,
      { 408, 421, 423, 425, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524,
          525, 526, 527, 599 } },
  { "put/throttled", AMS_HTTP_PUT, AMS_FAILURE_THROTTLED, { 429, 509 } },
  { "put/full", AMS_HTTP_PUT, AMS_FAILURE_FULL, { 507 } },
  { "put/permanent", AMS_HTTP_PUT, AMS_FAILURE_PERMANENT,
      { 100, 203, 205, 206, 207, 226, 299, 301, 302, 303, 307, 308, 400, 401,
          403, 404, 405, 409, 410, 411, 412, 413, 414, 415, 417, 431, 451, 501,
          505 } },
  { "delete/done", AMS_HTTP_DELETE, DONE, { 200, 202, 204, 404, 410 } },
  { "delete/permanent", AMS_HTTP_DELETE, AMS_FAILURE_PERMANENT,
      { 201, 207, 302, 401, 403, 405, 501 } },
  { "delete/transient", AMS_HTTP_DELETE, AMS_FAILURE_TRANSIENT, { 500, 503 } },
  { "get/done", AMS_HTTP_GET, DONE, { 200 } },
  { "get/absent", AMS_HTTP_GET, AMS_FAILURE_ABSENT, { 404, 410 } },
  { "get/permanent-never-absent", AMS_HTTP_GET, AMS_FAILURE_PERMANENT,
      { 201, 202, 203, 204, 206, 300, 304, 401, 403, 406, 416, 451 } },
  { "get/transient-never-absent", AMS_HTTP_GET, AMS_FAILURE_TRANSIENT,
      { 408, 425, 500, 502, 503, 504, 522 } },
  { "mkcol/done", AMS_HTTP_MKCOL, DONE, { 201, 405 } },
  { "mkcol/permanent", AMS_HTTP_MKCOL, AMS_FAILURE_PERMANENT,
      { 207, 301, 403, 404, 409, 415, 501 } },
  { "post/done", AMS_HTTP_POST, DONE, { 200, 201, 202, 204, 299 } },
  { "post/permanent", AMS_HTTP_POST, AMS_FAILURE_PERMANENT,
      { 302, 400, 401, 404, 410 } },
};

static void
test_class (gconstpointer data)
{
  const Class *c = data;

  for (guint i = 0; c->statuses[i]; i++) {
    guint status = c->statuses[i];

    g_assert_cmpint (ams_http_status_is_success (c->operation, status), ==,
        c->failure == DONE);
    if (c->failure != DONE)
      g_assert_cmpint (ams_http_status_to_failure (c->operation, status), ==,
          c->failure);
  }
}

/* ---- Retry-After ---- */

#define NOW (G_GINT64_CONSTANT (784111777) * G_TIME_SPAN_SECOND)

typedef struct
{
  const gchar *name;
  const gchar *text;
  guint seconds;
} After;

static const After afters[] = {
  { "none", NULL, 0 },
  { "empty", "", 0 },
  { "seconds", "120", 120 },
  { "blanks", "  7 ", 7 },
  { "capped", "301", 300 },
  { "more-than-64-bits", "99999999999999999999999", 300 },
  { "negative", "-5", 0 },
  { "fraction", "1.5", 0 },
  { "rubbish", "soon", 0 },
  { "not-utf8", "\xff", 0 },
  { "date", "Sun, 06 Nov 1994 08:50:07 GMT", 30 },
  { "date-of-rfc850", "Sunday, 06-Nov-94 08:50:07 GMT", 30 },
  { "date-of-asctime", "Sun Nov  6 08:50:07 1994", 30 },
  { "date-in-the-past", "Sun, 06 Nov 1994 08:49:07 GMT", 0 },
  { "date-far-off", "Sun, 06 Nov 2095 08:49:07 GMT", 300 },
};

static void
test_after (gconstpointer data)
{
  const After *c = data;

  g_assert_cmpuint (ams_http_parse_retry_after (c->text, NOW), ==, c->seconds);
}

static void
test_retry_after_part_of_a_second_rounds_up (void)
{
  g_assert_cmpuint (
      ams_http_parse_retry_after ("Sun, 06 Nov 1994 08:49:38 GMT", NOW + 1), ==,
      1);
}

/* ---- sentences ---- */

#define URL "http://h/a.ts"

typedef struct
{
  const gchar *name;
  AmsHttpOperation operation;
  guint status;
  const gchar *reason;
  guint retry_after;
  gint failure;
  const gchar *said; /* a part of the sentence */
} Said;

static const Said sayings[] = {
  { "what-and-where", AMS_HTTP_PUT, 418, "I'm a teapot", 0,
      AMS_FAILURE_PERMANENT,
      "“" URL "” was not stored: the server answered 418 I'm a teapot" },
  { "no-reason", AMS_HTTP_GET, 502, NULL, 0, AMS_FAILURE_TRANSIENT,
      "“" URL "” could not be read: the server answered 502" },
  { "reason-with-control", AMS_HTTP_GET, 502, "a\x1b[31m\nb", 0,
      AMS_FAILURE_TRANSIENT, "502 a [31m b" },
  { "401", AMS_HTTP_PUT, 401, "No", 0, AMS_FAILURE_PERMANENT, "user-pw" },
  { "403", AMS_HTTP_GET, 403, "No", 0, AMS_FAILURE_PERMANENT, "bearer-token" },
  { "407", AMS_HTTP_PUT, 407, "No", 0, AMS_FAILURE_PERMANENT, "proxy-pw" },
  { "put-404", AMS_HTTP_PUT, 404, "No", 0, AMS_FAILURE_PERMANENT,
      "create-collections=true" },
  { "put-409", AMS_HTTP_PUT, 409, "No", 0, AMS_FAILURE_PERMANENT,
      "a folder is missing" },
  { "put-500", AMS_HTTP_PUT, 500, "No", 0, AMS_FAILURE_TRANSIENT,
      "create_full_put_path" },
  { "put-405", AMS_HTTP_PUT, 405, "No", 0, AMS_FAILURE_PERMANENT, "WebDAV" },
  { "put-501", AMS_HTTP_PUT, 501, "No", 0, AMS_FAILURE_PERMANENT, "PUT there" },
  { "delete-405", AMS_HTTP_DELETE, 405, "No", 0, AMS_FAILURE_PERMANENT,
      "was not removed" },
  { "put-411", AMS_HTTP_PUT, 411, "No", 0, AMS_FAILURE_PERMANENT,
      "chunked=false" },
  { "put-413", AMS_HTTP_PUT, 413, "No", 0, AMS_FAILURE_PERMANENT,
      "client_max_body_size" },
  { "put-507", AMS_HTTP_PUT, 507, "No", 0, AMS_FAILURE_FULL, "full" },
  { "503-alone", AMS_HTTP_PUT, 503, "No", 0, AMS_FAILURE_TRANSIENT, "503" },
  { "503-with-retry-after", AMS_HTTP_PUT, 503, "No", 9, AMS_FAILURE_THROTTLED,
      "503" },
  { "post", AMS_HTTP_POST, 404, "No", 0, AMS_FAILURE_PERMANENT,
      "was not notified: the server answered 404 No" },
};

static void
test_said (gconstpointer data)
{
  const Said *c = data;
  g_autoptr (GError) error = ams_http_status_error (c->operation, URL,
      c->status, c->reason, c->retry_after, NULL);

  g_assert_error (error, AMS_STORE_ERROR, c->failure);
  g_assert_cmpuint (ams_store_error_get_http_status (error), ==, c->status);
  g_assert_cmpuint (ams_store_error_get_retry_after (error), ==,
      c->retry_after);
  g_assert_nonnull (strstr (error->message, c->said));
}

static void
test_said_500_of_get_has_no_hint_about_folders (void)
{
  g_autoptr (GError) error =
      ams_http_status_error (AMS_HTTP_GET, URL, 500, "No", 0, NULL);

  g_assert_null (strstr (error->message, "folder"));
}

/* ---- the server's own text ---- */

typedef struct
{
  const gchar *name;
  const gchar *reply;
  const gchar *line; /* NULL: nothing is shown */
} Reply;

static const Reply replies[] = {
  { "empty", "", NULL },
  { "plain", "disk quota exceeded\n", "disk quota exceeded" },
  { "nginx",
      "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n"
      "<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>",
      "403 Forbidden nginx" },
  { "script", "<script>var a = '<b>';</script>no<style>x", "no" },
  { "comment", "a<!-- b > -->c", "a c" },
  { "cut-tag", "a<b class=\"", "a" },
  { "entities", "a &lt;b&gt; &amp;lt; &quot;c&#39;s&quot;",
      "a <b> &lt; \"c's\"" },
  { "json", "{\"error\": \"no\"}", "{\"error\": \"no\"}" },
  { "binary", "\x1f\x8b\x08 abc", NULL },
  { "escape-sequences", "a\x1b[31mb", NULL },
  { "unicode-control",
      "a\xe2\x80\xae"
      "b\xc2\x85"
      "c",
      "a b c" },
  { "latin1", "verf\xfcgbar", "verfügbar" },
  { "query", "cannot PUT /a.ts?sig=hidden&x=1 now",
      "cannot PUT /a.ts?*** now" },
  { "user", "no http://me:hidden@h/", "no http://***@h/" },
  { "header", "got Authorization: Basic aGlkZGVu", "got Authorization: ***" },
  { "bearer", "token: Bearer abc.def bad", "token: Bearer *** bad" },
};

static GError *
error_with_reply (const gchar *text, gsize size)
{
  g_autoptr (GBytes) reply = g_bytes_new (text, size);

  return ams_http_status_error (AMS_HTTP_PUT, URL, 418, "x", 0, reply);
}

static void
test_reply (gconstpointer data)
{
  const Reply *c = data;
  g_autoptr (GError) error = error_with_reply (c->reply, strlen (c->reply));
  g_autofree gchar *expected = c->line
      ? g_strdup_printf ("418 x (it says: “%s”)", c->line)
      : g_strdup ("418 x");

  g_assert_true (g_str_has_suffix (error->message, expected));
  g_assert_null (strstr (error->message, "hidden"));
}

static void
test_reply_with_nul_is_not_shown (void)
{
  g_autoptr (GError) error = error_with_reply ("a\0b", 3);

  g_assert_true (g_str_has_suffix (error->message, "418 x"));
}

static void
test_reply_long_is_cut (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append (text, "ä");
  error = error_with_reply (text->str, text->len);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_cmpint (g_utf8_strlen (error->message, -1), <, 300);
  g_assert_nonnull (strstr (error->message, "ää…”"));
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
  ADD_TABLE (classes, "/http-status/class/", test_class);
  ADD_TABLE (afters, "/http-status/retry-after/", test_after);
  ADD_TABLE (sayings, "/http-status/said/", test_said);
  ADD_TABLE (replies, "/http-status/reply/", test_reply);
  g_test_add_func ("/http-status/retry-after/part-of-a-second-rounds-up",
      test_retry_after_part_of_a_second_rounds_up);
  g_test_add_func ("/http-status/said/500-of-get-has-no-hint-about-folders",
      test_said_500_of_get_has_no_hint_about_folders);
  g_test_add_func ("/http-status/reply/with-nul-is-not-shown",
      test_reply_with_nul_is_not_shown);
  g_test_add_func ("/http-status/reply/long-is-cut", test_reply_long_is_cut);
  return g_test_run ();
}
