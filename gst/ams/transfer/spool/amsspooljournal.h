/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The spool's journal as text: one line for each record, which begins with a checksum
 * of the rest, so that a last line that was torn is told from damage before it.
 *
 *   CHECKSUM spool version=1
 *   CHECKSUM begun id=7 kind=put name=a.ts role=segment type=video/mp2t date=1767225600000000
 *   CHECKSUM committed id=7 order=3 place=file size=9 mtime=5 kind=put name=a.ts …
 *   CHECKSUM remove id=8 order=4 after=30000000 name=b.ts
 *   CHECKSUM settled id=7 fate=stored
 *   CHECKSUM failed id=9 role=segment name=c.ts
 *
 * In a value, "%", blanks and control characters are percent-encoded. No I/O.
 *
 * While the disk takes nothing more, "7.stored" or "7.dropped", which the body's file is renamed to, stands for a
 * record of that fate; the next session writes it. */

#pragma once

#include "transfer/spool/amsspooltypes.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_SPOOL_RECORD_BEGUN, /* a body's file may be there from here on */
  AMS_SPOOL_RECORD_COMMITTED, /* replaces what was said of this id */
  AMS_SPOOL_RECORD_REMOVE,
  AMS_SPOOL_RECORD_SETTLED,
  AMS_SPOOL_RECORD_FAILED, /* until a playlist is committed that heeds it */
} AmsSpoolRecordType;

/* µs: a century, which is for ever. */
#define AMS_SPOOL_MAX_AFTER (G_GINT64_CONSTANT (3200000000) * G_USEC_PER_SEC)

/* Where the body is. */
typedef enum
{
  AMS_SPOOL_PLACE_FILE, /* in the spool, perhaps as a hard link */
  AMS_SPOOL_PLACE_AWAITED, /* at local_path, or is there soon; then in the spool */
  AMS_SPOOL_PLACE_LOCAL, /* at local_path */
} AmsSpoolPlace;

/* Only the fields that the type has are written. */
typedef struct
{
  AmsSpoolRecordType type;
  guint64 id; /* never 0 */
  AmsSpoolKind kind; /* BEGUN, COMMITTED: PUT or NOTIFY */
  AmsFileBegin
      begin; /* of a NOTIFY nothing, of a REMOVE the name, of FAILED that
                       * and the role */
  guint64 order; /* COMMITTED, REMOVE: counts what was handed over */
  AmsSpoolPlace place; /* COMMITTED */
  guint64 size; /* COMMITTED */
  gint64 mtime; /* COMMITTED: ns since 1970; -1: not known */
  gint64 after; /* REMOVE: µs */
  AmsSpoolFate fate; /* SETTLED */
} AmsSpoolRecord;

void ams_spool_record_clear (AmsSpoolRecord *record);
/* As the journal spells it. */
const gchar *ams_spool_fate_get_nick (AmsSpoolFate fate);

void ams_spool_record_free (AmsSpoolRecord *record);

/* Add a line each: the first of a journal; a record; any fields (for tests). */
void ams_spool_journal_write_head (GString *text);
void ams_spool_journal_write (GString *text, const AmsSpoolRecord *record);
void ams_spool_journal_write_line (GString *text, const gchar *fields);

typedef struct
{
  GPtrArray *
      records; /* (element-type AmsSpoolRecord): all that are whole, in order */
  gsize whole; /* bytes before the first line that is not */
  gboolean
      damaged; /* whole ones follow that line, or none is whole: it was not merely torn */
  gboolean newer; /* of a later version; nothing was read */
} AmsSpoolJournal;

/* Never NULL. Hostile input. */
AmsSpoolJournal *ams_spool_journal_read (GBytes *data);
void ams_spool_journal_free (AmsSpoolJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSpoolJournal, ams_spool_journal_free)

G_END_DECLS
