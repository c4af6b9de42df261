/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What GStreamer says of a parsed stream, in the session's terms. One for each sink
 * pad; used by its streaming thread only. */

#pragma once

#include <gst/gst.h>

#include "media/amstrack.h"
#include "session/amssessiontypes.h"

G_BEGIN_DECLS

typedef struct _GstAmsInput GstAmsInput;

GstAmsInput *gst_ams_input_new (void);
void gst_ams_input_free (GstAmsInput *self);
/* What comes next has nothing to do with what was before. */
void gst_ams_input_flush (GstAmsInput *self);
void gst_ams_input_take_segment (GstAmsInput *self, GstEvent *event);
/* The track that media with @caps are; *@over: a decoder of what was before must be
 * set up anew. Returns: (transfer full) (nullable): NULL, and @error. */
AmsTrack *gst_ams_input_take_caps (GstAmsInput *self, GstCaps *caps,
    gboolean *over, GError **error);

/* ns; AMS_TIME_NONE for GST_CLOCK_TIME_NONE */
gint64 gst_ams_input_to_running_time (GstAmsInput *self, GstClockTime time);
/* Fills in @unit, but for what clocks say. FALSE: @buffer cannot be read. */
gboolean gst_ams_input_take_buffer (GstAmsInput *self, GstBuffer *buffer,
    AmsSessionInput *unit);

/* Whether captions are looked for. Not while buffers come. */
void gst_ams_input_watch_captions (GstAmsInput *self, gboolean watch);
/* Those of @unit, the next one. TRUE: there are some that there had not been; they
 * are added to *@channels and *@services (amscaptions.h). */
gboolean gst_ams_input_find_captions (GstAmsInput *self,
    const AmsSessionInput *unit, guint *channels, guint64 *services);

G_END_DECLS
