/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ts-reader.h"

#include <string.h>

static void
pes_free (ReadPes *pes)
{
  g_byte_array_unref (pes->payload);
  g_free (pes);
}

static void
stream_free (ReadStream *stream)
{
  g_byte_array_unref (stream->descriptors);
  g_free (stream);
}

TsReader *
ts_reader_new (void)
{
  TsReader *self = g_new0 (TsReader, 1);

  self->pes = g_ptr_array_new_with_free_func ((GDestroyNotify) pes_free);
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) stream_free);
  self->clocks = g_array_new (FALSE, FALSE, sizeof (ReadClock));
  for (guint i = 0; i < G_N_ELEMENTS (self->counters); i++)
    self->counters[i] = -1;
  return self;
}

void
ts_reader_free (TsReader *self)
{
  g_ptr_array_unref (self->pes);
  g_ptr_array_unref (self->streams);
  g_array_unref (self->clocks);
  g_free (self);
}

static guint
be16 (const guint8 *p)
{
  return p[0] << 8 | p[1];
}

/* ---- tables ---- */

static guint32
remainder_of (const guint8 *data, gsize size)
{
  guint32 sum = 0xffffffff;

  for (gsize bit = 0; bit < size * 8; bit++) {
    gboolean top = sum >> 31;
    gboolean in = data[bit / 8] >> (7 - bit % 8) & 1;

    sum = sum << 1 ^ (top != in ? 0x04c11db7 : 0);
  }
  return sum;
}

static gsize
section_length (const guint8 *p, gsize size, guint8 table)
{
  gsize length = (be16 (p + 1) & 0xfff) + 3;

  g_assert_cmpuint (p[0], ==, table);
  g_assert_cmpuint (p[1] >> 4, ==, 0xb);
  g_assert_cmpuint (length, <=, size);
  g_assert_cmpuint (remainder_of (p, length), ==, 0);
  for (gsize i = length; i < size; i++)
    g_assert_cmpuint (p[i], ==, 0xff);
  return length;
}

static guint16
read_pat (const guint8 *p, gsize size)
{
  g_assert_cmpuint (section_length (p, size, 0), ==, 16);
  g_assert_cmpuint (be16 (p + 8), ==, 1);
  return be16 (p + 10) & 0x1fff;
}

static void
read_pmt (TsReader *self, const guint8 *p, gsize size)
{
  gsize end = section_length (p, size, 2) - 4;
  gsize at = 12 + (be16 (p + 10) & 0xfff);

  self->pmt_version = p[5] >> 1 & 0x1f;
  self->clock_pid = be16 (p + 8) & 0x1fff;
  g_ptr_array_set_size (self->streams, 0);
  while (at < end) {
    ReadStream *stream = g_new0 (ReadStream, 1);
    gsize length = be16 (p + at + 3) & 0xfff;

    stream->type = p[at];
    stream->pid = be16 (p + at + 1) & 0x1fff;
    stream->descriptors = g_byte_array_new ();
    g_byte_array_append (stream->descriptors, p + at + 5, length);
    g_ptr_array_add (self->streams, stream);
    at += 5 + length;
  }
  g_assert_cmpuint (at, ==, end);
}

/* ---- PES ---- */

static guint64
read_time (const guint8 *p)
{
  g_assert_cmpuint (p[0] & 1, ==, 1);
  g_assert_cmpuint (p[2] & 1, ==, 1);
  g_assert_cmpuint (p[4] & 1, ==, 1);
  return (guint64) (p[0] >> 1 & 7) << 30 | be16 (p + 1) >> 1 << 15 |
      be16 (p + 3) >> 1;
}

/* Takes the header off, once the PES packet is whole. */
static void
end_pes (ReadPes *pes)
{
  const guint8 *p = pes->payload->data;
  gsize header, length;

  g_assert_cmpuint (pes->payload->len, >, 9);
  g_assert_cmpmem (p, 3, "\0\0\1", 3);
  length = be16 (p + 4);
  header = 9 + p[8];
  pes->stream_id = p[3];
  if (length > 0)
    g_assert_cmpuint (length + 6, ==, pes->payload->len);
  else
    g_assert_cmpuint (p[3] & 0xf0, ==, 0xe0);
  g_assert_cmpuint (p[6], ==, 0x84);
  g_assert_cmpuint (p[7] & 0x80, ==, 0x80);
  pes->pts = pes->dts = read_time (p + 9);
  if (p[7] & 0x40)
    pes->dts = read_time (p + 14);
  g_assert_cmpuint (header, ==, p[7] & 0x40 ? 19 : 14);
  g_byte_array_remove_range (pes->payload, 0, header);
}

