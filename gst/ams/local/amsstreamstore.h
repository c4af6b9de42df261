/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A store that writes to streams the application brings (hlssink2's
 * get-playlist-stream and get-fragment-stream). What it brings none for goes to
 * another store, as does everything else. Files that go to a stream are kept in
 * memory until they are whole. Writes within the call, on the engine's thread. */

#pragma once

#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* Called on the engine's thread, with no lock held. Any of them may be NULL. */
typedef struct
{
  /* (transfer full) (nullable): NULL is a failure that is said once; a segment is
   * given up by it. */
  GOutputStream *(*get_playlist_stream) (const gchar *name, gpointer user_data);
  GOutputStream *(*get_segment_stream) (const gchar *name, gpointer user_data);
  void (*remove) (const gchar *name, gpointer user_data);
} AmsStreamCallbacks;

#define AMS_TYPE_STREAM_STORE (ams_stream_store_get_type ())
G_DECLARE_FINAL_TYPE (AmsStreamStore, ams_stream_store, AMS, STREAM_STORE,
    GObject)

/* @others: where what has no callback goes. */
AmsStore *ams_stream_store_new (AmsStore *others,
    const AmsStreamCallbacks *callbacks, gpointer user_data,
    GDestroyNotify destroy);

G_END_DECLS
