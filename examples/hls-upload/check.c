/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "check.h"

#include "http/amsputrules.h"
#include "names.h"
#include "s3/amss3key.h"

#include <string.h>

static gboolean
refuse (GError **error, guint status, const gchar *sentence)
{
  g_set_error_literal (error, HLS_UPLOAD_ERROR, status, sentence);
  return FALSE;
}

/* More digits than that overflow. */
#define MAX_DIGITS 18

static gboolean
is_length (const gchar *value)
{
  gsize digits = strspn (value, "0123456789");

  return digits > 0 && digits <= MAX_DIGITS && !value[digits];
}

/* Where a request ends. A proxy in front that takes the other length for the right one would see other requests
 * on the connection than are seen here, and let pass what it would refuse (RFC 9112, 6.3, 11.2). */
static gboolean
check_end (SoupMessageHeaders *headers, GError **error)
{
  const gchar *name, *value;
  SoupMessageHeadersIter iter;
  guint lengths = 0, codings = 0;
  gboolean is_number = TRUE;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value)) {
    if (g_ascii_strcasecmp (name, "Content-Length") == 0) {
      lengths++;
      is_number = is_number && is_length (value);
    }
    if (g_ascii_strcasecmp (name, "Transfer-Encoding") == 0)
      codings++;
  }
  return (lengths + codings <= 1 && is_number) ||
      refuse (error, 400,
          "The request says in two ways, or in a wrong one, how long it is: "
          "send one Content-Length, or Transfer-Encoding.");
}

static gboolean
check_sender (const HlsUploadAuth *auth, SoupMessageHeaders *headers,
    GError **error)
{
  const gchar *authorization =
      soup_message_headers_get_one (headers, "Authorization");

  return hls_upload_auth_allows (auth, authorization) ||
      refuse (error, 401,
          authorization
              ? "User and password, or token, are not right: check them."
              : "This needs a user and a password, or a token: send them.");
}

static gboolean
check_method (const gchar *method, GError **error)
{
  static const gchar *const methods[] = { "PUT", "GET", "HEAD", "DELETE",
    NULL };

  return g_strv_contains (methods, method) ||
      refuse (error, 405, "Only GET, HEAD, PUT and DELETE are done here.");
}

static gboolean
check_name (const HlsUploadOptions *options, SoupServerMessage *message,
    gchar **name, GError **error)
{
  g_autofree gchar *found = hls_upload_name_parse (
      g_uri_get_path (soup_server_message_get_uri (message)), options->app,
      error);
  g_autoptr (GError) fault = NULL;
  g_autofree gchar *key = NULL;

  if (!found)
    return FALSE;
  key = ams_s3_key_new (options->store.prefix, found, &fault);
  if (!key)
    return refuse (error, 400, fault->message);
  *name = g_steal_pointer (&found);
  return TRUE;
}

static gboolean
check_condition (const HlsUploadOptions *options, const gchar *name,
    SoupMessageHeaders *headers, gboolean *conditional, GError **error)
{
  const gchar *none_match =
      soup_message_headers_get_one (headers, "If-None-Match");

  *conditional = none_match && strcmp (none_match, "*") == 0;
  if ((none_match && !*conditional) ||
      soup_message_headers_get_one (headers, "If-Match"))
    return refuse (error, 501,
        "Of the conditions only “If-None-Match: *” is done here: leave the "
        "others out.");
  if (*conditional && options->spool &&
      !ams_put_is_made_once (hls_upload_role_of (name)))
    return refuse (error, 501,
        "With a spool it is not known whether the store has such a file: leave "
        "If-None-Match out.");
  return TRUE;
}

static gboolean
check_size (const HlsUploadOptions *options, SoupMessageHeaders *headers,
    GError **error)
{
  if (soup_message_headers_get_encoding (headers) !=
          SOUP_ENCODING_CONTENT_LENGTH ||
      (guint64) soup_message_headers_get_content_length (headers) <=
          options->max_size)
    return TRUE;
  return refuse (error, 413, "The file is larger than may be uploaded here.");
}

/* A length that was written wrongly, as “Content-Length : 5”, is none to libsoup, and the file behind it would be the
 * next request. */
static gboolean
check_length (SoupMessageHeaders *headers, GError **error)
{
  return soup_message_headers_get_encoding (headers) != SOUP_ENCODING_NONE ||
      refuse (error, 411,
          "The request does not say how long the file is: send "
          "Content-Length, or Transfer-Encoding: chunked.");
}

static gboolean
check_body (const HlsUploadOptions *options, SoupMessageHeaders *headers,
    GError **error)
{
  const gchar *coding =
      soup_message_headers_get_one (headers, "Content-Encoding");

  if (!check_length (headers, error) || !check_size (options, headers, error))
    return FALSE;
  if (soup_message_headers_get_one (headers, "Content-Range"))
    return refuse (error, 400,
        "A part of a file (Content-Range) cannot be put: send the whole.");
  if (coding && g_ascii_strcasecmp (coding, "identity") != 0)
    return refuse (error, 415,
        "Files are stored as they come, so they cannot come compressed: leave "
        "Content-Encoding out.");
  return TRUE;
}

static gboolean
check_put (const HlsUploadOptions *options, const gchar *name,
    SoupMessageHeaders *headers, gboolean *conditional, GError **error)
{
  return check_body (options, headers, error) &&
      check_condition (options, name, headers, conditional, error);
}

static gboolean
has_body (SoupMessageHeaders *headers)
{
  SoupEncoding encoding = soup_message_headers_get_encoding (headers);

  return encoding == SOUP_ENCODING_CHUNKED ||
      (encoding == SOUP_ENCODING_CONTENT_LENGTH &&
          soup_message_headers_get_content_length (headers) > 0);
}

gboolean
hls_upload_check (const HlsUploadOptions *options, const HlsUploadAuth *auth,
    guint requests, SoupServerMessage *message, gchar **name,
    gboolean *conditional, GError **error)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers (message);
  const gchar *method = soup_server_message_get_method (message);

  if (!check_end (headers, error) || !check_sender (auth, headers, error) ||
      !check_method (method, error) ||
      !check_name (options, message, name, error))
    return FALSE;
  if (requests >= options->max_requests)
    return refuse (error, 503,
        "As many requests as may be are under way: send it again.");
  if (strcmp (method, "PUT") == 0)
    return check_put (options, *name, headers, conditional, error);
  return !has_body (headers) ||
      refuse (error, 400, "Only PUT has a body: leave it out.");
}
