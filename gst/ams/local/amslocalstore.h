/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The store on disk, below a root folder.
 *
 * Segments (and everything that is no playlist) are written as they come to
 * .NAME.part beside their final name, and get that when they are whole; what
 * another folder has as well is copied from there when it is whole. A file that
 * has the name is never replaced, unless overwriting was asked for. A playlist is
 * replaced atomically, or appended to where that shows no reader half a line. It
 * works within the calls, on the engine's thread.
 */

#pragma once

#include "local/amspartbody.h"

G_BEGIN_DECLS

#define AMS_TYPE_LOCAL_STORE (ams_local_store_get_type ())
G_DECLARE_FINAL_TYPE (AmsLocalStore, ams_local_store, AMS, LOCAL_STORE, GObject)

AmsStore *ams_local_store_new (const gchar *root,
    const AmsLocalOptions *options);

G_END_DECLS
