/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Hands messages over to libsoup one at a time. libsoup lets an async message wait for
 * as long as another one to the same host connects, as that may come to be HTTP/2, and
 * what waits so cannot be cancelled. So the next one gets its turn when it is known
 * where the one before goes, and a connection of its own if that is new. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* It is @holder's turn. */
typedef void (*AmsHttpTurnFunc) (gpointer holder);

typedef struct
{
  AmsHttpTurnFunc begin;
  GQueue waiting; /* of holders to come */
  gpointer holder; /* (nullable) whose turn it is */
} AmsHttpTurns;

void ams_http_turns_init (AmsHttpTurns *turns, AmsHttpTurnFunc begin);
/* @begin is called as soon as it is @holder's turn; perhaps within this call. */
void ams_http_turns_wait (AmsHttpTurns *turns, gpointer holder);
/* @holder, which still waits, does not any more. */
void ams_http_turns_leave (AmsHttpTurns *turns, gpointer holder);
/* If it is @holder's turn, the next one's begins. */
void ams_http_turns_end (AmsHttpTurns *turns, gpointer holder);

G_END_DECLS
