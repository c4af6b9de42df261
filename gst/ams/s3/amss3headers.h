/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The headers of requests, as the options say (s3.md S10). Pure. */

#pragma once

#include "s3/amss3digest.h"
#include "s3/amss3options.h"

G_BEGIN_DECLS

/* Those of every request: name, value, … Each has a NULL behind its end. */
GPtrArray *ams_s3_headers_new (const AmsS3StoreOptions *options);
/* Nothing for a @value that is NULL or "". */
void ams_s3_headers_add (GPtrArray *headers, const gchar *name,
    const gchar *value);
/* Without it, objects that were encrypted with it can be neither read nor looked at. */
void ams_s3_headers_add_customer_key (GPtrArray *headers,
    const AmsS3StoreOptions *options);
/* Those of reading: as it was put, and not from a cache on the way. */
GPtrArray *ams_s3_headers_new_reading (const AmsS3StoreOptions *options);
/* What describes an object, and is said when it is made. */
void ams_s3_headers_add_object (GPtrArray *headers,
    const AmsS3StoreOptions *options, const AmsPut *put, gboolean zipped);
/* Object lock: how long it cannot be removed. */
void ams_s3_headers_add_lock (GPtrArray *headers,
    const AmsS3StoreOptions *options);
void ams_s3_headers_add_checksum (GPtrArray *headers, AmsS3Checksum checksum,
    const AmsS3Digests *digests);
/* As AmsS3Request has them. (transfer none) */
const gchar *const *ams_s3_headers_peek (GPtrArray *headers);

/* What is to be computed of what is sent. */
AmsS3DigestFlags ams_s3_checksum_flags (AmsS3Checksum checksum);
/* The value of x-amz-checksum-…; free it. NULL: there is none. */
gchar *ams_s3_checksum_dup_value (AmsS3Checksum checksum,
    const AmsS3Digests *digests);
/* “CRC32”, “SHA256”. NULL: none */
const gchar *ams_s3_checksum_get_algorithm (AmsS3Checksum checksum);

G_END_DECLS
