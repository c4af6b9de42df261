/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib/gstdio.h>
#include <string.h>

#include "s3/amss3config.h"
#include "s3/amss3profile.h"
#include "s3/amss3source.h"
#include "transfer/amsstore.h"

/* ---- the shared files ---- */

typedef struct
{
  const gchar *name;
  AmsS3ProfileFile file;
  const gchar *text;
  const gchar *profile, *key, *value;
} Line;

#define CONFIG AMS_S3_PROFILE_CONFIG
#define CREDENTIALS AMS_S3_PROFILE_CREDENTIALS

static const Line lines[] = {
  { "plain/read", CREDENTIALS, "[default]\nk = v\n", "default", "k", "v" },
  { "crlf-bom/read", CREDENTIALS, "\xef\xbb\xbf[default]\r\nk=v\r\n", "default",
      "k", "v" },
  { "no-newline/read", CREDENTIALS, "[default]\nk=v", "default", "k", "v" },
  { "config-prefix/read", CONFIG, "[profile x]\nk=v", "x", "k", "v" },
  { "config-tab-prefix/read", CONFIG, "[ profile\tx ]\nk=v", "x", "k", "v" },
  { "config-quotes/read", CONFIG, "[profile \"a b\"]\nk=v", "a b", "k", "v" },
  { "config-without-prefix/ignored", CONFIG, "[x]\nk=v", "x", "k", NULL },
  { "config-default/read", CONFIG, "[default]\nk=v", "default", "k", "v" },
  { "config-prefixed-default/first", CONFIG,
      "[profile default]\nk=v\n[default]\nk=w", "default", "k", "v" },
  { "config-other-section/ignored", CONFIG, "[sso-session x]\nk=v", "x", "k",
      NULL },
  { "key-upper/read", CREDENTIALS, "[x]\nAWS_Key=v", "x", "aws_key", "v" },
  { "value-equals/kept", CREDENTIALS, "[x]\nk=a=b==", "x", "k", "a=b==" },
  { "value-hash/kept", CREDENTIALS, "[x]\nk=a#b;c", "x", "k", "a#b;c" },
  { "value-comment/cut", CREDENTIALS, "[x]\nk=a # b", "x", "k", "a" },
  { "comment-line/ignored", CREDENTIALS, "[x]\n#k=v\n ;k=v", "x", "k", NULL },
  { "section-comment/read", CREDENTIALS, "[x] # mine\nk=v", "x", "k", "v" },
  { "nested/ignored", CREDENTIALS, "[x]\ns3 =\n  k = v\n", "x", "k", NULL },
  { "indented/read", CREDENTIALS, "[x]\na=1\n  k = v\n", "x", "k", "v" },
  { "twice/last", CREDENTIALS, "[x]\nk=1\n[y]\nk=2\n[x]\nk=3", "x", "k", "3" },
  { "no-section/ignored", CREDENTIALS, "k=v\n", "default", "k", NULL },
  { "open-bracket/ignored", CREDENTIALS, "[x\nk=v\n", "x", "k", NULL },
  { "empty/not-there", CREDENTIALS, "[x]\nk=\n", "x", "k", NULL },
};

static void
test_profile (gconstpointer data)
{
  const Line *c = data;
  g_autoptr (AmsS3Profiles) profiles = ams_s3_profiles_new ();

  ams_s3_profiles_add (profiles, c->file, c->text, strlen (c->text));
  g_assert_cmpstr (ams_s3_profiles_get (profiles, c->profile, c->key), ==,
      c->value);
}

static void
test_profile_credentials_before_config (void)
{
  g_autoptr (AmsS3Profiles) profiles = ams_s3_profiles_new ();
  const gchar *credentials = "[x]\na=1", *config = "[profile x]\na=2\nb=2";

  ams_s3_profiles_add (profiles, CREDENTIALS, credentials,
      strlen (credentials));
  ams_s3_profiles_add (profiles, CONFIG, config, strlen (config));
  g_assert_cmpstr (ams_s3_profiles_get (profiles, "x", "a"), ==, "1");
  g_assert_cmpstr (ams_s3_profiles_get (profiles, "x", "b"), ==, "2");
}

/* ---- answers ---- */

#define UNTIL "2026-11-22T10:46:04Z"
#define UNTIL_US G_GINT64_CONSTANT (1795344364000000)
#define STS(text) \
  "<AssumeRoleWithWebIdentityResponse xmlns='u'>" \
  "<AssumeRoleWithWebIdentityResult><Credentials>" text \
  "</Credentials></AssumeRoleWithWebIdentityResult>" \
  "</AssumeRoleWithWebIdentityResponse>"

