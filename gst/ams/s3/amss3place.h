/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the operations of an S3 store share: where it is, and what was learnt of it.
 * Internal to the store. */

#pragma once

#include "http/amshttpclient.h"
#include "http/amslistguard.h"
#include "s3/amss3credentials.h"
#include "s3/amss3options.h"
#include "s3/amss3sign.h"
#include "s3/amss3uploads.h"

G_BEGIN_DECLS

typedef struct
{
  GObject *store; /* not owned: it owns this */
  AmsHttpClient *client;
  AmsS3StoreOptions options;
  AmsS3Credentials *credentials;
  AmsS3Signer *signer;
  AmsS3Endpoint *endpoint; /* where the bucket is, as far as is known */
  gchar *region; /* likewise */
  gint64 clock_offset; /* µs that the store's clock is ahead of ours */
  gint64 patience; /* µs in which what reads is tried again */
  AmsS3Uploads *uploads;
  /* Sets of names: that may be put again; whose last attempt was cut off; whose object is ours, and
   * is not what it should be. */
  GHashTable *own, *cut_off, *spoiled;
  /* By names: the MD5 of a version that may be there, as its answer was lost. */
  GHashTable *unsure;
  AmsListGuard *guard; /* by keys */
  gboolean asks_first; /* If-None-Match is not supported there */
  /* Set of names that were taken with an ETag which is not the MD5 of what was sent, and
   * could not be read to tell whether they are what was sent. */
  GHashTable *doubted;
  gboolean has_other_etags; /* they look like an MD5 there, and are none */
} AmsS3Place;

void ams_s3_place_init (AmsS3Place *place, GObject *store,
    AmsHttpClient *client, const AmsS3StoreOptions *options);
void ams_s3_place_clear (AmsS3Place *place);

/* The bucket turned out to be in @region. */
void ams_s3_place_move (AmsS3Place *place, const gchar *region);
/* @error: (nullable) what a request that sent a body ended with. After one that was cut off, the next
 * for this key asks first: AmsS3Request.expect. */
void ams_s3_place_note_cut_off (AmsS3Place *place, const gchar *key,
    const GError *error);
gboolean ams_s3_place_was_cut_off (AmsS3Place *place, const gchar *key);
/* An object was read and is what was sent, though its ETag said otherwise: ETags are not
 * compared from now on. */
void ams_s3_place_distrust_etags (AmsS3Place *place);
/* “BUCKET/KEY”, for people. @key: nullable */
gchar *ams_s3_place_display (AmsS3Place *place, const gchar *key);

G_END_DECLS
