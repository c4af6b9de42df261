/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/ts/amstspackets.h"

#include <string.h>

#define SYNC_BYTE 0x47
#define HEADER_SIZE 4
#define MAX_PAYLOAD (AMS_TS_PACKET_SIZE - HEADER_SIZE)

#define HAS_PAYLOAD 0x10
#define HAS_ADAPTATION 0x20

#define DISCONTINUITY_INDICATOR 0x80
#define RANDOM_ACCESS_INDICATOR 0x40
#define PCR_FLAG 0x10

#define FLAGS_SIZE 1
#define PCR_SIZE 6

/* What is to be said in the adaptation field of one packet. */
typedef struct
{
  guint8 flags;
  guint64 clock;
} Field;

/* ---- adaptation field ---- */

static guint
field_size (const Field *field)
{
  if (field->flags == 0)
    return 0;
  return FLAGS_SIZE + (field->flags & PCR_FLAG ? PCR_SIZE : 0);
}

/* The 27 MHz extension is 0. */
static void
write_clock (guint8 *p, guint64 ticks)
{
  guint64 base = ticks & AMS_TS_TIME_MASK;

  p[0] = base >> 25;
  p[1] = base >> 17;
  p[2] = base >> 9;
  p[3] = base >> 1;
  p[4] = (base & 1) << 7 | 0x7e;
  p[5] = 0;
}

/* @size: of the whole field, its length byte included. A field of one byte
 * is its length 0; beyond the flags and the PCR it is stuffing. */
static void
write_field (guint8 *p, const Field *field, guint size)
{
  guint used = 1 + FLAGS_SIZE;

  p[0] = size - 1;
  if (size == 1)
    return;
  p[1] = field->flags;
  if (field->flags & PCR_FLAG) {
    write_clock (p + used, field->clock);
    used += PCR_SIZE;
  }
  memset (p + used, 0xff, size - used);
}

/* ---- packets ---- */

static inline void
write_header (guint8 *p, guint16 pid, gboolean start, guint8 control)
{
  p[0] = SYNC_BYTE;
  p[1] = (start ? 0x40 : 0) | (pid >> 8 & 0x1f);
  p[2] = pid & 0xff;
  p[3] = control;
}

/* Begins a packet that takes up to @left bytes of payload. Returns: where these
 * go; *@room: how many. */
static guint8 *
begin_packet (AmsTsPid *pid, gboolean start, const Field *field, gsize left,
    AmsBlocks *out, gsize *room)
{
  guint8 *p = ams_blocks_add (out, AMS_TS_PACKET_SIZE);
  guint needed = field_size (field);
  guint adaptation = needed > 0 ? 1 + needed : 0;

  *room = MIN (left, MAX_PAYLOAD - adaptation);
  adaptation = MAX_PAYLOAD - *room;
  write_header (p, pid->pid, start,
      (adaptation > 0 ? HAS_ADAPTATION : 0) | HAS_PAYLOAD | pid->counter);
  pid->counter = (pid->counter + 1) & 0x0f;
  if (adaptation > 0)
    write_field (p + HEADER_SIZE, field, adaptation);
  return p + HEADER_SIZE + adaptation;
}

/* ---- PES packets ---- */

static gsize
total_size (const AmsSlice *pieces, guint n)
{
  gsize size = 0;

  for (guint i = 0; i < n; i++)
    size += pieces[i].size;
  return size;
}

/* What is yet to be written of a PES packet. */
typedef struct
{
  AmsSlice piece; /* the rest of the one that is being written */
  const AmsSlice *next;
} Pieces;

static void
copy_pieces (guint8 *to, gsize size, Pieces *from)
{
  while (size > 0) {
    gsize n = MIN (size, from->piece.size);

    if (n == 0) {
      from->piece = *from->next++;
      continue;
    }
    memcpy (to, from->piece.data, n);
    to += n;
    size -= n;
    from->piece.data += n;
    from->piece.size -= n;
  }
}

/* Nearly all packets of a picture: payload alone, out of one piece. The fixed
 * size makes the copy a few moves. */
static void
copy_payload (guint8 *to, Pieces *from)
{
  if (from->piece.size < MAX_PAYLOAD) {
    copy_pieces (to, MAX_PAYLOAD, from);
    return;
  }
  memcpy (to, from->piece.data, MAX_PAYLOAD);
  from->piece.data += MAX_PAYLOAD;
  from->piece.size -= MAX_PAYLOAD;
}

