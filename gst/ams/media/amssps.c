/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amssps.h"

#define H264_SPS 7
#define H265_SPS 33
#define H265_MAX_SUB_LAYERS 7

/* H.264, 7.4.2.1.1: profiles without B pictures, and those whose sets have the
 * fields for chroma formats. */
#define PROFILE_BASELINE 66
#define PROFILE_HIGH 100

#define EXTENDED_SAR 255
#define MAX_DEPTH 16

/* The bits of a NAL unit, without the bytes that keep start codes out of it. */
typedef struct
{
  AmsSlice bytes;
  gsize at; /* byte */
  guint bit; /* of it, from the top */
  guint zeros; /* bytes of 0 before it */
  gboolean damaged; /* more was asked for than there is */
} Bits;

static void
next_byte (Bits *self)
{
  self->zeros = self->bytes.data[self->at] == 0 ? self->zeros + 1 : 0;
  self->at++;
  self->bit = 0;
  if (self->zeros >= 2 && self->at < self->bytes.size &&
      self->bytes.data[self->at] == 3) {
    self->at++;
    self->zeros = 0;
  }
}

static guint
take_bit (Bits *self)
{
  guint bit;

  if (self->at >= self->bytes.size) {
    self->damaged = TRUE;
    return 0;
  }
  bit = self->bytes.data[self->at] >> (7 - self->bit) & 1;
  if (++self->bit == 8)
    next_byte (self);
  return bit;
}

static guint
take (Bits *self, guint count)
{
  guint value = 0;

  while (count-- > 0)
    value = value << 1 | take_bit (self);
  return value;
}

/* ue(v), H.264 9.1. */
static guint
take_ue (Bits *self)
{
  guint zeros = 0;

  while (!self->damaged && zeros < 32 && take_bit (self) == 0)
    zeros++;
  if (zeros >= 32)
    self->damaged = TRUE;
  return self->damaged ? 0 : (1u << zeros) - 1 + take (self, zeros);
}

static gint
take_se (Bits *self)
{
  guint value = take_ue (self);

  return value & 1 ? (gint) (value / 2) + 1 : -(gint) (value / 2);
}

/* ---- H.264 ---- */

static void
skip_scaling_list (Bits *bits, guint size)
{
  gint last = 8, next = 8;

  for (guint i = 0; i < size && !bits->damaged; i++) {
    if (next != 0)
      next = (last + take_se (bits)) & 0xff;
    last = next == 0 ? last : next;
  }
}

static void
skip_chroma_fields (Bits *bits)
{
  guint chroma = take_ue (bits);

  if (chroma == 3)
    take (bits, 1);
  take_ue (bits); /* bit depths */
  take_ue (bits);
  take (bits, 1);
  if (!take (bits, 1))
    return;
  for (guint i = 0; i < (chroma == 3 ? 12u : 8u); i++) {
    if (take (bits, 1))
      skip_scaling_list (bits, i < 6 ? 16 : 64);
  }
}

/* Returns: pic_order_cnt_type. With 2, pictures are shown as they are decoded. */
static guint
take_picture_order (Bits *bits)
{
  guint type = take_ue (bits), cycle;

  if (type == 0) {
    take_ue (bits);
  } else if (type == 1) {
    take (bits, 1);
    take_se (bits);
    take_se (bits);
    cycle = take_ue (bits);
    for (guint i = 0; i < cycle && !bits->damaged; i++)
      take_se (bits);
  }
  return type;
}

static void
skip_hrd (Bits *bits)
{
  guint count = take_ue (bits) + 1;

  take (bits, 8);
  for (guint i = 0; i < count && !bits->damaged; i++) {
    take_ue (bits);
    take_ue (bits);
    take (bits, 1);
  }
  take (bits, 20);
}

static void
skip_vui_pictures (Bits *bits)
{
  if (take (bits, 1) && take (bits, 8) == EXTENDED_SAR)
    take (bits, 32);
  if (take (bits, 1))
    take (bits, 1); /* overscan */
  if (take (bits, 1)) {
    take (bits, 4); /* video signal */
    if (take (bits, 1))
      take (bits, 24);
  }
  if (take (bits, 1)) {
    take_ue (bits); /* where chroma samples are */
    take_ue (bits);
  }
}

