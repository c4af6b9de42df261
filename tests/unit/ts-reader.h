/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads MPEG transport streams back, to see whether what was packaged is in them
 * and obeys the rules. It shares nothing with the packager, and asserts. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint16 pid;
  guint64 pts, dts; /* 90 kHz, 33 bits */
  guint8 stream_id;
  gboolean random_access, discontinuity;
  GByteArray *payload;
} ReadPes;

typedef struct
{
  guint64 clock; /* 90 kHz, 33 bits */
  gsize offset; /* of its packet */
  guint16 pid;
} ReadClock;

typedef struct
{
  guint16 pid;
  guint8 type;
  GByteArray *descriptors;
} ReadStream;

typedef struct
{
  GPtrArray *pes; /* ReadPes, in the order in which they began */
  GArray *clocks; /* ReadClock */
  GPtrArray *streams; /* ReadStream, as the last PMT has them */
  guint clock_pid, pmt_version;
  gint counters[8192]; /* of the last packet; -1: none yet */
} TsReader;

TsReader *ts_reader_new (void);
void ts_reader_free (TsReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TsReader, ts_reader_free)

/* Reads one segment; counters go on from the one before. Asserts what every
 * segment must satisfy: whole packets, PAT and PMT first, counters, CRCs,
 * lengths, stuffing. */
void ts_reader_read (TsReader *self, const guint8 *data, gsize size);

/* The payloads of one PID, one behind the other. (transfer full) */
GByteArray *ts_reader_get_stream (TsReader *self, guint16 pid);

G_END_DECLS
