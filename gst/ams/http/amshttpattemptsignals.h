/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an attempt does at each signal of libsoup's message: where it goes, what it says
 * of itself, what was sent and what came. */

#pragma once

#include "http/amshttpattemptstate.h"

G_BEGIN_DECLS

/* Until the attempt has ended. */
void ams_http_attempt_listen (AmsHttpAttempt *self);

G_END_DECLS