/* ---- packets ---- */

typedef struct
{
  guint16 pid;
  gboolean start, random_access, discontinuity;
  const guint8 *payload;
  gsize size;
} Packet;

static void
read_adaptation (TsReader *self, const guint8 *p, gsize offset, Packet *packet)
{
  gsize length = p[4], at = 6;

  g_assert_cmpuint (length, <=, p[3] & 0x10 ? 182 : 183);
  if (length == 0)
    return;
  packet->random_access = (p[5] & 0x40) != 0;
  packet->discontinuity = (p[5] & 0x80) != 0;
  if (p[5] & 0x10) {
    ReadClock clock = { (guint64) p[6] << 25 | p[7] << 17 | p[8] << 9 |
          p[9] << 1 | p[10] >> 7,
      offset, packet->pid };

    g_array_append_val (self->clocks, clock);
    at += 6;
  }
  for (; at < 5 + length; at++)
    g_assert_cmpuint (p[at], ==, 0xff);
}

static void
check_counter (TsReader *self, const guint8 *p, const Packet *packet)
{
  gint *last = &self->counters[packet->pid];
  guint counter = p[3] & 0x0f;

  if (*last >= 0 && !packet->discontinuity)
    g_assert_cmpuint (counter, ==, (*last + (packet->size > 0)) & 0x0f);
  if (packet->size > 0)
    *last = counter;
}

static Packet
read_packet (TsReader *self, const guint8 *p, gsize offset)
{
  Packet packet = { be16 (p + 1) & 0x1fff, (p[1] & 0x40) != 0, FALSE, FALSE,
    p + 4, 184 };

  g_assert_cmpuint (p[0], ==, 0x47);
  g_assert_cmpuint (p[1] & 0xa0, ==, 0);
  g_assert_cmpuint (p[3] & 0xc0, ==, 0);
  g_assert_cmpuint (p[3] & 0x30, !=, 0);
  if (p[3] & 0x20) {
    read_adaptation (self, p, offset, &packet);
    packet.payload = p + 5 + p[4];
    packet.size = 183 - p[4];
  }
  if (!(p[3] & 0x10))
    packet.size = 0;
  check_counter (self, p, &packet);
  return packet;
}

static void
take_payload (TsReader *self, const Packet *packet, GHashTable *open)
{
  gpointer key = GUINT_TO_POINTER (packet->pid);
  ReadPes *pes = g_hash_table_lookup (open, key);

  if (packet->start) {
    if (pes)
      end_pes (pes);
    pes = g_new0 (ReadPes, 1);
    pes->pid = packet->pid;
    pes->random_access = packet->random_access;
    pes->discontinuity = packet->discontinuity;
    pes->payload = g_byte_array_new ();
    g_ptr_array_add (self->pes, pes);
    g_hash_table_insert (open, key, pes);
  }
  g_assert_nonnull (pes);
  g_byte_array_append (pes->payload, packet->payload, packet->size);
}

void
ts_reader_read (TsReader *self, const guint8 *data, gsize size)
{
  g_autoptr (GHashTable) open = g_hash_table_new (NULL, NULL);
  guint pmt_pid = 0;
  GHashTableIter iter;
  gpointer pes;

  g_assert_cmpuint (size % 188, ==, 0);
  for (gsize at = 0; at < size; at += 188) {
    Packet packet = read_packet (self, data + at, at);

    g_assert_true (at > 0 || packet.pid == 0);
    g_assert_true (at != 188 || packet.pid == pmt_pid);
    if (packet.pid == 0)
      pmt_pid = read_pat (packet.payload + 1, packet.size - 1);
    else if (packet.pid == pmt_pid)
      read_pmt (self, packet.payload + 1, packet.size - 1);
    else if (packet.size > 0)
      take_payload (self, &packet, open);
  }
  g_hash_table_iter_init (&iter, open);
  while (g_hash_table_iter_next (&iter, NULL, &pes))
    end_pes (pes);
}

GByteArray *
ts_reader_get_stream (TsReader *self, guint16 pid)
{
  GByteArray *all = g_byte_array_new ();

  for (guint i = 0; i < self->pes->len; i++) {
    const ReadPes *pes = g_ptr_array_index (self->pes, i);

    if (pes->pid == pid)
      g_byte_array_append (all, pes->payload->data, pes->payload->len);
  }
  return all;
}
