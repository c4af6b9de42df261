/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a bucket is: endpoints, regions, and the URLs of objects. Pure. Errors are
 * AMS_STORE_ERROR, PERMANENT. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  AMS_S3_ADDRESSING_AUTO, /* virtual where a provider wants it, else path */
  AMS_S3_ADDRESSING_PATH, /* https://host/bucket/key */
  AMS_S3_ADDRESSING_VIRTUAL, /* https://bucket.host/key */
} AmsS3Addressing;

typedef enum
{
  AMS_S3_PROVIDER_OTHER,
  AMS_S3_PROVIDER_AWS,
  AMS_S3_PROVIDER_GOOGLE,
  AMS_S3_PROVIDER_ALIYUN,
} AmsS3Provider;

typedef struct
{
  gchar *scheme; /* http, https */
  gchar *host; /* lower case, without brackets */
  gint port; /* -1: the scheme's */
  gchar *
      base_path; /* percent-encoded; "" or begins with "/", never ends with it */
  AmsS3Provider provider;
} AmsS3Endpoint;

/* @text: a URL. Its errors show no user, password or query. */
AmsS3Endpoint *ams_s3_endpoint_parse (const gchar *text, GError **error);
/* AWS's own, of a region; China has another domain. */
AmsS3Endpoint *ams_s3_endpoint_new_aws (const gchar *region, GError **error);
void ams_s3_endpoint_free (AmsS3Endpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Endpoint, ams_s3_endpoint_free)

/* What can go into a host's name and into a signature's scope. */
gboolean ams_s3_region_check (const gchar *region, GError **error);
/* The region that the host's name says. (nullable) (transfer full) */
gchar *ams_s3_endpoint_dup_region (const AmsS3Endpoint *endpoint);
/* s3.md S6: the first that is there; us-east-1 if none. The four are nullable,
 * and "" is as NULL. (transfer full) */
gchar *ams_s3_region_choose (const gchar *property, const gchar *environment,
    const gchar *profile, const AmsS3Endpoint *endpoint);

/* Whether objects of this bucket are addressed by host. */
gboolean ams_s3_endpoint_is_virtual (const AmsS3Endpoint *endpoint,
    AmsS3Addressing addressing, const gchar *bucket);
/* Whether this can work at all: virtual with an address for a host cannot. */
gboolean ams_s3_endpoint_check (const AmsS3Endpoint *endpoint,
    AmsS3Addressing addressing, const gchar *bucket, GError **error);
/* The URL of an object, or with @key NULL of the bucket. Goes out byte for byte.
 * @query: (nullable) of ams_s3_query(). (transfer full) */
GUri *ams_s3_endpoint_to_uri (const AmsS3Endpoint *endpoint,
    AmsS3Addressing addressing, const gchar *bucket, const gchar *key,
    const gchar *query);
/* The value of Host: port only if it is not the scheme's, IPv6 in brackets. */
gchar *ams_s3_host_header (GUri *uri);

G_END_DECLS
