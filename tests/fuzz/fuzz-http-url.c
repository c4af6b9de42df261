/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A URL and what follows from it, and a server's answer: what goes out is what came in,
 * and nothing secret is shown. */

#include <string.h>

#include "files/amsfiles.h"
#include "http/amshttpstatus.h"
#include "http/amshttpurl.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
assert_plain (const gchar *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (; *text; text = g_utf8_next_char (text))
    g_assert_false (g_unichar_iscntrl (g_utf8_get_char (text)));
}

static void
check_uri (const AmsHttpUrl *url, const gchar *name)
{
  g_autoptr (GUri) uri = ams_http_url_to_uri (url, name);
  g_autofree gchar *encoded = name ? ams_http_url_encode_name (name) : NULL;
  g_autofree gchar *path = g_strconcat (url->path, encoded, NULL);

  g_assert_cmpstr (g_uri_get_path (uri), ==, path);
  g_assert_cmpstr (g_uri_get_query (uri), ==, url->query);
  g_assert_null (g_uri_get_userinfo (uri));
}

static void
check_names (const AmsHttpUrl *url)
{
  g_autoptr (AmsHttpUrl) folder = NULL;
  g_autofree gchar *name = NULL;
  g_autoptr (GPtrArray) parents = ams_http_url_parents (url, "a/b c");

  g_assert_cmpuint (parents->len, >=, 1);
  check_uri (url, NULL);
  if (!ams_http_url_split (url, &folder, &name))
    return;
  g_assert_true (ams_http_url_is_folder (folder));
  g_assert_true (ams_file_name_check (name, NULL));
  check_uri (folder, name);
}

static void
check_text (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsHttpUrl) url = ams_http_url_parse (text, &error);
  g_autofree gchar *shown = ams_http_url_redact (text), *destination = NULL;
  g_autoptr (AmsHttpUrl) again = NULL;

  g_assert_true ((url == NULL) == (error != NULL));
  assert_plain (shown);
  if (!url) {
    assert_plain (error->message);
    return;
  }
  destination = ams_http_url_to_destination (url);
  again = ams_http_url_parse (destination, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->path, ==, url->path);
  g_assert_cmpstr (again->host, ==, url->host);
  check_names (url);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autoptr (GBytes) reply = g_bytes_new (data, size);
  g_autoptr (GError) error =
      ams_http_status_error (AMS_HTTP_PUT, "u", 400, text, 0, reply);

  check_text (text);
  assert_plain (error->message);
  g_assert_cmpuint (ams_http_parse_retry_after (text, G_TIME_SPAN_DAY), <=,
      300);
  return 0;
}
