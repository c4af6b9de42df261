/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The header that makes a raw AAC frame one of an ADTS stream (ISO 14496-3, 1.A.2). Pure, no GStreamer. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AMS_ADTS_HEADER_SIZE 7

/* What is the same for all frames, of the AudioSpecificConfig at @config. FALSE: ADTS cannot say it. */
gboolean ams_adts_begin (const guint8 *config, gsize size,
    guint8 header[AMS_ADTS_HEADER_SIZE]);
/* @size: of the raw frame. FALSE: it is too large. */
gboolean ams_adts_set_size (guint8 header[AMS_ADTS_HEADER_SIZE], gsize size);

G_END_DECLS
