/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttplocation.h"

#include <libsoup/soup.h>
#include <string.h>

/* Beyond so many, the memory is emptied: it only saves round trips. */
#define MAX_MOVES 256

static gint
port_of (GUri *uri)
{
  gint port = g_uri_get_port (uri);

  if (port > 0)
    return port;
  return strcmp (g_uri_get_scheme (uri), "https") == 0 ? 443 : 80;
}

static GUri *
build (GUri *host, const gchar *path, const gchar *query)
{
  return g_uri_build (SOUP_HTTP_URI_FLAGS, g_uri_get_scheme (host), NULL,
      g_uri_get_host (host), port_of (host), path[0] == '\0' ? "/" : path,
      query, NULL);
}

GUri *
ams_http_location_normalize (GUri *uri)
{
  return build (uri, g_uri_get_path (uri), g_uri_get_query (uri));
}

static gchar *
encode_forbidden (const gchar *text)
{
  GString *encoded = g_string_new (NULL);

  for (; *text; text++) {
    guchar c = *text;

    if (c <= ' ' || c >= 0x7f || strchr ("\"<>\\^`{|}", c))
      g_string_append_printf (encoded, "%%%02X", c);
    else
      g_string_append_c (encoded, c);
  }
  return g_string_free (encoded, FALSE);
}

/* g_uri_parse() would decode what may stay encoded, and take dots out. */
static GUri *
build_from_text (GUri *host, const gchar *path_and_query)
{
  const gchar *query = strchr (path_and_query, '?');
  g_autofree gchar *path = query
      ? g_strndup (path_and_query, query - path_and_query)
      : g_strdup (path_and_query);

  return build (host, path, query ? query + 1 : NULL);
}

static gboolean
is_http (GUri *uri)
{
  const gchar *host = g_uri_get_host (uri);

  return host && host[0] != '\0' &&
      (strcmp (g_uri_get_scheme (uri), "http") == 0 ||
          strcmp (g_uri_get_scheme (uri), "https") == 0);
}

GUri *
ams_http_location_resolve (GUri *base, const gchar *location)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GUri) parsed = NULL;
  const gchar *rest;

  if (location[0] == '\0' || !g_utf8_validate (location, -1, NULL))
    return NULL;
  text = encode_forbidden (location);
  text[strcspn (text, "#")] = '\0';
  parsed = g_uri_parse_relative (base, text, SOUP_HTTP_URI_FLAGS, NULL);
  if (!parsed || !is_http (parsed))
    return NULL;
  rest = strstr (text, "//");
  if (text[0] == '/' && text[1] != '/')
    return build_from_text (parsed, text);
  if (rest && (rest == text || g_uri_peek_scheme (text)))
    return build_from_text (parsed, rest + 2 + strcspn (rest + 2, "/?"));
  return ams_http_location_normalize (parsed);
}

gchar *
ams_http_location_authority (GUri *uri)
{
  const gchar *host = g_uri_get_host (uri);

  return g_strdup_printf (strchr (host, ':') ? "[%s]:%d" : "%s:%d", host,
      port_of (uri));
}

gchar *
ams_http_location_origin (GUri *uri)
{
  g_autofree gchar *authority = ams_http_location_authority (uri);
  g_autofree gchar *lower = g_ascii_strdown (authority, -1);

  return g_strconcat (g_uri_get_scheme (uri), "://", lower, NULL);
}

gboolean
ams_http_location_same_origin (GUri *a, GUri *b)
{
  g_autofree gchar *of_a = ams_http_location_origin (a);
  g_autofree gchar *of_b = ams_http_location_origin (b);

  return strcmp (of_a, of_b) == 0;
}

/* Moves */

struct _AmsHttpMoves
{
  GHashTable *uris; /* text → GUri */
  GHashTable *folders; /* text up to the last "/" → GUri of a folder */
};

AmsHttpMoves *
ams_http_moves_new (void)
{
  AmsHttpMoves *moves = g_new (AmsHttpMoves, 1);

  moves->uris = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_uri_unref);
  moves->folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) g_uri_unref);
  return moves;
}

void
ams_http_moves_free (AmsHttpMoves *moves)
{
  g_hash_table_unref (moves->uris);
  g_hash_table_unref (moves->folders);
  g_free (moves);
}

static gchar *
key_of (GUri *uri)
{
  g_autofree gchar *origin = ams_http_location_origin (uri);
  const gchar *query = g_uri_get_query (uri);

  return g_strconcat (origin, g_uri_get_path (uri), query ? "?" : NULL, query,
      NULL);
}

static const gchar *
name_in (GUri *uri)
{
  const gchar *path = g_uri_get_path (uri);
  const gchar *slash = strrchr (path, '/');

  return slash ? slash + 1 : path;
}

static gchar *
folder_key_of (GUri *uri)
{
  g_autofree gchar *origin = ams_http_location_origin (uri);
  const gchar *path = g_uri_get_path (uri);
  g_autofree gchar *folder = g_strndup (path, name_in (uri) - path);

  return g_strconcat (origin, folder, NULL);
}

static void
remember (GHashTable *table, gchar *key, GUri *to)
{
  if (g_hash_table_size (table) >= MAX_MOVES)
    g_hash_table_remove_all (table);
  g_hash_table_replace (table, key, to);
}

/* What has a query of its own is signed as a rule, and good for one request only. */
void
ams_http_moves_add (AmsHttpMoves *moves, GUri *from, GUri *to)
{
  if (g_strcmp0 (g_uri_get_query (from), g_uri_get_query (to)) == 0 &&
      name_in (from)[0] != '\0' && strcmp (name_in (from), name_in (to)) == 0) {
    const gchar *path = g_uri_get_path (to);
    g_autofree gchar *folder = g_strndup (path, name_in (to) - path);

    remember (moves->folders, folder_key_of (from), build (to, folder, NULL));
  } else if (!g_uri_get_query (to)) {
    remember (moves->uris, key_of (from), g_uri_ref (to));
  }
}

GUri *
ams_http_moves_apply (AmsHttpMoves *moves, GUri *uri)
{
  g_autofree gchar *key = key_of (uri), *folder_key = folder_key_of (uri);
  g_autofree gchar *path = NULL;
  GUri *to = g_hash_table_lookup (moves->uris, key);

  if (to)
    return g_uri_ref (to);
  to = g_hash_table_lookup (moves->folders, folder_key);
  if (!to)
    return NULL;
  path = g_strconcat (g_uri_get_path (to), name_in (uri), NULL);
  return build (to, path, g_uri_get_query (uri));
}

void
ams_http_moves_forget (AmsHttpMoves *moves, GUri *uri)
{
  g_autofree gchar *key = key_of (uri), *folder_key = folder_key_of (uri);

  g_hash_table_remove (moves->uris, key);
  g_hash_table_remove (moves->folders, folder_key);
}
