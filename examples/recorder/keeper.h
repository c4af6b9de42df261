/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Keeps the source: opens it, sees when it has gone (an error, its end, silence), and opens it again, for ever. All of
 * it in the main thread. */

#pragma once

#include <gst/gst.h>

#include "events.h"
#include "source.h"
#include "tracks.h"

typedef struct _Keeper Keeper;

/* A file has come to its end, or (@failed) cannot be read. */
typedef void (*KeeperEnded) (gboolean failed, gpointer data);

Keeper *keeper_new (const SourceSettings *settings, Tracks *tracks,
    GstPipeline *recording, Events *events, guint stall_timeout,
    guint reconnect_max, KeeperEnded ended, gpointer data);
void keeper_start (Keeper *self);
/* No source is opened from now on. */
void keeper_stop (Keeper *self);
void keeper_free (Keeper *self);

typedef struct
{
  gboolean connected;
  guint losses; /* how often it was lost */
  guint attempts; /* since it was lost last */
} KeeperState;

void keeper_get_state (Keeper *self, KeeperState *state);