/* Annex E.1.1, up to max_num_reorder_frames. */
static guint
take_vui_depth (Bits *bits)
{
  gboolean nal_hrd, vcl_hrd;

  skip_vui_pictures (bits);
  if (take (bits, 1)) {
    take (bits, 32); /* timing */
    take (bits, 32);
    take (bits, 1);
  }
  if ((nal_hrd = take (bits, 1)))
    skip_hrd (bits);
  if ((vcl_hrd = take (bits, 1)))
    skip_hrd (bits);
  if (nal_hrd || vcl_hrd)
    take (bits, 1);
  take (bits, 1);
  if (!take (bits, 1))
    return AMS_SPS_DEPTH_UNKNOWN;
  take (bits, 1);
  for (guint i = 0; i < 4; i++)
    take_ue (bits);
  return take_ue (bits);
}

/* Behind the order of pictures, up to the VUI. FALSE: there is none. */
static gboolean
skip_to_vui (Bits *bits)
{
  take_ue (bits); /* reference frames */
  take (bits, 1);
  take_ue (bits); /* width, height */
  take_ue (bits);
  if (!take (bits, 1))
    take (bits, 1);
  take (bits, 1);
  if (take (bits, 1)) {
    for (guint i = 0; i < 4; i++)
      take_ue (bits); /* cropping */
  }
  return take (bits, 1);
}

static gboolean
has_chroma_fields (guint profile)
{
  return profile >= PROFILE_HIGH || profile == 44 || profile == 83 ||
      profile == 86;
}

static guint
h264_depth (Bits *bits)
{
  guint profile = take (bits, 8);

  take (bits, 16); /* constraints, level */
  take_ue (bits);
  if (has_chroma_fields (profile))
    skip_chroma_fields (bits);
  take_ue (bits); /* frame numbers */
  if (take_picture_order (bits) == 2 || profile == PROFILE_BASELINE)
    return 0;
  if (!skip_to_vui (bits))
    return AMS_SPS_DEPTH_UNKNOWN;
  return take_vui_depth (bits);
}

/* ---- H.265 ---- */

static void
skip_sub_layers (Bits *bits, guint max)
{
  gboolean profile[H265_MAX_SUB_LAYERS], level[H265_MAX_SUB_LAYERS];

  for (guint i = 0; i < max; i++) {
    profile[i] = take (bits, 1);
    level[i] = take (bits, 1);
  }
  if (max > 0)
    take (bits, 2 * (8 - max));
  for (guint i = 0; i < max; i++) {
    for (guint n = profile[i] ? 11 : 0; n > 0; n--)
      take (bits, 8);
    if (level[i])
      take (bits, 8);
  }
}

static void
skip_profile_tier_level (Bits *bits, guint max_sub_layers)
{
  for (guint i = 0; i < 12; i++) /* general_profile_space … general_level_idc */
    take (bits, 8);
  skip_sub_layers (bits, max_sub_layers);
}

/* Of the sub-layers, the highest counts: they are all in the stream. */
static guint
take_reorder_pictures (Bits *bits, guint max_sub_layers)
{
  gboolean each = take (bits, 1);
  guint depth = 0;

  for (guint i = each ? 0 : max_sub_layers; i <= max_sub_layers; i++) {
    take_ue (bits);
    depth = take_ue (bits);
    take_ue (bits);
  }
  return depth;
}

static guint
h265_depth (Bits *bits)
{
  guint max_sub_layers;

  take (bits, 8); /* the rest of the header */
  take (bits, 4);
  max_sub_layers = take (bits, 3);
  take (bits, 1);
  if (max_sub_layers >= H265_MAX_SUB_LAYERS)
    return AMS_SPS_DEPTH_UNKNOWN;
  skip_profile_tier_level (bits, max_sub_layers);
  take_ue (bits);
  if (take_ue (bits) == 3)
    take (bits, 1); /* chroma format 4:4:4 */
  take_ue (bits); /* width, height */
  take_ue (bits);
  if (take (bits, 1)) {
    for (guint i = 0; i < 4; i++)
      take_ue (bits); /* cropping */
  }
  for (guint i = 0; i < 3; i++)
    take_ue (bits); /* bit depths, picture order */
  return take_reorder_pictures (bits, max_sub_layers);
}

/* ---- both ---- */

guint
ams_sps_get_reorder_depth (AmsSlice sps, gboolean h265)
{
  Bits bits = { sps, 0, 0, 0, FALSE };
  guint header = take (&bits, 8), depth;
  guint type = h265 ? header >> 1 & 0x3f : header & 0x1f;

  if (type != (h265 ? H265_SPS : H264_SPS))
    return AMS_SPS_DEPTH_UNKNOWN;
  depth = h265 ? h265_depth (&bits) : h264_depth (&bits);
  return bits.damaged || depth > MAX_DEPTH ? AMS_SPS_DEPTH_UNKNOWN : depth;
}
