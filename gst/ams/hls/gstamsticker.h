/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One clock for all recordings of the process, for what no unit that comes in
 * brings about: a track that has fallen silent, a block that has waited for long. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* µs between two ticks */
#define GST_AMS_TICK (G_USEC_PER_SEC / 4)

typedef struct _GstAmsTicker GstAmsTicker;

/* One of a recording. Both are called in the process's few threads
 * (workers/amsworkers.h). */
typedef struct
{
  /* Again and again until the ticker is removed, one recording after the other; must
   * not block. TRUE: there is something to do. */
  gboolean (*tick) (gpointer user_data);
  /* Does it, and may block. */
  void (*run) (gpointer user_data);
} GstAmsTickerFunctions;

/* NULL: there are no threads. */
GstAmsTicker *gst_ams_ticker_add (const GstAmsTickerFunctions *functions,
    gpointer user_data, GError **error);
/* Waits for what is under way. */
void gst_ams_ticker_remove (GstAmsTicker *self);

G_END_DECLS
