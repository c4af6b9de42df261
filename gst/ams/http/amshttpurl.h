/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The URL that is an element's `location`, and the URLs of the files below it. Pure. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *scheme; /* http, https; lower case */
  gchar *host; /* lower case, without brackets */
  gint port; /* -1: the scheme's */
  gchar *path; /* percent-encoded as it goes out, begins with "/" */
  gchar *query; /* (nullable) percent-encoded, as given */
  gchar *user, *password; /* (nullable) decoded */
} AmsHttpUrl;

/* Strict. AMS_STORE_ERROR, PERMANENT: one sentence that says what is wrong and what to write (not http(s), no host, spaces, control
 * or non-ASCII characters, a fragment, a bad port, a bad %XX). Its text has no password and no query in it. */
AmsHttpUrl *ams_http_url_parse (const gchar *text, GError **error);
void ams_http_url_free (AmsHttpUrl *url);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsHttpUrl, ams_http_url_free)

/* Ends in "/": names are appended. */
gboolean ams_http_url_is_folder (const AmsHttpUrl *url);
/* A URL that is none: its folder, and the name of the file in that. FALSE: the last part of
 * the path is not what ams_http_url_encode_name() makes of any name, or no name that a file may have. */
gboolean ams_http_url_split (const AmsHttpUrl *url, AmsHttpUrl **folder,
    gchar **name);

/* Percent-encoded, but for unreserved characters (RFC 3986) and "/". */
gchar *ams_http_url_encode_name (const gchar *name);
/* @name: below a folder; NULL: @url itself. Byte for byte, without the user. (transfer full) */
GUri *ams_http_url_to_uri (const AmsHttpUrl *url, const gchar *name);

/* For people and logs: without user and password, values of the query as "***". */
gchar *ams_http_url_to_display (const AmsHttpUrl *url, const gchar *name);
/* What a text that may be a URL (or not parse at all) may be shown as. */
gchar *ams_http_url_redact (const gchar *text);
/* Without user and query: identifies the store. */
gchar *ams_http_url_to_destination (const AmsHttpUrl *url);

/* The folders that lead to @name, outermost first, below the root of the server: for MKCOL. (element-type GUri) */
GPtrArray *ams_http_url_parents (const AmsHttpUrl *url, const gchar *name);

G_END_DECLS
