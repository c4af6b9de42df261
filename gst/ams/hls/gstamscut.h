/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ams-cut: how the gate, which decides where to cut, tells the segmenter,
 * which sees packets only. A serialized custom event, which a muxer lets through in
 * its place in the stream; where there is video, a force-key-unit follows it, for
 * which mpegtsmux writes PAT and PMT in front of the keyframe. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  GST_AMS_CUT_BEGIN, /* a segment begins with the next frame of this track */
  GST_AMS_CUT_CANDIDATE, /* one may turn out to begin there */
  GST_AMS_CUT_AT_CANDIDATE, /* it has turned out so */
  GST_AMS_CUT_END, /* the recording ends at `end` */
} GstAmsCutKind;

typedef struct
{
  GstAmsCutKind kind;
  gint64 pts; /* ns, of the segment's first frame */
  gint64 end; /* ns, where the segment before ends */
  gint64 date_time; /* µs since 1970 UTC, of `pts` */
  gint64 running_time; /* ns, of `pts`, as it came in */
  gboolean discontinuity;
  gboolean video; /* a keyframe of the video follows */
} GstAmsCut;

GstEvent *gst_ams_cut_event_new (const GstAmsCut *cut);
gboolean gst_ams_cut_event_parse (GstEvent *event, GstAmsCut *cut);

G_END_DECLS
