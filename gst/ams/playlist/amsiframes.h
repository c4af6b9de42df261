/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An I-frame playlist (RFC 8216bis, 4.4.3.6): the pictures of a video at which
 * decoding can begin, as byte ranges of its segments. It grows and slides with
 * the video's own playlist. Pure, no GStreamer, not thread-safe. */

#pragma once

#include "amsbandwidth.h"
#include "amsplaylist.h"

G_BEGIN_DECLS

/* As AmsKeyPicture, which this folder does not know. */
typedef struct
{
  guint64 offset, size; /* bytes of the segment's file */
  gint64 pts; /* ns */
} AmsIframe;

typedef struct _AmsIframes AmsIframes;

/* @target_duration: that of the video's playlist. */
AmsIframes *ams_iframes_new (AmsPlaylistType type, guint target_duration);
void ams_iframes_free (AmsIframes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsIframes, ams_iframes_free)

/* Its text, to be rendered, ended, renamed in, or marked with gaps; a segment's
 * URI is that of all its pictures. (transfer none) */
AmsPlaylist *ams_iframes_get_playlist (AmsIframes *self);

/* Adds the pictures of a segment, first first. @segment: as it is added to the
 * video's playlist; its map is said where it is another than before. @start: ns,
 * the segment's beginning on the clock of the pictures. A picture is shown to the
 * next one, the last one to the segment's end, and the first one from the
 * segment's beginning, so that the playlist lasts as long as the video's. A gap,
 * or a segment without any picture, becomes a gap. */
void ams_iframes_add (AmsIframes *self, const AmsPlaylistSegment *segment,
    gint64 start, const AmsIframe *pictures, guint n);

/* Live: the first @n segments have left the video's playlist. */
void ams_iframes_slide (AmsIframes *self, guint n);

/* For BANDWIDTH of EXT-X-I-FRAME-STREAM-INF. */
AmsBitRates ams_iframes_get_rates (AmsIframes *self);

G_END_DECLS
