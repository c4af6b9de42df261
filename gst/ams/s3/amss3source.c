/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "s3/amss3source.h"

#include <string.h>

#include "s3/amss3config.h"
#include "s3/amss3endpoint.h"
#include "s3/amss3sign.h"
#include "s3/amss3xml.h"
#include "transfer/amsstore.h"

#define CONTAINER_ENDPOINT "http://169.254.170.2"
#define MACHINE_ENDPOINT "http://169.254.169.254"
#define MACHINE_ENDPOINT_IPV6 "http://[fd00:ec2::254]"
#define MACHINE_PATH "/latest/meta-data/iam/security-credentials/"
#define MACHINE_TOKEN_TTL "21600" /* s, the most */
#define MAX_TOKEN (64 * 1024)

void
ams_s3_credentials_options_copy (AmsS3CredentialsOptions *to,
    const AmsS3CredentialsOptions *from)
{
  to->access_key = g_strdup (from->access_key);
  to->secret_key = g_strdup (from->secret_key);
  to->session_token = g_strdup (from->session_token);
  to->profile = g_strdup (from->profile);
  to->region = g_strdup (from->region);
  to->sts_endpoint = g_strdup (from->sts_endpoint);
  to->imds_endpoint = g_strdup (from->imds_endpoint);
  to->container_endpoint = g_strdup (from->container_endpoint);
  to->ca_file = g_strdup (from->ca_file);
}

void
ams_s3_credentials_options_clear (AmsS3CredentialsOptions *options)
{
  g_free (options->access_key);
  ams_s3_secret_free (options->secret_key);
  ams_s3_secret_free (options->session_token);
  g_free (options->profile);
  g_free (options->region);
  g_free (options->sts_endpoint);
  g_free (options->imds_endpoint);
  g_free (options->container_endpoint);
  g_free (options->ca_file);
  memset (options, 0, sizeof *options);
}

void
ams_s3_source_free (AmsS3Source *source)
{
  g_free (source->name);
  g_free (source->looked);
  g_clear_pointer (&source->identity, ams_s3_identity_unref);
  g_strfreev (source->argv);
  g_free (source->url);
  ams_s3_secret_free (source->token);
  g_free (source->token_file);
  g_free (source->role_arn);
  g_free (source->session_name);
  g_free (source);
}

static AmsS3Source *
new_source (AmsS3SourceKind kind, const gchar *name)
{
  AmsS3Source *source = g_new0 (AmsS3Source, 1);

  source->kind = kind;
  source->name = g_strdup (name);
  source->dynamic = TRUE;
  return source;
}

/* The search */

typedef struct
{
  const AmsS3CredentialsOptions *options;
  AmsS3Config *config;
  GString *looked;
  GError *error; /* ends the search */
} Search;

/* A step of the search: NULL with no error set is “look on”. */
typedef AmsS3Source *(*SearchFunc) (Search *search);

static const gchar *
text_or_null (const gchar *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

static const gchar *
env (const Search *search, const gchar *name)
{
  return ams_s3_config_get_env (search->config, name);
}

static const gchar *
setting (const Search *search, const gchar *key)
{
  return ams_s3_config_get (search->config, key);
}

static const gchar *
profile_of (const Search *search)
{
  return ams_s3_config_get_profile (search->config);
}

static void
note (Search *search, const gchar *text)
{
  g_string_append_printf (search->looked, "%s%s",
      search->looked->len > 0 ? "; " : "", text);
}

G_GNUC_PRINTF (2, 3)
static AmsS3Source *
give_up (Search *search, const gchar *format, ...)
{
  va_list args;
  g_autofree gchar *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  search->error = ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0, "%s", text);
  return NULL;
}

static AmsS3Source *
make_static (Search *search, const gchar *access_key, const gchar *secret_key,
    const gchar *token, const gchar *name)
{
  g_autoptr (AmsS3Source) source = new_source (AMS_S3_SOURCE_STATIC, name);

  source->identity =
      ams_s3_identity_new (access_key, secret_key, token, G_MAXINT64, name);
  if (!ams_s3_identity_check (source->identity, &search->error))
    return NULL;
  return g_steal_pointer (&source);
}

