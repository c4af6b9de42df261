/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The delivery engine: a thread with a GMainContext of its own and a queue in
 * front of it. The streaming thread appends to the queue and returns; what then
 * happens is AmsDelivery's, on the engine's thread. */

#pragma once

#include "transfer/amsdelivery.h"

G_BEGIN_DECLS

#define AMS_TYPE_ENGINE (ams_engine_get_type ())
G_DECLARE_FINAL_TYPE (AmsEngine, ams_engine, AMS, ENGINE, GObject)

typedef enum
{
  AMS_ENGINE_OK,
  AMS_ENGINE_FLUSHING, /* flushing, or stopped: nothing was taken */
  AMS_ENGINE_FULL, /* AMS_QUEUE_ERROR, and no room: nothing was taken */
} AmsEngineResult;

typedef enum
{
  AMS_DRAIN_DONE,
  AMS_DRAIN_TIMEOUT,
  AMS_DRAIN_CANCELLED, /* flushing, stopped, or the cancellable */
} AmsDrainResult;

typedef struct
{
  guint64 queued_bytes;
  AmsDeliveryStats files;
} AmsEngineStats;

/* @callbacks are called on the engine's thread with no lock held. @user_data is
 * kept until the thread is gone, even if that outlives ams_engine_stop(). The spool of @config is
 * taken. */
AmsEngine *ams_engine_new (AmsStore *store, const AmsDeliveryConfig *config,
    const AmsDeliveryCallbacks *callbacks, gpointer user_data,
    GDestroyNotify destroy);

/* An engine is started and stopped once. */
gboolean ams_engine_start (AmsEngine *engine, GError **error);
/* Marks, cancels, joins. What is not in the store is not put any more. Returns
 * after a second at the latest: a thread that hangs in a disk is left to end by
 * itself, FALSE is returned, and no callback comes any more but one that is
 * running. */
gboolean ams_engine_stop (AmsEngine *engine);

/* From the streaming thread. Only write() may wait, and only if the policy is to
 * block; flushing or stopping ends that. select(): as ams_delivery_select(). */
void ams_engine_select (AmsEngine *engine, guint lane);
AmsEngineResult ams_engine_begin (AmsEngine *engine, const AmsFileBegin *begin);
AmsEngineResult ams_engine_write (AmsEngine *engine, GBytes *bytes);
AmsEngineResult ams_engine_end (AmsEngine *engine, const AmsFileEnd *end);
AmsEngineResult ams_engine_remove (AmsEngine *engine, const gchar *name,
    gdouble after);
AmsEngineResult ams_engine_adopt (AmsEngine *engine, const gchar *name,
    const gchar *from, guint64 size);

/* ams_delivery_notify() */
AmsEngineResult ams_engine_notify (AmsEngine *engine, GBytes *text);
/* Waits until what was handed over is counted in the stats; not for the store. @timeout: µs, -1 for ever.
 * FALSE: it has passed, or the engine was flushed or stopped. */
gboolean ams_engine_settle_commands (AmsEngine *engine, gint64 timeout);
/* With AmsDeliveryConfig.at_eos: what was and will be handed over is put from here on. */
void ams_engine_release (AmsEngine *engine);

/* TRUE: the source is not live. Whatever the policy, write() waits when more than 8 MiB (or
 * max_queue_bytes, if that is less) are queued: nothing need be given up, nor held. */
void ams_engine_set_patient (AmsEngine *engine, gboolean patient);

/* No open file will be whole, and nobody is told. */
void ams_engine_abandon (AmsEngine *engine);
/* TRUE: the open files have failed, and waiting ends; whole files go on. */
void ams_engine_set_flushing (AmsEngine *engine, gboolean flushing);

/* Waits until all that was handed over as a whole is settled, but for removes
 * that wait for their time. @timeout: µs, -1 for ever. */
AmsDrainResult ams_engine_drain (AmsEngine *engine, gint64 timeout,
    GCancellable *cancellable);

/* From any thread but the engine's; these wait. */
GBytes *ams_engine_fetch (AmsEngine *engine, const gchar *name,
    gboolean partial, guint64 max_size, GCancellable *cancellable,
    GError **error);
/* As fetch(), but a store that does not answer within half a second is not waited for. */
GBytes *ams_engine_fetch_soon (AmsEngine *engine, const gchar *name,
    gboolean partial, guint64 max_size, GCancellable *cancellable,
    GError **error);
/* As fetch_soon(), of which the first @size bytes are enough: they are what is read
 * if the store can read them alone. */
GBytes *ams_engine_fetch_head_soon (AmsEngine *engine, const gchar *name,
    guint64 size, guint64 max_size, GCancellable *cancellable, GError **error);
/* (element-type AmsFileEntry) */
GPtrArray *ams_engine_list (AmsEngine *engine, const gchar *prefix,
    GCancellable *cancellable, GError **error);

/* Whether the store can keep other recorders away at all; then claim() asks it to. FALSE: @error */
gboolean ams_engine_has_claims (AmsEngine *engine);
gboolean ams_engine_claim (AmsEngine *engine, const AmsClaim *claim,
    GCancellable *cancellable, GError **error);
/* Nothing more will be handed over: the claims are given back when all that was is
 * delivered and removed. ams_engine_stop() gives them back in any case. */
void ams_engine_release_claims (AmsEngine *engine);

/* Waits until a probe, if there is to be one, has its first answer, and the callbacks have heard of it. */
void ams_engine_wait_probed (AmsEngine *engine);

void ams_engine_get_stats (AmsEngine *engine, AmsEngineStats *stats);

G_END_DECLS
