/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A playlist belongs to one recorder. The guard knows the versions of each playlist that
 * this store object has put or read, and tells them from those of another recorder. It
 * says before each put whether the store has to be looked at first, or a condition does
 * (If-Match). No I/O.
 *
 * A version is known by its size, its last bytes, which name the last segments and
 * their dates, and by its ETag, where that is strong. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

/* So many of a version's last bytes are compared. */
#define AMS_LIST_TAIL 1024

/* What is in the store under a name. */
typedef struct
{
  gboolean exists;
  guint64 size;
  guint8 tail[AMS_LIST_TAIL];
  gsize tail_size; /* less than AMS_LIST_TAIL only where that is all there is */
  gchar *etag; /* (nullable) as it came: quoted, and weak with W/ */
} AmsListSeen;

void ams_list_seen_clear (AmsListSeen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmsListSeen, ams_list_seen_clear)
/* A sink (AmsHttpSink) that keeps the last bytes of what comes. @data: AmsListSeen */
gboolean ams_list_seen_piece (const guint8 *data, gsize size,
    gpointer user_data);

typedef enum
{
  AMS_LIST_FREE, /* there is nothing */
  AMS_LIST_SAME, /* what is to be put: an answer was lost */
  AMS_LIST_OURS, /* an earlier version */
  AMS_LIST_FOREIGN, /* another recorder's */
} AmsListVerdict;

typedef struct _AmsListGuard AmsListGuard;

AmsListGuard *ams_list_guard_new (void);
void ams_list_guard_free (AmsListGuard *guard);

/* What a reader was told of @name before anything was put. */
void ams_list_guard_note_absent (AmsListGuard *guard, const gchar *name);
void ams_list_guard_note_read (AmsListGuard *guard, const gchar *name,
    const AmsListSeen *seen);
/* @body is about to be sent, whatever becomes of it. @plain: (nullable) of which @body is the gzip. */
void ams_list_guard_note_sent (AmsListGuard *guard, const gchar *name,
    AmsBody *body, AmsBody *plain);
/* It is stored. @etag: (nullable) of the answer. */
void ams_list_guard_note_stored (AmsListGuard *guard, const gchar *name,
    AmsBody *body, AmsBody *plain, const gchar *etag);
void ams_list_guard_forget (AmsListGuard *guard, const gchar *name);

/* Whether the store heeds If-Match is found out once, by a condition that cannot hold. */
typedef enum
{
  AMS_IF_MATCH_UNKNOWN,
  AMS_IF_MATCH_HEEDED,
  AMS_IF_MATCH_BARE, /* likewise, but its ETag must come without quotes: Ceph's gateway */
  AMS_IF_MATCH_IGNORED,
} AmsIfMatch;

AmsIfMatch ams_list_guard_get_if_match (AmsListGuard *guard);
void ams_list_guard_set_if_match (AmsListGuard *guard, AmsIfMatch if_match);

/* The store said that @condition does not hold, and @etag (nullable) is what it has: if they are the same, it
 * has to be said in another way, or cannot be said at all. */
void ams_list_guard_note_refused (AmsListGuard *guard, const gchar *condition,
    const gchar *etag);
/* @etag as If-Match has it. (transfer full) */
gchar *ams_list_guard_dup_condition (AmsListGuard *guard, const gchar *etag);

/* (transfer none) (nullable) for If-Match: the store need not be looked at. */
const gchar *ams_list_guard_get_etag (AmsListGuard *guard, const gchar *name);

/* @seen is in the store now, and @body is to be put there. What is seen is known from here on, unless
 * it is FOREIGN. @plain: as above. */
AmsListVerdict ams_list_guard_judge (AmsListGuard *guard, const gchar *name,
    const AmsListSeen *seen, AmsBody *body, AmsBody *plain);

/* A name of a segment is taken. Of the playlists that were put or read, @seen is what the store has of
 * @name: whether another recorder has written it. */
gboolean ams_list_guard_is_foreign (AmsListGuard *guard, const gchar *name,
    const AmsListSeen *seen);
/* A playlist that was put or read, or was to be. (transfer full) (nullable) */
gchar *ams_list_guard_dup_any (AmsListGuard *guard);

/* Whether the end of a playlist, @tail, can be of the same recording as @text: each segment that
 * both list is described in the same words. An EVENT playlist lists all that were there before. */
gboolean ams_list_guard_agree (const gchar *tail, gboolean tail_is_all,
    const gchar *text);

G_END_DECLS
