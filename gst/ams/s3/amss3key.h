/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Names of buckets and keys. Pure. Errors are AMS_STORE_ERROR, PERMANENT. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define AMS_S3_MAX_KEY 1024 /* bytes of UTF-8 */

/* Whether it can be the name of a bucket anywhere. Old buckets at AWS have upper case, "_"
 * and up to 255 characters, and other providers allow these still. */
gboolean ams_s3_bucket_check (const gchar *bucket, GError **error);
/* Whether it may be a part of a host's name: AWS's rules for new buckets. */
gboolean ams_s3_bucket_is_dns (const gchar *bucket);

/* Prefix and name joined as they are. (transfer full) (nullable) */
gchar *ams_s3_key_new (const gchar *prefix, const gchar *name, GError **error);
/* Whether a prefix alone is fine; may be empty. */
gboolean ams_s3_prefix_check (const gchar *prefix, GError **error);

gboolean ams_s3_is_uri (const gchar *text);
/* s3://BUCKET/KEY, where KEY is not percent-encoded, as the aws command has it,
 * and may be empty. */
gboolean ams_s3_uri_parse (const gchar *text, gchar **bucket, gchar **key,
    GError **error);

G_END_DECLS
