/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Subtitles as segments of WebVTT (RFC 8216, 3.5), cut where the video is cut.
 * X-TIMESTAMP-MAP ties their times to the time stamps of the MPEG-TS packager.
 * Pure, no GStreamer, not thread-safe. */

#pragma once

#include <glib.h>

#include "media/amsslice.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_VTT_PLAIN, /* text/x-raw, format=utf8 */
  AMS_VTT_MARKUP, /* text/x-raw, format=pango-markup */
  AMS_VTT_CUES, /* application/x-subtitle-vtt */
} AmsVttFormat;

/* What was wrong with what was added; with the first three it was added. */
typedef enum
{
  AMS_VTT_FINE,
  AMS_VTT_NOT_UTF8, /* what was wrong has been replaced by U+FFFD */
  AMS_VTT_NO_MARKUP, /* it was taken for plain text */
  AMS_VTT_NO_CUE, /* a cue has no timing that can be read, and is left out */
  AMS_VTT_LATE, /* all segments that it belongs to are written */
  AMS_VTT_TOO_MANY, /* there are AMS_VTT_MAX_CUES already */
} AmsVttFault;

/* Cues that are not yet over. */
#define AMS_VTT_MAX_CUES 4096

/* One sentence; NULL for AMS_VTT_FINE. */
const gchar *ams_vtt_fault_describe (AmsVttFault fault);

typedef struct _AmsVtt AmsVtt;

AmsVtt *ams_vtt_new (void);
void ams_vtt_free (AmsVtt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsVtt, ams_vtt_free)

/* @start: ns on the recording's time line; @duration: ns; 0 or less: until the next
 * one begins. Empty text is shown as nothing, and ends what has no duration. Several
 * cues of AMS_VTT_CUES keep their distances and durations; the first one begins at
 * @start. */
AmsVttFault ams_vtt_add (AmsVtt *self, AmsVttFormat format, AmsSlice text,
    gint64 start, gint64 duration);

/* The segment from @start to @end, ns: each cue that is shown in it, whole, even if
 * it is in another segment as well; only the header if there is none. Cues that are
 * over by then are forgotten. @start: where the one before it ended.
 * (transfer full) */
GBytes *ams_vtt_cut (AmsVtt *self, gint64 start, gint64 end);

G_END_DECLS