typedef struct
{
  const gchar *name;
  const gchar *text;
  const gchar *expected; /* “key secret token” */
  gint64 expires;
} Answer;

static const Answer answers[] = {
  { "process/read",
      "{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\","
      "\"SessionToken\":\"c\",\"Expiration\":\"" UNTIL "\"}",
      "a b c", UNTIL_US },
  { "machine/read",
      "{\"Code\":\"Success\",\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\","
      "\"Token\":\"c\",\"Expiration\":\"" UNTIL "\"}",
      "a b c", UNTIL_US },
  { "no-token/read", "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}",
      "a b (null)", G_MAXINT64 },
  { "sts/read",
      STS ("<SessionToken>c</SessionToken><AccessKeyId>a</AccessKeyId>"
           "<SecretAccessKey>b</SecretAccessKey><Expiration>" UNTIL
           "</Expiration>"),
      "a b c", UNTIL_US },
  { "machine-failed/refused",
      "{\"Code\":\"Failed\",\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}" },
  { "no-secret/refused", "{\"AccessKeyId\":\"hush\"}" },
  { "number/refused", "{\"AccessKeyId\":1,\"SecretAccessKey\":\"hush\"}" },
  { "newline/refused",
      "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"hush\\r\\nX: y\"}" },
  { "bad-date/refused",
      "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"hush\","
      "\"Expiration\":\"soon\"}" },
  { "array/refused", "[\"hush\"]" },
  { "not-json/refused", "hush" },
  { "empty/refused", "" },
  { "sts-cut/refused",
      "<AssumeRoleWithWebIdentityResponse><Credentials>"
      "<AccessKeyId>hush</AccessKeyId>" },
};

static void
test_answer (gconstpointer data)
{
  const Answer *c = data;
  g_autoptr (GBytes) bytes = g_bytes_new_static (c->text, strlen (c->text));
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsS3Identity) identity = *c->text == '<'
      ? ams_s3_identity_parse_sts (bytes, "a test", &error)
      : ams_s3_identity_parse_json (bytes, "a test", &error);
  g_autofree gchar *text = NULL;

  if (c->expected == NULL) {
    g_assert_null (identity);
    g_assert_true (error->domain == AMS_STORE_ERROR);
    g_assert_null (strstr (error->message, "hush"));
    g_assert_true (g_str_has_suffix (error->message, "."));
    return;
  }
  g_assert_no_error (error);
  text =
      g_strdup_printf ("%s %s %s", identity->access_key, identity->secret_key,
          identity->session_token ? identity->session_token : "(null)");
  g_assert_cmpstr (text, ==, c->expected);
  g_assert_cmpint (identity->expires, ==, c->expires);
}

/* ---- the chain ---- */

#define NO_FILES "HOME=/nowhere"
#define NO_MACHINE "AWS_EC2_METADATA_DISABLED=true"
#define KEYS "AWS_ACCESS_KEY_ID=env", "AWS_SECRET_ACCESS_KEY=s"

typedef struct
{
  const gchar *name;
  AmsS3CredentialsOptions options;
  const gchar *credentials, *config; /* files' contents, nullable */
  const gchar *variables[6];
  const gchar
      *expected; /* source's name, and access key, URL or command; NULL: none */
  const gchar *part; /* of the error */
} Chain;

