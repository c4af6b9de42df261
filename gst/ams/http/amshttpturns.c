/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "http/amshttpturns.h"

static void
begin_next (AmsHttpTurns *turns)
{
  if (turns->holder)
    return;
  turns->holder = g_queue_pop_head (&turns->waiting);
  if (turns->holder)
    turns->begin (turns->holder);
}

void
ams_http_turns_init (AmsHttpTurns *turns, AmsHttpTurnFunc begin)
{
  turns->begin = begin;
  turns->holder = NULL;
  g_queue_init (&turns->waiting);
}

void
ams_http_turns_wait (AmsHttpTurns *turns, gpointer holder)
{
  g_queue_push_tail (&turns->waiting, holder);
  begin_next (turns);
}

void
ams_http_turns_leave (AmsHttpTurns *turns, gpointer holder)
{
  g_queue_remove (&turns->waiting, holder);
}

void
ams_http_turns_end (AmsHttpTurns *turns, gpointer holder)
{
  if (turns->holder != holder)
    return;
  turns->holder = NULL;
  begin_next (turns);
}
