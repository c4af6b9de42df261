/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpstatus.h"

#include "transfer/amsstore.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_RETRY_AFTER 300 /* s; http-put.md H12 */
#define MAX_PARSED 8192 /* of an error's body; http-put.md H24 */
#define MAX_SAID 200 /* characters of the server's own text */
#define MAX_REASON 60

/* Classes */

gboolean
ams_http_status_is_success (AmsHttpOperation operation, guint status)
{
  switch (operation) {
    case AMS_HTTP_PUT:
      return status == 200 || status == 201 || status == 202 || status == 204;
    case AMS_HTTP_DELETE:
      return status == 200 || status == 202 || status == 204 || status == 404 ||
          status == 410;
    case AMS_HTTP_GET:
      return status == 200;
    case AMS_HTTP_MKCOL:
      return status == 200 || status == 201 || status == 204 || status == 405;
    default:
      return status >= 200 && status < 300;
  }
}

AmsFailure
ams_http_status_to_failure (AmsHttpOperation operation, guint status)
{
  switch (status) {
    case 404:
    case 410:
      return operation == AMS_HTTP_GET ? AMS_FAILURE_ABSENT
                                       : AMS_FAILURE_PERMANENT;
    case 429:
    case 509: /* bandwidth limit exceeded (cPanel) */
      return AMS_FAILURE_THROTTLED;
    case 507:
      return AMS_FAILURE_FULL;
    case 408:
    case 421: /* another connection may get it right */
    case 423: /* a WebDAV lock, which somebody will give up */
    case 425:
    case 499: /* nginx: the client closed the request */
      return AMS_FAILURE_TRANSIENT;
    case 501:
    case 505:
    case 506:
    case 508:
    case 510:
      return AMS_FAILURE_PERMANENT;
    default:
      return status >= 500 ? AMS_FAILURE_TRANSIENT : AMS_FAILURE_PERMANENT;
  }
}

/* Retry-After */

static guint
seconds_until (const gchar *text, gint64 now)
{
  g_autoptr (GDateTime) date = soup_date_time_new_from_http_string (text);
  gint64 wait;

  if (!date)
    return 0;
  wait = g_date_time_to_unix (date) * G_TIME_SPAN_SECOND - now;
  if (wait <= 0)
    return 0;
  return MIN ((wait + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND,
      MAX_RETRY_AFTER);
}

guint
ams_http_parse_retry_after (const gchar *text, gint64 now)
{
  g_autofree gchar *trimmed = NULL;
  gsize digits;

  if (!text || !g_utf8_validate (text, -1, NULL))
    return 0;
  trimmed = g_strstrip (g_strdup (text));
  digits = strspn (trimmed, "0123456789");
  if (digits == 0 || trimmed[digits] != '\0')
    return seconds_until (trimmed, now);
  /* More than fits saturates. */
  return MIN (g_ascii_strtoull (trimmed, NULL, 10), MAX_RETRY_AFTER);
}

/* What the server said */

static gchar *
substitute (const gchar *text, const gchar *pattern, const gchar *by)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern,
      G_REGEX_CASELESS | G_REGEX_DOTALL, G_REGEX_MATCH_DEFAULT, NULL);
  /* The text is the server's: matching may end at a limit of PCRE's. */
  gchar *result = g_regex_replace (regex, text, -1, 0, by, 0, NULL);

  return result ? result : g_strdup ("");
}

static void
apply (gchar **text, const gchar *pattern, const gchar *by)
{
  g_autofree gchar *before = *text;

  *text = substitute (before, pattern, by);
}

/* NULL: this is no text. Pages that do not say what they are written in are taken for
 * Latin-1, unless they are UTF-8. */