static const Chain chains[] = {
  { "properties/first", { (gchar *) "prop", (gchar *) "s" }, "[default]\n",
      NULL, { KEYS }, "the properties prop" },
  { "environment/second", { NULL }, "[default]\naws_access_key_id=f\n", NULL,
      { KEYS }, "the environment env" },
  { "profile-property/before-environment", { .profile = (gchar *) "x" },
      "[x]\naws_access_key_id=f\naws_secret_access_key=s", NULL, { KEYS },
      "the profile “x” f" },
  { "profile-variable/read", { NULL },
      "[x]\naws_access_key_id=f\naws_secret_access_key=s", NULL,
      { "AWS_PROFILE=x" }, "the profile “x” f" },
  { "default-profile/read", { NULL }, NULL,
      "[default]\naws_access_key_id=f\naws_secret_access_key=s", { NULL },
      "the profile “default” f" },
  { "process/command", { NULL }, NULL,
      "[default]\ncredential_process = '/opt/get keys' --now\n", { NULL },
      "the profile “default” /opt/get keys" },
  { "profile-web-identity/sts", { NULL }, NULL,
      "[default]\nrole_arn=r\nweb_identity_token_file=/t\n",
      { "AWS_REGION=eu-west-1" },
      "the profile “default” https://sts.eu-west-1.amazonaws.com/" },
  { "web-identity/sts", { NULL }, NULL, NULL,
      { "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r" },
      "the web identity https://sts.amazonaws.com/" },
  { "web-identity-auto-region/global", { .region = (gchar *) "auto" }, NULL,
      NULL, { "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r" },
      "the web identity https://sts.amazonaws.com/" },
  { "web-identity-endpoint/read", { NULL }, NULL, NULL,
      { "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r",
          "AWS_ENDPOINT_URL_STS=http://sts:1", "AWS_ENDPOINT_URL=http://all" },
      "the web identity http://sts:1/" },
  { "web-identity-endpoint/ignored", { NULL }, NULL, NULL,
      { "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_ARN=r",
          "AWS_ENDPOINT_URL_STS=http://sts:1",
          "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true" },
      "the web identity https://sts.amazonaws.com/" },
  { "container-relative/fixed-host", { NULL }, NULL, NULL,
      { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x" },
      "the container's service http://169.254.170.2/v2/x" },
  { "container-loopback/allowed", { NULL }, NULL, NULL,
      { "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[::1]:80/x" },
      "the container's service http://[::1]:80/x" },
  { "container-eks/allowed", { NULL }, NULL, NULL,
      { "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/x" },
      "the container's service http://169.254.170.23/x" },
  { "container-https/allowed", { NULL }, NULL, NULL,
      { "AWS_CONTAINER_CREDENTIALS_FULL_URI=https://other.test/x" },
      "the container's service https://other.test/x" },
  { "container-http/refused", { NULL }, NULL, NULL,
      { "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://other.test/x" }, NULL,
      "not https" },
  { "container-looks-local/refused", { NULL }, NULL, NULL,
      { "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1.evil.test/" },
      NULL, "not https" },
  { "machine/last", { NULL }, NULL, NULL, { NULL },
      "the machine's metadata service http://169.254.169.254" },
  { "machine-endpoint/used", { .imds_endpoint = (gchar *) "http://h:1/" }, NULL,
      NULL, { NULL }, "the machine's metadata service http://h:1" },
  { "machine-ipv6/used", { NULL }, NULL, NULL,
      { "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6" },
      "the machine's metadata service http://[fd00:ec2::254]" },
  { "nothing/every-place", { NULL }, NULL, NULL, { NO_MACHINE }, NULL,
      "AWS_WEB_IDENTITY_TOKEN_FILE (not set); AWS_CONTAINER" },
  { "nothing/files-named", { NULL }, NULL, NULL, { NO_MACHINE }, NULL,
      "/credentials (not there)" },
  { "half-properties/refused", { (gchar *) "prop" }, NULL, NULL, { KEYS }, NULL,
      "only one" },
  { "half-environment/refused", { NULL }, NULL, NULL, { "AWS_ACCESS_KEY_ID=a" },
      NULL, "only one" },
  { "half-profile/refused", { NULL }, "[default]\naws_access_key_id=f", NULL,
      { NULL }, NULL, "only one" },
  { "unknown-profile/refused", { .profile = (gchar *) "y" }, "[x]\n", NULL,
      { NULL }, NULL, "“y”" },
  { "role-of-profile/refused", { NULL }, NULL,
      "[default]\nrole_arn=r\nsource_profile=x\n", { NULL }, NULL,
      "credential_process" },
  { "sso/refused", { NULL }, NULL, "[default]\nsso_session=x\n", { NULL }, NULL,
      "SSO" },
  { "process-quotes/refused", { NULL }, NULL,
      "[default]\ncredential_process = 'x\n", { NULL }, NULL, "quotes" },
  { "secret-with-newline/refused", { (gchar *) "a", (gchar *) "hush\n" }, NULL,
      NULL, { NULL }, NULL, "characters" },
};

static gchar *
write_file (const gchar *folder, const gchar *name, const gchar *text)
{
  gchar *path = g_build_filename (folder, name, NULL);

  if (text != NULL)
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static gchar *
describe (const AmsS3Source *source)
{
  const gchar *what = source->url;

  if (source->kind == AMS_S3_SOURCE_STATIC)
    what = source->identity->access_key;
  else if (source->kind == AMS_S3_SOURCE_PROCESS)
    what = source->argv[0];
  return g_strconcat (source->name, " ", what, NULL);
}

static void
test_chain (gconstpointer data)
{
  const Chain *c = data;
  g_autofree gchar *folder = g_dir_make_tmp ("ams-s3-XXXXXX", NULL);
  g_autofree gchar *credentials =
      write_file (folder, "credentials", c->credentials);
  g_autofree gchar *config = write_file (folder, "config", c->config);
  g_auto (GStrv) envp = g_strdupv ((GStrv) c->variables);
  g_autoptr (GError) error = NULL;
  g_autoptr (AmsS3Source) source = NULL;
  g_autofree gchar *found = NULL;

  envp =
      g_environ_setenv (envp, "AWS_SHARED_CREDENTIALS_FILE", credentials, TRUE);
  envp = g_environ_setenv (envp, "AWS_CONFIG_FILE", config, TRUE);
  source = ams_s3_source_find (&c->options, envp, &error);
  g_unlink (credentials);
  g_unlink (config);
  g_rmdir (folder);
  if (c->expected == NULL) {
    g_assert_null (source);
    g_assert_error (error, AMS_STORE_ERROR, AMS_FAILURE_PERMANENT);
    g_assert_nonnull (strstr (error->message, c->part));
    g_assert_null (strstr (error->message, "hush"));
    return;
  }
  g_assert_no_error (error);
  found = describe (source);
  g_assert_cmpstr (found, ==, c->expected);
}

static void
test_regions_environment_and_profile (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("ams-s3-XXXXXX", NULL);
  g_autofree gchar *config =
      write_file (folder, "config", "[default]\nregion = eu-west-1\n");
  const gchar *plain[] = { NO_FILES, "AWS_DEFAULT_REGION=d", "AWS_REGION=r",
    NULL };
  g_auto (GStrv) envp = g_strdupv ((GStrv) plain);
  g_autoptr (AmsS3Config) read = NULL;

  envp = g_environ_setenv (envp, "AWS_CONFIG_FILE", config, TRUE);
  read = ams_s3_config_new (NULL, envp);
  g_unlink (config);
  g_rmdir (folder);
  g_assert_cmpstr (ams_s3_config_get_env_region (read), ==, "r");
  g_assert_cmpstr (ams_s3_config_get (read, "region"), ==, "eu-west-1");
}

/* ---- endpoints ---- */

#define PROFILE_URL "[default]\nendpoint_url = http://profile\n"
#define SERVICES_URL \
  "[profile default]\nservices = mine\nendpoint_url = http://profile\n" \
  "[services mine]\ns3 =\n  endpoint_url = http://services # here\n" \
  "dynamodb =\n  endpoint_url = http://other\n"

typedef struct
{
  const gchar *name;
  const gchar *profile; /* (nullable) the property */
  const gchar *config; /* (nullable) the file */
  const gchar *variables[4];
  const gchar *expected, *source;
} Configured;

static const Configured configured[] = {
  { "none", NULL, NULL, { NULL }, NULL, NULL },
  { "s3/first", NULL, SERVICES_URL,
      { "AWS_ENDPOINT_URL_S3=http://s3", "AWS_ENDPOINT_URL=http://all" },
      "http://s3", "AWS_ENDPOINT_URL_S3 in the environment" },
  { "s3-empty/next", NULL, NULL,
      { "AWS_ENDPOINT_URL_S3=", "AWS_ENDPOINT_URL=http://all" }, "http://all",
      "AWS_ENDPOINT_URL in the environment" },
  { "all/before-services", NULL, SERVICES_URL,
      { "AWS_ENDPOINT_URL=http://all" }, "http://all",
      "AWS_ENDPOINT_URL in the environment" },
  { "services/before-profile", NULL, SERVICES_URL, { NULL }, "http://services",
      "endpoint_url of s3 in the services “mine” of the profile “default”" },
  { "services/other-service-only", NULL,
      "[default]\nservices = a\nendpoint_url = http://profile\n"
      "[services a]\nec2 = \n  endpoint_url = http://ec2\n",
      { NULL }, "http://profile", "endpoint_url of the profile “default”" },
  { "services/before-the-profile-in-the-file", NULL,
      "[services \"a b\"]\ns3=\n\tENDPOINT_URL=http://services\n"
      "[default]\nservices = a b\n",
      { NULL }, "http://services",
      "endpoint_url of s3 in the services “a b” of the profile “default”" },
  { "services/not-there", NULL, "[default]\nservices = none\n", { NULL }, NULL,
      NULL },
  { "services/not-named", NULL,
      "[default]\na=b\n[services mine]\ns3 =\n endpoint_url = http://s\n",
      { NULL }, NULL, NULL },
  { "profile/nested-s3-is-none", NULL,
      "[default]\ns3 =\n  endpoint_url = http://nested\n", { NULL }, NULL,
      NULL },
  { "profile", NULL, PROFILE_URL, { NULL }, "http://profile",
      "endpoint_url of the profile “default”" },
  { "profile/of-the-property", "cam",
      PROFILE_URL "[profile cam]\nendpoint_url = http://cam\n", { NULL },
      "http://cam", "endpoint_url of the profile “cam”" },
  { "profile/of-the-variable", NULL,
      PROFILE_URL "[profile cam]\nendpoint_url = http://cam\n",
      { "AWS_PROFILE=cam" }, "http://cam",
      "endpoint_url of the profile “cam”" },
  { "ignored/environment", NULL, SERVICES_URL,
      { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=TRUE",
          "AWS_ENDPOINT_URL_S3=http://s3" },
      NULL, NULL },
  { "ignored/profile", NULL,
      PROFILE_URL "ignore_configured_endpoint_urls = true\n",
      { "AWS_ENDPOINT_URL=http://all" }, NULL, NULL },
  { "ignored/not", NULL, PROFILE_URL "ignore_configured_endpoint_urls = true\n",
      { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=false" }, "http://profile",
      "endpoint_url of the profile “default”" },
};

static void
test_endpoint (gconstpointer data)
{
  const Configured *c = data;
  g_autofree gchar *folder = g_dir_make_tmp ("ams-s3-XXXXXX", NULL);
  g_autofree gchar *path =
      write_file (folder, "config", c->config ? c->config : "");
  g_auto (GStrv) envp = g_strdupv ((GStrv) c->variables);
  g_autoptr (AmsS3Config) config = NULL;
  g_autofree gchar *source = NULL;

  envp = g_environ_setenv (envp, "AWS_CONFIG_FILE", path, TRUE);
  envp = g_environ_setenv (envp, "HOME", folder, TRUE);
  config = ams_s3_config_new (c->profile, envp);
  g_unlink (path);
  g_rmdir (folder);
  g_assert_cmpstr (ams_s3_config_find_endpoint (config, &source), ==,
      c->expected);
  g_assert_cmpstr (source, ==, c->source);
}

static void
test_ca_bundle_environment_before_profile (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("ams-s3-XXXXXX", NULL);
  g_autofree gchar *path =
      write_file (folder, "config", "[default]\nca_bundle = /profile.pem\n");
  const gchar *plain[] = { NO_FILES, NULL };
  g_auto (GStrv) envp = g_strdupv ((GStrv) plain);
  g_autoptr (AmsS3Config) config = NULL;
  g_autofree gchar *first = NULL, *second = NULL;

  envp = g_environ_setenv (envp, "AWS_CONFIG_FILE", path, TRUE);
  config = ams_s3_config_new (NULL, envp);
  g_assert_cmpstr (ams_s3_config_find_ca_bundle (config, &first), ==,
      "/profile.pem");
  g_assert_cmpstr (first, ==, "ca_bundle of the profile “default”");
  ams_s3_config_free (g_steal_pointer (&config));
  envp = g_environ_setenv (envp, "AWS_CA_BUNDLE", "/env.pem", TRUE);
  config = ams_s3_config_new (NULL, envp);
  g_assert_cmpstr (ams_s3_config_find_ca_bundle (config, &second), ==,
      "/env.pem");
  g_assert_cmpstr (second, ==, "AWS_CA_BUNDLE in the environment");
  g_unlink (path);
  g_rmdir (folder);
}

#define ADD_TABLE(table, subject, func) \
  for (i = 0; i < G_N_ELEMENTS (table); i++) { \
    g_autofree gchar *path = g_strconcat (subject, table[i].name, NULL); \
    g_test_add_data_func (path, &table[i], func); \
  }

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  ADD_TABLE (lines, "/s3-profile/", test_profile);
  g_test_add_func ("/s3-profile/credentials/before-config",
      test_profile_credentials_before_config);
  ADD_TABLE (answers, "/s3-identity/", test_answer);
  ADD_TABLE (configured, "/s3-endpoint/", test_endpoint);
  g_test_add_func ("/s3-ca-bundle/environment-before-profile",
      test_ca_bundle_environment_before_profile);
  ADD_TABLE (chains, "/s3-source/", test_chain);
  g_test_add_func ("/s3-source/regions/environment-and-profile",
      test_regions_environment_and_profile);
  return g_test_run ();
}
