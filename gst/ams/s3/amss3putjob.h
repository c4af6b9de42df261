/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One attempt to put an object: what its steps (amss3put.c), those of the guard of playlists
 * (amss3putguard.c) and those after an answer that is doubted (amss3putdoubt.c) share.
 * Internal to the store. */

#pragma once

#include "http/amslistcondition.h"
#include "s3/amss3digest.h"
#include "s3/amss3exchange.h"
#include "s3/amss3place.h"

G_BEGIN_DECLS

typedef struct
{
  AmsS3Place *place;
  const AmsPut *put;
  gchar *key;
  AmsBody *sent; /* the put's, or its gzip */
  AmsBody *plain; /* (nullable) the put's, if its gzip is sent */
  AmsS3Digests digests;
  GPtrArray *headers; /* nullable */
  AmsS3Request request;
  gboolean is_protected; /* what is there is not replaced */
  gboolean refused_condition; /* perhaps; the PUT without it will tell */
  gboolean is_guarded; /* what another recorder has put there is not replaced */
  AmsListCondition condition; /* of a guarded PUT */
  gboolean found_same; /* it was there already */
  gboolean in_parts;
  gboolean locked; /* as the options say */
  guint rehashes;
  guint status; /* of the last answer that was a success */
  gchar *etag; /* (nullable) likewise; it may be doubted */
} AmsS3PutJob;

/* @task's data is an AmsS3PutJob, in all of these. */

/* amss3put.c */
void ams_s3_put_send (GTask *task);
void ams_s3_put_finish_stored (GTask *task);
/* @etag: (nullable) of the answer. It is looked up as the options say. */
void ams_s3_put_take_stored (GTask *task, const gchar *etag);
/* @etag: (nullable), perhaps @job's own */
void ams_s3_put_note_etag (AmsS3PutJob *job, const gchar *etag);

/* amss3putdoubt.c */

/* What was sent and what arrived are not the same: sends it again if it did not change
 * here. Takes @error, which it ends with if that was tried often enough. */
void ams_s3_put_rehash (GTask *task, GError *error);
/* The ETag is not the MD5 of what was sent: either another is there, or it never is. The
 * object tells. */
void ams_s3_put_doubt (GTask *task);

/* amss3putguard.c */

/* Sends a playlist on a condition, or looks at what is there first. */
void ams_s3_put_guarded (GTask *task);
void ams_s3_put_add_condition (AmsS3PutJob *job);
/* TRUE: @reply was about the condition, and @task goes on. */
gboolean ams_s3_put_take_guarded (GTask *task, const AmsS3Reply *reply);

G_END_DECLS
