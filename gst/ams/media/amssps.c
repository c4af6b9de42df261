/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amssps.h"

#include "media/amsnalbits.h"

#define H264_SPS 7
#define H265_SPS 33
#define H265_MAX_SUB_LAYERS 7
#define H265_MAX_PICTURE_SETS 64
#define H265_MAX_PICTURES 16
#define H265_MAX_LONG_TERM 32
#define H265_MAX_POC_BITS 16

/* H.264, 7.4.2.1.1: profiles without B pictures, and those whose sets have the
 * fields for chroma formats. */
#define PROFILE_BASELINE 66
#define PROFILE_HIGH 100

#define EXTENDED_SAR 255
#define MAX_DEPTH 16
/* Twice what the highest levels allow. */
#define MAX_SIDE 32768

static guint
take (AmsNalBits *bits, guint count)
{
  return ams_nal_bits_take (bits, count);
}

static guint
take_ue (AmsNalBits *bits)
{
  return ams_nal_bits_take_ue (bits);
}

static gint
take_se (AmsNalBits *bits)
{
  return ams_nal_bits_take_se (bits);
}

/* A number of which more than @max is damage. */
static guint
take_count (AmsNalBits *bits, guint max)
{
  guint count = take_ue (bits);

  if (count > max)
    bits->damaged = TRUE;
  return bits->damaged ? 0 : count;
}

/* ---- both ---- */

static guint
columns_per_chroma (guint chroma)
{
  return chroma == 1 || chroma == 2 ? 2 : 1;
}

static guint
rows_per_chroma (guint chroma)
{
  return chroma == 1 ? 2 : 1;
}

/* The offsets of the cropping rectangle, in units of @unit_x and @unit_y luma
 * samples: left, right, top, bottom in both codecs. */
static void
take_size (AmsNalBits *bits, AmsSps *sps, guint64 width, guint64 height,
    guint unit_x, guint unit_y)
{
  guint64 x = 0, y = 0;

  if (take (bits, 1)) {
    x = (guint64) take_ue (bits) * unit_x;
    x += (guint64) take_ue (bits) * unit_x;
    y = (guint64) take_ue (bits) * unit_y;
    y += (guint64) take_ue (bits) * unit_y;
  }
  if (width > MAX_SIDE || height > MAX_SIDE || x >= width || y >= height) {
    bits->damaged = TRUE;
    return;
  }
  sps->width = width - x;
  sps->height = height - y;
}

/* The fields with which the VUI of both codecs begins. */
static void
take_vui_pictures (AmsNalBits *bits, AmsSps *sps)
{
  if (take (bits, 1) && take (bits, 8) == EXTENDED_SAR)
    take (bits, 32);
  if (take (bits, 1))
    take (bits, 1); /* overscan */
  if (take (bits, 1)) {
    take (bits, 4); /* video signal */
    if (take (bits, 1)) {
      take (bits, 8); /* primaries */
      sps->transfer = take (bits, 8);
      take (bits, 8); /* matrix */
    }
  }
  if (take (bits, 1)) {
    take_ue (bits); /* where chroma samples are */
    take_ue (bits);
  }
}

/* @fields: 2 where the ticks are those of fields. FALSE: there is no timing. */
static gboolean
take_rate (AmsNalBits *bits, AmsSps *sps, guint fields)
{
  if (!take (bits, 1))
    return FALSE;
  sps->rate_den = (guint64) take (bits, 32) * fields;
  sps->rate_num = take (bits, 32);
  return TRUE;
}

static void
forget_vui (AmsSps *sps)
{
  sps->rate_num = sps->rate_den = 0;
  sps->transfer = AMS_SPS_TRANSFER_UNKNOWN;
}

/* ---- H.264 ---- */

static void
skip_scaling_list (AmsNalBits *bits, guint size)
{
  gint last = 8, next = 8;

  for (guint i = 0; i < size && !bits->damaged; i++) {
    if (next != 0)
      next = (gint) ((guint) last + (guint) take_se (bits)) & 0xff;
    last = next == 0 ? last : next;
  }
}

/* Returns: chroma_format_idc. */
static guint
take_chroma_fields (AmsNalBits *bits)
{
  guint chroma = take_count (bits, 3);

  if (chroma == 3)
    take (bits, 1);
  take_ue (bits); /* bit depths */
  take_ue (bits);
  take (bits, 1);
  if (take (bits, 1)) {
    for (guint i = 0; i < (chroma == 3 ? 12u : 8u); i++) {
      if (take (bits, 1))
        skip_scaling_list (bits, i < 6 ? 16 : 64);
    }
  }
  return chroma;
}

