/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a redirect leads, and which of them are to be remembered (http-put.md H15,
 * H16). Pure. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* @uri without user and fragment, as libsoup sends it byte for byte (libsoup-facts.md 6). */
GUri *ams_http_location_normalize (GUri *uri);
/* What a Location header says, which may be relative. NULL: it is nothing that can be followed. Characters that no
 * URL may have are encoded, all others are left as they are. */
GUri *ams_http_location_resolve (GUri *base, const gchar *location);

/* "scheme://host:port", the port always there. */
gchar *ams_http_location_origin (GUri *uri);
gboolean ams_http_location_same_origin (GUri *a, GUri *b);
/* "host:port", for people. */
gchar *ams_http_location_authority (GUri *uri);

/* What answered 308: URIs, and folders whose files have moved under their names. */
typedef struct _AmsHttpMoves AmsHttpMoves;

AmsHttpMoves *ams_http_moves_new (void);
void ams_http_moves_free (AmsHttpMoves *moves);
void ams_http_moves_add (AmsHttpMoves *moves, GUri *from, GUri *to);
/* NULL: @uri has not moved. (transfer full) */
GUri *ams_http_moves_apply (AmsHttpMoves *moves, GUri *uri);
void ams_http_moves_forget (AmsHttpMoves *moves, GUri *uri);

G_END_DECLS
