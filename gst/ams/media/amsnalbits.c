/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media/amsnalbits.h"

static void
next_byte (AmsNalBits *self)
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
take_bit (AmsNalBits *self)
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

guint
ams_nal_bits_take (AmsNalBits *self, guint count)
{
  guint value = 0;

  while (count-- > 0)
    value = value << 1 | take_bit (self);
  return self->damaged ? 0 : value;
}

guint
ams_nal_bits_take_ue (AmsNalBits *self)
{
  guint zeros = 0;

  while (!self->damaged && zeros < 32 && take_bit (self) == 0)
    zeros++;
  if (zeros >= 32)
    self->damaged = TRUE;
  return self->damaged ? 0
                       : (1u << zeros) - 1 + ams_nal_bits_take (self, zeros);
}

gint
ams_nal_bits_take_se (AmsNalBits *self)
{
  guint value = ams_nal_bits_take_ue (self);

  return value & 1 ? (gint) (value / 2) + 1 : -(gint) (value / 2);
}
