/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asks a store whether files can be put there, before any is, and again until it says
 * so. One thread. */

#pragma once

#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct _AmsProbe AmsProbe;

/* @error: NULL: files can be put. @first: nobody was told of a failure before. */
typedef void (
    *AmsProbeDone) (const GError *error, gboolean first, gpointer user_data);

AmsProbe *ams_probe_new (AmsStore *store, GCancellable *cancellable,
    AmsProbeDone done, gpointer user_data);
/* An answer that is still to come is ignored. */
void ams_probe_free (AmsProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsProbe, ams_probe_free)

gboolean ams_probe_is_under_way (const AmsProbe *probe);
/* The store has said something, whatever it was. */
gboolean ams_probe_is_answered (const AmsProbe *probe);
/* TRUE: files may be put. Else it asks when it is time to, and @next is when to come
 * back. */
gboolean ams_probe_run (AmsProbe *probe, gint64 *next);

G_END_DECLS
