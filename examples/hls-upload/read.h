/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GET and HEAD: what the store has. */

#pragma once

#include "s3/amss3store.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct
{
  GBytes *data; /* (nullable) of HEAD */
  guint64 size;
  gchar *type, *etag, *modified; /* nullable */
} HlsUploadObject;

void hls_upload_object_free (HlsUploadObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadObject, hls_upload_object_free)

void hls_upload_object_answer (const HlsUploadObject *object,
    SoupServerMessage *message);

void hls_upload_read_async (AmsS3Store *store, const gchar *name,
    gboolean with_data, guint64 max_size, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
HlsUploadObject *hls_upload_read_finish (GAsyncResult *result, GError **error);

G_END_DECLS
