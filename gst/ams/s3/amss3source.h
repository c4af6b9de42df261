/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where credentials come from: the chain that AWS's tools look along, and for each
 * dynamic source the requests that it takes and what their answers say. Reads files, but
 * does nothing on a network. Errors are AMS_STORE_ERROR. */

#pragma once

#include "s3/amss3identity.h"

G_BEGIN_DECLS

/* All nullable. */
typedef struct
{
  gchar *access_key, *secret_key, *session_token;
  gchar *profile;
  gchar *region; /* whose STS is asked */
  /* In place of AWS's own, as “http://host:port”. */
  gchar *sts_endpoint, *imds_endpoint, *container_endpoint;
  gchar *ca_file; /* of the authorities that are trusted when STS is asked */
} AmsS3CredentialsOptions;

void ams_s3_credentials_options_copy (AmsS3CredentialsOptions *to,
    const AmsS3CredentialsOptions *from);
/* Overwrites the secrets. */
void ams_s3_credentials_options_clear (AmsS3CredentialsOptions *options);

typedef enum
{
  AMS_S3_SOURCE_STATIC,
  AMS_S3_SOURCE_PROCESS,
  AMS_S3_SOURCE_WEB_IDENTITY,
  AMS_S3_SOURCE_CONTAINER,
  AMS_S3_SOURCE_MACHINE, /* EC2's metadata service, IMDSv2 */
} AmsS3SourceKind;

typedef struct
{
  AmsS3SourceKind kind;
  gchar *name; /* for people */
  gboolean dynamic; /* asking again may bring other credentials */
  gchar *looked; /* what was looked at in vain before, for people */
  AmsS3Identity *identity; /* STATIC */
  GStrv argv; /* PROCESS */
  gchar *url; /* the other three */
  gchar *token, *token_file, *role_arn, *session_name;
  guint step;
} AmsS3Source;

/* The first that is set up. @envp: as of g_get_environ(). PERMANENT: there is none, or
 * what is set up makes no sense; the error names every place. */
AmsS3Source *ams_s3_source_find (const AmsS3CredentialsOptions *options,
    GStrv envp, GError **error);
void ams_s3_source_free (AmsS3Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Source, ams_s3_source_free)

/* An HTTP request that is to be made. */
typedef struct
{
  const gchar *method;
  GUri *uri;
  GStrv headers; /* name, value, … */
  GBytes *body; /* (nullable) */
} AmsS3Query;

void ams_s3_query_free (AmsS3Query *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Query, ams_s3_query_free)

/* Of a source by HTTP: the next request. @answer: the 200 answer's body to the one
 * before, NULL at the beginning. NULL: @identity is there, or @error. */
AmsS3Query *ams_s3_source_next (AmsS3Source *source, GBytes *answer,
    AmsS3Identity **identity, GError **error);
/* What an answer with another status means. @body: (nullable) */
GError *ams_s3_source_refused (const AmsS3Source *source, guint status,
    GBytes *body);

G_END_DECLS
