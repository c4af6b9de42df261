/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file on its way to a store: the data of its job (amsschedule.h). */

#pragma once

#include "transfer/amsbody.h"
#include "transfer/amsschedule.h"

G_BEGIN_DECLS

typedef struct
{
  AmsFileBegin begin;
  AmsBody *body; /* NULL: an adoption */
  guint64 size;
  gchar *
      from; /* of a copy or an adoption (nullable): the name that it has in the store */
  gchar
      *renamed; /* (nullable) while it is in flight: what it is to be put as */
  guint64 lineage; /* of a playlist: amslineages.h */
  guint64 held; /* bytes of the body in memory, as they were counted last */
} AmsOutgoing;

AmsOutgoing *ams_outgoing_new (const AmsFileBegin *begin);
void ams_outgoing_free (AmsOutgoing *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsOutgoing, ams_outgoing_free)

gboolean ams_outgoing_is_playlist (const AmsOutgoing *file);
/* Only what the recording can do without may be given up for want of room. */
gboolean ams_outgoing_is_droppable (const AmsOutgoing *file);
/* @file: (transfer full). @id: in the spool. */
AmsJob *ams_outgoing_to_job (AmsOutgoing *file, AmsJobKind kind, guint64 id);

G_END_DECLS
