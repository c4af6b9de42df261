/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What was uploaded, on its way to the store: bodies, attempts, the spool. For one thread, whose
 * GMainContext is the default one. Built of the parts of the delivery engine that know
 * nothing of a single recording: store, bodies, spool, times of retries and breaker; the
 * order is order.h's. */

#pragma once

#include "queuetypes.h"
#include "transfer/spool/amsspool.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct
{
  AmsSpool *spool; /* (nullable) (transfer full) */
  gchar *folder; /* (nullable) of bodies on their way, without a spool */
  guint max_parallel;
  gint64 retry_for; /* µs, without a spool */
  gboolean overwrite; /* whatever is there */
} HlsUploadQueueOptions;

HlsUploadQueue *hls_upload_queue_new (AmsStore *store,
    const HlsUploadQueueOptions *options);
/* What is in flight is cancelled; what is in the spool stays there. */
void hls_upload_queue_free (HlsUploadQueue *queue);

/* A file begins to come. @protect: it must not replace another. @done: called once, perhaps within
 * hand_over(). */
HlsUploadTask *hls_upload_queue_begin (HlsUploadQueue *queue, const gchar *name,
    const gchar *content_type, gboolean protect, HlsUploadDone done,
    gpointer user_data);
gboolean hls_upload_task_append (HlsUploadTask *task, GBytes *bytes,
    GError **error);
guint64 hls_upload_task_get_size (HlsUploadTask *task);
void hls_upload_task_hand_over (HlsUploadTask *task);
/* Instead of handing over: it will never be whole. No callback. */
void hls_upload_task_abandon (HlsUploadTask *task);
/* After handing over: nobody listens any more. */
void hls_upload_task_forget (HlsUploadTask *task);

void hls_upload_queue_remove (HlsUploadQueue *queue, const gchar *name,
    HlsUploadDone done, gpointer user_data);

/* (nullable) What waits in the spool under this name. (transfer full) */
AmsBody *hls_upload_queue_peek (HlsUploadQueue *queue, const gchar *name);

/* Nothing is on its way, or with a spool: nothing that could get anywhere now. */
gboolean hls_upload_queue_is_settled (HlsUploadQueue *queue);

G_END_DECLS
