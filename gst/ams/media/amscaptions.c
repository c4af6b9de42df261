/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amscaptions.h"

#include <string.h>

#define H264_SEI 6
#define H265_PREFIX_SEI 39

/* ITU-T T.35: user data of the United States, by ATSC, of the kind cc_data. */
#define USER_DATA_REGISTERED 4
static const guint8 cc_data_header[] = { 0xb5, 0x00, 0x31, 'G', 'A', '9', '4',
  0x03 };

/* CEA-708, 4.3: cc_type. */
enum
{
  FIELD_1,
  FIELD_2,
  PACKET_DATA,
  PACKET_START,
};

/* Of one picture: more than a sane one has. */
#define MAX_PACKET_BYTES 1024
#define MAX_PACKET 128
#define EXTENDED_SERVICE 7

/* A picture's bytes of CEA-708, each pair behind its cc_type. */
typedef struct
{
  gint64 pts;
  GByteArray *triplets;
} Picture;

struct _AmsCaptions
{
  guint channels;
  guint64 services;
  GQueue waiting; /* of Picture, by the time at which it is shown */
  guint8 packet[MAX_PACKET];
  guint packet_size; /* 0: none has begun */
  guint packet_filled;
};

/* ---- CEA-608 ---- */

static gboolean
has_odd_parity (guint8 byte)
{
  gboolean odd = FALSE;

  for (; byte != 0; byte &= byte - 1)
    odd = !odd;
  return odd;
}

/* CEA-608, 8.1: the codes that begin a caption: resume caption loading, roll-up,
 * resume direct captioning. */
static gboolean
begins_caption (guint8 code)
{
  return code == 0x20 || code == 0x29 || (code >= 0x25 && code <= 0x27);
}

static void
read_line_21 (AmsCaptions *self, guint field, guint8 first, guint8 second)
{
  guint channel;

  if (!has_odd_parity (first) || !has_odd_parity (second))
    return;
  first &= 0x7f;
  if ((first & 0x76) != 0x14 || !begins_caption (second & 0x7f))
    return;
  channel = 2 * field + (first & 0x08 ? 1 : 0);
  self->channels |= 1 << channel;
}

/* ---- CEA-708 ---- */

/* CEA-708, 5 and 6.2. */
static void
read_service_blocks (AmsCaptions *self)
{
  AmsSlice rest = { self->packet + 1, self->packet_size - 1 };
  guint32 header, service, size;

  while (ams_slice_take_number (&rest, 1, &header)) {
    AmsSlice block;

    service = header >> 5;
    size = header & 0x1f;
    if (service == EXTENDED_SERVICE && size > 0) {
      if (!ams_slice_take_number (&rest, 1, &service))
        return;
      service &= 0x3f;
    }
    if (service == 0 || !ams_slice_take (&rest, size, &block))
      return;
    if (size > 0)
      self->services |= G_GUINT64_CONSTANT (1) << service;
  }
}

static void
add_packet_byte (AmsCaptions *self, guint8 byte)
{
  if (self->packet_filled >= self->packet_size)
    return;
  self->packet[self->packet_filled++] = byte;
  if (self->packet_filled == self->packet_size)
    read_service_blocks (self);
}

static void
add_triplet (AmsCaptions *self, const guint8 *triplet)
{
  guint size = triplet[1] & 0x3f;

  if (triplet[0] == PACKET_START) {
    self->packet_size = size ? size * 2 : MAX_PACKET;
    self->packet_filled = 0;
  }
  add_packet_byte (self, triplet[1]);
  add_packet_byte (self, triplet[2]);
}

static void
free_picture (gpointer data)
{
  Picture *picture = data;

  g_byte_array_unref (picture->triplets);
  g_free (picture);
}

static gint
compare_pictures (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Picture *x = a, *y = b;

  return x->pts < y->pts ? -1 : x->pts > y->pts;
}

/* A packet goes on over pictures as they are shown, and they come as they are
 * decoded. */
static void
add_picture (AmsCaptions *self, gint64 pts, GByteArray *triplets)
{
  Picture *picture = g_new0 (Picture, 1);

  picture->pts = pts;
  picture->triplets = g_byte_array_ref (triplets);
  g_queue_insert_sorted (&self->waiting, picture, compare_pictures, NULL);
  if (self->waiting.length <= AMS_CAPTIONS_MAX_DELAY)
    return;
  picture = g_queue_pop_head (&self->waiting);
  for (guint i = 0; i + 3 <= picture->triplets->len; i += 3)
    add_triplet (self, picture->triplets->data + i);
  free_picture (picture);
}

/* ---- SEI messages ---- */

