/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file's bytes as libsoup takes them: no threads, no copy of the whole. It ends
 * exactly at the body's size or fails: libsoup would wait for ever for the rest of
 * a body that is too short. */

#pragma once

#include "http/amshttplimiter.h"
#include "transfer/amsbody.h"

G_BEGIN_DECLS

#define AMS_TYPE_HTTP_BODY_STREAM (ams_http_body_stream_get_type ())
G_DECLARE_FINAL_TYPE (AmsHttpBodyStream, ams_http_body_stream, AMS,
    HTTP_BODY_STREAM, GInputStream)

/* One of @body (finished) and @bytes. @limiter outlives the stream. */
GInputStream *ams_http_body_stream_new (AmsBody *body, GBytes *bytes,
    AmsHttpLimiter *limiter);
guint64 ams_http_body_stream_get_taken (AmsHttpBodyStream *stream);
/* Why the body could not be read. (nullable) (transfer none) */
const GError *ams_http_body_stream_get_error (AmsHttpBodyStream *stream);
/* It waits for the limiter. */
gboolean ams_http_body_stream_is_throttled (AmsHttpBodyStream *stream);

G_END_DECLS
