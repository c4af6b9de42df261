/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The store behind S3 and what speaks its protocol: signs what http/ sends. */

#pragma once

#include "s3/amss3place.h"
#include "transfer/amsstore.h"

G_BEGIN_DECLS

#define AMS_TYPE_S3_STORE (ams_s3_store_get_type ())
G_DECLARE_FINAL_TYPE (AmsS3Store, ams_s3_store, AMS, S3_STORE, GObject)

/* Lists (ListObjectsV2); has probe, notify; no adopt. */
AmsStore *ams_s3_store_new (AmsHttpClient *client,
    const AmsS3StoreOptions *options);

/* What its operations share, for others of them; lives as long as the store.
 * (transfer none) */
AmsS3Place *ams_s3_store_get_place (AmsS3Store *store);
/* µs in which what reads is tried again; for tests. */
void ams_s3_store_set_patience (AmsS3Store *store, gint64 patience);

G_END_DECLS
