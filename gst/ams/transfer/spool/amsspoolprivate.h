/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of the spool share: what it writes to its journal and notes, and how items end
 * (amsspoolwrite.c), what it tells (amsspoolask.c), and what is handed over and settled (amsspool.c). */

#pragma once

#include "transfer/spool/amsspool.h"
#include "transfer/spool/amsspoolfolder.h"
#include "transfer/spool/amsspoolindex.h"
#include "transfer/spool/amsspoollog.h"

G_BEGIN_DECLS

/* The journal is written anew when it has grown by this, and most of it is settled. */
#define AMS_SPOOL_COMPACT_SIZE (1024 * 1024)

typedef struct
{
  guint64 id;
  AmsSpoolFate fate;
  gboolean marked;
} AmsSpoolTrash;

struct _AmsSpool
{
  AmsSpoolFolder *folder;
  AmsSpoolLog *log;
  AmsSpoolIndex *index;

  GQueue
      unsafe; /* of AmsSpoolItem: handed over, and not yet to be relied upon */
  GQueue awaited; /* of AmsSpoolItem: to become links */
  GQueue unlisted; /* of AmsSpoolItem: stored, and no playlist has come since */
  GQueue unnamed; /* of AmsSpoolItem: UNNAMED */
  GArray *renamed; /* ids of what the journal has under an earlier name */
  guint64 playlist_order; /* of the last that is safe, or stored */
  guint64 listed_order; /* of the last that a crash leaves in any case */
  GError *error; /* why the first of unsafe or awaited is */
  gint64 tried; /* when that was; monotonic, µs */

  GArray *trash; /* of AmsSpoolTrash: settled, their files not removed yet */
  guint64 trash_bytes;
  guint64 bytes; /* the sum of on_disk */
  guint64 compact_size; /* of the journal */
  gchar *suffix; /* (nullable) */
  gboolean taken_up;
};

/* amsspoolwrite.c */

/* @bytes of @item are on the disk, and wait. */
void ams_spool_count_on_disk (AmsSpool *self, AmsSpoolItem *item,
    guint64 bytes);
void ams_spool_compact_if_large (AmsSpool *self);
gboolean ams_spool_flush_log (AmsSpool *self, gboolean sync, GError **error);
/* Removes the files of what is settled, as soon as the journal says that it is. */
void ams_spool_empty_trash (AmsSpool *self);
void ams_spool_write_item (AmsSpool *self, AmsSpoolItem *item);
void ams_spool_write_settled (AmsSpool *self, AmsSpoolItem *item,
    AmsSpoolFate fate);
/* The notes beside the bodies: of what is handed over, and of what is settled and kept. */
void ams_spool_write_note (AmsSpool *self, AmsSpoolItem *item);
void ams_spool_write_settled_note (AmsSpool *self, AmsSpoolItem *item,
    AmsSpoolFate fate);
/* @item is freed. It is not watched. */
void ams_spool_remove_item (AmsSpool *self, AmsSpoolItem *item);
/* The same, and the journal says so. */
void ams_spool_discard (AmsSpool *self, AmsSpoolItem *item, AmsSpoolFate fate);
/* The same, and its body is kept in `given-up`. */
void ams_spool_keep_given_up (AmsSpool *self, AmsSpoolItem *item);
/* Withheld playlists: @item is what upstream continues now, wherever it is. */
void ams_spool_drop_withheld_before (AmsSpool *self, const AmsSpoolItem *item);
void ams_spool_record_withheld (AmsSpool *self, AmsSpoolItem *item);

G_END_DECLS
