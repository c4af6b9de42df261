/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The bits of a NAL unit of H.264 or H.265, without the bytes that keep start
 * codes out of it (emulation prevention, H.264 7.4.1). Hostile input. Pure, no
 * GStreamer. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"

G_BEGIN_DECLS

typedef struct
{
  AmsSlice bytes;
  gsize at; /* byte */
  guint bit; /* of it, from the top */
  guint zeros; /* bytes of 0 before it */
  gboolean damaged; /* more was asked for than there is */
} AmsNalBits;

#define AMS_NAL_BITS_INIT(nal) \
  { \
    (nal), 0, 0, 0, FALSE \
  }

/* @count: at most 32. 0 where there are fewer. */
guint ams_nal_bits_take (AmsNalBits *self, guint count);
/* ue(v) and se(v), H.264 9.1. */
guint ams_nal_bits_take_ue (AmsNalBits *self);
gint ams_nal_bits_take_se (AmsNalBits *self);

G_END_DECLS
