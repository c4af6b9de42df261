/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long the steps of an attempt may take, and how fast bytes have to move. What takes
 * longer is stopped. */

#pragma once

#include "http/amshttpattemptstate.h"

G_BEGIN_DECLS

/* Until libsoup has a connection. */
void ams_http_attempt_limit_connecting (AmsHttpAttempt *self);
/* Until the answer to Expect: 100-continue. */
void ams_http_attempt_limit_continue (AmsHttpAttempt *self);
/* From the first byte that is sent to the end. */
void ams_http_attempt_begin_pace (AmsHttpAttempt *self);
/* Of an answer whose body libsoup gathers in memory, as it may try again after it. */
void ams_http_attempt_limit_gathering (AmsHttpAttempt *self);

G_END_DECLS
