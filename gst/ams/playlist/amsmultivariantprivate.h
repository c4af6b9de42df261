/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For who writes a multivariant playlist (amsmultivariant.c) and who checks it
 * (amsmultivariantcheck.c). */

#pragma once

#include "amsmultivariant.h"

G_BEGIN_DECLS

static inline const AmsVariant *
ams_multivariant_get_variant (const AmsMultivariant *self, guint i)
{
  return g_ptr_array_index (self->variants, i);
}

static inline const AmsRendition *
ams_multivariant_get_rendition (const AmsMultivariant *self, guint i)
{
  return g_ptr_array_index (self->renditions, i);
}

/* As in TYPE. */
static inline const gchar *
ams_rendition_type_get_name (AmsRenditionType type)
{
  static const gchar *const names[] = { "AUDIO", "SUBTITLES",
    "CLOSED-CAPTIONS" };

  return names[type];
}

G_END_DECLS