static gchar *
decode_text (GBytes *reply)
{
  gsize size;
  const gchar *data = g_bytes_get_data (reply, &size), *end;
  gsize length = MIN (size, MAX_PARSED);

  for (gsize i = 0; i < length; i++) {
    if ((guchar) data[i] < ' ' && !strchr ("\t\n\f\r", data[i]))
      return NULL;
    if (data[i] == '\0')
      return NULL;
  }
  if (g_utf8_validate_len (data, length, &end))
    return g_strndup (data, length);
  /* Cut within a character. */
  if (length == MAX_PARSED && length - (end - data) < 4)
    return g_strndup (data, end - data);
  return g_convert (data, length, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}

static gchar *
shorten (const gchar *text, glong max)
{
  g_autofree gchar *start = NULL;

  if (g_utf8_strlen (text, -1) <= max)
    return g_strdup (text);
  start = g_utf8_substring (text, 0, max - 1);
  return g_strconcat (g_strchomp (start), "…", NULL);
}

/* One line without markup. Servers repeat requests in their pages: what may be a secret
 * in those is not shown. */
static gchar *
clean_line (const gchar *text, glong max)
{
  g_autofree gchar *line = g_strdup (text);

  apply (&line, "<!--.*?(-->|$)", " ");
  apply (&line, "<(head|script|style)\\b.*?(</\\1\\s*>|$)", " ");
  apply (&line, "<[^>]*(>|$)", " ");
  apply (&line, "&nbsp;", " ");
  apply (&line, "&lt;", "<");
  apply (&line, "&gt;", ">");
  apply (&line, "&(quot|#34);", "\"");
  apply (&line, "&(#39|apos);", "'");
  apply (&line, "&amp;", "&");
  apply (&line, "\\?[^\\s\"'<>]+", "?***");
  apply (&line, "//[^/\\s@\"'<>]*@", "//***@");
  apply (&line, "\\b(authorization\\W*[:=]).*", "\\1 ***");
  apply (&line, "\\b(basic|bearer|digest)\\s+\\S+", "\\1 ***");
  apply (&line, "[\\s\\p{C}]+", " ");
  return shorten (g_strstrip (line), max);
}

static gchar *
describe_reply (GBytes *reply)
{
  g_autofree gchar *text = NULL, *line = NULL;

  text = reply ? decode_text (reply) : NULL;
  line = text ? clean_line (text, MAX_SAID) : NULL;
  if (!line || line[0] == '\0')
    return g_strdup ("");
  return g_strdup_printf (" (it says: “%s”)", line);
}

static gchar *
describe_status (guint status, const gchar *reason)
{
  g_autofree gchar *valid = reason ? g_utf8_make_valid (reason, -1) : NULL;
  g_autofree gchar *line = valid ? clean_line (valid, MAX_REASON) : NULL;

  if (!line || line[0] == '\0')
    return g_strdup_printf ("%u", status);
  return g_strdup_printf ("%u %s", status, line);
}

/* Hints */

static gboolean
is_write (AmsHttpOperation operation)
{
  return operation == AMS_HTTP_PUT || operation == AMS_HTTP_MKCOL;
}

static const gchar *
hint_for_put (guint status)
{
  switch (status) {
    case 404:
    case 409:
      return "a folder is missing there: create it, or set create-collections=true, or create_full_put_path on (nginx)";
    case 500:
      return "if a folder is missing there (nginx says that so): create it, or set create-collections=true, or create_full_put_path on (nginx)";
    case 411:
      return "it wants to know the length first: set chunked=false";
    case 412:
      return "a condition in extra-headers is not met, or another file is there";
    case 413:
      return "that is larger than it takes: raise client_max_body_size (nginx) or LimitRequestBody (Apache)";
    case 414:
      return "the URL is longer than it takes: choose a shorter name";
    case 415:
      return "it does not take this type: set content-type";
    case 417:
      return "it does not take Expect: set expect=never";
    case 507:
      return "its disk or quota is full: make room there";
    default:
      return NULL;
  }
}

static const gchar *
hint_for_method (AmsHttpOperation operation)
{
  switch (operation) {
    case AMS_HTTP_PUT:
      return "it does not take PUT there: is WebDAV on, and is this the folder for uploads?";
    case AMS_HTTP_DELETE:
      return "it does not take DELETE there: allow that (WebDAV), or let it remove old files by itself";
    case AMS_HTTP_MKCOL:
      return "it does not take MKCOL there: is WebDAV on?";
    default:
      return NULL;
  }
}

static const gchar *
find_hint (AmsHttpOperation operation, guint status)
{
  switch (status) {
    case 401:
      return "check user-id and user-pw, or bearer-token, and auth";
    case 403:
      return "check what user-id or bearer-token (or ssl-cert-file) may do there";
    case 407:
      return "the proxy wants proxy-id and proxy-pw";
    case 405:
    case 501:
      return hint_for_method (operation);
    default:
      return is_write (operation) ? hint_for_put (status) : NULL;
  }
}

static const gchar *
say_failed (AmsHttpOperation operation)
{
  switch (operation) {
    case AMS_HTTP_PUT:
      return "was not stored";
    case AMS_HTTP_DELETE:
      return "was not removed";
    case AMS_HTTP_GET:
      return "could not be read";
    case AMS_HTTP_MKCOL:
      return "could not be created";
    default:
      return "was not notified";
  }
}

GError *
ams_http_status_error (AmsHttpOperation operation, const gchar *url,
    guint status, const gchar *reason, guint retry_after, GBytes *reply)
{
  g_autofree gchar *answer = describe_status (status, reason);
  g_autofree gchar *said = describe_reply (reply);
  const gchar *hint = find_hint (operation, status);
  AmsFailure failure = ams_http_status_to_failure (operation, status);

  if (status == 503 && retry_after > 0)
    failure = AMS_FAILURE_THROTTLED;
  return ams_store_error_new (failure, status, retry_after,
      "“%s” %s: the server answered %s%s%s%s", url, say_failed (operation),
      answer, said, hint ? "; " : "", hint ? hint : "");
}
