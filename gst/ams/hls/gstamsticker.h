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

/* Calls @tick again and again, in a thread of its own, until it is removed;
 * @tick must not block. */
GstAmsTicker *gst_ams_ticker_add (void (*tick) (gpointer user_data),
    gpointer user_data);
/* Waits for a @tick that is under way. */
void gst_ams_ticker_remove (GstAmsTicker *self);

G_END_DECLS
