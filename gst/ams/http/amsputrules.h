/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a file is put with, by its role: the same for every store that speaks HTTP. Pure. */

#pragma once

#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* What may replace a file that is there already. */
typedef enum
{
  /* Playlists, masters and others may, as on disk; segments, inits and keys may
   * not. */
  AMS_OVERWRITE_SEGMENTS_NEVER,
  AMS_OVERWRITE_NEVER, /* only what this store object has put itself */
  AMS_OVERWRITE_ALWAYS,
} AmsOverwrite;

/* A playlist or a master. */
gboolean ams_put_is_list (AmsFileRole role);
/* What another recorder may have written since, so that it is looked at before it is replaced. A master says
 * nothing of what was recorded: the playlists that it names are guarded. */
gboolean ams_put_is_guarded (AmsFileRole role);
/* A file that is made once, under a name of its own. */
gboolean ams_put_is_made_once (AmsFileRole role);
/* Whether what is there is not to be replaced. @own: a set of the names that may be put again. */
gboolean ams_put_is_protected (const AmsPut *put, AmsOverwrite overwrite,
    GHashTable *own);
/* It is stored: under AMS_OVERWRITE_NEVER, what may come again goes into @own. */
void ams_put_note_own (const AmsPut *put, AmsOverwrite overwrite,
    GHashTable *own);
/* @set: (nullable) of segments and other data, in place of that by role and name. Never NULL. */
const gchar *ams_put_content_type (const AmsPut *put, const gchar *set);
/* @segment, @playlist: nullable. NULL: none is sent. */
const gchar *ams_put_cache_control (const AmsPut *put, const gchar *segment,
    const gchar *playlist);

G_END_DECLS
