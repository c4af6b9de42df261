/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One request whose answer's status is all that matters. Internal to stores. */

#pragma once

#include "http/amshttpclient.h"
#include "http/amshttpstatus.h"

G_BEGIN_DECLS

typedef struct
{
  AmsHttpOperation operation;
  gchar *shown; /* the URL */
  gchar *authorization; /* (nullable) among the headers */
  const gchar *headers[5];
  AmsHttpRequest request; /* its body and uri are owned */
} AmsHttpSimple;

/* Takes @simple. @task answers a boolean. */
void ams_http_simple_send (AmsHttpClient *client, GTask *task,
    AmsHttpSimple *simple);

G_END_DECLS
