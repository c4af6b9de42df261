/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A note beside each body in the spool: "note-7" is a small journal with the records of
 * the body 7 alone. It is there for the day on which the journal is not: a body whose
 * name nobody knows is of no use to anybody.
 *
 * Notes are not synced, and a disk that has no room for one does not matter: the journal
 * is what counts. They are read only where the journal says less than the folder has. A
 * body may be a link to a file of upstream's, so nothing is written into bodies. */

#pragma once

#include "transfer/spool/amsspoolfolder.h"
#include "transfer/spool/amsspooljournal.h"

G_BEGIN_DECLS

/* Adds @record to the note of its id. */
void ams_spool_note_add (AmsSpoolFolder *folder, const AmsSpoolRecord *record);
/* One that is not there is removed. */
void ams_spool_note_remove (AmsSpoolFolder *folder, guint64 id);
/* The ids that have one. (transfer full) (element-type guint64) */
GArray *ams_spool_note_list (AmsSpoolFolder *folder);
/* Never NULL; what cannot be read is empty. Only records of @id are in it. */
AmsSpoolJournal *ams_spool_note_read (AmsSpoolFolder *folder, guint64 id);

G_END_DECLS