static AmsS3Source *
look_at_properties (Search *search)
{
  const AmsS3CredentialsOptions *o = search->options;
  const gchar *access_key = text_or_null (o->access_key);
  const gchar *secret_key = text_or_null (o->secret_key);
  AmsS3Source *source;

  if (access_key == NULL && secret_key == NULL) {
    note (search, "the properties access-key and secret-access-key (not set)");
    return NULL;
  }
  if (access_key == NULL || secret_key == NULL)
    return give_up (search,
        "Of access-key and secret-access-key only one is set. Set both or "
        "none.");
  source = make_static (search, access_key, secret_key, o->session_token,
      "the properties");
  if (source != NULL)
    source->dynamic = FALSE;
  return source;
}

static AmsS3Source *
look_at_environment (Search *search)
{
  const gchar *access_key = env (search, "AWS_ACCESS_KEY_ID");
  const gchar *secret_key = env (search, "AWS_SECRET_ACCESS_KEY");
  AmsS3Source *source;

  /* Who asks for a profile wants that one. */
  if (text_or_null (search->options->profile) != NULL)
    return NULL;
  if (access_key == NULL && secret_key == NULL) {
    note (search, "AWS_ACCESS_KEY_ID in the environment (not set)");
    return NULL;
  }
  if (access_key == NULL || secret_key == NULL)
    return give_up (search,
        "Of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set in the "
        "environment. Set both or none.");
  source = make_static (search, access_key, secret_key,
      env (search, "AWS_SESSION_TOKEN"), "the environment");
  if (source != NULL)
    source->dynamic = FALSE;
  return source;
}

/* Profiles */

static gchar *
sts_url (const Search *search)
{
  const gchar *region = text_or_null (search->options->region);
  const gchar *said = text_or_null (search->options->sts_endpoint);

  if (said == NULL && !ams_s3_config_ignores_endpoints (search->config))
    said = env (search, "AWS_ENDPOINT_URL_STS");
  if (said != NULL)
    return g_str_has_suffix (said, "/") ? g_strdup (said)
                                        : g_strconcat (said, "/", NULL);
  if (region == NULL)
    region = env (search, "AWS_REGION");
  if (region == NULL)
    region = env (search, "AWS_DEFAULT_REGION");
  /* “auto” and the like are other providers'. */
  if (region == NULL || strchr (region, '-') == NULL ||
      !ams_s3_region_check (region, NULL))
    return g_strdup ("https://sts.amazonaws.com/");
  return g_strdup_printf ("https://sts.%s.amazonaws.com%s/", region,
      g_str_has_prefix (region, "cn-") ? ".cn" : "");
}

static AmsS3Source *
make_web_identity (Search *search, const gchar *token_file,
    const gchar *role_arn, const gchar *session_name, const gchar *name)
{
  AmsS3Source *source = new_source (AMS_S3_SOURCE_WEB_IDENTITY, name);

  source->token_file = g_strdup (token_file);
  source->role_arn = g_strdup (role_arn);
  source->session_name =
      g_strdup (session_name != NULL ? session_name : "amshls");
  source->url = sts_url (search);
  return source;
}

static AmsS3Source *
make_process (Search *search, const gchar *command, const gchar *name)
{
  g_autoptr (AmsS3Source) source = new_source (AMS_S3_SOURCE_PROCESS, name);

  if (!g_shell_parse_argv (command, NULL, &source->argv, NULL))
    return give_up (search,
        "credential_process of the profile “%s” is no command: its quotes do "
        "not match. Correct it.",
        profile_of (search));
  return g_steal_pointer (&source);
}