static void
read_triplet (AmsCaptions *self, const guint8 *p, GByteArray *triplets)
{
  const guint8 type = p[0] & 0x03;
  const guint8 triplet[] = { type, p[1], p[2] };

  if (!(p[0] & 0x04)) /* cc_valid */
    return;
  if (type == FIELD_1 || type == FIELD_2)
    read_line_21 (self, type, p[1], p[2]);
  else if (triplets->len < MAX_PACKET_BYTES)
    g_byte_array_append (triplets, triplet, sizeof triplet);
}

static void
read_user_data (AmsCaptions *self, AmsSlice data, GByteArray *triplets)
{
  AmsSlice header, triplet;
  guint32 flags, em_data;

  if (!ams_slice_take (&data, sizeof cc_data_header, &header) ||
      memcmp (header.data, cc_data_header, sizeof cc_data_header) != 0 ||
      !ams_slice_take_number (&data, 1, &flags) ||
      !ams_slice_take_number (&data, 1, &em_data) || !(flags & 0x40))
    return;
  for (guint count = flags & 0x1f; count > 0; count--) {
    if (!ams_slice_take (&data, 3, &triplet))
      return;
    read_triplet (self, triplet.data, triplets);
  }
}

/* A number in steps of 255, H.264 7.3.2.3.1. */
static gboolean
take_message_number (AmsSlice *rest, gsize *number)
{
  guint32 byte;

  *number = 0;
  do {
    if (!ams_slice_take_number (rest, 1, &byte))
      return FALSE;
    *number += byte;
  } while (byte == 0xff);
  return TRUE;
}

static void
read_messages (AmsCaptions *self, AmsSlice rest, GByteArray *triplets)
{
  gsize type, size;
  AmsSlice payload;

  while (take_message_number (&rest, &type) &&
      take_message_number (&rest, &size) &&
      ams_slice_take (&rest, size, &payload)) {
    if (type == USER_DATA_REGISTERED)
      read_user_data (self, payload, triplets);
  }
}

/* Without the bytes that keep start codes out of @nal. */
static GByteArray *
unescape (AmsSlice nal)
{
  GByteArray *bytes = g_byte_array_sized_new (nal.size);
  guint zeros = 0;

  for (gsize i = 0; i < nal.size; i++) {
    if (zeros >= 2 && nal.data[i] == 3) {
      zeros = 0;
      continue;
    }
    zeros = nal.data[i] == 0 ? zeros + 1 : 0;
    g_byte_array_append (bytes, nal.data + i, 1);
  }
  return bytes;
}

/* Returns: the size of the header of @nal, if it is SEI in front of a picture. */
static gsize
get_sei_header (AmsSlice nal, gboolean h265)
{
  if (h265)
    return (nal.data[0] >> 1 & 0x3f) == H265_PREFIX_SEI ? 2 : 0;
  return (nal.data[0] & 0x1f) == H264_SEI ? 1 : 0;
}

static void
read_nal (AmsCaptions *self, AmsSlice nal, gboolean h265, GByteArray *triplets)
{
  AmsSlice header;
  gsize header_size = get_sei_header (nal, h265);
  g_autoptr (GByteArray) bytes = NULL;

  if (header_size == 0 || !ams_slice_take (&nal, header_size, &header))
    return;
  bytes = unescape (nal);
  read_messages (self, (AmsSlice){ bytes->data, bytes->len }, triplets);
}

static gboolean
is_slice (AmsSlice nal, gboolean h265)
{
  AmsNalKind kind = ams_nal_get_kind (nal, h265);

  return kind == AMS_NAL_SLICE || kind == AMS_NAL_RANDOM_ACCESS_SLICE;
}

gboolean
ams_captions_add (AmsCaptions *self, const AmsNalConfig *config,
    const AmsUnit *unit)
{
  guint channels = self->channels;
  guint64 services = self->services;
  g_autoptr (GByteArray) triplets = g_byte_array_new ();
  AmsSlice rest = ams_slice_of_bytes (unit->payload), nal;

  while (ams_nal_next (config, &rest, &nal) && !is_slice (nal, config->h265))
    read_nal (self, nal, config->h265, triplets);
  if (triplets->len > 0)
    add_picture (self, unit->pts, triplets);
  return channels != self->channels || services != self->services;
}

guint
ams_captions_get_channels (AmsCaptions *self)
{
  return self->channels;
}

guint64
ams_captions_get_services (AmsCaptions *self)
{
  return self->services;
}

AmsCaptions *
ams_captions_new (void)
{
  AmsCaptions *self = g_new0 (AmsCaptions, 1);

  g_queue_init (&self->waiting);
  return self;
}

void
ams_captions_free (AmsCaptions *self)
{
  g_queue_clear_full (&self->waiting, free_picture);
  g_free (self);
}
