/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What goes into the time map, and what comes out (amstimemap.h). */

#pragma once

#include "media/amstime.h"

G_BEGIN_DECLS

/* 2^33 ticks of 90 kHz, in ns: 26.5 h. */
#define AMS_TIME_MAP_WRAP (G_GINT64_CONSTANT (8589934592) * 100000 / 9)

/* How long a unit whose time is doubted is kept back, in ns. */
#define AMS_TIME_MAP_DOUBT (G_GINT64_CONSTANT (500000000))

/* How far a track whose times are PTS may step back, in ns. */
#define AMS_TIME_MAP_REORDERING (G_GINT64_CONSTANT (1000000000))

/* The least step forward of a track that does not reorder: one tick of 90 kHz,
 * rounded up. */
#define AMS_TIME_MAP_TICK 11112

typedef struct
{
  /* Running time in decoding order: DTS, else PTS; AMS_TIME_NONE: missing. */
  gint64 time;
  /* What the source guesses; 0: unknown. */
  gint64 duration;
  /* On a monotonic clock. */
  gint64 arrival;
  /* @time is a PTS: it steps back where pictures are reordered. */
  gboolean reorders;
  /* The source says that something is missing before this unit. */
  gboolean discont;
  /* The caller's own; handed back and never looked at. */
  gpointer unit;
} AmsTimeMapInput;

typedef struct
{
  guint track;
  gpointer unit;
  /* On the time line. */
  gint64 time;
  /* To be added to the unit's other time: @time minus the input's time; 0 if
   * that was missing. */
  gint64 offset;
  /* Longer than the threshold: ns without media before the unit; else 0. */
  gint64 hole;
  /* The unit does not continue the one before it on its track: its time was
   * moved, or there was a flush, or the source said so at a hole. */
  gboolean jump;
  /* The unit's own time was not believed; those of its neighbours were. Its
   * other time is probably as wrong as the first, and by the same. */
  gboolean bad;
  /* What was decided and why, for a log; NULL where nothing was. Static. */
  const gchar *reason;
} AmsTimeMapPlaced;

G_END_DECLS