/* Returns: pic_order_cnt_type. With 2, pictures are shown as they are decoded. */
static guint
take_picture_order (AmsNalBits *bits)
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
skip_hrd (AmsNalBits *bits)
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

/* Annex E.1.1, up to max_num_reorder_frames. Returns: the depth. */
static guint
take_h264_vui (AmsNalBits *bits, AmsSps *sps)
{
  gboolean nal_hrd, vcl_hrd;

  take_vui_pictures (bits, sps);
  if (take_rate (bits, sps, 2))
    take (bits, 1); /* fixed frame rate */
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

static void
take_h264_size (AmsNalBits *bits, AmsSps *sps, guint chroma)
{
  guint64 columns, rows;
  guint fields;

  columns = (guint64) take_ue (bits) + 1; /* of macroblocks */
  rows = (guint64) take_ue (bits) + 1;
  fields = take (bits, 1) ? 1 : 2;
  if (fields == 2)
    take (bits, 1);
  take (bits, 1);
  take_size (bits, sps, columns * 16, rows * 16 * fields,
      columns_per_chroma (chroma), rows_per_chroma (chroma) * fields);
}

static gboolean
has_chroma_fields (guint profile)
{
  return profile >= PROFILE_HIGH || profile == 44 || profile == 83 ||
      profile == 86;
}

static gboolean
read_h264 (AmsNalBits *bits, AmsSps *sps)
{
  guint profile = take (bits, 8), chroma = 1, depth;
  gboolean in_order;

  take (bits, 16); /* constraints, level */
  take_ue (bits);
  if (has_chroma_fields (profile))
    chroma = take_chroma_fields (bits);
  take_ue (bits); /* frame numbers */
  in_order = take_picture_order (bits) == 2 || profile == PROFILE_BASELINE;
  take_ue (bits); /* reference frames */
  take (bits, 1);
  take_h264_size (bits, sps, chroma);
  if (bits->damaged)
    return FALSE;
  depth = take (bits, 1) ? take_h264_vui (bits, sps) : AMS_SPS_DEPTH_UNKNOWN;
  if (bits->damaged) {
    depth = AMS_SPS_DEPTH_UNKNOWN;
    forget_vui (sps);
  }
  sps->depth = in_order ? 0 : depth;
  return TRUE;
}

/* ---- H.265 ---- */

static void
skip_sub_layers (AmsNalBits *bits, guint max)
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
skip_profile_tier_level (AmsNalBits *bits, guint max_sub_layers)
{
  for (guint i = 0; i < 12; i++) /* general_profile_space … general_level_idc */
    take (bits, 8);
  skip_sub_layers (bits, max_sub_layers);
}

/* Of the sub-layers, the highest counts: they are all in the stream. */
static guint
take_reorder_pictures (AmsNalBits *bits, guint max_sub_layers)
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

/* 7.3.4. */
static void
skip_scaling_matrix (AmsNalBits *bits, guint size)
{
  guint count = MIN (64, 1 << (4 + 2 * size));

  if (!take (bits, 1)) {
    take_ue (bits); /* as that of another matrix */
    return;
  }
  if (size > 1)
    take_se (bits);
  for (guint i = 0; i < count && !bits->damaged; i++)
    take_se (bits);
}

static void
skip_scaling_lists (AmsNalBits *bits)
{
  for (guint size = 0; size < 4; size++) {
    for (guint matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1)
      skip_scaling_matrix (bits, size);
  }
}

/* 7.3.7. @before: the number of pictures of the set before it. Returns: its
 * own. */
static guint
take_predicted_set (AmsNalBits *bits, guint before)
{
  guint count = 0;

  take (bits, 1);
  take_ue (bits);
  for (guint i = 0; i <= before; i++)
    count += take (bits, 1) || take (bits, 1);
  if (count > H265_MAX_PICTURES)
    bits->damaged = TRUE;
  return count;
}

static guint
take_listed_set (AmsNalBits *bits)
{
  guint count = take_count (bits, H265_MAX_PICTURES);

  count += take_count (bits, H265_MAX_PICTURES);
  if (count > H265_MAX_PICTURES)
    bits->damaged = TRUE;
  for (guint i = 0; i < count && !bits->damaged; i++) {
    take_ue (bits);
    take (bits, 1);
  }
  return count;
}

static void
skip_reference_pictures (AmsNalBits *bits, guint poc_bits)
{
  guint sets = take_count (bits, H265_MAX_PICTURE_SETS), pictures = 0;

  for (guint i = 0; i < sets && !bits->damaged; i++)
    pictures = i > 0 && take (bits, 1) ? take_predicted_set (bits, pictures)
                                       : take_listed_set (bits);
  if (!take (bits, 1))
    return;
  for (guint n = take_count (bits, H265_MAX_LONG_TERM); n > 0; n--)
    take (bits, poc_bits + 1);
}

/* Between sps_max_latency_increase and the VUI. */
static void
skip_coding_tools (AmsNalBits *bits, guint poc_bits)
{
  for (guint i = 0; i < 6; i++)
    take_ue (bits); /* block sizes, depths */
  if (take (bits, 1) && take (bits, 1))
    skip_scaling_lists (bits);
  take (bits, 2);
  if (take (bits, 1)) {
    take (bits, 8); /* PCM */
    take_ue (bits);
    take_ue (bits);
    take (bits, 1);
  }
  skip_reference_pictures (bits, poc_bits);
  take (bits, 2);
}

/* Annex E.2.1, up to the timing. */
static void
take_h265_vui (AmsNalBits *bits, AmsSps *sps)
{
  gboolean fields;

  take_vui_pictures (bits, sps);
  take (bits, 1);
  fields = take (bits, 1);
  take (bits, 1);
  if (take (bits, 1)) {
    for (guint i = 0; i < 4; i++)
      take_ue (bits); /* default display window */
  }
  take_rate (bits, sps, fields ? 2 : 1);
}

static void
take_h265_size (AmsNalBits *bits, AmsSps *sps)
{
  guint chroma = take_count (bits, 3);
  guint64 width, height;

  if (chroma == 3)
    take (bits, 1);
  width = take_ue (bits);
  height = take_ue (bits);
  take_size (bits, sps, width, height, columns_per_chroma (chroma),
      rows_per_chroma (chroma));
}

static gboolean
read_h265 (AmsNalBits *bits, AmsSps *sps)
{
  guint max_sub_layers, poc_bits;

  take (bits, 8); /* the rest of the header */
  take (bits, 4);
  max_sub_layers = take (bits, 3);
  take (bits, 1);
  if (max_sub_layers >= H265_MAX_SUB_LAYERS)
    return FALSE;
  skip_profile_tier_level (bits, max_sub_layers);
  take_ue (bits);
  take_h265_size (bits, sps);
  take_ue (bits); /* bit depths */
  take_ue (bits);
  poc_bits = 4 + take_count (bits, H265_MAX_POC_BITS - 4);
  sps->depth = take_reorder_pictures (bits, max_sub_layers);
  if (bits->damaged)
    return FALSE;
  skip_coding_tools (bits, poc_bits);
  if (take (bits, 1))
    take_h265_vui (bits, sps);
  if (bits->damaged)
    forget_vui (sps);
  return TRUE;
}

/* ---- either ---- */

gboolean
ams_sps_read (AmsSlice nal, gboolean h265, AmsSps *sps)
{
  AmsNalBits bits = AMS_NAL_BITS_INIT (nal);
  guint header = take (&bits, 8);
  guint type = h265 ? header >> 1 & 0x3f : header & 0x1f;

  *sps = (AmsSps){ .depth = AMS_SPS_DEPTH_UNKNOWN,
    .transfer = AMS_SPS_TRANSFER_UNKNOWN };
  if (type != (h265 ? H265_SPS : H264_SPS))
    return FALSE;
  if (!(h265 ? read_h265 (&bits, sps) : read_h264 (&bits, sps)))
    return FALSE;
  if (sps->depth > MAX_DEPTH)
    sps->depth = AMS_SPS_DEPTH_UNKNOWN;
  return TRUE;
}

guint
ams_sps_get_reorder_depth (AmsSlice nal, gboolean h265)
{
  AmsSps sps;

  return ams_sps_read (nal, h265, &sps) ? sps.depth : AMS_SPS_DEPTH_UNKNOWN;
}