static AmsS3Source *
look_into_profile (Search *search, const gchar *name)
{
  const gchar *token_file = setting (search, "web_identity_token_file");
  const gchar *role_arn = setting (search, "role_arn");
  const gchar *access_key = setting (search, "aws_access_key_id");
  const gchar *secret_key = setting (search, "aws_secret_access_key");
  const gchar *process = setting (search, "credential_process");

  if (role_arn != NULL && token_file != NULL)
    return make_web_identity (search, token_file, role_arn,
        setting (search, "role_session_name"), name);
  if (role_arn != NULL)
    return give_up (search,
        "The profile “%s” takes a role from another profile, which is not "
        "supported. Set its credential_process to “aws configure "
        "export-credentials --profile %s” under another profile's name.",
        profile_of (search), profile_of (search));
  if (access_key != NULL && secret_key != NULL)
    return make_static (search, access_key, secret_key,
        setting (search, "aws_session_token"), name);
  if (access_key != NULL || secret_key != NULL)
    return give_up (search,
        "The profile “%s” has only one of aws_access_key_id and "
        "aws_secret_access_key. Set both.",
        profile_of (search));
  if (process != NULL)
    return make_process (search, process, name);
  if (setting (search, "sso_session") || setting (search, "sso_start_url"))
    return give_up (search,
        "The profile “%s” signs in by SSO, which is not supported. Set the "
        "credential_process of another profile to “aws configure "
        "export-credentials --profile %s”.",
        profile_of (search), profile_of (search));
  return NULL;
}

static AmsS3Source *
look_at_profile (Search *search)
{
  g_autofree gchar *name =
      g_strdup_printf ("the profile “%s”", profile_of (search));
  AmsS3Source *source;

  note (search, ams_s3_config_get_files (search->config));
  source = look_into_profile (search, name);
  if (source != NULL || search->error != NULL ||
      !ams_s3_config_is_explicit (search->config))
    return source;
  return give_up (search,
      "There are no credentials of the profile “%s”. Looked at: %s. Correct the "
      "profile's name, or add the profile.",
      profile_of (search), search->looked->str);
}

/* Services */

