/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads what S3 answers, and does not trust it: no entities but XML's own five and
 * numbers, no recursion, memory bounded by the input; what is cut off or no XML at all
 * is read as far as it goes. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An element has ended. @path: the names from the root to it, without namespaces,
 * separated by "/". @text: its own text, valid UTF-8 without NUL. */
typedef void (
    *AmsS3XmlFunc) (const gchar *path, const gchar *text, gpointer user_data);

/* TRUE: the root element has ended, so that nothing was cut off. */
gboolean ams_s3_xml_parse (GBytes *xml, AmsS3XmlFunc func, gpointer user_data);
/* Whether the first element has this name. */
gboolean ams_s3_xml_has_root (GBytes *xml, const gchar *name);

/* What the store says an object is. */
typedef struct
{
  gchar *key;
  guint64 size;
} AmsS3Object;

/* A page of ListObjectsV2. */
typedef struct
{
  GArray *objects; /* of AmsS3Object */
  gchar
      *next; /* (nullable) NextContinuationToken; NULL: it was the last page */
} AmsS3Listing;

/* AMS_STORE_ERROR, TRANSIENT: it is not a whole ListBucketResult, or makes no sense: a
 * part of it must not be taken for the whole. */
AmsS3Listing *ams_s3_listing_parse (GBytes *xml, GError **error);
void ams_s3_listing_free (AmsS3Listing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Listing, ams_s3_listing_free)

/* An upload that was begun. */
typedef struct
{
  gchar *key, *upload_id;
  gint64 initiated; /* µs since 1970 UTC; 0: not said */
} AmsS3Upload;

void ams_s3_upload_free (AmsS3Upload *upload);
/* InitiateMultipartUpload's answer. NULL: there is none. */
gchar *ams_s3_parse_upload_id (GBytes *xml);
/* CompleteMultipartUpload's ETag, without quotes. NULL: there is none. */
gchar *ams_s3_parse_etag (GBytes *xml);
/* ListMultipartUploads, one page of at most 1000. (element-type AmsS3Upload) */
GPtrArray *ams_s3_parse_uploads (GBytes *xml, GError **error);

G_END_DECLS
