/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads the files that AWS's tools share, ~/.aws/config and ~/.aws/credentials, as
 * tolerantly as these tools do. Pure. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* More than that is not read. */
#define AMS_S3_PROFILE_MAX_SIZE (1024 * 1024)

typedef enum
{
  AMS_S3_PROFILE_CONFIG, /* [default], [profile NAME] */
  AMS_S3_PROFILE_CREDENTIALS, /* [NAME] */
} AmsS3ProfileFile;

typedef struct _AmsS3Profiles AmsS3Profiles;

AmsS3Profiles *ams_s3_profiles_new (void);
/* Overwrites what was read. */
void ams_s3_profiles_free (AmsS3Profiles *profiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Profiles, ams_s3_profiles_free)

/* What is in the file of credentials goes before what is in the other. Lines that
 * make no sense are left out. */
void ams_s3_profiles_add (AmsS3Profiles *profiles, AmsS3ProfileFile file,
    const gchar *text, gsize size);
gboolean ams_s3_profiles_has (AmsS3Profiles *profiles, const gchar *name);
/* NULL: not there, or empty. */
const gchar *ams_s3_profiles_get (AmsS3Profiles *profiles, const gchar *name,
    const gchar *key);
/* @key of @service in the section [services NAME] of the config file, where a service's
 * settings are indented below it. NULL: not there, or empty. */
const gchar *ams_s3_profiles_get_service (AmsS3Profiles *profiles,
    const gchar *name, const gchar *service, const gchar *key);

G_END_DECLS