static AmsS3Source *
look_at_web_identity (Search *search)
{
  const gchar *token_file = env (search, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const gchar *role_arn = env (search, "AWS_ROLE_ARN");

  if (token_file == NULL) {
    note (search, "AWS_WEB_IDENTITY_TOKEN_FILE (not set)");
    return NULL;
  }
  if (role_arn == NULL)
    return give_up (search,
        "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not. Set "
        "both.");
  return make_web_identity (search, token_file, role_arn,
      env (search, "AWS_ROLE_SESSION_NAME"), "the web identity");
}

/* A token that goes out unencrypted must not leave the machine. */
static gboolean
is_safe_url (const gchar *url)
{
  static const gchar *const links[] = { "169.254.170.2", "169.254.170.23",
    "fd00:ec2::23" };
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  g_autoptr (GInetAddress) address = NULL;
  const gchar *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  guint i;

  if (host == NULL || *host == '\0' || g_uri_get_userinfo (uri) != NULL)
    return FALSE;
  if (g_str_equal (g_uri_get_scheme (uri), "https"))
    return TRUE;
  if (!g_str_equal (g_uri_get_scheme (uri), "http"))
    return FALSE;
  address = g_inet_address_new_from_string (host);
  if (address != NULL && g_inet_address_get_is_loopback (address))
    return TRUE;
  for (i = 0; i < G_N_ELEMENTS (links); i++) {
    if (g_str_equal (host, links[i]))
      return TRUE;
  }
  return g_ascii_strcasecmp (host, "localhost") == 0;
}

static AmsS3Source *
look_at_container (Search *search)
{
  const gchar *relative =
      env (search, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const gchar *full = env (search, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const gchar *base = text_or_null (search->options->container_endpoint);
  g_autoptr (AmsS3Source) source = NULL;

  if (relative == NULL && full == NULL) {
    note (search,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI and _RELATIVE_URI (not "
        "set)");
    return NULL;
  }
  source = new_source (AMS_S3_SOURCE_CONTAINER, "the container's service");
  source->url = relative != NULL
      ? g_strconcat (base ? base : CONTAINER_ENDPOINT, relative, NULL)
      : g_strdup (full);
  if (!is_safe_url (source->url))
    return give_up (search,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI is not https, and its host is not "
        "this machine. Use one of these.");
  source->token = g_strdup (env (search, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
  source->token_file =
      g_strdup (env (search, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
  return g_steal_pointer (&source);
}

static AmsS3Source *
look_at_machine (Search *search)
{
  const gchar *disabled = env (search, "AWS_EC2_METADATA_DISABLED");
  const gchar *mode = env (search, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  const gchar *base = text_or_null (search->options->imds_endpoint);
  AmsS3Source *source;
  gsize length;

  if (disabled != NULL && g_ascii_strcasecmp (disabled, "true") == 0) {
    note (search, "the machine's metadata service (AWS_EC2_METADATA_DISABLED)");
    return NULL;
  }
  if (base == NULL)
    base = env (search, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base == NULL)
    base = mode != NULL && g_ascii_strcasecmp (mode, "IPv6") == 0
        ? MACHINE_ENDPOINT_IPV6
        : MACHINE_ENDPOINT;
  source = new_source (AMS_S3_SOURCE_MACHINE, "the machine's metadata service");
  for (length = strlen (base); length > 0 && base[length - 1] == '/'; length--)
    ;
  source->url = g_strndup (base, length);
  return source;
}

AmsS3Source *
ams_s3_source_find (const AmsS3CredentialsOptions *options, GStrv envp,
    GError **error)
{
  static const SearchFunc steps[] = { look_at_properties, look_at_environment,
    look_at_profile, look_at_web_identity, look_at_container, look_at_machine };
  g_autoptr (AmsS3Config) config = ams_s3_config_new (options->profile, envp);
  g_autoptr (GString) looked = g_string_new (NULL);
  Search search = { options, config, looked, NULL };
  AmsS3Source *source = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (steps) && !source && !search.error; i++)
    source = steps[i](&search);
  if (source != NULL)
    source->looked = g_strdup (looked->str);
  else if (search.error == NULL)
    give_up (&search,
        "There are no credentials. Set access-key and secret-access-key. "
        "Looked at: %s.",
        looked->str);
  if (search.error != NULL)
    g_propagate_error (error, search.error);
  return source;
}

/* Requests */

void
ams_s3_query_free (AmsS3Query *query)
{
  g_clear_pointer (&query->uri, g_uri_unref);
  g_strfreev (query->headers);
  g_clear_pointer (&query->body, g_bytes_unref);
  g_free (query);
}

/* @name, @value: (nullable) a header */
static AmsS3Query *
new_query (const gchar *method, const gchar *url, const gchar *name,
    const gchar *value, GError **error)
{
  const gchar *headers[] = { name, value, NULL };
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  AmsS3Query *query;

  if (uri == NULL || g_uri_get_host (uri) == NULL) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "The endpoint that credentials are to be asked of is not a URL. "
            "Write it as http://HOST:PORT."));
    return NULL;
  }
  query = g_new0 (AmsS3Query, 1);
  query->method = method;
  query->uri = g_steal_pointer (&uri);
  query->headers = g_strdupv ((GStrv) headers);
  return query;
}

/* Read anew each time: whoever writes it renews it. */
static gchar *
read_token (const gchar *path, GError **error)
{
  gchar *text = NULL;
  gsize size = 0;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) ||
      !g_file_get_contents (path, &text, &size, NULL) || size > MAX_TOKEN) {
    ams_s3_secret_free (text);
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "The token in “%s” cannot be read. Check the file and who may read "
            "it.",
            path));
    return NULL;
  }
  return g_strstrip (text);
}

static gboolean
is_header_value (const gchar *text)
{
  return g_utf8_validate (text, -1, NULL) && strpbrk (text, "\r\n") == NULL;
}

static AmsS3Query *
ask_sts (AmsS3Source *source, GError **error)
{
  gchar *token = read_token (source->token_file, error);
  g_autofree gchar *body = NULL;
  AmsS3Query *query;

  if (token == NULL)
    return NULL;
  body = ams_s3_query (
      (const gchar *const[]){ "Action", "AssumeRoleWithWebIdentity", "Version",
          "2011-06-15", "RoleArn", source->role_arn, "RoleSessionName",
          source->session_name, "WebIdentityToken", token, NULL });
  ams_s3_secret_free (token);
  query = new_query ("POST", source->url, "Content-Type",
      "application/x-www-form-urlencoded", error);
  if (query != NULL)
    query->body = g_bytes_new (body, strlen (body));
  /* The token is in it. */
  explicit_bzero (body, strlen (body));
  return query;
}

static AmsS3Query *
ask_container (AmsS3Source *source, GError **error)
{
  if (source->token_file != NULL) {
    ams_s3_secret_free (source->token);
    source->token = read_token (source->token_file, error);
    if (source->token == NULL)
      return NULL;
  }
  if (source->token != NULL && !is_header_value (source->token)) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_PERMANENT, 0, 0,
            "The token for the container's service is more than one line. "
            "Check AWS_CONTAINER_AUTHORIZATION_TOKEN."));
    return NULL;
  }
  return new_query ("GET", source->url,
      source->token != NULL ? "Authorization" : NULL, source->token, error);
}

