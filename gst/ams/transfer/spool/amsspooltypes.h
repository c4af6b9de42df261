/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is in the spool, and what becomes of it. */

#pragma once

#include "files/amsfiles.h"
#include "transfer/amsbody.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_SPOOL_PUT,
  AMS_SPOOL_REMOVE,
  AMS_SPOOL_NOTIFY, /* a body to be posted to notify-url */
} AmsSpoolKind;

typedef struct
{
  AmsSpoolKind kind;
  guint64 id;
  AmsFileBegin begin; /* of a PUT all fields, of a REMOVE the name */
  AmsBody *body; /* PUT, NOTIFY: finished */
  gint64 after; /* REMOVE: as it was given to ams_spool_add_remove() */
} AmsSpoolEntry;

void ams_spool_entry_free (AmsSpoolEntry *entry);

typedef enum
{
  AMS_SPOOL_STORED, /* a playlist is kept as what the store has now, until the next is stored; a segment
                     * with a date_time as if it were waiting, until the next playlist is committed */
  AMS_SPOOL_DROPPED, /* superseded, cancelled: nobody needs it */
  AMS_SPOOL_GIVEN_UP, /* never tried again, but not thrown away: moved to `given-up` */
  AMS_SPOOL_WITHHELD, /* a playlist that names what was given up: not sent, but what the
                       * next version continues, so kept until that is committed */
} AmsSpoolFate;

G_END_DECLS
