/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3config.h"

#include <string.h>

#include "s3/amss3profile.h"

struct _AmsS3Config
{
  GStrv envp; /* not owned: there are secrets in it */
  AmsS3Profiles *profiles;
  gchar *profile; /* its name */
  gboolean is_explicit;
  GString *files; /* for people */
};

const gchar *
ams_s3_config_get_env (const AmsS3Config *config, const gchar *name)
{
  const gchar *value = g_environ_getenv (config->envp, name);

  return value != NULL && *value != '\0' ? value : NULL;
}

/* The files */

static gchar *
path_of (const AmsS3Config *config, const gchar *variable, const gchar *name)
{
  const gchar *home = ams_s3_config_get_env (config, "HOME");
  const gchar *said = ams_s3_config_get_env (config, variable);

  if (home == NULL)
    home = g_get_home_dir ();
  if (said != NULL && g_str_has_prefix (said, "~/"))
    return g_build_filename (home, said + 2, NULL);
  if (said != NULL)
    return g_strdup (said);
  return g_build_filename (home, ".aws", name, NULL);
}

static void
note (AmsS3Config *config, const gchar *path, const gchar *what)
{
  g_string_append_printf (config->files, "%s%s (%s)",
      config->files->len > 0 ? "; " : "", path, what);
}

static void
read_file (AmsS3Config *config, AmsS3ProfileFile file, const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *what = NULL;
  gchar *text;
  gsize size;

  /* A pipe or a device would keep us. */
  if (g_file_test (path, G_FILE_TEST_EXISTS) &&
      !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    note (config, path, "not a file");
  } else if (g_file_get_contents (path, &text, &size, &error)) {
    ams_s3_profiles_add (config->profiles, file, text, size);
    explicit_bzero (text, size);
    g_free (text);
    what =
        g_strdup_printf ("no profile “%s” with credentials", config->profile);
    note (config, path, what);
  } else {
    note (config, path,
        error->code == G_FILE_ERROR_NOENT ? "not there" : "cannot be read");
  }
}

static void
read_files (AmsS3Config *config)
{
  g_autofree gchar *credentials =
      path_of (config, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  g_autofree gchar *path = path_of (config, "AWS_CONFIG_FILE", "config");

  read_file (config, AMS_S3_PROFILE_CREDENTIALS, credentials);
  read_file (config, AMS_S3_PROFILE_CONFIG, path);
}

AmsS3Config *
ams_s3_config_new (const gchar *profile, GStrv envp)
{
  AmsS3Config *config = g_new0 (AmsS3Config, 1);

  config->envp = envp;
  config->profiles = ams_s3_profiles_new ();
  config->files = g_string_new (NULL);
  if (profile == NULL || *profile == '\0')
    profile = ams_s3_config_get_env (config, "AWS_PROFILE");
  config->is_explicit = profile != NULL;
  config->profile = g_strdup (profile != NULL ? profile : "default");
  read_files (config);
  return config;
}

void
ams_s3_config_free (AmsS3Config *config)
{
  ams_s3_profiles_free (config->profiles);
  g_free (config->profile);
  g_string_free (config->files, TRUE);
  g_free (config);
}

const gchar *
ams_s3_config_get_profile (const AmsS3Config *config)
{
  return config->profile;
}

gboolean
ams_s3_config_is_explicit (const AmsS3Config *config)
{
  return config->is_explicit;
}

const gchar *
ams_s3_config_get_files (const AmsS3Config *config)
{
  return config->files->str;
}

const gchar *
ams_s3_config_get (const AmsS3Config *config, const gchar *key)
{
  return ams_s3_profiles_get (config->profiles, config->profile, key);
}

const gchar *
ams_s3_config_get_env_region (const AmsS3Config *config)
{
  const gchar *region = ams_s3_config_get_env (config, "AWS_REGION");

  return region != NULL ? region
                        : ams_s3_config_get_env (config, "AWS_DEFAULT_REGION");
}

/* Endpoints */

gboolean
ams_s3_config_ignores_endpoints (const AmsS3Config *config)
{
  const gchar *said =
      ams_s3_config_get_env (config, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

  if (said == NULL)
    said = ams_s3_config_get (config, "ignore_configured_endpoint_urls");
  return said != NULL && g_ascii_strcasecmp (said, "true") == 0;
}

/* @name: of a variable. */
static const gchar *
find_env (const AmsS3Config *config, const gchar *name, gchar **source)
{
  const gchar *value = ams_s3_config_get_env (config, name);

  if (value != NULL)
    *source = g_strdup_printf ("%s in the environment", name);
  return value;
}

static const gchar *
find_setting (const AmsS3Config *config, const gchar *key, gchar **source)
{
  const gchar *value = ams_s3_config_get (config, key);

  if (value != NULL)
    *source = g_strdup_printf ("%s of the profile “%s”", key, config->profile);
  return value;
}

static const gchar *
find_service (const AmsS3Config *config, gchar **source)
{
  const gchar *services = ams_s3_config_get (config, "services");
  const gchar *value = services != NULL
      ? ams_s3_profiles_get_service (config->profiles, services, "s3",
            "endpoint_url")
      : NULL;

  if (value != NULL)
    *source = g_strdup_printf ("endpoint_url of s3 in the services “%s” of the "
                               "profile “%s”",
        services, config->profile);
  return value;
}

const gchar *
ams_s3_config_find_endpoint (const AmsS3Config *config, gchar **source)
{
  const gchar *found;

  if (ams_s3_config_ignores_endpoints (config))
    return NULL;
  found = find_env (config, "AWS_ENDPOINT_URL_S3", source);
  if (found == NULL)
    found = find_env (config, "AWS_ENDPOINT_URL", source);
  if (found == NULL)
    found = find_service (config, source);
  if (found == NULL)
    found = find_setting (config, "endpoint_url", source);
  return found;
}

const gchar *
ams_s3_config_find_ca_bundle (const AmsS3Config *config, gchar **source)
{
  const gchar *found = find_env (config, "AWS_CA_BUNDLE", source);

  return found != NULL ? found : find_setting (config, "ca_bundle", source);
}
