/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which closed captions a video carries, for CLOSED-CAPTIONS of a multivariant
 * playlist: CEA-608 and CEA-708 in the SEI messages of H.264 and H.265 (ATSC
 * A/53, part 4, 6.2.3). Hostile input. Pure, no GStreamer, not thread-safe. */

#pragma once

#include <glib.h>

#include "media/amsnalunits.h"
#include "media/amsunit.h"

G_BEGIN_DECLS

typedef struct _AmsCaptions AmsCaptions;

AmsCaptions *ams_captions_new (void);
void ams_captions_free (AmsCaptions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsCaptions, ams_captions_free)

/* @unit: the video's next one, in decoding order; @config: what it belongs to.
 * CEA-708 is read once the order in which the pictures are shown is known, so
 * AMS_CAPTIONS_MAX_DELAY units that have some later. TRUE: a channel or a service was found
 * that had not been. */
gboolean ams_captions_add (AmsCaptions *self, const AmsNalConfig *config,
    const AmsUnit *unit);
#define AMS_CAPTIONS_MAX_DELAY 16

/* Bit 0 to 3: CC1 to CC4. A channel counts once a caption begins in it: padding
 * and text mode do not count. */
guint ams_captions_get_channels (AmsCaptions *self);
/* Bit 1 to 63: SERVICE1 to SERVICE63. */
guint64 ams_captions_get_services (AmsCaptions *self);

G_END_DECLS
