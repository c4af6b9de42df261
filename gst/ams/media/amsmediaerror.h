/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is wrong with media that came in. Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_MEDIA_ERROR_CONFIG, /* the track's configuration is damaged */
  AMS_MEDIA_ERROR_UNSUPPORTED, /* the container cannot carry the track */
  AMS_MEDIA_ERROR_UNIT, /* this access unit is damaged; others may not be */
} AmsMediaError;

#define AMS_MEDIA_ERROR (ams_media_error_quark ())
GQuark ams_media_error_quark (void);

G_END_DECLS
