/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The pipeline of amshlssink and what delivers its files, and what it says on its bus, told as events. */

#pragma once

#include <gst/gst.h>

#include "events.h"
#include "keeper.h"
#include "options.h"
#include "tracks.h"

typedef struct _Recording Recording;

/* The pipeline has ended: nothing more is to be done, or (@failed) can be. */
typedef void (*RecordingEnded) (gboolean failed, gpointer data);

Recording *recording_new (const Options *options, gboolean live, Events *events,
    RecordingEnded ended, gpointer data, GError **error);
void recording_free (Recording *self);

gboolean recording_start (Recording *self);
/* What has come in is to be written and delivered; RecordingEnded follows. */
void recording_finish (Recording *self);

GstPipeline *recording_get_pipeline (Recording *self);
Tracks *recording_get_tracks (Recording *self);

/* @source: how it is with that. */
void recording_show_progress (Recording *self, const KeeperState *source);
