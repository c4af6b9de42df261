/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file that the spool's journal is in. What the disk does not take waits in
 * memory, and is written when ams_spool_log_flush() is called again. */

#pragma once

#include "transfer/spool/amsspooljournal.h"

G_BEGIN_DECLS

typedef struct _AmsSpoolLog AmsSpoolLog;

/* *@journal: what is in it; it is empty if there was none. A last line that was torn is
 * cut off; a file that is damaged before its end is renamed to *@aside, and a new one
 * begun. */
AmsSpoolLog *ams_spool_log_open (const gchar *path, AmsSpoolJournal **journal,
    gchar **aside, GError **error);
void ams_spool_log_close (AmsSpoolLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSpoolLog, ams_spool_log_close)

void ams_spool_log_add (AmsSpoolLog *log, const AmsSpoolRecord *record);
/* All that was added is in the file; @sync: on stable storage. */
gboolean ams_spool_log_flush (AmsSpoolLog *log, gboolean sync, GError **error);

/* In the file, and records in it. */
guint64 ams_spool_log_get_size (AmsSpoolLog *log);
guint ams_spool_log_get_records (AmsSpoolLog *log);
/* The disk failed to take what it had accepted: only ams_spool_log_replace() helps. */
gboolean ams_spool_log_is_doubtful (AmsSpoolLog *log);
/* @text: a journal of @records that says all that this one does, and all that was
 * added. It takes the place of this one at once or not at all. */
gboolean ams_spool_log_replace (AmsSpoolLog *log, const GString *text,
    guint records, GError **error);

G_END_DECLS
