/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One connection to what is recorded: a pipeline of its own, which may fail without the recording's noticing. A
 * source that comes back is a new one of these. */

#pragma once

#include <gst/gst.h>

#include "connection.h"
#include "trackinfo.h"
#include "tracks.h"

typedef struct _Source Source;

/* Called in the main thread, at most once. @error: (nullable): the stream has ended. */
typedef void (*SourceLost) (Source *source, const GError *error, gpointer data);

Source *source_open (const SourceSettings *settings, Tracks *tracks,
    GstPipeline *recording, SourceLost lost, gpointer data, GError **error);
/* Takes @self. It ends in a thread of its own, as a server may be slow to say goodbye. */
void source_close (Source *self);
/* Waits until all that were closed have ended, but not longer than @timeout µs. */
void source_wait_for_closed (gint64 timeout);

/* All streams that it has brought so far.
 * Returns: (transfer full) (element-type TrackInfo) copies */
GPtrArray *source_get_tracks (Source *self);
/* Something has come of each stream that is recorded, and there will be no
 * others. */
gboolean source_is_settled (Source *self);
