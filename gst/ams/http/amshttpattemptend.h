/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How an attempt ends: stopped from within, failed with an error that says why, or with
 * a reply. */

#pragma once

#include "http/amshttpattemptstate.h"

G_BEGIN_DECLS

/* Has libsoup end what it does; then the attempt fails for @reason. The first reason
 * counts. */
void ams_http_attempt_stop (AmsHttpAttempt *self, AmsHttpStop reason);

/* All of these may free the attempt. */

/* Takes @reply and @error, which are as in AmsHttpAttemptDone. */
void ams_http_attempt_finish (AmsHttpAttempt *self, AmsHttpReply *reply,
    GError *error);
/* @error: (nullable) libsoup's; why the attempt was stopped goes before it. */
void ams_http_attempt_fail (AmsHttpAttempt *self, const GError *error);
/* Takes @reply. Success is what was sent as a whole (http-put.md H2). */
void ams_http_attempt_succeed (AmsHttpAttempt *self, AmsHttpReply *reply);

G_END_DECLS
