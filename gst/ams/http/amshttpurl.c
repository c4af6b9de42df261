/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpurl.h"

#include "files/amsfiles.h"
#include "transfer/amsstore.h"

#include <string.h>

#define UNRESERVED "-._~" /* and letters and digits (RFC 3986 2.3) */
#define SUB_DELIMS "!$&'()*+,;="
#define PATH_CHARS UNRESERVED SUB_DELIMS ":@/%"
#define QUERY_CHARS PATH_CHARS "?"
#define USER_CHARS UNRESERVED SUB_DELIMS ":%"
#define HOST_CHARS "-._"
/* Of a text that is no URL no more is shown. */
#define MAX_SHOWN 200

void
ams_http_url_free (AmsHttpUrl *url)
{
  g_free (url->scheme);
  g_free (url->host);
  g_free (url->path);
  g_free (url->query);
  g_free (url->user);
  if (url->password)
    memset (url->password, 0, strlen (url->password));
  g_free (url->password);
  g_free (url);
}

static AmsHttpUrl *
copy_with_path (const AmsHttpUrl *url, gchar *path)
{
  AmsHttpUrl *copy = g_new0 (AmsHttpUrl, 1);

  copy->scheme = g_strdup (url->scheme);
  copy->host = g_strdup (url->host);
  copy->port = url->port;
  copy->path = path;
  copy->query = g_strdup (url->query);
  copy->user = g_strdup (url->user);
  copy->password = g_strdup (url->password);
  return copy;
}

/* Parsing: each step takes its part of the text, and answers what is wrong with it in
 * words that follow the URL, or NULL. */

