/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One message through libsoup: its body is sent whole or it fails, its timers, and
 * as much of the answer as is wanted. It neither follows nor repeats anything, but
 * for what libsoup repeats by itself: a request on a connection that had died, and
 * the Digest round. */

#pragma once

#include "http/amshttpattempttypes.h"

G_BEGIN_DECLS

/* @shared outlives it. Copies @order; its gchar * are (transfer full). @done is called
 * once, and frees the attempt. */
AmsHttpAttempt *ams_http_attempt_new (AmsHttpShared *shared,
    const AmsHttpOrder *order, AmsHttpAttemptDone done, gpointer user_data);
void ams_http_attempt_start (AmsHttpAttempt *attempt);
/* @done comes soon, with G_IO_ERROR_CANCELLED; perhaps within this call. */
void ams_http_attempt_cancel (AmsHttpAttempt *attempt);
/* How the server was reached. */
AmsHttpReach ams_http_attempt_get_reach (AmsHttpAttempt *attempt);
void ams_http_attempt_free (AmsHttpAttempt *attempt);

/* @proxy: (transfer full) */
void ams_http_shared_init (AmsHttpShared *shared, const AmsHttpOptions *options,
    AmsHttpProxy *proxy);
void ams_http_shared_clear (AmsHttpShared *shared);

G_END_DECLS
