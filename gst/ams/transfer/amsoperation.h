/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One attempt of a job at a store. It outlives who asked for it if the store does not
 * heed its cancellable. */

#pragma once

#include "transfer/amsoutgoing.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

typedef struct _AmsOperation AmsOperation;

/* @job is still in flight; the operation is gone afterwards. */
typedef void (*AmsOperationDone) (AmsOperation *operation, AmsJob *job,
    const GError *error, gpointer user_data);

/* Of what begin() returns the store is the owner. @unchanged: AmsPut. @done is never called
 * before this returns. */
AmsOperation *ams_operation_begin (AmsStore *store, AmsJob *job,
    guint64 unchanged, GCancellable *cancellable, AmsOperationDone done,
    gpointer user_data);
/* @done is not called any more. */
void ams_operation_orphan (AmsOperation *operation);

G_END_DECLS
