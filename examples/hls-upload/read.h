/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GET and HEAD: what the store has. */

#pragma once

#include "s3/amss3store.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* So much of an object is in memory at a time, for each who reads it. */
#define HLS_UPLOAD_PIECE (1024 * 1024)

/* An object, or a piece of one. */
typedef struct
{
  GBytes *data; /* (nullable) of HEAD */
  guint64 offset; /* of the data */
  guint64 size; /* of the whole */
  gchar *type, *etag, *modified; /* nullable */
} HlsUploadObject;

void hls_upload_object_free (HlsUploadObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlsUploadObject, hls_upload_object_free)

/* With the first piece of it. What the client is to get behind that, if anything, is *@next to *@end. */
void hls_upload_object_answer (const HlsUploadObject *object,
    SoupServerMessage *message, guint64 *next, guint64 *end);

/* The piece that begins at @offset, if there is one; @etag (nullable): of that version of it, or an error. */
void hls_upload_read_async (AmsS3Store *store, const gchar *name,
    guint64 offset, const gchar *etag, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data);
/* No data. */
void hls_upload_look_async (AmsS3Store *store, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* Of both. */
HlsUploadObject *hls_upload_read_finish (GAsyncResult *result, GError **error);

G_END_DECLS
