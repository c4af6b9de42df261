/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* BANDWIDTH and AVERAGE-BANDWIDTH of a multivariant playlist (RFC 8216bis, 4.1
 * and 4.4.6.2): measured of each rendition, added up over what plays together,
 * and declared so that they need not be declared again. Pure, no GStreamer, not
 * thread-safe. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* bit/s, rounded up; 0: not known */
typedef struct
{
  guint64 peak, average;
} AmsBitRates;

/* ---- of one rendition ---- */

typedef struct _AmsBandwidth AmsBandwidth;

/* @target_duration: s, ≥ 1. Memory does not grow with the recording. */
AmsBandwidth *ams_bandwidth_new (guint target_duration);
void ams_bandwidth_free (AmsBandwidth *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsBandwidth, ams_bandwidth_free)

/* The target was raised; it holds for the segments to come. */
void ams_bandwidth_set_target_duration (AmsBandwidth *self,
    guint target_duration);

/* @size: bytes of the file; @duration: ns, as in its EXTINF */
void ams_bandwidth_add (AmsBandwidth *self, guint64 size, guint64 duration);
/* A segment without media: what is before it and after it is not contiguous. */
void ams_bandwidth_add_gap (AmsBandwidth *self);

/* How many segments were added, gaps aside. */
guint64 ams_bandwidth_get_length (AmsBandwidth *self);

/* The peak is the largest rate of any contiguous segments that last 0.5 to 1.5
 * target durations, the average that of all segments. Never 0 once there are
 * segments, and the average is at most the peak. */
AmsBitRates ams_bandwidth_get (AmsBandwidth *self);
/* The average is that of the last hour. */
AmsBitRates ams_bandwidth_get_recent (AmsBandwidth *self);

/* ---- of what plays together ---- */

/* Adds to *@sum, of a video, what a group of renditions takes of which one plays
 * with it: the largest of each. */
void ams_bit_rates_add_group (AmsBitRates *sum, const AmsBitRates *members,
    guint n);

/* ---- what the playlist says ---- */

typedef struct
{
  AmsBitRates configured; /* what was set by hand; 0: it is measured */
  AmsBitRates declared; /* what the playlist says; 0: nothing yet */
} AmsDeclaredRates;

/* While recording. @measured: ams_bandwidth_get_recent(), added up. The first time
 * it is declared with a tenth of headroom, rounded up. TRUE: the playlist is to be
 * written (again), as the first ones are known or as a rule of Apple's authoring
 * specification is broken: the peak is 125 % of BANDWIDTH (1.29), the average of an
 * hour 110 % of AVERAGE-BANDWIDTH (1.28). */
gboolean ams_declared_rates_update (AmsDeclaredRates *self,
    AmsBitRates measured);

/* At the end, when all is known: @measured, ams_bandwidth_get() added up, is
 * declared. TRUE: the playlist is to be written again. */
gboolean ams_declared_rates_finish (AmsDeclaredRates *self,
    AmsBitRates measured);

G_END_DECLS
