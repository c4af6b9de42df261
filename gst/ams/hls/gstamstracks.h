/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* amshlssink's request pads and what is behind each: ghost pad, parser, pad of the
 * muxer. Only a part of the bin: not usable by itself. */

#pragma once

#include <gst/gst.h>

#include "gstamshlsmux.h"

G_BEGIN_DECLS

typedef struct _GstAmsTracks GstAmsTracks;

/* @bin owns it and @mux. */
GstAmsTracks *gst_ams_tracks_new (GstBin *bin, GstAmsHlsMux *mux);
void gst_ams_tracks_free (GstAmsTracks *self);

/* (transfer none) (nullable): the ghost pad, added to the bin; NULL: there is one already. */
GstPad *gst_ams_tracks_request (GstAmsTracks *self, GstPadTemplate *template_,
    gboolean video);
/* While @recording, the track ends: what it brought stays. */
void gst_ams_tracks_release (GstAmsTracks *self, GstPad *ghost,
    gboolean recording);
void gst_ams_tracks_release_all (GstAmsTracks *self);

/* Back to where data have never come. Below PAUSED. */
void gst_ams_tracks_forget (GstAmsTracks *self);

G_END_DECLS
