/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a file is put with, by its role: the same for every store that speaks HTTP. Pure. */

#pragma once

#include "http/amshttpstore.h"

G_BEGIN_DECLS

/* A playlist or a master. */
gboolean ams_put_is_list (AmsFileRole role);
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
