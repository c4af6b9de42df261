/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What URLs there are, and the elements that connect to each. */

#pragma once

#include <gst/gst.h>

#include "streams.h"

typedef struct
{
  const gchar *uri;
  StreamWish wish; /* its codec is each track's own */
  const gchar *rtsp_transport; /* tcp, udp, auto */
  guint latency; /* ms, RTSP and SRT */
  guint timeout; /* s without an answer */
  gboolean camera_clock;
} SourceSettings;

/* Whether @uri is one that can be recorded; what follows takes only those. */
gboolean connection_check_uri (const gchar *uri, GError **error);
gboolean connection_is_live (const gchar *uri);
/* Its running times have nothing to do with the clock's. */
gboolean connection_has_own_times (const gchar *uri);
/* It is not connected to, but listened for: there is nobody to spare. */
gboolean connection_is_passive (const gchar *uri);

/* Puts the elements into @bin. *@demuxer: (nullable) gets a pad for each stream
 * later; @pads: two, (transfer full) (nullable), which are there already. */
gboolean connection_build (GstBin *bin, const SourceSettings *settings,
    GstElement **demuxer, GstPad **pads, GError **error);
