/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One request to an S3 store: with credentials, signed, its answer understood; and sent once
 * more if other credentials, another clock or another region are what it takes. Internal to
 * the store. */

#pragma once

#include "s3/amss3error.h"
#include "s3/amss3place.h"

G_BEGIN_DECLS

typedef struct
{
  AmsS3Operation operation;
  const gchar *method;
  const gchar *key; /* (nullable) NULL: the bucket */
  const gchar *const *query; /* (nullable) name, value, …, NULL; not encoded */
  const gchar *const *headers; /* (nullable) name, value, …, NULL */
  AmsBody *body; /* (nullable) */
  GBytes *bytes; /* (nullable) */
  const gchar *sha256; /* of the body; NULL: there is none */
  gboolean fresh_connection, expect; /* as in AmsHttpRequest */
  gsize max_reply; /* of a 2xx answer's body; 0: AMS_S3_MAX_REPLY */
  AmsHttpSink sink; /* (nullable) */
  gpointer sink_data;
} AmsS3Request;

/* What an answer says other than an object or a list. */
#define AMS_S3_MAX_REPLY (64 * 1024)

typedef struct
{
  AmsHttpReply *http;
  AmsS3Answer *answer;
  GError *error; /* (nullable) what it means; NULL: it is a success */
} AmsS3Reply;

void ams_s3_reply_free (AmsS3Reply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Reply, ams_s3_reply_free)

/* @place, @request and what it points to live until the callback. What a crash left is
 * aborted first. */
void ams_s3_send_async (AmsS3Place *place, const AmsS3Request *request,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
/* NULL: no answer came. */
AmsS3Reply *ams_s3_send_finish (GAsyncResult *result, GError **error);

G_END_DECLS
