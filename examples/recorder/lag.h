/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How far a live source's buffers lag behind their times. Protocols without a clock of their own close the hole that an
 * interrupted source leaves: what comes after it is timed as if it followed at once, so that every interruption
 * would put the dates of all that follows further behind. This tells such a hole from a network that was held up and
 * catches up, and from jitter. */

#pragma once

#include <glib.h>

/* The least lag of so many parts of what is looked at after a silence. */
#define LAG_N_PARTS 4

typedef struct
{
  gint64 last; /* when something last came; G_MININT64: nothing yet */
  gint64 usual; /* least lag of all */
  gint64 least[2]; /* of the interval before, and of the one that goes on */
  gint64 interval; /* when that began */
  gint64 suspect_since; /* G_MININT64: it is not */
  gint64 parts[LAG_N_PARTS];
} Lag;

typedef enum
{
  LAG_GOES_ON,
  LAG_WAIT, /* the next ones will tell: nothing is to be done with this one before */
  LAG_MISSING, /* time is missing in front of this, or of what was waited with */
} LagVerdict;

void lag_reset (Lag *self);

/* @now: when a buffer came, ns. @lag: that, less the buffer's time, and less all that was missing before. *@missing: ns. */
LagVerdict lag_judge (Lag *self, gint64 now, gint64 lag, gint64 *missing);
