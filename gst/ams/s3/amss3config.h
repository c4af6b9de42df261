/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What AWS's tools are configured with, by the environment and by the profile in the
 * files that they share. Reads files, does nothing on a network. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AmsS3Config AmsS3Config;

/* @profile: (nullable) its name; NULL or "": what AWS_PROFILE says, else “default”.
 * @envp: as of g_get_environ(), outlives it. Reads the files. */
AmsS3Config *ams_s3_config_new (const gchar *profile, GStrv envp);
void ams_s3_config_free (AmsS3Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AmsS3Config, ams_s3_config_free)

const gchar *ams_s3_config_get_profile (const AmsS3Config *config);
/* Whether somebody has named the profile. */
gboolean ams_s3_config_is_explicit (const AmsS3Config *config);
/* Which files were read, and what became of that; for people. */
const gchar *ams_s3_config_get_files (const AmsS3Config *config);

/* Of the environment and of the profile; (nullable) not set, or empty. */
const gchar *ams_s3_config_get_env (const AmsS3Config *config,
    const gchar *name);
const gchar *ams_s3_config_get (const AmsS3Config *config, const gchar *key);

/* The region that the environment says. The profile's is its setting “region”.
 * (nullable) */
const gchar *ams_s3_config_get_env_region (const AmsS3Config *config);

/* AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, or else the profile's
 * ignore_configured_endpoint_urls, is true. */
gboolean ams_s3_config_ignores_endpoints (const AmsS3Config *config);
/* S3's endpoint: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, endpoint_url of “s3” in the
 * section that the profile names as its services, endpoint_url of the profile.
 * @source: (out): where it was found, for people; (transfer full).
 * Returns: (nullable): none is configured, or what is shall be ignored. */
const gchar *ams_s3_config_find_endpoint (const AmsS3Config *config,
    gchar **source);
/* The file of trusted certificates: AWS_CA_BUNDLE, ca_bundle of the profile. As above. */
const gchar *ams_s3_config_find_ca_bundle (const AmsS3Config *config,
    gchar **source);

G_END_DECLS
