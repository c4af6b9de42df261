/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reading files back: for every store that speaks HTTP. */

#pragma once

#include "http/amshttpclient.h"

G_BEGIN_DECLS

/* As it was put, and not from a cache on the way. */
extern const gchar *const ams_http_read_headers[];

gboolean ams_http_reply_is_encoded (const AmsHttpReply *reply);
/* Servers that were given gzip may say so, say nothing, or unpack it. AMS_STORE_ERROR,
 * PERMANENT: @error says why, and not of what. */
GBytes *ams_http_reply_unpack (const AmsHttpReply *reply, guint64 max_size,
    GError **error);

/* What asks a store for something tries again for a while by itself. */
typedef struct
{
  gint64 deadline; /* monotonic, µs */
  guint attempts; /* begun */
} AmsHttpPatience;

/* @span: µs */
void ams_http_patience_init (AmsHttpPatience *patience, gint64 span);
/* After @error, @again is called with @task, once it is time or the task was cancelled. FALSE: it would
 * not help, or there is no time for that. */
gboolean ams_http_patience_wait (AmsHttpPatience *patience, GTask *task,
    const GError *error, GSourceFunc again);

G_END_DECLS
