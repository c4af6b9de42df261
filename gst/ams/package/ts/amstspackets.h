/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Packets of an MPEG transport stream (ISO 13818-1, 2.4.3): PES packets and
 * sections cut into them. Pure, no GStreamer, not thread-safe. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"
#include "package/amsblocks.h"

G_BEGIN_DECLS

#define AMS_TS_PACKET_SIZE 188

/* 33 bits of 90 kHz. */
#define AMS_TS_CLOCK_RATE 90000
#define AMS_TS_TIME_MASK ((G_GUINT64_CONSTANT (1) << 33) - 1)

typedef struct
{
  guint16 pid;
  guint8 counter; /* continuity counter of the next packet that has payload */
} AmsTsPid;

/* What the adaptation fields of one PES packet say. */
typedef struct
{
  gboolean random_access;
  gboolean discontinuity; /* the counter does not follow on */
  guint n_clocks; /* PCRs, spread evenly over the packets; 0: none */
  guint64 clock; /* the first PCR, in ticks of 90 kHz */
  guint64 clock_step; /* from one to the next */
} AmsTsAdaptation;

/* Writes the @n pieces of one PES packet, its header first. At least one byte. */
void ams_ts_write_pes (AmsTsPid *pid, const AmsTsAdaptation *adaptation,
    const AmsSlice *pieces, guint n, AmsBlocks *out);

/* Writes a section of at most 183 bytes, its CRC included, as one packet. */
void ams_ts_write_section (AmsTsPid *pid, const guint8 *section, gsize size,
    AmsBlocks *out);

/* Writes a packet that has a PCR and no payload. @clock: ticks of 90 kHz */
void ams_ts_write_clock (const AmsTsPid *pid, guint64 clock, AmsBlocks *out);

G_END_DECLS