/* Writes @n packets that have no adaptation field. */
static void
write_full_packets (AmsTsPid *pid, gsize n, Pieces *from, AmsBlocks *out)
{
  guint8 counter = pid->counter;

  while (n > 0) {
    gsize room;
    guint8 *p = ams_blocks_add_some (out, AMS_TS_PACKET_SIZE, n, &room);

    n -= room;
    for (; room > 0; room--, p += AMS_TS_PACKET_SIZE) {
      write_header (p, pid->pid, FALSE, HAS_PAYLOAD | counter);
      counter = (counter + 1) & 0x0f;
      copy_payload (p + HEADER_SIZE, from);
    }
  }
  pid->counter = counter;
}

/* The field of the packet that begins @at bytes into the PES packet; *@clocks:
 * PCRs that were written. */
static Field
choose_field (const AmsTsAdaptation *adaptation, gsize at, gsize total,
    guint *clocks)
{
  Field field = { 0, 0 };

  if (at == 0 && adaptation->discontinuity)
    field.flags |= DISCONTINUITY_INDICATOR;
  if (at == 0 && adaptation->random_access)
    field.flags |= RANDOM_ACCESS_INDICATOR;
  if (*clocks < adaptation->n_clocks &&
      at >= total * *clocks / adaptation->n_clocks) {
    field.flags |= PCR_FLAG;
    field.clock = adaptation->clock + adaptation->clock_step * *clocks;
    ++*clocks;
  }
  return field;
}

/* How many packets come next that have payload alone. */
static gsize
count_full_packets (const AmsTsAdaptation *adaptation, gsize at, gsize total,
    guint clocks)
{
  if (at == 0 || clocks < adaptation->n_clocks)
    return 0;
  return (total - at) / MAX_PAYLOAD;
}

/* Returns: how many bytes of payload the packet has. */
static gsize
write_packet (AmsTsPid *pid, gboolean start, const Field *field, gsize left,
    Pieces *from, AmsBlocks *out)
{
  gsize room;
  guint8 *to = begin_packet (pid, start, field, left, out, &room);

  copy_pieces (to, room, from);
  return room;
}

void
ams_ts_write_pes (AmsTsPid *pid, const AmsTsAdaptation *adaptation,
    const AmsSlice *pieces, guint n, AmsBlocks *out)
{
  gsize total = total_size (pieces, n), at = 0;
  Pieces from = { pieces[0], pieces + 1 };
  guint clocks = 0;

  while (at < total) {
    gsize full = count_full_packets (adaptation, at, total, clocks);
    Field field = choose_field (adaptation, at, total, &clocks);

    if (full > 0) {
      write_full_packets (pid, full, &from, out);
      at += full * MAX_PAYLOAD;
    } else {
      at += write_packet (pid, at == 0, &field, total - at, &from, out);
    }
  }
}

/* ---- others ---- */

void
ams_ts_write_section (AmsTsPid *pid, const guint8 *section, gsize size,
    AmsBlocks *out)
{
  guint8 *p;

  g_return_if_fail (size < MAX_PAYLOAD);
  p = ams_blocks_add (out, AMS_TS_PACKET_SIZE);
  write_header (p, pid->pid, TRUE, HAS_PAYLOAD | pid->counter);
  pid->counter = (pid->counter + 1) & 0x0f;
  p[HEADER_SIZE] = 0; /* the section begins at once */
  memcpy (p + HEADER_SIZE + 1, section, size);
  memset (p + HEADER_SIZE + 1 + size, 0xff, MAX_PAYLOAD - 1 - size);
}

/* The counter of a packet without payload is that of the packet before it. */
void
ams_ts_write_clock (const AmsTsPid *pid, guint64 clock, AmsBlocks *out)
{
  guint8 *p = ams_blocks_add (out, AMS_TS_PACKET_SIZE);
  const Field field = { PCR_FLAG, clock };

  write_header (p, pid->pid, FALSE,
      HAS_ADAPTATION | ((pid->counter - 1) & 0x0f));
  write_field (p + HEADER_SIZE, &field, MAX_PAYLOAD);
}
