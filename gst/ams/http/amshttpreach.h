/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From where an address can be reached. A server elsewhere must not be able to send
 * requests to what only this machine, or this link, can reach: services that trust
 * whoever asks from here, and those that give credentials to the machine. Pure. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_REACH_ELSEWHERE,
  AMS_HTTP_REACH_MACHINE, /* loopback, and the unspecified address */
  AMS_HTTP_REACH_LINK, /* link-local, and the metadata services of clouds */
} AmsHttpReach;

AmsHttpReach ams_http_reach_of_address (GInetAddress *address);
/* Of a name nothing is known but that “localhost” is this machine. */
AmsHttpReach ams_http_reach_of_host (const gchar *host);
/* Of the server of @uri, to which a connection goes to @peer (nullable): its address,
 * unless that is a proxy's, which decides by itself where the name leads. */
AmsHttpReach ams_http_reach_of_peer (GSocketAddress *peer, GUri *uri);
/* Whether a server at @from may redirect to one at @to. */
gboolean ams_http_reach_may_redirect (AmsHttpReach from, AmsHttpReach to);

G_END_DECLS
