/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What of a track's access units goes into PES packets: Annex B byte streams,
 * ADTS frames, Opus with its control headers. Pure, no GStreamer. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"
#include "media/amstrack.h"
#include "media/amsunit.h"

G_BEGIN_DECLS

typedef struct _AmsTsFraming AmsTsFraming;

/* Returns: (transfer full) (nullable): NULL, and @error, if MPEG-TS cannot carry
 * @track or if its configuration is damaged. */
AmsTsFraming *ams_ts_framing_new (const AmsTrack *track, GError **error);
void ams_ts_framing_free (AmsTsFraming *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsTsFraming, ams_ts_framing_free)

/* ns that a frame of audio lasts, as far as the configuration tells; else 0. */
gint64 ams_ts_framing_get_frame_duration (const AmsTsFraming *self);

/* Appends the bytes of a picture to @pieces (element-type AmsSlice), which point
 * into @unit and the framing. FALSE: the unit is damaged. */
gboolean ams_ts_framing_add_picture (const AmsTsFraming *self,
    const AmsUnit *unit, GArray *pieces, GError **error);

/* Appends a frame of audio to @group, the payload of a PES packet. FALSE: the
 * unit is damaged or too large, and @group is as it was. */
gboolean ams_ts_framing_add_frame (const AmsTsFraming *self,
    const AmsUnit *unit, GByteArray *group, GError **error);

G_END_DECLS
