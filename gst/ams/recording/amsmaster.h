/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The multivariant playlist above a recording: what its tracks and its segments tell of it, and
 * when it is to be written. Pure, no GStreamer, touches no file, not thread-safe. */

#pragma once

#include "media/amstrack.h"

G_BEGIN_DECLS

typedef struct _AmsMaster AmsMaster;

AmsMaster *ams_master_new (void);
void ams_master_free (AmsMaster *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsMaster, ams_master_free)

/* @uri: of the media playlist, from where this one is. @target_duration: s */
void ams_master_begin (AmsMaster *self, const gchar *uri,
    guint target_duration);

/* A track is in the recording, in this form from here on. What it was before is in
 * segments that are listed, and counts as well. */
void ams_master_add_track (AmsMaster *self, const AmsTrack *track);
/* Closed captions that were found in the video: bits 0 to 3 are CC1 to CC4; bits 1 to 63
 * SERVICE1 to SERVICE63. */
void ams_master_add_captions (AmsMaster *self, guint channels,
    guint64 services);
/* Not all segments begin with a keyframe. */
void ams_master_set_dependent (AmsMaster *self);

/* A segment is whole, and listed. @duration: ns. @target_duration: s, what is promised now */
void ams_master_add_segment (AmsMaster *self, guint64 size, guint64 duration,
    guint target_duration);

/* The text, if it is to be written: with the first segment, and again when what it says of the
 * tracks has changed, or a rule of BANDWIDTH is broken (amsbandwidth.h). @ended: all is
 * known, so that the figures are those that were measured, and NONE is said of captions
 * where none were found. (transfer full) (nullable): there is nothing to be written, or it cannot be
 * said (@error, once for each reason). */
GBytes *ams_master_render (AmsMaster *self, gboolean ended, GError **error);

G_END_DECLS
