/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The properties that amss3put has of its own: their values, types, defaults and
 * descriptions, and what they are to the store. No function takes a lock: who owns the
 * settings does. */

#pragma once

#include <gst/gst.h>

#include "s3/amss3options.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *bucket, *key_prefix, *location;
  gchar *region, *endpoint;
  AmsS3Addressing addressing;
  gchar *access_key, *secret_access_key, *session_token, *profile;
  gchar *sts_endpoint, *imds_endpoint, *container_endpoint;
  gchar *acl, *storage_class;
  gchar *server_side_encryption, *sse_kms_key_id, *sse_customer_key;
  gchar *tagging, *content_disposition;
  GstStructure *metadata;
  gchar *object_lock_mode, *object_lock_retain_until;
  gchar *expected_bucket_owner, *request_payer;
  AmsS3Checksum checksum;
  guint64 multipart_threshold, part_size;
  gboolean probe;
} GstAmsS3Settings;

void gst_ams_s3_settings_init (GstAmsS3Settings *settings);
void gst_ams_s3_settings_clear (GstAmsS3Settings *settings);
/* @to holds nothing. */
void gst_ams_s3_settings_copy (GstAmsS3Settings *to,
    const GstAmsS3Settings *from);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstAmsS3Settings, gst_ams_s3_settings_clear)

/* What they are to the store: everything of @options but uploads_file and what the
 * shared properties say. @name: (nullable) what data become; NULL: a file stream is
 * wanted. AMS_STORE_ERROR, PERMANENT: a sentence that names the property. */
gboolean gst_ams_s3_settings_resolve (const GstAmsS3Settings *settings,
    AmsS3StoreOptions *options, gchar **name, GError **error);
/* Whether there can be credentials, as far as files and the environment say. */
gboolean gst_ams_s3_credentials_check (const AmsS3CredentialsOptions *options,
    GStrv envp, GError **error);

/* s3://… of where they lead (nullable) */
gchar *gst_ams_s3_settings_dup_uri (const GstAmsS3Settings *settings);

void gst_ams_s3_settings_install (GObjectClass *klass);
/* FALSE: @id is none of these. get: as it may be shown. */
gboolean gst_ams_s3_settings_set (GstAmsS3Settings *settings, guint id,
    const GValue *value);
gboolean gst_ams_s3_settings_get (const GstAmsS3Settings *settings, guint id,
    GValue *value);

G_END_DECLS