static gboolean
is_made_of (const gchar *text, const gchar *others)
{
  for (; *text; text++) {
    if (!g_ascii_isalnum (*text) && !strchr (others, *text))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_good_escapes (const gchar *text)
{
  for (; (text = strchr (text, '%')); text++) {
    if (!g_ascii_isxdigit (text[1]) || !g_ascii_isxdigit (text[2]))
      return FALSE;
    if (text[1] == '0' && text[2] == '0')
      return FALSE;
  }
  return TRUE;
}

static const gchar *
find_bad_character (const gchar *text)
{
  const guchar *p = (const guchar *) text;

  for (; *p; p++) {
    if (*p == ' ')
      return "has a space in it: write %20";
    if (*p < ' ' || *p == 0x7f)
      return "has a control character in it";
    if (*p > 0x7f)
      return "has a character in it that is not ASCII: write its UTF-8 bytes as %XX, a host’s name as “xn--…”";
    if (*p == '#')
      return "has a “#” in it, which no server gets to see: leave out what begins with it, or write %23";
  }
  return has_good_escapes (text)
      ? NULL
      : "has a “%” in it that is not followed by two hexadecimal digits other than 00: write %25";
}

static const gchar *
take_scheme (AmsHttpUrl *url, const gchar **text)
{
  const gchar *end = strstr (*text, "://");

  if (!end)
    return "is no URL: write “http://…” or “https://…”";
  url->scheme = g_ascii_strdown (*text, end - *text);
  *text = end + 3;
  if (strcmp (url->scheme, "http") != 0 && strcmp (url->scheme, "https") != 0)
    return "is neither http nor https: write “http://…” or “https://…”";
  return NULL;
}

static gboolean
is_plain (const gchar *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (; *text; text = g_utf8_next_char (text)) {
    if (g_unichar_iscntrl (g_utf8_get_char (text)))
      return FALSE;
  }
  return TRUE;
}

static const gchar *
take_user (AmsHttpUrl *url, gchar *text)
{
  gchar *colon = strchr (text, ':');

  if (!is_made_of (text, USER_CHARS))
    return "has a user or password with a character that must be written as %XX";
  if (colon) {
    *colon = '\0';
    url->password = g_uri_unescape_string (colon + 1, NULL);
  }
  url->user = g_uri_unescape_string (text, NULL);
  if (!url->user || !is_plain (url->user) || strchr (url->user, ':'))
    return "has a user with a colon, a control character or no UTF-8 in it";
  if (colon && (!url->password || !is_plain (url->password)))
    return "has a password with a control character or no UTF-8 in it";
  return NULL;
}

static const gchar *
take_port (AmsHttpUrl *url, const gchar *text)
{
  guint64 port;

  if (!g_ascii_string_to_unsigned (text, 10, 1, 65535, &port, NULL))
    return "has a bad port: write a number from 1 to 65535 after the colon, or neither";
  url->port = port;
  return NULL;
}

static const gchar *
take_ipv6 (AmsHttpUrl *url, gchar *text)
{
  gchar *end = strchr (text, ']');

  if (!end || (end[1] != '\0' && end[1] != ':'))
    return "has a bad host: an IPv6 address is written as “[2001:db8::1]”";
  *end = '\0';
  url->host = g_ascii_strdown (text, -1);
  if (!strchr (url->host, ':') || strchr (url->host, '%') ||
      !g_hostname_is_ip_address (url->host))
    return "has a bad host: between the brackets is no IPv6 address";
  return end[1] ? take_port (url, end + 2) : NULL;
}

static const gchar *
take_host (AmsHttpUrl *url, gchar *text)
{
  gchar *colon;

  if (text[0] == '[')
    return take_ipv6 (url, text + 1);
  colon = strchr (text, ':');
  if (colon)
    *colon = '\0';
  if (text[0] == '\0')
    return "has no host: write “http://host/folder/”";
  if (!is_made_of (text, HOST_CHARS))
    return "has a bad host: a name has letters, digits, “-” and “.” only";
  url->host = g_ascii_strdown (text, -1);
  return colon ? take_port (url, colon + 1) : NULL;
}

static const gchar *
take_authority (AmsHttpUrl *url, const gchar **text)
{
  g_autofree gchar *authority = NULL;
  const gchar *fault = NULL;
  gsize length = strcspn (*text, "/?");
  gchar *at;

  authority = g_strndup (*text, length);
  *text += length;
  at = strrchr (authority, '@');
  if (at) {
    *at = '\0';
    fault = take_user (url, authority);
  }
  if (!fault)
    fault = take_host (url, at ? at + 1 : authority);
  /* It may have a password in it. */
  memset (authority, 0, length);
  return fault;
}

static gboolean
has_dot_parts (const gchar *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  for (guint i = 0; parts[i]; i++) {
    g_autofree gchar *part = g_uri_unescape_string (parts[i], NULL);

    if (g_strcmp0 (part, ".") == 0 || g_strcmp0 (part, "..") == 0)
      return TRUE;
  }
  return FALSE;
}

static const gchar *
take_path (AmsHttpUrl *url, const gchar **text)
{
  gsize length = strcspn (*text, "?");

  url->path = length > 0 ? g_strndup (*text, length) : g_strdup ("/");
  *text += length;
  if (!is_made_of (url->path, PATH_CHARS))
    return "has a character in its path that must be written as %XX";
  if (has_dot_parts (url->path))
    return "has “.” or “..” as a part of its path: write the path that is meant";
  return NULL;
}

static const gchar *
take_query (AmsHttpUrl *url, const gchar *text)
{
  if (text[0] != '?')
    return NULL;
  url->query = g_strdup (text + 1);
  if (!is_made_of (url->query, QUERY_CHARS))
    return "has a character in its query that must be written as %XX";
  return NULL;
}

static AmsHttpUrl *
parse (const gchar *text, const gchar **fault)
{
  g_autoptr (AmsHttpUrl) url = g_new0 (AmsHttpUrl, 1);

  url->port = -1;
  *fault = find_bad_character (text);
  if (!*fault)
    *fault = take_scheme (url, &text);
  if (!*fault)
    *fault = take_authority (url, &text);
  if (!*fault)
    *fault = take_path (url, &text);
  if (!*fault)
    *fault = take_query (url, text);
  return *fault ? NULL : g_steal_pointer (&url);
}

/* Showing */

static void
append_shown_parameter (GString *shown, const gchar *parameter)
{
  const gchar *equals = strchr (parameter, '=');

  /* What has no value may be the secret itself, with the padding of base64 behind it. */
  if (equals && equals[strspn (equals, "=")] != '\0')
    g_string_append_len (shown, parameter, equals + 1 - parameter);
  g_string_append (shown, "***");
}

static void
append_shown_query (GString *shown, const gchar *query)
{
  g_auto (GStrv) parameters = g_strsplit (query, "&", -1);

  g_string_append_c (shown, '?');
  for (guint i = 0; parameters[i]; i++) {
    if (i > 0)
      g_string_append_c (shown, '&');
    append_shown_parameter (shown, parameters[i]);
  }
}

static void
append_origin (GString *shown, const AmsHttpUrl *url)
{
  gboolean v6 = strchr (url->host, ':') != NULL;
  gint usual = strcmp (url->scheme, "https") == 0 ? 443 : 80;

  g_string_append_printf (shown, "%s://%s%s%s", url->scheme, v6 ? "[" : "",
      url->host, v6 ? "]" : "");
  if (url->port >= 0 && url->port != usual)
    g_string_append_printf (shown, ":%d", url->port);
}

gchar *
ams_http_url_to_display (const AmsHttpUrl *url, const gchar *name)
{
  GString *shown = g_string_new (NULL);
  g_autofree gchar *encoded = name ? ams_http_url_encode_name (name) : NULL;

  append_origin (shown, url);
  g_string_append (shown, url->path);
  if (encoded)
    g_string_append (shown, encoded);
  if (url->query && url->query[0])
    append_shown_query (shown, url->query);
  return g_string_free (shown, FALSE);
}

static gchar *
make_printable (const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new (NULL);
  const gchar *p = valid;

  for (guint n = 0; *p && n < MAX_SHOWN; n++, p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    g_string_append_unichar (printable, g_unichar_iscntrl (c) ? '?' : c);
  }
  if (*p)
    g_string_append (printable, "…");
  return g_string_free (printable, FALSE);
}

/* It is not known what of this is a user or a password: nothing before the last "@" is
 * shown, wherever that is. */
static gchar *
redact_no_url (const gchar *text)
{
  g_autofree gchar *printable = NULL;
  GString *shown = g_string_new (NULL);
  const gchar *at = strrchr (text, '@'), *scheme = strstr (text, "://");
  gchar *query;

  if (at && scheme && scheme < at)
    g_string_append_len (shown, text, scheme + 3 - text);
  printable = g_strdup (at ? at + 1 : text);
  query = strpbrk (printable, "?#");
  if (query)
    *query++ = '\0';
  g_string_append (shown, printable);
  if (query)
    g_string_append (shown, "?***");
  g_free (printable);
  printable = g_string_free (shown, FALSE);
  return make_printable (printable);
}

gchar *
ams_http_url_redact (const gchar *text)
{
  const gchar *fault;
  g_autoptr (AmsHttpUrl) url = parse (text, &fault);

  return url ? ams_http_url_to_display (url, NULL) : redact_no_url (text);
}

gchar *
ams_http_url_to_destination (const AmsHttpUrl *url)
{
  GString *text = g_string_new (NULL);

  append_origin (text, url);
  g_string_append (text, url->path);
  return g_string_free (text, FALSE);
}

AmsHttpUrl *
ams_http_url_parse (const gchar *text, GError **error)
{
  const gchar *fault;
  g_autofree gchar *shown = NULL;
  AmsHttpUrl *url = parse (text, &fault);

  if (url)
    return url;
  shown = redact_no_url (text);
  g_propagate_error (error,
      ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "“%s” %s", shown,
          fault));
  return NULL;
}

/* Folders and names */

gboolean
ams_http_url_is_folder (const AmsHttpUrl *url)
{
  return g_str_has_suffix (url->path, "/");
}

gchar *
ams_http_url_encode_name (const gchar *name)
{
  return g_uri_escape_string (name, "/", FALSE);
}

gboolean
ams_http_url_split (const AmsHttpUrl *url, AmsHttpUrl **folder, gchar **name)
{
  const gchar *last = strrchr (url->path, '/') + 1;
  g_autofree gchar *decoded = g_uri_unescape_string (last, NULL);
  g_autofree gchar *again = NULL;

  if (!decoded || !ams_file_name_check (decoded, NULL))
    return FALSE;
  again = ams_http_url_encode_name (decoded);
  if (strcmp (again, last) != 0)
    return FALSE;
  *folder = copy_with_path (url, g_strndup (url->path, last - url->path));
  *name = g_steal_pointer (&decoded);
  return TRUE;
}

static GUri *
build_uri (const AmsHttpUrl *url, const gchar *path)
{
  /* Not g_uri_parse(), which rewrites paths (libsoup-facts.md 6). */
  return g_uri_build (G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE,
      url->scheme, NULL, url->host, url->port, path, url->query, NULL);
}

GUri *
ams_http_url_to_uri (const AmsHttpUrl *url, const gchar *name)
{
  g_autofree gchar *encoded = name ? ams_http_url_encode_name (name) : NULL;
  g_autofree gchar *path = g_strconcat (url->path, encoded, NULL);

  return build_uri (url, path);
}

GPtrArray *
ams_http_url_parents (const AmsHttpUrl *url, const gchar *name)
{
  GPtrArray *parents =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_uri_unref);
  g_autofree gchar *encoded = ams_http_url_encode_name (name);
  g_autofree gchar *path = g_strconcat (url->path, encoded, NULL);

  for (gchar *p = path + 1; (p = strchr (p, '/')); p++) {
    gchar after = p[1];

    if (p[-1] == '/')
      continue;
    p[1] = '\0';
    g_ptr_array_add (parents, build_uri (url, path));
    p[1] = after;
  }
  return parents;
}
