/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether another recorder still writes a playlist of a store, for who waits for its end
 * (AmsClaim.waits). A store has no locks: what ends there is known by EXT-X-ENDLIST, and what
 * was left by its silence. */

#pragma once

#include "http/amslistguard.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

/* So many target durations without a change are silence. */
#define AMS_LIST_SILENCE 3

/* What is known of one playlist. No I/O. */
typedef struct
{
  gboolean looked;
  gboolean grew; /* since it was looked at first */
  gint64
      changed; /* when a look saw another version than the one before, µs, monotonic */
  guint target; /* s; 0: not known yet */
  AmsListSeen last;
} AmsListLife;

typedef enum
{
  AMS_LIST_LIFE_FREE, /* there is none, it has ended, or it is silent */
  AMS_LIST_LIFE_BUSY,
  AMS_LIST_LIFE_READ, /* all of it has to be read to tell: ams_list_life_take_text() */
} AmsListLifeSign;

void ams_list_life_clear (AmsListLife *life);
/* @seen: what is there at @now. */
AmsListLifeSign ams_list_life_take_look (AmsListLife *life,
    const AmsListSeen *seen, gint64 now);
AmsListLifeSign ams_list_life_take_text (AmsListLife *life, const gchar *text,
    gsize size, gint64 now);
/* Nothing could be seen at @now: the other could not write, either. */
void ams_list_life_take_failure (AmsListLife *life, gint64 now);

/* How a kind of store looks at a playlist. */
typedef struct
{
  /* What the guard calls @name. (transfer full) (nullable) */
  gchar *(*dup_key) (gpointer place, const gchar *name);
  gchar *(*dup_shown) (gpointer place, const gchar *key);
  void (*look_async) (gpointer place, const gchar *key,
      GCancellable *cancellable, GAsyncReadyCallback callback,
      gpointer user_data);
  /* @seen: to be cleared */
  gboolean (
      *look_finish) (GAsyncResult *result, AmsListSeen *seen, GError **error);
} AmsListLooker;

typedef struct _AmsListWatch AmsListWatch;

/* @store, @place, @guard, @looker: outlive it. */
AmsListWatch *ams_list_watch_new (AmsStore *store, const AmsListLooker *looker,
    gpointer place, AmsListGuard *guard);
void ams_list_watch_free (AmsListWatch *watch);

/* As AmsStoreInterface has it. A claim that does not wait is “not known”: whether somebody
 * else writes shows when a playlist is put. */
void ams_list_watch_claim_async (AmsListWatch *watch, const AmsClaim *claim,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
gboolean ams_list_watch_claim_finish (GAsyncResult *result, GError **error);
void ams_list_watch_release (AmsListWatch *watch);

G_END_DECLS
