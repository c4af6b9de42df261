/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The checksums of a body: read once in slices, so that the loop goes on in between, and
 * remembered with the body, so that each attempt has them. */

#pragma once

#include "s3/amss3digest.h"

G_BEGIN_DECLS

/* @body: finished. At least those of @flags. The loop is that of the thread's default context. */
void ams_s3_sums_async (AmsBody *body, AmsS3DigestFlags flags,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* (transfer none): lives as long as the body, or until it is read again. */
const AmsS3Digests *ams_s3_sums_finish (AmsBody *body, GAsyncResult *result,
    GError **error);
/* The next time it is read again. */
void ams_s3_sums_forget (AmsBody *body);

G_END_DECLS
