/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an HTTP answer means for a file (http-put.md H1, H10–H12), and the sentence for
 * people. Pure. */

#pragma once

#include "transfer/amsretry.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_PUT,
  AMS_HTTP_DELETE,
  AMS_HTTP_GET, /* and HEAD */
  AMS_HTTP_MKCOL,
  AMS_HTTP_POST,
} AmsHttpOperation;

/* TRUE: it is done. PUT 200, 201, 202, 204; DELETE also 404, 410; GET 200 alone (404 and 410 are AMS_FAILURE_ABSENT); MKCOL also
 * 405 (it is there already). */
gboolean ams_http_status_is_success (AmsHttpOperation operation, guint status);
AmsFailure ams_http_status_to_failure (AmsHttpOperation operation,
    guint status);
/* Retry-After as seconds or as a date (RFC 9110 10.2.3), capped at 300 s. @text nullable; @now: µs since 1970 UTC. */
guint ams_http_parse_retry_after (const gchar *text, gint64 now);

/* @reply: (nullable) what the server said, of which a line of plain text is shown, without control characters or tags.
 * @url: as it may be shown. A hint for what is known (H11, H13: 413 client_max_body_size, 409/500 for a missing folder, 411, 405 no DAV …). */
GError *ams_http_status_error (AmsHttpOperation operation, const gchar *url,
    guint status, const gchar *reason, guint retry_after, GBytes *reply);

G_END_DECLS
