/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Why an exchange failed, as AMS_STORE_ERROR with a sentence for people, which names
 * host and port and never anything else of a URL. */

#pragma once

#include "http/amshttpreach.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_HTTP_PHASE_CONNECTING,
  AMS_HTTP_PHASE_SENDING, /* the headers or the body */
  AMS_HTTP_PHASE_WAITING, /* for the answer */
  AMS_HTTP_PHASE_READING, /* the answer's body */
} AmsHttpPhase;

/* @authority: host:port. @proxy: (nullable) likewise, on the way there.
 * @certificate: what is wrong with the server's, 0 if nothing is.
 * @error: libsoup's or GIO's. */
GError *ams_http_error_new (const gchar *authority, const gchar *proxy,
    AmsHttpPhase phase, GTlsCertificateFlags certificate, const GError *error);
/* @seconds passed without what @phase waits for.
 * @proxy: (nullable) only while connecting. */
GError *ams_http_error_new_timeout (const gchar *authority, const gchar *proxy,
    AmsHttpPhase phase, guint seconds);
/* Fewer than AMS_HTTP_STALL_BYTES in @seconds. */
GError *ams_http_error_new_stall (const gchar *authority, AmsHttpPhase phase,
    guint seconds);
/* @size bytes were not through after @seconds. */
GError *ams_http_error_new_overdue (const gchar *authority, guint64 size,
    guint64 seconds);
/* @proxy refused, with @status, to forward what was meant for @authority. @proxy:
 * (nullable) host:port; @told: it was told a user and password. */
GError *ams_http_error_new_proxy (const gchar *proxy, const gchar *authority,
    guint status, gboolean told);
/* @by: host:port of the server that redirects to @to, which it must not. */
GError *ams_http_error_new_local (const gchar *by, const gchar *to,
    AmsHttpReach reach);
/* After an error: the connection was cut off while the body was sent, and no answer came, so the next attempt should ask
 * first (AmsHttpRequest.expect). */
gboolean ams_http_error_wants_expect (const GError *error);
/* After an error: the server may have the whole request, and do what it asks, now or later. */
gboolean ams_http_error_was_sent_whole (const GError *error);

/* So that ams_http_error_wants_expect() is true. */
void ams_http_error_set_wants_expect (GError *error);
/* So that ams_http_error_was_sent_whole() is true. */
void ams_http_error_set_sent_whole (GError *error);

G_END_DECLS
