/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The delivery of files to one store, on one thread: bodies, order, attempts and
 * what is said of them. AmsEngine gives it its thread and its queue.
 *
 * Everything here is called, and calls back, on the thread whose GMainContext
 * was the default one when it was made. */

#pragma once

#include "transfer/spool/amsspool.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef enum
{
  AMS_QUEUE_BLOCK, /* upstream waits */
  AMS_QUEUE_DROP_OLDEST, /* the oldest segment is given up */
  AMS_QUEUE_ERROR, /* writing fails */
} AmsQueuePolicy;

typedef struct
{
  guint64 max_queue_bytes;
  AmsQueuePolicy queue_policy;
  guint max_parallel;
  AmsRetryPolicy retry;
  /* (nullable): in [0, 1); tests bring their own */
  gdouble (*random) (void);
  /* (nullable) (transfer full): what waits is kept there */
  AmsSpool *spool;
  /* Nothing is put before ams_engine_release(). */
  gboolean at_eos;
  /* µs between two versions of one playlist, but for the last */
  gint64 playlist_min_interval;
  /* Before anything is put, the store is asked whether it can be */
  gboolean probe;
  /* The store is one endpoint, which can be away as a whole (amsbreaker.h). */
  gboolean has_breaker;
} AmsDeliveryConfig;

typedef struct
{
  const gchar *name;
  AmsFileRole role;
  guint64 version;
  guint64 size;
} AmsFileInfo;

/* Called with no lock held. An error lives during the call only. */
typedef struct
{
  void (*stored) (const AmsFileInfo *file, gpointer user_data);
  /* Given up for good. */
  void (*failed) (const AmsFileInfo *file, const GError *error,
      gpointer user_data);
  /* (nullable) Another file has the name. FALSE: nobody will give it another one. */
  gboolean (*taken) (const AmsFileInfo *file, const GError *error,
      gpointer user_data);
  /* A fault that is news; @name: the file it struck first (nullable). */
  void (*warning) (const GError *error, const gchar *name, gpointer user_data);
  /* The fault that was said with @error is over. */
  void (*recovered) (const GError *error, gpointer user_data);
  /* @delay: until the next attempt, in µs */
  void (*retrying) (const AmsFileInfo *file, const GError *error,
      guint attempts, gint64 delay, gpointer user_data);
  /* (nullable) A file could not be removed; said once, however many there are. */
  void (*left) (const gchar *name, const GError *error, gpointer user_data);
  /* (nullable) Another recorder writes what is put here: nothing more is put. */
  void (*usurped) (const GError *error, gpointer user_data);
  /* (nullable) The probe says that nothing can be put. */
  void (*refused) (const GError *error, gpointer user_data);
} AmsDeliveryCallbacks;

typedef struct
{
  guint queued_files; /* handed over and not settled */
  guint in_flight;
  guint
      waiting_removes; /* of the queued ones: removes whose time has not come */
  guint
      withheld; /* playlists whose final version names a file that was given up */
  guint64 oldest_age; /* µs since the oldest of them was handed over */
  /* Bytes of media that are nowhere but in memory */
  guint64 unsafe_bytes;
  guint64 spooled_bytes; /* on disk, waiting */
  guint64 handed_files, handed_bytes; /* but for playlists */
  guint64 stored_files, stored_bytes;
  guint64 removed_files;
  guint64 failed_files; /* given up */
  guint64 superseded; /* versions of playlists that were skipped */
  guint64 attempts, retries;
} AmsDeliveryStats;

typedef struct _AmsDelivery AmsDelivery;

/* @cancellable: ends everything; nothing is begun once it is cancelled.
 * @kick: called with @engine when ams_delivery_run() has work to do. */
AmsDelivery *ams_delivery_new (AmsStore *store, const AmsDeliveryConfig *config,
    const AmsDeliveryCallbacks *callbacks, gpointer user_data,
    GCancellable *cancellable, void (*kick) (gpointer engine), gpointer engine);
/* Operations still in flight are cancelled and orphaned: their ends are ignored. */
void ams_delivery_free (AmsDelivery *delivery);

/* From here on, begin(), write(), end(), and what ends an open file before it is whole,
 * concern the file of lane @lane; at first that is 0. */
void ams_delivery_select (AmsDelivery *delivery, guint lane);
void ams_delivery_begin (AmsDelivery *delivery, const AmsFileBegin *begin);
void ams_delivery_write (AmsDelivery *delivery, GBytes *bytes);
void ams_delivery_end (AmsDelivery *delivery, const AmsFileEnd *end);
/* The open file will not be whole: as told from upstream; or for want of room, or
 * because of a flush, so that it is announced as failed. Nothing if there is none. */
void ams_delivery_abandon (AmsDelivery *delivery);
void ams_delivery_give_up_open (AmsDelivery *delivery);
void ams_delivery_cut_open (AmsDelivery *delivery);
void ams_delivery_remove (AmsDelivery *delivery, const gchar *name,
    gdouble after);
void ams_delivery_adopt (AmsDelivery *delivery, const gchar *name,
    const gchar *from, guint64 size);
/* When all that was handed over before has been delivered, the store is told to
 * notify somebody with @text. */
void ams_delivery_notify (AmsDelivery *delivery, GBytes *text);
/* Ends AmsDeliveryConfig.at_eos. */
void ams_delivery_release (AmsDelivery *delivery);

/* Begins what may begin. Returns when to be called again, as of
 * g_get_monotonic_time(). */
gint64 ams_delivery_run (AmsDelivery *delivery);
/* With @queued bytes that are yet to come: drops what may be dropped until they
 * fit, if that is the policy. */
void ams_delivery_make_room (AmsDelivery *delivery, guint64 queued);

/* Bytes in memory: in all, of the open files, and whether any of those drains. */
guint64 ams_delivery_get_held (AmsDelivery *delivery);
guint64 ams_delivery_get_open_held (AmsDelivery *delivery);
gboolean ams_delivery_open_drains (AmsDelivery *delivery);
gboolean ams_delivery_is_settled (AmsDelivery *delivery);
/* The store has been tried, or is not to be. */
gboolean ams_delivery_is_probed (AmsDelivery *delivery);
guint ams_delivery_get_in_flight (AmsDelivery *delivery);
void ams_delivery_get_stats (AmsDelivery *delivery, AmsDeliveryStats *stats);

G_END_DECLS
