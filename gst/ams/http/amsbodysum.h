/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The checksum of a body: read once in slices, so that the loop goes on in between, and
 * remembered with the body. */

#pragma once

#include "transfer/amsbody.h"

G_BEGIN_DECLS

/* @body: finished. The loop is that of the thread's default context. */
void ams_body_sum_async (AmsBody *body, GChecksumType type,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* In hexadecimal. (transfer none): lives as long as the body. */
const gchar *ams_body_sum_finish (AmsBody *body, GAsyncResult *result,
    GError **error);

gchar *ams_body_sum_to_base64 (const gchar *sum);

G_END_DECLS
