/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an S3 store's answer means and what to do about it: the retry table of S3.
 * Pure. Times are µs since 1970 UTC. */

#pragma once

#include <libsoup/soup.h>

#include "transfer/amsretry.h"

G_BEGIN_DECLS

/* A clock that is further off than this is told and corrected. */
#define AMS_S3_MAX_SKEW (300 * G_TIME_SPAN_SECOND)

typedef enum
{
  AMS_S3_PUT,
  AMS_S3_GET,
  AMS_S3_GET_PART, /* with a Range; the whole is an answer, too */
  AMS_S3_HEAD,
  AMS_S3_DELETE,
  AMS_S3_LIST, /* objects, uploads or parts */
  AMS_S3_UPLOAD_CREATE,
  AMS_S3_UPLOAD_PART,
  AMS_S3_UPLOAD_COMPLETE,
  AMS_S3_UPLOAD_ABORT,
} AmsS3Operation;

/* What may help, beyond trying again as the failure's class says. Each but RETRY,
 * SLOW_DOWN and REHASH is to be tried once per attempt, at once. */
typedef enum
{
  AMS_S3_ACTION_NONE,
  AMS_S3_ACTION_RETRY, /* on a new connection */
  AMS_S3_ACTION_SLOW_DOWN, /* and halve the parallelism */
  AMS_S3_ACTION_REHASH, /* unchanged: again, at most 3 times; changed: the file is lost */
  AMS_S3_ACTION_REFRESH_CREDENTIALS,
  AMS_S3_ACTION_FIX_CLOCK, /* use clock_offset */
  AMS_S3_ACTION_FIX_REGION, /* use region, and endpoint if there is one */
  AMS_S3_ACTION_CHECK_EXISTING, /* HEAD: what is there may be ours */
  AMS_S3_ACTION_DROP_HEADER, /* header, if we added it by ourselves */
  AMS_S3_ACTION_RESTART_UPLOAD, /* the parts are gone */
} AmsS3Action;

const gchar *ams_s3_action_to_string (AmsS3Action action);

/* What was asked. */
typedef struct
{
  AmsS3Operation operation;
  const gchar *host, *bucket; /* as they may be shown */
  const gchar *key; /* (nullable) */
  const gchar *region; /* that was signed for */
  gboolean dynamic; /* other credentials can be had */
  gint64 clock_offset; /* that was added to our clock, µs */
} AmsS3Asked;

typedef struct
{
  guint status; /* 500 for an error that came as 2xx */
  gboolean success;
  /* Of a failure: its class if the action does not help. */
  AmsFailure failure;
  AmsS3Action action;
  guint retry_after; /* s; 0: not said */
  /* All nullable and valid UTF-8 in one line without control characters. */
  gchar *code, *message, *request_id, *host_id;
  gchar *header; /* that is not supported */
  gchar *region, *endpoint; /* where the bucket is; a region that can be one */
  gint64
      clock_offset; /* what to add to our clock, µs; 0: nothing new is known */
} AmsS3Answer;

/* @body: (nullable). @received: by our clock, when the answer came. */
AmsS3Answer *ams_s3_answer_new (const AmsS3Asked *asked, guint status,
    SoupMessageHeaders *headers, GBytes *body, gint64 received);
void ams_s3_answer_free (AmsS3Answer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Answer, ams_s3_answer_free)

/* Code, request id, host id: for logs and messages' details. (transfer full) */
gchar *ams_s3_answer_to_details (const AmsS3Answer *answer);

/* An ETag as 32 lower-case hexadecimal digits, if it can be the MD5 of the object:
 * not with SSE-C or SSE-KMS, not of several parts. (nullable) (transfer full) */
gchar *ams_s3_dup_md5_etag (SoupMessageHeaders *headers);

G_END_DECLS