static gchar *
first_line (GBytes *answer)
{
  gsize size;
  const gchar *data = g_bytes_get_data (answer, &size);
  g_autofree gchar *text = g_strndup (data, size);

  return g_strstrip (g_strndup (text, strcspn (text, "\r\n")));
}

/* A token, then the role's name, then its credentials. */
static AmsS3Query *
ask_machine (AmsS3Source *source, GBytes *answer, GError **error)
{
  g_autofree gchar *line = answer != NULL ? first_line (answer) : NULL;
  g_autofree gchar *name =
      line != NULL ? ams_s3_encode (line, FALSE) : g_strdup ("");
  g_autofree gchar *url = NULL;

  if (source->step == 0) {
    url = g_strconcat (source->url, "/latest/api/token", NULL);
    return new_query ("PUT", url, "X-aws-ec2-metadata-token-ttl-seconds",
        MACHINE_TOKEN_TTL, error);
  }
  if (*name == '\0' || !is_header_value (line)) {
    g_propagate_error (error,
        ams_store_error_new (AMS_FAILURE_TRANSIENT, 0, 0,
            "The machine's metadata service answered with nothing."));
    return NULL;
  }
  if (source->step == 1) {
    ams_s3_secret_free (source->token);
    source->token = g_strdup (line);
  }
  url = g_strconcat (source->url, MACHINE_PATH, source->step == 2 ? name : "",
      NULL);
  return new_query ("GET", url, "X-aws-ec2-metadata-token", source->token,
      error);
}

AmsS3Query *
ams_s3_source_next (AmsS3Source *source, GBytes *answer,
    AmsS3Identity **identity, GError **error)
{
  gboolean machine = source->kind == AMS_S3_SOURCE_MACHINE;
  AmsS3Query *query = NULL;

  if (answer == NULL)
    source->step = 0;
  if (source->step == (machine ? 3 : 1))
    *identity = source->kind == AMS_S3_SOURCE_WEB_IDENTITY
        ? ams_s3_identity_parse_sts (answer, source->name, error)
        : ams_s3_identity_parse_json (answer, source->name, error);
  else if (machine)
    query = ask_machine (source, answer, error);
  else if (source->kind == AMS_S3_SOURCE_CONTAINER)
    query = ask_container (source, error);
  else
    query = ask_sts (source, error);
  source->step++;
  return query;
}

static void
on_code (const gchar *path, const gchar *text, gpointer user_data)
{
  gchar **code = user_data;

  if (*code == NULL && g_str_has_suffix (path, "Error/Code") &&
      strspn (text, G_CSET_A_2_Z G_CSET_a_2_z) == strlen (text))
    *code = g_strdup (text);
}

GError *
ams_s3_source_refused (const AmsS3Source *source, guint status, GBytes *body)
{
  gboolean again = status >= 500 || status == 408 || status == 429;
  g_autofree gchar *code = NULL;

  if (source->kind == AMS_S3_SOURCE_MACHINE && status == 404 &&
      source->step == 2)
    return ams_store_error_new (AMS_FAILURE_PERMANENT, status, 0,
        "There are no credentials: this machine has no role. Attach one, or "
        "set access-key and secret-access-key. Looked at: %s.",
        source->looked);
  if (body != NULL)
    ams_s3_xml_parse (body, on_code, &code);
  return ams_store_error_new (
      again ? AMS_FAILURE_TRANSIENT : AMS_FAILURE_PERMANENT, status, 0,
      "No credentials came from %s: it answered %u%s%s. %s", source->name,
      status, code != NULL ? " " : "", code != NULL ? code : "",
      again ? "It is asked again." : "Check its settings.");
}
