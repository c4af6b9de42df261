/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "package/amspackager.h"

G_DEFINE_INTERFACE (AmsPackager, ams_packager, G_TYPE_OBJECT)

static void
ams_packager_default_init (AmsPackagerInterface *iface)
{
}

gboolean
ams_packager_check_track (AmsPackager *self, const AmsTrack *track,
    GError **error)
{
  return AMS_PACKAGER_GET_IFACE (self)->check_track (self, track, error);
}

gboolean
ams_packager_set_tracks (AmsPackager *self, GPtrArray *tracks, GError **error)
{
  return AMS_PACKAGER_GET_IFACE (self)->set_tracks (self, tracks, error);
}

void
ams_packager_begin_segment (AmsPackager *self, gboolean discontinuity,
    AmsBlocks *out)
{
  AMS_PACKAGER_GET_IFACE (self)->begin_segment (self, discontinuity, out);
}

gboolean
ams_packager_add (AmsPackager *self, const AmsUnit *unit, AmsBlocks *out,
    GError **error)
{
  return AMS_PACKAGER_GET_IFACE (self)->add (self, unit, out, error);
}

void
ams_packager_flush (AmsPackager *self, AmsBlocks *out)
{
  AMS_PACKAGER_GET_IFACE (self)->flush (self, out);
}

guint64
ams_packager_mark (AmsPackager *self, AmsBlocks *out)
{
  guint64 size;

  ams_packager_flush (self, out);
  size = ams_blocks_get_size (out);
  AMS_PACKAGER_GET_IFACE (self)->mark (self, out);
  return size;
}

void
ams_packager_begin_at_mark (AmsPackager *self)
{
  AMS_PACKAGER_GET_IFACE (self)->begin_at_mark (self);
}

const GArray *
ams_packager_get_key_pictures (AmsPackager *self)
{
  return AMS_PACKAGER_GET_IFACE (self)->get_key_pictures (self);
}
