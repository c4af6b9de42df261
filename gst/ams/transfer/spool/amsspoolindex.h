/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is in the spool, in memory: what the journal says when it is read from its
 * beginning. No I/O. */

#pragma once

#include "transfer/spool/amsspooljournal.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_SPOOL_ITEM_OPEN, /* its body is being made */
  AMS_SPOOL_ITEM_PARTIAL, /* a crash left it */
  AMS_SPOOL_ITEM_WAITING, /* handed over */
  /* Handed over, and left to upstream: an earlier session ended before its file was at
   * upstream's path. The store may have it. */
  AMS_SPOOL_ITEM_UNNAMED,
  AMS_SPOOL_ITEM_KNOWN, /* a playlist that the store has */
  AMS_SPOOL_ITEM_WITHHELD, /* one that it must not get, and that the next continues */
} AmsSpoolItemState;

typedef struct _AmsSpoolItem AmsSpoolItem;

struct _AmsSpoolItem
{
  AmsSpoolItemState state;
  AmsSpoolRecord record; /* what the journal says of it, or will */
  gboolean begun; /* it says that there may be a file */
  gboolean recorded; /* it says all */
  gboolean noted; /* it may have a note */
  gboolean
      unlisted; /* the store has it, and no playlist is there that stays after a crash */
  guint64 on_disk; /* bytes, as counted by the spool */
  gboolean give_up; /* to be moved to `given-up` as soon as it is whole */
  gpointer spool; /* OPEN, for who watches the body */
  AmsBody *watched; /* OPEN: (transfer none) */
  AmsBody *
      body; /* WAITING: until its bytes are where the record says; for good, if nothing else has them */
  gint64 handed_at; /* monotonic, µs */
  AmsSpoolItem *name_next; /* another of the same name: the index's */
};

gboolean ams_spool_item_is_playlist (const AmsSpoolItem *item);
/* A newer version may take its place. */
gboolean ams_spool_item_may_be_superseded (const AmsSpoolItem *item);
gboolean ams_spool_item_has_body (const AmsSpoolItem *item);

typedef struct
{
  GHashTable *items; /* &record.id → AmsSpoolItem */
  GHashTable *
      names; /* record.begin.name → AmsSpoolItem: the first, of those in items */
  GHashTable *known; /* record.begin.name → AmsSpoolItem */
  GHashTable *withheld; /* likewise: the newest */
  GHashTable *unheeded; /* begin.name → AmsSpoolRecord: of type FAILED */
  GHashTable *
      settled; /* &record.id → AmsSpoolItem: after reading, whose files may be there still */
  guint64 next_id;
  guint64 next_order;
} AmsSpoolIndex;

AmsSpoolIndex *ams_spool_index_new (void);
void ams_spool_index_free (AmsSpoolIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsSpoolIndex, ams_spool_index_free)

/* (element-type AmsSpoolRecord) Takes what it needs of them. Afterwards nothing is
 * OPEN. */
void ams_spool_index_replay (AmsSpoolIndex *index, GPtrArray *records);
/* @id: 0: the next */
AmsSpoolItem *ams_spool_index_add (AmsSpoolIndex *index, guint64 id,
    AmsSpoolRecordType type);
/* What @item, which ams_spool_index_add() has made, is about. */
void ams_spool_index_set_begin (AmsSpoolIndex *index, AmsSpoolItem *item,
    const AmsFileBegin *begin);
/* A segment that gets another name: tables have its name as a key, so it is not to be
 * changed elsewhere. */
void ams_spool_index_rename (AmsSpoolIndex *index, AmsSpoolItem *item,
    const gchar *name);
AmsSpoolItem *ams_spool_index_lookup (AmsSpoolIndex *index, guint64 id);
/* Frees @item. */
void ams_spool_index_remove (AmsSpoolIndex *index, AmsSpoolItem *item);

/* The last playlist that is recorded was handed over so. 0: there is none. */
guint64 ams_spool_index_get_playlist_order (AmsSpoolIndex *index);

/* So many records say all that is in it, but for what is not recorded yet. */
guint ams_spool_index_get_live (AmsSpoolIndex *index);

/* The newest with @name. (nullable) */
AmsSpoolItem *ams_spool_index_find (AmsSpoolIndex *index,
    AmsSpoolItemState state, const gchar *name);
/* Likewise; of what is PARTIAL, WAITING or KNOWN. NULL: AMS_FAILURE_ABSENT */
AmsSpoolItem *ams_spool_index_get (AmsSpoolIndex *index,
    AmsSpoolItemState state, const gchar *name, GError **error);
/* In the order in which they were handed over. (transfer container) */
GPtrArray *ams_spool_index_list (AmsSpoolIndex *index, AmsSpoolItemState state);
/* What is WAITING, UNNAMED, WITHHELD or PARTIAL, the newest of each name. (transfer full) (element-type
 * AmsFileEntry) */
GPtrArray *ams_spool_index_list_files (AmsSpoolIndex *index,
    const gchar *prefix);
/* Returns what was known before (nullable), which the caller has to remove. @item: NULL:
 * nothing is known now */
AmsSpoolItem *ams_spool_index_set_known (AmsSpoolIndex *index,
    const gchar *name, AmsSpoolItem *item);

/* As above; of @item and what was withheld before, the newer one stays. */
AmsSpoolItem *ams_spool_index_set_withheld (AmsSpoolIndex *index,
    AmsSpoolItem *item);
/* The newest with @name that is WAITING or WITHHELD. (nullable) */
AmsSpoolItem *ams_spool_index_find_newest (AmsSpoolIndex *index,
    const gchar *name);

/* A file that playlists may name will not be there. Returns the record to be written;
 * NULL: it is known, or playlists do not care. (transfer none) */
const AmsSpoolRecord *ams_spool_index_add_failed (AmsSpoolIndex *index,
    const gchar *name, AmsFileRole role);
/* Playlists that name this file may go again. */
void ams_spool_index_forget_failed (AmsSpoolIndex *index, const gchar *name);
/* What @item, which is recorded, says of such files is known to upstream. */
void ams_spool_index_heed (AmsSpoolIndex *index, const AmsSpoolItem *item);
/* The names, in the order in which they failed. (transfer full) */
GStrv ams_spool_index_dup_unheeded (AmsSpoolIndex *index);
GStrv ams_spool_index_dup_withheld (AmsSpoolIndex *index);

/* A journal that says the same and no more. */
void ams_spool_index_write (AmsSpoolIndex *index, GString *text);

G_END_DECLS
