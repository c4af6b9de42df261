/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which versions of a playlist begin with the whole of which: those of one lineage each
 * begin with the whole of the one before. So a store that has one of them need be given
 * only what follows. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AmsLineages AmsLineages;

AmsLineages *ams_lineages_new (void);
void ams_lineages_free (AmsLineages *lineages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsLineages, ams_lineages_free)

/* A version begins, of which the first @extends bytes are the version before (0: none). Returns its lineage. */
guint64 ams_lineages_begin (AmsLineages *lineages, const gchar *name,
    guint64 extends);
/* It is whole, and handed over. */
void ams_lineages_hand_over (AmsLineages *lineages, const gchar *name,
    guint64 size);
/* It is in the store. */
void ams_lineages_store (AmsLineages *lineages, const gchar *name,
    guint64 lineage, guint64 size);
/* The name is not in the store any more. */
void ams_lineages_forget (AmsLineages *lineages, const gchar *name);
/* So many of the first bytes of a version of @lineage with @size bytes are what the store has. */
guint64 ams_lineages_get_unchanged (AmsLineages *lineages, const gchar *name,
    guint64 lineage, guint64 size);

G_END_DECLS
