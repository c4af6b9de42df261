/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the bytes of what is in the spool are: how they get there, and how they are
 * read from there. */

#pragma once

#include "transfer/spool/amsspoolfolder.h"
#include "transfer/spool/amsspoolindex.h"

G_BEGIN_DECLS

/* Brings the bytes of item->body to where they survive the process, and fills in place and
 * mtime of the record. @await: a file that upstream writes by itself, and that is not
 * there, may yet appear. */
gboolean ams_spool_item_place_body (AmsSpoolItem *item, AmsSpoolFolder *folder,
    gboolean sync, gboolean await, GError **error);

/* The body of what is WAITING, KNOWN or PARTIAL: it is lost if the file is not what the
 * journal says. (transfer full) */
AmsBody *ams_spool_item_open_body (AmsSpoolItem *item, AmsSpoolFolder *folder);
gboolean ams_spool_item_is_there (AmsSpoolItem *item, AmsSpoolFolder *folder);
/* (transfer full) */
AmsSpoolEntry *ams_spool_item_to_entry (AmsSpoolItem *item,
    AmsSpoolFolder *folder);
/* Of what nobody waits for (KNOWN, WITHHELD), that it was changed or is gone only means
 * that it is ABSENT. */
GBytes *ams_spool_item_read (AmsSpoolItem *item, AmsSpoolFolder *folder,
    guint64 max_size, GError **error);

G_END_DECLS
